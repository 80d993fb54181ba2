"""What is sealed opens in its own place only, and never again once its key is destroyed: on both engines."""

import asyncio
import os
import shutil
import sqlite3
import stat
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, MetaData, Table, Uuid, create_engine, func, insert, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from contracts.consent import ConsentState, Obtained, Signer
from contracts.coordination import TakeInClient
from contracts.erasure import EraseCase, EraseReason, EraseReferral
from contracts.gate import WriteEntry
from contracts.household import LookAtHousehold, NoteDetail, RecordMemberConsent, SetSecrecy
from contracts.intake import (
    ClientOf,
    ConsentChanged,
    Held,
    Member,
    OpenWithoutConsent,
    Particulars,
    RecordConsent,
    TakeInSheets,
    WithdrawConsent,
)
from contracts.message import Compartment, Event
from contracts.office import Officer
from contracts.policy import Category
from contracts.profile import Profile
from contracts.signals import DropSignal, Note, ReportSignal
from contracts.triage import DecideTriage
from services import coordination, intake
from services.coordination.showing import Sight
from services.coordination.tables import act as case_act
from services.coordination.tables import challenge, challenge_forward, inquiry, inquiry_answer
from services.coordination.tables import client as case_client
from services.coordination.tables import erased as erased_case
from services.coordination.tables import paper as case_paper
from services.coordination.tables import roster as case_roster
from services.coordination.views import names
from services.intake.domain import digest
from services.intake.tables import client, erased, handover, member, opening, referral
from services.service import Foreign, Service, Shut, Tx
from services.store import SCHEMA_VERSION, Store, StoreRefused, label
from services.vault import FORMAT, Sealed, StillOnDisk, Vault, VaultRefused, data_key
from tests.coordination.test_handlers import without_consent as told_without_consent
from tests.intake.paper import TOWN, sheet, without_consent
from tests.stage import KEK, SOME_DAY, Stage, vault_of

T = TypeVar("T")
JUSO, SHIEN = Compartment.JUSO, Compartment.SHIEN
Staging = Callable[..., Stage]
REASON = EraseReason.REQUEST
WHO = Particulars(found=True, name="𠮷田 進", kana="ヨシダ\u3000ススム", born_on=date(1951, 4, 30), number="0000125")


def keys_in(vault: Vault) -> int:
    with vault.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(data_key)) or 0


@pytest.fixture
def vaults(store_address: str) -> Iterator[Callable[..., Vault]]:
    """vaults(owner, kek): key stores side by side, one per owner."""
    opened: list[Vault] = []

    def build(owner: str = "452050/intake", kek: bytes = KEK, name: str = "vault") -> Vault:
        if store_address.startswith("sqlite"):
            address = store_address.replace(".db", f".{name}.db")
        else:
            address = _database(store_address, name)
        opened.append(Vault(address, kek, owner))
        return opened[-1]

    yield build
    for one in opened:
        one.close()


@pytest.fixture
def desk(stage: Staging) -> Stage:
    """Intake of a small town with one consented referral."""
    one: Stage = stage(intake.service, profile=TOWN)
    one.ask(TakeInSheets(sheets=(sheet(),)))
    return one


def _database(store_address: str, name: str) -> str:
    url = make_url(store_address)
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        database = f"{url.database}_{name}"
        known = connection.exec_driver_sql("SELECT datname FROM pg_database").scalars()
        if database not in set(known):
            connection.exec_driver_sql(f"CREATE DATABASE {database}")
    admin.dispose()
    return url.set(database=database).render_as_string(hide_password=False)


# -- sealing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["髙橋 キヨ子", "𠮷田 進", "", "長" * 4000, "1行目\n2行目\x00", "e\u0301", "\ud842"], ids=range(7)
)
def test_what_is_sealed_opens_as_it_was_also_after_a_restart(vaults: Callable[..., Vault], text: str) -> None:
    vault, subject = vaults(), uuid4()
    sealed = vault.seal(subject, "client.name", text)
    vault.keep()
    assert text.encode("utf-8", "surrogatepass") not in sealed or not text
    assert sealed != vault.seal(subject, "client.name", text), "equal texts must not look equal"
    vault.close()
    assert vaults().open(subject, "client.name", sealed) == text


@pytest.mark.parametrize("what", ["column", "row", "case", "process", "compartment", "municipality", "format", "bit"])
def test_a_ciphertext_that_was_moved_or_changed_does_not_open(vaults: Callable[..., Vault], what: str) -> None:
    """Even where every key is the same: what binds it is the place, not only the key."""
    here, subject = vaults("452050/coordination@juso"), uuid4()
    sealed = here.seal(subject, "member.name.0", "𠮷田 進")
    here.keep()
    owners = {"process": "452050/intake", "compartment": "452050/coordination@shien", "municipality": "252107/intake"}
    there = here if what not in owners else vaults(owners[what], name=what)
    if what in owners:
        _copy_key(here, there, subject)
    other = uuid4()
    if what == "case":
        there.seal(other, "member.name.0", "別の人")
    where = {"column": "member.relation.0", "row": "member.name.1"}.get(what, "member.name.0")
    moved = {"format": b"\x02" + sealed[1:], "bit": sealed[:-1] + bytes([sealed[-1] ^ 1])}.get(what, sealed)
    with pytest.raises(Foreign) as refused:
        there.open(other if what == "case" else subject, where, moved)
    assert refused.value.args == ()
    assert here.open(subject, "member.name.0", sealed) == "𠮷田 進"


