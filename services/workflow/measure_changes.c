/* measure_changes.c - what the events of measures do to the record of their case */
#include "apply.h"

#include <string.h>

#include "base/macros.h"
#include "case_rules.h"

#define MEASURE(name) AVVIK__V1__MEASURE_STATE__MEASURE_STATE_##name

static Avvik__V1__Measure *measure_of(struct change *change, ProtobufCBinaryData id)
{
	return (Avvik__V1__Measure *)case_measure(change->found, id.data, id.len);
}

static char *person_of(const struct change *change)
{
	return change->event->actor ? change->event->actor->person : (char *)"";
}

static Avvik__V1__Measure *add_measure(struct change *change)
{
	Avvik__V1__Measure *measure = av_arena_alloc(change->arena, sizeof(*measure));

	if (!measure)
		return NULL;
	avvik__v1__measure__init(measure);
	return change_append(change, &change->found->measures, &change->found->n_measures, measure) == AV_OK
		       ? measure
		       : NULL;
}

/* A measure that is decided answers those that proved ineffective. */
static void answer_wanting(struct change *change)
{
	for (size_t i = 0; i < change->found->n_measures; i++) {
		Avvik__V1__Measure *other = change->found->measures[i];
		if (other->state == MEASURE(EVALUATED) && !other->effective)
			other->answered = true;
	}
}

int change_measure_proposed(struct change *change, const void *body)
{
	const Avvik__V1__MeasureProposed *proposed = body;
	Avvik__V1__Measure *measure = add_measure(change);

	if (!measure)
		return AV_MEMORY;
	measure->measure_id = proposed->measure_id;
	measure->state = MEASURE(PROPOSED);
	measure->horizon = proposed->horizon;
	measure->responsible = proposed->responsible;
	measure->planned_start_on = proposed->planned_start_on;
	measure->planned_end_on = proposed->planned_end_on;
	measure->proposed_at_ms = change->event->occurred_at_ms;
	measure->proposed_by = person_of(change);
	return change_keep_content(change, proposed->content);
}

int change_proposal_decided(struct change *change, const void *body)
{
	const Avvik__V1__ProposalDecided *decided = body;
	Avvik__V1__Measure *measure = measure_of(change, decided->measure_id);

	if (!measure)
		return AV_NOT_FOUND;
	if (decided->measure_state == MEASURE(APPROVED))
		answer_wanting(change);
	measure->state = decided->measure_state;
	measure->verdict = decided->verdict;
	measure->decided_at_ms = change->event->occurred_at_ms;
	measure->decided_by = person_of(change);
	change->found->state = decided->state;
	return change_keep_content(change, decided->content);
}

int change_measure_decided(struct change *change, const void *body)
{
	const Avvik__V1__MeasureDecided *decided = body;
	Avvik__V1__Measure *measure;

	answer_wanting(change);
	measure = add_measure(change);
	if (!measure)
		return AV_MEMORY;
	measure->measure_id = decided->measure_id;
	measure->state = decided->measure_state;
	measure->horizon = decided->horizon;
	measure->responsible = decided->responsible;
	measure->planned_start_on = decided->planned_start_on;
	measure->planned_end_on = decided->planned_end_on;
	measure->decided_at_ms = change->event->occurred_at_ms;
	measure->decided_by = person_of(change);
	change->found->state = decided->state;
	return change_keep_content(change, decided->content);
}

/* After measures that had no effect the motive says why the risk is accepted. */
int change_no_measures_decided(struct change *change, const void *body)
{
	const Avvik__V1__NoMeasuresDecided *none = body;

	for (size_t i = 0; i < change->found->n_measures; i++) {
		Avvik__V1__Measure *measure = change->found->measures[i];
		if (measure->state == MEASURE(EVALUATED) && !measure->effective && !measure->answered)
			measure->risk_accepted = true;
	}
	change->found->state = none->state;
	return change_keep_content(change, none->content);
}

int change_measure_executed(struct change *change, const void *body)
{
	const Avvik__V1__MeasureExecuted *executed = body;
	Avvik__V1__Measure *measure = measure_of(change, executed->measure_id);

	if (!measure)
		return AV_NOT_FOUND;
	measure->state = MEASURE(EXECUTED);
	measure->executed_at_ms = change->event->occurred_at_ms;
	change->found->state = executed->state;
	return change_keep_content(change, executed->content);
}

