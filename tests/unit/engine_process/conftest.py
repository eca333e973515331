"""Scripted engines in processes."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from samantha_desktop.engines.process import EngineProcess, EngineState
from samantha_desktop.engines.registry import find_engine
from samantha_desktop.engines.scripted import Script

MakeProcess = Callable[..., EngineProcess]


@pytest.fixture
def make_process(tmp_path: Path) -> Iterator[MakeProcess]:
    """Makes `EngineProcess`es of scripted engines, not started, and closes them at the end.

    Called with the kind, a `Script`, further fields of the engine's settings in
    `settings`, and what `EngineProcess` takes.
    """
    made: list[EngineProcess] = []

    def make(
        kind: str, script: Script | None = None, settings: dict[str, Any] | None = None, **more: Any
    ) -> EngineProcess:
        spec = find_engine(kind, "scripted")
        engine_settings = spec.settings_class()(script=script or Script(), **(settings or {}))
        more.setdefault("log_path", tmp_path / f"{kind}.log")
        made.append(EngineProcess(spec, engine_settings, **more))
        return made[-1]

    yield make
    for process in made:
        process.close()


class States:
    """An `on_state` that can be waited for."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[EngineState] = queue.SimpleQueue()

    def __call__(self, state: EngineState) -> None:
        self._queue.put(state)

    def wait_for(self, state: EngineState, timeout_s: float = 60.0) -> list[EngineState]:
        """All states up to that one."""
        seen = []
        while not seen or seen[-1] is not state:
            seen.append(self._queue.get(timeout=timeout_s))
        return seen


@pytest.fixture
def states() -> States:
    return States()
