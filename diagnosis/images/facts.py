"""Facts about how photographs were taken: reading them, and storing a new statement."""

import datetime
from dataclasses import dataclass, replace

from django.db.models import Q
from django.utils import timezone

from diagnosis.images.errors import (
    DeviceOfAnotherClinic,
    ImplausibleTime,
    NotItsOverview,
)
from diagnosis.images.kinds import LEFT_OPEN, PhotographKind
from diagnosis.images.models import Device, Image, PhotographFacts, TimeSource
from diagnosis.images.models.photograph_facts import EARLIEST_TAKEN
from mlmodel.pictures.camera_facts import CameraFacts
from patients.models import Member


@dataclass(frozen=True)
class StatedFacts:
    """What a member states about a photograph; everything may be unknown."""

    kind: str = ""
    device: Device | None = None
    is_polarised: bool | None = None
    is_contact: bool | None = None
    is_cropped: bool = False
    taken_at: datetime.datetime | None = None
    taken_at_source: str = ""
    overview: Image | None = None

    @property
    def is_empty(self) -> bool:
        return self == StatedFacts()


def newest_facts(image: Image) -> PhotographFacts | None:
    """Return the facts that count, in no query if ``facts`` was prefetched; None if nothing was ever stated."""
    if "facts" in getattr(image, "_prefetched_objects_cache", {}):
        return max(image.facts.all(), key=lambda row: row.pk, default=None)
    return image.facts.select_related("device", "member__user", "overview__visit", "overview__lesion").first()


def fitting_overview(image: Image, row: PhotographFacts | None) -> Image | None:
    """Return the overview that ``row`` names, unless one of the two was filed elsewhere since."""
    overview = row.overview if row else None
    return overview if overview is not None and is_overview_of(overview, image) else None


def facts_now(image: Image) -> StatedFacts:
    """Return the facts that count, as they would be stated again."""
    row = newest_facts(image)
    if row is None:
        return StatedFacts()
    return StatedFacts(
        kind=row.kind,
        device=row.device,
        is_polarised=row.is_polarised,
        is_contact=row.is_contact,
        is_cropped=row.is_cropped,
        taken_at=row.taken_at,
        taken_at_source=row.taken_at_source,
        overview=fitting_overview(image, row),
    )


def with_device_defaults(stated: StatedFacts) -> StatedFacts:
    """Return the facts with what the device usually does, where nothing else was stated."""
    if stated.kind == LEFT_OPEN:
        return replace(with_device_defaults(replace(stated, kind="")), kind="")
    device = stated.device
    if device is None:
        return stated
    return replace(
        stated,
        kind=stated.kind or device.default_kind,
        is_polarised=device.is_polarised if stated.is_polarised is None else stated.is_polarised,
        is_contact=device.is_contact if stated.is_contact is None else stated.is_contact,
    )


def with_camera_facts(stated: StatedFacts, camera: CameraFacts, *, uploaded_at: datetime.datetime) -> StatedFacts:
    """Return the facts with what the file says, where nothing was stated and it is plausible."""
    if stated.taken_at is None and camera.taken_at is not None:
        moment = _aware(camera.taken_at)
        if moment is not None and is_plausible_time(moment, uploaded_at=uploaded_at):
            stated = replace(stated, taken_at=moment, taken_at_source=TimeSource.FILE)
    return replace(stated, is_cropped=stated.is_cropped or camera.is_cropped)


def is_plausible_time(moment: datetime.datetime, *, uploaded_at: datetime.datetime) -> bool:
    """Return whether a photograph that was uploaded then may have been taken at ``moment``."""
    return EARLIEST_TAKEN <= moment <= min(uploaded_at, timezone.now())


def store_facts(*, image: Image, stated: StatedFacts, by: Member) -> PhotographFacts:
    """Store a statement about a photograph, whose row the caller has locked or just written.

    Raises:
        DeviceOfAnotherClinic, ImplausibleTime, NotItsOverview: nothing is stored.
    """
    clinic = image.visit.patient.clinic_id
    if stated.device is not None and stated.device.clinic_id != clinic:
        raise DeviceOfAnotherClinic
    if stated.taken_at is not None and not is_plausible_time(stated.taken_at, uploaded_at=image.created_at):
        raise ImplausibleTime
    if stated.overview is not None and not is_overview_of(stated.overview, image):
        raise NotItsOverview
    source = stated.taken_at_source or TimeSource.MEMBER
    row = PhotographFacts.objects.create(
        image=image,
        kind=stated.kind,
        device=stated.device,
        is_polarised=stated.is_polarised,
        is_contact=stated.is_contact,
        is_cropped=stated.is_cropped,
        taken_at=stated.taken_at,
        taken_at_source=source if stated.taken_at else "",
        # An overview is the top: what it belonged to before it was called so no longer counts.
        overview=None if stated.kind == PhotographKind.OVERVIEW else stated.overview,
        member=by,
    )
    image.kind, image.taken_at = row.kind, row.taken_at
    image.save(update_fields=["kind", "taken_at"])
    return row


def is_overview_of(overview: Image, image: Image) -> bool:
    """Return whether ``image`` may belong to ``overview``: one of the same lesion, or of the same patient's visit."""
    if overview.pk == image.pk or overview.kind != PhotographKind.OVERVIEW:
        return False
    return overview.lesion_id == image.lesion_id or overview.visit_id == image.visit_id


def overviews_for(image: Image) -> "list[Image]":
    """Return the overviews in use that the photograph may belong to, the newest first."""
    overviews = Image.objects.in_use().filter(kind=PhotographKind.OVERVIEW).exclude(pk=image.pk)
    near = overviews.filter(lesion=image.lesion_id) | overviews.filter(visit=image.visit_id)
    rows = near.select_related("visit", "lesion").distinct()
    return sorted(rows, key=lambda each: each.order_in_time, reverse=True)


def belonging_to(overview: Image) -> "list[Image]":
    """Return the photographs in use that belong to the overview, the newest first."""
    facts = PhotographFacts.objects.newest().filter(overview=overview)
    near = Q(lesion=overview.lesion_id) | Q(visit=overview.visit_id)
    rows = Image.objects.in_use().filter(near, pk__in=facts.values("image")).select_related("visit", "lesion")
    return sorted(rows, key=lambda each: each.order_in_time, reverse=True)


def _aware(moment: datetime.datetime) -> datetime.datetime | None:
    """Return the camera's time; without a time zone of its own it is the clinic's."""
    try:
        return moment.astimezone(datetime.UTC) if moment.tzinfo else timezone.make_aware(moment)
    except (OverflowError, ValueError):
        return None
