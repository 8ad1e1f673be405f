"""The training photographs of a run: their sampling in each epoch and their targets."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlmodel.datasets.dataset import Dataset
from mlmodel.metrics.class_mixes import drawn_mix, log_priors
from mlmodel.metrics.partial_labels import LABELS
from mlmodel.training.learner import Targets
from mlmodel.training.recipe import Phase, Recipe
from mlmodel.training.sampling import epoch_order

# Distinguishes this random stream from the others of an epoch.
_THINNING = 10**9


@dataclass(frozen=True)
class ShownCases:
    """The N training photographs of a run.

    Attributes:
        labels: int64 (N,), indices into the recipe's classes; above them for partial labels.
        possible: bool (N, classes), the classes that each label allows.
        copies: str (N,), as in ``Dataset``.
        source_of: str (N,), as in ``Dataset``.
        weights: float32 (N,), weights of the loss; 1 on average.
        sources: the names of all sources.
        log_priors: float64 (sources, classes), the log class priors of each source, by the ``unseen_share`` of a
            phase.
    """

    labels: npt.NDArray[np.int64]
    possible: npt.NDArray[np.bool_]
    copies: npt.NDArray[np.str_]
    source_of: npt.NDArray[np.str_]
    weights: npt.NDArray[np.float32]
    sources: tuple[str, ...]
    log_priors: Mapping[float, npt.NDArray[np.float64]]

    @classmethod
    def of(cls, dataset: Dataset, rows: npt.NDArray[np.int64], recipe: Recipe) -> "ShownCases":
        """Return the photographs in ``rows`` for ``recipe``."""
        part = dataset.take(rows)
        exact = part.labels_among(recipe.classes)
        labels = np.where(exact >= 0, exact, len(LABELS) + part.labels)
        possible = part.possible_among(recipe.classes)
        priors_by_share = {
            share: log_priors(labels, possible, part.sources, sampling=recipe.sampling, unseen_share=share)
            for share in {phase.unseen_share for phase in recipe.phases}
        }
        (sources, _), *_others = priors_by_share.values()
        priors = {share: logs for share, (_, logs) in priors_by_share.items()}
        return cls(labels, possible, part.copies, part.sources, _weights(part, exact, recipe), sources, priors)

    @property
    def exact_labels(self) -> npt.NDArray[np.int64]:
        """The labels that are classes, int64."""
        return self.labels[self.labels < self.possible.shape[1]]

    def labels_of(self, source: str) -> npt.NDArray[np.int64]:
        """Return the exact labels of a source, or of all sources if it has none."""
        exact = self.labels < self.possible.shape[1]
        of_source = exact & (self.source_of == source)
        return self.labels[of_source if of_source.any() else exact]

    def order(self, phase: Phase, *, sampling: str, seed: int, epoch: int) -> npt.NDArray[np.int64]:
        """Return the rows of an epoch of ``phase``, int64, in an order that depends only on seed and epoch."""
        is_shown = ~np.isin(self.copies, phase.left_out)
        if phase.small_share < 1:
            chance = np.random.default_rng((seed, epoch, _THINNING)).random(len(self.copies))
            is_shown &= (self.copies != "small") | (chance < phase.small_share)
        rows = np.flatnonzero(is_shown)
        positions = epoch_order(
            self.labels[rows], self.copies[rows], self.source_of[rows], sampling=sampling, seed=seed, epoch=epoch
        )
        return rows[positions]

    def targets(self, rows: npt.NDArray[np.int64], phase: Phase) -> Targets:
        """Return the targets for a step of ``phase`` with ``rows``, int64 (B,)."""
        priors = self.log_priors[phase.unseen_share][np.searchsorted(self.sources, self.source_of[rows])]
        return Targets(
            possible=self.possible[rows].astype(np.float32),
            log_priors=priors.astype(np.float32),
            weights=self.weights[rows],
        )


def _weights(part: Dataset, exact: npt.NDArray[np.int64], recipe: Recipe) -> npt.NDArray[np.float32]:
    weights = np.array([recipe.proof_weights.get(proof, 1.0) for proof in part.proofs.tolist()])
    weights /= weights.mean()
    if recipe.loss == "class-balanced":
        mix = drawn_mix(exact[exact >= 0], sampling=recipe.sampling)
        weights *= np.where(exact >= 0, 1.0 / (mix * len(mix))[exact], 1.0)
    return weights.astype(np.float32)
