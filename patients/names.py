"""Names as they are compared: however they were typed, whoever typed them, they are the same name."""

import unicodedata
from itertools import product
from typing import Any

from django.db import models

# Letters that Unicode does not take apart into a letter and its mark.
_LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n"}
# Letters that Arabic, Persian and Urdu keyboards write differently in one and the same name; the last one only
# stretches a word.
_LETTERS |= {"\u0649": "\u064a", "\u06cc": "\u064a", "\u06a9": "\u0643", "\u0629": "\u0647", "\u06c1": "\u0647"}
_LETTERS |= {"\u06be": "\u0647", "\u06d5": "\u0647", "\u0640": ""}
# What is written where a keyboard or a passport has no such letter.
SPELT_OUT = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}
# What a keyboard, a phone or a word processor writes for one and the same apostrophe.
APOSTROPHES = (
    "'`\u00b4\u2018\u2019\u201a\u201b\u2032\u2035\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\ua78c"
    "\uff07\uff40\u055a\u05f3\u07f4\u07f5\u275b\u275c"
)
# And for one and the same hyphen; U+00AD shows only where a line breaks.
HYPHENS = (
    "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u207b\u208b\u058a\u05be\u1806\u30fb\u00b7\ufe58\ufe63\uff0d"
)
_SPELLING = {
    **{ord(letter): plain for letter, plain in _LETTERS.items()},
    **dict.fromkeys(map(ord, APOSTROPHES), None),
    **dict.fromkeys(map(ord, HYPHENS), " "),
}
# Shorter ones would be found across the words of many names.
SHORTEST_JOINED = 3
# Joiners say how letters are drawn where a script joins them; elsewhere they say nothing.
_JOINERS = {"\u200c", "\u200d"}
_JOINING_SCRIPTS = (
    "ARABIC", "SYRIAC", "MANDAIC", "NKO", "MONGOLIAN", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA",
    "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "TIBETAN",
)  # fmt: skip


def fold_name(text: str) -> str:
    """Return ``text`` as it is compared, its words parted by single spaces: “Jürgen MÜLLER” is “jurgen muller”.

    Left out are case, accents (the nonspacing marks of Unicode's compatibility decomposition, Unicode Standard
    Annex 15), apostrophes and what cannot be seen. Hyphens, stops and other signs are spaces: “Jean–Pierre” is
    “jean pierre”, “Smith, Jr.” is “smith jr”. Of what holds signs alone, they are the name.
    """
    folded = _fold(text)
    parted = "".join(" " if unicodedata.category(letter)[0] in "PS" else letter for letter in folded)
    return " ".join(parted.split()) or folded


def _fold(text: str) -> str:
    # An apostrophe goes before its letters are taken apart: “´” is a space with a mark then.
    plain = text.translate(_SPELLING)
    apart = unicodedata.normalize("NFKD", plain.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter) and not _says_nothing(letter))
    return " ".join(bare.casefold().translate(_SPELLING).split())


def join_name(folded: str) -> str:
    """Return a folded name without its spaces, in which “Jean-Pierre” and “Jeanpierre” are one."""
    return folded.replace(" ", "")


def is_whole(word: str) -> bool:
    """Is it enough of a name, without its spaces, to be looked for across the words of one?

    Letters are few where each is a syllable: “王明” is a whole name.
    """
    is_wide = all(unicodedata.east_asian_width(letter) in "WF" for letter in word)
    return len(word) >= (2 if is_wide else SHORTEST_JOINED)


def name_keys(given_name: str, family_name: str) -> set[str]:
    """Return the ways in which a name is compared: two people with one of these in common have the same name.

    So have “Anna Maria” and “Maria Anna”, whichever word was typed as the given name, “Jean-Pierre Roy” and
    “Roy Jeanpierre”, “Jörg Müller” and “Jorg Mueller”.
    """
    keys = set()
    given_names, family_names = ({fold_name(name), spell_out(name)} for name in (given_name, family_name))
    for given, family in product(given_names, family_names):
        words = " ".join(sorted(f"{given} {family}".split()))
        keys |= {words, join_name(given + family), join_name(family + given)}
    return keys


def spell_out(text: str) -> str:
    """``fold_name`` with two letters for one where that is the custom: “Müller” is “mueller”."""
    composed = unicodedata.normalize("NFC", text.casefold())
    return fold_name("".join(SPELT_OUT.get(letter, letter) for letter in composed))


def clean_text(text: str) -> str:
    """Return ``text`` in composed form, without control characters and what cannot be seen; line breaks stay.

    Joiners stay between the letters of a script that they mean something in, such as Persian or Hindi.
    """
    composed = unicodedata.normalize("NFC", text)
    return "".join(
        letter
        for place, letter in enumerate(composed)
        if letter in "\n\r\t\0"  # a form refuses the last of them in words
        or not _is_invisible(letter)
        or (letter in _JOINERS and _joins(composed, place))
    )


def clean_number(text: str) -> str:
    """Return a record number in plain letters, digits and hyphens, as far as it has such."""
    hyphens = dict.fromkeys(map(ord, HYPHENS), "-")
    return clean_line(unicodedata.normalize("NFKC", text.translate(hyphens)))


def clean_line(text: str) -> str:
    """``clean_text`` for what is one line: its words parted by single spaces."""
    return " ".join(clean_text(text).split())


def fold_number(text: str) -> str:
    """Return a record number as it is compared: without case, spaces, dashes and what cannot be seen."""
    return _fold(text).replace(" ", "")


def _is_invisible(letter: str) -> bool:
    """Is it a control or format character, or a filler that looks like nothing?"""
    return (unicodedata.category(letter) in ("Cc", "Cf", "Cs") and not letter.isspace()) or letter in _FILLERS


def _says_nothing(letter: str) -> bool:
    """Is it invisible, or does it choose among the shapes of the letter before it? Those stay in what is shown."""
    return _is_invisible(letter) or letter in _VARIANTS


_VARIANTS = {chr(code) for span in ((0x180B, 0x1810), (0xFE00, 0xFE10), (0xE0100, 0xE01F0)) for code in range(*span)}
_FILLERS = {"\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u3164", "\uffa0", "\u2800"}


def _joins(text: str, place: int) -> bool:
    before = text[place - 1] if place else ""
    return bool(before) and unicodedata.name(before, "").startswith(_JOINING_SCRIPTS)


class FoldedNameField(models.CharField):
    """What given and family name of its model fold to, kept so that the database can search them."""

    def pre_save(self, model_instance: Any, add: bool) -> str:
        # Of the two fields and not of a property, which the models of a migration have not.
        folded = fold_name(f"{model_instance.given_name} {model_instance.family_name}")[: self.max_length]
        setattr(model_instance, self.attname, folded)
        return folded


class FoldedNumberField(models.CharField):
    """What the record number of its model folds to."""

    def pre_save(self, model_instance: Any, add: bool) -> str:
        folded = fold_number(model_instance.record_number)[: self.max_length]
        setattr(model_instance, self.attname, folded)
        return folded
