"""Released migrations never change, and every release can be upgraded."""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import chain

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from dermascan import older_tables
from dermascan.core.append_only import AppendOnly
from diagnosis.migrations import _outcome_rules, _planned_danger, _stale_summaries
from patients.models import Consent
from tests import factories
from tests.places import ROOT

# The last migration of each app by release. Each release adds a row; existing rows never change.
RELEASES = {
    "0.1.0": {
        "dermascan": "0001_initial",
        "diagnosis": "0001_initial",
        "mlmodel": "0001_initial",
        "patients": "0001_initial",
    },
}


def triggers_in_database() -> dict[str, list[str]]:
    """The words of each trigger's definition, by name: PostgreSQL tells of columns in the order of the table."""
    queries = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    }
    with connection.cursor() as cursor:
        cursor.execute(queries[connection.vendor])
        return {name: sorted(re.findall(r"[^\s()]+", definition)) for name, definition in cursor.fetchall()}


def declared_triggers() -> set[str]:
    operations = [
        operation
        for (app, _name), migration in MigrationLoader(connection).disk_migrations.items()
        if app in older_tables.OUR_APPS
        for operation in migration.operations
    ]
    rules = (*_outcome_rules.RULES, *_outcome_rules.RULES_OF_CORRECTIONS)
    declared = {operation.name for operation in operations if isinstance(operation, AppendOnly)}
    declared |= {_planned_danger.NAME, *(rule.name for rule in rules)}
    return declared | _stale_summaries.trigger_names()


@pytest.mark.django_db
def test_every_declared_trigger_exists():
    assert len(declared_triggers()) > 20
    assert declared_triggers() == set(triggers_in_database())


@pytest.mark.slow
@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("release", RELEASES)
def test_a_release_is_upgraded_with_its_records_and_triggers(release):
    consent = factories.ConsentFactory()
    executor = MigrationExecutor(connection)
    try:
        executor.migrate(list(RELEASES[release].items()))
    finally:
        call_command("migrate", verbosity=0)

    assert Consent.objects.filter(pk=consent.pk).exists()
    assert declared_triggers() == set(triggers_in_database())


@pytest.mark.slow
@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_trigger_is_removed_and_restored_with_its_migration():
    consent = factories.ConsentFactory()
    operation = AppendOnly("consent", "consent_is_append_only")
    state = MigrationLoader(connection).project_state()
    with connection.schema_editor() as editor:
        operation.database_backwards("patients", editor, state, state)
    try:
        Consent.objects.filter(pk=consent.pk).update(method="on_site")
        assert "consent_is_append_only" not in triggers_in_database()
    finally:
        for _twice in range(2):
            with connection.schema_editor() as editor:
                operation.database_forwards("patients", editor, state, state)
    with pytest.raises(IntegrityError, match="consent_is_append_only"), transaction.atomic():
        Consent.objects.filter(pk=consent.pk).update(method="verbal")


@pytest.mark.slow
@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_going_back_leaves_the_triggers_of_each_migration():
    graph = MigrationLoader(connection).graph
    plans = [graph.forwards_plan(leaf) for leaf in graph.leaf_nodes() if leaf[0] in older_tables.OUR_APPS]
    ours = [key for key in dict.fromkeys(chain.from_iterable(plans)) if key[0] in older_tables.OUR_APPS]
    later = [key for key in ours if key[1] != "0001_initial"]
    left: dict[tuple[str, str], dict[str, list[str]]] = {}
    try:
        for key in reversed(later):
            left[key] = triggers_in_database()
            before = [each for each in graph.nodes[key].dependencies if each[0] == key[0]]
            MigrationExecutor(connection).migrate(before)
        for key in later:
            MigrationExecutor(connection).migrate([key])
            assert triggers_in_database() == left[key], key
    finally:
        call_command("migrate", verbosity=0)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["0003_report_is_frozen", "0002_of_a_newer_version"])
def test_tables_of_an_unknown_version_are_not_migrated(name):
    MigrationRecorder(connection).record_applied("diagnosis", name)
    assert older_tables.are_unknown()
    assert older_tables.are_older() == (name == "0003_report_is_frozen")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("migrate", verbosity=0)


MOVE = (
    "import django; django.setup();"
    "from dermascan.older_tables import move_older_data_aside;"
    "print(move_older_data_aside())"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "recorded",
    [
        [("diagnosis", "0001_initial")],
        [("diagnosis", "0003_report_is_frozen")],
        [("diagnosis", "0002_of_a_newer_version")],
        [],
    ],
)
def test_older_data_are_moved_and_trained_networks_stay(tmp_path, recorded):
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
        database.execute("CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app TEXT, name TEXT, applied TEXT)")
        for app, name in recorded:
            database.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, '2026-11-01')", (app, name)
            )
        database.commit()
    others = ("media/images/a.jpg", "runs/first/weights.npz", "datasets/ham10000/metadata.csv", "secret_key")
    for name in others:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")

    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    environment |= {"DERMASCAN_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "dermascan.settings.local"}
    outcome = subprocess.run(
        [sys.executable, "-c", MOVE], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    is_older = ("diagnosis", "0003_report_is_frozen") in recorded
    folders = list(tmp_path.glob("before-0.1.0-*"))
    assert len(folders) == is_older
    assert (tmp_path / "db.sqlite3").exists() != is_older
    assert (tmp_path / "media").exists() != is_older
    assert all((tmp_path / name).exists() for name in others[1:])
    if is_older:
        assert str(folders[0]) in outcome.stdout
        assert (folders[0] / "media" / "images" / "a.jpg").read_text() == "x"
