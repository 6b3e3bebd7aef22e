"""What the catalogue does by itself, on a schedule that admins edit."""

from celery import shared_task

from catalog.models import BlockRule


@shared_task(name="catalog.expire_block_rules", expires=300)
def expire_block_rules() -> str:
    """Switch off block rules whose time is over, so that admins see what is in force."""
    return f"{BlockRule.objects.expire()} block rules expired"
