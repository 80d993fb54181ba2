"""世帯 at the office of intake: looked at, changed, and each 世帯員's own consent and secrecy recorded (S18).

A household shows only members of its own kind of meeting, and to an outside coordinator only those whom the consent
names. Nothing in it is ever overwritten; what hides a member hides the door of those who live with him or her, too.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import insert, select

from contracts.household import (
    Change,
    ChangeHousehold,
    HouseholdView,
    LookAtHousehold,
    LookAtShown,
    MemberView,
    Shown,
    ShownRows,
    Stay,
)
from contracts.message import Event
from contracts.office import Done, Officer
from services.intake import duplicates, members, sealed, secrecy, sight
from services.intake.deeds import NOT_OFFICE, Outcome, flawed, is_municipality, once, refused, register, today
from services.intake.handlers import service
from services.intake.household_rules import (
    HOUSEHOLD_LABELS,
    MEANWHILE,
    change_flaws,
    hidden_details,
)
from services.intake.ledger_tables import version
from services.intake.members import Spell
from services.intake.reception_tables import (
    household_end,
    household_stay,
    showing,
)
from services.intake.tables import household_member
from services.intake.unasked import consent_now, tell_unasked
from services.intake.versions import is_newest, lock, versions_where
from services.service import Tx

UNKNOWN = ("household-unknown", "その世帯はありません。", "受付番号、世帯員、日付を確かめてください。")
CLIENT = "本人"
LONGEST_LIST = 1000


@dataclass(frozen=True)
class Home:
    """A household as one officer may see it: who lives there on a day, and all stays, each of one kind of meeting."""

    household: UUID
    spells: tuple[Spell, ...]
    now: tuple[Spell, ...]
    ground: str

    @property
    def version(self) -> int:
        """Counts what has happened to it: stays begun and ended."""
        return len(self.spells) + sum(one.until is not None for one in self.spells)


# -- looking -----------------------------------------------------------------------------------------------------------


@service.does(LookAtHousehold)
def look_at_household(asked: LookAtHousehold, tx: Tx) -> tuple[HouseholdView, Iterable[Event]]:
    """Who lives together, with what this officer may see of each; registered member by member, masked or not."""
    day = asked.on or today(tx)
    home = _home(asked.referral, asked.by, day, tx, asked.member)
    if home is None:
        return refused(HouseholdView, *UNKNOWN), ()
    shown = _views(home, asked.by, tx)
    for masked in (False, True):
        rows = [(asked.referral, one.member) for one in shown if bool(one.hidden) is masked]
        register(tx, asked.by, "household", rows, home.ground, masked=masked)
    hides = {one.member for one in shown if one.secret and one.hidden}
    seen = {one.member for one in shown}
    history = tuple(_stay(one, one.member in hides) for one in home.spells if one.member in seen or one.until)
    return HouseholdView(
        done=True, referral=asked.referral, on=day, version=home.version, members=shown, history=history
    ), ()


@service.answers(LookAtShown)
def look_at_shown(asked: LookAtShown, tx: Tx) -> ShownRows:
    """The register of one referral, for the 市町村."""
    if not is_municipality(asked.by.agency, tx.profile):
        return refused(ShownRows, *NOT_OFFICE)
    if asked.by.desk_of and not sight.may_act(asked.referral, asked.by, tx):
        return refused(ShownRows, *UNKNOWN)
    wanted = select(showing).where(showing.c.subject == asked.referral).order_by(showing.c.at.desc())
    rows = [
        Shown(
            what=row.what,
            member=row.member if row.member != row.subject else None,
            person=row.person,
            agency=row.agency,
            rule=row.rule,
            masked=row.masked,
            at=row.at,
        )
        for row in tx.execute(wanted.limit(LONGEST_LIST))
    ]
    return ShownRows(done=True, rows=tuple(rows))


def _home(key: UUID, by: Officer, day: date, tx: Tx, member_ref: UUID | None = None) -> Home | None:
    """Where a referral's client, or the member named, lives on a day; None for who may not see that, or nowhere."""
    ground = sight.grounds([key], by, tx).get(key)
    if ground is None:
        return None
    whose = member_ref or sight.client_of(key, tx)
    own = [one for one in members.spells(tx, member=whose) if one.covers(day)]
    side = sight.side_of(key, tx)
    if not own or own[0].side != side:
        return None
    spells = [one for one in members.spells(tx, household=own[0].household) if one.side == side]
    allowed = _visible(spells, by, tx)
    if whose not in allowed or (own[0].referral != key and not _together(key, whose, tx)):
        return None
    seen = tuple(one for one in spells if one.member in allowed)
    return Home(own[0].household, seen, tuple(one for one in seen if one.covers(day)), ground)


