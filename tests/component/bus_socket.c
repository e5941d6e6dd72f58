/* bus_socket.c - command sockets on loopback: who gets through, what comes back, and what hostile peers
 * cannot do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/status.h"
#include "bus_world.h"

#define FRAME_BYTES 4096
#define HELD_MAX 64

/* A server that answers each message with "reply:" and the body, and remembers what it saw. */
struct server {
	struct world world;
	struct av_socket *socket;
	unsigned int seen, broken, nobody, want;
	char last[100], name[100];
	struct av_route route;
	int status;
	bool silent, close_in_callback, keep;
	struct av_frame kept;
};

static void on_message(void *context, struct av_message_in *message)
{
	struct server *server = context;
	struct av_bytes body = av_frame_bytes(&message->body);
	char reply[200];
	server->seen++;
	server->broken += message->broken;
	server->nobody += !message->principal;
	server->route = message->route;
	snprintf(server->last, sizeof(server->last), "%.*s", (int)AV_MIN(body.size, 90),
		(const char *)body.data);
	snprintf(
		server->name, sizeof(server->name), "%s", message->principal ? message->principal->name : "");
	int size = snprintf(reply, sizeof(reply), "reply:%s", server->last);
	if (server->keep)
		server->kept = message->body; /* it moves by assignment */
	else
		av_frame_release(&message->body);
	if (!server->silent)
		server->status =
			av_socket_send(server->socket, &message->route, av_bytes(reply, (size_t)size));
	if (server->close_in_callback)
		av_socket_close(&server->socket);
}

static void open_socket(struct server *server, int queue)
{
	const char *why = "";
	struct av_socket_options options = {.kind = AV_SOCKET_ROUTER,
		.endpoint = "tcp://127.0.0.1:0",
		.frame_bytes = FRAME_BYTES,
		.queue_messages = queue,
		.on_message = on_message,
		.context = server};
	int status = av_socket_open(server->world.bus, &options, &server->socket, &why);
	if (status != AV_OK)
		fail_msg("open: %s", why);
}

static const struct world_row both[] = {
	{ALICE, "alice", "publish", "", ""},
	{BOB, "bob", "publish", "", ""},
};

static int start(void **state)
{
	struct server *server = calloc(1, sizeof(*server));
	assert_non_null(server);
	world_start(&server->world, 20);
	world_principals(&server->world, both, AV_COUNT(both));
	open_socket(server, 100);
	*state = server;
	return 0;
}

static int stop(void **state)
{
	struct server *server = *state;
	av_socket_close(&server->socket);
	world_stop(&server->world);
	free(server);
	return 0;
}

static bool seen_all(void *context)
{
	const struct server *server = context;
	return server->seen >= server->want;
}

static bool wait_seen(struct server *server, unsigned int want, unsigned int ms)
{
	server->want = want;
	return world_run(&server->world, seen_all, server, ms);
}

static void *peer_of(struct server *server, int type, int who)
{
	return world_peer(&server->world, type, who, NULL, av_socket_endpoint(server->socket));
}

static void a_REQ_client_gets_its_reply_and_the_message_says_whose_it_is(void **state)
{
	struct server *server = *state;
	char text[100] = "";
	void *peer = peer_of(server, ZMQ_REQ, ALICE);
	zmq_send(peer, "hello", 5, 0);
	assert_int_equal(world_receive(&server->world, peer, text, sizeof(text), 3000), 1);
	assert_string_equal(text, "reply:hello");
	assert_string_equal(server->name, "alice");
	assert_int_equal(server->status, AV_OK);
	world_peer_close(&server->world, peer);
}

static void a_DEALER_without_the_empty_frame_gets_one_frame_back(void **state)
{
	struct server *server = *state;
	char text[100] = "";
	void *peer = peer_of(server, ZMQ_DEALER, BOB);
	zmq_send(peer, "hello", 5, 0);
	assert_int_equal(world_receive(&server->world, peer, text, sizeof(text), 3000), 1);
	assert_string_equal(text, "reply:hello");
	assert_string_equal(server->name, "bob");
	world_peer_close(&server->world, peer);
}

