/* feed_client.c - follows a feed: asks, hands over, asks ahead.
 *
 * At most one request is out, at most one batch is with the owner, and at most one is held for it. A request
 * that gets no answer is sent again: when the connection is made again, and after silence. So an answer may
 * come twice, and after a restart one may come that was asked for before it. Each says after which sequence
 * it was asked: another one than that last asked after is an old one. */
#include "bus/feed.h"
#include <stdlib.h>
#include "base/arena.h"
#include "wire/message.h"

#define WAIT_MS 4000	/* the producer answers by then, with or without events */
#define SILENCE_MS 8000 /* no answer: ask again */
#define CONNECTED_MS 10000
#define ASK_AHEAD_MS 50 /* at the head, when the owner is not done before */
#define RETRY_LEAST_MS 50
#define RETRY_MOST_MS 60000
#define QUEUE_MESSAGES 4
#define REPLY_LIMITS ((struct av_wire_limits){AV_FEED_FRAME_MAX, 400000, 8})

struct av_feed_client {
	struct av_feed_client_options options;
	struct av_socket *socket;
	struct av_cursor asked; /* after this the next request asks: where the last batch reached */
	uint64_t head, answered_at_ms;
	bool asking, stopped, answered;
	bool handed;  /* the owner has a batch */
	bool at_head; /* the last batch reached the head */
	bool holds;   /* `held` waits for the owner */
	struct av_feed_batch held;
	bool refused; /* `refused_head` is what the producer told with it */
	struct av_position refused_head;
	uv_timer_t timer; /* silence, or the pause after BUSY */
};

static uint64_t now_ms(const struct av_feed_client *client)
{
	return uv_now(client->timer.loop);
}

static void on_time(uv_timer_t *timer);

/* Sends a request, unless one is out, the owner has enough, or the client has stopped. */
static void ask(struct av_feed_client *client)
{
	static const struct av_id none;
	static const unsigned char no_view[32];
	if (client->stopped || client->asking || client->holds)
		return;
	Avvik__V1__FeedRequest request = AVVIK__V1__FEED_REQUEST__INIT;
	Avvik__V1__Cursor after = AVVIK__V1__CURSOR__INIT;
	struct av_position *position = &client->asked.position;
	if (memcmp(&position->epoch, &none, sizeof(none)) != 0) {
		after.epoch_id = (ProtobufCBinaryData){AV_ID_SIZE, position->epoch.bytes};
		after.sequence = position->sequence;
		after.chain_hash = (ProtobufCBinaryData){AV_CHAIN_SIZE, position->hash};
	}
	request.after = &after;
	request.max_events = client->options.events;
	request.max_bytes = client->options.bytes;
	request.wait_ms =
		client->at_head ? WAIT_MS : 0; /* who does not know where the head is learns it at once */
	if (memcmp(client->asked.view, no_view, sizeof(no_view)) != 0)
		request.view = (ProtobufCBinaryData){sizeof(client->asked.view), client->asked.view};
	unsigned char packed[256];
	size_t size = avvik__v1__feed_request__pack(&request, packed); /* at most 130 bytes */
	client->asking = av_socket_send(client->socket, NULL, av_bytes(packed, size)) == AV_OK;
	/* Not sent: there is no connection; on_connected asks. The timer is for a reply that does not come.
	 */
	uv_timer_start(&client->timer, on_time, SILENCE_MS, 0);
}

static void on_time(uv_timer_t *timer)
{
	struct av_feed_client *client = timer->data;
	client->asking = false;
	ask(client);
}

static void on_connected(void *context)
{
	struct av_feed_client *client = context;
	client->asking = false; /* what was asked on the old connection is lost */
	ask(client);
}

/* Refusals */

