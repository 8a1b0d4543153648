"""What every social channel promises, asked of each adapter over real sockets (pipeline/channels/base.py, Channel).

The servers are in conftest.py: they keep their posts, check credentials and can lose an answer.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest

from pipeline.channels import registry
from pipeline.channels.base import (
    Editing,
    Expired,
    Measured,
    Message,
    Permanent,
    RateLimited,
    Reading,
    Refreshing,
    Temporary,
    Unauthorised,
    Unknown,
)

Stage: TypeAlias = Any  # conftest.Stage, which a test module cannot import


def message(number: int = 1, *, text: str = "") -> Message:
    marker = f"https://go.example.org/s/p{number}"
    words = text or f"Ferries run again, part {number} {marker}"
    planned = datetime(2026, 11, 23, 9, tzinfo=UTC)
    return Message(key=f"post-{number}", text=words, marker=marker, created_at=planned)


def test_a_post_is_placed_once_with_its_whole_text(stage: Stage) -> None:
    placed = stage.channel().publish(message())
    assert [(post.id, post.text) for post in stage.posts] == [(placed.remote_id, message().text)]
    assert placed.url
    assert placed.remote_id.rpartition("/")[2] in placed.url


def test_a_placed_post_is_found_by_its_marker(reader: Stage) -> None:
    channel = reader.channel()
    placed = channel.publish(message(1))
    channel.publish(message(2))
    assert channel.find(message(1)) == placed


def test_a_marker_inside_a_longer_one_is_not_found(reader: Stage) -> None:
    channel = reader.channel()
    channel.publish(message(12))
    assert channel.find(message(1)) is None


def test_what_was_never_posted_is_provably_absent(reader: Stage) -> None:
    assert reader.channel().find(message()) is None


def test_an_old_post_is_found_behind_newer_ones(reader: Stage) -> None:
    channel = reader.channel()
    placed = channel.publish(message(1))
    for number in range(2, 60):
        reader.store(message(number).text)
    assert channel.find(message(1)) == placed


def test_an_answer_lost_after_the_post_is_unknown_and_found(reader: Stage) -> None:
    channel, reader.fault = reader.channel(), "drop after"
    with pytest.raises(Unknown):
        channel.publish(message())
    found = channel.find(message())
    assert found
    assert [post.id for post in reader.posts] == [found.remote_id]


def test_a_request_lost_before_the_post_is_unknown_and_absent(reader: Stage) -> None:
    channel, reader.fault = reader.channel(), "drop before"
    with pytest.raises(Unknown):
        channel.publish(message())
    assert channel.find(message()) is None


def test_an_answer_that_comes_too_late_is_unknown_and_found(reader: Stage) -> None:
    channel, reader.fault = reader.channel(), "slow"
    with pytest.raises(Unknown):
        channel.publish(message())
    assert channel.find(message())


def test_a_hundred_lost_answers_give_a_hundred_posts(reader: Stage) -> None:
    """The promise of reconciling: a lost answer is looked up before anything is tried again."""
    channel, drops = reader.channel(), ["drop after", "drop before"]
    for number in range(100):
        reader.fault = drops[number % 2]
        with pytest.raises(Unknown):
            channel.publish(message(number))
        if channel.find(message(number)) is None:
            channel.publish(message(number))
    assert sorted(post.text for post in reader.posts) == sorted(message(number).text for number in range(100))


def test_a_repeated_post_is_what_the_network_makes_of_it(stage: Stage) -> None:
    """Where a repeat is a second post, only reading back (or a person) keeps a lost answer from doubling."""
    channel = stage.channel()
    first = channel.publish(message())
    if stage.answer_to_repeat == "same":
        assert channel.publish(message()) == first
    elif stage.answer_to_repeat == "unknown":
        with pytest.raises(Unknown):
            channel.publish(message())
        assert channel.find(message()) == first
    else:
        assert channel.publish(message()) != first
    assert len(stage.posts) == (2 if stage.answer_to_repeat == "second" else 1)


def test_a_network_that_cannot_be_read_back_says_so_and_a_person_is_asked(stage: Stage) -> None:
    stage.fault = "drop after"
    with pytest.raises(Unknown):
        stage.channel().publish(message())
    assert len(stage.posts) == 1
    if stage.reads_back:
        assert stage.channel().find(message())
    else:
        with pytest.raises(Permanent):
            stage.channel().find(message())


def test_a_refused_connection_is_temporary(stage: Stage) -> None:
    channel = stage.channel()
    stage.close()
    with pytest.raises(Temporary):
        channel.publish(message())
    with pytest.raises(Temporary if stage.reads_back else Permanent):
        channel.find(message())


@pytest.mark.parametrize("act", ["publish", "find"])
def test_asking_for_patience_is_rate_limited_with_its_seconds(reader: Stage, act: str) -> None:
    reader.any_fault = "429"
    with pytest.raises(RateLimited) as limited:
        getattr(reader.channel(), act)(message())
    assert limited.value.retry_after_s == pytest.approx(7, abs=1.5)
    assert reader.posts == []


def test_a_post_that_must_wait_is_rate_limited_with_its_seconds(stage: Stage) -> None:
    stage.any_fault = "429"
    with pytest.raises(RateLimited) as limited:
        stage.channel().publish(message())
    assert limited.value.retry_after_s == pytest.approx(7, abs=1.5)
    assert stage.posts == []


def test_a_broken_server_leaves_a_post_unknown(stage: Stage) -> None:
    stage.fault = "500"
    with pytest.raises(Unknown):
        stage.channel().publish(message())


@pytest.mark.parametrize("fault", ["500", "503", "drop before"])
def test_an_account_that_cannot_be_read_is_temporary(reader: Stage, fault: str) -> None:
    reader.any_fault = fault
    with pytest.raises(Temporary):
        reader.channel().find(message())


def test_a_wrong_secret_is_permanent_or_expired_and_stays_secret(stage: Stage) -> None:
    kind = Expired if stage.renews else Permanent
    for wrong in stage.secrets_used:
        secrets = tuple("wr0ng" if index == wrong else f"{secret}" for index, secret in enumerate(stage.secrets))
        channel = stage.channel(secrets=secrets)
        with pytest.raises(kind) as refused:
            channel.publish(message())
        assert not any(secret in f"{refused.value} {channel!r}" for secret in secrets)
        with pytest.raises(kind):
            channel.find(message())
    assert stage.posts == []


def test_a_text_the_network_refuses_is_permanent(stage: Stage) -> None:
    with pytest.raises(Permanent):
        stage.channel().publish(message(text="much too long " * (stage.limit // 10)))
    assert stage.posts == []


def test_a_deleted_post_is_gone_and_may_be_deleted_again(stage: Stage) -> None:
    channel = stage.channel()
    placed = channel.publish(message())
    channel.delete(placed.remote_id)
    channel.delete(placed.remote_id)
    assert stage.posts == []
    assert not stage.reads_back or channel.find(message()) is None


def test_a_delete_without_an_answer_is_temporary(stage: Stage) -> None:
    channel = stage.channel()
    placed = channel.publish(message())
    stage.any_fault = "drop after"
    with pytest.raises(Temporary):
        channel.delete(placed.remote_id)
    channel.delete(placed.remote_id)
    assert stage.posts == []


def test_every_language_arrives_as_written(stage: Stage) -> None:
    text = "Größe 日本 مرحبا \U0001f468\u200d\U0001f469\u200d\U0001f467 & <b> “x” https://go.example.org/s/p1"
    stage.channel().publish(message(text=text))
    assert stage.posts[0].text == text


def test_an_adapter_says_which_network_it_is(stage: Stage) -> None:
    assert stage.channel().network == stage.network


def test_a_token_that_ran_out_is_renewed_into_keys_that_post(renewing: Stage) -> None:
    channel = renewing.channel()
    renewing.expire()
    with pytest.raises(Expired):
        channel.publish(message(1))
    assert renewing.posts == []
    keys = channel.refresh()
    assert "renewed" not in repr(keys)
    stored = registry.connect(renewing.network, keys=keys.values, handle="harbour.test", base_url=renewing.url)
    for account, number in ((channel, 1), (stored, 2)):
        account.publish(message(number))
    assert len(renewing.posts) == 2


def test_keys_that_nobody_renews_need_a_person(renewing: Stage) -> None:
    channel = renewing.channel(secrets=("wr0ng",) * 4)
    with pytest.raises(Unauthorised):
        channel.refresh()


def test_a_lost_renewal_is_temporary(renewing: Stage) -> None:
    renewing.any_fault = "drop before"
    with pytest.raises(Temporary):
        renewing.channel().refresh()


def test_an_adapter_does_what_the_registry_says_it_can(stage: Stage) -> None:
    can, channel = registry.ADAPTERS[stage.network].can, stage.channel()
    told = (can.edit, can.read, can.metrics, can.refresh)
    assert told == tuple(isinstance(channel, kind) for kind in (Editing, Reading, Measured, Refreshing))


def test_a_post_reads_as_it_was_written_until_it_is_gone(reading: Stage) -> None:
    channel = reading.channel()
    placed = channel.publish(message())
    assert channel.read(placed.remote_id) == message().text
    channel.delete(placed.remote_id)
    assert channel.read(placed.remote_id) is None


def test_parts_of_a_thread_answer_each_other_and_each_is_found(answering: Stage) -> None:
    channel, above = answering.channel(), ""
    placed = []
    for number in (1, 2, 3):
        said = replace(message(number), reply_to=above)
        placed.append(channel.publish(said))
        above = placed[-1].remote_id
        assert channel.find(said) == placed[-1]
    ids = [one.remote_id for one in placed]
    assert [channel.read(one) for one in ids] == [message(number).text for number in (1, 2, 3)]
    assert list(answering.parents.values()) == answering.above([post.id for post in answering.posts])


def test_an_answer_lost_after_it_was_placed_is_found_below_its_post(answering: Stage) -> None:
    channel = answering.channel()
    first = channel.publish(message(1))
    said, answering.fault = replace(message(2), reply_to=first.remote_id), "drop after"
    with pytest.raises(Unknown):
        channel.publish(said)
    found = channel.find(said)
    assert found
    assert list(answering.parents.values()) == [first.remote_id]
    assert len(answering.posts) == 2


def test_every_network_of_threads_is_asked_about_answers(stage: Stage) -> None:
    can = registry.ADAPTERS[stage.network].can
    assert not can.thread or (can.reply and stage.answers)


def test_an_edit_puts_other_words_in_place_and_may_be_repeated(editing: Stage) -> None:
    channel = editing.channel()
    placed = channel.publish(message())
    other = message(text=f"Ferries rest again {message().marker}")
    for _ in range(2):
        assert channel.edit(placed.remote_id, other).remote_id == placed.remote_id
    assert [post.text for post in editing.posts] == [other.text]
