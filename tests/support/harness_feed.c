/* harness_feed.c - feeds by hand: a producer that a test plays, and one daemon that follows another's journal */
#include "harness.h"

#include <stdio.h>
#include <string.h>

struct harness_producer *harness_producer(struct harness *h, const char *feed)
{
	for (size_t i = 0; i < HARNESS_FEEDS; i++) {
		struct harness_producer *producer = &h->producers[i];
		if (strcmp(producer->name, feed) == 0)
			return producer;
		if (producer->name[0])
			continue;
		snprintf(producer->name, sizeof producer->name, "%s", feed);
		av_random_fill(&h->random, producer->epoch.bytes, AV_ID_SIZE);
		return producer;
	}
	fail_msg("more than %d feeds", HARNESS_FEEDS);
	return NULL;
}

Avvik__V1__Event *harness_event(struct harness *h, unsigned int number, ProtobufCMessage *body,
	const struct av_id *case_id, int64_t occurred_at_ms)
{
	Avvik__V1__Event *event = AV_NEW(h->arena, Avvik__V1__Event, avvik__v1__event);
	assert_non_null(event);
	if (case_id) {
		event->case_id.len = AV_ID_SIZE;
		event->case_id.data = av_arena_copy(h->arena, case_id->bytes, AV_ID_SIZE);
	}
	event->occurred_at_ms = occurred_at_ms;
	av_body_set(&event->base, number, body);
	return event;
}

static void complete(struct harness *h, struct harness_producer *producer, Avvik__V1__Event *event)
{
	struct av_id_source ids = {0};
	if (!event->event_id.len) {
		struct av_id id = av_id_next(&ids, h->now_ms, &h->random);
		event->event_id.len = AV_ID_SIZE;
		event->event_id.data = av_arena_copy(h->arena, id.bytes, AV_ID_SIZE);
	}
	if (!event->trace_id.len) {
		event->trace_id.len = AV_ID_SIZE;
		event->trace_id.data = av_arena_copy(h->arena, event->event_id.data, AV_ID_SIZE);
	}
	event->sequence = producer->sequence;
	event->recorded_at_ms = event->recorded_at_ms ? event->recorded_at_ms : h->now_ms;
	event->occurred_at_ms = event->occurred_at_ms ? event->occurred_at_ms : h->now_ms;
	event->schema = event->schema ? event->schema : 1;
	if (!event->actor) {
		event->actor = AV_NEW(h->arena, Avvik__V1__Actor, avvik__v1__actor);
		event->actor->principal = av_arena_strdup(h->arena, producer->name);
	}
}

static Avvik__V1__FeedItem *item_new(struct harness *h, uint64_t sequence, struct av_bytes event)
{
	Avvik__V1__FeedItem *item = AV_NEW(h->arena, Avvik__V1__FeedItem, avvik__v1__feed_item);
	assert_non_null(item);
	item->sequence = sequence;
	item->event.len = event.size;
	item->event.data = av_arena_copy(h->arena, event.data, event.size);
	return item;
}

static int deliver(struct harness *h, struct harness_producer *producer, Avvik__V1__FeedItem **items,
	size_t count, uint64_t after, const struct av_position *reached)
{
	Avvik__V1__FeedBatch batch = AVVIK__V1__FEED_BATCH__INIT;
	Avvik__V1__Cursor cursor = AVVIK__V1__CURSOR__INIT;
	cursor.epoch_id = (ProtobufCBinaryData){AV_ID_SIZE, (uint8_t *)(uintptr_t)reached->epoch.bytes};
	cursor.sequence = reached->sequence;
	cursor.chain_hash = (ProtobufCBinaryData){AV_CHAIN_SIZE, (uint8_t *)(uintptr_t)reached->hash};
	batch.reached = &cursor;
	batch.head = reached->sequence;
	batch.n_items = count;
	batch.items = items;
	struct av_item item = {.kind = AV_ITEM_FEED,
		.arrived_at_ms = h->now_ms,
		.feed = producer->name,
		.batch = &batch,
		.after = after};
	int status = harness_run(h, &item, 1);
	if (status < 0)
		return status;
	if (item.status == AV_OK && !item.halted)
		producer->delivered = AV_MAX(producer->delivered, reached->sequence);
	return item.status;
}

