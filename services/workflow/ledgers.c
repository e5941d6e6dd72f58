/* ledgers.c - what the facts of a case do to its deadlines, as events
 *
 * Each fact ends what it meets, then stops or lets go on, then starts what it starts. A rule starts once per
 * case (per measure when it says so), or again after it has ended when the rule says so. While it is open,
 * its anchor may move: to an earlier time of the same fact, or to another planned day. Then, and when a day
 * that has been spoken of lies ahead again, another deadline takes its place. A deadline that is set and met
 * by one item is told as both.
 */
#include "workflow.h"

#include <string.h>

int ledgers_load(struct ledgers *ledgers)
{
	int status = deadlines_load(
		ledgers->ctx->txn, &ledgers->case_id, ledgers->ctx->arena, &ledgers->items, &ledgers->count);
	ledgers->room = status == AV_OK ? ledgers->count : 0;
	return status;
}

static bool same_measure(ProtobufCBinaryData a, const ProtobufCBinaryData *b)
{
	return b ? a.len == b->len && a.len && memcmp(a.data, b->data, a.len) == 0 : a.len == 0;
}

const Avvik__V1__DeadlineRule *ledgers_rule(const struct ledgers *ledgers, const char *id)
{
	for (size_t i = 0; ledgers->pack && i < ledgers->pack->rules->n_deadlines; i++)
		if (strcmp(ledgers->pack->rules->deadlines[i]->id, id) == 0)
			return ledgers->pack->rules->deadlines[i];
	return NULL;
}

static struct av_emit_options options_of(
	const struct ledgers *ledgers, int64_t occurred_at_ms, const struct av_id *because)
{
	return (struct av_emit_options){.case_id = &ledgers->case_id,
		.occurred_at_ms = occurred_at_ms,
		.cause_id = because,
		.person = ledgers->taken_over_from ? "" : NULL,
		.taken_over_from = ledgers->taken_over_from};
}

static int tell_met(
	struct ledgers *ledgers, Avvik__V1__Deadline *ledger, int64_t at_ms, const struct av_id *because)
{
	Avvik__V1__DeadlineMet *met =
		AV_NEW(ledgers->ctx->arena, Avvik__V1__DeadlineMet, avvik__v1__deadline_met);
	struct deadline_judgement judgement = deadline_judge(ledger, at_ms);
	struct av_emit_options options = options_of(ledgers, at_ms, because);

	if (!met)
		return AV_MEMORY;
	met->deadline_id = ledger->deadline_id;
	met->rule = ledger->rule;
	met->acted_at_ms = at_ms;
	met->late = judgement.late;
	met->recorded_late = judgement.recorded_late;
	met->measure_id = ledger->measure_id;
	av_emit(ledgers->ctx, AVVIK__V1__EVENT__BODY_DEADLINE_MET, met, &options);
	ledger->state = judgement.late ? AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_MET_LATE
				       : AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_MET;
	ledger->ended_at_ms = at_ms;
	return AV_OK;
}

static int tell_cancelled(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, Avvik__V1__Anchor because_of,
	int64_t at_ms, const struct av_id *because)
{
	Avvik__V1__DeadlineCancelled *cancelled =
		AV_NEW(ledgers->ctx->arena, Avvik__V1__DeadlineCancelled, avvik__v1__deadline_cancelled);
	struct av_emit_options options = options_of(ledgers, at_ms, because);
	bool superseded = because_of == AVVIK__V1__ANCHOR__ANCHOR_SUPERSEDED;

	if (!cancelled)
		return AV_MEMORY;
	cancelled->deadline_id = ledger->deadline_id;
	cancelled->rule = ledger->rule;
	cancelled->because = because_of;
	cancelled->measure_id = ledger->measure_id;
	cancelled->overdue_fired = deadline_overdue_known(ledger);
	cancelled->superseded_by = ledger->superseded_by;
	av_emit(ledgers->ctx, AVVIK__V1__EVENT__BODY_DEADLINE_CANCELLED, cancelled, &options);
	if (deadline_open(ledger))
		ledger->ended_at_ms = at_ms;
	ledger->state = superseded ? AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_SUPERSEDED
				   : AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_CANCELLED;
	return AV_OK;
}

