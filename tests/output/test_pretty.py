"""`-o pretty`: whole pages, compared byte for byte, and what must hold of every page."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.events import (
    Denial,
    End,
    Error,
    Event,
    Notice,
    PermissionAnswer,
    PermissionDenied,
    PermissionRequest,
    ReasoningDelta,
    Retry,
    Start,
    TextDelta,
    ToolEnd,
    ToolInputDelta,
    ToolOutputDelta,
    ToolRejected,
    ToolStart,
    TurnEnd,
    TurnStart,
)
from a3s_cli.messages import Usage
from a3s_cli.output.pretty import Pretty
from a3s_cli.output.terminal import Style, cells, neutralise

from .test_terminal import MARKER, cuts, pieces, visible
from .test_terminal import text as hostile

PLAIN = Style(fixed_width=60)


def start(tool_id: str, command: str = "make", name: str = "bash", **arguments: object) -> Event:
    given_input = arguments or {"command": command}
    return ToolStart(tool_name=name, tool_id=tool_id, tool_input=given_input, turn=1, rule="bash")


def output(tool_id: str, text: str, name: str = "bash") -> Event:
    return ToolOutputDelta(tool_name=name, tool_id=tool_id, text=text)


def finish(tool_id: str, exit_code: int = 0, text: str = "", **more: object) -> Event:
    return ToolEnd(
        tool_name="bash", tool_id=tool_id, tool_output=text, exit_code=exit_code,
        duration_ms=120, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def end(**more: object) -> Event:
    return End(text="", total_tokens=0, turns=1, tool_calls=0, duration_ms=3400, **more)  # type: ignore[arg-type]


def render(*events: Event, style: Style = PLAIN, at_once: bool = False) -> str:
    """Return what the terminal shows; both streams go to one."""
    page: list[bytes] = []
    sink = Pretty(page.append, page.append, style)
    for batch in [events] if at_once else [[event] for event in events]:
        sink.accept(batch)
    return b"".join(page).decode()


@pytest.mark.parametrize("at_once", [True, False])
def test_a_run(at_once: bool) -> None:
    assert render(
        Start(schema_version=1, version="1", run_id="r", model="openai/gpt-x", cwd="/home/me"),
        TurnStart(turn=1),
        ReasoningDelta(text="\nTests"),
        ReasoningDelta(text=" first.\nThen words."),
        TextDelta(text="\n\nI'll run"),
        TextDelta(text=" the tests.\n\n"),
        ToolInputDelta(tool_id="a", tool_name="bash", text="{"),
        TurnEnd(turn=1, total_tokens=9, stop_reason="tool_use"),
        start("a", "pytest -q"),
        output("a", "3 pas"),
        output("a", "sed\n"),
        finish("a"),
        TurnStart(turn=2),
        TextDelta(text="All 3 pass."),
        TurnEnd(turn=2, total_tokens=9, stop_reason="end_turn"),
        End(
            text="All 3 pass.", total_tokens=18, usage=Usage(12, 6), turns=2, tool_calls=1,
            duration_ms=3400, cost_usd=0.00125,
        ),
        at_once=at_once,
    ) == (
        "model openai/gpt-x\n"
        "\n"
        "┊ Tests first.\n"
        "┊ Then words.\n"
        "\n"
        "I'll run the tests.\n"
        "\n"
        "[1] bash  pytest -q\n"
        "[1] │ 3 passed\n"
        "[1] ✓ exit 0 · 0.1s\n"
        "\n"
        "All 3 pass.\n"
        "\n"
        "✓ 2 turns · 1 tool call · 12 tokens in, 6 out · $0.0013 · 3.4s\n"
    )  # fmt: skip


def test_parallel_calls_stay_readable() -> None:
    assert render(
        start("a", "slow"),
        start("b", name="read", file_path="src/main.py"),
        output("a", "half"),
        output("b", "     1\tx = 1\n", "read"),
        output("a", " a line\nwhole\n"),
        finish("b"),
        output("a", "rest"),
        finish("a", 3),
    ) == (
        "[1] bash  slow\n"
        "[2] read  src/main.py\n"
        "[1] │ half\n"
        "[2] │      1\tx = 1\n"
        "[1] │  a line\n"
        "[1] │ whole\n"
        "[2] ✓ 0.1s\n"
        "[1] │ rest\n"
        "[1] ✗ exit 3 · 0.1s\n"
    )


def test_a_line_that_was_interrupted_ends_without_ending_anothers() -> None:
    assert render(
        start("a"), start("b"), output("a", "half"), output("b", "par"), output("a", "\n"),
        output("b", "tial\n"), output("a", "next\n"),
    ) == (
        "[1] bash  make\n[2] bash  make\n"
        "[1] │ half\n[2] │ partial\n[1] │ next\n"
    )  # fmt: skip


def test_a_long_line_is_cut_once() -> None:
    assert render(
        start("a"), output("a", "x" * 50), output("a", "日y"), output("a", "z\nok\n")
    ) == ("[1] bash  make\n[1] │ " + "x" * 50 + "日y…\n[1] │ ok\n")
    assert render(
        start("a"), output("a", "x" * 52), output("a", "日y"), output("a", "z\nok\n")
    ) == ("[1] bash  make\n[1] │ " + "x" * 52 + "…\n[1] │ ok\n")


@pytest.mark.parametrize(
    ("lines", "more"),
    [
        (3, None),
        (8, None),
        (12, None),
        (13, None),
        (14, "… 2 more lines"),
        (5000, "… 4988 more lines"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_output_is_bounded(lines: int, more: str | None, size: int) -> None:
    whole = "".join(f"line {number} ##[x]\n" for number in range(lines))
    deltas = [output("a", whole[at : at + size]) for at in range(0, len(whole), size)]
    shown = [f"[1] │ line {number} ##\\[x]" for number in range(lines)]
    if more:
        shown[8:-4] = [f"[1] │ {more}"]
    assert render(start("a"), *deltas, finish("a")).split("\n")[1:-2] == shown


def test_output_comes_line_by_line_as_it_is_printed() -> None:
    page: list[bytes] = []
    sink = Pretty(page.append, page.append, PLAIN)
    sink.accept([start("a")])
    sink.accept([output("a", "10%")])
    sink.accept([output("a", "\r20%\r\n")])
    sink.accept([output("a", "\n")])
    assert [piece.decode() for piece in page[1:]] == ["[1] │ 10%", "\n[1] │ 20%\n", "[1] │\n"]


def test_a_tool_that_does_not_stream_shows_what_it_returned() -> None:
    shown = render(start("a", name="ls", path="."), finish("a", 1, "no such directory"))
    assert shown == "[1] ls  .\n[1] │ no such directory\n[1] ✗ failed · 0.1s\n"


def test_partial_objects_are_not_shown() -> None:
    shown = render(
        start("a", name="generate_object", prompt="a cat"),
        output("a", '{"object_partial": {}}', "generate_object"),
        finish("a", 0, '{"object": {"name": "Tom"}}'),
    )
    assert shown == ('[1] generate_object  a cat\n[1] │ {"object": {"name": "Tom"}}\n[1] ✓ 0.1s\n')


@pytest.mark.parametrize(
    ("ended", "shown"),
    [
        (finish("a", 124, reason="timeout"), "✗ timed out · 0.1s"),
        (finish("a", 130, reason="cancelled"), "✗ cancelled · 0.1s"),
        (finish("a", output_bytes=99999), "✓ exit 0 · 0.1s · 99,999 bytes of output"),
    ],
)
def test_how_a_call_ended(ended: Event, shown: str) -> None:
    assert render(start("a"), ended) == f"[1] bash  make\n[1] {shown}\n"


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"command": "a\nb\t\x1b[m"}, "a⏎b \\x1b[m"),
        ({"pattern": "x+", "path": "src"}, "x+"),
        ({"url": "https://x.test/##[error]"}, "https://x.test/##\\[error]"),
        ({"content": "c", "file_path": "f"}, "f"),
        ({"command": {"omitted": 70000, "sha256": "0", "head": "cat <<E"}}, "cat <<E…"),
        ({"n": 1, "ü": [None]}, '{"n": 1, "ü": [null]}'),
        ({"command": "日" * 40}, "日" * 24 + "…"),
        ({}, ""),
    ],
)
def test_the_argument_that_matters(arguments: dict[str, object], shown: str) -> None:
    call = ToolStart(tool_name="tool", tool_id="a", tool_input=arguments, turn=1, rule="x")
    assert render(call) == f"[1] tool  {shown}".rstrip() + "\n"


def test_calls_that_did_not_run() -> None:
    asked = {"tool_name": "bash", "tool_id": "c", "tool_input": {"command": "ls"}}
    assert render(
        PermissionDenied(
            tool_name="bash", tool_id="a", tool_input={"command": "git push"}, decision="ask",
            rule="default", reason="bash needs approval", hint="--allow 'bash(git push)'",
        ),
        PermissionDenied(
            tool_name="read", tool_id="b", tool_input={"file_path": "/etc/shadow"},
            decision="deny", rule="workspace", reason="##[error]outside", hint="",
        ),
        PermissionRequest(rule="bash", **asked),  # type: ignore[arg-type]
        PermissionAnswer(tool_id="c", answer="once", by="user"),
        ToolStart(turn=1, rule="user", **asked),  # type: ignore[arg-type]
        finish("c"),
        ToolRejected(
            tool_name="bsh", tool_id="d", raw_input='{"x"', reason="unknown_tool",
            error="no tool bsh; did you mean bash?",
        ),
    ) == (
        "[1] bash  git push\n"
        "[1] ✗ denied: bash needs approval\n"
        "[1]   allow it with: --allow 'bash(git push)'\n"
        "[2] read  /etc/shadow\n"
        "[2] ✗ denied: ##\\[error]outside\n"
        "[3] bash  ls\n"
        "[3] ? waiting for an answer: bash\n"
        "[3] ✓ allowed once by user\n"
        "[3] ✓ exit 0 · 0.1s\n"
        '[4] bsh  {"x"\n'
        "[4] ✗ rejected: no tool bsh; did you mean bash?\n"
    )  # fmt: skip


def test_a_failure() -> None:
    assert render(
        Notice(code="config_key_unknown", text="config.acl:3: unknown key ##[x]"),
        Retry(attempt=2, max_attempts=5, delay_ms=500, code="network", reason="connection refused"),
        TextDelta(text="Half a"),
        Error(
            error="the connection broke", hint="try again later", code="network", retryable=True,
            exit_code=75, turns=1, tool_calls=2, total_tokens=70, duration_ms=125_000,
            permission_denials=(Denial("a", "bash", "default"),),
        ),
    ) == (
        "a3s: config.acl:3: unknown key ##\\[x]\n"
        "a3s: connection refused; attempt 2 of 5 in 0.5s\n"
        "Half a\n"
        "\n"
        "✗ network, exit 75 · 1 turn · 2 tool calls · 1 denied · 70 tokens · 2m 05s\n"
        "a3s: the connection broke\n"
        "hint: try again later\n"
    )  # fmt: skip


def test_the_object_of_a_schema_run() -> None:
    assert render(end(object={"a": ["\u202e##[x]"]})) == (
        '{\n  "a": [\n    "\\u202e##\\[x]"\n  ]\n}\n\n✓ 1 turn · 0 tool calls · 3.4s\n'
    )


def test_notices_and_errors_are_on_stderr() -> None:
    out: list[bytes] = []
    err: list[bytes] = []
    Pretty(out.append, err.append, PLAIN).accept(
        [TextDelta(text="a"), Notice(code="x", text="careful"), TextDelta(text="b"), end()]
    )
    assert err == [b"a3s: careful\n"]
    assert b"".join(out).decode() == "a\nb\n\n✓ 1 turn · 0 tool calls · 3.4s\n"


def test_colour_is_off_after_every_piece() -> None:
    style = Style(colour=True, terminal=True, fixed_width=60)
    page = render(
        ReasoningDelta(text="hm"), start("a"), output("a", "x\ny"), finish("a", 1), end(),
        style=style,
    )  # fmt: skip
    assert page == (
        "\x1b[2m┊ \x1b[0m\x1b[2mhm\x1b[0m\n\n"
        "[1] \x1b[1mbash\x1b[0m  make\n"
        "\x1b[2m[1] │ \x1b[0m\x1b[2mx\x1b[0m\n"
        "\x1b[2m[1] │ \x1b[0m\x1b[2my\x1b[0m\n"
        "[1] \x1b[31m✗\x1b[0m exit 1 · 0.1s\n\n"
        "\x1b[32m✓\x1b[0m \x1b[2m1 turn · 0 tool calls · 3.4s\x1b[0m\n"
    )


def hostile_run(words: list[str]) -> list[Event]:
    """Put hostile words wherever a model or a tool can put words."""
    said, thought, printed, argument, name, reason = words
    return [
        ReasoningDelta(text=thought),
        TextDelta(text=said),
        start("a", argument),
        start("b", name=name or "x", file_path=argument),
        output("a", printed),
        output("b", printed[::-1]),
        finish("b", text=printed),
        output("a", thought),
        finish("a"),
        ToolRejected(
            tool_name=name, tool_id="c", raw_input=argument, reason="unknown_tool", error=reason
        ),
        PermissionDenied(
            tool_name=name, tool_id="d", tool_input={argument: said}, decision="ask",
            rule=reason, reason=reason, hint=reason,
        ),
        TextDelta(text=printed),
        Notice(code="x", text=reason),
        TextDelta(text=said),
        end(object={said: [printed]}),
        Error(
            error=reason, hint=reason, code="auth", retryable=False, exit_code=77, turns=0,
            tool_calls=0, total_tokens=0, duration_ms=1,
        ),
    ]  # fmt: skip


words = st.lists(hostile, min_size=6, max_size=6)
OURS = re.compile(r"\x1b\[(?:0|1|2|31|32|33)m")


@given(words, st.booleans())
def test_nobody_but_us_steers_the_terminal_or_a_ci_system(said: list[str], colour: bool) -> None:
    page = render(*hostile_run(said), style=Style(colour=colour, fixed_width=50))
    assert colour or "\x1b" not in page
    bare = OURS.sub("", page)
    assert neutralise(bare) == bare
    assert not MARKER.search(bare)
    assert all(map(MARKER.search, ["::x", "a\n ::x", "a ##[x]", "## x"]))


@given(words)
def test_no_line_about_a_call_is_wider_than_the_page(said: list[str]) -> None:
    page = render(*hostile_run(said), style=Style(fixed_width=40))
    for line in page.split("\n"):
        if re.match(r"\[\d+\] (?:│|bash)", line):
            assert cells(line.expandtabs(8)) <= 40


@given(hostile, cuts)
def test_all_that_is_printable_is_shown_however_it_was_cut(said: str, where: list[int]) -> None:
    page = render(*(TextDelta(text=piece) for piece in pieces(said, where)), end())
    rest = iter(page)
    assert all(character in rest for character in visible(said))
    assert page == render(TextDelta(text=said), end())


@given(hostile, cuts)
def test_output_and_reasoning_look_the_same_however_they_were_cut(
    said: str, where: list[int]
) -> None:
    parts = pieces(said, where)
    assert render(start("a"), *(output("a", part) for part in parts), finish("a")) == render(
        start("a"), output("a", said), finish("a")
    )
    assert render(*(ReasoningDelta(text=part) for part in parts), end()) == render(
        ReasoningDelta(text=said), end()
    )
