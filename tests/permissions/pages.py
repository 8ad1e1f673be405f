"""Expected responses of the site's own pages and of the API, by URL name."""

from diagnosis.record.today.sections import SectionCode
from diagnosis.retraining.views.network import report_facts
from mlmodel.network.analyser import get_analyser
from patients.models import Purpose
from tests.permissions.answers import (
    CLINIC,
    NOT_HERE,
    Case,
    clinic,
    dermatologists,
    everyone,
    members_of_the_api,
    own_clinic,
    signed_in,
)

PATIENT = {"patient_id": "patient"}
OPEN_VISIT, RELEASED_VISIT = {"visit_id": "open_visit"}, {"visit_id": "released_visit"}
SIGNED_VISIT = {"visit_id": "signed_visit"}
IMAGE, REFUSED_IMAGE = {"image_id": "open_image"}, {"image_id": "refused_image"}
OPINION = {"request_id": "opinion"}
DEVICE = {"device_id": "device"}
RELEASED_IMAGE = {"image_id": "released_image"}

# The bundled network has a report; other networks have none.
REPORT = 200 if report_facts(get_analyser()) else 404

PAGES: dict[str, list[Case]] = {
    # Pages for anyone
    "home": [Case(get=everyone(200), post=NOT_HERE)],
    "start": [Case(get=everyone(302), post=NOT_HERE)],
    "about": [Case(get=everyone(200), post=NOT_HERE)],
    "contact": [Case(get=everyone(200), post=everyone(200))],
    "contact-thanks": [Case(get=everyone(200), post=NOT_HERE)],
    "quick-check": [Case(get=everyone(200), post=everyone(400))],
    "session": [Case(get=everyone(200, anonymous=401), post=NOT_HERE)],
    "favicon": [Case(get=everyone(302), post=NOT_HERE)],
    # The active network; its report exists only if it came with one
    "network": [Case(get=clinic(200, superuser=200), post=clinic(405, superuser=405))],
    "versions": [Case(get=clinic(200, superuser=200), post=clinic(405, superuser=405))],
    "version-history": [Case(get=clinic(200, superuser=200), post=clinic(405, superuser=405))],
    "version-proposal": [
        Case(
            ids={"version_id": "version", "proposal_id": "proposal"},
            get=clinic(405, superuser=405),
            post=dermatologists(302, stranger=302, superuser=302),
        )
    ],
    "version": [
        Case(
            ids={"version_id": "version"},
            get=clinic(200, superuser=200),
            post=dermatologists(302, stranger=302, superuser=302),
        )
    ],
    **{
        name: [Case(get=clinic(REPORT, superuser=REPORT), post=clinic(405, superuser=405))]
        for name in ("network-report", "network-report-json")
    },
    # Patients, visits, lesions
    "patients": [Case(get=clinic(200), post=clinic(200))],
    "patient-new": [Case(get=clinic(200), post=clinic(200))],
    "patient": [Case(ids=PATIENT, get=own_clinic(200), post=clinic(405))],
    "patient-edit": [Case(ids=PATIENT, get=own_clinic(200), post=own_clinic(200))],
    "patient-account": [Case(ids=PATIENT, get=own_clinic(200), post=own_clinic(200))],
    "patient-account-close": [Case(ids=PATIENT, get=own_clinic(200), post=own_clinic(200))],
    "message-again": [
        Case(ids={"message_id": "message"}, get=clinic(405), post=own_clinic(302)),
    ],
    "patient-consent": [
        Case(ids=PATIENT, words={"purpose": purpose}, get=own_clinic(200), post=own_clinic(200))
        for purpose in Purpose.values
    ],
    "patient-risk": [Case(ids=PATIENT, get=own_clinic(200), post=own_clinic(200))],
    "lesion-symptoms": [
        Case(ids={**OPEN_VISIT, "lesion_id": "lesion"}, get=own_clinic(200), post=own_clinic(200)),
        # The lesion was photographed at another visit of the patient; this visit is signed.
        Case(ids={**SIGNED_VISIT, "lesion_id": "lesion"}, get=own_clinic(302), post=own_clinic(302)),
    ],
    "privacy-mode": [Case(get=clinic(405), post=clinic(302))],
    "visit-new": [Case(ids=PATIENT, get=own_clinic(200), post=own_clinic(200))],
    "lesion-new": [Case(ids=PATIENT, get=own_clinic(200), post=own_clinic(200))],
    "visits": [Case(get=clinic(200), post=clinic(405))],
    "lesions": [Case(get=clinic(200), post=clinic(405))],
    **{name: [Case(get=clinic(200), post=clinic(405))] for name in ("visits-csv", "lesions-csv")},
    "filter-save": [Case(get=clinic(405), post=clinic(302))],
    "filter-delete": [Case(ids={"filter_id": "saved_filter"}, get=clinic(405), post=clinic(404, staff=302))],
    "visit": [Case(ids=OPEN_VISIT, get=own_clinic(200), post=clinic(405))],
    "visit-edit": [
        Case(ids=OPEN_VISIT, get=own_clinic(200), post=own_clinic(200)),
        Case(ids=SIGNED_VISIT, get=own_clinic(302), post=own_clinic(302)),
    ],
    "lesion": [Case(ids={"lesion_id": "lesion"}, get=own_clinic(200), post=clinic(405))],
    "lesion-edit": [Case(ids={"lesion_id": "lesion"}, get=own_clinic(200), post=own_clinic(200))],
    "lesion-compare": [Case(ids={"lesion_id": "lesion"}, get=own_clinic(200), post=clinic(405))],
    "lesion-change": [
        Case(
            ids={"lesion_id": "lesion", "first_id": "earlier_image", "second_id": "open_image"},
            get=own_clinic(200),
            post=clinic(405),
        )
    ],
    # Specimens, laboratory results, closed lesions
    "specimen-new": [Case(ids={"lesion_id": "lesion"}, get=own_clinic(200), post=own_clinic(422))],
    "specimen-withdraw": [Case(ids={"specimen_id": "specimen"}, get=own_clinic(200), post=own_clinic(422))],
    "pathology-new": [Case(ids={"specimen_id": "specimen"}, get=own_clinic(200), post=own_clinic(422))],
    "pathology": [Case(ids={"result_id": "pathology"}, get=own_clinic(200), post=clinic(405))],
    "pathology-file": [Case(ids={"result_id": "pathology"}, get=own_clinic(200), post=clinic(405))],
    "pathology-confirm": [
        Case(ids={"result_id": "pathology"}, get=dermatologists(405, stranger=405), post=dermatologists(302))
    ],
    "pathology-withdraw": [Case(ids={"result_id": "pathology"}, get=own_clinic(200), post=own_clinic(422))],
    "lesion-close": [Case(ids={"lesion_id": "lesion"}, get=dermatologists(200), post=dermatologists(422))],
    "lesion-reopen": [Case(ids={"lesion_id": "lesion"}, get=dermatologists(302), post=dermatologists(422))],
    "outcomes-awaited": [Case(get=clinic(200), post=clinic(405))],
    "outcomes-misses": [Case(get=clinic(200, staff=403), post=clinic(405, staff=403))],
    # Plans, what is due, reminders
    "today": [Case(get=clinic(200), post=clinic(405))],
    "today-filter": [Case(get=clinic(405), post=clinic(302))],
    "today-section": [Case(words={"code": code}, get=clinic(200), post=clinic(405)) for code in SectionCode.values],
    "lesion-plan": [Case(ids={"lesion_id": "lesion"}, get=own_clinic(200), post=own_clinic(422))],
    "plan-done": [Case(ids={"plan_id": "plan"}, get=clinic(405), post=own_clinic(302))],
    "plan-cancel": [Case(ids={"plan_id": "plan"}, get=dermatologists(200), post=dermatologists(422))],
    "reminders": [Case(get=clinic(200), post=signed_in(403, manager=302))],
    **{
        name: [Case(ids=PATIENT, get=clinic(405), post=own_clinic(302))]
        for name in ("reminders-stop", "reminders-resume")
    },
    "patient-history": [Case(ids=PATIENT, get=own_clinic(200), post=clinic(405))],
    "visit-history": [Case(ids=OPEN_VISIT, get=own_clinic(200), post=clinic(405))],
    "lesion-history": [Case(ids={"lesion_id": "lesion"}, get=own_clinic(200), post=clinic(405))],
    **{
        f"{kind}-history": [
            Case(
                ids={f"{kind}_id": f"patients.{kind}"},
                get=signed_in(403, manager=200, superuser=200),
                post=signed_in(403, manager=405, superuser=405),
            )
        ]
        for kind in ("clinic", "member")
    },
    "body-map": [Case(ids=PATIENT, get=own_clinic(200), post=clinic(405))],
    "lesion-place": [Case(ids={"lesion_id": "lesion"}, get=own_clinic(200), post=own_clinic(200))],
    # Photographs
    "upload": [
        Case(ids=OPEN_VISIT, get=own_clinic(200), post=own_clinic(400)),
        Case(ids=SIGNED_VISIT, get=own_clinic(302), post=own_clinic(409)),
    ],
    "upload-lesion": [
        Case(ids=OPEN_VISIT, get=clinic(405), post=own_clinic(422)),
        Case(ids=SIGNED_VISIT, get=clinic(405), post=own_clinic(409)),
    ],
    "image-facts": [Case(ids=IMAGE, get=own_clinic(200), post=own_clinic(302))],
    # Devices: everyone in the clinic sees them, dermatologists and managers change them
    "devices": [Case(get=clinic(200), post=clinic(405))],
    "device-new": [
        Case(
            get=signed_in(403, dermatologist=200, manager=200, stranger=200),
            post=signed_in(403, dermatologist=422, manager=422, stranger=422),
        )
    ],
    "device": [
        Case(
            ids=DEVICE,
            get=own_clinic(200),
            post=signed_in(403, dermatologist=409, manager=409, stranger=404),  # an empty form is stale
        )
    ],
    "device-calibration": [
        Case(
            ids=DEVICE,
            get=clinic(405),
            post=signed_in(403, dermatologist=422, manager=422, stranger=404),
        )
    ],
    "image": [
        Case(ids=IMAGE, get=own_clinic(200), post=clinic(405)),
        Case(ids=REFUSED_IMAGE, get=own_clinic(200), post=clinic(405)),
    ],
    "image-explanation": [Case(ids=IMAGE, get=own_clinic(200), post=clinic(405))],
    "image-similar": [
        Case(ids=IMAGE, get=own_clinic(200), post=clinic(405)),
        Case(ids=REFUSED_IMAGE, get=own_clinic(200), post=clinic(405)),
    ],
    "image-override": [
        Case(ids=REFUSED_IMAGE, get=dermatologists(405, stranger=405), post=dermatologists(422)),
    ],
    "image-review": [Case(ids=IMAGE, get=dermatologists(405, stranger=405), post=dermatologists(422))],
    "image-exclude": [Case(ids=IMAGE, get=own_clinic(200), post=own_clinic(422))],
    "image-move": [Case(ids=IMAGE, get=own_clinic(200), post=own_clinic(422))],
    "lesion-move": [Case(ids={"lesion_id": "lesion"}, get=own_clinic(200), post=own_clinic(422))],
    "visit-move": [Case(ids=visit, get=own_clinic(200), post=own_clinic(422)) for visit in (OPEN_VISIT, SIGNED_VISIT)],
    "visit-void": [
        Case(ids=OPEN_VISIT, get=own_clinic(200), post=own_clinic(422)),
        # Staff do not void what is signed.
        Case(ids=SIGNED_VISIT, get=own_clinic(200, staff=422), post=own_clinic(422)),
    ],
    "patient-merge": [Case(ids=PATIENT, get=own_clinic(200), post=own_clinic(422))],
    "correction": [Case(ids={"correction_id": "correction"}, get=own_clinic(200), post=own_clinic(422))],
    "image-undo-exclusion": [Case(ids=IMAGE, get=clinic(405), post=own_clinic(302))],
    "image-scale": [Case(ids=IMAGE, get=clinic(405), post=own_clinic(302))],
    "image-analyse": [Case(ids=IMAGE, get=clinic(405), post=own_clinic(302))],
    "image-file": [
        *(
            Case(
                ids=RELEASED_IMAGE,
                words={"kind": kind},
                get=signed_in(404, **dict.fromkeys((*CLINIC, "patient"), 200)),
                post=signed_in(405),
            )
            for kind in ("display", "thumbnail", "full", "heat-map")
        ),
        *(
            Case(
                ids=image,
                words={"kind": kind},
                get=signed_in(404, **dict.fromkeys(CLINIC, 200)),
                post=signed_in(405),
            )
            for image, kind in (
                (RELEASED_IMAGE, "original"),
                (IMAGE, "display"),
                (IMAGE, "thumbnail"),
                (IMAGE, "full"),
                (IMAGE, "heat-map"),
                (IMAGE, "original"),
                (REFUSED_IMAGE, "original"),
            )
        ),
    ],
    # Second opinions: asked by dermatologists, answered through a signed link (tests/diagnosis/opinions)
    "opinion-ask": [Case(ids={"lesion_id": "lesion"}, get=dermatologists(200), post=dermatologists(422))],
    "opinions": [Case(get=dermatologists(200, stranger=200), post=dermatologists(405, stranger=405))],
    "opinion": [Case(ids=OPINION, get=dermatologists(200), post=dermatologists(405, stranger=405))],
    "opinion-answer": [Case(ids=OPINION, get=dermatologists(405, stranger=405), post=dermatologists(422))],
    "opinion-revoke": [Case(ids=OPINION, get=dermatologists(405, stranger=405), post=dermatologists(302))],
    "opinion-new-code": [Case(ids=OPINION, get=dermatologists(405, stranger=405), post=dermatologists(201))],
    **{
        name: [
            Case(ids=OPINION, words={"signature": "unknown"}, get=everyone(get), post=everyone(404)),
        ]
        for name, get in (("shared-opinion", 404), ("shared-opinion-answer", 405))
    },
    "shared-opinion-photograph": [
        Case(ids=OPINION, words={"signature": "unknown", "number": "1"}, get=everyone(404), post=everyone(405))
    ],
    # Reports
    "visit-sign": [
        Case(ids=OPEN_VISIT, get=dermatologists(200), post=dermatologists(422)),
        Case(ids=SIGNED_VISIT, get=dermatologists(302), post=dermatologists(302)),
    ],
    "visit-release": [
        Case(ids=SIGNED_VISIT, get=dermatologists(405, stranger=405), post=dermatologists(302)),
        Case(ids=OPEN_VISIT, get=dermatologists(405, stranger=405), post=dermatologists(302)),
    ],
    **{
        name: [
            Case(ids=SIGNED_VISIT, get=dermatologists(405, stranger=405), post=dermatologists(302)),
            Case(ids=OPEN_VISIT, get=dermatologists(405, stranger=405), post=dermatologists(302)),
        ]
        for name in ("visit-withhold", "visit-release-again")
    },
    "visit-preview": [
        Case(ids=OPEN_VISIT, get=dermatologists(405, stranger=405), post=dermatologists(422)),  # a step is missing
        Case(ids=SIGNED_VISIT, get=dermatologists(405, stranger=405), post=dermatologists(302)),
    ],
    "visit-addendum": [
        Case(ids=SIGNED_VISIT, get=dermatologists(200), post=dermatologists(422)),
        Case(ids=OPEN_VISIT, get=dermatologists(302), post=dermatologists(302)),
    ],
    **{
        f"{record}-{kind}": [
            Case(
                ids={f"{record}_id": f"released_{record}"},
                get=signed_in(404, **dict.fromkeys((*CLINIC, "patient"), 200)),
                post=signed_in(405),
            ),
            Case(
                ids={f"{record}_id": f"signed_{record}"},
                get=signed_in(404, **dict.fromkeys(CLINIC, 200)),
                post=signed_in(405),
            ),
        ]
        for record in ("report", "addendum")
        for kind in ("pdf", "json")
    },
    # Monitoring: the clinic's page, the operator's, and Prometheus metrics (from this machine, as no token is set)
    "watch": [Case(get=clinic(200), post=clinic(405))],
    "thresholds": [Case(get=clinic(200), post=dermatologists(422, stranger=422))],
    "watch-site": [Case(get=signed_in(403, superuser=200), post=signed_in(405))],
    "watch-acknowledge": [
        Case(
            ids={"incident_id": "incident"},
            get=signed_in(405),
            post=signed_in(403, dermatologist=302, manager=302, superuser=302, stranger=404),
        )
    ],
    "metrics": [Case(get=everyone(200), post=NOT_HERE)],
    # The audit trail: the manager's and the operator's, and the patient's own
    **{
        name: [Case(get=signed_in(403, manager=200, superuser=200), post=signed_in(403, manager=405, superuser=405))]
        for name in ("audit", "audit-csv")
    },
    "audit-unusual": [Case(get=signed_in(403, manager=200), post=signed_in(403, manager=405))],
    "my-access": [
        Case(get=signed_in(403, patient=200, other_patient=200), post=signed_in(403, patient=405, other_patient=405))
    ],
    # The patient's own pages
    "my-visits": [
        Case(get=signed_in(403, patient=200, other_patient=200), post=signed_in(403, patient=405, other_patient=405))
    ],
    "my-visit": [
        Case(
            ids=RELEASED_VISIT,
            get=signed_in(403, patient=200, other_patient=404),
            post=signed_in(403, patient=405, other_patient=405),
        ),
        *(
            Case(
                ids=visit,
                get=signed_in(403, patient=404, other_patient=404),
                post=signed_in(403, patient=405, other_patient=405),
            )
            for visit in (OPEN_VISIT, SIGNED_VISIT)
        ),
    ],
    # The API; test_the_api_treats_tokens_like_sessions asks again with tokens
    "api-status": [Case(get=everyone(200), post=NOT_HERE)],
    "api-predict": [Case(get=members_of_the_api(405), post=members_of_the_api(400))],
    "api-predict-batch": [Case(get=members_of_the_api(405), post=members_of_the_api(400))],
    "api-explanation": [Case(get=members_of_the_api(405), post=members_of_the_api(400))],
    "api-similar": [Case(ids=IMAGE, get=members_of_the_api(200, stranger=404), post=members_of_the_api(405))],
    "api-lesion-outcome": [
        Case(ids={"lesion_id": "lesion"}, get=members_of_the_api(200, stranger=404), post=members_of_the_api(405))
    ],
    "api-schema": [Case(get=everyone(200), post=NOT_HERE)],
    "api-docs": [Case(get=everyone(200), post=NOT_HERE)],
    "api-unknown": [Case(get=everyone(404), post=everyone(404))],
}
