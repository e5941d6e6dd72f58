"""A disk that is full: every daemon stays up, says so, does not spin, and goes on when there is room.

Needs to mount a tmpfs of its own; where that is not allowed it is passed over (77).
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from instance import DAEMONS, Instance, check, check_true, pb, report, wait_for  # noqa: E402

SKIPPED = 77


def processor_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def large(reference):
    command = report(reference, unit="lindhaga")
    command.file_report.narrative.description = "x" * 30000
    return command


def play(instance, folder, principals):
    inside = os.path.join(instance.state, "principals.yaml")
    shutil.move(inside, principals)
    os.symlink(principals, inside)
    instance.up()
    instance.publish()
    client = instance.client("intake")
    first = report("before", unit="lindhaga")
    check("a report is filed", client.call(first).status, pb.REPLY_STATUS_DONE)
    instance.settle_real()
    pids = {daemon: instance.pid(daemon) for daemon in DAEMONS}

    filler = open(os.path.join(folder, "filler"), "wb", buffering=0)
    for size in (1 << 20, 4096):
        try:
            while True:
                filler.write(b"\0" * size)
        except OSError:
            pass
    statuses = set()
    for number in range(3000):  # the file was lengthened ahead: some fit still
        reply = client.call(large(f"full-{number}"))
        statuses.add(reply.status)
        if reply.status == pb.REPLY_STATUS_FULL:
            break
    check("reports are taken as long as there is room, then refused", statuses, {pb.REPLY_STATUS_DONE, pb.REPLY_STATUS_FULL})
    check_true("that says what to do", "administrator" in reply.text, reply.text)
    check("what was stored is still answered", client.call(first).repeated, True)

    # The journal is to tell of many principals at once, and cannot.
    with open(principals, "a") as file:
        for number in range(500):
            key = zmq.curve_keypair()[0].decode()
            file.write(f"  - name: a-system-with-quite-a-long-name-{number}\n    kind: publisher\n"
                       f"    keys:\n      - key: \"{key}\"\n    rights: [publish]\n")
    time.sleep(2)
    before = processor_seconds(pids["intake"])
    time.sleep(3)
    used = processor_seconds(pids["intake"]) - before
    check_true(f"intake does not spin ({used:.2f} s of 3)", used < 1, used)

    filler.close()
    os.unlink(os.path.join(folder, "filler"))
    wait_for("the report is taken when there is room", lambda: client.call(report("full", unit="lindhaga")).status,
             pb.REPLY_STATUS_DONE)
    instance.settle_real()
    check("nobody ended", {daemon: instance.pid(daemon) for daemon in DAEMONS}, pids)
    changes = [event for event in instance.feed("intake")[0] if event.WhichOneof("body") == "principals_changed"]
    check_true("and the journal tells of the principals", len(changes) >= 2, len(changes))
    client.close()
    done = instance.run(["verify"], check=False)
    check_true("everything holds", done.returncode == 0, done.stdout + done.stderr)


def main():
    folder = tempfile.mkdtemp(prefix="avvik-full-")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder], capture_output=True).returncode != 0:
        os.rmdir(folder)
        print("passed over: a tmpfs cannot be mounted here")
        sys.exit(SKIPPED)
    principals = folder + ".principals"
    tempfile.tempdir = folder
    try:
        with Instance() as instance:
            play(instance, folder, principals)
    finally:
        subprocess.run(["umount", "-l", folder], check=False)
        os.rmdir(folder)
        os.unlink(principals)


main()
