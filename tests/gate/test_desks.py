"""Where somebody at a cluster's gate looks for evidence."""

import pytest

from modelwarrant.cli.desks import open_cluster_store
from modelwarrant.errors import RequestError


@pytest.mark.parametrize("uri", [".warrant", "/tmp/store"])  # noqa: S108 - only a name
def test_a_folder_is_no_cluster_s_store(uri: str) -> None:
    """The default store is a folder: the error says what to set."""
    with pytest.raises(RequestError, match="WARRANT_STORE=s3://modelwarrant"):
        open_cluster_store(uri)
