/* workflow_measure_guards.c - the guards of measures and of their effect: proposed, decided, executed, judged */
#include "workflow_lex.h"

static void a_measure_is_executed_then_judged_and_each_once(void **state)
{
	Avvik__V1__Case found = lex(STATE(MEASURES));
	Avvik__V1__Measure *measure = with_measure(&found, MEASURE(APPROVED));
	Avvik__V1__EffectCheck judged = AVVIK__V1__EFFECT_CHECK__INIT, *checks[] = {&judged};
	struct case_intent execute = {.act = CASE_ACT_EXECUTE, .measure = measure},
			   judge = {.act = CASE_ACT_EVALUATE, .measure = measure, .check = "D26"};

	(void)state;
	want(&found, (struct case_intent){.act = CASE_ACT_EXECUTE}, CASE_GUARD_MEASURE_UNKNOWN);
	want(&found, judge, CASE_GUARD_MEASURE_PENDING);
	want(&found, execute, CASE_ALLOWED);
	measure->state = MEASURE(EXECUTED);
	want(&found, execute, CASE_GUARD_MEASURE_EXECUTED);
	want(&found, judge, CASE_ALLOWED);
	measure->state = MEASURE(EVALUATED);
	measure->effective = true;
	judged.rule = (char *)"D26";
	judged.settled_at_ms = 1;
	measure->checks = checks;
	measure->n_checks = 1;
	want(&found, judge, CASE_GUARD_MEASURE_EVALUATED);
	want(&found, execute, CASE_GUARD_MEASURE_EVALUATED);
	judge.check = "D26B"; /* a later one is open */
	want(&found, judge, CASE_ALLOWED);
	measure->effective = false; /* but not of a measure that had no effect */
	want(&found, judge, CASE_GUARD_MEASURE_EVALUATED);
}

static void a_proposal_is_decided_once_and_only_what_is_approved_is_executed(void **state)
{
	Avvik__V1__Case found = lex(STATE(MEASURES));
	Avvik__V1__Measure *measure = with_measure(&found, MEASURE(PROPOSED));
	struct case_intent approve = {.act = CASE_ACT_APPROVE, .measure = measure},
			   reject = {.act = CASE_ACT_REJECT, .measure = measure},
			   execute = {.act = CASE_ACT_EXECUTE, .measure = measure},
			   judge = {.act = CASE_ACT_EVALUATE, .measure = measure, .check = ""},
			   none = {.act = CASE_ACT_NO_MEASURES};

	(void)state;
	want(&found, (struct case_intent){.act = CASE_ACT_APPROVE}, CASE_GUARD_MEASURE_UNKNOWN);
	want(&found, approve, CASE_ALLOWED);
	want(&found, reject, CASE_ALLOWED);
	want(&found, execute, CASE_GUARD_UNDECIDED);
	want(&found, judge, CASE_GUARD_MEASURE_PENDING);
	want(&found, none, CASE_GUARD_UNDECIDED);
	for (int decided = MEASURE(APPROVED); decided <= MEASURE(EVALUATED); decided++) {
		measure->state = (Avvik__V1__MeasureState)decided;
		want(&found, approve, CASE_GUARD_MEASURE_DECIDED);
		want(&found, reject, CASE_GUARD_MEASURE_DECIDED);
		want(&found, none,
			decided == MEASURE(APPROVED)	? CASE_GUARD_UNEXECUTED
			: decided == MEASURE(EVALUATED) ? CASE_ALLOWED /* it had no effect */
							: CASE_GUARD_NOT_WANTED);
	}
	measure->state = MEASURE(REJECTED);
	want(&found, execute, CASE_GUARD_MEASURE_REJECTED);
	want(&found, judge, CASE_GUARD_MEASURE_REJECTED);
}

static void a_measure_is_executed_after_it_was_decided_and_judged_after_that(void **state)
{
	Avvik__V1__Case found = lex(STATE(MEASURES));
	Avvik__V1__Measure *measure = with_measure(&found, MEASURE(APPROVED));
	const int64_t day = 86400000, decided = 20600 * day + day / 2;
	struct case_intent execute = {.act = CASE_ACT_EXECUTE, .measure = measure},
			   judge = {.act = CASE_ACT_EVALUATE, .measure = measure, .check = ""};

	(void)state;
	measure->decided_at_ms = decided;
	execute.acted_at_ms = decided - day;
	want(&found, execute, CASE_GUARD_EXECUTED_EARLY);
	execute.acted_at_ms = decided - day / 4; /* the same day: the hour is not known so well */
	want(&found, execute, CASE_ALLOWED);
	measure->state = MEASURE(EXECUTED);
	measure->executed_at_ms = decided + 2 * day;
	judge.acted_at_ms = decided + day;
	want(&found, judge, CASE_GUARD_JUDGED_EARLY);
	judge.acted_at_ms = decided + 2 * day;
	want(&found, judge, CASE_ALLOWED);
}

