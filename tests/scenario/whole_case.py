"""One lex Sarah case from the report to its closing, beside a deviation that becomes lex Sarah and cases that nobody touches.

The clock is stepped: half a year passes. Every due instant is checked to the second, who was told, what the figures say of it, and
that a rung fires once, ever: also when the daemons are started again, and when time leaps by months at once.
"""

import collections
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from casework import (ASSISTANT, Casework, HEAD_OF_DEPARTMENT, HER_DEPUTY, INVESTIGATOR, MANAGER, MAR, MAS, NEIGHBOUR,  # noqa: E402
                      SAS)
from instance import DAEMONS, Instance, check, check_true, pb, report  # noqa: E402

APRIL_1 = 1775026800000  # 2026-04-01 09:00
DAY = 86400000
SECRET = "Zonrosprovtext"  # in everything that somebody writes: it must not get out


def at(text):
    """As the tool prints an instant of that summer."""
    return text.replace(" ", "T") + (":00+02:00" if len(text) == 16 else "+02:00")


def end_of(day):
    return f"{day}T23:59:59.999+02:00"


def file_report(client, reference, unit, kind, when_ms):
    command = report(reference, unit=unit, kind=kind, when_ms=when_ms)
    command.file_report.narrative.description = f"{SECRET}: larmet besvarades inte."
    command.file_report.persons.affected.add(name=f"{SECRET} Andersson")
    command.file_report.reporter.name = "Prov Rapportör"
    reply = client.call(command)
    check(f"{reference} is filed", reply.status, pb.REPLY_STATUS_DONE)
    return reply.report_accepted.report_id


def fired(deadline):
    """[(kind, planned, fired, late)] of the rungs that have fired."""
    return [(r["kind"], r["at"], r["fired_at"], r.get("late", False)) for r in deadline["rungs"] if "fired_at" in r]


def on_time(*rungs):
    return [(kind, at(when), at(when), False) for kind, when in rungs]


def received(work, number):
    deadlines = work.deadlines(number)
    check("a lex Sarah report starts D2 and D3", sorted(deadlines), ["D2", "D3"])
    check("D2 ends with the next working day", deadlines["D2"]["due_at"], end_of("2026-04-02"))
    check("D3, a local target, ends after 30 days, a holiday or not", deadlines["D3"]["due_at"], end_of("2026-05-01"))
    check("the coordinators have a task", work.told(number, "N10"), {(SAS, ""), ("signe.samordnare", "")})
    check("the manager learns only that there is a case",
          {(n["person"], n["kind"]) for n in work.notices(number) if n["rule"] == "N11"}, {(MANAGER, "exists")})
    check("the head of department is told", work.told(number, "N12"), {(HEAD_OF_DEPARTMENT, "")})
    receipt = [n for n in work.notices(number) if n["rule"] == "N2"]
    check("the reporter is answered once", len(receipt), 1)
    mail = work.mail(receipt[0])
    check("by mail, to the address of the report", mail["To"].addresses[0].addr_spec, "prov@lindaker.example")
    check_true("with the number of the case in the subject", number in mail["Subject"], mail["Subject"])
    check("and the notice's own Message-ID", mail["Message-ID"], f"<{receipt[0]['message_id']}>")


def remedied(work, number):
    work.advance("2026-04-09 10:00")
    work.act(number, "remedy", MANAGER, "--text", f"{SECRET} åtgärdat", "--at", "2026-04-02 15:00")
    d2 = work.deadlines(number)["D2"]
    check("D2 was overdue at midnight, and escalated two working days on, past Easter", fired(d2),
          on_time(("overdue", "2026-04-03 00:00"), ("escalation", "2026-04-08 08:00")))
    check("a remedy in time that is recorded late meets it", (d2["state"], d2["ended_at"]), ("met", at("2026-04-02 15:00")))


def assessed(work, number):
    work.advance("2026-04-15 10:00")
    work.act(number, "assess", SAS, "--degree", "misconduct", "--investigate", "--investigator", INVESTIGATOR, "--motive",
             f"{SECRET} motiv")
    check("the initial assessment meets D3", work.deadlines(number)["D3"]["state"], "met")
    check("before it one reminder had gone out", fired(work.deadlines(number)["D3"]), on_time(("warning", "2026-04-11 08:00")))
    work.advance("2026-04-16 10:00")
    check("the investigator has a task", work.told(number, "N30"), {(INVESTIGATOR, "")})
    text = work.refused(number, "remedy", "lennart.ansvarsson", "--text", "x")
    check_true("who lacks the role is told which roles may", "EC" in text, text)


