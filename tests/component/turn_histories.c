/* turn_histories.c - feeds whose producers come back with another past: nothing is lost, nothing is done
 * twice */
#include <string.h>

#include "turn_world.h"

/* A producer's journal that the test keeps; any part of it can be given at any time. */
struct journal {
	struct av_id epoch;
	uint64_t count;
	struct av_bytes events[64];
	struct av_id ids[64];
	bool addresses; /* each item carries an opened address */
};

static void journal_add(struct harness *h, struct journal *journal, Avvik__V1__Event *event)
{
	struct av_id_source source = {0};
	struct av_id *id = &journal->ids[journal->count];
	*id = av_id_next(&source, h->now_ms, &h->random);
	event->event_id = (ProtobufCBinaryData){AV_ID_SIZE, id->bytes};
	event->sequence = journal->count + 1;
	journal->events[journal->count++] = av_message_pack(&event->base, h->arena);
}

static void journal_restored(struct harness *h, struct journal *journal, uint64_t keep)
{
	Avvik__V1__JournalRestored *body =
		AV_NEW(h->arena, Avvik__V1__JournalRestored, avvik__v1__journal_restored);
	body->sequence = keep;
	journal->count = keep;
	journal->epoch.bytes[0]++;
	journal_add(
		h, journal, harness_event(h, AVVIK__V1__EVENT__BODY_JOURNAL_RESTORED, &body->base, NULL, 0));
}

static void journal_made(struct harness *h, struct journal *journal)
{
	Avvik__V1__StoreMade *body = AV_NEW(h->arena, Avvik__V1__StoreMade, avvik__v1__store_made);
	journal->count = 0;
	journal->epoch.bytes[0]++;
	journal_add(h, journal, harness_event(h, AVVIK__V1__EVENT__BODY_STORE_MADE, &body->base, NULL, 0));
}

static const struct av_id
	*asked_in; /* the epoch in which the next batch was asked for; NULL: where the cursor stands */

static struct av_item give(
	struct harness *h, const struct journal *journal, uint64_t after, uint64_t until, bool moved)
{
	static Avvik__V1__FeedBatch batch;
	static Avvik__V1__Cursor reached;
	static Avvik__V1__FeedItem items[64], *list[64];
	static Avvik__V1__OpenedPart part, *parts[] = {&part};
	static unsigned char hash[32];
	memset(hash, (int)until, sizeof hash);
	avvik__v1__feed_batch__init(&batch);
	avvik__v1__cursor__init(&reached);
	avvik__v1__opened_part__init(&part);
	part.part = AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT;
	part.body = (ProtobufCBinaryData){3, (uint8_t *)(uintptr_t) "a@b"};
	reached.epoch_id = (ProtobufCBinaryData){AV_ID_SIZE, (uint8_t *)(uintptr_t)journal->epoch.bytes};
	reached.sequence = until;
	reached.chain_hash = (ProtobufCBinaryData){32, hash};
	batch.reached = &reached;
	batch.moved_epoch = moved;
	batch.items = list;
	for (uint64_t at = after; at < until; at++) {
		Avvik__V1__FeedItem *item = &items[batch.n_items];
		avvik__v1__feed_item__init(item);
		item->sequence = at + 1;
		item->event = (ProtobufCBinaryData){
			journal->events[at].size, (uint8_t *)(uintptr_t)journal->events[at].data};
		item->n_parts = journal->addresses ? 1 : 0;
		item->parts = journal->addresses ? parts : NULL;
		list[batch.n_items++] = item;
	}
	struct av_item item = {.kind = AV_ITEM_FEED,
		.arrived_at_ms = h->now_ms,
		.feed = TOY_FEED,
		.batch = &batch,
		.after = after,
		.after_epoch = asked_in};
	assert_int_equal(harness_run(h, &item, 1), AV_OK);
	return item;
}

static uint64_t cursor_sequence(struct harness *h)
{
	struct av_cursor at = {0};
	struct av_txn *txn = harness_read(h);
	(void)av_cursor_load(txn, TOY_FEED, &at);
	av_txn_abort(&txn);
	return at.position.sequence;
}

/* --- quarantine --- */

static void another_history_may_put_the_same_sequence_in_quarantine(void **state)
{
	struct harness *h = *state;
	struct journal journal = {.addresses = true};
	struct av_id old = world_case(1), new = world_case(2);
	for (int i = 0; i < 4; i++)
		journal_add(h, &journal, world_event(h, i == 3 ? "badfeed" : "north", &old));
	give(h, &journal, 0, 4, false);
	assert_int_equal(world_quarantine(h)->n_items, 1);
	journal_restored(h, &journal, 2);			   /* 3 */
	journal_add(h, &journal, world_event(h, "badfeed", &new)); /* 4 once more */
	journal_add(h, &journal, world_event(h, "north", &old));
	harness_want(world_resolve_feed(h, "f1", AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART), STATUS(DONE));
	struct av_item item = give(h, &journal, 0, 5, false);
	assert_int_equal(item.status, AV_OK);
	assert_int_equal(cursor_sequence(h), 5);
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
	struct journal journal = {0};
	struct av_id id = world_case(1);
	for (int i = 0; i < 8; i++)
		journal_add(h, &journal, world_event(h, "north", &id));
	give(h, &journal, 0, 8, false);
	journal_restored(h, &journal, 3);
	journal_add(h, &journal, world_event(h, "north", &id));
	struct av_position head = {.epoch = journal.epoch, .sequence = 5};
	av_turn_feed_head(h->turn, TOY_FEED, &head);
	harness_want(
		world_resolve_feed(h, "f1", AVVIK__V1__FEED_ACTION__FEED_ACTION_ACCEPT_HEAD), STATUS(DONE));
	journal_add(h, &journal, world_event(h, "north", &id));
	journal_add(h, &journal, world_event(h, "north", &id));
	av_turn_feed_head(h->turn, TOY_FEED, NULL); /* the producer has answered since */
	give(h, &journal, 5, 7, false);
	assert_int_equal(world_placed(h, &id), 10);
	harness_want(world_resolve_feed(h, "f2", AVVIK__V1__FEED_ACTION__FEED_ACTION_ACCEPT_HEAD),
		STATUS(WRONG_STATE));
	assert_int_equal(cursor_sequence(h), 7);
}

