"""A trigger that refuses a report of a dangerous finding without a plan.

A report that names what is or may be malignant, or that holds an urgent answer which the laboratory has not called
harmless, holds a plan, or why there is none, in a sentence; and it is signed first and released afterwards.

The answers are those of ``diagnosis.reviews.answers`` when this was written: a test says when they are others, and
then a migration of its own writes the trigger again.
"""

from collections.abc import Callable
from typing import Any

from django.db import migrations

NAME = "report_of_danger_is_planned"
MALIGNANT = (
    "akiec", "bcc", "mel", "scc", "keratoacanthoma", "lentigo_maligna", "merkel", "metastasis", "mf", "lymphoma",
    "kaposi", "dfsp", "afx", "sebaceous_ca", "adnexal_ca", "paget", "angiosarcoma", "other_malignant",
)  # fmt: skip
MAYBE_MALIGNANT = ("meltump", "spitz_atypical", "uncertain_skin", "other")
HARMLESS = (
    "bkl", "df", "nv", "vasc", "spitz", "atypical_nevus", "blue_nevus", "lentigo_simplex", "nevus_sebaceus",
    "sebaceous_hyp", "adnexal_tumour", "neurofibroma", "lipoma", "skin_tag", "cyst", "scar", "keloid", "haemorrhage",
    "pigmentation", "porokeratosis", "cnh", "dermatitis", "psoriasis", "lichen_planus", "prurigo", "granuloma_ann",
    "lupus", "rosacea", "wart", "molluscum", "tinea", "abscess", "other_benign", "not_a_lesion",
)  # fmt: skip
# What may stand in a plan and says nothing.
BLANK = " .,;:!?-_/\\\t\r\n–—…\u00a0"
# As ``dermascan.core.sentences.is_a_sentence`` asks, as far as both databases can tell.
MIN_LETTERS, MIN_OTHER_LETTERS = 10, 3


class DangerIsPlanned(migrations.operations.base.Operation):
    """The trigger; it may be written again, and is then as it is here."""

    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Models do not know of it."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self.database_backwards(app_label, schema_editor, from_state, to_state)
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(_sqlite())
        elif schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(_postgresql())
            schema_editor.execute(
                f"CREATE TRIGGER {NAME} BEFORE INSERT ON diagnosis_report FOR EACH ROW EXECUTE FUNCTION {NAME}()"
            )

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {NAME}")
        elif schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {NAME} ON diagnosis_report")
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {NAME}()")

    def describe(self) -> str:
        return "No dangerous report without a plan"


def _sqlite() -> str:
    def trim(text: str) -> str:
        return f"trim({text}, '{BLANK}')"

    def of_photograph(path: str) -> str:
        return f"COALESCE(json_extract(photograph.value, '$.{path}'), '')"

    return f"""
CREATE TRIGGER {NAME} BEFORE INSERT ON diagnosis_report FOR EACH ROW
WHEN (
  NEW.released_at IS NOT NULL
  OR ({trim("COALESCE(json_extract(NEW.content, '$.visit.plan'), '')")} = '' AND NOT {_is_a_sentence(trim)})
) AND EXISTS (
  SELECT 1
  FROM json_each(NEW.content, '$.lesions') AS lesion, json_each(lesion.value, '$.photographs') AS photograph
  WHERE {_is_dangerous(of_photograph)}
)
BEGIN
  SELECT RAISE(ABORT, '{NAME}');
END
"""


def _postgresql() -> str:
    blank = BLANK.replace("\\", "\\\\")

    def trim(text: str) -> str:
        return f"btrim({text}, E'{blank}')"

    def of_photograph(path: str) -> str:
        return f"COALESCE(photograph #>> '{{{path.replace('.', ',')}}}', '')"

    return f"""
CREATE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  said jsonb := NEW.content::jsonb;
BEGIN
  IF (
    NEW.released_at IS NOT NULL
    OR ({trim("COALESCE(said #>> '{visit,plan}', '')")} = '' AND NOT {_is_a_sentence(trim)})
  ) AND EXISTS (
    SELECT 1
    FROM jsonb_array_elements(said -> 'lesions') AS lesion,
      jsonb_array_elements(lesion -> 'photographs') AS photograph
    WHERE {_is_dangerous(of_photograph)}
  ) THEN
    RAISE EXCEPTION '{NAME}' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END
$$
"""


def _is_a_sentence(trim: Callable[[str], str]) -> str:
    reason = trim("COALESCE(NEW.no_plan_reason, '')")
    others = f"replace(lower({reason}), substr(lower({reason}), 1, 1), '')"
    return f"(length({reason}) >= {MIN_LETTERS} AND length({others}) >= {MIN_OTHER_LETTERS})"


def _is_dangerous(of_photograph: Callable[[str], str]) -> str:
    code = of_photograph("confirmed.code")
    return f"""{code} IN {_listed((*MALIGNANT, *MAYBE_MALIGNANT))}
    OR (
      'urgent' IN ({of_photograph("assessment.tier")}, {of_photograph("assessment.tone")})
      AND ({code} NOT IN {_listed(HARMLESS)} OR {of_photograph("confirmed.basis")} <> 'histopathology')
    )"""


def _listed(codes: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{code}'" for code in codes) + ")"
