"""The spawner's own laws, which no run shows at will: cancelled at whatever moment of a birth."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from a3s_cli.processes import spawner as process

from ..support import processes

#: More steps of the loop than a birth takes.
STEPS = 10
PLACE = {"cwd": Path("/"), "environment": {"PATH": "/usr/bin:/bin"}}


async def ignore(_: bytes) -> None:
    pass


def started(script: str) -> asyncio.Task[process.Finished]:
    command = ("bash", "-c", script)
    return asyncio.create_task(process.run(command, timeout=None, receive=ignore, **PLACE))


async def ended(task: asyncio.Task[process.Finished]) -> None:
    """Hold a task that was cancelled to its end, which has a bound."""
    done, _ = await asyncio.wait({task}, timeout=20)
    assert done, "it goes on"
    with pytest.raises(asyncio.CancelledError):
        task.result()


@pytest.mark.parametrize("steps", range(STEPS))
def test_cancelled_while_it_is_started(steps: int) -> None:
    """On a starved machine the command may be well under way before the loop goes on."""
    sleeper = processes.sleeper()

    async def main() -> None:
        task = started(f"setsid {sleeper} & setsid {sleeper} & wait")
        for _ in range(steps):
            await asyncio.sleep(0)
        if steps:
            time.sleep(0.2)  # noqa: ASYNC251 - the loop is what is held up
        task.cancel()
        await ended(task)

    asyncio.run(main())
    assert processes.survivors(sleeper) == []


@pytest.mark.parametrize("steps", [2, 4, STEPS])
def test_a_loop_that_is_closed_leaves_nothing(steps: int) -> None:
    """`asyncio.run` cancels every task at once, also those that wait for the end of another."""
    sleeper = processes.sleeper()

    async def main() -> None:
        started(f"trap '' TERM; setsid {sleeper} & {sleeper}")
        for _ in range(steps):
            await asyncio.sleep(0)
        time.sleep(0.2)  # noqa: ASYNC251 - as above

    asyncio.run(main())
    assert processes.survivors(sleeper) == []


def test_a_supervisor_that_is_slow_is_waited_for() -> None:
    """Killed, it would leave behind what has detached itself."""
    sleeper = processes.sleeper()

    async def main() -> None:
        task = started(f"setsid {sleeper} & wait")
        await asyncio.to_thread(processes.wait_until_alive, sleeper, command=sleeper)
        (child,) = process._live
        child.signal(signal.SIGSTOP)
        task.cancel()
        # Stopped again and again it is slower than any machine makes it.
        for _ in range(30):
            await asyncio.sleep(0.1)
            child.signal(signal.SIGSTOP)
        await ended(task)

    asyncio.run(main())
    assert processes.survivors(sleeper) == []


def test_who_was_orphaned_before_it_could_ask_to_die_ends() -> None:
    """The supervisor may be killed between a fork and the child's first word to the kernel."""
    from a3s_cli.processes import supervisor

    child = os.fork()
    if child == 0:
        supervisor.die_with(1)  # as if ours had died: who is our parent now is another one
        os._exit(0)
    assert processes.reap(child) == 128 + signal.SIGKILL


def test_the_last_words_are_heard_on_a_busy_machine() -> None:
    """A command speaks and ends while we are not looking, and the timer is over as well."""
    said: list[bytes] = []

    async def receive(data: bytes) -> None:
        said.append(data)

    async def scene() -> process.Finished:
        asyncio.get_running_loop().call_later(0.05, time.sleep, 1.5)
        return await process.run(
            ["/bin/sh", "-c", "sleep 0.2; echo late"],
            cwd=Path("/"), environment={"PATH": os.environ["PATH"]}, timeout=30, receive=receive,
        )  # fmt: skip

    finished = asyncio.run(scene())
    assert (finished.exit_code, b"".join(said)) == (0, b"late\n")