static int keep(struct ledgers *ledgers, Avvik__V1__Deadline *ledger)
{
	if (ledgers->count == ledgers->room) {
		size_t room = ledgers->room + 8;
		Avvik__V1__Deadline **items = av_arena_alloc(ledgers->ctx->arena, room * sizeof(*items));
		if (!items)
			return AV_MEMORY;
		if (ledgers->count)
			memcpy(items, ledgers->items, ledgers->count * sizeof(*items));
		ledgers->items = items;
		ledgers->room = room;
	}
	ledgers->items[ledgers->count++] = ledger;
	return AV_OK;
}

static int tell_set(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, const struct av_id *because)
{
	Avvik__V1__DeadlineSet *set =
		AV_NEW(ledgers->ctx->arena, Avvik__V1__DeadlineSet, avvik__v1__deadline_set);
	struct av_emit_options options = options_of(ledgers, 0, because);

	if (!set)
		return AV_MEMORY;
	set->deadline = av_arena_copy(ledgers->ctx->arena, ledger, sizeof(*ledger)); /* as it is now */
	if (!set->deadline)
		return AV_MEMORY;
	av_emit(ledgers->ctx, AVVIK__V1__EVENT__BODY_DEADLINE_SET, set, &options);
	return keep(ledgers, ledger);
}

static int start(struct ledgers *ledgers, const Avvik__V1__DeadlineRule *rule, int64_t at_ms,
	const ProtobufCBinaryData *measure_id, const struct av_id *because)
{
	struct av_arena *arena = ledgers->ctx->arena;
	Avvik__V1__Deadline *ledger = AV_NEW(arena, Avvik__V1__Deadline, avvik__v1__deadline);
	struct av_id id = av_ctx_id(ledgers->ctx);
	int status;

	if (!ledger)
		return AV_MEMORY;
	ledger->deadline_id = id_data(&id, arena);
	ledger->case_id = id_data(&ledgers->case_id, arena);
	ledger->rules_version = ledgers->pack->rules->version;
	if (measure_id)
		ledger->measure_id = *measure_id;
	ledger->anchor_event_id = id_data(because, arena);
	ledger->unit_code = (char *)ledgers->unit;
	ledger->number = (char *)ledgers->number;
	status = deadline_set(rule, &ledgers->pack->calendar, at_ms, ledgers->ctx->now_ms, arena, ledger);
	if (status == AV_OK && ledgers->taken_over_from)
		deadline_pass_over(ledger, ledgers->ctx->now_ms);
	return status == AV_OK ? tell_set(ledgers, ledger, because) : status;
}

/* Another in its place, planned as `ledger` says it is to be; what it has said of the past stays said. */
static int supersede(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, const Avvik__V1__Deadline *planned,
	const struct av_id *because)
{
	struct av_arena *arena = ledgers->ctx->arena;
	Avvik__V1__Deadline *next = av_arena_copy(arena, planned, sizeof(*planned));
	struct av_id id = av_ctx_id(ledgers->ctx);
	int status;

	if (!next)
		return AV_MEMORY;
	next->deadline_id = id_data(&id, arena);
	next->supersedes = ledger->deadline_id;
	deadline_forget_ahead(next, ledgers->ctx->now_ms);
	ledger->superseded_by = next->deadline_id;
	status = tell_cancelled(
		ledgers, ledger, AVVIK__V1__ANCHOR__ANCHOR_SUPERSEDED, ledgers->ctx->now_ms, because);
	return status == AV_OK ? tell_set(ledgers, next, because) : status;
}

