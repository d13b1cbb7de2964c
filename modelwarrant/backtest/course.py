"""What would each window's model be, and what would the lifecycle find of it?

The real lifecycle in process: training with its parity gate, drift, evaluation. What does not
depend on the rule is computed once and shared by every rule that runs over the same stream.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from modelwarrant import drift, evaluation
from modelwarrant.backtest.laps import Lap
from modelwarrant.bundle import Bundle, open_bundle, permutation_weights
from modelwarrant.canonical import canonical_json, digest_bytes
from modelwarrant.errors import DataError, TrainingError
from modelwarrant.evaluation import Scored
from modelwarrant.evaluation.losses import aligned, row_losses, truth_of
from modelwarrant.policy import ENGINE_VERSION
from modelwarrant.records import DriftReport, EvaluationReport, ModelManifest, Recipe
from modelwarrant.training import fit
from modelwarrant.windows import training_digest

__all__ = ["Course", "EvaluationTerms"]

Floats = npt.NDArray[np.float64]

_NAME = "backtest"


@dataclass(frozen=True)
class EvaluationTerms:
    """What was declared before anything was looked at."""

    alpha: float
    margin_non_inferiority: float
    margin_slices: float
    policy_digest: str


@dataclass
class Course:
    """A stream's windows with a model each, made when first asked for.

    Args:
        laps: the windows, oldest first.
        recipe: how every model is fitted, on the training split of its own window.
        metric: what decisions are about.
    """

    laps: Sequence[Lap]
    recipe: Recipe
    metric: str
    _models: dict[int, Bundle | None] = field(default_factory=dict)
    _losses: dict[tuple[int, int, bool], Floats] = field(default_factory=dict)
    _drift: dict[tuple[int, int], DriftReport] = field(default_factory=dict)
    _evaluations: dict[tuple[int, int, int, EvaluationTerms], EvaluationReport] = field(
        default_factory=dict
    )

    def candidate(self, lap: int) -> Bundle | None:
        """Return the model of a window, or None where none can be made of its rows."""
        if lap not in self._models:
            try:
                self._models[lap] = self._fitted(self.laps[lap])
            except (DataError, TrainingError):
                self._models[lap] = None
        return self._models[lap]

    def model(self, lap: int) -> Bundle:
        """Return the model of a window that has one.

        Raises:
            TrainingError: none can be made of its rows.
        """
        found = self.candidate(lap)
        if found is None:
            raise TrainingError(f"no model can be made of window {lap} of the stream")
        return found

    def loss(self, model: int, on: int, *, final: bool = False) -> float:
        """Return the mean loss of one window's model on another window, or on its final split."""
        return float(np.mean(self.row_losses(model, on, final=final)))

    def row_losses(self, model: int, on: int, *, final: bool = False) -> Floats:
        """Return the losses, (n,) float64 and not clipped, of one window's model on another's rows.

        Args:
            model: number of the window whose model answers.
            on: number of the window whose labelled rows are answered, oldest first.
            final: its final split alone.
        """
        key = model, on, final
        if key not in self._losses:
            lap, bundle = self.laps[on], self.model(model)
            window = lap.final.window if final else lap.window.labelled()
            truth = truth_of(window, classes=bundle.schema.classes or (), name="next")
            answers = aligned(bundle.predict(window), truth, model="production", window="next")
            self._losses[key] = row_losses(answers, truth, metric=self.metric)
        return self._losses[key]

    def drift(self, production: int, lap: int) -> DriftReport:
        """Compare a window with the one that production was made from, as the stage does."""
        key = production, lap
        if key not in self._drift:
            model, reference, current = (
                self.model(production),
                self.laps[production],
                self.laps[lap].window,
            )
            unseen = reference.final.window
            schema = model.schema
            codes = unseen.codes(schema.target or "", schema.classes) if schema.classes else None
            self._drift[key] = drift.compare(
                reference.window,
                current,
                scores=(model.predict(unseen), model.predict(current)),
                reference_labels_for_scores=codes,
                weights=permutation_weights(model, unseen),
                production_digest=model.digest,
            )
        return self._drift[key]

    def evaluation(
        self, lap: int, *, production: int, anchor: int, terms: EvaluationTerms
    ) -> EvaluationReport:
        """Score a window's model and production on the same final rows, as the stage does."""
        key = lap, production, anchor, terms
        if key not in self._evaluations:
            current, reference = self.laps[lap], self.laps[production]
            self._evaluations[key] = evaluation.compare(
                current.final,
                reference.final,
                candidate=self._scored(lap, current, reference),
                production=self._scored(production, current, reference),
                anchor=self._scored(anchor, current, reference),
                trivial=Scored(
                    digest="trivial",
                    current=evaluation.trivial(current.train, current.final, self.metric),
                    reference=evaluation.trivial(current.train, reference.final, self.metric),
                ),
                metric=self.metric,
                alpha=terms.alpha,
                margin_non_inferiority=terms.margin_non_inferiority,
                margin_slices=terms.margin_slices,
                policy_digest=terms.policy_digest,
            )
        return self._evaluations[key]

    def manifest(self, lap: int, *, production: int) -> ModelManifest:
        """Return a candidate's manifest, which names the window that production was made from."""
        found = self.model(lap).manifest
        return found.model_copy(update={"reference": self.laps[production].ref})

    def _scored(self, model: int, current: Lap, reference: Lap) -> Scored:
        bundle = self.model(model)
        return Scored(
            digest=bundle.digest,
            current=bundle.predict(current.final.window),
            reference=bundle.predict(reference.final.window),
        )

    def _fitted(self, lap: Lap) -> Bundle:
        fitted = fit([lap.train], lap.window.schema, self.recipe)
        schema = canonical_json(fitted.schema.model_dump(mode="json"))
        manifest = ModelManifest(
            model=_NAME,
            model_digest=digest_bytes(fitted.onnx),
            feature_schema_digest=digest_bytes(schema),
            recipe=self.recipe,
            train="current",
            current=lap.ref,
            reference=None,
            training_digest=training_digest([lap.train]),
            training_rows=fitted.rows,
            training_metrics=fitted.metrics,
            parity=fitted.parity,
            run=_NAME,
            requester=_NAME,
            code_commit=None,
            code_dirty=None,
            lock_digest=digest_bytes(b""),  # the manifest lives in this process only
            image_digest=None,
            cpu="",
            engine_version=ENGINE_VERSION,
        )
        files = {
            "model.onnx": fitted.onnx,
            "schema.json": schema,
            "manifest.json": manifest.to_bytes(),
        }
        return open_bundle(files, name=f"window {lap.number}")
