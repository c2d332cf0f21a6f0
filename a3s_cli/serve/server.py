"""The process of `a3s serve`: its socket, its signals, its end.

SIGTERM, SIGINT and SIGHUP all start the same shutdown: new prompts are refused,
active runs get some time to finish, then they are cancelled, their clients get
the terminal events, and the process dies of the signal. A second signal cancels
at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import socket
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import uvicorn

from ..errors import Cancelled, UsageError
from ..output.log import log_to_stderr
from ..output.person import complain
from ..output.wording import count
from ..processes.exit import die_of
from ..processes.spawner import kill_all
from ..run.models import models
from ..run.plan import chosen_tools, load_config, make_plan
from ..run.request import RunRequest
from .app import app
from .connections import Connection
from .guard import VARIABLE, Guard, Tokens, checked_name
from .runs import Runs

__all__ = ["Where", "checked_name", "serve"]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Seconds that runs have to finish after a signal, and then to end once cancelled.
DRAIN = 5.0
LAST_WORDS = 3.0
#: The limit of open files to request: a run has a client, a provider, a session and pipes.
DESCRIPTORS = 8192
#: Seconds that clients have to read the terminal events or to complete their requests.
GOODBYE = 1
#: Seconds within which one key press may arrive as two signals (a wrapper forwards it).
SAME_PRESS = 0.05


@dataclass(frozen=True, slots=True)
class Where:
    """Where to listen, and for whom."""

    host: str
    port: int
    #: Origins besides our own whose pages may send requests.
    origins: tuple[str, ...]
    #: Whether to open a browser.
    opens: bool
    #: The directory to work in; None for this one.
    cwd: str | None = None
    #: Names of this server besides its own.
    hosts: tuple[str, ...] = ()


def serve(
    options: Mapping[str, Any],
    tools: str | None,
    where: Where,
    show: Callable[[str], None],
    *,
    debug: bool,
) -> NoReturn:
    """Serve until a signal arrives, and die of it. `show` prints the address when ready.

    `options` are the fields of `RunRequest` that all runs of this server share.
    Raises `UsageError` or `ConfigError` before the server listens.
    """
    if where.cwd is not None:
        _enter(where.cwd)
    _raise_limit()
    workspace = Path.cwd()
    _keep_from_commands(workspace)
    listener = _listen(where)
    port: int = listener.getsockname()[1]
    tokens = Tokens(port, os.environ.get(VARIABLE, ""))
    secrets = {VARIABLE: tokens.token}
    common = {
        **options,
        "workspace": workspace,
        "tools": None if tools is None else chosen_tools(tools),
        "secrets": secrets,
        "answers": True,
        "conceals": True,
        "keeps_model": True,
    }
    # Plan a run without a prompt, so that errors are reported now and not to the first client.
    template = RunRequest(**common)
    log_to_stderr(make_plan(template, load_config(template)).redactor, debug=debug)
    runs = Runs(common)

    def catalogue() -> list[dict[str, object]]:
        return models(os.environ, template.config_file, template.settings)

    names = [where.host, socket.gethostname(), *where.hosts]
    guard = Guard(app(runs, catalogue), tokens, names, where.origins)
    server = _Server(guard, runs)
    address = f"http://{_shown(where.host)}:{port}/?token="

    def ready() -> None:
        show(address + tokens.token)
        if not _is_loopback(where.host):
            complain(
                f"anyone who can reach {where.host} and has the token can run commands as you; "
                "the token is sent unencrypted"
            )
        if where.opens:
            _open_browser(address + tokens.ticket())

    # Not asyncio.run: it would wait for a thread that is stuck on a slow name server.
    number = asyncio.new_event_loop().run_until_complete(server.serve_on(listener, ready))
    # Kill what has not ended in time.
    kill_all()
    die_of(number)


class _Server(uvicorn.Server):
    """uvicorn, with our signal handling and shutdown."""

    def __init__(self, application: Guard, runs: Runs) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                log_config=None,
                access_log=False,  # a URL may hold the token
                lifespan="off",
                http=Connection,  # the one that is tested, whatever else is installed
                ws="none",
                server_header=False,
                proxy_headers=False,
                # By then all connections are closed: see `shutdown`.
                timeout_graceful_shutdown=GOODBYE + 1,
            )
        )
        self._runs = runs
        self._signal: int | None = None
        self._signalled_at = 0.0
        self._started = asyncio.Event()
        self._signalled = asyncio.Event()
        self._again = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no handlers of uvicorn's own."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen and signal it."""
        await super().startup(sockets=sockets)
        self._started.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening and close lingering connections; uvicorn would cancel mid-request."""
        timer = asyncio.get_running_loop().call_later(GOODBYE, self._cut_off)
        try:
            await super().shutdown(sockets=sockets)
        finally:
            timer.cancel()

    def _cut_off(self) -> None:
        for connection in self.server_state.connections:
            connection.transport.abort()

    async def serve_on(self, listener: socket.socket, ready: Callable[[], None]) -> int:
        """Serve until a signal arrives and every run has ended; return the signal."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            # A signal that was ignored at start stays ignored (nohup, `&` in a script).
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._on_signal, number)
        serving = asyncio.create_task(self.serve([listener]))
        await self._started.wait()
        ready()
        await self._signalled.wait()
        await self._end_runs()
        self.should_exit = True
        await serving
        return self._signal or signal.SIGTERM

    def _on_signal(self, number: int) -> None:
        now = time.monotonic()
        if self._signal is not None:
            if now - self._signalled_at > SAME_PRESS:
                self._again.set()
            return
        self._signal, self._signalled_at = number, now
        self._runs.leaving = True
        self._signalled.set()

    async def _end_runs(self) -> None:
        """Let the runs finish for `DRAIN` seconds or until a second signal; then cancel them."""
        assert self._signal
        number = self._signal
        if left := sum(not run.ending for run in self._runs.going_on()):
            complain(f"waiting up to {DRAIN:g} s for {count(left, 'run')}; a second signal cancels")
        gone = asyncio.gather(*(run.gone.wait() for run in self._runs.going_on()))
        again = asyncio.create_task(self._again.wait())
        await asyncio.wait((gone, again), timeout=DRAIN, return_when=asyncio.FIRST_COMPLETED)
        again.cancel()
        for run in self._runs.going_on():
            run.cancel(Cancelled(f"cancelled by {signal.Signals(number).name}", signal=number))
        await asyncio.wait((gone,), timeout=LAST_WORDS)


