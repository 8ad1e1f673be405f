from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.db.models.signals import pre_migrate


class DermaScanConfig(AppConfig):
    name = "dermascan"
    verbose_name = "Site"

    def ready(self) -> None:
        """Register checks, mail writers and signal handlers, and create the file queue's folders.

        Producers and consumers of the file queue both fail without the folders.
        """
        from dermascan import (
            checks,  # noqa: F401
            contact_letter,  # noqa: F401  (registers the e-mail for contact messages)
        )
        from dermascan.older_tables import refuse_unknown_tables
        from diagnosis.record import audited
        from patients.audit import receivers

        pre_migrate.connect(refuse_unknown_tables, sender=self, dispatch_uid="refuse tables of before 0.1.0")

        audited.connect()
        receivers.connect()
        make_queue_folders()


class AdminConfig(DjangoAdminConfig):
    default_site = "dermascan.admin_site.DermaScanAdminSite"


def make_queue_folders() -> None:
    options = getattr(settings, "CELERY_BROKER_TRANSPORT_OPTIONS", {})
    for name in ("data_folder_in", "control_folder"):
        if folder := options.get(name):
            Path(folder).mkdir(parents=True, exist_ok=True)
