"""What stands where there is nothing to show: why, and which key helps."""

from textual.content import Content
from textual.widgets import Static


class EmptyState(Static):
    """A sentence, and below it what to do."""

    def __init__(self, why: str = "", then: str = "", **kwargs: str) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]  # id and classes are texts
        self.say(why, then)

    def say(self, why: str, then: str = "") -> None:
        """Say something else."""
        self.update(Content.assemble((why, "bold"), *(["\n\n", then] if then else [])))
