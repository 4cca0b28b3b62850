#!/usr/bin/env python3
"""Writes tiny models that oMLX servers of the lab can serve.

    make-models [--hollow] DIR [KIND=]NAME[,dimensions=N][,size=BYTES]...

KIND is llm (default), embedding or draft. Real models (about 400 kB of random weights, seeded by the name, so that two names
answer differently) need mlx-lm and tokenizers from the environment that `setup` installs. `--hollow` writes the same files
with an empty weights file and the standard library only: enough for the contract server, which reads no weights.

`size=` also writes a file `lab-size` beside the weights: the contract server pretends that the weights are that large
(units are 1000-based: "36GB" is 36e9 bytes; no other server looks at it).

A name that already exists is left alone, so the command is idempotent.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import struct
import sys
import zlib
from pathlib import Path

VOCABULARY = 320
"""256 bytes, the special tokens, and room up to a round number."""

SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"]

# The same switch as Qwen 3: thinking is on unless `enable_thinking is false`, which writes an empty thought.
CHAT_TEMPLATE = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}"
    "{{- '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}"
    "{{- '<think>\\n\\n</think>\\n\\n' }}"
    "{%- endif %}"
    "{%- endif %}"
)


def parse_size(text: str) -> int:
    """Bytes of "36GB", "600MB" or a plain number; 1000-based, as the fleet file declares sizes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(B|KB|MB|GB|TB)?", text, re.IGNORECASE)
    if not match:
        raise SystemExit(f"make-models: not a size: {text!r}")
    power = ["B", "KB", "MB", "GB", "TB"].index((match[2] or "B").upper())
    return int(float(match[1]) * 1000**power)


def parse_spec(text: str) -> tuple[str, str, int, int | None]:
    """(kind, name, dimensions, pretended size) of one argument."""
    head, *options = text.split(",")
    kind, _, name = head.rpartition("=")
    kind = kind or "llm"
    if kind not in ("llm", "embedding", "draft"):
        raise SystemExit(f"make-models: unknown kind {kind!r} (llm, embedding or draft)")
    dimensions, size = 64, None
    for option in options:
        key, _, value = option.partition("=")
        if key == "dimensions":
            dimensions = int(value)
        elif key == "size":
            size = parse_size(value)
        else:
            raise SystemExit(f"make-models: unknown option {key!r} (dimensions or size)")
    return kind, name, dimensions, size


def llm_config() -> dict:
    """A two-layer Qwen 3, about 100,000 parameters."""
    return {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "intermediate_size": 128,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "rms_norm_eps": 1e-6,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 32768,
        "rope_theta": 1000000.0,
        "tie_word_embeddings": False,
        "torch_dtype": "float32",
        "bos_token_id": 256,
        "eos_token_id": 258,
    }


def embedding_config(dimensions: int) -> dict:
    """An XLM-RoBERTa of one narrow layer (the family of arctic-embed-l-v2.0)."""
    return {
        "architectures": ["XLMRobertaModel"],
        "model_type": "xlm-roberta",
        "hidden_size": dimensions,
        "num_hidden_layers": 1,
        "intermediate_size": 64,
        "num_attention_heads": 4,
        "max_position_embeddings": 514,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-5,
        "vocab_size": VOCABULARY,
        # oMLX leaves an embedding model in training mode: with dropout, the same text has another vector each time.
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "pad_token_id": 256,
        "bos_token_id": 257,
        "eos_token_id": 258,
        "torch_dtype": "float32",
    }


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write_tokenizer(directory: Path, *, chat: bool) -> None:
    """A byte-level tokenizer: every byte is a token, nothing is unknown."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: number for number, symbol in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL_TOKENS[:3])
    if chat:
        tokenizer.add_tokens(SPECIAL_TOKENS[3:])
    tokenizer.save(str(directory / "tokenizer.json"))
    write_tokenizer_config(directory, chat=chat)


def write_tokenizer_config(directory: Path, *, chat: bool) -> None:
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 32768 if chat else 512,
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "bos_token": None if chat else "<|im_start|>",
        "unk_token": "<|endoftext|>",
        "clean_up_tokenization_spaces": False,
    }
    if chat:
        config["chat_template"] = CHAT_TEMPLATE
    write_json(directory / "tokenizer_config.json", config)


def write_llm_weights(directory: Path, config: dict, seed: int) -> None:
    """Random weights whose output layer speaks lower-case letters, so that answers are readable and never end early."""
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm.models.qwen3 import Model, ModelArgs

    mx.random.seed(seed)
    model = Model(ModelArgs.from_dict(config))
    weights = dict(tree_flatten(model.parameters()))
    loud = {ord(character) for character in "abcdefghijklmnopqrstuvwxyz"}
    # Byte-level symbols are sorted, so the id of a printable ASCII byte is its rank among them: "!" (33) is 0.
    head = [[0.0] for _ in range(VOCABULARY)]
    for byte in loud:
        head[byte - 33] = [40.0]
    weights["lm_head.weight"] = weights["lm_head.weight"] * mx.array(head)
    mx.save_safetensors(str(directory / "model.safetensors"), weights, metadata={"format": "mlx"})


def write_embedding_weights(directory: Path, config: dict, seed: int) -> None:
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_embeddings.models.xlm_roberta import Model, ModelArgs

    mx.random.seed(seed)
    model = Model(ModelArgs.from_dict(config))
    weights = {name: value.astype(mx.float16) for name, value in tree_flatten(model.parameters())}
    mx.save_safetensors(str(directory / "model.safetensors"), weights, metadata={"format": "mlx"})


def write_hollow_weights(directory: Path, seed: int) -> None:
    """A valid safetensors file with one small tensor."""
    payload = random.Random(seed).randbytes(1024)
    header = json.dumps({"weight": {"dtype": "U8", "shape": [len(payload)], "data_offsets": [0, len(payload)]}}).encode()
    header += b" " * (-len(header) % 8)
    (directory / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + payload)


def write_model(root: Path, spec: str, *, hollow: bool) -> str:
    kind, name, dimensions, size = parse_spec(spec)
    target = root / name
    if not (target / "config.json").exists():
        seed = zlib.crc32(name.encode())
        # oMLX looks into every directory of its roots, but never into a hidden one: build there, then rename.
        staging = root / f".make-{name.replace('/', '-')}"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        config = embedding_config(dimensions) if kind == "embedding" else llm_config()
        write_json(staging / "config.json", config)
        chat = kind != "embedding"
        if hollow:
            write_tokenizer_config(staging, chat=chat)
            write_hollow_weights(staging, seed)
        else:
            write_tokenizer(staging, chat=chat)
            (write_embedding_weights if kind == "embedding" else write_llm_weights)(staging, config, seed)
        target.parent.mkdir(parents=True, exist_ok=True)
        staging.rename(target)
    if size is not None:
        (target / "lab-size").write_text(f"{size}\n", encoding="ascii")
    return str(target)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make-models", description=__doc__.split("\n")[0])
    parser.add_argument("--hollow", action="store_true", help="no real weights: for the contract server only")
    parser.add_argument("directory", type=Path)
    parser.add_argument("model", nargs="+", help="[KIND=]NAME[,dimensions=N][,size=BYTES]")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    for spec in arguments.model:
        print(write_model(arguments.directory, spec, hollow=arguments.hollow))


if __name__ == "__main__":
    sys.exit(main())
