"""Answers that take time: server-sent events and padded JSON (facts 6.3, 7.4, 11.2).

0.3.8 sends the line `: keep-alive` before anything else and every ten seconds; a JSON answer starts with a space and gets
another every ten seconds, so its status cannot change any more. A request whose engine was unloaded lives on like that for
ever: only the client ends it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable

KEEP_ALIVE = ": keep-alive\n\n"
INTERVAL_SECONDS = 10.0
POLL_SECONDS = 0.5
"""How often a hung-up client is noticed (2 s in the release; shorter keeps tests quick)."""

_END = object()


async def _next(iterator: AsyncIterator):
    try:
        return await iterator.__anext__()
    except StopAsyncIteration:
        return _END


async def _cancel(task: asyncio.Task) -> None:
    task.cancel()
    try:
        await task
    except (asyncio.CancelledError, StopAsyncIteration):
        pass


async def _wait(task: asyncio.Task, gone: Callable[[], bool]) -> AsyncIterator[bool]:
    """True whenever a keep-alive is due until the task is done; False, once, when the client has hung up."""
    quiet = 0.0
    while not (await asyncio.wait({task}, timeout=POLL_SECONDS))[0]:
        if gone():
            yield False
            return
        quiet += POLL_SECONDS
        if quiet >= INTERVAL_SECONDS:
            quiet = 0.0
            yield True


async def events(source: AsyncIterator[str], gone: Callable[[], bool]) -> AsyncIterator[str]:
    """The source's events between keep-alives; an error becomes an event."""
    yield KEEP_ALIVE
    task = None
    try:
        while True:
            task = asyncio.ensure_future(_next(source))
            async for alive in _wait(task, gone):
                if not alive:
                    return
                yield KEEP_ALIVE
            try:
                item = task.result()
            except Exception as error:  # noqa: BLE001 - the release reports whatever went wrong as an event
                yield "data: " + json.dumps({"error": {"message": str(error), "type": "server_error"}}) + "\n\n"
                yield "data: [DONE]\n\n"
                return
            if item is _END:
                return
            yield item
    finally:
        if task is not None and not task.done():
            await _cancel(task)
        await source.aclose()


async def padded(work: Awaitable[str], gone: Callable[[], bool]) -> AsyncIterator[str]:
    """A space now and every ten seconds, then the JSON text."""
    task = asyncio.ensure_future(work)
    yield " "
    try:
        async for alive in _wait(task, gone):
            if not alive:
                return
            yield " "
        yield task.result()
    finally:
        if not task.done():
            await _cancel(task)


class Clock:
    """The times of one request, from which its usage is made (facts 11.2)."""

    def __init__(self) -> None:
        self.start = time.perf_counter()
        self.first: float | None = None

    def token(self) -> None:
        if self.first is None:
            self.first = time.perf_counter()

    def durations(self) -> tuple[float, float]:
        """Seconds of prefill and of generation so far."""
        end = time.perf_counter()
        first = self.first if self.first is not None else end
        return first - self.start, end - first

    def usage(self, call, *, streamed: bool, load_seconds: float) -> dict:
        prefill, generation = self.durations()
        known = {
            "prompt_tokens": call.prompt_tokens,
            "completion_tokens": call.completion_tokens,
            "total_tokens": call.prompt_tokens + call.completion_tokens,
            "input_tokens": call.prompt_tokens,
            "output_tokens": call.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": call.cached_tokens},
        }
        timings = {
            "time_to_first_token": round(prefill, 2),
            "total_time": round(prefill + generation, 2),
            "prompt_eval_duration": round(prefill, 2),
            "generation_duration": round(generation, 2),
            "prompt_tokens_per_second": round(call.prompt_tokens / prefill, 2) if prefill > 0 else 0.0,
            "generation_tokens_per_second": round(call.completion_tokens / generation, 2) if generation > 0 else 0.0,
        }
        if not streamed:
            return {**known, **dict.fromkeys(timings)}
        if load_seconds > 1:
            timings["model_load_duration"] = round(load_seconds, 2)
        return {**known, **timings}
