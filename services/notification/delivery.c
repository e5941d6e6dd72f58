/* delivery.c - sending, seen from the turn: what is due is claimed, what has ended is judged.
 *
 * The order that must not change: an attempt is written down and on disk before its mail leaves the loop, so
 * that after a crash it is known which mails were perhaps sent. Only then does the loop hand it to the
 * transport (outbox.c), and only the end of it comes back here. No more are claimed than are sent at a time,
 * so that few can be in doubt.
 */
#include "handlers.h"

#include <string.h>
#include "attempts_store.h"
#include "deciding.h"
#include "known.h"
#include "mail_settings.h"
#include "notice_rules.h"
#include "outcome.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define STATE(name) AVVIK__V1__NOTICE_STATE__NOTICE_STATE_##name
#define KIND(name) AVVIK__V1__NOTICE_KIND__NOTICE_KIND_##name
#define DUE_AT_ONCE 256 /* looked at in one item */

static int emit_end(
	struct av_ctx *ctx, const Avvik__V1__Notice *notice, const struct attempt *attempt, int outcome)
{
	struct av_id case_id = id_of(notice->case_id), cause_id = id_of(notice->notice_id);
	struct av_emit_options options = {.case_id = &case_id, .cause_id = &cause_id};

	if (outcome == OUTCOME_DELIVERED) {
		Avvik__V1__NoticeDelivered *delivered =
			AV_NEW(ctx->arena, Avvik__V1__NoticeDelivered, avvik__v1__notice_delivered);
		if (!delivered)
			return AV_MEMORY;
		delivered->notice_id = notice->notice_id;
		delivered->attempts = attempt->attempts;
		delivered->perhaps_twice = attempt->perhaps_sent;
		av_emit(ctx, EVENT(NOTICE_DELIVERED), delivered, &options);
		return AV_OK;
	}
	Avvik__V1__NoticeGivenUp *given_up =
		AV_NEW(ctx->arena, Avvik__V1__NoticeGivenUp, avvik__v1__notice_given_up);
	if (!given_up)
		return AV_MEMORY;
	given_up->notice_id = notice->notice_id;
	given_up->attempts = attempt->attempts;
	given_up->error = (char *)outcome_code(outcome);
	av_emit(ctx, EVENT(NOTICE_GIVEN_UP), given_up, &options);
	return AV_OK;
}

/* --- what is due --- */

/* What concerns a closed case too: by its row of the matrix, or because its deadline goes on. */
static bool outlives_closing(const Avvik__V1__RulePack *pack, const Avvik__V1__Notice *notice)
{
	for (size_t i = 0; i < pack->n_notices; i++)
		if (strcmp(pack->notices[i]->id, notice->rule) == 0 && pack->notices[i]->also_closed)
			return true;
	for (size_t i = 0; *notice->deadline && i < pack->n_deadlines; i++)
		if (strcmp(pack->deadlines[i]->id, notice->deadline) == 0)
			return pack->deadlines[i]->outlives_closing;
	return false;
}

/* After the end of a case only what closes it goes out, and what outlives it: a task that was held over the
 * night concerns nobody any more. */
static bool overtaken(struct av_ctx *ctx, const Avvik__V1__Notice *notice)
{
	const Avvik__V1__RulePack *pack = NULL;
	Avvik__V1__CaseKnown *known;

	if (notice->kind == KIND(FEEDBACK) || notice->kind == KIND(ACKNOWLEDGEMENT) ||
		strcmp(notice->event, "CaseClosed") == 0)
		return false;
	if (case_load(ctx->txn, data_bytes(notice->case_id), ctx->arena, &known) != AV_OK || !known->closed)
		return false;
	return known_pack(ctx->cache, ctx->txn, known->rules_version, &pack) != AV_OK ||
	       !outlives_closing(pack, notice);
}

static bool same_digest(const Avvik__V1__Notice *a, const Avvik__V1__Notice *b)
{
	return a->late && b->late && a->person[0] != '\0' && strcmp(a->person, b->person) == 0 &&
	       strcmp(a->channel, b->channel) == 0;
}

