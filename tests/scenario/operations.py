"""Operating it: stop without losing an answer, tell the supervisor, keys and rights that change, exit codes, figures that follow, and
logs without content."""

import collections
import os
import re
import signal
import socket
import subprocess
import sys
import time

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from instance import BIN, Client, DAEMONS, Instance, PROTO, check, check_true, pb, read_key_pair, report, wait_for  # noqa: E402

SECRET = "Zonrosprovtext"
WHEN = 1775000000000


def sound(reference, unit="lindhaga"):
    command = report(reference, unit=unit, kind=pb.REPORT_TYPE_DEVIATION, when_ms=WHEN)
    command.file_report.narrative.description = SECRET
    command.file_report.reporter.name = f"{SECRET} Rapportör"
    return command


# --- what each daemon says of itself

def rows(text, heading):
    """The tables below a heading of the catalogue, up to the next one of the same kind."""
    part = text.split(heading, 1)[1]
    part = re.split(r"\n#{1,3} ", part, maxsplit=1)[0]
    for line in part.split("\n"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) >= 4 and cells[0].startswith("`"):
            yield cells


def names(cell):
    return set(re.findall(r"`(\w+)`", cell))


def described(daemon):
    """(commands, events) as the daemon prints them: {name: (kind, rights, emits)}, {(feed, name)}."""
    text = subprocess.run([os.path.join(BIN, f"avvik-{daemon}"), "--describe"], capture_output=True, text=True, check=True).stdout
    commands, events, part = {}, set(), None
    for line in text.split("\n"):
        if line and not line.startswith(" "):
            part = line.split(":")[0]
        words = line.split()
        if not line.startswith("  "):
            continue
        if part == "commands":
            commands[words[0]] = (words[1], set(words[2].split(",")), {w.strip(",") for w in words[5:]} - {"-"})
        elif part == "events consumed":
            events.add((words[0], words[1]))
    return commands, events


def catalogue():
    with open(os.path.join(PROTO, "README.md")) as file:
        text = file.read()
    acts = text.split("The acts of `ActOnCase`", 1)[1].split("\n#", 1)[0]
    act_events = {event for cell in re.findall(r"^\| `\w+` \| (.*) \|$", acts, re.M) for event in names(cell)}
    wanted = {daemon: {} for daemon in DAEMONS}
    for heading in ("### Every daemon", "### Intake", "### Workflow", "### Notification and reporting"):
        for message, rights, daemons, _, emits, repeat in rows(text, heading):
            kind = repeat.split(",")[0].split(":")[0]
            events = names(emits) | (act_events if "by the act" in emits else set())
            for daemon in DAEMONS:
                if daemon in daemons or daemons == "all":
                    wanted[daemon][message.strip("`")] = (kind, set(rights.replace(" ", "").split(",")), events)
    consumed = collections.defaultdict(set)
    for event, told_by, _, consumers in (cells for cells in rows(text, "## Events") if len(cells) == 4):
        for daemon in DAEMONS:
            if daemon in consumers:
                consumed[daemon].add((told_by, event.strip("`")))
    for daemon in DAEMONS:
        commands, events = described(daemon)
        for name in sorted(set(commands) | set(wanted[daemon])):
            mine, theirs = commands.get(name), wanted[daemon].get(name)
            if mine and theirs and "OpenContent" == name:  # each holder emits its own of the two
                mine, theirs = mine[:2], theirs[:2]
            check(f"{daemon} and the catalogue agree about {name}", mine, theirs)
        check(f"{daemon} and the catalogue agree about what it consumes", {e for e in events if e[1] not in ("ContentErased",)},
              consumed[daemon])


# --- the supervisor

