"""Facts 3.1, 4, 6.3, 7.3, 7.4: keys, cookies, settings and profiles through the admin API, reload and re-scan."""

from __future__ import annotations

from .harness import KEY, Box, Server, equal, fact, wait_until


def two_models(box: Box, **sections) -> Server:
    box.model("a")
    box.model("b")
    box.settings(**sections)
    return box.start()


@fact("6.3", "K: bearer or x-api-key; missing and wrong keys are 401 in the OpenAI shape", both=True)
def key_auth(box: Box) -> None:
    server = two_models(box)
    equal(server.get("/v1/models").status, 200)
    equal(server.get("/v1/models", auth=None, headers={"x-api-key": KEY}).status, 200)
    missing = server.get("/v1/models", auth=None)
    wrong = server.get("/v1/models", auth=None, headers={"Authorization": "Bearer wrong-key-in-clear"})
    error = {"type": "authentication_error", "param": None, "code": None}
    equal((missing.status, missing.json()), (401, {"error": {"message": "API key required", **error}}))
    equal((wrong.status, wrong.json()), (401, {"error": {"message": "Invalid API key", **error}}))
    status = server.get("/api/status", auth=None)
    equal((status.status, status.json()), (401, {"detail": "API key required"}))
    equal("wrong-key-in-clear" in server.output(), True, "the rejected key is logged in clear")
    equal(server.get("/health", auth=None).status, 200, "health is open")


@fact("6.3", "C: the admin API wants the cookie; a bearer key gets 401", both=True)
def cookie_auth(box: Box) -> None:
    server = two_models(box)
    for method, path in (("GET", "/models"), ("GET", "/global-settings"), ("POST", "/reload"), ("POST", "/models/a/unload")):
        answer = server.ask(method, "/admin/api" + path)
        equal((answer.status, answer.json()), (401, {"detail": "Admin authentication required"}), path)
    equal(server.admin("GET", "/models").status, 200)


@fact("6.3", "…for load as well, which later releases open to bearer keys")
def cookie_for_load(box: Box) -> None:
    server = two_models(box)
    equal(server.ask("POST", "/admin/api/models/a/load").status, 401)
    answer = server.load("a")
    equal((answer.status, answer.json()), (200, {"status": "ok", "model_id": "a", "message": "Loaded a"}))
    equal(server.load("a").json()["message"], "Already loaded: a")
    equal(server.load("nope").status, 404)


@fact("6.3", "login: wrong key 401, sub key 401, missing field 422; the cookie's life follows `remember`", both=True)
def login(box: Box) -> None:
    server = two_models(box, auth={"sub_keys": [{"key": "sub-key-1", "name": "s", "created_at": "2026-01-01T00:00:00+00:00"}]})
    for key in ("wrong", "sub-key-1"):
        equal(server.ask("POST", "/admin/api/login", {"api_key": key}, auth=None).status, 401, key)
    equal(server.get("/v1/models", auth=None, headers={"x-api-key": "sub-key-1"}).status, 200, "a sub key opens /v1")
    equal(server.ask("POST", "/admin/api/login", {}, auth=None).status, 422)
    for remember, age in ((False, 86400), (True, 2592000)):
        cookie = server.ask("POST", "/admin/api/login", {"api_key": KEY, "remember": remember}, auth=None).headers["set-cookie"]
        equal(f"Max-Age={age};" in cookie, True, cookie)


@fact("6.3", "no key: /v1 is open, login is 400, and the first caller may set one", both=True)
def no_key(box: Box) -> None:
    server = two_models(box, auth={"api_key": None})
    equal(server.get("/v1/models", auth=None).status, 200)
    equal(server.ask("POST", "/admin/api/login", {"api_key": "abcd"}, auth=None).status, 400)
    setup = "/admin/api/setup-api-key"
    equal(server.ask("POST", setup, {"api_key": "abcd", "api_key_confirm": "abce"}, auth=None).status, 400)
    equal(server.ask("POST", setup, {"api_key": "abc", "api_key_confirm": "abc"}, auth=None).status, 400, "too short")
    equal(server.ask("POST", setup, {"api_key": KEY, "api_key_confirm": KEY}, auth=None).status, 200)
    equal(server.ask("POST", setup, {"api_key": KEY, "api_key_confirm": KEY}, auth=None).status, 400, "the second caller")
    equal(server.get("/v1/models", auth=None).status, 401)
    equal(box.read("settings.json")["auth"]["api_key"], KEY)


