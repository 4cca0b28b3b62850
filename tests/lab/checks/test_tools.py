"""The commands: what they print, and what they refuse because only GNU's have it."""

import json
import plistlib
import re

from .lab import Case, ask


class Refusals(Case):
    """Absence is a feature."""

    def test_absent_commands(self):
        for name in ("timeout", "flock", "nproc", "free", "tac", "ss", "systemctl", "brew", "omlx", "sha256sum", "ip"):
            self.assertEqual(self.run_on(f"command -v {name}", user="ops").stdout, "", name)

    def test_optional_commands(self):
        for name in ("realpath", "jq", "lockf"):
            self.assertNotEqual(self.run_on(f"command -v {name}").stdout, "", name)
            self.assertEqual(self.run_on(f"command -v {name}", host="mac-three").stdout, "", name)
        self.assertEqual(self.out("readlink -f /tmp"), "/private/tmp\n")
        self.said("readlink -f /tmp", host="mac-three", code=1,
                  err="readlink: illegal option -- f\nusage: readlink [-n] [file ...]\n")

    def test_gnu_only_options(self):
        first_lines = {
            "stat -c %a /etc/passwd": "stat: illegal option -- c",
            "date -d now": "date: illegal option -- d",
            "sed -i s/a/b/ file": 'sed: 1: "file": invalid command code f',
            "head -n -1 /etc/passwd": "head: illegal line count -- -1",
            "find -name x": "find: illegal option -- n",
            "find /etc -printf %p": "find: -printf: unknown primary or operator",
            "grep -P a /etc/passwd": "grep: illegal option -- P",
            "cp --parents a b": "cp: illegal option -- -",
            "mv -T a b": "mv: illegal option -- T",
            "ln -sfnT a b": "ln: illegal option -- T",
            "xargs -d x echo": "xargs: illegal option -- d",
            "du -b /etc": "du: illegal option -- b",
            "mktemp --tmpdir": "mktemp: illegal option -- -",
            "cut --complement -f1": "cut: illegal option -- -",
            "base64 --ignore-garbage": "base64: illegal option -- -",
            "ps --sort rss": "ps: illegal option -- -",
            "rsync --mkpath a b": "rsync: unrecognized option `--mkpath'",
            "chmod --reference=a b": "chmod: illegal option -- -",
            "install --mode 644 a b": "install: illegal option -- -",
        }
        for command, line in first_lines.items():
            done = self.run_on(command)
            self.assertEqual(done.stderr.splitlines()[:1], [line], command)
            self.assertNotEqual(done.returncode, 0, command)

    def test_options_end_at_the_first_operand(self):
        self.said("cd /tmp; touch a; rm a -f", code=1, err="rm: cannot remove '-f': No such file or directory\n")

    def test_stubs(self):
        self.assertIn("xcode-select: note: No developer tools were found", self.run_on("python3 -V").stderr)


