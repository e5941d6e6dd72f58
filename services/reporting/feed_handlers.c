/* feed_handlers.c - events of intake and workflow become facts, and facts become figures.
 *
 * Each handler has one shape: load the fact, note what it contributes, change it, queue the difference. An
 * event that says nothing new queues nothing. Days are those of the act (the envelope's occurred_at), in
 * local time.
 */
#include <string.h>

#include "figure_rules.h"
#include "handlers.h"
#include "reporting_store.h"

#define NONE ((struct av_bytes){NULL, 0})

static struct av_bytes bytes_of(ProtobufCBinaryData data)
{
	return av_bytes(data.data, data.len);
}

static ProtobufCBinaryData data_of(struct av_ctx *ctx, struct av_bytes bytes)
{
	return (ProtobufCBinaryData){bytes.size, av_arena_copy(ctx->arena, bytes.data, bytes.size)};
}

static av_day event_day(const struct av_ctx *ctx)
{
	return av_local_day(ctx->event->occurred_at_ms);
}

static Avvik__V1__CaseFact *case_fact(struct av_ctx *ctx)
{
	Avvik__V1__CaseFact *fact = NULL;
	return case_fact_load(ctx->txn, bytes_of(ctx->event->case_id), ctx->arena, &fact) == AV_OK ? fact
												   : NULL;
}

/* Queues the change. `counts` holds what was contributed before, with sign -1, and what is now, with +1. */
static int figures_emit(struct av_ctx *ctx, const struct counts *counts, Avvik__V1__FiguresChanged *body)
{
	body->counts = av_arena_alloc(ctx->arena, FIGURE_COUNTS_MAX * sizeof *body->counts);
	if (!body->counts)
		return AV_MEMORY;
	for (size_t i = 0; i < counts->count; i++) {
		Avvik__V1__CountChange *change =
			AV_NEW(ctx->arena, Avvik__V1__CountChange, avvik__v1__count_change);
		if (!change)
			return AV_MEMORY;
		change->unit = (char *)counts->at[i].unit;
		change->measurement = counts->at[i].measurement;
		change->kind = counts->at[i].kind;
		change->degree = counts->at[i].degree;
		change->deadline = (char *)counts->at[i].deadline;
		change->day_on = counts->at[i].on;
		change->change = counts->at[i].change;
		body->counts[body->n_counts++] = change;
	}
	body->feed = av_arena_strdup(ctx->arena, ctx->feed);
	body->feed_sequence = ctx->event->sequence;
	av_emit(ctx, AVVIK__V1__EVENT__BODY_FIGURES_CHANGED, body, NULL);
	return AV_OK;
}

static int case_emit(struct av_ctx *ctx, struct counts *counts, Avvik__V1__CaseFact *fact)
{
	Avvik__V1__FiguresChanged *body =
		AV_NEW(ctx->arena, Avvik__V1__FiguresChanged, avvik__v1__figures_changed);
	if (!body)
		return AV_MEMORY;
	counts_of_case(counts, fact, +1);
	body->case_ = fact;
	return figures_emit(ctx, counts, body);
}

static int deadline_emit(struct av_ctx *ctx, struct counts *counts, Avvik__V1__DeadlineFact *fact)
{
	Avvik__V1__FiguresChanged *body =
		AV_NEW(ctx->arena, Avvik__V1__FiguresChanged, avvik__v1__figures_changed);
	if (!body)
		return AV_MEMORY;
	counts_of_deadline(counts, fact, +1);
	body->n_deadlines = 1;
	body->deadlines = av_arena_copy(ctx->arena, &fact, sizeof fact);
	return body->deadlines ? figures_emit(ctx, counts, body) : AV_MEMORY;
}

static int measure_emit(struct av_ctx *ctx, struct counts *counts, Avvik__V1__MeasureFact *fact)
{
	Avvik__V1__FiguresChanged *body =
		AV_NEW(ctx->arena, Avvik__V1__FiguresChanged, avvik__v1__figures_changed);
	if (!body)
		return AV_MEMORY;
	counts_of_measure(counts, fact, +1);
	body->n_measures = 1;
	body->measures = av_arena_copy(ctx->arena, &fact, sizeof fact);
	return body->measures ? figures_emit(ctx, counts, body) : AV_MEMORY;
}

