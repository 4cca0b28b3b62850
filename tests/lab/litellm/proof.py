"""The gateway's proof: an application keeps asking for slots while machines are cut and restored under it.

Four lab hosts with real oMLX servers, LiteLLM on the studio as the daemon that `apply` installs. For each scenario: what the application saw, which
machines LiteLLM chose, and whether they are of the rank that `fleetctl resolve` names at that moment. scripts/gateway-proof runs it.
"""

import collections
import json
import math
import os
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
FLEET = REPOSITORY / "tests/lab/fleets/gateway.toml"
HOSTS = REPOSITORY / "tests/lab/fleets/gateway-hosts.toml"
LAB = REPOSITORY / "scripts/lab"
FLEETCTL = pathlib.Path(os.environ.get("FLEETCTL") or REPOSITORY / "target/debug/fleetctl")
TIMEOUT = 9  # seconds: the slots' timeout in FLEET
COOLDOWN = 30  # seconds: LiteLLM leaves a machine that failed alone that long
KEYS = {"FLEET_OMLX_API_KEY": "proof-omlx-key", "FLEET_GATEWAY_API_KEY": "sk-proof-gateway-key"}


class Failed(Exception):
    """What was promised does not hold."""


def run(*words, check=True, within=900):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=within, env={**os.environ, **KEYS}, check=False)
    if check and done.returncode:
        raise Failed(f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done


class Application:
    """client.py on the laptop, kept running."""

    def __init__(self, lab):
        python = run(REPOSITORY / "tests/lab/litellm/setup").stdout.strip() + "/bin/python3"
        command = [str(LAB), "laptop", lab, "--", python, str(REPOSITORY / "tests/lab/litellm/client.py"), "http://mac-studio1.lab.ts.net:4000/v1"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **KEYS})
        self.answers = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.answers.put(json.loads(line))

    def begin(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def end(self, within=900):
        return self.answers.get(timeout=within)

    def ask(self, slot, count=1, parallel=1):
        self.begin(slot=slot, count=count, parallel=parallel)
        return self.end()


class Proof:
    def __init__(self, lab):
        self.lab = lab
        self.rows = []
        self.failures = []
        self.application = None

    # --- the lab

    def fleetctl(self, *words, fleet=FLEET, check=True):
        return run(LAB, "laptop", self.lab, "--", FLEETCTL, "-f", fleet, *words, check=check)

    def on(self, host, script):
        return run(LAB, "exec", self.lab, host, "--user", "root", "--", "/bin/sh", "-c", script).stdout

    def until(self, what, level, within=180):
        deadline = time.monotonic() + within
        while not level():
            if time.monotonic() > deadline:
                raise Failed(f"not within {within} s: {what}")
            time.sleep(0.5)

    def get(self, host, path):
        command = [LAB, "laptop", self.lab, "--", "curl", "-sS", "-m", "20", "-H", f"Authorization: Bearer {KEYS['FLEET_OMLX_API_KEY']}"]
        said = run(*command, f"http://{host}.lab.ts.net:8000{path}", check=False).stdout
        return json.loads(said) if said.startswith("{") else {}

    def stop(self, host):
        self.on(host, "launchctl bootout system/dev.fleetctl.omlx; until ! launchctl print system/dev.fleetctl.omlx >/dev/null 2>&1; do sleep 0.2; done")

    def start(self, host):
        self.on(host, "launchctl bootstrap system /Library/LaunchDaemons/dev.fleetctl.omlx.plist")
        self.until(f"{host} loads its models", lambda: self.get(host, "/api/status").get("models_loaded", 0) >= 2)

    def release(self, host, release):
        """Another server in the same place: the contract server answers as it is told to."""
        self.stop(host)
        self.on(host, f"echo {release} >/var/lab/omlx/release")
        self.start(host)

    def freeze(self, host, signal):
        self.on(host, f"kill -{signal} $(launchctl print system/dev.fleetctl.omlx | awk '$1 == \"pid\" {{ print $3 }}')")

    def fault(self, host, *words):
        run(LAB, "fault", self.lab, host, *words)

    def heal(self, host):
        run(LAB, "heal", self.lab, host)

    # --- what is looked at

    def resolve(self, slot, fleet=FLEET):
        said = json.loads(self.fleetctl("resolve", slot, "--json", fleet=fleet, check=False).stdout)
        shown = self.fleetctl("resolve", slot, "--explain", fleet=fleet, check=False).stdout
        print(f"\n$ fleetctl resolve {slot} --explain\n{shown}", flush=True)
        return said

    def must(self, holds, what):
        if not holds:
            self.failures.append(what)
            print(f"FAILED: {what}", flush=True)

    def returns(self, slot, machine):
        """Traffic for a machine that was cut and is back: its cooldown ends."""
        self.until(f"{slot} reaches {machine} again", lambda: any((one["chose"] or "").endswith(machine) for one in self.application.ask(slot, 4)), COOLDOWN + 60)

    def asked(self, name, slot, results, resolution, note=""):
        """A row: what the application saw, and whether LiteLLM's choice is of the rank that resolve names."""
        chose = collections.Counter(one["chose"].split("/", 1)[1] if one["chose"] else "nobody" for one in results if not one["error"])
        errors = [one["error"] for one in results if one["error"]]
        said = "nobody" if resolution["machine"] is None else f"{resolution['rank']}/{resolution['machine']}"
        if resolution["degraded"]:
            said += " degraded"
        ranks = {int(one.split("/", 1)[0]) for one in chose}
        agrees = ranks == ({resolution["rank"]} if resolution["machine"] else set())
        slowest = max((one["seconds"] for one in results), default=0)
        shown = " ".join(f"{name}×{count}" for name, count in sorted(chose.items())) or "nobody"
        self.rows.append((name, slot, len(results), len(errors), f"{results[0]['seconds']:.1f}", f"{slowest:.1f}", shown, said, note or ("agrees" if agrees else "differs")))
        print("  ".join(map(str, self.rows[-1])), flush=True)
        for error in errors[:3]:
            print(f"  {error}", flush=True)
        self.must(agrees or note, f"{name}: LiteLLM chose ranks {ranks}, resolve says {said}")
        return chose, errors

    def cut(self, name, machine, other, slot="extract-fast", count=200):
        """The application goes on with the other machine: no error, and no answer later than the slot's timeout."""
        resolution = self.resolve(slot)
        results = self.application.ask(slot, count)
        together = self.application.ask(slot, 8, 8)
        chose, errors = self.asked(name, slot, results + together, resolution)
        self.must(not errors, f"{name}: {len(errors)} errors: {errors[:1]}")
        self.must(set(chose) == {f"0/{other}"}, f"{name}: answered by {dict(chose)}")
        self.must(results[0]["seconds"] <= TIMEOUT, f"{name}: the next request took {results[0]['seconds']} s")
        self.must(resolution["machine"] != machine or resolution["rank"] == 0, f"{name}: resolve still names {machine}")

    # --- the scenarios

    def share(self):
        def count(host):
            return self.get(host, "/api/status")["total_requests"]

        hosts = ("mac-mini1", "mac-mini2")
        before = [count(host) for host in hosts]
        resolution = self.resolve("extract-fast")
        results = self.application.ask("extract-fast", 200) + self.application.ask("extract-fast", 200, 8)
        self.asked("both up", "extract-fast", results, resolution)
        first, second = (count(host) - was for host, was in zip(hosts, before))
        total = first + second
        sigma = math.sqrt(total) / 2
        print(f"the servers' own counters: mac-mini1 {first}, mac-mini2 {second}: {abs(first - second) / 2 / sigma:.1f} sigma from even", flush=True)
        self.must(total == 400, f"both up: the servers counted {total} requests of 400")
        self.must(abs(first - total / 2) <= 3 * sigma, f"both up: {first} and {second} of {total}")

    def refused(self):
        self.stop("mac-mini1")
        self.cut("mini1 refuses", "mac-mini1", "mac-mini2")
        self.start("mac-mini1")
        self.returns("extract-fast", "mac-mini1")

    def black_hole(self):
        self.fault("mac-mini1", "blackhole", "both")
        self.cut("mini1 a black hole", "mac-mini1", "mac-mini2")
        self.heal("mac-mini1")
        self.returns("extract-fast", "mac-mini1")

    def hangs(self):
        self.freeze("mac-mini1", "STOP")
        self.cut("mini1 hangs", "mac-mini1", "mac-mini2")
        self.freeze("mac-mini1", "CONT")
        self.returns("extract-fast", "mac-mini1")

    def both(self):
        self.stop("mac-mini1")
        self.stop("mac-mini2")
        resolution = self.resolve("extract-fast")
        chose, errors = self.asked("both minis cut", "extract-fast", self.application.ask("extract-fast", 40) + self.application.ask("extract-fast", 8, 8), resolution)
        self.must(set(chose) == {"1/mac-studio1"} and not errors, f"both cut: {dict(chose)}, {errors[:1]}")
        self.must(resolution["degraded"] and resolution["machine"] == "mac-studio1", "both cut: resolve says degraded, on the studio")
        resolution = self.resolve("embed-fast")
        results = self.application.ask("embed-fast", 20)
        chose, errors = self.asked("both minis cut", "embed-fast", results, resolution)
        self.must(set(chose) == {"1/mac-studio1"} and not errors, f"both cut, embed-fast: {dict(chose)}, {errors[:1]}")
        self.must({one["model"] for one in results} == {"openai/embed-arctic"}, "embed-fast: the same model")
        self.must(not resolution["degraded"], "embed-fast on the studio is the same model, so it is not degraded")

    def no_other_vectors(self):
        """The studio does not have the embedding model: nobody answers, rather than another model."""
        text = FLEET.read_text()
        for old, new in (('on       = ["tier:edge", "mac-studio1"]', 'on       = ["tier:edge"]'), (', "embed-arctic@mac-studio1"]', "]")):
            if old not in text:
                raise Failed(f"{FLEET} has no {old}")
            text = text.replace(old, new)
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as other:
            other.write(text)
            other.flush()
            self.fleetctl("apply", "--yes", "--on", "mac-studio1", fleet=other.name)
            resolution = self.resolve("embed-fast", fleet=other.name)
            results = self.application.ask("embed-fast", 5)
            chose, errors = self.asked("… and no arctic on the studio", "embed-fast", results, resolution)
            self.must(len(errors) == 5 and not chose, f"no arctic on the studio: {dict(chose)}")
            self.must(resolution["machine"] is None, "no arctic on the studio: resolve says nobody")
        self.fleetctl("apply", "--yes", "--on", "mac-studio1")

    def one_back(self):
        self.start("mac-mini2")
        self.returns("extract-fast", "mac-mini2")
        resolution = self.resolve("extract-fast")
        self.asked("mini2 back", "extract-fast", self.application.ask("extract-fast", 40), resolution)
        self.start("mac-mini1")
        self.returns("extract-fast", "mac-mini1")

    def answers_badly(self):
        """The contract server of 0.3.8 stands in mini1's place: it answers as it is told to."""
        self.release("mac-mini1", "0.3.8")
        self.returns("extract-fast", "mac-mini1")
        for name, knobs in (
            ("mini1 answers 500", ['status={"/v1/chat": 500}']),
            ("mini1 answers 401", ['status={"/v1": 401}']),
            ("mini1 answers 507", ['status={"/v1/chat": 507}']),
            ("mini1 takes 20 s", ["slow_ms=20000"]),
        ):
            self.fault("mac-mini1", "omlx", "8000", *knobs)
            self.cut(name, "mac-mini1", "mac-mini2", count=100)
            self.heal("mac-mini1")
            self.returns("extract-fast", "mac-mini1")

    def takes_over(self):
        """New routes while a stream runs: its answer is whole, and comes from the process before."""
        self.stop("mac-mini2")
        self.application.ask("extract-fast", 4)
        self.fault("mac-mini1", "omlx", "8000", "tokens_per_second=10")
        before = self.serving()
        self.application.begin(slot="extract-fast", stream=1200)
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as other:
            other.write(FLEET.read_text().replace('timeout = "9s"', 'timeout = "10s"'))
            other.flush()
            self.fleetctl("apply", "--yes", "--on", "mac-studio1", fleet=other.name)
        after = self.serving()
        running = self.application.answers.empty()
        result = self.application.end()
        whole = result["chunks"] >= 1190 and result["finish"] == "length" and not result["error"]
        print(f"a stream across new routes: {result}; it ran on after the hand-over: {running}; pid {before['pid']} → {after['pid']}", flush=True)
        self.must(whole, f"the stream was cut: {result}")
        self.must(running and before["pid"] != after["pid"], "the stream was over before the new routes served")
        self.rows.append(("new routes under a stream", "extract-fast", 1, 0 if whole else 1, "", f"{result['seconds']:.1f}", "0/mac-mini1×1", "", f"{result['chunks']} chunks, whole"))
        self.heal("mac-mini1")
        self.start("mac-mini2")
        self.returns("extract-fast", "mac-mini2")

    def serving(self):
        return json.loads(self.on("mac-studio1", "cat /usr/local/var/fleetctl/gateway/serving.json"))

    def drains(self):
        """A machine is changed under the application: the gateway leaves it out meanwhile."""
        with tempfile.TemporaryDirectory() as directory:
            over = pathlib.Path(directory) / "over"
            other = pathlib.Path(directory) / "fleet.toml"
            other.write_text(FLEET.read_text().replace("[omlx]\n", "[omlx]\nsettings.scheduler.max_concurrent_requests = 6\n"))
            self.application.begin(slot="extract-fast", until=str(over))
            said = self.fleetctl("apply", "--yes", "--on", "mac-mini2", fleet=other, check=False)
            over.touch()
            results = self.application.end()
        self.must(said.returncode == 0, f"apply: {said.stdout[-800:]}{said.stderr[-800:]}")
        self.must("left out" not in said.stdout and "leave it out" not in said.stdout, said.stdout[-800:])
        log = self.on("mac-studio1", "grep -c 'serves, without mac-mini2' /Library/Logs/fleetctl/gateway.log").strip()
        self.must(log != "0", "the gateway left mac-mini2 out")
        _, errors = self.asked("mini2 is restarted by apply", "extract-fast", results, self.resolve("extract-fast"))
        self.must(not errors, f"apply under the application: {errors[:1]}")

    def run(self, only):
        print("bringing four hosts up", flush=True)
        run(LAB, "up", self.lab, "--spec", HOSTS, "--owner", os.getpid())
        print(self.fleetctl("apply", "--yes").stdout[-400:], flush=True)
        self.application = Application(self.lab)
        self.application.ask("extract-fast", 4)
        self.application.ask("embed-fast", 2)
        for scenario in (
            self.share, self.refused, self.black_hole, self.hangs, self.both, self.no_other_vectors, self.one_back,
            self.answers_badly, self.takes_over, self.drains,
        ):
            if only and scenario.__name__ not in only:
                continue
            print(f"\n=== {scenario.__name__}", flush=True)
            try:
                scenario()
            except (Failed, queue.Empty, subprocess.TimeoutExpired) as error:
                self.must(False, f"{scenario.__name__}: {error}")
                break
        self.table()
        return 1 if self.failures else 0

    def table(self):
        head = ("SCENARIO", "SLOT", "ASKED", "ERRORS", "NEXT s", "SLOWEST s", "LITELLM CHOSE", "RESOLVE SAYS", "RANK")
        lines = [head, *((str(cell) for cell in row) for row in self.rows)]
        lines = [tuple(line) for line in lines]
        widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
        print()
        for line in lines:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
        for failure in self.failures:
            print(f"FAILED: {failure}")
        print(f"\n{len(self.rows)} rows, {len(self.failures)} failures", flush=True)


def main():
    lab = f"proof-{os.getpid()}"
    try:
        return Proof(lab).run(sys.argv[1:])
    finally:
        run(LAB, "down", lab, check=False)


if __name__ == "__main__":
    sys.exit(main())
