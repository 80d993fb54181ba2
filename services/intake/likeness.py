"""When two clients look like one person: 宛名番号, else フリガナ, 生年月日 and 性別, written however. Pure.

What is folded here serves to compare only; nothing is stored or shown folded. It folds too much rather than too little:
a person looks at every pair.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from uuid import UUID

from contracts.same_person import Likeness

UNTOLD_SEX = frozenset({"unknown", "other"})
"""Not a sex that speaks against being the same person: one referrer asked, the other did not."""
_VARIANTS = str.maketrans(
    "髙﨑𠮷濵濱邊邉齋齊斎嶋嶌冨德惠廣澤櫻眞國壽龍瀨槗𣘺舘栁曻塚",
    "高崎吉浜浜辺辺斉斉斉島島富徳恵広沢桜真国寿竜瀬橋橋館柳昇塚",
)
"""Letters of names that one office writes in the old form and another in the new (人名の異体字)."""
_SMALL = str.maketrans("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ")
"""Older systems have no small kana: ｼﾖｳｺ is ショウコ."""
_ALIKE = str.maketrans("ヰヱヲヂヅ", "イエオジズ")
_FOREIGN = (("ヴァ", "バ"), ("ヴィ", "ビ"), ("ヴェ", "ベ"), ("ヴォ", "ボ"), ("ヴ", "ブ"))
_U_ROW = "ウクスツヌフムユルグズブプ"
_O_ROW = "オコソトノホモヨロゴゾドボポ"
_LONG = "ー―‐−–—-~〜~"
"""The long-vowel sign, and what is typed in its place. Dropped, as is the ウ or オ that writes a long vowel out."""


@dataclass(frozen=True)
class Known:
    """What is compared of one client. ``resident_number`` is this municipality's 宛名番号."""

    referral: UUID
    resident_number: str | None
    name: str
    kana: str
    born_on: date | None
    sex: str

    @cached_property
    def folded_kana(self) -> str:
        """フリガナ as it is compared; folded once, for each is compared with many."""
        return fold_kana(self.kana)

    @cached_property
    def folded_name(self) -> str:
        """氏名 as it is compared; empty for 不詳."""
        folded = fold_name(self.name)
        return "" if folded == "不詳" else folded


def fold_kana(text: str) -> str:
    """フリガナ as it is compared: half width, small kana, long vowels, blanks and ひらがな make no difference.

    Latin letters, as of foreign residents, are compared without regard to case and to the order of the names.
    """
    wide = unicodedata.normalize("NFKC", text).casefold()
    parts = "".join(letter if letter.isalnum() or letter in _LONG else " " for letter in wide).split()
    if parts and all(_is_latin(part) for part in parts):
        return " ".join(sorted(_plain_latin(part) for part in parts))
    folded = "".join(map(_katakana, "".join(parts)))
    for foreign, ours in _FOREIGN:
        folded = folded.replace(foreign, ours)
    return _without_long_vowels(folded.translate(_SMALL).translate(_ALIKE))


def fold_name(text: str) -> str:
    """氏名 as it is compared where there is no フリガナ: 髙 is 高, full width is half width, blanks do not count."""
    plain = unicodedata.normalize("NFKC", text).translate(_VARIANTS)
    letters = [
        letter for letter in plain if unicodedata.category(letter) != "Mn" and not "\ufe00" <= letter <= "\ufe0f"
    ]
    parts = "".join(letter if letter.isalnum() else " " for letter in letters).casefold().split()
    if parts and all(_is_latin(part) for part in parts):
        return " ".join(sorted(_plain_latin(part) for part in parts))
    return "".join(parts)


def number_of(known: Known) -> str:
    """宛名番号 as it is compared: leading zeros are lost by spreadsheets. Empty where there is none."""
    return (known.resident_number or "").lstrip("0")


def keys_of(known: Known) -> list[tuple[str, ...]]:
    """What another client must share one of to be looked at with this one."""
    keys: list[tuple[str, ...]] = [("number", number)] if (number := number_of(known)) else []
    if known.born_on is not None:
        born = known.born_on.isoformat()
        if known.folded_kana:
            keys.append(("kana", known.folded_kana, born))
        if known.folded_name:
            keys.append(("name", known.folded_name, born))
    return keys


def likeness(one: Known, other: Known) -> Likeness | None:
    """By what two clients look like one person; None: by nothing. Names count only where a フリガナ is missing."""
    number = number_of(one)
    if number and number == number_of(other):
        return Likeness.NUMBER
    if one.born_on is None or one.born_on != other.born_on or not _sexes_agree(one.sex, other.sex):
        return None
    if one.folded_kana and other.folded_kana:
        return Likeness.KANA if one.folded_kana == other.folded_kana else None
    return Likeness.NAME if one.folded_name and one.folded_name == other.folded_name else None


def numbers_differ(one: Known, other: Known) -> bool:
    """Whether both have a 宛名番号, and not the same: then they are hardly one person, unless one was renumbered."""
    return bool(number_of(one) and number_of(other)) and number_of(one) != number_of(other)


def _sexes_agree(one: str, other: str) -> bool:
    return one == other or one in UNTOLD_SEX or other in UNTOLD_SEX


def _katakana(letter: str) -> str:
    return chr(ord(letter) + 0x60) if "ぁ" <= letter <= "ゖ" else letter


def _is_latin(part: str) -> bool:
    return all(unicodedata.name(letter, "").startswith("LATIN ") or letter in _LONG for letter in part)


def _plain_latin(part: str) -> str:
    bare = unicodedata.normalize("NFD", part.translate(str.maketrans("", "", _LONG)))
    return "".join(letter for letter in bare if unicodedata.category(letter) != "Mn")


def _without_long_vowels(text: str) -> str:
    kept: list[str] = []
    for letter in text:
        before = kept[-1] if kept else ""
        long = letter in _LONG
        long = long or (letter == "ウ" and bool(before) and before in _U_ROW + _O_ROW)
        long = long or (letter == "オ" and bool(before) and before in _O_ROW)
        if not long:
            kept.append(letter)
    return "".join(kept)
