"""The audit log: what is recorded lasts, and whatever somebody does to it behind the process's back is found."""

import json
import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import LargeBinary, MetaData, create_engine, delete, insert, literal, select, update
from sqlalchemy.exc import DBAPIError

from contracts.message import Compartment
from contracts.profile import Profile
from services import merkle
from services.__main__ import main
from services.audit import Entry, Fault, Finding, LogBroken, Point, _leaf, audit, checkpoint, examine, sign_checkpoint
from services.provision import read_audit_key, read_audit_public_key
from services.service import Process, Service, Tx
from services.store import Store, open_to_read
from tests.stage import SOME_DAY, Stage
from tests.world import World

JUSO = Compartment.JUSO
ORIGIN = "452050/meetings@juso"


# -- the tree ----------------------------------------------------------------------------------------------------------


def naive_root(contents: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not contents:
        return sha256(b"").digest()
    if len(contents) == 1:
        return sha256(b"\x00" + contents[0]).digest()
    k = 1
    while k * 2 < len(contents):
        k *= 2
    return sha256(b"\x01" + naive_root(contents[:k]) + naive_root(contents[k:])).digest()


CONTENTS = st.lists(st.binary(max_size=8), max_size=40)

VECTORS = [
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    ("606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
]
"""The test tree of Certificate Transparency's reference code: each leaf, and the root once it is in."""


def test_the_tree_has_the_roots_of_certificate_transparencys_own_test_tree() -> None:
    leaves: list[bytes] = []
    for content, root in VECTORS:
        leaves.append(merkle.leaf_hash(bytes.fromhex(content)))
        assert merkle.root(leaves).hex() == root
    assert merkle.root([]) == merkle.EMPTY == sha256(b"").digest()


@given(CONTENTS)
def test_the_root_is_that_of_the_rfcs_own_words(contents: list[bytes]) -> None:
    assert merkle.root([merkle.leaf_hash(one) for one in contents]) == naive_root(contents)


@given(CONTENTS.filter(bool), st.data())
def test_every_leaf_can_be_shown_to_be_in_the_tree_and_no_other_can(contents: list[bytes], data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(one) for one in contents]
    index = data.draw(st.integers(0, len(leaves) - 1))
    root, proof, size = merkle.root(leaves), merkle.inclusion(leaves, index), len(leaves)
    assert merkle.includes(leaves[index], index, size, proof, root)
    assert not merkle.includes(merkle.leaf_hash(b"another one"), index, size, proof, root)
    assert not merkle.includes(leaves[index], index, size, [*proof, root], root)
    assert not merkle.includes(leaves[index], size, size, proof, root)
    if proof:
        assert not merkle.includes(leaves[index], index, size, proof[:-1], root)
        spoilt = [bytes([one[0] ^ 1]) + one[1:] if place == len(proof) // 2 else one for place, one in enumerate(proof)]
        assert not merkle.includes(leaves[index], index, size, spoilt, root)


@given(CONTENTS.filter(bool), st.data())
def test_a_tree_continues_its_own_beginnings_and_nothing_else(contents: list[bytes], data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(one) for one in contents]
    size, earlier = len(leaves), data.draw(st.integers(0, len(leaves)))
    was, now, proof = merkle.root(leaves[:earlier]), merkle.root(leaves), merkle.consistency(leaves, earlier)
    assert merkle.continues(earlier, was, size, now, proof)
    assert not merkle.continues(earlier, merkle.leaf_hash(b"another"), size, now, proof)
    assert not merkle.continues(earlier, was, size, now, [*proof, now])
    assert not merkle.continues(size + 1, was, size, now, proof)
    if 0 < earlier < size:
        assert not merkle.continues(earlier, was, size, merkle.leaf_hash(b"another"), proof)
        assert not merkle.continues(earlier, was, size, now, proof[:-1])
        rewritten = [merkle.leaf_hash(b"another one"), *leaves[1:]]
        other = merkle.consistency(rewritten, earlier)
        assert not merkle.continues(earlier, was, size, merkle.root(rewritten), other)


def test_there_is_no_proof_of_what_is_not_there() -> None:
    with pytest.raises(IndexError):
        merkle.inclusion([], 0)
    with pytest.raises(IndexError):
        merkle.consistency([merkle.EMPTY], 2)


# -- recording ---------------------------------------------------------------------------------------------------------


class Log:
    """A service that does nothing but decide, on a real store, and a thief with the owner's own login to it."""

    def __init__(self, stage: Stage, address: str) -> None:
        self.stage, self.address, self.key = stage, address, Ed25519PrivateKey.generate()

    def decide(self, count: int = 1, **what: object) -> None:
        """One transaction with ``count`` decisions."""

        def act(tx: Tx) -> None:
            for _ in range(count):
                tx.audit(**{"act": "hear", "outcome": "allow", "rule": "A1", "case": tx.ref(), **what})  # type: ignore[arg-type]

        self.stage.do(act)

    def sign(self) -> int:
        return self.stage.store.checkpoint(self.key)

    def positions(self) -> list[int]:
        return self.stage.do(lambda tx: list(tx.connection.scalars(select(audit.c.position).order_by("position"))))

    def examine(self, key: Ed25519PrivateKey | None = None, origin: str = ORIGIN, kept: Point | None = None) -> Finding:
        engine = open_to_read(self.address)
        with engine.connect() as connection:
            found = examine(connection, origin, (key or self.key).public_key(), kept)
        engine.dispose()
        return found

    def tamper(self, *statements: object) -> None:
        """Change what is kept, past the triggers, as whoever has the file or the owner's login can."""
        thief = create_engine(self.address)  # not the store's own connection, which drops nothing
        with thief.begin() as connection:
            sqlite = connection.dialect.name == "sqlite"
            for table in ("audit", "checkpoint"):
                for on in ("insert", "update", "delete") if sqlite else ("update", "delete"):
                    dropped = f'DROP TRIGGER "{table}_{on}_guard"'
                    connection.exec_driver_sql(dropped + ("" if sqlite else f" ON {table}"))
            for statement in statements:
                connection.execute(statement)  # type: ignore[call-overload]
        thief.dispose()

    def row(self, position: int) -> dict[str, object]:
        chosen = select(audit).where(audit.c.position == position)
        return self.stage.do(lambda tx: dict(tx.execute(chosen).one()._mapping))


@pytest.fixture
def log(stage: Callable[..., Stage], store_address: str) -> Log:
    return Log(stage(Service("meetings", MetaData(), compartments=True), JUSO), store_address)


@pytest.fixture
def signed(log: Log) -> Log:
    """Twelve rows; checkpoints after seven and ten."""
    for count in (7, 3):
        log.decide(count)
        log.stage.pass_time(hours=1)
        assert log.sign() == count
    log.decide(2)
    assert log.examine() == Finding(12, log.examine().good)
    return log


def test_a_decision_is_recorded_with_the_instant_of_its_transaction_and_nothing_else(log: Log) -> None:
    case, consent, person = uuid4(), uuid4(), uuid4()
    log.decide(
        act="invite", outcome="refuse", rule="F4", actor="meetings@juso", case=case, person=person, basis="swa-106-6",
        consent=consent, consent_version=3, policy="8236b0bd6183", detail="not_commissioned",
    )  # fmt: skip
    row = log.row(1)
    leaf = row.pop("leaf")
    assert row == {
        "position": 1, "at": "2026-11-24T01:00:00.000000Z", "actor": "meetings@juso", "act": "invite",
        "outcome": "refuse", "rule": "F4", "case": str(case), "item": None, "person": str(person),
        "basis": "swa-106-6", "consent": str(consent), "consent_version": 3, "commission": None, "permit": None,
        "policy": "8236b0bd6183", "detail": "not_commissioned",
    }  # fmt: skip
    told = {name: value for name, value in row.items() if value is not None}
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    assert leaf == sha256(b"\x00" + canonical).hexdigest()


def test_positions_follow_one_another_over_batches_and_rolled_back_transactions(log: Log) -> None:
    log.decide(3)

    def decide_and_fail(tx: Tx) -> None:
        tx.audit(act="hear", outcome="allow", rule="A1")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        log.stage.do(decide_and_fail)
    assert log.positions() == [1, 2, 3]
    log.decide(2)
    assert log.positions() == [1, 2, 3, 4, 5]


def test_what_a_handler_decides_while_it_yields_its_events_is_recorded_too(log: Log) -> None:
    def act(tx: Tx) -> Iterable[object]:
        tx.audit(act="hear", outcome="allow", rule="A1")
        yield from ()

    log.stage.tell(act)  # type: ignore[arg-type]
    assert log.positions() == [1]


def test_a_decision_made_while_reading_is_not_lost_in_silence(log: Log) -> None:
    with pytest.raises(TypeError, match="does"):
        log.stage.store.read(lambda tx: tx.audit(act="hear", outcome="allow", rule="A1"))
    assert log.positions() == []


@pytest.mark.parametrize(
    "what",
    [
        {"actor": "髙橋 花子"},
        {"actor": "Takahashi"},
        {"actor": "hanako takahashi"},
        {"actor": "a\n"},
        {"actor": "a" * 41},
        {"detail": "本人の希望により"},
        {"detail": "asked again on the phone"},
        {"act": ""},
        {"act": "話す"},
        {"outcome": "perhaps"},
        {"rule": "because he said so"},
        {"basis": "社会福祉法"},
        {"policy": "new one"},
        {"case": "𠮷田さんの件"},
        {"person": "𠮷田"},
        {"consent_version": "3"},
        {"consent_version": True},
    ],
    ids=str,
)
def test_free_text_is_refused_and_not_repeated(what: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must be|needs an act") as refusal:
        Entry(**{"act": "hear", "outcome": "allow", "rule": "A1", **what})  # type: ignore[arg-type]
    (value,) = what.values()
    assert not value or f"{value}" not in str(refusal.value)


def test_a_person_is_told_by_reference(log: Log) -> None:
    person = uuid4()
    log.decide(actor=str(person))
    assert log.row(1)["actor"] == str(person)


@pytest.mark.parametrize("table", [audit, checkpoint], ids=str)
def test_the_store_refuses_to_change_delete_or_replace_what_is_recorded(signed: Log, table: object) -> None:
    key, column = (audit.c.position, audit.c.rule) if table is audit else (checkpoint.c.size, checkpoint.c.root)
    again = {**signed.stage.do(lambda tx: dict(tx.execute(select(column.table).limit(1)).one()._mapping))}
    attempts = [update(column.table).values({column.name: "F1"}), delete(column.table)]
    attempts += [update(column.table).where(key == 7).values({key.name: 77}), delete(column.table).where(key == 7)]
    if signed.stage.store.engine.dialect.name == "sqlite":
        attempts.append(insert(column.table).prefix_with("OR REPLACE").values(again))  # type: ignore[arg-type]
    for attempt in attempts:
        with pytest.raises(DBAPIError, match="RECORD_IS_KEPT"):
            signed.stage.do(lambda tx, attempt=attempt: tx.execute(attempt))  # type: ignore[misc]
    if signed.stage.store.engine.dialect.name == "postgresql":
        with pytest.raises(DBAPIError, match="RECORD_IS_KEPT"), signed.stage.store.engine.begin() as connection:
            connection.exec_driver_sql(f"TRUNCATE {column.table.name}")
    assert signed.examine().fault is None


def test_two_processes_on_one_store_take_no_position_twice(log: Log, store_address: str, kobayashi: Profile) -> None:
    from concurrent.futures import ThreadPoolExecutor

    other = Log(Stage(log.stage.store.service, store_address, kobayashi, JUSO), store_address)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(lambda one=one: [one.decide(2) for _ in range(20)]) for one in (log, other)]:  # type: ignore[misc]
            done.result()
    other.stage.close()
    assert log.positions() == list(range(1, 81))
    log.sign()
    assert log.examine().fault is None


# -- checkpoints -------------------------------------------------------------------------------------------------------


def test_a_checkpoint_is_made_only_when_something_was_recorded(log: Log) -> None:
    assert log.sign() == 0
    log.decide(3)
    assert (log.sign(), log.sign()) == (3, 0)
    good = log.examine().good
    assert good
    assert (good.size, good.at) == (3, "2026-11-24T01:00:00.000000Z")


@settings(max_examples=20, deadline=None)
@given(counts=st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_carrying_the_tree_on_from_checkpoint_to_checkpoint_gives_the_root_of_all(
    counts: list[int], tmp_path_factory: pytest.TempPathFactory, kobayashi: Profile
) -> None:
    address = f"sqlite:///{tmp_path_factory.mktemp('log')}/a.db"
    log = Log(Stage(Service("meetings", MetaData(), compartments=True), address, kobayashi, JUSO), address)
    for count in counts:
        log.decide(count)
        assert log.sign() == count
    rows = log.stage.do(lambda tx: list(tx.connection.scalars(select(audit.c.leaf).order_by(audit.c.position))))
    found = log.examine()
    log.stage.close()
    assert found.fault is None
    assert found.good
    assert found.good.root == merkle.root([bytes.fromhex(one) for one in rows]).hex()


@pytest.mark.parametrize(
    "done",
    [
        delete(audit).where(audit.c.position > 6),
        delete(audit).where(audit.c.position == 11),
        update(checkpoint).where(checkpoint.c.size == 10).values(root="00" * 32),
        update(checkpoint).where(checkpoint.c.size == 10).values(frontier="x"),
        update(checkpoint).where(checkpoint.c.size == 10).values(frontier="00" * 32),
        update(audit).where(audit.c.position == 11).values(leaf="zz"),
    ],
    ids=["cut off", "gap", "root", "frontier", "another frontier", "leaf"],
)
def test_a_log_that_does_not_continue_its_checkpoint_is_not_signed(signed: Log, done: object) -> None:
    signed.tamper(done)
    with pytest.raises(LogBroken):
        signed.sign()


# -- tampering ---------------------------------------------------------------------------------------------------------


def rehashed(row: dict[str, object]) -> dict[str, object]:
    """What a thief who knows how it is done would write."""
    content = {name: value for name, value in row.items() if name != "leaf"}
    return content | {"leaf": _leaf(content).hex()}


COLUMNS = [name for name in audit.c.keys() if name not in ("position", "outcome", "leaf")]  # noqa: SIM118


@pytest.mark.parametrize("column", [*COLUMNS, "outcome", "leaf"])
def test_one_flipped_bit_in_any_column_is_found(log: Log, column: str) -> None:
    refs = {name: uuid4() for name in ("item", "person", "consent", "commission", "permit")}
    log.decide(5, basis="swa-106-6", actor="desk", policy="8236b0bd6183", detail="x", consent_version=2, **refs)
    log.sign()
    value = log.row(4)[column]
    other: object = value + 1 if isinstance(value, int) else f"{value}"[:-1] + chr(ord(f"{value}"[-1]) ^ 1)
    if column == "outcome":
        other = "refuse"
    log.tamper(update(audit).where(audit.c.position == 4).values({column: other}))
    found = log.examine()
    assert (found.fault, found.first, found.last) == (Fault.CHANGED, 4, 4)


def test_a_letter_of_a_reference_in_another_case_is_found(log: Log) -> None:
    log.decide(2, case=UUID("abcdefab-cdef-4bcd-8fab-cdefabcdefab"))
    log.tamper(update(audit).where(audit.c.position == 2).values(case="Abcdefab-cdef-4bcd-8fab-cdefabcdefab"))
    assert log.examine().fault is Fault.CHANGED


def test_a_value_of_another_kind_is_found(log: Log) -> None:
    log.decide(2, consent_version=3)
    kept: dict[str, object] = {"detail": literal(b"x", LargeBinary), "consent_version": 4}
    if log.stage.store.engine.dialect.name == "postgresql":  # which has columns of one kind only
        del kept["detail"]
    log.tamper(update(audit).where(audit.c.position == 2).values(kept))
    found = log.examine()
    assert (found.fault, found.first) == (Fault.CHANGED, 2)


def test_a_row_taken_from_the_middle_is_found(signed: Log) -> None:
    signed.tamper(delete(audit).where(audit.c.position == 5))
    found = signed.examine()
    assert (found.fault, found.first, found.good) == (Fault.MISSING, 5, None)


def test_a_row_taken_out_and_the_gap_closed_is_found(signed: Log) -> None:
    rows = [signed.row(position) for position in range(1, 13)]
    closed = [rehashed(row | {"position": place}) for place, row in enumerate(rows[:4] + rows[5:], 1)]
    signed.tamper(delete(audit), insert(audit).values(closed))
    found = signed.examine()
    assert (found.fault, found.first, found.last) == (Fault.REWRITTEN, 1, 7)


def test_rows_cut_off_the_end_behind_a_checkpoint_are_found(signed: Log) -> None:
    signed.tamper(delete(audit).where(audit.c.position > 8))
    found = signed.examine()
    assert (found.fault, found.first, found.last) == (Fault.CUT_OFF, 9, 10)
    assert found.good
    assert found.good.size == 7


def test_rows_cut_off_and_grown_again_are_found(signed: Log) -> None:
    signed.tamper(delete(audit).where(audit.c.position > 8))
    signed.decide(6)
    found = signed.examine()
    assert (found.fault, found.first, found.last) == (Fault.REWRITTEN, 8, 10)


def test_two_rows_that_changed_places_are_found(signed: Log) -> None:
    second, third = signed.row(2), signed.row(3)
    swap = [
        update(audit).where(audit.c.position == 2).values({**third, "position": -1}),
        update(audit).where(audit.c.position == 3).values({**second, "position": 3}),
        update(audit).where(audit.c.position == -1).values(position=2),
    ]
    signed.tamper(*swap)
    found = signed.examine()
    assert (found.fault, found.first) == (Fault.CHANGED, 2)


def test_a_row_changed_and_hashed_again_after_a_checkpoint_is_found(signed: Log) -> None:
    changed = rehashed(signed.row(9) | {"outcome": "refuse"})
    signed.tamper(update(audit).where(audit.c.position == 9).values(changed))
    found = signed.examine()
    assert (found.fault, found.first, found.last) == (Fault.REWRITTEN, 8, 10)


def rewrite(log: Log, key: Ed25519PrivateKey) -> Point:
    """Row 9 reads otherwise, and ``key`` has signed a checkpoint over it in place of the one there was."""
    changed = rehashed(log.row(9) | {"outcome": "refuse"})
    log.tamper(update(audit).where(audit.c.position == 9).values(changed), delete(checkpoint))
    sign_checkpoint_with(log, key)
    return Point(12, log.stage.do(lambda tx: tx.connection.scalar(select(checkpoint.c.root)) or ""))


def sign_checkpoint_with(log: Log, key: Ed25519PrivateKey) -> None:
    with log.stage.store.engine.begin() as connection:
        sign_checkpoint(connection, ORIGIN, SOME_DAY, key)


def test_a_checkpoint_replaced_to_fit_a_rewritten_log_is_found(signed: Log) -> None:
    rewrite(signed, Ed25519PrivateKey.generate())
    found = signed.examine()
    assert (found.fault, found.first, found.good) == (Fault.FORGED, 12, None)


def test_a_log_rewritten_with_the_processs_own_key_is_found_by_a_checkpoint_kept_elsewhere(signed: Log) -> None:
    kept = signed.examine().good
    assert kept
    assert signed.examine(kept=Point(kept.size, kept.root)).fault is None
    forged = rewrite(signed, signed.key)
    assert signed.examine().fault is None, "nothing inside the store can show it"
    assert signed.examine(kept=forged).fault is None
    found = signed.examine(kept=kept)
    assert (found.fault, found.first, found.last) == (Fault.REWRITTEN, 1, 10)
    found = signed.examine(kept=Point(14, forged.root))
    assert (found.fault, found.first, found.last) == (Fault.CUT_OFF, 13, 14)


@pytest.mark.parametrize("column", ["root", "at", "frontier", "signature"])
def test_one_flipped_bit_in_a_checkpoint_is_found(signed: Log, column: str) -> None:
    value = signed.stage.do(
        lambda tx: str(tx.connection.scalar(select(checkpoint.c[column]).where(checkpoint.c.size == 7)))
    )
    last = "f" if value[-1] != "f" else "e"
    signed.tamper(update(checkpoint).where(checkpoint.c.size == 7).values({column: value[:-1] + last}))
    found = signed.examine()
    assert (found.fault, found.first) == (Fault.FORGED, 7)
    if column in ("root", "frontier", "signature"):  # the same number in other letters
        with signed.stage.store.engine.begin() as connection:
            other = update(checkpoint).where(checkpoint.c.size == 7).values({column: value.upper()})
            connection.execute(other)
        assert signed.examine().fault is Fault.FORGED


@pytest.mark.parametrize("size", [0, 8, 13])
def test_a_checkpoint_moved_to_another_place_is_found(signed: Log, size: int) -> None:
    signed.tamper(update(checkpoint).where(checkpoint.c.size == 7).values(size=size))
    assert signed.examine().fault in (Fault.FORGED, Fault.CUT_OFF)


def test_a_log_of_another_process_or_with_its_key_is_found(signed: Log) -> None:
    assert signed.examine(key=Ed25519PrivateKey.generate()).fault is Fault.FORGED
    for origin in ("452050/meetings@shien", "252107/meetings@juso"):
        assert signed.examine(origin=origin).fault is Fault.FORGED


# -- the command line --------------------------------------------------------------------------------------------------


MEETINGS = Process(Service("meetings", MetaData(), compartments=True), JUSO)


@pytest.fixture
async def lived(world: World) -> World:
    """meetings@juso has run, decided five times, and stopped."""
    await world.provision([MEETINGS])
    bus = await world.start(MEETINGS)

    def decide(tx: Tx) -> None:
        for _ in range(5):
            tx.audit(act="hear", outcome="allow", rule="A1", actor="meetings@juso", case=tx.ref(), detail="detail-four")

    await bus.run(decide)
    await world.stop("meetings@juso")
    return world


def kasane(world: World, *arguments: str) -> int:
    folder = str(world.settings.var)
    with pytest.raises(SystemExit) as ended:
        main(["audit", *arguments, "--var", folder, "--process", "meetings@juso"])
    assert isinstance(ended.value.code, int)
    return ended.value.code


async def test_a_process_signs_when_it_stops_and_the_command_line_verifies_it(
    lived: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kasane(lived, "verify") == 0
    said = capsys.readouterr().out
    assert said.startswith("meetings@juso: 正常。5件(最後の検査点 20")
    checkpoint_shown = said.split()[3].rstrip(")")
    assert checkpoint_shown.startswith("5:")
    assert kasane(lived, "verify", "--kept", checkpoint_shown) == 0
    assert kasane(lived, "verify", "--kept", checkpoint_shown[:-2] + "zz") == 2
    assert kasane(lived, "verify", "--kept", "5:" + "00" * 32) == 1
    assert "位置1から5のどれか" in capsys.readouterr().out
    assert kasane(lived, "show", "--limit", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["4", "5"]
    assert "detail=detail-four" in lines[0]


async def test_one_byte_flipped_in_the_file_itself_is_found(lived: World, capsys: pytest.CaptureFixture[str]) -> None:
    path = lived.settings.home / "stores" / "meetings@juso.db"
    whole = path.read_bytes()
    place = whole.index(b"detail-four")
    for bit in (1, 0x20, 0x80):  # another letter; upper case; no UTF-8
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        assert kasane(lived, "verify") == 1
        assert "異常。位置" in capsys.readouterr().out
    path.write_bytes(whole)
    assert kasane(lived, "verify") == 0


async def test_what_cannot_be_read_or_checked_is_no_success(lived: World, capsys: pytest.CaptureFixture[str]) -> None:
    home = lived.settings.home
    elsewhere = f"sqlite:///{home}/nowhere.db"
    assert kasane(lived, "verify", "--store", elsewhere) == 1
    assert "読めません" in capsys.readouterr().out
    assert "nowhere.db" not in os.listdir(home)
    (home / "keys" / "audit@meetings@juso.pub").write_bytes(b"no key")
    assert kasane(lived, "verify") == 1
    assert "公開鍵" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["audit", "verify", "--var", str(lived.settings.var), "--store", elsewhere])


async def test_a_process_signs_what_a_crash_left_unsigned_and_then_every_hour(world: World) -> None:
    await world.provision([MEETINGS])
    left = Store(world.settings.store_address("meetings@juso"), MEETINGS.service, world.profile, JUSO)
    left.write(lambda tx: (tx.audit(act="hear", outcome="allow", rule="A1"), ()))
    left.close()
    bus = await world.start(MEETINGS)

    def sizes(tx: Tx) -> list[int]:
        return list(tx.connection.scalars(select(checkpoint.c.size).order_by("size")))

    async def signed(wanted: list[int]) -> bool:
        return await bus._in_store(bus.store.read, sizes) == wanted

    await world.until(lambda: signed([1]))
    start = bus.store.clock()
    for minutes, wanted in ((59, [1]), (61, [1, 3]), (122, [1, 3, 4])):
        bus.store.clock = lambda minutes=minutes: start + timedelta(minutes=minutes)  # type: ignore[misc]
        await bus.run(lambda tx: tx.audit(act="hear", outcome="allow", rule="A1"))
        await world.until(lambda wanted=wanted: signed(wanted))  # type: ignore[misc]
    key = read_audit_key(world.settings, "meetings@juso")
    shown = read_audit_public_key(world.settings, "meetings@juso")
    assert key.public_key().public_bytes_raw() == shown.public_bytes_raw()
