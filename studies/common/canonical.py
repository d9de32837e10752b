"""Spells equal content in one way and hashes it, which makes identities."""

import hashlib
import json


def canonical(content: object) -> str:
    """Returns JSON with one spelling for equal content."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def short_hash(content: object) -> str:
    """Returns 16 hexadecimal digits of the SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:16]
