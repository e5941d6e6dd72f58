/* bus_client.c - libavvik against a daemon's sockets, which run on a loop in a thread of their own. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "avvik/client.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"
#include "bus/feed.h"
#include "bus_world.h"
#include "seal/receipt.h"
#include "wire/message.h"

#define FIGURES_MAX 5000

struct daemon {
	struct world world;
	pthread_t thread;
	uv_async_t async;
	pthread_mutex_t lock;
	pthread_cond_t done;
	void (*work)(struct daemon *daemon); /* to be done on the loop */
	struct av_socket *command, *stream;
	struct av_store *store;
	struct av_random random;
	struct av_feed_server *feed;
	char command_endpoint[100], stream_endpoint[100], feed_endpoint[100];
	/* what reporting would have */
	unsigned char epoch[16];
	uint64_t sequence;
	size_t figure_count;
	int64_t figures[FIGURES_MAX];
	unsigned int snapshots, mute;
	Avvik__V1__SummaryUpdate *update;
	bool turn; /* the sequence moves after the first page of a snapshot */
	bool unit_forbidden;
	size_t waiting; /* feed readers */
};

/* The daemon */

static Avvik__V1__FigureKey key_of(size_t index, char text[20])
{
	Avvik__V1__FigureKey key = AVVIK__V1__FIGURE_KEY__INIT;
	snprintf(text, 20, "%08u", (unsigned int)index);
	key.unit = (char *)"north";
	key.span = AVVIK__V1__SPAN__SPAN_DAY;
	key.period = text;
	return key;
}

static void fill_summary(
	struct daemon *d, const Avvik__V1__GetSummary *get, Avvik__V1__Reply *reply, struct av_arena *arena)
{
	Avvik__V1__SummaryFound *found = av_arena_alloc(arena, sizeof(*found));
	size_t first = get->after ? strtoul(get->after->period, NULL, 10) + 1 : 0;
	size_t last = AV_MIN(first + get->limit, d->figure_count);
	avvik__v1__summary_found__init(found);
	found->unit = get->unit;
	found->epoch_id = (ProtobufCBinaryData){16, d->epoch};
	found->sequence = d->sequence;
	found->figures = av_arena_alloc(arena, (last - first + 1) * sizeof(*found->figures));
	for (size_t i = first; i < last; i++) {
		Avvik__V1__Figure *figure = av_arena_alloc(arena, sizeof(*figure));
		avvik__v1__figure__init(figure);
		figure->key = av_arena_alloc(arena, sizeof(*figure->key));
		*figure->key = key_of(i, av_arena_alloc(arena, 20));
		figure->value = d->figures[i];
		found->figures[found->n_figures++] = figure;
		found->next_after = figure->key;
	}
	if (last == d->figure_count)
		found->next_after = NULL;
	if (first == 0)
		d->snapshots++;
	reply->body_case = AVVIK__V1__REPLY__BODY_SUMMARY_FOUND;
	reply->summary_found = found;
	if (d->turn) {
		d->turn = false;
		d->sequence++;
		d->figures[0]++;
	}
}

static void on_command(void *context, struct av_message_in *message)
{
	struct daemon *d = context;
	struct av_bytes body = av_frame_bytes(&message->body);
	struct av_arena *arena = av_arena_create(0);
	Avvik__V1__Reply reply = AVVIK__V1__REPLY__INIT;
	Avvik__V1__Command *command = avvik__v1__command__unpack(NULL, body.size, body.data);
	reply.status = AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE;
	pthread_mutex_lock(&d->lock);
	if (!command) {
		reply.status = AVVIK__V1__REPLY_STATUS__REPLY_STATUS_MALFORMED;
	} else {
		reply.message_id = command->message_id;
		reply.reference = command->reference;
		if (command->body_case == AVVIK__V1__COMMAND__BODY_GET_SUMMARY && d->unit_forbidden)
			reply.status = AVVIK__V1__REPLY_STATUS__REPLY_STATUS_FORBIDDEN;
		else if (command->body_case == AVVIK__V1__COMMAND__BODY_GET_SUMMARY)
			fill_summary(d, command->get_summary, &reply, arena);
	}
	if (d->mute > 0)
		d->mute--;
	else
		(void)av_socket_send(d->command, &message->route, av_message_pack(&reply.base, arena));
	pthread_mutex_unlock(&d->lock);
	if (command)
		avvik__v1__command__free_unpacked(command, NULL);
	av_frame_release(&message->body);
	av_arena_destroy(&arena);
}

