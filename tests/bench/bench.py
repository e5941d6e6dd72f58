"""bench.py - Avvik beside its floor: throughput, latency, end to end, processor time, memory, start. Called by run.sh.

The floor (floor.c) takes the same 1 KiB commands from the same client (bench_load), with CURVE, in batches of what has arrived,
and commits each batch to LMDB with sync. For end to end four of it stand in a row. Avvik and floor are measured in turns, several
rounds, and what stands in the table is the round with the middle ratio: disks and machines differ, and so does a machine from
one minute to the next. The README beside this file says what each figure is.
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
from instance import BIN, DAEMONS, SOURCE, Client, Instance, pb, report  # noqa: E402

QUICK = "--quick" in sys.argv
CHECK = "--check" in sys.argv
MANY = 20000 if QUICK else 100000
FEW = MANY // 10
BURST = 10000 if QUICK else 40000
ROUNDS = 3 if QUICK else 5
SINGLE, SINGLE_ROUNDS = (100, 10) if QUICK else (200, 15)
UNIT = "lindhaga"
MISSED = []


def say(title, *columns):
    print(f"\n{title}\n" + "-" * len(title))
    if columns:
        row(*columns)


def row(*cells):
    print("  " + "".join(f"{str(c):<50}" if i == 0 else f"{str(c):>13}" for i, c in enumerate(cells)), flush=True)


def judge(name, good, text):
    """The bar that a figure is held against, as text for the table."""
    if not good:
        MISSED.append(name)
    return text if good else f"{text} MISSED"


def beside(name, avvik, floor, bar, at_least):
    ratio = avvik / floor
    good = ratio >= bar if at_least else ratio <= bar
    row(name, f"{avvik:.0f}", f"{floor:.0f}", f"{ratio:.2f}", judge(name, good, f"{'>=' if at_least else '<='} {bar}"))


def middle(pairs):
    """Of pairs (avvik, floor): the one with the middle ratio."""
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]


def load(endpoint, server_key, pair, count, in_flight, prefix, words=()):
    command = [os.path.join(BIN, "bench_load"), "--endpoint", endpoint, "--count", str(count), "--in-flight", str(in_flight),
               "--unit", UNIT, "--prefix", prefix]
    if server_key:
        command += ["--server-key", server_key.decode(), "--public", pair[0].decode(), "--secret", pair[1].decode()]
    done = subprocess.run(command + list(words), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"load failed: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


class Floor:
    """One floor, or a row of them. With `until` the last of the row ends when it has stored so many."""

    number = 0

    def __init__(self, stages=1, curve=True, until=0):
        self.root = tempfile.mkdtemp(prefix="avvik-floor-")
        self.keys = [zmq.curve_keypair() for _ in range(stages)]
        self.pair = zmq.curve_keypair()
        self.curve = curve
        Floor.number += 1
        base = 17000 + os.getpid() % 500 * 40 + Floor.number % 10 * 4
        self.endpoints = [f"tcp://127.0.0.1:{base + i}" for i in range(stages)]
        self.processes = []
        for i in reversed(range(stages)):
            folder = os.path.join(self.root, str(i))
            os.mkdir(folder)
            words = [os.path.join(BIN, "bench_floor"), "--bind", self.endpoints[i], "--folder", folder]
            if curve:
                words += ["--secret", self.keys[i][1].decode()]
            if until and i == stages - 1:
                words += ["--until", str(until)]
            if i + 1 < stages:
                words += ["--next", self.endpoints[i + 1]]
                if curve:
                    words += ["--next-key", self.keys[i + 1][0].decode(), "--own-public", self.pair[0].decode(), "--own-secret",
                              self.pair[1].decode()]
            self.processes.insert(0, subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        time.sleep(0.5)

    def load(self, count, in_flight):
        return load(self.endpoints[0], self.keys[0][0] if self.curve else None, self.pair, count, in_flight, "floor", ["--plain"])

    def close(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(20)
            process.stdout.close()
        shutil.rmtree(self.root)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()


def processor_seconds(pid):
    words = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def anonymous_kib(pid):
    return int(re.search(r"RssAnon:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1))


def publish(instance):
    """Directory and rules, with quiet hours that last the whole day: notices are decided and kept, and mails, which depend on
    somebody's server or folder, are sent by nobody while this measures."""
    with open(os.path.join(SOURCE, "deploy", "rules", "se-2025-07.yaml")) as file:
        text, count = re.subn(r"(?m)^quiet_hours:.*$", "quiet_hours: { from_minute: 0, to_minute: 1439 }", file.read())
    if count != 1:
        raise SystemExit("the rule pack has no quiet_hours line")
    path = os.path.join(instance.root, "rules.yaml")
    with open(path, "w") as file:
        file.write(text)
    instance.avvik("rules", "publish", path, "--reason", "bench")
    instance.avvik("directory", "publish", os.path.join(SOURCE, "deploy", "directory", "lindaker.yaml"), "--reason", "bench")


