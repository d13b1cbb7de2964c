"""How does an S3 bucket keep the store's promises?

Only three things are asked of the server: GET, LIST, and PUT with ``If-None-Match: *``. minio-py
has no conditional PUT (``put_object`` turns the header into metadata and overwrites), so ``create``
sends its own presigned request, over a wire that never retries: a retried PUT whose first answer
was lost is answered 412 although it was won. ``get`` goes the same, short way.
"""

import base64
import hashlib
import io
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from xml.etree.ElementTree import ParseError

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error
from urllib3.exceptions import HTTPError

from modelwarrant.errors import (
    OutcomeUnknownError,
    StoreError,
    StoreUnavailableError,
    WarrantError,
)
from modelwarrant.storage.protocol import checked_key, checked_prefix
from modelwarrant.storage.settings import S3Settings
from modelwarrant.storage.signing import Presigner
from modelwarrant.storage.wire import Answer, NotSentError, UnansweredError, Wire

__all__ = ["S3Store"]

_PRESIGNED_FOR = timedelta(minutes=15)
"""Longer than any request lives, shorter than a leaked log line stays useful."""

_TAKEN = frozenset({409, 412})
"""409: another conditional write of this key is under way. Both mean: read the key."""

_TRIES = 4
_FIRST_PAUSE_S = 0.1
"""A read that got no whole answer is sent again after this, twice this, four times this."""

_ELSEWHERE = "is there a proxy, or another server, at the endpoint?"

_TOLERATED_SKEW = timedelta(minutes=15)
"""S3 refuses signatures that are older or newer."""

_NOT_THERE = frozenset({"NoSuchKey", "NoSuchVersion", "ResourceNotFound"})


class S3Store:
    """A store in an S3 bucket, below a prefix. The bucket must exist.

    Args:
        bucket: the bucket's name.
        prefix: put before every key with a slash; may be empty.
        settings: endpoint and credentials.

    Raises:
        StoreError: the endpoint is no http(s) URL, or the bucket's name is no name.
    """

    def __init__(self, bucket: str, prefix: str, *, settings: S3Settings) -> None:
        address = urlsplit(settings.endpoint)
        if address.scheme not in ("http", "https") or not address.netloc:
            raise StoreError(
                f"the S3 endpoint {settings.endpoint!r} is not http://HOST or https://HOST"
            )
        self._bucket = bucket
        self._prefix = f"{checked_key(prefix)}/" if prefix else ""
        self._endpoint = settings.endpoint.rstrip("/")
        self.is_versioned = False
        """Whether the bucket was seen to keep versions; with an object lock it always does."""
        timeout = urllib3.Timeout(connect=settings.connect_timeout_s, read=settings.read_timeout_s)
        self._client = Minio(
            address.netloc,
            access_key=settings.access_key,
            secret_key=settings.secret_key,
            session_token=settings.session_token,
            secure=address.scheme == "https",
            region=settings.region,
            http_client=urllib3.PoolManager(
                # LIST, DELETE and plain overwrites may be sent again.
                retries=urllib3.Retry(
                    total=3, backoff_factor=0.1, status_forcelist=[500, 502, 503, 504]
                ),
                timeout=timeout,
                maxsize=32,
            ),
        )
        with self._failures(f"the bucket {bucket} cannot be used"):
            example = self._client.presigned_get_object(bucket, "any", expires=_PRESIGNED_FOR)
        self._presigner = Presigner(
            example, "any", settings=settings, expires_s=int(_PRESIGNED_FOR.total_seconds())
        )
        self._wire = Wire(
            urlsplit(example).netloc,
            is_secure=address.scheme == "https",
            connect_timeout_s=settings.connect_timeout_s,
            read_timeout_s=settings.read_timeout_s,
        )

    @property
    def uri(self) -> str:
        """``s3+<endpoint>/<bucket>/<prefix>``: the same bucket name elsewhere is another store."""
        return f"s3+{self._endpoint}/{self._bucket}/{self._prefix}".rstrip("/")

    def get(self, key: str) -> bytes | None:
        """Return the object's bytes, or None where there is none or a delete marker."""
        name = self._prefix + checked_key(key)
        what = f"{key} cannot be read"
        for tries in range(_TRIES):
            if tries:
                time.sleep(_FIRST_PAUSE_S * 2 ** (tries - 1))
            is_last = tries == _TRIES - 1
            target = self._presigner.target("GET", name, now=datetime.now(UTC))
            try:
                answer = self._wire.send("GET", target)
            except (NotSentError, UnansweredError) as error:
                if is_last:
                    raise StoreUnavailableError(
                        f"the store {self.uri} does not answer: {what}: {error}"
                    ) from error
                continue
            if answer.status == 200 and (is_last or _is_whole(answer)):
                return self._read(what, answer)
            if answer.status < 500 and answer.status != 200:
                break
        code, _ = _error(answer)
        if answer.status == 404 and code in _NOT_THERE:
            return None
        raise self._refusal(what, answer)

    def _read(self, what: str, answer: Answer) -> bytes:
        """Return what a store answered; one that is no store names no ETag."""
        if "etag" not in answer.headers:
            raise StoreUnavailableError(f"the store {self.uri} failed: {what}: {_no_store(answer)}")
        return answer.body

    def create(self, key: str, data: bytes) -> bool:
        """Write the object if there is none, with one request; see ``ObjectStore.create``."""
        name = self._prefix + checked_key(key)
        what = f"{key} was not written"
        checksum = hashlib.md5(data, usedforsecurity=False).digest()
        headers = {
            "If-None-Match": "*",
            "Content-Type": "application/octet-stream",
            "Content-MD5": base64.b64encode(checksum).decode(),
        }
        target = self._presigner.target("PUT", name, now=datetime.now(UTC))
        try:
            answer = self._wire.send("PUT", target, headers=headers, body=data)
        except NotSentError as error:
            raise StoreUnavailableError(f"the store {self.uri} does not answer: {error}") from error
        except UnansweredError as error:
            raise OutcomeUnknownError(
                f"the store {self.uri} did not answer the write of {key}: {error}"
            ) from error
        if answer.status in _TAKEN:
            return False
        if answer.status == 200 and "etag" in answer.headers:
            self.is_versioned |= answer.headers.get("x-amz-version-id", "null") != "null"
            return True
        if answer.status == 501:
            raise StoreError(
                f"the store {self.uri} has no conditional PUT, which the ledger needs: "
                f"{_said(answer)}"
            )
        if answer.status >= 500 or answer.status < 300:
            raise OutcomeUnknownError(f"the store {self.uri} failed at {key}: {_said(answer)}")
        raise self._refusal(what, answer)

    def put(self, key: str, data: bytes) -> None:
        """Write or overwrite the object."""
        name = self._prefix + checked_key(key)
        with self._failures(f"{key} was not written"):
            written = self._client.put_object(self._bucket, name, io.BytesIO(data), len(data))
        if not written.etag:
            raise OutcomeUnknownError(
                f"the store {self.uri} did not say that {key} was written: its answer has no ETag"
            )

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with the prefix, in ascending order."""
        name = self._prefix + checked_prefix(prefix)
        with self._failures(f"{prefix} cannot be listed"):
            found = [
                str(item.object_name)[len(self._prefix) :]
                for item in self._client.list_objects(self._bucket, prefix=name, recursive=True)
            ]
        return iter(sorted(found))

    def delete(self, key: str) -> None:
        """Remove the object; one that is not there is no error."""
        name = self._prefix + checked_key(key)
        with self._failures(f"{key} was not deleted"):
            self._client.remove_object(self._bucket, name)

    @contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        """Turn the client's exceptions into ours."""
        try:
            yield
        except S3Error as error:
            said = f"{error.code}: {error.message}"
            response = error.response
            raise self._failure(what, response.status, said, response.headers) from error
        except (InvalidResponseError, ParseError) as error:
            raise StoreUnavailableError(
                f"the store {self.uri} failed: {what}: {error}; {_ELSEWHERE}"
            ) from error
        except (MinioException, HTTPError) as error:
            raise StoreUnavailableError(f"the store {self.uri} failed: {what}: {error}") from error
        except ValueError as error:
            hint = f"; {_ELSEWHERE}" if "XML" in str(error) else ""
            raise StoreError(f"the store {self.uri} refuses: {what}: {error}{hint}") from error

    def _refusal(self, what: str, answer: Answer) -> WarrantError:
        return self._failure(what, answer.status, _said(answer), answer.headers)

    def _failure(
        self, what: str, status: int, said: str, headers: Mapping[str, str]
    ) -> WarrantError:
        if status >= 500 or status == 429 or "SlowDown" in said:
            return StoreUnavailableError(f"the store {self.uri} failed: {what}: {said}")
        skew = _skew(headers)
        if abs(skew) > _TOLERATED_SKEW:
            return StoreError(
                f"the store {self.uri} refuses: {what}: {said}; this machine's clock is "
                f"{abs(skew)} {'ahead of' if skew > timedelta() else 'behind'} the store's: "
                "set the clock"
            )
        return StoreError(
            f"the store {self.uri} refuses: {what}: {said}; "
            "check bucket, endpoint, region and credentials"
        )


