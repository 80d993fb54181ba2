"""The hunter itself: it finds a token in whatever programs wrap text in, and nothing where there is none."""

import base64
import gzip
import hashlib
import io
import json
import quopri
import random
import zipfile
import zlib
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.proof.hunter import Hunter, tokens

TOKEN = "ZqK7M2X9P4T1WD"
SAID = f"髙橋さんの話({TOKEN})は外に出ない"


def zipped(name: str, text: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, text)
    return held.getvalue()


RAW = SAID.encode()
CARRIERS: dict[str, bytes] = {
    "plain": RAW,
    "lower case": SAID.lower().encode(),
    "utf-16": SAID.encode("utf-16"),
    "utf-16 big": SAID.encode("utf-16-be"),
    "cp932": SAID.encode("cp932"),
    "base64": base64.b64encode(RAW),
    "base64 behind one byte": base64.b64encode(b"x" + RAW),
    "base64 in the middle of other letters": b"abc" + base64.b64encode(b"yy" + RAW) + b"defg",
    "base64 for addresses": base64.urlsafe_b64encode(RAW),
    "base64 in lines": base64.encodebytes(RAW * 3),
    "gzip": b"head" + gzip.compress(RAW),
    "zlib": zlib.compress(RAW),
    "zip": zipped("a.txt", RAW),
    "the name within a zip": zipped(f"{TOKEN}.txt", b"nothing"),
    "quoted-printable": quopri.encodestring(RAW),
    "hex": RAW.hex().encode(),
    "json": json.dumps({"note": SAID}).encode(),
    "json escapes of every sign": "".join(f"\\u{ord(sign):04x}" for sign in TOKEN).encode(),
    "a folded calendar line": f"SUMMARY:{TOKEN[:6]}\r\n {TOKEN[6:]}".encode(),
    "an address": quote(SAID).encode(),
    "an address of escapes only": "".join(f"%{ord(sign):02X}" for sign in TOKEN).encode(),
    "gzip in base64 in json": json.dumps({"x": base64.b64encode(gzip.compress(RAW)).decode()}).encode(),
    "its hash": b"digest " + hashlib.sha256(TOKEN.encode()).digest(),
    "its hash in hex": hashlib.sha256(TOKEN.encode()).hexdigest().encode(),
}


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_token_is_found_in(carrier: str) -> None:
    assert Hunter([TOKEN]).found(CARRIERS[carrier]) == {TOKEN}


@pytest.mark.parametrize("carrier", CARRIERS)
def test_another_token_is_not_found_in(carrier: str) -> None:
    assert Hunter(["ZqK7M2X9P4T1WE"]).found(CARRIERS[carrier]) == set()


def test_a_zip_that_lost_a_few_bytes_on_its_way_does_not_end_the_hunt() -> None:
    whole = zipped("a.txt", b"\\" * 40 + b"nothing" * 40)
    broken = [whole[:cut] + whole[cut + size :] for cut in range(4, len(whole)) for size in (1, 3)]
    for one in broken:
        assert Hunter([TOKEN]).found(one + b" " + RAW) == {TOKEN}


def test_files_are_read_whole_and_their_names_count(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "store.db").write_bytes(b"\0" * 100_000 + RAW)
    (tmp_path / f"{TOKEN}.log").write_bytes(b"nothing")
    (tmp_path / "allowed").write_bytes(RAW)
    found = Hunter([TOKEN]).in_files(tmp_path, but=[tmp_path / "allowed"])
    assert found == {"deep/store.db": {TOKEN}, f"{TOKEN}.log": {TOKEN}}


def test_tokens_are_made_from_a_seed_and_differ() -> None:
    made = tokens(["name", "address"], random.Random(7))
    assert made == tokens(["name", "address"], random.Random(7))
    assert len(set(made.values())) == 2


def test_a_token_that_could_be_there_by_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="ten letters"):
        Hunter(["short"])
