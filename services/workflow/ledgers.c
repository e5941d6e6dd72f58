/* ledgers.c - what the facts of a case do to its deadlines, as events
 *
 * Each fact ends what it meets before it starts what it starts. A rule starts once per case (per measure when
 * it says so): the first anchor holds, whatever comes later. A deadline that is set and met by one item is
 * told as both.
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

static const Avvik__V1__DeadlineRule *rule_of(const struct ledgers *ledgers, const char *id)
{
	for (size_t i = 0; ledgers->pack && i < ledgers->pack->rules->n_deadlines; i++)
		if (strcmp(ledgers->pack->rules->deadlines[i]->id, id) == 0)
			return ledgers->pack->rules->deadlines[i];
	return NULL;
}

static struct av_emit_options options_of(
	const struct ledgers *ledgers, int64_t occurred_at_ms, const struct av_id *because)
{
	return (struct av_emit_options){
		.case_id = &ledgers->case_id, .occurred_at_ms = occurred_at_ms, .cause_id = because};
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
	return AV_OK;
}

static int tell_cancelled(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, Avvik__V1__Anchor because_of,
	int64_t at_ms, const struct av_id *because)
{
	Avvik__V1__DeadlineCancelled *cancelled =
		AV_NEW(ledgers->ctx->arena, Avvik__V1__DeadlineCancelled, avvik__v1__deadline_cancelled);
	struct av_emit_options options = options_of(ledgers, at_ms, because);

	if (!cancelled)
		return AV_MEMORY;
	cancelled->deadline_id = ledger->deadline_id;
	cancelled->rule = ledger->rule;
	cancelled->because = because_of;
	cancelled->measure_id = ledger->measure_id;
	cancelled->overdue_fired = deadline_overdue_fired(ledger);
	av_emit(ledgers->ctx, AVVIK__V1__EVENT__BODY_DEADLINE_CANCELLED, cancelled, &options);
	ledger->state = AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_CANCELLED;
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

static int start(struct ledgers *ledgers, const Avvik__V1__DeadlineRule *rule, int64_t at_ms,
	const ProtobufCBinaryData *measure_id, const struct av_id *because)
{
	struct av_arena *arena = ledgers->ctx->arena;
	Avvik__V1__DeadlineSet *set = AV_NEW(arena, Avvik__V1__DeadlineSet, avvik__v1__deadline_set);
	Avvik__V1__Deadline *ledger = AV_NEW(arena, Avvik__V1__Deadline, avvik__v1__deadline);
	struct av_emit_options options = options_of(ledgers, 0, because);
	struct av_id id;
	int status;

	if (!set || !ledger)
		return AV_MEMORY;
	id = av_ctx_id(ledgers->ctx);
	ledger->deadline_id = id_data(&id, arena);
	ledger->case_id = id_data(&ledgers->case_id, arena);
	ledger->rules_version = ledgers->pack->rules->version;
	if (measure_id)
		ledger->measure_id = *measure_id;
	ledger->anchor_event_id = id_data(because, arena);
	ledger->unit_code = (char *)ledgers->unit;
	ledger->number = (char *)ledgers->number;
	status = deadline_set(rule, &ledgers->pack->calendar, at_ms, ledgers->ctx->now_ms, arena, ledger);
	if (status != AV_OK)
		return status;
	set->deadline = ledger;
	av_emit(ledgers->ctx, AVVIK__V1__EVENT__BODY_DEADLINE_SET, set, &options);
	return keep(ledgers, ledger);
}

static bool started(const struct ledgers *ledgers, const Avvik__V1__DeadlineRule *rule,
	const ProtobufCBinaryData *measure_id)
{
	for (size_t i = 0; i < ledgers->count; i++)
		if (strcmp(ledgers->items[i]->rule, rule->id) == 0 &&
			same_measure(ledgers->items[i]->measure_id, measure_id))
			return true;
	return false;
}

int ledgers_fact(struct ledgers *ledgers, Avvik__V1__Anchor fact, int64_t at_ms,
	const ProtobufCBinaryData *measure_id, const struct av_id *because)
{
	int status = AV_OK;

	for (size_t i = 0; status == AV_OK && i < ledgers->count; i++) {
		Avvik__V1__Deadline *ledger = ledgers->items[i];
		const Avvik__V1__DeadlineRule *rule =
			deadline_running(ledger) ? rule_of(ledgers, ledger->rule) : NULL;
		enum deadline_effect effect = rule ? deadline_effect(rule, fact) : DEADLINE_UNTOUCHED;

		if (effect == DEADLINE_UNTOUCHED ||
			(rule->per_measure && !same_measure(ledger->measure_id, measure_id)))
			continue;
		status = effect == DEADLINE_MET ? tell_met(ledgers, ledger, at_ms, because)
						: tell_cancelled(ledgers, ledger, fact, at_ms, because);
	}
	for (size_t i = 0; status == AV_OK && ledgers->pack && i < ledgers->pack->rules->n_deadlines; i++) {
		const Avvik__V1__DeadlineRule *rule = ledgers->pack->rules->deadlines[i];
		const ProtobufCBinaryData *of = rule->per_measure ? measure_id : NULL;

		if (rule->starts == fact && deadline_concerns(rule, ledgers->kind) &&
			!started(ledgers, rule, of))
			status = start(ledgers, rule, at_ms, of, because);
	}
	return status;
}

int ledgers_cancel(
	struct ledgers *ledgers, bool foreign, Avvik__V1__Anchor because_of, const struct av_id *because)
{
	int status = AV_OK;

	for (size_t i = 0; status == AV_OK && i < ledgers->count; i++) {
		Avvik__V1__Deadline *ledger = ledgers->items[i];
		const Avvik__V1__DeadlineRule *rule = rule_of(ledgers, ledger->rule);

		if (deadline_running(ledger) && !(foreign && rule && deadline_concerns(rule, ledgers->kind)))
			status = tell_cancelled(ledgers, ledger, because_of, ledgers->ctx->now_ms, because);
	}
	return status;
}
