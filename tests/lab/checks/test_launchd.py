"""launchd and launchctl: exit codes and texts, supervision, boot."""

import resource

from .lab import JobCase, ask

_FOREVER = "exec sleep 1000"
_STUBBORN = "trap '' TERM; while :; do sleep 1; done"


class Bootstrap(JobCase):
    """What bootstrap refuses, and how it says so."""

    def refused(self, path, number, text, extra=""):
        self.said(f"launchctl bootstrap system {path}", err=f"{extra}Bootstrap failed: {number}: {text}\n", code=number)

    def test_ownership_and_modes(self):
        text = "Path had bad ownership/permissions"
        self.refused(self.install("t.owner", _FOREVER, owner="ops:staff"), 122, text)
        self.refused(self.install("t.mode", _FOREVER, mode="664"), 122, text)
        self.knob(bootstrap_collapse_to_5=True)
        self.refused(self.install("t.mode", _FOREVER, mode="666"), 5, "Input/output error")

    def test_broken_definitions(self):
        self.refused("/Library/LaunchDaemons/absent.plist", 5, "Input/output error")
        path = self.install("t.json", _FOREVER)
        self.write(path, '{"Label": "t.json", "Program": "/usr/bin/true"}')
        self.refused(path, 109, "Invalid property list", f"{path}: Invalid property list\n")
        self.refused(self.install("t.empty"), 111, "Invalid or missing Program/ProgramArguments")
        self.refused(self.install("t.user", _FOREVER, UserName="nosuch"), 114, "The specified username does not exist")
        self.refused(self.install("t.group", _FOREVER, GroupName="nosuch"), 115, "The specified group does not exist")
        self.refused(self.install("t.session", _FOREVER, LimitLoadToSessionType="Aqua"), 134,
                     "Service cannot load in requested session")

    def test_disabled_label(self):
        path = self.install("t.disabled", _FOREVER)
        self.said("launchctl disable system/t.disabled")
        self.refused(path, 119, "Service is disabled")
        self.assertIn('\t\t"t.disabled" => disabled\n', self.out("launchctl print-disabled system"))
        self.knob(disabled_style="bool")
        self.assertIn('\t\t"t.disabled" => true\n', self.out("launchctl print-disabled system"))
        self.said(f"launchctl enable system/t.disabled; launchctl bootstrap system {path}")

    def test_loaded_twice(self):
        path = self.load("t.twice", _FOREVER)
        text = "Operation already in progress"
        self.refused(path, 37, text, f"{path}: service already bootstrapped\n")

    def test_needs_root(self):
        path = self.install("t.root", _FOREVER)
        self.said(
            f"launchctl bootstrap system {path}", user="ops", code=5,
            err="Bootstrap failed: 5: Input/output error\nTry re-running the command as root for richer errors.\n",
        )

    def test_legacy_verbs_never_fail(self):
        self.said("launchctl load /Library/LaunchDaemons/absent.plist", err=(
            "Load failed: 5: Input/output error\nTry running `launchctl bootstrap` as root for richer errors.\n"))
        self.said("launchctl remove nosuch")


