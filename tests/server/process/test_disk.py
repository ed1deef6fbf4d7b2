import asyncio
import pathlib

import pytest

from slowping.core import errors
from slowping.core.disk import OVER, WELL_LOOKS
from slowping.server.process import disk
from slowping.server.process.disk import BALLAST_FILE, CALM_LOOKS, MEBIBYTE, Disk, Usage
from slowping.testing import FrozenClock
from tests.acceptance.eventually import eventually

GIB = 1024 * MEBIBYTE


class Store:
    """A store that can be written, or cannot."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        self.failures = 0
        self.is_own = True
        self.is_mended = False
        self.probes = 0
        self.notes = 0

    def is_in_place(self) -> bool:
        """Whether the file of its name is its own."""
        return self.is_own

    async def try_writing(self) -> None:
        """Works again once it is mended."""
        self.probes += 1
        if not self.is_mended:
            raise errors.Unavailable("The database cannot be written: database or disk is full.")
        self.trouble = None

    def note_well(self) -> None:
        """Log that it is over."""
        self.notes += 1


class Watch:
    """A disk whose room a test decides, and what the watch makes of it."""

    def __init__(self, folder: pathlib.Path, clock: FrozenClock, *, total: int = 100 * GIB) -> None:
        self.store = Store()
        self.free = total // 2
        self.refusals: list[str | None] = []
        self.notices: list[str] = []
        self.can_tell = True
        self.ballast = folder / BALLAST_FILE
        self.disk = Disk(
            folder,
            self.store,  # type: ignore[arg-type]  # as far as it is asked
            clock,
            min_free=500 * MEBIBYTE,
            ballast=MEBIBYTE,
            refuse=self.refusals.append,
            tell_owner=self.tell,
            usage=lambda _: Usage(total=total, free=self.free),
        )

    async def tell(self, text: str) -> bool:
        """Hear of it, if that can be written down."""
        if self.can_tell:
            self.notices.append(text)
        return self.can_tell

    async def sees(self, free: int, looks: int = 1) -> None:
        """Look once or more, with so much room."""
        self.free = free
        for _ in range(looks):
            await self.disk.look()


@pytest.fixture
def watch(tmp_path: pathlib.Path, clock: FrozenClock) -> Watch:
    return Watch(tmp_path, clock)


async def test_with_enough_room_nothing_is_said(watch: Watch) -> None:
    await watch.sees(50 * GIB, looks=3)
    assert (watch.refusals, watch.notices, watch.disk.trouble) == ([], [], None)


async def test_with_too_little_room_events_are_refused_until_there_is_enough(watch: Watch) -> None:
    await watch.sees(499 * MEBIBYTE, looks=3)
    [reason] = watch.refusals
    assert reason is not None
    assert "499 MiB are free" in reason
    assert watch.disk.trouble == reason
    await watch.sees(510 * MEBIBYTE)
    assert len(watch.refusals) == 1
    await watch.sees(700 * MEBIBYTE)
    assert watch.refusals == [reason, None]
    assert watch.disk.trouble is None


async def test_the_owner_is_told_of_a_trouble_once_and_once_that_it_is_over(watch: Watch) -> None:
    await watch.sees(400 * MEBIBYTE, looks=3)
    [notice] = watch.notices
    assert "400 MiB are free" in notice
    await watch.sees(50 * GIB, looks=WELL_LOOKS - 1)
    assert len(watch.notices) == 1
    await watch.sees(50 * GIB, looks=3)
    [_, notice] = watch.notices
    assert notice.startswith(OVER)


async def test_the_owner_is_told_as_soon_as_he_can_be_though_it_is_over(watch: Watch) -> None:
    watch.can_tell = False
    await watch.sees(400 * MEBIBYTE)
    await watch.sees(50 * GIB)
    watch.can_tell = True
    await watch.sees(50 * GIB, looks=WELL_LOOKS + 2)
    [notice] = watch.notices
    assert "no events were accepted: the server's disk was nearly full." in notice


async def test_a_disk_that_is_full_for_hours_again_is_told_of_again(
    watch: Watch, clock: FrozenClock
) -> None:
    await watch.sees(400 * MEBIBYTE)
    await watch.sees(50 * GIB, looks=WELL_LOOKS)
    await watch.sees(399 * MEBIBYTE)
    assert len(watch.notices) == 2
    clock.advance(3_600)
    await watch.sees(398 * MEBIBYTE)
    assert "398 MiB are free" in watch.notices[2]


async def test_a_ballast_is_kept_soon_after_a_start(watch: Watch) -> None:
    await watch.sees(50 * GIB)  # before the first request, which is not to wait for it
    assert not watch.ballast.exists()
    await watch.sees(50 * GIB)
    assert watch.ballast.stat().st_size == MEBIBYTE
    assert watch.ballast.stat().st_blocks * 512 >= MEBIBYTE
    assert watch.ballast.stat().st_mode & 0o777 == 0o600


async def test_a_ballast_is_kept_once_all_was_well_for_a_while(watch: Watch) -> None:
    await watch.sees(400 * MEBIBYTE)
    await watch.sees(50 * GIB, looks=CALM_LOOKS - 1)
    assert not watch.ballast.exists()
    await watch.sees(50 * GIB)
    assert watch.ballast.exists()


async def test_the_ballast_goes_when_room_is_scarce_and_comes_back(watch: Watch) -> None:
    await watch.sees(50 * GIB, looks=2)
    await watch.sees(400 * MEBIBYTE)
    assert watch.ballast.exists()
    await watch.sees(60 * MEBIBYTE, looks=2)
    assert not watch.ballast.exists()
    await watch.sees(625 * MEBIBYTE, looks=2 * CALM_LOOKS)
    assert not watch.ballast.exists()  # with it there would be too little again
    await watch.sees(627 * MEBIBYTE, looks=CALM_LOOKS)
    assert watch.ballast.exists()


async def test_a_store_that_fails_gets_the_ballast_and_is_tried_until_it_works(
    watch: Watch,
) -> None:
    await watch.sees(50 * GIB, looks=2)
    watch.store.trouble = "database or disk is full"
    await watch.sees(50 * GIB, looks=2)
    assert not watch.ballast.exists()
    assert watch.disk.trouble == "The database cannot be written: database or disk is full."
    assert watch.notices == [watch.disk.trouble]
    watch.store.is_mended = True
    await watch.sees(50 * GIB)
    await watch.sees(50 * GIB, looks=CALM_LOOKS + 1)
    assert (watch.refusals, watch.store.probes) == ([], 3)
    assert watch.ballast.exists()


async def test_a_database_that_was_replaced_takes_no_events_until_it_is_back(
    watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    watch.store.is_own = False
    await watch.sees(50 * GIB, looks=2)
    [reason] = watch.refusals
    assert reason is not None
    assert "was replaced, moved or removed" in reason
    assert watch.disk.trouble == reason
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    await watch.sees(400 * MEBIBYTE)
    assert watch.refusals[-1] == reason  # what is worse
    watch.store.is_own = True
    await watch.sees(400 * MEBIBYTE)
    assert "400 MiB are free" in str(watch.refusals[-1])
    await watch.sees(50 * GIB)
    assert watch.refusals[-1] is None


async def test_a_store_that_fails_at_times_is_not_well_until_it_has_not_for_a_while(
    watch: Watch,
) -> None:
    await watch.sees(50 * GIB)
    watch.store.failures = 3
    await watch.sees(50 * GIB)
    assert "could not be written at times" in str(watch.disk.trouble)
    assert watch.notices == []
    await watch.sees(50 * GIB)
    assert watch.disk.trouble is None
    await watch.sees(50 * GIB, looks=WELL_LOOKS)
    [notice] = watch.notices
    assert notice.endswith("the database could not be written at times.")


async def test_a_store_that_goes_on_failing_at_times_is_told_of(watch: Watch) -> None:
    for failures in (1, 2):
        watch.store.failures = failures
        await watch.sees(50 * GIB)
    assert watch.notices == [watch.disk.trouble]


async def test_what_failed_until_there_was_room_is_told_in_the_past(watch: Watch) -> None:
    watch.can_tell = False
    for failures in (1, 2, 3):
        watch.store.failures = failures
        await watch.sees(0)
    watch.can_tell = True
    watch.store.failures = 4
    await watch.sees(50 * GIB, looks=WELL_LOOKS + 1)
    [notice] = watch.notices
    assert notice.endswith("no events were accepted: the server's disk was nearly full.")


async def test_a_failure_of_the_store_is_over_after_a_few_looks_without_one(watch: Watch) -> None:
    watch.store.failures = 1
    await watch.sees(50 * GIB, looks=WELL_LOOKS)
    watch.store.failures = 2
    await watch.sees(50 * GIB, looks=WELL_LOOKS)
    assert watch.store.notes == 0
    await watch.sees(50 * GIB, looks=3)
    assert watch.store.notes == 1


async def test_a_disk_without_room_for_a_ballast_goes_without(
    tmp_path: pathlib.Path, clock: FrozenClock
) -> None:
    (tmp_path / BALLAST_FILE).mkdir()  # whatever keeps it from being made
    watch = Watch(tmp_path, clock)
    await watch.sees(50 * GIB, looks=CALM_LOOKS)
    assert watch.disk.trouble is None


async def test_a_ballast_of_another_size_is_replaced(watch: Watch) -> None:
    watch.ballast.write_bytes(bytes(3 * MEBIBYTE))
    await watch.sees(50 * GIB, looks=CALM_LOOKS)
    assert watch.ballast.stat().st_size == MEBIBYTE


async def test_a_disk_that_cannot_be_asked_changes_nothing(
    tmp_path: pathlib.Path, clock: FrozenClock
) -> None:
    refused: list[str | None] = []

    async def tell(_: str) -> bool:
        return True

    watch = Disk(
        tmp_path / "gone",
        Store(),  # type: ignore[arg-type]  # as far as it is asked
        clock,
        min_free=1,
        ballast=1,
        refuse=refused.append,
        tell_owner=tell,
        usage=disk.usage_of,
    )
    await watch.look()
    assert refused == []


async def test_the_watch_looks_now_and_then_for_ever(watch: Watch, clock: FrozenClock) -> None:
    watching = asyncio.create_task(watch.disk.keep_watch())
    await clock.is_waited_on()
    watch.free = 400 * MEBIBYTE
    clock.advance(disk.LOOK_EVERY_S)
    await eventually(lambda: watch.refusals)
    watching.cancel()


def test_a_folder_of_this_machine_is_taken(tmp_path: pathlib.Path) -> None:
    disk.refuse_network(tmp_path / "not there yet")
