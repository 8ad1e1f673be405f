"""Promotion and rollback of model versions by a person. Only this and shipping change the active version."""

from typing import Any

from django.db import transaction
from django.dispatch import Signal
from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from mlmodel.network.analyser import Analyser, get_analyser
from mlmodel.releases.release import release_from
from mlmodel.retraining import Verdict
from mlmodel.versions.models import (
    LONGEST_REASON,
    Decision,
    DecisionKind,
    ModelVersion,
    ModelVersionStatus,
    StoredHead,
)
from mlmodel.versions.serving import active_version, can_serve

# Sent with ``version`` after a switch is committed, so that earlier analyses are updated.
version_switched = Signal()


class PromotionRefused(Refused):
    """The version cannot become active; ``message`` says why and what to do."""

    code = "promotion_refused"


def register_candidate(
    *,
    parent: ModelVersion,
    head: bytes,
    settings: dict[str, Any],
    card: str,
    judgement: dict[str, Any],
) -> ModelVersion:
    """Return a retrained head stored as a candidate, which is not used before a person promotes it.

    The head is loaded once before it is stored, so that an unusable one is never offered. If the candidate is already
    stored, it is returned unchanged.

    Args:
        parent: the version from which it was trained and with which it was compared.
        head: the content of its file, from ``mlmodel.retraining.package_head``.
        settings: calibration, operating points and results.
        card: Markdown.
        judgement: the gate's judgement, from ``Judgement.as_dict``.
    """
    shipped = get_analyser()
    release = release_from(
        backbone=shipped.release.backbone,
        backbone_sha256=parent.backbone_sha256,
        head=head,
        settings=settings,
        card=card,
    )
    # Fails if the head cannot be loaded.
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
    """Make a candidate the active version.

    Args:
        by: the user who decides; the caller checks their permission.
        reason: their reason.
        force: promote it anyway although the gate's verdict is HOLD. It is recorded as such and always needs two
            people. REJECT cannot be forced.
        seconded_by: the user who has agreed; not the same as ``by``.

    Raises:
        PromotionRefused: there is no reason, the gate is against it, it was compared with a version that is no longer
            active, it is no longer a candidate, or files that it needs are missing.
    """
    reason = stated(reason)
    with transaction.atomic():
        active, version = _locked(version)
        if version.status != ModelVersionStatus.CANDIDATE:
            raise PromotionRefused(
                _("%(version)s is not a candidate. To return to an earlier version, use “Roll back”.")
                % {"version": version},
                code="not_a_candidate",
            )
        ensure_may_be_promoted(version, active=active, force=force)
        kind = DecisionKind.PROMOTE if version.verdict == Verdict.PROMOTE else DecisionKind.FORCE
        if kind == DecisionKind.FORCE and seconded_by is None:
            raise PromotionRefused(
                _("The gate holds %(version)s back: to promote it anyway, a second person is needed.")
                % {"version": version},
                code="needs_second_person",
            )
        return _switch(active, version, kind=kind, by=by, reason=reason, seconded_by=seconded_by)


def ensure_may_be_promoted(version: ModelVersion, *, active: ModelVersion, force: bool = False) -> None:
    """Raise ``PromotionRefused`` unless ``version`` could replace ``active``, regardless of who decides."""
    if version.status == ModelVersionStatus.ACTIVE:
        raise PromotionRefused(_("%(version)s is already active.") % {"version": version}, code="already_active")
    if not can_serve(version):
        raise PromotionRefused(
            _("%(version)s cannot be used here: files that it needs are missing or were altered. Retrain.")
            % {"version": version},
            code="files_missing",
        )
    if version.status == ModelVersionStatus.RETIRED:
        return
    if version.parent_id != active.pk:
        raise PromotionRefused(
            _(
                "%(version)s was compared with %(parent)s, but %(active)s is active now. Retrain, so that it is "
                "compared with that version."
            )
            % {"version": version, "parent": version.parent, "active": active},
            code="compared_with_another",
        )
    if version.verdict == Verdict.REJECT:
        raise PromotionRefused(
            _("The gate rejected %(version)s: it was shown to be worse. That cannot be forced.")
            % {"version": version},
            code="rejected_by_gate",
        )
    if version.verdict != Verdict.PROMOTE and not force:
        raise PromotionRefused(
            _(
                "The gate holds %(version)s back: there is not enough evidence. Confirm that you want to promote it "
                "anyway."
            )
            % {"version": version},
            code="held_by_gate",
        )


def roll_back(*, to: ModelVersion, by: Any, reason: str, seconded_by: Any = None) -> Decision:
    """Make a formerly active version active again.

    Raises:
        PromotionRefused: there is no reason, it was never active or already is, or this installation has another
            backbone.
    """
    reason = stated(reason)
    with transaction.atomic():
        active, to = _locked(to)
        if to.status == ModelVersionStatus.ACTIVE:
            raise PromotionRefused(_("%(version)s is already active.") % {"version": to}, code="already_active")
        if to.status != ModelVersionStatus.RETIRED:
            raise PromotionRefused(
                _("%(version)s was never active here. A candidate is promoted, not rolled back to.") % {"version": to},
                code="never_active",
            )
        if not can_serve(to):
            raise PromotionRefused(
                _(
                    "%(version)s needs files that this installation does not have. Install the release to which it "
                    "belongs."
                )
                % {"version": to},
                code="files_missing",
            )
        return _switch(active, to, kind=DecisionKind.ROLL_BACK, by=by, reason=reason, seconded_by=seconded_by)


def stated(reason: str) -> str:
    """Return the reason on one line. Raises ``PromotionRefused`` if it is empty or too long."""
    reason = " ".join(reason.split())
    if not reason:
        raise PromotionRefused(
            _("Give the reason in one sentence. It is stored with the decision."), code="promotion_reason_missing"
        )
    if len(reason) > LONGEST_REASON:
        raise PromotionRefused(
            _("Give the reason in at most %(limit)d characters.") % {"limit": LONGEST_REASON},
            code="promotion_reason_too_long",
        )
    return reason


def _locked(version: ModelVersion) -> tuple[ModelVersion, ModelVersion]:
    """Return the active version and ``version`` as they are now, locked so that decisions are sequential."""
    current = active_version()
    queryset = ModelVersion.objects.select_for_update().filter(pk__in=[current.pk, version.pk]).order_by("pk")
    rows = {row.pk: row for row in queryset}
    active, version = rows[current.pk], rows[version.pk]
    if active.status != ModelVersionStatus.ACTIVE:
        raise PromotionRefused(
            _("The active network has just been changed by someone else. Reload the page, then decide."),
            code="active_changed",
        )
    return active, version


def _switch(
    active: ModelVersion, version: ModelVersion, *, kind: DecisionKind, by: Any, reason: str, seconded_by: Any
) -> Decision:
    if seconded_by is not None and seconded_by == by:
        raise PromotionRefused(_("The person who agrees must not be the person who proposed it."), code="same_person")
    active.status = ModelVersionStatus.RETIRED
    active.save(update_fields=["status"])
    version.status = ModelVersionStatus.ACTIVE
    version.save(update_fields=["status"])
    transaction.on_commit(lambda: version_switched.send(sender=ModelVersion, version=version))
    return Decision.objects.create(
        version=version, replaced=active, kind=kind, by=by, reason=reason, seconded_by=seconded_by
    )
