/* act_measures.c - the acts on measures: what each needs, writes, and means to deadlines
 *
 * The rule pack says whose answer a judgement of effect is (acts: judge), and which checks there are: the
 * deadlines per measure that start when it is executed and are met by its judgement.
 */
#include "act.h"

#include <string.h>

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define ANCHOR(name) AVVIK__V1__ANCHOR__ANCHOR_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name
#define JUDGE(name) AVVIK__V1__EFFECT_JUDGE__EFFECT_JUDGE_##name
#define VERDICT(name) AVVIK__V1__MEASURE_VERDICT__MEASURE_VERDICT_##name

/* --- proposed and decided --- */

/* What is decided and what is proposed have the same plan. */
static Avvik__V1__DecideMeasure plan_of(const struct act *act)
{
	const Avvik__V1__ProposeMeasure *proposed = act->order->propose_measure;
	Avvik__V1__DecideMeasure plan = AVVIK__V1__DECIDE_MEASURE__INIT;

	if (act->order->act_case == ACT(DECIDE_MEASURE))
		return *act->order->decide_measure;
	plan.horizon = proposed->horizon;
	plan.description = proposed->description;
	plan.goal = proposed->goal;
	plan.responsible = proposed->responsible;
	plan.planned_start_on = proposed->planned_start_on;
	plan.planned_end_on = proposed->planned_end_on;
	return plan;
}

static void check_plan(struct act *act)
{
	const Avvik__V1__DecideMeasure copy = plan_of(act), *plan = &copy;

	act_need(act, plan->description, "description", "what is to be done");
	act_need(act, plan->goal, "goal", "the goal: how it is seen that the measure has had its effect");
	act_need(act, plan->responsible, "responsible", "the person who is responsible");
	act_need_person(act, plan->responsible, "responsible");
	if (plan->planned_end_on == 0)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), "planned_end_on",
			"give the day the measure is to be done");
	else if (plan->planned_start_on > plan->planned_end_on)
		av_fault(&act->ctx->faults, FAULT(CONTRADICTION), "planned_end_on",
			"the measure ends before it begins: change one of the days");
}

static int seal_plan(struct act *act, Avvik__V1__ContentRef **ret_ref)
{
	const Avvik__V1__DecideMeasure plan = plan_of(act);
	Avvik__V1__CaseText text = AVVIK__V1__CASE_TEXT__INIT;

	text.text = plan.description;
	text.goal = plan.goal;
	return av_seal_text(act->ctx, &text, ret_ref);
}

