"""Too few file descriptors, too little memory: the daemon stays up or ends with a clear line, says what is wrong, and loses nothing.

    limits.py [descriptors|memory …]

Descriptors by prlimit(2). Memory by a control group where one can be made (root), else by RLIMIT_DATA.
"""

import os
import resource
import signal
import socket
import subprocess
import sys
import time

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from filing import Publisher, once_everywhere  # noqa: E402
from instance import BIN, DAEMONS, Instance, check, check_true, pb, report, wait_for  # noqa: E402

EXIT_CONFIG = 78
MEBIBYTE = 1 << 20
FILES = resource.RLIMIT_NOFILE
FEWER = {(daemon, "connections_fewer") for daemon in DAEMONS}


def processor_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def few_files(count):
    return lambda: resource.setrlimit(FILES, (count, count))


def connect(instance):
    return lambda silence_ms: instance.client("intake", timeout_ms=silence_ms)


# --- descriptors

def too_few_to_begin(instance):
    done = subprocess.run([os.path.join(BIN, "avvik-intake"), "--settings", instance.settings], capture_output=True, text=True,
                          timeout=20, preexec_fn=few_files(64))
    check("with 64 descriptors the daemon does not start, and says what to do",
          (done.returncode, "raise LimitNOFILE" in done.stderr, done.stderr.count("\n")), (EXIT_CONFIG, True, 1))


def more_peers_than_descriptors(instance, filed):
    pid = instance.pid("intake")
    check("with 160 descriptors health says how many may connect", instance.issues(), FEWER)
    clients = {}
    for number in range(60):
        reference = f"many-{number}"
        clients[reference] = instance.client("intake", timeout_ms=200)
        clients[reference].send(report(reference, unit="lindhaga", when_ms=1775000000000))
    time.sleep(1.5)
    answered = {}
    for reference, client in clients.items():
        try:
            answered[reference] = client.receive().report_accepted
        except zmq.Again:
            pass
    check_true(f"of 60 publishers those that find room are answered ({len(answered)}), others not", 10 < len(answered) <= 32, answered)
    wait_for("health says so, to the administrator, who finds room", lambda: ("intake", "connections_full") in instance.issues(), True)
    killed = instance.kill("workflow")
    wait_for("a daemon that is started meanwhile finds room too",
             lambda: instance.pid("workflow") not in (None, killed) and ("workflow", "feed_away_intake") not in instance.issues()
             and "workflow" in instance.states(), True)
    before = processor_seconds(pid)
    time.sleep(2)
    used = processor_seconds(pid) - before
    check_true(f"intake does not spin ({used:.2f} s of 2)", used < 1, used)
    done = instance.run(["backup", os.path.join(instance.root, "backup")], check=False)
    check_true("a backup is made meanwhile", done.returncode == 0, done.stdout + done.stderr)
    for reference in answered:
        clients[reference].close()
    waiting = set(clients) - set(answered)
    end = time.monotonic() + 20
    while waiting and time.monotonic() < end:  # who was answered makes room
        for reference in sorted(waiting):
            try:
                answered[reference] = clients[reference].receive().report_accepted
            except zmq.Again:
                continue
            clients[reference].close()
            waiting.discard(reference)
    check("when some go the others are answered", waiting, set())
    wait_for("and health has only the limit to tell of", lambda: instance.issues(), FEWER)
    check("intake did not end", instance.pid("intake"), pid)
    filed.update(answered)


def nothing_left_to_open(instance, filed):
    """Strangers that connect and say nothing, to the last descriptor."""
    pid = instance.pid("intake")
    publisher, administrator = instance.client("intake"), instance.client("intake", name="admin")
    administrator.call(pb.Command(get_status=pb.GetStatus()))
    first = publisher.call(report("out-first", unit="lindhaga", when_ms=1775000000000))
    filed["out-first"] = first.report_accepted
    before = resource.prlimit(pid, FILES)
    open_files = len(os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, FILES, (open_files + 3, before[1]))
    host, port = instance.endpoints["intake", "command"].removeprefix("tcp://").split(":")
    strangers = [socket.create_connection((host, int(port))) for _ in range(20)]

    def told():
        issues = administrator.call(pb.Command(get_status=pb.GetStatus())).status_found.issues
        return [issue.text for issue in issues if issue.code == "descriptors_out"]
    wait_for("with the last descriptor gone, health says so to whom is connected", lambda: len(told()), 1)
    check_true("with what to do", all("raise LimitNOFILE" in text for text in told()), told())
    reply = publisher.call(report("out-second", unit="lindhaga", when_ms=1775000000000))
    check("who is connected files as before", reply.status, pb.REPLY_STATUS_DONE)
    filed["out-second"] = reply.report_accepted
    for stranger in strangers:
        stranger.close()
    resource.prlimit(pid, FILES, before)
    wait_for("when there are descriptors again it is over", lambda: instance.issues(), FEWER)
    check("intake did not end", instance.pid("intake"), pid)
    publisher.close()
    administrator.close()


def descriptors():
    with Instance() as instance:
        too_few_to_begin(instance)
        instance.up(preexec_fn=few_files(160))
        instance.publish(quiet_hours=False)
        instance.settle_real()
        filed = {}
        more_peers_than_descriptors(instance, filed)
        nothing_left_to_open(instance, filed)
        instance.settle_real()
        once_everywhere(instance, filed)


