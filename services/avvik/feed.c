/* feed.c - avvik feed: the journals of one or more daemons, as they are or in words.
 *
 * Several feeds are merged in the order of time, and at one instant in the order of the flow. An effect is
 * never shown before its cause: consumers are read before their producers, so that whatever is at hand has
 * its causes at hand too.
 */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/clock.h"
#include "base/status.h"
#include "subcommands.h"
#include "wire/json.h"
#include "words.h"

#define BATCH 500
#define LOOK_MS 300 /* how long one feed is waited for while others may have more */
#define ANSWER_MS 10000

struct source {
	enum tool_daemon daemon;
	struct av_feed *feed;
	struct av_arena *arena; /* of the batch's events */
	Avvik__V1__FeedReply *reply;
	Avvik__V1__Cursor *after; /* in cursor_arena */
	struct av_arena *cursor_arenas[2];
	int turn;
	const Avvik__V1__Event *event; /* the next to show; NULL: none at hand */
	size_t at;		       /* of the batch: the one after `event` */
	uint64_t head;
	bool at_head;
};

struct following {
	struct tool *tool;
	struct source sources[DAEMON_COUNT];
	size_t count;
	struct words words;
	bool in_words, follow;
	uint64_t from;
	int64_t left, end_ms;
};

/* --- one feed --- */

static void event_next(struct source *source)
{
	const Avvik__V1__FeedBatch *batch = source->reply ? source->reply->batch : NULL;
	ProtobufCMessage *event = NULL;

	source->event = NULL;
	while (batch && source->at < batch->n_items && !source->event) {
		ProtobufCBinaryData packed = batch->items[source->at++]->event;
		if (av_message_load(&avvik__v1__event__descriptor, av_bytes(packed.data, packed.len),
			    source->arena, &event) == AV_OK)
			source->event = (const Avvik__V1__Event *)event;
	}
}

/* Keeps the cursor in the other arena: the one before is read while this is made. */
static int cursor_keep(struct source *source, const Avvik__V1__Cursor *reached)
{
	struct av_arena *arena = source->cursor_arenas[source->turn ^= 1];

	av_arena_reset(arena);
	source->after = (Avvik__V1__Cursor *)av_message_copy(&reached->base, arena);
	return source->after ? AV_OK : AV_MEMORY;
}

/* The next batch, when nothing is at hand. AV_TIMEOUT: nothing yet. Told on failure. */
static int source_fill(struct source *source, int timeout_ms)
{
	Avvik__V1__FeedReply *reply = NULL;

	if (source->event)
		return AV_OK;
	int status = av_feed_next(source->feed, source->after, BATCH, timeout_ms, &reply);
	if ((status == AV_TIMEOUT || status == AV_BUSY) && source->at_head)
		return AV_TIMEOUT;
	if (status < 0) {
		tool_fail(0, "%s does not serve its feed: %s%s%s", daemon_names[source->daemon],
			av_status_text(status),
			reply && reply->body_case == AVVIK__V1__FEED_REPLY__BODY_REFUSAL ? ": " : "",
			reply && reply->body_case == AVVIK__V1__FEED_REPLY__BODY_REFUSAL
				? reply->refusal->text
				: "");
		if (reply)
			avvik__v1__feed_reply__free_unpacked(reply, NULL);
		return status;
	}
	if (source->reply)
		avvik__v1__feed_reply__free_unpacked(source->reply, NULL);
	source->reply = reply;
	source->at = 0;
	source->head = reply->batch->head;
	source->at_head = reply->batch->reached && reply->batch->reached->sequence >= source->head;
	av_arena_reset(source->arena);
	event_next(source);
	return reply->batch->reached ? cursor_keep(source, reply->batch->reached) : AV_OK;
}

static bool source_open(struct tool *tool, struct source *source, bool only_new)
{
	Avvik__V1__GetStatus query = AVVIK__V1__GET_STATUS__INIT;
	struct av_client_options options;
	Avvik__V1__Reply *reply = NULL;
	int code;

	/* A daemon that is away and one that has nothing new look the same in a feed: so it is asked first.
	 */
	if (!ask(tool, source->daemon, AVVIK__V1__COMMAND__BODY_GET_STATUS, &query.base, &reply, &code))
		return false;
	const Avvik__V1__StatusFound *status =
		reply->body_case == AVVIK__V1__REPLY__BODY_STATUS_FOUND ? reply->status_found : NULL;
	source->arena = av_arena_create(0);
	source->cursor_arenas[0] = av_arena_create(0);
	source->cursor_arenas[1] = av_arena_create(0);
	bool good = status && source->arena && source->cursor_arenas[0] && source->cursor_arenas[1];
	if (good) {
		source->head = status->head;
		source->at_head = status->head == 0;
	}
	if (good && only_new && status->head) {
		Avvik__V1__Cursor cursor = AVVIK__V1__CURSOR__INIT;
		cursor.epoch_id = status->epoch_id;
		cursor.sequence = status->head;
		cursor.chain_hash = status->chain_hash;
		good = cursor_keep(source, &cursor) == AV_OK;
		source->at_head = true;
	}
	tool_reply_free(&reply);
	const Avvik__V1__Endpoints *endpoints = tool_endpoints(tool, source->daemon);
	if (!good || !tool_client_options(tool, source->daemon, endpoints->feed, &options))
		return false;
	int opened = av_feed_open(&options, &source->feed);
	if (opened < 0)
		tool_fail(0, "cannot read the feed of %s at %s: %s", daemon_names[source->daemon],
			endpoints->feed, av_status_text(opened));
	return opened == AV_OK;
}

static void source_close(struct source *source)
{
	if (source->reply)
		avvik__v1__feed_reply__free_unpacked(source->reply, NULL);
	av_feed_close(&source->feed);
	av_arena_destroy(&source->arena);
	av_arena_destroy(&source->cursor_arenas[0]);
	av_arena_destroy(&source->cursor_arenas[1]);
}

