"""The command line: its commands, and the one place that reports a failure.

Each command is one file. It imports click at the top and everything else in its
body, so that `--help` and a mistyped option load nothing more. `main` holds the
only chain of exception handlers: a failure before the stream begins becomes one
sentence on stderr and its documented exit status.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from ..errors import A3SError, ExitStatus, OutputError, internal
from ..output.person import complain, readable
from ..processes.exit import die_of
from ..version import __version__
from .sections import SectionedGroup, flag

EPILOG = """\b
Examples:
  a3s run "what does this project do?"
  git diff | a3s run "review" - | jq -rj 'select(.type=="text_delta").text'
"""


#: The commands as `--help` shows them. Each lives in the file of its name, imported when used.
COMMANDS = {
    "Run": ("run", "batch", "chat", "serve", "acp", "replay"),
    "Look back": ("audit", "sessions", "trace"),
    "Decide what may run": ("policy", "trust", "tools", "mcp"),
    "Set up": ("doctor", "models", "config"),
    "Read": ("help", "man", "schema", "completion"),
}
NAMES = tuple(name for names in COMMANDS.values() for name in names)


class CommandGroup(SectionedGroup):
    """The commands; an unknown one is answered with the nearest valid command line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(NAMES)

    def get_command(self, ctx: click.Context | None, name: str) -> click.Command | None:
        """Import the command `name`; return None if there is no such command."""
        if name not in NAMES:
            return None
        command = getattr(import_module(f".{name}", __name__), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            raise click.UsageError(self._meant(name, args[1:]), ctx)
        return super().resolve_command(ctx, args)

    def _meant(self, word: str, rest: list[str]) -> str:
        from difflib import get_close_matches
        from shlex import join

        near = get_close_matches(word, NAMES, 1)
        if word in ("help", "version"):
            meant, right = "did you mean", [f"--{word}"]
        elif near:
            meant, right = "did you mean", [near[0]]
        else:
            meant, right = "to run a prompt", ["run", word]
        return f"there is no command {word!r}; {meant}:  {join(['a3s', *right, *rest])}"


@click.group(
    cls=CommandGroup,
    sections=COMMANDS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
def group() -> None:
    """An agent on the command line: every event is one JSON line on stdout."""


group.params.append(
    flag(
        ["--version"],
        "Show the version and exit.",
        lambda _: click.echo(f"a3s {__version__}"),
    )
)


def main() -> NoReturn:
    """Run the command line and exit with its status."""
    _exit(_status(sys.argv[1:]))


def _status(arguments: list[str]) -> int:
    try:
        _require_stdout()
        _hold_the_others()
        if not arguments and os.isatty(0) and os.isatty(1):
            arguments = ["chat"]
        elif not arguments:
            group.main(["--help"], prog_name="a3s", standalone_mode=False)
            return ExitStatus.USAGE
        result: Any = group.main(arguments, prog_name="a3s", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.UsageError as error:
        complain(_usage(error, arguments))
        return ExitStatus.USAGE
    except click.ClickException as error:
        complain(error.format_message())
        return ExitStatus.FAILED
    except A3SError as error:
        complain(str(error), _corrected(error, arguments) or error.hint)
        return int(error.exit_status)
    except (click.Abort, KeyboardInterrupt):
        return -signal.SIGINT
    except SystemExit:
        # The one case in which click exits by itself: the reader of its output is gone.
        return -signal.SIGPIPE
    except OSError as error:
        if error.errno is not None and _is_output(error):
            complain(f"stdout cannot be written: {error.strerror}")
            return ExitStatus.OUTPUT
        return _bug(error, arguments)
    except Exception as error:  # noqa: BLE001  # the last resort is a sentence, not a traceback
        return _bug(error, arguments)


def _require_stdout() -> None:
    try:
        os.fstat(1)
    except OSError:
        raise OutputError("stdout is closed: there is nowhere to write") from None


def _hold_the_others() -> None:
    """Open /dev/null where stdin or stderr is closed, so that no later file takes its number.

    Write-only, so that reading such a stdin still fails.
    """
    for number in (0, 2):
        try:
            os.fstat(number)
        except OSError:
            # open() returns the lowest free descriptor; those below it are open.
            os.set_inheritable(os.open(os.devnull, os.O_WRONLY), True)


def _bug(error: Exception, arguments: list[str]) -> int:
    if "--debug" in arguments:
        from traceback import format_exception

        from ..secrets.masking import mask

        # The exception may quote a key.
        told = readable(mask("".join(format_exception(error))))
        os.write(2, told.encode(errors="replace"))
    failure = internal(error)
    complain(str(failure), failure.hint)
    return ExitStatus.INTERNAL


def _is_output(error: OSError) -> bool:
    import errno

    return error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF)


def _usage(error: click.UsageError, arguments: list[str]) -> str:
    """Return the message, with the corrected command line if click knows a close match."""
    sentence = error.format_message().rstrip(".")
    if isinstance(error, click.NoSuchOption) and error.ctx and error.ctx.command is group:
        word = error.option_name
        run = group.get_command(None, "run")
        if run and any(word in option.opts for option in run.params):
            from shlex import join

            return f"{word} belongs to a command; did you mean:  {join(['a3s', 'run', *arguments])}"
    if isinstance(error, click.NoSuchOption) and error.possibilities:
        from difflib import get_close_matches
        from shlex import join

        wrong = error.option_name
        right = get_close_matches(wrong, error.possibilities, 1, 0.0)[0]
        corrected = [
            right + one[len(wrong) :] if _is_option(one, wrong) else one for one in arguments
        ]
        return f"there is no option {wrong}; did you mean:  {join(['a3s', *corrected])}"
    if isinstance(error, click.BadParameter) and isinstance(
        getattr(error.param, "type", None), click.Choice
    ):
        return f"{sentence}{_nearest_choice(error, arguments)}"
    return sentence


def _corrected(error: A3SError, arguments: list[str]) -> str | None:
    """Return the command line with the mistyped word corrected."""
    if error.correction is None:
        return None
    from shlex import join

    wrong, right = error.correction
    corrected = [one.replace(wrong, right) if wrong in one else one for one in arguments]
    return f"did you mean:  {join(['a3s', *corrected])}"


def _is_option(word: str, option: str) -> bool:
    return word == option or word.startswith(option + "=")


def _nearest_choice(error: click.BadParameter, arguments: list[str]) -> str:
    from difflib import get_close_matches
    from shlex import join

    assert error.param and isinstance(error.param.type, click.Choice)
    choices = [str(choice) for choice in error.param.type.choices]
    for place, word in enumerate(arguments):
        value = word.partition("=")[2] if word.startswith("--") else word.removeprefix("-o")
        if not value or f"'{value}'" not in error.format_message():
            continue
        right = SYNONYMS.get(value) or next(iter(get_close_matches(value, choices, 1, 0.4)), None)
        if right in choices:
            corrected = list(arguments)
            corrected[place] = word.replace(value, str(right))
            return f"; did you mean:  {join(['a3s', *corrected])}"
    return ""


#: Names that other tools use for our choices.
SYNONYMS = {
    "text": "raw",
    "plain": "raw",
    "jsonl": "json",
    "ndjson": "json",
    "stream-json": "json",
    "human": "pretty",
}


def _exit(status: int) -> NoReturn:
    try:
        sys.stdout.flush()  # noqa: TID251  # click printed help and tables
    except (OSError, ValueError, AttributeError) as error:
        status = -signal.SIGPIPE if isinstance(error, BrokenPipeError) else ExitStatus.OUTPUT
    if status < 0:
        die_of(-status)
    os._exit(status)
