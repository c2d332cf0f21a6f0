"""The schema that the embedded model's server samples by.

A grammar makes a small model write valid JSON; it does not make it stop. Where
the schema leaves a string, an array or a recursion open, a small model may go on
until its answer is cut, so such a place gets a bound. What the server's grammars
cannot express is left out, so that the rest still helps. A value may then be
wrong, but nothing that is written because of a bound is.
"""

from __future__ import annotations

from typing import Any

#: Characters of a string, elements of an array, and rounds of a recursion where nothing is said.
STRING, ARRAY, ROUNDS = 400, 24, 3
#: References that are followed; a schema with more of them is sent as it is.
_MOST = 300
#: The formats that the server knows.
_FORMATS = frozenset(("date", "time", "date-time", "uuid"))


class Impossible(Exception):
    """Nothing can stand here: a schema `false`, or a recursion that has gone far enough."""


def bounded(schema: Any) -> Any:
    """Return the schema with a bound on each open place."""
    try:
        copy = _Bounds(schema).of(schema, ())
    except (Impossible, OverflowError):
        return schema
    # References are written out where they stand.
    return {key: value for key, value in copy.items() if key not in ("$defs", "definitions")}


class _Bounds:
    def __init__(self, root: Any) -> None:
        self._root = root
        self._followed = 0

    def of(self, schema: Any, seen: tuple[str, ...]) -> dict[str, Any]:
        """Return one subschema; `seen` are the references that led to it."""
        if schema is False:
            raise Impossible
        if not isinstance(schema, dict):
            return {}
        if "$ref" in schema:
            return self._target(schema["$ref"], seen)
        copy = dict(schema)
        for key in ("anyOf", "oneOf"):
            if key in copy:
                copy[key] = self._possible(copy[key], seen)
        for key in ("allOf", "prefixItems"):
            if key in copy:
                copy[key] = [self.of(one, seen) for one in copy[key]]
        self._properties(copy, seen)
        self._items(copy, seen)
        kinds = copy.get("type")
        shaped = copy.get("format") in _FORMATS or not copy.keys().isdisjoint(("pattern", "enum"))
        if kinds == "string" and not shaped and "maxLength" not in copy:
            copy["maxLength"] = max(STRING, copy.get("minLength", 0))
        elif kinds == "array" and "maxItems" not in copy and "prefixItems" not in copy:
            copy["maxItems"] = max(ARRAY, copy.get("minItems", 0))
        return copy

    def _target(self, pointer: str, seen: tuple[str, ...]) -> dict[str, Any]:
        self._followed += 1
        if self._followed > _MOST or not (pointer == "#" or pointer.startswith("#/")):
            raise OverflowError
        if seen.count(pointer) >= ROUNDS:
            raise Impossible
        target = self._root
        for step in pointer.split("/")[1:]:
            target = target.get(step) if isinstance(target, dict) else None
        if target is None:
            raise OverflowError
        return self.of(target, (*seen, pointer))

    def _possible(self, schemas: list[Any], seen: tuple[str, ...]) -> list[Any]:
        found = []
        for one in schemas:
            try:
                found.append(self.of(one, seen))
            except Impossible:
                continue
        if not found:
            raise Impossible
        return found

    def _properties(self, copy: dict[str, Any], seen: tuple[str, ...]) -> None:
        properties = {}
        for name, schema in copy.get("properties", {}).items():
            try:
                properties[name] = self.of(schema, seen)
            except Impossible:
                if name in copy.get("required", ()):
                    raise
        if properties:
            copy["properties"] = properties
        if isinstance(copy.get("additionalProperties"), dict):
            copy["additionalProperties"] = self.of(copy["additionalProperties"], seen)

    def _items(self, copy: dict[str, Any], seen: tuple[str, ...]) -> None:
        if "items" not in copy:
            return
        try:
            copy["items"] = self.of(copy["items"], seen)
        except Impossible:
            del copy["items"]
            if "prefixItems" not in copy:
                if copy.get("minItems"):
                    raise
                copy["maxItems"] = 0
