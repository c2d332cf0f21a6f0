"""What may reach a terminal: neutralising, measuring, the choice of colour, CI commands."""

from __future__ import annotations

import itertools
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.output.disarm import Disarmer, disarm
from a3s_cli.output.terminal import (
    JOINERS,
    Neutraliser,
    Style,
    cells,
    encode,
    fit,
    head,
    neutralise,
    single_line,
)

HOSTILE = (
    "\x1b[2J\x1b]52;c;aGk=\x07\x1b]0;title\x1b\\",  # clear, clipboard, title
    "\x9b31m\x90q\x9c\x85",  # the same in C1
    "\u202erm\u202c\u2066x\u2069\u200f\u061c",  # bidirectional
    "\u200b\u2060\ufeff\u00ad\u3164\U000e0041",  # no width
    "\b\x7f\x00\x0b\x0c\u2028\u2029",
)
#: Words that are harmless alone, and orders when they meet.
WORDS = [
    *HOSTILE, *"#:[]\n\r\t x\x1b\u200d\ufe0f\u3000日", "\r\n", "::", "\n::", "##", "vso",
    "teamcity[",
]  # fmt: skip
text = st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=12).map("".join)


def pieces(whole: str, cuts: list[int]) -> list[str]:
    """Cut a text at some places; a negative one cuts at every character."""
    if any(cut < 0 for cut in cuts):
        return list(whole)
    places = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    return [whole[start:end] for start, end in itertools.pairwise(places)]


#: Letters and marks that Python calls printable and a terminal shows as nothing.
INVISIBLE = (
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]"
)


def visible(whole: str) -> str:
    """Return the characters that a person must see."""
    return re.sub(INVISIBLE, "", "".join(filter(str.isprintable, whole)))


cuts = st.lists(st.integers(-1, 200), max_size=6)


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("plain ümlaut 日本 🙂\n\tx", "plain ümlaut 日本 🙂\n\tx"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\x9bb", "a\\x9bb"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u200bb\U000e0041", "a\\u200bb\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("می\u200cخواهم 👨\u200d👩 ❤\ufe0f", "می\u200cخواهم 👨\u200d👩 ❤\ufe0f"),
    ],
)
def test_neutralise(given_text: str, shown: str) -> None:
    assert neutralise(given_text) == shown


def test_single_line_has_no_line_end_and_no_joiner() -> None:
    assert single_line("a\nb\r\nc\td\re\u200d") == "a⏎b⏎c d\\re\\u200d"


@given(text)
def test_nothing_that_a_terminal_obeys_or_hides_is_left(whole: str) -> None:
    for character in neutralise(whole):
        assert character in ("\n", "\t", *JOINERS) or (
            unicodedata.category(character) not in ("Cc", "Zl", "Zp", "Cs")
            and unicodedata.bidirectional(character)
            not in ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")
            and not re.match("[\u00ad\u200b\u200e\u200f\u2060-\u206f\ufeff]", character)
        )


@given(text)
def test_neutralising_keeps_all_that_is_printable(whole: str) -> None:
    rest = iter(neutralise(whole))
    assert all(character in rest for character in visible(whole))


@given(text.map(lambda s: s.replace("\r", "")), cuts)
def test_neutralising_needs_no_memory(whole: str, where: list[int]) -> None:
    assert "".join(map(neutralise, pieces(whole, where))) == neutralise(whole)


@given(text, cuts)
def test_a_stream_is_the_same_however_it_was_cut(whole: str, where: list[int]) -> None:
    stream = Neutraliser()
    shown = "".join(map(stream.feed, pieces(whole, where)))
    assert shown == neutralise(whole.replace("\r\n", "\n").replace("\r", "\n"))


@pytest.mark.parametrize(
    ("environment", "isatty", "colour"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm"}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({}, True, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": ""}, False, False),
        ({"FORCE_COLOR": "0", "TERM": "xterm"}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
)
def test_colour(environment: dict[str, str], isatty: bool, colour: bool) -> None:
    style = Style.detect(environment, isatty)
    assert (style.colour, style.terminal) == (colour, isatty)
    assert style.paint("2", "x") == ("\x1b[2mx\x1b[0m" if colour else "x")


