/* turn_histories.c - feeds whose producers come back with another past: nothing is lost, nothing is done
 * twice */
#include <string.h>

#include "turn_journal.h"

/* --- quarantine --- */

static void another_history_may_put_the_same_sequence_in_quarantine(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {.addresses = true};
	struct av_id old = world_case(1), new = world_case(2);
	for (int i = 0; i < 4; i++)
		world_add(h, &journal, world_event(h, i == 3 ? "badfeed" : "north", &old));
	world_give(h, &journal, 0, 4, false);
	assert_int_equal(world_quarantine(h)->n_items, 1);
	world_restored(h, &journal, 2);				 /* 3 */
	world_add(h, &journal, world_event(h, "badfeed", &new)); /* 4 once more */
	world_add(h, &journal, world_event(h, "north", &old));
	harness_want(world_resolve_feed(h, "f1", AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART), STATUS(DONE));
	struct av_item item = world_give(h, &journal, 0, 5, false);
	assert_int_equal(item.status, AV_OK);
	assert_int_equal(world_cursor(h).position.sequence, 5);
	assert_int_equal(world_placed(h, &old), 4);
	assert_int_equal(world_quarantine(h)->n_items, 1);
	toy_feed_refuses = false;
	harness_want(world_resolve(h, "q1", 4, true), STATUS(DONE));
	assert_int_equal(world_placed(h, &new), 1);
	harness_check_replay(h);
}

/* --- what an administrator decides --- */

static void a_head_that_was_accepted_cannot_be_accepted_again_later(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id id = world_case(1);
	for (int i = 0; i < 8; i++)
		world_add(h, &journal, world_event(h, "north", &id));
	world_give(h, &journal, 0, 8, false);
	world_restored(h, &journal, 3);
	world_add(h, &journal, world_event(h, "north", &id));
	struct av_position head = {.epoch = journal.epoch, .sequence = 5};
	av_turn_feed_head(h->turn, TOY_FEED, &head);
	harness_want(
		world_resolve_feed(h, "f1", AVVIK__V1__FEED_ACTION__FEED_ACTION_ACCEPT_HEAD), STATUS(DONE));
	world_add(h, &journal, world_event(h, "north", &id));
	world_add(h, &journal, world_event(h, "north", &id));
	av_turn_feed_head(h->turn, TOY_FEED, NULL); /* the producer has answered since */
	world_give(h, &journal, 5, 7, false);
	assert_int_equal(world_placed(h, &id), 10);
	harness_want(world_resolve_feed(h, "f2", AVVIK__V1__FEED_ACTION__FEED_ACTION_ACCEPT_HEAD),
		STATUS(WRONG_STATE));
	assert_int_equal(world_cursor(h).position.sequence, 7);
}

static void an_accepted_head_is_not_undone_by_a_batch_of_the_history_before(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id id = world_case(1);
	for (int i = 0; i < 4; i++)
		world_add(h, &journal, world_event(h, "north", &id));
	world_give(h, &journal, 0, 4, false);
	/* Restored, and it still held what was seen: the batch that says so waits for room, say. */
	struct av_id first = journal.epoch;
	world_restored(h, &journal, 4);
	world_add(h, &journal, world_event(h, "north", &id));
	struct world_journal second = journal;
	/* Restored again, further back: a person decides to go on from there. */
	world_restored(h, &journal, 2);
	world_add(h, &journal, world_event(h, "north", &id));
	struct av_position head = {.epoch = journal.epoch, .sequence = 4};
	av_turn_feed_head(h->turn, TOY_FEED, &head);
	harness_want(
		world_resolve_feed(h, "f1", AVVIK__V1__FEED_ACTION__FEED_ACTION_ACCEPT_HEAD), STATUS(DONE));
	second.asked_in = &first;
	struct av_item late = world_give(h, &second, 4, 6, true);
	assert_int_equal(late.status, AV_STALE);
	assert_int_equal(world_cursor(h).position.sequence, 4);
	for (int i = 0; i < 2; i++)
		world_add(h, &journal, world_event(h, "north", &id));
	assert_int_equal(world_give(h, &journal, 4, 6, false).status, AV_OK);
	assert_int_equal(world_placed(h, &id), 6);
}

