"""Pages that refresh themselves where scripts run: what they need of the policy, and the script.

The script is one file of our own, allowed by its very address; docs/adr/0032 says why, and why residents have none.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response

from portal.pages import origin
from portal.policy import Needs

SCRIPT = (Path(__file__).parents[1] / "static" / "live.js").read_text()
VERSION = hashlib.sha256(SCRIPT.encode()).hexdigest()[:12]
PATH = "/staff/live.js"
ADDRESS = f"{PATH}?v={VERSION}"
"""Changes with the script, so that a browser may keep it for as long as it likes."""

KEPT_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Live:
    """Where the script is, under the staff's own origin."""

    staff_url: str

    def mount(self, routes: Blueprint) -> None:
        """Add the script to the staff's routes."""
        routes.get(PATH)(self.live_script)

    def live_script(self) -> Response:
        response = Response(SCRIPT, mimetype="text/javascript")
        response.headers["Cache-Control"] = f"private, max-age={KEPT_SECONDS}, immutable"
        return response

    @property
    def needs(self) -> Needs:
        """This one script, which may ask this host alone."""
        return Needs(scripts=(f"{origin(self.staff_url)}{PATH}",), talks_to=("'self'",))
