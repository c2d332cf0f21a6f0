"""The files that stand in docs/batch.md."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = (Path(__file__).parents[2] / "docs/batch.md").read_text()


def file(name: str) -> str:
    """The file of that name in the document."""
    found = re.search(
        rf"<!-- file: {re.escape(name)} -->\n```\w+\n(.*?)^```$", DOCUMENT, re.M | re.S
    )
    assert found, name
    return found[1]
