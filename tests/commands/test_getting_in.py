"""The first minutes: what a3s says before anything is set up, and how it is set up."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import distribution
from pathlib import Path

import pytest

from a3s_cli.config import installation

from ..support.a3s import Bench
from ..support.replies import text

NOTHING: dict[str, str | None] = dict.fromkeys(
    ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")
)
CONFIG = ".config/a3s/config.acl"


@contextlib.contextmanager
def listing(status: int, answer: object) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A server that has one answer to every GET, and what it was asked with which key."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            key = self.headers.get("authorization") or self.headers.get("x-api-key") or ""
            asked.append((self.path, key))
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# -- models ------------------------------------------------------------------------------


def test_the_models_that_a_vendor_offers(a3s: Bench) -> None:
    answer = {"data": [{"id": "gpt-b"}, {"id": "gpt-a\x1b[2J"}]}
    with listing(200, answer) as (url, asked):
        env = {"OPENAI_BASE_URL": f"{url}/v1"}
        result = a3s("models", "openai", env=env)
        assert result.stdout.decode() == "openai/gpt-a\\x1b[2J\nopenai/gpt-b\n"
        as_json = a3s("models", "openai", "--json", env=env).stdout
        assert json.loads(as_json)[1] == {"model": "openai/gpt-b"}
        assert asked[0] == ("/v1/models", "Bearer sk-bench-0123456789abcdef")
        anthropic = a3s("models", "anthropic", env={"ANTHROPIC_BASE_URL": url})
        assert anthropic.stdout.decode().startswith("anthropic/gpt-a")
        assert asked[2] == ("/v1/models?limit=1000", "sk-ant-bench-0123456789abcdef")


@pytest.mark.parametrize(
    ("status", "answer", "exit_status", "said"),
    [
        (401, {"error": {"message": "wrong key"}}, 77, "refused the credentials"),
        (404, {}, 1, "openai"),
        (200, {"data": 5}, 1, "openai did not answer with a list of models"),
    ],
)
def test_what_failed(a3s: Bench, status: int, answer: object, exit_status: int, said: str) -> None:
    with listing(status, answer) as (url, _):
        result = a3s("models", "openai", env={"OPENAI_BASE_URL": f"{url}/v1"})
    assert (result.status, result.stdout) == (exit_status, b"")
    assert said in result.stderr.decode()


def test_an_unknown_vendor(a3s: Bench) -> None:
    result = a3s("models", "opnai")
    assert result.status == 78 and b'did you mean "openai"?' in result.stderr


def test_an_alias(a3s: Bench) -> None:
    path = a3s.home / CONFIG
    path.parent.mkdir(parents=True)
    path.write_text('aliases {\n  fast = "openai/small"\n}\n')
    result = a3s("run", "-m", "fast", "hi", script=[text("yo")])
    assert result.events[0]["model"] == "openai/small"
    assert result.requests[0].body["model"] == "small"
    assert b"fast" in a3s("models").stdout
    near = a3s("run", "-m", "fats", "hi")
    assert "did you mean fast?" in near.last["error"]
    path.write_text('aliases { fast = "small" }\n')
    wrong = a3s("run", "hi").last["error"]
    assert 'config.acl:1:18: expected a model such as "openai/gpt-5-mini"' in wrong


def test_a_project_has_no_aliases(a3s: Bench) -> None:
    (a3s.work / ".a3s").mkdir()
    (a3s.work / ".a3s/config.acl").write_text('aliases { x = "openai/evil" }\n')
    result = a3s("run", "-m", "x", "hi")
    assert result.last["code"] == "config"
    assert "aliases" in result.one("notice")["text"]


def test_a_key_and_no_model(a3s: Bench) -> None:
    env = {**NOTHING, "ANTHROPIC_API_KEY": "sk-ant-0123456789abcdefghij"}
    hint = a3s("run", "hi", env=env).last["hint"]
    assert hint.startswith("ANTHROPIC_API_KEY is set, so:  export A3S_MODEL=anthropic/claude-")
    line = hint.split("  ")[1]
    name, _, model = line.removeprefix("export ").partition("=")
    again = a3s("run", "hi", env={**env, name: model, "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"},
                timeout=60)  # fmt: skip
    assert again.events[0]["model"] == model


def test_a_server_that_is_not_running_is_told_of_at_once(a3s: Bench) -> None:
    result = a3s("run", "-m", "ollama/x", "--max-retries", "1", "hi")
    retry = result.one("retry")
    said = "Connection refused; is the server running? To start it: ollama serve"
    assert retry["reason"].endswith(said) and result.last["error"].endswith(said)


# -- the configuration -------------------------------------------------------------------


def test_config_path_and_set(a3s: Bench) -> None:
    path = a3s.home / CONFIG
    assert a3s("config", "path").stdout.decode() == f"{path}\n"
    assert a3s("config", "set", "default_model", "openai/m").status == 0
    assert path.read_text() == 'default_model = "openai/m"\n'
    path.write_text(
        '# mine\nmaxTurns = 3  # few\n\nproviders "x" {\n  base_url = "http://h/v1"\n}\n'
    )
    path.chmod(0o640)
    for key, value in (("max_turns", "20"), ("temperature", "0.5"), ("read_only", "true"),
                       ("timeout", "5m"), ("system", 'say "hi"')):  # fmt: skip
        assert a3s("config", "set", key, value).status == 0, key
    assert path.read_text() == (
        "# mine\nmax_turns = 20\n\n"
        'temperature = 0.5\n\nread_only = true\n\ntimeout = "5m"\n\nsystem = "say \\"hi\\""\n\n'
        'providers "x" {\n  base_url = "http://h/v1"\n}\n'
    )
    assert path.stat().st_mode & 0o777 == 0o640
    shown = json.loads(a3s("config", "--json").stdout)["settings"]
    assert (shown["max_turns"]["value"], shown["timeout"]["value"]) == (20, 300)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("max_turn", "3", "max_turn is not a setting with a single value; did you mean max_turns?"),
        ("max_turns", "many", "max_turns: expected a whole number of at least 1, found 'many'"),
        ("sandbox", "of", 'sandbox: expected one of "off"'),
        ("allow", "bash", "allow is not a setting with a single value"),
        ("default_model", "", "default_model: expected PROVIDER/MODEL, found nothing"),
        ("default_model", "gpt-5", "default_model: expected PROVIDER/MODEL, found gpt-5; did you"),
        ("default_model", "open ai/x", "default_model: expected a model's name without spaces"),
        ("default_model", "opnai/x", 'unknown provider "opnai"; did you mean "openai/x"?'),
        ("default_model", "openai/", "default_model: expected PROVIDER/MODEL, found openai/"),
        ("default_model", "a\x1b[1m/b", "default_model: expected a model's name without spaces"),
        ("timeout", "", "timeout: expected a duration"),
        ("temperature", "nan", "temperature: expected a number"),
        ("max_turns", "1e400", "max_turns: expected a whole number"),
    ],
)
def test_what_cannot_be_set(a3s: Bench, key: str, value: str, said: str) -> None:
    result = a3s("config", "set", key, value)
    assert result.status == 2 and result.stderr.decode().startswith(f"a3s: {said}")
    assert not (a3s.home / CONFIG).exists()


def test_a_broken_file_is_not_written(a3s: Bench) -> None:
    path = a3s.home / CONFIG
    path.parent.mkdir(parents=True)
    path.write_text("max_turns = \n")
    assert a3s("config", "set", "max_turns", "3").status == 78
    assert path.read_text() == "max_turns = \n"


def editor(a3s: Bench, script: str) -> dict[str, str]:
    program = a3s.bin / "editor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"EDITOR": str(program), "VISUAL": ""}


def test_config_edit(a3s: Bench) -> None:
    good = editor(a3s, "echo 'max_turns = 3' > \"$1\"")
    assert a3s("config", "edit", env=good).status == 0
    bad = a3s("config", "edit", env=editor(a3s, "echo 'max_turns = x' > \"$1\""))
    assert bad.status == 78 and b"config.acl:1:" in bad.stderr


def test_a_prompt_from_the_editor(a3s: Bench) -> None:
    env = editor(a3s, 'cat "$1" > seen; echo "from the editor" > "$1"; echo noise')
    result = a3s("run", "-e", "begun", script=[text("yo")], env=env, quiet=False)
    assert result.events[0]["prompt"] == "from the editor"
    assert (a3s.work / "seen").read_text().strip() == "begun"
    empty = a3s("run", "-e", env=editor(a3s, ': > "$1"'), laws="none")
    assert (empty.status, empty.stderr) == (2, b"a3s: the prompt from the editor is empty\n")


# -- the installation --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marker", "begins"),
    [
        ("pipx_metadata.json", "pipx install --force '"),
        ("uv-receipt.toml", "uv tool install --force '"),
        ("bin/pip", "/"),
        ("", "uv pip install --python "),
    ],
)
def test_how_an_extra_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marker: str, begins: str
) -> None:
    (tmp_path / "bin").mkdir()
    if marker:
        (tmp_path / marker).touch()
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    line = installation.how_to_add("local")
    assert line.startswith(begins)
    checkout = Path(__file__).parents[2]
    assert f"{checkout}[local]" in line and "a3s-cli[" not in line


def test_without_its_source_an_extra_is_what_it_consists_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pipx_metadata.json").touch()
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    # The package's own metadata, without the record of where it came from.
    packaged = distribution("a3s-cli").read_text("METADATA") or ""
    info = tmp_path / "site/a3s_cli-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(packaged)
    monkeypatch.syspath_prepend(str(info.parent))
    assert installation.how_to_add("local").startswith("pipx inject a3s-cli 'xllamacpp")


# -- the doctor --------------------------------------------------------------------------


def found(a3s: Bench, **env: str | None) -> tuple[int, dict[str, dict[str, str]]]:
    result = a3s("doctor", "--json", env=env)
    return result.status, {one["name"]: one for one in json.loads(result.stdout)}


def test_the_doctor_of_what_works(a3s: Bench) -> None:
    with listing(200, {"data": [{"id": "m"}]}) as (url, _):
        env = {"OPENAI_BASE_URL": f"{url}/v1", "A3S_MODEL": "openai/m"}
        status, told = found(a3s, **env)
        assert (status, told["model"]["state"]) == (0, "good")
        assert told["model"]["text"].endswith("the server answers and has it")
        other = found(a3s, **{**env, "A3S_MODEL": "openai/n"})
        assert (other[0], other[1]["model"]["state"]) == (0, "missing")
    lines = a3s("doctor", env={"A3S_MODEL": "openai/m"}).stdout.decode().split("\n")
    assert [line[2:].split()[0] for line in lines if line[:1] in "✓·✗" and line][:4] == [
        "a3s", "local", "serve", "config",
    ]  # fmt: skip


def test_the_doctor_of_what_does_not(a3s: Bench) -> None:
    with listing(401, {"error": {"message": "no"}}) as (url, _):
        status, told = found(a3s, OPENAI_BASE_URL=f"{url}/v1", A3S_MODEL="openai/m")
        assert (status, told["model"]["state"]) == (1, "bad")
    status, told = found(a3s, A3S_MODEL="ollama/x", OLLAMA_HOST="127.0.0.1:9")
    assert (status, told["model"]["state"]) == (1, "bad")
    status, told = found(a3s, **{**NOTHING, "OPENAI_API_KEY": "sk-0123456789"})
    assert status == 1 and told["model"]["hint"].startswith("OPENAI_API_KEY is set, so:")
    (a3s.work / ".a3s").mkdir()
    (a3s.work / ".a3s/config.acl").write_text("max_turns = \n")
    assert found(a3s)[0] == 1
