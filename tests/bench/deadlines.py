"""deadlines.py - what a hundred thousand open cases with three deadlines each cost. Called by run.sh --deadlines.

First workflow's own turns in process (deadlines.c), on 1 000, 10 000 and 100 000 cases side by side. Then intake and workflow as they
run, on a stepped clock: how long commands wait while ten thousand deadlines fall due at once and while a calendar change plans all
of them anew, and how long questions wait under half of the write load that they have just sustained.

    deadlines.py [--quick] [--check] [--cases N] [--markdown FILE]
"""

import datetime
import json
import os
import signal
import statistics
import struct
import subprocess
import sys
import threading
import time

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from bench import load  # noqa: E402
from instance import BIN, SOURCE, Instance, pb  # noqa: E402

DAY = 86400000
UNIT = "lindhaga"
HEADING = "## Many open cases"
MISSED = []
LINES = []


def say(text=""):
    print(text, flush=True)
    LINES.append(text)


def table(title, headings, rows):
    say(f"\n### {title}\n")
    say("| " + " | ".join(headings) + " |")
    say("|---|" + "---:|" * (len(headings) - 1))
    for cells in rows:
        say("| " + " | ".join(str(c) for c in cells) + " |")


def judge(name, value, bar, at_least=False, unit=""):
    """A row: value, bar, value/bar; and whether it is missed."""
    good = value >= bar if at_least else value <= bar
    if not good:
        MISSED.append(name)
    shown = f"{value:.0f}" if value >= 100 else f"{value:.2f}"
    return [name, f"{shown}{unit}", f"{'≥' if at_least else '≤'} {bar}{unit}", f"{value / bar:.2f}", "" if good else "MISSED"]


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


# --- in process

