"""A wire with a length: moves Ethernet frames between pairs of interfaces, each after the same time, and counts turns.

Frames travel with their virtio header, so that checksums and segmentation which the kernel left undone stay undone for
the receiving end. A turn is a change of direction of payload in a TCP connection: two turns are a round trip.
"""

import heapq
import json
import os
import select
import signal
import socket
import struct
import time

from . import linux

_SOL_PACKET = 263
_PACKET_VNET_HDR = 15
_PACKET_IGNORE_OUTGOING = 23
_VNET_HEADER = 10
_EVERYTHING = 0x0003  # ETH_P_ALL
_FRAME = 1 << 18


class Relay:
    """A running relay, seen from the lab's init."""

    def __init__(self, pid, channel):
        self.pid = pid
        self.channel = channel

    def counts(self):
        """Returns the TCP connections that passed."""
        self.channel.sendall(b"?")
        data = b""
        while not data.endswith(b"\n"):
            data += self.channel.recv(1 << 16)
        return json.loads(data)

    def stop(self):
        """Ends the relay."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.channel.close()


def start(pairs, seconds, rate=None):
    """Starts a relay process between pairs of interface names (near the laptop, near the host).

    Frames take `seconds` each way; with a `rate` in bytes a second they also queue, each direction for itself.
    """
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        return Relay(pid, ours)
    try:
        ours.close()
        os.setsid()
        linux.name_process("lab-relay")
        _Loop(pairs, seconds, rate, theirs).run()
    finally:
        os._exit(1)


def _open(interface):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    raw.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    raw.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    raw.bind((interface, _EVERYTHING))
    raw.setblocking(False)
    return raw


class _Loop:
    def __init__(self, pairs, seconds, rate, channel):
        self.seconds = seconds
        self.rate = rate
        self.busy_until = {">": 0.0, "<": 0.0}
        self.channel = channel
        self.targets = {}
        for near, far in pairs:
            left, right = _open(near), _open(far)
            self.targets[left] = (right, ">")
            self.targets[right] = (left, "<")
        self.waiting = []
        self.number = 0
        self.connections = {}

    def run(self):
        while True:
            timeout = max(0.0, self.waiting[0][0] - time.monotonic()) if self.waiting else None
            ready, _, _ = select.select([self.channel, *self.targets], [], [], timeout)
            for item in ready:
                if item is self.channel:
                    if not self.channel.recv(1):
                        return
                    self.channel.sendall(json.dumps(list(self.connections.values())).encode() + b"\n")
                else:
                    self._take(item)
            now = time.monotonic()
            while self.waiting and self.waiting[0][0] <= now:
                _, _, target, frame = heapq.heappop(self.waiting)
                try:
                    target.send(frame)
                except OSError:
                    continue  # a full queue or a link that is down loses the frame, as a wire does

    def _take(self, source):
        target, direction = self.targets[source]
        for _ in range(256):
            try:
                frame = source.recv(_FRAME)
            except BlockingIOError:
                return
            except OSError:
                return
            self.number += 1
            due = self._leaves(direction, len(frame)) + self.seconds
            heapq.heappush(self.waiting, (due, self.number, target, frame))
            self._count(frame[_VNET_HEADER:], direction)

    def _leaves(self, direction, size):
        now = time.monotonic()
        if self.rate is None:
            return now
        self.busy_until[direction] = max(now, self.busy_until[direction]) + size / self.rate
        return self.busy_until[direction]

    def _count(self, frame, direction):
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            return
        header = (frame[14] & 15) * 4
        total = struct.unpack_from("!H", frame, 16)[0] or len(frame) - 14
        tcp = 14 + header
        source, target = struct.unpack_from("!HH", frame, tcp)
        payload = total - header - (frame[tcp + 12] >> 4) * 4
        near = (socket.inet_ntoa(frame[26:30]), source)
        far = (socket.inet_ntoa(frame[30:34]), target)
        if direction == "<":
            near, far = far, near
        entry = self.connections.get((near, far))
        if entry is None or frame[tcp + 13] & 0x12 == 0x02:
            entry = self.connections[(near, far)] = {
                "from": f"{near[0]}:{near[1]}", "to": f"{far[0]}:{far[1]}", "port": far[1], "turns": 0,
                "sent": 0, "received": 0, "last": "",
            }
        if payload > 0:
            entry["sent" if direction == ">" else "received"] += payload
            if entry["last"] != direction:
                entry["turns"] += 1
                entry["last"] = direction
