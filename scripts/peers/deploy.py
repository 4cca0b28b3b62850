"""What a no-op apply looks at, in pyinfra's words: six files, four links, one service."""

import os

from pyinfra import host
from pyinfra.facts.launchd import LaunchdStatus
from pyinfra.operations import files

DIRECTORY = "fleetctl-bench"

files.directory(name="directory", path=DIRECTORY, mode="755")
for number in range(1, 7):
    source = os.path.join(os.environ["BENCH_FILES"], f"file-{number}")
    files.put(name=f"file {number}", src=source, dest=f"{DIRECTORY}/file-{number}", mode="600")
for number in range(1, 5):
    files.link(name=f"link {number}", path=f"{DIRECTORY}/link-{number}", target=f"file-{number}")
host.get_fact(LaunchdStatus)
