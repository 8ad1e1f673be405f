"""Mark a visit as entered by mistake. It stays stored; undoing the correction restores it."""

from django.db.models import Q
from django.utils import formats
from django.utils.translation import gettext as _

from diagnosis.corrections.acts.following import numbers_of, planned_in_words, revoke_opinions
from diagnosis.corrections.acts.places import who
from diagnosis.corrections.carrying_out import carry_out
from diagnosis.corrections.errors import CannotCorrect
from diagnosis.corrections.models import Correction, CorrectionKind
from diagnosis.corrections.plans import Plan, count, notice_of_reports, report_of
from diagnosis.images.models import Image
from patients.models import Member, Visit, VisitStatus


def plan_void(*, visit: Visit) -> Plan:
    """Return what voiding ``visit`` would do. Raises ``CannotCorrect``."""
    visit = Visit.objects.select_related("patient__clinic").get(pk=visit.pk)
    if visit.is_void:
        raise CannotCorrect(_("This visit is void already."))
    title = _("Visit of %(date)s of %(patient)s is void") % {
        "date": formats.date_format(visit.date, "j M Y"), "patient": who(visit.patient),
    }  # fmt: skip
    plan = Plan(CorrectionKind.VOID_VISIT, title, [visit.patient])
    images = Image.objects.in_use().filter(visit=visit)
    plan.moved = list(images.select_related("lesion").order_by("lesion__number", "pk"))
    plan.touch(*dict.fromkeys(image.lesion for image in plan.moved))
    plan.change(visit, status=VisitStatus.VOID)
    plan.withhold(report_of(visit))
    _say_what_stays(plan, visit)
    revoke_opinions(plan, plan.moved, only_emptied=True)
    plan.numbers = count(images, plan.reports, visits=1, **numbers_of(plan, lesions=Q(pk__in=[]), visit=visit))
    plan.notices.append(
        _("The visit stays stored and is in no list, count, queue or training. It can be restored as it is now.")
    )
    if findings := plan.findings:
        plan.notices.append(
            _("A dangerous finding stays shown as that of an excluded photograph: %(findings)s.")
            % {"findings": "; ".join(findings)}
        )
    notice_of_reports(plan, instead=_("The signed report stays. It cannot be released while the visit is void."))
    return plan


def _say_what_stays(plan: Plan, visit: Visit) -> None:
    """Say what a void visit leaves behind: tissue that was sent is awaited, and what is planned is not forgotten."""
    for specimen in visit.specimens.standing().select_related("lesion").order_by("created_at", "pk"):
        plan.touch(specimen.lesion)
        plan.notices.append(
            _("%(specimen)s of %(lesion)s was sent at this visit. It stays awaited: withdraw it if none was sent.")
            % {"specimen": specimen, "lesion": specimen.lesion}
        )
    for step in visit.plans.standing().select_related("lesion").order_by("stated_at", "pk"):
        plan.touch(step.lesion)
        plan.notices.append(
            _("“%(step)s” stays planned for %(lesion)s: cancel it there if it was a mistake.")
            % {"step": planned_in_words(step), "lesion": step.lesion}
        )
    if visit.lesion_symptoms.exists():
        plan.notices.append(_("The symptoms that were recorded at this visit no longer count."))


def void_visit(*, visit: Visit, by: Member, reason: str, seen: str | None = None) -> Correction:
    """Void a visit as ``plan_void`` says. Raises as ``carry_out``."""
    return carry_out(
        lambda: plan_void(visit=visit), by=by, reason=reason, seen=seen, clinic_patients=[visit.patient_id]
    )