def _copy_key(source: Vault, target: Vault, subject: UUID) -> None:
    """Unwrapped with the one's right and wrapped with the other's: more than any thief of files could do."""
    raw = source._kek.decrypt(*_wrapped(source, subject), source._bound(subject, "data_key"))
    target._fresh[subject] = target._wrap(raw, target._bound(subject, "data_key"))
    target.keep()


def _wrapped(vault: Vault, subject: UUID) -> tuple[bytes, bytes]:
    with vault.engine.connect() as connection:
        found: bytes = connection.execute(select(data_key.c.wrapped).where(data_key.c.subject == subject)).scalar_one()
    return found[:12], found[12:]


def test_a_wrapped_key_that_was_moved_to_another_case_does_not_open(vaults: Callable[..., Vault]) -> None:
    vault, one, other = vaults(), uuid4(), uuid4()
    sealed = vault.seal(one, "client.name", "𠮷田 進")
    vault.keep()
    nonce, rest = _wrapped(vault, one)
    with vault._writing() as connection:
        connection.execute(insert(data_key).values(subject=other, wrapped=nonce + rest, made_at=""))
    with pytest.raises(Foreign):
        vault.open(other, "client.name", sealed)


def test_a_destroyed_key_opens_and_seals_nothing_more_wherever_it_was_destroyed(vaults: Callable[..., Vault]) -> None:
    vault, other, subject = vaults(), vaults(), uuid4()
    sealed = vault.seal(subject, "client.name", "𠮷田 進")
    vault.keep()
    for _ in range(2):
        other.destroy(subject)
    vault.forget()  # the store does so at each transaction
    with pytest.raises(Shut) as shut:
        vault.open(subject, "client.name", sealed)
    assert shut.value.args == ()
    with pytest.raises(Shut):
        vault.seal(subject, "client.name", "また")


def test_what_was_erased_before_anything_was_sealed_stays_erased(vaults: Callable[..., Vault]) -> None:
    vault, subject = vaults(), uuid4()
    vault.destroy(subject)
    with pytest.raises(Shut):
        vault.seal(subject, "client.name", "𠮷田 進")


def test_a_destroyed_key_is_in_no_byte_of_the_key_store(tmp_path: Path) -> None:
    vault, subject = Vault(f"sqlite:///{tmp_path}/vaults/intake.db", KEK, "452050/intake"), uuid4()
    for one in (subject, uuid4()):
        vault.seal(one, "client.name", "𠮷田 進")
    vault.keep()
    wrapped = b"".join(_wrapped(vault, subject))
    assert any(wrapped in path.read_bytes() for path in (tmp_path / "vaults").iterdir()), "the hunt can find"
    vault.destroy(subject)
    assert [path for path in (tmp_path / "vaults").iterdir() if wrapped in path.read_bytes()] == []
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "vaults").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "vaults").stat().st_mode) == 0o700
    vault.close()


def test_while_somebody_reads_the_old_state_the_key_store_says_that_it_is_still_on_the_disk(tmp_path: Path) -> None:
    vault, subject = Vault(f"sqlite:///{tmp_path}/intake.db", KEK, "452050/intake"), uuid4()
    vault.seal(subject, "client.name", "𠮷田 進")
    vault.keep()
    with vault.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=50")
    reader = sqlite3.connect(tmp_path / "intake.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM data_key").fetchone()
    with pytest.raises(StillOnDisk):
        vault.destroy(subject)
    reader.close()
    vault.destroy(subject)
    vault.close()


# -- whose key store it is ---------------------------------------------------------------------------------------------


def test_another_key_refuses_at_start_and_says_what_to_do(vaults: Callable[..., Vault]) -> None:
    vaults().close()
    with pytest.raises(VaultRefused, match=r"keys/kek@intake.*控えから戻してください") as refused:
        vaults(kek=os.urandom(32))
    assert "Error" not in str(refused.value)


def test_nobody_opens_the_key_store_of_another(vaults: Callable[..., Vault]) -> None:
    vaults("452050/coordination@shien").close()
    for owner in ("452050/coordination@juso", "252107/coordination@shien"):
        with pytest.raises(VaultRefused, match="別のもの"):
            vaults(owner)


def test_a_store_is_not_opened_with_another_key_store_than_its_own(stage: Staging, store_address: str) -> None:
    """An empty one would be made without a word where a path is wrong, and what was sealed would seem lost."""
    desk = stage(intake.service, profile=TOWN)
    desk.ask(TakeInSheets(sheets=(sheet(),)))
    desk.close()
    elsewhere = _database(store_address, "new") if "postgres" in store_address else store_address[:-3] + ".new.db"
    vault = Vault(elsewhere, KEK, "452050/intake")
    with pytest.raises(StoreRefused, match="鍵庫"):
        Store(store_address, intake.service, TOWN, vault=vault)
    with pytest.raises(StoreRefused, match="鍵庫"):
        Store(store_address, intake.service, TOWN)
    vault.close()


