"""What a correction would do: shown before it is done, and made again under the locks when it is."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dermascan.core.sentences import is_a_sentence
from diagnosis.assessment.findings import findings_among
from diagnosis.corrections.errors import DangerNeedsDermatologist, ReasonNeeded, SignedNeedsSenior
from diagnosis.corrections.models import CorrectionKind
from diagnosis.images.models import Image
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.opinions.models import OpinionRequest
from diagnosis.reports.models import Report
from diagnosis.reviews.answers import LabelState
from diagnosis.reviews.models import ConfirmedLabel, Review
from patients.models import Lesion, Member, Patient, Role, User, Visit
from patients.services.same_clinic import ensure_same_clinic

Record = Patient | Visit | Lesion | Image | User


@dataclass(frozen=True)
class Step:
    """One row that is changed, with its values before and after; “@…” stands for a row that is added."""

    kind: str
    key: str
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def reversed(self) -> "Step":
        return Step(self.kind, self.key, self.after, self.before)


@dataclass(frozen=True)
class NewRow:
    """A row that is added; ``name`` begins with “@” and stands for its key in steps."""

    kind: str
    name: str
    values: dict[str, Any]


@dataclass
class Plan:
    """The correction that would be made.

    Attributes:
        patients: the patients whose records are touched, the wrong one first.
        steps: the rows that are changed, in order.
        new: the rows that are added first.
        moved: the photographs that it moves or takes out of use.
        withheld: released reports that their patients can no longer read.
        revoked: requests for a second opinion that are taken back: they would be answered about the wrong lesion.
        dangers: dangerous findings that go with it and that no photograph shows, in words.
        reports: all signed reports that it touches.
        notices: what will happen, in sentences.
        takes_findings: whether dangerous findings leave a record with their photographs.
    """

    kind: CorrectionKind
    title: str
    patients: list[Patient]
    records: list[Record] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    new: list[NewRow] = field(default_factory=list)
    moved: list[Image] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    withheld: list[Report] = field(default_factory=list)
    revoked: list[OpinionRequest] = field(default_factory=list)
    dangers: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    takes_findings: bool = True

    def change(self, record: Model, **after: Any) -> None:
        """Add a step that sets the columns ``after`` of ``record``."""
        values = {name: _plain(value) for name, value in after.items()}
        before = {name: self.planned(record, name) for name in after}
        self.steps.append(Step(str(record._meta.model_name), str(record.pk), before, values))
        if isinstance(record, (Patient, Visit, Lesion, Image, User)):
            self.touch(record)

    def add(self, kind: str, /, **values: Any) -> str:
        """Add a row and return the name that stands for its key."""
        name = f"@{kind}-{len(self.new) + 1}"
        self.new.append(NewRow(kind, name, {key: _plain(value) for key, value in values.items()}))
        return name

    def touch(self, *records: Record) -> None:
        self.records += [record for record in records if record not in self.records]

    def withhold(self, report: Report | None) -> None:
        """Note a signed report that is touched; one that its patient can read is withheld."""
        if report is None:
            return
        self.reports.append(report)
        if report.released_at and not report.withholdings.standing().exists():
            self.withheld.append(report)

    def planned(self, record: Model, name: str) -> Any:
        """Return a column's value as the steps so far leave it: a row may be changed twice."""
        key = (str(record._meta.model_name), str(record.pk))
        earlier = [step.after[name] for step in self.steps if (step.kind, step.key) == key and name in step.after]
        return earlier[-1] if earlier else _plain(getattr(record, name))

    @property
    def fingerprint(self) -> str:
        """A hash of all that would happen, to detect whether anything has changed since the preview."""
        rows = [vars(row) for row in (*self.new, *self.steps)]
        reports = sorted(str(row.pk) for row in (*self.reports, *self.revoked))
        content: list[Any] = [self.kind, self.title, rows, self.numbers, self.notices, reports]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    @property
    def findings(self) -> list[str]:
        """The dangerous findings that leave a record, in words."""
        if not self.takes_findings:
            return []
        images = Image.objects.filter(pk__in=[image.pk for image in self.moved])
        found = {finding.words for finding in findings_among(images)} if self.moved else set()
        return sorted(found | set(self.dangers))

    @property
    def numbers_in_words(self) -> list[str]:
        return numbers_in_words(self.numbers)

    def ensure_allowed(self, by: Member) -> None:
        """Raise unless ``by`` may do this.

        Staff mend what they file every day, as long as nothing signed is touched: a signature is a doctor's statement,
        and taking it out of use is for those who answer for it. A dangerous finding moves only with a dermatologist.

        Raises:
            AnotherClinic, SignedNeedsSenior, DangerNeedsDermatologist.
        """
        for patient in self.patients:
            ensure_same_clinic(patient, by)
        if self.numbers.get("reports") and by.role == Role.STAFF:
            raise SignedNeedsSenior
        if not by.is_dermatologist and (findings := self.findings):
            raise DangerNeedsDermatologist(findings)


