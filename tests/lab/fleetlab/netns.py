"""The wires of a lab, inside its own network namespace: one bridge for the LAN, one for the tailnet.

The laptop's addresses are the bridges' own; a host hangs on each by a veth pair, `en0` and `utun3` as it sees them.
"""

import subprocess

LAN, TAILNET = "lan", "tailnet"
PREFIX = {LAN: 16, TAILNET: 10}
HOST_INTERFACE = {LAN: "en0", TAILNET: "utun3"}
_TIMEOUT = 60


def batch(lines):
    """Runs `ip` commands in this network namespace, all or up to the first that fails."""
    subprocess.run(
        ["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True, timeout=_TIMEOUT,
        stdout=subprocess.DEVNULL,
    )


def port(index, side):
    """Returns the name of the bridge's end of a host's wire."""
    return f"{'l' if side == LAN else 't'}{index}"


def mac(index, side):
    """Returns the hardware address of a host's interface; index -1 is the laptop."""
    number = index + 1
    return f"02:ac:{'01' if side == LAN else '02'}:00:{number >> 8:02x}:{number & 255:02x}"


def make_bridges(spec):
    """Lays both bridges and gives the laptop its addresses."""
    lines = ["link set lo up"]
    for side, address in ((LAN, spec.laptop_lan), (TAILNET, spec.laptop_tailnet_ip)):
        lines += [
            f"link add {side} address {mac(-1, side)} type bridge forward_delay 0",
            f"addr add {address}/{PREFIX[side]} dev {side}",
            f"link set {side} up",
        ]
    batch(lines)


def connect(hosts):
    """Makes the wires of hosts: a list of (index, pid of a process in the host's network namespace)."""
    lines = []
    for index, pid in hosts:
        for side in (LAN, TAILNET):
            lines.append(
                f"link add {port(index, side)} type veth"
                f" peer name {HOST_INTERFACE[side]} address {mac(index, side)} netns {pid}"
            )
            lines.append(f"link set {port(index, side)} master {side} up")
    batch(lines)


def configure(host):
    """Gives a host its addresses; runs inside the host's namespace."""
    lines = ["link set lo up"]
    for side, address in ((LAN, host.lan), (TAILNET, host.tailnet_ip)):
        lines += [
            f"addr add {address}/{PREFIX[side]} dev {HOST_INTERFACE[side]}",
            f"link set {HOST_INTERFACE[side]} up",
        ]
    batch(lines)
