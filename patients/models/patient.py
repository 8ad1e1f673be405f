import datetime
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Count, Expression, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Concat, Lower, Replace
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from patients.models.clinic import Clinic
from patients.models.clinic_rows import ClinicRows
from patients.models.edited import Edited
from patients.models.member import Member
from patients.names import (
    SPELT_OUT,
    FoldedNameField,
    FoldedNumberField,
    fold_name,
    fold_number,
    is_whole,
    join_name,
    spell_out,
)
from patients.privacy import shown_name, shown_number

EARLIEST_BIRTH = datetime.date(1900, 1, 1)
LONGEST_SEARCH = 100
MOST_WORDS = 8
MOST_MERGED = 200


class Sex(models.TextChoices):
    FEMALE = "female", _("Female")
    MALE = "male", _("Male")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Not recorded")


class SkinType(models.TextChoices):
    """Fitzpatrick, Arch Dermatol 124:869 (1988)."""

    I = "I", _("I – always burns, never tans")  # noqa: E741
    II = "II", _("II – usually burns, tans a little")
    III = "III", _("III – sometimes burns, tans")
    IV = "IV", _("IV – rarely burns, tans well")
    V = "V", _("V – brown skin, very rarely burns")
    VI = "VI", _("VI – dark brown or black skin, hardly ever burns")
    UNKNOWN = "", _("Not recorded")


class PatientQuerySet(ClinicRows["Patient"]):
    path_to_clinic = "clinic"

    def in_use(self) -> "PatientQuerySet":
        """Return the patients whose record was not merged into another one."""
        return self.filter(merged_into__isnull=True)

    def found_by(self, text: str) -> "PatientQuerySet":
        """Return the patients in use that match ``text``, also by a record that was merged into theirs."""
        merged = self.filter(merged_into__isnull=False).matching(text).order_by().values_list("merged_into", flat=True)
        found = self.in_use().matching(text)
        if not (keys := list(merged[:MOST_MERGED])):
            return found
        return self.in_use().filter(Q(pk__in=found.order_by().values("pk")) | Q(pk__in=keys))

    def matching(self, text: str) -> "PatientQuerySet":
        """Return the patients whose name, record number or birth date matches every word of ``text``."""
        # PostgreSQL refuses NUL, and text longer than any name cannot match.
        text = text.replace("\0", " ").strip()
        if len(text) > LONGEST_SEARCH:
            return self.none()
        if birth_date := parse_date(text):
            return self.filter(
                Q(birth_date=birth_date) | Q(record_number__icontains=text),
            )
        joined_name = Replace("folded_name", Value(" "), Value(""))
        # Joined twice, because some people type the family name first.
        patients = self.alias(joined_name=Concat(joined_name, joined_name), spelt_out=_spelt_out_name())
        for word in text.split()[:MOST_WORDS]:
            condition = Q(record_number__icontains=word)
            if folded := fold_name(word):
                condition |= Q(folded_name__contains=folded) | Q(folded_name__contains=spell_out(word))
                if any(pair in folded for pair in SPELT_OUT.values()):
                    condition |= Q(spelt_out__icontains=word)
                if is_whole(joined := join_name(folded)):
                    condition |= Q(joined_name__contains=joined)
            if number := fold_number(word):
                condition |= Q(folded_number__contains=number)
            if birth_date := parse_date(word):
                condition |= Q(birth_date=birth_date)
            patients = patients.filter(condition)
        return patients

    def consenting_to(self, purpose: str) -> "PatientQuerySet":
        """Return the patients who agreed to ``purpose`` (a ``Purpose``) and have not withdrawn since."""
        from patients.models.consent import Consent, Decision

        newest = Consent.objects.filter(patient=OuterRef("pk"), purpose=purpose).order_by("-number")
        return self.alias(newest_decision=Subquery(newest.values("decision")[:1])).filter(
            newest_decision=Decision.GIVEN
        )

    def with_summary(self) -> "PatientQuerySet":
        """Annotate ``last_visit`` (a date or None) and ``lesion_count``, for lists."""
        from patients.models.lesion import Lesion
        from patients.models.visit import Visit

        visits = Visit.objects.in_use().filter(patient=OuterRef("pk")).order_by("-date").values("date")[:1]
        lesions = Lesion.objects.filter(patient=OuterRef("pk")).order_by().values("patient")
        return self.annotate(
            last_visit=Subquery(visits),
            lesion_count=Coalesce(Subquery(lesions.annotate(count=Count("pk")).values("count")), 0),
        )


