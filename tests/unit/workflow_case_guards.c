/* workflow_case_guards.c - the guards, one by one, and the invariants of a lex Sarah case */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/macros.h"
#include "base/status.h"
#include "case_rules.h"

#define STATE(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name
#define IVO(name) AVVIK__V1__IVO_STATE__IVO_STATE_##name
#define DEGREE(name) AVVIK__V1__DEGREE__DEGREE_##name
#define MEASURE(name) AVVIK__V1__MEASURE_STATE__MEASURE_STATE_##name

static Avvik__V1__Measure measures[4];
static Avvik__V1__Measure *measure_list[4] = {&measures[0], &measures[1], &measures[2], &measures[3]};
static unsigned char measure_ids[4][16];

static Avvik__V1__Case lex(Avvik__V1__CaseState state)
{
	Avvik__V1__Case found = AVVIK__V1__CASE__INIT;

	found.kind = AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
	found.state = state;
	found.ivo = IVO(NOT_REQUIRED);
	found.reporter_named = true;
	found.category = (char *)"BEM";
	found.investigator = (char *)"eva";
	found.measures = measure_list;
	for (size_t i = 0; i < AV_COUNT(measures); i++) {
		avvik__v1__measure__init(&measures[i]);
		measure_ids[i][0] = (unsigned char)(i + 1);
		measures[i].measure_id = (ProtobufCBinaryData){16, measure_ids[i]};
	}
	return found;
}

static Avvik__V1__Measure *with_measure(Avvik__V1__Case *found, Avvik__V1__MeasureState state)
{
	Avvik__V1__Measure *measure = &measures[found->n_measures++];
	measure->state = state;
	return measure;
}

static void want(const Avvik__V1__Case *found, struct case_intent intent, enum case_guard guard)
{
	Avvik__V1__CaseState next = STATE(UNSPECIFIED);
	enum case_guard got = case_check(found, &intent, &next);

	if (got != guard)
		fail_msg("%s in %s: got %s, want %s", case_act_column(intent.act),
			case_state_name(found->state), case_guard_name(got), case_guard_name(guard));
	if (guard == CASE_ALLOWED)
		assert_int_not_equal(next, STATE(UNSPECIFIED));
	else
		assert_int_equal(next, STATE(UNSPECIFIED)); /* set on success alone */
}

static void every_guard_names_itself_and_says_what_would_satisfy_it(void **state)
{
	(void)state;
	for (int guard = CASE_ALLOWED + 1; guard < CASE_GUARD_COUNT; guard++) {
		assert_true(strlen(case_guard_name((enum case_guard)guard)) > 3);
		assert_true(strlen(case_guard_text((enum case_guard)guard)) > 30);
		assert_true(case_guard_status((enum case_guard)guard) < 0);
	}
	assert_int_equal(case_guard_status(CASE_GUARD_INVESTIGATOR), AV_FORBIDDEN);
	assert_int_equal(case_guard_status(CASE_GUARD_CLOSE_UNNOTIFIED), AV_CLOSED);
}

static void the_wrong_state_is_a_guard_too(void **state)
{
	Avvik__V1__Case found = lex(STATE(RECEIVED));
	(void)state;
	want(&found, (struct case_intent){.act = CASE_ACT_DECIDE}, CASE_GUARD_STATE);
}

static void a_position_is_only_for_what_clearly_is_no_misconduct(void **state)
{
	Avvik__V1__Case found = lex(STATE(RECEIVED));

	(void)state;
	want(&found, (struct case_intent){.act = CASE_ACT_TAKE_POSITION, .degree = DEGREE(NONE)},
		CASE_ALLOWED);
	for (int degree = DEGREE(RISK); degree <= DEGREE(SERIOUS); degree++)
		want(&found,
			(struct case_intent){
				.act = CASE_ACT_TAKE_POSITION, .degree = (Avvik__V1__Degree)degree},
			CASE_GUARD_POSITION_DEGREE);
	found.ivo = IVO(REQUIRED);
	want(&found, (struct case_intent){.act = CASE_ACT_TAKE_POSITION, .degree = DEGREE(NONE)},
		CASE_GUARD_POSITION_SERIOUS);
}

