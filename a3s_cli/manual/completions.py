"""The click tree -> completion scripts that run no Python during completion.

The logic of a script is in `shells/`, in its shell's own language; the words to
complete are filled in here. Only sessions and models are not known in advance:
the shell lists the sessions' directory, and reads the names of models from a
file that `a3s completion --models` maintains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ..local.catalogue import MODELS
from ..registry import TOOLS
from .pages import pages
from .tree import CommandTree, Option, OptionValue

SHELLS = Path(__file__).parent / "shells"


def script(root: CommandTree, shell: str) -> str:
    """Return the complete completion script for a shell."""
    generate: Callable[[CommandTree], dict[str, str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}[
        shell
    ]
    text = (SHELLS / shell).read_text("utf-8")
    for name, filling in generate(root).items():
        text = text.replace(f"@{name}@", filling)
    return text


def files(root: CommandTree) -> dict[str, str]:
    """Return every file to install; shells that load by name get one for `a3s-cli` too."""
    return {
        "bash/a3s": script(root, "bash"),
        "bash/a3s-cli": '# shellcheck shell=bash source=/dev/null\n. "${BASH_SOURCE[0]%-cli}"\n',
        "zsh/_a3s": script(root, "zsh"),
        "fish/a3s.fish": script(root, "fish"),
        "fish/a3s-cli.fish": "complete -c a3s-cli -w a3s\n",
    }


def _words(value: OptionValue, root: CommandTree) -> tuple[str, ...]:
    """Return the possible words of a value, if they are known in advance."""
    match value.kind:
        case "choice":  # of `exec:COMMAND` only the beginning can be known
            return tuple(
                "".join(choice.partition(":")[:2]) if choice.endswith("COMMAND") else choice
                for choice in value.choices
            )
        case "rule" | "tool" | "tools":
            return tuple(TOOLS)
        case "weights":
            return tuple(MODELS)
        case "topic":
            return tuple(dict.fromkeys(page.topic for page in pages(root)))
        case _:
            return ()


def _options(command: CommandTree) -> Iterator[tuple[Option, OptionValue]]:
    """Yield the options that take a value."""
    for option in command.options:
        if option.value:
            yield option, option.value


# -- bash --------------------------------------------------------------------------


def _bash(root: CommandTree) -> dict[str, str]:
    commands, values = [], []
    for one in root.walk():
        fields = {
            "commands": " ".join(below.path[-1] for below in one.commands),
            "options": " ".join(flag for option in one.options for flag in option.flags),
            "arguments": " ".join(
                _bash_kind(each.value, root) + "*" * each.repeats for each in one.arguments
            ),
        }
        filled = " ".join(f"{name}='{text}'" for name, text in fields.items() if text)
        commands.append(f"        '{one.name}') {filled} ;;")
        for option, value in _options(one):
            names = " | ".join(f"'{one.name} {flag}'" for flag in option.flags)
            values.append(f"        {names}) kind='{_bash_kind(value, root)}' ;;")
    return {"COMMANDS": "\n".join(commands), "VALUES": "\n".join(values)}


def _bash_kind(value: OptionValue, root: CommandTree) -> str:
    words = "|".join(_words(value, root))
    if value.kind == "tools":
        return f"list:{words}"
    return f"choice:{words}" if words else value.kind


# -- zsh ---------------------------------------------------------------------------

_ZSH = {
    "directory": "_files -/",
    "file": "_files",
    "model": "__a3s_models",
    "session": "__a3s_sessions",
    "text": "( )",  # one space would be a message, which keeps options from being inserted
    "variable": '_parameters -g "*export*"',
}


def _zsh(root: CommandTree) -> dict[str, str]:
    functions = [_zsh_function(one, root) for one in reversed(list(root.walk()))]
    return {"FUNCTIONS": "\n".join(functions)}


def _zsh_function(command: CommandTree, root: CommandTree) -> str:
    specs = [spec for option in command.options for spec in _zsh_option(option, root)]
    name = _zsh_name(command)
    if not command.commands:
        specs += [
            f"{'*' if one.repeats else ''}:{one.value.name.lower()}:{_zsh_action(one.value, root)}"
            for one in command.arguments
        ]
        return f"{name}() {{\n  _arguments -s -S : \\\n{_zsh_lines(specs)}\n}}\n"
    specs += ["1:command:->command", "*:: :->rest"]
    described = "\n".join(
        f"      {_quoted(f'{one.path[-1]}:{one.summary}')}" for one in command.commands
    )
    calls = "\n".join(f"        ({one.path[-1]}) {_zsh_name(one)} ;;" for one in command.commands)
    return f"""{name}() {{
  local curcontext=$curcontext state state_descr line
  local -a commands
  _arguments -C -s -S : \\
{_zsh_lines(specs)}
  case $state in
    (command)
      commands=(
{described}
      )
      _describe command commands ;;
    (rest)
      case $words[1] in
{calls}
      esac ;;
  esac
}}
"""


def _zsh_name(command: CommandTree) -> str:
    return "_" + "_".join(command.path)


def _zsh_lines(specs: list[str]) -> str:
    return " \\\n".join(f"    {_quoted(spec)}" for spec in specs)


def _zsh_option(option: Option, root: CommandTree) -> Iterator[str]:
    others = "*" if option.repeats else f"({' '.join(option.flags)})"
    help = "".join(rf"\{one}" if one in "[]\\" else one for one in option.help)
    for flag in option.flags:
        if option.value is None:
            yield f"{others}{flag}[{help}]"
        else:
            sign = "=" if flag.startswith("--") else "+"
            name = _coloned(option.value.name.lower())
            value = f":{name}:{_zsh_action(option.value, root)}"
            yield f"{others}{flag}{sign}[{help}]{value}"


def _zsh_action(value: OptionValue, root: CommandTree) -> str:
    words = " ".join(_words(value, root))
    if value.kind == "tools":
        return f"_sequence compadd - {words}"
    return f"({_coloned(words)})" if words else _ZSH[value.kind]


def _coloned(text: str) -> str:
    """Keep the colons of a text from separating the parts of a specification."""
    return text.replace(":", r"\:")


# -- fish --------------------------------------------------------------------------

_FISH = {
    "directory": "-x -a '(__fish_complete_directories)'",
    "file": "-r -F",
    "model": "-x -a '(__a3s_models)'",
    "session": "-x -k -a '(__a3s_sessions)'",
    "text": "-x",
    "variable": "-x -a '(set -nx)'",
}


def _fish(root: CommandTree) -> dict[str, str]:
    lines, values, paths = [], [], []
    for one in root.walk():
        at = _escaped(f"__a3s_at {_escaped(one.name)}")
        for below in one.commands:
            paths.append(f"'{below.name}'")
            lines.append(
                f"complete -c a3s -n {at} -a {below.path[-1]} -d {_escaped(below.summary)}"
            )
        for option in one.options:
            flags = " ".join(_fish_flag(flag) for flag in option.flags)
            value = " " + _fish_value(option.value, root) if option.value else ""
            lines.append(f"complete -c a3s -n {at} {flags}{value} -d {_escaped(option.help)}")
        for number, argument in enumerate(one.arguments):
            place = "" if argument.repeats else f" {number}"
            there = _escaped(f"__a3s_at {_escaped(one.name)}{place}")
            # An option's value excludes other words (-x); an argument does not.
            value = _fish_value(argument.value, root).replace("-x", "").replace("-r", "").strip()
            if value:
                lines.append(f"complete -c a3s -n {there} {value}")
        values += [f"'{one.name} {flag}'" for option, _ in _options(one) for flag in option.flags]
    case = "        case " + " \\\n            ".join(values)
    return {"VALUES": case, "PATHS": " ".join(paths), "COMPLETIONS": "\n".join(lines)}


def _fish_flag(flag: str) -> str:
    return f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"


def _fish_value(value: OptionValue, root: CommandTree) -> str:
    words = " ".join(_words(value, root))
    if value.kind == "tools":
        return f"-x -a '(__a3s_list {words})'"
    return f"-x -a '{words}'" if words else _FISH[value.kind]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _escaped(text: str) -> str:
    """Quote for fish, whose single-quoted strings have escapes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
