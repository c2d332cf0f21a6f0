"""Reads the prompt: from an argument, a file, stdin, or an argument and stdin."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Sequence

from ..errors import UsageError
from ..messages import framed
from ..values import Value

#: Most bytes of a prompt.
PROMPT_LIMIT = 16 * 1024 * 1024
_EXAMPLE = 'a3s run "what does this project do?"'


class PromptSource(Value):
    """Where the prompt comes from: an argument, a file, stdin, or an argument and stdin.

    `attach` is what `--attach` names beside it.
    """

    argument: str | None = None
    file: str | None = None
    append_stdin: bool = False
    attach: Sequence[str] = ()

    @property
    def is_stdin(self) -> bool:
        """Whether the prompt, or a part of it, comes from stdin."""
        nothing_else = self.argument is None and self.file is None
        return nothing_else or self.append_stdin or self.argument == "-" or self.file == "-"

    @property
    def attached_stdin(self) -> int:
        """How many attachments are stdin, with a type before the `-` or without."""
        return sum(one == "-" or one.endswith(":-") for one in self.attach)

    @property
    def uses_stdin(self) -> bool:
        """Whether stdin will be read to its end."""
        return self.is_stdin or self.attached_stdin > 0


def read_prompt(source: PromptSource, stdin: int = 0) -> str:
    """Return the whole prompt. Raises UsageError if it is missing, blank or unreadable."""
    if source.argument is not None and source.file is not None:
        raise UsageError("a prompt argument and --prompt-file cannot be combined")
    if source.file is not None and source.file != "-":
        prompt = _text(_file(source.file), source.file)
    elif source.argument is not None and source.argument != "-":
        prompt = _argument(source.argument)
    else:
        prompt = _text(_stdin(stdin), "stdin")
        if not prompt.strip():
            raise UsageError("there is no prompt: stdin is blank", hint=_EXAMPLE)
        return prompt
    if source.append_stdin:
        context = _text(_stdin(stdin), "stdin")
        prompt = f"{prompt}\n\n{framed('stdin', context)}" if context.strip() else prompt
    return checked_prompt(prompt, source.file or "the prompt")


def unread_input(stdin: int = 0) -> bool:
    """Return whether stdin is a pipe or file with unread data. Polls, never reads."""
    try:
        mode = os.fstat(stdin).st_mode
        if stat.S_ISREG(mode):
            return os.fstat(stdin).st_size > os.lseek(stdin, 0, os.SEEK_CUR)
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
            return False
        poller = select.poll()
        poller.register(stdin, select.POLLIN)
        ready = any(event & select.POLLIN for _, event in poller.poll(0))
        return ready and _bytes_waiting(stdin) > 0
    except OSError:
        return False


def _bytes_waiting(fd: int) -> int:
    import fcntl
    import termios

    answer = fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4)
    return int.from_bytes(answer, sys.byteorder)


def _argument(text: str) -> str:
    # The argument's bytes count, whatever the locale makes of them.
    return _text(os.fsencode(text), "the prompt")


def _file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(PROMPT_LIMIT + 1)
    except OSError as error:
        raise UsageError(f"--prompt-file {path}: {error.strerror}") from None


def _stdin(fd: int) -> bytes:
    try:
        if os.isatty(fd):
            raise UsageError(
                "there is no prompt: give one as an argument, with --prompt-file, or on stdin",
                hint=_EXAMPLE,
            )
        return _to_the_end(fd)
    except OSError as error:
        raise UsageError(f"stdin cannot be read: {error.strerror}") from None


def _to_the_end(fd: int) -> bytes:
    """Read to the end, even if another process made the shared descriptor non-blocking."""
    data = bytearray()
    while len(data) <= PROMPT_LIMIT:
        try:
            piece = os.read(fd, 1 << 20)
        except BlockingIOError:
            poller = select.poll()
            poller.register(fd, select.POLLIN)
            poller.poll()
            continue
        if not piece:
            break
        data += piece
    return bytes(data)


def _text(data: bytes, place: str) -> str:
    if len(data) > PROMPT_LIMIT:
        raise UsageError(f"{place} is larger than {PROMPT_LIMIT >> 20} MiB")
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        wrong = f"byte {error.start} is {data[error.start]:#04x}"
        raise UsageError(f"{place} is not UTF-8: {wrong}") from None


def checked_prompt(prompt: str, place: str = "the prompt") -> str:
    """Return the prompt. Raises UsageError if it is blank."""
    if not prompt.strip():
        raise UsageError(f"{place} is blank")
    return prompt
