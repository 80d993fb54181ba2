"""The battery: named attempts to step over the wall, each with the refusal it must meet, and right ways beside them.

A refusal is a guard's word or the kind of constraint; the same on both engines. A right way must be accepted, else a
store that refuses everything would pass. Statements are made when they are run: permits live for seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contracts.message import Compartment
from services.meetings import tables as meetings
from tests.wall.ground import (
    CASES,
    JUSO,
    JUSO_BASIS,
    SHIEN,
    SHIEN_BASIS,
    agenda,
    case,
    commission,
    cooperation,
    fresh,
    head,
    hear,
    item,
    literal,
    ref,
    row,
    seat,
    share,
    sitting,
    version,
    when,
    withdrawal,
)

ACCEPTED = "accepted"
CHECK, FOREIGN_KEY, UNIQUE, NOT_NULL = "CHECK", "FOREIGN KEY", "UNIQUE", "NOT NULL"
KEPT, WRONG = "RECORD_IS_KEPT", "WRONG_COMPARTMENT"
CLOSED, IN_FORCE = "SCOPE_IS_CLOSED", "CONSENT_NOT_IN_FORCE"
COMMISSIONED, LISTED, NOT_NOW = "NOT_COMMISSIONED", "NOT_ON_THE_AGENDA", "NOT_NOW"


@dataclass(frozen=True)
class Try:
    """One attempt: statements of one transaction. ``refusal`` is what it meets, ACCEPTED for a right way.

    ``at_commit``: it is the commit that may refuse.
    """

    name: str
    make: Callable[[], str | list[str]]
    refusal: str
    at_commit: bool = False

    def statements(self) -> list[str]:
        made = self.make()
        return [made] if isinstance(made, str) else made


def tries(service: str, compartment: Compartment) -> list[Try]:
    """The battery of one store."""
    made = [*_anywhere(service, compartment), *_register(compartment)]
    made += [*_ledger(service), *_juso_shares()] if compartment is JUSO else [*_members(service), *_shien_shares()]
    if service == "meetings":
        made += [*_table(compartment), *(_juso_table() if compartment is JUSO else _shien_table())]
    else:
        made += _cases(compartment)
    return made


def under(consent: str, **other: Any) -> str:
    """髙橋's item under this consent, shown."""
    name = "plan" if consent == "main" else consent
    facts = {"item": ref(f"item {name}"), "case": ref(f"case {CASES[consent]}"), "consent": ref(f"consent {consent}")}
    return share(JUSO, **facts | {"consent_version": 1} | other)


def tax(**other: Any) -> str:
    """Tax data shown under the consent that covers it."""
    return under("tax", **{"category": "tax", "covers_tax": True} | other)


# -- every store -------------------------------------------------------------------------------------------------------


def _anywhere(service: str, here: Compartment) -> list[Try]:
    """The label, and rows of the other compartment in every table that says of which it is."""
    there = SHIEN if here is JUSO else JUSO
    foreign: dict[str, Callable[[], str]] = {
        "consent_version": lambda: head("new", 1, "A", compartment=there.value),
        "commission": lambda: commission(service, "new", compartment=there.value, id=fresh()),
        "item": lambda: item(service, "new", there, "A"),
        "disclosure": lambda: share(there),
    }
    if service == "meetings":
        foreign |= {
            "sitting": lambda: sitting("new", there),
            "seat": lambda: seat("table", "new", there),
            "agenda": lambda: agenda("second", "table", there, 9),
            "cooperation": lambda: row("cooperation", **cooperation(compartment=there.value)),
        }
    else:
        foreign |= {"case_": lambda: case("new", there)}
    empty = {"cooperation", "commission"} if here is JUSO else {"consent_version"}
    label = "compartment"
    return [
        *(Try(f"a row of {there} in {table}", make, WRONG) for table, make in foreign.items()),
        *(
            Try(f"a row of {table} moved to {there}", _moved(table, there), WRONG)
            for table in foreign
            if table not in empty
        ),
        Try("the label changed", lambda: f"update label set value = '{there.value}' where key = '{label}'", KEPT),
        Try("the label removed", lambda: f"delete from label where key = '{label}'", KEPT),
        Try(
            "the label replaced",
            lambda: row("label", key=label, value=there.value) + " on conflict (key) do update set value = 'shien'",
            KEPT,
        ),
        Try(
            "the label changed from a query",
            lambda: "update label set value = o.value from (select 'juso' as value) o where key = 'compartment'",
            KEPT,
        ),
        Try("the schema's number raised", lambda: "update label set value = '2' where key = 'schema'", ACCEPTED),
    ]


def _moved(table: str, there: Compartment) -> Callable[[], str]:
    return lambda: f"update \"{table}\" set compartment = '{there.value}'"


