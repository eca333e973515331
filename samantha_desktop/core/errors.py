"""The error tree.

    SamanthaError
    ├── DeviceError      microphone or speaker missing, busy, unplugged
    ├── ModelError       model files missing, damaged, unfit for the engine
    ├── EngineError      an engine (or its process) failed while working
    │   └── EngineDied   its process ended; it is being started again
    ├── SettingsError    a setting or argument that cannot be used
    ├── AudioFileError   a sound file that cannot be read or written
    ├── StorageError     no space, no permission, locked by another process
    ├── NetworkError     a download that could not be made
    └── Cancelled        the caller asked for it: nothing went wrong

Every error carries what a person is told (one sentence), what they can do, and
the details a developer needs. Details never hold what was said in a conversation.
"""

from __future__ import annotations

from typing import ClassVar


class SamanthaError(Exception):
    """An error that can be shown to a person as it is.

    Args:
        user_message: one plain sentence: what happened.
        recovery: one plain sentence: what the person can do. May be empty.
        detail: technical facts for the log and the folded part of a dialog.
        is_fatal: True when going on makes no sense (a damaged model); False
            when trying again may help.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self, user_message: str, *, recovery: str = "", detail: str = "", is_fatal: bool = False
    ) -> None:
        super().__init__(user_message)
        self.user_message = user_message
        self.recovery = recovery
        self.detail = detail
        self.is_fatal = is_fatal

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process boundaries: keyword arguments need help to be pickled.
        return (
            _rebuild,
            (type(self), self.user_message, self.recovery, self.detail, self.is_fatal),
        )

    def document(self) -> dict[str, str]:
        """The error as JSON output shows it."""
        return {
            "kind": type(self).__name__,
            "message": self.user_message,
            "recovery": self.recovery,
            "detail": self.detail,
        }

    def __str__(self) -> str:
        return f"{self.user_message} {self.recovery}".strip()


def _rebuild(
    kind: type[SamanthaError], user_message: str, recovery: str, detail: str, is_fatal: bool
) -> SamanthaError:
    return kind(user_message, recovery=recovery, detail=detail, is_fatal=is_fatal)


class SettingsError(SamanthaError):
    """A setting, argument or combination of them that cannot be used."""

    exit_code = 2


class ModelError(SamanthaError):
    """Model files that are missing, damaged, or not what the engine can load."""

    exit_code = 3


class DeviceError(SamanthaError):
    """A microphone or speaker that is missing, busy, or was unplugged."""

    exit_code = 4


class EngineError(SamanthaError):
    """An engine that failed while working."""

    exit_code = 5


class EngineDied(EngineError):
    """The engine's process ended in mid-work; its supervisor is starting it again."""


class AudioFileError(SamanthaError):
    """A sound file that cannot be read or written."""

    exit_code = 6


class StorageError(SamanthaError):
    """No space left, no permission, or locked by another process."""

    exit_code = 7


class NetworkError(SamanthaError):
    """A download that could not be made."""

    exit_code = 8


class Cancelled(SamanthaError):
    """The caller asked to stop. The exit code is the shell's convention for Ctrl-C."""

    exit_code = 130

    def __init__(self, user_message: str = "Cancelled.", **rest: object) -> None:
        super().__init__(user_message, **rest)  # type: ignore[arg-type]
