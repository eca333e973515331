"""The composition root: the only place that builds objects and wires them together."""

from __future__ import annotations

import queue
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psutil

from samantha_desktop.core import messages as m
from samantha_desktop.core.conversation import Conversation, ConversationOptions
from samantha_desktop.core.errors import ModelError, SettingsError
from samantha_desktop.core.ports import AudioSink, AudioSource, EngineInfo, GenerationOptions
from samantha_desktop.core.prompt import Persona, parse_persona
from samantha_desktop.core.settings import Settings
from samantha_desktop.engines.emotion.onnx_classifier import OnnxEmotionClassifierSettings
from samantha_desktop.engines.llm.llama_cpp import LlamaCppSettings
from samantha_desktop.engines.process import EngineProcess
from samantha_desktop.engines.registry import find_engine
from samantha_desktop.engines.remote import (
    RemoteEmotionClassifier,
    RemoteEngine,
    RemoteLanguageModel,
    RemoteSpeechToText,
    RemoteTextToSpeech,
    RemoteVoiceActivityDetector,
)
from samantha_desktop.engines.stt.faster_whisper import FasterWhisperSettings
from samantha_desktop.engines.tts.kokoro import KokoroSettings
from samantha_desktop.engines.vad.silero import SileroSettings
from samantha_desktop.host import folders, settings_file
from samantha_desktop.models.gguf_file import read_gguf
from samantha_desktop.models.gpu_layers import gpu_layers_that_fit
from samantha_desktop.models.hardware import (
    count_usable_cores,
    detect_gpus,
    detect_hardware,
    recommended_threads,
)
from samantha_desktop.models.resolve import explain_load_failure, resolve
from samantha_desktop.pipeline.conductor import Conductor
from samantha_desktop.pipeline.listener import Listener
from samantha_desktop.pipeline.player import Player

VOICES_MODEL = "kokoro-voices"
"""The catalog entry with the voices' style vectors."""

ALL_ENGINES: tuple[m.EngineKind, ...] = ("stt", "llm", "tts", "vad")
"""What a spoken turn needs."""

OPTIONAL_ENGINES: tuple[m.EngineKind, ...] = ("emotion",)
"""What a turn can do without."""

FEW_CORES = 5
"""Up to so many, the language model and the voice take turns: side by side each of them
takes more than twice as long (docs/benchmarks.md)."""


@dataclass(frozen=True)
class Engines:
    """The engines of a session, each in a process of its own."""

    stt: RemoteSpeechToText
    llm: RemoteLanguageModel
    tts: RemoteTextToSpeech
    vad: RemoteVoiceActivityDetector
    emotion: RemoteEmotionClassifier
    kinds: tuple[m.EngineKind, ...]
    models: Mapping[m.EngineKind, str]

    def used(self) -> dict[m.EngineKind, RemoteEngine]:
        """Those that this session loads, by kind."""
        return {kind: getattr(self, kind) for kind in self.kinds}

    def load(self, on_loaded: Callable[[m.EngineKind, EngineInfo], None] | None = None) -> None:
        """Load all of them side by side.

        Args:
            on_loaded: told of each as it becomes ready, on the thread that loaded it.

        Raises:
            SamanthaError: the first that failed; the others are closed.
        """

        def load(kind: m.EngineKind, engine: RemoteEngine) -> None:
            try:
                engine.load()
            except ModelError as error:
                # A library says that it cannot read a file; the hashes say whose fault that is.
                raise explain_load_failure(self.models.get(kind, "")) or error from error
            if on_loaded is not None:
                on_loaded(kind, engine.info())

        engines = self.used()
        with ThreadPoolExecutor(len(engines), thread_name_prefix="load") as pool:
            loads = [pool.submit(load, *item) for item in engines.items()]
            try:
                for done in as_completed(loads):
                    done.result()
            except BaseException:
                self.close()  # ends the loads that are still under way
                raise

    def infos(self) -> dict[str, EngineInfo]:
        """What each says of itself, by kind."""
        return {kind: engine.info() for kind, engine in self.used().items()}

    def resident_bytes(self) -> int:
        """Physical memory of this process and all engine processes together."""
        own = int(psutil.Process().memory_info().rss)
        return own + sum(engine.process.resident_bytes() for engine in self.used().values())

    def close(self) -> None:
        """End the processes. Idempotent."""
        for engine in self.used().values():
            engine.close()

    def __enter__(self) -> Engines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def load_settings() -> Settings:
    """The settings of this person; what is wrong in the file is logged and left out."""
    return settings_file.load().settings


def build_engines(settings: Settings, kinds: Collection[m.EngineKind] = ALL_ENGINES) -> Engines:
    """Make the engines without loading them.

    Args:
        settings: which models, and how.
        kinds: those that will be loaded; the models of the others need not be installed.

    Raises:
        ModelError: a model is not installed or not usable.
    """

    def process(kind: m.EngineKind) -> EngineProcess:
        name, engine_settings = _ENGINE_SETTINGS[kind]
        return EngineProcess(
            find_engine(kind, name),
            engine_settings(settings) if kind in kinds else None,
            environment=_PROCESS_ENVIRONMENT,
            log_path=folders.logs_dir() / f"{kind}.log",
        )

    return Engines(
        stt=RemoteSpeechToText(process("stt")),
        llm=RemoteLanguageModel(process("llm")),
        tts=RemoteTextToSpeech(process("tts")),
        vad=RemoteVoiceActivityDetector(process("vad")),
        emotion=RemoteEmotionClassifier(process("emotion")),
        kinds=tuple(kind for kind in (*ALL_ENGINES, *OPTIONAL_ENGINES) if kind in kinds),
        models={
            "stt": settings.speech.model,
            "llm": settings.language_model.model,
            "tts": settings.voice.model,
        },
    )


