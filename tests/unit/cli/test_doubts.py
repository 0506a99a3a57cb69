"""Which computers somebody still has to look at, for `itcare runs --needs-verify`."""

from datetime import timedelta

from itcare.publish.history import read_history
from itcare.publish.run_list import find_doubts, tell_doubts
from tests.support.stories import DAY, Story, observe


def interrupted_story() -> Story:
    """Run 1 left pc01 and pc02 in doubt, run 2 pc01 once more."""
    story = Story("ACME")
    for hosts in (["pc01", "pc02"], ["pc01"]):
        number = story.open_run(hosts)
        for host in hosts:
            story.tell_host(number, host, "interrupted", needs_verify=True)
        story.close_run(number, "interrupted")
    return story


def doubts(story: Story) -> dict[int, list[str]]:
    return find_doubts(tell_doubts(read_history(story.entries, story.body)))


def test_every_run_that_left_a_doubt_names_its_computers() -> None:
    assert doubts(interrupted_story()) == {1: ["pc01", "pc02"], 2: ["pc01"]}


def test_a_later_look_clears_the_doubts_of_that_computer_only() -> None:
    story = interrupted_story()
    story.visit({"pc01": observe()}, at=DAY + timedelta(hours=1))
    assert doubts(story) == {1: ["pc02"]}


def test_a_later_run_that_did_not_reach_the_computer_clears_nothing() -> None:
    story = interrupted_story()
    number = story.open_run(["pc01", "pc02"])
    story.tell_host(number, "pc01", "not_reached")
    story.tell_host(number, "pc02", "not_run")
    story.close_run(number, "partial")
    assert doubts(story) == {1: ["pc01", "pc02"], 2: ["pc01"]}


def test_an_adopted_spool_clears_nothing() -> None:
    story = interrupted_story()
    number = story.open_run(["pc01"], grade="unannounced")
    story.tell_host(number, "pc01", health=observe())
    story.close_run(number)
    assert doubts(story) == {1: ["pc01", "pc02"], 2: ["pc01"]}
