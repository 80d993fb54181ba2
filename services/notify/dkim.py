"""DKIM: signs each mail for the municipality's own domain, so that receivers believe its From (RFC 6376, DMARC).

Our mails are ASCII with every header written by us, so the general library's parsing and its arithmetic in Python
(some 20 ms a mail) are not needed: hashing is the standard library's, RSA is OpenSSL's. A library of other people's
making is the judge in the tests.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

SIGNED = (
    *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Auto-Submitted", "List-Id"),
    *("List-Unsubscribe", "List-Unsubscribe-Post"),
)
"""The headers that are signed where they stand (RFC 6376 5.4.1; the last two: RFC 8058 4)."""
ONCE = ("From", "Subject", "Date")
"""Named once more than they stand, so that whoever adds a second one breaks the signature (RFC 6376 8.15)."""

_FIELD = re.compile(rb"([!-9;-~]+):((?:[^\r\n]|\r\n[ \t])*)\r\n")
_BLANKS = re.compile(rb"[ \t]+")
_ENDS = re.compile(rb"[ \t]+\r\n")


class KeyUnfit(Exception):
    """The file with the signing key holds no RSA key of at least 2048 bits."""


@dataclass(frozen=True)
class Signer:
    """The key with which one domain signs, and under which name (selector) receivers find its public half."""

    key: RSAPrivateKey
    selector: str
    domain: str

    def sign(self, mail: bytes, at: datetime) -> bytes:
        """The mail with its signature in front: rsa-sha256, relaxed for headers and body, dated ``at``.

        ``mail`` has CR LF line ends throughout. The algorithm is the one that every receiver knows; Ed25519
        (RFC 8463) is not.
        """
        head, _, body = mail.partition(b"\r\n\r\n")
        fields = [(name.decode(), value) for name, value in _FIELD.findall(head + b"\r\n")]
        listed = [name for name in SIGNED if any(one.lower() == name.lower() for one, _ in fields)]
        start = self._start(at, (*listed, *ONCE), b64encode(sha256(relaxed_body(body)).digest()).decode())
        to_sign = b"".join(_relaxed(name, _value(fields, name)) + b"\r\n" for name in listed)
        to_sign += _relaxed("DKIM-Signature", start.encode())
        signature = b64encode(self.key.sign(to_sign, PKCS1v15(), SHA256())).decode()
        folded = "\r\n ".join(signature[at : at + 72] for at in range(0, len(signature), 72))
        return f"DKIM-Signature:{start}\r\n {folded}\r\n".encode("ascii") + mail

    def _start(self, at: datetime, headers: Sequence[str], body_hash: str) -> str:
        """Everything up to the signature itself."""
        names = ":\r\n ".join(":".join(headers[at : at + 5]) for at in range(0, len(headers), 5))
        return (
            f" v=1; a=rsa-sha256; c=relaxed/relaxed; t={int(at.timestamp())};\r\n"
            f" d={self.domain};\r\n s={self.selector};\r\n h={names};\r\n bh={body_hash};\r\n b="
        )


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 3.4.4: runs of blanks are one, none at the end of a line, no empty lines at the end of the body."""
    bare = _ENDS.sub(b"\r\n", _BLANKS.sub(b" ", body)).rstrip(b"\r\n")
    return bare + b"\r\n" if bare else b""


@lru_cache(maxsize=8)
def read_signer(path: Path, selector: str, domain: str) -> Signer | None:
    """What signs for this domain; None where there is no key: then the city's own mail server has to sign.

    Read once per process. Raises KeyUnfit, which does not repeat what the file holds.
    """
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise KeyUnfit from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:  # RFC 8301 3.2
        raise KeyUnfit
    return Signer(key, selector, domain)


def _value(fields: Sequence[tuple[str, bytes]], name: str) -> bytes:
    """The last one of this name, as verifiers take it (RFC 6376 5.4.2)."""
    return next(value for one, value in reversed(fields) if one.lower() == name.lower())


def _relaxed(name: str, value: bytes) -> bytes:
    """RFC 6376 3.4.2: small letters, unfolded, runs of blanks are one."""
    return name.lower().encode() + b":" + _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" \t")
