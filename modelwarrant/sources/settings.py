"""How are remote sources reached, and how much may they send?"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["S3Settings", "SourceSettings", "read_source_settings"]


@dataclass(frozen=True)
class S3Settings:
    """Where the objects of ``s3://`` lie, and who asks."""

    endpoint: str = "https://s3.amazonaws.com"
    """``WARRANT_S3_ENDPOINT``: scheme, host and port; http:// for a store in the same network."""
    access_key: str | None = field(default=None, repr=False)
    """``AWS_ACCESS_KEY_ID``; None asks without signing, as public buckets allow."""
    secret_key: str | None = field(default=None, repr=False)
    """``AWS_SECRET_ACCESS_KEY``."""
    session_token: str | None = field(default=None, repr=False)
    """``AWS_SESSION_TOKEN``, with temporary credentials only."""
    region: str = "us-east-1"
    """``AWS_REGION`` or ``AWS_DEFAULT_REGION``; stores other than Amazon's ignore it."""


@dataclass(frozen=True)
class SourceSettings:
    """Limits of a download, and the object store."""

    timeout_s: float = 30.0
    """Seconds that a server may stay silent."""
    deadline_s: float = 900.0
    """Seconds that one download may take: a server that drips bytes is not waited for."""
    max_bytes: int = 4 * 2**30
    """Largest download, as it travels; one that is longer would fill the disk unnoticed."""
    s3: S3Settings = field(default_factory=S3Settings)


def read_source_settings(environment: Mapping[str, str] | None = None) -> SourceSettings:
    """Read the settings of ``s3://`` sources.

    Args:
        environment: default ``os.environ``.
    """
    env = os.environ if environment is None else environment
    default = S3Settings()
    return SourceSettings(
        s3=S3Settings(
            endpoint=env.get("WARRANT_S3_ENDPOINT") or default.endpoint,
            access_key=env.get("AWS_ACCESS_KEY_ID") or None,
            secret_key=env.get("AWS_SECRET_ACCESS_KEY") or None,
            session_token=env.get("AWS_SESSION_TOKEN") or None,
            region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or default.region,
        )
    )