static int feed_events(struct harness *h, const char *feed, Avvik__V1__Event **events, size_t count,
	Avvik__V1__OpenedPart **parts, size_t part_count)
{
	struct harness_producer *producer = harness_producer(h, feed);
	Avvik__V1__FeedItem **items =
		av_arena_alloc(h->arena, AV_MAX(count, 1) * sizeof(Avvik__V1__FeedItem *));
	uint64_t after = producer->delivered;
	for (size_t i = 0; i < count; i++) {
		producer->sequence++;
		complete(h, producer, events[i]);
		struct av_bytes packed = av_message_pack(&events[i]->base, h->arena);
		struct av_bytes pieces[] = {av_bytes(producer->hash, AV_CHAIN_SIZE), packed};
		av_hash_pieces(pieces, 2, producer->hash);
		items[i] = item_new(h, producer->sequence, packed);
		items[i]->n_parts = part_count;
		items[i]->parts = parts;
	}
	struct av_position reached = {.epoch = producer->epoch, .sequence = producer->sequence};
	memcpy(reached.hash, producer->hash, AV_CHAIN_SIZE);
	return deliver(h, producer, items, count, after, &reached);
}

int harness_feed(struct harness *h, const char *feed, Avvik__V1__Event *event)
{
	return feed_events(h, feed, &event, 1, NULL, 0);
}

int harness_feed_parts(struct harness *h, const char *feed, Avvik__V1__Event *event,
	Avvik__V1__OpenedPart **parts, size_t count)
{
	return feed_events(h, feed, &event, 1, parts, count);
}

int harness_feed_batch(struct harness *h, const char *feed, Avvik__V1__Event **events, size_t count)
{
	return feed_events(h, feed, events, count, NULL, 0);
}

static size_t follow(struct harness *h, struct harness *from, uint64_t after)
{
	struct harness_producer *producer = harness_producer(h, from->service->name);
	bool contacts = from->service->open_parts && strcmp(h->service->name, "notification") == 0;
	struct av_position head;
	struct av_txn *txn = harness_read(from);
	assert_int_equal(av_journal_head(txn, &head), AV_OK);
	size_t count = (size_t)(head.sequence - after), at = 0;
	Avvik__V1__FeedItem **items =
		av_arena_alloc(h->arena, AV_MAX(count, 1) * sizeof(Avvik__V1__FeedItem *));
	for (uint64_t sequence = after + 1; sequence <= head.sequence; sequence++) {
		struct av_bytes packed;
		ProtobufCMessage *event;
		assert_int_equal(av_journal_read(txn, sequence, &packed, NULL), AV_OK);
		items[at] = item_new(h, sequence, packed);
		assert_int_equal(
			av_message_load(&avvik__v1__event__descriptor, packed, h->arena, &event), AV_OK);
		if (contacts)
			assert_true(from->service->open_parts(from->keys, txn, (Avvik__V1__Event *)event,
					    h->arena, items[at]) >= 0);
		at++;
	}
	av_txn_abort(&txn);
	producer->epoch = head.epoch;
	if (at > 0) {
		int status = deliver(h, producer, items, at, after, &head);
		if (status < 0)
			fail_msg("%s does not take the feed of %s: %s", h->service->name, from->service->name,
				av_status_name(status));
	}
	return at;
}

size_t harness_follow(struct harness *h, struct harness *producer)
{
	return follow(h, producer, harness_producer(h, producer->service->name)->delivered);
}

void harness_follow_again(struct harness *h, struct harness *producer)
{
	follow(h, producer, 0);
}
