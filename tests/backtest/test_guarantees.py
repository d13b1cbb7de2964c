"""Promises that are checked where the right answer is certain."""

import numpy as np
import pytest

from modelwarrant.backtest.guarantees import QUICK_SCALE, Scale, _share, _verdict, guarantees
from modelwarrant.policy import default_policy
from modelwarrant.records.backtest import Guarantee

SCALE = Scale(equal=60, chains=3, harmless=2, concept=20)


@pytest.fixture(scope="module")
def found() -> dict[str, Guarantee]:
    """Return every promise by name, on few seasons."""
    return {each.name: each for each in guarantees(default_policy(), SCALE, seed=5)}


def test_every_promise_counts_its_seasons(found: dict[str, Guarantee]) -> None:
    """Looks, creep, retraining and detection each have their number of seasons."""
    assert [60, 60, 60, 60, 3, 2, 20, 20] == [each.of for each in found.values()]
    assert all(0 <= each.found <= each.of for each in found.values())


def test_an_equal_challenger_seldom_wins_and_often_does_elsewhere(
    found: dict[str, Guarantee],
) -> None:
    """Ten candidates, each with twenty looks: the ledger of alpha holds, a nominal 5 % does not."""
    many = found["equal challenger, 10 x 20"]

    assert 0.15 >= many.share.estimate  # 5 % and four standard errors of 60 seasons
    assert 1.0 == many.others["metric-only"]
    assert 0.9 < many.others["metric-tested"]


def test_a_chain_does_not_creep(found: dict[str, Guarantee]) -> None:
    """Each candidate is a little worse: the point estimate lets all of them in."""
    creep = found["creep over chains of 20 promotions"]

    assert 0 == creep.found
    assert 1.0 == creep.others["metric-only"]


def test_a_concept_shift_is_found(found: dict[str, Guarantee]) -> None:
    """A growth of +.08 of bounded log losses, within 1,500 labels."""
    assert 0.8 <= found["concept shift of +.08 found, log loss"].share.estimate


def test_the_same_seed_finds_the_same() -> None:
    """No clock: two runs give the same figures, another seed others."""
    small = Scale(equal=30, chains=1, harmless=1, concept=5)
    first, again, other = (
        [each.share.estimate for each in guarantees(default_policy(), small, seed=seed)]
        for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other


@pytest.mark.parametrize(("hits", "upper"), [(0, 0.0881), (2, 0.1692), (40, 1.0)])
def test_a_share_has_exact_bounds(hits: int, upper: float) -> None:
    """Clopper and Pearson's interval; none of 40 leaves 8.8 % open."""
    assert upper == pytest.approx(_share(hits, 40).upper, abs=1e-4)


def test_a_promise_is_kept_up_to_its_limit() -> None:
    """At most and at least, each with the limit itself."""

    def kept(share: float, side: str) -> bool:
        hits = np.arange(100) < 100 * share
        return _verdict("a", hits, {}, limit=0.05, side=side, about="").is_met  # type: ignore[arg-type]  # a literal of the parametrisation

    assert [True, False] == [kept(0.05, "at most"), kept(0.06, "at most")]
    assert [True, False] == [kept(0.05, "at least"), kept(0.04, "at least")]
    assert QUICK_SCALE.equal < Scale().equal
