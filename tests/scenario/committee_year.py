"""A year of the social services committee of Lindåker, January to December 2026, and on until the last check of a measure.

Some forty reports come in. Deviations are inquired into and closed, and some become lex Sarah: by a manager's answer, and by the
risk. Private providers' reports open information cases. A manager leaves; others are away, and their deputies are told. A deadline
falls on Midsummer Eve, another on Christmas Eve. In June the daemons are stopped, and then restored from a backup. Measures are checked
after three, six and twelve months, and one of them had no effect. In the end what the journals tell is counted again: no reminder was
given twice, none was forgotten, and the figures of each tertial are right.
"""

import datetime
import os
import re
import sys
import uuid

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import recount  # noqa: E402
from casework import ASSISTANT, HEAD_OF_DEPARTMENT, INVESTIGATOR, MANAGER, NEIGHBOUR, SAS, Casework  # noqa: E402
from instance import SOURCE, Instance, check, check_true, pb, report  # noqa: E402

REGISTRAR = "rut.diariesson"
SOUTH = "soren.hemgren"             # manager of Hemtjänst söder
LEAVING = "norea.hemgren"           # manager of Hemtjänst norr; leaves at the end of February
SUCCESSOR = "nils.hemgren"          # who takes over on 1 March
LEX_SARAH, DEVIATION = pb.REPORT_TYPE_LEX_SARAH, pb.REPORT_TYPE_DEVIATION
PLAN_1, LINDHAGA, NORTH_UNIT, SOUTH_UNIT = "bjorkgarden-plan-1", "lindhaga", "hemtjanst-norr", "hemtjanst-soder"
TALLEN, GRANEN = "hvb-tallen", "hvb-granen"  # homes of private providers


class Year:
    """The committee's work, day by day."""

    def __init__(self, instance):
        self.instance, self.work = instance, Casework(instance)
        self.now, self.filed = None, 0
        self.act, self.refused, self.told = self.work.act, self.work.refused, self.work.told

    def on(self, day, time="09:00"):
        self.work.advance(f"{day} {time}")
        self.now = datetime.datetime.fromisoformat(f"{day} {time}").replace(tzinfo=recount.STOCKHOLM)

    def command(self, reference, unit, kind, category):
        command = report(reference, unit=unit, kind=kind, when_ms=int(self.now.timestamp() * 1000), category=category)
        command.file_report.reporter.name = "Prov Rapportör"
        return command

    def report(self, unit, kind=DEVIATION, category="UTF"):
        """Filed by the unit's own system. Answers its number."""
        self.filed += 1
        command = self.command(f"year-{self.filed}", unit, kind, category)
        client = self.instance.client("intake")
        reply = client.call(command)
        client.close()
        assert reply.status == pb.REPLY_STATUS_DONE, reply
        self.instance.settle()
        return self.work.show(str(uuid.UUID(bytes=reply.report_accepted.report_id)))["number"]

    def states(self, number, *rules):
        """How the last deadline of each rule stands."""
        found = {d["rule"]: d["state"] for d in self.instance.json("deadlines", number, "--all")}
        return [found[rule] for rule in rules]

    # --- what is done with a case

    def ordinary(self, number, manager, effect="--effective"):
        """A deviation from its review to the measure, in one sitting."""
        self.act(number, "review", manager)
        self.act(number, "inquire", manager, "--laws", "sol", "--category", "UTF")
        self.act(number, "risk", manager, "--law", "sol", "--probability", "1", "--severity", "2")
        self.act(number, "conclude", manager, "--text", "utrett", "--causes", "KOM")
        self.act(number, "measure", manager, "--description", "ny rutin", "--goal", "lugnare nätter", "--responsible", manager, "--end",
                 str(self.now.date() + datetime.timedelta(days=14)), "--horizon", "short")
        self.act(number, "execute", manager, "1", "--text", "infört")
        self.act(number, "evaluate", manager, "1", effect, *(["--accept-risk"] if effect == "--ineffective" else []), "--text", "bedömt")
        self.act(number, "close", manager, "--category", "UTF")

    def early(self, manager, *numbers):
        for number in numbers:
            self.act(number, "close-early", manager, "--motive", "ingen avvikelse", "--category", "UTF")

    def investigation(self, number, degree):
        for item in (*range(1, 9), 10):
            self.act(number, "entry", INVESTIGATOR, "--item", str(item), "--nature", "fact", "--source", "samtal",
                     "--text", f"uppgift {item}")
        self.act(number, "complete", INVESTIGATOR, "--degree", degree, "--motive", "utrett")
        self.act(number, "decide", SAS, "--degree", degree, "--motive", "beslut")

    def measure(self, number, responsible, end):
        self.act(number, "measure", SAS, "--description", "utbildning", "--goal", "rätt insats i tid", "--responsible", responsible, "--end", end,
                 "--horizon", "long")

    def judge(self, number, measure, manager, effect, rule):
        for person in (INVESTIGATOR, manager):
            self.act(number, "evaluate", person, measure, effect, "--check", rule, "--text", "bedömt")


