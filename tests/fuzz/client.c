/* client.c - what libavvik takes from a daemon that may say anything, under the fuzzer: replies, a feed's batches, the summary
 * stream and its snapshots. The connection (link.c) is played here.
 *
 * A row of steps: messages that lie ready on a connection, and calls of the library's user. What must hold: calls end; what they
 * hand out can be freed and is what they say; the copy of the figures is what the updates add up to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "avvik/client.h"
#include "base/macros.h"
#include "base/status.h"
#include "libfuzzer.h"
#include "link.h"
#include "must.h"
#include "mutate.h"
#include "steps.h"

enum client_step {
	STEP_REPLY,  /* on the command connection; follow: it answers the last command */
	STEP_BATCH,  /* on the feed */
	STEP_UPDATE, /* on the stream; follow: it goes on from the one before */
	STEP_CALL,   /* a command, and its reply is waited for */
	STEP_SEND,   /* a command, and its reply is not */
	STEP_RECEIVE,
	STEP_NEXT_BATCH,
	STEP_NEXT_UPDATE,
	STEP_CLOSED, /* who: which connection ends */
	STEP_COUNT
};
const struct step_kind step_kinds[] = {
	/* clang-format off */
	[STEP_REPLY]       = {&avvik__v1__reply__descriptor,          8, NULL},
	[STEP_BATCH]       = {&avvik__v1__feed_reply__descriptor,     4, NULL},
	[STEP_UPDATE]      = {&avvik__v1__summary_update__descriptor, 8, NULL},
	[STEP_CALL]        = {&avvik__v1__command__descriptor,        3, NULL},
	[STEP_SEND]        = {&avvik__v1__command__descriptor,        2, NULL},
	[STEP_RECEIVE]     = {NULL,                                   2, NULL},
	[STEP_NEXT_BATCH]  = {NULL,                                   4, NULL},
	[STEP_NEXT_UPDATE] = {NULL,                                   6, NULL},
	[STEP_CLOSED]      = {NULL,                                   1, NULL},
}; /* clang-format on */
const size_t step_kind_count = STEP_COUNT;

enum connection { COMMANDS, FEED, STREAM, CONNECTIONS };
struct ready {
	struct av_bytes body;
	bool follow, closed;
};
static struct {
	struct av_arena *arena;
	struct ready queue[CONNECTIONS][STEPS_MAX];
	size_t first[CONNECTIONS], end[CONNECTIONS];
	char last_id[80]; /* of the last command */
	char unit[80];	  /* of the last snapshot that was asked for */
	unsigned char epoch[16];
	uint64_t sequence;
	struct av_client *client;
	struct av_feed *feed;
	struct av_summary_stream *stream;
	struct av_bytes cursor;
} play;

/* --- the connection --- */

int __wrap_link_open(struct link *link, enum link_kind kind, const char *endpoint,
	const struct av_client_options *options);
void __wrap_link_close(struct link *link);
int __wrap_link_reset(struct link *link);
int __wrap_link_subscribe(struct link *link, const char *topic);
int __wrap_link_send(struct link *link, struct av_bytes body);
int __wrap_link_receive(struct link *link, int64_t deadline_ms, unsigned char **ret_body, size_t *ret_size);

static enum connection connection_of(const struct link *link)
{
	return link->kind == LINK_SUB ? STREAM : strcmp(link->endpoint, "feed") == 0 ? FEED : COMMANDS;
}

int __wrap_link_open(
	struct link *link, enum link_kind kind, const char *endpoint, const struct av_client_options *options)
{
	AV_UNUSED(options);
	*link = (struct link){.kind = kind, .endpoint = (char *)(uintptr_t)endpoint};
	return AV_OK;
}

void __wrap_link_close(struct link *link)
{
	AV_UNUSED(link);
}

int __wrap_link_reset(struct link *link)
{
	play.first[connection_of(link)] = play.end[connection_of(link)];
	return AV_OK;
}

int __wrap_link_subscribe(struct link *link, const char *topic)
{
	AV_UNUSED(link);
	AV_UNUSED(topic);
	return AV_OK;
}

