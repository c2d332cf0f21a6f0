"""The ACL language: what is written is what is read, and every mistake has a place."""

from __future__ import annotations

import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.config import acl
from a3s_cli.config.acl import AclCall, AclValue, Attribute, Block, Body
from a3s_cli.errors import ConfigError


def meaning(node: Any) -> Any:
    """A tree without its places."""
    match node:
        case Body(items):
            return [meaning(item) for item in items]
        case Attribute(name, value, _, _):
            return (name, meaning(value))
        case Block(name, labels, body, _, _):
            return (name, labels, meaning(body))
        case AclValue(data, _, _):
            return meaning(data) if isinstance(data, Body | AclCall | list) else data
        case AclCall(name, arguments):
            return {name: [meaning(argument) for argument in arguments]}
        case list():
            return {"list": [meaning(value) for value in node]}
    raise AssertionError(node)


def read(text: str) -> Any:
    return meaning(acl.parse(text))


def error(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        acl.parse(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\ufeff a = 1", [("a", 1)]),
        ("a = 1\r\nb : 2\r\n", [("a", 1), ("b", 2)]),
        ("a=1,b=2,,\nc=3,", [("a", 1), ("b", 2), ("c", 3)]),
        ("# one\na = 1 // two\n//three\n", [("a", 1)]),
        ('a = "x # no // comment"', [("a", "x # no // comment")]),
        (r'a = "1\n2\t3\\4\"5\r6\q\u0041"', [("a", '1\n2\t3\\4"5\r6\\q\\u0041')]),
        (r"a = 'it\'s \n \\ \x'", [("a", "it's \\n \\\\ \\x")]),
        ('a = "${x}"', [("a", "${x}")]),
        (
            "a = [42, 3.14, -1, 1e10, -3.14e+10]",
            [("a", {"list": [42, 3.14, -1, 1e10, -3.14e10]})],
        ),
        ("a = [true false null bare]", [("a", {"list": [True, False, None, "bare"]})]),
        ("a = [\n1,\n[2],]", [("a", {"list": [1, {"list": [2]}]})]),
        ("a = { b = 1 c { d = 2 } }", [("a", [("b", 1), ("c", (), [("d", 2)])])]),
        ('a = { "X-Key": "v" }', [("a", [("X-Key", "v")])]),
        ("engine { google { on = true } }", [("engine", (), [("google", (), [("on", True)])])]),
        ("item \"a\" 'b' {}", [("item", ("a", "b"), [])]),
        ('a = env("X")', [("a", {"env": ["X"]})]),
        (
            'a = concat("x", env("Y"), [1])',
            [("a", {"concat": ["x", {"env": ["Y"]}, {"list": [1]}]})],
        ),
        ("größe = ü", [("größe", "ü")]),
        ("a=1 a=2", [("a", 1), ("a", 2)]),
    ],
)
def test_documented_forms(text: str, expected: Any) -> None:
    assert read(text) == expected


def test_every_node_has_its_place() -> None:
    tree = acl.parse('\ufeffa = 1\r\nb "x" {\r  c = [\n    "s", env("N")]\n}')
    a, b = tree.items
    assert isinstance(a, Attribute) and isinstance(b, Block)
    c = b.body.items[0]
    assert isinstance(c, Attribute) and isinstance(c.value.data, list)
    places = [(node.line, node.column) for node in (a, a.value, b, c, c.value, *c.value.data)]
    assert places == [(1, 1), (1, 5), (2, 1), (3, 3), (3, 7), (4, 5), (4, 10)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "1:2: expected '=', ':', a quoted label or '{', found the end of the file"),
        ("a == 1", "1:4: expected a value, found '='"),
        ("a += 1", "1:3: expected '=', ':', a quoted label or '{', found '+'"),
        ("my-key = 1", "1:3: expected '=', ':', a quoted label or '{', found '-'"),
        ("providers openai {", "1:11: expected '=', ':', a quoted label or '{', found a name"),
        ('foo "bar"', "1:10: expected '{' after a label, found the end of the file"),
        ('"foo" {}', "1:7: expected '=' or ':' after a quoted key, found '{'"),
        ("{", "1:1: expected a key, found '{'"),
        ("a = 1 }", "1:7: expected a key, found '}'"),
        ("42 = 1", "1:1: expected a key, found a number"),
        ("a = 1\n@", "2:1: expected a key, found '@'"),
        ("a { @ }", "1:5: expected a key or '}', found '@'"),
        ("\0", "1:1: expected a key, found U+0000"),
        ("a = ", "1:5: expected a value, found the end of the file"),
        ("a = )", "1:5: expected a value, found ')'"),
        ("a = [1 = 2]", "1:8: expected a value, found '='"),
        ("a {\n b {\n", "3:1: expected '}' for the '{' of 2:4, found the end of the file"),
        ("a = [1,\n", "2:1: expected ']' for the '[' of 1:5, found the end of the file"),
        ('a = env("X"', "1:12: expected ')' for the '(' of 1:8, found the end of the file"),
        (
            'a = "x\nb = 1',
            "1:5: expected a closing quote on the same line, found an unclosed string",
        ),
        ("a = 'x", "1:5: expected a closing quote on the same line, found an unclosed string"),
        ("k = sk-live-1234", "1:5: expected a value in quotes, found an unquoted word"),
        (
            "t = 90s",
            "1:5: expected a number, or a value in quotes, found something that is neither",
        ),
        ("t = -", "1:5: expected a number, or a value in quotes, found something that is neither"),
        ("t = 1e999", "1:5: expected a number below 1.8e308, found a larger one"),
        ("a = 1 /* c */", "1:7: expected a key, found '/'"),
    ],
)
def test_mistakes_name_place_and_expectation(text: str, message: str) -> None:
    assert error(text) == f"config.acl:{message}"


