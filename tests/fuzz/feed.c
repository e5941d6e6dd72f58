/* feed.c - both ends of a feed under the fuzzer: requests to the server, replies to the client, over a real
 * journal and a socket that is played here.
 *
 * A row of steps: requests come from a few peers, replies from a producer that may say anything; or the
 * client's own request goes to the server and its answer back. What must hold:
 *
 * - every request gets one reply, or waits; the reply can be read; a batch follows on what was asked, within
 * the credit, and says the journal's own hash of where it reaches;
 * - the client hands over one batch at a time, each beginning behind the one before it, and nothing after a
 * refusal.
 */
#include "bus/feed.h"

#include <avvik/v1/envelope.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image.h"
#include "libfuzzer.h"
#include "must.h"
#include "played.h"
#include "mutate.h"
#include "seal/crypto.h"
#include "steps.h"
#include "wire/message.h"
#include "wire_samples.h"

enum feed_step {
	STEP_REQUEST, /* a FeedRequest to the server; who: the peer */
	STEP_REPLY,   /* a FeedReply to the client; who & 1: the connection is made anew first */
	STEP_ANSWER,  /* the client's last request is answered by the server */
	STEP_DONE,    /* the owner has done what was handed over */
	STEP_GROW,    /* the journal grows by some events */
	STEP_RIGHTS,  /* who: the rights of the peers */
	STEP_RESTART, /* an administrator restarts the client from the start */
	STEP_COUNT
};
const struct step_kind step_kinds[] = {
	/* clang-format off */
	[STEP_REQUEST] = {&avvik__v1__feed_request__descriptor, 8, NULL},
	[STEP_REPLY]   = {&avvik__v1__feed_reply__descriptor,   8, NULL},
	[STEP_ANSWER]  = {NULL,                                 6, NULL},
	[STEP_DONE]    = {NULL,                                 6, NULL},
	[STEP_GROW]    = {NULL,                                 3, NULL},
	[STEP_RIGHTS]  = {NULL,                                 1, NULL},
	[STEP_RESTART] = {NULL,                                 1, NULL},
}; /* clang-format on */
const size_t step_kind_count = STEP_COUNT;

#define EVENTS 40
static struct {
	struct av_store *store;
	char path[256];
	struct image *image; /* of the store at the start of every input */
	bool grown;
	struct av_random random;
	struct av_arena *arena;
	struct av_feed_server *server;
	struct av_feed_client *client;
	struct av_bytes asked; /* the client's last request; data NULL: none is out */
	/* Of the request that is being answered. */
	const Avvik__V1__FeedRequest *request;
	size_t replies;
	struct av_bytes answer;
	/* Of the client. */
	bool handed, stopped;
	uint64_t reached;
	struct av_feed_batch batch;
} feed;

/* --- the sockets --- */

static void check_answer(struct av_bytes body);

void played_request(struct av_bytes body)
{
	feed.asked = av_bytes(av_arena_copy(feed.arena, body.data, body.size), body.size);
}

void played_reply(struct av_bytes body)
{
	feed.replies++;
	feed.answer = av_bytes(av_arena_copy(feed.arena, body.data, body.size), body.size);
	check_answer(body);
}

/* --- what the server answers --- */

static void check_batch(const Avvik__V1__FeedBatch *batch)
{
	const Avvik__V1__FeedRequest *request = feed.request;
	uint64_t last = request->after ? request->after->sequence : 0;
	unsigned char hash[AV_CHAIN_SIZE];
	struct av_bytes event;
	struct av_txn *txn;
	size_t bytes = 0;
	MUST(batch->n_items <= request->max_events, "more events than the credit");
	MUST(batch->reached && batch->reached->sequence >= last && batch->reached->sequence <= batch->head,
		"a batch reaches back, or beyond the head");
	for (size_t i = 0; i < batch->n_items; i++) {
		MUST(batch->items[i]->sequence > last, "a batch does not follow on what was asked");
		last = batch->items[i]->sequence;
		bytes += batch->items[i]->event.len;
	}
	MUST(last <= batch->reached->sequence, "an event lies behind what is reached");
	MUST(batch->n_items <= 1 || bytes <= request->max_bytes, "more bytes than the credit");
	if (batch->reached->sequence == 0)
		return;
	MUST(av_txn_begin_read(feed.store, &txn) == AV_OK, "the store");
	MUST(av_journal_read(txn, batch->reached->sequence, &event, hash) == AV_OK &&
			memcmp(hash, batch->reached->chain_hash.data, AV_CHAIN_SIZE) == 0,
		"the hash is not the journal's");
	av_txn_abort(&txn);
}

