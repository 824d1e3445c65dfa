"""What Linux tells about a UDP socket's queue; nothing where another system does not."""

from __future__ import annotations

import socket
import struct

_SO_MEMINFO = 55  # include/uapi/asm-generic/socket.h, Linux 4.12 and later
_MEMINFO = struct.Struct("=9I")  # enum in include/uapi/linux/sock_diag.h
_SK_MEMINFO_DROPS = 8

COUNTS = 1 << 32
"""The kernel's counter of drops begins anew after so many."""


def receive_buffer_bytes(opened: socket.socket) -> int:
    """What SO_RCVBUF was granted, half of it for bookkeeping (socket(7)); `net.core.rmem_max` is its bound."""
    return opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def drops(opened: socket.socket) -> int:
    """Datagrams the kernel threw away since the socket was opened, modulo `COUNTS`: no room, or a wrong checksum."""
    try:
        told = opened.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
    except OSError:  # no such option here
        return 0
    return int(_MEMINFO.unpack(told)[_SK_MEMINFO_DROPS]) if len(told) == _MEMINFO.size else 0
