/* turn_feeds.c - feeds in turns: once each, quarantine and those behind, halts, epochs, restarts */
#include <string.h>

#include "turn_journal.h"

static const Avvik__V1__FeedAction RESTART = AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART,
				   GO_ON = AVVIK__V1__FEED_ACTION__FEED_ACTION_GO_ON,
				   ACCEPT_HEAD = AVVIK__V1__FEED_ACTION__FEED_ACTION_ACCEPT_HEAD;

static struct av_feed_standing standing(struct harness *h)
{
	struct av_feed_standing found = {0};
	struct av_txn *txn = harness_read(h);
	(void)av_feed_standing(txn, TOY_FEED, h->arena, &found);
	av_txn_abort(&txn);
	return found;
}

/* --- once --- */

static void an_event_that_is_given_twice_has_its_effect_once(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id id = world_case(1);
	for (int i = 0; i < 10; i++)
		world_add(h, &journal, world_event(h, "north", &id));
	world_give(h, &journal, 0, 6, false);
	assert_int_equal(world_placed(h, &id), 6);
	world_give(h, &journal, 0, 6, false); /* the same */
	world_give(h, &journal, 3, 9, false); /* overlapping */
	assert_int_equal(world_placed(h, &id), 9);
	assert_int_equal(world_cursor(h).position.sequence, 9);
	world_give(h, &journal, 0, 4, false); /* an old one must not move the cursor's work back */
	world_give(h, &journal, 9, 10, false);
	assert_int_equal(world_placed(h, &id), 10);
	harness_check_replay(h);
}

static void a_batch_that_does_not_follow_on_is_not_handled(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id id = world_case(1);
	unsigned char before[32], after[32];
	for (int i = 0; i < 10; i++)
		world_add(h, &journal, world_event(h, "north", &id));
	world_give(h, &journal, 0, 4, false);
	harness_fingerprint(h, before);
	struct av_item item = world_give(h, &journal, 6, 9, false);
	assert_int_equal(item.status, AV_STALE);
	journal.epoch.bytes[5] ^= 1; /* nor one of another history */
	item = world_give(h, &journal, 4, 6, false);
	assert_int_equal(item.status, AV_STALE);
	harness_fingerprint(h, after);
	assert_memory_equal(before, after, 32);
}

static void a_batch_that_moves_the_epoch_moves_the_cursor(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id id = world_case(1);
	for (int i = 0; i < 4; i++)
		world_add(h, &journal, world_event(h, "north", &id));
	world_give(h, &journal, 0, 4, false);
	world_restored(h, &journal, 4);
	world_add(h, &journal, world_event(h, "north", &id));
	struct av_item item = world_give(h, &journal, 4, 6, true);
	assert_int_equal(item.status, AV_OK);
	assert_int_equal(world_cursor(h).position.sequence, 6);
	assert_memory_equal(world_cursor(h).position.epoch.bytes, journal.epoch.bytes, AV_ID_SIZE);
	assert_int_equal(world_placed(h, &id), 5);
}

static void an_unknown_event_is_counted_and_passed_over(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id id = world_case(1);
	Avvik__V1__RulesPublished *unlisted =
		AV_NEW(h->arena, Avvik__V1__RulesPublished, avvik__v1__rules_published);
	world_add(h, &journal,
		harness_event(h, 0, NULL, &id, 0)); /* a body of a later version is no body here */
	world_add(h, &journal,
		harness_event(h, AVVIK__V1__EVENT__BODY_RULES_PUBLISHED, &unlisted->base, NULL, 0));
	world_add(h, &journal, world_event(h, "north", &id));
	world_give(h, &journal, 0, 3, false);
	assert_int_equal(standing(h).passed_over, 1);
	assert_int_equal(world_placed(h, &id), 1);
	assert_int_equal(world_cursor(h).position.sequence, 3);
}

/* --- quarantine --- */

