/* workflow_deadline_rules.c - due instants, rungs and judgements, over the vectors of lag (1930:173) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/macros.h"
#include "base/status.h"
#include "deadline_rules.h"
#include "times.h"

#define RUNG(name) AVVIK__V1__RUNG_KIND__RUNG_KIND_##name
#define UNIT(name) AVVIK__V1__PERIOD_UNIT__PERIOD_UNIT_##name

static struct av_arena *arena;

static Avvik__V1__DeadlineRule *rule_of(uint32_t count, Avvik__V1__PeriodUnit unit, bool moved)
{
	Avvik__V1__DeadlineRule *rule = av_arena_alloc(arena, sizeof(*rule));
	avvik__v1__deadline_rule__init(rule);
	rule->id = (char *)"D5";
	rule->count = count;
	rule->unit = unit;
	rule->moved = moved;
	rule->ladder = av_arena_alloc(arena, 20 * sizeof(*rule->ladder));
	return rule;
}

static void add_rung(
	Avvik__V1__DeadlineRule *rule, Avvik__V1__RungKind kind, uint32_t count, Avvik__V1__PeriodUnit unit)
{
	Avvik__V1__Rung *rung = av_arena_alloc(arena, sizeof(*rung));
	avvik__v1__rung__init(rung);
	rung->kind = kind;
	rung->count = count;
	rung->unit = unit;
	rule->ladder[rule->n_ladder++] = rung;
}

static Avvik__V1__Deadline *set(const Avvik__V1__DeadlineRule *rule, const char *anchor, const char *now)
{
	struct deadline_calendar calendar = deadline_calendar_of(NULL, arena);
	Avvik__V1__Deadline *ledger = av_arena_alloc(arena, sizeof(*ledger));
	avvik__v1__deadline__init(ledger);
	assert_int_equal(deadline_set(rule, &calendar, at(anchor), at(now), arena, ledger), AV_OK);
	return ledger;
}

static void two_months_end_as_the_law_says(void **state)
{
	static const struct {
		const char *start, *want_nominal, *want_due;
		uint32_t months;
	} vectors[] = {
		{"2026-04-19 10:00", "2026-06-19", "2026-06-22",
			2}, /* midsommarafton, midsommardagen, Sunday */
		{"2025-12-31 10:00", "2026-02-28", "2026-03-02", 2},
		{"2026-10-24 10:00", "2026-12-24", "2026-12-28", 2},
		{"2026-10-31 10:00", "2026-12-31", "2027-01-04", 2},
		{"2025-04-06 10:00", "2025-06-06", "2025-06-09", 2},
		{"2026-02-03 10:00", "2026-04-03", "2026-04-07", 2},
		{"2026-11-06 10:00", "2027-01-06", "2027-01-07", 2},
		{"2027-01-27 10:00", "2027-03-27", "2027-03-30", 2},
		{"2027-11-30 10:00", "2028-02-29", "2028-02-29", 3},
		{"2026-04-19 00:00", "2026-06-19", "2026-06-22", 2}, /* the local day, however early */
		{"2026-04-19 23:59", "2026-06-19", "2026-06-22", 2},
	};

	(void)state;
	for (size_t i = 0; i < AV_COUNT(vectors); i++) {
		Avvik__V1__Deadline *ledger = set(
			rule_of(vectors[i].months, UNIT(MONTHS), true), vectors[i].start, vectors[i].start);
		want_day(ledger->nominal_on, vectors[i].want_nominal);
		want_day(ledger->due_on, vectors[i].want_due);
		assert_int_equal(ledger->due_at_ms, av_day_end_ms(ledger->due_on));
	}
}

