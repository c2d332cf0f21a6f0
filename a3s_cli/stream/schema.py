"""The event contract as JSON Schema 2020-12, built from the event types.

Consumers validate each line against it, as `replay` and `audit` do. Unknown fields
are allowed, because fields may be added within one schema version.
"""

from __future__ import annotations

import json
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter

from ..events import SCHEMA_VERSION, Denial, Event, camel
from ..messages import Usage

#: The types that may come between two runs of a process, and then have no `seq`.
OUTSIDE = ("control_rejected",)
_USAGE = {
    camel(name): {"type": "integer", "minimum": 0}
    for name in Usage.__dataclass_fields__
    if name != "total_tokens"
}
_DENIAL = {camel(name): {"type": "string"} for name in Denial.__dataclass_fields__}
_REDACTED = {
    "type": "boolean",
    "description": "true if a secret was replaced or a key masked",
}
_ENVELOPE = {
    "seq": {"type": "integer", "minimum": 0, "description": "from 0 in each run, without gaps"},
    "ts": {"type": "integer", "description": "milliseconds since the Unix epoch"},
}


def event_schema() -> str:
    """Return the schema of one line, a batch's included, as indented JSON with a newline."""
    document = schema_document()
    own = batch_definitions()
    document["oneOf"] += [{"$ref": f"#/$defs/{kind}"} for kind in own]
    document["$defs"] |= own
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def batch_definitions() -> dict[str, Any]:
    """Return the schemas of a batch's own lines; the events of its runs are those of any run."""
    from ..events.batch import BatchEvent

    own = {kind: _numbered(_event(cls)) for kind, cls in BatchEvent.batch_kinds.items()}
    failed = _numbered(_event(Event.kinds["error"]))
    return {**own, "batch_error": {**failed, "not": {"required": ["seq"]}}}


def _numbered(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a line that a batch numbers, and no run."""
    place = {"type": "integer", "minimum": 0, "description": "from 0 in the stream of a batch"}
    fields = {key: one for key, one in schema["properties"].items() if key != "seq"}
    required = ["bseq" if key == "seq" else key for key in schema["required"]]
    return {**schema, "properties": {**fields, "bseq": place}, "required": required}


def schema_document() -> dict[str, Any]:
    """Return the schema of one line; `$defs` has a complete schema for each type."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"a3s event stream, schema version {SCHEMA_VERSION}",
        "description": "One line of the stream. Consumers ignore fields that they do not know.",
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in Event.kinds],
        "$defs": {kind: _event(cls) for kind, cls in Event.kinds.items()},
    }


def _event(cls: type[Event]) -> dict[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    properties: dict[str, Any] = {"type": {"const": cls.type}, **_ENVELOPE}
    for name, key in cls.fields:
        properties[key] = _field(hints[name])
    properties["redacted"] = _REDACTED
    required = [key for name, key in cls.fields if name in cls.required or key == "exitCode"]
    return {
        "description": (cls.__doc__ or "").strip(),
        "type": "object",
        "properties": properties,
        "required": ["type", *([] if cls.type in OUTSIDE else ["seq"]), "ts", *required],
    }


def _field(hint: Any) -> dict[str, Any]:
    """Return the schema of one field. An optional field is absent, never null."""
    meant, description = get_args(hint)
    kinds = [kind for kind in get_args(meant) if kind is not type(None)]
    kind = kinds[0] if type(None) in get_args(meant) and len(kinds) == 1 else meant
    return {**_kind(kind), "description": description}


def _kind(kind: Any) -> dict[str, Any]:
    if kind is Usage:
        return {"type": "object", "properties": _USAGE, "required": list(_USAGE)}
    if kind == tuple[Denial, ...]:
        item = {"type": "object", "properties": _DENIAL, "required": list(_DENIAL)}
        return {"type": "array", "items": item}
    return TypeAdapter(kind).json_schema()
