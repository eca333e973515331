"""Messages to the text a model was trained on, by the template its GGUF carries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from samantha_desktop.core.errors import EngineError, ModelError
from samantha_desktop.core.ports import ChatMessage

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""For models without a template. Source: the ChatML format, as most fine-tunes use it."""

_PROBE = "probe"


class ChatTemplate:
    """Renders messages, also with templates that know no system role or demand alternation.

    Args:
        template: Jinja source; empty: ChatML.
        bos_text, eos_text: texts of the special tokens, which templates may insert.
        control_texts: texts of all control tokens. In messages they are broken up, so
            that nobody can end a turn or open another one by typing "<|im_end|>".
    Raises:
        ModelError: the template cannot be used.
    """

    def __init__(
        self,
        template: str,
        *,
        bos_text: str = "",
        eos_text: str = "",
        control_texts: Iterable[str] = (),
    ) -> None:
        import jinja2
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        self._failures = (jinja2.TemplateError, ValueError, TypeError, LookupError)
        try:
            self._answering, self._telling = (
                Jinja2ChatFormatter(
                    template or CHATML, eos_text, bos_text, add_generation_prompt=is_answering
                )
                for is_answering in (True, False)
            )
        except jinja2.TemplateError as problem:
            raise _unusable(problem) from problem
        # Longest first: a token may begin with another's text.
        texts = sorted((text for text in control_texts if len(text) > 1), key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, texts))) if texts else None
        self._folds_system = not self._takes_system()

    def render(self, messages: Sequence[ChatMessage], *, is_answering: bool) -> str:
        """Render messages.

        Args:
            messages: at least one.
            is_answering: add what makes the model begin its answer. When the last
                message is the assistant's, it is left open, to be continued.
        Raises:
            EngineError: the template refuses these messages.
        """
        begun = ""
        if is_answering and messages and messages[-1].role == "assistant":
            begun, messages = self._broken_up(messages[-1].content).rstrip(), messages[:-1]
        broken = [ChatMessage(item.role, self._broken_up(item.content)) for item in messages]
        if self._folds_system:
            broken = folded(broken)
        try:
            return self._rendered(broken, is_answering) + begun
        except self._failures:
            pass  # Perhaps only because roles do not alternate.
        try:
            return self._rendered(folded(broken), is_answering) + begun
        except self._failures as problem:
            raise EngineError(
                "The language model cannot take this conversation.",
                recovery="Start a new conversation, or choose another language model.",
                detail=f"chat template: {problem}",
            ) from problem

    def _rendered(self, messages: Sequence[ChatMessage], is_answering: bool) -> str:
        formatter = self._answering if is_answering else self._telling
        plain: list[Any] = [{"role": item.role, "content": item.content} for item in messages]
        # Spoken answers cannot wait for thinking; templates that do not know the name ignore it.
        return str(formatter(messages=plain, enable_thinking=False).prompt)

    def _takes_system(self) -> bool:
        """Whether a system message comes through. Some templates raise, others drop it."""
        messages = [ChatMessage("system", _PROBE), ChatMessage("user", "?")]
        try:
            return _PROBE in self._rendered(messages, True)
        except self._failures:
            pass
        try:
            self._rendered(folded(messages), True)
        except self._failures as problem:
            raise _unusable(problem) from problem
        return False

    def _broken_up(self, text: str) -> str:
        text = text.strip()
        if self._control is None:
            return text
        return self._control.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)


def folded(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The same conversation in user and assistant turns that alternate, the user first.

    System messages become part of the user's next message (or of a last one of their own),
    neighbours of the same role become one.
    """
    result: list[ChatMessage] = []
    for message in messages:
        role: Literal["user", "assistant"] = "user"
        if message.role == "assistant":
            role = "assistant"
            if not result:
                result.append(ChatMessage("user", "Hello."))
        if result and result[-1].role == role:
            result[-1] = ChatMessage(role, f"{result[-1].content}\n\n{message.content}")
        else:
            result.append(ChatMessage(role, message.content))
    return result


def _unusable(problem: Exception) -> ModelError:
    return ModelError(
        "The language model's chat template cannot be used.",
        recovery="Choose another language model: `samantha models list` shows them.",
        detail=str(problem),
        is_fatal=True,
    )
