/* bus_feed.c - both ends of a feed over loopback and a real store. */
#include <string.h>
#include "base/status.h"
#include "bus_feed_world.h"

static bool refused(void *context)
{
	return ((struct feeds *)context)->refusals > 0;
}

static void a_reader_catches_up_in_order_within_its_credit(void **state)
{
	struct feeds *f = *state;
	feeds_append(f, FILED, 1050, 16);
	feeds_follow(f, ALICE, 100, 65536);
	assert_true(feeds_run_to(f, 1050, 5000));
	assert_int_equal(f->items, 1050);
	assert_int_equal(f->out_of_order, 0);
	assert_int_equal(f->largest_items, 100);
	assert_int_equal(f->batches, 11);
	assert_true(av_feed_client_at_head(f->client));
	assert_true(av_feed_client_connected(f->client));
	assert_int_equal(av_feed_client_head(f->client), 1050);
}

static void a_batch_keeps_within_its_bytes_and_one_event_larger_than_that_comes_alone(void **state)
{
	struct feeds *f = *state;
	feeds_append(f, FILED, 50, 300);
	feeds_append(f, FILED, 1, 100000);
	feeds_append(f, FILED, 1, 16);
	feeds_follow(f, ALICE, 10000, 2048);
	assert_true(feeds_run_to(f, 52, 5000));
	assert_int_equal(f->items, 52);
	assert_true(f->largest_bytes >= 100000);
	assert_true(f->batches >= 10);
	assert_int_equal(f->out_of_order, 0);
}

static void a_reader_waits_at_the_head_and_is_woken_when_the_journal_grows(void **state)
{
	struct feeds *f = *state;
	feeds_follow(f, ALICE, 100, 65536);
	world_wait(&f->world, 200);
	assert_int_equal(av_feed_server_waiting(f->server), 1);
	for (uint64_t i = 1; i <= 20; i++) {
		feeds_append(f, FILED, 1, 16);
		av_feed_server_advanced(f->server);
		assert_true(feeds_run_to(f, i, 1000));
	}
	assert_int_equal(f->items, 20);
}

static bool at_head(void *context)
{
	return av_feed_client_at_head(((struct feeds *)context)->client);
}

static void a_reader_that_begins_at_the_head_learns_so_at_once(void **state)
{
	struct feeds *f = *state;
	feeds_append(f, FILED, 3, 16);
	feeds_follow(f, ALICE, 100, 65536);
	assert_true(feeds_run_to(f, 3, 1000));
	feeds_unfollow(f);
	feeds_follow(f, ALICE, 100, 65536);
	assert_true(world_run(&f->world, at_head, f, 1000));
	assert_true(av_feed_client_connected(f->client));
}

static void an_owner_that_is_not_done_gets_no_second_batch_and_the_next_one_is_ready_when_it_is(void **state)
{
	struct feeds *f = *state;
	feeds_append(f, FILED, 30, 16);
	f->slow = true;
	feeds_follow(f, ALICE, 10, 65536);
	assert_true(feeds_run_to(f, 10, 3000));
	world_wait(&f->world, 200);
	assert_int_equal(f->batches, 1);
	assert_false(av_feed_client_at_head(f->client));
	assert_int_equal(av_feed_server_waiting(f->server), 0); /* one ahead, and no more is asked */
	av_feed_client_done(f->client);
	assert_int_equal(f->batches, 2); /* without the loop: it was there */
	world_wait(&f->world, 200);
	av_feed_client_done(f->client);
	assert_int_equal(f->last, 30);
	av_feed_client_done(f->client);
	assert_int_equal(f->out_of_order, 0);
}

static void what_a_reader_may_not_see_is_passed_over_and_the_cursor_moves(void **state)
{
	struct feeds *f = *state;
	feeds_append(f, FILED, 5, 16);
	feeds_append(f, CLOSED, 2, 16);
	feeds_append(f, SECRET, 3, 16);
	feeds_follow(f, BOB, 100, 65536);
	assert_true(feeds_run_to(f, 10, 3000));
	assert_int_equal(f->items, 2);
	assert_int_equal(f->last, 7);
	feeds_append(f, FILED, 4, 16);
	av_feed_server_advanced(f->server);
	assert_true(feeds_run_to(f, 14, 1000));
	assert_int_equal(f->empty, 1);
	assert_true(av_feed_client_at_head(f->client));
}

