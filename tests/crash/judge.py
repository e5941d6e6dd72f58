"""judge.py - what must be true whatever was killed: every acknowledged order has its effect exactly once, and all daemons agree."""

import collections
import email
import email.policy
import hashlib
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from instance import pb  # noqa: E402


def merkle_root(leaf, path, index, count):
    """RFC 6962, from the leaf up."""
    def node(left, right):
        return hashlib.blake2b(b"\x01" + left + right, digest_size=32).digest()

    value, last = leaf, count - 1
    for sibling in path:
        while index % 2 == 0 and index == last:
            index, last = index // 2, last // 2
        value = node(sibling, value) if index % 2 else node(value, sibling)
        index, last = index // 2, last // 2
    return value


class Judge:
    def __init__(self, instance, work, reader=None):
        self.instance, self.work, self.reader = instance, work, reader
        self.faults, self.checked = [], 0

    def must(self, sentence, got, want):
        self.checked += 1
        if got != want:
            self.faults.append(f"{sentence}: got {got}, want {want}")

    def once(self, sentence, things):
        self.must(sentence + ", each once", {k: n for k, n in collections.Counter(things).items() if n != 1}, {})

    def bodies(self, daemon):
        found = collections.defaultdict(list)
        for event in self.instance.feed(daemon)[0]:
            found[event.WhichOneof("body")].append(event)
        return found

    def receipts(self):
        client = self.instance.client("intake")
        for reference, (command, accepted) in self.work.filed.items():
            receipt = accepted.receipt
            content = hashlib.blake2b(command.file_report.SerializeToString(deterministic=True), digest_size=32).digest()
            commitment = hashlib.blake2b(content, digest_size=32, key=receipt.blinding).digest()
            self.must(f"the receipt of {reference} commits to it", receipt.leaf.commitment, commitment)
            leaf = hashlib.blake2b(b"\x00" + receipt.leaf.SerializeToString(deterministic=True), digest_size=32).digest()
            root = merkle_root(leaf, receipt.path, receipt.index, receipt.count)
            self.must(f"the receipt of {reference} leads to its turn", root, receipt.turn.merkle_root)
            reply = client.call(pb.Command(verify_receipt=pb.VerifyReceipt(receipt=receipt)))
            self.must(f"the receipt of {reference} is true", reply.receipt_verified.valid, True)
        client.close()

    def intake(self):
        events = self.bodies("intake")
        filed = [e.report_filed.report_id for e in events["report_filed"]]
        self.once("reports", filed)
        self.must("intake has the reports that were acknowledged",
                  set(filed), {accepted.report_id for _, accepted in self.work.filed.values()})
        versions = [e.directory_published.directory.version for e in events["directory_published"]]
        self.once("directories", versions)
        self.must("and the directories", set(versions) >= set(self.work.versions), True)
        return set(filed), events

    def workflow(self, filed):
        events = self.bodies("workflow")
        self.once("cases", [e.case_id for e in events["case_opened"]])
        self.must("each report has its case", {e.case_id for e in events["case_opened"]}, filed)
        self.once("deadlines", [(e.case_id, e.deadline_set.deadline.rule) for e in events["deadline_set"]])
        self.once("acts", [e.case_id for e in events["case_remedied"]])
        self.must("as were acknowledged", {e.case_id for e in events["case_remedied"]}, set(self.work.acted))
        self.once("rungs", [(e.case_id, e.rung_fired.rule, e.rung_fired.measure_id, e.rung_fired.rung)
                            for e in events["rung_fired"]])
        granted = sum(len(g.grants) for g in self.work.granted.values())
        self.must("grants", len(events["content_granted"]), granted)
        return events

    def content(self, *journals):
        read = sum(len(events["content_read"]) for events in journals)
        self.must("content read as often as acknowledged", read, len(self.work.opened))
        erased = [(holder, bytes(e.content_erased.content_id)) for holder, events in zip(("intake", "workflow"), journals)
                  for e in events["content_erased"]]
        self.once("erasures", erased)
        self.must("as were acknowledged", set(erased), self.work.erased)

    def notification(self, filed):
        events = self.bodies("notification")
        notices = {bytes(e.notice_decided.notice.notice_id): e.notice_decided.notice for e in events["notice_decided"]}
        self.once("notices", [(n.cause_id, n.rule, n.person, n.channel) for n in
                              (e.notice_decided.notice for e in events["notice_decided"])])
        self.must("every case has notices", {e.case_id for e in events["notice_decided"]} >= filed, True)
        delivered = [bytes(e.notice_delivered.notice_id) for e in events["notice_delivered"]]
        self.once("deliveries", delivered)
        self.must("every notice was delivered", set(notices) - set(delivered), set())
        folder = os.path.join(self.instance.state, "mail", "new")
        ids = []
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                mail = email.message_from_binary_file(file, policy=email.policy.default)
            ids.append(mail["Message-ID"])
            self.must(f"the mail {name} is whole", bool(mail["To"] and mail["Subject"] and mail.get_content()), True)
        self.once("mails", ids)
        self.must("no mail was left half", os.listdir(os.path.join(self.instance.state, "mail", "tmp")), [])
        return len(ids), events

    def reporting(self, filed):
        client = self.instance.client("reporting", name="statistics")
        found = client.call(pb.Command(get_summary=pb.GetSummary(unit="socialnamnden", span=pb.SPAN_YEAR)))
        received = sum(f.value for f in found.summary_found.figures if f.key.measurement == pb.MEASUREMENT_RECEIVED)
        self.must("reporting counts each report once", received, len(filed))
        client.close()
        if not self.reader or self.reader.epoch is None:
            return
        figures, epoch, sequence = self.reader.fetch()
        end = time.monotonic() + 13  # a heartbeat comes every ten seconds
        while (self.reader.epoch, self.reader.sequence) != (epoch, sequence) and time.monotonic() < end:
            time.sleep(0.02)
        with self.reader.lock:
            mine = {k: v for k, v in self.reader.figures.items() if v}
        self.must("the stream's reader has the same figures", mine, {k: v for k, v in figures.items() if v})

    def look(self):
        """While the daemons run and are quiet."""
        filed, intake = self.intake()
        self.receipts()
        workflow = self.workflow(filed)
        self.content(intake, workflow)
        mails, _ = self.notification(filed)
        self.reporting(filed)
        self.must("no daemon has anything to complain of", self.instance.issues(), set())
        self.must("no daemon ended by itself", {d: k.codes for d, k in self.instance.keepers.items() if k.codes}, {})
        return len(filed), mails

    def verify(self):
        """After they were stopped."""
        done = self.instance.run(["verify"], check=False, timeout=300)
        self.must("chains, seals, receipts, replay and compare hold", (done.returncode, done.returncode and done.stdout + done.stderr), (0, 0))
