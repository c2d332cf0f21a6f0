"""`--attach`: what a prompt brings along, on every wire, kept with the session, or refused."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

import pytest

from ..support import wires
from ..support.a3s import Bench
from ..support.files import PDF, PNG, TYPES, base64_of, data_url, facts
from ..support.replies import error, text
from ..support.run import Result
from .wired import run

FLAGS = ("-a", "shot.png", "-a", "paper.pdf", "-a", "notes.md")
NOTES = b"\xef\xbb\xbfHello, \xc3\xa4\n"
SAID = 'go\n\n<attachment name="notes.md">\nHello, ä\n\n</attachment>'
URL = data_url(PNG, "image/png")
PAGES = data_url(PDF, "application/pdf")
ALL = [
    facts("shot.png", "image/png", PNG),
    facts("paper.pdf", "application/pdf", PDF),
    facts("notes.md", "text/plain", NOTES.removeprefix(b"\xef\xbb\xbf")),
]


def answer(wire: str, words: str = "a dot") -> list[Any]:
    return [wires.reply(wires.text(wire, words))]


def prompted(wire: str, body: dict[str, Any], at: int = 0) -> Any:
    """The content of one of the user's messages."""
    if wire == "openai-responses":
        return [item["content"] for item in body["input"] if item.get("role") == "user"][at]
    if wire == "gemini":
        return [turn["parts"] for turn in body["contents"] if turn["role"] == "user"][at]
    return [turn["content"] for turn in body["messages"] if turn["role"] == "user"][at]


def source(media_type: str, content: bytes) -> dict[str, str]:
    return {"type": "base64", "media_type": media_type, "data": base64_of(content)}


CONTENT: dict[str, list[dict[str, Any]]] = {
    "openai-chat": [
        {"type": "image_url", "image_url": {"url": URL}},
        {"type": "file", "file": {"filename": "paper.pdf", "file_data": PAGES}},
        {"type": "text", "text": SAID},
    ],
    "openai-responses": [
        {"type": "input_image", "image_url": URL},
        {"type": "input_file", "filename": "paper.pdf", "file_data": PAGES},
        {"type": "input_text", "text": SAID},
    ],
    "anthropic": [
        {"type": "image", "source": source("image/png", PNG)},
        {"type": "document", "source": source("application/pdf", PDF), "title": "paper.pdf"},
        {"type": "text", "text": SAID},
    ],
    "gemini": [
        {"inlineData": {"mimeType": "image/png", "data": base64_of(PNG)}},
        {"inlineData": {"mimeType": "application/pdf", "data": base64_of(PDF)}},
        {"text": SAID},
    ],
}


@pytest.fixture(autouse=True)
def notes(a3s: Bench) -> None:
    (a3s.work / "notes.md").write_bytes(NOTES)


@pytest.mark.parametrize("wire", wires.NAMES)
def test_a_prompt_with_files(a3s: Bench, wire: str) -> None:
    """They are sent, named in `start`, and sent again when the session continues."""
    result = run(a3s, wire, answer(wire), *FLAGS)
    assert (result.last["type"], result.last["text"]) == ("end", "a dot")
    assert (result.events[0]["prompt"], result.events[0]["attachments"]) == ("go", ALL)
    again = run(a3s, wire, answer(wire), "-c", prompt="more")
    assert "attachments" not in again.events[0]
    for one in (result, again):
        content = prompted(wire, one.requests[0].body)
        marked = [{k: v for k, v in part.items() if k != "cache_control"} for part in content]
        assert marked == CONTENT[wire]


def test_a_mistral_pdf_is_a_document_url(a3s: Bench) -> None:
    result = run(
        a3s, "openai-chat", answer("openai-chat"), "-a", "paper.pdf", more="document_url = true"
    )
    first = prompted("openai-chat", result.requests[0].body)[0]
    assert first == {"type": "document_url", "document_url": PAGES}


def kept(a3s: Bench) -> dict[str, bytes]:
    """The files beside the sessions, by their digests."""
    found = [*a3s.home.glob(".local/state/a3s/sessions/*.d/*")]
    assert all(one.stat().st_mode & 0o777 == 0o600 for one in found)
    return {one.name: one.read_bytes() for one in found}


