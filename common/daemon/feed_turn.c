/* feed_turn.c - one batch of a feed: each event through its handler, once
 *
 * An event that cannot be handled goes to quarantine; later ones of its case wait behind it, other cases go
 * on; one without a case halts the feed there. The cursor moves in the same transaction, and only past a
 * whole batch, since the chain hash is known only there; inside a batch `handled` of the feed's record keeps
 * what has been done.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/turn_inner.h"

static const struct av_event_row *event_row(
	const struct av_service *service, const char *feed, unsigned int number)
{
	for (size_t i = 0; i < service->event_count; i++) {
		if (service->events[i].number == number && strcmp(service->events[i].feed, feed) == 0)
			return &service->events[i];
	}
	return NULL;
}

int feed_event_load(struct av_turn *turn, const Avvik__V1__FeedItem *item, Avvik__V1__Event **ret_event)
{
	struct av_faults faults;
	ProtobufCMessage *message;
	av_faults_init(&faults, turn->arena);
	int status =
		av_message_unpack(&avvik__v1__event__descriptor, av_bytes(item->event.data, item->event.len),
			AV_WIRE_LIMITS_PUBLISH, turn->arena, &faults, &message);
	if (status == AV_OK)
		*ret_event = (Avvik__V1__Event *)message;
	return status;
}

static const struct blamed *blame_of(const struct av_turn *turn, const char *feed, uint64_t sequence)
{
	for (const struct blamed *entry = turn->blamed; entry; entry = entry->next) {
		if (entry->sequence == sequence && strcmp(entry->feed, feed) == 0)
			return entry;
	}
	return NULL;
}

int feed_blame(struct av_turn *turn, const char *feed, uint64_t sequence, int status)
{
	struct blamed *entry = av_arena_alloc(turn->keep, sizeof *entry);
	const char *name = av_arena_strdup(turn->keep, feed);
	if (!entry || !name)
		return AV_MEMORY;
	*entry = (struct blamed){name, sequence, status, turn->blamed};
	turn->blamed = entry;
	return AV_OK;
}

static const char *cause_of(struct av_turn *turn, int status, const struct av_faults *faults)
{
	const char *text = faults && faults->first
				   ? av_arena_printf(turn->arena, "%s: %s: %s", av_status_text(status),
					     faults->first->path, faults->first->text)
				   : av_status_text(status);
	return text ? text : av_status_text(status);
}

/* More than one attempt can hold: of this event, or of all those before it together. */
static bool crowded(int status)
{
	return status == AV_MEMORY || status == AV_TOO_LARGE;
}

int feed_event_run(struct av_turn *turn, const struct av_item *item, const char *feed,
	const Avvik__V1__FeedItem *feed_item, const Avvik__V1__Event *event, bool again,
	const char **ret_cause)
{
	static const unsigned char no_hash[16];
	unsigned char hash[AV_HASH_SIZE];
	struct av_outcome out;
	const struct blamed *blamed = blame_of(turn, feed, feed_item->sequence);
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the caller has read it */
	const struct av_event_row *row = event_row(turn->o.service, feed, (unsigned int)event->body_case);
	if (!row)
		return AV_NOTHING;
	mark_set(turn, AV_ITEM_FEED, feed, feed_item->sequence, no_hash);
	if (turn->crash_records > 0) {
		feed_mark_hash(feed, feed_item->sequence, hash);
		if (!again && set_aside(turn, hash)) {
			set_aside_forget(turn, hash); /* from now on the quarantine knows of it */
			*ret_cause = "it has ended the process twice";
			return AV_INVALID;
		}
	}
	if (blamed) {
		*ret_cause = av_status_text(blamed->status);
		return AV_INVALID;
	}
	outcome_init(&out, turn);
	struct av_ctx ctx = turn_ctx(turn, item, &out);
	ctx.event = event;
	ctx.feed_item = feed_item;
	ctx.feed = feed;
	int status = row->handler(&ctx, av_body(&event->base));
	if (status == AV_IO || status == AV_FULL || status == AV_MEMORY)
		return status;
	if (status < 0) {
		*ret_cause = cause_of(turn, status, &ctx.faults);
		return AV_INVALID;
	}
	if (status == AV_NOTHING && !out.first && !out.sealed)
		return AV_NOTHING;
	turn->dirty = true;
	status = outcome_commit(turn, &ctx);
	if (status == AV_IO || status == AV_FULL || crowded(status))
		return status;
	if (status < 0)
		return feed_blame(turn, feed, feed_item->sequence, status) < 0 ? AV_MEMORY : AV_INTERNAL;
	if (turn->crash_records > 0)
		set_aside_forget(turn, hash);
	return AV_OK;
}

