/* workflow_case_ivo.c - the region of IVO: each guard in each of its states, and what follows */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/macros.h"
#include "case_rules.h"

#define STATE(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name
#define IVO(name) AVVIK__V1__IVO_STATE__IVO_STATE_##name
#define DEGREE(name) AVVIK__V1__DEGREE__DEGREE_##name

static Avvik__V1__Case lex(Avvik__V1__IvoState ivo)
{
	Avvik__V1__Case found = AVVIK__V1__CASE__INIT;

	found.kind = AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
	found.state = STATE(DECIDED);
	found.ivo = ivo;
	found.proposed_degree = DEGREE(SERIOUS);
	return found;
}

static void want(const Avvik__V1__Case *found, enum case_act act, enum case_guard guard)
{
	struct case_intent intent = {.act = act};
	enum case_guard got = case_check_ivo(found, &intent);

	if (got != guard)
		fail_msg("%s with IVO in %d: got %s, want %s", case_act_column(act), (int)found->ivo,
			case_guard_name(got), case_guard_name(guard));
}

static void each_act_in_each_state_of_the_region(void **state)
{
	enum { OK = CASE_ALLOWED };
#define G(name) CASE_GUARD_##name
	/* clang-format off */
	static const struct {
		enum case_act act;
		int guards[5]; /* not required, required, notified, complete, cleared */
	} rows[] = {
		{ CASE_ACT_FIND_SERIOUS, { OK, G(SERIOUS_BEFORE), G(SERIOUS_BEFORE), G(SERIOUS_BEFORE), G(SERIOUS_BEFORE) } },
		{ CASE_ACT_LIFT_DUTY,    { G(IVO_NOT_REQUIRED), OK, G(IVO_SENT), G(IVO_SENT), G(IVO_SENT) } },
		{ CASE_ACT_NOTIFY_IVO,   { G(IVO_NOT_REQUIRED), OK, G(IVO_NOTIFIED), G(IVO_NOTIFIED), G(IVO_NOTIFIED) } },
		{ CASE_ACT_HAND_IN,      { G(IVO_NOT_WAITING), G(IVO_NOT_WAITING), OK, G(IVO_NOT_WAITING), G(IVO_NOT_WAITING) } },
		{ CASE_ACT_IVO_REQUEST,  { G(IVO_NOT_NOTIFIED), G(IVO_NOT_NOTIFIED), OK, OK, G(IVO_DECIDED) } },
		{ CASE_ACT_IVO_DECISION, { G(IVO_NOT_NOTIFIED), G(IVO_NOT_NOTIFIED), OK, OK, G(IVO_DECIDED) } },
		{ CASE_ACT_IVO_ANSWER,   { G(REQUEST_UNKNOWN), G(REQUEST_UNKNOWN), G(REQUEST_UNKNOWN), G(REQUEST_UNKNOWN), G(REQUEST_UNKNOWN) } },
	}; /* clang-format on */

	(void)state;
	for (size_t i = 0; i < AV_COUNT(rows); i++)
		for (int ivo = IVO(NOT_REQUIRED); ivo <= IVO(CLEARED); ivo++) {
			Avvik__V1__Case found = lex((Avvik__V1__IvoState)ivo);
			want(&found, rows[i].act, (enum case_guard)rows[i].guards[ivo - IVO(NOT_REQUIRED)]);
		}
}

static void a_duty_that_follows_from_the_decision_is_not_lifted(void **state)
{
	Avvik__V1__Case found = lex(IVO(REQUIRED));

	(void)state;
	for (int degree = DEGREE(UNSPECIFIED); degree <= DEGREE(SERIOUS); degree++) {
		found.degree = (Avvik__V1__Degree)degree;
		want(&found, CASE_ACT_LIFT_DUTY,
			degree >= DEGREE(SERIOUS_RISK) ? CASE_GUARD_DECIDED_SERIOUS : CASE_ALLOWED);
	}
}

static void an_answer_is_to_an_open_request(void **state)
{
	Avvik__V1__IvoRequest items[3], *list[3] = {&items[0], &items[1], &items[2]};
	Avvik__V1__Case found = lex(IVO(NOTIFIED));
	struct case_intent answer = {.act = CASE_ACT_IVO_ANSWER};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		avvik__v1__ivo_request__init(&items[i]);
	found.ivo_requests = list;
	found.n_ivo_requests = 1;
	assert_int_equal(case_check_ivo(&found, &answer), CASE_ALLOWED);
	found.n_ivo_requests = 3;
	assert_int_equal(case_check_ivo(&found, &answer), CASE_GUARD_REQUEST_WHICH);
	answer.request = 2;
	assert_int_equal(case_check_ivo(&found, &answer), CASE_ALLOWED);
	items[1].answered_at_ms = 1;
	assert_int_equal(case_check_ivo(&found, &answer), CASE_GUARD_REQUEST_UNKNOWN);
	answer.request = 4;
	assert_int_equal(case_check_ivo(&found, &answer), CASE_GUARD_REQUEST_UNKNOWN);
	answer.request = 0;
	items[0].lapsed = true;
	assert_int_equal(case_requests_open(&found), 1);
	assert_ptr_equal(case_request(&found, 0), &items[2]);
	assert_int_equal(case_check_ivo(&found, &answer), CASE_ALLOWED);
}

