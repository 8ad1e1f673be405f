"""Names as they are compared, and the names of before there was such a comparison."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from hypothesis import given
from hypothesis import strategies as st

from patients.names import fold_name, have_the_same_words


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Jürgen  MÜLLER", "jurgen muller"),
        ("Strauß", "strauss"),
        ("Søren Ægir", "soren aegir"),
        ("İpek Işık", "ipek isik"),
        ("Łukasz", "lukasz"),
        ("Nguyễn Văn Đức", "nguyen van duc"),
        ("Ελένη ΠΑΠΠΑΣ", "ελενη παππασ"),
        ("李明", "李明"),
        ("O'Neill-Smith", "o'neill-smith"),
        (" \t", ""),
    ],
)
def test_folding(name, folded):
    assert fold_name(name) == folded


@given(st.text(max_size=80))
def test_what_is_folded_stays_as_it_is(name):
    once = fold_name(name)
    assert fold_name(once) == once
    assert fold_name(name.upper()) == fold_name(name.upper().lower())


def test_the_same_words_are_as_many():
    assert have_the_same_words("anna maria", "maria anna")
    assert not have_the_same_words("anna anna", "anna")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_patients_of_before_are_found_without_accents():
    executor = MigrationExecutor(connection)
    executor.migrate([("patients", "0005_more_body_sites")])
    try:
        old = executor.loader.project_state([("patients", "0005_more_body_sites")]).apps
        clinic = old.get_model("patients", "Clinic").objects.create(name="Northside")
        user = old.get_model("patients", "User").objects.create(username="staff")
        member = old.get_model("patients", "Member").objects.create(clinic=clinic, user=user, role="staff")
        old.get_model("patients", "Patient").objects.create(
            clinic=clinic,
            family_name="Öz",
            given_name="Zoë",
            record_number="1",
            birth_date="1990-12-01",
            created_by=member,
        )
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    from patients.models import Patient

    assert Patient.objects.get().folded_name == "zoe oz"
