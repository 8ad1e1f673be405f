"""A large clinic made with SQL: every table that its pages read, in seconds where the ORM takes half an hour.

Photograph ``n`` is of lesion and patient ``n / each``, at one of two visits. Every thousandth patient belongs to a
small clinic in the same database. One photograph in three has a label. Rare values are so rare that a search for them
reads everything, unless an index finds them. The statements are for SQLite and PostgreSQL.
"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models import NOT_PROVIDED, BooleanField, JSONField

_STEP = 2654435761
# Of every so many photographs, how many the network finds urgent, and worth a look.
OUT_OF, URGENT, WATCH = 10_000, 120, 900
SUSPICION = f"((n * 7919) % {OUT_OF})"
IS_REFUSED = "n % 1000 = 13"
IS_SETTLED = "n % 3 = 1"
IS_DISPUTED = "n % 60000 = 5"
IS_LATE = "n % 400 = 0"


def fill(patients: int, *, each: int, people: dict[str, Any], version: int) -> None:
    """Make the clinic of ``people``: staff, dermatologist and colleague, and one “elsewhere” for the small clinic."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.execute("PRAGMA cache_size = -1000000")
        for statement in _statements(patients, each=each, people=people, version=version):
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE")


def key_of(number: int) -> UUID:
    """Return the key of a row: unique, and scattered as random keys are."""
    return UUID(f"{number * _STEP % 2**32:08x}{number:024x}")


def key(number: str) -> str:
    """Return ``key_of`` as SQL."""
    scattered = f"(({number}) * {_STEP}) % 4294967296"
    if connection.vendor == "sqlite":
        return f"printf('%08x%024x', {scattered}, {number})"
    return f"lpad(to_hex({scattered}), 8, '0') || lpad(to_hex(({number})), 24, '0')"


def _moment(days: str, seconds: str = "0") -> str:
    """So many days and seconds ago."""
    if connection.vendor == "sqlite":
        ago = f"'-' || ({days}) || ' days', '-' || ({seconds}) || ' seconds'"
        return f"strftime('%Y-%m-%d %H:%M:%S', 'now', {ago})"
    return f"now() - ({days}) * interval '1 day' - ({seconds}) * interval '1 second'"


def _day(ahead: str) -> str:
    """A date so many days ahead of today."""
    if connection.vendor == "sqlite":
        return f"date('now', ({ahead}) || ' days')"
    return f"current_date + CAST(({ahead}) AS integer)"


