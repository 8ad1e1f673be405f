"""Append-only tables, enforced by database triggers."""

from collections.abc import Sequence
from typing import Any

from django.db import migrations
from django.db.migrations.loader import MigrationLoader


class AppendOnly(migrations.operations.base.Operation):
    """Migration operation that creates a trigger which rejects updates. Rows may still be deleted.

    Undoing the operation leaves the trigger as the migrations before it declared it. SQLite rebuilds a table for most
    changes of its fields and drops its triggers with the old table: repeat the operation after such a change, and
    before it too, for the way back. A test goes back and forward through all migrations and compares the triggers.
    """

    reversible = True

    def __init__(self, model_name: str, name: str, *, frozen: Sequence[str] = (), once: Sequence[str] = ()) -> None:
        """Declare the trigger ``name``, which is also the database's error message.

        Args:
            model_name: the model whose rows are protected.
            frozen: columns that never change; all columns if neither ``frozen`` nor ``once`` is given.
            once: columns that may be written while they are NULL.
        """
        self.model_name, self.name = model_name, name
        self.frozen, self.once = tuple(frozen), tuple(once)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        kwargs = {name: values for name, values in (("frozen", self.frozen), ("once", self.once)) if values}
        return self.__class__.__qualname__, [self.model_name, self.name], kwargs

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Do nothing: triggers are not part of the model state."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        table = self._table(app_label, schema_editor, to_state)
        if table is not None:
            self._drop(schema_editor, table)
            self._create(schema_editor, table)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        table = self._table(app_label, schema_editor, from_state)
        if table is None:
            return
        self._drop(schema_editor, table)
        if (earlier := self._earlier(app_label, schema_editor)) is not None:
            earlier._create(schema_editor, table)

    def describe(self) -> str:
        return f"Keep rows of {self.model_name} as they were written"

    @property
    def migration_name_fragment(self) -> str:
        return self.name

    def _earlier(self, app_label: str, schema_editor: Any) -> "AppendOnly | None":
        """Return the operation that declared the trigger last before this one."""
        graph = MigrationLoader(schema_editor.connection).graph
        leaves = graph.leaf_nodes(app_label)
        keys = [key for leaf in leaves for key in graph.forwards_plan(leaf) if key[0] == app_label]
        earlier = None
        for operation in (operation for key in dict.fromkeys(keys) for operation in graph.nodes[key].operations):
            if operation is self:
                return earlier
            if isinstance(operation, AppendOnly) and operation.name == self.name:
                earlier = operation
        return None

    def _create(self, schema_editor: Any, table: str) -> None:
        vendor = schema_editor.connection.vendor
        if vendor == "sqlite":
            when = f" WHEN {self._changed('IS NOT')}" if self._changed("") else ""
            schema_editor.execute(
                f"CREATE TRIGGER {self.name} BEFORE UPDATE ON {table} FOR EACH ROW{when} "
                f"BEGIN SELECT RAISE(ABORT, '{self.name}'); END"
            )
        elif vendor == "postgresql":
            when = f" WHEN ({self._changed('IS DISTINCT FROM')})" if self._changed("") else ""
            schema_editor.execute(
                f"CREATE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"RAISE EXCEPTION '{self.name}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
            )
            schema_editor.execute(
                f"CREATE TRIGGER {self.name} BEFORE UPDATE ON {table} FOR EACH ROW{when} "
                f"EXECUTE FUNCTION {self.name}()"
            )

    def _table(self, app_label: str, schema_editor: Any, state: Any) -> str | None:
        model = state.apps.get_model(app_label, self.model_name)
        return model._meta.db_table if self.allow_migrate_model(schema_editor.connection.alias, model) else None

    def _changed(self, operator: str) -> str:
        """Return the SQL condition for a forbidden change; empty if every change is forbidden."""
        return " OR ".join(
            [f'OLD."{column}" {operator} NEW."{column}"' for column in self.frozen]
            + [f'(OLD."{column}" IS NOT NULL AND OLD."{column}" {operator} NEW."{column}")' for column in self.once]
        )

    def _drop(self, schema_editor: Any, table: str) -> None:
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {self.name}")
        elif schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {self.name} ON {table}")
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {self.name}()")
