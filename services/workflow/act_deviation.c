/* act_deviation.c - the acts of a deviation that the unit handles: what each needs, writes, and means to
 * deadlines
 *
 * A deviation has a part for each law that it is inquired into under, with a risk of its own; place, reporter
 * and number are of the whole. It turns into lex Sarah by the answer of somebody who suspects misconduct, or
 * by the thresholds of the rule pack: in one write with the change of kind, and so of who may see it.
 */
#include "act.h"

#include <string.h>

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define ANCHOR(name) AVVIK__V1__ANCHOR__ANCHOR_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name
#define LAW(name) AVVIK__V1__LAW__LAW_##name

/* --- review --- */

/* The handler must be able to do the work: hold a role that begins inquiries, for this unit. */
static void check_take(struct act *act)
{
	char *handler = act->order->take_for_review->handler;

	if (act->ledgers.taken_over_from) /* nobody acts here who it could be */
		act_need(act, handler, "handler", "the person who handles it, by the id in the directory");
	act_need_person(act, handler, "handler");
	if (*handler && av_org_person(act->view.org, handler) &&
		!workflow_holds_for(&act->view, act->pack, act->found, "begin_inquiry", handler,
			act->found->unit, av_local_day(act->ctx->now_ms)))
		av_fault(&act->ctx->faults, FAULT(NOT_ALLOWED), "handler",
			"the person holds no role that may begin an inquiry for the unit of the case: choose "
			"a "
			"handler who does, or leave it out for yourself");
}

static int write_take(struct act *act)
{
	Avvik__V1__CaseTakenForReview *taken = ACT_NEW(act, CaseTakenForReview, case_taken_for_review);
	char *handler = act->order->take_for_review->handler;

	if (!taken)
		return AV_MEMORY;
	taken->handler = *handler ? handler : (char *)act->intent.person;
	taken->state = act->next;
	return act_tell(act, EVENT(CASE_TAKEN_FOR_REVIEW), taken, ANCHOR(REVIEW_BEGUN), NULL);
}

static int write_request(struct act *act)
{
	Avvik__V1__CompletionRequested *requested = ACT_NEW(act, CompletionRequested, completion_requested);
	int status = requested ? act_seal(act, act->order->request_completion->question, &requested->content)
			       : AV_MEMORY;

	if (status != AV_OK)
		return status;
	requested->state = act->next;
	return act_tell(act, EVENT(COMPLETION_REQUESTED), requested, ANCHOR(COMPLETION_REQUESTED), NULL);
}

