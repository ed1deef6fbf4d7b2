"""Start slowping on a database that does not sync its commits: losing them has to be noticed."""

from slowping import cli
from slowping.store.sqlite import store

if __name__ == "__main__":
    # There is no option for it, and there shall be none.
    store._PRAGMAS = ("synchronous = normal", *store._PRAGMAS[1:])  # type: ignore[misc] # on purpose
    cli.main()
