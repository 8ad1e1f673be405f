from django.apps import AppConfig


class DiagnosisConfig(AppConfig):
    name = "diagnosis"

    def ready(self) -> None:
        from django.db.models.signals import post_save

        from diagnosis.retraining.gate_rules import gate_rules
        from diagnosis.rule_changes import derive_labels_after_commit
        from diagnosis.services.rescoring import rescore_in_background
        from mlmodel.promotion import version_switched

        gate_rules()  # a misspelt name must stop the start, not a run at its end
        post_save.connect(derive_labels_after_commit, sender="patients.Clinic", dispatch_uid="labels by the new rule")
        version_switched.connect(rescore_in_background, dispatch_uid="the archive by the new version")
