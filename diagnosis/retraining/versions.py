"""Between a run and the model versions: which one answers now, and where its candidate goes."""

from django.db import transaction

from diagnosis.services.analysis import active_version
from mlmodel.analysis import get_analyser
from mlmodel.models import ModelVersion
from mlmodel.release import Release, release_from
from mlmodel.retraining import Judgement, Network, candidate_card, candidate_settings, package_head


def active_release() -> tuple[ModelVersion, Release]:
    """Return the version that answers now, and its release."""
    return active_version(), get_analyser().release


def keep_candidate(
    *, parent: ModelVersion, release: Release, network: Network, judgement: Judgement, training: dict[str, object]
) -> ModelVersion:
    """Keep a judged candidate as a model version, to be decided on by a person."""
    candidate = release_from(
        backbone=release.backbone,
        backbone_sha256=release.backbone_sha256,
        head=package_head(network, release.head_file),
        settings=candidate_settings(release.settings, network, judgement, training),
        card=candidate_card(network=network, judgement=judgement, training=training, parent=parent.name),
    )
    with transaction.atomic():
        return ModelVersion.objects.create(
            name=candidate.version,
            sha256=candidate.sha256,
            backbone_sha256=candidate.backbone_sha256,
            head_sha256=candidate.head_sha256,
            card=candidate.card,
        )
