"""What is wrong gets a clear answer that names the field and the remedy, and never what was sent; whoever misbehaves harms nobody else."""

import os
import sys
import time

import yaml
import zmq

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from casework import SAS  # noqa: E402
from instance import Client, Instance, SOURCE, check, check_true, pb, report  # noqa: E402

SECRET = "Zonrosprovtext"
APRIL_1 = 1775026800000


def faults(reply):
    return sorted((fault.path, pb.FaultCode.Name(fault.code)[11:]) for fault in reply.faults)


def texts(reply):
    return reply.text + " ".join(fault.text for fault in reply.faults)


def reports(instance, client):
    """Faulty circumstances are kept and named; what cannot be bounded is refused."""
    command = report("unknown-unit", unit="borta", when_ms=APRIL_1)
    reply = client.call(command)
    check("a report with an unknown unit is kept", reply.status, pb.REPLY_STATUS_DONE)
    check("and the fault names the field", faults(reply), [("unit", "UNKNOWN_REFERENCE")])

    command = report("no-unit", unit=f"{SECRET} hos Anna", when_ms=APRIL_1)
    command.file_report.reporter.name = ""
    command.file_report.occurred_until_at_ms = command.file_report.occurred_from_at_ms - 1
    command.file_report.category = "FINNSEJ"
    reply = client.call(command)
    check("one with four faults too, all of them named", (reply.status, [path for path, _ in faults(reply)]),
          (pb.REPLY_STATUS_DONE, ["category", "occurred_until_at_ms", "reporter.name", "unit"]))
    check("and no answer holds what was sent", SECRET in texts(reply), False)
    instance.settle()
    check("both became tasks", {c["state"] for c in instance.json("case", "list")}, {"incomplete"})
    check("what stood where a unit belongs is in no journal",
          [1 for daemon in ("intake", "workflow") for e in instance.feed(daemon)[0] if SECRET.encode() in e.SerializeToString()], [])

    command = report("too-long", unit="lindhaga", when_ms=APRIL_1)
    command.file_report.narrative.description = "x" * 40000
    reply = client.call(command)
    check("a text over its bound is refused", (reply.status, faults(reply)),
          (pb.REPLY_STATUS_INVALID, [("narrative.description", "TOO_LONG")]))
    command = report("too-many", unit="lindhaga", when_ms=APRIL_1)
    for number in range(60):
        command.file_report.persons.affected.add(name="Prov")
    reply = client.call(command)
    check("a list over its bound too", (reply.status, faults(reply)),
          (pb.REPLY_STATUS_INVALID, [("persons.affected", "TOO_LONG")]))
    command = report("too-much", unit="lindhaga", when_ms=APRIL_1)
    command.file_report.laws.extend([pb.LAW_SOL] * 100000)
    check_true("a frame full of fields is refused", client.call(command).status in
               (pb.REPLY_STATUS_TOO_LARGE, pb.REPLY_STATUS_INVALID, pb.REPLY_STATUS_MALFORMED))
    command = report("no-type", unit="lindhaga", when_ms=APRIL_1)
    command.file_report.type = pb.REPORT_TYPE_UNSPECIFIED
    check("a report of no type is refused", faults(client.call(command)), [("type", "REQUIRED")])
    check("a reference over its bound", client.call(report("r" * 200, when_ms=APRIL_1)).status, pb.REPLY_STATUS_INVALID)
    found = client.call(pb.Command(get_receipt=pb.GetReceipt(reference="never sent")))
    check("a receipt that there is not", found.status, pb.REPLY_STATUS_NOT_FOUND)
    found = client.call(pb.Command(get_rules=pb.GetRules(version="se-1809")))
    check("a rule pack that there is not", found.status, pb.REPLY_STATUS_NOT_FOUND)


def order(reference, case, person, version=None, **act):
    command = pb.Command(reference=reference, message_id=reference, on_behalf_of=person)
    command.act_on_case.case_id = case.case_id
    command.act_on_case.version_seen = case.version if version is None else version
    for name, body in act.items():
        getattr(command.act_on_case, name).CopyFrom(body)
    return command