static void later_events_of_the_case_wait_and_other_cases_go_on(void **state)
{
	struct harness *h = *state;
	struct av_id bad = world_case(1), good = world_case(2);
	Avvik__V1__Event *events[] = {world_event(h, "badfeed", &bad), world_event(h, "north", &good),
		world_event(h, "north", &bad), world_event(h, "south", &bad), world_event(h, "south", &good)};
	assert_int_equal(harness_feed_batch(h, TOY_FEED, events, 5), AV_OK);
	assert_int_equal(world_placed(h, &good), 2);
	assert_int_equal(world_placed(h, &bad), 0);
	Avvik__V1__QuarantineFound *found = world_quarantine(h);
	assert_int_equal(found->n_items, 3);
	assert_int_equal(found->items[0]->sequence, 1);
	assert_false(found->items[0]->waiting);
	assert_int_equal(found->items[0]->attempts, 1);
	assert_string_equal(found->items[0]->event, "ReportFiled");
	assert_non_null(strstr(found->items[0]->cause, "not found"));
	assert_true(found->items[1]->waiting);
	assert_true(found->items[2]->waiting);
	/* One that waits cannot be retried by itself. */
	harness_want(world_resolve(h, "q0", 3, true), STATUS(WRONG_STATE));
	/* A retry that fails again counts. */
	Avvik__V1__Reply *again = world_resolve(h, "q1", 1, true);
	harness_want(again, STATUS(DONE));
	assert_non_null(strstr(again->text, "again"));
	assert_int_equal(world_quarantine(h)->items[0]->attempts, 2);
	/* Put right: it succeeds, and those that waited follow in order. */
	toy_feed_refuses = false;
	harness_want(world_resolve(h, "q2", 1, true), STATUS(DONE));
	assert_int_equal(world_placed(h, &bad), 3);
	assert_int_equal(world_quarantine(h)->n_items, 0);
	assert_string_equal(harness_last(h, AVVIK__V1__EVENT__BODY_CASE_PLACED)->case_placed->unit, "south");
	assert_int_equal(harness_count(h, AVVIK__V1__EVENT__BODY_QUARANTINE_RESOLVED, 0), 2);
	harness_check_replay(h);
}

static void a_dropped_event_lets_those_behind_it_follow_and_keeps_the_reason(void **state)
{
	struct harness *h = *state;
	struct av_id bad = world_case(1);
	Avvik__V1__Event *events[] = {world_event(h, "badfeed", &bad), world_event(h, "north", &bad)};
	assert_int_equal(harness_feed_batch(h, TOY_FEED, events, 2), AV_OK);
	harness_want(world_resolve(h, "q1", 1, false), STATUS(DONE));
	assert_int_equal(world_placed(h, &bad), 1);
	assert_int_equal(world_quarantine(h)->n_items, 0);
	Avvik__V1__Event *event = harness_last(h, AVVIK__V1__EVENT__BODY_QUARANTINE_RESOLVED);
	assert_string_equal(event->quarantine_resolved->reason->text, "put right");
	harness_want(world_resolve(h, "q2", 1, false), STATUS(NOT_FOUND));
	assert_true(world_resolve(h, "q1", 1, false)->repeated);
}

static void an_event_that_cannot_be_applied_goes_to_quarantine_alone(void **state)
{
	struct harness *h = *state;
	struct av_id ids[30];
	Avvik__V1__Event *events[30];
	for (unsigned char i = 0; i < 30; i++) {
		ids[i] = world_case((unsigned char)(i + 1));
		events[i] = world_event(h, i % 7 == 3 ? "badapply" : "north", &ids[i]);
	}
	assert_int_equal(harness_feed_batch(h, TOY_FEED, events, 30), AV_OK);
	for (int i = 0; i < 30; i++)
		assert_int_equal(world_placed(h, &ids[i]), i % 7 == 3 ? 0 : 1);
	assert_int_equal(world_quarantine(h)->n_items, 4);
	assert_int_equal(world_cursor(h).position.sequence, 30);
	harness_want(world_resolve(h, "q1", 4, true), STATUS(DONE)); /* it cannot be applied yet: it stays */
	assert_int_equal(world_quarantine(h)->n_items, 4);
	assert_int_equal(world_quarantine(h)->items[0]->attempts, 2);
	toy_apply_fails = false;
	harness_want(world_resolve(h, "q2", 4, true), STATUS(DONE));
	assert_int_equal(world_placed(h, &ids[3]), 1);
	assert_int_equal(world_quarantine(h)->n_items, 3);
}

