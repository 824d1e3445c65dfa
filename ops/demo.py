"""`kogge demo`: a real installation in a state folder, the services of `kogge run`, a simulated town around it."""

from __future__ import annotations

import http.client
import os
import secrets
import shutil
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from config.load import FILE_NAME, Loaded, load_installation
from config.model import Installation
from hotspot.errors import ConfigError
from hotspot.roles import Role
from ops import ports, screen
from ops.installation import initialise, lay_files
from ops.supervisor import Child, kogge, supervise
from ops.town import write_town
from portal.staff.login import hash_password
from service.cities import City, open_cities
from store import staff

START_PAGE_HOST = "localhost"
PASSWORDS = "passwords.txt"
TOWN = "TOWN.json"
PROBE_SECONDS = 2.0
"""How long one look at a service that is starting may take."""


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
    console.print(f"Preparing the demo in {state} …", soft_wrap=True, highlight=False, markup=False)
    loaded = _lay(state)
    _require_free_ports(loaded)
    initialise(state, (), now=datetime.now(UTC), say=lambda _: None)
    accounts = _prepare_cities(state)
    status = supervise(
        _children(state, loaded.installation),
        stopping,
        starting=lambda child: console.print(f"Starting {child.name} …"),
        started=lambda: _present(state, loaded, accounts, console),
    )
    console.print("Ended.")
    return status


def _lay(state: Path) -> Loaded:
    """The shipped files, with a start page."""
    lay_files(state, say=lambda _: None, overwrite=True)
    file = state / FILE_NAME
    file.write_text(file.read_text().replace('start_page_host = ""', f'start_page_host = "{START_PAGE_HOST}"'))
    return load_installation(state)


def _require_free_ports(loaded: Loaded) -> None:
    wanted = [
        *ports.needed_by_services(loaded.installation, loaded.cities),
        *ports.needed_by_town(loaded.cities),
    ]
    busy = ports.taken(wanted)
    if busy:
        raise ConfigError(
            "these ports are taken; end what uses them and start again:\n  " + "\n  ".join(map(str, busy))
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
        with city.store.read() as conn:
            member = staff.by_login(conn, login)
        if member is not None and member.password_hash is not None:
            continue
        account = Account(city.key, login, role, secrets.token_urlsafe(12))
        hashed = hash_password(account.password)
        with city.store.write() as conn:
            now = datetime.now(UTC)
            staff_id = member.id if member else staff.add(conn, login=login, name=role.value, role=role, now=now)
            staff.set_password(conn, staff_id, hashed)
        made.append(account)
    return made


def _keep(path: Path, accounts: Sequence[Account]) -> None:
    """Add to the file: what an earlier start made is still good."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a") as file:
        file.writelines(f"{each.city}\t{each.login}\t{each.password}\n" for each in accounts)


def _children(state: Path, installation: Installation) -> list[Child]:
    """The services, then the town: its first residents shall not meet closed ports."""
    logs = state / "log"
    logs.mkdir(exist_ok=True)
    ready = {
        "radius": partial(answers, installation.radius.metrics_listen, "/healthz"),
        "portal": partial(answers, installation.portal.listen, "/readyz"),
        "monitor": partial(answers, installation.monitor.metrics_listen, "/healthz"),
    }
    services = [Child(name, kogge(name, str(state)), logs / f"{name}.log", check) for name, check in ready.items()]
    town = [sys.executable, "-m", "simulator", str(state / TOWN)]
    post = [sys.executable, "-m", "simulator.mailbox", "--smtp", ports.MAILBOX_SMTP, "--web", ports.MAILBOX_WEB]
    return [
        *services,
        Child("simulator", town, logs / "simulator.log"),
        Child("mailbox", post, logs / "mailbox.log"),
    ]


def answers(listen: str, path: str) -> bool:
    """Whether a GET of `path` at that address and port gets a 200 now."""
    place = urlsplit(f"//{listen}")
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _present(state: Path, loaded: Loaded, accounts: Sequence[Account], console: Console) -> None:
    passwords = {(each.city, each.login): each.password for each in accounts}
    notes = screen.demo_notes(
        loaded.installation,
        command=sys.argv[0] if Path(sys.argv[0]).name == "kogge" else "kogge",
        state=str(state),
        passwords=str(state / PASSWORDS),
        fresh=bool(accounts),
    )
    console.print()
    console.print(screen.demo_table(loaded.cities, loaded.installation, passwords), soft_wrap=True)
    console.print("\n" + "\n".join(notes), soft_wrap=True, highlight=False, markup=False)
