"""An explanation's plain text as paragraphs and lists, for templates (``assessment/includes/blocks.html``)."""

from dataclasses import dataclass

BULLET = "• "


@dataclass(frozen=True)
class Block:
    """A paragraph, or the items of a list."""

    text: str = ""
    items: tuple[str, ...] = ()


def blocks(text: str) -> list[Block]:
    """Read plain text: a blank line parts paragraphs, “• ” begins an item of a list."""
    found: list[Block] = []
    for paragraph in text.split("\n\n"):
        lines = [line.strip() for line in paragraph.splitlines() if line.strip()]
        words = [line for line in lines if not line.startswith(BULLET)]
        items = [line.removeprefix(BULLET) for line in lines if line.startswith(BULLET)]
        if words:
            found.append(Block(text=" ".join(words)))
        if items:
            found.append(Block(items=tuple(items)))
    return found
