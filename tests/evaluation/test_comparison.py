"""Candidate and production are compared on the same rows, in any order, and mistakes show."""

import inspect
from dataclasses import replace

import numpy as np
import pytest

from modelwarrant.errors import DataError, ProjectError, WindowError
from modelwarrant.evaluation import Scored, compare, trivial
from modelwarrant.windows import FinalSplit, TrainingSplit, split, window_digest


def test_a_better_candidate_gains_on_both_windows(report):
    """Bounds of the gain lie above 0, and the losses' difference is the gain."""
    found = report()

    assert found.current.gain.lower > 0
    assert found.reference.gain.lower > 0
    assert pytest.approx(found.current.baseline_loss - found.current.candidate_loss) == (
        found.current.gain.estimate
    )
    assert ("production", "production") == (found.current.baseline, found.reference.baseline)


def test_a_worse_candidate_loses(report):
    """The upper bound lies below 0."""
    assert report(candidate_noise=1.5, production_noise=0.3).current.gain.upper < 0


def test_the_deviation_is_the_standard_error_times_the_root_of_the_rows(report, world):
    """From it the policy computes how many labels are needed."""
    current = report().current

    assert 40 == current.n_blocks
    assert 0.1 < current.deviation < 2


@pytest.mark.parametrize(
    ("task", "metric"),
    [
        ("classification", "log_loss"),
        ("classification", "brier"),
        ("classification", "error_rate"),
        ("regression", "squared_error"),
        ("regression", "absolute_error"),
    ],
)
def test_every_decision_metric_makes_a_report_that_reads_back(report, task, metric):
    """Records are finite and strict."""
    found = report(task=task, metric=metric, slices=["x", "town", "rain"])

    assert found == type(found).from_bytes(found.to_bytes(), name="report")
    assert metric in {value.name for value in found.metrics}
    assert (found.loss_bound is not None) == (metric == "log_loss")
    assert (found.current.mcnemar_p_value is not None) == (metric == "error_rate")


def test_a_first_model_is_compared_with_the_trivial_predictor(report):
    """Without production the baseline is the constant answer."""
    found = report(first=True)

    assert ("trivial", None, None) == (
        found.current.baseline,
        found.production_digest,
        found.anchor,
    )
    assert found.current == found.floor
    assert "unknown" == found.champion.level


def test_without_a_reference_only_the_current_window_is_judged(report):
    """The champion's state is then unknown."""
    found = report(with_reference=False)

    assert (None, None) == (found.reference, found.reference_final_digest)
    assert "unknown" == found.champion.level
    assert {"current"} == {value.window for value in found.metrics}


def test_the_margin_is_absolute_in_the_metrics_unit(report):
    """A share of the baseline's loss."""
    found = report(margin_non_inferiority=0.02)

    assert pytest.approx(0.02 * found.current.baseline_loss) == found.margin_non_inferiority
    assert pytest.approx(0.10 * found.current.baseline_loss) == found.margin_slices


def test_the_digest_is_that_of_the_final_split(report, world):
    """The decision compares it with the manifest's."""
    assert window_digest(world(seed=1).final.window) == report().current_final_digest


@pytest.mark.parametrize("timed", [True, False])
def test_the_order_of_the_rows_changes_no_byte(world, timed):
    """Rows of a window may lie in any order in memory; their time or number stays with them."""
    here, there = world(700, seed=3, timed=timed), world(700, seed=4, timed=timed)
    models = [(here.answers(0.5, s), there.answers(0.5, s + 9)) for s in (1, 2)]
    shuffle = np.random.default_rng(0).permutation(700)

    def run(order):
        def scored(digest, pair):
            return Scored(digest, pair[0].take(order), pair[1].take(order))

        return compare(
            FinalSplit(here.final.window.take(order)),
            FinalSplit(there.final.window.take(order)),
            candidate=scored("c", models[0]),
            production=scored("p", models[1]),
            anchor=None,
            trivial=Scored("t", here.constant(), there.constant()),
            metric="log_loss",
            alpha=0.05,
            margin_non_inferiority=0.01,
            slices=["x", "town"],
            policy_digest="x",
        ).to_bytes()

    assert run(np.arange(700)) == run(shuffle)


def test_the_candidate_compared_with_itself_gains_exactly_nothing(world):
    """The planted mistake: production's answers are the candidate's."""
    here = world()
    model = Scored("sha256:candidate", here.answers(0.3, 1))
    found = compare(
        here.final,
        candidate=model,
        production=replace(model, digest="sha256:production"),
        anchor=None,
        trivial=Scored("t", here.constant()),
        metric="log_loss",
        alpha=0.05,
        margin_non_inferiority=0.01,
        policy_digest="x",
    )

    assert (0.0, None, None) == (
        found.current.gain.estimate,
        found.current.gain.lower,
        found.current.gain.upper,
    )
    assert found.identical_answers
    assert "losses differ in 0 of 40 blocks" in found.current.reason


def test_one_digest_with_two_answers_is_refused(world):
    """The champion's stored numbers instead of fresh ones would look like this."""
    here = world()
    candidate = Scored("sha256:same", here.answers(0.3, 1))
    production = Scored("sha256:same", here.answers(0.3, 2))

    with pytest.raises(DataError, match="candidate and production are the same model"):
        compare(
            here.final,
            candidate=candidate,
            production=production,
            anchor=None,
            trivial=Scored("t", here.constant()),
            metric="log_loss",
            alpha=0.05,
            margin_non_inferiority=0.01,
            policy_digest="x",
        )


