from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "patients"

    def ready(self) -> None:
        from django.db.models.signals import post_save

        from patients import tasks  # noqa: F401  (work is handed over by a task's name)
        from patients.account_changes import end_what_depends
        from patients.services import account_letters  # noqa: F401  (registers who writes mail about accounts)

        post_save.connect(end_what_depends, sender="patients.User", dispatch_uid="end tokens, sessions and mail")
