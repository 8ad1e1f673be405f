"""New reasons to wait and to raise an incident; and no dangerous report without a plan, whoever asks the database.

A report with a malignant label or an urgent answer holds a plan, or why there is none; and it is signed first and
released afterwards. The answers are those of ``diagnosis.reviews.answers`` today: a test says when they are others.
"""

from django.db import migrations, models
from django.db.models import Q

REASONS = [
    ("readers_disagree", "Readers disagree"),
    ("labels_contradict", "Labels of its lesion contradict each other"),
    ("urgent", "The network finds it urgent"),
    ("tier_changed", "A new network changed its tier"),
    ("overridden", "Refused, and judged all the same"),
    ("network_disagrees", "Network and reader disagree"),
    ("refused", "Refused by the quality check"),
    ("malignant_suspicion", "Malignancy suspected"),
    ("no_dermatoscope", "Taken without a dermatoscope: no all-clear"),
    ("random_share", "Part of the random sample"),
    ("drift_outlier", "Unlike what the network was trained on"),
    ("uncertain", "The network is uncertain"),
    ("no_label", "No confirmed label yet"),
]
WATCHED = [
    ("drift", "Photographs unlike those of the release"),
    ("refusals", "Many photographs are refused"),
    ("queue_age", "Photographs wait long for a review"),
    ("agreement", "The network and the confirmed labels differ"),
    ("calibration", "Probabilities are less true than at release"),
    ("missed", "Malignant diagnoses were called calm"),
    ("latency", "Answers are slow"),
]
MALIGNANT = (
    "akiec", "bcc", "mel", "scc", "keratoacanthoma", "lentigo_maligna", "merkel", "metastasis", "mf", "lymphoma",
    "kaposi", "dfsp", "afx", "sebaceous_ca", "adnexal_ca", "paget", "angiosarcoma", "other_malignant",
)
# An urgent answer asks for no plan where the label is one of these.
HARMLESS = (
    "bkl", "df", "nv", "vasc", "spitz", "atypical_nevus", "blue_nevus", "lentigo_simplex", "nevus_sebaceus",
    "sebaceous_hyp", "adnexal_tumour", "neurofibroma", "lipoma", "skin_tag", "cyst", "scar", "keloid", "haemorrhage",
    "pigmentation", "porokeratosis", "cnh", "dermatitis", "psoriasis", "lichen_planus", "prurigo", "granuloma_ann",
    "lupus", "rosacea", "wart", "molluscum", "tinea", "abscess", "other_benign", "not_a_lesion",
)
NAME = "report_of_danger_is_planned"
# What may stand in a plan and says nothing.
BLANK = " .,;:!?-_/\\\t\r\n–—…\u00a0"


def _in(codes):
    return "(" + ", ".join(f"'{code}'" for code in codes) + ")"


SQLITE = f"""
CREATE TRIGGER {NAME} BEFORE INSERT ON diagnosis_report FOR EACH ROW
WHEN (
  NEW.released_at IS NOT NULL
  OR trim(
    COALESCE(json_extract(NEW.content, '$.visit.plan'), '')
      || COALESCE(json_extract(NEW.content, '$.visit.no_plan_reason'), ''),
    '{BLANK}'
  ) = ''
) AND EXISTS (
  SELECT 1
  FROM json_each(NEW.content, '$.lesions') AS lesion, json_each(lesion.value, '$.photographs') AS photograph
  WHERE COALESCE(json_extract(photograph.value, '$.confirmed.code'), '') IN {_in(MALIGNANT)}
    OR (
      'urgent' IN (
        COALESCE(json_extract(photograph.value, '$.assessment.tier'), ''),
        COALESCE(json_extract(photograph.value, '$.assessment.tone'), '')
      )
      AND COALESCE(json_extract(photograph.value, '$.confirmed.code'), '') NOT IN {_in(HARMLESS)}
    )
)
BEGIN
  SELECT RAISE(ABORT, '{NAME}');
END
"""

POSTGRESQL_FUNCTION = f"""
CREATE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  said jsonb := NEW.content::jsonb;
BEGIN
  IF (
    NEW.released_at IS NOT NULL
    OR btrim(
      COALESCE(said #>> '{{visit,plan}}', '') || COALESCE(said #>> '{{visit,no_plan_reason}}', ''), E'{{blank}}'
    ) = ''
  ) AND EXISTS (
    SELECT 1
    FROM jsonb_array_elements(said -> 'lesions') AS lesion,
      jsonb_array_elements(lesion -> 'photographs') AS photograph
    WHERE COALESCE(photograph #>> '{{confirmed,code}}', '') IN {_in(MALIGNANT)}
      OR (
        'urgent' IN (
          COALESCE(photograph #>> '{{assessment,tier}}', ''), COALESCE(photograph #>> '{{assessment,tone}}', '')
        )
        AND COALESCE(photograph #>> '{{confirmed,code}}', '') NOT IN {_in(HARMLESS)}
      )
  ) THEN
    RAISE EXCEPTION '{NAME}' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END
$$
"""
POSTGRESQL_TRIGGER = (
    f"CREATE TRIGGER {NAME} BEFORE INSERT ON diagnosis_report FOR EACH ROW EXECUTE FUNCTION {NAME}()"
)


def demand(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(SQLITE)
    elif schema_editor.connection.vendor == "postgresql":
        blank = BLANK.replace("\\", "\\\\")
        schema_editor.execute(POSTGRESQL_FUNCTION.replace("{blank}", blank))
        schema_editor.execute(POSTGRESQL_TRIGGER)


def allow(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(f"DROP TRIGGER {NAME}")
    elif schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER {NAME} ON diagnosis_report")
        schema_editor.execute(f"DROP FUNCTION {NAME}()")


def take_out(apps, schema_editor):
    """Going back, what the older tables do not know is out of them."""
    apps.get_model("diagnosis", "Incident").objects.filter(watched="missed").delete()
    for entry in apps.get_model("diagnosis", "QueueEntry").objects.filter(
        reason__in=("labels_contradict", "no_dermatoscope")
    ):
        entry.reason = "no_label"
        entry.reasons = ["no_label"]
        entry.save(update_fields=["reason", "reasons"])


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0023_steps")]
    operations = [
        migrations.RemoveConstraint("queueentry", "queue_entry_waits_for_somebody_for_a_reason"),
        migrations.AlterField(
            "queueentry",
            "reason",
            models.CharField(blank=True, choices=REASONS, default="", max_length=20, verbose_name="why"),
        ),
        migrations.AddConstraint(
            "queueentry",
            models.CheckConstraint(
                condition=Q(needs__gte=1, needs__lte=4, reason__in=[code for code, _name in REASONS], state="waiting")
                | Q(claimed_by=None, needs=0, reason="", state="done"),
                name="queue_entry_waits_for_somebody_for_a_reason",
            ),
        ),
        migrations.RemoveConstraint("incident", "incident_is_of_a_known_kind"),
        migrations.AlterField("incident", "watched", models.CharField(choices=WATCHED, max_length=20)),
        migrations.AddConstraint(
            "incident",
            models.CheckConstraint(
                condition=Q(watched__in=[code for code, _name in WATCHED]), name="incident_is_of_a_known_kind"
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, take_out),
        migrations.RunPython(demand, allow),
    ]
