"""Who is the same person: found within one kind of meeting only, confirmed or denied by a person, not asked again.

Identity is sealed, so finding pairs opens every client of that kind; an index that needed no opening would let names be
tried on an old backup. A store's order of references, counts and refusals do not depend on the other kind's referrals.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from itertools import chain, combinations, product
from typing import Any
from uuid import UUID

from sqlalchemy import insert, or_, select

from contracts.message import Compartment, Event
from contracts.office import Done, Officer
from contracts.same_person import Checked, DecideSame, Likeness, LookAtDuplicates, OneOfTwo, Pair, Pairs
from services.intake import sealed
from services.intake.deeds import NOT_OFFICE, Outcome, acts_for_office, is_municipality, once, refused, register
from services.intake.handlers import STATES, service
from services.intake.likeness import Known, keys_of, likeness, numbers_differ
from services.intake.reception_tables import same_person
from services.intake.sight import grounds
from services.intake.tables import client, referral
from services.intake.versions import lock
from services.service import Shut, Tx
from services.vault import open_row

SHOWN_AT_ONCE = 300
"""Pairs; the rest comes when these are decided."""
UNKNOWN = (
    "referral-unknown",
    "その組のつなぎはありません。",
    "一覧を開き直して(kasane same list)、組を確かめてください。",
)
MEANWHILE = (
    "decided-meanwhile",
    "ほかの人が先に記録しました。",
    "一覧を開き直して(kasane same list)、読んでから、もう一度記録してください。",
)
ITSELF = ("same-itself", "二つの参照が同じです。", "別々のつなぎを二つ指定してください。")
_COMPARED = (client.c.resident_number, client.c.name, client.c.kana, client.c.born_on, client.c.sex)
Found = tuple[UUID, UUID]
Rows = Mapping[UUID, Mapping[Any, Any]]


@service.does(LookAtDuplicates)
def look_at_duplicates(asked: LookAtDuplicates, tx: Tx) -> tuple[Pairs, Iterable[Event]]:
    """The pairs of one kind of meeting that this officer may see whole; each client shown is registered first."""
    if not _may_compare(asked.by, asked.compartment, tx):
        return refused(Pairs, *NOT_OFFICE), ()
    people, rows = people_of(asked.compartment, tx)
    found = _alike(people, asked.referral)
    seen = grounds({key for pair in found for key in pair}, asked.by, tx)
    decided = _findings(found, asked.compartment, tx)
    pairs = [
        _pair(pair, like, people, rows, decided.get(pair))
        for pair, like in found.items()
        if pair[0] in seen and pair[1] in seen
    ]
    pairs.sort(key=lambda pair: (pair.one.received_on, pair.other.received_on, pair.one.referral, pair.other.referral))
    same = [one for one in pairs if _is_same(one)]
    open_ones = [one for one in pairs if one.decided is None and not _is_same(one)]
    different = [one for one in pairs if one.decided == "different"] if asked.denied else []
    shown = tuple(tuple(part[:SHOWN_AT_ONCE]) for part in (same, open_ones, different))
    for ground in set(seen.values()):
        keys = {side.referral for part in shown for one in part for side in (one.one, one.other)}
        register(tx, asked.by, "same", ((key, key) for key in sorted(keys) if seen[key] == ground), ground)
    return Pairs(done=True, same=shown[0], candidates=shown[1], different=shown[2]), ()


@service.does(DecideSame)
def decide_same(asked: DecideSame, tx: Tx) -> tuple[Done, Iterable[Event]]:
    """Record what a person found of two referrals that lie in one kind of meeting now."""

    def act() -> Outcome[Done]:
        kind = _kind_of(asked, tx)
        if not isinstance(kind, Compartment):
            return refused(Done, *kind), asked.one, ()
        pair = _ordered(asked.one, asked.other)
        newest = _findings([pair], kind, tx).get(pair)
        if (newest["version"] if newest else 0) != asked.after:
            return refused(Done, *MEANWHILE), asked.one, ()
        row = {"one": pair[0], "other": pair[1], "kind": kind.value, "version": asked.after + 1, "at": tx.now}
        row |= {"same": asked.same, "checked": asked.checked.value, "by": asked.by.person, "agency": asked.by.agency}
        tx.execute(insert(same_person).values(row))
        return Done(done=True), asked.one, ()

    lock(_ordered(asked.one, asked.other), tx, shared=False)
    return once(asked, Done, tx, act)


def certainly_same(key: UUID, tx: Tx) -> list[UUID]:
    """The other referrals of juso that are certain or confirmed to be about this one's client, wherever this one lies.

    After a withdrawal it lies in juso no longer; those of its client that do are what its client is to be asked about.
    """
    people, _ = people_of(Compartment.JUSO, tx, also=key)
    found = _alike(people, key)
    decided = _findings(found, Compartment.JUSO, tx)
    pairs = [pair for pair, like in found.items() if _holds(like, decided.get(pair))]
    return [one for pair in pairs for one in pair if one != key]


def _holds(like: Likeness, finding: Mapping[Any, Any] | None) -> bool:
    return bool(finding["same"]) if finding is not None else like is Likeness.NUMBER


def denied(one: UUID, other: UUID, kind: Compartment, tx: Tx) -> bool:
    """Whether a person found that these two are not one person."""
    pair = _ordered(one, other)
    finding = _findings([pair], kind, tx).get(pair)
    return finding is not None and not finding["same"]


def _may_compare(by: Officer, compartment: Compartment, tx: Tx) -> bool:
    """In shien only the 市町村, which calls the meeting (S1); in juso the coordinator, too."""
    if compartment is Compartment.SHIEN:
        return is_municipality(by.agency, tx.profile)
    return acts_for_office(by, tx.profile)


def _kind_of(asked: DecideSame, tx: Tx) -> Compartment | tuple[str, str, str]:
    """Where both lie, or a refusal: two of different kinds, one that is not there, and one this officer may not see are
    answered alike."""
    if not acts_for_office(asked.by, tx.profile):
        return NOT_OFFICE
    if asked.one == asked.other:
        return ITSELF
    seen = grounds([asked.one, asked.other], asked.by, tx)
    sides = tx.execute(select(referral.c.state).where(referral.c.id.in_(seen))).scalars().all()
    kinds = [kind for kind in Compartment if [STATES[kind]] * 2 == list(sides)]
    return kinds[0] if kinds else UNKNOWN


def one_person(keys: Collection[UUID], state: str, tx: Tx) -> set[Found]:
    """Of these referrals in one state, the pairs whose clients are one person as far as that is settled."""
    kind = next((one for one in Compartment if STATES[one] == state), None)
    if kind is None:
        return set()
    people, _ = people_of(kind, tx, keys)
    found = _alike(people, None)
    decided = _findings(combinations(sorted(keys, key=lambda key: key.hex), 2), kind, tx)
    said = {pair for pair, row in decided.items() if row["same"]}
    by_number = {pair for pair, like in found.items() if like is Likeness.NUMBER and pair not in decided}
    return {pair for pair in said | by_number if set(pair) <= set(keys)}


def people_of(
    kind: Compartment, tx: Tx, only: Collection[UUID] | None = None, also: UUID | None = None
) -> tuple[dict[UUID, Known], Rows]:
    """Every client of one kind of meeting (or of these referrals), opened; ``also`` one that may lie elsewhere."""
    facts = (referral.c.id, referral.c.referrer, referral.c.number, referral.c.received_on)
    wanted = select(*facts, *_COMPARED).join_from(referral, client)
    wanted = wanted.where(or_(referral.c.state == STATES[kind], referral.c.id == also), sealed.not_erased())
    if only is not None:
        wanted = wanted.where(referral.c.id.in_(only))
    rows: dict[UUID, Mapping[Any, Any]] = {row["id"]: row for row in tx.execute(wanted).mappings()}
    tx.fetch_keys(list(rows))
    people = {}
    for key, row in rows.items():
        try:
            who = open_row(tx, key, _COMPARED, row)
        except Shut:
            continue
        born_on = date.fromisoformat(who["born_on"]) if who["born_on"] else None
        people[key] = Known(key, who["resident_number"], who["name"], who["kana"], born_on, who["sex"])
    return people, rows


def _alike(people: Mapping[UUID, Known], only: UUID | None) -> dict[Found, Likeness]:
    """Pairs that look like one person. Only those that share a key are compared, so that it stays linear."""
    together: dict[tuple[str, ...], list[UUID]] = defaultdict(list)
    for key, one in people.items():
        for shared in keys_of(one):
            together[shared].append(key)
    found: dict[Found, Likeness] = {}
    for shared, keys in together.items():
        for mine, theirs in _couples(shared, keys, people):
            pair = _ordered(mine, theirs)
            asked_for = pair not in found and only in (None, mine, theirs)
            like = likeness(people[mine], people[theirs]) if asked_for else None
            if like is not None:
                found[pair] = like
    return found


def _couples(shared: tuple[str, ...], keys: Sequence[UUID], people: Mapping[UUID, Known]) -> Iterable[Found]:
    """Whom a shared key brings together: a shared name counts only where one of the two has no フリガナ."""
    if shared[0] != "name":
        return combinations(keys, 2)
    bare = [key for key in keys if not people[key].folded_kana]
    others = [key for key in keys if people[key].folded_kana]
    return chain(combinations(bare, 2), product(bare, others))


def _findings(pairs: Iterable[Found], kind: Compartment, tx: Tx) -> dict[Found, Mapping[Any, Any]]:
    """The newest finding of each of these pairs that was made while they lay where they lie now."""
    ones = {one for pair in pairs for one in pair}
    wanted = select(same_person).where(same_person.c.kind == kind.value)
    wanted = wanted.where(or_(same_person.c.one.in_(ones), same_person.c.other.in_(ones)))
    rows = tx.execute(wanted.order_by(same_person.c.version)).mappings()
    return {(row["one"], row["other"]): row for row in rows}


def _pair(
    pair: Found,
    like: Likeness,
    people: Mapping[UUID, Known],
    rows: Rows,
    finding: Mapping[Any, Any] | None,
) -> Pair:
    first, second = sorted(pair, key=lambda key: (rows[key]["received_on"], key))
    found: dict[str, Any] = {}
    if finding is not None:
        found = {"decided": "same" if finding["same"] else "different", "checked": Checked(finding["checked"])}
        found |= {"at": finding["at"], "version": finding["version"]}
    return Pair(
        one=_one_of_two(people[first], rows[first]),
        other=_one_of_two(people[second], rows[second]),
        likeness=like,
        numbers_differ=numbers_differ(people[first], people[second]),
        **found,
    )


def _one_of_two(known: Known, row: Mapping[Any, Any]) -> OneOfTwo:
    facts = {name: row[name] for name in ("referrer", "number", "received_on")}
    who = {name: getattr(known, name) for name in ("name", "kana", "born_on", "sex")}
    return OneOfTwo(referral=known.referral, **facts, **who)


def _is_same(pair: Pair) -> bool:
    """Confirmed, or certain by 宛名番号 and not denied since (a number can be mistyped)."""
    return pair.decided == "same" or (pair.decided is None and pair.likeness is Likeness.NUMBER)


def _ordered(one: UUID, other: UUID) -> Found:
    """As the table keeps a pair: both engines order references by their hexadecimal digits."""
    return (one, other) if one.hex < other.hex else (other, one)
