"""From the bytes of a CSV file to records and text, one bad cell or quote at a time, and back."""

import re
from pathlib import Path

from contracts.text import Refused
from services.intake.cells import MARK

MAX_BYTES = 20 * 1024 * 1024
MAX_LINES = 50_000
"""A large city refers some 1,200 clients a year (domain.md 7)."""
MAX_CELLS = 200


def read_bytes(source: Path | str | bytes) -> bytes:
    """All bytes, unless they are too many: size is asked before reading and costs no memory. Raises Refused."""
    if isinstance(source, bytes):
        data, size = source, len(source)
    else:
        try:
            with Path(source).open("rb") as file:
                size = Path(source).stat().st_size
                data = file.read(MAX_BYTES + 1) if size <= MAX_BYTES else b""
        except (OSError, ValueError):
            message = "ファイルを開けません。場所と、読み取りの権限を確かめてください。"
            raise Refused("file-unreadable", message) from None
    if max(size, len(data)) > MAX_BYTES:
        message = f"ファイルが {MAX_BYTES // 1024**2} MB を超えています。期間で分けて出力してください。"
        raise Refused("file-size", message)
    if max(data.count(b"\n"), data.count(b"\r")) > MAX_LINES:
        raise Refused("file-size", f"{MAX_LINES} 行を超えています。期間で分けて出力してください。")
    return data


def split_encoding(data: bytes) -> tuple[str, bytes]:
    """The header's encoding, and the data without its byte order mark. Raises Refused for UTF-16 and what is no CSV."""
    start = data[:200]
    if not data.strip():
        raise Refused("file-empty", "ファイルが空です。出力し直してください。")
    if start.startswith(b"PK\x03\x04"):
        message = "Excel のファイルです。「CSV(コンマ区切り)」の形式で保存し直してください。"
        raise Refused("encoding", message)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b",\x00" in start or b"\x00," in start:
        message = "文字コードが UTF-16 です。UTF-8 か Shift_JIS (CP932) の CSV で保存し直してください。"
        raise Refused("encoding", message)
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8", data[3:]
    return ("utf-8" if _decodes(re.split(rb"[\r\n]", data, maxsplit=1)[0]) else "cp932"), data


_CELL = re.compile(rb'(?:"((?:[^"]++|"")*+)"|([^",\r\n][^,\r\n]*+|))(,|\r\n|\r|\n|\Z)')
"""Bytes may be cut before decoding: CP932's second bytes are 0x40-0xFC, never a quote, a comma or a line break."""
_LINE_END = re.compile(rb"\r\n|\r|\n|\Z")


def record_at(data: bytes, start: int, width: int) -> tuple[list[bytes], int, bool]:
    """The cells of the record at ``start``, where the next one begins, and whether its quotes are in order.

    A quote that is never closed, or closes in a later row, must not swallow the rows between: then only its own line
    is given up. ``width`` is the header's; a line inside a cell with as many commas is a row of its own.
    """
    cells: list[bytes] = []
    end = start
    while len(cells) <= MAX_CELLS and (found := _CELL.match(data, end)):
        quoted, plain, separator = found.groups()
        cells.append(plain if quoted is None else quoted.replace(b'""', b'"'))
        end = found.end()
        if separator != b",":
            inside = data[start:end].splitlines()[1:]
            if width < 2 or all(line.count(b",") < width - 1 for line in inside):
                return cells, end, True
            break
    line_end = _LINE_END.search(data, start)
    assert line_end  # noqa: S101  # the end of the data is one
    return data[start : line_end.start()].split(b",", MAX_CELLS), line_end.end(), len(cells) > MAX_CELLS


_UTF8_JAPANESE = re.compile(rb"(?:[\x00-\x7f]|[\xe3-\xe9][\x80-\xbf]{2}|\xef[\xbc\xbd][\x80-\xbf])+")


def decode(cell: bytes, encoding: str) -> tuple[str, str]:
    """A cell's text, and what is wrong if its bytes are not of the file's encoding; the text is then marked.

    Japanese in UTF-8 often reads as rare kanji in CP932; the other way round decoding nearly always fails.
    """
    if encoding == "cp932" and not cell.isascii() and _UTF8_JAPANESE.fullmatch(cell) and _decodes(cell):
        return MARK + cell.decode("utf-8"), "この欄だけ文字コードが違います(UTF-8)。打ち直してください。"
    try:
        return cell.decode(encoding), ""
    except UnicodeDecodeError:
        name = "UTF-8" if encoding == "utf-8" else "Shift_JIS"
        return MARK + cell.decode(encoding, "replace"), f"{name} として読めない文字があります。打ち直してください。"


def encode(text: str, encoding: str) -> bytes:
    """Text as a file a spreadsheet opens: UTF-8 with its mark, or CP932 with 〓 for what CP932 does not have."""
    if encoding == "utf-8":
        return text.encode("utf-8-sig", "replace")
    try:
        return text.encode("cp932")
    except UnicodeEncodeError:
        return b"".join(_cp932(sign) for sign in text)


def _cp932(sign: str) -> bytes:
    try:
        return sign.encode("cp932")
    except UnicodeEncodeError:
        return "〓".encode("cp932")


def _decodes(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
