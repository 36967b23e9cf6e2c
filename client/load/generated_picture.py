"""A picture with the statistics of a photograph, made from a seed.

A flat or random picture would compress, decode and travel unlike a photograph. The spectrum of
natural pictures falls with about 1/f in amplitude (Field, "Relations between the statistics of
natural images and the response properties of cortical cells", 1987), so this is noise of that
spectrum, with the channels alike but not the same.
"""

from __future__ import annotations

import io

QUALITY = 85
FALL = 1.4
"""Exponent of the fall of amplitude with frequency; lenses blur, so more than 1."""


def generated_picture(width: int = 500, height: int = 375, seed: int = 7) -> bytes:
    """A JPEG, ``width`` by ``height`` pixels, the same for the same arguments."""
    import numpy as np
    from PIL import Image

    generator = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    amplitude = np.maximum(frequency, 1.0 / max(width, height)) ** -FALL
    planes = [
        np.fft.irfft2(
            amplitude * np.fft.rfft2(generator.standard_normal((height, width))), (height, width)
        )
        for _ in range(3)
    ]
    brightness, *tints = (plane / plane.std() for plane in planes)
    channels = np.stack(
        [brightness + 0.3 * tints[0], brightness, brightness + 0.3 * tints[1]], axis=-1
    )
    pixels = np.clip(118 + 52 * channels, 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
