"""Events and questions: the two shapes a message can have, and the register of their subjects."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PositiveInt, StringConstraints


class Compartment(StrEnum):
    """The two kinds of meeting that must never know of each other's cases."""

    JUSO = "juso"
    """重層的支援会議 (社会福祉法106条の4第2項5号): the client consented."""
    SHIEN = "shien"
    """支援会議 (社会福祉法106条の6): no consent, members bound to secrecy."""


class Account(StrEnum):
    """A walled part of the bus. Subjects, streams and users of one account are invisible to the others."""

    DIRECTORY = "directory"
    INTAKE = "intake"
    JUSO = "juso"
    SHIEN = "shien"
    NOTIFY = "notify"
    GATE = "gate"
    """Between shien and juso: one process with nothing at rest (consent.md 8.9)."""


HOME: dict[str, Account | None] = {
    "directory": Account.DIRECTORY,
    "intake": Account.INTAKE,
    "coordination": None,
    "meetings": None,
    "notify": Account.NOTIFY,
    "desk": Account.NOTIFY,
    "gate": Account.GATE,
}
"""The account in which each service answers, by the second word of a subject; None: one per compartment.

Of the desks only the answer window answers anybody: it sits with notify, facing outside."""

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
"""A code from the municipality's profile (agency, body, post, place): never free text."""

MunicipalityCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
"""全国地方公共団体コード, six digits with check digit, as a string."""


class Message(BaseModel):
    """Anything that travels on the bus. Errors never repeat the input: it may name a person."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Event(Message):
    """A fact, told once it is committed. Its subject is written out so that renaming a class changes nothing.

    ``about`` is the aggregate the fact concerns, ``version`` counts that aggregate's facts from 1.
    ``to`` names the accounts that store it; empty means the publisher's own.
    """

    subject: ClassVar[str] = ""
    to: ClassVar[frozenset[Account]] = frozenset()
    supersedes: ClassVar[bool] = False
    """Whether a later version replaces an earlier one, so that a receiver drops what comes late."""

    about: UUID
    version: PositiveInt = 1

    @classmethod
    def __init_subclass__(
        cls, *, subject: str, to: Iterable[Account] = (), supersedes: bool = False, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        if not subject.startswith("kasane."):
            raise TypeError(f"no stream would keep {subject}: an event's subject begins with kasane.")
        cls.subject, cls.to, cls.supersedes = subject, frozenset(to), supersedes
        _register(EVENTS, subject, cls)


R = TypeVar("R", bound=BaseModel)


class Question(Message, Generic[R]):
    """A question or command to one service, answered at once or not at all (request and reply).

    Its subject begins with ``ask.``, never with ``kasane.``: every stream keeps all of ``kasane.>``, and the body of a
    question may name a person. ``asked_from`` names the accounts that may ask besides the answering service's own,
    ``answered_in`` restricts a service that runs per compartment to the compartments named, ``inside`` says whether
    processes of the answering account may ask, too.
    """

    subject: ClassVar[str] = ""
    asked_from: ClassVar[frozenset[Account]] = frozenset()
    answered_in: ClassVar[frozenset[Account]] = frozenset()
    inside: ClassVar[bool] = True

    @classmethod
    def __init_subclass__(
        cls,
        *,
        subject: str = "",
        asked_from: Iterable[Account] = (),
        answered_in: Iterable[Account] = (),
        inside: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        if not subject:  # the intermediate class that pydantic makes of Question[Reply]
            return
        if not subject.startswith("ask."):
            raise TypeError(f"{subject} would be kept by a stream: a question's subject begins with ask.")
        cls.subject, cls.asked_from, cls.inside = subject, frozenset(asked_from), inside
        home = HOME[subject.split(".")[1]]
        cls.answered_in = frozenset(answered_in) or frozenset({home} if home else {Account.JUSO, Account.SHIEN})
        _register(QUESTIONS, subject, cls)

    @classmethod
    def reply_type(cls) -> type[BaseModel]:
        """The model that the answer is read with."""
        for base in cls.__mro__:
            arguments = getattr(base, "__pydantic_generic_metadata__", {}).get("args", ())
            if arguments:
                return arguments[0]  # type: ignore[no-any-return]  # pydantic types it as Any
        raise TypeError(f"{cls.__name__} does not say what answers it")


EVENTS: dict[str, type[Event]] = {}
QUESTIONS: dict[str, type[Question[Any]]] = {}

K = TypeVar("K")


def _register(register: dict[str, K], subject: str, cls: K) -> None:
    if subject in EVENTS or subject in QUESTIONS:
        raise TypeError(f"two messages claim the subject {subject}")
    register[subject] = cls
