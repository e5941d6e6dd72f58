/* workflow_ivo.c - what passes between the committee and IVO after the notification, and cases that take
 * another course */
#include "workflow_world.h"

#include <string.h>

static void request(struct world *w, const struct av_id *id, const char *due)
{
	Avvik__V1__RecordIvoRequest request = AVVIK__V1__RECORD_IVO_REQUEST__INIT;
	av_day day;

	assert_int_equal(av_day_parse(due, &day), AV_OK);
	request.due_on = day;
	request.text = TEXT("komplettera med bemanning");
	request.ivo_case_number = TEXT("3.2-01234/2026");
	world_does(w, "reg", id, ACT(RECORD_IVO_REQUEST), &request.base, NULL);
}

static void no_measures_and_close(struct world *w, const struct av_id *id)
{
	Avvik__V1__DecideNoMeasures none = AVVIK__V1__DECIDE_NO_MEASURES__INIT;
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;

	none.motive = TEXT("redan åtgärdat");
	world_does(w, "anna", id, ACT(DECIDE_NO_MEASURES), &none.base, NULL);
	world_does(w, "sara", id, ACT(CLOSE), &close.base, NULL);
}

static void wants(struct world *w, const char *person, const struct av_id *id, unsigned int act,
	ProtobufCMessage *body, Avvik__V1__ReplyStatus status, const char *words)
{
	world_want_fault(world_act(w, person, id, act, body, NULL), status, words);
}

static void a_duty_that_was_lifted_may_come_back_with_the_decision(void **state)
{
	Avvik__V1__LiftIvoDuty lift = AVVIK__V1__LIFT_IVO_DUTY__INIT;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	wants(&w, "sara", &id, ACT(LIFT_IVO_DUTY), &lift.base, REPLY(INVALID), "why IVO need not");
	lift.motive = TEXT("visade sig vara ett missförstånd");
	wants(&w, "sara", &id, ACT(LIFT_IVO_DUTY), &lift.base, REPLY(WRONG_STATE), "ivo_not_required");
	world_find_serious(&w, &id);
	wants(&w, "eva", &id, ACT(LIFT_IVO_DUTY), &lift.base, REPLY(FORBIDDEN), "lift_ivo_duty");
	world_does(&w, "sara", &id, ACT(LIFT_IVO_DUTY), &lift.base, NULL);
	assert_int_equal(world_case(&w, &id)->ivo, IVO(NOT_REQUIRED));
	assert_false(world_case(&w, &id)->serious_found);
	assert_int_equal(world_nth(&w, &id, "D4", 1)->state, ENDED(CANCELLED));
	assert_int_equal(harness_last(w.h, EVENT(DEADLINE_CANCELLED))->deadline_cancelled->because,
		AVVIK__V1__ANCHOR__ANCHOR_IVO_DUTY_LIFTED);
	world_investigate(&w, &id);
	world_document(&w, &id);
	world_decide(&w, &id, DEGREE(SERIOUS));
	assert_int_equal(world_case(&w, &id)->ivo, IVO(REQUIRED));
	assert_int_equal(world_nth(&w, &id, "D4", 2)->state, ENDED(RUNNING));
	wants(&w, "sara", &id, ACT(LIFT_IVO_DUTY), &lift.base, REPLY(WRONG_STATE), "decided_serious");
	world_notify(&w, &id, false);
	wants(&w, "sara", &id, ACT(LIFT_IVO_DUTY), &lift.base, REPLY(WRONG_STATE), "ivo_sent");
	assert_int_equal(world_deadline(&w, &id, "D5")->state, ENDED(RUNNING)); /* goes on */
	harness_check_replay(w.h);
	world_close(&w);
}

