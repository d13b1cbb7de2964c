"""Documents that do not belong together, or no longer describe production, never promote."""

import pytest

from modelwarrant.policy import alpha_for, default_policy
from modelwarrant.records import History

OTHER = "sha256:" + "0" * 64


def _level(case):
    decision = case.decide()
    assert decision.verdict == "HOLD"
    return decision.levels["evidence"], decision.reason


@pytest.mark.parametrize(
    ("document", "change", "said"),
    [
        ("evaluation", {"candidate_digest": OTHER}, "evaluated candidate"),
        ("evaluation", {"current_final_digest": OTHER}, "evaluated final split"),
        ("evaluation", {"reference_final_digest": OTHER}, "evaluated reference split"),
        ("validation", {"window_digest": OTHER}, "validated window"),
        ("drift", {"current_digest": OTHER}, "drift's current window"),
        ("drift", {"reference_digest": OTHER}, "drift's reference"),
        ("history", {"model": "another"}, "history's model"),
    ],
)
def test_a_document_about_something_else_is_mismatched(good, document, change, said):
    """Each digest that the manifest states is compared with the document's own."""
    level, reason = _level(good.but(**{document: change}))

    assert "mismatched" == level
    assert said in reason


@pytest.mark.parametrize(
    ("document", "change", "said"),
    [
        ("evaluation", {"production_digest": OTHER}, "the evaluation's production"),
        ("evaluation", {"anchor_digest": OTHER}, "the evaluation's anchor"),
        ("evaluation", {"policy_digest": OTHER}, "measured under policy"),
        ("drift", {"production_digest": OTHER}, "the drift report's production"),
        ("evaluation", {"margin_non_inferiority": 0.25}, "non-inferiority margin"),
        ("evaluation", {"margin_slices": 0.5}, "slices margin"),
    ],
)
def test_evidence_of_another_time_is_stale(good, document, change, said):
    """Evidence holds for one production model, one policy and its margins."""
    level, reason = _level(good.but(**{document: change}))

    assert "stale" == level
    assert said in reason


@pytest.mark.parametrize(
    ("document", "change", "said"),
    [
        ("drift", None, "no drift report"),
        ("drift", {"production_digest": None}, "production's predictions"),
        ("evaluation", {"anchor": None}, "human-approved"),
        ("evaluation", {"floor": None}, "trivial predictor"),
        ("manifest", {"reference": None}, "no reference window"),
    ],
)
def test_absent_evidence_is_missing(good, document, change, said):
    """What a decision needs and does not find is named."""
    level, reason = _level(good.but(**{document: change}))

    assert "missing" == level
    assert said in reason


def test_a_manifest_without_a_final_split_is_missing_evidence(good, window_ref):
    """A window that was never split has no rows that may judge."""
    case = good.but(manifest={"current": window_ref("current", final_digest=None)})

    assert "missing" == _level(case)[0]


def test_a_report_that_spends_too_much_alpha_is_stale(good):
    """A second candidate judged with the first one's alpha is not decided on."""
    documents = good.documents
    history = documents.history.model_copy(update={"candidates": (OTHER,)})
    level, reason = _level(_WithDocuments(good, history=history))

    assert "stale" == level
    assert "look number 2" in reason


def test_a_report_that_spends_less_alpha_is_fresh(good):
    """Wider bounds than allowed are still bounds."""
    earlier = good.but(history={"candidates": (OTHER,)}).documents
    decision = _WithDocuments(good, evaluation=earlier.evaluation).decide()

    assert "fresh" == decision.levels["evidence"]


def test_a_comparison_with_the_wrong_baseline_is_mismatched(good, compared):
    """A report that beats the trivial predictor does not beat production."""
    alpha = good.documents.evaluation.alpha
    case = good.but(evaluation={"current": compared(0.2, 0.01, baseline="trivial", alpha=alpha)})

    assert "mismatched" == _level(case)[0]


def test_a_gain_that_is_not_the_difference_of_its_losses_is_mismatched(good):
    """The champion's stored loss written beside a fresh gain does not pass."""
    current = good.documents.evaluation.current
    planted = current.model_copy(update={"baseline_loss": current.baseline_loss * 1.2})
    level, reason = _level(good.but(evaluation={"current": planted, "margin_slices": None}))

    assert "mismatched" == level
    assert "not the difference of its losses" in reason


