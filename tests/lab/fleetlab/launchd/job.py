"""One loaded service: its process, why it starts, when it may start again, and how it leaves.

Time comes in as an argument: `now` is monotonic seconds, `host_now` the host's wall clock. Effects are fork, kill and
the host's files; the event loop calls `tick`, `exited` and the requests.
"""

import contextlib
import os
import signal

from . import calendar, spawn
from .definition import Definition

NOT_RUNNING = "not running"
SCHEDULED = "spawn scheduled"
RUNNING = "running"
TERMED = "SIGTERMed"
KILLED = "SIGKILLed"

_CRASH_SIGNALS = {3, 4, 5, 6, 7, 8, 10, 11, 12}  # Darwin: QUIT ILL TRAP ABRT EMT FPE BUS SEGV SYS
_MAX_BACKOFF = 1200
FOREVER = float("inf")


class Job:
    """A service of a domain."""

    def __init__(self, definition: Definition, domain, knobs, log, owner_uid=0):
        self.definition = definition
        self.domain = domain
        self.knobs = knobs
        self.log = log
        self.owner_uid = owner_uid
        self.pid = None
        self.failure = None
        self.state = NOT_RUNNING
        self.runs = 0
        self.exit_code = None
        self.signal_number = None
        self.spawn_failed = False
        self.ever_exited = False
        self.crashes = 0
        self.reason = None
        self.pended = None
        self.spawned_at = None
        self.start_at = None
        self.kill_at = None
        self.remove_at = None
        self.removing = False
        self.restart_wanted = False
        self.calendar_at = None
        self.interval_at = None
        self._crash_at = None
        self.waiting_for_spawn = []

    # --- what the definition asks for

    @property
    def label(self):
        return self.definition.label

    def wants_start_at_load(self):
        """RunAtLoad, or a KeepAlive that implies it."""
        keep = self.definition.keep_alive
        if self.definition.run_at_load or keep is True:
            return True
        if isinstance(keep, dict):
            return "SuccessfulExit" in keep or self._path_or_job_demands(keep)
        return False

    def _path_or_job_demands(self, keep):
        paths = keep.get("PathState")
        if isinstance(paths, dict) and any(os.path.exists(path) is wanted for path, wanted in paths.items()):
            return True
        others = keep.get("OtherJobEnabled")
        return isinstance(others, dict) and any(
            self.domain.is_loaded(label) is wanted for label, wanted in others.items()
        )

    def wants_restart(self):
        """Says whether KeepAlive, its rules OR-ed, starts the job again after its last exit."""
        keep = self.definition.keep_alive
        if keep is True:
            return True
        if not isinstance(keep, dict):
            return False
        success = keep.get("SuccessfulExit")
        if success is not None and success is (self.exit_code == 0):
            return True
        crashed = keep.get("Crashed")
        if crashed is not None and crashed is (self.signal_number in _CRASH_SIGNALS):
            return True
        return self._path_or_job_demands(keep)

    def minimum_runtime(self):
        """Seconds between two spawns: ThrottleInterval, doubled with each further crash where back-off is on."""
        base = self.definition.throttle
        if self.knobs["backoff"] and self.crashes > 1:
            return min(_MAX_BACKOFF, base * 2 ** min(self.crashes - 1, 10))
        return base

    # --- starting

    def loaded(self, now, host_now):
        """Plans the first start and the timers."""
        self.plan_timers(now, host_now)
        if self.wants_start_at_load():
            if self.knobs["pended"]:
                self.pended = "speculative"
                self.state = NOT_RUNNING
                return
            self.request_start(now, "speculative")

    def plan_timers(self, now, host_now):
        """(Re)computes calendar and interval starts from now on, as after a load or a change of the clock."""
        if self.definition.calendar:
            self.calendar_at = calendar.next_fire(self.definition.calendar, host_now)
        if self.definition.interval:
            self.interval_at = now + self.definition.interval * self.knobs["time_scale"]

    def request_start(self, now, reason, ignore_throttle=False):
        """Starts the job as soon as the throttle lets it."""
        if self.pid is not None or self.removing or (self.definition.only_once and self.runs):
            return
        self.reason = reason
        earliest = now
        if self.spawned_at is not None and not ignore_throttle:
            earliest = self.spawned_at + self.minimum_runtime() * self.knobs["time_scale"]
        self.start_at = max(now, earliest)
        self.state = SCHEDULED
        if self.start_at <= now:
            self._spawn(now)

    def _spawn(self, now):
        self.start_at = None
        self.pended = None
        self.spawn_failed = False
        self.failure = None
        self.runs += 1
        self.spawned_at = now
        self.pid, self.failure_pipe = spawn.spawn(self.definition, self.owner_uid)
        os.set_blocking(self.failure_pipe, False)
        self.state = RUNNING
        delay = self.knobs["crash_after_ms"].get(self.label)
        self._crash_at = None if delay is None else now + delay / 1000
        self.log(f"{self.domain.name}/{self.label} [{self.pid}]: Successfully spawned "
                 f"{os.path.basename(self.definition.program)}[{self.pid}] because {self.reason}")
        for answer in self.waiting_for_spawn:
            answer(self.pid)
        self.waiting_for_spawn = []

    # --- time passing

    def deadline(self, now, host_now):
        """Monotonic time at which `tick` has something to do."""
        times = [self.start_at, self.kill_at, self.interval_at, self.remove_at, self._crash_at]
        if self.calendar_at is not None:
            times.append(now + max(0.0, self.calendar_at - host_now))
        if self.pid is None and isinstance(self.definition.keep_alive, dict):
            times.append(now + 0.25)  # PathState and OtherJobEnabled have no event here
        return min((time for time in times if time is not None), default=FOREVER)

    def tick(self, now, host_now):
        """Does what is due."""
        if self._crash_at is not None and self._crash_at <= now:
            self._crash_at = None
            self._signal(signal.SIGSEGV)
        if self.kill_at is not None and self.kill_at <= now:
            self.kill_at = None
            if self.pid is not None:
                self.state = KILLED
                self.log(f"{self.domain.name}/{self.label} [{self.pid}]: exit timed out, sending SIGKILL")
                self._signal(signal.SIGKILL)
        if self.interval_at is not None and self.interval_at <= now:
            step = max(0.05, self.definition.interval * self.knobs["time_scale"])
            self.interval_at = now + step
            self.request_start(now, "interval fired")
        if self.calendar_at is not None and self.calendar_at <= host_now:
            self.calendar_at = calendar.next_fire(self.definition.calendar, host_now)
            self.request_start(now, "calendar interval fired")
        if self.start_at is not None and self.start_at <= now:
            self._spawn(now)
        elif (
            self.pid is None and self.start_at is None and not self.removing and self.pended is None
            and isinstance(self.definition.keep_alive, dict)
            and self._path_or_job_demands(self.definition.keep_alive)
        ):
            self.request_start(now, "path state")

    # --- ending

    def exited(self, status, now):
        """Takes the wait status of the main process and decides what follows."""
        pid, self.pid = self.pid, None
        self.kill_at = self._crash_at = None
        self.ever_exited = True
        self.exit_code, self.signal_number = spawn.describe_status(status)
        self._read_failure()
        if not self.definition.abandon_group:
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
        how = f"exit({self.exit_code})" if self.signal_number is None else f"signal {self.signal_number}"
        self.log(f"{self.domain.name}/{self.label} [{pid}]: exited due to {how}")
        short = now - self.spawned_at < self.definition.throttle * self.knobs["time_scale"]
        failed = self.exit_code != 0
        self.crashes = self.crashes + 1 if failed and short and not self.removing else 0
        self.state = NOT_RUNNING
        if self.removing:
            self.remove_at = now + self.knobs["bootout_delay_ms"] / 1000
        elif self.restart_wanted:
            self.restart_wanted = False
            self.request_start(now, "kickstart", ignore_throttle=True)
        elif self.wants_restart():
            self.request_start(now, "inefficient")

    def _read_failure(self):
        try:
            text = os.read(self.failure_pipe, 4096).decode(errors="replace")
        except BlockingIOError:
            text = ""
        os.close(self.failure_pipe)
        if text:
            self.spawn_failed = True
            self.failure = text
            self.log(f"{self.domain.name}/{self.label}: could not be spawned: {text}")

    def _signal(self, number):
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def stop(self, now):
        """Sends SIGTERM now and SIGKILL after ExitTimeOut (0 waits for ever)."""
        if self.pid is None or self.state in (TERMED, KILLED):
            return
        self.state = TERMED
        self.log(f"{self.domain.name}/{self.label} [{self.pid}]: signaled service: Terminated: 15")
        if self.definition.exit_timeout:
            self.kill_at = now + self.definition.exit_timeout * self.knobs["time_scale"]
        self._signal(signal.SIGTERM)

    def remove(self, now):
        """Begins a bootout: the label stays until the process is reaped."""
        self.removing = True
        self.restart_wanted = False
        for answer in self.waiting_for_spawn:
            answer(None)
        self.waiting_for_spawn = []
        self.start_at = self.calendar_at = self.interval_at = None
        if self.pid is None:
            self.remove_at = now + self.knobs["bootout_delay_ms"] / 1000
        else:
            self.stop(now)

    def gone(self, now):
        """Says whether the bootout is complete."""
        return self.removing and self.pid is None and self.remove_at is not None and self.remove_at <= now

    def restart(self, now):
        """kickstart -k: stops the process if there is one, then starts the loaded definition."""
        if self.pid is None:
            self.request_start(now, "kickstart", ignore_throttle=True)
        else:
            self.restart_wanted = True
            self.stop(now)

    def send(self, number):
        """Sends a signal to the main process."""
        self._signal(number)
