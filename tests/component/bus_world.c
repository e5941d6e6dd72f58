/* bus_world.c - a loop with a bus on loopback, its principals, and hand-made ZeroMQ peers. */
#include "bus_world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/arena.h"
#include "base/status.h"
#include "patience.h"

static int64_t now_ms(void *context)
{
	return ((struct world *)context)->now_ms;
}

static void on_refused(void *context, const char *key, const char *why)
{
	struct world *world = context;
	world->refused++;
	snprintf(world->refused_key, sizeof(world->refused_key), "%s", key);
	snprintf(world->refused_why, sizeof(world->refused_why), "%s", why);
}

void world_start(struct world *world, unsigned int connections)
{
	const char *why = "";
	memset(world, 0, sizeof(*world));
	world->now_ms = WORLD_NOW;
	snprintf(world->folder, sizeof(world->folder), "/tmp/avvik-bus-XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	assert_int_equal(uv_loop_init(&world->loop), 0);
	assert_int_equal(uv_timer_init(&world->loop, &world->limit), 0);
	world->limit.data = world;
	assert_int_equal(av_keypair_make(&world->server), AV_OK);
	for (int i = 0; i < PEOPLE; i++)
		assert_int_equal(av_keypair_make(&world->people[i]), AV_OK);
	struct av_bus_options options = {connections, &world->server, now_ms, on_refused, world};
	assert_int_equal(av_bus_create(&world->loop, &options, &world->bus, &why), AV_OK);
	world->zmq = zmq_ctx_new();
	assert_non_null(world->zmq);
}

void world_stop(struct world *world)
{
	char command[100];
	av_bus_destroy(&world->bus);
	uv_close((uv_handle_t *)&world->limit, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	for (size_t i = 0; i < AV_COUNT(world->peers); i++)
		if (world->peers[i])
			zmq_close(world->peers[i]);
	zmq_ctx_term(world->zmq);
	snprintf(command, sizeof(command), "rm -rf %s", world->folder);
	assert_int_equal(system(command), 0);
}

void world_principals(struct world *world, const struct world_row *rows, size_t count)
{
	char path[100];
	snprintf(path, sizeof(path), "%s/principals.yaml", world->folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, count ? "principals:\n" : "principals: []\n");
	for (size_t i = 0; i < count; i++) {
		const struct world_row *row = &rows[i];
		bool again = i > 0 && strcmp(row->name, rows[i - 1].name) == 0;
		if (!again)
			fprintf(file,
				"  - name: %s\n    kind: consumer\n    rights: [%s]\n    units: [%s]\n    "
				"keys:\n",
				row->name, row->rights, row->units);
		fprintf(file, "      - key: '%s'\n        until: '%s'\n", world->people[row->who].public_key,
			row->until);
	}
	assert_int_equal(fclose(file), 0);
	struct av_faults faults;
	struct av_principals *table = NULL;
	struct av_arena *arena = av_arena_create(0);
	av_faults_init(&faults, arena);
	int status = av_principals_load(path, &faults, &table);
	for (const struct av_fault *fault = faults.first; fault; fault = fault->next)
		print_message("%s: %s\n", fault->path, fault->text);
	assert_int_equal(status, AV_OK);
	av_bus_set_principals(world->bus, table);
	av_principals_unref(&table);
	av_arena_destroy(&arena);
}

static void on_limit(uv_timer_t *timer)
{
	((struct world *)timer->data)->timed_out = true;
}

bool world_run(struct world *world, bool (*done)(void *context), void *context, unsigned int ms)
{
	world->timed_out = false;
	uv_update_time(&world->loop);
	uv_timer_start(&world->limit, on_limit, (uint64_t)ms * test_patience(), 0);
	/* ONCE sleeps until something wakes the loop: a message that does not wake it fails the test. */
	while (!done(context) && !world->timed_out)
		uv_run(&world->loop, UV_RUN_ONCE);
	uv_timer_stop(&world->limit);
	return done(context);
}

static bool never(void *context)
{
	(void)context;
	return false;
}

void world_wait(struct world *world, unsigned int ms)
{
	world_run(world, never, NULL, ms);
}

void *world_peer(struct world *world, int type, int who, const char *server_key, const char *endpoint)
{
	void *peer = zmq_socket(world->zmq, type);
	int linger = 0, interval = 20;
	assert_non_null(peer);
	zmq_setsockopt(peer, ZMQ_LINGER, &linger, sizeof(linger));
	zmq_setsockopt(peer, ZMQ_RECONNECT_IVL, &interval, sizeof(interval));
	if (who >= 0) {
		const struct av_keypair *keys = &world->people[who];
		const char *server = server_key ? server_key : world->server.public_key;
		assert_int_equal(zmq_setsockopt(peer, ZMQ_CURVE_SERVERKEY, server, 40), 0);
		assert_int_equal(zmq_setsockopt(peer, ZMQ_CURVE_PUBLICKEY, keys->public_key, 40), 0);
		assert_int_equal(zmq_setsockopt(peer, ZMQ_CURVE_SECRETKEY, keys->secret_key, 40), 0);
	}
	assert_int_equal(zmq_connect(peer, endpoint), 0);
	world_peer_keep(world, peer);
	return peer;
}

void world_peer_keep(struct world *world, void *peer)
{
	for (size_t i = 0; i < AV_COUNT(world->peers); i++) {
		if (!world->peers[i]) {
			world->peers[i] = peer;
			return;
		}
	}
	fail_msg("more than %zu peers", AV_COUNT(world->peers));
}

void world_peer_close(struct world *world, void *peer)
{
	for (size_t i = 0; i < AV_COUNT(world->peers); i++)
		if (world->peers[i] == peer)
			world->peers[i] = NULL;
	assert_int_equal(zmq_close(peer), 0);
}

static bool readable(void *peer)
{
	zmq_pollitem_t item = {.socket = peer, .events = ZMQ_POLLIN};
	return zmq_poll(&item, 1, 0) > 0;
}

int world_receive(struct world *world, void *peer, char *ret_text, size_t size, unsigned int ms)
{
	/* The peer is not on the loop: look every few milliseconds. */
	for (unsigned int spent = 0; spent < ms && !readable(peer); spent += 5)
		world_wait(world, 5);
	int frames = 0, more = 1;
	size_t more_size = sizeof(more);
	while (more && readable(peer)) {
		int got = zmq_recv(peer, ret_text, size - 1, ZMQ_DONTWAIT);
		assert_true(got >= 0);
		ret_text[(size_t)got < size ? (size_t)got : size - 1] = 0;
		zmq_getsockopt(peer, ZMQ_RCVMORE, &more, &more_size);
		frames++;
	}
	return frames;
}
