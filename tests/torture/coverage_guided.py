"""Have all that reads bodies read what a fuzzer finds by watching which lines it reaches.

Run as `python -m tests.torture.coverage_guided FOLDER -runs=1000000`, where `FOLDER` holds bodies
to begin with; the first body that breaks a reader ends it, with its traceback. It is a program of
its own because the fuzzer never gives a process back. Where there is no fuzzer for this machine,
it reads as many bodies that nobody has guided.
"""

import argparse
import importlib.util
import itertools
import random
import sys
from typing import Final

from tests.torture import wrong_bodies

MOST_BYTES: Final = 4_096

IS_GUIDED: Final = importlib.util.find_spec("atheris") is not None


def main() -> None:
    """Fuzz; the arguments are libFuzzer's."""
    if IS_GUIDED:
        guided()
    else:
        unguided()


def guided() -> None:
    """Have libFuzzer choose what is changed."""
    import atheris

    def changed(body: bytes, most_bytes: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.3:
            other: bytes = atheris.Mutate(body, most_bytes)
            return other
        return wrong_bodies.spoilt(body, chance)[:most_bytes]

    with atheris.instrument_imports(include=["slowping.server.dialects", "slowping.core"]):
        from tests.torture import readers
    atheris.Setup(sys.argv, readers.read_everywhere, custom_mutator=changed)
    atheris.Fuzz()


def unguided() -> None:
    """Read whatever bodies come."""
    from tests.torture import readers

    parser = argparse.ArgumentParser()
    parser.add_argument("-runs", type=int, required=True)
    parser.add_argument("-seed", type=int, default=0)
    asked, _ = parser.parse_known_args()
    chance = random.Random(asked.seed)
    by_path = [wrong_bodies.bodies(path, chance) for path in wrong_bodies.RIGHT]
    for bodies in itertools.islice(itertools.cycle(by_path), asked.runs):
        readers.read_everywhere(next(bodies)[:MOST_BYTES])
    sys.stderr.write(f"Done {asked.runs} runs\n")


if __name__ == "__main__":
    main()
