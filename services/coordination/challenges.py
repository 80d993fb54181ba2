"""地域課題: noted from a case and kept of none, read by a second person, handed to a body, answered (D10)."""

import json
from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from contracts.challenges import (
    Challenge,
    ChallengeList,
    Challenges,
    Done,
    Forwarding,
    HandleChallenge,
    Lack,
    NoteChallenge,
    points_at_somebody,
)
from contracts.intake import Problem
from contracts.legal_basis import CATALOGUE
from contracts.message import Compartment
from contracts.profile import Profile
from services.coordination import domain, living, showing
from services.coordination.handlers import service
from services.coordination.showing import Sight, Viewer
from services.coordination.tables import challenge, challenge_forward, challenge_found
from services.coordination.views import client_of
from services.service import Shut, Tx, Work

SEALED_IN, ANSWER_IN = "challenge.words", "challenge_forward.answer"
FOUND_IN_SHIEN = 3
"""[our guess] How often a lack is found before it may leave the 支援会議: one case could be recognised (S11)."""

NOT_SEEN = Done(
    done=False, rule="C1", reason="この事案は見られません。", next_step="事案の番号と、同意か委嘱を確かめてください。"
)
NOT_OFFICE = "地域課題の登録簿は、市町村と多機関協働事業者が扱います。"
ASK_OFFICE = "担当課か推進員に伝えてください。"
NO_ENTRY = Done(done=False, rule="D10", reason="この地域課題はありません。", next_step="一覧から選び直してください。")
ANOTHER = Done(
    done=False,
    rule="D10",
    reason="同じ画面から、すでに別の内容を記録しました。",
    next_step="画面を読み直してください。",
)


def _no(reason: str, next_step: str, rule: str = "D10") -> Done:
    return Done(done=False, rule=rule, reason=reason, next_step=next_step)


@service.performs(Challenges)
async def list_challenges(asked: Challenges, work: Work) -> ChallengeList:
    """The register of this compartment; an entry that nobody else has read is seen by the office all the same."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    return await showing.show(work, viewer, (), partial(_listed, viewer))


@service.performs(NoteChallenge)
async def note_challenge(asked: NoteChallenge, work: Work) -> Done:
    """The viewer has to see the case in which it was found; that it was this one, nothing keeps."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    seen = await showing.show(work, viewer, [asked.case], lambda sight, tx: asked.case in sight.shown)
    if viewer is None or not seen:
        return NOT_SEEN
    return await work.run(partial(_note, asked, viewer))


@service.performs(HandleChallenge)
async def handle_challenge(asked: HandleChallenge, work: Work) -> Done:
    """Check, strike, hand on, answer."""
    viewer = showing.viewer_of(asked.viewer, asked.viewer_agency)
    closed = await showing.show(work, viewer, (), partial(_closed, viewer))
    if viewer is None or closed:
        return closed or NOT_SEEN
    return await work.run(partial(_handle, asked, viewer))


def _closed(viewer: Viewer | None, sight: Sight, tx: Tx) -> Done | None:
    """In shien the door lets in the 市町村 alone: whoever else is commissioned sees the items of its sittings (S8)."""
    if viewer is None:
        return _no(NOT_OFFICE, ASK_OFFICE)
    if sight.door:
        return _no(sight.door.reason, sight.door.next_step, sight.door.rule)
    return None if domain.follows_up(tx.profile, viewer.agency) else _no(NOT_OFFICE, ASK_OFFICE)


# -- noting ------------------------------------------------------------------------------------------------------------


def _note(asked: NoteChallenge, viewer: Viewer, tx: Tx) -> Done:
    known = tx.execute(select(challenge_found).where(challenge_found.c.request == asked.request)).first()
    if known is not None:
        return Done(done=True, ref=known.challenge) if asked.again in (None, known.challenge) else ANOTHER
    if closed := living.why_closed(asked.case, tx):
        return _no(closed.reason, closed.next_step, closed.rule)
    ref = asked.again
    if ref is not None:
        found = _entry(ref, tx)
        if found is None or found.struck_on is not None:
            return NO_ENTRY
    else:
        if refusal := _flaw(asked, tx):
            return refusal
        ref = tx.ref()
        words = json.dumps({"area": asked.area.strip(), "sentence": asked.sentence.strip()}, ensure_ascii=False)
        row = {"id": ref, "compartment": tx.here, "field": asked.field, "kind": asked.lack, "noted_by": viewer.person}
        tx.execute(insert(challenge).values(row | {"words": tx.seal(ref, SEALED_IN, words)}))
    month = domain.today(tx.now).replace(day=1)
    found_now = {"request": asked.request, "compartment": tx.here, "challenge": ref, "month": month}
    tx.execute(insert(challenge_found).values(found_now))
    return Done(done=True, ref=ref)