static bool on_subscribe(void *context, const struct av_principal *principal, struct av_bytes topic)
{
	(void)context;
	(void)topic;
	return principal->rights & AV_MAY_SUMMARY;
}

static bool may_see(void *context, const struct av_principal *principal, unsigned int number)
{
	(void)context;
	(void)principal;
	return number == AVVIK__V1__EVENT__BODY_CASE_CLOSED;
}

static void on_work(uv_async_t *async)
{
	struct daemon *d = async->data;
	pthread_mutex_lock(&d->lock);
	if (d->work)
		d->work(d);
	d->work = NULL;
	pthread_cond_signal(&d->done);
	pthread_mutex_unlock(&d->lock);
}

/* Has it done on the daemon's loop, and waits. */
static void on_loop(struct daemon *d, void (*work)(struct daemon *))
{
	pthread_mutex_lock(&d->lock);
	d->work = work;
	uv_async_send(&d->async);
	while (d->work)
		pthread_cond_wait(&d->done, &d->lock);
	pthread_mutex_unlock(&d->lock);
}

static void *run(void *context)
{
	struct daemon *d = context;
	uv_run(&d->world.loop, UV_RUN_DEFAULT);
	return NULL;
}

static void quit(struct daemon *d)
{
	uv_stop(&d->world.loop);
}

static void open_command(struct daemon *d)
{
	const char *why = "";
	struct av_socket_options options = {.kind = AV_SOCKET_ROUTER,
		.endpoint = d->command_endpoint,
		.frame_bytes = 1 << 20,
		.queue_messages = 5000,
		.on_message = on_command,
		.context = d};
	int status = AV_EXISTS;
	for (int i = 0; i < 500 && status == AV_EXISTS; i++) {
		status = av_socket_open(d->world.bus, &options, &d->command, &why);
		if (status == AV_EXISTS)
			usleep(10000); /* ZeroMQ's thread has yet to close the old one */
	}
	if (status == AV_OK)
		snprintf(d->command_endpoint, sizeof(d->command_endpoint), "%s",
			av_socket_endpoint(d->command));
}

static void close_command(struct daemon *d)
{
	av_socket_close(&d->command);
}

static const struct world_row rows[] = {
	{ALICE, "alice", "summary, feed, query", "", ""},
	{BOB, "bob", "query", "", ""},
};

static int start(void **state)
{
	const char *why = "";
	char path[100];
	struct daemon *d = calloc(1, sizeof(*d));
	assert_non_null(d);
	world_start(&d->world, 50);
	world_principals(&d->world, rows, AV_COUNT(rows));
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->done, NULL);
	snprintf(d->command_endpoint, sizeof(d->command_endpoint), "tcp://127.0.0.1:0");
	open_command(d);
	assert_non_null(d->command);
	struct av_socket_options stream = {.kind = AV_SOCKET_XPUB,
		.endpoint = "tcp://127.0.0.1:0",
		.frame_bytes = 1 << 20,
		.queue_messages = 1000,
		.on_subscribe = on_subscribe,
		.context = d};
	assert_int_equal(av_socket_open(d->world.bus, &stream, &d->stream, &why), AV_OK);
	snprintf(d->stream_endpoint, sizeof(d->stream_endpoint), "%s", av_socket_endpoint(d->stream));
	snprintf(path, sizeof(path), "%s/store", d->world.folder);
	d->random = av_random_seeded(3);
	struct av_store_options store = {.path = path,
		.map_bytes = 64u << 20,
		.daemon = "intake",
		.instance = "test",
		.now_ms = WORLD_NOW};
	assert_int_equal(av_store_open(&store, &d->random, &d->store, &why), AV_OK);
	struct av_feed_server_options feed = {
		.bus = d->world.bus, .store = d->store, .endpoint = "tcp://127.0.0.1:0", .may_see = may_see};
	assert_int_equal(av_feed_server_open(&feed, &d->feed, &why), AV_OK);
	snprintf(d->feed_endpoint, sizeof(d->feed_endpoint), "%s", av_feed_server_endpoint(d->feed));
	uv_async_init(&d->world.loop, &d->async, on_work);
	d->async.data = d;
	assert_int_equal(pthread_create(&d->thread, NULL, run, d), 0);
	*state = d;
	return 0;
}

