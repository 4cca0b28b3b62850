"""The engine pool: what is loaded, what fits, what is evicted (facts 5.2, 6.1).

The arithmetic works on sums of estimates, not on measurements; one lock is held through a whole load, so that every other
request waits.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from . import discovery
from .engine import Engine
from .sizes import GIB, format_size

log = logging.getLogger("omlx.engine_pool")

KV_FACTOR = 1.25
"""Room a model asks for over its weights, before it settles for the weights alone (engine_pool.py:343-412)."""


class PoolError(Exception):
    """A load that failed: `status` is the HTTP status of an inference request that hits it."""

    status = 500


class ModelNotFound(PoolError):
    status = 404


class NoRoom(PoolError):
    status = 507


@dataclass
class Entry:
    """One name in the pool."""

    model: discovery.Model
    pinned: bool = False
    engine: Engine | None = None
    loading: bool = False
    last_access: float = 0.0
    draft_bytes: int = 0

    @property
    def id(self) -> str:
        return self.model.id

    @property
    def estimated_size(self) -> int:
        return self.model.estimated_size

    def status(self) -> dict:
        model = self.model
        return {
            "id": model.id,
            "model_path": model.path,
            "loaded": self.engine is not None,
            "is_loading": self.loading,
            "estimated_size": model.estimated_size,
            "pinned": self.pinned,
            "engine_type": model.engine_type,
            "model_type": model.type,
            "config_model_type": model.config_type,
            "thinking_default": model.thinking_default,
            "preserve_thinking_default": model.preserve_thinking_default,
            "last_access": self.last_access or None,
        }


class Pool:
    """All names; `max_model_memory` and `process_limit` in bytes, None where disabled."""

    def __init__(self, model_settings, faults, wired, *, max_model_memory: int | None, concurrency: int) -> None:
        self.model_settings = model_settings
        self.faults = faults
        self.wired = wired
        self.max_model_memory = max_model_memory
        self.process_limit: int | None = None
        self.concurrency = concurrency
        self.entries: dict[str, Entry] = {}
        self.lock = asyncio.Lock()

    # --- Names

    def discover(self, roots: list[Path]) -> None:
        """Scans again: loaded entries stay as they are, unloaded ones are made anew, vanished unloaded ones go."""
        found = discovery.discover_all(roots)
        pinned = set(self.model_settings.pinned())
        for model_id, model in found.items():
            existing = self.entries.get(model_id)
            if existing is not None and existing.engine is not None:
                existing.pinned = model_id in pinned
            else:
                self.entries[model_id] = Entry(model, pinned=model_id in pinned)
        for model_id in [name for name, entry in self.entries.items() if name not in found and entry.engine is None]:
            del self.entries[model_id]
        for model_id in pinned - self.entries.keys():
            log.warning("Pinned model not found: %s", model_id)
        log.info("Discovered %d models", len(self.entries))
        for model_id, entry in self.entries.items():
            override = self.model_settings.get(model_id)["model_type_override"]
            if override:
                entry.model.type = override

    def resolve(self, name: str) -> str:
        """Exact, then case-insensitive, then alias; then the same without one `prefix/` (facts 5.1)."""
        for candidate in (name, name.split("/", 1)[1] if "/" in name else None):
            if candidate is None:
                continue
            if candidate in self.entries:
                return candidate
            for known in self.entries:
                if known.lower() == candidate.lower():
                    return known
            by_alias = self.model_settings.by_alias(candidate)
            if by_alias is not None:
                return by_alias
        return name

    # --- Memory

    def loaded(self) -> list[Entry]:
        return [entry for entry in self.entries.values() if entry.engine is not None]

    def current_memory(self) -> int:
        """Sum of the estimates of loaded names: current_model_memory."""
        return sum(entry.estimated_size for entry in self.loaded())

    def active_memory(self) -> int:
        """What `mx.get_active_memory` would measure: the weights themselves, drafts included."""
        return sum(entry.model.weights + entry.draft_bytes for entry in self.loaded())

    def victim(self, *, keep: str | None = None) -> Entry | None:
        """The loaded name to give up first: not pinned, nothing counted as running, longest unused."""
        idle = [
            entry for entry in self.loaded()
            if entry.id != keep and not entry.pinned and not (entry.engine.counted and entry.engine.active)
        ]  # fmt: skip
        return min(idle, key=lambda entry: entry.last_access, default=None)

    async def _make_room(self, entry: Entry) -> None:
        size, budget = entry.estimated_size, self.max_model_memory
        if budget is not None:
            if size > budget:
                raise NoRoom(
                    f"Model '{entry.id}' is too large: {format_size(size)} exceeds max_model_memory {format_size(budget)}"
                )
            factor = 1.0 if entry.model.type.startswith("audio") else KV_FACTOR
            if not await self._evict_until(lambda: self.current_memory() + int(size * factor) <= budget, entry):
                if self.current_memory() + size > budget:
                    raise NoRoom(
                        f"Not enough memory for '{entry.id}': needs {format_size(size)}, {format_size(self.current_memory())} of "
                        f"{format_size(budget)} are in use and nothing can be evicted"
                    )
                log.info("Loading '%s' without KV headroom", entry.id)
        limit = self.process_limit
        if limit is not None and not await self._evict_until(lambda: self.active_memory() + size <= limit, entry):
            raise NoRoom(
                f"Not enough process memory for '{entry.id}': needs {format_size(size)}, {format_size(self.active_memory())} of "
                f"{format_size(limit)} are in use"
            )

    async def _evict_until(self, fits, entry: Entry) -> bool:
        while not fits():
            victim = self.victim(keep=entry.id)
            if victim is None:
                return False
            log.info("Evicting '%s' to fit '%s'", victim.id, entry.id)
            await self.unload(victim.id)
        return True

    # --- Loading

    async def engine(self, model_id: str) -> Engine:
        """The engine of a name, loaded if need be."""
        entry = self.entries.get(model_id)
        if entry is None:
            raise ModelNotFound(model_id)
        async with self.lock:
            if entry.engine is None:
                await self._make_room(entry)
                await self._load(entry)
            entry.last_access = time.time()
            return entry.engine

    async def _load(self, entry: Entry) -> None:
        log.info("Loading model: %s", entry.id)
        entry.loading = True
        try:
            await asyncio.sleep(self.faults.number("load_seconds_per_gib") * entry.estimated_size / GIB)
            if self.faults.refresh().fails_to_load(entry.id):
                raise PoolError(f"Failed to load model {entry.id}: [load] simulated failure")
            if not discovery.is_model(Path(entry.model.path)):
                raise PoolError(f"Failed to load model {entry.id}: [Errno 2] No such file or directory: '{entry.model.path}'")
            draft = self._draft(entry)
            entry.draft_bytes = discovery.weights_bytes(draft) if draft else 0
            entry.engine = Engine(
                entry.id, entry.model.path, entry.model.engine_type,
                dflash=draft is not None, concurrency=self.concurrency, faults=self.faults,
            )  # fmt: skip
        finally:
            entry.loading = False
        self.wired.write(self.active_memory())
        log.info("Loaded model: %s (estimated: %s)", entry.id, format_size(entry.estimated_size))

    def _draft(self, entry: Entry) -> Path | None:
        """The DFlash draft's directory; None where DFlash is off or fails to start, which only the log tells (facts 8.1)."""
        settings = self.model_settings.get(entry.id)
        if not settings["dflash_enabled"] or not settings["dflash_draft_model"] or entry.model.type not in ("llm", "vlm"):
            return None
        draft = Path(str(settings["dflash_draft_model"])).expanduser()
        log.info("DFlash enabled for %s, draft=%s", entry.id, settings["dflash_draft_model"])
        try:
            if not discovery.is_model(draft):
                raise ValueError(f"not a local model, and downloads are off: {draft}")
            discovery.weights_bytes(draft)
        except (OSError, ValueError) as error:
            log.warning("DFlash start failed for %s: %s. Falling back to %s engine.", entry.id, error, entry.model.engine_type)
            return None
        return draft

    async def unload(self, model_id: str) -> None:
        """Aborts what runs and frees the name; callers wait on for ever."""
        entry = self.entries.get(model_id)
        if entry is None or entry.engine is None:
            return
        log.info("Unloading model: %s (immediate abort)", model_id)
        entry.engine.stop()
        freed = entry.model.weights + entry.draft_bytes
        entry.engine, entry.last_access, entry.draft_bytes = None, 0.0, 0
        await asyncio.sleep(self.faults.number("unload_seconds_per_gib") * freed / GIB)
        self.wired.write(self.active_memory())
        log.info("Unloaded model: %s, freed=%s", model_id, format_size(freed))

    async def unload_all(self) -> None:
        for entry in self.loaded():
            await self.unload(entry.id)

    async def preload_pinned(self) -> None:
        """One after the other; a failure is logged and passed over (facts 6.1)."""
        for model_id in [name for name, entry in self.entries.items() if entry.pinned]:
            try:
                await self.engine(model_id)
                log.info("Preloaded pinned model: %s", model_id)
            except PoolError as error:
                log.error("Failed to preload pinned model %s: %s", model_id, error)

    # --- Every second

    async def expire(self, idle_timeout: int | None) -> None:
        """TTL: the model's own, else the global one; 0 and negative values expire at once (facts 3.1)."""
        now = time.time()
        for entry in self.loaded():
            ttl = self.model_settings.get(entry.id)["ttl_seconds"]
            ttl = idle_timeout if ttl is None else ttl
            if ttl is None or entry.pinned:
                continue
            if entry.engine.counted and entry.engine.active:
                entry.last_access = now
            elif now - entry.last_access >= ttl:
                log.info("TTL expired for model: %s", entry.id)
                await self.unload(entry.id)

    async def enforce(self) -> None:
        """The enforcer: above the process limit, one unpinned name a second goes, never the last one."""
        if self.process_limit is None or self.active_memory() <= self.process_limit:
            return
        unpinned = [entry for entry in self.loaded() if not entry.pinned]
        if len(unpinned) > 1:
            await self.unload(min(unpinned, key=lambda entry: entry.last_access).id)
        else:
            log.warning("Process memory above the limit with %d unpinned models loaded", len(unpinned))

    def status(self) -> dict:
        return {
            "max_model_memory": self.max_model_memory,
            "current_model_memory": self.current_memory(),
            "model_count": len(self.entries),
            "loaded_count": len(self.loaded()),
            "models": [entry.status() for _, entry in sorted(self.entries.items())],
        }
