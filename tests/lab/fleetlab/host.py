"""One host: its root, its first files, and its process 1. Runs in children of the instance's init.

The host's own files live on a tmpfs of limited size that the instance keeps mounted, so they outlive a reboot of the
host and can run full; the network namespace outlives it too.
"""

import dataclasses
import json
import os
import shutil
import signal
import time
import uuid

from . import linux, litellm, netns, omlx, paths, template
from .launchd.server import Launchd
from .tools.server import ToolServer

_NAMESPACES = linux.CLONE_NEWNS | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC | linux.CLONE_NEWPID


@dataclasses.dataclass
class HostRuntime:
    """What the instance's init knows of a host."""

    spec: object
    index: int
    directory: str
    netns: int | None = None
    pid: int | None = None
    faults: dict = dataclasses.field(default_factory=dict)

    @property
    def disk(self):
        """The tmpfs that holds the host's own files."""
        return f"{self.directory}/disk"


def mount_disk(runtime):
    """Mounts the host's disk in the instance's mount namespace."""
    os.makedirs(runtime.disk, exist_ok=True)
    linux.mount("lab", runtime.disk, "tmpfs", 0, f"size={runtime.spec.real_disk},mode=755")
    for name in ("upper", "work", "root"):
        os.mkdir(f"{runtime.disk}/{name}")
    # Whiteouts and opaque directories keep the shared tree's modes: the upper root is the host's "/".
    os.chmod(f"{runtime.disk}/upper", 0o755)


def boot(runtime, lower, laptop, log):
    """Starts the host's process 1 and returns (pid, network namespace descriptor or None, function to let it go on).

    On a first boot the host waits until it is let go, so that its wires can be made in between.
    """
    ready_reader, ready_writer = os.pipe()
    go_reader, go_writer = os.pipe()
    first = runtime.netns is None
    child = os.fork()
    if child == 0:
        try:
            os.close(ready_reader)
            os.close(go_writer)
            _enter(runtime, lower, laptop, first, ready_writer, go_reader, log)
        except BaseException as error:  # never return into the instance's loop
            log(f"{runtime.spec.name}: boot failed: {type(error).__name__}: {error}")
        os._exit(71)
    os.close(ready_writer)
    os.close(go_reader)
    reply = _read(ready_reader, 16)
    os.close(ready_reader)
    if not reply:
        os.waitpid(child, 0)
        os.close(go_writer)
        raise OSError(f"host {runtime.spec.name} did not boot: see {runtime.directory}/host.log")
    pid = int(reply)
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC) if first else runtime.netns
    os.waitpid(child, 0)

    def let_go():
        os.write(go_writer, b"g")
        os.close(go_writer)

    return pid, namespace, let_go


def _read(descriptor, size):
    data = b""
    while len(data) < size and not data.endswith(b"\n"):
        piece = os.read(descriptor, size - len(data))
        if not piece:
            break
        data += piece
    return data.decode()


def _enter(runtime, lower, laptop, first, ready, go, log):
    if first:
        linux.unshare(_NAMESPACES | linux.CLONE_NEWNET)
    else:
        linux.setns(runtime.netns, linux.CLONE_NEWNET)
        linux.unshare(_NAMESPACES)
    pid = os.fork()
    if pid:
        os.write(ready, f"{pid}\n".encode())
        os._exit(0)
    code = 71
    try:
        os.close(ready)
        if not os.read(go, 1):
            os._exit(0)
        os.close(go)
        os.setsid()
        _become_host(runtime, lower, laptop, first)
        code = 0
    except BaseException as error:
        log(f"{runtime.spec.name}: {type(error).__name__}: {error}")
    os._exit(code)