class Reports:
    """Loads an instance's intake, under references that are never used twice."""

    def __init__(self, instance):
        self.to = instance.endpoints["intake", "command"], instance.server_key("intake"), instance.key_pair("publisher")
        self.number = 0

    def load(self, count, in_flight, words=()):
        self.number += 1
        return load(*self.to, count, in_flight, f"b{self.number}", words)


class Watch:
    """Looks at the daemons over connections that stay open."""

    def __init__(self, instance, daemons=DAEMONS):
        self.clients = {d: instance.client(d, name="admin") for d in daemons}

    def states(self):
        return {d: c.call(pb.Command(get_status=pb.GetStatus())).status_found for d, c in self.clients.items()}

    def settled(self):
        states = self.states()
        return all(s.quiet and all(f.cursor.sequence >= states[f.name].head for f in s.feeds if f.name in states)
                   for s in states.values())

    def wait(self, timeout=300):
        end = time.monotonic() + timeout
        while not self.settled():
            if time.monotonic() > end:
                told = {d: (s.quiet, s.head, [i.code for i in s.issues], [(f.name, f.cursor.sequence) for f in s.feeds])
                        for d, s in self.states().items()}
                raise SystemExit(f"the daemons do not come to rest: {told}")
            time.sleep(0.02)


# --- acknowledged, durable

