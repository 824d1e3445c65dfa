"""The portal process: gunicorn with one worker and threads. More capacity is more processes behind the proxy.

SIGTERM ends it after what it has begun; SIGHUP takes in changed files without dropping a request.

Cities are opened in the worker, after the fork: neither database connections nor threads survive one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from config.load import load_installation
from config.model import Installation
from hotspot.errors import ConfigError
from portal import redirects
from portal.access_log import logged
from portal.app import create_app
from portal.dispatch import Dispatcher, WsgiApp
from portal.gate import Gate, share
from portal.metrics import RedirectMetrics
from portal.pulse import Pulse, watch
from portal.redirects import Redirection
from portal.start_page import create_start_page
from service import exposition, logs, targets
from service.cities import City, Opened, open_cities
from service.processes import FAILED

log = logging.getLogger("portal")

REQUEST_LINE_MAX = 8_190
GRACEFUL_SECONDS = 10
BACKLOG = 512


def run(path: Path, only: Sequence[str] = ()) -> int:
    """Serve the installation's cities, or those in `only`, until SIGTERM. Returns the exit status."""
    logs.configure("info", "text")
    try:
        opened = look(path, only)
        if not opened.cities:
            log.error("portal: no city could be started")
            return FAILED
        server = Server(opened.installation, path, only)
    except ConfigError as error:
        log.error("%s", error)
        return FAILED
    master = os.getpid()
    try:
        server.run()
    except SystemExit as ended:
        if os.getpid() != master:  # a worker, forked in there: gunicorn reads its status
            raise
        return 0 if ended.code in (None, 0) else FAILED  # gunicorn's 1, 3 and 4: the reason stands in the log
    return 0


def look(path: Path, only: Sequence[str]) -> Opened:
    """What a worker would find; it opens its own, after the fork. ConfigError where nothing can be read."""
    logging_wanted = load_installation(path).installation.log
    logs.configure(logging_wanted.level, logging_wanted.format)
    opened = open_cities(path, only)
    for city in opened.cities:
        city.store.close()
    return opened


class Master(Arbiter):  # type: ignore[misc]
    """gunicorn's parent process. On SIGHUP a new worker takes over with the files as they are now.

    Requests wait in the listener's queue until it is ready, and the old worker finishes what it has begun.
    """

    def handle_hup(self) -> None:
        if self.app.renew():
            super().handle_hup()
        else:
            log.error("portal: not reloaded; the old configuration goes on")


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings; it reads no configuration file and no environment."""

    def __init__(self, installation: Installation, path: Path, only: Sequence[str]) -> None:
        self._installation = installation
        self._path = path
        self._only = only
        self._metrics = exposition.bind(installation.portal.metrics_listen)  # here: two workers share it for a moment
        super().__init__()

    def run(self) -> None:
        Master(self).run()

    def renew(self) -> bool:
        """Look at the files anew; False, with the reason in the log, where they are not fit to go on with."""
        try:
            opened = look(self._path, self._only)
        except ConfigError as error:
            log.error("%s", error)
            return False
        old, new = self._installation.portal, opened.installation.portal
        moved = (old.listen, old.metrics_listen) != (new.listen, new.metrics_listen)
        if moved:
            log.error("portal: a changed portal.listen or portal.metrics_listen needs a restart")
        if opened.problems or moved:
            return False
        self._installation = opened.installation
        return True

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": self._installation.portal.listen,
            "workers": 1,
            "worker_class": "gthread",
            "threads": self._installation.portal.threads,
            "graceful_timeout": GRACEFUL_SECONDS,
            "keepalive": 5,
            "backlog": BACKLOG,
            "limit_request_line": REQUEST_LINE_MAX,
            "limit_request_fields": 60,
            "proc_name": "kogge-portal",
            "loglevel": "warning",
            "control_socket_disable": True,
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,
        }
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> WsgiApp:
        try:
            opened = open_cities(self._path, self._only)
        except ConfigError as error:
            log.error("%s", error)
            raise SystemExit(Arbiter.WORKER_BOOT_ERROR) from None  # with any other status gunicorn tries for ever
        exposition.serve_on(self._metrics, opened.cities, listens=targets.listens(opened.installation))
        pulses = [Pulse(city) for city in opened.cities]
        watch(pulses)
        redirects.serve([each for city in opened.cities if (each := _redirection(city)) is not None])
        log.info("portal: ready: %s", ", ".join(city.key for city in opened.cities))
        settings = opened.installation
        return build(
            opened.cities,
            settings.portal.start_page_host,
            threads=settings.portal.threads,
            access_log=settings.log.access,
            pulses=pulses,
        )


def _redirection(city: City) -> Redirection | None:
    """The city's redirect listener, if it has one."""
    settings = city.config.portal
    if not settings.redirect_listen:
        return None
    return Redirection(settings.redirect_listen, f"{settings.url}/", RedirectMetrics(city.registry).redirected)


def build(
    cities: Sequence[City],
    start_page_host: str,
    *,
    threads: int = 8,
    access_log: bool = False,
    pulses: Sequence[Pulse] = (),
) -> Dispatcher:
    """The WSGI application of these cities: one app each, behind its own hosts and its own gate."""
    beats = {pulse.key: pulse for pulse in pulses}
    apps: dict[str, WsgiApp] = {}
    for city in cities:
        pulse = beats.get(city.key) or Pulse(city)
        gate = partial(Gate, places=share(threads, len(cities)), is_away=pulse.is_away)
        app: WsgiApp = create_app(city, clock=lambda: datetime.now(UTC), random_octets=os.urandom, guarded=gate)
        for host in (city.config.portal.host, city.config.portal.staff_host):
            apps[host] = logged(app, city.key) if access_log else app
    if start_page_host:
        apps[start_page_host] = create_start_page(cities)
    return Dispatcher(apps, lambda: {pulse.key: away for pulse in pulses if (away := pulse.away_seconds())})