static int stop(void **state)
{
	struct daemon *d = *state;
	on_loop(d, quit);
	pthread_join(d->thread, NULL);
	uv_close((uv_handle_t *)&d->async, NULL);
	av_feed_server_close(&d->feed);
	av_socket_close(&d->command);
	av_socket_close(&d->stream);
	world_stop(&d->world);
	av_store_close(&d->store);
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->done);
	free(d);
	return 0;
}

static struct av_client_options options_of(struct daemon *d, enum who who, const char *endpoint)
{
	return (struct av_client_options){.endpoint = endpoint,
		.server_key = d->world.server.public_key,
		.public_key = d->world.people[who].public_key,
		.secret_key = d->world.people[who].secret_key,
		.timeout_ms = 3000};
}

static struct av_client *open_client(struct daemon *d, enum who who, int timeout_ms)
{
	struct av_client_options options = options_of(d, who, d->command_endpoint);
	struct av_client *client = NULL;
	options.timeout_ms = timeout_ms;
	assert_int_equal(av_client_open(&options, &client), AV_OK);
	return client;
}

static Avvik__V1__Command command_of(const char *reference)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	static Avvik__V1__GetStatus get = AVVIK__V1__GET_STATUS__INIT;
	command.reference = (char *)(uintptr_t)reference;
	command.body_case = AVVIK__V1__COMMAND__BODY_GET_STATUS;
	command.get_status = &get;
	return command;
}

static void want_call(struct av_client *client, const char *reference)
{
	Avvik__V1__Reply *reply = NULL;
	Avvik__V1__Command command = command_of(reference);
	assert_int_equal(av_client_call(client, &command, &reply), AV_OK);
	assert_string_equal(reply->reference, reference);
	avvik__v1__reply__free_unpacked(reply, NULL);
}

/* Commands */

static void a_call_gets_its_own_reply(void **state)
{
	struct av_client *client = open_client(*state, ALICE, 3000);
	want_call(client, "one");
	want_call(client, "two");
	av_client_close(&client);
	assert_null(client);
}

static void a_thousand_commands_under_way_get_a_thousand_replies_each_once(void **state)
{
	struct av_client *client = open_client(*state, ALICE, 3000);
	static bool seen[2000];
	memset(seen, 0, sizeof(seen));
	uint64_t number = 0;
	Avvik__V1__Command command = command_of("x");
	for (int i = 0; i < 1024; i++)
		assert_int_equal(av_client_send(client, &command, &number), AV_OK);
	assert_int_equal(av_client_send(client, &command, &number), AV_BUSY);
	want_call(client, "in between");
	for (int i = 0; i < 1024; i++) {
		Avvik__V1__Reply *reply;
		assert_int_equal(av_client_receive(client, 3000, &reply), AV_OK);
		uint64_t id = strtoull(reply->message_id, NULL, 10);
		assert_true(id > 0 && id < AV_COUNT(seen) && !seen[id]);
		seen[id] = true;
		avvik__v1__reply__free_unpacked(reply, NULL);
	}
	Avvik__V1__Reply *reply;
	assert_int_equal(av_client_receive(client, 50, &reply), AV_TIMEOUT);
	assert_int_equal(av_client_send(client, &command, &number), AV_OK);
	av_client_close(&client);
}

