"""Papers of a city office set on A4 pages: headings, texts, ruled tables; page numbers, numbered copies.

A ``Paper`` is one copy for one reader, a file may hold several. Lines are broken as Japanese wants it (行頭・行末禁則,
JIS X 4051). What would be invisible or turn the direction of the text is printed as its code point, so that a paper
never reads otherwise than what was typed.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.pdf import POINT, WIDTH, Page, Rule, Run, pdf, width_of

LEFT, RIGHT, TOP, BOTTOM = 24.0, WIDTH - 24.0, 24.0, 272.0
"""The part of a page that is written on, in millimetres."""
BODY, SMALL = 10.5, 8.0
"""Sizes in points: 10.5 is what offices in Japan type in."""
_LEADING = 1.65
_PAD = 1.6
_NOT_FIRST = frozenset(
    "、。,.・:;?!)]}〕〉》」』】’”ーぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ々ゝゞヽヾ‐〜),.:;?!"
)
_NOT_LAST = frozenset("([{〔〈《「『【‘“(")
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")

Align = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Text:
    """One or more lines. ``keep``: it stays with what follows, as a heading does. ``after``: millimetres below it."""

    text: str
    size: float = BODY
    align: Align = "left"
    after: float = 2.0
    keep: bool = False
    indent: float = 0.0


@dataclass(frozen=True)
class Boxed:
    """A text that must not be overlooked, in a frame: secrecy and its penalty."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows of cells, ruled. ``shares``: how the columns divide the width. ``heads`` stand again on each page."""

    shares: tuple[float, ...]
    rows: tuple[tuple[str, ...], ...]
    heads: tuple[str, ...] = ()
    size: float = BODY


Block = Text | Boxed | Table


def heading(text: str) -> Text:
    """The title of a part."""
    return Text(text, 12.0, keep=True, after=1.5)


def facts(*pairs: tuple[str, str]) -> Table:
    """Names and what they are, those without anything left out."""
    return Table((1, 3.4), tuple(pair for pair in pairs if pair[1]))


@dataclass(frozen=True)
class Paper:
    """One copy. ``foot`` stands at the foot of each page, ``mark`` at the head of each: 控番号, 回収."""

    blocks: tuple[Block, ...]
    foot: str = ""
    mark: str = ""


def papers(copies: Sequence[Paper], title: str) -> bytes:
    """A file with these copies, each with page numbers of its own. Raises GlyphMissing, naming code points only.

    ``title`` is what a reader shows above the pages and must name nobody.
    """
    return pdf([page for copy in copies for page in _Setter(copy).pages()], title)


def plain(text: str) -> str:
    """The text as it is printed: tabs as blanks, and what nobody would see as its code point, e.g. 〔U+202E〕."""
    even = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").replace("\u2028", "\n")
    return "".join(
        f"〔U+{ord(sign):04X}〕" if sign != "\n" and unicodedata.category(sign) in _UNSEEN else sign for sign in even
    )


# -- lines -------------------------------------------------------------------------------------------------------------


def lines_of(text: str, size: float, width: float) -> list[str]:
    """The text in lines of at most this width in millimetres. Raises GlyphMissing."""
    return [line for part in plain(text).split("\n") for line in _broken(part, size, width)]


def _broken(text: str, size: float, width: float) -> Iterator[str]:
    while text:
        end = _fitting(text, size, width)
        if end < len(text):
            end = _allowed(text, end)
        yield text[:end].rstrip()
        text = text[end:].lstrip(" ")
        if not text:
            return
    yield ""


def _fitting(text: str, size: float, width: float) -> int:
    """How many signs fit, at least one."""
    used = 0.0
    for place, sign in enumerate(text):
        used += width_of(sign, size)
        if used > width and place:
            return place
    return len(text)


def _allowed(text: str, end: int) -> int:
    """The last place up to ``end`` where the line may be broken; ``end`` where there is none near."""
    for place in range(end, max(0, end - 24), -1):
        before, after = text[place - 1], text[place]
        parted = after in _NOT_FIRST or before in _NOT_LAST
        inside_word = _of_word(before) and _of_word(after)
        if not parted and not inside_word:
            return place
    return end


def _of_word(sign: str) -> bool:
    return sign.isascii() and (sign.isalnum() or sign in "-+.,:/@_")


# -- pages -------------------------------------------------------------------------------------------------------------


