/* takeover_steps.c - what was done in another system, done here once more as acts of that time
 *
 * A step is an order as ActOnCase has it, and goes the same way: the table of states, the guards, the writers, the
 * facts for deadlines. What it changes is done to a case in memory, so that the next step sees it; the store sees it
 * when the item stands.
 */
#include "takeover.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name
#define CHECKS_MAX 10

/* --- times --- */

/* What a step lies after. */
struct after {
	int64_t at_ms;
	const char *what;
};

static struct after receipt(const struct takeover *takeover)
{
	return (struct after){takeover->received_at_ms, "the report was received"};
}

/* A bare day is its midnight: on the day of what it lies after it is the time of that. */
static int64_t when(struct takeover *takeover, int64_t at_ms, struct after after, const char *path)
{
	struct av_ctx *ctx = takeover->ctx;
	av_day day = av_local_day(at_ms);
	char before[17];

	if (at_ms > ctx->now_ms)
		av_fault(&ctx->faults, FAULT(OUT_OF_RANGE), path,
			"lies in the future: give when it was done, or leave it out when it is not done yet");
	if (at_ms >= after.at_ms)
		return at_ms;
	if (day == av_local_day(after.at_ms) && at_ms == av_day_start_ms(day))
		return after.at_ms;
	av_instant_minute_text(after.at_ms, before);
	av_fault(&ctx->faults, FAULT(CONTRADICTION), path, "lies before %s, %s: correct one of the two",
		after.what, before);
	return after.at_ms;
}

/* --- reading --- */

static int64_t add(struct takeover *takeover, int64_t at_ms, struct after after, const char *path,
	const char *field, Avvik__V1__ActOnCase__ActCase act, void *body, size_t measure)
{
	struct takeover_step *step = &takeover->steps[takeover->step_count];
	const char *time_path = av_arena_printf(takeover->ctx->arena, "%s.%s", path, field);

	*step = (struct takeover_step){.path = path, .measure = measure, .number = takeover->step_count++};
	step->at_ms = when(takeover, at_ms, after, time_path ? time_path : path);
	avvik__v1__act_on_case__init(&step->order);
	step->order.act_case = act;
	step->order.remedy = body; /* the act, whichever it is: all are pointers to structures */
	return step->at_ms;
}

static int read_act(struct takeover *takeover, size_t index)
{
	struct av_arena *arena = takeover->ctx->arena;
	const Avvik__V1__TakenAct *taken = takeover->from->acts[index];
	const char *path = av_arena_printf(arena, "case.acts[%zu]", index);
	struct takeover_step *step = &takeover->steps[takeover->step_count];
	const struct act_row *row;

	if (!path)
		return AV_MEMORY;
	if (!taken->act_case) {
		av_fault(&takeover->ctx->faults, FAULT(REQUIRED), path,
			"say what was done: one of the acts that `avvik case acts` lists");
		return AV_OK;
	}
	/* The same numbers as in ActOnCase: a test holds them together. */
	(void)add(takeover, taken->acted_at_ms, receipt(takeover), path, "acted_at",
		(Avvik__V1__ActOnCase__ActCase)taken->act_case, taken->remedy, 0);
	row = act_row_of(&step->order);
	step->done_by = taken->done_by;
	step->path = row ? av_arena_printf(arena, "%s.%s", path, row->path) : path;
	return row && step->path ? AV_OK : AV_MEMORY;
}

/* What it lies after from then on: *after. */
static int read_decided(struct takeover *takeover, const Avvik__V1__TakenMeasure *taken, const char *path,
	size_t measure, struct after *after)
{
	struct av_arena *arena = takeover->ctx->arena;
	const char *plan = av_arena_printf(arena, "%s.plan", path);
	Avvik__V1__ProposeMeasure *propose =
		AV_NEW(arena, Avvik__V1__ProposeMeasure, avvik__v1__propose_measure);
	Avvik__V1__DecideProposal *decide =
		AV_NEW(arena, Avvik__V1__DecideProposal, avvik__v1__decide_proposal);
	size_t first = takeover->step_count;

	if (!plan || !propose || !decide)
		return AV_MEMORY;
	if (!taken->proposed_at_ms) {
		after->at_ms = add(takeover, taken->decided_at_ms, *after, path, "decided_at",
			ACT(DECIDE_MEASURE), taken->plan, measure);
		after->what = "the measure was decided";
		takeover->steps[first].path = plan;
		return AV_OK;
	}
	propose->horizon = taken->plan->horizon;
	propose->description = taken->plan->description;
	propose->goal = taken->plan->goal;
	propose->responsible = taken->plan->responsible;
	propose->planned_start_on = taken->plan->planned_start_on;
	propose->planned_end_on = taken->plan->planned_end_on;
	after->at_ms = add(takeover, taken->proposed_at_ms, *after, path, "proposed_at", ACT(PROPOSE_MEASURE),
		propose, measure);
	after->what = "the measure was proposed";
	takeover->steps[first].path = plan;
	decide->verdict = AVVIK__V1__MEASURE_VERDICT__MEASURE_VERDICT_APPROVED;
	if (!taken->decided_at_ms)
		return AV_OK;
	after->at_ms = add(takeover, taken->decided_at_ms, *after, path, "decided_at", ACT(DECIDE_PROPOSAL),
		decide, measure);
	after->what = "the measure was decided";
	return AV_OK;
}

