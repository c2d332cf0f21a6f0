"""What a confined command cannot reach: files, devices, kernel settings, processes."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from a3s_cli.sandbox import hidden

from .cage import Cage

#: Each tries to leave a mark outside; `$O` is a directory of the user's own beside the workspace.
ATTEMPTS = {
    "write": "echo x > $O/new",
    "append": "echo x >> $O/old",
    "remove": "rm -f $O/old",
    "rename": "mv $O/old $O/new",
    "hard link": "ln $O/old $O/new",
    "hard link inwards": "ln $O/old here && echo x > here",
    "mode": "chmod 777 $O/old",
    "times": "touch -d 2000-01-01 $O/old",
    "through a link": "ln -s $O link; echo x > link/new",
    "through the root of a process": "echo x > /proc/self/root$O/new",
    "through the first process": "echo x > /proc/1/root$O/new; echo x > /proc/1/cwd$O/new",
    "remount": "mount -o remount,bind,rw /; mount -o remount,rw /; echo x > $O/new",
    "bind": "mkdir m; mount --bind $O m; echo x > m/new",
    "a namespace of its own": "unshare -rm sh -c 'mount -o remount,bind,rw /; echo x > $O/new'",
    "the namespace of another": "nsenter -t 1 -m sh -c 'echo x > $O/new'",
    "chroot": "chroot / sh -c 'echo x > $O/new'",
    "device": "mknod d b 254 0 && echo -n sneaked > here",
    "disk": "cat /dev/vda /dev/sda | head -c1 | grep -q . && echo -n sneaked > here",
    "system directory": "echo x > /etc/a3s-test; echo x > /usr/a3s-test",
    "kernel setting": "echo a3s-test > /proc/sys/kernel/core_pattern",
    "kernel request": "echo b > /proc/sysrq-trigger",
    "kernel object": "echo 1 > /sys/kernel/uevent_helper",
    "host name": "hostname a3s-test",
    "clock": "date -s 2000-01-01",
    "set-uid": "cp /bin/true s && chown 1 s && chmod u+s s && echo -n sneaked > here",
}


def test_nothing_outside_is_changed(cage: Cage) -> None:
    script, before = "", {}
    for number, attempt in enumerate(ATTEMPTS):
        own = cage.directory(str(number), below=cage.outside)
        cage.file("old", "old\n", below=own)
        before[attempt] = state(own)
        cage.directory(str(number), below=cage.work)
        script += f"(cd {number}; O={own}; {ATTEMPTS[attempt]})\n"
    core = Path("/proc/sys/kernel/core_pattern").read_text()
    outcome = cage.bash(script)
    after = {attempt: state(cage.outside / str(n)) for n, attempt in enumerate(ATTEMPTS)}
    assert after == before, outcome.output
    assert Path("/proc/sys/kernel/core_pattern").read_text() == core
    assert not os.path.exists("/etc/a3s-test") and not os.path.exists("/usr/a3s-test")
    assert "sneaked" not in cage.tree().values()


def state(directory: Path) -> dict[str, object]:
    """Every file with its content, its mode, its links and its time."""
    found: dict[str, object] = {}
    for path in directory.iterdir():
        status = path.lstat()
        numbers = (status.st_mode, status.st_nlink, status.st_mtime_ns)
        found[path.name] = (path.read_text(), *numbers)
    return found


def test_the_workspace_is_writable_and_the_rest_is_seen(cage: Cage) -> None:
    cage.file("note", "seen\n", below=cage.outside)
    outcome = cage.bash(f"pwd; echo new > new; mkdir d; mv new d; cat {cage.outside}/note; exit 7")
    assert (outcome.status, outcome.output) == (7, f"{cage.work}\nseen\n")
    assert cage.tree() == {"d": None, "d/new": "new\n"}
    assert (cage.work / "d/new").stat().st_uid == cage.driver.uid


def test_a_read_only_workspace(cage: Cage) -> None:
    cage.file("old", "old\n")
    script = "echo x > new; echo x > old; rm old; mkdir .git; touch .envrc; cat old"
    outcome = cage.bash(script, read_only=True)
    assert outcome.output.count("Read-only file system") == 5
    assert outcome.output.endswith("old\n")
    assert cage.tree() == {"old": "old\n"}


def test_no_capability_and_no_way_to_get_one(cage: Cage) -> None:
    """Neither the command nor process 1, which it could trace."""
    script = (
        "for p in self 1; do grep -E '^(Cap|NoNew|Seccomp:)' /proc/$p/status | tr -d '\\t'; done"
    )
    lines = [line.split(":") for line in cage.bash(f"{script}; id -u").output.split()]
    expected = [[name, "0" * 16] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
    expected += [["NoNewPrivs", "1"], ["Seccomp", "2"]]
    assert lines == [*expected, *expected, [str(cage.driver.uid)]]


def test_other_processes_are_not_there(cage: Cage) -> None:
    """Nor is the environment of ours, which has the keys."""
    script = f"""
    kill -0 {os.getpid()} && echo reached
    ps ax | wc -l
    cat /proc/*/environ /proc/$PPID/environ | tr '\\0' '\\n' | grep -c -E 'canary|CANARY'
    cat /proc/*/cmdline | tr '\\0' ' ' | grep -c -E 'driver|supervisor'
    """
    outcome = cage.bash(script)
    assert "reached" not in outcome.output
    numbers = [int(line) for line in outcome.output.splitlines() if line.isdigit()]
    assert numbers[0] < 10
    # The second pattern finds the script that has it.
    assert numbers[1] == 0
    assert "canary-of-the-driver" not in outcome.output


def test_descriptors_and_memory_of_ours_are_not_there(cage: Cage) -> None:
    outcome = cage.bash(
        "for p in /proc/[0-9]*; do readlink $p/fd/*; done | sort -u; ipcs -m | wc -l"
    )
    names = {line.partition(":")[0] for line in outcome.output.splitlines()}
    assert not {name for name in names if name.startswith("/") and name not in _OWN}, names
    assert "memfd" not in outcome.output


_OWN = {"/dev/null", "/proc"}


@pytest.mark.parametrize("where", ["/tmp", "/var/tmp", "/dev/shm"])
def test_temporary_files_are_private(cage: Cage, where: str) -> None:
    secret = Path(where, f"{cage.mark}-secret")
    secret.write_text("secret")
    try:
        outcome = cage.bash(f"cat {secret}; echo x > {where}/{cage.mark}-mine; ls -A {where}")
    finally:
        secret.unlink()
    assert "No such file" in outcome.output
    assert f"{cage.mark}-mine" in outcome.output
    assert not Path(where, f"{cage.mark}-mine").exists()


def test_temporary_files_are_there_for_the_next_command(cage: Cage, shared: Path) -> None:
    """And gone after the run."""
    first = "echo kept > /tmp/file; mkdir -p /tmp/d/e; mktemp -d"
    then = ["bash", "-c", "cat /tmp/file /var/tmp/file; ls /tmp"]
    outcome = cage.bash(first, then=[then])
    made, *seen = outcome.output.split()
    assert seen == ["kept", "kept", "d", "file", Path(made).name]
    assert not list((shared / "tmp").glob("*/d/e"))


def test_a_temporary_directory_elsewhere_is_private_as_well(cage: Cage) -> None:
    elsewhere = cage.directory("scratch")
    cage.file("secret", "secret", below=elsewhere)
    outcome = cage.bash("ls -A $TMPDIR; mktemp", environment={"TMPDIR": str(elsewhere)})
    assert outcome.output.startswith(f"{elsewhere}/tmp.")
    assert cage.tree(elsewhere) == {"secret": "secret"}


def test_run_and_sockets_of_agents_are_hidden(cage: Cage) -> None:
    path = cage.root / "agent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        path.chmod(0o777)
        script = f'ls -A /run /var/run; python3 -c "{_CONNECT}" {path}'
        outcome = cage.bash(script, environ={"DBUS_ADDRESS": f"unix:path={path},guid=1"})
        assert "connected" not in outcome.output
        # The socket can only be found by its name: that is the limit of the promise.
        assert "connected" in cage.bash(script).output


_CONNECT = (
    "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
    "print('connected')"
)


def test_links_that_change_under_a_running_command(cage: Cage) -> None:
    """One command exchanges a directory for a link outwards while another one writes there."""
    cage.file("old", "old\n", below=cage.outside)
    loop = "import os, sys, time; end = time.monotonic() + 0.4; o = sys.argv[1]\n"
    loop += "while time.monotonic() < end:\n  try:\n    "
    swap = "os.mkdir('d'); os.rename('d', 'x'); os.symlink(o, 'd'); os.unlink('d'); os.rmdir('x')"
    write = "open('d/new', 'w').write('x')"
    argvs = [
        ["python3", "-c", f"{loop}{body}\n  except OSError: pass", str(cage.outside)]
        for body in (swap, write)
    ]
    assert cage.run(*argvs).status == 0
    assert cage.tree(cage.outside) == {"old": "old\n"}


def test_what_only_root_may_read(cage: Cage) -> None:
    """Root without capabilities still owns it."""
    assert "root:" in Path("/etc/passwd").read_text()
    outcome = cage.bash("cat /etc/shadow /etc/gshadow; ls /root; cat /root/.bashrc | head -c0")
    assert "root:" not in outcome.output


def test_every_mount_that_can_be_written(cage: Cage) -> None:
    outcome = cage.bash("cat /proc/self/mountinfo")
    writable = set()
    for line in outcome.output.splitlines():
        words, (kind, *_) = line.split(), line.partition(" - ")[2].split()
        if "ro" not in words[5].split(",") and kind not in ("tmpfs", "devpts"):
            writable.add(words[4])
    devices = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")}
    private = {path for path in writable if path.startswith(f"{cage.root}/cache/a3s/commands/")}
    assert len(private) == 1
    assert writable - devices - private == {str(cage.work), "/tmp", "/var/tmp"}


def test_forms_of_an_address(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        for form in ("{}", "unix://{}", "unix:path={},guid=1", "{}:1:1", "{},5,0"):
            assert str(path) in hidden.hidden({"ANY": form.format(path)})
        assert str(path) not in hidden.hidden({"ANY": f"x{path}"})
