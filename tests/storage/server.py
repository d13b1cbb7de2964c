"""A real MinIO for tests: started, killed and started again."""

import lzma
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

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
