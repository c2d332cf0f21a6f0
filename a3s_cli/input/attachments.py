"""Files that come with a prompt: what was given becomes an image, a PDF or text.

The content decides the type, whatever the name says, unless the type was given. All
other binary content is refused, because no model could make anything of it.
"""

from __future__ import annotations

import os
import re
import stat
from binascii import a2b_base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..files.media import TELLING, TYPES, media_type
from ..messages import File
from ..values import Value, field

#: Attachments of one prompt, and characters of the name of one.
MOST = 64
LONGEST_NAME = 80
TEXT = "text/plain"
#: The words of a prompt that has none.
ALONE = "See the attachment."
STDIN = "-"
_PREFIX = r"((?:image|application|text)/[A-Za-z0-9.+-]+):(.+)"
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO: send it to stdin, with -a -",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Given(Value):
    """A file as it was given: a path, "-" for stdin, or the content itself."""

    path: str = ""
    content: bytes | None = field(default=None, repr=False)
    name: str = ""
    #: Overrides what the content says.
    media_type: str = ""
    #: Whether the command line names the path; any other obeys the rules for `read`.
    typed: bool = False

    @property
    def shown(self) -> str:
        """Its name for people and models: short, on one line, without quotation marks."""
        name = self.name or (
            "stdin" if self.typed and self.path == STDIN else self.path.rpartition("/")[2]
        )
        name = re.sub(r"[^\w .,;:()\[\]{}@#%&=+~!-]", "_", name).strip()
        return name[:LONGEST_NAME] or "attachment"


def typed(argument: str) -> Given:
    """Return what `--attach ARGUMENT` gives: a path or "-", behind a type or alone."""
    named = re.fullmatch(_PREFIX, argument, re.DOTALL | re.IGNORECASE)
    # A file of exactly this name is meant by it.
    kind, path = named.groups() if named and not Path(argument).is_file() else ("", argument)
    if not path:
        raise UsageError("--attach needs a file, or - for stdin")
    return Given(path=path, media_type=kind, typed=True)


def given_in_json(value: Any) -> tuple[Given, ...]:
    """Return what `[{"path"} | {"name", "mediaType", "data"}]` gives. Raises ValueError."""
    if not isinstance(value, list):
        raise ValueError("`attachments` must be a list of objects")
    if len(value) > MOST:
        raise ValueError(f"`attachments` has {len(value)} entries: at most {MOST} are allowed")
    return tuple(_one_in_json(one, f"attachments[{at}]") for at, one in enumerate(value))


def _one_in_json(value: Any, place: str) -> Given:
    if not isinstance(value, dict):
        raise ValueError(f"`{place}` must be an object")
    for name in ("path", "name", "mediaType", "data"):
        if not isinstance(value.get(name, ""), str):
            raise ValueError(f"`{place}.{name}` must be a string")
    if ("path" in value) == ("data" in value):
        raise ValueError(f"`{place}` needs either a `path` or `data` in base64")
    name, kind = value.get("name", ""), value.get("mediaType", "")
    if "path" in value:
        if not value["path"]:
            raise ValueError(f"`{place}.path` is empty")
        return Given(path=value["path"], name=name, media_type=kind)
    try:
        content = a2b_base64(value["data"], strict_mode=True)
    except ValueError as error:
        raise ValueError(f"`{place}.data` is not base64: {error}") from None
    return Given(content=content, name=name, media_type=kind)


def file_of(given: Given, limit: int, read: Callable[[str, int], bytes]) -> File:
    """Return the file that was given. Raises UsageError.

    `read` returns the content behind a path, or its beginning where it has more bytes than
    the limit.
    """
    content = given.content
    if content is None:
        stdin = given.typed and given.path == STDIN
        content = read_stdin(limit) if stdin else read(given.path, limit)
    place = f"the attachment {given.name or given.path or 'without a name'}"
    if len(content) > limit:
        raise UsageError(
            f"{place} has more than {limit} bytes",
            hint="--max-attachment-bytes sets the limit",
        )
    if not content:
        raise UsageError(f"{place} is empty")
    kind = given.media_type.partition(";")[0].strip().lower()
    if kind in TYPES:
        return File.of(given.shown, kind, content)
    if not kind or kind == "application/octet-stream":
        kind = media_type(content[:TELLING]) or TEXT
        if kind != TEXT:
            return File.of(given.shown, kind, content)
    if kind.startswith(("image/", "audio/", "video/")):
        raise UsageError(f"{place} is {kind}: models can see {', '.join(TYPES)}, and read text")
    return File.of(given.shown, kind, _text(content, place))


def read_path(path: str, limit: int) -> bytes:
    """Return the content of a file of the user's. Raises UsageError if it is none."""
    place = f"the attachment {path}"
    try:
        _require_regular(os.stat(path), place)
        # It may have become another since: nothing here waits for a FIFO.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            _require_regular(os.fstat(descriptor), place)
            return file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{place}: {_said(error)}", hint=_meant(path, error)) from None
    except ValueError:
        raise UsageError(f"{place[:200]!r} is not a path") from None


def _require_regular(status: os.stat_result, place: str) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise UsageError(f"{place} is {_KINDS.get(kind, 'no regular file')}")


def read_stdin(limit: int, stdin: int = 0) -> bytes:
    """Return what stdin holds, to its end. Raises UsageError for a terminal."""
    import select

    data = bytearray()
    try:
        if os.isatty(stdin):
            raise UsageError("-a -: stdin is a terminal, not a file")
        while len(data) <= limit:
            try:
                piece = os.read(stdin, 1 << 20)
            except BlockingIOError:
                # Another process made the shared descriptor non-blocking.
                poller = select.poll()
                poller.register(stdin, select.POLLIN)
                poller.poll()
                continue
            if not piece:
                break
            data += piece
    except OSError as error:
        raise UsageError(f"-a -: stdin cannot be read: {error.strerror}") from None
    return bytes(data)


def _text(content: bytes, place: str) -> bytes:
    """Return text as UTF-8. Raises UsageError for what is no text."""
    from ..files.text import NotText, decode, form_of

    form = form_of(content)
    try:
        text = decode(content, form)
        if "\0" in text:
            raise NotText("binary")
        return text.encode()
    except (NotText, UnicodeEncodeError):
        raise UsageError(
            f"{place} is neither text nor {', '.join(TYPES)}",
            hint="convert it first, or name its type, as in -a image/png:FILE",
        ) from None


def _said(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _meant(path: str, error: OSError) -> str | None:
    if not isinstance(error, FileNotFoundError):
        return None
    from difflib import get_close_matches

    head, _, tail = path.rpartition("/")
    try:
        near = get_close_matches(tail, os.listdir(head or "."), 1)
    except OSError:
        return None
    return f"did you mean {f'{head}/{near[0]}' if head else near[0]}?" if near else None
