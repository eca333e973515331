"""What an engine's process and its parent say to each other.

Every request has a number that only grows; an answer whose number is not the
one waited for belongs to a request that was cancelled, and is dropped.

    parent                      child
    Load(n)                     Answer(n, Loaded) | Failure(n)
    Call(n)                     Answer(n, value)  | Failure(n)
    Call(n, is_stream=True)     Answer(n, first item) | End(n) | Failure(n)
    Pull(n)                     Answer(n, next item)  | End(n) | Failure(n)
    Cancel(n)                   nothing, or an answer that nobody waits for
    Stop                        the end of the process

Standard library only: the child reads this before any native library is loaded.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from samantha_desktop.core.errors import SamanthaError
    from samantha_desktop.core.ports import EngineInfo


@dataclass(frozen=True)
class Load:
    """Make the engine and load it."""

    number: int


@dataclass(frozen=True)
class Call:
    """Call a method; of a stream, for its first item.

    Attributes:
        takes_cancel: the method has an `is_cancelled`, which the child provides.
    """

    number: int
    method: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    takes_cancel: bool = False
    is_stream: bool = False


@dataclass(frozen=True)
class Pull:
    """One more item of a stream, and not one beyond it."""

    number: int


@dataclass(frozen=True)
class Cancel:
    """Nobody waits for this request any more."""

    number: int


@dataclass(frozen=True)
class Stop:
    """Close the engine and end."""


@dataclass(frozen=True)
class Loaded:
    """What does not change any more once an engine is loaded."""

    info: EngineInfo
    properties: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a call returned, or one item of a stream."""

    number: int
    value: Any


@dataclass(frozen=True)
class End:
    """The stream has no more items."""

    number: int


@dataclass(frozen=True)
class Failure:
    """What a call, or the next item of a stream, raised."""

    number: int
    error: SamanthaError


Request: TypeAlias = Load | Call | Pull
FromParent: TypeAlias = Load | Call | Pull | Cancel | Stop
FromChild: TypeAlias = Answer | End | Failure

# Protocol 5 writes an array as one block of bytes; multiprocessing's own `send` does not.
_PICKLE_PROTOCOL = 5


def encode(message: FromParent | FromChild) -> bytes:
    """A message as bytes for `Connection.send_bytes`."""
    return pickle.dumps(message, _PICKLE_PROTOCOL)


def receive(connection: Connection) -> Any:
    """Wait for one message (`FromParent` in the child, `FromChild` in the parent).

    Raises:
        EOFError, OSError: the other side is gone.
    """
    return pickle.loads(connection.recv_bytes())
