"""What a terminal shows, as an SVG: text in the colours of the escape sequences that a3s writes.

A panel of its own makes it readable on light and on dark pages. Each run of
equal cells is placed by its column, so that no font can shift what stands below
each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

CELL, ROW, MARGIN, BAR = 8.4, 20, 18, 34
SEQUENCE = re.compile(r"\x1b\[([\d;]*)m")
#: From a rendition to a class.
CLASSES = {
    "1": "b", "2": "d", "3": "i", "4": "u", "31": "r", "32": "g", "33": "y", "34": "l", "35": "m",
    "36": "c",
}  # fmt: skip
STYLE = """
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  fill: #e6edf3; white-space: pre }
.b { font-weight: 700 } .d { fill: #9198a1 } .r { fill: #ff7b72 } .g { fill: #56d364 }
.y { fill: #e3b341 } .l { fill: #79c0ff } .m { fill: #d2a8ff } .c { fill: #76e3ea }
.i { font-style: italic } .u { text-decoration: underline }
"""


def svg(shown: str, columns: int, title: str) -> str:
    """Return a picture of what was shown. Raises for a line that is too long."""
    lines = shown.rstrip("\n").split("\n")
    width, height = columns * CELL + 2 * MARGIN, len(lines) * ROW + MARGIN + BAR
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}"'
        f' width="{width:.0f}" height="{height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect x=".5" y=".5" width="{width - 1:.0f}" height="{height - 1}" rx="10"'
        ' fill="#0d1117" stroke="#3d444d"/>',
    ]
    parts += [
        f'<circle cx="{MARGIN + 4 + 20 * number}" cy="{BAR / 2:.0f}" r="6" fill="{colour}"/>'
        for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    ]
    faces: frozenset[str] = frozenset()
    for number, line in enumerate(lines):
        row, column = BAR + ROW * (number + 0.7), 0
        words = []
        for faces, text in _runs(line, faces):  # noqa: B020 - a face lasts beyond its line
            if text.strip():
                kind = f' class="{" ".join(sorted(faces))}"' if faces else ""
                words.append(
                    f'<tspan x="{MARGIN + CELL * column:.1f}"{kind}>{escape(text)}</tspan>'
                )
            column += len(text)
        assert column <= columns, f"{column} columns: {line!r}"
        if words:
            parts.append(f'<text y="{row:.0f}">{"".join(words)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _runs(line: str, faces: frozenset[str]) -> Iterator[tuple[frozenset[str], str]]:
    """Take a line apart where its rendition changes."""
    pieces = SEQUENCE.split(line)
    yield faces, pieces[0]
    for codes, text in zip(pieces[1::2], pieces[2::2], strict=True):
        for code in codes.split(";"):
            faces = frozenset() if code in ("", "0") else faces | {CLASSES[code]}
        assert "\x1b" not in text, "a picture knows colours and nothing else"
        yield faces, text
