"""The door to a running lab: one JSON document a connection on a Unix socket in the lab's directory."""

import json
import os
import select
import socket

_MAX = 1 << 22
_NAME = "control.sock"


def _address(directory):
    # Through a descriptor, because a socket's path may have 107 bytes and a checkout lies where it lies.
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    return descriptor, f"/proc/self/fd/{descriptor}/{_NAME}"


def listen(directory):
    """Opens the socket."""
    descriptor, address = _address(directory)
    try:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(address)
        listener.listen(64)
        return listener
    finally:
        os.close(descriptor)


def serve(listener, answer, idle):
    """Answers requests one after the other, for ever; `idle` runs between them."""
    while True:
        ready, _, _ = select.select([listener], [], [], 0.2)
        idle()
        if not ready:
            continue
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            try:
                document = {"ok": answer(json.loads(_read(connection)))}
            except Exception as error:  # a request's failure is its answer; the lab goes on
                document = {"failed": f"{type(error).__name__}: {error}"}
            try:
                connection.sendall(json.dumps(document).encode() + b"\n")
            except OSError:
                continue


def _read(connection):
    data = b""
    while not data.endswith(b"\n") and len(data) < _MAX:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def ask(directory, request, timeout=120):
    """Sends a request to a running lab; raises RuntimeError with the lab's words when it fails."""
    descriptor, address = _address(directory)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(address)
            connection.sendall(json.dumps(request).encode() + b"\n")
            document = json.loads(_read(connection))
    finally:
        os.close(descriptor)
    if "failed" in document:
        raise RuntimeError(document["failed"])
    return document["ok"]
