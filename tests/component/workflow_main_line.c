/* workflow_main_line.c - a lex Sarah case from the report to its end, with its deadlines; loops of
 * measures */
#include "workflow_world.h"

#include <string.h>

/* Notified early without the investigation, handed in two months later on the Monday after Midsummer. */
static void a_lex_sarah_case_goes_all_the_way(void **state)
{
	Avvik__V1__Remedy remedy = AVVIK__V1__REMEDY__INIT;
	Avvik__V1__InformAffected inform = AVVIK__V1__INFORM_AFFECTED__INIT;
	Avvik__V1__FindSerious serious = AVVIK__V1__FIND_SERIOUS__INIT;
	Avvik__V1__NotifyIvo notify = AVVIK__V1__NOTIFY_IVO__INIT;
	Avvik__V1__HandInInvestigation hand_in = AVVIK__V1__HAND_IN_INVESTIGATION__INIT;
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	struct world w;
	struct av_id id, measure;
	Avvik__V1__Case *found;
	Avvik__V1__Deadline *deadline;

	(void)state;
	world_open(&w, "2026-04-16 09:00");
	id = world_file(&w, world_report(&w));
	found = world_case(&w, &id);
	assert_int_equal(found->state, STATE(RECEIVED));
	assert_string_equal(found->number, "2026-0001");
	assert_string_equal(found->rules_version, "se-2025-07");
	assert_non_null(strstr(found->legal_reference, "24 e §")); /* LSS */
	assert_int_equal(world_deadlines(&w, &id), 2);
	world_want_day(world_deadline(&w, &id, "D2")->due_on, "2026-04-17");
	world_want_day(world_deadline(&w, &id, "D3")->due_on, "2026-05-16");

	harness_advance(w.h, harness_at("2026-04-17 10:00"));
	remedy.text = TEXT("extra bemanning");
	world_does(&w, "anna", &id, ACT(REMEDY), &remedy.base, NULL);
	assert_int_equal(world_deadline(&w, &id, "D2")->state, ENDED(MET));
	inform.informed = true;
	inform.text = TEXT("dottern per telefon");
	world_does(&w, "anna", &id, ACT(INFORM_AFFECTED), &inform.base, NULL);
	world_investigate(&w, &id);
	assert_int_equal(world_deadline(&w, &id, "D3")->state, ENDED(MET));
	serious.motive = TEXT("uppenbart");
	world_does(&w, "eva", &id, ACT(FIND_SERIOUS), &serious.base, NULL);
	assert_int_equal(world_case(&w, &id)->ivo, IVO(REQUIRED));
	world_want_day(world_deadline(&w, &id, "D4")->due_on, "2026-04-20");

	harness_advance(w.h, harness_at("2026-04-19 14:00"));
	notify.registry_number = TEXT("SN 2026/17");
	world_does(&w, "sara", &id, ACT(NOTIFY_IVO), &notify.base, NULL);
	assert_int_equal(world_deadline(&w, &id, "D4")->state, ENDED(MET));
	deadline = world_deadline(&w, &id, "D5");
	assert_true(deadline->statutory);
	world_want_day(deadline->nominal_on, "2026-06-19");
	world_want_day(deadline->due_on, "2026-06-22");

	harness_advance(w.h, harness_at("2026-06-10 10:00"));
	world_document(&w, &id);
	assert_int_equal(world_case(&w, &id)->state, STATE(ASSESSMENT));
	world_decide(&w, &id, DEGREE(SERIOUS));
	assert_int_equal(world_case(&w, &id)->ivo, IVO(NOTIFIED));	 /* not asked for again */
	assert_int_equal(harness_count(w.h, EVENT(DEADLINE_SET), 0), 4); /* D2, D3, D4 once, D5 */
	harness_advance(w.h, harness_at("2026-06-22 15:00"));
	world_does(&w, "eva", &id, ACT(HAND_IN_INVESTIGATION), &hand_in.base, NULL);
	assert_int_equal(world_deadline(&w, &id, "D5")->state, ENDED(MET));

	measure = world_measure(&w, &id, "2026-08-31");
	deadline = world_deadline(&w, &id, "D25");
	world_want_day(deadline->due_on, "2026-08-31");
	harness_advance(w.h, harness_at("2026-08-20 10:00"));
	world_execute(&w, &id, measure);
	assert_int_equal(world_case(&w, &id)->state, STATE(FOLLOW_UP));
	assert_int_equal(world_deadline(&w, &id, "D25")->state, ENDED(MET));
	world_want_day(world_deadline(&w, &id, "D26")->due_on, "2026-11-20");
	harness_advance(w.h, harness_at("2026-11-10 10:00"));
	world_evaluate(&w, &id, measure, true, false);
	assert_int_equal(world_deadline(&w, &id, "D26")->state, ENDED(MET));
	close.note = TEXT("klart");
	close.category = TEXT("BEM");
	close.subcategory = TEXT("BEM_RESPEKTLOST");
	world_does(&w, "sara", &id, ACT(CLOSE), &close.base, NULL);
	found = world_case(&w, &id);
	assert_int_equal(found->state, STATE(CLOSED));
	assert_string_equal(found->subcategory, "BEM_RESPEKTLOST");
	assert_int_equal(
		found->n_acts_possible, 10); /* who is told; IVO; reopening; later checks; corrections */
	assert_int_equal(found->items_documented, 0x7fe); /* the decision is item 9 */
	assert_int_equal(world_deadline(&w, &id, "D26B")->state, ENDED(RUNNING));
	assert_int_equal(world_deadline(&w, &id, "D26C")->state, ENDED(RUNNING));
	harness_check_replay(w.h);
	world_close(&w);
}

