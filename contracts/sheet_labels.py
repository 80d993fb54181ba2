"""What a つなぐシート calls its fields: in a file, on a page, and in what is said of a fault."""

from contracts.explained import EXPLAINED_BY, EXPLAINED_ON

LABELS = {
    "municipality": "団体コード",
    "number": "受付番号",
    "resident_number": "宛名番号",
    "received_on": "受付日",
    "referrer": "紹介元機関",
    "referrer_staff": "紹介元担当者",
    "name": "氏名",
    "kana": "フリガナ",
    "sex": "性別",
    "born_on": "生年月日",
    "address": "住所",
    "phone": "電話番号",
    "problems": "お困りごと",
    "wishes": "相談されたいこと",
    "household_size": "世帯人数",
    "members": "世帯員",
    "agencies": "関係機関",
    "reason": "紹介理由",
    "urgent": "緊急度",
    "consent": "同意区分",
    "consented_on": "同意日",
    "explained_by": EXPLAINED_BY,
    "explained_on": EXPLAINED_ON,
}
"""The fields of a ``contracts.intake.Sheet`` and the columns they are called by, in the order of a file."""
