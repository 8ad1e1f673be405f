"""The steps of a run: collect, freeze, train, evaluate and store the candidate. A person decides on it."""

import logging
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dermascan.core.database_errors import without_values
from diagnosis.images.models.step import newest_step
from diagnosis.retraining.candidate_store import active_release, keep_candidate
from diagnosis.retraining.collect import (
    Case,
    Collection,
    LeftOut,
    cases_for_training,
    collect_cases,
    learnt_until,
    new_labels,
)
from diagnosis.retraining.errors import LeaseLost, NothingToLearn, RetrainingRefused
from diagnosis.retraining.gate_rules import gate_rules
from diagnosis.retraining.manifests import allowed_now, freeze_manifest, read_manifest, read_vectors
from diagnosis.retraining.models import Part, TrainingRun
from diagnosis.retraining.run_states import fail_run, finish_run, heartbeat, note, queue_run, report_progress
from mlmodel.network.head import Head
from mlmodel.releases.release import Release
from mlmodel.retraining import (
    VERDICTS,
    BaseSet,
    Judgement,
    Network,
    judge_candidate,
    network_of,
    read_base_set,
    train_candidate,
)
from mlmodel.retraining.candidate_training import within
from mlmodel.texts import Text
from patients.models import Clinic

MOST_LEFT_OUT_NAMED = 200
# How many diagnoses outside the seven classes the log lists.
MOST_NAMED = 8

logger = logging.getLogger(__name__)
_TRAINING, _JUDGING = 0.1, 0.8


def start_run(
    *,
    clinic: Clinic | None = None,
    since: date | None = None,
    started_by: AbstractBaseUser | None = None,
) -> TrainingRun:
    """Create a run that waits for a worker. Raises ``NothingToLearn``, ``RunIsAlive``."""
    parent, _release = active_release()
    if not new_labels(after=learnt_until(parent), clinic=clinic):
        raise NothingToLearn
    return queue_run(clinic=clinic, since=since, started_by=started_by, parent=parent)


def preview(*, clinic: Clinic | None = None, since: date | None = None) -> Collection:
    """Return the photographs that a run would be trained and tested on, without writing anything."""
    parent, _release = active_release()
    return collect_cases(base=read_base_set(), parent=parent, clinic=clinic, since=since, keep=False)


def execute_run(run: TrainingRun) -> None:
    """Carry out a claimed run. Errors are stored with the run; unexpected ones are raised again."""
    with heartbeat(run):
        try:
            _work(run)
        except LeaseLost:
            logger.warning("Retraining run %s was abandoned or resumed elsewhere; this process stops.", run.pk)
        except RetrainingRefused as refusal:
            _fail(run, str(refusal))
        except Exception as error:
            _fail(run, without_values(f"{type(error).__name__}: {error}", error))
            raise


def _work(run: TrainingRun) -> None:
    report_progress(run, 0.0, _("Reading the base set"))
    base = read_base_set()
    active, release = active_release()
    if active.pk != run.parent_id:
        raise RetrainingRefused(_("Another version has become active since the run was started. Start a new run."))
    if not run.manifest_sha256:
        _freeze(run, base)
    frozen = read_manifest(run)
    vectors = read_vectors(frozen)
    trained = _train(run, base, frozen, vectors, network_of(release.settings, Head.load(release.head)))
    report_progress(run, _JUDGING, _("Evaluating the candidate"))
    locked = [case for case in trained.cases if case.part == Part.TEST]
    judgement = judge_candidate(
        active=trained.active,
        candidate=trained.candidate,
        base=base,
        clinic=cases_for_training(locked, vectors) if locked else None,
        rules=gate_rules(),
        seed=_seed(run),
    )
    _keep(run, release, trained, judgement, locked)


@dataclass(frozen=True)
class _Trained:
    active: Network
    candidate: Network
    cases: list[Case]


def _freeze(run: TrainingRun, base: BaseSet) -> None:
    report_progress(run, 0.02, _("Collecting photographs"))
    run.step = newest_step()
    collection = collect_cases(base=base, parent=run.parent, clinic=run.clinic, since=run.since)
    if not collection.new:
        raise NothingToLearn
    with transaction.atomic():
        run.manifest_sha256, run.left_out = freeze_manifest(run=run, collection=collection), collection.left_out
        run.left_out_images = {
            why: [str(image) for image in images[:MOST_LEFT_OUT_NAMED]]
            for why, images in collection.left_out_images.items()
        }
        report_progress(
            run, 0.05, _("Photographs frozen")
        )  # takes the row's lock: a process that lost the run freezes nothing
        run.save(update_fields=["manifest_sha256", "left_out", "left_out_images", "step"])
        for line in summary_lines(collection):
            note(run, line)
        note(run, _("Frozen as manifest %(hash)s.") % {"hash": run.manifest_sha256[:12]})


