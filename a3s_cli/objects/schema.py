"""A JSON Schema from outside: checked before use, and what satisfies it.

A schema may come from a model, and so be hostile: huge, deep, full of references
that double at every step. So it is bounded and checked against its own schema
first. Deciding whether a value satisfies it holds the interpreter's lock, where
neither a signal nor a deadline gets through: where the work is not plainly
bounded, it is done in a child that can be killed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import jsontext
from ..errors import InvalidObject, UsageError
from ..validation import SchemaError, Validator

#: Bytes of a schema as JSON, levels of its nesting, and regular expressions in it.
LARGEST, DEEPEST, MOST_PATTERNS = 256 * 1024, 64, 200
#: Work that is done in this process: subschemas times bytes of the value.
_BOUNDED = 200_000_000
#: Bytes of a value whose violations are listed here: every one of thousands is put into words.
_SMALL = 16 * 1024
#: Seconds that the child may take.
SECONDS = 10.0

#: path of the value in question (empty for the root), sentence
Violation = tuple[str, str]

_ENTRY = str(Path(__file__).parents[2])
_WORKER = (
    "import sys; sys.path[:0] = sys.argv[1:3]; "
    "from a3s_cli.objects.check_worker import main; main(sys.argv[3])"
)


class Schema:
    """A schema that is one, and does not ask for the impossible. Raises SchemaError."""

    def __init__(self, source: Any) -> None:
        self.source: dict[str, Any] | bool = _bounded(source)
        self._validator = Validator(self.source)
        self._expanded = _Expansion(self.source).size

    @property
    def roots(self) -> frozenset[str] | None:
        """The types that a value may have; None where that is not said plainly."""
        kinds = self.source.get("type") if isinstance(self.source, dict) else None
        if isinstance(kinds, str):
            return frozenset((kinds,))
        return frozenset(kinds) if kinds else None

    def accepts(self, value: Any) -> bool:
        """Return at once whether a value is valid; True where only a child process may decide."""
        return not self._is_bounded(value) or self._validator.is_valid(value)

    def found_at_once(self, value: Any) -> list[Violation]:
        """Return the violations of a value; none where only a child process may decide."""
        if self.accepts(value):
            return []
        if len(jsontext.dumps(value)) > _SMALL:
            return [("", "the value does not fit the schema")]
        return list(self._validator.violations(value))

    async def violations(self, value: Any) -> list[Violation]:
        """Return the violations of a value; none for a valid one. Raises InvalidObject."""
        if not self._is_bounded(value):
            return await self._found_by_child(value)
        if self._validator.is_valid(value):
            return []
        if len(jsontext.dumps(value)) > _SMALL:
            return await self._found_by_child(value)
        return list(self._validator.violations(value))

    def _is_bounded(self, value: Any) -> bool:
        return (
            self._expanded is not None and self._expanded * len(jsontext.dumps(value)) <= _BOUNDED
        )

    async def _found_by_child(self, value: Any) -> list[Violation]:
        from tempfile import NamedTemporaryFile

        try:
            with NamedTemporaryFile(prefix="a3s-") as file:
                file.write(jsontext.dumps([self.source, value]))
                file.flush()
                said = await _child(file.name)
        except OSError as error:
            raise InvalidObject(f"the object cannot be checked: {error.strerror}") from None
        if not said:
            raise InvalidObject(
                f"whether the object fits the schema could not be decided in {SECONDS:g} s",
                hint="a schema whose $refs and alternatives multiply takes too long",
            )
        verdict, *lines = said.splitlines()
        if verdict == "valid":
            return []
        found = [tuple(jsontext.loads(line)) for line in lines]
        return found or [("", "the value does not fit the schema")]


async def _child(path: str) -> str:
    import jsonschema_rs

    from ..processes import spawner as process

    said = bytearray()

    async def receive(piece: bytes) -> None:
        said.extend(piece)

    library = str(Path(jsonschema_rs.__file__).parents[1])
    command = [sys.executable, "-I", "-S", "-X", "utf8", "-c", _WORKER, _ENTRY, library, path]
    await process.run(
        command,
        cwd=Path("/"),
        environment={},
        timeout=SECONDS,
        receive=receive,
        merge_stderr=False,
    )
    # What it was saying when it was ended may be half a line.
    return said[: said.rfind(b"\n") + 1].decode()


def read_schema(argument: str, *, prompt_uses_stdin: bool, stdin: int = 0) -> Any:
    """Return the schema of `--schema FILE|JSON|-`, checked. Raises UsageError."""
    place, text = _schema_text(argument, prompt_uses_stdin, stdin)
    return parse_schema(text, place)


def parse_schema(text: str, place: str) -> Any:
    """Return the schema in a text, checked; `place` says where it is from. Raises UsageError."""
    try:
        source = jsontext.loads(text)
    except ValueError as error:
        raise UsageError(f"{place}: not valid JSON: {error}") from None
    try:
        return Schema(source).source
    except SchemaError as error:
        raise UsageError(f"{place}: not a valid JSON Schema: {error}") from None


def _schema_text(argument: str, prompt_uses_stdin: bool, stdin: int) -> tuple[str, str]:
    if argument == "-":
        if prompt_uses_stdin:
            raise UsageError(
                "the prompt and --schema cannot both come from stdin",
                hint="give one of them as an argument or a file",
            )
        return "--schema -", _read(stdin, "--schema -")
    if argument.lstrip()[:1] in ("{", "[", '"') or argument.strip() in ("true", "false", "null"):
        if len(argument.encode(errors="surrogateescape")) > LARGEST:
            raise UsageError(f"--schema: it is larger than {LARGEST >> 10} KiB")
        return "--schema", argument
    place = f"--schema {argument}"
    try:
        with open(argument, "rb") as file:
            return place, _read(file.fileno(), place)
    except OSError as error:
        raise UsageError(
            f"{place}: {error.strerror}", hint="--schema takes a file, - or the JSON itself"
        ) from None
    except ValueError:  # a NUL in the name
        raise UsageError("--schema: expected a file, - or JSON") from None


def _read(descriptor: int, place: str) -> str:
    data = bytearray()
    try:
        while len(data) <= LARGEST and (piece := os.read(descriptor, 1 << 16)):
            data += piece
    except OSError as error:
        raise UsageError(f"{place}: {error.strerror}") from None
    if len(data) > LARGEST:
        raise UsageError(f"{place}: it is larger than {LARGEST >> 10} KiB")
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        wrong = f"byte {error.start} is {data[error.start]:#04x}"
        raise UsageError(f"{place}: it is not UTF-8: {wrong}") from None


def _bounded(source: Any) -> dict[str, Any] | bool:
    """Return the schema; raises SchemaError for one that is too large."""
    if not isinstance(source, dict | bool):
        raise SchemaError("", "a schema must be an object, or true or false")
    patterns = 0
    for level, node in _nodes(source):
        if level > DEEPEST:
            raise SchemaError("", f"it is nested deeper than {DEEPEST} levels")
        if isinstance(node, dict):
            patterns += "pattern" in node
            patterns += len(node.get("patternProperties") or ())
    if patterns > MOST_PATTERNS:
        raise SchemaError("", f"it has more than {MOST_PATTERNS} regular expressions")
    if len(jsontext.dumps(source)) > LARGEST:
        raise SchemaError("", f"it is larger than {LARGEST >> 10} KiB")
    return source


def _nodes(value: Any) -> Iterator[tuple[int, Any]]:
    """Yield every container with its level, without recursion and no deeper than needed."""
    left = [(1, value)]
    while left:
        level, node = left.pop()
        yield level, node
        inner = node.values() if isinstance(node, dict) else node
        if isinstance(node, dict | list):
            left += [(level + 1, one) for one in inner if isinstance(one, dict | list)]


class _Expansion:
    """How many subschemas there are once every reference is written out.

    `size` is None where that is not finite, or not plain: then a value could be
    held against more of them than it has bytes.
    """

    #: What is resolved by more than its pointer, or evaluated once more for what it covers.
    INTRICATE = frozenset(("$dynamicRef", "$recursiveRef", "unevaluatedItems"))
    INTRICATE |= {"unevaluatedProperties"}

    def __init__(self, source: Any) -> None:
        self._source = source
        self._sizes: dict[str, int | None] = {}
        self.size = self._of(source)

    def _of(self, node: Any) -> int | None:
        if isinstance(node, list):
            return self._sum(node)
        if not isinstance(node, dict):
            return 0
        if not self.INTRICATE.isdisjoint(node) or ("$id" in node and node is not self._source):
            return None
        referred = node.get("$ref")
        size = self._target(referred) if isinstance(referred, str) else 0
        # What is only defined is counted where it is referred to.
        inner = [value for key, value in node.items() if key not in ("$defs", "definitions")]
        rest = self._sum(inner)
        return None if size is None or rest is None else 1 + size + rest

    def _sum(self, nodes: list[Any]) -> int | None:
        total = 0
        for node in nodes:
            size = self._of(node)
            if size is None:
                return None
            total += size
        return total

    def _target(self, pointer: str) -> int | None:
        if pointer not in self._sizes:
            # Coming back here while it is being counted means a cycle.
            self._sizes[pointer] = None
            self._sizes[pointer] = self._of(self._at(pointer))
        return self._sizes[pointer]

    def _at(self, pointer: str) -> Any:
        if pointer != "#" and not pointer.startswith("#/"):
            return {"$dynamicRef": pointer}
        from urllib.parse import unquote

        found: Any = self._source
        for written in unquote(pointer).split("/")[1:]:
            step = written.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict):
                found = found.get(step)
            elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
                found = found[int(step)]
            else:
                return None
        return found
