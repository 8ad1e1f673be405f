import uuid
from enum import StrEnum
from typing import Any

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from diagnosis.images.models import Image
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.reviews.models import OutsideReader, Review
from patients.models import Lesion, Member
from patients.models.clinic_rows import ClinicRows

# Wrong codes after which a link stops working until the clinic gives out a new code.
MOST_WRONG_CODES = 5
LONGEST_DAYS = 30


class OpinionState(StrEnum):
    WAITING = "waiting"
    ANSWERED = "answered"
    REVOKED = "revoked"
    EXPIRED = "expired"


class OpinionRequestQuerySet(ClinicRows["OpinionRequest"]):
    path_to_clinic = "lesion__patient__clinic"

    def waiting(self) -> "OpinionRequestQuerySet":
        """Requests that can still be answered."""
        return self.filter(answered_at__isnull=True, revoked_at__isnull=True, expires_at__gt=timezone.now())

    def waiting_for(self, member: Member) -> "OpinionRequestQuerySet":
        return self.visible_to(member).waiting().filter(colleague=member)

    def unread_by(self, member: Member) -> "OpinionRequestQuerySet":
        """Answered requests of ``member`` whose answer they have not opened yet."""
        return self.visible_to(member).filter(asked_by=member, answered_at__isnull=False, seen_at__isnull=True)

    def unanswered_of(self, member: Member) -> "OpinionRequestQuerySet":
        """Requests of ``member`` that nobody will answer, newest first, so that they are not forgotten.

        They expired, or a colleague revoked them, as a correction does that files a photograph elsewhere. A later
        request about the lesion replaces them, unless it was revoked.
        """
        own = self.visible_to(member).filter(asked_by=member, answered_at__isnull=True)
        later = OpinionRequest.objects.filter(
            lesion=OuterRef("lesion"), created_at__gt=OuterRef("created_at"), revoked_at__isnull=True
        )
        ended = Q(revoked_at__isnull=True, expires_at__lte=timezone.now())
        ended |= Q(revoked_at__isnull=False) & ~Q(revoked_by=member)
        return own.filter(ended, ~Exists(later.order_by()))


class OpinionRequest(models.Model):
    """A dermatologist's question about one lesion to one other doctor. What was asked and shared never changes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, related_name="opinion_requests")
    asked_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="opinions_asked")
    colleague = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="opinions_asked_of")
    outside_reader = models.ForeignKey(OutsideReader, on_delete=models.PROTECT, null=True, related_name="requests")
    question = models.TextField(max_length=1000)
    shares_age_and_sex = models.BooleanField(default=False)
    expires_at = models.DateTimeField()
    code_number = models.PositiveSmallIntegerField(default=0, help_text=_("How many codes were given out."))
    code_hash = models.CharField(max_length=128, blank=True, default="", help_text=_("Of the newest code."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    answered_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True, help_text=_("When the asking dermatologist opened the answer."))
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")

    objects = OpinionRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(colleague__isnull=False, outside_reader__isnull=True)
                | Q(colleague__isnull=True, outside_reader__isnull=False),
                name="opinion_is_asked_of_one_doctor",
            ),
            models.CheckConstraint(condition=~Q(colleague=F("asked_by")), name="opinion_is_asked_of_someone_else"),
            models.CheckConstraint(condition=~Q(question=""), name="opinion_request_asks_something"),
            models.CheckConstraint(
                condition=Q(outside_reader__isnull=True, code_number=0, code_hash="")
                | (Q(outside_reader__isnull=False, code_number__gte=1) & ~Q(code_hash="")),
                name="outside_opinion_needs_a_code",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="opinion_request_expires_later"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="opinion_request_is_revoked_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True) | Q(answered_at__isnull=True),
                name="answered_opinion_is_not_revoked",
            ),
            models.CheckConstraint(
                condition=Q(seen_at__isnull=True) | Q(answered_at__isnull=False), name="only_an_answer_is_seen"
            ),
        ]
        indexes = [
            models.Index(fields=["asked_by", "-created_at"], name="opinions_asked_by"),
            models.Index(fields=["colleague", "-created_at"], name="opinions_asked_of"),
        ]

    def __str__(self) -> str:
        return _("Second opinion on %(lesion)s") % {"lesion": self.lesion}

    def get_absolute_url(self) -> str:
        return reverse("opinion", args=[self.pk])

    @property
    def doctor(self) -> Member | OutsideReader:
        """The doctor who was asked."""
        doctor = self.colleague or self.outside_reader
        assert doctor is not None, "opinion_is_asked_of_one_doctor"
        return doctor

    @property
    def state(self) -> OpinionState:
        if self.answered_at is not None:
            return OpinionState.ANSWERED
        if self.revoked_at is not None:
            return OpinionState.REVOKED
        return OpinionState.EXPIRED if timezone.now() >= self.expires_at else OpinionState.WAITING

    @property
    def is_waiting(self) -> bool:
        return self.state is OpinionState.WAITING

    @property
    def is_locked(self) -> bool:
        """Whether too many wrong codes were entered since the newest code was given out."""
        wrong = self.accesses.filter(kind=AccessKind.WRONG_CODE, code_number=self.code_number)
        return self.outside_reader_id is not None and wrong.count() >= MOST_WRONG_CODES

    def images(self) -> ImageQuerySet:
        """The photographs that were shared, in their order, without those that are excluded now."""
        shared = Image.objects.in_use().filter(opinion_photographs__request=self)
        return shared.order_by("opinion_photographs__number")


class OpinionPhotograph(models.Model):
    """One photograph that a request shares. Append-only."""

    request = models.ForeignKey(OpinionRequest, on_delete=models.PROTECT, related_name="photographs")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="opinion_photographs")
    number = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["request", "image"], name="photograph_is_shared_once_in_a_request"),
            models.UniqueConstraint(fields=["request", "number"], name="shared_photograph_has_its_own_number"),
            models.CheckConstraint(condition=Q(number__gte=1), name="shared_photographs_are_numbered_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.number}"


class AccessKind(models.TextChoices):
    LINK = "link", _("The link was opened")
    WRONG_CODE = "wrong_code", _("A wrong code was entered")
    CODE = "code", _("The code was entered: the photographs were shown")
    SHOWN = "shown", _("The photographs were shown again")
    ANSWER = "answer", _("The answer was sent")


class OpinionAccess(models.Model):
    """One use of the link by which a doctor outside the clinic sees a request. Append-only."""

    request = models.ForeignKey(OpinionRequest, on_delete=models.PROTECT, related_name="accesses")
    kind = models.CharField(max_length=10, choices=AccessKind)
    code_number = models.PositiveSmallIntegerField()
    network = models.CharField(max_length=64, help_text=_("The address that it came from."))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=AccessKind.values), name="opinion_access_kind_is_known"),
        ]

    def __str__(self) -> str:
        return str(AccessKind(self.kind).label)


class OpinionReview(models.Model):
    """A review that answers a request: where the review comes from. Append-only."""

    request = models.ForeignKey(OpinionRequest, on_delete=models.PROTECT, related_name="answers")
    review: Any = models.OneToOneField(Review, on_delete=models.PROTECT, related_name="second_opinion")

    def __str__(self) -> str:
        return f"{self.review_id}"
