/* bus_stream.c - the summary socket: subscriptions by rights, and their end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/status.h"
#include "bus_world.h"

struct stream {
	struct world world;
	struct av_socket *socket;
	unsigned int sent;
};

static bool on_subscribe(void *context, const struct av_principal *principal, struct av_bytes topic)
{
	char text[100], *unit = text + strlen("summary/"), *end;
	(void)context;
	snprintf(text, sizeof(text), "%.*s", (int)AV_MIN(topic.size, 90), (const char *)topic.data);
	if (!(principal->rights & AV_MAY_SUMMARY) || strncmp(text, "summary/", strlen("summary/")) != 0)
		return false;
	end = strchr(unit, '/');
	if (!end)
		return false;
	*end = 0;
	return av_principal_may_unit(principal, unit);
}

static int start(void **state)
{
	const char *why = "";
	struct stream *s = calloc(1, sizeof(*s));
	assert_non_null(s);
	world_start(&s->world, 20);
	struct av_socket_options options = {.kind = AV_SOCKET_XPUB,
		.endpoint = "tcp://127.0.0.1:0",
		.frame_bytes = 4096,
		.queue_messages = 100,
		.on_subscribe = on_subscribe,
		.context = s};
	assert_int_equal(av_socket_open(s->world.bus, &options, &s->socket, &why), AV_OK);
	*state = s;
	return 0;
}

static int stop(void **state)
{
	struct stream *s = *state;
	av_socket_close(&s->socket);
	world_stop(&s->world);
	free(s);
	return 0;
}

static void *subscriber(struct stream *s, enum who who, const char *topic)
{
	void *peer = world_peer(&s->world, ZMQ_SUB, (int)who, NULL, av_socket_endpoint(s->socket));
	assert_int_equal(zmq_setsockopt(peer, ZMQ_SUBSCRIBE, topic, strlen(topic)), 0);
	return peer;
}

static void publish(struct stream *s, const char *topic)
{
	char text[40];
	int size = snprintf(text, sizeof(text), "%u", ++s->sent);
	(void)av_socket_publish(s->socket, av_bytes_of(topic), av_bytes(text, (size_t)size));
}

/* How many messages come within the time, when one is published every 20 ms. */
static unsigned int heard(struct stream *s, void *peer, const char *topic, unsigned int ms)
{
	char text[100];
	unsigned int count = 0;
	for (unsigned int spent = 0; spent < ms; spent += 20) {
		publish(s, topic);
		world_wait(&s->world, 20);
		while (world_receive(&s->world, peer, text, sizeof(text), 0) > 0)
			count++;
	}
	return count;
}

/* Reads what was sent before. */
static void drain(struct stream *s, void *peer)
{
	char text[100];
	while (world_receive(&s->world, peer, text, sizeof(text), 0) > 0)
		;
}

static const struct world_row rows[] = {
	{ALICE, "alice", "summary", "north", ""},
	{BOB, "bob", "summary", "south", ""},
	{CAROL, "carol", "query", "north", ""},
};

static void a_subscription_within_the_rights_is_served_and_another_is_not(void **state)
{
	struct stream *s = *state;
	world_principals(&s->world, rows, AV_COUNT(rows));
	void *alice = subscriber(s, ALICE, "summary/north/"), *bob = subscriber(s, BOB, "summary/north/"),
	     *carol = subscriber(s, CAROL, "summary/north/"), *all = subscriber(s, ALICE, "");
	world_wait(&s->world, 200);
	assert_true(heard(s, alice, "summary/north/", 200) >= 8);
	assert_int_equal(heard(s, bob, "summary/north/", 200), 0);
	assert_int_equal(heard(s, carol, "summary/north/", 100), 0);
	assert_int_equal(heard(s, all, "summary/north/", 100), 0);
	drain(s, alice);
	assert_int_equal(heard(s, alice, "summary/south/", 100), 0);
	assert_int_equal(av_socket_counts(s->socket).refused, 3);
	world_peer_close(&s->world, alice);
	world_peer_close(&s->world, bob);
	world_peer_close(&s->world, carol);
	world_peer_close(&s->world, all);
}

