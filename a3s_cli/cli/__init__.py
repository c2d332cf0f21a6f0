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
        from shlex import join

        from .usage import as_prompt, nearest

        if word == "version":
            meant = f"did you mean:  {join(['a3s', '--version', *rest])}"
        elif near := nearest(word, NAMES, 0.6):
            meant = f"did you mean:  {join(['a3s', near, *rest])}"
        else:
            meant = f"to run a prompt:  {as_prompt(word, rest)}"
        return f"there is no command {word!r}; {meant}"


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
        ["-V", "--version"],
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
    from .usage import told

    run = group.get_command(None, "run")
    return told(error, arguments, [name for one in run.params for name in one.opts] if run else ())


def _corrected(error: A3SError, arguments: list[str]) -> str | None:
    from .usage import corrected

    return corrected(error, arguments)


def _exit(status: int) -> NoReturn:
    try:
        sys.stdout.flush()  # noqa: TID251  # click printed help and tables
    except (OSError, ValueError, AttributeError) as error:
        status = -signal.SIGPIPE if isinstance(error, BrokenPipeError) else ExitStatus.OUTPUT
    if status < 0:
        die_of(-status)
    os._exit(status)
