"""The endpoints for clients: /health, /api/status, /v1/* (facts 6.3, 6.4, 8.1, 8.2, 11.2)."""

from __future__ import annotations

import base64
import json
import logging
import struct
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from . import VERSION, stream
from .discovery import read_json
from .engine import Call, Engine, count_tokens
from .pool import ModelNotFound, PoolError
from .sizes import format_size
from .validate import ANY, BOOL, DICT, FLOAT, INT, LIST, STR, body, fields
from .wire import HttpError, Request, Response

log = logging.getLogger("omlx.server")

SAMPLING = {
    "model": STR, "max_tokens": INT, "temperature": FLOAT, "top_p": FLOAT, "top_k": INT, "min_p": FLOAT, "stream": BOOL,
    "stream_options": DICT, "stop": ANY, "chat_template_kwargs": DICT, "thinking_budget": INT,
}  # fmt: skip


# --- State


async def health(app, _request: Request) -> Response:
    status = app.pool.status()
    summary = {key: status[key] for key in ("model_count", "loaded_count", "max_model_memory", "current_model_memory")}
    return Response.json({"status": "healthy", "default_model": app.default_model, "engine_pool": summary, "mcp": None})


async def status(app, _request: Request) -> Response:
    pool, snapshot = app.pool, app.metrics.snapshot()
    loaded = pool.loaded()
    counted = [entry.engine for entry in loaded if entry.engine.counted]
    used, limit = pool.current_memory(), pool.max_model_memory
    return Response.json({
        "status": "ok",
        "version": app.faults.get("release", VERSION),
        "uptime_seconds": snapshot["uptime_seconds"],
        "models_discovered": len(pool.entries),
        "models_loaded": len(loaded),
        "models_loading": sum(entry.loading for entry in pool.entries.values()),
        "default_model": app.default_model,
        "loaded_models": [entry.id for entry in loaded],
        "total_requests": snapshot["total_requests"],
        "active_requests": sum(engine.active for engine in counted),
        "waiting_requests": sum(engine.waiting for engine in counted),
        "total_prompt_tokens": snapshot["total_prompt_tokens"],
        "total_completion_tokens": snapshot["total_completion_tokens"],
        "total_cached_tokens": snapshot["total_cached_tokens"],
        "cache_efficiency": snapshot["cache_efficiency"],
        "avg_prefill_tps": snapshot["avg_prefill_tps"],
        "avg_generation_tps": snapshot["avg_generation_tps"],
        "model_memory_used": used,
        "model_memory_max": limit,
        "model_memory_used_formatted": format_size(used) if used else "0B",
        "model_memory_max_formatted": format_size(limit) if limit else "unlimited",
    })  # fmt: skip


async def models(app, _request: Request) -> Response:
    moment = int(time.time())
    names = [app.model_settings.get(name)["model_alias"] or name for name in sorted(app.pool.entries)]
    data = [{"id": name, "object": "model", "created": moment, "owned_by": "omlx"} for name in names + app.faults.hostile_models()]
    return Response.json({"object": "list", "data": data})


async def models_status(app, _request: Request) -> Response:
    answer = app.pool.status()
    for one in answer["models"]:
        settings = app.model_settings.get(one["id"])
        one["max_context_window"] = context_window(app, settings)
        one["max_tokens"] = settings["max_tokens"] if settings["max_tokens"] is not None else app.sampling["max_tokens"]
    if answer["models"]:
        answer["models"] += [{**answer["models"][0], "id": name} for name in app.faults.hostile_models()]
    return Response.json(answer)


async def unload(app, _request: Request, model_id: str) -> Response:
    """By id only, never by alias (facts 6.3)."""
    entry = app.pool.entries.get(model_id)
    if entry is None:
        raise HttpError(404, f"Model not found: {model_id}")
    if entry.engine is None:
        raise HttpError(400, f"Model not loaded: {model_id}")
    await app.pool.unload(model_id)
    return Response.json({"status": "ok", "model_id": model_id})


# --- Engines


def context_window(app, settings: dict) -> int:
    own = settings["max_context_window"]
    return own if own is not None else app.sampling["max_context_window"]


async def engine_for(app, name: str | None, *, embedding: bool) -> Engine:
    """The engine that answers to a name, an alias or, for chat, nothing; loads it."""
    pool = app.pool
    model_id = name or (None if embedding else app.default_model)
    if model_id is None:
        raise HttpError(400, "Model ID is required for embedding engines" if embedding else
                        "No model specified and no default model set")  # fmt: skip
    model_id = pool.resolve(model_id)
    try:
        engine = await _load(app, model_id, fallback=not embedding)
    except ModelNotFound:
        shown = [app.model_settings.get(one)["model_alias"] or one for one in pool.entries]
        raise HttpError(404, f"Model '{model_id}' not found. Available models: {', '.join(shown) or '(none)'}") from None
    except PoolError as error:
        raise HttpError(error.status, str(error)) from None
    if embedding and engine.engine_type != "embedding":
        raise HttpError(400, f"Model '{model_id}' is not an embedding model. Use /v1/chat/completions for LLM models.")
    if not embedding and engine.engine_type not in ("batched", "vlm"):
        hint = {"embedding": " Use /v1/embeddings for embedding models."}.get(engine.engine_type, "")
        raise HttpError(400, f"Model '{model_id}' is not an LLM / chat model.{hint}")
    return engine