static void an_accepted_head_is_not_undone_by_a_batch_of_the_history_before(void **state)
{
	struct harness *h = *state;
	struct journal journal = {0};
	struct av_id id = world_case(1);
	for (int i = 0; i < 4; i++)
		journal_add(h, &journal, world_event(h, "north", &id));
	give(h, &journal, 0, 4, false);
	/* Restored, and it still held what was seen: the batch that says so waits for room, say. */
	struct av_id first = journal.epoch;
	journal_restored(h, &journal, 4);
	journal_add(h, &journal, world_event(h, "north", &id));
	struct journal second = journal;
	/* Restored again, further back: a person decides to go on from there. */
	journal_restored(h, &journal, 2);
	journal_add(h, &journal, world_event(h, "north", &id));
	struct av_position head = {.epoch = journal.epoch, .sequence = 4};
	av_turn_feed_head(h->turn, TOY_FEED, &head);
	harness_want(
		world_resolve_feed(h, "f1", AVVIK__V1__FEED_ACTION__FEED_ACTION_ACCEPT_HEAD), STATUS(DONE));
	asked_in = &first;
	struct av_item late = give(h, &second, 4, 6, true);
	asked_in = NULL;
	assert_int_equal(late.status, AV_STALE);
	assert_int_equal(cursor_sequence(h), 4);
	for (int i = 0; i < 2; i++)
		journal_add(h, &journal, world_event(h, "north", &id));
	assert_int_equal(give(h, &journal, 4, 6, false).status, AV_OK);
	assert_int_equal(world_placed(h, &id), 6);
}

static void a_restart_is_not_undone_by_a_batch_that_was_under_way(void **state)
{
	struct harness *h = *state;
	struct journal journal = {0};
	struct av_id id = world_case(1);
	for (int i = 0; i < 10; i++)
		journal_add(h, &journal, world_event(h, "north", &id));
	give(h, &journal, 0, 8, false);
	harness_want(world_resolve_feed(h, "f1", AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART), STATUS(DONE));
	struct av_item item = give(h, &journal, 8, 10, false);
	assert_int_equal(item.status, AV_STALE);
	assert_int_equal(cursor_sequence(h), 0);
	assert_int_equal(give(h, &journal, 0, 10, false).status, AV_OK);
	assert_int_equal(world_placed(h, &id), 10);
}

static void all_events_of_a_journal_that_was_made_anew_are_handled_after_a_restart(void **state)
{
	struct harness *h = *state;
	struct journal journal = {0};
	struct av_id old = world_case(1), new = world_case(2);
	journal_made(h, &journal);
	for (int i = 0; i < 7; i++)
		journal_add(h, &journal, world_event(h, "north", &old));
	give(h, &journal, 0, 8, false);
	/* The same journal from its start: known. */
	harness_want(world_resolve_feed(h, "f1", AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART), STATUS(DONE));
	give(h, &journal, 0, 8, false);
	assert_int_equal(world_placed(h, &old), 7);
	/* The producer lost its store and had no backup. */
	journal_made(h, &journal);
	for (int i = 0; i < 3; i++)
		journal_add(h, &journal, world_event(h, "north", &new));
	harness_want(world_resolve_feed(h, "f2", AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART), STATUS(DONE));
	give(h, &journal, 0, 4, false);
	assert_int_equal(world_placed(h, &new), 3);
	assert_int_equal(world_placed(h, &old), 7);
	harness_want(world_resolve_feed(h, "f3", AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART), STATUS(DONE));
	give(h, &journal, 0, 4, false);
	assert_int_equal(world_placed(h, &new), 3);
	harness_check_replay(h);
}

/* --- memory --- */

static void an_event_that_uses_up_the_memory_goes_to_quarantine_and_the_feed_goes_on(void **state)
{
	struct harness *h = *state;
	struct journal journal = {0};
	struct av_id bad = world_case(1), good = world_case(2);
	for (int i = 0; i < 9; i++)
		journal_add(h, &journal, world_event(h, i == 4 ? "hungry" : "north", i == 4 ? &bad : &good));
	struct av_item item = give(h, &journal, 0, 9, false);
	assert_int_equal(item.status, AV_OK);
	assert_int_equal(world_placed(h, &good), 8);
	assert_int_equal(world_placed(h, &bad), 0);
	assert_int_equal(world_quarantine(h)->n_items, 1);
	assert_int_equal(cursor_sequence(h), 9);
}

static void events_that_use_up_the_memory_together_are_handled_apart(void **state)
{
	struct harness *h = *state;
	struct journal journal = {0};
	struct av_id good = world_case(2);
	for (int i = 0; i < 20; i++)
		journal_add(h, &journal, world_event(h, "greedy", &good));
	struct av_item item = give(h, &journal, 0, 20, false);
	assert_int_equal(item.status, AV_OK);
	assert_int_equal(world_quarantine(h)->n_items, 0);
	assert_int_equal(world_placed(h, &good), 20);
	assert_int_equal(cursor_sequence(h), 20);
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
