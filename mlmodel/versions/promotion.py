"""A person decides which network answers. The only place, but for shipping, that changes which version is active."""

from typing import Any

from django.db import transaction
from django.dispatch import Signal

from mlmodel.network.analyser import Analyser, get_analyser
from mlmodel.releases.release import release_from
from mlmodel.retraining import Verdict
from mlmodel.versions.models import Decision, DecisionKind, ModelVersion, ModelVersionStatus, StoredHead
from mlmodel.versions.serving import active_version, can_serve

# Sent once a switch is committed, with ``version``: what was judged before is to be read by the new one.
version_switched = Signal()


class PromotionRefused(Exception):
    """The version cannot become the active one; ``message`` says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def register_candidate(
    *,
    parent: ModelVersion,
    head: bytes,
    settings: dict[str, Any],
    card: str,
    judgement: dict[str, Any],
) -> ModelVersion:
    """Keep a retrained head as a candidate. It answers nobody until somebody promotes it.

    The head is loaded once before it is kept, so that what cannot answer is never offered. A head that is kept already
    is returned as it is.

    Args:
        parent: the version it was trained from and judged against.
        head: what is in its file, as ``mlmodel.retraining.package_head`` makes it.
        settings: calibration, operating points, figures.
        card: Markdown.
        judgement: the gate's, as ``Judgement.as_dict`` gives it.
    """
    shipped = get_analyser()
    release = release_from(
        backbone=shipped.release.backbone,
        backbone_sha256=parent.backbone_sha256,
        head=head,
        settings=settings,
        card=card,
    )
    # What cannot be loaded is no candidate.
    Analyser(release, engine=shipped.engine)
    with transaction.atomic():
        version, created = ModelVersion.objects.get_or_create(
            sha256=release.sha256,
            defaults={
                "name": release.version,
                "backbone_sha256": release.backbone_sha256,
                "head_sha256": release.head_sha256,
                "card": card,
                "parent": parent,
                "settings": settings,
                "judgement": judgement,
            },
        )
        if created:
            StoredHead.objects.create(version=version, content=head)
    return version


def promote_version(
    *, version: ModelVersion, by: Any, reason: str, force: bool = False, seconded_by: Any = None
) -> Decision:
    """Let a candidate answer from now on.

    Args:
        by: the user who decides; whoever calls makes sure that they may.
        reason: why, in their words.
        force: the gate said HOLD, and it is to be done all the same. Recorded as such, and done by two people alone.
            REJECT cannot be forced.
        seconded_by: the user who has agreed; somebody else than ``by``.

    Raises:
        PromotionRefused: there is no reason, the gate is against it, it was judged against a version that is no
            longer active, it is no candidate any more, or what it needs is not here.
    """
    reason = stated(reason)
    with transaction.atomic():
        active, version = _locked(version)
        if version.status != ModelVersionStatus.CANDIDATE:
            raise PromotionRefused(f"{version} is not a candidate. Go back to an earlier version with “Roll back”.")
        ensure_may_be_promoted(version, active=active, force=force)
        kind = DecisionKind.PROMOTE if version.verdict == Verdict.PROMOTE else DecisionKind.FORCE
        if kind == DecisionKind.FORCE and seconded_by is None:
            raise PromotionRefused(f"The gate holds {version} back: to promote it all the same takes a second person.")
        return _switch(active, version, kind=kind, by=by, reason=reason, seconded_by=seconded_by)


def ensure_may_be_promoted(version: ModelVersion, *, active: ModelVersion, force: bool = False) -> None:
    """Raise ``PromotionRefused`` unless ``version`` could take the place of ``active``, whoever decides it."""
    if version.status == ModelVersionStatus.ACTIVE:
        raise PromotionRefused(f"{version} answers already.")
    if not can_serve(version):
        raise PromotionRefused(f"{version} cannot answer here: what it needs is missing or was altered. Retrain.")
    if version.status == ModelVersionStatus.RETIRED:
        return
    if version.parent_id != active.pk:
        raise PromotionRefused(
            f"{version} was judged against {version.parent}, but {active} answers now. Retrain, so that it is "
            "judged against that one."
        )
    if version.verdict == Verdict.REJECT:
        raise PromotionRefused(f"The gate rejected {version}: it was shown to be worse. That cannot be forced.")
    if version.verdict != Verdict.PROMOTE and not force:
        raise PromotionRefused(
            f"The gate holds {version} back: there is not enough evidence. Say that you promote it all the same."
        )


def roll_back(*, to: ModelVersion, by: Any, reason: str, seconded_by: Any = None) -> Decision:
    """Let a version answer again that answered before.

    Raises:
        PromotionRefused: there is no reason, it never was the active one or is it now, or its backbone is not the one
            that this installation has.
    """
    reason = stated(reason)
    with transaction.atomic():
        active, to = _locked(to)
        if to.status == ModelVersionStatus.ACTIVE:
            raise PromotionRefused(f"{to} answers already.")
        if to.status != ModelVersionStatus.RETIRED:
            raise PromotionRefused(f"{to} has never answered here. A candidate is promoted, not rolled back to.")
        if not can_serve(to):
            raise PromotionRefused(
                f"{to} needs files that this installation does not have. Install the release that it came with."
            )
        return _switch(active, to, kind=DecisionKind.ROLL_BACK, by=by, reason=reason, seconded_by=seconded_by)


def stated(reason: str) -> str:
    """The reason on one line. Raises ``PromotionRefused`` where there is none, or a long one."""
    reason = " ".join(reason.split())
    if not reason:
        raise PromotionRefused("Say why, in a sentence. It is kept with the decision.")
    if len(reason) > 500:
        raise PromotionRefused("Say why in at most 500 characters.")
    return reason


def _locked(version: ModelVersion) -> tuple[ModelVersion, ModelVersion]:
    """Lock the active version, so that decisions come one after the other, and read both as they are now."""
    current = active_version()
    found = ModelVersion.objects.select_for_update().filter(pk__in=[current.pk, version.pk]).order_by("pk")
    rows = {row.pk: row for row in found}
    active, version = rows[current.pk], rows[version.pk]
    if active.status != ModelVersionStatus.ACTIVE:
        raise PromotionRefused("Somebody else has just changed which network answers. Look again, then decide.")
    return active, version


def _switch(
    active: ModelVersion, version: ModelVersion, *, kind: DecisionKind, by: Any, reason: str, seconded_by: Any
) -> Decision:
    if seconded_by is not None and seconded_by == by:
        raise PromotionRefused("Who agrees must be somebody else than who has proposed it.")
    active.status = ModelVersionStatus.RETIRED
    active.save(update_fields=["status"])
    version.status = ModelVersionStatus.ACTIVE
    version.save(update_fields=["status"])
    transaction.on_commit(lambda: version_switched.send(sender=ModelVersion, version=version))
    return Decision.objects.create(
        version=version, replaced=active, kind=kind, by=by, reason=reason, seconded_by=seconded_by
    )
