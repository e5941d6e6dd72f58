/* resolve.c - carries out what an administrator decided about quarantine and feeds, in the turn of the order
 */
#include <stdio.h>
#include <string.h>

#include "daemon/turn_inner.h"

const struct av_position *feed_head(const struct av_turn *turn, const char *feed)
{
	for (size_t i = 0; i < AV_COUNT(turn->heads); i++) {
		if (strcmp(turn->heads[i].feed, feed) == 0)
			return &turn->heads[i].position;
	}
	return NULL;
}

void av_turn_feed_head(struct av_turn *turn, const char *feed, const struct av_position *head)
{
	struct feed_head *entry, *place = NULL;
	for (size_t i = 0; i < AV_COUNT(turn->heads); i++) {
		entry = &turn->heads[i];
		if (strcmp(entry->feed, feed) == 0)
			place = entry;
		else if (!entry->feed[0] && !place)
			place = entry;
	}
	if (!place)
		return;
	snprintf(place->feed, sizeof place->feed, "%s", head ? feed : "");
	if (head)
		place->position = *head;
}

/* One quarantined event again. AV_OK: it is out of quarantine; AV_INVALID with the cause: it stays; else the
 * attempt fails. */
static int retry(struct av_turn *turn, const struct av_item *item, const char *feed, uint64_t sequence,
	const char **ret_cause)
{
	struct av_quarantined entry;
	Avvik__V1__FeedItem *feed_item;
	Avvik__V1__Event *event;
	int status = av_quarantine_load(turn->txn, feed, sequence, &entry);
	if (status == AV_OK)
		status = feed_item_kept(turn, &entry, &feed_item);
	if (status != AV_OK)
		return status;
	*ret_cause = "it cannot be read";
	status = feed_event_load(turn, feed_item, &event);
	if (status == AV_OK)
		status = feed_event_run(turn, item, feed, feed_item, event, true, ret_cause);
	else if (status != AV_MEMORY)
		status = AV_INVALID;
	if (status >= 0) {
		feed_item_forget(turn, feed, sequence);
		return AV_OK;
	}
	if (status != AV_INVALID)
		return status;
	status = av_quarantine_load(
		turn->txn, feed, sequence, &entry); /* what was loaded died with the handler's writes */
	if (status < 0)
		return status;
	entry.feed = feed;
	entry.item = av_bytes(av_arena_copy(turn->arena, entry.item.data, entry.item.size), entry.item.size);
	if (!entry.item.data)
		return AV_MEMORY;
	entry.waiting = false;
	entry.attempts++;
	entry.cause = av_bytes(*ret_cause, AV_MIN(strlen(*ret_cause), (size_t)QUARANTINE_CAUSE_MAX));
	av_quarantine_store(turn->txn, &entry);
	return av_txn_error(turn->txn) < 0 ? av_txn_error(turn->txn) : AV_INVALID;
}

struct waiting {
	struct av_arena *arena;
	struct av_id case_id;
	uint64_t *sequences;
	size_t count, room;
	bool failed;
};

static bool collect(void *context, const struct av_quarantined *entry)
{
	struct waiting *waiting = context;
	if (!entry->waiting || memcmp(&entry->case_id, &waiting->case_id, sizeof waiting->case_id) != 0)
		return true;
	if (waiting->count == waiting->room) {
		size_t room = waiting->room ? 2 * waiting->room : 64;
		uint64_t *grown = av_arena_alloc(waiting->arena, room * sizeof *grown);
		if (!grown) {
			waiting->failed = true;
			return false;
		}
		if (waiting->count)
			memcpy(grown, waiting->sequences, waiting->count * sizeof *grown);
		waiting->sequences = grown;
		waiting->room = room;
	}
	waiting->sequences[waiting->count++] = entry->sequence;
	return true;
}

/* Those that waited follow in order, until one of them fails. */
static int release(struct av_turn *turn, const struct av_item *item, const char *feed,
	const struct av_id *case_id, size_t *ret_count)
{
	static const struct av_id no_case;
	struct waiting waiting = {.arena = turn->arena, .case_id = *case_id};
	const char *cause;
	if (memcmp(case_id, &no_case, sizeof no_case) == 0)
		return AV_OK;
	av_quarantine_each(turn->txn, feed, collect, &waiting);
	if (waiting.failed)
		return AV_MEMORY;
	for (size_t i = 0; i < waiting.count; i++) {
		int status = retry(turn, item, feed, waiting.sequences[i], &cause);
		if (status == AV_INVALID)
			return AV_OK;
		if (status < 0)
			return status;
		++*ret_count;
	}
	return AV_OK;
}