def _register(here: Compartment) -> list[Try]:
    """The register is only written to, with all that it has to say, at the time it says."""
    other = SHIEN_BASIS if here is JUSO else JUSO_BASIS
    wrong_row = "P2" if here is JUSO else "P1"
    purpose = {} if here is JUSO else {"purpose": "sharing"}

    def one(**more: Any) -> Callable[[], str]:
        return lambda: share(here, **purpose | more)

    upsert = "on conflict (id) do update set agency = 'kikan'"
    return [
        Try("a share, all right", one(), ACCEPTED),
        Try("a share dated three minutes ago", lambda: share(here, **purpose, at=when(seconds=-180)), ACCEPTED),
        Try("a share back-dated", lambda: share(here, **purpose, at=when(seconds=-600)), NOT_NOW),
        Try("a share dated ahead", lambda: share(here, **purpose, at=when(seconds=600)), NOT_NOW),
        Try("an act that is no sharing", one(act="ask"), CHECK),
        Try("an emergency as a share", one(act="emergency"), CHECK),
        Try("a category nobody knows", one(category="other"), CHECK),
        Try("no agency", one(agency=""), CHECK if here is JUSO else COMMISSIONED),
        Try("the row of the other kind", one(decided_row=wrong_row), CHECK),
        Try("a row that refuses", one(decided_row="N5"), CHECK),
        Try("a row of carry-over", one(decided_row="P4"), CHECK),
        Try("a basis of the other kind", one(basis=other), CHECK),
        Try("a basis that only resembles", one(basis="swa-106"), CHECK),
        Try("no rules", one(rules=""), CHECK),
        Try("no reason", one(reason=""), CHECK),
        Try("no policy", one(policy=""), CHECK),
        Try("a policy that is no version of it", one(policy="newest"), CHECK),
        Try("nobody decided", one(decided_by=""), CHECK),
        Try("the reason left out", one(reason=None), NOT_NULL),
        Try("heard without a sitting", one(act="hear"), CHECK),
        Try("invited without a sitting", one(act="invite"), CHECK),
        Try("notified without a sitting", one(act="notify"), CHECK),
        Try("exported without a sitting", one(act="export"), ACCEPTED if here is JUSO else CHECK),
        Try("an item nobody knows", one(item=ref("item nobody")), FOREIGN_KEY),
        Try("the case of another item", one(case=ref("case B")), FOREIGN_KEY),
        Try("a share deleted", lambda: "delete from disclosure", KEPT),
        Try("a share redirected", lambda: f"update disclosure set person = '{ref('person jiro')}'", KEPT),
        Try("a share back-dated later", lambda: f"update disclosure set at = '{when(-9)}'", KEPT),
        Try("a share's reason rewritten", lambda: "update disclosure set reason = 'x'", KEPT),
        Try(
            "a share rewritten from a query",
            lambda: "update disclosure set agency = i.purpose from item i where i.id = disclosure.item",
            KEPT,
        ),
        Try(
            "a share deleted through a query",
            lambda: "with x as (select id from disclosure) delete from disclosure where id in (select id from x)",
            KEPT,
        ),
        Try(
            "a share overwritten by one with its id",
            lambda: [
                share(here, **purpose, id=ref("share twice")),
                share(here, **purpose, id=ref("share twice")) + upsert,
            ],
            KEPT,
        ),
        Try(
            "two shares with one id",
            lambda: [share(here, **purpose, id=ref("share twice")) for _ in range(2)],
            UNIQUE,
        ),
        Try(
            "a share deleted in a savepoint",
            lambda: ["savepoint a", share(here, **purpose), "release savepoint a", "delete from disclosure"],
            KEPT,
        ),
        Try(
            "an item that was shared deleted", lambda: f"delete from item where id = '{ref('item plan')}'", FOREIGN_KEY
        ),
        Try("an item given another case", lambda: f"update item set \"case\" = '{ref('case B')}'", "ITEM_IS_KEPT"),
        Try("an item given another member", lambda: f"update item set member = '{ref('member jo')}'", "ITEM_IS_KEPT"),
        Try("an item given another purpose", lambda: "update item set purpose = 'closing'", "ITEM_IS_KEPT"),
        Try("an item relabelled as tax or not", _relabelled(here), "ITEM_IS_KEPT"),
    ]


def _relabelled(here: Compartment) -> Callable[[], str]:
    category, was = ("ordinary", "tax") if here is JUSO else ("tax", "ordinary")
    return lambda: f"update item set category = '{category}' where category = '{was}'"


# -- juso: the consent -------------------------------------------------------------------------------------------------


