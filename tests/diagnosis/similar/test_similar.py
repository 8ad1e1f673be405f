"""Similar confirmed cases: what is found, for whom, and what nobody may learn from it."""

import datetime
import re
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from diagnosis.images.models import Image, ImageFeatures
from diagnosis.reviews.answers import Certainty
from diagnosis.reviews.models import Review, ReviewRetraction
from diagnosis.reviews.services import record_review
from diagnosis.reviews.treating import patients_treated_by
from diagnosis.similar import archives, services
from diagnosis.similar.embeddings import current_projection, current_space, read_vector
from diagnosis.similar.models import ImageEmbedding
from diagnosis.similar.services import age_band, similar_cases
from patients.models import ConsentMethod, Decision, Member, Purpose, Role, Visit
from patients.services import record_consent
from tests import factories
from tests.diagnosis.photographing import blurred, copies_of, kept, sample
from tests.hooks import coded, codes, wording

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.services]
NEVUS, MELANOMA, CARCINOMA, KERATOSIS, DERMATOFIBROMA = 6, 0, 9, 1, 3


@pytest.fixture(autouse=True)
def _archives_begin_empty():
    archives._archives.clear()


@pytest.fixture(autouse=True)
def _however_alike(monkeypatch):
    """The samples are not much alike; the tests of what is alike enough set the limit again."""
    monkeypatch.setattr(services, "LEAST_SHOWN", -1.0)


@pytest.fixture
def photographed(patient, staff):
    """The photograph that is compared with the others."""
    return case(patient, NEVUS, site="shoulder")


def case(patient, number, *, code=None, site="back", certainty=Certainty.CERTAIN) -> Image:
    """A photograph of a lesion of its own, confirmed as ``code`` if that is given."""
    visit = factories.VisitFactory(patient=patient, date=datetime.date(2026, 2, 3))
    lesion = factories.LesionFactory(patient=patient, body_site=site)
    image = kept(visit, lesion, patient.created_by, sample(number))
    if code:
        confirm(image, code, certainty=certainty)
    return image


def confirm(image, code, *, certainty=Certainty.CERTAIN) -> Review:
    clinic = image.visit.patient.clinic
    reviewer = Member.objects.filter(clinic=clinic, role=Role.DERMATOLOGIST).first() or factories.MemberFactory(
        clinic=clinic, role=Role.DERMATOLOGIST
    )
    return record_review(image=image, reviewer=reviewer, answer=code, certainty=certainty, reason="")


def share(patient, decision=Decision.GIVEN, purpose=Purpose.SHARING) -> None:
    record_consent(
        patient=patient, by=patient.created_by, purpose=purpose, decision=decision, method=ConsentMethod.VERBAL
    )


def found(image, member) -> list[str]:
    return [each.code for each in similar_cases(image=image, member=member)]


