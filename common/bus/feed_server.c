/* feed_server.c - shows a journal to those who may see it.
 *
 * Every request becomes a reader in one bounded table, at most one per peer: `ready` ones are served from
 * idle, a few in each round of the loop, in a read transaction of their own; those for whom there is nothing
 * wait, and become ready when the journal has grown or their time is up. Rights are looked up when a reader
 * is served, not when it asked. */
#include "bus/feed.h"
#include <stdlib.h>
#include <utlist.h>
#include "base/arena.h"
#include "bus/feed_read.h"
#include "seal/crypto.h"
#include "wire/message.h"

#define SERVE_AT_ONCE 8		      /* readers in one round of the loop */
#define SERVE_BYTES (8 * 1024 * 1024) /* and about so many bytes */
#define WAIT_MAX_MS 60000
#define BUSY_MS 500
#define QUEUE_MESSAGES 2
#define REQUEST_LIMITS ((struct av_wire_limits){1024, 64, 4})

typedef Avvik__V1__FeedRefusalCode refusal_code;
#define REFUSE(name) AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_##name

struct reader {
	struct av_route route;
	char key[AV_CURVE_TEXT];
	struct feed_credit credit; /* after, zero epoch: from the start */
	uint64_t until_ms;	   /* of the loop's clock */
	bool ready;
	struct reader *prev, *next;
};

struct av_feed_server {
	struct av_feed_server_options options;
	struct av_socket *socket;
	struct av_arena *arena;
	struct reader *ready, *waiting;
	size_t count;
	uv_idle_t idle;
	uv_timer_t timer;
	int handles;
};

/* Answers */

static void set_cursor(Avvik__V1__Cursor *cursor, const struct av_position *position)
{
	avvik__v1__cursor__init(cursor);
	cursor->epoch_id = (ProtobufCBinaryData){AV_ID_SIZE, (uint8_t *)(uintptr_t)position->epoch.bytes};
	cursor->sequence = position->sequence;
	cursor->chain_hash = (ProtobufCBinaryData){AV_CHAIN_SIZE, (uint8_t *)(uintptr_t)position->hash};
}

static void refuse(struct av_feed_server *server, const struct av_route *route, refusal_code code,
	const char *text, const struct av_position *head);

static size_t send_reply(
	struct av_feed_server *server, const struct av_route *route, Avvik__V1__FeedReply *reply)
{
	struct av_bytes packed = av_message_pack(&reply->base, server->arena);
	if (packed.data && av_socket_send(server->socket, route, packed) == AV_BUSY &&
		reply->body_case == AVVIK__V1__FEED_REPLY__BODY_BATCH)
		refuse(server, route, REFUSE(BUSY), "what was sent before is not read yet", NULL);
	return packed.size;
}

static void refuse(struct av_feed_server *server, const struct av_route *route, refusal_code code,
	const char *text, const struct av_position *head)
{
	Avvik__V1__FeedReply reply = AVVIK__V1__FEED_REPLY__INIT;
	Avvik__V1__FeedRefusal refusal = AVVIK__V1__FEED_REFUSAL__INIT;
	Avvik__V1__Cursor cursor;
	reply.body_case = AVVIK__V1__FEED_REPLY__BODY_REFUSAL;
	reply.refusal = &refusal;
	refusal.code = code;
	refusal.text = (char *)(uintptr_t)text;
	if (code == REFUSE(BUSY))
		refusal.retry_after_ms = BUSY_MS;
	if (head) {
		set_cursor(&cursor, head);
		refusal.head = &cursor;
	}
	send_reply(server, route, &reply);
}

static void forget(struct av_feed_server *server, struct reader *reader)
{
	if (reader->ready)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it stands in this list */
		DL_DELETE(server->ready, reader);
	else
		DL_DELETE(server->waiting, reader);
	server->count--;
	free(reader);
}

