"""Move a photograph to another lesion or visit, of the same patient or of another one."""

from django.db.models import Q
from django.utils import formats
from django.utils.translation import gettext as _

from diagnosis.corrections.acts.following import (
    ensure_results_follow,
    numbers_of,
    revoke_opinions,
    take_reviews_along,
)
from diagnosis.corrections.acts.places import Numbers, add_lesion_like, add_visit_like, ensure_born, ensure_target, who
from diagnosis.corrections.carrying_out import carry_out
from diagnosis.corrections.errors import CannotCorrect
from diagnosis.corrections.models import Correction, CorrectionKind
from diagnosis.corrections.plans import Plan, count, notice_of_reports, reports_with
from diagnosis.images.models import Image
from patients.models import Lesion, LesionSymptoms, Member, Patient, Visit


def plan_photograph_move(
    *, image: Image, patient: Patient, lesion: Lesion | None = None, visit: Visit | None = None
) -> Plan:
    """Return what moving ``image`` would do.

    Args:
        patient: whose record it belongs to; it may be the one that holds it.
        lesion: the lesion that it shows; None for a new one at the same place.
        visit: the open visit that it was taken at; None for the one that holds it, or for another patient a new one
            of that date.

    Raises ``CannotCorrect``.
    """
    image = Image.objects.select_related("visit__patient__clinic", "lesion").get(pk=image.pk)
    source, is_other = image.visit.patient, image.visit.patient_id != patient.pk
    patient = Patient.objects.get(pk=patient.pk)
    lesion = Lesion.objects.get(pk=lesion.pk) if lesion else None
    visit = Visit.objects.get(pk=visit.pk) if visit and visit.pk != image.visit_id else None
    _ensure_possible(image, patient, lesion, visit)

    plan = Plan(CorrectionKind.MOVE_PHOTOGRAPH, _title(image, patient, lesion, visit), [source])
    plan.moved = [image]
    plan.touch(image.visit, image.lesion, *([lesion] if lesion else []), *([visit] if visit else []))
    to_lesion = str(lesion.pk) if lesion else _new_lesion(plan, image, patient)
    changes_lesion = to_lesion != str(image.lesion_id)
    if not is_other:
        changes = {"lesion_id": to_lesion} if changes_lesion else {}
        plan.change(image, **changes, **({"visit_id": str(visit.pk)} if visit else {}))
        take_reviews_along(plan, image, to_lesion, to_visit=str(visit.pk if visit else image.visit_id))
        plan.notices.append(_("Its answer, reviews and label go with it; the queue follows."))
    else:
        plan.patients.append(patient)
        to_visit = str(visit.pk) if visit else _new_visit(plan, image, patient)
        plan.change(image, lesion_id=to_lesion, visit_id=to_visit)
        take_reviews_along(plan, image, to_lesion, to_visit=to_visit)
        plan.notices.append(
            _("%(source)s no longer sees it; its answer, reviews and label go with it to %(target)s.")
            % {"source": who(source), "target": who(patient)}
        )
    ensure_results_follow(plan)
    if changes_lesion:
        revoke_opinions(plan, [image])
    if lesion is not None and changes_lesion and (closure := lesion.closures.standing().first()) is not None:
        plan.notices.append(
            _("%(lesion)s is closed: %(why)s. Reopen it if this photograph shows that it should not be.")
            % {"lesion": lesion, "why": closure.get_why_display()}
        )
    if LesionSymptoms.objects.filter(lesion=image.lesion, visit=image.visit).exists():
        plan.notices.append(
            _("What the patient reported of %(lesion)s stays there: record it again if it was of this one.")
            % {"lesion": image.lesion}
        )
    for report in reports_with([image]):
        plan.withhold(report)
    more = numbers_of(plan, lesions=Q(pk__in=[]))
    plan.numbers = count(Image.objects.filter(pk=image.pk), plan.reports, **more)
    notice_of_reports(plan, instead=_shows_another_patient() if is_other else "")
    return plan


def move_photograph(
    *,
    image: Image,
    patient: Patient,
    by: Member,
    reason: str,
    lesion: Lesion | None = None,
    visit: Visit | None = None,
    seen: str | None = None,
) -> Correction:
    """Move a photograph as ``plan_photograph_move`` says. Raises as ``carry_out``."""
    return carry_out(
        lambda: plan_photograph_move(image=image, patient=patient, lesion=lesion, visit=visit),
        by=by,
        reason=reason,
        seen=seen,
        clinic_patients=[image.visit.patient_id, patient.pk],
    )


def _ensure_possible(image: Image, patient: Patient, lesion: Lesion | None, visit: Visit | None) -> None:
    if image.visit.is_void:
        raise CannotCorrect(_("Its visit is void. Restore the visit first."))
    if lesion is not None and lesion.patient_id != patient.pk:
        raise CannotCorrect(_("This lesion belongs to another patient. Choose one of this patient's lesions."))
    if visit is not None and (visit.patient_id != patient.pk or not visit.is_open):
        raise CannotCorrect(_("Choose an open visit of that patient, or a new one."))
    if image.visit.patient_id == patient.pk:
        if visit is None and lesion is not None and lesion.pk == image.lesion_id:
            raise CannotCorrect(_("The photograph is filed under this lesion and visit already."))
        if visit is not None and not image.visit.is_open:
            raise CannotCorrect(
                _("Its visit is signed with this photograph. Say in an addendum at which visit it was taken.")
            )
    else:
        ensure_target(patient, of=image.visit.patient)
        ensure_born(patient, visit=visit or image.visit)
    same = Image.objects.filter(visit=visit or image.visit_id, lesion=lesion, sha256=image.sha256)
    if lesion is not None and same.exclude(pk=image.pk).exists():
        raise CannotCorrect(_("That lesion already has this photograph: exclude this one as added twice."))


def _new_lesion(plan: Plan, image: Image, patient: Patient) -> str:
    plan.notices.append(
        _("A new lesion is added to the record of %(patient)s: %(place)s.")
        % {"patient": who(patient), "place": image.lesion.place}
    )
    return add_lesion_like(plan, image.lesion, patient=patient, number=Numbers(patient).next())


def _new_visit(plan: Plan, image: Image, patient: Patient) -> str:
    plan.notices.append(
        _("A new open visit of %(date)s is logged for %(patient)s, with the same details.")
        % {"date": formats.date_format(image.visit.date, "j M Y"), "patient": who(patient)}
    )
    return add_visit_like(plan, image.visit, patient=patient)


def _shows_another_patient() -> str:
    return _("The signed report shows another patient, so it can never be released again. Log and sign a new visit.")


def _title(image: Image, patient: Patient, lesion: Lesion | None, visit: Visit | None) -> str:
    target = str(lesion) if lesion else _("a new lesion")
    if visit is not None:
        target = f"{target}, {formats.date_format(visit.date, 'j M Y')}"
    if image.visit.patient_id != patient.pk:
        target = f"{who(patient)}, {target}"
    return _("Photograph of %(lesion)s, %(date)s → %(target)s") % {
        "lesion": image.lesion,
        "date": formats.date_format(image.visit.date, "j M Y"),
        "target": target,
    }
