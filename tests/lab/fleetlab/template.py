"""The file tree that all hosts share, read-only, below their own files: a Mac's layout over Debian's programs.

Debian's own /usr/bin is mounted out of the PATH, in /System/Library/Lab; what a Mac's PATH shows is decided here,
name by name. Built once for each state of the lab's sources and kept in the lab's directory.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from . import paths
from .tools import registry

_LINKS = {
    "etc": "private/etc",
    "tmp": "private/tmp",
    "var": "private/var",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "private/etc/localtime": "/var/db/timezone/localtime",
    "private/var/db/timezone/zoneinfo": "/usr/share/zoneinfo",
    "private/etc/zsh": ".",
    "usr/libexec/sftp-server": "../lib/openssh/sftp-server",
    "private/var/select/sh": "/bin/bash",
    "dev": None,
}
_DIRECTORIES = {
    "Applications": 0o775,
    "Library/LaunchAgents": 0o755,
    "Library/LaunchDaemons": 0o755,
    "Library/Logs": 0o755,
    "Library/Preferences": 0o755,
    "System/Library/LaunchDaemons": 0o755,
    "System/Library/Lab/debian/bin": 0o755,
    "System/Library/Lab/debian/sbin": 0o755,
    "System/Volumes/Data": 0o755,
    "Users/Shared": 0o1777,
    "Volumes": 0o755,
    "bin": 0o755,
    "dev": 0o755,
    "opt/homebrew/bin": 0o755,
    "private/etc/newsyslog.d": 0o755,
    "private/etc/pam.d": 0o755,
    "private/etc/paths.d": 0o755,
    "private/etc/ssh/sshd_config.d": 0o755,
    "private/etc/ssl": 0o755,
    "private/etc/sudoers.d": 0o755,
    "private/tmp": 0o1777,
    "private/var/db/com.apple.xpc.launchd": 0o755,
    "private/var/db/sudo": 0o711,
    "private/var/db/timezone": 0o755,
    "private/var/empty": 0o755,
    "private/var/folders": 0o755,
    "private/var/lab/omlx": 0o1777,
    "private/var/lab/run": 0o755,
    "private/var/lab/wired": 0o1777,
    "private/var/log/com.apple.xpc.launchd": 0o755,
    "private/var/root": 0o700,
    "private/var/run": 0o755,
    "private/var/select": 0o755,
    "private/var/tmp": 0o1777,
    "proc": 0o555,
    "run/sshd": 0o755,
    "run/sudo": 0o711,
    "sbin": 0o755,
    "usr/bin": 0o755,
    "usr/lib": 0o755,
    "usr/lib64": 0o755,
    "usr/libexec/sudo": 0o755,
    "usr/local/bin": 0o755,
    "usr/local/etc": 0o755,
    "usr/local/var": 0o755,
    "usr/sbin": 0o755,
    "usr/share": 0o755,
}
_GROUPS = """\
wheel:*:0:root
daemon:*:1:root
kmem:*:2:root
sys:*:3:root
tty:*:4:root
operator:*:5:root
mail:*:6:
everyone:*:12:
staff:*:20:root
sshd:*:75:
admin:*:80:root
com.apple.access_ssh:*:399:
nogroup:*:4294967294:
"""
_PASSWD = """\
root:*:0:0:System Administrator:/var/root:/bin/sh
daemon:*:1:1:System Services:/var/root:/usr/bin/false
_sshd:*:75:75:sshd Privilege separation:/var/empty:/usr/bin/false
sshd:*:75:75:sshd Privilege separation:/var/empty:/usr/bin/false
nobody:*:4294967294:4294967294:Unprivileged User:/var/empty:/usr/bin/false
"""
_SSHD_CONFIG = """\
# As macOS ships it, 100-macos.conf included; PAM is Debian's business and left out.
Include /etc/ssh/sshd_config.d/*.conf
Port 22
AddressFamily inet
HostKey /etc/ssh/ssh_host_ed25519_key
AcceptEnv LANG LC_*
AuthorizedKeysFile .ssh/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
PidFile /var/run/sshd.pid
SetEnv PATH=/usr/bin:/bin:/usr/sbin:/sbin
Subsystem sftp /usr/libexec/sftp-server
"""
_SSHD_PLIST = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>com.openssh.sshd</string>
	<key>ProgramArguments</key>
	<array>
		<string>/usr/sbin/sshd</string>
		<string>-D</string>
		<string>-e</string>
	</array>
	<key>KeepAlive</key>
	<true/>
	<key>ThrottleInterval</key>
	<integer>1</integer>
	<key>SoftResourceLimits</key>
	<dict>
		<key>NumberOfFiles</key>
		<integer>4096</integer>
	</dict>
	<key>StandardErrorPath</key>
	<string>/private/var/log/sshd.log</string>
</dict>
</plist>
"""
_FILES = {
    "private/etc/group": _GROUPS,
    "private/etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
    "private/etc/paths": "/usr/local/bin\n/usr/bin\n/bin\n/usr/sbin\n/sbin\n",
    "private/etc/pam.d/sudo": "auth required pam_deny.so\naccount required pam_permit.so\nsession required pam_permit.so\n",
    "private/etc/pam.d/other": "auth required pam_deny.so\naccount required pam_deny.so\n",
    "private/etc/newsyslog.conf": "# logfilename          [owner:group]    mode count size when  flags\n"
    "/var/log/install.log                   640  5     1000  *     J\n",
    "private/etc/resolv.conf": "",
    "private/etc/shells": "/bin/bash\n/bin/dash\n/bin/sh\n/bin/zsh\n",
    "private/etc/ssh/sshd_config": _SSHD_CONFIG,
    "System/Library/LaunchDaemons/ssh.plist": _SSHD_PLIST,
}
_CLIENT = "System/Library/Lab/client"


def _digest():
    total = hashlib.sha256()
    for path in sorted([*paths.PACKAGE.rglob("*.py"), *paths.PACKAGE.rglob("*.c")]):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]


def build():
    """Returns the directory of the shared tree, built if it is not there yet."""
    # Also when it is there: a host has left the checkout when its first command is asked for.
    registry.import_served()
    home = paths.base() / "template"
    target = home / _digest()
    if target.is_dir():
        return target
    home.mkdir(parents=True, exist_ok=True)
    temporary = pathlib.Path(tempfile.mkdtemp(prefix=".new-", dir=home))
    try:
        temporary.chmod(0o755)
        _fill(temporary)
        os.rename(temporary, target)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        if not target.is_dir():  # not because another bring-up was faster
            raise
    return target


def _fill(root):
    old = os.umask(0o022)
    try:
        for name, mode in _DIRECTORIES.items():
            path = root / name
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(mode)
        for name, content in _FILES.items():
            (root / name).write_text(content, encoding="utf-8")
        for name, link in _LINKS.items():
            if link is not None and not (root / name).is_symlink():
                os.symlink(link, root / name)
        (root / "private/etc/master.passwd").write_text(_PASSWD, encoding="utf-8")
        if os.path.exists("/etc/ld.so.cache"):
            shutil.copyfile("/etc/ld.so.cache", root / "private/etc/ld.so.cache")
        _compile_client(root / _CLIENT)
        for path, target in registry.links(f"/{_CLIENT}").items():
            _check_program(target)
            os.symlink(target, root / path)
    finally:
        os.umask(old)


def _check_program(target):
    prefix = f"{paths.DEBIAN}/debian/"
    if target.startswith(prefix) and not os.path.lexists(f"/usr/{target.removeprefix(prefix)}"):
        raise FileNotFoundError(2, "missing program (scripts/lab-setup installs it)", f"/usr/{target.removeprefix(prefix)}")


def _compile_client(target):
    subprocess.run(
        ["cc", "-O2", "-Wall", "-Werror", f'-DTOOLS_SOCKET="{paths.TOOLS_SOCKET}"', "-o", str(target),
         str(paths.PACKAGE / "native" / "client.c")],
        check=True, timeout=120,
    )


def accounts(spec):
    """Returns (passwd, shadow, group) with the host's user."""
    line = f"{spec.user}:*:{spec.uid}:20:{spec.user}:/Users/{spec.user}:/bin/zsh\n"
    passwd = _PASSWD + line
    shadow = "".join(f"{entry.split(':')[0]}:*:20000:0:99999:7:::\n" for entry in passwd.splitlines())
    groups = []
    for entry in _GROUPS.splitlines():
        name, _, _, members = entry.split(":")
        if name in ("everyone", "admin", "com.apple.access_ssh") and spec.sudo != "not-in-sudoers" or name == "everyone":
            members = ",".join(filter(None, [members, spec.user]))
        groups.append(":".join([*entry.split(":")[:3], members]))
    return passwd, shadow, "\n".join(groups) + "\n"
