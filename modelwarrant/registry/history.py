"""What must a decision know of the ledger?"""

from collections.abc import Sequence
from typing import Final

from modelwarrant.errors import RegistryError
from modelwarrant.records import History
from modelwarrant.registry.state import Decided, State

__all__ = ["history_record", "is_current"]

_ABOUT_WINDOW: Final = "validation_report.json"


def history_record(state: State, model: str, *, overdue: Sequence[str] = ()) -> History:
    """Return production, anchor, candidates and looks since the last promotion, and the policy.

    Args:
        state: the ledger's fold.
        model: whose it must be.
        overdue: what is overdue, each as a sentence; the ledger does not know.

    Raises:
        RegistryError: the state is of another model.
    """
    if state.model != model:
        raise RegistryError(f"the state is of {state.model}, not of {model}")
    production, anchor = state.production_version, state.anchor_version
    decided = state.decided_since_promotion
    return History(
        model=model,
        production_version=None if production is None else production.number,
        production_digest=None if production is None else production.digest,
        anchor_version=None if anchor is None else anchor.number,
        anchor_digest=None if anchor is None else anchor.digest,
        candidates=tuple(digest for digest, _ in dict.fromkeys(map(_looked_at, decided))),
        looks=len(decided),
        policy_digest=None if state.policy is None else state.policy.digest,
        engine_version=None if state.policy is None else state.policy.engine_version,
        overdue=tuple(overdue),
    )


def _looked_at(decided: Decided) -> tuple[str, str | None]:
    """Return which model was looked at, and on which window.

    The validation report is about the current window alone: with the same rows it has the same
    bytes, whatever run it was made in.
    """
    windows = (blob.digest for blob in decided.blobs if blob.name == _ABOUT_WINDOW)
    return decided.candidate_digest, next(windows, None)


def is_current(history: History, state: State) -> bool:
    """Return whether a history still says what the ledger says; ``overdue`` is not compared."""
    return history == history_record(state, state.model, overdue=history.overdue)
