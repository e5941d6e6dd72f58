"""processes.py - a server's processes: their processor time, their memory, how they are started and stopped."""

import os
import re
import signal
import socket
import subprocess
import time


class Unavailable(Exception):
    """A peer that cannot be installed or started; the reason is for the table."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def children(pid):
    """The process and all that it has begun, as they are now."""
    found, queue = [], [pid]
    while queue:
        pid = queue.pop()
        found.append(pid)
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                queue += [int(p) for p in open(f"/proc/{pid}/task/{task}/children").read().split()]
        except FileNotFoundError:
            pass
    return found


def processor_seconds(pid):
    """Of the whole tree, with what has ended and been waited for: PostgreSQL has a process for each connection."""
    total = 0
    for each in children(pid):
        try:
            words = open(f"/proc/{each}/stat").read().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        total += sum(int(w) for w in words[11:15])
    return total / os.sysconf("SC_CLK_TCK")


def memory_mib(pid):
    """(resident, anonymous) of the whole tree. Shared pages are counted once: PSS."""
    resident = anonymous = 0
    for each in children(pid):
        try:
            text = open(f"/proc/{each}/smaps_rollup").read()
        except (FileNotFoundError, ProcessLookupError):
            continue
        resident += int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1))
        anonymous += int(re.search(r"^Pss_Anon:\s+(\d+)", text, re.M).group(1))
    return resident / 1024, anonymous / 1024


class Process:
    """One server, in a folder of its own, with its log there. With `trace` under strace, which writes to that file."""

    def __init__(self, words, folder, trace=None, environment=None, user=None):
        self.log = os.path.join(folder, "log.txt")
        words = (trace or []) + words
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env={**os.environ, **(environment or {})}, user=user, group=user,
                                            extra_groups=[] if user else None)
        self.traced = bool(trace)

    @property
    def pid(self):
        """Of the server itself; strace is its parent."""
        if not self.traced:
            return self.process.pid
        return next(iter(children(self.process.pid)[1:]), self.process.pid)

    def alive(self):
        return self.process.poll() is None

    def tail(self):
        return " | ".join(open(self.log, errors="replace").read().strip().splitlines()[-3:])[-300:]

    def stop(self, number=signal.SIGTERM, patience=60):
        if not self.alive():
            return
        try:
            os.kill(self.pid, number)
            self.process.wait(patience)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            for pid in reversed(children(self.process.pid)):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait(10)


def wait_for_port(port, process, patience=60):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if not process.alive():
            raise Unavailable(f"ended at once: {process.tail()}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Unavailable(f"does not listen: {process.tail()}")
