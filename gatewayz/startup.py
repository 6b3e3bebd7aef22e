"""What must be in order before a process serves; each problem is one clear line."""

import os
from collections.abc import Iterator

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, connection

from gatewayz.pending import pending
from providers import adapters
from providers.encryption import Undecryptable
from providers.models import Credential, Provider


def problems(migrate: bool = False) -> Iterator[str]:
    """Yield what keeps this installation from serving, the most basic first.

    migrate: missing migrations are no problem; the database is brought up to date.
    """
    try:
        yield from unreachable_database()
        if migrate and pending():
            call_command("migrate", verbosity=0)
        yield from missing_migrations()
        yield from failed_checks()
        yield from unknown_adapters()
        yield from sealed_for_good()
        yield from unwritable_journals()
    except (DatabaseError, ImproperlyConfigured) as problem:
        yield f"the database cannot be used: {one_line(problem)}"
    finally:
        close_database()


def close_database() -> None:
    """Leave neither connections nor a pool's threads to the processes that come of this one."""
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()


def one_line(problem: Exception) -> str:
    return " ".join(str(problem).split())


def unreachable_database() -> Iterator[str]:
    """Try once, without the pool, which would go on trying and not say why."""
    if connection.vendor == "postgresql":
        try:
            connection.Database.connect(**connection.get_connection_params()).close()
        except connection.Database.Error as problem:
            yield f"the database cannot be reached: {one_line(problem)}"


def missing_migrations() -> Iterator[str]:
    plan = pending()
    if plan:
        names = ", ".join(plan[:3])
        more = f" and {len(plan) - 3} more" if len(plan) > 3 else ""
        yield f"migrations are missing ({names}{more}): run `manage.py migrate`"


def failed_checks() -> Iterator[str]:
    """Yield Django's system checks that found an error; importing every route is one of them."""
    try:
        found = checks.run_checks()
    except (SystemCheckError, ImportError) as problem:
        yield f"a part of the program cannot be loaded: {problem}"
        return
    for message in found:
        if message.is_serious():
            yield f"{message.id}: {message.msg}"


def unknown_adapters() -> Iterator[str]:
    for slug, name in Provider.objects.values_list("slug", "adapter").order_by("slug"):
        if name not in adapters.NAMES:
            known = ", ".join(adapters.NAMES)
            yield f"the provider {slug} uses the unknown adapter {name!r}; there are {known}"


def unwritable_journals() -> Iterator[str]:
    """Write a byte where requests will be recorded."""
    trial = settings.JOURNAL_DIR / f".trial-{os.getpid()}"
    try:
        settings.JOURNAL_DIR.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(b".")
        trial.unlink()
    except OSError as problem:
        yield f"the data directory cannot be written: {problem}"


def sealed_for_good() -> Iterator[str]:
    for row in Credential.objects.exclude(value="").select_related("provider"):
        try:
            row.value.open()
        except Undecryptable:
            yield (
                f"no key in GATEWAYZ_ENCRYPTION_KEYS opens the credential {row} "
                f"of {row.provider.slug}: add the key that it was stored with"
            )
