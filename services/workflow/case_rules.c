/* case_rules.c - which row of the table an act is, the guards beside the table, and what follows */
#include "case_rules.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "base/status.h"

/* Those of the unit itself, for whom reading is limited while the lex Sarah officer has the case. */
static const char *const limited_roles[] = {"EC", "BITR_EC", "MEDARBETARE"};

bool case_is_serious(Avvik__V1__Degree degree)
{
	return degree == AVVIK__V1__DEGREE__DEGREE_SERIOUS_RISK ||
	       degree == AVVIK__V1__DEGREE__DEGREE_SERIOUS;
}

bool case_investigation_completed(const Avvik__V1__Case *found)
{
	return found->proposed_degree != AVVIK__V1__DEGREE__DEGREE_UNSPECIFIED;
}

bool case_task(const Avvik__V1__Case *found, const char *task)
{
	for (size_t i = 0; i < found->n_tasks; i++)
		if (strcmp(found->tasks[i], task) == 0)
			return true;
	return false;
}

/* A case goes on where it was when it was joined. */
static enum case_act parts_into(const Avvik__V1__Case *found)
{
	switch (found->joined_into ? found->joined_into->state_before : 0) {
	case AVVIK__V1__CASE_STATE__CASE_STATE_INCOMPLETE:
		return CASE_ACT_PART_INCOMPLETE;
	case AVVIK__V1__CASE_STATE__CASE_STATE_INVESTIGATION:
		return CASE_ACT_PART_INVESTIGATION;
	case AVVIK__V1__CASE_STATE__CASE_STATE_REVIEW:
		return CASE_ACT_PART_REVIEW;
	case AVVIK__V1__CASE_STATE__CASE_STATE_COMPLETION:
		return CASE_ACT_PART_COMPLETION;
	default:
		return CASE_ACT_PART_RECEIVED;
	}
}

enum case_act case_resolve(const Avvik__V1__Case *found, const Avvik__V1__ActOnCase *order)
{
	bool incomplete = found->state == AVVIK__V1__CASE_STATE__CASE_STATE_INCOMPLETE;

