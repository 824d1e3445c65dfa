"""What an operator is told of each reason why an access point does not answer, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from hotspot.fleet import PollFailure

FAILURES: Mapping[PollFailure, str] = {
    PollFailure.TIMEOUT: (
        "It did not answer in time. Is it on, and reachable from this machine (ping)? SNMPv2c meets a wrong community "
        "with silence: compare it. Is SNMP switched on there, for this machine's address, and UDP let through?"
    ),
    PollFailure.AUTHENTICATION: (
        "It answers, but not to this credential. Compare user and passwords: authPriv with SHA-256 and AES-128."
    ),
    PollFailure.UNREACHABLE: (
        "The network says that nobody is there: no route, or nothing listens at this port. Compare address and port; "
        "is SNMP switched on there?"
    ),
    PollFailure.MALFORMED: (
        "It answers with something that is no SNMP as the standards say. Is something else at this port? Updating its "
        "firmware may help; the monitor's log has the detail."
    ),
    PollFailure.LOST: (
        "Its controller no longer lists it as connected. Look there: its power, its cable, its licence. If it is gone "
        "for good: kogge ap retire."
    ),
}

CONTROLLER_SILENT = "Its controller does not answer, so nobody knows. See the controller."


def advice(failure: str | None) -> str:
    """Empty for a word of another version."""
    return FAILURES[PollFailure(failure)] if failure in set(PollFailure) else ""
