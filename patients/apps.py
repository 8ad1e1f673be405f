from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "patients"

    def ready(self) -> None:
        from patients.services import account_letters as letters  # noqa: F401  (registers who writes mail about accounts)
