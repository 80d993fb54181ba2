"""Mails one neutral invitation or cancellation to one person, at once or not at all, and says which."""

from services.notify import polling as polling
from services.notify import reminding as reminding
from services.notify import replying as replying
from services.notify import wishing as wishing
from services.notify.handlers import service as service
