"""What a package says it exports is there, and documented."""

import importlib
import pkgutil

import pytest

import modelwarrant

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(modelwarrant.__path__, "modelwarrant.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_all_is_importable(name: str) -> None:
    """Each module has ``__all__``, and every name in it exists."""
    module = importlib.import_module(name)

    assert [] == [export for export in module.__all__ if not hasattr(module, export)]


@pytest.mark.parametrize("name", MODULES)
def test_all_names_each_export_once(name: str) -> None:
    """No name stands twice in ``__all__``."""
    exports = list(importlib.import_module(name).__all__)

    assert len(set(exports)) == len(exports)
