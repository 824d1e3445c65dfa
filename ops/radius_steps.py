"""What `kogge radius test` asks a city's RADIUS server, step by step: a table of small functions, in their order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from hotspot.errors import WireError
from hotspot.values import MacSpelling, Octets, local_day
from ops.radius_report import OTHER_INSTALLATION, Place, Step, refused, unanswered
from ops.words import duration, volume
from radius import client
from radius.client import Answer, Client
from radius.wire import HEADER_BYTES, Attr, Attribute, Code, StatusType, integer
from service.cities import City
from store import accounting, decisions, residents, self_test
from store.nases import Nas

USED_HALFWAY = Octets(down=1_000_000, up=200_000)
USED = Octets(down=3_000_000, up=500_000)
"""What the test's session claims to have carried; the database must say the same afterwards."""

SESSION_SECONDS = 60
USER_REQUEST = 1
"""Acct-Terminate-Cause (RFC 2866 section 5.10)."""

LOGIN, CALL_CHECK = 1, 10
"""Service-Type (RFC 2865 section 5.6)."""

SILENCE_SECONDS = 0.5
"""How long a request that must not be answered waits for an answer. The server answers within milliseconds."""

RandomOctets = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Credential:
    """A ticket with its password in the clear."""

    name: str
    password: bytes = field(repr=False)


@dataclass(slots=True)
class Test:
    """One test under way: whom it asks, as whom, with which tickets, and what was learnt so far."""

    city: City
    nas: Nas
    device_id: int
    grant_id: int
    credentials: tuple[Credential, Credential]
    random_octets: RandomOctets
    clients: dict[int, Client] = field(default_factory=dict)
    identifiers: Iterator[int] = field(default_factory=lambda: itertools.cycle(range(256)))
    class_: bytes | None = None
    session_id: str = ""
    last: tuple[bytes, bytes] = (b"", b"")  # the newest request and the octets of its reply
    signed: int = 0
    unsigned: int = 0

    @property
    def place(self) -> Place:
        radius = self.city.config.radius
        return Place(self.city.key, str(radius.listen), radius.auth_port, radius.acct_port, self.nas.address)


@dataclass(frozen=True, slots=True)
class _Named:
    """A step of the table. `is_acct`: which of the two ports it asks."""

    name: str
    work: Callable[[Test, str], Step]
    is_acct: bool = False


def steps(test: Test) -> Iterator[Step]:
    """All steps one after the other, until the server does not answer."""
    place = test.place
    with ExitStack() as opened:
        try:
            for port in (place.auth_port, place.acct_port):
                client_ = Client(place.source, (place.server, port), test.nas.secret)
                test.clients[port] = opened.enter_context(client_)
        except OSError as error:
            yield unanswered(STEPS[0].name, error, place, place.auth_port)
            return
        for each in STEPS:
            step = _taken(test, each)
            yield step
            if not step.answered:
                return


def _taken(test: Test, each: _Named) -> Step:
    place = test.place
    try:
        return each.work(test, each.name)
    except (OSError, WireError) as error:
        return unanswered(each.name, error, place, place.acct_port if each.is_acct else place.auth_port)


# Asking -----------------------------------------------------------------------------------------------


def _ask_auth(test: Test, attributes: Sequence[Attribute], authenticator: bytes) -> Answer:
    """An Access-Request's answer, its Message-Authenticator looked for."""
    request = client.access_request(next(test.identifiers), authenticator, [*_who(test), *attributes], test.nas.secret)
    return _noted(test, _asked(test, request, test.place.auth_port))


def _asked(test: Test, request: bytes, port: int) -> Answer:
    answer = test.clients[port].ask(request)
    test.last = request, answer.packet.raw
    return answer


def _noted(test: Test, answer: Answer) -> Answer:
    """Counts whether the reply begins with its Message-Authenticator."""
    if client.signed_first(answer.packet):
        test.signed += 1
    else:
        test.unsigned += 1
    return answer


def _who(test: Test) -> list[Attribute]:
    """What a NAS says of itself and of the device in every request."""
    return [
        (Attr.NAS_IDENTIFIER, test.nas.nas_identifier.encode()),
        (Attr.CALLING_STATION_ID, str(self_test.DEVICE).encode()),
        (Attr.CALLED_STATION_ID, f"{self_test.DEVICE}:{self_test.IDENTIFIER}".encode()),
    ]


# Status-Server ----------------------------------------------------------------------------------------


def _status_auth(test: Test, name: str) -> Step:
    return _status(test, name, test.place.auth_port)


def _status_acct(test: Test, name: str) -> Step:
    return _status(test, name, test.place.acct_port)


