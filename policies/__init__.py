"""The policy pack: what a stack must be like, whoever wrote it.

The rules know the resources' types and properties, and nothing of `infra`: a mistake there cannot
hide itself here.
"""
