"""A QR code as inline SVG (segno)."""

from __future__ import annotations

import io

import segno


def qr_svg(text: str) -> str:
    """Black on white with its quiet zone, sized by CSS; the text itself stands beside it for those who cannot scan."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, dark="#000", light="#fff", border=4
    )
    return out.getvalue().decode()
