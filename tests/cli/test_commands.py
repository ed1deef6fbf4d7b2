"""Every command against a real server."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from slowping import cli
from slowping.core import api_key
from tests.conftest import RunningHouse

Run = Callable[..., Awaitable[Result]]

LISTINGS = ("project", "category", "channel", "key", "event", "delivery")


@pytest.fixture
def run(house: RunningHouse) -> Run:
    """Run a command as somebody on the server's machine does."""

    async def run(*arguments: str, given: str | None = None, **environ: str) -> Result:
        variables = {"SLOWPING_SERVER": house.base_url, "SLOWPING_API_KEY": house.admin_key}
        # In a thread: a command runs a loop of its own.
        return await asyncio.to_thread(
            CliRunner().invoke, cli.cli, arguments, input=given, env=variables | environ
        )

    return run


async def told(run: Run, *arguments: str) -> Any:
    """What a command prints as JSON."""
    ran = await run(*arguments, "--json")
    assert ran.exit_code == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("noun", LISTINGS)
async def test_a_listing_prints_an_array_of_objects(run: Run, noun: str) -> None:
    assert (await run("send", "bug", "-d", "It broke")).exit_code == 0
    listed = await told(run, noun, "list")
    assert isinstance(listed, list)
    assert all(isinstance(item, dict) for item in listed)
    assert listed


@pytest.mark.parametrize("noun", LISTINGS)
async def test_a_listing_fits_80_columns_for_people(run: Run, noun: str) -> None:
    assert (await run("send", "bug", "-d", "It broke " * 30)).exit_code == 0
    ran = await run(noun, "list", FORCE_COLOR="1", TERM="xterm", NO_COLOR="1", COLUMNS="80")
    assert ran.exit_code == 0, ran.stderr
    assert max(map(len, ran.stdout.splitlines())) <= 80
    assert "\x1b" not in ran.stdout


async def test_groups_of_deliveries_fit_80_columns_for_people(run: Run) -> None:
    await run("channel", "pause", "console")
    assert (await run("send", "bug")).exit_code == 0
    ran = await run("delivery", "groups", FORCE_COLOR="1", TERM="xterm", NO_COLOR="1", COLUMNS="80")
    assert max(map(len, ran.stdout.splitlines())) <= 80


async def test_a_listing_goes_over_pages_up_to_its_limit(run: Run) -> None:
    for name in ("one", "two", "three"):
        await run("project", "create", name)
    assert len(await told(run, "project", "list", "--limit", "2")) == 2
    assert len(await told(run, "project", "list", "--limit", "0")) == 4


# Projects and categories ----------------------------------------------------------------------


async def test_a_project_is_created_changed_and_removed_by_its_name(run: Run) -> None:
    created = await told(run, "project", "create", "shop", "--monthly-quota", "100")
    assert created["monthly_quota"] == 100
    changed = await run(
        "project", "change", "shop", "--monthly-quota", "0", "--origin", "https://shop.example"
    )
    assert changed.exit_code == 0, changed.stderr
    shown = await told(run, "project", "show", "shop")
    assert shown["monthly_quota"] is None
    assert shown["allowed_origins"] == ["https://shop.example"]
    assert shown == await told(run, "project", "show", created["id"])
    assert (await run("project", "remove", "shop")).exit_code == 0
    assert (await run("project", "show", "shop")).exit_code == 1


async def test_no_quota_is_said_alike_in_a_new_project_and_in_a_change(run: Run) -> None:
    created = await told(run, "project", "create", "shop", "--monthly-quota", "0")
    assert created["monthly_quota"] is None


async def test_a_list_of_keys_shows_their_limits_and_when_they_end(run: Run) -> None:
    await run("key", "create", "--name", "a", "--rate-limit", "60", "--expires", "2099-05-06")
    [row] = [line for line in (await run("key", "list")).stdout.splitlines() if " a " in line]
    assert " 60 " in row
    assert " live " in row
    assert "to 2099-05-0" in row


