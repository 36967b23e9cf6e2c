"""The picture classification service."""

import os

# The vendor's builds of ONNX Runtime for Linux report their use to the vendor and keep an identifier
# of the machine in a file, unless they are told not to before they are first imported:
# https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
