"""A small town's profile, and つなぐシート of people who do not exist: as values, as rows, as files."""

import csv
import io
from datetime import date
from typing import Any

from contracts.consent import ConsentState
from contracts.intake import Member, Problem, Sheet
from contracts.profile import Agency, Profile
from services.intake.domain import LABELS

TOWN = Profile(
    municipality="452050",
    name="小林市",
    office="小林市 福祉課",
    office_mail="kaigi@fukushi.kobayashi.example",
    office_phone="0984-00-1100",
    secretariat_post="officer",
    agencies=(
        Agency(
            code="houkatsu", name="小林市地域包括支援センター", kind="consultation", aliases=("小林包括", "支所窓口")
        ),
        Agency(code="jiritsu", name="生活自立相談支援センター", kind="consultation", aliases=("生活自立", "支所 窓口")),
        Agency(code="kenko", name="健康推進課", kind="municipality"),
        Agency(code="kodomo", name="こども家庭センター", kind="other", aliases=("こども家庭ｾﾝﾀｰ",)),
    ),
    places=(),
    bodies=(),
)

ROW = {
    "団体コード": "452050",
    "受付番号": "0000123",
    "宛名番号": "0001000318",
    "受付日": "令和8年11月2日",
    "紹介元機関": "小林包括",
    "紹介元担当者": "日髙 奈緒",
    "氏名": "髙橋 キヨ子",
    "フリガナ": "タカハシ キヨコ",
    "性別": "女",
    "生年月日": "昭和18年6月9日",
    "住所": "小林市細野9901番地",
    "電話番号": "0984-00-1201",
    "お困りごと": "介護、収入・仕事",
    "相談されたいこと": "息子のこれからが心配。",
    "世帯人数": "2",
    "世帯員": "髙橋 和彦/54/長男",
    "関係機関": "生活自立;健康推進課",
    "紹介理由": "母の年金で二人で暮らしている。",
    "緊急度": "通常",
    "同意区分": "あり",
    "同意日": "R8.11.2",
    "説明者": "日髙 奈緒",
    "説明日": "R8.10.30",
}
assert list(ROW) == list(LABELS.values())


def row(**changes: str) -> dict[str, str]:
    """A good row, changed."""
    return ROW | changes


def text(*rows: dict[str, str], header: list[str] | None = None) -> str:
    """A file's text with these rows under a header."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, header or list(ROW))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def file(*rows: dict[str, str], encoding: str = "utf-8-sig") -> bytes:
    """A file with these rows."""
    return text(*rows).encode(encoding)


def sheet(**changes: Any) -> Sheet:
    """What ROW says, changed."""
    values: dict[str, Any] = {
        "municipality": "452050",
        "number": "0000123",
        "resident_number": "0001000318",
        "received_on": date(2026, 11, 2),
        "referrer": "houkatsu",
        "referrer_staff": "日髙 奈緒",
        "name": "髙橋 キヨ子",
        "kana": "タカハシ\u3000キヨコ",
        "sex": "female",
        "born_on": date(1943, 6, 9),
        "address": "小林市細野9901番地",
        "phone": "0984-00-1201",
        "problems": (Problem.ELDER_CARE, Problem.INCOME_WORK),
        "wishes": "息子のこれからが心配。",
        "members": (Member(name="髙橋 和彦", age=54, relation="長男"),),
        "household_size": 2,
        "agencies": ("jiritsu", "kenko"),
        "reason": "母の年金で二人で暮らしている。",
        "urgent": False,
        "consent": ConsentState.GIVEN,
        "consented_on": date(2026, 11, 2),
        "explained_by": "日髙 奈緒",
        "explained_on": date(2026, 10, 30),
    }
    return Sheet.model_validate(values | changes)


def without_consent(state: ConsentState, **changes: Any) -> Sheet:
    """A sheet whose client has not consented, or no longer."""
    return sheet(**{"consent": state, "consented_on": None, **changes})