def _ledger(service: str) -> list[Try]:
    """Versions are added in order, each with its scope, and never touched again (C11)."""
    main = f"consent = '{ref('consent main')}' and version = 2"

    def change(what: str) -> Callable[[], str]:
        return lambda: f"update consent_version set {what} where {main}"

    def added(part: str, value: str, number: int = 2) -> Callable[[], str]:
        return lambda: row(f"consent_{part}", consent=ref("consent main"), version=number, **{part: value})

    def narrowed(what: str) -> Callable[[], list[str]]:
        return lambda: [f"delete from consent_{what} where {main}"]

    parts = {"agency": "kikan", "purpose": "replan", "member": ref("member yoshi")}
    return [
        Try("a consent's next version", lambda: version("spare", 2, "V"), ACCEPTED, at_commit=True),
        Try("the first version of a new consent", lambda: version("brand", 1, "N"), ACCEPTED, at_commit=True),
        Try("a withdrawal", lambda: withdrawal("spare", 3, "V"), ACCEPTED, at_commit=True),
        Try("a consent extended", lambda: f"update consent_version set ends = '{when(900)}' where {main}", KEPT),
        Try("a consent back-dated", lambda: f"update consent_version set starts = '{when(-90)}' where {main}", KEPT),
        Try("a consent widened to tax", change("covers_tax = true"), KEPT),
        Try("a withdrawal undone", change("state = 'given'"), KEPT),
        Try("a consent moved to another case", change(f"\"case\" = '{ref('case B')}'"), KEPT),
        Try("a version renumbered", change("version = 7"), KEPT),
        Try(
            "a consent extended from a query",
            lambda: (
                "update consent_version set ends = o.ends from consent_version o where o.consent <> "
                "consent_version.consent"
            ),
            KEPT,
        ),
        Try("a version deleted", lambda: f"delete from consent_version where {main}", KEPT),
        Try("all withdrawals deleted", lambda: "delete from consent_version where state = 'withdrawn'", KEPT),
        *(Try(f"another {part} in a closed scope", added(part, value), CLOSED) for part, value in parts.items()),
        *(Try(f"a scope's {part} widened", _rewritten(part, value), KEPT) for part, value in parts.items()),
        *(Try(f"a scope's {part} removed", narrowed(part), KEPT) for part in parts),
        *(Try(f"a scope's {part} overwritten", _overwritten(part, value), CLOSED) for part, value in parts.items()),
        Try(
            "another agency in a closed scope, from a query",
            lambda: (
                "insert into consent_agency (consent, version, agency) select consent, 2, agency "
                "from consent_agency where version = 1 and agency = 'kikan'"
            ),
            CLOSED,
        ),
        *(
            Try(f"a {part} for a version that never comes", added(part, value, 9), FOREIGN_KEY, at_commit=True)
            for part, value in parts.items()
        ),
        Try("a version out of order", lambda: version("gone", 1, "G"), CLOSED),
        Try("an older version without a scope", lambda: head("gone", 1, "G"), "NOT_THE_NEXT_VERSION"),
        Try("the same version again", lambda: head("main", 2, "A", covers_tax=True), "NOT_THE_NEXT_VERSION"),
        Try(
            "a version overwritten",
            lambda: head("main", 2, "A") + " on conflict (consent, version) do update set covers_tax = true",
            "NOT_THE_NEXT_VERSION",
        ),
        Try("a version for another case", lambda: head("main", 3, "B"), "NOT_THE_NEXT_VERSION"),
        Try("a version before the first", lambda: head("new", 0, "N"), CHECK),
        Try("a consent given without a period", lambda: head("new", 1, "N", starts=None, ends=None), CHECK),
        Try("a consent that ends before it starts", lambda: head("new", 1, "N", ends=when(-60)), CHECK),
        Try("a consent that ends as it starts", _ends_as_it_starts, CHECK),
        Try("a withdrawal with a period", lambda: head("gone", 3, "G", state="withdrawn"), CHECK),
        Try("a state nobody knows", lambda: head("new", 1, "N", state="yes", starts=None, ends=None), CHECK),
        Try("a commission in juso", lambda: commission(service, "new", compartment="juso"), CHECK),
        Try("a second row of freshness", lambda: row("replica", id=2, fresh_at=when()), CHECK),
    ]


def _ends_as_it_starts() -> str:
    moment = when()
    return head("new", 1, "N", starts=moment, ends=moment)


def _rewritten(part: str, value: str) -> Callable[[], str]:
    return lambda: f'update consent_{part} set "{part}" = {literal(value)} where version = 2'


def _overwritten(part: str, value: str) -> Callable[[], str]:
    new = {"consent": ref("consent main"), "version": 1, part: value}
    clause = f' on conflict (consent, version, "{part}") do update set version = 2'
    return lambda: row(f"consent_{part}", **new) + clause


