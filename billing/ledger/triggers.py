"""What the database itself refuses: open sums, and every change to what was booked.

Postings come first and the transaction last, in one database transaction: a foreign key that is
checked at the commit refuses postings that stay without it, so no sum is left unchecked. SQLite has
no triggers at the commit; in this order it needs none. A migration that alters one of these tables
must end with `install`: SQLite drops a table's triggers with the table that it replaces.
"""

from collections.abc import Iterable

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

Rule = tuple[str, str, str, str, str]
TABLES = ("ledger_transaction", "ledger_posting")
OPEN = """(SELECT COUNT(*) FROM ledger_posting WHERE transaction_id = NEW.id) < 2 OR
    (SELECT SUM(amount_nano) FROM ledger_posting WHERE transaction_id = NEW.id) <> 0"""
SEALED = "EXISTS (SELECT 1 FROM ledger_transaction WHERE id = NEW.transaction_id)"
RULES = (  # name, moment, table, condition, what it says
    ("ledger_sums", "INSERT", TABLES[0], OPEN, "postings do not sum to zero"),
    ("ledger_sealed", "INSERT", TABLES[1], SEALED, "the transaction is sealed"),
    *(
        (f"{table}_{verb.lower()}", verb, table, "TRUE", "the ledger only grows")
        for table in TABLES
        for verb in ("UPDATE", "DELETE")
    ),
)
SQLITE = """CREATE TRIGGER {name} BEFORE {moment} ON {table} WHEN {condition}
BEGIN SELECT RAISE(ABORT, '{says}'); END"""
POSTGRES = """CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF {condition} THEN RAISE EXCEPTION '{says}' USING ERRCODE = 'check_violation'; END IF;
RETURN NEW; END $$"""
POSTGRES_USE = """CREATE TRIGGER {name} BEFORE {moment} ON {table}
FOR EACH ROW EXECUTE FUNCTION {name}()"""
NAMES = frozenset(rule[0] for rule in RULES)


def install(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    """Put every trigger in place that is not there."""
    install_rules(editor, RULES)


def remove(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    remove_rules(editor, RULES)


def install_rules(editor: BaseDatabaseSchemaEditor, rules: Iterable[Rule]) -> None:
    rules = list(rules)
    there = present(editor.connection, {rule[0] for rule in rules})
    for name, moment, table, condition, says in rules:
        if name in there:
            continue
        rule = {"name": name, "moment": moment, "table": table}
        statements = (SQLITE,) if editor.connection.vendor == "sqlite" else (POSTGRES, POSTGRES_USE)
        for statement in statements:
            editor.execute(statement.format(**rule, condition=condition, says=says))


def remove_rules(editor: BaseDatabaseSchemaEditor, rules: Iterable[Rule]) -> None:
    for name, _, table, *_ in rules:
        if editor.connection.vendor == "sqlite":
            editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        else:
            editor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
            editor.execute(f"DROP FUNCTION IF EXISTS {name}()")


def present(connection: object, names: Iterable[str] = NAMES) -> set[str]:
    """Return which of `names` the database has as triggers."""
    sqlite = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    postgres = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    with connection.cursor() as cursor:  # type: ignore[attr-defined]
        vendor = connection.vendor  # type: ignore[attr-defined]
        cursor.execute(sqlite if vendor == "sqlite" else postgres)
        return {name for (name,) in cursor.fetchall() if name in names}