def acknowledged(reports, settle):
    """Rows of (avvik, floor): a second at 256 in flight; median and 99th percentile at one. And the floor's median."""
    bursts, medians, slowest, commits = [], [], [], []
    with Floor() as floor:
        floor.load(BURST // 4, 256)
        reports.load(BURST // 4, 256)
        settle()
        for _ in range(ROUNDS):
            of_floor = floor.load(BURST, 256)["per_second"]
            bursts.append((reports.load(BURST, 256)["per_second"], of_floor))
            settle()
        for _ in range(SINGLE_ROUNDS):
            of_floor, avvik = floor.load(SINGLE, 1), reports.load(SINGLE, 1)
            medians.append((avvik["median_us"], of_floor["median_us"]))
            slowest.append((avvik["p99_us"], of_floor["p99_us"]))
            commits.append(of_floor["median_us"])
            settle()
    return middle(bursts), middle(medians), middle(slowest), statistics.median(commits)


def intake_alone():
    with Instance() as instance:
        words = [os.path.join(BIN, "avvik-intake"), "--settings", instance.settings]
        with open(os.path.join(instance.root, "intake.log"), "w") as log:
            intake = subprocess.Popen(words, stderr=log)
            try:
                Watch(instance, ["intake"]).wait()
                publish(instance)
                burst, one, slow, _ = acknowledged(Reports(instance), lambda: None)
            finally:
                intake.terminate()
                intake.wait(30)
    say("Acknowledged, durable FileReport (1 KiB, CURVE): intake alone, as the floor is", "", "avvik", "floor", "ratio", "bar")
    beside("256 in flight: a second", *burst, 0.4, True)
    beside("1 in flight: median us", *one, 1.5, False)
    row("1 in flight: 99th percentile us", f"{slow[0]:.0f}", f"{slow[1]:.0f}", f"{slow[0] / slow[1]:.2f}")


def intake_among_four(instance, reports, watch):
    burst, one, _, commit_us = acknowledged(reports, watch.wait)
    say("The same with all four daemons at work on the same processors", "", "avvik", "floor", "ratio")
    row("256 in flight: a second", burst[0], burst[1], f"{burst[0] / burst[1]:.2f}")
    row("1 in flight: median us", one[0], one[1], f"{one[0] / one[1]:.2f}")
    return commit_us


# --- end to end

class Follower:
    """A consumer of one daemon's feed that always has a request out."""

    def __init__(self, instance, daemon):
        _, self.cursor = instance.feed(daemon)
        self.client = Client(instance.endpoints[daemon, "feed"], instance.server_key(daemon), instance.key_pair("admin"))
        self.socket = self.client.socket
        self.ask()

    def ask(self):
        self.client.send(pb.FeedRequest(after=self.cursor, max_events=1000, max_bytes=1 << 20, wait_ms=5000))

    def take(self):
        reply = pb.FeedReply()
        reply.ParseFromString(self.socket.recv_multipart()[-1])
        self.cursor = reply.batch.reached
        self.ask()
        names = set()
        for item in reply.batch.items:
            event = pb.Event()
            event.ParseFromString(item.event)
            names.add(event.WhichOneof("body"))
        return names


def end_to_end_idle(instance, commit_us):
    """One report at a time, each sent when all that follows from the one before has been seen over the wire: its deadline in
    workflow's feed, its notice in notification's, its change in the summary stream."""
    client = instance.client("intake")
    followers = [Follower(instance, d) for d in ("workflow", "notification")]
    stream = zmq.Context.instance().socket(zmq.SUB)
    stream.curve_serverkey = instance.server_key("reporting")
    stream.curve_publickey, stream.curve_secretkey = instance.key_pair("statistics")
    stream.subscribe(b"summary/")
    stream.connect(instance.endpoints["reporting", "stream"])
    poller = zmq.Poller()
    for socket in [stream, client.socket] + [f.socket for f in followers]:
        poller.register(socket, zmq.POLLIN)
    by_socket = {f.socket: f for f in followers}
    count = 100 if QUICK else 400
    frames = [report(f"e2e-{n}", unit=UNIT).SerializeToString() for n in range(count)]
    times, stages = [], {"acknowledged": [], "deadline_set": [], "notice_decided": [], "summary": []}
    time.sleep(1)
    while poller.poll(200):  # what is left of before
        for socket, _ in poller.poll(0):
            by_socket[socket].take() if socket in by_socket else socket.recv_multipart()
    for frame in frames:
        wanted = set(stages)
        start = time.perf_counter()
        client.send(frame)
        while wanted:
            found = set()
            events = poller.poll(10000)
            if not events:
                raise SystemExit(f"nothing came any more: {wanted}")
            for socket, _ in events:
                if socket in by_socket:
                    found |= by_socket[socket].take()
                elif socket is stream:
                    update = pb.SummaryUpdate()
                    update.ParseFromString(stream.recv_multipart()[1])
                    if update.changes and update.unit == UNIT:
                        found.add("summary")
                else:
                    client.receive()
                    found.add("acknowledged")
            now = (time.perf_counter() - start) * 1e6
            for name in found & wanted:
                stages[name].append(now)
            wanted -= found
        times.append(now)
    say("End to end, idle: one report at a time, until deadline set, notice decided and summary delta are out", "", "avvik", "floor",
        "ratio", "bar")
    beside("median us (floor: one acknowledged commit)", statistics.median(times), commit_us, 5, False)
    for name, each in stages.items():
        row(f"  of which until {name.replace('_', ' ')}", f"{statistics.median(each):.0f}")
    stream.close()
    client.close()
    for follower in followers:
        follower.client.close()


def sustained(name, instance, reports, watch, words, bar):
    rounds = []
    for _ in range(3):
        with Floor(stages=4, until=BURST) as floor:
            start = time.monotonic()
            floor.load(BURST, 256)
            floor.processes[-1].wait(120)
            of_floor = BURST / (time.monotonic() - start)
        count = BURST // 2
        before = {d: processor_seconds(instance.pid(d)) for d in DAEMONS}
        start = time.monotonic()
        reports.load(count, 256, words)
        watch.wait()
        avvik = count / (time.monotonic() - start)
        after = {d: processor_seconds(instance.pid(d)) for d in DAEMONS}
        rounds.append((avvik, of_floor, {d: (after[d] - before[d]) / count * 1e6 for d in DAEMONS}))
    chosen = middle(rounds)
    if bar:
        beside(name, chosen[0], chosen[1], bar, True)
    else:
        row(name, f"{chosen[0]:.0f}", f"{chosen[1]:.0f}", f"{chosen[0] / chosen[1]:.2f}")
    return chosen[2]


def end_to_end_sustained(instance, reports, watch):
    say("End to end, sustained: until all consequences of each report are stored by all four", "", "avvik", "floor", "ratio", "bar")
    deviation = sustained("ordinary deviations: a second (floor: four in a row)", instance, reports, watch, [], 0.4)
    lex_sarah = sustained("lex Sarah reports: a second", instance, reports, watch, ["--lex-sarah"], None)
    say("Processor time, microseconds a report", "daemon", "deviation", "lex Sarah")
    for daemon in DAEMONS:
        row(daemon, f"{deviation[daemon]:.0f}", f"{lex_sarah[daemon]:.0f}")


# --- memory, start

def memory_and_start():
    with Instance() as instance:
        instance.up()
        publish(instance)
        watch, reports = Watch(instance), Reports(instance)

        def anonymous():
            watch.wait()
            time.sleep(5)  # what a burst needed is given back a few seconds after it
            return {d: anonymous_kib(instance.pid(d)) for d in DAEMONS}

        idle = anonymous()
        reports.load(FEW, 64)
        few = anonymous()
        reports.load(MANY - FEW, 64)
        many = anonymous()
        say("Memory: RssAnon in KiB", "daemon", "idle", f"at {FEW}", f"at {MANY}", "bytes/report", "bar")
        for daemon in DAEMONS:
            grown = (many[daemon] - few[daemon]) * 1024 / (MANY - FEW)
            good = idle[daemon] <= 16384 and grown < 10
            row(daemon, idle[daemon], few[daemon], many[daemon], f"{grown:.1f}", judge(f"memory of {daemon}", good, "16 MiB, < 10"))

        first = starts(instance)
        reports.load(MANY, 64)
        watch.wait()
        second = starts(instance)
        say("Start after kill -9: milliseconds from the new process to its first answer, median of five", "daemon", f"at {MANY}",
            f"at {2 * MANY}", "bar")
        for daemon in DAEMONS:
            good = first[daemon] <= 1000 and second[daemon] <= 1000
            row(daemon, f"{first[daemon]:.0f}", f"{second[daemon]:.0f}", judge(f"start of {daemon}", good, "<= 1000"))


def starts(instance):
    return {daemon: statistics.median(start_once(instance, daemon) for _ in range(5)) for daemon in DAEMONS}


def start_once(instance, daemon):
    killed = instance.kill(daemon)
    while instance.pid(daemon) in (None, killed):
        time.sleep(0.001)
    start = time.monotonic()
    client = instance.client(daemon, name="admin", timeout_ms=30000)
    client.call(pb.Command(get_status=pb.GetStatus()))
    took = (time.monotonic() - start) * 1000
    client.close()
    time.sleep(0.2)
    return took


# --- where it goes

def costs():
    say("Where intake's microseconds go, one report (single-threaded, in process)", "", "us")
    done = subprocess.run([os.path.join(BIN, "bench_costs")], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        name, value = line.rsplit(" ", 1)
        row(name, value)
    with Floor(curve=False) as without, Floor() as with_curve:
        fast, slow = without.load(BURST, 256), with_curve.load(BURST, 256)
    row("transport, batch and commit (a floor without CURVE)", f"{1e6 / fast['per_second']:.2f}")
    row("CURVE, at both ends (what it adds to the floor)", f"{1e6 / slow['per_second'] - 1e6 / fast['per_second']:.2f}")


def main():
    uname, busy, started = os.uname(), os.getloadavg()[0], time.monotonic()
    print(f"Avvik beside its floor, {time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} processors, {uname.sysname} {uname.release} "
          f"{uname.machine}, load before {busy:.2f}" + (": NOT QUIET, the figures are worth little" if busy > 0.5 else ""))
    print("Quiet hours last the whole day: notices are decided and kept, mails are not sent while this measures.")
    intake_alone()
    with Instance() as instance:
        instance.up()
        publish(instance)
        watch, reports = Watch(instance), Reports(instance)
        watch.wait()
        commit_us = intake_among_four(instance, reports, watch)
        end_to_end_idle(instance, commit_us)
        end_to_end_sustained(instance, reports, watch)
    memory_and_start()
    costs()
    print(f"\n{(time.monotonic() - started) / 60:.1f} minutes, load after {os.getloadavg()[0]:.2f}. " +
          (f"Missed: {', '.join(MISSED)}." if MISSED else "Every bar is met."))
    return 1 if MISSED and CHECK else 0


if __name__ == "__main__":
    sys.exit(main())
