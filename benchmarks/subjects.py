"""Start what is measured: the baselines and slowping itself, each a process of its own."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from benchmarks import dialects


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A server that is up, and the request to load it with."""

    name: str
    port: int
    pid: int
    key: str = ""
    """An API key for the project `bench`; the baselines look at none."""
    request: bytes


@contextlib.contextmanager
def baseline(name: str, environ: Mapping[str, str] | None = None) -> Iterator[Subject]:
    """One of the modules beside this one, on the server program that slowping uses."""
    port = free_port()
    command = [
        sys.executable, "-m", "uvicorn", f"benchmarks.{name}:app", "--port", str(port),
        "--http", "httptools", "--loop", "asyncio", "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip
    with _process(command, environ) as process:
        wait_for(port, process)
        yield _subject(name, port, process.pid)


@contextlib.contextmanager
def slowping(folder: pathlib.Path) -> Iterator[Subject]:
    """A fresh server with one project, two paused channels, a key whose limit never bites."""
    with serving(folder) as server:
        api = server.api
        api.post("/projects", {"name": dialects.PROJECT})
        api.post("/categories", {"project": dialects.PROJECT, "name": dialects.CATEGORY})
        for name in ("out", "other"):
            channel = {"project": dialects.PROJECT, "name": name, "kind": "console"}
            made = api.post("/channels", channel)
            api.post(f"/channels/{made['channel']['id']}/pause", {})
        issued = api.post(
            "/keys", {"project": dialects.PROJECT, "name": "sender", "rate_limit": 1_000_000}
        )
        yield _subject("slowping", server.port, server.pid, issued["value"])


def _subject(name: str, port: int, pid: int, key: str = "none") -> Subject:
    request = dialects.request(dialects.PINGPANDA, port, key)
    return Subject(name=name, port=port, pid=pid, key=key, request=request)


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A server that is up, as its administrator has it."""

    port: int
    pid: int
    key: str
    """The one that may do everything."""
    api: "Api"


@contextlib.contextmanager
def serving(folder: pathlib.Path, environ: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server on a data folder, whatever lies in it; `environ` configures it."""
    port = free_port()
    command = [sys.executable, "-m", "slowping", "serve"]
    command += ["--data", str(folder), "--port", str(port)]
    with _process(command, {"SLOWPING_LOG__LEVEL": "warning", **(environ or {})}) as process:
        wait_for(port, process)
        key = (folder / "admin.key").read_text().strip()
        yield Server(port=port, pid=process.pid, key=key, api=Api(port, key))


class Api:
    """The few calls that set a server up."""

    def __init__(self, port: int, key: str) -> None:
        self._base = f"http://127.0.0.1:{port}/slowping/v1"
        self._key = key

    def post(self, path: str, body: object) -> Any:  # whatever the call answers
        """Post JSON, get JSON."""
        request = urllib.request.Request(
            f"{self._base}{path}",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())


@contextlib.contextmanager
def _process(
    command: list[str], environ: Mapping[str, str] | None
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, env={**os.environ, **(environ or {})}, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers at all."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"nothing answers on port {port}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
