"""SSH and sudo: what a client of the hosts meets, and the faults that a test may cause."""

import json
import subprocess
import time

from .lab import LAB, NAME, Case, ask, lab, on_laptop


class Login(Case):
    """The environment of `ssh host cmd`."""

    def test_environment(self):
        done = self.ssh("echo $0 $PATH $HOME; brew; ls /nope*; sw_vers -productVersion")
        self.assertEqual(done.stdout, "zsh /usr/bin:/bin:/usr/sbin:/sbin /Users/ops\n15.6.1\n")
        self.assertEqual(done.stderr, "zsh:1: command not found: brew\nzsh:1: no matches found: /nope*\n")

    def test_noise_and_another_zone(self):
        done = self.ssh("date +%Z", host="mac-two")
        self.assertEqual(done.stdout.splitlines()[0], "Welcome to zsh, the noisy one.")
        self.assertIn(done.stdout.splitlines()[1], ("CET", "CEST"))

    def test_exit_codes_travel(self):
        for code in (0, 1, 126, 127, 255):
            self.assertEqual(self.ssh(f"exit {code}").returncode, code)

    def test_both_addresses_have_one_key(self):
        for address in ("192.168.1.11", "100.64.0.11", "mac-one.local"):
            done = on_laptop("ssh", "-oBatchMode=yes", address, "hostname")
            self.assertEqual(done.stdout, "mac-one.local\n", done.stderr)

    def test_files_travel(self):
        done = self.ssh("cat > f; shasum -a 256 < f | cut -c1-8")
        self.assertEqual(done.stdout, "e3b0c442\n")
        done = on_laptop("rsync", "-a", "/etc/debian_version", "mac-one.lab.ts.net:here")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = on_laptop("sh", "-c", "echo 'put /etc/debian_version there' | sftp -q -b - mac-one.lab.ts.net")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.out("cmp here there", user="ops"), "")


class Sudo(Case):
    """sudo -n, allowed and refused."""

    def test_all(self):
        done = self.ssh("sudo -n sh -c 'id -un; echo $HOME $PATH'")
        self.assertEqual(done.stdout, "root\n/Users/ops /usr/bin:/bin:/usr/sbin:/sbin\n")

    def test_the_documented_line(self):
        done = self.ssh("echo 'id -un' | sudo -n /bin/sh -s", host="mac-two")
        self.assertEqual(done.stdout.splitlines()[1:], ["root"])
        done = self.ssh("sudo -n /usr/bin/true", host="mac-two")
        self.assertEqual((done.stderr, done.returncode), ("sudo: a password is required\n", 1))

    def test_refused(self):
        done = self.ssh("sudo -n true", host="mac-three")
        self.assertEqual((done.stderr, done.returncode), ("sudo: a password is required\n", 1))

    def test_revoked_and_absent(self):
        self.fault("sudo", "revoked")
        self.assertEqual(self.ssh("sudo -n true").stderr, "sudo: a password is required\n")
        self.fault("sudo", "absent")
        self.assertEqual(self.ssh("sudo -n true").returncode, 127)

    def test_sudoers_can_be_checked(self):
        self.said("echo 'ops ALL=(root) NOPASSWD: /bin/sh -s' > /tmp/s; visudo -cf /tmp/s", out="/tmp/s: parsed OK\n")


