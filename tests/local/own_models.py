"""Weights for the stand-in runtime: a head in GGUF, and a script of what it answers."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STAND_IN = Path(__file__).parent / "stand_in"
TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}"
WITH_TOOLS = "{% if tools %}{{ tools }}{% endif %}" + TEMPLATE


def gguf(*, architecture: str = "llama", template: str | None = TEMPLATE) -> bytes:
    """The head of a model in GGUF, with the kinds of values that real ones have."""
    pairs = [
        text("general.architecture") + kind(8) + text(architecture),
        text("llama.context_length") + kind(4) + struct.pack("<I", 8192),
        text("llama.rope.freq_base") + kind(6) + struct.pack("<f", 1e6),
        text("tokenizer.ggml.tokens") + array(8, [text("a"), text("b")]),
        text("tokenizer.ggml.token_type") + array(5, [struct.pack("<i", 1)] * 2),
    ]
    if template is not None:
        pairs.append(text("tokenizer.chat_template") + kind(8) + text(template))
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(pairs)


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def kind(number: int) -> bytes:
    return struct.pack("<I", number)


def array(inner: int, items: list[bytes]) -> bytes:
    return kind(9) + struct.pack("<IQ", inner, len(items)) + b"".join(items)


@dataclass
class Model:
    """A model of the stand-in runtime: what it answers, and what it was asked."""

    path: Path

    @classmethod
    def make(
        cls, directory: Path, *answers: Any, content: bytes | None = None, **more: Any
    ) -> Model:
        directory.mkdir(exist_ok=True)
        model = cls(directory / "model.gguf")
        model.path.write_bytes(gguf() if content is None else content)
        Path(f"{model.path}.script").write_text(json.dumps({"answers": answers, **more}))
        return model

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(STAND_IN), "A3S_LOCAL_MODEL": str(self.path)}

    @property
    def log(self) -> list[dict[str, Any]]:
        log = Path(f"{self.path}.log")
        return [json.loads(line) for line in log.open()] if log.exists() else []

    @property
    def loads(self) -> int:
        return sum(one["path"] == "/load" for one in self.log)

    @property
    def asked(self) -> list[Any]:
        """The requests for an answer."""
        return [
            one["body"]
            for one in self.log
            if one["path"].endswith("/completions") and not one["body"].get("return_progress")
        ]
