"""The field's standard protocols, made from a model's tensor signature.

The Open Inference Protocol (v2) with its binary-tensor, raw-body, classification and
model-configuration extensions, and KServe's v1. A model says once which tensors it takes and gives
(:class:`~services.serving.protocols.signature.TensorInterface`); all paths follow from that.
"""