def _keep_from_commands(workspace: Path) -> None:
    """Refuse a stdout that commands could read: with its token they could approve calls."""
    if not stat.S_ISREG(os.fstat(1).st_mode):
        return
    try:
        file = os.path.realpath("/dev/fd/1")
    except OSError:
        return
    if Path(file).is_relative_to(workspace.resolve()):
        raise UsageError(
            f"stdout is {file}, in the workspace: its commands could read the token there",
            hint="write the address to a file outside the workspace",
        )


def _listen(where: Where) -> socket.socket:
    if not where.host:
        # Most likely an unset variable; it would mean every address of this machine.
        raise UsageError("--host is empty: expected an address or a name")
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    try:
        return socket.create_server((where.host, where.port), family=family, backlog=512)
    except TypeError:
        raise UsageError(f"cannot listen on {where.host}: it is not the name of a host") from None
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (while ")[0]
        raise UsageError(
            f"cannot listen on {where.host} port {where.port}: {why}",
            hint="--port 0 picks a free port" if where.port else None,
        ) from None


def _raise_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_loopback(host: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _open_browser(address: str) -> None:
    import threading
    import webbrowser

    # A text browser blocks until it is closed.
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _enter(directory: str) -> None:
    try:
        os.chdir(directory)
    except OSError as error:
        raise UsageError(f"-C {directory}: {error.strerror}") from None
