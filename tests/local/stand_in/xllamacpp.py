"""A stand-in for the runtime: the same server, seen from outside, with answers from a file.

It is found before the real one through PYTHONPATH. Beside the "weights" lies a script: what
loading does, and the answers in order. Each request is a line of the log beside it.
"""

from __future__ import annotations

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class CommonParams(SimpleNamespace):
    def __init__(self) -> None:
        super().__init__(
            model=SimpleNamespace(path=""),
            cpuparams=SimpleNamespace(),
            cpuparams_batch=SimpleNamespace(),
            sampling=SimpleNamespace(),
        )


class Server:
    def __init__(self, params: Any) -> None:
        self.params = params
        script = self.read_script()
        self.log("/load", {"socket": "", "threads": params.cpuparams.n_threads})
        time.sleep(script.get("loading", 0))
        if failure := script.get("failure"):
            os.write(2, f"0.1 E load : error: {failure}\n".encode())
            os.abort()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.listening_address = f"http://127.0.0.1:{self._server.server_port}"

    def read_script(self) -> Any:
        return json.loads(Path(f"{self.params.model.path}.script").read_text())

    def log(self, path: str, body: Any) -> int:
        """Add a request to the log; return how many of its kind came before."""
        log = Path(f"{self.params.model.path}.log")
        before = [json.loads(line) for line in log.open()] if log.exists() else []
        with log.open("a") as file:
            file.write(json.dumps({"path": path, "pid": os.getpid(), "body": body}) + "\n")
        return sum(asks(one["path"], one["body"]) for one in before)


def asks(path: str, body: Any) -> bool:
    """Whether a request wants an answer, and not only that its beginning is read."""
    return path.endswith("/completions") and not body.get("return_progress")


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self.headers["authorization"] != f"Bearer {server.params.api_keys[0]}":
                return self.send_error(401)
            number = server.log(self.path, body)
            if "action=save" in self.path:
                Path(server.params.slot_save_path, body["filename"]).write_bytes(b"state")
            if not self.path.endswith("/completions"):
                return self.answer(b"{}", "application/json")
            answer: Any = "."
            if asks(self.path, body):
                answer = server.read_script()["answers"][number]
            return self.answer(b"".join(events(answer)), "text/event-stream")

        def answer(self, content: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


def events(answer: Any) -> list[bytes]:
    """The stream of an answer: a text in pieces, or a call as the server reads it."""
    if isinstance(answer, str):
        deltas = [{"content": answer[at : at + 5]} for at in range(0, len(answer), 5)]
    else:
        call = {"index": 0, "id": "x", "type": "function", "function": answer}
        deltas = [{"tool_calls": [call]}]
    stop = "stop" if isinstance(answer, str) else "tool_calls"
    chunks: list[Any] = [
        {
            "prompt_progress": {"total": 1000, "cache": 0, "processed": 500, "time_ms": 1},
            "choices": [],
        }
    ]
    chunks += [{"choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": stop}]})
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    chunks.append({"choices": [], "usage": usage})
    return [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks] + [
        b"data: [DONE]\n\n"
    ]
