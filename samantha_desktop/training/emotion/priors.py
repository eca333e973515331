"""How often each group is expected where the reader is used. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TALK_SHARES: Mapping[str, float] = MappingProxyType(
    {
        "anger": 0.08,
        "disgust": 0.03,
        "fear": 0.03,
        "joy": 0.20,
        "sadness": 0.08,
        "surprise": 0.08,
        "neutral": 0.50,
    }
)
