"""Door one: five foreign shapes, spoken to the letter, and the pipeline they share.

Dialects are strangers to each other: each imports `port`, `body` and, for the two that upstream
share their code, `ping_family`. To add one, copy `slowstats.py`, list it in `DIALECTS` and add
cases to its tests.
"""
