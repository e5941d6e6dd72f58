"""peers.py - Avvik beside what people would use instead. Called by run.sh --peers; the README beside says what is measured.

    --only avvik,pg        these peers         --points 1x256,16x16    these points       --plain-too    also without TLS or CURVE
    --parts ack,e2e        these measurements: ack, e2e, syncs, answer, stored
    --seconds N            of each load        --rounds N              turns              --quick        one round, one second
    --keep FILE            adds to the figures of earlier pieces of the run, and prints all
    --markdown FILE        writes the page that is kept
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

for _name in ("AVVIK_BIN", "AVVIK_PROTO", "AVVIK_SOURCE"):  # servers run in folders of their own
    if _name in os.environ:
        os.environ[_name] = os.path.abspath(os.environ[_name])
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
sys.path.insert(0, os.path.dirname(__file__))
import measure  # noqa: E402
import servers  # noqa: E402
import table  # noqa: E402
from processes import Unavailable  # noqa: E402

PEERS = {  # name: (server, variant of its client)
    "avvik": (servers.Avvik, []),
    "floor": (servers.Floor, []),
    "pg": (servers.PostgreSQL, []),
    "pg-inserts": (servers.PostgreSQL, ["--inserts"]),
    "pg-window": (servers.PostgreSQL, ["--window"]),
    "pg-keyed": (servers.PostgreSQL, ["--window", "--keyed"]),
    "redis": (servers.Redis, []),
    "rabbit": (servers.RabbitMQ, []),
    "nats": (servers.NATS, []),
    "mosquitto": (servers.Mosquitto, []),
}
PARTS = ("e2e", "ack", "syncs", "answer", "stored")
STORED = 100000
FAILURES = (Unavailable, OSError, ValueError, subprocess.SubprocessError)  # of one peer; the run goes on


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default=",".join(PEERS))
    parser.add_argument("--points", default="1x1,1x256,16x16")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--plain-too", action="store_true")
    parser.add_argument("--plain-only", action="store_true")
    parser.add_argument("--keep")
    parser.add_argument("--markdown")
    words = parser.parse_args()
    if words.quick:
        words.rounds, words.seconds = 1, 1
    words.only = words.only.split(",")
    words.parts = words.parts.split(",")
    words.points = [tuple(int(n) for n in p.split("x")) for p in words.points.split(",")]
    if unknown := set(words.only) - set(PEERS) | set(words.parts) - set(PARTS):
        parser.error(f"not known: {', '.join(sorted(unknown))}; peers: {', '.join(PEERS)}; parts: {', '.join(PARTS)}")
    return words


class Figures:
    """What has been measured: peer → secured or plain → measurement. Kept in a file between the pieces of a run."""

    def __init__(self, path):
        self.path = path
        self.all = json.load(open(path)) if path and os.path.exists(path) else {}

    def of(self, name, secure):
        return self.all.setdefault(name, {}).setdefault("secured" if secure else "plain", {})

    def put(self, name, secure, key, value):
        self.of(name, secure)[key] = value
        if key != "absent":
            self.of(name, secure).pop("absent", None)
        self.save()

    def save(self):
        if self.path:
            with open(self.path + ".new", "w") as file:
                json.dump(self.all, file, indent=1)
            os.replace(self.path + ".new", self.path)

    def absent(self, name, secure, why):
        print(f"  {name}: {why}", file=sys.stderr)
        self.put(name, secure, "absent", str(why))


def label(point):
    return f"{point[0]}x{point[1]}"


def middle(rounds):
    return sorted(rounds, key=lambda r: r["per_second"])[len(rounds) // 2]


def peers(words, secure):
    """Avvik has no way without CURVE."""
    return [name for name in words.only if secure or name != "avvik"]


def each_alone(words, figures, secure, work):
    """A measurement that wants one server at a time."""
    for name in peers(words, secure):
        make, variant = PEERS[name]
        try:
            work(name, lambda **more: make(secure, **more), variant)
        except FAILURES as why:
            figures.absent(name, secure, why)


def end_to_end(words, figures, secure):
    def work(name, make, variant):
        with make(consumed=True) as server:
            server.up().prepare()
            for point in words.points:
                if point == (1, 1):
                    continue
                rate = server.load(*point, ["--seconds", "1"], variant)["per_second"]
                count = max(1000, int(rate * words.seconds))
                rounds = [measure.end_to_end(server, variant, point, count) for _ in range(words.rounds)]
                figures.put(name, secure, "e2e " + label(point), middle(rounds))
                told(name, secure, "e2e " + label(point), middle(rounds))
    each_alone(words, figures, secure, work)


def told(name, secure, key, value):
    print(f"  {name:10} {'secured' if secure else 'plain':8} {key:12} "
          + " ".join(f"{k}={v:.0f}" for k, v in value.items()), file=sys.stderr, flush=True)


def acknowledged(words, figures, secure):
    """Peers take turns, several rounds; those whose turn it is not stand still."""
    up = {}
    rounds = {}
    try:
        for name in peers(words, secure):
            make, variant = PEERS[name]
            server = None
            try:
                server = make(secure)
                server.up().prepare()
                server.load(1, 256, ["--seconds", "1"], variant)
                measure.paused(server, True)
                up[name] = server
            except FAILURES as why:
                if server:
                    server.close()
                figures.absent(name, secure, why)
        for _ in range(words.rounds):
            for point in words.points:
                for name, server in list(up.items()):
                    measure.paused(server, False)
                    try:
                        value = measure.acknowledged(server, PEERS[name][1], point, words.seconds)
                        rounds.setdefault((name, point), []).append(value)
                        measure.paused(server, True)
                    except FAILURES as why:
                        figures.absent(name, secure, why)
                        up.pop(name).close()
    finally:
        for server in up.values():
            measure.paused(server, False)
            server.close()
    for (name, point), values in rounds.items():
        figures.put(name, secure, "ack " + label(point), middle(values))
        told(name, secure, "ack " + label(point), middle(values))


def syncs(words, figures, secure):
    def work(name, make, variant):
        for point, each in measure.syncs(make, variant, words.points, words.seconds).items():
            figures.put(name, secure, "syncs " + label(point), each)
            print(f"  {name:10} syncs a message at {label(point)}: {each:.4f}", file=sys.stderr, flush=True)
    each_alone(words, figures, secure, work)


def answer(words, figures, secure):
    def work(name, make, variant):
        after, of = measure.answers_after_sync(make, variant)
        figures.put(name, secure, "answer", [after, of])
        print(f"  {name:10} {after} of {of} answers came after a sync", file=sys.stderr, flush=True)
    each_alone(words, figures, secure, work)


def stored(words, figures, secure):
    def work(name, make, variant):
        value = measure.with_stored(make, variant, STORED)
        figures.put(name, secure, "stored", value)
        told(name, secure, "stored", value)
    each_alone(words, figures, secure, work)


def main():
    signal.signal(signal.SIGTERM, lambda *ignored: sys.exit(143))  # the servers are stopped on the way out
    words = arguments()
    figures = Figures(words.keep)
    busy = os.getloadavg()[0]
    figures.all.setdefault("run", {})[time.strftime("%Y-%m-%d %H:%M")] = {"parts": words.parts, "load": busy}
    figures.save()
    if busy > 0.5:
        print(f"load before {busy:.2f}: NOT QUIET, the figures are worth little", file=sys.stderr)
    work = {"e2e": end_to_end, "ack": acknowledged, "syncs": syncs, "answer": answer, "stored": stored}
    for secure in ([False] if words.plain_only else [True, False] if words.plain_too else [True]):
        for part in words.parts:
            if not secure and part not in ("e2e", "ack"):
                continue  # neither syncs nor memory depend on it
            work[part](words, figures, secure)
    print(table.text(figures.all))
    if words.markdown:
        table.markdown(figures.all, words.markdown)


if __name__ == "__main__":
    main()