static void an_investigation_is_complete_with_items_1_to_8_and_10(void **state)
{
	Avvik__V1__Case found = lex(STATE(INVESTIGATION));
	char missing[60];

	(void)state;
	for (uint32_t items = 0; items < 1u << 11; items += 2) { /* all combinations of ten items */
		bool complete = true;
		for (int item = 1; item <= 10; item++)
			complete &= item == 9 || (items & 1u << item);
		found.items_documented = items;
		want(&found, (struct case_intent){.act = CASE_ACT_COMPLETE},
			complete ? CASE_ALLOWED : CASE_GUARD_ITEMS_MISSING);
		case_items_missing(items, missing, sizeof(missing));
		assert_int_equal(*missing == '\0', complete);
	}
	case_items_missing(0, missing, sizeof(missing));
	assert_string_equal(missing, "1, 2, 3, 4, 5, 6, 7, 8 and 10");
	case_items_missing(0x5feu & ~(1u << 3), missing, sizeof(missing));
	assert_string_equal(missing, "3");
}

static void invariant_vi_the_investigator_does_not_decide(void **state)
{
	Avvik__V1__Case found = lex(STATE(ASSESSMENT));
	(void)state;
	want(&found, (struct case_intent){.act = CASE_ACT_DECIDE, .person = "eva", .degree = DEGREE(RISK)},
		CASE_GUARD_INVESTIGATOR);
	want(&found, (struct case_intent){.act = CASE_ACT_DECIDE, .person = "sara", .degree = DEGREE(RISK)},
		CASE_ALLOWED);
}

static void invariant_i_a_serious_degree_is_notified_before_closing(void **state)
{
	(void)state;
	for (int degree = DEGREE(NONE); degree <= DEGREE(SERIOUS); degree++) {
		Avvik__V1__Case found = lex(STATE(ASSESSMENT));
		struct case_intent decide = {
			.act = CASE_ACT_DECIDE, .person = "sara", .degree = (Avvik__V1__Degree)degree};
		bool serious = degree >= DEGREE(SERIOUS_RISK);

		assert_int_equal(case_is_serious((Avvik__V1__Degree)degree), serious);
		found.ivo = case_ivo_after(&found, &decide);
		assert_int_equal(found.ivo, serious ? IVO(REQUIRED) : IVO(NOT_REQUIRED));
		found.state = STATE(FOLLOW_UP);
		want(&found, (struct case_intent){.act = CASE_ACT_CLOSE},
			serious ? CASE_GUARD_CLOSE_UNNOTIFIED : CASE_ALLOWED);
		if (!serious)
			continue;
		found.proposed_degree = DEGREE(SERIOUS);
		found.ivo = case_ivo_after(&found, &(struct case_intent){.act = CASE_ACT_NOTIFY_IVO});
		want(&found, (struct case_intent){.act = CASE_ACT_CLOSE}, CASE_GUARD_CLOSE_INCOMPLETE);
		found.ivo = case_ivo_after(&found, &(struct case_intent){.act = CASE_ACT_HAND_IN});
		want(&found, (struct case_intent){.act = CASE_ACT_CLOSE}, CASE_ALLOWED);
	}
}

static void a_case_notified_early_may_lawfully_end_with_a_lower_degree(void **state)
{
	Avvik__V1__Case found = lex(STATE(ASSESSMENT));
	(void)state;
	found.ivo = IVO(COMPLETE);
	assert_int_equal(case_ivo_after(&found,
				 &(struct case_intent){.act = CASE_ACT_DECIDE, .degree = DEGREE(MISCONDUCT)}),
		IVO(COMPLETE));
	found.ivo = IVO(NOTIFIED); /* and a serious decision does not ask for a second notification */
	assert_int_equal(case_ivo_after(&found,
				 &(struct case_intent){.act = CASE_ACT_DECIDE, .degree = DEGREE(SERIOUS)}),
		IVO(NOTIFIED));
}

static void invariant_ii_a_notification_never_moves_the_investigation(void **state)
{
	(void)state;
	for (int from = 1; from < CASE_STATE_COUNT; from++) {
		Avvik__V1__CaseState next = case_next(AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH,
			(Avvik__V1__CaseState)from, CASE_ACT_NOTIFY_IVO);
		assert_true(next == STATE(UNSPECIFIED) || (int)next == from);
	}
}

