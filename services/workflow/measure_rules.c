/* measure_rules.c - the guards of a measure, and how the answers to a check of its effect are put together
 *
 * A measure is decided, executed, judged, in that order, and what was decided is never changed. Its effect is
 * judged by everybody whom the rule pack asks: it is effective when all say so.
 */
#include "case_rules.h"

#include <string.h>

#include "base/date.h"

#define MEASURE(name) AVVIK__V1__MEASURE_STATE__MEASURE_STATE_##name

size_t case_measures_in(const Avvik__V1__Case *found, Avvik__V1__MeasureState state)
{
	size_t count = 0;
	for (size_t i = 0; i < found->n_measures; i++)
		count += found->measures[i]->state == state;
	return count;
}

bool case_wants_measure(const Avvik__V1__Case *found)
{
	for (size_t i = 0; i < found->n_measures; i++) {
		const Avvik__V1__Measure *measure = found->measures[i];
		if (measure->state == MEASURE(EVALUATED) && !measure->effective && !measure->risk_accepted &&
			!measure->answered)
			return true;
	}
	return false;
}

const Avvik__V1__Measure *case_measure(const Avvik__V1__Case *found, const void *id, size_t size)
{
	for (size_t i = 0; i < found->n_measures; i++)
		if (found->measures[i]->measure_id.len == size &&
			memcmp(found->measures[i]->measure_id.data, id, size) == 0)
			return found->measures[i];
	return NULL;
}

/* --- its effect --- */

Avvik__V1__EffectCheck *case_effect_check(const Avvik__V1__Measure *measure, const char *rule)
{
	for (size_t i = 0; i < measure->n_checks; i++)
		if (strcmp(measure->checks[i]->rule, rule) == 0)
			return measure->checks[i];
	return NULL;
}

/* An answer that was given stands: whoever may answer for both fills what is open. */
struct case_effect case_effect_after(const struct case_intent *intent)
{
	const Avvik__V1__EffectCheck *check =
		intent->measure ? case_effect_check(intent->measure, intent->check) : NULL;
	const Avvik__V1__EffectAnswer *before[2] = {
		check ? check->investigator : NULL, check ? check->manager : NULL};
	struct case_effect after = {.effective = intent->effective, .risk_accepted = intent->accept_risk};

	after.as_investigator = intent->as_investigator && intent->asks_investigator && !before[0];
	after.as_manager = intent->as_manager && intent->asks_manager && !before[1];
	after.awaits_investigator = intent->asks_investigator && !before[0] && !after.as_investigator;
	after.awaits_manager = intent->asks_manager && !before[1] && !after.as_manager;
	after.settled = !after.awaits_investigator && !after.awaits_manager;
	for (int i = 0; i < 2; i++) {
		after.effective &= !before[i] || before[i]->effective;
		after.risk_accepted |= before[i] && before[i]->accept_risk;
	}
	after.risk_accepted &= !after.effective;
	return after;
}

/* --- guards --- */

static enum case_guard check_effect(const struct case_intent *intent)
{
	const Avvik__V1__Measure *measure = intent->measure;
	const Avvik__V1__EffectCheck *check = case_effect_check(measure, intent->check);
	struct case_effect after = case_effect_after(intent);

	if ((check && check->settled_at_ms) || (measure->state == MEASURE(EVALUATED) && !measure->effective))
		return CASE_GUARD_MEASURE_EVALUATED;
	if ((intent->asks_investigator || intent->asks_manager) && !after.as_investigator &&
		!after.as_manager)
		return CASE_GUARD_EFFECT_ANSWERED;
	return av_local_day(intent->acted_at_ms) < av_local_day(measure->executed_at_ms)
		       ? CASE_GUARD_JUDGED_EARLY
		       : CASE_ALLOWED;
}

static enum case_guard check_execute(const struct case_intent *intent)
{
	switch (intent->measure->state) {
	case MEASURE(PROPOSED):
		return CASE_GUARD_UNDECIDED;
	case MEASURE(APPROVED):
		return av_local_day(intent->acted_at_ms) < av_local_day(intent->measure->decided_at_ms)
			       ? CASE_GUARD_EXECUTED_EARLY
			       : CASE_ALLOWED;
	case MEASURE(REJECTED):
		return CASE_GUARD_MEASURE_REJECTED;
	case MEASURE(EXECUTED):
		return CASE_GUARD_MEASURE_EXECUTED;
	default:
		return CASE_GUARD_MEASURE_EVALUATED;
	}
}

static enum case_guard check_evaluate(const struct case_intent *intent)
{
	switch (intent->measure->state) {
	case MEASURE(EXECUTED):
	case MEASURE(EVALUATED):
		return check_effect(intent);
	case MEASURE(REJECTED):
		return CASE_GUARD_MEASURE_REJECTED;
	default:
		return CASE_GUARD_MEASURE_PENDING;
	}
}

enum case_guard case_check_measure(const Avvik__V1__Case *found, const struct case_intent *intent)
{
	if (intent->act == CASE_ACT_NO_MEASURES) { /* those that were decided are done */
		if (case_measures_in(found, MEASURE(PROPOSED)))
			return CASE_GUARD_UNDECIDED;
		if (found->state != AVVIK__V1__CASE_STATE__CASE_STATE_MEASURES &&
			found->state != AVVIK__V1__CASE_STATE__CASE_STATE_FOLLOW_UP)
			return CASE_ALLOWED;
		if (case_measures_in(found, MEASURE(APPROVED)))
			return CASE_GUARD_UNEXECUTED;
		return case_wants_measure(found) ? CASE_ALLOWED : CASE_GUARD_NOT_WANTED;
	}
	if (!intent->measure)
		return CASE_GUARD_MEASURE_UNKNOWN;
	switch (intent->act) {
	case CASE_ACT_APPROVE:
	case CASE_ACT_REJECT:
		return intent->measure->state == MEASURE(PROPOSED) ? CASE_ALLOWED
								   : CASE_GUARD_MEASURE_DECIDED;
	case CASE_ACT_EXECUTE:
	case CASE_ACT_EXECUTE_LAST:
		return check_execute(intent);
	default:
		return check_evaluate(intent);
	}
}
