/* stream.c - the summary stream: what the journal's new events did to the figures, told on XPUB after the
 * commit.
 *
 * One update per unit and commit, on topic "summary/<unit>/": the keys that changed, by how much, and their
 * value in the same read transaction. `sequence` is the last event that touched the unit, `previous_sequence`
 * what the update before said, so a consumer that has another one knows that it missed something and fetches
 * the snapshot. Every ten seconds each unit's sequence is told again without changes, so that a lost last
 * message is noticed. When figures were counted anew (the tree changed) previous_sequence is RESET_SEQUENCE:
 * everyone fetches.
 *
 * All on the loop's thread. A reader of the journal at head H sees figures exactly as of H, since both are in
 * one transaction; so updates always carry everything up to H, and a turn that was told with the one before
 * tells nothing.
 */
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>
#include <uv.h>

#include "figure_rules.h"
#include "reporting_store.h"
#include "scope.h"

#define HEARTBEAT_MS 10000
#define TOPIC_PREFIX "summary/"

struct told { /* what consumers were last told of a unit */
	char unit[64];
	uint64_t sequence;
	UT_hash_handle hh;
};

struct stream {
	struct av_daemon *daemon;
	uv_timer_t heartbeat;
	struct told *told;
	uint64_t published; /* all events up to here were told */
	uint64_t updates, heartbeats;
};

struct change { /* of one figure in what is being told */
	unsigned char bytes[FIGURE_KEY_MAX];
	size_t size;
	int64_t change;
	UT_hash_handle hh;
};

struct told_now {
	struct change *changes; /* hash */
	struct av_arena *arena;
	bool reset;
};

static struct told *told_of(struct stream *stream, const char *unit)
{
	struct told *told;
	HASH_FIND_STR(stream->told, unit, told);
	if (told || strlen(unit) >= sizeof told->unit)
		return told;
	told = calloc(1, sizeof *told);
	if (!told)
		return NULL;
	memcpy(told->unit, unit, strlen(unit) + 1);
	HASH_ADD_STR(stream->told, unit, told);
	return told;
}

static void change_note(struct told_now *now, const Avvik__V1__FigureKey *key, int64_t amount)
{
	struct change *change;
	unsigned char bytes[FIGURE_KEY_MAX];
	size_t size = figure_key(key, bytes);

	if (!size)
		return;
	HASH_FIND(hh, now->changes, bytes, size, change);
	if (!change) {
		change = av_arena_zalloc(now->arena, sizeof *change);
		if (!change)
			return;
		memcpy(change->bytes, bytes, size);
		change->size = size;
		HASH_ADD_KEYPTR(hh, now->changes, change->bytes, size, change);
	}
	change->change += amount;
}

static void count_note(struct told_now *now, struct av_txn *txn, const Avvik__V1__CountChange *count)
{
	const char *codes[AV_ORG_DEPTH];
	struct figure_span spans[4];
	size_t span_count = figure_spans(count->day_on, spans),
	       level_count = reporting_levels(txn, count->unit, codes);

	for (size_t i = 0; i < level_count; i++) {
		for (size_t s = 0; s < span_count; s++) {
			Avvik__V1__FigureKey key = AVVIK__V1__FIGURE_KEY__INIT;
			key.unit = (char *)codes[i];
			key.span = spans[s].span;
			key.period = spans[s].period;
			key.measurement = count->measurement;
			key.kind = count->kind;
			key.degree = count->degree;
			key.deadline = count->deadline;
			change_note(now, &key, count->change);
		}
	}
}

static void event_note(struct told_now *now, struct av_txn *txn, struct av_bytes packed)
{
	ProtobufCMessage *message;

	if (av_message_load(&avvik__v1__event__descriptor, packed, now->arena, &message) != AV_OK)
		return;
	const Avvik__V1__Event *event = (const Avvik__V1__Event *)message;
	if (event->body_case == AVVIK__V1__EVENT__BODY_FIGURES_CHANGED)
		for (size_t i = 0; i < event->figures_changed->n_counts; i++)
			count_note(now, txn, event->figures_changed->counts[i]);
	else if (event->body_case == AVVIK__V1__EVENT__BODY_DIRECTORY_PUBLISHED)
		now->reset = true;
}

