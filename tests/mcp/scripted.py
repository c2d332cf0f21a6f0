"""An MCP server that plays a script: over stdio, in either era, as well or as badly as it is told.

    python scripted.py SCRIPT.json

It needs nothing but the interpreter, and is a script, not a module. Every message that it
receives is a line of the script's `log`.
"""

from __future__ import annotations

import json
import os
import subprocess  # noqa: TID251 - a server may have children
import sys
import threading
import time
from pathlib import Path
from typing import Any

ECHO = {
    "name": "echo",
    "description": "Return the text.",
    "inputSchema": {
        "type": "object",
        "properties": {"text": {"type": "string"}},
        "required": ["text"],
    },
}


class Server:
    def __init__(self, script: dict[str, Any]) -> None:
        self.script = script
        self.tools = script.get("tools", [ECHO])
        self.writing = threading.Lock()
        self.asked: dict[Any, threading.Event] = {}
        self.answers: dict[Any, Any] = {}

    def write(self, data: bytes) -> None:
        with self.writing:
            while data:
                data = data[os.write(1, data) :]

    def send(self, **message: Any) -> None:
        self.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def log(self, line: bytes) -> None:
        if path := self.script.get("log"):
            with open(path, "ab") as file:
                file.write(line)

    def run(self) -> None:
        script = self.script
        os.write(2, script.get("stderr", "").encode())
        os.write(1, script.get("stdout", "").encode())
        if command := script.get("child"):
            subprocess.Popen(command, start_new_session=True)
        time.sleep(script.get("delay", 0))
        if "exit" in script:
            os._exit(script["exit"])
        for line in sys.stdin.buffer:
            self.log(line)
            message = json.loads(line)
            if "method" not in message:
                self.answers[message["id"]] = message
                if asked := self.asked.get(message["id"]):
                    asked.set()
            elif "id" in message:
                threading.Thread(target=self.answer, args=(message,), daemon=True).start()
        if script.get("stays"):
            time.sleep(600)

    def answer(self, message: dict[str, Any]) -> None:
        method, id, params = message["method"], message["id"], message.get("params", {})
        later = "io.modelcontextprotocol/protocolVersion" in params.get("_meta", {})
        era = self.script.get("era", "first")
        if self.script.get("silent") == method:
            return
        if method == "initialize" and era == "first":
            version = self.script.get("version", params["protocolVersion"])
            can = {"tools": {"listChanged": True}}
            info = {"name": "scripted", "version": "1"}
            result = {"protocolVersion": version, "capabilities": can, "serverInfo": info}
            self.send(id=id, result=result)
        elif method == "server/discover" and era == "later":
            can = {"tools": {"listChanged": True}}
            self.send(id=id, result={"supportedVersions": ["2026-07-28"], "capabilities": can})
        elif method == "tools/list" and later == (era == "later"):
            self.list(id, params)
        elif method == "tools/call" and later == (era == "later"):
            self.call(id, params)
        elif method == "subscriptions/listen":
            return
        else:
            self.send(id=id, error={"code": -32601, "message": f"no method {method}"})

    def list(self, id: Any, params: dict[str, Any]) -> None:
        size = self.script.get("page", 1000)
        if self.script.get("endless"):
            begin = int(params.get("cursor", 0))
            tool = {**ECHO, "name": f"echo{begin}"}
            self.send(id=id, result={"tools": [tool], "nextCursor": str(begin + 1)})
            return
        begin = int(params.get("cursor", 0))
        more = {"nextCursor": str(begin + size)} if begin + size < len(self.tools) else {}
        self.send(id=id, result={"tools": self.tools[begin : begin + size], **more})

    def act(self, id: Any, params: dict[str, Any], how: dict[str, Any]) -> None:
        """Do what comes before the answer to a call."""
        token = params.get("_meta", {}).get("progressToken")
        for number in range(how.get("progress", 0)):
            told = {"progressToken": token, "progress": number, "message": f"step {number}"}
            self.send(method="notifications/progress", params=told)
        if (path := how.get("once")) and not Path(path).exists():
            # Dies of its first call, and lives with the next.
            Path(path).touch()
            os._exit(how.get("status", 7))
        if "exit" in how:
            os.write(2, b"these were my last words\n")
            os._exit(how["exit"])
        for asked in how.get("asks", ()):
            key = f"ask-{asked}"
            self.asked[key] = threading.Event()
            self.send(id=key, method=asked, params={"message": "hello"})
            self.asked[key].wait(30)
        if "becomes" in how:
            self.tools = how["becomes"]
            self.send(method="notifications/tools/list_changed")
        if "raw" in how:
            for piece in how["raw"]:
                self.write(piece.replace("@ID@", json.dumps(id)).encode())
                time.sleep(how.get("drip", 0))

    def call(self, id: Any, params: dict[str, Any]) -> None:
        name, arguments = params["name"], params.get("arguments", {})
        how = self.script.get("calls", {}).get(name, {})
        self.act(id, params, how)
        if how.get("silent"):
            return
        time.sleep(how.get("delay", 0))
        if how.get("rounds") and "inputResponses" not in params:
            asks = {method: {"method": method} for method in how["rounds"]}
            again = {"resultType": "input_required", "inputRequests": asks, "requestState": "s"}
            self.send(id=id, result=again)
            return
        if "error" in how:
            self.send(id=id, error=how["error"])
            return
        text = how.get("text", arguments.get("text", json.dumps(arguments)))
        if how.get("environment"):
            text = json.dumps({name: os.environ.get(name) for name in how["environment"]})
        if how.get("answers"):
            text = json.dumps(list(self.answers.values()))
        result = {"content": how.get("content", [{"type": "text", "text": text}])}
        for key in ("structuredContent", "isError"):
            if key in how:
                result[key] = how[key]
        self.send(id=id, result=result)


if __name__ == "__main__":
    Server(json.loads(Path(sys.argv[1]).read_text())).run()
