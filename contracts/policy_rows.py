"""The decision table itself: every row that allows or refuses, in the order in which they are tried.

Rows are plain values, so that the table can be printed, hashed into a version and mutated in the tests. Rule ids are
those of domain.md; I5 and I12 are invariants of consent.md.
"""

from contracts.legal_basis import (
    EMERGENCY_SHARING,
    JUSO_BASIS,
    JUSO_GUIDELINE,
    SHIEN_BASIS,
    SHIEN_SECRECY,
    TAX_SECRECY,
)
from contracts.message import Compartment
from contracts.policy_terms import Act, Condition, Fact, Fit, Row, Standing


def _when(fact: Fact, *among: object) -> Condition:
    return Condition(fact, among or (True,))


def _unless(fact: Fact) -> Condition:
    return Condition(fact, (False,))


_ASK, _CARRY, _EMERGENCY, _DERIVE = ((one,) for one in (Act.ASK, Act.CARRY, Act.EMERGENCY, Act.DERIVE))
_SHOW, _EXPORT = (Act.SHOW,), (Act.EXPORT,)
_AT_THE_TABLE = (Act.HEAR, Act.INVITE, Act.NOTIFY)
_SHARE = _AT_THE_TABLE + _EXPORT + _SHOW
_JUSO, _SHIEN = Compartment.JUSO, Compartment.SHIEN
_IN_FORCE = _when(Fact.STANDING, Standing.GIVEN, Standing.NARROWED)
_NO_CONSENT_YET = (Standing.REFUSED, Standing.NOT_ASKED, Standing.COULD_NOT_ASK)
_ASK_AGAIN_OR_DECIDE = "改めて同意を得るか、支援会議で扱う必要性を判断して記録してください。"
_WITHDRAWN = "同意が撤回されました。撤回した人の事案は、自動では支援会議に移しません。"
_EXPIRED = "同意の期限が切れています。"
_NOT_BEGUN = "同意の期間がまだ始まっていません。"
_LATER = "同意の期間に入ってから行うか、今から有効な同意を得てください。"
_NO_CONSENT = "本人の同意がないため、守秘義務のある支援会議だけで扱えます。"
_BY_BASIS = "この会議の法的根拠では、この事案を扱えません。"


def _own_block(article: str, name: str) -> str:
    return f"{article}({name})に基づく区切りを設けてください。"


