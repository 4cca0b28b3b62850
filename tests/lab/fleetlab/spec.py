"""What a lab consists of: the tailnet, the laptop and the hosts, read from TOML or taken from the article's fleet."""

import dataclasses
import tomllib

from . import litellm

GIB = 1 << 30

# hw.model, cores (performance, efficiency), GPU cores: machines of facts that the article's fleet and others have.
CHIPS = {
    "M3 Ultra": ("Mac15,14", 20, 8, 60),
    "M4 Pro": ("Mac16,11", 10, 4, 20),
    "M4": ("Mac16,10", 4, 6, 10),
    "M4 Max": ("Mac16,9", 12, 4, 40),
    "M2 Ultra": ("Mac14,14", 16, 8, 76),
    "M2 Pro": ("Mac14,12", 8, 4, 19),
    "M2": ("Mac14,3", 4, 4, 10),
    "M1 Ultra": ("Mac13,2", 16, 4, 64),
}
SUDO = ("all", "documented", "password", "not-in-sudoers", "absent")


class SpecError(ValueError):
    """A specification that cannot be brought up."""


@dataclasses.dataclass
class HostSpec:
    """One host. Sizes are bytes; an empty address is given by position."""

    name: str
    chip: str = "M4"
    memory: int = 16 * GIB
    disk: int = 256 * 10**9
    real_disk: int = 512 << 20  # what the host may really write
    lan: str = ""
    tailnet_ip: str = ""
    timezone: str = "America/New_York"
    user: str = "ops"
    uid: int = 501
    sudo: str = "all"
    zsh_noise: bool = False
    sh: str = "bash"  # or "dash"
    awk: str = "bwk"  # or "mawk"
    macos: str = "15.6.1"
    build: str = "24G90"
    omlx: str = "0.3.8"  # a release that tests/lab/omlx provides; "" leaves oMLX away
    models: list = dataclasses.field(default_factory=list)  # what make-models writes into ~/models
    litellm: bool = False  # the gateway's program is there (`scripts/lab-setup --gateway`)
    realpath: bool = True
    jq: bool = True
    readlink_f: bool = True
    lockf: bool = True
    sha256sum: bool = False
    filevault: bool = False
    tailscale: str = "opensource"  # "gui" or "absent"
    uptime_days: float = 3.0
    light: bool = False  # sshd and launchd only matter: nothing else is prepared

    def check(self):
        """Raises SpecError for what no host can be."""
        if not self.name or not all(part.isalnum() for part in self.name.split("-")):
            raise SpecError(f"host name {self.name!r} is not letters, digits and dashes")
        if self.chip not in CHIPS:
            raise SpecError(f"host {self.name}: unknown chip {self.chip!r}; known: {', '.join(CHIPS)}")
        if self.sudo not in SUDO:
            raise SpecError(f"host {self.name}: sudo is one of {', '.join(SUDO)}, not {self.sudo!r}")
        if self.litellm and litellm.environment() is None:
            raise SpecError(f"host {self.name}: LiteLLM is not there; scripts/lab-setup --gateway installs it")
        if self.sh not in ("bash", "dash") or self.awk not in ("bwk", "mawk"):
            raise SpecError(f"host {self.name}: sh is bash or dash, awk is bwk or mawk")


@dataclasses.dataclass
class Spec:
    """A whole lab."""

    hosts: list
    tailnet: str = "lab.ts.net"
    known_hosts: bool = True  # the laptop knows the hosts' keys
    laptop_lan: str = "192.168.250.50"
    laptop_tailnet_ip: str = "100.64.0.2"

    def place(self):
        """Gives an address to each host that has none, and checks everything."""
        for index, host in enumerate(self.hosts):
            host.check()
            block, last = divmod(index, 200)
            host.lan = host.lan or f"192.168.{1 + block}.{11 + last}"
            host.tailnet_ip = host.tailnet_ip or f"100.64.{block}.{11 + last}"
        for attribute in ("name", "lan", "tailnet_ip"):
            values = [getattr(host, attribute) for host in self.hosts]
            if len(set(values)) != len(values):
                raise SpecError(f"two hosts have the same {attribute}")
        if not self.hosts:
            raise SpecError("a lab without hosts")
        return self


_MOE = "llm=Qwen3.6-35B-A3B-Abliterated-MLX-8bit,size=36GB"
_MOE_DRAFT = "draft=Qwen3.6-35B-A3B-DFlash,size=0.93GB"
_DENSE = "llm=Qwen3.6-27B-MLX-8bit,size=27GB"
_EDGE = "llm=Qwen3.6-2B-MLX-4bit,size=1.6GB"
_ARCTIC = "embedding=snowflake-arctic-embed-l-v2.0-8bit,dimensions=1024,size=600MB"


def article():
    """Returns the article's four machines: one in another time zone, one with noise at login."""
    return Spec([
        HostSpec("mac-studio1", "M3 Ultra", 96 * GIB, 10**12, lan="192.168.1.21", tailnet_ip="100.64.0.21",
                 models=[_MOE, _MOE_DRAFT, _DENSE, _ARCTIC]),
        HostSpec("mac-mini3", "M4 Pro", 64 * GIB, 512 * 10**9, lan="192.168.1.23", tailnet_ip="100.64.0.23",
                 timezone="Europe/Berlin", models=[_DENSE]),
        HostSpec("mac-mini1", "M4", lan="192.168.1.11", tailnet_ip="100.64.0.11", models=[_EDGE, _ARCTIC]),
        HostSpec("mac-mini2", "M4", lan="192.168.1.12", tailnet_ip="100.64.0.12", zsh_noise=True,
                 models=[_EDGE, _ARCTIC]),
    ]).place()


def light(count):
    """Returns `count` small hosts for measurements."""
    width = max(3, len(str(count)))
    return Spec([
        HostSpec(f"mac-{number:0{width}}", real_disk=64 << 20, omlx="", light=True) for number in range(1, count + 1)
    ]).place()


def load(path):
    """Reads a specification: top-level keys of Spec, and one table [hosts.NAME] a host with keys of HostSpec."""
    with open(path, "rb") as file:
        content = tomllib.load(file)
    tables = content.pop("hosts", {})
    try:
        hosts = [HostSpec(name=name, **table) for name, table in tables.items()]
        return Spec(hosts, **content).place()
    except TypeError as error:
        raise SpecError(f"{path}: {error}") from error
