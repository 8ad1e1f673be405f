"""What a release says of the photographs behind it: whose, how many, of whom hardly any, and where promises fail."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlmodel.datasets.dataset import Dataset
from mlmodel.evaluation import card_sources
from mlmodel.evaluation.by_source import FIGURES
from mlmodel.evaluation.test_sets import Photographs
from mlmodel.metrics.calibration_rules import LEAST_OF_A_SOURCE
from mlmodel.metrics.level_rules import least_found
from mlmodel.metrics.partial_labels import LABELS
from mlmodel.metrics.performance import Answers, Estimate
from mlmodel.network.tiers import OperatingPoint
from mlmodel.releases.sources import HAM10000, sources_trained_on
from mlmodel.taxonomy import CODES
from mlmodel.training.provenance import hardly_seen, learned_from, recorded_traits
from tests.hooks import wording

MEL, NV = LABELS.index("mel"), LABELS.index("nv")


@pytest.fixture
def dataset():
    """Two sources with a lesion of two photographs in a training fold each, and two lesions held out for testing."""
    return Dataset(
        paths=tuple(Path(f"{n}.jpg") for n in range(8)),
        labels=np.full(8, NV),
        lesions=np.array(["a", "a", "b", "c", "d", "d", "e", "f"]),
        copies=np.full(8, "sharp"),
        folds=np.array([0, 0, 8, 9, 1, 1, 8, 9]),
        sources=np.repeat([HAM10000, "elsewhere"], 4),
        proofs=np.full(8, ""),
    )


@pytest.fixture
def smartphone():
    return Photographs(
        name="", description="", credit="",
        paths=tuple(Path(f"{n}.png") for n in range(4)),
        labels=np.zeros(4, dtype=np.int64),
        diagnoses=np.full(4, "mel"),
        lesions=np.array(["p", "p", "q", "r"]),
        traits={"skin_type": np.array(["IV", "IV", "VI", "II"])},
    )  # fmt: skip


def test_photographs_and_lesions_are_counted_by_source_and_by_what_they_did(dataset):
    home, other = learned_from(dataset, trained_on=[HAM10000])
    assert home["name"] == HAM10000
    assert home["trained"] == {"photographs": 2, "lesions": 1}
    assert home["chosen"] == {"photographs": 0, "lesions": 0}
    assert home["locked"] == {"photographs": 2, "lesions": 2}
    assert other["locked"] == {"photographs": 2, "lesions": 2}
    assert "trained" not in other

    # What training did not see comes last.
    names = [each["name"] for each in learned_from(dataset, trained_on=["elsewhere"])]
    assert names == ["elsewhere", HAM10000]


def test_whom_it_has_hardly_seen_is_counted_by_lesion(dataset, smartphone):
    traits = {
        "age": np.array(["17", "17", "18", "4", "", "", "80", "0"]),
        "site": np.array(["acral", "acral", "pectoral", "upper lip", "", "", "palms/soles", "subungual"]),
    }
    found = {
        each["group"]: each
        for each in hardly_seen(dataset, traits, trained_on=[HAM10000, "elsewhere"], smartphone=smartphone)
    }
    assert {name: (each["trained"], each["judged"]) for name, each in found.items()} == {
        "children": (1, 1),
        "skin_types_4_to_6": (0, 0),
        "palms_and_soles": (1, 1),
        "nails": (0, 1),
        # A chest is no mouth.
        "mucosa": (0, 1),
    }
    # The second source has no child: its table may be silent of them.
    assert found["children"]["not_recorded"] == 3
    assert found["nails"]["not_recorded"] == 4
    assert found["skin_types_4_to_6"]["not_recorded"] == 6
    assert found["skin_types_4_to_6"]["smartphone"] == 2
    # A source that was not trained on taught nothing.
    home_only = hardly_seen(dataset, traits, trained_on=["elsewhere"], smartphone=smartphone)
    assert home_only[0]["trained"] == 0


def test_age_and_site_are_read_from_the_tables_of_several_folders(tmp_path, dataset):
    for name, rows in (("one", "0,5,acral\n1,,\n"), ("two", "4,70,nail\n0,99,back\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metadata.csv").write_text(f"image_id,age,localization\n{rows}", encoding="utf-8")
    traits = recorded_traits(dataset, [tmp_path / "one", tmp_path / "two"])
    assert traits["age"].tolist() == ["5", "", "", "", "70", "", "", ""]
    assert traits["site"][4] == "nail"


def test_the_card_says_where_a_promise_is_not_kept():
    def source(coverage: float, melanomas: float | None) -> dict:
        figures: dict[str, Estimate | None] = {name: Estimate(0.95, 0.9, 1.0) for name in FIGURES}
        figures["set_coverage"] = Estimate(coverage, coverage, coverage)
        figures["watch.melanoma_sensitivity"] = None if melanomas is None else Estimate(melanomas, 0.5, 1.0)
        return {"photographs": 90, "lesions": 80, "malignant": 40, "melanomas": 30, "figures": figures}

    kept = card_sources.by_source({HAM10000: source(0.9, 0.9), "isic2020": source(0.93, None)})
    assert "not kept" not in kept
    broken = card_sources.by_source({HAM10000: source(0.9, 0.9), "isic2020": source(0.88, 0.6)})
    assert "ISIC 2020 (88.0%)" in broken
    assert "ISIC 2020 (60.0%)" in broken
    assert "HAM10000 (9" not in broken
    assert card_sources.by_source({}) == ""


def test_a_threshold_is_stated_with_what_it_finds_where_it_does_worst():
    def answers(malignant: list[float]) -> Answers:
        probabilities = np.zeros((len(malignant) + LEAST_OF_A_SOURCE, len(CODES)), dtype=np.float32)
        probabilities[:, MEL] = [*malignant, *np.linspace(0, 0.5, LEAST_OF_A_SOURCE)]
        labels = np.array([MEL] * len(malignant) + [NV] * LEAST_OF_A_SOURCE)
        return Answers(probabilities, probabilities, labels, np.arange(len(labels)).astype(str))

    home = answers([0.9] * 60)
    worse = answers([0.9] * 30 + [0.1] * 30)
    too_few = answers([0.1] * (LEAST_OF_A_SOURCE - 1))
    assert least_found({"a": home, "b": worse, "c": too_few}, 0.5) == {
        "least_sensitivity": 0.5, "least_melanoma_sensitivity": 0.5, "least_specificity": 0.98,
    }  # fmt: skip
    assert least_found({"a": home}, 0.5) == {}

    point = OperatingPoint(0.5, sensitivity=0.9, melanoma_sensitivity=0.8, specificity=0.7, least_sensitivity=0.95)
    assert point.malignant_found == (0.9, 0.9)
    worst = replace(point, least_melanoma_sensitivity=0.4)
    assert worst.melanomas_found == (0.4, 0.8)


def test_a_release_names_what_it_was_trained_on_and_an_old_one_had_a_single_collection():
    assert [each.title for each in sources_trained_on({})] == ["HAM10000"]
    settings = {
        "sources": [
            {"name": "isic2020", "trained": {}},
            {"name": "isic2017", "locked": {}},
            {"name": "x", "trained": {}},
        ]
    }
    assert [each.title for each in sources_trained_on(settings)] == ["ISIC 2020", "x"]


def test_the_card_shows_every_group_that_is_counted_and_names_every_place(dataset, smartphone):
    traits = {"age": np.array(["17", "17", "18", "4", "", "", "80", "0"])}
    trained_on = [HAM10000, "elsewhere"]
    sources = learned_from(dataset, trained_on=trained_on)
    groups = hardly_seen(dataset, traits, trained_on=trained_on, smartphone=smartphone)
    table = card_sources.hardly_seen(groups)
    assert table.count("\n| ") == len(groups) + 1
    assert "| Children and adolescents, under 18 | 1 | 1 | 0 | 3 |" in table
    assert "(Vienna and Queensland; elsewhere)" in card_sources.limits(sources)
    card = card_sources.learned_from(sources)
    assert "| HAM10000 | 2 (1) | 0 (0) | 2 (2) |" in card
    assert wording("ask the owner about the terms of use") in card
    assert "doi.org/10.1038/sdata.2018.161" in card
