"""table.py - the figures as text and as the page that is kept. Ratios are Avvik's figure over the peer's: above 1, Avvik is ahead."""

import os
import platform
import re
import subprocess
import time

TITLES = {
    "avvik": "Avvik's intake", "floor": "bare floor: ROUTER and LMDB", "pg": "PostgreSQL, one INSERT a transaction",
    "pg-inserts": "PostgreSQL, what is in flight one transaction of INSERTs",
    "pg-window": "PostgreSQL, what is in flight one INSERT of an array",
    "pg-keyed": "PostgreSQL, the same with a unique key, safe to send again", "redis": "Redis Streams, appendfsync always",
    "rabbit": "RabbitMQ, quorum queue, confirms", "nats": "NATS JetStream, files", "mosquitto": "Mosquitto, QoS 1",
}
POINTS = ("1x1", "1x256", "16x16")
PACKAGES = ("postgresql-15", "redis-server", "rabbitmq-server", "nats-server", "mosquitto", "libpq5", "libhiredis0.14", "librabbitmq4",
            "libnats3.4", "libmosquitto1", "libzmq5", "liblmdb0")


def tables(figures):
    """(title, head, rows) of all that there is."""
    for kind, secure in (("secured", "with TLS; Avvik and floor with CURVE"), ("plain", "without TLS or CURVE; Avvik always has it")):
        of = {n: figures[n][kind] for n in TITLES if kind in figures.get(n, {})}
        # Avvik has one way: what is measured without is held against it too.
        avvik = figures.get("avvik", {}).get("secured", {})
        for name, title in (("e2e", "End to end, stored by the consumer"), ("ack", "Acknowledged")):
            for point in POINTS:
                key = f"{name} {point}"
                if any(key in f for f in of.values()):
                    yield (f"{title}, {point.replace('x', ' × ')}, {secure}", *rows(of, key, avvik.get(key)))
    rest = {n: figures[n]["secured"] for n in TITLES if "secured" in figures.get(n, {})}
    if any("syncs 1x1" in f or "answer" in f or "stored" in f for f in rest.values()):
        yield ("Syncs as traced; memory and start with 100 000 stored", *properties(rest))


def rows(of, key, avvik):
    head = ["", "messages/s", "per disk sync", "Avvik/peer"]
    ack = key.startswith("ack")
    head += ["median µs", "99 % µs", "server µs/message"] if ack else ["bytes stored", "batches"]
    body = []
    for name, f in of.items():
        each = f.get(key)
        if not each:
            if "absent" in f:
                body.append([TITLES[name], f"not measured: {f['absent']}"] + [""] * (len(head) - 2))
            continue
        ratio = f"{avvik['per_second'] / each['per_second']:.2f}" if avvik and name != "avvik" else ""
        cells = [TITLES[name], f"{each['per_second']:.0f}", f"{each['per_second'] / each['disk']:.2f}", ratio]
        cells += [f"{each['median_us']:.0f}", f"{each['p99_us']:.0f}", f"{each['cpu_us']:.1f}"] if ack else [
            f"{each['bytes']:.0f}", f"{each['batches']:.0f}"]
        body.append(cells)
    return head, body


def properties(of):
    head = ["", "synced first", *[f"syncs {p}" for p in POINTS], "resident MiB", "anonymous MiB", "start ms"]
    body = []
    for name, f in of.items():
        cells = [TITLES[name]]
        if "answer" in f:
            after, count = f["answer"]
            verdict = "yes" if count and after >= 0.9 * count else "no" if count and after <= 0.1 * count else "not always"
            cells.append(f"{verdict} ({after}/{count})")
        else:
            cells.append("")
        cells += [f"{f[f'syncs {p}']:.4f}" if f"syncs {p}" in f else "" for p in POINTS]
        s = f.get("stored")
        cells += [f"{s['resident_mib']:.0f}", f"{s['anonymous_mib']:.0f}", f"{s['start_ms']:.0f}"] if s else [""] * 3
        body.append(cells)
    return head, body


def text(figures):
    out = []
    for title, head, body in tables(figures):
        out += ["", title, "-" * len(title)]
        widths = [max(len(r[i]) for r in [head] + body if i == 0 or "not measured" not in r[1]) for i in range(len(head))]
        for r in [head] + body:
            out.append("  " + "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))))
    return "\n".join(out)


def machine():
    processor = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
    memory = int(re.search(r"MemTotal:\s+(\d+)", open("/proc/meminfo").read()).group(1)) // 1048576
    return (f"{os.cpu_count()} processors ({processor.group(1) if processor else platform.machine()}), {memory} GiB, "
            f"{platform.system()} {platform.release()}")


def versions():
    found = []
    for package in PACKAGES:
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout:
            found.append(f"{package} {done.stdout}")
    return ", ".join(found)


def markdown(figures, path):
    out = ["# Avvik beside its peers", "",
           "Made by `tests/bench/run.sh --peers`; what each figure means stands in [tests/bench](../tests/bench/README.md).", "",
           f"- Written {time.strftime('%Y-%m-%d %H:%M')}; measured " + "; ".join(
               f"{when} ({', '.join(run['parts'])}; load before {run['load']:.2f}{': NOT QUIET' if run['load'] > 0.5 else ''})"
               for when, run in figures.get("run", {}).items()),
           f"- Machine: {machine()}; clients and servers share it",
           f"- Versions: {versions()}",
           "- Avvik is intake alone. Its feed carries no content (that stays sealed with intake), so its consumer stores fewer bytes "
           "an event than those of the peers: the column tells",
           "- Mosquitto's client library acknowledges before the consumer has stored; the others after",
           "- Not measured: clusters, networks between hosts, several consumers, messages of other sizes", ""]
    for title, head, body in tables(figures):
        out += [f"## {title}", "", "| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
        out += ["| " + " | ".join(r) + " |" for r in body] + [""]
    if figures.get("history"):
        out += ["## Cost with history: Avvik's intake, 1 × 256", ""] + history_rows(figures["history"])
    kept = open(path).read().partition("\n## Many open cases\n") if os.path.exists(path) else ("", "", "")
    with open(path, "w") as file:
        file.write("\n".join(out) + "\n" + kept[1] + kept[2])  # the section of ../deadlines.py


def history_rows(steps):
    out = ["| stored reports | messages/s | of empty | pages written a commit | reports a commit | file MiB |", "|---:" * 6 + "|"]
    return out + [f"| {s['stored']} | {s['per_second']:.0f} | {s['per_second'] / steps[0]['per_second']:.2f} | "
                  f"{s['pages']:.0f} | {s['batch']:.1f} | {s['file_mib']:.0f} |" for s in steps]
