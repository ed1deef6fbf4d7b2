"""Read how much memory a process and its children really take: their proportional set size."""

import pathlib


def pss_mib(pid: int) -> float:
    """The proportional set size of a process tree, in MiB: shared pages count by their share."""
    return sum(_pss_kib(one) for one in _tree(pid)) / 1024


def _pss_kib(pid: int) -> int:
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def _tree(pid: int) -> list[int]:
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _tree(int(child)))]
