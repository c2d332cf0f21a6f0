"""The assistant's text on a terminal: whole pages, and what holds however a text was cut."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.events import End, Event, ReasoningDelta, TextDelta, TurnEnd
from a3s_cli.output import inline, markdown
from a3s_cli.output.pretty import Pretty
from a3s_cli.output.terminal import Style, cells, neutralise

from ..support.a3s import proofs
from .test_terminal import HOSTILE, MARKER, cuts, pieces

SGR = re.compile(r"\x1b\[[\d;]*m")
PLAN = """\
# Plan for `a3s`

I'll **rewrite the *whole* parser** of `config.py`, see [the docs](https://x.test/d) \
and ~~nothing~~ else. A lone * and 2 ** 3 and snake_case_name and __init__.py stay.

1. First this, which is an item that has to wrap
2. Then that
   - nested with `code`
   - [ ] open
   - [x] done

> quoted **words** that have to be wrapped, with the bar

```python
def greet(name="you"):
    \"\"\"Say
    hello.\"\"\"
```

| name | meaning | n |
|:-----|:-------:|--:|
| `a` | the **first** one, too long for a row | 1 |

***
日本語のテキストは空白なしで続くので、どこでも折り返すことができます。🙂 ok
https://x.test/a/very/long/path/that/is/longer/than/the/row
"""
WRAPPED = """\
Plan for a3s

