/* workflow_time.c - rungs fire once, in order, late when late; backdated acts; jumps of the clock; restarts
 */
#include "workflow_world.h"

#include <string.h>

static Avvik__V1__Event *fired(struct world *w, size_t index)
{
	uint64_t head = harness_head(w->h);
	for (uint64_t sequence = 1; sequence <= head; sequence++) {
		Avvik__V1__Event *event = harness_at_sequence(w->h, sequence);
		if (event->body_case == EVENT(RUNG_FIRED) && index-- == 0)
			return event;
	}
	fail_msg("so many rungs have not fired");
	return NULL;
}

static void a_ladder_is_climbed_rung_by_rung(void **state)
{
	static const struct {
		const char *rule, *at;
		Avvik__V1__RungKind kind;
	} want[] = {
		{"D2", "2026-04-09T00:00:00+02:00", AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE},
		{"D2", "2026-04-10T08:00:00+02:00", AVVIK__V1__RUNG_KIND__RUNG_KIND_ESCALATION},
		{"D2", "2026-04-15T08:00:00+02:00", AVVIK__V1__RUNG_KIND__RUNG_KIND_ESCALATION},
		{"D3", "2026-04-17T08:00:00+02:00", AVVIK__V1__RUNG_KIND__RUNG_KIND_WARNING},
		{"D3", "2026-04-29T08:00:00+02:00",
			AVVIK__V1__RUNG_KIND__RUNG_KIND_WARNING}, /* 1 May is no working day */
		{"D3", "2026-05-08T00:00:00+02:00", AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE},
		{"D3", "2026-05-15T08:00:00+02:00",
			AVVIK__V1__RUNG_KIND__RUNG_KIND_ESCALATION}, /* Ascension day between */
	};
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	harness_advance(w.h, harness_at("2027-01-01 09:00"));
	assert_int_equal(harness_count(w.h, EVENT(RUNG_FIRED), 0), AV_COUNT(want));
	for (size_t i = 0; i < AV_COUNT(want); i++) {
		Avvik__V1__Event *event = fired(&w, i);
		assert_string_equal(event->rung_fired->rule, want[i].rule);
		assert_int_equal(event->rung_fired->kind, want[i].kind);
		world_want_instant(event->rung_fired->planned_at_ms, want[i].at);
		assert_int_equal(event->recorded_at_ms, event->rung_fired->planned_at_ms);
		assert_false(event->rung_fired->late);
		assert_true(event->rung_fired->n_to > 0);
		assert_memory_equal(event->case_id.data, id.bytes, AV_ID_SIZE);
	}
	assert_true(world_deadline(&w, &id, "D2")->overdue); /* computed when asked */
	assert_int_equal(harness_next_due(w.h), 0);
	harness_check_replay(w.h);
	world_close(&w);
}

static void after_a_jump_of_the_clock_everything_overdue_fires_once_and_late(void **state)
{
	struct world w;
	size_t count;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	for (int i = 0; i < 5; i++)
		(void)world_file(&w, world_report(&w));
	harness_restart(w.h); /* stopped for two months */
	harness_tick(w.h, harness_at("2026-06-07 09:00"));
	count = harness_count(w.h, EVENT(RUNG_FIRED), 0);
	assert_int_equal(count, 5 * 7);
	for (size_t i = 0; i < count; i++)
		assert_true(fired(&w, i)->rung_fired->late);
	assert_int_equal(harness_tick(w.h, harness_at("2026-06-07 09:00")), 0);
	harness_restart(w.h);
	assert_int_equal(harness_tick(w.h, harness_at("2026-06-08 09:00")), 0); /* once, ever */
	assert_int_equal(
		harness_tick(w.h, harness_at("2026-04-01 09:00")), 0); /* nor when the clock goes back */
	harness_check_replay(w.h);
	world_close(&w);
}