def test_a_store_swapped_between_compartments_is_refused_and_relabelled_it_opens_nothing(
    stage: Staging, store_address: str, kobayashi: Profile
) -> None:
    shien, case = stage(coordination.service, SHIEN), uuid4()
    shien.ask(TakeInClient(case=case, particulars=WHO))
    shien.give(told_without_consent(about=case))
    with pytest.raises(VaultRefused, match="coordination@juso"):
        vault_of(coordination.service, store_address, kobayashi, JUSO)
    with pytest.raises(StoreRefused, match="compartment"):
        Store(store_address, coordination.service, kobayashi, JUSO, vault=shien.vault)
    sealed = shien.do(lambda tx: tx.execute(select(case_client.c.name)).scalar_one())
    address = _database(store_address, "juso") if "postgres" in store_address else store_address[:-3] + ".juso.db"
    vault = Vault(address, KEK, "452050/coordination@juso")
    shien.close()
    thief = create_engine(store_address)  # the store's own connection neither drops a guard nor changes its label
    with thief.begin() as connection:
        on = "" if "sqlite" in store_address else " on label"
        connection.exec_driver_sql(f"drop trigger label_update_guard{on}")
        for key, value in {"compartment": "juso", "vault": str(vault.id)}.items():
            connection.execute(update(label).where(label.c.key == key).values(value=value))
    thief.dispose()
    store = Store(store_address, coordination.service, kobayashi, JUSO, vault=vault)
    with pytest.raises(Foreign):
        store.read(lambda tx: tx.open(case, "client.name", sealed))
    store.close()
    vault.close()


def test_a_store_of_before_sealing_is_refused_and_says_what_to_do(stage: Staging, store_address: str) -> None:
    desk = stage(intake.service, profile=TOWN)
    older = update(label).where(label.c.key == "schema").values(value=str(SCHEMA_VERSION - 1))
    desk.do(lambda tx: tx.execute(older).rowcount)
    desk.close()
    with pytest.raises(StoreRefused, match="取り込み直してください"):
        Stage(intake.service, store_address, TOWN)


# -- in the store ------------------------------------------------------------------------------------------------------


def test_a_service_that_does_not_declare_it_cannot_seal(stage: Staging) -> None:
    plain = stage(Service("meetings", MetaData(), compartments=True), JUSO)
    for act in (
        lambda tx: tx.seal(uuid4(), "minutes.text", "議事"),
        lambda tx: tx.open(uuid4(), "minutes.text", b"\x01"),
        lambda tx: tx.destroy_key(uuid4()),
    ):
        with pytest.raises(TypeError, match="seals"):
            plain.do(act)


def test_a_sealed_column_takes_no_text(stage: Staging) -> None:
    shien = stage(coordination.service, SHIEN)
    row = dict.fromkeys((column.name for column in case_client.c if isinstance(column.type, Sealed)), "𠮷田 進")
    for values in (row, {name: value.encode() for name, value in row.items()}):
        with pytest.raises(StatementError, match="sealed column") as refused:
            shien.do(lambda tx, v=values: tx.execute(insert(case_client).values(case=uuid4(), compartment=SHIEN, **v)))
        assert "𠮷田" not in str(refused.value)


def test_without_its_key_on_the_disk_nothing_sealed_is_committed(desk: Stage) -> None:
    vault = desk.vault
    assert vault

    def take_in_and_lose_the_key_store(tx: Tx) -> None:
        intake.service.answers_to[TakeInSheets].act(TakeInSheets(sheets=(sheet(number="2"),)), tx)
        with vault._writing() as connection:
            data_key.drop(connection)

    with pytest.raises(DBAPIError):
        desk.do(take_in_and_lose_the_key_store)
    with vault._writing() as connection:
        data_key.create(connection)
    assert desk.do(lambda tx: tx.execute(select(referral.c.number)).scalars().all()) == ["0000123"]
    desk.ask(TakeInSheets(sheets=(sheet(number="2"),)))
    assert keys_in(vault) == 1


def test_of_two_processes_that_make_a_key_for_one_case_at_once_one_tries_again(stage: Staging) -> None:
    tables = MetaData()
    note = Table("note", tables, Column("case", Uuid, primary_key=True), Column("text", Sealed))
    first = stage(Service("meetings", tables, compartments=True, seals=True), JUSO)
    case = uuid4()
    second = Vault(first.vault.engine.url.render_as_string(hide_password=False), KEK, first.vault.owner)  # type: ignore[union-attr]
    theirs = b""

    def write(tx: Tx) -> None:
        nonlocal theirs
        tx.execute(insert(note).values(case=case, text=tx.seal(case, "note.text", "会議の記録")))
        if not theirs:
            theirs = second.seal(case, "note.text", "別の記録")
            second.keep()

    with pytest.raises(IntegrityError):
        first.do(write)
    assert first.do(lambda tx: tx.execute(select(note)).all()) == []
    first.do(write)
    ours = first.do(lambda tx: tx.execute(select(note.c.text)).scalar_one())
    assert first.do(lambda tx: [tx.open(case, "note.text", one) for one in (ours, theirs)]) == [
        "会議の記録",
        "別の記録",
    ]
    second.close()


