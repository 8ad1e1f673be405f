"""Every row that refers to a patient, visit, lesion or photograph has a stated behaviour for each correction."""

from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model

from diagnosis.corrections import carrying_out, relations
from diagnosis.corrections.models import CorrectionKind
from diagnosis.corrections.states import relations_to
from diagnosis.images.models import Image
from patients.models import Lesion, Member, Patient, User, Visit

# Whoever did something is named by every table, and no correction changes that.
PEOPLE = (User, Member)
WORDS = {"carried", "re-derived", "closed", "stays"}


def name_of(relation: Any) -> str:
    return f"{relation.related_model._meta.label}.{relation.field.name}"


def further_relations() -> set[str]:
    """The foreign keys of tables that refer to those that refer to a record, however far."""
    records: list[type[Model]] = [Patient, Visit, Lesion, Image]
    found, known = set(), list(records)
    for model in known:
        for relation in relations_to(model):
            if relation.related_model in PEOPLE:
                continue
            if model not in records:
                found.add(name_of(relation))
            if relation.related_model not in known:
                known.append(relation.related_model)
    return found


@pytest.mark.parametrize(
    ("model", "declared"),
    [
        (Patient, relations.PATIENT),
        (Visit, relations.VISIT),
        (Lesion, relations.LESION),
        (Image, relations.IMAGE),
    ],
)
def test_every_foreign_key_to_a_record_is_declared(model, declared):
    assert {name_of(relation) for relation in relations_to(model)} == set(declared)


def test_every_foreign_key_further_away_is_declared():
    assert further_relations() == set(relations.FURTHER)


@pytest.mark.parametrize("name", relations.EVERY_ROW)
def test_each_correction_has_a_stated_behaviour(name):
    fates = relations.EVERY_ROW[name].by_correction
    assert set(fates) == {"photograph", "lesion", "visit", "void", "merge"}
    assert len(fates) == len(CorrectionKind)
    for correction, fate in fates.items():
        word, _colon, why = fate.partition(":")
        assert word in WORDS, (correction, fate)
        assert word == "carried" or why.strip(), f"{correction}: why?"


def test_a_row_whose_own_key_changes_is_one_that_corrections_can_change():
    for name, fate in relations.EVERY_ROW.items():
        own = [each for each in fate.by_correction.values() if each.startswith("carried")]
        if any(not each.startswith("carried: with") for each in own):
            model = apps.get_model(name.rsplit(".", 1)[0])
            assert str(model._meta.model_name) in carrying_out.MODELS, name
