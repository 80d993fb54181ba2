"""Who works where, how each is reached, and when each is busy; nothing about a client."""

from services.directory import feeds as feeds
from services.directory.handlers import service as service
