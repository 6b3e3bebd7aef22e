"""What the catalogue does by itself, on a schedule that admins edit."""

from celery import shared_task


@shared_task(name="catalog.expire_block_rules", expires=300)
def expire_block_rules() -> str:
    """Decide block rules whose time is over: a probe says whether they end."""
    from catalog.evidence.half_open import decide_expired  # its probes' client takes a second

    came = decide_expired()
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(came.items()))
    return f"expired block rules: {told or 'none'}"
