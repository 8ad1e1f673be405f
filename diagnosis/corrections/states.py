"""What must not have changed since a correction for it to be undone."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model, Q

from diagnosis.corrections.plans import Step
from diagnosis.followup.models import LesionPlan, ReminderStop
from diagnosis.images.models import Image
from diagnosis.outcomes.models import Specimen
from diagnosis.reports.models import Addendum
from diagnosis.reviews.models import ReviewGroup
from patients.models import Consent, Lesion, LesionSymptoms, RiskFact, Visit


def state_of(steps: Iterable[Step]) -> dict[str, Any]:
    """Return the state of the records that ``steps`` changed.

    Signatures count for every visit that is touched; photographs for the visits and lesions that were moved
    themselves; and everything in the record that a duplicate was merged into.
    """
    steps = list(steps)
    moved = {kind: [step.key for step in steps if step.kind == kind] for kind in ("visit", "lesion")}
    visits = {value["visit_id"] for step in steps for value in (step.before, step.after) if value.get("visit_id")}
    images = {step.key for step in steps if step.kind == "image"}
    rows = Visit.objects.filter(Q(pk__in={*visits, *moved["visit"]}) | Q(images__in=images)).distinct()
    state: dict[str, Any] = {
        f"visit {row.pk}": [row.status, Addendum.objects.filter(report__visit=row).count()]
        for row in rows.order_by("pk")
    }
    for kind, keys in moved.items():
        for key in keys:
            of = Image.objects.filter(**{kind: key}).order_by("pk").values_list("pk", flat=True)
            state[f"photographs of {kind} {key}"] = [str(image) for image in of]
    for kind, keys in moved.items():
        for key in keys:
            state[f"rows of {kind} {key}"] = [
                sorted(str(row) for row in rows.filter(**{kind: key}).order_by().values_list("pk", flat=True))
                for rows in (
                    LesionSymptoms.objects.all(), Specimen.objects.all(), LesionPlan.objects.all(),
                    ReviewGroup.objects.all(),
                )
            ]  # fmt: skip
    for step in steps:
        if survivor := step.after.get("merged_into_id") or step.before.get("merged_into_id"):
            state[f"record {survivor}"] = [
                Visit.objects.filter(patient=survivor).count(),
                Lesion.objects.filter(patient=survivor).count(),
                Image.objects.filter(visit__patient=survivor).count(),
                Consent.objects.filter(patient=survivor).count(),
                RiskFact.objects.filter(patient=survivor).count(),
                ReminderStop.objects.filter(patient=survivor).count(),
            ]
    return state


def rows_that_refer_to(record: Model) -> list[str]:
    """Return the names of the tables that hold rows about ``record``."""
    return [
        str(relation.related_model._meta.verbose_name_plural)
        for relation in relations_to(type(record))
        if relation.related_model._base_manager.filter(**{relation.field.name: record.pk}).exists()
    ]


def relations_to(model: type[Model]) -> list[Any]:
    """Return the foreign keys that refer to ``model``, also those without a name from there."""
    fields: list[Any] = list(model._meta.get_fields(include_hidden=True))
    return [field for field in fields if field.auto_created and not field.concrete and field.is_relation]
