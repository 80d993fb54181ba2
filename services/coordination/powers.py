"""Powers that a city's own rules let nobody delegate: whoever takes such a step has to hold the post now (S13)."""

from datetime import date

from contracts.directory import Staff, StaffView
from contracts.life import Step
from contracts.profile import Profile
from services.coordination import charge, domain
from services.coordination.life_terms import Refusal
from services.coordination.showing import Viewer
from services.service import Work

POWER_TEXT = {"call": "会議の招集", "approve_minutes": "会議録の承認"}


async def posts_of(viewer: Viewer | None, work: Work) -> frozenset[str]:
    """The posts of this viewer, asked for only where a city gives one post powers of its own."""
    if viewer is None or not work.profile.powers:
        return frozenset()
    staff, today = (await work.ask(Staff())).staff, domain.today(work.now())
    mine = (one for one in staff if one.person == viewer.person)
    return frozenset(post for one in mine if _in_post(one, today) for post in one.posts)


def _in_post(one: StaffView, today: date) -> bool:
    return (one.since is None or one.since <= today) and (one.until is None or today <= one.until)


def reserved(step: Step, viewer: Viewer, posts: frozenset[str], profile: Profile) -> Refusal | None:
    """Nobody stands in for the holder of a power that cannot be delegated (S13)."""
    power = charge.power_for(profile, step)
    if power is None or charge.holds(power, viewer.agency, posts):
        return None
    reason = f"{POWER_TEXT[power.action]}は{power.title}だけが行えます。ほかの人には委任できません。"
    return Refusal("S13", reason, f"{power.title}に、この画面で行うように依頼してください。")
