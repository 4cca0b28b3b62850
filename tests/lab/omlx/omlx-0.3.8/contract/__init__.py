"""A strict contract server of oMLX 0.3.8: everything an operator's tool can observe of that release, and no model.

oMLX 0.3.8 is not on PyPI and needs Apple's GPU. This package behaves as facts/omlx.md sections 1 to 8 describe that release,
file by file and byte by byte where the facts say so, including its bugs (a settings file that is overwritten when malformed,
streams that never end after an unload, a second server that loads everything before it finds the port taken). Each module
names the sections it holds; `selftest` asserts them one by one, and runs the shared ones against a real server as well.

What is pretended: sizes (a file `lab-size` in the weights directory), load times and answers (text derived from the model's
name and the prompt). Faults are switched on from outside by a control file (module `faults`), never through the API.

Standard library only, one process, asyncio: four or more run beside each other on a small test machine.

Modules, from the outside in: `cli` (flags, start-up order) → `app` (life cycle) → `routes`, `api`, `admin` (endpoints) → `auth`,
`stream`, `wire` (HTTP) → `pool`, `engine` (what is loaded, what it says) → `discovery`, `settings`, `model_settings`, `profiles`
(files) → `host`, `faults`, `metrics` (the machine, the knobs, the counters).
"""

VERSION = "0.3.8"