/* --- quarantine --- */

int feed_item_keep(struct av_turn *turn, struct av_quarantined *entry, const Avvik__V1__FeedItem *item)
{
	Avvik__V1__FeedItem bare = *item, parts = AVVIK__V1__FEED_ITEM__INIT;
	bare.n_parts = 0;
	bare.parts = NULL;
	entry->item = av_message_pack(&bare.base, turn->arena);
	if (!entry->item.data)
		return AV_MEMORY;
	if (item->n_parts > 0) {
		/* Opened addresses are never kept open. The content's id is made from what finds it again. */
		unsigned char hash[AV_HASH_SIZE], blinding[AV_KEY_SIZE];
		struct av_id id;
		parts.n_parts = item->n_parts;
		parts.parts = item->parts;
		struct av_content_part part = {AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT,
			av_message_pack(&parts.base, turn->arena)};
		uint64_t number = turn_next_key(turn, turn->key_next);
		if (!part.body.data || number == 0)
			return part.body.data ? AV_FULL : AV_MEMORY;
		feed_mark_hash(entry->feed, entry->sequence, hash);
		memcpy(id.bytes, hash, AV_ID_SIZE);
		av_random_fill(turn->o.random, blinding, sizeof blinding);
		int status = av_content_put(turn->txn, turn->o.keys, &id, number, blinding, &part, 1,
			turn->o.random, turn->arena);
		if (status < 0)
			return status;
		turn->key_next = number + 1;
	}
	av_quarantine_store(turn->txn, entry);
	turn->dirty = true;
	return AV_MIN(av_txn_error(turn->txn), AV_OK);
}

int feed_item_kept(struct av_turn *turn, const struct av_quarantined *entry, Avvik__V1__FeedItem **ret_item)
{
	unsigned char hash[AV_HASH_SIZE];
	struct av_bytes packed;
	ProtobufCMessage *message, *opened;
	struct av_id id;
	int status = av_message_load(&avvik__v1__feed_item__descriptor, entry->item, turn->arena, &message);
	if (status < 0)
		return status;
	Avvik__V1__FeedItem *item = (Avvik__V1__FeedItem *)message;
	feed_mark_hash(entry->feed, entry->sequence, hash);
	memcpy(id.bytes, hash, AV_ID_SIZE);
	status = av_content_get(turn->txn, turn->o.keys, &id, AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT,
		turn->arena, &packed);
	if (status == AV_OK) {
		status = av_message_load(&avvik__v1__feed_item__descriptor, packed, turn->arena, &opened);
		if (status < 0)
			return status;
		item->n_parts = ((Avvik__V1__FeedItem *)opened)->n_parts;
		item->parts = ((Avvik__V1__FeedItem *)opened)->parts;
	} else if (status != AV_NOT_FOUND && status != AV_ERASED) {
		return status;
	}
	*ret_item = item;
	return AV_OK;
}

void feed_item_forget(struct av_turn *turn, const char *feed, uint64_t sequence)
{
	unsigned char hash[AV_HASH_SIZE];
	struct av_id id;
	uint64_t number;
	feed_mark_hash(feed, sequence, hash);
	memcpy(id.bytes, hash, AV_ID_SIZE);
	if (av_content_erase(turn->txn, &id, &number) == AV_OK)
		turn->doomed = true;
	/* No event tells of it, and another history may need its place. */
	av_delete(turn->txn, AV_TABLE_CONTENT, av_bytes(id.bytes, AV_ID_SIZE));
	av_quarantine_delete(turn->txn, feed, sequence);
	turn->dirty = true;
}

static int quarantine(struct av_turn *turn, const struct av_item *item, const Avvik__V1__FeedItem *feed_item,
	const Avvik__V1__Event *event, bool waiting, const char *cause)
{
	struct av_quarantined entry = {
		.feed = item->feed,
		.sequence = feed_item->sequence,
		.waiting = waiting,
		.attempts = waiting ? 0 : 1,
		.first_at_ms = turn->now_ms,
		.cause = av_bytes(cause, AV_MIN(strlen(cause), (size_t)QUARANTINE_CAUSE_MAX)),
	};
	if (event)
		(void)binary_id(event->case_id, &entry.case_id); /* none stays zero, ignoring */
	turn->counts.quarantined++;
	return feed_item_keep(turn, &entry, feed_item);
}

