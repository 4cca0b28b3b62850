"""The callback that writes mirrored pairs down, in the form that `fleetctl shadow import` reads."""

import asyncio
import datetime
import importlib.util
import json
import os
import pathlib
import shutil
import stat
import sys
import tempfile
import types
import unittest

from gateway import HERE, TEMPLATES

sys.path.insert(0, str(HERE / "stub"))
sys.dont_write_bytecode = True

BEGUN = datetime.datetime(2026, 11, 23, 12, 0, 0)
ENDED = BEGUN + datetime.timedelta(seconds=1.25)


def message(text):
    return [{"role": "user", "content": text}]


def answer(text):
    choice = types.SimpleNamespace(message=types.SimpleNamespace(content=text))
    return types.SimpleNamespace(choices=[choice])


class Pairs(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="pairs-"))
        self.addCleanup(shutil.rmtree, self.directory)
        shutil.copy(TEMPLATES / "pairs.py", self.directory / "fleetctl_pairs.py")
        spec = importlib.util.spec_from_file_location("fleetctl_pairs", self.directory / "fleetctl_pairs.py")
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.pairs = self.module.pairs

    def says(self, group, text, said=None, error=None):
        kwargs = {
            "model": group.rsplit(".", 1)[-1], "messages": message(text), "exception": error,
            "litellm_params": {"metadata": {"model_group": group}},
        }
        if error:
            asyncio.run(self.pairs.async_log_failure_event(kwargs, None, BEGUN, ENDED))
        else:
            asyncio.run(self.pairs.async_log_success_event(kwargs, answer(said), BEGUN, ENDED))

    def lines(self):
        path = self.directory / "pairs.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def test_both_sides_in_either_order_are_one_line(self):
        self.says("score-deep", "one", "7")
        self.assertEqual(self.lines(), [])
        self.says("shadow.job-score", "one", "8")
        self.says("shadow.job-score", "two — zwei", None, "refused")
        self.says("score-deep", "two — zwei", "9")
        first, second = self.lines()
        self.assertEqual(first["input"], message("one"))
        self.assertEqual(first["local"], {"model": "score-deep", "text": "7", "error": None, "seconds": 1.25})
        self.assertEqual(first["reference"]["text"], "8")
        self.assertRegex(first["at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(len(first["id"]), 32)
        self.assertEqual((second["reference"]["text"], second["reference"]["error"]), (None, "refused"))
        self.assertEqual(second["local"]["text"], "9")
        self.assertNotEqual(first["id"], second["id"])
        mode = stat.S_IMODE(os.stat(self.directory / "pairs.jsonl").st_mode)
        self.assertEqual(mode, 0o600)

    def test_the_same_side_twice_waits_for_its_own_other(self):
        self.says("score-deep", "one", "7")
        self.says("score-deep", "one", "8")
        self.says("shadow.job-score", "one", "9")
        self.assertEqual([line["local"]["text"] for line in self.lines()], ["8"])

    def test_what_has_no_messages_or_no_group_is_none_of_ours(self):
        asyncio.run(self.pairs.async_log_success_event({"messages": "text"}, answer("x"), BEGUN, ENDED))
        asyncio.run(self.pairs.async_log_success_event({"messages": message("a")}, answer("x"), BEGUN, ENDED))
        self.assertEqual((self.lines(), len(self.pairs.waiting)), ([], 0))

    def test_it_forgets_the_oldest_and_stops_when_the_file_is_large(self):
        self.module.WAITING = 2
        for text in ("one", "two", "three"):
            self.says("score-deep", text, "7")
        self.says("shadow.job-score", "one", "8")
        self.assertEqual(self.lines(), [])
        self.module.LARGEST = 0
        self.says("shadow.job-score", "three", "8")
        self.says("score-deep", "four", "7")
        self.says("shadow.job-score", "four", "7")
        self.assertEqual(len(self.lines()), 1)


if __name__ == "__main__":
    unittest.main()