static void be_mute_once(struct daemon *d)
{
	d->mute = 1;
}

static void a_call_without_answer_times_out_and_the_next_one_is_answered(void **state)
{
	struct daemon *d = *state;
	struct av_client *client = open_client(d, ALICE, 300);
	Avvik__V1__Command command = command_of("x");
	Avvik__V1__Reply *reply = NULL;
	want_call(client, "first");
	on_loop(d, be_mute_once);
	int64_t before_ms = av_clock_monotonic_ms();
	assert_int_equal(av_client_call(client, &command, &reply), AV_TIMEOUT);
	int64_t took_ms = av_clock_monotonic_ms() - before_ms;
	assert_true(took_ms >= 290 && took_ms < 2000);
	assert_null(reply);
	want_call(client, "again");
	av_client_close(&client);
}

static void a_key_that_is_not_allowed_times_out(void **state)
{
	struct av_client *client = open_client(*state, STRANGER, 300);
	Avvik__V1__Command command = command_of("x");
	Avvik__V1__Reply *reply;
	assert_int_equal(av_client_call(client, &command, &reply), AV_TIMEOUT);
	av_client_close(&client);
}

static void when_the_daemon_comes_back_a_call_is_answered(void **state)
{
	struct daemon *d = *state;
	struct av_client *client = open_client(d, ALICE, 3000);
	want_call(client, "before");
	for (int i = 0; i < 5; i++) {
		on_loop(d, close_command);
		on_loop(d, open_command); /* at once: the client may not have noticed, and send into the old
					     connection */
		want_call(client, "after");
	}
	av_client_close(&client);
}

static void options_that_cannot_work_are_refused_at_once(void **state)
{
	struct daemon *d = *state;
	struct av_client *client = NULL;
	for (int i = 0; i < 5; i++) {
		struct av_client_options options = options_of(d, ALICE, d->command_endpoint);
		if (i == 0)
			options.endpoint = NULL;
		else if (i == 1)
			options.endpoint = "nonsense";
		else if (i == 2)
			options.server_key = "short";
		else if (i == 3)
			options.public_key = NULL;
		else
			options.secret_key = "'''''''''''''''''''''''''''''''''''''''''"; /* not Z85 */
		assert_int_equal(av_client_open(&options, &client), AV_INVALID);
		assert_null(client);
	}
}

static void reopen_command(struct daemon *d)
{
	close_command(d);
	open_command(d);
}

static void *reopen_soon(void *context)
{
	usleep(200000);
	on_loop(context, reopen_command);
	return NULL;
}

static void a_call_under_way_when_the_daemon_goes_is_made_again(void **state)
{
	struct daemon *d = *state;
	struct av_client *client = open_client(d, ALICE, 5000);
	pthread_t thread;
	want_call(client, "before");
	on_loop(d, be_mute_once); /* received, and lost with the daemon */
	assert_int_equal(pthread_create(&thread, NULL, reopen_soon, d), 0);
	want_call(client, "under way");
	pthread_join(thread, NULL);
	av_client_close(&client);
}

/* Feeds */

static void append(struct daemon *d)
{
	struct av_txn *txn;
	uint64_t sequence;
	struct av_arena *arena = av_arena_create(0);
	Avvik__V1__Event event = AVVIK__V1__EVENT__INIT;
	Avvik__V1__CaseClosed closed = AVVIK__V1__CASE_CLOSED__INIT;
	event.body_case = AVVIK__V1__EVENT__BODY_CASE_CLOSED;
	event.case_closed = &closed;
	if (av_txn_begin_write(d->store, &txn) == AV_OK) {
		for (int i = 0; i < 10; i++)
			av_journal_append(txn, av_message_pack(&event.base, arena), &sequence);
		(void)av_txn_commit(&txn);
	}
	av_feed_server_advanced(d->feed);
	av_arena_destroy(&arena);
}

