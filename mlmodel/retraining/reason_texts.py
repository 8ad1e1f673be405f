"""The gate's reasons in words: a text for each code, and a reason's figures in it."""

from collections.abc import Mapping
from typing import Any

from mlmodel.taxonomy import BY_CODE
from mlmodel.texts import Text
from mlmodel.texts import gettext_noop as _

# The code of a class's reason is this with the class's own code.
OF_A_CLASS = "recall-"
TEXTS = {
    "base-balanced-accuracy": _(
        "Balanced accuracy on the base test set: %(active).3f before, %(candidate).3f now, a change of %(change)s "
        "(%(low)s to %(high)s); its lower bound must be above %(limit)s."
    ),
    "base-calibration-error": _(
        "Calibration error on the base test set: %(candidate).3f, before %(active).3f; at most %(limit).3f is allowed."
    ),
    "base-melanoma-sensitivity": _(
        "Sensitivity for the %(lesions)d melanomas in the base test set at the operating point: %(active).3f before, "
        "%(candidate).3f now, a change of %(change)s (%(low)s to %(high)s); its lower bound must not be below "
        "%(limit)s."
    ),
    "base-watch-specificity": _(
        "Benign lesions of the base test set that are not flagged: %(active).3f before, %(candidate).3f now; the "
        "change must not be below %(limit)s."
    ),
    "clinic-balanced-accuracy": _(
        "Balanced accuracy on the clinic's test set of %(lesions)d lesions: %(active).3f before, %(candidate).3f now, "
        "a change of %(change)s (%(low)s to %(high)s); its lower bound must be above %(limit)s."
    ),
    "clinic-melanoma-sensitivity": _(
        "Sensitivity for the %(lesions)d melanomas in the clinic's test set at the operating point: %(active).3f "
        "before, %(candidate).3f now, a change of %(change)s (%(low)s to %(high)s); its lower bound must not be below "
        "%(limit)s."
    ),
    "clinic-too-few-classes": _(
        "Classes with enough lesions (%(least)d or more) in the clinic's test set: %(classes)d; %(needed)d are needed."
    ),
    "clinic-too-few-lesions": _("Lesions in the clinic's test set: %(lesions)d; %(needed)d are needed."),
    "recall-floors": _("No class's recall on the base test set fell below its floor."),
    OF_A_CLASS: _(
        "%(condition)s: recall on the base test set fell below its floor of %(floor).2f: %(active).3f before, "
        "%(candidate).3f now, a change of %(change)s (%(low)s to %(high)s), of %(lesions)d lesions."
    ),
}


class _Figure(float):
    """A figure that ``%(…)s`` writes with its sign."""

    def __str__(self) -> str:
        return f"{self:+.3f}".replace("-", "−") if round(self, 3) else "0"


def reason_text(code: str, figures: Mapping[str, Any]) -> Text:
    """Return a reason in words.

    Raises:
        KeyError: the code is unknown, as in a judgement that another version of the software stored.
    """
    shown: dict[str, str | float] = {
        name: _Figure(each) for name, each in figures.items() if isinstance(each, int | float)
    }
    if code in TEXTS:
        return Text(TEXTS[code], shown)
    condition = BY_CODE[code.removeprefix(OF_A_CLASS)]
    return Text(TEXTS[OF_A_CLASS], {**shown, "condition": condition.name})