class Files(Case):
    """stat, mv, ln, sed, mktemp, install, base64, date, plutil, df."""

    def test_stat(self):
        self.write("/usr/local/etc/f", "hello", "640", "ops:staff")
        self.said("stat -f '%Su:%Sg %Lp %z %p %HT' /usr/local/etc/f", out="ops:staff 640 5 100640 Regular File\n")
        self.assertEqual(self.out("ln -sf f /usr/local/etc/l; stat -f '%Y|%N|%l' /usr/local/etc/l"), "f|/usr/local/etc/l|1\n")
        self.said("stat /nowhere", err="stat: /nowhere: stat: No such file or directory\n", code=1)

    def test_switching_a_link(self):
        self.out("mkdir -p /opt/x/one /opt/x/two; cd /opt/x; ln -s one current")
        self.out("cd /opt/x; ln -s two .n; mv -f .n current; ls one > /tmp/inside")
        self.assertEqual(self.out("cat /tmp/inside"), "")  # ls hides it: the link went into the directory
        self.assertEqual(self.out("readlink /opt/x/current /opt/x/one/.n"), "one\ntwo\n")
        self.out("cd /opt/x; ln -s two .m; mv -fh .m current")
        self.assertEqual(self.out("readlink /opt/x/current; ls -A /opt/x/two"), "two\n")
        self.out("cd /opt/x; ln -shf one current")
        self.assertEqual(self.out("readlink /opt/x/current; ls -A /opt/x/two"), "one\n")

    def test_the_proven_push(self):
        script = """
            umask 077; t=$(mktemp /Library/LaunchDaemons/.fleet.XXXXXX) || exit 70
            cat > "$t" && [ "$(shasum -a 256 < "$t" | cut -d' ' -f1)" = "$SHA" ] || { rm -f "$t"; exit 71; }
            chown root:wheel "$t" && chmod 0644 "$t" && plutil -lint -s "$t" && mv -f "$t" /Library/LaunchDaemons/x.plist
        """
        content = plistlib.dumps({"Label": "x"}).decode()
        sha = self.run_on("shasum -a 256 | cut -d' ' -f1", stdin=content).stdout.strip()
        done = self.run_on(f"SHA={sha}\n{script}", stdin=content)
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("", "", 0))
        self.said("stat -f '%Su:%Sg %Lp' /Library/LaunchDaemons/x.plist", out="root:wheel 644\n")
        self.assertEqual(self.run_on(f"SHA=0\n{script}", stdin=content).returncode, 71)
        self.out("rm /Library/LaunchDaemons/x.plist")

    def test_sed_in_place(self):
        self.said("cd /tmp; echo a > s; sed -i '' s/a/b/ s; cat s; sed -i.bak s/b/c/ s; cat s s.bak", out="b\nc\nb\n")

    def test_install(self):
        self.said("install -d -o ops -g staff -m 0755 /usr/local/var/i; echo x | install -o root -g wheel -m 0640 /dev/stdin"
                  " /usr/local/var/i/f; stat -f '%Su:%Sg %Lp' /usr/local/var/i /usr/local/var/i/f",
                  out="ops:staff 755\nroot:wheel 640\n")

    def test_date(self):
        self.said("date -u -j -f '%Y-%m-%d %H:%M:%S' '2026-03-08 12:00:00' +%s", out="1772971200\n")
        self.said("date -r 1772971200 '+%Y-%m-%d %H:%M %Z'", out="2026-03-08 08:00 EDT\n")
        self.said("date -r 1772971200 '+%H:%M %Z'", out="13:00 CET\n", host="mac-two")
        self.said("date -u -r 1772971200 -v+1d -v-1m +%F", out="2026-02-09\n")
        self.said("TZ=UTC date -r 1772971200 +%H:%M", out="12:00\n")

    def test_base64(self):
        self.said("printf hello | base64 | base64 -d; echo; printf aGVsbG8= | base64 -D", out="hello\nhello")
        self.assertEqual(self.out("head -c 300 /dev/zero | base64 | wc -l").strip(), "1")

    def test_plutil(self):
        self.write("/tmp/p.plist", plistlib.dumps({"Label": "x", "N": [1, True]}).decode())
        self.said("plutil -lint /tmp/p.plist", out="/tmp/p.plist: OK\n")
        self.said("plutil -convert json -o - /tmp/p.plist", out='{"Label":"x","N":[1,true]}')
        self.said("plutil -extract Label raw /tmp/p.plist; plutil -extract N.1 raw /tmp/p.plist", out="x\ntrue\n")
        self.assertEqual(self.run_on("plutil -extract Nope raw /tmp/p.plist").returncode, 1)
        self.assertEqual(self.run_on("echo '<plist><dict>' > /tmp/b; plutil -lint /tmp/b").returncode, 1)
        self.assertTrue(self.run_on("plutil -lint /nope").stdout.startswith("/nope: file does not exist or is not readable"))
        self.out("plutil -convert binary1 /tmp/p.plist")
        self.said("head -c 8 /tmp/p.plist; plutil -lint -s /tmp/p.plist", out="bplist00")
        self.assertTrue(self.out("plutil -convert xml1 -o - /tmp/p.plist").startswith('<?xml version="1.0"'))

    def test_df(self):
        lines = self.out("df -k").splitlines()
        self.assertTrue(lines[0].startswith("Filesystem     1024-blocks      Used Available Capacity iused      ifree %iused"))
        self.assertTrue(lines[1].endswith("   /"))
        self.assertTrue(lines[-1].startswith("map auto_home "))
        posix = self.out("df -kP /Users").splitlines()
        self.assertEqual(posix[0], "Filesystem   1024-blocks      Used Available Capacity  Mounted on")
        self.assertRegex(posix[1], r"^/dev/disk3s5   \d+ +\d+ +\d+ +\d+%    /System/Volumes/Data$")
        self.said("df -k /nowhere", err="df: /nowhere: No such file or directory\n", code=1)

    def test_lockf_and_xattr(self):
        self.said("lockf -k -s -t 0 /tmp/lock sh -c 'lockf -k -s -t 0 /tmp/lock true; echo $?'", out="75\n")
        self.said("cd /usr/local; touch q; xattr -w com.apple.quarantine x q; xattr q; xattr -d com.apple.quarantine q; xattr q",
                  out="com.apple.quarantine\n")


