"""What the libraries would tell their makers, they do not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LOADS_A_MODEL = """
import samantha_desktop
import pathlib, faster_whisper, onnxruntime
(model, *_) = pathlib.Path(faster_whisper.__file__).parent.glob("assets/*.onnx")
onnxruntime.InferenceSession(model)
print("loaded")
"""


def test_onnxruntime_begins_no_telemetry_session(tmp_path: Path) -> None:
    # A session of its telemetry begins with a file `.ses` among the temporary files.
    run = subprocess.run(
        [sys.executable, "-c", LOADS_A_MODEL],
        env={
            **{k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"},
            "TMPDIR": str(tmp_path),
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert run.stdout == "loaded\n"
    assert list(tmp_path.iterdir()) == []