def _is_whole(answer: Answer) -> bool:
    """Return whether the body is what the store says it holds, as far as its ETag tells.

    An ETag is the body's MD5 unless the object is encrypted or was written in parts.
    """
    etag = answer.headers.get("etag", "").strip('"')
    is_md5 = re.fullmatch("[0-9a-f]{32}", etag) and not any(
        name.startswith("x-amz-server-side-encryption") for name in answer.headers
    )
    found = hashlib.md5(answer.body, usedforsecurity=False).hexdigest()
    return found == etag if is_md5 else bool(etag)


def _error(answer: Answer) -> tuple[str, str]:
    """Return code and message of an S3 error document; empty where it is none."""
    if not answer.body.lstrip().startswith(b"<?xml") and b"<Error" not in answer.body[:200]:
        return "", ""
    text = answer.body.decode("utf-8", "replace")
    found = (re.search(rf"<{name}>([^<]*)</{name}>", text) for name in ("Code", "Message"))
    code, message = (match[1] if match else "" for match in found)
    return code, message


def _said(answer: Answer) -> str:
    code, message = _error(answer)
    return f"{code}: {message}" if code else _no_store(answer)


def _no_store(answer: Answer) -> str:
    kind = answer.headers.get("content-type", "no content type")
    text = " ".join(answer.body[:120].decode("utf-8", "replace").split())
    if answer.status >= 500:
        return f"HTTP {answer.status} {text}".strip()
    return f"HTTP {answer.status} {text!r} ({kind}) is no answer of an S3 server; {_ELSEWHERE}"


def _skew(headers: Mapping[str, str]) -> timedelta:
    """How far this machine's clock is ahead of the server's, which says its time."""
    said = headers.get("date")
    try:
        theirs = parsedate_to_datetime(said) if said else None
    except ValueError:
        theirs = None
    if theirs is None or theirs.tzinfo is None:
        return timedelta()
    return timedelta(seconds=round((datetime.now(UTC) - theirs).total_seconds()))
