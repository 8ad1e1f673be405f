from django.apps import AppConfig


class DiagnosisConfig(AppConfig):
    name = "diagnosis"

    def ready(self) -> None:
        from django.db.models.signals import post_save

        from diagnosis import tasks  # noqa: F401  (work is handed over by a task's name)
        from diagnosis.assessment.rescoring import rescore_in_background
        from diagnosis.followup import receivers as followup_receivers
        from diagnosis.followup import reminders  # noqa: F401  (registers who writes reminders)
        from diagnosis.monitoring import notifications  # noqa: F401  (registers who writes of incidents)
        from diagnosis.opinions import letters  # noqa: F401  (registers who writes of second opinions)
        from diagnosis.reports import (
            notices,  # noqa: F401  (registers who writes mail to patients)
            receivers,
        )
        from diagnosis.retraining.gate_rules import gate_rules
        from diagnosis.reviews.rule_changes import recalculate_labels_after_commit
        from mlmodel.versions.promotion import version_switched

        followup_receivers.connect()
        receivers.connect()
        gate_rules()  # a misspelt name must stop the start, not a run at its end
        post_save.connect(
            recalculate_labels_after_commit, sender="patients.Clinic", dispatch_uid="labels by the new rule"
        )
        version_switched.connect(rescore_in_background, dispatch_uid="the archive by the new version")
