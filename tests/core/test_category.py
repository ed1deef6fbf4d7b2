import pytest

from slowping.core import category, errors


@pytest.mark.parametrize("name", ["bug", "New sale", "größe", "🐛", "a" * 100, "a-b_c.d/e"])
def test_a_printable_text_can_name_a_category(name: str) -> None:
    assert category.checked_name(name) == name


@pytest.mark.parametrize(
    "name", ["", " bug", "bug ", "a\nb", "a\0b", "\u202e", "a\ud800", "a" * 101]
)
def test_anything_else_cannot(name: str) -> None:
    with pytest.raises(errors.InvalidInput, match="no space before or after"):
        category.checked_name(name)
