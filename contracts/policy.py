"""The decision table: which kind of meeting may hear a case. Pure: values in, a decision out, no clock, no I/O.

The meeting kind is derived, never chosen (domain.md C1, C4). Rows are tried in order, the first match wins,
and every refusal names the lawful next step.
"""

from dataclasses import dataclass

from contracts.consent import ConsentState
from contracts.legal_basis import CATALOGUE, JUSO_BASIS, SHIEN_BASIS
from contracts.message import Compartment

POLICY_VERSION = 1


@dataclass(frozen=True)
class Decision:
    """What the policy says, with all that a person needs to understand it."""

    allowed: bool
    compartment: Compartment | None
    rule: str
    basis: str
    reason: str
    next_step: str = ""


_NO_CONSENT = "本人の同意がないため、守秘義務のある支援会議だけで扱えます。"
_DERIVATION: dict[ConsentState, Decision] = {
    ConsentState.GIVEN: Decision(
        True,
        Compartment.JUSO,
        "C1",
        JUSO_BASIS.article,
        "本人が情報共有に同意しているため、同意の範囲で重層的支援会議で扱います。",
    ),
    ConsentState.NARROWED: Decision(
        True,
        Compartment.JUSO,
        "C1",
        JUSO_BASIS.article,
        "本人が範囲を限って同意しているため、その範囲だけ重層的支援会議で扱います。",
    ),
    ConsentState.REFUSED: Decision(True, Compartment.SHIEN, "C4", SHIEN_BASIS.article, _NO_CONSENT),
    ConsentState.NOT_ASKED: Decision(
        True,
        Compartment.SHIEN,
        "C5",
        SHIEN_BASIS.article,
        _NO_CONSENT,
        "申込みの説明をして、同意の意思を確かめてください。",
    ),
    ConsentState.COULD_NOT_ASK: Decision(
        True,
        Compartment.SHIEN,
        "C9",
        SHIEN_BASIS.article,
        _NO_CONSENT,
        "本人と会えるようになったら、同意の意思を確かめてください。",
    ),
    ConsentState.WITHDRAWN: Decision(
        False,
        None,
        "C11",
        SHIEN_BASIS.article,
        "同意が撤回されました。撤回した人の事案は、自動では支援会議に移しません。",
        "改めて同意を得るか、支援会議で扱う必要性を判断して記録してください。",
    ),
    ConsentState.EXPIRED: Decision(
        False,
        None,
        "C11",
        JUSO_BASIS.article,
        "同意の期限が切れています。",
        "改めて同意を得るか、支援会議で扱う必要性を判断して記録してください。",
    ),
}


def derive_kind(consent: ConsentState) -> Decision:
    """Which kind of meeting may hear a case whose client's consent is in this state (C1, C4, C5, C9, C11)."""
    return _DERIVATION[consent]


def may_hear(basis_code: str, compartment: Compartment) -> Decision:
    """Whether a block resting on ``basis_code`` may hear an item of ``compartment`` (C1, C4, M13)."""
    basis = CATALOGUE.get(basis_code)
    if basis is not None and basis.compartment is compartment:
        return Decision(True, compartment, "C4" if basis.secrecy else "C1", basis.article, f"{basis.name}の議題です。")
    wanted = SHIEN_BASIS if compartment is Compartment.SHIEN else JUSO_BASIS
    return Decision(
        False,
        None,
        "M13",
        wanted.article,
        "この会議の法的根拠では、この事案を扱えません。",
        f"{wanted.article}({wanted.name})に基づく区切りを設けてください。",
    )
