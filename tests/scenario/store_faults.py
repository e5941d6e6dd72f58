"""Stores that are full, damaged, newer, in use by another, or of another clock: refused or waited for with a clear line, nothing lost."""

import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from casework import SAS  # noqa: E402
from instance import BIN, Instance, check, check_true, pb, report, wait_for  # noqa: E402

EXIT_CONFIG = 78
SECRET = "Zonrosprovtext"


def file_until_full(client, most, prefix, size):
    """What was acknowledged, {reference: report id}; and the first that was answered FULL."""
    done = {}
    for number in range(most):
        reference = f"{prefix}-{number}"
        command = report(reference, unit="lindhaga", when_ms=1775000000000)
        command.file_report.narrative.description = SECRET + "x" * size
        reply = client.call(command)
        if reply.status == pb.REPLY_STATUS_FULL:
            return done, command, reply
        if reply.status != pb.REPLY_STATUS_DONE:
            raise AssertionError(f"{reference}: {reply}")
        done[reference] = reply.report_accepted.report_id
    raise AssertionError(f"not full after {most}")


def nothing_lost(instance, done):
    events, _ = instance.feed("intake")
    held = [e.report_filed.report_id for e in events if e.WhichOneof("body") == "report_filed"]
    check("intake holds every report that was acknowledged, once", (set(done.values()) <= set(held), len(held)), (True, len(set(held))))
    events, _ = instance.feed("workflow")
    opened = [e.case_id for e in events if e.WhichOneof("body") == "case_opened"]
    check("and each has its case", sorted(opened), sorted(held))


def set_map(instance, megabytes):
    with open(instance.settings) as file:
        lines = [line for line in file if not line.startswith(("limits:", "  map_megabytes"))]
    with open(instance.settings, "w") as file:
        file.writelines(lines + ["limits:\n", f"  map_megabytes: {megabytes}\n"])


def full_map():
    with Instance() as instance:
        set_map(instance, 16)
        instance.up()
        instance.publish()
        client = instance.client("intake")
        done, command, reply = file_until_full(client, 4000, "map", 30000)
        check_true("a report that finds the map full is answered so, with what is to be done", "full" in reply.text and "room" in reply.text,
                   reply.text)
        print(f"    {len(done)} reports of 30 KB were taken before")
        wait_for("health says so", lambda: ("intake", "store_full") in instance.issues(), True)
        check("and so does the exit code for the monitoring", instance.run(["status"], check=False).returncode, 1)
        first = next(iter(done))
        again = report(first, unit="lindhaga", when_ms=1775000000000)
        again.file_report.narrative.description = SECRET + "x" * 30000
        reply = client.call(again)
        check("one that was taken before still gets its reply again", (reply.status, reply.repeated, reply.report_accepted.report_id),
              (pb.REPLY_STATUS_DONE, True, done[first]))
        receipt = client.call(pb.Command(get_receipt=pb.GetReceipt(reference=first)))
        check("and its receipt", receipt.status, pb.REPLY_STATUS_DONE)
        instance.settle_real()
        number = instance.json("case", "list", "--limit", "1")[0]["number"]
        text = instance.avvik("content", "read", number, "--purpose", "utredning", "--as", SAS)
        check("content is read as before", SECRET in text, True)
        instance.avvik("content", "erase", number, "--reason", "felaktigt_inlamnad", "--as", SAS)
        done_read = instance.run(["content", "read", number, "--purpose", "utredning", "--as", SAS], check=False)
        check("and erased", SECRET in done_read.stdout, False)
        client.close()
        instance.down()

        set_map(instance, 64)
        instance.up()
        client = instance.client("intake")
        reply = client.call(command)
        check("with a larger map the one that was refused is taken", (reply.status, reply.repeated), (pb.REPLY_STATUS_DONE, False))
        done[command.reference] = reply.report_accepted.report_id
        client.close()
        check("and health has nothing more to say", {c for _, c in instance.issues()}, set())
        instance.settle_real()
        nothing_lost(instance, done)
        instance.down()
        verified = instance.run(["verify"], check=False)
        check_true("everything verifies", verified.returncode == 0, verified.stdout + verified.stderr)


