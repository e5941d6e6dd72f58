/* commands.c - what is asked of notification: which notices there are, and one more try. */
#include "handlers.h"

#include <string.h>
#include "attempts_store.h"
#include "known.h"
#include "outcome.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define REPLY(name) AVVIK__V1__REPLY__BODY_##name
#define STATE(name) AVVIK__V1__NOTICE_STATE__NOTICE_STATE_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define LIMIT_DEFAULT 50
#define LIMIT_MAX 500
#define LOOKED_AT_MAX 5000 /* notices in one reply's search; then the page ends early */
#define UNREACHABLE_MAX 100

/* How a page is found: a table of notice ids, those behind a prefix. */
struct listing {
	unsigned int table;
	struct av_bytes prefix;
};

static int listing_of(struct av_ctx *ctx, const Avvik__V1__ListNotices *list, struct listing *ret_listing)
{
	if (list->case_id.len) {
		*ret_listing = (struct listing){TABLE_CASE_NOTICES, data_bytes(list->case_id)};
		return AV_OK;
	}
	if (list->person[0] != '\0') {
		/* With the NUL that ends it in the key. */
		*ret_listing = (struct listing){
			TABLE_PERSON_NOTICES, av_bytes(list->person, strlen(list->person) + 1)};
		return AV_OK;
	}
	if (list->state) {
		bool open = list->state == STATE(RETRYING);
		unsigned char *state = av_arena_alloc(ctx->arena, 1);
		if (!state)
			return AV_MEMORY;
		*state = (unsigned char)(open ? STATE(DECIDED) : list->state);
		*ret_listing = (struct listing){TABLE_STATES, av_bytes(state, 1)};
		return AV_OK;
	}
	*ret_listing = (struct listing){TABLE_NOTICES, av_bytes(NULL, 0)};
	return AV_OK;
}

/* The record, with what is known of its attempts. */
static int load_whole(struct av_ctx *ctx, const struct av_id *id, Avvik__V1__Notice **ret_notice)
{
	struct attempt attempt;
	int status = notice_load(ctx->txn, id, ctx->arena, ret_notice);
	if (status < 0)
		return status;
	Avvik__V1__Notice *notice = *ret_notice;
	if (notice->state == STATE(DECIDED) && attempt_load(ctx->txn, id, &attempt) == AV_OK) {
		notice->attempts = attempt.attempts;
		notice->next_attempt_at_ms = attempt.next_at_ms;
		if (attempt.outcome != OUTCOME_DELIVERED) {
			notice->state = STATE(RETRYING);
			notice->last_error = (char *)outcome_code(attempt.outcome);
		}
	}
	return AV_OK;
}

/* Is the case of a unit that the principal is for? One that is not placed is of none. */
static int within_units(struct av_ctx *ctx, struct av_bytes case_id, bool *ret_within)
{
	const char *codes[AV_ORG_DEPTH];
	Avvik__V1__CaseKnown *known;
	const struct av_org *org;
	*ret_within = !ctx->principal || !ctx->principal->units;
	if (*ret_within)
		return AV_OK;
	int status = case_load(ctx->txn, case_id, ctx->arena, &known);
	if (status == AV_OK)
		status = known_org(ctx->cache, ctx->txn, &org);
	if (status != AV_OK)
		return status == AV_NOT_FOUND ? AV_OK : status;
	size_t count = av_org_path(org, known->unit, codes);
	for (size_t i = 0; i < count && !*ret_within; i++)
		*ret_within = av_principal_may_unit(ctx->principal, codes[i]);
	return AV_OK;
}

/* Who asks on behalf of a person sees that person's mails alone: what others are told of a case tells what it is about. */
static bool wanted(
	const struct av_ctx *ctx, const Avvik__V1__ListNotices *list, const Avvik__V1__Notice *notice)
{
	const char *asking = ctx->command->on_behalf_of;

	if (*asking && strcmp(asking, notice->person) != 0)
		return false;
	if (list->state && notice->state != list->state)
		return false;
	return list->person[0] == '\0' || strcmp(list->person, notice->person) == 0;
}

static int take_unreachable(struct av_ctx *ctx, struct av_bytes packed, Avvik__V1__NoticesFound *found)
{
	ProtobufCMessage *nobody;
	int status = av_message_load(&avvik__v1__notice_unreachable__descriptor, packed, ctx->arena, &nobody);

	if (status == AV_OK)
		found->unreachable[found->n_unreachable++] = (Avvik__V1__NoticeUnreachable *)nobody;
	return status;
}