def test_the_candidate_compared_with_itself_never_promotes(good, compared):
    """A gain of exactly 0 with bounds at 0 shows nothing, whatever the digests say."""
    alpha = good.documents.evaluation.alpha
    nothing = {
        name: compared(0.0, 0.0, window=window, alpha=alpha, deviation=0.0)
        for name, window in (("current", "current"), ("reference", "reference"))
    }
    decision = good.but(evaluation=nothing).decide()

    assert "HOLD" == decision.verdict


def test_a_report_whose_production_is_the_candidate_never_promotes(good):
    """The planted mistake: production_digest filled with the candidate's."""
    candidate = good.documents.manifest.model_digest
    decision = good.but(evaluation={"production_digest": candidate}).decide()

    assert ("HOLD", "identical") == (decision.verdict, decision.rule)
    assert "compared with itself" in decision.reason


def test_equal_answers_under_another_digest_are_identical(good):
    """The same model with another file digest is still the same model."""
    decision = good.but(evaluation={"identical_answers": True}).decide()

    assert ("HOLD", "identical") == (decision.verdict, decision.rule)
    assert "answer alike on all 3,000 final rows" in decision.reason


@pytest.mark.parametrize(
    ("own", "level"),
    [
        ({"bounds": "2013-01-01..2013-03-01"}, "current"),
        ({"bounds": "2012-01-01..2013-02-20"}, "current"),
        ({"bounds": "2012-01-01..2013-01-15"}, "stale"),
        ({"bounds": "2013-02-10..2013-03-01"}, "stale"),
        ({"bounds": "2012-01-01..2013-02-20", "source": "another.csv"}, "stale"),
        ({"bounds": "0:5000"}, "stale"),
    ],
)
def test_a_training_window_of_its_own_must_cover_the_current_training_rows(
    good, window_ref, own, level
):
    """Own windows count as trained on the current window only where they hold its rows."""
    case = good.but(
        manifest={
            "train": "own",
            "own": window_ref("own", **own),
            "current": window_ref("current", final_first=1_361_000_000_000_000),
        }
    )

    assert level == case.decide().levels["trained_on"]


def test_candidates_share_alpha_by_their_place_since_the_last_promotion():
    """Candidate k gets 6 / (pi k)^2 of alpha, and keeps its place when decided on again."""
    history = History(
        model="m",
        production_version=1,
        production_digest="p",
        anchor_version=1,
        anchor_digest="p",
        candidates=("one", "two"),
        looks=5,
        policy_digest=None,
        engine_version=None,
    )
    first, second, third = (alpha_for(default_policy(), history, c) for c in ("one", "two", "new"))

    assert pytest.approx(0.030396, abs=1e-6) == first
    assert pytest.approx(first / 4) == second
    assert pytest.approx(first / 9) == third


def test_a_candidate_of_a_window_of_its_own_takes_a_new_place_at_every_look():
    """It may come again with rows that nobody has looked at; a re-run on its own window may not."""
    history = History(
        model="m",
        production_version=1,
        production_digest="p",
        anchor_version=1,
        anchor_digest="p",
        candidates=("one", "one", "one"),
        looks=3,
        policy_digest=None,
        engine_version=None,
    )
    again, rerun = (alpha_for(default_policy(), history, "one", own=own) for own in (True, False))

    assert pytest.approx(rerun / 16) == again


def test_alpha_over_all_candidates_adds_to_the_policys():
    """However many candidates are tried, together they spend alpha."""
    history = History(
        model="m",
        production_version=1,
        production_digest="p",
        anchor_version=1,
        anchor_digest="p",
        candidates=tuple(str(k) for k in range(5000)),
        looks=0,
        policy_digest=None,
        engine_version=None,
    )
    spent = sum(alpha_for(default_policy(), history, c) for c in history.candidates)

    assert pytest.approx(0.05, abs=1e-5) == spent
    assert spent < 0.05


class _WithDocuments:
    """A case of which some documents are exchanged for others."""

    def __init__(self, case, **documents):
        self._case, self._documents = case, documents

    def decide(self):
        from modelwarrant.policy import decide

        return decide(self._case.policy, **{**vars(self._case.documents), **self._documents})