def notified(work, number):
    work.advance("2026-04-17 11:00")
    work.act(number, "serious", SAS, "--motive", f"{SECRET} allvarligt")
    check("found serious on a Friday, IVO is to be notified by Monday", work.deadlines(number)["D4"]["due_at"],
          end_of("2026-04-20"))
    work.advance("2026-04-19 14:00")
    work.act(number, "notify", SAS, "--registry", "SN 2026/117", "--form", "2026-1")
    deadlines = work.deadlines(number)
    check("the notification meets D4", deadlines["D4"]["state"], "met")
    d5 = deadlines["D5"]
    check("two months after 19 April is Midsummer's Eve", d5["nominal_on"], "2026-06-19")
    check("so the investigation is due on Monday 22 June", d5["due_at"], end_of("2026-06-22"))
    check("with warnings 30, 14 and 3 days before, on the day, and after",
          [(r["kind"], r["at"]) for r in d5["rungs"]],
          [("warning", at("2026-05-23 08:00")), ("warning", at("2026-06-08 08:00")), ("warning", at("2026-06-19 08:00")),
           ("due", at("2026-06-22 08:00")), ("overdue", at("2026-06-23 00:00")), ("escalation", at("2026-06-25 08:00"))])
    why = work.instance.avvik("why", number, "D5")
    for words in ("Midsommarafton", "2026-06-19", "2026-06-22", "SOSFS 2011:5"):
        check_true(f"why says {words}", words in why, why)
    swedish = work.instance.avvik("why", number, "D5", "--lang", "sv")
    check_true("also in Swedish", "måndag" in swedish, swedish)


def investigated(work, number):
    work.act(number, "inform", MANAGER, "--informed", "--text", f"{SECRET} informerad")
    for item in (*range(1, 9), 10):  # item 9 is the decision itself
        words = ["--item", str(item), "--nature", "fact", "--source", f"{SECRET} samtal", "--text", f"{SECRET} uppgift {item}"]
        words += ["--happened", "2026-03-31 21:00"] if item in (2, 3, 7) else []
        words += {4: ["--cause", "KOM"], 6: ["--risk", "2"]}.get(item, [])
        if item == 10:
            text = work.refused(number, "complete", INVESTIGATOR, "--degree", "serious", "--motive", "x")
            check_true("an investigation with a missing item cannot be finished", "fully documented" in text, text)
        work.act(number, "entry", INVESTIGATOR, *words)
    work.advance("2026-06-16 10:00")
    check("two warnings have gone out by then", fired(work.deadlines(number)["D5"]),
          on_time(("warning", "2026-05-23 08:00"), ("warning", "2026-06-08 08:00")))
    check("to the investigator whom it is assigned to, and the coordinators", {p for p, _ in work.told(number, "N95")},
          {INVESTIGATOR, SAS, "signe.samordnare"})
    work.act(number, "complete", INVESTIGATOR, "--degree", "serious", "--motive", f"{SECRET} klart")
    text = work.refused(number, "decide", INVESTIGATOR, "--degree", "serious", "--motive", "x")
    check_true("the investigator, who lacks the role, does not decide", "SAS, LEX_ANSV" in text, text)
    work.act(number, "decide", SAS, "--degree", "serious", "--motive", f"{SECRET} beslut")
    work.instance.settle()
    check("the head of department is away: her deputy is told", work.told(number, "N51", role="AC"),
          {(HER_DEPUTY, HEAD_OF_DEPARTMENT)})
    check("the manager's deputy too", work.told(number, "N51", role="EC"), {(ASSISTANT, MANAGER)})
    work.advance("2026-06-22 10:00")
    check("on the last day the due rung has fired, on Midsummer's Eve the third warning", fired(work.deadlines(number)["D5"])[2:],
          on_time(("warning", "2026-06-19 08:00"), ("due", "2026-06-22 08:00")))
    work.act(number, "hand-in", SAS, "--channel", "system")
    d5 = work.deadlines(number)["D5"]
    check("handed in that day it is met", (d5["state"], d5["ended_at"]), ("met", at("2026-06-22 10:00")))


