"""Exact labels, for one of the seven classes, and partial labels, for one of several classes."""

import numpy as np
import numpy.typing as npt

from mlmodel.taxonomy import CODES, MALIGNANT_CODES

# The classes that a partial label allows. Squamous cell carcinoma is none of the seven, so it only says malignant.
_PARTIAL: dict[str, tuple[str, ...]] = {
    "benign": tuple(code for code in CODES if code not in MALIGNANT_CODES),
    "malignant": MALIGNANT_CODES,
    "scc": MALIGNANT_CODES,
}
LABELS: tuple[str, ...] = (*CODES, *_PARTIAL)

# bool (labels, 7): the classes that each label allows.
POSSIBLE: npt.NDArray[np.bool_] = np.array(
    [[code in _PARTIAL.get(label, (label,)) for code in CODES] for label in LABELS]
)
# int64: indices of the labels that allow no benign class.
MALIGNANT_LABELS: npt.NDArray[np.int64] = np.flatnonzero(
    ~POSSIBLE[:, [code not in MALIGNANT_CODES for code in CODES]].any(axis=1)
)


def is_exact(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return a mask of the labels that are one of the seven classes, bool (N,)."""
    result: npt.NDArray[np.bool_] = (labels >= 0) & (labels < len(CODES))
    return result
