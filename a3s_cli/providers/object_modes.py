"""How the vendors of a wire can be asked for a JSON value of a schema.

A wire lists its ways, the best first; the quirk `object_modes` of a vendor names
those that it has, in its own order. What is wrong here costs one refused
request of a run and no more: the next way is then taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..model import Endpoint, ObjectMode, Way

#: What every vendor samples by that samples by a schema at all.
_STRUCTURE = ("type", "properties", "required", "additionalProperties", "items", "anyOf")
_CONTENT = ("enum", "const", "format", "title", "description", "$ref", "$defs", "definitions")
COMMON = frozenset(_STRUCTURE + _CONTENT)
#: What OpenAI samples by besides.
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
OPENAI = COMMON | frozenset((*_BOUNDS, "pattern", "minItems", "maxItems"))


def available(ways: Sequence[Way], endpoint: Endpoint) -> Sequence[Way]:
    """Return those of a wire's ways that the endpoint's vendor supports."""
    by_mode: Mapping[ObjectMode, Way] = {way.mode: way for way in ways}
    modes = endpoint.quirks.get("object_modes", by_mode)
    calls = endpoint.quirks.get("tool_call", True)
    return [by_mode[mode] for mode in modes if mode in by_mode and (calls or mode != "tool")]
