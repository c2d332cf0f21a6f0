"""Whose a change is: the user's, who worked while no command ran, or a command's.

Only the times that the kernel sets tell, and they are as exact as its clock.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

from . import contents
from .report import Found

#: Nanoseconds: by how much the kernel's clock may lag, and how long after the last sign of life
#: a command may still have written; the latter also after a crash of the machine, when the
#: sign may not have reached the disk.
LAG, AFTER_BEAT, AFTER_CRASH = 10_000_000, 2_000_000_000, 35_000_000_000


def since(bound: int) -> Callable[[Found], bool]:
    """Take for the user's what changed after the last command can have lived."""
    return lambda found: found.mark is not None and found.mark.ctime > bound


def before(begun: int, nodes: dict[str, Any]) -> Callable[[Found], bool]:
    """Take for the user's what was there, in its place, before the first command began."""

    def is_users(found: Found) -> bool:
        if found.mark is None or found.mark.ctime >= begun:
            return False
        path = os.path.dirname(found.path)
        while path not in nodes and len(path) > 1:
            status = contents.mark(path)
            if status is None or status.ctime >= begun:
                return False
            path = os.path.dirname(path)
        return True

    return is_users


def boot() -> str:
    """Name the boot of this machine; empty where the system does not say."""
    with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()
    return ""