I'll rewrite the whole parser of
config.py, see the docs
(https://x.test/d) and nothing else. A
lone * and 2 ** 3 and snake_case_name
and __init__.py stay.

1. First this, which is an item that has
   to wrap
2. Then that
   • nested with code
   ☐ open
   ☑ done

▎ quoted words that have to be wrapped,
▎ with the bar

  def greet(name="you"):
      \"\"\"Say
      hello.\"\"\"

name │            meaning            │ n
─────┼───────────────────────────────┼──
a    │ the first one, too long for a │ 1
     │              row              │

────────────────────────────────────────
日本語のテキストは空白なしで続くので、ど
こでも折り返すことができます。🙂 ok
https://x.test/a/very/long/path/that/is/longer/than/the/row
"""


def style(width: int, *, colour: bool = True) -> Style:
    return Style(colour=colour, terminal=True, laid_out=True, fixed_width=width)


def page(texts: list[str], width: int = 40, *, colour: bool = True, kind: type = TextDelta) -> str:
    """What a terminal is sent for one answer that comes in these pieces."""
    sent: list[bytes] = []
    sink = Pretty(sent.append, sent.append, style(width, colour=colour))
    for text in texts:
        sink.accept([kind(text=text)])
    sink.accept([TurnEnd(turn=1, total_tokens=0, stop_reason="end_turn")])
    return b"".join(sent).decode()


def screen(sent: str, width: int) -> list[str]:
    shown = pyte.Screen(width, 400)
    pyte.Stream(shown).feed(sent.replace("\n", "\r\n"))
    rows = [row.rstrip() for row in shown.display]
    while rows and not rows[-1]:
        rows.pop()
    return rows


def test_a_page() -> None:
    sent = page([PLAN])
    assert SGR.sub("", sent) == WRAPPED
    bold = ["\x1b[1mrewrite\x1b[0m", "\x1b[1;3mwhole\x1b[0m", "\x1b[1mparser\x1b[0m"]
    assert all(one in sent for one in bold)
    for one in ("[1;4mPlan", "[36mconfig.py", "[4mdocs", "[9mnothing", "[35mdef", "[32m    hello"):
        assert f"\x1b{one}\x1b[0m" in sent or f"\x1b{one}" in sent, one


def test_the_screen_of_a_terminal_shows_that_page() -> None:
    rows = screen(page([PLAN]), 40)
    wanted = WRAPPED.rstrip("\n").split("\n")
    *wanted, url = wanted
    shown = [row.replace(" ", "") for row in rows]  # it puts one behind a wide sign
    assert shown[: len(wanted)] == [row.replace(" ", "") for row in wanted]
    assert "".join(rows[-2:]) == url


def test_without_colours_the_signs_stay_and_words_wrap() -> None:
    shown = page([PLAN], colour=False)
    assert "\x1b" not in shown
    assert shown.startswith("# Plan for `a3s`\n\nI'll **rewrite the *whole* parser** of\n")
    assert "\n   - [ ] open\n" in shown and '\n```python\ndef greet(name="you"):\n' in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a **b", "a **b"),
        ("a `b", "a `b"),
        ("a [b](c", "a [b](c"),
        ("a [b] c", "a [b] c"),
        ("**a *b* c**", "a b c"),
        ("***x***", "x"),
        ("![a cat](cat.png)", "a cat (cat.png)"),
        ("[x](javascript:alert)", "[x](javascript:alert)"),
        ("[https://x.test](https://x.test)", "https://x.test"),
        ("**[x](https://y.test)**", "x (https://y.test)"),
        ("``a ` b``", "a ` b"),
        (r"\*no\* C:\dir", r"*no* C:\dir"),
        ("&#27;[31m &lt;b&gt; <b>", "&#27;[31m &lt;b&gt; <b>"),
        ("foo*bar*baz foo_bar_baz", "foobarbaz foo_bar_baz"),
        ("####### no", " ####### no"),  # a mark that a CI system would read is broken
        ("#no heading", "#no heading"),
        ("1.5 is no item\n-1 neither", "1.5 is no item\n-1 neither"),
        ("+ a\n+ b", "• a\n• b"),
        ("| a |\nno table", "| a |\nno table"),
        ("~~~\nx\n~~~\ny", "  x\ny"),
        ("```\nnever closed", "  never closed"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("> > deep", "▎ ▎ deep"),
    ],
)
def test_what_is_markdown_and_what_is_not(text: str, shown: str) -> None:
    whole, one_by_one = page([text], 60), page(list(text), 60)
    assert SGR.sub("", whole) == SGR.sub("", one_by_one) == shown + "\n"


def test_words_come_as_they_stream() -> None:
    sent: list[bytes] = []
    sink = Pretty(sent.append, sent.append, style(40))
    seen = []
    for text in ("Hel", "lo wor", "ld, **bo", "ld** ", "| x"):
        sink.accept([TextDelta(text=text)])
        seen.append(b"".join(sent).decode())
        sent.clear()
    assert [SGR.sub("", one) for one in seen] == ["Hel", "lo wor", "ld,", " bold", " | x"]


def test_a_table_appears_when_it_is_complete() -> None:
    sent: list[bytes] = []
    sink = Pretty(sent.append, sent.append, style(40))
    for text in ("|a|b|\n", "|-|-|\n", "|1|2|\n"):
        sink.accept([TextDelta(text=text)])
    assert sent == []
    sink.accept([TextDelta(text="\nafter it")])
    assert SGR.sub("", b"".join(sent).decode()) == "a │ b\n──┼──\n1 │ 2\n\nafter it"


def test_a_wide_table_on_a_narrow_screen_is_shown_row_by_row() -> None:
    names = "|".join(f"column {n}" for n in range(8))
    text = f"|{names}|\n|{'-|' * 8}\n|{'|'.join('x' * 12 for _ in range(8))}|\n"
    shown = SGR.sub("", page([text]))
    assert shown.startswith("column 0: xxxxxxxxxxxx\ncolumn 1: ")


def test_a_notice_in_the_middle_of_an_answer() -> None:
    from a3s_cli.events import Notice

    sent: list[bytes] = []
    sink = Pretty(sent.append, sent.append, style(40))
    end = End(text="", total_tokens=0, turns=1, tool_calls=0, duration_ms=0)
    notice = Notice(code="x", text="hm")
    events: list[Event] = [TextDelta(text="```\na"), notice, TextDelta(text="b\n```\nend"), end]
    for event in events:
        sink.accept([event])
    shown = SGR.sub("", b"".join(sent).decode())
    assert shown.startswith("  a\na3s: hm\n  b\nend\n\n✓")


# -- laws ----------------------------------------------------------------------------------

SIGNS = ["*", "**", "_", "`", "```", "~~", "[a](b)", "[", "](", ")", "|", "|-|", "# ", "- ", "> ",
         "1. ", "\\", "![", "\n", "\n\n", " ", "word", "日本", "é", "e\u0301", "❤\ufe0f", "&#27;",
         "longer-word-than-others", "::", "##[", "##", *HOSTILE]  # fmt: skip
marked = st.lists(st.sampled_from(SIGNS) | st.text(max_size=4), max_size=30).map("".join)
OURS = re.compile(r"\x1b\[(?:\d{1,2}(?:;\d{1,2})*)m")


@given(marked, cuts, st.sampled_from([20, 40, 80]), st.booleans())
def test_a_page_is_the_same_however_it_was_cut(
    text: str, where: list[int], width: int, colour: bool
) -> None:
    whole = page([text], width, colour=colour)
    cut = page(pieces(text, where), width, colour=colour)
    assert SGR.sub("", cut) == SGR.sub("", whole)


@given(marked, cuts, st.booleans())
def test_nothing_but_our_colours_reaches_the_terminal(
    text: str, where: list[int], colour: bool
) -> None:
    bare = OURS.sub("", page(pieces(text, where), colour=colour))
    assert neutralise(bare) == bare
    assert not MARKER.search(bare)


words = st.lists(st.text("abcdefghijé日", min_size=1, max_size=25), max_size=40)


@given(words, cuts, st.sampled_from([20, 40, 80]))
def test_words_wrap_and_none_is_lost_or_broken(
    said: list[str], where: list[int], width: int
) -> None:
    text = " ".join(said)
    for kind, label in ((TextDelta, ""), (ReasoningDelta, "┊ ")):
        shown = SGR.sub("", page(pieces(text, where), width, kind=kind))
        rows = [row.removeprefix(label) for row in shown.rstrip("\n").split("\n")]
        assert "".join("".join(rows).split()) == "".join(text.split())
        room = width - len(label)
        for row in rows:
            # Only a word that is longer than half of a row is left to the terminal.
            assert cells(row) <= room or max(map(len, row.split())) > room // 2
        whole = [word for word in said if word.isascii() and len(word) <= min(20, width // 2)]
        found = set(" ".join(rows).replace("日", " ").split())
        assert set(whole) <= found


def test_a_long_text_costs_its_length() -> None:
    """No text makes the work on a piece grow with what came before it."""
    import time

    def seconds(text: str, size: int) -> float:
        parts = [text[at : at + size] for at in range(0, len(text), size)]
        begun = time.process_time()
        page(parts)
        return time.process_time() - begun

    for unit in ("*a ", "[a ", "`a ", "| a ", "**a** ", "_a", "((", "x" * 99):
        small, large = seconds(unit * proofs(400), 4), seconds(unit * proofs(1600), 4)
        assert large < 60 * max(small, 0.01), unit
    for unit in ("[", "[x](", "*a "):  # an answer that comes in one piece
        small, large = seconds(unit * 1000, 1 << 20), seconds(unit * 16000, 1 << 20)
        assert large < 60 * max(small, 0.01), unit


#: What a line may be filled with to make a reader of Markdown look again and again.
EXPENSIVE = [
    "***a** ", "*_", "`", "[", "[*", "![", "<", "&", "~~", "|", "> ", "- ", "**a", "_*a_* ",
    "[a](", "[a](b", "`` ` ", "\\", "<b>", "# ", "1. ", "* * ", "~~a~ ", "[*a](b*c) ", "[]", "()",
    "a|b\n-|-\n", "|a|b|\n|-|-|\n", "> > - ", "    ", "<!--", "&#x1b;", "$$", "[^1]: ",
]  # fmt: skip


def work_of(text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> float:
    """Characters that were searched and parsed to show a text that comes in pieces."""
    counted = 0.0

    def counting(target: object, name: str, cost: Callable[..., float]) -> None:
        before = getattr(target, name)

        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal counted
            counted += cost(*arguments, **options)
            return before(*arguments, **options)

        patched.setattr(target, name, call)

    with monkeypatch.context() as patched:
        counting(markdown.Markdown, "_read", lambda _, head, **__: len(head))
        counting(inline.Inline, "_unit", lambda _, held, __: len(held) / 16)
        counting(inline, "_parsed", lambda held, *_: 16 * len(held))
        counting(inline, "_closing", lambda held, *_: len(held) / 16)
        page([text[at : at + size] for at in range(0, len(text), size)])
    return counted


@pytest.mark.parametrize("unit", EXPENSIVE)
@pytest.mark.parametrize("size", [7, 1 << 20], ids=["pieces", "whole"])
def test_the_work_on_a_text_is_bounded(
    unit: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is made of: counted, not timed."""
    text = (unit * 50_000)[:50_000]
    # A line whose kind is open is read again with each piece, up to its 4,000 characters.
    heads = 4000 / min(size, 4000) * 4000 / 2 * (text.count("\n") / 1000 + 2)
    assert work_of(text, size, monkeypatch) <= 110 * len(text) + heads + 50_000


def test_a_line_that_costs_too_much_is_shown_as_it_is() -> None:
    text = "***a** " * 4000
    shown = SGR.sub("", page([text], 80))
    assert "".join(shown.split())[-700:] == ("***a**" * 4000)[-700:]
    # The next line is Markdown again.
    assert SGR.sub("", page([text + "\n**b**"], 80)).rstrip().endswith("\nb")


BOLD = "\x1b[1m{}\x1b[0m"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a **b\nc** d", f"a {BOLD.format('b')}\n{BOLD.format('c')} d\n"),
        ("- x **a\n  b**\n- c", f"• x {BOLD.format('a')}\n  {BOLD.format('b')}\n• c\n"),
        ("> **a\n> b** c", f"▎ {BOLD.format('a')}\n▎ {BOLD.format('b')} c\n"),
        # Nothing is closed by another paragraph, item, heading, block of code or table.
        ("**a\n\nb**", "**a\n\nb**\n"),
        ("- **a\n- b**", "• **a\n• b**\n"),
        ("**a\n# b", "**a\n\x1b[1;4mb\x1b[0m\n"),
        ("**a\n```\nb**\n```\n", "**a\n  \x1b[36mb**\x1b[0m\n"),
        ("**a\n| b**\n", "**a\n| b**\n"),
        ("2 * 3 *a\nb\nc\nd\ne* f", "2 * 3 *a\nb\nc\nd\ne* f\n"),
    ],
)
def test_emphasis_over_line_ends(written: str, shown: str) -> None:
    assert page([written]) == shown
    assert page(list(written)) == shown
