"""Stores to test against: a folder, and a bucket of a real MinIO."""

import lzma
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from modelwarrant.storage import DirectoryStore, ObjectStore, S3Settings, open_store

BUNDLED = Path(__file__).parents[3] / "shared" / "testbed" / "bin" / "minio.xz"
START_LIMIT_S = 20.0


@dataclass(frozen=True)
class Minio:
    """A running server with an empty bucket, beside those that a cluster's store has."""

    settings: S3Settings
    bucket: str


def _binary(folder: Path) -> Path:
    """The MinIO program: ``MINIO_BINARY``, or the one beside the project, unpacked."""
    named = os.environ.get("MINIO_BINARY")
    if named:
        return Path(named)
    if not BUNDLED.exists():
        pytest.skip(f"no MinIO: MINIO_BINARY is not set and {BUNDLED} does not exist")
    unpacked = folder / "minio"
    with lzma.open(BUNDLED) as packed, unpacked.open("wb") as plain:
        shutil.copyfileobj(packed, plain, 1 << 20)
    unpacked.chmod(0o755)
    return unpacked


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(endpoint: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{endpoint}/minio/health/ready", timeout=1):  # noqa: S310 - our own server
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    pytest.fail(f"MinIO did not become ready: {log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Minio]:
    """A MinIO server for the whole session."""
    folder = tmp_path_factory.mktemp("minio")
    binary, port, log = _binary(folder), _free_port(), folder / "log.txt"
    user, password = "tester", "tester-secret"
    # A folder is a bucket. Asking the server to make one took 60 s in 2 of 30 starts.
    for bucket in ("warrant", "modelwarrant", "mlpipeline"):
        (folder / "data" / bucket).mkdir(parents=True)
    environment = {**os.environ, "MINIO_ROOT_USER": user, "MINIO_ROOT_PASSWORD": password}
    settings = S3Settings(user, password, endpoint=f"http://127.0.0.1:{port}")
    with log.open("wb") as output:
        server = subprocess.Popen(
            [binary, "server", "--address", f"127.0.0.1:{port}", folder / "data"],
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_ready(settings.endpoint, server, log)
        yield Minio(settings, "warrant")
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(params=["directory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty store of each kind."""
    if request.param == "directory":
        return DirectoryStore(tmp_path / "store")
    server: Minio = request.getfixturevalue("minio")
    return open_store(f"s3://{server.bucket}/{tmp_path.name}", s3=server.settings)