static void the_envelope_of_a_proxy_comes_back_as_it_was(void **state)
{
	struct server *server = *state;
	char text[100] = "";
	void *peer = peer_of(server, ZMQ_DEALER, BOB);
	zmq_send(peer, "proxy-1", 7, ZMQ_SNDMORE);
	zmq_send(peer, "x", 1, ZMQ_SNDMORE);
	zmq_send(peer, "", 0, ZMQ_SNDMORE);
	zmq_send(peer, "hello", 5, 0);
	assert_true(wait_seen(server, 1, 3000));
	world_wait(&server->world, 200);
	static const char *const want[] = {"proxy-1", "x", "", "reply:hello"};
	for (size_t i = 0; i < AV_COUNT(want); i++) {
		int size = zmq_recv(peer, text, sizeof(text) - 1, ZMQ_DONTWAIT);
		assert_true(size >= 0);
		text[size] = 0;
		assert_string_equal(text, want[i]);
	}
	world_peer_close(&server->world, peer);
}

static void an_unknown_key_gets_nothing_through_and_is_told_once(void **state)
{
	struct server *server = *state;
	void *peer = peer_of(server, ZMQ_DEALER, STRANGER);
	zmq_send(peer, "hello", 5, 0);
	world_wait(&server->world, 300); /* it comes back several times in this */
	assert_int_equal(server->seen, 0);
	assert_int_equal(server->world.refused, 1);
	assert_string_equal(server->world.refused_key, server->world.people[STRANGER].public_key);
	world_peer_close(&server->world, peer);
	world_wait(&server->world, 100);
	assert_int_equal(av_bus_connections(server->world.bus), 0);
}

static void a_peer_with_another_server_key_gets_nothing_through(void **state)
{
	struct server *server = *state;
	void *peer = world_peer(&server->world, ZMQ_DEALER, ALICE, server->world.people[BOB].public_key,
		av_socket_endpoint(server->socket));
	zmq_send(peer, "hello", 5, 0);
	world_wait(&server->world, 300);
	assert_int_equal(server->seen, 0);
	assert_int_equal(server->world.refused, 1);
	assert_string_equal(server->world.refused_key, "");
	world_peer_close(&server->world, peer);
}

static void a_peer_with_another_secret_key_gets_nothing_through(void **state)
{
	struct server *server = *state;
	/* Alice's public key, without the secret one that belongs to it. */
	memcpy(server->world.people[CAROL].public_key, server->world.people[ALICE].public_key, AV_CURVE_TEXT);
	void *peer = peer_of(server, ZMQ_DEALER, CAROL);
	zmq_send(peer, "hello", 5, 0);
	world_wait(&server->world, 300);
	assert_int_equal(server->seen, 0);
	world_peer_close(&server->world, peer);
}

static void a_peer_without_CURVE_gets_nothing_through(void **state)
{
	struct server *server = *state;
	void *peer = peer_of(server, ZMQ_DEALER, -1);
	zmq_send(peer, "hello", 5, 0);
	world_wait(&server->world, 300);
	assert_int_equal(server->seen, 0);
	assert_true(server->world.refused >= 1);
	world_peer_close(&server->world, peer);
}

static void a_key_revoked_while_connected_is_nobodys_on_its_next_message(void **state)
{
	struct server *server = *state;
	void *peer = peer_of(server, ZMQ_DEALER, ALICE);
	zmq_send(peer, "one", 3, 0);
	assert_true(wait_seen(server, 1, 3000));
	assert_int_equal(server->nobody, 0);
	world_principals(&server->world, both + 1, 1);
	zmq_send(peer, "two", 3, 0);
	assert_true(wait_seen(server, 2, 3000));
	assert_int_equal(server->nobody, 1);
	assert_int_equal(server->world.refused, 1);
	assert_int_equal(av_socket_counts(server->socket).refused, 1);
	world_peer_close(&server->world, peer);
}

static void two_keys_of_one_principal_hold_while_they_are_rotated_until_one_runs_out(void **state)
{
	struct server *server = *state;
	static const struct world_row rotation[] = {
		{ALICE, "system", "publish", "", "2026-05-01T00:00"},
		{BOB, "system", "publish", "", ""},
	};
	world_principals(&server->world, rotation, 2);
	void *old = peer_of(server, ZMQ_DEALER, ALICE), *new = peer_of(server, ZMQ_DEALER, BOB);
	zmq_send(old, "old", 3, 0);
	zmq_send(new, "new", 3, 0);
	assert_true(wait_seen(server, 2, 3000));
	assert_int_equal(server->nobody, 0);
	assert_string_equal(server->name, "system");
	server->world.now_ms =
		INT64_C(1777586400000) - 1; /* 2026-05-01 00:00 in Sweden, less a millisecond */
	zmq_send(old, "old", 3, 0);
	assert_true(wait_seen(server, 3, 3000));
	assert_int_equal(server->nobody, 0);
	server->world.now_ms++;
	zmq_send(old, "old", 3, 0);
	assert_true(wait_seen(server, 4, 3000));
	assert_int_equal(server->nobody, 1);
	zmq_send(new, "new", 3, 0);
	assert_true(wait_seen(server, 5, 3000));
	assert_int_equal(server->nobody, 1);
	world_peer_close(&server->world, old);
	world_peer_close(&server->world, new);
}

