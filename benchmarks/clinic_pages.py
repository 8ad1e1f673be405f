"""The pages of a large clinic that ``benchmarks.pages`` asks for: each list, the filters, and one of each record."""

from typing import Any
from urllib.parse import urlencode

from benchmarks.large_clinic import key_of

# By name: what is asked for. “All” and “few” say how much is found.
FILTERS = {
    "urgent": {"tier": "urgent"},
    "watch": {"tier": "watch"},
    "not judged (few)": {"tier": "not-judged"},
    "calm": {"tier": "calm"},
    "malignant": {"label": "malignant"},
    "benign": {"label": "benign"},
    "disputed (few)": {"label": "disputed"},
    "no label": {"label": "none"},
    "labelled bcc (few)": {"label": "bcc"},
    "labelled nevus (most)": {"label": "nv"},
    "nail (few)": {"site": "nail"},
    "on the back": {"site": "back"},
    "of one month": {"since": "{month}", "until": "{today}"},
    "signed (none)": {"status": "signed"},
    "no plan": {"plan": "none"},
    "no result after 30 days (few)": {"result": "late"},
    "read by one who reads much": {"reader": "{dermatologist}"},
    "read by one who reads little": {"reader": "{visiting}"},
    "calm, on a nail": {"tier": "calm", "site": "nail"},
    "urgent, no plan, read by one": {"tier": "urgent", "plan": "none", "reader": "{dermatologist}"},
    "not judged, disputed (none)": {"tier": "not-judged", "label": "disputed"},
    "by a name, urgent": {"q": "Family12", "tier": "urgent"},
    "calm, page 20": {"tier": "calm", "page": "20"},
}

Page = tuple[str, Any, list[str]]


def pages(people: dict[str, Any]) -> list[Page]:
    """Return a name, the member who asks, and the addresses that are asked for in turn."""
    return [*_lists(people), *_filtered(people), *_records(people), *_admin(people["dermatologist"])]


def _lists(people: dict[str, Any]) -> list[Page]:
    staff, dermatologist, elsewhere = people["staff"], people["dermatologist"], people["elsewhere"]
    return [
        ("the page of the network: the header alone", staff, ["/network/"]),
        ("patients, first page", staff, ["/patients/"]),
        ("patients, page 200", staff, ["/patients/?page=200"]),
        ("patients, search by name", staff, [f"/patients/?q=Family{n}" for n in range(0, 900, 45)]),
        ("patients, search by record number", staff, [f"/patients/?q=R{n:07}" for n in range(0, 900, 45)]),
        ("patients, search by birth date", staff, ["/patients/?q=1950-03-04", "/patients/?q=1971-01-02"]),
        ("today, staff", staff, ["/today/"]),
        ("today, dermatologist", dermatologist, ["/today/"]),
        ("today of a small clinic", elsewhere, ["/today/"]),
        *(
            (f"today, {code}, page {page}", dermatologist, [f"/today/{code}/?page={page}"])
            for code, page in (("urgent", 1), ("overdue", 5), ("results", 3), ("drafts", 5))
        ),
        ("visits", staff, ["/visits/"]),
        ("visits, page 20", staff, ["/visits/?page=20"]),
        ("visits, open, page 20", staff, ["/visits/?status=open&page=20"]),
        ("visits of a small clinic", elsewhere, ["/visits/"]),
        ("lesions", staff, ["/lesions/"]),
        ("lesions, dermatologist", dermatologist, ["/lesions/"]),
        ("lesions of a small clinic", elsewhere, ["/lesions/"]),
        ("lesions of a small clinic, calm", elsewhere, ["/lesions/?tier=calm"]),
        ("specimens and results", staff, ["/outcomes/awaited/"]),
        ("missed diagnoses", dermatologist, ["/outcomes/misses/"]),
        ("second opinions", dermatologist, ["/opinions/"]),
        ("reminders", staff, ["/reminders/"]),
    ]


def _filtered(people: dict[str, Any]) -> list[Page]:
    import datetime

    today = datetime.date.today()
    words = {"today": today.isoformat(), "month": (today - datetime.timedelta(days=30)).isoformat()}
    words |= {name: str(member.pk) for name, member in people.items()}
    found = []
    for listing in ("lesions", "visits"):
        for name, query in FILTERS.items():
            asked = urlencode({field: value.format(**words) for field, value in query.items()})
            found.append((f"{listing}, {name}", people["staff"], [f"/{listing}/?{asked}"]))
        for name in ("calm", "labelled bcc (few)", "no plan"):
            address = f"/{listing}/csv/?{urlencode(FILTERS[name])}"
            found.append((f"{listing}, {name}: CSV, first line", people["staff"], [address]))
    return found


def _records(people: dict[str, Any]) -> list[Page]:
    from diagnosis.images.models import Image
    from patients.models import Lesion, Patient, Visit

    def some(model: Any, *, then: str = "") -> list[str]:
        return [f"{model(pk=key_of(n)).get_absolute_url()}{then}" for n in range(20, 40)]

    followed = Lesion(pk=key_of(0)).get_absolute_url()
    staff, dermatologist = people["staff"], people["dermatologist"]
    return [
        ("patient", staff, some(Patient)),
        ("patient, dermatologist", dermatologist, some(Patient)),
        ("a patient's history", dermatologist, some(Patient, then="history/")),
        ("body map", staff, some(Patient, then="map/")),
        ("visit", staff, some(Visit)),
        ("visit, dermatologist", dermatologist, some(Visit)),
        ("lesion over time", staff, some(Lesion)),
        ("lesion over time, dermatologist", dermatologist, some(Lesion)),
        ("lesion with 60 photographs", staff, [followed]),
        ("compare", staff, some(Lesion, then="compare/")),
        ("result", staff, some(Image)),
        ("result, dermatologist", dermatologist, some(Image)),
    ]


def _admin(dermatologist: Any) -> list[Page]:
    images, predictions = "/admin/diagnosis/image/", "/admin/diagnosis/prediction/"
    asked = {
        "photographs": images,
        "photographs, page 2": f"{images}?p=2",
        "photographs that wait for review": f"{images}?review=needed",
        "photographs not analysed": f"{images}?review=not-judged",
        **{f"photographs, {tier} tier": f"{images}?tier={tier}" for tier in ("urgent", "watch", "calm")},
        "those that wait, urgent tier": f"{images}?review=needed&tier=urgent",
        "confirmed photographs": f"{images}?review=confirmed",
        "predictions": predictions,
        **{f"predictions, {tier} tier": f"{predictions}?tier={tier}" for tier in ("urgent", "watch", "calm")},
        **{f"predictions, {code}": f"{predictions}?explained={code}" for code in ("mel", "df")},
        "review queue": "/admin/diagnosis/queueentry/",
        "patients": "/admin/patients/patient/",
        "visits": "/admin/patients/visit/",
        "lesions": "/admin/patients/lesion/",
        "reports": "/admin/diagnosis/report/",
    }
    searched = {
        f"{name} of a patient": [f"{address}?q=R{n:07}" for n in range(20)]
        for name, address in (("photographs", images), ("predictions", predictions), ("visits", asked["visits"]))
    }
    addresses = {**{name: [address] for name, address in asked.items()}, **searched}
    return [(f"admin: {name}", dermatologist, paths) for name, paths in addresses.items()]
