"""Validation metrics during training, by source."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from mlmodel.datasets.dataset import Dataset
from mlmodel.metrics import performance
from mlmodel.metrics.partial_labels import LABELS, POSSIBLE, is_exact
from mlmodel.releases.sources import HAM10000
from mlmodel.taxonomy import CODES, MALIGNANT_CODES

_MALIGNANT = [CODES.index(code) for code in MALIGNANT_CODES]
# The minimum number of positives and of negatives for an area under the curve.
_LEAST = 10


def validation_figures(
    logits: npt.NDArray[np.float32],
    watched: Dataset,
    *,
    classes: tuple[str, ...],
    trained: npt.NDArray[np.int64],
    held: npt.NDArray[np.float64],
    log_priors: Mapping[str, npt.NDArray[np.float64]],
) -> dict[str, float]:
    """Return loss, accuracy, balanced accuracy and macro AUC at home, and metrics of other sources.

    At home (HAM10000 if it is in the validation set, or else all exact labels), loss and accuracy are at the class mix
    of the training set. For every other source: the loss of its labels, including partial ones, at its own class mix,
    and the AUC of melanoma and of malignancy against the rest.

    Args:
        logits: float32 (N, classes), of the network.
        watched: the N validation photographs.
        classes: the network's classes.
        trained: exact labels of the training rows at home.
        held: the log class priors included in the logits, float64 (classes,).
        log_priors: the log class priors of each source, float64 (classes,).
    """
    equal_prior = logits - held
    labels = watched.labels_among(classes)
    is_home = (labels >= 0) & (watched.sources == HAM10000)
    figures = _at_home(equal_prior[is_home], labels[is_home], trained) if is_home.any() else {}
    if not figures:
        figures = _at_home(equal_prior[labels >= 0], labels[labels >= 0], trained)
    if classes != CODES:
        return figures
    for source in np.unique(watched.sources[watched.sources != HAM10000]):
        rows = watched.sources == source
        source_figures = _abroad(
            equal_prior[rows], watched.labels[rows], log_priors.get(source, np.zeros(len(classes)))
        )
        figures |= {f"{name}_{source.lower().replace(' ', '_')}": value for name, value in source_figures.items()}
    return figures


def _at_home(
    equal_prior: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], trained: npt.NDArray[np.int64]
) -> dict[str, float]:
    natural = equal_prior + np.log(np.bincount(trained, minlength=equal_prior.shape[1]) / len(trained))
    logs = _log_softmax(natural)
    chosen = equal_prior.argmax(axis=1)
    present = np.unique(labels)
    return {
        "watched_loss": float(-logs[np.arange(len(labels)), labels].mean()),
        "watched_accuracy": float((natural.argmax(axis=1) == labels).mean()),
        "watched_balanced_accuracy": float(np.mean([(chosen[labels == k] == k).mean() for k in present])),
        "watched_macro_auc": float(
            np.mean([performance.auc(logs[:, k].astype(np.float32), labels == k) for k in present])
        ),
    }


def _abroad(
    equal_prior: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], log_prior: npt.NDArray[np.float64]
) -> dict[str, float]:
    own = _log_softmax(equal_prior + log_prior)
    of_label = np.log(np.maximum((np.exp(own) * POSSIBLE[labels]).sum(axis=1), np.finfo(np.float64).tiny))
    figures = {"loss": float(-of_label.mean())}
    equal = np.exp(_log_softmax(equal_prior))
    melanoma = labels == LABELS.index("mel")
    # A lesion labelled “malignant” may be a melanoma; “benign” and squamous cell carcinoma are not.
    is_certain = labels != LABELS.index("malignant")
    malignant = np.isin(labels, [*_MALIGNANT, LABELS.index("malignant"), LABELS.index("scc")])
    for name, scores, positive, rows in (
        ("melanoma_auc", equal[:, CODES.index("mel")], melanoma, is_certain),
        ("malignant_auc", equal[:, _MALIGNANT].sum(axis=1), malignant, np.ones(len(labels), dtype=np.bool_)),
    ):
        if min(positive[rows].sum(), (~positive[rows]).sum()) >= _LEAST:
            figures[name] = performance.auc(scores[rows].astype(np.float32), positive[rows])
    exact = is_exact(labels)
    present = [k for k in np.unique(labels[exact]) if (labels == k).sum() >= _LEAST]
    if len(present) > 1:
        chosen = equal_prior.argmax(axis=1)
        figures["balanced_accuracy"] = float(np.mean([(chosen[labels == k] == k).mean() for k in present]))
    return figures


def _log_softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: npt.NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result
