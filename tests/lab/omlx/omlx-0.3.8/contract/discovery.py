"""Which directories are models, under which names and of which type (facts 5.1, 5.3), and how large they claim to be (6.1)."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("omlx.model_discovery")

ENGINES = {"llm": "batched"}
"""Engine of a model type; every other type's engine has the type's own name."""

TYPES = ("llm", "vlm", "embedding", "reranker", "audio_stt", "audio_tts", "audio_sts")

EMBEDDING_TYPES = {"bert", "xlm-roberta", "xlm_roberta", "modernbert", "siglip", "colqwen2_5", "colqwen2-5", "lfm2"}
EMBEDDING_ARCHITECTURES = {
    "BertModel", "BertForMaskedLM", "XLMRobertaModel", "XLMRobertaForMaskedLM", "ModernBertModel", "ModernBertForMaskedLM",
    "Qwen3ForTextEmbedding", "SiglipModel",
}  # fmt: skip
RERANKER_ARCHITECTURES = {
    "ModernBertForSequenceClassification", "XLMRobertaForSequenceClassification", "JinaForRanking",
    "BertForSequenceClassification", "Qwen3ForSequenceClassification",
}  # fmt: skip
NAMED_CAUSAL = {"Qwen3ForCausalLM"}
"""Architectures whose directory name decides between chat, embedding and reranking."""

OVERHEAD = 1.05
"""estimated_size over the weights' bytes (model_discovery.py:602)."""


@dataclass
class Model:
    """One discovered model."""

    id: str
    path: str
    type: str
    weights: int
    config_type: str
    thinking_default: bool | None
    preserve_thinking_default: bool | None

    @property
    def engine_type(self) -> str:
        return ENGINES.get(self.type, self.type)

    @property
    def estimated_size(self) -> int:
        return int(self.weights * OVERHEAD)


def discover_all(roots: list[Path]) -> dict[str, Model]:
    """Models of all roots: the first root that has a name keeps it."""
    found: dict[str, Model] = {}
    for root in roots:
        if not root.is_dir():
            log.warning("Model directory does not exist: %s", root)
            continue
        for model_id, model in discover(root).items():
            if model_id in found:
                log.warning("Duplicate model '%s' in %s, keeping %s", model_id, root, found[model_id].path)
            else:
                found[model_id] = model
    return found


def discover(root: Path) -> dict[str, Model]:
    """Models of one root, two levels deep: inside one root the later directory takes the name, without a word."""
    models: dict[str, Model] = {}
    for entry in sorted(root.iterdir()):
        if not entry.is_dir() or entry.name.startswith("."):
            continue
        if is_adapter(entry):
            log.info("Skipping LoRA adapter: %s", entry.name)
        elif is_model(entry):
            _register(models, entry, entry.name)
        elif (snapshot := hub_snapshot(entry)) is not None:
            if is_model(snapshot):
                _register(models, snapshot, entry.name.split("--", 2)[2])
        else:
            for child in sorted(entry.iterdir()):
                if child.is_dir() and not child.name.startswith(".") and is_model(child):
                    _register(models, child, child.name)
    if not models and is_model(root):
        _register(models, root, root.name)
    return models


def is_adapter(path: Path) -> bool:
    return (path / "adapter_config.json").exists()


def is_model(path: Path) -> bool:
    return not is_adapter(path) and (path / "config.json").exists()


def hub_snapshot(path: Path) -> Path | None:
    """The active snapshot of a Hugging Face cache entry `models--Org--Name`."""
    if not path.name.startswith("models--") or path.name.count("--") < 2:
        return None
    try:
        commit = (path / "refs" / "main").read_text().strip()
    except OSError:
        return None
    snapshot = path / "snapshots" / commit
    return snapshot if snapshot.is_dir() else None


def _register(models: dict[str, Model], path: Path, model_id: str) -> None:
    try:
        weights = weights_bytes(path)
    except (OSError, ValueError) as error:
        log.error("Failed to discover model %s: %s", model_id, error)
        return
    config = read_json(path / "config.json")
    template = chat_template(path)
    models[model_id] = Model(
        id=model_id,
        path=str(path),
        type=detect_type(path, config),
        weights=weights,
        config_type=config.get("model_type", ""),
        thinking_default=thinking_default(template),
        preserve_thinking_default=True if template and "preserve_thinking" in template else None,
    )
    model = models[model_id]
    log.info(
        "Discovered model: %s (type: %s, engine: %s, size: %.2fGB)",
        model_id, model.type, model.engine_type, model.estimated_size / 1024**3,
    )  # fmt: skip


def read_json(path: Path) -> dict:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def weights_bytes(path: Path) -> int:
    """Bytes of the weights, as `lab-size` pretends or as the files are: *.safetensors, else *.bin, else any below."""
    try:
        return int((path / "lab-size").read_text(encoding="ascii").strip())
    except OSError:
        pass
    total = sum(file.stat().st_size for file in path.glob("*.safetensors"))
    if total == 0:
        binaries = (file for file in path.glob("*.bin") if not any(word in file.name.lower() for word in ("optimizer", "training")))
        total = sum(file.stat().st_size for file in binaries)
    if total == 0:
        total = sum(file.stat().st_size for file in path.glob("**/*.safetensors"))
    if total == 0:
        raise ValueError(f"No model weights found in {path}")
    return total


def detect_type(path: Path, config: dict) -> str:
    """From config.json, and for Qwen 3 from the directory's name: "rerank", then "embed" (facts 5.3)."""
    architectures = set(config.get("architectures") or [])
    name = path.name.lower()
    if architectures & RERANKER_ARCHITECTURES or (architectures & NAMED_CAUSAL and "rerank" in name):
        return "reranker"
    if architectures & NAMED_CAUSAL and "embed" in name:
        return "embedding"
    if architectures & EMBEDDING_ARCHITECTURES:
        return "embedding"
    model_type = str(config.get("model_type", "")).lower()
    if model_type in EMBEDDING_TYPES or model_type.replace("-", "_") in EMBEDDING_TYPES:
        return "embedding"
    return "vlm" if "vision_config" in config else "llm"


def chat_template(path: Path) -> str | None:
    try:
        return (path / "chat_template.jinja").read_text(encoding="utf-8")
    except OSError:
        return read_json(path / "tokenizer_config.json").get("chat_template")


def thinking_default(template: str | None) -> bool | None:
    """True when the template thinks unless told not to (Qwen), False when it must be told to (Gemma), None when it cannot."""
    if not template or "enable_thinking" not in template:
        return None
    if "enable_thinking is false" in template:
        return True
    return False if "default(false)" in template or "enable_thinking)" in template else None
