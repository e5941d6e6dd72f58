"""Two reports of one event: suggested as such, joined by a person, parted again, joined for good. And a name that should not have been
written into a report: corrected, erased where it lay, while that it happened can be seen.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from casework import INVESTIGATOR, SAS, Casework  # noqa: E402
from instance import Instance, check, check_true, pb, report  # noqa: E402

APRIL_1 = 1775026800000  # 2026-04-01 09:00
HOUR = 3600000
UNIT = "bjorkgarden-plan-1"
WRONG = "Felnamnsson"
RIGHT = "den boende på rum 4"
CORRECTED = """
type: lex_sarah
unit: bjorkgarden-plan-1
narrative:
  description: Larmet från den boende på rum 4 besvarades inte.
reporter: { name: Annan Rapportör, role: nattpersonal, mail: ratt@lindaker.example }
"""


def file_report(client, reference, when_ms, kind, description, mail):
    command = report(reference, unit=UNIT, kind=kind, when_ms=when_ms)
    command.file_report.narrative.description = description
    command.file_report.reporter.mail = mail
    reply = client.call(command)
    check(f"{reference} is filed", reply.status, pb.REPLY_STATUS_DONE)
    return reply.report_accepted


def open_deadline(work, number, rule):
    return [d for d in work.instance.json("deadlines", number, "--all") if d["rule"] == rule and d["state"] == "running"]


def joined(work, first, second):
    case = work.show(second)
    check("the second report is suggested as the same event",
          [(d["number"], d["same_category"]) for d in case["duplicates"]], [(first, True)])
    text = work.instance.avvik("case", "list", "--duplicates")
    check_true("in the list too", "perhaps same as" in text and second in text, text)
    text = work.refused(second, "join", INVESTIGATOR, "--into", first, "--motive", "samma natt")
    check_true("an investigator does not join", "holds none of the roles" in text, text)
    done = work.act(second, "join", SAS, "--into", first, "--motive", "samma natt, samma rum")
    check_true("the coordinator does", "the report stands under the other case" in done, done)
    case = work.show(second)
    check("it is joined, and says where", (case["state"], case["joined_into"]["number"]), ("joined", first))
    check("its deadlines have ended", work.instance.json("deadlines", second), [])
    check("nothing more is suggested", work.show(first).get("duplicates"), None)
    text = work.instance.avvik("case", "show", second)
    check_true("a person sees it", f"case {first}, of the same event" in text, text)
    check("its reporter is told", work.told(second, "N163"), {("", "")})
    check_true("so is the unit's manager", work.told(second, "N160"), work.notices(second))
    check_true("and whoever has the other case", work.told(first, "N164"), work.notices(first))
    counts = {key[0]: value for key, value in work.figures("socialnamnden", "year", "2026").items()}
    check("two were received, one is joined", (counts["received"], counts["joined"]), (2, 1))
    now = {key[0]: value for key, value in work.figures("socialnamnden", "now").items()}
    check("one is open", now["open"], 1)


def parted(work, first, second):
    work.advance("2026-04-20 09:00")
    work.act(second, "part", SAS, "--motive", "det var en annan natt")
    case = work.show(second)
    check("parted it goes on where it was", (case["state"], case.get("joined_into")), ("received", None))
    check("with the deadline that it had", [d["due_on"] for d in open_deadline(work, second, "D3")], ["2026-05-02"])
    check_true("whoever has it has a task", (SAS, "") in work.told(second, "N167"), work.notices(second))
    counts = {key[0]: value for key, value in work.figures("socialnamnden", "year", "2026").items()}
    check("none is joined any more", counts.get("joined"), None)


def corrected(instance, work, number, accepted):
    content = instance.json("content", "read", number, "--purpose", "utredning", "--as", SAS)
    wrong = [part["content_id"] for part in content if WRONG in str(part["content"])]
    check("a name stands where it should not", len(wrong), 1)
    path = os.path.join(instance.state, "corrected.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(CORRECTED)
    text = work.refused(number, "correct", INVESTIGATOR, "--content", wrong[0], "--reason", "rattelse", "--report", path)
    check_true("an investigator does not erase", "holds none of the roles" in text, text)
    done = work.act(number, "correct", SAS, "--content", wrong[0], "--reason", "rattelse", "--report", path)
    check_true("the coordinator corrects it, and intake erases", "intake has erased what was wrong" in done, done)
    instance.settle()
    content = str(instance.json("content", "read", number, "--purpose", "utredning", "--as", SAS))
    check_true("what is read is right", RIGHT in content and WRONG not in content, content)
    correction = work.show(number)["corrections"][0]
    check("who, why and where are kept", (correction["person"], correction["role"], correction["reason"], correction["holder"]),
          (SAS, "SAS", "rattelse", "intake"))
    check_true("and that it is erased", correction["erased_at"], correction)
    check("with the commitment that the receipt proves", correction["commitment"], accepted.receipt.leaf.commitment.hex())
    text = work.refused(number, "correct", SAS, "--content", wrong[0], "--reason", "rattelse", "--report", path)
    check_true("once", "content_corrected" in text, text)
    text = instance.avvik("trace", number)
    check_true("the trace tells of it", "ContentCorrected" in text and "CorrectionCompleted" in text, text)
    text = instance.avvik("why", number, "--lang", "sv")
    check_true("why tells of it", "rättades" in text, text)


def documented(instance, first, second):
    page = instance.avvik("case", "document", first, "--as", SAS, "--purpose", "utredning")
    check_true("the document shows both reports", f"Rapporten i ärende {second}" in page and RIGHT in page, page)
    check_true("that one was corrected, and nothing of what was wrong", "Rättelser" in page and WRONG not in page, page)
    page = instance.avvik("case", "document", first, "--without-content")
    check_true("the page without content says so too", "Rättelser" in page and RIGHT not in page, page)


def closed(instance, work, first, second):
    work.act(first, "assess", SAS, "--degree", "none", "--position", "--motive", "inget")
    work.act(first, "close", SAS)
    check("when the case is closed the other reporter is told", work.told(second, "N173"), {("", "")})
    instance.settle()
    mail = work.mail([n for n in work.notices(second) if n["rule"] == "N173"][0])
    check("at the address that was corrected", mail["To"].addresses[0].addr_spec, "ratt@lindaker.example")


def main():
    with Instance(stepped="2026-04-02 13:00") as instance:
        instance.up()
        instance.publish(quiet_hours=False)
        work = Casework(instance)
        client = instance.client("intake")
        file_report(client, "first", APRIL_1, pb.REPORT_TYPE_LEX_SARAH, "Larmet besvarades inte.", "prov@lindaker.example")
        accepted = file_report(client, "second", APRIL_1 + 10 * HOUR, pb.REPORT_TYPE_LEX_SARAH, f"Larmet från {WRONG} besvarades inte.",
                               "annan@lindaker.example")
        instance.settle()
        first, second = sorted(c["number"] for c in instance.json("case", "list"))
        joined(work, first, second)
        parted(work, first, second)
        work.act(second, "join", SAS, "--into", first, "--motive", "samma natt ändå")
        instance.settle()
        corrected(instance, work, second, accepted)
        documented(instance, first, second)
        closed(instance, work, first, second)
        status = pb.Command(get_report_status=pb.GetReportStatus(report_id=accepted.report_id))
        workflow = instance.client("workflow")
        found = workflow.call(status).report_status_found
        check("the reporter's system learns where it is handled, and that it is closed", (found.joined_into, found.closed), (first, True))
        workflow.close()
        receipt = pb.Command(get_receipt=pb.GetReceipt(report_id=accepted.report_id))
        found = client.call(receipt)
        check("the receipt stands", found.receipt_found.receipts[0].leaf.commitment if found.receipt_found.receipts else found,
              accepted.receipt.leaf.commitment)
        client.close()
        check("health has nothing to say", instance.issues(), set())
        instance.down()
        done = instance.run(["verify"], check=False)
        check_true("chains, seals and replay hold", done.returncode == 0, done.stdout + done.stderr)


main()
