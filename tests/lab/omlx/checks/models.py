"""Facts 5: which directories are models, under which names, and how names are looked up."""

from __future__ import annotations

import shutil

from .harness import Box, equal, fact


def names(server) -> list[str]:
    return [one["id"] for one in server.get("/v1/models").json()["data"]]


@fact("5.1", "links, one folder below, no hidden, dangling, adapter or weightless directories", both=True)
def discovery(box: Box) -> None:
    weights = box.directory / "weights"
    box.model("source").rename(weights)
    (box.models / "org").mkdir()
    (box.models / "org" / "linked").symlink_to(weights)
    (box.models / "direct").symlink_to(weights)
    (box.models / "dangling").symlink_to(box.directory / "nowhere")
    (box.models / ".hidden").symlink_to(weights)
    (box.models / "deep" / "deeper").mkdir(parents=True)
    (box.models / "deep" / "deeper" / "model").symlink_to(weights)
    shutil.copytree(weights, box.models / "adapter")
    (box.models / "adapter" / "adapter_config.json").write_text("{}")
    (box.models / "weightless").mkdir()
    (box.models / "weightless" / "config.json").write_text("{}")
    hub = box.models / "models--Org--Name"
    (hub / "refs").mkdir(parents=True)
    (hub / "refs" / "main").write_text("abc123")
    (hub / "snapshots").mkdir()
    (hub / "snapshots" / "abc123").symlink_to(weights)
    box.settings()
    server = box.start()
    equal(names(server), ["Name", "direct", "linked"])
    equal(server.model_status("linked")["model_path"], str(box.models / "org" / "linked"), "the path is not resolved")
    equal(server.status()["default_model"], "direct", "the first discovered is the default")


@fact("5.1", "across roots the first wins, with a warning", both=True)
def duplicate_roots(box: Box) -> None:
    box.model("same")
    second = box.directory / "second"
    shutil.copytree(box.models, second)
    box.settings(model={"model_dirs": [str(box.models), str(second)]})
    server = box.start()
    equal(server.model_status("same")["model_path"], str(box.models / "same"))


@fact("5.1", "inside one root the later directory takes the name without a word")
def duplicate_inside(box: Box) -> None:
    box.model("org-a/same")
    box.model("org-b/same")
    box.settings()
    server = box.start()
    equal(server.model_status("same")["model_path"], str(box.models / "org-b" / "same"))
    equal(server.status()["models_discovered"], 1)


@fact("5.1", "a root that is itself a model serves it under its own name", both=True)
def root_is_model(box: Box) -> None:
    path = box.model("alone")
    box.settings(model={"model_dirs": [str(path)]})
    equal(names(box.start()), ["alone"])


@fact("5.1", "lookup: exact, any case, one prefix stripped; else 404 with the names", both=True)
def lookup(box: Box) -> None:
    box.model("Fast")
    box.settings()
    server = box.start()
    for name in ("Fast", "fAST", "omlx/Fast", "omlx/FAST"):
        equal(server.chat(name).status, 200, name)
    equal(server.chat(None).status == 200 or box.release != "0.3.8", True, "no name: the default")
    answer = server.chat("nope")
    message = "Model 'nope' not found. Available models: Fast"
    equal((answer.status, answer.json()["error"]["message"]), (404, message))
    equal(server.chat("Fast:thinking").status, 404, "no exposed profiles")


@fact("5.2", "two names of one directory are two models: both loaded, memory counted twice", both=True)
def twins(box: Box) -> None:
    weights = box.directory / "weights"
    box.model("source").rename(weights)
    for name in ("deep", "fast"):
        (box.models / name).symlink_to(weights)
    box.settings()
    server = box.start()
    for name in ("deep", "fast"):
        equal(server.chat(name).status, 200)
    one = server.model_status("deep")["estimated_size"]
    equal(server.get("/v1/models/status").json()["current_model_memory"], 2 * one)


@fact("5.3", "the directory's name decides what a Qwen 3 is; model_type_override beats it", both=True)
def types_by_name(box: Box) -> None:
    for name in ("chat", "my-embedder", "a-reranker", "forced-embed"):
        box.model(name)
    box.settings()
    box.model_settings(**{"forced-embed": {"model_type_override": "llm"}})
    server = box.start()
    types = {one["id"]: one["model_type"] for one in server.get("/v1/models/status").json()["models"]}
    equal(types, {"chat": "llm", "my-embedder": "embedding", "a-reranker": "reranker", "forced-embed": "llm"})


@fact("6.1", "estimated_size is 1.05 times the weights' files", both=True)
def estimated(box: Box) -> None:
    path = box.model("a")
    box.settings()
    size = sum(one.stat().st_size for one in path.glob("*.safetensors"))
    equal(box.start().model_status("a")["estimated_size"], int(size * 1.05))