def _juso_shares() -> list[Try]:
    """Nothing outside agency, purpose, member, case, category and period (C1-C3, S9, S18)."""
    stale = f"update replica set fresh_at = '{when(seconds=-61)}'"
    ahead = f"update replica set fresh_at = '{when(seconds=600)}'"
    nobody = {"consent": None, "consent_version": None, "covers_tax": None}
    arrears = {"item": ref("item arrears"), "category": "tax"}
    return [
        Try("tax data under a consent that covers it", tax, ACCEPTED),
        Try("shown under a consent that ends soon", lambda: under("short"), ACCEPTED),
        Try("shown under another case's own consent", lambda: under("other"), ACCEPTED),
        Try("an agency outside", lambda: share(JUSO, agency="kikan"), FOREIGN_KEY),
        Try("a purpose outside", lambda: share(JUSO, item=ref("item replan"), purpose="replan"), FOREIGN_KEY),
        Try("a member outside", lambda: share(JUSO, item=ref("item yoshi"), member=ref("member yoshi")), FOREIGN_KEY),
        Try("a member passed off as another", lambda: share(JUSO, item=ref("item yoshi")), FOREIGN_KEY),
        Try("a purpose passed off as another", lambda: share(JUSO, item=ref("item replan")), FOREIGN_KEY),
        Try("an item passed off as another's", lambda: share(JUSO, item=ref("item other")), FOREIGN_KEY),
        Try(
            "the consent of another case",
            lambda: share(JUSO, consent=ref("consent other"), consent_version=1),
            FOREIGN_KEY,
        ),
        Try(
            "an item passed off as of the consent's case",
            lambda: share(JUSO, case=ref("case B"), consent=ref("consent other"), consent_version=1),
            FOREIGN_KEY,
        ),
        Try("a consent that is over", lambda: under("over"), IN_FORCE),
        Try("a consent that has not begun", lambda: under("future"), IN_FORCE),
        Try("a consent that was withdrawn", lambda: under("gone"), IN_FORCE),
        Try("the withdrawal itself", lambda: under("gone", consent_version=2), IN_FORCE),
        Try("a consent nobody knows", lambda: share(JUSO, consent=ref("consent nobody")), IN_FORCE),
        Try("a version nobody knows", lambda: share(JUSO, consent_version=3), IN_FORCE),
        Try("a version that was superseded", lambda: share(JUSO, consent_version=1, covers_tax=True), IN_FORCE),
        Try(
            "a superseded version's agency",
            lambda: share(JUSO, consent_version=1, covers_tax=True, agency="kikan"),
            IN_FORCE,
        ),
        Try("shared in the transaction that withdraws", lambda: [withdrawal("main", 3, "A"), share(JUSO)], IN_FORCE),
        Try(
            "shared under a version that was taken back",
            lambda: [
                "savepoint a",
                *version("main", 3, "A"),
                "rollback to savepoint a",
                share(JUSO, consent_version=3),
            ],
            IN_FORCE,
        ),
        Try("tax data under a consent that does not cover it", lambda: share(JUSO, **arrears), IN_FORCE),
        Try("tax data under a forged flag", lambda: share(JUSO, **arrears, covers_tax=True), IN_FORCE),
        Try("a forged flag for later", lambda: share(JUSO, covers_tax=True), FOREIGN_KEY),
        Try("tax data with the flag off", lambda: tax(covers_tax=False), CHECK),
        Try("tax data relabelled", lambda: share(JUSO, item=ref("item arrears")), FOREIGN_KEY),
        Try("tax data relabelled under a covering consent", lambda: tax(category="ordinary"), FOREIGN_KEY),
        Try("ordinary data labelled as tax", lambda: tax(item=ref("item plan"), case=ref("case A")), FOREIGN_KEY),
        Try("a replica that is stale", lambda: [stale, share(JUSO)], "REPLICA_IS_STALE"),
        Try("a replica from the future", lambda: [ahead, share(JUSO)], "REPLICA_IS_STALE"),
        Try("a replica never compared", lambda: ["delete from replica", share(JUSO)], "REPLICA_IS_STALE"),
        Try("no permit", lambda: share(JUSO, permit=None), CHECK),
        Try("a permit without an end", lambda: share(JUSO, permit_until=None), CHECK),
        Try("a permit that is over", lambda: share(JUSO, permit_until=when(seconds=-1)), "PERMIT_IS_OVER"),
        Try("a permit for an hour", lambda: share(JUSO, permit_until=when(seconds=3600)), "NO_SUCH_PERMIT"),
        Try("a permit used before", lambda: share(JUSO, permit=ref("permit kept")), UNIQUE),
        Try("no ground", lambda: share(JUSO, **nobody, permit=None, permit_until=None), IN_FORCE),
        Try("both grounds", lambda: share(JUSO, commission=ref("commission own")), CHECK),
        Try("no member", lambda: share(JUSO, member=None), CHECK),
        Try("no word on tax", lambda: share(JUSO, covers_tax=None), CHECK),
        Try("a share copied", lambda: _copied({}), UNIQUE),
        Try(
            "a share copied for another agency",
            lambda: _copied({"agency": "'kikan'", "permit": literal(fresh())}),
            FOREIGN_KEY,
        ),
        Try(
            "a share copied with its permit for another person",
            lambda: _copied({"person": f"'{ref('person jiro')}'"}),
            UNIQUE,
        ),
    ]


