from pathlib import Path

from tests.laboratory.case import Case, Verdict, well
from tests.laboratory.faults import cases
from tests.laboratory.tls import Authority
from tests.torture import fault_matrix
from tests.torture.bar import Run, missed


async def test_a_sample_of_all_faults_ends_as_it_should(tmp_path: Path) -> None:
    said: list[str] = []
    figures = await fault_matrix.BAR.run(Run(folder=tmp_path, scale=0.12, say=said.append))
    assert missed(figures) == [], said


async def test_what_ends_otherwise_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    case = Case(
        kind="webhook", fault="none", broken=well("webhook"), verdict=Verdict.PAUSED, wait_s=60
    )
    seen = await fault_matrix.Trial(case, Authority(tmp_path)).seen(folder)
    assert "state: delivered, and not pending" in seen.otherwise


def test_every_case_has_a_name_of_its_own(tmp_path: Path) -> None:
    names = [case.name for case in cases(Authority(tmp_path))]
    assert sorted(names) == sorted(set(names))