def _become_host(runtime, lower, laptop, first):
    spec = runtime.spec
    linux.make_private()
    linux.sethostname(f"{spec.name}.local")
    linux.name_process("launchd")
    if first:
        netns.configure(spec)
    root = f"{runtime.disk}/root"
    linux.mount(
        "lab", root, "overlay", 0, f"lowerdir={lower},upperdir={runtime.disk}/upper,workdir={runtime.disk}/work"
    )
    _mount_system(root, spec)
    output = os.open(f"{runtime.directory}/host.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    null = os.open("/dev/null", os.O_RDWR)
    linux.pivot_root(root)
    for number, descriptor in ((0, null), (1, output), (2, output)):
        os.dup2(descriptor, number)
    os.closerange(3, 4096)
    os.umask(0o022)
    if first:
        _first_files(runtime, laptop)
    _boot_files(runtime)
    os.environ.clear()
    os.environ["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin"
    time.tzset()
    launchd = Launchd()
    launchd.add_helper(lambda: _fork_tool_server(runtime))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    launchd.run()


def _fork_tool_server(runtime):
    pid = os.fork()
    if pid == 0:
        try:
            signal.set_wakeup_fd(-1)
            os.setsid()
            linux.name_process("lab-tools")
            os.closerange(3, 4096)
            ToolServer(host_facts()).run()
        except BaseException as error:
            os.write(2, f"tool server: {type(error).__name__}: {error}\n".encode())
        os._exit(71)
    return pid


def host_facts():
    """Returns what this host pretends to be."""
    with open(paths.HOST_FILE, encoding="utf-8") as file:
        return json.load(file)


def _mount_system(root, spec):
    for real, inside in (
        ("/usr/lib", "usr/lib"),
        ("/usr/lib64", "usr/lib64"),
        ("/usr/share", "usr/share"),
        ("/usr/libexec/sudo", "usr/libexec/sudo"),
        ("/usr/bin", "System/Library/Lab/debian/bin"),
        ("/usr/sbin", "System/Library/Lab/debian/sbin"),
        ("/etc/ssl", "private/etc/ssl"),
    ):
        if os.path.isdir(real):
            linux.bind(real, f"{root}/{inside}", read_only=True)
    real_server = omlx.environment()
    if spec.omlx and real_server is not None:
        linux.bind(str(real_server), f"{root}{omlx.ENVIRONMENT_ON_HOST}", read_only=True)
    if spec.litellm:
        os.makedirs(f"{root}{litellm.ENVIRONMENT_ON_HOST}", exist_ok=True)
        linux.bind(str(litellm.environment()), f"{root}{litellm.ENVIRONMENT_ON_HOST}", read_only=True)
    linux.mount("proc", f"{root}/proc", "proc", 0)
    dev = f"{root}/dev"
    linux.mount("lab", dev, "tmpfs", linux.MS_NOSUID, "size=1m,mode=755")
    for name in ("null", "zero", "full", "random", "urandom", "tty", "fuse"):
        if os.path.exists(f"/dev/{name}"):
            open(f"{dev}/{name}", "w", encoding="ascii").close()
            linux.bind(f"/dev/{name}", f"{dev}/{name}")
    os.mkdir(f"{dev}/pts")
    linux.mount("devpts", f"{dev}/pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=620,gid=4")
    for name, target in (
        ("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"),
    ):
        os.symlink(target, f"{dev}/{name}")


def _write(path, content, mode=0o644, uid=0, gid=0):
    with open(path, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
    os.chown(path, uid, gid)


def _first_files(runtime, laptop):
    spec = runtime.spec
    passwd, shadow, group = template.accounts(spec)
    _write("/etc/passwd", passwd)
    _write("/etc/shadow", shadow, 0o600)
    _write("/etc/group", group)
    _write("/etc/hosts", _names(spec, laptop))
    os.symlink(f"/var/db/timezone/zoneinfo/{spec.timezone}", "/var/db/timezone/localtime")
    _shells(spec)
    home = f"/Users/{spec.user}"
    for path, mode in ((home, 0o750), (f"{home}/.ssh", 0o700), (f"{home}/Library", 0o700)):
        os.mkdir(path)
        os.chown(path, spec.uid, 20)
        os.chmod(path, mode)
    _write(f"{home}/.ssh/authorized_keys", laptop["public_key"], 0o600, spec.uid, 20)
    if spec.zsh_noise:
        _write(f"{home}/.zshenv", "echo 'Welcome to zsh, the noisy one.'\nexport NOISE=1\n", 0o644, spec.uid, 20)
    if spec.omlx:
        _write("/var/lab/omlx/release", spec.omlx + "\n")
    if spec.litellm:
        litellm.place()
    write_sudoers(spec)
    _write("/etc/ssh/ssh_host_ed25519_key", laptop["host_keys"][spec.name]["private"], 0o600)
    _write("/etc/ssh/ssh_host_ed25519_key.pub", laptop["host_keys"][spec.name]["public"], 0o644)
    facts = dataclasses.asdict(spec)
    facts["tailnet"] = laptop["tailnet"]
    facts["peers"] = laptop["peers"]
    _write(paths.HOST_FILE, json.dumps(facts))


def _shells(spec):
    # The shared tree holds the defaults; a host that differs has links of its own.
    if spec.sh == "dash":
        os.unlink("/bin/sh")
        os.symlink(f"{paths.DEBIAN}/debian/bin/dash", "/bin/sh")
        os.unlink("/var/select/sh")
        os.symlink("/bin/dash", "/var/select/sh")
    if spec.awk == "mawk":
        os.unlink("/usr/bin/awk")
        os.symlink(f"{paths.DEBIAN}/debian/bin/mawk", "/usr/bin/awk")
    absent = {
        "/bin/realpath": not spec.realpath,
        "/usr/bin/jq": not spec.jq,
        "/usr/bin/lockf": not spec.lockf,
        "/sbin/sha256sum": not spec.sha256sum,
        "/opt/homebrew/bin/tailscale": spec.tailscale != "opensource",
        "/usr/local/bin/tailscale": spec.tailscale != "gui",
    }
    for path, gone in absent.items():
        if gone and os.path.lexists(path):
            os.unlink(path)


def _names(spec, laptop):
    lines = ["127.0.0.1\tlocalhost", "255.255.255.255\tbroadcasthost", f"127.0.0.1\t{spec.name}.local"]
    if spec.tailscale != "absent":
        # MagicDNS: a file here, because the lab has no name server.
        lines += [f"{node['tailnet_ip']}\t{node['name']}.{laptop['tailnet']}" for node in laptop["peers"]]
    return "\n".join(lines) + "\n"


_STOCK_SUDOERS = """\
Defaults env_reset
Defaults env_keep += "BLOCKSIZE COLORFGBG COLORTERM CHARSET LANG LANGUAGE LC_ALL LC_COLLATE LC_CTYPE"
Defaults env_keep += "LC_MESSAGES LC_MONETARY LC_NUMERIC LC_TIME LINES COLUMNS LSCOLORS SSH_AUTH_SOCK TZ"
Defaults env_keep += "DISPLAY XAUTHORIZATION XAUTHORITY EDITOR VISUAL HOME MAIL"
Defaults !lecture
root ALL = (ALL) ALL
%admin ALL = (ALL) ALL
#includedir /private/etc/sudoers.d
"""
_RULES = {
    "all": "{user} ALL=(ALL) NOPASSWD: ALL\n",
    "documented": "{user} ALL=(root) NOPASSWD: /bin/sh -s\n",
}
_ADMIN_RULE = "%admin ALL = (ALL) ALL\n"


def write_sudoers(spec, mode=None):
    """Writes sudo's rules: the stock file of macOS, and the drop-in that `mode` (or the spec) asks for."""
    mode = mode or spec.sudo
    stock = _STOCK_SUDOERS.replace(_ADMIN_RULE, "") if mode == "not-in-sudoers" else _STOCK_SUDOERS
    _write("/etc/sudoers", stock, 0o440)
    drop_in = "/etc/sudoers.d/fleetctl"
    if mode in _RULES:
        _write(drop_in, _RULES[mode].format(user=spec.user), 0o440)
    elif os.path.exists(drop_in):
        os.unlink(drop_in)
    present = os.path.lexists("/usr/bin/sudo")
    if mode == "absent" and present:
        os.unlink("/usr/bin/sudo")
    elif mode != "absent" and not present:
        os.symlink(f"{paths.DEBIAN}/debian/bin/sudo", "/usr/bin/sudo")


def _boot_files(runtime):
    # A boot empties /tmp and /var/run, gives wired memory back, and gives the session a new identity.
    for directory in ("/private/tmp", "/private/var/run", "/private/var/lab/run", paths.WIRED):
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)
    # The boot's moment in machine time: kern.boottime moves with the host's clock, as on a Mac.
    boot = {"boot": time.time(), "session": str(uuid.uuid4()).upper(), "first": not os.path.exists(f"{paths.LAB}/boot.json")}
    _write(f"{paths.LAB}/boot.json", json.dumps(boot))