# --- the year, month by month

def january(year):
    year.on("2026-01-07")
    first = year.report(PLAN_1, LEX_SARAH)
    others = [year.report(LINDHAGA), year.report(LINDHAGA), year.report(SOUTH_UNIT)]
    check("a lex Sarah report the day after Epiphany is to be remedied the next working day",
          year.work.deadlines(first)["D2"]["due_on"], "2026-01-08")
    year.act(first, "remedy", MANAGER, "--text", "larmet är lagat")
    year.on("2026-01-09")
    year.ordinary(others[0], NEIGHBOUR)
    year.early(NEIGHBOUR, others[1])
    year.early(SOUTH, others[2])
    check("two small deviations are closed in time, one after its measure", {year.work.show(n)["state"] for n in others}, {"closed"})
    year.on("2026-01-12")
    year.act(first, "assess", SAS, "--degree", "misconduct", "--investigate", "--investigator", INVESTIGATOR, "--motive", "utreds")
    year.on("2026-01-20")
    year.investigation(first, "misconduct")
    year.measure(first, MANAGER, "2026-01-30")
    year.on("2026-01-29")
    year.act(first, "execute", MANAGER, "1", "--text", "alla utbildade")
    deadlines = year.work.deadlines(first)
    check("the effect of its measure is to be judged after three, six and twelve months",
          [deadlines[f"{rule}/1"]["due_on"] for rule in ("D26", "D26B", "D26C")], ["2026-04-29", "2026-07-29", "2027-01-29"])
    return first


def february(year):
    year.on("2026-02-03")
    small = [year.report(SOUTH_UNIT), year.report(LINDHAGA), year.report(NORTH_UNIT)]
    year.on("2026-02-05")
    year.ordinary(small[0], SOUTH, "--ineffective")
    year.early(NEIGHBOUR, small[1])
    year.early(LEAVING, small[2])
    year.on("2026-02-25")
    late = year.report(NORTH_UNIT)
    check("the manager of Hemtjänst norr has a task", year.told(late, "N1"), {(LEAVING, "")})
    directory = os.path.join(SOURCE, "deploy", "directory", "lindaker.yaml")
    with open(directory) as file:
        town = yaml.safe_load(file)
    leaving = next(p for p in town["people"] if p["id"] == LEAVING)
    role = next(r for r in leaving["roles"] if r["role"] == "EC")
    role["until_on"] = "2026-02-28"
    town["people"].append({"id": SUCCESSOR, "name": "Nils Hemgren", "mail": "nils.hemgren@lindaker.example",
                           "roles": [{"role": "EC", "unit": NORTH_UNIT, "from_on": "2026-03-01"}]})
    town["version"] += "-2026-03"
    path = os.path.join(year.instance.root, "directory.yaml")
    with open(path, "w") as file:
        file.write(yaml.safe_dump(town, allow_unicode=True, sort_keys=False))
    year.instance.avvik("directory", "publish", path, "--reason", "ny chef i Hemtjänst norr från 1 mars")
    return late


