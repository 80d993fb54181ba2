"""What coordination stores, in one compartment: cases, items, steps; in shien also who a case is about."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from services import wall
from services.guards import append_only, own_compartment
from services.store import Instant
from services.vault import Sealed

tables = MetaData()

case = Table(
    "case_",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("compartment", String(5), CheckConstraint("compartment in ('juso', 'shien')"), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("referrer", String(40), nullable=False),
    Column("household_size", Integer, nullable=False),
    Column("ground", String(20), nullable=False),
    Column("consent", Uuid),
    Column("consent_version", Integer),
    Column("member", Uuid),
    Column("rests_on", Date, index=True),
    # A juso case rests on a consent (C1), a shien case never does (C4).
    CheckConstraint("(compartment = 'juso') = (consent is not null and consent_version is not null)"),
    CheckConstraint("(compartment = 'juso') = (ground in ('given', 'narrowed'))"),
    CheckConstraint("compartment = 'shien' or member is not null"),  # S18
    UniqueConstraint("id", "compartment"),
)
"""``rests_on``: the day from which lists leave it out, because it is over and nothing is due of it any more; None while
anything may be. Else what was closed in ten years would be shown, and registered as shown, each day (life_views.py)."""
case_agency = Table(
    "case_agency",
    tables,
    Column("case", Uuid, ForeignKey("case_.id"), primary_key=True),
    Column("agency", String(40), primary_key=True),
    Column("place", Integer, nullable=False),
)
case_problem = Table(
    "case_problem",
    tables,
    Column("case", Uuid, ForeignKey("case_.id"), primary_key=True),
    Column("problem", String(20), primary_key=True),
)
item = Table(
    "item",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("case", Uuid, nullable=False, index=True),
    Column("purpose", String(20), nullable=False),
    Column("member", Uuid),
    Column("category", String(10), nullable=False, default="ordinary"),
    Column("sitting", Uuid),
    Column("starts", Instant),
    Column("ends", Instant),
    Column("body", String(40)),
    Column("raised_to", String(40)),
    Column("placement", Integer, nullable=False, default=0),
    Column("put_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    CheckConstraint("category in ('ordinary', 'tax')"),
    CheckConstraint("category = 'ordinary' or compartment = 'juso'"),  # S9
    CheckConstraint("(sitting is null) = (starts is null) and (sitting is null) = (ends is null)"),
    UniqueConstraint("id", "case", "category", "purpose"),
    UniqueConstraint("id", "member"),
    ForeignKeyConstraint(["case", "compartment"], ["case_.id", "case_.compartment"]),
)
"""``placement``: the version of the last fact that gave or took its date; what comes later with a lower one is old.
``body``: where it is heard, once there is a sitting. ``raised_to``: the only body that may, because another raised it.
"""

step = Table(
    "step",
    tables,
    Column("case", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("what", String(20), nullable=False),
    Column("purpose", String(20)),
    Column("sitting", Uuid),
    Column("starts", Instant),
    UniqueConstraint("case", "number"),
)
"""``purpose``, ``sitting``, ``starts``: of the item and the date the entry is about, as they were then."""

hearing = Table(
    "hearing",
    tables,
    Column("item", Uuid, ForeignKey("item.id"), primary_key=True),
    Column("sitting", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("outcome", String(20)),
    Column("present", JSON, nullable=False),
    Column("heard_on", Date),
    Column("approved", Boolean, nullable=False),
    CheckConstraint("(outcome is null) = (heard_on is null)"),
    CheckConstraint("outcome is not null or not approved"),
)
"""What meetings told of an item's sitting: with an outcome that it heard it, without that it is being held.

A sitting that nobody runs here has no row.
"""

act = Table(
    "act",
    tables,
    Column("case", Uuid, primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 1"), primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("request", Uuid, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("step", String(20), nullable=False),
    Column("state", String(16), nullable=False),
    Column("by", Uuid, nullable=False),
    Column("agency", String(40), nullable=False),
    Column("item", Uuid),
    Column("codes", JSON, nullable=False),
    Column("words", Sealed),
    ForeignKeyConstraint(["case", "compartment"], ["case_.id", "case_.compartment"]),
)
"""A case's life, act by act: who did what when, on which form. ``codes`` holds no free text, ``words`` nothing else.

