"""A disk that fails, fills, turns read-only or is slow under running daemons: nothing acknowledged is lost or done twice.

Errors and delays come from the injector (tests/crash/inject.c); the read-only disk is a small ext4 on a loop device, which is passed
over where none can be mounted. A full disk and a full map of their own are in tests/scenario/full_disk.py and store_faults.py.

    disk.py [errors|full|slow|read-only …]
"""

import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from filing import Publisher, once_everywhere  # noqa: E402
from inject import Injector  # noqa: E402
from instance import DAEMONS, Instance, check, check_true, pb, report, wait_for  # noqa: E402


class World:
    """Four daemons under the injector, and everything that was filed."""

    def __init__(self, instance):
        self.instance, self.injector, self.filed = instance, Injector(instance), {}
        instance.up(env={**os.environ, **self.injector.environment})
        instance.publish(quiet_hours=False)
        instance.settle_real()

    def publisher(self, prefix, count=None, **more):
        made = Publisher(lambda silence_ms: self.instance.client("intake", timeout_ms=silence_ms), count, prefix=prefix, **more)
        made.start()
        return made

    def end(self, publisher):
        if publisher.count is None:
            publisher.finish()
        publisher.join()
        check("nothing was refused, everything acknowledged in the end",
              (publisher.refused[:3], publisher.count in (None, len(publisher.acknowledged))), ([], True))
        self.filed.update(publisher.acknowledged)

    def pids(self):
        return {daemon: self.instance.pid(daemon) for daemon in DAEMONS}

    def log(self):
        with open(self.instance.up_log.name) as file:
            return file.read()

    def prove(self):
        self.injector.disarm()
        self.instance.wait_ready()
        self.instance.settle_real()
        once_everywhere(self.instance, self.filed)


def errors(world):
    """A write or a sync that fails ends the daemon without a reply; it is started again and goes on."""
    number = 0
    for daemon, point in (("intake", "*write*/data/data.mdb/turn nth=3"), ("intake", "fdatasync/data/data.mdb/turn nth=2"),
                          ("intake", "pwrite/data/data.mdb#meta/turn nth=2"), ("workflow", "fdatasync/data/data.mdb/turn nth=2"),
                          ("notification", "pwrite/data/data.mdb#meta/turn nth=2"), ("reporting", "*write*/data/data.mdb/turn nth=2")):
        number += 1
        before, fired = world.instance.pid(daemon), len(world.injector.fired())
        said = world.log().count("ending without a reply")
        world.injector.arm(f"{daemon}/run/{point} do=errno=EIO")
        publisher = world.publisher(f"eio{number}", pause=0.005)  # until it has happened, however large the turns are
        where = "the page that makes a commit count" if "#meta" in point else "a sync" if "sync" in point else "a write"
        wait_for(f"{daemon} meets an I/O error at {where}", lambda: len(world.injector.fired()) > fired, True)
        world.injector.disarm()  # before the next process, which would count anew
        wait_for("ends, and is started again", lambda: world.instance.pid(daemon) not in (None, before), True)
        world.end(publisher)
        world.instance.wait_ready()
        check_true("having said so", world.log().count("ending without a reply") > said)
    wait_for("and nothing is left to tell of", lambda: world.instance.issues(), set())


def full(world):
    """ENOSPC at the fifth write and all after it; then there is room again."""
    pids = world.pids()
    # Not the page that makes a commit count: it is there from the start and needs no room.
    world.injector.arm("*/run/*write*/data/data.mdb/* nth=5+ do=errno=ENOSPC")
    publisher = world.publisher("full")
    wait_for("with a full disk health says so", lambda: ("intake", "store_full") in world.instance.issues(), True)
    text = next(i["text"] for i in world.instance.states()["intake"]["issues"] if i["code"] == "store_full")
    check_true("with what to do", "make room on the disk" in text, text)
    time.sleep(0.5)
    check_true("and reports are answered FULL", publisher.told[pb.REPLY_STATUS_FULL] > 0, publisher.told)
    world.injector.disarm()
    wait_for("when there is room they are taken", lambda: ("intake", "store_full") in world.instance.issues(), False)
    world.end(publisher)
    world.instance.settle_real()
    check("nobody ended", world.pids(), pids)
    check("and health has nothing more to say", world.instance.issues(), set())


