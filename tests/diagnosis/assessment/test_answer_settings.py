"""How a clinic has answers read: who chooses it, what it changes from then on, and what stays as it was said."""

from itertools import pairwise

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse

from diagnosis.assessment.class_mix import LEAST_LESIONS, malignant_probabilities_as_released
from diagnosis.assessment.rescoring import rescore_archive
from diagnosis.assessment.threshold_costs import in_hundred
from diagnosis.images import clinic_analysers as rules
from diagnosis.images.clinic_analysers import as_read_then, levels_here
from diagnosis.images.models import AnswerSettings, Image, Prediction
from diagnosis.images.prediction_sets import prediction_set
from diagnosis.reviews.services import record_review
from mlmodel.network.analyser import get_analyser
from mlmodel.network.calibration import in_order
from mlmodel.network.threshold_levels import LEVELS_KEY, ThresholdLevels, UrgentLevel, WatchLevel
from mlmodel.pictures.picture import decode
from mlmodel.releases.release_files import ReleaseError
from mlmodel.taxonomy import CODES
from mlmodel.versions.promotion import promote_version
from mlmodel.versions.serving import active_version
from tests import factories
from tests.candidates import candidate
from tests.conftest import PHOTOGRAPHS
from tests.hooks import wording
from tests.page_forms import form_with

pytestmark = pytest.mark.django_db
PAGE, MOST = (
    "thresholds",
    {"watch": "most", "urgent": "fewer", "mix": "released", "reason": "We see patients at high risk."},
)
CHOSEN = "The clinic has chosen this threshold."


@pytest.fixture(scope="module")
def levels() -> ThresholdLevels:
    found = levels_here(get_analyser())
    assert found is not None
    return found


@pytest.fixture(scope="module")
def on_the_edge(levels) -> tuple[bytes, str, str]:
    """A photograph whose tier differs between the released thresholds and the most cautious; and both tiers."""
    analyser = get_analyser()
    moved = analyser.at(levels.points(WatchLevel.MOST, UrgentLevel.FEWER))
    for path in sorted(PHOTOGRAPHS.glob("*.jpg")):
        data = path.read_bytes()
        before, after = (each.analyse(decode(data)).assessment for each in (analyser, moved))
        assert before
        assert after
        if before.tier != after.tier:
            return data, str(before.tier), str(after.tier)
    raise AssertionError("None of the samples lies between the thresholds: take another photograph.")


def choose(client, **values: str):
    return client.post(reverse(PAGE), {**form_with(client.get(reverse(PAGE)).text, "watch").data, **MOST, **values})


def photographed(sign_in, member, patient, data: bytes) -> Prediction:
    visit = factories.VisitFactory(patient=patient, clinician=member)
    lesion = factories.LesionFactory(patient=patient)
    sent = {"lesion": str(lesion.pk), "files": [SimpleUploadedFile("a.jpg", data, "image/jpeg")]}
    assert sign_in(member).post(reverse("upload", args=[visit.pk]), sent).status_code in (200, 302)
    return Image.objects.get(visit=visit).predictions.get()


def test_each_level_asks_for_more_than_the_one_before(levels):
    watch = [levels.watch[level].point for level in WatchLevel]
    assert levels.watch[WatchLevel.RELEASED].point == get_analyser().released_points.watch
    for before, after in pairwise(watch):
        assert after.threshold <= before.threshold
        assert after.sensitivity >= before.sensitivity
        assert after.melanoma_sensitivity >= before.melanoma_sensitivity
    urgent = [levels.urgent[level].point for level in (UrgentLevel.FEWER, UrgentLevel.RELEASED, UrgentLevel.MORE)]
    assert [point.threshold for point in urgent] == sorted((point.threshold for point in urgent), reverse=True)
    # What the two promise at the least, on lesions that chose nothing.
    assert levels.watch[WatchLevel.MORE].point.sensitivity > 0.93
    assert levels.watch[WatchLevel.MORE].point.melanoma_sensitivity > 0.90
    for low in WatchLevel:
        for high in UrgentLevel:
            points = levels.points(low, high)
            assert points.urgent.threshold >= points.watch.threshold
    assert ThresholdLevels.from_settings({LEVELS_KEY: levels.as_settings()}) == levels


