"""Links among the documents lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.places import ROOT

DOCUMENTS = sorted(path for name in ("*.md", "docs/**/*.md", "research/*.md") for path in ROOT.glob(name))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(document: Path):
    broken = []
    for address, heading in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", document.read_text()):
        if address.startswith(("http:", "https:", "mailto:")):
            continue
        target = document.parent / address if address else document
        if not target.exists() or (heading and heading not in _headings(target)):
            broken.append(f"{address}#{heading}" if heading else address)
    assert broken == []


def _headings(document: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower().replace("`", "")).replace(" ", "-") for title in titles}