static void a_message_of_thousands_of_frames_is_broken_and_the_next_one_is_read(void **state)
{
	struct server *server = *state;
	char text[100] = "";
	void *peer = peer_of(server, ZMQ_DEALER, ALICE);
	zmq_send(peer, "", 0, ZMQ_SNDMORE);
	for (int i = 0; i < 5000; i++)
		zmq_send(peer, "frame", 5, ZMQ_SNDMORE);
	zmq_send(peer, "last", 4, 0);
	zmq_send(peer, "good", 4, 0);
	assert_true(wait_seen(server, 2, 5000));
	assert_int_equal(server->broken, 1);
	assert_string_equal(server->last, "good");
	/* The broken one was answered too, behind its delimiter. */
	assert_int_equal(world_receive(&server->world, peer, text, sizeof(text), 3000), 2);
	assert_string_equal(text, "reply:");
	assert_int_equal(world_receive(&server->world, peer, text, sizeof(text), 3000), 1);
	assert_string_equal(text, "reply:good");
	world_peer_close(&server->world, peer);
}

static void an_envelope_that_never_ends_or_is_too_long_is_broken(void **state)
{
	struct server *server = *state;
	char text[300] = "", filler[200];
	void *peer = peer_of(server, ZMQ_DEALER, ALICE);
	memset(filler, 'x', sizeof(filler));
	zmq_send(peer, "a", 1, ZMQ_SNDMORE); /* no delimiter */
	zmq_send(peer, "b", 1, 0);
	for (int i = 0; i < 3; i++) /* 600 bytes */
		zmq_send(peer, filler, sizeof(filler), ZMQ_SNDMORE);
	zmq_send(peer, "", 0, ZMQ_SNDMORE);
	zmq_send(peer, "c", 1, 0);
	for (int i = 0; i < AV_FRAMES_MAX; i++)
		zmq_send(peer, "e", 1, ZMQ_SNDMORE);
	zmq_send(peer, "", 0, ZMQ_SNDMORE);
	zmq_send(peer, "d", 1, 0);
	assert_true(wait_seen(server, 3, 5000));
	assert_int_equal(server->broken, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(world_receive(&server->world, peer, text, sizeof(text), 3000), 1);
		assert_string_equal(text, "reply:");
	}
	world_peer_close(&server->world, peer);
}

static void an_oversized_frame_costs_the_peer_its_connection_and_others_are_served(void **state)
{
	struct server *server = *state;
	char text[100] = "", *huge = calloc(1, FRAME_BYTES + 200);
	void *bad = peer_of(server, ZMQ_DEALER, ALICE), *good = peer_of(server, ZMQ_DEALER, BOB);
	assert_non_null(huge);
	memset(huge, 'h', FRAME_BYTES + 200);
	zmq_send(bad, huge, FRAME_BYTES, 0);
	assert_true(wait_seen(server, 1, 3000)); /* the largest that is allowed */
	zmq_send(bad, huge, FRAME_BYTES + 200, 0);
	world_wait(&server->world, 200);
	assert_int_equal(server->seen, 1);
	zmq_send(good, "hello", 5, 0);
	assert_int_equal(world_receive(&server->world, good, text, sizeof(text), 3000), 1);
	assert_string_equal(text, "reply:hello");
	free(huge);
	world_peer_close(&server->world, bad);
	world_peer_close(&server->world, good);
}

