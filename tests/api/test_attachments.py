"""`attachments=` of the library: bytes, and paths that the rules let `read` show."""

from __future__ import annotations

import pytest

from a3s_cli import PermissionPolicy
from a3s_cli.errors import UsageError

from ..support.files import PNG, data_url, facts
from ..support.replies import text
from .conftest import Library

PICTURE = {"type": "image_url", "image_url": {"url": data_url(PNG, "image/png")}}


def test_a_prompt_with_files(library: Library) -> None:
    (library.work / "shot.png").write_bytes(PNG)
    session = library.session([text("a dot"), text("still a dot")])
    result = session.send("look", attachments=[library.work / "shot.png", b"some text"])
    assert result.text == "a dot"
    assert result.events[0].attachments == [
        facts("shot.png", "image/png", PNG),
        facts("attachment", "text/plain", b"some text"),
    ]
    assert session.send("and now?").events[0].attachments is None
    said = 'look\n\n<attachment name="attachment">\nsome text\n</attachment>'
    for request in library.server.requests:
        assert request.body["messages"][1]["content"] == [PICTURE, {"type": "text", "text": said}]


def test_what_cannot_be_attached(library: Library) -> None:
    outside = library.bench.root / "shot.png"
    outside.write_bytes(PNG)
    (library.work / "secret.txt").write_text("s")
    denying = PermissionPolicy(deny=["read(secret.txt)"])
    session = library.session([], permission_policy=denying, max_attachment_bytes=100)
    for attachment, why in (
        (outside, "is outside the workspace"),
        (library.work / "secret.txt", "may not be read"),
        (library.work / "gone.txt", "no such file"),
        (b"", "is empty"),
        (b"\x00\x01", "is neither text nor"),
        (b"x" * 101, "has more than 100 bytes"),
    ):
        with pytest.raises(UsageError, match=why):
            session.stream("look", attachments=[attachment])
    with pytest.raises(TypeError, match="a Path or bytes, not str"):
        session.stream("look", attachments=["shot.png"])  # type: ignore[list-item]
    assert library.server.requests == []
