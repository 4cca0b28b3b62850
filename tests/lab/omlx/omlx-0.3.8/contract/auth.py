"""Who may ask what (facts 6.3): K = main or sub key, C = the admin cookie only, O = everybody.

The cookie is what itsdangerous' URLSafeTimedSerializer makes of {"admin":true,"remember":…} under `auth.secret_key`, byte for
byte: whoever knows the secret can mint one, and a cookie from either side is valid on the other. `selftest` checks it against
the real library.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
import zlib

COOKIE = "omlx_admin_session"
SESSION_SECONDS = 86400
REMEMBER_SECONDS = 2592000


def _encode(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


class Sessions:
    """Makes and checks admin cookies under one secret; $OMLX_SECRET_KEY beats the file's (admin/auth.py:46)."""

    def __init__(self, secret: str) -> None:
        self.secret = os.environ.get("OMLX_SECRET_KEY") or secret
        # itsdangerous' key derivation "django-concat" with the serializer's default salt.
        self._key = hashlib.sha1(b"itsdangerous" + b"signer" + self.secret.encode()).digest()

    def _sign(self, value: bytes) -> bytes:
        return _encode(hmac.new(self._key, value, hashlib.sha1).digest())

    def mint(self, *, remember: bool) -> str:
        payload = json.dumps({"admin": True, "remember": remember}, separators=(",", ":")).encode()
        packed = zlib.compress(payload)
        text = b"." + _encode(packed) if len(packed) < len(payload) - 1 else _encode(payload)
        stamp = int(time.time())
        signed = text + b"." + _encode(stamp.to_bytes((stamp.bit_length() + 7) // 8, "big"))
        return (signed + b"." + self._sign(signed)).decode()

    def valid(self, token: str) -> bool:
        try:
            signed, _, signature = token.encode().rpartition(b".")
            if not hmac.compare_digest(self._sign(signed), signature):
                return False
            text, _, stamp = signed.rpartition(b".")
            raw = zlib.decompress(_decode(text[1:])) if text.startswith(b".") else _decode(text)
            payload = json.loads(raw)
            age = time.time() - int.from_bytes(_decode(stamp), "big")
        except (ValueError, zlib.error):
            return False
        limit = REMEMBER_SECONDS if payload.get("remember") else SESSION_SECONDS
        return payload.get("admin") is True and age <= limit


def check_key_format(key: str) -> str | None:
    """What is wrong with a new API key, None when nothing is (facts 2.1)."""
    if len(key) < 4:
        return "API key must be at least 4 characters"
    if any(character.isspace() for character in key):
        return "API key must not contain whitespace"
    if not key.isprintable():
        return "API key must contain only printable characters"
    return None


def presented_key(headers: dict[str, str]) -> str | None:
    """The bearer token, else x-api-key."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token
    return headers.get("x-api-key")


def same(one: str, other: str | None) -> bool:
    return bool(other) and hmac.compare_digest(one.encode(), other.encode())
