"""A clinic for ``research.retrain``: it uploads through the API, confirms labels, retrains and decides.

Only people and names are fictional: the server is gunicorn over a socket, reviews use the service behind the admin's
review screen, ``retrain`` is the command in its own process, and decisions use the service behind the version's page.
"""

import io
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture

from benchmarks.multipart import encoded
from benchmarks.web_server import ROOT, WebServer
from mlmodel.datasets.dataset import Dataset
from mlmodel.taxonomy import CODES

TRUTH_FILE = "truth.json"
_AT_ONCE = 2


@dataclass(frozen=True)
class Outcome:
    """The outcome of one run of ``retrain``.

    Attributes:
        verdict: the gate's verdict; empty if the run was refused.
        decision: the decision on the candidate.
        learned, tested: numbers of photographs.
        excluded: numbers of excluded photographs, by reason.
        figures: the candidate's figures on the base held-out test set, by name: value, lower and upper bound.
        recalls: recalls on the same test set before and after, by class code.
        words: the most serious reason, or why there was no run.
        seconds: the duration of the command.
    """

    verdict: str
    decision: str
    learned: int
    tested: int
    excluded: dict[str, int]
    figures: dict[str, tuple[float, float, float]]
    recalls: dict[str, tuple[float, float]]
    words: str
    seconds: float
    change: tuple[float, float, float] | None = None
    clinic_change: tuple[float, float, float] | None = None


@dataclass
class Photographs:
    """The photographs to upload: rows of a data set as files, each named after its lesion."""

    dataset: Dataset
    rows: list[int] = field(default_factory=list)
    contents: dict[int, bytes] = field(default_factory=dict)

    def content(self, place: int) -> bytes:
        return self.contents.get(place) or self.dataset.paths[self.rows[place]].read_bytes()


def upload(folder: Path, photographs: Photographs, *, one_lesion: bool = False) -> float:
    """Record every lesion with its patient's consent, upload all photographs through the API; return the seconds.

    The true class of each photograph is stored in the installation's folder, for ``confirm``.
    """
    from django.db import connections

    member, token = _staff()
    lesions = _lesions(member, photographs, one_lesion=one_lesion)
    connections.close_all()
    truth: dict[str, Any] = _truth(folder)
    started = time.perf_counter()
    with WebServer() as server, ThreadPoolExecutor(_AT_ONCE) as pool:

        def send(place: int) -> tuple[str, int]:
            row = photographs.rows[place]
            lesion = lesions[str(photographs.dataset.lesions[row]) if not one_lesion else ""]
            return _post(f"{server.address}/api/v1/predict/", token, photographs.content(place), lesion), row

        for image, row in pool.map(send, range(len(photographs.rows))):
            if image:
                truth[image] = [int(row), int(photographs.dataset.labels[row]), int(photographs.dataset.folds[row])]
    (folder / TRUTH_FILE).write_text(json.dumps(truth), encoding="utf-8")
    return time.perf_counter() - started


def confirm(images: Iterable[str], labels: dict[str, int], *, is_known_by: str = "histopathology") -> int:
    """Confirm each photograph with the class index in ``labels``, as the clinic's dermatologist; return how many."""
    from diagnosis.images.models import Image
    from diagnosis.reviews.services import record_review

    reader = _dermatologist()
    count = 0
    for key in images:
        image = Image.objects.get(pk=key)
        answer = CODES[labels[key]]
        record_review(image=image, reviewer=reader, answer=answer, certainty="certain", basis=is_known_by)
        count += 1
    return count


def in_the_queues_order() -> Iterator[str]:
    """Yield photographs in the order of the review queue; confirm each before requesting the next."""
    from diagnosis.reviews.queue import offer_for

    reader = _dermatologist()
    while (entry := offer_for(reader).entry) is not None:
        yield str(entry.image_id)


