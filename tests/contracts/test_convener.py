"""会長 and deputies in a profile: what does not fit together is refused by field and rule (S12, S13)."""

from pathlib import Path

import pytest

from services.settings import ProfileInvalid, read_profile

EXAMPLES = Path(__file__).parents[2] / "examples"
DEPUTY = '{{ agency = "{agency}", post = "{post}", title = "副会長", since = {since}, until = {until} }}'


def deputy(agency: str = "fukushi", post: str = "officer", since: str = "2026-04-01", until: str = "2027-03-31") -> str:
    return DEPUTY.format(agency=agency, post=post, since=since, until=until)


def convener(*deputies: str, approval: str = "approval = true", post: str = "representative") -> str:
    who = f'agency = "fukushi", post = "{post}", title = "会長(福祉課長)"'
    return f"{approval}\nconvener = {{ {who}, deputies = [{', '.join(deputies)}] }}\n"


def written(folder: Path, text: str, city: str = "kobayashi") -> Path:
    whole = (EXAMPLES / city / "profile.toml").read_text("utf-8")
    (folder / "profile.toml").write_text(text + whole, "utf-8")
    return folder


def test_a_city_names_its_head_and_the_deputies_in_their_order_with_their_days(tmp_path: Path) -> None:
    first, second = deputy(until="2026-09-30"), deputy(since="2026-10-01")
    profile = read_profile(written(tmp_path, convener(first, second)))
    assert profile.convener is not None
    assert [one.since.isoformat() for one in profile.convener.deputies] == ["2026-04-01", "2026-10-01"]


@pytest.mark.rule("S12")
@pytest.mark.parametrize(
    ("text", "named"),
    [
        (convener(deputy(agency="fukusi")), "convener.deputies[1].agency: 機関 fukusi は agencies にありません(S12)"),
        (convener(deputy(agency="shakyo")), "convener.deputies[1].agency: 会長とその代理は、市町村"),
        (convener(deputy(post="oficer")), "convener.deputies[1].post: 職 oficer は"),
        (convener(post="kaicho"), "convener.post: 職 kaicho は"),
        (convener(deputy(until="2026-03-31")), "convener.deputies[1].until: 代理の終わりの日 2026-03-31 が"),
        (convener(deputy(until="2026-10-01"), deputy(since="2026-10-01")), "convener.deputies[2]: 同じ職の代理"),
        (convener(deputy(post="representative")), "会長(福祉課長)自身の職は"),
        (convener(approval=""), "approval = true も書いてください(S12)"),
        (convener(deputy(since='"someday"')), "convener.deputies.0.since"),
    ],
)  # fmt: skip
def test_a_chain_that_leaves_open_who_decides_is_refused_by_field_and_rule(
    tmp_path: Path, text: str, named: str
) -> None:
    with pytest.raises(ProfileInvalid) as refused:
        read_profile(written(tmp_path, text))
    assert named in str(refused.value)


@pytest.mark.rule("S13")
@pytest.mark.parametrize(
    ("right", "wrong", "named"),
    [
        (
            'action = "call"\n',
            f'action = "call"\ndeputies = [{deputy("shimin")}]\n',
            "powers[1].deputies: 総括者(市民生活相談課長)の権限(call)は委任できず",
        ),
        ("approval = true", "approval = false", "approval: powers[1] で招集を委任できない権限にした"),
        (
            "approval = true",
            convener().replace("fukushi", "shimin"),
            "convener: 招集は powers[1] で総括者(市民生活相談課長)だけの権限です",
        ),
    ],
)
def test_a_power_that_nobody_may_delegate_has_no_deputy_and_every_call_waits_for_it(
    tmp_path: Path, right: str, wrong: str, named: str
) -> None:
    text = (EXAMPLES / "yasu" / "profile.toml").read_text("utf-8")
    assert text.count(right) == 1
    (tmp_path / "profile.toml").write_text(text.replace(right, wrong), "utf-8")
    with pytest.raises(ProfileInvalid) as refused:
        read_profile(tmp_path)
    assert named in str(refused.value)
    assert "S13" in str(refused.value)
