"""What a loaded model does: answers and vectors derived from names and texts, at a pretended speed, with DFlash's quirks.

Facts 8.1 (DFlash: one request at a time, sampling ignored, never counted, gone for good after one long prompt), 7.4 (an unload
aborts what runs: the caller hears nothing more), 8.2 (thinking).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

log = logging.getLogger("omlx.engine")

CHARACTERS_PER_TOKEN = 4
BLOCK = 256
"""Tokens of one block of the prefix cache."""

WORDS = (
    "apple basalt cedar delta ember fjord grove harbor iris juniper kelp lagoon maple nectar olive pebble quartz river sage "
    "tundra umber valley willow xenon yarrow zephyr amber birch coral dune elm fern glacier heron island jade"
).split()


def count_tokens(text: str) -> int:
    return max(1, -(-len(text.encode()) // CHARACTERS_PER_TOKEN))


def dflash_max_context() -> int:
    """$DFLASH_MAX_CTX, 4096 by default (engine/dflash.py:65-71)."""
    try:
        return int(os.environ.get("DFLASH_MAX_CTX", "") or 4096)
    except ValueError:
        return 4096


async def never() -> None:
    """Waits for ever: what a caller of an unloaded engine gets in 0.3.8."""
    await asyncio.Event().wait()


@dataclass
class Call:
    """One request as the engine sees it."""

    prompt: str
    prompt_tokens: int
    max_tokens: int
    """How many tokens the answer may have."""
    length: int
    """How many it has unless cut: the whole of `max_tokens` where the request sets it."""
    thinking_tokens: int = 0
    stop: list[str] = field(default_factory=list)
    cached_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: str = "stop"


class Engine:
    """One loaded model."""

    def __init__(self, model_id: str, path: str, engine_type: str, *, dflash: bool, concurrency: int, faults) -> None:
        self.model_id = model_id
        self.path = path
        self.engine_type = engine_type
        self.dflash = dflash
        self.faults = faults
        self.stopped = False
        self.active = 0
        self.waiting = 0
        self._slots = asyncio.Semaphore(1 if dflash else concurrency)
        self._concurrency = concurrency
        self._blocks: set[bytes] = set()

    @property
    def counted(self) -> bool:
        """Only scheduler engines show in active and waiting (facts 6.4)."""
        return self.engine_type in ("batched", "vlm") and not self.dflash

    def stop(self) -> None:
        self.stopped = True

    async def generate(self, call: Call) -> AsyncIterator[tuple[str, str]]:
        """("reasoning" | "content", text) token by token."""
        if self.dflash and call.prompt_tokens >= dflash_max_context():
            self._leave_dflash(call.prompt_tokens)
        slots = self._slots
        self.waiting += 1
        try:
            await slots.acquire()
        finally:
            self.waiting -= 1
        self.active += 1
        try:
            async for piece in self._run(call):
                yield piece
        finally:
            self.active -= 1
            slots.release()

    def _leave_dflash(self, prompt_tokens: int) -> None:
        log.warning(
            "DFlash context fallback: %d >= %d tokens, evicting dflash models and switching to batched engine",
            prompt_tokens, dflash_max_context(),
        )  # fmt: skip
        self.dflash = False
        self._slots = asyncio.Semaphore(self._concurrency)

    async def _run(self, call: Call) -> AsyncIterator[tuple[str, str]]:
        dflash = self.dflash
        call.cached_tokens = 0 if dflash else self._cached(call.prompt)
        await self._pace(call.prompt_tokens - call.cached_tokens, self.faults.number("prefill_tokens_per_second"))
        call.finish_reason = "length" if call.length >= call.max_tokens else "stop"
        said = ""
        for number, text in enumerate(self._tokens(call)):
            await self._pace(1, self.faults.number("tokens_per_second"))
            call.completion_tokens = number + 1
            if number < call.thinking_tokens:
                yield "reasoning", text
                continue
            cut = None if dflash else _first_stop(said + text, call.stop)
            if cut is not None:
                call.finish_reason = "stop"
                if len(said) < cut:
                    yield "content", (said + text)[len(said) : cut]
                return
            said += text
            yield "content", text
        if dflash:
            call.finish_reason = "stop"

    async def _pace(self, tokens: int, rate: float) -> None:
        await asyncio.sleep(tokens / rate if rate > 0 else 0)
        if self.stopped:
            await never()

    def _tokens(self, call: Call) -> AsyncIterator[str]:
        """The answer: the model's name, then words that depend on name and prompt; or what the control file says."""
        scripted = self._scripted(call.prompt)
        total = min(call.length, call.max_tokens)
        for number in range(min(call.thinking_tokens, total)):
            yield _word(f"{self.model_id}\0think\0{call.prompt}", number) + " "
        rest = max(0, total - call.thinking_tokens)
        if scripted is not None:
            words = [word + " " for word in str(scripted).split(" ")]
            words[-1] = words[-1][:-1]
            yield from words[:rest]
            return
        for number in range(rest):
            yield f"[{self.model_id}]" if number == 0 else " " + _word(f"{self.model_id}\0{call.prompt}", number)

    def _scripted(self, prompt: str) -> str | None:
        """What the control file makes the model say."""
        mark = self.faults.get("echo_after")
        if mark and str(mark) in prompt:
            return prompt.rsplit(str(mark), 1)[1].split("\n", 1)[0].removesuffix("<|im_end|>")
        answers = self.faults.get("answers") or {}
        return answers.get(self.model_id, answers.get("*"))

    def _cached(self, prompt: str) -> int:
        """Tokens of leading blocks seen before (facts 11.2: 256-token blocks)."""
        size = BLOCK * CHARACTERS_PER_TOKEN
        digest, cached, hit = hashlib.sha256(self.path.encode()), 0, True
        for start in range(0, len(prompt) - size + 1, size):
            digest.update(prompt[start : start + size].encode())
            key = digest.digest()[:8]
            hit = hit and key in self._blocks
            cached += BLOCK if hit else 0
            if len(self._blocks) < 100_000:
                self._blocks.add(key)
        return cached

    async def embed(self, texts: list[str], dimensions: int) -> list[list[float]]:
        await self._pace(sum(count_tokens(text) for text in texts), self.faults.number("prefill_tokens_per_second"))
        identity = os.path.basename(os.path.realpath(self.path))
        return [vector(identity, text, dimensions) for text in texts]


def vector(weights: str, text: str, dimensions: int) -> list[float]:
    """A unit vector that depends on the weights and the text only: two names of the same weights agree, two weights never."""
    raw = hashlib.shake_256(f"{weights}\0{text}".encode()).digest(dimensions * 2)
    values = [number / 32768.0 for number in struct.unpack(f"<{dimensions}h", raw)]
    norm = sum(value * value for value in values) ** 0.5 or 1.0
    return [value / norm for value in values]


def _word(seed: str, number: int) -> str:
    return WORDS[hashlib.sha256(f"{seed}\0{number}".encode()).digest()[0] % len(WORDS)]


def _first_stop(text: str, stops: list[str]) -> int | None:
    found = [text.index(stop) for stop in stops if stop and stop in text]
    return min(found) if found else None
