"""NASes whose controller the portal calls: UniFi and SmartZone, against controllers that behave as documented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from hotspot.access import Accept
from hotspot.errors import InputError
from portal.captive.controllers import CallError, Controllers
from portal.captive.handoff.methods import METHODS
from portal.captive.handoff.protocol import (
    Admitted,
    Arrival,
    Failed,
    ForgedError,
    GoTo,
    HandOff,
    Inbound,
    Result,
)
from portal.captive.sentences import FAILURES
from store.nases import Nas
from tests.support.controller import Behaviour, SmartZone, Told, Unifi, UnifiWithKey, listening
from tests.support.handoffs import PHONE, handing_of, inbound_of, nas_of

ACCEPT = Accept(
    grant_id=1,
    device_id=1,
    session_seconds=3_659,
    idle_seconds=600,
    rate_down_bps=4_000_000,
    rate_up_bps=1_000_000,
    octets_left=500 * 1_048_576 + 1,
)
UNLIMITED = Accept(1, 1, 45, 600, 0, 0, None)
REDIRECT = "http://portal.example/guest/s/default/?ap=b8-be-bf-14-41-90&id=02:00:00:00:00:11&t=1742398732&url=http://example.org/wanted&ssid=WLAN"


def unifi_nas(handoff: str, **changes: Any) -> Nas:
    values = {"nas_identifier": "default", "uam_secret": b"kogge:a-long-password", "login_url": "http://127.0.0.1:9"}
    return nas_of("unifi", handoff=handoff, **(values | changes))


def hand(behaviour: Behaviour, nas: Nas, step: str = "hand_off", **changes: Any) -> HandOff | None:
    """One hand-off to a controller that listens meanwhile."""
    with listening(behaviour) as url:
        return hand_at(url, nas, step, **changes)


def hand_at(
    url: str, nas: Nas, step: str = "hand_off", *, lines: Controllers | None = None, **changes: Any
) -> HandOff | None:
    handing = handing_of(
        replace(nas, login_url=url), **({"accept": ACCEPT, "controllers": lines or Controllers()} | changes)
    )
    made: HandOff | None = getattr(METHODS[nas.handoff], step)(handing)
    return made


# UniFi: the redirect ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("handoff", ["unifi-classic", "unifi-os", "unifi-key"])
def test_unifi_s_golden_redirect(handoff: str) -> None:
    arrival = METHODS[handoff].read(inbound_of(REDIRECT), unifi_nas(handoff))
    assert arrival == Arrival(
        Result.NOT_YET, PHONE, back={"ap": "b8:be:bf:14:41:90"}, user_url="http://example.org/wanted"
    )


@pytest.mark.parametrize("change", [("id=02:00:00:00:00:11", "id="), ("ap=b8-", "ap=zz-"), ("id=02", "id=\0")])
def test_a_unifi_redirect_without_a_device_is_malformed(change: tuple[str, str]) -> None:
    with pytest.raises(InputError):
        METHODS["unifi-os"].read(inbound_of(REDIRECT.replace(*change)), unifi_nas("unifi-os"))


# UniFi: the calls ---------------------------------------------------------------------------------------------


BACK = {"ap": "b8:be:bf:14:41:90"}
AUTHORIZED = {
    "cmd": "authorize-guest",
    "mac": "02:00:00:00:00:11",
    "minutes": 60,
    "up": 1_000,
    "down": 4_000,
    "bytes": 500,
    "ap_mac": "b8:be:bf:14:41:90",
}

BY_PASSWORD = pytest.mark.parametrize(
    ("handoff", "make"),
    [
        ("unifi-classic", Unifi),
        ("unifi-os", lambda **more: Unifi(prefix="/proxy/network", log_in="/api/auth/login", **more)),
    ],
)


@BY_PASSWORD
def test_unifi_is_told_by_a_command(handoff: str, make: Callable[..., Unifi]) -> None:
    controller = make()
    assert hand(controller, unifi_nas(handoff), back=BACK) == Admitted("a+b/c=")
    assert controller.commands == [AUTHORIZED]


@BY_PASSWORD
def test_unifi_is_told_no_limit_that_there_is_none_of(handoff: str, make: Callable[..., Unifi]) -> None:
    controller = make()
    hand(controller, unifi_nas(handoff), back={"ap": ""}, accept=UNLIMITED)
    assert controller.commands == [{"cmd": "authorize-guest", "mac": "02:00:00:00:00:11", "minutes": 1}]


@BY_PASSWORD
def test_unifi_lets_go(handoff: str, make: Callable[..., Unifi]) -> None:
    controller = make()
    assert isinstance(hand(controller, unifi_nas(handoff), "log_off", accept=None), Admitted)
    assert controller.commands == [{"cmd": "unauthorize-guest", "mac": "02:00:00:00:00:11"}]


@BY_PASSWORD
def test_a_log_in_at_unifi_is_kept_and_made_anew_once_it_has_expired(handoff: str, make: Callable[..., Unifi]) -> None:
    controller, lines = make(), Controllers()
    with listening(controller) as url:
        for _ in range(3):
            assert isinstance(hand_at(url, unifi_nas(handoff), back=BACK, lines=lines), Admitted)
        assert controller.log_ins == 1
        controller.session = ""  # it was restarted
        assert isinstance(hand_at(url, unifi_nas(handoff), back=BACK, lines=lines), Admitted)
        assert controller.log_ins == 2


@BY_PASSWORD
def test_what_goes_wrong_at_unifi_has_a_reason(handoff: str, make: Callable[..., Unifi]) -> None:
    wrong = hand(make(account=("kogge", "another")), unifi_nas(handoff), back=BACK)
    assert wrong == Failed("unauthorized")
    assert hand(make(site="elsewhere"), unifi_nas(handoff), back=BACK) == Failed("refused")
    assert hand(lambda _: Told(429), unifi_nas(handoff), back=BACK) == Failed("busy")
    assert hand_at("http://127.0.0.1:9", unifi_nas(handoff), back=BACK) == Failed("away")


def key_nas(**changes: Any) -> Nas:
    return unifi_nas("unifi-key", **({"uam_secret": b"an-api-key-of-length"} | changes))


def test_unifi_is_told_by_an_action() -> None:
    controller, lines = UnifiWithKey(), Controllers()
    with listening(controller) as url:
        for _ in range(2):
            assert hand_at(url, key_nas(), back=BACK, lines=lines) == Admitted("a+b/c=")
        assert isinstance(hand_at(url, key_nas(), "log_off", lines=lines), Admitted)
    limits = {"dataUsageLimitMBytes": 500, "rxRateLimitKbps": 4_000, "txRateLimitKbps": 1_000}
    authorize = {"action": "AUTHORIZE_GUEST_ACCESS", "timeLimitMinutes": 60, **limits}
    site = "22222222-2222-4222-8222-222222222222"
    assert controller.actions == [(site, authorize), (site, authorize), (site, {"action": "UNAUTHORIZE_GUEST_ACCESS"})]
    assert controller.lists == 1, "the site's id is kept"


@pytest.mark.parametrize(
    ("controller", "changes", "reason"),
    [
        (UnifiWithKey(key="another-key-of-length"), {}, "unauthorized"),
        (UnifiWithKey(), {"nas_identifier": "nowhere"}, "unknown_site"),
        (UnifiWithKey(present=frozenset()), {}, "unknown_device"),
        (UnifiWithKey(client="../../sites"), {}, "garbled"),
        (UnifiWithKey(sites=(("a/../b", "default"),)), {}, "garbled"),
        (lambda _: Told(500), {}, "refused"),
        (lambda _: Told(200, {"data": "nonsense"}), {}, "unknown_site"),
    ],
)
def test_what_goes_wrong_with_a_key_has_a_reason(controller: Behaviour, changes: dict[str, Any], reason: str) -> None:
    assert hand(controller, key_nas(**changes), back=BACK) == Failed(reason)
    assert reason in FAILURES


# SmartZone ------------------------------------------------------------------------------------------------------


CIPHER = "ENC1d88cf9ea7ff4e9e4e1f6c3f1a3a8e7e"
ZONE: dict[str, str] = {
    "nbiIP": "192.0.2.80",
    "client_mac": "02:00:00:00:00:11",
    "uip": "10.0.0.9",
    "url": "http://example.org/wanted",
    "reason": "Un-Auth-Captive",
    "ssid": "WLAN",
    "proxy": "0",
}


def zone_nas(**changes: Any) -> Nas:
    values = {"handoff": "smartzone", "uam_secret": b"kogge:a-long-password", "login_url": "https://192.0.2.80:9443"}
    return nas_of("ruckus", **(values | changes))


def arrive(nas: Nas, lines: Controllers | None = None, **changes: str) -> Arrival:
    plain = inbound_of(f"http://portal.example/at/x?{urlencode(ZONE | changes, quote_via=quote)}")
    return METHODS["smartzone"].read(Inbound(plain.url, plain.query, plain.fields, lines), nas)


def test_smartzone_s_golden_redirect() -> None:
    assert arrive(zone_nas()) == Arrival(
        Result.NOT_YET,
        PHONE,
        back={"mac": "02:00:00:00:00:11", "ip": "10.0.0.9"},
        user_url="http://example.org/wanted",
    )


def test_a_smartzone_of_another_address_is_forged() -> None:
    with pytest.raises(ForgedError):
        arrive(zone_nas(), nbiIP="192.0.2.66")


def test_an_encrypted_address_is_read_by_its_controller_alone() -> None:
    controller, lines = SmartZone(encrypted={CIPHER: "02:00:00:00:00:11"}), Controllers()
    with listening(controller) as url:
        nas = zone_nas(login_url=url)
        arrival = arrive(nas, lines, nbiIP="", client_mac=CIPHER, uip=CIPHER)
        assert (arrival.mac, arrival.back) == (PHONE, {"mac": CIPHER, "ip": CIPHER})
        handed = METHODS["smartzone"].hand_off(handing_of(nas, back=arrival.back, controllers=lines))
    assert handed == Admitted("a+b/c=")
    decrypt, login = controller.asked
    assert (decrypt["RequestCategory"], decrypt["RequestType"], decrypt["Data"]) == ("GetConfig", "Decrypt", CIPHER)
    assert login == {
        "Vendor": "ruckus",
        "APIVersion": "1.0",
        "RequestUserName": "kogge",
        "RequestCategory": "UserOnlineControl",
        "RequestType": "Login",
        "UE-MAC": CIPHER,
        "UE-IP": CIPHER,
        "UE-Proxy": "0",
        "UE-Username": "a+b/c=",
        "UE-Password": "ostsee1",
    }


def test_an_encrypted_address_that_its_controller_does_not_know_is_malformed() -> None:
    with listening(SmartZone()) as url, pytest.raises(InputError):
        arrive(zone_nas(login_url=url), Controllers(), nbiIP="", client_mac=CIPHER)


def test_an_encrypted_address_waits_for_a_dead_controller_no_longer_than_a_call() -> None:
    with pytest.raises(CallError, match="away"):
        arrive(zone_nas(login_url="http://127.0.0.1:9"), Controllers(), nbiIP="", client_mac=CIPHER)


@pytest.mark.parametrize("mac", ["ENC", "ENC<script>aaaaaaa", f"ENC{'a' * 300}", "ENCabc\0defgh"])
def test_what_is_no_cipher_text_asks_nobody(mac: str) -> None:
    controller = SmartZone()
    with listening(controller) as url, pytest.raises(InputError):
        arrive(zone_nas(login_url=url), Controllers(), nbiIP="", client_mac=mac)
    assert controller.asked == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (101, Admitted("a+b/c=")),
        (201, Admitted("a+b/c=")),
        (300, Failed("unknown_device", "x")),
        (301, Failed("refused", "x")),
        (401, Failed("slow", "x")),
        (999, Failed("refused", "x")),
        ("nonsense", Failed("garbled", "x")),
    ],
)
def test_smartzone_s_answers(code: object, expected: HandOff) -> None:
    controller = SmartZone(answer={"ResponseCode": code, "ReplyMessage": "x"})
    assert hand(controller, zone_nas(), back={"mac": "02:00:00:00:00:11", "ip": ""}) == expected


def test_smartzone_with_another_password() -> None:
    nas = zone_nas(uam_secret=b"a-password-alone")
    assert hand(SmartZone(), nas, back={"mac": "", "ip": ""}) == Failed("unauthorized", "Wrong request password")
    assert isinstance(hand(SmartZone(account=(None, "a-password-alone")), nas, back={"mac": "", "ip": ""}), Admitted)  # type: ignore[arg-type]


def test_smartzone_lets_go() -> None:
    controller = SmartZone(answer={"ResponseCode": 200})
    handed = hand(controller, zone_nas(), "log_off", back={"mac": "02:00:00:00:00:11", "ip": ""})
    assert isinstance(handed, Admitted) and controller.asked[0]["RequestType"] == "Logout"


# Meraki's click-through ---------------------------------------------------------------------------------------


GRANT = "https://n143.network-auth.com/splash/grant"


def test_meraki_s_grant_address_is_the_registered_one() -> None:
    nas = nas_of("cisco", handoff="meraki-click", login_url=GRANT)
    method = METHODS["meraki-click"]
    redirect = {
        "base_grant_url": GRANT,
        "user_continue_url": "http://example.org/wanted",
        "node_id": "1301936",
        "node_mac": "00:18:0a:13:dd:b0",
        "gateway_id": "1301936",
        "client_ip": "10.162.50.40",
        "client_mac": "02:00:00:00:00:11",
    }
    arrival = method.read(inbound_of(f"http://portal.example/at/x?{urlencode(redirect)}"), nas)
    assert arrival == Arrival(Result.NOT_YET, PHONE, user_url="http://example.org/wanted")
    handed = method.hand_off(handing_of(nas, accept=ACCEPT))
    landing = quote("http://portal.example/status?visit=x", safe="")
    assert handed == GoTo(f"{GRANT}?continue_url={landing}&duration=3659", "a+b/c=")
    with pytest.raises(ForgedError):
        method.read(inbound_of(f"http://portal.example/?base_grant_url=https://evil.example&client_mac={PHONE}"), nas)
