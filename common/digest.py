"""What tells values apart: a digest of their JSON."""

import json
from hashlib import sha256


def json_digest(value: object) -> str:
    """Hex sha256 of a value that JSON can hold; the order of a dictionary's keys does not count."""
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