static void a_peer_that_never_reads_is_BUSY_and_counted_and_others_are_served(void **state)
{
	struct server *server = *state;
	char text[100] = "", *large = calloc(1, 8192);
	void *deaf = zmq_socket(server->world.zmq, ZMQ_DEALER);
	int one = 1, linger = 0;
	assert_non_null(large);
	world_peer_keep(&server->world, deaf);
	zmq_setsockopt(deaf, ZMQ_RCVHWM, &one, sizeof(one));
	zmq_setsockopt(deaf, ZMQ_LINGER, &linger, sizeof(linger));
	zmq_setsockopt(deaf, ZMQ_CURVE_SERVERKEY, server->world.server.public_key, 40);
	zmq_setsockopt(deaf, ZMQ_CURVE_PUBLICKEY, server->world.people[ALICE].public_key, 40);
	zmq_setsockopt(deaf, ZMQ_CURVE_SECRETKEY, server->world.people[ALICE].secret_key, 40);
	zmq_connect(deaf, av_socket_endpoint(server->socket));
	zmq_send(deaf, "hello", 5, 0);
	assert_true(wait_seen(server, 1, 3000));
	struct av_route route = server->route;
	int status = AV_OK;
	for (int i = 0; i < 5000 && status == AV_OK; i++) {
		status = av_socket_send(server->socket, &route, av_bytes(large, 8192));
		if (i % 50 == 0)
			world_wait(&server->world, 1);
	}
	assert_int_equal(status, AV_BUSY);
	assert_int_equal(av_socket_counts(server->socket).dropped, 1);
	void *good = peer_of(server, ZMQ_REQ, BOB);
	zmq_send(good, "hello", 5, 0);
	assert_int_equal(world_receive(&server->world, good, text, sizeof(text), 3000), 1);
	world_peer_close(&server->world, deaf);
	world_peer_close(&server->world, good);
	world_wait(&server->world, 200);
	assert_int_equal(av_socket_send(server->socket, &route, av_bytes_of("late")), AV_NOTHING);
	free(large);
}

static void beyond_the_limit_of_connections_a_handshake_is_refused(void **state)
{
	struct server *server = *state;
	void *peers[25];
	for (int i = 0; i < 25; i++) {
		peers[i] = peer_of(server, ZMQ_DEALER, ALICE);
		zmq_send(peers[i], "hello", 5, 0);
	}
	assert_true(wait_seen(server, 20, 10000));
	world_wait(&server->world, 500);
	assert_int_equal(server->seen, 20);
	assert_string_equal(server->world.refused_why, "too many connections");
	/* Those that were refused come by themselves when others go. */
	unsigned int closed = 0;
	for (int i = 0; i < 25; i++) {
		if (zmq_poll(&(zmq_pollitem_t){.socket = peers[i], .events = ZMQ_POLLIN}, 1, 100) != 1)
			continue;
		world_peer_close(&server->world, peers[i]);
		peers[i] = NULL;
		closed++;
	}
	assert_int_equal(closed, 20);
	assert_true(wait_seen(server, 25, 20000));
	for (int i = 0; i < 25; i++)
		if (peers[i])
			world_peer_close(&server->world, peers[i]);
	for (int i = 0; i < 100 && av_bus_connections(server->world.bus) > 0; i++)
		world_wait(&server->world, 50);
	assert_int_equal(av_bus_connections(server->world.bus), 0);
	unsigned int before = server->seen;
	void *peer = peer_of(server, ZMQ_DEALER, ALICE);
	zmq_send(peer, "hello", 5, 0);
	assert_true(wait_seen(server, before + 1, 10000));
	world_peer_close(&server->world, peer);
}

static void a_burst_larger_than_a_round_of_the_loop_is_read_to_the_end(void **state)
{
	struct server *server = *state;
	server->silent = true;
	void *peer = peer_of(server, ZMQ_DEALER, ALICE);
	int unlimited = 0;
	zmq_setsockopt(peer, ZMQ_SNDHWM, &unlimited, sizeof(unlimited));
	for (int i = 0; i < 1000; i++)
		assert_int_equal(zmq_send(peer, "x", 1, ZMQ_DONTWAIT), 1);
	assert_true(wait_seen(server, 1000, 5000));
	assert_int_equal(server->seen, 1000);
	world_peer_close(&server->world, peer);
}

static void messages_both_ways_at_once_never_put_the_loop_to_sleep_for_good(void **state)
{
	struct server *server = *state;
	char text[100];
	void *peer = peer_of(server, ZMQ_DEALER, ALICE);
	for (unsigned int i = 1; i <= 500; i++) {
		zmq_send(peer, "ping", 4, 0);
		assert_true(wait_seen(server, i, 3000));
		while (zmq_recv(peer, text, sizeof(text), ZMQ_DONTWAIT) >= 0)
			;
	}
	world_peer_close(&server->world, peer);
}

