/* due.c - what time brings: rungs that fire, and cases that what was published concerns
 *
 * The earliest key of the table of rungs is the next instant; nothing here grows with the number of
 * deadlines. All rungs of a deadline whose time has passed fire in one item, each once, ever: after a stop or
 * a jump of the clock they are marked late.
 */
#include "workflow.h"

#include <string.h>

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name

static const char *responsible_of(const Avvik__V1__Case *found, const Avvik__V1__Deadline *ledger)
{
	const Avvik__V1__Measure *measure =
		case_measure(found, ledger->measure_id.data, ledger->measure_id.len);
	return ledger->measure_id.len && measure ? measure->responsible : "";
}

static int fire(struct av_ctx *ctx, const Avvik__V1__Case *found, const Avvik__V1__Deadline *ledger,
	size_t rung, const struct av_id *case_id)
{
	Avvik__V1__RungFired *fired = AV_NEW(ctx->arena, Avvik__V1__RungFired, avvik__v1__rung_fired);
	Avvik__V1__RungPlanned *planned = ledger->rungs[rung];
	struct av_id trace = id_of(found->trace_id);
	struct av_emit_options options = {
		.case_id = case_id, .trace_id = found->trace_id.len ? &trace : NULL};

	if (!fired)
		return AV_MEMORY;
	fired->deadline_id = ledger->deadline_id;
	fired->rule = ledger->rule;
	fired->rung = (uint32_t)rung;
	fired->kind = planned->kind;
	fired->planned_at_ms = planned->at_ms;
	fired->late = deadline_rung_late(planned, ctx->now_ms);
	fired->to = planned->to;
	fired->n_to = planned->n_to;
	fired->statutory = ledger->statutory;
	fired->due_on = ledger->due_on;
	fired->due_at_ms = ledger->due_at_ms;
	fired->measure_id = ledger->measure_id;
	fired->responsible = (char *)responsible_of(found, ledger);
	av_emit(ctx, EVENT(RUNG_FIRED), fired, &options);
	planned->fired_at_ms = ctx->now_ms; /* of this copy, so that the next rung is found */
	return AV_OK;
}

/* Fires all rungs of one deadline that are due. */
static int fire_deadline(struct av_ctx *ctx, const struct av_id *case_id, const struct av_id *deadline_id)
{
	Avvik__V1__Deadline *ledger;
	Avvik__V1__Case *found;
	int64_t at_ms;
	size_t rung;
	int status = deadline_load(ctx->txn, case_id, deadline_id, ctx->arena, &ledger);

	if (status == AV_OK)
		status = case_load(ctx->txn, case_id, ctx->arena, &found);
	while (status == AV_OK && deadline_next_rung(ledger, &rung, &at_ms) && at_ms <= ctx->now_ms)
		status = fire(ctx, found, ledger, rung, case_id);
	return status == AV_NOT_FOUND ? AV_DAMAGED : status;
}

static int fire_rungs(struct av_ctx *ctx, unsigned int limit, bool *ret_more)
{
	struct av_iter it = av_iter(ctx->txn, TABLE_RUNGS, av_bytes(NULL, 0), av_bytes(NULL, 0));
	int status = AV_OK;

	while (status == AV_OK && av_iter_next(&it)) {
		struct av_id case_id, deadline_id;

		if (it.key.size != 8 + AV_ID_SIZE || it.value.size != 1 + AV_ID_SIZE) {
			status = AV_DAMAGED;
			break;
		}
		if (av_get_u64(it.key.data) > (uint64_t)ctx->now_ms)
			break;
		if (av_emitted(ctx) >= limit) {
			*ret_more = true;
			break;
		}
		memcpy(deadline_id.bytes, (const char *)it.key.data + 8, AV_ID_SIZE);
		memcpy(case_id.bytes, (const char *)it.value.data + 1, AV_ID_SIZE);
		status = fire_deadline(ctx, &case_id, &deadline_id);
	}
	av_iter_end(&it);
	return status;
}

/* What is done to a case without anybody's act. */
struct work {
	struct av_ctx *ctx;
	const Avvik__V1__Case *found;
	struct workflow_view view;
	struct ledgers ledgers;
	struct av_id trace;
	struct av_emit_options options;
};

static int work_begin(
	struct work *work, struct av_ctx *ctx, const Avvik__V1__Case *found, const struct av_id *case_id)
{
	*work = (struct work){.ctx = ctx,
		.found = found,
		.trace = id_of(found->trace_id),
		.ledgers = {.ctx = ctx,
			.case_id = *case_id,
			.kind = found->kind,
			.unit = found->unit,
			.number = found->number}};
	work->options = (struct av_emit_options){
		.case_id = case_id, .trace_id = found->trace_id.len ? &work->trace : NULL};
	return workflow_view(ctx, &work->view);
}