def words(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def page_of(image) -> str:
    return reverse("image-similar", args=[image.pk])


def another(patient):
    return factories.PatientFactory(clinic=patient.clinic, created_by=patient.created_by)


@pytest.fixture
def elsewhere(other_clinic):
    """A patient of another clinic, with everything by which one could be recognised."""
    return factories.PatientFactory(
        clinic=other_clinic,
        given_name="Xanthippe",
        family_name="Quorndon",
        record_number="SECRET-4711",
        birth_date=datetime.date(1957, 5, 23),
        sex="female",
        email="x.quorndon@post.example",
        phone="01632 960 999",
    )


class TestWhatIsFound:
    def test_confirmed_cases_the_most_alike_first(self, photographed, patient, staff):
        for number, code in ((MELANOMA, "mel"), (10, "nv"), (CARCINOMA, "bcc")):
            case(another(patient), number, code=code)

        # A member who treats these patients, so that each case leads to its photograph.
        Visit.objects.update(clinician=staff)
        cases = similar_cases(image=photographed, member=staff)

        assert {each.code for each in cases} == {"mel", "nv", "bcc"}
        similarities = [each.similarity for each in cases]
        assert similarities == sorted(similarities, reverse=True)
        vectors = {row.image_id: read_vector(row.vector).astype(float) for row in ImageEmbedding.objects.all()}
        for each in cases:
            assert each.image
            expected = vectors[photographed.pk] @ vectors[each.image.pk]
            assert each.similarity == pytest.approx(expected, abs=0.002)

    def test_the_own_photograph_again_would_be_the_same(self, photographed, patient, staff):
        """A copy of the file in another patient's record is no other lesion, however alike."""
        case(another(patient), NEVUS, code="nv")
        assert found(photographed, staff) == []

    def test_never_the_same_lesion(self, photographed, patient, staff):
        visit = factories.VisitFactory(patient=patient)
        confirm(kept(visit, photographed.lesion, staff, sample(10)), "nv")
        confirm(photographed, "nv")
        assert found(photographed, staff) == []

    def test_never_a_lesion_of_the_patient_at_the_same_place(self, photographed, patient, staff):
        case(patient, MELANOMA, code="mel", site=photographed.lesion.body_site)
        assert found(photographed, staff) == []
        case(patient, CARCINOMA, code="bcc", site="thigh")
        assert found(photographed, staff) == ["bcc"]

    def test_one_photograph_of_each_lesion(self, photographed, patient, staff):
        image = case(another(patient), MELANOMA, code="mel")
        confirm(kept(image.visit, image.lesion, staff, sample(2)), "mel")
        assert found(photographed, staff) == ["mel"]

    def test_never_what_nobody_or_nobody_surely_confirmed(self, photographed, patient, staff):
        case(another(patient), MELANOMA)
        case(another(patient), CARCINOMA, code="bcc", certainty=Certainty.UNSURE)
        assert found(photographed, staff) == []

    def test_a_changed_label_shows_at_once(self, photographed, patient, staff):
        image = case(another(patient), MELANOMA, code="nv")
        assert found(photographed, staff) == ["nv"]
        confirm(image, "mel", certainty=Certainty.PROBABLE)
        assert found(photographed, staff) == ["mel"]
        confirm(image, "bkl", certainty=Certainty.UNSURE)
        assert found(photographed, staff) == ["mel"]

    def test_what_was_confirmed_a_moment_ago_is_found(self, photographed, patient, staff):
        assert found(photographed, staff) == []
        image = case(another(patient), MELANOMA)
        assert found(photographed, staff) == []
        confirm(image, "mel")
        assert found(photographed, staff) == ["mel"]
        case(another(patient), CARCINOMA, code="bcc")
        assert set(found(photographed, staff)) == {"mel", "bcc"}

    def test_never_a_vector_of_another_network(self, photographed, patient, staff):
        image = case(another(patient), MELANOMA, code="mel")
        assert found(photographed, staff) == ["mel"]
        ImageEmbedding.objects.filter(image=image).update(space_sha256="0" * 64)
        assert found(photographed, staff) == []
        archives._archives.clear()
        assert found(photographed, staff) == []

    def test_nor_with_one(self, photographed, patient, staff):
        case(another(patient), MELANOMA, code="mel")
        ImageEmbedding.objects.filter(image=photographed).update(space_sha256="0" * 64)
        assert found(photographed, staff) == []

    def test_what_was_refused_has_no_place(self, photographed, patient, staff):
        visit, lesion = factories.VisitFactory(patient=another(patient)), None
        lesion = factories.LesionFactory(patient=visit.patient)
        refused = kept(visit, lesion, staff, blurred(sample(MELANOMA)))
        confirm(refused, "mel")
        assert not ImageEmbedding.objects.filter(image=refused).exists()
        assert found(photographed, staff) == []
        assert found(refused, staff) == []

    def test_it_is_not_starved_by_what_may_not_be_shown(self, photographed, patient, staff, monkeypatch):
        """Another process withdrew everything that is closest; this one finds it out and looks further."""
        near = [another(patient) for _ in range(3)]
        images = [case(person, NEVUS, code="nv") for person in near]
        for image in images:
            copies_of(image, 20)
        far = case(another(patient), MELANOMA, code="mel")
        for image in Image.objects.exclude(pk__in=[photographed.pk, far.pk]).filter(embedding=None):
            self._place(image, images[0])
        found(photographed, staff)  # the archive is filled: copies of the file itself stand first in it
        assert found(photographed, staff) == ["mel"]

    @staticmethod
    def _place(image, like) -> None:
        lesion = factories.LesionFactory(patient=like.visit.patient)
        Image.objects.filter(pk=image.pk).update(lesion=lesion, sha256=like.sha256)
        ImageEmbedding.objects.create(
            image=image, space_sha256=like.embedding.space_sha256, vector=bytes(like.embedding.vector)
        )

    def test_at_most_five_and_few_queries(self, photographed, patient, staff):
        for number in (0, 1, 2, 3, 4, 5, 7):
            case(another(patient), number, code="nv")
        found(photographed, staff)
        with CaptureQueriesContext(connection) as captured:
            assert len(found(photographed, staff)) == 5
        assert len(captured) <= 9


class TestOtherClinics:
    def test_without_consent_nothing(self, photographed, staff, elsewhere):
        case(elsewhere, MELANOMA, code="mel")
        assert found(photographed, staff) == []
        share(elsewhere, purpose=Purpose.TRAINING)
        assert found(photographed, staff) == []

    def test_consent_and_its_withdrawal_count_at_once(self, photographed, staff, elsewhere):
        case(elsewhere, MELANOMA, code="mel")
        for decision, expected in ((Decision.GIVEN, ["mel"]), (Decision.WITHDRAWN, []), (Decision.GIVEN, ["mel"])):
            share(elsewhere, decision)
            assert found(photographed, staff) == expected

    def test_a_withdrawal_that_this_process_missed_counts_too(self, photographed, staff, elsewhere, monkeypatch):
        case(elsewhere, MELANOMA, code="mel")
        share(elsewhere)
        assert found(photographed, staff) == ["mel"]
        monkeypatch.setattr(archives.ClinicArchive, "_touched_since", lambda *_: set())
        share(elsewhere, Decision.WITHDRAWN)
        assert found(photographed, staff) == []

    def test_own_cases_need_no_consent(self, photographed, patient, staff):
        own = another(patient)
        case(own, MELANOMA, code="mel")
        share(own, Decision.WITHDRAWN)
        assert found(photographed, staff) == ["mel"]

    @pytest.mark.parametrize("role", ["staff", "dermatologist", "manager"])
    @pytest.mark.parametrize("htmx", [True, False])
    def test_nothing_leads_to_the_patient(self, request, role, htmx, photographed, elsewhere, sign_in):
        image = case(elsewhere, MELANOMA, code="mel", site="thigh")
        share(elsewhere)
        headers = {"HX-Request": "true"} if htmx else {}
        reader = request.getfixturevalue(role)
        client = sign_in(reader)
        # The result's page shows the answer; until then the diagnoses are hidden from a blinded reader.
        client.get(photographed.get_absolute_url())

        html = client.get(page_of(photographed), headers=headers).content.decode()
        # The head of the page names the reader, and an invented name may end in any number.
        html = html.replace(reader.name, "")
        json = client.get(reverse("api-similar", args=[photographed.pk])).content.decode()

        assert "Melanoma" in html
        assert "60–69" in html
        assert "From another clinic" in html
        for text in (html, json):
            assert "data:image/jpeg;base64," in text
            for secret in self._secrets(image):
                assert secret not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", text), secret
        shown = html[html.index("From another clinic") - 1500 : html.index("From another clinic")]
        assert "<a " not in shown
        assert image.lesion.get_side_display().lower() not in shown.lower()

    @staticmethod
    def _secrets(image) -> set[str]:
        patient, visit, lesion = image.visit.patient, image.visit, image.lesion
        ids = {str(row.pk) for row in (image, visit, lesion, patient, patient.clinic, image.uploaded_by)}
        names = {patient.given_name, patient.family_name, patient.record_number, patient.clinic.name, patient.email}
        days = {"1957", "2026-02-03", "3 Feb", "February 2026", image.created_at.strftime("%H:%M:%S.%f")}
        files = {image.sha256, image.thumbnail.name, image.original_name, image.original.name}
        return ids | {key.replace("-", "") for key in ids} | names | days | files

    def test_the_picture_carries_no_metadata(self, photographed, staff, elsewhere):
        import base64
        import io

        from PIL import Image as PillowImage

        case(elsewhere, MELANOMA, code="mel")
        share(elsewhere)
        (only,) = similar_cases(image=photographed, member=staff)
        assert only.image is None
        picture = PillowImage.open(io.BytesIO(base64.b64decode(only.thumbnail.split(",")[1])))
        assert not picture.getexif()
        assert max(picture.size) <= 320

    def test_its_files_stay_closed(self, photographed, staff, elsewhere, sign_in):
        image = case(elsewhere, MELANOMA, code="mel")
        share(elsewhere)
        for kind in ("thumbnail", "display", "original", "heat-map"):
            assert sign_in(staff).get(reverse("image-file", args=[image.pk, kind])).status_code == 404
        assert sign_in(staff).get(page_of(image)).status_code == 404
        assert sign_in(staff).get(reverse("api-similar", args=[image.pk])).status_code == 404

    def test_clinics_do_not_share_an_archive(self, photographed, patient, staff, elsewhere, stranger):
        theirs = case(elsewhere, MELANOMA, code="mel")
        case(another(patient), CARCINOMA, code="bcc")
        assert found(photographed, staff) == ["bcc"]
        assert found(theirs, stranger) == []

    def test_a_missing_file_is_passed_over(self, photographed, staff, elsewhere):
        image = case(elsewhere, MELANOMA, code="mel")
        share(elsewhere)
        image.thumbnail.storage.delete(str(image.thumbnail.name))
        assert found(photographed, staff) == []


class TestThePages:
    def test_the_result_page_fetches_the_card_and_links_to_it(self, photographed, staff, sign_in):
        page = sign_in(staff).get(photographed.get_absolute_url()).content.decode()
        assert f'hx-get="{page_of(photographed)}"' in page
        assert f'<a href="{page_of(photographed)}">' in page

    def test_the_card(self, photographed, patient, staff, sign_in):
        image = case(another(patient), MELANOMA, code="mel", site="thigh")
        answer = sign_in(staff).get(page_of(photographed), headers={"HX-Request": "true"})
        html, text = answer.content.decode(), words(answer)
        assert "<html" not in html
        assert wording("not evidence by themselves") in text
        assert "Melanoma" in text
        assert "Thigh · age 60–69" in text
        assert re.search("Very alike|Alike", text)
        # The reader does not treat that patient.
        assert str(image.pk) not in html
        assert "data:image/jpeg;base64," in html
        assert "From another clinic" not in text
        assert "style=" not in html
        assert "HX-Request" in answer["Vary"]

    def test_without_javascript_it_is_a_page(self, photographed, patient, staff, sign_in):
        case(another(patient), MELANOMA, code="mel")
        answer = sign_in(staff).get(page_of(photographed))
        assert "<html" in answer.content.decode()
        assert "Melanoma" in words(answer)
        assert f'href="{photographed.get_absolute_url()}"' in answer.content.decode()
        assert wording("not a diagnosis") in words(answer)

    def test_nothing_to_compare_with_is_said(self, photographed, staff, sign_in):
        assert "no_case_yet" in codes(sign_in(staff).get(page_of(photographed)))

    def test_patients_and_other_clinics_stay_out(self, photographed, patient_user, stranger, sign_in):
        assert sign_in(patient_user).get(page_of(photographed)).status_code == 403
        assert sign_in(stranger).get(page_of(photographed)).status_code == 404
        assert sign_in(patient_user).get(reverse("api-similar", args=[photographed.pk])).status_code == 403
        assert sign_in(stranger).get(reverse("api-similar", args=[photographed.pk])).status_code == 404

    def test_the_api_says_the_same(self, photographed, patient, staff, sign_in):
        image = case(another(patient), MELANOMA, code="mel", site="thigh")
        answer = sign_in(staff).get(reverse("api-similar", args=[photographed.pk])).json()
        (only,) = answer["cases"]
        assert (only["code"], only["body_site"], only["age_band"]) == ("mel", "Thigh", "60–69")
        assert only["image"] is None
        assert only["thumbnail"].startswith("data:")
        assert answer["compared"] == 1
        image.visit.clinician = staff
        image.visit.save(update_fields=["clinician"])
        (only,) = sign_in(staff).get(reverse("api-similar", args=[photographed.pk])).json()["cases"]
        assert only["image"]["id"] == str(image.pk)
        assert only["thumbnail"].endswith(reverse("image-file", args=[image.pk, "thumbnail"]))
        assert answer["image"]["id"] == str(photographed.pk)
        assert "not evidence" in answer["notice"]

    def test_a_diagnosis_outside_the_seven_is_a_case_too(self, photographed, patient, staff, dermatologist, sign_in):
        case(another(patient), MELANOMA, code="merkel")
        record_review(image=photographed, reviewer=dermatologist, answer="scc", certainty="certain")
        answer = sign_in(staff).get(reverse("api-similar", args=[photographed.pk])).json()
        (only,) = answer["cases"]
        assert (only["code"], only["malignancy"], only["icd10"]) == ("merkel", "malignant", "C44.9")
        assert answer["confirmed"] == {
            "code": "scc", "name": "Squamous cell carcinoma", "malignancy": "malignant", "icd10": "C44.9",
            "snomed_ct": "254651007",
        }  # fmt: skip
        page = sign_in(staff).get(page_of(photographed)).content.decode()
        assert "Merkel cell carcinoma" in page

    @pytest.mark.parametrize(
        ("similarity", "said"),
        [(1.0, "Very alike"), (0.93, "Very alike"), (0.92, "Alike"), (0.85, "Alike")],
    )
    def test_likeness_in_words(self, photographed, patient, staff, similarity, said):
        case(another(patient), MELANOMA, code="mel")
        (only,) = similar_cases(image=photographed, member=staff)
        assert replace(only, similarity=similarity).likeness == said

    @pytest.mark.parametrize(
        ("age", "band"),
        [(0, "0–9"), (9, "0–9"), (10, "10–19"), (89, "80–89"), (90, "90 or older"), (104, "90 or older")],
    )
    def test_age_bands(self, age, band):
        assert age_band(age) == band


class TestWhoseCase:
    def test_weak_matches_are_counted_and_not_shown(self, photographed, patient, staff, sign_in, monkeypatch):
        case(another(patient), MELANOMA, code="mel")
        monkeypatch.setattr(services, "LEAST_SHOWN", 1.01)
        page = sign_in(staff).get(page_of(photographed))
        assert (page.context["cases"], page.context["compared"]) == ([], 1)
        assert "1" in coded(page, "no_case_alike")
        assert sign_in(staff).get(reverse("api-similar", args=[photographed.pk])).json()["cases"] == []

    def test_a_case_at_the_limit_is_shown(self, photographed, patient, staff, monkeypatch):
        case(another(patient), MELANOMA, code="mel")
        (only,) = similar_cases(image=photographed, member=staff)
        monkeypatch.setattr(services, "LEAST_SHOWN", only.similarity)
        assert found(photographed, staff) == ["mel"]

    def test_ones_own_patients_are_named_and_others_are_not(self, photographed, patient, staff, dermatologist):
        other, same = case(another(patient), MELANOMA, code="mel"), case(patient, CARCINOMA, code="bcc", site="foot")
        cases = {each.code: each for each in similar_cases(image=photographed, member=staff)}
        assert (cases["mel"].image, cases["bcc"].image) == (None, same)
        # Whoever confirmed the case has read a photograph of that patient.
        reader = Review.objects.get(image=other).reviewer
        assert reader is not None
        assert {each.image for each in similar_cases(image=photographed, member=reader)} == {other, same}

    def test_who_treats_a_patient(self, photographed, patient, staff, manager, stranger):
        image = case(another(patient), MELANOMA)
        own = image.visit.patient
        assert own not in patients_treated_by(staff)
        image.visit.clinician = staff
        image.visit.save(update_fields=["clinician"])
        assert own in patients_treated_by(staff)
        review = confirm(image, "mel")
        assert own in patients_treated_by(review.reviewer)
        ReviewRetraction.objects.create(review=review)
        assert own not in patients_treated_by(review.reviewer)
        for member in (manager, stranger, None):
            assert own not in patients_treated_by(member)


class TestEmbedding:
    def test_a_photograph_is_placed_when_it_is_judged(self, photographed):
        stored = photographed.embedding
        assert stored.space_sha256 == current_space()
        features = np.frombuffer(photographed.features.vector, "<f2")
        assert np.array_equal(read_vector(stored.vector), current_projection().embed(features[None])[0])

    def test_the_command_places_what_is_out_of_date_and_nothing_twice(self, photographed, patient, staff):
        image = case(another(patient), MELANOMA, code="mel")
        before = bytes(image.embedding.vector)
        ImageEmbedding.objects.filter(image=image).update(space_sha256="0" * 64, vector=b"\0\0")
        photographed.embedding.delete()
        assert found(photographed, staff) == []

        assert "Embedded 2 photographs" in self._run()
        assert "Embedded 0 photographs" in self._run()

        # A product of one row and of many may differ in the last bit.
        after = read_vector(ImageEmbedding.objects.get(image=image).vector)
        assert after.astype(float) == pytest.approx(read_vector(before).astype(float), abs=1e-3)
        assert found(photographed, staff) == ["mel"]

    def test_features_of_an_earlier_backbone_are_never_used(self, photographed):
        ImageFeatures.objects.update(backbone_sha256="0" * 64)
        photographed.embedding.delete()
        said = self._run()
        assert "Embedded 0 photographs" in said
        assert "1 photographs were last analysed by an earlier backbone" in said
        assert not ImageEmbedding.objects.exists()

    def test_but_the_photographs_can_be_read_again(self, photographed, patient):
        features = bytes(photographed.features.vector)
        lost = case(another(patient), MELANOMA)
        lost.original.storage.delete(str(lost.original.name))
        ImageFeatures.objects.update(backbone_sha256="0" * 64, vector=b"\0\0")
        ImageEmbedding.objects.update(space_sha256="0" * 64)

        assert "Analysed 1 photograph again; 1 could not be read." in self._run("--read-photographs")

        kept_features = ImageFeatures.objects.get(image=photographed)
        assert bytes(kept_features.vector) == features
        assert ImageEmbedding.objects.get(image=photographed).space_sha256 == current_space()

    def test_the_space_must_be_named(self, photographed):
        with pytest.raises(IntegrityError, match="embedding_names_its_space"), transaction.atomic():
            ImageEmbedding.objects.filter(pk=photographed.embedding.pk).update(space_sha256="")

    def test_a_photograph_has_one_place(self, photographed):
        with pytest.raises(IntegrityError), transaction.atomic():
            ImageEmbedding.objects.create(image=photographed, space_sha256="0" * 64, vector=b"")

    @staticmethod
    def _run(*arguments: str) -> str:
        out = StringIO()
        call_command("embed_images", *arguments, stdout=out)
        return out.getvalue()