static void check_answer(struct av_bytes body)
{
	struct av_faults faults;
	ProtobufCMessage *message;
	av_faults_init(&faults, feed.arena);
	MUST(av_message_unpack(&avvik__v1__feed_reply__descriptor, body, AV_WIRE_LIMITS_PUBLISH, feed.arena,
		     &faults, &message) == AV_OK,
		"a reply of the server cannot be read");
	const Avvik__V1__FeedReply *reply = (const Avvik__V1__FeedReply *)message;
	MUST(reply->body_case != AVVIK__V1__FEED_REPLY__BODY__NOT_SET, "an empty reply");
	mutate_remember(message);
	if (reply->body_case == AVVIK__V1__FEED_REPLY__BODY_BATCH && feed.request)
		check_batch(reply->batch);
}

static void ask_server(struct av_bytes body, unsigned char who)
{
	struct av_faults faults;
	ProtobufCMessage *message = NULL;
	struct av_message_in in = {.route = {.size = 1, .bytes = {who}},
		.body = played_frame(body),
		.principal = played.principal.rights ? &played.principal : NULL,
		.key = "k",
		.broken = who == 7};
	av_faults_init(&faults, feed.arena);
	size_t waiting = av_feed_server_waiting(feed.server);
	feed.request = av_message_unpack(&avvik__v1__feed_request__descriptor, body, AV_WIRE_LIMITS_COMMAND,
			       feed.arena, &faults, &message) == AV_OK
			       ? (const Avvik__V1__FeedRequest *)message
			       : NULL;
	feed.replies = 0;
	played.router->options.on_message(played.router->options.context, &in);
	uv_run(&played.loop, UV_RUN_NOWAIT);
	MUST(feed.replies <= 1, "a request got %zu replies", feed.replies);
	MUST(feed.replies == 1 || av_feed_server_waiting(feed.server) >= AV_MAX(waiting, 1),
		"a request got no reply, and does not wait");
	feed.request = NULL;
}

/* --- what the client hands over --- */

static void on_batch(void *context, struct av_feed_batch batch)
{
	AV_UNUSED(context);
	MUST(!feed.handed, "a second batch is handed over");
	MUST(!feed.stopped, "a batch after a refusal");
	MUST(batch.after == feed.reached, "a batch after %llu, the last one reached %llu",
		(unsigned long long)batch.after, (unsigned long long)feed.reached);
	uint64_t last = feed.reached;
	for (size_t i = 0; i < batch.batch->n_items; i++) {
		MUST(batch.batch->items[i]->sequence > last, "an event that was handed over before");
		last = batch.batch->items[i]->sequence;
	}
	MUST(batch.batch->reached->sequence >= last, "it reaches less than it holds");
	feed.reached = batch.batch->reached->sequence;
	feed.handed = true;
	feed.batch = batch;
}

static void on_refused(void *context, Avvik__V1__FeedRefusalCode code, const char *text)
{
	AV_UNUSED(context);
	AV_UNUSED(code);
	MUST(text != NULL, "a refusal without a text");
	feed.stopped = true;
}

static void drop_batch(void)
{
	if (!feed.handed)
		return;
	av_frame_release(&feed.batch.frame);
	av_arena_destroy(&feed.batch.arena);
	feed.handed = false;
}

static void tell_client(struct av_bytes body, bool anew)
{
	struct av_message_in in = {.body = played_frame(body), .key = "k"};
	if (anew)
		played.dealer->options.on_connected(played.dealer->options.context);
	played.dealer->options.on_message(played.dealer->options.context, &in);
}

/* The reply is about what was asked: the epoch and place are the client's own. */
static struct av_bytes followed(struct av_bytes body)
{
	ProtobufCMessage *message, *asked;
	if (!feed.asked.data ||
		av_message_load(&avvik__v1__feed_reply__descriptor, body, feed.arena, &message) != AV_OK ||
		av_message_load(&avvik__v1__feed_request__descriptor, feed.asked, feed.arena, &asked) !=
			AV_OK)
		return body;
	Avvik__V1__FeedReply *reply = (Avvik__V1__FeedReply *)message;
	const Avvik__V1__FeedRequest *request = (const Avvik__V1__FeedRequest *)asked;
	if (reply->body_case != AVVIK__V1__FEED_REPLY__BODY_BATCH)
		return body;
	uint64_t at = request->after ? request->after->sequence : 0;
	for (size_t i = 0; i < reply->batch->n_items; i++) {
		at += 1 + reply->batch->items[i]->sequence % 3;
		reply->batch->items[i]->sequence = at;
	}
	if (reply->batch->reached) {
		reply->batch->reached->sequence = at;
		if (request->after && request->after->epoch_id.len && !reply->batch->moved_epoch)
			reply->batch->reached->epoch_id = request->after->epoch_id;
	}
	reply->batch->after_sequence = request->after ? request->after->sequence : 0;
	reply->batch->view = (ProtobufCBinaryData){32, av_arena_zalloc(feed.arena, 32)};
	return av_message_pack(message, feed.arena);
}

/* --- an input --- */

