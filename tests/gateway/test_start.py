"""LIB/gateway: whose Python it finds behind LiteLLM's program."""

import itertools
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from gateway import TEMPLATES

SCRIPT = TEMPLATES / "gateway.sh"
SUPERVISOR = "/usr/local/var/fleetctl/gateway/serve.py"


class Start(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="start "))
        self.addCleanup(shutil.rmtree, self.directory)
        # In the place of a Python: says what it would run.
        self.python = self.directory / "python3"
        self.python.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
        self.python.chmod(0o755)

    def script(self, awk):
        """The script, with that awk in the place of the Mac's."""
        tools = self.directory / awk
        tools.mkdir(exist_ok=True)
        if not (tools / "awk").exists():
            (tools / "awk").symlink_to(shutil.which(awk))
        text = SCRIPT.read_text()
        self.assertIn("PATH=/usr/bin:", text)
        script = tools / "gateway"
        script.write_text(text.replace("PATH=/usr/bin:", f"PATH='{tools}':/usr/bin:", 1))
        return script

    def run_with(self, first_lines, shell="/bin/sh", awk="original-awk"):
        program = self.directory / "litellm"
        program.write_text(first_lines + "import sys\n")
        return subprocess.run([shell, self.script(awk), program, "0.0.0.0", "4000"], capture_output=True, text=True, check=False)

    def test_it_becomes_the_supervisor_under_the_programs_python(self):
        short = pathlib.Path(tempfile.mkdtemp(prefix="start"))
        self.addCleanup(shutil.rmtree, short)
        shutil.copy2(self.python, short / "python3")
        for shell, awk in itertools.product(("/bin/sh", "/bin/bash", "/bin/dash"), ("original-awk", "mawk")):
            for lines in (f"#!{short}/python3\n", f"#! {short}/python3 -E\n", f"#!/bin/sh\n'''exec' \"{self.python}\" \"$0\" \"$@\"\n' '''\n"):
                with self.subTest(f"{shell}, {awk}: {lines}"):
                    said = self.run_with(lines, shell, awk)
                    self.assertEqual((said.returncode, said.stdout), (0, f"{SUPERVISOR}|0.0.0.0|4000|"), said.stderr)

    def test_what_is_no_python_program_is_said_and_ends_with_78(self):
        for lines in ("#!/bin/sh\necho hello\n", "#!/nowhere/python3\n", "\x7fELF", ""):
            with self.subTest(lines):
                said = self.run_with(lines)
                self.assertEqual(said.returncode, 78)
                self.assertIn("the Python of", said.stderr)
        said = subprocess.run(["/bin/sh", SCRIPT, "/nowhere/litellm", "0.0.0.0", "4000"], capture_output=True, text=True, check=False)
        self.assertEqual((said.returncode, said.stderr), (78, "gateway: /nowhere/litellm is not there\n"))


if __name__ == "__main__":
    unittest.main()
