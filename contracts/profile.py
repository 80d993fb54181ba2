"""A municipality's profile: which agencies, bodies, posts and places it has. Configuration, not personal data.

The kind of a meeting is never configured: a block names its legal basis, and what it may hear follows (policy.py).
"""

from collections.abc import Iterator
from datetime import date, time
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from contracts.body_faults import body_faults
from contracts.body_secrecy import KeepYears, PaperWindow, Secrecy
from contracts.convener_faults import convener_faults
from contracts.coordinating import Area, Convener, Coordinating, Data, Power, Programmes
from contracts.holding import Mode
from contracts.intake import Problem
from contracts.legal_basis import CATALOGUE, JUSO_BASIS
from contracts.message import Code, MunicipalityCode
from contracts.municipality import is_municipality_code
from contracts.series import Break, Chair, Label, Lengths
from contracts.series import Cadence as Cadence  # who reads a profile has it from here
from contracts.triage import Criteria


class Agency(Data):
    """機関: who takes part. ``kind`` is what the rules ask for: 市町村, 多機関協働事業者, 包括的相談支援 … (P1-P3)."""

    code: Code
    name: str
    kind: Literal[
        "municipality",
        "coordinator",
        "consultation",
        "outreach",
        "participation",
        "community",
        "medical",
        "school",
        "other",
    ]
    outsourced: bool = False
    aliases: tuple[str, ...] = ()
    """Other spellings under which the files of existing systems name this agency."""
    area: Code | None = None
    """圏域: the one part of the city it serves; None: the whole city."""
    fields: tuple[Problem, ...] = ()
    """Which problems this agency knows: a case with one of them proposes it for the roster (P5)."""
    reviews: bool = False
    """客観的検討者: it can look at the assessment of a case that it has no part in (P6)."""
    until: date | None = None
    """Its last day. It stays here so that what was keeps its name; from the day after it can have no role (T2)."""


class Place(Data):
    """場所: where a sitting can be held. Whether one may come from elsewhere is said of the body, not here (M3)."""

    code: Code
    name: str

    @model_validator(mode="before")
    @classmethod
    def _says_nothing_of_online(cls, said: Any) -> Any:
        if isinstance(said, dict) and "online" in said:
            raise ValueError(
                "場所に online は書きません。開き方は会議体の mode(in_person・both・online)と"
                "mode_reason に書いてください(M3)。"
            )
        return said


class Online(Data):
    """オンライン会議の仕組み: the city's own server, or one fixed link (M3). Its secret lies with the keys."""

    kind: Literal["jitsi", "bigbluebutton", "link"]
    url: Annotated[str, Field(pattern=r"^(https://|http://127\.0\.0\.1[:/])[!-~]{1,300}$")]
    opens_minutes_before: Annotated[int, Field(ge=0, le=120)] = 15


class Room(Data):
    """部屋: a room at a place, how many it seats and what is in it. A place without rooms is never full."""

    code: Code
    name: str
    place: Code
    capacity: PositiveInt
    equipment: tuple[Code, ...] = ()


class Quorum(Data):
    """成立の要件: at least so many of the seats of these agencies, or agencies of these kinds, are filled (P1-P3).

    「包括3者のうち1」 is ``at_least`` 1 of three agencies. Each of their seats has its substitutes.
    """

    name: str
    at_least: PositiveInt
    agencies: tuple[Code, ...] = ()
    kinds: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _counts_somebody(self) -> Self:
        if not self.agencies and not self.kinds:
            raise ValueError(f"quorum {self.name} names neither agencies nor kinds")
        if self.agencies and not self.kinds and self.at_least > len(set(self.agencies)):
            raise ValueError(f"quorum {self.name} wants more agencies than it names")
        return self


class Seat(Data):
    """出席者の枠: whoever holds ``post`` at ``agency``. ``need``: 必須, 原則, 任意 (P1-P5)."""

    agency: Code
    post: Code
    need: Literal["required", "expected", "optional"]