class Bootout(JobCase):
    """bootout, and the window in which the label is still there."""

    def test_not_loaded(self):
        self.said("launchctl bootout system/nosuch", err="Boot-out failed: 3: No such process\n", code=3)

    def test_label_stays_until_the_process_is_reaped(self):
        path = self.load("t.slow", _STUBBORN, RunAtLoad=True, ExitTimeOut=1)
        self.until_field("t.slow", "state", "running")
        self.said("launchctl bootout system/t.slow")
        self.assertEqual(self.field("t.slow", "state"), "SIGTERMed")
        self.assertEqual(self.run_on(f"launchctl bootstrap system {path}").returncode, 37)
        self.until(lambda: self.run_on("launchctl print system/t.slow").returncode == 113, "removal after SIGKILL")
        self.said(f"launchctl bootstrap system {path}")

    def test_delay_and_36(self):
        self.knob(bootout_delay_ms=700, bootout_36=True)
        self.load("t.delay", _FOREVER, RunAtLoad=True)
        self.said("launchctl bootout system/t.delay", err="Boot-out failed: 36: Operation now in progress\n", code=36)
        self.assertEqual(self.run_on("launchctl print system/t.delay").returncode, 0)
        self.until(lambda: self.run_on("launchctl print system/t.delay").returncode == 113, "removal")

    def test_kills_the_group(self):
        self.load("t.group2", "sleep 1234 & exec sleep 1235", RunAtLoad=True)
        self.until(lambda: self.run_on("pgrep -f 'sleep 1234'").stdout, "the child")
        self.said("launchctl bootout system/t.group2")
        self.until(lambda: not self.run_on("pgrep -x sleep -f 'sleep 123'").stdout, "the end of the group")

    def test_abandons_the_group(self):
        self.load("t.abandon", "sleep 4321 & exec sleep 4322", RunAtLoad=True, AbandonProcessGroup=True)
        self.until(lambda: self.run_on("pgrep -f 'sleep 4321'").stdout, "the child")
        self.run_on("launchctl bootout system/t.abandon")
        self.until(lambda: self.run_on("launchctl print system/t.abandon").returncode == 113, "removal")
        self.assertNotEqual(self.run_on("pgrep -f 'sleep 4321'").stdout, "")
        self.run_on("pkill -f 'sleep 4321'")


class Kickstart(JobCase):
    """kickstart and kill."""

    def test_kickstart(self):
        self.load("t.kick", _FOREVER)
        self.assertEqual(self.field("t.kick", "state"), "not running")
        first = self.out("launchctl kickstart -p system/t.kick").strip()
        self.assertTrue(first.isdigit())
        self.said("launchctl kickstart system/t.kick", code=37)
        second = self.out("launchctl kickstart -kp system/t.kick").strip()
        self.assertNotEqual(first, second)
        self.said("launchctl kickstart system/nosuch", code=113,
                  err='Could not find service "nosuch" in domain for system\n')
        self.said("launchctl kickstart system/t.kick", user="ops", code=1,
                  err='Could not kickstart service "t.kick": 1: Operation not permitted\n')

    def test_kill(self):
        self.load("t.kill", _FOREVER)
        self.said("launchctl kill SIGTERM system/t.kill", err="No process to signal.\n", code=3)
        self.run_on("launchctl kickstart system/t.kill")
        self.said("launchctl kill KILL system/t.kill", user="ops", err="Not privileged to signal service.\n", code=1)
        self.said("launchctl kill 9 system/t.kill")
        self.until_field("t.kill", "last terminating signal", "Killed: 9")
        self.assertIsNone(self.field("t.kill", "last exit code"))
        self.assertIn("-\t-9\tt.kill\n", self.out("launchctl list"))

    def test_reuses_the_loaded_definition(self):
        path = self.load("t.old", "exec sleep 777", RunAtLoad=True)
        self.run_on(f"sed -i '' 's/777/888/' {path}")
        self.run_on("launchctl kickstart -k system/t.old")
        self.until(lambda: self.run_on("pgrep -f 'sleep 777'").stdout, "the old definition's process")


