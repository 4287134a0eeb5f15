"""Isolate one kernel on Linux: its own namespaces, folders and limits, no privileges, fewer system calls.

The fork server runs inside bubblewrap or Podman, which decides what is visible of the machine. Here each kernel that it
forks is separated from the others, before any code of a student runs. For the mechanisms see namespaces(7), mount(2),
capabilities(7), seccomp(2) and the kernel's Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HOME, TEMPORARY = "/home/student", "/tmp"
HOSTED = ("/content", "/kaggle")
"""The folders of hosted notebook services; here they are in memory, for notebooks that were written there."""

HOSTED_FOLDERS = ("/content/drive/MyDrive", "/content/sample_data", "/kaggle/working", "/kaggle/input", "/kaggle/temp")
NOBODY = 65534
INSIDE = 1000
"""The user and group ids that a kernel sees as its own."""

NEW_MOUNTS, NEW_UTS, NEW_IPC, NEW_USER, NEW_PIDS, NEW_NETWORK = (
    0x00020000,
    0x04000000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
NEW_CGROUP, NEW_TIME = 0x02000000, 0x00000080
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC, REMOUNT, BIND = 0x1, 0x2, 0x4, 0x8, 0x20, 0x1000
RECURSIVE, PRIVATE = 0x4000, 0x40000
SET_PARENT_DEATH_SIGNAL, SET_DUMPABLE, SET_SECCOMP, DROP_BOUND, NO_NEW_PRIVILEGES, CLEAR_AMBIENT = 1, 4, 22, 24, 38, 47

# Numbers of system calls on x86-64 and on 64-bit ARM (None where there is none), from the kernel's own tables.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117),
    "syslog": (103, 116),
    "uselib": (134, None),
    "personality": (135, 92),
    "pivot_root": (155, 41),
    "adjtimex": (159, 171),
    "chroot": (161, 51),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "mount": (165, 40),
    "umount2": (166, 39),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, None),
    "ioperm": (173, None),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "quotactl": (179, 60),
    "clock_settime": (227, 112),
    "kexec_load": (246, 104),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "perf_event_open": (298, 241),
    "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "clock_adjtime": (305, 266),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "finit_module": (313, 273),
    "kexec_file_load": (320, 294),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "pidfd_getfd": (438, 438),
    "mount_setattr": (442, 442),
    # Memory that belongs to no process, so that the limits of processes do not cover it.
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "memfd_secret": (447, 447),
}
MACHINES = {"x86_64": (0, 0xC000003E, 126), "aarch64": (1, 0xC00000B7, 91)}
"""By machine: column of REFUSED, number of the architecture in seccomp, number of the system call capset."""
CLONE, SOCKET = (56, 220), (41, 198)
MISSING = {"clone3": (435, 435), "close_range": (436, 436), "memfd_create": (319, 279)}
"""Calls that fail as if the system did not have them, so that programs use others instead. A file made by
`memfd_create` would also be memory that belongs to no process."""

DUP, DUP2, DUP3, CLOSE, FCNTL, SHUTDOWN = (32, 23), (33, None), (292, 24), (3, 57), (72, 25), (48, 210)
IOCTL, SET_OPTION, MMAP = (16, 29), (54, 208), (9, 222)
SEND_BUFFER, RECEIVE_BUFFER = 7, 8
"""Options that make the buffers of a socket larger; what is in them belongs to no process."""
MAP_SHARED, MAP_ANONYMOUS = 0x1, 0x20
"""Together they make memory that stays although the process that wrote it no longer has it mapped."""
"""Calls that could close the connection with the oracle, replace it or change how it works."""
FAMILIES = (1, 2, 10, 16)
"""Socket families that are allowed: local, IPv4, IPv6, netlink. None of them reaches a network."""

_libc = ctypes.CDLL(None, use_errno=True)


def _call(function: str, *arguments: Any) -> int:
    result = int(getattr(_libc, function)(*arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")
    return result


def end_with(parent: int) -> None:
    """Make this process, on Linux, end with the process that forked it, even if that is killed. In a process namespace
    of the parent this is not needed, because all its processes end together."""
    if sys.platform == "linux":
        _call("prctl", SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


@contextlib.contextmanager
def own_process_ids() -> Iterator[None]:
    """Make a process that is forked in this context the first of a new process namespace: when it ends, every process
    that it started ends, too."""
    _call("unshare", NEW_PIDS)
    try:
        yield
    finally:
        with open("/proc/self/ns/pid") as own:
            _call("setns", own.fileno(), NEW_PIDS)


def unshare_namespaces(space: int) -> None:
    """Give this process its own network, mounts, host name and shared memory. HOME, /tmp, /dev/shm and the folders in
    HOSTED are empty, in memory, and the only writable ones; `space` is the size of HOME and of /tmp in bytes."""
    _call("unshare", NEW_MOUNTS | NEW_UTS | NEW_IPC | NEW_NETWORK)
    _call("mount", None, b"/", None, RECURSIVE | PRIVATE, None)
    _call("mount", b"proc", b"/proc", b"proc", NO_SUID | NO_DEVICES | NO_EXEC, None)
    _call("mount", None, b"/dev", None, REMOUNT | BIND | READ_ONLY | NO_SUID, None)
    if holds_python():
        _call("mount", None, TEMPORARY.encode(), None, REMOUNT | BIND | READ_ONLY | NO_SUID | NO_DEVICES, None)
    for folder, size in _memory_folders(space).items():
        _memory_folder(folder, size)
    for place in HOSTED_FOLDERS:
        if os.path.isdir(f"/{place.split('/')[1]}"):
            _make_folders(place)


def _memory_folders(space: int) -> dict[str, int]:
    """Return the folders of a kernel that are in memory, with their sizes in bytes."""
    folders = {HOME: space, "/dev/shm": space // 4, "/dev/pts": 4096}
    folders |= {folder: space // 4 for folder in HOSTED if os.path.isdir(folder)}
    return folders if holds_python() else {TEMPORARY: space, **folders}


def count_files(pid: int) -> int:
    """Count the bytes of a kernel's files in memory, which belong to no process."""
    total = 0
    for folder in _memory_folders(0):
        with contextlib.suppress(OSError):
            place = os.statvfs(f"/proc/{pid}/root{folder}")
            total += (place.f_blocks - place.f_bfree) * place.f_frsize
    return total


