"""What is done about usage by itself, on schedules that admins edit."""

from celery import shared_task

from billing.rollups import retention, summing


@shared_task(name="rollups.roll_up", expires=300)
def roll_up() -> str:
    """Add what was booked since to the hourly sums."""
    return f"{summing.roll_up()} usage rows summed"


@shared_task(name="rollups.delete_old", expires=3600)
def delete_old() -> str:
    """Delete usage rows that are older than they are kept."""
    return f"{retention.delete_old()} usage rows deleted"
