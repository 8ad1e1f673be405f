"""A large archive created with SQL on SQLite: a million photographs with predictions, reviews and queue entries.

Row ``n`` is the ``n``-th photograph. Every fifth patient belongs to another clinic. One photograph in three has a
label, one in 50 is urgent, one in 10 suspicious, the rest calm, as in a clinic.
"""

from collections.abc import Iterator

from django.apps import apps
from django.db import connection
from django.db.models import NOT_PROVIDED

KEY = "printf('%032x', {})"
NOW = "strftime('%Y-%m-%d %H:%M:%S', 'now', '-' || ({} % 500) || ' days')"
TIER = "CASE WHEN n % 50 = 0 THEN 'urgent' WHEN n % 10 = 1 THEN 'watch' ELSE 'calm' END"
MELANOMA = "CASE WHEN n % 50 = 0 THEN 0.9 WHEN n % 10 = 1 THEN 0.2 ELSE 0.01 * (n % 7) END"
REASON = "CASE WHEN n % 50 = 0 THEN 'urgent' WHEN n % 10 = 1 THEN 'malignant_suspicion' ELSE 'no_label' END"
WEIGHT = "CASE WHEN n % 50 = 0 THEN 100 WHEN n % 10 = 1 THEN 50 ELSE 0 END"
IS_LABELLED = "n % 3 = 1"


