"""The database servers that the tests bring along start, answer and stop."""

import psycopg
import pytest
import redis

from tests.servers import new_database, postgres, valkey


def test_postgres_serves_separate_databases_and_stops():
    with postgres() as url:
        one, two = new_database(url), new_database(url)
        with psycopg.connect(one) as connection:
            connection.execute("CREATE TABLE thing (id integer)")
        with psycopg.connect(two) as connection:
            assert connection.execute("SELECT to_regclass('thing')").fetchone() == (None,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)


def test_valkey_serves_and_stops():
    with valkey() as url:
        client = redis.Redis.from_url(url)
        assert client.set("name", "value")
        assert client.get("name") == b"value"
        client.close()
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(url).ping()