int ledgers_replan(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, int64_t due_before_ms,
	const struct av_id *because)
{
	struct av_arena *arena = ledgers->ctx->arena;
	const Avvik__V1__DeadlineRule *rule = ledgers_rule(ledgers, ledger->rule);
	Avvik__V1__DeadlineReplanned *replanned =
		AV_NEW(arena, Avvik__V1__DeadlineReplanned, avvik__v1__deadline_replanned);
	Avvik__V1__Deadline *planned = av_arena_copy(arena, ledger, sizeof(*ledger));
	struct av_emit_options options = options_of(ledgers, 0, because);
	int status;

	if (!rule || !replanned || !planned)
		return rule ? AV_MEMORY : AV_NOT_FOUND;
	status = deadline_replan(rule, &ledgers->pack->calendar, ledgers->ctx->now_ms, arena, planned);
	if (status != AV_OK)
		return status;
	planned->rules_version = ledgers->pack->rules->version;
	if (deadline_speaks_again(planned, ledgers->ctx->now_ms))
		return supersede(ledgers, ledger, planned, because);
	*ledger = *planned;
	replanned->deadline = planned; /* as it is now */
	replanned->due_before_ms = due_before_ms;
	av_emit(ledgers->ctx, AVVIK__V1__EVENT__BODY_DEADLINE_REPLANNED, replanned, &options);
	return AV_OK;
}

int ledgers_stop(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, const char *reason, int64_t at_ms,
	Avvik__V1__ContentRef *content, const struct av_id *because)
{
	Avvik__V1__DeadlineStopped *stopped =
		AV_NEW(ledgers->ctx->arena, Avvik__V1__DeadlineStopped, avvik__v1__deadline_stopped);
	struct av_emit_options options = options_of(ledgers, at_ms, because);

	if (!stopped)
		return AV_MEMORY;
	stopped->deadline_id = ledger->deadline_id;
	stopped->rule = ledger->rule;
	stopped->measure_id = ledger->measure_id;
	stopped->reason = (char *)reason;
	stopped->content = content;
	av_emit(ledgers->ctx, AVVIK__V1__EVENT__BODY_DEADLINE_STOPPED, stopped, &options);
	ledgers->case_events++;
	return deadline_stop(ledger, reason, at_ms, ledgers->ctx->arena);
}

int ledgers_resume(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, int64_t at_ms,
	Avvik__V1__ContentRef *content, const struct av_id *because)
{
	Avvik__V1__DeadlineResumed *resumed =
		AV_NEW(ledgers->ctx->arena, Avvik__V1__DeadlineResumed, avvik__v1__deadline_resumed);
	struct av_emit_options options = options_of(ledgers, at_ms, because);
	struct av_id id;

	if (!resumed)
		return AV_MEMORY;
	resumed->deadline_id = ledger->deadline_id;
	resumed->rule = ledger->rule;
	resumed->measure_id = ledger->measure_id;
	resumed->content = content;
	id = av_emit(ledgers->ctx, AVVIK__V1__EVENT__BODY_DEADLINE_RESUMED, resumed, &options);
	ledgers->case_events++;
	deadline_resume(ledger, at_ms);
	return ledgers_replan(ledgers, ledger, 0, &id);
}

int ledgers_extend(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, uint32_t count,
	Avvik__V1__ContentRef *content, int64_t at_ms)
{
	Avvik__V1__DeadlineExtended *extended =
		AV_NEW(ledgers->ctx->arena, Avvik__V1__DeadlineExtended, avvik__v1__deadline_extended);
	struct av_emit_options options = options_of(ledgers, at_ms, NULL);
	struct av_id id;

	if (!extended)
		return AV_MEMORY;
	extended->deadline_id = ledger->deadline_id;
	extended->rule = ledger->rule;
	extended->measure_id = ledger->measure_id;
	extended->count = count;
	extended->content = content;
	id = av_emit(ledgers->ctx, AVVIK__V1__EVENT__BODY_DEADLINE_EXTENDED, extended, &options);
	ledgers->case_events++;
	ledger->extended += count;
	return ledgers_replan(ledgers, ledger, ledger->due_at_ms, &id);
}

