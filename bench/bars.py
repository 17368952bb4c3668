"""Bars as SVG: lengths and words carry the meaning, so that they read without colour, in light and in dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

ROW = 26  # px, as all below
LABELS = 360
BARS = 260
FIGURES = 180
PAD = 8
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #222; }
rect { fill: #8a94a6; }
line { stroke: #222; stroke-width: 1.5; stroke-dasharray: 4 3; }
@media (prefers-color-scheme: dark) { text { fill: #ddd; } rect { fill: #6b7688; } line { stroke: #ddd; } }
"""


@dataclass(frozen=True)
class Bar:
    """One row. `length` is in units of the chart; `figure` is what stands beside it."""

    label: str
    length: float
    figure: str


def svg(bars: Sequence[Bar], *, title: str, line: float | None = None, line_label: str = "") -> str:
    """A chart from zero, with a dashed line at `line` when there is one."""
    longest = max([bar.length for bar in bars] + ([line] if line is not None else [])) or 1.0
    top = PAD + (ROW if line is not None else 0)
    width, height = LABELS + BARS + FIGURES, top + ROW * len(bars) + PAD
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
    ]
    for at, bar in enumerate(bars):
        y = top + at * ROW
        long = bar.length / longest * BARS
        parts += [
            f'<text x="{LABELS - 10}" y="{y + 17}" text-anchor="end">{escape(bar.label)}</text>',
            f'<rect x="{LABELS}" y="{y + 5}" width="{max(long, 1):.1f}" height="{ROW - 10}" rx="2"/>',
            f'<text x="{LABELS + BARS + 14}" y="{y + 17}">{escape(bar.figure)}</text>',
        ]
    if line is not None:
        x = LABELS + line / longest * BARS
        parts += [
            f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{height - PAD}"/>',
            f'<text x="{x:.1f}" y="{PAD + 12}" text-anchor="middle">{escape(line_label)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
