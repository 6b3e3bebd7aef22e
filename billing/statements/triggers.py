"""What the database itself refuses: a statement that does not sum, and every change to one.

Lines come first and the statement last, as with the ledger's transactions.
"""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from billing.ledger.triggers import install_rules, remove_rules

TABLES = ("statements_statement", "statements_statementline")
OPEN = """NEW.closing_nano - NEW.opening_nano <> (SELECT COALESCE(SUM(amount_nano), 0)
    FROM statements_statementline WHERE statement_id = NEW.number)"""
SEALED = "EXISTS (SELECT 1 FROM statements_statement WHERE number = NEW.statement_id)"
RULES = (  # name, moment, table, condition, what it says
    ("statement_sums", "INSERT", TABLES[0], OPEN, "lines do not lead from opening to closing"),
    ("statement_sealed", "INSERT", TABLES[1], SEALED, "the statement was issued"),
    *(
        (f"{table}_{verb.lower()}", verb, table, "TRUE", "a statement is never changed")
        for table in TABLES
        for verb in ("UPDATE", "DELETE")
    ),
)


def install(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    install_rules(editor, RULES)


def remove(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    remove_rules(editor, RULES)
