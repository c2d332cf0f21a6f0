"""Calls in tags: written and read back, found in any stream, and what the grammar lets through."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.local import choice, tags
from a3s_cli.local.prompt import shortened
from a3s_cli.messages import ToolSpec
from a3s_cli.registry import TOOLS, load

#: The tools that the embedded model is offered.
SPECS = tuple(shortened(tool().spec()) for tool in map(load, TOOLS.values()) if not tool.asks_model)
NO_TAG = st.text().filter(lambda text: "</" not in text)
#: What of a tag cannot stand in text: `<toolbar>` can.
LEAKED = re.compile(r"</?tool(?![a-zA-Z])")
PARAMETERS = {spec.name: tuple(tags.properties(spec)) for spec in SPECS}


def spec(name: str, **properties: str) -> ToolSpec:
    schemas = {key: {"type": kind} for key, kind in properties.items()}
    return ToolSpec(
        name, "", {"type": "object", "properties": schemas, "required": list(properties)}
    )


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    name = draw(st.sampled_from(sorted(PARAMETERS)))
    return name, {key: draw(NO_TAG.filter(bool)) for key in PARAMETERS[name]}


@given(calls())
def test_what_is_written_is_read(call: tuple[str, dict[str, str]]) -> None:
    assert tags.read(tags.written(*call), SPECS) == call


@given(calls())
def test_the_grammar_lets_every_call_through(call: tuple[str, dict[str, str]]) -> None:
    assert Grammar(tags.grammar(SPECS)).accepts(tags.written(*call))


@given(st.text(alphabet="<tool=bash>/ \nx", min_size=1))
def test_the_grammar_is_text_then_perhaps_a_call(text: str) -> None:
    words, tag, call = text.partition("<tool=")
    whole = not tag or bool(re.fullmatch(r"(?s)bash>(?!.*</tool>.*</tool>).*</tool>", call))
    expected = whole and not LEAKED.search(words)
    assert Grammar(tags.grammar(SPECS)).accepts(text) == expected


@given(st.text(min_size=1))
def test_without_tools_there_are_only_words(text: str) -> None:
    assert Grammar(tags.grammar(())).accepts(text) == (not LEAKED.search(text))


def test_what_begins_like_a_call_is_a_beginning_only_before_the_calls_have_ended() -> None:
    for text in ("<html>", "<", "<<"):
        assert Grammar(tags.grammar(())).accepts(text)
        assert not Grammar(tags.grammar((), ended=True)).accepts(text)
    assert Grammar(tags.grammar((), ended=True)).accepts("a <b>")


@pytest.mark.parametrize(
    "text", ["<tool>ls</tool>", "Done.</tool>", "<tool", "a <tool bash>", "<tool_edit>"]
)
def test_no_markup_of_a_call_can_stand_in_text(text: str) -> None:
    for tools in ((), SPECS):
        assert not Grammar(tags.grammar(tools)).accepts(text)


@pytest.mark.parametrize(
    "text", ["a <toolbar> of tools", "<b>", "x < t", "</toolbox>", "<<toolkit"]
)
def test_words_that_begin_like_markup_are_words(text: str) -> None:
    assert Grammar(tags.grammar(SPECS)).accepts(text)


@given(calls(), st.text(alphabet="<tool=bash>/ x", min_size=1))
def test_where_a_call_is_due_nothing_else_is_possible(call: Any, text: str) -> None:
    grammar = Grammar(tags.grammar(SPECS, forced=True))
    assert grammar.accepts(tags.written(*call))
    assert grammar.accepts(text) == bool(
        re.fullmatch(r"<tool=bash>[^<]*(<(?!/tool>)[^<]*)*</tool>", text)
    )


@given(st.text(alphabet="<tol=bash>/ x"), calls(), st.lists(st.integers(1, 9), min_size=1))
def test_a_call_is_found_however_the_stream_is_cut(
    text: str, call: tuple[str, dict[str, str]], sizes: list[int]
) -> None:
    answer = text + tags.written(*call)
    expected = answer.index(tags.OPENING)
    scanner, shown, at = tags.Scanner(), "", 0
    while at < len(answer):
        size = sizes[at % len(sizes)]
        shown += scanner.feed(answer[at : at + size])
        at += size
    assert (shown + scanner.close(), scanner.call) == (answer[:expected], answer[expected:])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<tool=rm>old.log</tool>", ("bash", {"command": "rm old.log"})),
        ("<tool=date>date</tool>", ("bash", {"command": "date"})),
        ("<tool=pwd></tool>", ("bash", {"command": "pwd"})),
        ("<tool=ls></tool>", ("ls", {})),
        (
            "<tool=write>\n<file_path>a.txt</file_path>\n<content>\none\ntwo\n</content>\n</tool>",
            ("write", {"file_path": "a.txt", "content": "one\ntwo\n"}),
        ),
        (
            "<tool=write>\n<file_path>a.html</file_path>\n"
            "<content>\n<p>hi</p>\n</content>\n</tool>",
            ("write", {"file_path": "a.html", "content": "<p>hi</p>\n"}),
        ),
    ],
)
def test_reading(text: str, expected: tuple[str, dict[str, Any]]) -> None:
    assert Grammar(tags.grammar(SPECS)).accepts(text)
    assert tags.read(text, SPECS) == expected


def test_values_have_the_types_of_their_schemas() -> None:
    tool = spec("set", key="string", count="integer", loud="boolean", list="array")
    call = ("set", {"key": "7", "count": 7, "loud": True, "list": [1, "a"]})
    assert tags.read(tags.written(*call), [tool]) == call
    assert Grammar(tags.grammar([tool])).accepts(tags.written(*call))
    wrong = tags.written("set", {"key": "7", "count": "seven", "loud": True, "list": []})
    assert not Grammar(tags.grammar([tool])).accepts(wrong)


class Grammar:
    """Interprets the part of GBNF that `tags.grammar` writes."""

    ITEM = re.compile(r'\s*("(?:\\.|[^"\\])*"|\[\^?(?:\\.|[^\]\\])*\][+*?]?|[\w-]+|[()|]|[?+*])')

    def __init__(self, text: str) -> None:
        self._rules = {}
        for line in text.splitlines():
            name, _, body = line.partition(" ::= ")
            self._rules[name] = self._parse(self.ITEM.findall(body))

    def accepts(self, text: str) -> bool:
        return len(text) in self._ends(self._rules["root"], text, {0})

    def _parse(self, items: list[str]) -> list[list[Any]]:
        ways: list[list[Any]] = [[]]
        stack: list[list[list[Any]]] = []
        for item in items:
            if item == "(":
                stack.append(ways)
                ways = [[]]
            elif item == ")":
                inner, ways = ways, stack.pop()
                ways[-1].append(inner)
            elif item == "|":
                ways.append([])
            elif item == "?":
                last = ways[-1].pop()
                ways[-1].append([[last], []])
            elif item.startswith('"'):
                ways[-1].append(("text", json.loads(item)))
            elif item.startswith("["):
                ways[-1].append(("class", item))
            else:
                ways[-1].append(("rule", item))
        return ways

    def _ends(self, ways: list[list[Any]], text: str, starts: set[int]) -> set[int]:
        """Every place where one of the ways can end; tail calls are followed in a loop."""
        ends: set[int] = set()
        seen: set[tuple[int, int]] = set()
        open_ = [(ways, starts)]
        while open_:
            ways, starts = open_.pop()
            fresh = {at for at in starts if (id(ways), at) not in seen}
            seen |= {(id(ways), at) for at in fresh}
            if not fresh:
                continue
            for way in ways:
                here = fresh
                for item in way[:-1]:
                    here = self._item(item, text, here)
                if not way:
                    ends |= here
                elif isinstance(way[-1], tuple) and way[-1][0] == "rule":
                    open_.append((self._rules[way[-1][1]], here))
                else:
                    ends |= self._item(way[-1], text, here)
        return ends

    def _item(self, item: Any, text: str, starts: set[int]) -> set[int]:
        if isinstance(item, list):
            return self._ends(item, text, starts)
        kind, value = item
        if kind == "rule":
            return self._ends(self._rules[value], text, starts)
        if kind == "text":
            return {at + len(value) for at in starts if text.startswith(value, at)}
        pattern = re.compile(value)
        ends = set()
        for at in starts:
            if match := pattern.match(text, at):
                ends |= set(range(at + 1, match.end() + 1))
        return ends


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("<tool=sort>names.txt</tool>", "sort names.txt"),
        ("<tool=sort>ls -S | head -n 1</tool>", "ls -S | head -n 1"),
        ("<tool=git>git log</tool>", "git log"),
        ("<tool=echo>date</tool>", "echo date"),
        ("<tool=whoami>whoami</tool>", "whoami"),
    ],
)
def test_a_program_that_is_called_like_a_tool(text: str, command: str) -> None:
    assert tags.read(text, SPECS) == ("bash", {"command": command})


@pytest.mark.parametrize(
    ("old", "expected"),
    [
        ("def f(x):", True),
        ("    return x", True),
        ("return x", True),
        ("\ndef f(x):\n    return x\n", True),
        ("return x\n\nprint(1)", True),
        ("return y", False),
        ("", False),
        ("def f(x):\nprint(1)", False),
        ("1\tdef f(x):", False),
    ],
)
def test_an_edit_of_a_small_file_replaces_lines_that_it_has(
    tmp_path: Path, old: str, expected: bool
) -> None:
    (tmp_path / "a.py").write_text("def f(x):\n    return x\n\nprint(1)\n")
    edit = next(tool for tool in SPECS if tool.name == "edit")
    narrowed = choice.narrowed(edit, tmp_path / "a.py")
    call = (
        f"<tool=edit>\n<file_path>a.py</file_path>\n<old_string>{old}</old_string>\n"
        "<new_string>z</new_string>\n</tool>"
    )
    assert Grammar(tags.grammar([narrowed], forced=True)).accepts(call) == expected
