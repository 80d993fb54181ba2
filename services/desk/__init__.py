"""The only HTTP: pages of one compartment, and the answer window behind invitation links. It keeps nothing."""

from services.desk import returning as returning
from services.desk.handlers import service as service
