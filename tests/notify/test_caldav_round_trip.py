"""A real CalDAV server takes what notify writes, and gives it back as it was."""

from collections.abc import Iterator

import pytest

from services.notify.ics import calendar_object, stored_object
from tests.notify.caldav_server import CalDav, caldav_server
from tests.notify.judges import judge_calendar
from tests.notify.outside import invitation


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalDav]:
    with caldav_server(tmp_path_factory.mktemp("radicale")) as one:
        yield one


@pytest.mark.parametrize("name", ["髙橋 花子", "𠮷田 﨑子", 'Maria "Mia" da Silva, PhD', "辻󠄀 真一", ""])
def test_an_invitation_comes_back_as_it_was_put(server: CalDav, name: str) -> None:
    told = invitation(name=name, place="野尻庁舎 2階; 大会議室, 東" * 4)
    made = calendar_object(told)
    assert server.put(f"{told.uid}.ics", stored_object(made)).status_code == 201
    back = server.get(f"{told.uid}.ics").content
    with_method = back.replace(b"BEGIN:VCALENDAR\r\n", b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n", 1)
    assert judge_calendar(with_method) == judge_calendar(made)


def test_what_is_stored_is_the_object_without_its_method() -> None:
    made = calendar_object(invitation())
    assert stored_object(made) == made.replace(b"METHOD:REQUEST\r\n", b"")
    assert b"METHOD" not in stored_object(made), "RFC 4791 4.1"


def test_the_server_refuses_an_object_with_a_line_missing(server: CalDav) -> None:
    broken = stored_object(calendar_object(invitation())).replace(b"UID:", b"X-UID:", 1)
    assert server.put("broken.ics", broken.replace(b"END:VEVENT\r\n", b"")).status_code == 400
