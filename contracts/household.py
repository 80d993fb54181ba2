"""世帯: who lives together since when, what each member agreed to, and what of a member is kept secret (S18, 秘匿).

Interests within one household differ: consent and secrecy are a member's own, never the household's. History is only
added to: a household that splits or merges keeps from when to when each lived where.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from contracts.consent import ConsentState, Obtained
from contracts.message import Message, Question
from contracts.office import Done, Line, Officer, Words


class Detail(StrEnum):
    """What of a member leads to where he or she is. All of it is hidden where the member is 秘匿."""

    ADDRESS = "address"
    PHONE = "phone"
    SCHOOL = "school"
    WHEREABOUTS = "whereabouts"


DETAIL_TEXT = {
    Detail.ADDRESS: "住所",
    Detail.PHONE: "電話番号",
    Detail.SCHOOL: "学校・園・勤め先",
    Detail.WHEREABOUTS: "居どころ",
}


class Ground(StrEnum):
    """Why a member is 秘匿: DV等支援措置 (住民基本台帳事務処理要領 第5-10) knows these four."""

    PARTNER_VIOLENCE = "partner_violence"
    STALKING = "stalking"
    CHILD_ABUSE = "child_abuse"
    OTHER = "other"


GROUND_TEXT = {
    Ground.PARTNER_VIOLENCE: "配偶者暴力",
    Ground.STALKING: "ストーカー行為等",
    Ground.CHILD_ABUSE: "児童虐待",
    Ground.OTHER: "その他これらに準ずる行為",
}


class Change(StrEnum):
    """What happened to a household."""

    JOIN = "join"
    LEAVE = "leave"
    SPLIT = "split"
    MERGE = "merge"


CHANGE_TEXT = {
    Change.JOIN: "加わる",
    Change.LEAVE: "離れる",
    Change.SPLIT: "分かれて別の世帯になる",
    Change.MERGE: "ほかの世帯と一緒になる",
}


class Stay(Message):
    """From when to when a member lived in this household; ``until`` is the first day no longer. By reference."""

    member: UUID
    since: date
    until: date | None
    ended_by: Change | None = None


class MemberView(Message):
    """One 世帯員 as one viewer may see him or her.

    ``consent`` is his or her own. ``details`` holds what there is and may be shown; ``hidden`` names what is kept from
    this viewer, whether or not there is any, so that it does not tell. ``consents`` counts what he or she said.
    """

    member: UUID
    name: Line
    relation: Line
    age: int | None
    client: bool
    since: date
    consent: ConsentState
    consents: int = 0
    details: dict[Detail, Words] = Field(default_factory=dict)
    hidden: tuple[Detail, ...] = ()
    secret: bool = False
    secrecy: int = 0
    """How often secrecy was set or lifted; told to whom the member is not hidden from."""
    same_as: UUID | None = None
    """The member who is the same person: two referrals of one person came into one household (C12)."""
    review_on: date | None = None
    """When a 支援措置 ends unless it is renewed. It stays hidden until a person lifts it."""


class HouseholdView(Done):
    """Who lives together on a day, and since when. ``version`` counts what has happened to the household."""

    referral: UUID | None = None
    on: date | None = None
    version: int = 0
    members: tuple[MemberView, ...] = ()
    history: tuple[Stay, ...] = ()


class LookAtHousehold(Question[HouseholdView], subject="ask.intake.look_at_household.v1"):
    """The household that a referral's client, or one ``member`` of it, lives in on a day (today). Registered."""

    by: Officer
    referral: UUID
    member: UUID | None = None
    on: date | None = None


class Newcomer(Message):
    """Somebody who was not on the sheet. 不詳 where a name is not known."""

    name: Line
    age: Annotated[int, Field(ge=0, le=130)] | None = None
    relation: Line = ""


class ChangeHousehold(Question[Done], subject="ask.intake.change_household.v1"):
    """Somebody joins, leaves, splits off, or two households become one, from a day on.

    ``after`` is the version that was seen. ``members``: who leaves or splits off. ``newcomer``: who joins. ``other``:
    the referral whose client's household is taken in; of the same kind of meeting only.
    """

    request: UUID
    by: Officer
    referral: UUID
    after: Annotated[int, Field(ge=0)]
    change: Change
    on: date
    members: Annotated[tuple[UUID, ...], Field(max_length=100)] = ()
    newcomer: Newcomer | None = None
    other: UUID | None = None


class RecordMemberConsent(Question[Done], subject="ask.intake.record_member_consent.v1"):
    """What one 世帯員 other than the client says. A no takes the member out of the client's consent at once (S18, C11).

    A yes alone lets nothing be shared: the consent's next version, with evidence, has to name the member (C3).
    """

    request: UUID
    by: Officer
    referral: UUID
    member: UUID
    after: Annotated[int, Field(ge=0)]
    state: ConsentState
    obtained: Obtained
    obtained_by: Line
    obtained_on: date
    note: Words = ""


class NoteDetail(Question[Done], subject="ask.intake.note_detail.v1"):
    """Where a member lives, goes to school, can be reached. The newest text holds; an empty one takes it back."""

    request: UUID
    by: Officer
    referral: UUID
    member: UUID
    detail: Detail
    text: Words


class SetSecrecy(Question[Done], subject="ask.intake.set_secrecy.v1"):
    """Keep a member's details from everybody but ``viewers`` (秘匿), or lift that (``secret`` False).

    By the 市町村 only; who lifts or changes it has to be one of those it is not hidden from. ``after``: the number of
    times secrecy was set or lifted, as seen.
    """

    request: UUID
    by: Officer
    referral: UUID
    member: UUID
    after: Annotated[int, Field(ge=0)]
    secret: bool
    ground: Ground | None = None
    viewers: Annotated[tuple[UUID, ...], Field(max_length=50)] = ()
    review_on: date | None = None
    note: Words = ""


class Shown(Message):
    """A row of intake's register: who was shown what of a referral or 世帯員 on a day."""

    what: Annotated[str, StringConstraints(max_length=16)]
    member: UUID | None
    person: UUID
    agency: str
    rule: str
    masked: bool
    at: AwareDatetime


class ShownRows(Done):
    """The newest first."""

    rows: tuple[Shown, ...] = ()


class LookAtShown(Question[ShownRows], subject="ask.intake.look_at_shown.v1"):
    """To whom was a referral shown at intake? For the 市町村, which answers a 開示請求 and reports a leak."""

    by: Officer
    referral: UUID
