"""Who she is and what was said, put into the messages that a language model gets.

A persona is a text file that a person may edit: instructions, with front matter in
TOML between lines of three plus signs:

    +++
    name = "Samantha"

    [[examples]]
    user = "Good morning!"
    assistant = "Good morning! Did you sleep well?"
    +++
    You are Samantha ...

The examples show the model how to sound; small models follow them better than rules.
They stand at the beginning of every prompt, so they are computed once.
"""

from __future__ import annotations

import tomllib
import unicodedata
from dataclasses import dataclass
from typing import Any

from samantha_desktop.core.errors import SettingsError
from samantha_desktop.core.history import History
from samantha_desktop.core.ports import ChatMessage

_FENCE = "+++"
_KEYS = ("name", "examples")
_UNSPEAKABLE = ("Cc", "Cs", "Co", "Cn")
"""Unicode categories: control, surrogate, private use, not assigned."""


@dataclass(frozen=True)
class Persona:
    """Who answers, and how.

    Attributes:
        instructions: the system message; may be empty.
        name: what she is called.
        examples: (user, assistant) turns that show how she talks.
    """

    instructions: str
    name: str = "Samantha"
    examples: tuple[tuple[str, str], ...] = ()

    def messages(self) -> tuple[ChatMessage, ...]:
        """The beginning of every prompt."""
        system = (ChatMessage("system", self.instructions),) if self.instructions else ()
        shown = tuple(
            message
            for user, assistant in self.examples
            for message in (ChatMessage("user", user), ChatMessage("assistant", assistant))
        )
        return system + shown


def parse_persona(text: str) -> Persona:
    """Read a persona file.

    Args:
        text: the file's text; without front matter all of it are instructions.
    Raises:
        SettingsError: the front matter cannot be read.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").strip()
    front: dict[str, Any] = {}
    if text.startswith(_FENCE):
        matter, fence, text = text.removeprefix(_FENCE).partition(f"\n{_FENCE}")
        if not fence:
            raise _unreadable("its front matter is not closed by a line of +++")
        try:
            front = tomllib.loads(matter)
        except tomllib.TOMLDecodeError as problem:
            raise _unreadable(f"its front matter is not TOML ({problem})") from problem
    for key in front:
        if key not in _KEYS:
            raise _unreadable(f"it has {key!r} in its front matter, which means nothing")
    name = front.get("name", Persona.name)
    if not isinstance(name, str):
        raise _unreadable("its name is not a text")
    return Persona(text.strip(), name, _examples(front.get("examples", [])))


def build_messages(
    persona: Persona, history: History, question: str = "", *, begun: str = ""
) -> tuple[ChatMessage, ...]:
    """The prompt for the next answer.

    Args:
        persona: who answers.
        history: what was said before, within its budget already.
        question: what the person said now; empty: only what is known before they speak.
        begun: the beginning of the answer, to be continued.
    """
    said = history.messages()
    if question:
        said += (ChatMessage("user", question),)
    messages = persona.messages() + tuple(
        ChatMessage(message.role, without_control_characters(message.content)) for message in said
    )
    if begun:
        messages += (ChatMessage("assistant", begun),)
    return messages


def without_control_characters(text: str) -> str:
    """Text as a person could have said it: pasted text can hold anything."""
    return "".join(
        character
        for character in text
        if character in "\n\t" or unicodedata.category(character) not in _UNSPEAKABLE
    ).strip()


def _examples(shown: object) -> tuple[tuple[str, str], ...]:
    result = []
    for example in shown if isinstance(shown, list) else [shown]:
        turn = example if isinstance(example, dict) else {}
        user, assistant = turn.get("user"), turn.get("assistant")
        if not (isinstance(user, str) and isinstance(assistant, str)) or len(turn) != 2:
            raise _unreadable("an example does not consist of two texts, user and assistant")
        result.append((user.strip(), assistant.strip()))
    return tuple(result)


def _unreadable(why: str) -> SettingsError:
    return SettingsError(
        f"The persona file cannot be read: {why}.",
        recovery="Correct the file, or choose another persona in the settings.",
    )