def measured(work, number):
    for end in ("2026-07-10", "2026-07-31"):
        work.act(number, "measure", SAS, "--description", f"{SECRET} åtgärd", "--goal", f"{SECRET} mål", "--responsible", MANAGER,
                 "--end", end, "--horizon", "short")
    work.advance("2026-07-13 09:00")
    d25 = work.deadlines(number)["D25/1"]
    check("D25 ends on the planned day", d25["due_at"], end_of("2026-07-10"))
    check("it warned a week before, and was overdue at midnight", fired(d25),
          on_time(("warning", "2026-07-03 08:00"), ("overdue", "2026-07-11 00:00")))
    check("the warning went to the deputy of the responsible manager", work.told(number, "N91"), {(ASSISTANT, MANAGER)})
    check("the overdue one to the deputy's deputy", {p for p, _ in work.told(number, "N90")}, {NEIGHBOUR})
    work.act(number, "execute", NEIGHBOUR, "1", "--text", f"{SECRET} gjort")
    check("executed three days late it is met late", work.deadlines(number)["D25/1"]["state"], "met_late")
    work.advance("2026-07-20 09:00")
    work.act(number, "execute", NEIGHBOUR, "2", "--text", f"{SECRET} gjort")
    deadlines = work.deadlines(number)
    check("the other one in time", deadlines["D25/2"]["state"], "met")
    check("the effects are to be judged three months on", [deadlines[f"D26/{n}"]["due_at"] for n in (1, 2)],
          [end_of("2026-10-13"), end_of("2026-10-20")])
    text = work.refused(number, "close", SAS, "--category", "UTF")
    check_true("a case with an effect that is not judged cannot be closed", "judge" in text, text)
    work.advance("2026-10-05 09:00")
    check("two weeks before there was a reminder", fired(work.deadlines(number)["D26/1"]), on_time(("warning", "2026-09-29 08:00")))
    text = work.act(number, "evaluate", INVESTIGATOR, "1", "--effective", "--text", f"{SECRET} bra")
    check_true("the investigator's answer alone does not settle it", "manager" in text, text)
    check("so D26 runs on", work.deadlines(number)["D26/1"]["state"], "running")
    work.act(number, "evaluate", MANAGER, "1", "--effective", "--text", f"{SECRET} bra")
    work.advance("2026-10-21 09:00")
    check("the second effect is overdue", [kind for kind, *_ in fired(work.deadlines(number)["D26/2"])],
          ["warning", "due", "overdue"])
    work.act(number, "evaluate", INVESTIGATOR, "2", "--effective", "--text", f"{SECRET} bra")
    work.act(number, "evaluate", MANAGER, "2", "--ineffective", "--accept-risk", "--text", f"{SECRET} dåligt")
    deadlines = work.deadlines(number)
    check("the later checks of the one that had no effect are not needed", [deadlines[f"{rule}/2"]["state"] for rule in ("D26B", "D26C")],
          ["cancelled", "cancelled"])
    check("one was judged in time, one late", [deadlines[f"D26/{n}"]["state"] for n in (1, 2)], ["met", "met_late"])


def closed(work, number, report_id):
    work.advance("2026-10-22 09:00")
    work.act(number, "close", SAS, "--category", "UTF", "--subcategory", "UTF_UTEBLIVEN", "--causes", "KOM", "--note", f"{SECRET} slut")
    work.instance.settle()
    check("the case is closed", (work.show(number)["state"], work.show(number)["degree"]), ("closed", "serious"))
    check("and runs no deadline but the later checks of the effect",
          {rule for rule, d in work.deadlines(number).items() if d["state"] == "running"}, {"D26B/1", "D26C/1"})
    check("the reporter is told", work.told(number, "N80"), {("", "")})
    check("every notice has arrived", {n["state"] for n in work.notices(number)}, {"delivered"})
    client = work.instance.client("workflow")
    found = client.call(pb.Command(get_report_status=pb.GetReportStatus(report_id=report_id)))
    check("the publisher sees that its report is closed", (found.status, found.report_status_found.state),
          (pb.REPLY_STATUS_DONE, pb.CASE_STATE_CLOSED))
    client.close()
    daemons = [e["daemon"] for e in work.instance.json("trace", number)]
    check("its trace goes through all four", set(daemons), {"intake", "workflow", "notification", "reporting"})
    check("from the report on", daemons[0], "intake")


