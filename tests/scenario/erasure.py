"""Erasure: afterwards neither the data nor an old copy of it yields the content, and everything still verifies."""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from instance import Instance, check, check_true, pb, report  # noqa: E402

SECRET = "Hemligprovtext tjugosju"


def find_in(folder, text):
    """Where the text stands in any file below the folder."""
    found = []
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name), "rb") as file:
                if text.encode() in file.read():
                    found.append(os.path.join(path, name))
    return found


def main():
    with Instance(stepped="2026-04-01 09:00") as instance:
        instance.up()
        instance.publish()
        client = instance.client("intake")
        command = report("erase-me", unit="lindhaga", when_ms=1775026800000)
        command.file_report.narrative.description = SECRET
        reply = client.call(command)
        check("a report is filed", reply.status, pb.REPLY_STATUS_DONE)
        instance.settle()
        case = instance.json("case", "list")[0]
        number = case["number"]
        officer = "--as", instance.person("SAS")
        text = instance.avvik("content", "read", number, "--purpose", "utredning", *officer)
        check_true("someone with the role and a purpose reads it", SECRET in text, text)
        check("it stands in no file in clear", find_in(instance.state, SECRET), [])

        old = os.path.join(instance.root, "old")
        instance.down()
        shutil.copytree(os.path.join(instance.state, "intake", "data"), old)
        instance.up()
        instance.avvik("content", "erase", number, "--reason", "felaktigt_inlamnad", *officer)
        instance.settle()
        done = instance.run(["content", "read", number, "--purpose", "utredning", *officer], check=False)
        check_true("afterwards it cannot be read", SECRET not in done.stdout, done.stdout)
        again = client.call(command)
        check_true("the same report again gets its old receipt, marked as erased", again.report_accepted.erased, again)
        check("under the same id", again.report_accepted.report_id, reply.report_accepted.report_id)
        client.close()

        instance.down()
        data = os.path.join(instance.state, "intake", "data")
        kept = data + ".now"
        os.rename(data, kept)
        shutil.copytree(old, data)
        instance.up()
        done = instance.run(["content", "read", number, "--purpose", "utredning", *officer], check=False)
        check_true("nor can it from an old copy of the data", SECRET not in done.stdout, done.stdout)
        instance.down()
        shutil.rmtree(data)
        os.rename(kept, data)
        done = instance.run(["verify"], check=False)
        check_true("and everything still verifies", done.returncode == 0, done.stdout + done.stderr)


main()
