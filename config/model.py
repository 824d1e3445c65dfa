"""The shape of the files: every key with its type, bounds and default. `docs/configuration.md` explains each."""

from __future__ import annotations

import re
from datetime import date
from importlib.util import find_spec
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    IPvAnyAddress,
    IPvAnyNetwork,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from config.face import FaceSection
from config.monitoring import Monitor
from config.section import LANGUAGES as LANGUAGES
from config.section import (
    Flag,
    Language,
    Listen,
    Number,
    OptionalListen,
    Port,
    Section,
    email_address,
    host_name,
    web_address,
)
from config.sending import Mail, Sms
from hotspot.hours import Hours
from hotspot.plan import Counting, Way
from hotspot.products import PRODUCTS
from hotspot.values import CityKey
from hotspot.ways import read_ways


def _key(text: str) -> CityKey:
    if not re.fullmatch(r"[a-z][a-z0-9-]{1,30}", text):
        raise ValueError("must be 2 to 31 lower-case letters, digits or dashes, such as `rostock`")
    return CityKey(text)


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of the data base, such as `Europe`
        raise ValueError(f"{text!r} is not an IANA time zone, such as `Europe/Berlin`") from None
    return text


def _url(text: str) -> str:
    return web_address(text, such_as="https://wlan.rostock.de")


def _optional_url(text: str) -> str:
    return _url(text) if text else ""


def _origin(text: str) -> str:
    if urlsplit(text).path:
        raise ValueError(f"{text!r} has a path; the pages need a host name of their own")
    return text


