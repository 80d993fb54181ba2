"""The states a person's consent can be in. "Asked and refused" is not "not asked" (domain.md C4, C11, C12)."""

from enum import StrEnum


class ConsentState(StrEnum):
    """What the record of 本人同意 says now. Only GIVEN and NARROWED let anything be shared, within their scope."""

    GIVEN = "given"
    NARROWED = "narrowed"
    REFUSED = "refused"
    NOT_ASKED = "not_asked"
    COULD_NOT_ASK = "could_not_ask"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


CONSENT_TEXT = {
    ConsentState.GIVEN: "同意あり",
    ConsentState.NARROWED: "一部同意",
    ConsentState.REFUSED: "同意しない",
    ConsentState.NOT_ASKED: "未確認",
    ConsentState.COULD_NOT_ASK: "確認できない",
    ConsentState.WITHDRAWN: "撤回",
    ConsentState.EXPIRED: "期限切れ",
}