def archive_sql(
    count: int,
    *,
    each: int,
    read_ahead: int,
    fresh: str,
    ahead: str,
    elsewhere: str,
    clinics: tuple[str, str],
    version: int,
) -> Iterator[str]:
    """Yield the statements that create ``count`` photographs.

    Args:
        each: photographs per patient.
        read_ahead: how many photographs at the front of the queue the member ``ahead`` has reviewed as unsure.
        fresh, ahead: dermatologists of the first clinic; ``elsewhere`` is of the second. Keys are hexadecimal.
    """
    patients = count // each
    of_patient = f"(n % {patients})"
    clinic = f"CASE WHEN {{}} % 5 = 4 THEN '{clinics[1]}' ELSE '{clinics[0]}' END"
    member = f"CASE WHEN {{}} % 5 = 4 THEN '{elsewhere}' ELSE '{fresh}' END"
    reviewer = f"CASE WHEN {of_patient} % 5 = 4 THEN '{elsewhere}' ELSE '{ahead}' END"
    yield insert(
        "patients_patient",
        patients,
        id=KEY.format("n"),
        record_number="printf('R%06d', n)",
        given_name="'Given' || (n % 311)",
        family_name="'Family' || (n % 997)",
        folded_name="'given' || (n % 311) || ' family' || (n % 997)",
        birth_date="'1960-03-14'",
        sex="'female'",
        skin_type="''",
        email="''",
        phone="''",
        history="''",
        created_at=NOW.format("n"),
        clinic_id=clinic.format("n"),
        created_by_id=member.format("n"),
    )
    yield insert(
        "patients_visit",
        patients,
        id=KEY.format("n"),
        date="'2026-03-01'",
        complaint="'A mole'",
        **dict.fromkeys(("itch", "pain", "bleeding", "growth"), "0"),
        **dict.fromkeys(("symptoms_since", "history", "notes", "plan"), "''"),
        status="'open'",
        created_at=NOW.format("n"),
        clinician_id=member.format("n"),
        patient_id=KEY.format("n"),
    )
    yield insert(
        "patients_lesion",
        patients,
        id=KEY.format("n"),
        number="1",
        body_site="'back'",
        side="'left'",
        description="''",
        created_at=NOW.format("n"),
        created_by_id=member.format("n"),
        patient_id=KEY.format("n"),
    )
    yield insert(
        "diagnosis_image",
        count,
        id=KEY.format("n"),
        **dict.fromkeys(("original", "display", "thumbnail"), "'images/one.jpg'"),
        original_name="'one.jpg'",
        media_type="'image/jpeg'",
        sha256="printf('%064x', n)",
        width="600",
        height="450",
        verdict="'accepted'",
        measures="'{}'",
        created_at=NOW.format("n"),
        lesion_id=KEY.format(of_patient),
        uploaded_by_id=member.format(of_patient),
        visit_id=KEY.format(of_patient),
    )
    yield insert(
        "diagnosis_prediction",
        count,
        id=KEY.format("n"),
        code=f"CASE WHEN ({MELANOMA}) > 0.5 THEN 'mel' ELSE 'nv' END",
        **dict.fromkeys(("akiec", "bcc", "bkl", "df", "vasc"), "0.0"),
        mel=MELANOMA,
        nv=f"1 - ({MELANOMA})",
        malignant_probability=MELANOMA,
        tier=TIER,
        duration="80000",
        was_rescored="0",
        created_at=NOW.format("n"),
        step="n",
        image_id=KEY.format("n"),
        model_version_id=str(version),
    )
    yield insert(
        "diagnosis_queueentry",
        count,
        state=f"CASE WHEN {IS_LABELLED} THEN 'done' ELSE 'waiting' END",
        priority=f"CASE WHEN {IS_LABELLED} THEN 0 ELSE ({WEIGHT}) + 10 * ({MELANOMA}) + (n % 997) / 10000.0 END",
        reasons=f"CASE WHEN {IS_LABELLED} THEN '[]' ELSE '[\"' || ({REASON}) || '\"]' END",
        reason=f"CASE WHEN {IS_LABELLED} THEN '' ELSE ({REASON}) END",
        needs=f"CASE WHEN {IS_LABELLED} THEN 0 WHEN n % 200 = 0 THEN 2 ELSE 1 END",
        entered_at=NOW.format("n"),
        clinic_id=clinic.format(of_patient),
        image_id=KEY.format("n"),
    )
    said = {"reason": "''", "basis": "'dermatoscopy'", "other_text": "''", "was_blinded": "1", "answer": "'nv'"}
    yield insert(
        "diagnosis_review",
        count,
        where=IS_LABELLED,
        id=KEY.format("n"),
        certainty="'certain'",
        created_at=NOW.format("n"),
        step="n",
        image_id=KEY.format("n"),
        reviewer_id=reviewer,
        **said,
    )
    yield insert(
        "diagnosis_confirmedlabel",
        count,
        where=IS_LABELLED,
        state="'settled'",
        answer="'nv'",
        basis="'dermatoscopy'",
        why="'newest_opinion'",
        settled_at=NOW.format("n"),
        readers="'[]'",
        rule="'one_reader'",
        image_id=KEY.format("n"),
        review_id=KEY.format("n"),
    )
    # Unsure, so that they still wait for another reviewer.
    columns = {
        "id": "lower(hex(randomblob(16)))",
        "certainty": "'unsure'",
        "created_at": NOW.format("0"),
        "step": "0",
        **said,
    }
    yield (
        f"INSERT INTO diagnosis_review ({', '.join(columns)}, image_id, reviewer_id) "
        f"SELECT {', '.join(columns.values())}, image_id, '{ahead}' FROM diagnosis_queueentry "
        f"WHERE clinic_id = '{clinics[0]}' AND state = 'waiting' ORDER BY priority DESC, id LIMIT {read_ahead}"
    )


def insert(table: str, rows: int, *, where: str = "1", **values: str) -> str:
    """Return a statement that inserts a row into ``table`` for each ``n`` below ``rows`` that satisfies ``where``.

    Columns that are not among ``values`` get their field's default, so that a new one does not break the archive.
    """
    values = {**_defaults(table), **values}
    return (
        f"INSERT INTO {table} ({', '.join(values)}) "
        f"WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {rows}) "
        f"SELECT {', '.join(values.values())} FROM numbers WHERE {where}"
    )


def _defaults(table: str) -> dict[str, str]:
    """Return the SQL default of each column of ``table``."""
    model = next(each for each in apps.get_models() if each._meta.db_table == table)
    defaults = {}
    for field in model._meta.concrete_fields:
        if field.default is not NOT_PROVIDED and field.column and not field.primary_key:
            value = field.get_db_prep_save(field.get_default(), connection)
            defaults[field.column] = "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"
    return defaults
