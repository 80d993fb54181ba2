"""Plots for stores: a service's tables are made once per engine, and copied for each test that wants an empty store.

Making them takes a third of a second, several thousand times over.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import URL, make_url

from contracts.message import Compartment
from services import audit
from services.service import Service
from services.store import plumbing

Kind = tuple[int, Compartment | None]
"""Tables by identity: a test may make up a service of its own under a known name."""


@dataclass
class Plots:
    """``postgres`` starts the server when a store is first wanted there, and says where it is."""

    folder: Path
    postgres: Callable[[], str]
    models: dict[tuple[str, Kind], URL] = field(default_factory=dict)
    kept: list[Service] = field(default_factory=list)

    def postgres_address(self) -> str:
        """Where a store could be: nothing is there yet."""
        return self._server().set(database=f"t{uuid4().hex}").render_as_string(hide_password=False)

    def clear(self, address: str) -> None:
        """An empty database at that address."""
        self._on_server(f"CREATE DATABASE {make_url(address).database}")

    def prepare(self, address: str, service: Service, compartment: Compartment | None) -> None:
        """Put the service's empty tables there, as ``kasane provision --stores`` would: nobody has opened them yet."""
        url = make_url(address)
        engine = url.get_backend_name()
        kind = (engine, (id(service.tables), compartment))
        if kind not in self.models:
            self.kept.append(service)  # else another's tables could come to stand at the same place
            self.models[kind] = self._model(engine, service, compartment)
        model = self.models[kind]
        if engine == "sqlite":
            shutil.copyfile(str(model.database), str(url.database))
        else:
            self._on_server(f"CREATE DATABASE {url.database} TEMPLATE {model.database}")

    def _model(self, engine: str, service: Service, compartment: Compartment | None) -> URL:
        name = f"m{uuid4().hex}"
        if engine == "sqlite":
            url = make_url(f"sqlite:///{self.folder}/{name}.db")
        else:
            self._on_server(f"CREATE DATABASE {name}")
            url = self._server().set(database=name)
        made = create_engine(url, poolclass=NullPool)
        with made.begin() as connection:
            connection.execution_options(compartment=compartment.value if compartment else "-")
            for tables in (plumbing, audit.tables, service.tables):
                tables.create_all(connection)
        made.dispose()
        return url

    def _server(self) -> URL:
        return make_url(self.postgres()).set(drivername="postgresql+psycopg")

    def _on_server(self, statement: str) -> None:
        admin = create_engine(self._server(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with admin.connect() as connection:
            connection.exec_driver_sql(statement)