static void a_restart_is_not_undone_by_a_batch_that_was_under_way(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id id = world_case(1);
	for (int i = 0; i < 10; i++)
		world_add(h, &journal, world_event(h, "north", &id));
	world_give(h, &journal, 0, 8, false);
	harness_want(world_resolve_feed(h, "f1", AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART), STATUS(DONE));
	struct av_item item = world_give(h, &journal, 8, 10, false);
	assert_int_equal(item.status, AV_STALE);
	assert_int_equal(world_cursor(h).position.sequence, 0);
	assert_int_equal(world_give(h, &journal, 0, 10, false).status, AV_OK);
	assert_int_equal(world_placed(h, &id), 10);
}

static void all_events_of_a_journal_that_was_made_anew_are_handled_after_a_restart(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id old = world_case(1), new = world_case(2);
	world_made(h, &journal);
	for (int i = 0; i < 7; i++)
		world_add(h, &journal, world_event(h, "north", &old));
	world_give(h, &journal, 0, 8, false);
	/* The same journal from its start: known. */
	harness_want(world_resolve_feed(h, "f1", AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART), STATUS(DONE));
	world_give(h, &journal, 0, 8, false);
	assert_int_equal(world_placed(h, &old), 7);
	/* The producer lost its store and had no backup. */
	world_made(h, &journal);
	for (int i = 0; i < 3; i++)
		world_add(h, &journal, world_event(h, "north", &new));
	harness_want(world_resolve_feed(h, "f2", AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART), STATUS(DONE));
	world_give(h, &journal, 0, 4, false);
	assert_int_equal(world_placed(h, &new), 3);
	assert_int_equal(world_placed(h, &old), 7);
	harness_want(world_resolve_feed(h, "f3", AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART), STATUS(DONE));
	world_give(h, &journal, 0, 4, false);
	assert_int_equal(world_placed(h, &new), 3);
	harness_check_replay(h);
}

/* --- memory --- */

static void an_event_that_uses_up_the_memory_goes_to_quarantine_and_the_feed_goes_on(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id bad = world_case(1), good = world_case(2);
	for (int i = 0; i < 9; i++)
		world_add(h, &journal, world_event(h, i == 4 ? "hungry" : "north", i == 4 ? &bad : &good));
	struct av_item item = world_give(h, &journal, 0, 9, false);
	assert_int_equal(item.status, AV_OK);
	assert_int_equal(world_placed(h, &good), 8);
	assert_int_equal(world_placed(h, &bad), 0);
	assert_int_equal(world_quarantine(h)->n_items, 1);
	assert_int_equal(world_cursor(h).position.sequence, 9);
}

static void events_that_use_up_the_memory_together_are_handled_apart(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id good = world_case(2);
	for (int i = 0; i < 20; i++)
		world_add(h, &journal, world_event(h, "greedy", &good));
	struct av_item item = world_give(h, &journal, 0, 20, false);
	assert_int_equal(item.status, AV_OK);
	assert_int_equal(world_quarantine(h)->n_items, 0);
	assert_int_equal(world_placed(h, &good), 20);
	assert_int_equal(world_cursor(h).position.sequence, 20);
}

/* --- who may see events --- */

static void a_system_for_some_units_does_not_read_the_journal_of_all(void **state)
{
	struct harness *h = *state;
	static const char *const units[] = {"north", NULL};
	struct av_principal all = {.name = "all", .kind = "case_system", .rights = AV_MAY_QUERY};
	struct av_principal some = {
		.name = "some", .kind = "case_system", .rights = AV_MAY_QUERY, .units = units};
	Avvik__V1__GetEvents ask = AVVIK__V1__GET_EVENTS__INIT;
	harness_want(world_file(h, "r1", "south"), STATUS(DONE));
	harness_want(harness_order(h, &all, NULL, NULL, AVVIK__V1__COMMAND__BODY_GET_EVENTS, &ask.base),
		STATUS(DONE));
	harness_want(harness_order(h, &some, NULL, NULL, AVVIK__V1__COMMAND__BODY_GET_EVENTS, &ask.base),
		STATUS(FORBIDDEN));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
	static const struct CMUnitTest tests[] = {
		TEST(another_history_may_put_the_same_sequence_in_quarantine),
		TEST(a_head_that_was_accepted_cannot_be_accepted_again_later),
		TEST(an_accepted_head_is_not_undone_by_a_batch_of_the_history_before),
		TEST(a_restart_is_not_undone_by_a_batch_that_was_under_way),
		TEST(all_events_of_a_journal_that_was_made_anew_are_handled_after_a_restart),
		TEST(an_event_that_uses_up_the_memory_goes_to_quarantine_and_the_feed_goes_on),
		TEST(events_that_use_up_the_memory_together_are_handled_apart),
		TEST(a_system_for_some_units_does_not_read_the_journal_of_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
