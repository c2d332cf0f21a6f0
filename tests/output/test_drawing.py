"""A growing object on a terminal, as the screen shows it."""

from __future__ import annotations

import json
import re
from typing import Any

from a3s_cli.events import End, Event, Start, TextDelta, ToolEnd, ToolOutputDelta, ToolStart
from a3s_cli.output.pretty import Pretty
from a3s_cli.output.terminal import Style

NAMES: dict[str, Any] = {"tool_name": "generate_object", "tool_id": "object"}


def partial(value: Any) -> Event:
    document = {"object_partial": value, "round": 0, "final": False}
    return ToolOutputDelta(**NAMES, text=json.dumps(document))


def screen(sent: str) -> list[str]:
    """What a terminal shows that obeys just what a drawing uses: rows up, clear below."""
    rows = [""]
    for part in re.split(r"(\x1b\[\d+F|\x1b\[J|\x1b\[[\d;]*m|\n)", sent):
        if part == "\n":
            rows.append("")
        elif up := re.fullmatch(r"\x1b\[(\d+)F", part):
            del rows[len(rows) - 1 - int(up[1]) :]
            rows.append("")
        elif not part.startswith("\x1b["):
            rows[-1] += part
    return rows


def shown(events: list[Event], *, terminal: bool = True) -> list[str]:
    sent: list[bytes] = []
    pretty = Pretty(
        sent.append, sent.append, Style(fixed_width=20, terminal=terminal, moves=terminal)
    )
    for event in events:
        pretty.accept([event])
    return screen(b"".join(sent).decode())


BEGIN = [
    Start(schema_version=1, version="1", run_id="r", cwd="/", prompt="go"),
    ToolStart(**NAMES, tool_input={}, turn=0, rule="default"),
]


def test_each_partial_replaces_the_one_before() -> None:
    growing = [partial({}), partial({"a": "x"}), partial({"a": "x", "b": [1]})]
    assert shown([*BEGIN, *growing]) == ["{", '  "a": "x",', '  "b": [', "    1", "  ]", "}", ""]
    assert shown([*BEGIN, *growing, partial({})]) == ["{}", ""]


def test_at_the_end_there_is_the_object_and_no_drawing() -> None:
    value = {"a": "x"}
    document = json.dumps({"object": value, "repairRounds": 0})
    end = [
        ToolEnd(**NAMES, tool_output=document, exit_code=0, duration_ms=1),
        End(text="", total_tokens=0, turns=0, tool_calls=0, duration_ms=1, object=value),
    ]
    rows = shown([*BEGIN, partial(value), *end])
    assert [row for row in rows if row][:3] == ["{", '  "a": "x"', "}"]
    assert sum('"a"' in row for row in rows) == 1


def test_what_else_is_written_comes_in_its_place() -> None:
    rows = shown([*BEGIN, partial({"a": 1}), TextDelta(text="words"), partial({"a": 1})])
    assert rows == ["words", "{", '  "a": 1', "}", ""]


def test_a_long_line_is_cut_and_a_long_object_shows_its_end() -> None:
    rows = shown([*BEGIN, partial(["x" * 50, *range(100)])])
    assert rows[0] == "…" and rows[-2:] == ["]", ""]
    assert len(rows) <= 25 and all(len(row) <= 20 for row in rows)


def test_nothing_is_drawn_where_nothing_can_be_replaced() -> None:
    assert shown([*BEGIN, partial({"a": 1})], terminal=False) == [""]


def test_an_object_cannot_steer_the_terminal() -> None:
    rows = shown([*BEGIN, partial({"a\x1b[2J": "\x1b]0;x\x07\u202e"})])
    assert not re.search("[\x00-\x1f\x7f\u202e]", "".join(rows))
