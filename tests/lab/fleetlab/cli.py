"""The command `lab`."""

import argparse
import json
import os
import shutil
import sys

from . import control, enter, laptop, linux, paths, pids


def _say(text):
    print(f"lab: {text}", file=sys.stderr)


def _running(name):
    directory = paths.instance(name)
    pid = pids.init(directory)
    if pid is None:
        raise LookupError(f"no lab {name!r} is up; `lab up {name}` brings one up")
    return directory, pid


def up(arguments):
    """Brings a lab up."""
    from . import (  # slow to load, and the commands that run all the time do without
        instance,
        spec,
    )

    reason = _obstacle()
    if reason is not None:
        _say(reason)
        return 1
    directory = paths.instance(arguments.name)
    if pids.init(directory) is not None:
        _say(f"{arguments.name} is up already")
        return 1
    shutil.rmtree(directory, ignore_errors=True)
    if arguments.spec:
        wanted = spec.load(arguments.spec)
    elif arguments.light:
        wanted = spec.light(arguments.light)
    else:
        wanted = spec.article()
    instance.start(directory, wanted, arguments.owner)
    return 0


def down(arguments):
    """Takes a lab down; one that is not up is no error."""
    from . import instance

    instance.stop(paths.instance(arguments.name))
    return 0


def can_run(_arguments):
    """Says on stderr why no lab can run here; silent and 0 where one can."""
    reason = _obstacle()
    if reason is not None:
        _say(reason)
    return 0 if reason is None else 1


_PROGRAMS = (
    "/usr/sbin/sshd", "/usr/bin/ssh-keygen", "/usr/bin/zsh", "/usr/bin/sudo", "/usr/bin/original-awk", "/usr/bin/rsync",
    "/usr/bin/lsof", "/usr/bin/curl", "/usr/bin/bsdtar", "/usr/bin/cc",
)


def _obstacle():
    if os.geteuid() != 0:
        return "namespaces need root"
    missing = [program for program in _PROGRAMS if not os.path.exists(program)]
    if missing or shutil.which("ip") is None:
        return f"missing: {' '.join(missing or ['ip'])}; scripts/lab-setup installs what the lab needs"
    child = os.fork()
    if child == 0:
        try:
            linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWNET | linux.CLONE_NEWUTS)
            linux.make_private()
            os._exit(0)
        except OSError:
            os._exit(1)
    return None if os.waitpid(child, 0)[1] == 0 else "this machine does not let root make namespaces"


def listing(_arguments):
    """Lists the labs that are up."""
    home = paths.base() / "instances"
    for directory in sorted(home.iterdir()) if home.is_dir() else ():
        pid = pids.init(directory)
        if pid is not None:
            try:
                hosts = " ".join(control.ask(directory, {"verb": "describe"}, timeout=10)["hosts"])
            except OSError:
                hosts = "(coming up or going down)"
            print(f"{directory.name}\t{hosts}")
    return 0


def env(arguments):
    """Prints addresses and paths of a lab as JSON."""
    directory, _ = _running(arguments.name)
    print(json.dumps(control.ask(directory, {"verb": "describe"}), indent=2))
    return 0


def on_laptop(arguments):
    """Runs a command on the laptop."""
    _, pid = _running(arguments.name)
    environment = laptop.environment(os.environ)
    return enter.run(f"/proc/{pid}", arguments.command, environment, directory=os.getcwd())


def execute(arguments):
    """Runs a command on a host, as at its console."""
    directory, pid = _running(arguments.name)
    found = control.ask(directory, {"verb": "describe"})["hosts"].get(arguments.host)
    if found is None:
        raise LookupError(f"no host {arguments.host!r} in {arguments.name}")
    if found["pid"] is None:
        raise LookupError(f"{arguments.host} is not running")
    name = "root" if arguments.user == "root" else found["user"]
    user, environment, home = enter.account(name, found["home"], found["uid"])
    if "TERM" in os.environ:
        environment["TERM"] = os.environ["TERM"]
    return enter.run(enter.host_proc(pid, found["pid"]), arguments.command, environment, user, home)