def _statements(patients: int, *, each: int, people: dict[str, Any], version: int) -> Iterator[str]:
    count, patient = patients * each, f"(n / {each})"
    visit = f"(2 * {patient} + n % 2)"
    ours, small = (f"'{people[name].clinic_id.hex}'" for name in ("staff", "elsewhere"))
    staff, dermatologist, colleague, elsewhere = (
        f"'{people[name].pk.hex}'" for name in ("staff", "dermatologist", "colleague", "elsewhere")
    )
    is_small, photographed = "({}) % 1000 = 999", _moment(f"({count} - n) * 700 / {count}", "n % 86000")

    def clinic(number: str) -> str:
        return f"CASE WHEN {is_small.format(number)} THEN {small} ELSE {ours} END"

    def member(number: str, of_ours: str = staff) -> str:
        return f"CASE WHEN {is_small.format(number)} THEN {elsewhere} ELSE {of_ours} END"

    yield insert(
        "patients_patient",
        patients,
        id=key("n"),
        record_number=f"'R' || {_padded('n')}",
        given_name="'Given' || (n % 311)",
        family_name="'Family' || (n % 997)",
        folded_name="'given' || (n % 311) || ' family' || (n % 997)",
        folded_number=f"'r' || {_padded('n')}",
        birth_date=_day("-365 * 20 - (n * 7919) % 25000"),
        created_at=_moment("700"),
        clinic_id=clinic("n"),
        created_by_id=member("n"),
    )
    yield insert(
        "patients_visit",
        2 * patients,
        id=key("n"),
        date=_day("CASE WHEN n < 60 THEN 0 ELSE -1 - (n * 7919) % 700 END"),
        complaint="'A mole'",
        created_at=_moment("(n * 7919) % 700", "n % 86000"),
        clinician_id=member("n / 2"),
        patient_id=key("n / 2"),
    )
    yield insert(
        "patients_lesion",
        patients,
        id=key("n"),
        number="1",
        body_site="CASE WHEN n % 2000 = 7 THEN 'nail' WHEN n % 3 = 0 THEN 'back' WHEN n % 3 = 1 THEN 'chest' "
        "ELSE 'forearm' END",
        created_at=_moment("700"),
        created_by_id=member("n"),
        patient_id=key("n"),
    )
    yield insert(
        "diagnosis_image",
        count,
        id=key("n"),
        **dict.fromkeys(("original", "display", "thumbnail"), "'images/one.jpg'"),
        original_name="'one.jpg'",
        media_type="'image/jpeg'",
        sha256=f"{_padded('n', 32)} || {_padded('n', 32)}",
        width="600",
        height="450",
        verdict=f"CASE WHEN {IS_REFUSED} THEN 'blurred' ELSE 'accepted' END",
        # One in two hundred is without a dermatoscope, and is never shown as calm.
        measures="CASE WHEN n % 200 = 49 THEN '{\"smartphone\": 1.0}' ELSE '{}' END",
        created_at=photographed,
        # The first lesion has many photographs, as one that is followed for years.
        lesion_id=f"CASE WHEN n < 60 THEN {key('0')} ELSE {key(patient)} END",
        visit_id=f"CASE WHEN n < 60 THEN {key('n % 2')} ELSE {key(visit)} END",
        uploaded_by_id=member(patient),
    )
    yield insert(
        "diagnosis_lesionplan",
        patients,
        where="n % 20 <> 3",
        id=key("n"),
        clinic_id=clinic("n"),
        lesion_id=key("n"),
        step="CASE WHEN n % 200 = 4 THEN 'result_awaited' WHEN n % 200 = 5 THEN 'biopsy' ELSE 'see_again' END",
        # One in fifty is overdue.
        due_on=_day("n % 300 - 6"),
        note="''",
        stated_by_id=member("n", dermatologist),
        stated_at=_moment("10"),
    )
    suspicion = f"CASE WHEN {SUSPICION} < {URGENT} THEN 0.9 WHEN {SUSPICION} < {WATCH} THEN 0.2 ELSE 0.001 END"
    yield insert(
        "diagnosis_prediction",
        count,
        where=f"NOT ({IS_REFUSED})",
        id=key("n"),
        code=f"CASE WHEN {SUSPICION} < {URGENT} THEN 'mel' WHEN n % 97 = 5 THEN 'df' ELSE 'nv' END",
        **dict.fromkeys(("akiec", "bcc", "bkl", "vasc"), "0.0"),
        df="CASE WHEN n % 97 = 5 THEN 0.05 ELSE 0.0 END",
        mel=suspicion,
        nv=f"1 - ({suspicion}) - CASE WHEN n % 97 = 5 THEN 0.05 ELSE 0.0 END",
        malignant_probability=suspicion,
        tier=f"CASE WHEN {SUSPICION} < {URGENT} THEN 'urgent' WHEN {SUSPICION} < {WATCH} THEN 'watch' ELSE 'calm' END",
        created_at=photographed,
        step="n",
        image_id=key("n"),
        model_version_id=str(version),
    )
    answer = "CASE WHEN n % 15000 = 1 THEN 'bcc' WHEN n % 900 = 1 THEN 'mel' ELSE 'nv' END"
    yield insert(
        "diagnosis_review",
        count,
        where=IS_SETTLED,
        id=key("n"),
        answer=answer,
        certainty="'certain'",
        created_at=photographed,
        step="n",
        image_id=key("n"),
        reviewer_id=member(patient, dermatologist),
    )
    # One in twelve is answered by another reader, who is not sure; a few of these by one who reads little.
    yield insert(
        "diagnosis_review",
        count,
        where="n % 12 = 5 OR n % 50000 = 4",
        id=key(f"n + {count}"),
        answer="'mel'",
        certainty="'unsure'",
        created_at=photographed,
        step=f"n + {count}",
        image_id=key("n"),
        reviewer_id=f"CASE WHEN n % 50000 = 4 THEN '{people['visiting'].pk.hex}' ELSE {colleague} END",
    )
    yield insert(
        "diagnosis_confirmedlabel",
        count,
        where=IS_SETTLED,
        state="'settled'",
        answer=answer,
        basis="'dermatoscopy'",
        why="'newest_opinion'",
        settled_at=photographed,
        readers="'[]'",
        rule="'one_reader'",
        image_id=key("n"),
        review_id=key("n"),
    )
    yield insert(
        "diagnosis_confirmedlabel",
        count,
        where=IS_DISPUTED,
        state="'disputed'",
        why="'readers_differ'",
        readers="'[]'",
        rule="'two_blinded_readers'",
        image_id=key("n"),
    )
    reason = f"CASE WHEN {IS_SETTLED} THEN '' WHEN {SUSPICION} < {URGENT} THEN 'urgent' ELSE 'no_label' END"
    yield insert(
        "diagnosis_queueentry",
        count,
        state=f"CASE WHEN {IS_SETTLED} THEN 'done' ELSE 'waiting' END",
        reason=reason,
        reasons=f"CASE WHEN {IS_SETTLED} THEN '[]' ELSE '[\"' || ({reason}) || '\"]' END",
        needs=f"CASE WHEN {IS_SETTLED} THEN 0 ELSE 1 END",
        priority=f"CASE WHEN {IS_SETTLED} THEN 0 ELSE ({suspicion}) * 115 + (n % 997) / 10000.0 END",
        entered_at=photographed,
        clinic_id=clinic(patient),
        image_id=key("n"),
    )
    yield insert(
        "patients_riskfact",
        patients,
        where="n % 50 = 3",
        id=key("n"),
        patient_id=key("n"),
        kind="'melanoma'",
        number="1",
        answer="'yes'",
        recorded_by_id=member("n"),
        recorded_at=_moment("100"),
    )
    yield from _specimens(patients, member=member, dermatologist=dermatologist, clinic=clinic)


