"""Whatever is asked twice, late or in another order, and whatever becomes of the mails on their way: in the end every
calendar shows what was decided last, and nothing of what was taken back.
"""

import asyncio
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contracts.profile import Place, Profile
from services.notify import service
from services.notify.handlers import Asked
from services.settings import Settings
from tests.notify.judges import Entry, judge
from tests.notify.outside import STARTS, Process, Server, free_port, mail_server, request, taking_back
from tests.stage import Stage

PLACES = ("shiyakusho", "hidamari")
"""A city may have several; the second is added to the example's one."""
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""A run is a store and a mail server; to make a failing one smaller would take minutes."""
REPLIES = ("250 OK", "250 OK", "250 OK", "451 try again", "taken, but gone")


class Fickle(Server):
    """Takes a mail, does not, or takes it and is gone before it says so."""

    def __init__(self, replies: list[str]) -> None:
        super().__init__()
        self.replies = replies

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        reply = self.replies.pop() if self.replies else "250 OK"
        if reply.startswith("451"):
            return reply
        taken = await super().handle_DATA(server, session, envelope)
        if reply != "250 OK":
            server.transport.abort()  # type: ignore[union-attr]
        return taken


@dataclass
class InOrder:
    """A calendar as RFC 5546 2.1.5 has it: what has a lower SEQUENCE, or the same and an older DTSTAMP, is past."""

    shown: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    newest: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        version = entry.sequence, entry.stamp
        if version >= self.newest.get(entry.uid, version):
            self.newest[entry.uid] = version
            _show(self.shown, entry)


@dataclass
class Simple:
    """A calendar that believes every mail, as it comes."""

    shown: dict[str, tuple[datetime, str]] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        _show(self.shown, entry)


def _show(shown: dict[str, tuple[datetime, str]], entry: Entry) -> None:
    if entry.method == "CANCEL":
        shown.pop(entry.uid, None)
    else:
        shown[entry.uid] = entry.starts, entry.place


@dataclass(frozen=True)
class Run:
    """What was asked for, in the order in which it was decided, and what left."""

    decided: list[Asked]
    left: list[Entry]
    places: dict[str, str]

    @property
    def truth(self) -> dict[str, tuple[datetime, str]]:
        """What was decided last; a cancellation shows nothing."""
        last = self.decided[-1]
        uid = f"{last.uid}@fukushi.kobayashi.example"
        return {uid: (last.starts, self.places[last.place])} if hasattr(last, "link") else {}


def decisions(steps: list[str]) -> list[Asked]:
    """One seat's notices with rising SEQUENCE: asked to come, to come at another time, or not to come after all."""
    made: list[Asked] = []
    first = request()
    for number, step in enumerate(steps):
        place = PLACES[number % 2]
        changes = {"uid": first.uid, "sequence": number, "place": place, "starts": STARTS + timedelta(days=number)}
        changes |= {"ends": STARTS + timedelta(days=number, hours=1)}
        made.append(taking_back(first, **changes) if step == "cancel" else request(**changes))
    return made


async def _run(profile: Profile, var: Path, decided: list[Asked], order: list[int], replies: list[str]) -> Run:
    """The bus asks in ``order``, some twice; then, as meetings does, what is not settled is asked again."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(service, f"sqlite:///{folder}/store.db", profile)
        process = Process(stage, Settings(smtp_port=free_port(), var=var))
        server = Fickle(replies)
        async with mail_server(server, process.settings.smtp_port):
            for at in order:
                stage.pass_time(seconds=1)
                await process.send(_again(decided[at], process))
            for one in decided[::-1]:
                for _ in range(8):
                    stage.pass_time(seconds=1)
                    if (await process.send(_again(one, process)))[1] != "mail_server_down":
                        break
        stage.close()
    entries = [entry for mail in server.raw if (entry := judge(mail))]
    return Run(decided, entries, {place.code: place.name for place in profile.places})


def _again(asked: Asked, process: Process) -> Asked:
    return asked.model_copy(update={"send_before": process.now() + timedelta(seconds=30)})


@pytest.mark.rule("S17")
@settings(max_examples=25, phases=WITHOUT_SHRINKING, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_calendar_ends_in_what_was_decided_last(kobayashi: Profile, var: Path, data: st.DataObject) -> None:
    steps = ["ask", *data.draw(st.lists(st.sampled_from(["ask", "cancel"]), max_size=4))]
    decided = decisions(steps)
    order = data.draw(st.lists(st.integers(0, len(decided) - 1), max_size=10))
    replies = data.draw(st.lists(st.sampled_from(REPLIES), max_size=8))
    city = kobayashi.model_copy(update={"places": (*kobayashi.places, Place(code=PLACES[1], name="総合福祉センター"))})
    run = asyncio.run(_run(city, var, decided, order, replies))

    simple = Simple()
    for entry in run.left:
        simple.take(entry)
    assert simple.shown == run.truth, "in the order in which we send, even who believes everything is right"

    on_the_way = data.draw(st.permutations([*run.left, *run.left[: data.draw(st.integers(0, 3))]]))
    careful = InOrder()
    for entry in on_the_way:
        careful.take(entry)
    assert careful.shown == run.truth, "reordered, doubled and late on the way, who keeps the newest is right"
    stamps = [(entry.sequence, entry.stamp) for entry in run.left]
    assert stamps == sorted(stamps), "nothing that leaves is older than what left before"