def full_disk():
    if os.geteuid() != 0:
        print("skipped: a full disk (needs root, to mount a small one)")
        return
    disk = tempfile.mkdtemp(prefix="avvik-disk-")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", disk], capture_output=True).returncode != 0:
        os.rmdir(disk)
        print("skipped: a full disk (a small one cannot be mounted here)")
        return
    try:
        with Instance() as instance:
            with open(instance.settings, "a") as file:
                file.write(f"state: {disk}\n")
            instance.up()
            instance.publish()
            client = instance.client("intake")
            before, _, _ = {}, None, None
            for number in range(50):
                reply = client.call(report(f"before-{number}", unit="lindhaga", when_ms=1775000000000))
                before[f"before-{number}"] = reply.report_accepted.report_id
            instance.settle_real()
            pids = {daemon: instance.pid(daemon) for daemon in ("intake", "workflow", "notification", "reporting")}
            with open(os.path.join(disk, "filler"), "wb", buffering=0) as filler:
                try:
                    while filler.write(bytes(65536)) == 65536:
                        pass
                except OSError:
                    pass
                try:
                    while True:
                        filler.write(bytes(512))
                except OSError:
                    pass
            done, command, reply = file_until_full(client, 2000, "disk", 30000)
            check_true("a report that finds the disk full is answered so", "full" in reply.text, reply.text)
            found = client.call(pb.Command(get_receipt=pb.GetReceipt(reference="before-0")))
            check("questions are answered", found.status, pb.REPLY_STATUS_DONE)
            wait_for("health says so", lambda: ("intake", "store_full") in instance.issues(), True)
            check("no daemon has ended", {d: instance.pid(d) for d in pids}, pids)
            os.unlink(os.path.join(disk, "filler"))
            wait_for("when there is room again reports are taken", lambda: client.call(command).status, pb.REPLY_STATUS_DONE)
            done[command.reference] = client.call(command).report_accepted.report_id
            instance.settle_real()
            check("and health has nothing more to say", {c for _, c in instance.issues()}, set())
            nothing_lost(instance, {**before, **done})
            check("still no daemon has ended", {d: instance.pid(d) for d in pids}, pids)
            client.close()
            instance.down()
            verified = instance.run(["verify"], check=False)
            check_true("everything verifies", verified.returncode == 0, verified.stdout + verified.stderr)
    finally:
        subprocess.run(["umount", disk], check=False)
        os.rmdir(disk)


# --- stores that are refused

def fingerprint(folder):
    """Every file below a folder: its name and its bytes. But LMDB's table of readers, which is nobody's data."""
    found = {}
    for path, _, names in os.walk(folder):
        for name in set(names) - {"lock.mdb"}:
            with open(os.path.join(path, name), "rb") as file:
                found[os.path.relpath(os.path.join(path, name), folder)] = hashlib.sha256(file.read()).hexdigest()
    return found


def start(instance, daemon):
    return subprocess.run([os.path.join(BIN, f"avvik-{daemon}"), "--settings", instance.settings], capture_output=True, text=True,
                          timeout=20)


def refused(instance, daemon, sentence, *words):
    folder = os.path.join(instance.state, daemon)
    before = fingerprint(folder)
    done = start(instance, daemon)
    check(f"{sentence}: the daemon does not start", done.returncode, EXIT_CONFIG)
    check(f"{sentence}: it says why and what to do, in one line", ([w for w in words if w not in done.stderr], done.stderr.count("\n")),
          ([], 1))
    check(f"{sentence}: and touches nothing", fingerprint(folder), before)


def change(path, at, data):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def change_settings(instance, *pairs):
    with open(instance.settings) as file:
        text = file.read()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    with open(instance.settings, "w") as file:
        file.write(text)


