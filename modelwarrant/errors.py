"""Every error modelwarrant raises on purpose.

``` text
WarrantError
├── PermanentError            the user must change something; nothing is retried (exit 2)
│   ├── DataError             a source, column, window or value is not what it must be
│   │   ├── SourceError           a file, object or address cannot be read
│   │   ├── SchemaMismatchError   a column is missing, unexpected or of another type
│   │   ├── ContractError         values break the declared contract (range, missing, infinity)
│   │   ├── WindowError           a window cannot be parsed, is empty, too short or overlaps
│   │   ├── TargetError           the target is absent, constant or has one class only
│   │   └── ChangedDataError      bytes changed behind a recorded digest
│   ├── ProjectError          the project file is broken
│   ├── PolicyError           the policy file is broken or fails the linter
│   ├── RecordError           a document has an unknown version, field or digest
│   ├── TrainingError         a recipe is unknown or cannot be fitted
│   │   └── ParityError           the ONNX model answers differently from the fitted estimator
│   ├── BundleError           a model bundle is incomplete, altered or cannot be loaded
│   ├── RegistryError         the ledger refuses
│   │   ├── IllegalOperationError the operation is not legal on the ledger's present state
│   │   ├── TamperedError         verification found altered bytes; names the object
│   │   └── UnknownModelError     no such model, version or entry
│   ├── RequestError          a promotion request cannot be decided that way
│   ├── StoreError            the store is refused: read-only, wrong layout, no conditional create
│   └── MissingExtraError     an optional dependency is not installed; names the extra
└── TemporaryError            the same call may succeed later (exit 75)
    ├── StoreUnavailableError     the store did not answer, or is full
    ├── OutcomeUnknownError       a write may or may not have landed; retry with the same txn
    ├── BusyError                 another run holds the model
    └── WaitingError              a person has not decided yet
```

Library errors know nothing of HTTP or exit codes: ``modelwarrant.stage`` and ``serving.app`` each
hold one table that maps them.
"""

__all__ = [
    "BundleError",
    "BusyError",
    "ChangedDataError",
    "ContractError",
    "DataError",
    "IllegalOperationError",
    "MissingExtraError",
    "OutcomeUnknownError",
    "ParityError",
    "PermanentError",
    "PolicyError",
    "ProjectError",
    "RecordError",
    "RegistryError",
    "RequestError",
    "SchemaMismatchError",
    "SourceError",
    "StoreError",
    "StoreUnavailableError",
    "TamperedError",
    "TargetError",
    "TemporaryError",
    "TrainingError",
    "UnknownModelError",
    "WaitingError",
    "WarrantError",
    "WindowError",
]


class WarrantError(Exception):
    """Root of the tree; the message names what is at fault and what to do."""


class PermanentError(WarrantError):
    """Retrying the same call gives the same error: the user must change something."""


class TemporaryError(WarrantError):
    """The same call may succeed later.

    Args:
        message: what happened and to which object.
        retry_after_s: seconds to wait before the next try, in [0, inf).
    """

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DataError(PermanentError):
    """A source, column, window or value is not what it must be."""


class SourceError(DataError):
    """A file, object or address cannot be read."""


class SchemaMismatchError(DataError):
    """A column is missing, unexpected or of another type than declared."""


class ContractError(DataError):
    """Values break the declared contract: range, missing values or infinity."""


class WindowError(DataError):
    """A window cannot be parsed, is empty, too short or overlaps another one."""


class TargetError(DataError):
    """The target is absent, constant or holds one class only."""


class ChangedDataError(DataError):
    """Data no longer has the digest that a record states."""


class ProjectError(PermanentError):
    """The project file is broken; the message names file, line and key."""


class PolicyError(PermanentError):
    """The policy file is broken or fails the linter."""


class RecordError(PermanentError):
    """A document has an unknown schema version, an unknown field or a wrong digest."""


class TrainingError(PermanentError):
    """A recipe is unknown or cannot be fitted on this window."""


class ParityError(TrainingError):
    """The ONNX model answers differently from the fitted estimator; names the rows."""


class BundleError(PermanentError):
    """A model bundle is incomplete, altered or cannot be loaded."""


class RegistryError(PermanentError):
    """The ledger refuses."""


class IllegalOperationError(RegistryError):
    """The operation is not legal on the ledger's present state."""


class TamperedError(RegistryError):
    """Verification found altered bytes; the message names the first bad object."""


class UnknownModelError(RegistryError):
    """No such model, version or entry."""


class RequestError(PermanentError):
    """A promotion request cannot be decided that way."""


class StoreError(PermanentError):
    """The store is refused: read-only, wrong layout, or it ignores conditional create."""


class MissingExtraError(PermanentError):
    """An optional dependency is not installed; the message names the extra."""


class StoreUnavailableError(TemporaryError):
    """The store did not answer, or is full."""


class OutcomeUnknownError(TemporaryError):
    """A write may or may not have landed; retrying with the same txn is safe."""


class BusyError(TemporaryError):
    """Another run of the same model is at work."""


class WaitingError(TemporaryError):
    """A person has not decided yet."""
