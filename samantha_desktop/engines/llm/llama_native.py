"""llama.cpp through the C functions of llama-cpp-python: one model, one context.

Its high-level class copies logits into Python, fills batches token by token and
resets more than is needed; the C functions beneath are public and simple enough.
"""

from __future__ import annotations

import ctypes
import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from samantha_desktop.core.errors import EngineError, ModelError
from samantha_desktop.core.ports import GenerationOptions

_logger = logging.getLogger(__name__)

ALL_LAYERS = 0x7FFFFFFF

_PENALTY_LAST_TOKENS = 64
"""How far back `repeat_penalty` looks. Source: llama.cpp's default."""

_TOP_K = 40
"""Sorting 150,000 candidates for top-p costs more than the rest of the sampling; those
after the 40th do not matter below it. Source: llama.cpp's default."""

_SPIN_COUNT = "4000"
"""How long OpenMP's threads wait actively: long enough to meet at the barriers inside a
token, and gone when the voice wants the core. Measured on two quiet cores with the starter
model: 41 tokens a second and no processor time after a token; OpenMP's own 300,000 spin on
for 8 ms after each, and cost most of the speed when another program computes; with 1,000 it
is 34 to 39 tokens a second, with none 20."""

_ERROR_LEVEL = 4
"""GGML_LOG_LEVEL_ERROR. Source: enum ggml_log_level."""

_OFFLOADED = re.compile(r"offloaded (\d+)/(\d+) layers to GPU")
_USING_DEVICE = re.compile(r"using device ([A-Za-z]+)(\d*)")
_DEVICE_NAMES = {"mtl": "metal"}
"""What llama.cpp calls them, and what everybody else does."""


