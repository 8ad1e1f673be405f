"""Merge the records of a patient who was registered twice."""

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from diagnosis.corrections.acts.following import numbers_of
from diagnosis.corrections.acts.joining import join_reminders, join_risks, stricter_skin_type
from diagnosis.corrections.acts.places import Numbers, ensure_born, ensure_target, who
from diagnosis.corrections.carrying_out import carry_out
from diagnosis.corrections.errors import CannotCorrect
from diagnosis.corrections.models import Correction, CorrectionKind
from diagnosis.corrections.plans import Plan, count
from diagnosis.images.models import Image
from diagnosis.reports.models import Report
from patients.models import Decision, Member, Patient, Sex
from patients.names import name_keys
from patients.services import consent_states


def plan_merge(*, duplicate: Patient, survivor: Patient) -> Plan:
    """Return what merging ``duplicate`` into ``survivor`` would do. Raises ``CannotCorrect``.

    Everything of the duplicate moves; its record stays as a pointer whose addresses lead to the survivor. Where the
    two differ, the survivor's details stay, and what it lacks is taken over. Of consents the stricter stands, of
    answers about risk the one that cannot falsely reassure. A lesion keeps its plans, specimens and opinions.
    """
    duplicate = Patient.objects.select_related("clinic", "user").get(pk=duplicate.pk)
    survivor = Patient.objects.select_related("clinic", "user").get(pk=survivor.pk)
    ensure_target(survivor, of=duplicate)
    if duplicate.merged_into_id is not None:
        raise CannotCorrect(_("This record was merged already."))

    title = _("%(duplicate)s → %(survivor)s") % {"duplicate": who(duplicate), "survivor": who(survivor)}
    plan = Plan(CorrectionKind.MERGE_PATIENTS, title, [duplicate, survivor], takes_findings=False)
    visits = list(duplicate.visits.order_by("date", "created_at", "pk"))
    for visit in visits:
        ensure_born(survivor, visit=visit)
        plan.change(visit, patient_id=survivor.pk)
    lesions = _renumber_lesions(plan, duplicate, survivor)
    _join_details(plan, duplicate, survivor)
    consents = _join_consents(plan, duplicate, survivor)
    risks = join_risks(plan, duplicate, survivor)
    join_reminders(plan, duplicate, survivor)
    _join_reports(plan, duplicate, survivor)
    plan.numbers = count(
        Image.objects.filter(visit__patient=duplicate),
        plan.reports,
        visits=len(visits),
        lesions=lesions,
        consents=consents,
        **numbers_of(plan, lesions=Q(lesion__patient=duplicate)),
        **({"risks": risks} if risks else {}),
    )
    plan.notices.append(
        _("%(duplicate)s stays as a pointer: its number can be searched, and its addresses lead to %(survivor)s.")
        % {"duplicate": who(duplicate), "survivor": who(survivor)}
    )
    return plan


def merge_patients(
    *, duplicate: Patient, survivor: Patient, by: Member, reason: str, seen: str | None = None
) -> Correction:
    """Merge two records as ``plan_merge`` says. Raises as ``carry_out``."""
    return carry_out(
        lambda: plan_merge(duplicate=duplicate, survivor=survivor),
        by=by,
        reason=reason,
        seen=seen,
        clinic_patients=[duplicate.pk, survivor.pk],
    )


def differences(duplicate: Patient, survivor: Patient) -> list[tuple[str, str, str]]:
    """Return what tells the two apart, for the person who confirms that they are one: name, birth date, sex."""
    rows = [
        (_("Name"), duplicate.name, survivor.name),
        (_("Birth date"), f"{duplicate.birth_date:%Y-%m-%d}", f"{survivor.birth_date:%Y-%m-%d}"),
        (_("Sex"), duplicate.get_sex_display(), survivor.get_sex_display()),
        (_("E-mail"), duplicate.email, survivor.email),
        (_("Phone"), duplicate.phone, survivor.phone),
    ]
    return [row for row in rows if row[1] != row[2]]


