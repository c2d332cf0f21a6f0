"""The regular expressions of grep: one meaning, whichever engine runs."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from a3s_cli.tools.grep_pattern import PatternError, parse
from tests.support.a3s import proofs

from .desk import NO_RIPGREP, TOOLS, Desk

#: Each example is two searches by child processes.
TEXT = (
    """abc aab
Éa é é1 ЖА жа\r
  def foo_bar(x):\t# 12
ſ s K k ı İ i ß ẞ ŝ
a-b_c.d/e "q" 'r' <t> & ~ {2} [z] ^$ |
\x1c\x1d\x85\u2028z\x0b
١٢٣ ½ ² Ⅷ ⓐ a‿b हिन्दी e\u0301x \U0001f600 \U00020000
""".encode()
    + b"raw \xff\xfe\xc3 a\xe9b\n\xed\xa0\x80 x\n\r\n\n"
    + b"\xef\xbb\xbfmarked a\nno newline at the end aa"
)

ATOMS = (
    *(
        "a",
        "b",
        "i",
        "ı",
        "é",
        "Ж",
        "1",
        "_",
        " ",
        "-",
        '"',
        "<",
        "&",
        "ß",
        "K",
        "s",
        "{",
        "}",
        "{x}",
        ",",
    ),
    *(".", "^", "$", "|", "(", ")", "(?:", "(?P<n>", "(?i:", "(?-i:", r"\.", r"\/", r"\{", r"\ "),
    *("*", "+", "?", "*?", "{2}", "{1,2}", "{0,}", "{2,1}"),
    *(r"\d", r"\w", r"\s", r"\S", r"\W", r"\D", r"\b", r"\B", r"\t", r"\r", r"\x41", r"\u00e9"),
    *("[ab]", "[^a]", "[а-я]", r"[\w.]", r"[^\s]", r"[\D]", r"[^\W]", r"[\W\d]", "[a-z]", "[]a]"),
    *(
        r"[\x00-\x7f]",
        r"[\x80-\uffff]",
        r"[^\n]",
        r"[\n a]",
        "[-a]",
        "[a-ı]",
        "[^İ]",
        "[a^]",
        "[^]]",
        "[.$]",
    ),
)
REFUSED = {
    r"(?<=a)b": "(?<=…) is look-behind, which grep does not have",
    r"(?<!a)b": "(?<!…) is look-behind, which grep does not have",
    r"a(?=b)": "(?=…) is look-ahead, which grep does not have",
    r"a(?!b)": "(?!…) is look-ahead, which grep does not have",
    r"(a)\1": r"\1 is a backreference, which grep does not have",
    r"(?P<n>a)(?P=n)": "(?P=…) is a backreference, which grep does not have",
    r"(?>a)": "(?>…) is an atomic group, which grep does not have",
    r"(?x)a": "grep does not have (?x…)",
    r"a(?i)b": "grep does not have (?i…)",
    r"\p{L}": r"grep does not have \p",
    r"\Aa\z": r"grep does not have \A",
    r"\<a\>": r"grep does not have \<",
    r"[[:alpha:]]": "[:…] is a POSIX class, which grep does not have: write a-z",
    r"[a&&b]": r"& in a class needs a backslash: \&",
    r"[a[b]": r"[ in a class needs a backslash: \[",
    r"[\b]": r"\b has no meaning in a class",
    r"[z-a]": "the range z-a runs backwards",
    r"[\w-z]": r"\w- begins no range; write \- for the character",
    r"[a": r"a [ is never closed; write \[ for the character itself",
    r"(a": r"a ( is never closed; write \( for the character itself",
    r"a)": r"a ) closes nothing; write \) for the character itself",
    r"*a": r"there is nothing for * to repeat; write \* for itself",
    r"a++": "+ is followed by another repetition",
    r"^*": "* repeats a place, not a character",
    r"a{3,2}": "{3,2} asks for at least 3 and at most 2",
    r"a{5000}": "{5000} asks for more than 1000 repetitions",
    "a\\": "nothing follows its last backslash",
    "a\\nb": r"\n can match nothing: grep looks at one line at a time",
    "a\nb": r"\n can match nothing: grep looks at one line at a time",
    "a\0": "it contains a NUL or a lone surrogate",
    "\udc80": "it contains a NUL or a lone surrogate",
    "(" * 60: "its groups are nested more than 50 deep",
    "x" * 20_000: "it is longer than 10000 characters",
}


@pytest.mark.parametrize("pattern", REFUSED, ids=lambda pattern: repr(pattern[:12]))
def test_refused_in_one_sentence(pattern: str) -> None:
    with pytest.raises(PatternError, match=re.escape(REFUSED[pattern])):
        parse(pattern, ignore_case=False)


def search(desk: Desk, path: str, pattern: str, ignore_case: bool) -> str:
    desk.path = path
    call = TOOLS["grep"].run({"pattern": pattern, "-i": ignore_case}, desk.context())
    return asyncio.run(call).output or ""


@pytest.mark.skipif(shutil.which("rg") is None, reason="no rg (ripgrep)")
@settings(max_examples=proofs(60), deadline=None)
@given(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=6).map("".join), st.booleans())
def test_both_engines_agree(
    tmp_path_factory: pytest.TempPathFactory, pattern: str, ignore_case: bool
) -> None:
    try:
        parse(pattern, ignore_case=ignore_case)
    except PatternError:
        return
    desk = Desk(tmp_path_factory.getbasetemp() / "patterns")
    desk.root.mkdir(exist_ok=True)
    (desk.root / "text").write_bytes(TEXT)
    (desk.root / "marked").write_bytes(b"\xef\xbb\xbfabc\r\nimport a\r\n")
    (desk.root / "empty").touch()
    assert search(desk, "", pattern, ignore_case) == search(desk, NO_RIPGREP, pattern, ignore_case)


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        (r"foo\(", ["foo(x) {"]),
        (r"x\) {$", ["foo(x) {"]),
        ("(?i)FOO", ["foo(x) {", "a foo"]),
        (r"\bfoo$", ["a foo"]),
        ("^.foo|é{2}", ["éé"]),
        (r"[\u4e00-\u9fff]", ["漢字"]),
        (r"\w+字", ["漢字"]),
        ("", ["foo(x) {", "a foo", "éé", "漢字"]),
    ],
)
def test_what_a_pattern_means(desk: Desk, pattern: str, matching: list[str]) -> None:
    (desk.root / "f").write_text("foo(x) {\na foo\r\néé\n漢字\n", newline="")
    for path in ("", NO_RIPGREP):
        desk.path = path
        found = desk.output("grep", pattern=pattern).split("\n")[:-1]
        assert [line.split(": ", 1)[1] for line in found] == matching


def test_the_worker_reads_in_blocks(tmp_path: Path) -> None:
    from a3s_cli.tools import grep_worker

    lines = [b"%d %s" % (number, b"x" * (number * 7919 % 300)) for number in range(60_000)]
    (tmp_path / "f").write_bytes(b"\n".join(lines))
    regex = grep_worker.Regex("7x*$|^59999", re.MULTILINE)
    expected = [
        (number, match.start() + 1, line)
        for number, line in enumerate(lines, 1)
        if (match := re.search(b"7x*$|^59999", line))
    ]
    assert (tmp_path / "f").stat().st_size > 2 * grep_worker.BLOCK
    with (tmp_path / "f").open("rb") as file:
        assert list(grep_worker.matches(file, regex)) == expected
