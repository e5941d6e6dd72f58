"""work.py - what people and systems want while daemons are killed: orders that are sent again until they are answered, in a book
from which judge.py can say what must be there in the end."""

import os
import re
import sys
import threading
import time

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from instance import SOURCE, Client, pb, report  # noqa: E402

UNIT, MANAGER, COORDINATOR = "lindhaga", "linda.hagstrom", "saga.samordnare"
SILENCE = 2.0  # after which an order is sent again although its daemon lives
DIRECTORY = os.path.join(SOURCE, "deploy", "directory", "lindaker.yaml")
CALLERS = {"intake": "publisher", "workflow": "casework", "notification": "admin", "reporting": "statistics"}


class Order:
    def __init__(self, daemon, command):
        self.daemon, self.command = daemon, command
        self.reply, self.sent = None, 0


class Reader(threading.Thread):
    """Follows the summary stream as docs/protocol.md says: snapshot first, then changes; after a gap the snapshot again."""

    UNIT = "socialnamnden"

    def __init__(self, instance):
        super().__init__(daemon=True)
        self.instance, self.end = instance, False
        self.lock = threading.Lock()
        self.figures, self.epoch, self.sequence, self.snapshots, self.updates = {}, None, None, 0, 0

    def fetch(self):
        """(figures, epoch, sequence) of one moment."""
        for _ in range(100):
            client = self.instance.client("reporting", name="statistics", timeout_ms=500)
            try:
                figures, after, places = {}, None, set()
                while True:
                    reply = client.call(pb.Command(get_summary=pb.GetSummary(unit=self.UNIT, after=after))).summary_found
                    places.add((reply.epoch_id, reply.sequence))
                    figures.update((f.key.SerializeToString(deterministic=True), f.value) for f in reply.figures)
                    if not reply.HasField("next_after"):
                        break
                    after = reply.next_after
                if len(places) == 1:
                    return (figures, *places.pop())
            except zmq.Again:
                pass
            finally:
                client.close()
        raise AssertionError("no snapshot of the summary")

    def take(self, update):
        with self.lock:
            if self.epoch is None or (update.epoch_id, update.previous_sequence) != (self.epoch, self.sequence):
                if update.epoch_id == self.epoch and update.sequence <= self.sequence:
                    return
                self.figures, self.epoch, self.sequence = self.fetch()
                self.snapshots += 1
                return
            self.updates += 1
            self.sequence = update.sequence
            for change in update.changes:
                self.figures[change.key.SerializeToString(deterministic=True)] = change.value

    def run(self):
        where = self.instance.endpoints["reporting", "stream"]
        client = Client(where, self.instance.server_key("reporting"), self.instance.key_pair("statistics"), zmq.SUB, 100)
        client.socket.subscribe(f"summary/{self.UNIT}/".encode())
        while not self.end:
            try:
                frames = client.socket.recv_multipart()
            except zmq.Again:
                continue
            update = pb.SummaryUpdate()
            update.ParseFromString(frames[1])
            self.take(update)
        client.close()


