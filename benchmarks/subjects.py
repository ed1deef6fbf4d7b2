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
from typing import Any, Final

import msgspec

_BODY: Final = json.dumps(
    {
        "category": "sale",
        "description": "New sale completed!",
        "fields": {"amount": 49.99, "customer": "john@example.com", "plan": "PRO"},
    }
).encode()


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A server that is up, and the request to load it with."""

    name: str
    port: int
    pid: int
    request: bytes


def request_for(port: int, key: str) -> bytes:
    """The request that every subject gets: PingPanda's second example."""
    head = (
        f"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(_BODY)}\r\n\r\n"
    )
    return head.encode() + _BODY


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
        yield Subject(name=name, port=port, pid=process.pid, request=request_for(port, "none"))


@contextlib.contextmanager
def slowping(folder: pathlib.Path) -> Iterator[Subject]:
    """A fresh server with one project, one paused channel, a key with a limit that never bites."""
    with serving(folder) as server:
        api = server.api
        api.post("/projects", {"name": "bench"})
        api.post("/categories", {"project": "bench", "name": "sale"})
        made = api.post("/channels", {"project": "bench", "name": "out", "kind": "console"})
        api.post(f"/channels/{made['channel']['id']}/pause", {})
        issued = api.post("/keys", {"project": "bench", "name": "bench", "rate_limit": 1_000_000})
        request = request_for(server.port, issued["value"])
        yield Subject(name="slowping", port=server.port, pid=server.pid, request=request)


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
