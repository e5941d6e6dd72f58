/* summary_stream.c - a complete copy of the figures of some units, kept up by the stream and repaired by
 * snapshots.
 *
 * An update says which change of its unit came before it. When that is not the one the copy stands at,
 * something was lost (ZeroMQ drops for slow subscribers, and while a connection is made again), and the
 * snapshot is fetched before anything more of that unit is handed on. What the stream says meanwhile waits in
 * the socket, and is passed over when the snapshot already holds it. After silence the snapshot is held
 * against the copy. */
#include <stdio.h>
#include <stdlib.h>
#include "avvik/client.h"
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include "base/clock.h"
#include "base/status.h"
#include "link.h"
#include "figures.h"

#define HEARTBEAT_MS 10000
#define UNITS_MAX 10000
#define PAGE 2000
#define AGAIN_MAX 20 /* a snapshot that changes between its pages is begun again */

struct unit {
	struct figures figures;
	unsigned char epoch[16];
	uint64_t sequence;
	bool known;  /* has a snapshot */
	bool wanted; /* must have one before anything else is handed on */
	bool told;   /* it is a gap: the snapshot is handed on even when it changes nothing */
	int64_t heard_at_ms;
	UT_hash_handle hh;
	char name[]; /* the key */
};

struct av_summary_stream {
	struct link link;
	struct av_client *commands;
	struct unit *units;
	bool all; /* units are met on the stream */
	int heartbeat_ms, timeout_ms;
	uint64_t gaps;
};

static struct unit *find_unit(const struct av_summary_stream *stream, const char *name)
{
	struct unit *unit;
	HASH_FIND_STR(stream->units, name, unit);
	return unit;
}

static struct unit *add_unit(struct av_summary_stream *stream, const char *name)
{
	size_t size = strlen(name) + 1;
	struct unit *unit = HASH_COUNT(stream->units) < UNITS_MAX ? calloc(1, sizeof(*unit) + size) : NULL;
	if (!unit)
		return NULL;
	memcpy(unit->name, name, size);
	unit->wanted = unit->told = true;
	unit->heard_at_ms = av_clock_monotonic_ms();
	HASH_ADD_STR(stream->units, name, unit);
	if (!unit->hh.tbl) {
		free(unit);
		return NULL;
	}
	return unit;
}

static int subscribe(struct av_summary_stream *stream, const char *unit)
{
	char topic[128];
	int size = snprintf(topic, sizeof(topic), "summary/%s%s", unit, unit[0] ? "/" : "");
	if (size >= (int)sizeof(topic))
		return AV_INVALID;
	return link_subscribe(&stream->link, topic);
}

int av_summary_open(const struct av_summary_options *options, struct av_summary_stream **ret_stream)
{
	struct av_summary_stream *stream = calloc(1, sizeof(*stream));
	if (!stream)
		return AV_MEMORY;
	stream->heartbeat_ms = options->heartbeat_ms > 0 ? options->heartbeat_ms : HEARTBEAT_MS;
	stream->all = !options->units || !options->units[0];
	int status = link_open(&stream->link, LINK_SUB, options->stream_endpoint, &options->command);
	if (status != AV_OK) {
		free(stream);
		return status;
	}
	status = av_client_open(&options->command, &stream->commands);
	/* First subscribe, then fetch: what changes in between is on the stream. */
	if (status == AV_OK && stream->all)
		status = subscribe(stream, "");
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): without units it is `all` */
	for (size_t i = 0; status == AV_OK && !stream->all && options->units[i]; i++) {
		status = subscribe(stream, options->units[i]);
		if (status == AV_OK && !find_unit(stream, options->units[i]) &&
			!add_unit(stream, options->units[i]))
			status = AV_MEMORY;
	}
	if (status != AV_OK) {
		av_summary_close(&stream);
		return status;
	}
	*ret_stream = stream;
	return AV_OK;
}

void av_summary_close(struct av_summary_stream **stream)
{
	struct av_summary_stream *closing = *stream;
	struct unit *unit, *next;
	if (!closing)
		return;
	*stream = NULL;
	HASH_ITER (hh, closing->units, unit, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed was taken out */
		HASH_DEL(closing->units, unit);
		figures_clear(&unit->figures);
		free(unit);
	}
	av_client_close(&closing->commands);
	link_close(&closing->link);
	free(closing);
}

/* Snapshots */

