from django.apps import AppConfig


class DiagnosisConfig(AppConfig):
    name = "diagnosis"

    def ready(self) -> None:
        from django.db.models.signals import post_save

        from diagnosis.rule_changes import derive_labels_after_commit

        post_save.connect(derive_labels_after_commit, sender="patients.Clinic", dispatch_uid="labels by the new rule")