static void ivo_may_decide_before_it_has_the_investigation_which_is_handed_in_all_the_same(void **state)
{
	Avvik__V1__Case found = lex(IVO(NOTIFIED));
	struct case_intent decision = {.act = CASE_ACT_IVO_DECISION}, hand_in = {.act = CASE_ACT_HAND_IN};

	(void)state;
	assert_true(case_ivo_waits(&found));
	found.ivo = case_ivo_after(&found, &decision);
	assert_int_equal(found.ivo, IVO(CLEARED));
	assert_false(case_ivo_waits(&found));
	found.ivo_waits = true; /* as the event says */
	want(&found, CASE_ACT_HAND_IN, CASE_ALLOWED);
	assert_int_equal(case_ivo_after(&found, &hand_in), IVO(CLEARED));
	found.proposed_degree = DEGREE(UNSPECIFIED);
	want(&found, CASE_ACT_HAND_IN, CASE_GUARD_NOT_COMPLETED);
}

/* Notified once for each time it is investigated. */
static void a_case_that_was_opened_again_may_be_notified_again_once(void **state)
{
	struct case_intent serious = {.act = CASE_ACT_FIND_SERIOUS},
			   decide = {.act = CASE_ACT_DECIDE, .degree = DEGREE(SERIOUS)},
			   lower = {.act = CASE_ACT_DECIDE, .degree = DEGREE(MISCONDUCT)};

	(void)state;
	for (int ivo = IVO(COMPLETE); ivo <= IVO(CLEARED); ivo++) {
		Avvik__V1__Case found = lex((Avvik__V1__IvoState)ivo);

		assert_int_equal(case_ivo_after(&found, &decide), ivo); /* early notified, decided once */
		found.reopened = 1;
		want(&found, CASE_ACT_FIND_SERIOUS, CASE_ALLOWED);
		assert_int_equal(case_ivo_after(&found, &serious), IVO(REQUIRED));
		assert_int_equal(case_ivo_after(&found, &lower), ivo);
		/* the matter goes on at IVO, or has ended there */
		assert_int_equal(case_ivo_after(&found, &decide), ivo == IVO(CLEARED) ? IVO(REQUIRED) : ivo);
		found.notified_since_reopened = true;
		want(&found, CASE_ACT_FIND_SERIOUS, CASE_GUARD_SERIOUS_BEFORE);
		assert_int_equal(case_ivo_after(&found, &decide), ivo);
	}
}

static void a_case_returns_as_a_deviation_only_when_it_came_as_one_and_nothing_was_serious(void **state)
{
	Avvik__V1__Case found = lex(IVO(NOT_REQUIRED));
	struct case_intent back = {.act = CASE_ACT_RETURN};
	Avvik__V1__CaseState next = STATE(UNSPECIFIED);

	(void)state;
	found.state = STATE(RECEIVED);
	assert_int_equal(case_check(&found, &back, &next), CASE_GUARD_NOT_A_DEVIATION);
	found.was_deviation = true;
	found.ivo = IVO(REQUIRED);
	assert_int_equal(case_check(&found, &back, &next), CASE_GUARD_RETURN_SERIOUS);
	found.ivo = IVO(NOT_REQUIRED);
	assert_int_equal(case_check(&found, &back, &next), CASE_ALLOWED);
	found.state = STATE(INVESTIGATION);
	assert_int_equal(case_check(&found, &back, &next), CASE_GUARD_STATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_act_in_each_state_of_the_region),
		cmocka_unit_test(a_duty_that_follows_from_the_decision_is_not_lifted),
		cmocka_unit_test(an_answer_is_to_an_open_request),
		cmocka_unit_test(
			ivo_may_decide_before_it_has_the_investigation_which_is_handed_in_all_the_same),
		cmocka_unit_test(a_case_that_was_opened_again_may_be_notified_again_once),
		cmocka_unit_test(
			a_case_returns_as_a_deviation_only_when_it_came_as_one_and_nothing_was_serious),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
