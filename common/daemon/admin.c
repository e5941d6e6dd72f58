/* admin.c - the commands that every daemon answers: status, events, quarantine, feeds
 *
 * Their handlers check and journal; what they decide about quarantine and feeds is carried out by resolve.c
 * in the same item.
 */
#include <string.h>

#include "daemon/health.h"
#include "daemon/turn_inner.h"

#define EVENTS_DEFAULT 100u
#define EVENTS_MAX 1000u
#define EVENTS_BYTES_MAX (1024u * 1024)
#define QUARANTINE_LISTED_MAX 1000u

#define BODY(message) AVVIK__V1__REPLY__BODY_##message

static int on_get_status(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	AV_UNUSED(body);
	Avvik__V1__StatusFound *found = av_reply_body(ctx, BODY(STATUS_FOUND));
	return found ? status_fill(ctx, found) : AV_MEMORY;
}

/* --- events --- */

struct page {
	struct av_ctx *ctx;
	ProtobufCBinaryData *list;
	size_t count, limit, bytes;
	uint64_t last;
	bool more;
};

static int page_add(struct page *page, uint64_t sequence)
{
	struct av_bytes packed;
	int status = av_journal_read(page->ctx->txn, sequence, &packed, NULL);
	if (status < 0)
		return status == AV_NOT_FOUND ? AV_DAMAGED : status;
	if (page->count == page->limit || (page->count > 0 && page->bytes + packed.size > EVENTS_BYTES_MAX)) {
		page->more = true;
		return AV_NOTHING;
	}
	uint8_t *copy = av_arena_copy(page->ctx->arena, packed.data, packed.size);
	if (!copy)
		return AV_MEMORY;
	page->list[page->count++] = (ProtobufCBinaryData){packed.size, copy};
	page->bytes += packed.size;
	page->last = sequence;
	return AV_OK;
}

static int page_all(struct page *page, uint64_t after)
{
	struct av_position head;
	int status = av_journal_head(page->ctx->txn, &head);
	for (uint64_t at = after; status == AV_OK && at < head.sequence; at++)
		status = page_add(page, at + 1);
	return status;
}

static int page_case(struct page *page, const unsigned char *case_id, uint64_t after)
{
	unsigned char from[AV_ID_SIZE + 8];
	int status = AV_OK;
	if (after == UINT64_MAX)
		return AV_OK;
	memcpy(from, case_id, AV_ID_SIZE);
	av_put_u64(from + AV_ID_SIZE, after + 1);
	struct av_iter it = av_iter(
		page->ctx->txn, AV_TABLE_BY_CASE, av_bytes(case_id, AV_ID_SIZE), av_bytes(from, sizeof from));
	while (status == AV_OK && av_iter_next(&it))
		status = page_add(page, av_get_u64((const unsigned char *)it.key.data + AV_ID_SIZE));
	av_iter_end(&it);
	return status;
}

static int on_get_events(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__GetEvents *asked = (const Avvik__V1__GetEvents *)body;
	/* Events are of all units, and which unit an event is about is the services' business. */
	if (ctx->principal && ctx->principal->units && !(ctx->principal->rights & AV_MAY_ADMINISTER)) {
		ctx->reply->text = (char *)(uintptr_t) "events are of all units, and this system is for "
						       "some: ask for its cases";
		return AV_FORBIDDEN;
	}
	Avvik__V1__EventsFound *found = av_reply_body(ctx, BODY(EVENTS_FOUND));
	struct page page = {
		.ctx = ctx, .limit = asked->limit ? AV_MIN(asked->limit, EVENTS_MAX) : EVENTS_DEFAULT};
	page.list = av_arena_alloc(ctx->arena, page.limit * sizeof *page.list);
	if (!found || !page.list)
		return AV_MEMORY;
	int status = asked->case_id.len == AV_ID_SIZE
			     ? page_case(&page, asked->case_id.data, asked->after_sequence)
			     : page_all(&page, asked->after_sequence);
	if (status < 0)
		return status;
	found->n_events = page.count;
	found->events = page.list;
	found->next_after_sequence = page.more ? page.last : 0;
	return AV_OK;
}

/* --- quarantine --- */

struct listing {
	struct av_ctx *ctx;
	Avvik__V1__Quarantined **list;
	size_t count;
	int status;
};