def ensure_reason(reason: str) -> str:
    """Return the reason without surplus spaces. Raises ``ReasonNeeded`` unless it is a sentence."""
    reason = " ".join(reason.split())
    if not is_a_sentence(reason):
        raise ReasonNeeded
    return reason[:500]


def count(images: ImageQuerySet, reports: list[Report], **more: int) -> dict[str, int]:
    """Return the numbers of a preview: photographs with what is known of them, signed reports, and ``more``."""
    keys = images.order_by().values("pk")
    return {
        **more,
        "photographs": images.count(),
        "reviews": Review.objects.standing().filter(image__in=keys).count(),
        "labels": ConfirmedLabel.objects.filter(image__in=keys, state=LabelState.SETTLED).count(),
        "reports": len(reports),
    }


def numbers_in_words(numbers: dict[str, int]) -> list[str]:
    """Return the numbers as a preview and a correction's page name them; zeros are left out, but for photographs."""
    words = {
        "visits": lambda n: ngettext("%(n)d visit", "%(n)d visits", n),
        "lesions": lambda n: ngettext("%(n)d lesion", "%(n)d lesions", n),
        "photographs": lambda n: ngettext("%(n)d photograph", "%(n)d photographs", n),
        "reports": lambda n: ngettext("%(n)d signed report", "%(n)d signed reports", n),
        "reviews": lambda n: ngettext("%(n)d review", "%(n)d reviews", n),
        "labels": lambda n: ngettext("%(n)d confirmed label", "%(n)d confirmed labels", n),
        "consents": lambda n: ngettext("%(n)d decision about consent", "%(n)d decisions about consent", n),
        "specimens": lambda n: ngettext("%(n)d specimen", "%(n)d specimens", n),
        "plans": lambda n: ngettext("%(n)d standing plan", "%(n)d standing plans", n),
        "symptoms": lambda n: ngettext("%(n)d statement of symptoms", "%(n)d statements of symptoms", n),
        "opinions": lambda n: ngettext("%(n)d request for a second opinion", "%(n)d requests for a second opinion", n),
        "risks": lambda n: ngettext("%(n)d answer about risk", "%(n)d answers about risk", n),
    }
    return [
        words[name](numbers[name]) % {"n": numbers[name]}
        for name in words
        if numbers.get(name) or (name == "photographs" and name in numbers)
    ]


def report_of(visit: Visit) -> Report | None:
    return Report.objects.filter(visit=visit).first()


def reports_with(images: list[Image]) -> list[Report]:
    """Return the signed reports, of the visits that the photographs are at, that hold any of them."""
    reports = Report.objects.filter(visit__in={image.visit_id for image in images}).select_related("visit__patient")
    return [report for report in reports if any(str(image.pk) in report.content for image in images)]


def notice_of_reports(plan: Plan, *, instead: str = "") -> None:
    """Say what becomes of the signed reports that the plan touches."""
    if not plan.reports:
        return
    plan.notices.append(
        instead
        or _("Signed reports stay as they were signed. Their pages say what was corrected; add an addendum there.")
    )
    if plan.withheld:
        words = ngettext(
            "%(n)d report that %(patient)s can read now is withheld at once, and the patient is told.",
            "%(n)d reports that %(patient)s can read now are withheld at once, and the patient is told.",
            len(plan.withheld),
        )
        plan.notices.append(words % {"n": len(plan.withheld), "patient": plan.patients[0].name})


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return str(value.pk)
    if isinstance(value, UUID):
        return str(value)
    return value if value is None or isinstance(value, (bool, int)) else str(value)