static struct av_feed *open_feed(struct daemon *d, enum who who)
{
	struct av_client_options options = options_of(d, who, d->feed_endpoint);
	struct av_feed *feed = NULL;
	assert_int_equal(av_feed_open(&options, &feed), AV_OK);
	return feed;
}

static void a_sink_reads_a_feed_batch_by_batch_by_its_own_cursor(void **state)
{
	struct daemon *d = *state;
	struct av_feed *feed = open_feed(d, ALICE);
	Avvik__V1__FeedReply *reply = NULL, *last = NULL;
	uint64_t next = 1;
	on_loop(d, append);
	on_loop(d, append);
	for (int i = 0; i < 5; i++) {
		const Avvik__V1__Cursor *after = last ? last->batch->reached : NULL;
		assert_int_equal(av_feed_next(feed, after, 4, 3000, &reply), AV_OK);
		assert_int_equal(reply->batch->n_items, 4);
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(reply->batch->items[k]->sequence, next++);
		if (last)
			avvik__v1__feed_reply__free_unpacked(last, NULL);
		last = reply;
	}
	assert_int_equal(av_feed_next(feed, last->batch->reached, 4, 400, &reply), AV_TIMEOUT);
	assert_null(reply);
	assert_int_equal(av_feed_next(feed, last->batch->reached, 4, 1, &reply), AV_TIMEOUT);
	on_loop(d, append);
	assert_int_equal(av_feed_next(feed, last->batch->reached, 100, 3000, &reply), AV_OK);
	assert_int_equal(reply->batch->items[0]->sequence, 21);
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	/* Another history */
	last->batch->reached->chain_hash.data[0] ^= 1;
	assert_int_equal(av_feed_next(feed, last->batch->reached, 4, 3000, &reply), AV_CONFLICT);
	assert_int_equal(reply->body_case, AVVIK__V1__FEED_REPLY__BODY_REFUSAL);
	assert_int_equal(reply->refusal->head->sequence, 30);
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	avvik__v1__feed_reply__free_unpacked(last, NULL);
	av_feed_close(&feed);
}

static void waiting(struct daemon *d)
{
	d->waiting = av_feed_server_waiting(d->feed);
}

/* While a sink stores, the request for what follows is out already: the producer has it. */
static void what_follows_is_asked_for_before_the_sink_comes_for_it(void **state)
{
	struct daemon *d = *state;
	struct av_feed *feed = open_feed(d, ALICE);
	Avvik__V1__FeedReply *first = NULL, *reply = NULL;
	on_loop(d, append);
	assert_int_equal(av_feed_next(feed, NULL, 100, 3000, &first), AV_OK);
	assert_int_equal(first->batch->n_items, 10);
	for (int i = 0; i < 100 && (on_loop(d, waiting), d->waiting == 0); i++)
		usleep(20000);
	assert_int_equal(d->waiting, 1);
	on_loop(d, append);
	/* Another question is not answered by that answer: from the start, and of fewer events. */
	assert_int_equal(av_feed_next(feed, first->batch->reached, 3, 3000, &reply), AV_OK);
	assert_int_equal(reply->batch->n_items, 3);
	assert_int_equal(reply->batch->items[0]->sequence, 11);
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	assert_int_equal(av_feed_next(feed, NULL, 3, 3000, &reply), AV_OK);
	assert_int_equal(reply->batch->items[0]->sequence, 1);
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	avvik__v1__feed_reply__free_unpacked(first, NULL);
	av_feed_close(&feed);
}

static void a_sink_without_the_right_is_FORBIDDEN(void **state)
{
	struct av_feed *feed = open_feed(*state, BOB);
	Avvik__V1__FeedReply *reply = NULL;
	assert_int_equal(av_feed_next(feed, NULL, 4, 3000, &reply), AV_FORBIDDEN);
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	av_feed_close(&feed);
}

/* The summary stream */