void change_index_effective(struct change *change, const char *category_before)
{
	Avvik__V1__Case *found = change->found;
	unsigned char key[EFFECTIVE_KEY_MAX], value[8];
	int64_t last_ms = 0;

	if (!change->txn)
		return;
	for (size_t i = 0; i < found->n_measures; i++) {
		const Avvik__V1__Measure *measure = found->measures[i];
		if (measure->state == MEASURE(EVALUATED) && measure->effective && !measure->questioned)
			last_ms = AV_MAX(last_ms, measure->evaluated_at_ms);
	}
	if (*category_before)
		av_delete(change->txn, TABLE_EFFECTIVE,
			av_bytes(key, effective_key(key, found->unit, category_before, &change->id)));
	if (!last_ms || !*found->category)
		return;
	av_put_u64(value, (uint64_t)last_ms);
	av_put(change->txn, TABLE_EFFECTIVE,
		av_bytes(key, effective_key(key, found->unit, found->category, &change->id)),
		av_bytes(value, 8));
}

/* All that were effective are in question; an earlier answer to the question is no answer to this one. */
int change_recurrence_found(struct change *change, const void *body)
{
	(void)body;
	for (size_t i = 0; i < change->found->n_measures; i++) {
		Avvik__V1__Measure *measure = change->found->measures[i];
		size_t kept = 0;

		if (measure->state != MEASURE(EVALUATED) || !measure->effective)
			continue;
		measure->questioned = true;
		for (size_t k = 0; k < measure->n_checks; k++)
			if (strcmp(measure->checks[k]->rule, CASE_CHECK_RECURRENCE) != 0)
				measure->checks[kept++] = measure->checks[k];
		measure->n_checks = kept;
	}
	change_index_effective(change, change->found->category);
	return AV_OK;
}

int change_recurrence_noted(struct change *change, const void *body)
{
	const Avvik__V1__RecurrenceNoted *noted = body;
	return change_append(change, &change->found->recurs, &change->found->n_recurs, noted->other_number);
}

static Avvik__V1__EffectCheck *check_of(struct change *change, Avvik__V1__Measure *measure, char *rule)
{
	Avvik__V1__EffectCheck *check = case_effect_check(measure, rule);

	if (check)
		return check;
	check = av_arena_alloc(change->arena, sizeof(*check));
	if (!check)
		return NULL;
	avvik__v1__effect_check__init(check);
	check->rule = rule;
	return change_append(change, &measure->checks, &measure->n_checks, check) == AV_OK ? check : NULL;
}

int change_effect_judged(struct change *change, const void *body)
{
	const Avvik__V1__EffectJudged *judged = body;
	Avvik__V1__Measure *measure = measure_of(change, judged->measure_id);
	Avvik__V1__EffectCheck *check = measure ? check_of(change, measure, judged->check) : NULL;
	Avvik__V1__EffectAnswer *answer = av_arena_alloc(change->arena, sizeof(*answer));

	if (!measure)
		return AV_NOT_FOUND;
	if (!check || !answer)
		return AV_MEMORY;
	avvik__v1__effect_answer__init(answer);
	answer->effective = judged->effective;
	answer->accept_risk = judged->accept_risk;
	answer->answered_at_ms = change->event->occurred_at_ms;
	answer->person = person_of(change);
	if (judged->as_investigator)
		check->investigator = answer;
	if (judged->as_manager)
		check->manager = answer;
	return change_keep_content(change, judged->content);
}

int change_measure_evaluated(struct change *change, const void *body)
{
	const Avvik__V1__MeasureEvaluated *evaluated = body;
	Avvik__V1__Measure *measure = measure_of(change, evaluated->measure_id);
	Avvik__V1__EffectCheck *check = measure ? check_of(change, measure, evaluated->check) : NULL;

	if (!measure)
		return AV_NOT_FOUND;
	if (!check)
		return AV_MEMORY;
	check->settled_at_ms = measure->evaluated_at_ms = change->event->occurred_at_ms;
	check->effective = measure->effective = evaluated->effective;
	check->risk_accepted = measure->risk_accepted = evaluated->accept_risk;
	measure->state = MEASURE(EVALUATED);
	measure->answered = false;
	if (strcmp(evaluated->check, CASE_CHECK_RECURRENCE) == 0)
		measure->questioned = false;
	change->found->state = evaluated->state;
	change_index_effective(change, change->found->category);
	return change_keep_content(change, evaluated->content);
}