def figures_of_the_case(work):
    unit = "bjorkgarden-plan-1"
    now = work.figures(unit, "now")
    check("nothing is open there", [key for key in now if key[0] == "open"], [])
    check("one measure had effect, one had none",
          {key[0]: value for key, value in now.items()}, {"measures_effective": 1, "measures_without_effect": 1})
    year = work.figures(unit, "year", "2026")
    met = {key[3]: value for key, value in year.items() if key[0] == "deadlines_met"}
    missed = {key[3]: value for key, value in year.items() if key[0] == "deadlines_missed"}
    check("deadlines met, the one recorded late among them", met, {"D2": 1, "D3": 1, "D4": 1, "D5": 1, "D25": 1, "D26": 1})
    check("deadlines missed", missed, {"D25": 1, "D26": 1})
    check("received, decided, notified, closed in their months",
          {m: sorted(key[0] for key in work.figures(unit, "month", m) if not key[0].startswith("deadlines"))
           for m in ("2026-04", "2026-06", "2026-10")},
          {"2026-04": ["notified_ivo", "received"], "2026-06": ["decided"], "2026-10": ["closed"]})
    t1 = work.figures("socialnamnden", "tertial", "2026-T1")
    check("the committee's first tertial holds all four reports",
          sum(value for key, value in t1.items() if key[0] == "received"), 4)
    check("and the deviation that turned", sum(value for key, value in t1.items() if key[0] == "turned_lex_sarah"), 1)


def turned(work, number):
    """A deviation, played between the others' dates: reviewed on 10 April, turned into lex Sarah by its risk on the 14th."""
    check("the inquiry into a deviation is to be finished within ten working days, Easter left out", work.deadlines(number)["DEV1"]["due_at"],
          end_of("2026-04-17"))
    work.advance("2026-04-10 09:00")
    work.act(number, "review", NEIGHBOUR)
    work.act(number, "ask", NEIGHBOUR, "--question", f"{SECRET} när var det?")
    work.instance.settle()
    check("the reporter is asked", work.told(number, "N8"), {("", "")})
    work.act(number, "answer", NEIGHBOUR, "--text", f"{SECRET} i lördags")
    work.act(number, "inquire", NEIGHBOUR, "--laws", "sol,hsl", "--category", "UTF")
    text = work.refused(number, "risk", NEIGHBOUR, "--law", "hsl", "--probability", "1", "--severity", "1")
    check_true("the risk under health care law is for its experts", "MAS, MAR" in text, text)
    work.act(number, "risk", MAS, "--law", "hsl", "--probability", "1", "--severity", "3", "--text", f"{SECRET} bedömt")
    text = work.refused(number, "conclude", NEIGHBOUR, "--text", "x", "--causes", "KOM")
    check_true("each law needs its risk", "missing: sol" in text, text)
    work.advance("2026-04-14 09:00")
    check("the experts have a task", {p for p, _ in work.told(number, "N150")}, {MAS, MAR})
    text = work.act(number, "risk", NEIGHBOUR, "--law", "sol", "--probability", "3", "--severity", "3", "--text", f"{SECRET} bedömt")
    check_true("a high risk turns it into lex Sarah by itself", "turned into lex Sarah" in text, text)
    work.instance.settle()
    deadlines = work.deadlines(number)
    check("DEV1 is met, DEV2 was late", [deadlines[rule]["state"] for rule in ("DEV1", "DEV2")], ["met", "met_late"])
    check("D2 and D3 run from the turning", [deadlines[rule]["due_at"] for rule in ("D2", "D3")],
          [end_of("2026-04-15"), end_of("2026-05-14")])
    check("the coordinators have a task", work.told(number, "N20"), {(SAS, ""), ("signe.samordnare", "")})
    check("the case is lex Sarah now", (work.show(number)["kind"], work.show(number)["state"]), ("lex_sarah", "received"))


def untouched(work, lex_sarah, deviation):
    work.instance.settle()
    deadlines = work.deadlines(lex_sarah)
    check("an untouched case: every rung of D2 has fired, on its day", fired(deadlines["D2"]),
          on_time(("overdue", "2026-04-03 00:00"), ("escalation", "2026-04-08 08:00"), ("escalation", "2026-04-13 08:00")))
    check("of D3", fired(deadlines["D3"]),
          on_time(("warning", "2026-04-11 08:00"), ("warning", "2026-04-24 08:00"), ("overdue", "2026-05-02 00:00"),
                  ("escalation", "2026-05-08 08:00")))
    check("and of an untouched deviation", fired(work.deadlines(deviation)["DEV1"]),
          on_time(("warning", "2026-04-14 08:00"), ("overdue", "2026-04-18 00:00"), ("escalation", "2026-05-04 08:00")))
    check("it was the head of administration who was told in the end", work.told(lex_sarah, "N105"), {("folke.chefsdal", "")})