static void opened_addresses_are_kept_sealed_in_quarantine(void **state)
{
	struct harness *h = *state;
	struct av_id bad = world_case(1);
	static const char secret[] = "kim.andersson@example.org";
	Avvik__V1__OpenedPart part = AVVIK__V1__OPENED_PART__INIT, *parts[] = {&part};
	part.part = AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT;
	part.body = (ProtobufCBinaryData){sizeof secret - 1, (uint8_t *)(uintptr_t)secret};
	assert_int_equal(harness_feed_parts(h, TOY_FEED, world_event(h, "badfeed", &bad), parts, 1), AV_OK);
	struct av_txn *txn = harness_read(h);
	for (unsigned int table = 0; av_store_table(h->store, table); table++) {
		struct av_iter it = av_iter(txn, table, av_bytes(NULL, 0), av_bytes(NULL, 0));
		while (av_iter_next(&it)) {
			const char *value = it.value.data;
			for (size_t i = 0; i + sizeof secret - 1 <= it.value.size; i++)
				if (memcmp(value + i, secret, sizeof secret - 1) == 0)
					fail_msg("the address stands open in table %s",
						av_store_table(h->store, table)->name);
		}
		av_iter_end(&it);
	}
	av_txn_abort(&txn);
	toy_feed_refuses = false;
	harness_want(world_resolve(h, "q1", 1, true), STATUS(DONE));
	assert_true(h->result.doomed); /* the key of what was kept goes */
	assert_int_equal(world_placed(h, &bad), 1);
}

/* --- halts --- */

static void an_event_without_a_case_halts_its_feed_until_it_is_resolved(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id id = world_case(1);
	world_add(h, &journal, world_event(h, "north", &id));
	world_add(h, &journal, world_directory_event(h));
	world_add(h, &journal, world_event(h, "north", &id));
	struct av_item item = world_give(h, &journal, 0, 3, false);
	assert_true(item.halted);
	assert_int_equal(world_placed(h, &id), 1);
	assert_int_equal(world_cursor(h).position.sequence, 0);
	assert_true(standing(h).halted);
	assert_int_equal(standing(h).halted_at, 2);
	item = world_give(h, &journal, 0, 3, false);
	assert_true(item.halted);
	assert_int_equal(world_placed(h, &id), 1);
	/* Commands go on meanwhile. */
	harness_want(world_file(h, "r1", "north"), STATUS(DONE));
	harness_want(world_resolve_feed(h, "f1", GO_ON), STATUS(DONE));
	assert_true(h->result.feeds_resolved);
	item = world_give(h, &journal, 0, 3, false);
	assert_false(item.halted);
	assert_int_equal(world_placed(h, &id), 2);
	assert_int_equal(world_cursor(h).position.sequence, 3);
	assert_int_equal(world_quarantine(h)->n_items, 0);
	assert_string_equal(
		harness_last(h, AVVIK__V1__EVENT__BODY_FEED_RESOLVED)->feed_resolved->reason->text,
		"looked at it");
	harness_want(world_resolve_feed(h, "f2", GO_ON), STATUS(WRONG_STATE));
	harness_check_replay(h);
}

static void a_halted_feed_goes_on_when_its_event_succeeds(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id id = world_case(1);
	world_add(h, &journal, world_directory_event(h));
	world_add(h, &journal, world_event(h, "north", &id));
	assert_true(world_give(h, &journal, 0, 2, false).halted);
	toy_directory_refuses = false;
	harness_want(world_resolve(h, "q1", 1, true), STATUS(DONE));
	assert_true(h->result.feeds_resolved);
	assert_false(standing(h).halted);
	assert_false(world_give(h, &journal, 0, 2, false).halted);
	assert_int_equal(world_placed(h, &id), 1);
}

static void an_unreadable_event_halts_the_feed(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id id = world_case(1);
	world_add(h, &journal, world_event(h, "north", &id));
	journal.events[0] = av_bytes("\x0a\xff\xff", 3);
	assert_true(world_give(h, &journal, 0, 1, false).halted);
	assert_int_equal(world_quarantine(h)->n_items, 1);
	harness_want(world_resolve(h, "q1", 1, false), STATUS(DONE));
	assert_false(world_give(h, &journal, 0, 1, false).halted);
	assert_int_equal(world_cursor(h).position.sequence, 1);
}

/* --- other histories --- */

static void a_restart_passes_over_what_is_known(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id id = world_case(1);
	for (int i = 0; i < 8; i++)
		world_add(h, &journal, world_event(h, "north", &id));
	world_give(h, &journal, 0, 8, false);
	harness_want(world_resolve_feed(h, "f1", RESTART), STATUS(DONE));
	assert_int_equal(world_cursor(h).position.sequence, 0);
	world_give(h, &journal, 0, 5, false);
	world_give(h, &journal, 5, 8, false);
	assert_int_equal(world_placed(h, &id), 8);
	assert_int_equal(world_cursor(h).position.sequence, 8);
}