static void a_paused_socket_reads_nothing_and_goes_on_where_it_stopped(void **state)
{
	struct server *server = *state;
	void *peer = peer_of(server, ZMQ_DEALER, ALICE);
	zmq_send(peer, "one", 3, 0);
	assert_true(wait_seen(server, 1, 3000));
	av_socket_pause(server->socket, true);
	for (int i = 0; i < 10; i++)
		zmq_send(peer, "more", 4, 0);
	world_wait(&server->world, 100);
	assert_int_equal(server->seen, 1);
	av_socket_pause(server->socket, false);
	assert_true(wait_seen(server, 11, 3000));
	world_peer_close(&server->world, peer);
}

static void a_socket_may_be_closed_in_its_own_callback(void **state)
{
	struct server *server = *state;
	void *peer = peer_of(server, ZMQ_DEALER, ALICE);
	server->close_in_callback = true;
	zmq_send(peer, "one", 3, 0);
	zmq_send(peer, "two", 3, 0);
	assert_true(wait_seen(server, 1, 3000));
	world_wait(&server->world, 50);
	assert_int_equal(server->seen, 1);
	assert_null(server->socket);
	world_peer_close(&server->world, peer);
	open_socket(server, 10); /* and the bus goes on */
}

static void a_frame_outlives_its_socket_and_is_released_once(void **state)
{
	struct server *server = *state;
	char large[3000];
	void *peer = peer_of(server, ZMQ_DEALER, ALICE);
	memset(large, 'L', sizeof(large));
	server->keep = true;
	zmq_send(peer, large, sizeof(large), 0);
	assert_true(wait_seen(server, 1, 3000));
	av_socket_close(&server->socket);
	world_wait(&server->world, 20);
	struct av_bytes bytes = av_frame_bytes(&server->kept);
	assert_int_equal(bytes.size, sizeof(large));
	assert_memory_equal(bytes.data, large, sizeof(large));
	av_frame_release(&server->kept);
	assert_int_equal(av_frame_bytes(&server->kept).size, 0);
	av_frame_release(&server->kept); /* a zeroed one is nothing */
	world_peer_close(&server->world, peer);
}

static void an_endpoint_that_is_taken_or_wrong_is_refused_with_a_reason(void **state)
{
	struct server *server = *state;
	static const struct {
		const char *endpoint;
		int want;
	} rows[] = {{NULL, AV_EXISTS}, {"tcp://", AV_INVALID}, {"nonsense", AV_INVALID},
		{"tcp://192.0.2.1:7101", AV_IO}};
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		const char *why = NULL;
		struct av_socket *socket = NULL;
		struct av_socket_options options = {.kind = AV_SOCKET_ROUTER,
			.endpoint = rows[i].endpoint ? rows[i].endpoint : av_socket_endpoint(server->socket),
			.frame_bytes = 100,
			.queue_messages = 10,
			.on_message = on_message};
		assert_int_equal(av_socket_open(server->world.bus, &options, &socket, &why), rows[i].want);
		assert_non_null(why);
		assert_null(socket);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_REQ_client_gets_its_reply_and_the_message_says_whose_it_is),
		T(a_DEALER_without_the_empty_frame_gets_one_frame_back),
		T(the_envelope_of_a_proxy_comes_back_as_it_was),
		T(an_unknown_key_gets_nothing_through_and_is_told_once),
		T(a_peer_with_another_server_key_gets_nothing_through),
		T(a_peer_with_another_secret_key_gets_nothing_through),
		T(a_peer_without_CURVE_gets_nothing_through),
		T(a_key_revoked_while_connected_is_nobodys_on_its_next_message),
		T(two_keys_of_one_principal_hold_while_they_are_rotated_until_one_runs_out),
		T(a_message_of_thousands_of_frames_is_broken_and_the_next_one_is_read),
		T(an_envelope_that_never_ends_or_is_too_long_is_broken),
		T(an_oversized_frame_costs_the_peer_its_connection_and_others_are_served),
		T(a_peer_that_never_reads_is_BUSY_and_counted_and_others_are_served),
		T(beyond_the_limit_of_connections_a_handshake_is_refused),
		T(a_burst_larger_than_a_round_of_the_loop_is_read_to_the_end),
		T(messages_both_ways_at_once_never_put_the_loop_to_sleep_for_good),
		T(a_paused_socket_reads_nothing_and_goes_on_where_it_stopped),
		T(a_socket_may_be_closed_in_its_own_callback),
		T(an_endpoint_that_is_taken_or_wrong_is_refused_with_a_reason),
		T(a_frame_outlives_its_socket_and_is_released_once),
	};
	return cmocka_run_group_tests_name("bus_socket", tests, NULL, NULL);
}