int __wrap_link_send(struct link *link, struct av_bytes body)
{
	if (connection_of(link) != COMMANDS)
		return AV_OK;
	Avvik__V1__Command *command = avvik__v1__command__unpack(NULL, body.size, body.data);
	MUST(command && command->message_id[0], "a command that cannot be read, or without an id");
	snprintf(play.last_id, sizeof play.last_id, "%s", command->message_id);
	if (command->body_case == AVVIK__V1__COMMAND__BODY_GET_SUMMARY)
		snprintf(play.unit, sizeof play.unit, "%s", command->get_summary->unit);
	avvik__v1__command__free_unpacked(command, NULL);
	return AV_OK;
}

/* It is about what was asked, or what came before. */
static struct av_bytes followed(enum connection at, struct av_bytes body)
{
	ProtobufCMessage *message;
	if (at == COMMANDS &&
		av_message_load(&avvik__v1__reply__descriptor, body, play.arena, &message) == AV_OK) {
		Avvik__V1__Reply *reply = (Avvik__V1__Reply *)message;
		reply->message_id = play.last_id;
		if (reply->body_case == AVVIK__V1__REPLY__BODY_SUMMARY_FOUND) {
			reply->status = AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE;
			reply->summary_found->epoch_id = (ProtobufCBinaryData){sizeof play.epoch, play.epoch};
			play.sequence = reply->summary_found->sequence;
		}
		return av_message_pack(message, play.arena);
	}
	if (at == STREAM && av_message_load(&avvik__v1__summary_update__descriptor, body, play.arena,
				    &message) == AV_OK) {
		Avvik__V1__SummaryUpdate *update = (Avvik__V1__SummaryUpdate *)message;
		update->unit = play.unit;
		update->epoch_id = (ProtobufCBinaryData){sizeof play.epoch, play.epoch};
		update->previous_sequence = play.sequence;
		update->sequence = ++play.sequence;
		for (size_t i = 0; i < update->n_changes; i++)
			if (update->changes[i]->key)
				update->changes[i]->value = (int64_t)((uint64_t)av_summary_value(play.stream,
									      update->changes[i]->key) +
								      (uint64_t)update->changes[i]->change);
		return av_message_pack(message, play.arena);
	}
	return body;
}

int __wrap_link_receive(struct link *link, int64_t deadline_ms, unsigned char **ret_body, size_t *ret_size)
{
	enum connection at = connection_of(link);
	AV_UNUSED(deadline_ms);
	if (play.first[at] == play.end[at])
		return AV_TIMEOUT;
	struct ready next = play.queue[at][play.first[at]++];
	if (next.closed)
		return AV_CLOSED;
	struct av_bytes body = next.follow ? followed(at, next.body) : next.body;
	/* On the heap to the byte, so that reading beyond it is seen. */
	*ret_body = malloc(body.size ? body.size : 1);
	*ret_size = body.size;
	if (body.size)
		memcpy(*ret_body, body.data, body.size);
	return AV_OK;
}

/* --- the library's user --- */

static void queue(enum connection at, const struct step *step, bool closed)
{
	play.queue[at][play.end[at]++] = (struct ready){step->body, step->follow, closed};
}

static void call(const struct step *step)
{
	ProtobufCMessage *message;
	Avvik__V1__Reply *reply = NULL;
	uint64_t number = 0;
	struct av_faults faults;
	/* The library's user is not outside: what it hands over is a command. */
	av_faults_init(&faults, play.arena);
	if (av_message_unpack(&avvik__v1__command__descriptor, step->body, AV_WIRE_LIMITS_COMMAND, play.arena,
		    &faults, &message) != AV_OK)
		return;
	Avvik__V1__Command *command = (Avvik__V1__Command *)message;
	if (step->follow)
		command->message_id = (char *)(uintptr_t) "";
	if (step->kind == STEP_SEND) {
		(void)av_client_send(play.client, command, &number);
	} else if (av_client_call(play.client, command, &reply) == AV_OK) {
		MUST(reply, "a call is done, and there is no reply");
		avvik__v1__reply__free_unpacked(reply, NULL);
	}
}

