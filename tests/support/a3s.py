"""Running the real binary as a user's script would, and looking only at what comes out.

`Bench` is a place to run in: a home, a workspace and an environment that hold
nothing of the machine's. `bench(...)` runs to the end, `bench.spawn(...)` gives
a `Run` to signal and to wait on. Each run has its own mark in the environment,
by which its processes are found again, and its own scripted provider.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess  # noqa: TID251 - a black-box test starts the program
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from . import processes
from .replies import Reply, Wire
from .run import HANG, PROMISE, SLACK, Laws, Result, Run
from .server import Server, refusing_port
from .watchdog import suite

MODELS: dict[Wire, str] = {"openai-chat": "openai/test-model", "anthropic": "anthropic/test-model"}


def proofs(number: int) -> int:
    """How many repetitions or examples a proof makes: `--proofs` percent of the number."""
    return max(1, number * int(os.environ["A3S_PROOFS"]) // 100)


class Bench:
    """A clean place to run in; calling it runs `a3s`."""

    def __init__(self, root: Path) -> None:
        #: In the path of everything that runs here, hence in every working directory.
        self.mark = "bench-" + uuid.uuid4().hex
        self.root = root / self.mark
        self.home = self.root / "home"
        self.work = self.root / "work"
        self.bin = self.root / "bin"
        for directory in (self.home, self.work, self.bin, self.root / "tmp"):
            directory.mkdir(parents=True)
        script = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m a3s_cli "$@"\n'
        (self.bin / "a3s").write_text(script)
        (self.bin / "a3s").chmod(0o755)
        self._holder, self._refusing = refusing_port()
        self._runs: list[Run] = []
        self._servers: list[Server] = []

    def __call__(self, *args: str | bytes, timeout: float = HANG, **options: Any) -> Result:
        return self.spawn(*args, **options).finish(timeout)

    def environment(self, server: Server | None) -> dict[str, str]:
        url = server.url if server else f"http://127.0.0.1:{self._refusing}"
        return {
            "PATH": f"{self.bin}:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "XDG_STATE_HOME": str(self.home / ".local/state"),
            "XDG_DATA_HOME": str(self.home / ".local/share"),
            "TMPDIR": str(self.root / "tmp"),
            "BENCH_MARK": self.mark,
            **suite(),
            "OPENAI_API_KEY": "sk-bench-0123456789abcdef",
            "OPENAI_BASE_URL": f"{url}/v1",
            "ANTHROPIC_API_KEY": "sk-ant-bench-0123456789abcdef",
            "ANTHROPIC_BASE_URL": url,
        }

    def serve(
        self, script: Sequence[Reply], wire: Wire = "openai-chat", after: Any = "fail"
    ) -> Server:
        server = Server(script, wire, after)
        self._servers.append(server)
        return server

    def spawn(
        self,
        *args: str | bytes,
        script: Sequence[Reply] | None = None,
        after: Literal["fail", "repeat"] = "fail",
        wire: Wire = "openai-chat",
        laws: Laws | None = None,
        quiet: bool = True,
        **options: Any,
    ) -> Run:
        """Start `a3s` with these arguments; a `run` with a script also gets `-m` for its wire."""
        command: list[str | bytes] = [sys.executable, "-m", "a3s_cli", *args]
        given = {a for a in args if isinstance(a, str)}
        if script is not None and args[0] == "run" and not given & {"-m", "--model"}:
            command[4:4] = ["-m", MODELS[wire]]
        if laws is None:
            plain = given & {"raw", "pretty", "--help", "-h"} or args[:1] != ("run",)
            laws = "none" if plain else "whole"
        server = self.serve(script, wire, after) if script is not None else None
        return self.start(command, server, laws, quiet and "--debug" not in given, **options)

    def shell(
        self, line: str, *, script: Sequence[Reply], after: Any = "fail", **options: Any
    ) -> Run:
        """Run a line of bash in which `a3s` is the binary and `$MODEL` its scripted model."""
        server = self.serve(script, "openai-chat", after)
        env = {"MODEL": MODELS["openai-chat"], **options.pop("env", {})}
        return self.start(["bash", "-c", line], server, "none", False, env=env, **options)

    def start(
        self,
        command: Sequence[str | bytes],
        server: Server | None,
        laws: Laws,
        quiet: bool,
        *,
        stdin: int | bytes = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        terminal: int | None = None,
        ignore: Sequence[int] = (),
    ) -> Run:
        """`ignore`: signals ignored at birth; `terminal`: becomes stdin and controls the run."""
        environment: dict[str, str] = self.environment(server)
        for name, value in (env or {}).items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
        if ignore:
            names = " ".join(signal.Signals(number).name for number in ignore)
            command = ["bash", "-c", f"trap '' {names}; exec \"$@\"", "bash", *command]
        if terminal is not None:
            command, stdin = ["setsid", "--ctty", *command], terminal
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if isinstance(stdin, bytes) else stdin,
            stdout=stdout,
            stderr=stderr,
            env=environment,
            cwd=cwd or self.work,
            start_new_session=terminal is None,
        )
        run = Run(process, server, self.mark, laws, quiet)
        self._runs.append(run)
        run.start_reading()
        if isinstance(stdin, bytes):
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(stdin)
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        return run

    def close(self) -> None:
        """End everything; a process that had to be ended here is the test's failure."""
        for run in self._runs:
            run.close()
        left = processes.wait_until_gone(self.mark, PROMISE + SLACK)
        processes.clean_up(self.mark)
        for server in self._servers:
            server.close()
        self._holder.close()
        assert not left, "left behind: " + "; ".join(map(str, left))
