"""Baseline: the usual way, FastAPI and SQLAlchemy on aiosqlite, one commit a request.

It writes the same rows (an idempotency key, an event, two deliveries, a journal line) with the same
durability.
"""

import contextlib
import os
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

import fastapi
import pydantic
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as sa_asyncio


class Base(orm.DeclarativeBase):
    """The tables."""


class Event(Base):
    """An event."""

    __tablename__ = "event"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    project_id: orm.Mapped[int] = orm.mapped_column(index=True)
    category: orm.Mapped[str] = orm.mapped_column(index=True)
    description: orm.Mapped[str | None]
    fields: orm.Mapped[dict[str, Any]] = orm.mapped_column(sa.JSON)
    received_at: orm.Mapped[int]


class Delivery(Base):
    """A delivery."""

    __tablename__ = "delivery"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    event_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("event.id"), index=True)
    channel_id: orm.Mapped[int] = orm.mapped_column(index=True)
    state: orm.Mapped[str]
    due_at: orm.Mapped[int]


class Idempotency(Base):
    """An idempotency key."""

    __tablename__ = "idempotency"
    key: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    event_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("event.id"), index=True)


class Line(Base):
    """A line of the journal."""

    __tablename__ = "journal"
    seq: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    kind: orm.Mapped[str]
    project_id: orm.Mapped[int] = orm.mapped_column(index=True)
    subject_id: orm.Mapped[int]


class Asked(pydantic.BaseModel):
    """An event as it is sent."""

    category: str
    fields: dict[str, str | int | float | bool] | None = None
    description: str | None = None


engine = sa_asyncio.create_async_engine(f"sqlite+aiosqlite:///{os.environ['BENCH_DATABASE']}")
sessions = sa_asyncio.async_sessionmaker(engine, expire_on_commit=False)


@sa.event.listens_for(engine.sync_engine, "connect")
def _prepare(connection: Any, _record: Any) -> None:  # SQLAlchemy's own wrappers
    cursor = connection.cursor()
    for pragma in ("journal_mode=wal", "synchronous=full", "busy_timeout=30000"):
        cursor.execute(f"pragma {pragma}")
    cursor.close()


@contextlib.asynccontextmanager
async def lifespan(_app: fastapi.FastAPI) -> AsyncIterator[None]:
    """Make the tables."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = fastapi.FastAPI(lifespan=lifespan, openapi_url=None)


@app.post("/api/v1/events")
async def take(asked: Asked, idempotency_key: Annotated[str, fastapi.Header()]) -> dict[str, str]:
    """Commit, then answer."""
    now = time.time_ns() // 1_000_000
    async with sessions() as session:
        event = Event(
            project_id=1,
            category=asked.category,
            description=asked.description,
            fields=asked.fields or {},
            received_at=now,
        )
        session.add(event)
        await session.flush()
        for channel_id in (1, 2):
            session.add(
                Delivery(event_id=event.id, channel_id=channel_id, state="pending", due_at=now)
            )
        session.add(Idempotency(key=idempotency_key, event_id=event.id))
        session.add(Line(kind="event.accepted", project_id=1, subject_id=event.id))
        await session.commit()
    return {"message": "Event processed successfully", "eventId": str(event.id)}
