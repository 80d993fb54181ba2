"""What the services promise one another: pydantic and the standard library, no I/O, no clock.

Three rules keep old messages readable for ever:

* Only optional fields with defaults are added to a published message.
* A changed meaning is a new class with a new ``.v2`` subject beside the old one.
* A subject is never used again.

Events are facts with references: no name, address, free text or case number (consent.md 4.2).
"""
