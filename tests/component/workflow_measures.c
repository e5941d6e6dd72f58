/* workflow_measures.c - measures: proposed and decided, judged by two, checked at several dates */
#include "workflow_world.h"

#include <string.h>

static Avvik__V1__ProposeMeasure plan(const char *end)
{
	Avvik__V1__ProposeMeasure propose = AVVIK__V1__PROPOSE_MEASURE__INIT;
	av_day day;

	assert_int_equal(av_day_parse(end, &day), AV_OK);
	propose.description = TEXT("ny rutin");
	propose.goal = TEXT("händer inte igen");
	propose.responsible = TEXT("anna");
	propose.planned_end_on = day;
	return propose;
}

static struct av_id proposed(struct world *w, const struct av_id *id)
{
	Avvik__V1__ProposeMeasure propose = plan("2026-05-01");
	return id_of(world_does(w, "eva", id, ACT(PROPOSE_MEASURE), &propose.base, NULL)->measure_id);
}

static Avvik__V1__DecideProposal verdict(
	struct av_id *measure, Avvik__V1__MeasureVerdict verdict, const char *comment)
{
	Avvik__V1__DecideProposal decide = AVVIK__V1__DECIDE_PROPOSAL__INIT;
	decide.measure_id = BINARY(*measure);
	decide.verdict = verdict;
	decide.comment = TEXT(comment);
	return decide;
}

static Avvik__V1__Reply *judge(struct world *w, const char *person, const struct av_id *id,
	struct av_id *measure, const char *check, bool effective, bool accept_risk)
{
	Avvik__V1__EvaluateMeasure evaluate = AVVIK__V1__EVALUATE_MEASURE__INIT;
	evaluate.measure_id = BINARY(*measure);
	evaluate.check = TEXT(check);
	evaluate.effective = effective;
	evaluate.accept_risk = accept_risk;
	evaluate.text = TEXT("uppföljt");
	return world_act(w, person, id, ACT(EVALUATE_MEASURE), &evaluate.base, NULL);
}

