"""history.py - what a long history costs: intake's throughput at 1 × 256 on an empty store and with N reports stored, the pages
that a commit writes, and the size of the file. Called by run.sh --history N."""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile

for _name in ("AVVIK_BIN", "AVVIK_PROTO", "AVVIK_SOURCE"):
    if _name in os.environ:
        os.environ[_name] = os.path.abspath(os.environ[_name])
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
sys.path.insert(0, os.path.dirname(__file__))
import measure  # noqa: E402
import servers  # noqa: E402
import table  # noqa: E402
import trace  # noqa: E402

BYTES_A_REPORT = 4096  # with room to spare; what is needed beforehand


def store_file(server):
    """Intake's store."""
    found = [os.path.join(path, name) for path, _, names in os.walk(server.instance.state) for name in names
             if name == "data.mdb" and "intake" in path]
    return max(found, key=os.path.getsize)


def pages_a_commit(server, seconds):
    """Under strace: (pages written a commit, reports a commit). LMDB syncs its pages once a commit."""
    path = tempfile.mktemp(prefix="avvik-bench-trace-")
    try:
        server.stop()
        server.up(trace.words(path, False))
        told = server.load(1, 256, ["--seconds", str(seconds)])
        server.stop()
        server.up()
        begin, end = told["wall_begin_us"] / 1e6, told["wall_end_us"] / 1e6
        calls = [c for c in trace.calls(path) if begin <= c.begin <= end]
        file = store_file(server)
        written = sum(c.result for c in calls if c.name in trace.WRITES and c.target and c.target[1] == file and c.result > 0)
        commits = sum(c.name in ("fdatasync", "fsync") and bool(c.target) and c.target[1] == file for c in calls)
        return written / 4096 / max(commits, 1), told["count"] / max(commits, 1)
    finally:
        if os.path.exists(path):
            os.unlink(path)


def step(server, seconds, rounds):
    stored = server.stored
    values = sorted(measure.acknowledged(server, [], (1, 256), seconds)["per_second"] for _ in range(rounds))
    pages, batch = pages_a_commit(server, 1)
    return {"stored": stored, "per_second": values[len(values) // 2], "pages": pages, "batch": batch,
            "file_mib": os.stat(store_file(server)).st_blocks * 512 / 1048576}


def main():
    signal.signal(signal.SIGTERM, lambda *ignored: sys.exit(143))  # the server is stopped on the way out
    parser = argparse.ArgumentParser()
    parser.add_argument("counts", type=int, nargs="+", help="reports stored, ascending: 1000000 10000000")
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", help="the figures' file that peers.py makes the page from")
    words = parser.parse_args()
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < words.counts[-1] * BYTES_A_REPORT * 1.2:
        raise SystemExit(f"{words.counts[-1]} reports may take {words.counts[-1] * BYTES_A_REPORT >> 30} GiB in "
                         f"{tempfile.gettempdir()}, where {free >> 30} GiB are free: make room, or set TMPDIR")
    steps = []
    with servers.Avvik() as server:
        server.up()
        steps.append(step(server, words.seconds, words.rounds))
        for count in words.counts:
            while server.stored < count:
                server.load(16, 64, ["--count", str(min(200000, count - server.stored))])
                print(f"  {server.stored} stored", file=sys.stderr, flush=True)
            steps.append(step(server, words.seconds, words.rounds))
            print(steps[-1], file=sys.stderr, flush=True)
    print("\n".join(table.history_rows(steps)))
    if words.keep:
        figures = json.load(open(words.keep)) if os.path.exists(words.keep) else {}
        with open(words.keep, "w") as file:
            json.dump({**figures, "history": steps}, file, indent=1)


if __name__ == "__main__":
    main()
