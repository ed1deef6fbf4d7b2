from pathlib import Path

import pytest

from tests.torture import sync_trace
from tests.torture.bar import Run, missed

ASKED = (
    r'10 recvfrom(7<TCP:[1]>, "POST /v1/events\r\n\r\n{\"mark\":\"m1\"}", 99, 0, NULL, NULL) = 40'
)
ANSWERED = r'10 sendto(7<TCP:[1]>, "HTTP/1.1 200 OK\r\n", 99, 0, NULL, 0) = 99'
SYNCED = "11 fdatasync(4</data/slowping.db-wal>) = 0"
SYNC_BEGINS = "11 fdatasync(4</data/slowping.db-wal> <unfinished ...>"
SYNC_ENDS = "11 <... fdatasync resumed>) = 0"


@pytest.mark.parametrize(
    ("lines", "unsynced"),
    [
        ([ASKED, SYNCED, ANSWERED], 0),
        ([ASKED, SYNC_BEGINS, SYNC_ENDS, ANSWERED], 0),
        ([ASKED, ANSWERED, SYNCED], 1),
        ([SYNCED, ASKED, ANSWERED], 1),
        ([SYNC_BEGINS, ASKED, SYNC_ENDS, ANSWERED], 1),
        ([ASKED, SYNC_BEGINS, ANSWERED, SYNC_ENDS], 1),
        ([ASKED, SYNCED.replace("-wal", ""), ANSWERED], 1),
    ],
)
def test_a_sync_lies_between_a_request_and_its_answer_or_not(
    lines: list[str], unsynced: int
) -> None:
    judged = sync_trace.judged(sync_trace.calls(lines))
    assert (judged.answered, judged.unsynced) == (1, unsynced)


@pytest.mark.skipif(sync_trace.why_not() is not None, reason=str(sync_trace.why_not()))
async def test_the_log_is_synced_before_each_answer(tmp_path: Path) -> None:
    assert missed(await sync_trace.BAR.run(Run(folder=tmp_path, scale=0.05))) == []
