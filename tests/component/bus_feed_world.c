/* bus_feed_world.c - see bus_feed_world.h */
#include "bus_feed_world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "base/status.h"

static int64_t now_ms(void *context)
{
	return ((struct feeds *)context)->world.now_ms;
}

static bool may_see(void *context, const struct av_principal *principal, unsigned int number)
{
	(void)context;
	return number == CLOSED || (number == FILED && strcmp(principal->name, "half") != 0);
}

static int open_parts(void *context, struct av_txn *txn, const Avvik__V1__Event *event,
	struct av_arena *arena, Avvik__V1__FeedItem *item)
{
	(void)context;
	(void)txn;
	if (event->body_case != FILED)
		return AV_OK;
	item->parts = av_arena_alloc(arena, sizeof(*item->parts));
	item->parts[0] = av_arena_alloc(arena, sizeof(**item->parts));
	avvik__v1__opened_part__init(item->parts[0]);
	item->parts[0]->part = AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT;
	item->parts[0]->body = (ProtobufCBinaryData){7, (uint8_t *)"address"};
	item->n_parts = 1;
	return AV_OK;
}

void feeds_append(struct feeds *f, unsigned int number, size_t count, size_t bytes)
{
	struct av_txn *txn;
	uint64_t sequence;
	struct av_arena *arena = av_arena_create(0);
	unsigned char *filler = av_arena_zalloc(arena, bytes + 1);
	assert_int_equal(av_txn_begin_write(f->store, &txn), AV_OK);
	for (size_t i = 0; i < count; i++) {
		Avvik__V1__Event event = AVVIK__V1__EVENT__INIT;
		Avvik__V1__ReportFiled filed = AVVIK__V1__REPORT_FILED__INIT;
		Avvik__V1__CaseClosed closed = AVVIK__V1__CASE_CLOSED__INIT;
		Avvik__V1__PrincipalsChanged changed = AVVIK__V1__PRINCIPALS_CHANGED__INIT;
		event.sequence = f->appended + 1;
		event.case_id = (ProtobufCBinaryData){bytes, filler};
		event.body_case = (Avvik__V1__Event__BodyCase)number;
		if (number == FILED)
			event.report_filed = &filed;
		else if (number == CLOSED)
			event.case_closed = &closed;
		else
			event.principals_changed = &changed;
		av_journal_append(txn, av_message_pack(&event.base, arena), &sequence);
		f->appended++;
		assert_int_equal(sequence, f->appended);
	}
	assert_int_equal(av_txn_commit(&txn), AV_OK);
	av_arena_destroy(&arena);
}

void feeds_open_server(struct feeds *f)
{
	const char *why = "";
	struct av_feed_server_options options = {f->world.bus, f->store, f->endpoint, may_see, open_parts, f};
	int status = AV_EXISTS;
	for (int i = 0; i < 100 && status == AV_EXISTS; i++) {
		status = av_feed_server_open(&options, &f->server, &why);
		if (status == AV_EXISTS)
			world_wait(&f->world, 10); /* the old one is still being closed */
	}
	if (status != AV_OK)
		fail_msg("open: %s", why);
	snprintf(f->endpoint, sizeof(f->endpoint), "%s", av_feed_server_endpoint(f->server));
}

static void release(struct av_feed_batch *batch)
{
	av_frame_release(&batch->frame);
	av_arena_destroy(&batch->arena);
}

static void on_batch(void *context, struct av_feed_batch batch)
{
	struct feeds *f = context;
	const Avvik__V1__FeedBatch *b = batch.batch;
	size_t bytes = 0;
	f->batches++;
	f->empty += b->n_items == 0;
	f->items += b->n_items;
	f->moved |= b->moved_epoch;
	f->out_of_order += batch.after != f->cursor.position.sequence;
	f->largest_items = AV_MAX(f->largest_items, b->n_items);
	for (size_t i = 0; i < b->n_items; i++) {
		f->out_of_order += b->items[i]->sequence <= f->last;
		f->last = b->items[i]->sequence;
		f->parts += b->items[i]->n_parts;
		bytes += b->items[i]->event.len;
	}
	f->largest_bytes = AV_MAX(f->largest_bytes, bytes);
	memcpy(f->cursor.position.epoch.bytes, b->reached->epoch_id.data, AV_ID_SIZE);
	memcpy(f->cursor.position.hash, b->reached->chain_hash.data, AV_CHAIN_SIZE);
	memcpy(f->cursor.view, b->view.data, 32);
	f->cursor.position.sequence = b->reached->sequence;
	release(&batch);
	if (!f->slow)
		av_feed_client_done(f->client);
}

static void on_refused(void *context, Avvik__V1__FeedRefusalCode code, const char *text)
{
	struct feeds *f = context;
	assert_true(strlen(text) > 0);
	f->refused = code;
	f->refusals++;
}

void feeds_follow(struct feeds *f, enum who who, uint32_t events, uint32_t bytes)
{
	const char *why = "";
	struct av_bus_options bus = {10, &f->world.people[who], now_ms, NULL, f};
	assert_int_equal(av_bus_create(&f->world.loop, &bus, &f->bus, &why), AV_OK);
	struct av_feed_client_options options = {.bus = f->bus,
		.name = "intake",
		.endpoint = f->endpoint,
		.server_key = f->world.server.public_key,
		.start = f->cursor,
		.events = events,
		.bytes = bytes,
		.on_batch = on_batch,
		.on_refused = on_refused,
		.context = f};
	assert_int_equal(av_feed_client_open(&options, &f->client, &why), AV_OK);
}

void feeds_unfollow(struct feeds *f)
{
	av_feed_client_close(&f->client);
	av_bus_destroy(&f->bus);
}

const struct world_row feeds_rows[FEEDS_ROWS] = {
	{ALICE, "all", "feed, contacts", "", ""},
	{BOB, "half", "feed", "", ""},
	{CAROL, "other", "query", "", ""},
};

int feeds_start(void **state)
{
	const char *why = "";
	char path[100];
	struct feeds *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	world_start(&f->world, 600);
	world_principals(&f->world, feeds_rows, FEEDS_ROWS);
	f->random = av_random_seeded(1);
	snprintf(path, sizeof(path), "%s/store", f->world.folder);
	struct av_store_options options = {.path = path,
		.map_bytes = 256u << 20,
		.daemon = "intake",
		.instance = "test",
		.now_ms = WORLD_NOW};
	assert_int_equal(av_store_open(&options, &f->random, &f->store, &why), AV_OK);
	snprintf(f->endpoint, sizeof(f->endpoint), "tcp://127.0.0.1:0");
	feeds_open_server(f);
	*state = f;
	return 0;
}

int feeds_stop(void **state)
{
	struct feeds *f = *state;
	feeds_unfollow(f);
	av_feed_server_close(&f->server);
	world_stop(&f->world);
	av_store_close(&f->store);
	free(f);
	return 0;
}

static bool reached(void *context)
{
	struct feeds *f = context;
	return f->cursor.position.sequence >= f->want_last && f->batches >= f->want_batches;
}

bool feeds_run_to(struct feeds *f, uint64_t last, unsigned int ms)
{
	f->want_last = last;
	f->want_batches = 0;
	return world_run(&f->world, reached, f, ms);
}
