"""Files without a row are deleted after a day; files with a row never are."""

import os
import signal
import subprocess
import sys
import tempfile
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from dermascan.orphans import FEW, OUR_NAMES, TooManyOrphans, delete_orphans, file_fields
from dermascan.tasks import sweep_orphans
from diagnosis.assessment.exclusions import exclude_image
from diagnosis.images.models import HeatMap, Image
from diagnosis.outcomes.models import PathologyResult
from diagnosis.reports.models import Addendum, Report
from tests import factories
from tests.places import ROOT

pytestmark = pytest.mark.django_db

A_DAY_LATER = timedelta(days=1, minutes=1)
KEY = "0123456789abcdef0123456789abcdef"
SAMPLE = "images/a-sample.jpg"  # the factory's
KILLED = """
import os, signal, sys, django
django.setup()
from django.conf import settings
settings.MEDIA_ROOT = sys.argv[1]
from diagnosis.models import Image
from dermascan.core.written_files import kept_only_on_success
with kept_only_on_success() as files:
    files.write(Image().original, b"half an upload")
    files.write(Image().display, b"more of it")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def folders(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads"
    queue, control = tmp_path / "queue" / "messages", tmp_path / "queue" / "control"
    for folder in (settings.MEDIA_ROOT, settings.FILE_UPLOAD_TEMP_DIR, queue, control):
        folder.mkdir(parents=True)
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "control_folder": str(control),
    }
    return tmp_path


def stored(name, content=b"x"):
    return default_storage.save(name, ContentFile(content))


def later(**options):
    return delete_orphans(now=timezone.now() + A_DAY_LATER, **options)


def names_on_disk(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def photographed():
    """Return a photograph with its files in the usual places."""
    image = factories.ImageFactory()
    for field in ("original", "display", "thumbnail"):
        file = getattr(image, field)
        file.save("", ContentFile(b"x"), save=False)
        Image.objects.filter(pk=image.pk).update(**{field: file.name})
    default_storage.delete(SAMPLE)
    return image


@pytest.fixture
def referenced(folders, settings):
    """Return a row of every kind that has a file, with the file."""
    prediction = factories.PredictionFactory(image=photographed())
    HeatMap(prediction=prediction, code="nv").file.save("", ContentFile(b"x"))
    rows = {
        name for field in file_fields() for name in field.model._default_manager.values_list(field.name, flat=True)
    }
    assert len(rows) >= 4
    assert rows == set(names_on_disk(settings.MEDIA_ROOT))
    return rows


def test_files_of_a_killed_upload_are_deleted_after_a_day(folders, referenced, settings):
    orphans = [stored(f"images/01/{KEY}-{kind}") for kind in ("original", "display.jpg", "heat-abcdef012345.png")]
    orphans.append(stored(f"reports/01/{KEY}.pdf"))
    orphans.append(stored(f"addenda/01/{KEY}.pdf"))
    orphans.append(stored(f"outcomes/01/{KEY}-report"))
    assert delete_orphans().stored == []
    assert sorted(later(only_look=True).stored) == sorted(orphans)
    assert set(names_on_disk(settings.MEDIA_ROOT)) == referenced | set(orphans)
    swept = later()
    assert (sorted(swept.stored), swept.files_in_all) == (sorted(orphans), len(orphans) + len(referenced))
    assert set(names_on_disk(settings.MEDIA_ROOT)) == referenced
    assert later().stored == []


def test_files_dated_in_the_future_are_deleted_too(referenced, settings):
    orphan = stored(f"images/01/{KEY}-original")
    assert delete_orphans(now=timezone.now() - timedelta(hours=12)).stored == []
    assert delete_orphans(now=timezone.now() - timedelta(days=365)).stored == [orphan]
    assert set(names_on_disk(settings.MEDIA_ROOT)) == referenced


def test_every_file_field_is_checked():
    assert {f"{field.model.__name__}.{field.name}" for field in file_fields()} == {
        "Image.original",
        "Image.display",
        "Image.thumbnail",
        "FullPicture.file",
        "HeatMap.file",
        "Report.pdf",
        "Addendum.pdf",
        "PathologyResult.file",
    }


@pytest.mark.parametrize("model", [Image, HeatMap, Report, Addendum, PathologyResult])
def test_the_name_pattern_covers_every_kind(model, patient):
    """Files with another folder or name pattern would never be deleted."""
    image = factories.ImageFactory.build(lesion=factories.LesionFactory(patient=patient))
    record = {
        Image: image,
        HeatMap: HeatMap(prediction=factories.PredictionFactory.build(image=image), code="nv"),
        Report: Report(),
        Addendum: Addendum(),
        PathologyResult: PathologyResult(),
    }[model]
    for field in file_fields():
        if field.model is model:
            assert OUR_NAMES.fullmatch(field.generate_filename(record, "")), field


def test_an_excluded_photograph_keeps_its_files(referenced, settings):
    image = Image.objects.get()
    exclude_image(image=image, by=image.uploaded_by, reason="other_patient")
    later(even_many=True)
    assert set(names_on_disk(settings.MEDIA_ROOT)) == referenced


def test_other_files_stay(settings):
    names = ["lost+found/x", "images/readme.txt", "images/01/notes.jpg", f"backup/01/{KEY}.jpg", f"images/{KEY}", "x"]
    for name in names:
        stored(name)
    (settings.FILE_UPLOAD_TEMP_DIR / "somebody-elses.jpg").write_bytes(b"x")
    later(even_many=True)
    assert set(names_on_disk(settings.MEDIA_ROOT)) == set(names)
    assert names_on_disk(settings.FILE_UPLOAD_TEMP_DIR) == ["somebody-elses.jpg"]


def test_nothing_is_deleted_if_rows_are_missing(settings, caplog):
    """With the wrong database or an old one, the files are all that is left of the photographs."""
    names = [stored(f"images/{number:02x}/{number:02x}{KEY[2:]}-original") for number in range(FEW + 1)]
    with pytest.raises(TooManyOrphans, match="Nothing was deleted"):
        later()
    assert len(names_on_disk(settings.MEDIA_ROOT)) == len(names)
    assert len(later(even_many=True).stored) == len(names)


def test_leftover_files_in_the_queue(folders):
    queue, control = folders / "queue" / "messages", folders / "queue" / "control"
    leavings = ["1.celery.msg.taken", "2.celery.msg.broken", ".3.celery.msg.0123"]
    stays = ["4.celery.msg", "5.long.msg"]
    for name in leavings + stays:
        (queue / name).write_text("[]")
    (control / ".celery.exchange.0123").write_text("")
    (control / "celery.exchange").write_text("[]")
    (control / "celery.lock").write_text("")
    assert delete_orphans().queue == []
    # An old message that has just been claimed.
    long_ago = timezone.now().timestamp() - 10 * 24 * 3600
    os.utime(queue / "1.celery.msg.taken", (long_ago, long_ago))
    assert delete_orphans().queue == []
    assert [Path(path).name for path in later().queue] == sorted(
        [".celery.exchange.0123", *leavings], key=lambda name: str((control if "exchange" in name else queue) / name)
    )
    assert names_on_disk(queue) == stays
    assert names_on_disk(control) == ["celery.exchange", "celery.lock"]


def test_temporary_files(folders, settings):
    settings.MEDIA_ROOT.joinpath(".status-abc").write_text("")
    with tempfile.NamedTemporaryFile(suffix=".upload.jpg", dir=settings.FILE_UPLOAD_TEMP_DIR, delete=False) as file:
        file.write(b"half a photograph")
    assert delete_orphans().temporary == []
    assert len(later().temporary) == 2
    assert names_on_disk(folders) == []


def test_on_an_object_storage(monkeypatch):
    """An object storage has no local folders, only Django's listing."""
    storage = InMemoryStorage()
    for field in file_fields():
        monkeypatch.setattr(field, "storage", storage)
    photograph = photographed()
    orphan = storage.save(f"images/01/{KEY}-original", ContentFile(b"x"))
    assert delete_orphans().stored == []
    assert later().stored == [orphan]
    assert storage.exists(photograph.original.name)
    assert not storage.exists(orphan)


