"""web_fetch: what a URL of the public web says, as Markdown, text or HTML.

The URL may have been planted by a page that the model has read. So this tool
reaches public addresses only: every address of a host is judged before the
first packet, the connection goes to what was judged, and a redirect starts over
with the rules of the user as well. Only a proxy of the user's environment sees
addresses that are not judged here: it resolves names by itself.

How a name is resolved and which addresses are refused are given to the tool
when it is made: a test can let it reach a server of its own, a user cannot.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

from ..files.workspace import printable
from ..processes.time_limit import TimeLimit
from ..tool_protocol import Subject, Tool, ToolContext, ToolError, ToolReturn

if TYPE_CHECKING:
    from ..transport.get import Answer
    from ..web import address
    from ..web.page import Format

#: Seconds that a call may take, redirects included.
LONGEST = 30.0
#: Bytes of a page that are read, after decompression.
LARGEST = 5 * 1024 * 1024
REDIRECTS = 5
#: Characters of a URL that a sentence shows.
_SHOWN = 200
_ACCEPT = {
    "markdown": "text/markdown, text/html;q=0.9, */*;q=0.8",
    "text": "text/plain, text/html;q=0.9, */*;q=0.8",
    "html": "text/html, */*;q=0.8",
}

Resolve = Callable[[str, int], Awaitable[list[str]]]
Refuse = Callable[[str], str | None]


async def _resolve(host: str, port: int) -> list[str]:
    from ..transport.get import resolve

    return await resolve(host, port)


def refusal(place: str) -> str | None:
    """Say why an address may not be connected to; None if it may."""
    from ..web import address

    if not address.is_public(place):
        return f"{place} is not a public address"
    from ..transport.get import is_own

    if is_own(place):
        return f"{place} is an address of this machine"
    return None


class WebFetch(Tool):
    """Read a page of the public web."""

    network = True
    name = "web_fetch"
    description = "Fetch a public http(s) URL as readable text; HTML becomes Markdown."
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "url": {"type": "string"},
            "format": {"enum": ["markdown", "text", "html"]},
            "timeout": {"type": "number", "minimum": 1, "maximum": LONGEST},
        },
        "required": ["url"],
        "additionalProperties": False,
    }

    def __init__(self, resolve: Resolve = _resolve, refuse: Refuse = refusal) -> None:
        self._resolve = resolve
        self._refuse = refuse

    def subject(self, arguments: dict[str, Any]) -> Subject:
        """Return the URL as it will be requested, so that no spelling evades a rule."""
        from ..web import address

        try:
            return Subject("url", address.parse(arguments["url"]).url)
        except ValueError:
            return Subject("url", arguments["url"])

    def deadline(self, context: ToolContext) -> float | None:
        return None  # `run` keeps its own, which the arguments may shorten

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:

        url, wanted = arguments["url"], arguments.get("format", "markdown")
        seconds = min(arguments.get("timeout", LONGEST), context.timeout)
        try:
            async with TimeLimit(seconds):
                return ToolReturn(await self._fetch(_target(url), wanted, context))
        except TimeoutError:
            sentence = f"{_shown(url)} was not read within {seconds:g} s"
            return ToolReturn(sentence, 124, "timeout")

    async def _fetch(self, target: address.Target, wanted: Format, context: ToolContext) -> str:
        """Follow the redirects and give the text of the page at their end."""
        from ..transport.get import get

        asked = target
        for _ in range(REDIRECTS + 1):
            addresses = await self._addresses(target)
            async with get(target.url, addresses, {"accept": _ACCEPT[wanted]}) as answer:
                location = answer.headers.get("location")
                if location is None or answer.status not in (301, 302, 303, 307, 308):
                    text = await _read(answer, target, wanted)
                    moved = f"[redirected to {target.url}]\n\n" if target != asked else ""
                    return moved + text
            target = _redirected(target, location, context)
        raise ToolError(f"{_shown(asked.url)} redirects more than {REDIRECTS} times")

    async def _addresses(self, target: address.Target) -> list[str]:
        """Return the addresses that may be connected to; none where only a proxy knows them."""
        from ..errors import NetworkError
        from ..transport.get import is_proxied
        from ..web import address

        try:
            found = (
                [target.host] if target.literal else await self._resolve(target.host, target.port)
            )
        except NetworkError:
            if not is_proxied(target.url) or address.names_private_address(target.host):
                raise
            return []
        for place in found:
            if reason := self._refuse(place):
                raise ToolError(f"{_shown(target.url)} is refused: {reason}")
        return found


def _target(url: str) -> address.Target:
    from ..web import address

    try:
        return address.parse(url)
    except ValueError as error:
        raise ToolError(f"{_shown(url)} is refused: {error}") from None


def _redirected(target: address.Target, location: str, context: ToolContext) -> address.Target:
    """Return the target of a redirect, if the rules allow it as well."""
    from urllib.parse import urljoin

    from ..web import address

    try:
        following = address.parse(urljoin(target.url, location))
    except ValueError as error:
        raise ToolError(
            f"{_shown(target.url)} redirects to {_shown(location)}, which is refused: {error}"
        ) from None
    if reason := context.allow_url(following.url):
        raise ToolError(f"{_shown(target.url)} redirects elsewhere: {reason}")
    return following


async def _read(answer: Answer, target: address.Target, wanted: Format) -> str:
    """Return the text of a page; raises ToolError where there is none."""
    import asyncio

    from ..web.page import MediaType, NotText, render, text_of

    if not 200 <= answer.status < 300:
        raise ToolError(f"{_shown(target.url)} answered with {_status(answer.status)}")
    media = MediaType.parse(answer.headers.get("content-type", ""))
    data = b""
    try:
        media.check()
        data, cut = await _download(answer)
        text = text_of(data, media, cut=cut)
    except NotText as error:
        size = _size(answer.headers.get("content-length", "") or str(len(data) or ""))
        raise ToolError(f"{_shown(target.url)} is not text: {error}, {size}") from None
    text = await asyncio.to_thread(render, text, media, wanted, target.url)
    note = f"[only the first {LARGEST >> 20} MiB were read]\n\n" if cut else ""
    return note + text


async def _download(answer: Answer) -> tuple[bytes, bool]:
    """Return the beginning of a body, and whether there is more of it."""
    import contextlib

    data = bytearray()
    async with contextlib.aclosing(answer.body) as body:
        async for piece in body:
            data += piece
            if len(data) > LARGEST:
                break
    return bytes(data[:LARGEST]), len(data) > LARGEST


def _status(number: int) -> str:
    from http import HTTPStatus

    try:
        return f"HTTP status {number} {HTTPStatus(number).phrase}"
    except ValueError:
        return f"HTTP status {number}"


def _size(digits: str) -> str:
    if not digits.isdecimal() or len(digits) > 18:
        return "of unknown size"
    size = int(digits)
    return f"{size} bytes" if size < 10_000 else f"{size / 1_000_000:.2f} MB"


def _shown(url: str) -> str:
    """Return a URL short enough for a sentence."""
    text = printable(url)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