/* From the start, or confirmed by the journal. *ret_moved: in another epoch. */
static int confirm(struct av_txn *txn, const struct av_position *after, bool *ret_moved)
{
	static const struct av_id none;
	*ret_moved = false;
	if (memcmp(&after->epoch, &none, sizeof(none)) == 0)
		return AV_OK;
	int status = av_journal_confirm(txn, after);
	*ret_moved = status == AV_NOTHING;
	return status > 0 ? AV_OK : status;
}

/* Serves a ready reader: it is answered and forgotten, or put to wait. Answers the bytes sent. */
static size_t serve(struct av_feed_server *server, struct av_txn *txn, struct reader *reader)
{
	const struct av_principal *principal = av_bus_principal(server->options.bus, reader->key);
	struct av_position head, reached;
	struct feed_view view;
	bool moved;
	refusal_code code = REFUSE(UNSPECIFIED);
	const char *text = "";
	if (!principal || !(principal->rights & AV_MAY_FEED)) {
		refuse(server, &reader->route, REFUSE(NOT_ALLOWED), "the right `feed` is missing", NULL);
		forget(server, reader);
		return 0;
	}
	feed_view_make(&server->options, principal, &view);
	int status = av_journal_head(txn, &head);
	if (status == AV_OK)
		status = confirm(txn, &reader->credit.after, &moved);
	Avvik__V1__FeedBatch batch = AVVIK__V1__FEED_BATCH__INIT;
	if (status == AV_OK) {
		reached = reader->credit.after;
		reached.epoch = head.epoch;
		status = feed_read(
			&server->options, txn, &reader->credit, &view, server->arena, &batch, &reached);
	} else if (status == AV_NOT_FOUND) {
		code = REFUSE(UNKNOWN_POSITION);
		text = "this journal does not stand, or has another event, at that position";
	}
	if (status != AV_OK) {
		if (code == REFUSE(UNSPECIFIED)) {
			code = REFUSE(BUSY);
			text = "the journal cannot be read now";
		}
		refuse(server, &reader->route, code, text, code == REFUSE(BUSY) ? NULL : &head);
		forget(server, reader);
		return 0;
	}
	if (reached.sequence == reader->credit.after.sequence && !moved &&
		uv_now(server->timer.loop) < reader->until_ms) {
		DL_DELETE(server->ready, reader);
		reader->ready = false;
		DL_APPEND(server->waiting, reader);
		return 0;
	}
	Avvik__V1__FeedReply reply = AVVIK__V1__FEED_REPLY__INIT;
	Avvik__V1__Cursor cursor;
	set_cursor(&cursor, &reached);
	batch.reached = &cursor;
	batch.head = head.sequence;
	batch.view = (ProtobufCBinaryData){AV_HASH_SIZE, view.hash};
	batch.moved_epoch = moved;
	batch.after_sequence = reader->credit.after.sequence;
	reply.body_case = AVVIK__V1__FEED_REPLY__BODY_BATCH;
	reply.batch = &batch;
	size_t sent = send_reply(server, &reader->route, &reply);
	forget(server, reader);
	return sent;
}

/* Rounds */

static void wake(struct av_feed_server *server, struct reader *reader);

static void on_time(uv_timer_t *timer)
{
	struct av_feed_server *server = timer->data;
	struct reader *reader, *next;
	DL_FOREACH_SAFE(server->waiting, reader, next)
	{
		if (reader->until_ms <= uv_now(timer->loop))
			wake(server, reader);
	}
}

static void arm(struct av_feed_server *server)
{
	uint64_t first = UINT64_MAX, now_ms = uv_now(server->timer.loop);
	const struct reader *reader;
	DL_FOREACH (server->waiting, reader)
		first = AV_MIN(first, reader->until_ms);
	if (first == UINT64_MAX)
		uv_timer_stop(&server->timer);
	else
		uv_timer_start(&server->timer, on_time, first > now_ms ? first - now_ms : 0, 0);
}

