"""Fit the judge that refuses what is no photograph of a skin lesion."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlmodel.engine import STAGES, stage_slice
from mlmodel.head import Floats
from mlmodel.in_domain import InDomainJudge

Features = npt.NDArray[np.float16]

_REGULARISATION = 0.003
_FOLDS = 5
_THRESHOLD = 0.5


@dataclass(frozen=True)
class InDomainFit:
    """The judge, and its cross-validated figures in words for the model card."""

    judge: InDomainJudge
    figures: dict[str, str]


def fit_in_domain(*, lesions: Features, others: Features, others_copies: Sequence[Features]) -> InDomainFit:
    """Fit a logistic regression, lesions against everything else, with both sides weighing the same.

    Args:
        lesions: float16 (N, F), features of photographs that must be accepted.
        others: float16 (M, F), features of photographs that must be refused.
        others_copies: each float16 (M, F), features of changed copies of those, in the same order; they train with
            their original and are never used to judge it.
    """
    accepted, refused = _cross_validate(lesions, others, others_copies)
    weights, bias = _fit(lesions, np.concatenate([others, *others_copies]))
    figures = {
        f"Lesions wrongly refused, of {len(lesions):,}": f"{1 - accepted:.2%}",
        f"Everyday photographs rightly refused, of {len(others):,}": f"{refused:.1%}",
    }
    return InDomainFit(InDomainJudge(weights, bias, _THRESHOLD), figures)


def _cross_validate(lesions: Features, others: Features, copies: Sequence[Features]) -> tuple[float, float]:
    everything = np.concatenate([lesions, others])
    is_lesion = np.arange(len(everything)) < len(lesions)
    answers = np.empty(len(everything), dtype=bool)
    for train, test in StratifiedKFold(_FOLDS, shuffle=True, random_state=0).split(everything, is_lesion):
        own = train[train >= len(lesions)] - len(lesions)
        negatives = np.concatenate([others[own], *(copy[own] for copy in copies)])
        weights, bias = _fit(everything[train[train < len(lesions)]], negatives)
        judge = InDomainJudge(weights, bias, _THRESHOLD)
        answers[test] = [judge.accepts(row.astype(np.float32)) for row in everything[test]]
    return float(answers[is_lesion].mean()), float((~answers[~is_lesion]).mean())


def _fit(lesions: Features, others: Features) -> tuple[Floats, float]:
    """Return weights (F,) and bias. Only the last two stages are read: the early ones see colour, not subject."""
    columns = np.r_[*(stage_slice(stage) for stage, _ in STAGES[-2:])]
    rows = np.concatenate([lesions, others])[:, columns].astype(np.float32)
    truth = np.arange(len(rows)) < len(lesions)
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=_REGULARISATION, class_weight="balanced", max_iter=2000)
    ).fit(rows, truth)
    scaler, regression = model[0], model[1]
    weights = np.zeros(lesions.shape[1], dtype=np.float32)
    weights[columns] = regression.coef_[0] / scaler.scale_
    bias = float(regression.intercept_[0] - (regression.coef_[0] * scaler.mean_ / scaler.scale_).sum())
    return weights, bias