def _status(test: Test, name: str, port: int) -> Step:
    identity = [(Attr.NAS_IDENTIFIER, test.nas.nas_identifier.encode())]
    request = client.status_server(next(test.identifiers), test.random_octets(16), identity, test.nas.secret)
    answer = _noted(test, _asked(test, request, port))
    said = "Access-Accept" if answer.packet.code == Code.ACCESS_ACCEPT else "Accounting-Response"
    return Step(name, True, answer.seconds, said if answer.attempt == 1 else f"{said} (transmission {answer.attempt})")


# Log-ins ----------------------------------------------------------------------------------------------


def _unsigned_silence(test: Test, name: str) -> Step:
    """An Access-Request that anybody may have forged (CVE-2024-3596): it must meet with silence."""
    authenticator, credential = test.random_octets(16), test.credentials[0]
    attributes = [(Attr.USER_NAME, credential.name.encode()), *_who(test)]
    attributes += client.pap(credential.password, authenticator, test.nas.secret)
    request = client.unsigned_access_request(next(test.identifiers), authenticator, attributes)
    try:
        answer = test.clients[test.place.auth_port].ask(request, (SILENCE_SECONDS,))
    except TimeoutError:
        return Step(name, True, detail="silence, as it must be")
    hint = "The server believes requests that anybody on the network may have forged (BlastRADIUS, CVE-2024-3596)."
    return Step(name, False, answer.seconds, "answered", hint)


def _chap(test: Test, name: str) -> Step:
    credential, challenge = test.credentials[0], test.random_octets(16)
    proof = client.chap(credential.password, test.random_octets(1)[0], challenge)
    answer = _log_in(test, credential.name, proof, test.random_octets(16))
    test.class_ = answer.packet.octets(Attr.CLASS)
    return _admitted(test, name, answer)


def _pap(test: Test, name: str) -> Step:
    credential, authenticator = test.credentials[1], test.random_octets(16)
    proof = client.pap(credential.password, authenticator, test.nas.secret)
    return _admitted(test, name, _log_in(test, credential.name, proof, authenticator))


def _wrong_password(test: Test, name: str) -> Step:
    credential, authenticator = test.credentials[1], test.random_octets(16)
    proof = client.pap(b"not-the-password", authenticator, test.nas.secret)
    answer = _log_in(test, credential.name, proof, authenticator)
    if answer.packet.code == Code.ACCESS_REJECT:
        return Step(name, True, answer.seconds, f"Access-Reject: {_reason(test)}")
    hint = "Whoever guesses gets on. This is a fault of the server's; stop it and tell the maintainers."
    return Step(name, False, answer.seconds, "Access-Accept", hint)


def _mac(test: Test, name: str) -> Step:
    """The device is remembered since its Start, so its address is enough, as for a phone that comes back."""
    authenticator = test.random_octets(16)
    mac = self_test.DEVICE.spelled(MacSpelling.HYPHEN_UPPER)
    proof = client.pap(mac.encode(), authenticator, test.nas.secret)
    return _admitted(test, name, _log_in(test, mac, proof, authenticator, service_type=CALL_CHECK))


def _log_in(
    test: Test, user: str, proof: Sequence[Attribute], authenticator: bytes, *, service_type: int = LOGIN
) -> Answer:
    attributes = [(Attr.USER_NAME, user.encode()), integer(Attr.SERVICE_TYPE, service_type), *proof]
    return _ask_auth(test, attributes, authenticator)


def _admitted(test: Test, name: str, answer: Answer) -> Step:
    if answer.packet.code != Code.ACCESS_ACCEPT:
        return refused(name, answer.seconds, _reason(test))
    seconds = answer.packet.integer(Attr.SESSION_TIMEOUT)
    return Step(name, True, answer.seconds, f"Access-Accept for {duration(seconds)}" if seconds else "Access-Accept")


def _reason(test: Test) -> str | None:
    """The newest decision's reason word: the reply carries a sentence for the resident."""
    with test.city.store.read() as conn:
        newest = decisions.latest_of_device(conn, test.device_id, limit=1)
    return newest[0].reason if newest else None


# Accounting -------------------------------------------------------------------------------------------


def _start(test: Test, name: str) -> Step:
    test.session_id = f"kogge-test-{test.random_octets(6).hex()}"
    return _account(test, name, StatusType.START, [])