def test_keys_are_made_for_new_referrals_only(stage: Staging) -> None:
    desk = stage(intake.service, profile=TOWN)
    for _ in range(2):
        desk.ask(TakeInSheets(sheets=tuple(sheet(number=str(number)) for number in range(5))))
    assert desk.vault
    assert keys_in(desk.vault) == 5


@pytest.mark.parametrize("swap", ["row", "column", "member"])
def test_texts_swapped_in_the_store_are_refused_with_a_reason_and_not_shown(stage: Staging, swap: str) -> None:
    desk = stage(intake.service, profile=TOWN)
    members = (Member(name="髙橋 和彦", relation="長男"), Member(name="髙橋 みちる", relation="孫"))
    desk.ask(TakeInSheets(sheets=(sheet(members=members), sheet(number="2", name="𠮷田 進"))))
    told, _ = referrals(desk)
    own, other = desk.do(
        lambda tx: tx.execute(select(referral.c.id).order_by(referral.c.number.desc())).scalars().all()
    )
    own, other = (own, other) if desk.do(lambda tx: _number(tx, own)) == "0000123" else (other, own)

    def change(tx: Tx) -> None:
        names = dict(map(tuple, tx.execute(select(client.c.referral, client.c.name)).all()))
        value = {"row": {"name": names[other]}, "column": {"kana": names[own]}}[swap]
        tx.execute(update(client).where(client.c.referral == own).values(value))

    if swap == "member":
        names = desk.do(
            lambda tx: (
                tx.execute(select(member.c.name).where(member.c.referral == own).order_by("place")).scalars().all()
            )
        )
        opened = desk.do(lambda tx: [tx.open(own, f"member.name.{place}", name) for place, name in enumerate(names)])
        assert opened == [one.name for one in members]
        with pytest.raises(Foreign):
            desk.do(lambda tx: [tx.open(own, f"member.name.{1 - place}", name) for place, name in enumerate(names)])
        return
    desk.do(change)
    with pytest.raises(Foreign):
        desk.ask(ClientOf(case=told.about))


def _number(tx: Tx, key: UUID) -> str:
    return str(tx.execute(select(referral.c.number).where(referral.c.id == key)).scalar_one())


# -- canaries: no plain text in any byte ------------------------------------------------------------------------------

BORN = date(1907, 3, 14)
RESIDENT = "918273645546372"
PLAIN = "PLAIN7KQ2W9"
"""A referral's number is not sealed at intake: what the hunt must find."""


def _canaries(names: str) -> list[str]:
    """One per field, alike in the beginning, so that one pass over all bytes finds them."""
    token = "C" + uuid4().hex[:11]
    return [f"{token}{name}" for name in names.split()]


def referrals(desk: Stage) -> list[Event]:
    """What was told of cases; the consents they rest on are told before them."""
    return [one for one in desk.told() if not isinstance(one, ConsentChanged)]


def clients(shien: Stage, *cases: UUID) -> dict[UUID, Particulars]:
    """Whom these cases are about, as the desk would read it."""
    sight = Sight(shown=frozenset(cases))
    found: dict[UUID, Particulars] = shien.do(lambda tx: names(sight, tx).clients)
    return found


def _fill_intake(desk: Stage) -> list[str]:
    staff, name, kana, address, phone, wishes, other, relation, reason, decided, signer, note, told = marks = _canaries(
        "staff name kana address phone wishes member relation reason opening signer note explainer"
    )
    texts = {"referrer_staff": staff, "name": name, "kana": kana, "address": address, "phone": phone}
    texts |= {"wishes": wishes, "reason": reason, "members": (Member(name=other, relation=relation),)}
    texts |= {"explained_by": told}
    one = without_consent(
        ConsentState.WITHDRAWN, number=PLAIN, born_on=BORN, resident_number=RESIDENT, household_size=1, **texts
    )
    desk.ask(TakeInSheets(sheets=(one,)))
    (held,) = desk.ask(Held()).held
    assert desk.ask(OpenWithoutConsent(referral=held.referral, reason=decided)).done
    refused = RecordConsent(
        referral=held.referral,
        after=1,
        state=ConsentState.REFUSED,
        text_version="第1号",
        obtained=Obtained.PHONE,
        obtained_by=staff,
        obtained_on=SOME_DAY.date(),
        signer=Signer.PARENT,
        signer_name=signer,
        note=note,
    )
    assert desk.ask(refused).done
    marks += _fill_reception(desk, held.referral)
    return [*marks, BORN.isoformat(), RESIDENT, digest(one)]