async def test_a_category_is_created_changed_and_removed_by_its_name(run: Run) -> None:
    created = await told(
        run, "category", "create", "deploy", "--emoji", "🚀", "--color", "#2ECC71",
        "--channel", "console", "--priority", "7",
    )  # fmt: skip
    assert (created["color"], created["priority"]) == (0x2ECC71, 7)
    assert created["channels"] == ["console"]
    changed = await run("category", "change", "deploy", "--color", "255", "--all-channels")
    assert changed.exit_code == 0, changed.stderr
    shown = await told(run, "category", "show", "deploy")
    assert (shown["emoji"], shown["color"], shown["channels"]) == ("🚀", 255, [])
    assert shown["priority"] == 7
    assert (await run("category", "change", "deploy", "--priority", "0")).exit_code == 0
    assert (await told(run, "category", "show", "deploy"))["priority"] == 0
    assert (await run("category", "remove", created["id"])).exit_code == 0
    assert (await run("category", "show", "deploy")).exit_code == 1


async def test_a_name_that_several_projects_have_has_to_be_narrowed(run: Run) -> None:
    await run("project", "create", "shop")
    await run("category", "create", "bug", "--project", "shop")
    unclear = await run("category", "show", "bug")
    assert unclear.exit_code == 2
    assert "--project" in unclear.stderr
    assert (await told(run, "category", "show", "bug", "--project", "shop"))["project"] == "shop"


# Channels -------------------------------------------------------------------------------------


