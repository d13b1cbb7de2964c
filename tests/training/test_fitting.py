"""What a fitted model answers, and that it is the same bytes each time."""

import numpy as np
import pytest

from modelwarrant.bundle import Scorer
from modelwarrant.training import BUILT_IN, fit
from modelwarrant.training.recipes import fit_recipe
from tests.training.made_rows import (
    Target,
    mixed,
    mixed_examples,
    recipe,
)

TARGETS: tuple[Target, ...] = ("binary", "multi", "regression")


def scorer_of(onnx: bytes, n_features: int, n_scores: int) -> Scorer:
    """Open a fitted model as serving does."""
    return Scorer(onnx, n_features=n_features, n_scores=n_scores, name="model.onnx")


def n_scores(target: Target) -> int:
    """Columns of the answer."""
    return {"binary": 2, "multi": 3, "regression": 1}[target]


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "open"])
@pytest.mark.parametrize("missing", [False, True], ids=["whole", "holes"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", BUILT_IN)
def test_every_recipe_passes_parity(
    model: str, target: Target, missing: bool, listed: bool
) -> None:
    """Each recipe answers within 1e-9 of scikit-learn, whatever the target and the columns."""
    split, schema = mixed(target, missing=missing, listed=listed)

    fitted = fit([split], schema, recipe(model))

    assert "double" == fitted.parity.path
    assert 0 == fitted.parity.label_differences
    assert fitted.parity.max_difference <= 1e-9
    assert len(split.window) == fitted.rows == fitted.parity.rows


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", BUILT_IN)
def test_the_kept_model_answers_new_rows_as_scikit_learn_does(model: str, target: Target) -> None:
    """On 2,000 rows that no gate saw, with missing and unseen values, the answers agree."""
    examples = mixed_examples(target)
    fitted = fit_recipe(recipe(model), examples)
    rng = np.random.default_rng(5)
    rows = np.column_stack(
        [rng.choice(examples.rows[:, column], 2000) for column in range(examples.rows.shape[1])]
    )
    rows[:, 0] += rng.normal(size=2000)
    rows[:, 2] += rng.integers(-3, 4, 2000)
    rows[:, 3] = rng.choice([-1.0, 0.0, 1.0, 2.0, 3.0, np.nan], 2000)

    found = scorer_of(fitted.onnx, 6, n_scores(target)).scores(rows)

    np.testing.assert_allclose(found, fitted.answer(rows), rtol=0, atol=1e-9)
