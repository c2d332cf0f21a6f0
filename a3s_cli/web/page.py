"""What a server sent, as text that a model can read.

Bytes become text as a browser would decode them; HTML becomes Markdown or
text without what a reader would not see: scripts, styles, hidden elements,
images in data URLs. A page is untrusted text: nothing in it may take
long, take much memory, or end the program. That is why a parser in C does it,
which is linear in what it is given, and why the text is made from the Markdown:
the library's own text aligns tables, and one long cell makes all of them long.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Literal
from urllib.parse import urljoin

from ..values import Value

if TYPE_CHECKING:
    from turbohtml import Document, Markdown

Format = Literal["markdown", "text", "html"]

#: Where there is no NUL in here, and no other type is claimed, it is text.
_PROBE = 8000
#: How far into a document its own declaration of an encoding counts.
_PRESCAN = 1024
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TEXT = re.compile(
    r"text/.*|.*\+(?:json|xml|yaml)"
    r"|application/(?:x-)?(?:json|ndjson|jsonlines|xml|yaml|toml|javascript|sql|sh|tex)"
)
#: Types that say nothing: what they hold is looked at.
_UNKNOWN = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/unknown"})
_LOOKS_LIKE_HTML = re.compile(r"\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_DECLARED = re.compile(
    rb"<meta\s[^>]*?charset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml\s[^>]*?encoding\s*=\s*[\"']([\w.:-]+)",
    re.IGNORECASE,
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Encodings of the web; the others that Python knows are none, or slow on purpose.
_ENCODING = re.compile(
    r"utf-?8|utf-?16(?:-?[lb]e)?|(?:x-)?(?:windows|cp)-?(?:125[0-8]|874|932|949)"
    r"|iso-?8859-?[0-9]{1,2}|koi8-[ru]|gb2312|gbk|gb18030|big5(?:-hkscs)?|euc-(?:jp|kr)"
    r"|iso-2022-jp|shift[_-]jis|macintosh|us-ascii|ascii|latin1",
)
#: What browsers, and so authors, mean by some names.
_MEANT = {
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "ascii", "us-ascii"), "cp1252"),
    **dict.fromkeys(("iso-8859-9", "iso8859-9"), "cp1254"),
    **dict.fromkeys(("gb2312", "gbk"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis"), "cp932"),
    **dict.fromkeys(("utf-16", "utf16"), "utf-16-le"),
    "euc-kr": "cp949",
    "windows-874": "cp874",
    "macintosh": "mac_roman",
}
_UNSEEN = (
    "script, style, template, iframe, svg, canvas, audio, video, [hidden], img[src^='data:' i]"
)
_INVISIBLE = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse))", re.I)


class NotText(Exception):
    """The content is nothing that can be read as text; `str` says what it is."""


class MediaType(Value):
    """A `Content-Type`: its type in lower case, and its charset if it names one."""

    name: str
    charset: str = ""

    @classmethod
    def parse(cls, header: str) -> MediaType:
        name, _, parameters = header.partition(";")
        charset = re.search(r"(?:^|;)\s*charset\s*=\s*[\"']?([^\"';\s]*)", parameters, re.I)
        return cls(name.strip().lower(), charset[1].lower() if charset else "")

    def check(self) -> None:
        """Raise `NotText` where the type alone says so."""
        if self.name not in _UNKNOWN and not _TEXT.fullmatch(self.name):
            raise NotText(self.name[:100])


def text_of(data: bytes, media: MediaType, *, cut: bool = False) -> str:
    """Decode a body, or the beginning of one, or raise `NotText`."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    encoding = _known(media.charset) or _declared(data)
    if not encoding.startswith("utf-16") and b"\0" in data[:_PROBE]:
        raise NotText("binary")
    if encoding:
        return data.decode(encoding, "replace")
    try:
        # Where the body was cut, its last character may be torn.
        return codecs.getincrementaldecoder("utf-8")().decode(data, final=not cut)
    except UnicodeDecodeError:
        if media.name in _UNKNOWN:
            raise NotText("binary") from None
        return data.decode("cp1252", "replace")


def render(text: str, media: MediaType, wanted: Format, url: str) -> str:
    """Return the text in the wanted format; what is not HTML stays as it is."""
    html = media.name in _HTML
    html = html or (media.name in _UNKNOWN and _LOOKS_LIKE_HTML.match(text) is not None)
    if not html or wanted == "html":
        return text
    from turbohtml import parse

    document = parse(text, positions=False)
    _drop_unseen(document)
    if wanted == "markdown":
        _make_links_absolute(document, url)
    return document.to_markdown(_style(wanted))


def _known(charset: str) -> str:
    if not _ENCODING.fullmatch(charset):
        return ""
    name = _MEANT.get(charset, charset.removeprefix("x-").replace("windows-", "cp"))
    try:
        return codecs.lookup(name).name
    except LookupError:
        return ""


def _declared(data: bytes) -> str:
    match = _DECLARED.search(data[:_PRESCAN])
    found = _known((match[1] or match[2]).decode("ascii", "replace").lower()) if match else ""
    # Where this could be read byte by byte, it is not what it says.
    return "utf-8" if found.startswith("utf-16") else found


def _drop_unseen(document: Document) -> None:
    for element in document.select(_UNSEEN):
        element.decompose()
    for element in document.select("[style]"):
        if _INVISIBLE.search(str(element.attrs.get("style", ""))):
            element.decompose()


def _make_links_absolute(document: Document, url: str) -> None:
    base = document.select_one("base[href]")
    url = _joined(url, str(base.attrs["href"])) if base is not None else url
    for name in ("href", "src"):
        for element in document.select(f"a[{name}], img[{name}]"):
            element.attrs[name] = _joined(url, str(element.attrs[name]))


def _joined(url: str, link: str) -> str:
    try:
        return urljoin(url, link.strip())
    except ValueError:
        return link


def _style(wanted: Format) -> Markdown:
    from turbohtml import Markdown

    if wanted == "markdown":
        return Markdown(tables=Markdown.Tables(cell_blocks="text"))
    return Markdown(
        inline=Markdown.Inline(ignore_emphasis=True),
        links=Markdown.Links(ignore=True),
        images=Markdown.Images(mode="alt"),
        tables=Markdown.Tables(cell_blocks="text"),
        escaping=Markdown.Escaping(mode="none", asterisks=False, underscores=False),
        strip=("h1", "h2", "h3", "h4", "h5", "h6", "code"),
    )
