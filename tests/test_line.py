"""A line that is typed in wrong: what is said of it, to somebody who reads Japanese and must not leak a name."""

import pytest

from services.__main__ import main


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["household", "hide", "--by", "1", "--referral", "髙橋キヨ子"], "--referral: 参照"),
        (["household", "hide", "--by", "1"], "--referral、--after、--member を指定してください。"),
        (["household", "hide", "--after", "髙橋キヨ子"], "--after は数で書いてください。"),
        (["forms", "show", "plan", "--on", "2026-02-30"], "--on: ある日付を 2026-11-24 の形で書いてください。"),
        (["disclosures"], "--case、--person、--number のどれか1つを指定してください。"),
        (["policy", "explain", "--category", "髙橋キヨ子"], "--category の値が読めません。"),
        (["policy", "explain", "--act"], "--act のあとに値を書いてください。"),
        (["policy", "explain", "--at", "髙橋キヨ子"], "--at の値が読めません。"),
        (["household", "change", "髙橋キヨ子"], "what の値が読めません。"),
        (["audit", "髙橋キヨ子"], "次から選んでください: verify、show"),
        (["policy", "table", "髙橋キヨ子"], "知らない指定があります。"),
        ([], "命令 を指定してください。"),
    ],
)
def test_a_wrong_line_is_refused_in_japanese_without_repeating_a_name(
    line: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(line)
    told = capsys.readouterr().err
    assert (end.value.code, said in told, "髙橋" in told) == (2, True, False), told
