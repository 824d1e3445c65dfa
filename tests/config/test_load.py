"""Bad files and the exact sentence for each: file, line, key, reason, nearest key."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from config import load
from config.load import BrokenFile, check, load_city, load_installation
from config.model import CityConfig, Installation, fields_of

SHIPPED = Path(__file__).parents[2] / "config"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped installation, to be broken."""
    (tmp_path / "cities").mkdir()
    shutil.copy(SHIPPED / "kogge.toml", tmp_path)
    for file in (SHIPPED / "cities").glob("*.toml"):
        shutil.copy(file, tmp_path / "cities")
    return tmp_path


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text, f"{file.name} has no {old!r}"
    file.write_text(text.replace(old, new, 1))


def problems(folder: Path) -> list[str]:
    return [str(problem).replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "") for problem in check(folder)]


def test_what_we_ship_is_sound(folder: Path) -> None:
    loaded = load_installation(folder)
    assert loaded.problems == ()
    assert [city.key for city in loaded.cities] == ["luebeck", "rostock", "stralsund", "wismar"]
    assert loaded.installation.data_dir == folder / "data"
    for city in loaded.cities:
        assert len(city.seed.access_points) >= 6 and city.seed.plans and city.seed.terms
        assert {text.language for text in city.seed.terms} == set(city.languages)


MISTAKES = [
    # what stood there, what stands there now, the text whose line is to be named, key and reason
    (
        "interim_seconds =",
        "interim_secods =",
        "interim_secods",
        "radius.interim_secods: unknown key; did you mean `interim_seconds`?",
    ),
    (
        "interim_seconds = 60",
        "interim_seconds = 5",
        "interim_seconds",
        "radius.interim_seconds: must be greater than or equal to 60",
    ),
    (
        "auth_port = 12812",
        'auth_port = "12812"',
        "auth_port",
        "radius.auth_port: must be a valid integer",
    ),
    (
        "auth_port = 12812",
        "auth_port = 70000",
        "auth_port",
        "radius.auth_port: must be less than or equal to 65535",
    ),
    (
        'time_zone = "Europe/Berlin"',
        'time_zone = "Europe/Rostock"',
        "time_zone",
        "time_zone: 'Europe/Rostock' is not an IANA time zone, such as `Europe/Berlin`",
    ),
    (
        'languages = ["de", "en",',
        'languages = ["de", "fr",',
        "languages",
        "languages[1]: no texts in 'fr'; there are de, en, de-simple, nds, da, sv, pl, uk",
    ),
    (
        'url = "http://rostock.localhost:8080"',
        'url = "rostock.localhost"',
        "url",
        "portal.url: 'rostock.localhost' is not an address such as `https://wlan.rostock.de`",
    ),
    (
        'site = "neuer-markt"',
        'site = "alter-markt"',
        "[[seed.",
        "seed: access_points: 'neuer-markt-1' stands at site 'alter-markt', which is not in sites",
    ),
    (
        'name = "neuer-markt-2"',
        'name = "neuer-markt-1"',
        "[[seed.",
        "seed: access_points: 'neuer-markt-1' stands there twice",
    ),
    (
        'url = "http://rostock.localhost:8080"',
        'url = "http://rostock.localhost:80800"',
        "url",
        "portal.url: 'http://rostock.localhost:80800' is not an address such as `https://wlan.rostock.de`",
    ),
    (
        'url = "http://rostock.localhost:8080"',
        'url = "https://wlan.lübeck.de"',
        "url",
        "portal.url: 'https://wlan.lübeck.de' is not an address such as `https://wlan.rostock.de`",
    ),
    (
        'staff_url = "http://staff.rostock.localhost:8080"',
        'staff_url = "http://rostock.localhost:8080/staff"',
        "staff_url",
        "portal.staff_url: 'http://rostock.localhost:8080/staff' has a path; the pages need a host name of their own",
    ),
    (
        "trusted_proxies = []",
        'trusted_proxies = ["caddy"]',
        "trusted_proxies",
        "portal.trusted_proxies[0]: must be a valid IPv4 or IPv6 network",
    ),
    (
        'listen = "127.0.0.1"',
        'listen = "0.0.0.0"',
        "listen",
        "radius.listen: 0.0.0.0 is a wildcard, which may answer from another address than was asked; name one",
    ),
    (
        "acct_port = 12813",
        "acct_port = 12812",
        "[radius]",
        "radius: auth_port and acct_port are the same",
    ),
    (
        "auth_port = 12812\n",
        "",
        "[radius]",
        "radius.auth_port: is missing; add it",
    ),
    (
        'time_zone = "Europe/Berlin"',
        'time_zone = "Europe"',
        "time_zone",
        "time_zone: 'Europe' is not an IANA time zone, such as `Europe/Berlin`",
    ),
    (
        'languages = ["de", "en", "de-simple", "nds", "da", "sv", "pl", "uk"]',
        "languages = []",
        "languages",
        "languages: must have at least 1 item",
    ),
    (
        'email = "wlan@rostock.example"',
        'email = "wlan"',
        "email",
        "contact.email: 'wlan' is not an e-mail address such as `wlan@rostock.de`",
    ),
    (
        'conformance = "partial"',
        'conformance = "full"',
        "[accessibility]",
        "accessibility: `exceptions` names what is not accessible: nothing where conformance is `full`, else something",
    ),
    (
        "reviewed_on = 2026-11-25",
        "reviewed_on = 2026-11-24",
        "[accessibility]",
        "accessibility: reviewed_on 2026-11-24 is before made_on 2026-11-25",
    ),
    (
        'enforcement_url = "https://www.regierung-mv.de"',
        'enforcement_url = "javascript:alert(1)"',
        "enforcement_url",
        "accessibility.enforcement_url: 'javascript:alert(1)' is not an address such as `https://wlan.rostock.de`",
    ),
    (
        "timeout_s = 1.0",
        'timeout_s = "1.0"',
        "timeout_s",
        "monitor.timeout_s: must be a valid number",
    ),
    (
        'name = "Hanse- und Universitätsstadt Rostock"',
        'name = ""',
        "name",
        "name: must have at least 1 character",
    ),
    (
        'key = "stadthafen"',
        'key = "neuer-markt"',
        "[[seed.",
        "seed: access_points: 'stadthafen-1' stands at site 'stadthafen', which is not in sites",
    ),
    (
        'product = "coovachilli"',
        'product = "unify"',
        "product",
        "seed.nases[0].product: no product 'unify'; there are coovachilli, mikrotik, opennds, unifi, aruba, cisco, "
        "ruckus, hostapd, standard",
    ),
    (
        "[limits]",
        "[limits]\ncolour = 1",
        "colour",
        "limits.colour: unknown key; valid are decision_log_days, session_days, account_days, account_mails, "
        "staff_session_minutes, login_attempts, login_window_minutes, voucher_guesses, range_guesses, "
        "city_guesses, nas_guesses, voucher_window_minutes, code_minutes, code_attempts, code_pause_seconds, "
        "codes_device_day, codes_address_day, grace_device_day, voucher_batch_max, page_rows, "
        "access_point_history_days, access_point_event_days",
    ),
    (
        'name = "Hanse- und Universitätsstadt Rostock"',
        'name = "Hanse- und',
        "name",
        "is not TOML: Illegal character '\\n' (at line 5, column 19)",
    ),
    (
        'snmp = "v3"',
        'snmp = "v1"',
        'snmp = "v1"',
        "seed.access_points[5].snmp: must be 'v2c' or 'v3'",
    ),
    (
        'key = "rostock"',
        'key = "rostok"',
        "key",
        "key: is 'rostok', but the file is called rostock.toml",
    ),
]