static void ivo_is_notified_once_when_required_and_with_the_investigation_only_when_it_is_finished(
	void **state)
{
	Avvik__V1__Case found = lex(STATE(INVESTIGATION));
	struct case_intent alone = {.act = CASE_ACT_NOTIFY_IVO},
			   attached = {.act = CASE_ACT_NOTIFY_IVO, .investigation_attached = true};

	(void)state;
	want(&found, alone, CASE_GUARD_IVO_NOT_REQUIRED);
	found.ivo = IVO(REQUIRED);
	want(&found, alone, CASE_ALLOWED);
	want(&found, attached, CASE_GUARD_NOT_COMPLETED);
	want(&found, (struct case_intent){.act = CASE_ACT_FIND_SERIOUS}, CASE_GUARD_SERIOUS_BEFORE);
	found.proposed_degree = DEGREE(SERIOUS);
	found.state = STATE(DECIDED);
	want(&found, attached, CASE_ALLOWED);
	assert_int_equal(case_ivo_after(&found, &attached), IVO(COMPLETE));
	found.ivo = IVO(NOTIFIED);
	want(&found, alone, CASE_GUARD_IVO_NOTIFIED);
}

static void what_ivo_waits_for_is_handed_in_once(void **state)
{
	Avvik__V1__Case found = lex(STATE(DECIDED));
	struct case_intent hand_in = {.act = CASE_ACT_HAND_IN};

	(void)state;
	found.proposed_degree = DEGREE(SERIOUS);
	want(&found, hand_in, CASE_GUARD_IVO_NOT_WAITING);
	found.ivo = IVO(NOTIFIED);
	want(&found, hand_in, CASE_ALLOWED);
	found.ivo = IVO(COMPLETE);
	want(&found, hand_in, CASE_GUARD_IVO_NOT_WAITING);
	found.ivo = IVO(NOTIFIED);
	found.proposed_degree = DEGREE(UNSPECIFIED);
	want(&found, hand_in, CASE_GUARD_NOT_COMPLETED);
}

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

