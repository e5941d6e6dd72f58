"""soak.py - the four daemons at half of what they sustain, with one of them ended every minute: is anything lost, does anything grow?

    tests/bench/run.sh --soak [MINUTES] [--keep]     60 minutes when nothing is said; --keep puts the result in docs/

What the machine sustains through all four daemons is measured in the first half minute; the rate is half of that, or less where
an hour would need more than 35 GB of disk. Every minute a random daemon is ended, by kill -9 and SIGTERM in turn, and started
again by `avvik up`. Every ten seconds a line goes to build/soak/soak.csv. SIGTERM, or a file build/soak/stop, ends it early, with
a result all the same. At the end: everything that was acknowledged is in each daemon once, a consumer's copy of the figures is
the snapshot, and `--verify` of each store holds.
"""

import csv
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import zmq

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from instance import BIN, DAEMONS, SOURCE, Instance, check, check_true, pb  # noqa: E402
from picture import Panel, draw  # noqa: E402

MINUTES = next((float(word) for word in sys.argv[1:] if re.fullmatch(r"[0-9.]+", word)), 60)
KEEP = "--keep" in sys.argv
FOLDER = os.path.join("build", "soak")
DISK_BYTES = 35e9
MEASURE_SECONDS, SAMPLE_SECONDS, RESTART_SECONDS = 25, 10, 60
OF_DAEMON = ("rss_anon_mib", "file_mib", "used_mib", "map_percent", "free_pages", "behind_events", "processor_us")
COLUMNS = ["minute", "ended", "done", "per_second", "median_ms", "p99_ms", "late_median_ms", "late_p99_ms", "again", "busy"] + [
    f"{daemon}.{name}" for daemon in DAEMONS for name in OF_DAEMON]


class Helper:
    """One of soak_clients.py, and what it said last."""

    def __init__(self, what, settings):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(os.path.dirname(__file__), "soak_clients.py"), what, json.dumps(settings)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.what, self.last, self.since, self.lock = what, {}, [], threading.Lock()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            with self.lock:
                self.last = json.loads(line)
                self.since.append(self.last)

    def taken(self):
        """All it said since this was asked last."""
        with self.lock:
            taken, self.since = self.since, []
        if self.process.poll() is not None and not self.last.get("ended"):
            raise SystemExit(f"the {self.what} ended with {self.process.returncode}")
        return taken

    def say(self, words):
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()

    def stop(self, timeout):
        self.say("stop")
        self.process.wait(timeout)
        self.thread.join(10)
        return self.last


def together(lines, key, how):
    values = [line[key] for line in lines if line.get(key) is not None]
    return round(how(values), 2) if values else None


def publish(instance):
    """Directory and rules, with quiet hours that last the whole day: notices are decided and kept, and no mail is sent."""
    with open(os.path.join(SOURCE, "deploy", "rules", "se-2025-07.yaml")) as file:
        text, count = re.subn(r"(?m)^quiet_hours:.*$", "quiet_hours: { from_minute: 0, to_minute: 1439 }", file.read())
    check("the rule pack has a line for quiet hours", count, 1)
    path = os.path.join(instance.root, "rules.yaml")
    with open(path, "w") as file:
        file.write(text)
    instance.avvik("rules", "publish", path, "--reason", "soak")
    instance.avvik("directory", "publish", os.path.join(SOURCE, "deploy", "directory", "lindaker.yaml"), "--reason", "soak")


def allocated_bytes(folder):
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(path, name)).st_blocks * 512
            except FileNotFoundError:
                pass
    return total


