"""The first schedules. Admins edit them; nothing writes them again."""

from django.db import migrations

MINUTES = {
    "Sum usage": ("rollups.roll_up", 1),
    "Delete old usage rows": ("rollups.delete_old", 60),
}


def add_schedules(apps, schema_editor):
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    for name, (task, minutes) in MINUTES.items():
        interval, _ = intervals.get_or_create(every=minutes * 60, period="seconds")
        tasks.get_or_create(name=name, defaults={"task": task, "interval": interval})


class Migration(migrations.Migration):
    dependencies = [
        ("rollups", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(add_schedules, migrations.RunPython.noop)]
