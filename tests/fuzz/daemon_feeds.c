/* daemon_feeds.c - batches of feeds, as the reader would hand them over */
#include "daemon_inner.h"

#include <stdio.h>
#include <string.h>

static struct av_cursor cursor_of(const char *feed)
{
	struct av_cursor cursor = {.position.sequence = 0};
	struct av_txn *txn = harness_read(fuzz.h);
	(void)av_cursor_load(txn, feed, &cursor); /* not found: from the start, ignoring */
	av_txn_abort(&txn);
	return cursor;
}

/* As the producer of this feed would send them now: in order, behind what was sent before. */
static void follow_batch(Avvik__V1__FeedBatch *batch, struct harness_producer *producer)
{
	Avvik__V1__Cursor *reached = batch->reached;
	if (!reached) {
		reached = av_arena_alloc(fuzz.h->arena, sizeof *reached);
		avvik__v1__cursor__init(reached);
		batch->reached = reached;
	}
	for (size_t i = 0; i < batch->n_items; i++) {
		struct av_bytes pieces[] = {av_bytes(producer->hash, AV_CHAIN_SIZE),
			av_bytes(batch->items[i]->event.data, batch->items[i]->event.len)};
		producer->sequence += 1 + (batch->items[i]->sequence >> 8) % 3; /* some are passed over */
		batch->items[i]->sequence = producer->sequence;
		av_hash_pieces(pieces, 2, producer->hash);
	}
	if (batch->moved_epoch)
		producer->epoch.bytes[0]++; /* restored, and it still holds what was seen */
	reached->epoch_id = data_of(&producer->epoch);
	reached->sequence = batch->head = producer->sequence;
	reached->chain_hash = (ProtobufCBinaryData){
		AV_CHAIN_SIZE, av_arena_copy(fuzz.h->arena, producer->hash, AV_CHAIN_SIZE)};
}

/* What the reader of a feed lets through. */
static bool plausible(const Avvik__V1__FeedBatch *batch, uint64_t after)
{
	const Avvik__V1__Cursor *reached = batch->reached;
	uint64_t last = after;
	if (!reached || reached->epoch_id.len != AV_ID_SIZE || reached->chain_hash.len != AV_CHAIN_SIZE ||
		reached->sequence < after)
		return false;
	for (size_t i = 0; i < batch->n_items; i++) {
		if (batch->items[i]->sequence <= last || batch->items[i]->sequence > reached->sequence)
			return false;
		last = batch->items[i]->sequence;
	}
	return true;
}

static int deliver(const char *feed, const Avvik__V1__FeedBatch *batch, uint64_t after)
{
	struct av_item item = {.kind = AV_ITEM_FEED,
		.arrived_at_ms = fuzz.h->now_ms,
		.feed = feed,
		.batch = batch,
		.after = after};
	int status = harness_run(fuzz.h, &item, 1);
	fuzz.dirty = true;
	if (fuzz.damaged)
		return status;
	MUST(status == AV_OK, "a feed's batch failed the turn: %s", av_status_name(status));
	MUST(item.status == AV_OK || item.status == AV_STALE, "a feed's batch failed: %s (%s)",
		av_status_name(item.status), fuzz.h->result.failed_text ? fuzz.h->result.failed_text : "");
	if (fuzz.telling)
		fprintf(stderr, "  %s: %s%s, %zu events, %zu quarantined\n", feed,
			av_status_name(item.status), item.halted ? ", halted" : "", fuzz.h->result.events,
			fuzz.h->result.quarantined);
	return item.status;
}

void run_feed(const struct step *step)
{
	struct av_faults faults;
	ProtobufCMessage *message;
	const char *feed = feed_names[step->who % FEEDS];
	struct harness_producer *producer = harness_producer(fuzz.h, feed);
	uint64_t after = cursor_of(feed).position.sequence;
	av_faults_init(&faults, fuzz.h->arena);
	if (av_message_unpack(&avvik__v1__feed_batch__descriptor, step->body, AV_WIRE_LIMITS_PUBLISH,
		    fuzz.h->arena, &faults, &message) != AV_OK)
		return;
	Avvik__V1__FeedBatch *batch = (Avvik__V1__FeedBatch *)message;
	if (step->follow)
		follow_batch(batch, producer);
	else if (batch->n_items > 0 && batch->items[0]->sequence > 0)
		after = AV_MIN(after, batch->items[0]->sequence - 1); /* as if it had been asked after that */
	if (!plausible(batch, after))
		return;
	deliver(feed, batch, after);
	if (fuzz.damaged)
		return;
	look_at_events();
	uint64_t head = harness_head(fuzz.h);
	if (step->follow) {
		deliver(feed, batch, after);
		MUST(harness_head(fuzz.h) == head, "a batch of a feed, given again, has an effect again");
	}
}

/* The producer comes back from a backup and no longer holds what this daemon has seen. */
void run_refused(const struct step *step)
{
	const char *feed = feed_names[step->who % FEEDS];
	struct harness_producer *producer = harness_producer(fuzz.h, feed);
	uint64_t back = step->body.size ? *(const unsigned char *)step->body.data : 1;
	producer->sequence -= AV_MIN(back, producer->sequence);
	producer->epoch.bytes[1]++;
	producer->hash[0]++;
	struct av_position head = {.epoch = producer->epoch, .sequence = producer->sequence};
	memcpy(head.hash, producer->hash, AV_CHAIN_SIZE);
	av_turn_feed_head(fuzz.h->turn, feed, &head);
	fuzz.dirty = true;
}
