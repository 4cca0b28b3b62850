"""settings.json of 0.3.8: schema, precedence, validation, and the rewrite that bakes everything in (facts 1.2 to 1.6, 2.1).

Loading is as careless as the release: unknown keys and sections vanish at the next save, a section that is null ends in an
AttributeError, a value of the wrong type in a TypeError, malformed JSON in defaults with a warning.
"""

from __future__ import annotations

import copy
import json
import logging
import os
from pathlib import Path

from .sizes import GIB, parse_size

log = logging.getLogger("omlx.settings")

SCHEMA: dict[str, dict] = {
    "server": {"host": "127.0.0.1", "port": 8000, "log_level": "info", "cors_origins": ["*"], "server_aliases": []},
    "model": {"model_dirs": [], "model_dir": None, "max_model_memory": "auto", "model_fallback": False},
    "memory": {"max_process_memory": "auto", "prefill_memory_guard": True},
    "scheduler": {"max_concurrent_requests": 8},
    "cache": {
        "enabled": True,
        "hot_cache_only": False,
        "ssd_cache_dir": None,
        "ssd_cache_max_size": "auto",
        "hot_cache_max_size": "0",
        "initial_cache_blocks": 256,
    },
    "auth": {"api_key": None, "secret_key": None, "skip_api_key_verification": False, "sub_keys": []},
    "mcp": {"config_path": None},
    "huggingface": {"endpoint": ""},
    "modelscope": {"endpoint": ""},
    "network": {"http_proxy": "", "https_proxy": "", "no_proxy": "", "ca_bundle": ""},
    "sampling": {
        "max_context_window": 32768,
        "max_tokens": 32768,
        "temperature": 1.0,
        "top_p": 0.95,
        "top_k": 0,
        "repetition_penalty": 1.0,
    },
    "logging": {"log_dir": None, "retention_days": 7},
    "claude_code": {
        "context_scaling_enabled": False,
        "target_context_size": 200000,
        "mode": "cloud",
        "opus_model": None,
        "sonnet_model": None,
        "haiku_model": None,
    },
    "integrations": {
        "codex_model": None,
        "opencode_model": None,
        "openclaw_model": None,
        "pi_model": None,
        "openclaw_tools_profile": "coding",
    },
    "ui": {"language": "en"},
    "idle_timeout": {"idle_timeout_seconds": None},
}
"""Sections and keys in the order in which they are written (facts 1.4), with their defaults (facts 2.1)."""

ENVIRONMENT: dict[str, tuple[str, str, type]] = {
    "OMLX_HOST": ("server", "host", str),
    "OMLX_PORT": ("server", "port", int),
    "OMLX_LOG_LEVEL": ("server", "log_level", str),
    "OMLX_MODEL_DIR": ("model", "model_dirs", list),
    "OMLX_MAX_MODEL_MEMORY": ("model", "max_model_memory", str),
    "OMLX_MAX_PROCESS_MEMORY": ("memory", "max_process_memory", str),
    "OMLX_MAX_NUM_SEQS": ("scheduler", "max_concurrent_requests", int),
    "OMLX_MAX_CONCURRENT_REQUESTS": ("scheduler", "max_concurrent_requests", int),
    "OMLX_CACHE_ENABLED": ("cache", "enabled", bool),
    "OMLX_SSD_CACHE_DIR": ("cache", "ssd_cache_dir", str),
    "OMLX_SSD_CACHE_MAX_SIZE": ("cache", "ssd_cache_max_size", str),
    "OMLX_HOT_CACHE_ONLY": ("cache", "hot_cache_only", bool),
    "OMLX_INITIAL_CACHE_BLOCKS": ("cache", "initial_cache_blocks", int),
    "OMLX_API_KEY": ("auth", "api_key", str),
    "OMLX_MCP_CONFIG": ("mcp", "config_path", str),
    "OMLX_HF_ENDPOINT": ("huggingface", "endpoint", str),
    "OMLX_MS_ENDPOINT": ("modelscope", "endpoint", str),
    "OMLX_HTTP_PROXY": ("network", "http_proxy", str),
    "OMLX_HTTPS_PROXY": ("network", "https_proxy", str),
    "OMLX_NO_PROXY": ("network", "no_proxy", str),
    "OMLX_CA_BUNDLE": ("network", "ca_bundle", str),
    "OMLX_LOG_DIR": ("logging", "log_dir", str),
    "OMLX_LOG_RETENTION_DAYS": ("logging", "retention_days", int),
}
"""settings.py:798-. OMLX_MAX_NUM_SEQS stands before its newer name, so that the newer one wins."""

FLAGS: dict[str, tuple[str, str]] = {
    "model_dir": ("model", "model_dirs"),
    "max_model_memory": ("model", "max_model_memory"),
    "max_process_memory": ("memory", "max_process_memory"),
    "host": ("server", "host"),
    "port": ("server", "port"),
    "log_level": ("server", "log_level"),
    "max_concurrent_requests": ("scheduler", "max_concurrent_requests"),
    "initial_cache_blocks": ("cache", "initial_cache_blocks"),
    "mcp_config": ("mcp", "config_path"),
    "hf_endpoint": ("huggingface", "endpoint"),
    "ms_endpoint": ("modelscope", "endpoint"),
    "http_proxy": ("network", "http_proxy"),
    "https_proxy": ("network", "https_proxy"),
    "no_proxy": ("network", "no_proxy"),
    "ca_bundle": ("network", "ca_bundle"),
    "api_key": ("auth", "api_key"),
}
"""Flags that override and are stored. The cache flags are missing on purpose: they hold for one run (facts 1.3)."""