def test_width_is_asked_again_after_a_resize() -> None:
    import fcntl
    import os
    import struct
    import termios

    master, slave = os.openpty()
    try:
        style = Style.detect({}, True, descriptor=slave)
        for columns in (100, 43):
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            assert style.width == columns
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 0, 0, 0))
        assert style.width == 80
    finally:
        os.close(master)
        os.close(slave)
    assert style.width == 80
    assert Style.detect({}, False, width=3).width == 20


@pytest.mark.parametrize(
    ("given_text", "width", "shown"),
    [
        ("hello", 5, "hello"),
        ("hello!", 5, "hell…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("e\u0301" * 3, 3, "e\u0301" * 3),
    ],
)
def test_fit(given_text: str, width: int, shown: str) -> None:
    assert fit(given_text, width) == shown


@given(text.map(neutralise), st.integers(1, 40))
def test_a_fitted_line_is_never_wider(line: str, width: int) -> None:
    assert cells(fit(line, width)) <= width
    start, used = head(line, width)
    assert line.startswith(start)
    assert used == cells(start) <= width


def test_encode_replaces_half_a_pair_and_joins_a_whole_one() -> None:
    assert encode("a\ud800b") == "a\ufffdb".encode()
    assert encode("\ud83d\ude42") == "🙂".encode()


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("a :: b # c ## d\n", "a :: b # c ## d\n"),
        ("::error::x\n", ":\\:error::x\n"),
        (" \t\u00a0::stop\n  :x\n", " \t\u00a0:\\:stop\n  :x\n"),
        ("\u200d:\u200d:x\n", "\u200d:\u200d\\:x\n"),
        ("# One\n## Two\n### Three\n", "# One\n ## Two\n ### Three\n"),
        ("a ##[error] ##vso[task] ##teamcity[x] #[y]\n",
         "a ##\\[error] ##vso\\[task] ##teamcity\\[x] #[y]\n"),
        ("##[group]\n", " ##\\[group]\n"),
    ],
)  # fmt: skip
def test_disarm(given_text: str, shown: str) -> None:
    stream = Disarmer()
    assert stream.feed(given_text) + stream.flush() == shown


@pytest.mark.parametrize(
    "whole", ["## x", "a\n## x", "::x", " \u200d::x", "a ##teamcity[x", "#\u200d#[x"]
)
def test_disarm_character_by_character(whole: str) -> None:
    stream, together = Disarmer(), Disarmer()
    shown = "".join(map(stream.feed, whole)) + stream.flush()
    assert shown == together.feed(whole) != whole
    assert not MARKER.search(shown)


def test_disarm_waits_for_the_character_behind_a_first_hash() -> None:
    stream = Disarmer()
    shown = [stream.feed(part) for part in ("a\n#", "# b\n#", "c", "#")]
    assert shown == ["a\n", " ## b\n", "#c", "#"]
    assert Disarmer().flush() == ""


def test_disarm_behind_a_label() -> None:
    assert disarm("::x ##[y]") == "::x ##\\[y]"


OBEYED = re.compile(r"^\s*::|##\[|##vso\[|##teamcity\[", re.MULTILINE)
MARKER = re.compile(rf"^##|{OBEYED.pattern}", re.MULTILINE)
armed = st.lists(
    st.sampled_from([*"#:[ \n\u200d\ufe0fx\u3000", "vso", "teamcity", "y" * 40]), max_size=12
).map("".join)


@given(armed, cuts)
def test_no_marker_is_left_however_it_was_cut(whole: str, where: list[int]) -> None:
    stream = Disarmer()
    shown = "".join(map(stream.feed, pieces(whole, where))) + stream.flush()
    together = Disarmer()
    assert shown == together.feed(whole) + together.flush()
    assert not MARKER.search(shown)
    # A runner that skips joiners sees none of the markers that it would obey.
    assert not OBEYED.search(re.sub(f"[{JOINERS}]", "", shown))
    assert shown.replace("\\", "").replace("\n ##", "\n##").removeprefix(" ") == whole.replace(
        "\n ##", "\n##"
    ).removeprefix(" ")
