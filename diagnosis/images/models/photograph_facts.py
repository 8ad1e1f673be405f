import datetime

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from diagnosis.images.kinds import PhotographKind
from diagnosis.images.models.device import Device
from diagnosis.images.models.image import Image
from patients.models import Member, User

EARLIEST_TAKEN = datetime.datetime(1990, 1, 1, tzinfo=datetime.UTC)


class TimeSource(models.TextChoices):
    """Where the time at which a photograph was taken comes from."""

    FILE = "file", _("read from the file")
    MEMBER = "member", _("stated by the clinic")


class PhotographFactsQuerySet(models.QuerySet["PhotographFacts"]):
    def newest(self) -> "PhotographFactsQuerySet":
        """The one row of each photograph that counts."""
        newest = PhotographFacts.objects.filter(image=OuterRef("image")).order_by("-pk").values("pk")[:1]
        return self.filter(pk=Subquery(newest))


class PhotographFacts(models.Model):
    """What is known about how a photograph was taken, as a member stated it. Append-only: the newest row counts.

    ``Image.kind`` and ``Image.taken_at`` repeat the newest row, so that lists can be filtered and ordered by them.
    """

    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="facts")
    kind = models.CharField(_("kind"), max_length=12, choices=PhotographKind, blank=True, default="")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    is_polarised = models.BooleanField(_("light"), null=True, blank=True)
    is_contact = models.BooleanField(_("contact with the skin"), null=True, blank=True)
    is_cropped = models.BooleanField(_("cropped or zoomed"), default=False)
    taken_at = models.DateTimeField(_("taken at"), null=True, blank=True)
    taken_at_source = models.CharField(max_length=6, choices=TimeSource, blank=True, default="")
    overview = models.ForeignKey(Image, on_delete=models.PROTECT, null=True, blank=True, related_name="facts_below")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PhotographFactsQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["", *PhotographKind.values]), name="photograph_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(taken_at__isnull=True) | Q(taken_at__gte=EARLIEST_TAKEN, taken_at__lte=F("created_at")),
                name="photograph_was_taken_at_a_plausible_time",
            ),
            models.CheckConstraint(
                condition=Q(taken_at__isnull=True, taken_at_source="")
                | Q(taken_at__isnull=False, taken_at_source__in=TimeSource.values),
                name="time_of_a_photograph_has_a_source",
            ),
            models.CheckConstraint(condition=~Q(overview=F("image")), name="photograph_is_not_its_own_overview"),
            models.CheckConstraint(
                condition=Q(overview__isnull=True) | ~Q(kind=PhotographKind.OVERVIEW.value),
                name="overview_belongs_to_no_overview",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display() or self.image_id)

    @property
    def changed_by(self) -> User:
        return self.member.user

    @property
    def changed_at(self) -> datetime.datetime:
        return self.created_at
