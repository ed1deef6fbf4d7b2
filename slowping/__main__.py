"""Run the command line as `python -m slowping`."""

from slowping.cli import main

main()
