"""How a note without a calendar entry, a reminder or a poll, reaches one person: by the channel that is theirs."""

from contracts.directory import Mailbox
from contracts.notify import Sent
from services.notify import handlers
from services.notify.addresses import Returns, answer_address
from services.notify.channels import BY_HAND, Webhook, is_reachable, webhook_key
from services.notify.domain import Office, Reminder
from services.notify.mail import Deadline, Outcome, compose_reminder
from services.service import Work


def not_by_machine(mailbox: Mailbox) -> Sent | None:
    """What is answered of whoever a person has to tell, or nobody can; None: a machine does it.

    By ``caldav`` it is a mail: nothing of a note could stand in a calendar.
    """
    if mailbox.channel in BY_HAND:
        return Sent(outcome="not_sent", why=BY_HAND[mailbox.channel])
    return None if is_reachable(mailbox) else Sent(outcome="not_sent", why="no_address")


async def hand_over(told: Reminder, mailbox: Mailbox, deadline: Deadline, work: Work) -> Outcome:
    """Hand it over before the deadline. What became of it is said as of a mail."""
    if mailbox.channel == "webhook":
        endpoint = mailbox.endpoint
        return await Webhook(endpoint, webhook_key(work.settings.webhook_key, endpoint)).note(told, deadline)
    mail = handlers.signed(compose_reminder(told), told.office, work)
    sender = told.returns.reports or told.office.mail
    return await handlers.mailer(work, told.office).send(sender, told.address, mail, deadline)


def reports_to(token: str | None, office: Office, work: Work) -> Returns:
    """Where reports on a note go: to its own address, where reports are read at all."""
    return answer_address(None, token, office.mail, work.settings.reply_domain(office.domain))
