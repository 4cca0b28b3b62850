"""The machine under the server: its memory, its names, and the place where the lab's fake `vm_stat` looks up what is wired."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path

WIRED_DIRECTORY = "/var/lab/wired"
_LABEL = re.compile(r"^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$")


def _run(argv: list[str]) -> str:
    """Standard output of a command, "" on any failure; `subprocess` would cost a tenth of the start-up budget."""
    reader, writer = os.pipe()
    try:
        actions = [(os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_CLOSE, reader)]
        pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=actions)
    except OSError:
        os.close(reader)
        os.close(writer)
        return ""
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        output = pipe.read()
    _, status = os.waitpid(pid, 0)
    return output.decode(errors="replace") if status == 0 else ""


def memory_bytes() -> int:
    """T of facts/omlx.md 6.1: $LAB_OMLX_MEMSIZE, else the host's `sysctl -n hw.memsize`, else Linux's own total."""
    override = os.environ.get("LAB_OMLX_MEMSIZE", "").strip()
    if override.isdigit():
        return int(override)
    if os.path.exists("/usr/sbin/sysctl"):
        answer = _run(["/usr/sbin/sysctl", "-n", "hw.memsize"]).strip()
        if answer.isdigit():
            return int(answer)
    with open("/proc/meminfo", encoding="ascii") as table:
        for line in table:
            if line.startswith("MemTotal:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError("cannot tell the memory of this host")


def is_alias(value: object) -> bool:
    """A hostname or an IP address other than the unspecified one (utils/network.py)."""
    if not isinstance(value, str) or not value.strip():
        return False
    value = value.strip()
    if ":" in value:
        try:
            socket.inet_pton(socket.AF_INET6, value)
        except OSError:
            return False
        return value != "::"
    if re.fullmatch(r"[0-9.]+", value):
        try:
            socket.inet_pton(socket.AF_INET, value)
        except OSError:
            return False
        return value != "0.0.0.0"
    name = value[:-1] if value.endswith(".") else value
    return len(value) <= 253 and all(_LABEL.match(label) for label in name.split("."))


def detect_aliases(bind: str) -> list[str]:
    """localhost, 127.0.0.1, hostname, hostname.local, FQDN, every non-loopback IPv4 address (facts 1.4, trigger 3)."""
    found = ["localhost", "127.0.0.1"] if bind in ("127.0.0.1", "localhost", "0.0.0.0", "::") else []
    name = socket.gethostname()
    if name:
        found += [name] if name.endswith(".local") else [name, f"{name}.local"]
    fqdn = socket.getfqdn()
    if fqdn and not fqdn.endswith((".ip6.arpa", ".in-addr.arpa")):
        found.append(fqdn)
    found += _interface_addresses()
    return list(dict.fromkeys(alias for alias in found if is_alias(alias)))


def _interface_addresses() -> list[str]:
    """The IPv4 addresses of all interfaces but the loopback; SIOCGIFADDR is Linux's, where the lab runs."""
    import fcntl
    import struct

    addresses = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, interface in socket.if_nameindex():
            request = struct.pack("256s", interface.encode()[:15])
            try:
                answer = fcntl.ioctl(probe.fileno(), 0x8915, request)
            except OSError:
                continue
            address = socket.inet_ntoa(answer[20:24])
            if not address.startswith("127."):
                addresses.append(address)
    return addresses


class Wired:
    """`/var/lab/wired/omlx-<port>.json`: how many bytes this server holds, for the lab host's vm_stat.

    Written only where the directory exists: at start, and whenever something is loaded or unloaded. Left behind by a SIGKILL,
    as the real memory may be (issue #2184), until a server on the same port starts; `pid` tells a living holder from a
    stranded one.
    """

    def __init__(self, port: int) -> None:
        self.path = Path(os.environ.get("LAB_OMLX_WIRED", WIRED_DIRECTORY)) / f"omlx-{port}.json"

    def write(self, count: int) -> None:
        if not self.path.parent.is_dir():
            return
        temporary = self.path.with_suffix(".tmp")
        try:
            temporary.write_text(json.dumps({"bytes": count, "pid": os.getpid()}), encoding="ascii")
            temporary.replace(self.path)
        except OSError:
            pass

    def remove(self) -> None:
        try:
            self.path.unlink()
        except OSError:
            pass
