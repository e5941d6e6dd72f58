"""powercut.py - the power is cut: what the daemons wrote is replayed up to every sync, and the stores are opened from that.

A run is logged by the injector (inject_log.c): every write, sync, rename and removal of all four daemons, and when something was sent.
The log is replayed into a model of a disk that keeps only what it was told to keep: bytes by fsync or fdatasync of their file, or
written through a descriptor that syncs; names by fsync of their folder. Just before and just after each sync an image is made of
what is kept, with a drawn part of what is not: some of the writes, one of them torn at a sector, and of each folder's changes the
first few. Then the stores are opened (powercut_check.c): the chain is whole, what had been acknowledged is there, each
content has its key, no consumer is ahead of its producer, and each mail that is told to be delivered is in the folder, whole.

    powercut.py [--seed N] [--every N] [--subsets N] [--rounds N]
"""

import argparse
import collections
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
from supervised import Supervised  # noqa: E402
from work import Work  # noqa: E402

from instance import BIN, DAEMONS, check_true  # noqa: E402

CHECKER = os.environ.get("AVVIK_POWERCUT", "build/release/tests/powercut_check")
SECTOR = 512
STEPPED = "2026-04-01 09:00"


class File:
    def __init__(self):
        self.kept, self.pending = bytearray(), []  # pending: (offset, bytes), or (size, None) of a truncation

    def sync(self):
        for change in self.pending:
            put(self.kept, change)
        self.pending = []

    def image(self, rand):
        """What may be found: a drawn part of the pending changes, one of them torn."""
        if not self.pending:
            return self.kept
        found = bytearray(self.kept)
        share = rand.choice((0, 0.5, 1))
        chosen = [change for change in self.pending if rand.random() < share]
        torn = rand.randrange(len(chosen)) if chosen else -1
        for place, (offset, data) in enumerate(chosen):
            if place != torn or data is None:
                put(found, (offset, data))
                continue
            end = offset
            while end < offset + len(data):  # up to the next sector's border
                begin, end = end, min((end // SECTOR + 1) * SECTOR, offset + len(data))
                if rand.random() < 0.5:
                    put(found, (begin, data[begin - offset:end - offset]))
        return found


class Folder:
    def __init__(self):
        self.kept, self.now, self.pending = {}, {}, []  # pending: [(folder, name, node or None)], one change of names

    def image(self, rand):
        names = [(self, dict(self.kept))]
        for change in self.pending[:rand.randint(0, len(self.pending))]:
            for folder, name, node in change:
                if folder is self:
                    change_name(names[0][1], name, node)
        return names[0][1]


def put(kept, change):
    offset, data = change
    if data is None:
        del kept[offset:]
        kept.extend(bytes(offset - len(kept)))
        return
    if len(kept) < offset:
        kept.extend(bytes(offset - len(kept)))
    kept[offset:offset + len(data)] = data


def change_name(names, name, node):
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node


class Disk:
    """What lies under one folder of the real one."""

    def __init__(self, root):
        self.root, self.top = root, Folder()

    def find(self, path):
        """(folder, name, node) as it is now; folders that were there before the log are made, and kept."""
        words = os.path.relpath(path, self.root).split("/")
        folder = self.top
        for word in words[:-1]:
            if word not in folder.now:
                folder.now[word] = folder.kept[word] = Folder()
            folder = folder.now[word]
        return folder, words[-1], folder.now.get(words[-1])

    def rename(self, *changes):
        for folder, name, node in changes:
            change_name(folder.now, name, node)
        changes[-1][0].pending.append(changes)

    def sync_names(self, folder):
        for change in folder.pending:
            for where, name, node in change:
                change_name(where.kept, name, node)
        folder.pending = []

    def do(self, call, path, to, offset, data, synchronous):
        if " (deleted)" in path:
            return
        folder, name, node = self.find(path)
        if path == self.root:
            node = self.top
        if call in ("create", "write", "writev", "pwrite", "ftruncate") and node is None:
            node = File()
            self.rename((folder, name, node))
        if call in ("write", "writev", "pwrite", "ftruncate"):
            change = (offset, None if call == "ftruncate" else data)
            if synchronous:
                put(node.kept, change)
                node.pending = [c for c in node.pending if c != change]
            else:
                node.pending.append(change)
        elif call in ("fsync", "fdatasync"):
            if isinstance(node, Folder):
                self.sync_names(node)
            elif node:
                node.sync()
        elif call == "mkdir":
            self.rename((folder, name, Folder()))
        elif call in ("unlink", "unlinkat", "rmdir"):
            self.rename((folder, name, None))
        elif call == "rename":
            other, new, _ = self.find(to)
            self.rename((folder, name, None), (other, new, node))
        elif call == "link":
            other, new, _ = self.find(to)
            self.rename((other, new, node))

    def write_out(self, folder, path, rand):
        os.makedirs(path, exist_ok=True)
        for name, node in folder.image(rand).items():
            below = os.path.join(path, name)
            if isinstance(node, Folder):
                self.write_out(node, below, rand)
            else:
                with open(below, "wb") as file:
                    file.write(node.image(rand))


# --- the run that is logged

Record = collections.namedtuple("Record", "when daemon call path to offset data synchronous")


def read_log(folder, daemon):
    with open(os.path.join(folder, daemon), "rb") as file:
        while line := file.readline():
            head, to = line.rstrip(b"\n").split(b"\t")
            when, call, _, offset, size, synchronous, path = head.split(b" ", 6)
            call = call.decode()
            data = file.read(int(size)) if call in ("write", "writev", "pwrite") else b""
            yield Record(int(when), daemon, call, path.decode(), to.decode(), int(offset), data, synchronous == b"1")


class NotedWork(Work):
    """Notes when each report was acknowledged, and which entry of intake's journal its receipt names."""

    acknowledged = ()

    def file_one(self, *words):
        report_id = super().file_one(*words)
        turn = list(self.filed.values())[-1][1].receipt.turn
        self.acknowledged += ((time.monotonic_ns(), turn.last_sequence, turn.chain_hash.hex()),)
        return report_id


def logged_run(rounds):
    """(instance, records in time, [(when, sequence, hash)])."""
    instance = Supervised(stepped=STEPPED)
    logs = os.path.join(instance.root, "logs")
    os.mkdir(logs)
    instance.more_environment["AVVIK_INJECT_LOG"] = logs
    instance.up()
    instance.publish(quiet_hours=False)
    work = NotedWork(instance)
    work.target = "intake"
    for _ in range(rounds):
        for step in ("file", "deviate", "act", "read", "erase", "publish", "wait", "ask", "restart"):
            work.prepare(step)
            work.step(step)
    for _ in range(10 * rounds):
        work.file_one()
    work.forget()
    instance.settle_real()
    instance.down()
    records = sorted((r for daemon in DAEMONS for r in read_log(logs, daemon)), key=lambda r: r.when)
    return instance, records, list(work.acknowledged)


def when_sent(records, acknowledged):
    """An acknowledgement counts from the moment when its bytes were about to leave."""
    sends = [r.when for r in records if r.daemon == "intake" and r.call.startswith("send") and r.path == "intake.command.message"]
    found, place = [], 0
    for when, sequence, chain in acknowledged:
        while place < len(sends) and sends[place] <= when:
            place += 1
        found.append((sends[place - 1], sequence, chain))
    return found


# --- images

class Cuts:
    def __init__(self, instance, records, acknowledged, rand):
        self.instance, self.records, self.acknowledged, self.rand = instance, records, acknowledged, rand
        self.folder = tempfile.mkdtemp(prefix="avvik-cut-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.checker = subprocess.Popen([CHECKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.images, self.verified, self.mails, self.least = 0, 0, 0, {}

    def ask(self, image, daemon, expected):
        master = os.path.join(self.instance.state, "keys", "master.key")
        words = [os.path.join(image, daemon), daemon, "test", master] + [f"{sequence}:{chain}" for sequence, chain in expected]
        self.checker.stdin.write(" ".join(words) + "\n")
        self.checker.stdin.flush()
        answer = self.checker.stdout.readline().split()
        if answer[:1] != ["ok"]:
            raise AssertionError(f"{daemon}: {' '.join(answer)}")
        return int(answer[1]), [word.split(":") for word in answer[2:]]

    def judge(self, image, now):
        """All four at one moment; consumers first, since what they have read their producers must have."""
        expected = collections.defaultdict(list)
        expected["intake"] = [(sequence, chain) for when, sequence, chain in self.acknowledged if when < now][-50:]
        for daemon in reversed(DAEMONS):
            if not os.path.isdir(os.path.join(image, daemon)):
                if expected[daemon]:
                    raise AssertionError(f"{daemon} is gone, with {expected[daemon]}")
                continue
            _, words = self.ask(image, daemon, expected[daemon])
            for kind, *rest in words:
                if kind == "cursor":
                    expected[rest[0]].append((int(rest[1]), rest[2]))
                else:
                    self.mail(image, rest[0])

    def mail(self, image, notice):
        """Several notices may have gone in one mail, under the name of one of them."""
        name = notice + ".avvik"
        real, found = (os.path.join(at, "mail", "new", name) for at in (self.instance.state, image))
        if not os.path.exists(real):
            return
        with open(real, "rb") as file:
            whole = file.read()
        if not os.path.exists(found) or open(found, "rb").read() != whole:
            raise AssertionError(f"the mail {name} is told to be delivered and is not there, or not whole")
        self.mails += 1

    def verify(self, image):
        """With the daemons' own means: the image becomes an instance."""
        for name in ("avvik.yaml", "principals.yaml", "clock"):
            shutil.copy(os.path.join(self.instance.state, name), image)
        shutil.copytree(os.path.join(self.instance.state, "keys"), os.path.join(image, "keys"))
        done = subprocess.run([os.path.join(BIN, "avvik"), "--settings", os.path.join(image, "avvik.yaml"), "verify"],
                              capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise AssertionError(f"avvik verify: {done.stdout}{done.stderr}")
        self.verified += 1

    def cut(self, disk, record, subsets, place, before):
        for number in range(subsets):
            image = os.path.join(self.folder, "image")
            try:
                disk.write_out(disk.top, image, self.rand)
                self.judge(image, record.when)
                self.images += 1
                if self.images % 100 == 0 and all(os.path.isdir(os.path.join(image, d)) for d in DAEMONS):
                    self.verify(image)
            except AssertionError as error:
                where = f"{'before' if before else 'after'} call {place} of the log ({record.daemon} {record.call} {record.path})"
                raise AssertionError(f"power cut {where}, subset {number}: {error}") from error
            finally:
                shutil.rmtree(image, ignore_errors=True)

    def run(self, every, subsets):
        disk = Disk(self.instance.state)
        syncs = 0
        for place, record in enumerate(self.records):
            if not record.path.startswith(self.instance.state):
                continue
            is_sync = record.synchronous or record.call in ("fsync", "fdatasync")
            chosen = is_sync and syncs % every == 0
            syncs += is_sync
            if chosen and record.data:  # on its way, it may be torn
                disk.do(record.call, record.path, record.to, record.offset, record.data, False)
            if chosen:
                self.cut(disk, record, subsets, place, True)
            disk.do(record.call, record.path, record.to, record.offset, record.data, record.synchronous)
            if chosen:
                self.cut(disk, record, 1, place, False)
        return syncs

    def close(self):
        self.checker.stdin.close()
        self.checker.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--every", type=int, default=8, help="cut at every N-th sync")
    options.add_argument("--subsets", type=int, default=2, help="images just before a sync")
    options.add_argument("--rounds", type=int, default=1, help="of the workload")
    given = options.parse_args()
    begun = time.monotonic()
    instance, records, acknowledged = logged_run(given.rounds)
    cuts = Cuts(instance, records, when_sent(records, acknowledged), random.Random(given.seed))
    with instance:
        try:
            syncs = cuts.run(given.every, given.subsets)
        finally:
            cuts.close()
    print(f"    {len(records)} calls logged, {syncs} syncs, {len(acknowledged)} reports acknowledged, seed {given.seed}; "
          f"{time.monotonic() - begun:.0f} s")
    check_true(f"{cuts.images} images after a power cut: every store opens, its chain is whole, what was acknowledged is there", cuts.images > 0)
    check_true(f"no consumer is ahead of its producer, every content has its key, {cuts.mails} looks found their mail", cuts.mails > 0)
    check_true(f"{cuts.verified} of them verified by the daemons themselves", cuts.verified > 0)


main()
