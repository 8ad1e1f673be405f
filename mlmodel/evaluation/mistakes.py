"""The worst mistakes with pictures: missed melanomas and confident wrong answers."""

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.evaluation.answering import Answered
from mlmodel.pictures.picture import centre_square, encode_jpeg
from mlmodel.pictures.picture_errors import PictureError
from mlmodel.pictures.picture_files import read_picture
from mlmodel.taxonomy import CODES

_SIDE, _QUALITY = 160, 72
_CLASSES_LISTED = 3


def worst_mistakes(answered: Answered, *, thresholds: dict[str, float], count: int) -> dict[str, list[dict[str, Any]]]:
    """Return the worst mistakes first, one photograph per lesion, each with its picture as a data URI.

    ``missed_melanomas`` are below the threshold for ``urgent``, the lowest malignant probability first;
    ``confident_and_wrong`` are sorted by confidence, after malignant lesions that were called benign.

    Args:
        answered: photographs and answers.
        thresholds: on the malignant probability, by tier.
        count: the maximum number of each kind.
    """
    answers, inside = answered.answers, answered.is_inside
    mass = answers.malignant_probability
    chosen, confidence = answers.probabilities.argmax(axis=1), answers.probabilities.max(axis=1)
    missed = inside & answers.is_melanoma & (mass < thresholds["urgent"])
    melanomas = _first_of_each_lesion(answered, np.flatnonzero(missed)[np.argsort(mass[missed], kind="stable")], count)
    wrong = inside & (chosen != answers.labels)
    wrong[melanomas] = False
    is_dangerous = answers.is_malignant & (mass < thresholds["watch"])
    order = np.lexsort((-confidence[wrong], ~is_dangerous[wrong]))
    others = _first_of_each_lesion(answered, np.flatnonzero(wrong)[order], count, without=melanomas)
    return {
        "missed_melanomas": [_mistake(answered, row, thresholds) for row in melanomas],
        "confident_and_wrong": [_mistake(answered, row, thresholds) for row in others],
    }


def tier_of(malignant_probability: float, thresholds: dict[str, float]) -> str:
    """Return the tier for a malignant probability."""
    if malignant_probability >= thresholds["urgent"]:
        return "urgent"
    return "watch" if malignant_probability >= thresholds["watch"] else "calm"


def _first_of_each_lesion(
    answered: Answered, order: npt.NDArray[np.int64], count: int, without: list[int] | None = None
) -> list[int]:
    lesions = answered.answers.lesions
    seen = {str(lesions[row]) for row in without or ()}
    chosen_rows: list[int] = []
    for row in order.tolist():
        if len(chosen_rows) == count:
            break
        if str(lesions[row]) not in seen:
            seen.add(str(lesions[row]))
            chosen_rows.append(row)
    return chosen_rows


def _mistake(answered: Answered, row: int, thresholds: dict[str, float]) -> dict[str, Any]:
    probabilities = answered.answers.probabilities[row]
    photographs = answered.photographs
    mass = float(answered.answers.malignant_probability[row])
    return {
        "image": photographs.paths[row].stem,
        "lesion": str(photographs.lesions[row]),
        "truth": CODES[int(photographs.labels[row])],
        "said": [
            {"code": CODES[index], "probability": round(float(probabilities[index]), 4)}
            for index in np.argsort(-probabilities)[:_CLASSES_LISTED]
        ],
        "truth_probability": round(float(probabilities[photographs.labels[row]]), 4),
        "malignant_probability": round(mass, 4),
        "tier": tier_of(mass, thresholds),
        "traits": {name: str(values[row]) for name, values in photographs.traits.items() if values[row]},
        "picture": _picture(answered, row),
    }


def _picture(answered: Answered, row: int) -> str:
    try:
        pixels = centre_square(read_picture(answered.photographs.paths[row]).pixels)
    except (PictureError, OSError):
        return ""
    content = base64.b64encode(encode_jpeg(pixels, longest_side=_SIDE, quality=_QUALITY)).decode()
    return f"data:image/jpeg;base64,{content}"
