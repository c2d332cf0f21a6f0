"""What was found in a bash script: its simple commands, and what hides more of them."""

from __future__ import annotations

from ..values import State, Value, field
from .program_options import Risk
from .shell_words import UNKNOWN, Word


class Command(Value):
    """A simple command.

    One that is not `certain` only might run (it follows an option of a wrapper
    that we do not know): it counts for what denies and asks, not for what allows.
    """

    words: tuple[Word, ...]
    certain: bool = True
    #: It runs another command, which is in the list as well.
    wraps: bool = False
    #: Options by which it would do more than its name says.
    risks: tuple[Risk, ...] = ()

    @property
    def text(self) -> str:
        """The words joined by single spaces; what rules are matched against."""
        return " ".join(word.text for word in self.words)

    def __str__(self) -> str:
        return self.text.replace(UNKNOWN, "…")


class Doubt(Value):
    """Why a script cannot be allowed by patterns alone.

    `hidden`: it could run something that is not among the commands. Otherwise
    all that it runs is known, and it has another effect.
    """

    reason: str
    hidden: bool = True


class Parsed(State):
    """What a script would run."""

    commands: list[Command] = field(default_factory=list)
    doubts: dict[Doubt, None] = field(default_factory=dict)
    nested: int = 0

    def doubt(self, reason: str, *, hidden: bool = True) -> None:
        """Note it once."""
        self.doubts[Doubt(reason, hidden)] = None