static void an_act_recorded_late_but_done_in_time_corrects_what_was_said(void **state)
{
	Avvik__V1__Remedy remedy = AVVIK__V1__REMEDY__INIT;
	Avvik__V1__DeadlineMet *met;
	struct world w;
	struct av_id id, late;
	Avvik__V1__Deadline *deadline;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	late = world_file(&w, world_report(&w));
	harness_advance(w.h, harness_at("2026-04-09 10:00")); /* D2 has been said to be overdue */
	remedy.text = TEXT("lagat");
	world_does(&w, "anna", &id, ACT(REMEDY), &remedy.base, "2026-04-08 16:00");
	met = harness_last(w.h, EVENT(DEADLINE_MET))->deadline_met;
	assert_false(met->late);
	assert_true(met->recorded_late);
	deadline = world_deadline(&w, &id, "D2");
	assert_int_equal(deadline->state, ENDED(MET));
	world_want_instant(deadline->ended_at_ms, "2026-04-08T16:00:00+02:00");
	assert_int_equal(deadline->ended_recorded_at_ms, w.h->now_ms);
	world_does(&w, "anna", &late, ACT(REMEDY), &remedy.base, "2026-04-09 09:00");
	met = harness_last(w.h, EVENT(DEADLINE_MET))->deadline_met;
	assert_true(met->late);
	assert_false(met->recorded_late);
	assert_int_equal(world_deadline(&w, &late, "D2")->state, ENDED(MET_LATE));
	harness_advance(w.h, harness_at("2026-04-16 09:00"));
	assert_int_equal(harness_count(w.h, EVENT(RUNG_FIRED), 0), 2); /* no escalation of what has ended */
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_paper_report_that_is_already_overdue_says_so_at_once(void **state)
{
	Avvik__V1__ReportFiled *report;
	Avvik__V1__Deadline *deadline;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-14 12:00");
	report = world_report(&w);
	report->received_at_ms = harness_at("2026-04-07 09:00");
	id = world_file(&w, report);
	deadline = world_deadline(&w, &id, "D2"); /* due on the 8th; its first escalation on the 10th */
	assert_false(deadline->rungs[0]->passed_over);
	assert_true(deadline->rungs[1]->passed_over);
	assert_false(deadline->rungs[2]->passed_over);
	assert_true(harness_tick(w.h, w.h->now_ms) == 1);
	assert_true(fired(&w, 0)->rung_fired->late);
	harness_advance(w.h, harness_at("2026-04-16 12:00"));
	assert_int_equal(
		harness_count(w.h, EVENT(RUNG_FIRED), 0), 2); /* the second escalation, in its time */
	assert_false(fired(&w, 1)->rung_fired->late);
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_backdated_notification_counts_its_two_months_from_its_day(void **state)
{
	Avvik__V1__FindSerious serious = AVVIK__V1__FIND_SERIOUS__INIT;
	Avvik__V1__NotifyIvo notify = AVVIK__V1__NOTIFY_IVO__INIT;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-01 09:00");
	id = world_file(&w, world_report(&w));
	w.h->now_ms = harness_at("2026-06-01 09:00");
	serious.motive = TEXT("uppenbart");
	world_does(&w, "sara", &id, ACT(FIND_SERIOUS), &serious.base, "2026-04-17 16:00");
	world_want_day(world_deadline(&w, &id, "D4")->due_on, "2026-04-20");
	notify.registry_number = TEXT("SN 1");
	world_does(&w, "sara", &id, ACT(NOTIFY_IVO), &notify.base, "2026-04-19 11:00");
	assert_int_equal(
		world_deadline(&w, &id, "D4")->state, ENDED(MET)); /* in time by the act, whenever recorded */
	world_want_day(world_deadline(&w, &id, "D5")->due_on, "2026-06-22");
	assert_true(world_deadline(&w, &id, "D5")->rungs[0]->passed_over); /* 30 days before: 23 May */
	harness_check_replay(w.h);
	world_close(&w);
}

static void the_responsible_is_told_of_a_late_measure(void **state)
{
	struct world w;
	struct av_id id, measure;
	Avvik__V1__Event *event;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(RISK));
	measure = world_measure(&w, &id, "2026-05-29");
	harness_advance(w.h, harness_at("2026-06-01 09:00"));
	event = harness_last(w.h, EVENT(RUNG_FIRED));
	assert_string_equal(event->rung_fired->rule, "D25");
	assert_int_equal(event->rung_fired->kind, AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE);
	assert_string_equal(event->rung_fired->responsible, "anna");
	assert_memory_equal(event->rung_fired->measure_id.data, measure.bytes, AV_ID_SIZE);
	world_close(&w);
}

static void many_due_at_once_come_in_portions_and_all(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	for (int i = 0; i < 600; i++)
		(void)world_file(&w, world_report(&w));
	harness_tick(w.h, harness_at("2026-04-09 00:00")); /* D2 of all */
	assert_int_equal(harness_count(w.h, EVENT(RUNG_FIRED), 0), 600);
	assert_false(fired(&w, 599)->rung_fired->late);
	world_close(&w);
}

static struct av_item act_item(struct world *w, const char *person, const struct av_id *id)
{
	static const char reference[] = "remedy-1";
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__ActOnCase order = AVVIK__V1__ACT_ON_CASE__INIT;
	Avvik__V1__Remedy remedy = AVVIK__V1__REMEDY__INIT;
	struct av_id copy = *id;

	remedy.text = TEXT("larmet byttes");
	order.case_id = BINARY(copy);
	order.version_seen = world_case(w, id)->version;
	order.act_case = ACT(REMEDY);
	order.remedy = &remedy;
	command.reference = TEXT(reference);
	command.on_behalf_of = TEXT(person);
	av_body_set(&command.base, COMMAND(ACT_ON_CASE), &order.base);
	return (struct av_item){.kind = AV_ITEM_COMMAND,
		.arrived_at_ms = w->h->now_ms,
		.wire = av_message_pack(&command.base, w->h->arena),
		.principal = &w->cases};
}

/* The directory gives work to do for another case; the rung must not wait for the turn after. */
static void an_act_finds_what_was_due_before_it_came_fired(void **state)
{
	struct world w;
	struct av_id id;
	Avvik__V1__ReportFiled *unplaced;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	unplaced = world_report(&w);
	unplaced->unit = TEXT("nytt");
	(void)world_file(&w, unplaced);
	world_publish_directory(
		&w, "  - { code: nytt, name: Nytt, parent: aldre, level: unit, operation: own }\n");
	w.h->now_ms = harness_at("2026-04-09 09:00"); /* D2 ran out at midnight */
	struct av_item items[] = {{.kind = AV_ITEM_DUE, .arrived_at_ms = 1}, act_item(&w, "anna", &id)};
	assert_int_equal(harness_run(w.h, items, 2), AV_OK);
	assert_int_equal(items[0].status, AV_OK);
	assert_int_equal(harness_count(w.h, EVENT(CASE_PLACED), 0), 1);
	assert_true(fired(&w, 0)->sequence < harness_last(w.h, EVENT(CASE_REMEDIED))->sequence);
	assert_true(harness_last(w.h, EVENT(DEADLINE_MET))->deadline_met->late);
	assert_int_equal(world_deadline(&w, &id, "D2")->rungs[0]->fired_at_ms, w.h->now_ms);
	harness_check_replay(w.h);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ladder_is_climbed_rung_by_rung),
		cmocka_unit_test(after_a_jump_of_the_clock_everything_overdue_fires_once_and_late),
		cmocka_unit_test(an_act_recorded_late_but_done_in_time_corrects_what_was_said),
		cmocka_unit_test(a_paper_report_that_is_already_overdue_says_so_at_once),
		cmocka_unit_test(a_backdated_notification_counts_its_two_months_from_its_day),
		cmocka_unit_test(the_responsible_is_told_of_a_late_measure),
		cmocka_unit_test(many_due_at_once_come_in_portions_and_all),
		cmocka_unit_test(an_act_finds_what_was_due_before_it_came_fired),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
