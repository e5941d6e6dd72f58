"""supervised.py - an instance whose daemons run under the injector, with a supervisor that starts at once whatever was killed."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from inject import Injector  # noqa: E402
from instance import BIN, DAEMONS, Instance  # noqa: E402


EXIT_CONFIG = 78  # somebody's outgoing connection has the port for a moment: it is tried again; if it lasts, nobody gets ready


class Keeper(threading.Thread):
    """Runs one daemon. A kill disarms the injector, so that the next life is undisturbed."""

    def __init__(self, instance, daemon):
        super().__init__(daemon=True)
        self.instance, self.name, self.injector = instance, daemon, instance.injectors[daemon]
        self.next_rule = None  # with which the life after the next kill begins
        self.process, self.kills, self.lives, self.stopping = None, 0, 0, False
        self.codes = []
        self.ready = threading.Event()
        path = os.path.join(instance.root, f"{daemon}.notify")
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(path)
        self.notices.settimeout(0.01)
        self.environment = dict(os.environ, NOTIFY_SOCKET=path, **self.injector.environment)
        self.environment.update(instance.more_environment)

    def begin(self):
        environment = dict(self.environment)
        if not os.path.exists(os.path.join(self.instance.state, self.name, "marks")):
            environment["AVVIK_INJECT_PHASE"] = "first"
        self.process = subprocess.Popen([os.path.join(BIN, f"avvik-{self.name}"), "--settings", self.instance.settings],
                                        stdout=self.instance.up_log, stderr=self.instance.up_log, env=environment)
        self.lives += 1

    def listen(self):
        try:
            if b"READY=1" in self.notices.recv(4096):
                self.ready.set()
        except socket.timeout:
            pass

    def run(self):
        self.begin()
        while True:
            self.listen()
            code = self.process.poll()
            if code is None:
                continue
            self.ready.clear()
            if code == -signal.SIGKILL:
                self.injector.disarm()
                if self.next_rule:
                    self.injector.arm(self.next_rule)
                    self.next_rule = None
                self.kills += 1
            elif code not in (0, EXIT_CONFIG, -signal.SIGTERM):  # SIGTERM before it listens for it
                self.codes.append(code)
            if self.stopping:
                return
            self.begin()


class Supervised(Instance):
    def __init__(self, stepped=None, more_environment=None):
        super().__init__(stepped=stepped)
        self.injectors = {daemon: Injector(self, daemon) for daemon in DAEMONS}
        self.more_environment = more_environment or {}
        self.keepers = {}

    def up(self, timeout=30):
        self.up_log = open(os.path.join(self.root, "up.log"), "a")
        self.keepers = {daemon: Keeper(self, daemon) for daemon in DAEMONS}
        for keeper in self.keepers.values():
            keeper.start()
        self.wait_ready(timeout)

    def wait_ready(self, timeout=30):
        for keeper in self.keepers.values():
            if not keeper.ready.wait(timeout):
                raise AssertionError(f"{keeper.name} is not ready:\n" + open(self.up_log.name).read()[-3000:])

    def terminate(self, daemon):
        """Ends it as systemd does; it is started again."""
        keeper = self.keepers[daemon]
        lives = keeper.lives
        keeper.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 30
        while keeper.lives == lives:
            if time.monotonic() > end:
                raise AssertionError(f"{daemon} did not end")
            time.sleep(0.005)
        self.wait_ready()

    def kill(self, daemon):
        os.kill(self.keepers[daemon].process.pid, signal.SIGKILL)

    def kills(self, daemon):
        return self.keepers[daemon].kills

    def down(self):
        for injector in self.injectors.values():
            injector.disarm()
        for keeper in self.keepers.values():
            keeper.stopping = True
        for keeper in self.keepers.values():
            keeper.process.send_signal(signal.SIGTERM)
        for keeper in self.keepers.values():
            keeper.join(30)
            keeper.notices.close()
        self.keepers = {}