/* --- intake --- */

/* The tree alone: units, nobody's name. */
int on_directory_published(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	const Avvik__V1__DirectoryPublished *published = (const Avvik__V1__DirectoryPublished *)message;
	Avvik__V1__DirectoryPublished *body =
		AV_NEW(ctx->arena, Avvik__V1__DirectoryPublished, avvik__v1__directory_published);
	Avvik__V1__Directory *directory = AV_NEW(ctx->arena, Avvik__V1__Directory, avvik__v1__directory);

	if (!body || !directory)
		return AV_MEMORY;
	if (!published->directory)
		return AV_NOTHING;
	directory->version = published->directory->version;
	directory->n_units = published->directory->n_units;
	directory->units = published->directory->units;
	body->directory = directory;
	av_emit(ctx, AVVIK__V1__EVENT__BODY_DIRECTORY_PUBLISHED, body, NULL);
	return AV_OK;
}

/* --- workflow: cases --- */

int on_case_opened(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	const Avvik__V1__CaseOpened *opened = (const Avvik__V1__CaseOpened *)message;
	struct counts counts = {.count = 0};
	Avvik__V1__CaseFact *fact = AV_NEW(ctx->arena, Avvik__V1__CaseFact, avvik__v1__case_fact);

	if (case_fact(ctx))
		return AV_NOTHING;
	if (!fact)
		return AV_MEMORY;
	fact->case_id = data_of(ctx, bytes_of(ctx->event->case_id));
	fact->unit = opened->unit;
	fact->kind = fact->kind_received = opened->kind;
	fact->received_on = av_local_day(opened->received_at_ms);
	return case_emit(ctx, &counts, fact);
}

/* The case moves with its deadlines and measures. */
int on_case_placed(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	const Avvik__V1__CasePlaced *placed = (const Avvik__V1__CasePlaced *)message;
	Avvik__V1__CaseFact *fact = case_fact(ctx);
	Avvik__V1__DeadlineFact **deadlines;
	Avvik__V1__MeasureFact **measures;

	if (!fact)
		return AV_NOT_FOUND;
	if (strcmp(fact->unit, placed->unit) == 0 && !placed->kind)
		return AV_NOTHING;
	struct counts counts = {.count = 0};
	counts_of_case(&counts, fact, -1);
	fact->unit = placed->unit;
	if (placed->kind)
		fact->kind = placed->kind;
	int status = case_emit(ctx, &counts, fact);

	size_t count = deadline_facts(ctx->txn, bytes_of(ctx->event->case_id), ctx->arena, &deadlines);
	for (size_t i = 0; i < count && status == AV_OK; i++) {
		counts.count = 0;
		counts_of_deadline(&counts, deadlines[i], -1);
		deadlines[i]->unit = placed->unit;
		status = deadline_emit(ctx, &counts, deadlines[i]);
	}
	count = measure_facts(ctx->txn, bytes_of(ctx->event->case_id), ctx->arena, &measures);
	for (size_t i = 0; i < count && status == AV_OK; i++) {
		counts.count = 0;
		counts_of_measure(&counts, measures[i], -1);
		measures[i]->unit = placed->unit;
		status = measure_emit(ctx, &counts, measures[i]);
	}
	return status;
}

int on_case_decided(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	Avvik__V1__CaseFact *fact = case_fact(ctx);
	struct counts counts = {.count = 0};

	if (!fact)
		return AV_NOT_FOUND;
	counts_of_case(&counts, fact, -1);
	fact->degree = ((const Avvik__V1__CaseDecided *)message)->degree;
	fact->decided_on = event_day(ctx);
	return case_emit(ctx, &counts, fact);
}