struct claim {
	struct av_id id;
	Avvik__V1__Notice *notice;
	bool done;
};

/* The mail of one notice, or of several late ones to the same person: what piled up during a stop comes as
 * one. */
static void begin_mail(struct av_ctx *ctx, struct claim *claims, size_t count, size_t first)
{
	struct underway *mail = av_arena_zalloc(ctx->arena, sizeof *mail);
	struct attempt attempt = {.attempts = 0};

	if (!mail) {
		av_txn_fail(ctx->txn, AV_MEMORY);
		return;
	}
	mail->leader = claims[first].id;
	mail->run = av_counter(ctx->txn, RUN_COUNTER);
	if (attempt_load(ctx->txn, &mail->leader, &attempt) < 0)
		attempt.attempts = 0;
	mail->attempt = attempt.attempts + 1;
	for (size_t i = first; i < count && mail->count < DIGEST_MAX; i++) {
		if (claims[i].done || (i != first && !same_digest(claims[first].notice, claims[i].notice)))
			continue;
		mail->members[mail->count++] = claims[i].id;
		claims[i].done = true;
	}
	underway_begin(ctx->txn, mail);
}

/* Loads what is due, behind what was loaded before, and puts aside what is not to be sent after all. */
static int load_due(
	struct av_ctx *ctx, const struct av_id *ids, size_t count, struct claim *claims, size_t *ret_count)
{
	size_t loaded = *ret_count;

	for (size_t i = 0; i < count; i++) {
		struct attempt attempt = {.attempts = 0};
		struct claim claim = {.id = ids[i]};
		int status = notice_load(ctx->txn, &ids[i], ctx->arena, &claim.notice);
		if (status < 0 && status != AV_NOT_FOUND)
			return status;
		if (status < 0 || claim.notice->state != STATE(DECIDED)) {
			notice_unschedule(ctx->txn, &ids[i]);
			continue;
		}
		if (overtaken(ctx, claim.notice)) {
			if (attempt_load(ctx->txn, &ids[i], &attempt) < 0)
				attempt.attempts = 0;
			status = emit_end(ctx, claim.notice, &attempt, OUTCOME_CASE_CLOSED);
			if (status < 0)
				return status;
			notice_unschedule(ctx->txn, &ids[i]);
			continue;
		}
		claims[loaded++] = claim;
	}
	*ret_count = loaded;
	return AV_OK;
}

static bool any_late(const struct claim *claims, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (claims[i].notice->late)
			return true;
	return false;
}

/* AV_NOTHING: nothing is due, or as many as are sent at a time are under way. */
static int claim_due(struct av_ctx *ctx)
{
	struct av_id *ids = av_arena_alloc(ctx->arena, DUE_AT_ONCE * sizeof *ids);
	struct claim *claims = av_arena_alloc(ctx->arena, DUE_AT_ONCE * sizeof *claims);
	size_t busy = av_table_count(ctx->txn, TABLE_UNDERWAY), count = 0;
	size_t most = underway_most(ctx->txn), first = busy < most ? most - busy : 0;

	if (!ids || !claims)
		return AV_MEMORY;
	size_t due = first ? schedule_due(ctx->txn, ctx->now_ms, ids, DUE_AT_ONCE) : 0;
	if (due == 0)
		return AV_NOTHING;
	/* More than there are places only where late ones may share a mail. */
	first = AV_MIN(first, due);
	int status = load_due(ctx, ids, first, claims, &count);
	if (status == AV_OK && any_late(claims, count))
		status = load_due(ctx, ids + first, due - first, claims, &count);
	for (size_t i = 0; status == AV_OK && i < count && busy < most; i++)
		if (!claims[i].done) {
			begin_mail(ctx, claims, count, i);
			busy++;
		}
	return status;
}

