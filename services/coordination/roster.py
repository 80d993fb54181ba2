"""The rules of the roster: who should sit at a case's table and why, who may not yet, what a choice has to say.

Plain values in, plain values out. The order of the proposal is that of the rules: who has to be there (P1, P2), the
referrer (P4), who has to do with the case (P3, P5), who knows a field of its problems (P5).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.intake import Problem
from contracts.message import Compartment
from contracts.preparing import Choice, Door, Hint, Need, Outside, Proposal, Proposed, Reason, Why
from contracts.profile import Agency, Profile

JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
OFFICE = {JUSO: ("municipality", "coordinator"), SHIEN: ("municipality",)}
"""Kinds of agency that have to be there (P1, P2, S1), and whose staff decide on the roster and ask agencies."""
PROGRAMMES = {
    "consultation": Reason.CONSULTATION,
    "participation": Reason.PARTICIPATION,
    "outreach": Reason.OUTREACH,
}
"""Kinds of agency that attend in principle (P3)."""
STRENGTH: tuple[Need, ...] = ("required", "expected", "optional")

CONSENT_DOOR = "この機関を含む同意を本人から得ると、出席を求められます(C3)。"
COMMISSION_DOOR = (
    "守秘義務を説明して委嘱すると、出席を求められます(S6)。委嘱しないときは、定型の協力依頼ができます(S5)。"
)


@dataclass(frozen=True)
class Round:
    """What the proposal looks at: codes of the case, and the agencies that its consent or a commission lets in."""

    compartment: Compartment
    referrer: str
    may_hear: frozenset[str]
    named: tuple[str, ...] = ()
    """The agencies of the つなぐシート."""
    problems: tuple[Problem, ...] = ()
    roles: tuple[str, ...] = ()
    """The agencies with a role in the newest plan."""
    coordinator: str | None = None
    """The 多機関協働事業者 whose case it is, where the city has several; the others have no part in it by that (P1)."""


@dataclass(frozen=True)
class Fault:
    """Why a choice is not accepted: rule, reason, and the lawful next step."""

    rule: str
    reason: str
    next_step: str


def proposal(case: Round, profile: Profile) -> Proposal:
    """Who should sit at the table. Whoever may not hear the case is not proposed, but named with the door (C3, S6)."""
    wanted = [(agency, reasons) for agency in profile.agencies if (reasons := _reasons(case, agency, profile))]
    wanted.sort(key=lambda one: _order(case, one[0], one[1]))
    seats, outside = [], []
    for agency, reasons in wanted:
        need = min((need for need, _ in reasons), key=STRENGTH.index)
        why = tuple(one for _, one in reasons)
        if agency.code in case.may_hear:
            seats.append(Proposed(agency=agency.code, need=need, why=why))
        else:
            outside.append(_outside(case.compartment, agency.code, need, why))
    hints = (*_size(len(seats), profile), *_reviewer(case, [one.agency for one in seats], profile))
    return Proposal(seats=tuple(seats), outside=tuple(outside), hints=hints, warns_above=profile.roster_warns_above)


def _reasons(case: Round, agency: Agency, profile: Profile) -> list[tuple[Need, Why]]:
    """Everything that speaks for an agency, with how much it is needed for that."""
    found: list[tuple[Need, Why]] = []
    if agency.kind == "municipality":
        rule = "P2" if case.compartment is JUSO else "S1"
        found.append(("required", Why(reason=Reason.MUNICIPALITY, rule=rule)))
    if agency.kind == "coordinator" and case.coordinator in (None, agency.code):
        need: Need = "required" if case.compartment is JUSO else "expected"
        found.append((need, Why(reason=Reason.COORDINATOR, rule="P1")))
    if agency.code == case.referrer:
        found.append(("expected", Why(reason=Reason.REFERRER, rule="P4")))
    if agency.kind in PROGRAMMES and _programme_attends(case, agency, profile):
        found.append(("expected", Why(reason=PROGRAMMES[agency.kind], rule="P3")))
    if agency.code in case.roles:
        found.append(("expected", Why(reason=Reason.ROLE, rule="T2")))
    if agency.code in case.named and agency.code != case.referrer:
        found.append(("expected", Why(reason=Reason.NAMED, rule="P5")))
    asked_for = [one for one in _uncovered(case, profile) if one in agency.fields]
    if _involved(case, agency):
        asked_for = [one for one in case.problems if one in agency.fields]
    found += [("optional", Why(reason=Reason.FIELD, rule="P5", problem=one)) for one in asked_for]
    return found


def _involved(case: Round, agency: Agency) -> bool:
    return agency.code in (case.referrer, *case.named, *case.roles)


def _programme_attends(case: Round, agency: Agency, profile: Profile) -> bool:
    """All of 参加支援 and アウトリーチ; of 包括的相談支援 those that have to do with the case.

    P3 says in principle, P5 not more people than needed: where a centre of the case attends, those of the other areas
    stay away. Where none has to do with the case, those that know its problems are asked, else all.
    """
    if agency.kind != "consultation":
        return True
    centres = [one for one in profile.agencies if one.kind == "consultation"]
    if any(_involved(case, one) for one in centres):
        return _involved(case, agency)
    able = [one for one in centres if set(one.fields) & set(case.problems)] or centres
    return agency in able


def _uncovered(case: Round, profile: Profile) -> list[Problem]:
    """The problems whose field no agency knows that has to do with the case already."""
    covered = {field for agency in profile.agencies if _involved(case, agency) for field in agency.fields}
    return [one for one in case.problems if one not in covered]


def _order(case: Round, agency: Agency, reasons: Sequence[tuple[Need, Why]]) -> tuple[int, int]:
    return min(STRENGTH.index(need) for need, _ in reasons), int(agency.code != case.referrer)


def _outside(where: Compartment, agency: str, need: Need, why: tuple[Why, ...]) -> Outside:
    door, rule, text = (Door.CONSENT, "C3", CONSENT_DOOR) if where is JUSO else (Door.COMMISSION, "S6", COMMISSION_DOOR)
    return Outside(agency=agency, need=need, why=why, door=door, rule=rule, next_step=text)


def _size(seats: int, profile: Profile) -> Iterable[Hint]:
    if seats > profile.roster_warns_above:
        text = f"{seats}機関は、目安の{profile.roster_warns_above}を超えています。"
        yield Hint(rule="P5", text=text + "機動性と事務の負担を考えて絞ってください。")


def _reviewer(case: Round, seated: Iterable[str], profile: Profile) -> Iterable[Hint]:
    """Whether somebody comes who can look at the assessment from outside the case (P6: 望ましい)."""
    able = [one for one in profile.agencies if one.reviews and not _involved(case, one)]
    if {one.code for one in able} & set(seated):
        return
    names = "、".join(one.name for one in able if one.code in case.may_hear)
    who = f"加えられる機関: {names}。" if names else "同意か委嘱のある機関の中にはいません。"
    yield Hint(rule="P6", text=f"アセスメントを客観的に確かめられる機関がいません。いるのが望ましいです。{who}")


# -- what is decided ---------------------------------------------------------------------------------------------------


def may_decide(agency: str, where: Compartment, profile: Profile) -> bool:
    """Whether an agency's staff prepare the meeting: 市町村 and 多機関協働事業者, in shien 市町村 alone (S1, P9)."""
    return any(one.code == agency and one.kind in OFFICE[where] for one in profile.agencies)