@pytest.mark.parametrize(("old", "new", "anchor", "reason"), MISTAKES, ids=[mistake[1][:30] for mistake in MISTAKES])
def test_one_mistake_one_sentence(folder: Path, old: str, new: str, anchor: str, reason: str) -> None:
    file = folder / "cities" / "rostock.toml"
    change(file, old, new)
    line = next(number for number, text in enumerate(file.read_text().splitlines(), 1) if text.startswith(anchor))
    found = problems(folder)
    assert found == [f"cities/rostock.toml:{line}: {reason}"]


LISTENER = 'redirect_listen = "127.0.0.1:8081"'
AUTHORITIES = 'controller_ca_file = "authorities.pem"'


def test_two_cities_may_not_redirect_from_one_address(folder: Path) -> None:
    """Both could listen there, and each would get half of the other's guests."""
    for key in ("rostock", "wismar"):
        change(folder / "cities" / f"{key}.toml", "trusted_proxies = []", f"trusted_proxies = []\n{LISTENER}")
    said = "\n".join(problems(folder))
    assert "TCP port 127.0.0.1:8081 is shared with wismar.toml" in said


def test_a_file_of_authorities_stands_beside_the_city_s_or_is_missed(folder: Path) -> None:
    file = folder / "cities" / "rostock.toml"
    change(file, "trusted_proxies = []", f"trusted_proxies = []\n{AUTHORITIES}")
    (said,) = problems(folder)
    assert "portal.controller_ca_file: there is no file" in said
    (authorities := file.with_name("authorities.pem")).write_text("")
    assert problems(folder) == []
    assert load_city(file).portal.controller_ca_file == authorities.resolve()


