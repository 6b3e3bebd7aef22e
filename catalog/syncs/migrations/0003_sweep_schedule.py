"""Old syncs are swept once a day, at first. Admins edit it; nothing writes it again."""

from django.db import migrations


def add_schedule(apps, schema_editor):
    interval, _ = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(
        every=86400, period="seconds"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Sweep syncs", defaults={"task": "catalog.sweep_syncs", "interval": interval}
    )


class Migration(migrations.Migration):
    dependencies = [
        ("syncs", "0002_for_alerts"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(add_schedule, migrations.RunPython.noop)]