static void on_idle(uv_idle_t *idle)
{
	struct av_feed_server *server = idle->data;
	size_t sent = 0;
	for (int i = 0; i < SERVE_AT_ONCE && sent < SERVE_BYTES && server->ready; i++) {
		struct reader *reader = server->ready;
		struct av_txn *txn;
		if (av_txn_begin_read(server->options.store, &txn) == AV_OK) {
			sent += serve(server, txn, reader);
			av_txn_abort(&txn);
		} else {
			refuse(server, &reader->route, REFUSE(BUSY), "the journal cannot be read now", NULL);
			forget(server, reader);
		}
		av_arena_reset(server->arena);
	}
	if (!server->ready) {
		uv_idle_stop(idle);
		arm(server);
	}
}

static void wake(struct av_feed_server *server, struct reader *reader)
{
	DL_DELETE(server->waiting, reader);
	reader->ready = true;
	DL_APPEND(server->ready, reader);
	uv_idle_start(&server->idle, on_idle);
}

void av_feed_server_advanced(struct av_feed_server *server)
{
	while (server->waiting)
		wake(server, server->waiting);
	if (server->ready)
		on_idle(&server->idle); /* at once: what is left over is served in the loop's next rounds */
}

size_t av_feed_server_waiting(const struct av_feed_server *server)
{
	return server->count;
}

/* Requests */

static struct reader *find_reader(const struct av_feed_server *server, const struct av_route *route)
{
	struct reader *lists[] = {server->ready, server->waiting}, *reader;
	for (size_t i = 0; i < AV_COUNT(lists); i++)
		DL_FOREACH (lists[i], reader)
			if (reader->route.size == route->size &&
				memcmp(reader->route.bytes, route->bytes, route->size) == 0)
				return reader;
	return NULL;
}

static size_t count_of_key(const struct av_feed_server *server, const char *key)
{
	struct reader *lists[] = {server->ready, server->waiting}, *reader;
	size_t count = 0;
	for (size_t i = 0; i < AV_COUNT(lists); i++)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): forget() took out what it freed */
		DL_FOREACH (lists[i], reader)
			count += strcmp(reader->key, key) == 0;
	return count;
}

static bool position_of(const Avvik__V1__Cursor *cursor, struct av_position *ret_position)
{
	*ret_position = (struct av_position){.sequence = 0};
	if (!cursor || cursor->epoch_id.len == 0)
		return !cursor || cursor->sequence == 0;
	if (cursor->epoch_id.len != AV_ID_SIZE || cursor->chain_hash.len != AV_CHAIN_SIZE ||
		cursor->sequence == UINT64_MAX)
		return false;
	memcpy(ret_position->epoch.bytes, cursor->epoch_id.data, AV_ID_SIZE);
	memcpy(ret_position->hash, cursor->chain_hash.data, AV_CHAIN_SIZE);
	ret_position->sequence = cursor->sequence;
	return true;
}

/* NULL: within bounds, and `reader` is filled in. */
static const char *read_request(struct av_feed_server *server, struct av_bytes body, struct reader *reader)
{
	struct av_faults faults;
	ProtobufCMessage *message;
	av_faults_init(&faults, server->arena);
	if (av_message_unpack(&avvik__v1__feed_request__descriptor, body, REQUEST_LIMITS, server->arena,
		    &faults, &message) != AV_OK)
		return "not a FeedRequest";
	const Avvik__V1__FeedRequest *request = (const Avvik__V1__FeedRequest *)message;
	if (request->max_events < 1 || request->max_events > AV_FEED_EVENTS_MAX)
		return "max_events is 1 to 10000";
	if (request->max_bytes < 1024 || request->max_bytes > AV_FEED_BYTES_MAX)
		return "max_bytes is 1024 to 4194304";
	if (request->wait_ms > WAIT_MAX_MS)
		return "wait_ms is at most 60000";
	if (!position_of(request->after, &reader->credit.after))
		return "after: an epoch is 16 bytes and a hash 32, or both are empty and the sequence is 0";
	reader->credit.max_events = request->max_events;
	reader->credit.max_bytes = request->max_bytes;
	reader->until_ms = uv_now(server->timer.loop) + request->wait_ms;
	return NULL;
}