def _train(
    run: TrainingRun, base: BaseSet, frozen: list[Case], vectors: dict[UUID, bytes], active: Network
) -> _Trained:
    """Train on photographs with consent; if consent is withdrawn during training, discard the result and repeat."""
    allowed = allowed_now(frozen)

    def report(share: float, stage: Text) -> None:
        report_progress(run, share, stage.translated(_))

    progress = within(report, _TRAINING, _JUDGING)
    while True:
        learned = [case for case in allowed if case.part == Part.TRAIN]
        if not learned:
            raise NothingToLearn
        _keep_withdrawn(run, frozen, allowed)
        lesions = len({case.lesion for case in learned})
        note(run, _("Training on %(photographs)s.") % {"photographs": _photographs_of(len(learned), lesions)})
        cases = cases_for_training(learned, vectors)
        candidate = train_candidate(active=active, base=base, learned=cases, seed=_seed(run), progress=progress)
        still = allowed_now(allowed)
        if len(still) == len(allowed):
            return _Trained(active, candidate, allowed)
        allowed = still


def _keep_withdrawn(run: TrainingRun, frozen: list[Case], allowed: list[Case]) -> None:
    withdrawn = sorted({str(case.image) for case in frozen} - {str(case.image) for case in allowed})
    if withdrawn != run.withdrawn:
        run.withdrawn = withdrawn
        run.save(update_fields=["withdrawn"])
        words = ngettext(
            "%(count)d photograph was removed: consent was withdrawn, or it was excluded.",
            "%(count)d photographs were removed: consent was withdrawn, or they were excluded.",
            len(withdrawn),
        )
        note(run, words % {"count": len(withdrawn)})


def _keep(run: TrainingRun, release: Release, trained: _Trained, judgement: Judgement, locked: list[Case]) -> None:
    learned = [case for case in trained.cases if case.part == Part.TRAIN]
    training: dict[str, Any] = {
        "run": str(run.pk),
        "trained_on": timezone.localdate().isoformat(),
        "photographs": len(learned),
        "lesions": len({case.lesion for case in learned}),
        "manifest_sha256": run.manifest_sha256,
    }
    with transaction.atomic():
        report_progress(run, 0.98, _("Storing the candidate"))  # locks the row until the candidate is stored
        candidate = keep_candidate(
            parent=run.parent, release=release, network=trained.candidate, judgement=judgement, training=training
        )
        finish_run(
            run,
            candidate=candidate,
            turned_wrong=[str(locked[row].image) for row in judgement.turned_wrong],
        )
        if candidate.answers_as_parent:
            words = _("Nothing better was found: the candidate gives the same answers as %(version)s.")
            note(run, words % {"version": run.parent.name})
        for reason in judgement.reasons:
            note(run, reason.told(_))
        words = _("Candidate %(version)s: %(verdict)s. A person decides whether to promote it.")
        note(run, words % {"version": candidate.name, "verdict": _(VERDICTS[judgement.verdict])})


def summary_lines(collection: Collection) -> list[str]:
    """Return the summary of a collection, as lines for a log."""
    lines = [
        _("%(photographs)s to train on, %(new)d of them new since the active version.")
        % {"photographs": _counts(collection, Part.TRAIN), "new": collection.new},
        _("%(photographs)s to test on.") % {"photographs": _counts(collection, Part.TEST)},
    ]
    for why, count in sorted(collection.left_out.items()):
        names = _diagnoses_outside(collection) if why == LeftOut.OUTSIDE_THE_SEVEN else ""
        reason = f"{LeftOut(why).label}{names}"
        lines.append(_("%(count)d not used: %(reason)s.") % {"count": count, "reason": reason})
    return lines


def _counts(collection: Collection, part: Part) -> str:
    return _photographs_of(collection.count(part), collection.lesions(part))


def _photographs_of(count: int, lesions: int) -> str:
    """Return so many photographs of so many lesions in words."""
    photographs = ngettext("%(count)s photograph", "%(count)s photographs", count) % {"count": f"{count:,}"}
    of_lesions = ngettext("%(photographs)s of %(count)s lesion", "%(photographs)s of %(count)s lesions", lesions)
    return of_lesions % {"photographs": photographs, "count": f"{lesions:,}"}


def _diagnoses_outside(collection: Collection) -> str:
    """Return the diagnoses outside the seven classes, most frequent first."""
    diagnoses = list(collection.outside.items())
    rest = len(diagnoses) - MOST_NAMED
    names = ", ".join(f"{name} ({count})" for name, count in diagnoses[:MOST_NAMED])
    if rest > 0:
        names = _("%(names)s, and %(rest)d more") % {"names": names, "rest": rest}
    return f": {names}"


def _seed(run: TrainingRun) -> int:
    """Return the seed: the same manifest gives the same candidate, even after a resume."""
    return int(run.manifest_sha256[:7], 16)


def _fail(run: TrainingRun, error: str) -> None:
    try:
        with transaction.atomic():
            fail_run(run, error=error)
            note(run, error)
    except LeaseLost:
        logger.warning("Retraining run %s was abandoned before it failed: %s", run.pk, error)
