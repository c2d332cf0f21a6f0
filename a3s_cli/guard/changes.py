"""Which files a command has changed, in a tree with not too many of them.

A file's change time is the kernel's and cannot be set, so the files that have changed
since a moment are those whose change time is later. What has gone is known from the
names that its directory had. Git's own files and packages of others are left out.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping

from .scan import MOST_FILES, Node, Place, Scan

#: Files that are named, and bytes of their names.
MOST, MOST_BYTES = 100, 16384
_FILES = (Place.CONTENT, Place.MODULES)


def changed(before: Mapping[str, Node], scan: Scan, since: int) -> list[str] | None:
    """Return what has changed since a time; None where that would take too long to find."""
    if scan.many or sum(len(node.files) for node in scan.nodes.values()) > MOST_FILES:
        return None
    return sorted({*_written(scan, since), *_gone(before, scan.nodes, since)})


def _written(scan: Scan, since: int) -> Iterator[str]:
    lstat = os.lstat
    for directory, node in scan.nodes.items():
        prefix = directory if directory.endswith("/") else f"{directory}/"
        paths = [prefix + name for name in node.files]
        for path in paths + [path for path, place in node.places if place in _FILES]:
            try:
                if lstat(path).st_ctime_ns > since:
                    yield path
            except OSError:
                continue


def _gone(before: Mapping[str, Node], after: Mapping[str, Node], since: int) -> Iterator[str]:
    for directory, node in before.items():
        now = after.get(directory)
        if now is node or not _is_later(directory, after, since):
            continue
        there = set(now.files) if now else ()
        prefix = directory if directory.endswith("/") else f"{directory}/"
        yield from (prefix + name for name in node.files if name not in there)


def _is_later(directory: str, after: Mapping[str, Node], since: int) -> bool:
    """Tell whether a directory, or what is left above it, has changed since."""
    while directory not in after:
        if len(directory) < 2:
            return False
        directory = os.path.dirname(directory)
    return after[directory].changed > since


def told(paths: Collection[str] | None, root: str, without: Collection[str]) -> list[str] | None:
    """Return as many paths below a directory as are named."""
    if paths is None:
        return None
    prefix, found, size = f"{root.rstrip('/')}/", list[str](), 0
    for path in paths:
        size += len(os.fsencode(path))
        if path.startswith(prefix) and path not in without and size <= MOST_BYTES:
            found.append(path)
    return found[:MOST]