static int status_of(Avvik__V1__ReplyStatus status)
{
	switch (status) {
	case AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE:
		return AV_OK;
	case AVVIK__V1__REPLY_STATUS__REPLY_STATUS_FORBIDDEN:
		return AV_FORBIDDEN;
	case AVVIK__V1__REPLY_STATUS__REPLY_STATUS_NOT_FOUND:
		return AV_NOT_FOUND;
	case AVVIK__V1__REPLY_STATUS__REPLY_STATUS_BUSY:
		return AV_BUSY;
	default:
		return AV_INVALID;
	}
}

static int fetch_page(struct av_summary_stream *stream, const struct unit *unit, Avvik__V1__FigureKey *after,
	int64_t deadline_ms, Avvik__V1__Reply **ret_reply)
{
	Avvik__V1__GetSummary get = AVVIK__V1__GET_SUMMARY__INIT;
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__Reply *reply;
	get.unit = (char *)(uintptr_t)unit->name;
	get.limit = PAGE;
	get.after = after;
	command.body_case = AVVIK__V1__COMMAND__BODY_GET_SUMMARY;
	command.get_summary = &get;
	int status = client_call_until(stream->commands, &command, deadline_ms, &reply);
	if (status != AV_OK)
		return status;
	status = status_of(reply->status);
	const Avvik__V1__SummaryFound *found =
		reply->body_case == AVVIK__V1__REPLY__BODY_SUMMARY_FOUND ? reply->summary_found : NULL;
	if (status == AV_OK && (!found || found->epoch_id.len != sizeof(unit->epoch)))
		status = AV_MALFORMED;
	if (status != AV_OK) {
		avvik__v1__reply__free_unpacked(reply, NULL);
		return status;
	}
	*ret_reply = reply;
	return AV_OK;
}

/* All pages, read at one sequence, into `at` (whose figures were empty). AV_STALE: it changed in between. */
static int fetch_once(
	struct av_summary_stream *stream, struct unit *at, const char *name, int64_t deadline_ms)
{
	Avvik__V1__Reply *reply = NULL;
	bool more = true;
	int status = AV_OK;
	while (status == AV_OK && more) {
		Avvik__V1__Reply *page;
		status = fetch_page(stream, find_unit(stream, name),
			reply ? reply->summary_found->next_after : NULL, deadline_ms, &page);
		if (status != AV_OK)
			break;
		const Avvik__V1__SummaryFound *found = page->summary_found;
		if (reply && (found->sequence != at->sequence ||
				     memcmp(found->epoch_id.data, at->epoch, sizeof(at->epoch)) != 0))
			status = AV_STALE;
		at->sequence = found->sequence;
		memcpy(at->epoch, found->epoch_id.data, sizeof(at->epoch));
		for (size_t i = 0; status == AV_OK && i < found->n_figures; i++)
			status = figures_set(&at->figures, found->figures[i]->key, found->figures[i]->value);
		/* An empty page that promises more would never end. */
		more = found->next_after && found->n_figures > 0;
		if (reply)
			avvik__v1__reply__free_unpacked(reply, NULL);
		reply = page;
	}
	if (reply)
		avvik__v1__reply__free_unpacked(reply, NULL);
	return status;
}

/* Puts the snapshot in the copy's place. *ret_update: what differs; NULL when nothing does and nobody must be
 * told. */
static int repair(struct av_summary_stream *stream, struct unit *unit, int64_t deadline_ms,
	Avvik__V1__SummaryUpdate **ret_update)
{
	struct unit fresh = {.known = true};
	int status = AV_STALE;
	for (int i = 0; i < AGAIN_MAX && status == AV_STALE; i++) {
		figures_clear(&fresh.figures);
		status = fetch_once(stream, &fresh, unit->name, deadline_ms);
	}
	bool quiet = unit->known && !unit->told;
	Avvik__V1__SummaryUpdate *update = NULL;
	if (status == AV_OK)
		status = figures_difference(&unit->figures, &fresh.figures, &update);
	if (status != AV_OK) {
		figures_clear(&fresh.figures);
		return status == AV_STALE ? AV_BUSY : status;
	}
	if (quiet && update->n_changes > 0)
		stream->gaps++; /* found by silence, not by the stream */
	status = figures_stamp(&update, unit->name, fresh.epoch, fresh.sequence, unit->sequence);
	if (status != AV_OK) {
		figures_clear(&fresh.figures);
		return status;
	}
	figures_clear(&unit->figures);
	unit->figures = fresh.figures;
	memcpy(unit->epoch, fresh.epoch, sizeof(unit->epoch));
	unit->sequence = fresh.sequence;
	unit->known = true;
	unit->wanted = unit->told = false;
	unit->heard_at_ms = av_clock_monotonic_ms();
	if (quiet && update->n_changes == 0) {
		avvik__v1__summary_update__free_unpacked(update, NULL);
		update = NULL;
	}
	*ret_update = update;
	return AV_OK;
}

