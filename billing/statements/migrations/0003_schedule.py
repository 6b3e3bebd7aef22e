"""Statements every night, at first. Admins edit it; nothing writes it again."""

from django.db import migrations


def add_schedule(apps, schema_editor):
    crontab, _ = apps.get_model("django_celery_beat", "CrontabSchedule").objects.get_or_create(
        minute="20", hour="3", day_of_week="*", day_of_month="*", month_of_year="*", timezone="UTC"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Issue statements", defaults={"task": "statements.issue", "crontab": crontab}
    )


class Migration(migrations.Migration):
    dependencies = [
        ("statements", "0002_triggers"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(add_schedule, migrations.RunPython.noop)]
