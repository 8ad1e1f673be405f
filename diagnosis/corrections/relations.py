"""What the acts do with every row that refers to a patient, visit, lesion or photograph.

A test compares these lists with the models: a new table that refers to one of them must say here what becomes of
its rows. “with” means that the foreign key stays as it is and is right, because the row it points to moves.
"""

PATIENT = {
    "patients.Visit.patient": "moved by merging; one visit by moving it",
    "patients.Lesion.patient": "moved and renumbered",
    "patients.Consent.patient": "stays: a refusal is added to the survivor",
    "patients.AccountClosure.patient": "stays with the record whose account it was",
    "patients.RiskFact.patient": "moved and renumbered; where the two differ, the one that cannot reassure is stated",
    "patients.OutgoingMessage.patient": "moved: what waits is written to the survivor",
    "diagnosis.ReminderStop.patient": "stays: a standing one is added to the survivor",
    "patients.Patient.merged_into": "stays: pointers are followed to their end",
}
VISIT = {
    "diagnosis.Image.visit": "moved",
    "patients.LesionSymptoms.visit": "moved with the lesion; those of a void visit do not count",
    "diagnosis.Specimen.visit": "with the lesion: the visit in place of the old one, or none; stays with a void visit",
    "diagnosis.LesionPlan.visit": "with the lesion: the visit in place of the old one, or none; stays when voided",
    "diagnosis.LesionPlan.ended_at_visit": "as the visit at which it was stated",
    "diagnosis.ReviewGroup.visit": "moved with the lesion",
    "diagnosis.Report.visit": "stays with the visit that was signed",
}
LESION = {
    "diagnosis.Image.lesion": "moved; a lesion that visits share is split",
    "diagnosis.ManifestEntry.lesion": "stays: it is as it was when the run was frozen",
    "diagnosis.LesionPlan.lesion": "with the lesion; what was planned at a visit that leaves is planned for both",
    "diagnosis.Specimen.lesion": "with the lesion; those of a visit that leaves go to the lesion that is added",
    "diagnosis.LesionClosure.lesion": "with the lesion; one that is split off is open",
    "diagnosis.OpinionRequest.lesion": "with the lesion; an open one is revoked when its photographs move",
    "diagnosis.ReviewGroup.lesion": "with the lesion; those of a visit that leaves go to the lesion that is added",
    "diagnosis.ManagementDecision.lesion": "with the lesion, or with the review that it was made with",
    "patients.LesionPlacement.lesion": "with the lesion; one that is split off begins at the same place",
    "patients.LesionSymptoms.lesion": "with the lesion; those of a visit that leaves go to the lesion that is added",
    "diagnosis.TestAssignment.lesion": "with the lesion; a split lesion gets its own",
}
IMAGE = {
    f"diagnosis.{row}.image": "with the photograph"
    for row in (
        "ConfirmedLabel", "Exclusion", "FullPicture", "ImageEmbedding", "ImageFeatures", "LabelChange",
        "ManifestEntry",
        "Measurement", "PhotographOnScreen", "PictureScale", "Prediction", "QualityOverride", "QueueEntry",
        "QueueSkip", "Review", "SeenAnswer",
    )
} | {
    "diagnosis.OpinionPhotograph.image": "stays: it tells what was shared; an open request is revoked",
    "diagnosis.PhotographFacts.image": "with the photograph",
    "diagnosis.PhotographFacts.overview": "stays as stated; shown only while it is of the same lesion or visit",
}  # fmt: skip
