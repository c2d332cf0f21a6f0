"""Holds one command's whole process tree, and takes it down. A script, not a module.

`process.py` runs this file with a bare interpreter (`-I -S`), once for each
command. As a child subreaper it stays the ancestor of everything that the
command starts, however it detaches itself (`setsid`, double fork, `nohup`), and
it needs no knowledge of processes that are not its own. Its standard input is
the lifeline to a3s: whatever happens to a3s, even SIGKILL, closes it, and then
the tree dies. Because this is a process of its own, a3s can be a guest in another
program, where it must neither reap nor adopt.

    supervisor.py GRACE [--confined [--hold PATH | --watch PATH] …] -- COMMAND [ARGUMENT …]

Between it and the command stands a stub, so that `$PPID`, the one process that
every command knows, is not the one that holds the tree. The supervisor exits
with the command's own status, 128 + n for a signal, 127 when there is no such
command and 126 when it cannot be run.

With `--confined` the command is a program that runs another one in a namespace
of its own, where some paths are mounted read-only. A mount needs something to be
there: for as long as the tree lives, an empty directory is held where nothing
is. What cannot be mounted over, a link or a file that must not exist, is watched,
and put back as it was at the end.
"""

import errno
import os
import select
import signal
import stat
import sys
import time

#: Seconds in which what the command left behind may end by itself (`> >(sort)`).
DRAIN = 0.2
#: Seconds after which a process that survives SIGKILL is left to the kernel.
GIVE_UP = 5.0
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
#: The mode of a placeholder: no other program makes such a directory.
PLACEHOLDER = 0o1555
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
    places = Places()
    try:
        for option, path in zip(options[1::2], options[2::2], strict=True):
            places.hold(path) if option == "--hold" else places.watch(path)
    except OSError as failure:
        os.write(2, f"a3s: {path} cannot be protected: {failure.strerror}\n".encode())
        places.release()
        return 126
    leader = start(command)
    # Only the command's tree may keep the output pipe open from here on.
    quiet = os.open(os.devnull, os.O_RDWR)
    tree = Tree(leader, confined=bool(options))
    order = wait(tree, woken)
    os.dup2(quiet, 2)
    if order is None:
        tree.wait_empty(DRAIN, woken)
    if order != b"K":
        tree.signal(signal.SIGTERM)
        tree.wait_empty(grace, woken)
    tree.kill()
    places.release()
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


def start(command: list[str]) -> int:
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
            execute(command, stub)
        _, raw = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(raw)
        status = code if code >= 0 else 128 - code
    finally:
        os._exit(status)


def execute(command: list[str], stub: int) -> None:
    """Become the command, with nothing on stdin; does not return."""
    try:
        die_with(stub)
        for number in (*IGNORED, signal.SIGCHLD, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.execvp(command[0], command)
    except FileNotFoundError:
        os.write(2, f"{command[0]}: command not found\n".encode())
        os._exit(127)
    except OSError as failure:
        os.write(2, f"{command[0]}: {failure.strerror}\n".encode())
        os._exit(126)
    finally:
        os._exit(126)


def wait(tree: "Tree", woken: int) -> bytes | None:
    """Wait until the command ends (None) or a3s orders its end (a byte, or EOF)."""
    poller = select.poll()
    poller.register(0, select.POLLIN)
    poller.register(woken, select.POLLIN)
    while True:
        for fd, _ in poller.poll():
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


class Places:
    """The paths that the command must not change, where a mount alone cannot see to it."""

    def __init__(self) -> None:
        #: Path -> a descriptor of the placeholder, locked by everyone who needs it.
        self.held: dict[str, int] = {}
        #: Path -> where the link leads; None where there is nothing.
        self.watched: dict[str, str | None] = {}

    def watch(self, path: str) -> None:
        """Remember what is there, if it is a link or nothing."""
        try:
            self.watched[path] = os.readlink(path)
        except FileNotFoundError:
            self.watched[path] = None
        except OSError:
            pass  # It is something that can be mounted over.

    def hold(self, path: str) -> None:
        """Have something at this path until `release`."""
        made = False
        while True:
            try:
                status = os.lstat(path)
            except FileNotFoundError:
                if not make_placeholder(path):
                    return
                made = True
                continue
            mode = stat.S_IMODE(status.st_mode) & 0o1777
            if not stat.S_ISDIR(status.st_mode) or not (made or mode == PLACEHOLDER):
                return
            if self.lock(path, status):
                return

    def lock(self, path: str, status: os.stat_result) -> bool:
        """Share the placeholder with other commands; False if the last of them has removed it."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        flock(descriptor, "LOCK_SH")
        try:
            if os.path.samestat(os.lstat(path), status):
                self.held[path] = descriptor
                return True
        except FileNotFoundError:
            pass
        os.close(descriptor)
        return False

    def release(self) -> None:
        """Remove the placeholders that are no longer needed, and put back what was watched."""
        for path, descriptor in self.held.items():
            try:
                flock(descriptor, "LOCK_EX", "LOCK_NB")
                os.rmdir(path)
            except OSError:
                pass  # Another command holds it, or something was put in there.
        for path, target in self.watched.items():
            put_back(path, target)


def flock(descriptor: int, *operations: str) -> None:
    """Lock, or fail; most commands are not confined and start without this import."""
    import fcntl

    fcntl.flock(descriptor, sum(getattr(fcntl, operation) for operation in operations))


def make_placeholder(path: str) -> bool:
    """Make an empty directory; False where none can be made."""
    mask = os.umask(0)
    try:
        os.mkdir(path, PLACEHOLDER)
    except FileExistsError:
        pass
    except OSError as failure:
        own = os.stat(os.path.dirname(path)).st_uid == os.geteuid()
        # The owner of a directory could give himself the right that is missing.
        if failure.errno == errno.EROFS or (failure.errno == errno.EACCES and not own):
            return False
        raise
    finally:
        os.umask(mask)
    return True


def put_back(path: str, target: str | None) -> None:
    """Restore a watched path; what is there instead is kept under another name."""
    try:
        now = os.readlink(path)
    except FileNotFoundError:
        now = None
    except OSError:
        now = ""
    if now == target:
        return
    told = f"a3s: {path} is protected: what the command did to it is undone"
    try:
        if now is not None:
            aside = f"{path}.a3s-{os.urandom(4).hex()}"
            os.rename(path, aside)
            told += f"; what it put there is now {aside}"
        if target is not None:
            os.symlink(target, path)
    except OSError as failure:
        told = f"a3s: {path} is protected, and cannot be restored: {failure.strerror}"
    try:
        os.write(1, f"{told}\n".encode(errors="surrogateescape"))
    except OSError:
        pass  # The output is closed; what is still to be restored matters more.


if __name__ == "__main__":
    os._exit(main())
