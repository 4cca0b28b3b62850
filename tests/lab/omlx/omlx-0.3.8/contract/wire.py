"""HTTP/1.1 as uvicorn serves it: keep-alive for five idle seconds, chunked bodies, and a stop that waits for open requests.

Knows nothing of oMLX. Source of the timings: uvicorn's defaults, which 0.3.8 does not change (facts 7.5).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, unquote

KEEP_ALIVE_SECONDS = 5
MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024


class HttpError(Exception):
    """An answer other than 200: the detail is a string or, for failed validation, a list."""

    def __init__(self, status: int, detail, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


class Dropped(Exception):
    """The connection is to be closed without an answer."""


@dataclass
class Request:
    """One request with its whole body."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    connection: Connection

    def cookies(self) -> dict[str, str]:
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs if name}

    @property
    def gone(self) -> bool:
        """Whether the client has hung up."""
        return self.connection.gone


@dataclass
class Response:
    """An answer: bytes, or an iterator of pieces that is sent chunked."""

    status: int = 200
    body: bytes | AsyncIterator[str] = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    first_byte_delay: float = 0.0
    truncate: bool = False

    @classmethod
    def json(cls, value, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        return cls(status, json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(), headers=headers or {})


class Connection:
    """One client connection; `busy` while a request is being answered."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.busy = False

    @property
    def gone(self) -> bool:
        return self.reader.at_eof() or self.writer.is_closing()

    async def serve(self) -> None:
        waited = None
        while not self.server.stopping:
            try:
                head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), waited)
            except (asyncio.IncompleteReadError, asyncio.TimeoutError, ConnectionError):
                return
            except asyncio.LimitOverrunError:
                await self._plain(431, "Request Header Fields Too Large")
                return
            self.busy = True
            try:
                keep = await self._answer(head)
            finally:
                self.busy = False
            if not keep:
                return
            waited = KEEP_ALIVE_SECONDS

    async def _answer(self, head: bytes) -> bool:
        request = await self._parse(head)
        if request is None:
            await self._plain(400, "Invalid HTTP request received.")
            return False
        try:
            response = await self.server.handler(request)
            keep = request.headers.get("connection", "").lower() != "close"
            return await self._send(request, response, keep=keep) and keep and not self.server.stopping
        except (Dropped, ConnectionError):
            return False

    async def _parse(self, head: bytes) -> Request | None:
        try:
            line, *fields = head[:-4].decode("latin-1").split("\r\n")
            method, target, version = line.split(" ")
            headers = {}
            for one in fields:
                name, colon, value = one.partition(":")
                if not colon or not name or name != name.strip():
                    return None
                headers[name.lower()] = value.strip()
            if not version.startswith("HTTP/1.") or not target.startswith("/"):
                return None
            if headers.get("expect", "").lower() == "100-continue":
                self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await self._body(headers)
        except (ValueError, asyncio.IncompleteReadError):
            return None
        path, _, query = target.partition("?")
        values = {name: found[-1] for name, found in parse_qs(query, keep_blank_values=True).items()}
        return Request(method, unquote(path), values, headers, body, self)

    async def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while size := int((await self.reader.readline()).split(b";")[0], 16):
                parts.append(await self.reader.readexactly(size))
                await self.reader.readexactly(2)
            await self.reader.readline()
            return b"".join(parts)
        length = int(headers.get("content-length", "0"))
        if not 0 <= length <= MAX_BODY:
            raise ValueError(length)
        return await self.reader.readexactly(length)

    async def _plain(self, status: int, text: str) -> None:
        response = Response(status, text.encode(), "text/plain; charset=utf-8", {"connection": "close"})
        await self._send(None, response, keep=False)

    async def _send(self, request: Request | None, response: Response, *, keep: bool) -> bool:
        headers = {"date": _date(), "server": "uvicorn", **response.headers}
        chunked = not isinstance(response.body, bytes)
        if not chunked:
            headers["content-length"] = str(len(response.body))
        headers["content-type"] = response.content_type
        headers["vary"] = "Origin"
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        if not keep:
            headers["connection"] = "close"
        lines = [f"HTTP/1.1 {response.status} {_reason(response.status)}", *(f"{name}: {value}" for name, value in headers.items())]
        self.writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        await self.writer.drain()
        if response.first_byte_delay:
            await asyncio.sleep(response.first_byte_delay)
        if chunked:
            return await self._send_chunks(response)
        body = b"" if request is not None and request.method == "HEAD" else response.body
        self.writer.write(body[: len(body) // 2] if response.truncate else body)
        await self.writer.drain()
        return not response.truncate

    async def _send_chunks(self, response: Response) -> bool:
        pieces = response.body
        try:
            async for piece in pieces:
                if self.gone:
                    return False
                raw = piece.encode()
                self.writer.write(b"%x\r\n" % len(raw) + raw + b"\r\n")
                await self.writer.drain()
                if response.truncate:
                    return False
            self.writer.write(b"0\r\n\r\n")
            await self.writer.drain()
            return True
        finally:
            await pieces.aclose()


class Server:
    """Accepts connections and hands requests to `handler`."""

    def __init__(self, handler) -> None:
        self.handler = handler
        self.connections: set[Connection] = set()
        self.stopping = False
        self._listener: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> None:
        """Opens the port; OSError when it is taken."""
        self._listener = await asyncio.start_server(self._accept, host, port, limit=MAX_HEAD, backlog=2048)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, reader, writer)
        self.connections.add(connection)
        try:
            await connection.serve()
        finally:
            self.connections.discard(connection)
            writer.close()

    def stop_accepting(self) -> None:
        """Closes the port and every idle connection; requests under way go on."""
        self.stopping = True
        if self._listener is not None:
            self._listener.close()
        for connection in list(self.connections):
            if not connection.busy:
                connection.writer.close()
                self.connections.discard(connection)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _date() -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
