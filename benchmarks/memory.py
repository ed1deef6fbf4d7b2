"""Read how much memory a process and its children really take."""

import pathlib


def pss_mib(pid: int) -> float:
    """The proportional set size of a process tree, in MiB: shared pages count by their share."""
    return sum(_kib(one, "Pss") for one in _tree(pid)) / 1024


def own_mib(pid: int) -> float:
    """What a process tree has of no file, in MiB: unlike the rest, no other process changes it."""
    return sum(_kib(one, "Anonymous") for one in _tree(pid)) / 1024


def _kib(pid: int, what: str) -> int:
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1])
    return 0


def _tree(pid: int) -> list[int]:
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _tree(int(child)))]
