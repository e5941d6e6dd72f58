/* turn_failures.c - when something fails: one bad item, an item that ends the process, a full map */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "turn_world.h"

static void one_item_that_cannot_be_applied_does_not_hold_up_the_others(void **state)
{
	struct harness *h = *state;
	enum { COUNT = 40 };
	struct av_item items[COUNT];
	for (int i = 0; i < COUNT; i++)
		items[i] = world_item(
			h, av_arena_printf(h->arena, "r%d", i), i == 17 || i == 30 ? "poison" : "north");
	assert_int_equal(harness_run(h, items, COUNT), AV_OK);
	for (int i = 0; i < COUNT; i++)
		harness_want(world_reply(h, &items[i]), i == 17 || i == 30 ? STATUS(FAILED) : STATUS(DONE));
	assert_int_equal(world_filed(h, "north"), COUNT - 2);
	assert_int_equal(world_filed(h, "poison"), 0);
	assert_int_equal(h->result.failed, 2);
	harness_check_replay(h);
}

static void a_batch_of_nothing_but_bad_items_is_answered(void **state)
{
	struct harness *h = *state;
	unsigned char before[32], after[32];
	struct av_item items[5];
	harness_fingerprint(h, before);
	for (int i = 0; i < 5; i++)
		items[i] = world_item(h, av_arena_printf(h->arena, "r%d", i), "poison");
	assert_int_equal(harness_run(h, items, 5), AV_OK);
	for (int i = 0; i < 5; i++)
		harness_want(world_reply(h, &items[i]), STATUS(FAILED));
	harness_fingerprint(h, after);
	assert_memory_equal(before, after, 32);
}

static void an_item_that_uses_up_the_memory_fails_alone(void **state)
{
	struct harness *h = *state;
	struct av_item items[] = {
		world_item(h, "r1", "north"), world_item(h, "r2", "hungry"), world_item(h, "r3", "north")};
	assert_int_equal(harness_run(h, items, 3), AV_OK);
	harness_want(world_reply(h, &items[0]), STATUS(DONE));
	assert_int_not_equal(world_reply(h, &items[1])->status, STATUS(DONE));
	assert_int_equal(world_filed(h, "hungry"), 0);
	/* Its neighbour stands, or is told to come back; the next turn has all its memory again. */
	if (world_reply(h, &items[2])->status != STATUS(DONE))
		harness_want(world_file(h, "r3", "north"), STATUS(DONE));
	assert_int_equal(world_filed(h, "north"), 2);
}

static void an_item_for_which_the_machine_has_no_memory_is_told_to_come_again(void **state)
{
	struct harness *h = *state;
	struct av_item items[] = {world_item(h, "r1", "north"), world_item(h, "r2", "starved")};
	toy_starves = true;
	assert_int_equal(harness_run(h, items, 2), AV_OK);
	toy_starves = false;
	harness_want(world_reply(h, &items[0]), STATUS(DONE));
	assert_null(items[1].reply.data); /* which the loop answers with BUSY */
	assert_int_equal(h->result.failed, 1);
	harness_want(world_file(h, "r2", "starved"), STATUS(DONE));
}

