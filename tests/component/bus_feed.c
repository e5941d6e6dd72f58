/* bus_feed.c - both ends of a feed over loopback and a real store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "base/status.h"
#include "bus/feed.h"
#include "bus_world.h"
#include "wire/message.h"

#define FILED AVVIK__V1__EVENT__BODY_REPORT_FILED
#define CLOSED AVVIK__V1__EVENT__BODY_CASE_CLOSED
#define SECRET AVVIK__V1__EVENT__BODY_PRINCIPALS_CHANGED /* nobody may see it */

struct feeds {
	struct world world;
	struct av_random random;
	struct av_store *store;
	struct av_feed_server *server;
	struct av_socket *fake; /* producer */
	uint64_t asked[8];	/* of the fake one: after which sequences */
	size_t requests, answered;
	char endpoint[100];
	uint64_t appended;
	/* the consumer, with a bus of its own */
	struct av_bus *bus;
	struct av_feed_client *client;
	struct av_cursor cursor;
	struct av_feed_batch held;
	bool slow; /* the owner does not say done */
	uint64_t batches, empty, items, last, out_of_order, want_last, want_batches;
	size_t largest_items, largest_bytes, parts;
	bool moved;
	Avvik__V1__FeedRefusalCode refused;
	unsigned int refusals;
};

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

/* Appends `count` events of one kind, each with about `bytes` of it in its case id's place. */
static void append(struct feeds *f, unsigned int number, size_t count, size_t bytes)
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

static void open_server(struct feeds *f)
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

static void follow(struct feeds *f, enum who who, uint32_t events, uint32_t bytes)
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

static void unfollow(struct feeds *f)
{
	av_feed_client_close(&f->client);
	av_bus_destroy(&f->bus);
}

static const struct world_row rows[] = {
	{ALICE, "all", "feed, contacts", "", ""},
	{BOB, "half", "feed", "", ""},
	{CAROL, "other", "query", "", ""},
};