def _together(key: UUID, whose: UUID, tx: Tx) -> bool:
    """Whether a member of another referral ever lived with one of this referral's."""
    mine = select(household_stay.c.household).where(
        household_stay.c.member.in_(select(household_member.c.member).where(household_member.c.referral == key))
    )
    wanted = select(household_stay.c.stay).where(household_stay.c.member == whose, household_stay.c.household.in_(mine))
    return tx.execute(wanted).first() is not None


def _visible(spells: Sequence[Spell], by: Officer, tx: Tx) -> set[UUID]:
    """Which members an officer may see: all of a reception of the 市町村, else those whom a consent names."""
    seen = sight.grounds({one.referral for one in spells}, by, tx)
    if is_municipality(by.agency, tx.profile):
        return {one.member for one in spells if one.referral in seen}
    newest = {one.referral: one for one in versions_where(tx, version.c.referral.in_(seen), is_newest())}
    return {
        one.member
        for one in spells
        if one.referral in newest and sight.consented(newest[one.referral], by.agency, one.member, tx)
    }


def _views(home: Home, by: Officer, tx: Tx) -> tuple[MemberView, ...]:
    living = [one.member for one in home.now]
    secret = secrecy.secrets(living, tx)
    hides = {who for who, one in secret.items() if one.hides_from(by.person)}
    own = members.own_consents(living, tx)
    keys = {one.referral for one in home.now}
    tx.fetch_keys(keys)
    newest = {one.referral: one for one in versions_where(tx, version.c.referral.in_(keys), is_newest())}
    known = {who: found for key in keys for who, found in secrecy.details(key, living, tx).items()}
    names = {who: name for key in keys for who, name in sealed.household(key, tx)}
    relations = {key: sealed.relations(key, tx) for key in keys}
    views, twins = [], _twins(home, tx)
    for one in home.now:
        hidden = hidden_details(one, living, hides, secrecy.OF_THE_HOME)
        how = secret.get(one.member, secrecy.Secret())
        relation, age = relations[one.referral].get(one.place, (CLIENT if one.place == 0 else sealed.GONE, None))
        views.append(
            MemberView(
                member=one.member,
                name=names[one.member],
                relation=relation,
                age=age,
                client=one.place == 0,
                since=one.since,
                consent=consent_now(one, own.get(one.member), newest.get(one.referral)),
                consents=own[one.member][1] if one.member in own else 0,
                details={kind: text for kind, text in known.get(one.member, {}).items() if kind not in hidden},
                hidden=hidden,
                secret=how.secret,
                same_as=twins.get(one.member),
                secrecy=how.number if one.member not in hides else 0,
                review_on=how.review_on if how.secret and one.member not in hides else None,
            )
        )
    return tuple(views)