@fact("6.3", "skip_api_key_verification opens /v1 and the admin API", both=True)
def skip(box: Box) -> None:
    server = two_models(box, auth={"skip_api_key_verification": True})
    equal(server.get("/v1/models", auth=None).status, 200)
    equal(server.get("/admin/api/global-settings", auth=None).json()["auth"]["api_key"], KEY, "and tells the key")


@fact("3.1", "PUT settings checks no ranges, keeps absent keys, clears with null; a wrong type is 422, an unknown model 404", both=True)
def put_settings(box: Box) -> None:
    server = two_models(box)
    answer = server.put("a", top_p=7, turboquant_kv_bits=99, temperature=0.5, mystery=1)
    equal(answer.status, 200)
    found = answer.json()["settings"]
    equal((found["top_p"], found["turboquant_kv_bits"], found["temperature"]), (7.0, 99.0, 0.5))
    equal("temperature" in server.put("a", temperature=None).json()["settings"], False)
    equal(server.put("a").json()["settings"]["top_p"], 7.0, "absent keys stay")
    wrong = server.put("a", top_p="x")
    equal((wrong.status, wrong.json()["detail"][0]["loc"]), (422, ["body", "top_p"]))
    equal(server.put("nope", top_p=1).status, 404)
    equal(server.put("a", model_type_override="poem").status, 400)


@fact("3.1", "PUT refuses an alias that is taken or is a directory's name", both=True)
def aliases(box: Box) -> None:
    server = two_models(box)
    equal(server.put("a", model_alias=" quick ").json()["settings"]["model_alias"], "quick", "trimmed")
    equal(server.put("b", model_alias="quick").status, 400)
    equal(server.put("b", model_alias="a").status, 400)
    equal([one["id"] for one in server.get("/v1/models").json()["data"]], ["quick", "b"], "the alias replaces the name")
    equal(server.model_status("a")["id"], "a", "the status keeps the real one")
    equal(server.chat("quick").status, 200)
    equal(server.ask("POST", "/v1/models/quick/unload").status, 404, "unload takes no alias")


@fact("3.1", "ttl_seconds 0 unloads within a tick or two; pinned models stay", both=True)
def ttl(box: Box) -> None:
    server = two_models(box)
    for name in ("a", "b"):
        equal(server.chat(name).status, 200)
    server.put("b", is_pinned=True)
    server.put("b", ttl_seconds=0)
    server.put("a", ttl_seconds=0)
    wait_until(lambda: server.loaded() == ["b"], "a expires, b is pinned", 5)


@fact("3.1", "several defaults in the file: the first wins")
def first_default(box: Box) -> None:
    box.model("a")
    box.model("b")
    box.model("c")
    box.settings()
    box.model_settings(c={"is_default": True}, b={"is_default": True})
    equal(box.start().status()["default_model"], "c")


@fact("7.2", "requires_reload misses TurboQuant, SpecPrefill and the draft's bits, and counts presence; nothing is unloaded")
def requires_reload(box: Box) -> None:
    server = two_models(box)
    equal(server.chat("a").status, 200)
    missed = server.put("a", turboquant_kv_enabled=True, specprefill_enabled=True, dflash_draft_quant_bits=4)
    equal(missed.json()["requires_reload"], False)
    equal(server.put("a", trust_remote_code=False).json()["requires_reload"], True, "unchanged, but sent")
    equal(server.put("b", dflash_enabled=True).json()["requires_reload"], False, "not loaded")
    equal(server.loaded(), ["a"])
    equal("auto_unloaded" in missed.json(), False)


