"""A smoke run of the benchmark of slow clients."""

import re
import subprocess
import sys

import pytest

from tests.places import ROOT


def run_experiment(name: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"research.{name}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.slow
def test_every_kind_of_slow_client_is_measured_and_blocks_no_page():
    printed = run_benchmark("slow_clients", "--clients", "12", "--pages", "2", "--seconds", "0.3")
    for kind in ("half a head", "a slow body", "an answer unread"):
        assert f"12 visitors with {kind}: 2 of 2 pages" in printed
    assert re.search(r"home pages: \d+ a second, .* ms of processor time each", printed)
