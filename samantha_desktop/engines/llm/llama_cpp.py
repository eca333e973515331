"""Language models in GGUF, by llama.cpp."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from samantha_desktop.core.errors import EngineError, ModelError
from samantha_desktop.core.ports import (
    ChatMessage,
    EngineInfo,
    GenerationOptions,
    IsCancelled,
    never_cancelled,
)
from samantha_desktop.engines.llm.chat_template import ChatTemplate
from samantha_desktop.engines.llm.llama_native import ALL_LAYERS, NativeModel, supports_gpu
from samantha_desktop.engines.llm.prefix_cache import PrefixCache
from samantha_desktop.engines.llm.token_text import TextAssembler

_CHUNK_TOKENS = 64
"""Computed between two looks at `is_cancelled`: some 0.2 s on two cores."""

_WARM_UP = (ChatMessage("user", "Hello. " * _CHUNK_TOKENS),)


@dataclass(frozen=True)
class LlamaCppSettings:
    """What to load, and how.

    Attributes:
        model_path: a GGUF file; of a split one, the first part.
        context_tokens: prompt and answer together; what the model was trained on at most.
        n_threads: 0: one for every core this process may use.
        gpu_layers: layers on the GPU; -1: all where there is one, 0: none.
    """

    model_path: Path
    context_tokens: int = 4096
    n_threads: int = 0
    gpu_layers: int = -1


class LlamaCpp:
    """The `LanguageModel` port. What was computed stays in its memory between calls."""

    def __init__(self, settings: LlamaCppSettings) -> None:
        self._settings = settings
        self._n_threads = settings.n_threads or _usable_cores()
        self._native: NativeModel | None = None
        self._call = 0

    def load(self) -> None:
        """See the port."""
        path = self._settings.model_path
        _check_file(path)
        gpu_layers = self._settings.gpu_layers
        if gpu_layers < 0:
            gpu_layers = ALL_LAYERS if supports_gpu() else 0
        native = NativeModel(
            path,
            context_tokens=self._settings.context_tokens,
            n_threads=self._n_threads,
            gpu_layers=gpu_layers,
            batch_tokens=_CHUNK_TOKENS,
        )
        try:
            self._template = ChatTemplate(
                native.chat_template,
                bos_text=native.special_text("bos"),
                eos_text=native.special_text("eos"),
                control_texts=native.control_texts(),
            )
            self._native = native
            self._turn_start = self._find_turn_start()
            self._cache = PrefixCache(native, _CHUNK_TOKENS)
            self._warm_up()
        except BaseException:
            self._native = None
            native.close()
            raise

    def info(self) -> EngineInfo:
        """See the port."""
        native = self._loaded()
        return EngineInfo(
            engine="llama-cpp",
            model=self._settings.model_path.name,
            device=native.device,
            detail={
                "gpu_layers": native.offloaded,
                "threads": str(self._n_threads),
                "context_tokens": str(native.context_tokens),
                "chat_template": "from the model" if native.chat_template else "ChatML",
                **native.describe(),
            },
        )

    def close(self) -> None:
        """See the port."""
        native, self._native = self._native, None
        if native is not None:
            native.close()

    @property
    def context_tokens(self) -> int:
        """See the port."""
        return self._loaded().context_tokens

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """See the port."""
        return len(self._tokens(self._template.render(messages, is_answering=True)))

    def prefill(
        self, messages: Sequence[ChatMessage], *, is_cancelled: IsCancelled = never_cancelled
    ) -> int:
        """See the port. What follows a question in any case is computed with it."""
        self._loaded()
        self._call += 1
        if not messages:
            return 0
        is_question = messages[-1].role == "user"
        prompt = self._prompt(messages, is_answering=is_question)
        if not is_question and self._cache.holds(prompt):
            return 0  # Keep what comes after it: it may be wanted again.
        n_computed, _ = self._cache.compute(prompt, is_cancelled=is_cancelled)
        return n_computed

    def generate(
        self,
        messages: Sequence[ChatMessage],
        options: GenerationOptions,
        *,
        is_cancelled: IsCancelled = never_cancelled,
    ) -> Iterator[str]:
        """See the port. A later `prefill` or `generate` ends an earlier one."""
        native = self._loaded()
        self._call += 1
        call = self._call
        prompt = self._prompt(messages, is_answering=True)
        _, is_complete = self._cache.compute(prompt, is_cancelled=is_cancelled)
        if not is_complete or is_cancelled():
            return
        begun = messages[-1].content if messages[-1].role == "assistant" else ""
        text = TextAssembler(options.stop)
        # The prompt ends before the white space, which the model then writes itself.
        is_joining = begun != begun.rstrip()
        n_room = min(options.max_tokens, native.context_tokens - len(prompt))
        with native.sampler(options, native.tokenize(begun)) as sampler:
            token: int | None = None
            for _ in range(n_room):
                if token is not None:
                    self._cache.append(token)
                token = sampler.sample()
                if native.is_end(token) or token == self._turn_start:
                    break
                delta = text.push(native.piece(token))
                if is_joining:
                    delta = delta.lstrip()
                    is_joining = not delta
                if delta:
                    yield delta
                if text.is_stopped or is_cancelled() or call != self._call or not self._native:
                    return
        if rest := text.finish():
            yield rest

    # ------------------------------------------------------------------ inside

    def _loaded(self) -> NativeModel:
        if self._native is None:
            raise EngineError("The language model is not loaded.")
        return self._native

    def _prompt(self, messages: Sequence[ChatMessage], *, is_answering: bool) -> list[int]:
        prompt = self._tokens(self._template.render(messages, is_answering=is_answering))
        room_tokens = self._loaded().context_tokens
        if len(prompt) >= room_tokens:
            raise EngineError(
                f"That is too much for the language model: {len(prompt):,} tokens, "
                f"and {room_tokens:,} fit.",
                recovery="Say it in fewer words, or set a larger context_tokens in the settings.",
            )
        return prompt

    def _tokens(self, text: str) -> list[int]:
        native = self._loaded()
        tokens = native.tokenize(text)
        bos = native.bos_token
        if bos is not None and tokens[:1] != [bos]:
            tokens.insert(0, bos)
        return tokens

    def _find_turn_start(self) -> int | None:
        """The control token that opens a turn: a model that writes it would speak for the user."""
        question = (ChatMessage("user", "?"),)
        told = self._template.render(question, is_answering=False)
        answering = self._template.render(question, is_answering=True)
        native = self._loaded()
        opening = native.tokenize(answering.removeprefix(told)) if answering != told else []
        return opening[0] if opening and native.is_control(opening[0]) else None

    def _warm_up(self) -> None:
        """Read every page of the weights once, in both ways of computing."""
        for _ in self.generate(_WARM_UP, GenerationOptions(max_tokens=2, temperature=0.0)):
            pass
        self._cache.clear()


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_file(path: Path) -> None:
    """What can be said of the file more clearly than llama.cpp does."""
    recovery = "Run `samantha models list` to see what is installed."
    if not path.exists():
        raise ModelError(f"There is no language model at {path}.", recovery=recovery, is_fatal=True)
    if path.is_dir():
        raise ModelError(
            f"{path} is a folder, not a language model in GGUF format.",
            recovery="Name the GGUF file inside it.",
            is_fatal=True,
        )
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as problem:
        raise ModelError(
            f"The language model {path.name} cannot be read.",
            recovery="Check that you are allowed to read the file.",
            detail=str(problem),
        ) from problem
    if magic != b"GGUF":
        raise ModelError(
            f"{path.name} is not a language model in GGUF format.",
            recovery="Choose a GGUF file, or install the model again.",
            is_fatal=True,
        )
