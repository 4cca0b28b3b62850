"""The supervisor: who serves when, and that nobody is cut."""

import hashlib
import json
import os
import signal
import stat
import time
import unittest

from gateway import Gateway, config, until

BOTH = config("fast@a", "fast@b", "deep@b")


def hash_of(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Serve(unittest.TestCase):
    def gateway(self, **configs):
        gateway = Gateway(**(configs or {"baseline": BOTH}))
        self.addCleanup(gateway.close)
        return gateway

    def test_the_baseline_serves_and_says_so(self):
        gateway = self.gateway()
        serving = gateway.serves(state="baseline", config=hash_of(BOTH), left_out=[], refused=None)
        self.assertEqual(gateway.get(), {"pid": serving["pid"], "models": ["fast@a", "fast@b", "deep@b"]})
        self.assertEqual(stat.S_IMODE(os.stat(gateway.directory / "serving.json").st_mode), 0o640)

    def test_a_stream_outlives_the_configuration_that_it_began_under(self):
        gateway = self.gateway()
        before = gateway.serves(state="baseline")
        stream = gateway.stream()
        new = config("fast@c")
        gateway.write("config.baseline.yaml", new)
        gateway.signal(signal.SIGHUP)
        after = gateway.serves(config=hash_of(new))
        until(lambda: gateway.get() == {"pid": after["pid"], "models": ["fast@c"]}, "only the new one accepts")
        os.kill(before["pid"], 0)
        gateway.write("go", "")
        self.assertEqual(json.loads(stream.read())["pid"], before["pid"])
        until(lambda: not os.path.exists(f"/proc/{before['pid']}"), "the old process has ended")

    def test_a_rewritten_file_is_found_without_a_signal(self):
        gateway = self.gateway()
        gateway.serves(state="baseline")
        gateway.write("config.baseline.yaml", config("fast@c"))
        gateway.serves(config=hash_of(config("fast@c")))

    def test_what_does_not_start_is_refused_and_the_present_one_goes_on(self):
        gateway = self.gateway()
        before = gateway.serves(state="baseline")
        for text in (config("fast@a", broken=True), "a: [b", ""):
            with self.subTest(text):
                gateway.write("config.baseline.yaml", text)
                gateway.signal(signal.SIGHUP)
                serving = gateway.serves(refused=hash_of(text))
                self.assertEqual((serving["pid"], serving["config"]), (before["pid"], hash_of(BOTH)))
                self.assertEqual(gateway.get()["pid"], before["pid"])
        gateway.write("config.baseline.yaml", config("fast@b"))
        gateway.serves(config=hash_of(config("fast@b")), refused=None)

    def test_without_anything_that_starts_it_ends_and_says_which(self):
        gateway = self.gateway(baseline=config(broken=True))
        self.assertEqual(gateway.process.wait(60), 1)
        serving = gateway.serving()
        self.assertEqual((serving["pid"], serving["refused"]), (None, hash_of(config(broken=True))))

    def test_windows_change_the_state_and_an_unknown_one_is_the_baseline(self):
        night = config("fast@b")
        gateway = self.gateway(baseline=BOTH, night=night)
        before = gateway.serves(state="baseline")
        gateway.write("active", "night\n")
        gateway.signal(signal.SIGHUP)
        gateway.serves(state="night", config=hash_of(night))
        gateway.write("active", "gone\n")
        gateway.signal(signal.SIGHUP)
        self.assertNotEqual(gateway.serves(state="baseline", config=hash_of(BOTH))["pid"], before["pid"])

    def test_a_machine_is_left_out_until_its_note_runs_out(self):
        gateway = self.gateway()
        before = gateway.serves(state="baseline")
        gateway.write("left-out/a", f"{int(time.time()) + 3600}\n")
        gateway.signal(signal.SIGHUP)
        serving = gateway.serves(left_out=["a"])
        until(lambda: gateway.get() == {"pid": serving["pid"], "models": ["fast@b", "deep@b"]}, "a is out")
        # A model whose every machine is left out keeps them.
        gateway.write("left-out/b", f"{int(time.time()) + 3600}\n")
        gateway.serves(left_out=["a", "b"])
        until(lambda: gateway.get()["models"] == ["fast@a", "fast@b", "deep@b"], "each model has somebody")
        for name in ("a", "b"):
            gateway.write(f"left-out/{name}", f"{int(time.time()) - 1}\n")
        self.assertNotEqual(gateway.serves(left_out=[])["pid"], before["pid"])

    def test_a_note_that_changes_no_route_changes_no_process(self):
        gateway = self.gateway()
        before = gateway.serves(state="baseline")
        gateway.write("left-out/somebody", f"{int(time.time()) + 3600}\n")
        gateway.write("left-out/nonsense", "tomorrow\n")
        gateway.signal(signal.SIGHUP)
        self.assertEqual(gateway.serves(left_out=["somebody"])["pid"], before["pid"])

    def test_asked_to_end_it_finishes_what_has_begun(self):
        gateway = self.gateway()
        pid = gateway.serves(state="baseline")["pid"]
        stream = gateway.stream()
        gateway.signal(signal.SIGTERM)

        def refuses():
            try:
                gateway.get()
            except OSError:
                return True
            return False

        until(refuses, "nothing is accepted any more")
        self.assertIsNone(gateway.process.poll())
        gateway.write("go", "")
        self.assertEqual(json.loads(stream.read())["pid"], pid)
        self.assertEqual(gateway.process.wait(60), 0)

    def test_a_worker_that_dies_young_ends_the_daemon(self):
        gateway = self.gateway()
        os.kill(gateway.serves(state="baseline")["pid"], signal.SIGKILL)
        self.assertEqual(gateway.process.wait(60), 1)


if __name__ == "__main__":
    unittest.main()