int on_case_closed(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	const Avvik__V1__CaseClosed *closed = (const Avvik__V1__CaseClosed *)message;
	Avvik__V1__CaseFact *fact = case_fact(ctx);
	struct counts counts = {.count = 0};

	if (!fact)
		return AV_NOT_FOUND;
	counts_of_case(&counts, fact, -1);
	if (closed->degree)
		fact->degree = closed->degree;
	fact->closed_on = event_day(ctx);
	return case_emit(ctx, &counts, fact);
}

int on_case_turned_lex_sarah(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	Avvik__V1__CaseFact *fact = case_fact(ctx);
	struct counts counts = {.count = 0};

	AV_UNUSED(message);
	if (!fact)
		return AV_NOT_FOUND;
	counts_of_case(&counts, fact, -1);
	fact->kind = AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
	fact->turned_on = event_day(ctx);
	return case_emit(ctx, &counts, fact);
}

/* One more day; of more than FIGURE_DAYS_MAX the first is let go. */
static int add_day(struct av_ctx *ctx, int32_t **days, size_t *count, av_day day)
{
	int32_t *longer = av_arena_alloc(ctx->arena, (*count + 1) * sizeof *longer);
	size_t gone = *count == FIGURE_DAYS_MAX ? 1 : 0;

	if (!longer)
		return AV_MEMORY;
	if (*count > gone)
		memcpy(longer, *days + gone, (*count - gone) * sizeof *longer);
	longer[*count - gone] = day;
	*count += 1 - gone;
	*days = longer;
	return AV_OK;
}

/* A case that was opened again may be notified again: each notification counts on its day. */
int on_ivo_notified(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	Avvik__V1__CaseFact *fact = case_fact(ctx);
	struct counts counts = {.count = 0};
	int status = AV_OK;

	AV_UNUSED(message);
	if (!fact)
		return AV_NOT_FOUND;
	counts_of_case(&counts, fact, -1);
	if (fact->notified_on)
		status = add_day(
			ctx, &fact->notified_before_on, &fact->n_notified_before_on, fact->notified_on);
	fact->notified_on = event_day(ctx);
	return status == AV_OK ? case_emit(ctx, &counts, fact) : status;
}

/* It is open, and neither closed nor decided any more: what was said of those days is said anew. */
int on_case_reopened(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	Avvik__V1__CaseFact *fact = case_fact(ctx);
	struct counts counts = {.count = 0};
	int status;

	AV_UNUSED(message);
	if (!fact)
		return AV_NOT_FOUND;
	counts_of_case(&counts, fact, -1);
	fact->closed_on = fact->decided_on = 0;
	fact->degree = AVVIK__V1__DEGREE__DEGREE_UNSPECIFIED;
	status = add_day(ctx, &fact->reopened_on, &fact->n_reopened_on, event_day(ctx));
	return status == AV_OK ? case_emit(ctx, &counts, fact) : status;
}

int on_case_returned(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	Avvik__V1__CaseFact *fact = case_fact(ctx);
	struct counts counts = {.count = 0};

	AV_UNUSED(message);
	if (!fact)
		return AV_NOT_FOUND;
	counts_of_case(&counts, fact, -1);
	fact->kind = AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION;
	fact->returned_on = event_day(ctx);
	return case_emit(ctx, &counts, fact);
}

static int set_joined(struct av_ctx *ctx, av_day joined_on)
{
	Avvik__V1__CaseFact *fact = case_fact(ctx);
	struct counts counts = {.count = 0};

	if (!fact)
		return AV_NOT_FOUND;
	counts_of_case(&counts, fact, -1);
	fact->joined_on = joined_on;
	return case_emit(ctx, &counts, fact);
}

/* Received it stays; open it is no more, since the case that it stands under is. */
int on_case_joined(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	AV_UNUSED(message);
	return set_joined(ctx, event_day(ctx));
}

int on_case_parted(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	AV_UNUSED(message);
	return set_joined(ctx, 0);
}

/* --- workflow: deadlines --- */

/* One that takes another's place may have been missed before; of one that was taken over from another system it is
 * passed over that it was. */