# --- memory

class MemoryGroup:
    """A control group of this test, of version 2 or 1."""

    def __init__(self, name):
        self.path = None
        for root, limit in (("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")):
            path = os.path.join(root, f"avvik-{name}-{os.getpid()}")
            try:
                os.mkdir(path)
            except OSError:
                continue
            if os.path.exists(os.path.join(path, limit)):
                self.path, self.limit = path, os.path.join(path, limit)
                return
            os.rmdir(path)

    def confine(self, pid, size):
        self.write(self.limit, size)
        self.write(os.path.join(self.path, "cgroup.procs"), pid)

    def killed(self):
        for name in ("memory.events", "memory.oom_control"):
            path = os.path.join(self.path, name)
            if os.path.exists(path):
                words = open(path).read().split()
                return int(words[words.index("oom_kill") + 1])
        return 0

    def used(self):
        names = (os.path.join(self.path, name) for name in ("memory.current", "memory.usage_in_bytes"))
        return int(open(next(name for name in names if os.path.exists(name))).read())

    @staticmethod
    def write(path, value):
        with open(path, "w") as file:
            file.write(str(value))

    def close(self):
        end = time.monotonic() + 10
        while self.path:
            try:
                os.rmdir(self.path)
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)


def heavy(reference):
    command = report(reference, unit="lindhaga", when_ms=1775000000000)
    command.file_report.narrative.description = "x" * 30000
    return command


def load(instance, prefix, count):
    publisher = Publisher(connect(instance), count, prefix=prefix, window=256, pause=0, make=heavy, silence_ms=2000)
    publisher.start()
    return publisher


def end_of(publisher, filed):
    publisher.join()
    check("all was acknowledged in the end, nothing refused", (len(publisher.acknowledged), publisher.refused[:3]), (publisher.count, []))
    filed.update(publisher.acknowledged)


def within_the_budget(instance, filed, group):
    """What the units in deploy/systemd allow each daemon is 512 MiB; here the four of them, and `avvik up`, have that together."""
    for pid in [instance.up_process.pid] + [instance.pid(daemon) for daemon in DAEMONS]:
        group.confine(pid, 512 * MEBIBYTE)
    pids = {daemon: instance.pid(daemon) for daemon in DAEMONS}
    end_of(load(instance, "budget", 1000), filed)
    instance.settle_real()
    check("four daemons in 512 MiB take 30 MB of reports, and none ends",
          (group.killed(), {daemon: instance.pid(daemon) for daemon in DAEMONS}), (0, pids))


def start_anew(instance, daemon):
    before = instance.kill(daemon)
    wait_for(f"{daemon} is started anew", lambda: instance.pid(daemon) not in (None, before), True)
    instance.wait_ready()
    return instance.pid(daemon)


def far_below_it(instance, filed):
    """A new intake is left as good as nothing beyond what it takes to start: it may refuse or end, and is started again."""
    pid = start_anew(instance, "intake")
    data = int(next(line for line in open(f"/proc/{pid}/status") if line.startswith("VmData")).split()[1]) * 1024
    resource.prlimit(pid, resource.RLIMIT_DATA, (data + MEBIBYTE, resource.RLIM_INFINITY))
    publisher = load(instance, "starved", 400)
    publisher.join(15)
    ended = instance.pid("intake") != pid
    log = open(instance.up_log.name).read()
    if ended:
        before, end = log[:log.rindex("intake        ended")].split("\n")[-2], log[log.rindex("intake        ended"):].split("\n")[0]
        print(f"    {before}\n    {end}")
        check_true("it ends with a line that says so", "memory" in before.lower(), before)
    else:
        resource.prlimit(pid, resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(f"    intake stayed up; {publisher.told[pb.REPLY_STATUS_BUSY]} were told to come again")
    end_of(publisher, filed)


def killed_for_memory(instance, filed, group):
    """A new intake, in a group of its own with `avvik up`, where there is hardly more than it takes to start."""
    group.confine(instance.up_process.pid, 512 * MEBIBYTE)
    pid = start_anew(instance, "intake")
    group.write(group.limit, group.used() + MEBIBYTE)
    publisher = load(instance, "killed", 300)
    wait_for("which the kernel ends when it has not the memory", lambda: instance.pid("intake") != pid, True, 30)
    group.write(group.limit, 512 * MEBIBYTE)
    end_of(publisher, filed)
    said = open(instance.up_log.name).read()
    check_true("of which its supervisor tells", said.count(f"intake        ended by signal {int(signal.SIGKILL)}") >= 2, said[-2000:])
    check("the group too", group.killed() >= 1, True)


def memory():
    group, small = MemoryGroup("budget"), MemoryGroup("small")
    try:
        with Instance() as instance:
            instance.up()
            instance.publish(quiet_hours=False)
            instance.settle_real()
            filed = {}
            if group.path:
                within_the_budget(instance, filed, group)
                killed_for_memory(instance, filed, small)
            else:
                print("    no control group can be made here: the budget is not tried")
            far_below_it(instance, filed)
            instance.wait_ready()
            instance.settle_real()
            once_everywhere(instance, filed)
            check("and health has nothing to say", instance.issues(), set())
    finally:
        group.close()
        small.close()


for part in sys.argv[1:] or ["descriptors", "memory"]:
    {"descriptors": descriptors, "memory": memory}[part]()
