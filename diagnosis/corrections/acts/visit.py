"""Move a visit with its photographs to another patient."""

from django.db.models import Q
from django.utils import formats
from django.utils.translation import gettext as _

from diagnosis.corrections.acts.following import (
    ensure_results_follow,
    is_of_other_visits,
    lesions_at,
    loosen_specimens,
    numbers_of,
    revoke_opinions,
    split_off,
    take_along,
)
from diagnosis.corrections.acts.places import Numbers, add_lesion_like, add_visit_like, ensure_born, ensure_target, who
from diagnosis.corrections.carrying_out import carry_out
from diagnosis.corrections.errors import CannotCorrect
from diagnosis.corrections.models import Correction, CorrectionKind
from diagnosis.corrections.plans import Plan, count, notice_of_reports, report_of
from diagnosis.images.models import Image
from patients.models import Lesion, Member, Patient, Visit, VisitStatus


def plan_visit_move(*, visit: Visit, patient: Patient) -> Plan:
    """Return what moving ``visit`` to ``patient`` would do.

    A lesion that was seen at this visit alone moves too; one that other visits share is split: a new lesion at the
    same place is added to the other record, and takes what was recorded at this visit. A signed visit cannot change
    its patient, since its report names the first one: it becomes void, its report is withdrawn, and a new open visit
    in the other record takes its photographs, to be signed there. Raises ``CannotCorrect``.
    """
    visit = Visit.objects.select_related("patient__clinic").get(pk=visit.pk)
    patient = Patient.objects.get(pk=patient.pk)
    ensure_target(patient, of=visit.patient)
    ensure_born(patient, visit=visit)
    if visit.is_void:
        raise CannotCorrect(_("This visit is void. Restore it first."))

    source, report = visit.patient, report_of(visit)
    title = _("Visit of %(date)s of %(source)s → %(target)s") % {
        "date": formats.date_format(visit.date, "j M Y"), "source": who(source), "target": who(patient),
    }  # fmt: skip
    plan = Plan(CorrectionKind.MOVE_VISIT, title, [source, patient])
    plan.moved = list(Image.objects.filter(visit=visit).select_related("lesion").order_by("lesion__number", "pk"))
    to_visit = None
    loosen_specimens(plan, visit.specimens.order_by("created_at", "pk"))
    if visit.is_open:
        plan.change(visit, patient_id=patient.pk)
    else:
        to_visit = add_visit_like(plan, visit, patient=patient)
        plan.change(visit, status=VisitStatus.VOID)
        plan.withhold(report)
    lesions = _move_lesions(plan, visit, patient, to_visit)
    ensure_results_follow(plan)
    revoke_opinions(plan, plan.moved)
    more = numbers_of(plan, lesions=Q(lesion__in=lesions), visit=visit)
    plan.numbers = count(Image.objects.filter(visit=visit), plan.reports, visits=1, lesions=len(lesions), **more)
    notice_of_reports(
        plan,
        instead=_(
            "The signed visit stays in the record of %(source)s, marked void, and its report can never be released "
            "again. %(target)s gets a new open visit with these photographs: check it and sign it there."
        )
        % {"source": who(source), "target": who(patient)},
    )
    return plan


def move_visit(*, visit: Visit, patient: Patient, by: Member, reason: str, seen: str | None = None) -> Correction:
    """Move a visit as ``plan_visit_move`` says. Raises as ``carry_out``."""
    return carry_out(
        lambda: plan_visit_move(visit=visit, patient=patient),
        by=by,
        reason=reason,
        seen=seen,
        clinic_patients=[visit.patient_id, patient.pk],
    )


def _move_lesions(plan: Plan, visit: Visit, patient: Patient, to_visit: str | None) -> list[Lesion]:
    """Have the plan move what was recorded at the visit, by lesion; return the lesions that move with it."""
    numbers, moving = Numbers(patient), []
    place = to_visit or str(visit.pk)
    for lesion in lesions_at(visit):
        is_shared = is_of_other_visits(lesion, visit)
        number, to_lesion = numbers.next(), None
        if is_shared:
            to_lesion = add_lesion_like(plan, lesion, patient=patient, number=number)
            plan.touch(lesion)
        else:
            ensure_born(patient, lesion=lesion)
            plan.change(lesion, patient_id=patient.pk, number=number)
            moving.append(lesion)
        plan.notices.append(_lesion_in_words(lesion, number, is_shared=is_shared))
        columns = {"visit_id": to_visit, "lesion_id": to_lesion}
        for image in plan.moved:
            if image.lesion_id == lesion.pk and (changes := {name: key for name, key in columns.items() if key}):
                plan.change(image, **changes)
        if to_lesion:
            split_off(plan, lesion, to_lesion, visit=visit, to_visit=place)
        else:
            take_along(plan, lesion, visits={visit.pk: place})
    return moving


def _lesion_in_words(lesion: Lesion, number: int, *, is_shared: bool) -> str:
    if is_shared:
        words = _("%(lesion)s was seen at other visits too: it stays, and lesion %(number)d is added there.")
    else:
        words = _("%(lesion)s moves with it and becomes lesion %(number)d there.")
    return words % {"lesion": lesion, "number": number}