def _fill_reception(desk: Stage, key: UUID) -> list[str]:
    """What the office writes around a referral: notes, reasons, what a 世帯員 said, and where one is."""
    marks = _canaries("dropped area triage taken said where secret")
    dropped, area, why, taken, said, where, secret = marks
    by = Officer(person=uuid4(), agency="kenko")
    noticed = {"noticed_on": SOME_DAY.date(), "place": "salon", "signs": ("other",), "urgent": False}
    note = Note.model_validate(noticed | {"description": area, "area": area})
    signal = desk.ask(ReportSignal(request=uuid4(), by=by, note=note)).signal
    assert desk.ask(DropSignal(request=uuid4(), by=by, signal=signal, reason=dropped)).done
    decided = {"way": "coordinate", "after": 0, "edition": "0", "reason": why}
    deed = {"request": uuid4(), "by": by, "referral": key}
    assert desk.ask(DecideTriage.model_validate(deed | decided)).done
    members = desk.ask(LookAtHousehold(by=by, referral=key)).members
    one = {"by": by, "referral": key, "member": members[1].member}
    told = {"state": "refused", "after": 0, "obtained": "oral", "obtained_by": taken, "obtained_on": SOME_DAY.date()}
    hidden = {"secret": True, "after": 0, "ground": "stalking", "viewers": (uuid4(),), "note": secret}
    for asked in (
        RecordMemberConsent.model_validate(one | told | {"request": uuid4(), "note": said}),
        NoteDetail.model_validate(one | {"request": uuid4(), "detail": "school", "text": where}),
        SetSecrecy.model_validate(one | hidden | {"request": uuid4()}),
    ):
        assert desk.ask(asked).done
    return marks


def _fill_shien(shien: Stage) -> list[str]:
    *told, entry, words, sheet_of, roster, question, answer = marks = _canaries(
        "name kana number staff reason wishes explainer entry words paper roster question answer"
    )
    name, kana, number, staff, reason, wishes, explainer = told
    who = Particulars(
        found=True,
        name=name,
        kana=kana,
        number=number,
        referrer_staff=staff,
        reason=reason,
        wishes=wishes,
        born_on=BORN,
        explained_by=explainer,
        explained_on=BORN,
    )
    case = uuid4()
    shien.ask(TakeInClient(case=case, particulars=who))
    shien.give(told_without_consent(about=case))
    assert clients(shien, case)[case].name == name
    said = WriteEntry(case=case, provider="houkatsu", category=Category.ORDINARY, text=entry, written_by=uuid4())
    assert shien.ask(said).entry
    shien.do(lambda tx: tx.execute(insert(case_act).values(_act_row(case, words, tx))))
    shien.do(lambda tx: tx.execute(insert(case_paper).values(_paper_row(case, sheet_of, tx))))
    shien.do(lambda tx: _prepare(case, roster, question, answer, tx))
    shien.do(lambda tx: _challenge_with_answer(words, tx))
    return [*marks, BORN.isoformat()]


def _act_row(case: UUID, words: str, tx: Tx) -> dict[str, Any]:
    """A step of the case, with what somebody wrote of it."""
    row = {"case": case, "number": 1, "compartment": SHIEN, "request": uuid4(), "at": tx.now, "step": "assess"}
    row |= {"state": "assessed", "by": uuid4(), "agency": "houkatsu", "codes": {}}
    return row | {"words": tx.seal(case, "act.words", words)}


def _paper_row(case: UUID, content: str, tx: Tx) -> dict[str, Any]:
    """A filled form of the case."""
    row = {"paper": uuid4(), "version": 1, "case": case, "compartment": SHIEN, "request": uuid4(), "at": tx.now}
    row |= {"form": "assessment", "kind": "assessment", "edition": "1", "category": "ordinary", "by": uuid4()}
    return row | {"agency": "houkatsu", "anxious": False, "content": tx.seal(case, "paper.content", content)}


def _prepare(case: UUID, roster: str, question: str, answer: str, tx: Tx) -> None:
    """What was decided, asked and said of the case before its meeting."""
    who = {"case": case, "compartment": SHIEN, "request": uuid4()}
    row = {"number": 1, "at": tx.now, "by": uuid4(), "agency": "houkatsu", "attendance": "no", "codes": {}}
    tx.execute(insert(case_roster).values(**who, **row, words=tx.seal(case, "roster.words", roster)))
    ref, asked = uuid4(), {"agency": "houkatsu", "subjects": ["health"], "due_on": SOME_DAY.date()}
    asked |= {"asked_at": tx.now, "asked_by": uuid4(), "asked_for": "fukushi"}
    tx.execute(insert(inquiry).values(id=ref, **who, **asked, words=tx.seal(case, "inquiry.words", question)))
    said = {"inquiry": ref, "number": 1, "case": case, "request": uuid4(), "at": tx.now, "by": uuid4()}
    said |= {"by_agency": "fukushi", "said_on": SOME_DAY.date()}
    tx.execute(insert(inquiry_answer).values(**said, words=tx.seal(case, "inquiry_answer.words", answer)))


