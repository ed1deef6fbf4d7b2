from collections.abc import Mapping

import pytest

from slowping.tui.keys import keymap


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"list.down": "ctrl+n,down"},
        {"delivery.retry": "d", "delivery.discard": "r"},
        {"list.copy": "Y", "overview.copy-json": "Y"},  # one stands for the other
        {"feed.times": "a"},  # a key of another place
    ],
)
def test_keys_that_no_two_commands_share_are_all_right(keys: Mapping[str, str]) -> None:
    assert list(keymap.problems(keys)) == []


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"no.such": "x"}, "No command has the id 'no.such'; slowping tui --keys lists them."),
        ({"list.down": "k"}, "k is both 'Next row' and 'Row before'."),
        ({"delivery.mark": "q"}, "q is both 'Mark' and 'Quit'."),
        ({"delivery.mark": "j"}, "j is both 'Mark' and 'Next row'."),
        ({"list.invert": "d"}, "d is both 'Turn the filter round' and"),
        ({"feed.times": "x", "feed.markdown": "x"}, "x is both 'Times of day' and"),
    ],
)
def test_keys_that_two_commands_of_one_place_share_are_told_once(
    keys: Mapping[str, str], said: str
) -> None:
    [told] = keymap.problems(keys)
    assert told.startswith(said)


def test_a_key_of_every_list_that_many_places_have_is_told_in_one_sentence() -> None:
    [told] = keymap.problems({"list.down": "r"})
    assert told.startswith("r is both 'Next row' and 'Retry what failed', 'Retry'")
