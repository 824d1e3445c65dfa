"""The other side: Debian's FreeRADIUS on the same database with the same residents, as far as the two can be alike.

PAP from rlm_sql, one row in the log a decision, accounting into `radacct`; on SQLite one thread on a WAL file with
synchronous=FULL, on PostgreSQL eight threads with a connection each. What Debian's packages bring (schema and queries)
is used from where it stands; without them there is no rival.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.databases import Database, check_durable
from bench.packets import Resident
from bench.servers import Place, free_ports

PROGRAM = "freeradius"
PROGRAM_FOLDERS = "/usr/sbin:/usr/local/sbin:/usr/bin"
LIBRARIES = "/usr/lib/freeradius"
MODS_CONFIG = "/etc/freeradius/3.0/mods-config"
POLICIES = "/etc/freeradius/3.0/policy.d"

DATABASE_NAME = "freeradius"

REPLY = (
    ("Session-Timeout", "3600"),
    ("Idle-Timeout", "600"),
    ("Acct-Interim-Interval", "300"),
    ("WISPr-Bandwidth-Max-Up", "5000000"),
    ("WISPr-Bandwidth-Max-Down", "20000000"),
)
"""What our Accept says too."""

_CONFIG = """\
prefix = /usr
sysconfdir = /etc
localstatedir = {folder}
confdir = {folder}
raddbdir = {folder}
modconfdir = {mods_config}
logdir = {folder}
run_dir = {folder}
libdir = {libraries}
name = bench
max_requests = 16384
cleanup_delay = 5
hostname_lookups = no
proxy_requests = no
log {{
    destination = stdout
    auth = no
}}
security {{
    max_attributes = 200
    reject_delay = 0
    status_server = yes
    allow_vulnerable_openssl = yes
}}
thread pool {{
    start_servers = {threads}
    max_servers = {threads}
    min_spare_servers = 1
    max_spare_servers = {threads}
    max_requests_per_server = 0
    auto_limit_acct = no
}}
client bench {{
    ipaddr = 127.0.0.1
    secret = "{secret}"
    require_message_authenticator = yes
}}
modules {{
    expr {{
    }}
    pap {{
    }}
    sql {{
        dialect = "{dialect}"
        driver = "rlm_sql_{dialect}"
{connection}
        acct_table1 = "radacct"
        acct_table2 = "radacct"
        postauth_table = "radpostauth"
        authcheck_table = "radcheck"
        groupcheck_table = "radgroupcheck"
        authreply_table = "radreply"
        groupreply_table = "radgroupreply"
        usergroup_table = "radusergroup"
        client_table = "nas"
        group_attribute = "SQL-Group"
        read_groups = yes
        read_clients = no
        delete_stale_sessions = yes
        pool {{
            start = {threads}
            min = {threads}
            max = {threads}
            spare = 0
            uses = 0
            lifetime = 0
            idle_timeout = 0
        }}
        $INCLUDE {mods_config}/sql/main/{dialect}/queries.conf
    }}
}}
policy {{
    $INCLUDE {policies}/accounting
}}
server bench {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {auth_port}
    }}
    listen {{
        type = acct
        ipaddr = 127.0.0.1
        port = {acct_port}
    }}
    authorize {{
        sql
        pap
    }}
    authenticate {{
        Auth-Type PAP {{
            pap
        }}
    }}
    post-auth {{
        sql
        Post-Auth-Type REJECT {{
            sql
        }}
    }}
    preacct {{
        acct_unique
    }}
    accounting {{
        sql
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs from one database to the other. `connection` is formatted with the parts of the database's URL."""

    name: str
    packages: str
    threads: int
    connection: str

    @property
    def schema(self) -> Path:
        return Path(MODS_CONFIG) / "sql" / "main" / self.name / "schema.sql"

    @property
    def driver(self) -> Path:
        return Path(LIBRARIES) / f"rlm_sql_{self.name}.so"


DIALECTS = {
    "sqlite": Dialect(
        "sqlite",
        "freeradius, freeradius-config",
        threads=1,  # more of them only wait for each other: SQLite has one writer
        connection="""\
        sqlite {{
            filename = "{path}"
            busy_timeout = 5000
        }}
        radius_db = "radius"
""",
    ),
    "pg": Dialect(
        "postgresql",
        "freeradius, freeradius-config, freeradius-postgresql",
        threads=8,
        connection="""\
        server = "{host}"
        port = {port}
        login = "{user}"
        radius_db = "{name}"
""",
    ),
}
"""By the key of `bench.databases`."""


def why_not(database: Database) -> str | None:
    """What is missing on this machine for the comparison on that database; None where nothing is."""
    dialect = DIALECTS[database.key]
    if _program() is None or not dialect.driver.exists():
        return f"FreeRADIUS for {database.name} is not installed (Debian: {dialect.packages})"
    with contextlib.suppress(OSError):
        dialect.schema.read_bytes()
        return None
    return f"{dialect.schema} cannot be read (run as root or as a member of freerad)"


def _program() -> str | None:
    return shutil.which(PROGRAM, path=PROGRAM_FOLDERS)


class FreeRadius:
    """A FreeRADIUS of its own in `folder`, which knows these residents under the same secret.

    NotDurable where a plain connection, which is what its driver opens, would not commit durably.
    """

    name = "FreeRADIUS"

    def __init__(self, folder: Path, database: Database, residents: Iterable[Resident], *, secret: bytes) -> None:
        self._folder = folder / f"freeradius-{database.key}"
        self._folder.mkdir()
        self._database, self._dialect = database, DIALECTS[database.key]
        auth_port, acct_port = free_ports(2)
        self.place = Place(auth_port, acct_port, secret)
        (self._folder / "radiusd.conf").write_text(self._config())
        (self._folder / "dictionary").write_text("")
        database.make(DATABASE_NAME)
        with contextlib.closing(database.connect(DATABASE_NAME)) as conn:
            check_durable(database, lambda question: conn.execute(question).fetchone()[0])
        database.script(DATABASE_NAME, self._dialect.schema.read_text())
        database.script(DATABASE_NAME, _content(residents))
        database.keep(DATABASE_NAME)

    def _config(self) -> str:
        url = urlsplit(self._database.url(DATABASE_NAME))
        return _CONFIG.format(
            folder=self._folder,
            libraries=LIBRARIES,
            mods_config=MODS_CONFIG,
            policies=POLICIES,
            dialect=self._dialect.name,
            threads=self._dialect.threads,
            connection=self._dialect.connection.format(
                path=url.path[1:], name=DATABASE_NAME, host=url.hostname, port=url.port, user=url.username
            ),
            secret=self.place.secret.decode(),
            auth_port=self.place.auth_port,
            acct_port=self.place.acct_port,
        )

    def command(self) -> list[str]:
        program = _program()
        assert program is not None, "the caller asks `why_not` first"
        return [program, "-f", "-d", str(self._folder), "-n", "radiusd"]

    def renew(self) -> None:
        """The database as it was made."""
        self._database.renew(DATABASE_NAME)

    def drop(self) -> None:
        """Away with the round's database, so that nothing looks after it while another is measured."""
        self._database.drop(DATABASE_NAME)


def _content(residents: Iterable[Resident]) -> str:
    """Residents with their passwords, in one group with one reply."""
    passwords = _rows((each.user_name, "Cleartext-Password", ":=", each.password) for each in residents)
    replies = _rows(("hotspot", name, ":=", value) for name, value in REPLY)
    return (
        f"INSERT INTO radcheck(username, attribute, op, value) VALUES {passwords};"
        f"INSERT INTO radgroupreply(groupname, attribute, op, value) VALUES {replies};"
        "INSERT INTO radusergroup(username, groupname, priority) SELECT username, 'hotspot', 1 FROM radcheck"
    )


def _rows(rows: Iterable[Iterable[str]]) -> str:
    """Names and passwords of ours, in which no quote stands."""
    return ", ".join("('" + "', '".join(row) + "')" for row in rows)
