"""measure.py - the measurements, each for one peer that is up. Every figure comes from here."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import disk
import trace
from processes import Unavailable, children, memory_mib, processor_seconds


def paused(server, stop):
    """While others are measured a server stands still, so that nothing it does by itself counts against them."""
    for pid in children(server.pid):
        try:
            os.kill(pid, signal.SIGSTOP if stop else signal.SIGCONT)
        except ProcessLookupError:
            pass


def calm():
    """What the one before left unwritten is not the next one's burden."""
    subprocess.run(["sync"], check=True)


def acknowledged(server, variant, point, seconds):
    """Publishers × in flight for so many seconds."""
    publishers, in_flight = point
    calm()
    rate = disk.append_rate(server.root)
    before = processor_seconds(server.pid)
    told = server.load(publishers, in_flight, ["--seconds", str(seconds)], variant)
    spent = processor_seconds(server.pid) - before
    return {"per_second": told["per_second"], "median_us": told["median_us"], "p99_us": told["p99_us"], "disk": rate,
            "cpu_us": spent / told["count"] * 1e6}


def end_to_end(server, variant, point, count):
    """From the first message sent until the consumer has all of them durably, a second."""
    server.prepare()
    calm()
    rate = disk.append_rate(server.root)
    folder = tempfile.mkdtemp(prefix="avvik-bench-consumer-")
    consumer = None
    try:
        consumer = server.consumer(folder, server.before(), count)
        if consumer.stdout.readline().strip() != "ready":
            raise Unavailable(f"consumer: {consumer.communicate()[1].strip()[-300:]}")
        told = server.load(*point, ["--count", str(count)], variant)
        out, errors = consumer.communicate(timeout=120)
        if consumer.returncode != 0:
            raise Unavailable(f"consumer: {errors.strip()[-300:]}")
        end = json.loads(out)
    finally:
        if consumer and consumer.poll() is None:
            consumer.kill()
            consumer.wait()
        shutil.rmtree(folder)
    return {"per_second": count / ((end["end_us"] - told["begin_us"]) / 1e6), "acknowledged": told["per_second"], "disk": rate,
            "bytes": end["bytes"] / max(end["stored"], 1), "batches": end["batches"]}


def syncs(make, variant, points, seconds):
    """Syncs a message at each point, of a server that runs under strace."""
    found = {}
    path = tempfile.mktemp(prefix="avvik-bench-trace-")
    try:
        with make() as server:
            server.up(trace.words(path, False)).prepare()
            told = [server.load(*point, ["--seconds", str(seconds)], variant) for point in points]
            server.stop()
            for point, each in zip(points, told):
                count = trace.count_syncs(path, each["wall_begin_us"] / 1e6, each["wall_end_us"] / 1e6)
                found[point] = count / each["count"]
    finally:
        if os.path.exists(path):
            os.unlink(path)
    return found


def answers_after_sync(make, variant, count=100):
    """(answers that came after a sync which began after their message had arrived, answers), one message at a time."""
    path = tempfile.mktemp(prefix="avvik-bench-trace-")
    try:
        with make() as server:
            server.up(trace.words(path, True)).prepare()
            told = server.load(1, 1, ["--count", str(count)], variant)
            server.stop()
            return trace.syncs_before_answer(path, told["wall_begin_us"] / 1e6, told["wall_end_us"] / 1e6)
    finally:
        if os.path.exists(path):
            os.unlink(path)


def with_stored(make, variant, count):
    """Memory with so many stored, and the time from the new process until it has acknowledged one more."""
    with make() as server:
        server.up().prepare()
        server.load(16, 16, ["--count", str(count)], variant)
        time.sleep(3)
        resident, anonymous = memory_mib(server.pid)
        server.stop()
        start = time.monotonic()
        server.start()
        server.load(1, 1, ["--count", "1", "--patience", "120"], variant)
        return {"resident_mib": resident, "anonymous_mib": anonymous, "start_ms": (time.monotonic() - start) * 1000}