static enum case_act resolved(const Avvik__V1__Case *found, unsigned int number, void *body)
{
	Avvik__V1__ActOnCase order = AVVIK__V1__ACT_ON_CASE__INIT;
	order.act_case = (Avvik__V1__ActOnCase__ActCase)number;
	order.execute_measure = body;
	return case_resolve(found, &order);
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

static void an_incomplete_case_is_received_when_the_last_thing_is_known(void **state)
{
	Avvik__V1__PlaceCase place = AVVIK__V1__PLACE_CASE__INIT;
	Avvik__V1__Case found = lex(STATE(INCOMPLETE));
	char *tasks[2] = {(char *)"unplaced", (char *)"reporter_unnamed"};

	(void)state;
	found.tasks = tasks;
	found.n_tasks = 2;
	assert_int_equal(resolved(&found, AVVIK__V1__ACT_ON_CASE__ACT_PLACE, &place), CASE_ACT_PLACE);
	assert_int_equal(
		resolved(&found, AVVIK__V1__ACT_ON_CASE__ACT_NAME_REPORTER, &place), CASE_ACT_NAME_REPORTER);
	found.n_tasks = 1; /* only the place is missing */
	assert_int_equal(resolved(&found, AVVIK__V1__ACT_ON_CASE__ACT_PLACE, &place), CASE_ACT_PLACE_LAST);
	tasks[0] = tasks[1]; /* only the name is */
	assert_int_equal(resolved(&found, AVVIK__V1__ACT_ON_CASE__ACT_NAME_REPORTER, &place),
		CASE_ACT_NAME_REPORTER_LAST);
}

static void a_reporter_is_named_once(void **state)
{
	Avvik__V1__Case found = lex(STATE(RECEIVED));
	(void)state;
	want(&found, (struct case_intent){.act = CASE_ACT_NAME_REPORTER}, CASE_GUARD_REPORTER_NAMED);
	found.reporter_named = false;
	want(&found, (struct case_intent){.act = CASE_ACT_NAME_REPORTER}, CASE_ALLOWED);
}

static void a_case_is_closed_when_nothing_is_left_to_do(void **state)
{
	Avvik__V1__Case found = lex(STATE(FOLLOW_UP));
	struct case_intent close = {.act = CASE_ACT_CLOSE};
	Avvik__V1__Measure *measure;

	(void)state;
	want(&found, close, CASE_ALLOWED);
	found.category = (char *)"";
	want(&found, close, CASE_GUARD_CATEGORY);
	close.category_given = true;
	want(&found, close, CASE_ALLOWED);
	measure = with_measure(&found, MEASURE(PROPOSED));
	want(&found, close, CASE_GUARD_UNDECIDED);
	measure->state = MEASURE(APPROVED);
	want(&found, close, CASE_GUARD_UNEXECUTED);
	measure->state = MEASURE(EXECUTED);
	want(&found, close, CASE_GUARD_UNEVALUATED);
	measure->state = MEASURE(EVALUATED);
	want(&found, close, CASE_GUARD_MEASURE_WANTED);
	measure->risk_accepted = true;
	want(&found, close, CASE_ALLOWED);
	measure->state = MEASURE(REJECTED);
	want(&found, close, CASE_ALLOWED);
}

static void invariant_v_a_unit_manager_does_not_read_while_someone_else_investigates(void **state)
{
	Avvik__V1__Case found = lex(STATE(INVESTIGATION));

	(void)state;
	assert_false(case_role_reads(&found, "EC", "anna"));
	assert_false(case_role_reads(&found, "BITR_EC", "anna"));
	assert_true(case_role_reads(&found, "EC", "eva")); /* the investigator */
	assert_true(case_role_reads(&found, "SAS", "anna"));
	found.investigator = (char *)"";
	assert_false(case_role_reads(&found, "EC", "")); /* nobody is not the investigator */
	for (int at = 1; at < CASE_STATE_COUNT;
		at++) { /* until it is decided: then measures are the unit's */
		found.state = (Avvik__V1__CaseState)at;
		assert_int_equal(case_role_reads(&found, "EC", "anna"),
			at == STATE(DECIDED) || at == STATE(MEASURES) || at == STATE(FOLLOW_UP) ||
				at == STATE(CLOSED));
	}
	found.kind = AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION;
	assert_true(case_role_reads(&found, "EC", "anna"));
}

static void a_high_product_with_a_high_severity_is_suspect(void **state)
{
	(void)state;
	for (uint32_t probability = 1; probability <= 4; probability++)
		for (uint32_t severity = 1; severity <= 4; severity++)
			assert_int_equal(case_suspects_lex_sarah(probability, severity, 8, 3),
				probability * severity >= 8 && severity >= 3);
	assert_false(case_suspects_lex_sarah(4, 2, 8, 3)); /* the product alone is not enough */
	assert_false(case_suspects_lex_sarah(4, 4, 0, 0)); /* no threshold is set */
}

static void a_risk_under_health_care_law_is_high_by_either_threshold(void **state)
{
	(void)state;
	for (uint32_t probability = 1; probability <= 4; probability++)
		for (uint32_t severity = 1; severity <= 4; severity++)
			assert_int_equal(case_risk_is_high(probability, severity, 8, 3),
				probability * severity >= 8 || severity >= 3);
	assert_false(case_risk_is_high(4, 4, 0, 0)); /* no threshold is set */
	assert_true(case_risk_is_high(1, 4, 0, 4));
}

static void each_law_of_an_inquiry_has_a_risk_before_it_is_finished(void **state)
{
	Avvik__V1__Case found = lex(STATE(INVESTIGATION));
	Avvik__V1__CasePart parts[2] = {AVVIK__V1__CASE_PART__INIT, AVVIK__V1__CASE_PART__INIT},
			    *list[2] = {&parts[0], &parts[1]};
	struct case_intent risk = {.act = CASE_ACT_ASSESS_RISK},
			   complete = {.act = CASE_ACT_COMPLETE_INQUIRY};

	(void)state;
	found.kind = AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION;
	found.parts = list;
	found.n_parts = 2;
	parts[0].law = AVVIK__V1__LAW__LAW_SOL;
	parts[1].law = AVVIK__V1__LAW__LAW_HSL;
	risk.law = AVVIK__V1__LAW__LAW_LSS;
	want(&found, risk, CASE_GUARD_PART_UNKNOWN);
	risk.law = AVVIK__V1__LAW__LAW_HSL;
	want(&found, risk, CASE_ALLOWED);
	for (int assessed = 0; assessed < 4; assessed++) {
		parts[0].probability = assessed & 1;
		parts[1].probability = (assessed & 2) / 2;
		want(&found, complete, assessed == 3 ? CASE_ALLOWED : CASE_GUARD_RISK_MISSING);
	}
	want(&found, (struct case_intent){.act = CASE_ACT_BEGIN_INQUIRY}, CASE_GUARD_INQUIRY_BEGUN);
	found.n_parts = 0; /* it came back from the lex Sarah officer */
	want(&found, complete, CASE_GUARD_LAWS_MISSING);
	want(&found, (struct case_intent){.act = CASE_ACT_BEGIN_INQUIRY}, CASE_ALLOWED);
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

static void what_the_state_allows_now_is_listed_once(void **state)
{
	Avvik__V1__Case found = lex(STATE(MEASURES));
	const char *names[CASE_ACT_COUNT];
	(void)with_measure(&found, MEASURE(APPROVED));
	size_t count = case_acts_possible(&found, names);
	/* clang-format off */
	static const char *const want_names[] = {"remedy", "inform_affected", "inform_relatives", "confirm_file_entry", "decide_police_report", "set_registry_number", "find_serious",
		"propose_measure", "decide_proposal", "decide_measure", "decide_no_measures", "execute_measure", "evaluate_measure", "stop_deadline", "resume_deadline", "extend_deadline"};
	/* clang-format on */

	(void)state;
	assert_int_equal(count, AV_COUNT(want_names));
	for (size_t i = 0; i < count; i++)
		assert_string_equal(names[i], want_names[i]);
	found.ivo = IVO(REQUIRED);
	count = case_acts_possible(&found, names);
	assert_string_equal(names[6], "notify_ivo");
	assert_string_equal(names[count - 1], "lift_ivo_duty");
	found.state = STATE(CLOSED);
	count = case_acts_possible(&found, names);
	assert_int_equal(count, 7); /* who is told, the registry number, the effect of what was done */
	found.ivo = IVO(COMPLETE);
	assert_int_equal(case_acts_possible(&found, names), 9); /* what IVO asks and decides, too */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_guard_names_itself_and_says_what_would_satisfy_it),
		cmocka_unit_test(the_wrong_state_is_a_guard_too),
		cmocka_unit_test(a_position_is_only_for_what_clearly_is_no_misconduct),
		cmocka_unit_test(an_investigation_is_complete_with_items_1_to_8_and_10),
		cmocka_unit_test(invariant_vi_the_investigator_does_not_decide),
		cmocka_unit_test(invariant_i_a_serious_degree_is_notified_before_closing),
		cmocka_unit_test(a_case_notified_early_may_lawfully_end_with_a_lower_degree),
		cmocka_unit_test(invariant_ii_a_notification_never_moves_the_investigation),
		cmocka_unit_test(
			ivo_is_notified_once_when_required_and_with_the_investigation_only_when_it_is_finished),
		cmocka_unit_test(what_ivo_waits_for_is_handed_in_once),
		cmocka_unit_test(a_measure_is_executed_then_judged_and_each_once),
		cmocka_unit_test(a_proposal_is_decided_once_and_only_what_is_approved_is_executed),
		cmocka_unit_test(a_measure_is_executed_after_it_was_decided_and_judged_after_that),
		cmocka_unit_test(an_effect_is_settled_by_all_who_are_asked),
		cmocka_unit_test(the_last_measure_leads_to_follow_up_unless_another_is_wanted),
		cmocka_unit_test(an_incomplete_case_is_received_when_the_last_thing_is_known),
		cmocka_unit_test(a_reporter_is_named_once),
		cmocka_unit_test(a_case_is_closed_when_nothing_is_left_to_do),
		cmocka_unit_test(invariant_v_a_unit_manager_does_not_read_while_someone_else_investigates),
		cmocka_unit_test(a_high_product_with_a_high_severity_is_suspect),
		cmocka_unit_test(a_risk_under_health_care_law_is_high_by_either_threshold),
		cmocka_unit_test(each_law_of_an_inquiry_has_a_risk_before_it_is_finished),
		cmocka_unit_test(no_more_measures_is_said_of_one_without_effect_alone),
		cmocka_unit_test(what_the_state_allows_now_is_listed_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
