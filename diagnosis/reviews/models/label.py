import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diagnosis.images.models import Image
from diagnosis.reviews.answers import ANSWERS, Basis, Cause, LabelState, Why, answer_choices
from diagnosis.reviews.models.review import Review
from patients.models import ReviewRule
from patients.models.clinic_rows import ClinicRows

_ANSWER_WORDS = dict(answer_choices())


class ConfirmedLabel(models.Model):
    """The label of an image that its reviews give. Written only by ``diagnosis.reviews.labels``."""

    image = models.OneToOneField(Image, on_delete=models.PROTECT, related_name="label")
    state = models.CharField(max_length=10, choices=LabelState)
    answer = models.CharField(max_length=16, choices=answer_choices, blank=True, default="")
    basis = models.CharField(max_length=16, choices=Basis, blank=True, default="")
    why = models.CharField(max_length=16, choices=Why)
    settled_at = models.DateTimeField(null=True)
    review = models.ForeignKey(
        Review,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text=gettext_lazy("The review that settled the label."),
    )
    settled_after = models.PositiveBigIntegerField(
        default=0, help_text=gettext_lazy("The newest step when the label was settled.")
    )
    readers = models.JSONField(
        default=list, help_text=gettext_lazy("Identifiers of the members whose answers were weighed.")
    )
    rule = models.CharField(max_length=20, choices=ReviewRule, help_text=gettext_lazy("The rule that was applied."))

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=LabelState.values), name="label_state_is_known"),
            models.CheckConstraint(condition=Q(answer__in=("", *ANSWERS)), name="label_answer_is_known"),
            models.CheckConstraint(condition=Q(basis__in=("", *Basis.values)), name="label_basis_is_known"),
            models.CheckConstraint(condition=Q(rule__in=ReviewRule.values), name="label_rule_is_known"),
            models.CheckConstraint(
                condition=(
                    Q(state=LabelState.SETTLED, settled_at__isnull=False, review__isnull=False)
                    & ~Q(answer="")
                    & ~Q(basis="")
                )
                | (~Q(state=LabelState.SETTLED) & Q(answer="", basis="", settled_at=None, review=None)),
                name="label_has_an_answer_when_it_is_settled",
            ),
        ]
        indexes = [
            models.Index(fields=["-settled_at"], name="labels_by_age"),
            # The answer first: an index of all that are settled would be chosen where those of a photograph are meant.
            models.Index(fields=["answer", "state", "image"], name="labels_by_answer"),
        ]

    def __str__(self) -> str:
        return str(self.get_answer_display() or self.get_state_display())

    @property
    def is_settled(self) -> bool:
        return self.state == LabelState.SETTLED


class LabelChangeQuerySet(ClinicRows["LabelChange"]):
    path_to_clinic = "image__visit__patient__clinic"


class LabelChange(models.Model):
    """One change of an image's label, and why. Append-only, which a database trigger enforces."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="label_changes")
    number = models.PositiveIntegerField(help_text=gettext_lazy("Counts the image's changes from 1."))
    before_state = models.CharField(max_length=10, choices=LabelState)
    before_answer = models.CharField(max_length=16, choices=answer_choices, blank=True, default="")
    after_state = models.CharField(max_length=10, choices=LabelState)
    after_answer = models.CharField(max_length=16, choices=answer_choices, blank=True, default="")
    cause = models.CharField(max_length=10, choices=Cause)
    why = models.CharField(max_length=16, choices=Why)
    review = models.ForeignKey(
        Review,
        on_delete=models.PROTECT,
        null=True,
        related_name="label_changes",
        help_text=gettext_lazy("The review that was added or withdrawn."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LabelChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["image", "number"], name="label_change_number_is_unique"),
            models.CheckConstraint(condition=Q(number__gte=1), name="label_change_number_starts_at_one"),
            models.CheckConstraint(
                condition=~Q(before_state=F("after_state"), before_answer=F("after_answer")),
                name="label_change_changes_something",
            ),
            models.CheckConstraint(
                condition=Q(before_answer__in=("", *ANSWERS), after_answer__in=("", *ANSWERS)),
                name="label_change_answers_are_known",
            ),
            models.CheckConstraint(condition=Q(cause__in=Cause.values), name="label_change_cause_is_known"),
            models.CheckConstraint(condition=Q(why__in=Why.values), name="label_change_why_is_known"),
        ]
        indexes = [models.Index(fields=["-created_at"], name="label_changes_by_age")]

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """The change in a sentence: before, after and why."""
        return _("%(before)s → %(after)s: %(why)s.") % {
            "before": _label_words(self.before_state, self.before_answer),
            "after": _label_words(self.after_state, self.after_answer),
            "why": Why(self.why).label,
        }


def _label_words(state: str, answer: str) -> str:
    return str(_ANSWER_WORDS[answer] if answer else LabelState(state).label)
