"""The system calls that a confined command may not use: a small BPF program.

It removes what no build, test or shell needs and what kernels have most often been
attacked through: mounts and namespaces, kernel keys, BPF,
io_uring, exotic socket families, typing into a terminal. Everything else stays,
so that ordinary programs run. `clone3` hides its flags behind a pointer, which a
filter cannot read; it does not exist here, and the C library falls back to
`clone`.
"""

from __future__ import annotations

import errno
import os
import sys

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
#: Offsets in what the kernel shows of a call: its number, its architecture, its arguments.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK, _NETLINK_ROUTE = 1, 2, 10, 16, 0
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
#: CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET; `unshare` has CLONE_NEWTIME as well.
_NAMESPACES, _NEW_TIME = 0x7E020000, 0x80

#: name: (x86_64, aarch64); None where there is no such call.
_DENIED: dict[str, tuple[int | None, int]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "perf_event_open": (298, 241),
    "pivot_root": (155, 41),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setns": (308, 268),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
_X86_ONLY = {"ioperm": 173, "iopl": 172, "uselib": 134, "_sysctl": 156}
#: What is looked at more closely, in the order x86_64, aarch64.
_CLONE, _CLONE3, _UNSHARE = (56, 220), (435, 435), (272, 97)
_SOCKET, _SOCKETPAIR, _IOCTL = (41, 198), (53, 199), (16, 29)
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000


def program() -> bytes | None:
    """Return the filter for this machine; None if there is none."""
    machine = _MACHINES.get(os.uname().machine)
    if machine is None or sys.maxsize < 2**32:
        return None
    column, architecture = machine
    filter_ = [
        *_load(_ARCHITECTURE),
        *_jump(_EQUAL, architecture, 1, 0),
        *_return(_KILL),  # another architecture's calls have other numbers
        *_load(_NUMBER),
    ]
    if column == 0:
        filter_ += _when(_AT_LEAST, _X32, _return(_ERRNO | errno.ENOSYS))
    denied = [calls[column] for calls in _DENIED.values()]
    denied += _X86_ONLY.values() if column == 0 else ()
    for number in denied:
        if number is not None:
            filter_ += _when(_EQUAL, number, _return(_ERRNO | errno.EPERM))
    filter_ += _when(_EQUAL, _CLONE3[column], _return(_ERRNO | errno.ENOSYS))
    filter_ += _when(_EQUAL, _CLONE[column], _unless_bits(_NAMESPACES))
    filter_ += _when(_EQUAL, _UNSHARE[column], _unless_bits(_NAMESPACES | _NEW_TIME))
    filter_ += _when(_EQUAL, _IOCTL[column], _unless_terminal())
    filter_ += _when(_EQUAL, _SOCKETPAIR[column], _families(_AF_UNIX))
    filter_ += _when(_EQUAL, _SOCKET[column], _families(_AF_UNIX, _AF_INET, _AF_INET6, route=True))
    return b"".join([*filter_, *_return(_ALLOW)])


def _unless_bits(flags: int) -> list[bytes]:
    return [
        *_load(_ARGUMENTS),
        *_jump(_ANY_BIT, flags, 0, 1),
        *_return(_ERRNO | errno.EPERM),
        *_return(_ALLOW),
    ]


def _unless_terminal() -> list[bytes]:
    """Refuse to type into a terminal, or to paste into one."""
    return [
        *_load(_ARGUMENTS + 8),
        *_jump(_EQUAL, _TIOCSTI, 1, 0),
        *_jump(_EQUAL, _TIOCLINUX, 0, 1),
        *_return(_ERRNO | errno.EPERM),
        *_return(_ALLOW),
    ]


def _families(*families: int, route: bool = False) -> list[bytes]:
    """Allow sockets of these families, and of netlink what tells of the network alone."""
    block = _load(_ARGUMENTS)
    for family in families:
        block += _when(_EQUAL, family, _return(_ALLOW))
    if route:
        question = [*_load(_ARGUMENTS + 16), *_when(_EQUAL, _NETLINK_ROUTE, _return(_ALLOW))]
        block += _when(_EQUAL, _AF_NETLINK, [*question, *_return(_ERRNO | errno.EAFNOSUPPORT)])
    return [*block, *_return(_ERRNO | errno.EAFNOSUPPORT)]


def _when(test: int, value: int, block: list[bytes]) -> list[bytes]:
    """Do a block that returns, if the loaded word passes the test."""
    return [*_jump(test, value, 0, len(block)), *block]


def _load(offset: int) -> list[bytes]:
    # The low half of an argument: all that counts of an int, and both machines have it first.
    return [_instruction(_LOAD, 0, 0, offset)]


def _jump(test: int, value: int, then: int, otherwise: int) -> list[bytes]:
    return [_instruction(test, then, otherwise, value)]


def _return(action: int) -> list[bytes]:
    return [_instruction(_RETURN, 0, 0, action)]


def _instruction(code: int, then: int, otherwise: int, value: int) -> bytes:
    return code.to_bytes(2, "little") + bytes((then, otherwise)) + value.to_bytes(4, "little")