@fact("4.1", "profile names: bad 400, taken 409, absent 404; keys that a profile may not hold are dropped", both=True)
def profile_names(box: Box) -> None:
    server = two_models(box)
    body = {"name": "deep", "display_name": "Deep", "settings": {"temperature": 0.1, "is_pinned": True, "ttl_seconds": 5, "bogus": 1}}
    created = server.admin("POST", "/models/a/profiles", body)
    equal((created.status, created.json()["profile"]["settings"]), (200, {"temperature": 0.1}))
    equal(server.admin("POST", "/models/a/profiles", body).status, 409)
    equal(server.admin("POST", "/models/a/profiles", {**body, "name": "De ep"}).status, 400)
    equal(server.admin("POST", "/models/a/profiles/nope/apply").status, 404)
    equal(server.admin("DELETE", "/models/a/profiles/nope").status, 404)
    equal(list(box.read("model_profiles.json")["profiles"]["a"]), ["deep"])
    equal(server.admin("DELETE", "/models/a/profiles/deep").json(), {"deleted": True, "name": "deep"})


@fact("4.1", "pushed profiles are seen at start only: a reload leaves them invisible", both=True)
def profiles_at_start(box: Box) -> None:
    server = two_models(box)
    record = {"name": "x", "display_name": "X", "created_at": "2026-01-01T00:00:00+00:00", "updated_at": "2026-01-01T00:00:00+00:00"}
    box.write("model_profiles.json", {"version": 1, "profiles": {"a": {"x": {**record, "settings": {"top_k": 3}}}}})
    equal(server.admin("POST", "/reload").status, 200)
    equal(server.admin("POST", "/models/a/profiles/x/apply").status, 404)
    server.stop()
    server = box.start()
    equal(server.admin("POST", "/models/a/profiles/x/apply").json()["settings"]["top_k"], 3)


@fact("4.2", "apply is an overlay: keys of the profile before stay; a pushed profile may even pin", both=True)
def overlay(box: Box) -> None:
    moment = {"created_at": "2026-01-01T00:00:00+00:00", "updated_at": "2026-01-01T00:00:00+00:00"}
    deep = {"name": "deep", "display_name": "Deep", **moment, "settings": {"temperature": 0.1, "top_k": 9, "is_pinned": True}}
    fast = {"name": "fast", "display_name": "Fast", **moment, "settings": {"temperature": 0.9}}
    box.write("model_profiles.json", {"version": 1, "profiles": {"a": {"deep": deep, "fast": fast}}})
    server = two_models(box)
    equal(server.admin("POST", "/models/a/profiles/deep/apply").json()["settings"]["is_pinned"], True)
    found = server.admin("POST", "/models/a/profiles/fast/apply").json()["settings"]
    equal((found["temperature"], found["top_k"], found["active_profile_name"]), (0.9, 9, "fast"))


@fact("4.2", "a save that agrees with the active profile grows it; one that differs clears it", both=True)
def drift(box: Box) -> None:
    server = two_models(box)
    server.admin("POST", "/models/a/profiles", {"name": "deep", "display_name": "Deep", "settings": {"temperature": 0.1}})
    server.admin("POST", "/models/a/profiles/deep/apply")
    equal(server.put("a", max_tokens=99).json()["settings"]["active_profile_name"], "deep")
    grown = box.read("model_profiles.json")["profiles"]["a"]["deep"]["settings"]
    equal((grown["max_tokens"], grown["force_sampling"], "is_pinned" in grown), (99, False, False))
    equal("active_profile_name" in server.put("a", temperature=0.2).json()["settings"], False)


