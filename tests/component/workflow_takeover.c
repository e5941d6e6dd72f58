/* workflow_takeover.c - open cases of another system: their dates are kept, deadlines follow from them, nothing is
 * said of the past */
#include "workflow_taken.h"

#include <string.h>

#include "base/macros.h"

static size_t rungs(const Avvik__V1__Deadline *deadline, bool passed_over)
{
	size_t count = 0;
	for (size_t i = 0; i < deadline->n_rungs; i++)
		count += (deadline->rungs[i]->passed_over != 0) == passed_over;
	return count;
}

/* --- what it becomes --- */

static void a_case_keeps_its_dates_and_its_deadlines_follow_from_them(void **state)
{
	const Avvik__V1__Event *event;
	const Avvik__V1__Case *found;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, NOW);
	id = taken(&w, LS31);
	found = world_case(&w, &id);
	assert_int_equal(found->state, STATE(INVESTIGATION));
	assert_string_equal(found->number, "2025-0001");
	assert_string_equal(found->investigator, "eva");
	assert_string_equal(found->rules_version, "se-2025-07");
	assert_int_equal(found->ivo, IVO(NOTIFIED));
	world_want_instant(found->received_at_ms, "2025-10-06T00:00:00+02:00");
	world_want_instant(found->notified_at_ms, "2025-11-11T00:00:00+01:00");
	world_want_instant(found->opened_at_ms, "2026-02-02T09:00:00+01:00");
	assert_string_equal(found->takeover->system, "oldsys");
	assert_string_equal(found->takeover->external_id, "LS-31");
	assert_int_equal(found->takeover->at_ms, w.h->now_ms);
	assert_int_equal(found->n_tasks, 0); /* who reported was known there */
	assert_false(found->contact_given);
	assert_int_equal(world_deadlines(&w, &id), 4);
	assert_int_equal(world_deadline(&w, &id, "D2")->state, ENDED(MET));
	world_want_instant(world_deadline(&w, &id, "D3")->ended_at_ms, "2025-10-20T00:00:00+02:00");
	assert_int_equal(world_deadline(&w, &id, "D4")->state, ENDED(MET));
	world_want_day(world_deadline(&w, &id, "D5")->nominal_on, "2026-01-11");
	world_want_day(world_deadline(&w, &id, "D5")->due_on, "2026-01-12");
	event = harness_last(w.h, EVENT(IVO_NOTIFIED));
	assert_string_equal(event->actor->taken_over_from, "oldsys");
	assert_string_equal(event->actor->principal, "mover");
	assert_string_equal(event->actor->person, "");
	world_want_instant(event->occurred_at_ms, "2025-11-11T00:00:00+01:00");
	event = harness_last(w.h, EVENT(CASE_TAKEN_OVER));
	assert_string_equal(event->case_taken_over->reason->text, "the old system is closed");
	assert_string_equal(event->actor->taken_over_from, "");
	harness_check_replay(w.h);
	world_close(&w);
}

static void an_overdue_deadline_is_known_and_nothing_is_ever_said_of_it(void **state)
{
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, NOW);
	id = taken(&w, LS31);
	assert_true(world_deadline(&w, &id, "D5")->overdue);
	assert_int_equal(world_deadline(&w, &id, "D5")->state, ENDED(RUNNING));
	assert_int_equal(rungs(world_deadline(&w, &id, "D5"), false), 0);
	harness_restart(w.h);
	harness_advance(w.h, harness_at("2026-12-31 12:00"));
	assert_int_equal(harness_count(w.h, EVENT(RUNG_FIRED), 0), 0);
	harness_check_replay(w.h);
	world_close(&w);
}

/* Received on 7 January: 30 days are up on 6 February. */
#define LS2                                                                                           \
	"external_id: LS-2\nstate: received\n"                                                        \
	"report: { type: lex_sarah_risk, unit: boendet, received_at: 2026-01-07 11:00, laws: [sol], " \
	"category: MILJO, narrative: { description: larmen är tysta } }\n"                           \
	"acts:\n- { acted_at: 2026-01-07 13:00, remedy: { text: extra tillsyn } }\n"

static void what_is_to_come_fires_once_and_none_of_the_past(void **state)
{
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, NOW);
	id = taken(&w, LS2);
	assert_int_equal(rungs(world_deadline(&w, &id, "D3"), true), 2);
	harness_advance(w.h, harness_at("2026-02-06 23:00"));
	assert_int_equal(harness_count(w.h, EVENT(RUNG_FIRED), 0), 0);
	harness_advance(w.h, harness_at("2026-02-07 08:00"));
	assert_int_equal(harness_count(w.h, EVENT(RUNG_FIRED), 0), 1);
	assert_int_equal(harness_last(w.h, EVENT(RUNG_FIRED))->rung_fired->kind,
		AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE);
	assert_false(harness_last(w.h, EVENT(RUNG_FIRED))->rung_fired->late);
	harness_restart(w.h);
	harness_advance(w.h, harness_at("2026-04-01 08:00"));
	assert_int_equal(harness_count(w.h, EVENT(RUNG_FIRED), 0), 2); /* and the escalation */
	harness_check_replay(w.h);
	world_close(&w);
}

