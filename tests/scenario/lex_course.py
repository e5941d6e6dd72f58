"""A lex Sarah case with IVO to the end: found serious, lifted, found again; IVO's requests and decision, also after the closing; opened
again. Beside it a position that is reconsidered and a deviation that comes and goes. What the unit's manager sees meanwhile.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from casework import INVESTIGATOR, MANAGER, SAS, Casework  # noqa: E402
from instance import Instance, check, check_true, pb, report  # noqa: E402

APRIL_1 = 1775026800000  # 2026-04-01 09:00
REGISTRY = "rut.diariesson"


def file_report(client, reference, unit, kind):
    command = report(reference, unit=unit, kind=kind, when_ms=APRIL_1)
    command.file_report.reporter.name = "Prov Rapportör"
    check(f"{reference} is filed", client.call(command).status, pb.REPLY_STATUS_DONE)


def last(work, number, rule):
    """The last deadline of a rule: one that has ended may have started again."""
    return [d for d in work.instance.json("deadlines", number, "--all") if d["rule"] == rule][-1]


def documented(work, number):
    for item in (*range(1, 9), 10):
        work.act(number, "entry", INVESTIGATOR, "--item", str(item), "--nature", "fact", "--source", "samtal", "--text", f"uppgift {item}")


def to_ivo(instance, work, number):
    work.act(number, "assess", SAS, "--degree", "misconduct", "--investigate", "--investigator", INVESTIGATOR, "--motive", "utreds")
    seen = instance.json("case", "show", number, "--as", MANAGER)
    check_true("the unit's manager sees that there is a case, and no more",
               seen.get("limited") and "investigator" not in seen and "category" not in seen, seen)
    work.act(number, "serious", SAS, "--motive", "allvarligt")
    work.act(number, "lift-duty", SAS, "--motive", "missförstånd")
    check("D4 is not needed any more", last(work, number, "D4")["state"], "cancelled")
    documented(work, number)
    work.act(number, "complete", INVESTIGATOR, "--degree", "serious", "--motive", "skäl")
    work.act(number, "decide", SAS, "--degree", "serious", "--motive", "skäl")
    text = work.refused(number, "lift-duty", SAS, "--motive", "nej")
    check_true("a duty that follows from the decision is not lifted", "decided_serious" in text, text)
    work.act(number, "notify", SAS, "--registry", "SN 2026/17", "--attached")
    work.act(number, "ivo-request", REGISTRY, "--due", "2026-06-19", "--text", "mer om bemanningen", "--ivo-number", "3.2-1/2026")
    text = work.refused(number, "ivo-answer", SAS, "--request", "2")
    check_true("only what IVO has asked is answered", "request_unknown" in text, text)
    work.act(number, "no-measures", "agneta.avdelningsberg", "--motive", "redan gjort")
    done = work.act(number, "close", SAS)
    check_true("closing warns that IVO waits", "IVO waits for an answer" in done, done)
    work.advance("2026-06-12 09:00")
    ivo1 = last(work, number, "IVO1")
    check("IVO's own day stands, Midsummer Eve or not, and the case is closed", (ivo1["due_on"], ivo1["state"]), ("2026-06-19", "running"))
    check_true("the coordinator is reminded a week before", work.told(number, "N120"), work.notices(number))
    work.act(number, "ivo-answer", SAS, "--text", "listor")
    check("answered in time", last(work, number, "IVO1")["state"], "met")
    work.act(number, "ivo-decision", REGISTRY, "--outcome", "criticism")
    check_true("the committee is told", ("ordf.exempelson", "") in work.told(number, "N63"), work.notices(number))
    work.advance("2026-06-12 12:00")
    check("and all that was said of the closed case arrives", {n["state"] for n in work.notices(number) if n["rule"] in ("N63", "N120")},
          {"delivered"})


def again(work, number):
    work.act(number, "reopen", SAS, "--motive", "nya uppgifter")
    case = work.show(number)
    check("it is investigated anew, and the old decision stands in the journal alone",
          (case["state"], case.get("degree"), case["reopened"]), ("investigation", None, 1))
    check("who investigated has a task", work.told(number, "N81"), {(INVESTIGATOR, "")})
    work.act(number, "complete", INVESTIGATOR, "--degree", "serious", "--motive", "skäl")
    work.act(number, "decide", SAS, "--degree", "serious", "--motive", "skäl")
    work.act(number, "notify", SAS, "--registry", "SN 2026/99", "--attached")
    check("notified once more", work.show(number)["notifications"], 2)
    figures = work.figures("socialnamnden", "year", "2026")
    counts = {key[0]: value for key, value in figures.items() if key[1] == "lex_sarah"}
    check("the figures have both notifications, the reopening, and nothing closed",
          (counts.get("notified_ivo"), counts.get("reopened"), counts.get("closed")), (2, 1, None))


def position(work, number):
    work.act(number, "assess", SAS, "--degree", "none", "--position", "--motive", "inget")
    work.refused(number, "assess", SAS, "--degree", "risk", "--investigate", "--investigator", INVESTIGATOR, "--motive", "x")
    work.act(number, "reconsider", SAS, "--motive", "nytt", "--investigator", INVESTIGATOR)
    check("a position is reconsidered", work.show(number)["state"], "investigation")


def there_and_back(work, number):
    work.act(number, "turn", "norea.hemgren", "--motive", "misstänkt")
    work.act(number, "return", SAS, "--motive", "klart en avvikelse")
    check("it is the unit's again", work.show(number)["kind"], "deviation")
    check("whose manager has a task", work.told(number, "N22"), {("norea.hemgren", "")})


def main():
    with Instance(stepped="2026-04-01 09:00") as instance:
        instance.up()
        instance.publish()
        work = Casework(instance)
        client = instance.client("intake")
        file_report(client, "ivo", "bjorkgarden-plan-1", pb.REPORT_TYPE_LEX_SARAH)
        file_report(client, "position", "lindhaga", pb.REPORT_TYPE_LEX_SARAH)
        file_report(client, "back", "hemtjanst-norr", pb.REPORT_TYPE_DEVIATION)
        instance.settle()
        number = {c["unit"]: c["number"] for c in instance.json("case", "list")}
        to_ivo(instance, work, number["bjorkgarden-plan-1"])
        again(work, number["bjorkgarden-plan-1"])
        position(work, number["lindhaga"])
        there_and_back(work, number["hemtjanst-norr"])
        client.close()
        check("health has nothing to say", instance.issues(), set())
        instance.down()
        done = instance.run(["verify"], check=False)
        check_true("chains, seals and replay hold", done.returncode == 0, done.stdout + done.stderr)


main()
