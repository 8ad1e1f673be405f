"""What the lists of visits and lesions can be filtered by."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from diagnosis.reviews.answers import CANNOT_TELL, answer_choices
from patients.models import BODY_REGIONS


class Listing(models.TextChoices):
    """A list that the filter is used by; each value is the name of its page."""

    VISITS = "visits", _("Visits")
    LESIONS = "lesions", _("Lesions")


class Answered(models.TextChoices):
    """The most urgent tier that pages show of the photographs. One that was not judged is no all-clear."""

    URGENT = "urgent", _("Urgent")
    WATCH = "watch", _("Have it looked at")
    NOT_JUDGED = "not-judged", _("Not judged")
    CALM = "calm", _("Calm")


def choices_read_blinded() -> list[tuple[str, Any]]:
    """Return the choices for a blinded reader, who is not told which of those that wait for them are urgent."""
    renamed = {Answered.URGENT: _("Urgent, or waits for your answer")}
    return [(each.value, renamed.get(each, each.label)) for each in Answered]


class LabelKind(models.TextChoices):
    MALIGNANT = "malignant", _("Malignant or pre-malignant")
    BENIGN = "benign", _("Benign, and nothing else")
    DISPUTED = "disputed", _("Disputed")
    NONE = "none", _("No confirmed label")


class Planned(models.TextChoices):
    MISSING = "none", _("No plan although it needs one")
    OVERDUE = "overdue", _("Overdue")


class Awaited(models.TextChoices):
    LATE = "late", _("No result after 30 days")
    CONTRADICTED = "contradicted", _("Contradicts a signed report")


def label_choices() -> list[tuple[Any, Any]]:
    diagnoses = [(answer, name) for answer, name in answer_choices() if answer != CANNOT_TELL]
    return [("", _("Any")), *LabelKind.choices, (_("Diagnosis"), diagnoses)]


def site_choices() -> list[tuple[Any, Any]]:
    regions = [(region, [(site.value, site.label) for site in sites]) for region, sites in BODY_REGIONS.items()]
    return [("", _("Any")), *regions]