Where a case stands is folded from its acts; ``state`` is what that came to, for people who read the table.
"""

paper = Table(
    "paper",
    tables,
    Column("paper", Uuid, primary_key=True),
    Column("version", Integer, CheckConstraint("version >= 1"), primary_key=True),
    Column("case", Uuid, nullable=False, index=True),
    Column("compartment", String(5), nullable=False),
    Column("request", Uuid, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("form", String(50), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("edition", String(16), nullable=False),
    Column("category", String(10), CheckConstraint("category in ('ordinary', 'tax')"), nullable=False),
    Column("anxious", Boolean, nullable=False),
    Column("by", Uuid, nullable=False),
    Column("agency", String(40), nullable=False),
    Column("content", Sealed, nullable=False),
    CheckConstraint("category = 'ordinary' or compartment = 'juso'"),  # S9
    ForeignKeyConstraint(["case", "compartment"], ["case_.id", "case_.compartment"]),
)
"""Filled forms of a case, version by version, each in the edition it was filled in with; every answer is sealed.

``anxious`` says of the person's anxiety (C7) what the form says, so that what is due can be told without opening it.
"""

answer = Table(
    "answer",
    tables,
    Column("case", Uuid, primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 1"), primary_key=True),
    Column("compartment", String(5), CheckConstraint("compartment = 'juso'"), nullable=False),
    Column("way", String(10), CheckConstraint("way in ('coordinate', 'return')"), nullable=False),
    Column("answered_on", Date, nullable=False),
    Column("by", Uuid, nullable=False),
    Column("agency", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    ForeignKeyConstraint(["case", "compartment"], ["case_.id", "case_.compartment"]),
)
"""What the 紹介元 was answered, as intake told it (T9); the highest number holds. ``at``: when it was learnt here. In
shien the answer is a step of the case's own life."""