@dataclass
class _Setter:
    """Puts the blocks of one copy onto pages, from top to bottom."""

    paper: Paper
    y: float = TOP
    done: list[Page] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)

    def pages(self) -> list[Page]:
        for block, following in zip(self.paper.blocks, (*self.paper.blocks[1:], None), strict=True):
            match block:
                case Text():
                    self._text(block, following)
                case Boxed():
                    self._table(Table((1,), ((block.text,),)), heavy=True)
                case Table():
                    self._table(block)
        self._turn()
        count = len(self.done)
        return [self._framed(page, number, count) for number, page in enumerate(self.done, 1)]

    def _framed(self, page: Page, number: int, count: int) -> Page:
        foot = plain(self.paper.foot)
        told = f"{number} / {count}"
        runs = [Run((WIDTH - width_of(told, SMALL)) / 2, 284, SMALL, told), Run(LEFT, 284, SMALL, foot)]
        rules: list[Rule] = []
        if mark := plain(self.paper.mark):
            x = RIGHT - width_of(mark, BODY)
            runs.append(Run(x, 14, BODY, mark))
            rules = _frame(x - 2, 9.4, RIGHT + 2, 16.2, 0.8)
        return Page((*page.runs, *runs), (*page.rules, *rules))

    def _turn(self) -> None:
        self.done.append(Page(tuple(self.runs), tuple(self.rules)))
        self.runs, self.rules, self.y = [], [], TOP

    def _text(self, block: Text, following: Block | None) -> None:
        step = block.size * _LEADING * POINT
        lines = lines_of(block.text, block.size, RIGHT - LEFT - block.indent)
        needed = len(lines) * step + (4 * BODY * _LEADING * POINT if block.keep and following else 0)
        if self.y + min(needed, 2 * step if not block.keep else needed) > BOTTOM and self.y > TOP:
            self._turn()
        for line in lines:
            if self.y + step > BOTTOM:
                self._turn()
            self._put(line, block.size, LEFT + block.indent, RIGHT - LEFT - block.indent, block.align)
            self.y += step
        self.y += block.after

    def _put(self, line: str, size: float, x: float, width: float, align: Align = "left") -> None:
        spare = width - width_of(line, size)
        x += {"left": 0.0, "center": spare / 2, "right": spare}[align]
        self.runs.append(Run(x, self.y + size * POINT * 1.2, size, line))

    def _table(self, block: Table, heavy: bool = False) -> None:
        whole, total = RIGHT - LEFT, sum(block.shares)
        widths = [whole * share / total for share in block.shares]
        step = block.size * _LEADING * POINT
        head = [lines_of(cell, block.size, w - 2 * _PAD) for cell, w in zip(block.heads, widths, strict=False)]
        tall = _longest(head) * step + 2 * _PAD if head else 0
        if head and self.y + tall + step + 2 * _PAD > BOTTOM:
            self._turn()
        if head:
            self._row(head, widths, block.size, heavy)
        for row in block.rows:
            cells = [lines_of(cell, block.size, w - 2 * _PAD) for cell, w in zip(row, widths, strict=True)]
            self._whole_row(cells, widths, block.size, heavy, head)
        self.y += 3

    def _whole_row(
        self, cells: list[list[str]], widths: list[float], size: float, heavy: bool, head: list[list[str]]
    ) -> None:
        """A row on one page where it fits on one, else cut between lines; the heads stand above it again."""
        step, longest = size * _LEADING * POINT, _longest(cells)
        fits = int((BOTTOM - self.y - 2 * _PAD) / step)
        most = int((BOTTOM - TOP - 2 * _PAD) / step)
        if fits < longest and (longest <= most // 2 or fits < 3):
            self._turn_with(head, widths, size, heavy)
        while cells and _longest(cells):
            fits = max(1, int((BOTTOM - self.y - 2 * _PAD) / step))
            self._row([cell[:fits] for cell in cells], widths, size, heavy)
            cells = [cell[fits:] for cell in cells]
            if _longest(cells):
                self._turn_with(head, widths, size, heavy)

    def _turn_with(self, head: list[list[str]], widths: list[float], size: float, heavy: bool) -> None:
        self._turn()
        if head:
            self._row(head, widths, size, heavy)

    def _row(self, cells: list[list[str]], widths: list[float], size: float, heavy: bool) -> None:
        step = size * _LEADING * POINT
        top, tall = self.y, _longest(cells) * step + 2 * _PAD
        x = LEFT
        for lines, width in zip(cells, widths, strict=True):
            self.rules += _frame(x, top, x + width, top + tall, 1.2 if heavy else 0.5)
            self.y = top + _PAD
            for line in lines:
                self._put(line, size, x + _PAD, width - 2 * _PAD)
                self.y += step
            x += width
        self.y = top + tall


def _longest(cells: Sequence[Sequence[str]]) -> int:
    """How many lines a row is high."""
    return max((len(lines) for lines in cells), default=0)


def _frame(x: float, y: float, to_x: float, to_y: float, width: float) -> list[Rule]:
    corners = (x, y, to_x, y), (to_x, y, to_x, to_y), (to_x, to_y, x, to_y), (x, to_y, x, y)
    return [Rule(*one, width) for one in corners]
