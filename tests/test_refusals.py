"""Refusals are one family: each has a code of its own for programs, and words for people."""

import importlib
import pkgutil
from collections import Counter

import diagnosis
import mlmodel.versions
import patients
from dermascan.core.errors import Refused


def all_refusals() -> set[type[Refused]]:
    for package in (diagnosis, mlmodel.versions, patients):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    found, waiting = set(), [Refused]
    while waiting:
        waiting += (new := waiting.pop().__subclasses__())
        found.update(new)
    return found


def test_every_refusal_has_a_code_and_a_name_of_its_own():
    refusals = all_refusals()
    assert len(refusals) > 45
    assert {each.__name__ for each in refusals if "code" not in vars(each)} == set()
    codes = Counter(each.code for each in refusals)
    names = Counter(each.__name__ for each in refusals)
    assert [name for name, count in names.items() if count > 1] == []
    assert [code for code, count in codes.items() if count > 1] == []
