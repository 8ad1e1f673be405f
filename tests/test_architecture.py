"""The diagram of docs/architecture.md and the contracts that import-linter holds say the same of who imports whom."""

import re
import tomllib
from itertools import pairwise, product

import pytest

from tests.places import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
DIVIDED = ("diagnosis", "mlmodel")
# Whatever the contract of the apps says, this is above them: “The site is on top”.
SITE = "dermascan"

FENCE = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NODE = re.compile(r'(\w+)\["([\w.]+)"\]')
SUBGRAPH = re.compile(r"subgraph (\w+)")
ARROWS = re.compile(r"\w+(?: & \w+)*(?: --> \w+(?: & \w+)*)+")

Pairs = set[tuple[str, str]]


class Diagram:
    """Every box and arrow of the page's flowchart.

    Attributes:
        home: by the identifier of a box, the app that it is drawn in; of an app, the app itself.
        name: by the identifier of a box, what is written on it.
        arrows: identifiers, from who imports to who is imported.
    """

    def __init__(self, page: str) -> None:
        (source,) = FENCE.findall(page)
        self.home: dict[str, str] = {}
        self.name: dict[str, str] = {}
        self.arrows: Pairs = set()
        inside = ""
        first, *lines = (line.strip() for line in source.splitlines())
        assert first == "flowchart TB", "arrows that point down are read as such"
        for line in lines:
            if found := SUBGRAPH.fullmatch(line):
                inside = found[1]
                self._add(inside, home=inside, name=inside)
            elif line == "end":
                inside = ""
            elif found := NODE.fullmatch(line):
                self._add(found[1], home=inside or found[2], name=found[2])
            elif ARROWS.fullmatch(line):
                self._add_arrows(line)
            else:
                raise AssertionError(f"A line of the diagram is not understood: {line!r}.")
        unknown = {box for arrow in self.arrows for box in arrow} - set(self.home)
        assert not unknown, f"These boxes are in no list of the diagram, so that nobody knows their app: {unknown}."

    def _add(self, box: str, *, home: str, name: str) -> None:
        assert box not in self.home, f"{box} is drawn twice."
        self.home[box], self.name[box] = home, name

    def _add_arrows(self, line: str) -> None:
        for above, below in pairwise(step.split(" & ") for step in line.split(" --> ")):
            self.arrows |= set(product(above, below))

    def layers_of(self, app: str) -> list[str]:
        """What is drawn in an app, by name."""
        return [name for box, name in self.name.items() if self.home[box] == app != box]

    def apps(self) -> set[str]:
        return set(self.home.values())

    def inside(self, app: str) -> Pairs:
        """The arrows between layers of an app, by name."""
        return {(self.name[a], self.name[b]) for a, b in self.arrows if self.home[a] == self.home[b] == app}

    def between_apps(self) -> Pairs:
        return {(self.home[a], self.home[b]) for a, b in self.arrows if self.home[a] != self.home[b]}


def ranks(*containers: str) -> dict[str, int]:
    """By layer, how far down its contract puts it: that of the apps, or that of what an app is divided into."""
    (contract,) = (
        contract
        for contract in CONTRACTS
        if contract["type"] == "layers" and contract.get("containers", []) == list(containers)
    )
    layers = [re.split(r"\s*[|:]\s*", layer) for layer in contract["layers"]]
    return {name: rank for rank, names in enumerate(layers) for name in names}


def ranks_of_apps() -> dict[str, int]:
    return {SITE: -1, **ranks()}


def downward(rank: dict[str, int]) -> Pairs:
    """Every import that the ranks allow."""
    return {(above, below) for above, below in product(rank, rank) if rank[above] < rank[below]}


def reached(arrows: Pairs) -> Pairs:
    """From where one comes to where, along one arrow or several."""
    found = set(arrows)
    while more := {(a, d) for (a, b), (c, d) in product(found, found) if b == c} - found:
        found |= more
    return found


@pytest.fixture(scope="module")
def diagram() -> Diagram:
    return Diagram(PAGE)


@pytest.mark.parametrize("app", DIVIDED)
def test_every_layer_of_the_contract_is_drawn_once_and_nothing_else(diagram, app):
    assert sorted(diagram.layers_of(app)) == sorted(ranks(app))


@pytest.mark.parametrize("app", DIVIDED)
def test_no_arrow_points_from_a_lower_layer_to_a_higher_one_or_to_its_neighbour(diagram, app):
    assert diagram.inside(app) - downward(ranks(app)) == set()


@pytest.mark.parametrize("app", DIVIDED)
def test_whatever_the_contract_allows_can_be_reached_along_arrows(diagram, app):
    assert downward(ranks(app)) - reached(diagram.inside(app)) == set()


def test_every_app_is_drawn_and_nothing_else(diagram):
    assert diagram.apps() == set(ranks_of_apps())


def test_no_arrow_points_from_a_lower_app_to_a_higher_one_or_to_its_neighbour(diagram):
    assert diagram.between_apps() - downward(ranks_of_apps()) == set()


def test_whatever_apps_may_import_can_be_reached_along_arrows(diagram):
    assert downward(ranks_of_apps()) - reached(diagram.between_apps()) == set()


@pytest.mark.parametrize(("app", "heading"), [("diagnosis", "The slices of"), ("mlmodel", "The groups of")])
def test_every_layer_has_its_line_in_the_text(app, heading):
    _before, _heading, section = PAGE.partition(f"\n## {heading} `{app}`\n")
    lines = re.findall(r"^- `(\w+)`: \S", section.partition("\n## ")[0], re.MULTILINE)
    assert sorted(lines) == sorted(ranks(app))
