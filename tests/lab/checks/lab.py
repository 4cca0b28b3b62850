"""One lab for all checks, and short ways to ask its hosts."""

import atexit
import json
import os
import pathlib
import plistlib
import subprocess
import tempfile
import time
import unittest

from fleetlab import control, enter, laptop, paths, pids

LAB = pathlib.Path(__file__).resolve().parent.parent / "lab"
NAME = f"selftest-{os.getpid()}"
TAILNET = "lab.ts.net"
_SPEC = """
[hosts.mac-one]
omlx = ""

[hosts.mac-two]
chip = "M3 Ultra"
memory = 103079215104
timezone = "Europe/Berlin"
zsh_noise = true
sh = "dash"
awk = "mawk"
sudo = "documented"

[hosts.mac-three]
sudo = "not-in-sudoers"
readlink_f = false
realpath = false
jq = false
lockf = false
macos = "26.1"
"""
_state = {}


def lab(*words, **options):
    """Runs one `lab` command to its end; raises when it fails."""
    return subprocess.run([LAB, *words], check=True, capture_output=True, text=True, timeout=60, **options)


def ask(verb, host, *words):
    """Asks the running lab to do something to a host, without the cost of a command line."""
    return control.ask(paths.instance(NAME), {"verb": verb, "host": host, "arguments": list(words)})


def on_laptop(*command):
    """Runs a command on the laptop; returns the completed process."""
    proc = f"/proc/{pids.init(paths.instance(NAME))}"
    out, err, code = enter.capture(proc, list(command), laptop.environment(os.environ))
    return subprocess.CompletedProcess(command, code, out.decode(errors="replace"), err.decode(errors="replace"))


def up():
    """Brings the lab up once; it goes down with this process, whatever happens."""
    if "up" not in _state:
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as spec:
            spec.write(_SPEC)
            spec.flush()
            lab("up", NAME, "--spec", spec.name, "--owner", str(os.getpid()))
        _state["up"] = True
        atexit.register(lambda: lab("down", NAME))


class Case(unittest.TestCase):
    """A check on the lab's hosts; `mac-one` unless said otherwise."""

    maxDiff = None
    host = "mac-one"

    @classmethod
    def setUpClass(cls):
        up()

    def run_on(self, script, user="root", host=None, stdin=None):
        """Runs a script with the host's /bin/sh; returns the completed process."""
        directory = paths.instance(NAME)
        found = control.ask(directory, {"verb": "describe"})["hosts"][host or self.host]
        credentials, environment, home = enter.account(user, found["home"])
        out, err, code = enter.capture(
            enter.host_proc(pids.init(directory), found["pid"]), ["/bin/sh", "-c", script], environment, credentials,
            home, (stdin or "").encode(),
        )
        return subprocess.CompletedProcess(script, code, out.decode(errors="replace"), err.decode(errors="replace"))

    def said(self, script, out="", err="", code=0, user="root", host=None):
        """Checks the whole answer of a script."""
        done = self.run_on(script, user, host)
        self.assertEqual((done.stdout, done.stderr, done.returncode), (out, err, code), script)

    def out(self, script, user="root", host=None):
        """Returns what a script that succeeds printed."""
        done = self.run_on(script, user, host)
        self.assertEqual(done.returncode, 0, f"{script}: {done.stderr}")
        return done.stdout

    def ssh(self, script, host=None, options=()):
        """Runs a command over SSH from the laptop."""
        return on_laptop("ssh", "-oBatchMode=yes", "-oConnectTimeout=2", *options, f"{host or self.host}.{TAILNET}", script)

    def until(self, condition, what, seconds=10):
        """Waits for a condition, at most so long; returns its value."""
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            self.assertLess(time.monotonic(), deadline, f"{what} did not happen in {seconds} s")

    def write(self, path, content, mode="644", owner="root:wheel"):
        """Writes a file on the host."""
        script = f"cat > {path} && chown {owner} {path} && chmod {mode} {path}"
        done = self.run_on(script, stdin=content)
        self.assertEqual(done.returncode, 0, done.stderr)

    def fault(self, *words):
        """Starts a fault that ends with the test."""
        ask("fault", self.host, *words)
        self.addCleanup(ask, "heal", self.host, words[0])

    def knob(self, **values):
        """Turns knobs until the test ends."""
        defaults = ask("knob", self.host)
        ask("knob", self.host, *(f"{key}={json.dumps(value)}" for key, value in values.items()))
        self.addCleanup(ask, "knob", self.host, *(f"{key}={json.dumps(defaults[key])}" for key in values))


class JobCase(Case):
    """A check of launchd: writes property lists and takes their jobs away again."""

    def install(self, label, program=None, mode="644", owner="root:wheel", **keys):
        """Writes the property list of a job; returns its path."""
        path = f"/Library/LaunchDaemons/{label}.plist"
        content = {"Label": label, **keys}
        if program is not None:
            content["ProgramArguments"] = ["/bin/sh", "-c", program]
        self.write(path, plistlib.dumps(content).decode(), mode, owner)
        self.addCleanup(self.run_on, f"launchctl bootout system/{label}; rm -f {path}")
        return path

    def load(self, label, program, **keys):
        """Installs and bootstraps a job."""
        path = self.install(label, program, **keys)
        self.said(f"launchctl bootstrap system {path}")
        return path

    def field(self, label, key):
        """Returns a one-tab-deep line of `launchctl print`, or None."""
        for line in self.run_on(f"launchctl print system/{label}").stdout.splitlines():
            if line.startswith(f"\t{key} = "):
                return line.partition(" = ")[2]
        return None

    def until_field(self, label, key, value):
        """Waits until a line of `launchctl print` has a value."""
        self.until(lambda: self.field(label, key) == value, f"{label}: {key} = {value}")