static int read_check(struct takeover *takeover, const Avvik__V1__TakenCheck *taken, const char *path,
	size_t measure, struct after after)
{
	Avvik__V1__EvaluateMeasure *evaluate =
		AV_NEW(takeover->ctx->arena, Avvik__V1__EvaluateMeasure, avvik__v1__evaluate_measure);

	if (!evaluate || !path)
		return AV_MEMORY;
	evaluate->effective = taken->effective;
	evaluate->accept_risk = taken->accept_risk;
	evaluate->text = taken->text;
	evaluate->check = taken->check;
	(void)add(takeover, taken->judged_at_ms, after, path, "judged_at", ACT(EVALUATE_MEASURE), evaluate,
		measure);
	return AV_OK;
}

/* Whether it was decided before it was executed, and executed before it was judged. */
static bool follows(struct takeover *takeover, const Avvik__V1__TakenMeasure *taken, const char *path)
{
	const char *missing =
		!taken->proposed_at_ms && !taken->decided_at_ms	 ? "proposed_at or decided_at"
		: taken->executed_at_ms && !taken->decided_at_ms ? "decided_at, since it is executed"
		: taken->n_checks && !taken->executed_at_ms	 ? "executed_at, since its effect is judged"
								 : NULL;

	if (missing)
		av_fault(&takeover->ctx->faults, FAULT(REQUIRED), path, "give %s", missing);
	return !missing;
}

static int read_measure(struct takeover *takeover, size_t index)
{
	struct av_arena *arena = takeover->ctx->arena;
	const Avvik__V1__TakenMeasure *taken = takeover->from->measures[index];
	const char *path = av_arena_printf(arena, "case.measures[%zu]", index);
	Avvik__V1__ExecuteMeasure *execute =
		AV_NEW(arena, Avvik__V1__ExecuteMeasure, avvik__v1__execute_measure);
	struct after after = receipt(takeover);
	int status;

	if (!path || !execute)
		return AV_MEMORY;
	if (!follows(takeover, taken, path))
		return AV_OK;
	status = read_decided(takeover, taken, path, index + 1, &after);
	execute->text = taken->executed_text;
	if (status == AV_OK && taken->executed_at_ms)
		after = (struct after){add(takeover, taken->executed_at_ms, after, path, "executed_at",
					       ACT(EXECUTE_MEASURE), execute, index + 1),
			"the measure was executed"};
	for (size_t i = 0; status == AV_OK && i < taken->n_checks && i < CHECKS_MAX; i++)
		status = read_check(takeover, taken->checks[i],
			av_arena_printf(arena, "%s.checks[%zu]", path, i), index + 1, after);
	return status;
}

