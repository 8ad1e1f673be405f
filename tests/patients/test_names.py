"""Normalisation of names and record numbers for comparison."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.names import clean_line, clean_text, fold_name, fold_number, name_keys


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
        ("O'Neill-Smith", "oneill smith"),
        ("O\u2019NEILL\u2010Smith", "oneill smith"),
        ("Jean\u00adPierre", "jean pierre"),
        ("Ｍüller", "muller"),
        ("Ja\u200bne\u2066", "jane"),
        (" \t", ""),
        ("Smith, Jr.", "smith jr"),
        ("“Bo” J. O\u05f3Neill/Roy_Li", "bo j oneill roy li"),
        ("🙂 ★", "🙂 ★"),
        ("葛\U000e0100城", "葛城"),
        ("\ufee3\ufea4\ufee4\ufeaa \ufecb\ufee0\ufef2", "\u0645\u062d\u0645\u062f \u0639\u0644\u064a"),
        ("\u0645\u064f\u062d\u0640\u0645\u062f \u0639\u0644\u06cc", "\u0645\u062d\u0645\u062f \u0639\u0644\u064a"),
        ("\u0643\u0631\u064a\u0645\u0629", fold_name("\u06a9\u0631\u06cc\u0645\u0647")),
    ],
)
def test_folding(name, folded):
    assert fold_name(name) == folded


@given(st.text(max_size=80))
def test_folding_is_idempotent(name):
    once = fold_name(name)
    assert fold_name(once) == once
    assert fold_name(name.upper()) == fold_name(name.upper().lower())


APOSTROPHES = "'`\u00b4\u2018\u2019\u02bc\uff07\u05f3\u275b\u275c\u055a\u07f4"
HYPHENS = "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2212 \u2043\u02d7\u2e17\u2e3a\u301c\u30a0\u00b7\u2027/_~"
UNSEEN = "\ufe0f\u034f\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\u202a\u202e\u2066\u2069"


@st.composite
def spelt(draw, name: str) -> str:
    """Return ``name`` in another spelling: ``'`` and ``-`` stand for all variants of these characters."""
    choices = {"'": APOSTROPHES, "-": HYPHENS}
    letters = [draw(st.sampled_from(choices[letter])) if letter in choices else letter for letter in name]
    text = "".join(letter + draw(st.sampled_from(["", "", *UNSEEN])) for letter in letters)
    text = unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), text)
    return draw(st.sampled_from([text, text.upper(), text.lower()]))


@given(data=st.data(), name=st.sampled_from([("Siobhán", "O'Brien"), ("Jean-Pierre", "Weiß"), ("D'Arcy", "Ní-Áine")]))
def test_spellings_of_one_name_share_a_key(data, name):
    given_name, family_name = (data.draw(spelt(part)) for part in name)
    assert name_keys(given_name, family_name) & name_keys(*name)
    assert name_keys(family_name, given_name) & name_keys(*name)


def test_name_keys():
    assert name_keys("Anna", "Maria") & name_keys("Maria", "Anna")
    assert name_keys("Jeanpierre", "Roy") & name_keys("Jean Pierre", "Roy")
    assert name_keys("Jürgen", "Mu\u0308ller") & name_keys("Mueller", "JUERGEN")
    assert not name_keys("Jürgen", "Moller") & name_keys("Jürgen", "Moeller")
    assert not name_keys("Anna", "Anna") & name_keys("Anna", "")
    assert not name_keys("Anna", "Maria") & name_keys("Anna", "Marie")


def test_spellings_of_one_record_number_fold_alike():
    assert (
        len({fold_number(text) for text in ("MRN-00 12", "mrn\u201000\u00a012", "ＭＲＮ－００１２", "MRN0012")}) == 1
    )
    assert fold_number("A-1") != fold_number("A-2")
    assert fold_number("1/23") != fold_number("12/3")


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("Ja\u200bne\ufeff", "Jane"),
        ("  Ann \u00a0 Lee ", "Ann Lee"),
        ("Jose\u0301", "José"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("\u200dJane\u200d", "Jane"),
        ("Jane\x07", "Jane"),
    ],
)
def test_cleaning_a_line(typed, cleaned):
    assert clean_line(typed) == cleaned
    assert clean_line(cleaned) == cleaned


def test_cleaning_preserves_line_breaks():
    assert clean_text("One\r\n\ttwo\u200b") == "One\r\n\ttwo"
