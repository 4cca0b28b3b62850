"""Facts 6.1: budgets, admission, eviction, TTL and pins, with weights that pretend to be large."""

from __future__ import annotations

import json

from .harness import GIB, Box, Server, equal, fact, wait_until

# Facts 6.1: RAM → max_process_memory, max_model_memory, in GiB.
BUDGETS = [
    (16, 12.8, 11.52), (24, 19.2, 17.28), (32, 25.6, 23.04), (36, 28.8, 25.92), (48, 40, 36), (64, 56, 50.4), (96, 88, 79.2),
    (128, 120, 108), (192, 184, 165.6), (256, 248, 223.2), (512, 504, 453.6),
]  # fmt: skip


@fact("6.1", "the table of budgets by RAM")
def budgets(box: Box) -> None:
    from contract.settings import Settings

    settings = Settings(box.base)
    for ram, process, model in BUDGETS:
        equal(round(settings.process_budget(ram * GIB) / GIB, 2), process, f"process memory of {ram} GiB")
        equal(round(settings.model_budget(ram * GIB) / GIB, 2), model, f"model memory of {ram} GiB")
    box.settings()
    server = box.start(LAB_OMLX_MEMSIZE=str(16 * GIB))
    equal(round(server.get("/health").json()["engine_pool"]["max_model_memory"] / GIB, 2), 11.52)


def sized(box: Box, sizes: dict[str, float], *, ram: int = 64, model_settings: dict | None = None, **sections) -> Server:
    """A server with models of so many GiB as oMLX estimates them."""
    for name, gib in sizes.items():
        box.model(name, size=int(gib * GIB / 1.05))
    box.settings(**sections)
    if model_settings:
        box.model_settings(**model_settings)
    return box.start(LAB_OMLX_MEMSIZE=str(ram * GIB))


@fact("6.1", "a model above the budget is 507 at once; the admin API calls it 500")
def too_large(box: Box) -> None:
    server = sized(box, {"huge": 51})
    answer = server.chat("huge")
    equal((answer.status, answer.json()["error"]["type"]), (507, "server_error"))
    equal(server.load("huge").status, 500)


@fact("6.1", "a quarter more is asked for than the weights need, and given up where nothing can be evicted")
def kv_factor(box: Box) -> None:
    # Budget 50.4: b needs 20 x 1.25 = 25 beside a's 26: a goes.
    server = sized(box, {"a": 26, "b": 20})
    equal((server.chat("a").status, server.chat("b").status), (200, 200))
    equal(server.loaded(), ["b"])


@fact("6.1", "…with the other pinned, the weights alone are enough")
def kv_fallback(box: Box) -> None:
    server = sized(box, {"a": 26, "b": 20, "c": 25}, model_settings={"a": {"is_pinned": True}})
    equal(server.loaded(), ["a"])
    equal(server.chat("b").status, 200)
    equal(server.loaded(), ["a", "b"])
    server.put("b", is_pinned=True)
    equal(server.chat("c").status, 507, "nothing left to evict")


@fact("6.1", "the victim is the one used longest ago, never a pinned or a busy one")
def lru(box: Box) -> None:
    server = sized(box, {"a": 12, "b": 12, "c": 12, "d": 12})
    for name in ("a", "b", "c"):
        equal(server.chat(name).status, 200)
    equal(server.chat("a").status, 200)
    equal(server.chat("d").status, 200)
    equal(server.loaded(), ["a", "c", "d"])
    box.faults(tokens_per_second=50)
    stream = server.stream("a")
    server.put("c", is_pinned=True)
    equal(server.chat("b").status, 200)
    equal(server.loaded(), ["a", "b", "c"], "d went: a is busy, c is pinned")
    stream.close()