static bool overdue_known(const Avvik__V1__Deadline *deadline)
{
	for (size_t i = 0; i < deadline->n_rungs; i++)
		if (deadline->rungs[i]->kind == AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE &&
			(deadline->rungs[i]->fired_at_ms || deadline->rungs[i]->passed_over))
			return true;
	return false;
}

int on_deadline_set(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	const Avvik__V1__Deadline *deadline = ((const Avvik__V1__DeadlineSet *)message)->deadline;
	Avvik__V1__DeadlineFact *fact = AV_NEW(ctx->arena, Avvik__V1__DeadlineFact, avvik__v1__deadline_fact),
				*before;
	Avvik__V1__CaseFact *of_case = case_fact(ctx);
	struct counts counts = {.count = 0};

	if (!fact)
		return AV_MEMORY;
	if (!deadline || !of_case)
		return AV_NOT_FOUND;
	if (deadline_fact_load(ctx->txn, bytes_of(ctx->event->case_id), bytes_of(deadline->deadline_id),
		    ctx->arena, &before) == AV_OK)
		return AV_NOTHING;
	fact->case_id = data_of(ctx, bytes_of(ctx->event->case_id));
	fact->deadline_id = deadline->deadline_id;
	fact->unit = of_case->unit;
	fact->kind = of_case->kind;
	fact->rule = deadline->rule;
	fact->due_on = deadline->due_on;
	fact->outcome = overdue_known(deadline) ? AVVIK__V1__DEADLINE_OUTCOME__DEADLINE_OUTCOME_MISSED
						: AVVIK__V1__DEADLINE_OUTCOME__DEADLINE_OUTCOME_RUNNING;
	return deadline_emit(ctx, &counts, fact);
}

/* Another due day: what is counted of it later is counted there. */
int on_deadline_replanned(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	const Avvik__V1__Deadline *deadline = ((const Avvik__V1__DeadlineReplanned *)message)->deadline;
	Avvik__V1__DeadlineFact *fact;
	struct counts counts = {.count = 0};
	int status;

	if (!deadline)
		return AV_NOT_FOUND;
	status = deadline_fact_load(
		ctx->txn, bytes_of(ctx->event->case_id), bytes_of(deadline->deadline_id), ctx->arena, &fact);
	if (status < 0)
		return status;
	if (fact->due_on == deadline->due_on)
		return AV_NOTHING;
	counts_of_deadline(&counts, fact, -1);
	fact->due_on = deadline->due_on;
	return deadline_emit(ctx, &counts, fact);
}

static int deadline_change(
	struct av_ctx *ctx, ProtobufCBinaryData deadline_id, Avvik__V1__DeadlineOutcome outcome)
{
	Avvik__V1__DeadlineFact *fact;
	struct counts counts = {.count = 0};
	int status = deadline_fact_load(
		ctx->txn, bytes_of(ctx->event->case_id), bytes_of(deadline_id), ctx->arena, &fact);

	if (status < 0)
		return status;
	if (fact->outcome == outcome)
		return AV_NOTHING;
	counts_of_deadline(&counts, fact, -1);
	fact->outcome = outcome;
	return deadline_emit(ctx, &counts, fact);
}

/* By the time of the act: one that was in time but recorded late turns missed into met. */
int on_deadline_met(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	const Avvik__V1__DeadlineMet *met = (const Avvik__V1__DeadlineMet *)message;
	return deadline_change(ctx, met->deadline_id, deadline_outcome_met(met->late));
}

/* What was missed before it was cancelled stays missed; one whose place another took is judged by that. */
int on_deadline_cancelled(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	const Avvik__V1__DeadlineCancelled *cancelled = (const Avvik__V1__DeadlineCancelled *)message;
	return deadline_change(ctx, cancelled->deadline_id,
		cancelled->overdue_fired && cancelled->because != AVVIK__V1__ANCHOR__ANCHOR_SUPERSEDED
			? AVVIK__V1__DEADLINE_OUTCOME__DEADLINE_OUTCOME_MISSED
			: AVVIK__V1__DEADLINE_OUTCOME__DEADLINE_OUTCOME_CANCELLED);
}