static void the_ladder_of_d5_over_midsummer(void **state)
{
	Avvik__V1__DeadlineRule *rule = rule_of(2, UNIT(MONTHS), true);
	Avvik__V1__Deadline *ledger;

	(void)state;
	add_rung(rule, RUNG(WARNING), 30, UNIT(DAYS));
	add_rung(rule, RUNG(WARNING), 3, UNIT(DAYS));
	add_rung(rule, RUNG(DUE), 0, UNIT(DAYS));
	add_rung(rule, RUNG(OVERDUE), 0, UNIT(DAYS));
	add_rung(rule, RUNG(ESCALATION), 3, UNIT(WORKING_DAYS));
	ledger = set(rule, "2026-04-19 15:30", "2026-04-19 15:30");
	want_instant(ledger->rungs[0]->at_ms, "2026-05-23T08:00:00+02:00");
	want_instant(ledger->rungs[1]->at_ms, "2026-06-19T08:00:00+02:00");
	want_instant(ledger->rungs[2]->at_ms, "2026-06-22T08:00:00+02:00");
	want_instant(ledger->rungs[3]->at_ms, "2026-06-23T00:00:00+02:00");
	want_instant(ledger->rungs[4]->at_ms, "2026-06-25T08:00:00+02:00");
	for (size_t i = 0; i < ledger->n_rungs; i++)
		assert_false(ledger->rungs[i]->passed_over);
}

static void rungs_before_the_change_of_clocks_still_fire_when_the_office_opens(void **state)
{
	Avvik__V1__DeadlineRule *rule = rule_of(30, UNIT(DAYS), false);
	Avvik__V1__Deadline *ledger;

	(void)state;
	add_rung(rule, RUNG(WARNING), 20, UNIT(DAYS));
	add_rung(rule, RUNG(WARNING), 5, UNIT(WORKING_DAYS));
	ledger = set(rule, "2026-03-20 12:00", "2026-03-20 12:00"); /* summer time begins on the 29th */
	want_day(ledger->due_on, "2026-04-19");
	want_instant(ledger->rungs[0]->at_ms, "2026-03-30T08:00:00+02:00");
	want_instant(ledger->rungs[1]->at_ms, "2026-04-13T08:00:00+02:00");
}

static void hours_are_exact_and_so_are_their_rungs(void **state)
{
	Avvik__V1__DeadlineRule *rule = rule_of(72, UNIT(HOURS), false);
	Avvik__V1__Deadline *ledger;

	(void)state;
	add_rung(rule, RUNG(WARNING), 24, UNIT(HOURS));
	add_rung(rule, RUNG(DUE), 0, UNIT(HOURS));
	add_rung(rule, RUNG(OVERDUE), 0, UNIT(HOURS));
	add_rung(rule, RUNG(ESCALATION), 1, UNIT(DAYS));
	ledger = set(rule, "2026-06-18 13:37", "2026-06-18 13:37");
	want_instant(ledger->due_at_ms, "2026-06-21T13:37:00+02:00"); /* over Midsummer, not moved */
	want_instant(ledger->rungs[0]->at_ms, "2026-06-20T13:37:00+02:00");
	want_instant(ledger->rungs[1]->at_ms, "2026-06-21T13:37:00+02:00");
	assert_int_equal(ledger->rungs[2]->at_ms, ledger->due_at_ms + 1);
	want_instant(ledger->rungs[3]->at_ms, "2026-06-22T13:37:00+02:00");
}