static void on_refusal(struct av_feed_client *client, const Avvik__V1__FeedRefusal *refusal)
{
	client->asking = false;
	if (refusal->code == AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_BUSY) {
		uint64_t pause = AV_MIN(AV_MAX(refusal->retry_after_ms, RETRY_LEAST_MS), RETRY_MOST_MS);
		uv_timer_start(&client->timer, on_time, pause, 0);
		return;
	}
	const Avvik__V1__Cursor *head = refusal->head;
	client->refused = head && head->epoch_id.len == AV_ID_SIZE && head->chain_hash.len == AV_CHAIN_SIZE &&
			  refusal->code == AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_UNKNOWN_POSITION;
	if (client->refused) {
		client->refused_head.sequence = head->sequence;
		memcpy(client->refused_head.epoch.bytes, head->epoch_id.data, AV_ID_SIZE);
		memcpy(client->refused_head.hash, head->chain_hash.data, AV_CHAIN_SIZE);
	}
	client->stopped = true;
	uv_timer_stop(&client->timer);
	client->options.on_refused(client->options.context, refusal->code, refusal->text);
}

/* Batches */

static void drop(struct av_feed_batch *batch)
{
	av_frame_release(&batch->frame);
	av_arena_destroy(&batch->arena);
}

enum verdict { GOOD, OLD, BAD };

/* Does it follow on what was asked, and is it one that could have been sent? */
static enum verdict judge(const struct av_feed_client *client, const Avvik__V1__FeedBatch *batch)
{
	static const struct av_id none;
	const struct av_position *asked = &client->asked.position;
	const Avvik__V1__Cursor *reached = batch->reached;
	if (!reached || reached->epoch_id.len != AV_ID_SIZE || reached->chain_hash.len != AV_CHAIN_SIZE ||
		batch->view.len != sizeof(client->asked.view))
		return BAD;
	if (batch->after_sequence != asked->sequence)
		return OLD;
	bool same_epoch = memcmp(reached->epoch_id.data, asked->epoch.bytes, AV_ID_SIZE) == 0;
	if (!same_epoch && !batch->moved_epoch && memcmp(&asked->epoch, &none, sizeof(none)) != 0)
		return OLD;
	if (reached->sequence < asked->sequence ||
		(batch->n_items > 0 && batch->items[0]->sequence <= asked->sequence))
		return OLD;
	uint64_t last = asked->sequence;
	for (size_t i = 0; i < batch->n_items; i++) {
		if (batch->items[i]->sequence <= last || batch->items[i]->sequence > reached->sequence)
			return BAD;
		last = batch->items[i]->sequence;
	}
	return GOOD;
}

static void hand_over(struct av_feed_client *client, struct av_feed_batch batch)
{
	client->handed = true;
	client->options.on_batch(client->options.context, batch);
}

/* Takes the batch over. */
static void on_good_batch(struct av_feed_client *client, struct av_feed_batch *batch)
{
	const Avvik__V1__Cursor *reached = batch->batch->reached;
	struct av_cursor to = {.position.sequence = reached->sequence};
	memcpy(to.position.epoch.bytes, reached->epoch_id.data, AV_ID_SIZE);
	memcpy(to.position.hash, reached->chain_hash.data, AV_CHAIN_SIZE);
	memcpy(to.view, batch->batch->view.data, sizeof(to.view));
	bool news = batch->batch->n_items > 0 || memcmp(&to, &client->asked, sizeof(to)) != 0;
	batch->after = client->asked.position.sequence;
	batch->after_epoch = client->asked.position.epoch;
	client->asking = false;
	client->asked = to;
	client->head = AV_MAX(batch->batch->head, to.position.sequence);
	client->at_head = to.position.sequence == client->head;
	uv_timer_stop(&client->timer);
	if (!news) {
		drop(batch);
	} else if (client->handed) {
		client->held = *batch;
		client->holds = true;
	} else {
		/* Before it is handed over: the owner may close the client, or be done at once. Where there
		 * is more, the next is fetched while this one is worked at; at the head that would only take
		 * time from it. */
		if (client->at_head)
			uv_timer_start(&client->timer, on_time, ASK_AHEAD_MS, 0);
		else
			ask(client);
		hand_over(client, *batch);
		return;
	}
	ask(client);
}

