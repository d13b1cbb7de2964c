"""How is an S3 store reached?

Apart from ``s3.py``, so that reading the environment needs no S3 client.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from modelwarrant.errors import StoreError

__all__ = ["AWS_ENDPOINT", "DEFAULT_REGION", "S3Settings"]

AWS_ENDPOINT = "https://s3.amazonaws.com"
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class S3Settings:
    """How to reach an S3 store; ``from_environment`` is the usual way to make one."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    endpoint: str = AWS_ENDPOINT
    """``http://`` or ``https://``, host and port; a host other than AWS is addressed path-style."""
    region: str = DEFAULT_REGION
    """MinIO and SeaweedFS take the default; AWS wants the bucket's."""
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 30.0
    """A write not answered by then has an unknown outcome."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read ``WARRANT_S3_ENDPOINT`` and the usual ``AWS_*`` variables.

        Raises:
            StoreError: no credentials.
        """
        missing = [
            name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if not environ.get(name)
        ]
        if missing:
            raise StoreError(f"an s3:// store needs {' and '.join(missing)} in the environment")
        return cls(
            access_key=environ["AWS_ACCESS_KEY_ID"],
            secret_key=environ["AWS_SECRET_ACCESS_KEY"],
            session_token=environ.get("AWS_SESSION_TOKEN") or None,
            endpoint=environ.get("WARRANT_S3_ENDPOINT") or AWS_ENDPOINT,
            region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION,
        )
