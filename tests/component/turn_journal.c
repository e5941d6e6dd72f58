#include "turn_journal.h"

#include <string.h>

void world_add(struct harness *h, struct world_journal *journal, Avvik__V1__Event *event)
{
	struct av_id_source source = {0};
	struct av_id *id = &journal->ids[journal->count];
	*id = av_id_next(&source, h->now_ms, &h->random);
	event->event_id = (ProtobufCBinaryData){AV_ID_SIZE, id->bytes};
	event->sequence = journal->count + 1;
	journal->events[journal->count++] = av_message_pack(&event->base, h->arena);
}

void world_restored(struct harness *h, struct world_journal *journal, uint64_t keep)
{
	Avvik__V1__JournalRestored *body =
		AV_NEW(h->arena, Avvik__V1__JournalRestored, avvik__v1__journal_restored);
	body->sequence = keep;
	journal->count = keep;
	journal->epoch.bytes[0]++;
	world_add(
		h, journal, harness_event(h, AVVIK__V1__EVENT__BODY_JOURNAL_RESTORED, &body->base, NULL, 0));
}

void world_made(struct harness *h, struct world_journal *journal)
{
	Avvik__V1__StoreMade *body = AV_NEW(h->arena, Avvik__V1__StoreMade, avvik__v1__store_made);
	journal->count = 0;
	journal->epoch.bytes[0]++;
	world_add(h, journal, harness_event(h, AVVIK__V1__EVENT__BODY_STORE_MADE, &body->base, NULL, 0));
}

struct av_item world_give(
	struct harness *h, const struct world_journal *journal, uint64_t after, uint64_t until, bool moved)
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
		.after_epoch = journal->asked_in};
	assert_int_equal(harness_run(h, &item, 1), AV_OK);
	return item;
}

struct av_cursor world_cursor(struct harness *h)
{
	struct av_cursor at = {0};
	struct av_txn *txn = harness_read(h);
	(void)av_cursor_load(txn, TOY_FEED, &at);
	av_txn_abort(&txn);
	return at;
}