/* The stream */

static void want(struct av_summary_stream *stream, struct unit *unit)
{
	if (!unit->wanted && unit->known)
		stream->gaps++;
	unit->wanted = unit->told = true;
}

/* Does it belong to the copy, next? Then it is put into it. */
static bool take(struct av_summary_stream *stream, const Avvik__V1__SummaryUpdate *update)
{
	struct unit *unit = find_unit(stream, update->unit);
	if (!unit && stream->all)
		unit = add_unit(stream, update->unit); /* first met: its snapshot comes first */
	if (!unit || update->epoch_id.len != sizeof(unit->epoch))
		return false;
	unit->heard_at_ms = av_clock_monotonic_ms();
	if (unit->wanted)
		return false;
	bool same_epoch = memcmp(update->epoch_id.data, unit->epoch, sizeof(unit->epoch)) == 0;
	if (same_epoch && update->sequence <= unit->sequence)
		return false; /* the copy holds it */
	if (!same_epoch || update->n_changes == 0 || update->previous_sequence != unit->sequence ||
		figures_apply(&unit->figures, update) != AV_OK) {
		want(stream, unit);
		return false;
	}
	unit->sequence = update->sequence;
	return true;
}

/* The unit whose snapshot is due, or NULL; *ret_look_ms: when the next one falls silent. */
static struct unit *due(struct av_summary_stream *stream, int64_t now_ms, int64_t *ret_look_ms)
{
	struct unit *unit, *next;
	*ret_look_ms = INT64_MAX;
	HASH_ITER (hh, stream->units, unit, next) {
		int64_t silent_ms = unit->heard_at_ms + stream->heartbeat_ms;
		if (unit->wanted || silent_ms <= now_ms)
			return unit;
		*ret_look_ms = AV_MIN(*ret_look_ms, silent_ms);
	}
	return NULL;
}

static int receive(struct av_summary_stream *stream, int64_t until_ms, Avvik__V1__SummaryUpdate **ret_update)
{
	unsigned char *body;
	size_t size;
	int status = link_receive(&stream->link, until_ms, &body, &size);
	if (status != AV_OK)
		return status == AV_CLOSED ? AV_NOTHING : status; /* what is missed shows as a gap */
	Avvik__V1__SummaryUpdate *update =
		(Avvik__V1__SummaryUpdate *)link_unpack(&avvik__v1__summary_update__descriptor, body, size);
	free(body);
	if (update && take(stream, update)) {
		*ret_update = update;
		return AV_OK;
	}
	if (update)
		avvik__v1__summary_update__free_unpacked(update, NULL);
	return AV_NOTHING;
}

int av_summary_next(struct av_summary_stream *stream, int timeout_ms, Avvik__V1__SummaryUpdate **ret_update,
	bool *ret_snapshot)
{
	int64_t deadline_ms = av_clock_monotonic_ms() + timeout_ms;
	for (;;) {
		int64_t look_ms, now_ms = av_clock_monotonic_ms();
		struct unit *unit = due(stream, now_ms, &look_ms);
		Avvik__V1__SummaryUpdate *update = NULL;
		int status = unit ? repair(stream, unit, deadline_ms, &update)
				  : receive(stream, AV_MIN(deadline_ms, look_ms), &update);
		if (status < 0 && (status != AV_TIMEOUT || unit || av_clock_monotonic_ms() >= deadline_ms))
			return status;
		if (!update)
			continue;
		*ret_update = update;
		*ret_snapshot = unit != NULL;
		return AV_OK;
	}
}

int64_t av_summary_value(const struct av_summary_stream *stream, const Avvik__V1__FigureKey *key)
{
	const struct unit *unit = key && key->unit ? find_unit(stream, key->unit) : NULL;
	return unit ? figures_value(&unit->figures, key) : 0;
}

uint64_t av_summary_gaps(const struct av_summary_stream *stream)
{
	return stream->gaps;
}