def _twins(home: Home, tx: Tx) -> dict[UUID, UUID]:
    """By member, the one named before who is the same person: clients of several referrals."""
    clients = {one.referral: one.member for one in home.now if one.place == 0}
    side = home.now[0].side if home.now else None
    if len(clients) < 2 or side is None:
        return {}
    order = {key: number for number, key in enumerate(clients)}
    pairs = (sorted(pair, key=order.__getitem__) for pair in duplicates.one_person(clients, side, tx))
    found: dict[UUID, UUID] = {}
    for first, second in sorted(pairs, key=lambda pair: (order[pair[1]], order[pair[0]])):
        found.setdefault(clients[second], clients[first])
    return found


def _stay(one: Spell, hidden: bool) -> Stay:
    """Why a hidden member left would lead to him or her; that it ended does not."""
    return Stay(member=one.member, since=one.since, until=one.until, ended_by=None if hidden else one.ended_by)


# -- what happens to a household ---------------------------------------------------------------------------------------


@service.does(ChangeHousehold)
def change_household(asked: ChangeHousehold, tx: Tx) -> tuple[Done, Iterable[Event]]:
    """Somebody joins, leaves or splits off, or two households become one; who lived where until then stays."""

    def act() -> Outcome[Done]:
        here = _open_home(asked.referral, asked.by, tx)
        if here is None:
            return refused(Done, *unseen(asked.by, tx)), asked.referral, ()
        there = _open_home(asked.other, asked.by, tx) if asked.other else None
        if there is not None and (there.household == here.household or not _same_side(here, there)):
            there = None
        flaws = change_flaws(asked, here.now, there.now if there else (), today(tx))
        for flaw in (*([MEANWHILE] if here.version != asked.after else []), *flaws):
            return flawed(Done, flaw, HOUSEHOLD_LABELS[flaw.field]), asked.referral, ()
        _change(asked, here, there, tx)
        changed = [asked.referral, *([asked.other] if there and asked.other else [])]
        return Done(done=True), asked.referral, tell_unasked(changed, tx)

    lock([one for one in (asked.referral, asked.other) if one], tx, shared=False)
    return once(asked, Done, tx, act)


def _open_home(key: UUID, by: Officer, tx: Tx) -> Home | None:
    """The household a referral's client lives in today, to whoever may change it: the 市町村."""
    if not is_municipality(by.agency, tx.profile):
        return None
    return _home(key, by, today(tx), tx)


def unseen(by: Officer, tx: Tx) -> tuple[str, str, str]:
    return UNKNOWN if is_municipality(by.agency, tx.profile) else NOT_OFFICE


def _same_side(one: Home, other: Home) -> bool:
    return bool(one.now and other.now) and one.now[0].side == other.now[0].side


def _change(asked: ChangeHousehold, here: Home, there: Home | None, tx: Tx) -> None:
    if asked.newcomer is not None and asked.change is Change.JOIN:
        _begin([_newcomer(asked, tx)], here.household, asked, tx)
        return
    moving = there.now if there else [one for one in here.now if one.member in asked.members]
    how = {"until": asked.on, "change": asked.change.value, "by": asked.by.person, "agency": asked.by.agency}
    tx.execute(insert(household_end), [how | {"stay": one.stay, "at": tx.now} for one in moving])
    if asked.change is not Change.LEAVE:
        home = here.household if asked.change is Change.MERGE else tx.ref()
        _begin([one.member for one in moving], home, asked, tx)


def _begin(who: Collection[UUID], household: UUID, asked: ChangeHousehold, tx: Tx) -> None:
    facts = {"household": household, "since": asked.on, "by": asked.by.person, "at": tx.now}
    tx.execute(insert(household_stay), [facts | {"stay": tx.ref(), "member": one} for one in who])


def _newcomer(asked: ChangeHousehold, tx: Tx) -> UUID:
    one, place, who = asked.newcomer, members.next_place(asked.referral, tx), tx.ref()
    if one is None:
        raise TypeError("nobody joins")
    tx.execute(insert(household_member).values(member=who, referral=asked.referral, place=place))
    sealed.add_member(asked.referral, place, one.name.strip(), one.age, one.relation, tx)
    return who
