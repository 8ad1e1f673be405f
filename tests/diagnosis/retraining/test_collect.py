"""What a run may learn from, what it is judged on, and what is left out."""

import datetime

import numpy as np
import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from diagnosis.images.models import ImageFeatures
from diagnosis.retraining.assignment import assign_parts, drawn_part
from diagnosis.retraining.collect import MOST_OF_A_LESION, LeftOut, collect_cases, learnt_until, new_labels
from diagnosis.retraining.errors import ManifestAltered
from diagnosis.retraining.manifests import allowed_now, freeze_manifest, read_manifest, read_vectors
from diagnosis.retraining.models import ManifestEntry, Part, TestAssignment, TrainingRun
from diagnosis.reviews.models import ConfirmedLabel
from mlmodel.versions.serving import active_version
from patients.models import BodySite, Lesion
from tests import factories
from tests.diagnosis.retraining.cases import a_reader, agreeing_patient, base_set, confirmed, withdraw

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.services]


def collected(**options):
    return collect_cases(
        base=base_set(), parent=active_version(), **{"clinic": None, "since": None, **options}
    )  # fmt: skip


def images_of(collection):
    return {case.image for case in collection.cases}


def a_run(**values) -> TrainingRun:
    return TrainingRun.objects.create(parent=active_version(), **values)


def saved_anew(image):
    """The features of a photograph as another file of it would have them, nearly the same."""
    vector = np.frombuffer(bytes(image.features.vector), dtype="<f2").astype(np.float32)
    return (vector + np.random.default_rng(1).normal(0, 0.02 * vector.std(), len(vector))).astype(np.float16)


def test_two_clinics_are_collected_and_one_where_it_is_asked_for(dermatologist, stranger):
    own, other = confirmed(reader=dermatologist, row=1), confirmed(reader=stranger, row=2, code="mel")
    assert images_of(collected()) == {own.pk, other.pk}
    assert images_of(collected(clinic=other.visit.patient.clinic)) == {other.pk}
    assert {case.code for case in collected().cases} == {"nv", "mel"}


def test_an_overview_is_not_learned_from(dermatologist):
    detail, overview = confirmed(reader=dermatologist, row=1), confirmed(reader=dermatologist, row=2, kind="overview")
    collection = collected()
    assert images_of(collection) == {detail.pk}
    assert collection.left_out_images == {LeftOut.OVERVIEW: [overview.pk]}


def test_who_withdraws_or_never_agreed_is_not_collected(dermatologist, clinic):
    patient = agreeing_patient(clinic)
    confirmed(reader=dermatologist, patient=patient)
    confirmed(reader=dermatologist, row=1, patient=factories.PatientFactory(clinic=clinic))
    assert len(collected().cases) == 1
    withdraw(patient)
    assert not collected().cases


def test_an_image_of_the_locked_test_uploaded_again_is_left_out(dermatologist):
    confirmed(reader=dermatologist, vector=base_set().locked.features[7])
    kept = confirmed(reader=dermatologist, row=1)
    collection = collected()
    assert images_of(collection) == {kept.pk}
    assert collection.left_out == {LeftOut.COPY_OF_BASE_TEST: 1}


def test_a_photograph_of_the_clinics_test_saved_anew_is_not_learnt_from_under_another_lesion(dermatologist, settings):
    settings.RETRAINING_LOCKED_SHARE = 0.0
    locked = confirmed(reader=dermatologist, row=1)
    TestAssignment.objects.create(lesion=locked.lesion, part=Part.TEST)
    confirmed(reader=dermatologist, vector=saved_anew(locked))
    other = confirmed(reader=dermatologist, row=2)
    collection = collected()
    assert images_of(collection) == {locked.pk, other.pk}
    assert collection.left_out == {LeftOut.COPY_OF_CLINIC_TEST: 1}


def test_a_lesion_photographed_a_hundred_times_fills_no_manifest(dermatologist, clinic):
    lesion = factories.LesionFactory(patient=agreeing_patient(clinic))
    images = [confirmed(reader=dermatologist, row=row, lesion=lesion) for row in range(MOST_OF_A_LESION + 3)]
    collection = collected()
    assert images_of(collection) == {image.pk for image in images[3:]}
    assert collection.left_out == {LeftOut.MANY_OF_A_LESION: 3}


