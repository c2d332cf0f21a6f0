"""Holds one command's whole process tree, and takes it down. A script, not a module.

`process.py` runs this file with a bare interpreter (`-I -S`), once for each
command. As a child subreaper it stays the ancestor of everything that the
command starts, however it detaches itself (`setsid`, double fork, `nohup`), and
it needs no knowledge of processes that are not its own. Its standard input is
the lifeline to a3s: whatever happens to a3s, even SIGKILL, closes it, and then
the tree dies. Because this is a process of its own, a3s can be a guest in another
program, where it must neither reap nor adopt.

    supervisor.py GRACE [--stdin FD] [--confined [--beat FILE] [--scoped]] -- COMMAND [ARGUMENT …]

Between it and the command stands a stub, so that `$PPID`, the one process that
every command knows, is not the one that holds the tree. The supervisor exits
with the command's own status, 128 + n for a signal, 127 when there is no such
command and 126 when it cannot be run.

The command's stdin is empty, or with `--stdin` that descriptor.

With `--confined` the command is a program that runs another one in a namespace of
its own. `--beat FILE` has the file touched every second until nothing of the tree is
left: whatever kills all of us, its time says how long a command can have lived.
`--scoped` keeps the tree from abstract sockets beyond it.
"""

import os
import select
import signal
import sys
import time

#: Seconds in which what the command left behind may end by itself (`> >(sort)`).
DRAIN = 0.2
#: Seconds after which a process that survives SIGKILL is left to the kernel.
GIVE_UP = 5.0
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
#: Seconds between two touches of the file that says that a command lives.
BEAT = 1.0
#: System calls of Landlock: the same numbers on every machine.
LANDLOCK_CREATE, LANDLOCK_RESTRICT = 444, 446
#: Whether orphans of the tree become ours. Elsewhere those are found that stayed in the command's
#: group, whose number is not reused while a process is in it.
ADOPTS = sys.platform == "linux"
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE)


def main() -> int:
    """Run the command, wait for its end or for the order to end it, and clear up."""
    grace, split = float(sys.argv[1]), sys.argv.index("--")
    options, command = sys.argv[2:split], sys.argv[split + 1 :]
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    beat = options[options.index("--beat") + 1] if "--beat" in options else ""
    if "--scoped" in options:
        scope()
    touch(beat)
    given = int(options[options.index("--stdin") + 1]) if "--stdin" in options else -1
    leader = start(command, given)
    if given >= 0:
        os.close(given)
    # Only the command's tree may keep the output pipe open from here on.
    quiet = os.open(os.devnull, os.O_RDWR)
    tree = Tree(leader, confined="--confined" in options)
    order = wait(tree, woken, beat)
    os.dup2(quiet, 2)
    if order is None:
        tree.wait_empty(DRAIN, woken)
    if order != b"K" and tree.reap():
        tree.signal(signal.SIGTERM)
        tree.wait_empty(grace, woken)
    tree.kill()
    touch(beat)
    return tree.exit_code


def prctl(option: int, value: int) -> None:
    """Tell the kernel about this process; nothing where there is no such call."""
    if ADOPTS:
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def die_with(parent: int) -> None:
    """Be killed when our parent dies, which it may have done before we could say so."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(128 + signal.SIGKILL)


def start(command: list[str], given: int) -> int:
    """Start the stub and below it the command, in a session of their own; give the stub's pid."""
    supervisor = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 128 + signal.SIGKILL
    try:
        os.setsid()
        die_with(supervisor)
        stub = os.getpid()
        child = os.fork()
        if child == 0:
            execute(command, stub, given)
        _, raw = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(raw)
        status = code if code >= 0 else 128 - code
    finally:
        os._exit(status)


def execute(command: list[str], stub: int, given: int) -> None:
    """Become the command, with the given stdin or an empty one; does not return."""
    try:
        die_with(stub)
        for number in (*IGNORED, signal.SIGCHLD, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY) if given < 0 else given, 0)
        if given > 0:
            os.close(given)
        os.execvp(command[0], command)
    except FileNotFoundError:
        os.write(2, f"{command[0]}: command not found\n".encode())
        os._exit(127)
    except OSError as failure:
        os.write(2, f"{command[0]}: {failure.strerror}\n".encode())
        os._exit(126)
    finally:
        os._exit(126)


