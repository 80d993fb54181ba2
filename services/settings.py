"""Everything the environment can say. No other file reads the environment or finds its way on the disk."""

import json
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field, HttpUrl, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.message import Compartment
from contracts.profile import Profile

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Where the local mailbox stands in for a mail server; any other KASANE_SMTP_HOST is one."""

SHIPPED_FORMS = Path(__file__).parent.parent / "forms"
"""The forms that come with kasane: in the source tree, and beside the packages where a wheel is installed."""

SHIPPED_COUNTS = Path(__file__).parent.parent / "counts"
"""The definitions of what is counted, likewise."""


class Settings(BaseSettings):
    """One process's settings. ``KASANE_`` in front of each name; ``NATS_URL`` alone goes without."""

    model_config = SettingsConfigDict(env_prefix="KASANE_", frozen=True, extra="ignore")

    municipality: str = "452050"
    """全国地方公共団体コード of the tenant, six digits."""
    profile: Path = Path("examples/kobayashi")
    """The folder with the municipality's profile.toml, and for a first start staff.csv and busy.csv."""
    var: Path = Path("var")
    """Where stores, keys, streams and the local mail lie, one folder per municipality."""
    nats_url: str = Field(default="", validation_alias="NATS_URL")
    """Where a NATS server runs. Empty: the launcher starts one."""
    store_url: str = ""
    """SQLAlchemy address with {process} in it, for PostgreSQL. Empty: SQLite below ``var``. A process that has a
    store key of its own (``kasane provision --stores``) uses that instead."""
    vault_url: str = ""
    """SQLAlchemy address with {process} in it, of the key stores. Empty: SQLite below ``var``, whatever stores are."""
    nats_port: int = 4222
    """Where the launcher's own NATS server listens on 127.0.0.1."""
    desk_juso_port: int = 8081
    desk_shien_port: int = 8082
    window_port: int = 8080
    """The answer window: the page behind the links in invitations, the same for both kinds of meeting."""
    host: str = "127.0.0.1"
    public_url: HttpUrl | None = None
    """How the answer window is reached from outside; default http://host:window_port."""
    desk_juso_url: HttpUrl | None = None
    desk_shien_url: HttpUrl | None = None
    """How the desks are reached, for the page that a reminder leads to; default http://host:port."""
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 8025
    dkim_selector: str = Field(default="kasane", pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")
    """Under which name the domain's DNS has the key that signs mail: SELECTOR._domainkey.DOMAIN (`kasane mail dns`)."""
    answer_domain: str = Field(default="", pattern=r"^[A-Za-z0-9.-]{0,253}$")
    """The mail domain whose answer+… and bounce+… come to mailin. Empty: the office's own with the local mailbox; with
    a mail server none, and replies go to the office."""
    mail_in_port: int = 8024
    """Where mailin listens for mail that comes back."""
    mail_in_protocol: Literal["smtp", "lmtp"] = "smtp"
    imap_host: str = ""
    """A mailbox that is looked through as well, for a city whose mail server hands nothing on. Empty: none."""
    imap_port: int = 993
    imap_user: str = ""
    imap_password: SecretStr = SecretStr("")
    imap_folder: str = "INBOX"
    imap_seconds: float = Field(default=60, gt=0)
    """How often it is looked through."""
    _trial: bool = PrivateAttr(default=False)

    @property
    def trial(self) -> bool:
        """Whether one operating system user runs everything, so that no file can be kept from a process."""
        return self._trial

    def as_trial(self) -> "Settings":
        """The same for ``kasane up``. No field, so that the environment of ``kasane run`` cannot say it."""
        copy = self.model_copy()
        copy._trial = True
        return copy

    @property
    def home(self) -> Path:
        """This municipality's folder."""
        return self.var / self.municipality

    @property
    def link_key(self) -> bytes:
        """What signs answer links. Raises FileNotFoundError when nothing was provisioned."""
        return (self.home / "keys" / "link").read_bytes()

    @property
    def permit_key(self) -> bytes:
        """What signs permits: intake's, and the juso processes' that check them. Raises FileNotFoundError."""
        return (self.home / "keys" / "permit").read_bytes()

    @property
    def gate_key(self) -> bytes:
        """What the gate derives juso's references from; no other process has it. Raises FileNotFoundError."""
        return (self.home / "keys" / "gate").read_bytes()

    @property
    def dkim_key(self) -> Path:
        """Where the key lies that signs mail (PEM); beside it, with .pub, what the domain's DNS is to say."""
        return self.home / "keys" / "dkim"

    @property
    def webhook_key(self) -> bytes:
        """From which the keys follow that sign webhooks, one per receiver. Raises FileNotFoundError."""
        return (self.home / "keys" / "webhook").read_bytes()

    @property
    def online_secret(self) -> str:
        """What the answer window and the city's server of online meetings share. Raises FileNotFoundError.

        Made by the provisioner; where the server has one already (BigBlueButton), the city writes that one here.
        """
        return (self.home / "keys" / "online").read_text("ascii").strip()

    @property
    def caldav_logins(self) -> dict[str, dict[str, str]]:
        """Login and password by address of a calendar server, from keys/caldav.toml; the city writes it. May be empty.

        Raises ProfileInvalid, without what the file holds.
        """
        path = self.home / "keys" / "caldav.toml"
        try:
            read = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            raise ProfileInvalid(f"{path} の書式が正しくありません。") from None
        if any(not isinstance(one, dict) or {"user", "password"} - set(one) for one in read.values()):
            raise ProfileInvalid(f"{path} では、サーバーのアドレスごとに user と password を書いてください。")
        return read

    @property
    def window_url(self) -> str:
        """Where answer links point, without a slash at the end."""
        return str(self.public_url or f"http://{self.host}:{self.window_port}").rstrip("/")

    def desk_url(self, compartment: Compartment) -> str:
        """Where people sign in to one desk, without a slash at the end.

        Two desks on one host want two names of it: a browser gives a cookie to every port of a host.
        """
        said = {Compartment.JUSO: self.desk_juso_url, Compartment.SHIEN: self.desk_shien_url}[compartment]
        host = "localhost" if compartment is Compartment.SHIEN and self.host == "127.0.0.1" else self.host
        return str(said or f"http://{host}:{self.desk_port(compartment)}").rstrip("/")

    def reply_domain(self, office_domain: str) -> str:
        """Where what comes back is addressed to; empty: nobody there would read it."""
        return self.answer_domain or (office_domain if self.smtp_host in LOOPBACK else "")

    def store_key(self, process: str) -> Path:
        """Where ``kasane provision --stores`` leaves the address, login and password of one process's database."""
        return self.home / "keys" / f"store@{process}.json"

    def store_address(self, process: str) -> str:
        """The SQLAlchemy address of one process's store."""
        if (key := self.store_key(process)).exists():
            return str(json.loads(key.read_text("utf-8"))["address"])
        if self.store_url:
            return self.store_url.format(process=process.replace("@", "_"), municipality=self.municipality)
        return f"sqlite:///{self.home / 'stores' / process}.db"

    def vault_address(self, process: str) -> str:
        """The SQLAlchemy address of one process's key store."""
        if self.vault_url:
            return self.vault_url.format(process=process.replace("@", "_"), municipality=self.municipality)
        return f"sqlite:///{self.home / 'vaults' / process}.db"

    def kek_path(self, process: str) -> Path:
        """Where the key lies that wraps one process's data keys. Without it nothing that process sealed opens."""
        return self.home / "keys" / f"kek@{process}"

    def desk_port(self, compartment: Compartment | None) -> int:
        """Where the desk of this compartment listens; None is the answer window."""
        return {None: self.window_port, Compartment.JUSO: self.desk_juso_port, Compartment.SHIEN: self.desk_shien_port}[
            compartment
        ]


class ProfileInvalid(Exception):
    """The profile cannot be used; the text says where and why, in Japanese."""


def read_profile(folder: Path) -> Profile:
    """The profile in ``folder``/profile.toml, with triage.toml as its ``triage`` where there is one.

    Raises ProfileInvalid naming each field that is wrong.
    """
    path = folder / "profile.toml"
    try:
        read = tomllib.loads(path.read_text("utf-8"))
        if (path := folder / "triage.toml").exists():
            read["triage"] = tomllib.loads(path.read_text("utf-8"))
        path = folder / "profile.toml"
        return Profile.model_validate(read)
    except OSError as error:
        raise ProfileInvalid(f"プロファイル {path} を読めません: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise ProfileInvalid(f"プロファイル {path} の書式が正しくありません: {error}") from None
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False)
        )
        raise ProfileInvalid(f"プロファイル {path} に誤りがあります: {faults}") from None
