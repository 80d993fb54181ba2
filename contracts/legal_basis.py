"""The catalogue of legal bases a meeting can rest on, with the dates they are in force.

A body's name never tells the kind of meeting (domain.md M13); its legal bases do. Texts shown to people
come from here, never from code elsewhere, because they change by law (懲役 became 拘禁刑 on 2025-06-01, S3).
Days are days in Japan.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from contracts.message import Compartment

JAPAN = ZoneInfo("Asia/Tokyo")


class Host(StrEnum):
    """Who may hold a meeting (S1)."""

    MUNICIPALITY = "municipality"
    COORDINATOR = "coordinator"
    """多機関協働事業者, run by the 市町村 itself or entrusted to somebody."""
    ANY = "any"
    """Nothing is said, or kasane does not hold such meetings."""


@dataclass(frozen=True)
class Penalty:
    """What breaking the secrecy costs, as the law is worded from ``starts`` until the day before ``ends``."""

    text: str
    starts: date
    ends: date | None = None


@dataclass(frozen=True)
class LegalBasis:
    """One ground on which a case may be heard. ``compartment`` is None where kasane holds no case for it.

    In force from ``in_force_from`` until the day before ``in_force_to``; None: no end is known.
    """

    code: str
    article: str
    name: str
    compartment: Compartment | None
    in_force_from: date
    secrecy: bool
    consent_needed: bool = False
    host: Host = Host.ANY
    penalties: tuple[Penalty, ...] = ()
    in_force_to: date | None = None

    @property
    def begins(self) -> datetime:
        """The first instant at which it is law, UTC."""
        return _midnight(self.in_force_from)

    def in_force(self, moment: datetime) -> bool:
        """Whether it is law at this aware moment; a law begins and ends at midnight in Japan."""
        return self.begins <= moment and (self.in_force_to is None or moment < _midnight(self.in_force_to))


def catalogue(*bases: LegalBasis) -> dict[str, LegalBasis]:
    """The bases by code. Raises ValueError when two claim a code or dates overlap, leave a gap or run backwards."""
    found: dict[str, LegalBasis] = {}
    for basis in bases:
        if basis.code in found:
            raise ValueError(f"two legal bases claim the code {basis.code}")
        if basis.in_force_to is not None and basis.in_force_to <= basis.in_force_from:
            raise ValueError(f"{basis.code} ends before it begins")
        if any(one.ends is not None and one.ends <= one.starts for one in basis.penalties):
            raise ValueError(f"a penalty of {basis.code} ends before it begins")
        if any(one.ends != next_one.starts for one, next_one in pairwise(basis.penalties)):
            raise ValueError(f"the penalties of {basis.code} overlap or leave a gap")
        found[basis.code] = basis
    return found


@cache
def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), JAPAN).astimezone(UTC)


# 種003 §3 words the penalty with 懲役; since 令和7年6月1日 it is 拘禁刑 (S3, 公 P22); the sums are as before.
_SHIEN_PENALTIES = (
    Penalty("1年以下の懲役又は100万円以下の罰金", date(2021, 4, 1), date(2025, 6, 1)),
    Penalty("1年以下の拘禁刑又は100万円以下の罰金", date(2025, 6, 1)),
)

# 重層的支援体制整備事業 exists since 令和3年度 (種001): the first three rest on that.
JUSO_BASIS = LegalBasis(
    "swa-106-4-2-5",
    "社会福祉法第106条の4第2項第5号",
    "重層的支援会議",
    Compartment.JUSO,
    date(2021, 4, 1),
    secrecy=False,
    consent_needed=True,  # C1
    host=Host.COORDINATOR,  # S1
)
SHIEN_BASIS = LegalBasis(
    "swa-106-6",
    "社会福祉法第106条の6",
    "支援会議",
    Compartment.SHIEN,
    date(2021, 4, 1),
    secrecy=True,
    host=Host.MUNICIPALITY,  # S1
    penalties=_SHIEN_PENALTIES,
)

CATALOGUE: dict[str, LegalBasis] = catalogue(
    JUSO_BASIS,
    SHIEN_BASIS,
    LegalBasis(
        "plan-only", "社会福祉法第106条の5", "計画の協議(事案を扱わない)", None, date(2021, 4, 1), secrecy=False
    ),
    # Assumption: the date. The sources name the article and its secrecy (M14, S4), not the day it came into force.
    LegalBasis("nlsa-9", "生活困窮者自立支援法第9条", "支援会議(生活困窮)", None, date(2018, 10, 1), secrecy=True),
    # Assumption: the date, taken from the start of the 生活困窮者自立支援法. It needs consent and has no secrecy of its
    # own (domain.md 4; 種000 別記1の4 5); the sources give no article, so the guideline is named.
    LegalBasis(
        "nlsa-coordination",
        "生活困窮者自立支援制度(自立相談支援事業の実施要領)",
        "支援調整会議",
        None,
        date(2015, 4, 1),
        secrecy=False,
        consent_needed=True,
    ),
    # 令和7年4月1日 is sourced (M14, 公 P3). Assumption: its secrecy, by likeness with the 支援会議.
    LegalBasis("lpa-27-3", "生活保護法第27条の3", "調整会議", None, date(2025, 4, 1), secrecy=True),
    # Assumption: date and secrecy; the sources name the article only.
    LegalBasis("ltcia-115-48", "介護保険法第115条の48", "地域ケア会議", None, date(2015, 4, 1), secrecy=True),
    # Assumption: date. Its own secrecy is sourced (domain.md 4), the article number is not.
    LegalBasis("cwa-25-2", "児童福祉法第25条の2", "要保護児童対策地域協議会", None, date(2005, 4, 1), secrecy=True),
    # Assumption: article number, date and secrecy; 種003 §3 names 障害者総合支援法 and the body only.
    LegalBasis("pda-89-3", "障害者総合支援法第89条の3", "(自立支援)協議会", None, date(2013, 4, 1), secrecy=False),
)

BASIS_OF = {Compartment.JUSO: JUSO_BASIS, Compartment.SHIEN: SHIEN_BASIS}

SHIEN_SECRECY = "社会福祉法第106条の6第5項"
"""The paragraph on secrecy is cited from a city's ordinance, not from the statute (consent.md 11)."""
SHIEN_PURPOSE = (
    "支援会議は、重層的支援体制整備事業の円滑な実施を図るために必要な情報の交換を行うとともに、"
    "地域住民が地域において日常生活及び社会生活を営むのに必要な支援体制に関する検討を行うものです"
)
"""What the law holds a 支援会議 for (法106条の6), as notice and agenda say it (S14); cited by its article."""
TAX_SECRECY = "地方税法第22条"
EMERGENCY_SHARING = "個人情報の保護に関する法律第69条第2項第4号"
JUSO_GUIDELINE = "重層的支援体制整備事業実施要綱(別添5)"

CITED = frozenset({SHIEN_SECRECY, TAX_SECRECY, EMERGENCY_SHARING, JUSO_GUIDELINE})
"""Articles a decision may cite besides those meetings rest on."""


def penalty_text(on: date, basis: LegalBasis = SHIEN_BASIS) -> str:
    """The penalty for breaking the secrecy of a meeting, worded as the law stood ``on`` that day in Japan (S3).

    Before the first wording the first is given; empty where the sources name no penalty.
    """
    begun = [one for one in basis.penalties if one.starts <= on] or list(basis.penalties[:1])
    return begun[-1].text if begun else ""
