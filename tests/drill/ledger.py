"""What the drill did, in its own words: it never asks the code under test what should be so."""

import datetime
from dataclasses import dataclass, field

DAYS = datetime.timedelta
MALIGNANT = ("mel", "bcc", "akiec")
RESULT_TAKES = DAYS(days=14)
LATE_AFTER = DAYS(days=30)


@dataclass(eq=False)
class Patient:
    key: str
    number: str
    name: str
    email: str = ""
    addresses: set[str] = field(default_factory=set)
    merged: bool = False


@dataclass(eq=False)
class Plan:
    """The next step of a lesion. ``replaced``: a “see again” that the wait for a result took the place of."""

    step: str
    due: datetime.date | None
    by: str
    reminded: dict[str, "Letter"] = field(default_factory=dict)
    replaced: "Plan | None" = None


@dataclass(eq=False)
class Lesion:
    key: str
    patient: Patient
    number: int
    plan: Plan | None = None
    closed: bool = False


@dataclass(eq=False)
class Visit:
    key: str
    patient: Patient
    date: datetime.date
    state: str = "open"


@dataclass(eq=False)
class Photograph:
    key: str
    lesion: Lesion
    visit: Visit
    tier: str
    added: datetime.date
    label: str = ""
    proven: bool = False
    in_use: bool = True

    @property
    def counts(self) -> bool:
        return self.in_use and self.visit.state != "void"


@dataclass(eq=False)
class Specimen:
    key: str
    lesion: Lesion
    sent: datetime.date


@dataclass(eq=False)
class Result:
    key: str
    specimen: Specimen
    answer: str
    received: datetime.date
    confirmed: datetime.date | None = None
    planned: bool = False

    @property
    def lesion(self) -> Lesion:
        return self.specimen.lesion


@dataclass(eq=False)
class Opinion:
    key: str
    lesion: Lesion
    asked_by: str
    of: str
    until: datetime.date
    answered: datetime.date | None = None
    read: bool = False
    revoked_on: datetime.date | None = None

    @property
    def revoked(self) -> bool:
        return self.revoked_on is not None


@dataclass(eq=False)
class Report:
    """A signed report with the bytes that were served when it was signed, and the labels that it names by lesion."""

    key: str
    visit: Visit
    sha256: str
    said: dict[int, set[str]]
    addenda: int = 0


@dataclass(eq=False)
class Contradiction:
    """A result that says otherwise of a lesion than a signed report."""

    report: Report
    result: Result
    is_miss: bool
    told: bool = False


@dataclass(eq=False)
class Letter:
    """A reminder by e-mail: the plans that it is about, and whether it came back."""

    patient: Patient
    plans: list[Plan]
    sent: datetime.date
    bounced: bool


@dataclass(eq=False)
class Correction:
    """A mended mistake.

    Attributes:
        pages: those of the records that it touched, which must tell of it.
        histories: the history pages of the records whose own details it changed.
    """

    key: str
    by: str
    reason: str
    on: datetime.date
    pages: list[str]
    histories: list[str]
    undone: str = ""


@dataclass(eq=False)
class Edit:
    """A change of a record's details."""

    page: str
    before: str
    after: str
    by: str
    on: datetime.date


@dataclass
class Ledger:
    """One clinic's year."""

    patients: list[Patient] = field(default_factory=list)
    lesions: list[Lesion] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    photographs: list[Photograph] = field(default_factory=list)
    specimens: list[Specimen] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    opinions: list[Opinion] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    contradictions: list[Contradiction] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    bouncing: set[str] = field(default_factory=set)

    def plan(self, lesion: Lesion, step: str, due: datetime.date | None, *, by: str) -> None:
        lesion.plan = Plan(step, due, by)
        for result in self.results:
            if result.lesion is lesion and result.confirmed:
                result.planned = True

    def send(self, specimen: Specimen, *, by: str) -> None:
        """Tissue was sent: the result is awaited, and a “see again” waits until it is there."""
        self.specimens.append(specimen)
        standing = specimen.lesion.plan
        if standing is None or standing.step != "result_awaited":
            replaced = standing if standing and standing.step in ("see_again", "refer") else None
            specimen.lesion.plan = Plan("result_awaited", specimen.sent + RESULT_TAKES, by, replaced=replaced)

    def confirm(self, result: Result, on: datetime.date) -> None:
        """The result counts: the wait ends, and what a benign result leaves as it was stands again."""
        result.confirmed = on
        lesion, standing = result.lesion, result.lesion.plan
        for report in self.reports:
            said = report.said.get(id(lesion))
            if said is None or report.visit.date > result.specimen.sent:
                continue
            is_miss = result.answer in MALIGNANT and not said & set(MALIGNANT)
            if is_miss or (said and result.answer not in said):
                self.contradictions.append(Contradiction(report, result, is_miss))
        for image in self.photographs:
            if image.lesion is lesion and image.counts and image.visit.date <= result.specimen.sent:
                image.label, image.proven = result.answer, True
        if self.awaited(lesion) or self.to_confirm(lesion) or standing is None or standing.step != "result_awaited":
            return
        # The same step again is another plan, of which its patient has not been reminded.
        back = standing.replaced if result.answer not in MALIGNANT else None
        lesion.plan = Plan(back.step, back.due, back.by) if back else None

    def sign(self, key: str, visit: Visit, sha256: str) -> Report:
        """A report says of each lesion what its photographs are labelled as on the day."""
        said: dict[int, set[str]] = {}
        for image in self.photographs:
            if image.visit is visit and image.in_use:
                said.setdefault(id(image.lesion), set()).update({image.label} - {""})
        report = Report(key, visit, sha256, said)
        self.reports.append(report)
        return report

    def awaited(self, lesion: Lesion) -> list[Specimen]:
        answered = {id(result.specimen) for result in self.results}
        return [row for row in self.specimens if row.lesion is lesion and id(row) not in answered]

    def to_confirm(self, lesion: Lesion) -> list[Result]:
        return [row for row in self.results if row.lesion is lesion and row.confirmed is None]

    def unplanned(self, lesion: Lesion) -> list[Result]:
        return [
            row
            for row in self.results
            if row.lesion is lesion and row.confirmed and row.answer in MALIGNANT and not row.planned
        ]

    def remind(self, today: datetime.date) -> None:
        """The clinic's rule for reminders: a week before the date and a week after it, one e-mail for all that fall
        together.
        """
        for occasion, first, last in (
            ("before", today, today + DAYS(days=7)),
            ("after", today - DAYS(days=37), today - DAYS(days=7)),
        ):
            for lesion in sorted(self.lesions, key=lambda row: (row.plan and row.plan.due) or today):
                plan = lesion.plan
                if plan is None or plan.step != "see_again" or occasion in plan.reminded or not lesion.patient.email:
                    continue
                if plan.due is None or not first <= plan.due <= last:
                    continue
                recent = [
                    letter
                    for letter in self.letters
                    if letter.patient is lesion.patient and today - letter.sent < DAYS(days=7)
                ]
                same = next((each for each in recent if any(occasion in p.reminded for p in each.plans)), None)
                if same is None:
                    bounced = lesion.patient.email in self.bouncing
                    same = Letter(lesion.patient, [], today, bounced)
                    self.letters.append(same)
                same.plans.append(plan)
                plan.reminded[occasion] = same
