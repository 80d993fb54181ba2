"""A PDF file of signs and lines on A4 pages, its font inside: the same bytes for the same pages, nothing called out.

Places are millimetres from the upper left corner, sizes are points (PDF 1.7, ISO 32000-1). The font is Noto Serif JP:
signs are addressed by their place in it (Identity-H), and a table says what to read for each (ToUnicode).

fontTools is loaded once somebody prints: it costs a process 9 MB, and most never print.
"""

import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from io import BytesIO

from pylopdf_fonts_jp import serif_path

WIDTH, HEIGHT = 210.0, 297.0
"""A4."""
POINT = 25.4 / 72
"""Millimetres."""
_FAMILY = "KASANE+NotoSerifJP"
_MAPPED_AT_ONCE = 100
"""What a ToUnicode table may hold in one block (ISO 32000-1, 9.10.3)."""


class GlyphMissing(Exception):
    """The font has no picture for a sign. Names code points, never the text around them: that may name a person."""

    def __init__(self, codes: Iterable[str]) -> None:
        self.codes = tuple(sorted(set(codes)))
        super().__init__("、".join(self.codes))


@dataclass(frozen=True)
class Run:
    """Signs in one line; ``y`` is that of the line they stand on."""

    x: float
    y: float
    size: float
    text: str


@dataclass(frozen=True)
class Rule:
    """A straight line of this width in points."""

    x: float
    y: float
    to_x: float
    to_y: float
    width: float = 0.5


@dataclass(frozen=True)
class Page:
    """What is on one page."""

    runs: tuple[Run, ...] = ()
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class _Face:
    """What the whole font says of itself, in thousandths of the size."""

    signs: Mapping[int, str]
    advances: Mapping[str, int]
    box: tuple[int, ...]
    ascent: int
    descent: int
    capital: int


@cache
def _face() -> _Face:
    from fontTools.ttLib import TTFont

    font = TTFont(serif_path(), lazy=True)
    scale = 1000 / font["head"].unitsPerEm
    head, os2 = font["head"], font["OS/2"]
    return _Face(
        dict(font.getBestCmap()),
        {name: round(advance * scale) for name, (advance, _) in font["hmtx"].metrics.items()},
        tuple(round(one * scale) for one in (head.xMin, head.yMin, head.xMax, head.yMax)),
        round(os2.sTypoAscender * scale),
        round(os2.sTypoDescender * scale),
        round(os2.sCapHeight * scale),
    )


def missing(text: str) -> tuple[str, ...]:
    """The code points that the font has no picture for, as ``U+20BB7``."""
    signs = _face().signs
    return tuple(f"U+{ord(sign):04X}" for sign in dict.fromkeys(text) if ord(sign) not in signs)


def width_of(text: str, size: float) -> float:
    """How wide a text is, in millimetres. Raises GlyphMissing."""
    face = _face()
    try:
        return sum(face.advances[face.signs[ord(sign)]] for sign in text) * size * POINT / 1000
    except KeyError:
        raise GlyphMissing(missing(text)) from None


def pdf(pages: Sequence[Page], title: str) -> bytes:
    """The file. Raises GlyphMissing before anything is written."""
    texts = "".join(run.text for page in pages for run in page.runs)
    if lacking := missing(texts):
        raise GlyphMissing(lacking)
    face = _face()
    cids = {sign: int(face.signs[ord(sign)].removeprefix("cid")) for sign in sorted(set(texts))}
    font, kids = 3, [9 + 2 * number for number in range(len(pages))]
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R/Lang(ja-JP)/ViewerPreferences<</DisplayDocTitle true>>>>",
        f"<</Type/Pages/Count {len(pages)}/Kids[{' '.join(f'{one} 0 R' for one in kids)}]>>".encode(),
        *_font_objects(font, cids),
        f"<</Title<feff{title.encode('utf-16-be').hex()}>/Producer(kasane)>>".encode(),
    ]
    for number, page in zip(kids, pages, strict=True):
        box = f"{WIDTH / POINT:.2f} {HEIGHT / POINT:.2f}"
        resources = f"/Resources<</Font<</F {font} 0 R>>>>"
        bodies.append(f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {box}]{resources}/Contents {number + 1} 0 R>>".encode())
        bodies.append(_stream(_drawn(page, cids).encode()))
    return _file(bodies, info=8)


