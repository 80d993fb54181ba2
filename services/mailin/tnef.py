"""winmail.dat: what Outlook makes of an answer when it writes rich text (MS-OXTNEF). Only its class is read."""

import struct

from contracts.mail_answers import Said

_SIGNATURE = 0x223E9F78
_MESSAGE_CLASS = 0x00078008
MOST_ATTRIBUTES = 1_000
_CLASSES = {
    b"ipm.schedule.meeting.resp.pos": Said.ACCEPTED,
    b"ipm.schedule.meeting.resp.neg": Said.DECLINED,
    b"ipm.schedule.meeting.resp.tent": Said.TENTATIVE,
    b"ipm.microsoft schedule.mtgrespp": Said.ACCEPTED,
    b"ipm.microsoft schedule.mtgrespn": Said.DECLINED,
    b"ipm.microsoft schedule.mtgrespa": Said.TENTATIVE,
}


def response_of(data: bytes) -> Said | None:
    """The answer; None for any other message and for what is no TNEF stream."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return None
    at = 6
    for _ in range(MOST_ATTRIBUTES):
        if at + 9 > len(data):
            return None
        attribute, length = struct.unpack_from("<II", data, at + 1)
        if attribute == _MESSAGE_CLASS:
            return _CLASSES.get(data[at + 9 : at + 9 + min(length, 100)].split(b"\0")[0].lower())
        at += 9 + length + 2  # level, id, length; data; checksum
    return None