_FORBIDS = (
    Row(
        "F1", _SHARE + _ASK + _EMERGENCY, _SHIEN, None, (_when(Fact.TAX),), False, ("S9", "I7"), TAX_SECRECY,
        "税の情報は、支援会議でも本人の同意なしに共有できません。支援会議には置きません。",
        "税の情報を議題・資料・問いから除いてください。本人が税の情報の共有に同意したときは、重層的支援会議で扱えます。",
    ),
    Row(
        "F2", _SHARE + _EMERGENCY, _JUSO, None, (_when(Fact.TAX), _unless(Fact.TAX_COVERED)), False, ("S9", "I7"),
        TAX_SECRECY,
        "税の情報で、本人の同意が税の情報に及んでいません。",
        "税の情報を除くか、税の情報を含む同意を本人から得てください。",
    ),
    Row(
        "F3", _CARRY, _SHIEN, None, (_when(Fact.TAX), _unless(Fact.TAX_COVERED)), False, ("S9", "I7"), TAX_SECRECY,
        "税の情報で、新しい同意が税の情報に及んでいません。",
        "税の情報を引継の項目から除くか、税の情報を含む同意を本人から得てください。",
    ),
    Row(
        "F4", _SHARE + _ASK, _SHIEN, None, (_when(Fact.BASIS, Fit.OTHER),), False, ("M13", "I5"), SHIEN_SECRECY,
        _BY_BASIS, _own_block(SHIEN_BASIS.article, SHIEN_BASIS.name),
    ),
    Row(
        "F5", _SHARE, _JUSO, None, (_when(Fact.BASIS, Fit.OTHER),), False, ("M13", "C1"), JUSO_BASIS.article,
        _BY_BASIS, _own_block(JUSO_BASIS.article, JUSO_BASIS.name),
    ),
    Row(
        "F6", _SHARE, _JUSO, None, (_when(Fact.BASIS, Fit.NOT_IN_FORCE),), False, ("M14",), JUSO_BASIS.article,
        "会議の法的根拠が、その日には施行されていません。", "施行されている日に開いてください。",
    ),
    Row(
        "F7", _SHARE + _ASK, _SHIEN, None, (_when(Fact.BASIS, Fit.NOT_IN_FORCE),), False, ("M14",),
        SHIEN_BASIS.article,
        "会議の法的根拠が、その日には施行されていません。", "施行されている日に開いてください。",
    ),
    Row(
        "F8", _SHARE + _ASK, _SHIEN, None, (_unless(Fact.HOST),), False, ("S1",), SHIEN_BASIS.article,
        "支援会議を開けるのは市町村だけです。", "会議体の主催を市町村の機関にしてください。",
    ),
    Row(
        "F9", _AT_THE_TABLE + _EXPORT, _SHIEN, None, (_unless(Fact.SEAT),), False, ("M6", "S8"), SHIEN_SECRECY,
        "この区切りの支援会議の出席者ではありません。",
        "委嘱したうえで、この区切りの出席者に加えてください。加えない人は、区切りの前に退室します。",
    ),
    Row(
        "F10", _AT_THE_TABLE, _JUSO, None, (_unless(Fact.SEAT),), False, ("M6", "C1"), JUSO_GUIDELINE,
        "この区切りの重層的支援会議の出席者ではなく、本人の同意の範囲の外です。",
        "あらかじめ臨時の構成員に加え、本人の同意を確かめてください。加えない人は、区切りの前に退室します。",
    ),
    Row(
        "F11", _ASK, _SHIEN, None, (_when(Fact.TWO_WAY),), False, ("S6",), SHIEN_BASIS.article,
        "双方向のやりとりになる相手は、協力依頼の時に構成員として委嘱していることが必要です。",
        "相手の機関か担当者を先に委嘱し、出席者に加えてください。",
    ),
    Row(
        "F13", _SHOW, _SHIEN, None, (_unless(Fact.SEAT), _unless(Fact.OFFICE)), False, ("S8", "S11"), SHIEN_SECRECY,
        "この事案の支援会議の出席者でも、支援会議を開く市町村の担当者でもありません。",
        "委嘱したうえで、この事案を扱う区切りの出席者に加えてください。",
    ),
    Row(
        "F12", _ASK, _SHIEN, None, (_when(Fact.CONTENT),), False, ("S5", "I5"), SHIEN_SECRECY,
        "協力依頼に事案の内容を書くと、支援会議の情報が外に出ます。",
        "定型の問いだけで依頼するか、相手を先に委嘱してください。",
    ),
)  # fmt: skip