/* A measure that should have been done by 1 December. */
#define ENTRY(item)                                             \
	"- { acted_at: 2025-06-10, record_entry: { item: " item \
	", nature: fact, source: samtal, text: uppgift } }\n"
#define MAIN_LINE                                                                                           \
	"external_id: LS-14\nstate: measures\n"                                                             \
	"report: { type: lex_sarah, unit: boendet, received_at: 2025-06-02, laws: [sol], category: UTF, "   \
	"narrative: { description: uteblivet besök, immediate_measures: [{ text: tillsyn, taken_at: "      \
	"2025-06-02 10:00 }] }, "                                                                           \
	"reporter: { name: Rut, mail: rut@lindaker.se } }\n"                                                \
	"acts:\n"                                                                                           \
	"- { acted_at: 2025-06-03, assess_initially: { preliminary_degree: misconduct, investigate: true, " \
	"investigator: eva, motive: utreds } }\n" ENTRY("1") ENTRY("2") ENTRY("3") ENTRY("4") ENTRY("5")    \
		ENTRY("6") ENTRY("7") ENTRY("8") ENTRY(                                                     \
			"10") "- { acted_at: 2025-06-24, complete_investigation: { proposed_degree: "       \
			      "misconduct, motive: skäl } }\n"                                             \
			      "- { acted_at: 2025-07-01, decide: { degree: misconduct, motive: skäl } }\n"
#define PLAN(end)                                                                             \
	"plan: { horizon: short, description: rutin, goal: inget glöms, responsible: anna, " \
	"planned_end_on: " end " }\n"

static void a_replanned_deadline_stays_silent_of_the_past_and_speaks_of_what_lies_ahead(void **state)
{
	Avvik__V1__ExtendDeadline extend = AVVIK__V1__EXTEND_DEADLINE__INIT;
	const Avvik__V1__Deadline *d25;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, NOW);
	world_publish_changed(&w, world_old_rules(&w));
	id = taken(&w, MAIN_LINE "measures:\n- decided_at: 2025-09-01\n  " PLAN("2025-12-01"));
	d25 = world_deadline(&w, &id, "D25");
	assert_true(d25->overdue);
	extend.deadline_id = d25->deadline_id;
	extend.count = 10; /* to 11 December: past still */
	extend.motive = TEXT("leverans");
	world_does(&w, "sara", &id, ACT(EXTEND_DEADLINE), &extend.base, NULL);
	harness_advance(w.h, harness_at("2026-02-03 09:00"));
	assert_int_equal(harness_count(w.h, EVENT(RUNG_FIRED), 0), 0);
	extend.count = 80; /* to 1 March */
	world_does(&w, "sara", &id, ACT(EXTEND_DEADLINE), &extend.base, NULL);
	world_want_day(world_deadline(&w, &id, "D25")->due_on, "2026-03-01");
	harness_advance(w.h, harness_at("2026-03-02 09:00"));
	assert_int_equal(
		harness_count(w.h, EVENT(RUNG_FIRED), 0), 2); /* the reminder of 22 February; overdue */
	harness_check_replay(w.h);
	world_close(&w);
}

/* --- two rule packs, measures, a deviation --- */

static void the_rule_pack_is_that_of_the_day_of_receipt(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"external_id: A\nstate: received\nreport: { type: lex_sarah, unit: boendet, received_at: "
		 "2025-06-30 "
		 "23:59, laws: [sol], category: BEM, narrative: { description: x } }\n",
			"se-2001-453"},
		{"external_id: B\nstate: received\nreport: { type: lex_sarah, unit: boendet, received_at: "
		 "2025-07-01, "
		 "laws: [sol], category: BEM, narrative: { description: x } }\n",
			"se-2025-07"},
	};
	struct world w;

	(void)state;
	world_open(&w, NOW);
	world_publish_changed(&w, world_old_rules(&w));
	for (size_t i = 0; i < AV_COUNT(cases); i++) {
		struct av_id id = taken(&w, cases[i].text);
		const Avvik__V1__Case *found = world_case(&w, &id);
		assert_string_equal(found->rules_version, cases[i].want);
		assert_non_null(strstr(found->legal_reference, i ? "2025:400" : "2001:453"));
		assert_string_equal(world_deadline(&w, &id, "D3")->rules_version, cases[i].want);
	}
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_measure_comes_with_what_became_of_it(void **state)
{
	const Avvik__V1__Measure *measure;
	const Avvik__V1__Case *found;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, NOW);
	world_publish_changed(&w, world_old_rules(&w));
	id = taken(&w,
		MAIN_LINE "measures:\n"
			  "- proposed_at: 2025-08-20\n  decided_at: 2025-09-01\n  executed_at: 2025-09-30\n"
			  "  checks: [{ judged_at: 2025-12-20, effective: true, text: inget har hänt }]\n "
			  " " PLAN("2025-10-01") "- decided_at: 2025-09-01\n  " PLAN(
				  "2026-03-02") "- proposed_at: 2026-01-15\n  " PLAN("2026-05-02"));
	found = world_case(&w, &id);
	assert_int_equal(found->n_measures, 3); /* in the order of their times */
	measure = found->measures[0];
	assert_int_equal(measure->state, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_EVALUATED);
	assert_true(measure->effective);
	world_want_instant(measure->executed_at_ms, "2025-09-30T00:00:00+02:00");
	assert_string_equal(measure->checks[0]->rule, "D26");
	assert_int_equal(found->measures[1]->state, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_APPROVED);
	assert_int_equal(found->measures[2]->state, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_PROPOSED);
	world_want_instant(world_deadline(&w, &id, "D26")->ended_at_ms, "2025-12-20T00:00:00+01:00");
	assert_int_equal(world_deadline(&w, &id, "D26B")->state, ENDED(RUNNING));
	world_want_day(world_deadline(&w, &id, "D26B")->due_on, "2026-03-30");
	world_execute(&w, &id, id_of(found->measures[1]->measure_id)); /* it goes on here */
	harness_check_replay(w.h);
	world_close(&w);
}

