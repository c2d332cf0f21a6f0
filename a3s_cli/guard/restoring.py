"""Puts back what a protected place held, and saves what is replaced."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ..files.protected import DIRECTORIES, folded
from ..values import Value
from . import contents
from .contents import NOTHING, Held
from .record import Record, Remembered
from .report import Found, Report
from .verdict import Verdict


class Restoring(Value):
    """Restores places below `roots` from a record; `copies` gets what is replaced."""

    roots: Sequence[str]
    record: Record
    #: The directory for what is replaced; made when it is needed.
    copies: str

    def restore(self, found: Found, verdict: Verdict, before: Mapping[str, object]) -> Report:
        """Save what is there and put back what was."""
        from hashlib import sha256

        path = found.path
        root = next(root for root in self.roots if is_below(path, root))
        remembered = self.record.places.setdefault(path, Remembered(accepted=[NOTHING]))
        # Looked at anew by the next comparison: another command may write meanwhile.
        remembered.mark = None
        copy = self._save_copy(root, found)
        held, data = remembered.good, verdict.data
        try:
            if data is None:
                contents.restore(root, path, held, self.record.content(held))
            else:
                contents.restore(root, path, found.now, data)
        except OSError as failure:
            # What is left there is not the user's, and the next comparison tries again.
            remembered.last = contents.read(path)[0]
            return Report("put_back", path, copy, verdict.keys, failure=failure.strerror or "")
        if held == NOTHING and data is None:
            self._remove_empty(root, path, before)
        if verdict.data is not None:
            remembered.good = Held("file", found.now.mode, sha256(verdict.data).hexdigest())
            remembered.accepted.append(remembered.good)
            self.record.keep(remembered.good, verdict.data)
        remembered.last = remembered.good
        return Report("put_back", path, copy, verdict.keys)

    def _save_copy(self, root: str, found: Found) -> str | None:
        if not found.now.kind or not self.copies:
            return None
        place = os.path.join(self.copies, f"{os.urandom(4).hex()}-{os.path.basename(found.path)}")
        try:
            os.makedirs(self.copies, 0o700, exist_ok=True)
            contents.save(root, found.path, place)
        except OSError:
            return None
        return place if os.path.lexists(place) else None

    def _remove_empty(self, root: str, path: str, before: Mapping[str, object]) -> None:
        """Remove the protected directories that were made for a file that has been removed."""
        while (path := os.path.dirname(path)) not in before:
            parts = path.removeprefix(root).split("/")
            if not any(folded(part) in DIRECTORIES for part in parts if part):
                break
            try:
                with contents.parent(root, path) as (directory, name):
                    os.rmdir(name, dir_fd=directory)
            except OSError:
                break


def is_below(path: str, root: str) -> bool:
    """Tell whether a path lies in a directory, links left aside."""
    return path.startswith(root if root.endswith("/") else f"{root}/")