class Block(Data):
    """区切り: the part of a regular sitting that rests on one legal basis (M5). Times are wall clock in Asia/Tokyo."""

    basis: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    starts: time
    minutes: PositiveInt
    capacity: PositiveInt = 1
    """How many agenda items it can hear."""
    lengths: Lengths | None = None
    """How long each takes; None: an equal part of the block. The block's minutes are a limit besides ``capacity``."""
    roster: tuple[Seat, ...] | None = None
    """Who sits in this block, where that is not the body's whole roster (M6)."""
    cost: Label | None = None
    """費用区分: on which account this part is booked. Where a body joins several legal bases ``kasane series`` names
    each block that has none (M8)."""
    bylaw: Label | None = None
    """規定: the 要綱 or ordinance this part is held under (M8)."""

    @model_validator(mode="after")
    def _in_catalogue(self) -> Self:
        if self.basis not in CATALOGUE:
            raise ValueError(f"unknown legal basis {self.basis}")
        return self

    def minutes_for(self, purpose: str) -> int:
        """How long an item for this purpose takes, never longer than the block."""
        return min(self.minutes, self.lengths.of(purpose) if self.lengths else self.minutes // self.capacity or 1)


class Body(Data):
    """会議体. Without ``cadence`` it meets 随時 only. One body may have several legal bases, a block each (M7).

    ``roster`` is the standing one; ``by_case`` adds the case's agencies (P5, P10).
    """

    code: Code
    name: str
    host: Code
    place: Code
    blocks: Annotated[tuple[Block, ...], Field(min_length=1)]
    cadence: Cadence | None = None
    roster: tuple[Seat, ...] = ()
    by_case: bool = False
    case_seats: bool = True
    """事案ごとの席: at a regular sitting an agency of a case has a seat for its part only (P3, P4, P5). False: a city
    whose plan closes the roster; those agencies are then heard by papers alone."""
    agenda_deadline_days: Annotated[int, Field(ge=0)] = 0
    hears_cases: bool = True
    areas: tuple[Code, ...] = ()
    """It hears the cases of these areas only, and before any body of the whole city does."""
    escalates_to: Code | None = None
    """The body to which a case goes of which nothing could be decided here (M10, D6)."""
    raised_only: bool = False
    """It hears only what another body raised to it (M10)."""
    quorum: tuple[Quorum, ...] = ()
    """What has to be filled besides required seats for a 随時 date to be one (P1-P3)."""
    equipment: tuple[Code, ...] = ()
    """What has to be in the room, where its place has rooms."""
    decides: bool = True
    """False where a plan or an ending is only talked over, and another body finds it fit (D6)."""
    collects_papers: bool = False
    """資料回収: each printed copy is numbered and taken back after the sitting. No law says so; cities vary (S16)."""
    chairs: tuple[Chair, ...] = ()
    """会長 and who stands in, with their dates."""
    mode: Mode = "in_person"
    """How its sittings are held, unless a person changes one of them for this once (holding.py)."""
    mode_reason: Label | None = None
    """Why it meets online: 集まりにくい, or to lighten the burden (M3)."""
    secrecy: tuple[Secrecy, ...] = ()
    """守秘 by the city's own 要綱, in every block, also where the law has none: one at a time (S4, S15)."""
    pledge: bool = False
    """誓約書: whoever is in the room has handed one in before an item is called (S16)."""
    papers: PaperWindow = PaperWindow()
    """When the papers of its blocks are open to their seats (M5, S11)."""
    keep_years: KeepYears | None = None
    """保存年限 of its papers, where the city has set one (S16)."""
    co_hosts: tuple[Code, ...] = ()
    """共催: agencies whose own ケース会議 may be held together with it (M11)."""

    @model_validator(mode="before")
    @classmethod
    def _says_by_what_it_binds(cls, said: Any) -> Any:
        if isinstance(said, dict) and "sealed_by_bylaw" in said:
            raise ValueError(
                "sealed_by_bylaw は secrecy に変わりました。"
                "secrecy = [{ ground = 要綱の条, text = 条文, first = 施行日 }] と書いてください(S15)。"
            )
        return said

    def secrecy_on(self, day: date) -> Secrecy | None:
        """The 要綱's secrecy that holds on that day, if there is one (S15)."""
        return next((one for one in self.secrecy if one.in_force(day)), None)

    def roster_of(self, block: Block) -> tuple[Seat, ...]:
        """Who sits in a block by the profile: its own roster, else the body's (M6)."""
        return self.roster if block.roster is None else block.roster

    @property
    def takes_in(self) -> bool:
        """Whether the agencies of its cases sit there besides the roster, each for its own case (P3, P4, P5)."""
        return self.by_case or (self.case_seats and self.hears_cases and self.cadence is not None)

    @property
    def everybody(self) -> tuple[Seat, ...]:
        """Each seat of the body or of one of its blocks, once."""
        return tuple(dict.fromkeys([*self.roster, *(seat for block in self.blocks for seat in block.roster or ())]))


Days = Annotated[int, Field(ge=1, le=366)]


class Deadlines(Data):
    """期限: days after which a step counts as late. The law gives no number for any of these: all defaults are guesses.

    What a plan itself says (モニタリング, フォローアップ) has its own day and is not set here (T4, T8, D7).
    """

    answer_days: Days = 14
    """つなぎ to the answer whether it is taken on or given back (T9, D8)."""
    assess_days: Days = 30
    """受付 to the アセスメント (C5)."""
    ask_members_days: Days = 14
    """A 世帯員 who was not asked for an own consent to the asking; the meeting, if that comes first (S18)."""
    talk_days: Days = 7
    """A form that says the person is anxious (本人の不安) to the 面談 or 同行支援 (C7)."""
    plan_days: Days = 30
    """アセスメント to the プラン案 (T1 A)."""
    bring_days: Days = 30
    """プラン案 to its being put to a meeting (T1 A, B)."""
    result_days: Days = 60
    """付議 to the result; a 定例会議 may be two months away (D6)."""
    early_days: Days = 60
    """早期支援 to the meeting that looks at it, the next one: two months away at most where it is 隔月 (T5)."""
    fix_days: Days = 14
    """The meeting to the 決定, or the 報告 (D11: 「速やかに」)."""
    notify_days: Days = 14
    """決裁 to the 通知 (D11)."""
    report_end_days: Days = 60
    """死亡・転出 to its being told the next meeting (T6)."""
    commission_days: Days = 30
    """How long before a 委嘱 lapses it is shown (S6)."""
    remind: bool = True
    """Whether whoever is responsible is told by mail, once a working day, that something on the desk is due."""
    remind_before_days: Annotated[int, Field(ge=0, le=60)] = 3
    """How many days before its day something is reminded of for the first time."""
    escalate_days: Days = 14
    """How long something may be overdue before the case is proposed to the next regular meeting (M1)."""
    escalation: Literal["proposed", "automatic"] = "proposed"
    """Whether a person has to confirm that (one click), or the case is put there at once."""


class Profile(Data):
    """The whole profile of one municipality. ``examples/kobayashi/profile.toml`` is one."""

    municipality: Annotated[MunicipalityCode, AfterValidator(lambda code: _checked(code))]
    name: str
    office: str
    """Who signs notices, e.g. 小林市 福祉課."""
    office_mail: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    office_phone: str
    secretariat_post: Code
    """The post that stands in for an agency on 随時 sittings unless the agency names its own."""
    urgent_within_days: PositiveInt = 7
    """How many calendar days an urgent case may wait for its 随時 sitting."""
    adhoc_within_days: PositiveInt = 28
    adhoc_wants_percent: Annotated[int, Field(ge=0, le=100)] = 50
    """Where no 随時 date has so many of the called agencies, the next regular sitting is proposed (M2). No source has a
    number; half is our guess, to be set by each city."""
    roster_warns_above: PositiveInt = 12
    """More agencies than this on one roster want a reason. 種000 別添5 1(3)キ(エ) warns of adding people (P5) without a
    number; twelve is our guess from what cities report, to be set by each city."""
    consent_years: PositiveInt = 3
    """How long a consent on a つなぐシート lasts. No notice says; three years is our guess, to be set by each city."""
    consent_text: Annotated[str, Field(pattern=r"^[^\s\x00-\x1f]{1,40}$")] = "第1号"
    """Which version of the 個人情報に関する管理・取扱規程 the sheets in use refer to (C2)."""
    deadlines: Deadlines = Deadlines()
    office_opens: time = time(9, 0)
    office_closes: time = time(17, 0)
    agencies: tuple[Agency, ...]
    places: tuple[Place, ...]
    online: Online | None = None
    bodies: tuple[Body, ...]
    areas: tuple[Area, ...] = ()
    programmes: Programmes | None = None
    coordinating: Coordinating | None = None
    powers: tuple[Power, ...] = ()
    convener: Convener | None = None
    """会長: who approves a date, and who stands in (S12); None: another officer of the 市町村 than whoever proposed."""
    rooms: tuple[Room, ...] = ()
    approval: bool = False
    """Whether a 随時 date needs approval before invitations go out (S12). The law gives no number of steps: 公 P5
    米原市4条 has two, others one; without it the date is found and announced by itself."""
    closed_days: tuple[Annotated[str, Field(pattern=r"^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$")], ...] = (
        "12-29",
        "12-30",
        "12-31",
        "01-01",
        "01-02",
        "01-03",
    )
    """The city's own closed days, yearly (MM-DD) or once (YYYY-MM-DD), besides weekends and national holidays."""
    breaks: tuple[Break, ...] = ()
    """When bodies do not meet though the office is open, such as the weeks of the assembly (M9)."""
    triage: Criteria = Criteria()
    """What comes to 多機関協働 and what goes back (D8); read from triage.toml beside the profile."""

    @model_validator(mode="after")
    def _names_what_exists(self) -> Self:
        agencies, places = {a.code for a in self.agencies}, {p.code for p in self.places}
        for body in self.bodies:
            if body.place not in places:
                raise ValueError(f"body {body.code} meets at an unknown place {body.place}")
            for code in {body.host, *body.co_hosts} | {seat.agency for seat in body.everybody}:
                if code not in agencies:
                    raise ValueError(f"body {body.code} names an unknown agency {code}")
        for fault in profile_faults(self):
            raise ValueError(fault)
        return self

    def agency(self, code: str) -> Agency:
        """The agency with this code. Raises KeyError."""
        return {a.code: a for a in self.agencies}[code]

    def meets_online(self, mode: Mode) -> bool:
        """Whether one can take part from elsewhere in a sitting held in this mode: there is something to do it with."""
        return self.online is not None and mode != "in_person"

    def body(self, code: str | None) -> Body | None:
        """The body with this code, if there is one."""
        return next((body for body in self.bodies if body.code == code), None)

    def area_of(self, agency: str) -> str | None:
        """The area an agency serves; None where it serves the whole city or is unknown."""
        return next((one.area for one in self.agencies if one.code == agency), None)

    @property
    def coordinators(self) -> tuple[str, ...]:
        """The agencies that carry 多機関協働."""
        return tuple(one.code for one in self.agencies if one.kind == "coordinator")

    def coordinator_for(self, referrer: str) -> str | None:
        """Whose case a referral is: who takes from this agency, itself, who has its area, else the first of 1層."""
        listed = self.coordinating.coordinators if self.coordinating else ()
        area = self.area_of(referrer)
        own = [one.agency for one in listed if referrer in one.takes_from]
        own += [code for code in self.coordinators if code == referrer]
        own += [one.agency for one in listed if area is not None and area in one.areas]
        return next(iter([*own, *(one.agency for one in listed if one.level == 1), *self.coordinators]), None)


TELLING = ("支援会議", "重層", "事案", "個別会議", "ケース会議")
"""Words that say of which kind a meeting is. Names of places stand in every invitation and calendar (S17)."""


def profile_faults(profile: Profile) -> Iterator[str]:
    """What does not fit together in a profile, beyond what its bodies name."""
    for place in profile.places:
        for word in TELLING:
            if word in place.name:
                yield f"place {place.code} says {word}: its name stands in invitations, which tell nothing (S17)"
    agencies, areas = {one.code for one in profile.agencies}, {one.code for one in profile.areas}
    for one in profile.agencies:
        if one.area is not None and one.area not in areas:
            yield f"agency {one.code} names an unknown area {one.area}"
    for power in profile.powers:
        if power.agency not in agencies:
            yield f"power {power.action} names an unknown agency {power.agency}"
    for kind, carried_by in profile.programmes or ():
        for code in sorted(set(carried_by) - agencies):
            yield f"programme {kind} names an unknown agency {code}"
    if profile.programmes and set(profile.programmes.coordination) != set(profile.coordinators):
        yield "programme coordination is not exactly the agencies of kind coordinator"
    yield from convener_faults(profile)
    yield from _coordinator_faults(profile, agencies, areas)
    yield from _room_faults(profile, agencies)
    bodies = {body.code for body in profile.bodies}
    for one_break in profile.breaks:
        for code in sorted(set(one_break.bodies) - bodies):
            yield f"break {one_break.name} names an unknown body {code}"
    for body in profile.bodies:
        yield from _body_faults(profile, body, areas)
        yield from body_faults(body)


def _coordinator_faults(profile: Profile, agencies: set[str], areas: set[str]) -> Iterator[str]:
    listed = profile.coordinating.coordinators if profile.coordinating else ()
    if listed and sorted(one.agency for one in listed) != sorted(profile.coordinators):
        yield "coordinating does not list each agency of kind coordinator once"
    for name, known in (("areas", areas), ("takes_from", agencies)):
        named = [code for one in listed for code in getattr(one, name)]
        for code in sorted({one for one in named if one not in known or named.count(one) > 1}):
            yield f"coordinating: {name} names {code} twice, or it is unknown"
    if listed and not any(one.level == 1 for one in listed):
        yield "coordinating has no coordinator of level 1, who takes what is nobody else's"
    for one in listed:
        if (one.level == 2) != bool(one.areas):
            yield f"coordinator {one.agency}: areas are those of level 2, and every level 2 has some"


def _room_faults(profile: Profile, agencies: set[str]) -> Iterator[str]:
    places, codes = {one.code for one in profile.places}, [one.code for one in profile.rooms]
    for room in profile.rooms:
        if room.place not in places:
            yield f"room {room.code} lies at an unknown place {room.place}"
        if codes.count(room.code) > 1:
            yield f"room {room.code} is listed twice"
    for body in profile.bodies:
        for quorum in body.quorum:
            for code in sorted(set(quorum.agencies) - agencies):
                yield f"quorum {quorum.name} of body {body.code} names an unknown agency {code}"


def _body_faults(profile: Profile, body: Body, areas: set[str]) -> Iterator[str]:
    kind = next((one.kind for one in profile.agencies if one.code == body.host), "")
    if any(block.basis == JUSO_BASIS.code for block in body.blocks) and kind not in ("municipality", "coordinator"):
        yield (
            f"body {body.code}: 重層的支援会議を開けるのは、多機関協働事業者か、それを自ら行う市町村だけです。host を"
            f"その機関にしてください({body.host} はどちらでもありません、S1)"
        )
    for code in sorted(set(body.areas) - areas):
        yield f"body {body.code} names an unknown area {code}"
    if not body.decides and body.escalates_to is None:
        yield f"body {body.code} does not decide and escalates to nobody"
    if body.raised_only and all(one.escalates_to != body.code for one in profile.bodies):
        yield f"body {body.code} hears only what is raised to it, and no body does"
    seen, above = {body.code}, body.escalates_to
    while above is not None:
        target = profile.body(above)
        if target is None or not target.hears_cases:
            yield f"body {body.code} escalates to {above}, which is unknown or hears no cases"
            return
        if above in seen:
            yield f"body {body.code} escalates in a circle"
            return
        if not {block.basis for block in body.blocks} <= {block.basis for block in target.blocks}:
            yield f"body {body.code} escalates to {above}, which does not rest on the same legal bases"
        seen, above = {*seen, above}, target.escalates_to


def _checked(code: str) -> str:
    if not is_municipality_code(code):
        raise ValueError("not a 全国地方公共団体コード: check digit is wrong")
    return code
