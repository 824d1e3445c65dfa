"""What smart clients read instead of a page: XML in a comment of HTML ("WISPr 1.0", Appendix D).

A gateway that leaves this to its portal (CoovaChilli: `nouamwispr`) gets a log-in address here that knows the device;
the gateway's own does not name it.
"""

from __future__ import annotations

from enum import IntEnum
from xml.sax.saxutils import escape


class Message(IntEnum):
    """MessageType."""

    REDIRECT = 100
    AUTHENTICATION = 120
    LOGOFF = 130
    POLL = 140


class Code(IntEnum):
    """ResponseCode."""

    NO_ERROR = 0
    LOGGED_IN = 50
    REJECTED = 100
    NO_ANSWER = 102
    LOGGED_OFF = 150
    PENDING = 201


_ELEMENTS = {
    Message.REDIRECT: "Redirect",
    Message.AUTHENTICATION: "AuthenticationReply",
    Message.LOGOFF: "LogoffReply",
    Message.POLL: "AuthenticationPollReply",
}

_ROOT = (
    '<WISPAccessGatewayParam xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:noNamespaceSchemaLocation="http://www.acmewisp.com/WISPAccessGatewayParam.xsd">'
)


def comment(message: Message, code: Code, **fields: str) -> str:
    """The XML in its comment; `fields` by the schema's names, empty ones are left out."""
    element = _ELEMENTS[message]
    told = {"MessageType": str(int(message)), "ResponseCode": str(int(code)), **fields}
    inner = "".join(f"<{name}>{_text(text)}</{name}>" for name, text in told.items() if text)
    xml = f'<?xml version="1.0" encoding="UTF-8"?>{_ROOT}<{element}>{inner}</{element}></WISPAccessGatewayParam>'
    return f"<!--{xml}-->"


def _text(text: str) -> str:
    """Two dashes in a row end a comment for some readers; sealed tokens may have them."""
    return escape(text).replace("--", "-&#45;")


def invitation(login_url: str, gateway: str, place: str) -> str:
    """Where to log in. `gateway`: the NAS's registered address."""
    return comment(
        Message.REDIRECT,
        Code.NO_ERROR,
        AccessProcedure="1.0",
        LocationName=place,
        LoginURL=login_url,
        AbortLoginURL=f"{gateway}/logoff",
    )


def logged_in(gateway: str) -> str:
    return comment(Message.POLL, Code.LOGGED_IN, LogoffURL=f"{gateway}/logoff")


def logged_off() -> str:
    return comment(Message.LOGOFF, Code.LOGGED_OFF)


def failed(sentence: str, *, rejected: bool) -> str:
    """The gateway's answer to a log-in that came to nothing."""
    return comment(Message.POLL, Code.REJECTED if rejected else Code.NO_ANSWER, ReplyMessage=sentence)


def refused(sentence: str) -> str:
    """The portal's own answer to a log-in."""
    return comment(Message.AUTHENTICATION, Code.REJECTED, ReplyMessage=sentence)


def pending(results_url: str) -> str:
    """The portal agrees; the gateway's answer is fetched at this address."""
    return comment(Message.AUTHENTICATION, Code.PENDING, LoginResultsURL=results_url)