int on_notices_due(struct av_ctx *ctx, unsigned int limit, bool *ret_more)
{
	int status = case_events_resume(ctx, limit, ret_more);
	/* What was decided just now is scheduled, but its record follows only when this item stands: it is
	 * claimed by the next. */
	if (status != AV_NOTHING || !known_started(ctx->cache))
		return status;
	return claim_due(ctx);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a == 0 ? b : b == 0 ? a : AV_MIN(a, b);
}

int64_t notices_next_due(struct av_txn *txn)
{
	if (ready_any(txn))
		return 1;
	int64_t send_ms = av_table_count(txn, TABLE_UNDERWAY) < underway_most(txn) ? schedule_first(txn) : 0;
	return earlier(send_ms, waiting_next_look(txn));
}

/* --- what has ended --- */

static int judge(struct av_ctx *ctx, const struct av_id *id, const struct delivery_ended *ended)
{
	struct attempt attempt = {.attempts = 1};
	Avvik__V1__Notice *notice;

	int status = notice_load(ctx->txn, id, ctx->arena, &notice);
	if (status < 0 && status != AV_NOT_FOUND)
		return status;
	if (status < 0 || notice->state != STATE(DECIDED)) {
		notice_unschedule(ctx->txn, id);
		return AV_OK;
	}
	status = attempt_load(ctx->txn, id, &attempt);
	if (status < 0 && status != AV_NOT_FOUND)
		return status;
	int64_t wait_ms = notice_retry_ms(attempt.attempts);
	if (outcome_final(ended->outcome) || wait_ms < 0) {
		status = emit_end(ctx, notice, &attempt, ended->outcome);
		if (status == AV_OK)
			notice_unschedule(ctx->txn, id);
		return status;
	}
	attempt.outcome = ended->outcome;
	attempt.perhaps_sent = attempt.perhaps_sent || ended->perhaps_sent;
	notice_schedule(ctx->txn, id, &attempt, ctx->now_ms + wait_ms);
	return AV_OK;
}

static int on_ended(struct av_ctx *ctx, struct av_bytes data)
{
	struct delivery_ended ended;
	struct underway *mail = av_arena_alloc(ctx->arena, sizeof *mail);
	struct av_id leader;

	if (data.size != sizeof ended)
		return AV_INVALID;
	if (!mail)
		return AV_MEMORY;
	memcpy(&ended, data.data, sizeof ended);
	memcpy(leader.bytes, ended.leader, AV_ID_SIZE);
	int status = underway_load(ctx->txn, &leader, mail);
	if (status == AV_NOT_FOUND || (status == AV_OK && mail->attempt != ended.attempt))
		return AV_NOTHING;
	for (size_t i = 0; status == AV_OK && i < mail->count; i++)
		status = judge(ctx, &mail->members[i], &ended);
	if (status < 0)
		return status;
	underway_end(ctx->txn, &leader);
	/* The places are taken at once by those that are due, so that the transport is kept busy; half of
	 * them together, since each look costs. What is due later than this is claimed when it is due. */
	if (!known_started(ctx->cache) ||
		av_table_count(ctx->txn, TABLE_UNDERWAY) > underway_most(ctx->txn) / 2)
		return AV_OK;
	status = claim_due(ctx);
	return status == AV_NOTHING ? AV_OK : status;
}

/* --- the start --- */

/* Attempts that an earlier run left behind: nobody knows how they ended, so they are made again and counted.
 */
static void end_left_behind(struct av_ctx *ctx)
{
	struct underway *mails = av_arena_alloc(ctx->arena, UNDERWAY_MAX * sizeof *mails);
	if (!mails) {
		av_txn_fail(ctx->txn, AV_MEMORY);
		return;
	}
	size_t count = underway_all(ctx->txn, mails);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < mails[i].count; j++) {
			struct attempt attempt = {.attempts = 1};
			if (attempt_load(ctx->txn, &mails[i].members[j], &attempt) < 0)
				attempt.attempts = 1;
			attempt.perhaps_sent = true;
			notice_schedule(ctx->txn, &mails[i].members[j], &attempt, ctx->now_ms);
		}
		underway_end(ctx->txn, &mails[i].leader);
	}
}