static void an_investigation_attached_to_the_notification_needs_no_second_step(void **state)
{
	Avvik__V1__NotifyIvo notify = AVVIK__V1__NOTIFY_IVO__INIT;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(SERIOUS_RISK));
	assert_int_equal(world_deadline(&w, &id, "D4")->state, ENDED(RUNNING));
	notify.registry_number = TEXT("SN 2026/18");
	notify.investigation_attached = true;
	world_does(&w, "lena", &id, ACT(NOTIFY_IVO), &notify.base, NULL);
	assert_int_equal(world_case(&w, &id)->ivo, IVO(COMPLETE));
	assert_int_equal(world_deadlines(&w, &id), 3); /* D2, D3, D4; no D5 */
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_measure_without_effect_asks_for_another(void **state)
{
	struct world w;
	struct av_id id, first, second, third;
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	Avvik__V1__Reply *reply;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(MISCONDUCT));
	first = world_measure(&w, &id, "2026-05-01");
	second = world_measure(&w, &id, "2026-05-02");
	world_execute(&w, &id, first);
	assert_int_equal(world_case(&w, &id)->state, STATE(MEASURES)); /* another remains */
	assert_int_equal(
		harness_count(w.h, EVENT(DEADLINE_MET), 0), 2); /* D3, and D25 of this measure alone */
	world_execute(&w, &id, second);
	assert_int_equal(world_case(&w, &id)->state, STATE(FOLLOW_UP));
	world_evaluate(&w, &id, first, false, false);
	assert_int_equal(world_case(&w, &id)->state, STATE(MEASURES)); /* a new one is wanted */
	world_evaluate(&w, &id, second, false, true);		       /* the risk is accepted */
	assert_int_equal(world_case(&w, &id)->state, STATE(MEASURES));
	third = world_measure(&w, &id, "2026-06-01");
	world_execute(&w, &id, third);
	assert_int_equal(world_case(&w, &id)->state, STATE(FOLLOW_UP));
	reply = world_act(&w, "sara", &id, ACT(CLOSE), &close.base, NULL);
	harness_want(reply, REPLY(WRONG_STATE));
	assert_non_null(strstr(reply->text, "unevaluated"));
	world_evaluate(&w, &id, third, true, false);
	world_does(&w, "sara", &id, ACT(CLOSE), &close.base, NULL); /* the report had a category */
	assert_string_equal(world_case(&w, &id)->category, "BEM");
	assert_int_equal(
		harness_count(w.h, EVENT(DEADLINE_SET), 0), 2 + 3 + 9); /* D25 and three checks for each */
	/* D2 was never met: closing ends it, and says why */
	assert_int_equal(world_deadline(&w, &id, "D2")->state, ENDED(CANCELLED));
	assert_int_equal(harness_last(w.h, EVENT(DEADLINE_CANCELLED))->deadline_cancelled->because,
		AVVIK__V1__ANCHOR__ANCHOR_CLOSED);
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_case_without_measures_is_followed_up_and_closed(void **state)
{
	Avvik__V1__DecideNoMeasures none = AVVIK__V1__DECIDE_NO_MEASURES__INIT;
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(NONE));
	none.motive = TEXT("inget att åtgärda");
	world_does(&w, "anna", &id, ACT(DECIDE_NO_MEASURES), &none.base, NULL);
	world_does(&w, "sara", &id, ACT(CLOSE), &close.base, NULL);
	assert_false(harness_last(w.h, EVENT(CASE_CLOSED))->case_closed->as_position);
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_position_closes_quickly_and_may_be_reconsidered(void **state)
{
	Avvik__V1__FindSerious serious = AVVIK__V1__FIND_SERIOUS__INIT;
	Avvik__V1__Reconsider reconsider = AVVIK__V1__RECONSIDER__INIT;
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	struct world w;
	struct av_id id, other;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	other = world_file(&w, world_report(&w));
	world_take_position(&w, &id);
	world_take_position(&w, &other);
	assert_int_equal(world_case(&w, &id)->state, STATE(POSITION));
	world_does(&w, "sara", &id, ACT(CLOSE), &close.base, NULL);
	assert_true(harness_last(w.h, EVENT(CASE_CLOSED))->case_closed->as_position);
	assert_int_equal(harness_last(w.h, EVENT(DEADLINE_CANCELLED))->deadline_cancelled->because,
		AVVIK__V1__ANCHOR__ANCHOR_CLOSED_AS_POSITION); /* D2 */
	serious.motive = TEXT("ändå allvarligt");
	world_does(&w, "eva", &other, ACT(FIND_SERIOUS), &serious.base, NULL);
	harness_want(world_act(&w, "sara", &other, ACT(CLOSE), &close.base, NULL), REPLY(WRONG_STATE));
	reconsider.motive = TEXT("uppenbart allvarligt");
	reconsider.investigator = TEXT("eva");
	world_does(&w, "sara", &other, ACT(RECONSIDER), &reconsider.base, NULL);
	assert_int_equal(world_case(&w, &other)->state, STATE(INVESTIGATION));
	harness_check_replay(w.h);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lex_sarah_case_goes_all_the_way),
		cmocka_unit_test(an_investigation_attached_to_the_notification_needs_no_second_step),
		cmocka_unit_test(a_measure_without_effect_asks_for_another),
		cmocka_unit_test(a_case_without_measures_is_followed_up_and_closed),
		cmocka_unit_test(a_position_closes_quickly_and_may_be_reconsidered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
