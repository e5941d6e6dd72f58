/* workflow_case_guards.c - the guards, one by one, and the invariants of a lex Sarah case */
#include "workflow_lex.h"

#include "base/macros.h"
#include "base/status.h"

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
		cmocka_unit_test(an_incomplete_case_is_received_when_the_last_thing_is_known),
		cmocka_unit_test(a_reporter_is_named_once),
		cmocka_unit_test(a_case_is_closed_when_nothing_is_left_to_do),
		cmocka_unit_test(invariant_v_a_unit_manager_does_not_read_while_someone_else_investigates),
		cmocka_unit_test(a_high_product_with_a_high_severity_is_suspect),
		cmocka_unit_test(a_risk_under_health_care_law_is_high_by_either_threshold),
		cmocka_unit_test(each_law_of_an_inquiry_has_a_risk_before_it_is_finished),
		cmocka_unit_test(what_the_state_allows_now_is_listed_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
