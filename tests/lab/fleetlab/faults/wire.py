"""Faults of the network between the laptop and one host: both its addresses, or one of them."""

from .. import netns, relay
from .base import Fault

_SIDES = {"lan": (netns.LAN,), "tailnet": (netns.TAILNET,), "both": (netns.LAN, netns.TAILNET)}


def _sides(words):
    if len(words) > 1 or (words and words[0] not in _SIDES):
        raise ValueError("lan, tailnet or both")
    return _SIDES[words[0] if words else "both"]


def _bridge_end(runtime, side):
    """Returns the interface that hangs on the bridge for this host: its wire, or the relay's near end."""
    delay = runtime.faults.get(Delay.name)
    port = netns.port(runtime.index, side)
    return f"wb{port}" if delay is not None and side in delay.sides else port


def _is_cut(runtime, side):
    cut = runtime.faults.get(Blackhole.name)
    return cut is not None and side in _sides(cut.words)


def links(runtime, state, sides=(netns.LAN, netns.TAILNET)):
    """Sets the bridge's ends of a host's wires up or down."""
    netns.batch([f"link set {netns.port(runtime.index, side)} {state}" for side in sides])


class Blackhole(Fault):
    """Packets vanish in both directions without a word; running connections hang too."""

    name = "blackhole"

    def apply(self):
        sides = _sides(self.words)
        # Permanent neighbours, or the laptop would say "no route" once ARP fails.
        netns.batch([f"neigh replace {self._address(side)} lladdr {netns.mac(self.runtime.index, side)} dev {side} nud permanent"
                     for side in sides])
        netns.batch([f"link set {_bridge_end(self.runtime, side)} nomaster" for side in sides])

    def _address(self, side):
        return self.spec.lan if side == netns.LAN else self.spec.tailnet_ip

    def heal(self):
        sides = _sides(self.words)
        netns.batch([f"link set {_bridge_end(self.runtime, side)} master {side} up" for side in sides])
        netns.batch([f"neigh del {self._address(side)} dev {side}" for side in sides])


class Down(Fault):
    """The cable is out: nobody answers for the address."""

    name = "down"

    def apply(self):
        links(self.runtime, "down", _sides(self.words))
        netns.batch([f"neigh flush dev {side}" for side in _sides(self.words)])

    def heal(self):
        links(self.runtime, "up", _sides(self.words))


class Delay(Fault):
    """Adds MS milliseconds of round trip, half each way, and counts turns: MS [lan|tailnet|both] [--rate BYTES/S].

    A relay in user space stands between the bridge and the host's wire and holds every frame back, so handshakes,
    SSH and HTTP alike are delayed as by distance. `delay 0` only counts. `lab wire` shows the counts.
    """

    name = "delay"
    relay = None

    def apply(self):
        words = list(self.words)
        rate = None
        if "--rate" in words:
            at = words.index("--rate")
            rate = float(words[at + 1])
            del words[at : at + 2]
        if not words or float(words[0]) < 0:
            raise ValueError("delay takes MS [lan|tailnet|both] [--rate BYTES/S]")
        self.sides = _sides(words[1:])
        lines = []
        for side in self.sides:
            port, inner, outer = netns.port(self.runtime.index, side), self._end(side, "b"), self._end(side, "h")
            lines += [
                f"link set {port} nomaster",
                f"link add {inner} type veth peer name {outer}",
                f"link set {inner} {'nomaster' if _is_cut(self.runtime, side) else f'master {side}'} up",
                f"link set {outer} up",
            ]
        netns.batch(lines)
        pairs = [(self._end(side, "h"), netns.port(self.runtime.index, side)) for side in self.sides]
        self.relay = relay.start(pairs, float(words[0]) / 2000, rate)

    def _end(self, side, which):
        return f"w{which}{netns.port(self.runtime.index, side)}"

    def counts(self):
        """Returns what the relay saw: a list of TCP connections with their turns and bytes."""
        return self.relay.counts()

    def heal(self):
        self.relay.stop()
        lines = []
        for side in self.sides:
            lines.append(f"link del {self._end(side, 'b')}")
            if not _is_cut(self.runtime, side):
                lines.append(f"link set {netns.port(self.runtime.index, side)} master {side} up")
        netns.batch(lines)