def acts(instance, client):
    check("a sound report", client.call(report("sound", unit="lindhaga", when_ms=APRIL_1)).status, pb.REPLY_STATUS_DONE)
    instance.settle()
    number = instance.json("case", "list", "--unit", "lindhaga")[0]["number"]
    casework = instance.client("workflow", name="casework")

    def case():
        return casework.call(pb.Command(get_case=pb.GetCase(number=number))).case_found.case

    first = case()
    remedy = pb.Remedy(text=f"{SECRET} åtgärdat")
    reply = casework.call(order("a1", first, "nobody.atall", remedy=remedy))
    check("an unknown person may not act", (reply.status, faults(reply)),
          (pb.REPLY_STATUS_FORBIDDEN, [("on_behalf_of", "UNKNOWN_REFERENCE")]))
    reply = casework.call(order("a2", first, "", remedy=remedy))
    check("nor may nobody", (reply.status, faults(reply)), (pb.REPLY_STATUS_INVALID, [("on_behalf_of", "REQUIRED")]))
    reply = casework.call(order("a3", first, "talle.hvbsson", remedy=remedy))
    check("nor the manager of another unit", reply.status, pb.REPLY_STATUS_FORBIDDEN)
    reply = casework.call(order("a4", first, SAS, decide=pb.Decide(degree=pb.DEGREE_SERIOUS, motive=SECRET)))
    check("what cannot be done in this state is refused", (reply.status, [c for _, c in faults(reply)]),
          (pb.REPLY_STATUS_WRONG_STATE, ["WRONG_STATE"]))
    check("without repeating what was sent", SECRET in texts(reply), False)
    reply = casework.call(order("a5", first, SAS, remedy=remedy))
    check("a sound act is done", reply.status, pb.REPLY_STATUS_DONE)
    reply = casework.call(order("a5", first, SAS, remedy=remedy))
    check("the same again is the same reply", (reply.status, reply.repeated, reply.act_accepted.version),
          (pb.REPLY_STATUS_DONE, True, first.version + 1))
    reply = casework.call(order("a5", first, SAS, remedy=pb.Remedy(text="annat")))
    check("another content under its reference is a conflict", (reply.status, [p for p, _ in faults(reply)]),
          (pb.REPLY_STATUS_CONFLICT, ["reference"]))
    inform = pb.InformAffected(informed=True, text="x")
    reply = casework.call(order("a6", first, SAS, inform_affected=inform))
    check("an act on a version that has passed is stale", (reply.status, [c for _, c in faults(reply)]),
          (pb.REPLY_STATUS_STALE, ["STALE_VERSION"]))
    reply = casework.call(order("a7", first, SAS, version=first.version + 50, inform_affected=inform))
    check_true("one on a version to come is refused", reply.status in (pb.REPLY_STATUS_STALE, pb.REPLY_STATUS_INVALID), reply)
    reply = casework.call(order("a8", case(), SAS, place=pb.PlaceCase(unit="borta", motive="x")))
    check_true("a case is not placed at an unknown unit", reply.status == pb.REPLY_STATUS_INVALID and
               "UNKNOWN_REFERENCE" in [c for _, c in faults(reply)], reply)
    reply = casework.call(order("a9", case(), SAS, assess_initially=pb.AssessInitially(
        preliminary_degree=pb.DEGREE_MISCONDUCT, investigate=True, motive="x", investigator="nobody.atall")))
    check_true("nor investigated by an unknown person", reply.status == pb.REPLY_STATUS_INVALID and
               "UNKNOWN_REFERENCE" in [c for _, c in faults(reply)], reply)
    future = order("a10", case(), SAS, inform_affected=inform)
    future.act_on_case.acted_at_ms = APRIL_1 + 40 * 86400000
    check("nor done tomorrow", casework.call(future).status, pb.REPLY_STATUS_INVALID)
    empty = order("a11", case(), SAS)
    check("an order without an act is refused", casework.call(empty).status, pb.REPLY_STATUS_INVALID)
    unknown = order("a12", case(), SAS, inform_affected=inform)
    unknown.act_on_case.case_id = b"\x01" * 16
    check("one on an unknown case", casework.call(unknown).status, pb.REPLY_STATUS_NOT_FOUND)
    why = pb.Command(get_why=pb.GetWhy(case_id=first.case_id, rule="D99"))
    reply = casework.call(why)
    check_true("why, of an unknown rule, finds nothing", reply.status == pb.REPLY_STATUS_NOT_FOUND or not reply.why_found.whys, reply)
    read = pb.Command(reference="a13", on_behalf_of=SAS, read_content=pb.ReadContent(case_id=first.case_id, purpose="nyfikenhet"))
    reply = casework.call(read)
    check("content is not read for an unknown purpose", (reply.status, faults(reply)),
          (pb.REPLY_STATUS_INVALID, [("purpose", "UNKNOWN_VALUE")]))
    check("nothing of all this changed the case", case().version, first.version + 1)
    casework.close()


