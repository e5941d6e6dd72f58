"""bench.py - Avvik beside its floor: throughput, latency, end to end, processor time, memory, start. Called by run.sh.

The floor (floor.c) takes the same 1 KiB commands from the same client (load.c), with CURVE, in batches of what has arrived, and
commits each batch to LMDB with sync. For end to end four of it stand in a row. Each figure stands beside the floor's, measured
just before or after it; what counts is the ratio, since disks and machines differ.
"""

import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from instance import BIN, DAEMONS, Instance, pb, report  # noqa: E402

QUICK = "--quick" in sys.argv
MANY = 20000 if QUICK else 100000
BURST = 10000 if QUICK else 40000
SINGLE = 500 if QUICK else 2000
UNIT = "lindhaga"
ROWS = []


def say(title, *columns):
    print(f"\n{title}\n" + "-" * len(title))
    if columns:
        row(*columns)


def row(*cells):
    print("  " + "".join(f"{str(c):<44}" if i == 0 else f"{str(c):>14}" for i, c in enumerate(cells)), flush=True)


def load(endpoint, server_key, pair, count, in_flight, prefix, plain=False):
    words = [os.path.join(BIN, "bench_load"), "--endpoint", endpoint, "--count", str(count), "--in-flight", str(in_flight),
             "--unit", UNIT, "--prefix", prefix]
    if server_key:
        words += ["--server-key", server_key.decode(), "--public", pair[0].decode(), "--secret", pair[1].decode()]
    done = subprocess.run(words + (["--plain"] if plain else []), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"load failed: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


class Floor:
    """One floor, or a row of them."""

    def __init__(self, stages=1, curve=True):
        self.root = tempfile.mkdtemp(prefix="avvik-floor-")
        self.keys = [zmq.curve_keypair() for _ in range(stages)]
        self.pair = zmq.curve_keypair()
        self.curve = curve
        base = 17000 + os.getpid() % 1000 * 10
        self.endpoints = [f"tcp://127.0.0.1:{base + i}" for i in range(stages)]
        self.processes = []
        for i in reversed(range(stages)):
            folder = os.path.join(self.root, str(i))
            os.mkdir(folder)
            words = [os.path.join(BIN, "bench_floor"), "--bind", self.endpoints[i], "--folder", folder]
            if curve:
                words += ["--secret", self.keys[i][1].decode()]
            if i + 1 < stages:
                words += ["--next", self.endpoints[i + 1]]
                if curve:
                    words += ["--next-key", self.keys[i + 1][0].decode(), "--own-public", self.pair[0].decode(), "--own-secret",
                              self.pair[1].decode()]
            self.processes.insert(0, subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        time.sleep(0.3)

    def load(self, count, in_flight):
        return load(self.endpoints[0], self.keys[0][0] if self.curve else None, self.pair, count, in_flight, "floor", plain=True)

    def stored(self, stage):
        """How many entries a stage holds, by mdb_stat: read while it runs."""
        done = subprocess.run(["mdb_stat", os.path.join(self.root, str(stage))], capture_output=True, text=True)
        found = re.search(r"Entries: (\d+)", done.stdout)
        return int(found.group(1)) if found else 0

    def close(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(20)
        shutil.rmtree(self.root)


def processor_seconds(pid):
    words = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def anonymous_kib(pid):
    return int(re.search(r"RssAnon:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1))


def status(client):
    return client.call(pb.Command(get_status=pb.GetStatus())).status_found


class Watch:
    """Looks at all four daemons over connections that stay open."""

    def __init__(self, instance):
        self.clients = {d: instance.client(d, name="admin") for d in DAEMONS}

    def states(self):
        return {d: status(c) for d, c in self.clients.items()}

    def settled(self):
        states = self.states()
        return all(s.quiet and all(f.cursor.sequence >= states[f.name].head for f in s.feeds) for s in states.values())

    def wait(self, timeout=600):
        end = time.monotonic() + timeout
        while not self.settled():
            if time.monotonic() > end:
                raise SystemExit("the daemons do not come to rest")
            time.sleep(0.01)


def acknowledged(instance):
    say("Acknowledged, durable FileReport (1 KiB, CURVE)", "", "avvik", "floor", "ratio")
    rounds = []
    for number in range(3):
        floor = Floor()
        floor.load(BURST // 4, 256)
        of_floor = floor.load(BURST, 256)
        one_floor = floor.load(SINGLE, 1)
        floor.close()
        endpoint, key, pair = instance.endpoints["intake", "command"], instance.server_key("intake"), instance.key_pair("publisher")
        avvik = load(endpoint, key, pair, BURST, 256, f"burst-{number}")
        one_avvik = load(endpoint, key, pair, SINGLE, 1, f"one-{number}")
        rounds.append((avvik, of_floor, one_avvik, one_floor))
        Watch(instance).wait()
    pick = sorted(rounds, key=lambda r: r[0]["per_second"] / r[1]["per_second"])[1]
    row("256 in flight, a second", pick[0]["per_second"], pick[1]["per_second"],
        f"{pick[0]['per_second'] / pick[1]['per_second']:.2f}")
    pick = sorted(rounds, key=lambda r: r[2]["median_us"] / r[3]["median_us"])[1]
    row("1 in flight, median us", pick[2]["median_us"], pick[3]["median_us"], f"{pick[2]['median_us'] / pick[3]['median_us']:.2f}")
    row("1 in flight, 99th percentile us", pick[2]["p99_us"], pick[3]["p99_us"], f"{pick[2]['p99_us'] / pick[3]['p99_us']:.2f}")
    print("  (the round of three with the middle ratio; while it is being acknowledged the other daemons are at work on the same cores)")
    return statistics.median(r[3]["median_us"] for r in rounds)


def end_to_end_idle(instance, commit_us):
    """From sending one report to deadline set, notice decided and summary delta out, each seen by a consumer over the wire."""
    client = instance.client("intake")
    feeds = {}
    for daemon in ("workflow", "notification"):
        _, cursor = instance.feed(daemon)
        feed = instance.client(daemon, name="admin")
        feed.socket.close()
        from instance import Client
        feeds[daemon] = [Client(instance.endpoints[daemon, "feed"], instance.server_key(daemon), instance.key_pair("admin")), cursor]
    stream = zmq.Context.instance().socket(zmq.SUB)
    stream.curve_serverkey = instance.server_key("reporting")
    stream.curve_publickey, stream.curve_secretkey = instance.key_pair("statistics")
    stream.subscribe(b"summary/")
    stream.connect(instance.endpoints["reporting", "stream"])
    time.sleep(0.5)
    times = []

    def ask(feed):
        feed[0].send(pb.FeedRequest(after=feed[1], max_events=1000, max_bytes=1 << 20, wait_ms=5000))

    for number in range(60 if QUICK else 200):
        poller = zmq.Poller()
        poller.register(stream, zmq.POLLIN)
        for feed in feeds.values():
            ask(feed)
            poller.register(feed[0].socket, zmq.POLLIN)
        wanted = {"deadline_set", "notice_decided", "summary"}
        start = time.perf_counter()
        client.send(report(f"e2e-{number}", unit=UNIT))
        while wanted:
            for socket, _ in poller.poll(5000):
                if socket is stream:
                    update = pb.SummaryUpdate()
                    update.ParseFromString(stream.recv_multipart()[1])
                    if update.changes and update.unit == UNIT:
                        wanted.discard("summary")
                    continue
                feed = next(f for f in feeds.values() if f[0].socket is socket)
                reply = pb.FeedReply()
                reply.ParseFromString(socket.recv_multipart()[-1])
                feed[1] = reply.batch.reached
                for item in reply.batch.items:
                    event = pb.Event()
                    event.ParseFromString(item.event)
                    wanted.discard(event.WhichOneof("body"))
                ask(feed)
        times.append((time.perf_counter() - start) * 1e6)
        client.receive()
        time.sleep(0.05)
        for feed in feeds.values():  # nothing under way when the next begins
            while feed[0].socket.poll(0):
                reply = pb.FeedReply()
                reply.ParseFromString(feed[0].socket.recv_multipart()[-1])
                feed[1] = reply.batch.reached
                ask(feed)
        while stream.poll(0):
            stream.recv_multipart()
    median = statistics.median(times)
    say("End to end, idle: sent -> deadline set, notice decided, summary delta out", "", "avvik", "floor", "ratio")
    row("median us (floor: one acknowledged commit)", round(median), round(commit_us), f"{median / commit_us:.2f}")


def end_to_end_sustained(instance):
    count = BURST // 2
    floor = Floor(stages=4)
    start = time.monotonic()
    floor.load(count, 256)
    while floor.stored(3) < count:
        time.sleep(0.01)
    of_floor = count / (time.monotonic() - start)
    floor.close()

    watch = Watch(instance)
    watch.wait()
    before = {d: processor_seconds(instance.pid(d)) for d in DAEMONS}
    start = time.monotonic()
    load(instance.endpoints["intake", "command"], instance.server_key("intake"), instance.key_pair("publisher"), count, 256,
         f"sustained-{time.time_ns()}")
    watch.wait()
    avvik = count / (time.monotonic() - start)
    after = {d: processor_seconds(instance.pid(d)) for d in DAEMONS}
    say("End to end, sustained: all consequences of each report stored by all four", "", "avvik", "floor", "ratio")
    row("reports a second (floor: four in a row)", round(avvik), round(of_floor), f"{avvik / of_floor:.2f}")
    say("Processor time", "daemon", "us a report")
    for daemon in DAEMONS:
        row(daemon, f"{(after[daemon] - before[daemon]) / count * 1e6:.0f}")


def memory_and_start():
    say("Memory: RssAnon in KiB", "daemon", "idle", "at 10 000", f"at {MANY}", "bytes/report")
    with Instance() as instance:
        instance.up()
        instance.publish()
        watch = Watch(instance)
        watch.wait()
        key = instance.server_key("intake"), instance.key_pair("publisher")
        figures = {d: [anonymous_kib(instance.pid(d))] for d in DAEMONS}
        filed = 0
        for target in (10000, MANY):
            load(instance.endpoints["intake", "command"], *key, target - filed, 64, f"memory-{target}")
            filed = target
            watch.wait()
            for daemon in DAEMONS:
                figures[daemon].append(anonymous_kib(instance.pid(daemon)))
        for daemon, (idle, at_10000, at_many) in figures.items():
            row(daemon, idle, at_10000, at_many, f"{(at_many - at_10000) * 1024 / (MANY - 10000):.1f}")

        say("Start after kill -9: milliseconds to the first answer", "daemon", f"at {MANY}", f"at {2 * MANY}")
        times = {d: [] for d in DAEMONS}
        for target in (MANY, 2 * MANY):
            if target > filed:
                load(instance.endpoints["intake", "command"], *key, target - filed, 64, f"start-{target}")
                filed = target
                watch.wait()
            for daemon in DAEMONS:
                best = None
                for _ in range(3):
                    instance.kill(daemon)
                    while instance.pid(daemon) is None:
                        time.sleep(0.001)
                    start = time.monotonic()  # the process has just been started
                    client = instance.client(daemon, name="admin", timeout_ms=30000)
                    status(client)
                    took = (time.monotonic() - start) * 1000
                    client.close()
                    best = took if best is None else min(best, took)
                    time.sleep(0.3)
                times[daemon].append(best)
        for daemon, (first, second) in times.items():
            row(daemon, f"{first:.0f}", f"{second:.0f}")


def costs():
    say("Where intake's microseconds go, one report (single-threaded, in process)", "", "us")
    done = subprocess.run([os.path.join(BIN, "bench_costs")], capture_output=True, text=True)
    for line in done.stdout.splitlines():
        name, value = line.rsplit(" ", 1)
        row(name, value)
    with_curve, without = Floor(), Floor(curve=False)
    fast, slow = without.load(BURST, 256), with_curve.load(BURST, 256)
    with_curve.close()
    without.close()
    row("CURVE, both ends (floor with less floor without)", f"{1e6 / slow['per_second'] - 1e6 / fast['per_second']:.2f}")
    row("transport, batch and commit (floor without)", f"{1e6 / fast['per_second']:.2f}")


def main():
    uname = os.uname()
    print(f"Avvik beside its floor, {time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, {uname.sysname} {uname.release} {uname.machine}")
    with Instance() as instance:
        instance.up()
        instance.publish()
        Watch(instance).wait()
        commit_us = acknowledged(instance)
        end_to_end_idle(instance, commit_us)
        end_to_end_sustained(instance)
    costs()
    memory_and_start()


main()
