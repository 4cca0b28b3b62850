"""Facts 1 to 3.2: command line, environment, settings.json, model_settings.json."""

from __future__ import annotations

import json
import os

from .harness import KEY, SECRET, Box, equal, fact, free_port

SECTIONS = [
    "version", "server", "model", "memory", "scheduler", "cache", "auth", "mcp", "huggingface", "modelscope", "network",
    "sampling", "logging", "claude_code", "integrations", "ui", "idle_timeout",
]  # fmt: skip


@fact("1.1", "--version is a usage error, exit 2", both=True)
def no_version(box: Box) -> None:
    equal(box.run("--version")[0], 2)


@fact("1.1", "a flag of a later release is a usage error, exit 2")
def unknown_flag(box: Box) -> None:
    equal(box.run("serve", "--memory-guard", "safe")[0], 2)


@fact("1.3", "environment beats the file, the command line beats both", both=True)
def precedence(box: Box) -> None:
    box.model("a")
    box.settings(server={"port": 1})
    flagged = free_port()
    server = box.start("--port", str(flagged), port=flagged, OMLX_PORT=str(free_port()), OMLX_LOG_LEVEL="warning")
    equal(server.get("/health", auth=None).status, 200)
    equal(box.read("settings.json")["server"]["port"], flagged, "the flag is saved")
    equal(box.read("settings.json")["server"]["log_level"], "warning", "the environment is baked in")


@fact("1.4", "a file with secret and aliases is byte-identical after a start and a stop", both=True)
def untouched(box: Box) -> None:
    box.model("a")
    box.settings()
    before = (box.base / "settings.json").read_bytes()
    box.start().stop()
    equal((box.base / "settings.json").read_bytes(), before)


@fact("1.4", "an empty secret is made and saved; unknown keys and sections go, `~` and links in model_dirs are resolved", both=True)
def secret_trigger(box: Box) -> None:
    box.model("a")
    (box.directory / "link").symlink_to(box.models)
    box.settings(auth={"secret_key": None}, fleetctl={"a": 1}, model={"model_dirs": ["~/link"]}, ui={"language": "de", "x": 1})
    box.start(OMLX_HF_ENDPOINT="https://hub.test")
    text = (box.base / "settings.json").read_text()
    document = json.loads(text)
    equal("fleetctl" in document, False, "unknown section")
    equal(document["ui"], {"language": "de"})
    equal(len(document["auth"]["secret_key"]), 64)
    equal(document["auth"]["api_key"], KEY)
    equal(document["model"]["model_dirs"], [str(box.models.resolve())])
    equal(document["model"]["model_dir"], str(box.models.resolve()))
    equal(document["huggingface"]["endpoint"], "https://hub.test", "the environment is baked in")
    equal([name for name in document if name in SECTIONS], SECTIONS, "order of sections")
    equal(text, json.dumps(document, indent=2), "byte form")


@fact("1.4", "empty aliases are filled and saved", both=True)
def alias_trigger(box: Box) -> None:
    box.model("a")
    box.settings(server={"server_aliases": []})
    box.start()
    equal(box.read("settings.json")["server"]["server_aliases"][:2], ["localhost", "127.0.0.1"])


@fact("1.4", "settings.json is written through a link, with the umask's mode", both=True)
def follows_link(box: Box) -> None:
    box.model("a")
    box.settings(auth={"secret_key": None})
    path, real = box.base / "settings.json", box.directory / "elsewhere.json"
    path.rename(real)
    path.symlink_to(real)
    box.start()
    equal(path.is_symlink(), True)
    equal(len(json.loads(real.read_text())["auth"]["secret_key"]), 64)
    equal(real.stat().st_mode & 0o777, 0o666 & ~_umask())


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


@fact("1.4", "an unreachable model directory is forgotten at the next save", both=True)
def lost_directory(box: Box) -> None:
    box.model("a")
    (box.directory / "file").write_text("")
    gone = str(box.directory / "file" / "below")
    box.settings(auth={"secret_key": None}, model={"model_dirs": [gone, str(box.models)]})
    box.start()
    equal(box.read("settings.json")["model"]["model_dirs"], [str(box.models)])


@fact("1.5", "malformed JSON: starts with defaults and without a key, and overwrites the file", both=True)
def malformed(box: Box) -> None:
    box.write("settings.json", '{"server": {"port"')
    server = box.start(OMLX_PORT=str(box.port))
    equal(server.get("/v1/models", auth=None).status, 200, "no key")
    equal(box.read("settings.json")["auth"]["api_key"], None)


@fact("1.5", "a section that is null: traceback, exit 1", both=True)
def null_section(box: Box) -> None:
    box.settings(cache=None)
    status, output = box.run("serve", "--base-path", str(box.base))
    equal(status, 1)
    equal("AttributeError" in output, True, "traceback")


@fact("1.5", "a value of the wrong type: TypeError, exit 1", both=True)
def wrong_type(box: Box) -> None:
    box.settings(server={"port": "8001"})
    status, output = box.run("serve", "--base-path", str(box.base))
    equal(status, 1)
    equal("TypeError" in output, True, "traceback")


