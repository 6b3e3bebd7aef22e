"""Celery: background work, on a schedule that admins edit."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gatewayz.settings")
app = Celery("gatewayz")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
