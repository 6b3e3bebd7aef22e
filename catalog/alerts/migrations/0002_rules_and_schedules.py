"""A rule for each kind, and the first schedules. Admins edit them; nothing writes them again."""

from django.db import migrations

RULES = {  # threshold, window, least, cool-down
    "provider_failing": (0.5, 5, 20, 30),
    "offer_failing": (0.5, 15, 20, 60),
    "offer_down": (1, 0, 0, 60),
    "quarantined": (1, 0, 0, 60),
    "sync_failing": (3, 0, 0, 60),
    "catalogue_shrank": (0.2, 4320, 5, 1440),
    "api_drift": (0.1, 0, 5, 1440),
    "unpriced_traffic": (1, 60, 0, 60),
    "alias_gone": (1, 0, 0, 1440),
    "deprecation_ahead": (30, 43200, 0, 10080),
    "credential_refused": (1, 15, 0, 15),
    "budget": (1, 0, 0, 60),
}
SECONDS = {
    "Look for alerts": ("alerts.look", 60),
    "Look ahead for alerts": ("alerts.look_ahead", 3600),
    "Sweep alerts": ("alerts.sweep", 86400),
}


def add_rules(apps, schema_editor):
    rules = apps.get_model("alerts", "AlertRule").objects
    for kind, (threshold, window, least, cooldown) in RULES.items():
        begins = {
            "threshold": threshold,
            "window_minutes": window,
            "least": least,
            "cooldown_minutes": cooldown,
        }
        rules.get_or_create(kind=kind, defaults=begins)


def add_schedules(apps, schema_editor):
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    for name, (task, seconds) in SECONDS.items():
        interval, _ = intervals.get_or_create(every=seconds, period="seconds")
        tasks.get_or_create(name=name, defaults={"task": task, "interval": interval})


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        migrations.RunPython(add_rules, migrations.RunPython.noop),
        migrations.RunPython(add_schedules, migrations.RunPython.noop),
    ]
