"""Normalisation of names and record numbers, so that different spellings of the same name compare equal."""

import unicodedata
from itertools import product
from typing import Any

from django.db import models

# Letters that Unicode does not decompose into a base letter and a mark.
_LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n"}
# Variants of one letter on Arabic, Persian and Urdu keyboards; the last one, tatweel, only stretches a word.
_LETTERS |= {"\u0649": "\u064a", "\u06cc": "\u064a", "\u06a9": "\u0643", "\u0629": "\u0647", "\u06c1": "\u0647"}
_LETTERS |= {"\u06be": "\u0647", "\u06d5": "\u0647", "\u0640": ""}
# Spellings used where a keyboard or passport lacks the letter.
SPELT_OUT = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}
# Characters that keyboards, phones and word processors produce for an apostrophe.
APOSTROPHES = (
    "'`\u00b4\u2018\u2019\u201a\u201b\u2032\u2035\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\ua78c"
    "\uff07\uff40\u055a\u05f3\u07f4\u07f5\u275b\u275c"
)
# The same for a hyphen; U+00AD is visible only at a line break.
HYPHENS = (
    "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u207b\u208b\u058a\u05be\u1806\u30fb\u00b7\ufe58\ufe63\uff0d"
)
_SPELLING = {
    **{ord(letter): plain for letter, plain in _LETTERS.items()},
    **dict.fromkeys(map(ord, APOSTROPHES), None),
    **dict.fromkeys(map(ord, HYPHENS), " "),
}
# Shorter strings would match across the word boundaries of many names.
SHORTEST_JOINED = 3
# Joiners affect how letters are drawn in scripts that join them; elsewhere they have no meaning.
_JOINERS = {"\u200c", "\u200d"}
_JOINING_SCRIPTS = (
    "ARABIC", "SYRIAC", "MANDAIC", "NKO", "MONGOLIAN", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA",
    "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "TIBETAN",
)  # fmt: skip


def fold_name(text: str) -> str:
    """Return ``text`` folded for comparison, with single spaces between words: “Jürgen MÜLLER” is “jurgen muller”.

    Case, accents (the nonspacing marks of Unicode's compatibility decomposition, Unicode Standard Annex 15),
    apostrophes and invisible characters are dropped. Hyphens, full stops and other signs become spaces: “Jean–Pierre”
    is “jean pierre”, “Smith, Jr.” is “smith jr”. A name that consists only of signs keeps them.
    """
    folded = _fold(text)
    spaced = "".join(" " if unicodedata.category(letter)[0] in "PS" else letter for letter in folded)
    return " ".join(spaced.split()) or folded


def _fold(text: str) -> str:
    # Apostrophes are removed first: decomposition would turn “´” into a space with a mark.
    plain = text.translate(_SPELLING)
    decomposed = unicodedata.normalize("NFKD", plain.casefold())
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter) and not _is_ignorable(letter))
    return " ".join(bare.casefold().translate(_SPELLING).split())


def join_name(folded: str) -> str:
    """Return a folded name without its spaces, so that “Jean-Pierre” and “Jeanpierre” are equal."""
    return folded.replace(" ", "")


def is_whole(word: str) -> bool:
    """Return whether ``word``, without spaces, is long enough to be searched for across the words of a name.

    In scripts where each character is a syllable two are enough: “王明” is a whole name.
    """
    is_wide = all(unicodedata.east_asian_width(letter) in "WF" for letter in word)
    return len(word) >= (2 if is_wide else SHORTEST_JOINED)


def name_keys(given_name: str, family_name: str) -> set[str]:
    """Return the comparison keys of a name: two people who share a key have the same name.

    Examples are “Anna Maria” and “Maria Anna” (whichever word was entered as the given name), “Jean-Pierre Roy” and
    “Roy Jeanpierre”, “Jörg Müller” and “Jorg Mueller”.
    """
    keys = set()
    given_names, family_names = ({fold_name(name), spell_out(name)} for name in (given_name, family_name))
    for given, family in product(given_names, family_names):
        words = " ".join(sorted(f"{given} {family}".split()))
        keys |= {words, join_name(given + family), join_name(family + given)}
    return keys


def spell_out(text: str) -> str:
    """Return ``text`` folded like ``fold_name``, with letters such as “ü” spelt out: “Müller” is “mueller”."""
    composed = unicodedata.normalize("NFC", text.casefold())
    return fold_name("".join(SPELT_OUT.get(letter, letter) for letter in composed))


def clean_text(text: str) -> str:
    """Return ``text`` in composed form without control and invisible characters; line breaks are preserved.

    Joiners are preserved between letters of scripts in which they have meaning, such as Persian or Hindi.
    """
    composed = unicodedata.normalize("NFC", text)
    return "".join(
        letter
        for index, letter in enumerate(composed)
        if letter in "\n\r\t\0"  # NUL is left for the form to reject with a message
        or not _is_invisible(letter)
        or (letter in _JOINERS and _joins(composed, index))
    )


def clean_number(text: str) -> str:
    """Return a record number with letters, digits and hyphens in their plain forms."""
    hyphens = dict.fromkeys(map(ord, HYPHENS), "-")
    return clean_line(unicodedata.normalize("NFKC", text.translate(hyphens)))


def clean_line(text: str) -> str:
    """Return ``text`` cleaned as one line, with single spaces between words."""
    return " ".join(clean_text(text).split())


def fold_number(text: str) -> str:
    """Return a record number folded for comparison: without case, spaces, dashes and invisible characters."""
    return _fold(text).replace(" ", "")


def _is_invisible(letter: str) -> bool:
    """Return whether ``letter`` is a control or format character, or an invisible filler."""
    return (unicodedata.category(letter) in ("Cc", "Cf", "Cs") and not letter.isspace()) or letter in _FILLERS


def _is_ignorable(letter: str) -> bool:
    """Return whether comparisons ignore ``letter``: an invisible character or a variation selector."""
    return _is_invisible(letter) or letter in _VARIANTS


_VARIANTS = {chr(code) for span in ((0x180B, 0x1810), (0xFE00, 0xFE10), (0xE0100, 0xE01F0)) for code in range(*span)}
_FILLERS = {"\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u3164", "\uffa0", "\u2800"}


def _joins(text: str, index: int) -> bool:
    before = text[index - 1] if index else ""
    return bool(before) and unicodedata.name(before, "").startswith(_JOINING_SCRIPTS)


class FoldedNameField(models.CharField):
    """The folded given and family name of its model, stored so that the database can search it."""

    def pre_save(self, model_instance: Any, add: bool) -> str:
        # Not from the model's `name` property, which the historical models of migrations lack.
        folded = fold_name(f"{model_instance.given_name} {model_instance.family_name}")[: self.max_length]
        setattr(model_instance, self.attname, folded)
        return folded


class FoldedNumberField(models.CharField):
    """The folded record number of its model."""

    def pre_save(self, model_instance: Any, add: bool) -> str:
        folded = fold_number(model_instance.record_number)[: self.max_length]
        setattr(model_instance, self.attname, folded)
        return folded