def wire(arguments):
    """Prints what the relays of delayed hosts counted."""
    directory, _ = _running(arguments.name)
    print(json.dumps(control.ask(directory, {"verb": "wire"}), indent=2))
    return 0


def request(arguments):
    """Asks the lab to do something to a host and prints what it answers."""
    directory, _ = _running(arguments.name)
    document = {"verb": arguments.verb, "host": arguments.host, "arguments": arguments.words}
    answer = control.ask(directory, document)
    if answer is not None:
        print(answer if isinstance(answer, str) else json.dumps(answer, indent=2))
    return 0


def log(arguments):
    """Prints what the lab and a host's process 1 wrote."""
    directory = paths.instance(arguments.name)
    files = [directory / "lab.log", directory / "keeper.log"]
    if arguments.host:
        files = [directory / "hosts" / arguments.host / "host.log"]
    for path in files:
        if path.exists():
            sys.stdout.write(path.read_text(errors="replace"))
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog="lab", description="Hosts that behave as Macs; see tests/lab/README.md.")
    verbs = parser.add_subparsers(dest="verb", required=True)

    def verb(name, function, summary, host=False):
        command = verbs.add_parser(name, help=summary, description=summary)
        command.add_argument("name", help="the lab's name")
        if host:
            command.add_argument("host", help="a host of the lab")
        command.set_defaults(function=function)
        return command

    command = verb("up", up, "bring a lab up")
    what = command.add_mutually_exclusive_group()
    what.add_argument("--spec", help="a TOML file; default: the article's four machines")
    what.add_argument("--light", type=int, metavar="N", help="N light hosts")
    command.add_argument("--owner", type=int, metavar="PID", help="take the lab down when this process is gone")
    verb("down", down, "take a lab down")
    command = verbs.add_parser("can-run", help="say why no lab can run here, if none can")
    command.set_defaults(function=can_run)
    command = verbs.add_parser("ls", help="list the labs that are up")
    command.set_defaults(function=listing)
    verb("env", env, "print addresses and paths as JSON")
    verb("laptop", on_laptop, "run a command on the laptop: -- CMD...")
    command = verb("exec", execute, "run a command on a host, as at its console: -- CMD...", host=True)
    command.add_argument("--user", choices=("ops", "root"), default="ops", help="the host's user, or root")
    for name, summary in (
        ("fault", "make something go wrong on a host"),
        ("heal", "end a fault, or all of them"),
        ("knob", "turn a knob of a host's launchd: NAME=VALUE..."),
        ("reboot", "reboot a host; --hard closes no connection"),
        ("halt", "switch a host off; --hard closes no connection"),
        ("boot", "switch a host on"),
        ("clock", "move a host's clock: --set TIME or --offset SECONDS"),
    ):
        command = verb(name, request, summary, host=True)
        command.add_argument("words", nargs=argparse.REMAINDER)
    verb("wire", wire, "print the TCP connections and turns that delayed wires saw, as JSON")
    command = verb("log", log, "print the lab's log, or a host's")
    command.add_argument("host", nargs="?")
    return parser


def main(words=None):
    """Runs one command; returns its exit status."""
    words = sys.argv[1:] if words is None else words
    end = words.index("--") if "--" in words else len(words)
    arguments = _parser().parse_args(words[:end])
    arguments.command = words[end + 1 :]
    if arguments.verb in ("laptop", "exec") and not arguments.command:
        _say(f"{arguments.verb} needs a command behind --")
        return 2
    try:
        return arguments.function(arguments)
    except BrokenPipeError:
        return 0
    except (LookupError, ValueError, RuntimeError, OSError) as error:
        _say(str(error.args[0] if isinstance(error, LookupError) and error.args else error))
        return 1