static void on_request(struct av_feed_server *server, const struct av_message_in *message)
{
	struct reader asked = {.route = message->route, .ready = true},
		      *reader = find_reader(server, &message->route);
	if (reader)
		forget(server, reader); /* a new request replaces the one before */
	if (!message->principal || !(message->principal->rights & AV_MAY_FEED)) {
		refuse(server, &asked.route, REFUSE(NOT_ALLOWED), "the right `feed` is missing", NULL);
		return;
	}
	const char *why = message->broken ? "not one frame"
					  : read_request(server, av_frame_bytes(&message->body), &asked);
	if (why) {
		refuse(server, &asked.route, REFUSE(BAD_REQUEST), why, NULL);
		return;
	}
	if (server->count >= AV_FEED_READERS_MAX ||
		count_of_key(server, message->key) >= AV_FEED_READERS_PER_KEY) {
		refuse(server, &asked.route, REFUSE(BUSY), "too many readers", NULL);
		return;
	}
	reader = malloc(sizeof(*reader));
	if (!reader) {
		refuse(server, &asked.route, REFUSE(BUSY), "out of memory", NULL);
		return;
	}
	*reader = asked;
	memcpy(reader->key, message->key, strnlen(message->key, AV_CURVE_TEXT - 1));
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): forget() took out what it freed */
	DL_APPEND(server->ready, reader);
	server->count++;
	uv_idle_start(&server->idle, on_idle);
}

static void on_message(void *context, struct av_message_in *message)
{
	struct av_feed_server *server = context;
	on_request(server, message);
	av_frame_release(&message->body);
	av_arena_reset(server->arena);
}

/* Life */

int av_feed_server_open(const struct av_feed_server_options *options, struct av_feed_server **ret_server,
	const char **ret_why)
{
	struct av_feed_server *server = calloc(1, sizeof(*server));
	if (server)
		server->arena = av_arena_create(4 * AV_FEED_FRAME_MAX);
	if (!server || !server->arena) {
		free(server);
		*ret_why = "out of memory";
		return AV_MEMORY;
	}
	server->options = *options;
	struct av_socket_options socket = {
		.kind = AV_SOCKET_ROUTER,
		.endpoint = options->endpoint,
		.frame_bytes = 1024,
		.queue_messages = QUEUE_MESSAGES,
		.on_message = on_message,
		.context = server,
	};
	int status = av_socket_open(options->bus, &socket, &server->socket, ret_why);
	if (status != AV_OK) {
		av_arena_destroy(&server->arena);
		free(server);
		return status;
	}
	uv_loop_t *loop = av_bus_loop(options->bus);
	uv_idle_init(loop, &server->idle);
	uv_timer_init(loop, &server->timer);
	server->idle.data = server->timer.data = server;
	server->handles = 2;
	*ret_server = server;
	return AV_OK;
}

static void on_closed(uv_handle_t *handle)
{
	struct av_feed_server *server = handle->data;
	if (--server->handles > 0)
		return;
	av_arena_destroy(&server->arena);
	free(server);
}

void av_feed_server_close(struct av_feed_server **server)
{
	struct av_feed_server *closing = *server;
	if (!closing)
		return;
	*server = NULL;
	av_socket_close(&closing->socket);
	while (closing->ready)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it took out what it freed */
		forget(closing, closing->ready);
	while (closing->waiting)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it took out what it freed */
		forget(closing, closing->waiting);
	uv_close((uv_handle_t *)&closing->idle, on_closed);
	uv_close((uv_handle_t *)&closing->timer, on_closed);
}

const char *av_feed_server_endpoint(const struct av_feed_server *server)
{
	return av_socket_endpoint(server->socket);
}
