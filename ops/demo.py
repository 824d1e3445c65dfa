"""`kogge demo`: a real installation in a state folder, the services of `kogge run`, a simulated town around it."""

from __future__ import annotations

import http.client
import logging
import os
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from config.load import FILE_NAME, load_installation
from config.model import Installation
from hotspot.errors import ConfigError
from hotspot.roles import Role
from ops import ports
from ops.installation import initialise, lay_files
from ops.supervisor import Child, kogge, supervise
from ops.town import write_town
from portal.staff.login import hash_password
from service.cities import City, open_cities
from store import staff

log = logging.getLogger(__name__)

START_PAGE_HOST = "localhost"
PASSWORDS = "passwords.txt"
TOWN = "TOWN.json"
READY_SECONDS = 60.0
"""How long the services may take to answer for the first time."""


@dataclass(frozen=True, slots=True)
class Account:
    """A demo member with the password in the clear, for the table and the 0600 file."""

    city: str
    login: str
    role: Role
    password: str


def run(state: Path, *, fresh: bool, stopping: threading.Event, console: Console) -> int:
    """Prepare, start, print the table, stay until `stopping`. Returns the exit status."""
    if fresh:
        _remove(state)
    console.print(f"Preparing the demo in {state} …")
    lay_files(state, say=lambda _: None, overwrite=True)
    file = state / FILE_NAME
    file.write_text(file.read_text().replace('start_page_host = ""', f'start_page_host = "{START_PAGE_HOST}"'))
    loaded = load_installation(state)
    configs = loaded.cities
    busy = ports.taken([*ports.needed_by_services(loaded.installation, configs), *ports.needed_by_town(configs)])
    if busy:
        raise ConfigError(
            "these ports are taken; end what uses them and start again:\n  " + "\n  ".join(map(str, busy))
        )
    initialise(state, (), now=datetime.now(UTC), say=lambda _: None)
    accounts = _prepare_cities(state)
    children = _children(state)
    return supervise(
        children, stopping, started=lambda: _present(state, loaded.installation, accounts, console, stopping)
    )


def _remove(state: Path) -> None:
    """Only what is a demo's: a folder with another content is somebody's."""
    if state.exists() and not (state / TOWN).exists() and any(state.iterdir()):
        raise ConfigError(f"{state}: this is not a demo's folder; it is left as it is")
    shutil.rmtree(state, ignore_errors=True)


def _prepare_cities(state: Path) -> list[Account]:
    opened = open_cities(state)
    try:
        accounts = [account for city in opened.cities for account in _accounts(city)]
        write_town(state / TOWN, opened.cities)
    finally:
        for city in opened.cities:
            city.store.close()
    if accounts:
        _keep(state / PASSWORDS, accounts)
    return accounts


def _accounts(city: City) -> list[Account]:
    """One member a role, with a random password; none where they exist already."""
    made: list[Account] = []
    for role in Role:
        login = "admin" if role is Role.ADMIN else role.value
        account = Account(city.key, login, role, secrets.token_urlsafe(12))
        hashed = hash_password(account.password)
        with city.store.write() as conn:
            member = staff.by_login(conn, login)
            if member is not None and member.password_hash is not None:
                continue
            now = datetime.now(UTC)
            staff_id = member.id if member else staff.add(conn, login=login, name=role.value, role=role, now=now)
            staff.set_password(conn, staff_id, hashed)
        made.append(account)
    return made


def _keep(path: Path, accounts: Sequence[Account]) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{each.city}\t{each.login}\t{each.password}\n" for each in accounts)


def _children(state: Path) -> list[Child]:
    logs = state / "log"
    logs.mkdir(exist_ok=True)
    services = [Child(name, kogge(name, str(state)), logs / f"{name}.log") for name in ("radius", "portal", "monitor")]
    town = [sys.executable, "-m", "simulator", str(state / TOWN)]
    return [*services, Child("simulator", town, logs / "simulator.log")]


def _present(
    state: Path, installation: Installation, accounts: Sequence[Account], console: Console, stopping: threading.Event
) -> None:
    console.print("Starting RADIUS, portal, monitor and the simulated town …")
    if not _answers(installation.portal.listen, stopping):
        return
    console.print(_table(state, installation))
    if accounts:
        console.print(_password_table(accounts))
        console.print(f"These passwords are shown once; they are kept in {state / PASSWORDS} (0600).")
    else:
        console.print(f"User names and passwords: {state / PASSWORDS}")
    port = installation.portal.listen.rpartition(":")[2]
    console.print(
        f"Start page: [bold]http://{START_PAGE_HOST}:{port}/[/bold]   Logs: {state / 'log'}   Ctrl-C ends it all."
    )


def _answers(listen: str, stopping: threading.Event) -> bool:
    host, _, port = listen.rpartition(":")
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and not stopping.is_set():
        connection = http.client.HTTPConnection(host, int(port), timeout=2)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return True
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()
    if not stopping.is_set():
        log.error("the portal does not answer on %s; its log says why", listen)
    return False


def _table(state: Path, installation: Installation) -> Table:
    table = Table(title="Four cities online", title_justify="left")
    for name in ("City", "Portal", "Staff", "RADIUS", "Metrics token"):
        table.add_column(name, overflow="fold")
    for city in load_installation(state).cities:
        table.add_row(
            city.key,
            city.portal.url,
            f"{city.portal.staff_url}/staff",
            f"{city.radius.listen}:{city.radius.auth_port}/{city.radius.acct_port}",
            f"kogge metrics-token {city.key} --dir {state}",
        )
    metrics = (
        installation.portal.metrics_listen,
        installation.radius.metrics_listen,
        installation.monitor.metrics_listen,
    )
    table.caption = "Metrics: " + "  ".join(f"http://{listen}/cities/<city>/metrics" for listen in metrics)
    return table


def _password_table(accounts: Sequence[Account]) -> Table:
    table = Table(title="Staff", title_justify="left")
    for name in ("City", "User name", "Password"):
        table.add_column(name)
    for each in accounts:
        table.add_row(each.city, each.login, each.password)
    return table
