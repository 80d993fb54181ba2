"""Answer links: 16 random bytes and 8 that sign them together with the compartment, so that the answer window knows
whom to ask without a list, and asks nobody about a forged one. Nothing readable in a link tells the kind of meeting.
"""

import hmac
from base64 import b64decode, urlsafe_b64encode

from contracts.message import Compartment

_RANDOM, _SIGNATURE = 16, 8


def new_link(key: bytes, compartment: Compartment, randomness: bytes) -> str:
    """A link's token: 32 signs of base64url. ``randomness``: 16 bytes that nobody can guess. Raises ValueError."""
    if len(randomness) != _RANDOM:
        raise ValueError(f"a link needs {_RANDOM} random bytes")
    return urlsafe_b64encode(randomness + _sign(key, compartment, randomness)).decode()


def compartment_of(key: bytes, token: str) -> Compartment | None:
    """The compartment that made this link; None when it is not one of ours.

    Takes as long for each compartment and for none, so that time does not tell the kind of meeting.
    """
    try:
        raw = b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:
        return None
    randomness, signature = raw[:_RANDOM], raw[_RANDOM:]
    if urlsafe_b64encode(raw).decode() != token:  # "+" and "/" decode as well, but no link of ours has them
        return None
    found = [one for one in Compartment if hmac.compare_digest(_sign(key, one, randomness), signature)]
    return found[0] if found else None


def _sign(key: bytes, compartment: Compartment, randomness: bytes) -> bytes:
    return hmac.digest(key, randomness + compartment.value.encode(), "sha256")[:_SIGNATURE]