static const char *event_name(const struct av_quarantined *entry, struct av_arena *arena)
{
	ProtobufCMessage *item, *event;
	if (av_message_load(&avvik__v1__feed_item__descriptor, entry->item, arena, &item) < 0)
		return "";
	ProtobufCBinaryData packed = ((Avvik__V1__FeedItem *)item)->event;
	if (av_message_load(&avvik__v1__event__descriptor, av_bytes(packed.data, packed.len), arena, &event) <
		0)
		return "";
	const ProtobufCMessage *body = av_body(event);
	return body ? body->descriptor->short_name : "";
}

static bool list_one(void *context, const struct av_quarantined *entry)
{
	struct listing *listing = context;
	struct av_arena *arena = listing->ctx->arena;
	Avvik__V1__Quarantined *item = AV_NEW(arena, Avvik__V1__Quarantined, avvik__v1__quarantined);
	static const struct av_id no_case;
	if (!item) {
		listing->status = AV_MEMORY;
		return false;
	}
	char *cause = av_arena_zalloc(arena, entry->cause.size + 1);
	item->feed = av_arena_strdup(arena, entry->feed);
	item->event = (char *)(uintptr_t)event_name(entry, arena);
	uint8_t *case_id = av_arena_copy(arena, entry->case_id.bytes, AV_ID_SIZE);
	if (!cause || !item->feed || !case_id) {
		listing->status = AV_MEMORY;
		return false;
	}
	if (entry->cause.size > 0)
		memcpy(cause, entry->cause.data, entry->cause.size);
	if (memcmp(&entry->case_id, &no_case, sizeof no_case) != 0)
		item->case_id = (ProtobufCBinaryData){AV_ID_SIZE, case_id};
	item->cause = cause;
	item->sequence = entry->sequence;
	item->attempts = entry->attempts;
	item->first_at_ms = entry->first_at_ms;
	item->waiting = entry->waiting;
	listing->list[listing->count++] = item;
	return listing->count < QUARANTINE_LISTED_MAX;
}

static int on_list_quarantine(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	AV_UNUSED(body);
	struct listing listing = {.ctx = ctx};
	Avvik__V1__QuarantineFound *found = av_reply_body(ctx, BODY(QUARANTINE_FOUND));
	listing.list = av_arena_alloc(ctx->arena, QUARANTINE_LISTED_MAX * sizeof(Avvik__V1__Quarantined *));
	if (!found || !listing.list)
		return AV_MEMORY;
	av_quarantine_each(ctx->txn, NULL, list_one, &listing);
	found->n_items = listing.count;
	found->items = listing.list;
	return listing.status;
}

static int faulty(struct av_ctx *ctx, Avvik__V1__FaultCode code, const char *path, const char *text)
{
	av_fault(&ctx->faults, code, path, "%s", text);
	return AV_INVALID;
}

static Avvik__V1__ReasonGiven *reason_of(struct av_ctx *ctx, char *text)
{
	Avvik__V1__ReasonGiven *reason = AV_NEW(ctx->arena, Avvik__V1__ReasonGiven, avvik__v1__reason_given);
	if (reason)
		reason->text = text;
	return reason;
}

static int on_resolve_quarantine(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ResolveQuarantine *order = (const Avvik__V1__ResolveQuarantine *)body;
	struct av_quarantined entry;
	bool retry = order->action == AVVIK__V1__QUARANTINE_ACTION__QUARANTINE_ACTION_RETRY;
	if (!retry && order->action != AVVIK__V1__QUARANTINE_ACTION__QUARANTINE_ACTION_DROP)
		return faulty(ctx, AVVIK__V1__FAULT_CODE__FAULT_CODE_REQUIRED, "action", "say retry or drop");
	if (!order->reason[0])
		return faulty(
			ctx, AVVIK__V1__FAULT_CODE__FAULT_CODE_REQUIRED, "reason", "say why: it is kept");
	int status = av_quarantine_load(ctx->txn, order->feed, order->sequence, &entry);
	if (status < 0)
		return status;
	if (entry.waiting && retry) {
		ctx->reply->text = (char *)(uintptr_t) "it only waits: resolve the earlier event of its "
						       "case, and it follows by itself";
		return AV_CLOSED;
	}
	static const struct av_id no_case;
	struct av_emit_options options = {
		.case_id = memcmp(&entry.case_id, &no_case, sizeof no_case) != 0 ? &entry.case_id : NULL};
	Avvik__V1__QuarantineResolved *event =
		AV_NEW(ctx->arena, Avvik__V1__QuarantineResolved, avvik__v1__quarantine_resolved);
	if (!event || !av_reply_body(ctx, BODY(RESOLVED)))
		return AV_MEMORY;
	event->feed = order->feed;
	event->sequence = order->sequence;
	event->action = order->action;
	event->reason = reason_of(ctx, order->reason);
	av_emit(ctx, AVVIK__V1__EVENT__BODY_QUARANTINE_RESOLVED, event, &options);
	ctx->outcome->decision.quarantine = order;
	return AV_OK;
}