static int write_propose(struct act *act)
{
	const Avvik__V1__ProposeMeasure *plan = act->order->propose_measure;
	Avvik__V1__MeasureProposed *proposed = ACT_NEW(act, MeasureProposed, measure_proposed);
	struct av_id measure_id = av_ctx_id(act->ctx);
	int status = proposed ? seal_plan(act, &proposed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	proposed->measure_id = id_data(&measure_id, act->ctx->arena);
	proposed->horizon = plan->horizon;
	proposed->responsible = plan->responsible;
	proposed->planned_start_on = plan->planned_start_on;
	proposed->planned_end_on = plan->planned_end_on;
	act->accepted->measure_id = proposed->measure_id;
	return act_tell(act, EVENT(MEASURE_PROPOSED), proposed, 0, NULL);
}

/* The anchor of D25 is the planned end itself, a day to come. */
static int start_measure(struct act *act, int32_t planned_end_on, const ProtobufCBinaryData *measure_id,
	const struct av_id *id)
{
	return ledgers_fact(
		&act->ledgers, ANCHOR(MEASURE_PLANNED_END), av_day_start_ms(planned_end_on), measure_id, id);
}

static int write_decide_measure(struct act *act)
{
	const Avvik__V1__DecideMeasure *decide = act->order->decide_measure;
	Avvik__V1__MeasureDecided *decided = ACT_NEW(act, MeasureDecided, measure_decided);
	struct av_id measure_id = av_ctx_id(act->ctx), id;
	int status = decided ? seal_plan(act, &decided->content) : AV_MEMORY;

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
	return start_measure(act, decide->planned_end_on, &decided->measure_id, &id);
}

static void check_proposal(struct act *act)
{
	const Avvik__V1__DecideProposal *decide = act->order->decide_proposal;

	if (decide->verdict == VERDICT(UNSPECIFIED))
		av_fault(&act->ctx->faults, FAULT(REQUIRED), "verdict", "give approved, partly or rejected");
	if (decide->verdict != VERDICT(APPROVED))
		act_need(act, decide->comment, "comment",
			"the reasons: what is approved, what is not, and why");
}

static int write_proposal(struct act *act)
{
	const Avvik__V1__DecideProposal *decide = act->order->decide_proposal;
	const Avvik__V1__Measure *measure = act->intent.measure;
	Avvik__V1__ProposalDecided *decided = ACT_NEW(act, ProposalDecided, proposal_decided);
	int status = decided ? act_seal(act, decide->comment, &decided->content) : AV_MEMORY;
	struct av_id id;

	if (status != AV_OK)
		return status;
	decided->measure_id = measure->measure_id;
	decided->verdict = decide->verdict;
	decided->measure_state = decide->verdict == VERDICT(REJECTED)
					 ? AVVIK__V1__MEASURE_STATE__MEASURE_STATE_REJECTED
					 : AVVIK__V1__MEASURE_STATE__MEASURE_STATE_APPROVED;
	decided->responsible = measure->responsible;
	decided->planned_end_on = measure->planned_end_on;
	decided->state = act->next;
	act->accepted->measure_id = decided->measure_id;
	id = act_emit(act, EVENT(PROPOSAL_DECIDED), decided);
	return decide->verdict == VERDICT(REJECTED)
		       ? ledgers_fact(&act->ledgers, ANCHOR(MEASURE_REJECTED), act->acted_at_ms,
				 &decided->measure_id, &id)
		       : start_measure(act, measure->planned_end_on, &decided->measure_id, &id);
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
	status = act_tell(act, EVENT(NO_MEASURES_DECIDED), none, 0, NULL);
	if (status == AV_OK && act->found->state == AVVIK__V1__CASE_STATE__CASE_STATE_ASSESSMENT)
		status = act_warn(act, "decide_no_measures",
			"nothing is decided that keeps it from happening again: see that the motive says "
			"why");
	return status;
}

/* --- executed --- */

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

/* --- its effect --- */

static bool is_check(const struct act *act, const Avvik__V1__DeadlineRule *rule)
{
	return rule->per_measure && rule->starts == ANCHOR(MEASURE_EXECUTED) &&
	       deadline_concerns(rule, act->found->kind) &&
	       deadline_effect(rule, ANCHOR(MEASURE_EVALUATED)) == DEADLINE_MET;
}

/* The first check that is not settled, or the last one. */
static const char *first_check(const struct act *act)
{
	const Avvik__V1__RulePack *rules = act->pack->rules;
	const char *last = "";

	if (act->intent.measure && act->intent.measure->questioned)
		return CASE_CHECK_RECURRENCE;
	for (size_t i = 0; i < rules->n_deadlines; i++) {
		const Avvik__V1__EffectCheck *check;
		if (!is_check(act, rules->deadlines[i]))
			continue;
		last = rules->deadlines[i]->id;
		check = act->intent.measure ? case_effect_check(act->intent.measure, last) : NULL;
		if (!check || !check->settled_at_ms)
			break;
	}
	return last;
}

/* As whom the person answers, and whom the rule pack asks. A row that says neither answers for both. */
static void read_judges(struct act *act)
{
	const Avvik__V1__RulePack *rules = act->pack->rules;
	struct case_intent *intent = &act->intent;
	av_day today = av_local_day(act->ctx->now_ms);

	for (size_t i = 0; i < rules->n_acts; i++) {
		const Avvik__V1__ActRule *rule = rules->acts[i];
		bool held = false;

		if (strcmp(rule->act, "evaluate_measure") != 0 ||
			!workflow_act_rule_concerns(rule, act->found->kind))
			continue;
		intent->asks_investigator |= rule->judge == JUDGE(INVESTIGATOR);
		intent->asks_manager |= rule->judge == JUDGE(MANAGER);
		for (size_t r = 0; !held && *intent->person && act->view.org && r < rule->n_roles; r++)
			held = av_org_holds(
				act->view.org, intent->person, rule->roles[r], act->found->unit, today);
		intent->as_investigator |= held && rule->judge != JUDGE(MANAGER);
		intent->as_manager |= held && rule->judge != JUDGE(INVESTIGATOR);
	}
	intent->as_investigator |=
		*act->found->investigator && strcmp(act->found->investigator, intent->person) == 0;
	if (act->ledgers.taken_over_from) /* it was settled there, by whom it was there to settle */
		intent->as_investigator = intent->as_manager = true;
}

void act_read_effect(struct act *act)
{
	const Avvik__V1__EvaluateMeasure *evaluate = act->order->evaluate_measure;
	struct case_intent *intent = &act->intent;
	struct case_effect after;

	intent->effective = evaluate->effective;
	intent->accept_risk = evaluate->accept_risk;
	read_judges(act);
	intent->check = *evaluate->check ? evaluate->check : first_check(act);
	after = case_effect_after(intent);
	intent->act = !after.settled			       ? CASE_ACT_EVALUATE_PART
		      : after.effective || after.risk_accepted ? CASE_ACT_EVALUATE
							       : CASE_ACT_EVALUATE_WANTING;
}

static void check_evaluate(struct act *act)
{
	const Avvik__V1__RulePack *rules = act->pack->rules;
	const char *check = act->order->evaluate_measure->check, *known = "";
	bool found = *check == '\0' || (act->intent.measure && act->intent.measure->questioned &&
					       strcmp(check, CASE_CHECK_RECURRENCE) == 0);

	act_need(act, act->order->evaluate_measure->text, "text", "what was found of the effect");
	for (size_t i = 0; i < rules->n_deadlines; i++) {
		if (!is_check(act, rules->deadlines[i]))
			continue;
		found |= strcmp(rules->deadlines[i]->id, check) == 0;
		known = av_arena_printf(
			act->ctx->arena, "%s%s%s", known, *known ? ", " : "", rules->deadlines[i]->id);
	}
	if (!found)
		av_fault(&act->ctx->faults, FAULT(UNKNOWN_VALUE), "check",
			"the rule pack %s has no such check of a measure's effect: leave it out, or give one "
			"of %s",
			rules->version, known && *known ? known : "none");
}

static int write_settled(struct act *act, struct case_effect after)
{
	Avvik__V1__MeasureEvaluated *evaluated = ACT_NEW(act, MeasureEvaluated, measure_evaluated);
	struct av_id id;
	int status;

	if (!evaluated)
		return AV_MEMORY;
	evaluated->measure_id = act->intent.measure->measure_id;
	evaluated->effective = after.effective;
	evaluated->accept_risk = after.risk_accepted;
	evaluated->check = (char *)act->intent.check;
	evaluated->state = act->next;
	id = act_emit(act, EVENT(MEASURE_EVALUATED), evaluated);
	act->ledgers.check = act->intent.check;
	status = ledgers_fact(
		&act->ledgers, ANCHOR(MEASURE_EVALUATED), act->acted_at_ms, &evaluated->measure_id, &id);
	if (status == AV_OK && !after.effective)
		status = ledgers_fact(&act->ledgers, ANCHOR(MEASURE_WITHOUT_EFFECT), act->acted_at_ms,
			&evaluated->measure_id, &id);
	if (status == AV_OK && act->intent.act == CASE_ACT_EVALUATE_WANTING &&
		act->next == AVVIK__V1__CASE_STATE__CASE_STATE_CLOSED)
		status = act_warn(act, "evaluate_measure.effective",
			"the case is closed: reopen it to decide a new measure, or decide one in the case in "
			"which it came back");
	return status;
}

static int write_evaluate(struct act *act)
{
	const Avvik__V1__EvaluateMeasure *evaluate = act->order->evaluate_measure;
	struct case_effect after = case_effect_after(&act->intent);
	Avvik__V1__EffectJudged *judged = ACT_NEW(act, EffectJudged, effect_judged);
	int status = judged ? act_seal(act, evaluate->text, &judged->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	judged->measure_id = act->intent.measure->measure_id;
	judged->check = (char *)act->intent.check;
	judged->as_investigator = after.as_investigator;
	judged->as_manager = after.as_manager;
	judged->effective = evaluate->effective;
	judged->accept_risk = !evaluate->effective && evaluate->accept_risk;
	judged->awaits_investigator = after.awaits_investigator;
	judged->awaits_manager = after.awaits_manager;
	judged->responsible = act->intent.measure->responsible;
	(void)act_emit(act, EVENT(EFFECT_JUDGED), judged);
	if (after.settled)
		return write_settled(act, after);
	return act_warn(act, "evaluate_measure",
		after.awaits_manager ? "the effect is settled when the responsible manager has judged it too"
				     : "the effect is settled when the investigator has judged it too");
}

static const struct act_row rows[] = {
	/* clang-format off */
	{ ACT(PROPOSE_MEASURE),        "propose_measure",        check_plan,             write_propose },
	{ ACT(DECIDE_PROPOSAL),        "decide_proposal",        check_proposal,         write_proposal },
	{ ACT(DECIDE_MEASURE),         "decide_measure",         check_plan,             write_decide_measure },
	{ ACT(DECIDE_NO_MEASURES),     "decide_no_measures",     check_no_measures,      write_no_measures },
	{ ACT(EXECUTE_MEASURE),        "execute_measure",        NULL,                   write_execute },
	{ ACT(EVALUATE_MEASURE),       "evaluate_measure",       check_evaluate,         write_evaluate },
}; /* clang-format on */
const struct act_rows act_rows_measures = {rows, AV_COUNT(rows)};
