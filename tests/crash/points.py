"""points.py - each daemon is killed at each system call that writes, syncs, sends or receives: before it, in the middle, after it.

A counting run finds the points (inject_point.c) of a fixed workload (work.py). Then, one after the other: the injector is armed for a
point, the step that meets it is done, the daemon dies and is started again, the client sends again what was not answered; and when
nothing moves any more all must be as if nothing had happened (judge.py).

    points.py [--draw N] [--seed N]        N kills drawn by the seed (30)
    points.py --all [--part PART]          every point; or those of one daemon, or those where stores are made ("first");
                                           with --rows FILE what came out is kept
    points.py --matrix FILE ROWS...        the table of docs/crash-matrix.md, from what was kept
    points.py --point NAME --when WHEN     this one only, ten times
    points.py --list                       the points of a counting run
"""

import argparse
import collections
import json
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from judge import Judge  # noqa: E402
from supervised import Supervised  # noqa: E402
from work import Reader, Work  # noqa: E402

from instance import DAEMONS, SOURCE, check_true  # noqa: E402

STEPPED = "2026-04-01 09:00"
DOCUMENT = os.path.join(SOURCE, "docs", "crash-matrix.md")
WRITES = ("write", "writev", "pwrite", "send", "sendto")
TRIES_A_POINT = 3
LOOK_EVERY = 25

# What a try came to, by what the client saw.
ANEW = "not stored, not answered: sent again, done once"
STORED = "stored, not answered: sent again, the first answer again, done once"
ASKED = "a question without an answer: asked again"
TOOL = "the tool got no answer: run again, done once"
ANSWERED = "all that was asked had been answered: nothing to send again"
NOBODY = "nobody waited for an answer: it goes on from its store"
BEGINS = "it had not begun: started again, it makes or opens its store"
ENDS = "it was ending: started again, all is there"
RECOVERS = "it was finishing or undoing what another kill had cut off: it does so at the next start"


class Town:
    """A running instance with its work, its reader and what was found out."""

    def __init__(self, rules=None):
        self.instance = Supervised(stepped=STEPPED)
        for daemon, rule in (rules or {}).items():
            self.instance.injectors[daemon].arm(rule)
        self.instance.up()
        self.instance.publish(quiet_hours=False)
        self.reader = Reader(self.instance)
        self.work = Work(self.instance)
        self.judge = Judge(self.instance, self.work, self.reader)
        self.reader.start()
        self.work.file_one()
        self.instance.settle_real()

    def counts(self):
        return {point: count for daemon in DAEMONS for point, count in self.instance.injectors[daemon].counts(daemon).items()}

    def step(self, step, target="intake"):
        self.work.target = target
        self.work.prepare(step)
        before = self.counts()
        self.work.step(step)
        return {point: count - before.get(point, 0) for point, count in self.counts().items() if count > before.get(point, 0)}

    def look(self):
        found = self.judge.look()
        if self.judge.faults:
            raise AssertionError("\n".join(self.judge.faults[:20]))
        return found

    def close(self):
        self.reader.end = True
        self.reader.join(10)
        self.instance.down()
        self.judge.verify()
        if self.judge.faults:
            raise AssertionError("\n".join(self.judge.faults[:20]))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.reader.end = True
        self.instance.__exit__(kind, value, trace)


def find_points(town):
    """{point: {step: how often}}; those met before the first step are of the step "first"."""
    found = collections.defaultdict(dict)
    for point, count in town.counts().items():
        if point.split("/")[1] == "first":
            found[point]["first"] = count
    for step in Work.STEPS:
        for target in DAEMONS if step in Work.OF_EACH else ("intake",):
            if step in Work.CUT_OFF and f"{target}/{Work.CUT_OFF[step]}" not in found:
                continue  # it has no content
            for point, count in town.step(step, target).items():
                if step in Work.CUT_OFF and "/start/" not in point:
                    continue
                if step not in Work.OF_EACH or point.startswith(target + "/"):
                    found[point][step] = max(count, found[point].get(step, 0))
    return found


def whens(point):
    return ("before", "half", "after") if point.split("/")[2] in WRITES and "/wake/" not in point else ("before", "after")


def escaped(point):
    return re.sub(r"([*?\[\]\\])", r"\\\1", point)