def _interim(test: Test, name: str) -> Step:
    return _account(test, name, StatusType.INTERIM, _counters(SESSION_SECONDS // 2, USED_HALFWAY))


def _stop(test: Test, name: str) -> Step:
    ending = integer(Attr.ACCT_TERMINATE_CAUSE, USER_REQUEST)
    return _account(test, name, StatusType.STOP, [*_counters(SESSION_SECONDS, USED), ending])


def _account(test: Test, name: str, kind: StatusType, counted: Sequence[Attribute]) -> Step:
    attributes: list[Attribute] = [
        integer(Attr.ACCT_STATUS_TYPE, kind),
        (Attr.ACCT_SESSION_ID, test.session_id.encode()),
        (Attr.USER_NAME, test.credentials[0].name.encode()),
        *_who(test),
        *counted,
    ]
    if test.class_ is not None:
        attributes.append((Attr.CLASS, test.class_))
    request = client.accounting_request(next(test.identifiers), attributes, test.nas.secret)
    answer = _asked(test, request, test.place.acct_port)
    return Step(name, True, answer.seconds, "Accounting-Response")


def _counters(seconds: int, used: Octets) -> list[Attribute]:
    """By RFC 2866: input is what the device sent."""
    return [
        integer(Attr.ACCT_SESSION_TIME, seconds),
        integer(Attr.ACCT_INPUT_OCTETS, used.up),
        integer(Attr.ACCT_OUTPUT_OCTETS, used.down),
    ]


# What came of it --------------------------------------------------------------------------------------


def _again_auth(test: Test, name: str) -> Step:
    return _again(test, name, test.place.auth_port)


def _again_acct(test: Test, name: str) -> Step:
    return _again(test, name, test.place.acct_port)


def _again(test: Test, name: str, port: int) -> Step:
    """RFC 5080 section 2.2.2: the same source, port, identifier and authenticator is the same request."""
    request, before = test.last
    answer = test.clients[port].ask(request)
    if answer.packet.raw == before:
        return Step(name, True, answer.seconds, f"the same {len(before)} octets")
    hint = "A NAS that asks twice may get two different answers, and accounting may count twice."
    return Step(name, False, answer.seconds, "other octets", hint)


def _signed_first(test: Test, name: str) -> Step:
    if not test.unsigned:
        return Step(name, True, detail=f"in all {test.signed} replies, at octet {HEADER_BYTES + 1}")
    hint = "Replies of this server can be forged (BlastRADIUS, CVE-2024-3596); NASes that are up to date refuse them."
    return Step(name, False, detail=f"missing in {test.unsigned} of {test.unsigned + test.signed}", hint=hint)


def _stored(test: Test, name: str) -> Step:
    """The session must stand in the database with exactly what was reported, and count on the device's day."""
    key = (test.nas.id, test.session_id)
    with test.city.store.read() as conn:
        session = accounting.load_many(conn, {key}).get(key)
        if session is None or session.totals.ended_at is None:
            state = "is not there" if session is None else "did not end"
            return Step(name, False, detail=f"it {state}", hint=OTHER_INSTALLATION)
        day = local_day(session.totals.ended_at, test.city.zone)
        of_day = residents.used_on(conn, test.device_id, day)
    found = (session.totals.seconds, session.totals.octets, session.totals.terminate_cause, session.grant_id, of_day)
    admitted_by = None if test.class_ is None else test.grant_id
    wanted = (SESSION_SECONDS, USED, "User-Request", admitted_by, (SESSION_SECONDS, USED.down, USED.up))
    wrong = [what for what, is_, should in zip(_STORED, found, wanted, strict=True) if is_ != should]
    if not wrong:
        return Step(name, True, detail=f"{SESSION_SECONDS} s, {volume(USED.down)} down, {volume(USED.up)} up")
    hint = "What is stored is not what was reported, and quotas go by it. Tell the maintainers."
    return Step(name, False, detail=f"other {', '.join(wrong)}", hint=hint)


_STORED = ("seconds", "octets", "end", "grant", "use of the day")


STEPS: tuple[_Named, ...] = (
    _Named("Status-Server, authentication port", _status_auth),
    _Named("Status-Server, accounting port", _status_acct, is_acct=True),
    _Named("no Message-Authenticator", _unsigned_silence),
    _Named("log-in with CHAP", _chap),
    _Named("the same packet again", _again_auth),
    _Named("log-in with PAP", _pap),
    _Named("log-in with a wrong password", _wrong_password),
    _Named("accounting Start", _start, is_acct=True),
    _Named("the same packet again", _again_acct, is_acct=True),
    _Named("log-in with the MAC address", _mac),
    _Named("accounting Interim-Update", _interim, is_acct=True),
    _Named("accounting Stop", _stop, is_acct=True),
    _Named("the same packet again", _again_acct, is_acct=True),
    _Named("Message-Authenticator first", _signed_first),
    _Named("the session in the database", _stored),
)
"""An order in which each finds what it needs: MAC authentication, say, a device that a Start made remembered."""