def _font_objects(first: int, cids: Mapping[str, int]) -> Iterator[bytes]:
    """Five: the font, its signs, what it says of itself, its pictures, and what to read for each sign."""
    face = _face()
    widths = {cid: face.advances[face.signs[ord(sign)]] for sign, cid in cids.items()}
    spelt = "".join(f"{cid}[{width}]" for cid, width in sorted(widths.items()) if width != 1000)
    system = "<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
    kind = f"/Type/Font/BaseFont/{_FAMILY}"
    descendants = f"/Encoding/Identity-H/DescendantFonts[{first + 1} 0 R]/ToUnicode {first + 4} 0 R"
    yield f"<<{kind}/Subtype/Type0{descendants}>>".encode()
    described = f"/CIDSystemInfo{system}/FontDescriptor {first + 2} 0 R/DW 1000/W[{spelt}]"
    yield f"<<{kind}/Subtype/CIDFontType0{described}>>".encode()
    box = " ".join(map(str, face.box))
    tall = f"/Ascent {face.ascent}/Descent {face.descent}/CapHeight {face.capital}/ItalicAngle 0/StemV 80"
    yield (
        f"<</Type/FontDescriptor/FontName/{_FAMILY}/Flags 6/FontBBox[{box}]{tall}/FontFile3 {first + 3} 0 R>>".encode()
    )
    yield _stream(_pictures(tuple(cids)), "/Subtype/CIDFontType0C")
    yield _stream(_to_unicode(cids).encode())


def _pictures(signs: Sequence[str]) -> bytes:
    """The part of the font that draws these signs."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    font = TTFont(serif_path(), lazy=True)
    for table in set(font.keys()) - {"GlyphOrder", "CFF ", "head", "hhea", "hmtx", "maxp"}:
        del font[table]  # what the cutting would read through for nothing
    cut = Subsetter(Options(notdef_outline=True, hinting=False, desubroutinize=True, drop_tables=["hhea", "hmtx"]))
    cut.populate(glyphs=[_face().signs[ord(sign)] for sign in signs])
    cut.subset(font)
    made = BytesIO()
    font.save(made, reorderTables=None)
    made.seek(0)
    return bytes(TTFont(made).reader["CFF "])


def _to_unicode(cids: Mapping[str, int]) -> str:
    """What a reader copies and searches. Of two signs with one picture the plain one (NFKC keeps it) is read."""
    read: dict[int, str] = {}
    for sign, cid in cids.items():
        if cid not in read or unicodedata.normalize("NFKC", sign) == sign:
            read[cid] = sign
    pairs = [f"<{cid:04x}><{sign.encode('utf-16-be').hex()}>" for cid, sign in sorted(read.items())]
    blocks = [pairs[at : at + _MAPPED_AT_ONCE] for at in range(0, len(pairs), _MAPPED_AT_ONCE)]
    mapped = "\n".join(f"{len(block)} beginbfchar\n{chr(10).join(block)}\nendbfchar" for block in blocks)
    return (
        "/CIDInit/ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n"
        "/CMapName/Adobe-Identity-UCS def/CMapType 2 def\n"
        f"1 begincodespacerange<0000><ffff>endcodespacerange\n{mapped}\n"
        "endcmap CMapName currentdict/CMap defineresource pop end end"
    )


def _drawn(page: Page, cids: Mapping[str, int]) -> str:
    parts = []
    for rule in page.rules:
        start, end = _place(rule.x, rule.y), _place(rule.to_x, rule.to_y)
        parts.append(f"{rule.width:g} w {start} m {end} l S")
    for run in (one for one in page.runs if one.text):
        codes = "".join(f"{cids[sign]:04x}" for sign in run.text)
        parts.append(f"BT/F {run.size:g} Tf {_place(run.x, run.y)} Td<{codes}>Tj ET")
    return "\n".join(parts)


def _place(x: float, y: float) -> str:
    """As PDF counts: points from the lower left corner."""
    return f"{x / POINT:.2f} {(HEIGHT - y) / POINT:.2f}"


def _stream(data: bytes, more: str = "") -> bytes:
    packed = zlib.compress(data, 9)
    return f"<</Filter/FlateDecode/Length {len(packed)}{more}>>stream\n".encode() + packed + b"\nendstream"


def _file(bodies: Sequence[bytes], info: int) -> bytes:
    """The objects, where each begins, and an id made of the content: no clock, no chance."""
    made, places = bytearray(b"%PDF-1.7\n%\xe9\x87\x8d\xe3\x81\xad\n"), []
    for number, body in enumerate(bodies, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    ident, start = sha256(made).hexdigest()[:32], len(made)
    made += f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n".encode()
    made += "".join(f"{place:010} 00000 n \n" for place in places).encode()
    root = f"/Size {len(bodies) + 1}/Root 1 0 R/Info {info} 0 R/ID[<{ident}><{ident}>]"
    made += f"trailer\n<<{root}>>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(made)