	switch (order->act_case) {
	case AVVIK__V1__ACT_ON_CASE__ACT_PLACE:
		return incomplete && !case_task(found, "reporter_unnamed") ? CASE_ACT_PLACE_LAST
									   : CASE_ACT_PLACE;
	case AVVIK__V1__ACT_ON_CASE__ACT_NAME_REPORTER:
		return incomplete && !case_task(found, "unplaced") ? CASE_ACT_NAME_REPORTER_LAST
								   : CASE_ACT_NAME_REPORTER;
	case AVVIK__V1__ACT_ON_CASE__ACT_REMEDY:
		return CASE_ACT_REMEDY;
	case AVVIK__V1__ACT_ON_CASE__ACT_INFORM_AFFECTED:
		return CASE_ACT_INFORM;
	case AVVIK__V1__ACT_ON_CASE__ACT_INFORM_RELATIVES:
		return CASE_ACT_INFORM_RELATIVES;
	case AVVIK__V1__ACT_ON_CASE__ACT_CONFIRM_FILE_ENTRY:
		return CASE_ACT_FILE_ENTRY;
	case AVVIK__V1__ACT_ON_CASE__ACT_DECIDE_POLICE_REPORT:
		return CASE_ACT_POLICE;
	case AVVIK__V1__ACT_ON_CASE__ACT_SET_REGISTRY_NUMBER:
		return CASE_ACT_REGISTRY;
	case AVVIK__V1__ACT_ON_CASE__ACT_ASSESS_INITIALLY:
		return order->assess_initially->investigate ? CASE_ACT_INVESTIGATE : CASE_ACT_TAKE_POSITION;
	case AVVIK__V1__ACT_ON_CASE__ACT_FIND_SERIOUS:
		return CASE_ACT_FIND_SERIOUS;
	case AVVIK__V1__ACT_ON_CASE__ACT_RECORD_ENTRY:
		return CASE_ACT_RECORD_ENTRY;
	case AVVIK__V1__ACT_ON_CASE__ACT_COMPLETE_INVESTIGATION:
		return CASE_ACT_COMPLETE;
	case AVVIK__V1__ACT_ON_CASE__ACT_DECIDE:
		return CASE_ACT_DECIDE;
	case AVVIK__V1__ACT_ON_CASE__ACT_NOTIFY_IVO:
		return CASE_ACT_NOTIFY_IVO;
	case AVVIK__V1__ACT_ON_CASE__ACT_HAND_IN_INVESTIGATION:
		return CASE_ACT_HAND_IN;
	case AVVIK__V1__ACT_ON_CASE__ACT_PROPOSE_MEASURE:
		return CASE_ACT_PROPOSE;
	case AVVIK__V1__ACT_ON_CASE__ACT_DECIDE_PROPOSAL:
		return order->decide_proposal->verdict == AVVIK__V1__MEASURE_VERDICT__MEASURE_VERDICT_REJECTED
			       ? CASE_ACT_REJECT
			       : CASE_ACT_APPROVE;
	case AVVIK__V1__ACT_ON_CASE__ACT_DECIDE_MEASURE:
		return CASE_ACT_DECIDE_MEASURE;
	case AVVIK__V1__ACT_ON_CASE__ACT_DECIDE_NO_MEASURES:
		return CASE_ACT_NO_MEASURES;
	case AVVIK__V1__ACT_ON_CASE__ACT_EXECUTE_MEASURE: /* the last one leads to follow-up, unless another
							     is wanted */
		return case_measures_in(found, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_APPROVED) <= 1 &&
				       !case_wants_measure(found)
			       ? CASE_ACT_EXECUTE_LAST
			       : CASE_ACT_EXECUTE;
	case AVVIK__V1__ACT_ON_CASE__ACT_EVALUATE_MEASURE:
		return CASE_ACT_EVALUATE; /* or another of its rows: by case_effect_after() */
	case AVVIK__V1__ACT_ON_CASE__ACT_CLOSE:
		return CASE_ACT_CLOSE;
	case AVVIK__V1__ACT_ON_CASE__ACT_CLOSE_EARLY:
		return CASE_ACT_CLOSE_EARLY;
	case AVVIK__V1__ACT_ON_CASE__ACT_TAKE_FOR_REVIEW:
		return CASE_ACT_TAKE;
	case AVVIK__V1__ACT_ON_CASE__ACT_REQUEST_COMPLETION:
		return CASE_ACT_REQUEST;
	case AVVIK__V1__ACT_ON_CASE__ACT_ANSWER_COMPLETION:
		return CASE_ACT_ANSWER;
	case AVVIK__V1__ACT_ON_CASE__ACT_BEGIN_INQUIRY:
		return CASE_ACT_BEGIN_INQUIRY;
	case AVVIK__V1__ACT_ON_CASE__ACT_ASSESS_RISK: /* or ASSESS_RISK_TURNS, by the thresholds */
		return CASE_ACT_ASSESS_RISK;
	case AVVIK__V1__ACT_ON_CASE__ACT_COMPLETE_INQUIRY:
		return CASE_ACT_COMPLETE_INQUIRY;
	case AVVIK__V1__ACT_ON_CASE__ACT_TURN_INTO_LEX_SARAH:
		return CASE_ACT_TURN;
	case AVVIK__V1__ACT_ON_CASE__ACT_STOP_DEADLINE:
		return CASE_ACT_STOP_DEADLINE;
	case AVVIK__V1__ACT_ON_CASE__ACT_RESUME_DEADLINE:
		return CASE_ACT_RESUME_DEADLINE;
	case AVVIK__V1__ACT_ON_CASE__ACT_EXTEND_DEADLINE:
		return CASE_ACT_EXTEND_DEADLINE;
	case AVVIK__V1__ACT_ON_CASE__ACT_LIFT_IVO_DUTY:
		return CASE_ACT_LIFT_DUTY;
	case AVVIK__V1__ACT_ON_CASE__ACT_RECORD_IVO_REQUEST:
		return CASE_ACT_IVO_REQUEST;
	case AVVIK__V1__ACT_ON_CASE__ACT_ANSWER_IVO_REQUEST:
		return CASE_ACT_IVO_ANSWER;
	case AVVIK__V1__ACT_ON_CASE__ACT_RECORD_IVO_DECISION:
		return CASE_ACT_IVO_DECISION;
	case AVVIK__V1__ACT_ON_CASE__ACT_RECONSIDER:
		return CASE_ACT_RECONSIDER;
	case AVVIK__V1__ACT_ON_CASE__ACT_RETURN_TO_DEVIATION:
		return CASE_ACT_RETURN;
	case AVVIK__V1__ACT_ON_CASE__ACT_REGISTER_INFORMATION:
		return found->provider_notified_at_ms ? CASE_ACT_REGISTER_NOTIFIED : CASE_ACT_REGISTER;
	case AVVIK__V1__ACT_ON_CASE__ACT_RECORD_PROVIDER_NOTIFICATION:
		return CASE_ACT_PROVIDER_NOTIFIED;
	case AVVIK__V1__ACT_ON_CASE__ACT_REOPEN:
		return CASE_ACT_REOPEN;
	case AVVIK__V1__ACT_ON_CASE__ACT_JOIN:
		return CASE_ACT_JOIN;
	case AVVIK__V1__ACT_ON_CASE__ACT_PART:
		return parts_into(found);
	case AVVIK__V1__ACT_ON_CASE__ACT_DISMISS_DUPLICATE:
		return CASE_ACT_DISMISS;
	case AVVIK__V1__ACT_ON_CASE__ACT_CORRECT_CONTENT:
		return CASE_ACT_CORRECT;
	default:
		return CASE_ACT_COUNT;
	}
}

