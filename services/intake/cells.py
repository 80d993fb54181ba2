"""What the text of one cell of a つなぐシート means, column by column. Pure; what is unclear is refused, not guessed.

A spreadsheet would run a cell that begins with ``=``: such cells are refused coming in and get ``'`` going out.
"""

import re
import unicodedata
from collections.abc import Callable

from contracts.consent import ConsentState
from contracts.era import read_date
from contracts.intake import MAX_MEMBERS, PROBLEM_TEXT, Member, Problem
from contracts.municipality import check_digit, is_municipality_code
from contracts.profile import Profile
from contracts.text import Refused, check_text, squeeze
from services.intake.domain import LONG_TEXTS, katakana

MARK = "※要修正:"
"""Stands before what a rejected row could not hold as it was. A cell that begins so is refused until corrected."""

_PHONE_ABROAD = re.compile(r"'?(\+[0-9][0-9() -]{6,30})")
_SEPARATOR = re.compile("[;；、]")


class Cells:
    """Reads cells with the names of one municipality's agencies."""

    def __init__(self, profile: Profile) -> None:
        self.agencies: dict[str, set[str]] = {}
        for agency in profile.agencies:
            for name in (agency.name, *agency.aliases):
                self.agencies.setdefault(squeeze(name), set()).add(agency.code)

    def read(self, field: str, text: str) -> object:
        """The value for a field of Sheet. Raises Refused."""
        text = _harmless(field, text).strip().replace("\r\n", "\n").replace("\r", "\n")
        check_text(text, lines=field in LONG_TEXTS)
        if field == "agencies":
            return self._agencies(text)
        if field == "referrer":
            return self._referrer(text)
        return _READERS[field](text) if field in _READERS else text

    def _referrer(self, text: str) -> str:
        codes = self._agencies(text)
        if len(codes) != 1:
            raise Refused("required", "紹介元の機関を1つ書いてください。")
        return codes[0]

    def _agencies(self, text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._agency(one) for one in _SEPARATOR.split(text) if one.strip()))

    def _agency(self, text: str) -> str:
        codes = self.agencies.get(squeeze(text), set())
        if not codes:
            raise Refused("agency-unknown", "機関一覧にない名前です。正式な名前にしてください。")
        if len(codes) > 1:
            raise Refused("agency-unclear", "同じ名前の機関が2つ以上あります。正式な名前にしてください。")
        return next(iter(codes))