def test_no_stored_metric_can_be_handed_in(report):
    """Every model comes with its answers; no argument takes a loss."""
    assert {"digest", "current", "reference"} == set(inspect.signature(Scored).parameters)
    assert not {"baseline_loss", "loss"} & set(inspect.signature(compare).parameters)


def test_only_a_final_split_may_judge(world):
    """Training rows and plain windows are refused by their type."""
    here = world()
    arguments = {
        "candidate": Scored("c", here.answers(0.3, 1)),
        "production": None,
        "anchor": None,
        "trivial": Scored("t", here.constant()),
        "metric": "log_loss",
        "alpha": 0.05,
        "margin_non_inferiority": 0.01,
        "policy_digest": "x",
    }
    for wrong in (here.final.window, TrainingSplit(here.final.window)):
        with pytest.raises(TypeError, match="compare takes final splits"):
            compare(wrong, **arguments)
        with pytest.raises(TypeError, match="compare takes final splits"):
            compare(here.final, wrong, **arguments)


def test_answers_for_other_rows_are_refused(report, world):
    """A model that was scored on fewer rows was not scored on these."""
    other = world(1199, seed=1)

    with pytest.raises(DataError, match="have 1199 rows and the final split has 1200"):
        report(candidate=Scored("c", other.answers(0.3, 1), world(seed=2).answers(0.3, 1)))


def test_a_model_without_answers_on_the_reference_is_refused(report, world):
    """Both models on both windows."""
    with pytest.raises(DataError, match="production was not scored on the reference's final"):
        report(production=Scored("p", world(seed=1).answers(0.3, 1)))


def test_a_metric_that_cannot_decide_is_refused(report):
    """ROC AUC is reported, and cannot decide."""
    with pytest.raises(ProjectError, match="'roc_auc' is reported but cannot decide"):
        report(metric="roc_auc")


def test_an_empty_final_split_is_refused(world):
    """Nothing to evaluate."""
    here = world(50)
    empty = FinalSplit(here.final.window.take(np.zeros(0, dtype=np.int64)))
    none = Scored("c", here.answers(0.3, 1).take(np.zeros(0, dtype=np.int64)))

    with pytest.raises(WindowError, match="has no row"):
        compare(
            empty,
            candidate=none,
            production=None,
            anchor=None,
            trivial=replace(none, digest="t"),
            metric="log_loss",
            alpha=0.05,
            margin_non_inferiority=0.01,
            policy_digest="x",
        )


@pytest.mark.parametrize(
    "change", [{"alpha": 0.0}, {"alpha": 0.5}, {"margin_non_inferiority": -0.1}]
)
def test_levels_and_margins_outside_their_range_are_refused(report, change):
    """A level of 0 is no level."""
    with pytest.raises(ValueError, match="is not"):
        report(**change)


def test_the_auc_is_reported_with_its_interval(report):
    """DeLong, beside the decision's own metric."""
    (found,) = [v for v in report().metrics if v.name == "roc_auc" and v.window == "current"]

    assert found.higher_is_better
    assert found.gain.lower < found.candidate - found.baseline < found.gain.upper


def test_a_single_overconfident_row_cannot_decide(world):
    """Log loss is clipped at the reference's tail, for both models alike."""
    here, there = world(seed=5), world(seed=6)
    wild = here.answers(0.3, 1)
    wild.values[0] = [1.0, 0.0] if here.z[0] > 0 else [0.0, 1.0]
    found = compare(
        here.final,
        there.final,
        candidate=Scored("c", wild, there.answers(0.3, 1)),
        production=Scored("p", here.answers(0.5, 2), there.answers(0.5, 2)),
        anchor=None,
        trivial=Scored("t", here.constant(), there.constant()),
        metric="log_loss",
        alpha=0.05,
        margin_non_inferiority=0.01,
        policy_digest="x",
    )

    assert found.loss_bound < 10


@pytest.mark.parametrize(
    ("task", "metric", "expected"),
    [
        ("regression", "squared_error", np.mean),
        ("regression", "absolute_error", np.median),
    ],
)
def test_the_trivial_answer_of_a_regression_is_a_mean_or_a_median(world, task, metric, expected):
    """Whatever minimises the metric among constants, from the training rows alone."""
    train, final = split(world(task=task).final.window, final=0.3)
    found = trivial(train, final, metric)

    assert len(final.window) == len(found)
    assert pytest.approx(expected(train.window.numbers("y"))) == found.values[0]


def test_the_trivial_answer_of_a_classification_is_the_class_shares(world):
    """With half a row added to each class, so that none is impossible."""
    train, final = split(world().final.window, final=0.3)
    codes, levels = train.window.levels("y")
    n_yes, n = int((codes == levels.index("yes")).sum()), len(codes)
    found = trivial(train, final, "log_loss")

    assert pytest.approx((n_yes + 0.5) / (n + 1)) == found.values[0, 1]
    assert ("no", "yes") == found.classes


def test_the_trivial_predictor_may_not_learn_from_the_final_split(world):
    """Types keep the rows apart."""
    final = world().final

    with pytest.raises(TypeError, match="TrainingSplit"):
        trivial(final, final, "log_loss")
