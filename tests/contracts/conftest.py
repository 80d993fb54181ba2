"""Every contract is imported before tests are collected, so that the registers of subjects are complete."""

from importlib import import_module
from pkgutil import iter_modules

import contracts

for module in iter_modules(contracts.__path__):
    import_module(f"contracts.{module.name}")
