"""A drift-aware model lifecycle: no model goes to production without a warrant."""

from importlib import metadata

__all__ = ["__version__"]

__version__: str = metadata.version("modelwarrant")
"""Version of the installed distribution, for example ``0.1.0``."""
