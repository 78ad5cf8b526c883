"""Walls round the process that reads what strangers sent: one folder, the installed programs, no network.

Landlock (Linux 5.13; TCP from 6.7) holds for whatever the process becomes: code that got in through a Parquet
file finds no key, no database and nobody to tell. Where the kernel has none, the limits alone remain.
Run as `python -m registry.publishing.walls MODULE`: the walls stand before the module is imported, because
threads that libraries start while they are imported would stand outside. Source: landlock(7).
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import runpy
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same on every architecture
_WHICH_VERSION, _PATH_BENEATH, _NO_NEW_PRIVILEGES = 1, 1, 38
_RUN, _READ, _LIST = 1 << 0, 1 << 2, 1 << 3
_ALL_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP, _SIGNALS_AND_SOCKETS = 0b11, 0b11
# Of /etc only what the loader asks for: keys may lie there. Of /proc nothing of others: an environment has passwords.
_SYSTEM = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/lib", "/lib64", "/nix/store",
           "/etc/ld.so.cache", "/etc/localtime", "/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat",
           "/proc/sys", "/sys", "/dev")  # fmt: skip
PACKAGES = ("registry", "byline", "migrations", "search")


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def wall_in(folder: Path) -> bool:
    """Let this process read and write in `folder`, read installed programs, and run none; False without Landlock."""
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, 0, _WHICH_VERSION)
    if version < 1:
        return False
    everything = _ALL_BY_VERSION[min(version, 5)]
    rules = _Ruleset(everything, _TCP if version >= 4 else 0, _SIGNALS_AND_SOCKETS if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(_CREATE, ctypes.byref(rules), size, 0)
    _allow(libc, ruleset, [folder], everything & ~_RUN)
    _allow(libc, ruleset, _programs(), _READ | _LIST)
    _allow(libc, ruleset, _shelves(), _LIST)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.syscall(_RESTRICT, ruleset, 0):
        raise OSError(ctypes.get_errno(), "the walls could not be put up")
    os.close(ruleset)
    return True


def _allow(libc: ctypes.CDLL, ruleset: int, folders: Iterable[Path], access: int) -> None:
    for folder in folders:
        handle = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        rule = _Beneath(access if folder.is_dir() else access & ~_LIST, handle)
        failed = libc.syscall(_ADD, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
        os.close(handle)
        if failed:
            raise OSError(ctypes.get_errno(), f"the walls could not let {folder} through")


def _programs() -> Iterator[Path]:
    """Where programs lie: the system's, Python's, and our packages; never the folder a data folder may lie in."""
    python = (f"{prefix}/{lib}" for prefix in (sys.prefix, sys.base_prefix) for lib in ("lib", "lib64"))
    found = {*_SYSTEM, *python, *_ours(), *(entry for entry in sys.path if "-packages" in entry)}
    yield from (Path(one) for one in sorted(found) if Path(one).exists())


def _shelves() -> Iterator[Path]:
    """Folders our packages stand in: Python lists them to find a package, and opens nothing else there."""
    yield from {Path(one).parent for one in _ours()}


def _ours() -> Iterator[str]:
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        yield from (spec.submodule_search_locations or ()) if spec else ()


def main() -> None:
    """Wall in the present folder, then be the module named."""
    wall_in(Path.cwd())
    runpy.run_module(sys.argv[1], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
