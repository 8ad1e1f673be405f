"""Paragraphs and lists of an explanation's plain text, for the template ``assessment/includes/blocks.html``."""

from dataclasses import dataclass

BULLET = "• "


@dataclass(frozen=True)
class Block:
    """A paragraph, or the items of a list."""

    text: str = ""
    items: tuple[str, ...] = ()


def blocks(text: str) -> list[Block]:
    """Return the blocks of a plain text: blank lines separate paragraphs, and “• ” begins a list item."""
    result: list[Block] = []
    for paragraph in text.split("\n\n"):
        lines = [line.strip() for line in paragraph.splitlines() if line.strip()]
        words = [line for line in lines if not line.startswith(BULLET)]
        items = [line.removeprefix(BULLET) for line in lines if line.startswith(BULLET)]
        if words:
            result.append(Block(text=" ".join(words)))
        if items:
            result.append(Block(items=tuple(items)))
    return result