async def test_a_channels_settings_are_read_as_its_kind_wants_them(
    run: Run, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("swordfish-and-chips\n", encoding="utf-8")
    ran = await run(
        "channel", "create", "email", "--name", "mail", "--project", "default",
        "--set", "host=127.0.0.1", "--set", "port=2525", "--set", "tls=plain",
        "--set", "username=me", "--set", f"password=@{password}",
        "--set", "from=slowping@example.org", "--set", "to=you@example.org",
    )  # fmt: skip
    assert ran.exit_code == 0, ran.stderr
    settings = (await told(run, "channel", "show", "mail"))["settings"]
    assert settings["port"] == 2525
    assert settings["password"] == "…hips"
    assert "swordfish" not in (await run("channel", "show", "mail")).stdout


async def test_a_secret_that_was_made_is_printed_alone(run: Run) -> None:
    ran = await run(
        "channel", "create", "webhook", "--name", "hook", "--set", "url=https://example.org/hook"
    )
    assert ran.exit_code == 0, ran.stderr
    assert ran.stdout.startswith("whsec_")
    assert ran.stdout.count("\n") == 1
    assert "Created the channel hook" in ran.stderr


async def test_a_setting_can_be_changed_and_go_back_to_its_default(run: Run) -> None:
    await run(
        "channel", "create", "webhook", "--name", "hook",
        "--set", "url=https://example.org/a", "--set", "expire_after_s=60",
    )  # fmt: skip
    ran = await run("channel", "change", "hook", "--name", "hooked", "--unset", "expire_after_s")
    assert ran.exit_code == 0, ran.stderr
    settings = (await told(run, "channel", "show", "hooked"))["settings"]
    assert settings.get("expire_after_s") is None


async def test_a_webhooks_secret_is_made_anew_and_printed_alone(run: Run) -> None:
    hook = ("channel", "create", "webhook", "--name", "hook", "--set", "url=https://example.org")
    first = (await run(*hook)).stdout
    ran = await run("channel", "change", "hook", "--unset", "secret")
    assert ran.exit_code == 0, ran.stderr
    assert ran.stdout.startswith("whsec_")
    assert ran.stdout.count("\n") == 1
    assert ran.stdout != first
    [until] = [
        line for line in (await run("channel", "show", "hook")).stdout.splitlines()
        if line.startswith("set previous_secret_until")
    ]  # fmt: skip
    assert until.endswith(" UTC")


async def test_a_channel_with_wrong_settings_is_wrong_usage(run: Run) -> None:
    ran = await run("channel", "create", "webhook", "--name", "hook", "--set", "uri=https://x")
    assert ran.exit_code == 2
    assert ran.stderr.startswith("slowping: ")


@pytest.mark.parametrize(
    "arguments",
    [("create", "pigeon", "--name", "loft"), ("list", "--kind", "pigeon"), ("kinds", "pigeon")],
)
async def test_an_unknown_kind_is_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    ran = await run("channel", *arguments)
    assert ran.exit_code == 2
    assert "There is no channel kind 'pigeon'. The kinds are console, discord" in ran.stderr


async def test_a_channel_is_paused_and_resumed_by_its_name(run: Run) -> None:
    assert (await run("channel", "pause", "console", "--reason", "Holidays")).exit_code == 0
    paused = await told(run, "channel", "show", "console")
    assert paused["paused_reason"] == "Holidays"
    _, row = (await run("channel", "list")).stdout.splitlines()
    assert re.search(r" paused +\ds +Holidays$", row)
    assert "paused: Holidays" in (await run("channel", "show", "console")).stdout
    assert "paused already: Holidays" in (await run("channel", "pause", "console")).stderr
    assert (await run("channel", "resume", "console")).exit_code == 0
    assert "was not paused" in (await run("channel", "resume", "console")).stderr
    assert (await told(run, "channel", "show", "console"))["paused_at"] is None


async def test_a_channel_is_tried_out_by_its_name(run: Run, house: RunningHouse) -> None:
    ran = await run("channel", "test", "console", "--project", "default")
    assert ran.exit_code == 0, ran.stderr
    assert "delivered" in ran.stderr
    assert "Test" in house.printed


async def test_a_test_that_fails_ends_with_1(run: Run) -> None:
    await run("channel", "create", "webhook", "--name", "hook", "--set", "url=https://localhost:9/")
    ran = await run("channel", "test", "hook")
    assert ran.exit_code == 1
    assert "hook: unusable" in ran.stderr


async def test_the_kinds_and_their_settings_are_listed(run: Run) -> None:
    kinds = (await run("channel", "kinds")).stdout
    for kind in ("console", "discord", "email", "telegram", "webhook"):
        assert kind in kinds
    settings = (await run("channel", "kinds", "webhook")).stdout
    assert "url" in settings
    assert "secret" in settings


async def test_a_channel_is_removed_by_its_name(run: Run) -> None:
    assert (await run("channel", "remove", "console")).exit_code == 0
    assert (await run("channel", "show", "console")).exit_code == 1


async def test_a_removed_channel_tells_what_it_takes_along(run: Run) -> None:
    await run("channel", "pause", "console")
    await run("category", "change", "bug", "--channel", "console")
    await run("send", "bug")
    ran = await run("channel", "remove", "console")
    assert "1 waiting delivery" in ran.stderr
    assert "events of bug go nowhere" in ran.stderr
    assert "console (removed)" in (await run("category", "show", "bug")).stdout
    assert "console (removed)" in (await run("category", "list")).stdout


# Keys -----------------------------------------------------------------------------------------


async def test_a_key_is_printed_alone_and_works(run: Run) -> None:
    ran = await run("key", "create", "--name", "sender", "--scope", "ingest", "--expires", "30d")
    assert ran.exit_code == 0, ran.stderr
    value = ran.stdout.removesuffix("\n")
    assert value.startswith(api_key.PREFIX)
    assert "\n" not in value
    sent = await run("send", "bug", SLOWPING_API_KEY=value)
    assert sent.exit_code == 0, sent.stderr
    shown = await told(run, "key", "show", "sender")
    assert shown["scopes"] == ["ingest"]
    assert shown["expires_at"] is not None


async def test_a_key_without_the_scope_is_refused_with_4(run: Run) -> None:
    value = (await run("key", "create", "--name", "sender")).stdout.strip()
    ran = await run("project", "create", "shop", SLOWPING_API_KEY=value)
    assert ran.exit_code == 4
    assert ran.stderr.startswith("slowping: ")


async def test_an_unknown_key_is_refused_with_4(run: Run) -> None:
    assert (await run("event", "list", SLOWPING_API_KEY="slp_nonsense")).exit_code == 4


async def test_an_existing_value_is_taken_over_from_stdin(run: Run) -> None:
    ran = await run(
        "key", "create", "--name", "moved", "--import-value", "-", given="my-old-api-key-1\n"
    )
    assert ran.exit_code == 0, ran.stderr
    assert ran.stderr.startswith("slowping: Imported the key moved (")
    assert ran.stdout == ""
    assert (await run("send", "bug", SLOWPING_API_KEY="my-old-api-key-1")).exit_code == 0


async def test_an_existing_value_is_not_printed_as_json_either(run: Run) -> None:
    words = ("key", "create", "--name", "moved", "--import-value", "-", "--json")
    ran = await run(*words, given="my-old-api-key-1\n")
    assert json.loads(ran.stdout)["api_key"]["name"] == "moved"
    assert "my-old-api-key-1" not in ran.stdout + ran.stderr


async def test_a_revoked_key_is_refused(run: Run) -> None:
    value = (await run("key", "create", "--name", "sender")).stdout.strip()
    assert (await run("key", "revoke", "sender")).exit_code == 0
    assert (await run("send", "bug", SLOWPING_API_KEY=value)).exit_code == 4
    assert "revoked" in (await run("key", "list")).stdout


async def test_whoever_revokes_the_key_in_use_is_told(run: Run) -> None:
    other = await run("key", "revoke", "first ingest key")
    assert "this command uses" not in other.stderr
    own = await run("key", "revoke", "first admin key")
    assert "this command uses, from the variable SLOWPING_API_KEY" in own.stderr
    after = await run("key", "list")
    assert after.exit_code == 4
    assert "the variable SLOWPING_API_KEY" in after.stderr


async def test_a_rotated_key_is_printed_alone_and_both_work(run: Run) -> None:
    old = (await run("key", "create", "--name", "sender", "--scope", "ingest")).stdout.strip()
    ran = await run("key", "rotate", "sender", "--overlap", "7d")
    assert ran.exit_code == 0, ran.stderr
    new = ran.stdout.removesuffix("\n")
    assert new.startswith(api_key.PREFIX)
    assert "\n" not in new
    assert "works until" in ran.stderr
    assert "this command uses" not in ran.stderr
    for value in (old, new):
        assert (await run("send", "bug", SLOWPING_API_KEY=value)).exit_code == 0


async def test_a_name_that_two_keys_have_is_that_of_the_one_to_rotate(run: Run) -> None:
    await run("key", "create", "--name", "sender")
    first = await told(run, "key", "rotate", "sender")
    unclear = await run("key", "revoke", "sender")
    assert unclear.exit_code == 2
    assert first["api_key"]["id"] in unclear.stderr
    second = await told(run, "key", "rotate", "sender")
    shown = await told(run, "key", "show", first["api_key"]["id"])
    assert shown["rotated_to"] == second["api_key"]["id"]


async def test_rotated_without_an_overlap_the_old_key_has_ended(run: Run) -> None:
    old = (await run("key", "create", "--name", "sender")).stdout.strip()
    ran = await run("key", "rotate", "sender", "--overlap", "0")
    assert "has ended" in ran.stderr
    assert (await run("send", "bug", SLOWPING_API_KEY=old)).exit_code == 4
    assert (await told(run, "key", "show", "sender"))["prefix"] == ran.stdout[:8]
    again = await told(run, "key", "rotate", "sender")
    assert again["value"].startswith(again["api_key"]["prefix"])


async def test_whoever_rotates_the_key_in_use_is_told_where_to_put_the_new_one(run: Run) -> None:
    own = await run("key", "rotate", "first admin key")
    assert "put the new one there" in own.stderr
    assert "the variable SLOWPING_API_KEY" in own.stderr


async def test_a_key_of_the_data_folder_is_put_there_by_the_server(
    house: RunningHouse, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "server.json").write_text(json.dumps({"url": house.base_url}), encoding="utf-8")
    local = {"SLOWPING_SERVER": "", "SLOWPING_API_KEY": "", "SLOWPING_DATA": str(tmp_path)}
    ran = await run("key", "rotate", "first admin key", "--overlap", "0", **local)
    assert ran.exit_code == 0, ran.stderr
    assert f"{tmp_path / 'admin.key'} holds the new one" in ran.stderr
    assert (await run("key", "list", **local)).exit_code == 0


async def test_a_key_that_has_ended_is_not_rotated(run: Run) -> None:
    await run("key", "create", "--name", "sender")
    await run("key", "revoke", "sender")
    ran = await run("key", "rotate", "sender")
    assert ran.exit_code == 1
    assert ran.stdout == ""
    assert "issue a new key" in ran.stderr


async def test_without_a_default_project_a_keys_home_has_to_be_named(run: Run) -> None:
    for name in ("a", "b"):
        await run("project", "create", name)
    admin = await run("key", "create", "--name", "boss", "--scope", "admin", "--project", "a")
    boss = admin.stdout.strip()
    assert (await run("project", "remove", "default", SLOWPING_API_KEY=boss)).exit_code == 0
    unclear = await run("key", "create", "--name", "sender", SLOWPING_API_KEY=boss)
    assert unclear.exit_code == 2
    assert unclear.stdout == ""
    named = await run("key", "create", "--name", "sender", "--project", "b", SLOWPING_API_KEY=boss)
    assert named.exit_code == 0, named.stderr


# Events and deliveries ------------------------------------------------------------------------


async def test_an_event_is_sent_and_shown(run: Run) -> None:
    ran = await run(
        "send", "sale", "-d", "-", "-f", "plan=pro", "-f", "amount:=49.5", "--source", "shell",
        "--color", "#FF0000", given="The first\nof many\n",
    )  # fmt: skip
    assert ran.exit_code == 0, ran.stderr
    event_id = ran.stdout.strip()
    event = (await told(run, "event", "show", event_id))["event"]
    assert event["description"] == "The first\nof many"
    assert event["fields"] == {"plan": "pro", "amount": 49.5}
    assert (event["source"], event["color"]) == ("shell", 0xFF0000)
    shown = (await run("event", "show", event_id)).stdout
    assert "field amount" in shown
    assert "console" in shown


async def test_a_sender_on_the_servers_machine_reaches_every_project(
    run: Run, house: RunningHouse, tmp_path: Path
) -> None:
    await run("project", "create", "shop")
    (tmp_path / "server.json").write_text(json.dumps({"url": house.base_url}), encoding="utf-8")
    local = {"SLOWPING_SERVER": "", "SLOWPING_API_KEY": "", "SLOWPING_DATA": str(tmp_path)}
    assert (await run("send", "bug", "--project", "shop", **local)).exit_code == 0
    (tmp_path / "admin.key").unlink()
    refused = await run("send", "bug", "--project", "shop", **local)
    assert refused.exit_code == 4
    assert str(tmp_path / "ingest.key") in refused.stderr
    assert "key create --name NAME --project shop" in refused.stderr


async def test_sent_twice_with_one_idempotency_key_it_is_one_event(run: Run) -> None:
    first = await run("send", "bug", "--idempotency-key", "k1")
    again = await run("send", "bug", "--idempotency-key", "k1")
    assert first.stdout == again.stdout
    assert "nothing new was stored" in again.stderr
    assert len(await told(run, "event", "list")) == 1


async def test_events_are_narrowed_by_category_and_time(run: Run) -> None:
    await run("send", "bug")
    await run("send", "sale")
    assert [event["category"] for event in await told(run, "event", "list", "--category", "bug")]
    assert len(await told(run, "event", "list", "--since", "1h")) == 2
    assert await told(run, "event", "list", "--until", "1h") == []


async def test_hostile_text_of_a_sender_does_not_reach_the_terminal(run: Run) -> None:
    await run("send", "bug", "-d", "\x1b]0;owned\x07\u202e")
    for arguments in (("event", "list"), ("event", "list", "--json")):
        printed = (await run(*arguments)).stdout
        assert "owned" in printed
        assert not set("\x1b\x07\u202e") & set(printed)


async def test_deliveries_are_listed_as_scripts_rely_on(run: Run) -> None:
    await run("channel", "pause", "console")
    event_id = (await run("send", "bug")).stdout.strip()
    [delivery] = await told(
        run, "delivery", "list", "--project", "default", "--channel", "console",
        "--state", "pending", "--event", event_id,
    )  # fmt: skip
    assert delivery.keys() - {"reference"} == {
        "id", "event_id", "project", "category", "channel", "kind", "state", "attempts",
        "last_error", "due_at", "created_at", "ended_at", "tries",
    }  # fmt: skip
    assert (delivery["state"], delivery["attempts"], delivery["last_error"]) == ("pending", 0, None)
    assert (delivery["project"], delivery["channel"]) == ("default", "console")


async def test_a_delivery_is_discarded_shown_and_retried(run: Run) -> None:
    await run("channel", "pause", "console")
    await run("send", "bug")
    [delivery] = await told(run, "delivery", "list")
    assert (await run("delivery", "discard", delivery["id"])).exit_code == 0
    assert "discarded" in (await run("delivery", "show", delivery["id"])).stdout
    assert (await run("delivery", "retry", delivery["id"])).exit_code == 0
    [again] = await told(run, "delivery", "list")
    assert again["state"] == "pending"


async def test_who_retries_a_delivery_hears_what_came_of_it(run: Run) -> None:
    await run("channel", "pause", "console")
    await run("send", "bug")
    [delivery] = await told(run, "delivery", "list")
    await run("delivery", "discard", delivery["id"])
    await run("channel", "resume", "console")
    ran = await run("delivery", "retry", delivery["id"])
    assert ran.exit_code == 0, ran.stderr
    assert f"{delivery['id']}: delivered after" in ran.stderr


async def test_many_deliveries_are_moved_by_what_they_have_in_common(run: Run) -> None:
    await run("channel", "pause", "console")
    for _ in range(3):
        await run("send", "bug")
    ran = await run("delivery", "discard", "--state", "pending", "--channel", "console")
    assert ran.exit_code == 0, ran.stderr
    assert "3 deliveries" in ran.stderr
    again = await run("delivery", "retry", "--state", "discarded", "--since", "1h")
    assert "3 deliveries" in again.stderr
    assert "0 deliveries" in (await run("delivery", "retry", "--failed")).stderr


async def test_deliveries_that_stand_alike_are_counted(run: Run) -> None:
    await run("channel", "pause", "console")
    for _ in range(2):
        await run("send", "bug")
    [group] = await told(run, "delivery", "groups")
    assert (group["state"], group["channel"], group["count"]) == ("pending", "console", 2)
    assert await told(run, "delivery", "groups", "--state", "failed") == []
    none = await run("delivery", "groups", "--state", "failed", "--state", "discarded")
    assert none.stderr == "slowping: No delivery is failed or discarded.\n"
    printed = (await run("delivery", "groups", "--project", "default")).stdout
    assert "LAST ERROR" in printed
    assert "console" in printed


async def test_where_all_was_delivered_no_group_says_so(run: Run) -> None:
    ran = await run("delivery", "groups", "--project", "default")
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert ran.stderr == "slowping: No delivery of default has failed, and none is on its way.\n"


async def test_deliveries_are_found_and_moved_by_the_words_of_their_error(run: Run) -> None:
    await run("channel", "pause", "console")
    await run("send", "bug")
    assert await told(run, "delivery", "list", "--error", "HTTP 503") == []
    retried = await run("delivery", "retry", "--state", "pending", "--error", "HTTP 503")
    assert "0 deliveries" in retried.stderr


async def test_a_replay_sends_a_new_channel_what_it_has_missed(run: Run) -> None:
    for name in ("bug", "sale"):
        await run("send", name)
    await run("channel", "create", "console", "--name", "late")
    await run("channel", "pause", "late")
    window = ("delivery", "replay", "--since", "1h", "--channel", "late")
    counted = await run(*window, "--dry-run")
    assert counted.exit_code == 0, counted.stderr
    assert "Would send 2 deliveries that were missing, of 2 events." in counted.stderr
    assert await told(run, "delivery", "list", "--channel", "late") == []
    sent = await run(*window, "--category", "bug", "--yes")
    assert "Sending 1 delivery that was missing, of 1 event." in sent.stderr
    [made] = await told(run, "delivery", "list", "--channel", "late")
    assert (made["category"], made["state"]) == ("bug", "pending")
    await run("delivery", "discard", made["id"])
    both = await run(*window)
    assert "Sending 1 delivery again and 1 delivery that was missing, of 2 events." in both.stderr
    nothing = await run(*window)
    assert nothing.exit_code == 0
    assert "Of 2 events, every delivery has arrived or is on its way" in nothing.stderr


async def test_a_replay_of_nothing_says_so(run: Run) -> None:
    nothing = await run("delivery", "replay", "--since", "1h", "--until", "30m", "--again")
    assert nothing.exit_code == 0
    assert "No event of that time" in nothing.stderr
    backwards = await run("delivery", "replay", "--since", "30m", "--until", "1h")
    assert backwards.exit_code == 2
    assert "later than 'since'" in backwards.stderr
    assert (await run("delivery", "replay")).exit_code == 2


async def test_what_goes_to_a_paused_channel_says_that_it_waits_and_why(run: Run) -> None:
    await run("channel", "pause", "console", "--reason", "Holidays.")
    event_id = (await run("send", "bug")).stdout.strip()
    [delivery] = await told(run, "delivery", "list")
    why = "the channel console is paused (Holidays)"
    assert why in (await run("delivery", "retry", delivery["id"])).stderr
    assert why in (await run("delivery", "show", delivery["id"])).stdout
    assert why in (await run("event", "show", event_id)).stdout
    await run("delivery", "discard", delivery["id"])
    assert why not in (await run("delivery", "show", delivery["id"])).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("delivery", "list", "--channel", "ops"),
        ("delivery", "list", "--category", "bgu", "--json"),
        ("delivery", "retry", "--failed", "--channel", "ops"),
        ("delivery", "discard", "--failed", "--category", "bgu"),
        ("delivery", "replay", "--since", "1h", "--channel", "ops"),
        ("event", "list", "--category", "bgu"),
    ],
    ids=" ".join,
)
async def test_a_mistyped_name_is_no_empty_list(run: Run, arguments: tuple[str, ...]) -> None:
    ran = await run(*arguments)
    assert ran.exit_code == 1
    assert "There is no" in ran.stderr
    assert ran.stdout == ""


async def test_a_right_name_may_have_an_empty_list(run: Run) -> None:
    assert await told(run, "delivery", "list", "--channel", "console", "--category", "bug") == []
    assert await told(run, "channel", "list", "--kind", "webhook") == []


async def test_failed_ones_are_not_those_in_another_state(run: Run) -> None:
    ran = await run("delivery", "retry", "--failed", "--state", "pending")
    assert ran.exit_code == 2


async def test_all_deliveries_are_never_meant_by_saying_nothing(run: Run) -> None:
    ran = await run("delivery", "retry")
    assert ran.exit_code == 2
    assert "--failed" in ran.stderr


# The server -----------------------------------------------------------------------------------


async def test_health_needs_no_key(run: Run) -> None:
    ran = await run("health", SLOWPING_API_KEY="")
    assert ran.exit_code == 0, ran.stderr
    assert ran.stdout.startswith("ok")


async def test_a_server_that_is_not_there_ends_with_3(run: Run) -> None:
    ran = await run("project", "list", "--server", "http://127.0.0.1:9")
    assert ran.exit_code == 3
    assert ran.stderr.startswith("slowping: ")
    assert ran.stderr.count("\n") == 1
