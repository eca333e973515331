"""Engines that are loaded once for all end-to-end tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from samantha_desktop.app import Engines, build_engines
from samantha_desktop.core.settings import Settings

ANSWER_TOKENS = 40
"""Enough for a sentence or two: the tests look at what happens, not at what is said."""


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The shipped ones, with repeatable and short answers."""
    shipped = Settings()
    return replace(
        shipped,
        speech=replace(shipped.speech, language="en"),
        language_model=replace(
            shipped.language_model, temperature=0.0, max_answer_tokens=ANSWER_TOKENS
        ),
    )


@pytest.fixture(scope="module")
def engines(settings: Settings, starter_models: None) -> Iterator[Engines]:
    """All four, loaded, each in its process."""
    with build_engines(settings) as engines:
        engines.load()
        yield engines
