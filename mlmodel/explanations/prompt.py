"""The prompt for Gemini. It consists of fixed text and values from fixed lists, and never of user input."""

from typing import Any

from mlmodel.explanations.checking import NAMES
from mlmodel.explanations.library import entry_of
from mlmodel.explanations.questions import Question
from mlmodel.explanations.reading_levels import ReadingLevel

_READERS = {
    ReadingLevel.PATIENT: (
        "a patient without medical training: plain words, short sentences, calm and honest, no jargon, no percentages "
        "that the reference does not give"
    ),
    ReadingLevel.CLINICIAN: (
        "a dermatologist or general practitioner: precise terminology, dermoscopic criteria, staging and management "
        "as in the reference"
    ),
}
_RULES = """\
You write health information for a dermatology clinic. Retell the reference text below, which the clinic has chosen, \
for the given reader in the given language.
- Use only facts of the reference. Do not add, remove or soften warnings, time frames, doses or margins.
- Write every value in the given language, in its own script. Keep the JSON keys as they are.
- Plain text only: no HTML, no Markdown, no links. Part paragraphs by a blank line and begin items of a list with "• ".
- Do not address anyone by name and do not claim that the reader has the condition.
- At most 180 words a section."""


def prompt_of(question: Question) -> str:
    """Return the complete prompt: the rules, the three choices, and the library's text to retell."""
    entry = entry_of(question.condition.code, question.reading_level)
    reference = {"urgency": entry.urgency, **entry.sections}
    return "\n\n".join(
        [
            _RULES,
            f"Condition: {question.condition.name}\n"
            f"Language: {question.language.name} ({question.language.code})\n"
            f"Reader: {_READERS[question.reading_level]}",
            *(f"[{name}]\n{text}" for name, text in reference.items()),
        ]
    )


def answer_schema() -> dict[str, Any]:
    """Return the schema of the answer in Gemini's format: eight texts, all required."""
    return {
        "type": "OBJECT",
        "properties": {name: {"type": "STRING"} for name in NAMES},
        "required": list(NAMES),
        "property_ordering": list(NAMES),
    }
