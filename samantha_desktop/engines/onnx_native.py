"""What ONNX Runtime asks of every engine that uses it: where to run, and what it raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samantha_desktop.core.errors import EngineError

if TYPE_CHECKING:
    import onnxruntime

_CUDA = "CUDAExecutionProvider"


def providers(device: str, plain_name: str) -> list[str]:
    """The providers for a wish: "auto" (the GPU where there is one), "cpu" or "cuda".

    Args:
        device: the wish.
        plain_name: of the engine, for the error.

    Raises:
        EngineError: a GPU is wished for that this installation cannot use.
    """
    import onnxruntime

    available = onnxruntime.get_available_providers()
    if device == "cuda" and _CUDA not in available:
        raise EngineError(
            f"The {plain_name} is set to run on the GPU, but this installation cannot.",
            recovery="Install onnxruntime-gpu, or set its device to auto.",
            detail=f"providers: {', '.join(available)}",
        )
    cuda = [_CUDA] if _CUDA in available and device != "cpu" else []
    return [*cuda, "CPUExecutionProvider"]


def device_of(session: onnxruntime.InferenceSession) -> str:
    """Where a session really runs: a listed provider that does not start falls back."""
    return "cuda:0" if session.get_providers()[0] == _CUDA else "cpu"


def native_errors() -> tuple[type[Exception], ...]:
    """Onnxruntime's errors, which have no common base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as native

    return tuple(
        value
        for value in vars(native).values()
        if isinstance(value, type) and issubclass(value, Exception)
    )
