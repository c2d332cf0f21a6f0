"""Plain commands are read by one regular expression: it reads what the reader by steps does."""

from __future__ import annotations

import re
from random import Random

import pytest

from a3s_cli.permissions.shell_arithmetic import Unreadable
from a3s_cli.permissions.shell_found import Effect, Parsed, Word
from a3s_cli.permissions.shell_statements import Statements
from tests.support.a3s import proofs


class Stepwise(Statements):
    """The reader without its regular expressions for whole commands and words."""

    def _plain_statements(self) -> bool:
        return False

    def _plain(self) -> bool:
        return False

    def _plain_head(self, words: list[Word], effects: list[Effect]) -> bool:
        return False

    def _one_word(self) -> Word | None:
        return None

    def _form(self, form: re.Pattern[str]) -> re.Match[str] | None:
        return None


def read(reader: type[Statements], script: str) -> list[object]:
    """Return all that was found but how often; of what is no bash only that."""
    parsed = Parsed()
    try:
        reader(script, parsed).script()
    except Unreadable:
        return []
    each = [*parsed.effects, *(effect for one in parsed.commands for effect in one.effects)]
    return [
        set(parsed.commands),
        set(parsed.doubts),
        set(each),
        parsed.assigned,
        set(parsed.computed),
        parsed.directories,
    ]


PARTS = [
    "git", "log", "--stat", "-n1", "rm", "src/*.py", "a?", "x=1", "cd sub", "[", "]", "!", "$x",
    '"$x"', "${x}", '"${x:-y}"', "${x##*/}", "${#x}", "$((n + 1))", '"$((2*k))"', "$(nproc)",
    "$(rm x)", '"$(rm "a b" \'c d\')"', "$(git rev-parse *.py $x)", '$(a "$x")', "$(a | b)",
    "$(cd x)", "`a`", "'a b'", '"a b"', "a'b'\"c\"", "a\\ b", "$'a'", '"a\\"b"', "a$x$(b)c", "$@",
    '"$@"', "$1", "$", "{a,b}", "#c", "a#b", ">b", "> b", ">>$x", "2>&1", "2> /dev/null", "&>a",
    "<x", '>"$(a \'b\')"', "<<<x", "1>", ">", "<(a)", "'", '"', "(", ")", "\\", "timeout 5", "env",
    "if", "then", "fi", "for i in a b; do", "done", "case", "esac", "export", "time", "A=1",
    "[a-z]*", "{}", "\\;", "\\$x", '"a\\b"', '"$x\\"y"', '"a $x\\$(b)"', "'cd' sub", "command cd b",
    "[[", "-v", "-eq", "=~", "in", "(a|b)", "for i in $(a) 'b c' \"$x\"; do", "case $x in",
]  # fmt: skip
JOINTS = [" "] * 12 + ["; ", "\n", " && ", " || ", " | ", " & ", "", ";;", "&", " # c\n", "\\\n"]
FORMS = [
    "%s", "%s", "if a; then %s\nfi", "for i in a b; do %s; done", "(%s)", "{ %s\n}", "f() { %s\n}",
    "echo $(%s)", 'echo "$(%s)"', "case a in a) %s;; *) b;; esac",
    "case %s in a) b;; esac", "case $x in %s) b;; (c|'d e') f;; esac", "[[ %s ]] && a",
    "[[ $x == %s ]]", "for i in %s; do c $i; done", "while %s; do a; done",
    "if a; then b; elif %s; then c; fi", "%s; %s", "cd a && %s", "x=rm; %s", "%s | cat", "[ %s ]",
]  # fmt: skip


def made(choose: Random) -> str:
    """Make a script of parts, of which some are bash."""
    most = choose.choice((3, 6, 12))
    text = "".join(
        choose.choice(PARTS) + choose.choice(JOINTS) for _ in range(choose.randint(1, most))
    )
    return choose.choice(FORMS).replace("%s", text)


@pytest.mark.parametrize("seed", range(4))
def test_one_expression_reads_what_the_steps_do(seed: int) -> None:
    choose, readable = Random(seed), 0
    for _ in range(proofs(1500)):
        script = made(choose)
        quick = read(Statements, script)
        assert quick == read(Stepwise, script), script
        readable += bool(quick)
    assert readable > proofs(1500) / 5


@pytest.mark.parametrize(
    "script",
    [
        """[ -n "$(bash -ec 'x=$(rm x)')" ]""",
        """echo "$(a "b c" 'd e')" f""",
        'a "$(b "rm x")"; rm y',
        """a "x$(b 'c' "d")y"'z' >"$(b 'c')" 2>&1""",
    ],
)
def test_quotes_in_a_substitution_are_its_own(script: str) -> None:
    assert read(Statements, script) == read(Stepwise, script) != []
