"""Wildcards: what matches, and that nothing takes long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.files.wildcards import Wildcard, component, expand, split


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("*.py", ["a.py", ".py", ".a.py"], ["a.pyc", "d/a.py"]),
        ("**/*.py", ["a.py", "d/a.py", "d/e/a.py"], ["a.pyc"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "b/a"]),
        ("**", ["a", "a/b"], []),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["a/x", "ab"]),
        ("a/**/b/**/c", ["a/b/c", "a/b/b/c", "a/b/x/b/y/c"], ["a/c", "a/b"]),
        ("a**b", ["ab", "axb"], ["a/b"]),
        ("a?c", ["abc", "aéc"], ["ac", "a/c"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "-x"]),
        ("[!a-c]x", ["dx", "]x"], ["ax"]),
        ("[]-]x", ["]x", "-x"], ["ax"]),
        ("[[:digit:]a]", ["1", "a"], ["b", ":"]),
        ("[a\\]]", ["a", "]"], ["\\"]),
        ("\\*", ["*"], ["a", "\\*"]),
        ("{a,b}{1,2}", ["a1", "b2"], ["a", "a,b"]),
        ("{a,b/{c,d}}/x", ["a/x", "b/c/x", "b/d/x"], ["b/x"]),
        ("{a}", ["{a}"], ["a"]),
        ("{,x}y", ["y", "xy"], []),
        ("a{b", ["a{b"], ["ab"]),
        ("./a//b", ["a/b"], []),
        ("x.[ch]", ["x.c", "x.h"], ["xxc"]),
        ("a\nb*", ["a\nbc"], ["ab"]),
    ],
)
def test_matching(pattern: str, matching: list[str], other: list[str]) -> None:
    wildcard = Wildcard(pattern)
    assert [path for path in matching if not wildcard.matches(path.split("/"))] == []
    assert [path for path in other if wildcard.matches(path.split("/"))] == []


@pytest.mark.parametrize("pattern", ["[a", "a\\", "[!", "[[:nope:]]", "[a-", "[]"])
def test_broken_patterns(pattern: str) -> None:
    with pytest.raises(ValueError):
        Wildcard(pattern)


@given(st.lists(st.sampled_from(["a", "b", "*", "?"])).map("".join), st.text("ab", max_size=12))
def test_committing_stars_lose_no_match(glob: str, name: str) -> None:
    plain = "".join({"*": ".*", "?": "."}.get(char, char) for char in glob)
    assert bool(re.fullmatch(component(glob), name)) == bool(re.fullmatch(plain, name))


PATHS = st.lists(st.sampled_from("ab"), min_size=1, max_size=6)


@given(st.lists(st.sampled_from(["a", "b", "*", "**"]), min_size=1, max_size=5), PATHS)
def test_two_stars_mean_any_number_of_directories(parts: list[str], path: list[str]) -> None:
    def matches(pattern: list[str], rest: list[str]) -> bool:
        if not pattern:
            return not rest
        if pattern[0] == "**":
            if len(pattern) == 1:
                return bool(rest)
            return matches(pattern[1:], rest) or (bool(rest) and matches(pattern, rest[1:]))
        return bool(rest) and pattern[0] in ("*", rest[0]) and matches(pattern[1:], rest[1:])

    assert Wildcard("/".join(parts)).matches(path) == matches(parts, path)


def test_states_tell_when_nothing_below_can_match() -> None:
    wildcard = Wildcard("src/*/x")
    assert wildcard.step(wildcard.start, "docs") == ()
    inside = wildcard.step(wildcard.start, "src")
    assert inside != ()
    assert wildcard.step(wildcard.step(wildcard.step(inside, "a"), "x"), "deeper") == ()


def test_splitting_and_expanding() -> None:
    assert split("a/[b/c]/\\/d") == ["a", "[b/c]", "", "d"]
    assert expand("{a,{b,c}d}e") == ["ae", "bde", "cde"]
    assert expand("a\\{b,c}") == ["a\\{b,c}"]
    with pytest.raises(ValueError, match="256"):
        expand("{a,b}" * 9)


def test_hostile_patterns_take_no_time() -> None:
    assert not Wildcard("*a" * 100 + "b").matches(["a" * 255])
    assert not Wildcard("**/a/" * 100 + "b").matches(["a"] * 500)