def agency_of(text: str, profile: Profile) -> str:
    """An agency's code by code, name or alias. Raises Refused."""
    if text in {agency.code for agency in profile.agencies}:
        return text
    code = Cells(profile).read("referrer", text)
    return str(code)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may run the cell: it begins with = + - @ in any width, a tab or a carriage return."""
    start = unicodedata.normalize("NFKC", text.lstrip()[:1])
    return start in ("=", "+", "-", "@") or text.lstrip(" \u3000").startswith(("\t", "\r"))


def _harmless(field: str, text: str) -> str:
    if field == "phone" and (abroad := _PHONE_ABROAD.fullmatch(text.strip())):
        return abroad[1]  # +81 … is a number, also with the ' that a rejected row carries
    if field == "phone" and squeeze(text) == "-":
        return ""  # how some systems write "none"
    if text.startswith(MARK):
        raise Refused("marked", f"「{MARK}」の付いた欄です。正しい内容に書き直してください。")
    if text.lstrip().startswith("'") or is_formula(text):
        message = "表計算ソフトが式と見なす記号(= + - @ ' など)で始まっています。先頭の記号を取ってください。"
        raise Refused("formula", message)
    return text


def _municipality(text: str) -> str:
    code = squeeze(text)
    if re.fullmatch("[0-9]{5}", code):
        code += check_digit(code)
    if not re.fullmatch("[0-9]{6}", code):
        raise Refused("municipality-form", "団体コードは6桁の数字で書いてください(先頭の0も要ります)。")
    if not is_municipality_code(code):
        raise Refused("municipality-check", "団体コードの検査数字(6桁目)が合いません。番号を確かめてください。")
    return code


def _number(text: str) -> str:
    number = squeeze(text)
    if not re.fullmatch("[0-9A-Za-z-]{1,20}", number):
        raise Refused("number", "受付番号は英数字とハイフン、20字までで書いてください。")
    return number


def _resident_number(text: str) -> str | None:
    number = squeeze(text)
    if number and not re.fullmatch("[0-9]{1,15}", number):
        message = "宛名番号は15桁までの数字です。1.2E+11 のようになったときは、文字列として出力し直してください。"
        raise Refused("number", message)
    return number or None


def _people(text: str) -> int:
    number = squeeze(text).removesuffix("人")
    if not re.fullmatch("0?[1-9]|[1-9][0-9]", number):
        raise Refused("number", "世帯人数は、本人を含めて1から99までの数字で書いてください。")
    return int(number)


def _members(text: str) -> tuple[Member, ...]:
    members = [one for one in re.split("[;；]", text) if one.strip()]
    if len(members) > MAX_MEMBERS:
        raise Refused("members", f"世帯員は{MAX_MEMBERS}人までです。残りの人は紹介理由に書いてください。")
    return tuple(map(_member, members))


def _member(text: str) -> Member:
    parts = [part.strip() for part in re.split("[/／]", text)]
    age = squeeze(parts[1]).removesuffix("歳") if len(parts) == 3 else ""
    if len(parts) != 3 or not parts[0] or not re.fullmatch("|[0-9]{1,2}|1[0-2][0-9]|130", age):
        message = "世帯員は「氏名/年齢/続柄」を「;」でつないでください(年齢は0から130、空でもよい)。"
        raise Refused("members", message)
    if any(map(is_formula, parts)):
        raise Refused("formula", "式と見なされる記号(= + - @)で始まっています。先頭の記号を取ってください。")
    if max(map(len, parts)) > 200:
        raise Refused("length", "長すぎます。短く書き直してください。")
    return Member(name=parts[0], age=int(age) if age else None, relation=parts[2])


_PROBLEMS = {squeeze(label): problem for problem, label in PROBLEM_TEXT.items()}


def _problems(text: str) -> tuple[Problem, ...]:
    labels = [squeeze(one) for one in _SEPARATOR.split(text) if one.strip()]
    if not set(labels) <= set(_PROBLEMS):
        words = " ".join(PROBLEM_TEXT.values())
        raise Refused("problems", f"お困りごとは次の中から選び「、」でつないでください: {words}")
    return tuple(dict.fromkeys(_PROBLEMS[label] for label in labels))


def _choice(values: dict[str, object]) -> Callable[[str], object]:
    def read(text: str) -> object:
        if squeeze(text) not in values:
            raise Refused("choice", f"次のどれかを書いてください: {' '.join(filter(None, values))}")
        return values[squeeze(text)]

    return read


_READERS: dict[str, Callable[[str], object]] = {
    "municipality": _municipality,
    "number": _number,
    "resident_number": _resident_number,
    "received_on": read_date,
    "kana": katakana,
    "sex": _choice({"男": "male", "女": "female", "その他": "other", "不明": "unknown", "": "unknown"}),
    "born_on": lambda text: read_date(text) if text else None,
    "problems": _problems,
    "household_size": _people,
    "members": _members,
    "urgent": _choice({"通常": False, "緊急": True}),
    "consent": _choice(
        {
            "あり": ConsentState.GIVEN,
            "一部": ConsentState.NARROWED,
            "拒否": ConsentState.REFUSED,
            "未確認": ConsentState.NOT_ASKED,
            "確認できない": ConsentState.COULD_NOT_ASK,
            "撤回": ConsentState.WITHDRAWN,
            "期限切れ": ConsentState.EXPIRED,
        }
    ),
    "consented_on": lambda text: read_date(text) if text else None,
    "explained_on": lambda text: read_date(text) if text else None,
}
"""Fields not named here are kept as they are written: a name keeps its own characters."""
