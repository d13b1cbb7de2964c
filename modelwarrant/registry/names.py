"""Are these two names one person's, and is this one a person's at all?

Names come from an API server, from an environment variable, from whoever types. Two that a reader
cannot tell apart are taken for one: nobody approves what he asked for under a name that only looks
like another.
"""

import unicodedata
from typing import Final

__all__ = ["is_machine", "person_of", "same_person"]

_INVISIBLE: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
)
"""Marks and letters that draw nothing, beside control and format characters."""

_LOOKS: Final = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442"
    "\u0443\u0445\u0455\u0456\u0458\u051b\u051d\u04bb\u0501\u04cf"  # Cyrillic
    "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf"
    "\u03c1\u03c4\u03c5\u03c7\u03f3"  # Greek
    "\u0131\u0251\u0261",
    "abekmhopctyxsijqwhdlabezhikmnoptyxjiag",
)
"""Letters whose small or capital form is drawn as a Latin one: a part of Unicode's confusables
(UTS 39), what a keyboard of Europe has."""


def person_of(name: str) -> str:
    """Return what names of one person have in common; it is for comparing, not for showing.

    Case, width, further spaces, invisible characters, and the script of letters that look alike do
    not count.

    >>> person_of(" Ada "), person_of("\u0430da"), person_of("a\u200bda")
    ('ada', 'ada', 'ada')
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = (
        char
        for char in folded
        if char.isspace()
        or (unicodedata.category(char) not in ("Cc", "Cf") and char not in _INVISIBLE)
    )
    return " ".join("".join(seen).translate(_LOOKS).split())


def same_person(one: str, other: str) -> bool:
    """Return whether two names are taken for one person; see ``person_of``.

    >>> same_person("Ada", "ada "), same_person("ada", "eve")
    (True, False)
    """
    return person_of(one) == person_of(other)


def is_machine(name: str) -> bool:
    """Return whether a name is Kubernetes' own kind: a service account, a node, a component.

    >>> is_machine("system:serviceaccount:kubeflow:pipeline-runner"), is_machine("ada")
    (True, False)
    """
    return person_of(name).startswith("system:")