static int find_unreachable(struct av_ctx *ctx, struct av_bytes case_id, Avvik__V1__NoticesFound *found)
{
	unsigned char prefix[1 + AV_ID_SIZE] = {'c'};
	int status = AV_OK;

	memcpy(prefix + 1, case_id.data, AV_ID_SIZE);
	struct av_iter it =
		av_iter(ctx->txn, TABLE_UNREACHABLE, av_bytes(prefix, sizeof prefix), av_bytes(NULL, 0));
	while (status == AV_OK && found->n_unreachable < UNREACHABLE_MAX && av_iter_next(&it))
		status = take_unreachable(ctx, it.value, found);
	av_iter_end(&it);
	return status;
}

/* Of any case, as health counts them: the newest. */
static int find_recent_unreachable(struct av_ctx *ctx, Avvik__V1__NoticesFound *found)
{
	struct av_id since = id_since(ctx->now_ms - RECENT_MS);
	unsigned char from[1 + AV_ID_SIZE] = {'t'}, key[AV_KEY_MAX] = {'c'};
	struct {
		struct av_bytes tail, case_id;
	} recent[UNREACHABLE_MAX];
	size_t count = 0;
	int status = AV_OK;

	memcpy(from + 1, since.bytes, AV_ID_SIZE);
	struct av_iter it =
		av_iter(ctx->txn, TABLE_UNREACHABLE, av_bytes(from, 1), av_bytes(from, sizeof from));
	for (size_t i = 0; status == AV_OK && i < UNREACHABLE_LOOKED_AT && av_iter_next(&it); i++) {
		bool within = false;
		if (unreachable_is_reporter(it.key) || it.value.size != AV_ID_SIZE)
			continue;
		status = within_units(ctx, it.value, &within);
		if (!within)
			continue;
		recent[count % UNREACHABLE_MAX].tail =
			av_bytes((const unsigned char *)it.key.data + 1, it.key.size - 1);
		recent[count++ % UNREACHABLE_MAX].case_id = it.value;
	}
	av_iter_end(&it);
	for (size_t i = count > UNREACHABLE_MAX ? count - UNREACHABLE_MAX : 0; status == AV_OK && i < count;
		i++) {
		struct av_bytes tail = recent[i % UNREACHABLE_MAX].tail, packed;
		if (1 + AV_ID_SIZE + tail.size > sizeof key)
			continue;
		memcpy(key + 1, recent[i % UNREACHABLE_MAX].case_id.data, AV_ID_SIZE);
		memcpy(key + 1 + AV_ID_SIZE, tail.data, tail.size);
		status = av_get(
			ctx->txn, TABLE_UNREACHABLE, av_bytes(key, 1 + AV_ID_SIZE + tail.size), &packed);
		if (status == AV_OK)
			status = take_unreachable(ctx, packed, found);
		else if (status == AV_NOT_FOUND)
			status = AV_OK;
	}
	return status;
}

/* Who asks for a person or a state asks for notices; so does who asks on behalf of a person. */
static int add_unreachable(
	struct av_ctx *ctx, const Avvik__V1__ListNotices *list, Avvik__V1__NoticesFound *found)
{
	bool within = false;

	if (list->after_notice_id.len || *ctx->command->on_behalf_of)
		return AV_OK;
	found->unreachable = av_arena_alloc(ctx->arena, UNREACHABLE_MAX * sizeof *found->unreachable);
	if (!found->unreachable)
		return AV_MEMORY;
	if (!list->case_id.len)
		return list->state || *list->person ? AV_OK : find_recent_unreachable(ctx, found);
	int status = list->case_id.len == AV_ID_SIZE ? within_units(ctx, data_bytes(list->case_id), &within)
						     : AV_OK;
	return status == AV_OK && within ? find_unreachable(ctx, data_bytes(list->case_id), found) : status;
}