static void a_long_stretch_that_may_not_be_seen_is_read_in_bounded_steps(void **state)
{
	struct feeds *f = *state;
	feeds_append(f, SECRET, 2 * AV_FEED_SCAN_MAX + 10, 16);
	feeds_append(f, CLOSED, 1, 16);
	feeds_follow(f, BOB, 100, 65536);
	assert_true(feeds_run_to(f, f->appended, 10000));
	assert_int_equal(f->batches, 3);
	assert_int_equal(f->empty, 2);
	assert_int_equal(f->items, 1);
}

static void opened_addresses_go_to_the_right_contacts_alone_and_show_in_the_view(void **state)
{
	struct feeds *f = *state;
	unsigned char view[32];
	feeds_append(f, FILED, 3, 16);
	feeds_follow(f, ALICE, 100, 65536);
	assert_true(feeds_run_to(f, 3, 3000));
	assert_int_equal(f->parts, 3);
	memcpy(view, f->cursor.view, sizeof(view));
	static const struct world_row without[] = {{ALICE, "all", "feed", "", ""}};
	world_principals(&f->world, without, 1);
	feeds_append(f, FILED, 3, 16);
	av_feed_server_advanced(f->server);
	assert_true(feeds_run_to(f, 6, 3000));
	assert_int_equal(f->items, 6);
	assert_int_equal(f->parts, 3);
	assert_memory_not_equal(view, f->cursor.view, sizeof(view));
}

static void a_reader_without_the_right_is_refused_and_stops(void **state)
{
	struct feeds *f = *state;
	feeds_append(f, FILED, 3, 16);
	feeds_follow(f, CAROL, 100, 65536);
	assert_true(world_run(&f->world, refused, f, 3000));
	assert_int_equal(f->refused, AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_NOT_ALLOWED);
	world_wait(&f->world, 200);
	assert_int_equal(f->refusals, 1);
	assert_int_equal(f->batches, 0);
}

static void a_reader_revoked_while_it_waits_gets_nothing_more(void **state)
{
	struct feeds *f = *state;
	feeds_follow(f, ALICE, 100, 65536);
	world_wait(&f->world, 200);
	assert_int_equal(av_feed_server_waiting(f->server), 1);
	world_principals(&f->world, feeds_rows + 1, 2);
	feeds_append(f, FILED, 3, 16);
	av_feed_server_advanced(f->server);
	assert_true(world_run(&f->world, refused, f, 1000));
	assert_int_equal(f->refused, AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_NOT_ALLOWED);
	assert_int_equal(f->items, 0);
}

static void a_position_with_another_hash_or_beyond_the_head_is_refused_until_a_restart_elsewhere(void **state)
{
	struct feeds *f = *state;
	feeds_append(f, FILED, 10, 16);
	feeds_follow(f, ALICE, 100, 65536);
	assert_true(feeds_run_to(f, 10, 3000));
	struct av_cursor good = f->cursor, bad = good, beyond = good;
	bad.position.hash[5] ^= 1;
	beyond.position.sequence = 11;
	world_wait(&f->world, 50);
	av_feed_client_restart(f->client, &bad);
	assert_true(world_run(&f->world, refused, f, 3000));
	assert_int_equal(f->refused, AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_UNKNOWN_POSITION);
	f->refusals = 0;
	av_feed_client_restart(f->client, &beyond);
	assert_true(world_run(&f->world, refused, f, 3000));
	feeds_append(f, FILED, 1, 16);
	av_feed_server_advanced(f->server);
	world_wait(&f->world, 200);
	assert_int_equal(f->items, 10); /* stopped is stopped */
	av_feed_client_restart(f->client, &good);
	assert_true(feeds_run_to(f, 11, 3000));
	assert_int_equal(f->items, 11);
}