def march(year, late):
    year.on("2026-03-12")
    rungs = {(n["person"], n["rung"]) for n in year.work.notices(late) if n.get("rung")}
    check("before March the manager who leaves is reminded, after that who took over",
          sorted(rungs), [(SUCCESSOR, "overdue"), (SUCCESSOR, "warning")])
    text = year.refused(late, "review", LEAVING)
    check_true("who has left neither acts nor sees anything of it", "holds no role" in text and "sees nothing" in text, text)
    year.ordinary(late, SUCCESSOR)
    check("its review and inquiry were late", year.states(late, "DEV2", "DEV1"), ["met_late", "met_late"])

    year.on("2026-03-16")
    tallen = year.report(TALLEN, LEX_SARAH)
    case = year.work.show(tallen)
    check("a private provider's report opens an information case: it investigates and notifies itself",
          (case["kind"], sorted(year.work.deadlines(tallen))), ("information", ["D6"]))
    year.act(tallen, "register", REGISTRAR, "--number", "SN 2026/88")
    year.on("2026-03-19")
    client = year.instance.client("workflow")
    told = client.call(pb.Command(reference="tallen-1", message_id="tallen-1", tell_notification=pb.TellNotification(
        report_id=uuid.UUID(case["case_id"]).bytes, notified_at_ms=int(year.now.timestamp() * 1000) - 3600000, ivo_case_number="8.7-1/2026")))
    client.close()
    check("its own system tells that it has notified IVO", (told.status, told.notification_kept.state),
          (pb.REPLY_STATUS_DONE, pb.CASE_STATE_PROVIDER_NOTIFIED))
    check("registered and told in time", year.states(tallen, "D6", "D7"), ["met", "met"])
    granen = year.report(GRANEN, LEX_SARAH)
    small = [year.report(LINDHAGA), year.report(SOUTH_UNIT)]
    year.on("2026-03-27")
    year.early(NEIGHBOUR, small[0])
    year.ordinary(small[1], SOUTH)
    year.act(granen, "register", REGISTRAR, "--number", "SN 2026/97")
    year.act(granen, "provider-notified", REGISTRAR, "--notified", "2026-03-20 10:00", "--ivo-number", "8.7-2/2026",
             "--text", "brev från Granen")
    check("the other one was registered late, and told of late", year.states(granen, "D6", "D7"), ["met_late", "met_late"])
    for number in (tallen, granen):
        year.act(number, "close", SAS)


def april(year, first):
    year.on("2026-04-07")
    turned = year.report(LINDHAGA)
    year.on("2026-04-08")
    year.act(turned, "turn", NEIGHBOUR, "--motive", "kan vara ett missförhållande")
    check("a deviation becomes lex Sarah by the manager's answer", year.work.show(turned)["kind"], "lex_sarah")
    year.act(turned, "remedy", NEIGHBOUR, "--text", "extra bemanning")
    year.act(turned, "assess", SAS, "--degree", "serious", "--investigate", "--investigator", INVESTIGATOR, "--motive", "utreds")
    year.on("2026-04-17")
    year.act(turned, "serious", SAS, "--motive", "allvarligt")
    year.on("2026-04-19", "14:00")
    year.act(turned, "notify", SAS, "--registry", "SN 2026/117")
    d5 = year.work.deadlines(turned)["D5"]
    check("IVO is notified at once; the investigation is due two months on, which is Midsummer Eve, and so on Monday",
          (d5["nominal_on"], d5["due_on"]), ("2026-06-19", "2026-06-22"))
    year.on("2026-04-28")
    year.judge(first, "1", MANAGER, "--effective", "D26")
    year.act(first, "close", SAS, "--category", "UTF")
    check("after three months the measure of January has had effect, and the case is closed; its later checks run on",
          year.states(first, "D26", "D26B", "D26C"), ["met", "running", "running"])
    small = [year.report(SOUTH_UNIT), year.report(NORTH_UNIT)]
    year.on("2026-04-30")
    year.early(SOUTH, small[0])
    year.early(SUCCESSOR, small[1])
    return turned


