"""A drift-aware model lifecycle: no model goes to production without a warrant."""

__all__ = ["__version__"]

__version__ = "0.1.0"
"""Version of modelwarrant, as manifests and decisions state it."""
