"""Fixtures over `virtual_sound`; a plugin, since tests of several folders ask for them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from virtual_sound import VirtualCard

from samantha_desktop.devices import sound_cards


@pytest.fixture
def silent_machine(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[VirtualCard]:
    """A machine whose sound server is not running (yet)."""
    if shutil.which("pulseaudio") is None or shutil.which("parec") is None:
        pytest.fail("pulseaudio or pulseaudio-utils is missing: run `make setup-dev`.")
    card = VirtualCard(tmp_path_factory.mktemp("sound"))
    for name, value in card.environment.items():
        monkeypatch.setenv(name, value)
    sound_cards.rescan()
    try:
        yield card
    finally:
        card.kill()
        monkeypatch.undo()
        sound_cards.rescan()


@pytest.fixture
def virtual_card(silent_machine: VirtualCard) -> VirtualCard:
    """A machine with a microphone and a speaker."""
    silent_machine.start()
    sound_cards.rescan()
    return silent_machine