@fact("7.3", "a refused global value stays in memory and blocks later saves until corrected", both=True)
def refused_value(box: Box) -> None:
    server = two_models(box)
    refused = server.admin("POST", "/global-settings", {"port": 99999})
    equal((refused.status, isinstance(refused.json()["detail"], list)), (400, True))
    equal(server.admin("GET", "/global-settings").json()["server"]["port"], 99999)
    equal(server.admin("POST", "/global-settings", {"sampling_max_tokens": 7}).status, 400, "still blocked")
    equal(server.admin("POST", "/global-settings", {"port": box.port}).status, 200)
    equal(server.model_status("a")["max_tokens"], 7, "the other change had taken effect")
    equal(server.admin("POST", "/global-settings", {"idle_timeout_seconds": 5}).status, 422, "at least 60 by the API")
    equal(server.admin("POST", "/global-settings", {"sampling_top_k": "x"}).status, 422)


@fact("7.3", "cache settings throw every model out, pinned too, and load none back", both=True)
def cache_settings(box: Box) -> None:
    box.model_settings(a={"is_pinned": True})
    server = two_models(box)
    equal(server.loaded(), ["a"])
    equal(server.admin("POST", "/global-settings", {"hot_cache_max_size": "1GB"}).status, 200)
    equal(server.loaded(), [])


@fact("7.3", "the API key changes live, and old cookies stay valid", both=True)
def key_change(box: Box) -> None:
    server = two_models(box)
    equal(server.admin("POST", "/global-settings", {"api_key": "another-key-1"}).json()["runtime_applied"], ["api_key"])
    equal(server.get("/v1/models").status, 401)
    equal(server.get("/v1/models", auth=None, headers={"x-api-key": "another-key-1"}).status, 200)
    equal(server.admin("GET", "/models").status, 200)


@fact("7.4", "reload unloads everything, reads the settings, loads the pinned before it answers", both=True)
def reload(box: Box) -> None:
    server = two_models(box)
    equal(server.chat("a").status, 200)
    box.model_settings(b={"is_pinned": True})
    answer = server.admin("POST", "/reload")
    equal((answer.status, answer.json()), (200, {"status": "ok", "message": "Re-discovered 2 models from 1 directory"}))
    equal(server.loaded(), ["b"])


@fact("7.4", "deleting an empty model re-scans without unloading: new names appear", both=True)
def rescan(box: Box) -> None:
    server = two_models(box)
    equal(server.chat("a").status, 200)
    (box.models / "twin").symlink_to(box.models / "b")
    equal(server.put("twin", top_k=1).status, 404, "not yet discovered")
    (box.models / "zz-rescan").mkdir()
    (box.models / "zz-rescan" / "config.json").write_text("{}")
    answer = server.admin("DELETE", "/hf/models/zz-rescan")
    equal((answer.status, answer.json()["success"]), (200, True))
    equal(server.put("twin", top_k=1).status, 200)
    equal(server.loaded(), ["a"], "nothing was unloaded")
    equal((box.models / "zz-rescan").exists(), False)


@fact("5.3", "deleting a link: outside its root 400, inside 500; the weights stay", both=True)
def delete_link(box: Box) -> None:
    outside = box.directory / "weights"
    box.model("b").rename(outside)
    server = None
    (box.models / "out").symlink_to(outside)
    box.model("a")
    (box.models / "twin").symlink_to(box.models / "a")
    box.settings()
    server = box.start()
    equal(server.admin("DELETE", "/hf/models/out").status, 400)
    equal(server.admin("DELETE", "/hf/models/twin").status, 500)
    equal(server.admin("DELETE", "/hf/models/nope").status, 404)
    equal((outside / "config.json").exists() and (box.models / "a" / "config.json").exists(), True)


@fact("6.4", "the rows of /admin/api/models, in order; `settings` only where an entry exists", both=True)
def admin_models(box: Box) -> None:
    server = two_models(box)
    server.put("a", temperature=0.5)
    rows = server.admin("GET", "/models").json()["models"]
    keys = [
        "id", "model_path", "loaded", "is_loading", "estimated_size", "estimated_size_formatted", "pinned", "is_default", "engine_type",
        "model_type", "config_model_type", "thinking_default", "preserve_thinking_default", "last_access",
    ]  # fmt: skip
    for row in rows:
        equal([key for key in row if key in keys], keys)
    equal(["settings" in row for row in rows], [True, False])
    found = rows[0]["settings"]
    equal((found["temperature"], found["top_p"], found["is_pinned"]), (0.5, None, False))


