"""Credentials at rest: encrypted with the first of a rotating list of keys, opened with any."""

import base64
import hashlib
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class Undecryptable(ValueError):
    """None of GATEWAYZ_ENCRYPTION_KEYS opens a stored value."""


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    digests = (hashlib.sha256(b"gatewayz credential\0" + key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


def encrypt(text: str) -> str:
    return _fernet(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Raise Undecryptable rather than return a ciphertext that would be sent to a provider."""
    try:
        return _fernet(tuple(settings.ENCRYPTION_KEYS)).decrypt(token.encode()).decode()
    except InvalidToken as problem:
        raise Undecryptable("no encryption key opens this value") from problem


class EncryptedTextField(models.TextField):
    """Text that the database only sees encrypted. The attribute holds the ciphertext's plain text
    once it was set, and is decrypted on demand by `decrypt`: reading a row never fails."""

    def get_prep_value(self, value: Any) -> Any:
        if not value or isinstance(value, Sealed):
            return value
        return encrypt(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return Sealed(value) if value else value


class Sealed(str):
    """A stored ciphertext, saved back as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Sealed(…)"

    def open(self) -> str:
        return decrypt(str(self))
