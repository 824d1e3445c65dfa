"""A real installation with the shipped Rostock, its listeners moved to free ports."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from bench.servers import free_ports
from config.load import load_installation
from ops.installation import initialise, lay_files
from service.cities import City, open_city

CITY = "rostock"


def make_city(folder: Path, portal_port: int) -> City:
    """Files, keys, database and seed; the city is open when this returns. Close its store."""
    lay_files(folder, say=lambda _: None)
    for file in (folder / "cities").glob("*.toml"):
        if file.stem != CITY:
            file.unlink()
    installation, city = folder / "kogge.toml", folder / "cities" / f"{CITY}.toml"
    metrics = iter(free_ports(3))
    text = re.sub(
        r'metrics_listen = "[^"]*"', lambda _: f'metrics_listen = "127.0.0.1:{next(metrics)}"', installation.read_text()
    )
    text = text.replace('level = "info"', 'level = "warning"')
    installation.write_text(text.replace("127.0.0.1:8080", f"127.0.0.1:{portal_port}"))
    auth_port, acct_port = free_ports(2)
    text = city.read_text().replace("localhost:8080", f"localhost:{portal_port}")
    city.write_text(text.replace("= 12812", f"= {auth_port}").replace("= 12813", f"= {acct_port}"))
    now = datetime.now(UTC)
    initialise(folder, [], now=now, say=lambda _: None)
    loaded = load_installation(folder)
    return open_city(loaded.installation, loaded.cities[0], now=now)
