"""What was found in a bash script: its simple commands, and what hides more of them."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from ..values import State, field
from .marks import BRACKET, ELEMENTS, JOINED, NOT_KNOWN, QUESTION, STAR, UNKNOWN

_DESCRIPTOR = re.compile(r"[0-9]+-?|-")
_SHOWN = str.maketrans({UNKNOWN: "…", ELEMENTS: "", STAR: "*", QUESTION: "?", BRACKET: "["})
#: How far something that a rule cannot see reaches, from the least to the most:
#: `effect`: all commands are seen, and one of them does more than its words say;
#: `changes`: the commands that are seen may do something else than their names say;
#: `program`: a program runs that is not seen, with arguments that are not chosen;
#: `anything`: a command runs that is not seen.
Reach = Literal["effect", "changes", "program", "anything"]


#: A script with more commands is not judged. What people type, and whole programs of ten
#: kilobytes, have less; commands that are repeated count once.
MOST_COMMANDS = 300
#: A script that is more work to read is not judged either. A `PART` is a command, a condition,
#: a loop, a case, a substitution, a redirection, and what else has a place in the grammar; a
#: command that is there again is less, and a word or a piece of one is one step. Programs of
#: ten kilobytes that are in use take up to 4,900 steps, and most take less than half of them.
MOST_STEPS = 5_500
PART, REPEATED = 8, 2


class TooLong(Exception):
    """The script has more in it than is judged."""


class Word(NamedTuple):
    """A word's text, `UNKNOWN` where it depends on the run."""

    text: str
    #: It may become several words of any kind, or none: an unquoted expansion.
    splits: bool = False
    #: It may become several words, each of which fits the text: a glob, braces.
    several: bool = False

    @property
    def known(self) -> bool:
        """Whether it is exactly its text."""
        return not self.splits and not self.several and UNKNOWN not in self.text

    @property
    def may_be_option(self) -> bool:
        """Whether it can begin with a dash, for all that is known."""
        if self.splits:
            return True
        return not self.known and (self.text[:1] == "-" or bool(NOT_KNOWN.match(self.text)))

    @property
    def shown(self) -> str:
        """The text for people."""
        return shown(self.text)


class Risk(NamedTuple):
    """A word by which a command does more than its name says."""

    at: int
    reason: str
    reach: Reach = "anything"
    #: A command that it runs, as a shell would read it, where it is known.
    script: str = ""
    #: It is one for rules that name more than the program, which may run anything.
    named: bool = False


class Effect(NamedTuple):
    """A redirection or an assignment: `text` is how a rule would spell it."""

    kind: Literal["write", "read", "network", "assign"]
    text: str
    #: The file, or the value.
    word: Word
    reach: Reach = "effect"
    reason: str = ""


class Command(NamedTuple):
    """A simple command.

    One that is not `certain` only might run (it follows an option of a wrapper
    that is not known): it counts for what denies and asks, not for what allows.
    """

    words: tuple[Word, ...]
    certain: bool = True
    #: It runs other commands, which are in the list as well.
    wraps: bool = False
    risks: tuple[Risk, ...] = ()
    effects: tuple[Effect, ...] = ()
    #: The command that wraps this one, and where in its words this one begins.
    outer: Command | None = None
    offset: int = 0
    #: Its words, joined by blanks.
    text: str = ""
    #: Whether each word is exactly its text.
    known: bool = True

    @property
    def name(self) -> str:
        """The program's name without its directory."""
        return self.words[0].text.rpartition("/")[2]

    @property
    def joined(self) -> str:
        """Its words, joined by blanks; a blank inside a word is another character."""
        if self.text.count(" ") == len(self.words) - 1:
            return self.text
        return " ".join([word.text.replace(" ", JOINED) for word in self.words])

    def __str__(self) -> str:
        return shown(self.text)


class Doubt(NamedTuple):
    """Why a script cannot be judged by its commands alone."""

    reason: str
    reach: Reach = "anything"


class Parsed(State):
    """What a script would run."""

    commands: list[Command] = field(default_factory=list)
    doubts: dict[Doubt, None] = field(default_factory=dict)
    #: Redirections and assignments that belong to no command.
    effects: list[Effect] = field(default_factory=list)
    #: Where commands may run: each `cd` adds to it, from the workspace on.
    directories: list[str] = field(default_factory=lambda: [""])
    #: Where the next command runs, if all before it in a chain of `&&` succeeded; None for all.
    chain: list[str] | None = None
    #: How often a command was met that may change the directory.
    moved: int = 0
    #: Whether it defines functions: any command may change the directory then.
    functions: bool = False
    nested: int = 0
    counted: int = 0
    steps: int = 0
    #: What runs the script that is being read, the place of that, and whether it is certain.
    within: tuple[Command | None, int, bool] = (None, 0, True)
    #: Variables that are set, and whether each value of theirs is a number.
    assigned: dict[str, bool] = field(default_factory=dict)
    #: What here-documents and here-strings give to commands to read.
    inputs: list[str] = field(default_factory=list)
    #: Variables that are computed with.
    computed: dict[str, None] = field(default_factory=dict)

    def doubt(self, reason: str, reach: Reach = "anything") -> None:
        """Note it once."""
        self.doubts[Doubt(reason, reach)] = None

    def count(self, steps: int = 0) -> None:
        """Count a command, an assignment or a test, and what is in it; raises TooLong."""
        self.counted += 1
        if self.counted > MOST_COMMANDS:
            raise TooLong(f"it has more than {MOST_COMMANDS} commands, too many to judge")
        self.step(PART + steps)

    def step(self, steps: int = PART) -> None:
        """Count the work of reading; raises TooLong."""
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise TooLong(f"it takes more than {MOST_STEPS} steps to read, too many to judge")

    def assign(self, name: str, number: bool = False) -> None:
        """Note that a variable is set."""
        self.assigned[name] = number and self.assigned.get(name, True)


def redirection(descriptor: str, operator: str, target: Word) -> Effect | None:
    """Say what a redirection does; None where it changes and reads nothing."""
    text = target.text
    if operator == "<<<" or text == f"/dev/fd/{UNKNOWN}":
        return None
    if operator in (">&", "<&") and _DESCRIPTOR.fullmatch(text):
        return None
    name = target.shown
    if text.startswith(("/dev/tcp", "/dev/udp")):
        return Effect(
            "network", f"{operator} {name}", target, reason="it opens a network connection"
        )
    if operator == "<":
        if target.known:
            return Effect("read", f"< {name}", target, reason="")
        reason = "it reads from a file whose name is not known"
        return Effect("read", f"< {name}", target, reason=reason)
    if text in ("/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"):
        return None
    spelled = f"{descriptor if descriptor != '1' else ''}{operator} {name}"
    return Effect("write", spelled, target, reason=f"it redirects to `{name}`")


def shown(text: str) -> str:
    """Write a word's text for people."""
    return text if text.isprintable() else text.translate(_SHOWN)


def names(text: str) -> frozenset[str]:
    """Write a set of words as one reads it."""
    return frozenset(text.split())
