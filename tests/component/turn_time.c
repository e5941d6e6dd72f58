/* turn_time.c - due work, the journal's first and special events, replay, and the same again from the same
 * seed */
#include <string.h>

#include "turn_world.h"

static Avvik__V1__Reply *file_due(struct harness *h, const char *reference, int64_t due_ms)
{
	Avvik__V1__FileReport *report = world_report(h, "north", "it fell");
	report->noticed_at_ms = due_ms;
	return harness_order(
		h, &publisher, reference, NULL, AVVIK__V1__COMMAND__BODY_FILE_REPORT, &report->base);
}

static void what_is_due_fires_once_when_its_instant_has_come(void **state)
{
	struct harness *h = *state;
	int64_t due = h->now_ms + 3600000;
	harness_want(file_due(h, "r1", due), STATUS(DONE));
	assert_int_equal(h->result.next_due_ms, due);
	assert_int_equal(harness_next_due(h), due);
	assert_int_equal(harness_tick(h, due - 1), 0);
	assert_int_equal(harness_tick(h, due), 1);
	assert_int_equal(harness_tick(h, due + 1), 0);
	assert_int_equal(h->result.next_due_ms, 0);
	harness_check_replay(h);
}

static void much_due_work_comes_in_pieces_between_which_commands_go(void **state)
{
	struct harness *h = *state;
	enum { COUNT = 2500 };
	int64_t due = h->now_ms + 1000;
	for (int i = 0; i < COUNT; i++)
		harness_want(file_due(h, av_arena_printf(h->arena, "r%d", i), due), STATUS(DONE));
	h->now_ms = due;
	struct av_item items[] = {
		{.kind = AV_ITEM_DUE, .arrived_at_ms = due}, world_item(h, "between", "south")};
	assert_int_equal(harness_run(h, items, 2), AV_OK);
	assert_true(items[0].more);
	assert_int_equal(h->result.events, 1001); /* one piece, and the command */
	harness_want(world_reply(h, &items[1]), STATUS(DONE));
	assert_int_equal(harness_tick(h, due), COUNT - 1000);
	assert_int_equal(harness_count(h, AVVIK__V1__EVENT__BODY_RUNG_FIRED, 0), COUNT);
}

static void a_refused_or_failed_turn_does_not_forget_what_is_planned(void **state)
{
	struct harness *h = *state;
	int64_t due = h->now_ms + 3600000;
	harness_want(file_due(h, "r1", due), STATUS(DONE));
	harness_want(world_file(h, "r2", "refused"), STATUS(INVALID));
	assert_int_equal(h->result.next_due_ms, due);
	harness_want(world_file(h, "r3", "poison"), STATUS(FAILED));
	assert_int_equal(h->result.next_due_ms, due);
}

static void an_inner_item_has_its_effect_or_says_why_not(void **state)
{
	struct harness *h = *state;
	uint64_t head = harness_head(h);
	assert_int_equal(harness_inner(h, 1, av_bytes("x", 1)), AV_OK);
	assert_int_equal(harness_head(h), head + 1);
	assert_int_equal(harness_inner(h, 3, av_bytes("x", 1)), AV_INVALID);
	assert_int_equal(harness_head(h), head + 1);
}

static void a_new_journal_begins_with_store_made(void **state)
{
	struct harness *h = *state;
	Avvik__V1__Event *event = harness_at_sequence(h, 1);
	assert_non_null(event);
	assert_int_equal(event->body_case, AVVIK__V1__EVENT__BODY_STORE_MADE);
	assert_string_equal(event->store_made->daemon, "toy");
	assert_string_equal(event->actor->principal, "avvik");
	harness_restart(h);
	assert_int_equal(harness_head(h), 1);
}

static void a_change_of_principals_is_journalled(void **state)
{
	struct harness *h = *state;
	static const char *added[] = {"new"}, *removed[] = {"old", "older"};
	static const struct av_principals_change change = {
		.added = added, .added_count = 1, .removed = removed, .removed_count = 2};
	static const unsigned char hash[32] = {7};
	struct av_item item = {.kind = AV_ITEM_PRINCIPALS,
		.arrived_at_ms = h->now_ms,
		.change = &change,
		.change_hash = hash,
		.change_count = 12};
	assert_int_equal(harness_run(h, &item, 1), AV_OK);
	Avvik__V1__Event *event = harness_last(h, AVVIK__V1__EVENT__BODY_PRINCIPALS_CHANGED);
	assert_int_equal(event->principals_changed->n_added, 1);
	assert_string_equal(event->principals_changed->removed[1], "older");
	assert_int_equal(event->principals_changed->count, 12);
}

static void a_mixed_journal_replays_to_the_same_projections(void **state)
{
	struct harness *h = *state;
	toy_feed_refuses = false;
	for (unsigned char i = 1; i < 60; i++) {
		struct av_id id = world_case(i);
		world_file(h, av_arena_printf(h->arena, "r%d", i),
			i % 5	? "north"
			: i % 2 ? "refused"
				: "poison");
		harness_feed(h, TOY_FEED, world_event(h, i % 7 ? "north" : "badapply", &id));
		file_due(h, av_arena_printf(h->arena, "d%d", i), h->now_ms + i * 1000);
		harness_tick(h, h->now_ms + 500);
	}
	assert_true(harness_head(h) > 150);
	harness_check_replay(h);
}

static void run_script(uint64_t seed, unsigned char ret_journal[32], unsigned char ret_all[32])
{
	struct harness_options options = {.service = &toy_service, .now_ms = harness_at(START), .seed = seed};
	struct harness *h = harness_open_with(&options);
	for (unsigned char i = 1; i < 20; i++) {
		struct av_id id = world_case(i);
		struct av_item items[] = {world_item(h, av_arena_printf(h->arena, "a%d", i), "north"),
			world_item(h, av_arena_printf(h->arena, "b%d", i), i % 4 ? "south" : "poison"),
			world_item(h, av_arena_printf(h->arena, "c%d", i), "refused")};
		harness_run(h, items, 3);
		harness_feed(h, TOY_FEED, world_event(h, i % 6 ? "north" : "badfeed", &id));
		harness_tick(h, h->now_ms + 60000);
	}
	struct av_position head;
	struct av_txn *txn = harness_read(h);
	assert_int_equal(av_journal_head(txn, &head), AV_OK);
	av_txn_abort(&txn);
	memcpy(ret_journal, head.hash, 32);
	harness_fingerprint(h, ret_all);
	harness_close(&h);
}

static void the_same_seed_gives_the_same_store_byte_for_byte(void **state)
{
	unsigned char journals[3][32], all[3][32];
	AV_UNUSED(state);
	toy_feed_refuses = toy_apply_fails = true;
	run_script(7, journals[0], all[0]);
	run_script(7, journals[1], all[1]);
	run_script(8, journals[2], all[2]);
	assert_memory_equal(journals[0], journals[1], 32);
	assert_memory_equal(all[0], all[1], 32);
	assert_memory_not_equal(journals[0], journals[2], 32);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
	static const struct CMUnitTest tests[] = {
		TEST(what_is_due_fires_once_when_its_instant_has_come),
		TEST(much_due_work_comes_in_pieces_between_which_commands_go),
		TEST(a_refused_or_failed_turn_does_not_forget_what_is_planned),
		TEST(an_inner_item_has_its_effect_or_says_why_not),
		TEST(a_new_journal_begins_with_store_made),
		TEST(a_change_of_principals_is_journalled),
		TEST(a_mixed_journal_replays_to_the_same_projections),
		cmocka_unit_test(the_same_seed_gives_the_same_store_byte_for_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
