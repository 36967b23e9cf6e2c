"""Matplotlib figures as every benchmark draws and keeps them."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from client.written_file import write_file

INK = "#2b2f36"


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches, which needs no display."""
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    write_file(path, stream.getvalue())
