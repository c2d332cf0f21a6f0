"""A model of the user's own: a file in GGUF, or one on Hugging Face.

    -m local/./model.gguf    -m local//models/model.gguf    -m local/hf:OWNER/REPO:FILE.gguf

The head of the file says what it is: an architecture that answers, and a chat template.
A template that knows tools gets them in its own form, and the server reads the calls; any
other model is spoken to as the models of the catalogue are. A file that cannot answer is
refused before it is loaded.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import ConfigError, ProviderError, UsageError
from ..values import Value

#: How a model on Hugging Face is written.
HUB = re.compile(r"hf:([\w.-]+)/([\w.-]+):([\w./-]+\.gguf)", re.ASCII)
#: Architectures that make no text: encoders, and projectors of images.
_NO_TEXT = ("bert", "clip", "nomic-bert", "jina-bert-v2", "t5encoder", "wavtokenizer-dec")
#: The fixed-size values of GGUF by their number, as `struct` writes them.
_SIZES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
#: What is kept of the head.
_WANTED = ("general.architecture", "general.name", "tokenizer.chat_template")
#: More entries, or longer ones, than any model has.
_MOST_KEYS, _LONGEST = 10_000, 64 * 1024 * 1024


class Header(Value):
    """What a file says of itself."""

    architecture: str
    template: str

    @property
    def knows_tools(self) -> bool:
        """Whether the chat template has a place for tools."""
        return "tools" in self.template


def is_own(name: str) -> bool:
    """Return whether a model's name is a path or a place on Hugging Face."""
    return name.startswith(("hf:", "/", "./", "../", "~/")) or name.endswith(".gguf")


def path_of(name: str, directory: Path, environment: Mapping[str, str]) -> Path:
    """Return where the file of such a name lies or will lie; `directory` is that of the weights.

    Raises UsageError for a name on Hugging Face that is not complete.
    """
    if not name.startswith("hf:"):
        home = environment.get("HOME", "~")
        return Path(home + name[1:] if name.startswith("~/") else name).absolute()
    owner, repository, file = on_hub(name)
    return directory / "hf" / f"{owner}--{repository}--{file.replace('/', '--')}"


def on_hub(name: str) -> tuple[str, str, str]:
    """Return owner, repository and file. Raises UsageError."""
    match = HUB.fullmatch(name)
    if not match or ".." in name:
        raise UsageError(f"{name}: expected hf:OWNER/REPO:FILE.gguf")
    return match[1], match[2], match[3]


def header(path: Path) -> Header:
    """Return what a file says of itself. Raises ConfigError if it cannot answer."""
    try:
        with path.open("rb") as file:
            found = _read(file)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, struct.error):
        raise ConfigError(
            f"{path} is not a GGUF model",
            hint="llama.cpp's convert_hf_to_gguf.py makes one of a model in another format",
        ) from None
    architecture = str(found.get("general.architecture", ""))
    template = str(found.get("tokenizer.chat_template", ""))
    if architecture in _NO_TEXT:
        raise ConfigError(f"{path} cannot generate text: its architecture is {architecture}")
    if not template:
        raise ConfigError(
            f"{path} has no chat template: it is a base model, which cannot hold a conversation",
            hint="take the variant of the model that ends in -Instruct, -Chat or -it",
        )
    return Header(architecture, template)


def _read(file: BinaryIO) -> dict[str, Any]:
    """Read what is wanted of the keys of a file. Raises ValueError or struct.error."""
    if file.read(4) != b"GGUF":
        raise ValueError("magic")
    version, _, keys = struct.unpack("<IQQ", file.read(20))
    if not 2 <= version <= 9 or keys > _MOST_KEYS:
        raise ValueError("version")
    size = os.fstat(file.fileno()).st_size
    found: dict[str, Any] = {}
    for _ in range(keys):
        key = _text(file)
        (kind,) = struct.unpack("<I", file.read(4))
        value = _value(file, kind, size)
        if key in _WANTED:
            found[key] = value
    return found


def _value(file: BinaryIO, kind: int, size: int) -> Any:
    if kind == _STRING:
        return _text(file)
    if kind != _ARRAY:
        if kind not in _SIZES:
            raise ValueError("type")
        one = _SIZES[kind]
        return struct.unpack(f"<{one}", file.read(struct.calcsize(one)))[0]
    inner, count = struct.unpack("<IQ", file.read(12))
    if count > size:
        raise ValueError("count")
    if inner in _SIZES:
        file.seek(count * struct.calcsize(_SIZES[inner]), os.SEEK_CUR)
        return None
    for _ in range(count):
        _value(file, inner, size)
    return None


def _text(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > _LONGEST:
        raise ValueError("length")
    content = file.read(length)
    if len(content) < length:
        raise ValueError("end")
    return content.decode(errors="replace")


async def pointer(name: str, endpoint: str) -> tuple[int, str]:
    """Return the size and the sha256 of a file, as its repository on Hugging Face states them."""
    from ..transport.download import small_text

    owner, repository, file = on_hub(name)
    text = await small_text(f"{endpoint}/{owner}/{repository}/raw/main/{file}", 4096)
    digest = re.search(r"^oid sha256:([0-9a-f]{64})$", text, re.MULTILINE)
    size = re.search(r"^size (\d{1,15})$", text, re.MULTILINE)
    if not digest or not size:
        raise ProviderError(f"{name}: the repository gives no size and hash of the file")
    return int(size[1]), digest[1]
