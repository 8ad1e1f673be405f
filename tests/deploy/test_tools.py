"""Developer tools: temporary servers, and pinned versions."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.places import ROOT

ASK_BOTH = """
import os, psycopg, redis
print(psycopg.connect(os.environ["DATABASE_URL"]).execute("SELECT 1").fetchone(),
      redis.Redis.from_url(os.environ["REDIS_URL"]).ping(), os.environ["DERMASCAN_TEST_SERVICES"])
"""


@pytest.mark.slow
def test_the_services_run_during_the_command_and_are_removed_afterwards():
    if not (shutil.which("redis-server") and any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))):
        pytest.skip("PostgreSQL and Redis are not installed")
    command = ["deploy/with_services.sh", ".venv/bin/python", "-c", ASK_BOTH + "print(os.environ['DATABASE_URL'])"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert ended.returncode == 0, ended.stderr
    answers, address = ended.stdout.splitlines()
    assert answers == "(1,) True 1"
    port = int(address.rpartition(":")[2].partition("/")[0])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_versions_are_resolved_for_every_requirements_file(tmp_path):
    """Uses a resolver that only records its arguments."""
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "lock.sh", tmp_path / "deploy")
    uv = tmp_path / ".venv" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text('#!/bin/sh\nwhile [ "$1" != --output-file ]; do echo "# $1"; shift; done >noted\nmv noted "$2"\n')
    uv.chmod(0o755)

    subprocess.run(
        ["bash", "deploy/lock.sh"], cwd=tmp_path, env={"PATH": os.environ["PATH"], "UPGRADE": "1"}, check=True
    )

    for name in ("serve", "train", "test"):
        lines = (tmp_path / "requirements" / f"{name}.txt").read_text().splitlines()
        assert lines[0] == f"# Made by `make lock` from {name}.in."
        assert {"# compile", "# --upgrade", f"# {name}.in"} <= set(lines)