class System(Case):
    """sysctl, sw_vers, uname, uptime, ps, pmset and the rest."""

    def test_sysctl(self):
        self.said("sysctl hw.memsize hw.nope hw.ncpu", out="hw.memsize: 17179869184\nhw.ncpu: 10\n",
                  err="sysctl: unknown oid 'hw.nope'\n", code=1)
        self.said("sysctl -n hw.nope", err="sysctl: unknown oid 'hw.nope'\n", code=1)
        self.said("sysctl -n machdep.cpu.brand_string hw.model", out="Apple M3 Ultra\nMac15,14\n", host="mac-two")
        self.assertRegex(self.out("sysctl kern.boottime"),
                         r"^kern\.boottime: \{ sec = \d+, usec = \d+ \} \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\n$")
        self.assertRegex(self.out("sysctl vm.swapusage"),
                         r"^vm\.swapusage: total = \d+\.\d\dM  used = \d+\.\d\dM  free = \d+\.\d\dM  \(encrypted\)\n$")
        self.said("sysctl iogpu.wired_limit_mb=9000", user="ops", code=1,
                  err="sysctl: iogpu.wired_limit_mb=9000: Operation not permitted\n")
        self.said("sysctl iogpu.wired_limit_mb=9000; sysctl -n iogpu.wired_limit_mb",
                  out="iogpu.wired_limit_mb: 0 -> 9000\n9000\n")

    def test_releases(self):
        self.said("sw_vers", out="ProductName:\t\tmacOS\nProductVersion:\t\t15.6.1\nBuildVersion:\t\t24G90\n")
        self.said("sw_vers -productVersion", out="26.1\n", host="mac-three")
        self.said("uname; uname -m; uname -r", out="Darwin\narm64\n24.6.0\n")
        self.said("hostname; hostname -s", out="mac-one.local\nmac-one\n")
        self.assertRegex(self.out("uptime"), r"^ ?\d+:\d\d  up 3 days, .*, \d+ users?, load averages: [\d.]+ [\d.]+ [\d.]+\n$")

    def test_ps(self):
        rows = self.out("ps -axww -o pid=,ppid=,user=,rss=,etime=,command=").splitlines()
        self.assertRegex(rows[0], r"^ +1 +0 root +\d+ +[\d:-]+ /sbin/launchd$")
        self.assertFalse(any("lab-tools" in row or "python" in row for row in rows), rows)
        long = "x" * 200
        self.assertTrue(all(len(row) <= 79 for row in self.out(f": {long}; ps -ax; :").splitlines()))
        self.assertIn(long, self.out(f": {long}; ps -axww -o command; :"))
        self.assertEqual(self.run_on("ps -o nlwp").returncode, 1)

    def test_network(self):
        self.assertRegex(self.out("lsof -nP -iTCP:22 -sTCP:LISTEN -Fpcn"), r"^p\d+\ncsshd\n(f\d+\n)?n\*:22\n")
        self.assertEqual(self.run_on("lsof -nP -iTCP:1 -sTCP:LISTEN").returncode, 1)
        self.assertRegex(self.out("netstat -anv -p tcp"), r"tcp4 +0 +0  \*\.22 +\*\.\* +LISTEN")

    def test_power_and_privileges(self):
        self.said("pmset -a sleep 0", out="'pmset' must be run as root...\n", code=1, user="ops")
        self.said("powermetrics -n 1", err="powermetrics must be invoked as the superuser\n", code=1, user="ops")
        self.said("systemsetup -getremotelogin", out="You need administrator access to run this tool... exiting!\n", user="ops")
        self.assertIn(" autorestart          1\n", self.out("pmset -g"))
        self.said("pmset -a autorestart 0")
        self.assertIn(" autorestart          0\n", self.out("pmset -g"))
        self.said("notifyutil -g com.apple.system.thermalpressurelevel", out="com.apple.system.thermalpressurelevel 0\n")
        self.said("pmset -a autorestart 1; fdesetup status", out="FileVault is Off.\n")
        self.assertIn("Processing /etc/newsyslog.conf", self.out("newsyslog -nv"))

    def test_accounts(self):
        self.said("id -u; id -gn; id -un", out="501\nstaff\nops\n", user="ops")
        self.said("dscl . -read /Users/ops UniqueID UserShell", out="UniqueID: 501\nUserShell: /bin/zsh\n")
        self.assertEqual(self.run_on("dscl . -read /Users/nosuch").returncode, 56)

    def test_tailscale(self):
        command = "/opt/homebrew/bin/tailscale"
        document = json.loads(self.out(f"{command} status --json"))
        self.assertEqual(document["Self"]["DNSName"], "mac-one.lab.ts.net.")
        self.assertEqual(len(document["Peer"]), 3)
        self.said(f"{command} ip -4", out="100.64.0.11\n")
        self.fault("override", "tailscale_state=Stopped")
        self.said(f"{command} status", out="Tailscale is stopped.\n", code=1)
        self.assertEqual(json.loads(self.out(f"{command} status --json"))["BackendState"], "Stopped")
        self.fault("override", "tailscale_state=down")
        self.said(f"{command} status --json", code=1,
                  err="failed to connect to local tailscaled; it doesn't appear to be running\n")

    def test_awk_and_sh(self):
        self.assertEqual(self.out("awk -version 2>&1 | cut -c1-11"), "awk version\n"[:11] + "\n")
        self.assertIn("mawk", self.run_on("awk -W version", host="mac-two").stdout)
        self.assertEqual(self.out("echo ${BASH_VERSION:+bash}"), "bash\n")
        self.assertEqual(self.out("echo ${BASH_VERSION:+bash}", host="mac-two"), "\n")