SAVING_FLAGS = frozenset(FLAGS) - {"api_key", "max_concurrent_requests", "initial_cache_blocks"}
"""The flags whose presence alone makes the server rewrite the file (cli.py:22-56)."""

LOG_LEVELS = {"trace", "debug", "info", "warning", "error", "critical"}


def reserve_bytes(total: int) -> int:
    """What is left to the system: a fifth of the memory, at least 2 and at most 8 GiB (settings.py:75)."""
    return int(min(max(0.20 * total, 2 * GIB), 8 * GIB))


class Settings:
    """The settings in memory; `save` writes all of them."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.file = base / "settings.json"
        self.values = copy.deepcopy(SCHEMA)

    def section(self, name: str) -> dict:
        return self.values[name]

    # --- Reading

    def load(self, arguments) -> None:
        """Command line over environment over file over defaults."""
        if self.file.exists():
            self._load_file()
        self._load_environment()
        self._load_arguments(arguments)

    def _load_file(self) -> None:
        try:
            with open(self.file, encoding="utf-8") as source:
                data = json.load(source)
        except json.JSONDecodeError as error:
            log.warning("Failed to parse settings file %s: %s", self.file, error)
            return
        except OSError as error:
            log.warning("Failed to read settings file %s: %s", self.file, error)
            return
        data.get("version", "1.0")  # a list or a number at the top raises AttributeError, as there
        for section, defaults in SCHEMA.items():
            if section not in data:
                continue
            found = data[section]
            self.values[section] = {key: found.get(key, copy.deepcopy(default)) for key, default in defaults.items()}
        scheduler = data.get("scheduler") or {}
        if "max_concurrent_requests" not in scheduler:
            legacy = [scheduler[key] for key in ("max_num_seqs", "completion_batch_size") if key in scheduler]
            if legacy:
                self.values["scheduler"]["max_concurrent_requests"] = max(legacy)
        model = self.values["model"]
        if not model["model_dirs"] and model["model_dir"]:
            model["model_dirs"] = [model["model_dir"]]

    def _load_environment(self) -> None:
        for name, (section, key, kind) in ENVIRONMENT.items():
            text = os.environ.get(name)
            if not text:
                continue
            if kind is int:
                try:
                    self.values[section][key] = int(text)
                except ValueError:
                    log.warning("Invalid %s value: %s", name, text)
            elif kind is bool:
                self.values[section][key] = text.lower() in ("true", "1", "yes")
            elif kind is list:
                self.values[section][key] = [part.strip() for part in text.split(",") if part.strip()]
            else:
                self.values[section][key] = text

    def _load_arguments(self, arguments) -> None:
        for flag, (section, key) in FLAGS.items():
            value = getattr(arguments, flag, None)
            if value is None:
                continue
            if flag == "model_dir":
                value = [part.strip() for part in value.split(",") if part.strip()]
            self.values[section][key] = value

    # --- Derived places and budgets

    def model_dirs(self) -> list[Path]:
        """Absolute, `~` expanded, links resolved; `<base>/models` when none is set."""
        configured = self.values["model"]["model_dirs"]
        return [Path(path).expanduser().resolve() for path in configured] or [self.base / "models"]

    def ssd_cache_dir(self) -> Path:
        configured = self.values["cache"]["ssd_cache_dir"]
        return Path(configured).expanduser().resolve() if configured else self.base / "cache"

    def log_dir(self) -> Path:
        configured = self.values["logging"]["log_dir"]
        return Path(configured).expanduser().resolve() if configured else self.base / "logs"

    def ssd_cache_bytes(self) -> int:
        text = self.values["cache"]["ssd_cache_max_size"]
        if text.lower() != "auto":
            return parse_size(text)
        place = self.ssd_cache_dir()
        while not place.exists():
            place = place.parent
        volume = os.statvfs(place)
        return volume.f_frsize * volume.f_blocks // 10

    def model_budget(self, total: int) -> int | None:
        """max_model_memory in bytes; None when disabled. "auto" is 0.9 of what process memory may be, at least 1 GiB."""
        value = self.values["model"]["max_model_memory"].strip().lower()
        if value == "disabled":
            return None
        if value == "auto":
            return max(GIB, int(0.9 * (total - reserve_bytes(total))))
        return parse_size(value)

    def process_budget(self, total: int) -> int | None:
        """max_process_memory in bytes; None when disabled. A bare number from 10 to 99 is a percentage too."""
        value = self.values["memory"]["max_process_memory"].strip().lower()
        if value == "disabled":
            return None
        if value == "auto":
            return total - reserve_bytes(total)
        percent = process_percent(value)
        return int(total * percent / 100) if percent is not None else parse_size(value)

    # --- Writing

    def ensure_directories(self) -> None:
        """Creates what is missing and forgets model directories that cannot be (for good, at the next save)."""
        for directory in (self.base, self.ssd_cache_dir(), self.log_dir()):
            directory.mkdir(parents=True, exist_ok=True)
        reachable = []
        for directory in self.model_dirs():
            try:
                directory.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                log.warning("Model directory unavailable, skipping: %s (%s)", directory, error)
                continue
            reachable.append(str(directory))
        if not reachable:
            fallback = self.base / "models"
            fallback.mkdir(parents=True, exist_ok=True)
            reachable = [str(fallback)]
        self.values["model"]["model_dirs"] = reachable

    def to_json(self) -> str:
        """The canonical bytes: ASCII-escaped, indented by two, no newline at the end."""
        document = {"version": "1.0", **copy.deepcopy(self.values)}
        document["model"]["model_dirs"] = [str(path) for path in self.model_dirs()]
        document["model"]["model_dir"] = document["model"]["model_dirs"][0]
        return json.dumps(document, indent=2)

    def save(self) -> None:
        """Truncates and writes: not atomic, follows a link, mode by umask."""
        self.base.mkdir(parents=True, exist_ok=True)
        with open(self.file, "w", encoding="utf-8") as target:
            target.write(self.to_json())

    def validate(self) -> list[str]:
        """What the release checks at start and before a save by the API. Wrong types raise TypeError or AttributeError."""
        errors = []
        server, scheduler, cache, sampling = (self.values[name] for name in ("server", "scheduler", "cache", "sampling"))
        if not 1 <= server["port"] <= 65535:
            errors.append(f"Invalid port: {server['port']} (must be 1-65535)")
        if server["log_level"].lower() not in LOG_LEVELS:
            errors.append(f"Invalid log_level: {server['log_level']} (must be one of {sorted(LOG_LEVELS)})")
        errors += _size_errors("max_model_memory", self.values["model"]["max_model_memory"], ("auto", "disabled"))
        errors += _process_errors(self.values["memory"]["max_process_memory"])
        if scheduler["max_concurrent_requests"] <= 0:
            errors.append(f"Invalid max_concurrent_requests: {scheduler['max_concurrent_requests']} (must be > 0)")
        errors += _size_errors("ssd_cache_max_size", cache["ssd_cache_max_size"], ("auto",))
        errors += _size_errors("hot_cache_max_size", cache["hot_cache_max_size"], ("0",))
        if cache["initial_cache_blocks"] <= 0:
            errors.append(f"Invalid initial_cache_blocks: {cache['initial_cache_blocks']} (must be > 0)")
        if sampling["max_tokens"] <= 0:
            errors.append(f"Invalid sampling max_tokens: {sampling['max_tokens']} (must be > 0)")
        if not 0.0 <= sampling["temperature"] <= 2.0:
            errors.append(f"Invalid sampling temperature: {sampling['temperature']} (must be 0.0-2.0)")
        if not 0.0 <= sampling["top_p"] <= 1.0:
            errors.append(f"Invalid sampling top_p: {sampling['top_p']} (must be 0.0-1.0)")
        if sampling["top_k"] < 0:
            errors.append(f"Invalid sampling top_k: {sampling['top_k']} (must be >= 0)")
        claude = self.values["claude_code"]
        if claude["target_context_size"] <= 0:
            errors.append(f"Invalid target_context_size: {claude['target_context_size']} (must be > 0)")
        if claude["mode"] not in ("local", "cloud"):
            errors.append(f"Invalid claude_code mode: '{claude['mode']}' (must be one of ['cloud', 'local'])")
        for label, text in self._urls():
            if text.strip() and not text.strip().startswith(("http://", "https://")):
                errors.append(f"Invalid {label}: '{text.strip()}' (must start with http:// or https://)")
        return errors

    def _urls(self) -> list[tuple[str, str]]:
        return [
            ("huggingface endpoint", self.values["huggingface"]["endpoint"]),
            ("modelscope endpoint", self.values["modelscope"]["endpoint"]),
            ("http_proxy", self.values["network"]["http_proxy"]),
            ("https_proxy", self.values["network"]["https_proxy"]),
        ]


def process_percent(value: str) -> int | None:
    """The percentage that "80%" or a bare "80" states; None for sizes and words."""
    digits = value.rstrip("%")
    if not digits.isdigit():
        return None
    return int(digits) if value.endswith("%") or 10 <= int(digits) <= 99 else None


def _size_errors(name: str, value: str, words: tuple[str, ...]) -> list[str]:
    if value.strip().lower() in words:
        return []
    try:
        return [] if parse_size(value) > 0 else [f"{name} must be positive"]
    except ValueError as error:
        return [f"Invalid {name}: {error}"]


def _process_errors(value: str) -> list[str]:
    percent = process_percent(value.strip().lower())
    if percent is None:
        return _size_errors("max_process_memory", value, ("auto", "disabled"))
    if 10 <= percent <= 99:
        return []
    return [f"Invalid max_process_memory: {value} (percentage must be 10-99)"]
