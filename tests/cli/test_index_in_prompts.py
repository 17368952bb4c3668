"""The map of the codebase in the prompts of plans and discussions, as the real agents send them to their models."""

from pathlib import Path

import pytest
from tests.support.beside import beside, standing
from tests.support.plans import answers, plan

pytestmark = pytest.mark.real_agent


@pytest.mark.parametrize(("enabled", "shown"), [("true", True), ("false", False)])
def test_a_plan_is_made_with_the_map_of_what_is_near_unless_it_is_switched_off(
    tmp_path: Path, enabled: str, shown: bool
) -> None:
    person = standing(tmp_path, "codex")
    (person.home / "shop" / ".locus").mkdir()
    (person.home / "shop" / ".locus" / "config.toml").write_text(f"[index]\nenabled = {enabled}\n")
    (person.home / "shop" / "search.py").write_text("def look_for(words): ...\n")
    with beside(tmp_path, "codex", *answers("codex", plan()), person=person) as here:
        said = here.locus("plan", "Search", "--yes")

        assert said.code == 0, said
        assert ("def look_for(words)" in here.asked(0)) is shown


def test_a_discussion_begins_with_the_map_of_what_is_near(tmp_path: Path) -> None:
    person = standing(tmp_path, "codex")
    (person.home / "shop" / "sessions.py").write_text("def keep_session(cookie): ...\n")
    with beside(
        tmp_path, "codex", *answers("codex", {"reply": "Cookies, then.", "insights": []}), person=person
    ) as here:
        said = here.locus("discuss", "How do we keep sessions?", "--yes")

        assert said.code == 0, said
        assert "def keep_session(cookie)" in here.asked(0)
