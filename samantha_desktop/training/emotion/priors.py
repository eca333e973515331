"""How often each group is expected where the reader is used. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from samantha_desktop.core.emotions import GROUPS

TALK_SHARES: Mapping[str, float] = MappingProxyType({group: 1 / len(GROUPS) for group in GROUPS})
"""In a talk each group is expected as often as any other: nobody knows beforehand how
someone feels, and published shares of talks contradict each other (neutral: 83 % in
DailyDialog, 30 % in EmoryNLP, 23 % in IEMOCAP's six classes). In the forum comments of
GoEmotions 59 % are neutral by the mapping for talks; keeping that share would make the
reader deaf to whatever is said without strong words. Source: principle of indifference;
arXiv 1710.03957 (DailyDialog), 1708.04299 (EmoryNLP), Busso et al. 2008 (IEMOCAP)."""