def once_each(sentence, work):
    counted = collections.Counter(rung[:4] for rung in work.rungs_fired())
    check(sentence, [rung for rung, count in counted.items() if count > 1], [])
    return len(counted)


def leap(instance, work, client):
    """The daemons are stopped; when they come up again, months have passed."""
    file_report(client, "late", "lindhaga", pb.REPORT_TYPE_LEX_SARAH, 1797757200000)
    instance.settle()
    number = instance.json("case", "list", "--open", "--unit", "lindhaga")[-1]["number"]
    before = once_each("no rung fires twice by a restart", work)
    instance.down()
    with open(os.path.join(instance.state, "clock"), "r+b") as clock:
        now = struct.unpack(">Q", clock.read(8))[0]
        clock.seek(0)
        clock.write(struct.pack(">Q", now + 100 * DAY))
    instance.up()
    instance.settle()
    deadlines = work.deadlines(number)
    check("after a leap of a hundred days every rung that lies behind has fired, marked late",
          {rule: [r[3] for r in fired(deadline)] for rule, deadline in deadlines.items()}, {"D2": [True] * 3, "D3": [True] * 4})
    check("seven of it, and two of a later check of the whole case, each once", once_each("no rung twice in it", work) - before, 9)
    instance.avvik("clock", "advance", "--by", "2 months")
    check("and later none again", once_each("no rung twice after it", work) - before, 9)
    late = [n for n in work.notices(number) if n.get("late")]
    check_true("the notices of it say that they are late", late and all(n["state"] == "delivered" for n in late), late)
    sent = {n["notice_id"] for n in late} & {name.split(".")[0] for name in instance.mails()}
    check_true("what fell due for one person during the leap came in fewer mails than notices", len(sent) < len(late),
               (len(sent), len(late)))


def main():
    with Instance(stepped="2026-04-01 09:00") as instance:
        instance.up()
        instance.publish()
        work = Casework(instance)
        client = instance.client("intake")
        report_id = file_report(client, "whole", "bjorkgarden-plan-1", pb.REPORT_TYPE_LEX_SARAH, APRIL_1)
        file_report(client, "turned", "lindhaga", pb.REPORT_TYPE_DEVIATION, APRIL_1)
        file_report(client, "nobody", "hemtjanst-norr", pb.REPORT_TYPE_LEX_SARAH, APRIL_1)
        file_report(client, "nobody's deviation", "kvarnbacken", pb.REPORT_TYPE_DEVIATION, APRIL_1)
        instance.settle()
        number = {c["unit"]: c["number"] for c in instance.json("case", "list")}
        whole = number["bjorkgarden-plan-1"]
        received(work, whole)
        remedied(work, whole)
        turned(work, number["lindhaga"])
        assessed(work, whole)
        notified(work, whole)
        investigated(work, whole)
        measured(work, whole)
        closed(work, whole, report_id)
        figures_of_the_case(work)
        untouched(work, number["hemtjanst-norr"], number["kvarnbacken"])
        before = once_each("no rung has fired twice", work)

        instance.down()
        instance.up()
        instance.avvik("clock", "advance", "--to", "2026-12-20 10:00")
        check("after a restart and two more months no rung has fired again", once_each("none twice after a restart", work), before)
        leap(instance, work, client)
        client.close()

        journals = [event for daemon in DAEMONS for event in instance.feed(daemon)[0]]
        check("no journal holds anything that somebody wrote",
              [e.WhichOneof("body") for e in journals if SECRET.encode() in e.SerializeToString()], [])
        check("nor does a log", SECRET in open(instance.up_log.name).read(), False)
        mails = list(work.all_mails())
        check("nor does a mail", [name for name, text in mails if SECRET in text or "Andersson" in text], [])
        check_true("and there were many", len(mails) > 50, len(mails))
        check("health has nothing to say", instance.issues(), set())
        instance.down()
        done = instance.run(["verify"], check=False)
        check_true("chains, seals and replay hold", done.returncode == 0, done.stdout + done.stderr)


main()
