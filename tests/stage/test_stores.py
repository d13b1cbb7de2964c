"""A process opens the store that it was told of."""

from pathlib import Path

import pytest

from modelwarrant.errors import StoreError
from modelwarrant.stage.stores import open_told_store


@pytest.mark.parametrize(
    "address", ["s3://bucket/prefix", "s3+http://other:9000/bucket", "s3+https://other/bucket/a"]
)
def test_a_store_is_opened_again_by_what_it_calls_itself(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command hands its store's own address, endpoint included, to its stages."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-word")
    monkeypatch.setenv("WARRANT_S3_ENDPOINT", "http://127.0.0.1:9000")
    uri = open_told_store(address).uri

    assert uri == open_told_store(uri).uri


def test_a_folder_needs_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for a folder."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    uri = open_told_store(str(tmp_path / "a store")).uri

    assert uri == open_told_store(uri).uri


def test_missing_credentials_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """An S3 store without credentials says which variables to set."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-word")

    with pytest.raises(StoreError, match=r"needs AWS_ACCESS_KEY_ID in the environment"):
        open_told_store("s3+http://other:9000/bucket")