static void a_proposal_is_decided_by_who_may_and_with_reasons(void **state)
{
	Avvik__V1__DecideNoMeasures none = AVVIK__V1__DECIDE_NO_MEASURES__INIT;
	Avvik__V1__ExecuteMeasure execute = AVVIK__V1__EXECUTE_MEASURE__INIT;
	Avvik__V1__DecideProposal decide;
	Avvik__V1__ProposeMeasure propose = plan("2026-05-01");
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id, first, second, third;
	Avvik__V1__Case *found;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(MISCONDUCT));
	world_want_refused(world_act(&w, "sara", &id, ACT(PROPOSE_MEASURE), &propose.base, NULL),
		REPLY(FORBIDDEN), "BITR_EC, LEX_UTR, LEX_ANSV, MAS, MAR");
	first = proposed(&w, &id);
	second = proposed(&w, &id);
	third = proposed(&w, &id);
	found = world_case(&w, &id);
	assert_int_equal(found->state, STATE(DECIDED));
	assert_int_equal(found->measures[0]->state, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_PROPOSED);
	assert_string_equal(found->measures[0]->proposed_by, "eva");
	assert_int_equal(world_deadlines(&w, &id), 2); /* a proposal starts none */
	none.motive = TEXT("inget");
	world_want_refused(world_act(&w, "anna", &id, ACT(DECIDE_NO_MEASURES), &none.base, NULL),
		REPLY(WRONG_STATE), "undecided");

	decide = verdict(&first, AVVIK__V1__MEASURE_VERDICT__MEASURE_VERDICT_REJECTED, "");
	reply = world_act(&w, "anna", &id, ACT(DECIDE_PROPOSAL), &decide.base, NULL);
	harness_want(reply, REPLY(INVALID));
	assert_string_equal(reply->faults[0]->path, "decide_proposal.comment");
	decide.comment = TEXT("för dyrt, och ger inget");
	world_want_refused(world_act(&w, "eva", &id, ACT(DECIDE_PROPOSAL), &decide.base, NULL),
		REPLY(FORBIDDEN), "EC, AC, SAS");
	world_does(&w, "anna", &id, ACT(DECIDE_PROPOSAL), &decide.base, NULL);
	assert_int_equal(world_case(&w, &id)->state, STATE(DECIDED));
	world_want_refused(world_act(&w, "anna", &id, ACT(DECIDE_PROPOSAL), &decide.base, NULL),
		REPLY(WRONG_STATE), "measure_decided");
	execute.measure_id = BINARY(first);
	world_want_refused(world_act(&w, "anna", &id, ACT(EXECUTE_MEASURE), &execute.base, NULL),
		REPLY(WRONG_STATE), "state: the case is decided");

	decide = verdict(
		&second, AVVIK__V1__MEASURE_VERDICT__MEASURE_VERDICT_PARTLY, "rutinen, inte utbildningen");
	world_does(&w, "anna", &id, ACT(DECIDE_PROPOSAL), &decide.base, NULL);
	found = world_case(&w, &id);
	assert_int_equal(found->state, STATE(MEASURES));
	assert_int_equal(found->measures[1]->state, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_APPROVED);
	assert_int_equal(found->measures[1]->verdict, AVVIK__V1__MEASURE_VERDICT__MEASURE_VERDICT_PARTLY);
	assert_string_equal(found->measures[1]->decided_by, "anna");
	assert_int_equal(found->measures[1]->decided_at_ms, w.h->now_ms);
	world_want_day(world_deadline(&w, &id, "D25")->due_on, "2026-05-01");
	world_want_refused(world_act(&w, "anna", &id, ACT(EXECUTE_MEASURE), &execute.base, NULL),
		REPLY(WRONG_STATE), "measure_rejected");
	execute.measure_id = BINARY(second);
	harness_advance(w.h, harness_at("2026-04-09 09:00"));
	world_does(&w, "anna", &id, ACT(EXECUTE_MEASURE), &execute.base, "2026-04-08 12:00");
	assert_int_equal(world_case(&w, &id)->state, STATE(FOLLOW_UP));
	execute.measure_id = BINARY(third);
	world_want_refused(
		world_act(&w, "sara", &id, ACT(CLOSE), &close.base, NULL), REPLY(WRONG_STATE), "undecided");
	decide = verdict(&third, AVVIK__V1__MEASURE_VERDICT__MEASURE_VERDICT_APPROVED, "");
	world_does(&w, "alf", &id, ACT(DECIDE_PROPOSAL), &decide.base, NULL);
	assert_int_equal(world_case(&w, &id)->state, STATE(MEASURES)); /* back */
	world_want_refused(
		world_act(&w, "anna", &id, ACT(EXECUTE_MEASURE), &execute.base, "2026-04-08 12:00"),
		REPLY(INVALID), "executed_early");
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_case_whose_proposals_are_all_rejected_goes_to_follow_up(void **state)
{
	Avvik__V1__DecideNoMeasures none = AVVIK__V1__DECIDE_NO_MEASURES__INIT;
	Avvik__V1__DecideProposal decide;
	struct world w;
	struct av_id id, measure;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(MISCONDUCT));
	measure = proposed(&w, &id);
	decide = verdict(&measure, AVVIK__V1__MEASURE_VERDICT__MEASURE_VERDICT_REJECTED, "hjälper inte");
	world_does(&w, "anna", &id, ACT(DECIDE_PROPOSAL), &decide.base, NULL);
	none.motive = TEXT("redan avhjälpt");
	assert_int_equal(world_does(&w, "anna", &id, ACT(DECIDE_NO_MEASURES), &none.base, NULL)->state,
		STATE(FOLLOW_UP));
	harness_check_replay(w.h);
	world_close(&w);
}

