from typing import Any

from textual.app import App, ComposeResult

from slowping.tui.widgets.table import Table, cell


class TableApp(App[None]):
    """A table alone."""

    def compose(self) -> ComposeResult:
        """Nothing else."""
        yield Table("name", "state")

    @property
    def table(self) -> Table:
        """The table."""
        return self.query_one(Table)


def named(*names: str, **states: str) -> dict[str, Any]:
    return {name: (cell(name), cell(states.get(name, "fine"))) for name in names}


async def test_the_keys_of_every_list_move_the_cursor() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 18)) as pilot:
        app.table.show(named(*map(str, range(30))))
        app.table.focus()
        for keys, row in (("jj", 2), ("k", 1), ("G", 29), ("g", 0), (["ctrl+d"], 9), (["end"], 29)):
            await pilot.press(*keys)
            assert app.table.cursor_row == row
            assert app.table.current == str(row)


async def test_a_change_leaves_the_cursor_on_its_row() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        app.table.show(named("a", "b", "c"))
        app.table.focus()
        await pilot.press("j", "j")
        app.table.show(named("a", "c", "d", c="broken"))
        await pilot.pause()
        assert app.table.current == "c"
        assert app.table.get_row("c")[1].plain == "broken"
        app.table.show(named("x", "c", "a"))
        await pilot.pause()
        assert app.table.current == "c"


async def test_enter_is_left_to_the_screen() -> None:
    assert "enter" not in Table("name")._bindings.key_to_bindings


async def test_what_somebody_wrote_is_no_markup() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        app.table.show({"a": (cell("[/foo]\x1b]0;t\x07"), cell("[bold]x"))})
        await pilot.pause()
        assert app.table.get_row("a")[0].plain == "[/foo]␛]0;t␇"
        assert "[bold]x" in app.export_screenshot().replace("&#91;", "[").replace("&#93;", "]")


async def test_other_columns_leave_the_cursor_on_its_row() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        app.table.show(named("a", "b", "c"))
        app.table.go_to("b")
        await pilot.pause()
        app.table.entitle("name", "state", "more")
        app.table.show({key: (*cells, cell("")) for key, cells in named("a", "b", "c").items()})
        await pilot.pause()
        assert app.table.current == "b"
