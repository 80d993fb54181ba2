"""Hunts for tokens in bytes, however they are wrapped: plain search finds half of what leaks (consent.md 7.3).

A token is a dozen ASCII letters and digits that stand nowhere else. The hunter undoes what programs do to text (base64
at any offset, gzip, zip, quoted-printable, UTF-16, hex, escapes of JSON, URLs and calendars, folding) and looks again
in what comes out, a few layers deep; it also knows each token's hash.
"""

import binascii
import gzip
import hashlib
import io
import quopri
import re
import string
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

DEPTH = 4
LARGEST = 64 * 1024 * 1024
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_BASE64_LINES = re.compile(rb"(?:[A-Za-z0-9+/]{20,}={0,2}\r?\n){1,}[A-Za-z0-9+/=]*")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){12,}")
_UNICODE = re.compile(rb"\\u([0-9a-fA-F]{4})")
_FOLDED = re.compile(rb"\r?\n[ \t]")
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


class Hunter:
    """Knows the tokens; says where it finds which."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self.tokens = {token: token.encode("ascii") for token in tokens}
        if not all(token.isalnum() and len(token) >= 10 for token in self.tokens):
            raise ValueError("a token needs ten letters and digits, else it is found by chance")
        self._hashes = {
            token: {hashlib.new(kind, raw).digest() for kind in ("sha256", "sha1", "md5")}
            for token, raw in self.tokens.items()
        }

    def found(self, content: bytes) -> set[str]:
        """The tokens in these bytes."""
        seen: set[bytes] = set()
        hits: set[str] = set()
        layer = [content]
        for _ in range(DEPTH):
            following: list[bytes] = []
            for one in layer:
                digest = hashlib.blake2b(one, digest_size=16).digest()
                if digest in seen or not one:
                    continue
                seen.add(digest)
                hits |= self._plain(one)
                following += _unwrapped(one)
            layer = following
        return hits

    def in_files(self, *folders: Path, but: Iterable[Path] = ()) -> dict[str, set[str]]:
        """Every file below the folders, its name included, with the tokens in it; ``but``: files that may hold them."""
        allowed = {path.resolve() for path in but}
        hits: dict[str, set[str]] = {}
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path.resolve() not in allowed:
                    content = path.read_bytes()[:LARGEST]
                    if there := self.found(content) | self.found(str(path).encode()):
                        hits[str(path.relative_to(folder))] = there
        return hits

    def _plain(self, content: bytes) -> set[str]:
        lower = content.lower()
        hits = {token for token, raw in self.tokens.items() if raw.lower() in lower}
        hits |= {t for t, raw in self.tokens.items() if t.encode("utf-16-le") in content or t[::-1].encode() in content}
        hits |= {t for t, raw in self.tokens.items() if t.encode("utf-16-be") in content}
        return hits | {t for t, digests in self._hashes.items() if any(digest in content for digest in digests)}


def _unwrapped(content: bytes) -> Iterator[bytes]:
    """What may have been wrapped up in these bytes."""
    yield from _unpacked(content)
    for found in _BASE64_LINES.finditer(content):
        yield from _from_base64(re.sub(rb"\s", b"", found[0]))
    for found in _BASE64.finditer(content):
        yield from _from_base64(found[0])
    for found in _HEX.finditer(content):
        yield binascii.unhexlify(found[0])
    if b"=" in content:
        yield quopri.decodestring(content)
    if b"%" in content:
        yield unquote_to_bytes(content)
    if b"\\u" in content:
        yield _UNICODE.sub(lambda one: chr(int(one[1], 16)).encode("utf-8", "surrogatepass"), content)
    if b"\\" in content:
        yield content.replace(b"\\", b"")
    if _FOLDED.search(content):
        yield _FOLDED.sub(b"", content)


def _from_base64(text: bytes) -> Iterator[bytes]:
    """At any of the four offsets, in either alphabet."""
    plain = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    for offset in range(4):
        part = plain[offset:]
        part = part[: len(part) - len(part) % 4] if len(part) % 4 == 1 else part
        try:
            yield binascii.a2b_base64(part + b"=" * (-len(part) % 4))
        except binascii.Error:
            continue


def _unpacked(content: bytes) -> Iterator[bytes]:
    for at in _places(content, b"\x1f\x8b\x08"):
        try:
            yield gzip.GzipFile(fileobj=io.BytesIO(content[at:])).read(LARGEST)
        except (OSError, EOFError, zlib.error):
            yield from _inflated(content[at + 10 :], -15)
    for head in _ZLIB:
        for at in _places(content, head):
            yield from _inflated(content[at:], 15)
    if b"PK\x03\x04" in content:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                for name in packed.namelist():
                    yield name.encode()
                    yield packed.read(name)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError, zlib.error):
            return  # what another layer left of one, e.g. without its backslashes


def _inflated(content: bytes, wbits: int) -> Iterator[bytes]:
    try:
        plain = zlib.decompressobj(wbits).decompress(content, LARGEST)
    except zlib.error:
        return
    if plain:
        yield plain


def _places(content: bytes, mark: bytes) -> Iterator[int]:
    at = content.find(mark)
    for _ in range(200):
        if at < 0:
            return
        yield at
        at = content.find(mark, at + 1)


def tokens(names: Iterable[str], chance: object) -> dict[str, str]:
    """One token per name, from a random.Random; letters that no word of ours is made of."""
    signs = string.ascii_uppercase + string.digits
    choices = getattr(chance, "choices")  # noqa: B009 - any Random
    return {name: "Zq" + "".join(choices(signs, k=12)) for name in names}
