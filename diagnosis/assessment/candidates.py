"""The differential diagnosis in words: at most three candidates, the one that explains the tier first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from diagnosis.images.condition_names import condition_name
from mlmodel.network.tiers import class_order, most_probable_code
from mlmodel.taxonomy import BY_CODE

MOST = 3
# Less probable classes are no candidates; ``percent`` shows them as “< 1 %”.
LEAST_PROBABLE = 0.01


@dataclass(frozen=True)
class Candidate:
    """A class that the lesion could be, with its calibrated probability."""

    code: str
    probability: float

    @property
    def name(self) -> str:
        return condition_name(BY_CODE[self.code])

    @property
    def is_malignant(self) -> bool:
        """Whether it is malignant, pre-malignant or in situ."""
        return BY_CODE[self.code].is_malignant


def candidates_of(probabilities: Mapping[str, float], *, explained: str) -> tuple[Candidate, ...]:
    """Return at most three candidates: the explained class, then the most probable of the others.

    They are independent of the 90 % set and agree with the bars below them: no class is skipped for a less probable
    one.
    """
    others = [code for code in class_order(probabilities) if code != explained]
    likely = [code for code in others if probabilities[code] >= LEAST_PROBABLE]
    return tuple(Candidate(code, probabilities[code]) for code in (explained, *likely)[:MOST])


def candidates_in_words(candidates: Sequence[Candidate]) -> str:
    """Return the candidates in words; empty if there are none."""
    if not candidates:
        return ""
    first, *others = (f"{each.name}, {percent(each.probability)}" for each in candidates)
    if not others:
        return _("%(candidate)s.") % {"candidate": first}
    return _("%(candidate)s. It could also be: %(others)s.") % {"candidate": first, "others": "; ".join(others)}


def tier_in_words(probabilities: Mapping[str, float], *, explained: str) -> str:
    """Return which malignant class an urgent or watch tier is due to; empty if a benign class is explained."""
    if not BY_CODE[explained].is_malignant:
        return ""
    leading = most_probable_code(probabilities)
    names = {"name": condition_name(BY_CODE[explained]), "share": percent(probabilities[explained])}
    if leading == explained:
        return _("This answer is due to %(name)s, %(share)s.") % names
    return _("This answer is due to %(name)s, %(share)s; the most probable single class is %(leading)s, %(most)s.") % {
        **names,
        "leading": condition_name(BY_CODE[leading]),
        "most": percent(probabilities[leading]),
    }


def set_in_words(codes: Sequence[str], *, ranked: Sequence[str]) -> str:
    """Return what the 90 % set contains and, if it skips a more probable class, why."""
    if not codes:
        return ""
    leading = ranked[0]
    names = ", ".join(condition_name(BY_CODE[code]) for code in codes)
    contents = (_("The 90 %% set is %(names)s alone.") if len(codes) == 1 else _("The 90 %% set is %(names)s.")) % {
        "names": names
    }
    coverage = _("Whichever of the seven classes a lesion is, such a set contains it nine times in ten.")
    if set(codes) == set(ranked[: len(codes)]):
        return f"{contents} {coverage}"
    if leading in codes:
        skipped = next(code for code in ranked if code not in codes)
        why = _(
            "%(name)s is not in it although a less probable class is: nine in ten lesions that are %(name)s get a "
            "higher probability of it than this one does."
        )
        return f"{contents} {coverage} {why % {'name': condition_name(BY_CODE[skipped])}}"
    caveat = _("%(name)s leads because it is more common, but fewer than one in ten of them look like this one.")
    return f"{contents} {coverage} {caveat % {'name': condition_name(BY_CODE[leading])}}"


def percent(probability: float) -> str:
    """Return a probability as “62 %”, “< 1 %” or “> 99 %”: never 0 % or 100 %."""
    if probability < 0.01:
        return "<\u00a01\u00a0%"
    if probability > 0.99:
        return ">\u00a099\u00a0%"
    return f"{round(probability * 100)}\u00a0%"


def bar_value(probability: float) -> str:
    """Return a probability for a ``<progress max="1">``: with a decimal point in every language, never invisible."""
    return f"{max(probability, 0.005):.3f}"
