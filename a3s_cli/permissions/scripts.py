"""The commands of one script, held against the rules: what is caught, hidden, covered."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from pathlib import PurePath

from . import programs, variables
from .hints import MOST_FLAGS, exact, head, short
from .marks import BRACKET, QUESTION, STAR, UNKNOWN
from .places import Place, Places
from .program_names import INTERPRETERS
from .rules import Rule, parse_rule, same_program
from .shell_found import Command, Effect, Parsed, Reach, Word, names
from .written_files import Written, written

#: They join commands and change nothing else: beside a covered command they need no rule.
_PLUMBING = names(
    "cd true false : echo printf set exit return break continue shift pwd wait read test [ export"
    " local nproc"
)
_RUN_WHAT_THEY_READ = names(
    "screen tmux vi vim nvim view vimdiff emacs nano pico ex ed gdb lldb at batch expect"
)
_READ_COMMANDS = names("sqlite3 psql mysql mariadb mongosh redis-cli make gmake openssl bc dc")
_COPY = names("cp ln mv install cat dd rsync")
_PROGRAM_FILE = re.compile(r"(?:if=)?/(?:usr/)?(?:local/)?s?bin/")
#: Of a command with more words the options are too many to look through.
_LONG = 32


class ByProgram:
    """Rules with a pattern, found by the program that a command names."""

    def __init__(self, rules: Sequence[Rule], places: Places, *, allows: bool) -> None:
        self.any = [rule for rule in rules if not rule.total]
        self._places = places
        self._allows = allows
        #: Places in the list by the first word of their patterns; under "" those without one.
        self._named: dict[str, list[int]] = {}
        for place, rule in enumerate(self.any):
            self._named.setdefault(rule.first, []).append(place)
        self._known: dict[str, list[tuple[Rule, tuple[str, ...]]]] = {}

    def of(self, command: Command) -> list[Rule]:
        """Return those that can hold for a command as it is written, in their order."""
        known = self._of(command.words[0].text)
        if not known:
            return []
        text = command.text
        return [
            rule
            for rule, needs in known
            if not needs or needs[0] in text or any(each in text for each in needs[1:])
        ]

    def near(self, command: Command) -> list[Rule]:
        """Return those that can hold for it, whatever its words become but for the first."""
        return [rule for rule, _ in self._of(command.words[0].text)]

    def _of(self, name: str) -> list[tuple[Rule, tuple[str, ...]]]:
        found = self._known.get(name)
        if found is None:
            found = [(self.any[at], self.any[at].needs) for at in sorted(self._speaking(name))]
            self._known[name] = found
        return found

    def _speaking(self, name: str) -> set[int]:
        """Return the places of the rules that speak of a program."""
        speaking = {*self._named.get("", ()), *self._named.get(name, ())}
        if self._allows:
            return speaking
        base = name.rpartition("/")[2]
        if base.startswith("git-"):
            return set(range(len(self.any)))
        speaking.update(self._named.get(base, ()))
        # What denies a program holds for all names of its file.
        for first, places in self._named.items():
            if "/" in first and same_program(first, name, self._places):
                speaking.update(places)
        return speaking


class ScriptRules:
    """One script and the rules that speak of its tool."""

    def __init__(
        self,
        parsed: Parsed,
        deny: Sequence[Rule],
        ask: Sequence[Rule],
        allow: Sequence[Rule],
        places: Places,
        may_write: Callable[[PurePath, Place], bool],
        writing: tuple[Sequence[Rule], Sequence[Rule]] = ((), ()),
    ) -> None:
        self.deny, self.ask, self.allow = deny, ask, allow
        #: The rules that deny and ask for `write` and `edit`: commands write as well.
        self.writing = writing
        self._parsed = parsed
        self._places = places
        self._may_write = may_write
        self._certain = [command for command in parsed.commands if command.certain]
        self._patterns = ByProgram(allow, places, allows=True)
        self._rules: dict[int, tuple[Rule | None, bool]] = {}

    def covered_with(self, rules: Sequence[Rule]) -> bool:
        """Whether these rules, beside those that allow already, cover the whole script."""
        allow = [*self.allow, *rules]
        wider = ScriptRules(
            self._parsed, self.deny, self.ask, allow, self._places, self._may_write, self.writing
        )
        for command in self._certain:
            known = self._rules.get(id(command))
            # More rules may spell out what a command writes, and cover it as before.
            if known and known[0] is not None and not command.effects:
                wider._rules[id(command)] = known
        rule, uncovered, doubt = wider.covering
        return rule is not None and not uncovered and not doubt

    @cached_property
    def found(self) -> tuple[str, ...]:
        """The simple commands, for people."""
        return tuple(map(str, self._certain))

    # -- what denies and asks ----------------------------------------------------------

    def caught(self, rules: Sequence[Rule]) -> tuple[str, Rule] | None:
        """Return the first command that a rule denies or asks for, and the rule."""
        patterns = ByProgram(rules, self._places, allows=False)
        if patterns.any:
            for command in self._parsed.commands:
                for rule in patterns.of(command):
                    if rule.catches(command, self._places):
                        return f"`{short(str(command))}`", rule
        return None

    def caught_writing(self, rules: Sequence[Rule]) -> tuple[str, Rule] | None:
        """Return the first file that the script writes to against a rule, and the rule."""
        for word, whole in self._written if rules else ():
            text = word.text.replace(STAR, "*").replace(QUESTION, "?").replace(BRACKET, "[")
            if word.splits or UNKNOWN in text:
                continue
            for place in self._where(text):
                for rule in rules:
                    if (
                        place.inside
                        if rule.total
                        else rule.may_name_path(place.path, self._places.root, whole=whole)
                    ):
                        return f"writing to `{short(text)}`", rule
        return None

    @cached_property
    def _written(self) -> list[Written]:
        """The files that redirections and operands of programs write to."""
        commands = self._parsed.commands
        effects = [*self._parsed.effects, *(each for one in commands for each in one.effects)]
        found = [Written(effect.word) for effect in effects if effect.kind == "write"]
        for command in commands:
            if command.certain:
                found += written(command)
        return [each for each in found if not each.word.text.startswith("/dev/")]

    def _where(self, path: str) -> list[Place]:
        """Return where a file may lie: each `cd` changes what a path means."""
        directories = self._parsed.directories
        return [self._places.find(f"{each}/{path}" if each else path) for each in directories]

    @cached_property
    def hidden(self) -> str:
        """Say how what a rule denies or asks for could run without being seen, or nothing."""
        if any(self.writing):
            unknown = next(
                (one for one, _ in self._written if one.splits or UNKNOWN in one.text), None
            )
            if unknown is not None:
                return f"`{short(unknown.shown)}`, which it writes to, is known only when it runs"
            if unread := [doubt for doubt in self._parsed.doubts if doubt.reach == "anything"]:
                return unread[0].reason
        guards = ByProgram((*self.deny, *self.ask), self._places, allows=False)
        if not guards.any:
            return ""
        far: set[Reach] = {"anything"}
        if any(rule.one_word for rule in guards.any):
            far.add("program")
        for doubt in self._parsed.doubts:
            if doubt.reach in far:
                return doubt.reason
        for effect in self._parsed.effects:
            if effect.reach in far:
                return effect.reason
        for command in self._parsed.commands:
            if reason := self._hides(command, guards, far):
                return reason
        return ""

    def _hides(self, command: Command, guards: ByProgram, far: set[Reach]) -> str:
        if command.risks:
            risks = [risk for risk in command.risks if risk.reach in far]
            if risks and not any(rule.covers(command) for rule in self._patterns.of(command)):
                return risks[0].reason
        if command.effects:
            effects = [effect for effect in command.effects if effect.reach in far]
            if effects and not any(
                rule.covers(command, effects=True) for rule in self._patterns.any
            ):
                return effects[0].reason
        words = command.words
        named = command.certain or words[0].known
        if named and (len(words) > _LONG or not command.known):
            near = guards.near(command) if words[0].known else guards.any
            suspects = [rule for rule in near if rule.could_catch(command, self._places)]
        elif not command.certain or (len(words) == 1 and not self._parsed.inputs):
            return ""
        else:
            suspects = []
        if not suspects and command.certain and _runs(command):
            inputs = self._parsed.inputs if _runs_its_input(command) else ()
            told = "\n".join([*(word.text for word in words[1:]), *inputs])
            suspects = [rule for rule in guards.any if rule.lurks(told)]
        if suspects:
            return f"`{short(str(command))}` could become what the rule {suspects[0].text} is for"
        return ""

    # -- what allows -------------------------------------------------------------------

    @cached_property
    def covering(self) -> tuple[Rule | None, list[Command], str]:
        """Return a rule that covers a command, the commands without one, and what is in doubt."""
        first: Rule | None = None
        uncovered: list[Command] = []
        # Where a file lies is asked only until there is one reason to ask.
        doubt = next((each.reason for each in self._parsed.doubts), "")
        doubt = doubt or self._first_left(self._parsed.effects)
        for command in self._certain:
            rule, spelled = self._rule(command)
            if rule is None and not self._is_plumbing(command):
                uncovered.append(command)
            if command.effects and not spelled:
                doubt = doubt or self._first_left(command.effects)
            first = first or rule
        return first, uncovered, doubt

    def _first_left(self, effects: Sequence[Effect]) -> str:
        return next(filter(None, map(self._left, effects)), "")

    def _rule(self, command: Command) -> tuple[Rule | None, bool]:
        """Return the rule that covers a command, and whether it spells out what it does more."""
        known = self._rules.get(id(command))
        if known is None:
            known = self._rules[id(command)] = self._found_rule(command)
        return known

    def _found_rule(self, command: Command) -> tuple[Rule | None, bool]:
        if command.effects:
            for rule in self._patterns.any:
                if rule.covers(command, effects=True):
                    return rule, True
        for rule in self._patterns.of(command):
            if rule.covers(command):
                return rule, False
        if command.outer is not None:
            for rule in self._patterns.any:
                if rule.names_inner(command):
                    return rule, False
        return None, False

    def _left(self, effect: Effect) -> str:
        """Say what a redirection or an assignment does that no rule allows, or nothing."""
        if effect.kind == "write" and effect.word.known:
            places = self._where(effect.word.text)
            if not effect.word.text.startswith("~") and all(
                self._may_write(self._places.root, place) for place in places
            ):
                return ""
        return effect.reason

    @cached_property
    def _stays_inside(self) -> bool:
        """Whether every directory that the script changes to lies in the workspace."""
        return all(self._places.find(each or ".").inside for each in self._parsed.directories)

    def _is_plumbing(self, command: Command) -> bool:
        name = command.words[0].text
        if name not in _PLUMBING or command.outer or command.wraps or command.risks:
            return False
        if name == "cd":
            return self._stays_inside
        if name in ("export", "local"):
            return all(_plain_export(word, name) for word in command.words[1:])
        return True

    # -- what would allow --------------------------------------------------------------

    def suggested(self, tool: str, tools: Collection[str]) -> tuple[str, ...]:
        """Return the narrowest useful rules that allow the script, where patterns can."""
        if any(doubt.reach == "anything" for doubt in self._parsed.doubts):
            return ()
        first, uncovered, _ = self.covering
        if first is None and not uncovered:
            uncovered = self._certain
        open_ones = set(map(id, uncovered))
        wrapped = {
            id(each.outer): each for each in reversed(self._certain) if each.outer is not None
        }
        patterns: dict[str, None] = {}
        named_already: set[int] = set()
        for command in self._certain:
            _, spells = self._rule(command)
            left = not spells and any(map(self._left, command.effects))
            if (id(command) not in open_ones and not left) or id(command) in named_already:
                continue
            inner = wrapped.get(id(command))
            named = head(command, inner)
            if inner is not None and named:
                named_already.add(id(inner))
            pattern = named if not command.risks and not left else ""
            if not pattern and all(risk.reach != "anything" for risk in command.risks):
                pattern = exact(command)
            patterns[pattern] = None
            if not pattern or len(patterns) > MOST_FLAGS:
                return ()
        texts = tuple(f"{tool}({pattern})" for pattern in patterns)
        allows = texts and self.covered_with([parse_rule(text, tools) for text in texts])
        return texts if allows else ()


def _runs(command: Command) -> bool:
    """Whether a program may run what its words mention."""
    name = command.name
    if not programs.is_known(name) or name in INTERPRETERS or name in _RUN_WHAT_THEY_READ:
        return True
    if name in _COPY:
        # A copy of a program is the program, under another name.
        return any(_PROGRAM_FILE.match(word.text) for word in command.words[1:])
    return name in _READ_COMMANDS or programs.runs_words(command.words)


def _runs_its_input(command: Command) -> bool:
    """Whether a program runs what it is given to read: an interpreter, a client of a database."""
    name = command.name
    return name in INTERPRETERS or name in _RUN_WHAT_THEY_READ or name in _READ_COMMANDS


def _plain_export(word: Word, builtin: str) -> bool:
    name, equals, value = word.text.partition("=")
    if name.startswith("-"):
        return True
    effect = variables.assignment(
        name, Word(value) if equals else Word(UNKNOWN), exported=builtin == "export"
    )
    return effect is None
