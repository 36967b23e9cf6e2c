"""FAQ matching: which known question does a posted one repeat?"""

import os

# ONNX Runtime, which a model with a sentence encoder needs, would report to its vendor: see
# services/resnet/__init__.py.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