static void each_request_of_ivo_has_its_own_day_and_goes_on_when_the_case_is_closed(void **state)
{
	Avvik__V1__RecordIvoRequest bad = AVVIK__V1__RECORD_IVO_REQUEST__INIT;
	Avvik__V1__AnswerIvoRequest answer = AVVIK__V1__ANSWER_IVO_REQUEST__INIT;
	Avvik__V1__RecordIvoDecision decision = AVVIK__V1__RECORD_IVO_DECISION__INIT;
	Avvik__V1__Deadline *deadline;
	Avvik__V1__Case *found;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	world_find_serious(&w, &id);
	bad.text = TEXT("komplettera");
	bad.due_on = av_local_day(w.h->now_ms) + 10;
	wants(&w, "sara", &id, ACT(RECORD_IVO_REQUEST), &bad.base, REPLY(WRONG_STATE), "ivo_not_notified");
	world_notify(&w, &id, false);
	bad.due_on = av_local_day(w.h->now_ms) - 1;
	wants(&w, "sara", &id, ACT(RECORD_IVO_REQUEST), &bad.base, REPLY(INVALID),
		"before the day of the request");
	bad.due_on = 0;
	wants(&w, "sara", &id, ACT(RECORD_IVO_REQUEST), &bad.base, REPLY(INVALID), "day in IVO's letter");
	wants(&w, "sara", &id, ACT(ANSWER_IVO_REQUEST), &answer.base, REPLY(INVALID), "request_unknown");
	request(&w, &id, "2026-06-19"); /* Midsummer Eve: IVO's own day is not moved */
	request(&w, &id, "2026-07-03");
	deadline = world_nth(&w, &id, "IVO1", 1);
	assert_true(deadline->statutory);
	world_want_day(deadline->due_on, "2026-06-19");
	world_want_day(world_nth(&w, &id, "IVO1", 2)->due_on, "2026-07-03");
	wants(&w, "sara", &id, ACT(ANSWER_IVO_REQUEST), &answer.base, REPLY(INVALID), "request_which");
	answer.request = 2;
	answer.text = TEXT("bemanningslistor");
	world_does(&w, "eva", &id, ACT(ANSWER_IVO_REQUEST), &answer.base, NULL);
	assert_int_equal(world_nth(&w, &id, "IVO1", 2)->state, ENDED(MET));
	assert_int_equal(world_nth(&w, &id, "IVO1", 1)->state, ENDED(RUNNING));
	wants(&w, "eva", &id, ACT(ANSWER_IVO_REQUEST), &answer.base, REPLY(INVALID), "request_unknown");

	world_investigate(&w, &id);
	world_document(&w, &id);
	world_decide(&w, &id, DEGREE(SERIOUS));
	{
		Avvik__V1__HandInInvestigation hand_in = AVVIK__V1__HAND_IN_INVESTIGATION__INIT;
		world_does(&w, "eva", &id, ACT(HAND_IN_INVESTIGATION), &hand_in.base, NULL);
	}
	no_measures_and_close(&w, &id);
	assert_int_equal(
		world_nth(&w, &id, "IVO1", 1)->state, ENDED(RUNNING)); /* closed, and IVO still waits */
	harness_advance(w.h, harness_at("2026-06-12 08:01"));
	assert_string_equal(harness_last(w.h, EVENT(RUNG_FIRED))->rung_fired->rule, "IVO1");
	request(&w, &id, "2026-08-01"); /* one more after the closing */
	decision.outcome = AVVIK__V1__IVO_OUTCOME__IVO_OUTCOME_CRITICISM;
	world_does(&w, "reg", &id, ACT(RECORD_IVO_DECISION), &decision.base, NULL);
	found = world_case(&w, &id);
	assert_int_equal(found->state, STATE(CLOSED));
	assert_int_equal(found->ivo, IVO(CLEARED));
	assert_string_equal(found->ivo_case_number, "3.2-01234/2026");
	assert_true(found->ivo_requests[0]->lapsed && !found->ivo_requests[1]->lapsed);
	assert_int_equal(world_nth(&w, &id, "IVO1", 1)->state, ENDED(CANCELLED));
	assert_int_equal(world_nth(&w, &id, "IVO1", 3)->state, ENDED(CANCELLED));
	assert_int_equal(harness_next_due(w.h), 0);
	wants(&w, "reg", &id, ACT(RECORD_IVO_DECISION), &decision.base, REPLY(WRONG_STATE), "ivo_decided");
	harness_check_replay(w.h);
	world_close(&w);
}