def in_process(sizes):
    found = []
    for cases in sizes:
        done = subprocess.run([os.path.join(BIN, "bench_deadlines"), str(cases)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"bench_deadlines {cases}: {done.stderr}")
        found.append(json.loads(done.stdout))

    def per_second(one, what):
        return one["deadlines"] / one[what]["seconds"]

    table("Workflow's turns in process, by the number of open cases",
          [""] + [f"{one['cases']}" for one in found] + [f"{found[-1]['cases']} to {found[0]['cases']}"],
          [[name] + [f"{value(one):.{digits}f}" for one in found] + [f"{value(found[-1]) / value(found[0]):.2f}"] for name, value, digits in (
              ("running deadlines", lambda o: o["deadlines"], 0),
              ("a tick with nothing due, µs", lambda o: o["tick_us"], 2),
              ("a tenth of the cases warn at one instant: longest turn, ms", lambda o: o["at_once"]["longest_ms"], 1),
              ("… rungs a second", lambda o: o["at_once"]["events"] / o["at_once"]["seconds"], 0),
              ("calendar change: deadlines planned anew a second", lambda o: per_second(o, "calendar"), 0),
              ("… and back: a second", lambda o: per_second(o, "calendar_again"), 0),
              ("… longest turn, ms", lambda o: max(o["calendar"]["longest_ms"], o["calendar_again"]["longest_ms"]), 1),
              ("replay of the journal: events a second", lambda o: o["journal"] / o["replay_seconds"], 0),
              ("… only read, decoded and put (floor): a second", lambda o: o["journal"] / o["floor_seconds"], 0))])
    last = found[-1]
    return [
        judge(f"a tick with nothing due, {last['cases']} cases beside {found[0]['cases']}: ratio",
              last["tick_us"] / found[0]["tick_us"], 3),
        judge("rungs at one instant: longest turn and the next, in process", max(last["at_once"]["longest_two_ms"], 0.01), 100,
              unit=" ms"),
        judge("calendar change: deadlines a second", min(per_second(last, "calendar"), per_second(last, "calendar_again")), 50000, True),
        judge("calendar change: longest turn and the next, in process",
              max(last["calendar"]["longest_two_ms"], last["calendar_again"]["longest_two_ms"]), 100, unit=" ms"),
        judge(f"replay of {last['journal']} events: a second", last["journal"] / last["replay_seconds"], 100000, True),
    ]


# --- as it runs

class Daemons:
    """Intake and workflow alone, on a stepped clock that this moves."""

    def __init__(self, instance):
        self.instance = instance
        self.processes = []
        for daemon in ("intake", "workflow"):
            with open(os.path.join(instance.root, f"{daemon}.log"), "w") as log:
                self.processes.append(subprocess.Popen([os.path.join(BIN, f"avvik-{daemon}"), "--settings", instance.settings],
                                                       stderr=log))
        self.watch = {d: instance.client(d, name="admin", timeout_ms=60000) for d in ("intake", "workflow")}

    def status(self, daemon):
        return self.watch[daemon].call(pb.Command(get_status=pb.GetStatus())).status_found

    def settle(self):
        """Until workflow has done all that intake has told and all that is due."""
        while True:
            workflow, head = self.status("workflow"), self.status("intake").head
            if workflow.quiet and workflow.feeds and workflow.feeds[0].cursor.sequence >= head:
                return workflow
            time.sleep(0.02)

    def clock(self, at_ms):
        with open(os.path.join(self.instance.state, "clock"), "r+b") as file:
            os.pwrite(file.fileno(), struct.pack(">q", at_ms), 0)

    def now(self):
        with open(os.path.join(self.instance.state, "clock"), "rb") as file:
            return struct.unpack(">q", file.read(8))[0]

    def close(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(60)


class Plain(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def publish(instance, version, closures):
    """The project's rule pack with a third deadline from the receipt, and none of them shorter than thirty days."""
    with open(os.path.join(SOURCE, "deploy", "rules", "se-2025-07.yaml")) as file:
        rules = yaml.safe_load(file)
    by_id = {rule["id"]: rule for rule in rules["deadlines"]}
    by_id["D2"].update(count=45, unit="days")
    rules["deadlines"].append(dict(by_id["D3"], id="D3B", count=60))
    for rule in rules["deadlines"]:
        if rule["id"] in ("D2", "D3", "D3B"):
            rule["moved"] = True
    rows = [row for row in rules["notices"] if row.get("deadline") == "D3"]
    rules["notices"] += [dict(row, id=row["id"] + "B", deadline="D3B") for row in rows]
    rules.update(version=version, closures_on=closures)
    path = os.path.join(instance.root, f"{version}.yaml")
    with open(path, "w") as file:
        yaml.dump(rules, file, Dumper=Plain, allow_unicode=True)
    instance.avvik("rules", "publish", path, "--reason", "bench")


class Handler(threading.Thread):
    """Somebody who gives one case after another its diary number, one at a time, without a pause; and how long each waits."""

    number = 0

    def __init__(self, instance, cases):
        super().__init__()
        Handler.number += 1
        self.number = Handler.number
        self.client = instance.client("workflow", name="casework", timeout_ms=60000)
        self.person, self.cases, self.waits, self.stopping = instance.person("REGISTRATOR"), cases, [], False
        self.refused = None

    def run(self):
        while not self.stopping and self.cases:
            case = self.cases.pop()
            command = pb.Command(reference=f"bench-{self.number}-{case.case_id.hex()}", on_behalf_of=self.person)
            command.act_on_case.case_id, command.act_on_case.version_seen = case.case_id, case.version
            command.act_on_case.set_registry_number.registry_number = f"SN {case.number}-{self.number}"
            command.act_on_case.set_registry_number.motive = "bench"
            start = time.monotonic()
            reply = self.client.call(command)
            self.waits.append((start, time.monotonic()))
            if reply.status not in (pb.REPLY_STATUS_DONE, pb.REPLY_STATUS_STALE):
                self.refused = reply
                return

    def stop(self, since, until):
        """The waits, in ms, of the acts that were under way between two instants."""
        self.stopping = True
        self.join()
        self.client.close()
        if self.refused:
            raise SystemExit(f"an act was refused: {self.refused}")
        return [(end - start) * 1000 for start, end in self.waits if end >= since and start <= until]


def pages(client, count, limit=500):
    """So many open cases, by pages as the case list shows them."""
    found, after = [], b""
    while len(found) < count:
        page = client.call(pb.Command(list_cases=pb.ListCases(open_only=True, after_case_id=after, limit=limit))).cases_found
        found += page.cases
        after = page.next_after_case_id
        if not after:
            break
    return found


def questions(client, cases, seconds):
    why, page, end, at = [], [], time.monotonic() + seconds, 0
    while time.monotonic() < end:
        case = cases[at * 7919 % len(cases)]
        start = time.perf_counter()
        found = client.call(pb.Command(get_why=pb.GetWhy(case_id=case.case_id))).why_found
        why.append((time.perf_counter() - start) * 1000)
        if len(found.whys) < 2:
            raise SystemExit(f"{case.number} has {len(found.whys)} deadlines")
        start = time.perf_counter()
        client.call(pb.Command(list_cases=pb.ListCases(open_only=True, unit=UNIT, after_case_id=case.case_id)))
        page.append((time.perf_counter() - start) * 1000)
        at += 1
        time.sleep(0.002)
    return why, page


class HalfLoad:
    """A publisher of soak_clients.py at so many reports a second."""

    def __init__(self, instance, rate):
        settings = {"folder": instance.root, "intake": instance.endpoints["intake", "command"],
                    "intake_key": instance.server_key("intake").decode(),
                    "publisher": [half.decode() for half in instance.key_pair("publisher")]}
        self.process = subprocess.Popen(
            ["/usr/bin/python3", os.path.join(os.path.dirname(__file__), "soak_clients.py"), "publisher", json.dumps(settings)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(f"rate {rate}\n")
        self.process.stdin.flush()
        self.began = time.monotonic()

    def stop(self):
        seconds = time.monotonic() - self.began
        out, _ = self.process.communicate("stop\n", timeout=60)
        return json.loads(out.splitlines()[-1])["done"] / seconds


def as_it_runs(cases):
    began = int(time.time() * 1000) // DAY * DAY + 10 * 3600000
    with Instance(stepped=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began / 1000))) as instance:
        daemons = Daemons(instance)
        try:
            return measure(instance, daemons, cases)
        finally:
            daemons.close()


def measure(instance, daemons, cases):
    publish(instance, "bench-1", [])
    instance.avvik("directory", "publish", os.path.join(SOURCE, "deploy", "directory", "lindaker.yaml"), "--reason", "bench")
    daemons.settle()
    to = instance.endpoints["intake", "command"], instance.server_key("intake"), instance.key_pair("publisher")
    first = daemons.now()
    start = time.monotonic()
    for day in range(10):  # ten days, so that a tenth of them falls due at one instant
        daemons.clock(first + day * DAY)
        load(*to, cases // 10, 256, f"d{day}", ["--lex-sarah"])
        daemons.settle()
    sustained = cases / (time.monotonic() - start)
    client = instance.client("workflow", name="casework", timeout_ms=60000)

    # D3 of those of the first day warns twenty days before its end, when the office opens.
    before = daemons.status("workflow")
    at_once, _, acts = wait_out(instance, daemons, client, lambda: daemons.clock(before.next_due_ms))
    fired = daemons.status("workflow").head - before.head - acts

    publish(instance, "bench-2", closed_days(first))
    daemons.settle()
    anew, took, _ = wait_out(instance, daemons, client, lambda: instance.avvik("rules", "apply", "bench-2", "--reason", "bench"))

    half = HalfLoad(instance, sustained / 2)
    time.sleep(2)
    why, page = questions(client, pages(client, 20000), 20)
    rate = half.stop()
    client.close()
    table("Intake and workflow as they run: how long the other side waits, ms", ["", "count", "median", "99 %", "longest"],
          [[name, len(values), f"{statistics.median(values):.1f}", f"{percentile(values, 0.99):.1f}", f"{max(values):.1f}"]
           for name, values in ((f"acts, one at a time, while {fired} rungs fire at one instant", at_once),
                                (f"acts while {3 * cases} deadlines are planned anew, {3 * cases / took:.0f} a second beside them", anew),
                                (f"`why` under {rate:.0f} reports a second (sustained: {sustained:.0f})", why),
                                ("a page of 50 of the case list, the same", page))])
    return [judge("an act while rungs fire at one instant: longest wait", max(at_once), 100, unit=" ms"),
            judge("an act during a calendar change: longest wait", max(anew), 100, unit=" ms"),
            judge("`why` under half write load: 99 %", percentile(why, 0.99), 10, unit=" ms"),
            judge("a page of the case list under half write load: 99 %", percentile(page, 0.99), 10, unit=" ms")]


def closed_days(first):
    """Working days on which ends of deadlines lie."""
    return [datetime.date.fromtimestamp(first / 1000) + datetime.timedelta(days=n) for n in (30, 31, 34, 36, 45, 47, 60, 62)]


def wait_out(instance, daemons, client, begin):
    """How long acts wait from `begin()` until nothing is due any more, how long that was, and how many were done in all."""
    handler = Handler(instance, pages(client, 20000))
    handler.start()
    time.sleep(0.2)
    start = ended = time.monotonic()
    begin()
    calm = 0
    while calm < 5:
        time.sleep(0.01)
        if daemons.status("workflow").next_due_ms <= daemons.now():
            calm, ended = 0, time.monotonic()
        else:
            calm += 1
        if time.monotonic() - start > 120:
            raise SystemExit("what is due does not come to an end")
    return handler.stop(start, ended), ended - start, len(handler.waits)


def keep(path):
    """The section of docs/benchmarks.md, in the place of the one before or at the end."""
    text = open(path).read()
    section = "\n" + "\n".join(LINES) + "\n"
    begin, end = text.find(f"\n{HEADING}\n"), -1
    if begin >= 0:
        end = text.find("\n## ", begin + 1 + len(HEADING))
    text = text.rstrip("\n") + "\n" + section if begin < 0 else text[:begin] + section + (text[end:] if end >= 0 else "")
    with open(path, "w") as file:
        file.write(text)


def main():
    words = sys.argv[1:]
    quick, check = "--quick" in words, "--check" in words
    cases = int(words[words.index("--cases") + 1]) if "--cases" in words else 10000 if quick else 100000
    uname, busy = os.uname(), os.getloadavg()[0]
    say(f"{HEADING}\n\nMade by `tests/bench/run.sh --deadlines`; what each figure means stands in [tests/bench](../tests/bench/README.md).\n")
    say(f"- Measured {time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} processors, {uname.sysname} {uname.release}, load before "
        f"{busy:.2f}{': NOT QUIET' if busy > 0.5 else ''}")
    bars = in_process([cases // 100, cases // 10, cases])
    bars += as_it_runs(cases)
    table("Beside the bars", ["", "measured", "bar", "measured/bar", ""], bars)
    say(f"\n{'Missed: ' + '; '.join(MISSED) if MISSED else 'Every bar is met'}.")
    if "--markdown" in words:
        keep(words[words.index("--markdown") + 1])
    return 1 if MISSED and check else 0


if __name__ == "__main__":
    sys.exit(main())