def outcome(work, daemon, phase, step):
    if step in Work.CUT_OFF:
        return RECOVERS
    if phase in ("first", "start"):
        return BEGINS
    if phase == "stop":
        return ENDS
    mine = [order for order in work.orders if order.daemon == daemon]
    again = [order for order in mine if order.sent > 1]
    orders = [order for order in again if order.command.reference or order.command.HasField("open_content")]
    if any(order.reply.repeated or order.reply.status != 1 for order in orders):
        return STORED
    if orders:
        return ANEW
    if again:
        return ASKED
    if work.tools_again and step in ("publish", "wait"):
        return TOOL
    return ANSWERED if mine else NOBODY


def kill_at(town, point, when, steps, rand):
    """One kill. None: the point was not met."""
    daemon, phase = point.split("/")[:2]
    injector = town.instance.injectors[daemon]
    for attempt in range(TRIES_A_POINT):
        step = rand.choice(sorted(steps))
        nth = rand.randint(1, steps[step]) if attempt == 0 else 1
        town.work.target, town.work.tools_again = daemon, 0
        town.work.prepare(step)
        kills, hits = town.instance.kills(daemon), len(injector.fired())
        try:
            town.work.step(step, f"{escaped(point)} nth={nth} when={when}")
        except Exception as error:
            raise AssertionError(f"{point} when={when} nth={nth} in the step {step!r}: {error}") from error
        injector.disarm()
        fired = len(injector.fired()) - hits
        assert town.instance.kills(daemon) == kills + fired, f"{point}: fired {fired}, killed {town.instance.kills(daemon) - kills}"
        if fired > (step in Work.CUT_OFF):
            return outcome(town.work, daemon, phase, step)
    return None


def kill_first(points, when):
    """Kills daemons while they make their stores: {daemon: point}."""
    rules = {daemon: f"{escaped(point)} when={when}" for daemon, point in points.items()}
    with Town(rules) as town:
        fired = {daemon for daemon in points if town.instance.injectors[daemon].fired()}
        town.step("act")
        town.look()
        town.close()
    return fired


class Matrix:
    def __init__(self):
        self.rows = collections.defaultdict(collections.Counter)  # (point, when): outcomes
        self.missed = []

    def add(self, point, when, found):
        if found is None:
            self.missed.append((point, when))
        else:
            self.rows[point, when][found] += 1

    def kills(self):
        return sum(sum(outcomes.values()) for outcomes in self.rows.values())


def run_tries(tries, points, rand, matrix):
    """tries: [(point, when)]. The daemons' making of their stores needs an instance of its own each time."""
    later = [t for t in tries if "first" not in points[t[0]]]
    first = collections.defaultdict(list)
    for point, when in tries:
        if "first" in points[point]:
            first[when, point.split("/")[0]].append(point)
    for when in ("before", "half", "after"):
        while any(first[when, daemon] for daemon in DAEMONS):
            one_each = {daemon: first[when, daemon].pop() for daemon in DAEMONS if first[when, daemon]}
            fired = kill_first(one_each, when)
            for daemon, point in one_each.items():
                matrix.add(point, when, BEGINS if daemon in fired else None)
    with Town() as town:
        for number, (point, when) in enumerate(later, 1):
            matrix.add(point, when, kill_at(town, point, when, points[point], rand))
            if number % LOOK_EVERY == 0:
                town.look()
                if sys.stdout.isatty() or number % (8 * LOOK_EVERY) == 0:
                    print(f"    {number} of {len(later)}", flush=True)
        reports, mails = town.look()
        seen = set(town.counts())
        town.close()
    print(f"    {matrix.kills()} kills; {reports} reports, {mails} mails, {town.judge.checked} things compared")
    return seen


# --- the document

def same_in_any_run(point):
    """What does not depend on who was a moment earlier: whether a connection came before READY, or a commit's pages lay in a row."""
    daemon, phase, call, rest = point.split("/", 3)
    if call.startswith(("recv", "send")) or rest.startswith("wake"):
        phase = "*"
    return "/".join((daemon, phase, "write" if "write" in call else call, rest))


def documented():
    with open(DOCUMENT) as file:
        return {point for line in file for point in re.findall(r"^\| `([^`]+)` \|", line)}


def keep_rows(path, matrix, seen):
    with open(path, "w") as file:
        json.dump({"rows": [[point, when, outcomes] for (point, when), outcomes in matrix.rows.items()], "seen": sorted(seen)}, file)


