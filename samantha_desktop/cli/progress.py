"""Shows how far an installation is: a bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from samantha_desktop.models import delivery


class ProgressDisplay:
    """Writes to standard error, so that standard output stays clean.

    Args:
        is_quiet: show sentences only.
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._console = Console(stderr=True)
        self._is_quiet = is_quiet
        self._bar: Progress | None = None
        self._tasks: dict[tuple[str, str], TaskID] = {}
        self._said_phases: set[tuple[str, str]] = set()

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._is_quiet:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, sentence: str) -> None:
        """A sentence for the person waiting."""
        if self._bar is not None:
            self._bar.console.print(sentence, highlight=False)
        else:
            print(sentence, file=sys.stderr, flush=True)

    def report(self, progress: delivery.Progress) -> None:
        """What `Installer` and `ModelStore.verify` tell."""
        if progress.phase == "done":
            return
        step = (progress.model_id, progress.phase)
        if self._bar is not None:
            if step not in self._tasks:
                self._tasks[step] = self._bar.add_task(
                    f"{progress.model_id}: {progress.phase}", total=progress.total_bytes
                )
            self._bar.update(self._tasks[step], completed=progress.done_bytes)
        elif not self._is_quiet and step not in self._said_phases:
            self._said_phases.add(step)
            self.say(f"{progress.model_id}: {progress.phase} ({progress.total_bytes / 1e6:.1f} MB)")
