"""Runs one of the clients that are written for Node, and reads what it has seen."""

from __future__ import annotations

import json
import shutil
import subprocess  # noqa: TID251 - a client is a program of its own
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
#: Seconds; far beyond anything but a hang.
HANG = 60.0


def client(script: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Start a client with its spec, wait for its end, and return what it prints."""
    return finish(start(script, spec))


def start(script: str, spec: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start a client; `finish` has to be called."""
    if shutil.which("node") is None:
        pytest.skip("node")
    if not (HERE / "node_modules").is_dir():
        pytest.skip("the packages of tests/serve/clients/package.json, which .ci/run installs")
    pipe = subprocess.PIPE
    process = subprocess.Popen(["node", HERE / script], stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdin is not None
    process.stdin.write(json.dumps(spec).encode())
    process.stdin.close()
    process.stdin = None
    return process


def finish(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Wait for a client's end; give what it has printed."""
    try:
        out, err = process.communicate(timeout=HANG)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"the client hangs: {err.decode()}") from None
    assert process.returncode == 0, err.decode()
    told: dict[str, Any] = json.loads(out)
    return told
