import sqlite3

import httpx

import slowping
from slowping.store.sqlite.database.examine import known_faults
from tests.conftest import RunningHouse


async def test_health_needs_no_key(house: RunningHouse) -> None:
    for path in ("live", "ready"):
        answer = await house.client.get(f"/slowping/v1/health/{path}?_=1")
        assert answer.status_code == 200
        assert answer.json()["status"] == "ok"
        assert answer.json()["version"] == slowping.__version__


async def test_faults_of_its_sqlite_are_told(house: RunningHouse) -> None:
    told = (await house.client.get("/slowping/v1/health/ready")).json()
    assert told["sqlite_version"] == sqlite3.sqlite_version
    assert tuple(told["sqlite_faults"]) == known_faults(sqlite3.sqlite_version_info)


async def test_a_server_whose_store_is_gone_is_not_ready(house: RunningHouse) -> None:
    await house.store.close()
    assert (await house.client.get("/slowping/v1/health/live")).status_code == 200
    assert (await house.client.get("/slowping/v1/health/ready")).status_code >= 500


async def test_the_figures_are_prometheus_own(admin: httpx.AsyncClient) -> None:
    await admin.post("/events", json=[{"category": "bug"}] * 3)
    answer = await admin.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    assert 'slowping_events_total{dialect="slowping"} 3.0' in lines
    assert 'slowping_deliveries{state="failed"} 0.0' in lines
    assert any(line.startswith("process_resident_memory_bytes") for line in lines)
