/* ask.c - a message arrives: a question is answered at once, an order waits for its turn, everything else is
 * refused with a reply. Nothing is dropped silently.
 */
#include <string.h>

#include "daemon/daemon_inner.h"

#define BUSY_MS 200u
#define DRAINING_MS 2000u

void answer_send(struct av_daemon *d, const unsigned char *route, uint16_t route_size, struct av_bytes reply)
{
	struct av_route to = {.size = route_size};
	if (!reply.data || !d->commands)
		return;
	memcpy(to.bytes, route, route_size);
	if (av_socket_send(d->commands, &to, reply) == AV_BUSY)
		d->counters.dropped++; /* the peer does not read: it asks again by its reference */
}

static void answer(struct av_daemon *d, const struct av_message_in *message, struct av_bytes reply)
{
	if (!reply.data || !d->commands || av_socket_send(d->commands, &message->route, reply) != AV_BUSY)
		return;
	/* a large answer, and the peer has not read those before; a short one may find room */
	d->counters.busy++;
	reply = av_reply_plain(av_frame_bytes(&message->body), AVVIK__V1__REPLY_STATUS__REPLY_STATUS_BUSY,
		BUSY_MS, "what was answered before is not read yet: read it, and ask again", d->ask_arena);
	answer_send(d, message->route.bytes, message->route.size, reply);
}

struct av_ctx query_ctx(struct av_daemon *d, const struct av_principal *principal, struct av_arena *arena)
{
	int64_t now_ms = av_clock_now_ms(&d->clock);
	return (struct av_ctx){
		.now_ms = now_ms,
		.arrived_at_ms = now_ms,
		.arena = arena,
		.random = &d->random,
		.keys = d->keys,
		.instance = d->settings->instance,
		.settings = d->settings,
		.cache = d->cache,
		.sign_public = d->sign_secret + AV_SIGN_SECRET_SIZE - AV_SIGN_PUBLIC_SIZE,
		.daemon = d,
		.principal = principal,
	};
}

static struct av_bytes query(struct av_daemon *d, const struct av_message_in *message, struct av_bytes wire)
{
	Avvik__V1__Command *command;
	const struct av_command_row *row;
	struct av_bytes reply;
	if (av_command_decode(d->service, wire, message->principal, d->ask_arena, &command, &row, &reply) !=
		AV_OK)
		return reply;
	struct av_ctx ctx = query_ctx(d, message->principal, d->ask_arena);
	d->counters.queries++;
	if (av_txn_begin_read(d->store, &ctx.txn) < 0)
		return av_reply_plain(wire, AVVIK__V1__REPLY_STATUS__REPLY_STATUS_BUSY, BUSY_MS,
			"busy: ask again", d->ask_arena);
	reply = av_query_run(d->service, command, &ctx);
	av_txn_abort(&ctx.txn);
	return reply;
}

/* The reply that can be given now; empty: the order waits for its turn. */
static struct av_bytes handle(struct av_daemon *d, struct av_message_in *message)
{
	const struct av_command_row *row = NULL;
	Avvik__V1__Command *command;
	struct av_bytes wire = av_frame_bytes(&message->body), reply = {0};
	if (message->broken)
		return av_reply_plain(av_bytes(NULL, 0), AVVIK__V1__REPLY_STATUS__REPLY_STATUS_MALFORMED, 0,
			"send the envelope frames, an empty frame, and one frame with a Command",
			d->ask_arena);
	bool readable = av_command_peek(d->service, wire, &row) == AV_OK;
	if (!readable || !row || !message->principal || !(row->rights & message->principal->rights)) {
		d->counters.forbidden +=
			!message->principal || (row && !(row->rights & message->principal->rights));
		d->counters.refused++;
		(void)av_command_decode(
			d->service, wire, message->principal, d->ask_arena, &command, &row, &reply);
		return reply;
	}
	if (row->kind == AV_QUERY)
		return query(d, message, wire);
	if (d->draining)
		return av_reply_plain(wire, AVVIK__V1__REPLY_STATUS__REPLY_STATUS_BUSY, DRAINING_MS,
			"the daemon is stopping: send it again when it is back", d->ask_arena);
	int status = av_queue_push(
		d->queue, message->key, &message->route, &message->body, av_clock_now_ms(&d->clock));
	if (status == AV_OK) {
		loop_kick(d);
		return reply;
	}
	d->counters.busy++;
	return av_reply_plain(wire, AVVIK__V1__REPLY_STATUS__REPLY_STATUS_BUSY, BUSY_MS,
		"the queue is full: send it again after retry_after_ms", d->ask_arena);
}

void on_command(void *context, struct av_message_in *message)
{
	struct av_daemon *d = context;
	av_arena_reset(d->ask_arena);
	struct av_bytes reply = handle(d, message);
	answer(d, message, reply);
	av_frame_release(&message->body);
}
