"""In what some nested records differ: how runs with different settings are told apart in a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

UNKNOWN = "settings unknown"


def differences(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of each record the values that are not the same in all: ``frames.decoder=pyav, ...``.

    Empty strings when all are equal; ``settings unknown`` for a record with none of the telling values.
    """
    flat = [_flat(record) for record in records]
    keys = dict.fromkeys(key for record in flat for key in record)
    telling = [key for key in keys if len({record.get(key) for record in flat}) > 1]
    if not telling:
        return [""] * len(flat)
    return [
        ", ".join(f"{key}={record[key]}" for key in telling if key in record) or UNKNOWN for record in flat
    ]


def _flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value if isinstance(value, str) else json.dumps(value)
    return found
