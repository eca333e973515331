"""Samantha Desktop: a voice companion that lives on its user's own computer."""

import os

__version__ = "0.1.0"

# Nothing leaves this machine. ONNX Runtime and the model hub's client report their use
# to their makers unless they are told not to before they are loaded, in every process.
# Source: the names of these variables, in the libraries themselves (onnxruntime 1.32).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
