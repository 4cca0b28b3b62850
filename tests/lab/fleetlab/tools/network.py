"""netstat and ifconfig, from the kernel's tables."""

import socket
import struct
import sys

from . import getopt
from .registry import served

_STATES = {
    "01": "ESTABLISHED", "02": "SYN_SENT", "03": "SYN_RCVD", "04": "FIN_WAIT_1", "05": "FIN_WAIT_2",
    "06": "TIME_WAIT", "07": "CLOSED", "08": "CLOSE_WAIT", "09": "LAST_ACK", "0A": "LISTEN", "0B": "CLOSING",
}


def _address(text, six):
    host, port = text.split(":")
    if six:
        words = struct.unpack("<4I", bytes.fromhex(host))
        raw = struct.pack(">4I", *words)
        shown = socket.inet_ntop(socket.AF_INET6, raw)
        shown = shown.removeprefix("::ffff:")
        shown = "*" if shown == "::" else shown
    else:
        shown = socket.inet_ntoa(struct.pack("<I", int(host, 16)))
        shown = "*" if shown == "0.0.0.0" else shown
    number = int(port, 16)
    return f"{shown}.{number or '*'}"


def _connections():
    for path, kind in (("/proc/net/tcp", "tcp4"), ("/proc/net/tcp6", "tcp6")):
        try:
            with open(path, encoding="ascii") as file:
                lines = file.read().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            send, receive = fields[4].split(":")
            yield (kind, int(receive, 16), int(send, 16), _address(fields[1], kind == "tcp6"),
                   _address(fields[2], kind == "tcp6"), _STATES.get(fields[3], "CLOSED"))


@served("/usr/sbin/netstat")
def netstat(arguments, _context):
    """Prints TCP connections in BSD's columns."""
    try:
        found, _ = getopt.parse("netstat", arguments[1:], "AaBbdf:gI:iLlmnp:qRrSsvWw:x")
    except getopt.UsageError as error:
        print(f"{error}\nUsage:\tnetstat [-AaLlnW] [-f address_family | -p protocol]", file=sys.stderr)
        return 1
    flags = {letter for letter, _ in found}
    print("Active Internet connections" + (" (including servers)" if "a" in flags else ""))
    head = "Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)    "
    print(head + ("  rxbytes      txbytes  rhiwat  shiwat    pid   epid state  options" if "v" in flags else ""))
    for kind, receive, send, local, foreign, state in _connections():
        if state == "LISTEN" and "a" not in flags:
            continue
        line = f"{kind:<5} {receive:>6} {send:>6}  {local:<22} {foreign:<22} {state:<11}"
        print(line + (f" {0:>10} {0:>12}  131072  131072      0      0 00000 00000000" if "v" in flags else ""))
    return 0


@served("/sbin/ifconfig")
def ifconfig(_arguments, context):
    """Prints the addresses of the host's interfaces."""
    entry = next(peer for peer in context.host["peers"] if peer["name"] == context.host["name"])
    for name, address in (("lo0", "127.0.0.1"), ("en0", entry["lan"]), ("utun3", entry["tailnet_ip"])):
        print(f"{name}: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500")
        print(f"\tinet {address} netmask 0xffffff00")
    return 0
