"""The languages of explanations. Only languages in this list are ever sent to Gemini."""

from dataclasses import dataclass


class UnknownLanguageError(ValueError):
    """The language is not in the list."""


@dataclass(frozen=True)
class Language:
    """A language by its ISO 639-1 code, its name in English and its own name.

    ``scripts`` are the first words of the Unicode names of its letters, if it is not written in Latin script.
    """

    code: str
    name: str
    own_name: str
    scripts: tuple[str, ...] = ()
    right_to_left: bool = False


LANGUAGES: tuple[Language, ...] = (
    Language("en", "English", "English"),
    Language("ar", "Arabic", "العربية", ("ARABIC",), right_to_left=True),
    Language("bg", "Bulgarian", "Български", ("CYRILLIC",)),
    Language("bn", "Bengali", "বাংলা", ("BENGALI",)),
    Language("cs", "Czech", "Čeština"),
    Language("cy", "Welsh", "Cymraeg"),
    Language("da", "Danish", "Dansk"),
    Language("de", "German", "Deutsch"),
    Language("el", "Greek", "Ελληνικά", ("GREEK",)),
    Language("es", "Spanish", "Español"),
    Language("fa", "Persian", "فارسی", ("ARABIC",), right_to_left=True),
    Language("fi", "Finnish", "Suomi"),
    Language("fr", "French", "Français"),
    Language("he", "Hebrew", "עברית", ("HEBREW",), right_to_left=True),
    Language("hi", "Hindi", "हिन्दी", ("DEVANAGARI",)),
    Language("hu", "Hungarian", "Magyar"),
    Language("id", "Indonesian", "Bahasa Indonesia"),
    Language("it", "Italian", "Italiano"),
    Language("ja", "Japanese", "日本語", ("HIRAGANA", "KATAKANA", "CJK")),
    Language("ko", "Korean", "한국어", ("HANGUL",)),
    Language("nl", "Dutch", "Nederlands"),
    Language("no", "Norwegian", "Norsk"),
    Language("pa", "Punjabi", "ਪੰਜਾਬੀ", ("GURMUKHI",)),
    Language("pl", "Polish", "Polski"),
    Language("pt", "Portuguese", "Português"),
    Language("ro", "Romanian", "Română"),
    Language("ru", "Russian", "Русский", ("CYRILLIC",)),
    Language("so", "Somali", "Soomaali"),
    Language("sv", "Swedish", "Svenska"),
    Language("sw", "Swahili", "Kiswahili"),
    Language("ta", "Tamil", "தமிழ்", ("TAMIL",)),
    Language("th", "Thai", "ไทย", ("THAI",)),
    Language("tl", "Tagalog", "Tagalog"),
    Language("tr", "Turkish", "Türkçe"),
    Language("uk", "Ukrainian", "Українська", ("CYRILLIC",)),
    Language("ur", "Urdu", "اردو", ("ARABIC",), right_to_left=True),
    Language("vi", "Vietnamese", "Tiếng Việt"),
    Language("zh", "Chinese (simplified)", "简体中文", ("CJK",)),
)
_BY_CODE = {language.code: language for language in LANGUAGES}


def language_of(tag: str) -> Language:
    """Return the language of a code or tag ("de", "en-gb", "pt_BR").

    Raises:
        UnknownLanguageError: it is not in the list.
    """
    language = _BY_CODE.get(tag.strip().lower().replace("_", "-").split("-")[0])
    if language is None:
        raise UnknownLanguageError("This language is not available.")
    return language
