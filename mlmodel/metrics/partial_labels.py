"""What a label says: one of the seven classes, or just that it is one of several."""

import numpy as np
import numpy.typing as npt

from mlmodel.taxonomy import CODES, MALIGNANT_CODES

# Partial labels. Squamous cell carcinoma is none of the seven: what is learned of it is that it is malignant.
_PARTIAL: dict[str, tuple[str, ...]] = {
    "benign": tuple(code for code in CODES if code not in MALIGNANT_CODES),
    "malignant": MALIGNANT_CODES,
    "scc": MALIGNANT_CODES,
}
LABELS: tuple[str, ...] = (*CODES, *_PARTIAL)

# bool (labels, 7): which classes each label leaves possible.
POSSIBLE: npt.NDArray[np.bool_] = np.array(
    [[code in _PARTIAL.get(label, (label,)) for code in CODES] for label in LABELS]
)
# int64 (labels,): indices of the labels that leave no benign class possible.
MALIGNANT_LABELS: npt.NDArray[np.int64] = np.flatnonzero(
    ~POSSIBLE[:, [code not in MALIGNANT_CODES for code in CODES]].any(axis=1)
)


def is_exact(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return which labels name one of the seven, bool (N,)."""
    found: npt.NDArray[np.bool_] = (labels >= 0) & (labels < len(CODES))
    return found