static void an_ended_subscription_is_served_no_more(void **state)
{
	struct stream *s = *state;
	world_principals(&s->world, rows, AV_COUNT(rows));
	void *alice = subscriber(s, ALICE, "summary/north/");
	world_wait(&s->world, 200);
	assert_true(heard(s, alice, "summary/north/", 100) > 0);
	zmq_setsockopt(alice, ZMQ_UNSUBSCRIBE, "summary/north/", strlen("summary/north/"));
	world_wait(&s->world, 100);
	heard(s, alice, "summary/north/", 20);
	unsigned long before = av_socket_counts(s->socket).sent;
	assert_int_equal(heard(s, alice, "summary/north/", 100), 0);
	assert_true(av_socket_counts(s->socket).sent > before);
	world_peer_close(&s->world, alice);
}

static void a_revoked_key_hears_nothing_more_and_others_come_back_by_themselves(void **state)
{
	struct stream *s = *state;
	world_principals(&s->world, rows, AV_COUNT(rows));
	void *alice = subscriber(s, ALICE, "summary/north/"), *bob = subscriber(s, BOB, "summary/south/");
	world_wait(&s->world, 200);
	assert_true(heard(s, alice, "summary/north/", 100) > 0);
	world_principals(&s->world, rows + 1, 2);
	drain(s, alice);
	assert_int_equal(heard(s, alice, "summary/north/", 500), 0);
	assert_true(heard(s, bob, "summary/south/", 1000) > 0);
	world_peer_close(&s->world, alice);
	world_peer_close(&s->world, bob);
}

static void narrower_units_end_a_subscription_and_a_wider_table_leaves_it(void **state)
{
	struct stream *s = *state;
	static const struct world_row wide[] = {{ALICE, "alice", "summary", "north, south", ""}};
	static const struct world_row wider[] = {{ALICE, "alice", "summary, query", "", ""}};
	world_principals(&s->world, wide, 1);
	void *alice = subscriber(s, ALICE, "summary/south/");
	world_wait(&s->world, 200);
	assert_true(heard(s, alice, "summary/south/", 100) > 0);
	world_principals(&s->world, wider, 1);
	assert_true(heard(s, alice, "summary/south/", 100) >= 4); /* not even interrupted */
	world_principals(&s->world, rows, 1);
	drain(s, alice);
	assert_int_equal(heard(s, alice, "summary/south/", 500), 0);
	world_peer_close(&s->world, alice);
}

static void a_key_that_runs_out_hears_nothing_from_that_moment(void **state)
{
	struct stream *s = *state;
	static const struct world_row until[] = {{ALICE, "alice", "summary", "north", "2026-05-01T00:00"}};
	world_principals(&s->world, until, 1);
	void *alice = subscriber(s, ALICE, "summary/north/");
	world_wait(&s->world, 200);
	assert_true(heard(s, alice, "summary/north/", 100) > 0);
	drain(s, alice);
	s->world.now_ms = INT64_C(1777586400000); /* 2026-05-01 00:00 in Sweden */
	assert_int_equal(heard(s, alice, "summary/north/", 500), 0);
	world_peer_close(&s->world, alice);
}

static void a_message_that_is_no_subscription_bars_the_key_and_closes_all(void **state)
{
	struct stream *s = *state;
	world_principals(&s->world, rows, AV_COUNT(rows));
	void *alice = subscriber(s, ALICE, "summary/north/");
	world_wait(&s->world, 200);
	assert_true(heard(s, alice, "summary/north/", 100) > 0);
	void *bob = world_peer(&s->world, ZMQ_XSUB, BOB, NULL, av_socket_endpoint(s->socket));
	world_wait(&s->world, 100);
	assert_int_equal(zmq_send(bob, "hostile", 7, 0), 7);
	world_wait(&s->world, 200);
	assert_int_equal(av_socket_counts(s->socket).broken, 1);
	assert_string_equal(s->world.refused_key, s->world.people[BOB].public_key);
	assert_true(heard(s, alice, "summary/north/", 1000) > 0); /* she is back */
	zmq_send(bob, "hostile", 7, ZMQ_DONTWAIT);
	world_wait(&s->world, 300);
	assert_int_equal(av_socket_counts(s->socket).broken, 1); /* he is not */
	world_peer_close(&s->world, alice);
	world_peer_close(&s->world, bob);
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_subscription_within_the_rights_is_served_and_another_is_not),
		T(an_ended_subscription_is_served_no_more),
		T(a_revoked_key_hears_nothing_more_and_others_come_back_by_themselves),
		T(narrower_units_end_a_subscription_and_a_wider_table_leaves_it),
		T(a_key_that_runs_out_hears_nothing_from_that_moment),
		T(a_message_that_is_no_subscription_bars_the_key_and_closes_all),
	};
	return cmocka_run_group_tests_name("bus_stream", tests, NULL, NULL);
}