def test_all_mistakes_of_a_file_at_once(folder: Path) -> None:
    file = folder / "cities" / "wismar.toml"
    change(file, "login_attempts = 10", "login_attempt = 10")
    change(file, "acct_port = 13813", 'acct_port = "x"')
    change(file, "[contact]", "[contacts]")
    found = "\n".join(problems(folder))
    assert "limits.login_attempt: unknown key; did you mean `login_attempts`?" in found
    assert "radius.acct_port: must be a valid integer" in found
    assert "contacts: unknown key; did you mean `contact`?" in found
    assert "contact: is missing; add it" in found


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'key = "wismar\n', "is not TOML"),
        (b"\xff\xfe", "is not UTF-8 (byte 0)"),
        (b"#" * (load.FILE_BYTES_MAX + 1), "is larger than 1,000,000 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(folder: Path, raw: bytes, expected: str) -> None:
    (folder / "cities" / "wismar.toml").write_bytes(raw)
    loaded = load_installation(folder)
    assert [city.key for city in loaded.cities] == ["luebeck", "rostock", "stralsund"]
    assert len(loaded.problems) == 1
    assert "wismar.toml" in str(loaded.problems[0]) and expected in str(loaded.problems[0])


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("auth_port = 13812", "auth_port = 12813", "UDP port 127.0.0.1:12813"),
        ("wismar.localhost:8080", "rostock.localhost:8080", "host name rostock.localhost"),
        ("[database]", '[database]\nurl = "postgresql://k@h/one"', "database h:5432/one"),
    ],
)
def test_two_cities_that_share_something_are_both_refused(folder: Path, old: str, new: str, what: str) -> None:
    change(folder / "cities" / "wismar.toml", old, new)
    rostock = folder / "cities" / "rostock.toml"
    if "database" in what:
        change(rostock, old, new)
    loaded = load_installation(folder)
    assert [city.key for city in loaded.cities] == ["luebeck", "stralsund"]
    said = "\n".join(map(str, loaded.problems))
    assert f"{what} is shared with rostock.toml" in said and f"{what} is shared with wismar.toml" in said


def test_one_database_is_known_by_whatever_url(folder: Path) -> None:
    for key, url in (
        ("rostock", "postgresql://rostock@db.example/kogge?sslmode=require"),
        ("wismar", "postgresql://wismar@db.example:5432/kogge"),
        ("luebeck", "postgresql://luebeck@db.example:5433/kogge"),
    ):
        change(folder / "cities" / f"{key}.toml", "[database]", f'[database]\nurl = "{url}"')
    assert [city.key for city in load_installation(folder).cities] == ["luebeck", "stralsund"]


@pytest.mark.parametrize("number", [5, 40, 151])
def test_a_citys_file_may_stop_anywhere(folder: Path, number: int) -> None:
    """Cut off by a full disk: named, never a traceback."""
    file = folder / "cities" / "rostock.toml"
    file.write_text("\n".join(file.read_text().splitlines()[:number]))
    assert all("cities/rostock.toml" in problem for problem in problems(folder))
    assert len(load_installation(folder).cities) in (3, 4)


def test_every_key_stands_in_what_we_ship(folder: Path) -> None:
    """Set or commented out: an operator learns a key from the file before the manual."""
    for file, model in ((folder / "kogge.toml", Installation), *((f, CityConfig) for f in folder.glob("cities/*"))):
        words = set(re.findall(r"^(?:# )?(\w+) =", file.read_text(), re.MULTILINE))
        missing = {key.rpartition(".")[2] for key in fields_of(model)} - words
        assert not missing, file.name


def test_a_city_may_not_take_the_start_pages_host(folder: Path) -> None:
    change(folder / "kogge.toml", 'start_page_host = ""', 'start_page_host = "rostock.localhost"')
    assert "the installation's portal.start_page_host" in "\n".join(problems(folder))


def test_two_listeners_of_the_installation_need_two_ports(folder: Path) -> None:
    change(folder / "kogge.toml", "127.0.0.1:9107", "127.0.0.1:9106")
    assert "127.0.0.1:9106 stands at two listeners" in problems(folder)[0]


def test_without_kogge_toml_or_cities_nothing_starts(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(BrokenFile, match="cannot be read"):
        load_installation(tmp_path / "nowhere")
    for file in (folder / "cities").glob("*.toml"):
        file.unlink()
    with pytest.raises(BrokenFile, match="no city here"):
        load_installation(folder)


def test_a_password_file_stands_beside_its_city(folder: Path) -> None:
    file = folder / "cities" / "rostock.toml"
    change(file, '# password_file = "../secrets/rostock-database"', 'password_file = "../secrets/rostock"')
    assert load_city(file).database.password_file == folder / "cities" / "../secrets/rostock"