# --- files

# Where a line begins with the first text, from there on the first line that holds the second, which becomes the third.
DIRECTORY = os.path.join(SOURCE, "deploy", "directory", "lindaker.yaml")
RULES = os.path.join(SOURCE, "deploy", "rules", "se-2025-07.yaml")
FAULTS = {
    ("directory", "of form"): (DIRECTORY, [
        ("municipality:", "municipality", "kommun"),
        ("name:", "name: Socialnämnden i Lindåker", "name: [Socialnämnden]"),
        ("- { code: stab,", "level: department", "level: avdelningen"),
        ("- { code: lindhaga,", "operation: own", "operation: egen"),
        ("- { code: kvarnbacken,", "area:", "omrade:"),
        ("- { code: hemtjanst-vaxthuset,", "laws: [sol]", "laws: [sol, xyz]"),
        ("- id: folke.chefsdal", "roles: [{ role: FC, unit: socialforvaltningen }]", "roles: FC"),
        ("- id: saga.samordnare", "mail:", "epost:"),
        ("- id: lennart.ansvarsson", "from_on: 2026-07-27", "from_on: 2026-17-27"),
        ("- id: uno.granskvist", "uno.granskvist@", "uno\\tgranskvist" + "x" * 300 + "@")]),
    ("directory", "of meaning"): (DIRECTORY, [
        ("- { code: bjorkgarden-plan-2,", "level: group", "level: department"),
        ("- { code: lindhaga,", "parent: aldreomsorg", "parent: borta"),
        ("- { code: kvarnbacken,", "operation: contracted, ", ""),
        ("- { code: hemtjanst-soder,", "code: hemtjanst-soder", "code: hemtjanst-norr"),
        ("- { code: rehab,", "activity: rehab", "activity: rehabb"),
        ("- id: folke.chefsdal", "person: agneta.avdelningsberg", "person: folke.chefsdal"),
        ("- id: nina.protokollstrom", "role: NAMNDSEKR", "role: KUNG"),
        ("- id: saga.samordnare", "person: signe.samordnare", "person: ingen.alls"),
        ("- id: lennart.ansvarsson", "until_on: 2026-08-16", "until_on: 2026-06-16"),
        ("- id: uno.granskvist", "unit: ifo", "unit: borta")]),
    ("rules", "of form"): (RULES, [
        ("title:", "title:", "titel:"),
        ("valid_from_on:", "2025-07-01", "1 juli"),
        ("- { code: EC,", "code: EC,", "kod: EC,"),
        ("- id: D2", "unit: working_days", "unit: arbetsdagar"),
        ("- id: D3", "starts: received", "starts: mottagen"),
        ("- id: D4", "statutory: false", "statutory: nej"),
        ("- id: D5", "count: 2", "count: två"),
        ("- { id: N10,", "kind: task", "kind: uppgift"),
        ("- { act: decide,", "roles: [SAS, LEX_ANSV]", "roles: { role: SAS }"),
        ("size: 4", "size: 4", "size: -4")]),
    ("rules", "of meaning"): (RULES, [
        ("- { code: FYS_BRUKARE", "parent: FYS", "parent: BORTA"),
        ("- { code: TEK,", "code: TEK", "code: PRO"),
        ("- id: D2", 'source: "', 'source: "" # "'),
        ("- id: D3", "met_by: [assessed_initially]", "met_by: [received]"),
        ("- id: D4", "role: FC", "role: KUNG"),
        ("- id: D5", "{ kind: warning, count: 14", "{ kind: warning, count: 140"),
        ("- { id: N1,", "event: CaseOpened", "event: CaseOppnad"),
        ("- { id: N20,", "id: N20", "id: N1"),
        ("- { act: decide,", "roles: [SAS, LEX_ANSV]", "roles: [SAS, KUNG]"),
        ("- { act: close,", "act: close", "act: stanga")]),
}