def touch(beat: str) -> None:
    """Set the time of the file that says that a command lives."""
    if beat:
        try:
            os.utime(beat)
        except OSError:
            pass  # It was removed already.


def scope() -> None:
    """Keep us and the tree from abstract sockets of others, where the kernel can."""
    import ctypes

    libc = ctypes.CDLL(None)
    # handled_access_fs, handled_access_net, scoped: nothing but the last.
    attributes = (ctypes.c_uint64 * 3)(0, 0, 1)
    descriptor = libc.syscall(LANDLOCK_CREATE, attributes, 24, 0)
    if descriptor >= 0:
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.syscall(LANDLOCK_RESTRICT, descriptor, 0)
        os.close(descriptor)


def wait(tree: "Tree", woken: int, beat: str) -> bytes | None:
    """Wait until the command ends (None) or a3s orders its end (a byte, or EOF)."""
    poller = select.poll()
    poller.register(0, select.POLLIN)
    poller.register(woken, select.POLLIN)
    patience, last = BEAT * 1000 if beat else None, time.monotonic()
    while True:
        ready = poller.poll(patience)
        if beat and time.monotonic() - last >= BEAT:
            touch(beat)
            last = time.monotonic()
        for fd, _ in ready:
            if fd == 0:
                return os.read(0, 1)
            os.read(fd, 4096)
        tree.reap()
        if tree.leader_ended:
            return None


class Tree:
    """The command and all that descends from it."""

    def __init__(self, leader: int, confined: bool) -> None:
        self.leader = leader
        self.confined = confined
        self.leader_ended = False
        self.exit_code = 128 + signal.SIGKILL

    def reap(self) -> bool:
        """Collect the dead; False when nothing is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return not ADOPTS and self.signal_group(0)
            if pid == 0:
                return True
            if pid == self.leader:
                self.leader_ended = True
                code = os.waitstatus_to_exitcode(status)
                self.exit_code = code if code >= 0 else 128 - code

    def wait_empty(self, seconds: float, woken: int) -> None:
        """Wait a while for the tree to end by itself."""
        end = time.monotonic() + seconds
        while self.reap() and (left := end - time.monotonic()) > 0:
            # Grandchildren die without a SIGCHLD to us until we adopt them.
            if select.select([woken], [], [], min(left, 0.02))[0]:
                os.read(woken, 4096)

    def signal(self, number: int) -> None:
        """Send a signal to every process of the tree, and to the command's group.

        What confines the command is only ever killed: it would not pass on the
        news, and all that it holds would die with it.
        """
        children = families()
        spared = children.get(self.leader, []) if self.confined else []
        if number == signal.SIGKILL:
            spared = []
        for pid in descendants(children):
            if pid in spared:
                continue
            try:
                os.kill(pid, number)
            except OSError:
                pass  # It has ended meanwhile, or belongs to another user.
        if not (self.leader_ended and ADOPTS) and not spared:
            self.signal_group(number)

    def signal_group(self, number: int) -> bool:
        """Send a signal to the command's group; False if the group is empty."""
        try:
            os.killpg(self.leader, number)
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """Kill until nothing is left: a fork bomb needs more than one round."""
        end = time.monotonic() + GIVE_UP
        while self.reap() and time.monotonic() < end:
            self.signal(signal.SIGKILL)
            time.sleep(0.002)


def families() -> dict[int, list[int]]:
    """Return the children of every process according to /proc; empty without /proc."""
    children: dict[int, list[int]] = {}
    try:
        names = os.listdir("/proc")
    except OSError:
        return {}
    for name in names:
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    # The name in parentheses may hold anything, parentheses included.
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            children.setdefault(parent, []).append(int(name))
    return children


def descendants(children: dict[int, list[int]]) -> list[int]:
    """Return the pids of all descendants of this process."""
    found: list[int] = []
    queue = [os.getpid()]
    while queue:
        below = children.get(queue.pop(), [])
        found.extend(below)
        queue.extend(below)
    return found


if __name__ == "__main__":
    os._exit(main())
