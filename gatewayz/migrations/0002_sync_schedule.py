"""Syncs every six hours, at first. Admins edit it; nothing writes it again."""

from django.db import migrations


def add_schedule(apps, schema_editor):
    interval, _ = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(
        every=6, period="hours"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Sync the catalogue", defaults={"task": "catalog.sync_all", "interval": interval}
    )


class Migration(migrations.Migration):
    dependencies = [("gatewayz", "0001_schedules")]
    operations = [migrations.RunPython(add_schedule, migrations.RunPython.noop)]