/* --- facts --- */

/* The last one of a rule (and measure) that no other has taken the place of; NULL: it has never started. */
static Avvik__V1__Deadline *started(const struct ledgers *ledgers, const Avvik__V1__DeadlineRule *rule,
	const ProtobufCBinaryData *measure_id)
{
	for (size_t i = ledgers->count; i-- > 0;)
		if (strcmp(ledgers->items[i]->rule, rule->id) == 0 &&
			same_measure(ledgers->items[i]->measure_id, measure_id) &&
			ledgers->items[i]->state != AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_SUPERSEDED)
			return ledgers->items[i];
	return NULL;
}

/* The first time of a fact holds; of a planned day the last that was said. */
static bool moves_anchor(const Avvik__V1__Deadline *ledger, Avvik__V1__Anchor fact, int64_t at_ms)
{
	return fact == AVVIK__V1__ANCHOR__ANCHOR_MEASURE_PLANNED_END ? at_ms != ledger->anchor_at_ms
								     : at_ms < ledger->anchor_at_ms;
}

int ledgers_move(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, int64_t at_ms,
	const struct av_id *told_by, const struct av_id *because)
{
	const Avvik__V1__DeadlineRule *rule = ledgers_rule(ledgers, ledger->rule);
	Avvik__V1__Deadline *planned = av_arena_copy(ledgers->ctx->arena, ledger, sizeof(*ledger));
	int status;

	if (!rule || !planned)
		return rule ? AV_MEMORY : AV_NOT_FOUND;
	planned->anchor_at_ms = at_ms;
	if (told_by)
		planned->anchor_event_id = id_data(told_by, ledgers->ctx->arena);
	status = deadline_replan(
		rule, &ledgers->pack->calendar, ledgers->ctx->now_ms, ledgers->ctx->arena, planned);
	return status == AV_OK ? supersede(ledgers, ledger, planned, because) : status;
}

int ledgers_again(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, const struct av_id *because)
{
	struct av_arena *arena = ledgers->ctx->arena;
	const Avvik__V1__DeadlineRule *rule = ledgers_rule(ledgers, ledger->rule);
	Avvik__V1__Deadline *planned = av_arena_copy(arena, ledger, sizeof(*ledger));
	int status;

	if (!rule || !planned)
		return rule ? AV_MEMORY : AV_NOT_FOUND;
	deadline_unend(planned);
	deadline_adopt(rule, planned);
	planned->rules_version = ledgers->pack->rules->version;
	status = deadline_replan(rule, &ledgers->pack->calendar, ledgers->ctx->now_ms, arena, planned);
	if (status != AV_OK)
		return status;
	deadline_pass_over(planned, ledgers->ctx->now_ms);
	return supersede(ledgers, ledger, planned, because);
}

static int start_fact(struct ledgers *ledgers, const Avvik__V1__DeadlineRule *rule, Avvik__V1__Anchor fact,
	int64_t at_ms, const ProtobufCBinaryData *measure_id, const struct av_id *because)
{
	Avvik__V1__Deadline *last = started(ledgers, rule, measure_id);

	if (!last || (rule->again && !deadline_open(last)))
		return start(ledgers, rule, at_ms, measure_id, because);
	if (deadline_running(last) && moves_anchor(last, fact, at_ms))
		return ledgers_move(ledgers, last, at_ms, because, because);
	return AV_OK;
}

/* Is it the fact that ends the stop under way? */
static bool goes_on(
	const Avvik__V1__DeadlineRule *rule, const Avvik__V1__Deadline *ledger, Avvik__V1__Anchor fact)
{
	const Avvik__V1__StopRule *stop =
		ledger->n_stops ? deadline_stop_rule(rule, ledger->stops[ledger->n_stops - 1]->reason) : NULL;
	return stop && stop->until == fact;
}

