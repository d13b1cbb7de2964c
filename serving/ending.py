"""How far has the process come on its way to stop?"""

from dataclasses import dataclass

__all__ = ["Ending"]


@dataclass
class Ending:
    """Shared by the server, which moves it on, and the application, which answers accordingly."""

    is_draining: bool = False
    """A signal came: ``/readyz`` says 503, everything is answered."""
    is_closing: bool = False
    """Nobody can connect any more: each answer closes its connection."""
