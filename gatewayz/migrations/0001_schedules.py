"""The first schedules. Admins edit them; nothing writes them again."""

from django.db import migrations

EVERY_MINUTE = {
    "Expire block rules": "catalog.expire_block_rules",
    "Expire API keys": "billing.expire_keys",
}


def add_schedules(apps, schema_editor):
    interval, _ = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(
        every=60, period="seconds"
    )
    for name, task in EVERY_MINUTE.items():
        apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
            name=name, defaults={"task": task, "interval": interval}
        )


class Migration(migrations.Migration):
    dependencies = [("django_celery_beat", "0019_alter_periodictasks_options")]
    operations = [migrations.RunPython(add_schedules, migrations.RunPython.noop)]
