"""The catalogue of legal bases a meeting can rest on, with the dates they are in force.

A body's name never tells the kind of meeting (domain.md M13); its legal bases do. Texts shown to people
come from here, never from code elsewhere, because they change by law (懲役 became 拘禁刑 on 2025-06-01, S3).
"""

from dataclasses import dataclass
from datetime import date

from contracts.message import Compartment


@dataclass(frozen=True)
class LegalBasis:
    """One ground on which a case may be heard. ``compartment`` is None where kasane holds no case for it."""

    code: str
    article: str
    name: str
    compartment: Compartment | None
    in_force_from: date
    secrecy: bool


JUSO_BASIS = LegalBasis(
    "swa-106-4-2-5",
    "社会福祉法第106条の4第2項第5号",
    "重層的支援会議",
    Compartment.JUSO,
    date(2021, 4, 1),
    secrecy=False,
)
SHIEN_BASIS = LegalBasis(
    "swa-106-6", "社会福祉法第106条の6", "支援会議", Compartment.SHIEN, date(2021, 4, 1), secrecy=True
)

CATALOGUE: dict[str, LegalBasis] = {
    basis.code: basis
    for basis in (
        JUSO_BASIS,
        SHIEN_BASIS,
        LegalBasis(
            "plan-only", "社会福祉法第106条の5", "計画の協議(事案を扱わない)", None, date(2021, 4, 1), secrecy=False
        ),
        LegalBasis("nlsa-9", "生活困窮者自立支援法第9条", "支援会議(生活困窮)", None, date(2018, 10, 1), secrecy=True),
        LegalBasis("lpa-27-3", "生活保護法第27条の3", "調整会議", None, date(2025, 4, 1), secrecy=True),
        LegalBasis("ltcia-115-48", "介護保険法第115条の48", "地域ケア会議", None, date(2015, 4, 1), secrecy=True),
        LegalBasis("cwa-25-2", "児童福祉法第25条の2", "要保護児童対策地域協議会", None, date(2005, 4, 1), secrecy=True),
    )
}

BASIS_OF = {Compartment.JUSO: JUSO_BASIS, Compartment.SHIEN: SHIEN_BASIS}


def penalty_text(on: date) -> str:
    """The penalty for breaking the secrecy of a 支援会議, worded as the law stood ``on`` that day in Japan (S3)."""
    prison = "拘禁刑" if on >= date(2025, 6, 1) else "懲役"
    return f"1年以下の{prison}又は100万円以下の罰金"
