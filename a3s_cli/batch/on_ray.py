"""The engine of a Ray cluster: warm workers on its nodes, one for each processor at most.

A task an item would be the plain use of Ray, but it costs a process an item: so each
worker is an actor with one stream, and runs many items side by side as on one machine.
Ray's part is to place it, to carry bytes and to tell of its death. It repeats nothing
(`max_restarts`, `max_task_retries`): a repetition would ask the model twice and swallow
the beginning of a stream; ours are the retries.

Permits go through the driver, which has the gate: a call to an actor that kept it would
take the same way over the network, and would need another process that can die. No
permit is needed at all while the gate is free.

What runs is cancelled by a word to its worker, so that its last lines come; then the
worker is hung up on, and what is left then is killed. When the driver dies, Ray ends its
actors and their sockets with them; when a node loses its raylet, its actors end.

A worker that was lost with its node is asked for again, and waits for a node to come back.
Nodes that join later are found by a look every few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..config.installation import how_to_add
from ..errors import A3SError, ConfigError, Unavailable, UsageError
from ..processes.threads import blocking
from ..version import __version__
from .pool import Link, Pool
from .ray_access import has_token, is_loopback, require_own_token, require_token, tokenless
from .ray_actor import Actor, first_line

#: Seconds that a cluster has to have a free processor.
PLACE = 600.0
#: Seconds between two looks at the nodes of the cluster.
LOOK = 5.0
#: The address of the cluster that this machine is a node of.
AUTO = "auto"


class Ray(Pool):
    """Runs jobs in workers on the nodes of a Ray cluster."""

    name = "ray"
    remote = True
    gathering = 10.0

    def __init__(self) -> None:
        super().__init__()
        self._ray: Any = None
        self._ours = False

    def check(self) -> None:
        """Raise what is wrong with the installation, the address and the token.

        UsageError for an address that cannot serve, ConfigError for what is missing.
        """
        variable = os.environ.get("RAY_ADDRESS", "")
        address = self.address or variable
        if address == AUTO:  # which means for Ray: the variable, if there is one
            address = variable or AUTO
        if "://" in address:
            raise UsageError(
                f"--on ray: {address.partition('://')[0]}:// cannot stream; "
                "expected HOST:PORT of the cluster's head, from one of its nodes",
                hint="from outside: ray job submit --address http://HOST:8265 -- "
                "a3s batch … --on ray",
            )
        from importlib.util import find_spec

        if find_spec("ray") is None:
            raise ConfigError(
                "--on ray needs the package ray, which is not installed", hint=how_to_add("ray")
            )
        if not address:
            raise UsageError(
                "--on ray: which cluster? Expected --ray-address HOST:PORT or RAY_ADDRESS"
            )
        if address != AUTO:
            require_own_token(address)
        self.address = address

    async def connect(self, jobs: int) -> int:
        """Connect to the cluster, and return how many workers it should have.

        Raises Unavailable if it cannot be reached, ConfigError if a node asks for no token.
        """
        self._ray = await blocking(self._connected)
        nodes = await blocking(self._alive)
        for address in (node["NodeManagerAddress"] for node in nodes):
            if not is_loopback(address) and not has_token(os.environ):
                raise tokenless(f"the node {address}")
        asyncio.get_running_loop().call_later(PLACE, self._give_up)
        self.spawn(self._watch(jobs))
        return max(1, min(jobs, _processors(nodes)))

    async def _watch(self, jobs: int) -> None:
        """Have more workers where nodes have joined, and one that waits for the next node.

        Without the one that waits, a cluster that grows on demand would see none.
        """
        while True:
            await asyncio.sleep(LOOK)
            # A head that does not answer now has its own consequences.
            with contextlib.suppress(Exception):
                nodes = await blocking(self._alive)
                self.grow(min(jobs, _processors(nodes) + 1))

    def _alive(self) -> list[dict[str, Any]]:
        return [node for node in self._ray.nodes() if node["Alive"]]

    def link(self) -> Link:
        """Return the way to another worker."""
        return Actor(self._ray, self._admit, quiet=not self.debug)

    def disconnect(self) -> None:
        """Leave the cluster, unless this process has been in it before."""
        if self._ray is not None and self._ours:
            self._ray.shutdown()

    def _connected(self) -> Any:
        """Connect this process to the cluster, and return the package."""
        assert self.address
        if self.address != AUTO:
            require_token(self.address)  # Ray itself would need two minutes to find none.
        # Ray reads these in C, where the values may have been wiped (`sandbox.conceal`).
        os.environ.update({n: one for n, one in os.environ.items() if n.startswith("RAY_")})
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        import ray  # type: ignore[import-not-found,import-untyped,unused-ignore]

        if ray.is_initialized():
            require_token(ray.get_runtime_context().gcs_address)
            return ray
        # Whatever `log_to_driver` says, Ray prints the deaths of nodes on stdout, which is ours.
        ray._private.worker.print_to_stdstream = lambda *_, **__: None
        try:
            with _apart(quiet=not self.debug):
                self._join(ray)
        except A3SError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001  # Ray's have no common class
            raise Unavailable(
                f"the Ray cluster at {self.address} cannot be used: {first_line(error)}",
                hint="is this machine a node of it, with the same token and the same versions "
                "of Ray and Python?",
            ) from None
        self._ours = True
        return ray

    def _join(self, ray: Any) -> None:
        """Connect to where Ray would: it finds `auto`, and takes 127.0.0.1 for another address."""
        found = ray._private.services.canonicalize_bootstrap_address_or_die(self.address)
        if found != self.address:
            require_own_token(found)
            require_token(found)
        ray.init(
            address=found,
            log_to_driver=False,
            configure_logging=False,
            include_dashboard=False,
        )

    def _admit(self, node: str, told: dict[str, Any]) -> None:
        """Raise ConfigError for a node where no worker of this batch should run."""
        if not told["token"] and not is_loopback(node.rpartition(":")[0]):
            raise tokenless(f"the node of worker {node}")
        if told["version"] != __version__:
            raise ConfigError(
                f"the node of worker {node} has a3s {told['version']}, this machine {__version__}",
                hint="install the same version on every node",
            )

    def _give_up(self) -> None:
        if not self._usable.is_set():
            self._break(Unavailable(f"no node had a free processor for {PLACE:.0f} s"))


def _processors(nodes: list[dict[str, Any]]) -> int:
    return sum(int(node["Resources"].get("CPU", 0)) for node in nodes)


@contextlib.contextmanager
def _apart(*, quiet: bool) -> Iterator[None]:
    """Connect away from the workspace, and without Ray's own words on stderr.

    Ray has every worker import from the driver's directory first, and a workspace is no
    place to import from. What is wrong comes as an exception; in C, Ray writes as well.
    """
    import logging

    logging.getLogger("ray").addHandler(logging.NullHandler())
    here, stderr, null = Path.cwd(), os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.chdir("/")
    if quiet:
        os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.chdir(here)
        os.close(stderr)
        os.close(null)
