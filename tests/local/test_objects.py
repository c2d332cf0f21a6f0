"""Objects of the embedded model for real: whatever it says, they are valid."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.local import weights
from a3s_cli.local.shapes import ARRAY, ROUNDS, STRING, bounded
from a3s_cli.model import Request
from a3s_cli.objects.schema import Schema
from a3s_cli.validation import Validator

from ..support.a3s import proofs

NAME = "smollm2-135m"
WORD = {"type": "string", "maxLength": 12}
COUNT = {"type": "integer", "minimum": 0, "maximum": 99}


def record(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def some(items: Any, most: int = 3) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1, "maxItems": most}


SCHEMAS: dict[str, Any] = {
    "record": record(name=WORD, age=COUNT),
    "nested": record(person=record(name=WORD, home=record(city=WORD))),
    "optional": {"type": "object", "properties": {"a": WORD, "b": COUNT}, "required": ["a"]},
    "array of strings": some(WORD),
    "array of records": some(record(id=COUNT), 2),
    "string": WORD,
    "integer": COUNT,
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "null": {"type": "null"},
    "enum": {"enum": ["red", "green", 3, None]},
    "const": {"const": {"kind": "circle", "r": [1, 2]}},
    "alternatives": {"anyOf": [record(circle=COUNT), record(square=COUNT)]},
    "types": record(value={"type": ["integer", "null"]}),
    "references": {
        **record(a={"$ref": "#/$defs/point"}, b={"$ref": "#/$defs/point"}),
        "$defs": {"point": record(x=COUNT, y=COUNT)},
    },
    "recursion": {
        "$defs": {
            "list": record(n=COUNT, next={"anyOf": [{"type": "null"}, {"$ref": "#/$defs/list"}]})
        },
        "$ref": "#/$defs/list",
    },
    "tuple": {
        "type": "array",
        "prefixItems": [WORD, COUNT],
        "minItems": 2,
        "maxItems": 2,
        "items": False,
    },
    "pattern": record(code={"type": "string", "pattern": "^[A-Z]{3}-[0-9]{2}$"}),
    "format": record(day={"type": "string", "format": "date"}),
    "all of": {"allOf": [record(a=COUNT)], "type": "object"},
}


#: Something for each of the schemas, and something for none.
VALUES: list[Any] = [
    *(None, True, 3, 99, 1.5, "", "red", "x", [], ["x"], ["x", 1], ["x", 1, 2], {}, {"a": 1}),
    *({"a": "x"}, {"name": "x", "age": 1}, {"name": "x"}, [{"id": 1}], [{"id": "x"}]),
    *({"person": {"name": "x", "home": {"city": "y"}}}, {"kind": "circle", "r": [1, 2]}),
    *({"circle": 1}, {"value": None}, {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 2}}),
    *({"n": 1, "next": None}, {"n": 1, "next": {"n": 2, "next": None}}, {"n": 1, "next": 2}),
    *({"code": "ABC-12"}, {"code": "abc"}, {"day": "2026-01-31"}, {"day": "soon"}),
]


@pytest.mark.model
def test_schemas_of_every_kind(tmp_path: Path) -> None:
    """One server answers them all, each held to its schema."""
    if not weights.installed(NAME, os.environ) or not weights.runtime_installed():
        pytest.skip(f"needs xllamacpp, and: a3s models pull {NAME}")
    import asyncio

    assert len(SCHEMAS) == 20
    chosen = random.Random(5).sample(list(SCHEMAS), min(proofs(20), len(SCHEMAS)))
    made = asyncio.run(_all_made(tmp_path, chosen))
    assert list(made) == chosen
    for name, (value, deltas) in made.items():
        assert Validator(SCHEMAS[name]).is_valid(value), (name, value)
        assert deltas[-1]["final"] is True
        assert not any(delta["final"] for delta in deltas[:-1])


async def _all_made(work: Path, names: Sequence[str]) -> dict[str, tuple[Any, list[Any]]]:
    import json

    from a3s_cli.config.layers import load
    from a3s_cli.files.workspace import Workspace
    from a3s_cli.local.provider import LocalProvider
    from a3s_cli.messages import Message, Text
    from a3s_cli.model import Endpoint
    from a3s_cli.objects.asking import Wanted
    from a3s_cli.objects.maker import Task, make
    from a3s_cli.run.cost import Account
    from a3s_cli.run.nested import Nested
    from a3s_cli.run.plan import Plan, chosen_policy
    from a3s_cli.run.response import Asker, CallIds
    from a3s_cli.stream.emitter import Emitter
    from a3s_cli.tool_protocol import ToolContext
    from a3s_cli.transport.patience import Patience
    from a3s_cli.transport.post import Transport

    emitter = Emitter()
    config = load({"model": "local"}, {}, work, project=False)
    rules: Any = {"allow": (), "deny": (), "ask": ()}
    plan = Plan(
        prompt="go",
        workspace=work,
        environment={**os.environ, "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", "")},
        config=config,
        model=f"local/{NAME}",
        tools=(),
        policy=chosen_policy(config, rules, allow_all=True),
        project=False,
    )
    endpoint = Endpoint("local", NAME, "local", "")
    provider = LocalProvider(endpoint, Transport(), Patience(None, 60.0), plan, emitter)
    asker = Asker(provider, "local", emitter, CallIds(), Account())
    model = Nested(asker, Request(NAME, "", (), max_tokens=400))
    made = {}
    try:
        for name in names:
            schema = SCHEMAS[name]
            deltas: list[Any] = []

            def show(text: str, deltas: list[Any] = deltas) -> None:
                deltas.append(json.loads(text))

            context = ToolContext(Workspace(work), lambda _: None, emitter.drain, show=show)
            question = (Message("user", (Text("Make something up."),)),)
            task = Task(Wanted(Schema(schema)), question, system="")
            made[name] = ((await make(task, model, context)).value, deltas)
    finally:
        await provider.close()
    return made


def test_open_places_get_a_bound() -> None:
    assert bounded({"type": "string"}) == {"type": "string", "maxLength": STRING}
    assert bounded({"type": "string", "minLength": 999})["maxLength"] == 999
    assert bounded({"type": "string", "format": "uri"})["maxLength"] == STRING
    assert bounded({"type": "array", "items": {"type": "string"}}) == {
        "type": "array",
        "items": {"type": "string", "maxLength": STRING},
        "maxItems": ARRAY,
    }
    properties = {"type": {"type": "string"}, "any": True, "never": False}
    assert bounded({"anyOf": [{"properties": properties}, False]}) == {
        "anyOf": [{"properties": {"type": {"type": "string", "maxLength": STRING}, "any": {}}}]
    }


@pytest.mark.parametrize("kept", [{"format": "date"}, {"pattern": "^a$"}, {"maxLength": 3}])
def test_places_that_have_a_form_keep_it(kept: dict[str, Any]) -> None:
    schema = {"type": "string", **kept}
    assert bounded(schema) == schema


def test_a_recursion_ends() -> None:
    kids = {"type": "array", "items": {"$ref": "#"}}
    tree = bounded({"type": "object", "properties": {"kids": kids}, "required": ["kids"]})
    levels = 0
    while "items" in tree["properties"]["kids"]:
        tree, levels = tree["properties"]["kids"]["items"], levels + 1
    assert (tree["properties"]["kids"]["maxItems"], levels) == (0, ROUNDS)


@pytest.mark.parametrize(
    "schema",
    [
        record(next={"$ref": "#"}),  # has no end
        {"$ref": "https://example.com/x"},
        {"anyOf": [False]},
        {"allOf": [{"$ref": "#/$defs/a"}] * 400, "$defs": {"a": {}}},
    ],
)
def test_what_has_no_bound_stays_as_it_is(schema: Any) -> None:
    assert bounded(schema) == schema


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_bound_allows_nothing_new(name: str) -> None:
    schema = bounded(SCHEMAS[name])
    inside, outside = Validator(SCHEMAS[name]), Validator(schema)
    found = False
    for value in VALUES:
        if outside.is_valid(value):
            found = True
            assert inside.is_valid(value)
    assert found