concealment = Table(
    "concealment",
    tables,
    Column("case", Uuid, primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 1"), primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("request", Uuid, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("by", Uuid, nullable=False),
    Column("agency", String(40), nullable=False),
    Column("concealed", Boolean, nullable=False),
    Column("agencies", JSON, nullable=False),
    ForeignKeyConstraint(["case", "compartment"], ["case_.id", "case_.compartment"]),
)
"""秘匿 (DV等支援措置) as it was decided; the last row says for which agencies nothing of the papers is masked (S18)."""

secrecy_told = Table(
    "secrecy_told",
    tables,
    Column("case", Uuid, primary_key=True),
    Column("version", Integer, CheckConstraint("version >= 1"), primary_key=True),
    Column("compartment", String(5), CheckConstraint("compartment = 'juso'"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("secret", Boolean, nullable=False),
    Column("viewers", JSON, nullable=False),
)
"""秘匿 of 世帯員 as intake told it; it may come before the case. The last row says for whom nothing is masked (S18)."""

unasked = Table(
    "unasked",
    tables,
    Column("case", Uuid, primary_key=True),
    Column("version", Integer, CheckConstraint("version >= 1"), primary_key=True),
    Column("compartment", String(5), CheckConstraint("compartment = 'juso'"), nullable=False),
    Column("number", Integer, CheckConstraint("number >= 0"), nullable=False),
    Column("on", Date, nullable=False),
    Column("at", Instant, nullable=False),
)
"""How many of the household nobody has asked for their own consent, as intake told it; it may come before the case. The
last row holds (S18)."""

client = Table(
    "client",
    tables,
    Column("case", Uuid, primary_key=True),
    Column("compartment", String(5), CheckConstraint("compartment = 'shien'"), nullable=False),
    Column("name", Sealed, nullable=False),
    Column("kana", Sealed, nullable=False),
    Column("born_on", Sealed),
    Column("number", Sealed, nullable=False),
    Column("referrer_staff", Sealed, nullable=False),
    Column("reason", Sealed, nullable=False),
    Column("wishes", Sealed, nullable=False),
    Column("explained_by", Sealed, nullable=False),
    Column("explained_on", Sealed),
)
"""In juso intake keeps who a case is about; this table stays empty there, and its CHECK sees to it. All that names
anybody is sealed under the case's reference."""

consents = wall.consents(tables)
commissions = wall.commissions(tables, owned=False)
disclosure = wall.register(tables, seats=False)

entry = Table(
    "entry",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("case", Uuid, nullable=False, index=True),
    Column("member", Uuid),
    Column("category", String(10), CheckConstraint("category in ('ordinary', 'tax')"), nullable=False),
    Column("provider", String(40), nullable=False),
    Column("written_by", Uuid),
    Column("written_at", Instant, nullable=False),
    Column("text", Sealed),
    CheckConstraint("category = 'ordinary' or compartment = 'juso'"),  # S9
    CheckConstraint("compartment = 'shien' or member is not null"),  # S18
    UniqueConstraint("id", "provider"),
    UniqueConstraint("id", "case", "category"),
    UniqueConstraint("id", "member"),
    ForeignKeyConstraint(["case", "compartment"], ["case_.id", "case_.compartment"]),
)
"""What an agency said of a case. ``text`` is empty once erased, ``written_by`` where the つなぐシート said it."""

wall.guard_tax(entry)
wall.guard_tax(paper)
carry_out, carry_in = wall.carry_over(tables)

roster = Table(
    "roster",
    tables,
    Column("case", Uuid, primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 1"), primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("request", Uuid, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("by", Uuid, nullable=False),
    Column("agency", String(40), nullable=False),
    Column("attendance", String(4), CheckConstraint("attendance in ('yes', 'no', 'open')"), nullable=False),
    Column("codes", JSON, nullable=False),
    Column("words", Sealed, nullable=False),
    ForeignKeyConstraint(["case", "compartment"], ["case_.id", "case_.compartment"]),
)
"""The accepted rosters of a case, version by version. ``codes`` holds no free text, ``words`` the reasons."""

inquiry = Table(
    "inquiry",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("case", Uuid, nullable=False, index=True),
    Column("request", Uuid, nullable=False, unique=True),
    Column("agency", String(40), nullable=False, index=True),
    Column("subjects", JSON, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("asked_by", Uuid, nullable=False),
    Column("asked_for", String(40), nullable=False),
    Column("words", Sealed, nullable=False),
    UniqueConstraint("id", "case"),
    ForeignKeyConstraint(["case", "compartment"], ["case_.id", "case_.compartment"]),
)
inquiry_answer = Table(
    "inquiry_answer",
    tables,
    Column("inquiry", Uuid, primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 1"), primary_key=True),
    Column("case", Uuid, nullable=False),
    Column("request", Uuid, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("by", Uuid, nullable=False),
    Column("by_agency", String(40), nullable=False),
    Column("said_on", Date, nullable=False),
    Column("words", Sealed, nullable=False),
    ForeignKeyConstraint(["inquiry", "case"], ["inquiry.id", "inquiry.case"]),
)
"""What agencies were asked of a case and what they said: a later answer stands beside the earlier. The texts, and who
said them, are sealed under the case's reference; what is left of an erased case is codes and days.
"""

erased = Table(
    "erased",
    tables,
    Column("subject", Uuid, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("cleared_at", Instant, index=True),
)
"""Cases whose key was destroyed, when and why, by code. ``cleared_at``: since when the files hold no deleted row."""

snapshot = Table(
    "snapshot",
    tables,
    Column("period", String(7), primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("fiscal_year", Integer, nullable=False),
    Column("begins", Date, nullable=False),
    Column("ends", Date, nullable=False),
    Column("frozen_at", Instant, nullable=False),
    Column("frozen_by", Uuid, nullable=False),
    Column("definitions", String(10), nullable=False),
    Column("threshold", Integer, nullable=False),
    Column("counted", JSON, nullable=False),
)
"""Counts as they were submitted: numbers and definitions, no reference to a case. Kept for ever."""

challenge = Table(
    "challenge",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("field", String(20), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("words", Sealed),
    Column("noted_by", Uuid),
    Column("checked_by", Uuid),
    Column("checked_on", Date),
    Column("struck_on", Date),
    CheckConstraint("(checked_by is null) = (checked_on is null)"),
    CheckConstraint("checked_by is null or noted_by is null"),
    CheckConstraint("struck_on is null or words is null"),
)
"""地域課題 (D10): what is missing, of no case. ``words`` (area and sentence) are sealed under the entry itself;
``noted_by`` is kept only until somebody else has found that it names nobody."""

challenge_found = Table(
    "challenge_found",
    tables,
    Column("request", Uuid, primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("challenge", Uuid, ForeignKey("challenge.id"), nullable=False, index=True),
    Column("month", Date, nullable=False),
)
"""How often it was found. The month alone: a day would lead to the case that was worked on."""

challenge_forward = Table(
    "challenge_forward",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("request", Uuid, nullable=False, unique=True),
    Column("compartment", String(5), nullable=False),
    Column("challenge", Uuid, ForeignKey("challenge.id"), nullable=False),
    Column("body", String(40), nullable=False),
    Column("forwarded_on", Date, nullable=False),
    Column("answered_on", Date),
    Column("answer", Sealed),
    UniqueConstraint("challenge", "body", "forwarded_on"),
)
"""An agenda item without a case: to which body it was handed, and what came of it."""

place = Table(
    "place",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("request", Uuid, nullable=False, unique=True),
    Column("compartment", String(5), CheckConstraint("compartment = 'juso'"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("capacity", Integer, CheckConstraint("capacity between 1 and 999"), nullable=False),
    Column("words", Sealed, nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("closed_on", Date),
    CheckConstraint("closed_on is null or closed_on >= opened_on"),
)
"""受入先 of 参加支援 (D4: in juso only). ``words``: name, where, conditions; sealed under the place itself."""

matching = Table(
    "matching",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("request", Uuid, nullable=False, unique=True),
    Column("compartment", String(5), nullable=False),
    Column("case", Uuid, nullable=False, index=True),
    Column("place", Uuid, ForeignKey("place.id"), nullable=False, index=True),
    Column("began_on", Date, nullable=False),
    Column("follow_up_on", Date),
    Column("ended_on", Date),
    Column("way", String(10)),
    CheckConstraint("(ended_on is null) = (way is null)"),
    CheckConstraint("(ended_on is null) = (follow_up_on is not null)"),
    CheckConstraint("way in ('settled', 'moved_on', 'stopped')"),
    ForeignKeyConstraint(["case", "compartment"], ["case_.id", "case_.compartment"]),
)
"""Who takes part where since when, and when somebody looks after it next (フォローアップ)."""

follow_up = Table(
    "follow_up",
    tables,
    Column("request", Uuid, primary_key=True),
    Column("matching", Uuid, ForeignKey("matching.id"), nullable=False, index=True),
    Column("compartment", String(5), nullable=False),
    Column("on", Date, nullable=False),
    Column("by", Uuid, nullable=False),
    Column("words", Sealed, nullable=False),
)
"""What somebody found who looked after it; sealed under the case."""

daily = Table(
    "daily",
    tables,
    Column("what", String(16), CheckConstraint("what in ('reminders', 'escalations')"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("at", Instant, nullable=False),
)
"""What was looked through on which working day in Japan, so that it is done once a day whatever dies."""

reminder = Table(
    "reminder",
    tables,
    Column("person", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("agency", String(40), nullable=False),
    Column("state", String(8), CheckConstraint("state in ('wanted', 'sent', 'not_sent', 'dropped')"), nullable=False),
    Column("why", String(20), nullable=False, default=""),
    Column("tries", Integer, nullable=False, default=0),
    Column("due", Instant, nullable=False),
)
"""Whom to tell on which day that something is due. ``dropped``: nothing was any more when it was to be sent."""

reminder_ground = Table(
    "reminder_ground",
    tables,
    Column("person", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("about", Uuid, primary_key=True),
    Column("kind", String(10), CheckConstraint("kind in ('case', 'commission')"), nullable=False),
    ForeignKeyConstraint(["person", "day"], ["reminder.person", "reminder.day"]),
)
"""Why, by reference, until it is sent: what is looked at again right before. Gone afterwards, and with its case."""

escalation = Table(
    "escalation",
    tables,
    Column("case", Uuid, primary_key=True),
    Column("number", Integer, CheckConstraint("number >= 1"), primary_key=True),
    Column("compartment", String(5), nullable=False),
    Column("request", Uuid, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("rule", String(4), nullable=False),
    Column("overdue_since", Date, nullable=False),
    Column("item", Uuid, nullable=False, unique=True),
    Column("by", Uuid),
    Column("agency", String(40)),
    CheckConstraint("(by is null) = (agency is null)"),
    ForeignKeyConstraint(["case", "compartment"], ["case_.id", "case_.compartment"]),
)
"""What was overdue so long that the case was put to the next regular meeting; ``by`` is empty where the profile says
that nobody has to confirm it. Of two at once the second finds its number taken."""

append_only(
    act,
    answer,
    paper,
    concealment,
    secrecy_told,
    unasked,
    roster,
    inquiry,
    inquiry_answer,
    snapshot,
    challenge_found,
    follow_up,
    escalation,
)
own_compartment(tables)