def emotion_model_dir() -> Path:
    """Where the emotion reader's files lie."""
    return folders.assets_dir() / "models" / "emotion"


def load_persona(name: str) -> Persona:
    """A persona by name (the person's own before the shipped ones) or by path.

    Raises:
        SettingsError: there is none.
    """
    own, shipped = folders.config_dir() / "personas", folders.assets_dir() / "personas"
    candidates = [own / f"{name}.md", shipped / f"{name}.md", Path(name)]
    for path in candidates:
        if path.is_file():
            return parse_persona(path.read_text(encoding="utf-8"))
    names = sorted({path.stem for folder in (own, shipped) for path in folder.glob("*.md")})
    raise SettingsError(
        f"There is no persona called {name!r}.", recovery=f"Use one of: {', '.join(names)}."
    )


def generation_options(settings: Settings) -> GenerationOptions:
    """How answers are sampled."""
    model = settings.language_model
    return GenerationOptions(
        max_tokens=model.max_answer_tokens,
        temperature=model.temperature,
        seed=None if model.seed < 0 else model.seed,
    )


class Session:
    """A conversation that runs: a context manager. Events in, notices out.

    Args:
        settings: what she is made of.
        engines: loaded already, and closed by whoever loaded them.
        sink: the speaker.
        source: the microphone; None: typed text and recordings only.
    """

    def __init__(
        self,
        settings: Settings,
        engines: Engines,
        *,
        sink: AudioSink,
        source: AudioSource | None = None,
    ) -> None:
        self.settings = settings
        self.engines = engines
        self._notices: queue.SimpleQueue[m.Notice] = queue.SimpleQueue()
        options = ConversationOptions(
            generation=generation_options(settings),
            is_exclusive=count_usable_cores() <= FEW_CORES,
            is_speculative=settings.conversation.is_speculative,
        )
        self._conductor = Conductor(
            Conversation(load_persona(settings.conversation.persona), options),
            stt=engines.stt,
            llm=engines.llm,
            tts=engines.tts,
            voice=settings.voice.voice,
            voice_speed=settings.voice.speed,
            language=settings.speech.language or None,
            history_tokens=settings.conversation.history_tokens,
        )
        self._conductor.observe(self._notices.put)
        self._player = Player(sink, self._conductor.post)
        self._listener = Listener(source, engines.vad, self._conductor.post) if source else None

    def __enter__(self) -> Session:
        try:
            if self._listener is not None:
                self._listener.start()
            self._player.start()
            self._conductor.start(self._player, self._listener)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def post(self, event: m.Event) -> None:
        """Something happened: a key, a text, a recording."""
        self._conductor.post(event)

    def next_notice(self, timeout_s: float | None = None) -> m.Notice:
        """Wait for what there is to show.

        Raises:
            queue.Empty: nothing came in time.
        """
        return self._notices.get(timeout=timeout_s)

    def _stop(self) -> None:
        """Input, then processing, then output; nothing is left running."""
        if self._listener is not None:
            self._listener.close()
        self._conductor.close()
        self._player.close()


# ------------------------------------------------------------- engine settings

_PROCESS_ENVIRONMENT: Mapping[str, str] = {
    "TOKENIZERS_PARALLELISM": "false",
    # numpy's threads would spin beside the engine's own, which the settings count: with them,
    # encoding 5 s of speech takes 67 ms instead of 44.
    "OPENBLAS_NUM_THREADS": "1",
}


def _threads(chosen: int) -> int:
    return chosen or recommended_threads(detect_hardware())


def _stt_settings(settings: Settings) -> FasterWhisperSettings:
    speech = settings.speech
    return FasterWhisperSettings(
        model_dir=resolve(speech.model, "stt").path,
        device=speech.device,
        n_threads=_threads(speech.n_threads),
        window=speech.window,
    )


def _llm_settings(settings: Settings) -> LlamaCppSettings:
    model = settings.language_model
    path = resolve(model.model, "llm").path
    return LlamaCppSettings(
        model_path=path,
        context_tokens=model.context_tokens,
        n_threads=_threads(model.n_threads),
        gpu_layers=_gpu_layers(path, model.gpu_layers, model.context_tokens),
    )


def _gpu_layers(path: Path, chosen: int, context_tokens: int) -> int:
    """As chosen; else as many as fit on the card; without an NVIDIA card the engine decides."""
    gpus = detect_gpus() if chosen < 0 else ()
    if not gpus:
        return chosen
    roomiest = max(gpus, key=lambda gpu: gpu.free_bytes)
    return gpu_layers_that_fit(read_gguf(path), roomiest.free_bytes, context_tokens)


def _tts_settings(settings: Settings) -> KokoroSettings:
    voice = settings.voice
    return KokoroSettings(
        model_path=resolve(voice.model, "tts").path,
        voices_dir=resolve(VOICES_MODEL, "voices").path,
        device=voice.device,
        n_threads=_threads(voice.n_threads),
    )


def _vad_settings(settings: Settings) -> SileroSettings:
    return SileroSettings()


def _emotion_settings(settings: Settings) -> OnnxEmotionClassifierSettings:
    return OnnxEmotionClassifierSettings(model_dir=emotion_model_dir())


_ENGINE_SETTINGS: Mapping[m.EngineKind, tuple[str, Callable[[Settings], object]]] = {
    "stt": ("faster-whisper", _stt_settings),
    "llm": ("llama-cpp", _llm_settings),
    "tts": ("kokoro", _tts_settings),
    "vad": ("silero", _vad_settings),
    "emotion": ("onnxruntime", _emotion_settings),
}
