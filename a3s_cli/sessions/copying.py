"""Copies a session's file and its large values, for a fork."""

from __future__ import annotations

import os
import shutil  # it imports every archive format: only a fork loads this module
from pathlib import Path

_BLOCK = 1 << 20


def copy(source: int, target: int, spilled: Path, to: Path) -> None:
    """Copy what is open as `source` to `target`, and the directory of large values.

    Large values never change, so the copy shares them where the disk can. Raises OSError.
    """
    place = 0
    while piece := os.pread(source, _BLOCK, place):
        place += len(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(target, rest) :]
    if not spilled.is_dir():
        return
    to.mkdir(mode=0o700, exist_ok=True)
    with os.scandir(spilled) as found:
        for one in found:
            if one.is_file(follow_symlinks=False) and not one.name.startswith("."):
                try:
                    os.link(one.path, to / one.name)
                except OSError:
                    shutil.copyfile(one.path, to / one.name)
