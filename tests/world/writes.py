"""Which tables' rows a gateway writes, told by triggers in its own database."""

import sqlite3
from collections import Counter

import psycopg

from tests.world import database

NOTED = "written_rows"
POSTGRES = f"""
CREATE TABLE {NOTED} (name text);
CREATE FUNCTION note_row() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO {NOTED} VALUES (TG_TABLE_NAME); RETURN NULL; END $$;
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> '{NOTED}'
  LOOP EXECUTE format('CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON %I
    FOR EACH ROW EXECUTE FUNCTION note_row()', name);
  END LOOP;
END $$;
"""
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


def note(url: str) -> None:
    """Have the database note every row that is inserted, updated or deleted from now on."""
    if not url.startswith("sqlite:"):
        with psycopg.connect(url) as connection:
            connection.execute(POSTGRES)
        return
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)
    names = [name for (name,) in connection.execute(TABLES)]
    connection.execute(f"CREATE TABLE {NOTED} (name text)")
    for name in names:
        for event in ("INSERT", "UPDATE", "DELETE"):
            connection.execute(
                f'CREATE TRIGGER "noted {event} {name}" AFTER {event} ON "{name}" '
                f"BEGIN INSERT INTO {NOTED} VALUES ('{name}'); END"
            )
    connection.commit()
    connection.close()


def noted(url: str) -> Counter[str]:
    """Return how many rows were written since, by table."""
    return Counter(row["name"] for row in database.rows(url, f"SELECT name FROM {NOTED}"))