static void ivo_may_decide_first_and_the_investigation_is_still_handed_in(void **state)
{
	Avvik__V1__RecordIvoDecision decision = AVVIK__V1__RECORD_IVO_DECISION__INIT;
	Avvik__V1__HandInInvestigation hand_in = AVVIK__V1__HAND_IN_INVESTIGATION__INIT;
	Avvik__V1__DecideNoMeasures none = AVVIK__V1__DECIDE_NO_MEASURES__INIT;
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	world_find_serious(&w, &id);
	world_notify(&w, &id, false);
	wants(&w, "sara", &id, ACT(RECORD_IVO_DECISION), &decision.base, REPLY(INVALID),
		"closed, criticism, supervision");
	decision.outcome = AVVIK__V1__IVO_OUTCOME__IVO_OUTCOME_CLOSED;
	wants(&w, "sara", &id, ACT(RECORD_IVO_DECISION), &decision.base, REPLY(INVALID), "IVO's number");
	decision.ivo_case_number = TEXT("3.2-5/2026");
	world_does(&w, "sara", &id, ACT(RECORD_IVO_DECISION), &decision.base, NULL);
	assert_true(world_case(&w, &id)->ivo_waits);
	assert_int_equal(world_deadline(&w, &id, "D5")->state, ENDED(RUNNING));
	world_investigate(&w, &id);
	world_document(&w, &id);
	world_decide(&w, &id, DEGREE(RISK));
	none.motive = TEXT("inget");
	world_does(&w, "anna", &id, ACT(DECIDE_NO_MEASURES), &none.base, NULL);
	wants(&w, "sara", &id, ACT(CLOSE), &close.base, REPLY(WRONG_STATE), "close_incomplete");
	world_does(&w, "eva", &id, ACT(HAND_IN_INVESTIGATION), &hand_in.base, NULL);
	assert_int_equal(world_case(&w, &id)->ivo, IVO(CLEARED));
	assert_int_equal(world_deadline(&w, &id, "D5")->state, ENDED(MET));
	world_does(&w, "sara", &id, ACT(CLOSE), &close.base, NULL);
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_closed_case_is_opened_again_decided_anew_and_notified_anew(void **state)
{
	Avvik__V1__ReopenCase reopen = AVVIK__V1__REOPEN_CASE__INIT;
	Avvik__V1__CompleteInvestigation complete = AVVIK__V1__COMPLETE_INVESTIGATION__INIT;
	Avvik__V1__RecordIvoDecision decision = AVVIK__V1__RECORD_IVO_DECISION__INIT;
	Avvik__V1__Case *found;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(SERIOUS));
	reopen.motive = TEXT("nya uppgifter");
	wants(&w, "sara", &id, ACT(REOPEN), &reopen.base, REPLY(WRONG_STATE), "state");
	world_notify(&w, &id, true);
	no_measures_and_close(&w, &id);
	decision.outcome = AVVIK__V1__IVO_OUTCOME__IVO_OUTCOME_CLOSED;
	decision.ivo_case_number = TEXT("3.2-5/2026");
	world_does(&w, "sara", &id, ACT(RECORD_IVO_DECISION), &decision.base, NULL);
	harness_advance(w.h, harness_at("2026-09-01 09:00"));

	reopen.motive = TEXT("");
	wants(&w, "sara", &id, ACT(REOPEN), &reopen.base, REPLY(INVALID), "why the case is opened again");
	reopen.motive = TEXT("nya uppgifter");
	wants(&w, "anna", &id, ACT(REOPEN), &reopen.base, REPLY(FORBIDDEN), "reopen");
	reopen.investigator = TEXT("anna");
	wants(&w, "sara", &id, ACT(REOPEN), &reopen.base, REPLY(INVALID), "may record entries");
	reopen.investigator = TEXT("");
	world_does(&w, "sara", &id, ACT(REOPEN), &reopen.base, NULL); /* who investigated does so again */
	found = world_case(&w, &id);
	assert_int_equal(found->state, STATE(INVESTIGATION));
	assert_string_equal(found->investigator, "eva");
	assert_int_equal(found->degree, DEGREE(UNSPECIFIED));
	assert_int_equal(found->closed_at_ms, 0);
	assert_int_equal(found->items_documented, CASE_ITEMS_REQUIRED); /* the decision alone is missing */
	assert_int_equal(found->ivo, IVO(CLEARED));
	assert_int_equal(found->reopened, 1);

	complete.proposed_degree = DEGREE(SERIOUS);
	complete.motive = TEXT("skäl");
	world_does(&w, "eva", &id, ACT(COMPLETE_INVESTIGATION), &complete.base, NULL);
	world_decide(&w, &id, DEGREE(SERIOUS));
	assert_int_equal(world_case(&w, &id)->ivo, IVO(REQUIRED)); /* the first matter has ended */
	assert_int_equal(world_nth(&w, &id, "D4", 1)->state, ENDED(MET));
	assert_int_equal(world_nth(&w, &id, "D4", 2)->state, ENDED(RUNNING));
	world_notify(&w, &id, false);
	found = world_case(&w, &id);
	assert_int_equal(found->notifications, 2);
	assert_int_equal(found->ivo, IVO(NOTIFIED));
	assert_string_equal(found->ivo_case_number, ""); /* a new matter */
	assert_int_equal(world_deadline(&w, &id, "D5")->state, ENDED(RUNNING));
	harness_check_replay(w.h);
	world_close(&w);
}