static void closures_lengthen_local_targets_and_never_the_law(void **state)
{
	Avvik__V1__RulePack pack = AVVIK__V1__RULE_PACK__INIT;
	Avvik__V1__OfficeHours hours = AVVIK__V1__OFFICE_HOURS__INIT;
	int32_t closures[2];
	struct deadline_calendar calendar;
	Avvik__V1__Deadline local = AVVIK__V1__DEADLINE__INIT, statutory = AVVIK__V1__DEADLINE__INIT;
	Avvik__V1__DeadlineRule *target = rule_of(1, UNIT(WORKING_DAYS), false),
				*law = rule_of(2, UNIT(MONTHS), true);

	(void)state;
	closures[0] = av_local_day(at("2026-05-15 12:00")); /* unordered, as a file may have them */
	closures[1] = av_local_day(at("2026-03-16 12:00"));
	pack.closures_on = closures;
	pack.n_closures_on = 2;
	hours.from_minute = 9 * 60;
	hours.to_minute = 16 * 60;
	pack.office_hours = &hours;
	add_rung(target, RUNG(DUE), 0, UNIT(DAYS));
	calendar = deadline_calendar_of(&pack, arena);
	assert_int_equal(deadline_set(target, &calendar, at("2026-03-13 10:00"), at("2026-03-13 10:00"),
				 arena, &local),
		AV_OK);
	want_day(local.due_on, "2026-03-17"); /* a Friday, the weekend, the closed Monday */
	want_instant(local.rungs[0]->at_ms, "2026-03-17T09:00:00+01:00");
	assert_int_equal(deadline_set(law, &calendar, at("2026-03-15 10:00"), at("2026-03-15 10:00"), arena,
				 &statutory),
		AV_OK);
	want_day(statutory.due_on, "2026-05-15");
}

static void the_planned_end_of_a_measure_is_its_last_day(void **state)
{
	Avvik__V1__DeadlineRule *rule = rule_of(0, UNIT(DAYS), false);
	Avvik__V1__Deadline *ledger;

	(void)state;
	add_rung(rule, RUNG(WARNING), 7, UNIT(DAYS));
	add_rung(rule, RUNG(OVERDUE), 0, UNIT(DAYS));
	ledger = set(rule, "2026-09-15 00:00", "2026-06-01 10:00");
	want_day(ledger->due_on, "2026-09-15");
	want_instant(ledger->rungs[0]->at_ms, "2026-09-08T08:00:00+02:00");
	want_instant(ledger->rungs[1]->at_ms, "2026-09-16T00:00:00+02:00");
}

static void a_backdated_anchor_passes_over_what_lies_behind_but_the_overdue_rung(void **state)
{
	Avvik__V1__DeadlineRule *rule = rule_of(30, UNIT(DAYS), false);
	Avvik__V1__Deadline *ledger;
	int64_t at_ms = 0;
	size_t rung = 99;

	(void)state;
	add_rung(rule, RUNG(WARNING), 20, UNIT(DAYS));
	add_rung(rule, RUNG(OVERDUE), 0, UNIT(DAYS));
	add_rung(rule, RUNG(ESCALATION), 1, UNIT(DAYS));
	add_rung(rule, RUNG(ESCALATION), 60, UNIT(DAYS));
	ledger = set(rule, "2026-01-10 10:00", "2026-03-01 10:00"); /* due on 9 February */
	assert_true(ledger->rungs[0]->passed_over);
	assert_false(ledger->rungs[1]->passed_over);
	assert_true(ledger->rungs[1]->late);
	assert_true(ledger->rungs[2]->passed_over);
	assert_false(ledger->rungs[3]->passed_over);
	assert_true(deadline_next_rung(ledger, &rung, &at_ms));
	assert_int_equal(rung, 1);
	assert_true(deadline_rung_late(ledger->rungs[1], at_ms)); /* however little */
	ledger->rungs[1]->fired_at_ms = at("2026-03-01 10:00");
	assert_true(deadline_next_rung(ledger, &rung, &at_ms));
	assert_int_equal(rung, 3);
}