def may(year, turned):
    year.on("2026-05-05")
    year.act(turned, "ivo-request", REGISTRAR, "--due", "2026-05-20", "--text", "bemanningslistor", "--ivo-number", "3.2-7/2026")
    risky = year.report(SOUTH_UNIT)
    year.act(risky, "review", SOUTH)
    year.act(risky, "inquire", SOUTH, "--laws", "sol", "--category", "UTF")
    text = year.act(risky, "risk", SOUTH, "--law", "sol", "--probability", "4", "--severity", "4", "--text", "mycket hög")
    check_true("another becomes lex Sarah by its risk alone", "turned into lex Sarah" in text, text)
    year.on("2026-05-08")
    year.act(risky, "remedy", SOUTH, "--text", "nytt lås")
    year.act(risky, "assess", SAS, "--degree", "none", "--position", "--motive", "inget missförhållande")
    year.act(risky, "close", SAS, "--category", "MILJO")
    year.on("2026-05-14", "12:00")
    check_true("a week before the day in IVO's letter the coordinator is reminded, on Ascension Day too",
               (SAS, "") in year.told(turned, "N120"), year.work.notices(turned))
    year.on("2026-05-19")
    year.act(turned, "ivo-answer", SAS, "--text", "listor")
    check("IVO is answered the day before", year.states(turned, "IVO1"), ["met"])
    small = [year.report(LINDHAGA), year.report(NORTH_UNIT), year.report(SOUTH_UNIT)]
    year.on("2026-05-22")
    year.early(NEIGHBOUR, small[0])
    year.ordinary(small[1], SUCCESSOR)
    year.early(SOUTH, small[2])


def june(year, turned):
    instance = year.instance
    year.on("2026-06-10", "17:30")
    kept = year.report(LINDHAGA)
    instance.down()
    backup = os.path.join(instance.root, "backup")
    instance.avvik("backup", backup)
    instance.up()
    instance.settle()
    check("all four daemons are started again after the backup of the evening, and nothing is said twice",
          recount.wrong_rungs(instance.feed("workflow")[0], 0)[0], [])
    lost = year.report(LINDHAGA)
    year.early(NEIGHBOUR, kept)
    instance.down()
    instance.avvik("restore", backup)
    instance.up()
    instance.settle()
    check("the machine breaks that night, and is restored: what was done after the backup is not known",
          (year.work.show(kept)["state"], instance.run(["case", "show", lost], check=False).returncode != 0), ("received", True))
    client = instance.client("intake")
    again = client.call(year.command(f"year-{year.filed}", LINDHAGA, DEVIATION, "UTF"))
    client.close()
    check("so the unit's system, which has its receipt, files it again", (again.status, again.repeated), (pb.REPLY_STATUS_DONE, False))
    instance.settle()
    year.early(NEIGHBOUR, kept, lost)

    year.on("2026-06-15")
    year.investigation(turned, "serious")
    check("the head of department is away: her deputy is told of the decision", year.told(turned, "N51", role="AC"),
          {("fredrik.avdelningsberg", HEAD_OF_DEPARTMENT)})
    year.on("2026-06-22", "15:00")
    year.act(turned, "hand-in", SAS, "--channel", "system")
    check("on the Monday after Midsummer the investigation is handed in, in time", year.states(turned, "D5"), ["met"])
    year.measure(turned, NEIGHBOUR, "2026-06-30")


def july(year, first, turned):
    year.on("2026-07-01")
    year.act(turned, "execute", NEIGHBOUR, "1", "--text", "schemat är ändrat")
    check("a measure is executed a day late", year.states(turned, "D25"), ["met_late"])
    holiday = [year.report(PLAN_1, category="MILJO"), year.report(LINDHAGA)]
    check("the manager of Björkgården is away, and her deputy has the task", year.told(holiday[0], "N1"),
          {(ASSISTANT, MANAGER)})
    year.on("2026-07-03")
    year.early(ASSISTANT, holiday[0])
    year.on("2026-07-20")
    check("nobody looks at the other one: it is overdue", year.states(holiday[1], "DEV2", "DEV1"), ["running", "running"])
    year.ordinary(holiday[1], NEIGHBOUR)
    check("and its deadlines are met late", year.states(holiday[1], "DEV2", "DEV1"), ["met_late", "met_late"])
    year.on("2026-07-28")
    check("before the check after six months who is responsible is away, and so is her deputy: his is reminded",
          [(n["person"], n["deputy_for"]) for n in year.work.notices(first) if n["rule"] == "N140" and n["role"] == "responsible"],
          [(NEIGHBOUR, MANAGER)])
    year.judge(first, "1", ASSISTANT, "--effective", "D26B")
    check("back from his holiday the deputy judges it for her", year.states(first, "D26B"), ["met"])


