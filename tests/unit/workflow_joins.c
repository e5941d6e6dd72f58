/* workflow_joins.c - which case may stand under which; a deadline that goes on after it was cancelled */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/macros.h"
#include "case_rules.h"
#include "deadline_rules.h"

#define STATE(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name
#define KIND(name) AVVIK__V1__CASE_KIND__CASE_KIND_##name
#define IVO(name) AVVIK__V1__IVO_STATE__IVO_STATE_##name

static unsigned char ids[2][16] = {{1}, {2}};

static Avvik__V1__Case a_case(Avvik__V1__CaseKind kind, Avvik__V1__CaseState state, int number)
{
	Avvik__V1__Case found = AVVIK__V1__CASE__INIT;

	found.case_id = (ProtobufCBinaryData){16, ids[number]};
	found.kind = kind;
	found.state = state;
	found.ivo = IVO(NOT_REQUIRED);
	return found;
}

static void want(const Avvik__V1__Case *found, const Avvik__V1__Case *into, enum case_guard guard)
{
	enum case_guard got = case_check_join(found, into);

	if (got != guard)
		fail_msg("%s of kind %d into %s of kind %d: got %s, want %s", case_state_name(found->state),
			(int)found->kind, case_state_name(into->state), (int)into->kind, case_guard_name(got),
			case_guard_name(guard));
}

static void a_report_stands_under_a_kind_that_asks_for_as_much(void **state)
{
	static const struct {
		Avvik__V1__CaseKind one, into;
	} allowed[] = {
		{KIND(LEX_SARAH), KIND(LEX_SARAH)},
		{KIND(DEVIATION), KIND(DEVIATION)},
		{KIND(DEVIATION), KIND(LEX_SARAH)},
		{KIND(INFORMATION), KIND(INFORMATION)},
	};

	(void)state;
	for (int one = 1; one < CASE_KIND_COUNT; one++)
		for (int other = 1; other < CASE_KIND_COUNT; other++) {
			Avvik__V1__Case found = a_case((Avvik__V1__CaseKind)one, STATE(RECEIVED), 0),
					into = a_case((Avvik__V1__CaseKind)other, STATE(RECEIVED), 1);
			bool there = false, back = false;
			for (size_t i = 0; i < AV_COUNT(allowed); i++) {
				there |= (int)allowed[i].one == one && (int)allowed[i].into == other;
				back |= (int)allowed[i].one == other && (int)allowed[i].into == one;
			}
			want(&found, &into, there ? CASE_ALLOWED : CASE_GUARD_JOIN_KIND);
			assert_int_equal(case_kinds_join(found.kind, into.kind), there || back);
		}
}

static void a_case_takes_reports_from_when_it_is_complete_until_it_is_closed(void **state)
{
	(void)state;
	for (int at = 1; at < CASE_STATE_COUNT; at++) {
		Avvik__V1__Case found = a_case(KIND(LEX_SARAH), STATE(RECEIVED), 0),
				into = a_case(KIND(LEX_SARAH), (Avvik__V1__CaseState)at, 1);
		want(&found, &into,
			at == STATE(INCOMPLETE) ? CASE_GUARD_JOIN_INCOMPLETE
			: at == STATE(CLOSED)	? CASE_GUARD_JOIN_CLOSED
			: at == STATE(JOINED)	? CASE_GUARD_JOIN_JOINED
						: CASE_ALLOWED);
		assert_int_equal(
			case_open((Avvik__V1__CaseState)at), at != STATE(CLOSED) && at != STATE(JOINED));
	}
}

static void what_is_known_to_ivo_or_is_to_be_stays_where_it_is_seen(void **state)
{
	static const struct {
		Avvik__V1__IvoState found, into;
		enum case_guard guard;
	} cases[] = {
		{IVO(NOT_REQUIRED), IVO(NOTIFIED), CASE_ALLOWED},
		{IVO(REQUIRED), IVO(NOT_REQUIRED), CASE_GUARD_JOIN_SERIOUS},
		{IVO(REQUIRED), IVO(REQUIRED), CASE_ALLOWED},
		{IVO(REQUIRED), IVO(COMPLETE), CASE_ALLOWED},
		{IVO(NOTIFIED), IVO(NOTIFIED), CASE_GUARD_JOIN_NOTIFIED},
		{IVO(CLEARED), IVO(REQUIRED), CASE_GUARD_JOIN_NOTIFIED},
	};

	(void)state;
	for (size_t i = 0; i < AV_COUNT(cases); i++) {
		Avvik__V1__Case found = a_case(KIND(LEX_SARAH), STATE(INVESTIGATION), 0),
				into = a_case(KIND(LEX_SARAH), STATE(ASSESSMENT), 1);
		found.ivo = cases[i].found;
		into.ivo = cases[i].into;
		want(&found, &into, cases[i].guard);
	}
}