static void receive(void)
{
	Avvik__V1__Reply *reply = NULL;
	if (av_client_receive(play.client, 0, &reply) == AV_OK)
		avvik__v1__reply__free_unpacked(reply, NULL);
}

static void next_batch(void)
{
	Avvik__V1__FeedReply *reply = NULL;
	ProtobufCMessage *after = NULL;
	if (play.cursor.data)
		(void)av_message_load(&avvik__v1__cursor__descriptor, play.cursor, play.arena, &after);
	int status = av_feed_next(play.feed, (Avvik__V1__Cursor *)after, 10, 0, &reply);
	MUST(status != AV_OK || (reply && reply->body_case == AVVIK__V1__FEED_REPLY__BODY_BATCH), "no batch");
	MUST(!reply || status != AV_TIMEOUT, "a time-out with a reply");
	if (status == AV_OK && reply->batch->reached)
		play.cursor = av_message_pack(&reply->batch->reached->base, play.arena);
	if (reply)
		avvik__v1__feed_reply__free_unpacked(reply, NULL);
}

static void next_update(void)
{
	Avvik__V1__SummaryUpdate *update = NULL;
	bool snapshot;
	int status = av_summary_next(play.stream, 0, &update, &snapshot);
	if (status != AV_OK)
		return;
	MUST(update && update->unit, "an update without a unit");
	for (size_t i = 0; i < update->n_changes; i++) {
		const Avvik__V1__FigureChange *change = update->changes[i];
		bool last = true; /* a key may come more than once: the last one holds */
		for (size_t j = i + 1; j < update->n_changes && last; j++)
			last = !av_bytes_equal(av_message_pack(&change->key->base, play.arena),
				av_message_pack(&update->changes[j]->key->base, play.arena));
		MUST(!last || strcmp(change->key->unit, update->unit) != 0 ||
				av_summary_value(play.stream, change->key) == change->value,
			"the copy says %lld, the update %lld",
			(long long)av_summary_value(play.stream, change->key), (long long)change->value);
	}
	avvik__v1__summary_update__free_unpacked(update, NULL);
}

static void run(const struct step *step)
{
	switch ((enum client_step)step->kind) {
	case STEP_REPLY:
		queue(COMMANDS, step, false);
		break;
	case STEP_BATCH:
		queue(FEED, step, false);
		break;
	case STEP_UPDATE:
		queue(STREAM, step, false);
		break;
	case STEP_CLOSED:
		queue((enum connection)(step->who % CONNECTIONS), step, true);
		break;
	case STEP_CALL:
	case STEP_SEND:
		call(step);
		break;
	case STEP_RECEIVE:
		receive();
		break;
	case STEP_NEXT_BATCH:
		next_batch();
		break;
	case STEP_NEXT_UPDATE:
		next_update();
		break;
	case STEP_COUNT:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const units[] = {"soc", "tallen", NULL};
	struct step steps[STEPS_MAX];
	size_t count = steps_read(av_bytes(data, size), steps, STEPS_MAX);
	struct av_client_options commands = {.endpoint = "commands", .timeout_ms = 1};
	struct av_client_options feed = {.endpoint = "feed", .timeout_ms = 1};
	struct av_summary_options stream = {.command = commands,
		.stream_endpoint = "stream",
		.units = count && steps[0].joined ? NULL : units};
	memset(play.first, 0, sizeof play.first);
	memset(play.end, 0, sizeof play.end);
	play.cursor = av_bytes(NULL, 0);
	play.sequence = 0;
	play.last_id[0] = play.unit[0] = '\0';
	MUST(av_client_open(&commands, &play.client) == AV_OK && av_feed_open(&feed, &play.feed) == AV_OK &&
			av_summary_open(&stream, &play.stream) == AV_OK,
		"not opened");
	for (size_t i = 0; i < count; i++)
		run(&steps[i]);
	av_client_close(&play.client);
	av_feed_close(&play.feed);
	av_summary_close(&play.stream);
	av_arena_reset(play.arena);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	AV_UNUSED(argc);
	AV_UNUSED(argv);
	play.arena = av_arena_create(0);
	memset(play.epoch, 7, sizeof play.epoch);
	return 0;
}
