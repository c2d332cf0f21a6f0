"""Schemas that people and models give us: which are taken, and what satisfies them."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.errors import InvalidObject, UsageError
from a3s_cli.jsontext import TOO_DEEP
from a3s_cli.objects import schema as schemas
from a3s_cli.objects.schema import DEEPEST, LARGEST, MOST_PATTERNS, Schema, read_schema
from a3s_cli.validation import SchemaError

TREE: Any = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["name"],
}


def violations(schema: Any, value: Any) -> list[tuple[str, str]]:
    return asyncio.run(Schema(schema).violations(value))


def doubling(levels: int) -> Any:
    """Each level refers to the next one twice."""
    definitions: dict[str, Any] = {f"d{levels}": {"type": "integer"}}
    for level in range(levels):
        reference = {"$ref": f"#/$defs/d{level + 1}"}
        definitions[f"d{level}"] = {"allOf": [reference, reference]}
    return {"$defs": definitions, "$ref": "#/$defs/d0"}


def nested(levels: int) -> Any:
    schema: Any = True
    for _ in range(levels):
        schema = {"not": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (True, [None, 0, "", []], []),
        (False, [], [None, {}]),
        ({"type": "integer"}, [1, 2**200, -(2**70), 1.0], [1.5, "1", True]),
        ({"maximum": 2**64}, [2**64], [2**64 + 1]),
        ({"enum": [2**100]}, [2**100], [2**100 + 1]),
        ({"$defs": {"a": {"type": "string"}}, "$ref": "#/$defs/a"}, ["x"], [1]),
        (TREE, [{"name": "a", "kids": [{"name": "b"}]}], [{"name": "a", "kids": [{}]}]),
        ({"not": {"type": "null"}}, [1], [None]),
        ({"if": {"minimum": 5}, "then": {"multipleOf": 5}}, [3, 10], [7]),
        ({"format": "email"}, ["a@b.example"], ["nobody"]),
        ({"format": "date-time"}, ["2026-01-01T00:00:00Z"], ["today"]),
        ({"format": "uuid"}, ["123e4567-e89b-12d3-a456-426614174000"], ["1"]),
        ({"uniqueItems": True}, [[1, 2]], [[1, 1]]),
        ({"contains": {"const": 1}}, [[0, 1]], [[0]]),
        ({"unevaluatedProperties": False, "properties": {"a": True}}, [{"a": 1}], [{"b": 1}]),
        ({"pattern": r"^(?!-)[a-z-]+$"}, ["a-b"], ["-a"]),
        ({"dependentRequired": {"a": ["b"]}}, [{"a": 1, "b": 1}], [{"a": 1}]),
        ({"$id": "https://example.com/x", "$anchor": "top", "type": "string"}, ["x"], [1]),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]},
            [["x"]],
            [[1]],
        ),
    ],
)
def test_what_satisfies_a_schema(schema: Any, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert violations(schema, value) == []
        assert Schema(schema).accepts(value)
    for value in bad:
        assert violations(schema, value)


def test_a_violation_has_a_path_and_a_sentence() -> None:
    schema = {"properties": {"a": {"items": {"type": "string"}}}, "required": ["b"]}
    assert violations(schema, {"a": ["x", 1]}) == [
        ("", '"b" is a required property'),
        ("a.1", '1 is not of type "string"'),
    ]


def test_a_long_violation_keeps_its_point() -> None:
    ((_, sentence),) = violations({"type": "integer"}, "x" * 10_000)
    assert len(sentence) < 310 and sentence.endswith('is not of type "integer"')


def test_the_child_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"name": 1, "kids": [{"name": "\u2028\x7f"}, {}]}
    expected = [("name", '1 is not of type "string"'), ("kids.1", '"name" is a required property')]
    assert sorted(violations(TREE, value)) == sorted(expected)
    plain = {"type": "array", "items": {"type": "string"}}
    here = violations(plain, ["a", 2**70, None])
    monkeypatch.setattr(schemas, "_BOUNDED", 0)
    assert violations(plain, ["a", 2**70, None]) == here != []
    assert violations(plain, ["a"]) == []


def test_thousands_of_violations_are_a_few() -> None:
    assert len(violations({"items": {"type": "string"}}, list(range(20_000)))) == 8


def test_references_that_double_are_followed_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert violations(doubling(10), 1) == []
    monkeypatch.setattr(schemas, "SECONDS", 1.0)
    assert Schema(doubling(60)).accepts(1)  # only a child may find out
    with pytest.raises(InvalidObject, match="could not be decided"):
        violations(doubling(60), 1)


def test_alternatives_that_multiply_do_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    node = {"$ref": "#/$defs/n"}
    ways = [{"properties": {"c": node}, "required": [name]} for name in ("y", "z")]
    value: Any = {}
    for _ in range(100):
        value = {"c": value}
    monkeypatch.setattr(schemas, "SECONDS", 1.0)
    found = violations({"$defs": {"n": {"anyOf": ways}}, **node}, value)
    assert found == [("", "the value does not fit the schema")]


def test_circles_without_a_way_out_end() -> None:
    for schema in ({"$ref": "#"}, {"allOf": [{"$ref": "#"}]}):
        assert violations(schema, 1) == []


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ([], "a schema must be an object, or true or false"),
        (None, "a schema must be an object, or true or false"),
        ({"type": "strnig"}, "type: "),
        ({"properties": {"a": {"type": 1}}}, "properties.a.type: "),
        ({"pattern": "(a"}, "pattern: "),
        ({"pattern": "((a{1000}){1000}){1000}"}, "pattern: "),
        ({"required": "name"}, "required: "),
        ({"$ref": "#/$defs/none"}, "does not exist"),
        (nested(DEEPEST + 1), f"nested deeper than {DEEPEST} levels"),
        (nested(100_000), f"nested deeper than {DEEPEST} levels"),
        ({"description": "x" * LARGEST}, f"larger than {LARGEST >> 10} KiB"),
        ({"allOf": [{"pattern": "a"}] * (MOST_PATTERNS + 1)}, "regular expressions"),
        ({"patternProperties": {f"a{n}": {} for n in range(201)}}, "regular expressions"),
    ],
    ids=range(13),
)
def test_what_is_no_schema(schema: Any, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        Schema(schema)
    assert message in str(caught.value)


def test_the_deepest_schema_is_one() -> None:
    assert Schema(nested(DEEPEST)).accepts(1) in (True, False)


def test_no_reference_leaves_the_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/schema.json"
        for schema in (
            {"$ref": url},
            {"$id": url, "$ref": "other.json"},
            {"$defs": {"unused": {"$ref": url}}},
            {"$dynamicRef": url},
            {"$ref": "file:///etc/passwd"},
        ):
            with pytest.raises(SchemaError, match="leads out of the schema"):
                Schema(schema)
        with pytest.raises(SchemaError, match="Unknown meta-schema"):
            Schema({"$schema": url})
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_roots() -> None:
    assert Schema(TREE).roots == frozenset(["object"])
    assert Schema({"type": ["string", "null"]}).roots == frozenset(["string", "null"])
    assert Schema({"enum": [1]}).roots is None
    assert Schema(True).roots is None


# --schema


def refused(argument: str, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        read_schema(argument, **{"prompt_uses_stdin": False, **options})
    return str(caught.value)


def test_the_three_places_of_a_schema(tmp_path: Path) -> None:
    file = tmp_path / "tree.json"
    file.write_text("\ufeff" + json.dumps(TREE))
    assert read_schema(str(file), prompt_uses_stdin=True) == TREE
    assert read_schema(f" {json.dumps(TREE)}", prompt_uses_stdin=True) == TREE
    assert read_schema("true", prompt_uses_stdin=True) is True
    reader, writer = os.pipe()
    os.write(writer, json.dumps(TREE).encode())
    os.close(writer)
    assert read_schema("-", prompt_uses_stdin=False, stdin=reader) == TREE
    os.close(reader)


def test_bad_arguments_name_the_place(tmp_path: Path) -> None:
    assert refused("-", prompt_uses_stdin=True) == (
        "the prompt and --schema cannot both come from stdin"
    )
    assert refused("no.json") == "--schema no.json: No such file or directory"
    assert refused(str(tmp_path)) == f"--schema {tmp_path}: Is a directory"
    assert refused("{") == (
        "--schema: not valid JSON: Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1)"
    )
    assert (
        refused("[]")
        == "--schema: not a valid JSON Schema: a schema must be an object, or true or false"
    )
    assert refused('{"type": "x"}').startswith("--schema: not a valid JSON Schema: type: ")
    assert refused('{"maximum": NaN}') == "--schema: not valid JSON: NaN is not JSON"
    assert refused("[" * 100_000) == f"--schema: not valid JSON: {TOO_DEEP}"
    assert refused('"' + "x" * LARGEST) == "--schema: it is larger than 256 KiB"
    assert refused("a\0b") == "--schema: expected a file, - or JSON"
    file = tmp_path / "bytes.json"
    file.write_bytes(b'{"a": "\xff"}')
    assert refused(str(file)) == f"--schema {file}: it is not UTF-8: byte 7 is 0xff"
    file.write_bytes(b" " * (LARGEST + 1))
    assert refused(str(file)) == f"--schema {file}: it is larger than 256 KiB"
    assert refused("/dev/zero") == "--schema /dev/zero: it is larger than 256 KiB"
