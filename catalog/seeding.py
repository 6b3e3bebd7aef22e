"""What a new database can answer before any sync: the built-in model, and the usual variants."""

from collections.abc import Iterator

from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from catalog.models import Model, Offer, State, Variant
from providers import seeding
from providers.seeding import Seed


def seeds() -> Iterator[Seed]:
    yield Seed(
        Model,
        {"model_id": "echo"},
        {"name": "Echo", "capabilities": ["chat"], "context_length": 131_072},
    )
    yield Seed(
        Offer,
        {"model__model_id": "echo", "provider__slug": "echo"},
        {"upstream_id": "echo", "input_price": 0, "output_price": 0},
    )
    yield Seed(Variant, {"name": "floor"}, {"order_by": "price"})
    yield Seed(Variant, {"name": "nitro"}, {"order_by": "throughput"})


def seed(using: str = "default", **_: object) -> int:
    """Add what this release seeds and no database row or record has. Runs after every migrate."""
    if using != "default" or not migrated(using):
        return 0
    State.objects.get_or_create(pk=1)  # a flush takes it away
    return seeding.plant([*seeding.seeds(seeding.read()), *seeds()])


def migrated(using: str) -> bool:
    """Tell whether the tables are as the models say; a migration back leaves them older."""
    executor = MigrationExecutor(connections[using])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())
