"""What if: a deadline over Midsummer, by rules that move its last day past days off and by rules that do not.

The list says exactly what would have been different, in Swedish and English; rules that are unsound or lack a rule that a case needs are
refused by name; and nothing of the running instance changes. Then somebody's role ends, and status says which rules find nobody.
"""

import hashlib
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from casework import Casework, INVESTIGATOR, NEIGHBOUR, SAS  # noqa: E402
from instance import DAEMONS, SOURCE, Instance, check, check_true, report  # noqa: E402

MAY_20 = 1779260400000  # 2026-05-20 09:00
UNIT = "lindhaga"


def rules_file(instance, name, **changes):
    """The project's rule pack under another version, with lines of D3 changed."""
    with open(os.path.join(SOURCE, "deploy", "rules", "se-2025-07.yaml")) as file:
        text = file.read().replace("version: se-2025-07", f"version: {name}", 1)
    d3 = re.search(r"(?ms)^  - id: D3\n.*?\n\n", text).group(0)
    changed = d3
    for line, other in changes.values():
        check_true(f"D3 has the line {line}", line in changed)
        changed = changed.replace(line, other, 1)
    path = os.path.join(instance.root, f"{name}.yaml")
    with open(path, "w") as file:
        file.write(text.replace(d3, changed, 1))
    return path


def footprint(instance):
    """Heads of the journals, and the bytes of every store."""
    heads = {name: state.get("head") for name, state in instance.states().items()}
    files = {}
    for daemon in DAEMONS:
        path = os.path.join(instance.state, daemon, "data", "data.mdb")
        with open(path, "rb") as file:
            files[daemon] = hashlib.sha256(file.read()).hexdigest()
    return heads, files


def what_if(instance, rules, *words):
    return instance.avvik("whatif", "--rules", rules, "--from", "2026-05-01", "--to", "2026-05-31", *words)


def over_midsummer(instance):
    moved = rules_file(instance, "moved", days=("    unit: days\n", "    unit: days\n    moved: true\n"))
    not_moved = rules_file(instance, "not-moved")
    instance.avvik("rules", "publish", moved, "--reason", "prov")
    instance.avvik("directory", "publish", os.path.join(SOURCE, "deploy", "directory", "lindaker.yaml"), "--reason", "prov")
    instance.settle()
    instance.client("intake").call(report("midsommar", unit=UNIT, when_ms=MAY_20))
    instance.settle()
    work = Casework(instance)
    number = instance.json("case", "list")[0]["number"]
    work.act(number, "remedy", NEIGHBOUR, "--text", "larmet lagat")
    work.advance("2026-06-22T14:00")
    work.act(number, "assess", SAS, "--degree", "misconduct", "--investigate", "--investigator", INVESTIGATOR, "--motive", "utreds")
    work.advance("2026-06-24T09:00")
    instance.settle()

    before = footprint(instance)
    by_its_own = what_if(instance, moved)
    check_true("by its own rules nothing would have been different", "1 cases with 2 deadlines" in by_its_own and number not in by_its_own
               and "No deadline would differ.\nThis was a trial" in by_its_own,
               by_its_own)
    told = what_if(instance, not_moved)
    check_true("the last day would have been Midsummer Eve itself, and missed",
               "2026-06-22 -> 2026-06-19; would have been OVERDUE" in told, told)
    check_true("it would have been said that it was overdue", "overdue 2026-06-20 00:00 would have been said" in told, told)
    check_true("one case more would have been overdue", "overdue at some time: 0 cases, and by these rules 1" in told, told)
    differences = instance.json("whatif", "--rules", not_moved, "--from", "2026-05-01", "--to", "2026-05-31")
    check("that is all: D3, nothing of D2", [(d["number"], d["rule"]) for d in differences], [(number, "D3")])
    swedish = what_if(instance, not_moved, "--lang", "sv")
    check_true("in Swedish too", "hade varit FÖRSENAD" in swedish and "inget i ärendena är ändrat." in swedish, swedish)
    print(swedish)
    none = instance.avvik("whatif", "--rules", not_moved, "--from", "2026-06-01", "--to", "2026-06-30")
    check_true("cases of other days are left out", "0 cases with 0 deadlines" in none, none)
    check("heads and stores are as they were", footprint(instance), before)
    return number


def refused(instance, number):
    lacking = rules_file(instance, "lacking", id=("  - id: D3\n", "  - id: D3X\n"))
    text = open(lacking).read().replace("deadline: D3,", "deadline: D3X,")
    open(lacking, "w").write(text)
    done = instance.run(["whatif", "--rules", lacking, "--from", "2026-05-01", "--to", "2026-05-31"], check=False)
    check_true("a pack without a rule that a case needs is refused by name",
               done.returncode != 0 and f"the case {number} has the deadline D3" in done.stderr, done.stdout + done.stderr)
    unsound = rules_file(instance, "unsound", unit=("    unit: days\n", "    unit: fortnights\n"))
    done = instance.run(["whatif", "--rules", unsound, "--from", "2026-05-01", "--to", "2026-05-31"], check=False)
    check_true("an unsound pack is refused with the place in the file", done.returncode != 0 and "unsound.yaml:" in done.stderr,
               done.stdout + done.stderr)


def nobody_is_found(instance):
    with open(os.path.join(SOURCE, "deploy", "directory", "lindaker.yaml")) as file:
        text = re.sub(r"(?m)^version:.*$", 'version: "prov"', file.read(), count=1)
    check_true("the directory has a head of administration", "{ role: FC," in text)
    path = os.path.join(instance.root, "directory.yaml")
    with open(path, "w") as file:
        file.write(text.replace("{ role: FC,", "{ until_on: 2026-07-10, role: FC,"))
    instance.client("intake").call(report("sommar", unit=UNIT, when_ms=MAY_20))
    instance.avvik("directory", "publish", path, "--reason", "prov")
    instance.settle()
    check_true("health tells that a rule finds nobody", ("workflow", "deadline_reaches_nobody") in instance.issues())
    status = instance.run(["status"], check=False).stdout
    row = next((line for line in status.splitlines() if line.startswith("D3 ")), "")
    check_true("status lists the rule, the role, from when, and one open deadline",
               re.search(r"\bFC\b.*2026-07-11.*no end in sight +1$", row), status)


with Instance(stepped="2026-05-20T07:00:00Z") as instance:
    instance.up()
    case = over_midsummer(instance)
    refused(instance, case)
    nobody_is_found(instance)