int on_rung_fired(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	const Avvik__V1__RungFired *fired = (const Avvik__V1__RungFired *)message;
	if (fired->kind != AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE)
		return AV_NOTHING;
	return deadline_change(ctx, fired->deadline_id, AVVIK__V1__DEADLINE_OUTCOME__DEADLINE_OUTCOME_MISSED);
}

/* --- workflow: measures --- */

static Avvik__V1__Measurement measurement_of(Avvik__V1__MeasureState state)
{
	switch (state) {
	case AVVIK__V1__MEASURE_STATE__MEASURE_STATE_PROPOSED:
		return AVVIK__V1__MEASUREMENT__MEASUREMENT_MEASURES_PROPOSED;
	case AVVIK__V1__MEASURE_STATE__MEASURE_STATE_REJECTED:
		return AVVIK__V1__MEASUREMENT__MEASUREMENT_MEASURES_REJECTED;
	default:
		return AVVIK__V1__MEASUREMENT__MEASUREMENT_MEASURES_APPROVED;
	}
}

static int measure_new(struct av_ctx *ctx, ProtobufCBinaryData measure_id, Avvik__V1__Measurement measurement)
{
	Avvik__V1__MeasureFact *fact = NULL;
	Avvik__V1__CaseFact *of_case = case_fact(ctx);
	struct counts counts = {.count = 0};

	if (!of_case)
		return AV_NOT_FOUND;
	if (measure_fact_load(ctx->txn, bytes_of(ctx->event->case_id), bytes_of(measure_id), ctx->arena,
		    &fact) == AV_OK) {
		counts_of_measure(&counts, fact, -1);
	} else {
		fact = AV_NEW(ctx->arena, Avvik__V1__MeasureFact, avvik__v1__measure_fact);
		if (!fact)
			return AV_MEMORY;
		fact->case_id = data_of(ctx, bytes_of(ctx->event->case_id));
		fact->measure_id = measure_id;
		fact->unit = of_case->unit;
		fact->kind = of_case->kind;
	}
	fact->measurement = measurement;
	return measure_emit(ctx, &counts, fact);
}

int on_measure_proposed(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	return measure_new(ctx, ((const Avvik__V1__MeasureProposed *)message)->measure_id,
		measurement_of(AVVIK__V1__MEASURE_STATE__MEASURE_STATE_PROPOSED));
}

int on_measure_decided(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	const Avvik__V1__MeasureDecided *decided = (const Avvik__V1__MeasureDecided *)message;
	return measure_new(ctx, decided->measure_id, measurement_of(decided->measure_state));
}

static int measure_change(
	struct av_ctx *ctx, ProtobufCBinaryData measure_id, Avvik__V1__Measurement measurement)
{
	Avvik__V1__MeasureFact *fact;
	struct counts counts = {.count = 0};
	int status = measure_fact_load(
		ctx->txn, bytes_of(ctx->event->case_id), bytes_of(measure_id), ctx->arena, &fact);

	if (status < 0)
		return status;
	if (fact->measurement == measurement)
		return AV_NOTHING;
	counts_of_measure(&counts, fact, -1);
	fact->measurement = measurement;
	return measure_emit(ctx, &counts, fact);
}

int on_proposal_decided(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	const Avvik__V1__ProposalDecided *decided = (const Avvik__V1__ProposalDecided *)message;
	return measure_change(ctx, decided->measure_id, measurement_of(decided->measure_state));
}

int on_measure_executed(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	return measure_change(ctx, ((const Avvik__V1__MeasureExecuted *)message)->measure_id,
		AVVIK__V1__MEASUREMENT__MEASUREMENT_MEASURES_EXECUTED);
}

int on_measure_evaluated(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	const Avvik__V1__MeasureEvaluated *evaluated = (const Avvik__V1__MeasureEvaluated *)message;
	return measure_change(ctx, evaluated->measure_id,
		evaluated->effective ? AVVIK__V1__MEASUREMENT__MEASUREMENT_MEASURES_EFFECTIVE
				     : AVVIK__V1__MEASUREMENT__MEASUREMENT_MEASURES_WITHOUT_EFFECT);
}
