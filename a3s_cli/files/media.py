"""What a file is, by its first bytes and not by its name: the types that models can see."""

from __future__ import annotations

from ..messages import PDF

#: Bytes of a file's start that tell.
TELLING = 64
_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", PDF),
)
#: The types that models can see.
TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp", PDF)


def media_type(start: bytes) -> str | None:
    """Return the type of an image or a PDF that starts so; None for anything else."""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _STARTS if start.startswith(magic)), None)
