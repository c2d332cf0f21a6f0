"""A wrong command line, told in one sentence: what is wrong, and the line that would be right.

The suggestion is right or it is not made: a word is taken for another one only if it
is nearly spelled like it, or if another tool calls the same thing so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from shlex import join

import click

from ..errors import A3SError

#: Names that other tools use for our choices.
_CHOICES = {
    "text": "raw",
    "jsonl": "json",
    "ndjson": "json",
    "stream-json": "json",
    "human": "pretty",
}
#: Names that other tools use for our options.
_OPTIONS = {
    "--yolo": "--allow-all",
    "--dangerously-skip-permissions": "--allow-all",
    "--allowed-tools": "--allow",
    "--allowedTools": "--allow",
    "--disallowedTools": "--deny",
    "--output-format": "--output",
    "--format": "--output",
    "--image": "--attach",
    "--file": "--attach",
    "--resume": "--session",
    "--system-prompt": "--system",
    "--json-schema": "--schema",
    "--no-color": "--plain",
    "--dir": "--cwd",
    "--cd": "--cwd",
}
#: How alike two spellings have to be.
_ALIKE = 0.75


def told(error: click.UsageError, arguments: Sequence[str], known: Iterable[str]) -> str:
    """Return the sentence for a failure; `known` are the options of `a3s run`."""
    words = list(arguments)
    if isinstance(error, click.NoSuchOption):
        return _unknown_option(error, words, set(known))
    if isinstance(error, click.exceptions.NoSuchCommand):
        return _unknown_command(error, words)
    if isinstance(error, click.BadArgumentUsage | click.BadOptionUsage):
        return _plain(error.format_message().replace("Option ", "").replace("requires", "needs"))
    if isinstance(error, click.MissingParameter):
        name = error.param.human_readable_name if error.param else "an argument"
        return f"{name} is missing:  {_path(error)} {_arguments(error) or name}"
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        names = _commands(error.ctx)
        return f"{_path(error)} needs a command: {_one_of(names)}; see:  {_path(error)} --help"
    if isinstance(error, click.BadParameter):
        return _bad_value(error, words)
    if extra := re.fullmatch(r"Got unexpected extra arguments? \((.*)\)", error.message):
        return _extra(error, extra[1], words)
    return error.format_message().rstrip(".")


def corrected(error: A3SError, arguments: Sequence[str]) -> str | None:
    """Return the command line with the mistyped word corrected."""
    if error.correction is None:
        return None
    wrong, right = error.correction
    # By itself, as `--option=word` or in a list; else inside of an argument, as a {column}.
    alone = re.compile(rf"(?<![^=,]){re.escape(wrong)}(?![^,])")
    meant = [alone.sub(lambda _: right, one) for one in arguments]
    if meant == [*arguments]:
        meant = [one.replace(wrong, right) for one in arguments]
    return _meant(meant)


def as_prompt(word: str, rest: Sequence[str]) -> str:
    """Return the command line that runs these words as one prompt."""
    words = [word]
    for one in rest:
        if one.startswith("-"):
            break
        words.append(one)
    return join(["a3s", "run", " ".join(words), *rest[len(words) - 1 :]])


def nearest(word: str, known: Iterable[str], alike: float = _ALIKE) -> str | None:
    """Return the name that a word is a misspelling of."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), 1, alike)), None)


def _meant(words: Sequence[str]) -> str:
    return f"did you mean:  {join(['a3s', *words])}"


def _plain(sentence: str) -> str:
    """Return a sentence of click's as one of ours."""
    return sentence.replace("'-", "-").replace("' needs", " needs").rstrip(".")


def _unknown_option(error: click.NoSuchOption, words: list[str], of_run: set[str]) -> str:
    wrong = error.option_name
    if prompt := next((one for one in words if one.startswith(wrong) and " " in one), None):
        rest = [one for one in words if one != prompt]
        line = join(["a3s", *(rest or ["run"]), "--", prompt])
        return f"a prompt that begins with - comes after --:  {line}"
    options = {name for one in (error.ctx.command.params if error.ctx else ()) for name in one.opts}
    at_top = bool(error.ctx and error.ctx.parent is None)
    if at_top and wrong in of_run:
        return f"{wrong} belongs to a command; {_meant(['run', *words])}"
    right = _OPTIONS.get(wrong)
    if right not in options:
        right = nearest(wrong, options) if len(wrong) > 2 else None
    if right is None:
        return f"there is no option {wrong}; see:  {_path(error)} --help"
    meant = [right + one[len(wrong) :] if _is_option(one, wrong) else one for one in words]
    return f"there is no option {wrong}; {_meant(meant)}"


