"""read: a page of a text file, with numbered lines.

Lines end at a newline alone; the carriage return of a CRLF and a byte order
mark are left out of what is shown, and `edit` puts them back; a byte that is no text
is shown as U+FFFD, and UTF-16 with a mark as what it says. A page ends at
`limit` lines or where a longer answer would be cut, whichever comes first, and
says where the next one begins. Neither a huge file nor a huge line is ever in
memory as a whole.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from io import BufferedReader, BytesIO
from typing import Any, BinaryIO, ClassVar

from ..secrets.redaction import MARGIN, NOTHING, Redactor
from ..tool_protocol import ToolContext, ToolError, ToolReturn, resolve
from ..values import State, field
from .files import PAGE_BYTES, FileTool, as_edited, explained, is_binary, lines, plural, remember

LINES = 2000
LINE_CHARACTERS = 2000
#: The farthest column, and bytes of a file that has to be converted.
FARTHEST = 16_000_000
LARGEST = 64 * 1024 * 1024
#: Bytes after the page in which lines are counted, to say how many are left.
COUNTED = 1024**3
BLOCK = 1024 * 1024
#: Lines that are skipped between two breaths of the event loop.
BREATH = 20_000


class Read(FileTool):
    """Show a page of a text file."""

    name = "read"
    description = "Read a text file with line numbers, or look at an image or PDF."
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "file_path": {"type": "string"},
            "offset": {"type": "integer", "minimum": 0, "description": "lines to skip"},
            "limit": {"type": "integer", "minimum": 1, "description": "lines, default 2000"},
            "column": {
                "type": "integer",
                "minimum": 0,
                "maximum": FARTHEST,
                "description": "characters of each line to skip",
            },
        },
        "required": ["file_path"],
        "additionalProperties": False,
    }
    harmless = True
    reads_skills = True

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        path = resolve(context, arguments["file_path"])
        offset, limit = int(arguments.get("offset", 0)), int(arguments.get("limit", LINES))
        column = int(arguments.get("column", 0))
        with explained(context, path), context.workspace.open_file(path) as on_disk:
            shown = context.workspace.show(path)
            content = await as_edited(context, path, on_disk)
            if seen := _seen(content, shown, context):
                return seen
            file, encoding = _as_utf8(content, shown)
            remember(context, path, on_disk)
            if is_binary(file):
                raise _not_text(file, shown)
            before = await _skip(file, offset)
            empty = FilePage(before, column, encoding, context.redactor)
            page = await _page(file, shown, empty, limit)
            if not page.rows:
                return _nothing(shown, before, offset)
            left, exact = await _count(file, page)
        return ToolReturn(page.text(left, exact))


class FilePage(State):
    """The lines that are shown."""

    first: int
    #: Characters of each line that are not shown.
    column: int = 0
    encoding: str = ""
    #: Knows the secrets that no cut may split.
    redactor: Redactor = NOTHING
    rows: list[str] = field(default_factory=list)
    bytes: int = 0
    crlf: int = 0
    #: Bytes that are no text were shown as U+FFFD.
    replaced: bool = False
    #: Whether a line holds carriage returns before its end.
    returns: bool = False
    #: A line that was read but did not fit any more.
    unshown: int = 0

    @property
    def end(self) -> int:
        """The number of lines up to and including the last one shown."""
        return self.first + len(self.rows)

    def text(self, left: int, exact: bool) -> str:
        """Number the lines and say what is left."""
        width = len(str(self.end))
        numbered = [
            f"{number:>{width}}\t{row}" for number, row in enumerate(self.rows, self.first + 1)
        ]
        notes = [self.encoding] if self.encoding else []
        if self.crlf:
            some = "" if self.crlf == len(self.rows) else "some "
            notes.append(f"{some}lines end in CRLF")
        if self.returns:
            notes.append("carriage returns alone end no line here")
        if self.replaced:
            notes.append("bytes that are not UTF-8 are shown as \ufffd")
        if left:
            total = self.end + left
            which = f"lines {self.end + 1}-{total} of {total}" if exact else "more lines"
            notes.append(f"{which} follow: offset={self.end}")
        return "\n".join([*numbered, f"[{'; '.join(notes)}]"] if notes else numbered)


async def _page(file: BinaryIO, shown: str, page: FilePage, limit: int) -> FilePage:
    async for line, dropped in lines(file, 4 * (page.column + LINE_CHARACTERS) + MARGIN):
        if b"\0" in line:
            raise _not_text(file, shown)
        row = _row(line, dropped, page)
        page.bytes += len(row.encode()) + 8
        if page.rows and page.bytes > PAGE_BYTES:
            page.unshown = 1
            break
        if b"\r" in line[:-1]:
            page.returns = True
        else:
            page.crlf += line.endswith(b"\r") and not dropped
        page.rows.append(row)
        if len(page.rows) == limit:
            break
    return page


def _row(line: bytes, dropped: int, page: FilePage) -> str:
    """Decode a line and cut it."""
    from ..files.text import visible

    text = getincrementaldecoder("utf-8")("surrogateescape").decode(line, final=not dropped)
    row = visible(text)
    page.replaced = page.replaced or row != text
    if page.end == 0:
        row = row.removeprefix("\ufeff")
    if not dropped:
        row = row.removesuffix("\r")
    if page.column == 0 and len(row) <= LINE_CHARACTERS and not dropped:
        return row
    begin, follows = page.redactor.unsplit(row, page.column, page.column + LINE_CHARACTERS)
    kept = row[begin:follows]
    if len(row) <= follows and not dropped:
        return kept
    shown = text[:follows].encode("utf-8", "surrogateescape")
    rest = len(line) + dropped - len(shown)
    return f"{kept}… [{plural(rest, 'more byte')}: column={follows}]"


def _as_utf8(file: BinaryIO, shown: str) -> tuple[BinaryIO, str]:
    """Return the file, or what UTF-16 says in UTF-8, and the name of another encoding."""
    from ..files.text import NotText, decode, form_of, visible

    form = form_of(file.peek(4)[:4])  # type: ignore[attr-defined]
    if form.encoding == "utf-8":
        return file, ""
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ToolError(f"{shown} is {form.name} and larger than {LARGEST // 1024**2} MiB")
    try:
        text = decode(content, form)
    except NotText as error:
        raise ToolError(f"{shown} is {error}") from None
    return BufferedReader(BytesIO(visible(text).encode())), form.name


async def _skip(file: BinaryIO, count: int) -> int:
    """Pass over lines; give how many there were."""
    from asyncio import sleep

    skipped = 0
    ended = True
    while skipped < count and (piece := file.readline(BLOCK)):
        ended = piece.endswith(b"\n")
        skipped += ended
        # A line may be as long as a disk, and is skipped piece by piece.
        if not ended or skipped % BREATH == 0:
            await sleep(0)
    return skipped + (not ended)


async def _count(file: BinaryIO, page: FilePage) -> tuple[int, bool]:
    """Count the lines after the page, up to a bound; say whether that is all of them."""
    from asyncio import sleep

    left = page.unshown
    last = b"\n"
    for _ in range(COUNTED // BLOCK):
        block = file.read(BLOCK)
        if not block:
            return left + (last != b"\n"), True
        left += block.count(b"\n")
        last = block[-1:]
        await sleep(0)
    return left + 1, False


def _seen(file: BinaryIO, shown: str, context: ToolContext) -> ToolReturn | None:
    """Return what shows an image or a PDF to the model; None for any other file."""
    from ..files.media import TELLING, media_type

    kind = media_type(file.peek(TELLING)[:TELLING])  # type: ignore[attr-defined]
    if kind is None:
        return None
    size, most = file.seek(0, 2), context.most_shown
    what = "an image" if kind.startswith("image/") else "a PDF"
    if context.sees(kind) is False:
        raise ToolError(f"{shown} is {what} ({plural(size, 'byte')}); this model cannot see it")
    if size > most:
        raise ToolError(f"{shown} is {what} of {size} bytes; at most {most} can be shown")
    from ..messages import File

    file.seek(0)
    content = file.read(most)
    name = shown.rpartition("/")[2]
    told = f"{shown} is shown ({kind}, {plural(len(content), 'byte')})."
    return ToolReturn(told, files=(File.of(name, kind, content),))


def _nothing(shown: str, before: int, offset: int) -> ToolReturn:
    if offset == 0:
        return ToolReturn(f"{shown} is empty.")
    raise ToolError(f"offset {offset} is past the end: {shown} has {plural(before, 'line')}")


def _not_text(file: BinaryIO, shown: str) -> ToolError:
    size = file.seek(0, 2)
    return ToolError(f"{shown} is not UTF-8 text ({plural(size, 'byte')})")