def test_they_are_kept_beside_the_session_and_in_its_fork(a3s: Bench) -> None:
    run(a3s, "openai-chat", answer("openai-chat"), *FLAGS)
    contents = [PNG, PDF, NOTES.removeprefix(b"\xef\xbb\xbf")]
    assert kept(a3s) == {one["sha256"]: content for one, content in zip(ALL, contents, strict=True)}
    forked = run(a3s, "openai-chat", answer("openai-chat"), "-c", "--fork")
    assert prompted("openai-chat", forked.requests[0].body) == CONTENT["openai-chat"]


def test_the_session_is_shown_with_their_names(a3s: Bench) -> None:
    run(a3s, "openai-chat", answer("openai-chat"), "-a", "shot.png")
    (session,) = a3s.home.glob(".local/state/a3s/sessions/*.ndjson")
    shown = a3s("sessions", "show", session.stem).stdout.decode()
    assert f"\n> go\n> [shot.png, image/png, {len(PNG)} bytes]\n" in shown


def test_without_a_session_only_the_hash_remains(a3s: Bench) -> None:
    result = run(a3s, "openai-chat", answer("openai-chat"), *FLAGS, "--no-session")
    assert result.events[0]["attachments"] == ALL
    assert prompted("openai-chat", result.requests[0].body) == CONTENT["openai-chat"]
    assert kept(a3s) == {}


def test_a_run_that_was_killed_keeps_them(a3s: Bench) -> None:
    """What of the session is torn is made good from `start`, and from what lies beside."""
    run(a3s, "openai-chat", answer("openai-chat"), *FLAGS)
    (session,) = a3s.home.glob(".local/state/a3s/sessions/*.ndjson")
    lines = session.read_bytes().splitlines(keepends=True)
    steps = [line for line in lines if line.startswith(b'{"type":"session_messages"')]
    session.write_bytes(b"".join(line for line in lines if line != steps[0]))
    again = run(a3s, "openai-chat", answer("openai-chat"), "-c")
    assert prompted("openai-chat", again.requests[0].body) == CONTENT["openai-chat"]


def test_a_recording_with_attachments_replays_and_audits(a3s: Bench) -> None:
    run(a3s, "openai-chat", answer("openai-chat"), *FLAGS, "--record", "r.ndjson")
    replayed = a3s("replay", "r.ndjson", "-o", "raw", cwd=a3s.work)
    assert (replayed.stdout, replayed.exit_status) == (b"a dot\n", 0)
    assert a3s("audit", "r.ndjson", cwd=a3s.work).exit_status == 0


@pytest.mark.parametrize("media_type", TYPES)
def test_the_content_tells_the_type(a3s: Bench, media_type: str) -> None:
    (a3s.work / "file.txt").write_bytes(TYPES[media_type])
    result = run(a3s, "openai-chat", answer("openai-chat"), "-a", "file.txt")
    assert result.events[0]["attachments"] == [facts("file.txt", media_type, TYPES[media_type])]


def test_a_type_may_be_forced(a3s: Bench) -> None:
    (a3s.work / "odd").write_bytes(b"\xff\xfe\x00odd")
    result = run(
        a3s, "openai-chat", answer("openai-chat"),
        "-a", "image/webp:odd", "-a", "text/markdown:notes.md",
    )  # fmt: skip
    assert [one["mediaType"] for one in result.events[0]["attachments"]] == [
        "image/webp",
        "text/markdown",
    ]


def test_utf_16_is_text(a3s: Bench) -> None:
    (a3s.work / "wide").write_bytes("Grüße".encode("utf-16"))
    result = run(a3s, "openai-chat", answer("openai-chat"), "-a", "wide")
    content = prompted("openai-chat", result.requests[0].body)
    assert content == 'go\n\n<attachment name="wide">\nGrüße\n</attachment>'


def test_stdin_is_a_file(a3s: Bench) -> None:
    result = run(a3s, "openai-chat", answer("openai-chat"), "-a", "-", stdin=piped(PNG))
    assert result.events[0]["attachments"] == [facts("stdin", "image/png", PNG)]
    assert "notice" not in {event["type"] for event in result.events}


def piped(data: bytes) -> int:
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    return reader