def _explicit(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if address.is_unspecified:
        raise ValueError(f"{address} is a wildcard, which may answer from another address than was asked; name one")
    return address


def _database_url(text: str) -> str:
    if text and not text.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("must start with `sqlite:///` or `postgresql://`, or be left out for an SQLite file")
    return text


def _product(text: str) -> str:
    if text not in PRODUCTS:
        raise ValueError(f"no product {text!r}; there are {', '.join(PRODUCTS)}")
    return text


def _opening_hours(text: str) -> str:
    Hours.parse(text)
    return text


Text = Annotated[str, Field(min_length=1, max_length=200)]
Url = Annotated[str, AfterValidator(_url)]
Origin = Annotated[str, AfterValidator(_url), AfterValidator(_origin)]


# The installation ---------------------------------------------------------------------------------


class PortalProcess(Section):
    listen: Listen = "127.0.0.1:8080"
    metrics_listen: Listen = "127.0.0.1:9106"
    start_page_host: Annotated[str, AfterValidator(host_name)] = ""
    threads: Annotated[int, Field(strict=True, ge=1, le=64)] = 8


class RadiusProcess(Section):
    metrics_listen: Listen = "127.0.0.1:9107"


class MonitorProcess(Section):
    metrics_listen: Listen = "127.0.0.1:9108"


class Log(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"
    access: Flag = False


class Installation(Section):
    """`kogge.toml`: where things stand on this machine. Relative paths start at the file's folder."""

    data_dir: Path
    cities_dir: Path = Path("cities")
    portal: PortalProcess = PortalProcess()
    radius: RadiusProcess = RadiusProcess()
    monitor: MonitorProcess = MonitorProcess()
    log: Log = Log()

    @model_validator(mode="after")
    def _own_ports(self) -> Installation:
        listens = (
            self.portal.listen,
            self.portal.metrics_listen,
            self.radius.metrics_listen,
            self.monitor.metrics_listen,
        )
        twice = next((listen for listen in listens if listens.count(listen) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice} stands at two listeners; each needs its own")
        return self


# A city -------------------------------------------------------------------------------------------


class Contact(Section):
    operator: Text
    email: Annotated[str, AfterValidator(email_address)]
    phone: str = ""


class Accessibility(Section):
    """What the accessibility statement says that only the operator knows."""

    law: Text
    conformance: Literal["full", "partial", "none"]
    exceptions: tuple[Text, ...] = ()
    method: Literal["self", "external"] = "self"
    made_on: date
    reviewed_on: date
    answer_days: Annotated[int, Field(strict=True, ge=1, le=90)] = 42
    enforcement_body: Text
    enforcement_url: Annotated[str, AfterValidator(_optional_url)] = ""

    @model_validator(mode="after")
    def _consistent(self) -> Accessibility:
        if (self.conformance == "full") != (not self.exceptions):
            raise ValueError(
                "`exceptions` names what is not accessible: nothing where conformance is `full`, else something"
            )
        if self.reviewed_on < self.made_on:
            raise ValueError(f"reviewed_on {self.reviewed_on} is before made_on {self.made_on}")
        return self


class Portal(Section):
    url: Origin
    staff_url: Origin
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    unnatted_networks: tuple[IPvAnyNetwork, ...] = ()
    redirect_listen: OptionalListen = ""
    controller_ca_file: Path | None = None

    @property
    def host(self) -> str:
        """The Host that residents ask for, in lower case, without a port."""
        return urlsplit(self.url).hostname or ""

    @property
    def staff_host(self) -> str:
        return urlsplit(self.staff_url).hostname or ""

    def is_secure(self, host: str) -> bool:
        """Whether the pages of this host are reached over TLS."""
        urls = {self.host: self.url, self.staff_host: self.staff_url}
        return urls.get(host, "").startswith("https:")


class Oidc(Section):
    """An OpenID Connect provider whose people get on. Its package is an extra of ours: see `pyproject.toml`."""

    issuer: Url
    client_id: Text
    client_secret_file: Path | None = None
    name: Text
    names: dict[Language, Text] = Field(default={})
    scopes: Annotated[tuple[Annotated[str, Field(pattern=r"^[!#-\[\]-~]+$")], ...], Field(min_length=1)] = ("openid",)
    garden_hosts: tuple[Annotated[str, AfterValidator(host_name)], ...] = ()
    claims: dict[str, StrictBool | StrictInt | StrictStr] = Field(default={})

    @model_validator(mode="after")
    def _usable(self) -> Oidc:
        if find_spec("authlib") is None:
            raise ValueError(
                "signing in by OpenID Connect needs the package `authlib`; run `pip install 'kogge[oidc]'`"
            )
        if "openid" not in self.scopes:
            raise ValueError("scopes must contain `openid`")
        return self

    def name_in(self, language: str) -> str:
        """What residents know the provider by."""
        return self.names.get(language, self.name)

    @property
    def hosts(self) -> tuple[str, ...]:
        """What a device must reach before it is logged in, to sign in there."""
        return (urlsplit(self.issuer).hostname or "", *self.garden_hosts)

    @property
    def origins(self) -> tuple[str, ...]:
        """Where a form of ours may lead, for the Content-Security-Policy."""
        parts = urlsplit(self.issuer)
        return (f"{parts.scheme}://{parts.netloc}", *(f"{parts.scheme}://{host}" for host in self.garden_hosts))


class Radius(Section):
    listen: Annotated[IPvAnyAddress, AfterValidator(_explicit)]
    auth_port: Port
    acct_port: Port
    interim_seconds: Annotated[int, Field(strict=True, ge=60, le=3600)] = 300

    @model_validator(mode="after")
    def _two_ports(self) -> Radius:
        if self.auth_port == self.acct_port:
            raise ValueError("auth_port and acct_port are the same")
        return self


class Database(Section):
    url: Annotated[str, AfterValidator(_database_url)] = ""
    password_file: Path | None = None


class Limits(Section):
    decision_log_days: Annotated[int, Field(strict=True, ge=1, le=365)] = 14
    session_days: Annotated[int, Field(strict=True, ge=1, le=3650)] = 90
    account_days: Annotated[int, Field(strict=True, ge=1, le=3650)] = 365
    account_mails: Annotated[int, Field(strict=True, ge=1, le=100)] = 5
    staff_session_minutes: Annotated[int, Field(strict=True, ge=5, le=1440)] = 480
    login_attempts: Annotated[int, Field(strict=True, ge=1, le=100)] = 10
    login_window_minutes: Annotated[int, Field(strict=True, ge=1, le=1440)] = 15
    voucher_guesses: Annotated[int, Field(strict=True, ge=1, le=100)] = 10
    range_guesses: Annotated[int, Field(strict=True, ge=10, le=100_000)] = 100
    city_guesses: Annotated[int, Field(strict=True, ge=10, le=100_000)] = 1_000
    nas_guesses: Annotated[int, Field(strict=True, ge=10, le=100_000)] = 200
    voucher_window_minutes: Annotated[int, Field(strict=True, ge=1, le=1440)] = 15
    code_minutes: Annotated[int, Field(strict=True, ge=5, le=60)] = 15
    code_attempts: Annotated[int, Field(strict=True, ge=1, le=5)] = 5
    code_pause_seconds: Annotated[int, Field(strict=True, ge=30, le=3600)] = 60
    codes_device_day: Annotated[int, Field(strict=True, ge=1, le=50)] = 5
    codes_address_day: Annotated[int, Field(strict=True, ge=1, le=50)] = 10
    grace_device_day: Annotated[int, Field(strict=True, ge=0, le=50)] = 3
    voucher_batch_max: Annotated[int, Field(strict=True, ge=1, le=5000)] = 500
    page_rows: Annotated[int, Field(strict=True, ge=10, le=1000)] = 100
    access_point_history_days: Annotated[int, Field(strict=True, ge=8, le=365)] = 8
    access_point_event_days: Annotated[int, Field(strict=True, ge=31, le=3650)] = 800


# What `kogge init` imports once ---------------------------------------------------------------------


class SeedSite(Section):
    key: Text
    name: Text
    district: Text
    kind: Text
    opening_hours: Annotated[str, AfterValidator(_opening_hours)] = ""
    ways: Annotated[str, AfterValidator(read_ways)] = ""
    latitude: Annotated[Number, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[Number, Field(ge=-180, le=180)] | None = None


class SeedAccessPoint(Section):
    name: Text
    site: Text
    address: IPvAnyAddress
    port: Port = 161
    kind: Literal["access_point", "controller"] = "access_point"
    snmp: Literal["v2c", "v3"] = "v2c"


class SeedNas(Section):
    name: Text
    site: Text
    nas_identifier: Text
    address: IPvAnyAddress | IPvAnyNetwork
    product: Annotated[str, AfterValidator(_product)] = "coovachilli"
    login_url: Url
    coa_port: Port = 3799
    require_message_authenticator: Literal["yes", "no", "auto"] = "yes"
    limit_proxy_state: Flag = True
    octets_swapped: Flag = False
    handoff: str = ""
    walled_garden: str = ""

    @model_validator(mode="after")
    def _handed_over(self) -> SeedNas:
        known = PRODUCTS[self.product].handoffs
        if self.handoff and self.handoff not in known:
            raise ValueError(f"handoff: {self.handoff!r} is none of this product's: {', '.join(known)}")
        return self


class SeedPlan(Section):
    key: Text
    name: Text
    way: Way
    session_minutes: Annotated[int, Field(strict=True, ge=1, le=10_080)]
    idle_minutes: Annotated[int, Field(strict=True, ge=0, le=1_440)] = 10
    daily_minutes: Annotated[int, Field(strict=True, ge=0, le=1_440)] = 0
    daily_megabytes: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] = 0
    rate_down_kbps: Annotated[int, Field(strict=True, ge=0, le=2_000_000)] = 0
    rate_up_kbps: Annotated[int, Field(strict=True, ge=0, le=2_000_000)] = 0
    devices_max: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 1
    remember_hours: Annotated[int, Field(strict=True, ge=0, le=8_760)] = 0
    voucher_counts: Counting = Counting.CLOCK
    voucher_daily_minutes: Annotated[int, Field(strict=True, ge=0, le=100_000)] = 0
    voucher_daily_megabytes: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] = 0
    vlan_id: Annotated[int, Field(strict=True, ge=0, le=4_094)] = 0
    extensions_max: Annotated[int, Field(strict=True, ge=0, le=100)] = 0


class SeedTerms(Section):
    version: Annotated[int, Field(strict=True, ge=1)]
    language: Language
    title: Text
    body: Annotated[str, Field(min_length=1, max_length=20_000)]


class Seed(Section):
    sites: tuple[SeedSite, ...] = ()
    access_points: tuple[SeedAccessPoint, ...] = ()
    nases: tuple[SeedNas, ...] = ()
    plans: tuple[SeedPlan, ...] = ()
    terms: tuple[SeedTerms, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Seed:
        sites = {site.key for site in self.sites}
        for kind, entries in (("access_points", self.access_points), ("nases", self.nases)):
            _no_twins(kind, [entry.name for entry in entries])
            for entry in entries:
                if entry.site not in sites:
                    raise ValueError(f"{kind}: {entry.name!r} stands at site {entry.site!r}, which is not in sites")
        _no_twins("nases", [nas.nas_identifier for nas in self.nases])
        _no_twins("sites", [site.key for site in self.sites])
        _no_twins("plans", [plan.key for plan in self.plans])
        _no_twins("terms", [f"version {text.version} in {text.language}" for text in self.terms])
        return self


def _no_twins(kind: str, names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{kind}: {twice!r} stands there twice")


class CityConfig(Section):
    """`cities/<key>.toml`: a city's identity, zone, listeners, database and limits."""

    key: Annotated[CityKey, AfterValidator(_key)]
    name: Text
    time_zone: Annotated[str, AfterValidator(_zone)] = "Europe/Berlin"
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = LANGUAGES
    contact: Contact
    accessibility: Accessibility | None = None
    face: FaceSection = FaceSection()
    portal: Portal
    radius: Radius
    database: Database = Database()
    monitor: Monitor = Monitor()
    mail: Mail = Mail()
    sms: Sms = Sms()
    limits: Limits = Limits()
    oidc: Oidc | None = None
    seed: Seed = Field(default=Seed(), repr=False)

    @property
    def unready(self) -> frozenset[Way]:
        """Ways in that this file gives no means for, whatever plans there are."""
        means = {
            Way.EMAIL: bool(self.mail.host),
            Way.SMS: self.sms.enabled,
            Way.ACCOUNT: bool(self.mail.host),
            Way.OIDC: self.oidc is not None,
        }
        return frozenset(way for way, ready in means.items() if not ready)

    @model_validator(mode="after")
    def _means(self) -> CityConfig:
        for plan in self.seed.plans:
            if plan.way in self.unready:
                raise ValueError(f"seed.plans: {plan.key!r} is obtained by {plan.way.value}, and {_MISSING[plan.way]}")
        return self


_MISSING = {
    Way.EMAIL: "[mail] names no host",
    Way.SMS: "[sms] is not enabled",
    Way.ACCOUNT: "[mail] names no host",
    Way.OIDC: "there is no [oidc]",
}


def fields_of(model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """Every key of a model with its default, dotted, for the documentation's test."""
    found: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        inner = [kind for kind in (info.annotation, *getattr(info.annotation, "__args__", ())) if _is_section(kind)]
        found |= fields_of(inner[0], f"{prefix}{name}.") if inner else {f"{prefix}{name}": info.default}
    return found


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