/* A fact that is told later than another stop or start of the ledger changes nothing of it. */
static int stop_fact(struct ledgers *ledgers, Avvik__V1__Deadline *ledger,
	const Avvik__V1__DeadlineRule *rule, Avvik__V1__Anchor fact, int64_t at_ms,
	const struct av_id *because)
{
	if (deadline_stopped(ledger) && goes_on(rule, ledger, fact))
		return deadline_may_resume(ledger, at_ms) == DEADLINE_MAY
			       ? ledgers_resume(ledgers, ledger, at_ms, NULL, because)
			       : AV_OK;
	for (size_t i = 0; i < rule->n_stops; i++)
		if (rule->stops[i]->from == fact &&
			deadline_may_stop(ledger, rule->stops[i], at_ms) == DEADLINE_MAY)
			return ledgers_stop(ledgers, ledger, rule->stops[i]->reason, at_ms, NULL, because);
	return AV_OK;
}

static int touch(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, const Avvik__V1__DeadlineRule *rule,
	Avvik__V1__Anchor fact, int64_t at_ms, const struct av_id *because)
{
	switch (deadline_effect(rule, fact)) {
	case DEADLINE_MET:
		return tell_met(ledgers, ledger, at_ms, because);
	case DEADLINE_CANCELLED:
		return tell_cancelled(ledgers, ledger, fact, at_ms, because);
	default:
		return stop_fact(ledgers, ledger, rule, fact, at_ms, because);
	}
}

/* A judgement of a measure's effect answers one check; the others wait for theirs. */
static bool another_check(
	const struct ledgers *ledgers, const Avvik__V1__DeadlineRule *rule, Avvik__V1__Anchor fact)
{
	return fact == AVVIK__V1__ANCHOR__ANCHOR_MEASURE_EVALUATED && ledgers->check &&
	       strcmp(ledgers->check, rule->id) != 0;
}

int ledgers_fact(struct ledgers *ledgers, Avvik__V1__Anchor fact, int64_t at_ms,
	const ProtobufCBinaryData *measure_id, const struct av_id *because)
{
	size_t count = ledgers->count; /* one that takes another's place has heard of the fact */
	int status = AV_OK;

	for (size_t i = 0; status == AV_OK && i < count; i++) {
		Avvik__V1__Deadline *ledger = ledgers->items[i];
		const Avvik__V1__DeadlineRule *rule =
			deadline_open(ledger) ? ledgers_rule(ledgers, ledger->rule) : NULL;

		if (rule && (!rule->per_measure || same_measure(ledger->measure_id, measure_id)) &&
			!another_check(ledgers, rule, fact))
			status = touch(ledgers, ledger, rule, fact, at_ms, because);
	}
	for (size_t i = 0; status == AV_OK && ledgers->pack && i < ledgers->pack->rules->n_deadlines; i++) {
		const Avvik__V1__DeadlineRule *rule = ledgers->pack->rules->deadlines[i];

		if (rule->starts == fact && deadline_concerns(rule, ledgers->kind))
			status = start_fact(
				ledgers, rule, fact, at_ms, rule->per_measure ? measure_id : NULL, because);
	}
	return status;
}

int ledgers_cancel(
	struct ledgers *ledgers, bool foreign, Avvik__V1__Anchor because_of, const struct av_id *because)
{
	int status = AV_OK;

	for (size_t i = 0; status == AV_OK && i < ledgers->count; i++) {
		Avvik__V1__Deadline *ledger = ledgers->items[i];
		const Avvik__V1__DeadlineRule *rule = ledgers_rule(ledgers, ledger->rule);
		bool stays =
			rule && (foreign ? deadline_concerns(rule, ledgers->kind) : rule->outlives_closing);

		if (deadline_open(ledger) && !stays)
			status = tell_cancelled(ledgers, ledger, because_of, ledgers->ctx->now_ms, because);
	}
	return status;
}
