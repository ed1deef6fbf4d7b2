"""Parse each style sheet once.

Textual parses all of them three times before its first picture, and again for every screen that
brings its own.
"""

from textual.css import stylesheet


class Stylesheet(stylesheet.Stylesheet):
    """Keeps what it has parsed for as long as the theme stays."""

    def __init__(self, *, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._known = variables

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take in a theme's variables; whatever depends on others is parsed anew."""
        if variables != self._known:
            self._known = variables
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse what is not known yet, instead of everything in a sheet that is thrown away."""
        self.parse()
