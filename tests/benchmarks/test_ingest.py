import pytest

from benchmarks import ingest
from benchmarks.ingest import Figures


def figures(per_second: float, p99_ms: float) -> Figures:
    return {"per_second": per_second, "p99_ms": p99_ms}


def test_a_dialect_is_judged_by_the_median_of_its_ratios_within_a_round() -> None:
    # In the second round the whole machine is slow, in the third our own server alone.
    rounds = {
        "adwize": [figures(4_000, 20), figures(400, 200), figures(1_000, 80)],
        "bare": [figures(10_000, 5), figures(1_000, 50), figures(10_000, 5)],
        "typed": [figures(5_000, 10), figures(500, 100), figures(5_000, 10)],
        "usual": [figures(100, 600), figures(10, 6_000), figures(100, 600)],
    }
    assert [(bar.what, bar.measured, bar.is_met) for bar in ingest.judged("adwize", rounds)] == [
        ("ingest, adwize / bare ASGI application", 0.4, True),
        ("ingest, adwize / typed Litestar handler", 0.8, False),
        ("ingest, adwize / FastAPI + SQLAlchemy", 40, True),
        ("p99 of ingest, adwize / typed Litestar handler", 2, True),
    ]


def test_rounds_that_do_not_pair_up_are_no_ratios() -> None:
    with pytest.raises(ValueError, match="zip"):
        ingest.ratios([figures(1, 1)], [figures(1, 1), figures(2, 2)], "per_second")