def _challenge_with_answer(words: str, tx: Tx) -> None:
    """A 地域課題 and what the body answered to it."""
    ref = tx.ref()
    row = {"id": ref, "compartment": SHIEN, "field": "housing", "kind": "housing"}
    tx.execute(insert(challenge).values(row | {"words": tx.seal(ref, "challenge.words", words)}))
    given = {"id": tx.ref(), "request": uuid4(), "compartment": SHIEN, "challenge": ref, "body": "daihyosha"}
    given |= {"forwarded_on": SOME_DAY.date(), "answered_on": SOME_DAY.date()}
    tx.execute(insert(challenge_forward).values(given | {"answer": tx.seal(ref, "challenge_forward.answer", words)}))


JUSO_ONLY = {"place", "follow_up"}
"""参加支援 is in juso only: a shien store refuses a row; tests/coordination/test_resources.py looks at its bytes."""


def _all_filled(stage: Stage) -> None:
    """Every sealed column there is holds something, or the hunt would miss it."""
    here = stage.store.compartment
    for table in stage.store.service.tables.sorted_tables:
        if here is SHIEN and table.name in JUSO_ONLY:
            continue
        for column in table.c:
            if isinstance(column.type, Sealed):
                query = select(func.count()).select_from(table).where(column.is_not(None))
                assert stage.do(lambda tx, q=query: tx.execute(q).scalar_one()), column


def test_no_sealed_text_is_in_any_byte_of_the_stores_or_their_logs(
    stage: Staging, store_address: str, tmp_path: Path
) -> None:
    office = stage(intake.service, profile=TOWN)
    since = _log_of(office)
    marks = _fill_intake(office)
    _all_filled(office)
    apart = _database(store_address, "shien") if "postgres" in store_address else f"sqlite:///{tmp_path}/shien.db"
    shien = Stage(coordination.service, apart, TOWN, SHIEN)
    marks += _fill_shien(shien)
    _all_filled(shien)
    starts = {mark[:12] if mark.startswith("C") else mark for mark in (*marks, PLAIN)}
    found = {start for content in _bytes_of(office, tmp_path, since) for start in starts if start.encode() in content}
    assert found == {PLAIN}, "the hunt can find, and finds nothing sealed"
    shien.close()


def test_the_canary_hunt_finds_a_text_that_somebody_forgot_to_seal(
    desk: Stage, store_address: str, tmp_path: Path
) -> None:
    mark, since = "CANARY" + uuid4().hex, _log_of(desk)
    desk.do(lambda tx: tx.execute(update(client).values(name=bytes([FORMAT]) + mark.encode())).rowcount)
    kinds = sum(mark.encode() in one for one in _bytes_of(desk, tmp_path, since))
    assert kinds >= (1 if store_address.startswith("sqlite") else 2), "in the table and in PostgreSQL's log"


def _log_of(stage: Stage) -> str:
    """The file that PostgreSQL's write-ahead log is in now; nothing for SQLite."""
    if stage.store.engine.dialect.name == "sqlite":
        return ""
    with stage.store.engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT pg_walfile_name(pg_current_wal_insert_lsn())").scalar())


def _bytes_of(stage: Stage, folder: Path, since: str) -> Iterator[bytes]:
    """Every byte on the disk: of all SQLite files in the folder; of PostgreSQL's, without the databases of other tests
    and what the log held before ``since``."""
    others: set[Path] = set()
    if stage.store.engine.dialect.name != "sqlite":
        with stage.store.engine.connect() as connection:
            folder = Path(str(connection.exec_driver_sql("SHOW data_directory").scalar()))
            yield _log_bytes(folder / "pg_wal", since, _log_of(stage))  # a checkpoint may take segments away
            connection.exec_driver_sql("CHECKPOINT")
            own = connection.exec_driver_sql("SELECT current_database()").scalar()
            known = connection.exec_driver_sql("SELECT oid, datname FROM pg_database").all()
        others = {folder / "base" / str(one.oid) for one in known if not one.datname.startswith(str(own))}
        others.add(folder / "pg_wal")
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.parent not in others:
            yield path.read_bytes()


PAGE, FIRST_HEADER, HEADER = 8192, 40, 24


def _log_bytes(folder: Path, since: str, until: str) -> bytes:
    """The write-ahead log of these segments without the headers of its pages, which may cut a word in two."""
    found = bytearray()
    for path in sorted(one for one in folder.iterdir() if since <= one.name <= until):
        content = path.read_bytes()
        for start in range(0, len(content), PAGE):
            found += content[start + (HEADER if start else FIRST_HEADER) : start + PAGE]
    return bytes(found)


# -- erasing -----------------------------------------------------------------------------------------------------------


