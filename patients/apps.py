from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "patients"

    def ready(self) -> None:
        from django.db.models.signals import post_save

        from patients import tasks  # noqa: F401  (registers the Celery tasks)
        from patients.account_changes import revoke_access
        from patients.services import account_letters  # noqa: F401  (registers the writers of account e-mails)

        post_save.connect(revoke_access, sender="patients.User", dispatch_uid="end tokens, sessions and mail")