def judge(choice: Choice, case: Round, profile: Profile) -> Fault | None:
    """Why this choice cannot be accepted; None if it can."""
    checks = (_exist, _are_there, _are_inside, _depart_with_reason, _say_of_the_person, _are_not_too_many)
    return next((fault for check in checks if (fault := check(choice, case, profile))), None)


def _exist(choice: Choice, case: Round, profile: Profile) -> Fault | None:
    known, seated = {one.code for one in profile.agencies}, [one.agency for one in choice.seats]
    if set(seated) - known or {one.agency for one in choice.struck} - known:
        return Fault("P5", "市町村の設定にない機関があります。", "いまある機関から選び直してください。")
    if len(set(seated)) < len(seated):
        return Fault("P5", "同じ機関が二度書かれています。", "一つの機関は一行にしてください。")
    return None


def _are_there(choice: Choice, case: Round, profile: Profile) -> Fault | None:
    """P1, P2, S1: of each kind that has to be there one agency is required, if the municipality has any."""
    names = {
        "municipality": ("市町村", "P2" if case.compartment is JUSO else "S1"),
        "coordinator": ("多機関協働事業者", "P1"),
    }
    required = {one.agency for one in choice.seats if one.need == "required"}
    for kind in OFFICE[case.compartment]:
        of_kind = {one.code for one in profile.agencies if one.kind == kind}
        if kind == "coordinator" and case.coordinator is not None:
            of_kind = {case.coordinator}
        name, rule = names[kind]
        if of_kind and not of_kind & case.may_hear:  # to add it is not enough
            return _outside_fault(case.compartment, name)
        if of_kind and not of_kind & required:
            return Fault(rule, f"{name}が必須の席にありません。", f"{name}を必須として加えてください。")
    return None


