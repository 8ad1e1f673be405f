"""What leaves the house: every byte of it, with real records in the database."""

import base64
import datetime
import hashlib
import json
import re
from typing import Any

import pytest
from django.core.files.base import ContentFile

from diagnosis.assessment.explain import explain
from diagnosis.images.models import Image, QualityVerdict
from mlmodel.explanations.explained import SECTIONS
from mlmodel.explanations.library import entry_of
from mlmodel.taxonomy import CODES
from patients.models import Role
from tests import factories
from tests.gemini_server import KEY, good

LEVELS = ("patient", "clinician")
HEADERS = {
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "host",
    "user-agent",
    "x-goog-api-client",
    "x-goog-api-key",
    "x-server-timeout",
}
# The records are committed: whoever would leak them, from whatever thread, could see them.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.services]


@pytest.fixture
def records(photograph) -> list[str]:
    """A clinic with one patient, visit, lesion and photograph; return every word that is theirs."""
    clinic: Any = factories.ClinicFactory(name="Quillfeather Infirmary")
    member: Any = factories.MemberFactory(
        clinic=clinic, role=Role.DERMATOLOGIST, user__first_name="Thaddeus", user__last_name="Wrigglesworth"
    )
    patient: Any = factories.PatientFactory(
        clinic=clinic,
        created_by=member,
        record_number="MRN-83190427",
        given_name="Zbigniewa",
        family_name="Quartermaine",
        birth_date=datetime.date(1961, 7, 23),
    )
    lesion: Any = factories.LesionFactory(
        patient=patient, description="Below the vaccination pockmark", created_by=member
    )
    visit: Any = factories.VisitFactory(
        patient=patient,
        clinician=member,
        date=datetime.date(2026, 3, 19),
        complaint="Xylophonist's freckle bothers her",
        symptoms_since="Michaelmas",
        history="Gardened in Mozambique",
        notes="Anxious; sister had lymphoma",
        plan="Telephone on Thursday",
    )
    digest = hashlib.sha256(photograph).hexdigest()
    image = Image.objects.create(
        visit=visit,
        lesion=lesion,
        uploaded_by=member,
        original=ContentFile(photograph, name="x.jpg"),
        display=ContentFile(photograph, name="x.jpg"),
        thumbnail=ContentFile(photograph, name="x.jpg"),
        original_name="zbigniewa_shoulder.jpg",
        media_type="image/jpeg",
        sha256=digest,
        width=600,
        height=450,
        verdict=QualityVerdict.ACCEPTED,
    )
    whole = [
        clinic.name,
        member.user.username,
        member.user.email,
        "Thaddeus",
        "Wrigglesworth",
        patient.record_number,
        patient.given_name,
        patient.family_name,
        "1961-07-23",
        "2026-03-19",
        image.original_name,
        digest,
        *(str(record.pk) for record in (patient, lesion, visit, image)),
        *(record.pk.hex for record in (patient, lesion, visit, image)),
        base64.b64encode(photograph[:60]).decode()[:76],
    ]
    sentences = [lesion.description, visit.complaint, visit.symptoms_since, visit.history, visit.notes, visit.plan]
    rare = re.findall(
        r"pockmark|vaccination|Xylophonist|freckle bothers|Michaelmas|Gardened|Mozambique|Anxious|lymphoma|Thursday",
        " ".join(sentences),
    )
    assert len(rare) == 10
    return whole + sentences + rare


def test_no_word_and_no_picture_of_a_patient_leaves(gemini, records, photograph):
    for code in CODES:
        for level in LEVELS:
            gemini.play(good())
            explain(code=code, reading_level=level)

    assert len(gemini.requests) == len(CODES) * len(LEVELS)
    for request in gemini.requests:
        sent = request.raw.decode("utf-8").lower()
        assert [word for word in records if word.lower() in sent] == []
        assert photograph[:16] not in request.raw
        # Hex digests and keys of records would show here, whatever they are called.
        assert re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{32}", sent) == []


def test_only_condition_language_and_level_differ_between_requests(gemini, records):
    """The body is, to the byte, what the fixed rules, the library and the three choices make it."""
    explain(code="nv", language="de", reading_level="clinician")

    request = gemini.requests[0]
    entry = entry_of("nv", "clinician")
    rest = request.words
    for known in ("Condition: Melanocytic nevus\nLanguage: German (de)\n", entry.urgency, *entry.sections.values()):
        assert known in rest
        rest = rest.replace(known, "", 1)
    explain(code="df", language="fr", reading_level="clinician")
    other, entry = gemini.requests[1].words, entry_of("df", "clinician")
    for known in ("Condition: Dermatofibroma\nLanguage: French (fr)\n", entry.urgency, *entry.sections.values()):
        other = other.replace(known, "", 1)
    assert rest == other


def test_the_request_holds_one_text_and_settings_and_nothing_else(gemini, records):
    explain(code="mel")

    content = gemini.requests[0].json
    assert set(content) == {"contents", "generationConfig"}
    assert [set(part) for item in content["contents"] for part in item["parts"]] == [{"text"}]
    assert set(content["generationConfig"]) <= {
        "candidateCount",
        "maxOutputTokens",
        "responseMimeType",
        "responseSchema",
        "temperature",
        "thinkingConfig",
    }
    assert set(content["generationConfig"]["responseSchema"]["properties"]) == {"urgency", *SECTIONS}
    assert "inlineData" not in json.dumps(content)


def test_the_headers_are_the_clients_own(gemini, records):
    explain(code="mel")

    request = gemini.requests[0]
    assert {name.lower() for name in request.headers} <= HEADERS
    # The key travels in its header alone: addresses end up in proxies' logs.
    assert KEY not in request.line
    assert request.raw.count(KEY.encode()) == 1
    assert "?" not in request.line