class Memory(Case):
    """Counters that obey the invariants of real captures."""

    def counters(self):
        return {match[1]: int(match[2]) for match in re.finditer(r'"?([\w -]+)"?: +(\d+)\.', self.out("vm_stat", user="ops"))}

    def check_invariants(self):
        pages = self.counters()
        queues = pages["Pages active"] + pages["Pages inactive"] + pages["Pages speculative"]
        self.assertEqual(pages["File-backed pages"] + pages["Anonymous pages"], queues + pages["Pages throttled"])
        used = queues + pages["Pages free"] + pages["Pages wired down"] + pages["Pages occupied by compressor"]
        self.assertLess(used, 17179869184 // 16384)
        self.assertGreaterEqual(pages["Pages stored in compressor"], pages["Pages occupied by compressor"])
        self.assertTrue(all(value >= 0 for value in pages.values()))
        level = (queues + pages["Pages free"]) * 100 // 1048576
        self.said("memory_pressure -Q", out=(
            "The system has 17179869184 (1048576 pages with a page size of 16384).\n"
            f"System-wide memory free percentage: {level}%\n"))
        self.said("sysctl -n kern.memorystatus_level", out=f"{level}\n")
        return pages

    def test_wired_follows_what_engines_hold(self):
        idle = self.check_invariants()
        self.fault("wired", str(3 << 30))
        loaded = self.check_invariants()
        self.assertEqual(loaded["Pages wired down"] - idle["Pages wired down"], (3 << 30) // 16384)
        self.assertEqual(idle["Pages free"] - loaded["Pages free"], (3 << 30) // 16384)
        self.said("sysctl -n kern.memorystatus_vm_pressure_level", out="1\n")

    def test_pressure_and_the_gpu_limit(self):
        self.fault("wired", "11700000000")
        self.check_invariants()
        self.said("sysctl -n kern.memorystatus_vm_pressure_level", out="2\n")
        self.fault("wired", str(60 << 30))
        full = self.check_invariants()
        self.said("sysctl -n kern.memorystatus_vm_pressure_level", out="4\n")
        self.out("sysctl iogpu.wired_limit_mb=4096")
        self.addCleanup(self.run_on, "sysctl iogpu.wired_limit_mb=0")
        capped = self.check_invariants()
        self.assertLess(capped["Pages wired down"], full["Pages wired down"])
        self.fault("override", "pressure_level=3")
        self.said("sysctl -n kern.memorystatus_vm_pressure_level", out="3\n")

    def test_footprint_counts_what_rss_does_not(self):
        self.out("echo '{\"bytes\": 2000000000, \"pid\": 1}' > /var/lab/wired/x.json")
        self.addCleanup(self.run_on, "rm /var/lab/wired/x.json")
        text = self.out("footprint -p 1 -f bytes --noCategories")
        self.assertGreater(int(re.search(r"phys_footprint: (\d+) B", text)[1]), 2000000000)
        self.said("footprint -p 1", user="ops", code=1,
                  err="footprint: Unable to analyze process with pid 1 (try as root?)\n")


class Clock(Case):
    """The host's clock moves alone."""

    def test_clock(self):
        self.addCleanup(ask, "clock", self.host, "--offset", "0")
        ask("clock", self.host, "--set", "2030-06-01T12:00:00")
        self.assertTrue(self.out("date").startswith("Sat Jun  1 12:00:"))
        self.assertIn(" 2030\n", self.out("sysctl kern.boottime"))