static int start(void **state)
{
	const char *why = "";
	char path[100];
	struct feeds *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	world_start(&f->world, 600);
	world_principals(&f->world, rows, AV_COUNT(rows));
	f->random = av_random_seeded(1);
	snprintf(path, sizeof(path), "%s/store", f->world.folder);
	struct av_store_options options = {.path = path,
		.map_bytes = 256u << 20,
		.daemon = "intake",
		.instance = "test",
		.now_ms = WORLD_NOW};
	assert_int_equal(av_store_open(&options, &f->random, &f->store, &why), AV_OK);
	snprintf(f->endpoint, sizeof(f->endpoint), "tcp://127.0.0.1:0");
	open_server(f);
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct feeds *f = *state;
	unfollow(f);
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

static bool run_to(struct feeds *f, uint64_t last, unsigned int ms)
{
	f->want_last = last;
	f->want_batches = 0;
	return world_run(&f->world, reached, f, ms);
}

static bool refused(void *context)
{
	return ((struct feeds *)context)->refusals > 0;
}

static void a_reader_catches_up_in_order_within_its_credit(void **state)
{
	struct feeds *f = *state;
	append(f, FILED, 1050, 16);
	follow(f, ALICE, 100, 65536);
	assert_true(run_to(f, 1050, 5000));
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
	append(f, FILED, 50, 300);
	append(f, FILED, 1, 100000);
	append(f, FILED, 1, 16);
	follow(f, ALICE, 10000, 2048);
	assert_true(run_to(f, 52, 5000));
	assert_int_equal(f->items, 52);
	assert_true(f->largest_bytes >= 100000);
	assert_true(f->batches >= 10);
	assert_int_equal(f->out_of_order, 0);
}

static void a_reader_waits_at_the_head_and_is_woken_when_the_journal_grows(void **state)
{
	struct feeds *f = *state;
	follow(f, ALICE, 100, 65536);
	world_wait(&f->world, 200);
	assert_int_equal(av_feed_server_waiting(f->server), 1);
	for (uint64_t i = 1; i <= 20; i++) {
		append(f, FILED, 1, 16);
		av_feed_server_advanced(f->server);
		assert_true(run_to(f, i, 1000));
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
	append(f, FILED, 3, 16);
	follow(f, ALICE, 100, 65536);
	assert_true(run_to(f, 3, 1000));
	unfollow(f);
	follow(f, ALICE, 100, 65536);
	assert_true(world_run(&f->world, at_head, f, 1000));
	assert_true(av_feed_client_connected(f->client));
}

static void an_owner_that_is_not_done_gets_no_second_batch_and_the_next_one_is_ready_when_it_is(void **state)
{
	struct feeds *f = *state;
	append(f, FILED, 30, 16);
	f->slow = true;
	follow(f, ALICE, 10, 65536);
	assert_true(run_to(f, 10, 3000));
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
	append(f, FILED, 5, 16);
	append(f, CLOSED, 2, 16);
	append(f, SECRET, 3, 16);
	follow(f, BOB, 100, 65536);
	assert_true(run_to(f, 10, 3000));
	assert_int_equal(f->items, 2);
	assert_int_equal(f->last, 7);
	append(f, FILED, 4, 16);
	av_feed_server_advanced(f->server);
	assert_true(run_to(f, 14, 1000));
	assert_int_equal(f->empty, 1);
	assert_true(av_feed_client_at_head(f->client));
}

static void a_long_stretch_that_may_not_be_seen_is_read_in_bounded_steps(void **state)
{
	struct feeds *f = *state;
	append(f, SECRET, 2 * AV_FEED_SCAN_MAX + 10, 16);
	append(f, CLOSED, 1, 16);
	follow(f, BOB, 100, 65536);
	assert_true(run_to(f, f->appended, 10000));
	assert_int_equal(f->batches, 3);
	assert_int_equal(f->empty, 2);
	assert_int_equal(f->items, 1);
}

static void opened_addresses_go_to_the_right_contacts_alone_and_show_in_the_view(void **state)
{
	struct feeds *f = *state;
	unsigned char view[32];
	append(f, FILED, 3, 16);
	follow(f, ALICE, 100, 65536);
	assert_true(run_to(f, 3, 3000));
	assert_int_equal(f->parts, 3);
	memcpy(view, f->cursor.view, sizeof(view));
	static const struct world_row without[] = {{ALICE, "all", "feed", "", ""}};
	world_principals(&f->world, without, 1);
	append(f, FILED, 3, 16);
	av_feed_server_advanced(f->server);
	assert_true(run_to(f, 6, 3000));
	assert_int_equal(f->items, 6);
	assert_int_equal(f->parts, 3);
	assert_memory_not_equal(view, f->cursor.view, sizeof(view));
}

static void a_reader_without_the_right_is_refused_and_stops(void **state)
{
	struct feeds *f = *state;
	append(f, FILED, 3, 16);
	follow(f, CAROL, 100, 65536);
	assert_true(world_run(&f->world, refused, f, 3000));
	assert_int_equal(f->refused, AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_NOT_ALLOWED);
	world_wait(&f->world, 200);
	assert_int_equal(f->refusals, 1);
	assert_int_equal(f->batches, 0);
}

static void a_reader_revoked_while_it_waits_gets_nothing_more(void **state)
{
	struct feeds *f = *state;
	follow(f, ALICE, 100, 65536);
	world_wait(&f->world, 200);
	assert_int_equal(av_feed_server_waiting(f->server), 1);
	world_principals(&f->world, rows + 1, 2);
	append(f, FILED, 3, 16);
	av_feed_server_advanced(f->server);
	assert_true(world_run(&f->world, refused, f, 1000));
	assert_int_equal(f->refused, AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_NOT_ALLOWED);
	assert_int_equal(f->items, 0);
}

static void a_position_with_another_hash_or_beyond_the_head_is_refused_until_a_restart_elsewhere(void **state)
{
	struct feeds *f = *state;
	append(f, FILED, 10, 16);
	follow(f, ALICE, 100, 65536);
	assert_true(run_to(f, 10, 3000));
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
	append(f, FILED, 1, 16);
	av_feed_server_advanced(f->server);
	world_wait(&f->world, 200);
	assert_int_equal(f->items, 10); /* stopped is stopped */
	av_feed_client_restart(f->client, &good);
	assert_true(run_to(f, 11, 3000));
	assert_int_equal(f->items, 11);
}

static void in_a_new_epoch_with_the_same_hash_the_reader_goes_on_by_itself(void **state)
{
	struct feeds *f = *state;
	struct av_txn *txn;
	append(f, FILED, 10, 16);
	follow(f, ALICE, 100, 65536);
	assert_true(run_to(f, 10, 3000));
	struct av_id before = f->cursor.position.epoch;
	world_wait(&f->world, 50);
	assert_int_equal(av_txn_begin_write(f->store, &txn), AV_OK);
	av_journal_new_epoch(txn, &f->random);
	assert_int_equal(av_txn_commit(&txn), AV_OK);
	av_feed_server_advanced(f->server);
	append(f, FILED, 5, 16);
	av_feed_server_advanced(f->server);
	assert_true(run_to(f, 15, 3000));
	assert_true(f->moved);
	assert_memory_not_equal(&before, &f->cursor.position.epoch, sizeof(before));
	assert_int_equal(f->items, 15);
	assert_int_equal(f->out_of_order, 0);
	assert_int_equal(f->refusals, 0);
}

static void when_the_producer_comes_back_the_reader_goes_on(void **state)
{
	struct feeds *f = *state;
	append(f, FILED, 10, 16);
	follow(f, ALICE, 100, 65536);
	assert_true(run_to(f, 10, 3000));
	for (uint64_t i = 1; i <= 3; i++) {
		av_feed_server_close(&f->server);
		world_wait(&f->world, 100);
		append(f, FILED, 5, 16);
		open_server(f);
		assert_true(run_to(f, 10 + 5 * i, 4000)); /* sooner than silence would tell */
	}
	assert_int_equal(f->items, 25);
	assert_int_equal(f->out_of_order, 0);
}

static void a_reader_that_loses_the_right_while_it_waits_gets_nothing_more(void **state)
{
	struct feeds *f = *state;
	static const struct world_row without[] = {{ALICE, "all", "query", "", ""}};
	follow(f, ALICE, 100, 65536);
	world_wait(&f->world, 200);
	assert_int_equal(av_feed_server_waiting(f->server), 1);
	world_principals(&f->world, without, 1);
	append(f, FILED, 3, 16);
	av_feed_server_advanced(f->server);
	assert_true(world_run(&f->world, refused, f, 1000));
	assert_int_equal(f->refused, AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_NOT_ALLOWED);
	assert_int_equal(f->items, 0);
}

static struct av_bytes two_events(uint64_t after, struct av_arena *arena)
{
	unsigned char epoch[16] = {1}, hash[32] = {2}, view[32] = {3};
	Avvik__V1__FeedReply reply = AVVIK__V1__FEED_REPLY__INIT;
	Avvik__V1__FeedBatch batch = AVVIK__V1__FEED_BATCH__INIT;
	Avvik__V1__Cursor reached = AVVIK__V1__CURSOR__INIT;
	Avvik__V1__FeedItem items[] = {AVVIK__V1__FEED_ITEM__INIT, AVVIK__V1__FEED_ITEM__INIT};
	Avvik__V1__FeedItem *list[] = {&items[0], &items[1]};
	items[0].sequence = after + 1;
	items[1].sequence = reached.sequence = after + 2;
	reached.epoch_id = (ProtobufCBinaryData){16, epoch};
	reached.chain_hash = (ProtobufCBinaryData){32, hash};
	batch.view = (ProtobufCBinaryData){32, view};
	batch.reached = &reached;
	batch.head = 1000;
	batch.items = list;
	batch.n_items = 2;
	batch.after_sequence = after;
	reply.body_case = AVVIK__V1__FEED_REPLY__BODY_BATCH;
	reply.batch = &batch;
	return av_message_pack(&reply.base, arena);
}

/* A producer that answers each request with nonsense, then with two events, and then with the same two again.
 */
static void on_request(void *context, struct av_message_in *message)
{
	struct feeds *f = context;
	struct av_bytes body = av_frame_bytes(&message->body);
	Avvik__V1__FeedRequest *request = avvik__v1__feed_request__unpack(NULL, body.size, body.data);
	struct av_arena *arena = av_arena_create(0);
	assert_non_null(request);
	struct av_bytes packed = two_events(request->after->sequence, arena);
	(void)av_socket_send(f->fake, &message->route, av_bytes_of("nonsense"));
	if (request->after->sequence < 99) {
		(void)av_socket_send(f->fake, &message->route, packed);
		(void)av_socket_send(f->fake, &message->route, packed);
	}
	avvik__v1__feed_request__free_unpacked(request, NULL);
	av_arena_destroy(&arena);
	av_frame_release(&message->body);
}

/* A producer that answers the first request, and each later one only when the next one has come. */
static void on_request_late(void *context, struct av_message_in *message)
{
	struct feeds *f = context;
	struct av_bytes body = av_frame_bytes(&message->body);
	Avvik__V1__FeedRequest *request = avvik__v1__feed_request__unpack(NULL, body.size, body.data);
	struct av_arena *arena = av_arena_create(0);
	assert_non_null(request);
	f->asked[f->requests++ % AV_COUNT(f->asked)] = request->after->sequence;
	if (f->requests == 1)
		(void)av_socket_send(f->fake, &message->route, two_events(0, arena));
	for (; f->requests > 2 && f->answered < f->requests - 1; f->answered++)
		(void)av_socket_send(f->fake, &message->route,
			two_events(f->asked[(f->answered + 1) % AV_COUNT(f->asked)], arena));
	avvik__v1__feed_request__free_unpacked(request, NULL);
	av_arena_destroy(&arena);
	av_frame_release(&message->body);
}

static void open_fake(struct feeds *f, void (*on_message)(void *context, struct av_message_in *message))
{
	const char *why = "";
	struct av_socket_options options = {.kind = AV_SOCKET_ROUTER,
		.endpoint = "tcp://127.0.0.1:0",
		.frame_bytes = 4096,
		.queue_messages = 100,
		.on_message = on_message,
		.context = f};
	assert_int_equal(av_socket_open(f->world.bus, &options, &f->fake, &why), AV_OK);
	snprintf(f->endpoint, sizeof(f->endpoint), "%s", av_socket_endpoint(f->fake));
}

static void an_answer_that_was_under_way_at_a_restart_is_not_taken_for_the_new_one(void **state)
{
	struct feeds *f = *state;
	open_fake(f, on_request_late);
	follow(f, ALICE, 10, 4096);
	assert_true(run_to(f, 2, 3000));
	world_wait(&f->world, 200);
	assert_int_equal(f->requests, 2); /* after 2: its answer waits */
	memset(&f->cursor, 0, sizeof(f->cursor));
	f->items = f->last = f->out_of_order = 0;
	av_feed_client_restart(f->client, &f->cursor);
	assert_true(run_to(f, 4, 3000));
	assert_int_equal(f->items, 4); /* 1 to 4 */
	assert_int_equal(f->out_of_order, 0);
	av_socket_close(&f->fake);
}

static void an_answer_that_comes_twice_is_taken_once_and_nonsense_never(void **state)
{
	struct feeds *f = *state;
	open_fake(f, on_request);
	follow(f, ALICE, 10, 4096);
	assert_true(run_to(f, 100, 5000));
	world_wait(&f->world, 100);
	assert_int_equal(f->items, 100);
	assert_int_equal(f->last, 100);
	assert_int_equal(f->out_of_order, 0);
	assert_false(av_feed_client_at_head(f->client));
	av_socket_close(&f->fake);
}

/* Hand-made requests */

static void ask(void *peer, const Avvik__V1__FeedRequest *request)
{
	unsigned char packed[500];
	size_t size = avvik__v1__feed_request__pack(request, packed);
	assert_int_equal(zmq_send(peer, packed, size, 0), (int)size);
}

static Avvik__V1__FeedReply *answer(struct feeds *f, void *peer, unsigned int ms)
{
	zmq_msg_t msg;
	zmq_pollitem_t item = {.socket = peer, .events = ZMQ_POLLIN};
	for (unsigned int spent = 0; spent < ms && zmq_poll(&item, 1, 0) == 0; spent += 5)
		world_wait(&f->world, 5);
	zmq_msg_init(&msg);
	if (zmq_msg_recv(&msg, peer, ZMQ_DONTWAIT) < 0)
		return NULL;
	Avvik__V1__FeedReply *reply =
		avvik__v1__feed_reply__unpack(NULL, zmq_msg_size(&msg), zmq_msg_data(&msg));
	zmq_msg_close(&msg);
	assert_non_null(reply);
	return reply;
}

static Avvik__V1__FeedRefusalCode refusal_of(struct feeds *f, void *peer)
{
	Avvik__V1__FeedReply *reply = answer(f, peer, 3000);
	assert_non_null(reply);
	Avvik__V1__FeedRefusalCode code =
		reply->body_case == AVVIK__V1__FEED_REPLY__BODY_REFUSAL
			? reply->refusal->code
			: AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_UNSPECIFIED;
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	return code;
}

static void requests_out_of_bounds_are_refused(void **state)
{
	struct feeds *f = *state;
	unsigned char short_epoch[5] = "abcd";
	Avvik__V1__Cursor bad_epoch = AVVIK__V1__CURSOR__INIT, no_epoch = AVVIK__V1__CURSOR__INIT;
	bad_epoch.epoch_id = (ProtobufCBinaryData){5, short_epoch};
	no_epoch.sequence = 7;
	const struct {
		uint32_t events, bytes, wait;
		Avvik__V1__Cursor *after;
	} bad[] = {
		{0, 4096, 0, NULL},
		{AV_FEED_EVENTS_MAX + 1, 4096, 0, NULL},
		{1, 1023, 0, NULL},
		{1, AV_FEED_BYTES_MAX + 1, 0, NULL},
		{1, 4096, 60001, NULL},
		{1, 4096, 0, &bad_epoch},
		{1, 4096, 0, &no_epoch},
	};
	void *peer = world_peer(&f->world, ZMQ_DEALER, ALICE, NULL, f->endpoint);
	for (size_t i = 0; i < AV_COUNT(bad); i++) {
		Avvik__V1__FeedRequest request = AVVIK__V1__FEED_REQUEST__INIT;
		request.max_events = bad[i].events;
		request.max_bytes = bad[i].bytes;
		request.wait_ms = bad[i].wait;
		request.after = bad[i].after;
		ask(peer, &request);
		assert_int_equal(
			refusal_of(f, peer), AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_BAD_REQUEST);
	}
	zmq_send(peer, "\xff\xff\xff", 3, 0);
	assert_int_equal(refusal_of(f, peer), AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_BAD_REQUEST);
	world_peer_close(&f->world, peer);
}

static void a_new_request_replaces_the_one_before(void **state)
{
	struct feeds *f = *state;
	Avvik__V1__FeedRequest request = AVVIK__V1__FEED_REQUEST__INIT;
	request.max_events = 10;
	request.max_bytes = 4096;
	request.wait_ms = 10000;
	void *peer = world_peer(&f->world, ZMQ_DEALER, ALICE, NULL, f->endpoint);
	ask(peer, &request);
	ask(peer, &request);
	world_wait(&f->world, 200);
	assert_int_equal(av_feed_server_waiting(f->server), 1);
	append(f, FILED, 1, 16);
	av_feed_server_advanced(f->server);
	Avvik__V1__FeedReply *reply = answer(f, peer, 2000);
	assert_non_null(reply);
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	assert_null(answer(f, peer, 200));
	world_peer_close(&f->world, peer);
}

static void a_request_is_answered_empty_when_its_time_is_up(void **state)
{
	struct feeds *f = *state;
	Avvik__V1__FeedRequest request = AVVIK__V1__FEED_REQUEST__INIT;
	request.max_events = 10;
	request.max_bytes = 4096;
	request.wait_ms = 150;
	void *peer = world_peer(&f->world, ZMQ_DEALER, ALICE, NULL, f->endpoint);
	ask(peer, &request);
	Avvik__V1__FeedReply *reply = answer(f, peer, 3000);
	assert_non_null(reply);
	assert_int_equal(reply->body_case, AVVIK__V1__FEED_REPLY__BODY_BATCH);
	assert_int_equal(reply->batch->n_items, 0);
	assert_int_equal(reply->batch->reached->sequence, 0);
	assert_int_equal(reply->batch->reached->epoch_id.len, 16);
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	assert_int_equal(av_feed_server_waiting(f->server), 0);
	world_peer_close(&f->world, peer);
}

static void more_readers_under_one_key_than_allowed_are_told_BUSY(void **state)
{
	struct feeds *f = *state;
	void *peers[AV_FEED_READERS_PER_KEY + 1];
	Avvik__V1__FeedRequest request = AVVIK__V1__FEED_REQUEST__INIT;
	request.max_events = 10;
	request.max_bytes = 4096;
	request.wait_ms = 10000;
	for (size_t i = 0; i < AV_COUNT(peers); i++) {
		peers[i] = world_peer(&f->world, ZMQ_DEALER, ALICE, NULL, f->endpoint);
		if (i == AV_FEED_READERS_PER_KEY)
			world_wait(&f->world, 500);
		ask(peers[i], &request);
	}
	assert_int_equal(refusal_of(f, peers[AV_FEED_READERS_PER_KEY]),
		AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_BUSY);
	assert_int_equal(av_feed_server_waiting(f->server), AV_FEED_READERS_PER_KEY);
	/* Others are served. */
	append(f, CLOSED, 1, 16);
	follow(f, BOB, 10, 4096);
	assert_true(run_to(f, 1, 3000));
	for (size_t i = 0; i < AV_COUNT(peers); i++)
		world_peer_close(&f->world, peers[i]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_reader_catches_up_in_order_within_its_credit),
		T(a_batch_keeps_within_its_bytes_and_one_event_larger_than_that_comes_alone),
		T(a_reader_waits_at_the_head_and_is_woken_when_the_journal_grows),
		T(a_reader_that_begins_at_the_head_learns_so_at_once),
		T(an_owner_that_is_not_done_gets_no_second_batch_and_the_next_one_is_ready_when_it_is),
		T(what_a_reader_may_not_see_is_passed_over_and_the_cursor_moves),
		T(a_long_stretch_that_may_not_be_seen_is_read_in_bounded_steps),
		T(opened_addresses_go_to_the_right_contacts_alone_and_show_in_the_view),
		T(a_reader_without_the_right_is_refused_and_stops),
		T(a_reader_revoked_while_it_waits_gets_nothing_more),
		T(a_position_with_another_hash_or_beyond_the_head_is_refused_until_a_restart_elsewhere),
		T(in_a_new_epoch_with_the_same_hash_the_reader_goes_on_by_itself),
		T(when_the_producer_comes_back_the_reader_goes_on),
		T(a_reader_that_loses_the_right_while_it_waits_gets_nothing_more),
		T(an_answer_that_comes_twice_is_taken_once_and_nonsense_never),
		T(an_answer_that_was_under_way_at_a_restart_is_not_taken_for_the_new_one),
		T(requests_out_of_bounds_are_refused),
		T(a_new_request_replaces_the_one_before),
		T(a_request_is_answered_empty_when_its_time_is_up),
		T(more_readers_under_one_key_than_allowed_are_told_BUSY),
	};
	return cmocka_run_group_tests_name("bus_feed", tests, NULL, NULL);
}
