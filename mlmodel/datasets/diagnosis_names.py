"""Codes for the names that tables use for the seven classes and for other diagnoses."""

import difflib

from mlmodel.taxonomy import BY_CODE, CODES

# Names from the ISIC challenges and archive, PAD-UFES-20 and everyday use. They are grouped by HAM10000's definitions:
# Bowen's disease is akiec; solar lentigo, seborrheic keratosis and lichen planus-like keratosis are bkl.
_NAMES: dict[str, tuple[str, ...]] = {
    "akiec": (
        "ak", "ack", "actinic keratosis", "actinic keratoses", "solar keratosis", "bowen disease", "bowens disease",
        "intraepithelial carcinoma", "squamous cell carcinoma in situ", "scc in situ",
    ),
    "bcc": ("basal cell carcinoma", "basalioma", "basal cell cancer"),
    "bkl": (
        "sk", "sek", "sebk", "seborrheic keratosis", "seborrhoeic keratosis", "benign keratosis",
        "benign keratosis like lesion", "benign keratosis like lesions", "pigmented benign keratosis", "solar lentigo",
        "lentigo solaris", "lichen planus like keratosis", "lplk",
    ),
    "df": ("dermatofibroma", "dermatofibromas", "fibrous histiocytoma"),
    "mel": (
        "melanoma", "malignant melanoma", "melanoma in situ", "melanoma invasive", "melanoma metastasis",
        "lentigo maligna", "lentigo maligna melanoma",
    ),
    "nv": (
        "nev", "nevus", "naevus", "nevi", "naevi", "melanocytic nevus", "melanocytic naevus", "melanocytic nevi",
        "mole",
    ),
    "vasc": (
        "vascular", "vascular lesion", "vascular lesions", "angioma", "hemangioma", "haemangioma", "angiokeratoma",
        "pyogenic granuloma",
    ),
    "scc": ("squamous cell carcinoma", "spinocellular carcinoma"),
    "unk": ("unknown", "unk", "other", "none of the others"),
}  # fmt: skip


def _key(name: str) -> str:
    """Return a name in lower case without punctuation."""
    plain = "".join(letter if letter.isalnum() else " " for letter in name.lower().replace("'", "").replace("’", ""))
    return " ".join(plain.split())


_CODES_BY_NAME = {
    _key(name): code
    for code, names in _NAMES.items()
    for name in (code, *names, *((BY_CODE[code].name,) if code in BY_CODE else ()))
}


def code_of_diagnosis(name: str) -> str:
    """Return the code of the class that ``name`` stands for, or else the name in lower case.

    As in the ISIC 2019 challenge, squamous cell carcinoma is "scc" and an unknown diagnosis is "unk".
    """
    return _CODES_BY_NAME.get(_key(name), name.strip().lower())


def similar_code(name: str) -> str:
    """Return the code of the class that a misspelt name probably means, or an empty string."""
    close = difflib.get_close_matches(_key(name), _CODES_BY_NAME, n=1, cutoff=0.84)
    code = _CODES_BY_NAME[close[0]] if close else ""
    return code if code in CODES else ""
