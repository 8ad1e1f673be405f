import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from dermascan.core.clock import is_within
from diagnosis.images.models import Image
from diagnosis.images.models.step import CountsSteps, StepField
from diagnosis.reviews.answers import ANSWERS, CANNOT_TELL, DECIDING, FREE_TEXT, Basis, Certainty, answer_choices
from diagnosis.reviews.diagnoses import BY_CODE
from diagnosis.reviews.models.outside_reader import OutsideReader
from mlmodel.taxonomy import Condition
from patients.models import Lesion, Member, Visit
from patients.models.clinic_rows import ClinicRows

RETRACTABLE_FOR = timedelta(minutes=10)


class ReviewGroup(models.Model):
    """One answer to all photographs of a lesion of one visit; each has a review of its own. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, related_name="review_groups")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.lesion_id}"


class ReviewQuerySet(CountsSteps, ClinicRows["Review"]):
    path_to_clinic = "image__visit__patient__clinic"

    def standing(self) -> "ReviewQuerySet":
        """Reviews that were not withdrawn."""
        return self.filter(retraction__isnull=True)

    def read_by(self, reader: uuid.UUID) -> "ReviewQuerySet":
        """Reviews of a reader among those of a photograph.

        As an expression, so that the reviews of the photograph are looked through and not all those of the reader.
        """
        key = Coalesce("reviewer", "outside_reader", output_field=models.UUIDField())
        return self.alias(reader_key=key).filter(reader_key=reader)

    def in_order(self) -> "ReviewQuerySet":
        """The oldest first, by ``step`` and not by the clock."""
        return self.order_by("step", "pk")

    def newest_first(self) -> "ReviewQuerySet":
        return self.order_by("-step", "-pk")

    def newest_of_each_reader(self) -> "ReviewQuerySet":
        """The newest review, not withdrawn, of each reader and photograph."""
        own = Q(reviewer=OuterRef("reviewer")) | Q(outside_reader=OuterRef("outside_reader"))
        later = Review.objects.standing().filter(own, image=OuterRef("image"))
        newer = later.filter(Q(step__gt=OuterRef("step")) | Q(step=OuterRef("step"), pk__gt=OuterRef("pk")))
        return self.standing().filter(~Exists(newer.order_by()))

    def deciding(self) -> "ReviewQuerySet":
        """Reviews, not withdrawn, that can settle a label by ``diagnosis.reviews.label_rules``."""
        by_members = self.standing().filter(reviewer__isnull=False)
        return by_members.filter(certainty__in=DECIDING).exclude(answer=CANNOT_TELL)


class Review(models.Model):
    """One reader's review of one image. Append-only, which a database trigger enforces.

    The reader is a dermatologist of the clinic (``reviewer``) or a doctor elsewhere who was asked for a second
    opinion (``outside_reader``). To change an answer is to add another review.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="reviews")
    outside_reader = models.ForeignKey(OutsideReader, on_delete=models.PROTECT, null=True, related_name="reviews")
    answer = models.CharField(_("answer"), max_length=16, choices=answer_choices)
    other_text = models.CharField(_("what else it is"), max_length=200, blank=True, default="")
    certainty = models.CharField(_("how sure"), max_length=10, choices=Certainty)
    basis = models.CharField(_("how it is known"), max_length=16, choices=Basis, default=Basis.DERMATOSCOPY)
    reason = models.TextField(_("why"), blank=True, max_length=2000)
    was_blinded = models.BooleanField(
        _("blinded"), default=False, help_text=_("The network's answer was hidden until this one was given.")
    )
    answer_seen_at = models.DateTimeField(
        _("answer seen"),
        null=True,
        help_text=_("When the reader had first been shown the network's answer; empty if not before this review."),
    )
    group = models.ForeignKey(
        ReviewGroup,
        on_delete=models.PROTECT,
        null=True,
        related_name="reviews",
        help_text=_("The review of its lesion that it belongs to; empty if the photograph was reviewed by itself."),
    )
    created_at = models.DateTimeField(auto_now_add=True)
    step = StepField()

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["-step"]
        constraints = [
            models.CheckConstraint(condition=Q(answer__in=ANSWERS), name="review_answer_is_known"),
            models.CheckConstraint(
                condition=(Q(answer__in=FREE_TEXT) & ~Q(other_text=""))
                | (~Q(answer__in=FREE_TEXT) & Q(other_text="")),
                name="review_says_what_else_it_is",
            ),
            models.CheckConstraint(condition=Q(certainty__in=Certainty.values), name="review_certainty_is_known"),
            models.CheckConstraint(condition=Q(basis__in=Basis.values), name="review_basis_is_known"),
            models.CheckConstraint(
                condition=Q(reviewer__isnull=False, outside_reader__isnull=True)
                | Q(reviewer__isnull=True, outside_reader__isnull=False),
                name="review_has_one_reader",
            ),
            # They see photographs only, and nobody here has seen who they are.
            models.CheckConstraint(
                condition=Q(outside_reader__isnull=True) | Q(basis=Basis.DERMATOSCOPY, was_blinded=False),
                name="outside_review_is_an_opinion",
            ),
            models.CheckConstraint(
                condition=Q(was_blinded=False) | Q(answer_seen_at=None), name="blinded_review_precedes_the_answer"
            ),
            models.UniqueConstraint(fields=["group", "image"], name="photograph_is_in_a_review_group_once"),
        ]
        indexes = [
            models.Index(fields=["image", "-step"], name="reviews_of_an_image"),
            models.Index(fields=["-created_at"], name="reviews_by_age"),
            models.Index(fields=["reviewer", "-created_at"], name="reviews_of_a_reader"),
            models.Index(fields=["reviewer", "-step"], name="reviews_of_a_reader_in_order"),
            models.Index(fields=["-step"], name="reviews_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.answer_words} ({self.get_certainty_display().lower()})"

    @property
    def reader(self) -> Member | OutsideReader:
        """The member or the outside doctor whose answer it is."""
        reader = self.reviewer or self.outside_reader
        assert reader is not None, "review_has_one_reader"
        return reader

    @property
    def reader_id(self) -> uuid.UUID:
        """The key of the reader, by which a reader's answers are told apart from those of others."""
        key = self.reviewer_id or self.outside_reader_id
        assert key is not None, "review_has_one_reader"
        return key

    @property
    def is_from_outside(self) -> bool:
        """Whether a doctor outside the clinic gave it."""
        return self.outside_reader_id is not None

    @property
    def condition(self) -> Condition | None:
        """The diagnosis of the answer's code; None if the answer has none."""
        return BY_CODE.get(self.answer)

    @property
    def answer_words(self) -> str:
        """The answer in words, with the reader's own words if it is something else."""
        return f"{self.get_answer_display()}: {self.other_text}" if self.other_text else self.get_answer_display()

    @property
    def is_retracted(self) -> bool:
        return hasattr(self, "retraction")

    @property
    def is_retractable(self) -> bool:
        return not self.is_retracted and is_within(self.created_at, RETRACTABLE_FOR)


class ReviewRetraction(models.Model):
    """The withdrawal of a review by its reviewer, within minutes. Append-only: the review stays on record."""

    review = models.OneToOneField(Review, on_delete=models.PROTECT, related_name="retraction")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.review_id}"
