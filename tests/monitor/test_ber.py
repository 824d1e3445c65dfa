"""Our BER against pysnmp's, on generated messages in both directions; and on octets that are no message."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c

from monitor import ber
from monitor.oids import Counter32, Oid, Value

COMMUNITIES = st.binary(max_size=64)
REQUEST_IDS = st.integers(ber.REQUEST_ID_MIN, ber.REQUEST_ID_MAX)
SUB_IDENTIFIERS = st.one_of(st.integers(0, 300), st.integers(0, ber.SUB_IDENTIFIER_MAX))


@st.composite
def oids(draw: st.DrawFn) -> Oid:
    """Any that X.690 can write and pysnmp reads: 2 to 128 sub-identifiers."""
    root = draw(st.integers(0, 2))
    second = draw(st.integers(0, 39) if root < 2 else st.integers(0, ber.SUB_IDENTIFIER_MAX - 80))
    return (root, second, *draw(st.lists(SUB_IDENTIFIERS, max_size=126)))


def _of(syntax: Any, values: st.SearchStrategy[Any], plain: Any = int) -> st.SearchStrategy[tuple[Any, Value]]:
    """A value as pysnmp has it, and as we do."""
    return values.map(lambda value: (syntax(value), plain(value)))


UNSIGNED_32 = st.one_of(st.integers(0, 300), st.integers(0, 2**32 - 1))
VALUES: st.SearchStrategy[tuple[Any, Value]] = st.one_of(
    _of(v2c.Integer32, st.integers(-(2**31), 2**31 - 1)),
    _of(v2c.OctetString, st.binary(max_size=400), bytes),
    oids().map(lambda oid: (v2c.ObjectIdentifier(oid), oid)),
    st.binary(min_size=4, max_size=4).map(lambda octets: (v2c.IpAddress(".".join(map(str, octets))), octets)),
    _of(v2c.Counter32, UNSIGNED_32, Counter32),
    _of(v2c.Gauge32, UNSIGNED_32),
    _of(v2c.Unsigned32, UNSIGNED_32),
    _of(v2c.TimeTicks, UNSIGNED_32),
    _of(v2c.Opaque, st.binary(max_size=200), bytes),
    _of(v2c.Counter64, st.one_of(st.integers(0, 300), st.integers(0, 2**64 - 1))),
    st.sampled_from([v2c.NoSuchObject(""), v2c.NoSuchInstance(""), v2c.EndOfMibView(""), v2c.Null("")]).map(
        lambda nothing: (nothing, None)
    ),
)


def response(community: bytes, request_id: int, status: int, varbinds: list[tuple[Oid, Any]]) -> bytes:
    pdu = v2c.ResponsePDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, request_id)
    v2c.apiPDU.set_error_status(pdu, status)
    v2c.apiPDU.set_varbinds(pdu, varbinds)
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


@example(b"", -(2**31), 0, [])  # pyasn1 takes five octets for it
@given(COMMUNITIES, st.integers(-(2**31), 2**31 - 1), st.integers(0, 18), st.lists(st.tuples(oids(), VALUES)))
def test_what_pysnmp_writes_we_read(
    community: bytes, request_id: int, status: int, rows: list[tuple[Oid, tuple[Any, Value]]]
) -> None:
    data = response(community, request_id, status, [(oid, theirs) for oid, (theirs, _) in rows])
    message = ber.message(data)
    assert (message.community, message.request_id, message.status) == (community, request_id, status)
    assert message.kind == ber.RESPONSE
    found = ber.varbinds(data, message.start, message.end, len(rows))
    assert found == [(oid, ours) for oid, (_, ours) in rows]
    assert [type(value) for _, value in found] == [type(ours) for _, (_, ours) in rows]


@given(
    COMMUNITIES,
    REQUEST_IDS,
    st.sampled_from([ber.GET, ber.GET_NEXT, ber.GET_BULK]),
    st.lists(oids(), max_size=60),
    st.integers(0, 2**31 - 1),
)
def test_what_we_write_pysnmp_reads(
    community: bytes, request_id: int, kind: int, names: list[Oid], repetitions: int
) -> None:
    data = ber.request(kind, community, names, request_id, repetitions if kind == ber.GET_BULK else 0)
    message, rest = decoder.decode(data, asn1Spec=v2c.Message())
    assert not rest and int(message[0]) == ber.VERSION_2C
    assert bytes(v2c.apiMessage.get_community(message)) == community
    pdu = v2c.apiMessage.get_pdu(message)
    kinds = {ber.GET: v2c.GetRequestPDU, ber.GET_NEXT: v2c.GetNextRequestPDU, ber.GET_BULK: v2c.GetBulkRequestPDU}
    assert pdu.tagSet == kinds[kind].tagSet and int(v2c.apiPDU.get_request_id(pdu)) == request_id
    if kind == ber.GET_BULK:
        assert int(v2c.apiBulkPDU.get_non_repeaters(pdu)) == 0
        assert int(v2c.apiBulkPDU.get_max_repetitions(pdu)) == repetitions
    assert [tuple(name) for name, _ in v2c.apiPDU.get_varbinds(pdu)] == names


@given(COMMUNITIES, REQUEST_IDS, st.lists(oids(), max_size=20))
def test_a_question_is_what_pysnmp_would_write_octet_for_octet(community: bytes, number: int, names: list[Oid]) -> None:
    pdu = v2c.GetRequestPDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, number)
    v2c.apiPDU.set_varbinds(pdu, [(oid, v2c.Null("")) for oid in names])
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, pdu)
    assert ber.request(ber.GET, community, names, number) == encoder.encode(message)


def read(data: bytes, most: int = 400) -> list[tuple[Oid, Value]]:
    message = ber.message(data)
    return ber.varbinds(data, message.start, message.end, most)


@given(st.binary(max_size=300))
def test_octets_at_random_are_refused_or_read_and_nothing_else(data: bytes) -> None:
    with contextlib.suppress(ber.BerError):
        read(data)


ROWS = [((1, 3, 6, 1, 2, 1, 1, 3, 0), v2c.TimeTicks(5)), ((1, 3, 6, 1, 2, 1, 1, 5, 0), v2c.OctetString(b"x" * 300))]
SOUND = response(b"public", 77, 0, ROWS)


@given(st.data())
def test_a_sound_message_with_some_octets_changed_is_refused_or_read_and_nothing_else(data: st.DataObject) -> None:
    octets = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(octets)))
    for crooked in (bytes(octets), bytes(octets[:cut])):
        with contextlib.suppress(ber.BerError):
            read(crooked)


@pytest.mark.parametrize("cut", range(0, len(SOUND), 7))
def test_a_message_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(ber.BerError):
        read(SOUND[:cut])


def crooked(value: bytes, name: bytes = b"\x06\x03\x2b\x06\x01") -> bytes:
    """A response with one varbind of these octets."""

    def tlv(tag: int, content: bytes) -> bytes:
        size = len(content)
        return bytes((tag,)) + (bytes((size,)) if size < 128 else b"\x82" + size.to_bytes(2, "big")) + content

    pdu = tlv(0xA2, b"\x02\x01\x07\x02\x01\x00\x02\x01\x00" + tlv(0x30, tlv(0x30, name + value)))
    return tlv(0x30, b"\x02\x01\x01\x04\x06public" + pdu)


@pytest.mark.parametrize(
    "data",
    [
        crooked(b"\x02\x00"),
        crooked(b"\x02\x05\x00\xff\xff\xff\xff"),
        crooked(b"\x02\x06" + bytes(6)),
        crooked(b"\x41\x05\x01\x00\x00\x00\x00"),
        crooked(b"\x46\x09\x01" + bytes(8)),
        crooked(b"\x46\x0a" + bytes(10)),
        crooked(b"\x40\x03\x0a\x00\x00"),
        crooked(b"\x05\x01\x00"),
        crooked(b"\x82\x01\x00"),
        crooked(b"\x04\x80x\x00\x00"),
        crooked(b"\x04\x85\x00\x00\x00\x00\x01x"),
        crooked(b"\x04\x02x"),
        crooked(b"\x04\x01xy"),
        crooked(b"\x31\x00"),
        crooked(b"\x02\x01\x01", name=b"\x04\x01x"),
        crooked(b"\x02\x01\x01", name=b"\x06\x03\x2b\x06\x81"),
        crooked(b"\x02\x01\x01", name=b"\x06\x03\x2b\x80\x01"),
        crooked(b"\x02\x01\x01", name=b"\x06\x06\x2b\x90\x80\x80\x80\x00"),
        crooked(b"\x02\x01\x01", name=b"\x06\x81\x81\x2b" + bytes(128)),
        SOUND.replace(b"\x02\x01\x01", b"\x02\x01\x00", 1),
        SOUND.replace(b"\x02\x01\x01", b"\x02\x01\x03", 1),
        SOUND + b"\x00",
    ],
)
def test_what_is_not_to_be_believed_is_refused(data: bytes) -> None:
    with pytest.raises(ber.BerError):
        read(data)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\x42\x04\xff\xff\xff\xfe", 2**32 - 2),  # without the zero octet before it
        (b"\x46\x09\x00" + b"\xff" * 8, 2**64 - 1),
        (b"\x06\x00", (0, 0)),
        (b"\x02\x05\xff\x80\x00\x00\x00", -(2**31)),  # as pyasn1 writes it
        (b"\x02\x84\x00\x00\x00\x01\xff", -1),  # a length that is longer than it need be
    ],
)
def test_what_real_agents_write_otherwise_is_read(value: bytes, expected: Value) -> None:
    assert read(crooked(value)) == [((1, 3, 6, 1), expected)]


def test_a_bound_on_varbinds() -> None:
    assert len(read(SOUND, most=2)) == 2
    with pytest.raises(ber.BerError, match="more than 1"):
        read(SOUND, most=1)


@pytest.mark.parametrize("oid", [(), (1,), (3, 1), (1, 40), (1, 3, -1), (1, 3, *range(127))])
def test_no_object_identifier_is_not_asked_for(oid: Oid) -> None:
    with pytest.raises(ValueError, match="no object identifier"):
        ber.request(ber.GET, b"public", [oid], ber.REQUEST_ID_MIN)
