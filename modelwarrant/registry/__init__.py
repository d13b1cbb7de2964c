"""What was decided, by whom, on which evidence, and what is in production?

The ledger is the commit log: one signed, chained log per model, and everything else is its fold.
"""

from modelwarrant.registry.anchors import Anchor
from modelwarrant.registry.approvals import ApprovalProof, statement
from modelwarrant.registry.blobs import read_blob, read_blobs, write_blobs
from modelwarrant.registry.collection import Collected, gc
from modelwarrant.registry.history import history_record, is_current
from modelwarrant.registry.home import LaptopHome, Pin
from modelwarrant.registry.keys import Signer
from modelwarrant.registry.ledger import Ledger
from modelwarrant.registry.state import Decided, Ratified, State, Version
from modelwarrant.registry.verification import Verification

__all__ = [
    "Anchor",
    "ApprovalProof",
    "Collected",
    "Decided",
    "LaptopHome",
    "Ledger",
    "Pin",
    "Ratified",
    "Signer",
    "State",
    "Verification",
    "Version",
    "gc",
    "history_record",
    "is_current",
    "read_blob",
    "read_blobs",
    "statement",
    "write_blobs",
]