static void update_send(struct stream *stream, Avvik__V1__SummaryUpdate *update, struct av_arena *arena)
{
	char topic[80];
	struct av_bytes packed = av_message_pack(&update->base, arena);
	int size = snprintf(topic, sizeof topic, TOPIC_PREFIX "%s/", update->unit);

	if (packed.data && size > 0 && (size_t)size < sizeof topic)
		(void)av_daemon_publish(stream->daemon, av_bytes(topic, (size_t)size), packed);
}

/* The figures of one unit among the changes, as an update. */
static void unit_tell(struct stream *stream, struct told_now *now, struct av_txn *txn, const char *unit,
	const struct av_position *head)
{
	struct told *told = told_of(stream, unit);
	Avvik__V1__SummaryUpdate update = AVVIK__V1__SUMMARY_UPDATE__INIT;
	struct change *change, *next;

	if (!told)
		return;
	update.unit = (char *)unit;
	update.epoch_id = (ProtobufCBinaryData){AV_ID_SIZE, (uint8_t *)head->epoch.bytes};
	update.sequence = unit_sequence(txn, unit);
	update.previous_sequence = now->reset ? RESET_SEQUENCE : told->sequence;
	update.sent_at_ms = av_daemon_now_ms(stream->daemon);
	update.changes = av_arena_alloc(now->arena, (HASH_COUNT(now->changes) + 1) * sizeof *update.changes);
	if (!update.changes)
		return;
	HASH_ITER (hh, now->changes, change, next) {
		if (strcmp((const char *)change->bytes, unit) != 0)
			continue;
		Avvik__V1__FigureChange *figure =
			AV_NEW(now->arena, Avvik__V1__FigureChange, avvik__v1__figure_change);
		Avvik__V1__FigureKey *key = AV_NEW(now->arena, Avvik__V1__FigureKey, avvik__v1__figure_key);
		if (!figure || !key || figure_key_read(av_bytes(change->bytes, change->size), key) != AV_OK)
			continue;
		figure->key = key;
		figure->change = change->change;
		figure->value = figure_value(txn, key);
		update.changes[update.n_changes++] = figure;
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it stands in this table */
		HASH_DEL(now->changes, change);
	}
	told->sequence = update.sequence;
	stream->updates++;
	update_send(stream, &update, now->arena);
}

static void units_reset(
	struct stream *stream, struct told_now *now, struct av_txn *txn, const struct av_position *head)
{
	struct av_iter it = av_iter(txn, TABLE_UNITS, av_bytes(NULL, 0), av_bytes(NULL, 0));
	while (av_iter_next(&it)) {
		char unit[64];
		if (it.key.size >= sizeof unit)
			continue;
		memcpy(unit, it.key.data, it.key.size);
		unit[it.key.size] = 0;
		unit_tell(stream, now, txn, unit, head);
	}
	av_iter_end(&it);
}

void stream_committed(struct av_daemon *daemon, uint64_t first, uint64_t last)
{
	struct stream *stream = av_daemon_user(daemon);
	struct told_now now = {.arena = av_arena_create(0)};
	struct av_txn *txn = NULL;
	struct av_position head;
	struct av_bytes packed;

	AV_UNUSED(first);
	if (last > stream->published && now.arena &&
		av_txn_begin_read(av_daemon_store(daemon), &txn) == AV_OK &&
		av_journal_head(txn, &head) == AV_OK) {
		for (uint64_t sequence = stream->published + 1; sequence <= head.sequence; sequence++)
			if (av_journal_read(txn, sequence, &packed, NULL) == AV_OK)
				event_note(&now, txn, packed);
		if (now.reset)
			units_reset(stream, &now, txn, &head);
		while (now.changes) {
			char unit[FIGURE_KEY_MAX];
			memcpy(unit, now.changes->bytes, sizeof unit);
			unit_tell(stream, &now, txn, unit, &head);
		}
		stream->published = head.sequence;
	}
	av_txn_abort(&txn);
	av_arena_destroy(&now.arena);
}

