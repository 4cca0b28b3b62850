"""TCC: a directory that nobody may look into, root included: "Operation not permitted".

Only a file system can say that, so a small one does: it speaks FUSE's protocol and answers EPERM.
"""

import os
import stat
import struct

from .. import linux
from .base import Fault

_IN = struct.Struct("<IIQQIIII")
_OUT = struct.Struct("<IiQ")
_EPERM = 1
_GETATTR, _FORGET, _STATFS, _INIT, _ACCESS, _DESTROY, _BATCH_FORGET = 3, 2, 17, 26, 34, 38, 42


class Denied(Fault):
    """Everything below a path, as below /Volumes/NAME, gives EPERM."""

    name = "tcc"
    again_after_boot = True
    server = None

    def apply(self):
        if len(self.words) != 1:
            raise ValueError("tcc takes one path")
        reader, writer = os.pipe()
        self.server = os.fork()
        if self.server == 0:
            try:
                os.close(reader)
                os.setsid()
                linux.setns(os.open(f"/proc/{self.runtime.pid}/ns/mnt", os.O_RDONLY))
                _serve(self.words[0], writer)
            except BaseException as error:
                os.write(writer, f"{error}".encode() or b"failed")
            os._exit(0)
        os.close(writer)
        with open(reader, encoding="utf-8") as file:
            answer = file.read(200)
        if answer != "ok":
            raise RuntimeError(f"could not deny {self.words[0]}: {answer}")

    def heal(self):
        if self.runtime.pid is not None:
            self.inside(lambda: linux.umount(self.words[0]))
        os.waitpid(self.server, 0)


def _serve(path, ready):
    os.makedirs(path, exist_ok=True)
    device = os.open("/dev/fuse", os.O_RDWR)
    linux.mount(
        "lab-tcc", path, "fuse", linux.MS_NOSUID,
        f"fd={device},rootmode={stat.S_IFDIR:o},user_id=0,group_id=0,allow_other",
    )
    os.write(ready, b"ok")
    os.close(ready)
    while True:
        try:
            request = os.read(device, 1 << 17)
        except OSError:
            return  # unmounted
        _, opcode, unique, *_ = _IN.unpack_from(request)
        if opcode in (_FORGET, _BATCH_FORGET):
            continue
        body = _answer(opcode)
        error = -_EPERM if body is None else 0
        body = body or b""
        os.write(device, _OUT.pack(_OUT.size + len(body), error, unique) + body)
        if opcode == _DESTROY:
            return


def _answer(opcode):
    if opcode == _INIT:
        return struct.pack("<IIIIHHIIHH8I", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, *[0] * 8)
    if opcode == _GETATTR:
        # The directory itself can be seen; what is in it cannot.
        attributes = struct.pack("<6Q10I", 1, 0, 0, 0, 0, 0, 0, 0, 0, stat.S_IFDIR | 0o755, 2, 0, 0, 0, 4096, 0)
        return struct.pack("<QII", 0, 0, 0) + attributes
    if opcode == _STATFS:
        return bytes(80)
    if opcode in (_ACCESS, _DESTROY):
        return b""
    return None