#define IVO(name) AVVIK__V1__IVO_STATE__IVO_STATE_##name

static enum case_guard check_close(const Avvik__V1__Case *found, const struct case_intent *intent)
{
	if (found->kind == AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION)
		return CASE_ALLOWED; /* the provider's own measures and statistics */
	if (case_measures_in(found, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_PROPOSED))
		return CASE_GUARD_UNDECIDED;
	if (case_measures_in(found, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_APPROVED))
		return CASE_GUARD_UNEXECUTED;
	if (case_measures_in(found, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_EXECUTED))
		return CASE_GUARD_UNEVALUATED;
	if (case_wants_measure(found))
		return CASE_GUARD_MEASURE_WANTED;
	if (found->ivo == IVO(REQUIRED))
		return CASE_GUARD_CLOSE_UNNOTIFIED;
	if (case_ivo_waits(found))
		return CASE_GUARD_CLOSE_INCOMPLETE;
	if (!intent->category_given && !*found->category)
		return CASE_GUARD_CATEGORY;
	return CASE_ALLOWED;
}

static enum case_guard check_guards(const Avvik__V1__Case *found, const struct case_intent *intent)
{
	switch (intent->act) {
	case CASE_ACT_NAME_REPORTER:
	case CASE_ACT_NAME_REPORTER_LAST:
		return found->reporter_named ? CASE_GUARD_REPORTER_NAMED : CASE_ALLOWED;
	case CASE_ACT_TAKE_POSITION:
		if (intent->degree != AVVIK__V1__DEGREE__DEGREE_NONE)
			return CASE_GUARD_POSITION_DEGREE;
		return found->ivo == IVO(NOT_REQUIRED) ? CASE_ALLOWED : CASE_GUARD_POSITION_SERIOUS;
	case CASE_ACT_COMPLETE:
		return (found->items_documented & CASE_ITEMS_REQUIRED) == CASE_ITEMS_REQUIRED
			       ? CASE_ALLOWED
			       : CASE_GUARD_ITEMS_MISSING;
	case CASE_ACT_DECIDE: /* invariant vi */
		return intent->person && strcmp(intent->person, found->investigator) == 0
			       ? CASE_GUARD_INVESTIGATOR
			       : CASE_ALLOWED;
	case CASE_ACT_APPROVE:
	case CASE_ACT_REJECT:
	case CASE_ACT_NO_MEASURES:
	case CASE_ACT_EXECUTE:
	case CASE_ACT_EXECUTE_LAST:
	case CASE_ACT_EVALUATE_PART:
	case CASE_ACT_EVALUATE:
	case CASE_ACT_EVALUATE_WANTING:
		return case_check_measure(found, intent);
	case CASE_ACT_CLOSE:
		return check_close(found, intent);
	case CASE_ACT_STOP_DEADLINE:
	case CASE_ACT_RESUME_DEADLINE:
	case CASE_ACT_EXTEND_DEADLINE:
		return intent->deadline;
	case CASE_ACT_PROVIDER_NOTIFIED:
		return found->provider_notified_at_ms ? CASE_GUARD_PROVIDER_TOLD : CASE_ALLOWED;
	case CASE_ACT_JOIN:
	case CASE_ACT_DISMISS:
	case CASE_ACT_CORRECT:
		return intent->other;
	case CASE_ACT_RETURN:
		if (!found->was_deviation)
			return CASE_GUARD_NOT_A_DEVIATION;
		if (found->n_joined)
			return CASE_GUARD_JOIN_OTHERS;
		return found->ivo == IVO(NOT_REQUIRED) && !found->notifications ? CASE_ALLOWED
										: CASE_GUARD_RETURN_SERIOUS;
	case CASE_ACT_ASSESS_RISK:
	case CASE_ACT_ASSESS_RISK_TURNS:
		return case_part(found, intent->law) ? CASE_ALLOWED : CASE_GUARD_PART_UNKNOWN;
	case CASE_ACT_COMPLETE_INQUIRY:
		for (size_t i = 0; i < found->n_parts; i++)
			if (!found->parts[i]->probability)
				return CASE_GUARD_RISK_MISSING;
		return found->n_parts ? CASE_ALLOWED : CASE_GUARD_LAWS_MISSING;
	case CASE_ACT_BEGIN_INQUIRY: /* again of one that came back from the lex Sarah officer without a law
				      */
		return found->n_parts ? CASE_GUARD_INQUIRY_BEGUN : CASE_ALLOWED;
	default:
		return case_check_ivo(found, intent);
	}
}

