"""The diagnoses that a dermatologist can choose in addition to the network's seven classes, each with its own code.

The seven are listed only in ``mlmodel.taxonomy``. Codes are stored with reviews and labels: never change or remove
one. ICD-10: WHO 2019 release, unspecified site; if its index lacks the name, the category that contains the disease.
SNOMED CT only where it is certain. Malignancy follows the WHO Classification of Skin Tumours (4th edition, 2018):
keratoacanthoma is a squamous cell carcinoma there, and lentigo maligna a melanoma in situ, which HAM10000 counts as
melanoma.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from itertools import groupby

from django.utils.translation import gettext_noop as _

from mlmodel.taxonomy import BY_CODE as SEVEN
from mlmodel.taxonomy import CONDITIONS, Condition, Malignancy

MOST_RESEMBLING = 3
# The length of the database columns that hold an answer.
LONGEST_CODE = 16


@dataclass(frozen=True)
class Diagnosis(Condition):
    """A condition outside the seven.

    Attributes:
        line: a sentence or two for patients on what it is.
        article: the code of the one of the seven whose article also explains it; empty if none does.
        synonyms: other names that are recognised when typed.
    """

    line: str = ""
    article: str = ""
    synonyms: tuple[str, ...] = ()


def _of(malignancy: Malignancy, code: str, name: str, icd10: str, line: str, *synonyms: str, **more: str) -> Diagnosis:
    return Diagnosis(
        code=code,
        name=name,
        malignancy=malignancy,
        icd10=icd10,
        snomed_ct=more.get("snomed_ct", ""),
        line=line,
        article=more.get("article", ""),
        synonyms=synonyms,
    )


_M, _U, _B = Malignancy.MALIGNANT, Malignancy.UNCERTAIN, Malignancy.BENIGN

# Malignant ones first; within each group common before rare, tumours before inflammation and infection.
DIAGNOSES: tuple[Diagnosis, ...] = (
    _of(
        _M, "scc", _("Squamous cell carcinoma"), "C44.9",
        _("A common skin cancer that grows from the upper layer of the skin. It can spread if it is not treated, and "
          "is usually cured by removing it."),
        "SCC", "cSCC", "Cutaneous squamous cell carcinoma", "Spinocellular carcinoma",
        "Spinalioma", "Epidermoid carcinoma", snomed_ct="254651007",
    ),
    _of(
        _M, "keratoacanthoma", _("Keratoacanthoma"), "L85.8",
        _("A lump that grows quickly within weeks. It is treated as a form of squamous cell carcinoma, a skin cancer, "
          "and is removed."),
        "KA",
    ),
    _of(
        _M, "lentigo_maligna", _("Lentigo maligna"), "D03.9",
        _("An early melanoma that is still within the upper layer of the skin, mostly on the face. It is removed "
          "before it can grow deeper."),
        "Melanoma in situ of lentigo maligna type", "LM", "Hutchinson's freckle",
        article="mel",
    ),
    _of(
        _M, "merkel", _("Merkel cell carcinoma"), "C44.9",
        _("A rare and fast-growing skin cancer. It needs treatment by specialists without delay."),
        "Merkel cell tumour", "Merkel cell cancer", "MCC", "Neuroendocrine carcinoma of the skin",
    ),
    _of(
        _M, "metastasis", _("Cutaneous metastasis"), "C79.2",
        _("A cancer from elsewhere in the body that has spread to the skin. The doctors who treat that cancer need "
          "to know at once."),
        "Skin metastasis", "Melanoma metastasis", "Metastasis of the skin", "Secondary skin cancer",
    ),
    _of(
        _M, "mf", _("Mycosis fungoides"), "C84.0",
        _("The most common lymphoma of the skin: a cancer of white blood cells that mostly grows slowly, over years."),
        "Cutaneous T-cell lymphoma", "CTCL", snomed_ct="118618005",
    ),
    _of(
        _M, "lymphoma", _("Cutaneous lymphoma, other than mycosis fungoides"), "C85.9",
        _("A cancer of white blood cells in the skin. Specialists determine its type, which decides the treatment."),
        "Cutaneous lymphoma", "Skin lymphoma", "Cutaneous B-cell lymphoma", "Primary cutaneous lymphoma",
    ),
    _of(
        _M, "kaposi", _("Kaposi sarcoma"), "C46.0",
        _("A cancer of small blood vessels that shows as red or purple spots. It is often linked to a weakened "
          "immune system, which is investigated."),
        "Kaposi's sarcoma", snomed_ct="109385007",
    ),
    _of(
        _M, "dfsp", _("Dermatofibrosarcoma protuberans"), "C44.9",
        _("A rare cancer of the deeper skin that grows slowly and seldom spreads. It is removed with a wide margin."),
        "DFSP", "Dermatofibrosarcoma",
    ),
    _of(
        _M, "afx", _("Atypical fibroxanthoma or pleomorphic dermal sarcoma"), "C44.9",
        _("A rare skin cancer of sun-damaged skin, mostly on the head of older people. It is removed, and the place "
          "is checked afterwards."),
        "Atypical fibroxanthoma", "AFX", "Pleomorphic dermal sarcoma",
    ),
    _of(
        _M, "sebaceous_ca", _("Sebaceous carcinoma"), "C44.9",
        _("A rare cancer of an oil gland, often on the eyelid. It is removed by specialists."),
        "Sebaceous gland carcinoma", "Sebaceous adenocarcinoma",
    ),
    _of(
        _M, "adnexal_ca", _("Other skin adnexal carcinoma"), "C44.9",
        _("A rare cancer of a sweat gland or hair follicle. It is removed, and the place is checked afterwards."),
        "Adnexal carcinoma", "Porocarcinoma", "Microcystic adnexal carcinoma", "Sweat gland carcinoma",
    ),
    _of(
        _M, "paget", _("Extramammary Paget disease"), "C44.9",
        _("A rare cancer within the upper skin of the genital area or armpit that looks like eczema. It is treated, "
          "and doctors check for a cancer elsewhere in the body."),
        "Extramammary Paget", "Extramammary Paget's disease", "EMPD", "Paget's disease of the skin",
    ),
    _of(
        _M, "angiosarcoma", _("Angiosarcoma"), "C49.9",
        _("A rare and fast-growing cancer of blood vessels. It needs treatment by specialists without delay."),
        "Cutaneous angiosarcoma", "Haemangiosarcoma",
    ),
    _of(
        _U, "meltump", _("Melanocytic tumour of uncertain malignant potential"), "D48.5",
        _("A mole-like growth that even under the microscope cannot be called harmless with certainty. It is removed "
          "completely, and the skin is checked regularly."),
        "MELTUMP", "STUMP", "SAMPUS", "Severely dysplastic nevus", "High-grade dysplastic nevus",
    ),
    _of(
        _U, "spitz_atypical", _("Atypical Spitz tumour"), "D48.5",
        _("A growth like a Spitz nevus that is not certain to be harmless. It is removed completely, and the skin is "
          "checked regularly."),
        "Atypical Spitz tumor", "Atypical Spitz nevus", "Spitzoid tumour of uncertain malignant potential",
        "Spitz melanocytoma",
    ),
    _of(
        _U, "uncertain_skin", _("Skin tumour of uncertain behaviour"), "D48.5",
        _("A growth of which it is not yet certain whether it is harmless. The laboratory result decides what happens "
          "next."),
        "Neoplasm of uncertain behaviour of skin", "Skin tumour of unknown behaviour",
    ),
    _of(
        _B, "spitz", _("Spitz nevus or Reed nevus"), "D22.9",
        _("A harmless kind of mole, mostly in children and young adults. As it can look like a melanoma, it is often "
          "removed or checked again."),
        "Spitz nevus", "Reed nevus", "Pigmented spindle cell nevus", "Spindle cell nevus",
    ),
    _of(
        _B, "atypical_nevus", _("Atypical (dysplastic) nevus"), "D22.9",
        _("A mole that looks unusual and is not a cancer. People who have several have a higher risk of melanoma and "
          "should have their skin checked regularly."),
        "Atypical nevus", "Dysplastic nevus", "Clark nevus", "Atypical mole", "Dysplastic mole",
    ),
    _of(
        _B, "blue_nevus", _("Blue nevus"), "D22.9",
        _("A harmless mole that looks blue because its pigment lies deep in the skin."),
        "Blue mole", "Common blue nevus", article="nv",
    ),
    _of(
        _B, "lentigo_simplex", _("Lentigo simplex or mucosal melanosis"), "L81.4",
        _("A harmless flat brown spot on the skin or lip with more pigment than the skin around it."),
        "Lentigo simplex", "Labial melanotic macule", "Mucosal melanosis", "Genital melanosis",
    ),
    _of(
        _B, "nevus_sebaceus", _("Nevus sebaceus"), "Q82.5",
        _("A harmless yellowish patch on the scalp or face that is present from birth. Growths can form in it later, "
          "so changes should be shown to a doctor."),
        "Sebaceous nevus", "Nevus sebaceus of Jadassohn", "Organoid nevus", "Nevus sebaceous",
    ),
    _of(
        _B, "sebaceous_hyp", _("Sebaceous hyperplasia"), "L73.8",
        _("Harmless enlarged oil glands: small yellowish bumps, mostly on the face."),
        "Sebaceous gland hyperplasia",
    ),
    _of(
        _B, "adnexal_tumour", _("Benign adnexal tumour"), "D23.9",
        _("A harmless growth of a hair follicle or a sweat or oil gland."),
        "Adnexal tumour", "Pilomatricoma", "Trichoepithelioma", "Trichoblastoma", "Syringoma", "Poroma", "Hidradenoma",
        "Trichilemmoma", "Cylindroma", "Spiradenoma",
    ),
    _of(
        _B, "neurofibroma", _("Neurofibroma"), "D36.1",
        _("A harmless soft growth of a nerve sheath. Several of them can be a sign of an inherited condition."),
        "Cutaneous neurofibroma",
    ),
    _of(
        _B, "lipoma", _("Lipoma"), "D17.3", _("A harmless soft lump of fat under the skin."), "Angiolipoma",
    ),
    _of(
        _B, "skin_tag", _("Skin tag (fibroepithelial polyp)"), "L91.8",
        _("A harmless small soft growth on a stalk, often on the neck or in the armpits."),
        "Skin tag", "Fibroepithelial polyp", "Soft fibroma", "Acrochordon",
    ),
    _of(
        _B, "cyst", _("Cyst of the skin"), "L72.9",
        _("A harmless closed pocket under the skin that is filled with keratin or sebum."),
        "Cyst", "Epidermoid cyst", "Epidermal cyst", "Trichilemmal cyst", "Pilar cyst", "Milium", "Sebaceous cyst",
    ),
    _of(
        _B, "scar", _("Scar"), "L90.5", _("Skin that has healed after an injury, an operation or an inflammation."),
        "Cicatrix",
    ),
    _of(
        _B, "keloid", _("Keloid or hypertrophic scar"), "L91.0",
        _("A harmless scar that has grown thick; a keloid also grows beyond the wound."),
        "Keloid", "Hypertrophic scar",
    ),
    _of(
        _B, "haemorrhage", _("Bleeding into the skin or under a nail"), "T14.0",
        _("Blood in the skin or under a nail, mostly after an injury or pressure. It grows out or fades within weeks "
          "or months; if it does not, it should be looked at again."),
        "Haematoma", "Hematoma", "Subungual haematoma", "Subungual hematoma", "Subungual haemorrhage",
        "Subungual hemorrhage", "Bruise", "Talon noir", "Black heel",
    ),
    _of(
        _B, "pigmentation", _("Post-inflammatory pigmentation"), "L81.0",
        _("Harmless darkening of the skin that remains after inflammation or an injury. It fades slowly."),
        "Postinflammatory hyperpigmentation", "Post-inflammatory hyperpigmentation",
    ),
    _of(
        _B, "porokeratosis", _("Porokeratosis"), "Q82.8",
        _("A ring-shaped rough patch with a thin raised edge. It is harmless in itself; a skin cancer can rarely form "
          "in it, so changes should be shown to a doctor."),
        "Disseminated superficial actinic porokeratosis", "DSAP",
    ),
    _of(
        _B, "cnh", _("Chondrodermatitis nodularis of the ear"), "H61.0",
        _("A harmless but tender small lump on the edge of the ear, caused by pressure."),
        "Chondrodermatitis nodularis helicis", "Chondrodermatitis nodularis", "CNH",
    ),
    _of(
        _B, "dermatitis", _("Dermatitis (eczema)"), "L30.9",
        _("An inflammation of the skin that itches. It is not infectious, and is treated with creams."),
        "Dermatitis", "Eczema", "Atopic dermatitis", "Contact dermatitis", "Seborrhoeic dermatitis",
        "Seborrheic dermatitis", "Nummular eczema", "Discoid eczema", snomed_ct="43116000",
    ),
    _of(
        _B, "psoriasis", _("Psoriasis"), "L40.9",
        _("A long-lasting inflammation of the skin with red scaly patches. It is not infectious and can be treated."),
        "Plaque psoriasis", "Psoriasis vulgaris", snomed_ct="9014002",
    ),
    _of(
        _B, "lichen_planus", _("Lichen planus"), "L43.9",
        _("An itching inflammation of the skin with flat purple bumps. It is not infectious and mostly goes away "
          "within two years."),
        "Lichen ruber planus", snomed_ct="4776004",
    ),
    _of(
        _B, "prurigo", _("Prurigo nodularis or lichen simplex"), "L28",
        _("Thickened, itching skin that comes from scratching. Treating the itch lets it heal."),
        "Prurigo nodularis", "Prurigo", "Lichen simplex", "Lichen simplex chronicus", "Neurodermatitis",
    ),
    _of(
        _B, "granuloma_ann", _("Granuloma annulare"), "L92.0",
        _("A harmless inflammation with rings of small firm bumps that mostly goes away by itself."),
    ),
    _of(
        _B, "lupus", _("Cutaneous lupus erythematosus"), "L93.0",
        _("An inflammation of the skin that light makes worse. It is treated, and other organs are examined."),
        "Discoid lupus erythematosus", "Discoid lupus", "DLE", "Lupus erythematosus",
    ),
    _of(
        _B, "rosacea", _("Rosacea"), "L71.9",
        _("A long-lasting redness of the face with visible vessels and pimples. It is harmless and can be treated."),
    ),
    _of(
        _B, "wart", _("Viral wart"), "B07",
        _("A harmless growth caused by a virus. It mostly goes away by itself or with treatment."),
        "Wart", "Verruca", "Verruca vulgaris", "Common wart", "Plantar wart",
    ),
    _of(
        _B, "molluscum", _("Molluscum contagiosum"), "B08.1",
        _("Harmless small pearly bumps caused by a virus. They spread by touch and mostly go away by themselves."),
        "Molluscum", "Mollusca contagiosa", snomed_ct="40070004",
    ),
    _of(
        _B, "tinea", _("Tinea (ringworm)"), "B35.9",
        _("A fungal infection. It spreads by touch and is treated with an antifungal medicine."),
        "Tinea", "Ringworm", "Dermatophytosis", "Tinea corporis", "Tinea pedis", "Fungal infection",
    ),
    _of(
        _B, "abscess", _("Boil or abscess"), "L02.9",
        _("A bacterial infection that forms pus. It may need to be opened or treated with an antibiotic."),
        "Abscess", "Boil", "Furuncle", "Carbuncle",
    ),
)  # fmt: skip

# Other names of the seven that are recognised when typed.
_NAMES_OF_THE_SEVEN: dict[str, tuple[str, ...]] = {
    "akiec": ("Actinic keratosis", "Solar keratosis", "AK", "Bowen's disease", "Bowen disease", "Morbus Bowen",
              "Squamous cell carcinoma in situ", "SCC in situ", "Intraepithelial carcinoma"),
    "bcc": ("BCC", "Basal cell cancer", "Basalioma", "Basal cell epithelioma"),
    "bkl": ("Seborrhoeic keratosis", "Seborrheic keratosis", "Solar lentigo", "Lichen planus-like keratosis", "LPLK",
            "Lichenoid keratosis", "Seborrhoeic wart"),
    "df": ("Histiocytoma", "Fibrous histiocytoma"),
    "mel": ("Malignant melanoma", "Melanoma in situ", "Superficial spreading melanoma", "Nodular melanoma",
            "Acral lentiginous melanoma", "Amelanotic melanoma", "Lentigo maligna melanoma"),
    "nv": ("Mole", "Nevus", "Melanocytic nevus", "Benign nevus", "Compound nevus", "Junctional nevus", "Dermal nevus",
           "Intradermal nevus", "Congenital nevus", "Halo nevus"),
    "vasc": ("Haemangioma", "Hemangioma", "Cherry angioma", "Angioma", "Angiokeratoma", "Pyogenic granuloma"),
}  # fmt: skip

# Parts of words that name a cancer, in English, German and other languages.
_OF_CANCER = (
    "carcin", "karzin", "cancer", "krebs", "melanom", "sarcom", "sarkom", "lymphom", "metasta", "malign", "basaliom",
)  # fmt: skip

OUTSIDE_THE_SEVEN: tuple[str, ...] = tuple(diagnosis.code for diagnosis in DIAGNOSES)
BY_CODE: dict[str, Condition] = {condition.code: condition for condition in (*CONDITIONS, *DIAGNOSES)}


def by_malignancy() -> list[tuple[Malignancy, list[Diagnosis]]]:
    """Return the diagnoses outside the seven by malignancy, malignant ones first."""
    groups = groupby(DIAGNOSES, key=lambda each: each.malignancy)
    return [(malignancy, list(diagnoses)) for malignancy, diagnoses in groups]


def recognise(text: str) -> str:
    """Return the code of the diagnosis with this name or synonym; empty if there is none."""
    return _BY_NAME.get(_folded(text), "")


def sounds_malignant(text: str) -> bool:
    """Return whether free text names a cancer, even if misspelt."""
    if any(stem in _folded(text) for stem in _OF_CANCER):
        return True
    codes = resembling(text)
    return bool(codes) and all(BY_CODE[code].is_malignant for code in codes)


def resembling(text: str) -> list[str]:
    """Return the codes of the few diagnoses that typed text may mean.

    They are found by a name within the text, by the beginnings of words, or by similar spelling. Beginnings that match
    more than ``MOST_RESEMBLING`` diagnoses are too ambiguous and match none.
    """
    typed = _folded(text)
    words = typed.split()
    if not words or len(typed) < 3:
        return []
    within = [name for name in _BY_NAME if len(name) >= 3 and f" {name} " in f" {typed} "]
    if within:
        return _codes(sorted(within, key=len, reverse=True))[:MOST_RESEMBLING]
    if len(max(words, key=len)) < 4:
        return []
    codes = _codes(name for name in _LONG_NAMES if _begin(words, name.split()))
    if codes:
        return codes if len(codes) <= MOST_RESEMBLING else []
    if close := get_close_matches(typed, _LONG_NAMES, n=MOST_RESEMBLING, cutoff=0.85):
        return _codes(close)
    similar = [name for name in _LONG_NAMES if all(_is_nearly_in(each, name.split()) for each in words)]
    return _codes(sorted(similar, key=lambda name: -_likeness(typed, name)))[:MOST_RESEMBLING]


def _codes(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(_BY_NAME[name] for name in names))


def _begin(typed: Iterable[str], words: Iterable[str]) -> bool:
    """Return whether each typed word begins one of ``words``."""
    return all(any(word.startswith(each) for word in words) for each in typed)


def _is_nearly_in(typed: str, words: Iterable[str]) -> bool:
    """Return whether a typed word begins one of ``words``, or resembles one or its beginning."""
    return any(
        word.startswith(typed)
        or (len(typed) >= 5 and max(_likeness(typed, word), _likeness(typed, word[: len(typed)])) >= 0.8)
        for word in words
    )


def _likeness(typed: str, name: str) -> float:
    return SequenceMatcher(None, typed, name).ratio()


def _folded(text: str) -> str:
    """Return the text in lower case without accents and punctuation, in American spelling."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    words = " ".join(re.findall(r"[a-z0-9]+", re.sub(r"[\u0300-\u036f'’ʼ‘]", "", plain)))
    for british, american in (("naev", "nev"), ("haem", "hem"), ("tumour", "tumor"), ("rrhoe", "rrhe")):
        words = words.replace(british, american)
    return words


def _names() -> Iterable[tuple[str, str]]:
    for diagnosis in DIAGNOSES:
        for name in (diagnosis.name, *diagnosis.synonyms):
            yield name, diagnosis.code
    for condition in CONDITIONS:
        for name in (condition.name, *_NAMES_OF_THE_SEVEN[condition.code]):
            yield name, condition.code


def _validated() -> dict[str, str]:
    """Return every folded name with its code. An inconsistent list is a programming error and fails on import."""
    if len(BY_CODE) != len(CONDITIONS) + len(DIAGNOSES):
        raise ValueError("two diagnoses share a code")
    for diagnosis in DIAGNOSES:
        if not re.fullmatch(r"[a-z_]+", diagnosis.code) or len(diagnosis.code) > LONGEST_CODE:
            raise ValueError(f"{diagnosis.code} is not a code of at most {LONGEST_CODE} lower-case letters")
        if not re.fullmatch(r"[A-Z]\d\d(\.\d)?", diagnosis.icd10):
            raise ValueError(f"{diagnosis.code} has no ICD-10 code")
        if not diagnosis.line or (diagnosis.article and diagnosis.article not in SEVEN):
            raise ValueError(f"{diagnosis.code} has no explanation, or refers to an article that does not exist")
    if sorted(DIAGNOSES, key=lambda each: [_M, _U, _B].index(each.malignancy)) != list(DIAGNOSES):
        raise ValueError("malignant diagnoses must come first, benign ones last")
    by_name: dict[str, str] = {}
    for name, code in _names():
        if by_name.setdefault(_folded(name), code) != code:
            raise ValueError(f"{name} is both {by_name[_folded(name)]} and {code}")
    return by_name


_BY_NAME = _validated()
# Short names and abbreviations resemble too many others.
_LONG_NAMES = [name for name in _BY_NAME if len(name) >= 6]
