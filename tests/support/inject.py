"""inject.py - daemons under the injector (tests/crash/inject.c): which points they meet, and what is to happen at one."""

import os
import struct

INJECTOR = os.environ.get("AVVIK_INJECTOR", "build/release/tests/inject.so")
NAME_BYTES = 160  # POINT_MAX


class Injector:
    """For one instance, or with a name of its own for one of its daemons. `environment` is for `avvik up` or a daemon; rules can be changed while they run."""

    def __init__(self, instance, name="all"):
        self.folder = os.path.join(instance.root, "inject")
        os.makedirs(self.folder, exist_ok=True)
        self.rules = os.path.join(self.folder, f"{name}.rules")
        self.hits = os.path.join(self.folder, f"{name}.hits")
        ports = ",".join(f"{where.rsplit(':', 1)[-1]}={daemon}.{socket}" for (daemon, socket), where in instance.endpoints.items())
        self.environment = {
            "LD_PRELOAD": os.path.abspath(INJECTOR), "AVVIK_INJECT": "@" + self.rules, "AVVIK_INJECT_HIT": self.hits,
            "AVVIK_INJECT_COUNT": self.folder, "AVVIK_INJECT_PORTS": ports}

    def arm(self, *rules):
        """Each "PATTERN [nth=N[+]] [when=before|half|after] [do=kill|errno=NAME|delay=MS]"."""
        with open(self.rules + ".new", "w") as file:
            file.write("\n".join(rules) + "\n")
        os.rename(self.rules + ".new", self.rules)

    def disarm(self):
        if os.path.exists(self.rules):
            os.unlink(self.rules)

    def fired(self):
        """The points at which something was made to happen, in order."""
        if not os.path.exists(self.hits):
            return []
        with open(self.hits) as file:
            return file.read().split("\n")[:-1]

    def counts(self, daemon):
        """{point: how often it was met} since the injector was made."""
        path, found = os.path.join(self.folder, daemon), {}
        if not os.path.exists(path):
            return found
        with open(path, "rb") as file:
            data = file.read()
        for name, count in struct.iter_unpack(f"={NAME_BYTES}sQ", data):
            if name[0] == 0:
                break
            found[name.split(b"\0")[0].decode()] = count
        return found