class Supervisor:
    """systemd's end of the notifications."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.said = []

    def start(self, instance, daemon):
        environment = {**os.environ, "NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "4000000"}
        self.log = open(os.path.join(instance.root, "alone.log"), "w")
        return subprocess.Popen([os.path.join(BIN, f"avvik-{daemon}"), "--settings", instance.settings], env=environment,
                                stdout=self.log, stderr=self.log)

    def wait(self, word, timeout=10):
        end = time.monotonic() + timeout
        while not any(line.startswith(word) for line in self.said):
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                self.said += self.socket.recv(4096).decode().split("\n")
            except TimeoutError:
                return False
        self.said = [line for line in self.said if not line.startswith(word)]
        return True


def stopping(instance):
    """Intake alone, asked to stop in the middle of many commands."""
    supervisor = Supervisor(instance.root)
    process = supervisor.start(instance, "intake")
    check("the daemon tells the supervisor when it is ready", supervisor.wait("READY=1"), True)
    check("and feeds its watchdog", (supervisor.wait("WATCHDOG=1", 5), supervisor.wait("WATCHDOG=1", 5)), (True, True))
    client = instance.client("intake", timeout_ms=3000)
    client.call(sound("first"))
    process.send_signal(signal.SIGHUP)
    check("reloads when it is told to", supervisor.wait("RELOADING=1"), True)
    check("and is ready again", supervisor.wait("READY=1"), True)
    for number in range(400):
        client.send(sound(f"stop-{number}"))
    done = {client.receive().message_id}
    process.send_signal(signal.SIGTERM)
    busy = set()
    try:
        while len(done) + len(busy) < 400:
            reply = client.receive()
            (done if reply.status == pb.REPLY_STATUS_DONE else busy).add(reply.message_id)
            if reply.status not in (pb.REPLY_STATUS_DONE, pb.REPLY_STATUS_BUSY):
                raise AssertionError(reply)
    except zmq.Again:
        pass
    check("it ends well", process.wait(25), 0)
    check("says that it is stopping", supervisor.wait("STOPPING=1", 1), True)
    client.close()
    print(f"    {len(done)} done, {len(busy)} told to come again, {400 - len(done) - len(busy)} not read")
    instance.up()
    events, _ = instance.feed("intake")
    check("everything that it stored was answered, and everything answered is stored",
          len([e for e in events if e.WhichOneof("body") == "report_filed"]), len(done) + 1)
    client = instance.client("intake")
    again = [client.call(sound(reference)) for reference in sorted(done)[:5]]
    check("those that were done are known", {(r.status, r.repeated) for r in again}, {(pb.REPLY_STATUS_DONE, True)})
    client.close()


# --- keys and rights

def keys(instance):
    old = instance.key_pair("publisher")
    client = instance.client("intake")
    check("a publisher files", client.call(sound("key-1")).status, pb.REPLY_STATUS_DONE)
    instance.avvik("principals", "rotate", "publisher", "--overlap", "7 days")
    new = instance.key_pair("publisher")
    check("rotating gives another key", old == new, False)

    def with_new():
        fresh = instance.client("intake", pair=new, timeout_ms=1000)
        try:
            return fresh.call(sound("key-2")).status
        except zmq.Again:
            return None
        finally:
            fresh.close()
    wait_for("which works within seconds", with_new, pb.REPLY_STATUS_DONE, timeout=5)
    check("while the old one goes on", client.call(sound("key-3")).status, pb.REPLY_STATUS_DONE)
    other = instance.client("intake", pair=old)
    check("also for a new connection", other.call(sound("key-4")).status, pb.REPLY_STATUS_DONE)
    other.close()
    check("under either key it is the same publisher, whose references are known", client.call(sound("key-2")).repeated, True)

    with open(os.path.join(instance.state, "principals.yaml")) as file:
        principals = file.read()
    with open(os.path.join(instance.state, "principals.yaml"), "a") as file:
        file.write("  - name: slip\n    kind: pubisher\n")
    wait_for("a slip in the file of principals is told by health", lambda: ("intake", "principals_invalid") in instance.issues(), True, 5)
    check("and those before stay in force", client.call(sound("key-5")).status, pb.REPLY_STATUS_DONE)
    check("the exit code for the monitoring says that something wants attention", instance.run(["status"], check=False).returncode, 1)
    with open(os.path.join(instance.state, "principals.yaml"), "w") as file:
        file.write(principals)
    wait_for("put right, it is forgotten", lambda: instance.run(["status"], check=False).returncode, 0, 5)

    instance.avvik("principals", "add", "hvb-tallen", "--kind", "publisher", "--rights", "publish,status", "--units", "hvb-tallen")

    def limited(unit):
        own = instance.client("intake", name="hvb-tallen", timeout_ms=1000)
        try:
            return own.call(sound(f"limited-{unit}", unit=unit)).status
        except zmq.Again:
            return None
        finally:
            own.close()
    wait_for("a principal of one unit files for it", lambda: limited("hvb-tallen"), pb.REPLY_STATUS_DONE, timeout=5)
    check("and for no other", limited("lindhaga"), pb.REPLY_STATUS_FORBIDDEN)

    began = time.monotonic()
    instance.avvik("principals", "revoke", "publisher")
    while client.call(sound(f"revoked-{time.monotonic()}")).status == pb.REPLY_STATUS_DONE:
        assert time.monotonic() - began < 10, "revoking does not take hold"
    took = time.monotonic() - began
    check_true("a publisher that is revoked while connected is refused within two seconds", took < 2.5, took)
    client.close()

    def changes():
        events, _ = instance.feed("intake")
        found = [e.principals_changed for e in events if e.WhichOneof("body") == "principals_changed"]
        return [(list(c.added), list(c.changed), list(c.removed)) for c in found][1:]
    wait_for("each change is in the journal, by name", changes,
             [([], ["publisher"], []), (["hvb-tallen"], [], []), ([], [], ["publisher"])], timeout=5)
    instance.avvik("principals", "add", "publisher2", "--kind", "publisher", "--rights", "publish,status")


# --- figures

class Follower:
    """A consumer of the summary stream, as docs/protocol.md tells it."""

    def __init__(self, instance, name, unit):
        pair = read_key_pair(os.path.join(instance.state, "keys", f"{name}.curve"))
        key = instance.server_key("reporting")
        self.unit, self.figures, self.repaired, self.beats = unit, {}, 0, 0
        self.stream = zmq.Context.instance().socket(zmq.SUB)
        self.stream.curve_serverkey = key
        self.stream.curve_publickey, self.stream.curve_secretkey = pair
        self.stream.linger = 0
        self.stream.connect(instance.endpoints["reporting", "stream"])
        self.stream.subscribe(f"summary/{unit}/".encode())
        self.queries = Client(instance.endpoints["reporting", "command"], key, pair)
        time.sleep(0.3)  # the subscription is on its way
        self.snapshot()

    def ask(self):
        found, after = {}, None
        while True:
            query = pb.GetSummary(unit=self.unit, limit=50)
            if after is not None:
                query.after.CopyFrom(after)
            reply = self.queries.call(pb.Command(get_summary=query))
            if reply.status != pb.REPLY_STATUS_DONE:
                return reply.status, None, None
            summary = reply.summary_found
            found.update({f.key.SerializeToString(deterministic=True): f.value for f in summary.figures if f.value})
            if not summary.HasField("next_after"):
                return found, summary.sequence, summary.epoch_id
            after = summary.next_after

    def snapshot(self):
        self.figures, self.sequence, self.epoch = self.ask()

    def follow(self, seconds, lose=0):
        """Apply what comes; `lose` the first so many updates, as a slow network would."""
        end = time.monotonic() + seconds
        while self.stream.poll(max(0, int((end - time.monotonic()) * 1000))):
            topic, body = self.stream.recv_multipart()
            assert topic == f"summary/{self.unit}/".encode(), topic
            update = pb.SummaryUpdate()
            update.ParseFromString(body)
            self.beats += not update.changes
            if update.changes and lose > 0:
                lose -= 1
                continue
            if update.sequence <= self.sequence and update.epoch_id == self.epoch:
                continue
            if update.previous_sequence != self.sequence or update.epoch_id != self.epoch:
                self.repaired += 1
                self.snapshot()
                continue
            for change in update.changes:
                key = change.key.SerializeToString(deterministic=True)
                self.figures[key] = change.value
                if not change.value:
                    del self.figures[key]
            self.sequence = update.sequence

    def close(self):
        self.stream.close()
        self.queries.close()


def figures(instance):
    instance.avvik("principals", "add", "unit-figures", "--kind", "consumer", "--rights", "summary", "--units", "lindhaga")

    def ready():
        client = instance.client("reporting", name="unit-figures", timeout_ms=1000)
        try:
            return client.call(pb.Command(get_summary=pb.GetSummary(unit="lindhaga"))).status
        except zmq.Again:
            return None
        finally:
            client.close()
    wait_for("a consumer of one unit sees its figures", ready, pb.REPLY_STATUS_DONE, timeout=5)
    client = instance.client("reporting", name="unit-figures")
    check("and no other's", client.call(pb.Command(get_summary=pb.GetSummary(unit="socialnamnden"))).status, pb.REPLY_STATUS_FORBIDDEN)
    client.close()

    follower = Follower(instance, "statistics", "socialnamnden")
    own = Follower(instance, "unit-figures", "lindhaga")
    foreign = Follower(instance, "unit-figures", "hvb-tallen")
    publisher = instance.client("intake", name="publisher2")
    for number in range(30):
        publisher.call(sound(f"figure-{number}", unit=("lindhaga", "hvb-tallen")[number % 2]))
    follower.follow(2)
    check("a follower of the stream has the figures of the snapshot", follower.figures, follower.ask()[0])
    check("without having missed anything", follower.repaired, 0)
    for number in range(30):
        publisher.call(sound(f"lost-{number}", unit="lindhaga"))
    follower.follow(2, lose=3)
    check_true("one that misses updates notices and fetches the snapshot", follower.repaired > 0)
    check("and is right again", follower.figures, follower.ask()[0])
    publisher.close()
    own.follow(2)
    check("a consumer of one unit follows it", own.figures, own.ask()[0])
    follower.beats = 0
    follower.follow(11)
    check_true("when nothing happens a heartbeat comes", follower.beats > 0)
    check("a subscription to another unit gets nothing, not even that", foreign.stream.poll(100), 0)
    for each in (follower, own, foreign):
        each.close()


def exit_codes(instance):
    check("all is well: 0", instance.run(["status"], check=False).returncode, 0)
    pid = instance.pid("reporting")
    os.kill(pid, signal.SIGSTOP)
    try:
        done = instance.run(["status"], check=False)
        check("a daemon that does not answer: 3", (done.returncode, "reporting" in done.stdout + done.stderr), (3, True))
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for("and when it is back: 0", lambda: instance.run(["status"], check=False).returncode, 0)
    text = instance.avvik("status", "--metrics")
    for line in text.split("\n"):
        assert not line or line.startswith("#") or re.fullmatch(r"avvik_\w+(\{[^}]*\})? -?[0-9.eE+]+", line), line
    check_true("metrics are Prometheus text, of all four", all(f'daemon="{daemon}"' in text for daemon in DAEMONS), text[:400])


def main():
    catalogue()
    with Instance() as instance:
        with open(instance.settings, "a") as file:
            file.write("log_level: debug\n")
        stopping(instance)
        instance.publish(quiet_hours=False)
        instance.settle_real()
        keys(instance)
        instance.settle_real()
        figures(instance)
        instance.settle_real()
        exit_codes(instance)
        log = open(instance.up_log.name).read() + open(os.path.join(instance.root, "alone.log")).read()
        check_true("the logs, at their most talkative, are lines of key=value", "level=debug" in log)
        check("and hold nothing that somebody wrote, nor a name, nor an address",
              [word for word in (SECRET, "Rapportör", "lindaker.example", "Hagström") if word in log], [])
        events = [event for daemon in DAEMONS for event in instance.feed(daemon)[0]]
        check("nor does a journal", [1 for event in events if SECRET.encode() in event.SerializeToString()], [])


main()