def make_faulty(source, changes, path):
    """The lines that were changed, from 1."""
    with open(source) as file:
        lines = file.read().split("\n")
    lines = ["version: faulty" if line.startswith("version:") else line for line in lines]  # one that is published stands
    changed = []
    for start, old, new in changes:
        number = next(n for n, line in enumerate(lines) if line.strip().startswith(start))
        number = next(n for n in range(number, len(lines)) if old in lines[n])
        lines[number] = lines[number].replace(old, new, 1)
        changed.append(number + 1)
    with open(path, "w") as file:
        file.write("\n".join(lines))
    return changed


def files(instance):
    for (kind, which), (source, changes) in FAULTS.items():
        path = os.path.join(instance.root, "faulty.yaml")
        lines = make_faulty(source, changes, path)
        done = instance.run([kind, "publish", path, "--reason", "prov"], check=False)
        check(f"a {kind} file with ten faults {which} is refused", done.returncode, 1)
        if os.environ.get("AVVIK_KEEP"):
            print(done.stdout, done.stderr)
        missing = [n for n in lines if f"{path}:{n}:" not in done.stderr]
        check(f"and every one is listed with its line ({kind}, {which})", (missing, len(set(lines))), ([], 10))
        check(f"nothing of it is published ({kind}, {which})", "KUNG" in instance.avvik(kind, "show"), False)
    done = instance.run(["directory", "check", os.path.join(instance.root, "none.yaml")], check=False)
    check_true("a file that is not there is said to be so", done.returncode and "no such file" in done.stderr, done.stderr)
    with open(os.path.join(instance.root, "broken.yaml"), "w") as file:
        file.write("version: [1, 2\nunits: }{\n")
    done = instance.run(["rules", "check", file.name], check=False)
    check_true("one that is no YAML with the line where it breaks", done.returncode and f"{file.name}:2" in done.stderr, done.stderr)


# --- peers

def memory_kb(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))


def big_directory(instance):
    """One whose answer is large."""
    with open(DIRECTORY) as file:
        directory = yaml.safe_load(file)
    directory["version"] = "large"
    for number in range(3000):
        directory["people"].append({"id": f"prov.{number}", "name": f"Prov {number}", "mail": f"p{number}@lindaker.example",
                                    "roles": [{"role": "MEDARBETARE", "unit": "lindhaga"}]})
    path = os.path.join(instance.root, "large.yaml")
    with open(path, "w") as file:
        yaml.safe_dump(directory, file, allow_unicode=True, sort_keys=False)
    instance.avvik("directory", "publish", path, "--reason", "prov")


