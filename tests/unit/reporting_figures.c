/* reporting_figures.c - what facts contribute to the figures: laws of the fold, not examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/random.h"
#include "figure_rules.h"

#define MEASUREMENT(name) AVVIK__V1__MEASUREMENT__MEASUREMENT_##name

static Avvik__V1__CaseFact case_fact(int kind, int degree, av_day decided, av_day closed)
{
	Avvik__V1__CaseFact fact = AVVIK__V1__CASE_FACT__INIT;
	fact.unit = (char *)"lindhaga";
	fact.kind = fact.kind_received = (Avvik__V1__CaseKind)kind;
	fact.degree = (Avvik__V1__Degree)degree;
	fact.received_on = 20544;
	fact.decided_on = decided;
	fact.closed_on = closed;
	return fact;
}

static int64_t change_of(const struct counts *counts, int measurement)
{
	int64_t change = 0;
	for (size_t i = 0; i < counts->count; i++)
		if ((int)counts->at[i].measurement == measurement)
			change += counts->at[i].change;
	return change;
}

static void a_fact_less_itself_changes_nothing(void **state)
{
	(void)state;
	for (int kind = 1; kind <= 2; kind++)
		for (int degree = 0; degree <= 5; degree++)
			for (int decided = 0; decided <= 1; decided++)
				for (int closed = 0; closed <= 1; closed++) {
					Avvik__V1__CaseFact fact =
						case_fact(kind, degree, decided * 20600, closed * 20700);
					struct counts counts = {.count = 0};
					counts_of_case(&counts, &fact, -1);
					counts_of_case(&counts, &fact, +1);
					assert_int_equal(counts.count, 0);
				}
}

static void an_open_case_counts_as_received_and_open(void **state)
{
	(void)state;
	Avvik__V1__CaseFact fact = case_fact(2, 0, 0, 0);
	struct counts counts = {.count = 0};
	counts_of_case(&counts, &fact, +1);
	assert_int_equal(counts.count, 2);
	assert_int_equal(change_of(&counts, MEASUREMENT(RECEIVED)), 1);
	assert_int_equal(change_of(&counts, MEASUREMENT(OPEN)), 1);
}

static void closing_takes_the_case_from_open_to_closed(void **state)
{
	(void)state;
	Avvik__V1__CaseFact before = case_fact(2, 5, 20600, 0), after = case_fact(2, 5, 20600, 20700);
	struct counts counts = {.count = 0};
	counts_of_case(&counts, &before, -1);
	counts_of_case(&counts, &after, +1);
	assert_int_equal(counts.count, 2);
	assert_int_equal(change_of(&counts, MEASUREMENT(OPEN)), -1);
	assert_int_equal(change_of(&counts, MEASUREMENT(CLOSED)), 1);
}

static void a_joined_report_stays_received_and_is_no_longer_open(void **state)
{
	(void)state;
	Avvik__V1__CaseFact before = case_fact(2, 0, 0, 0), joined = before;
	struct counts counts = {.count = 0};
	joined.joined_on = 20550;
	counts_of_case(&counts, &before, -1);
	counts_of_case(&counts, &joined, +1);
	assert_int_equal(counts.count, 2);
	assert_int_equal(change_of(&counts, MEASUREMENT(OPEN)), -1);
	assert_int_equal(change_of(&counts, MEASUREMENT(JOINED)), 1);
	assert_int_equal(change_of(&counts, MEASUREMENT(RECEIVED)), 0);
	counts_of_case(&counts, &joined, -1); /* parted: as if it had never been */
	counts_of_case(&counts, &before, +1);
	assert_int_equal(counts.count, 0);
}

/* The sum over any chain of changes of one fact is what its last form contributes: so order and number of
 * steps do not matter. */
static void steps_sum_to_the_last_form(void **state)
{
	struct av_random random = av_random_seeded(7);
	(void)state;
	for (int round = 0; round < 2000; round++) {
		Avvik__V1__CaseFact fact = case_fact(1, 0, 0, 0), last;
		struct counts sum = {.count = 0}, want = {.count = 0};
		counts_of_case(&sum, &fact, +1);
		for (int step = 0; step < 6; step++) {
			last = fact;
			last.kind = (Avvik__V1__CaseKind)(1 + av_random_below(&random, 2));
			last.degree = (Avvik__V1__Degree)av_random_below(&random, 6);
			last.decided_on = (int32_t)av_random_below(&random, 3) * 20600;
			last.closed_on = (int32_t)av_random_below(&random, 2) * 20700;
			last.notified_on = (int32_t)av_random_below(&random, 2) * 20650;
			counts_of_case(&sum, &fact, -1);
			counts_of_case(&sum, &last, +1);
			fact = last;
		}
		counts_of_case(&want, &fact, +1);
		assert_int_equal(sum.count, want.count);
		for (size_t i = 0; i < want.count; i++)
			assert_int_equal(change_of(&sum, want.at[i].measurement),
				change_of(&want, want.at[i].measurement));
	}
}

static void a_deadline_counts_once_it_is_met_or_missed(void **state)
{
	static const struct {
		int outcome, measurement;
		size_t want_counts;
	} rows[] = {
		{AVVIK__V1__DEADLINE_OUTCOME__DEADLINE_OUTCOME_RUNNING, 0, 0},
		{AVVIK__V1__DEADLINE_OUTCOME__DEADLINE_OUTCOME_MET, MEASUREMENT(DEADLINES_MET), 1},
		{AVVIK__V1__DEADLINE_OUTCOME__DEADLINE_OUTCOME_MISSED, MEASUREMENT(DEADLINES_MISSED), 1},
		{AVVIK__V1__DEADLINE_OUTCOME__DEADLINE_OUTCOME_CANCELLED, 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		Avvik__V1__DeadlineFact fact = AVVIK__V1__DEADLINE_FACT__INIT;
		struct counts counts = {.count = 0};
		fact.unit = (char *)"lindhaga";
		fact.rule = (char *)"D5";
		fact.due_on = 20626;
		fact.outcome = (Avvik__V1__DeadlineOutcome)rows[i].outcome;
		counts_of_deadline(&counts, &fact, +1);
		assert_int_equal(counts.count, rows[i].want_counts);
		if (counts.count) {
			assert_int_equal(counts.at[0].measurement, rows[i].measurement);
			assert_int_equal(counts.at[0].on, 20626);
			assert_string_equal(counts.at[0].deadline, "D5");
		}
	}
}

static void a_day_tells_in_day_month_tertial_and_year(void **state)
{
	static const char *const want[] = {"2026-04-30", "2026-04", "2026-T1", "2026"};
	struct figure_span spans[4];
	(void)state;
	assert_int_equal(figure_spans(av_day_of((struct av_date){2026, 4, 30}), spans), 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(spans[i].period, want[i]);
	assert_int_equal(figure_spans(av_day_of((struct av_date){2026, 5, 1}), spans), 4);
	assert_string_equal(spans[2].period, "2026-T2");
	assert_int_equal(figure_spans(0, spans), 1);
	assert_string_equal(spans[0].period, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fact_less_itself_changes_nothing),
		cmocka_unit_test(an_open_case_counts_as_received_and_open),
		cmocka_unit_test(closing_takes_the_case_from_open_to_closed),
		cmocka_unit_test(a_joined_report_stays_received_and_is_no_longer_open),
		cmocka_unit_test(steps_sum_to_the_last_form),
		cmocka_unit_test(a_deadline_counts_once_it_is_met_or_missed),
		cmocka_unit_test(a_day_tells_in_day_month_tertial_and_year),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