static void after_a_restart_on_a_restored_producer_only_what_is_new_is_handled(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id old = world_case(1), new = world_case(2);
	for (int i = 0; i < 8; i++)
		world_add(h, &journal, world_event(h, "north", &old));
	world_give(h, &journal, 0, 8, false);
	/* The producer was restored to 5, and has gone on with other events under the same numbers. */
	world_restored(h, &journal, 5);
	for (int i = 0; i < 4; i++)
		world_add(h, &journal, world_event(h, "north", &new));
	harness_want(world_resolve_feed(h, "f1", RESTART), STATUS(DONE));
	world_give(h, &journal, 0, 10, false);
	assert_int_equal(world_placed(h, &old), 8);
	assert_int_equal(world_placed(h, &new), 4);
	/* Again from the start: nothing is new any more. */
	harness_want(world_resolve_feed(h, "f2", RESTART), STATUS(DONE));
	world_give(h, &journal, 0, 10, false);
	assert_int_equal(world_placed(h, &new), 4);
	/* A second restore, from an earlier backup still. */
	world_restored(h, &journal, 3);
	world_add(h, &journal, world_event(h, "north", &new));
	harness_want(world_resolve_feed(h, "f3", RESTART), STATUS(DONE));
	world_give(h, &journal, 0, 5, false);
	assert_int_equal(world_placed(h, &old), 8);
	assert_int_equal(world_placed(h, &new), 5);
}

static void the_producers_head_is_accepted_only_when_it_was_told(void **state)
{
	struct harness *h = *state;
	struct world_journal journal = {0};
	struct av_id id = world_case(1);
	for (int i = 0; i < 8; i++)
		world_add(h, &journal, world_event(h, "north", &id));
	world_give(h, &journal, 0, 8, false);
	harness_want(world_resolve_feed(h, "f1", ACCEPT_HEAD), STATUS(WRONG_STATE));
	world_restored(h, &journal, 3);
	world_add(h, &journal, world_event(h, "north", &id));
	struct av_position head = {.epoch = journal.epoch, .sequence = 5};
	av_turn_feed_head(h->turn, TOY_FEED, &head);
	harness_want(world_resolve_feed(h, "f2", ACCEPT_HEAD), STATUS(DONE));
	assert_int_equal(world_cursor(h).position.sequence, 5);
	world_add(h, &journal, world_event(h, "north", &id));
	world_give(h, &journal, 5, 6, false);
	assert_int_equal(world_placed(h, &id), 9);
	/* What was accepted unseen stays so, also after a restart. */
	harness_want(world_resolve_feed(h, "f3", RESTART), STATUS(DONE));
	world_give(h, &journal, 0, 6, false);
	assert_int_equal(world_placed(h, &id), 9);
}

static void decisions_need_a_reason(void **state)
{
	struct harness *h = *state;
	Avvik__V1__ResolveFeed order = AVVIK__V1__RESOLVE_FEED__INIT;
	order.feed = (char *)(uintptr_t)TOY_FEED;
	order.action = RESTART;
	Avvik__V1__Reply *reply = harness_order(
		h, &administrator, "f1", NULL, AVVIK__V1__COMMAND__BODY_RESOLVE_FEED, &order.base);
	harness_want(reply, STATUS(INVALID));
	assert_string_equal(reply->faults[0]->path, "reason");
	order.reason = (char *)(uintptr_t) "why";
	order.feed = (char *)(uintptr_t) "nobody";
	harness_want(harness_order(h, &administrator, "f2", NULL, AVVIK__V1__COMMAND__BODY_RESOLVE_FEED,
			     &order.base),
		STATUS(NOT_FOUND));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
	static const struct CMUnitTest tests[] = {
		TEST(an_event_that_is_given_twice_has_its_effect_once),
		TEST(a_batch_that_does_not_follow_on_is_not_handled),
		TEST(a_batch_that_moves_the_epoch_moves_the_cursor),
		TEST(an_unknown_event_is_counted_and_passed_over),
		TEST(later_events_of_the_case_wait_and_other_cases_go_on),
		TEST(a_dropped_event_lets_those_behind_it_follow_and_keeps_the_reason),
		TEST(an_event_that_cannot_be_applied_goes_to_quarantine_alone),
		TEST(opened_addresses_are_kept_sealed_in_quarantine),
		TEST(an_event_without_a_case_halts_its_feed_until_it_is_resolved),
		TEST(a_halted_feed_goes_on_when_its_event_succeeds),
		TEST(an_unreadable_event_halts_the_feed),
		TEST(a_restart_passes_over_what_is_known),
		TEST(after_a_restart_on_a_restored_producer_only_what_is_new_is_handled),
		TEST(the_producers_head_is_accepted_only_when_it_was_told),
		TEST(decisions_need_a_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