def deaf(instance, client):
    """A client that asks for large things and never reads."""
    big_directory(instance)
    before = memory_kb(instance.pid("intake"))
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.curve_serverkey = instance.server_key("intake")
    socket.curve_publickey, socket.curve_secretkey = instance.key_pair("admin")
    socket.linger, socket.rcvhwm, socket.rcvbuf, socket.sndtimeo = 0, 1, 4096, 1000
    socket.connect(instance.endpoints["intake", "command"])
    query = pb.Command(get_directory=pb.GetDirectory()).SerializeToString()
    for _ in range(4000):
        socket.send_multipart([b"", query])
    slowest, statuses = 0.0, set()
    for number in range(20):
        began = time.monotonic()
        statuses.add(client.call(report(f"meanwhile-{number}", unit="lindhaga", when_ms=APRIL_1)).status)
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.05)
    check("the reports of others are done meanwhile", statuses, {pb.REPLY_STATUS_DONE})
    check_true("beside a client that never reads its replies others are served", slowest < 5, slowest)
    grown = memory_kb(instance.pid("intake")) - before
    check_true("and its replies take no more than the bound (24 MiB with slack)", grown < 24 * 1024, grown)
    socket.close()


def consumers(instance):
    """Feeds: rights, credit, positions."""
    def ask(name="admin", **words):
        consumer = Client(instance.endpoints["intake", "feed"], instance.server_key("intake"), instance.key_pair(name))
        request = pb.FeedRequest(**{**dict(max_events=10, max_bytes=65536, wait_ms=0), **words})
        consumer.send(request)
        reply = pb.FeedReply()
        reply.ParseFromString(consumer.socket.recv_multipart()[-1])
        consumer.close()
        return reply

    refusal = {name: getattr(pb, f"FEED_REFUSAL_CODE_{name}") for name in ("NOT_ALLOWED", "UNKNOWN_POSITION", "BAD_REQUEST")}
    check("a principal without the right gets no feed", ask("publisher").refusal.code, refusal["NOT_ALLOWED"])
    for words in ({"max_events": 10001}, {"max_bytes": 5 << 20}, {"wait_ms": 60001}, {"max_events": 0}, {"max_bytes": 0}):
        reply = ask(**words)
        check(f"a credit of {words} is refused", reply.refusal.code, refusal["BAD_REQUEST"])
        check_true("with the bound", next(iter(words)) in reply.refusal.text, reply.refusal.text)
    batch = ask().batch
    check("no more comes than the credit", len(batch.items), min(10, batch.head))
    beyond = pb.Cursor(epoch_id=batch.reached.epoch_id, sequence=batch.head + 1000, chain_hash=b"\x01" * 32)
    other = pb.Cursor(epoch_id=batch.reached.epoch_id, sequence=batch.reached.sequence, chain_hash=b"\x01" * 32)
    strange = pb.Cursor(epoch_id=b"\x07" * 16, sequence=3, chain_hash=b"\x01" * 32)
    for name, cursor in (("beyond the end", beyond), ("with another hash", other), ("of another journal", strange)):
        reply = ask(after=cursor)
        check(f"a position {name} is unknown", reply.refusal.code, refusal["UNKNOWN_POSITION"])
        check(f"and the head is told ({name})", reply.refusal.head.epoch_id, batch.reached.epoch_id)
    reply = ask(after=pb.Cursor(epoch_id=b"short", sequence=3, chain_hash=b"x"))
    check("a position that is none is a bad request", reply.refusal.code, refusal["BAD_REQUEST"])


def main():
    with Instance(stepped="2026-04-01 09:00") as instance:
        instance.up()
        instance.publish()
        client = instance.client("intake")
        reports(instance, client)
        acts(instance, client)
        files(instance)
        consumers(instance)
        deaf(instance, client)
        client.close()
        instance.settle()
        check("in the end the client that did not read is told of, and the cases without a unit, whose deadlines reach nobody",
              {c for _, c in instance.issues()}, {"replies_dropped", "unplaced", "deadline_reaches_nobody"})
        text = next(i["text"] for i in instance.states()["workflow"]["issues"] if i["code"] == "deadline_reaches_nobody")
        check_true("and what to do about a unit that the directory lacks", "place its cases" in text, text)
        log = open(instance.up_log.name).read()
        check("and no log holds what was sent", SECRET in log, False)
        check("nobody has ended", "ended" in log, False)


main()