static void in_a_new_epoch_with_the_same_hash_the_reader_goes_on_by_itself(void **state)
{
	struct feeds *f = *state;
	struct av_txn *txn;
	feeds_append(f, FILED, 10, 16);
	feeds_follow(f, ALICE, 100, 65536);
	assert_true(feeds_run_to(f, 10, 3000));
	struct av_id before = f->cursor.position.epoch;
	world_wait(&f->world, 50);
	assert_int_equal(av_txn_begin_write(f->store, &txn), AV_OK);
	av_journal_new_epoch(txn, &f->random);
	assert_int_equal(av_txn_commit(&txn), AV_OK);
	av_feed_server_advanced(f->server);
	feeds_append(f, FILED, 5, 16);
	av_feed_server_advanced(f->server);
	assert_true(feeds_run_to(f, 15, 3000));
	assert_true(f->moved);
	assert_memory_not_equal(&before, &f->cursor.position.epoch, sizeof(before));
	assert_int_equal(f->items, 15);
	assert_int_equal(f->out_of_order, 0);
	assert_int_equal(f->refusals, 0);
}

static void when_the_producer_comes_back_the_reader_goes_on(void **state)
{
	struct feeds *f = *state;
	feeds_append(f, FILED, 10, 16);
	feeds_follow(f, ALICE, 100, 65536);
	assert_true(feeds_run_to(f, 10, 3000));
	for (uint64_t i = 1; i <= 3; i++) {
		av_feed_server_close(&f->server);
		world_wait(&f->world, 100);
		feeds_append(f, FILED, 5, 16);
		feeds_open_server(f);
		assert_true(feeds_run_to(f, 10 + 5 * i, 4000)); /* sooner than silence would tell */
	}
	assert_int_equal(f->items, 25);
	assert_int_equal(f->out_of_order, 0);
}

static void a_reader_that_loses_the_right_while_it_waits_gets_nothing_more(void **state)
{
	struct feeds *f = *state;
	static const struct world_row without[] = {{ALICE, "all", "query", "", ""}};
	feeds_follow(f, ALICE, 100, 65536);
	world_wait(&f->world, 200);
	assert_int_equal(av_feed_server_waiting(f->server), 1);
	world_principals(&f->world, without, 1);
	feeds_append(f, FILED, 3, 16);
	av_feed_server_advanced(f->server);
	assert_true(world_run(&f->world, refused, f, 1000));
	assert_int_equal(f->refused, AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_NOT_ALLOWED);
	assert_int_equal(f->items, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		feeds_test(a_reader_catches_up_in_order_within_its_credit),
		feeds_test(a_batch_keeps_within_its_bytes_and_one_event_larger_than_that_comes_alone),
		feeds_test(a_reader_waits_at_the_head_and_is_woken_when_the_journal_grows),
		feeds_test(a_reader_that_begins_at_the_head_learns_so_at_once),
		feeds_test(
			an_owner_that_is_not_done_gets_no_second_batch_and_the_next_one_is_ready_when_it_is),
		feeds_test(what_a_reader_may_not_see_is_passed_over_and_the_cursor_moves),
		feeds_test(a_long_stretch_that_may_not_be_seen_is_read_in_bounded_steps),
		feeds_test(opened_addresses_go_to_the_right_contacts_alone_and_show_in_the_view),
		feeds_test(a_reader_without_the_right_is_refused_and_stops),
		feeds_test(a_reader_revoked_while_it_waits_gets_nothing_more),
		feeds_test(
			a_position_with_another_hash_or_beyond_the_head_is_refused_until_a_restart_elsewhere),
		feeds_test(in_a_new_epoch_with_the_same_hash_the_reader_goes_on_by_itself),
		feeds_test(when_the_producer_comes_back_the_reader_goes_on),
		feeds_test(a_reader_that_loses_the_right_while_it_waits_gets_nothing_more),
	};
	return cmocka_run_group_tests_name("bus_feed", tests, NULL, NULL);
}
