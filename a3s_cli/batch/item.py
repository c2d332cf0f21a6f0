"""One item of a batch: what a line of the data set may ask for, checked field by field.

A data set is untrusted. It says what to do and tightens limits; it never carries rules, a
sandbox or an environment, and a field that is not known is refused, so that nothing is
ignored by accident.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from ..jsontext import clean, dumps
from ..values import Value

#: Bytes that an id may have.
LONGEST_ID = 200
#: An id that can be the name of a file as it is, and what stands for others.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")
_HASHED = re.compile(r"x-[0-9a-f]{32}")


class BadItem(ValueError):
    """A line is not an item; the message is one sentence without the line's place."""


class Item(Value):
    """One prompt, and how it differs from the rest of the batch."""

    id: str
    prompt: str
    cwd: str | None = None
    model: str | None = None
    #: A JSON Schema, or the path of one.
    schema: Any = None
    system: str | None = None
    #: Seconds.
    timeout: float | None = None
    max_turns: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    attachments: tuple[Any, ...] = ()
    meta: Any = None
    #: Digest of everything that the item asks for.
    sha256: str = ""


def file_name(item: str, attempt: int) -> str:
    """Return the name of an attempt's files, without a suffix; other items get other names."""
    if not _NAME.fullmatch(item) or _HASHED.fullmatch(item):
        item = "x-" + sha256(item.encode()).hexdigest()[:32]
    return f"{item}.{attempt}"


def item_of(value: Mapping[str, Any], default_id: str) -> Item:
    """Return the item that these fields describe. Raises BadItem."""
    fields = {}
    for key, one in value.items():
        if key not in FIELDS:
            raise BadItem(_unknown(key))
        name, check = FIELDS[key]
        if one is not None:
            fields[name] = check(key, one)
    if "prompt" not in fields:
        raise BadItem('it has no "prompt"')
    fields.setdefault("id", default_id)
    return Item(**fields, sha256=sha256(dumps(dict(sorted(fields.items())))).hexdigest())


def _unknown(key: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, FIELDS, 1)
    meant = f"did you mean {near[0]!r}?" if near else f"the fields are {', '.join(FIELDS)}"
    return f"there is no field {clean(key)[:100]!r}; {meant}"


def _id(key: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    text = _text(key, value)
    if len(text.encode()) > LONGEST_ID:
        raise BadItem(f'"{key}" has more than {LONGEST_ID} bytes')
    return text


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadItem(f'"{key}" is not a string')
    if not value.strip():
        raise BadItem(f'"{key}" is blank')
    return clean(value)


def _seconds(key: str, value: Any) -> float:
    from ..config.durations import seconds

    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e9:
        return float(value)
    if isinstance(value, str):
        try:
            return seconds(value)
        except ValueError:
            pass
    raise BadItem(f'"{key}" is not a duration such as 90 or "5m"')


def _count(key: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 53:
        raise BadItem(f'"{key}" is not a whole number of at least 1')
    return value


def _temperature(key: str, value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 2:
        raise BadItem(f'"{key}" is not a number from 0 to 2')
    return float(value)


def _schema(key: str, value: Any) -> Any:
    if isinstance(value, (dict, bool)):
        return value
    if isinstance(value, str) and value.strip():
        return value
    raise BadItem(f'"{key}" is neither a JSON Schema nor the path of one')


def _attachments(key: str, value: Any) -> tuple[Any, ...]:
    from ..input.attachments import given_in_json

    # A path alone is the short form.
    listed = value if isinstance(value, list) else [value]
    objects = [{"path": one} if isinstance(one, str) else one for one in listed]
    try:
        given_in_json(objects)
    except ValueError as error:
        raise BadItem(str(error).replace("`", '"')) from None
    return tuple(objects)


def _anything(_: str, value: Any) -> Any:
    return value


#: The fields on a line: the attribute of each, and what checks its value.
FIELDS: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
    "id": ("id", _id),
    "prompt": ("prompt", _text),
    "cwd": ("cwd", _text),
    "model": ("model", _text),
    "schema": ("schema", _schema),
    "system": ("system", _text),
    "timeout": ("timeout", _seconds),
    "maxTurns": ("max_turns", _count),
    "maxTokens": ("max_tokens", _count),
    "temperature": ("temperature", _temperature),
    "attachments": ("attachments", _attachments),
    "meta": ("meta", _anything),
}
