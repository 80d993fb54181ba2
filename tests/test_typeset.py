"""Papers as PDF, read back by another hand: fonts inside, every sign drawn, lines and pages as an office wants them."""

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from services.pdf import GlyphMissing, missing, width_of
from services.typeset import BODY, BOTTOM, LEFT, RIGHT, Boxed, Paper, Table, Text, _Setter, facts, lines_of, papers

NAMES = ("髙橋 美穂", "𠮷田 さくら", "山﨑 由紀子", "邊見 早苗", "德永 浩二", "假屋 智恵")


def read(file: bytes) -> list[str]:
    """Each page's text, without line breaks."""
    return [page.extract_text().replace("\n", "") for page in PdfReader(io.BytesIO(file)).pages]


def objects_of(file: bytes) -> list[Any]:
    reader = PdfReader(io.BytesIO(file))
    return [reader.get_object(number) for number in range(1, len(reader.xref[0]) + 1)]


def test_names_with_rare_signs_are_read_back_as_they_are_written() -> None:
    (page,) = read(papers([Paper(tuple(map(Text, NAMES)))], "名簿"))
    for name in NAMES:
        assert name in page


def test_the_font_is_inside_and_nothing_is_called_out() -> None:
    file = papers([Paper((Text("髙橋 Takahashi 123"),))], "次第")
    fonts = [one for one in objects_of(file) if isinstance(one, dict) and one.get("/Type") == "/Font"]
    (inner,) = [one for one in fonts if one["/Subtype"] == "/CIDFontType0"]
    assert inner["/FontDescriptor"]["/FontFile3"].get_data()
    assert {one["/BaseFont"] for one in fonts} == {"/KASANE+NotoSerifJP"}
    for word in (b"/URI", b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/GoToR", b"/OpenAction", b"http"):
        assert word not in file


def test_the_same_paper_is_the_same_bytes_and_another_is_not() -> None:
    paper = Paper((Text("髙橋"), facts(("日時", "令和8年11月24日"))), "印刷番号 1", "回収")
    assert papers([paper], "通知") == papers([paper], "通知")
    assert papers([paper], "通知") != papers([Paper((Text("髙槗"),))], "通知")


@pytest.mark.parametrize(("text", "code"), [("山田\U0001f600", "U+1F600"), ("葛\U000e0100城", "U+E0100")])
def test_a_sign_without_a_picture_is_an_error_that_names_the_code_point_only(text: str, code: str) -> None:
    assert missing(text) == (code,)
    with pytest.raises(GlyphMissing) as caught:
        papers([Paper((Text("相談者の名は"), Table((1,), ((text,),))))], "会議録")
    assert caught.value.codes == (code,)
    assert "山田" not in str(caught.value)
    assert "葛" not in str(caught.value)


def test_marks_that_turn_the_text_and_control_signs_are_printed_and_not_obeyed() -> None:
    (page,) = read(papers([Paper((Text("金\u202e額\u200f\x07\x00を\u2066払う\ufeff"),))], "会議録"))
    assert "金〔U+202E〕額〔U+200F〕〔U+0007〕〔U+0000〕を〔U+2066〕払う〔U+FEFF〕" in page


def test_no_line_begins_or_ends_with_a_sign_that_may_not_stand_there() -> None:
    text = "(世帯の状況)について、長女「さくら」が、学校へ行けない日があった。" * 12
    for width in range(40, 160, 3):
        lines = lines_of(text, BODY, width)
        assert "".join(lines) == text
        assert not [line for line in lines if line[0] in "、。」)" or line[-1] in "「("]


def test_a_latin_word_or_number_is_not_torn_where_it_fits_on_a_line() -> None:
    lines = lines_of("受付番号は R8-000123 と kasane-2026 で、いずれも控えてください。" * 4, BODY, 60)
    joined = " ".join(lines)
    assert joined.count("R8-000123") == 4
    assert joined.count("kasane-2026") == 4


def test_forty_seats_run_over_pages_with_the_heads_again_and_the_pages_counted() -> None:
    rows = tuple((str(n), f"{NAMES[n % 6]}第{n}席", "重層的支援体制整備事業推進室" * 3) for n in range(1, 41))
    pages = read(papers([Paper((Table((1, 3, 4), rows, ("番号", "氏名", "機関")),))], "名簿"))
    assert len(pages) > 2
    assert all("番号" in page and "氏名" in page for page in pages)
    assert [f"{n} / {len(pages)}" in page for n, page in enumerate(pages, 1)] == [True] * len(pages)
    whole = "".join(pages)
    assert all(whole.count(f"第{n}席") == 1 for n in range(1, 41))


def test_each_copy_counts_its_own_pages_and_bears_its_own_number() -> None:
    copies = [Paper((Text("次第"),), f"印刷番号 a1b2c3d4-{n:02}", f"回収 控番号 {n}/3") for n in (1, 2, 3)]
    pages = read(papers(copies, "次第"))
    assert len(pages) == 3
    for n, page in enumerate(pages, 1):
        assert f"回収 控番号 {n}/3" in page
        assert f"印刷番号 a1b2c3d4-{n:02}" in page
        assert "1 / 1" in page


def test_a_cell_longer_than_a_page_goes_on_on_the_next_with_nothing_lost() -> None:
    text = "".join(f"{n}番目の発言。" for n in range(900))
    pages = _Setter(Paper((Text("前置き"), Table((1, 4), (("内容", text),)), Boxed("守秘義務があります。")))).pages()
    assert len(pages) > 2
    second_column = [run.text for page in pages for run in page.runs if run.x > LEFT + 30 and run.y < 280]
    assert "".join(second_column) == text


@settings(deadline=None, max_examples=60)
@given(
    cells=st.lists(st.text(st.sampled_from("あ漢𠮷髙、。「」()A1-\n \t\u202e\x07ー々"), max_size=700), max_size=6),
    heads=st.booleans(),
)
def test_whatever_is_typed_stays_inside_the_margins(cells: list[str], heads: bool) -> None:
    table = Table((1, 2), tuple((one, one[::-1]) for one in cells), ("項", "文") if heads else ())
    paper = Paper((*map(Text, cells), table, *map(Boxed, cells)), "印刷番号 1", "回収")
    for page in _Setter(paper).pages():
        body = [run for run in page.runs if 24 <= run.y <= 280]
        for run in body:
            assert run.x >= LEFT
            assert run.x + width_of(run.text, run.size) <= RIGHT + 0.01
            assert run.y <= BOTTOM + 4
