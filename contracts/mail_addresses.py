"""Addresses that mail comes back to: ``answer+TOKEN@…`` for replies, ``bounce+TOKEN@…`` for reports of delivery.

A token is 16 bytes that name a seat or a notice, and 8 that sign them together with use and compartment, as answer
links are signed (contracts/links.py). Base32 in small letters, because relays change the case of a local part. Whoever
has no key can tell neither whether a token is ours nor of which kind of meeting. It is no link: calendars are shared,
and who reads one there must not open the answer window with it.
"""

import hmac
import re
from base64 import b32decode, b32encode
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from pydantic import StringConstraints

from contracts.message import Compartment

Use = Literal["answer", "bounce"]
"""What an address is for: ``answer`` names a seat by its calendar UID, ``bounce`` a notice."""
MailToken = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{39}$")]

_REF, _SIGNATURE = 16, 8
_LOCAL_PART = re.compile(r"(answer|bounce)\+([a-z2-7]{39})")


class MailAddress(NamedTuple):
    """What an address of ours says."""

    use: Use
    token: str


def mail_token(key: bytes, use: Use, compartment: Compartment, ref: UUID) -> str:
    """The token for one seat or notice: always the same, so that a calendar's organiser never changes (RFC 5546)."""
    return b32encode(ref.bytes + _sign(key, use, compartment, ref.bytes)).decode().rstrip("=").lower()


def compartment_of_mail(key: bytes, use: Use, token: str) -> Compartment | None:
    """The compartment that made this token for this use; None when it is not one of ours.

    Takes as long for each compartment and for none, so that time does not tell the kind of meeting.
    """
    try:
        raw = _raw(token)
    except ValueError:
        return None
    found = [one for one in Compartment if hmac.compare_digest(_sign(key, use, one, raw[:_REF]), raw[_REF:])]
    return found[0] if found else None


def ref_of_mail(token: str) -> UUID:
    """What a token names. That it is signed is not looked at. Raises ValueError for what is no token."""
    return UUID(bytes=_raw(token)[:_REF])


def mail_address(use: Use, token: str, domain: str) -> str:
    """Where to write to."""
    return f"{use}+{token}@{domain}"


def read_address(address: str, domain: str) -> MailAddress | None:
    """What is said by an address of this domain; None for any other. Not case-sensitive."""
    local, at, where = address.strip().strip("<>").lower().rpartition("@")
    found = _LOCAL_PART.fullmatch(local) if at and where == domain.lower() else None
    if found is None:
        return None
    return MailAddress("answer" if found[1] == "answer" else "bounce", found[2])


def _raw(token: str) -> bytes:
    raw = b32decode(token.upper() + "=")
    if len(raw) != _REF + _SIGNATURE or b32encode(raw).decode().rstrip("=").lower() != token:
        raise ValueError("not a token of ours")
    return raw


def _sign(key: bytes, use: Use, compartment: Compartment, ref: bytes) -> bytes:
    """The length of a link's randomness is another, so that no link's signature is one of these."""
    return hmac.digest(key, b"mail " + use.encode() + b" " + ref + compartment.value.encode(), "sha256")[:_SIGNATURE]
