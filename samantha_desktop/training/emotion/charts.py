"""Charts as SVG that stands in an HTML page by itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT, _MARGIN = 460, 260, 46
# Told apart by colour-blind eyes. Source: Okabe, Ito 2008, Color Universal Design.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")

Points = Sequence[tuple[float, float]]


def lines(
    title: str, x_label: str, series: Mapping[str, Points], *, is_diagonal: bool = False
) -> str:
    """One line for each series, with dots, axes and a legend.

    Args:
        title: above it, and what a screen reader says.
        x_label: below it.
        series: name to points.
        is_diagonal: draw x = y over the unit square, for what should lie on it.
    """
    points = [point for line in series.values() for point in line]
    if not points:
        return f"<p>{escape(title)}: nothing to draw.</p>"
    xs, ys = zip(*points, strict=True)
    x_low, x_high = (0.0, 1.0) if is_diagonal else _range(xs)
    y_low, y_high = (0.0, 1.0) if is_diagonal else _range(ys)

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            _MARGIN + (x - x_low) / (x_high - x_low) * (_WIDTH - 2 * _MARGIN),
            _HEIGHT - _MARGIN - (y - y_low) / (y_high - y_low) * (_HEIGHT - 2 * _MARGIN),
        )

    parts = [
        f'<path d="M{_MARGIN} {_MARGIN}V{_HEIGHT - _MARGIN}H{_WIDTH - _MARGIN}" class="axis"/>',
        _text(_WIDTH / 2, _HEIGHT - 10, x_label, "middle"),
        _text(_MARGIN, _HEIGHT - _MARGIN + 16, f"{x_low:.3g}", "middle"),
        _text(_WIDTH - _MARGIN, _HEIGHT - _MARGIN + 16, f"{x_high:.3g}", "middle"),
        _text(_MARGIN - 5, _HEIGHT - _MARGIN, f"{y_low:.3g}", "end"),
        _text(_MARGIN - 5, _MARGIN + 4, f"{y_high:.3g}", "end"),
    ]
    if is_diagonal:
        (x0, y0), (x1, y1) = place(0, 0), place(1, 1)
        parts.append(f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" class="ideal"/>')
    for number, (name, line) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        places = [place(x, y) for x, y in line]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        parts.append(
            f'<text x="{_WIDTH - _MARGIN}" y="{_MARGIN - 6 + 15 * number}" text-anchor="end" '
            f'fill="{colour}">{escape(name)}</text>'
        )
    return _svg(title, "".join(parts), _WIDTH, _HEIGHT)


def bars(title: str, values: Mapping[str, float]) -> str:
    """A bar from 0 to 1 for each name, the longest first."""
    ordered = sorted(values.items(), key=lambda item: -item[1])
    height = 34 + 18 * len(ordered)
    parts = []
    for number, (name, value) in enumerate(ordered):
        y = 30 + 18 * number
        parts.append(_text(118, y + 11, name, "end"))
        parts.append(
            f'<rect x="124" y="{y}" width="{280 * value:.1f}" height="13" fill="{_COLOURS[0]}"/>'
        )
        parts.append(_text(130 + 280 * value, y + 11, f"{value:.2f}", "start"))
    return _svg(title, "".join(parts), _WIDTH, height)


def grid(title: str, names: Sequence[str], counts: NDArray[np.integer]) -> str:
    """A table of counts as shades: rows truth, columns said, each row's share as the shade."""
    cell, left, top = 52, 80, 60
    parts = []
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for i, name in enumerate(names):
        parts.append(_text(left - 6, top + cell * i + 30, name, "end"))
        parts.append(_text(left + cell * i + 26, top - 8, name, "middle"))
        for j in range(len(names)):
            x, y = left + cell * j, top + cell * i
            ink = "#fff" if shares[i, j] > 0.5 else "#000"
            parts.append(
                f'<rect x="{x}" y="{y}" width="{cell - 2}" height="{cell - 2}" '
                f'fill="{_COLOURS[0]}" fill-opacity="{max(0.04, shares[i, j]):.2f}"/>'
                f'<text x="{x + 25}" y="{y + 30}" text-anchor="middle" style="fill:{ink}">'
                f"{int(counts[i, j])}</text>"
            )
    size = cell * len(names)
    return _svg(title, "".join(parts), left + size + 10, top + size + 10)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(title: str, content: str, width: float, height: float) -> str:
    return (
        f'<figure><svg viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-label="{escape(title, quote=True)}">{content}</svg>'
        f"<figcaption>{escape(title)}</figcaption></figure>"
    )
