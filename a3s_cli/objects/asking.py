"""How a value of a schema is asked for: what is sent of the schema, and what is said.

Vendors take different parts of JSON Schema, and most want an object at the root.
So what is sent may be narrower than what was asked for (an object without extra
keys is what a model would write anyway) and may have an object around it; a
value that fits it fits the schema as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import jsontext
from ..messages import Message, Text
from ..model import Shape, Way
from ..values import Value
from .schema import Schema, Violation

#: The key of the object around a value that is none.
WRAPPER = "value"
#: Keywords beside which the `type` of a root says too little.
_COMBINING = frozenset(("anyOf", "oneOf", "allOf", "not", "if", "enum", "const", "$ref"))
#: The formats that vendors sample by.
_FORMATS = frozenset(("date-time", "date", "time", "duration", "email", "hostname", "uuid"))
#: Bytes of an answer that are repeated when it is to be corrected.
_HEAD, _TAIL = 32 * 1024, 8 * 1024


class Wanted(Value):
    """The value that is asked for."""

    schema: Schema
    name: str = "result"
    description: str = ""

    def is_wrapped(self, way: Way) -> bool:
        """Return whether the value is wrapped in an object."""
        return way.object_root and not _is_object(self.schema.source)

    def shape(self, way: Way) -> Shape | None:
        """Return what is sent to ask in this way; None where it cannot express the schema."""
        sent = _wrapped(self.schema.source) if self.is_wrapped(way) else _plain(self.schema.source)
        exact = _exact(sent, way.keywords) if way.keywords is not None else None
        if exact is None and not way.lenient:
            return None
        return Shape(way.mode, self.name, self.description, exact or sent, exact is not None)


def instructions(shape: Shape, *, told: bool = False) -> str:
    """Return the instructions for the answer, with the schema where nothing else conveys it."""
    if shape.mode == "tool":
        said = f"Give your answer by calling {shape.name}, once, and say nothing else."
    else:
        said = "Answer with one JSON value and nothing else: no explanation, no code fence."
    if shape.description and shape.mode in ("json", "prompt"):
        said += f" The value is: {shape.description}"
    if told or shape.mode in ("json", "prompt"):
        said += f"\nIt must satisfy this JSON Schema:\n{jsontext.dumps(shape.schema).decode()}"
    return said


def announcement(schema: dict[str, Any] | bool) -> str:
    """Return what the model is told, before a run begins, about its final answer."""
    text = jsontext.dumps(_plain(schema)).decode()
    return (
        "When you have everything that the answer needs, say so in one short sentence and stop: "
        "the answer itself is asked of you then, as one JSON value of this JSON Schema:\n"
        f"{jsontext.cut(text, _HEAD, _TAIL)}"
    )


def correction(answer: str, violations: Iterable[Violation], shape: Shape) -> list[Message]:
    """Return the turns that repeat a wrong answer and ask for a right one."""
    listed = "\n".join(f"- {path or 'the whole value'}: {problem}" for path, problem in violations)
    asked = (
        f"That answer is not valid:\n{listed}\n"
        f"Give the whole value again, corrected. {instructions(shape, told=True)}"
    )
    shown = jsontext.cut(answer, _HEAD, _TAIL)
    return [Message("assistant", (Text(shown),)), Message("user", (Text(asked),))]


def _is_object(schema: Any) -> bool:
    plain = isinstance(schema, dict) and schema.get("type") == "object"
    return plain and _COMBINING.isdisjoint(schema)


def _plain(schema: dict[str, Any] | bool) -> dict[str, Any]:
    """Return the schema without its own name and dialect, which are not for vendors."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    return {key: value for key, value in schema.items() if key not in ("$schema", "$id")}


def _wrapped(schema: dict[str, Any] | bool) -> dict[str, Any]:
    """Put an object around what the schema describes; its references still lead where they did."""
    inner = _plain(schema)
    definitions: dict[str, Any] = {
        key: inner.pop(key) for key in ("$defs", "definitions") if key in inner
    }
    outer: dict[str, Any] = {
        "type": "object",
        "properties": {WRAPPER: inner},
        "required": [WRAPPER],
        "additionalProperties": False,
        **definitions,
    }
    moved: dict[str, Any] = _with_moved_references(outer)
    return moved


def _with_moved_references(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_moved_references(one) for one in node]
    if not isinstance(node, dict):
        return node
    copy = {key: _with_moved_references(value) for key, value in node.items()}
    pointer = copy.get("$ref")
    if isinstance(pointer, str) and (pointer == "#" or pointer.startswith("#/")):
        kept = pointer.startswith(("#/$defs/", "#/definitions/"))
        copy["$ref"] = pointer if kept else f"#/properties/{WRAPPER}{pointer[1:]}"
    return copy


def _exact(node: Any, keywords: frozenset[str]) -> dict[str, Any] | None:
    """Return the schema as a vendor can sample by it exactly; None if it cannot.

    All properties must be required, so that nothing is made up that may be left
    out; where they are, and nothing is said of others, others are excluded.
    """
    if not isinstance(node, dict) or not node.keys() <= keywords:
        return None
    if "$ref" in node:
        siblings = node.keys() - {"title", "description", "$defs", "definitions", "$ref"}
        node = {key: node[key] for key in ("$ref", "$defs", "definitions") if key in node}
        if siblings:
            return None
    elif not node.keys() & {"type", "anyOf"} or node.get("format", "date") not in _FORMATS:
        return None
    copy = dict(node)
    for key in ("properties", "$defs", "definitions"):
        if key in node and not _all_exact(copy, key, node[key].items(), keywords):
            return None
    if "anyOf" in node:
        alternatives = [_exact(one, keywords) for one in node["anyOf"]]
        if None in alternatives:
            return None
        copy["anyOf"] = alternatives
    if "items" in node:
        copy["items"] = _exact(node["items"], keywords)
        if copy["items"] is None:
            return None
    return _closed(copy)


def _all_exact(
    copy: dict[str, Any],
    key: str,
    items: Iterable[tuple[str, Any]],
    keywords: frozenset[str],
) -> bool:
    found: Mapping[str, Any] = {name: _exact(one, keywords) for name, one in items}
    copy[key] = found
    return None not in found.values()


def _closed(copy: dict[str, Any]) -> dict[str, Any] | None:
    kinds = copy.get("type")
    if "properties" not in copy:
        return (
            None if kinds == "object" or (isinstance(kinds, list) and "object" in kinds) else copy
        )
    if set(copy.get("required", ())) != set(copy["properties"]):
        return None
    if copy.setdefault("additionalProperties", False) is not False:
        return None
    return copy
