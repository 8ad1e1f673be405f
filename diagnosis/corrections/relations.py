"""What each correction does with every row that refers, however far, to a patient, visit, lesion or photograph.

A test compares this table with the models: a new foreign key must say here what becomes of its rows when a photograph,
a lesion or a visit is moved, a visit is void, and two patients are merged. The first word is one of

- “carried”: the row goes where it belongs, by its own key or by that of the row it refers to;
- “re-derived”: it is computed again from what is there afterwards;
- “closed”: it ends with a reason, and stays on record;
- “stays”: as it is, for the reason that is given.
"""

from dataclasses import dataclass

UNTOUCHED = "stays: not concerned"


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What becomes of the rows of one foreign key, by correction."""

    photograph: str = UNTOUCHED
    lesion: str = UNTOUCHED
    visit: str = UNTOUCHED
    void: str = UNTOUCHED
    merge: str = UNTOUCHED

    @property
    def by_correction(self) -> dict[str, str]:
        return vars(self)


def _throughout(fate: str, **others: str) -> Fate:
    """Return one fate for every correction but those in ``others``."""
    return Fate(**{**dict.fromkeys(("photograph", "lesion", "visit", "void", "merge"), fate), **others})


_WITH_ITS_PHOTOGRAPH = _throughout(
    "carried: with the photograph", void="stays: an excluded photograph keeps what is known of it"
)
_WITH_ITS_ROW = _throughout("carried: with the row it refers to", void="stays: as that row does")
_REPORT_STAYS = _throughout(
    "stays: what was signed is never moved; its page says what was corrected", void="stays: it can never be released"
)

PATIENT = {
    "patients.Visit.patient": Fate(
        lesion="stays: its other lesions are of this patient; the photographs go to a visit of the other one",
        visit="carried: a signed one becomes void, and a new one takes its place", merge="carried",
    ),
    "patients.Lesion.patient": Fate(
        lesion="carried: and renumbered", visit="carried: and renumbered; one that other visits share is split",
        merge="carried: and renumbered",
    ),
    "patients.Consent.patient": Fate(merge="stays: a refusal is added to the survivor"),
    "patients.AccountClosure.patient": Fate(merge="stays: with the record whose account it was"),
    "patients.RiskFact.patient": Fate(
        merge="carried: and renumbered; where the two differ, the one that cannot reassure is stated"
    ),
    "patients.OutgoingMessage.patient": Fate(merge="carried: what waits is written to the survivor"),
    "diagnosis.ReminderStop.patient": Fate(merge="stays: a standing one is added to the survivor"),
    "patients.Patient.merged_into": Fate(merge="stays: pointers are followed to their end"),
}  # fmt: skip
_AT_VISIT = "carried: with the lesion, to the visit in place of the old one"
VISIT = {
    "diagnosis.Image.visit": Fate(
        photograph="carried: to a visit of the other patient", lesion="carried: to a visit of the other patient",
        visit="carried: with the visit, or to the one in its place", void="stays: excluded with the visit",
        merge="carried: with the visit",
    ),
    "patients.LesionSymptoms.visit": Fate(
        photograph="stays: what the patient reported was of the lesion that it names", lesion=_AT_VISIT,
        visit=_AT_VISIT, void="stays: no longer counts", merge="carried: with the visit",
    ),
    "diagnosis.Specimen.visit": Fate(
        photograph="stays: tissue is of the lesion", lesion="carried: to the visit in place of the old one, or none",
        visit=_AT_VISIT, void="stays: it is awaited until somebody withdraws it", merge="carried: with the visit",
    ),
    "diagnosis.LesionPlan.visit": Fate(
        photograph="stays: what was planned for the lesion stays planned",
        lesion="carried: to the visit in place of the old one, or none",
        visit="carried: to the visit in place of the old one, or none",
        void="stays: it is planned until somebody cancels it", merge="carried: with the visit",
    ),
    "diagnosis.LesionPlan.ended_at_visit": Fate(
        photograph="stays: an end is not taken back", lesion="carried: as the visit at which it was stated",
        visit="carried: as the visit at which it was stated", void="stays: an end is not taken back",
        merge="carried: with the visit",
    ),
    "diagnosis.ReviewGroup.visit": Fate(
        photograph="carried: as its lesion", lesion=_AT_VISIT, visit=_AT_VISIT,
        void="stays: with the excluded photographs", merge="carried: with the visit",
    ),
    "diagnosis.Report.visit": _REPORT_STAYS,
    "diagnosis.VisitSummary.visit": _throughout("re-derived: calculated again, as after every change"),
}  # fmt: skip
_WITH_LESION = {"lesion": "carried: with the lesion", "merge": "carried: with the lesion"}
_SPLIT = "carried: with the lesion, or to the one that is added for this visit"
LESION = {
    "diagnosis.Image.lesion": Fate(
        photograph="carried", **_WITH_LESION, visit=_SPLIT, void="stays: excluded with the visit"
    ),
    "diagnosis.ManifestEntry.lesion": _throughout("stays: it is as it was when the run was frozen"),
    "diagnosis.LesionPlan.lesion": Fate(
        photograph="stays: and is planned for both, if it was decided for this photograph alone", **_WITH_LESION,
        visit="stays: and what was planned at a visit that leaves is planned for both",
        void="stays: it is planned until somebody cancels it",
    ),
    "diagnosis.Specimen.lesion": Fate(
        photograph="stays: a photograph that its result names cannot leave it", **_WITH_LESION, visit=_SPLIT,
        void="stays: it is awaited until somebody withdraws it",
    ),
    "diagnosis.LesionClosure.lesion": Fate(
        photograph="stays: the preview says that the lesion which it joins is closed", **_WITH_LESION,
        visit="carried: with the lesion; one that is split off is open",
    ),
    "diagnosis.OpinionRequest.lesion": Fate(
        photograph="closed: an open one is revoked; an answered one stays with the lesion", **_WITH_LESION,
        visit="closed: an open one is revoked, since it would be answered about the wrong lesion",
        void="closed: one that shares nothing else is revoked",
    ),
    "diagnosis.ReviewGroup.lesion": Fate(
        photograph="carried: one of this photograph alone; else its answer becomes a group of its own", **_WITH_LESION,
        visit=_SPLIT, void="stays: with the excluded photographs",
    ),
    "diagnosis.ManagementDecision.lesion": Fate(
        photograph="carried: with the group that it was made with", **_WITH_LESION,
        visit="carried: with the group that it was made with", void="stays: it is cancelled with its plan",
    ),
    "patients.LesionPlacement.lesion": Fate(
        photograph="stays: where the lesion is", **_WITH_LESION,
        visit="carried: with the lesion; one that is split off begins at the same place",
    ),
    "patients.LesionSymptoms.lesion": Fate(
        photograph="stays: what the patient reported was of the lesion that it names", **_WITH_LESION, visit=_SPLIT,
        void="stays: no longer counts",
    ),
    "diagnosis.LesionSummary.lesion": _throughout("re-derived: calculated again, as after every change"),
    "diagnosis.TestAssignment.lesion": Fate(
        photograph="stays: the photograph counts as the lesion does that it joins", **_WITH_LESION,
        visit="carried: with the lesion; a split lesion gets its own",
    ),
}  # fmt: skip
IMAGE = {
    f"diagnosis.{row}.image": _WITH_ITS_PHOTOGRAPH
    for row in (
        "Exclusion", "FullPicture", "ImageFeatures", "LabelChange", "Measurement", "PhotographFacts",
        "PhotographOnScreen", "PictureScale", "Prediction", "QualityOverride", "QueueSkip", "Review", "SeenAnswer",
    )
} | {
    "diagnosis.ConfirmedLabel.image": _throughout(
        "carried: with the photograph and its reviews", void="stays: an excluded photograph keeps its label"
    ),
    "diagnosis.QueueEntry.image": _throughout("re-derived: for the lesions that are left and joined"),
    "diagnosis.ImageEmbedding.image": _throughout("re-derived: taken into the archives again"),
    "diagnosis.ManifestEntry.image": _throughout("stays: it is as it was when the run was frozen"),
    "diagnosis.OpinionPhotograph.image": _throughout("stays: it tells what was shared; an open request is revoked"),
    "diagnosis.PhotographFacts.overview": _throughout(
        "stays: as stated; shown only while it is of the same lesion or visit"
    ),
}  # fmt: skip
# Rows that refer to those above.
FURTHER = {
    f"diagnosis.{row}": _WITH_ITS_ROW
    for row in (
        "Reminder.plan", "PathologyResult.specimen", "PlanSource.plan", "PlanSource.replaced", "PlanSource.restores",
        "PlanSource.specimen", "PlanSource.decision", "ManagementDecision.group", "OpinionAccess.request",
        "OpinionPhotograph.request", "OpinionReview.request", "OpinionReview.review", "HeatMap.prediction",
        "ReviewRetraction.review", "ConfirmedLabel.review", "LabelChange.review", "ResultReview.review",
        "ResultReview.result", "Reminder.sent_with",
    )
} | {
    "diagnosis.Review.group": _throughout(
        "carried: with the group", photograph="carried: into a group of its own, if the group has other photographs"
    ),
    "diagnosis.Addendum.report": _REPORT_STAYS,
    "diagnosis.Withholding.report": _throughout("stays: a report that its patient can read is withheld at once"),
    "diagnosis.ContradictedReport.report": _throughout(
        "re-derived: closed once the report shows no photograph of the lesion; what is contradicted now is noted"
    ),
    "diagnosis.ContradictedReport.result": _throughout("re-derived: as for its report"),
}  # fmt: skip

EVERY_ROW = {**PATIENT, **VISIT, **LESION, **IMAGE, **FURTHER}
