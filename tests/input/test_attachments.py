"""Prompts of `--input json` that bring files along."""

from __future__ import annotations

from typing import Any

import pytest

from ..support.a3s import Bench
from ..support.files import PNG, base64_of, data_url, facts
from ..support.replies import text
from .dialogue import Dialogue, runs

PICTURE = {"type": "image_url", "image_url": {"url": data_url(PNG, "image/png")}}


def test_a_path_and_a_content(a3s: Bench) -> None:
    (a3s.work / "shot.png").write_bytes(PNG)
    talk = Dialogue(a3s, script=[text("one"), text("two")])
    inline = {"name": "sel.py", "mediaType": "text/x-python", "data": base64_of(b"x = 1\n")}
    talk.prompt("look", attachments=[{"path": "shot.png"}, inline], id="a")
    talk.prompt("and now?")
    result = talk.finish()
    first, second = runs(result)
    assert first[0]["attachments"] == [
        facts("shot.png", "image/png", PNG),
        facts("sel.py", "text/x-python", b"x = 1\n"),
    ]
    assert "attachments" not in second[0]
    said = 'look\n\n<attachment name="sel.py">\nx = 1\n\n</attachment>'
    for request in result.requests:
        asked = next(one for one in request.body["messages"] if one["role"] == "user")
        assert asked["content"] == [PICTURE, {"type": "text", "text": said}]


def test_those_of_the_command_line_go_with_its_prompt(a3s: Bench) -> None:
    (a3s.work / "shot.png").write_bytes(PNG)
    talk = Dialogue(a3s, "first", "-a", "shot.png", script=[text("one"), text("two")])
    talk.ended(1)
    talk.prompt("second")
    first, second = runs(talk.finish())
    assert first[0]["attachments"] == [facts("shot.png", "image/png", PNG)]
    assert "attachments" not in second[0]


@pytest.mark.parametrize(
    "attachments, why",
    [
        ("shot.png", "`attachments` must be a list of objects"),
        (["shot.png"], "`attachments[0]` must be an object"),
        ([{}], "`attachments[0]` needs either a `path` or `data` in base64"),
        ([{"path": 7}], "`attachments[0].path` must be a string"),
        ([{"data": "%%"}], "`attachments[0].data` is not base64: Only base64 data is allowed"),
        ([{"path": "gone.png"}], "the attachment gone.png: no such file or directory"),
        ([{"path": "."}], "the attachment .: is a directory"),
        ([{"path": "secret/key"}], "the attachment secret/key may not be read: read secret/key"
                                   " is denied by read(secret/**)"),
        ([{"data": ""}], "the attachment without a name is empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_attached_is_rejected(a3s: Bench, attachments: Any, why: str) -> None:
    """No run begins, and the next message is obeyed."""
    (a3s.work / "secret").mkdir()
    (a3s.work / "secret" / "key").write_text("k")
    talk = Dialogue(a3s, "--deny", "read(secret/**)", script=[text("yes")])
    talk.prompt("look", attachments=attachments, id="a")
    talk.prompt("go on")
    result = talk.finish()
    rejected = result.of("control_rejected")
    assert [one["id"] for one in rejected] == ["a"]
    assert rejected[0]["error"].startswith(why)
    assert [run[0]["prompt"] for run in runs(result)] == ["go on"]


def test_a_path_outside_the_workspace_is_rejected(a3s: Bench) -> None:
    outside = a3s.root / "shot.png"
    outside.write_bytes(PNG)
    (a3s.work / "link.png").symlink_to(outside)
    talk = Dialogue(a3s, script=[])
    for path in (str(outside), "../shot.png", "link.png"):
        talk.prompt("look", attachments=[{"path": path}])
    rejected = talk.finish().of("control_rejected")
    assert [one["error"].partition(" is ")[2] for one in rejected] == [
        f"outside the workspace {a3s.work.resolve()} (attach its content)"
    ] * 3


def test_a_steer_has_none(a3s: Bench) -> None:
    talk = Dialogue(a3s, script=[])
    talk.say({"type": "steer", "text": "look", "attachments": [{"path": "x"}]})
    (rejected,) = talk.finish().of("control_rejected")
    assert rejected["error"] == "a steer has no attachments: send them with a prompt"


def test_bad_attachments_of_the_command_line_end_it(a3s: Bench) -> None:
    for flags, why in (
        (["go", "-a", "gone"], "the attachment gone: no such file or directory"),
        (["go", "-a", "-"], "--attach - and --input json cannot be combined: both read stdin"),
        (["-a", "gone"], "--attach needs a prompt argument: the messages on stdin bring their"),
    ):
        result = a3s("run", "--input", "json", *flags, script=[], laws="none")
        assert (result.exit_status, result.stdout) == (2, b"")
        assert result.stderr.decode().startswith(f"a3s: {why}")