class NativeModel:
    """A loaded GGUF. One thread at a time.

    Args:
        path: the GGUF.
        context_tokens: wanted; what the model was trained on is the upper limit.
        n_threads: for prompts and answers.
        gpu_layers: layers on the GPU; `ALL_LAYERS` or more than there are: all.
        batch_tokens: the most that `decode` is given at once.
    Raises:
        ModelError: llama.cpp cannot load the file.
        EngineError: the context cannot be made.
    """

    def __init__(
        self, path: Path, *, context_tokens: int, n_threads: int, gpu_layers: int, batch_tokens: int
    ) -> None:
        self._model: Any = None
        self._context: Any = None
        self._api = api = _library()
        with _collected_log() as log:
            options = api.llama_model_default_params()
            options.n_gpu_layers = gpu_layers
            self._model = api.llama_model_load_from_file(os.fsencode(path), options)
        if not self._model:
            raise _not_loaded(path, log)
        try:
            self._vocab = api.llama_model_get_vocab(self._model)
            self._check_kind(path)
            with _collected_log() as context_log:
                self._context = self._new_context(context_tokens, n_threads, batch_tokens)
            if not self._context:
                raise _no_context(context_log)
            self._memory = api.llama_get_memory(self._context)
        except BaseException:
            self.close()
            raise
        self.device, self.offloaded = _placement(log)
        self._n_vocab = int(api.llama_vocab_n_tokens(self._vocab))
        self._silent = (ctypes.c_int8 * batch_tokens)()  # zeros: no logits wanted
        self._piece = ctypes.create_string_buffer(256)

    # ------------------------------------------------------------- what it is

    @property
    def context_tokens(self) -> int:
        """How many tokens fit into the memory."""
        return int(self._api.llama_n_ctx(self._context))

    @property
    def chat_template(self) -> str:
        """The Jinja source in the GGUF, or nothing."""
        template: bytes | None = self._api.llama_model_chat_template(self._model, None)
        return template.decode("utf-8", "replace") if template else ""

    @property
    def bos_token(self) -> int | None:
        """The token that every prompt begins with, if this model wants one."""
        if not self._api.llama_vocab_get_add_bos(self._vocab):
            return None
        return int(self._api.llama_vocab_bos(self._vocab))

    def describe(self) -> dict[str, str]:
        """Kind of model, and what llama.cpp says of itself and this processor."""
        text = ctypes.create_string_buffer(256)
        self._api.llama_model_desc(self._model, text, len(text))
        return {
            "architecture": text.value.decode("utf-8", "replace"),
            "llama-cpp-python": self._api.__version__,
            "system": self._api.llama_print_system_info().decode("utf-8", "replace").strip(" |"),
        }

    def special_text(self, which: str) -> str:
        """The text of a special token.

        Args:
            which: "bos" or "eos".
        """
        token = getattr(self._api, f"llama_vocab_{which}")(self._vocab)
        return self._token_text(token) if token >= 0 else ""

    def control_texts(self) -> list[str]:
        """The texts of all tokens that text must not turn into."""
        return [self._token_text(t) for t in range(self._n_vocab) if self.is_control(t)]

    def is_control(self, token: int) -> bool:
        """Whether a token steers instead of saying something."""
        hidden = self._api.LLAMA_TOKEN_ATTR_CONTROL | self._api.LLAMA_TOKEN_ATTR_UNKNOWN
        return bool(self._api.llama_vocab_get_attr(self._vocab, token) & hidden)

    def is_end(self, token: int) -> bool:
        """Whether a token ends an answer (end of text, of turn, of message)."""
        return bool(self._api.llama_vocab_is_eog(self._vocab, token))

    def _token_text(self, token: int) -> str:
        text: bytes | None = self._api.llama_vocab_get_text(self._vocab, token)
        return text.decode("utf-8", "replace") if text else ""

    # ------------------------------------------------------------------- text

    def tokenize(self, text: str) -> list[int]:
        """Text to tokens; the texts of control tokens become these tokens."""
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        tokens = (self._api.llama_token * size)()
        n_tokens = self._api.llama_tokenize(self._vocab, data, len(data), tokens, size, False, True)
        if n_tokens < 0:
            raise EngineError("The language model could not read the text.")
        return list(tokens[:n_tokens])

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for; none for control tokens."""
        while True:
            buffer = self._piece
            n_bytes = self._api.llama_token_to_piece(
                self._vocab, token, buffer, len(buffer), 0, False
            )
            if n_bytes >= 0:
                return buffer.raw[:n_bytes]
            self._piece = ctypes.create_string_buffer(-n_bytes)

    # ------------------------------------------------------------------ memory

    def decode(self, tokens: Sequence[int], *, needs_logits: bool) -> None:
        """Append tokens to the memory. Raises EngineError."""
        array = (self._api.llama_token * len(tokens))(*tokens)
        batch = self._api.llama_batch_get_one(array, len(tokens))
        if not needs_logits:
            batch.logits = self._silent
        code = self._api.llama_decode(self._context, batch)
        if code != 0:
            raise EngineError(
                "The language model failed while computing.",
                recovery="Try again; if it happens again, choose a smaller model or context.",
                detail=f"llama_decode returned {code}",
            )

    def keep(self, n_tokens: int) -> bool:
        """Remove all but the first tokens from the memory. False: it cannot be cut."""
        if not self._api.llama_memory_seq_rm(self._memory, 0, n_tokens, -1):
            return False
        return int(self._api.llama_memory_seq_pos_max(self._memory, 0)) == n_tokens - 1

    def clear(self) -> None:
        """Empty the memory."""
        self._api.llama_memory_clear(self._memory, False)

    # ---------------------------------------------------------------- sampling

    @contextmanager
    def sampler(self, options: GenerationOptions, begun: Sequence[int]) -> Iterator[Sampler]:
        """A sampler for one answer.

        Args:
            begun: tokens of the answer that are there already, which count as repeated.
        """
        api = self._api
        chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
        try:
            for link in self._links(options):
                api.llama_sampler_chain_add(chain, link)
            for token in begun:
                api.llama_sampler_accept(chain, token)
            yield Sampler(api, chain, self._context)
        finally:
            api.llama_sampler_free(chain)

    def _links(self, options: GenerationOptions) -> Iterator[Any]:
        api = self._api
        if options.repeat_penalty != 1.0:
            yield api.llama_sampler_init_penalties(
                self._n_vocab, _PENALTY_LAST_TOKENS, options.repeat_penalty, 0.0, 0.0
            )
        if options.temperature <= 0.0:
            yield api.llama_sampler_init_greedy()
            return
        yield api.llama_sampler_init_top_k(_TOP_K)
        if options.top_p < 1.0:
            yield api.llama_sampler_init_top_p(options.top_p, 1)
        yield api.llama_sampler_init_temp(options.temperature)
        seed = api.LLAMA_DEFAULT_SEED if options.seed is None else options.seed
        yield api.llama_sampler_init_dist(seed & 0xFFFFFFFF)

    # ------------------------------------------------------------------- life

    def close(self) -> None:
        """Free everything. Idempotent."""
        if self._context:
            self._api.llama_free(self._context)
            self._context = None
        if self._model:
            self._api.llama_model_free(self._model)
            self._model = None

    def _new_context(self, context_tokens: int, n_threads: int, batch_tokens: int) -> Any:
        api = self._api
        trained_tokens = int(api.llama_model_n_ctx_train(self._model)) or context_tokens
        options = api.llama_context_default_params()
        options.n_ctx = min(context_tokens, trained_tokens)
        options.n_batch = options.n_ubatch = batch_tokens
        options.n_outputs_max = 1  # logits of one token at a time: saves memory
        options.n_threads = options.n_threads_batch = n_threads
        options.no_perf = True
        return api.llama_init_from_model(self._model, options)

    def _check_kind(self, path: Path) -> None:
        """Embedding models, encoders and the like load as well, but cannot chat."""
        api = self._api
        if (
            api.llama_model_has_encoder(self._model)
            or not api.llama_model_has_decoder(self._model)
            or api.llama_model_is_diffusion(self._model)
            or not api.llama_vocab_n_tokens(self._vocab)
        ):
            raise _not_for_chat(path)


class Sampler:
    """Chooses the next token from the logits of the last one."""

    def __init__(self, api: ModuleType, chain: Any, context: Any) -> None:
        self._api = api
        self._chain = chain
        self._context = context

    def sample(self) -> int:
        """Choose, and remember what was chosen."""
        return int(self._api.llama_sampler_sample(self._chain, self._context, -1))


def supports_gpu() -> bool:
    """Whether this build of llama.cpp can use a GPU, and there is one."""
    return bool(_library().llama_supports_gpu_offload())


# ------------------------------------------------------------------- the library

_log_lines: list[list[tuple[int, str]]] = []
"""Where the log goes while somebody collects it; llama.cpp has one log per process."""

_log_callback: Any = None
"""llama.cpp calls it until the process ends, so it must live as long."""


def _library() -> ModuleType:
    """llama_cpp, quiet and with waiting times that leave other engines their core."""
    global _log_callback
    # Read by the OpenMP runtime as it is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", _SPIN_COUNT)
    # An aborting ggml would otherwise start a debugger on this process.
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")
    import llama_cpp

    if _log_callback is None:
        _log_callback = llama_cpp.llama_log_callback(_on_log)
        llama_cpp.llama_log_set(_log_callback, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
    module: ModuleType = llama_cpp
    return module


def _on_log(level: int, text: bytes, _user_data: object) -> None:
    line = text.decode("utf-8", "replace").rstrip()
    if len(line) > 1:  # single dots show progress
        _logger.debug("%s", line)
        for lines in _log_lines:
            lines.append((level, line))


@contextmanager
def _collected_log() -> Iterator[list[tuple[int, str]]]:
    """What llama.cpp logs meanwhile, as (level, line): its only way to say what went wrong."""
    lines: list[tuple[int, str]] = []
    _log_lines.append(lines)
    try:
        yield lines
    finally:
        _log_lines.remove(lines)


def _placement(log: Sequence[tuple[int, str]]) -> tuple[str, str]:
    """The device that computes, and "layers on the GPU / layers", as llama.cpp reported it."""
    text = "\n".join(line for _, line in log)
    offloaded, device = _OFFLOADED.search(text), _USING_DEVICE.search(text)
    if not (offloaded and device and int(offloaded[1])):
        return "cpu", f"0/{offloaded[2]}" if offloaded else "0"
    name = _DEVICE_NAMES.get(device[1].lower(), device[1].lower())
    return f"{name}:{device[2]}" if device[2] else name, f"{offloaded[1]}/{offloaded[2]}"


def _errors(log: Sequence[tuple[int, str]]) -> str:
    return "; ".join(line for level, line in log if level == _ERROR_LEVEL)


def _not_loaded(path: Path, log: Sequence[tuple[int, str]]) -> ModelError:
    why = _errors(log)
    if "unknown model architecture" in why:
        return ModelError(
            f"This version of llama.cpp does not know the kind of model in {path.name}.",
            recovery="Choose another language model: `samantha models list` shows them.",
            detail=why,
            is_fatal=True,
        )
    if "cannot be used as main model" in why:
        return _not_for_chat(path, why)
    if "unable to allocate" in why or "failed to allocate" in why:
        return ModelError(
            f"There is not enough memory for {path.name}.",
            recovery="Close other programs, or choose a smaller language model.",
            detail=why,
        )
    return ModelError(
        f"The language model {path.name} is damaged or incomplete.",
        recovery="Run `samantha models verify`, then install it again.",
        detail=why,
        is_fatal=True,
    )


def _not_for_chat(path: Path, why: str = "") -> ModelError:
    return ModelError(
        f"{path.name} is not a model that can hold a conversation.",
        recovery="Choose a chat model: `samantha models list` shows them.",
        detail=why,
        is_fatal=True,
    )


def _no_context(log: Sequence[tuple[int, str]]) -> EngineError:
    return EngineError(
        "The language model has no room for its context.",
        recovery="Set a smaller context_tokens in the settings, or close other programs.",
        detail=_errors(log),
    )
