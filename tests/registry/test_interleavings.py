"""No interleaving and no fault breaks the invariants, and four planted bugs do."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from modelwarrant.errors import IllegalOperationError
from modelwarrant.records import LedgerEntry
from modelwarrant.registry import Ledger
from modelwarrant.registry.layout import attempts_prefix
from tests.registry.interleaving import Interleaving, WatchedStore

QUICK = settings(
    max_examples=12,
    stateful_step_count=50,
    deadline=None,
    database=None,
    derandomize=True,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
HUNT = settings(QUICK, max_examples=1000, phases=[Phase.generate])
"""Stops at the first failure; a planted bug is not worth shrinking."""


class OverwritingStore(WatchedStore):
    """Ignores the condition of a conditional write."""

    def create(self, key: str, data: bytes) -> bool:
        """Overwrite whatever is there."""
        self.objects[key] = data
        return True


class LosingLedger(Ledger):
    """Takes a refused write for a lost race, without looking who won."""

    def _send(self, entry: LedgerEntry) -> bool:
        if super()._send(entry):
            return True
        raise IllegalOperationError("somebody else was faster")


class OnOverwritingStore(Interleaving):
    """Planted: a store that ignores the condition."""

    kinds = ("act",)
    store_type = OverwritingStore


class WithLosingLedger(Interleaving):
    """Planted: 412 is taken as 'I lost'."""

    kinds = ("act",)
    ledger_type = LosingLedger


class WithoutFence(Interleaving):
    """Planted: garbage is deleted without closing its attempt first."""

    @staticmethod
    def collect(ledger: Ledger) -> None:
        """Delete what no entry names right now."""
        named, prefix = ledger.state().attempts, attempts_prefix(ledger.model)
        for key in ledger.store.list(prefix):
            if key.removeprefix(prefix).split("/")[0] not in named:
                ledger.store.delete(key)


class WithFreshTxn(Interleaving):
    """Planted: a retry calls itself something new."""

    kinds = ("act",)
    retry_suffix = "-again"


def test_invariants_hold_under_interleavings() -> None:
    """I1 to I12 hold whatever order, loss, delay and death hypothesis comes up with."""
    run_state_machine_as_test(Interleaving, settings=QUICK)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_invariants_hold_under_many_interleavings() -> None:
    """The same, 250 times, longer, and others every time."""
    many = settings(QUICK, max_examples=250, stateful_step_count=100, derandomize=False)
    run_state_machine_as_test(Interleaving, settings=many)


@pytest.mark.parametrize(
    ("machine", "invariants"),
    [
        (OnOverwritingStore, "I1|I5"),
        (WithLosingLedger, "I6"),
        (WithoutFence, "I7|I11"),
        (WithFreshTxn, "I4"),
    ],
)
def test_a_planted_bug_is_caught(machine: type[Interleaving], invariants: str) -> None:
    """The invariants are worth something: each bug breaks the one that it should."""
    with pytest.raises(AssertionError, match=invariants):
        run_state_machine_as_test(machine, settings=HUNT)
