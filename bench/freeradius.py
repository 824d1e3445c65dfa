"""The other side: Debian's FreeRADIUS on the same disk with the same residents, as far as the two can be alike.

rlm_sql_sqlite on a WAL file with synchronous=FULL, one thread, PAP from the database, one row in the log a decision.
What Debian's package brings (schema and queries) is used from where it stands; without the package there is no rival.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.packets import Resident
from bench.servers import Place, free_ports

PROGRAM = "freeradius"
MODS_CONFIG = "/etc/freeradius/3.0/mods-config"
POLICIES = "/etc/freeradius/3.0/policy.d"
SCHEMA = Path(MODS_CONFIG) / "sql" / "main" / "sqlite" / "schema.sql"

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
libdir = /usr/lib/freeradius
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
    start_servers = 1
    max_servers = 1
    min_spare_servers = 1
    max_spare_servers = 1
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
        dialect = "sqlite"
        driver = "rlm_sql_sqlite"
        sqlite {{
            filename = "{database}"
            busy_timeout = 5000
        }}
        radius_db = "radius"
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
            start = 1
            min = 1
            max = 1
            spare = 0
            uses = 0
            lifetime = 0
            idle_timeout = 0
        }}
        $INCLUDE {mods_config}/sql/main/sqlite/queries.conf
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


def why_not() -> str | None:
    """What is missing on this machine for the comparison; None where nothing is."""
    if shutil.which(PROGRAM, path="/usr/sbin:/usr/local/sbin:/usr/bin") is None:
        return "freeradius is not installed (Debian: freeradius, freeradius-config)"
    with contextlib.suppress(OSError):
        SCHEMA.read_bytes()
        return None
    return f"{SCHEMA} cannot be read (run as root or as a member of freerad)"


class FreeRadius:
    """A FreeRADIUS of its own in `folder`, which knows these residents under the same secret."""

    name = "FreeRADIUS"

    def __init__(self, folder: Path, residents: Iterable[Resident], *, secret: bytes) -> None:
        self._folder = folder / "freeradius"
        self._folder.mkdir()
        self._database, self._template = self._folder / "radius.db", self._folder / "as-made.db"
        auth_port, acct_port = free_ports(2)
        self.place = Place(auth_port, acct_port, secret)
        (self._folder / "radiusd.conf").write_text(self._config())
        (self._folder / "dictionary").write_text("")
        _fill(self._template, residents)

    def _config(self) -> str:
        return _CONFIG.format(
            folder=self._folder,
            mods_config=MODS_CONFIG,
            policies=POLICIES,
            database=self._database,
            secret=self.place.secret.decode(),
            auth_port=self.place.auth_port,
            acct_port=self.place.acct_port,
        )

    def command(self) -> list[str]:
        program = shutil.which(PROGRAM, path="/usr/sbin:/usr/local/sbin:/usr/bin")
        assert program is not None, "the caller asks `why_not` first"
        return [program, "-f", "-d", str(self._folder), "-n", "radiusd"]

    def renew(self) -> None:
        """The database as it was made."""
        for name in ("radius.db-wal", "radius.db-shm"):
            (self._folder / name).unlink(missing_ok=True)
        shutil.copyfile(self._template, self._database)


def _fill(database: Path, residents: Iterable[Resident]) -> None:
    """The package's schema in WAL mode, which stays with the file; residents in one group with one reply."""
    with contextlib.closing(sqlite3.connect(database)) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.executescript(SCHEMA.read_text())
        conn.executemany(
            "INSERT INTO radgroupreply(groupname, attribute, op, value) VALUES ('hotspot', ?, ':=', ?)", REPLY
        )
        conn.executemany(
            "INSERT INTO radcheck(username, attribute, op, value) VALUES (?, 'Cleartext-Password', ':=', ?)",
            _credentials(residents),
        )
        conn.execute(
            "INSERT INTO radusergroup(username, groupname, priority) SELECT username, 'hotspot', 1 FROM radcheck"
        )
        conn.commit()
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _credentials(residents: Iterable[Resident]) -> Iterator[tuple[str, str]]:
    return ((each.user_name, each.password) for each in residents)