/* Who is asked, who answers what: the effect is settled when all have, and there when all say so. */
static void an_effect_is_settled_by_all_who_are_asked(void **state)
{
	Avvik__V1__Case found = lex(STATE(FOLLOW_UP));
	Avvik__V1__Measure *measure = with_measure(&found, MEASURE(EXECUTED));
	Avvik__V1__EffectCheck check = AVVIK__V1__EFFECT_CHECK__INIT, *checks[] = {&check};
	Avvik__V1__EffectAnswer answer = AVVIK__V1__EFFECT_ANSWER__INIT;
	struct case_intent judge = {.act = CASE_ACT_EVALUATE_PART,
		.measure = measure,
		.check = "D26",
		.asks_investigator = true,
		.asks_manager = true,
		.as_investigator = true,
		.effective = true};
	struct case_effect after = case_effect_after(&judge);

	(void)state;
	assert_false(after.settled);
	assert_true(after.as_investigator && after.awaits_manager && !after.awaits_investigator);
	judge.as_manager = true; /* one who is both settles it alone */
	assert_true(case_effect_after(&judge).settled);
	check.rule = (char *)"D26";
	check.investigator = &answer;
	measure->checks = checks;
	measure->n_checks = 1;
	judge.as_manager = false;
	want(&found, judge, CASE_GUARD_EFFECT_ANSWERED);
	judge.as_manager = true;
	want(&found, judge, CASE_ALLOWED);
	for (int said = 0; said < 8; said++) {
		answer.effective = said & 1;
		answer.accept_risk = !answer.effective && said & 4;
		judge.effective = said & 2;
		judge.accept_risk = false;
		after = case_effect_after(&judge);
		assert_true(after.settled && after.as_manager && !after.as_investigator);
		assert_int_equal(after.effective, (said & 3) == 3); /* they differ: it is not effective */
		assert_int_equal(after.risk_accepted, !(said & 1) && (said & 4) != 0);
	}
	judge.asks_investigator = judge.asks_manager = false; /* a pack that asks nobody: one answer */
	measure->n_checks = 0;
	assert_true(case_effect_after(&judge).settled);
}

static void the_last_measure_leads_to_follow_up_unless_another_is_wanted(void **state)
{
	Avvik__V1__ExecuteMeasure execute = AVVIK__V1__EXECUTE_MEASURE__INIT;
	Avvik__V1__Case found = lex(STATE(MEASURES));
	Avvik__V1__Measure *first = with_measure(&found, MEASURE(APPROVED)),
			   *second = with_measure(&found, MEASURE(APPROVED));

	(void)state;
	assert_int_equal(
		resolved(&found, AVVIK__V1__ACT_ON_CASE__ACT_EXECUTE_MEASURE, &execute), CASE_ACT_EXECUTE);
	second->state = MEASURE(EXECUTED);
	assert_int_equal(resolved(&found, AVVIK__V1__ACT_ON_CASE__ACT_EXECUTE_MEASURE, &execute),
		CASE_ACT_EXECUTE_LAST);
	second->state = MEASURE(EVALUATED); /* and proved ineffective, without an answer */
	assert_true(case_wants_measure(&found));
	assert_int_equal(
		resolved(&found, AVVIK__V1__ACT_ON_CASE__ACT_EXECUTE_MEASURE, &execute), CASE_ACT_EXECUTE);
	second->answered = true;
	assert_int_equal(resolved(&found, AVVIK__V1__ACT_ON_CASE__ACT_EXECUTE_MEASURE, &execute),
		CASE_ACT_EXECUTE_LAST);
	second->answered = false;
	second->risk_accepted = true;
	assert_false(case_wants_measure(&found));
	second->risk_accepted = false;
	second->effective = true;
	assert_false(case_wants_measure(&found));
	assert_int_equal(first->state, MEASURE(APPROVED));
}

static void no_more_measures_is_said_of_one_without_effect_alone(void **state)
{
	Avvik__V1__Case found = lex(STATE(MEASURES));
	Avvik__V1__Measure *measure = with_measure(&found, MEASURE(EVALUATED));
	struct case_intent none = {.act = CASE_ACT_NO_MEASURES};

	(void)state;
	want(&found, none, CASE_ALLOWED);
	measure->effective = true;
	want(&found, none, CASE_GUARD_NOT_WANTED);
	found.state = STATE(DECIDED);
	want(&found, none, CASE_ALLOWED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_measure_is_executed_then_judged_and_each_once),
		cmocka_unit_test(a_proposal_is_decided_once_and_only_what_is_approved_is_executed),
		cmocka_unit_test(a_measure_is_executed_after_it_was_decided_and_judged_after_that),
		cmocka_unit_test(an_effect_is_settled_by_all_who_are_asked),
		cmocka_unit_test(the_last_measure_leads_to_follow_up_unless_another_is_wanted),
		cmocka_unit_test(no_more_measures_is_said_of_one_without_effect_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
