"""Starts one program after the other and watches it: run as a small process of its own.

    python -I -S -E watch.py      jobs on stdin, what was seen on stdout, both marshalled

It imports next to nothing, for three reasons. A child inherits the peak memory
of the process that started it, so this has to be smaller than whatever is
measured. A small process is spawned from quickly. And nothing delays the reads:
the moment of a line is taken right after the read that brought it. `marshal` is
what a bare interpreter has already.
"""

import marshal
import os
import select
import sys
import time

READ = 1 << 20


def watch(
    argv: list[str],
    environment: dict[str, str],
    directory: str,
    mark: bytes,
    seconds: float,
    complaints: str,
    kept: int,
) -> dict[str, object]:
    """Run a program to its end; give what was seen, times in seconds since the start."""
    os.chdir(directory)
    ours, theirs = os.pipe()
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, theirs, 1),
        (os.POSIX_SPAWN_OPEN, 2, complaints, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
    ]
    begun = time.monotonic()
    child = os.posix_spawn(argv[0], argv, environment, file_actions=actions, setsid=True)
    os.close(theirs)
    try:
        seen = follow(ours, child, mark, begun, seconds, kept)
    finally:
        os.close(ours)
        # It has ended and is not reaped yet, so this can only be its group.
        try:
            os.killpg(child, 9)
        except ProcessLookupError:
            pass
        _, status, used = os.wait4(child, 0)
    return {
        **seen,
        "status": os.waitstatus_to_exitcode(status),
        "cpu": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss * 1024,
        "pid": child,
    }


def follow(
    pipe: int, child: int, mark: bytes, begun: float, seconds: float, kept: int
) -> dict[str, object]:
    """Read until the program has ended, or the time is over."""
    ended = os.pidfd_open(child)
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    poll.register(ended, select.POLLIN)
    os.set_blocking(pipe, False)
    first_line = first_text = whole = None
    size = lines = 0
    now = 0.0
    tail = b""
    while whole is None and now < seconds:
        ready = [each for each, _ in poll.poll((seconds - now) * 1000)]
        now = time.monotonic() - begun
        if ended in ready:
            whole = now
        # To the end of what is there; who still holds the pipe when it ends is not waited for.
        while now < seconds and (data := read(pipe)):
            now = time.monotonic() - begun
            size += len(data)
            lines += data.count(b"\n")
            if first_line is None and lines:
                first_line = now
            if first_text is None and mark in tail + data:
                first_text = now
            tail = (tail + data[-kept:])[-kept:]
        if pipe in ready and data == b"":
            poll.unregister(pipe)
    os.close(ended)
    return {
        "line": first_line,
        "text": first_text,
        "whole": whole,
        "size": size,
        "lines": lines,
        "tail": tail,
    }


def read(pipe: int) -> bytes | None:
    """Return the available bytes; b"" at the end, None if there are none yet."""
    try:
        return os.read(pipe, READ)
    except BlockingIOError:
        return None


while True:
    try:
        job = marshal.load(sys.stdin.buffer)
    except EOFError:
        break
    try:
        answer = watch(*job)
    except OSError as error:
        answer = {"failed": str(error)}
    sys.stdout.buffer.write(marshal.dumps(answer))
    sys.stdout.buffer.flush()
