"""``python -m research.damaged`` on one small photograph a folder: no intact photograph is refused."""

import re

import pytest

from research import damaged
from tests.mlmodel.damage import encoded, photograph

pytestmark = pytest.mark.slow


def test_it_counts_whole_and_damaged_files(tmp_path, run_experiment):
    for number, name in enumerate(damaged.FOLDERS):
        (tmp_path / name).mkdir(parents=True)
        small = photograph(number).resize((200, 150))
        (tmp_path / name / f"{number}.jpg").write_bytes(encoded(small, "JPEG", quality=90))
    whole, broken = run_experiment("damaged", tmp_path, "--each", 1).split("damaged, accepted as intact:")
    counted = re.findall(r"  (\d+) of +([\d,]+)$", whole, re.MULTILINE)
    assert len(counted) == len(damaged.FOLDERS) + len(damaged.ALTERED) * len(damaged.WRITTEN)
    assert {missed for missed, _ in counted} == {"0"}
    assert len(re.findall(r" of +\d+$", broken, re.MULTILINE)) == len(damaged.WRITTEN)