@pytest.mark.parametrize(
    "text",
    [
        'k = "sk-SECRET" x',
        "k = sk-SECRET",
        'k = "sk-SECRET',
        'k = ["sk-SECRET" = ]',
        'k { "sk-SECRET" { } }',
        'k "sk-SECRET" = 1',
    ],
)
def test_an_error_never_shows_a_value(text: str) -> None:
    assert "SECRET" not in error(text)


def test_a_value_is_in_no_repr() -> None:
    tree = acl.parse('a = "SECRET" b { c = [env("SECRET"), { d = SECRET }] }')
    assert "SECRET" not in repr(tree)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=" + "[" * 65, "1:67: expected at most 64 levels of nesting, found one more"),
        ("a{" * 65, "1:130: expected at most 64 levels of nesting, found one more"),
        ("x" * (256 * 1024 + 1), "1:1: expected at most 256 KiB in one word or string, found more"),
        (
            'a="' + "x" * (256 * 1024) + '"',
            "1:3: expected at most 256 KiB in one word or string, found more",
        ),
        ("#" * (1024 * 1024 + 1), "1:1: expected at most 1 MiB, found more"),
        ("é" * (512 * 1024 + 1), "1:1: expected at most 1 MiB, found more"),
        ("a{}" * 50_001, "1:150001: expected at most 50000 items, found one more"),
    ],
)
def test_limits(text: str, message: str) -> None:
    assert error(text) == f"config.acl:{message}"


def test_the_limits_themselves_are_allowed() -> None:
    acl.parse("a=" + "[" * 64 + "]" * 64)
    acl.parse('a="' + "x" * (256 * 1024 - 2) + '"')
    acl.parse("#" * (1024 * 1024))


MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    "text",
    [
        "\n" * MEGABYTE,
        "#\n" * (MEGABYTE // 2),
        "," * MEGABYTE,
        "/" * MEGABYTE,
        'a="' + "\\" * (MEGABYTE - 3),
        "a='" + "\\'" * (MEGABYTE // 2 - 2),
        "a=" + "1" * (MEGABYTE - 2),
        "a={" * (MEGABYTE // 3),
        ("b{" + "a=1 " * 9000 + "}\n") * 29,
    ],
    ids=lambda text: repr(text[:6]),
)
def test_a_megabyte_of_anything_is_over_soon(text: str) -> None:
    # A backtracking pattern would take longer than anybody waits; there is no finer bound here.
    try:
        acl.parse(text)
    except ConfigError as found:
        assert re.match(r"config\.acl:\d+:\d+: expected ", str(found))


def test_bytes_that_are_no_utf8_have_a_place() -> None:
    with pytest.raises(ConfigError) as caught:
        acl.decode("\ufeffa = 1\n é = ".encode() + b"\xff", "f.acl")
    assert str(caught.value) == "f.acl:2:6: expected UTF-8 text, found the byte 0xff"
    with pytest.raises(ConfigError) as caught:
        acl.decode("a = 1".encode("utf-16"), "f.acl")
    assert str(caught.value) == "f.acl:1:1: expected UTF-8 text, found the byte 0xff"
    assert acl.decode("\ufeffa".encode(), "f.acl") == "a"


WORDS = st.text(string.ascii_letters + "_äß", min_size=1, max_size=8)
KEYS = WORDS | st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), max_size=12)
GAPS = st.sampled_from([" ", "\n", "\r\n", "\t ", " # c } \" '\n", " // = {\r\n"])
INNER = st.sampled_from(["", " ", "\n", "//x\n", "#'\n"])
JOINS = st.sampled_from([",", " , ", "\n,\n", "\n", " "])


def quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def scalars(draw: st.DrawFn) -> tuple[str, Any]:
    kind = draw(st.integers(0, 5))
    if kind == 0:
        text = draw(TEXTS)
        return quote(text), text
    if kind == 1:
        whole = draw(st.integers(-(10**17), 10**17))
        return str(whole), whole
    if kind == 2:
        number = draw(st.floats(allow_nan=False, allow_infinity=False, width=64))
        return repr(number), number
    if kind == 3:
        return draw(st.sampled_from([("true", True), ("false", False), ("null", None)]))
    if kind == 4:
        text = draw(TEXTS.filter(lambda text: "\\" not in text))
        return "'" + text.replace("'", "\\'") + "'", text
    word = draw(WORDS.filter(lambda word: word not in ("true", "false", "null")))
    return word, word


@st.composite
def values(draw: st.DrawFn, depth: int) -> tuple[str, Any]:
    kind = draw(st.integers(0, 5)) if depth else 0
    if kind <= 2:
        return draw(scalars())
    if kind == 3:
        text, items = draw(bodies(depth - 1))
        return "{" + text + "}", items
    parts = draw(st.lists(values(depth - 1), max_size=3))
    text = draw(JOINS).join(part for part, _ in parts)
    meanings = [meant for _, meant in parts]
    tail = draw(st.sampled_from(["", " ", ",", "\n"]))
    if kind == 4:
        return f"[{text}{tail}]", {"list": meanings}
    name = draw(WORDS)
    return f"{name}{draw(INNER)}({text}{tail})", {name: meanings}


@st.composite
def items(draw: st.DrawFn, depth: int) -> tuple[str, Any]:
    name = draw(KEYS)
    if depth and draw(st.booleans()):
        labels = draw(st.lists(TEXTS, max_size=2))
        text, inner = draw(bodies(depth - 1))
        head = "".join(draw(INNER) + quote(label) for label in labels)
        return f"{name}{head}{draw(INNER)}{{{text}}}", (name, tuple(labels), inner)
    text, meant = draw(values(depth))
    return f"{name}{draw(INNER)}{draw(st.sampled_from('=:'))}{draw(INNER)}{text}", (name, meant)


@st.composite
def bodies(draw: st.DrawFn, depth: int) -> tuple[str, Any]:
    parts = draw(st.lists(items(depth), max_size=4))
    separator = draw(GAPS | st.just(" ,"))
    text = "".join(part + separator for part, _ in parts)
    return draw(INNER) + text, [meant for _, meant in parts]


@given(bodies(2))
def test_a_document_reads_as_what_was_meant(document: tuple[str, Any]) -> None:
    text, meant = document
    assert read(text) == meant


@given(bodies(1), st.data())
def test_a_cut_document_never_reads_as_another_one_silently(
    document: tuple[str, Any], data: st.DataObject
) -> None:
    """Cut inside a block, a list or a string, it is an error."""
    text = f"block {{ {document[0]} }}"
    cut = data.draw(st.integers(len("block {"), len(text) - 1))
    assert re.match(r"config\.acl:\d+:\d+: expected ", error(text[:cut]))


SOUP = st.lists(
    st.sampled_from(["a", "env", '"', "'", "\\", "{", "}", "[", "]", "(", ")", "=", ":", ",", "\n"])
    | st.sampled_from(
        ["#", "//", "/", "1", "-", "1.5e3", '"x"', "\r\n", "\ufeff", "\0", "é", "+="]
    ),
    max_size=30,
).map("".join)


@given(st.text() | SOUP)
def test_any_text_parses_or_has_a_place(text: str) -> None:
    try:
        acl.parse(text)
    except ConfigError as found:
        place = re.match(r"config\.acl:(\d+):(\d+): expected .+, found .+", str(found))
        assert place
        lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
        assert 1 <= int(place[1]) <= len(lines)
        assert 1 <= int(place[2]) <= len(lines[int(place[1]) - 1]) + 1


@given(st.binary(max_size=40))
def test_any_bytes_decode_or_have_a_place(data: bytes) -> None:
    try:
        acl.decode(data, "f.acl")
    except ConfigError as found:
        assert re.match(r"f\.acl:\d+:\d+: expected UTF-8 text, found the byte 0x", str(found))