static void what_came_as_a_deviation_returns_as_one_in_one_write(void **state)
{
	Avvik__V1__ReturnToDeviation back = AVVIK__V1__RETURN_TO_DEVIATION__INIT;
	Avvik__V1__Case *found;
	struct world w;
	struct av_id id, other;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file_unnamed(&w, world_deviation(&w));
	other = world_file(&w, world_report(&w));
	back.motive = TEXT("klart en avvikelse");
	wants(&w, "sara", &other, ACT(RETURN_TO_DEVIATION), &back.base, REPLY(WRONG_STATE),
		"not_a_deviation");
	world_turn(&w, "anna", &id);
	world_find_serious(&w, &id);
	wants(&w, "sara", &id, ACT(RETURN_TO_DEVIATION), &back.base, REPLY(WRONG_STATE), "return_serious");
	{
		Avvik__V1__LiftIvoDuty lift = AVVIK__V1__LIFT_IVO_DUTY__INIT;
		lift.motive = TEXT("inte allvarligt");
		world_does(&w, "sara", &id, ACT(LIFT_IVO_DUTY), &lift.base, NULL);
	}
	wants(&w, "anna", &id, ACT(RETURN_TO_DEVIATION), &back.base, REPLY(FORBIDDEN), "return_to_deviation");
	back.motive = TEXT("");
	wants(&w, "sara", &id, ACT(RETURN_TO_DEVIATION), &back.base, REPLY(INVALID), "why it is a deviation");
	back.motive = TEXT("klart en avvikelse");
	harness_advance(w.h, harness_at("2026-04-08 09:00"));
	world_does(&w, "sara", &id, ACT(RETURN_TO_DEVIATION), &back.base, NULL);
	found = world_case(&w, &id);
	assert_int_equal(found->kind, AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION);
	assert_int_equal(found->n_tasks, 0); /* a deviation needs no named reporter */
	assert_string_equal(found->legal_reference, "");
	assert_int_equal(world_nth(&w, &id, "D2", 1)->state, ENDED(CANCELLED));
	assert_int_equal(world_nth(&w, &id, "D3", 1)->state, ENDED(CANCELLED));
	assert_int_equal(world_nth(&w, &id, "DEV1", 1)->state, ENDED(MET));	/* by the turning */
	assert_int_equal(world_nth(&w, &id, "DEV1", 2)->state, ENDED(RUNNING)); /* the unit has it again */
	/* and suspected once more it is received as lex Sarah once more */
	world_turn(&w, "anna", &id);
	assert_int_equal(world_nth(&w, &id, "D2", 2)->state, ENDED(RUNNING));
	harness_check_replay(w.h);
	world_close(&w);
}

static void an_act_tells_the_role_in_which_it_was_done(void **state)
{
	Avvik__V1__RecordEntry decision = AVVIK__V1__RECORD_ENTRY__INIT;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	world_investigate(&w, &id);
	assert_string_equal(harness_last(w.h, EVENT(CASE_ASSESSED_INITIALLY))->actor->role, "SAS");
	decision.item = 9;
	decision.nature = AVVIK__V1__ENTRY_NATURE__ENTRY_NATURE_ASSESSMENT;
	decision.source = TEXT("utredaren");
	decision.text = TEXT("beslut");
	wants(&w, "eva", &id, ACT(RECORD_ENTRY), &decision.base, REPLY(INVALID),
		"item 9 is the decision itself");
	world_document(&w, &id);
	assert_string_equal(harness_last(w.h, EVENT(ENTRY_RECORDED))->actor->role, "LEX_UTR");
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_duty_that_was_lifted_may_come_back_with_the_decision),
		cmocka_unit_test(each_request_of_ivo_has_its_own_day_and_goes_on_when_the_case_is_closed),
		cmocka_unit_test(ivo_may_decide_first_and_the_investigation_is_still_handed_in),
		cmocka_unit_test(a_closed_case_is_opened_again_decided_anew_and_notified_anew),
		cmocka_unit_test(what_came_as_a_deviation_returns_as_one_in_one_write),
		cmocka_unit_test(an_act_tells_the_role_in_which_it_was_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
