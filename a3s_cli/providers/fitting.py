"""Requests for servers that speak a part of their protocol, or more than it.

`fitted` changes a request as the configuration says. `refused` finds in a server's
refusal the fields that it names, so that a request can be sent once more without
them. A field that the user has set is never given up, nor a limit of output unless
the server has another name for it. Loaded only where one of these is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..model import Endpoint, Quirks
from ..values import Value, replace
from .error_report import read_body

#: How servers say that a field, and not its value, is what they refuse.
_REFUSES = (
    r"(?i)unknown|unrecogni[sz]ed|unsupported|unexpected|extra_forbidden|extra (inputs|fields)"
    r"|(not|n't) (be )?(supported?|permitted|allowed|accept(ed)?|recogni[sz]ed|implemented)"
    r"|additional propert|no such|cannot find field|not a valid (field|key|parameter|keyword)"
    r"|invalid (parameter|field|argument|property|keyword|key|name)|is deprecated|instead"
)
#: How servers say that the output of a call must be text.
_TEXT_OUTPUT = r"(?i)\boutput\b.{0,80}\bstring\b|\bstring\b.{0,60}\boutput\b"
#: Keywords of a schema that a model can do without: they narrow what it may write.
_KEYWORDS = (
    "$schema", "$id", "$comment", "additionalProperties", "unevaluatedProperties",
    "patternProperties", "propertyNames", "pattern", "format", "default", "examples", "title",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength",
    "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
    "const", "contains", "dependentRequired", "nullable", "deprecated", "readOnly",
)  # fmt: skip
_LIMITS = ("max_tokens", "max_completion_tokens")
#: Fields that can be left out -> the key of the configuration that leaves them out.
_OPTIONAL: Mapping[str, str] = {
    "stream_options": "stream_options",
    "strict": "strict",
    "reasoning_content": "reasoning_replay",
    "reasoning_details": "reasoning_replay",
    "tool_choice": "tool_choice",
    "include": "encrypted_reasoning",
    "store": "store",
    "cache_control": "cache_control",
}
#: Fields that are sent because the user has set them -> the key that leaves them out.
_SET = {"temperature": "temperature", "reasoning_effort": "reasoning_effort"}
_SCHEMAS = frozenset(
    ("parameters", "input_schema", "parametersJsonSchema", "schema", "responseJsonSchema")
)
_NAMED = frozenset(("properties", "patternProperties", "$defs", "definitions"))


class Change(Value):
    """A field that a server refuses, and the setting of an endpoint without it."""

    field: str
    key: str
    value: Any

    @property
    def advice(self) -> str:
        """What the user is told."""
        if self.key == "tool_files":
            change = " with files, so they are sent after it"
        elif self.key == "max_tokens_field":
            change = f", so {self.value} is sent instead"
        else:
            change = ", so it is left out"
        return f"{self.field}{change}; set {self.setting} to avoid this"

    @property
    def setting(self) -> str:
        """The line of the configuration."""
        if isinstance(self.value, list):
            return f"{self.key} = [{', '.join(map(_quoted, self.value))}]"
        return f"{self.key} = {'false' if self.value is False else _quoted(self.value)}"


def _quoted(text: str) -> str:
    return f'"{text}"'


def refused(body: bytes, endpoint: Endpoint) -> list[Change]:
    """Return what may be changed in answer to a refusal, in no order of likelihood."""
    said = _said(body)
    quirks = endpoint.quirks
    if endpoint.wire == "openai-responses" and re.search(_TEXT_OUTPUT, said):
        # It matters only for requests that have such files.
        return [] if "tool_files" in quirks else [Change("output", "tool_files", "user")]
    if not re.search(_REFUSES, said):
        return []
    found = [
        Change(name, key, False)
        for name, key in _OPTIONAL.items()
        if _names(said, name) and quirks.get(key) is not False
    ]
    limit = quirks.get("max_tokens_field", _LIMITS[0])
    if endpoint.wire == "openai-chat" and limit in _LIMITS and _names(said, limit):
        found.append(Change(limit, "max_tokens_field", _LIMITS[1 - _LIMITS.index(limit)]))
    gone: list[str] = quirks.get("schema_without", [])
    keywords = [one for one in _KEYWORDS if one not in gone and _names(said, one)]
    if keywords:
        found.append(Change(", ".join(keywords), "schema_without", [*gone, *keywords]))
    extra = quirks.get("extra_body", {})
    settled = quirks.settled if isinstance(quirks, Quirks) else ()
    return [one for one in found if one.key not in settled and one.field not in extra]


def changed(endpoint: Endpoint, change: Change) -> Endpoint:
    """Return the endpoint as it is after a change."""
    quirks = Quirks(endpoint.quirks)
    quirks[change.key] = change.value
    if isinstance(endpoint.quirks, Quirks):
        quirks.settled = endpoint.quirks.settled
    return replace(endpoint, quirks=quirks)


def hint(body: bytes) -> str | None:
    """Return what helps where a server refuses a field that the user has set."""
    said = _said(body)
    if re.search(_REFUSES, said):
        for name, key in _SET.items():
            if _names(said, name):
                return f"leave {name} out, or set {key} = false for this model"
    return None


def _said(body: bytes) -> str:
    report = read_body(body)
    return f"{report.message} {report.words}"


def _names(said: str, name: str) -> bool:
    return bool(re.search(rf"(?<![\w$]){re.escape(name)}(?![\w])", said))


def fitted(body: dict[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """Return a request's body as the endpoint's own settings want it."""
    keywords = frozenset(endpoint.quirks.get("schema_without", ()))
    if keywords:
        places = ("tools", "response_format", "text", "output_config", "generationConfig")
        body = {
            key: _searched(value, keywords) if key in places else value
            for key, value in body.items()
        }
    extra = endpoint.quirks.get("extra_body")
    return _merged(body, extra) if extra else body


def _searched(node: Any, keywords: frozenset[str]) -> Any:
    """Return a part of a request with its schemas without these keywords."""
    if isinstance(node, list):
        return [_searched(one, keywords) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without(value, keywords) if key in _SCHEMAS else _searched(value, keywords)
        for key, value in node.items()
    }


def _without(node: Any, keywords: frozenset[str]) -> Any:
    if isinstance(node, list):
        return [_without(one, keywords) for one in node]
    if not isinstance(node, dict):
        return node
    return dict(_kept(node, keywords))


def _kept(node: dict[str, Any], keywords: frozenset[str]) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if key in keywords:
            continue
        if key in _NAMED and isinstance(value, dict):
            # Below these keys are names, which only look like keywords.
            yield key, {name: _without(one, keywords) for name, one in value.items()}
        else:
            yield key, _without(value, keywords)


def _merged(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(body)
    for key, value in extra.items():
        old = merged.get(key)
        deep = isinstance(value, dict) and isinstance(old, dict)
        merged[key] = _merged(dict(old or {}), value) if deep else value
    return merged