@pytest.mark.slow
def test_a_process_that_is_killed_during_an_upload(settings, referenced):
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "dermascan.settings.test"}
    ended = subprocess.run([sys.executable, "-c", KILLED, str(settings.MEDIA_ROOT)], cwd=ROOT, env=environment)
    assert ended.returncode == -signal.SIGKILL
    assert len(names_on_disk(settings.MEDIA_ROOT)) == len(referenced) + 2
    assert len(later().stored) == 2
    assert set(names_on_disk(settings.MEDIA_ROOT)) == referenced


def test_the_task_and_the_command(settings, caplog, monkeypatch):
    caplog.set_level("INFO")
    monkeypatch.setattr("dermascan.orphans.YOUNGEST", timedelta(seconds=-1))
    orphan = stored(f"images/01/{KEY}-original")
    out = StringIO()
    call_command("delete_orphans", only_look=True, stdout=out)
    assert out.getvalue().splitlines() == [
        orphan,
        "Would delete 1 of 1 stored files without a row, 0 leftover files in the queue, 0 temporary files.",
    ]
    sweep_orphans()
    assert "Orphans deleted: 1 of 1 stored files without a row" in caplog.text
    assert names_on_disk(settings.MEDIA_ROOT) == []
    for number in range(FEW + 1):
        stored(f"images/{number:02x}/{number:02x}{KEY[2:]}-original")
    sweep_orphans()
    assert "Nothing was deleted" in caplog.text
    with pytest.raises(CommandError, match="--even-many"):
        call_command("delete_orphans")
    assert len(names_on_disk(settings.MEDIA_ROOT)) == FEW + 1
