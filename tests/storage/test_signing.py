"""Our presigned requests are those that minio-py makes."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from minio import Minio

from modelwarrant.storage import S3Settings
from modelwarrant.storage.signing import Presigner

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def theirs(chosen: S3Settings, method: str, name: str, now: datetime) -> str:
    """What minio-py signs at that moment."""
    address = urlsplit(chosen.endpoint)
    client = Minio(
        address.netloc,
        access_key=chosen.access_key,
        secret_key=chosen.secret_key,
        session_token=chosen.session_token,
        secure=address.scheme == "https",
        region=chosen.region,
    )
    return client.get_presigned_url(
        method, "bucket", name, expires=timedelta(minutes=15), request_date=now
    )


def check(chosen: S3Settings, method: str, name: str, now: datetime = NOW) -> None:
    """Compare path and query of both."""
    signer = Presigner(theirs(chosen, "GET", "any", NOW), "any", settings=chosen, expires_s=15 * 60)
    signer.target("GET", "warm", now=NOW)
    ours = urlsplit(signer.target(method, name, now=now))
    expected = urlsplit(theirs(chosen, method, name, now))

    assert expected.path == ours.path
    assert sorted(parse_qsl(expected.query)) == sorted(parse_qsl(ours.query))


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("token", [None, "a token+/=="])
@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:9000", "https://minio.example", "https://s3.amazonaws.com"]
)
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_a_signature_is_the_one_of_minio_py(
    method: str, token: str | None, endpoint: str, region: str
) -> None:
    """Path-style and as a host of its own, with and without a session."""
    chosen = S3Settings("key/+", "secret", session_token=token, endpoint=endpoint, region=region)

    check(chosen, method, "m/flights/log/000000000001.json")


@settings(max_examples=50, deadline=None)
@given(
    name=st.lists(st.text("abcXYZ019._=+@-", min_size=1), min_size=1)
    .filter(lambda segments: not {".", ".."} & set(segments))
    .map("/".join),
    seconds=st.integers(0, 10**9),
)
def test_any_key_at_any_time_is_signed_alike(name: str, seconds: int) -> None:
    """What is kept for a second does not outlive it."""
    check(
        S3Settings("key", "secret", endpoint="http://h:1"),
        "PUT",
        name,
        NOW + timedelta(seconds=seconds),
    )