def _unknown_command(error: click.exceptions.NoSuchCommand, words: list[str]) -> str:
    wrong = error.command_name
    names = _commands(error.ctx)
    right = nearest(wrong, names, 0.6)
    path = _path(error)
    said = f"there is no command {wrong!r}" + ("" if path == "a3s" else f" of {path}")
    if right is None:
        return f"{said}, only {', '.join(names)}"
    return f"{said}; {_meant([right if one == wrong else one for one in words])}"


def _commands(ctx: click.Context | None) -> list[str]:
    group = ctx.command if ctx else None
    return group.list_commands(ctx) if ctx and isinstance(group, click.Group) else []


def _path(error: click.UsageError) -> str:
    """Return the command as the user typed it: a hidden one stands for what is above it."""
    ctx = error.ctx
    if ctx is not None and ctx.command.hidden and ctx.parent is not None:
        ctx = ctx.parent
    return ctx.command_path if ctx else "a3s"


def _arguments(error: click.UsageError) -> str:
    """Return the names of all arguments of the command, in their order."""
    ctx = error.ctx
    params = ctx.command.get_params(ctx) if ctx else []
    return " ".join(one.make_metavar(ctx) for one in params if isinstance(one, click.Argument))  # type: ignore[arg-type]


def _is_option(word: str, option: str) -> bool:
    return word == option or word.startswith(option + "=")


def _bad_value(error: click.BadParameter, words: list[str]) -> str:
    name = _name(error)
    kind = getattr(error.param, "type", None)
    value = re.search(r"'(.*?)' is not|^(\S+) is not in the range", error.message)
    given = (value[1] or value[2]) if value else ""
    if isinstance(kind, click.Choice):
        choices = [str(choice) for choice in kind.choices]
        meant = _nearest_choice(given, choices, words)
        return f"{name} must be {_one_of(choices)}, not {given!r}{meant}"
    if isinstance(kind, click.IntRange | click.types.IntParamType) and value:
        return f"{name} must be a whole number{_range(kind)}, not {given!r}"
    if isinstance(kind, click.FloatRange | click.types.FloatParamType) and value:
        return f"{name} must be a number{_range(kind)}, not {given!r}"
    return f"{name}: {error.message.rstrip('.')}"


def _range(kind: object) -> str:
    """Return the range of a number, as the end of a phrase about it; empty if it has none."""
    least, most = getattr(kind, "min", None), getattr(kind, "max", None)
    if least is None:
        return "" if most is None else f" of at most {most}"
    if most is not None:
        return f" from {least} to {most}"
    return f" above {least}" if getattr(kind, "min_open", False) else f" of at least {least}"


def _name(error: click.BadParameter) -> str:
    if error.param is None:
        return str(error.param_hint or "a value")
    if isinstance(error.param, click.Argument):
        return error.param.human_readable_name
    return max(error.param.opts, key=len)


def _one_of(choices: Sequence[str]) -> str:
    *some, last = choices
    return f"{', '.join(some)} or {last}" if some else last


def _nearest_choice(given: str, choices: Sequence[str], words: list[str]) -> str:
    right = _CHOICES.get(given) or nearest(given, choices, 0.5)
    if right not in choices:
        return ""
    line = list(words)
    for place, word in enumerate(words):
        lead = word.partition("=")[0] + "=" if word.startswith("--") and "=" in word else ""
        lead = lead or ("-o" if word == f"-o{given}" else "")
        if word == lead + given:
            line[place] = lead + str(right)
            return f"; {_meant(line)}"
    return ""


def _extra(error: click.UsageError, extra: str, words: list[str]) -> str:
    ctx = error.ctx
    if ctx is None or ctx.info_name != "run":
        return f"{extra!r} is one argument too many; see:  {_path(error)} --help"
    given = [str(ctx.params[name]) for name in ("prompt", "stdin_mark") if ctx.params.get(name)]
    prompt = given + [one for one in words if one in extra.split()]
    rest = [one for one in words[1:] if one not in prompt]
    return one_prompt(" ".join(prompt), rest)


def one_prompt(prompt: str, rest: Sequence[str] = ()) -> str:
    """Return the sentence for a prompt of several words without quotes."""
    return f"one prompt at a time: quote it, as in  {join(['a3s', 'run', prompt, *rest])}"
