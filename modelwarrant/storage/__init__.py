"""Where do objects lie, and which promises does that place keep?

A folder or an S3 bucket behind one protocol of five calls; ``probe`` finds out whether a place
keeps its promises.
"""

from modelwarrant.storage.directory import DirectoryStore
from modelwarrant.storage.opening import open_store
from modelwarrant.storage.probe import Finding, probe, refuse_unfit
from modelwarrant.storage.protocol import ObjectStore, checked_key, checked_prefix
from modelwarrant.storage.settings import S3Settings

__all__ = [
    "DirectoryStore",
    "Finding",
    "ObjectStore",
    "S3Settings",
    "checked_key",
    "checked_prefix",
    "open_store",
    "probe",
    "refuse_unfit",
]
