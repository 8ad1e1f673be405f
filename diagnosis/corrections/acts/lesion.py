"""Move a lesion with its photographs to another patient."""

from django.db.models import Q
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from diagnosis.corrections.acts.following import loosen_specimens, numbers_of, revoke_opinions, take_along, visits_of
from diagnosis.corrections.acts.places import Numbers, add_visit_like, ensure_born, ensure_target, who
from diagnosis.corrections.carrying_out import carry_out
from diagnosis.corrections.models import Correction, CorrectionKind
from diagnosis.corrections.plans import Plan, count, notice_of_reports, reports_with
from diagnosis.images.models import Image
from patients.models import Lesion, Member, Patient, Visit, VisitStatus


def plan_lesion_move(*, lesion: Lesion, patient: Patient) -> Plan:
    """Return what moving ``lesion`` to ``patient`` would do.

    The visits stay, since their other lesions are this patient's: the photographs go to the other patient's open visit
    of the same day, or to a new one. Raises ``CannotCorrect``.
    """
    lesion = Lesion.objects.select_related("patient__clinic").get(pk=lesion.pk)
    patient = Patient.objects.get(pk=patient.pk)
    ensure_target(patient, of=lesion.patient)
    ensure_born(patient, lesion=lesion)
    images = list(Image.objects.filter(lesion=lesion).select_related("visit__patient").order_by("visit__date", "pk"))
    visits = visits_of(lesion)

    title = _("%(lesion)s of %(source)s → %(target)s") % {
        "lesion": lesion, "source": who(lesion.patient), "target": who(patient),
    }  # fmt: skip
    plan = Plan(CorrectionKind.MOVE_LESION, title, [lesion.patient, patient])
    plan.moved = images
    loosen_specimens(plan, lesion.specimens.order_by("created_at", "pk"))
    plan.change(lesion, patient_id=patient.pk, number=Numbers(patient).next())
    plan.notices.append(
        _("It becomes lesion %(number)d of %(target)s.")
        % {"number": plan.steps[-1].after["number"], "target": who(patient)}
    )
    targets = {}
    for visit in visits:
        targets[visit.pk] = _target_visit(plan, visit, patient)
        for image in images:
            if image.visit_id == visit.pk:
                plan.change(image, visit_id=targets[visit.pk])
        plan.touch(visit)
    take_along(plan, lesion, visits=targets)
    revoke_opinions(plan, images)
    plan.notices.append(_("Symptoms, specimens with their results, plans and second opinions go with it."))
    for report in reports_with(images):
        plan.withhold(report)
    more = numbers_of(plan, lesions=Q(lesion=lesion))
    plan.numbers = count(Image.objects.filter(lesion=lesion), plan.reports, lesions=1, **more)
    _notice_empty_visits(plan, images)
    instead = _("The signed report shows another patient, so it is never released again. Log and sign a new visit.")
    notice_of_reports(plan, instead=instead)
    return plan


def move_lesion(*, lesion: Lesion, patient: Patient, by: Member, reason: str, seen: str | None = None) -> Correction:
    """Move a lesion as ``plan_lesion_move`` says. Raises as ``carry_out``."""
    return carry_out(
        lambda: plan_lesion_move(lesion=lesion, patient=patient),
        by=by,
        reason=reason,
        seen=seen,
        clinic_patients=[lesion.patient_id, patient.pk],
    )


def _target_visit(plan: Plan, visit: Visit, patient: Patient) -> str:
    """The other patient's open visit of the same day, or a new one with the same details."""
    same_day = patient.visits.filter(date=visit.date, status=VisitStatus.OPEN).order_by("created_at", "pk").first()
    date = {"date": formats.date_format(visit.date, "j M Y"), "patient": who(patient)}
    if same_day is not None:
        plan.touch(same_day)
        plan.notices.append(_("Photographs go to the open visit of %(date)s of %(patient)s.") % date)
        return str(same_day.pk)
    plan.notices.append(_("A new open visit of %(date)s is logged for %(patient)s, with the same details.") % date)
    return add_visit_like(plan, visit, patient=patient)


def _notice_empty_visits(plan: Plan, images: list[Image]) -> None:
    moved = {image.pk for image in images}
    empty = [
        visit
        for visit in dict.fromkeys(image.visit for image in images)
        if not Image.objects.filter(visit=visit).exclude(pk__in=moved).exists()
    ]
    if empty:
        words = ngettext(
            "%(n)d visit stays without photographs: move or void it if it was entered by mistake too.",
            "%(n)d visits stay without photographs: move or void them if they were entered by mistake too.",
            len(empty),
        )
        plan.notices.append(words % {"n": len(empty)})
