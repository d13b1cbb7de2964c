"""A ledger in memory."""

import pytest

from tests.registry.world import MemoryStore, Scribe


@pytest.fixture
def memory() -> MemoryStore:
    """An empty store."""
    return MemoryStore()


@pytest.fixture
def scribe(memory: MemoryStore) -> Scribe:
    """A laptop's ledger with a policy in force."""
    scribe = Scribe(memory)
    scribe.begin()
    return scribe
