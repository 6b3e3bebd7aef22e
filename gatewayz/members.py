"""What each process of a node does, from its beginning."""

import gc
import socket

import django
from django.apps import apps
from django.core.management import call_command


def load_program() -> None:
    """Import what web processes run: they are forked from this one, now and whenever one died.

    What is there by then is left out of their collections, which would copy every page of it.
    """
    import gatewayz.asgi
    import gatewayz.protocol  # noqa: F401

    gc.collect()
    gc.freeze()


def answer(listener: socket.socket) -> None:
    """Take requests from a socket that all web processes share."""
    begin()
    call_command("run_web", descriptor=listener.detach())


def work_beside(listener: socket.socket, command: str) -> None:
    """Run a command that answers no requests; a socket that it kept would outlive those who do."""
    listener.close()
    begin()
    call_command(command)


def begin() -> None:
    """Set Django up in a new interpreter; a forked one has it."""
    if not apps.ready:
        django.setup()
