"""What the acts do with every row that refers to a patient, visit, lesion or photograph.

A test compares these lists with the models: whoever adds a table that refers to one of them says here what becomes of
its rows. “with” means that the foreign key stays as it is and is right, because the row it points to moves.
"""

PATIENT = {
    "patients.Visit.patient": "moved by merging; one visit by moving it",
    "patients.Lesion.patient": "moved and renumbered",
    "patients.Consent.patient": "stays: a refusal is added to the survivor",
    "patients.AccountClosure.patient": "stays with the record whose account it was",
    "patients.Patient.merged_into": "stays: pointers are followed to their end",
}
VISIT = {
    "diagnosis.Image.visit": "moved",
    "diagnosis.Report.visit": "stays with the visit that was signed",
}
LESION = {
    "diagnosis.Image.lesion": "moved; a lesion that visits share is split",
    "diagnosis.ManifestEntry.lesion": "stays: it is as it was when the run was frozen",
    "diagnosis.TestAssignment.lesion": "with the lesion; a split lesion gets its own",
}
IMAGE = {
    f"diagnosis.{row}.image": "with the photograph"
    for row in (
        "ConfirmedLabel", "Exclusion", "ImageEmbedding", "ImageFeatures", "LabelChange", "ManifestEntry",
        "Measurement", "PhotographOnScreen", "PictureScale", "Prediction", "QualityOverride", "QueueEntry",
        "QueueSkip", "Review",
    )
}  # fmt: skip