static void rungs_come_in_order_of_time_and_end_with_the_deadline(void **state)
{
	Avvik__V1__DeadlineRule *rule = rule_of(10, UNIT(DAYS), false);
	Avvik__V1__Deadline *ledger;
	int64_t at_ms, before = 0;
	size_t rung, count = 0;

	(void)state;
	add_rung(rule, RUNG(OVERDUE), 0, UNIT(DAYS)); /* a ladder out of order */
	add_rung(rule, RUNG(WARNING), 1, UNIT(DAYS));
	add_rung(rule, RUNG(ESCALATION), 2, UNIT(DAYS));
	add_rung(rule, RUNG(WARNING), 3, UNIT(DAYS));
	ledger = set(rule, "2026-01-10 10:00", "2026-01-10 10:00");
	while (deadline_next_rung(ledger, &rung, &at_ms)) {
		assert_true(at_ms >= before);
		before = at_ms;
		ledger->rungs[rung]->fired_at_ms = at_ms;
		count++;
	}
	assert_int_equal(count, 4);
	ledger->rungs[0]->fired_at_ms = 0;
	ledger->state = AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_MET;
	assert_false(deadline_next_rung(ledger, &rung, &at_ms));
}

static void an_escalation_never_comes_before_the_end(void **state)
{
	Avvik__V1__DeadlineRule *rule = rule_of(10, UNIT(DAYS), false);
	Avvik__V1__Deadline *ledger;

	(void)state;
	add_rung(rule, RUNG(ESCALATION), 0, UNIT(DAYS));
	ledger = set(rule, "2026-01-10 10:00", "2026-01-10 10:00");
	assert_true(ledger->rungs[0]->at_ms > ledger->due_at_ms);
}

static void a_rung_is_late_after_an_hour(void **state)
{
	Avvik__V1__RungPlanned rung = AVVIK__V1__RUNG_PLANNED__INIT;

	(void)state;
	rung.at_ms = 1000000;
	assert_false(deadline_rung_late(&rung, rung.at_ms));
	assert_false(deadline_rung_late(&rung, rung.at_ms + 3600000));
	assert_true(deadline_rung_late(&rung, rung.at_ms + 3600001));
}

static void met_is_judged_by_the_time_of_the_act(void **state)
{
	Avvik__V1__DeadlineRule *rule = rule_of(2, UNIT(MONTHS), true);
	Avvik__V1__Deadline *ledger;
	struct deadline_judgement judgement;

	(void)state;
	add_rung(rule, RUNG(OVERDUE), 0, UNIT(DAYS));
	ledger = set(rule, "2026-04-19 10:00", "2026-04-19 10:00");
	judgement = deadline_judge(ledger, at("2026-06-22 23:59"));
	assert_false(judgement.late);
	assert_false(judgement.recorded_late);
	judgement = deadline_judge(ledger, at("2026-06-23 00:00"));
	assert_true(judgement.late);
	assert_false(judgement.recorded_late);
	ledger->rungs[0]->fired_at_ms = at("2026-06-23 00:00"); /* it was said to be overdue */
	judgement = deadline_judge(ledger, at("2026-06-22 16:00"));
	assert_false(judgement.late);
	assert_true(judgement.recorded_late); /* and that is corrected */
	judgement = deadline_judge(ledger, at("2026-06-24 16:00"));
	assert_true(judgement.late);
	assert_false(judgement.recorded_late);
}

static void what_a_fact_does_stands_in_the_rule(void **state)
{
	Avvik__V1__DeadlineRule *rule = rule_of(1, UNIT(DAYS), false);
	Avvik__V1__Anchor met[2] = {
		AVVIK__V1__ANCHOR__ANCHOR_ASSESSED, AVVIK__V1__ANCHOR__ANCHOR_TURNED_LEX_SARAH};
	Avvik__V1__Anchor cancelled[1] = {AVVIK__V1__ANCHOR__ANCHOR_CLOSED};
	Avvik__V1__CaseKind kinds[1] = {AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION};

	(void)state;
	rule->met_by = met;
	rule->n_met_by = 2;
	rule->cancelled_by = cancelled;
	rule->n_cancelled_by = 1;
	rule->kinds = kinds;
	rule->n_kinds = 1;
	for (int fact = 0; fact <= AVVIK__V1__ANCHOR__ANCHOR_NOTICED; fact++) {
		enum deadline_effect want_effect = fact == (int)met[0] || fact == (int)met[1] ? DEADLINE_MET
						   : fact == (int)cancelled[0] ? DEADLINE_CANCELLED
									       : DEADLINE_UNTOUCHED;
		assert_int_equal(deadline_effect(rule, (Avvik__V1__Anchor)fact), want_effect);
	}
	assert_true(deadline_concerns(rule, AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION));
	assert_false(deadline_concerns(rule, AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH));
}