static void on_reply(struct av_feed_client *client, struct av_message_in *message)
{
	struct av_feed_batch batch = {.arena = av_arena_create(4 * AV_FEED_FRAME_MAX)};
	struct av_faults faults;
	ProtobufCMessage *unpacked;
	if (!batch.arena)
		return; /* silence will ask again */
	av_faults_init(&faults, batch.arena);
	int status = av_message_unpack(&avvik__v1__feed_reply__descriptor, av_frame_bytes(&message->body),
		REPLY_LIMITS, batch.arena, &faults, &unpacked);
	/* Everything that is wanted lies in the arena now: no need to hold it twice. */
	av_frame_release(&message->body);
	const Avvik__V1__FeedReply *reply = status == AV_OK ? (const Avvik__V1__FeedReply *)unpacked : NULL;
	if (reply && reply->body_case == AVVIK__V1__FEED_REPLY__BODY_BATCH) {
		batch.batch = reply->batch;
		client->answered = true;
		client->answered_at_ms = now_ms(client);
		client->refused = false;
		if (client->asking && judge(client, reply->batch) == GOOD) {
			on_good_batch(client, &batch);
			return;
		}
	} else if (reply && reply->body_case == AVVIK__V1__FEED_REPLY__BODY_REFUSAL && client->asking) {
		on_refusal(client, reply->refusal);
	}
	drop(&batch);
}

static void on_message(void *context, struct av_message_in *message)
{
	struct av_feed_client *client = context;
	if (!message->broken && !client->stopped)
		on_reply(client, message);
	av_frame_release(&message->body);
}

void av_feed_client_done(struct av_feed_client *client)
{
	client->handed = false;
	if (!client->holds) {
		ask(client);
		return;
	}
	struct av_feed_batch batch = client->held;
	client->holds = false;
	client->held = (struct av_feed_batch){.batch = NULL};
	ask(client);
	hand_over(client, batch);
}

/* Life */

int av_feed_client_open(const struct av_feed_client_options *options, struct av_feed_client **ret_client,
	const char **ret_why)
{
	struct av_feed_client *client = calloc(1, sizeof(*client));
	if (!client) {
		*ret_why = "out of memory";
		return AV_MEMORY;
	}
	client->options = *options;
	client->asked = options->start;
	struct av_socket_options socket = {
		.kind = AV_SOCKET_DEALER,
		.endpoint = options->endpoint,
		.server_key = options->server_key,
		.frame_bytes = AV_FEED_FRAME_MAX,
		.queue_messages = QUEUE_MESSAGES,
		.on_message = on_message,
		.on_connected = on_connected,
		.context = client,
	};
	int status = av_socket_open(options->bus, &socket, &client->socket, ret_why);
	if (status != AV_OK) {
		free(client);
		return status;
	}
	uv_timer_init(av_bus_loop(options->bus), &client->timer);
	client->timer.data = client;
	*ret_client = client;
	return AV_OK;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void drop_held(struct av_feed_client *client)
{
	if (client->holds)
		drop(&client->held);
	client->holds = false;
}

void av_feed_client_close(struct av_feed_client **client)
{
	struct av_feed_client *closing = *client;
	if (!closing)
		return;
	*client = NULL;
	closing->stopped = true;
	drop_held(closing);
	av_socket_close(&closing->socket);
	uv_close((uv_handle_t *)&closing->timer, on_closed);
}

void av_feed_client_restart(struct av_feed_client *client, const struct av_cursor *cursor)
{
	drop_held(client);
	client->asked = *cursor;
	client->stopped = client->asking = client->at_head = false;
	ask(client);
}

bool av_feed_client_connected(const struct av_feed_client *client)
{
	return client->answered && now_ms(client) - client->answered_at_ms <= CONNECTED_MS;
}

int av_feed_client_refused_head(const struct av_feed_client *client, struct av_position *ret_head)
{
	if (!client->refused)
		return AV_NOT_FOUND;
	*ret_head = client->refused_head;
	return AV_OK;
}

uint64_t av_feed_client_head(const struct av_feed_client *client)
{
	return client->head;
}

bool av_feed_client_at_head(const struct av_feed_client *client)
{
	return client->at_head && !client->handed && !client->holds;
}
