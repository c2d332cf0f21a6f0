"""How this a3s was installed, so that a hint says how to add an extra to it.

A hint never names `a3s-cli` on a package index, where the name may be another's: it
names the place that this a3s was installed from, or else what the extra consists of.
Looked at only when something is missing.
"""

from __future__ import annotations

import json
import os
import re
import sys
from shlex import join

PACKAGE = "a3s-cli"
#: The extras that change what a run can do, and a module of each.
_EXTRAS = {"local": "xllamacpp"}


def extras() -> list[str]:
    """Return the extras of this installation that change what a run can do."""
    from importlib.util import find_spec

    return [name for name, module in _EXTRAS.items() if find_spec(module) is not None]


def how_to_add(extra: str) -> str:
    """Return the command line that adds an extra to this installation."""
    source = _source()
    wanted = [f"{source}[{extra}]"] if source else _requirements(extra)
    if os.path.exists(os.path.join(sys.prefix, "pipx_metadata.json")):
        return join(["pipx", "install", "--force", *wanted] if source else _inject(wanted))
    if os.path.exists(os.path.join(sys.prefix, "uv-receipt.toml")) and source:
        return join(["uv", "tool", "install", "--force", *wanted])
    if os.path.exists(os.path.join(sys.prefix, "bin", "pip")):
        return join([sys.executable, "-m", "pip", "install", *wanted])
    return join(["uv", "pip", "install", "--python", sys.executable, *wanted])


def _inject(wanted: list[str]) -> list[str]:
    return ["pipx", "inject", PACKAGE, *wanted]


def _source() -> str | None:
    """Return the directory or file that this was installed from, if it is still there."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        origin = json.loads(distribution(PACKAGE).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return None
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(str(origin.get("url", "")))
    path = unquote(parts.path)
    return path if parts.scheme == "file" and os.path.exists(path) else None


def _requirements(extra: str) -> list[str]:
    """Return what an extra consists of."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires(PACKAGE) or []
    except PackageNotFoundError:
        lines = []
    marked = re.compile(rf"""extra\s*==\s*['"]{extra}['"]""")
    return [line.partition(";")[0].strip() for line in lines if marked.search(line)]