static void schedule_again(struct av_ctx *ctx, const struct av_id *id)
{
	struct attempt attempt = {.attempts = 0};
	Avvik__V1__Notice *notice;
	int status = attempt_load(ctx->txn, id, &attempt);

	if (status == AV_OK && schedule_holds(ctx->txn, id, attempt.next_at_ms))
		return;
	if (notice_load(ctx->txn, id, ctx->arena, &notice) == AV_OK)
		notice_schedule(ctx->txn, id, &attempt,
			AV_MAX(notice->not_before_ms, attempt.attempts ? ctx->now_ms : 0));
}

/* Every open notice stands in the schedule again, also after projections were made anew from the journal. In portions:
 * there may be millions, when a server was away for long. Where it came to is kept with the run, so that another run
 * begins anew. AV_NOTHING: there are more. */
static int schedule_open(struct av_ctx *ctx, uint64_t run)
{
	unsigned char state = STATE(DECIDED), from[1 + AV_ID_SIZE], came_to[8 + AV_ID_SIZE];
	struct av_id *ids = av_arena_alloc(ctx->arena, OPEN_PORTION * sizeof *ids);
	struct av_bytes kept, after = av_bytes(NULL, 0);
	size_t count = 0;

	if (!ids)
		return AV_MEMORY;
	if (schedule_came_to(ctx->txn, &kept) == AV_OK && kept.size == sizeof came_to &&
		av_get_u64(kept.data) == run) {
		from[0] = state;
		memcpy(from + 1, (const unsigned char *)kept.data + 8, AV_ID_SIZE);
		after = av_bytes(from, sizeof from);
	}
	struct av_iter it = av_iter(ctx->txn, TABLE_STATES, av_bytes(&state, 1), after);
	while (count < OPEN_PORTION && av_iter_next(&it))
		if (it.key.size == 1 + AV_ID_SIZE &&
			!(after.size && memcmp(it.key.data, from, sizeof from) == 0))
			memcpy(ids[count++].bytes, (const unsigned char *)it.key.data + 1, AV_ID_SIZE);
	av_iter_end(&it);
	for (size_t i = 0; i < count; i++)
		schedule_again(ctx, &ids[i]);
	if (count < OPEN_PORTION) {
		schedule_arrived(ctx->txn);
		return AV_OK;
	}
	av_put_u64(came_to, run);
	memcpy(came_to + 8, ids[count - 1].bytes, AV_ID_SIZE);
	schedule_keep(ctx->txn, av_bytes(came_to, sizeof came_to));
	return AV_NOTHING;
}

/* Said by every run once, and again when what it put right may have been undone: only the first time there is
 * work. */
static int on_started(struct av_ctx *ctx, struct av_bytes data)
{
	uint64_t run = av_counter(ctx->txn, RUN_COUNTER);

	if (data.size != 8)
		return AV_INVALID;
	if (av_get_u64(data.data) == run) {
		end_left_behind(ctx);
		int status = schedule_open(ctx, run);
		if (status != AV_OK)
			return status < 0
				       ? status
				       : AV_OK; /* the next portion is asked for when this one is committed */
		underway_set_most(ctx->txn,
			ctx->settings && mail_by_smtp(ctx->settings->mail) ? UNDERWAY_SMTP : UNDERWAY_MAX);
		av_counter_set(ctx->txn, RUN_COUNTER, run + 1);
	}
	known_set_started(ctx->cache);
	return AV_OK;
}

int on_delivery(struct av_ctx *ctx, unsigned int kind, struct av_bytes data)
{
	switch (kind) {
	case INNER_STARTED:
		return on_started(ctx, data);
	case INNER_ENDED:
		return on_ended(ctx, data);
	default:
		return AV_UNSUPPORTED;
	}
}