static void halt(struct av_item *item, struct feed_record *record, uint64_t sequence, const char *cause)
{
	record->halted = true;
	record->halted_at = sequence;
	snprintf(record->cause, sizeof record->cause, "%s", cause);
	item->halted = true;
	item->halt_text = cause;
}

struct stale {
	uint64_t sequences[64];
	size_t count;
	uint64_t after;
};

static bool collect_stale(void *context, const struct av_quarantined *entry)
{
	struct stale *stale = context;
	if (entry->sequence > stale->after)
		stale->sequences[stale->count++] = entry->sequence;
	return stale->count < AV_COUNT(stale->sequences);
}

/* What is in quarantine from a history that the producer no longer has can never be resolved: it is dropped,
 * with the reason. */
int feed_part(struct av_turn *turn, const char *feed, struct feed_record *record, uint64_t after)
{
	struct stale stale = {.after = after};
	feed_record_part(record, after);
	do {
		stale.count = 0;
		av_quarantine_each(turn->txn, feed, collect_stale, &stale);
		for (size_t i = 0; i < stale.count; i++) {
			Avvik__V1__QuarantineResolved *body = AV_NEW(
				turn->arena, Avvik__V1__QuarantineResolved, avvik__v1__quarantine_resolved);
			Avvik__V1__ReasonGiven *reason =
				AV_NEW(turn->arena, Avvik__V1__ReasonGiven, avvik__v1__reason_given);
			if (!body || !reason)
				return AV_MEMORY;
			feed_item_forget(turn, feed, stale.sequences[i]);
			reason->text = (char *)(uintptr_t) "the producer was restored and its journal no "
							   "longer has this event";
			body->feed = (char *)(uintptr_t)feed;
			body->sequence = stale.sequences[i];
			body->action = AVVIK__V1__QUARANTINE_ACTION__QUARANTINE_ACTION_DROP;
			body->reason = reason;
			int status = turn_emit_own(turn, AVVIK__V1__EVENT__BODY_QUARANTINE_RESOLVED, body);
			if (status < 0)
				return status;
		}
	} while (stale.count == AV_COUNT(stale.sequences));
	return AV_OK;
}

/* The first event of an epoch, by which consumers tell histories apart. */
static bool begins_history(const Avvik__V1__Event *event)
{
	return event->body_case == AVVIK__V1__EVENT__BODY_JOURNAL_RESTORED ||
	       event->body_case == AVVIK__V1__EVENT__BODY_STORE_MADE;
}

/* A sequence that was handled before: AV_NOTHING to pass it over; AV_OK: it is of another history, and new.
 */
static int known(
	struct av_turn *turn, const char *feed, struct feed_record *record, const Avvik__V1__FeedItem *item)
{
	Avvik__V1__Event *event;
	struct av_id id;
	int status = feed_event_load(turn, item, &event);
	if (status == AV_MEMORY)
		return status;
	if (status != AV_OK || !begins_history(event))
		return AV_NOTHING;
	if (binary_id(event->event_id, &id) != AV_OK || feed_record_knows(record, item->sequence, &id))
		return AV_NOTHING;
	/* A store that was made anew is told by the id of the one before. */
	if (event->body_case == AVVIK__V1__EVENT__BODY_STORE_MADE &&
		(record->restores == 0 || record->restore[0].sequence != item->sequence))
		return AV_NOTHING;
	status = feed_part(turn, feed, record, item->sequence - 1);
	return status < 0 ? status : AV_OK;
}

/* One event: its effect, or quarantine. Negative: the attempt fails. */
static int take(struct av_turn *turn, struct av_item *item, struct feed_record *record,
	const Avvik__V1__FeedItem *feed_item)
{
	Avvik__V1__Event *event = NULL;
	const char *cause = "it cannot be read";
	struct av_id case_id;
	struct av_id id;
	int status = feed_event_load(turn, feed_item, &event);
	if (status == AV_MEMORY)
		return status;
	bool has_case = event && binary_id(event->case_id, &case_id) == AV_OK;
	if (event && begins_history(event) && binary_id(event->event_id, &id) == AV_OK)
		feed_record_restored(record, feed_item->sequence, &id);
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): AV_OK: it was read */
	if (status == AV_OK && event->body_case == AVVIK__V1__EVENT__BODY__NOT_SET) {
		record->passed_over++;
		turn->counts.passed_over++;
		return AV_OK;
	}
	if (status == AV_OK && !event_row(turn->o.service, item->feed, (unsigned int)event->body_case))
		return AV_OK;
	if (has_case && av_quarantine_holds(turn->txn, item->feed, &case_id))
		return quarantine(
			turn, item, feed_item, event, true, "waits behind an earlier event of its case");
	status = status < 0 ? AV_INVALID
			    : feed_event_run(turn, item, item->feed, feed_item, event, false, &cause);
	if (status >= 0)
		return AV_OK;
	if (status != AV_INVALID)
		return status;
	status = quarantine(turn, item, feed_item, event, false, cause);
	if (status == AV_OK && !has_case)
		halt(item, record, feed_item->sequence, cause);
	return status;
}

