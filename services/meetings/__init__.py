"""Finds each agenda item the sitting that may hear it, seats the people, invites them and keeps their answers."""

from services.meetings.handlers import service as service
from services.meetings.inviting import send_invitations as send_invitations
from services.meetings.placing import place_items as place_items