@fact("6.4", "…and 0.3.8 shows all fields but preserve_thinking and turboquant_skip_last")
def admin_model_fields(box: Box) -> None:
    from contract.model_settings import FIELDS

    server = two_models(box)
    server.put("a", temperature=0.5)
    found = server.admin("GET", "/models").json()["models"][0]["settings"]
    equal(set(FIELDS) - set(found), {"preserve_thinking", "turboquant_skip_last"})


@fact("6.3", "statistics and global settings tell the API key in clear", both=True)
def clear_keys(box: Box) -> None:
    server = two_models(box)
    stats = server.admin("GET", "/stats").json()
    equal((stats["api_key"], stats["port"], stats["total_requests"]), (KEY, box.port, 0))
    equal(stats["active_models"]["total_active_requests"], 0)
    shown = server.admin("GET", "/global-settings").json()
    equal((shown["auth"]["api_key"], "secret_key" in shown["auth"]), (KEY, False))
    equal(shown["cache"]["ssd_cache_dir"], str(box.base / "cache"), "derived values are resolved")
    equal(shown["cache"]["ssd_cache_max_size"].endswith("B"), True)


@fact("7.3", "sub keys come and go live", both=True)
def sub_keys(box: Box) -> None:
    server = two_models(box)
    created = server.admin("POST", "/sub-keys", {"key": "sub-key-2", "name": "two"})
    equal((created.status, created.json()["sub_key"]["name"]), (200, "two"))
    equal(server.get("/v1/models", auth=None, headers={"x-api-key": "sub-key-2"}).status, 200)
    equal(box.read("settings.json")["auth"]["sub_keys"][0]["key"], "sub-key-2")
    refused = [server.admin("POST", "/sub-keys", {"key": key}).status for key in ("sub-key-2", KEY, "a b c d", "abc")]
    equal(refused, [400, 400, 400, 400])
    equal(server.admin("DELETE", "/sub-keys", {"key": "sub-key-2"}).status, 200)
    equal(server.get("/v1/models", auth=None, headers={"x-api-key": "sub-key-2"}).status, 401)
    equal(server.admin("DELETE", "/sub-keys", {"key": "sub-key-2"}).status, 404)


@fact("6.3", "logs: the last lines of server.log; no other directory", both=True)
def logs(box: Box) -> None:
    server = two_models(box)
    server.chat("a")
    answer = server.admin("GET", "/logs?lines=5").json()
    equal((answer["log_file"], len(answer["logs"].splitlines())), ("server.log", 5))
    equal([server.admin("GET", f"/logs?file={name}").status for name in ("..%2Fsettings.json", "server.log.2000-01-01")], [400, 404])


@fact("4.1", "templates hold universal fields only", both=True)
def templates(box: Box) -> None:
    server = two_models(box)
    body = {"name": "t", "display_name": "T", "settings": {"temperature": 0.3, "dflash_enabled": True, "turboquant_kv_bits": 8}}
    equal(server.admin("POST", "/profile-templates", body).json()["template"]["settings"], {"temperature": 0.3})
    equal(server.admin("POST", "/profile-templates", body).status, 409)
    equal(list(box.read("global_templates.json")["templates"]), ["t"])
    equal(server.admin("PUT", "/profile-templates/t", {"settings": {"top_k": 1}}).json()["template"]["settings"], {"top_k": 1})
    equal(server.admin("DELETE", "/profile-templates/t").status, 200)
    equal(server.admin("GET", "/profile-templates").json(), {"templates": []})


@fact("7.3", "started with max_process_memory disabled, the TTL works all the same")
def ttl_without_enforcer(box: Box) -> None:
    server = two_models(box, memory={"max_process_memory": "disabled"})
    equal(server.chat("a").status, 200)
    server.put("a", ttl_seconds=0)
    wait_until(lambda: server.loaded() == [], "a expires", 5)
