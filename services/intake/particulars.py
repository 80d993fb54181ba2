"""What a つなぐシート says of a client and the household, for the papers of the juso case that it opened (C1, S18)."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from contracts.intake import ClientDetails, DetailsOfClient, Member
from contracts.message import Event
from services.intake import sealed, secrecy, sight
from services.intake.consenting import Version
from services.intake.deeds import register
from services.intake.handlers import service
from services.intake.ledger_tables import version
from services.intake.tables import client
from services.intake.versions import is_newest, versions_where
from services.service import Shut, Tx
from services.vault import open_row

WHAT = "details"
_READ = (client.c.sex, client.c.address, client.c.phone)


@service.does(DetailsOfClient)
def details_of_client(asked: DetailsOfClient, tx: Tx) -> tuple[ClientDetails, Iterable[Event]]:
    """What this officer's agency may know under the consent as it is now, each 世帯員 decided and registered.

    Where somebody of the household is 秘匿 and the officer is not named, nothing says where they live.
    """
    newest = next(iter(versions_where(tx, version.c.case == asked.case, is_newest())), None)
    if newest is None or sealed.is_erased(newest.referral, tx):
        return ClientDetails(found=False), ()
    by, household = asked.by, sealed.household(newest.referral, tx)
    rules = {who: rule for who, _ in household if (rule := sight.consented(newest, by.agency, who, tx))}
    if not household or household[0][0] not in rules:
        return ClientDetails(found=False), ()
    masked = any(one.hides_from(by.person) for one in secrecy.secrets([who for who, _ in household], tx).values())
    for who, rule in rules.items():
        register(tx, by, WHAT, [(newest.referral, who)], rule, masked=masked)
    return _told(newest, household, set(rules), tx, masked=masked), ()


def _told(
    newest: Version, household: list[tuple[UUID, str]], seen: set[UUID], tx: Tx, *, masked: bool
) -> ClientDetails:
    key, relations = newest.referral, sealed.relations(newest.referral, tx)
    row = tx.execute(select(client).where(client.c.referral == key)).mappings().first()
    try:
        who = open_row(tx, key, _READ, row) if row is not None else {}
    except Shut:
        who = {}
    if not who:
        return ClientDetails(found=False)
    where = {} if masked else {name: who[name] for name in ("address", "phone")}
    others = [(place, name) for place, (ref, name) in enumerate(household) if place and ref in seen]
    members = tuple(Member(name=name, relation=relations[at][0], age=relations[at][1]) for at, name in others)
    return ClientDetails(found=True, sex=who["sex"], members=members, **where)
