"""DKIM: a verifier of other people's making finds every mail signed by the domain that its From names."""

from base64 import b64encode
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_curve_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from services.__main__ import main
from services.notify.dkim import KeyUnfit, Signer, read_signer, relaxed_body
from services.notify.domain import Invitation, one_line
from services.notify.ics import calendar_object
from services.notify.mail import compose
from services.settings import Settings
from tests.notify.outside import Process, Server, cancellation, invitation, mail_server, request
from tests.stage import SOME_DAY

DOMAIN = "fukushi.kobayashi.example"
KEY = generate_private_key(65537, 2048)


@pytest.fixture
def signer(var: Path) -> Signer:
    found = read_signer(Settings(var=var).dkim_key, "kasane", DOMAIN)
    assert found is not None
    return found


def verifies(mail: bytes, var: Path) -> bool:
    """What a receiver says who finds the record that `kasane mail dns` names."""
    record = Settings(var=var).dkim_key.with_name("dkim.pub").read_bytes()
    names = {f"kasane._domainkey.{DOMAIN}.".encode(): record}
    return bool(dkim.verify(mail, dnsfunc=lambda name, timeout=5: names.get(name)))


def test_invitation_and_cancellation_verify_by_the_published_key(signer: Signer, var: Path) -> None:
    for told in (invitation(), cancellation(), invitation(name="長い名前の" * 20, place="とても長い場所の名前" * 20)):
        mail = signer.sign(compose(told, calendar_object(told)), SOME_DAY)
        assert verifies(mail, var)
        assert mail.isascii()
        assert max(len(line) for line in mail.split(b"\r\n")) <= 78


@given(name=st.text(max_size=60).map(one_line), place=st.text(max_size=60).map(one_line))
def test_whoever_is_written_to_and_wherever_it_is_the_signature_holds(name: str, place: str) -> None:
    told = invitation(name=name, place=place)
    mail = Signer(KEY, "kasane", DOMAIN).sign(compose(told, calendar_object(told)), SOME_DAY)
    public = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert dkim.verify(mail, dnsfunc=lambda _name, timeout=5: b"v=DKIM1; k=rsa; p=" + b64encode(public))


def test_a_word_changed_or_a_second_from_added_on_the_way_breaks_it(signer: Signer, var: Path) -> None:
    told = invitation()
    mail = signer.sign(compose(told, calendar_object(told)), SOME_DAY)
    assert verifies(mail, var)
    assert not verifies(mail.replace(b"To: ", b"To: x", 1), var)
    assert not verifies(mail.replace(b"BEGIN", b"END").replace(b"UEdJT", b"UEdJU").replace(b"5L", b"5M", 1), var)
    assert not verifies(b"From: <x@evil.example>\r\n" + mail, var), "a second From"
    assert not verifies(b"Subject: x\r\n" + mail, var), "a second Subject"


def test_a_relay_may_fold_and_space_anew_without_breaking_it(signer: Signer, var: Path) -> None:
    told = invitation()
    mail = signer.sign(compose(told, calendar_object(told)), SOME_DAY)
    assert verifies(mail.replace(b"MIME-Version: 1.0", b"Mime-Version:  1.0 ", 1) + b"\r\n\r\n", var)


@given(
    st.text(alphabet=" \t\rx\n", max_size=40).map(lambda text: text.replace("\r", "").replace("\n", "\r\n").encode())
)
def test_the_body_is_read_as_the_other_library_reads_it(body: bytes) -> None:
    theirs = dkim.canonicalization.Relaxed.canonicalize_body(body)
    ours = relaxed_body(body)
    assert ours.rstrip(b"\r\n") == theirs.rstrip(b"\r\n")
    assert not ours or (ours.endswith(b"\r\n") and not ours.endswith(b"\r\n\r\n"))


@pytest.mark.rule("P9")
async def test_what_leaves_is_signed_by_the_domain_of_the_municipality_in_its_from(process: Process, var: Path) -> None:
    server = Server()
    async with mail_server(server, process.settings.smtp_port):
        assert await process.send(request()) == ("sent", "")
    assert verifies(server.raw[0], var)
    assert server.taken[0]["From"].endswith(f"<kaigi@{DOMAIN}>")


def test_without_a_key_nothing_is_signed_and_a_weak_or_other_key_is_refused(tmp_path: Path) -> None:
    assert read_signer(tmp_path / "none", "kasane", DOMAIN) is None
    weak = generate_private_key(65537, 1024)  # noqa: S505  # that is the point
    for name, key in (("weak", weak), ("curve", new_curve_key(SECP256R1()))):
        path = tmp_path / name
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        with pytest.raises(KeyUnfit):
            read_signer(path, "kasane", DOMAIN)
    (tmp_path / "torn").write_bytes(b"-----BEGIN PRIVATE KEY-----\r\nMIIE")
    with pytest.raises(KeyUnfit) as refused:
        read_signer(tmp_path / "torn", "kasane", DOMAIN)
    assert "MIIE" not in str(refused.value)


def test_the_command_says_what_the_dns_has_to_say(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["mail", "dns", "--var", str(var)])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert f'kasane._domainkey.{DOMAIN}. IN TXT ( "v=DKIM1; k=rsa; p=' in said
    assert all(len(part) <= 255 for part in said.split('"')[1::2])
    assert "".join(said.split('"')[1::2]) == Settings(var=var).dkim_key.with_name("dkim.pub").read_text()


def test_before_provisioning_the_command_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["mail", "dns", "--var", str(tmp_path)])
    assert ended.value.code == 1
    assert "kasane provision" in capsys.readouterr().err


def test_a_newer_invitation_stands_below_the_one_it_replaces_and_all_mails_are_of_one_list() -> None:
    first = invitation()
    newer: Invitation = invitation(follows=first.notice, sequence=1)
    made = compose(newer, calendar_object(newer))
    assert f"In-Reply-To: <{first.notice}@{DOMAIN}>".encode() in made
    for told in (first, newer, cancellation()):
        assert f"List-Id: <kaigi.{DOMAIN}>".encode() in compose(told, calendar_object(told))
