"""How a wrapper's arguments are read, by the table: its options, and what it runs."""

from __future__ import annotations

import re

from .marks import UNKNOWN
from .shell_found import Reach, Word
from .wrapper_table import Wrapper

Argv = tuple[Word, ...]
_SET = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


class Inner:
    """What a wrapper runs."""

    def __init__(self, hides: str = "", reach: Reach = "anything", place: int = -1) -> None:
        #: Commands, each with its place in the wrapper's words; 0 where it has none.
        self.commands: list[tuple[Argv, int]] = []
        self.suspects: list[Argv] = []
        #: Texts that a shell reads, each with the place of its word.
        self.scripts: list[tuple[str, int]] = []
        #: Variables that it sets first.
        self.assignments: list[tuple[str, Word]] = []
        #: Why not everything that it runs is known, as the end of a sentence.
        self.hides = hides
        self.reach = reach
        #: The place of the word that hides, for a rule that spells it out; without one the last.
        self.place = place
        #: Nothing that a rule could spell out says what it runs.
        self.unseen = False

    def hide(self, reason: str, reach: Reach = "anything") -> None:
        """Note why not everything is known; the furthest reason counts."""
        if not self.hides or (reach == "anything" and self.reach != "anything"):
            self.hides, self.reach = reason, reach


def wrapped(argv: Argv, wrapper: Wrapper) -> Inner | None:
    """Find what a wrapper runs, as the table says that it reads its arguments."""
    inner = Inner()
    if wrapper.hides:
        inner.hide(wrapper.hides, "changes")
    at = skip_options(argv, 1, wrapper, inner)
    if wrapper.then:
        while wrapper.via and at < len(argv) and argv[at].text in wrapper.via:
            at = skip_options(argv, at + 1, wrapper, inner)
        if at >= len(argv) or (argv[at].text not in wrapper.then and argv[at].known):
            return inner if inner.scripts else None
        at = skip_options(argv, at + 1, wrapper, inner)
    first = at
    at = _sets(argv, at, inner) if wrapper.sets else at
    at += wrapper.operands
    if wrapper.operands:
        at = skip_options(argv, at, wrapper, inner)
    if any(word.splits for word in argv[1:at]):
        inner.hide("has options that are known only when it runs")
    for index, word in enumerate(argv[at:-1], at):
        # `su - root -c SCRIPT`: options may also follow the operands.
        if word.text.startswith("-") and word.text.lstrip("-") in wrapper.script.split():
            add_script(argv[index + 1].text, index + 1, inner)
    command = argv[at:]
    starts = range(first if wrapper.then else 1, min(at + 2, len(argv)))
    inner.suspects = [argv[k:] for k in starts if k != at]
    if command and wrapper.joins:
        add_script(" ".join(word.text for word in command), len(argv) - 1, inner)
    elif command:
        inner.commands.append((command, at))
    return inner


def _sets(argv: Argv, at: int, inner: Inner) -> int:
    """Note the variables that are set; `env` takes any name, even one that is a function."""
    while at < len(argv) and "=" in argv[at].text:
        name, _, value = argv[at].text.partition("=")
        if UNKNOWN in name or not _SET.fullmatch(argv[at].text):
            inner.hide("sets a variable that bash could run")
        else:
            inner.assignments.append((name, Word(value, argv[at].splits)))
        at += 1
    return at


def skip_options(argv: Argv, at: int, wrapper: Wrapper, inner: Inner) -> int:
    """Skip options and their values from `at` on."""
    values, scripts = frozenset(wrapper.values.split()), frozenset(wrapper.script.split())
    while at < len(argv):
        text = argv[at].text
        at += 1
        if text == "--":
            return at
        if text == "-" or not text.startswith("-"):
            return at - 1
        name, equals, value = text.lstrip("-").partition("=")
        takes: str | None = None
        if text.startswith("--"):
            for option in scripts | values:
                if len(option) > 1 and name and option.startswith(name):
                    takes = option
        else:
            takes, value = _cluster(text[1:], values | scripts)
            equals = value
            if name in values | scripts and not takes:
                takes, value = name, ""
        if takes is not None and not equals:
            value = argv[at].text if at < len(argv) else ""
            at += 1
        if takes in scripts:
            add_script(value, min(at, len(argv)) - 1, inner)
    return at


def _cluster(letters: str, takes: frozenset[str]) -> tuple[str | None, str]:
    for index, letter in enumerate(letters):
        if letter in takes:
            return letter, letters[index + 1 :]
    return None, ""


def add_script(text: str, at: int, inner: Inner) -> None:
    """Note a script; what is not known in it is read as a variable, for the rules that deny."""
    if UNKNOWN in text:
        inner.hide("runs a script that is known only when it runs")
    inner.scripts.append((text.replace(UNKNOWN, "$unknown"), at))