def _spelt_out_name() -> Expression:
    """Return an expression for the name as typed, with letters such as “ü” spelt out as “ue”."""
    name: Expression = Concat("given_name", Value(" "), "family_name")
    for letter, pair in SPELT_OUT.items():
        # Both cases, because SQLite lowercases only ASCII letters.
        for variant in (letter, letter.upper()):
            name = Replace(name, Value(variant), Value(pair))
    return name


def parse_date(text: str) -> datetime.date | None:
    """Return the date that ``text`` spells, such as 1961-03-14, 14/03/1961, 14.03.1961 or 14 March 1961, or None."""
    for pattern in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d %b %Y", "%d %B %Y"):
        try:
            return datetime.datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    return None


class Patient(Edited):
    """A patient of one clinic."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="patients")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="patient",
        help_text=_("The account with which the patient signs in, if any."),
    )
    record_number = models.CharField(_("record number"), max_length=40)
    given_name = models.CharField(_("given name"), max_length=80)
    family_name = models.CharField(_("family name"), max_length=80)
    folded_name = FoldedNameField(max_length=500, editable=False, default="")
    folded_number = FoldedNumberField(max_length=200, editable=False, default="")
    birth_date = models.DateField(_("birth date"))
    sex = models.CharField(max_length=10, choices=Sex, default=Sex.UNKNOWN)
    skin_type = models.CharField(_("skin type (Fitzpatrick)"), max_length=3, choices=SkinType, blank=True, default="")
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    history = models.TextField(
        _("medical history"), blank=True, help_text=_("Skin cancer in the patient or family, sunburns, medicines.")
    )
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="merged_records",
        help_text=_("The record that holds everything of this duplicate, whose addresses lead there."),
    )
    created_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["family_name", "given_name", "id"]
        constraints = [
            # Case-insensitive: a number that is read aloud has no case.
            models.UniqueConstraint("clinic", Lower("record_number"), name="record_number_is_unique_in_the_clinic"),
            models.CheckConstraint(condition=~Q(record_number=""), name="patient_has_a_record_number"),
            models.CheckConstraint(condition=~Q(given_name="") | ~Q(family_name=""), name="patient_has_a_name"),
            models.CheckConstraint(condition=Q(birth_date__gte=EARLIEST_BIRTH), name="birth_date_is_plausible"),
            models.CheckConstraint(condition=Q(sex__in=Sex.values), name="patient_sex_is_known"),
            models.CheckConstraint(condition=Q(skin_type__in=SkinType.values), name="skin_type_is_known"),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("id")),
                name="patient_is_not_merged_into_itself",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(user__isnull=True), name="merged_patient_has_no_account"
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "family_name", "given_name", "id"], name="patients_by_name"),
            # The list of patients, its count and the merged records are read from this one alone.
            models.Index(
                fields=["clinic", "merged_into", "family_name", "given_name", "id"], name="patients_in_use_by_name"
            ),
            models.Index(fields=["clinic", "folded_number"], name="patients_by_folded_number"),
            models.Index(fields=["clinic", "birth_date"], name="patients_by_birth_date"),
        ]

    def __str__(self) -> str:
        """Who it is, for lists, titles and choices; hidden in privacy mode. Stored texts use ``name`` itself."""
        return f"{shown_name(self)} ({shown_number(self)})"

    def get_absolute_url(self) -> str:
        return reverse("patient", args=[self.pk])

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def age(self) -> int:
        return self.age_on(timezone.localdate())

    def age_on(self, day: datetime.date) -> int:
        born = self.birth_date
        return max(0, day.year - born.year - ((day.month, day.day) < (born.month, born.day)))
