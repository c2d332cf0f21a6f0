"""Odd attachments, models and skills, through the binary: taken, or refused in one sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.a3s import Bench
from tests.support.files import GIF, JPEG, PDF, PNG, WEBP
from tests.support.replies import error, text
from tests.support.run import Result

M = 10**6


def attached(a3s: Bench, argument: str, *flags: str, **options: Any) -> Result:
    return a3s("run", "go", "-a", argument, *flags, script=[text("ok")], **options)


def refused(a3s: Bench, *flags: str, **options: Any) -> str:
    """What is said of a command line that never becomes a run."""
    result = a3s("run", "go", *flags, script=[], laws="none", **options)
    assert (result.exit_status, result.stdout) == (2, b"")
    said: str = result.stderr.decode()
    assert said.startswith("a3s: ") and len(said.splitlines()) <= 2
    return said.removeprefix("a3s: ")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.txt", PNG, "image/png"),
        ("a.png", b"words", "text/plain"),
        ("a.jpg", PDF, "application/pdf"),
        ("a", JPEG, "image/jpeg"),
        ("a.pdf", GIF, "image/gif"),
        ("a.gif", GIF.replace(b"89a", b"87a"), "image/gif"),
        ("a.bin", WEBP, "image/webp"),
        ("short", b"%PDF", "text/plain"),
        ("riff", b"RIFF1234WAVE", "text/plain"),
        ("bom", b"\xef\xbb\xbfwords", "text/plain"),
        ("latin", b"\xfe\xff" + "Grüße".encode("utf-16-be"), "text/plain"),
        ("svg.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "text/plain"),
        ("ends", PNG + b"\0" * 100_000, "image/png"),
    ],
)  # fmt: skip
def test_the_content_decides(a3s: Bench, name: str, content: bytes, kind: str) -> None:
    (a3s.work / name).write_bytes(content)
    result = attached(a3s, name)
    assert [one["mediaType"] for one in result.events[0]["attachments"]] == [kind]
    if kind != "text/plain":  # a text is sent as UTF-8 without a mark
        assert result.events[0]["attachments"][0]["bytes"] == len(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89PNG", "is neither text nor image/png"),
        (b"\xff\xd8", "is neither text nor image/png"),
        (b"words\0", "is neither text nor image/png"),
        (b"\xff\xfeo", "is neither text nor image/png"),
        (b"\x7fELF\x02\x01\x01\0", "is neither text nor image/png"),
        (b"", "is empty"),
    ],
)
def test_half_of_anything_is_refused(a3s: Bench, content: bytes, said: str) -> None:
    (a3s.work / "half").write_bytes(content)
    assert refused(a3s, "-a", "half").startswith(f"the attachment half {said}")


@pytest.mark.parametrize(
    ("argument", "content", "kind"),
    [
        ("image/png:f", b"no image at all", "image/png"),
        ("application/pdf:f", b"\0\1", "application/pdf"),
        ("IMAGE/PNG:f", PNG, "image/png"),
        ("text/x-python:f", b"print(1)", "text/x-python"),
        ("application/json:f", b"{}", "application/json"),
        ("application/octet-stream:f", JPEG, "image/jpeg"),
        ("text/plain:f", PNG, ""),
        ("application/zip:f", b"PK\3\4\0", ""),
        ("image/svg+xml:f", b"<svg/>", ""),
        ("image/heic:f", b"heic", ""),
    ],
)
def test_a_forced_type(a3s: Bench, argument: str, content: bytes, kind: str) -> None:
    (a3s.work / "f").write_bytes(content)
    if not kind:
        assert refused(a3s, "-a", argument).startswith("the attachment f is ")
        return
    result = attached(a3s, argument)
    assert result.events[0]["attachments"][0]["mediaType"] == kind


@pytest.mark.parametrize("name", ["image/a:b", "text/x:y z"])
def test_a_path_that_looks_like_a_type(a3s: Bench, name: str) -> None:
    """A file of exactly this name is meant."""
    path = a3s.work / name
    path.parent.mkdir()
    path.write_bytes(b"words")
    assert attached(a3s, name).events[0]["attachments"][0]["mediaType"] == "text/plain"


@pytest.mark.parametrize("name", ["a\nb", 'q"uote', "-dash", "ünï", "x" * 200, " ", "a:b"])
def test_any_name_fits_into_the_line(a3s: Bench, name: str) -> None:
    (a3s.work / name).write_bytes(b"words")
    shown = attached(a3s, f"./{name}").events[0]["attachments"][0]["name"]
    assert shown and len(shown) <= 80 and not set('"\n') & set(shown)


@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
@pytest.mark.parametrize("start", [PNG, b"words "])
def test_the_last_byte_that_fits(a3s: Bench, more: int, taken: bool, start: bytes) -> None:
    with open(a3s.work / "large", "wb") as file:
        file.write(start.ljust(20_000_000 + more, b" "))
    if taken:
        assert attached(a3s, "large").events[0]["attachments"][0]["bytes"] == 20_000_000
    else:
        assert "has more than 20000000 bytes" in refused(a3s, "-a", "large")


def test_links_are_followed_by_the_command_line_alone(a3s: Bench) -> None:
    (a3s.root / "outside").write_bytes(PNG)
    (a3s.work / "link").symlink_to(a3s.root / "outside")
    (a3s.work / "loop").symlink_to("loop")
    assert attached(a3s, "link").events[0]["attachments"][0]["mediaType"] == "image/png"
    assert "too many levels of symbolic links" in refused(a3s, "-a", "loop")
    message = json.dumps({"type": "prompt", "text": "go", "attachments": [{"path": "link"}]})
    result = a3s("run", "--input", "json", script=[], stdin=f"{message}\n".encode(), laws="none")
    assert result.events[-1]["type"] == "control_rejected"
    assert "outside the workspace" in result.events[-1]["error"]


@pytest.mark.parametrize("content", [b"", b"\0\0"])
def test_what_stdin_holds_is_no_file(a3s: Bench, content: bytes) -> None:
    assert refused(a3s, "-a", "-", stdin=content).startswith("the attachment - is ")


def test_what_a_session_keeps_goes_with_it(a3s: Bench) -> None:
    """Continued, forked, recorded and judged: the same bytes everywhere."""
    (a3s.work / "dot.png").write_bytes(PNG)
    attached(a3s, "dot.png")
    (a3s.work / "dot.png").unlink()
    for flags in (["-c"], ["-c", "--fork"], ["-c", "--record", "r.ndjson"]):
        result = a3s("run", "more", *flags, script=[text("ok")])
        assert "attachments" not in result.events[0]
        assert json.dumps(result.requests[0].body).count("data:image/png;base64,") == 1
    assert a3s("audit", "r.ndjson").exit_status == 0
    assert a3s("replay", "r.ndjson").exit_status == 0


# -- who can see ---------------------------------------------------------------------------

SIGHT: list[tuple[str, str, bytes, bool]] = [
    ("openai/own", 'modalities = { input = ["text"] }', PNG, False),
    ("openai/own", 'modalities { input = ["text", "image"] }', PNG, True),
    ("openai/own", 'modalities = { input = ["text", "image"] output = ["text"] }', PDF, False),
    ("openai/own", 'modalities = { input = ["Text", "PDF"] }', PDF, True),
    ("openai/own", 'modalities = { input = "text" }', PDF, False),
    ("openai/own", 'attachment = false modalities = { input = ["image"] }', PNG, False),
    ("openai/own", 'attachment = true modalities = { input = ["text"] }', PNG, False),
    ("openai/own", 'modalities = { output = ["text"] }', PNG, True),
    ("openai/own", "attachment = false", PNG, False),
    ("openai/own", "", PNG, True),
    ("openai/gpt-3.5-turbo", "", PNG, False),
    ("openai/gpt-3.5-turbo", 'modalities = { input = ["text", "image"] }', PNG, True),
    ("openai/gpt-4o", 'modalities = { input = ["text"] }', PNG, False),
    ("openai/gpt-4o", 'modalities = { input = ["text"] }', b"words", True),
]


@pytest.mark.parametrize(("model", "keys", "content", "sees"), SIGHT)
def test_who_can_see(a3s: Bench, model: str, keys: str, content: bytes, sees: bool) -> None:
    name = model.partition("/")[2]
    (a3s.root / "own.acl").write_text(f'providers "openai" {{ models "{name}" {{ {keys} }} }}')
    (a3s.work / "f").write_bytes(content)
    flags = ("-m", model, "--config", str(a3s.root / "own.acl"))
    if sees:
        assert attached(a3s, "f", *flags).last["type"] == "end"
        return
    said = refused(a3s, "-a", "f", *flags)
    assert said.startswith(f"{model} cannot see ") and "\nhint: choose a model that can" in said


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("modalities = true", "expected modalities { … }, found true or false"),
        ("modalities = { input = 1 }", "expected a list of strings for input, found a number"),
        ('modalities = { input = [""] }', "expected a list of strings for input, found an empty"),
    ],
)
def test_wrong_modalities(a3s: Bench, keys: str, said: str) -> None:
    (a3s.root / "own.acl").write_text(f'providers "openai" {{ models "m" {{ {keys} }} }}')
    flags = ("-m", "openai/m", "--config", str(a3s.root / "own.acl"))
    result = a3s("run", "go", *flags, script=[], quiet=False)
    assert result.last["code"] == "config" and said in result.last["error"]


def test_modalities_are_shown_and_misspelt_ones_told(a3s: Bench) -> None:
    (a3s.root / "own.acl").write_text(
        'providers "openai" { models "m" { modalities = { inputs = ["image"] input = ["pdf"] } } }'
    )
    flags = ("--config", str(a3s.root / "own.acl"))
    [row] = [one for one in json.loads(a3s("models", "--json", *flags).stdout)
             if one["model"] == "openai/m"]  # fmt: skip
    assert (row["seesImages"], row["seesPdf"]) == (False, True)
    result = a3s("run", "go", "-m", "openai/m", *flags, script=[text("ok")])
    notice = result.one("notice")
    assert (notice["code"], notice["nearest"]) == ("config_key_unknown", "input")


# -- how much an answer may have -----------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "keys", "flags", "prompt", "limit"),
    [
        ("claude-haiku-4-5", "", [], "go", 64_000),
        ("claude-sonnet-4-5-20250929", "", [], "go", 64_000),
        ("claude-opus-5", "", [], "go", 128_000),
        ("not-listed", "", [], "go", 8192),
        ("claude-haiku-4-5", "limit = { output = 1000 }", [], "go", 1000),
        ("claude-haiku-4-5", "", ["--max-tokens", "70000"], "go", 70_000),
        ("claude-haiku-4-5", "limit = { context = 50000 }", [], "go", None),
        ("claude-haiku-4-5", "", [], "word " * 100_000, None),
        ("claude-haiku-4-5", "", [], "word " * 400_000, 8192),
        ("claude-haiku-4-5", "", ["--reasoning", "none"], "go", 64_000),
        ("claude-sonnet-4-5", "", ["--reasoning", "high"], "go", 64_000),
        ("not-listed", "", ["--reasoning", "high"], "go", 32_768),
    ],
)
def test_the_limit_of_an_answer(
    a3s: Bench, model: str, keys: str, flags: list[str], prompt: str, limit: int | None
) -> None:
    """None: what the window has room for."""
    (a3s.root / "own.acl").write_text(f'providers "anthropic" {{ models "{model}" {{ {keys} }} }}')
    (a3s.root / "prompt").write_text(prompt)
    given = ["-f", str(a3s.root / "prompt"), "-m", f"anthropic/{model}"]
    given += ["--config", str(a3s.root / "own.acl"), *flags]
    result = a3s("run", *given, script=[text("ok")], wire="anthropic")
    asked = result.requests[0].body["max_tokens"]
    assert asked == limit if limit else 8192 < asked < 64_000


def test_other_wires_set_no_limit(a3s: Bench) -> None:
    result = a3s("run", "go", "-m", "openai/gpt-4o", script=[text("ok")])
    assert not {"max_tokens", "max_completion_tokens"} & result.requests[0].body.keys()


# -- what it costs -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "usd"),
    [
        ("openai/gpt-4o", 12.5),
        ("openai/GPT-4o", 12.5),
        ("openai/gpt-4o-latest", 12.5),
        ("openai/gpt-4o-nope", None),
        ("openai/gpt", None),
        ("openai/", None),
        ("ollama/gpt-4o", None),
    ],
)
def test_a_cost_is_known_or_absent(a3s: Bench, model: str, usd: float | None) -> None:
    env = {"OLLAMA_HOST": None}
    server = a3s.serve([text("yo", usage=(M, M))])
    env |= {"OLLAMA_BASE_URL": f"{server.url}/v1", "OPENAI_BASE_URL": f"{server.url}/v1"}
    if model.endswith("/"):
        assert a3s("run", "go", "-m", model, env=env, quiet=False).last["code"] == "config"
        return
    result = a3s("run", "go", "-m", model, env=env)
    assert result.last.get("costUsd") == usd and ("costUsd" in result.last) == (usd is not None)


def test_a_cost_is_whole_or_absent_over_a_fallback(a3s: Bench) -> None:
    busy = error(503, headers={"retry-after-ms": "1"})
    for name, usd in (("openai/gpt-4o", 12.5), ("openai/unlisted", None)):
        script = [busy, text("yo", usage=(M, M))]
        flags = ("-m", "openai/gpt-4.1", "--max-retries", "0", "--fallback-model", name)
        result = a3s("run", "go", *flags, script=script)
        assert (result.last.get("costUsd"), result.one("turn_end")["model"]) == (usd, name)
        assert result.one("retry")["model"] == name


# -- skills --------------------------------------------------------------------------------

HEAD = "Skills tell how to do certain tasks well. If one fits, first read its file:"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"---\r\nname: a\r\ndescription: d\r\n---\r\n", "- a: d ("),
        (b"\xef\xbb\xbf---\nname: a\ndescription: d\n---\n", "- a: d ("),
        (b"---\ndescription: d\nname: a: b\n---\n", "- one: d ("),
        (b"---\ndescription: [a, b]\n---\n", "- one: [a, b] ("),
        (b"---\ndescription: d\ndescription: e\n---\n", "- one: e ("),
        (b"---\ndescription: |\n  a\n  b\n---\n", "- one: a b ("),
        (b"---\ndescription: a\xff\n---\n", "- one: a\ufffd ("),
        (b'---\ndescription: "a\\nb"\n...\n', "- one: a b ("),
        (b"--- \nname: a\ndescription: d\n---", "- a: d ("),
        (b"name: a\ndescription: d\n", ""),
        (b"---\nname: a\n---\n", ""),
        (b"---\nname: a\ndescription: d\n", ""),
        (b"\n---\ndescription: d\n---\n", ""),
        (b"---\n" + b"x: y\n" * 20_000 + b"description: d\n---\n", ""),
        (b"", ""),
        (b"\0\1\2", ""),
        (b"---\n- description: d\n---\n", ""),
        (b"---\ndescription: ''\n---\n", ""),
    ],
)
def test_front_matter(a3s: Bench, content: bytes, line: str) -> None:
    path = a3s.home / ".config/a3s/skills/one/SKILL.md"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    result = a3s("run", "hi", script=[text("ok")])
    system = result.requests[0].body["messages"][0]["content"].splitlines()
    said = [
        one.partition(str(path))[0] for one in system if one.startswith("- ") and str(path) in one
    ]
    assert said == ([line] if line else [])
    assert (HEAD in system) == bool(line)
    unread = [one["file"] for one in result.of("notice") if one["code"] == "skill_unread"]
    assert unread == ([] if line else [str(path)])


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _directory(path: Path) -> None:
    path.mkdir()


def _dangling(path: Path) -> None:
    path.symlink_to("/nonexistent/SKILL.md")


def _loop(path: Path) -> None:
    path.symlink_to("SKILL.md")


@pytest.mark.parametrize("make", [_fifo, _directory, _dangling, _loop])
def test_a_skill_that_is_no_file(a3s: Bench, make: Any) -> None:
    path = a3s.home / ".config/a3s/skills/one/SKILL.md"
    path.parent.mkdir(parents=True)
    make(path)
    result = a3s("run", "hi", script=[text("ok")])
    assert result.one("notice")["code"] == "skill_unread"
    assert json.loads(a3s("tools", "--json").stdout)[-1]["kind"] == "tool"


def test_all_of_them_stay_within_two_kilobytes(a3s: Bench) -> None:
    for number in range(300):
        path = a3s.home / f".config/a3s/skills/skill-{number:03}/SKILL.md"
        path.parent.mkdir(parents=True)
        path.write_text(f"---\ndescription: {'ä' * 900}\n---\n")
    result = a3s("run", "hi", script=[text("ok")])
    system = result.requests[0].body["messages"][0]["content"]
    told = system[system.index(HEAD) :].partition("\n\n")[0]
    assert 0 < len(told.encode()) <= 2048
    notice = result.one("notice")
    assert notice["code"] == "skills_cut" and "of 300 skills" in notice["text"]
    assert HEAD not in json.dumps(
        a3s("run", "hi", "--no-skills", script=[text("ok")]).requests[0].body
    )


def test_trust_ends_with_any_change(a3s: Bench) -> None:
    path = a3s.work / ".agents/skills/one/SKILL.md"
    path.parent.mkdir(parents=True)
    path.write_text("---\ndescription: first\n---\n")

    def told() -> bool:
        return HEAD in json.dumps(a3s("run", "hi", script=[text("ok")]).requests[0].body)

    assert not told()
    assert a3s("trust", str(a3s.work)).exit_status == 0
    assert told()
    (path.parent / "do.sh").write_text("echo\n")
    assert not told()
    assert a3s("trust", str(a3s.work)).exit_status == 0
    assert told()
    path.write_text("---\ndescription: second\n---\n")
    assert not told()
