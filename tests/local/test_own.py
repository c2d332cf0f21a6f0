"""A model of the user's own: what its head says, where it is fetched from, how it is asked."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.errors import A3SError, ConfigError, UsageError
from a3s_cli.local import own, weights

from ..support.a3s import Bench
from .own_models import STAND_IN, TEMPLATE, WITH_TOOLS, Model, gguf


def test_a_head_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(gguf())
    assert own.header(path) == own.Header("llama", TEMPLATE)
    path.write_bytes(gguf(template=WITH_TOOLS))
    assert own.header(path).knows_tools


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is not a GGUF model"),
        (b"PK\x03\x04 weights", "is not a GGUF model"),
        (gguf()[:60], "is not a GGUF model"),
        (b"GGUF" + b"\xff" * 60, "is not a GGUF model"),
        (
            gguf(template=None),
            "has no chat template: it is a base model, which cannot hold a conversation",
        ),
        (gguf(architecture="bert"), "cannot generate text: its architecture is bert"),
    ],
)
def test_what_cannot_answer_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        own.header(path)
    assert str(error.value) == f"{path} {expected}"


@given(st.integers(0, len(gguf()) - 1), st.binary(min_size=1, max_size=9))
def test_a_damaged_head_is_a_sentence(at: int, damage: bytes) -> None:
    from tempfile import TemporaryDirectory

    content = gguf()
    with TemporaryDirectory() as directory:
        path = Path(directory, "a.gguf")
        path.write_bytes(content[:at] + damage + content[at + len(damage) :])
        try:
            own.header(path)
        except ConfigError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    "name", ["hf:", "hf:a/b", "hf:a:b.gguf", "hf:a/b:c.bin", "hf:a/b:../c.gguf", "hf:a/b/c:d.gguf"]
)
def test_an_incomplete_place_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match=r"expected hf:OWNER/REPO:FILE\.gguf"):
        own.path_of(name, Path("/x"), {})


def test_its_own_template_and_calls_are_used(a3s: Bench, tmp_path: Path) -> None:
    call = {"name": "read", "arguments": '{"file_path": "a.txt"}'}
    model = Model.make(tmp_path / "m", call, "It says otter.", content=gguf(template=WITH_TOOLS))
    (a3s.work / "a.txt").write_text("otter\n")
    result = a3s(
        *("run", "-m", f"local/{model.path}", "-o", "json", "--no-session"), "What is in a.txt?",
        env={"PYTHONPATH": str(STAND_IN)},
    )  # fmt: skip
    assert result.of("tool_start")[0]["toolInput"] == {"file_path": "a.txt"}
    assert result.last["text"] == "It says otter."
    first, second = model.asked
    assert "grammar" not in first
    assert "read" in [tool["function"]["name"] for tool in first["tools"]]
    assert second["messages"][-1]["role"] == "tool"


def test_one_that_knows_no_tools_is_spoken_to_in_tags(a3s: Bench, tmp_path: Path) -> None:
    model = Model.make(tmp_path / "m", "<tool=read>a.txt</tool>", "It says otter.")
    (a3s.work / "a.txt").write_text("otter\n")
    result = a3s(
        *("run", "-m", f"local/{model.path}", "-o", "json", "--no-session"), "What is in a.txt?",
        env={"PYTHONPATH": str(STAND_IN)},
    )  # fmt: skip
    assert result.last["text"] == "It says otter."
    assert "tools" not in model.asked[0]


def test_one_that_is_not_there(a3s: Bench) -> None:
    result = a3s("run", "-m", "local/./no.gguf", "hi", env={"PYTHONPATH": str(STAND_IN)})
    assert result.status == 78
    assert result.last["error"] == f"there is no model at {a3s.work / 'no.gguf'}"


class Mirror:
    """A mirror of Hugging Face on loopback, with one file and the pointer to it."""

    def __init__(self, content: bytes, stated: bytes | None = None) -> None:
        digest = hashlib.sha256(content if stated is None else stated).hexdigest()
        pointer = f"version https://git-lfs\noid sha256:{digest}\nsize {len(content)}\n"
        self.files = {
            "/maker/owl/raw/main/q4/owl.gguf": pointer.encode(),
            "/maker/owl/resolve/main/q4/owl.gguf": content,
        }
        self.asked: list[str] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                mirror.asked.append(self.path)
                body = mirror.files.get(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("content-length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


NAME = "hf:maker/owl:q4/owl.gguf"


def pull(mirror: Mirror, root: Path, name: str = NAME) -> Path:
    environment = {"HOME": str(root), "HF_ENDPOINT": f"{mirror.url}/", "PATH": os.environ["PATH"]}
    path = weights.pull(name, environment=environment, progress=lambda *_: None)
    return asyncio.run(path)


def test_one_on_the_hub_is_fetched_once_and_verified(tmp_path: Path) -> None:
    mirror = Mirror(gguf())
    try:
        path = pull(mirror, tmp_path)
        assert path == tmp_path / ".cache/a3s/models/hf/maker--owl--q4--owl.gguf"
        assert path.read_bytes() == gguf()
        assert mirror.asked == list(mirror.files)
        assert pull(mirror, tmp_path) == path
        assert len(mirror.asked) == 2
    finally:
        mirror.close()


def test_one_that_is_another_than_stated_is_removed(tmp_path: Path) -> None:
    mirror = Mirror(gguf(), stated=b"other")
    try:
        with pytest.raises(A3SError, match=f"the downloaded file is not {NAME}"):
            pull(mirror, tmp_path)
        with pytest.raises(A3SError, match=r"127\.0\.0\.1 answered with status 404"):
            pull(mirror, tmp_path, "hf:maker/owl:no.gguf")
        left = [p.name for p in (tmp_path / ".cache/a3s/models/hf").iterdir()]
        assert left == ["maker--owl--q4--owl.gguf.lock"]
    finally:
        mirror.close()
