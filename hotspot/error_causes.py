"""Why a NAS refused a Disconnect or CoA, in words: RFC 5176 section 3.5 and RFC 3576's list, as a table."""

from __future__ import annotations

INVALID_REQUEST = 404
UNSUPPORTED_EXTENSION = 406
NOT_ROUTABLE = 502
SESSION_NOT_FOUND = 503

ERROR_CAUSES: dict[int, str] = {
    201: "Residual Session Context Removed",
    202: "Invalid EAP Packet",
    401: "Unsupported Attribute",
    402: "Missing Attribute",
    403: "NAS Identification Mismatch",
    INVALID_REQUEST: "Invalid Request",
    405: "Unsupported Service",
    UNSUPPORTED_EXTENSION: "Unsupported Extension",
    407: "Invalid Attribute Value",
    501: "Administratively Prohibited",
    NOT_ROUTABLE: "Request Not Routable",
    SESSION_NOT_FOUND: "Session Context Not Found",
    504: "Session Context Not Removable",
    505: "Other Proxy Processing Error",
    506: "Resources Unavailable",
    507: "Request Initiated",
    508: "Multiple Session Selection Unsupported",
}
"""By value of Error-Cause, attribute 101."""

OWN_CAUSES: dict[int, str] = {
    INVALID_REQUEST: "the session has no grant, so there are no limits to tell",
    UNSUPPORTED_EXTENSION: "the NAS takes no such request",
    NOT_ROUTABLE: "the NAS was removed, or its address is not known",
    SESSION_NOT_FOUND: "the session is over",
}
"""What it means where we concluded an order ourselves, before any request went out."""


def in_words(cause: int | None, *, asked: bool) -> str:
    """`503 Session Context Not Found`; with our own explanation where the NAS was never `asked`."""
    if cause is None:
        return "no Error-Cause given"
    name = f"{cause} {ERROR_CAUSES.get(cause, 'unknown to RFC 5176')}"
    own = None if asked else OWN_CAUSES.get(cause)
    return f"{name} ({own})" if own else name
