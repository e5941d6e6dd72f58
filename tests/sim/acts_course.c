/* acts_course.c - what an act on a lex Sarah case says, from its placing to its closing, and on measures
 */
#include "people_inner.h"

#define DEGREE(name) AVVIK__V1__DEGREE__DEGREE_##name

static Avvik__V1__Degree some_degree(struct world *w)
{
	return (Avvik__V1__Degree)(1 + chance(w, 5));
}

static const Avvik__V1__Measure *some_measure(
	struct world *w, const Avvik__V1__Case *found, Avvik__V1__MeasureState state)
{
	const Avvik__V1__Measure *chosen = NULL;
	for (size_t i = 0; i < found->n_measures; i++)
		if (found->measures[i]->state == state && (!chosen || chance(w, 2)))
			chosen = found->measures[i];
	return chosen;
}

WRITER(act_place)
{
	Avvik__V1__PlaceCase *act = NEW(w, PlaceCase, place_case);
	AV_UNUSED(found);
	act->unit = TEXT(w->leaves[chance(w, w->leaf_count)]);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(act_name_reporter)
{
	Avvik__V1__NameReporter *act = NEW(w, NameReporter, name_reporter);
	AV_UNUSED(found);
	act->reporter = NEW(w, Reporter, reporter);
	act->reporter->name = TEXT(secret(w));
	act->reporter->mail = TEXT(SIM_SECRET_LOW "@namngiven.example");
	return &act->base;
}

WRITER(act_remedy)
{
	Avvik__V1__Remedy *act = NEW(w, Remedy, remedy);
	AV_UNUSED(found);
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(act_inform)
{
	Avvik__V1__InformAffected *act = NEW(w, InformAffected, inform_affected);
	AV_UNUSED(found);
	act->informed = chance(w, 2);
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(act_assess)
{
	Avvik__V1__AssessInitially *act = NEW(w, AssessInitially, assess_initially);
	act->investigate = chance(w, 8) > 0;
	act->preliminary_degree = act->investigate ? some_degree(w) : DEGREE(NONE);
	act->motive = TEXT(secret(w));
	if (act->investigate)
		act->investigator = TEXT(people_with(w, "LEX_UTR", found->unit));
	return &act->base;
}

WRITER(act_find_serious)
{
	Avvik__V1__FindSerious *act = NEW(w, FindSerious, find_serious);
	AV_UNUSED(found);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(act_record_entry)
{
	Avvik__V1__RecordEntry *act = NEW(w, RecordEntry, record_entry);
	uint32_t missing = 0x5feu & ~found->items_documented;
	act->item = (uint32_t)(1 + chance(w, 10));
	while (missing && !(missing & 1u << act->item))
		act->item = (uint32_t)(1 + chance(w, 10));
	act->nature = AVVIK__V1__ENTRY_NATURE__ENTRY_NATURE_FACT;
	act->source = TEXT(secret(w));
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(act_complete)
{
	Avvik__V1__CompleteInvestigation *act = NEW(w, CompleteInvestigation, complete_investigation);
	AV_UNUSED(found);
	act->proposed_degree = some_degree(w);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(act_decide)
{
	Avvik__V1__Decide *act = NEW(w, Decide, decide);
	AV_UNUSED(found);
	act->degree = some_degree(w);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(act_notify_ivo)
{
	Avvik__V1__NotifyIvo *act = NEW(w, NotifyIvo, notify_ivo);
	AV_UNUSED(found);
	act->registry_number = TEXT("SN 2026/17");
	act->investigation_attached = chance(w, 2);
	return &act->base;
}

WRITER(act_hand_in)
{
	Avvik__V1__HandInInvestigation *act = NEW(w, HandInInvestigation, hand_in_investigation);
	AV_UNUSED(found);
	act->channel = AVVIK__V1__CHANNEL__CHANNEL_E_SERVICE;
	return &act->base;
}

/* A few, and one more when one was without effect. */
static bool has_enough(struct world *w, const Avvik__V1__Case *found)
{
	size_t wanted = 2;
	for (size_t i = 0; i < found->n_measures; i++)
		wanted += found->measures[i]->state == AVVIK__V1__MEASURE_STATE__MEASURE_STATE_EVALUATED &&
			  !found->measures[i]->effective;
	return found->n_measures >= wanted && chance(w, 12);
}

WRITER(act_decide_measure)
{
	if (has_enough(w, found))
		return NULL;
	Avvik__V1__DecideMeasure *act = NEW(w, DecideMeasure, decide_measure);
	act->horizon = AVVIK__V1__MEASURE_HORIZON__MEASURE_HORIZON_SHORT;
	act->description = TEXT(secret(w));
	act->goal = TEXT(secret(w));
	act->responsible = TEXT(people_with(w, "EC", found->unit));
	act->planned_end_on = av_local_day(w->now_ms) + (int32_t)chance(w, 90) - 3;
	return &act->base;
}

WRITER(act_propose_measure)
{
	if (has_enough(w, found))
		return NULL;
	Avvik__V1__ProposeMeasure *act = NEW(w, ProposeMeasure, propose_measure);
	act->description = TEXT(secret(w));
	act->goal = TEXT(secret(w));
	act->responsible = TEXT(people_with(w, "EC", found->unit));
	act->planned_end_on = av_local_day(w->now_ms) + (int32_t)chance(w, 90);
	return &act->base;
}

WRITER(act_decide_proposal)
{
	Avvik__V1__DecideProposal *act = NEW(w, DecideProposal, decide_proposal);
	const Avvik__V1__Measure *measure =
		some_measure(w, found, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_PROPOSED);
	if (!measure)
		return NULL;
	act->measure_id = people_copy(w, measure->measure_id);
	act->verdict = (Avvik__V1__MeasureVerdict)(1 + chance(w, 3));
	act->comment = TEXT(secret(w));
	return &act->base;
}

WRITER(act_no_measures)
{
	Avvik__V1__DecideNoMeasures *act = NEW(w, DecideNoMeasures, decide_no_measures);
	AV_UNUSED(found);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(act_execute)
{
	Avvik__V1__ExecuteMeasure *act = NEW(w, ExecuteMeasure, execute_measure);
	const Avvik__V1__Measure *measure =
		some_measure(w, found, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_APPROVED);
	if (!measure)
		return NULL;
	act->measure_id = people_copy(w, measure->measure_id);
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(act_evaluate)
{
	Avvik__V1__EvaluateMeasure *act = NEW(w, EvaluateMeasure, evaluate_measure);
	const Avvik__V1__Measure *measure =
		some_measure(w, found, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_EXECUTED);
	if (!measure) /* a later check */
		measure = some_measure(w, found, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_EVALUATED);
	if (!measure)
		return NULL;
	act->measure_id = people_copy(w, measure->measure_id);
	act->effective = chance(w, 4) > 0;
	act->accept_risk = chance(w, 2);
	act->text = TEXT(secret(w));
	return &act->base;
}

/* Before all is settled it is refused; they try it now and then. */
static bool settled(const Avvik__V1__Case *found)
{
	for (size_t i = 0; i < found->n_measures; i++)
		if (found->measures[i]->state != AVVIK__V1__MEASURE_STATE__MEASURE_STATE_REJECTED &&
			found->measures[i]->state != AVVIK__V1__MEASURE_STATE__MEASURE_STATE_EVALUATED)
			return false;
	return found->ivo != AVVIK__V1__IVO_STATE__IVO_STATE_REQUIRED &&
	       found->ivo != AVVIK__V1__IVO_STATE__IVO_STATE_NOTIFIED;
}

WRITER(act_close)
{
	if (!settled(found) && chance(w, 10))
		return NULL;
	Avvik__V1__CloseCase *act = NEW(w, CloseCase, close_case);
	act->note = TEXT(secret(w));
	act->category = TEXT(found->kind == AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION ? "FALL" : "BEM");
	return &act->base;
}
