"""The printed letter that asks somebody without a mail address to a meeting: as neutral as the mail (S17, P9).

Nothing in it knows what the meeting is about or of which kind it is; the words are the same in every letter. Answers
come by telephone, for paper has no link.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.typeset import Paper, Text, facts, papers

SUBJECT = "会議のご案内"
OPENING = "次の会議にご出席をお願いします。"
CLOSING = (
    "ご出席いただけるかどうかを、お電話でお知らせください。ご不明な点もお電話ください。",
    "同じ会議のご案内が続けて届いたときは、新しいほうをご覧ください。",
)


@dataclass(frozen=True)
class InvitationLetter:
    """What one person is told. ``when`` and ``day`` are written out, as people read them."""

    agency: str
    name: str
    when: str
    place: str


def letters(invitations: Sequence[InvitationLetter], office: str, phone: str, day: str) -> bytes:
    """One file with a page for each. Raises GlyphMissing, naming code points only."""
    return papers([_letter(one, office, phone, day) for one in invitations], SUBJECT)


def _letter(one: InvitationLetter, office: str, phone: str, day: str) -> Paper:
    """The recipient stands where a window envelope shows him."""
    return Paper(
        (
            Text(day, align="right"),
            Text(one.agency, after=0.5),
            Text(f"{one.name} 様", 13.0, after=8),
            Text(office, align="right", after=8),
            Text(SUBJECT, 16.0, "center", after=6),
            Text(OPENING, after=4),
            facts(("日時", one.when), ("場所", one.place)),
            *(Text(line) for line in CLOSING),
            Text(f"{office} 電話 {phone}", align="right"),
        )
    )
