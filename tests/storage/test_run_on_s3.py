"""A whole lifecycle by the command line on a laptop whose store is a real S3 server."""

import pytest

from tests.e2e.conftest import PROJECT, Laptop, demand
from tests.storage.conftest import Minio


@pytest.mark.slow
def test_a_lifecycle_on_an_s3_store(
    minio: Minio, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run, approve and verify: the stages open the store that the command opened."""
    monkeypatch.setenv("WARRANT_S3_ENDPOINT", minio.settings.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", minio.settings.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", minio.settings.secret_key)
    folder = tmp_path_factory.mktemp("s3-laptop")
    laptop = Laptop(folder)
    laptop.project.mkdir()
    demand().to_csv(laptop.project / "demand.csv", index=False)
    (laptop.project / "warrant.yaml").write_text(PROJECT)
    store = ("--store", f"s3://{minio.bucket}/lifecycle")

    asked = laptop.json("run", *store, expect=10)
    laptop("approve", asked["request"], "--reason", "first model", *store, actor="grace")

    assert "verified" in laptop("verify", "demand", *store)
    assert ["grace"] == laptop.json("status", "demand", *store)["production"]["approvers"]
