/* act_outcome.c - the acts after the decision, and those of a deviation: what each needs, writes, and means
 * to deadlines */
#include "act.h"

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define ANCHOR(name) AVVIK__V1__ANCHOR__ANCHOR_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name

/* --- measures --- */

static void check_decide_measure(struct act *act)
{
	const Avvik__V1__DecideMeasure *decide = act->order->decide_measure;

	act_need(act, decide->description, "description", "what is to be done");
	act_need(act, decide->responsible, "responsible", "the person who is responsible");
	act_need_person(act, decide->responsible, "responsible");
	if (decide->planned_end_on == 0)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), "planned_end_on",
			"give the day the measure is to be done");
	else if (decide->planned_start_on > decide->planned_end_on)
		av_fault(&act->ctx->faults, FAULT(CONTRADICTION), "planned_end_on",
			"the measure ends before it begins: change one of the days");
}

/* The anchor of D25 is the planned end itself, a day to come. */
static int write_decide_measure(struct act *act)
{
	const Avvik__V1__DecideMeasure *decide = act->order->decide_measure;
	Avvik__V1__MeasureDecided *decided = ACT_NEW(act, MeasureDecided, measure_decided);
	Avvik__V1__CaseText text = AVVIK__V1__CASE_TEXT__INIT;
	struct av_id measure_id = av_ctx_id(act->ctx), id;
	int status;

	if (!decided)
		return AV_MEMORY;
	text.text = decide->description;
	text.goal = decide->goal;
	status = av_seal_text(act->ctx, &text, &decided->content);
	if (status != AV_OK)
		return status;
	decided->measure_id = id_data(&measure_id, act->ctx->arena);
	decided->horizon = decide->horizon;
	decided->responsible = decide->responsible;
	decided->planned_start_on = decide->planned_start_on;
	decided->planned_end_on = decide->planned_end_on;
	decided->measure_state = AVVIK__V1__MEASURE_STATE__MEASURE_STATE_APPROVED;
	decided->state = act->next;
	act->accepted->measure_id = decided->measure_id;
	id = act_emit(act, EVENT(MEASURE_DECIDED), decided);
	return ledgers_fact(&act->ledgers, ANCHOR(MEASURE_PLANNED_END),
		av_day_start_ms(decide->planned_end_on), &decided->measure_id, &id);
}

static void check_no_measures(struct act *act)
{
	act_need(act, act->order->decide_no_measures->motive, "motive", "why no measure is needed");
}