/* The case is where its reporter said it is; or it is there, and is found to be a private provider's. */
static int work_placed(struct work *work, bool information)
{
	const Avvik__V1__Case *found = work->found;
	Avvik__V1__CasePlaced *placed =
		AV_NEW(work->ctx->arena, Avvik__V1__CasePlaced, avvik__v1__case_placed);
	struct av_id id;

	if (!placed)
		return AV_MEMORY;
	placed->unit = placed->from_unit = found->unit;
	placed->state = case_next(found->kind, found->state,
		case_task(found, "reporter_unnamed") ? CASE_ACT_PLACE : CASE_ACT_PLACE_LAST);
	if (!placed->state)
		placed->state = found->state;
	if (information)
		workflow_make_information(work->ledgers.pack, found, placed);
	id = av_emit(work->ctx, EVENT(CASE_PLACED), placed, &work->options);
	return information ? ledgers_become_information(&work->ledgers, found->received_at_ms, &id) : AV_OK;
}

/* The unit that was reported has come into the directory. */
static int place(struct av_ctx *ctx, const Avvik__V1__Case *found, const struct av_id *case_id)
{
	struct work work;
	int status = work_begin(&work, ctx, found, case_id);

	if (status != AV_OK)
		return status;
	work.ledgers.pack = workflow_pack(&work.view, found->rules_version);
	status = ledgers_load(&work.ledgers);
	return status == AV_OK ? work_placed(&work, workflow_becomes_information(&work.view,
							    work.ledgers.pack, found, found->unit))
			       : status;
}

/* A rule pack covers the day the case was received: its deadlines start where they would have. */
static int set_rules(struct av_ctx *ctx, const Avvik__V1__Case *found, const struct av_id *case_id,
	struct av_bytes version)
{
	Avvik__V1__CaseRulesSet *set = AV_NEW(ctx->arena, Avvik__V1__CaseRulesSet, avvik__v1__case_rules_set);
	char *name = av_arena_printf(ctx->arena, "%.*s", (int)version.size, (const char *)version.data);
	struct work work;
	struct ledgers *ledgers = &work.ledgers;
	struct av_id id;
	int status = work_begin(&work, ctx, found, case_id);

	if (!set || !name)
		return AV_MEMORY;
	if (status != AV_OK)
		return status;
	ledgers->pack = workflow_pack(&work.view, name);
	if (!ledgers->pack)
		return AV_DAMAGED;
	set->rules_version = ledgers->pack->rules->version;
	if (found->kind == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH)
		set->legal_reference =
			(char *)workflow_reference(ledgers->pack, "remedy", found->laws, found->n_laws);
	id = av_emit(ctx, EVENT(CASE_RULES_SET), set, &work.options);
	status = ledgers_load(ledgers);
	if (status == AV_OK && workflow_becomes_information(&work.view, ledgers->pack, found, found->unit))
		return work_placed(&work, true);
	if (status == AV_OK)
		status = ledgers_fact(
			ledgers, AVVIK__V1__ANCHOR__ANCHOR_RECEIVED, found->received_at_ms, NULL, &id);
	if (status == AV_OK && found->remedied)
		status = ledgers_fact(
			ledgers, AVVIK__V1__ANCHOR__ANCHOR_REMEDIED, found->remedied_at_ms, NULL, &id);
	return status;
}

static int do_work(struct av_ctx *ctx, unsigned int limit)
{
	struct av_iter it = av_iter(ctx->txn, TABLE_WORK, av_bytes(NULL, 0), av_bytes(NULL, 0));
	int status = AV_OK;

	while (status == AV_OK && av_iter_next(&it)) {
		Avvik__V1__Case *found;
		struct av_id case_id;

		if (av_emitted(ctx) >= limit)
			break;
		if (it.key.size != 1 + AV_ID_SIZE) {
			status = AV_DAMAGED;
			break;
		}
		memcpy(case_id.bytes, (const char *)it.key.data + 1, AV_ID_SIZE);
		status = case_load(ctx->txn, &case_id, ctx->arena, &found);
		if (status == AV_OK)
			status = *(const unsigned char *)it.key.data == WORK_PLACE
					 ? place(ctx, found, &case_id)
					 : set_rules(ctx, found, &case_id, it.value);
	}
	av_iter_end(&it);
	return status == AV_NOT_FOUND ? AV_DAMAGED : status;
}

/* A case in the table of work may have rungs too: they come in the next item, which sees the work's effect.
 */
int workflow_on_due(struct av_ctx *ctx, unsigned int limit, bool *ret_more)
{
	bool worked;
	int status;

	*ret_more = false;
	limit = AV_MAX(limit, 1u);
	status = do_work(ctx, limit);
	worked = av_emitted(ctx) > 0;
	if (status == AV_OK && !worked)
		status = workflow_apply_rules(ctx, limit, &worked);
	if (status == AV_OK && worked)
		*ret_more = true;
	else if (status == AV_OK)
		status = fire_rungs(ctx, limit, ret_more);
	return status;
}

int64_t workflow_next_due(struct av_txn *txn)
{
	struct av_iter it;
	int64_t at_ms = 0;

	if (av_table_count(txn, TABLE_WORK) > 0 || av_table_count(txn, TABLE_APPLYING) > 0)
		return 1; /* at once */
	it = av_iter(txn, TABLE_RUNGS, av_bytes(NULL, 0), av_bytes(NULL, 0));
	if (av_iter_next(&it) && it.key.size == 8 + AV_ID_SIZE)
		at_ms = AV_MAX((int64_t)av_get_u64(it.key.data), 1);
	av_iter_end(&it);
	return at_ms;
}
