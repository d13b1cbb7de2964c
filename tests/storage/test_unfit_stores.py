"""A store that cannot carry a ledger is refused before a ledger begins in it, with the reason."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from minio import Minio as Client
from minio.commonconfig import ENABLED
from minio.versioningconfig import SUSPENDED, VersioningConfig
from typer.testing import CliRunner

from ci.cluster_store import Administrator, policies
from gate.opening import ensure_ledger
from modelwarrant.cli.app import app
from modelwarrant.errors import StoreError, StoreUnavailableError, WarrantError
from modelwarrant.policy import default_policy
from modelwarrant.registry import LaptopHome
from modelwarrant.storage import ObjectStore, S3Settings, open_store
from modelwarrant.storage.s3 import S3Store
from tests.registry.world import NOW
from tests.storage.conftest import Minio
from tests.storage.proxy import FaultProxy, fault_proxy
from tests.storage.test_s3_store import NOBODY, answering


@pytest.fixture
def begin(tmp_path: Path) -> Callable[[ObjectStore], object]:
    """Begin a ledger as the first run on a laptop does."""
    home = LaptopHome(tmp_path / "home")

    def call(store: ObjectStore) -> object:
        return ensure_ledger(
            store, "flights", home=home, policy=default_policy(), actor="ada", now=NOW
        )

    return call


@contextmanager
def versioned(minio: Minio) -> Iterator[None]:
    """Keep versions in the bucket for a while."""
    address = minio.settings.endpoint.removeprefix("http://")
    keys = (minio.settings.access_key, minio.settings.secret_key)
    client = Client(address, *keys, secure=False, region="us-east-1")
    client.set_bucket_versioning(minio.bucket, VersioningConfig(ENABLED))
    try:
        yield
    finally:
        client.set_bucket_versioning(minio.bucket, VersioningConfig(SUSPENDED))


def test_a_good_store_is_begun(minio: Minio, begin: Callable[[ObjectStore], object]) -> None:
    """The probe at the beginning leaves a ledger and nothing else."""
    store = open_store(f"s3://{minio.bucket}/good", s3=minio.settings)
    begin(store)

    assert store.get("m/flights/log/000000000002.json") is not None
    assert list(store.list("probe/")) == []


def test_a_bucket_with_versions_is_refused(
    minio: Minio, begin: Callable[[ObjectStore], object]
) -> None:
    """What is deleted would stay; a bucket with an object lock keeps versions too."""
    store = open_store(f"s3://{minio.bucket}/versions", s3=minio.settings)
    with versioned(minio), pytest.raises(StoreError, match="versions: the bucket keeps versions"):
        begin(store)

    assert list(store.list("m/")) == []


@pytest.mark.slow  # now and then the server takes a minute to make a bucket
def test_a_bucket_with_an_object_lock_is_refused(
    minio: Minio, begin: Callable[[ObjectStore], object]
) -> None:
    """It keeps versions whether asked to or not; nothing of a ledger is written."""
    address = minio.settings.endpoint.removeprefix("http://")
    keys = (minio.settings.access_key, minio.settings.secret_key)
    client = Client(address, *keys, secure=False, region="us-east-1")
    client.make_bucket("locked", object_lock=True)
    store = open_store("s3://locked", s3=minio.settings)
    with pytest.raises(StoreError, match="keeps versions or has an object lock"):
        begin(store)

    assert list(store.list("m/")) == []


def test_a_store_that_ignores_the_condition_is_refused(
    minio: Minio, begin: Callable[[ObjectStore], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that never heard of If-None-Match overwrites; two checks find it."""
    forward = FaultProxy._forward

    def ignorant(self: FaultProxy, method: str, target: str, headers: list, body: bytes) -> object:  # type: ignore[type-arg] # as its own
        kept = [header for header in headers if header[0].lower() != "if-none-match"]
        return forward(self, method, target, kept, body)

    monkeypatch.setattr(FaultProxy, "_forward", ignorant)
    with fault_proxy(minio.settings.endpoint) as (_, address):
        near = replace(minio.settings, endpoint=address)
        store = open_store(f"s3://{minio.bucket}/ignorant", s3=near)
        with pytest.raises(StoreError, match=r"cannot carry a ledger: create twice.*race: "):
            begin(store)

        assert list(store.list("m/")) == []


def test_a_read_only_user_is_refused(minio: Minio, begin: Callable[[ObjectStore], object]) -> None:
    """Whoever may only read cannot begin a ledger, and learns that it is the rights."""
    root = minio.settings
    Administrator(root.endpoint, root.access_key, root.secret_key).add_user(
        "onlooker", "onlooker-secret", policies()["reviewer"]
    )
    settings = replace(root, access_key="onlooker", secret_key="onlooker-secret")  # noqa: S106 - this server lives for one test session
    store = open_store("s3://modelwarrant", s3=settings)

    with pytest.raises(StoreError, match=r"was not written: AccessDenied.*check bucket"):
        begin(store)