static void publish(struct daemon *d)
{
	struct av_arena *arena = av_arena_create(0);
	(void)av_socket_publish(
		d->stream, av_bytes_of("summary/north/"), av_message_pack(&d->update->base, arena));
	av_arena_destroy(&arena);
}

/* The figure grows by one in the daemon; `told`: on the stream too. */
static void change(struct daemon *d, size_t index, bool told)
{
	char text[20];
	Avvik__V1__SummaryUpdate update = AVVIK__V1__SUMMARY_UPDATE__INIT;
	Avvik__V1__FigureChange one = AVVIK__V1__FIGURE_CHANGE__INIT, *changes[] = {&one};
	Avvik__V1__FigureKey key = key_of(index, text);
	pthread_mutex_lock(&d->lock);
	update.unit = (char *)"north";
	update.epoch_id = (ProtobufCBinaryData){16, d->epoch};
	update.previous_sequence = d->sequence;
	update.sequence = ++d->sequence;
	update.changes = changes;
	update.n_changes = 1;
	one.key = &key;
	one.change = 1;
	one.value = ++d->figures[index];
	d->update = &update;
	pthread_mutex_unlock(&d->lock);
	if (told)
		on_loop(d, publish);
}

static struct av_summary_stream *open_stream(struct daemon *d, const char *const *units, int heartbeat_ms)
{
	struct av_summary_options options = {.command = options_of(d, ALICE, d->command_endpoint),
		.stream_endpoint = d->stream_endpoint,
		.units = units,
		.heartbeat_ms = heartbeat_ms};
	struct av_summary_stream *stream = NULL;
	assert_int_equal(av_summary_open(&options, &stream), AV_OK);
	return stream;
}

static const char *const north[] = {"north", NULL};

/* The next update: how many changes it has. */
static size_t next(struct av_summary_stream *stream, bool want_snapshot)
{
	Avvik__V1__SummaryUpdate *update = NULL;
	bool snapshot = !want_snapshot;
	int status = av_summary_next(stream, 3000, &update, &snapshot);
	if (status != AV_OK)
		fail_msg("got %s, want an update", av_status_name(status));
	assert_int_equal(snapshot, want_snapshot);
	assert_string_equal(update->unit, "north");
	size_t changes = update->n_changes;
	avvik__v1__summary_update__free_unpacked(update, NULL);
	return changes;
}

static void want_copy(struct daemon *d, struct av_summary_stream *stream)
{
	static int64_t want[FIGURES_MAX];
	pthread_mutex_lock(&d->lock);
	memcpy(want, d->figures, sizeof(want));
	pthread_mutex_unlock(&d->lock);
	for (size_t i = 0; i < d->figure_count; i++) {
		char text[20];
		Avvik__V1__FigureKey key = key_of(i, text);
		int64_t got = av_summary_value(stream, &key);
		if (got != want[i])
			fail_msg("figure %zu: got %" PRId64 ", want %" PRId64, i, got, want[i]);
	}
}

static void prepare_figures(struct daemon *d, size_t count)
{
	pthread_mutex_lock(&d->lock);
	d->figure_count = count;
	d->sequence = 100;
	memset(d->epoch, 5, sizeof(d->epoch));
	for (size_t i = 0; i < count; i++)
		d->figures[i] = (int64_t)i + 1;
	pthread_mutex_unlock(&d->lock);
}

static unsigned int snapshots(struct daemon *d)
{
	pthread_mutex_lock(&d->lock);
	unsigned int count = d->snapshots;
	pthread_mutex_unlock(&d->lock);
	return count;
}

static void forbid(struct daemon *d)
{
	d->unit_forbidden = true;
}

static void turn_between_pages(struct daemon *d)
{
	d->turn = true;
}

static void begin_epoch(struct daemon *d)
{
	memset(d->epoch, 9, sizeof(d->epoch));
	d->sequence = 3;
}

