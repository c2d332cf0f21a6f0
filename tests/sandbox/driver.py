"""Runs commands confined, as the user that this process is: one request and one answer a line.

A script for any interpreter: it has only what the package itself needs.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from a3s_cli.processes import spawner as process
from a3s_cli.sandbox.bwrap import Bubblewrap
from a3s_cli.sandbox.guarding import Guarding
from a3s_cli.sandbox.probe import Probe


async def answer(request: dict[str, Any]) -> dict[str, Any]:
    output: list[bytes] = []

    async def receive(data: bytes) -> None:
        output.append(data)

    workspace = Path(request["workspace"])
    environ = request["environ"]
    probe = Probe(environ, workspace, network=request.get("network", True))
    if not await probe.usable():
        return {"unusable": probe.reason}
    assert probe.program
    sandbox = Bubblewrap(
        request.get("roots") or [os.path.realpath(workspace)],
        program=probe.program,
        environment=environ,
        network=request.get("network", True),
        read_only=request.get("read_only", False),
        read_only_files=[Path(path) for path in request.get("read_only_files", ())],
        hidden_files=[Path(path) for path in request.get("hidden_files", ())],
        guarding=Guarding(
            request.get("protect", "all"),
            lambda path: str(path) in request.get("permitted", ()),
            request.get("copies", ""),
        ),
    )

    reports: list[list[Any]] = []

    async def one(argv: list[str]) -> process.Finished:
        if request.get("plain"):
            return await process.run(
                argv,
                cwd=workspace,
                environment=request["environment"],
                timeout=request.get("timeout", 30),
                receive=receive,
            )
        return await sandbox.run(
            argv,
            cwd=workspace,
            environment=request["environment"],
            timeout=request.get("timeout", 30),
            receive=receive,
            report=lambda report: reports.append(list(report)),
        )

    try:
        finished = await asyncio.gather(*(one(argv) for argv in request["argvs"]))
        then, side = request.get("then", ()), request.get("side", 1)
        for at in range(0, len(then), side):
            finished += await asyncio.gather(*(one(argv) for argv in then[at : at + side]))
    finally:
        sandbox.close()
    return {
        "status": finished[-1].exit_code,
        "reason": finished[-1].reason,
        "output": b"".join(output).decode("latin-1"),
        "reports": reports,
    }


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(asyncio.run(answer(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