enum case_guard case_check(
	const Avvik__V1__Case *found, const struct case_intent *intent, Avvik__V1__CaseState *ret_next)
{
	Avvik__V1__CaseState next = case_next(found->kind, found->state, intent->act);
	enum case_guard guard;

	if (next == AVVIK__V1__CASE_STATE__CASE_STATE_UNSPECIFIED)
		return CASE_GUARD_STATE;
	guard = check_guards(found, intent);
	if (guard == CASE_ALLOWED)
		*ret_next = next;
	return guard;
}

/* What the state allows must not wait for something that the case cannot have. */
static bool concerned(const Avvik__V1__Case *found, enum case_act act)
{
	struct case_intent intent = {.act = act};

	switch (act) {
	case CASE_ACT_NAME_REPORTER:
	case CASE_ACT_NAME_REPORTER_LAST:
		return !found->reporter_named;
	case CASE_ACT_IVO_ANSWER:
		return case_requests_open(found) > 0;
	case CASE_ACT_HAND_IN:
		return case_ivo_waits(found);
	case CASE_ACT_JOIN:
		return !found->n_joined;
	case CASE_ACT_DISMISS:
		return found->n_duplicates > 0;
	case CASE_ACT_CORRECT:
		return found->n_contents > 0;
	case CASE_ACT_RETURN:
	case CASE_ACT_PROVIDER_NOTIFIED:
		return check_guards(found, &intent) == CASE_ALLOWED;
	case CASE_ACT_EVALUATE_PART:
	case CASE_ACT_EVALUATE:
	case CASE_ACT_EVALUATE_WANTING:
		return found->n_measures > 0;
	default:
		return case_check_ivo(found, &intent) == CASE_ALLOWED;
	}
}

size_t case_acts_possible(const Avvik__V1__Case *found, const char *ret_names[CASE_ACT_COUNT])
{
	size_t count = 0;
	for (int act = 0; act < CASE_ACT_COUNT; act++) {
		if (!case_next(found->kind, found->state, (enum case_act)act) ||
			!concerned(found, (enum case_act)act))
			continue;
		if (count == 0 || strcmp(ret_names[count - 1], case_act_name((enum case_act)act)) !=
					  0) /* columns of one act stand together */
			ret_names[count++] = case_act_name((enum case_act)act);
	}
	return count;
}

void case_items_missing(uint32_t documented, char *ret_text, size_t size)
{
	uint32_t missing = CASE_ITEMS_REQUIRED & ~documented;
	size_t at = 0;

	ret_text[0] = '\0';
	for (unsigned int item = 1; item <= 10 && at < size; item++) {
		if (!(missing & 1u << item))
			continue;
		missing &= ~(1u << item);
		at += (size_t)snprintf(ret_text + at, size - at, "%s%u",
			at == 0	  ? ""
			: missing ? ", "
				  : " and ",
			item);
	}
}

bool case_with_officer(const Avvik__V1__Case *found)
{
	if (found->kind != AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH)
		return false;
	switch (found->state) {
	case AVVIK__V1__CASE_STATE__CASE_STATE_DECIDED:
	case AVVIK__V1__CASE_STATE__CASE_STATE_MEASURES:
	case AVVIK__V1__CASE_STATE__CASE_STATE_FOLLOW_UP:
	case AVVIK__V1__CASE_STATE__CASE_STATE_CLOSED:
		return false;
	default:
		return true;
	}
}

bool case_role_reads(const Avvik__V1__Case *found, const char *role, const char *person)
{
	if (!case_with_officer(found) || (*found->investigator && strcmp(found->investigator, person) == 0))
		return true;
	return !case_role_limited(role);
}

bool case_role_limited(const char *role)
{
	for (size_t i = 0; i < AV_COUNT(limited_roles); i++)
		if (strcmp(role, limited_roles[i]) == 0)
			return true;
	return false;
}

Avvik__V1__CasePart *case_part(const Avvik__V1__Case *found, Avvik__V1__Law law)
{
	for (size_t i = 0; i < found->n_parts; i++)
		if (found->parts[i]->law == law)
			return found->parts[i];
	return NULL;
}

bool case_risk_is_high(
	uint32_t probability, uint32_t severity, uint32_t product_threshold, uint32_t severity_threshold)
{
	return (product_threshold && probability * severity >= product_threshold) ||
	       (severity_threshold && severity >= severity_threshold);
}

bool case_suspects_lex_sarah(
	uint32_t probability, uint32_t severity, uint32_t product_threshold, uint32_t severity_threshold)
{
	if (product_threshold == 0 && severity_threshold == 0)
		return false;
	return probability * severity >= product_threshold && severity >= severity_threshold;
}
