"""The table of wrappers: programs whose arguments are another command, as documented."""

from __future__ import annotations

from ..values import Value


class Wrapper(Value):
    """How a wrapper reads its arguments.

    `values`: options that take one, letters and long names; `operands` of its
    own before the command; `script`: options whose value a shell reads; `joins`:
    the command is joined by spaces and read by a shell; `sets`: NAME=VALUE may
    precede the command; `then`: words of its own (`run`, `exec`), one of which
    precedes it, behind words of `via`; `hides`: why the command may do something else than it says.
    """

    values: str = ""
    operands: int = 0
    script: str = ""
    joins: bool = False
    sets: bool = False
    then: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    hides: str = ""


_REMOTE = "runs commands on another machine"
_VIEW = "builds another view of the files"
_CONTAINER = (
    "e env u user w workdir env-file v volume p publish name network l label mount entrypoint h"
    " hostname f file project-name project-directory profile index H host c context m memory cpus"
    " platform add-host device gpus restart log-driver ulimit"
)

WRAPPERS: dict[str, Wrapper] = {
    "aa-exec": Wrapper("p profile n namespace"),
    "abduco": Wrapper(operands=1),
    "arch": Wrapper("arch d e"),
    "asdf": Wrapper(then=("exec",)),
    "aws-vault": Wrapper("d duration n region", 1, then=("exec",)),
    "bear": Wrapper("output append config"),
    "builtin": Wrapper(),
    "bun": Wrapper("cwd", then=("x",)),
    "bundle": Wrapper(then=("exec",)),
    "busybox": Wrapper(),
    "bwrap": Wrapper(hides=_VIEW),
    "caffeinate": Wrapper("t w"),
    "catchsegv": Wrapper(),
    "ccache": Wrapper(),
    "cabal": Wrapper("project-file", then=("exec",)),
    "cgexec": Wrapper("g"),
    "chamber": Wrapper(operands=1, then=("exec",)),
    "choom": Wrapper("n adjust p pid"),
    "chpst": Wrapper("u U b e n l L m d o p f c r t / C P"),
    "chronic": Wrapper(),
    "chroot": Wrapper("userspec groups", 1, hides=_VIEW),
    "chrt": Wrapper("T P D sched-runtime sched-period sched-deadline", 1),
    "command": Wrapper(),
    "conda": Wrapper("n name p prefix cwd", then=("run",)),
    "cpulimit": Wrapper("l limit p pid e exe P path"),
    "cross-env": Wrapper(sets=True),
    "daemon": Wrapper("n name u user D chdir o output l errlog"),
    "daemonize": Wrapper("c e o p l u E"),
    "dbus-run-session": Wrapper("dbus-daemon config-file"),
    "direnv": Wrapper(then=("exec",), operands=1),
    "distcc": Wrapper(),
    "doas": Wrapper("u C", sets=True),
    "docker": Wrapper(_CONTAINER, 1, then=("exec", "run", "create", "debug"),
                      via=("compose", "container"), script="command"),
    "doppler": Wrapper("p project c config", then=("run",), script="command"),
    "dotenv": Wrapper("f file e v q", then=("run",)),
    "dune": Wrapper("root profile", then=("exec",)),
    "dtach": Wrapper("n c A", 0),
    "dumb-init": Wrapper("r rewrite"),
    "eatmydata": Wrapper(),
    "entr": Wrapper(),
    "env": Wrapper("u unset C chdir", script="S split-string", sets=True),
    "env-cmd": Wrapper("f file e environments"),
    "eval": Wrapper(joins=True),
    "exec": Wrapper("a"),
    "fakechroot": Wrapper("e environment c config-dir"),
    "fakeroot": Wrapper("l lib f faked s i b"),
    "faketime": Wrapper("f", 1),
    "firejail": Wrapper(),
    "flatpak": Wrapper("user", 1, then=("run",), script="command"),
    "fly": Wrapper("a app", then=("console",), via=("ssh",), script="C command"),
    "gcloud": Wrapper("zone project", 1, then=("ssh",), via=("compute",), script="command"),
    "heroku": Wrapper("a app", then=("run",)),
    "flatpak-spawn": Wrapper("env directory"),
    "flock": Wrapper("w wait timeout E conflict-exit-code", 1, script="c command"),
    "gosu": Wrapper(operands=1),
    "guix": Wrapper("m manifest", then=("shell", "environment")),
    "hatch": Wrapper("e env", then=("run",)),
    "heaptrack": Wrapper("o output"),
    "hyperfine": Wrapper("w r m M", joins=True, script="p prepare c cleanup s setup"),
    "ionice": Wrapper("c class n classdata p pid P pgid u uid"),
    "ip": Wrapper("n netns", 1, then=("exec",), via=("netns", "vrf")),
    "jenv": Wrapper(then=("exec",)),
    "lldb-server": Wrapper(),
    "kubectl": Wrapper("n namespace c container context f filename image", 1,
                       then=("exec", "run", "debug", "attach")),
    "ltrace": Wrapper("e o p u n l x s S a A D F output library"),
    "lxc": Wrapper("user cwd env", 1, then=("exec",)),
    "meson": Wrapper("C w workdir", then=("devenv",)),
    "minikube": Wrapper("p profile n node", then=("ssh",), joins=True),
    "mix": Wrapper(then=("cmd",)),
    "mise": Wrapper("C cd E env j jobs", then=("exec", "x"), script="c command"),
    "multipass": Wrapper("d working-directory", 1, then=("exec",)),
    "nice": Wrapper("n adjustment"),
    "nix": Wrapper("impure", then=("develop", "shell", "run"), script=""),
    "nix-shell": Wrapper("p packages I A attr", script="run command"),
    "nocache": Wrapper("n"),
    "nodenv": Wrapper(then=("exec",)),
    "nohup": Wrapper(),
    "npm": Wrapper("package p w workspace prefix C", then=("exec", "x", "explore"),
                   script="c call"),
    "npx": Wrapper("p package", script="c call"),
    "nq": Wrapper(),
    "nsenter": Wrapper("t target S setuid G setgid", hides="enters other namespaces"),
    "numactl": Wrapper("i interleave p preferred N cpunodebind m membind C physcpubind l"),
    "nx": Wrapper(then=("exec",)),
    "op": Wrapper("env-file account", then=("run",)),
    "parallel": Wrapper("j jobs a arg-file I colsep delay joblog results S sshlogin timeout N n L",
                        joins=True),
    "pdm": Wrapper("p project", then=("run",)),
    "perf": Wrapper("e event o output F c C p", then=("record", "stat", "trace")),
    "pipenv": Wrapper(then=("run",)),
    "pipx": Wrapper("spec python pip-args", then=("run",)),
    "pkexec": Wrapper("user"),
    "pnpm": Wrapper("C dir filter F", then=("exec", "dlx")),
    "poetry": Wrapper("C directory P project", then=("run",)),
    "prlimit": Wrapper("p pid o output"),
    "proot": Wrapper("r rootfs b bind w pwd q", hides=_VIEW),
    "proxychains": Wrapper("f"),
    "pyenv": Wrapper(then=("exec",)),
    "rbenv": Wrapper(then=("exec",)),
    "rlwrap": Wrapper("b c D f F H l O P q s S t w z"),
    "rustup": Wrapper(operands=1, then=("run",)),
    "rr": Wrapper(then=("record",)),
    "runuser": Wrapper("u user g group G supp-group s shell w", script="c command"),
    "rye": Wrapper(then=("run",)),
    "scan-build": Wrapper("o"),
    "schroot": Wrapper("c chroot u user d directory s shell"),
    "script": Wrapper("E echo I log-in O log-out B log-io T log-timing m o output-limit",
                      operands=1, script="c command"),
    "setarch": Wrapper(operands=1),
    "setlock": Wrapper(operands=1),
    "setpriv": Wrapper("reuid regid groups bounding-set ambient-caps inh-caps securebits"),
    "setsid": Wrapper(),
    "sg": Wrapper(operands=1, script="c command"),
    "softlimit": Wrapper("m d s l a f o c r t p"),
    "ssh": Wrapper("B b c D E e F I i J L l m O o p Q R S W w", 1, joins=True, hides=_REMOTE),
    "sshpass": Wrapper("p f d P"),
    "start-stop-daemon": Wrapper("x exec p pidfile u user n name a startas c chuid d chdir"),
    "stack": Wrapper("package cwd", then=("exec",)),
    "stdbuf": Wrapper("i input o output e error"),
    "strace": Wrapper("e expr o output p attach s string-limit E env u user a b I O P S U X"),
    "su": Wrapper("s shell g group G supp-group w", operands=1, script="c command"),
    "su-exec": Wrapper(operands=1),
    "sudo": Wrapper("u user g group h host p prompt C close-from r role t type T command-timeout"
                    " U other-user R chroot D chdir", sets=True),
    "systemd-cat": Wrapper("t identifier p priority"),
    "systemd-inhibit": Wrapper("what who why mode"),
    "systemd-run": Wrapper("unit p property description slice uid gid nice E setenv M H t"),
    "taskset": Wrapper("p pid", 1),
    "time": Wrapper("f format o output"),
    "timeout": Wrapper("k kill-after s signal", 1),
    "tini": Wrapper("p e"),
    "torsocks": Wrapper(),
    "tox": Wrapper("e c", then=("exec",)),
    "toybox": Wrapper(),
    "tsp": Wrapper(),
    "unbuffer": Wrapper(),
    "unshare": Wrapper("R root w wd S setuid G setgid map-user map-group propagation"),
    "uv": Wrapper("with python p directory project package extra group from", then=("run",),
                  via=("tool",)),
    "uvx": Wrapper("with python p from"),
    "vagrant": Wrapper(operands=0, then=("ssh",), script="c command"),
    "valgrind": Wrapper(),
    "watch": Wrapper("n interval", joins=True),
    "watchexec": Wrapper("w watch e exts f filter i ignore s signal d debounce"),
    "xargs": Wrapper("a arg-file d delimiter E I replace L max-lines n max-args P max-procs s"
                     " max-chars process-slot-var"),
    "xvfb-run": Wrapper("e error-file f auth-file n server-num p xauth-protocol s server-args w"),
    "yarn": Wrapper("cwd", then=("exec", "dlx")),
}  # fmt: skip
for _name, _same in {
    "setarch32": "setarch", "linux32": "nohup", "linux64": "nohup", "i386": "nohup",
    "x86_64": "nohup", "gtimeout": "timeout", "gxargs": "xargs", "genv": "env", "gnice": "nice",
    "gstdbuf": "stdbuf", "gtime": "time", "bunx": "uvx", "sem": "parallel", "setuidgid": "gosu",
    "autossh": "ssh", "rsh": "ssh", "mosh": "ssh", "envdir": "gosu", "remsh": "ssh",
    "podman": "docker", "nerdctl": "docker", "docker-compose": "docker",
    "proxychains4": "proxychains", "tsocks": "torsocks", "rtx": "mise",
    "mamba": "conda", "micromamba": "conda", "flyctl": "fly", "oc": "kubectl",
    "fakeroot-ng": "fakeroot", "strace64": "strace",
}.items():  # fmt: skip
    WRAPPERS[_name] = WRAPPERS[_same]