def test_a_secret_in_a_text_is_hidden(a3s: Bench) -> None:
    (a3s.work / "notes.md").write_text(f"the key is {wires.KEY}")
    result = run(a3s, "openai-chat", answer("openai-chat"), "-a", "notes.md")
    assert wires.KEY not in json.dumps(result.requests[0].body)
    for path in a3s.home.glob(".local/state/a3s/sessions/**/*"):
        assert not path.is_file() or wires.KEY not in path.read_text()


# -- refused before anything has run ---------------------------------------------------------


def refused(a3s: Bench, *flags: str, config: str = "", **options: Any) -> str:
    """What the command line says to these flags, with status 2 and no stream."""
    (a3s.root / "more.acl").write_text(config)
    config = ("--config", str(a3s.root / "more.acl"))
    result = a3s("run", "go", *config, *flags, script=[], laws="none", **options)
    assert (result.exit_status, result.stdout) == (2, b"")
    said: str = result.stderr.decode().removeprefix("a3s: ").rstrip()
    return said


@pytest.mark.parametrize(
    "flags, said",
    [
        (["nots.md"], "no such file or directory\nhint: did you mean notes.md?"),
        (["."], "is a directory"),
        (["pipe"], "is a FIFO: send it to stdin, with -a -"),
        (["socket"], "is a socket"),
        (["/dev/zero"], "is a device"),
        (["empty"], "is empty"),
        (["locked/x"], "no such file or directory"),
        (["noise"], "is neither text nor image/png, image/jpeg, image/gif, image/webp,"
                    " application/pdf\nhint: convert it first, or name its type, as in"
                    " -a image/png:FILE"),
        (["image/tiff:noise"], "is image/tiff: models can see image/png, image/jpeg, image/gif,"
                               " image/webp, application/pdf, and read text"),
    ],
)  # fmt: skip
def test_what_is_no_file_to_attach(a3s: Bench, flags: list[str], said: str) -> None:
    os.mkfifo(a3s.work / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(a3s.work)
        listener.bind("socket")
        (a3s.work / "empty").touch()
        (a3s.work / "noise").write_bytes(b"\x00\xfe\x80")
        (name,) = flags
        shown = name.rpartition(":")[2]
        told = refused(a3s, "-a", name)
    assert told in (f"the attachment {shown} {said}", f"the attachment {shown}: {said}")


def test_what_is_too_large(a3s: Bench) -> None:
    hint = "\nhint: --max-attachment-bytes sets the limit"
    said = f"the attachment notes.md has more than 7 bytes{hint}"
    assert refused(a3s, "-a", "notes.md", "--max-attachment-bytes", "7") == said
    assert refused(a3s, "-a", "notes.md", config="max_attachment_bytes = 7") == said
    with open(a3s.work / "large.png", "wb") as file:
        file.write(PNG)
        file.truncate(20_000_001)
    said = f"the attachment large.png has more than 20000000 bytes{hint}"
    assert refused(a3s, "-a", "large.png") == said
    told = refused(a3s, "-a", "-", "--max-attachment-bytes", "7", stdin=piped(PNG))
    assert told == f"the attachment - has more than 7 bytes{hint}"


def test_stdin_is_read_once(a3s: Bench) -> None:
    twice = "cannot both come from stdin"
    assert refused(a3s, "-a", "-", "--stdin") == f"the prompt and --attach - {twice}"
    assert refused(a3s, "-a", "-", "-a", "image/png:-") == f"--attach - and --attach - {twice}"
    assert refused(a3s, "-a", "-", "--schema", "-") == f"--schema - and --attach - {twice}"
    result = a3s("run", "-a", "-", script=[], stdin=piped(b"go"), laws="none")
    assert result.exit_status == 2 and twice in result.stderr.decode()


def test_too_many(a3s: Bench) -> None:
    told = refused(a3s, *["-a", "notes.md"] * 65)
    assert told == "a prompt can have 64 attachments, and 65 were given"


BLIND = 'providers "openai" { models "test-model" { attachment = false } }'


def test_a_model_that_is_known_not_to_see(a3s: Bench) -> None:
    (a3s.work / "shot.png").write_bytes(PNG)
    (a3s.work / "paper.pdf").write_bytes(PDF)
    hint = "\nhint: choose a model that can, or set attachment = true for this one"
    told = refused(a3s, "-a", "shot.png", config=BLIND)
    assert told == f"openai/test-model cannot see images such as shot.png{hint}"
    told = refused(a3s, "-a", "paper.pdf", config=BLIND)
    assert told == f"openai/test-model cannot see PDF files such as paper.pdf{hint}"


def test_any_model_can_read_text(a3s: Bench) -> None:
    config = a3s.root / "blind.acl"
    config.write_text(BLIND)
    flags = ("--config", str(config), "-a", "notes.md")
    result = a3s("run", "go", *flags, script=[text("yes")])
    assert prompted("openai-chat", result.requests[0].body) == SAID


# -- refused by the provider -----------------------------------------------------------------

REFUSALS = [
    (400, "Invalid content type. image_url is only supported by certain models."),
    (400, "Could not process image"),
    (404, "No endpoints found that support image input"),
    (400, "messages[1].content must be a string"),
    (422, "Failed to deserialize: unknown variant `image_url`, expected `text`"),
    (413, "Request Entity Too Large"),
    (500, "image input is not supported - hint: you may need to provide the mmproj"),
]


@pytest.mark.parametrize("status, said", REFUSALS)
def test_a_provider_that_refuses_the_prompts_own(a3s: Bench, status: int, said: str) -> None:
    """The run fails, because its question was about the file; what follows does not."""
    script = [error(status, {"error": {"message": said}})]
    failed: Result = run(a3s, "openai-chat", script, "-a", "shot.png", "--max-retries", "0")
    assert (failed.last["code"], failed.last["exitCode"]) == ("provider_error", 1)
    assert failed.last["hint"] == "choose a model that can see, or attach something else"
    again = run(a3s, "openai-chat", [text("yes")], "-c", prompt="more")
    assert again.last["type"] == "end"
    size = f"shot.png (image/png, {len(PNG)} bytes)"
    asked = prompted("openai-chat", again.requests[0].body)
    assert asked == f"[{size} is not shown: the provider refused it]\n\ngo"


def test_another_refusal_is_not_blamed_on_the_files(a3s: Bench) -> None:
    script = [error(400, {"error": {"message": "temperature is too high"}})]
    failed = run(a3s, "openai-chat", script, "-a", "shot.png")
    assert failed.last["code"] == "provider_error" and "hint" not in failed.last
    again = run(a3s, "openai-chat", [text("yes")], "-c")
    assert URL in json.dumps(again.requests[0].body)


def test_an_object_is_made_of_what_is_seen(a3s: Bench) -> None:
    """Without tools, its request is the only one."""
    (a3s.work / "shot.png").write_bytes(PNG)
    flags = ("--schema", '{"type":"object"}', "--tools", "none", "-a", "shot.png")
    result = a3s("run", "go", *flags, script=[text('{"dots": 1}')])
    assert result.last["object"] == {"dots": 1}
    assert URL in json.dumps(result.requests[0].body)


def test_an_object_of_a_file_that_is_refused(a3s: Bench) -> None:
    (a3s.work / "shot.png").write_bytes(PNG)
    flags = ("--schema", '{"type":"object"}', "--tools", "none", "--max-retries", "0")
    refusal = error(400, {"error": {"message": "this model does not support images"}})
    failed = a3s("run", "go", *flags, "-a", "shot.png", script=[refusal], after="repeat")
    assert failed.last["type"] == "error"
    again = a3s("run", "more", "-c", script=[text("yes")])
    assert URL not in json.dumps(again.requests[0].body)


def test_the_embedded_model_says_that_it_cannot_see(a3s: Bench) -> None:
    (a3s.work / "shot.png").write_bytes(PNG)
    flags = ("-m", "local/smollm2-135m", "-a", "shot.png")
    result = a3s("run", "go", *flags, script=[], laws="none")
    assert (result.exit_status, result.stdout) == (2, b"")
    said = "a3s: local/smollm2-135m cannot see images such as shot.png\nhint: choose a model that"
    assert result.stderr.decode().startswith(said)


def test_many_long_names_fit_into_the_line(a3s: Bench) -> None:
    flags = list[str]()
    for number in range(64):
        name = f"{number:02}" + "ü" * 100 + ".txt"
        (a3s.work / name).write_text("x")
        flags += ["-a", name]
    result = a3s("run", "p" * 60_000, *flags, script=[text("yes")])
    start = result.events[0]
    assert len(start["attachments"]) == 64 and start["truncated"] is True
    assert start["attachments"][0]["name"] == "00" + "ü" * 78