/* --- feeds --- */

static bool consumes(const struct av_service *service, const char *feed)
{
	for (size_t i = 0; i < service->event_count; i++) {
		if (strcmp(service->events[i].feed, feed) == 0)
			return true;
	}
	return false;
}

static Avvik__V1__Cursor *cursor_message(struct av_ctx *ctx, const struct av_position *position)
{
	Avvik__V1__Cursor *cursor = AV_NEW(ctx->arena, Avvik__V1__Cursor, avvik__v1__cursor);
	struct av_position *copy = av_arena_copy(ctx->arena, position, sizeof *position);
	if (!cursor || !copy)
		return NULL;
	cursor->epoch_id = id_binary(&copy->epoch);
	cursor->sequence = copy->sequence;
	cursor->chain_hash = (ProtobufCBinaryData){AV_CHAIN_SIZE, copy->hash};
	return cursor;
}

static int on_resolve_feed(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ResolveFeed *order = (const Avvik__V1__ResolveFeed *)body;
	const struct av_turn *turn = ctx->outcome->turn;
	struct av_cursor cursor = {0};
	struct feed_record record;
	const struct av_position *head = &cursor.position;
	if (!order->action)
		return faulty(ctx, AVVIK__V1__FAULT_CODE__FAULT_CODE_REQUIRED, "action",
			"say restart, accept_head or go_on");
	if (!order->reason[0])
		return faulty(
			ctx, AVVIK__V1__FAULT_CODE__FAULT_CODE_REQUIRED, "reason", "say why: it is kept");
	if (!consumes(ctx->outcome->service, order->feed))
		return AV_NOT_FOUND;
	int status = av_cursor_load(ctx->txn, order->feed, &cursor);
	if (status < 0 && status != AV_NOT_FOUND)
		return status;
	if (order->action == AVVIK__V1__FEED_ACTION__FEED_ACTION_GO_ON) {
		if (feed_record_load(ctx->txn, order->feed, &record) < 0 || !record.halted) {
			ctx->reply->text = (char *)(uintptr_t) "no event halts this feed";
			return AV_CLOSED;
		}
	} else if (order->action == AVVIK__V1__FEED_ACTION__FEED_ACTION_ACCEPT_HEAD) {
		head = turn ? feed_head(turn, order->feed) : NULL;
		if (!head) {
			ctx->reply->text = (char *)(uintptr_t) "the producer has not refused this daemon's "
							       "position: nothing to accept";
			return AV_CLOSED;
		}
	}
	Avvik__V1__FeedResolved *event =
		AV_NEW(ctx->arena, Avvik__V1__FeedResolved, avvik__v1__feed_resolved);
	if (!event || !av_reply_body(ctx, BODY(RESOLVED)))
		return AV_MEMORY;
	event->feed = order->feed;
	event->action = order->action;
	event->reason = reason_of(ctx, order->reason);
	event->cursor = cursor_message(ctx, head);
	av_emit(ctx, AVVIK__V1__EVENT__BODY_FEED_RESOLVED, event, NULL);
	ctx->outcome->decision.feed = order;
	return AV_OK;
}

const struct av_command_row common_commands[] = {
	/* clang-format off */
	/* message                                          kind      who may call                    flags       handler                emits */
	{ AVVIK__V1__COMMAND__BODY_GET_STATUS,              AV_QUERY, AV_MAY_STATUS | AV_MAY_ADMINISTER, 0,       on_get_status,         "" },
	{ AVVIK__V1__COMMAND__BODY_GET_EVENTS,              AV_QUERY, AV_MAY_QUERY | AV_MAY_ADMINISTER, 0,        on_get_events,         "" },
	{ AVVIK__V1__COMMAND__BODY_LIST_QUARANTINE,         AV_QUERY, AV_MAY_ADMINISTER,              0,          on_list_quarantine,    "" },
	{ AVVIK__V1__COMMAND__BODY_RESOLVE_QUARANTINE,      AV_ORDER, AV_MAY_ADMINISTER,              AV_AT_FULL, on_resolve_quarantine, "QuarantineResolved" },
	{ AVVIK__V1__COMMAND__BODY_RESOLVE_FEED,            AV_ORDER, AV_MAY_ADMINISTER,              AV_AT_FULL, on_resolve_feed,       "FeedResolved" },
}; /* clang-format on */
const size_t common_command_count = AV_COUNT(common_commands);
