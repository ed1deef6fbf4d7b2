import re

import pytest

from slowping.core import errors
from slowping.core.errors import SlowpingError


def test_the_drawing_shows_every_condition_in_its_place() -> None:
    assert _drawn(errors.__doc__ or "") == _defined(SlowpingError)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (errors.NoCredential(), "No API key was given. Send it as 'Authorization: Bearer <key>'."),
        (errors.ForeignOrigin("https://a.test"), "The origin 'https://a.test' is not allowed."),
        (errors.RateLimited(7), "Too many requests. Try again in 7 s."),
        (
            errors.TooManyGuesses(7),
            "This API key is wrong, and so were too many others from this address. A right one "
            "works at once; wrong ones are counted anew in 7 s.",
        ),
        (errors.NoDestination("email"), "This project has no channel of kind email."),
        (errors.TooLarge(1024), "The request body is larger than 1024 bytes."),
        (errors.UnknownCategory("bug"), "There is no category named 'bug'."),
        (errors.NotFound("channel", "team"), "There is no channel 'team'."),
        (errors.NameTaken("channel", "team"), "There is already a channel named 'team'."),
        (errors.NameTaken("API key", "ci"), "There is already an API key named 'ci'."),
        (errors.WrongMethod(["GET", "POST"]), "This path answers to GET, POST only."),
        (errors.InvalidInput("It is wrong."), "It is wrong."),
    ],
)  # fmt: skip
def test_a_condition_reads_as_a_sentence(error: SlowpingError, sentence: str) -> None:
    assert str(error) == sentence


@pytest.mark.parametrize(
    "bare",
    [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.Refused) and "__str__" in vars(kind)
    ],
)
def test_a_condition_without_data_has_a_sentence_too(bare: type[SlowpingError]) -> None:
    assert str(bare()).endswith(".")


Tree = dict[str, str]


def _drawn(text: str) -> Tree:
    """Each condition of the drawing, with the one that it hangs from."""
    parents: list[str] = []
    tree: Tree = {}
    for line in text.splitlines():
        found = re.match(r"([│├└─ ]*)([A-Z]\w+)(\s{2,}|$)", line)
        if found is None:
            continue
        depth = len(found[1]) // 4
        parents[depth:] = [found[2]]
        if depth:
            tree[found[2]] = parents[depth - 1]
    return tree


def _defined(parent: type[SlowpingError]) -> Tree:
    tree: Tree = {}
    for child in parent.__subclasses__():
        if child.__module__ == errors.__name__:
            tree |= {child.__name__: parent.__name__, **_defined(child)}
    return tree