def test_an_erased_referral_says_so_keeps_its_number_and_does_not_come_back(desk: Stage) -> None:
    (told,) = referrals(desk)
    for _ in range(2):
        assert desk.ask(EraseReferral(referrer="houkatsu", number="0000123", reason=REASON)).done
        desk.pass_time(days=1)
    assert desk.ask(ClientOf(case=told.about)) == Particulars(found=False, erased=True)
    (row,) = desk.do(lambda tx: tx.execute(select(referral)).mappings().all())
    assert {name for name, value in row.items() if value is None} == {
        "digest",
        "referrer_staff",
        "wishes",
        "reason",
        "explained_by",
        "explained_on",
    }
    for table in (client, member):
        assert desk.do(lambda tx, t=table: tx.execute(select(t)).all()) == []
    assert [one.state for one in desk.told() if isinstance(one, ConsentChanged)][-1:] == [ConsentState.WITHDRAWN]
    (tomb,) = desk.do(lambda tx: tx.execute(select(erased)).all())
    assert (tomb.subject, tomb.at, tomb.reason, tomb.cleared_at) == (row["id"], SOME_DAY, "request", None)
    (again,) = desk.ask(TakeInSheets(sheets=(sheet(),))).results
    assert (again.outcome, again.rule, again.field) == ("refused", "erased", "受付番号")
    assert "新しい受付番号" in again.message


def test_a_referral_is_erased_by_its_own_reference_and_by_its_juso_case(desk: Stage) -> None:
    (told,) = referrals(desk)
    assert not desk.ask(EraseReferral(referral=told.about, reason=REASON)).done
    assert not desk.ask(EraseReferral(juso_case=uuid4(), reason=REASON)).done
    assert not desk.ask(EraseReferral(referrer="houkatsu", number="9", reason=REASON)).done
    assert not desk.ask(ClientOf(case=told.about)).erased
    assert desk.ask(EraseReferral(juso_case=told.about, reason=REASON)).done
    assert desk.ask(ClientOf(case=told.about)).erased
    desk.ask(TakeInSheets(sheets=(sheet(number="2"),)))
    key = desk.do(lambda tx: tx.execute(select(referral.c.id).where(referral.c.number == "2")).scalar_one())
    assert desk.ask(EraseReferral(referral=key, reason=REASON)).done
    (second,) = referrals(desk)
    assert desk.ask(ClientOf(case=second.about)).erased