class Sampler:
    """A line of the CSV every ten seconds."""

    def __init__(self, instance, publisher, cases, notices):
        self.instance, self.publisher, self.cases, self.notices = instance, publisher, cases, notices
        self.file = open(os.path.join(FOLDER, "soak.csv"), "w", newline="")
        self.csv = csv.DictWriter(self.file, COLUMNS)
        self.csv.writeheader()
        self.rows, self.ended, self.processor = [], "", {}
        self.began = self.at = time.monotonic()
        self.done = publisher.last.get("done", 0)
        for helper in (publisher, cases, notices):
            helper.taken()

    def minute(self):
        return (time.monotonic() - self.began) / 60

    def status(self, daemon):
        client = self.instance.client(daemon, name="admin", timeout_ms=1500)
        try:
            return client.call(pb.Command(get_status=pb.GetStatus())).status_found
        except zmq.Again:
            return None  # it is being started again
        finally:
            client.close()

    def of_daemon(self, daemon, filed):
        row = {"file_mib": round(allocated_bytes(os.path.join(self.instance.state, daemon)) / 2**20, 1)}
        try:
            pid = self.instance.pid(daemon)
            fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
            used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            row["rss_anon_mib"] = round(int(re.search(r"RssAnon:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1)) / 1024, 2)
            before = self.processor.get(daemon)
            if before and before[0] == pid and filed:
                row["processor_us"] = round((used - before[1]) / filed * 1e6, 1)
            self.processor[daemon] = (pid, used)
        except (OSError, AttributeError):
            pass
        status = self.status(daemon)
        if status:
            row["used_mib"] = round(status.store.used_bytes / 2**20, 1)
            row["map_percent"] = round(100 * status.store.used_bytes / status.store.map_bytes, 2)
            row["free_pages"] = status.store.free_pages
            row["behind_events"] = sum(max(0, feed.head - feed.cursor.sequence) for feed in status.feeds)
        return row

    def sample(self):
        self.cases.taken()
        published, noticed, now = self.publisher.taken(), self.notices.taken(), time.monotonic()
        done = self.publisher.last.get("done", 0)
        filed = done - self.done
        row = {"minute": round(self.minute(), 3), "ended": self.ended, "done": done, "per_second": round(filed / (now - self.at), 1),
               "median_ms": together(published, "median_ms", statistics.median), "p99_ms": together(published, "p99_ms", max),
               "late_median_ms": together(noticed, "late_median_ms", statistics.median),
               "late_p99_ms": together(noticed, "late_p99_ms", max),
               "again": self.publisher.last.get("again"), "busy": self.publisher.last.get("busy")}
        for daemon in DAEMONS:
            row.update({f"{daemon}.{name}": value for name, value in self.of_daemon(daemon, filed).items()})
        self.done, self.at, self.ended = done, now, ""
        self.rows.append(row)
        self.csv.writerow(row)
        self.file.flush()
        if len(self.rows) % 30 == 1:
            print(f"  minute {row['minute']:.0f}: {done} acknowledged, {row['per_second']} a second, median {row['median_ms']} ms, "
                  f"all the way {row['late_median_ms']} ms, {sum(row.get(f'{d}.file_mib', 0) for d in DAEMONS):.0f} MiB", flush=True)
        return row


def measure(instance, publisher, consumers, minutes):
    """Reports a second that all four sustain, and bytes a report takes; from these the rate."""
    before = sum(allocated_bytes(os.path.join(instance.state, d)) for d in DAEMONS)
    began = time.monotonic()
    publisher.say("rate 0")
    time.sleep(MEASURE_SECONDS)
    publisher.say("rate -1")
    while publisher.last.get("under_way", 1):
        publisher.taken()
        time.sleep(0.2)
    instance.settle_real(300)
    count = publisher.last["done"]
    capacity = count / (time.monotonic() - began)
    each = (sum(allocated_bytes(os.path.join(instance.state, d)) for d in DAEMONS) - before) / count
    room = min(DISK_BYTES, shutil.disk_usage(FOLDER).free * 0.45)
    bound = (room * 0.9 - count * each) / (max(minutes, 60) * 60 * each)
    while not all(consumer.last.get("at_head") for consumer in consumers):  # they may be behind, the daemons are not
        for consumer in consumers:
            consumer.taken()
        time.sleep(0.2)
    rate = min(capacity / 2, bound)
    print(f"{capacity:.0f} reports a second through all four ({count} in {time.monotonic() - began:.0f} s), {each / 1024:.1f} KiB each on "
          f"disk.\nThe rate is {rate:.0f} a second, {rate / capacity:.2f} of that" +
          (f" (the disk's bound: {room / 1e9:.0f} GB)" if bound < capacity / 2 else "") + ".", flush=True)
    return capacity, rate, room


def end_one(instance, rand, number):
    """A random daemon, by kill -9 and SIGTERM in turn."""
    daemon, how = rand.choice(DAEMONS), (signal.SIGKILL, signal.SIGTERM)[number % 2]
    try:
        pid = instance.pid(daemon)
        if pid:
            os.kill(pid, how)
            return f"{daemon} {how.name}"
    except (OSError, ProcessLookupError):
        pass
    return ""


def run(instance, sampler, room, stop):
    rand = random.Random(1)
    end = sampler.began + MINUTES * 60
    next_sample, next_restart, restarts = sampler.began + SAMPLE_SECONDS, sampler.began + RESTART_SECONDS / 2, 0
    while time.monotonic() < end and not stop.is_set() and not os.path.exists(os.path.join(FOLDER, "stop")):
        if time.monotonic() >= next_restart and time.monotonic() < end - 15:
            next_restart += RESTART_SECONDS
            sampler.ended = end_one(instance, rand, restarts)
            restarts += bool(sampler.ended)
        if time.monotonic() >= next_sample:
            next_sample = max(next_sample + SAMPLE_SECONDS, time.monotonic() + 1)
            row = sampler.sample()
            if sum(row[f"{daemon}.file_mib"] for daemon in DAEMONS) * 2**20 > room:
                print("the disk's bound is reached: ending early")
                break
        stop.wait(0.2)
    return restarts


def ids(name):
    with open(os.path.join(FOLDER, f"{name}.ids"), "rb") as file:
        data = file.read()
    return [data[at:at + 16] for at in range(0, len(data), 16)]


def prove(published, cases):
    acknowledged = ids("acknowledged")
    check("every report that was sent was acknowledged", (published["filed"], published["under_way"]), (len(acknowledged), 0))
    known = set(acknowledged)
    check("each under an id of its own", len(known), len(acknowledged))
    for name, sentence in (("filed", "intake's feed told of each of them once"), ("opened", "workflow opened a case for each once")):
        told = ids(name)
        check(sentence, (len(told), set(told) == known), (len(acknowledged), True))
    decided = ids("decided")
    check(f"notification decided each of {len(decided)} notices once", len(set(decided)), len(decided))
    check("for every case", set(ids("noticed")) == known, True)
    check("reporting counts each once", cases["received"], len(acknowledged))
    check(f"the consumer's copy of {cases['figures']} figures is the snapshot", cases["unequal"], [])


def verify_stores(instance):
    """Seconds that each took. On a large store it reads and replays for long: the rest of the result is there before."""
    took = {}

    def verify(daemon):
        began = time.monotonic()
        done = subprocess.run([os.path.join(BIN, f"avvik-{daemon}"), "--settings", instance.settings, "--verify"],
                              capture_output=True, text=True, start_new_session=True)  # who ends this early does not end that
        took[daemon] = time.monotonic() - began
        return daemon, done
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for daemon, done in pool.map(verify, DAEMONS):
            check_true(f"the store of {daemon} verifies ({took[daemon]:.0f} s)", done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}")
    return {daemon: took[daemon] for daemon in DAEMONS}


def write_picture(sampler, title):
    def curve(name, scale=1.0):
        return [(row["minute"], row[name] * scale if row.get(name) is not None else None) for row in sampler.rows]

    def of_all(name, scale=1.0):
        return {daemon: curve(f"{daemon}.{name}", scale) for daemon in DAEMONS}
    panels = [Panel("private memory, MiB (RssAnon)", of_all("rss_anon_mib")),
              Panel("file, GiB (allocated blocks of each daemon's folder)", of_all("file_mib", 1 / 1024)),
              Panel("acknowledged, a second", {"reports": curve("per_second")}),
              Panel("acknowledgement, ms: median of each ten seconds", {"median": curve("median_ms")}),
              Panel("acknowledgement, ms: the worst 99th percentile of a second in each ten", {"99th": curve("p99_ms")}),
              Panel("all the way: from report recorded to notice decided and seen, ms", {"median": curve("late_median_ms")}),
              Panel("processor time, microseconds a report", of_all("processor_us"))]
    draw(os.path.join(FOLDER, "soak.svg"), title, panels, sampler.rows[-1]["minute"] if sampler.rows else 1,
         [row["minute"] for row in sampler.rows if row["ended"]])


def write_report(sampler, lines, took=None):
    """First and last sixth beside each other: what is flat, and what is not."""
    part = max(1, len(sampler.rows) // 6)

    def ends(name, form="{:.1f}"):
        halves = [[row[name] for row in rows if row.get(name) is not None] for rows in (sampler.rows[:part], sampler.rows[-part:])]
        return " | ".join(form.format(statistics.median(half)) if half else "–" for half in halves)
    text = ["# The soak", "", *lines, "", "Dashed lines: a daemon was ended.", "", "![curves](soak.svg)", "",
            "| median of | first sixth | last sixth |", "|---|---|---|",
            f"| acknowledgement: median, ms | {ends('median_ms')} |", f"| acknowledgement: worst 99th percentile, ms | {ends('p99_ms')} |",
            f"| all the way, until the notice is decided: median, ms | {ends('late_median_ms', '{:.0f}')} |"]
    for daemon in DAEMONS:
        text += [f"| {daemon}: private memory, MiB | {ends(daemon + '.rss_anon_mib')} |",
                 f"| {daemon}: file, MiB | {ends(daemon + '.file_mib', '{:.0f}')} |",
                 f"| {daemon}: free pages | {ends(daemon + '.free_pages', '{:.0f}')} |",
                 f"| {daemon}: processor time, microseconds a report | {ends(daemon + '.processor_us', '{:.0f}')} |"]
    text += ["", "At the end everything that was acknowledged was in each daemon once, and a consumer's copy of the figures was the snapshot."]
    if took:
        text[-1] += " Each store verified: " + ", ".join(f"{daemon} in {seconds:.0f} s" for daemon, seconds in took.items()) + "."
    with open(os.path.join(FOLDER, "soak.md"), "w") as file:
        file.write("\n".join(text) + "\n")
    print("\n".join(text), flush=True)
    for name in ("soak.md", "soak.svg") if KEEP else ():
        shutil.copy(os.path.join(FOLDER, name), os.path.join(SOURCE, "docs", name))


def soak(instance, stop):
    instance.up()
    publish(instance)
    instance.settle_real()
    settings = {"folder": FOLDER, "intake": instance.endpoints["intake", "command"],
                "reporting": instance.endpoints["reporting", "command"], "reporting_stream": instance.endpoints["reporting", "stream"]}
    for daemon in DAEMONS:
        settings[f"{daemon}_key"] = instance.server_key(daemon).decode()
        settings[f"{daemon}_feed"] = instance.endpoints[daemon, "feed"]
    for name in ("publisher", "admin", "statistics"):
        settings[name] = [half.decode() for half in instance.key_pair(name)]
    cases, notices, publisher = (Helper(name, settings) for name in ("cases", "notices", "publisher"))
    try:
        capacity, rate, room = measure(instance, publisher, (cases, notices), MINUTES)
        sampler = Sampler(instance, publisher, cases, notices)
        publisher.say(f"rate {rate}")
        restarts = run(instance, sampler, room, stop)
        lasted = sampler.minute()
        published = publisher.stop(300)
        instance.wait_ready(60)
        instance.settle_real(600)
        of_cases, of_notices = cases.stop(900), notices.stop(900)
    finally:
        for helper in (publisher, cases, notices):
            if helper.process.poll() is None:
                helper.process.kill()
    sampler.file.close()
    write_picture(sampler, f"Avvik: {lasted:.0f} minutes at {rate:.0f} reports a second, {restarts} daemons ended and started again")
    prove(published, of_cases)
    lines = [
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} processors, everything on one machine: {lasted:.0f} minutes at {rate:.0f} reports a "
        f"second, which is {rate / capacity:.2f} of the {capacity:.0f} that it sustained through all four daemons just before, with the "
        f"same publisher and consumers; one report in ten is a lex Sarah report. Every minute a random daemon was ended, by kill -9 and SIGTERM "
        f"in turn: {restarts} in all.",
        "", f"{published['done']} reports were acknowledged; {published['again']} commands were sent again because no answer came, "
        f"{published['busy']} because the daemon said so. The consumers saw {of_cases['events'] + of_notices['events']} events "
        f"and fetched the figures again {of_cases['repaired']} times."]
    write_report(sampler, lines)
    print("verifying each store", flush=True)
    write_report(sampler, lines, verify_stores(instance))


def main():
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(FOLDER)
    tempfile.tempdir = os.path.abspath(FOLDER)  # on the disk that is measured
    with Instance() as instance:
        soak(instance, stop)


if __name__ == "__main__":
    main()