def _copied(changed: dict[str, str]) -> str:
    """INSERT … SELECT of a kept row under a new id, as of now."""
    new = {"id": fresh(), "at": when(), "permit_until": when(seconds=20)}
    new = {name: literal(value) for name, value in new.items()} | changed
    columns = meetings.disclosure.c.keys()
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(new.get(name, f'"{name}"') for name in columns)
    return f"insert into disclosure ({names}) select {values} from disclosure where id = '{ref('share kept')}'"


def _juso_table() -> list[Try]:
    """An agenda and a seat give nothing that the consent does not (C1)."""
    there = f"update agenda set sitting = '{ref('sitting empty')}'"
    late = f"where id = '{ref('sitting table')}'"
    return [
        Try("heard at the table", lambda: hear(JUSO), ACCEPTED),
        Try("tax data heard at the table", lambda: tax(act="hear", sitting=ref("sitting table")), ACCEPTED),
        Try(
            "heard by a person of an agency outside",
            lambda: hear(JUSO, person=ref("person jiro"), agency="kikan"),
            FOREIGN_KEY,
        ),
        Try(
            "heard by a person who passes for another agency's",
            lambda: hear(JUSO, person=ref("person jiro")),
            FOREIGN_KEY,
        ),
        Try("an item put on an agenda", lambda: agenda("second", "table", JUSO, 3), ACCEPTED),
        *(
            Try(f"on an agenda under a consent that is {name}", _listed(name), IN_FORCE)
            for name in ("over", "future", "gone")
        ),
        Try("on an agenda after the consent's end", _listed("short"), IN_FORCE),
        Try("tax data on an agenda without cover", _listed("arrears"), IN_FORCE),
        Try("an item moved to another date", lambda: f"{there} where position = 1", ACCEPTED),
        Try(
            "a place on the agenda given to another item",
            lambda: f"update agenda set item = '{ref('item gone')}' where position = 1",
            IN_FORCE,
        ),
        Try(
            "on an agenda by another case's consent",
            lambda: [
                f"update item set consent = '{ref('consent other')}' where id = '{ref('item second')}'",
                agenda("second", "table", JUSO, 3),
            ],
            IN_FORCE,
        ),
        Try(
            "a sitting moved past the consents",
            lambda: f"update sitting set starts = '{when(400)}', ends = '{when(401)}' {late}",
            "SITTING_IS_KEPT",
        ),
        Try("an item of juso without a consent", lambda: item("meetings", "new", JUSO, "A", consent=None), CHECK),
        Try("an item of juso about nobody", lambda: item("meetings", "new", JUSO, "A", member=None), CHECK),
        Try("an item of no known category", lambda: item("meetings", "new", JUSO, "A", category="any"), CHECK),
        Try("a sitting of juso on the basis of the other", lambda: sitting("new", JUSO, basis=SHIEN_BASIS), CHECK),
        Try("a sitting of juso on no basis", lambda: sitting("new", JUSO, basis="free"), CHECK),
        Try(
            "a seat of juso on a commission",
            lambda: seat("table", "new", JUSO, commission=ref("commission own")),
            CHECK,
        ),
        Try("a cooperation request in juso", lambda: row("cooperation", **cooperation(compartment="juso")), CHECK),
    ]


def _listed(name: str) -> Callable[[], str]:
    return lambda: agenda(name, "table", JUSO, 5)


# -- shien: the commission ---------------------------------------------------------------------------------------------


def _members(service: str) -> list[Try]:
    """A commission is made before it is needed, with paper and explanation, and never touched again (S6, S7)."""
    own = f"where id = '{ref('commission own')}'"
    new = {"id": ref("commission new"), "starts": when(seconds=-60)}

    def one(**more: Any) -> Callable[[], str]:
        return lambda: commission(service, "new", **new | more)

    made = [
        Try("a person commissioned", one(), ACCEPTED),
        Try("an organisation commissioned", one(person=None), ACCEPTED),
        Try("a commission ended", lambda: row("commission_end", commission=ref("commission own"), at=when()), ACCEPTED),
        Try("a commission that ends before it starts", one(ends=when(-9)), CHECK),
        Try("a commission that ends as it starts", one(ends=new["starts"]), CHECK),
        Try("a commission prolonged", lambda: f"update commission set ends = '{when(999)}' {own}", KEPT),
        Try("a commission begun earlier", lambda: f"update commission set starts = '{when(-99)}' {own}", KEPT),
        Try("a commission passed on", lambda: f"update commission set person = '{ref('person jiro')}' {own}", KEPT),
        Try(
            "a commission lent to an agency",
            lambda: f"update commission set agency = 'kikan', person = null {own}",
            KEPT,
        ),
        Try("a commission deleted", lambda: f"delete from commission {own}", KEPT),
        Try(
            "a commission overwritten",
            lambda: commission(service, "own") + f" on conflict (id) do update set ends = '{when(999)}'",
            KEPT,
        ),
        Try("an end undone", lambda: "delete from commission_end", KEPT),
        Try("an end put off", lambda: f"update commission_end set at = '{when(50)}'", KEPT),
        Try(
            "an end in the future", lambda: row("commission_end", commission=ref("commission own"), at=when(9)), NOT_NOW
        ),
        Try(
            "an end of nothing", lambda: row("commission_end", commission=ref("commission no"), at=when()), FOREIGN_KEY
        ),
        Try("a consent in shien", lambda: head("new", 1, "N", compartment="shien"), CHECK),
        Try("an item of shien with tax data", lambda: item(service, "new", SHIEN, "A", category="tax"), CHECK),
    ]
    if service == "meetings":
        made += [
            Try("a commission back-dated", one(starts=when(-3)), "BACK_DATED"),
            Try("a commission recorded as of last week", one(recorded_at=when(-7)), NOT_NOW),
            Try("a commission without a document", one(document=""), CHECK),
            Try("a commission with no word of a document", one(document=None), NOT_NULL),
            Try("a commission without an explanation", one(explained_on=None), NOT_NULL),
        ]
    return made


