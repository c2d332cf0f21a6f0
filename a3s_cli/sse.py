"""Bytes to server-sent events, as WHATWG HTML 9.2.6 defines them; no I/O.

Every provider streams in this format, so this is the first thing that each
byte of an answer meets. Two properties decide its shape:

- *Exact at any cut.* CR, LF and CRLF end a line, also when a read ends between
  CR and LF; U+2028 and its kin do not; a UTF-8 sequence is never decoded before
  its block is whole. Blocks are decoded only when the blank line that ends them
  has arrived, so how the bytes were cut can have no effect.
- *Fast in the common case.* Line ends are made one kind with two bytes-level
  replacements, and a read whose blocks all have a usual shape is split at once
  (`_uniform`). Anything else takes `_block`, which is the specification, line
  by line.

Two things go beyond the specification, because a hostile or broken server is
our business: a limit on the bytes that may come without an event, and a short
memory of lines that are no field at all (`stray`), which is how an HTML page or
a bare JSON error with status 200 looks from here.
"""

from __future__ import annotations

from .errors import InvalidResponse

#: Bytes that may arrive without completing an event: one huge event, or endless comments.
LIMIT = 16 * 1024 * 1024
#: Characters of non-protocol text that are kept, for an error message.
STRAY_LIMIT = 16 * 1024


class Parser:
    """One response's event stream.

    `feed` gives the events that a piece of the stream completed. A violated
    limit is raised only once the events before it have been given away: by the
    next `feed`, or by `close`.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        #: The `id` field last seen; "" before.
        self.last_event_id = ""
        #: The reconnection time in milliseconds that the server asked for.
        self.retry: int | None = None
        #: Lines that are no field of the protocol, up to `STRAY_LIMIT` characters.
        self.stray = ""
        #: After `close`: the event that the unfinished block would have made, if any.
        self.unfinished: list[tuple[str, str]] = []
        self._limit = limit
        self._pending = bytearray()
        self._after_cr = False
        self._started = False
        # Bytes of finished blocks since the last event.
        self._silent = 0
        self._failure: InvalidResponse | None = None

    def feed(self, data: bytes) -> list[tuple[str, str]]:
        """Give the (event name, data) pairs that these bytes complete."""
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
        return events

    def close(self) -> bool:
        """End the stream; True if a block was left unfinished. It is discarded, as specified.

        What it would have been is in `unfinished`: a server that forgets the last
        blank line is common, and only the caller can tell it from a cut.
        """
        if self._failure is not None:
            raise self._failure
        rest = self._text(bytes(self._pending)).strip("\n")
        self._pending.clear()
        if not rest:
            return False
        last_event_id = self.last_event_id
        self._block(rest, self.unfinished)
        self.last_event_id = last_event_id
        return True

    def _whole_blocks(self, data: bytes) -> str:
        """Take off the text of every block that is now whole, without the last blank line."""
        if self._after_cr and data:
            # The LF of a CRLF that was cut in two: its line has ended already.
            self._after_cr = False
            if data[0] == 10:
                data = data[1:]
        if b"\r" in data:
            self._after_cr = data[-1] == 13
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        pending = self._pending
        # Only the new bytes are searched: a block that arrives in many pieces costs O(n).
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
        """Read text whose blocks all have one of the two shapes that vendors send, or give [].

        One line `data: …`, or `event: …` and then `data: …`. Splitting at the whole
        boundary and then counting line feeds proves the shape without a look at
        each line: three times as fast as `_block`.
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
        """Interpret one block as the specification does, line by line."""
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
        if len(self.stray) < STRAY_LIMIT:
            self.stray += line[:STRAY_LIMIT] + "\n"

    def _fail(self) -> None:
        self._pending.clear()
        self._failure = InvalidResponse(
            f"the provider sent {self._limit // (1024 * 1024)} MiB without completing an event"
        )