def test_a_version_without_a_level_answers_as_released(levels):
    """Not with a threshold of another version, whose probabilities mean something else."""
    older = ThresholdLevels(
        watch={name: level for name, level in levels.watch.items() if name is not WatchLevel.FEWER},
        urgent=levels.urgent,
    )

    assert older.points(WatchLevel.FEWER, UrgentLevel.RELEASED).watch == levels.watch[WatchLevel.RELEASED].point


def test_what_is_photographed_next_is_told_by_the_chosen_thresholds(
    sign_in, dermatologist, staff, stranger, patient, on_the_edge
):
    data, before, after = on_the_edge
    earlier = photographed(sign_in, staff, patient, data)
    client = sign_in(dermatologist)
    assert choose(client).status_code == 302
    later = photographed(sign_in, staff, patient, data)
    elsewhere = photographed(sign_in, stranger, factories.PatientFactory(clinic=stranger.clinic), data)

    chosen = AnswerSettings.objects.get()
    assert (chosen.watch, chosen.urgent, chosen.member, chosen.number) == ("most", "fewer", dermatologist, 1)
    earlier.refresh_from_db()
    assert (earlier.tier, earlier.answer_settings) == (before, None)
    assert (later.tier, later.answer_settings) == (after, chosen)
    assert (elsewhere.tier, elsewhere.answer_settings) == (before, None)
    assert CHOSEN in client.get(later.image.get_absolute_url()).text
    assert CHOSEN not in client.get(earlier.image.get_absolute_url()).text


def test_the_costs_that_are_told_are_those_of_the_thresholds_behind_the_answer(
    sign_in, dermatologist, patient, on_the_edge, levels
):
    client = sign_in(dermatologist)
    choose(client)
    prediction = photographed(sign_in, dermatologist, patient, on_the_edge[0])
    points = levels.points(WatchLevel.MOST, UrgentLevel.FEWER)
    point = points.urgent if prediction.tier == "urgent" else points.watch
    shown = " ".join(client.get(prediction.image.get_absolute_url()).text.split())
    assert f"finds {in_hundred(*point.melanomas_found)} of 100 melanomas" in shown
    assert f"flags {in_hundred(*point.benign_spared, is_missed=True)} of 100 benign ones" in shown


def test_a_photograph_that_is_not_kept_is_told_by_them_too(sign_in, dermatologist, on_the_edge, stranger):
    data, before, after = on_the_edge
    choose(sign_in(dermatologist))
    for who, tier in ((dermatologist, after), (stranger, before)):
        sent = {"file": SimpleUploadedFile("a.jpg", data, "image/jpeg")}
        answer = sign_in(who).post("/api/v1/predict/", sent)
        assert answer.json()["tier"]["code"] == tier
        chosen = {"number": 1, "watch": "most", "urgent": "fewer", "is_own_class_mix": False}
        assert answer.json()["answer_settings"] == (chosen if who is dermatologist else None)
        sent = {"file": SimpleUploadedFile("a.jpg", data, "image/jpeg")}
        page = sign_in(who).post(reverse("quick-check"), sent)
        assert page.context["view"].tier == tier
        assert (CHOSEN in page.text) is (who is dermatologist)


def test_the_archive_is_read_anew_by_them(sign_in, dermatologist, stranger, patient, on_the_edge):
    data, before, after = on_the_edge
    here = photographed(sign_in, dermatologist, patient, data).image
    there = photographed(sign_in, stranger, factories.PatientFactory(clinic=stranger.clinic), data).image
    choose(sign_in(dermatologist))
    # The same answers, from a version with another hash.
    version = candidate(leaning="mel", by=0.0)
    promote_version(version=version, by=dermatologist.user, reason="The same once more.")
    assert sum(rescore_archive()) == 2
    found = {image.pk: Prediction.objects.get(image=image, model_version=version) for image in (here, there)}
    assert (found[here.pk].tier, found[here.pk].answer_settings) == (after, AnswerSettings.objects.get())
    assert (found[there.pk].tier, found[there.pk].answer_settings) == (before, None)