def _shien_shares() -> list[Try]:
    """Nothing to anybody who is not commissioned now, for the agency that sends him or her (S8)."""

    def one(**more: Any) -> Callable[[], str]:
        return lambda: share(SHIEN, **{"purpose": "sharing"} | more)

    def on(name: str, **more: Any) -> Callable[[], str]:
        return one(commission=ref(f"commission {name}"), **more)

    consent = {"consent": ref("consent main"), "consent_version": 2}
    return [
        Try("shown to somebody an organisation sends", on("unit", agency="kikan", person=ref("person jiro")), ACCEPTED),
        Try("shown on a commission that is over", on("lapsed", person=ref("person kaito")), COMMISSIONED),
        Try("shown on a commission that has not begun", on("future", person=ref("person yuki")), COMMISSIONED),
        Try("shown on a commission that was ended", on("ended", person=ref("person sayo")), COMMISSIONED),
        Try("shown on another person's commission", on("theirs"), COMMISSIONED),
        Try("shown on another agency's commission", on("own", agency="kikan"), COMMISSIONED),
        Try("shown on a commission nobody knows", on("none"), COMMISSIONED),
        Try("shown after the end in the same transaction", _ended_and_shown, COMMISSIONED),
        Try("no ground in shien", one(commission=None), COMMISSIONED),
        Try("a consent beside the commission", one(**consent, member=ref("member taka"), permit=fresh()), CHECK),
        Try("a consent beside the commission, half", one(**consent), CHECK),
        Try("a permit beside the commission", one(permit=fresh()), CHECK),
        Try("tax data in shien", one(category="tax"), CHECK),
        Try("tax data in shien with a flag", one(category="tax", covers_tax=True), CHECK),
        Try("a purpose passed off as another in shien", one(purpose="plan"), FOREIGN_KEY),
        Try("another item's member", one(member=ref("member taka")), FOREIGN_KEY),
    ]


def _ended_and_shown() -> list[str]:
    return [
        row("commission_end", commission=ref("commission own"), at=when()),
        share(SHIEN, purpose="sharing"),
    ]


def _shien_table() -> list[Try]:
    """Seats before hearings, commissions before seats (S6, S8)."""

    def heard(person: str, **more: Any) -> Callable[[], str]:
        return lambda: hear(SHIEN, **{"purpose": "sharing", "person": ref(f"person {person}")} | more)

    def sits(person: str, name: str | None, **more: Any) -> Callable[[], str]:
        held = ref(f"commission {name}") if name else None
        return lambda: seat("empty", person, SHIEN, **{"commission": held} | more)

    unit = {"agency": "kikan", "commission": ref("commission unit")}
    past = {"item": ref("item other"), "case": ref("case B"), "sitting": ref("sitting past")}
    return [
        Try("heard at the table in shien", heard("hanako"), ACCEPTED),
        Try("heard by somebody an organisation sends", heard("jiro", **unit), ACCEPTED),
        Try("exported for the table", heard("hanako", act="export"), ACCEPTED),
        Try("heard on another commission than the seat's", _other_commission, FOREIGN_KEY),
        Try("heard on a commission without a seat", _without_a_seat, FOREIGN_KEY),
        Try("heard on a commission that was ended", heard("sayo", commission=ref("commission ended")), COMMISSIONED),
        Try(
            "heard on a commission that is over",
            heard("kaito", commission=ref("commission lapsed"), **past),
            COMMISSIONED,
        ),
        Try("a seat on a commission", sits("saburo", "theirs"), ACCEPTED),
        Try("a seat for whom an organisation sends", sits("goro", "unit", agency="kikan"), ACCEPTED),
        Try("a seat without a commission", sits("hanako2", None), COMMISSIONED),
        Try("a seat on a commission nobody knows", sits("goro", "none"), COMMISSIONED),
        Try("a seat on a commission that is over", sits("kaito", "lapsed"), COMMISSIONED),
        Try("a seat on a commission that ends before", sits("yuki", "short"), COMMISSIONED),
        Try("a seat on a commission not yet begun", sits("yuki", "future"), COMMISSIONED),
        Try("a seat on a commission that was ended", sits("sayo", "ended"), COMMISSIONED),
        Try("a seat on another agency's commission", sits("saburo", "theirs", agency="kikan"), COMMISSIONED),
        Try("a seat on another person's commission", sits("goro", "theirs"), COMMISSIONED),
        Try("a sitting of shien on the basis of the other", lambda: sitting("new", SHIEN, basis=JUSO_BASIS), CHECK),
        Try("an item of shien on a consent", lambda: item("meetings", "new", SHIEN, "A", consent=fresh()), CHECK),
        Try("a fixed question", lambda: row("cooperation", **cooperation()), ACCEPTED),
        Try("a question in free words", lambda: row("cooperation", **cooperation(template="借金は")), CHECK),
        Try(
            "a question with an answer nobody gave",
            lambda: row("cooperation", **cooperation(answered_at=when())),
            CHECK,
        ),
        Try("a fixed question rewritten", lambda: "update cooperation set template = '家の中は'", CHECK),
        Try("an item heard without a consent in shien", lambda: agenda("second", "table", SHIEN, 3), ACCEPTED),
    ]


