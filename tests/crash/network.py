"""Four daemons and a publisher on three hosts, over a wire with delay and loss that is cut for a while: nothing is lost or done twice.

    network.py [reports [seconds of each cut]]

Hosts are network namespaces (tests/support/network.py). Where none can be made it is passed over (77).
"""

import os
import pickle
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from filing import Publisher, once_everywhere  # noqa: E402
from instance import BIN, DAEMONS, Client, Instance, check, check_true, wait_for  # noqa: E402
from network import Network, NotPossible  # noqa: E402

SKIPPED = 77
NUMBERS = [int(word) for word in sys.argv[1:3]] if sys.argv[1:2] != ["--publisher"] else []
REPORTS, CUT_SECONDS = NUMBERS + [200, 11][len(NUMBERS):]
HOST = {"intake": "one", "workflow": "two", "notification": "two", "reporting": "two"}


def publish_from_afar(count, endpoint, server_key, public, secret):
    """The publisher on the third host: a process of its own; what it was told goes to the standard output."""
    publisher = Publisher(lambda silence_ms: Client(endpoint, server_key.encode(), (public.encode(), secret.encode()),
                                                    timeout_ms=silence_ms), int(count), window=32, pause=0.02, silence_ms=3000)
    publisher.start()
    publisher.join()
    sys.stdout.buffer.write(pickle.dumps({
        "acknowledged": {reference: accepted.SerializeToString() for reference, accepted in publisher.acknowledged.items()},
        "refused": publisher.refused, "sent_again": publisher.sent_again, "slowest": publisher.slowest}))


class Hosts:
    """The instance's daemons, each on its host."""

    def __init__(self, instance, network):
        self.instance, self.network, self.running = instance, network, {}
        self.here = open(instance.settings).read()
        text, port = self.here, 7100
        for (daemon, _), endpoint in instance.endpoints.items():
            port += 1
            text = text.replace(endpoint, f"tcp://{network.address[HOST[daemon]]}:{port}")
        with open(instance.settings, "w") as file:
            file.write(text)
        self.endpoints = instance.read_endpoints()
        instance.up_log = open(os.path.join(instance.root, "up.log"), "a")
        for daemon in DAEMONS:
            words = network.words(HOST[daemon], os.path.join(BIN, f"avvik-{daemon}"), "--settings", instance.settings)
            self.running[daemon] = subprocess.Popen(words, stderr=instance.up_log)

    def tool(self, host, *words, check=True):
        done = subprocess.run(self.network.words(host, os.path.join(BIN, "avvik"), "--settings", self.instance.settings, *words),
                              capture_output=True, text=True, timeout=120)
        if check and done.returncode != 0:
            raise AssertionError(f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def issues(self, host):
        """As an administrator on that host sees them."""
        import json
        text = self.tool(host, "status", "--json", check=False)
        return {(s["daemon"], i["code"]) for s in json.loads(text or "[]") for i in s.get("issues", [])}

    def heads(self, host):
        import json
        text = self.tool(host, "status", "--json", check=False)
        return {s["daemon"]: s.get("head", 0) for s in json.loads(text or "[]")}

    def stop(self):
        """Each finishes what it has; then the instance is on this host's loopback again."""
        for process in self.running.values():
            process.terminate()
        codes = {daemon: process.wait(30) for daemon, process in self.running.items()}
        with open(self.instance.settings, "w") as file:
            file.write(self.here)
        return codes


def main():
    with Instance() as instance, Network(("one", "two", "three"), seed=7) as network:
        hosts = Hosts(instance, network)
        try:
            play(instance, network, hosts)
        finally:
            for process in hosts.running.values():
                if process.poll() is None:
                    process.kill()


def play(instance, network, hosts):
    wait_for("four daemons on two hosts answer", lambda: set(hosts.heads("one")), set(DAEMONS))
    source = os.environ.get("AVVIK_SOURCE", ".")
    hosts.tool("one", "rules", "publish", os.path.join(source, "deploy/rules/se-2025-07.yaml"), "--reason", "test")
    hosts.tool("one", "directory", "publish", os.path.join(source, "deploy/directory/lindaker.yaml"), "--reason", "test")
    wait_for("and are well", lambda: hosts.issues("one"), set())

    network.delay_ms, network.loss = 50, 0.05
    began = time.monotonic()
    public, secret = instance.key_pair("publisher")
    words = [sys.executable, os.path.abspath(__file__), "--publisher", str(REPORTS), hosts.endpoints["intake", "command"],
             instance.server_key("intake").decode(), public.decode(), secret.decode()]
    publisher = subprocess.Popen(network.words("three", *words), stdout=subprocess.PIPE)
    wait_for("through delay and loss cases are opened from reports", lambda: hosts.heads("two").get("workflow", 0) > 10, True, 60)

    network.cut_off("one")
    cut = time.monotonic()
    before = hosts.heads("one")["intake"]
    wait_for("cut off, health names the producer that does not answer", lambda: {
        ("workflow", "feed_away_intake"), ("notification", "feed_away_intake"), ("reporting", "feed_away_intake")} <= hosts.issues("two"),
        True, CUT_SECONDS + 20)
    check("while intake itself is well", hosts.issues("one"), set())
    check("and the daemons on the other side have nothing else to say",
          {code for _, code in hosts.issues("two")}, {"feed_away_intake"})
    time.sleep(max(0, CUT_SECONDS - (time.monotonic() - cut)))
    lasted = time.monotonic() - cut
    after = hosts.heads("one")["intake"]
    network.heal()
    wait_for("healed, everything goes on by itself: reports come in", lambda: hosts.heads("one")["intake"] > after, True, 30)
    wait_for("and nobody has anything to say any more", lambda: hosts.issues("two"), set(), 30)
    print(f"    a cut of {lasted:.0f} s; intake had {before} events when it began and {after} when it ended")

    network.cut_off("three")
    time.sleep(2)
    network.heal()
    told = pickle.loads(publisher.communicate(timeout=200)[0])
    print(f"    {REPORTS} reports in {time.monotonic() - began:.0f} s, {told['sent_again']} sent again, the slowest answered after "
          f"{told['slowest']:.1f} s; frames: {network.carried} carried, {network.lost} lost, {network.cut} cut off")
    check_true("frames were lost and cut off", network.lost > 20 and network.cut > 20, (network.lost, network.cut))
    check("no report was refused", told["refused"], [])
    check("every report was acknowledged in the end", len(told["acknowledged"]), REPORTS)
    check("nobody ended", {d: p.poll() for d, p in hosts.running.items()}, dict.fromkeys(DAEMONS))
    check("asked to stop, all end well", hosts.stop(), dict.fromkeys(DAEMONS, 0))

    from instance import pb
    acknowledged = {}
    for reference, packed in told["acknowledged"].items():
        acknowledged[reference] = pb.ReportAccepted.FromString(packed)
    instance.up()
    instance.settle_real()
    once_everywhere(instance, acknowledged)


if sys.argv[1:2] == ["--publisher"]:
    publish_from_afar(*sys.argv[2:])
else:
    try:
        main()
    except NotPossible as reason:
        print(f"passed over: {reason}")
        sys.exit(SKIPPED)
