"""The operator's laptop: the instance's own mount and network namespace, with a home, a key and known hosts.

Its root is the machine's own, so that the product's binary and the tests' files are there; /root's place as the home
is taken by /media/laptop, in /etc/passwd too because OpenSSH asks there and not in $HOME.
"""

import json
import os
import pathlib
import subprocess

from . import linux, paths

HOME = "/media/laptop"


def make_keys(directory, names):
    """Makes the laptop's key and the hosts' keys; returns {name: {"private", "public"}} with "" for the laptop."""
    keys = {}
    for name in ["", *names]:
        path = pathlib.Path(directory) / f"key-{name or 'laptop'}"
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"ops@{name or 'laptop'}", "-f", str(path)],
            check=True, timeout=30, stdin=subprocess.DEVNULL,
        )
        keys[name] = {"private": path.read_text(), "public": path.with_name(path.name + ".pub").read_text()}
        path.unlink()
        path.with_name(path.name + ".pub").unlink()
    return keys


def known_hosts(spec, keys):
    """Returns the lines of known_hosts: each host under its short name, its MagicDNS name and its addresses."""
    lines = []
    for host in spec.hosts:
        kind, blob = keys[host.name]["public"].split()[:2]
        names = [host.name, f"{host.name}.local", f"{host.name}.{spec.tailnet}", host.lan, host.tailnet_ip]
        lines.append(f"{','.join(names)} {kind} {blob}\n")
    return "".join(lines)


def prepare(directory, spec, keys):
    """Writes the laptop's files below `directory`."""
    root = pathlib.Path(directory)
    ssh = root / "home" / ".ssh"
    ssh.mkdir(parents=True)
    ssh.chmod(0o700)
    user = spec.hosts[0].user
    for name, content, mode in (
        ("id_ed25519", keys[""]["private"], 0o600),
        ("id_ed25519.pub", keys[""]["public"], 0o644),
        ("known_hosts", known_hosts(spec, keys) if spec.known_hosts else "", 0o600),
        ("config", f"# The operator's own configuration.\nHost *\n    User {user}\n", 0o600),
    ):
        (ssh / name).write_text(content)
        (ssh / name).chmod(mode)
    names = ["127.0.0.1\tlocalhost", "::1\tlocalhost", f"{spec.laptop_tailnet_ip}\tlaptop.{spec.tailnet} laptop"]
    names += [f"{host.tailnet_ip}\t{host.name}.{spec.tailnet} {host.name}" for host in spec.hosts]
    names += [f"{host.lan}\t{host.name}.local" for host in spec.hosts]
    (root / "hosts").write_text("\n".join(names) + "\n")
    _install_tailscale(root, spec)
    with open("/etc/passwd", encoding="utf-8") as file:
        entries = [line.split(":") for line in file]
    for entry in entries:
        if entry[2] == "0":
            entry[5] = HOME
    (root / "passwd").write_text("".join(":".join(entry) for entry in entries))


def peers(spec):
    """Returns the nodes of the tailnet, the laptop last."""
    nodes = [{"name": item.name, "lan": item.lan, "tailnet_ip": item.tailnet_ip} for item in spec.hosts]
    return [*nodes, {"name": "laptop", "lan": spec.laptop_lan, "tailnet_ip": spec.laptop_tailnet_ip}]


def _install_tailscale(root, spec):
    # ~/bin/tailscale of the laptop; ~/.tailscale-state.json {"state": ..., "nodes": {NAME: {KEY: VALUE}}} changes its answers.
    home = root / "home"
    (home / "bin").mkdir()
    (root / "tailnet.json").write_text(json.dumps({"tailnet": spec.tailnet, "peers": peers(spec)}))
    program = home / "bin" / "tailscale"
    program.write_text(
        "#!/usr/bin/python3\nimport sys\n"
        f"sys.path.insert(0, {str(paths.PACKAGE.parent)!r})\nsys.dont_write_bytecode = True\n"
        "from fleetlab.tools import laptop_tailscale\n"
        f"sys.exit(laptop_tailscale.main(sys.argv, {str(root / 'tailnet.json')!r}))\n"
    )
    program.chmod(0o755)


def enter(directory):
    """Makes this mount namespace the laptop's."""
    linux.make_private()
    linux.mount("proc", "/proc", "proc", 0)
    linux.mount("lab", "/media", "tmpfs", 0, "size=1m,mode=755")
    os.mkdir(HOME)
    linux.bind(f"{directory}/home", HOME)
    linux.bind(f"{directory}/hosts", "/etc/hosts")
    linux.bind(f"{directory}/passwd", "/etc/passwd")
    linux.sethostname("laptop")


def environment(inherited):
    """Returns the environment of a command on the laptop: the caller's, with this home and without an agent."""
    environment = {
        key: value
        for key, value in inherited.items()
        if not key.startswith("XDG_") and key not in ("SSH_AUTH_SOCK", "SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
    }
    environment.update(HOME=HOME, USER="root", LOGNAME="root")
    environment["PATH"] = f"{HOME}/bin:{inherited.get('PATH', '/usr/bin:/bin:/usr/sbin:/sbin')}"
    return environment