static void the_copy_starts_with_a_snapshot_of_all_pages_and_follows_the_stream(void **state)
{
	struct daemon *d = *state;
	prepare_figures(d, FIGURES_MAX);
	struct av_summary_stream *stream = open_stream(d, north, 0);
	assert_int_equal(next(stream, true), FIGURES_MAX);
	want_copy(d, stream);
	usleep(200000); /* the subscription is under way */
	for (size_t i = 0; i < 20; i++) {
		change(d, i, true);
		assert_int_equal(next(stream, false), 1);
	}
	want_copy(d, stream);
	assert_int_equal(av_summary_gaps(stream), 0);
	assert_int_equal(snapshots(d), 1);
	av_summary_close(&stream);
}

static void a_gap_is_repaired_before_anything_more_is_seen(void **state)
{
	struct daemon *d = *state;
	prepare_figures(d, 10);
	struct av_summary_stream *stream = open_stream(d, north, 0);
	next(stream, true);
	usleep(200000);
	change(d, 1, true);
	assert_int_equal(next(stream, false), 1);
	change(d, 2, false); /* lost */
	change(d, 3, false); /* lost */
	change(d, 4, true);
	change(d, 5, true);
	assert_int_equal(next(stream, true), 4); /* all that differs; what waits on the stream is in it */
	want_copy(d, stream);
	change(d, 6, true);
	assert_int_equal(next(stream, false), 1);
	want_copy(d, stream);
	assert_int_equal(av_summary_gaps(stream), 1);
	av_summary_close(&stream);
}

static void a_change_lost_at_the_end_is_found_when_the_stream_is_silent(void **state)
{
	struct daemon *d = *state;
	prepare_figures(d, 10);
	struct av_summary_stream *stream = open_stream(d, north, 200);
	Avvik__V1__SummaryUpdate *update;
	bool snapshot;
	next(stream, true);
	assert_int_equal(av_summary_next(stream, 500, &update, &snapshot), AV_TIMEOUT);
	assert_true(snapshots(d) > 1); /* looked, and found nothing */
	change(d, 2, false);
	assert_int_equal(next(stream, true), 1);
	want_copy(d, stream);
	assert_int_equal(av_summary_gaps(stream), 1);
	av_summary_close(&stream);
}

static void a_new_epoch_is_a_gap(void **state)
{
	struct daemon *d = *state;
	prepare_figures(d, 10);
	struct av_summary_stream *stream = open_stream(d, north, 0);
	next(stream, true);
	usleep(200000);
	on_loop(d, begin_epoch);
	change(d, 1, true);
	assert_int_equal(next(stream, true), 1);
	want_copy(d, stream);
	change(d, 2, true);
	assert_int_equal(next(stream, false), 1);
	av_summary_close(&stream);
}

static void a_snapshot_that_changes_between_its_pages_is_begun_again(void **state)
{
	struct daemon *d = *state;
	prepare_figures(d, FIGURES_MAX);
	on_loop(d, turn_between_pages);
	struct av_summary_stream *stream = open_stream(d, north, 0);
	assert_int_equal(next(stream, true), FIGURES_MAX);
	want_copy(d, stream);
	assert_int_equal(snapshots(d), 2);
	av_summary_close(&stream);
}

static void without_units_each_unit_is_met_on_the_stream(void **state)
{
	struct daemon *d = *state;
	prepare_figures(d, 10);
	struct av_summary_stream *stream = open_stream(d, NULL, 0);
	Avvik__V1__SummaryUpdate *update;
	bool snapshot;
	assert_int_equal(av_summary_next(stream, 200, &update, &snapshot), AV_TIMEOUT);
	change(d, 1, true);
	assert_int_equal(next(stream, true), 10);
	want_copy(d, stream);
	av_summary_close(&stream);
}

static void a_unit_that_may_not_be_read_is_told(void **state)
{
	struct daemon *d = *state;
	prepare_figures(d, 10);
	on_loop(d, forbid);
	struct av_summary_stream *stream = open_stream(d, north, 0);
	Avvik__V1__SummaryUpdate *update;
	bool snapshot;
	assert_int_equal(av_summary_next(stream, 3000, &update, &snapshot), AV_FORBIDDEN);
	av_summary_close(&stream);
}