def test_the_same_file_counts_once_and_two_labels_of_one_lesion_count_not_at_all(dermatologist, clinic):
    first = confirmed(reader=dermatologist, row=1)
    confirmed(reader=dermatologist, row=1, sha256=first.sha256)
    lesion = factories.LesionFactory(patient=agreeing_patient(clinic))
    confirmed(reader=dermatologist, row=2, lesion=lesion, code="nv")
    confirmed(reader=dermatologist, row=3, lesion=lesion, code="mel")
    collection = collected()
    assert images_of(collection) == {first.pk}
    assert collection.left_out == {LeftOut.SAME_FILE: 1, LeftOut.LABELS_DIFFER: 2}


def test_a_diagnosis_outside_the_seven_is_left_out_counted_and_named(dermatologist, clinic, capsys):
    kept = confirmed(reader=dermatologist, row=1)
    outside = [
        confirmed(reader=dermatologist, row=row, code=code) for row, code in ((2, "scc"), (3, "scc"), (4, "cyst"))
    ]
    confirmed(reader=dermatologist, row=5, code="not_a_lesion")
    confirmed(reader=dermatologist, row=6, code="scc", patient=factories.PatientFactory(clinic=clinic))
    collection = collected()
    assert images_of(collection) == {kept.pk}
    assert collection.left_out == {LeftOut.OUTSIDE_THE_SEVEN: 3}
    assert set(collection.left_out_images[LeftOut.OUTSIDE_THE_SEVEN]) == {image.pk for image in outside}
    assert list(collection.outside.values()) == [2, 1]
    call_command("retrain", "--dry-run")
    assert "Squamous cell carcinoma (2), Cyst of the skin (1)." in capsys.readouterr().out


def test_a_lesion_that_is_said_to_be_a_mole_and_a_carcinoma_is_not_learnt_from(dermatologist, clinic):
    lesion = factories.LesionFactory(patient=agreeing_patient(clinic))
    confirmed(reader=dermatologist, row=1, lesion=lesion, code="nv")
    confirmed(reader=dermatologist, row=2, lesion=lesion, code="merkel")
    assert collected().left_out == {LeftOut.OUTSIDE_THE_SEVEN: 1, LeftOut.LABELS_DIFFER: 1}


def test_features_of_another_backbone_are_never_mixed_in(dermatologist):
    image = confirmed(reader=dermatologist)
    ImageFeatures.objects.filter(image=image).update(backbone_sha256="d" * 64)
    assert collected().left_out == {LeftOut.OTHER_FEATURES: 1}


def test_a_file_that_was_learnt_from_never_joins_the_locked_test(dermatologist, settings):
    settings.RETRAINING_LOCKED_SHARE = 1.0
    image = confirmed(reader=dermatologist)
    run = a_run()
    entry = {"image_sha256": image.sha256, "features_sha256": "e" * 64, "lesion": image.lesion, "code": "nv"}
    ManifestEntry.objects.create(run=run, image=image, part=Part.TRAIN, **entry)
    assert collected().left_out == {LeftOut.WAS_LEARNED: 1}


def test_a_photograph_that_was_learnt_from_never_joins_the_locked_test_although_it_was_saved_anew(
    dermatologist, settings
):
    settings.RETRAINING_LOCKED_SHARE = 1.0
    learned = confirmed(reader=dermatologist, row=1)
    TestAssignment.objects.create(lesion=learned.lesion, part=Part.TRAIN)
    entry = {"image_sha256": learned.sha256, "features_sha256": "e" * 64, "lesion": learned.lesion, "code": "nv"}
    ManifestEntry.objects.create(run=a_run(), image=learned, part=Part.TRAIN, **entry)
    confirmed(reader=dermatologist, vector=saved_anew(learned))
    other = confirmed(reader=dermatologist, row=2)
    collection = collected()
    assert images_of(collection) == {learned.pk, other.pk}
    assert collection.left_out == {LeftOut.WAS_LEARNED: 1}


def test_since_narrows_what_is_learnt_and_not_the_locked_test(dermatologist, settings):
    settings.RETRAINING_LOCKED_SHARE = 0.0
    old, new = confirmed(reader=dermatologist, row=1), confirmed(reader=dermatologist, row=2)
    locked = confirmed(reader=dermatologist, row=3)
    TestAssignment.objects.create(lesion=locked.lesion, part=Part.TEST)
    long_ago = timezone.now() - datetime.timedelta(days=30)
    ConfirmedLabel.objects.filter(image__in=[old, locked]).update(settled_at=long_ago, settled_after=0)
    assert images_of(collected(since=timezone.localdate())) == {new.pk, locked.pk}
    assert collected().new == 1
    assert new_labels(after=learnt_until(active_version())) == 1