def _are_inside(choice: Choice, case: Round, profile: Profile) -> Fault | None:
    outside = _names([one.agency for one in choice.seats if one.agency not in case.may_hear], profile)
    return _outside_fault(case.compartment, outside) if outside else None


def _outside_fault(where: Compartment, names: str) -> Fault:
    if where is JUSO:
        return Fault("C3", f"{names}は、本人の同意の範囲にありません。", CONSENT_DOOR)
    return Fault("S6", f"{names}は、委嘱されていません。", COMMISSION_DOOR)


def _depart_with_reason(choice: Choice, case: Round, profile: Profile) -> Fault | None:
    """Whoever is struck, added, or needed less than proposed stands there with a reason."""
    proposed = {one.agency: one for one in proposal(case, profile).seats}
    seated = {one.agency: one for one in choice.seats}
    said = {one.agency for one in choice.struck if one.words.strip()}
    for code, one in proposed.items():
        if code not in seated and code not in said:
            name, text = _names([code], profile), f"外す理由を書いてください({one.why[0].rule})。"
            return Fault(one.why[0].rule, f"{name}を外す理由がありません。", text)
    for code, seat in seated.items():
        if code not in proposed and not seat.words.strip():
            return Fault("P5", f"{_names([code], profile)}を加える理由がありません。", "加える理由を書いてください。")
    if both := {one.agency for one in choice.struck} & set(seated):
        return Fault("P5", f"{_names(both, profile)}が、出席と外すの両方にあります。", "どちらかにしてください。")
    return None


def _say_of_the_person(choice: Choice, case: Round, profile: Profile) -> Fault | None:
    if choice.attendance_words.strip():
        return None
    text = "本人のためになるか、心身の状態などを考えて、理由を書いてください。"
    return Fault("P7", "本人参加の要・否・保留の理由がありません。", text)


def _are_not_too_many(choice: Choice, case: Round, profile: Profile) -> Fault | None:
    if len(choice.seats) <= profile.roster_warns_above or choice.size_words.strip():
        return None
    reason = f"{len(choice.seats)}機関は、目安の{profile.roster_warns_above}を超えています。"
    return Fault("P5", reason, "絞るか、これだけの機関が要る理由を書いてください。")


def _names(codes: Iterable[str], profile: Profile) -> str:
    wanted = set(codes)
    return "、".join(one.name for one in profile.agencies if one.code in wanted)