def _other_commission() -> list[str]:
    """A second commission of the same person: live, but not the one the seat rests on."""
    return [
        commission("meetings", "more", starts=when(seconds=-60)),
        hear(SHIEN, purpose="sharing", commission=ref("commission more")),
    ]


def _without_a_seat() -> list[str]:
    return [
        commission("meetings", "goro", person=ref("person goro"), starts=when(seconds=-60)),
        hear(SHIEN, purpose="sharing", person=ref("person goro"), commission=ref("commission goro")),
    ]


# -- what the two kinds of store have of their own ---------------------------------------------------------------------


def _table(here: Compartment) -> list[Try]:
    """Meetings: hearings need an agenda, a seat that still stands, and a sitting that is not moved under them (M6)."""
    purpose: dict[str, Any] = {} if here is JUSO else {"purpose": "sharing"}
    off = (
        {"person": ref("person off")}
        if here is JUSO
        else {"person": ref("person saburo"), "commission": ref("commission theirs")}
    )

    def one(**more: Any) -> Callable[[], str]:
        return lambda: hear(here, **purpose | more)

    def change(what: str) -> Callable[[], str]:
        return lambda: f"update seat set {what} where person = '{ref('person hanako')}'"

    own_item = {"own_item": ref("item plan"), "regular_on": None}
    return [
        Try(
            "heard by somebody without a seat",
            one(person=ref("person stranger")),
            FOREIGN_KEY if here is JUSO else COMMISSIONED,
        ),
        Try("heard in a seat that was cancelled", one(**off), "SEAT_IS_CANCELLED"),
        Try("heard where it is not on the agenda", one(sitting=ref("sitting empty")), LISTED),
        Try("heard though it is on no agenda", one(item=ref("item second")), LISTED),
        Try("heard at a sitting nobody knows", one(sitting=ref("sitting none")), LISTED),
        Try("shown for a sitting it is not on", one(act="show", sitting=ref("sitting empty")), LISTED),
        Try("a seat answered", change(f"answer = 'attend', answered_at = '{when()}'"), ACCEPTED),
        Try("a seat cancelled", change(f"cancelled_at = '{when()}'"), ACCEPTED),
        Try("a seat given to another person", change(f"person = '{ref('person new')}'"), "SEAT_IS_KEPT"),
        Try("a seat given to another agency", change("agency = 'kikan'"), "SEAT_IS_KEPT"),
        Try("a seat moved to another sitting", change(f"sitting = '{ref('sitting new')}'"), "SEAT_IS_KEPT"),
        Try("a seat put on another commission", change(f"commission = '{ref('commission unit')}'"), "SEAT_IS_KEPT"),
        Try("a seat that was heard from removed", lambda: "delete from seat", FOREIGN_KEY),
        Try(
            "a seat that calendars know below nothing", lambda: seat("table", "hanako", here, first_sequence=-1), CHECK
        ),
        Try("a seat nobody needs", lambda: seat("table", "hanako", here, need="maybe"), CHECK),
        Try(
            "a seat with an answer nobody knows",
            lambda: seat("table", "hanako", here, answer="yes", answered_at=when()),
            CHECK,
        ),
        Try("a seat with no time of its answer", lambda: seat("table", "hanako", here, answer="attend"), CHECK),
        Try("a seat taken twice", lambda: seat("table", "hanako", here), UNIQUE),
        Try("a seat with another's reference", lambda: _same_uid(here), UNIQUE),
        Try(
            "a seat at a sitting nobody knows",
            lambda: seat("none", "hanako", here),
            FOREIGN_KEY if here is JUSO else COMMISSIONED,
        ),
        Try(
            "a sitting rescheduled under its seats",
            lambda: f"update sitting set starts = '{when(1)}'",
            "SITTING_IS_KEPT",
        ),
        Try("a sitting prolonged", lambda: f"update sitting set ends = '{when(30)}'", "SITTING_IS_KEPT"),
        Try("a sitting put on another basis", lambda: "update sitting set basis = 'free'", "SITTING_IS_KEPT"),
        Try("a sitting held", lambda: "update sitting set fixed = true", ACCEPTED),
        Try(
            "a sitting with its agenda removed",
            lambda: f"delete from sitting where id = '{ref('sitting table')}'",
            FOREIGN_KEY,
        ),
        Try("a sitting moved and not let go", lambda: sitting("new", here, regular_on=None, moved_to=fresh()), CHECK),
        Try("a sitting held in no mode there is", lambda: sitting("new", here, mode="phone"), CHECK),
        Try("a sitting that ends before it starts", lambda: sitting("new", here, ends=when(1)), CHECK),
        Try("a sitting neither regular nor for an item", lambda: sitting("new", here, regular_on=None), CHECK),
        Try("a sitting both regular and for an item", lambda: sitting("new", here, own_item=ref("item plan")), CHECK),
        Try("a sitting for an item", lambda: sitting("new", here, **own_item), ACCEPTED),
        Try(
            "a sitting for an item nobody knows",
            lambda: sitting("new", here, **own_item | {"own_item": fresh()}),
            FOREIGN_KEY,
        ),
        Try("two sittings for one item", lambda: [sitting(one, here, **own_item) for one in ("new", "newer")], UNIQUE),
        Try("a regular sitting twice", lambda: [sitting("new", here, id=fresh()) for _ in range(2)], UNIQUE),
        Try("an item twice on agendas", lambda: agenda("plan", "empty", here, 1), UNIQUE),
        Try("two items in one place", lambda: agenda("second", "table", here, 1), UNIQUE),
        Try("an item in no place", lambda: agenda("second", "table", here, 0), CHECK),
        Try(
            "an item nobody knows on an agenda",
            lambda: agenda("none", "table", here, 3),
            IN_FORCE if here is JUSO else FOREIGN_KEY,
        ),
        Try(
            "an item on the agenda of no sitting",
            lambda: agenda("second", "none", here, 3),
            IN_FORCE if here is JUSO else FOREIGN_KEY,
        ),
        Try("an item in a state nobody knows", lambda: "update item set state = 'open'", CHECK),
        Try("an item put off", lambda: f"update item set next_try = '{when(1)}'", ACCEPTED),
    ]