/* --- showing --- */

static void line_print(const json_t *line)
{
	char *text = json_dumps(line, JSON_PRESERVE_ORDER);

	puts(text ? text : "null");
	free(text);
}

static void words_print(struct following *following, const char *daemon, int64_t at_ms, const char *words)
{
	struct tool *tool = following->tool;

	if (!words)
		return;
	following->left--;
	if (!tool->json) {
		printf("%s  %s\n", tool_time(tool, at_ms), words);
		return;
	}
	json_t *line = json_pack("{ssssss}", "at", tool_time(tool, at_ms), "daemon", daemon, "words", words);
	line_print(line);
	json_decref(line);
}

/* The mails that were gathered, before what comes next; NULL: nothing does for now. */
static void mails_print(struct following *following, const Avvik__V1__Event *next)
{
	struct av_arena *arena = following->sources[0].arena;
	int64_t at_ms = 0;
	const char *mails = words_mails(&following->words, next, arena, &at_ms);

	words_print(following, daemon_names[DAEMON_NOTIFICATION], at_ms, mails);
}

static void event_print(struct following *following, const struct source *source)
{
	const Avvik__V1__Event *event = source->event;
	const ProtobufCFieldDescriptor *field = av_body_field(&event->base);
	struct tool *tool = following->tool;

	if (event->sequence < following->from)
		return;
	if (following->in_words) {
		mails_print(following, event);
		words_print(following, daemon_names[source->daemon], event->recorded_at_ms,
			words_of(&following->words, source->daemon, event, source->arena));
		return;
	}
	following->left--;
	if (tool->json) {
		json_t *line = av_json_from(&event->base);
		json_object_set_new(line, "daemon", json_string(daemon_names[source->daemon]));
		line_print(line);
		json_decref(line);
	} else {
		printf("%-12s %8llu  %s  %-24s %s\n", daemon_names[source->daemon],
			(unsigned long long)event->sequence, tool_time(tool, event->recorded_at_ms),
			field ? ((const ProtobufCMessageDescriptor *)field->descriptor)->short_name
			      : "(of a later version)",
			tool_id_text(tool, event->case_id));
	}
}

/* The earliest at hand; NULL when none is, or when one must be read first. */
static struct source *earliest(struct following *following)
{
	struct source *first = NULL;

	for (size_t i = 0; i < following->count; i++) {
		struct source *source = &following->sources[i];
		if (!source->event && !source->at_head)
			return NULL;
		if (source->event && (!first || source->event->recorded_at_ms < first->event->recorded_at_ms))
			first = source;
	}
	return first;
}

static int follow(struct following *following)
{
	while (!ask_interrupted() && following->left > 0 && av_clock_monotonic_ms() < following->end_ms) {
		bool all_at_head = true;
		for (size_t i = following->count; i-- > 0;) {
			struct source *source = &following->sources[i];
			if (source->at_head && !following->follow)
				continue;
			int status = source_fill(source, source->at_head ? LOOK_MS : ANSWER_MS);
			if (status < 0 && !(status == AV_TIMEOUT && source->at_head))
				return status == AV_FORBIDDEN ? EXIT_REFUSED : EXIT_AWAY;
		}
		for (struct source *source; following->left > 0 && (source = earliest(following)) != NULL;) {
			event_print(following, source);
			event_next(source);
		}
		if (following->in_words)
			mails_print(following, NULL);
		fflush(stdout);
		for (size_t i = 0; i < following->count; i++)
			all_at_head &= following->sources[i].at_head && !following->sources[i].event;
		if (all_at_head && !following->follow)
			break;
	}
	return EXIT_DONE;
}

static int by_flow(const void *a, const void *b)
{
	return (int)((const struct source *)a)->daemon - (int)((const struct source *)b)->daemon;
}

int command_feed(struct tool *tool, int argc, char **argv)
{
	const char *names[DAEMON_COUNT] = {NULL};
	int64_t from = 0, limit = 0, seconds = 0;
	bool only_new = false;
	struct following following = {.tool = tool, .words = words_for(tool)};
	const struct tool_option words[] = {{"follow", OPTION_FLAG, &following.follow},
		{"words", OPTION_FLAG, &following.in_words}, {"new", OPTION_FLAG, &only_new},
		{"from", OPTION_NUMBER, &from}, {"limit", OPTION_NUMBER, &limit},
		{"for", OPTION_NUMBER, &seconds}};
	int code = EXIT_DONE;

	int count = tool_options(tool, argc, argv, words, AV_COUNT(words), names, DAEMON_COUNT);
	if (count < 0)
		return EXIT_USAGE;
	if (count == 0)
		return tool_usage("feed");
	if (!tool_settings(tool))
		return EXIT_USAGE;
	for (; following.count < (size_t)count; following.count++)
		if (ask_daemon(names[following.count], &following.sources[following.count].daemon) != AV_OK)
			return EXIT_USAGE;
	qsort(following.sources, following.count, sizeof *following.sources, by_flow);
	following.from = from > 0 ? (uint64_t)from : 0;
	following.left = limit > 0 ? limit : INT64_MAX;
	following.end_ms = seconds > 0 ? av_clock_monotonic_ms() + seconds * 1000 : INT64_MAX;
	for (size_t i = 0; i < following.count && code == EXIT_DONE; i++)
		if (!source_open(tool, &following.sources[i], only_new))
			code = EXIT_AWAY;
	ask_interrupts();
	if (code == EXIT_DONE)
		code = follow(&following);
	for (size_t i = 0; i < following.count; i++)
		source_close(&following.sources[i]);
	words_end(&following.words);
	return code;
}
