"""`a3s sessions`: list, show, export and remove saved conversations."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..errors import UsageError
from ..jsontext import dumps
from ..output.wording import count
from ..sessions import listing
from ..sessions.pruning import prune
from ..sessions.store import Store
from ..stream.reader import lines_of

Show = Callable[[str], None]
_BLOCK = 1 << 20


def show_list(
    environment: Mapping[str, str], show: Show, tell: Show, *, limit: int | None, as_json: bool
) -> None:
    """List the sessions; report on `tell` how many the list omits."""
    store = Store.find(environment)
    ids = store.ids()
    rows = listing.summaries(store, ids, limit)
    if as_json:
        show(listing.as_json(rows))
    else:
        from ..output.terminal import Style

        terminal = os.isatty(1)
        width = Style.detect(environment, terminal).width if terminal else None
        for text in listing.as_text(rows, width):
            show(text)
    if limit is not None and len(ids) > limit:
        tell(
            f"a3s: showing the newest {len(rows)} of {count(len(ids), 'session')}; --all lists all"
        )
    if not rows:
        tell(f"a3s: there are no sessions in {store.directory}")


def show_session(environment: Mapping[str, str], show: Show, name: str, *, as_json: bool) -> None:
    """Show one session as a transcript, or its summary and messages as JSON."""
    store = Store.find(environment)
    session = store.named(name)
    row = store.summary(session)
    if row is None:
        raise UsageError(f"the session {session} cannot be read")
    if as_json:
        from ..sessions.lines import to_json

        messages = to_json(store.past(session).messages, str)
        show(dumps({**listing.row_json(row), "messages": messages}).decode() + "\n")
        return
    from ..output.terminal import Style
    from ..sessions.transcript import transcript

    with open(store.path(session), "rb") as file:
        for text in transcript(row, lines_of(file), Style.detect(environment, os.isatty(1))):
            show(text)


def exported(environment: Mapping[str, str], name: str) -> Iterator[bytes]:
    """Yield the complete lines of a session's file, without a last line that a kill cut short."""
    store = Store.find(environment)
    with open(store.path(store.named(name)), "rb") as file:
        size = _whole(file.fileno())
        while piece := file.read(min(size, _BLOCK)):
            size -= len(piece)
            yield piece


def _whole(descriptor: int) -> int:
    """Return the number of bytes up to the end of the last complete line."""
    end = os.fstat(descriptor).st_size
    while end:
        begin = max(end - _BLOCK, 0)
        place = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if place >= 0:
            return begin + place + 1
        end = begin
    return 0


def remove(environment: Mapping[str, str], names: Sequence[str]) -> None:
    """Remove sessions; if one of them is unknown, remove none and raise `UsageError`."""
    store = Store.find(environment)
    for name in names:
        store.known(name)
    for name in dict.fromkeys(names):
        store.remove(name)


def show_pruned(environment: Mapping[str, str], show: Show, *, as_json: bool) -> None:
    """Prune the sessions and report what was removed."""
    pruned = prune(Store.find(environment))
    if as_json:
        show(dumps({"ids": pruned.ids, "bytes": pruned.bytes}).decode() + "\n")
    else:
        show(f"{count(len(pruned.ids), 'session')} removed, {listing.size(pruned.bytes)}\n")
