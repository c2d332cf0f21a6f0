"""What a provider's or a model's block may say about the server's protocol.

Each key settles one way in which servers differ from the protocol that they speak;
what is not set is as the vendor's documentation, or else the protocol, has it. The
wires in `providers` read them from an endpoint's quirks by the same names.
"""

from __future__ import annotations

import re
from typing import Any

from .settings import Check

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
OBJECT_MODES = ("strict", "json", "tool", "prompt")


class FromEnvironment(str):
    """Text that `env("NAME")` gave: it may be a secret, so it is never shown."""

    __slots__ = ()


def _flag(data: Any) -> bool:
    if not isinstance(data, bool):
        raise ValueError("true or false")
    return data


def _field(data: Any) -> str:
    if not isinstance(data, str) or not _FIELD.fullmatch(data):
        raise ValueError("the name of a field", "something else")
    return data


def _field_or_false(data: Any) -> str | bool:
    return data if data is False else _field(data)


def _header(data: Any) -> str:
    if not isinstance(data, str) or not _HEADER.fullmatch(data):
        raise ValueError("the name of an HTTP header", "something else")
    return data.lower()


def _one_of(*choices: Any) -> Check:
    def check(data: Any) -> Any:
        if not any(data is one or (data == one and isinstance(data, str)) for one in choices):
            shown = (
                "true" if one is True else "false" if one is False else f'"{one}"'
                for one in choices
            )
            raise ValueError(f"one of {', '.join(shown)}", "something else")
        return data

    return check


def _text(data: Any) -> str:
    if not isinstance(data, str) or not data.isprintable():
        raise ValueError("a string")
    return data


#: The keys that hold one value.
WIRE_KEYS: dict[str, Check] = {
    # every protocol
    "auth_header": _header,
    "tool_call": _flag,
    "temperature": _flag,
    "tool_choice": _one_of(True, False, "required"),
    # Chat Completions
    "stream_options": _flag,
    "max_tokens_field": _field,
    "reasoning_replay": _field_or_false,
    "done_ends": _flag,
    "strict": _flag,
    "document_url": _flag,
    # Chat Completions and Responses
    "reasoning_effort": _flag,
    "tool_files": _one_of("inline", "user"),
    # Responses
    "encrypted_reasoning": _flag,
    "reasoning_summary": _one_of("auto", "concise", "detailed"),
    "store": _flag,
    # Messages
    "thinking": _one_of("adaptive", "budget"),
    "version": _text,
    "cache_control": _flag,
}
#: The keys that hold a list, and what each entry is.
WIRE_LISTS: dict[str, Check] = {
    "object_modes": _one_of(*OBJECT_MODES),
    "schema_without": _field,
}
#: The key that holds fields of the request as they are.
EXTRA_BODY = "extra_body"
ALL = (*WIRE_KEYS, *WIRE_LISTS, EXTRA_BODY)