async def _load(app, model_id: str, *, fallback: bool) -> Engine:
    try:
        return await app.pool.engine(model_id)
    except ModelNotFound:
        if fallback and app.settings.section("model")["model_fallback"] and app.default_model in app.pool.entries:
            log.info("Model '%s' not found, falling back to default model '%s'", model_id, app.default_model)
            return await app.pool.engine(app.default_model)
        raise


# --- Text


def thinking_tokens(app, engine: Engine, settings: dict, values: dict, limit: int) -> int:
    """How many tokens the model thinks: template switches merged in the order of facts 8.2."""
    entry = app.pool.entries.get(engine.model_id)
    if entry is None or entry.model.thinking_default is None:
        return 0
    switches = dict(settings["chat_template_kwargs"] or {})
    if settings["enable_thinking"] is not None:
        switches["enable_thinking"] = settings["enable_thinking"]
    forced = settings["forced_ct_kwargs"] or []
    switches.update({key: value for key, value in (values.get("chat_template_kwargs") or {}).items() if key not in forced})
    budget = values.get("thinking_budget")
    if not budget and settings["thinking_budget_enabled"] and settings["thinking_budget_tokens"]:
        budget = settings["thinking_budget_tokens"]
    if budget:
        switches.setdefault("enable_thinking", True)
    if not switches.get("enable_thinking", entry.model.thinking_default):
        return 0
    return min(budget or 8, limit // 2)


def prepare(app, engine: Engine, prompt: str, values: dict, *, chat: bool) -> Call:
    """The engine's call; 400 for a prompt beyond the context window."""
    settings = app.model_settings.get(engine.model_id)
    tokens, window = count_tokens(prompt), context_window(app, settings)
    if tokens > window:
        raise HttpError(400, f"Prompt too long: {tokens} tokens exceeds max context window of {window} tokens")
    configured = settings["max_tokens"] if settings["max_tokens"] is not None else app.sampling["max_tokens"]
    asked = None if settings["force_sampling"] else values.get("max_tokens")
    limit = asked if asked is not None else configured
    stop = values.get("stop") or []
    call = Call(
        prompt=prompt,
        prompt_tokens=tokens,
        max_tokens=limit,
        length=limit if asked is not None else int(app.faults.number("answer_tokens", 32)),
        stop=[stop] if isinstance(stop, str) else [str(one) for one in stop],
    )
    call.thinking_tokens = thinking_tokens(app, engine, settings, values, min(call.length, limit)) if chat else 0
    return call


def chat_prompt(messages: list) -> str:
    parts = []
    for message in messages:
        if not isinstance(message, dict):
            raise HttpError(422, [{"type": "model_type", "loc": ["body", "messages"], "msg": "Input should be a valid dictionary",
                                   "input": message}])  # fmt: skip
        content = message.get("content")
        if isinstance(content, list):
            content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
        parts.append(f"<|im_start|>{message.get('role', 'user')}\n{content or ''}<|im_end|>\n")
    return "".join(parts) + "<|im_start|>assistant\n"


async def chat(app, request: Request) -> Response:
    data = body(request)
    values = fields(data, {**SAMPLING, "messages": LIST}, required=("messages",))
    return await answer(app, request, values, chat_prompt(values["messages"]), Chat)


async def completions(app, request: Request) -> Response:
    values = fields(body(request), {**SAMPLING, "prompt": ANY}, required=("prompt",))
    prompt = values["prompt"]
    return await answer(app, request, values, "".join(map(str, prompt)) if isinstance(prompt, list) else str(prompt), Completion)


class Chat:
    """The shapes of /v1/chat/completions."""

    chat = True
    prefix, whole, piece = "chatcmpl", "chat.completion", "chat.completion.chunk"
    separators = (",", ":")

    @staticmethod
    def opening() -> list[dict]:
        return [{"index": 0, "delta": {"role": "assistant"}}]

    @staticmethod
    def part(kind: str, text: str) -> dict:
        return {"index": 0, "delta": {"reasoning_content" if kind == "reasoning" else "content": text}}

    @staticmethod
    def closing(reason: str) -> dict:
        return {"index": 0, "delta": {}, "finish_reason": reason}

    @staticmethod
    def choice(content: str, reasoning: str, reason: str) -> dict:
        message = {"role": "assistant", "content": content}
        if reasoning:
            message["reasoning_content"] = reasoning
        return {"index": 0, "message": message, "finish_reason": reason}


class Completion:
    """The shapes of /v1/completions; its events have spaces in their JSON, as json.dumps makes them."""

    chat = False
    prefix, whole, piece = "cmpl", "text_completion", "text_completion"
    separators = (", ", ": ")

    @staticmethod
    def opening() -> list[dict]:
        return []

    @staticmethod
    def part(_kind: str, text: str) -> dict:
        return {"index": 0, "text": text, "finish_reason": None}

    @staticmethod
    def closing(reason: str) -> dict:
        return {"index": 0, "text": "", "finish_reason": reason}

    @staticmethod
    def choice(content: str, _reasoning: str, reason: str) -> dict:
        return {"index": 0, "text": content, "finish_reason": reason}


async def answer(app, request: Request, values: dict, prompt: str, shape) -> Response:
    started = time.perf_counter()
    engine = await engine_for(app, values.get("model"), embedding=False)
    load_seconds = time.perf_counter() - started
    call = prepare(app, engine, prompt, values, chat=shape.chat)
    head = {
        "id": f"{shape.prefix}-{uuid.uuid4().hex[:8]}",
        "object": shape.piece if values.get("stream") else shape.whole,
        "created": int(time.time()),
        "model": values.get("model") or app.default_model,
    }
    gone = lambda: request.gone  # noqa: E731
    if values.get("stream"):
        usage = bool((values.get("stream_options") or {}).get("include_usage"))
        source = _events(app, engine, call, head, shape, include_usage=usage, load_seconds=load_seconds)
        return Response(
            body=stream.events(source, gone), content_type="text/event-stream; charset=utf-8",
            headers={"x-accel-buffering": "no", "cache-control": "no-cache"},
        )  # fmt: skip
    return Response(body=stream.padded(_whole(app, engine, call, head, shape), gone))


async def _whole(app, engine: Engine, call: Call, head: dict, shape) -> str:
    clock, said = stream.Clock(), {"content": "", "reasoning": ""}
    async for kind, text in engine.generate(call):
        clock.token()
        said[kind] += text
    _finish(app, engine, call, clock)
    choice = shape.choice(said["content"], said["reasoning"], call.finish_reason)
    usage = clock.usage(call, streamed=False, load_seconds=0)
    return json.dumps({**head, "choices": [choice], "usage": usage}, separators=(",", ":"), ensure_ascii=False)


async def _events(app, engine: Engine, call: Call, head: dict, shape, *, include_usage: bool, load_seconds: float) -> AsyncIterator[str]:
    clock = stream.Clock()

    def event(choices: list[dict], **more) -> str:
        text = json.dumps({**head, "choices": choices, **more}, separators=shape.separators, ensure_ascii=False)
        return f"data: {text}\n\n"

    if shape.opening():
        yield event(shape.opening())
    async for kind, text in engine.generate(call):
        clock.token()
        yield event([shape.part(kind, text)])
    _finish(app, engine, call, clock)
    yield event([shape.closing(call.finish_reason)])
    if include_usage:
        yield event([], usage=clock.usage(call, streamed=True, load_seconds=load_seconds))
    yield "data: [DONE]\n\n"


def _finish(app, engine: Engine, call: Call, clock: stream.Clock) -> None:
    prefill, generation = clock.durations()
    app.metrics.record(engine.model_id, call.prompt_tokens, call.completion_tokens, call.cached_tokens, prefill, generation)
    log.info("Completion: %d tokens in %.2fs, prompt: %d", call.completion_tokens, prefill + generation, call.prompt_tokens)


# --- Vectors


async def embeddings(app, request: Request) -> Response:
    kinds = {"model": STR, "input": ANY, "encoding_format": STR, "dimensions": INT}
    values = fields(body(request), kinds, required=("model", "input"))
    engine = await engine_for(app, values["model"], embedding=True)
    texts = [values["input"]] if isinstance(values["input"], str) else values["input"]
    if not texts:
        raise HttpError(400, "Input cannot be empty")
    started = time.perf_counter()
    declared = read_json(Path(engine.path) / "config.json").get("hidden_size", 64)
    vectors = await engine.embed([str(text) for text in texts], int(declared))
    if values.get("dimensions"):
        vectors = [one[: values["dimensions"]] for one in vectors]
    tokens = sum(count_tokens(str(text)) for text in texts)
    app.metrics.record(engine.model_id, tokens, 0, 0, time.perf_counter() - started, 0.0)
    packed = values.get("encoding_format") == "base64"
    data = [{"object": "embedding", "index": number, "embedding": _base64(one) if packed else one} for number, one in enumerate(vectors)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return Response.json({"object": "list", "data": data, "model": values["model"], "usage": usage})


def _base64(values: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
