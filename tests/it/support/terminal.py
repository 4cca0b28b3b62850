"""Runs a command on a terminal of its own and does what an operator would: `terminal.py COLUMNS ROWS COMMAND...`.

Steps are JSON lines on standard input: {"expect": TEXT}, {"send": TEXT}, {"signal": NUMBER}, {"resize": [COLUMNS, ROWS]}. What happened is one JSON document on
standard output: everything that was written, the exit code, and whether the terminal has the settings that it had before. Every wait is bounded.
"""
import fcntl, json, os, pty, select, struct, sys, termios, time

WITHIN = 30.0
columns, rows, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
master, slave = pty.openpty()


def resize(columns, rows):
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


resize(columns, rows)
before = termios.tcgetattr(slave)
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for stream in range(3):
        os.dup2(slave, stream)
    os.closerange(3, 64)
    os.execvp(command[0], command)

written, seen = b"", 0


def read(within):
    global written
    if select.select([master], [], [], within)[0]:
        written += os.read(master, 65536)


def fail(why):
    os.kill(child, 9)
    print(json.dumps({"failed": why, "written": written.decode(errors="replace")}))
    sys.exit(1)


for line in sys.stdin:
    step = json.loads(line)
    if "expect" in step:
        wanted, until = step["expect"].encode(), time.monotonic() + WITHIN
        while (at := written.find(wanted, seen)) < 0:
            if time.monotonic() > until:
                fail(f"{step['expect']!r} did not come")
            read(0.2)
        seen = at + len(wanted)
    elif "send" in step:
        os.write(master, step["send"].encode())
    elif "signal" in step:
        os.kill(child, step["signal"])
    elif "resize" in step:
        seen = len(written)
        resize(*step["resize"])

until, status = time.monotonic() + WITHIN, None
while status is None:
    if time.monotonic() > until:
        fail("it did not end")
    read(0.05)
    done, code = os.waitpid(child, os.WNOHANG)
    if done:
        status = os.waitstatus_to_exitcode(code)
read(0.2)
# Raw mode moves these four; the rest of the list holds speeds and characters.
restored = termios.tcgetattr(slave)[:4] == before[:4]
print(json.dumps({"written": written.decode(errors="replace"), "exit": status, "restored": restored}))