static void no_case_stands_under_itself_nor_under_two_nor_without_a_place_nor_without_end(void **state)
{
	static char unplaced[] = "unplaced";
	char *tasks[] = {unplaced};
	Avvik__V1__Case found = a_case(KIND(LEX_SARAH), STATE(RECEIVED), 0),
			into = a_case(KIND(LEX_SARAH), STATE(RECEIVED), 1);

	(void)state;
	want(&found, &found, CASE_GUARD_JOIN_SELF);
	found.n_tasks = 1;
	found.tasks = tasks;
	want(&found, &into, CASE_GUARD_JOIN_UNPLACED);
	found.n_tasks = 0;
	found.n_joined = 1;
	want(&found, &into, CASE_GUARD_JOIN_OTHERS);
	found.n_joined = 0;
	into.n_joined = CASE_JOINED_MAX;
	want(&found, &into, CASE_GUARD_JOIN_FULL);
	into.n_joined--;
	want(&found, &into, CASE_ALLOWED);
}

static void a_case_is_parted_into_the_state_that_it_was_joined_in(void **state)
{
	static const Avvik__V1__CaseState befores[] = {
		STATE(INCOMPLETE), STATE(RECEIVED), STATE(INVESTIGATION), STATE(REVIEW), STATE(COMPLETION)};
	Avvik__V1__ActOnCase order = AVVIK__V1__ACT_ON_CASE__INIT;

	(void)state;
	order.act_case = AVVIK__V1__ACT_ON_CASE__ACT_PART;
	for (int kind = 1; kind < CASE_KIND_COUNT; kind++)
		for (size_t i = 0; i < AV_COUNT(befores); i++) {
			Avvik__V1__JoinedInto into = AVVIK__V1__JOINED_INTO__INIT;
			Avvik__V1__Case found = a_case((Avvik__V1__CaseKind)kind, STATE(JOINED), 0);
			if (!case_next((Avvik__V1__CaseKind)kind, befores[i], CASE_ACT_JOIN))
				continue;
			into.state_before = befores[i];
			found.joined_into = &into;
			assert_int_equal(case_next((Avvik__V1__CaseKind)kind, STATE(JOINED),
						 case_resolve(&found, &order)),
				befores[i]);
		}
}

static void what_was_cancelled_runs_again_or_stands_still_if_it_stood(void **state)
{
	Avvik__V1__Deadline ledger = AVVIK__V1__DEADLINE__INIT;
	Avvik__V1__DeadlineStop stop = AVVIK__V1__DEADLINE_STOP__INIT, *stops[] = {&stop};

	(void)state;
	ledger.state = AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_CANCELLED;
	ledger.ended_at_ms = 500;
	deadline_unend(&ledger);
	assert_true(deadline_running(&ledger));
	assert_int_equal(ledger.ended_at_ms, 0);
	ledger.n_stops = 1;
	ledger.stops = stops;
	stop.from_ms = 100;
	stop.until_ms = ledger.ended_at_ms = 500; /* it stood until the end */
	deadline_unend(&ledger);
	assert_true(deadline_stopped(&ledger));
	assert_int_equal(stop.until_ms, 0);
	stop.until_ms = 300; /* it had gone on before */
	ledger.ended_at_ms = 500;
	deadline_unend(&ledger);
	assert_true(deadline_running(&ledger));
	assert_int_equal(stop.until_ms, 300);
}

static void what_is_passed_over_is_not_said_until_it_lies_ahead_again(void **state)
{
	Avvik__V1__Deadline ledger = AVVIK__V1__DEADLINE__INIT;
	Avvik__V1__RungPlanned rungs[3], *list[] = {&rungs[0], &rungs[1], &rungs[2]};
	int64_t at_ms;
	size_t next;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		avvik__v1__rung_planned__init(&rungs[i]);
		rungs[i].at_ms = (int64_t)(100 * (i + 1));
	}
	rungs[0].fired_at_ms = 100;
	rungs[1].late = true;
	ledger.state = AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_RUNNING;
	ledger.n_rungs = 3;
	ledger.rungs = list;
	deadline_pass_over(&ledger, 250);
	assert_false(rungs[0].passed_over); /* it was said */
	assert_true(rungs[1].passed_over);
	assert_false(rungs[1].late);
	assert_true(deadline_next_rung(&ledger, &next, &at_ms));
	assert_int_equal(next, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_stands_under_a_kind_that_asks_for_as_much),
		cmocka_unit_test(a_case_takes_reports_from_when_it_is_complete_until_it_is_closed),
		cmocka_unit_test(what_is_known_to_ivo_or_is_to_be_stays_where_it_is_seen),
		cmocka_unit_test(
			no_case_stands_under_itself_nor_under_two_nor_without_a_place_nor_without_end),
		cmocka_unit_test(a_case_is_parted_into_the_state_that_it_was_joined_in),
		cmocka_unit_test(what_was_cancelled_runs_again_or_stands_still_if_it_stood),
		cmocka_unit_test(what_is_passed_over_is_not_said_until_it_lies_ahead_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