static int write_answer(struct act *act)
{
	Avvik__V1__CompletionAnswered *answered = ACT_NEW(act, CompletionAnswered, completion_answered);
	int status =
		answered ? act_seal(act, act->order->answer_completion->text, &answered->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	answered->state = act->next;
	return act_tell(act, EVENT(COMPLETION_ANSWERED), answered, ANCHOR(COMPLETION_ANSWERED), NULL);
}

/* --- the inquiry --- */

static void check_begin(struct act *act)
{
	const Avvik__V1__BeginInquiry *begin = act->order->begin_inquiry;

	for (size_t i = 0; i < begin->n_laws; i++)
		if (begin->laws[i] != LAW(SOL) && begin->laws[i] != LAW(LSS) && begin->laws[i] != LAW(HSL))
			av_fault(&act->ctx->faults, FAULT(UNKNOWN_VALUE), "laws",
				"a deviation is inquired into under hsl, lss or sol: give one or two of "
				"them");
	if (begin->n_laws == 2 && begin->laws[0] == begin->laws[1])
		av_fault(&act->ctx->faults, FAULT(DUPLICATE), "laws", "give each law once");
	act_need_categories(act, begin->category, *begin->category ? begin->subcategory : "");
}

static int write_begin(struct act *act)
{
	const Avvik__V1__BeginInquiry *begin = act->order->begin_inquiry;
	Avvik__V1__InquiryBegun *begun = ACT_NEW(act, InquiryBegun, inquiry_begun);
	bool given = *begin->category != '\0';
	int status = begun ? act_seal(act, begin->text, &begun->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	begun->n_laws = begin->n_laws;
	begun->laws = begin->laws;
	begun->category = given ? begin->category : act->found->category;
	begun->subcategory = given ? begin->subcategory : act->found->subcategory;
	begun->state = act->next;
	return act_tell(act, EVENT(INQUIRY_BEGUN), begun, ANCHOR(INQUIRY_BEGUN), NULL);
}

static bool suspects(const struct act *act)
{
	const Avvik__V1__AssessRisk *assess = act->order->assess_risk;
	const Avvik__V1__RiskScale *risk = act->pack->rules->risk;

	return assess->law != LAW(HSL) && risk &&
	       case_suspects_lex_sarah(assess->probability, assess->severity, risk->lex_sarah_product,
		       risk->lex_sarah_severity);
}

void act_read_risk(struct act *act)
{
	act->intent.law = act->order->assess_risk->law;
	if (suspects(act))
		act->intent.act = CASE_ACT_ASSESS_RISK_TURNS;
}

static void check_risk(struct act *act)
{
	const Avvik__V1__AssessRisk *assess = act->order->assess_risk;
	const Avvik__V1__RiskScale *risk = act->pack->rules->risk;
	uint32_t size = risk && risk->size ? risk->size : 4;

	if (assess->probability < 1 || assess->probability > size)
		av_fault(&act->ctx->faults, FAULT(OUT_OF_RANGE), "probability",
			"give the probability, 1 to %u", size);
	if (assess->severity < 1 || assess->severity > size)
		av_fault(&act->ctx->faults, FAULT(OUT_OF_RANGE), "severity", "give the severity, 1 to %u",
			size);
}

/* What is suspected at a private provider's unit is the provider's to investigate. */
static int turn_at_provider(struct act *act)
{
	Avvik__V1__CasePlaced *placed = ACT_NEW(act, CasePlaced, case_placed);

	if (!placed)
		return AV_MEMORY;
	placed->unit = placed->from_unit = act->found->unit;
	return act_becomes_information(act, placed, act->acted_at_ms);
}

/* As lex Sarah the report is received now; the law is that of the day it first came in. A remedy already
 * recorded counts. */
static int turn(struct act *act, char *motive, Avvik__V1__TurnCause cause, Avvik__V1__Law law)
{
	Avvik__V1__CaseTurnedLexSarah *turned = ACT_NEW(act, CaseTurnedLexSarah, case_turned_lex_sarah);
	int status = turned ? act_seal(act, motive, &turned->content) : AV_MEMORY;
	struct ledgers *ledgers = &act->ledgers;
	bool at_provider = workflow_is_information(&act->view, act->pack, act->found->unit);
	struct av_id id;

	if (status != AV_OK)
		return status;
	turned->state = act->next;
	turned->legal_reference =
		(char *)workflow_reference(act->pack, "remedy", act->found->laws, act->found->n_laws);
	turned->cause = cause;
	turned->law = law;
	id = act_emit(act, EVENT(CASE_TURNED_LEX_SARAH), turned);
	ledgers->kind = at_provider ? AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION
				    : AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
	status = ledgers_fact(ledgers, ANCHOR(TURNED_LEX_SARAH), act->acted_at_ms, NULL, &id);
	if (status == AV_OK)
		status = ledgers_cancel(ledgers, true, ANCHOR(TURNED_LEX_SARAH), &id);
	if (status == AV_OK && at_provider)
		return turn_at_provider(act);
	if (status == AV_OK)
		status = ledgers_fact(ledgers, ANCHOR(RECEIVED), act->acted_at_ms, NULL, &id);
	if (status == AV_OK && act->found->remedied)
		status = ledgers_fact(ledgers, ANCHOR(REMEDIED), act->found->remedied_at_ms, NULL, &id);
	return status;
}

static int tell_high(struct act *act, const Avvik__V1__AssessRisk *assess)
{
	Avvik__V1__HighRiskFound *high = ACT_NEW(act, HighRiskFound, high_risk_found);

	if (!high)
		return AV_MEMORY;
	high->law = assess->law;
	high->probability = assess->probability;
	high->severity = assess->severity;
	(void)act_emit(act, EVENT(HIGH_RISK_FOUND), high);
	return AV_OK;
}

static int write_risk(struct act *act)
{
	const Avvik__V1__AssessRisk *assess = act->order->assess_risk;
	const Avvik__V1__RiskScale *risk = act->pack->rules->risk;
	Avvik__V1__RiskAssessed *assessed = ACT_NEW(act, RiskAssessed, risk_assessed);
	int status = assessed ? act_seal(act, assess->text, &assessed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	assessed->law = assess->law;
	assessed->probability = assess->probability;
	assessed->severity = assess->severity;
	assessed->high = assess->law == LAW(HSL) && risk &&
			 case_risk_is_high(assess->probability, assess->severity, risk->hsl_product,
				 risk->hsl_severity);
	assessed->suspect_lex_sarah = suspects(act);
	assessed->state = act->found->state; /* the turning is told by its own event */
	(void)act_emit(act, EVENT(RISK_ASSESSED), assessed);
	if (assessed->high)
		return tell_high(act, assess);
	if (!assessed->suspect_lex_sarah)
		return AV_OK;
	status = act_warn(act, "assess_risk.severity",
		"the risk has reached the thresholds of the rule pack: the case is turned into lex Sarah");
	return status == AV_OK
		       ? turn(act, (char *)"", AVVIK__V1__TURN_CAUSE__TURN_CAUSE_THRESHOLD, assess->law)
		       : status;
}

static void check_turn(struct act *act)
{
	act_need(act, act->order->turn_into_lex_sarah->motive, "motive", "why misconduct is suspected");
}

static int write_turn(struct act *act)
{
	return turn(
		act, act->order->turn_into_lex_sarah->motive, AVVIK__V1__TURN_CAUSE__TURN_CAUSE_ANSWER, 0);
}

static void check_complete(struct act *act)
{
	const Avvik__V1__CompleteInquiry *complete = act->order->complete_inquiry;
	const Avvik__V1__RulePack *rules = act->pack->rules;

	act_need(act, complete->text, "text", "what was found");
	for (size_t i = 0; i < complete->n_cause_areas; i++)
		act_need_code(act, rules->cause_areas, rules->n_cause_areas, complete->cause_areas[i],
			"cause_areas", "cause areas");
}

static int write_complete(struct act *act)
{
	const Avvik__V1__CompleteInquiry *complete = act->order->complete_inquiry;
	Avvik__V1__InquiryCompleted *completed = ACT_NEW(act, InquiryCompleted, inquiry_completed);
	int status = completed ? act_seal(act, complete->text, &completed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	completed->n_cause_areas = complete->n_cause_areas;
	completed->cause_areas = complete->cause_areas;
	completed->state = act->next;
	return act_tell(act, EVENT(INQUIRY_COMPLETED), completed, ANCHOR(INQUIRY_COMPLETED), NULL);
}

static const struct act_row rows[] = {
	/* clang-format off */
	{ ACT(TAKE_FOR_REVIEW),        "take_for_review",        check_take,             write_take },
	{ ACT(REQUEST_COMPLETION),     "request_completion",     NULL,                   write_request },
	{ ACT(ANSWER_COMPLETION),      "answer_completion",      NULL,                   write_answer },
	{ ACT(BEGIN_INQUIRY),          "begin_inquiry",          check_begin,            write_begin },
	{ ACT(ASSESS_RISK),            "assess_risk",            check_risk,             write_risk },
	{ ACT(COMPLETE_INQUIRY),       "complete_inquiry",       check_complete,         write_complete },
	{ ACT(TURN_INTO_LEX_SARAH),    "turn_into_lex_sarah",    check_turn,             write_turn },
}; /* clang-format on */
const struct act_rows act_rows_deviation = {rows, AV_COUNT(rows)};
