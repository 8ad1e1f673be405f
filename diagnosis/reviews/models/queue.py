from datetime import timedelta
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dermascan.core.clock import CLOCKS_APART, latest
from diagnosis.images.models import Image
from diagnosis.images.models.step import StepField
from diagnosis.reviews.models.review import Review
from patients.models import Clinic, Member
from patients.models.clinic_rows import ClinicRows

NEEDS_CONSENSUS = 4
# A visit and a lesion: the photographs that are reviewed together.
Place = tuple[UUID, UUID]
# How long a claim holds.
CLAIMED_FOR = timedelta(minutes=5)


class Reason(models.TextChoices):
    """Why a photograph should be reviewed. The weights are in ``diagnosis.reviews.queue_reasons``."""

    READERS_DISAGREE = "readers_disagree", _("Readers disagree")
    LABELS_CONTRADICT = "labels_contradict", _("Labels of its lesion contradict each other")
    URGENT = "urgent", _("The network finds it urgent")
    TIER_CHANGED = "tier_changed", _("A new network changed its tier")
    OVERRIDDEN = "overridden", _("Refused, and analysed anyway")
    NETWORK_DISAGREES = "network_disagrees", _("Network and reader disagree")
    REFUSED = "refused", _("Refused by the quality check")
    MALIGNANT_SUSPICION = "malignant_suspicion", _("Malignancy suspected")
    NO_DERMATOSCOPE = "no_dermatoscope", _("Taken without a dermatoscope: no all-clear")
    RANDOM_SHARE = "random_share", _("Part of the random sample")
    DRIFT_OUTLIER = "drift_outlier", _("Unlike what the network was trained on")
    UNCERTAIN = "uncertain", _("The network is uncertain")
    NO_LABEL = "no_label", _("No confirmed label yet")


# An entry whose reasons include “urgent” has one of these as its first, and weighs at least so much.
URGENT_REASONS = (Reason.URGENT, Reason.READERS_DISAGREE, Reason.LABELS_CONTRADICT)
URGENT_WEIGHS = 100


class QueueState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")


class QueueQuerySet(ClinicRows["QueueEntry"]):
    path_to_clinic = "clinic"

    def waiting(self) -> "QueueQuerySet":
        return self.filter(state=QueueState.WAITING)

    def in_order(self) -> "QueueQuerySet":
        """The highest priority first; of equal ones, the one that waits longer."""
        return self.order_by("-priority", "pk")

    def with_places(self) -> "QueueQuerySet":
        """Select what ``QueueEntry.place`` needs."""
        return self.select_related("image").defer("image__measures")

    def count_from_now_what_is_dated_ahead(self) -> int:
        """Reset waiting times in the future, from before the clock was set back, to now; return their number."""
        return self.filter(entered_at__gt=latest()).update(entered_at=timezone.now())

    def open_to(self, member: Member) -> "QueueQuerySet":
        """Entries that ``member`` may review: not already reviewed since they began to wait, and not skipped.

        An entry that needs a consensus is open also to members who have reviewed it.
        """
        read = Review.objects.standing().filter(
            image=OuterRef("image"), reviewer=member, step__gt=OuterRef("entered_after")
        )
        skipped = QueueSkip.objects.filter(image=OuterRef("image"), member=member)
        unread = Q(needs=NEEDS_CONSENSUS) | ~Exists(read)
        return self.visible_to(member).waiting().filter(unread, ~Exists(skipped))


class QueueEntry(models.Model):
    """One image's entry in its clinic's review queue. Written only by ``diagnosis.reviews.queue``."""

    image = models.OneToOneField(Image, on_delete=models.CASCADE, related_name="queue_entry")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=QueueState)
    priority = models.FloatField(default=0)
    reasons = models.JSONField(default=list, help_text=_("Codes of Reason, the highest weight first."))
    reason = models.CharField(_("why"), max_length=20, choices=Reason, blank=True, default="")
    needs = models.PositiveSmallIntegerField(
        default=0, help_text=_("Which reader is needed: 1, 2 or 3; 4 is a consensus, 0 none.")
    )
    claimed_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    claimed_until = models.DateTimeField(null=True)
    entered_at = models.DateTimeField(
        _("waiting since"), help_text=_("For an entry that is done, when it last began to wait.")
    )
    entered_after = models.PositiveBigIntegerField(
        default=0, help_text=_("The newest step when it began to wait: a reader with a later review has read it.")
    )

    objects = QueueQuerySet.as_manager()

    class Meta:
        verbose_name = _("photograph in the review queue")
        verbose_name_plural = _("photographs in the review queue")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=QueueState.values), name="queue_state_is_known"),
            models.CheckConstraint(
                condition=Q(
                    state=QueueState.WAITING, needs__gte=1, needs__lte=NEEDS_CONSENSUS, reason__in=Reason.values
                )
                | Q(state=QueueState.DONE, needs=0, reason="", claimed_by=None),
                name="queue_entry_waits_for_somebody_for_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(reason__in=URGENT_REASONS) | Q(priority__gte=URGENT_WEIGHS),
                name="urgent_queue_entry_weighs_enough",
            ),
            models.CheckConstraint(
                condition=Q(claimed_by__isnull=True, claimed_until__isnull=True)
                | Q(claimed_by__isnull=False, claimed_until__isnull=False),
                name="queue_claim_has_an_end",
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "state", "-priority", "id"], name="queue_of_a_clinic"),
            models.Index(fields=["clinic", "reason", "-priority", "id"], name="queue_by_reason"),
            models.Index(fields=["state", "-priority", "id"], name="queue_of_all"),
            models.Index(fields=["clinic", "state", "entered_at"], name="queue_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.image_id}"

    def is_free_for(self, member: Member) -> bool:
        """Return whether no other member has claimed it at this moment."""
        if self.claimed_until is None or self.claimed_by_id == member.pk:
            return True
        now = timezone.now()
        # A claim that lasts longer than possible was made before the clock was set back.
        return not now <= self.claimed_until <= now + CLAIMED_FOR + CLOCKS_APART

    @property
    def place(self) -> Place:
        return self.image.visit_id, self.image.lesion_id

    @property
    def reason_words(self) -> list[str]:
        return [str(Reason(reason).label) for reason in self.reasons]


class PhotographOnScreen(models.Model):
    """A photograph that a reader has open on the review screen; the row expires by itself."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "member"], name="photograph_is_on_a_screen_once")]

    def __str__(self) -> str:
        return f"{self.image_id}"


class QueueSkip(models.Model):
    """A photograph that a reader has skipped; it is left out of their queue until they bring it back."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="skips")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    step = StepField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "member"], name="photograph_is_skipped_once")]
        indexes = [models.Index(fields=["-step"], name="skips_in_order")]

    def __str__(self) -> str:
        return f"{self.image_id}"