class Work:
    """Each step is a method; it returns when all its orders are answered."""

    STEPS = ("file", "deviate", "act", "read", "erase", "publish", "wait", "ask", "restart", "finish", "undo")
    OF_EACH = ("restart", "finish", "undo")  # done for one daemon at a time
    # A kill in the middle of an erasure, after which the next start has something to finish or to undo.
    CUT_OFF = {"finish": "run/rename/keys/wrapping-N.new/rewriting-keys", "undo": "run/rename/keys/keys-N.new/rewriting-keys"}

    def __init__(self, instance):
        self.instance = instance
        self.number = 0
        self.now_ms = 1775026800000  # 2026-04-01 09:00
        self.clients = {}
        self.orders = []  # of the step under way
        self.filed, self.acted, self.granted, self.opened, self.erased, self.versions = {}, {}, {}, set(), set(), []
        self.tools_again = 0

    # --- orders

    def send(self, order, caller):
        kills = self.instance.kills(order.daemon)
        key = order.daemon, caller
        if order.sent and key in self.clients:
            self.clients.pop(key).close()
        if key not in self.clients:
            self.clients[key] = self.instance.client(order.daemon, name=caller, timeout_ms=10)
        client = self.clients[key]
        client.send(order.command)
        order.sent += 1
        end = time.monotonic() + SILENCE
        while time.monotonic() < end:
            try:
                reply = client.receive()
            except zmq.Again:
                if self.instance.kills(order.daemon) != kills:
                    self.instance.wait_ready()
                    return False
                continue
            if reply.message_id == order.command.message_id:
                order.reply = reply
                return reply.status != pb.REPLY_STATUS_BUSY
        return False

    def order(self, daemon, command, caller=None, used=None):
        """Sends until it is answered. `used`: what a second sending may be answered, when the first was done."""
        self.number += 1
        command.message_id = command.message_id or f"m-{self.number}"
        order = Order(daemon, command)
        self.orders.append(order)
        end = time.monotonic() + 30
        while not self.send(order, caller or CALLERS[daemon]):
            if time.monotonic() > end:
                raise AssertionError(f"never answered: {command}")
        if order.reply.status != pb.REPLY_STATUS_DONE and not (order.sent > 1 and order.reply.status == used):
            raise AssertionError(f"{command}\nwas answered\n{order.reply}")
        return order.reply

    def tool(self, words):
        """Runs the tool until it says that it is done."""
        end = time.monotonic() + 30
        while True:
            done = self.instance.run(words, check=False)
            if done.returncode == 0:
                return done.stdout
            if time.monotonic() > end:
                raise AssertionError(f"{words} never succeeds: {done.stdout}{done.stderr}")
            self.tools_again += 1
            self.instance.wait_ready()

    def forget(self):
        for client in self.clients.values():
            client.close()
        self.clients, self.orders = {}, []

    # --- what a step needs, done before it

    def file_one(self, kind=pb.REPORT_TYPE_LEX_SARAH):
        self.number += 1
        command = report(f"r-{self.number}", unit=UNIT, kind=kind, when_ms=self.now_ms)
        reply = self.order("intake", command)
        self.filed[command.reference] = command, reply.report_accepted
        return reply.report_accepted.report_id

    def case(self):
        """A case that nobody has touched."""
        report_id = self.file_one()
        self.instance.settle_real()
        return report_id  # a case has the id of its report

    def prepare(self, step):
        self.forget()
        self.subject = self.case() if step in ("act", "read", "erase") or step in self.CUT_OFF else None
        if self.subject:
            found = self.order("workflow", pb.Command(get_case=pb.GetCase(case_id=self.subject)))
            self.version = found.case_found.case.version
        if step == "erase" or step in self.CUT_OFF:
            self.act()  # so that workflow has a text to erase, too
            self.instance.settle_real()
        self.forget()

    # --- the steps

    def file(self):
        self.file_one()

    def deviate(self):
        self.file_one(pb.REPORT_TYPE_DEVIATION)

    def act(self):
        command = pb.Command(reference=f"act-{self.number}", on_behalf_of=MANAGER)
        command.act_on_case.case_id = self.subject
        command.act_on_case.version_seen = self.version
        command.act_on_case.remedy.text = "Provtext: avhjälpt."
        self.order("workflow", command)
        self.acted[self.subject] = command

    def grants(self, command):
        """Presents each grant. One that was used without an answer reaching us is not used again: the answer may hold content."""
        reply = self.order("workflow", command)
        self.granted[command.reference] = reply.grant_issued
        for place, grant in enumerate(reply.grant_issued.grants):
            body = pb.GrantBody()
            body.ParseFromString(grant.body)
            opened = pb.Command(on_behalf_of=COORDINATOR, open_content=pb.OpenContent(grant=grant))
            self.order(body.items[0].holder, opened, caller="casework", used=pb.REPLY_STATUS_FORBIDDEN)
            yield place, body

    def read(self):
        command = pb.Command(reference=f"read-{self.number}", on_behalf_of=COORDINATOR)
        command.read_content.case_id = self.subject
        command.read_content.purpose = "utredning"
        for place, _ in self.grants(command):
            self.opened.add((command.reference, place))

    def erase(self):
        command = pb.Command(reference=f"erase-{self.number}", on_behalf_of=COORDINATOR)
        command.erase_content.case_id = self.subject
        command.erase_content.reason = "felaktigt_inlamnad"
        for _, body in self.grants(command):
            self.erased.update((item.holder, bytes(item.content_id)) for item in body.items)

    def publish(self):
        self.number += 1
        version = f"lindaker-{self.number}"
        path = os.path.join(self.instance.root, "directory.yaml")
        with open(DIRECTORY) as source, open(path, "w") as copy:
            copy.write(re.sub(r"(?m)^version: .*", f"version: {version}", source.read()))
        self.tool(["directory", "publish", path, "--reason", "prov"])
        self.versions.append(version)

    def wait(self):
        """Days pass: rungs fire, mails go out."""
        self.now_ms += 2 * 86400000
        self.tool(["clock", "advance", "--to", time.strftime("%Y-%m-%d %H:%M", time.gmtime(self.now_ms / 1000 + 7200))])

    def ask(self):
        self.order("intake", pb.Command(get_receipt=pb.GetReceipt(reference=next(iter(self.filed)))))
        self.order("workflow", pb.Command(list_cases=pb.ListCases(limit=10)))
        self.order("notification", pb.Command(list_notices=pb.ListNotices(limit=10)))
        self.order("reporting", pb.Command(get_summary=pb.GetSummary(unit="socialnamnden", limit=10)))

    def restart(self):
        self.instance.terminate(self.target)

    def cut_off(self, step, rule):
        """An erasure that is cut off; the next life begins with the rule."""
        keeper = self.instance.keepers[self.target]
        keeper.next_rule = rule
        keeper.injector.arm(f"{self.target}/{self.CUT_OFF[step]} when=after")
        self.erase()

    def step(self, step, rule=None):
        """Runs it, and returns when nothing moves any more."""
        if step in self.CUT_OFF:
            self.cut_off(step, rule)
        else:
            if rule:
                self.instance.injectors[self.target].arm(rule)
            getattr(self, step)()
        self.instance.wait_ready()
        self.instance.settle_real()