def autumn(year, first, turned):
    year.on("2026-08-20")
    small = [year.report(SOUTH_UNIT), year.report(LINDHAGA)]
    forgotten = year.report(NORTH_UNIT, LEX_SARAH), year.report("korttids-almen")
    year.on("2026-08-24")
    year.early(SOUTH, small[0])
    year.ordinary(small[1], NEIGHBOUR)
    year.on("2026-09-10")
    year.act(turned, "ivo-decision", REGISTRAR, "--outcome", "criticism", "--text", "kritik")
    small = [year.report(NORTH_UNIT), year.report(SOUTH_UNIT), year.report(PLAN_1, category="MILJO")]
    year.on("2026-09-14")
    year.early(SUCCESSOR, small[0])
    year.early(SOUTH, small[1])
    year.early(MANAGER, small[2])
    year.on("2026-09-29")
    year.judge(turned, "1", NEIGHBOUR, "--ineffective", "D26")
    text = year.refused(turned, "close", SAS, "--category", "UTF")
    check_true("a measure without effect leads back to measures: it cannot be closed before another is decided",
               "the case is measures" in text, text)
    check("and the later checks of the one without effect are not needed", year.states(turned, "D26", "D26B", "D26C"),
          ["met", "cancelled", "cancelled"])
    year.measure(turned, NEIGHBOUR, "2026-10-15")
    year.on("2026-10-15")
    year.act(turned, "execute", NEIGHBOUR, "2", "--text", "ny metod")
    back = year.report(PLAN_1, LEX_SARAH)
    year.instance.settle()
    number = year.work.show(first)["number"]
    check("it comes back where a measure had had effect: the question is raised again", year.work.show(back)["recurs"], [number])
    year.act(back, "remedy", MANAGER, "--text", "ändrat")
    year.act(back, "assess", SAS, "--degree", "none", "--position", "--motive", "inget missförhållande")
    year.act(back, "close", SAS, "--category", "UTF")
    year.on("2026-10-19")
    year.act(first, "evaluate", INVESTIGATOR, "1", "--effective", "--check", "recurrence", "--text", "bedömt")
    year.act(first, "evaluate", MANAGER, "1", "--effective", "--check", "recurrence", "--text", "bedömt")
    small = [year.report(SOUTH_UNIT), year.report(NORTH_UNIT)]
    year.on("2026-10-23")
    year.ordinary(small[0], SOUTH)
    year.early(SUCCESSOR, small[1])
    check("two reports of August lie untouched: it is told higher and higher up, to the head of administration",
          (year.told(forgotten[0], "N105"), [n["role"] for n in year.work.notices(forgotten[1]) if n.get("rung") == "escalation"]),
          ({("folke.chefsdal", "")}, ["AC"]))
    year.on("2026-11-09")
    small = [year.report(LINDHAGA), year.report(SOUTH_UNIT), year.report(NORTH_UNIT)]
    year.on("2026-11-12")
    year.early(NEIGHBOUR, small[0])
    year.early(SOUTH, small[1])
    year.ordinary(small[2], SUCCESSOR)