#define AV9(more, at)                                                                              \
	"external_id: AV-9\nstate: " at "\n"                                                       \
	"report: { type: deviation, unit: hemtjanst, received_at: 2026-01-20 10:00, laws: [sol], " \
	"category: BEM, narrative: { description: sen hjälp } }\n"                                \
	"acts:\n"                                                                                  \
	"- { acted_at: 2026-01-28 08:00, begin_inquiry: { laws: [sol] } }\n"                       \
	"- { acted_at: 2026-01-21 09:00, take_for_review: { handler: bo } }\n"                     \
	"- { acted_at: 2026-01-23 09:00, request_completion: { question: vilket pass } }\n"        \
	"- { acted_at: 2026-01-27 14:00, answer_completion: { text: kvällen } }\n" more

static void a_deviation_keeps_the_time_for_which_its_deadline_stood_still(void **state)
{
	const Avvik__V1__Deadline *dev1;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, NOW);
	id = taken(&w, AV9("", "investigation")); /* the order of the file is not that of time */
	dev1 = world_deadline(&w, &id, "DEV1");
	world_want_day(dev1->due_on, "2026-02-05");
	assert_int_equal(dev1->n_stops, 1);
	world_want_instant(dev1->stops[0]->until_ms, "2026-01-27T14:00:00+01:00");
	assert_int_equal(dev1->state, ENDED(RUNNING));
	harness_advance(w.h, harness_at("2026-02-06 09:00"));
	assert_int_equal(harness_count(w.h, EVENT(RUNG_FIRED), 0), 1); /* overdue: the reminder lay before */
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_deviation_that_had_become_lex_sarah_is_lex_sarah(void **state)
{
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, NOW);
	id = taken(&w, AV9("- { acted_at: 2026-01-30 08:00, assess_risk: { law: sol, probability: 4, "
			   "severity: 4 } }\n",
			       "received"));
	assert_int_equal(world_case(&w, &id)->kind, AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH);
	assert_int_equal(world_case(&w, &id)->n_tasks, 0);
	assert_true(world_case(&w, &id)->was_deviation);
	assert_int_equal(world_deadline(&w, &id, "DEV1")->state, ENDED(MET));
	world_want_instant(world_deadline(&w, &id, "D3")->anchor_at_ms, "2026-01-30T08:00:00+01:00");
	harness_check_replay(w.h);
	world_close(&w);
}

static void it_goes_on_here_as_any_other_case(void **state)
{
	Avvik__V1__HandInInvestigation hand = AVVIK__V1__HAND_IN_INVESTIGATION__INIT;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, NOW);
	id = taken(&w, LS31);
	world_document(&w, &id);
	world_decide(&w, &id, DEGREE(SERIOUS));
	world_does(&w, "sara", &id, ACT(HAND_IN_INVESTIGATION), &hand.base, NULL);
	assert_int_equal(world_deadline(&w, &id, "D5")->state, ENDED(MET_LATE));
	assert_false(harness_last(w.h, EVENT(DEADLINE_MET))->deadline_met->recorded_late);
	assert_string_equal(harness_last(w.h, EVENT(DEADLINE_MET))->actor->taken_over_from, "");
	harness_check_replay(w.h);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_case_keeps_its_dates_and_its_deadlines_follow_from_them),
		cmocka_unit_test(an_overdue_deadline_is_known_and_nothing_is_ever_said_of_it),
		cmocka_unit_test(what_is_to_come_fires_once_and_none_of_the_past),
		cmocka_unit_test(a_replanned_deadline_stays_silent_of_the_past_and_speaks_of_what_lies_ahead),
		cmocka_unit_test(the_rule_pack_is_that_of_the_day_of_receipt),
		cmocka_unit_test(a_measure_comes_with_what_became_of_it),
		cmocka_unit_test(a_deviation_keeps_the_time_for_which_its_deadline_stood_still),
		cmocka_unit_test(a_deviation_that_had_become_lex_sarah_is_lex_sarah),
		cmocka_unit_test(it_goes_on_here_as_any_other_case),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
