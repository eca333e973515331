"""Personas, and the messages made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samantha_desktop.core.errors import SettingsError
from samantha_desktop.core.history import History
from samantha_desktop.core.ports import ChatMessage
from samantha_desktop.core.prompt import (
    Persona,
    build_messages,
    parse_persona,
    without_control_characters,
)
from samantha_desktop.host import folders

FILE = """+++
name = "Ada"

[[examples]]
user = "Hi."
assistant = "Hello, you."
+++

You are Ada.
Be kind.
"""


def test_a_persona_file_is_read() -> None:
    persona = parse_persona(FILE)
    assert persona == Persona("You are Ada.\nBe kind.", "Ada", (("Hi.", "Hello, you."),))
    assert parse_persona("\ufeff" + FILE.replace("\n", "\r\n")).name == "Ada"


def test_front_matter_may_be_left_out() -> None:
    assert parse_persona("  You are kind. ") == Persona("You are kind.")
    assert parse_persona("").messages() == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("+++\nname = 'Ada'\nYou are Ada.", "not closed"),
        ("+++\nname = \n+++\n", "not TOML"),
        ("+++\nname = 3\n+++\n", "name"),
        ("+++\nnames = 'Ada'\n+++\n", "'names'"),
        ("+++\nexamples = 'Hi'\n+++\n", "example"),
        ("+++\n[[examples]]\nuser = 'Hi'\n+++\n", "example"),
        ("+++\n[[examples]]\nuser = 'Hi'\nassistant = 1\n+++\n", "example"),
        ("+++\n[[examples]]\nuser = 'Hi'\nassistant = 'Ho'\nmood = 'x'\n+++\n", "example"),
    ],
)
def test_what_is_wrong_with_a_persona_is_named(text: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named) as caught:
        parse_persona(text)
    assert caught.value.recovery


def test_the_shipped_persona_is_short_and_spoken() -> None:
    text = (folders.assets_dir() / "personas" / "samantha.md").read_text(encoding="utf-8")
    persona = parse_persona(text)
    assert persona.name == "Samantha"
    assert "Samantha" in persona.instructions
    assert sum(len(message.content.split()) for message in persona.messages()) < 220
    for _, answer in persona.examples:
        assert len(answer.split(".")[0].split("!")[0].split()) <= 6, "a short first sentence"
        assert not set(answer) & set("*#`_[]|"), "nothing that is only written"


def test_messages_come_in_order() -> None:
    persona = parse_persona(FILE)
    history = History().with_turn("What's new?", "Nothing much.")
    known = (
        ChatMessage("system", "You are Ada.\nBe kind."),
        ChatMessage("user", "Hi."),
        ChatMessage("assistant", "Hello, you."),
        ChatMessage("user", "What's new?"),
        ChatMessage("assistant", "Nothing much."),
    )
    question = ChatMessage("user", "And now?")
    assert build_messages(persona, history) == known
    assert build_messages(persona, history, "And now?") == (*known, question)
    assert build_messages(persona, history, "And now?", begun="Now I") == (
        *known,
        question,
        ChatMessage("assistant", "Now I"),
    )


def test_the_beginning_is_the_same_for_every_question() -> None:
    persona = parse_persona(FILE)
    history = History().with_turn("a\x07b", "c\x00d")
    known = build_messages(persona, history)
    assert known[-2:] == (ChatMessage("user", "ab"), ChatMessage("assistant", "cd"))
    assert build_messages(persona, history, "Why\x1b?")[: len(known)] == known


def test_even_an_unspeakable_question_is_a_question() -> None:
    assert build_messages(Persona(""), History(), "\x00\x01")[-1].role == "user"


@given(st.text())
def test_cleaned_text_can_be_written(text: str) -> None:
    cleaned = without_control_characters(text)
    cleaned.encode("utf-8")
    assert "\x00" not in cleaned
    assert without_control_characters(cleaned) == cleaned


@pytest.mark.parametrize("text", ["Ça va ? 你好 🙂 👩‍👧", "שלום\u200f", "a\nb\tc", "a\u00a0b"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert without_control_characters(text) == text
