"""A month as bars: inline SVG, drawn from the report's own figures. Hidden days have no bar."""

from __future__ import annotations

from hotspot.charts import round_up
from hotspot.reports import MonthReport

WIDTH, HEIGHT = 720, 220
LEFT, BOTTOM, TOP = 48, 28, 12


def month_svg(report: MonthReport) -> str:
    """One bar a day, as high as its device-days; the scale's top is the busiest day's round number."""
    top = int(round_up(max((day.device_days or 0 for day in report.days), default=0)))
    step = (WIDTH - LEFT) / report.month.last_day.day
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true">']
    parts += [_line(value, top) for value in (0, top // 2, top)]
    for index, day in enumerate(report.days):
        x = LEFT + index * step
        parts.append(_bar(x, step, day.device_days, top))
        if day.day.day == 1 or day.day.day % 5 == 0:
            parts.append(_text(x + step / 2, HEIGHT - 8, str(day.day.day)))
    return "".join([*parts, "</svg>"])


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="13" text-anchor="{anchor}">{text}</text>'


def _height(value: int, top: int) -> float:
    return (HEIGHT - BOTTOM - TOP) * value / top


def _line(value: int, top: int) -> str:
    y = HEIGHT - BOTTOM - _height(value, top)
    text = f'<text x="{LEFT - 8}" y="{y + 4:.1f}" font-size="13" text-anchor="end">{value}</text>'
    return (
        f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" stroke-opacity=".25"/>{text}'
    )


def _bar(x: float, step: float, value: int | None, top: int) -> str:
    if value is None:
        return _text(x + step / 2, HEIGHT - BOTTOM - 3, "·")
    height = _height(value, top)
    y = HEIGHT - BOTTOM - height
    return f'<rect class="bar" x="{x + 2:.1f}" y="{y:.1f}" width="{step - 4:.1f}" height="{height:.1f}"/>'
