"""Reads the mail that comes back, keeps none of it, and asks others to act on the code and the times in it.

It parses what anybody may send, so it holds nothing: no store of a compartment, no key that signs, no address of
anybody. It cannot tell of which kind of meeting a mail is, and may ask two questions: whose reply, whose bounce.
"""

from services.mailin.handlers import service as service
