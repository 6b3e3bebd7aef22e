"""What billing does by itself, on a schedule that admins edit."""

from celery import shared_task

from billing.models import ApiKey


@shared_task(name="billing.expire_keys", expires=300)
def expire_keys() -> str:
    """Revoke keys whose time is over, so that admins see what is in force."""
    return f"{ApiKey.objects.expire()} keys expired"
