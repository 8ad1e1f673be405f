"""The active release for a run, and the registration of its candidate."""

import hashlib
from typing import Any

from mlmodel.releases.release import Release
from mlmodel.retraining import Judgement, Network, candidate_card, candidate_settings, package_head
from mlmodel.versions.models import ModelVersion
from mlmodel.versions.promotion import register_candidate
from mlmodel.versions.serving import now_serving


def active_release() -> tuple[ModelVersion, Release]:
    """Return the active version and its release."""
    serving = now_serving()
    return serving.version, serving.analyser.release


def keep_candidate(
    *,
    parent: ModelVersion,
    release: Release,
    network: Network,
    judgement: Judgement,
    training: dict[str, Any],
) -> ModelVersion:
    """Store an evaluated candidate as a model version, on which a person decides."""
    head = package_head(network, release.head_file)
    is_unchanged = hashlib.sha256(head).hexdigest() == release.head_sha256
    return register_candidate(
        parent=parent,
        head=head,
        settings=candidate_settings(release.settings, network, judgement, training, is_unchanged=is_unchanged),
        card=candidate_card(
            network=network, judgement=judgement, training=training, parent=parent.name, origin=release.settings
        ),
        judgement=judgement.as_dict(),
    )