/* Runs the step in a child over the closed store, and says whether the child was ended by a signal. */
static bool ended_by(struct harness *h, void (*step)(struct harness *h))
{
	av_turn_destroy(&h->turn);
	av_keystore_close(&h->keys);
	av_store_close(&h->store);
	pid_t child = fork();
	if (child == 0) {
		static const struct rlimit no_core;
		setrlimit(RLIMIT_CORE, &no_core);
		harness_restart(h);
		step(h);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	harness_restart(h);
	return WIFSIGNALED(status);
}

static void file_crash(struct harness *h)
{
	world_file(h, "rc", "crash");
}

static void a_command_that_ended_the_process_twice_is_set_aside(void **state)
{
	struct harness *h = *state;
	assert_true(ended_by(h, file_crash));
	assert_null(harness_last(h, AVVIK__V1__EVENT__BODY_ITEM_SET_ASIDE));
	assert_true(ended_by(h, file_crash));
	Avvik__V1__Event *event = harness_last(h, AVVIK__V1__EVENT__BODY_ITEM_SET_ASIDE);
	assert_non_null(event);
	/* From now on it is answered, and the process lives. */
	harness_want(world_file(h, "rc", "crash"), STATUS(FAILED));
	harness_want(world_file(h, "r1", "north"), STATUS(DONE));
	assert_int_equal(world_filed(h, "crash"), 0);
	harness_check_replay(h);
}

static void a_command_that_succeeds_after_one_crash_is_forgiven(void **state)
{
	struct harness *h = *state;
	assert_true(ended_by(h, file_crash));
	toy_crashes = 0;
	harness_want(world_file(h, "rc", "crash"), STATUS(DONE));
	struct av_txn *txn = harness_read(h);
	assert_int_equal(av_table_count(txn, AV_TABLE_ATTEMPTS), 0);
	av_txn_abort(&txn);
}

/* The order of world_item, from a sender that writes out a field without a value: not the canonical form. */
static struct av_bytes sent_otherwise(struct harness *h, struct av_bytes *ret_body)
{
	static const unsigned char protected_identity[] = {13 << 3, 0}, file_report[] = {0xa2, 0x06};
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	command.reference = (char *)(uintptr_t) "r1";
	struct av_bytes head = av_message_pack(&command.base, h->arena);
	struct av_bytes report = av_message_pack(&world_report(h, "north", "it fell")->base, h->arena);
	unsigned char *frame = av_arena_alloc(h->arena, head.size + report.size + 5);
	unsigned char *body = frame + head.size + 3;
	*ret_body = av_bytes(body, report.size + 2);
	assert_true(ret_body->size < 0x80);
	memcpy(frame, head.data, head.size);
	memcpy(frame + head.size, file_report, 2);
	body[-1] = (unsigned char)ret_body->size;
	memcpy(body, report.data, report.size);
	memcpy(body + report.size, protected_identity, 2);
	return av_bytes(frame, head.size + 3 + ret_body->size);
}

/* kill -9 may come while a command is still being read: then it is known by its body as it was sent. */
static void a_command_that_was_being_read_when_the_process_ended_is_forgiven(void **state)
{
	struct harness *h = *state;
	static const unsigned char once[4] = {0, 0, 0, 1};
	unsigned char key[AV_KEY_SIZE], said[4 + AV_HASH_SIZE], hash[AV_HASH_SIZE];
	struct av_bytes sent;
	struct av_item item = world_item(h, "r1", "north");
	struct av_txn *txn;
	item.wire = sent_otherwise(h, &sent);
	av_put_u32(said, AVVIK__V1__COMMAND__BODY_FILE_REPORT);
	av_hash(sent, said + 4);
	assert_int_equal(av_keystore_get(h->keys, AV_KEY_OWN, key), AV_OK);
	av_hash_keyed(key, av_bytes(said, sizeof said), hash);
	assert_int_equal(av_txn_begin_write(h->store, &txn), AV_OK);
	av_put(txn, AV_TABLE_ATTEMPTS, av_bytes(hash, 16), av_bytes(once, sizeof once));
	assert_int_equal(av_txn_commit(&txn), AV_OK);
	harness_restart(h);
	assert_int_equal(harness_run(h, &item, 1), AV_OK);
	harness_want(world_reply(h, &item), STATUS(DONE));
	txn = harness_read(h);
	assert_int_equal(av_table_count(txn, AV_TABLE_ATTEMPTS), 0);
	av_txn_abort(&txn);
	/* What it says is the same: sent in canonical form it is a repetition. */
	assert_true(world_file(h, "r1", "north")->repeated);
}

static struct harness_producer before_crash;

static void feed_crash(struct harness *h)
{
	struct av_id id = world_case(1);
	*harness_producer(h, TOY_FEED) =
		before_crash; /* the same event comes again, as the cursor has not moved */
	harness_feed(h, TOY_FEED, world_event(h, "crash", &id));
}

static void a_feed_event_that_ended_the_process_twice_goes_to_quarantine(void **state)
{
	struct harness *h = *state;
	struct av_id id = world_case(1), other = world_case(2);
	before_crash = *harness_producer(h, TOY_FEED);
	assert_true(ended_by(h, feed_crash));
	assert_true(ended_by(h, feed_crash));
	*harness_producer(h, TOY_FEED) = before_crash;
	Avvik__V1__Event *events[] = {world_event(h, "crash", &id), world_event(h, "north", &other)};
	assert_int_equal(harness_feed_batch(h, TOY_FEED, events, 2), AV_OK);
	Avvik__V1__QuarantineFound *found = world_quarantine(h);
	assert_int_equal(found->n_items, 1);
	assert_int_equal(found->items[0]->sequence, 1);
	assert_int_equal(world_placed(h, &other), 1);
	/* An administrator may try it again, once it has been put right. */
	toy_crashes = 0;
	harness_want(world_resolve(h, "q1", 1, true), STATUS(DONE));
	assert_int_equal(world_placed(h, &id), 1);
	assert_int_equal(world_quarantine(h)->n_items, 0);
}

static void tick_crash(struct harness *h)
{
	harness_tick(h, h->now_ms);
}

static void inner_crash(struct harness *h)
{
	harness_inner(h, 2, av_bytes_of("again"));
}

/* Nobody could send it again, and two kills may have had nothing to do with it. */
static void what_the_daemon_owes_itself_is_held_back_after_two_crashes_and_then_tried_again(void **state)
{
	struct harness *h = *state;
	Avvik__V1__FileReport *report = world_report(h, "north", "it fell");
	struct av_item due = {.kind = AV_ITEM_DUE};
	report->noticed_at_ms = h->now_ms;
	harness_want(
		harness_order(h, &publisher, "r1", NULL, AVVIK__V1__COMMAND__BODY_FILE_REPORT, &report->base),
		STATUS(DONE));
	toy_crashes = 2;
	for (int i = 0; i < 2; i++) {
		assert_true(ended_by(h, tick_crash));
		assert_true(ended_by(h, inner_crash));
	}
	toy_crashes = 0;
	assert_int_equal(harness_inner(h, 2, av_bytes_of("again")), AV_INTERNAL);
	assert_int_equal(harness_run(h, &due, 1), AV_OK);
	assert_int_equal(due.status, AV_INTERNAL);
	h->now_ms += 600000;
	assert_int_equal(harness_inner(h, 2, av_bytes_of("again")), AV_OK);
	assert_int_equal(harness_tick(h, h->now_ms), 1);
	struct av_txn *txn = harness_read(h);
	assert_int_equal(av_table_count(txn, AV_TABLE_ATTEMPTS), 0);
	av_txn_abort(&txn);
	harness_check_replay(h);
}

static int small_open(void **state)
{
	struct harness_options options = {
		.service = &toy_service, .now_ms = harness_at(START), .map_bytes = 1024 * 1024};
	toy_feed_refuses = toy_apply_fails = toy_directory_refuses = true;
	*state = harness_open_with(&options);
	return 0;
}

static void a_full_store_refuses_new_input_and_keeps_the_rest_going(void **state)
{
	struct harness *h = *state;
	struct av_id id = world_case(1);
	unsigned char before[32], after[32];
	Avvik__V1__Reply *reply = NULL;
	int filed = 0;
	for (; filed < 20000; filed++) {
		reply = world_file(h, av_arena_printf(h->arena, "r%d", filed), "north");
		if (reply->status != STATUS(DONE))
			break;
	}
	harness_want(reply, STATUS(FULL));
	assert_true(filed > 50);
	harness_fingerprint(h, before);
	harness_want(world_file(h, "another", "south"), STATUS(FULL));
	harness_fingerprint(h, after);
	assert_memory_equal(before, after, 32);
	/* What was stored is still answered; feeds, due work and administrators go on in the last tenth. */
	assert_true(world_file(h, "r0", "north")->repeated);
	assert_int_equal(harness_feed(h, TOY_FEED, world_event(h, "north", &id)), AV_OK);
	assert_int_equal(world_placed(h, &id), 1);
	harness_check_replay(h);
}

static void a_map_that_fills_inside_a_turn_answers_full_and_recovers(void **state)
{
	struct harness *h = *state;
	enum { COUNT = 3000 };
	static struct av_item items[COUNT];
	unsigned char before[32], after[32];
	for (int i = 0; i < COUNT; i++)
		items[i] = world_item(h, av_arena_printf(h->arena, "big%d", i), "north");
	harness_fingerprint(h, before);
	assert_int_equal(harness_run(h, items, COUNT), AV_FULL);
	for (int i = 0; i < COUNT; i++)
		harness_want(world_reply(h, &items[i]), STATUS(FULL));
	harness_fingerprint(h, after);
	assert_memory_equal(before, after, 32);
	harness_want(world_file(h, "small", "north"), STATUS(DONE));
	/* A feed batch and due work are not lost: they are to be tried again. */
	struct av_item due = {.kind = AV_ITEM_DUE, .arrived_at_ms = h->now_ms};
	items[COUNT - 1] = due;
	assert_int_equal(harness_run(h, items, COUNT), AV_FULL);
	assert_int_equal(items[COUNT - 1].status, AV_FULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
#define SMALL(name) cmocka_unit_test_setup_teardown(name, small_open, world_close)
	static const struct CMUnitTest tests[] = {
		TEST(one_item_that_cannot_be_applied_does_not_hold_up_the_others),
		TEST(a_batch_of_nothing_but_bad_items_is_answered),
		TEST(an_item_that_uses_up_the_memory_fails_alone),
		TEST(an_item_for_which_the_machine_has_no_memory_is_told_to_come_again),
		TEST(a_command_that_ended_the_process_twice_is_set_aside),
		TEST(a_command_that_succeeds_after_one_crash_is_forgiven),
		TEST(a_command_that_was_being_read_when_the_process_ended_is_forgiven),
		TEST(a_feed_event_that_ended_the_process_twice_goes_to_quarantine),
		TEST(what_the_daemon_owes_itself_is_held_back_after_two_crashes_and_then_tried_again),
		SMALL(a_full_store_refuses_new_input_and_keeps_the_rest_going),
		SMALL(a_map_that_fills_inside_a_turn_answers_full_and_recovers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
