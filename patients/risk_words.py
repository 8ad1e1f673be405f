"""What is known of a patient's risk, in words: for the banner, the advice and the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from patients.models import Patient, RiskAnswer, RiskFact, RiskKind, SkinType
from patients.services.risk import risk_facts_of

# Fitzpatrick types that burn more easily than they tan.
BURNS_EASILY = (SkinType.I, SkinType.II)
# Moles: Gandini et al., Eur J Cancer 41:28 (2005): about twice the risk of melanoma from 50 on, seven times above 100.
RAISING = (RiskAnswer.YES, RiskAnswer.FROM_50, RiskAnswer.OVER_100)
# Asked before a biopsy or an excision; they do not make a lesion more dangerous.
BEFORE_PROCEDURES = (RiskKind.ANTICOAGULANTS, RiskKind.ALLERGIES)
# Patients who are followed for life whatever one photograph shows, so that a calm answer must not send them home.
CALLS_FOR_CHECKS = (RiskKind.MELANOMA, RiskKind.IMMUNOSUPPRESSION)


@dataclass(frozen=True)
class RiskLine:
    """One fact in words, with who recorded it and when; empty for the skin type, which is part of the patient."""

    words: str
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class RiskBanner:
    """What is known of a patient's risk, the gravest first. What was not asked is named, never left out."""

    raised: Sequence[RiskLine] = ()
    procedures: Sequence[RiskLine] = ()
    denied: Sequence[RiskLine] = ()
    unknown: Sequence[str] = ()
    not_asked: Sequence[str] = ()

    @property
    def lines(self) -> list[RiskLine]:
        return [*self.raised, *self.procedures, *self.denied]


def risk_banner(patient: Patient) -> RiskBanner:
    """Return what every page about the patient shows of their risk."""
    return banner_from(patient.skin_type, risk_facts_of([patient.pk]).get(patient.pk, {}))


def banner_from(skin_type: str, facts: Mapping[str, RiskFact]) -> RiskBanner:
    raised: list[RiskLine] = []
    procedures: list[RiskLine] = []
    denied: list[RiskLine] = []
    unknown: list[str] = []
    not_asked: list[str] = []
    for kind in RiskKind:
        fact = facts.get(kind)
        answer = fact.answer if fact else RiskAnswer.NOT_ASKED
        if fact is None or answer == RiskAnswer.NOT_ASKED:
            not_asked.append(str(kind.label))
        elif answer == RiskAnswer.UNKNOWN:
            unknown.append(str(kind.label))
        else:
            line = RiskLine(fact_in_words(fact), fact.recorded_by.name, fact.recorded_at)
            if answer not in RAISING:
                denied.append(line)
            else:
                (procedures if kind in BEFORE_PROCEDURES else raised).append(line)
    if skin_type == SkinType.UNKNOWN:
        not_asked.append(_("Skin type"))
    else:
        line = RiskLine(_("Skin type %(type)s") % {"type": SkinType(skin_type).label})
        (raised if skin_type in BURNS_EASILY else denied).append(line)
    return RiskBanner(raised, procedures, denied, unknown, not_asked)


def fact_in_words(fact: RiskFact) -> str:
    """Return an answer in a few words, such as “Previous melanoma: 2015, back” or “No anticoagulants”."""
    if fact.answer == RiskAnswer.NO:
        return {
            RiskKind.MELANOMA: _("No previous melanoma"),
            RiskKind.OTHER_SKIN_CANCER: _("No other skin cancer"),
            RiskKind.FAMILY_MELANOMA: _("No melanoma in the family"),
            RiskKind.IMMUNOSUPPRESSION: _("No immunosuppression"),
            RiskKind.ANTICOAGULANTS: _("No anticoagulants"),
            RiskKind.ALLERGIES: _("No known allergies"),
        }[RiskKind(fact.kind)]
    words = str(RiskKind(fact.kind).label)
    if fact.kind == RiskKind.MOLES:
        words = {
            RiskAnswer.UNDER_50: _("Under 50 moles"),
            RiskAnswer.FROM_50: _("50 to 100 moles"),
            RiskAnswer.OVER_100: _("Over 100 moles"),
        }[RiskAnswer(fact.answer)]
    return f"{words}: {fact.detail}" if fact.detail else words


def reasons_for_checks(facts: Mapping[str, RiskFact]) -> list[str]:
    """Return the facts that make a calm answer no reason to wait, in words without the clinic's details."""
    names = {RiskKind.MELANOMA: _("a previous melanoma"), RiskKind.IMMUNOSUPPRESSION: _("immunosuppression")}
    return [names[kind] for kind in CALLS_FOR_CHECKS if kind in facts and facts[kind].answer == RiskAnswer.YES]
