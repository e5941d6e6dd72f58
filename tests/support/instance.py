"""instance.py - a real instance for scenario tests, and a client of the protocol in another language.

The client part (Client, Feed) is written from docs/protocol.md and the .proto files alone. Everything listens on loopback, on
free ports, in a temporary folder, and is stopped by its process id.
"""

import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import zmq

BIN = os.environ.get("AVVIK_BIN", "build/release/bin")
SOURCE = os.environ.get("AVVIK_SOURCE", ".")
PROTO = os.environ.get("AVVIK_PROTO", os.path.join(SOURCE, "proto"))
DAEMONS = ("intake", "workflow", "notification", "reporting")


def load_messages():
    """Compile the .proto files to Python and give them as one namespace."""
    folder = tempfile.mkdtemp(prefix="avvik-proto-")
    names = sorted(n for n in os.listdir(os.path.join(PROTO, "avvik", "v1")) if n.endswith(".proto"))
    subprocess.run(
        ["protoc", f"-I{PROTO}", f"--python_out={folder}"] + [f"avvik/v1/{n}" for n in names], check=True)
    sys.path.insert(0, folder)

    class Messages:
        pass

    for name in names:
        module = importlib.import_module(f"avvik.v1.{name[:-6]}_pb2")
        for key in dir(module):
            if not key.startswith("_"):
                setattr(Messages, key, getattr(module, key))
    shutil.rmtree(folder)
    return Messages


pb = load_messages()


def read_key_pair(path):
    words = open(path).read().split()
    pairs = dict(zip(words[::2], words[1::2]))
    return pairs["public"].encode(), pairs["secret"].encode()


class Client:
    """One connection to a command socket. kind: zmq.REQ or zmq.DEALER."""

    def __init__(self, endpoint, server_key, pair, kind=zmq.DEALER, timeout_ms=10000):
        self.context = zmq.Context.instance()
        self.socket = self.context.socket(kind)
        self.kind = kind
        self.socket.curve_serverkey = server_key
        self.socket.curve_publickey, self.socket.curve_secretkey = pair
        self.socket.linger = 0
        self.socket.rcvtimeo = timeout_ms
        self.socket.connect(endpoint)

    def send(self, command):
        frame = command if isinstance(command, bytes) else command.SerializeToString()
        self.socket.send_multipart([frame] if self.kind == zmq.REQ else [b"", frame])

    def receive(self):
        reply = pb.Reply()
        reply.ParseFromString(self.socket.recv_multipart()[-1])
        return reply

    def call(self, command):
        self.send(command)
        return self.receive()

    def close(self):
        self.socket.close()


