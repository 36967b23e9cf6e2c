"""What every scoring service shares: HTTP, keys, limits, batching, metrics, logs, drain.

A service is a :class:`~services.serving.model.Model` and a
:class:`~services.serving.settings.ServiceSettings`; everything else is here.
"""