def retrain(*, decide: bool, may_force: bool = True) -> Outcome:
    """Run ``manage.py retrain`` and, with ``decide``, decide as a careful dermatologist would.

    A candidate that passes the gate is promoted. One that is held for lack of evidence is promoted with a reason if
    both the base's and the clinic's test improve, which is marked as forced. Any other is left.

    Args:
        decide: whether a candidate may be promoted.
        may_force: whether a candidate that the gate holds may be promoted.
    """
    from diagnosis.retraining.models import TrainingRun

    before = TrainingRun.objects.count()
    started = time.perf_counter()
    ended = subprocess.run([sys.executable, "manage.py", "retrain"], cwd=ROOT, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if TrainingRun.objects.count() == before or ended.returncode:
        words = (ended.stderr or ended.stdout).strip().splitlines()
        return Outcome("", "no candidate", 0, 0, _excluded(), {}, {}, words[-1] if words else "", seconds)
    run = TrainingRun.objects.order_by("-created_at").first()
    assert run is not None
    assert run.candidate is not None
    decision = _decide(run.candidate, may_force=may_force) if decide else "not asked"
    return _outcome(run, decision, seconds)


def first_figures() -> dict[str, tuple[float, float, float]]:
    """Return the active version's figures on the base held-out test set, by lesion, with their intervals."""
    from mlmodel.versions.serving import active_version

    return _figures(active_version())


def _outcome(run: Any, decision: str, seconds: float) -> Outcome:
    judgement = run.candidate.judgement
    base, clinic = judgement["base"], judgement["clinic"]
    reason = judgement["reasons"][0]
    return Outcome(
        verdict=judgement["verdict"],
        decision=decision,
        learned=run.manifest.filter(part="train").count(),
        tested=clinic["photographs"] if clinic else 0,
        excluded=dict(run.left_out or {}),
        figures=_figures(run.candidate),
        recalls={code: (found["active"], found["candidate"]) for code, found in base["recall"].items()},
        words=reason["words"],
        seconds=seconds,
        change=_change(base),
        clinic_change=_change(clinic),
    )


def _change(test: dict[str, Any] | None) -> tuple[float, float, float] | None:
    accuracy = test and test["balanced_accuracy"]
    return (accuracy["change"], accuracy["low"], accuracy["high"]) if accuracy else None


def _excluded() -> dict[str, int]:
    from diagnosis.retraining.models import TrainingRun

    run = TrainingRun.objects.order_by("-created_at").first()
    return dict(run.left_out or {}) if run else {}


def _decide(candidate: Any, *, may_force: bool) -> str:
    from diagnosis.assessment.rescoring import rescore_archive
    from mlmodel.versions.promotion import promote_version
    from patients.models import User

    judgement, by = candidate.judgement, _dermatologist().user
    if judgement["verdict"] == "reject":
        return "left: rejected"
    is_held = judgement["verdict"] == "hold"
    if is_held and not may_force:
        return "left: held"
    if is_held and not _points_upwards(judgement):
        return "left: no gain seen"
    # The benchmark acts as the second person whom a clinic needs to overrule the gate.
    second = User.objects.get_or_create(username="second-reader")[0] if is_held else None
    held_reason = "Better on both tests; too few lesions to prove it."
    reason = held_reason if is_held else "The gate's rules are met."
    promote_version(version=candidate, by=by, seconded_by=second, force=is_held, reason=reason)
    for _count in rescore_archive():
        pass
    return "promoted, forced" if is_held else "promoted"


def _points_upwards(judgement: dict[str, Any]) -> bool:
    tests = [judgement["base"], judgement["clinic"]]
    changes = [test["balanced_accuracy"]["change"] for test in tests if test and test["balanced_accuracy"]]
    return bool(changes) and min(changes) >= 0 and max(changes) > 0


def _figures(version: Any) -> dict[str, tuple[float, float, float]]:
    from mlmodel.metrics import performance
    from mlmodel.retraining import network_of, read_base_set
    from mlmodel.versions.serving import analyser_of

    network = network_of(version.settings, analyser_of(version).head)
    answers = network.answers_by_lesion(read_base_set().locked)
    estimates = performance.estimate(
        {
            "balanced accuracy": performance.balanced_accuracy,
            "macro AUC": performance.macro_auc,
            "malignant AUC": performance.malignant_auc,
            "accuracy": performance.accuracy,
        },
        answers,
    )
    return {name: (each.value, each.low, each.high) for name, each in estimates.items()}


def _truth(folder: Path) -> dict[str, Any]:
    path = folder / TRUTH_FILE
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def known_truth(folder: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Return the true class index and the fold of every uploaded photograph."""
    truth = _truth(folder)
    return {key: values[1] for key, values in truth.items()}, {key: values[2] for key, values in truth.items()}


def _staff() -> tuple[Any, str]:
    from patients.models import Member, Role
    from tests import factories

    member = Member.objects.filter(role=Role.STAFF).first()
    if member is None:
        member = factories.MemberFactory()
        factories.MemberFactory(clinic=member.clinic, role=Role.DERMATOLOGIST)
    return member, factories.api_key(member)


def _dermatologist() -> Any:
    from patients.models import Member, Role

    return Member.objects.get(role=Role.DERMATOLOGIST)


def _lesions(member: Any, photographs: Photographs, *, one_lesion: bool) -> dict[str, str]:
    """Create a patient with consent to training for each lesion; return the lesions' keys by the data set's names."""
    from django.db import transaction

    from patients.services.consents import record_consent
    from tests import factories

    names: Sequence[str] = (
        [""] if one_lesion else sorted({str(photographs.dataset.lesions[row]) for row in photographs.rows})
    )
    keys = {}
    with transaction.atomic():
        for name in names:
            patient = factories.PatientFactory(
                clinic=member.clinic, created_by=member, record_number=f"HAM-{uuid.uuid4().hex[:12]}"
            )
            record_consent(patient=patient, by=member, purpose="training", decision="given", method="verbal")
            keys[name] = str(factories.LesionFactory(patient=patient).pk)
    return keys


def _post(address: str, token: str, content: bytes, lesion: str) -> str:
    """Return the key of the stored photograph, even if it was refused; "" if it was not stored."""
    body, content_type = encoded({"lesion": lesion}, {"file": ("lesion.jpg", content)})
    headers = {"Authorization": f"Token {token}", "Content-Type": content_type}
    request = urllib.request.Request(address, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        answer = json.load(error)
        if error.code not in {409, 422}:
            raise RuntimeError(f"{error.code}: {answer}") from error
    image = answer.get("image")
    return str(image["id"]) if image else ""


def saved_anew(content: bytes, *, number: int) -> bytes:
    """Return the photograph as a JPEG of another size and quality: another file with the same image."""
    picture = Picture.open(io.BytesIO(content)).convert("RGB")
    width = picture.width + 4 * (number % 25) - 40
    changed = picture.resize((width, round(picture.height * width / picture.width)))
    buffer = io.BytesIO()
    changed.save(buffer, "JPEG", quality=75 + number % 20)
    return buffer.getvalue()


def of_lesions(dataset: Dataset, wanted: npt.NDArray[np.bool_], *, at_most: int) -> list[int]:
    """Return the photographs of the first lesions of each class, up to the given number."""
    rows: list[int] = []
    for label in np.unique(dataset.labels[wanted]):
        own = wanted & (dataset.labels == label)
        rows += np.flatnonzero(own & np.isin(dataset.lesions, np.unique(dataset.lesions[own])[:at_most])).tolist()
    return rows
