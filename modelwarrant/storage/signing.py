"""What must stand in a URL so that an S3 server takes a request for ours?

AWS Signature Version 4 in the query, the payload unsigned, as minio-py's presigned URLs have it
(https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html). A writer signs
twenty requests for each entry; all but the last step of the key and most of the text change once a
second, so they are kept.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit

from modelwarrant.storage.settings import S3Settings

__all__ = ["Presigner"]

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class _Moment:
    """What is the same for all requests of one second."""

    second: str
    query: str
    """All of the query but the signature; its parts are in order."""
    scope: str
    key: bytes


class Presigner:
    """Signs requests to one bucket. Any number of threads may ask.

    Args:
        example: URL of an object of the bucket, as the server wants to be addressed.
        name: of that object; the URL's path ends with it.
        settings: credentials and region.
        expires_s: seconds that a signature is good for.
    """

    def __init__(self, example: str, name: str, *, settings: S3Settings, expires_s: int) -> None:
        url = urlsplit(example)
        self._host = url.netloc
        self._folder = url.path.removesuffix(name)
        self._settings, self._expires_s = settings, expires_s
        self._kept: _Moment | None = None

    def target(self, method: str, name: str, *, now: datetime) -> str:
        """Return the path and query of a request.

        Args:
            method: ``GET`` or ``PUT``.
            name: of the object.
            now: in UTC; the server refuses what is more than 15 minutes off.

        Returns:
            What stands behind the method in the request's first line.
        """
        second = now.strftime("%Y%m%dT%H%M%SZ")
        moment = self._kept
        if moment is None or moment.second != second:
            moment = self._kept = self._moment(second)
        path = self._folder + quote(name, safe="/-_.~")
        request = f"{method}\n{path}\n{moment.query}\nhost:{self._host}\n\nhost\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(request.encode()).hexdigest()
        said = f"{_ALGORITHM}\n{second}\n{moment.scope}\n{digest}"
        signature = hmac.digest(moment.key, said.encode(), "sha256").hex()
        return f"{path}?{moment.query}&X-Amz-Signature={signature}"

    def _moment(self, second: str) -> _Moment:
        settings, day = self._settings, second[:8]
        scope = f"{day}/{settings.region}/s3/aws4_request"
        key = f"AWS4{settings.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        token = settings.session_token
        parts = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{settings.access_key}/{scope}",
            "X-Amz-Date": second,
            "X-Amz-Expires": str(self._expires_s),
            **({} if token is None else {"X-Amz-Security-Token": token}),
            "X-Amz-SignedHeaders": "host",
        }
        query = "&".join(f"{name}={quote(parts[name], safe='-_.~')}" for name in parts)
        return _Moment(second, query, scope, key)