class Faults(Case):
    """Each fault shows what it should, and ends."""

    def failing(self, *words, expect):
        self.fault(*words)
        done = self.ssh("true")
        self.assertEqual(done.returncode, 255)
        self.assertIn(expect, done.stderr)
        ask("heal", self.host, words[0])
        self.assertEqual(self.ssh("true").returncode, 0, words)

    def test_refuse(self):
        self.failing("refuse", expect="Connection refused")

    def test_banner_stall(self):
        self.failing("banner-stall", expect="Connection timed out during banner exchange")

    def test_close(self):
        self.failing("close", expect="closed by")

    def test_changed_key(self):
        self.failing("changed-key", expect="REMOTE HOST IDENTIFICATION HAS CHANGED")

    def test_unknown_key(self):
        self.failing("unknown-key", expect="Host key verification failed.")

    def test_auth_denied(self):
        self.failing("auth-denied", expect="Permission denied (publickey)")

    def test_blackhole(self):
        self.failing("blackhole", expect="timed out")

    def test_blackhole_of_one_address(self):
        self.fault("blackhole", "lan")
        self.assertEqual(self.ssh("true").returncode, 0)
        self.assertIn("timed out", self.ssh("true", options=("-oHostName=192.168.1.11",)).stderr)

    def test_max_sessions(self):
        self.fault("max-sessions", "2")
        script = """
            ssh -MNf -S ~/m mac-one.lab.ts.net
            for i in 1 2 3; do ssh -S ~/m mac-one.lab.ts.net 'sleep 1' & done; wait
            ssh -S ~/m -O exit mac-one.lab.ts.net
        """
        done = on_laptop("sh", "-c", script)
        self.assertIn("Session open refused by peer", done.stderr)

    def test_kill_ssh(self):
        client = subprocess.Popen([LAB, "laptop", NAME, "--", "ssh", "mac-one.lab.ts.net", "echo up; sleep 30"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.assertEqual(client.stdout.readline(), "up\n")
        ask("fault", self.host, "kill-ssh")
        _, said = client.communicate(timeout=10)
        self.assertEqual(client.returncode, 255)
        self.assertIn("closed by remote host", said)
        self.assertEqual(self.ssh("true").returncode, 0)

    def test_delay_counts_turns(self):
        self.fault("delay", "100")
        begin = time.monotonic()
        self.assertEqual(self.ssh("true").returncode, 0)
        self.assertGreater(time.monotonic() - begin, 0.8)
        wires = json.loads(lab("wire", NAME).stdout)[self.host]
        self.assertEqual([wire["port"] for wire in wires], [22])
        self.assertIn(wires[0]["turns"], range(12, 30))


class Disk(Case):
    """Full, read-only and denied."""

    def test_full(self):
        self.fault("disk-full")
        done = self.run_on("echo x > /usr/local/var/full")
        self.assertIn("No space left on device", done.stderr)
        self.assertRegex(self.out("df -kP /usr/local").splitlines()[1], r" 0   100%")
        # An imitated command whose words have no room, on either stream.
        done = self.run_on("cd /usr/local/var; : >full; { date >full 2>full; echo $?; date >full; echo $?; } 1>&2; exec 1>&2; date +%Y")
        self.assertRegex(done.stderr, r"\A1\ndate: stdout: No space left on device\n1\n\d{4}\n\Z")
        ask("heal", self.host, "disk-full")
        self.said("echo x > /usr/local/var/full; cat /usr/local/var/full", out="x\n")

    def test_one_full_directory(self):
        self.out("mkdir -p /usr/local/var/state; echo old > /usr/local/var/state/f")
        self.fault("disk-full", "/usr/local/var/state", "--free", "8192")
        self.assertIn("No space left", self.run_on("head -c 100000 /dev/zero > /usr/local/var/state/big").stderr)
        self.out("rm /usr/local/var/state/big; echo new > /usr/local/var/state/g; echo fine > /usr/local/var/h")
        ask("heal", self.host, "disk-full")
        self.said("cat /usr/local/var/state/f /usr/local/var/state/g; ls /usr/local/var/state", out="old\nnew\nf\ng\n")

    def test_read_only(self):
        self.fault("read-only", "/Library/LaunchDaemons")
        self.assertIn("Read-only file system", self.run_on("touch /Library/LaunchDaemons/x").stderr)
        ask("heal", self.host, "read-only")
        self.said("touch /Library/LaunchDaemons/x; rm /Library/LaunchDaemons/x")

    def test_tcc(self):
        self.fault("tcc", "/Volumes/OWC")
        self.assertIn("Operation not permitted", self.run_on("ls /Volumes/OWC").stderr)
        self.assertIn("Operation not permitted", self.run_on("cat /Volumes/OWC/models").stderr)
        ask("heal", self.host, "tcc")
        self.said("ls /Volumes/OWC")


class Power(Case):
    """Halting and booting."""

    host = "mac-three"

    def test_hard_halt_leaves_connections_hanging(self):
        client = subprocess.Popen(
            [LAB, "laptop", NAME, "--", "ssh", "-oServerAliveInterval=1", "-oServerAliveCountMax=2",
             "mac-three.lab.ts.net", "echo up; sleep 60"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.assertEqual(client.stdout.readline(), "up\n")
        ask("halt", self.host, "--hard")
        self.assertIn("not responding", client.communicate(timeout=15)[1])
        ask("boot", self.host)
        self.assertEqual(self.ssh("true").returncode, 0)


class Wires(Case):
    """Length and width of a wire."""

    def test_a_slow_link(self):
        self.fault("delay", "0", "--rate", "200000")
        begin = time.monotonic()
        done = on_laptop("sh", "-c", "head -c 300000 /dev/zero | ssh mac-one.lab.ts.net 'cat | wc -c'")
        self.assertEqual(done.stdout.strip(), "300000")
        self.assertGreater(time.monotonic() - begin, 1.4)

    def test_cut_and_long_at_once(self):
        self.fault("blackhole")
        self.fault("delay", "20")
        self.assertEqual(self.ssh("true").returncode, 255)
        ask("heal", self.host, "blackhole")
        self.assertEqual(self.ssh("true").returncode, 0)
        self.fault("blackhole")
        ask("heal", self.host, "delay")
        self.assertEqual(self.ssh("true").returncode, 255)
        ask("heal", self.host, "blackhole")
        self.assertEqual(self.ssh("true").returncode, 0)