def _flaw(asked: NoteChallenge, tx: Tx) -> Done | None:
    if len(asked.sentence.strip()) < 5:
        return _no("何が足りないかが書かれていません。", "足りないものを、5文字以上の一文で書いてください。")
    names: tuple[str, ...] = ()
    if tx.here is Compartment.SHIEN and (who := client_of(asked.case, tx)).found:
        names = (who.name, who.kana)
    if what := points_at_somebody(f"{asked.area} {asked.sentence}", names):
        return _no(
            f"文に、人を特定できる言葉({what})があります。",
            "だれの事案か分からないように、足りないものだけを書いてください。",
            "S17",
        )
    return None


# -- handling ----------------------------------------------------------------------------------------------------------


def _handle(asked: HandleChallenge, viewer: Viewer, tx: Tx) -> Done:
    found = _entry(asked.challenge, tx)
    if found is None:
        return NO_ENTRY
    if asked.act == "strike":
        return _strike(found, viewer, tx)
    if found.struck_on is not None:
        return NO_ENTRY
    if asked.act == "names_nobody":
        return _check(found, viewer, tx)
    return _forward(asked, found, viewer, tx) if asked.act == "forward" else _answer(asked, viewer, tx)


def _check(found: Row[Any], viewer: Viewer, tx: Tx) -> Done:
    if found.checked_by is not None:
        return Done(done=True, ref=found.id)
    if found.noted_by == viewer.person:
        return _no(
            "書いた人とは別の人が確かめます。", "ほかの職員に、だれも特定できないことを確かめてもらってください。"
        )
    checked = {"checked_by": viewer.person, "checked_on": domain.today(tx.now), "noted_by": None}
    tx.execute(update(challenge).where(challenge.c.id == found.id).values(checked))
    tx.audit(act="check_challenge", outcome="allow", rule="D10", actor=str(viewer.person), detail=str(found.id))
    return Done(done=True, ref=found.id)


def _strike(found: Row[Any], viewer: Viewer, tx: Tx) -> Done:
    """The sentence and all answers to it are erased: their key is destroyed first."""
    tx.audit(act="strike_challenge", outcome="allow", rule="D10", actor=str(viewer.person), detail=str(found.id))
    tx.destroy_key(found.id)
    tx.execute(update(challenge_forward).where(challenge_forward.c.challenge == found.id).values(answer=None))
    struck = {"struck_on": found.struck_on or domain.today(tx.now), "words": None, "noted_by": None}
    tx.execute(update(challenge).where(challenge.c.id == found.id).values(struck))
    return Done(done=True, ref=found.id)


def _forward(asked: HandleChallenge, found: Row[Any], viewer: Viewer, tx: Tx) -> Done:
    known = tx.execute(select(challenge_forward).where(challenge_forward.c.request == asked.request)).first()
    if known is not None:
        return Done(done=True, ref=known.id) if (known.challenge, known.body) == (found.id, asked.body) else ANOTHER
    if refusal := why_not_forward(found, _times(found.id, tx), tx):
        return refusal
    if asked.body not in bodies(tx.profile):
        return _no(
            "この会議体には出せません。", "事案を扱わない会議体(代表者会議など)を、市町村の設定から選んでください。"
        )
    ref, day = tx.ref(), domain.today(tx.now)
    mine = challenge_forward.c.challenge == found.id, challenge_forward.c.body == asked.body
    if tx.execute(select(challenge_forward).where(*mine, challenge_forward.c.answered_on.is_(None))).first():
        return _no("この会議体には、もう出しています。", "結果を記録してから、もう一度出してください。")
    row = {"id": ref, "request": asked.request, "compartment": tx.here, "challenge": found.id}
    tx.execute(insert(challenge_forward).values(row | {"body": asked.body, "forwarded_on": day}))
    tx.audit(act="forward_challenge", outcome="allow", rule="D10", actor=str(viewer.person), detail=str(found.id))
    return Done(done=True, ref=ref)


