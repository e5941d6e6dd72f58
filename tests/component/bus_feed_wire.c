/* bus_feed_wire.c - one end of a feed against another that is made by hand: a producer or a reader that breaks
 * the protocol. */
#include <stdio.h>
#include <string.h>
#include "base/arena.h"
#include "base/status.h"
#include "bus_feed_world.h"

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
	feeds_follow(f, ALICE, 10, 4096);
	assert_true(feeds_run_to(f, 2, 3000));
	world_wait(&f->world, 200);
	assert_int_equal(f->requests, 2); /* after 2: its answer waits */
	memset(&f->cursor, 0, sizeof(f->cursor));
	f->items = f->last = f->out_of_order = 0;
	av_feed_client_restart(f->client, &f->cursor);
	assert_true(feeds_run_to(f, 4, 3000));
	assert_int_equal(f->items, 4); /* 1 to 4 */
	assert_int_equal(f->out_of_order, 0);
	av_socket_close(&f->fake);
}

static void an_answer_that_comes_twice_is_taken_once_and_nonsense_never(void **state)
{
	struct feeds *f = *state;
	open_fake(f, on_request);
	feeds_follow(f, ALICE, 10, 4096);
	assert_true(feeds_run_to(f, 100, 5000));
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
	feeds_append(f, FILED, 1, 16);
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
	feeds_append(f, CLOSED, 1, 16);
	feeds_follow(f, BOB, 10, 4096);
	assert_true(feeds_run_to(f, 1, 3000));
	for (size_t i = 0; i < AV_COUNT(peers); i++)
		world_peer_close(&f->world, peers[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		feeds_test(an_answer_that_comes_twice_is_taken_once_and_nonsense_never),
		feeds_test(an_answer_that_was_under_way_at_a_restart_is_not_taken_for_the_new_one),
		feeds_test(requests_out_of_bounds_are_refused),
		feeds_test(a_new_request_replaces_the_one_before),
		feeds_test(a_request_is_answered_empty_when_its_time_is_up),
		feeds_test(more_readers_under_one_key_than_allowed_are_told_BUSY),
	};
	return cmocka_run_group_tests_name("bus_feed_wire", tests, NULL, NULL);
}
