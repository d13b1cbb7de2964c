"""Whom two names are taken for."""

import pytest

from modelwarrant.registry.names import is_machine, same_person

ALIKE = {
    "case": "ADA",
    "space around": " ada\t",
    "no-break space": "ada\u00a0",
    "full width": "\uff41\uff44\uff41",
    "mathematical letters": "\U0001d41a\U0001d41d\U0001d41a",
    "Cyrillic letters": "\u0430d\u0430",
    "Cyrillic capitals": "\u0410D\u0410",
    "Greek letters": "\u03b1d\u03b1",
    "a space of no width": "a\u200bda",
    "a soft hyphen": "a\u00adda",
    "a mark of direction": "\u202eada",
    "a filler": "ada\u3164",
    "a variation": "ada\ufe0f",
    "a control character": "a\x1bda",
}


@pytest.mark.parametrize("how", ALIKE)
def test_names_that_look_alike_are_one_persons(how: str) -> None:
    """Nobody approves under another spelling of the name that asked."""
    assert same_person("ada", ALIKE[how])
    assert same_person(ALIKE[how], "ada")


@pytest.mark.parametrize(
    "other", ["", "adam", "ad", "a da", "\u00e4da", "Ad\u00e1", "aba", "\u0432\u0434\u0430"]
)
def test_other_names_are_other_persons(other: str) -> None:
    """Accents and spaces within a name tell people apart."""
    assert not same_person("ada", other)


def test_people_with_names_in_their_own_script_stay_apart() -> None:
    """Only letters that look alike are one; case counts nowhere."""
    assert not same_person("\u0412\u0435\u0440\u0430", "\u0410\u043d\u043d\u0430")
    assert same_person("\u0412\u0415\u0420\u0410", "\u0432\u0435\u0440\u0430")


@pytest.mark.parametrize("name", ["system:node:n", "SYSTEM:x", "\u0455ystem:x", "\u200bsystem:x"])
def test_a_machine_stays_one_in_every_spelling(name: str) -> None:
    """A service account does not become a person by a letter that looks alike."""
    assert is_machine(name)
