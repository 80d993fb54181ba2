"""Whether the 紹介元 explained, before つなぎ, what the agency that receives does and what will be shared (C6). Pure.

A person never waits for a form: a つなぐシート that does not say who explained it and when is taken in, and the lack
stays due until the 市町村 or the 多機関協働事業者 has asked the 紹介元 and written it down with a decision of 受付.
"""

from datetime import date

from contracts.text import is_written

EXPLAINED_BY, EXPLAINED_ON = "説明者", "説明日"
"""What the form, the file and the pages call the two."""


def explanation_due(by: str, on: date | None) -> str:
    """What is still to be asked of the 紹介元, in one sentence that names C6; empty where both are known."""
    lacking = [label for label, known in ((EXPLAINED_BY, is_written(by)), (EXPLAINED_ON, on is not None)) if not known]
    if not lacking:
        return ""
    return (
        f"{'・'.join(lacking)}がありません。紹介元が役割と共有する内容を本人に説明したかを紹介元に確かめ、"
        "「受付」の判断と一緒に記録してください(C6)。"
    )