@fact("6.1", "process memory counts the weights themselves, and limits a load on its own")
def process_limit(box: Box) -> None:
    sections = {"memory": {"max_process_memory": "30GB"}, "model": {"max_model_memory": "disabled"}}
    server = sized(box, {"a": 20, "b": 20}, **sections)
    equal(server.get("/health").json()["engine_pool"]["max_model_memory"], None)
    equal((server.chat("a").status, server.chat("b").status), (200, 200))
    equal(server.loaded(), ["b"])
    server.put("b", is_pinned=True)
    equal(server.chat("a").status, 507)


@fact("6.1", "pinned models load before the enforcer exists: the process limit does not hold for them")
def pinned_beyond(box: Box) -> None:
    sections = {"memory": {"max_process_memory": "30GB"}}
    server = sized(box, {"a": 20, "b": 20}, model_settings={"a": {"is_pinned": True}, "b": {"is_pinned": True}}, **sections)
    equal(server.loaded(), ["a", "b"])


@fact("6.1", "the port stays closed while pinned models load; a pinned model that fails is passed over")
def closed_port(box: Box) -> None:
    box.model("a", size=GIB)
    box.model("b", size=GIB)
    box.settings()
    box.model_settings(a={"is_pinned": True}, b={"is_pinned": True})
    box.faults(load_seconds_per_gib=0.8, fail_load=["b"])
    server = box.start(wait=False)
    wait_until(lambda: "Loading model: a" in server.output(), "the load begins")
    equal(server.is_open(), False)
    server.wait_ready()
    equal(server.loaded(), ["a"])
    output = server.output()
    equal(output.index("Loaded model: a") < output.index("Application startup complete"), True)


@fact("6.1", "one lock: a request to a loaded model waits while another loads")
def one_lock(box: Box) -> None:
    import threading

    server = sized(box, {"a": 1, "b": 1})
    equal(server.chat("a").status, 200)
    box.faults(load_seconds_per_gib=1.0)
    loading = threading.Thread(target=server.chat, args=("b",))
    loading.start()
    wait_until(lambda: server.status()["models_loading"] == 1, "b is loading")
    box_time = __import__("time").monotonic
    started = box_time()
    equal(server.chat("a").status, 200)
    equal(box_time() - started > 0.3, True, "it waited")
    loading.join()


@fact("7.3", "a live change of max_model_memory evicts; of max_process_memory to disabled and back kills the TTL")
def live_limits(box: Box) -> None:
    server = sized(box, {"a": 10, "b": 10})
    equal((server.chat("a").status, server.chat("b").status), (200, 200))
    equal(server.admin("POST", "/global-settings", {"max_model_memory": "12GB"}).status, 200)
    equal(server.loaded(), ["b"])
    for value in ("disabled", "auto"):
        equal(server.admin("POST", "/global-settings", {"max_process_memory": value}).status, 200)
    server.put("b", ttl_seconds=0)
    import time

    time.sleep(2.2)  # two ticks in which nothing may happen: there is no level to wait for
    equal(server.loaded(), ["b"])


@fact("lab", "what is loaded is written for the host's vm_stat, drafts included, and gone after a clean stop")
def wired(box: Box) -> None:
    wired = box.directory / "wired"
    wired.mkdir()
    draft = box.model("draft", kind="draft", size=GIB)
    draft = draft.rename(box.directory / "draft")
    settings = {"a": {"dflash_enabled": True, "dflash_draft_model": str(draft)}}
    server = sized(box, {"a": 10.5}, model_settings=settings)
    file = wired / f"omlx-{box.port}.json"
    equal(server.chat("a").status, 200)
    equal(json.loads(file.read_text())["bytes"], int(10.5 * GIB / 1.05) + GIB)
    equal(server.get("/v1/models/status").json()["current_model_memory"], int(int(10.5 * GIB / 1.05) * 1.05), "without the draft")
    server.ask("POST", "/v1/models/a/unload")
    equal(json.loads(file.read_text())["bytes"], 0)
    server.stop()
    equal(file.exists(), False)