def christmas(year, first, turned):
    year.on("2026-12-10")
    year.early(SOUTH, year.report(SOUTH_UNIT))
    year.on("2026-12-23", "14:00")
    late = year.report(LINDHAGA, LEX_SARAH)
    check("what comes the day before Christmas Eve is to be remedied on the Monday after Boxing Day",
          year.work.deadlines(late)["D2"]["due_on"], "2026-12-28")
    year.on("2026-12-28", "10:00")
    year.act(late, "remedy", NEIGHBOUR, "--text", "avhjälpt")
    check("and is", year.states(late, "D2"), ["met"])
    year.on("2027-01-11")
    year.judge(turned, "2", NEIGHBOUR, "--effective", "D26")
    year.act(turned, "close", SAS, "--category", "UTF")
    check("the second measure had effect, and the case is closed", year.work.show(turned)["state"], "closed")
    year.on("2027-01-28")
    year.judge(first, "1", MANAGER, "--effective", "D26C")
    check("after twelve months the measure of last January still holds", year.states(first, "D26C"), ["met"])
    year.on("2027-02-15")
    check("the report of Christmas waits for its assessment, and that is overdue", year.states(late, "D3"), ["running"])


# --- the year counted again

def counted_again(year):
    events, _ = year.instance.feed("workflow")
    twice, missing, fired = recount.wrong_rungs(events, int(year.now.timestamp() * 1000))
    check("no reminder was given twice in the whole year", twice, [])
    check("and none was forgotten", missing, [])
    one = next(event for event in events if event.WhichOneof("body") == "rung_fired")
    doubled, _, _ = recount.wrong_rungs(events + [one], 0)
    _, without, _ = recount.wrong_rungs([event for event in events if event is not one], int(year.now.timestamp() * 1000))
    check("(the recount would have seen one that was, and one that was not)", (len(doubled), len(without)), (1, 1))
    notices, _ = year.instance.feed("notification")
    bodies = [event.WhichOneof("body") for event in notices]
    check_true(f"{fired} reminders were given, and each had somebody to reach", fired > 40 and "notice_unreachable" not in bodies,
               (fired, [e.notice_unreachable for e in notices if e.WhichOneof("body") == "notice_unreachable"]))
    told_of = {event.notice_decided.notice.cause_id for event in notices if event.WhichOneof("body") == "notice_decided"}
    check("by a mail of its own, or in one with others", [e.sequence for e in events if e.WhichOneof("body") == "rung_fired" and
                                                        e.event_id not in told_of], [])
    counts = recount.tertials(events)
    for tertial in ("2026-T1", "2026-T2", "2026-T3", "2027-T1"):
        want = {key[1:]: value for key, value in counts.items() if key[0] == tertial}
        got = {}
        for (measurement, kind, _, _), value in year.work.figures("socialnamnden", "tertial", tertial).items():
            got[measurement, kind] = got.get((measurement, kind), 0) + value
        check(f"the figures of {tertial} are what a recount of the journal gives", got, want)
    received = sum(value for (tertial, what, _), value in counts.items() if what == "received" and tertial < "2027")
    check("all that was filed in the year is counted in it", received, year.filed)


def publish(instance):
    """The rule pack of a municipality with private providers."""
    instance.publish()
    with open(os.path.join(SOURCE, "deploy", "rules", "se-2025-07.yaml")) as file:
        text = file.read()
    text = re.sub(r"(?m)^information_operations:.*$", "information_operations: [private, contracted]", text)
    text = re.sub(r"(?m)^version:.*$", "version: lindaker-2026", text)
    path = os.path.join(instance.root, "lindaker-2026.yaml")
    with open(path, "w") as file:
        file.write(text)
    instance.avvik("rules", "publish", path, "--reason", "utförare i enskild regi")


def main():
    with Instance(stepped="2026-01-02 09:00") as instance:
        instance.up()
        publish(instance)
        year = Year(instance)
        first = january(year)
        march(year, february(year))
        turned = april(year, first)
        may(year, turned)
        june(year, turned)
        july(year, first, turned)
        autumn(year, first, turned)
        christmas(year, first, turned)
        counted_again(year)
        check("health has nothing to say", instance.issues(), set())
        instance.down()
        done = instance.run(["verify"], check=False)
        check_true("chains, seals and replay hold", done.returncode == 0, done.stdout + done.stderr)


main()
