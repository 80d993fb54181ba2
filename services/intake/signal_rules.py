"""The rules of early signals: what a note may hold, and what is asked before it becomes a つなぎ. Pure, no clock.

A note is about nobody in particular: no field is there for a name, and what would lead to one person is refused.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from datetime import date

from contracts.consent import ConsentState
from contracts.intake import Sheet
from contracts.signals import Note
from contracts.text import Refused, check_text
from services.intake.domain import OLDEST_RECEPTION, Flaw

LONGEST_NOTE = 2000
"""Signs, as forms/early_signal.1.toml says."""
LONGEST_AREA = 40
LONGEST_REASON = 1000
SHORTEST_REASON = 5
"""Signs without blanks: a reason that says nothing is none."""
NOTE_LABELS = {
    "noticed_on": "気づいた日",
    "area": "地区",
    "signs": "気になる様子",
    "description": "気づいたことの内容",
    "received_by": "受け取った機関",
    "own": "市町村の独自項目",
    "reason": "理由",
}
URGENT_STEP = "命や安全の心配があるメモです。メモの処理を待たず、すぐ電話でも担当者に知らせてください。"
_PHONE = re.compile(r"(?<![0-9])0[0-9]{1,4}[-() ]?[0-9]{1,4}[-() ]?[0-9]{3,4}(?![0-9])")
_HOUSE = re.compile(r"[0-9]+ ?(番地|番 ?[0-9]+ ?号|丁目 ?[0-9]+)")


def note_flaws(note: Note, agencies: Collection[str], today: date) -> Iterator[Flaw]:
    """Why a note cannot be kept, the first reason first. ``today`` is Japan's."""
    if note.noticed_on > today:
        yield Flaw("noticed_on", "date-future", "気づいた日が今日より後です。年月日を確かめてください。")
    if note.noticed_on < OLDEST_RECEPTION:
        yield Flaw("noticed_on", "date-range", "気づいた日が古すぎます。年を確かめてください。")
    if not note.signs:
        yield Flaw("signs", "required", "気になる様子を一つ以上選んでください。")
    if note.received_by is not None and note.received_by not in agencies:
        yield Flaw("received_by", "agency-unknown", "この市町村の機関一覧にない機関です。機関を確かめてください。")
    if not note.description.strip():
        yield Flaw("description", "required", "気づいたことの内容を書いてください。")
    yield from _too_long("description", note.description, LONGEST_NOTE)
    yield from _too_long("area", note.area, LONGEST_AREA)
    texts = [("description", note.description, True), ("area", note.area, False)]
    texts += [("own", one.value, True) for one in note.own]
    for field, text, lines in texts:
        yield from text_flaws(field, text, lines=lines)
        if points_to_somebody(text):
            message = "電話番号か番地と思われるものがあります。だれのことか分かることは書かず、消してください。"
            yield Flaw(field, "anonymous", message)


def reason_flaws(reason: str, longest: int = LONGEST_REASON) -> Iterator[Flaw]:
    """Why a reason is none."""
    if len("".join(reason.split())) < SHORTEST_REASON:
        yield Flaw("reason", "required", f"理由を、空白を除いて{SHORTEST_REASON}文字以上で書いてください。")
    yield from _too_long("reason", reason, longest)
    yield from text_flaws("reason", reason, lines=True)


def asking_flaws(sheet: Sheet) -> Iterator[Flaw]:
    """A つなぎ made of a note says what the person answered, or that he or she could not be asked (C4, C5, C6)."""
    if sheet.consent is ConsentState.NOT_ASKED:
        message = (
            "つなぐ前に、本人に役割と内容を説明し、同意を尋ねてください。"
            "急ぐときや会えないときは、同意区分を「確認できない」にして、理由を紹介理由に書けば、支援会議で扱えます。"
        )
        yield Flaw("consent", "C6", message)
    if sheet.consent in (ConsentState.WITHDRAWN, ConsentState.EXPIRED):
        message = "気づきメモに前の同意はありません。本人の答え(あり・一部・拒否・確認できない)を書いてください。"
        yield Flaw("consent", "C5", message)
    if sheet.consent is ConsentState.COULD_NOT_ASK and not sheet.reason.strip():
        yield Flaw("reason", "C4", "本人に同意を確かめられない理由を、紹介理由に書いてください。")


def points_to_somebody(text: str) -> bool:
    """Whether a text has a telephone number or a house number in it. Names cannot be told from other words."""
    plain = unicodedata.normalize("NFKC", text)
    return bool(_PHONE.search(plain) or _HOUSE.search(plain))


def text_flaws(field: str, text: str, *, lines: bool) -> Iterator[Flaw]:
    """What no printed page can hold, and a 個人番号."""
    try:
        check_text(text, lines=lines)
    except Refused as refused:
        yield Flaw(field, refused.rule, refused.message)


def _too_long(field: str, text: str, longest: int) -> Iterator[Flaw]:
    if len(text) > longest:
        yield Flaw(field, "length", f"{longest:,}字までです。短く書き直してください。")