/* Receipts */

static void a_receipt_is_checked_offline(void **state)
{
	(void)state;
	struct av_arena *arena = av_arena_create(0);
	struct av_random random = av_random_seeded(5);
	unsigned char public_key[32], secret[64], blinding[32], commitment[32], leaf[32], id[16] = {1};
	static const char report[] = "a packed report";
	const char *text = NULL;
	assert_int_equal(av_crypto_start(), AV_OK);
	av_sign_keypair(&random, public_key, secret);
	av_random_fill(&random, blinding, sizeof(blinding));
	av_commitment(blinding, av_bytes(report, sizeof(report)), commitment);
	Avvik__V1__Receipt receipt = AVVIK__V1__RECEIPT__INIT;
	Avvik__V1__ReceiptLeaf one = AVVIK__V1__RECEIPT_LEAF__INIT;
	Avvik__V1__TurnSeal seal = AVVIK__V1__TURN_SEAL__INIT;
	one.report_id = (ProtobufCBinaryData){16, id};
	one.commitment = (ProtobufCBinaryData){32, commitment};
	one.sequence = 7;
	one.received_at_ms = one.recorded_at_ms = WORLD_NOW;
	assert_int_equal(av_receipt_leaf_hash(&one, arena, leaf), AV_OK);
	seal.instance = receipt.instance = (char *)"test";
	seal.epoch_id = (ProtobufCBinaryData){16, id};
	seal.first_sequence = seal.last_sequence = 7;
	seal.chain_hash = (ProtobufCBinaryData){32, leaf};
	seal.merkle_root = (ProtobufCBinaryData){32, leaf};
	seal.leaves = 1;
	seal.sealed_at_ms = WORLD_NOW;
	assert_int_equal(av_turn_sign(&seal, secret, arena), AV_OK);
	receipt.leaf = &one;
	receipt.turn = &seal;
	receipt.count = 1;
	receipt.blinding = (ProtobufCBinaryData){32, blinding};
	int status = av_client_check_receipt(&receipt, public_key, report, sizeof(report), &text);
	if (status != AV_OK)
		fail_msg("got %s (%s), want OK", av_status_name(status), text ? text : "");
	assert_int_equal(av_client_check_receipt(&receipt, public_key, NULL, 0, &text), AV_OK);
	assert_int_equal(av_client_check_receipt(&receipt, public_key, "another", 7, &text), AV_CRYPTO);
	one.sequence = 8;
	assert_int_not_equal(
		av_client_check_receipt(&receipt, public_key, report, sizeof(report), &text), AV_OK);
	av_arena_destroy(&arena);
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_call_gets_its_own_reply),
		T(a_thousand_commands_under_way_get_a_thousand_replies_each_once),
		T(a_call_without_answer_times_out_and_the_next_one_is_answered),
		T(a_key_that_is_not_allowed_times_out),
		T(when_the_daemon_comes_back_a_call_is_answered),
		T(a_call_under_way_when_the_daemon_goes_is_made_again),
		T(options_that_cannot_work_are_refused_at_once),
		T(a_sink_reads_a_feed_batch_by_batch_by_its_own_cursor),
		T(what_follows_is_asked_for_before_the_sink_comes_for_it),
		T(a_sink_without_the_right_is_FORBIDDEN),
		T(the_copy_starts_with_a_snapshot_of_all_pages_and_follows_the_stream),
		T(a_gap_is_repaired_before_anything_more_is_seen),
		T(a_change_lost_at_the_end_is_found_when_the_stream_is_silent),
		T(a_new_epoch_is_a_gap),
		T(a_snapshot_that_changes_between_its_pages_is_begun_again),
		T(without_units_each_unit_is_met_on_the_stream),
		T(a_unit_that_may_not_be_read_is_told),
		cmocka_unit_test(a_receipt_is_checked_offline),
	};
	return cmocka_run_group_tests_name("bus_client", tests, NULL, NULL);
}
