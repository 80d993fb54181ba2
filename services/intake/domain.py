"""The rules of intake: what a つなぐシート must hold to be taken in, and how its text is read. Pure, no clock.

Rules without an id in domain.md have a name of their own: ``date-range``, ``my-number`` ...
A message says what to do and never repeats a value: it may name a person.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from contracts.consent import ConsentState
from contracts.intake import Sheet
from contracts.purpose import Purpose
from contracts.sheet_labels import LABELS as LABELS
from contracts.text import Refused, check_text

MAY_LACK = frozenset({"explained_by", "explained_on"})
"""Columns that a file may do without: a system that does not ask for them must not hold up a person (C6)."""

IN_FORCE = frozenset({ConsentState.GIVEN, ConsentState.NARROWED})
NEVER_GIVEN = frozenset({ConsentState.REFUSED, ConsentState.NOT_ASKED, ConsentState.COULD_NOT_ASK})
CONSENT_PURPOSES = (Purpose.PLAN, Purpose.REPLAN, Purpose.CLOSING, Purpose.SUSPENSION)
"""What a consent on a つなぐシート is for: the four timings of a 重層的支援会議 (T1)."""

CONSENT_AFTER = timedelta(days=31)
"""How long after 受付日 a sheet's consent may have been given; later, it belongs on a new sheet (C2, C10)."""
CONSENT_BEFORE = timedelta(days=366)
"""A consent older than this is doubtful: it hardly covers this referral (C2)."""
OLDEST_RECEPTION = date(2000, 1, 1)
OLDEST_AGE = 130

_REPLACED = re.compile(r"[?？〓\ufffd\ue000-\uf8ff\U000f0000-\U0010fffd]|U\+[0-9A-Fa-f]{4,6}")
_KATAKANA = re.compile(r"[ァ-ヿㇰ-ㇿA-Za-z \u3000.,'’・=-]*")
LONG_TEXTS = frozenset({"wishes", "reason"})


class Flaw(NamedTuple):
    """What is wrong with a sheet: its field, the rule, and what to do."""

    field: str
    rule: str
    message: str


def flaws(sheet: Sheet, municipality: str, agencies: Collection[str], today: date | None = None) -> Iterator[Flaw]:
    """What is wrong with a sheet that its contract allows. ``today`` (Asia/Tokyo) is None where nobody knows it."""
    if sheet.municipality != municipality:
        yield Flaw(
            "municipality",
            "municipality-other",
            f"この市町村の団体コードは {municipality} です。宛先を確かめてください。",
        )
    for field, codes in (("referrer", (sheet.referrer,)), ("agencies", sheet.agencies)):
        if not set(codes) <= set(agencies):
            yield Flaw(field, "agency-unknown", "この市町村の機関一覧にない機関です。機関名を確かめてください。")
    yield from _text_flaws(sheet)
    yield from _date_flaws(sheet, today)
    yield from _consent_flaws(sheet, today)
    yield from explanation_flaws(sheet.explained_on, today)


def _text_flaws(sheet: Sheet) -> Iterator[Flaw]:
    if not sheet.name.strip():
        yield Flaw("name", "required", "氏名を書いてください。分からないときは「不詳」と書いてください。")
    texts = [(field, value) for field, value in sheet if isinstance(value, str)]
    texts += [("members", text) for member in sheet.members for text in (member.name, member.relation)]
    for field, text in texts:
        try:
            check_text(text, lines=field in LONG_TEXTS)
        except Refused as refused:
            yield Flaw(field, refused.rule, refused.message)


def _date_flaws(sheet: Sheet, today: date | None) -> Iterator[Flaw]:
    if sheet.received_on < OLDEST_RECEPTION:
        yield Flaw("received_on", "date-range", "受付日が古すぎます。年を確かめてください。")
    if today and sheet.received_on > today:
        yield Flaw("received_on", "date-future", "受付日が今日より後です。年月日を確かめてください。")
    if sheet.born_on and not 0 <= sheet.received_on.year - sheet.born_on.year <= OLDEST_AGE:
        yield Flaw(
            "born_on",
            "date-range",
            f"受付日に{OLDEST_AGE}歳を超えるか、まだ生まれていません。元号と年を確かめてください。",
        )
    elif sheet.born_on and sheet.born_on > sheet.received_on:
        yield Flaw("born_on", "date-range", "生年月日が受付日より後です。年月日を確かめてください。")


def _consent_flaws(sheet: Sheet, today: date | None) -> Iterator[Flaw]:
    given = sheet.consented_on
    if sheet.consent in IN_FORCE and not given:
        yield Flaw("consented_on", "C1", "同意日を書いてください。同意がまだなら、同意区分を「未確認」にしてください。")
    if sheet.consent in NEVER_GIVEN and given:
        yield Flaw("consented_on", "C12", "同意がないのに同意日があります。同意日を消すか、同意区分を直してください。")
    if sheet.consent is ConsentState.NARROWED and not sheet.agencies:
        yield Flaw("agencies", "C3", "一部の同意です。本人が共有に同意した機関を書いてください。")
    if given and given > sheet.received_on + CONSENT_AFTER:
        message = (
            "同意日が受付日より1か月以上後です。日付を確かめてください。"
            "後から得た同意は、新しい受付番号と受付日で出してください。"
        )
        yield Flaw("consented_on", "C1", message)
    elif given and today and given > today:
        yield Flaw("consented_on", "C1", "同意日が今日より後です。年月日を確かめてください。")


def explanation_flaws(on: date | None, today: date | None) -> Iterator[Flaw]:
    """What is wrong with a 説明日; that there is none is no flaw, it stays due (C6)."""
    if on and on < OLDEST_RECEPTION:
        yield Flaw("explained_on", "date-range", "説明日が古すぎます。年を確かめてください。")
    if on and today and on > today:
        yield Flaw("explained_on", "date-future", "説明日が今日より後です。年月日を確かめてください。")


def has_replaced_signs(text: str) -> bool:
    """Whether an older system lost a character of a name: ``?``, ``〓``, U+FFFD, 外字, or ``U+2363A`` written out."""
    return _REPLACED.search(text) is not None


def katakana(text: str) -> str:
    """フリガナ for matching: full width, ひらがな to カタカナ, one full-width space between parts. Raises Refused."""
    wide = "\u3000".join(unicodedata.normalize("NFKC", text).split())
    wide = "".join(chr(ord(sign) + 0x60) if "ぁ" <= sign <= "ゖ" or sign in "ゝゞ" else sign for sign in wide)
    if not _KATAKANA.fullmatch(wide):
        raise Refused("kana", "フリガナはカタカナかひらがなで書いてください。列がずれていないかも確かめてください。")
    return wide


def consent_agencies(sheet: Sheet) -> tuple[str, ...]:
    """The agencies the consent names: the referrer first, then 関係機関, each once (C3)."""
    return tuple(dict.fromkeys((sheet.referrer, *sheet.agencies)))


def digest(sheet: Sheet) -> str:
    """SHA-256 of what the sheet says. A field added to the contract later does not count while at its default."""
    content = json.dumps(sheet.model_dump(mode="json", exclude_defaults=True), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