def merge_rows(paths):
    matrix, seen = Matrix(), set()
    for path in paths:
        with open(path) as file:
            kept = json.load(file)
        seen |= set(kept["seen"])
        for point, when, outcomes in kept["rows"]:
            matrix.rows[point, when].update(outcomes)
    return matrix, seen


def words(matrix, point, when_list):
    outcomes = sum((matrix.rows[point, when] for when in when_list), collections.Counter())
    return "; ".join(f"{text}" + (f" ({n})" if len(outcomes) > 1 else "") for text, n in outcomes.most_common())


def write_document(path, matrix, seen):
    points = sorted({point for point, _ in matrix.rows} | seen)
    with open(os.path.join(os.path.dirname(__file__), "crash-matrix.head.md")) as head, open(path, "w") as out:
        out.write(head.read())
        out.write(f"\n{len(points)} points, {matrix.kills()} kills.\n")
        for daemon in DAEMONS:
            mine = [point for point in points if point.startswith(daemon + "/")]
            out.write(f"\n## {daemon}: {len(mine)} points\n\n| point | when | times | outcome |\n|---|---|---|---|\n")
            for point in mine:
                same = collections.defaultdict(list)
                for when in ("before", "half", "after"):
                    if matrix.rows.get((point, when)):
                        same[tuple(sorted(matrix.rows[point, when]))].append(when)
                for when_list in same.values():
                    times = sum(sum(matrix.rows[point, when].values()) for when in when_list)
                    out.write(f"| `{point}` | {', '.join(when_list)} | {times} | {words(matrix, point, when_list)} |\n")
                if not same:
                    out.write(f"| `{point}` | – | 0 | met now and then only: not when it was wanted |\n")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--draw", type=int, default=30)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--all", action="store_true")
    options.add_argument("--times", type=int, default=1)
    options.add_argument("--part", choices=DAEMONS + ("first",))
    options.add_argument("--rows")
    options.add_argument("--matrix", nargs="+")
    options.add_argument("--point")
    options.add_argument("--when", default="before")
    options.add_argument("--list", action="store_true")
    given = options.parse_args()
    if given.matrix:
        write_document(given.matrix[0], *merge_rows(given.matrix[1:]))
        return
    rand, matrix, begun = random.Random(given.seed), Matrix(), time.monotonic()

    with Town() as town:
        points = find_points(town)
        town.look()
        town.close()
    every = [(point, when) for point in sorted(points) for when in whens(point)]
    by_daemon = collections.Counter(point.split("/")[0] for point in points)
    print("    points: " + ", ".join(f"{daemon} {by_daemon[daemon]}" for daemon in DAEMONS))
    if given.list:
        for point in sorted(points):
            print(point, ", ".join(f"{step} {count}" for step, count in points[point].items()))
        return
    if given.point:
        check_true("the counting run meets the point", given.point in points)
        tries = [(given.point, given.when)] * 10
    elif given.all:
        mine = [t for t in every if given.part in (None, "first" if "first" in points[t[0]] else t[0].split("/")[0])]
        tries = [t for _ in range(given.times) for t in rand.sample(mine, len(mine))]
    else:
        first = [t for t in every if "first" in points[t[0]]]
        tries = rand.sample(first, min(2, len(first)))
        tries += rand.sample([t for t in every if t not in first], given.draw - len(tries))
    seen = run_tries(tries, points, rand, matrix) | set(points)
    for point, when in matrix.missed:
        print(f"    not met: {point} ({when})")
    check_true("nearly every point that was wanted was met", len(matrix.missed) * 10 <= len(tries), matrix.missed)
    check_true("whatever was killed: every acknowledged order done once, receipts true, daemons agreed, stores verified", matrix.kills() > 0)
    outcomes = sum((Counter for Counter in matrix.rows.values()), collections.Counter())
    for text, count in outcomes.most_common():
        print(f"    {count:5} {text}")
    if given.rows:
        keep_rows(given.rows, matrix, seen)
    elif not given.point:
        known = {same_in_any_run(point) for point in documented()}
        new = sorted(point for point in points if same_in_any_run(point) not in known)
        check_true("docs/crash-matrix.md has every point (tests/crash/run.sh --matrix makes it anew)", not new, new)
    print(f"    {time.monotonic() - begun:.0f} s")


main()
