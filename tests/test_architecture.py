"""The diagram in docs/architecture.md agrees with import-linter's contracts."""

import re
import tomllib
from itertools import pairwise, product

import pytest

from tests.places import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
DIVIDED = ("diagnosis", "mlmodel")
# The layer above the apps: “The site is on top”.
SITE = "dermascan"

FENCE = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NODE = re.compile(r'(\w+)\["([\w.]+)"\]')
SUBGRAPH = re.compile(r"subgraph (\w+)")
ARROWS = re.compile(r"\w+(?: & \w+)*(?: --> \w+(?: & \w+)*)+")

Pairs = set[tuple[str, str]]


class Diagram:
    """The boxes and arrows of the page's flowchart.

    Attributes:
        home: by box identifier, the app that contains the box; for an app, the app itself.
        name: by box identifier, its label.
        arrows: pairs of identifiers, importer and imported.
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
            if match := SUBGRAPH.fullmatch(line):
                inside = match[1]
                self._add(inside, home=inside, name=inside)
            elif line == "end":
                inside = ""
            elif match := NODE.fullmatch(line):
                self._add(match[1], home=inside or match[2], name=match[2])
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
        """Return the names of an app's boxes."""
        return [name for box, name in self.name.items() if self.home[box] == app != box]

    def apps(self) -> set[str]:
        return set(self.home.values())

    def inside(self, app: str) -> Pairs:
        """Return the arrows between an app's layers, by name."""
        return {(self.name[a], self.name[b]) for a, b in self.arrows if self.home[a] == self.home[b] == app}

    def between_apps(self) -> Pairs:
        return {(self.home[a], self.home[b]) for a, b in self.arrows if self.home[a] != self.home[b]}


def ranks(*containers: str) -> dict[str, int]:
    """Return the rank of each layer in the contract of the apps, or of one app's layers."""
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
    """Return all imports that the ranks allow."""
    return {(above, below) for above, below in product(rank, rank) if rank[above] < rank[below]}


def reached(arrows: Pairs) -> Pairs:
    """Return the transitive closure of the arrows."""
    closure = set(arrows)
    while more := {(a, d) for (a, b), (c, d) in product(closure, closure) if b == c} - closure:
        closure |= more
    return closure


@pytest.fixture(scope="module")
def diagram() -> Diagram:
    return Diagram(PAGE)


@pytest.mark.parametrize("app", DIVIDED)
def test_the_diagram_has_exactly_the_layers_of_the_contract(diagram, app):
    assert sorted(diagram.layers_of(app)) == sorted(ranks(app))


@pytest.mark.parametrize("app", DIVIDED)
def test_no_arrow_points_to_a_higher_layer_or_a_neighbour(diagram, app):
    assert diagram.inside(app) - downward(ranks(app)) == set()


@pytest.mark.parametrize("app", DIVIDED)
def test_all_imports_allowed_by_the_contract_follow_arrows(diagram, app):
    assert downward(ranks(app)) - reached(diagram.inside(app)) == set()


def test_the_diagram_has_exactly_the_apps(diagram):
    assert diagram.apps() == set(ranks_of_apps())


def test_no_arrow_points_to_a_higher_app_or_a_neighbour(diagram):
    assert diagram.between_apps() - downward(ranks_of_apps()) == set()


def test_all_imports_allowed_between_apps_follow_arrows(diagram):
    assert downward(ranks_of_apps()) - reached(diagram.between_apps()) == set()


@pytest.mark.parametrize(("app", "heading"), [("diagnosis", "The slices of"), ("mlmodel", "The groups of")])
def test_every_layer_is_described_in_the_text(app, heading):
    _before, _heading, section = PAGE.partition(f"\n## {heading} `{app}`\n")
    lines = re.findall(r"^- `(\w+)`: \S", section.partition("\n## ")[0], re.MULTILINE)
    assert sorted(lines) == sorted(ranks(app))


def test_the_contract_of_the_site_names_all_its_modules():
    apart = {"core", "formats", "management", "migrations", "templatetags"}
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (contract,) = (each for each in contracts if each["name"].startswith("The site"))
    named = {name.removeprefix("dermascan.") for name in contract["forbidden_modules"]}
    modules = {path.stem for path in (ROOT / "dermascan").iterdir() if not path.name.startswith("__")}
    assert named == modules - apart