def _make_folders(path: str) -> None:
    """Create a folder, and those above it that are missing, for the kernel's user."""
    if not os.path.isdir(path):
        _make_folders(os.path.dirname(path))
        os.mkdir(path)
        os.chown(path, owner(), owner())


def holds_python() -> bool:
    """Whether the interpreter or its packages are below /tmp, which then must not be replaced."""
    return any(Path(prefix).is_relative_to(TEMPORARY) for prefix in (sys.prefix, sys.base_prefix))


def _memory_folder(folder: str, size: int) -> None:
    options = f"size={size},nr_inodes=20000,mode=0700,uid={owner()},gid={owner()}".encode()
    _call("mount", b"tmpfs", folder.encode(), b"tmpfs", NO_SUID | NO_DEVICES, options)


def apply_limits(limits: dict[str, int], oracle: int) -> None:
    """Set the limits and drop all privileges for good; the descriptor `oracle` can then not be closed or replaced."""
    for name, limit in (
        (resource.RLIMIT_AS, limits["address_space"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_FSIZE, limits["file_size"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(name, (limit, limit))
    _become_nobody()
    resource.setrlimit(resource.RLIMIT_NPROC, (limits["processes"], limits["processes"]))
    _drop_capabilities()
    _call("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    _refuse_calls(oracle)


def _is_real_root() -> bool:
    """Whether user 0 here is the machine's root: then all users are mapped, and this process can switch to another."""
    return int(Path("/proc/self/uid_map").read_text(encoding="ascii").split()[2]) > NOBODY


def owner() -> int:
    """Return the user and group id, in the fork server's namespace, of the kernel."""
    return NOBODY if _is_real_root() else 0


def _become_nobody() -> None:
    """Switch to a user without rights in a new user namespace, where its processes are counted separately."""
    if _is_real_root():
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    user, group = os.getuid(), os.getgid()
    _call("unshare", NEW_USER)
    _call("prctl", SET_DUMPABLE, 1, 0, 0, 0)  # without it, /proc/self is not writable after a change of user
    for name, text in (("setgroups", "deny"), ("uid_map", f"{INSIDE} {user} 1"), ("gid_map", f"{INSIDE} {group} 1")):
        Path("/proc/self", name).write_text(text, encoding="ascii")


def _drop_capabilities() -> None:
    for capability in range(64):
        if _libc.prctl(DROP_BOUND, capability, 0, 0, 0) < 0:
            break
    _call("prctl", CLEAR_AMBIENT, 4, 0, 0, 0)
    header = struct.pack("=Ii", 0x20080522, 0)
    _call("syscall", MACHINES[platform.machine()][2], header, bytes(24))


def _refuse_calls(oracle: int) -> None:
    """Install the filter, see seccomp(2). Refused calls fail with EPERM, as they do without the privilege."""
    column, architecture, _ = MACHINES[platform.machine()]
    program = _filter(column, architecture, oracle)
    instructions = ctypes.create_string_buffer(b"".join(program), 8 * len(program))
    packed = struct.pack("HxxxxxxP", len(program), ctypes.addressof(instructions))
    _call("prctl", SET_SECCOMP, 2, packed, 0, 0)


def _filter(column: int, architecture: int, oracle: int) -> list[bytes]:
    """Return the seccomp program in classic BPF: each instruction is code, jump if true, jump if false, operand."""

    def load(offset: int) -> bytes:
        return struct.pack("=HBBI", 0x20, 0, 0, offset)

    def unless(test: int, operand: int) -> bytes:  # skip the next instruction if the test fails
        return struct.pack("=HBBI", test, 0, 1, operand)

    def give(value: int) -> bytes:
        return struct.pack("=HBBI", 0x06, 0, 0, value)

    equal, at_least, has_bits = 0x15, 0x35, 0x45
    kill, allow, refuse, missing = 0x80000000, 0x7FFF0000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
    number, first = 0, 16
    spaces = NEW_MOUNTS | NEW_UTS | NEW_IPC | NEW_USER | NEW_PIDS | NEW_NETWORK | NEW_CGROUP | NEW_TIME
    program = [load(4), struct.pack("=HBBI", equal, 1, 0, architecture), give(kill), load(number)]
    program += [unless(at_least, 0x40000000), give(refuse)]
    for numbers in REFUSED.values():
        if (call := numbers[column]) is not None:
            program += [unless(equal, call), give(refuse)]
    for numbers in MISSING.values():
        program += [unless(equal, numbers[column]), give(missing)]
    on_oracle = ((DUP, 0), (DUP2, 1), (DUP3, 1), (CLOSE, 0), (FCNTL, 0), (SHUTDOWN, 0), (IOCTL, 0), (SET_OPTION, 0))
    for numbers, argument in on_oracle:
        if (call := numbers[column]) is not None:  # the descriptor is the lower half of the argument
            program += [struct.pack("=HBBI", equal, 0, 4, call), load(16 + 8 * argument)]
            program += [unless(equal, oracle), give(refuse), load(number)]
    program += [struct.pack("=HBBI", equal, 0, 5, SET_OPTION[column]), load(first + 16)]
    program += [unless(equal, SEND_BUFFER), give(refuse), unless(equal, RECEIVE_BUFFER), give(refuse)]
    program += [load(number), struct.pack("=HBBI", equal, 0, 5, MMAP[column]), load(first + 24)]
    program += [struct.pack("=HBBI", has_bits, 0, 2, MAP_SHARED), unless(has_bits, MAP_ANONYMOUS), give(refuse)]
    program += [load(number), struct.pack("=HBBI", equal, 0, 4, CLONE[column]), load(first)]
    program += [unless(has_bits, spaces), give(refuse), give(allow)]
    program += [struct.pack("=HBBI", equal, 0, 2 * len(FAMILIES) + 2, SOCKET[column]), load(first)]
    for family in FAMILIES:
        program += [unless(equal, family), give(allow)]
    return [*program, give(refuse), give(allow)]