static int write_no_measures(struct act *act)
{
	Avvik__V1__NoMeasuresDecided *none = ACT_NEW(act, NoMeasuresDecided, no_measures_decided);
	int status = none ? act_seal(act, act->order->decide_no_measures->motive, &none->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	none->state = act->next;
	return act_tell(act, EVENT(NO_MEASURES_DECIDED), none, 0, NULL);
}

static int write_execute(struct act *act)
{
	const Avvik__V1__ExecuteMeasure *execute = act->order->execute_measure;
	Avvik__V1__MeasureExecuted *executed = ACT_NEW(act, MeasureExecuted, measure_executed);
	int status = executed ? act_seal(act, execute->text, &executed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	executed->measure_id = execute->measure_id;
	executed->state = act->next;
	return act_tell(
		act, EVENT(MEASURE_EXECUTED), executed, ANCHOR(MEASURE_EXECUTED), &executed->measure_id);
}

static void check_evaluate(struct act *act)
{
	act_need(act, act->order->evaluate_measure->text, "text", "what was found of the effect");
}

static int write_evaluate(struct act *act)
{
	const Avvik__V1__EvaluateMeasure *evaluate = act->order->evaluate_measure;
	Avvik__V1__MeasureEvaluated *evaluated = ACT_NEW(act, MeasureEvaluated, measure_evaluated);
	int status = evaluated ? act_seal(act, evaluate->text, &evaluated->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	evaluated->measure_id = evaluate->measure_id;
	evaluated->effective = evaluate->effective;
	evaluated->accept_risk = !evaluate->effective && evaluate->accept_risk;
	evaluated->state = act->next;
	return act_tell(
		act, EVENT(MEASURE_EVALUATED), evaluated, ANCHOR(MEASURE_EVALUATED), &evaluated->measure_id);
}

/* --- the end --- */

static void check_close(struct act *act)
{
	const Avvik__V1__CloseCase *close = act->order->close;
	const Avvik__V1__RulePack *rules = act->pack->rules;

	act_need_categories(act, close->category, *close->category ? close->subcategory : "");
	for (size_t i = 0; i < close->n_cause_areas; i++)
		act_need_code(act, rules->cause_areas, rules->n_cause_areas, close->cause_areas[i],
			"cause_areas", "cause areas");
}

/* A closed case has no running deadlines: what no fact has ended is cancelled, and the figures tell whether
 * it was overdue. */
static int write_close(struct act *act)
{
	const Avvik__V1__CloseCase *close = act->order->close;
	Avvik__V1__CaseClosed *closed = ACT_NEW(act, CaseClosed, case_closed);
	int status = closed ? act_seal(act, close->note, &closed->content) : AV_MEMORY;
	bool given = *close->category != '\0',
	     position = act->found->state == AVVIK__V1__CASE_STATE__CASE_STATE_POSITION;
	struct av_id id;

	if (status != AV_OK)
		return status;
	closed->category = given ? close->category : act->found->category;
	closed->subcategory = given ? close->subcategory : act->found->subcategory;
	closed->n_cause_areas = close->n_cause_areas;
	closed->cause_areas = close->cause_areas;
	closed->degree = act->found->degree;
	closed->as_position = position;
	id = act_emit(act, EVENT(CASE_CLOSED), closed);
	if (position)
		status = ledgers_fact(&act->ledgers, ANCHOR(CLOSED_AS_POSITION), act->acted_at_ms, NULL, &id);
	if (status == AV_OK)
		status = ledgers_fact(&act->ledgers, ANCHOR(CLOSED), act->acted_at_ms, NULL, &id);
	if (status == AV_OK)
		status = act_warn_unfinished(act);
	return status == AV_OK ? ledgers_cancel(&act->ledgers, false, ANCHOR(CLOSED), &id) : status;
}

/* --- deviations --- */

static void check_assess_deviation(struct act *act)
{
	const Avvik__V1__AssessDeviation *assess = act->order->assess_deviation;
	uint32_t size =
		act->pack->rules->risk && act->pack->rules->risk->size ? act->pack->rules->risk->size : 4;

	if (assess->n_laws < 1 || assess->n_laws > 2)
		av_fault(&act->ctx->faults, FAULT(OUT_OF_RANGE), "laws",
			"give the law it falls under, or two");
	for (size_t i = 0; i < assess->n_laws; i++)
		if (assess->laws[i] == AVVIK__V1__LAW__LAW_UNSPECIFIED)
			av_fault(&act->ctx->faults, FAULT(REQUIRED), "laws",
				"give the law it falls under, or two");
	if (assess->probability < 1 || assess->probability > size)
		av_fault(&act->ctx->faults, FAULT(OUT_OF_RANGE), "probability",
			"give the probability, 1 to %u", size);
	if (assess->severity < 1 || assess->severity > size)
		av_fault(&act->ctx->faults, FAULT(OUT_OF_RANGE), "severity", "give the severity, 1 to %u",
			size);
	act_need_categories(act, assess->category, *assess->category ? assess->subcategory : "");
}

static int warn_suspect(struct act *act)
{
	Avvik__V1__Fault *warning = ACT_NEW(act, Fault, fault);
	Avvik__V1__Fault **warnings = av_arena_alloc(act->ctx->arena, sizeof(*warnings));

	if (!warning || !warnings)
		return AV_MEMORY;
	warning->path = (char *)"assess_deviation.severity";
	warning->code = FAULT(CONTRADICTION);
	warning->text = (char *)"the risk has reached the threshold of the rule pack: suspect misconduct, "
				"and turn the case into lex Sarah";
	warnings[0] = warning;
	act->accepted->warnings = warnings;
	act->accepted->n_warnings = 1;
	return AV_OK;
}

static int write_assess_deviation(struct act *act)
{
	const Avvik__V1__AssessDeviation *assess = act->order->assess_deviation;
	const Avvik__V1__RiskScale *risk = act->pack->rules->risk;
	Avvik__V1__DeviationAssessed *assessed = ACT_NEW(act, DeviationAssessed, deviation_assessed);
	bool given = *assess->category != '\0';
	int status = assessed ? act_seal(act, assess->text, &assessed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	assessed->n_laws = assess->n_laws;
	assessed->laws = assess->laws;
	assessed->category = given ? assess->category : act->found->category;
	assessed->subcategory = given ? assess->subcategory : act->found->subcategory;
	assessed->probability = assess->probability;
	assessed->severity = assess->severity;
	assessed->state = act->next;
	assessed->suspect_lex_sarah = risk && case_suspects_lex_sarah(assess->probability, assess->severity,
						      risk->lex_sarah_product, risk->lex_sarah_severity);
	if (assessed->suspect_lex_sarah)
		status = warn_suspect(act);
	return status == AV_OK ? act_tell(act, EVENT(DEVIATION_ASSESSED), assessed, ANCHOR(ASSESSED), NULL)
			       : status;
}

static void check_turn(struct act *act)
{
	act_need(act, act->order->turn_into_lex_sarah->motive, "motive", "why misconduct is suspected");
}

/* As lex Sarah the report is received now; the law is that of the day it first came in. A remedy already
 * recorded counts. */
static int write_turn(struct act *act)
{
	Avvik__V1__CaseTurnedLexSarah *turned = ACT_NEW(act, CaseTurnedLexSarah, case_turned_lex_sarah);
	int status =
		turned ? act_seal(act, act->order->turn_into_lex_sarah->motive, &turned->content) : AV_MEMORY;
	struct ledgers *ledgers = &act->ledgers;
	struct av_id id;

	if (status != AV_OK)
		return status;
	turned->state = act->next;
	turned->legal_reference =
		(char *)workflow_reference(act->pack, "remedy", act->found->laws, act->found->n_laws);
	id = act_emit(act, EVENT(CASE_TURNED_LEX_SARAH), turned);
	ledgers->kind = AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
	status = ledgers_fact(ledgers, ANCHOR(TURNED_LEX_SARAH), act->acted_at_ms, NULL, &id);
	if (status == AV_OK)
		status = ledgers_cancel(ledgers, true, ANCHOR(TURNED_LEX_SARAH), &id);
	if (status == AV_OK)
		status = ledgers_fact(ledgers, ANCHOR(RECEIVED), act->acted_at_ms, NULL, &id);
	if (status == AV_OK && act->found->remedied)
		status = ledgers_fact(ledgers, ANCHOR(REMEDIED), act->found->remedied_at_ms, NULL, &id);
	return status;
}

static const struct act_row rows[] = {
	/* clang-format off */
	{ ACT(DECIDE_MEASURE),         "decide_measure",         check_decide_measure,   write_decide_measure },
	{ ACT(DECIDE_NO_MEASURES),     "decide_no_measures",     check_no_measures,      write_no_measures },
	{ ACT(EXECUTE_MEASURE),        "execute_measure",        NULL,                   write_execute },
	{ ACT(EVALUATE_MEASURE),       "evaluate_measure",       check_evaluate,         write_evaluate },
	{ ACT(CLOSE),                  "close",                  check_close,            write_close },
	{ ACT(ASSESS_DEVIATION),       "assess_deviation",       check_assess_deviation, write_assess_deviation },
	{ ACT(TURN_INTO_LEX_SARAH),    "turn_into_lex_sarah",    check_turn,             write_turn },
}; /* clang-format on */
const struct act_rows act_rows_outcome = {rows, AV_COUNT(rows)};
