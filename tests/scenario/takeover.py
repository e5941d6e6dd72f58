"""Lindåker closes its old case system, and Avvik takes over what is open there. The file is checked as a whole, refused, mended and applied;
the tool is killed in the middle, then the daemon; nothing is done twice. The deadlines are right to the day, what is to come is said once,
and nothing is said of what lay before.
"""

import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from casework import INVESTIGATOR, SAS, Casework  # noqa: E402
from instance import BIN, SOURCE, Instance, check, check_true, pb  # noqa: E402

SAMPLE = os.path.join(SOURCE, "deploy", "takeover", "lindaker.yaml")
MORE = 60
MONDAY = "2026-02-02 09:00"


def write(instance, name, text):
    path = os.path.join(instance.root, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def small_cases(count):
    """What a committee has most of: received, remedied, and to be assessed."""
    return "".join(f"""
  - external_id: AV-{n:04}
    state: received
    report: {{ type: deviation, unit: lindhaga, received_at: 2026-01-{5 + n % 20:02} 10:00, laws: [sol], category: FALL, narrative: {{ description: Fall nummer {n}. }} }}
    acts: [{{ acted_at: 2026-01-{5 + n % 20:02} 11:00, done_by: "Lisa Lind, enhetschef", remedy: {{ text: Tillsyn. }} }}]""" for n in range(count))


def apply(instance, path, *words, check=True):
    return instance.run(["takeover", "apply", path, "--reason", "det gamla systemet stängs", *words], check=check)


def taken(instance):
    """Everything that the workflow's journal says was taken over, in its order."""
    events, _ = instance.feed("workflow")
    return [e.case_taken_over.external_id for e in events if e.WhichOneof("body") == "case_taken_over"]


def killed_after(instance, path, count, kill):
    """Apply, and when the report tells of so many cases: kill."""
    report = os.path.join(instance.root, "report.txt")
    if os.path.exists(report):
        os.unlink(report)
    applying = subprocess.Popen([os.path.join(BIN, "avvik"), "--settings", instance.settings, "takeover", "apply", path,
                                 "--reason", "det gamla systemet stängs", "--report", report],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while applying.poll() is None and time.monotonic() < end:
        if os.path.exists(report) and open(report).read().count("rule pack") >= count:
            kill(applying)
            break
        time.sleep(0.001)
    _, errors = applying.communicate(timeout=60)
    return applying.returncode, errors


def refused_as_a_whole(instance):
    with open(SAMPLE) as file:
        good = file.read()
    bad = good.replace("unit: lindhaga", "unit: linhaga").replace("state: follow_up", "state: decided")
    bad = bad.replace('      - { acted_at: 2025-11-10, done_by: "Siv Sasson, SAS", find_serious: { motive: Upprepat under lång tid. } }\n', "")
    bad = bad.replace("answer_completion: { text: Kvällspasset. }", "answer_completion: { text: Kvällspasset. }, acted_on: 1")
    path = write(instance, "bad.yaml", bad)
    done = instance.run(["takeover", "check", path], check=False)
    check_true("a word that is none is found first, with its line", done.returncode == 1 and "acted_on" in done.stderr
               and f"{path}:{1 + bad[:bad.index('acted_on')].count(chr(10))}:" in done.stderr, done.stderr)
    bad = bad.replace(", acted_on: 1", "")
    path = write(instance, "bad.yaml", bad)
    done = instance.run(["takeover", "check", path], check=False)
    for what, line, words in (("an unknown unit", "unit: linhaga", "no leaf of the directory"),
                              ("IVO notified without a duty", "acted_at: 2025-11-11", "ivo_not_required"),
                              ("a state that was not come to", "state: decided", "what was done leads to follow_up")):
        number = 1 + bad[:bad.index(line)].count("\n")
        check_true(f"{what}: told with its line", done.returncode == 1 and any(
            f"{path}:{number}:" in told and words in told for told in done.stderr.splitlines()), (number, done.stderr))
    done = apply(instance, path, check=False)
    check("and the file is refused as a whole", (done.returncode, taken(instance)), (1, []))
    twice = write(instance, "twice.yaml", good + good[good.index("  - external_id: LS-2026-002"):])
    done = instance.run(["takeover", "check", twice], check=False)
    check_true("a case twice in the file is refused", done.returncode == 1 and "give each case once" in done.stderr, done.stderr)
    return good


def taken_over_once(instance, work, path, count):
    found = instance.json("takeover", "check", path)
    check("the mended file holds, and nothing is written", (len(found), taken(instance)), (count, []))
    code, _ = killed_after(instance, path, 12, lambda applying: applying.send_signal(signal.SIGKILL))
    some = len(taken(instance))
    check_true(f"the tool is killed in the middle, after {some} cases", code == -signal.SIGKILL and 12 <= some < count, (code, some))
    code, errors = killed_after(instance, path, some + 12, lambda _: instance.kill("workflow"))
    instance.wait_ready()
    more = len(taken(instance))
    check_true(f"the daemon is killed in the middle of the next; {more} are there when it is back", some + 12 <= more <= count, (code, more, errors))
    report = os.path.join(instance.root, "report.txt")
    apply(instance, path, "--report", report)
    ids = taken(instance)
    check("run once more: each case is taken over once", (len(ids), len(set(ids))), (count, count))
    text = open(report).read()
    check_true("the report tells which were there before", text.count("(taken over before, 2026-02-02 09:00)") >= more
               and text.count("rule pack") == count, text[-600:])
    check("a report is for its owner alone", os.stat(report).st_mode & 0o777, 0o600)
    again = apply(instance, path).stdout
    check_true("and once more does nothing", f"are taken over, {count} of them before" in again and len(taken(instance)) == count, again[-300:])
    check("as many cases as there were", len(instance.json("case", "list", "--limit", "500")), count)
    by_id = {c["takeover"]["external_id"]: c["number"] for c in instance.json("case", "list", "--limit", "500")}
    return {name: by_id[name] for name in ("LS-2025-014", "LS-2025-031", "LS-2026-002", "AV-2026-009")}


WANT = {  # rule: last day, state, how many of its reminders lay before
    "LS-2025-014": {"D2": ("2025-05-13", "met", 3), "D3": ("2025-06-11", "met", 4), "D4": ("2025-05-15", "met", 3),
                    "D5": ("2025-07-15", "met", 6), "D25/1": ("2025-11-03", "met", 3), "D26/1": ("2026-02-03", "running", 1),
                    "D26B/1": ("2026-05-03", "running", 0), "D26C/1": ("2026-11-03", "running", 0)},
    "LS-2025-031": {"D2": ("2025-10-07", "met", 3), "D3": ("2025-11-05", "met", 4), "D4": ("2025-11-11", "met", 3),
                    "D5": ("2026-01-12", "running", 6)},
    "LS-2026-002": {"D2": ("2026-01-08", "met", 3), "D3": ("2026-02-06", "running", 2)},
    "AV-2026-009": {"DEV2": ("2026-01-23", "met", 1), "DEV1": ("2026-02-05", "running", 1)},
}


def right_to_the_day(instance, work, numbers):
    for name, wanted in WANT.items():
        found = {rule: (d["due_on"], d["state"], sum(r.get("passed_over", False) for r in d["rungs"]))
                 for rule, d in work.deadlines(numbers[name]).items()}
        check(f"{name}: every deadline to the day", found, wanted)
    overdue = work.deadlines(numbers["LS-2025-031"])["D5"]
    check("the investigation that IVO waits for is overdue", overdue.get("overdue"), True)
    check("the law is that of the day of receipt", (work.show(numbers["LS-2025-014"])["rules_version"], work.show(numbers["LS-2025-031"])["rules_version"]),
          ("se-2001-453", "se-2025-07"))
    why = instance.avvik("why", numbers["LS-2025-031"], "D5")
    check_true("why says so", "taken over from journalsystemet on 2026-02-02, where it was LS-2025-031" in why and "OVERDUE by 21 days" in why
               and why.count("passed over: lay before the case was taken over") == 6, why)
    why = instance.avvik("why", numbers["LS-2025-014"], "D5", "--lang", "sv")
    check_true("in Swedish too", "övertaget från journalsystemet den 2026-02-02, där med nummer LS-2025-014" in why and "klar i tid, 2025-07-03" in why
               and "antecknat sent" not in why, why)
    check("nobody is told of any of it", instance.json("notices", "--limit", "500"), [])
    figures = work.figures("socialnamnden", "year", "2025")
    counts = {what: sum(value for key, value in figures.items() if key[:2] == (what, "lex_sarah")) for what in ("received", "notified_ivo", "decided")}
    check("the figures of last year have what was received, notified and decided then", counts, {"received": 2, "notified_ivo": 2, "decided": 1})
    missed = {key: value for key, value in work.figures("socialnamnden", "year", "2026").items() if key[0] == "deadlines_missed" and key[3] == "D5"}
    check("and this year what was missed", list(missed.values()), [1])


def only_what_is_to_come(instance, work, numbers):
    work.advance("2026-02-10 12:00")
    events, _ = instance.feed("workflow")
    fired = [e for e in events if e.WhichOneof("body") == "rung_fired"]
    at = {e.event_id: e.recorded_at_ms for e in events if e.WhichOneof("body") == "case_taken_over"}
    check_true("no reminder of the past has been said", all(e.rung_fired.planned_at_ms >= min(at.values()) for e in fired), fired)
    once = [(e.rung_fired.deadline_id, e.rung_fired.rung) for e in fired]
    check("and none twice", len(once), len(set(once)))
    check("the measure's manager and the case's investigator are told on the day", work.told(numbers["LS-2025-014"], "N92"),
          {("beata.bjorkman", ""), (INVESTIGATOR, "")})
    check("the coordinators that nobody has assessed the third case", {who for who, _ in work.told(numbers["LS-2026-002"], "N104")},
          {SAS, "signe.samordnare", "lennart.ansvarsson"})
    check("the overdue one stays silent", work.notices(numbers["LS-2025-031"]), [])


def it_goes_on(instance, work, numbers, path):
    number = numbers["LS-2025-031"]
    for item in (*range(1, 9), 10):
        work.act(number, "entry", "urban.utredstrom", "--item", str(item), "--nature", "fact", "--source", "samtal", "--text", "uppgift")
    work.act(number, "complete", "urban.utredstrom", "--degree", "serious", "--motive", "skäl")
    work.act(number, "decide", SAS, "--degree", "serious", "--motive", "skäl")
    work.act(number, "hand-in", SAS, "--channel", "e_service")
    check("handed in too late, and judged so", work.deadlines(number)["D5"]["state"], "met_late")
    instance.settle()
    told = {(n["rule"], n.get("person", "")) for n in work.notices(number) if n.get("notice_id")}
    check_true("now people are told, but nobody who reported to the old system", ("N53", "ordf.exempelson") in told and "N50" not in {rule for rule, _ in told}, told)
    again = apply(instance, path).stdout
    check_true("the file applied anew changes nothing of that", f"LS-2025-031  {number}  lex Sarah, decided" in again, again[:2000])
    with open(path) as file:
        other = write(instance, "other.yaml", file.read().replace("Pengar saknas ur den gemensamma kassan.", "Något annat."))
    done = apply(instance, other, check=False)
    check_true("the same number with another content is refused, and named", done.returncode == 1 and "with another content" in done.stderr
               and number in done.stderr, done.stderr)
    document = os.path.join(instance.root, "document.html")
    instance.avvik("case", "document", number, "--as", SAS, "--purpose", "utredning", "--out", document)
    text = open(document).read()
    check_true("its document has the report, and where it was received", "Pengar saknas ur den gemensamma kassan." in text
               and "i journalsystemet. Övertagen därifrån 2026-02-02 09:00." in text and "Eva Ek, enhetschef" in text, len(text))


def main():
    with Instance(stepped=MONDAY) as instance:
        instance.up()
        instance.avvik("rules", "publish", os.path.join(SOURCE, "deploy", "rules", "se-2001-453.yaml"), "--reason", "ärenden från förr")
        instance.publish(quiet_hours=False)
        instance.settle()
        work = Casework(instance)
        done = instance.run(["takeover", "check", SAMPLE, "--key", "admin"], check=False)
        check_true("an administrator without the right is refused", done.returncode == 1 and "take_over" in done.stderr, done.stderr)
        done = instance.run(["takeover", "check", SAMPLE], check=False)
        order = ["principals", "add", "takeover", "--kind", "administrator", "--rights", "take_over"]
        check_true("without a key the order that makes one is named", "`avvik " + " ".join(order) + "`" in done.stderr, done.stderr)
        check_true("when it is done the daemons know the key", "the daemons that run know it" in instance.avvik(*order), "")
        good = refused_as_a_whole(instance)
        path = write(instance, "open-cases.yaml", good + small_cases(MORE))
        numbers = taken_over_once(instance, work, path, 4 + MORE)
        instance.settle()
        right_to_the_day(instance, work, numbers)
        only_what_is_to_come(instance, work, numbers)
        it_goes_on(instance, work, numbers, path)
        check_true("everything in the journals gives the same records again", "everything holds" in instance.avvik("verify"), "")
    print("all done")


if __name__ == "__main__":
    main()
