"""What only S3 can suffer: lost answers, refused credentials, clients that overwrite silently."""

import io
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from modelwarrant.errors import OutcomeUnknownError, StoreError, StoreUnavailableError
from modelwarrant.storage import S3Settings, open_store
from modelwarrant.storage.s3 import S3Store

NOBODY = S3Settings("key", "secret-word", endpoint="http://127.0.0.1:1", connect_timeout_s=1)


@contextmanager
def answering(answer: bytes | None) -> Iterator[str]:
    """A server that reads one request a connection and answers with these bytes, or hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1 << 16)
                    if answer is not None:
                        connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_minio_py_overwrites_silently(minio: Any) -> None:
    """The reason for our own conditional PUT: the library sends the condition as metadata.

    When this fails, minio-py has learnt conditional writes, and ``S3Store.create`` can use them.
    """
    store = S3Store(minio.bucket, "overwrite", settings=minio.settings)
    store.create("key", b"winner")
    body = b"loser"
    store._client.put_object(
        minio.bucket,
        "overwrite/key",
        io.BytesIO(body),
        len(body),
        metadata={"If-None-Match": "*"},
    )

    assert store.get("key") == b"loser"


def test_a_lost_answer_is_unknown() -> None:
    """A connection that ends before the answer leaves the write's fate open."""
    with answering(None) as endpoint:
        store = S3Store("bucket", "", settings=replace(NOBODY, endpoint=endpoint))

        with pytest.raises(OutcomeUnknownError, match="did not answer the write of key"):
            store.create("key", b"x")


def test_a_server_error_is_unknown() -> None:
    """A 500 may come after the write: it is not sent again by itself, and is no refusal."""
    answer = b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy"
    with answering(answer) as endpoint:
        store = S3Store("bucket", "", settings=replace(NOBODY, endpoint=endpoint))

        with pytest.raises(OutcomeUnknownError, match="HTTP 500 busy"):
            store.create("key", b"x")


@pytest.mark.parametrize("status", [b"409 Conflict", b"412 Precondition Failed"])
def test_a_conflict_without_a_body_is_taken(status: bytes) -> None:
    """409 and 412 both say that the key is or is being taken; minio-py trips over the empty 409."""
    answer = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with answering(answer) as endpoint:
        store = S3Store("bucket", "", settings=replace(NOBODY, endpoint=endpoint))

        assert not store.create("key", b"x")


def test_a_store_without_conditional_put_is_refused() -> None:
    """501 is permanent and says what is missing."""
    answer = b"HTTP/1.1 501 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with answering(answer) as endpoint:
        store = S3Store("bucket", "", settings=replace(NOBODY, endpoint=endpoint))

        with pytest.raises(StoreError, match="no conditional PUT"):
            store.create("key", b"x")


def test_nobody_at_the_endpoint_is_temporary_and_nothing_was_written() -> None:
    """A refused connection is StoreUnavailableError, for reads and for conditional writes."""
    store = S3Store("bucket", "", settings=NOBODY)

    with pytest.raises(StoreUnavailableError):
        store.create("key", b"x")
    with pytest.raises(StoreUnavailableError):
        store.get("key")


def test_wrong_credentials_are_permanent(minio: Any) -> None:
    """A refused signature is StoreError naming the store, for every call."""
    wrong = replace(minio.settings, secret_key="x" * 12)
    store = S3Store(minio.bucket, "x", settings=wrong)

    for call in (
        lambda: store.get("k"),
        lambda: store.create("k", b""),
        lambda: store.put("k", b""),
    ):
        with pytest.raises(StoreError, match=f"{minio.bucket}/x refuses"):
            call()


def test_a_missing_bucket_is_permanent(minio: Any) -> None:
    """A bucket that does not exist is StoreError, not an empty store."""
    store = S3Store("no-such-bucket", "", settings=minio.settings)

    with pytest.raises(StoreError, match="NoSuchBucket"):
        store.get("key")
    with pytest.raises(StoreError, match="NoSuchBucket"):
        store.create("key", b"x")


def test_the_secret_is_not_shown() -> None:
    """Settings can be printed."""
    assert "secret-word" not in repr(NOBODY)


def test_settings_come_from_the_usual_variables() -> None:
    """Endpoint and credentials are read from the mapping that is passed in."""
    environ = {
        "WARRANT_S3_ENDPOINT": "http://minio:9000",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    expected = S3Settings("a", "b", endpoint="http://minio:9000", region="eu-central-1")

    assert expected == S3Settings.from_environment(environ)


def test_missing_credentials_are_named() -> None:
    """The message names the variables that are not set."""
    with pytest.raises(StoreError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        S3Settings.from_environment({})


@pytest.mark.parametrize("endpoint", ["minio:9000", "ftp://minio", "http://"])
def test_an_endpoint_that_is_no_url_is_refused(endpoint: str) -> None:
    """The endpoint's scheme decides on TLS, so it must be there."""
    with pytest.raises(StoreError, match="S3 endpoint"):
        open_store("s3://bucket", s3=replace(NOBODY, endpoint=endpoint))


def test_without_the_extra_the_error_names_it() -> None:
    """A machine without minio learns what to install, and folders work without it."""
    program = """
import sys
sys.modules["minio"] = None
from modelwarrant.errors import MissingExtraError
from modelwarrant.storage import S3Settings, open_store
open_store("folder")
try:
    open_store("s3://bucket", s3=S3Settings("a", "b"))
except MissingExtraError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert "pip install 'modelwarrant[s3]'" in done.stdout


def test_a_stores_own_uri_opens_it_again(minio: Any) -> None:
    """The URI names endpoint, bucket and prefix, so that another process finds the same store."""
    store = open_store(f"s3://{minio.bucket}/again", s3=minio.settings)
    store.put("key", b"x")
    again = open_store(store.uri, s3=replace(minio.settings, endpoint="http://elsewhere:1"))

    assert store.uri == again.uri
    assert again.get("key") == b"x"
