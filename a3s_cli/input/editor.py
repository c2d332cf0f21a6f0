"""A prompt that is written in the user's editor."""

from __future__ import annotations

import contextlib
import os

from ..errors import UsageError


def written(begun: str) -> str:
    """Return what `$VISUAL` or `$EDITOR` leaves of a text. Raises UsageError if it is nothing."""
    import click

    with _on_the_terminal():
        try:
            text = click.edit(begun, extension=".md", require_save=False)
        except click.ClickException as error:
            raise UsageError(error.format_message(), hint="export EDITOR=…") from None
    if not (text or "").strip():
        raise UsageError("the prompt from the editor is empty")
    return str(text).rstrip("\n")


@contextlib.contextmanager
def _on_the_terminal():  # type: ignore[no-untyped-def]
    """Show the editor on the terminal where stdout is a pipe: its screen is no event."""
    if os.isatty(1):
        yield
        return
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        terminal = os.dup(2)
    stdout = os.dup(1)
    try:
        os.dup2(terminal, 1)
        yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
        os.close(terminal)