static void an_effect_is_judged_by_investigator_and_manager(void **state)
{
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id, measure, other;
	Avvik__V1__Case *found;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(MISCONDUCT));
	measure = world_measure(&w, &id, "2026-05-01");
	other = world_measure(&w, &id, "2026-05-01");
	world_execute(&w, &id, measure);
	world_execute(&w, &id, other);
	harness_advance(w.h, harness_at("2026-07-01 09:00"));
	reply = judge(&w, "eva", &id, &measure, "", true, false);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->act_accepted->n_warnings, 1);
	assert_non_null(strstr(reply->act_accepted->warnings[0]->text, "manager"));
	assert_int_equal(reply->act_accepted->version, world_case(&w, &id)->version);
	found = world_case(&w, &id);
	assert_int_equal(found->state, STATE(FOLLOW_UP));
	assert_int_equal(found->measures[0]->state, AVVIK__V1__MEASURE_STATE__MEASURE_STATE_EXECUTED);
	assert_string_equal(found->measures[0]->checks[0]->rule, "D26");
	assert_string_equal(found->measures[0]->checks[0]->investigator->person, "eva");
	assert_int_equal(world_deadline(&w, &id, "D26")->state, ENDED(RUNNING)); /* not met by one answer */
	world_want_refused(
		judge(&w, "eva", &id, &measure, "", true, false), REPLY(WRONG_STATE), "effect_answered");
	reply = judge(&w, "anna", &id, &measure, "", true, false);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->act_accepted->version, world_case(&w, &id)->version); /* two events */
	found = world_case(&w, &id);
	assert_true(found->measures[0]->effective);
	assert_int_equal(world_deadline(&w, &id, "D26")->state, ENDED(MET));
	assert_int_equal(harness_count(w.h, EVENT(MEASURE_EVALUATED), 0), 1);

	/* they differ: it is not effective until both say so */
	harness_want(judge(&w, "anna", &id, &other, "", true, false), REPLY(DONE));
	harness_want(judge(&w, "eva", &id, &other, "", false, false), REPLY(DONE));
	found = world_case(&w, &id);
	assert_false(found->measures[1]->effective);
	assert_int_equal(found->state, STATE(MEASURES));
	assert_int_equal(harness_last(w.h, EVENT(DEADLINE_CANCELLED))->deadline_cancelled->because,
		AVVIK__V1__ANCHOR__ANCHOR_MEASURE_WITHOUT_EFFECT);
	assert_int_equal(harness_count(w.h, EVENT(DEADLINE_CANCELLED), 0), 2); /* its later checks alone */
	world_want_refused(
		judge(&w, "anna", &id, &other, "D26B", true, false), REPLY(WRONG_STATE), "measure_evaluated");
	/* no more measures, with a motive: the risk is accepted */
	Avvik__V1__DecideNoMeasures none = AVVIK__V1__DECIDE_NO_MEASURES__INIT;
	none.motive = TEXT("risken accepteras");
	world_does(&w, "anna", &id, ACT(DECIDE_NO_MEASURES), &none.base, NULL);
	found = world_case(&w, &id);
	assert_int_equal(found->state, STATE(FOLLOW_UP));
	assert_true(found->measures[1]->risk_accepted);
	harness_check_replay(w.h);
	world_close(&w);
}

/* At 3, 6 and 12 months, the later ones though the case is closed by then. */
static void an_effect_is_checked_at_several_dates(void **state)
{
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id, measure;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(MISCONDUCT));
	measure = world_measure(&w, &id, "2026-05-01");
	world_execute(&w, &id, measure);
	world_want_day(world_deadline(&w, &id, "D26")->due_on, "2026-07-07");
	world_want_day(world_deadline(&w, &id, "D26B")->due_on, "2026-10-07");
	world_want_day(world_deadline(&w, &id, "D26C")->due_on, "2027-04-07");
	harness_advance(w.h, harness_at("2026-07-01 09:00"));
	reply = judge(&w, "eva", &id, &measure, "D99", true, false);
	harness_want(reply, REPLY(INVALID));
	assert_non_null(strstr(reply->faults[0]->text, "D26, D26B, D26C"));
	world_evaluate(&w, &id, measure, true, false);
	world_does(&w, "sara", &id, ACT(CLOSE), &close.base, NULL);
	assert_int_equal(world_deadline(&w, &id, "D26B")->state, ENDED(RUNNING));

	harness_advance(w.h, harness_at("2026-10-09 09:00")); /* late */
	world_evaluate(&w, &id, measure, true, false);
	assert_int_equal(world_deadline(&w, &id, "D26B")->state, ENDED(MET_LATE));
	assert_int_equal(world_deadline(&w, &id, "D26C")->state, ENDED(RUNNING));
	assert_int_equal(world_case(&w, &id)->state, STATE(CLOSED));
	harness_advance(w.h, harness_at("2027-04-01 09:00"));
	harness_want(judge(&w, "eva", &id, &measure, "D26C", true, false), REPLY(DONE));
	reply = judge(&w, "anna", &id, &measure, "D26C", false, false); /* it has worn off */
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->act_accepted->n_warnings, 1);
	assert_non_null(strstr(reply->act_accepted->warnings[0]->text, "reopen"));
	assert_int_equal(world_case(&w, &id)->state, STATE(CLOSED));
	assert_int_equal(world_deadline(&w, &id, "D26C")->state, ENDED(MET));
	world_want_refused(
		judge(&w, "eva", &id, &measure, "", true, false), REPLY(WRONG_STATE), "measure_evaluated");
	assert_int_equal(harness_next_due(w.h), 0);
	harness_check_replay(w.h);
	world_close(&w);
}

/* The same unit and category, within a year: asked again, also of a closed case, and once until it is
 * answered. */
