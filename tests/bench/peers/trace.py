"""trace.py - what strace saw of a server: how often it synced, and whether it did before it answered.

A sync is fsync, fdatasync, msync with MS_SYNC, sync_file_range, sync, syncfs, or a write to a file that was opened with O_SYNC
or O_DSYNC (LMDB writes its meta page so) or with RWF_SYNC or RWF_DSYNC.
"""

import re

SYNCS = ("fsync", "fdatasync", "sync_file_range", "sync", "syncfs")
WRITES = ("write", "pwrite64", "writev", "pwritev", "pwritev2")
RECEIVES = ("read", "readv", "recvfrom", "recvmsg")
SENDS = ("write", "writev", "sendto", "sendmsg", "sendmmsg")
NEEDED = sorted({*SYNCS, *WRITES, *RECEIVES, *SENDS, "msync", "openat", "open"})


def words(path, everything):
    """The strace command. everything: also sockets, named by both ends; it costs more."""
    calls = NEEDED if everything else sorted({*SYNCS, *WRITES, "msync", "openat", "open"})
    return ["strace", "-f", "-qq", "-yy" if everything else "-y", "-ttt", "-T", "-s", "0", "--seccomp-bpf",
            "-e", "signal=none", "-e", "trace=" + ",".join(calls), "-o", path]


LINE = re.compile(r"^(\d+) +(\d+\.\d+) (.*)$")
BEGUN = re.compile(r"^(\w+)\((.*) <unfinished \.\.\.>$")
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")
WHOLE = re.compile(r"^(\w+)\((.*)$")
RESULT = re.compile(r"= (-?\d+)(<[^\n]*>)?[^=]*<(\d+\.\d+)>$")
TARGET = re.compile(r"^(\d+)<(.*?)>(?=[,)\s]|$)")


class Call:
    __slots__ = ("name", "begin", "end", "target", "text", "result", "opened")


def calls(path):
    """Every finished call, in the order of their beginnings."""
    open_calls, found = {}, []
    for line in open(path, errors="replace"):
        m = LINE.match(line.rstrip("\n"))
        if not m:
            continue
        thread, at, rest = m.group(1), float(m.group(2)), m.group(3)
        if b := BEGUN.match(rest):
            open_calls[thread] = (b.group(1), at, b.group(2))
            continue
        if r := RESUMED.match(rest):
            if thread not in open_calls:
                continue
            name, begin, text = open_calls.pop(thread)
            text += r.group(2)
        elif w := WHOLE.match(rest):
            name, begin, text = w.group(1), at, w.group(2)
        else:
            continue
        end = RESULT.search(text)
        if not end:
            continue
        call = Call()
        call.name, call.begin, call.text, call.result = name, begin, text, int(end.group(1))
        call.end = begin + float(end.group(3))
        call.opened = (end.group(1), end.group(2)[1:-1]) if end.group(2) else None
        target = TARGET.match(text)
        call.target = (target.group(1), target.group(2)) if target else None
        found.append(call)
    return sorted(found, key=lambda c: c.begin)


def mark_syncs(all_calls):
    """The calls that are syncs."""
    synced_files, found = set(), []
    for call in all_calls:
        if call.name in ("open", "openat") and call.opened:
            if "O_SYNC" in call.text or "O_DSYNC" in call.text:
                synced_files.add(call.opened)
            else:
                synced_files.discard(call.opened)
        elif call.name in SYNCS or call.name == "msync" and "MS_SYNC" in call.text:
            found.append(call)
        elif call.name in WRITES and (call.target in synced_files or "RWF_SYNC" in call.text or "RWF_DSYNC" in call.text):
            found.append(call)
    return found


def count_syncs(path, begin, end):
    return sum(begin <= call.begin <= end for call in mark_syncs(calls(path)))


def syncs_before_answer(path, begin, end):
    """(answers with a finished sync between the arrival of the message and the answer, answers)."""
    every = calls(path)
    syncs = mark_syncs(every)
    waiting, with_sync, answers = {}, 0, 0
    for call in every:
        if not begin <= call.begin <= end or not call.target or not call.target[1].startswith(("TCP", "socket")):
            continue
        peer = call.target[1]
        if call.name in RECEIVES and call.result >= 900:
            waiting[peer] = call.end
        elif call.name in SENDS and peer in waiting and call.result > 0:
            since = waiting.pop(peer)
            answers += 1
            with_sync += any(since <= s.begin and s.end <= call.begin for s in syncs)
    return with_sync, answers
