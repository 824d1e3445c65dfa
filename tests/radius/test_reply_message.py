"""What a refusal says: every reason in every language, within an attribute's room, whole characters, with its word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import LANGUAGES
from hotspot.access import Reason
from radius import wire
from radius.reply_message import ReplyMessages
from radius.wire import Attr, Code
from service.reasons import MESSAGE_OCTETS_MAX, message, reason_of

MESSAGES = ReplyMessages(["de", "en"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_in_every_language(reason: Reason, language: str) -> None:
    said = ReplyMessages(LANGUAGES).of(reason, language)
    assert said.endswith(f" [{reason.value}]".encode()) and len(said) <= MESSAGE_OCTETS_MAX
    assert ". [" in said.decode(), "no sentence of ours is so long that it is cut"
    assert reason_of(said.decode()) is reason


def test_the_language_is_the_resident_s_or_the_city_s_first() -> None:
    assert MESSAGES.of(Reason.DAILY_VOLUME_USED, "en") == (
        b"Today's data volume is used up for this device. It begins anew at midnight. [daily_volume_used]"
    )
    assert MESSAGES.of(Reason.GRANT_EXPIRED, "de").startswith(b"Ihre Zeit ist ")
    for unknown in ("", "pl", "../en"):
        assert MESSAGES.of(Reason.BLOCKED, unknown) == MESSAGES.of(Reason.BLOCKED, "de")
    assert ReplyMessages(["en"]).of(Reason.BLOCKED, "de") == MESSAGES.of(Reason.BLOCKED, "en")


@given(st.text(max_size=300), st.sampled_from(Reason))
def test_a_long_sentence_is_cut_between_characters_and_keeps_its_word(sentence: str, reason: Reason) -> None:
    sentence = sentence.encode(errors="ignore").decode()
    said = message(sentence, reason)
    assert len(said.encode()) <= MESSAGE_OCTETS_MAX
    assert reason_of(said) is reason
    assert sentence.startswith(said.removesuffix(f" [{reason.value}]"))


def test_it_fits_one_attribute_of_a_reject() -> None:
    request = wire.parse(bytes((1, 7, 0, 20)) + bytes(16))
    said = message("ü" * 300, Reason.BLOCKED).encode()
    reply = wire.parse(wire.encode_reply(request, Code.ACCESS_REJECT, [(Attr.REPLY_MESSAGE, said)], b"secret"))
    assert reply.text(Attr.REPLY_MESSAGE) == "ü" * 121 + " [blocked]"