static int open_arena(void **state)
{
	(void)state;
	arena = av_arena_create(0);
	return arena ? 0 : -1;
}

static int close_arena(void **state)
{
	(void)state;
	av_arena_destroy(&arena);
	return 0;
}

/* What lies before a taking over stays unsaid however the deadline is replanned; what lies ahead again is said. */
static void what_is_passed_over_stays_so_unless_it_lies_ahead_again(void **state)
{
	struct deadline_calendar calendar = deadline_calendar_of(NULL, arena);
	Avvik__V1__DeadlineRule *rule = rule_of(30, UNIT(DAYS), false);
	Avvik__V1__Deadline *ledger;
	size_t next;
	int64_t at_ms;

	(void)state;
	add_rung(rule, RUNG(WARNING), 5, UNIT(DAYS));
	add_rung(rule, RUNG(OVERDUE), 0, UNIT(DAYS));
	add_rung(rule, RUNG(ESCALATION), 5, UNIT(DAYS));
	ledger = set(rule, "2026-01-01 12:00", "2026-02-02 09:00"); /* due 31 January, escalated 5 February */
	assert_true(ledger->rungs[1]->late && deadline_next_rung(ledger, &next, &at_ms));
	assert_int_equal(next, 1);
	deadline_pass_over(ledger, at("2026-02-02 09:00"));
	assert_true(
		ledger->rungs[0]->passed_over && ledger->rungs[1]->passed_over && !ledger->rungs[1]->late);
	assert_true(deadline_next_rung(ledger, &next, &at_ms));
	assert_int_equal(next, 2);
	assert_true(deadline_overdue_known(ledger) && !deadline_overdue_fired(ledger));
	assert_true(deadline_overdue(ledger, at("2026-02-02 09:00")));
	assert_int_equal(deadline_replan(rule, &calendar, at("2026-02-03 09:00"), arena, ledger), AV_OK);
	assert_true(ledger->rungs[1]->passed_over && !ledger->rungs[1]->late);
	ledger->extended = 10; /* to 10 February */
	assert_int_equal(deadline_replan(rule, &calendar, at("2026-02-03 09:00"), arena, ledger), AV_OK);
	for (size_t i = 0; i < ledger->n_rungs; i++)
		assert_false(ledger->rungs[i]->passed_over || ledger->rungs[i]->late);
	assert_false(deadline_overdue_known(ledger));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_months_end_as_the_law_says),
		cmocka_unit_test(the_ladder_of_d5_over_midsummer),
		cmocka_unit_test(rungs_before_the_change_of_clocks_still_fire_when_the_office_opens),
		cmocka_unit_test(hours_are_exact_and_so_are_their_rungs),
		cmocka_unit_test(closures_lengthen_local_targets_and_never_the_law),
		cmocka_unit_test(the_planned_end_of_a_measure_is_its_last_day),
		cmocka_unit_test(a_backdated_anchor_passes_over_what_lies_behind_but_the_overdue_rung),
		cmocka_unit_test(rungs_come_in_order_of_time_and_end_with_the_deadline),
		cmocka_unit_test(an_escalation_never_comes_before_the_end),
		cmocka_unit_test(a_rung_is_late_after_an_hour),
		cmocka_unit_test(what_is_passed_over_stays_so_unless_it_lies_ahead_again),
		cmocka_unit_test(met_is_judged_by_the_time_of_the_act),
		cmocka_unit_test(what_a_fact_does_stands_in_the_rule),
	};
	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
