"""The command line: one file a noun, every heavy import inside its command."""


def main() -> None:
    """Run the command line."""
