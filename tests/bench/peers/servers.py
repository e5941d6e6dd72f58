"""servers.py - each peer's server: its settings, how it is started in a folder of its own on loopback, how a client reaches it.

Every one keeps what Debian and its makers set, except where the same work asks for something else; each such line says why.
"""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile

import zmq

from processes import Process, Unavailable, free_port, wait_for_port

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from bench import publish  # noqa: E402
from instance import BIN, Instance, pb  # noqa: E402

UNIT = "lindhaga"


def certificates(folder):
    """A certificate authority and a server's certificate for loopback, as (ca, certificate, key)."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", "ca.key",
            "-out", "ca.pem", "-subj", "/CN=bench authority")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "server.key", "-out",
            "server.csr", "-subj", "/CN=localhost")
    with open(os.path.join(folder, "names"), "w") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-out",
            "server.pem", "-extfile", "names")
    return [os.path.join(folder, name) for name in ("ca.pem", "server.pem", "server.key")]


def find(program, *folders):
    path = shutil.which(program) or shutil.which(program, path=":".join(folders + ("/usr/sbin", "/sbin")))
    if not path:
        raise Unavailable(f"{program} is not installed")
    return path


class Server:
    """What all have in common. `stored`: messages published since it was prepared."""

    client, encrypts, stop_signal = None, "TLS", signal.SIGTERM
    number = 0

    def __init__(self, secure=True, consumed=False):
        self.secure, self.consumed, self.stored, self.process = secure, consumed, 0, None
        self.root = tempfile.mkdtemp(prefix=f"avvik-bench-{self.client[6:]}-")
        self.port = free_port()
        self.program = os.path.join(BIN, self.client)
        try:
            if not os.path.exists(self.program):
                raise Unavailable(f"{self.client} is not built: its client library is missing")
            self.ca, self.certificate, self.key = certificates(self.root) if secure else (None, None, None)
            self.create()
        except BaseException:
            self.close()
            raise

    def create(self):
        """Settings and data folders."""

    def words(self):
        """The server's command line."""
        raise NotImplementedError

    def reach(self):
        """The client's words."""
        return ["--port", str(self.port)] + (["--ca", self.ca] if self.secure else [])

    def start(self, trace=None):
        self.process = Process(self.words(), self.root, trace, self.environment(), self.user())

    def environment(self):
        return {}

    def user(self):
        return None

    def up(self, trace=None):
        self.start(trace)
        wait_for_port(self.port, self.process, 120)
        return self

    def prepare(self):
        self.run(["--prepare", "1", "--patience", "20"])
        self.stored = 0

    def run(self, words):
        done = subprocess.run([self.program, *words, *self.reach()], capture_output=True, text=True, timeout=170)
        if done.returncode != 0:
            raise Unavailable(f"{self.client} {' '.join(words)}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def load(self, publishers, in_flight, words, variant=()):
        Server.number += 1
        told = json.loads(self.run(["--publishers", str(publishers), "--in-flight", str(in_flight), "--prefix",
                                    f"b{Server.number}", *words, *variant]))
        self.stored += told["count"]
        return told

    def before(self):
        """How many messages a consumer finds that comes now."""
        return self.stored

    def consumer(self, folder, before, count):
        return subprocess.Popen([self.program, "--consume", folder, "--before", str(before), "--count", str(count),
                                 *self.reach()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process:
            self.process.stop(self.stop_signal)
            self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()


class PostgreSQL(Server):
    client, stop_signal = "bench_pg", signal.SIGINT

    def user(self):
        """It does not run as root."""
        if os.getuid() != 0:
            return None
        try:
            return pwd.getpwnam("postgres").pw_name
        except KeyError:
            raise Unavailable("there is no user postgres")

    def create(self):
        self.folder = "/usr/lib/postgresql/15/bin"
        self.data = os.path.join(self.root, "data")
        if self.user():
            for path, _, names in os.walk(self.root):
                for name in ["."] + names:
                    shutil.chown(os.path.join(path, name), self.user(), self.user())
        subprocess.run([find("initdb", self.folder), "-D", self.data, "-U", "bench", "-A", "trust", "--no-sync"], check=True,
                       capture_output=True, user=self.user(), cwd=self.root)

    def words(self):
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "",
            "fsync": "on", "synchronous_commit": "on",
            "shared_buffers": "512MB", "max_wal_size": "4GB",  # as on a server of this size; no checkpoint every few seconds
            "ssl": "on" if self.secure else "off",
        }
        if self.secure:
            settings |= {"ssl_cert_file": self.certificate, "ssl_key_file": self.key}
        return [find("postgres", self.folder), "-D", self.data] + [w for k, v in settings.items() for w in ("-c", f"{k}={v}")]

    def reach(self):
        tls = f"sslmode=verify-ca sslrootcert={self.ca}" if self.secure else "sslmode=disable"
        return ["--connect", f"host=127.0.0.1 port={self.port} user=bench dbname=postgres {tls}"]


class Redis(Server):
    client = "bench_redis"

    def words(self):
        tls = ["--port", "0", "--tls-port", str(self.port), "--tls-cert-file", self.certificate, "--tls-key-file", self.key,
               "--tls-ca-cert-file", self.ca, "--tls-auth-clients", "no"] if self.secure else ["--port", str(self.port)]
        return [find("redis-server"), "--bind", "127.0.0.1", "--dir", self.root, "--appendonly", "yes", "--appendfsync", "always",
                "--save", "", *tls]


class RabbitMQ(Server):
    client = "bench_rabbit"

    def create(self):
        self.mapper, self.mapper_port, self.distribution_port = None, free_port(), free_port()
        settings = ["loopback_users.guest = true"]
        if self.secure:
            settings += ["listeners.tcp = none", f"listeners.ssl.1 = 127.0.0.1:{self.port}", f"ssl_options.cacertfile = {self.ca}",
                         f"ssl_options.certfile = {self.certificate}", f"ssl_options.keyfile = {self.key}",
                         "ssl_options.verify = verify_none", "ssl_options.fail_if_no_peer_cert = false"]
        else:
            settings += [f"listeners.tcp.1 = 127.0.0.1:{self.port}"]
        with open(os.path.join(self.root, "rabbitmq.conf"), "w") as file:
            file.write("\n".join(settings) + "\n")
        with open(os.path.join(self.root, "enabled_plugins"), "w") as file:
            file.write("[].\n")

    def environment(self):
        def at(name):
            return os.path.join(self.root, name)
        return {"HOME": self.root, "RABBITMQ_NODENAME": "bench@localhost", "RABBITMQ_CONFIG_FILE": at("rabbitmq.conf"),
                "RABBITMQ_MNESIA_BASE": at("mnesia"), "RABBITMQ_LOG_BASE": at("log"), "RABBITMQ_CONF_ENV_FILE": at("none"),
                "RABBITMQ_ENABLED_PLUGINS_FILE": at("enabled_plugins"), "RABBITMQ_DIST_PORT": str(self.distribution_port),
                "ERL_EPMD_PORT": str(self.mapper_port), "ERL_EPMD_ADDRESS": "127.0.0.1",
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"}

    def words(self):
        return [find("rabbitmq-server", "/usr/lib/rabbitmq/bin") if not os.path.exists("/usr/lib/rabbitmq/bin/rabbitmq-server")
                else "/usr/lib/rabbitmq/bin/rabbitmq-server"]  # the one in sbin changes user and folders

    def start(self, trace=None):
        if not self.mapper:
            self.mapper = Process([find("epmd"), "-port", str(self.mapper_port), "-address", "127.0.0.1"], self.root)
            wait_for_port(self.mapper_port, self.mapper)
        super().start(trace)

    def close(self):
        self.stop()
        if getattr(self, "mapper", None):
            self.mapper.stop(signal.SIGKILL)
        super().close()


class NATS(Server):
    client = "bench_nats"

    def create(self):
        tls = f'tls {{ cert_file: "{self.certificate}", key_file: "{self.key}" }}\n' if self.secure else ""
        with open(os.path.join(self.root, "nats.conf"), "w") as file:
            file.write(f'host: "127.0.0.1"\nport: {self.port}\njetstream {{ store_dir: "{self.root}/store", max_file_store: 20GB }}\n'
                       + tls)

    def words(self):
        return [find("nats-server"), "-c", os.path.join(self.root, "nats.conf")]

    def reach(self):
        return ["--url", f"nats://127.0.0.1:{self.port}"] + (["--ca", self.ca] if self.secure else [])


class Mosquitto(Server):
    client = "bench_mosquitto"

    def create(self):
        settings = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "persistence true",
                    f"persistence_location {self.root}/", "set_tcp_nodelay true",
                    "max_inflight_messages 0", "max_queued_messages 0"]  # nothing is dropped, and 256 may be in flight
        if os.getuid() == 0:
            settings.append("user root")
        if self.secure:
            settings += [f"certfile {self.certificate}", f"keyfile {self.key}"]
        with open(os.path.join(self.root, "mosquitto.conf"), "w") as file:
            file.write("\n".join(settings) + "\n")

    def words(self):
        return [find("mosquitto"), "-c", os.path.join(self.root, "mosquitto.conf")]


class Floor(Server):
    """The bare floor; its consumer is another of its kind, to which it hands on what is committed."""

    client, encrypts = "bench_load", "CURVE"

    def create(self):
        self.pair = zmq.curve_keypair()
        self.ends = [(self.port, zmq.curve_keypair()), (free_port(), zmq.curve_keypair())]
        self.store = os.path.join(self.root, "store")
        os.mkdir(self.store)

    def end_words(self, end, folder):
        port, keys = end
        return [os.path.join(BIN, "bench_floor"), "--bind", f"tcp://127.0.0.1:{port}", "--folder", folder] + (
            ["--secret", keys[1].decode()] if self.secure else [])

    def words(self):
        words = self.end_words(self.ends[0], self.store)
        if self.consumed:
            port, keys = self.ends[1]
            words += ["--next", f"tcp://127.0.0.1:{port}"]
            if self.secure:
                words += ["--next-key", keys[0].decode(), "--own-public", self.pair[0].decode(), "--own-secret",
                          self.pair[1].decode()]
        return words

    def reach(self):
        words = ["--plain", "--endpoint", f"tcp://127.0.0.1:{self.port}"]
        if self.secure:
            words += ["--server-key", self.ends[0][1][0].decode(), "--public", self.pair[0].decode(), "--secret",
                      self.pair[1].decode()]
        return words

    def prepare(self):
        if self.consumed:  # what it has handed on already cannot be taken back
            self.stop()
            shutil.rmtree(self.store)
            os.mkdir(self.store)
            self.up()
        self.stored = 0

    def consumer(self, folder, before, count):
        return subprocess.Popen(self.end_words(self.ends[1], folder) + ["--until", str(count)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)


class Avvik(Server):
    """Intake alone, with directory and rules."""

    client, encrypts = "bench_load", "CURVE"

    def create(self):
        self.instance = Instance()
        self.published = False
        self.port = int(self.instance.endpoints["intake", "command"].rsplit(":", 1)[1])

    def words(self):
        return [os.path.join(BIN, "avvik-intake"), "--settings", self.instance.settings]

    def reach(self):
        public, secret = self.instance.key_pair("publisher")
        return ["--endpoint", self.instance.endpoints["intake", "command"], "--server-key",
                self.instance.server_key("intake").decode(), "--public", public.decode(), "--secret", secret.decode(), "--unit", UNIT]

    def up(self, trace=None):
        super().up(trace)
        if not self.published:
            publish(self.instance)
            self.published = True
        return self

    def prepare(self):
        pass

    def before(self):
        client = self.instance.client("intake", name="admin")
        head = client.call(pb.Command(get_status=pb.GetStatus())).status_found.head
        client.close()
        return head

    def consumer(self, folder, before, count):
        public, secret = self.instance.key_pair("admin")
        return subprocess.Popen([self.program, "--consume", folder, "--before", str(before), "--count", str(count), "--feed",
                                 self.instance.endpoints["intake", "feed"], "--server-key",
                                 self.instance.server_key("intake").decode(), "--public", public.decode(), "--secret",
                                 secret.decode()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def close(self):
        self.stop()
        if hasattr(self, "instance"):
            self.instance.close()
        super().close()
