"""What have all records in common?"""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from modelwarrant.canonical import canonical_json, digest_bytes, parse_json
from modelwarrant.errors import RecordError

__all__ = ["Part", "Record"]


class Part(BaseModel):
    """A frozen piece of a record; unknown fields and non-finite floats are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Record(Part):
    """A document that passes between stages.

    Subclasses declare ``schema_version`` as a literal: another version is refused, not guessed at.
    """

    def to_bytes(self) -> bytes:
        """Return the record's canonical JSON."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))

    @property
    def digest(self) -> str:
        """Digest of the record's canonical JSON."""
        return digest_bytes(self.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes, *, name: str) -> Self:
        """Read a record.

        Args:
            data: JSON bytes; need not be canonical.
            name: the file or object read, for the error message.

        Raises:
            RecordError: not JSON, an unknown version or field, or a value of the wrong type.
        """
        return cls.from_json(parse_json(data, name=name), name=name)

    @classmethod
    def from_json(cls, value: Any, *, name: str) -> Self:
        """Read a record from a parsed JSON value; see ``from_bytes``."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the document"
            raise RecordError(
                f"{name}: not a {cls.__name__}: {where}: {first['msg']}"
                + (f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else "")
            ) from error