static void what_comes_back_raises_the_question_again(void **state)
{
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	Avvik__V1__ReportFiled *report;
	Avvik__V1__Case *found;
	struct world w;
	struct av_id id, measure, again;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(MISCONDUCT));
	measure = world_measure(&w, &id, "2026-05-01");
	world_execute(&w, &id, measure);
	(void)world_file(&w, world_report(&w)); /* before anything was judged effective */
	assert_int_equal(harness_count(w.h, EVENT(RECURRENCE_FOUND), 0), 0);
	harness_advance(w.h, harness_at("2026-07-01 09:00"));
	world_evaluate(&w, &id, measure, true, false);
	close.category = TEXT("UTF"); /* another than the report's */
	world_does(&w, "sara", &id, ACT(CLOSE), &close.base, NULL);
	(void)world_file(&w, world_report(&w)); /* BEM: no longer of its category */
	report = world_report(&w);
	report->category = TEXT("UTF");
	report->unit = TEXT("hemtjanst"); /* another unit */
	(void)world_file(&w, report);
	assert_int_equal(harness_count(w.h, EVENT(RECURRENCE_FOUND), 0), 0);

	harness_advance(w.h, harness_at("2026-09-01 09:00"));
	report = world_report(&w);
	report->category = TEXT("UTF");
	again = world_file(&w, report);
	assert_int_equal(harness_count(w.h, EVENT(RECURRENCE_FOUND), 0), 1);
	found = world_case(&w, &again);
	assert_int_equal(found->n_recurs, 1);
	assert_string_equal(found->recurs[0], world_case(&w, &id)->number);
	assert_true(world_case(&w, &id)->measures[0]->questioned);
	report = world_report(&w);
	report->category = TEXT("UTF");
	(void)world_file(&w, report); /* the question stands already */
	assert_int_equal(harness_count(w.h, EVENT(RECURRENCE_FOUND), 0), 1);

	harness_want(judge(&w, "eva", &id, &measure, "", true, false), REPLY(DONE));
	assert_string_equal(harness_last(w.h, EVENT(EFFECT_JUDGED))->effect_judged->check, "recurrence");
	assert_int_equal(
		world_deadline(&w, &id, "D26B")->state, ENDED(RUNNING)); /* that one waits for its own */
	harness_want(judge(&w, "anna", &id, &measure, "recurrence", true, false), REPLY(DONE));
	assert_false(world_case(&w, &id)->measures[0]->questioned);
	harness_want(
		judge(&w, "eva", &id, &measure, "recurrence", true, false), REPLY(INVALID)); /* not asked */
	harness_advance(w.h, harness_at("2026-10-01 09:00"));
	report = world_report(&w);
	report->category = TEXT("UTF");
	(void)world_file(&w, report); /* and again: a new question, with new answers */
	assert_int_equal(harness_count(w.h, EVENT(RECURRENCE_FOUND), 0), 2);
	assert_int_equal(world_case(&w, &id)->measures[0]->n_checks, 1);
	harness_want(judge(&w, "eva", &id, &measure, "", true, false), REPLY(DONE));
	harness_want(judge(&w, "anna", &id, &measure, "", true, false), REPLY(DONE));
	harness_advance(w.h, harness_at("2027-10-10 09:00")); /* more than a year later */
	report = world_report(&w);
	report->category = TEXT("UTF");
	(void)world_file(&w, report);
	assert_int_equal(harness_count(w.h, EVENT(RECURRENCE_FOUND), 0), 2);
	harness_check_replay(w.h);
	world_close(&w);
}

static void an_effect_is_not_judged_before_the_measure_is_done(void **state)
{
	Avvik__V1__EvaluateMeasure evaluate = AVVIK__V1__EVALUATE_MEASURE__INIT;
	struct world w;
	struct av_id id, measure;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(MISCONDUCT));
	measure = world_measure(&w, &id, "2026-05-01");
	harness_advance(w.h, harness_at("2026-04-20 09:00"));
	world_execute(&w, &id, measure);
	evaluate.measure_id = BINARY(measure);
	evaluate.text = TEXT("för tidigt");
	world_want_refused(
		world_act(&w, "anna", &id, ACT(EVALUATE_MEASURE), &evaluate.base, "2026-04-19 09:00"),
		REPLY(INVALID), "judged_early");
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proposal_is_decided_by_who_may_and_with_reasons),
		cmocka_unit_test(a_case_whose_proposals_are_all_rejected_goes_to_follow_up),
		cmocka_unit_test(an_effect_is_judged_by_investigator_and_manager),
		cmocka_unit_test(an_effect_is_checked_at_several_dates),
		cmocka_unit_test(what_comes_back_raises_the_question_again),
		cmocka_unit_test(an_effect_is_not_judged_before_the_measure_is_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
