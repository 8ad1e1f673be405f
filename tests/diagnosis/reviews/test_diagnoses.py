"""The diagnoses outside the network's seven: their list, and how dangerous an answer is."""

import re

import pytest
from django.conf import settings

from diagnosis.reviews.answers import is_benign_answer, is_malignant_answer, leaves_danger_open
from diagnosis.reviews.diagnoses import DIAGNOSES, OUTSIDE_THE_SEVEN, by_malignancy, recognise, resembling
from mlmodel.taxonomy import CODES, Malignancy


def test_the_list_keeps_to_its_form_and_leaves_the_seven_to_the_taxonomy():
    assert 30 <= len(DIAGNOSES) <= 45
    assert not set(OUTSIDE_THE_SEVEN) & set(CODES)
    assert [malignancy for malignancy, _found in by_malignancy()] == [
        Malignancy.MALIGNANT, Malignancy.UNCERTAIN, Malignancy.BENIGN,
    ]  # fmt: skip
    assert {each.article for each in DIAGNOSES} <= {"", *CODES}
    assert all(each.line and each.icd10 for each in DIAGNOSES)


@pytest.mark.parametrize(
    ("answer", "malignant", "benign", "is_open"),
    [
        ("mel", True, False, False),
        ("akiec", True, False, False),
        ("nv", False, True, False),
        ("scc", True, False, False),
        ("merkel", True, False, False),
        ("lentigo_maligna", True, False, False),
        ("spitz_atypical", False, False, True),
        ("psoriasis", False, True, False),
        ("other", False, False, True),
        ("other_malignant", True, False, False),
        ("other_benign", False, True, False),
        ("cannot_tell", False, False, False),
        ("not_a_lesion", False, False, False),
        ("", False, False, False),
    ],
)
def test_one_rule_says_how_dangerous_an_answer_is(answer, malignant, benign, is_open):
    assert (is_malignant_answer(answer), is_benign_answer(answer), leaves_danger_open(answer)) == (
        malignant, benign, is_open,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" squamous-cell  carcinoma", "scc"),
        ("SCC", "scc"),
        ("Bowen’s disease", "akiec"),
        ("Dysplastic naevus", "atypical_nevus"),
        ("Subungual hematoma", "haemorrhage"),
        ("Merkel Cell Carcinoma.", "merkel"),
        ("Clear cell acanthoma", ""),
        ("", ""),
        ("皮膚癌", ""),
    ],
)
def test_a_diagnosis_is_recognised_by_its_names(text, code):
    assert recognise(text) == code


def test_a_misspelt_name_resembles_a_diagnosis_and_another_word_none():
    assert resembling("squamos cell carcinoma") == ["scc"]
    assert resembling("Merkel") == ["merkel"]
    assert resembling("Spitz") == ["spitz_atypical", "spitz"]
    assert resembling("Clear cell acanthoma") == []
    assert resembling("tumour") == []
    assert resembling("") == []


def test_the_page_of_the_docs_lists_what_the_code_does():
    page = (settings.BASE_DIR / "docs" / "understand" / "reviews_and_labels.md").read_text()
    listed = re.findall(r"^- \*\*(Malignant|Uncertain|Benign):\*\* (.+?)\.$", page, re.MULTILINE | re.DOTALL)
    found = [
        (code, " ".join(name.split()), malignancy.lower(), icd10)
        for malignancy, entries in listed
        for name, code, icd10 in re.findall(r"([^;]+?)\s+\(`(\w+)`,\s+([A-Z][\d.]+)\)(?:;\s|$)", entries)
    ]
    assert found == [(each.code, each.name, str(each.malignancy), each.icd10) for each in DIAGNOSES]
