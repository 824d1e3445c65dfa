"""A poster's parts: its style sheet for paper, and the two codes that a phone's camera reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from portal.staff.qr import qr_svg

POSTER_STYLE = (Path(__file__).parents[1] / "static" / "poster.css").read_text()


@dataclass(frozen=True, slots=True)
class Codes:
    """QR codes as SVG; `wifi` is empty where the network's name is not known."""

    wifi: str
    portal: str


def poster_codes(ssid: str, url: str) -> Codes:
    return Codes(qr_svg(wifi_text(ssid)) if ssid else "", qr_svg(url))


def wifi_text(ssid: str) -> str:
    """What a camera joins an open network by (ZXing, "Barcode contents", Wi-Fi network config)."""
    escaped = re.sub(r'[\\;,":]', r"\\\g<0>", ssid)
    return f"WIFI:T:nopass;S:{escaped};;"
