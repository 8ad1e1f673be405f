"""What else goes with a lesion or a visit: symptoms, specimens, plans, reviews of the lesion, second opinions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import formats
from django.utils.translation import gettext as _

from diagnosis.corrections.errors import CannotCorrect
from diagnosis.corrections.plans import Plan
from diagnosis.followup.models import LesionPlan
from diagnosis.images.models import Image
from diagnosis.opinions.models import OpinionRequest
from diagnosis.outcomes.models import PathologyResult, ResultReview, Specimen
from diagnosis.reviews.models import ManagementDecision, ReviewGroup
from patients.models import Lesion, LesionPlacement, LesionSymptoms, Visit, VisitStatus

Visits = Mapping[UUID, str]


def lesions_at(visit: Visit) -> list[Lesion]:
    """Return the lesions of which anything was recorded at the visit: a photograph, symptoms, a specimen, a plan."""
    rows: tuple[QuerySet[Any], ...] = (
        Image.objects.filter(visit=visit, lesion=OuterRef("pk")),
        LesionSymptoms.objects.filter(visit=visit, lesion=OuterRef("pk")),
        Specimen.objects.filter(visit=visit, lesion=OuterRef("pk")),
        LesionPlan.objects.standing().filter(visit=visit, lesion=OuterRef("pk")),
    )
    found = Q()
    for of_visit in rows:
        found |= Q(Exists(of_visit.order_by()))
    return list(Lesion.objects.filter(found, patient=visit.patient_id).select_related("patient").order_by("number"))


def is_of_other_visits(lesion: Lesion, visit: Visit) -> bool:
    """Whether anything of the lesion was recorded at another visit, so that it cannot go with this one."""
    rows = (Image.objects, LesionSymptoms.objects, Specimen.objects, LesionPlan.objects, ReviewGroup.objects)
    elsewhere = (table.filter(lesion=lesion, visit__isnull=False).exclude(visit=visit) for table in rows)
    return any(found.order_by().exists() for found in elsewhere)


def visits_of(lesion: Lesion) -> list[Visit]:
    """Return the visits that a lesion cannot leave without another one in their place.

    Raises ``CannotCorrect`` if one of them is void: restoring it would bring back half of what was recorded there.
    """
    rows = (Image.objects, LesionSymptoms.objects, ReviewGroup.objects)
    recorded = Q()
    for table in rows:
        recorded |= Q(pk__in=table.filter(lesion=lesion).order_by().values("visit"))
    visits = list(Visit.objects.filter(recorded).select_related("patient").order_by("date", "created_at", "pk"))
    if any(visit.status == VisitStatus.VOID for visit in visits):
        raise CannotCorrect(_("Something of it was recorded at a void visit. Restore that visit first."))
    return visits


def loosen_specimens(plan: Plan, specimens: Iterable[Specimen]) -> None:
    """Take the specimens off their visits until lesion and visit are of one patient again, which the database asks."""
    for specimen in specimens:
        if specimen.visit_id is not None:
            plan.change(specimen, visit_id=None)


def take_along(plan: Plan, lesion: Lesion, *, visits: Visits) -> None:
    """Have the plan move what refers to a lesion that goes to another patient as a whole.

    Args:
        visits: by the key of a visit that is left, the one in its place; a visit that goes too stands for itself.
    """
    numbers: dict[str, int] = {}
    symptoms = LesionSymptoms.objects.filter(lesion=lesion).select_related("visit")
    for row in symptoms.order_by("visit__date", "visit__created_at", "visit", "number"):
        place = visits[row.visit_id]
        # Two visits of a day may become one.
        numbers[place] = numbers.get(place, 0) + 1
        if (place, numbers[place]) != (str(row.visit_id), row.number):
            plan.change(row, visit_id=place, number=numbers[place])
    for group in ReviewGroup.objects.filter(lesion=lesion).order_by("created_at", "pk"):
        if visits[group.visit_id] != str(group.visit_id):
            plan.change(group, visit_id=visits[group.visit_id])
    for specimen in Specimen.objects.filter(lesion=lesion).order_by("created_at", "pk"):
        target = visits.get(specimen.visit_id) if specimen.visit_id else None
        if target != plan.planned(specimen, "visit_id"):
            plan.change(specimen, visit_id=target)
    for step in LesionPlan.objects.filter(lesion=lesion).order_by("stated_at", "pk"):
        _follow(plan, step, visits)
    _note_dangers(plan, Specimen.objects.filter(lesion=lesion))


def split_off(plan: Plan, lesion: Lesion, to_lesion: str, *, visit: Visit, to_visit: str) -> None:
    """Have the plan move what was recorded of a lesion at one visit to a lesion that is added for it.

    What was planned at the visit stays with the lesion that stays, and is planned for the added one too: nobody can
    tell yet whose finding it was meant for, and a plan too many is seen where a lost one is not.
    """
    for row in LesionSymptoms.objects.filter(lesion=lesion, visit=visit).order_by("number"):
        plan.change(row, lesion_id=to_lesion, visit_id=to_visit)
    groups = list(ReviewGroup.objects.filter(lesion=lesion, visit=visit).order_by("created_at", "pk"))
    for group in groups:
        plan.change(group, lesion_id=to_lesion, visit_id=to_visit)
    for decision in ManagementDecision.objects.filter(group__in=groups).order_by("pk"):
        plan.change(decision, lesion_id=to_lesion)
    specimens = Specimen.objects.filter(lesion=lesion, visit=visit)
    for specimen in specimens.order_by("created_at", "pk"):
        plan.change(specimen, lesion_id=to_lesion, visit_id=to_visit)
    _note_dangers(plan, specimens)
    placed = LesionPlacement.objects.filter(lesion=lesion).order_by("-number").first()
    if placed is not None:
        columns = ("view", "x", "y", "body_site", "side", "member_id")
        plan.add("lesionplacement", lesion_id=to_lesion, number=1, **{name: getattr(placed, name) for name in columns})
    for step in LesionPlan.objects.filter(lesion=lesion).order_by("stated_at", "pk"):
        if step.is_standing and step.visit_id == visit.pk:
            _plan_there_too(plan, step, to_lesion, to_visit)
        if visit.is_open:
            _follow(plan, step, {}, left=visit.pk)


def take_reviews_along(plan: Plan, image: Image, to_lesion: str, *, to_visit: str) -> None:
    """Have the reviews of a photograph that moves alone leave the review of the lesion that they were given with.

    A review of the lesion that was of this photograph alone goes with it, and so does what was decided; what was
    planned then stays planned, and is planned for both. Otherwise the answer becomes a review of the other lesion by
    itself, and the decision stays with the photographs that stay.
    """
    groups = ReviewGroup.objects.filter(reviews__image=image).distinct().order_by("created_at", "pk")
    for group in groups:
        if group.reviews.exclude(image=image).exists():
            name = plan.add("reviewgroup", lesion_id=to_lesion, visit_id=to_visit, reviewer_id=group.reviewer_id)
            for review in group.reviews.filter(image=image).order_by("step"):
                plan.change(review, group_id=name)
            continue
        plan.change(group, lesion_id=to_lesion, visit_id=to_visit)
        for decision in ManagementDecision.objects.filter(group=group):
            plan.change(decision, lesion_id=to_lesion)
            for step in LesionPlan.objects.standing().filter(source__decision=decision).select_related("lesion"):
                is_new = to_lesion.startswith("@")
                if is_new or not LesionPlan.objects.standing().filter(lesion=UUID(to_lesion)).exists():
                    _plan_there_too(plan, step, to_lesion, to_visit)


def revoke_opinions(plan: Plan, images: Sequence[Image], *, only_emptied: bool = False) -> None:
    """Have the plan take back the open requests that share one of ``images``, and say so.

    Their answer would be recorded for a lesion, or in a record, that the doctor was not asked about. With
    ``only_emptied``, a request that shares other photographs too stays open.
    """
    keys = [image.pk for image in images]
    shared = OpinionRequest.objects.waiting().filter(photographs__image__in=keys).select_related("lesion__patient")
    for request in shared.distinct().order_by("created_at", "pk"):
        if only_emptied and request.images().exclude(pk__in=keys).exists():
            continue
        plan.revoked.append(request)
        plan.notices.append(
            _("The request for a second opinion on %(lesion)s is revoked, also if this is undone. Ask again.")
            % {"lesion": request.lesion}
        )


def ensure_results_follow(plan: Plan) -> None:
    """Raise ``CannotCorrect`` if a photograph and the specimen whose result named it would part.

    A laboratory's answer is of one lesion. Deriving the label again without it would leave a photograph that showed
    melanoma without one, and keeping it could call another lesion harmless: so a dermatologist first withdraws the
    result, which is on record, and enters it again where it belongs.
    """
    to_lesions = [step for step in plan.steps if "lesion_id" in step.after]
    images = {step.key: step.after["lesion_id"] for step in to_lesions if step.kind == "image"}
    specimens = {step.key: step.after["lesion_id"] for step in to_lesions if step.kind == "specimen"}
    named = ResultReview.objects.filter(
        Q(review__image__in=list(images)) | Q(result__specimen__in=list(specimens)), review__retraction__isnull=True
    )
    for row in named.select_related("review__image", "result__specimen"):
        image, specimen = row.review.image, row.result.specimen
        place = images.get(str(image.pk), str(image.lesion_id))
        if place != specimens.get(str(specimen.pk), str(specimen.lesion_id)):
            raise CannotCorrect(
                _(
                    "The result of %(specimen)s names this lesion’s photographs, and they would part from it. "
                    "Withdraw the result first, then correct, then enter it again for the lesion that it belongs to."
                )
                % {"specimen": specimen}
            )


def numbers_of(plan: Plan, *, lesions: Q, visit: Visit | None = None) -> dict[str, int]:
    """Return how many rows beside photographs it concerns, without zeros.

    Args:
        lesions: the lesions that go as a whole, as a filter on ``lesion``.
        visit: a visit with all that was recorded there.
    """
    at_visit = Q(visit=visit) if visit else Q(pk__in=[])
    counts = {
        "specimens": Specimen.objects.standing().filter(lesions | at_visit).count(),
        "plans": LesionPlan.objects.standing().filter(lesions | at_visit).count(),
        "symptoms": LesionSymptoms.objects.filter(lesions | at_visit).count(),
        "opinions": OpinionRequest.objects.filter(lesions | Q(pk__in=[row.pk for row in plan.revoked])).count(),
    }
    return {name: number for name, number in counts.items() if number}


def planned_in_words(step: LesionPlan) -> str:
    due = formats.date_format(step.due_on, "j M Y") if step.due_on else _("no date")
    return _("%(step)s (%(due)s)") % {"step": step.get_step_display(), "due": due}


def _follow(plan: Plan, step: LesionPlan, visits: Visits, *, left: UUID | None = None) -> None:
    """Have a plan name the visits in place of those that are left, or none; with ``left``, only that one is left."""
    columns = {"visit_id": step.visit_id, "ended_at_visit_id": step.ended_at_visit_id}
    changes = {
        name: visits.get(key)
        for name, key in columns.items()
        if key is not None and (left is None or key == left) and visits.get(key) != str(key)
    }
    if changes:
        plan.change(step, **changes)


def _plan_there_too(plan: Plan, step: LesionPlan, to_lesion: str, to_visit: str) -> None:
    columns = ("clinic_id", "step", "due_on", "note", "stated_by_id")
    plan.add("lesionplan", lesion_id=to_lesion, visit_id=to_visit, **{name: getattr(step, name) for name in columns})
    plan.notices.append(
        _("“%(step)s” was planned for %(lesion)s at this visit: it stays planned and is planned for both. Check both.")
        % {"step": planned_in_words(step), "lesion": step.lesion}
    )


def _note_dangers(plan: Plan, specimens: QuerySet[Specimen]) -> None:
    found = PathologyResult.objects.newest().malignant().filter(specimen__in=specimens.order_by().values("pk"))
    rows = found.select_related("specimen__lesion").order_by("pk")
    plan.dangers += [f"{row.specimen.lesion}: {row.details}" for row in rows]
