"""Durable before acknowledged, seen from the kernel: the pages of a report are written, synced, and made the store's last state by a
synced write, and only then does its reply leave."""

import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from instance import BIN, Instance, check, check_true, pb, report  # noqa: E402

CALLS = "openat,pwrite64,pwritev,writev,fdatasync,fsync,recvfrom,sendto"
REPLY_BYTES = 400  # a receipt is longer, anything else on the connection is shorter
META_BYTES = 2 * 4096  # where LMDB says which state is the last


def traceable():
    if not shutil.which("strace"):
        print("skipped: strace is not installed")
        return False
    if subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True).returncode != 0:
        print("skipped: processes cannot be traced here")
        return False
    return True


class Trace:
    """The system calls of a daemon, in the order in which they were done."""

    def __init__(self, path):
        self.path, self.read = path, 0
        self.begun = {}

    def new(self):
        """[(call, rest)] of what was completed since; a call that was cut in two stands where it was completed."""
        calls = []
        with open(self.path) as file:
            lines = file.readlines()[self.read:]
        self.read += len(lines)
        for line in lines:
            thread, text = line.rstrip("\n").split(None, 1)
            if text.endswith("<unfinished ...>"):
                self.begun[thread] = text[:-len("<unfinished ...>")]
                continue
            resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", text)
            if resumed:
                text = self.begun.pop(thread, "") + resumed.group(1)
            call = re.match(r"(\w+)\((.*)", text)
            if call:
                calls.append(call.groups())
        return calls


def size_of(rest):
    """What the call returned."""
    found = re.search(r"= (-?\d+)", rest.rsplit(")", 1)[-1])
    return int(found.group(1)) if found else -1


def judge(calls, data):
    """The places of the steps in one report's calls."""
    on_data = [(i, call, rest) for i, (call, rest) in enumerate(calls) if f"<{data}>" in rest]
    offset = {i: int(re.search(r", (\d+)\)", rest).group(1)) for i, call, rest in on_data if call in ("pwrite64", "pwritev")}
    last = max((i for i in offset if offset[i] < META_BYTES), default=-1)
    pages = [i for i, call, _ in on_data if (call == "writev" or i in offset) and i != last]
    synced = [i for i, call, rest in on_data if call in ("fdatasync", "fsync") and size_of(rest) == 0]
    sent = [i for i, (call, rest) in enumerate(calls) if call == "sendto" and size_of(rest) >= REPLY_BYTES]
    return pages, synced, last, sent


def main():
    if not traceable():
        return
    with Instance() as instance:
        path = os.path.join(instance.root, "trace")
        process = subprocess.Popen(["strace", "-f", "-y", "-s", "8", "-o", path, "-e", f"trace={CALLS}", os.path.join(BIN, "avvik-intake"),
                                    "--settings", instance.settings], stderr=subprocess.DEVNULL)
        try:
            client = instance.client("intake", timeout_ms=20000)
            check("a daemon that is looked at works", client.call(report("warm", unit="lindhaga")).status, pb.REPLY_STATUS_DONE)
            time.sleep(1)
            trace, data = Trace(path), os.path.join(instance.state, "intake", "data", "data.mdb")
            opened = [rest for call, rest in trace.new() if call == "openat" and f"= " in rest and f"<{data}>" in rest]
            synchronous = {re.search(r"= (\d+)<", rest).group(1) for rest in opened if "O_DSYNC" in rest}
            check("the store's last state is written through a descriptor that syncs", len(synchronous), 1)
            for number in range(5):
                reply = client.call(report(f"watched-{number}", unit="lindhaga"))
                check(f"report {number}: filed", reply.status, pb.REPLY_STATUS_DONE)
                time.sleep(0.2)
                calls = trace.new()
                pages, synced, last, sent = judge(calls, data)
                check_true(f"report {number}: its pages are written, then synced", pages and synced and max(pages) < synced[-1],
                           calls)
                check_true(f"report {number}: then they are made the last state, through that descriptor",
                           synced[-1] < last and calls[last][1].split("<")[0] in synchronous, calls)
                check(f"report {number}: one reply leaves", len(sent), 1)
                check_true(f"report {number}: after all that", last < sent[0], calls)
            client.close()
        finally:
            with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
                for child in file.read().split():
                    os.kill(int(child), 15)
            process.wait(20)


main()