static int by_time(const void *a, const void *b)
{
	const struct takeover_step *x = a, *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

int takeover_read_steps(struct takeover *takeover)
{
	const Avvik__V1__TakeoverCase *from = takeover->from;
	size_t most = from->n_acts + from->n_measures * (3 + CHECKS_MAX);
	int status = AV_OK;

	takeover->steps = av_arena_alloc(takeover->ctx->arena, most * sizeof(*takeover->steps) + 1);
	takeover->measure_ids = av_arena_zalloc(
		takeover->ctx->arena, (from->n_measures + 1) * sizeof(*takeover->measure_ids));
	if (!takeover->steps || !takeover->measure_ids)
		return AV_MEMORY;
	for (size_t i = 0; status == AV_OK && i < from->n_acts; i++)
		status = read_act(takeover, i);
	for (size_t i = 0; status == AV_OK && i < from->n_measures; i++)
		status = read_measure(takeover, i);
	if (takeover->step_count)
		qsort(takeover->steps, takeover->step_count, sizeof(*takeover->steps), by_time);
	return status;
}

char *takeover_authors(const struct takeover *takeover)
{
	struct av_arena *arena = takeover->ctx->arena;
	char *text = av_arena_strdup(arena, ""), day[AV_DATE_TEXT];

	for (size_t i = 0; text && i < takeover->step_count; i++) {
		const struct takeover_step *step = &takeover->steps[i];
		if (!step->done_by || !*step->done_by)
			continue;
		av_day_text(av_local_day(step->at_ms), day);
		text = av_arena_printf(arena, "%s%s%s %s: %s", text, *text ? "\n" : "", day,
			act_row_of(&step->order)->path, step->done_by);
	}
	return text;
}

/* --- doing --- */

static int in_memory(struct takeover *takeover, unsigned int number, void *body, int64_t occurred_at_ms)
{
	Avvik__V1__Event event = AVVIK__V1__EVENT__INIT;
	Avvik__V1__Actor actor = AVVIK__V1__ACTOR__INIT;

	actor.taken_over_from = (char *)(uintptr_t)takeover->system;
	event.actor = &actor;
	event.case_id = (ProtobufCBinaryData){AV_ID_SIZE, takeover->act.case_id.bytes};
	event.recorded_at_ms = takeover->ctx->now_ms;
	event.occurred_at_ms = occurred_at_ms;
	av_body_set(&event.base, number, body);
	return workflow_apply_in_memory(&event, takeover->ctx->arena, &takeover->act.found);
}

int takeover_tell(struct takeover *takeover, unsigned int number, void *body, int64_t occurred_at_ms,
	struct av_id *ret_id)
{
	struct av_emit_options options = {.case_id = &takeover->act.case_id,
		.occurred_at_ms = occurred_at_ms,
		.person = "",
		.taken_over_from =
			number == AVVIK__V1__EVENT__BODY_CASE_TAKEN_OVER ? NULL : takeover->system};

	*ret_id = av_emit(takeover->ctx, number, body, &options);
	return in_memory(takeover, number, body, occurred_at_ms);
}

/* Which measure of the case it is, is known when that one has been decided. */
static void name_measure(struct takeover *takeover, struct takeover_step *step)
{
	ProtobufCBinaryData id =
		step->measure ? takeover->measure_ids[step->measure - 1] : (ProtobufCBinaryData){0, NULL};

	switch (step->order.act_case) {
	case ACT(DECIDE_PROPOSAL):
		step->order.decide_proposal->measure_id = id;
		break;
	case ACT(EXECUTE_MEASURE):
		step->order.execute_measure->measure_id = id;
		break;
	case ACT(EVALUATE_MEASURE):
		step->order.evaluate_measure->measure_id = id;
		break;
	default:
		break;
	}
}

static int write_step(struct takeover *takeover, struct takeover_step *step, const struct act_row *row)
{
	struct act *act = &takeover->act;
	int status;

	act->accepted = ACT_NEW(act, ActAccepted, act_accepted);
	act->told = NULL;
	act->told_end = &act->told;
	act->ledgers.check = NULL;
	if (!act->accepted)
		return AV_MEMORY;
	status = row->write(act);
	for (struct act_told *told = act->told; status == AV_OK && told; told = told->next)
		status = in_memory(takeover, told->number, told->body, step->at_ms);
	if (step->measure && act->accepted->measure_id.len)
		takeover->measure_ids[step->measure - 1] = act->accepted->measure_id;
	return status;
}

static int take_step(struct takeover *takeover, struct takeover_step *step)
{
	const struct act_row *row = act_row_of(&step->order);
	struct act *act = &takeover->act;
	size_t before = takeover->ctx->faults.count;

	name_measure(takeover, step);
	act->order = &step->order;
	act->path = step->path;
	act->done_by = step->done_by;
	act->intent = (struct case_intent){0};
	act->acted_at_ms = step->at_ms;
	act_read_intent(act, "");
	act->intent.acted_at_ms = step->at_ms;
	(void)act_check_fields(act, row);
	if (takeover->broken)
		return AV_OK;
	if (act_check_case(act, row) != AV_OK) {
		takeover->broken = true;
		return takeover->ctx->faults.count > before ? AV_OK : AV_MEMORY;
	}
	return write_step(takeover, step, row);
}

int takeover_walk(struct takeover *takeover)
{
	int status = AV_OK;

	for (size_t i = 0; status == AV_OK && i < takeover->step_count; i++)
		status = take_step(takeover, &takeover->steps[i]);
	return status;
}