int on_list_notices(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ListNotices *list = (const Avvik__V1__ListNotices *)body;
	size_t limit = list->limit ? AV_MIN(list->limit, (uint32_t)LIMIT_MAX) : LIMIT_DEFAULT, looked_at = 0;
	Avvik__V1__NoticesFound *found = av_reply_body(ctx, REPLY(NOTICES_FOUND));
	unsigned char from[AV_KEY_MAX];
	struct listing listing;
	struct av_id id = {{0}};
	bool more = false;

	if (!found)
		return AV_MEMORY;
	int status = listing_of(ctx, list, &listing);
	found->notices = av_arena_alloc(ctx->arena, limit * sizeof *found->notices);
	if (status < 0 || !found->notices)
		return status < 0 ? status : AV_MEMORY;
	struct av_bytes start = av_bytes(NULL, 0);
	if (list->after_notice_id.len == AV_ID_SIZE) {
		if (listing.prefix.size)
			memcpy(from, listing.prefix.data, listing.prefix.size);
		memcpy(from + listing.prefix.size, list->after_notice_id.data, AV_ID_SIZE);
		start = av_bytes(from, listing.prefix.size + AV_ID_SIZE);
	}
	struct av_iter it = av_iter(ctx->txn, listing.table, listing.prefix, start);
	while (status == AV_OK && av_iter_next(&it)) {
		Avvik__V1__Notice *notice;
		if (av_bytes_equal(it.key, start) || it.key.size < AV_ID_SIZE)
			continue;
		if (found->n_notices == limit || looked_at++ == LOOKED_AT_MAX) {
			more = true;
			break;
		}
		memcpy(id.bytes, (const unsigned char *)it.key.data + it.key.size - AV_ID_SIZE, AV_ID_SIZE);
		status = load_whole(ctx, &id, &notice);
		bool within = false;
		if (status == AV_OK)
			status = within_units(ctx, data_bytes(notice->case_id), &within);
		if (status == AV_OK && within && wanted(ctx, list, notice))
			found->notices[found->n_notices++] = notice;
	}
	av_iter_end(&it);
	if (more)
		found->next_after_notice_id = id_data(&id, ctx->arena);
	return status == AV_OK ? add_unreachable(ctx, list, found) : status;
}

int on_retry_notice(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__RetryNotice *retry = (const Avvik__V1__RetryNotice *)body;
	struct av_id id = id_of(retry->notice_id);
	struct attempt attempt = {.attempts = 0};
	Avvik__V1__Notice *notice;

	int status = notice_load(ctx->txn, &id, ctx->arena, &notice);
	if (status == AV_NOT_FOUND)
		av_fault(&ctx->faults, FAULT(UNKNOWN_REFERENCE), "notice_id",
			"there is no such notice; list the case's notices to see their ids");
	if (status < 0)
		return status;
	if (retry->reason[0] == '\0') {
		av_fault(&ctx->faults, FAULT(REQUIRED), "reason",
			"say why it is tried again; the reason is kept");
		return AV_INVALID;
	}
	if (notice->state == STATE(DELIVERED)) {
		av_fault(&ctx->faults, FAULT(WRONG_STATE), "notice_id",
			"the notice was delivered; it is not sent again");
		return AV_CLOSED;
	}
	bool scheduled = attempt_load(ctx->txn, &id, &attempt) == AV_OK && attempt.next_at_ms != 0;
	if (notice->state == STATE(DECIDED) && !scheduled) {
		av_fault(&ctx->faults, FAULT(WRONG_STATE), "notice_id",
			"the notice is being sent at this moment; wait for its end");
		return AV_CLOSED;
	}
	Avvik__V1__NoticeRetried *retried =
		AV_NEW(ctx->arena, Avvik__V1__NoticeRetried, avvik__v1__notice_retried);
	Avvik__V1__ReasonGiven *reason = AV_NEW(ctx->arena, Avvik__V1__ReasonGiven, avvik__v1__reason_given);
	Avvik__V1__NoticeAccepted *accepted = av_reply_body(ctx, REPLY(NOTICE_ACCEPTED));
	if (!retried || !reason || !accepted)
		return AV_MEMORY;
	struct av_id case_id = id_of(notice->case_id), cause_id = id;
	reason->text = retry->reason;
	retried->notice_id = retry->notice_id;
	retried->reason = reason;
	av_emit(ctx, EVENT(NOTICE_RETRIED), retried,
		&(struct av_emit_options){.case_id = &case_id, .cause_id = &cause_id});
	accepted->notice_id = retry->notice_id;
	attempt = (struct attempt){.perhaps_sent = attempt.perhaps_sent};
	notice_schedule(ctx->txn, &id, &attempt, ctx->now_ms);
	return AV_OK;
}