_PERMITS = (
    Row(
        "P1", _SHARE, _JUSO, JUSO_BASIS.code,
        (_IN_FORCE, _when(Fact.AGENCY), _when(Fact.PURPOSE), _when(Fact.MEMBER)),
        True, ("C1", "C2"), JUSO_BASIS.article,
        "本人の同意が有効で、機関・目的・世帯員がその範囲内です。",
    ),
    Row(
        "P2", _SHARE, _SHIEN, SHIEN_BASIS.code, (_when(Fact.COMMISSION),), True, ("C4", "S8"), SHIEN_BASIS.article,
        "委嘱され守秘義務を負う、この支援会議の構成員です。",
    ),
    Row(
        "P3", _ASK, _SHIEN, SHIEN_BASIS.code, (), True, ("S5",), SHIEN_BASIS.article,
        "定型の問いだけの、一方向の協力依頼です。回答は受領資料として支援会議に記録します。",
    ),
    Row(
        "P4", _CARRY, _SHIEN, None,
        (_IN_FORCE, _when(Fact.PURPOSE), _when(Fact.MEMBER), _when(Fact.DECIDED), _when(Fact.PROVIDER)),
        True, ("C10", "I10"), JUSO_BASIS.article,
        "新しい同意の範囲内の項目で、引き継ぐ決定と、情報を出した機関の了解があります。書き写さず、改めて入力します。",
    ),
    Row(
        "P5", _EMERGENCY, None, None, (_when(Fact.RECORD), _when(Fact.LIMIT), _when(Fact.REVIEWED)), True,
        ("I12",), EMERGENCY_SHARING,
        "名宛人・項目・理由・期限・事後審査を記録した緊急の提供です。",
        "管理責任者に直ちに知らせ、3開庁日以内に事後審査をしてください。",
    ),
    Row(
        "K1", _DERIVE, _JUSO, None, (_when(Fact.STANDING, Standing.GIVEN),), True, ("C1",), JUSO_BASIS.article,
        "本人が情報共有に同意しているため、同意の範囲で重層的支援会議で扱います。",
    ),
    Row(
        "K2", _DERIVE, _JUSO, None, (_when(Fact.STANDING, Standing.NARROWED),), True, ("C1",), JUSO_BASIS.article,
        "本人が範囲を限って同意しているため、その範囲だけ重層的支援会議で扱います。",
    ),
    Row(
        "K3", _DERIVE, _SHIEN, None, (_when(Fact.STANDING, Standing.REFUSED),), True, ("C4",), SHIEN_BASIS.article,
        _NO_CONSENT,
    ),
    Row(
        "K4", _DERIVE, _SHIEN, None, (_when(Fact.STANDING, Standing.NOT_ASKED),), True, ("C5",),
        SHIEN_BASIS.article, _NO_CONSENT, "申込みの説明をして、同意の意思を確かめてください。",
    ),
    Row(
        "K5", _DERIVE, _SHIEN, None, (_when(Fact.STANDING, Standing.COULD_NOT_ASK),), True, ("C9",),
        SHIEN_BASIS.article, _NO_CONSENT, "本人と会えるようになったら、同意の意思を確かめてください。",
    ),
    Row(
        "K6", _DERIVE, _SHIEN, None,
        (_when(Fact.STANDING, Standing.WITHDRAWN, Standing.EXPIRED), _when(Fact.NECESSITY)),
        True, ("C11", "S10"), SHIEN_BASIS.article,
        "同意は無くなりましたが、支援会議で扱う必要性を人が判断して記録しています。",
    ),
)  # fmt: skip