def why_not_forward(found: Row[Any], times: int, tx: Tx) -> Done | None:
    """An entry leaves only read by a second person; from shien once found several times (S11)."""
    if found.checked_by is None:
        return _no(
            "別の人が、だれも特定できないことをまだ確かめていません。", "先に「だれも特定できない」を確かめてください。"
        )
    if tx.here is Compartment.SHIEN and times < FOUND_IN_SHIEN:
        return _no(
            f"支援会議の地域課題は、{FOUND_IN_SHIEN}件以上の事案で見つかるまで外へ出せません(一件では人が分かります)。",
            "ほかの事案でも見つかったら、「また見つかった」で加えてください。",
            "S11",
        )
    return None


def _answer(asked: HandleChallenge, viewer: Viewer, tx: Tx) -> Done:
    mine = challenge_forward.c.id == asked.forwarding, challenge_forward.c.challenge == asked.challenge
    found = tx.execute(select(challenge_forward).where(*mine)).first()
    if found is None:
        return NO_ENTRY
    text = asked.answer.strip()
    if found.answered_on is not None:
        same = found.answer is not None and tx.open(asked.challenge, ANSWER_IN, found.answer) == text
        return Done(done=True, ref=found.id) if same else _no("結果は、もう記録されています。", "読み直してください。")
    day = asked.on or domain.today(tx.now)
    if not text or not found.forwarded_on <= day <= domain.today(tx.now):
        return _no("結果か日付が正しくありません。", "会議の結果と、出した日から今日までの日付を入れてください。")
    if what := points_at_somebody(text):
        return _no(f"文に、人を特定できる言葉({what})があります。", "人が分からないように書いてください。", "S17")
    sealed = tx.seal(asked.challenge, ANSWER_IN, text)
    tx.execute(update(challenge_forward).where(*mine).values(answered_on=day, answer=sealed))
    tx.audit(act="answer_challenge", outcome="allow", rule="D10", actor=str(viewer.person), detail=str(asked.challenge))
    return Done(done=True, ref=found.id)


# -- reading -----------------------------------------------------------------------------------------------------------


def bodies(profile: Profile) -> tuple[str, ...]:
    """Where an entry can be put on the agenda: bodies that hear no case (代表者会議, 協議会)."""
    return tuple(
        body.code
        for body in profile.bodies
        if not body.hears_cases or all(CATALOGUE[block.basis].compartment is None for block in body.blocks)
    )


def _entry(ref: UUID, tx: Tx) -> Row[Any] | None:
    return tx.execute(select(challenge).where(challenge.c.id == ref)).first()


def _times(ref: UUID, tx: Tx) -> int:
    return len(tx.execute(select(challenge_found.c.request).where(challenge_found.c.challenge == ref)).all())


def _listed(viewer: Viewer | None, sight: Sight, tx: Tx) -> ChallengeList:
    if closed := _closed(viewer, sight, tx):
        return ChallengeList(reason=closed.reason, next_step=closed.next_step)
    assert viewer is not None  # noqa: S101  # _closed lets nobody in who is not named
    rows = tx.execute(select(challenge).where(challenge.c.struck_on.is_(None)).order_by(challenge.c.id)).all()
    tx.fetch_keys([row.id for row in rows])
    shown = [one for row in rows for one in _shown(row, viewer, tx)]
    ordered = sorted(shown, key=lambda one: (one.checked, -one.found, one.field, one.challenge))
    return ChallengeList(challenges=tuple(ordered), bodies=bodies(tx.profile))


def _shown(row: Row[Any], viewer: Viewer, tx: Tx) -> Iterable[Challenge]:
    try:
        words = json.loads(tx.open(row.id, SEALED_IN, row.words))
        forwards = tuple(_forwardings(row.id, tx))
    except Shut:  # a store restored from before it was struck
        return
    months = list(tx.execute(select(challenge_found.c.month).where(challenge_found.c.challenge == row.id)).scalars())
    yield Challenge(
        challenge=row.id,
        field=Problem(row.field),
        lack=Lack(row.kind),
        area=words["area"],
        sentence=words["sentence"],
        found=len(months),
        last_found=max(months),
        checked=row.checked_by is not None,
        checkable=row.checked_by is None and row.noted_by != viewer.person,
        forwardable=why_not_forward(row, len(months), tx) is None,
        forwarded=forwards,
    )


def _forwardings(ref: UUID, tx: Tx) -> Iterable[Forwarding]:
    wanted = select(challenge_forward).where(challenge_forward.c.challenge == ref)
    for row in tx.execute(wanted.order_by(challenge_forward.c.forwarded_on, challenge_forward.c.id)):
        yield Forwarding(
            forwarding=row.id,
            body=row.body,
            on=row.forwarded_on,
            answered_on=row.answered_on,
            answer=tx.open(ref, ANSWER_IN, row.answer) if row.answer else "",
        )