@pytest.mark.parametrize(
    ("changes", "bucket", "reason"),
    [
        ({"secret_key": "x" * 12}, "warrant", "SignatureDoesNotMatch"),
        ({"access_key": "nobody"}, "warrant", "InvalidAccessKeyId"),
        ({}, "no-such-bucket", "NoSuchBucket"),
    ],
)
def test_wrong_credentials_and_buckets_are_refused(
    minio: Minio,
    begin: Callable[[ObjectStore], object],
    changes: dict[str, str],
    bucket: str,
    reason: str,
) -> None:
    """The store's own word and what to check stand in the message."""
    store = open_store(f"s3://{bucket}", s3=replace(minio.settings, **changes))  # type: ignore[arg-type] # texts

    with pytest.raises(StoreError, match=f"refuses: .*{reason}.*check bucket, endpoint"):
        begin(store)


def answered(head: str, body: bytes) -> bytes:
    """A whole answer that ends its connection."""
    return (
        f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        + (body)
    )


PAGE = b"<html><body>Please log in</body></html>"


@pytest.mark.parametrize("status", ["200 OK", "403 No", "404 Not Found", "302 Found"])
def test_a_proxy_that_answers_pages_is_named(
    begin: Callable[[ObjectStore], object], status: str
) -> None:
    """A page is no entry, no missing entry and no acknowledgement, whatever its status."""
    with answering(answered(f"{status}\r\nContent-Type: text/html", PAGE)) as endpoint:
        store = S3Store("bucket", "", settings=replace(NOBODY, endpoint=endpoint))
        with pytest.raises(
            WarrantError, match="is there a proxy, or another server, at the endpoint"
        ):
            begin(store)
        with pytest.raises(WarrantError, match="is there a proxy"):
            store.create("key", b"x")


def test_an_acknowledgement_without_an_etag_is_none() -> None:
    """S3 names the ETag of what it wrote; an empty 200 may be anybody's."""
    with answering(answered("200 OK", b"")) as endpoint:
        store = S3Store("bucket", "", settings=replace(NOBODY, endpoint=endpoint))

        with pytest.raises(WarrantError, match="its answer has no ETag"):
            store.put("key", b"x")


@pytest.mark.parametrize("command", [("doctor",), ("store", "probe")])
@pytest.mark.parametrize(("answer", "code"), [(None, 75), (PAGE, 2)], ids=["silence", "a page"])
def test_silence_may_end_by_itself_a_page_does_not(
    command: tuple[str, ...],
    answer: bytes | None,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit codes tell whoever schedules the command whether to try again."""
    head = "200 OK\r\nContent-Type: text/html"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-word")
    monkeypatch.setenv("WARRANT_HOME", str(tmp_path))
    with answering(answered(head, answer or b"")) as endpoint:
        address = endpoint if answer else "http://127.0.0.1:1"
        monkeypatch.setenv("WARRANT_S3_ENDPOINT", address)
        result = CliRunner().invoke(app, [*command, "--store", "s3://bucket"])

    assert code == result.exit_code, result.output


@pytest.mark.parametrize(("years", "words"), [(10, "behind"), (-10, "ahead of")])
def test_a_wrong_clock_is_named(years: int, words: str) -> None:
    """Signatures carry the time; the message says which clock to set, and how far it is off."""
    theirs = format_datetime(datetime.now(UTC) + timedelta(days=365 * years), usegmt=True)
    error = b"<?xml version='1.0'?><Error><Code>RequestTimeTooSkewed</Code></Error>"
    with answering(answered(f"403 No\r\nDate: {theirs}", error)) as endpoint:
        store = S3Store("bucket", "", settings=replace(NOBODY, endpoint=endpoint))

        for call in (lambda: store.get("key"), lambda: store.create("key", b"")):
            with pytest.raises(StoreError, match=f"clock is 36.* days.*{words}.*set the clock"):
                call()


@pytest.mark.parametrize("body", [b"", b"x" * 9])
@pytest.mark.parametrize("length", [5, 12])
def test_an_answer_that_is_not_whole_is_no_answer(body: bytes, length: int) -> None:
    """A body shorter than announced is read again, then reported; nothing is returned."""
    head = f'HTTP/1.1 200 OK\r\nETag: "{"0" * 32}"\r\nContent-Length: {length}\r\n\r\n'
    with answering(head.encode() + body) as endpoint:
        settings = S3Settings("key", "secret-word", endpoint=endpoint, read_timeout_s=0.2)
        store = S3Store("bucket", "", settings=settings)
        if len(body) >= length:  # its ETag tells, and after the last try the reader's own digests
            assert store.get("key") == body[:length]
        else:
            with pytest.raises(StoreUnavailableError, match=r"bytes read, .* more expected"):
                store.get("key")