_REFUSALS = (
    Row(
        "N1", _SHARE, _JUSO, None, (_when(Fact.STANDING, Standing.WITHDRAWN),), False, ("C11",),
        JUSO_BASIS.article, _WITHDRAWN, _ASK_AGAIN_OR_DECIDE,
    ),
    Row(
        "N2", _SHARE, _JUSO, None, (_when(Fact.STANDING, Standing.EXPIRED),), False, ("C11",), JUSO_BASIS.article,
        _EXPIRED, _ASK_AGAIN_OR_DECIDE,
    ),
    Row(
        "N3", _SHARE, _JUSO, None, (_when(Fact.STANDING, Standing.NOT_BEGUN),), False, ("C1",), JUSO_BASIS.article,
        _NOT_BEGUN, _LATER,
    ),
    Row(
        "N4", _SHARE, _JUSO, None, (_when(Fact.STANDING, *_NO_CONSENT_YET),), False, ("C4",), SHIEN_BASIS.article,
        _NO_CONSENT, "本人の同意を得るか、支援会議で扱ってください。",
    ),
    Row(
        "N5", _SHARE, _JUSO, None, (_unless(Fact.AGENCY),), False, ("C3", "C1"), JUSO_BASIS.article,
        "この機関は、本人の同意の範囲に入っていません。",
        "この機関を含む同意を得るか、この機関のいない区切りで扱ってください。",
    ),
    Row(
        "N6", _SHARE, _JUSO, None, (_unless(Fact.PURPOSE),), False, ("C3", "C8"), JUSO_BASIS.article,
        "この目的は、本人の同意の範囲に入っていません。", "この目的を含む同意を得てください。",
    ),
    Row(
        "N7", _SHARE, _JUSO, None, (_unless(Fact.MEMBER),), False, ("S18", "C1"), JUSO_BASIS.article,
        "この世帯員の同意がありません。同意は世帯ごとではなく、一人ずつです。",
        "この世帯員の同意を得るか、その人に関わる項目を除いてください。",
    ),
    Row(
        "N8", _SHARE, _SHIEN, None, (_unless(Fact.COMMISSION),), False, ("S6", "S7"), SHIEN_BASIS.article,
        "その時に有効な委嘱がありません。",
        "守秘義務を説明し、前にさかのぼらない日付で、その人か所属する団体を委嘱してください。",
    ),
    Row(
        "N9", _ASK, _JUSO, None, (), False, ("C8", "S5"), SHIEN_BASIS.article,
        "協力依頼は、支援会議が行うものです。",
        "同意の範囲の機関には、重層的支援会議への出席か、同意に基づく情報の提供を頼んでください。",
    ),
    Row(
        "N10", _CARRY, _JUSO, None, (), False, ("C10", "I10"), SHIEN_BASIS.article,
        "引継は、支援会議から重層的支援会議への一方向だけです。",
        "支援会議で扱う必要があれば、必要性を判断して記録し、支援会議に改めて書き入れてください。",
    ),
    Row(
        "N11", _CARRY, _SHIEN, None,
        (_when(Fact.STANDING, *(one for one in Standing if one not in _IN_FORCE.among)),), False, ("C10", "C1"),
        JUSO_BASIS.article,
        "引き継ぐ先の、有効な同意がありません。", "本人の同意を得てから引き継ぐか、支援会議で扱い続けてください。",
    ),
    Row(
        "N12", _CARRY, _SHIEN, None, (_unless(Fact.PURPOSE),), False, ("C10", "C3"), JUSO_BASIS.article,
        "この目的は、新しい同意の範囲に入っていません。",
        "この目的を含む同意を得るか、この項目を引き継がないでください。",
    ),
    Row(
        "N13", _CARRY, _SHIEN, None, (_unless(Fact.MEMBER),), False, ("C10", "S18"), JUSO_BASIS.article,
        "この世帯員の同意がありません。", "この世帯員の同意を得るか、この項目を引き継がないでください。",
    ),
    Row(
        "N14", _CARRY, _SHIEN, None, (_unless(Fact.DECIDED),), False, ("C10", "I10"), SHIEN_SECRECY,
        "この項目を引き継ぐ決定がありません。何も決めなければ、何も引き継ぎません。",
        "引き継ぐかどうかを項目ごとに判断して記録してください。",
    ),
    Row(
        "N15", _CARRY, _SHIEN, None, (_unless(Fact.PROVIDER),), False, ("C10", "I10"), SHIEN_SECRECY,
        "情報を出した機関の了解がありません。", "情報を出した機関に、引き継いでよいか確かめて記録してください。",
    ),
    Row(
        "N16", _EMERGENCY, None, None, (_unless(Fact.RECORD),), False, ("I12",), EMERGENCY_SHARING,
        "緊急の提供の記録がそろっていません。",
        "名宛人・渡す項目・理由・事後審査の予定をすべて記録してください。",
    ),
    Row(
        "N17", _EMERGENCY, None, None, (_unless(Fact.LIMIT),), False, ("I12",), EMERGENCY_SHARING,
        "緊急の提供の期限が、今から60分以内ではありません。", "期限を今から60分以内にしてください。",
    ),
    Row(
        "N18", _EMERGENCY, None, None, (_unless(Fact.REVIEWED),), False, ("I12",), EMERGENCY_SHARING,
        "前の緊急の提供の事後審査が済んでいません。", "前の緊急の提供の事後審査を先に終えてください。",
    ),
    Row(
        "N19", _DERIVE, None, None, (_when(Fact.STANDING, Standing.WITHDRAWN),), False, ("C11",),
        SHIEN_BASIS.article, _WITHDRAWN, _ASK_AGAIN_OR_DECIDE,
    ),
    Row(
        "N20", _DERIVE, None, None, (_when(Fact.STANDING, Standing.EXPIRED),), False, ("C11",), JUSO_BASIS.article,
        _EXPIRED, _ASK_AGAIN_OR_DECIDE,
    ),
    Row(
        "N21", _DERIVE, None, None, (_when(Fact.STANDING, Standing.NOT_BEGUN),), False, ("C1",),
        JUSO_BASIS.article, _NOT_BEGUN, _LATER,
    ),
    Row(
        "D0", tuple(Act), None, None, (), False, ("C1", "C4"), JUSO_BASIS.article,
        "共有の根拠がありません。",
        "重層的支援会議か支援会議の事案として扱えるか、本人の同意と会議の法的根拠を確かめてください。",
    ),
)  # fmt: skip

ROWS: tuple[Row, ...] = _FORBIDS + _PERMITS + _REFUSALS
"""First match wins: what is forbidden, what is allowed, why the rest is not, and last what refuses everything."""