static void heartbeat(uv_timer_t *timer)
{
	struct stream *stream = timer->data;
	struct told *told, *next;
	struct av_arena *arena = av_arena_create(0);
	struct av_txn *txn = NULL;
	struct av_position head;

	if (arena && av_txn_begin_read(av_daemon_store(stream->daemon), &txn) == AV_OK &&
		av_journal_head(txn, &head) == AV_OK) {
		HASH_ITER (hh, stream->told, told, next) {
			Avvik__V1__SummaryUpdate update = AVVIK__V1__SUMMARY_UPDATE__INIT;
			update.unit = told->unit;
			update.epoch_id = (ProtobufCBinaryData){AV_ID_SIZE, head.epoch.bytes};
			update.sequence = update.previous_sequence = told->sequence;
			update.sent_at_ms = av_daemon_now_ms(stream->daemon);
			update_send(stream, &update, arena);
			av_arena_reset(arena);
			stream->heartbeats++;
		}
	}
	av_txn_abort(&txn);
	av_arena_destroy(&arena);
}

/* What was published before a restart is not known: consumers see another previous_sequence only if they
 * missed something, since every unit begins where the store stands. */
int stream_start(struct av_daemon *daemon)
{
	struct stream *stream = calloc(1, sizeof *stream);
	struct av_txn *txn = NULL;
	struct av_position head;

	if (!stream)
		return AV_MEMORY;
	stream->daemon = daemon;
	int status = av_txn_begin_read(av_daemon_store(daemon), &txn);
	if (status == AV_OK)
		status = av_journal_head(txn, &head);
	if (status == AV_OK) {
		stream->published = head.sequence;
		struct av_iter it = av_iter(txn, TABLE_UNITS, av_bytes(NULL, 0), av_bytes(NULL, 0));
		while (av_iter_next(&it)) {
			char unit[64];
			if (it.key.size >= sizeof unit)
				continue;
			memcpy(unit, it.key.data, it.key.size);
			unit[it.key.size] = 0;
			struct told *told = told_of(stream, unit);
			if (told)
				told->sequence = av_get_u64(it.value.data);
		}
		av_iter_end(&it);
		uv_timer_init(av_daemon_loop(daemon), &stream->heartbeat);
		stream->heartbeat.data = stream;
		uv_timer_start(&stream->heartbeat, heartbeat, HEARTBEAT_MS, HEARTBEAT_MS);
	}
	av_txn_abort(&txn);
	av_daemon_set_user(daemon, stream);
	return status;
}

static void on_closed(uv_handle_t *handle)
{
	struct stream *stream = handle->data;
	struct told *told, *next;
	HASH_ITER (hh, stream->told, told, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed was taken out */
		HASH_DEL(stream->told, told);
		free(told);
	}
	free(stream);
}

void stream_stop(struct av_daemon *daemon)
{
	struct stream *stream = av_daemon_user(daemon);
	if (!stream)
		return;
	av_daemon_set_user(daemon, NULL);
	uv_timer_stop(&stream->heartbeat);
	uv_close((uv_handle_t *)&stream->heartbeat, on_closed);
}

/* "summary/" takes the right to every unit, "summary/<unit>/" to that one; nothing else is a topic. */
bool stream_may_subscribe(
	struct av_daemon *daemon, const struct av_principal *principal, struct av_bytes topic)
{
	const size_t prefix = sizeof TOPIC_PREFIX - 1;
	const char *text = topic.data;
	struct av_txn *txn = NULL;
	char unit[64];
	bool may = false;

	if (topic.size < prefix || memcmp(text, TOPIC_PREFIX, prefix) != 0)
		return false;
	if (topic.size == prefix)
		return scope_all(principal);
	size_t size = topic.size - prefix - 1;
	if (text[topic.size - 1] != '/' || size == 0 || size >= sizeof unit || memchr(text + prefix, 0, size))
		return false;
	memcpy(unit, text + prefix, size);
	unit[size] = 0;
	if (av_txn_begin_read(av_daemon_store(daemon), &txn) == AV_OK)
		may = scope_unit(txn, principal, unit);
	av_txn_abort(&txn);
	return may;
}

void stream_health(struct av_daemon *daemon, struct av_txn *txn, struct av_arena *arena)
{
	struct stream *stream = av_daemon_user(daemon);

	AV_UNUSED(txn);
	AV_UNUSED(arena);
	if (!stream)
		return;
	av_metric(daemon, "summary_updates_total", NULL, (double)stream->updates, true,
		"updates published on the stream");
	av_metric(daemon, "summary_heartbeats_total", NULL, (double)stream->heartbeats, true,
		"heartbeats published");
}
