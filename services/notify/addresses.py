"""Where what comes back of a mail goes: replies to the seat's own address, reports of delivery to the notice's own."""

from dataclasses import dataclass

from contracts.mail_addresses import MailToken, Use, mail_address


@dataclass(frozen=True)
class Returns:
    """Empty: as before, everything comes back to the office."""

    answers: str = ""
    """What calendars know as the organiser (RFC 6047: a reply goes there, not to From)."""
    reports: str = ""
    """The envelope's sender."""


NOWHERE = Returns()


def answer_address(
    answer_token: MailToken | None, bounce_token: MailToken | None, office_mail: str, reply_domain: str
) -> Returns:
    """Where replies to one seat and reports on one notice go. Without an inbound domain nobody would read them."""

    def of(use: Use, token: MailToken | None) -> str:
        return mail_address(use, token, reply_domain) if token and reply_domain else office_mail

    return Returns(of("answer", answer_token), of("bounce", bounce_token))
