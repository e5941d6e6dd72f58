"""network.py - hosts that are network namespaces, joined by a wire that delays, loses and can be cut.

The wire is this program: each host has one Ethernet interface (a TAP device moved into its namespace), and a thread carries frames
between them. So it needs iproute2, root and /dev/net/tun, but no netem, which many kernels come without; and one seed gives one
run of losses.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
FRAME = 2048
BROADCAST = b"\xff" * 6


class NotPossible(Exception):
    """No namespaces can be made here."""


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise NotPossible(f"ip {' '.join(words)}: {done.stderr.strip()}")


class Network:
    """with Network(("a", "b")) as network: network.address["a"]; network.words("a", program, …) runs it there."""

    def __init__(self, hosts, delay_ms=0, loss=0.0, seed=1):
        self.hosts = list(hosts)
        self.delay_ms, self.loss = delay_ms, loss
        self.apart = set()          # hosts that are cut off
        self.random = random.Random(seed)
        self.carried = self.lost = self.cut = 0
        self.name = {host: f"avvik{os.getpid()}{host}" for host in self.hosts}
        self.address = {host: f"10.77.0.{number + 1}" for number, host in enumerate(self.hosts)}
        self.files, self.mac, self.made = {}, {}, []
        self.ending = False

    def __enter__(self):
        try:
            for number, host in enumerate(self.hosts):
                self.make(number, host)
        except (NotPossible, OSError) as error:
            self.__exit__()
            raise NotPossible(str(error)) from error
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()
        return self

    def make(self, number, host):
        device = f"av{os.getpid() % 10000}{number}"
        ip("netns", "add", self.name[host])
        self.made.append(host)
        file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.files[host] = file
        fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
        mac = f"02:00:00:00:77:{number + 1:02x}"
        self.mac[bytes.fromhex(mac.replace(":", ""))] = host
        ip("link", "set", device, "address", mac)
        ip("link", "set", device, "netns", self.name[host])
        for words in (["link", "set", "lo", "up"], ["addr", "add", self.address[host] + "/24", "dev", device],
                      ["link", "set", device, "up"]):
            ip("-n", self.name[host], *words)

    def __exit__(self, *ignored):
        self.ending = True
        if hasattr(self, "thread"):
            self.thread.join()
        for file in self.files.values():
            os.close(file)
        for host in self.made:
            subprocess.run(["ip", "netns", "del", self.name[host]], check=False)

    def words(self, host, *words):
        return ["ip", "netns", "exec", self.name[host], *words]

    def cut_off(self, *hosts):
        self.apart = set(hosts)

    def heal(self):
        self.apart = set()

    # --- the wire

    def carry(self):
        by_file = {file: host for host, file in self.files.items()}
        poller = select.poll()
        for file in by_file:
            poller.register(file, select.POLLIN)
        on_the_way, number = [], 0
        while not self.ending:
            wait = min(100.0, max(0.0, (on_the_way[0][0] - time.monotonic()) * 1000)) if on_the_way else 100.0
            for file, _ in poller.poll(wait):
                for frame, host in self.take(file, by_file[file]):
                    number += 1
                    heapq.heappush(on_the_way, (time.monotonic() + self.delay_ms / 1000, number, host, frame))
            while on_the_way and on_the_way[0][0] <= time.monotonic():
                _, _, host, frame = heapq.heappop(on_the_way)
                try:
                    os.write(self.files[host], frame)
                    self.carried += 1
                except OSError:
                    self.lost += 1  # its queue is full, as it may be on any wire

    def take(self, file, source):
        """[(frame, to whom)] of what waits."""
        found = []
        for _ in range(64):
            try:
                frame = os.read(file, FRAME)
            except BlockingIOError:
                break
            if frame[:6] == BROADCAST:
                targets = [host for host in self.hosts if host != source]
            else:
                targets = [self.mac[frame[:6]]] if frame[:6] in self.mac else []
            for target in targets:
                if source in self.apart or target in self.apart:
                    self.cut += 1
                elif self.random.random() < self.loss:
                    self.lost += 1
                else:
                    found.append((frame, target))
        return found