def slow(world, delay_ms=400):
    """Each sync takes so long: turns become larger, nobody takes it for a fault."""
    pids = world.pids()
    began = time.monotonic()
    count = 1500
    before = {d: s["head"] for d, s in world.instance.states().items()}
    metrics = turns(world.instance)
    world.injector.arm(f"*/fdatasync/data/data.mdb/* nth=1+ when=after do=delay={delay_ms}")
    publisher = world.publisher("slow", count, window=512, pause=0, silence_ms=10000)
    seen = set()
    while publisher.is_alive():
        seen |= world.instance.issues()
        time.sleep(0.2)
    took = time.monotonic() - began
    more = turns(world.instance) - metrics
    world.end(publisher)
    print(f"    {count} reports in {took:.1f} s and {more:.0f} turns of intake, {count / more:.0f} a turn; the slowest answered after "
          f"{publisher.slowest:.1f} s")
    check_true("turns take in what waits: many reports share a sync", count / more > 20, count / more)
    check_true("so that it does not take a sync for each", took < count * delay_ms / 1000 / 5, took)
    big = world.publisher("large", 1500, window=1500, pause=0, silence_ms=15000, make=large)
    while big.is_alive():
        seen |= world.instance.issues()
        time.sleep(0.2)
    world.end(big)
    check_true("beyond what the queue may hold senders are told to come again", big.told[pb.REPLY_STATUS_BUSY] > 0, big.told)
    print(f"    {big.told[pb.REPLY_STATUS_BUSY]} times BUSY")
    check("health had nothing to say all the while", seen, set())
    check("nobody ended", world.pids(), pids)
    wait_for("and all get on", lambda: all(s["head"] > before[d] for d, s in world.instance.states().items()), True)
    world.injector.disarm()  # not to wait for a thousand mails, each with such a sync


def large(reference):
    command = report(reference, unit="lindhaga", when_ms=1775000000000)
    command.file_report.narrative.description = "x" * 30000
    return command


def turns(instance):
    text = instance.avvik("status", "--metrics")
    return next(float(line.split()[-1]) for line in text.split("\n")
                if line.startswith("avvik_turns_total") and 'daemon="intake"' in line)


# --- read-only

class Ext4:
    """A small file system on a loop device. Its mount point is immutable, so that nobody takes it for the disk."""

    def __init__(self, folder):
        self.image, self.folder = folder + ".image", folder
        os.makedirs(folder, exist_ok=True)
        self.guarded = subprocess.run(["chattr", "+i", folder], capture_output=True).returncode == 0
        with open(self.image, "wb") as file:
            file.truncate(192 << 20)
        subprocess.run(["mkfs.ext4", "-q", self.image], check=True, capture_output=True)

    def mount(self):
        return subprocess.run(["mount", "-o", "loop", self.image, self.folder], capture_output=True).returncode == 0

    def turn_read_only(self):
        """What the kernel does when the journal of the file system fails: files that are open stay so."""
        subprocess.run(["mount", "-o", "remount,abort", self.folder], check=True, capture_output=True)

    def unmount(self):
        return subprocess.run(["umount", self.folder], capture_output=True).returncode == 0

    def close(self):
        self.unmount()
        if self.guarded:
            subprocess.run(["chattr", "-i", self.folder], check=True)

    def repair(self):
        subprocess.run(["e2fsck", "-fp", self.image], capture_output=True)  # ends with 1 when it mended something


def read_only():
    with Instance() as instance:
        folder = os.path.join(instance.state, "intake")
        if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
            print("passed over: a read-only disk (needs root and mkfs.ext4)")
            return
        disk = Ext4(folder)
        try:
            if not (disk.guarded and disk.mount()):
                print("passed over: a read-only disk (a loop device cannot be mounted here, or its mount point not be guarded)")
                return
            play_read_only(World(instance), disk)
        finally:
            instance.down()
            disk.close()


def play_read_only(world, disk):
    instance = world.instance
    publisher = world.publisher("ro", patience=120)
    time.sleep(0.5)
    disk.turn_read_only()
    wait_for("when its disk turns read-only intake ends", lambda: "intake        ended with code 75" in world.log(), True)
    wait_for("and at each start says why, and what to look at", lambda: "Read-only file system" in world.log(), True)
    line = next(line for line in world.log().split("\n") if "Read-only file system" in line)
    print(f"    {line}")
    wait_for("the disk can be taken away", disk.unmount, True, 20)
    wait_for("where it was no new store is begun, but it is said", lambda: "Operation not permitted" in world.log(), True)
    disk.repair()
    check("it comes back", disk.mount(), True)
    wait_for("and intake is started again, by itself", lambda: "intake" in instance.states(), True, 90)
    world.end(publisher)
    print(f"    {len(world.filed)} reports, {publisher.sent_again} sent again, the slowest answered after {publisher.slowest:.0f} s")
    world.prove()
    check("and health has nothing more to say", instance.issues(), set())


def main():
    wanted = sys.argv[1:] or ["errors", "full", "slow", "read-only"]
    with Instance() as instance:
        world = World(instance)
        for name, part in (("errors", errors), ("full", full), ("slow", slow)):
            if name in wanted:
                part(world)
        world.prove()
    if "read-only" in wanted:
        read_only()


main()