def test_back_to_what_was_released(sign_in, dermatologist, patient, on_the_edge):
    client = sign_in(dermatologist)
    choose(client)
    assert choose(client, watch="released", urgent="released", reason="Too much to look at.").status_code == 302
    prediction = photographed(sign_in, dermatologist, patient, on_the_edge[0])
    assert (prediction.tier, prediction.answer_settings) == (on_the_edge[1], None)
    assert list(AnswerSettings.objects.values_list("number", flat=True)) == [2, 1]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"watch": "least"}, "watch"),
        ({"watch": ""}, "watch"),
        ({"urgent": "never"}, "urgent"),
        ({"reason": ""}, "reason"),
        ({"reason": "  ....  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"mix": "mine"}, "mix"),
        ({"mix": ""}, "mix"),
        ({"mix": "own"}, None),
        ({"seen": "-1"}, "seen"),
        ({"seen": "9" * 30}, "seen"),
        ({"watch": "released", "urgent": "released"}, None),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_what_was_typed(sign_in, dermatologist, sent, field):
    answer = choose(sign_in(dermatologist), **sent)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors or (field is None and answer.context["form"].non_field_errors())
    assert not AnswerSettings.objects.exists()


def test_who_chose_on_an_older_page_looks_again(sign_in, dermatologist, clinic):
    client = sign_in(dermatologist)
    page = client.get(reverse(PAGE))
    choose(sign_in(factories.MemberFactory(clinic=clinic, role="dermatologist")), watch="more")
    answer = client.post(reverse(PAGE), {**form_with(page.text, "watch").data, **MOST})
    assert answer.status_code == 409
    assert AnswerSettings.objects.count() == 1
    # The page that says so shows what counts now, and may be sent again.
    again = client.post(reverse(PAGE), {**form_with(answer.text, "watch").data, **MOST})
    assert again.status_code == 302
    assert AnswerSettings.objects.get(number=2).watch == "most"


def test_only_dermatologists_choose_and_others_read(sign_in, staff, manager, dermatologist, stranger):
    choose(sign_in(dermatologist))
    for member in (staff, manager):
        client = sign_in(member)
        assert choose(client).status_code == 403
        assert MOST["reason"] in client.get(reverse(PAGE)).text
    assert MOST["reason"] not in sign_in(stranger).get(reverse(PAGE)).text
    assert AnswerSettings.objects.count() == 1


def test_what_a_level_would_have_meant_here_is_counted(sign_in, dermatologist, patient, levels):
    visit = factories.VisitFactory(patient=patient)
    lesion = factories.LesionFactory(patient=patient)
    masses = [0.01, 0.04, 0.1, 0.2, 0.45] * 4
    for mass in masses:
        # Half of what is not a nevus is malignant: six classes share it.
        image = factories.ImageFactory(visit=visit, lesion=lesion)
        factories.PredictionFactory(image=image, model_version=active_version(), share=1 - 2 * mass)
    options = sign_in(dermatologist).get(reverse(PAGE)).context["options"]
    assert options.answers == len(masses)
    for option in (*options.watch, *options.urgent):
        kind = levels.watch if option in options.watch else levels.urgent
        threshold = kind[option.value].point.threshold
        assert f" {sum(mass >= threshold for mass in masses)} of the newest 20" in option.here


@pytest.fixture
def _no_base_set(monkeypatch) -> None:
    def fail() -> None:
        raise ReleaseError("It is not there.")

    monkeypatch.setattr(rules, "_levels_by_release", {})
    monkeypatch.setattr(rules, "read_base_set", fail)
    monkeypatch.setattr(rules.ThresholdLevels, "from_settings", classmethod(lambda cls, settings: None))


@pytest.mark.usefixtures("_no_base_set")
def test_without_levels_the_released_thresholds_stay(sign_in, dermatologist, patient, on_the_edge, clinic):
    client = sign_in(dermatologist)
    assert client.get(reverse(PAGE)).status_code == 200
    assert client.post(reverse(PAGE), MOST).status_code == 422
    assert not AnswerSettings.objects.exists()
    # Chosen under a version that had some.
    AnswerSettings.objects.create(
        clinic=clinic, number=1, watch="most", urgent="fewer", reason="As before.", member=dermatologist
    )
    prediction = photographed(sign_in, dermatologist, patient, on_the_edge[0])
    assert (prediction.tier, prediction.answer_settings) == (on_the_edge[1], None)


@pytest.mark.usefixtures("_no_base_set")
def test_without_levels_what_counts_may_stay_while_the_mix_moves_and_go_back_but_not_on(
    sign_in, dermatologist, clinic
):
    released = get_analyser().release.settings["class_mix"]
    AnswerSettings.objects.create(
        clinic=clinic, number=1, watch="most", urgent="fewer", class_mix=released, reason="As before.",
        member=dermatologist,
    )  # fmt: skip
    client = sign_in(dermatologist)
    assert choose(client, watch="more", urgent="fewer", mix="kept").status_code == 422
    assert choose(client, mix="kept").status_code == 422  # nothing moves
    assert choose(client, mix="released").status_code == 302
    assert choose(client, watch="released", urgent="released").status_code == 302
    assert choose(client, watch="most", urgent="fewer").status_code == 422
    newest = AnswerSettings.objects.get(number=3)
    assert (newest.number, newest.watch, newest.urgent, newest.class_mix) == (3, "released", "released", {})
    assert AnswerSettings.objects.get(number=2).watch == "most"


@pytest.fixture
def confirmed(patient, dermatologist):
    """Confirm lesions of the clinic that the network took for nevi, as what they are said to be."""

    def _confirmed(**counts: int) -> None:
        visit = factories.VisitFactory(patient=patient)
        for answer, count in counts.items():
            for number in range(count):
                image = factories.ImageFactory(visit=visit, lesion=factories.LesionFactory(patient=patient))
                factories.PredictionFactory(
                    image=image, model_version=active_version(), share=0.6 + 0.3 * (number % 2)
                )
                record_review(
                    image=image, reviewer=dermatologist, answer=answer, certainty="certain", basis="histopathology"
                )

    return _confirmed


def test_a_clinics_own_mix_is_offered_once_enough_is_confirmed_and_it_helps(
    sign_in, dermatologist, stranger, confirmed, patient, photograph
):
    client = sign_in(dermatologist)
    confirmed(nv=LEAST_LESIONS - 1)
    page = client.get(reverse(PAGE))
    assert page.context["own"].before is None
    assert [choice.value for choice in page.context["mixes"]] == ["released"]
    confirmed(bkl=1)
    page = client.get(reverse(PAGE))
    own = page.context["own"]
    assert own.lesions == LEAST_LESIONS
    assert own.after.loss < own.before.loss
    assert sum(own.mix.values()) == pytest.approx(1.0, abs=1e-5)
    share, low, high, released = own.shares["nv"]
    assert share == pytest.approx(0.99)
    assert low < share < high
    assert released == pytest.approx(get_analyser().release.settings["class_mix"]["nv"], abs=1e-4)
    assert all(mix > 0 for mix in own.mix.values()), "what was not met yet is not ruled out"
    assert [choice.value for choice in page.context["mixes"]] == ["released", "own"]

    before = photographed(sign_in, dermatologist, patient, photograph)
    assert choose(client, watch="released", urgent="released", mix="own").status_code == 302
    settings = AnswerSettings.objects.get()
    assert settings.class_mix == own.mix
    after = photographed(sign_in, dermatologist, patient, photograph)
    assert after.answer_settings == settings
    # Tiers do not depend on the mix; percentages do, by Bayes' rule.
    assert after.tier == before.tier
    released_mix = get_analyser().release.settings["class_mix"]
    expected = {code: before.probabilities[code] / released_mix[code] * own.mix[code] for code in CODES}
    total = sum(expected.values())
    assert after.probabilities == pytest.approx({code: each / total for code, each in expected.items()}, abs=1e-4)
    assert after.malignant_probability < before.malignant_probability
    assert wording("own mix of diagnoses") in client.get(after.image.get_absolute_url()).text
    assert wording("own mix of diagnoses") not in client.get(before.image.get_absolute_url()).text
    # The prediction set and the equal-prior scores are about the photograph alone.
    analysers = [as_read_then(each, get_analyser()) for each in (before, after)]
    scores = [
        analyser.calibration.without_class_mix(in_order(each.probabilities)).tolist()
        for analyser, each in zip(analysers, (before, after), strict=True)
    ]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)
    sets = [set(prediction_set(analyser, each)) for analyser, each in zip(analysers, (before, after), strict=True)]
    assert sets[0] == sets[1]
    # What is counted for the thresholds is read as released.
    assert malignant_probabilities_as_released([before, after], get_analyser()) == pytest.approx(
        [before.malignant_probability] * 2, abs=1e-4
    )
    elsewhere = photographed(sign_in, stranger, factories.PatientFactory(clinic=stranger.clinic), photograph)
    assert elsewhere.probabilities == pytest.approx(before.probabilities)


def test_a_mix_is_kept_while_thresholds_move_and_given_up_when_asked(sign_in, dermatologist, confirmed):
    client = sign_in(dermatologist)
    confirmed(nv=LEAST_LESIONS)
    choose(client, watch="released", urgent="released", mix="own")
    own = AnswerSettings.objects.get().class_mix
    confirmed(bkl=20)
    assert choose(client, watch="more", urgent="released", mix="kept").status_code == 302
    assert AnswerSettings.objects.get(number=2).class_mix == own
    assert choose(client, watch="more", urgent="released", mix="own").status_code == 302
    assert AnswerSettings.objects.get(number=3).class_mix != own
    assert choose(client, watch="more", urgent="released", mix="released").status_code == 302
    assert AnswerSettings.objects.get(number=4).class_mix == {}


def test_a_mix_that_makes_percentages_less_true_is_not_offered(sign_in, dermatologist, confirmed):
    # The release's own mix: what is estimated of a hundred lesions can only be further from it.
    confirmed(nv=68, bkl=11, mel=11, bcc=5, akiec=3, df=1, vasc=1)
    own = sign_in(dermatologist).get(reverse(PAGE)).context["own"]
    assert own.lesions == LEAST_LESIONS
    assert own.before.loss < own.after.loss
    assert choose(sign_in(dermatologist), watch="released", urgent="released", mix="own").status_code == 422
    assert not AnswerSettings.objects.exists()


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"watch": "least"}, "watch_level_is_known"),
        ({"urgent": "most"}, "urgent_level_is_known"),
        ({"reason": ""}, "answer_settings_have_a_reason"),
        ({"number": 0}, "answer_settings_count_from_1"),
        ({"number": 1}, "threshold_choice|UNIQUE|unique"),
    ],
)
def test_the_database_keeps_choices_as_they_are_made(dermatologist, changes, constraint):
    values = {
        "clinic": dermatologist.clinic, "number": 2, "watch": "more", "urgent": "fewer", "reason": "So it is.",
        "member": dermatologist,
    }  # fmt: skip
    AnswerSettings.objects.create(**{**values, "number": 1})
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        AnswerSettings.objects.create(**{**values, **changes})
    with pytest.raises(IntegrityError, match="answer_settings_are_append_only"), transaction.atomic():
        AnswerSettings.objects.update(watch="released")


def test_a_level_that_changes_nothing_says_so(sign_in, dermatologist, levels):
    page = sign_in(dermatologist).get(reverse(PAGE))

    shown = {option.value: option.is_as_released for option in page.context["options"].watch}
    released = levels.watch[WatchLevel.RELEASED].point.threshold
    assert shown == {
        level.value: level is not WatchLevel.RELEASED and point.point.threshold == released
        for level, point in levels.watch.items()
    }
    assert page.text.count("it makes no difference") == sum(shown.values())