static void grow(size_t count)
{
	struct av_txn *txn;
	MUST(av_txn_begin_write(feed.store, &txn) == AV_OK, "the store");
	for (size_t i = 0; i < count; i++) {
		uint64_t sequence;
		ProtobufCMessage *event = sample_filled(&avvik__v1__event__descriptor, feed.arena,
			&feed.random, (unsigned int)av_random_below(&feed.random, 97));
		av_journal_append(txn, av_message_pack(event, feed.arena), &sequence);
	}
	MUST(av_txn_commit(&txn) == AV_OK, "the store does not grow");
	feed.grown = true;
}

static bool may_see(void *context, const struct av_principal *principal, unsigned int number)
{
	AV_UNUSED(context);
	return !(principal->rights & AV_MAY_STATUS) || number == AVVIK__V1__EVENT__BODY_CASE_OPENED;
}

static void open_both(void)
{
	const char *why = "";
	struct av_feed_server_options server = {
		.store = feed.store, .endpoint = "played", .may_see = may_see};
	struct av_feed_client_options client = {.name = "intake",
		.endpoint = "played",
		.server_key = "k",
		.events = 5,
		.bytes = 4096,
		.on_batch = on_batch,
		.on_refused = on_refused};
	played.principal = (struct av_principal){.name = "p", .kind = "daemon", .rights = AV_MAY_FEED};
	MUST(av_feed_server_open(&server, &feed.server, &why) == AV_OK, "server: %s", why);
	MUST(av_feed_client_open(&client, &feed.client, &why) == AV_OK, "client: %s", why);
	feed.handed = feed.stopped = false;
	feed.reached = 0;
	feed.asked = av_bytes(NULL, 0);
	played.dealer->options.on_connected(played.dealer->options.context);
}

static void close_both(void)
{
	drop_batch();
	av_feed_client_close(&feed.client);
	av_feed_server_close(&feed.server);
	uv_run(&played.loop, UV_RUN_DEFAULT);
	av_arena_reset(feed.arena);
}

static void run(const struct step *step)
{
	static const unsigned int rights[] = {AV_MAY_FEED, 0, AV_MAY_FEED | AV_MAY_STATUS, AV_MAY_QUERY};
	switch ((enum feed_step)step->kind) {
	case STEP_REQUEST:
		ask_server(step->body, step->who & 7);
		break;
	case STEP_REPLY:
		tell_client(step->follow ? followed(step->body) : step->body, step->who & 1);
		break;
	case STEP_ANSWER:
		if (!feed.asked.data)
			break;
		feed.answer = av_bytes(NULL, 0);
		ask_server(feed.asked, 0);
		if (feed.answer.data)
			tell_client(feed.answer, false);
		break;
	case STEP_DONE:
		if (feed.handed) {
			drop_batch();
			av_feed_client_done(feed.client);
		}
		break;
	case STEP_GROW:
		grow(1 + step->who % 4);
		av_feed_server_advanced(feed.server);
		uv_run(&played.loop, UV_RUN_NOWAIT);
		break;
	case STEP_RIGHTS:
		played.principal.rights = rights[step->who % AV_COUNT(rights)];
		break;
	case STEP_RESTART: {
		struct av_cursor start = {.position.sequence = 0};
		if (feed.handed) {
			drop_batch();
			av_feed_client_done(feed.client); /* once for each, also before a restart */
			drop_batch();
		}
		feed.reached = 0;
		feed.stopped = false;
		av_feed_client_restart(feed.client, &start);
		break;
	}
	case STEP_COUNT:
		break;
	}
}

static void open_store(void)
{
	const char *why = "";
	struct av_store_options options = {.path = feed.path,
		.map_bytes = (size_t)16 << 20,
		.daemon = "intake",
		.instance = "test",
		.stepped_clock = true,
		.now_ms = 1};
	MUST(av_store_open(&options, &feed.random, &feed.store, &why) == AV_OK, "%s", why);
	feed.grown = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct step steps[STEPS_MAX];
	size_t count = steps_read(av_bytes(data, size), steps, STEPS_MAX);
	open_both();
	for (size_t i = 0; i < count; i++)
		run(&steps[i]);
	close_both();
	if (feed.grown) {
		av_store_close(&feed.store);
		image_put(feed.image, feed.path);
		open_store();
	}
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *temporary = getenv("TMPDIR");
	AV_UNUSED(argc);
	AV_UNUSED(argv);
	snprintf(feed.path, sizeof feed.path, "%s/avvik-feed-XXXXXX", temporary ? temporary : "/tmp");
	MUST(av_crypto_start() == AV_OK && mkdtemp(feed.path), "%s", feed.path);
	uv_loop_init(&played.loop);
	feed.random = av_random_seeded(3);
	feed.arena = av_arena_create(0);
	open_store();
	grow(EVENTS);
	av_arena_reset(feed.arena);
	av_store_close(&feed.store);
	feed.image = image_take(feed.path);
	open_store();
	return 0;
}