@fact("1.5", "values out of range: Configuration error, exit 1", both=True)
def out_of_range(box: Box) -> None:
    for section in ({"server": {"port": 99999}}, {"server": {"log_level": "loud"}}, {"sampling": {"top_p": 7}}):
        box.settings(**section)
        status, output = box.run("serve", "--base-path", str(box.base))
        equal(status, 1, str(section))
        equal("Configuration error" in output, True, f"{section}: {output[-300:]}")


@fact("1.5", "0.3.8's own memory settings are checked too")
def memory_range(box: Box) -> None:
    for section in ({"memory": {"max_process_memory": "5%"}}, {"model": {"max_model_memory": "20%"}}, {"cache": {"hot_cache_max_size": "20%"}}):
        box.settings(**section)
        equal(box.run("serve", "--base-path", str(box.base))[0], 1, str(section))


@fact("1.5", "bad flags are saved before they are refused")
def poisoned(box: Box) -> None:
    box.settings()
    equal(box.run("serve", "--base-path", str(box.base), "--port", "99999")[0], 1)
    equal(box.read("settings.json")["server"]["port"], 99999)


@fact("1.6", "stats.json and logs/server.log are written in the base directory", both=True)
def own_files(box: Box) -> None:
    box.model("a")
    box.settings()
    server = box.start()
    equal(server.chat("a").status, 200)
    server.stop()
    equal(box.read("stats.json")["total_requests"], 1)
    equal((box.base / "logs" / "server.log").exists(), True)


@fact("3.2", "model_settings.json: unknown fields go at the next save, entries of absent models stay, a link becomes a file", both=True)
def model_settings_save(box: Box) -> None:
    box.model("a")
    box.settings()
    box.model_settings(a={"temperature": 0.5, "mystery": 1}, absent={"top_k": 3})
    path, real = box.base / "model_settings.json", box.directory / "elsewhere.json"
    path.rename(real)
    path.symlink_to(real)
    before = real.read_bytes()
    server = box.start()
    equal(real.read_bytes(), before, "untouched by the start")
    equal(server.put("a", top_k=5).status, 200)
    equal(path.is_symlink(), False, "replaced by a regular file")
    models = box.read("model_settings.json")["models"]
    equal(models["absent"]["top_k"], 3)
    equal(("mystery" in models["a"], models["a"]["temperature"], models["a"]["top_k"]), (False, 0.5, 5))
    text = path.read_text()
    equal(text, json.dumps(json.loads(text), indent=2, ensure_ascii=False), "byte form")


@fact("3.2", "an edit of the file is seen after a reload only, and lost at an admin write before it", both=True)
def no_reread(box: Box) -> None:
    box.model("a")
    box.settings()
    server = box.start()
    box.model_settings(a={"max_tokens": 77})
    equal(server.model_status("a")["max_tokens"] == 77, False, "before the reload")
    equal(server.admin("POST", "/reload").status, 200)
    equal(server.model_status("a")["max_tokens"], 77, "after the reload")
    box.model_settings(a={"max_tokens": 88})
    equal(server.put("a", top_k=1).status, 200)
    equal(box.read("model_settings.json")["models"]["a"]["max_tokens"], 77, "the edit is lost")


@fact("3.2", "a malformed model_settings.json counts as empty and is replaced at the next save", both=True)
def malformed_models(box: Box) -> None:
    box.model("a")
    box.settings()
    box.write("model_settings.json", "{nonsense")
    server = box.start()
    equal(server.put("a", top_k=1).status, 200)
    equal(list(box.read("model_settings.json")["models"]), ["a"])


@fact("6.3", "a cookie minted from secret_key is accepted, and the server's own cookie verifies here", both=True)
def minted_cookie(box: Box) -> None:
    from contract.auth import COOKIE, Sessions

    box.model("a")
    box.settings()
    server = box.start()
    sessions = Sessions(SECRET)
    headers = {"Cookie": f"{COOKIE}={sessions.mint(remember=True)}"}
    equal(server.get("/admin/api/models", auth=None, headers=headers).status, 200)
    equal(sessions.valid(server.login().partition("=")[2]), True)
    equal(Sessions("00" * 32).valid(server.login().partition("=")[2]), False, "another secret")


@fact("6.3", "cookies are what itsdangerous makes of the same secret")
def real_itsdangerous(_box: Box) -> None:
    from contract.auth import Sessions

    try:
        from itsdangerous import URLSafeTimedSerializer
    except ImportError:
        return  # without the real server's environment; the check before this one asks a real server
    serializer, sessions = URLSafeTimedSerializer(SECRET), Sessions(SECRET)
    for remember in (False, True):
        payload = {"admin": True, "remember": remember}
        equal(serializer.loads(sessions.mint(remember=remember)), payload)
        equal(sessions.valid(serializer.dumps(payload)), True)
    equal(sessions.valid(serializer.dumps({"admin": True}) + "x"), False)
