"""coverage.py - what llvm-cov has counted, by folder: coverage.py FILE.json"""
import json
import os
import pathlib
import sys

# What no target drives: threads, sockets, loops, starting and stopping, sending mail, the tool's talk with daemons. It is met
# by the component, scenario and crash tests.
APART = """common/base/log.c
common/bus/bus.c common/bus/socket.c common/bus/stream.c common/bus/lent.c common/bus/monitor.c common/client/link.c
common/daemon/ask.c common/daemon/backup.c common/daemon/describe.c common/daemon/folder.c common/daemon/follow.c
common/daemon/health.c common/daemon/hooks.c common/daemon/loop.c common/daemon/main.c common/daemon/notify.c common/daemon/queue.c
common/daemon/reload.c common/daemon/start.c common/daemon/watch.c common/daemon/writer.c
services/notification/compose.c services/notification/health.c services/notification/maildir.c services/notification/outbox.c
services/notification/mail.c services/notification/mail_settings.c services/notification/smtp.c services/notification/templates.c
services/reporting/stream.c services/workflow/describe.c""".split()
TOOL = "ask.c directory.c main.c options.c publish.c report.c report_items.c report_receipt.c rules.c tool.c".split()

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    folders, files, apart = {}, [], 0
    for entry in json.loads(pathlib.Path(sys.argv[1]).read_text())["data"][0]["files"]:
        path = pathlib.Path(os.path.normpath(entry["filename"]))
        if ROOT not in path.parents or path.suffix != ".c":
            continue
        path = path.relative_to(ROOT)
        if path.parts[0] not in ("common", "services"):
            continue
        counted = entry["summary"]["lines"]["count"]
        if str(path) in APART or (path.parent.name == "avvik" and path.parts[0] == "services" and path.name not in TOOL):
            apart += counted
            continue
        counts = [entry["summary"][what][of] for what in ("lines", "regions", "functions") for of in ("covered", "count")]
        files.append((counts[0] / max(counts[1], 1), counts, path))
        sums = folders.setdefault(path.parent, [0] * 6)
        folders[path.parent] = [a + b for a, b in zip(sums, counts)]
    print("| folder | lines | of them reached | regions | functions |")
    print("|---|---|---|---|---|")
    for folder, (line, lines, region, regions, function, functions) in sorted(folders.items()):
        print(f"| `{folder}` | {lines} | {line / lines:.0%} | {region / regions:.0%} | {function}/{functions} |")
    total = [sum(counts[i] for _, counts, _ in files) for i in range(6)]
    print(f"| all | {total[1]} | {total[0] / total[1]:.0%} | {total[2] / total[3]:.0%} | {total[4]}/{total[5]} |")
    print(f"\n{apart} lines stand apart: threads, sockets, starting and stopping, sending mail, the tool's talk with daemons.")
    print("\nleast reached:")
    for share, counts, path in sorted(files)[:25]:
        print(f"  {share:4.0%} of {counts[1]:4} lines  {path}")


if __name__ == "__main__":
    main()