def refusals():
    with Instance(stepped="2026-04-01 09:00") as instance:
        instance.up()
        instance.publish()
        client = instance.client("intake")
        for number in range(40):
            client.call(report(f"r-{number}", unit="lindhaga", when_ms=1775026800000))
        client.close()
        instance.settle()

        second = start(instance, "intake")
        check("a second daemon on the store is refused", (second.returncode, "another daemon has it open" in second.stderr),
              (EXIT_CONFIG, True))
        check("while the first one goes on", instance.run(["status"], check=False).returncode, 0)
        backup = os.path.join(instance.root, "backup")
        check_true("running daemons are backed up", "workflow: copied" in instance.avvik("backup", backup))
        restored = instance.run(["restore", backup], check=False)
        check_true("but nothing is restored under them", restored.returncode != 0 and "use" in restored.stderr, restored.stderr)
        check("and they go on", instance.run(["status"], check=False).returncode, 0)
        instance.down()

        data = os.path.join(instance.state, "intake", "data", "data.mdb")
        whole = data + ".whole"
        shutil.copy(data, whole)
        size = os.path.getsize(data)

        os.truncate(data, size // 2)
        refused(instance, "intake", "a store cut off in the middle", "damaged", "avvik restore")
        shutil.copy(whole, data)
        change(data, 0, os.urandom(8192))
        refused(instance, "intake", "a store with garbage where it begins", "damaged", "avvik restore")
        os.truncate(data, 100)
        refused(instance, "intake", "a store of a hundred bytes", "damaged", "avvik restore")
        os.unlink(data)
        refused(instance, "intake", "a store whose file is gone", "is missing", "avvik restore")
        shutil.copy(whole, data)

        with open(data, "rb") as file:
            image = file.read()
        mark = b"format" + struct.pack(">I", 1)
        check_true("the store says its format", mark in image)
        with open(data, "wb") as file:
            file.write(image.replace(mark, b"format" + struct.pack(">I", 9)))
        refused(instance, "intake", "a store of a newer format", "format 9", "install the newer version")
        shutil.copy(whole, data)

        damaged = bytearray(image)
        for at in range(size // 2, size, 4096):
            damaged[at:at + 2048] = os.urandom(2048)
        with open(data, "wb") as file:
            file.write(damaged)
        verified = instance.run(["verify"], check=False)
        check_true("verify finds damage inside, and ends by itself", verified.returncode in range(1, 100) and "intake" in
                   verified.stdout + verified.stderr, (verified.returncode, verified.stdout + verified.stderr))
        shutil.copy(whole, data)
        os.unlink(whole)

        change_settings(instance, ("production: false", "production: true"))
        done = start(instance, "intake")
        check_true("production refuses the stepped clock", done.returncode == EXIT_CONFIG and "real clock" in done.stderr, done.stderr)
        change_settings(instance, ("clock: stepped", "clock: real"))
        refused(instance, "intake", "a store that was made under a stepped clock, in production", "stepped clock", "production")
        change_settings(instance, ("production: true", "production: false"), ("instance: test", "instance: other"))
        refused(instance, "intake", "a store of another instance", "another instance", "settings")
        change_settings(instance, ("instance: other", "instance: test"), ("clock: real", "clock: stepped"))
        moved = os.path.join(instance.state, "workflow", "data")
        shutil.move(moved, moved + ".own")
        shutil.copytree(os.path.join(instance.state, "intake", "data"), moved)
        refused(instance, "workflow", "a store of another daemon", "another daemon", "settings")
        shutil.rmtree(moved)
        shutil.move(moved + ".own", moved)

        key = os.path.join(instance.state, "keys", "master.key")
        with open(key) as file:
            kept = file.read()
        os.chmod(key, 0o600)
        with open(key, "w") as file:
            file.write("00" * 32 + "\n")
        refused(instance, "intake", "another master key", "key")
        with open(key, "w") as file:
            file.write(kept)

        settings = open(instance.settings).read()
        change_settings(instance, ("clock: stepped", "clok: stepped"))
        done = start(instance, "intake")
        check("an unknown setting is refused, with its line and the one that was meant",
              (done.returncode, "avvik.yaml:" in done.stderr and "clock" in done.stderr), (EXIT_CONFIG, True))
        with open(instance.settings, "w") as file:
            file.write(settings)
        check("words that the daemon does not know", start_words("--setings", "x"), 64)
        instance.up()
        wait_for("after all this the whole store runs as before", lambda: instance.run(["status"], check=False).returncode, 0)
        context = zmq.Context.instance().socket(zmq.REP)
        port = context.bind_to_random_port("tcp://127.0.0.1")
        instance.down()
        change_settings(instance, (instance.endpoints["intake", "command"], f"tcp://127.0.0.1:{port}"))
        done = start(instance, "intake")
        check_true("an address that is taken is said", done.returncode != 0 and "in use" in done.stderr, (done.returncode, done.stderr))
        context.close()


def start_words(*words):
    return subprocess.run([os.path.join(BIN, "avvik-intake"), *words], capture_output=True, timeout=20).returncode


refusals()
full_map()
full_disk()
