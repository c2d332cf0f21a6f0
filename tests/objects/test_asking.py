"""What is sent of a schema: never something that a wrong value satisfies."""

from __future__ import annotations

from typing import Any

import pytest

from a3s_cli.model import Shape, Way
from a3s_cli.objects.asking import WRAPPER, Wanted, correction, instructions
from a3s_cli.objects.schema import Schema
from a3s_cli.providers.object_modes import COMMON, OPENAI
from a3s_cli.validation import Validator

PLAIN = Way("strict", object_root=True, keywords=OPENAI)
STRICT_ONLY = Way("strict", object_root=True, keywords=COMMON, lenient=False)
ANY_ROOT = Way("strict")
STRING = {"type": "string"}


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def shape(schema: Any, way: Way = PLAIN) -> Shape:
    found = Wanted(Schema(schema)).shape(way)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "schema",
    [
        closed(a=STRING),
        closed(a={"type": ["string", "null"], "format": "date"}),
        closed(a={"type": "array", "items": closed(b={"enum": [1, 2], "type": "integer"})}),
        closed(a={"anyOf": [STRING, {"type": "number", "minimum": 0}]}),
        {**closed(a={"$ref": "#/$defs/b"}), "$defs": {"b": closed(c=STRING)}},
    ],
)
def test_what_a_vendor_samples_by_is_sent_as_it_is(schema: Any) -> None:
    assert shape(schema) == Shape("strict", "result", "", schema, exact=True)


def test_an_object_is_closed_where_nothing_is_made_up_by_that() -> None:
    open_object = {"type": "object", "properties": {"a": STRING}, "required": ["a"]}
    assert shape(open_object) == Shape("strict", "result", "", closed(a=STRING), exact=True)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": STRING}},  # `a` may be left out
        {"type": "object"},
        {**closed(a=STRING), "additionalProperties": True},
        {**closed(a=STRING), "minProperties": 1},
        closed(a=True),
        closed(a={}),
        closed(a={"type": "string", "format": "uri"}),
        closed(a={"not": STRING}),
        closed(a={"type": "array", "items": {"type": "object"}}),
    ],
)
def test_what_it_does_not_is_a_wish(schema: Any) -> None:
    assert shape(schema) == Shape("strict", "result", "", schema, exact=False)
    assert Wanted(Schema(schema)).shape(STRICT_ONLY) is None


def test_the_names_of_a_schema_are_not_for_vendors() -> None:
    named = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:x",
        "title": "T",
    }
    assert shape({**named, **closed(a=STRING)}).schema == {"title": "T", **closed(a=STRING)}


def test_a_value_that_is_no_object_gets_one_around_it() -> None:
    assert shape({"type": "array", "items": STRING}) == Shape(
        "strict",
        "result",
        "",
        closed(**{WRAPPER: {"type": "array", "items": STRING}}),
        exact=True,
    )
    assert not shape(True).exact
    assert shape({"type": "array"}, ANY_ROOT).schema == {"type": "array"}


LIST: Any = {
    "type": ["object", "null"],
    "properties": {"head": {"type": "integer"}, "tail": {"$ref": "#"}},
    "required": ["head", "tail"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        (LIST, [None, {"head": 1, "tail": {"head": 2, "tail": None}}, {"head": 1}, {"head": "x"}]),
        (
            {"$defs": {"n": {"type": "integer"}}, "type": "array", "items": {"$ref": "#/$defs/n"}},
            [[], [1], ["x"], 1],
        ),
        (
            {"items": [{"type": "integer"}], "$schema": "http://json-schema.org/draft-07/schema#"},
            [[1]],
        ),
        (
            {"prefixItems": [STRING, {"$ref": "#/prefixItems/0"}], "type": "array"},
            [["a", "b"], ["a", 1], [1]],
        ),
        (
            {"anyOf": [closed(a=STRING), closed(b={"$ref": "#/anyOf/0/properties/a"})]},
            [{"a": "x"}, {"b": "x"}, {"b": 1}, {}],
        ),
        ({"enum": ["$ref", {"value": 1}]}, ["$ref", {"value": 1}, 1]),
        (True, [None, 1]),
        (False, [None, 1]),
    ],
)
def test_wrapped_references_lead_where_they_did(schema: Any, values: list[Any]) -> None:
    wanted = Wanted(Schema(schema))
    assert wanted.is_wrapped(PLAIN)
    sent = shape(schema).schema
    if isinstance(schema, dict) and "$schema" in schema:
        return  # Vendors know one dialect.
    inside, outside = Validator(schema), Validator(sent)
    assert [inside.is_valid(one) for one in values] == [
        outside.is_valid({WRAPPER: one}) for one in values
    ]


@pytest.mark.parametrize("mode", ["strict", "json", "tool", "prompt"])
def test_the_schema_is_told_once(mode: Any) -> None:
    asked = Shape(mode, "result", "", {"type": "string"})
    assert ('{"type":"string"}' in instructions(asked)) == (mode in ("json", "prompt"))
    assert "JSON" in instructions(asked) or mode == "tool"
    *_, last = correction("1", [("", "wrong"), ("a.b", "missing")], asked)
    assert '{"type":"string"}' in last.text
    assert "- the whole value: wrong\n- a.b: missing\n" in last.text


def test_a_long_answer_is_repeated_in_part() -> None:
    said, _ = correction("x" * 1_000_000, [], Shape("json", "result", "", {}))
    assert len(said.text) < 50_000