def is_named_alike(duplicate: Patient, survivor: Patient) -> bool:
    """Whether name and birth date agree, however the name is spelt."""
    keys = (name_keys(patient.given_name, patient.family_name) for patient in (duplicate, survivor))
    return duplicate.birth_date == survivor.birth_date and bool(set.intersection(*map(set, keys)))


def _renumber_lesions(plan: Plan, duplicate: Patient, survivor: Patient) -> int:
    numbers, lesions = Numbers(survivor), list(duplicate.lesions.order_by("number"))
    for lesion in lesions:
        ensure_born(survivor, lesion=lesion)
        number = numbers.next()
        plan.change(lesion, patient_id=survivor.pk, number=number)
        plan.notices.append(
            _("%(lesion)s of %(duplicate)s becomes lesion %(number)d.")
            % {"lesion": lesion, "duplicate": duplicate.record_number, "number": number}
        )
    return len(lesions)


def _join_details(plan: Plan, duplicate: Patient, survivor: Patient) -> None:
    """Take over what the survivor lacks, and every word of the medical history."""
    missing = {
        name: getattr(duplicate, name)
        for name in ("skin_type", "email", "phone")
        if getattr(duplicate, name) and not getattr(survivor, name)
    }
    missing |= stricter_skin_type(plan, duplicate, survivor)
    if survivor.sex == Sex.UNKNOWN != duplicate.sex:
        missing["sex"] = duplicate.sex
    if duplicate.history.strip() and duplicate.history.strip() not in survivor.history:
        heading = _("From record %(number)s:") % {"number": duplicate.record_number}
        missing["history"] = f"{survivor.history}\n\n{heading}\n{duplicate.history}".strip()
        plan.notices.append(_("Its medical history is added to the other one."))
    account, other = duplicate.user, survivor.user
    # The duplicate first: an account belongs to one record at a time.
    plan.change(duplicate, merged_into_id=survivor.pk, user_id=None)
    if account is not None and other is None:
        missing["user_id"] = account.pk
        plan.notices.append(_("The account %(name)s now opens the joined record.") % {"name": account.username})
    elif account is not None and account.is_active and not (account.is_superuser or hasattr(account, "member")):
        plan.change(account, is_active=False)
        plan.notices.append(
            _("Both have an account. %(kept)s stays; %(closed)s can no longer sign in: tell the patient.")
            % {"kept": other.username if other else "", "closed": account.username}
        )
    if missing:
        plan.change(survivor, **missing)


def _join_consents(plan: Plan, duplicate: Patient, survivor: Patient) -> int:
    """Have a refusal or withdrawal in either record stand; return how many decisions are added."""
    added = 0
    for of_duplicate, of_survivor in zip(consent_states(duplicate), consent_states(survivor), strict=True):
        newest, own = of_duplicate.newest, of_survivor.newest
        if newest is None or newest.is_given or (own is not None and not own.is_given):
            continue
        plan.add(
            "consent",
            patient_id=survivor.pk,
            purpose=of_survivor.purpose,
            number=own.number + 1 if own else 1,
            decision=Decision.WITHDRAWN,
            method=newest.method,
        )
        plan.notices.append(
            _("“%(purpose)s” was refused or withdrawn in the duplicate, so it is for the joined record.")
            % {"purpose": of_survivor.purpose.label}
        )
        added += 1
    return added


def _join_reports(plan: Plan, duplicate: Patient, survivor: Patient) -> None:
    reports: Iterable[Report] = Report.objects.filter(visit__patient=duplicate).order_by("signed_at")
    plan.reports = list(reports)
    if not plan.reports:
        return
    if is_named_alike(duplicate, survivor):
        plan.notices.append(_("Signed reports stay as they were signed, and can still be read."))
        return
    released = [report for report in plan.reports if report.released_at]
    plan.withheld = [report for report in released if not report.withholdings.standing().exists()]
    plan.notices.append(
        _(
            "Name or birth date differ: released reports are withheld until a dermatologist has added an addendum and "
            "released them again."
        )
    )
