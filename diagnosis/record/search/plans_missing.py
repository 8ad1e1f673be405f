"""Lesions that need a next step and have none: the rule of signing (``reports.signing_checks``) as a query.

Signing asks for the visit before it; this asks for every lesion of the clinic. It names no fewer lesions than signing
would: a warning that only some pages show counts here too. A closed lesion needs none until it is photographed again.
"""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from diagnosis.followup.models import LesionPlan, NextStep
from diagnosis.images.models import Image, Tier
from diagnosis.outcomes.models import LesionClosure
from diagnosis.record.search.conditions import BENIGN, DANGEROUS, is_labelled, is_shown_as, is_unread_by
from diagnosis.reviews.answers import CANNOT_TELL, NOT_A_LESION, Basis, Certainty, LabelState
from diagnosis.reviews.models import ConfirmedLabel, Review
from patients.models import Lesion, LesionSymptoms, Member, RiskFact, VisitStatus
from patients.models.risk_fact import RiskAnswer, RiskKind
from patients.models.visit import WARNING_SYMPTOMS


def without_plan(lesions: QuerySet[Lesion], *, reader: Member | None = None) -> QuerySet[Lesion]:
    """Return those of ``lesions`` that need a next step and have none.

    Those that wait for the blinded answer of ``reader`` are among them, whatever their answer is.
    """
    needing = _needing_a_step(reader).filter(lesion=OuterRef("pk"))
    return _unplanned(lesions).filter(Exists(needing))


def unread_without_plan(lesions: QuerySet[Lesion], *, reader: Member) -> QuerySet[Lesion]:
    """Return those of ``lesions`` that wait for the blinded answer of ``reader`` and have no next step."""
    waiting = Image.objects.in_use().filter(is_unread_by(reader), lesion=OuterRef("pk")).order_by()
    return _unplanned(lesions).filter(Exists(waiting))


def _unplanned(lesions: QuerySet[Lesion]) -> QuerySet[Lesion]:
    planned = LesionPlan.objects.standing().filter(~_is_old_discharge(), lesion=OuterRef("pk")).order_by()
    closed = LesionClosure.objects.still_true().filter(lesion=OuterRef("pk")).order_by()
    return lesions.filter(~Exists(planned), ~Exists(closed))


def _is_old_discharge() -> Q:
    """Whether a discharge does not answer what was seen at another visit, as ``Outcome.is_old_discharge``.

    Those are visits of photographs that were added since, and visits that still have to be signed.
    """
    stated_there = LesionPlan.objects.filter(pk=OuterRef(OuterRef("pk")), visit=OuterRef("visit")).order_by()
    elsewhere = Image.objects.in_use().filter(~Exists(stated_there), lesion=OuterRef("lesion"))
    unanswered = elsewhere.filter(Q(created_at__gt=OuterRef("stated_at")) | Q(visit__status=VisitStatus.OPEN))
    return Q(Exists(unanswered.order_by()), step=NextStep.DISCHARGE)


def _needing_a_step(reader: Member | None) -> QuerySet[Image]:
    settled = ConfirmedLabel.objects.filter(image=OuterRef("pk"), state=LabelState.SETTLED).order_by()
    proven = settled.filter(answer__in=[*BENIGN, NOT_A_LESION], basis=Basis.HISTOPATHOLOGY)
    is_open = ~Exists(settled)
    return (
        Image.objects.in_use()
        .filter(
            is_labelled(DANGEROUS)
            | is_unread_by(reader)
            | (Q(is_shown_as(Tier.URGENT)) & ~Exists(proven))
            | (is_open & (Q(is_shown_as(Tier.WATCH)) | _is_doubted() | Q(_warning_symptoms()) | _is_at_risk()))
        )
        .order_by()
    )


def _is_doubted() -> Any:
    """Whether a reader's newest review names danger, or is not sure."""
    newest = Review.objects.newest_of_each_reader().filter(image=OuterRef("pk")).order_by()
    doubt = Q(certainty=Certainty.UNSURE) | Q(answer__in=[CANNOT_TELL, *DANGEROUS])
    return Q(Exists(newest.filter(doubt)))


def _warning_symptoms() -> Any:
    """Whether the patient reports a symptom that calls for a dermatologist, of the lesion or of an unstated one."""
    newest = LesionSymptoms.objects.filter(visit=OuterRef("visit"), lesion=OuterRef("lesion")).order_by("-number")
    rows = LesionSymptoms.objects.filter(
        visit=OuterRef("visit"), lesion=OuterRef("lesion"), pk=Subquery(newest.values("pk")[:1])
    )
    reported, unstated = Q(), Q()
    for name in WARNING_SYMPTOMS:
        reported |= Q(**{name: "yes"})
        unstated |= Q(**{f"visit__{name}": True})
    return unstated | Q(Exists(rows.filter(reported).order_by()))


def _is_at_risk() -> Any:
    """Whether a fact about the patient makes a calm answer no reason to wait."""
    newest = RiskFact.objects.filter(patient=OuterRef("patient"), kind=OuterRef("kind")).order_by("-number")
    facts = RiskFact.objects.filter(
        patient=OuterRef("lesion__patient"),
        kind__in=[RiskKind.MELANOMA, RiskKind.IMMUNOSUPPRESSION],
        answer=RiskAnswer.YES,
        pk=Subquery(newest.values("pk")[:1]),
    )
    return Q(Exists(facts.order_by()))
