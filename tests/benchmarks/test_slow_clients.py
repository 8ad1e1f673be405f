"""The experiment with slow visitors runs, with sizes that say nothing."""

import re
import subprocess
import sys

import pytest

from tests.places import ROOT


def run_experiment(name: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"research.{name}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.slow
def test_every_kind_of_slow_visitor_is_measured_and_keeps_nobody_from_a_page():
    printed = run_experiment("slow_clients", "--clients", "12", "--pages", "2", "--seconds", "0.3")
    for kind in ("half a head", "a slow body", "an answer unread"):
        assert f"12 visitors with {kind}: 2 of 2 pages" in printed
    assert re.search(r"home pages: \d+ a second, .* ms of processor time each", printed)