static int follows(struct av_turn *turn, const struct av_item *item)
{
	struct av_cursor cursor;
	const Avvik__V1__FeedBatch *batch = item->batch;
	int status = av_cursor_load(turn->txn, item->feed, &cursor);
	if (status != AV_OK && status != AV_NOT_FOUND)
		return status;
	if (!batch->reached || batch->reached->epoch_id.len != AV_ID_SIZE ||
		batch->reached->chain_hash.len != AV_CHAIN_SIZE)
		return AV_STALE;
	uint64_t at = status == AV_OK ? cursor.position.sequence : 0;
	if (item->after > at)
		return AV_STALE;
	if (at == 0 || memcmp(cursor.position.epoch.bytes, batch->reached->epoch_id.data, AV_ID_SIZE) == 0)
		return AV_OK;
	/* Into another epoch only from the one where the cursor stands: a decision may have come between. */
	bool from_here = !item->after_epoch ||
			 memcmp(cursor.position.epoch.bytes, item->after_epoch->bytes, AV_ID_SIZE) == 0;
	return batch->moved_epoch && from_here ? AV_OK : AV_STALE;
}

/* Not back: what was given again reaches no further than what was done. */
static void cursor_move(struct av_turn *turn, const struct av_item *item)
{
	const Avvik__V1__Cursor *reached = item->batch->reached;
	struct av_cursor cursor;
	if (av_cursor_load(turn->txn, item->feed, &cursor) == AV_OK &&
		cursor.position.sequence > reached->sequence &&
		memcmp(cursor.position.epoch.bytes, reached->epoch_id.data, AV_ID_SIZE) == 0)
		return;
	memset(&cursor, 0, sizeof cursor);
	cursor.position.sequence = reached->sequence;
	memcpy(cursor.position.epoch.bytes, reached->epoch_id.data, AV_ID_SIZE);
	memcpy(cursor.position.hash, reached->chain_hash.data, AV_CHAIN_SIZE);
	if (item->batch->view.len == sizeof cursor.view)
		memcpy(cursor.view, item->batch->view.data, sizeof cursor.view);
	av_cursor_store(turn->txn, item->feed, &cursor);
}

int feed_run(struct av_turn *turn, struct av_item *item)
{
	struct feed_record record;
	bool whole = true, taken = false;
	int status = feed_record_load(turn->txn, item->feed, &record);
	if (status == AV_NOT_FOUND)
		memset(&record, 0, sizeof record);
	else if (status < 0)
		return status;
	status = follows(turn, item);
	if (status == AV_STALE) {
		item->status = AV_STALE;
		return AV_OK;
	}
	if (status < 0)
		return status;
	if (record.halted) {
		item->halted = true;
		item->halt_text = av_arena_strdup(turn->arena, record.cause);
		return item->halt_text ? AV_OK : AV_MEMORY;
	}
	for (size_t i = 0; i < item->batch->n_items && !item->halted; i++) {
		const Avvik__V1__FeedItem *feed_item = item->batch->items[i];
		if (turn->stop_after && feed_item->sequence > turn->stop_after) {
			whole = false;
			break;
		}
		status = feed_item->sequence <= record.handled ? known(turn, item->feed, &record, feed_item)
							       : AV_OK;
		if (status == AV_NOTHING)
			continue;
		if (status == AV_OK)
			status = take(turn, item, &record, feed_item);
		if (status < 0) {
			turn->crowded_at = crowded(status) ? feed_item->sequence : 0;
			turn->crowded_alone = !taken;
			return status;
		}
		taken = true;
		record.handled = feed_item->sequence;
		atomic_fetch_add_explicit(&turn->progress, 1, memory_order_relaxed);
	}
	if (whole && !item->halted) {
		record.handled = AV_MAX(record.handled, item->batch->reached->sequence);
		cursor_move(turn, item);
	}
	feed_record_store(turn->txn, item->feed, &record);
	turn->dirty = true;
	return AV_MIN(av_txn_error(turn->txn), AV_OK);
}