@pytest.mark.parametrize("named", [{}, {"referrer": "a"}, {"number": "1"}, {"referral": uuid4(), "juso_case": uuid4()}])
def test_a_referral_is_named_in_exactly_one_way(named: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        EraseReferral.model_validate({**named, "reason": REASON})


def test_an_erased_referral_is_neither_held_nor_handed_over(desk: Stage) -> None:
    desk.ask(
        TakeInSheets(
            sheets=(
                without_consent(ConsentState.WITHDRAWN, number="2"),
                without_consent(ConsentState.REFUSED, number="3"),
            )
        )
    )
    (held,) = desk.ask(Held()).held
    assert desk.store.counts()[2] == 1
    for number in "23":
        assert desk.ask(EraseReferral(referrer="houkatsu", number=number, reason=REASON)).done
    assert desk.ask(Held()).held == ()
    assert not desk.ask(OpenWithoutConsent(referral=held.referral, reason="生命の危険があるため")).done
    assert desk.do(lambda tx: tx.execute(select(handover)).all()) == []
    assert desk.store.counts()[2] == 0


def test_an_erased_decision_keeps_its_day_and_loses_its_words(desk: Stage) -> None:
    desk.ask(TakeInSheets(sheets=(without_consent(ConsentState.WITHDRAWN, number="2"),)))
    (held,) = desk.ask(Held()).held
    desk.ask(OpenWithoutConsent(referral=held.referral, reason="生命の危険があるため"))
    desk.ask(EraseReferral(referral=held.referral, reason=REASON))
    (row,) = desk.do(lambda tx: tx.execute(select(opening)).all())
    assert (row.reason, row.decided_at) == (None, SOME_DAY)


@pytest.mark.parametrize("reason", EraseReason)
def test_erasing_closes_the_consent_and_its_words_need_no_key(desk: Stage, reason: EraseReason) -> None:
    (told,) = referrals(desk)
    assert desk.ask(EraseReferral(juso_case=told.about, reason=reason)).done
    closed = [one for one in desk.told() if isinstance(one, ConsentChanged)]
    expected = ConsentState.WITHDRAWN if reason is EraseReason.REQUEST else ConsentState.EXPIRED
    assert [(one.state, one.scope) for one in closed if one.version == 2] == [(expected, None)]
    again = desk.ask(
        WithdrawConsent(
            case=told.about, obtained=Obtained.PHONE, obtained_by="日髙 奈緒", obtained_on=date(2026, 11, 20)
        )
    )
    assert again.done or "撤回するものがありません" in again.message


def test_an_erased_shien_case_stays_a_case_about_nobody(stage: Staging) -> None:
    shien, case, other = stage(coordination.service, SHIEN), uuid4(), uuid4()
    for one in (case, other):
        shien.ask(TakeInClient(case=one, particulars=WHO))
        shien.give(told_without_consent(about=one))
    assert not shien.ask(EraseCase(case=uuid4(), reason=REASON)).done
    for _ in range(2):
        assert shien.ask(EraseCase(case=case, reason=REASON)).done
        shien.pass_time(days=1)
    gone = Particulars(found=False, erased=True)
    assert clients(shien, case, other) == {case: gone, other: WHO}
    (tomb,) = shien.do(lambda tx: tx.execute(select(erased_case)).all())
    assert (tomb.subject, tomb.at, tomb.reason) == (case, SOME_DAY, "request")
    shien.ask(TakeInClient(case=case, particulars=WHO))
    assert clients(shien, case)[case] == gone, "what comes late does not bring it back"
    assert shien.do(lambda tx: tx.execute(select(case_client.c.case)).scalars().all()) == [other]
    with pytest.raises(Shut):
        shien.do(lambda tx: tx.seal(case, "client.name", "また"))


def test_what_intake_erased_before_the_handover_is_not_written_into_shien(stage: Staging) -> None:
    shien, case = stage(coordination.service, SHIEN), uuid4()
    shien.ask(TakeInClient(case=case, particulars=Particulars(found=False, erased=True)))
    assert shien.do(lambda tx: tx.execute(select(case_client)).all()) == []


def test_a_store_copied_before_the_erasure_and_brought_back_opens_nothing(store_address: str, tmp_path: Path) -> None:
    vault_address = f"sqlite:///{tmp_path}/apart/vault.db"
    live = Stage(intake.service, store_address, TOWN, vault_address=vault_address)
    live.ask(TakeInSheets(sheets=(sheet(), sheet(number="2", name="𠮷田 進"))))
    first, second = referrals(live)
    live.close()
    copy = _copied(store_address)
    live = Stage(intake.service, store_address, TOWN, vault_address=vault_address)
    assert live.ask(EraseReferral(referrer="houkatsu", number="0000123", reason=REASON)).done
    live.close()

    restored = Stage(intake.service, copy, TOWN, vault_address=vault_address)
    rows = restored.do(lambda tx: tx.execute(select(client)).mappings().all())
    shut = 0
    for row in rows:
        for column in client.c:
            if isinstance(column.type, Sealed) and row[column.name] is not None:
                try:
                    restored.do(lambda tx, r=row, c=column.name: tx.open(r["referral"], f"client.{c}", r[c]))
                except Shut:
                    shut += 1
    assert (len(rows), shut) == (2, 7), "all seven fields of the erased one"
    assert restored.ask(ClientOf(case=first.about)) == Particulars(found=False, erased=True)
    assert restored.ask(ClientOf(case=second.about)).name == "𠮷田 進"
    (again,) = restored.ask(TakeInSheets(sheets=(sheet(),))).results
    assert (again.outcome, again.rule) == ("refused", "erased")
    assert restored.ask(EraseReferral(referrer="houkatsu", number="0000123", reason=REASON)).done
    assert len(restored.do(lambda tx: tx.execute(select(client)).all())) == 1
    restored.close()


def _copied(store_address: str) -> str:
    """The store as it is now, as a backup brings it back."""
    if store_address.startswith("sqlite"):
        path = make_url(store_address).database
        assert path
        shutil.copy(path, path.replace(".db", "-restored.db"))
        return store_address.replace(".db", "-restored.db")
    url = make_url(store_address)
    admin = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {url.database}_r TEMPLATE {url.database}")
    admin.dispose()
    return url.set(database=f"{url.database}_r").render_as_string(hide_password=False)


def test_an_erasure_that_fails_half_way_is_shut_all_the_same_and_can_be_repeated(desk: Stage) -> None:
    (told,) = referrals(desk)
    question = EraseReferral(referrer="houkatsu", number="0000123", reason=REASON)
    act = intake.service.answers_to[EraseReferral].act

    def fail(tx: Tx) -> None:
        act(question, tx)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        desk.do(fail)
    assert len(desk.do(lambda tx: tx.execute(select(client)).all())) == 1
    assert desk.ask(ClientOf(case=told.about)).erased
    assert desk.ask(question).done
    assert desk.do(lambda tx: tx.execute(select(client)).all()) == []


class Alone:
    """What an errand of a stage works with."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def run(self, act: Callable[[Tx], T]) -> T:
        return self.stage.do(act)

    async def compact(self) -> None:
        self.stage.store.compact()


def test_what_was_deleted_is_taken_out_of_the_files_once(desk: Stage) -> None:
    sealed = desk.do(lambda tx: tx.execute(select(client.c.name)).scalar_one())
    desk.ask(EraseReferral(referrer="houkatsu", number="0000123", reason=REASON))
    (errand,) = [one for one in intake.service.errands if one.name == "clear_away"]
    desk.pass_time(hours=1)
    for _ in range(2):
        asyncio.run(_done(errand.act(Alone(desk))))  # type: ignore[arg-type]  # it needs no more of Work
        (tomb,) = desk.do(lambda tx: tx.execute(select(erased)).all())
        assert tomb.cleared_at == datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
        desk.pass_time(hours=1)
    path = desk.store.engine.url.database or ""
    if desk.store.engine.dialect.name == "sqlite":
        assert sealed not in Path(path).read_bytes() + Path(path + "-wal").read_bytes()


async def _done(running: Awaitable[None]) -> None:
    await running