class Supervision(JobCase):
    """Why and when jobs start again, and what they get."""

    def test_throttle_and_crashes(self):
        self.knob(time_scale=0.03)
        self.load("t.crash", "exit 1", KeepAlive=True)
        self.until(lambda: (self.field("t.crash", "successive crashes") or "0") >= "3", "three crashes")
        self.assertEqual(self.field("t.crash", "last exit code"), "1")
        self.assertEqual(self.field("t.crash", "minimum runtime"), "10")
        self.knob(time_scale=1)
        self.until_field("t.crash", "state", "spawn scheduled")
        self.assertIsNone(self.field("t.crash", "pid"))

    def test_keep_alive_rules(self):
        self.knob(time_scale=0.01)
        self.load("t.ok", "exit 0", KeepAlive={"SuccessfulExit": False})
        self.until_field("t.ok", "last exit code", "0")
        self.assertEqual((self.field("t.ok", "state"), self.field("t.ok", "runs")), ("not running", "1"))
        self.load("t.bad", "exit 3", KeepAlive={"SuccessfulExit": False, "Crashed": True})
        self.until(lambda: int(self.field("t.bad", "runs")) > 2, "restarts after exit 3")
        self.load("t.segv", "kill -SEGV $$", RunAtLoad=True, KeepAlive={"Crashed": True})
        self.until(lambda: int(self.field("t.segv", "runs")) > 2, "restarts after a crash")
        self.assertEqual(self.field("t.segv", "last terminating signal"), "Segmentation fault: 11")
        self.load("t.path", _FOREVER, KeepAlive={"PathState": {"/tmp/wanted": True}})
        self.assertEqual(self.field("t.path", "runs"), "0")
        self.run_on("touch /tmp/wanted")
        self.until_field("t.path", "state", "running")

    def test_exit_78(self):
        failing = {
            "t.dir": {"UserName": "ops", "StandardOutPath": "/Library/Logs/none/deep/x.log"},
            "t.wd": {"WorkingDirectory": "/nowhere"},
            "t.isdir": {"StandardErrorPath": "/Library/Logs"},
            "t.rootdir": {"UserName": "ops", "StandardOutPath": "/Library/Logs/ops.log"},
        }
        for label, keys in failing.items():
            self.load(label, "exit 0", RunAtLoad=True, **keys)
            self.until_field(label, "last exit code", "78: EX_CONFIG")
            self.assertEqual(self.field(label, "job state"), "spawn failed")
        self.assertEqual(self.out("stat -f '%Su:%Sg %Lp' /Library/Logs/none/deep"), "root:wheel 744\n")
        path = self.install("t.program", Program="/nowhere/engine", RunAtLoad=True)
        self.said(f"launchctl bootstrap system {path}")
        self.until_field("t.program", "last exit code", "78: EX_CONFIG")

    def test_what_a_job_gets(self):
        script = "exec > /tmp/job.out; env | sort; umask; ulimit -n; id -un; id -Gn; pwd"
        self.load("t.env", script, RunAtLoad=True, UserName="ops", Umask=63, EnvironmentVariables={"A": "b", "PORT": 8},
                  SoftResourceLimits={"NumberOfFiles": 65536}, WorkingDirectory="/Users/ops")
        self.until_field("t.env", "last exit code", "0")
        # Where the sandbox does not let root raise the hard limit, as much as there is.
        files = str(min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        lines = [line for line in self.out("cat /tmp/job.out").splitlines() if not line.startswith(("_=", "SHLVL="))]
        self.assertEqual(lines, [
            "A=b", "OSLogRateLimit=64", "PATH=/usr/bin:/bin:/usr/sbin:/sbin", "PWD=/Users/ops", "XPC_FLAGS=0x0",
            "XPC_SERVICE_NAME=t.env", "0077", files, "ops", "staff everyone admin com.apple.access_ssh", "/Users/ops",
        ])

    def test_log_files_belong_to_the_user(self):
        self.run_on("install -d -o ops -g staff -m 0755 /Library/Logs/mine")
        self.load("t.log", "echo one; echo two >&2", RunAtLoad=True, UserName="ops",
                  StandardOutPath="/Library/Logs/mine/x.log", StandardErrorPath="/Library/Logs/mine/x.log")
        self.until_field("t.log", "last exit code", "0")
        self.assertEqual(self.out("cat /Library/Logs/mine/x.log"), "one\ntwo\n")
        self.assertEqual(self.out("stat -f '%Su:%Sg %Lp' /Library/Logs/mine/x.log"), "ops:staff 644\n")

    def test_pended_until_kickstart(self):
        self.knob(pended=True)
        self.load("t.pended", _FOREVER, RunAtLoad=True)
        self.assertEqual(self.field("t.pended", "pended nondemand spawn"), "speculative")
        self.assertEqual(self.field("t.pended", "runs"), "0")
        self.said("launchctl kickstart system/t.pended")
        self.until_field("t.pended", "state", "running")

    def test_calendar_follows_the_hosts_clock(self):
        self.addCleanup(ask, "clock", self.host, "--offset", "0")
        ask("clock", self.host, "--set", "2027-03-01T01:14:59")
        self.load("t.calendar", "date > /tmp/fired", StartCalendarInterval=[{"Hour": 1, "Minute": 15}, {"Hour": 4, "Minute": 0}])
        self.until_field("t.calendar", "last exit code", "0")
        self.assertIn("Mon Mar  1 01:15:0", self.out("cat /tmp/fired"))
        self.assertEqual(self.field("t.calendar", "runs"), "1")
        text = self.out("launchctl print system/t.calendar")
        self.assertIn('\t\t\tdescriptor = {\n\t\t\t\t"Hour" => 1\n\t\t\t\t"Minute" => 15\n\t\t\t}\n', text)

    def test_only_once_and_interval(self):
        self.knob(time_scale=0.05)
        self.load("t.once", "exit 0", RunAtLoad=True, LaunchOnlyOnce=True)
        self.until_field("t.once", "last exit code", "0")
        self.run_on("launchctl kickstart system/t.once")
        self.assertEqual(self.field("t.once", "runs"), "1")
        self.load("t.interval", "exit 0", StartInterval=2)
        self.until(lambda: int(self.field("t.interval", "runs")) > 1, "two interval starts")
        self.assertEqual(self.field("t.interval", "run interval"), "2 seconds")


class Report(JobCase):
    """The texts."""

    def test_print_of_a_running_daemon(self):
        self.run_on("install -d -o ops -g staff -m 0755 /Library/Logs/report")
        program = ["/bin/sleep", "1000"]
        keys = {
            "ProgramArguments": program, "UserName": "ops", "WorkingDirectory": "/Users/ops", "RunAtLoad": True,
            "KeepAlive": True, "ExitTimeOut": 30, "ProcessType": "Interactive", "EnvironmentVariables": {"HOME": "/Users/ops"},
            "SoftResourceLimits": {"NumberOfFiles": 65536}, "StandardOutPath": "/Library/Logs/report/o.log",
            "StandardErrorPath": "/Library/Logs/report/e.log",
        }
        self.said(f"launchctl bootstrap system {self.install('t.report', **keys)}")
        self.until_field("t.report", "state", "running")
        pid = self.field("t.report", "pid")
        self.said("launchctl print system/t.report", out=_REPORT.replace("PID", pid))

    def test_unknown_service_and_domain(self):
        self.said("launchctl print system/nosuch", code=113,
                  err='Bad request.\nCould not find service "nosuch" in domain for system\n')
        self.said("launchctl print gui/501", err="Could not find domain for user gui: 501\n", code=112)
        self.assertEqual(self.run_on("launchctl print nosuch").returncode, 64)
        self.assertEqual(self.run_on("launchctl enable nosuch").returncode, 64)
        self.said("launchctl frobnicate", err="Unrecognized subcommand: frobnicate\n", code=1)

    def test_list(self):
        self.load("t.list", "exit 78", RunAtLoad=True)
        self.until_field("t.list", "last exit code", "78: EX_CONFIG")
        self.assertTrue(self.out("launchctl list").startswith("PID\tStatus\tLabel\n"))
        self.assertIn("-\t78\tt.list\n", self.out("launchctl list"))
        self.assertIn('\t"LastExitStatus" = 19968;\n', self.out("launchctl list t.list"))
        self.said("launchctl list", out="PID\tStatus\tLabel\n", user="ops")
        self.said("launchctl list t.list", user="ops", code=113,
                  err='Could not find service "t.list" in domain for port\n')

    def test_small_verbs(self):
        self.said("launchctl managername", out="Background\n", user="ops")
        self.said("launchctl managername", out="System\n")
        self.said("launchctl error 113", out="113: Could not find specified service\n")
        self.assertIn("Darwin Bootstrapper Version", self.out("launchctl version"))

    def test_print_disabled_begins_with_a_blank_line(self):
        self.assertTrue(self.out("launchctl print-disabled system").startswith("\n\tdisabled services = {\n"))


class Injected(JobCase):
    """launchctl answers what a test wants, so many times."""

    def test_injection(self):
        path = self.install("t.inject", _FOREVER)
        self.fault("launchctl", "bootstrap", "5", "2")
        for _ in range(2):
            self.assertEqual(self.run_on(f"launchctl bootstrap system {path}").returncode, 5)
        self.said(f"launchctl bootstrap system {path}")


class Boot(JobCase):
    """What a boot loads, and what stays."""

    host = "mac-three"

    def test_boot(self):
        good = self.install("t.good", _FOREVER, RunAtLoad=True)
        self.install("t.off", _FOREVER, RunAtLoad=True)
        self.install("t.loose", _FOREVER, RunAtLoad=True, mode="666")
        self.install("t.late", _FOREVER)
        self.run_on(f"mv {good} /usr/local/etc/link.plist; sed 's/t.good/t.link/' /usr/local/etc/link.plist > {good}")
        self.run_on("mv /Library/LaunchDaemons/t.good.plist /usr/local/etc/real.plist;"
                    "ln -s /usr/local/etc/real.plist /Library/LaunchDaemons/t.link.plist;"
                    "cp /usr/local/etc/link.plist /Library/LaunchDaemons/t.good.plist;"
                    "launchctl disable system/t.off; touch /tmp/gone; sysctl iogpu.wired_limit_mb=9000")
        before = self.out("sysctl -n kern.bootsessionuuid")
        ask("reboot", self.host)
        loaded = self.out("launchctl list")
        self.assertIn("\tt.good\n", loaded)
        self.assertIn("-\t0\tt.late\n", loaded)
        for label in ("t.off", "t.loose", "t.link"):
            self.assertNotIn(label, loaded)
        self.said("ls -A /tmp")
        self.assertEqual(self.out("sysctl iogpu.wired_limit_mb"), "iogpu.wired_limit_mb: 0\n")
        self.assertNotEqual(self.out("sysctl -n kern.bootsessionuuid"), before)
        self.assertEqual(self.ssh("true").returncode, 0)
        self.run_on("rm /Library/LaunchDaemons/t.link.plist")

    def test_gui_domain_on_26(self):
        self.knob(print_flavour=26)
        self.assertEqual(self.run_on("launchctl print gui/501").returncode, 125)
        self.knob(gui_logins=[501])
        self.assertEqual(self.run_on("launchctl print gui/501").returncode, 0)


_REPORT = """\
system/t.report = {
	active count = 1
	path = /Library/LaunchDaemons/t.report.plist
	type = LaunchDaemon
	state = running

	program = /bin/sleep
	arguments = {
		/bin/sleep
		1000
	}

	working directory = /Users/ops

	stdout path = /Library/Logs/report/o.log
	stderr path = /Library/Logs/report/e.log
	default environment = {
		PATH => /usr/bin:/bin:/usr/sbin:/sbin
	}

	environment = {
		OSLogRateLimit => 64
		HOME => /Users/ops
		XPC_SERVICE_NAME => t.report
	}

	domain = system
	username = ops
	minimum runtime = 10
	exit timeout = 30
	runs = 1
	pid = PID
	immediate reason = speculative
	forks = 0
	execs = 1
	initialized = 1
	trampolined = 1
	started suspended = 0
	proxy started suspended = 0
	checked allocations = 0 (queried = 1)
	checked allocations reason = no host
	checked allocations flags = 0x0
	last exit code = (never exited)

	semaphores = {
		successful exit => 0
	}

	resource coalition = {
		ID = 2210
		type = resource
		state = active
		active count = 1
		name = t.report
	}

	jetsam coalition = {
		ID = 2211
		type = jetsam
		state = active
		active count = 1
		name = t.report
	}

	resource limits = {
		maxfiles (soft) => 65536
	}

	spawn type = interactive (4)
	jetsam priority = 40
	jetsam memory limit (active) = (unlimited)
	jetsam memory limit (inactive) = (unlimited)
	jetsamproperties category = daemon
	submitted job. ignore execute allowed
	jetsam thread limit = 32
	cpumon = default
	job state = running
	probabilistic guard malloc policy = {
		activation rate = 1/1000
		sample rate = 1/0
	}

	properties = keepalive | runatload | inferred program
}
"""
