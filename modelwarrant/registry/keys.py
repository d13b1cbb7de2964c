"""Who signs, and is a signature right?

Ed25519. A key's id is the digest of its raw 32 public bytes.
"""

import base64
import binascii
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import RegistryError
from modelwarrant.registry.payloads import PublicKey

__all__ = ["Signer", "is_signed_by"]


@dataclass(frozen=True)
class Signer:
    """A private key."""

    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Make a new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes, *, name: str) -> Self:
        """Read a key.

        Args:
            pem: PKCS #8, not encrypted.
            name: the file, for the error message.

        Raises:
            RegistryError: not an Ed25519 private key.
        """
        try:
            private = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise RegistryError(f"{name}: not a private key that can be read: {error}") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise RegistryError(f"{name}: not an Ed25519 key")
        return cls(private)

    def to_pem(self) -> bytes:
        """Return the private key, not encrypted: the file's permissions guard it."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public(self) -> PublicKey:
        """The public half, as the ledger names it."""
        raw = self._private.public_key().public_bytes_raw()
        return PublicKey(id=digest_bytes(raw), public=base64.b64encode(raw).decode())

    def sign(self, data: bytes) -> str:
        """Return the signature, base64."""
        return base64.b64encode(self._private.sign(data)).decode()


def is_signed_by(public: str, signature: str, data: bytes) -> bool:
    """Return whether the signature is by this key, over these bytes.

    Only the one base64 text of a signature is accepted: others decode to the same bytes.

    Args:
        public: the raw public bytes, base64.
        signature: base64.
        data: what was signed.
    """
    try:
        raw = base64.b64decode(signature, validate=True)
        _public_key(public).verify(raw, data)
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return base64.b64encode(raw).decode() == signature


@lru_cache(maxsize=64)
def _public_key(public: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