static int unhalt(struct av_turn *turn, const char *feed, uint64_t sequence)
{
	struct feed_record record;
	int status = feed_record_load(turn->txn, feed, &record);
	if (status == AV_NOT_FOUND || (status == AV_OK && (!record.halted || record.halted_at != sequence)))
		return AV_OK;
	if (status < 0)
		return status;
	record.halted = false;
	record.halted_at = 0;
	record.cause[0] = '\0';
	feed_record_store(turn->txn, feed, &record);
	turn->feeds_resolved = true;
	return AV_OK;
}

static int resolve_quarantine(struct av_turn *turn, struct av_ctx *ctx, const struct av_item *item,
	const Avvik__V1__ResolveQuarantine *order)
{
	struct av_quarantined entry;
	const char *cause = "";
	size_t followed = 0;
	int status = av_quarantine_load(turn->txn, order->feed, order->sequence, &entry);
	if (status < 0)
		return status;
	struct av_id case_id = entry.case_id;
	bool waiting = entry.waiting;
	if (order->action == AVVIK__V1__QUARANTINE_ACTION__QUARANTINE_ACTION_DROP)
		feed_item_forget(turn, order->feed, order->sequence);
	else
		status = retry(turn, item, order->feed, order->sequence, &cause);
	if (status == AV_INVALID) {
		ctx->reply->text =
			av_arena_printf(turn->arena, "it failed again and stays in quarantine: %s", cause);
		return ctx->reply->text ? AV_OK : AV_MEMORY;
	}
	if (status == AV_OK && !waiting)
		status = release(turn, item, order->feed, &case_id, &followed);
	if (status == AV_OK)
		status = unhalt(turn, order->feed, order->sequence);
	if (status == AV_OK && followed > 0)
		ctx->reply->text =
			av_arena_printf(turn->arena, "%zu events that waited behind it followed", followed);
	return status;
}

static int accept_head(struct av_turn *turn, const char *feed, struct feed_record *record)
{
	static const struct av_id all;
	const struct av_position *head = feed_head(turn, feed);
	if (!head)
		return AV_INTERNAL;
	struct av_cursor cursor = {.position = *head};
	if (head->sequence < record->handled) {
		int status = feed_part(turn, feed, record, head->sequence);
		if (status < 0)
			return status;
	}
	if (record->halted) {
		feed_item_forget(turn, feed, record->halted_at);
		record->halted = false;
		record->cause[0] = '\0';
	}
	record->handled = head->sequence;
	feed_record_restored(record, head->sequence, &all);
	av_cursor_store(turn->txn, feed, &cursor);
	return AV_OK;
}

static int resolve_feed(struct av_turn *turn, const Avvik__V1__ResolveFeed *order)
{
	struct feed_record record;
	int status = feed_record_load(turn->txn, order->feed, &record);
	if (status == AV_NOT_FOUND)
		memset(&record, 0, sizeof record);
	else if (status < 0)
		return status;
	turn->feeds_resolved = true;
	switch ((int)order->action) {
	case AVVIK__V1__FEED_ACTION__FEED_ACTION_RESTART:
		av_cursor_forget(turn->txn, order->feed);
		return AV_OK;
	case AVVIK__V1__FEED_ACTION__FEED_ACTION_ACCEPT_HEAD:
		status = accept_head(turn, order->feed, &record);
		break;
	case AVVIK__V1__FEED_ACTION__FEED_ACTION_GO_ON:
		feed_item_forget(turn, order->feed, record.halted_at);
		record.halted = false;
		record.halted_at = 0;
		record.cause[0] = '\0';
		break;
	default:
		return AV_INTERNAL;
	}
	if (status == AV_OK)
		feed_record_store(turn->txn, order->feed, &record);
	return status;
}

int decision_run(struct av_turn *turn, struct av_ctx *ctx, const struct av_item *item)
{
	const struct decision *decision = &ctx->outcome->decision;
	int status = AV_OK;
	if (decision->quarantine)
		status = resolve_quarantine(turn, ctx, item, decision->quarantine);
	else if (decision->feed)
		status = resolve_feed(turn, decision->feed);
	return status < 0 ? status : AV_MIN(av_txn_error(turn->txn), AV_OK);
}
