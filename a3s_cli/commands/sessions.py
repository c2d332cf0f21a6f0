"""`a3s sessions`: list, show, rename, export and remove saved conversations."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import UsageError
from ..jsontext import clean, dumps
from ..output.wording import count
from ..sessions import listing
from ..sessions.lines import regular
from ..sessions.pruning import prune
from ..sessions.store import Store
from ..stream.reader import lines_of

Show = Callable[[str], None]
_BLOCK = 1 << 20
#: Characters of a title.
LONGEST_TITLE = 200


def show_list(
    environment: Mapping[str, str], show: Show, tell: Show, *, everything: bool, as_json: bool
) -> None:
    """List the newest sessions of this directory, or all there are.

    Report on `tell` what the list omits.
    """
    store = Store.find(environment)
    limit = None if everything else listing.NEWEST
    ids = store.ids() if everything else store.recent.sessions(_here())
    rows = listing.summaries(store, ids, limit)
    if as_json:
        show(listing.as_json(rows))
    else:
        from ..output.terminal import Style

        terminal = os.isatty(1)
        width = Style.detect(environment, terminal).width if terminal else None
        for text in listing.as_text(rows, width, directories=everything):
            show(text)
    if limit is not None and len(ids) > limit:
        of = f"{count(len(ids), 'session')} of this directory"
        tell(f"a3s: showing the newest {len(rows)} of {of}; --all lists all")
    if not rows:
        others = 0 if everything else len(store.ids())
        if others:
            here = "this directory has no sessions"
            tell(f"a3s: {here}; --all lists {count(others, 'session')} of other directories")
        else:
            tell(f"a3s: there are no sessions in {store.directory}")


def _here() -> str:
    try:
        return str(Path.cwd())
    except OSError as error:
        raise UsageError(f"the working directory cannot be used: {error.strerror}") from None


def rename(environment: Mapping[str, str], name: str, title: str) -> None:
    """Set the title of a session; an empty one shows its first prompt again. Raises UsageError."""
    if len(title) > LONGEST_TITLE:
        raise UsageError(
            f"the title has {len(title)} characters: at most {LONGEST_TITLE} are allowed"
        )
    Store.find(environment).rename(name, clean(title))


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

    with open(store.path(session), "rb", opener=regular) as file:
        for text in transcript(row, lines_of(file), Style.detect(environment, os.isatty(1))):
            show(text)


def exported(environment: Mapping[str, str], name: str) -> Iterator[bytes]:
    """Yield the complete lines of a session's file, without a last line that a kill cut short."""
    store = Store.find(environment)
    with open(store.path(store.named(name)), "rb", opener=regular) as file:
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
