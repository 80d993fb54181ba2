"""``kasane city``: whoever writes a profile reads in words what it made of the city."""

from pathlib import Path

import pytest

from services.__main__ import main

EXAMPLES = Path(__file__).parents[1] / "examples"


def said(capsys: pytest.CaptureFixture[str], city: str | Path) -> str:
    with pytest.raises(SystemExit) as end:
        main(["city", "--profile", str(EXAMPLES / city)])
    assert end.value.code == 0
    return capsys.readouterr().out


def test_every_example_can_be_said_in_words_and_names_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    for path in sorted(EXAMPLES.glob("*/profile.toml")):
        text = said(capsys, path.parent.name)
        assert "五つの事業:" in text
        assert "会議体:" in text
        assert "@" not in text


@pytest.mark.parametrize(
    ("city", "sentence"),
    [
        ("nabari", "エリアディレクター(困窮): 名張市自立相談支援機関からのつなぎ"),
        ("nabari", "多機関協働: ⑤各機関に付加"),
        ("toyota", "豊田市社会福祉協議会 高橋CSW: 2層 高橋地区"),
        ("toyota", "福祉総合相談課 1層包括化推進員: ほかの担当のない事案"),
        ("okayama", "決まらない事案は複合課題解決アドバイザー会議へ上げます(M10)。"),
        ("okayama", "ほかの会議体から上がった事案だけを扱います(M10)。"),
        ("iga", "介護保険法第115条の48 地域ケア会議(kasane の事案は扱いません)"),
        ("kobayashi", "プランの適切性と終結を決める事案は重層的支援定例会議へ上げます(D6)。"),
        ("yasu", "委任できない権限: 会議の招集(付議)は、総括者(市民生活相談課長)だけ(S13)"),
        ("himi", "ふくし総合サポートセンター: すべての事案"),
    ],
)
def test_what_differs_between_cities_is_said(capsys: pytest.CaptureFixture[str], city: str, sentence: str) -> None:
    assert sentence in said(capsys, city)


def test_a_profile_that_says_nothing_of_it_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, Path(__file__).parent / "proof" / "town")
    assert "整備パターンは設定に書かれていません" in text
    assert "設定に書かれていません。" in text


def test_a_programme_that_nobody_carries_is_said_with_its_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (EXAMPLES / "iga" / "profile.toml").read_text("utf-8")
    (tmp_path / "profile.toml").write_text(text.replace('participation = ["jiritsu"]', "participation = []"), "utf-8")
    assert "参加支援: 行いません(プランに書けません、D3)" in said(capsys, tmp_path)


def test_a_profile_that_does_not_fit_together_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (EXAMPLES / "iga" / "profile.toml").read_text("utf-8")
    (tmp_path / "profile.toml").write_text(text.replace('["jiritsu"]', '["jirits"]'), "utf-8")
    with pytest.raises(SystemExit) as end:
        main(["city", "--profile", str(tmp_path)])
    assert end.value.code == 1
    assert "jirits" in capsys.readouterr().err