def _specimens(patients: int, *, member: Any, dermatologist: str, clinic: Any) -> Iterator[str]:
    """One lesion in ten has a result, of which one in eight is malignant and planned since; some wait for one."""
    yield insert(
        "diagnosis_specimen",
        patients,
        where=f"{IS_LATE} OR n % 10 = 1",
        id=key("n"),
        clinic_id=clinic("n"),
        lesion_id=key("n"),
        kind="'punch'",
        # Late after thirty days.
        sent_on=_day("-40"),
        sent_by_id=member("n"),
        recorded_by_id=member("n"),
        created_at=_moment("40"),
    )
    yield insert(
        "diagnosis_pathologyresult",
        patients,
        where="n % 10 = 1",
        id=key("n"),
        specimen_id=key("n"),
        number="1",
        received_on=_day("-30"),
        answer="CASE WHEN n % 80 = 1 THEN 'bcc' ELSE 'nv' END",
        entered_by_id=member("n"),
        created_at=_moment("30"),
        confirmed_by_id=member("n", dermatologist),
        confirmed_at=_moment("30"),
        counted_after="0",
    )


def _padded(number: str, width: int = 7) -> str:
    if connection.vendor == "sqlite":
        return f"printf('%0{width}d', {number})"
    return f"lpad(CAST({number} AS text), {width}, '0')"


def insert(table: str, rows: int, *, where: str = "1 = 1", **values: str) -> str:
    """Return a statement that inserts a row into ``table`` for each ``n`` below ``rows`` that satisfies ``where``.

    Columns that are not among ``values`` get their field's default, so that a new one does not break it.
    """
    model = next(each for each in apps.get_models() if each._meta.db_table == table)
    columns = {str(field.column): field for field in model._meta.concrete_fields}
    values = {**_defaults(columns), **values}
    if connection.vendor == "postgresql":
        values = {name: f"CAST({value} AS {columns[name].db_type(connection)})" for name, value in values.items()}
    numbers = "generate_series(CAST(0 AS bigint), {}) AS numbers(n)"
    if connection.vendor == "sqlite":
        numbers = "(WITH RECURSIVE up(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM up WHERE n < {}) SELECT n FROM up)"
    selected = f"SELECT {', '.join(values.values())} FROM {numbers.format(rows - 1)} WHERE {where}"
    return f"INSERT INTO {table} ({', '.join(values)}) {selected}"


def _defaults(columns: dict[str, Any]) -> dict[str, str]:
    defaults = {}
    for column, field in columns.items():
        if field.primary_key:
            continue
        default = field.get_default()
        if isinstance(field, JSONField):
            default = json.dumps(default)
        elif isinstance(field, BooleanField):
            default = int(bool(default)) if connection.vendor == "sqlite" else bool(default)
        elif field.default is not NOT_PROVIDED:
            default = field.get_db_prep_save(default, connection)
        elif default is None and not field.null:
            continue
        defaults[column] = "NULL" if default is None else "'" + str(default).replace("'", "''") + "'"
    return defaults
