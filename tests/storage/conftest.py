"""Stores to test against: a folder, and buckets of a real MinIO and a real SeaweedFS."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from modelwarrant.storage import DirectoryStore, ObjectStore, S3Settings, open_store
from tests.storage.server import MinioServer, SeaweedServer


@dataclass(frozen=True)
class Minio:
    """A running server with an empty bucket, beside those that a cluster's store has."""

    settings: S3Settings
    bucket: str


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Minio]:
    """A MinIO server for the whole session."""
    server = MinioServer(tmp_path_factory.mktemp("minio"))
    server.start()
    try:
        yield Minio(server.settings, "warrant")
    finally:
        server.stop()


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Minio]:
    """A SeaweedFS server for the whole session."""
    server = SeaweedServer(tmp_path_factory.mktemp("seaweed"))
    server.start()
    try:
        yield Minio(server.settings, "warrant")
    finally:
        server.stop()


@pytest.fixture(params=["directory", "minio", pytest.param("seaweed", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty store of each kind."""
    if request.param == "directory":
        return DirectoryStore(tmp_path / "store")
    server: Minio = request.getfixturevalue(request.param)
    return open_store(f"s3://{server.bucket}/{tmp_path.name}", s3=server.settings)
