"""From the words of a simple command to all commands that they run, one in the other."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from . import programs, variables, wrappers
from .marks import UNKNOWN
from .program_checks import CHECKS
from .shell_found import PART, Command, Effect, Parsed, Risk, Word, names

if TYPE_CHECKING:
    from .shell_words import Words
    from .wrapped import Inner

_DECLARES = names("declare typeset local export readonly")
_SETS = names("read mapfile readarray getopts printf")
#: They may change the directory without a word of where.
_MAY_MOVE = names("popd . source eval trap")
_MOST_DIRECTORIES = 32


def note(
    reader: Words, parsed: Parsed, words: tuple[Word, ...], effects: tuple[Effect, ...]
) -> None:
    """Note a command and all that it wraps."""
    name, splits, several = words[0]
    inner = wrappers.unwrap(words) if wrappers.may_wrap(name) else None
    if inner is not None or splits or several or UNKNOWN in name:
        _unwrapped(reader, parsed, words, effects, inner)
        return
    command = _command(parsed, words, effects, parsed.within, None)
    if command.risks:
        _risked(reader, parsed, command)


def _unwrapped(
    reader: Words,
    parsed: Parsed,
    words: tuple[Word, ...],
    effects: tuple[Effect, ...],
    inner: Inner | None,
) -> None:
    outer, offset, certain = parsed.within
    seen: set[tuple[Word, ...]] = set()
    rest = [(words, effects, certain, outer, offset)]
    while rest:
        if len(rest) > 1:
            # What is certain first: the same words may be a suspect of another wrapper.
            rest.sort(key=lambda each: each[2])
        argv, with_effects, certain, outer, offset = rest.pop()
        if not argv or argv in seen:
            continue
        seen.add(argv)
        if len(seen) > wrappers.MAX_LEVELS:
            parsed.doubt("it wraps too many commands")
            return
        if argv is not words:
            inner = wrappers.unwrap(argv)
        command = _command(parsed, argv, with_effects, (outer, offset, certain), inner)
        if UNKNOWN in argv[0].text or argv[0].splits or argv[0].several:
            if certain:
                parsed.doubt("the name of a command is known only when it runs")
            rest.append((argv[1:], (), False, None, 0))
        if inner is not None:
            parsed.step(
                sum(map(len, inner.suspects)) + sum(len(each) for each, _ in inner.commands)
            )
            rest += [(each, (), certain, command, at) for each, at in inner.commands]
            rest += [(each, (), False, None, 0) for each in inner.suspects]
            for name, value in inner.assignments:
                if effect := variables.assignment(name, value):
                    parsed.effects.append(effect)
            for script, at in inner.scripts:
                _nested(reader, parsed, script, (command, at, certain))
        _risked(reader, parsed, command)


def _risked(reader: Words, parsed: Parsed, command: Command) -> None:
    """Note the commands that a command's own words name."""
    for risk in command.risks:
        if risk.script:
            run_as_script(reader, parsed, risk.script)


def _command(
    parsed: Parsed,
    argv: tuple[Word, ...],
    effects: tuple[Effect, ...],
    within: tuple[Command | None, int, bool],
    inner: Inner | None,
) -> Command:
    """Note a command with what it does beyond its name."""
    parsed.count(len(argv) + PART * len(effects))
    risks = programs.risks(argv, wraps=inner is not None)
    if inner is not None and inner.hides:
        if inner.unseen:
            parsed.doubt(f"`{argv[0].text}` {inner.hides}", inner.reach)
        place = inner.place if 0 < inner.place < len(argv) else len(argv) - 1
        risks += (Risk(place, f"`{argv[0].text}` {inner.hides}", inner.reach),)
    outer, offset, certain = within
    texts, splits, several = zip(*argv, strict=True)
    text = " ".join(texts)
    known = UNKNOWN not in text and True not in splits and True not in several
    command = Command(argv, certain, inner is not None, risks, effects, outer, offset, text, known)
    parsed.commands.append(command)
    if argv[0].text in CHECKS:
        _sets(parsed, argv, outer)
    if argv[0].text in _MAY_MOVE:
        parsed.moved += 1
        parsed.chain = None
    return command


def run_as_script(reader: Words, parsed: Parsed, script: str) -> None:
    """Note what a text runs that may be run as a script."""
    _nested(reader, parsed, script, (None, 0, False))


def _nested(
    reader: Words, parsed: Parsed, script: str, within: tuple[Command | None, int, bool]
) -> None:
    kept, parsed.within = parsed.within, within
    reader.nested(script)
    parsed.within = kept


def _sets(parsed: Parsed, argv: tuple[Word, ...], outer: Command | None) -> None:
    """Note the variables that a builtin sets, and where `cd` goes."""
    name = argv[0].text
    if name in _DECLARES:
        for word in argv[1:]:
            head, equals, value = word.text.partition("=")
            if equals:
                parsed.assign(head.rstrip("+"), value.isdecimal())
    elif name in _SETS:
        for word in argv[1:]:
            parsed.assign(word.text)
    elif name in ("cd", "pushd") and len(parsed.directories) <= _MOST_DIRECTORIES:
        parsed.moved += 1
        # What wraps `cd`, or is another word for it, may stay where it is.
        moves = name == "cd" and outer is None and not parsed.functions
        parsed.chain = parsed.chain if moves else None
        targets = [word.text for word in argv[1:] if not word.text.startswith("-") and word.known]
        for target in targets[:1]:
            bases = parsed.directories if parsed.chain is None else parsed.chain
            into = [os.path.normpath(os.path.join(one, target)) for one in bases]
            parsed.chain = into if moves else None
            parsed.directories = list(dict.fromkeys((*parsed.directories, *into)))
        if not targets:
            parsed.chain = None
        if len(parsed.directories) > _MOST_DIRECTORIES:
            parsed.doubt("it changes the directory too often")
            del parsed.directories[_MOST_DIRECTORIES + 1 :]