def test_a_lesion_keeps_its_part_whatever_the_share_becomes(dermatologist, settings):
    settings.RETRAINING_LOCKED_SHARE = 1.0
    confirmed(reader=dermatologist)
    assert collected().count(Part.TEST) == 1
    settings.RETRAINING_LOCKED_SHARE = 0.0
    assert collected().count(Part.TEST) == 1


def test_a_dry_look_decides_nothing_and_foretells_what_is_decided(dermatologist):
    for row in range(8):
        confirmed(reader=dermatologist, row=row)
    foretold = collected(keep=False)
    assert not TestAssignment.objects.exists()
    assert collected() == foretold
    assert TestAssignment.objects.count() == 8


def test_lesions_at_one_place_share_their_part(dermatologist, clinic, settings):
    settings.RETRAINING_LOCKED_SHARE = 0.0
    first = factories.LesionFactory(patient=agreeing_patient(clinic))
    TestAssignment.objects.create(lesion=first, part=Part.TEST)
    again = factories.LesionFactory(patient=first.patient)
    elsewhere = factories.LesionFactory(patient=first.patient, body_site=BodySite.FOOT)
    assert assign_parts([again, elsewhere]) == {again.pk: Part.TEST, elsewhere.pk: Part.TRAIN}


def test_about_the_share_is_drawn(clinic, settings):
    settings.RETRAINING_LOCKED_SHARE = 0.25
    lesions = [Lesion(patient=factories.PatientFactory.build(clinic=clinic)) for _number in range(400)]
    locked = sum(drawn_part(lesion) == Part.TEST for lesion in lesions)
    assert 60 <= locked <= 140  # five standard deviations either way


def test_the_database_refuses_to_change_a_part_or_a_manifest(dermatologist):
    image = confirmed(reader=dermatologist)
    run = a_run()
    freeze_manifest(run=run, collection=collected())
    for rows, change in (
        (TestAssignment.objects.filter(lesion=image.lesion), {"part": Part.TEST}),
        (ManifestEntry.objects.filter(run=run), {"code": "mel"}),
    ):
        with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
            rows.update(**change)


def test_a_lesion_has_one_part(dermatologist):
    image = confirmed(reader=dermatologist)
    TestAssignment.objects.create(lesion=image.lesion, part=Part.TRAIN)
    with pytest.raises(IntegrityError), transaction.atomic():
        TestAssignment.objects.create(lesion=image.lesion, part=Part.TEST)
    with pytest.raises(IntegrityError, match="assignment_part_is_known"), transaction.atomic():
        TestAssignment.objects.create(lesion=factories.LesionFactory(), part="both")


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"part": "both"}, "manifest_part_is_known"),
        ({"code": "other"}, "manifest_code_is_known"),
        ({"image_sha256": "?"}, "manifest_holds_hashes"),
    ],
)
def test_a_manifest_holds_nothing_else(dermatologist, wrong, name):
    image = confirmed(reader=dermatologist)
    values = {"image_sha256": "a" * 64, "features_sha256": "a" * 64, "code": "nv", "part": Part.TRAIN, **wrong}
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        ManifestEntry.objects.create(run=a_run(), image=image, lesion=image.lesion, **values)


def test_a_manifest_is_read_as_it_was_frozen_and_notices_what_was_altered(dermatologist):
    image = confirmed(reader=dermatologist)
    confirmed(reader=dermatologist, row=1)
    run, collection = a_run(), collected()
    run.manifest_sha256 = freeze_manifest(run=run, collection=collection)
    assert set(read_manifest(run)) == set(collection.cases)
    assert len(read_vectors(collection.cases)) == 2
    ImageFeatures.objects.filter(image=image).update(vector=bytes(11280))
    with pytest.raises(ManifestAltered):
        read_vectors(collection.cases)
    run.manifest.filter(image=image).delete()
    with pytest.raises(ManifestAltered):
        read_manifest(run)


def test_consent_is_asked_again_of_a_frozen_manifest(clinic):
    reader, patient = a_reader(clinic), agreeing_patient(clinic)
    confirmed(reader=reader, patient=patient)
    stays = confirmed(reader=reader, row=1)
    cases = collected().cases
    withdraw(patient)
    assert [case.image for case in allowed_now(cases)] == [stays.pk]