def _same_uid(here: Compartment) -> list[str]:
    uid = fresh()
    extra: dict[str, Any] = {"agency": "kikan", "commission": ref("commission unit") if here is SHIEN else None}
    return [seat("empty", name, here, uid=uid, **extra) for name in ("goro", "rokuro")]


def _cases(here: Compartment) -> list[Try]:
    """Coordination: it has no tables to sit at, and its cases rest on what their compartment says (C1, C4)."""
    purpose: dict[str, Any] = {} if here is JUSO else {"purpose": "sharing"}
    ground = {"consent": ref("consent main"), "consent_version": 1}
    made = [
        Try("a case", lambda: case("new", here), ACCEPTED),
        Try("shown for a sitting coordination cannot know", lambda: share(here, **purpose, sitting=fresh()), CHECK),
        Try("heard where nobody sits", lambda: hear(here, **purpose), CHECK),
        Try("an item of a case nobody knows", lambda: item("coordination", "new", here, "none"), FOREIGN_KEY),
        Try("an item of no known category", lambda: item("coordination", "new", here, "A", category="any"), CHECK),
        Try("an item with half a date", lambda: f"update item set sitting = '{fresh()}', starts = '{when(3)}'", CHECK),
        Try(
            "an item placed",
            lambda: f"update item set sitting = '{fresh()}', starts = '{when(3)}', ends = '{when(4)}'",
            ACCEPTED,
        ),
    ]
    if here is JUSO:
        return [
            *made,
            Try("a juso case without a consent", lambda: case("new", JUSO, consent=None), CHECK),
            Try("a juso case about nobody", lambda: case("new", JUSO, member=None), CHECK),
            Try("a juso case of a client who refused", lambda: case("new", JUSO, ground="refused"), CHECK),
        ]
    return [
        *made,
        Try("a shien case on a consent", lambda: case("new", SHIEN, **ground), CHECK),
        Try("a shien case of a client who consented", lambda: case("new", SHIEN, ground="given"), CHECK),
    ]
