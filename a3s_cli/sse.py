"""Bytes to server-sent events, as WHATWG HTML 9.2.6 defines them; no I/O.

Every provider streams in this format, so each byte of an answer passes through
here. Two properties shape the code:

- *Exact wherever the bytes are cut.* CR, LF and CRLF end a line, even when a read
  ends between CR and LF; U+2028 and the like do not. A block is decoded only after
  the blank line that ends it has arrived, so no UTF-8 sequence is ever cut.
- *Fast in the common case.* Two replacements on bytes unify the line ends, and a
  read whose blocks all have one of the usual shapes is split at once (`_uniform`).
  Anything else goes through `_block`, which follows the specification line by line.

Two things go beyond the specification, because servers may be hostile or broken:
a limit on the bytes that arrive without an event, and a short memory of lines that
are not fields (`stray`), which is what an HTML page or a bare JSON error with
status 200 looks like here.
"""

from __future__ import annotations

from .errors import InvalidResponse

#: Most bytes without a complete event: one huge event, or endless comments.
LIMIT = 16 * 1024 * 1024
#: Characters of non-protocol text to keep for an error message.
STRAY_LIMIT = 16 * 1024
#: What a line may begin with.
FIELDS = ("data", "event", "id", "retry")


class Parser:
    """The event stream of one response.

    `feed` returns the events that a piece of the stream completes. Exceeding the
    limit raises InvalidResponse, but only after the events before it have been
    returned: from the next `feed`, or from `close`.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        #: The last `id` field; "" before the first.
        self.last_event_id = ""
        #: The reconnection time in milliseconds that the server asked for.
        self.retry: int | None = None
        #: After `close`: the event that the unfinished block would have made, if any.
        self.unfinished: list[tuple[str, str]] = []
        #: Whether any event has been completed.
        self.any_events = False
        self._limit = limit
        self._pending = bytearray()
        self._after_cr = False
        self._started = False
        # Bytes of finished blocks since the last event.
        self._silent = 0
        self._failure: InvalidResponse | None = None
        self._stray: list[str] = []
        self._stray_left = STRAY_LIMIT

    @property
    def stray(self) -> str:
        """Lines that are no field of the protocol, up to `STRAY_LIMIT` characters.

        All of them where nothing else came before and they begin as JSON: that may be
        the answer itself, of a server that does not stream.
        """
        return "".join(self._stray)

    def feed(self, data: bytes) -> list[tuple[str, str]]:
        """Return the (event name, data) pairs that these bytes complete."""
        if self._failure is not None:
            raise self._failure
        text = self._whole_blocks(data)
        events = self._uniform(text) if text else []
        if not events:
            for block in text.split("\n\n") if text else ():
                self._block(block, events)
                if self._failure is not None:
                    break
        if self._silent + len(self._pending) > self._limit:
            self._fail()
        if self._failure is not None and not events:
            raise self._failure
        self.any_events = self.any_events or bool(events)
        return events

    def close(self) -> bool:
        """End the stream; return whether a block was left unfinished.

        The specification discards that block, and so does this. What it would have
        been is in `unfinished`: servers often forget the last blank line, and only
        the caller can tell that from a cut.
        """
        if self._failure is not None:
            raise self._failure
        rest = self._text(bytes(self._pending)).strip("\n")
        before, _, last = rest.rpartition("\n")
        if rest and self._pending[-1] != 10 and any(name.startswith(last) for name in FIELDS):
            # A cut has left the beginning of a field's name, which is no stray word.
            rest = before
        cut = bool(rest or last)
        self._pending.clear()
        if not rest:
            return cut
        last_event_id = self.last_event_id
        self._block(rest, self.unfinished)
        self.last_event_id = last_event_id
        return True

    def _whole_blocks(self, data: bytes) -> str:
        """Remove and return the text of all complete blocks, without the last blank line."""
        if self._after_cr and data:
            # The LF of a CRLF that was split: its line has ended already.
            self._after_cr = False
            if data[0] == 10:
                data = data[1:]
        if b"\r" in data:
            self._after_cr = data[-1] == 13
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        pending = self._pending
        # Search only the new bytes, so that a block in many pieces costs O(n).
        seen = max(len(pending) - 1, 0)
        if not pending:
            end = data.rfind(b"\n\n")
            if end < 0:
                pending += data
                return ""
            whole = data[:end]
            pending += data[end + 2 :]
        else:
            pending += data
            end = pending.rfind(b"\n\n", seen)
            if end < 0:
                return ""
            whole = bytes(pending[:end])
            del pending[: end + 2]
        return self._text(whole)

    def _text(self, data: bytes) -> str:
        text = data.decode("utf-8", "replace")
        if not self._started:
            self._started = True
            text = text.removeprefix("\ufeff")
        return text

    def _uniform(self, text: str) -> list[tuple[str, str]]:
        """Read text whose blocks all have one of the two usual shapes; return [] otherwise.

        One line `data: …`, or `event: …` followed by `data: …`. Splitting at the whole
        boundary and counting line feeds proves the shape without looking at each
        line: three times as fast as `_block`.
        """
        if self._silent + 4 * len(text) > self._limit:  # 4 bytes a character at most
            return []
        events: list[tuple[str, str]] = []
        if text[:6] == "data: ":
            parts = text[6:].split("\n\ndata: ")
            if text.count("\n") == 2 * len(parts) - 2:
                events = [("message", part) for part in parts]
        elif text[:7] == "event: ":
            parts = text[7:].split("\n\nevent: ")
            if text.count("\n") == 3 * len(parts) - 2:
                for part in parts:
                    name, separator, data = part.partition("\ndata: ")
                    if not name or not separator:
                        return []
                    events.append((name, data))
        if events:
            self._silent = 0
        return events

    def _block(self, block: str, events: list[tuple[str, str]]) -> None:
        """Interpret one block line by line, as specified."""
        self._silent += len(block) if block.isascii() else len(block.encode())
        if self._silent > self._limit:
            self._fail()
            return
        name = ""
        data: list[str] = []
        for line in block.split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                data.append(value)
            elif field == "event":
                name = value
            elif field == "id":
                if "\0" not in value:
                    self.last_event_id = value
            elif field == "retry":
                if value.isascii() and value.isdigit():
                    self.retry = int(value)
            elif field:
                self._keep_stray(line)
        if data:
            events.append((name or "message", "\n".join(data)))
            self._silent = 0

    def _keep_stray(self, line: str) -> None:
        if not self._stray and not self.any_events and line.lstrip()[:1] in ("{", "["):
            self._stray_left = self._limit
        if self._stray_left > 0:
            self._stray.append(line[: self._stray_left] + "\n")
            self._stray_left -= len(line) + 1

    def _fail(self) -> None:
        self._pending.clear()
        self._failure = InvalidResponse(
            f"the provider sent {self._limit // (1024 * 1024)} MiB without completing an event"
        )