class Instance:
    """State folder, keys and four daemons."""

    def __init__(self, stepped=None, name="test"):
        self.root = tempfile.mkdtemp(prefix="avvik-test-")
        self.state = os.path.join(self.root, "state")
        self.settings = os.path.join(self.state, "avvik.yaml")
        self.up_process = None
        words = ["keys", "init", self.state, "--name", name, "--templates", os.path.join(SOURCE, "deploy", "templates")]
        self.run(words + (["--stepped", stepped] if stepped else []), settings=False)
        self.endpoints = self.read_endpoints()

    # --- the tool

    def run(self, words, settings=True, check=True, input=None, timeout=120):
        command = [os.path.join(BIN, "avvik")] + (["--settings", self.settings] if settings else []) + list(words)
        done = subprocess.run(command, capture_output=True, text=True, input=input, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def avvik(self, *words, **options):
        return self.run(words, **options).stdout

    def json(self, *words, **options):
        return json.loads(self.run(list(words) + ["--json"], **options).stdout)

    def read_endpoints(self):
        endpoints, daemon = {}, None
        for line in open(self.settings):
            word = line.strip().split(": ")
            if line.rstrip().endswith(":"):
                daemon = line.strip()[:-1]
            elif line.startswith(" ") and len(word) == 2 and word[0] in ("command", "feed", "stream"):
                endpoints[daemon, word[0]] = word[1]
        return endpoints

    # --- daemons

    def up(self, timeout=30, **more):
        """`avvik up`, in a session of its own: a Ctrl-C is the test's. `more`: words of Popen."""
        self.up_log = open(os.path.join(self.root, "up.log"), "a")
        self.up_process = subprocess.Popen([os.path.join(BIN, "avvik"), "up", "--settings", self.settings],
                                           stdout=self.up_log, stderr=subprocess.STDOUT, start_new_session=True, **more)
        self.wait_ready(timeout)

    def wait_ready(self, timeout=30):
        end = time.monotonic() + timeout
        while True:
            done = self.run(["status", "--json"], check=False)
            if done.returncode != 3 and done.stdout.strip() not in ("", "[]"):
                if len(json.loads(done.stdout)) == len(DAEMONS):
                    return
            if time.monotonic() > end:
                raise AssertionError("the daemons are not ready:\n" + open(self.up_log.name).read()[-3000:])
            time.sleep(0.05)

    def down(self):
        if self.up_process:
            self.up_process.send_signal(signal.SIGTERM)
            self.up_process.wait(30)
            self.up_process = None

    def pid(self, daemon):
        """Of the daemon that `up` runs now; None when it is being started again."""
        if not self.up_process:
            return None
        path = f"/proc/{self.up_process.pid}/task/{self.up_process.pid}/children"
        for pid in open(path).read().split():
            try:
                words = open(f"/proc/{pid}/cmdline").read().split("\0")
            except FileNotFoundError:
                continue
            if words and words[0].endswith(f"avvik-{daemon}"):
                return int(pid)
        return None

    def kill(self, daemon):
        pid = self.pid(daemon)
        if pid:
            os.kill(pid, signal.SIGKILL)
        return pid

    def close(self, keep=False):
        self.down()
        if not keep:
            shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind and os.environ.get("AVVIK_KEEP"):
            print("kept:", self.root)
            self.close(keep=True)
            return
        if kind and os.path.exists(os.path.join(self.root, "up.log")):
            self.down()
            print("--- the daemons said:\n" + open(os.path.join(self.root, "up.log")).read()[-4000:])
        self.close()

    # --- the protocol

    def server_key(self, daemon):
        return open(os.path.join(self.state, "keys", f"{daemon}.curve.pub")).read().strip().encode()

    def key_pair(self, name):
        return read_key_pair(os.path.join(self.state, "keys", f"{name}.curve"))

    def client(self, daemon, name="publisher", kind=zmq.DEALER, pair=None, timeout_ms=10000, server_key=None):
        return Client(self.endpoints[daemon, "command"], server_key or self.server_key(daemon), pair or self.key_pair(name), kind,
                      timeout_ms)

    def feed(self, daemon, after=None, name="admin", max_events=1000):
        """Every event of a feed as it stands."""
        client = Client(self.endpoints[daemon, "feed"], self.server_key(daemon), self.key_pair(name))
        events, cursor = [], after
        while True:
            request = pb.FeedRequest(max_events=max_events, max_bytes=1 << 20, wait_ms=0)
            if cursor is not None:
                request.after.CopyFrom(cursor)
            client.send(request)
            reply = pb.FeedReply()
            reply.ParseFromString(client.socket.recv_multipart()[-1])
            if reply.WhichOneof("body") == "refusal":
                client.close()
                raise AssertionError(f"refused: {reply.refusal.text}")
            for item in reply.batch.items:
                event = pb.Event()
                event.ParseFromString(item.event)
                events.append(event)
            cursor = reply.batch.reached
            if cursor.sequence >= reply.batch.head:
                client.close()
                return events, cursor

    # --- common steps

    def publish(self, quiet_hours=True):
        """Without quiet hours a test of mails is the same at any time of the day."""
        path = os.path.join(SOURCE, "deploy", "rules", "se-2025-07.yaml")
        if not quiet_hours:
            with open(path) as file:
                text, count = re.subn(r"(?m)^quiet_hours:.*$", "quiet_hours: { from_minute: 0, to_minute: 0 }", file.read())
            check("the rule pack has quiet hours, in one line", count, 1)
            path = os.path.join(self.root, "rules.yaml")
            with open(path, "w") as file:
                file.write(text)
        self.avvik("rules", "publish", path, "--reason", "test")
        self.avvik("directory", "publish", os.path.join(SOURCE, "deploy", "directory", "lindaker.yaml"), "--reason", "test")

    def person(self, role):
        """Somebody of the made-up municipality who holds the role."""
        import yaml
        with open(os.path.join(SOURCE, "deploy", "directory", "lindaker.yaml")) as file:
            directory = yaml.safe_load(file)
        return next(p["id"] for p in directory["people"] if any(r["role"] == role for r in p.get("roles", [])))

    def settle(self):
        """Wait until nothing happens any more (stepped clock)."""
        self.avvik("clock", "settle")

    def settle_real(self, patience=60):
        """The same on the real clock: quiet, and every consumer in step. Waits as long as journals grow."""
        heads, end, calm = None, 0, 0
        while calm < 2:
            states = self.states()
            if heads != (heads := [s.get("head") for s in states.values()]):
                end = time.monotonic() + patience
            good = len(states) == 4 and all(
                s.get("quiet") and all(f.get("cursor", {}).get("sequence", 0) >= states[f["name"]].get("head", 0)
                                       for f in s.get("feeds", [])) for s in states.values())
            calm = calm + 1 if good else 0
            if time.monotonic() > end:
                told = [{k: s.get(k) for k in ("daemon", "head", "quiet", "next_due", "feeds", "issues")} for s in states.values()]
                raise AssertionError("not settled:\n" + "\n".join(json.dumps(t, ensure_ascii=False) for t in told))
            time.sleep(0.05)

    def states(self):
        """What each daemon that answers says of itself."""
        done = self.run(["status", "--json"], check=False)
        return {s["daemon"]: s for s in json.loads(done.stdout)} if done.stdout.strip() else {}

    def issues(self):
        return {(s["daemon"], i["code"]) for s in self.states().values() for i in s.get("issues", [])
                if i["code"] != "stepped_clock"}

    def mails(self):
        folder = os.path.join(self.state, "mail", "new")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def report(reference, unit="", kind=None, when_ms=None, **fields):
    """A FileReport command; synthetic."""
    now = when_ms or int(time.time() * 1000)
    command = pb.Command(reference=reference, message_id=reference)
    body = command.file_report
    body.type = kind or pb.REPORT_TYPE_LEX_SARAH
    body.unit = unit
    body.concerns = pb.CONCERNS_ONE_PERSON
    body.occurred_from_at_ms = now - 7200000
    body.noticed_at_ms = now - 3600000
    body.channel = pb.CHANNEL_SYSTEM
    body.laws.append(pb.LAW_SOL)
    body.category = "UTF"
    body.narrative.description = "Provtext: larmet besvarades inte."
    body.reporter.name = "Prov Rapportör"
    body.reporter.role = "undersköterska"
    body.reporter.mail = "prov@lindaker.example"
    for key, value in fields.items():
        setattr(body, key, value)
    return command


def check(sentence, got, want):
    """One sentence that is proved, with got and want when it is not."""
    if got != want:
        raise AssertionError(f"{sentence}\n  got:  {got}\n  want: {want}")
    print(f"ok  {sentence}")


def check_true(sentence, good, got=""):
    if not good:
        raise AssertionError(f"{sentence}\n  got:  {got}")
    print(f"ok  {sentence}")


def wait_for(sentence, look, want, timeout=30):
    """One sentence that comes true in time."""
    end = time.monotonic() + timeout
    while (got := look()) != want and time.monotonic() < end:
        time.sleep(0.05)
    check(sentence, got, want)
