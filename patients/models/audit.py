"""The audit trail: who did what with whose record, chained by clinic so that nothing can be taken out unnoticed."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from patients.models.clinic import Clinic
from patients.models.clinic_rows import ClinicRows

# What is kept of a browser's name, a search and a reason.
LONGEST_AGENT, LONGEST_QUERY, LONGEST_REASON = 200, 300, 500


class AuditAction(models.TextChoices):
    READ = "read", _("Read")
    CREATE = "create", _("Create")
    UPDATE = "update", _("Change")
    DELETE = "delete", _("Delete")
    EXPORT = "export", _("Export")
    PRINT = "print", _("Print")
    SIGN_IN = "sign_in", _("Sign in")
    SIGN_IN_FAILED = "sign_in_failed", _("Failed sign-in")
    SIGN_OUT = "sign_out", _("Sign out")
    PERMISSION = "permission", _("Permission changed")
    PROMOTION = "promotion", _("Network version chosen")
    COMMAND = "command", _("Command run")


class AuditOutcome(models.TextChoices):
    SUCCESS = "success", _("Done")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")


class AuditPurpose(models.TextChoices):
    """Why personal data were processed; the values are codes of HL7's PurposeOfUse."""

    TREATMENT = "TREAT", _("Treatment")
    PATIENT_REQUEST = "PATRQT", _("The patient's own access")
    OPERATIONS = "HOPERAT", _("Running the clinic")
    ADMINISTRATION = "HSYSADMIN", _("Running the installation")


class LegalBasis(models.TextChoices):
    CARE = "gdpr-9-2-h", _("GDPR 9(2)(h): provision of care")
    OWN_ACCESS = "gdpr-15", _("GDPR 15: the person's own data")
    SECURITY = "gdpr-32", _("GDPR 32: security of processing")


class AuditChain(models.Model):
    """The chain of a clinic, or of the installation: its length and last hash. Writers lock its row."""

    clinic = models.OneToOneField(Clinic, on_delete=models.PROTECT, null=True, related_name="audit_chain")
    length = models.PositiveBigIntegerField(default=0)
    head = models.CharField(max_length=64, blank=True, default="")
    shipped = models.PositiveBigIntegerField(default=0, help_text=_("The last entry that was shipped."))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.ExpressionWrapper(Q(clinic__isnull=True), output_field=models.BooleanField()),
                condition=Q(clinic__isnull=True),
                name="audit_chain_of_the_installation_is_one",
            ),
            models.CheckConstraint(
                condition=Q(length=0, head="") | (Q(length__gt=0) & ~Q(head="")), name="audit_chain_has_a_head"
            ),
        ]

    def __str__(self) -> str:
        return str(self.clinic) if self.clinic else str(_("Installation"))


class AuditEntryQuerySet(ClinicRows["AuditEntry"]):
    path_to_clinic = "chain__clinic"

    def unsealed(self) -> "AuditEntryQuerySet":
        """Return the entries that are committed with what they tell of and not yet in their chain."""
        return self.filter(sequence__isnull=True)


class AuditEntry(models.Model):
    """One act on a record or an account. Append-only; its place in the chain is written once.

    An entry of a change is stored in the change's own transaction and sealed (numbered and hashed) right after it, so
    that no change holds its clinic's chain. Keys are no foreign keys: the trail outlives what it tells of.
    """

    chain = models.ForeignKey(AuditChain, on_delete=models.PROTECT, related_name="entries")
    sequence = models.PositiveBigIntegerField(null=True, help_text=_("Counts the chain's entries from 1."))
    previous_hash = models.CharField(max_length=64, null=True)
    entry_hash = models.CharField(max_length=64, null=True)
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    actor_name = models.CharField(max_length=150, blank=True, default="")
    role = models.CharField(max_length=20, blank=True, default="")
    action = models.CharField(max_length=16, choices=AuditAction)
    outcome = models.CharField(max_length=8, choices=AuditOutcome, default=AuditOutcome.SUCCESS)
    patient = models.UUIDField(null=True)
    kind = models.CharField(max_length=40, blank=True, default="", help_text=_("The kind of record, or the list."))
    record = models.CharField(max_length=64, blank=True, default="", help_text=_("The record's key."))
    place = models.CharField(max_length=100, blank=True, default="", help_text=_("The page, command or task."))
    query = models.CharField(max_length=LONGEST_QUERY, blank=True, default="")
    count = models.PositiveIntegerField(default=1, help_text=_("How many records."))
    purpose = models.CharField(max_length=10, choices=AuditPurpose)
    legal_basis = models.CharField(max_length=12, choices=LegalBasis)
    request_id = models.CharField(max_length=36, blank=True, default="")
    address = models.CharField(max_length=45, blank=True, default="")
    agent = models.CharField(max_length=LONGEST_AGENT, blank=True, default="")
    reason = models.CharField(max_length=LONGEST_REASON, blank=True, default="")

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-sequence"]
        constraints = [
            models.UniqueConstraint(fields=["chain", "sequence"], name="audit_sequence_is_unique_in_its_chain"),
            models.CheckConstraint(condition=Q(action__in=AuditAction.values), name="audit_action_is_known"),
            models.CheckConstraint(condition=Q(outcome__in=AuditOutcome.values), name="audit_outcome_is_known"),
            models.CheckConstraint(condition=Q(purpose__in=AuditPurpose.values), name="audit_purpose_is_known"),
            models.CheckConstraint(condition=Q(legal_basis__in=LegalBasis.values), name="audit_legal_basis_is_known"),
            models.CheckConstraint(
                condition=Q(sequence__isnull=True, previous_hash__isnull=True, entry_hash__isnull=True)
                | Q(sequence__gte=1, previous_hash__isnull=False, entry_hash__isnull=False),
                name="audit_entry_is_sealed_as_a_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "sequence"], name="audit_by_patient"),
            models.Index(fields=["chain", "actor", "at"], name="audit_by_actor"),
            models.Index(fields=["chain"], condition=Q(sequence__isnull=True), name="audit_unsealed"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.kind}"
