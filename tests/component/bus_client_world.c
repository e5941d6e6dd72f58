/* bus_client_world.c - see bus_client_world.h */
#include "bus_client_world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/arena.h"
#include "base/status.h"

Avvik__V1__FigureKey daemon_figure_key(size_t index, char text[20])
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
		*figure->key = daemon_figure_key(i, av_arena_alloc(arena, 20));
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

void daemon_on_loop(struct daemon *d, void (*work)(struct daemon *))
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

void daemon_open_command(struct daemon *d)
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

void daemon_close_command(struct daemon *d)
{
	av_socket_close(&d->command);
}

static const struct world_row rows[] = {
	{ALICE, "alice", "summary, feed, query", "", ""},
	{BOB, "bob", "query", "", ""},
};

int daemon_start(void **state)
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
	daemon_open_command(d);
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

int daemon_stop(void **state)
{
	struct daemon *d = *state;
	daemon_on_loop(d, quit);
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

struct av_client_options daemon_options(struct daemon *d, enum who who, const char *endpoint)
{
	return (struct av_client_options){.endpoint = endpoint,
		.server_key = d->world.server.public_key,
		.public_key = d->world.people[who].public_key,
		.secret_key = d->world.people[who].secret_key,
		.timeout_ms = 3000};
}
