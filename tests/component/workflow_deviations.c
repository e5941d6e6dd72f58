/* workflow_deviations.c - a deviation that its unit handles: review, inquiry with a part for each law,
 * measures, end */
#include "workflow_world.h"

#include <string.h>

#define LAW(name) AVVIK__V1__LAW__LAW_##name

static void take(struct world *w, const struct av_id *id)
{
	Avvik__V1__TakeForReview take = AVVIK__V1__TAKE_FOR_REVIEW__INIT;
	world_does(w, "anna", id, ACT(TAKE_FOR_REVIEW), &take.base, NULL);
}

static void begin(struct world *w, const struct av_id *id, Avvik__V1__Law first, Avvik__V1__Law second)
{
	Avvik__V1__BeginInquiry begin = AVVIK__V1__BEGIN_INQUIRY__INIT;
	Avvik__V1__Law laws[] = {first, second};

	take(w, id);
	begin.laws = laws;
	begin.n_laws = second ? 2 : 1;
	begin.category = TEXT("FALL");
	world_does(w, "anna", id, ACT(BEGIN_INQUIRY), &begin.base, NULL);
}

static Avvik__V1__Reply *risk(struct world *w, const char *person, const struct av_id *id, Avvik__V1__Law law,
	uint32_t probability, uint32_t severity)
{
	Avvik__V1__AssessRisk assess = AVVIK__V1__ASSESS_RISK__INIT;
	assess.law = law;
	assess.probability = probability;
	assess.severity = severity;
	assess.text = TEXT("bedömning");
	return world_act(w, person, id, ACT(ASSESS_RISK), &assess.base, NULL);
}

static Avvik__V1__Reply *conclude(struct world *w, const struct av_id *id)
{
	Avvik__V1__CompleteInquiry complete = AVVIK__V1__COMPLETE_INQUIRY__INIT;
	char *causes[] = {TEXT("KOM")};
	complete.text = TEXT("vad som framkom");
	complete.cause_areas = causes;
	complete.n_cause_areas = 1;
	return world_act(w, "anna", id, ACT(COMPLETE_INQUIRY), &complete.base, NULL);
}

/* Under two laws: each part has its own risk and its own expert; one place, one reporter, one number. */
static void a_mixed_deviation_goes_all_the_way(void **state)
{
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	Avvik__V1__Case *found;
	struct world w;
	struct av_id id, measure;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_deviation(&w));
	assert_int_equal(world_deadlines(&w, &id), 2);
	world_want_day(world_deadline(&w, &id, "DEV2")->due_on, "2026-04-10");
	world_want_day(world_deadline(&w, &id, "DEV1")->due_on, "2026-04-21");
	begin(&w, &id, LAW(SOL), LAW(HSL));
	found = world_case(&w, &id);
	assert_int_equal(found->state, STATE(INVESTIGATION));
	assert_string_equal(found->handler, "anna");
	assert_int_equal(found->n_parts, 2);
	assert_int_equal(world_deadline(&w, &id, "DEV2")->state, ENDED(MET));
	world_want_refused(conclude(&w, &id), REPLY(WRONG_STATE), "missing: sol, hsl");
	world_want_refused(risk(&w, "anna", &id, LAW(LSS), 1, 1), REPLY(INVALID), "part_unknown");
	world_want_refused(risk(&w, "anna", &id, LAW(HSL), 1, 1), REPLY(FORBIDDEN), "MAS, MAR");
	world_want_refused(risk(&w, "mia", &id, LAW(SOL), 1, 1), REPLY(FORBIDDEN), "EC, BITR_EC, AC");
	harness_want(
		risk(&w, "anna", &id, LAW(SOL), 4, 2), REPLY(DONE)); /* the product alone is not enough */
	world_want_refused(conclude(&w, &id), REPLY(WRONG_STATE), "missing: hsl");
	assert_int_equal(harness_count(w.h, EVENT(HIGH_RISK_FOUND), 0), 0);
	harness_want(risk(&w, "mia", &id, LAW(HSL), 4, 3), REPLY(DONE)); /* high, and not lex Sarah */
	found = world_case(&w, &id);
	assert_int_equal(found->state, STATE(INVESTIGATION));
	assert_false(found->parts[0]->high);
	assert_true(found->parts[1]->high);
	assert_string_equal(found->parts[1]->assessed_by, "mia");
	assert_int_equal(harness_last(w.h, EVENT(HIGH_RISK_FOUND))->high_risk_found->law, LAW(HSL));
	harness_want(conclude(&w, &id), REPLY(DONE));
	assert_int_equal(world_deadline(&w, &id, "DEV1")->state, ENDED(MET));
	world_want_refused(risk(&w, "anna", &id, LAW(SOL), 1, 1), REPLY(WRONG_STATE), "state:"); /* locked */

	measure = world_measure(&w, &id, "2026-05-01");
	assert_int_equal(world_case(&w, &id)->state, STATE(FOLLOW_UP));
	world_want_day(world_deadline(&w, &id, "D25")->due_on, "2026-05-01");
	world_want_refused(
		world_act(&w, "anna", &id, ACT(CLOSE), &close.base, NULL), REPLY(WRONG_STATE), "unexecuted");
	world_execute(&w, &id, measure);
	assert_int_equal(world_deadline(&w, &id, "D25")->state, ENDED(MET));
	world_want_refused(
		world_act(&w, "anna", &id, ACT(CLOSE), &close.base, NULL), REPLY(WRONG_STATE), "unevaluated");
	world_evaluate(&w, &id, measure, false, false); /* by the manager alone: nobody else is asked */
	assert_int_equal(world_deadline(&w, &id, "D26D")->state, ENDED(MET));
	world_want_refused(world_act(&w, "anna", &id, ACT(CLOSE), &close.base, NULL), REPLY(WRONG_STATE),
		"measure_wanted");
	measure = world_measure(&w, &id, "2026-06-01");
	world_execute(&w, &id, measure);
	world_evaluate(&w, &id, measure, true, false);
	world_does(&w, "anna", &id, ACT(CLOSE), &close.base, NULL);
	assert_int_equal(world_case(&w, &id)->state, STATE(CLOSED));
	assert_int_equal(harness_next_due(w.h), 0);
	harness_check_replay(w.h);
	world_close(&w);
}

static void the_reporter_is_asked_and_answers_by_either_way(void **state)
{
	Avvik__V1__RequestCompletion request = AVVIK__V1__REQUEST_COMPLETION__INIT;
	Avvik__V1__AnswerCompletion answer = AVVIK__V1__ANSWER_COMPLETION__INIT;
	Avvik__V1__ReportSupplemented more = AVVIK__V1__REPORT_SUPPLEMENTED__INIT;
	Avvik__V1__GetReportStatus ask = AVVIK__V1__GET_REPORT_STATUS__INIT;
	Avvik__V1__ReportFiled *other;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_deviation(&w));
	request.question = TEXT("vilken dag var det?");
	world_want_refused(world_act(&w, "anna", &id, ACT(REQUEST_COMPLETION), &request.base, NULL),
		REPLY(WRONG_STATE), "while it is review");
	take(&w, &id);
	world_does(&w, "anna", &id, ACT(REQUEST_COMPLETION), &request.base, NULL);
	ask.report_id = BINARY(id);
	reply = harness_order(w.h, &w.publisher, NULL, NULL, COMMAND(GET_REPORT_STATUS), &ask.base);
	assert_int_equal(reply->report_status_found->state, STATE(COMPLETION)); /* their system sees it */
	answer.text = TEXT("i tisdags");
	world_does(&w, "anna", &id, ACT(ANSWER_COMPLETION), &answer.base, NULL);
	assert_int_equal(world_case(&w, &id)->state, STATE(REVIEW));

	world_does(&w, "anna", &id, ACT(REQUEST_COMPLETION), &request.base, NULL);
	other = world_deviation(&w);
	more.supplement_id = other->report_id;
	more.report_id = BINARY(id);
	more.content = other->content;
	more.received_at_ms = w.h->now_ms;
	for (int time = 0; time < 2; time++) { /* twice: its effect once */
		assert_true(harness_feed(w.h, "intake",
				    harness_event(w.h, EVENT(REPORT_SUPPLEMENTED), &more.base, &id, 0)) >= 0);
		assert_int_equal(world_case(&w, &id)->state, STATE(REVIEW));
		assert_int_equal(harness_count(w.h, EVENT(COMPLETION_ANSWERED), 0), 2);
	}
	assert_true(harness_last(w.h, EVENT(COMPLETION_ANSWERED))->completion_answered->by_report);
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_deviation_at_the_wrong_unit_is_sent_on_with_a_motive(void **state)
{
	Avvik__V1__PlaceCase place = AVVIK__V1__PLACE_CASE__INIT;
	Avvik__V1__TakeForReview take_it = AVVIK__V1__TAKE_FOR_REVIEW__INIT;
	Avvik__V1__Case *found;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_deviation(&w));
	take_it.handler = TEXT("eva"); /* cannot begin inquiries */
	world_want_refused(
		world_act(&w, "anna", &id, ACT(TAKE_FOR_REVIEW), &take_it.base, NULL), REPLY(INVALID), "");
	take(&w, &id);
	place.unit = TEXT("hemtjanst");
	world_want_refused(
		world_act(&w, "anna", &id, ACT(PLACE), &place.base, NULL), REPLY(INVALID), "the motive");
	place.motive = TEXT("gäller hemtjänsten");
	place.unit = TEXT("aldre"); /* no leaf */
	world_want_refused(
		world_act(&w, "anna", &id, ACT(PLACE), &place.base, NULL), REPLY(INVALID), "a leaf");
	place.unit = TEXT("hemtjanst");
	world_want_refused(world_act(&w, "bo", &id, ACT(PLACE), &place.base, NULL), REPLY(FORBIDDEN),
		"none of the roles");
	world_does(&w, "anna", &id, ACT(PLACE), &place.base, NULL);
	found = world_case(&w, &id);
	assert_int_equal(found->state, STATE(RECEIVED));
	assert_string_equal(found->unit, "hemtjanst");
	assert_string_equal(found->handler, "");
	assert_int_equal(found->n_contents, 2); /* the report is as it was; the motive is new */
	assert_string_equal(world_deadline(&w, &id, "DEV1")->unit_code, "hemtjanst");
	/* with the lex Sarah officer it stays where it is, whatever its managers want */
	world_turn(&w, "bo", &id);
	place.unit = TEXT("boendet");
	world_want_refused(world_act(&w, "bo", &id, ACT(PLACE), &place.base, NULL), REPLY(FORBIDDEN), "SAS");
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_deviation_is_closed_early_with_a_motive(void **state)
{
	Avvik__V1__CloseEarly close = AVVIK__V1__CLOSE_EARLY__INIT;
	struct world w;
	struct av_id id, other;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_deviation(&w));
	other = world_file(&w, world_deviation(&w));
	world_want_refused(world_act(&w, "anna", &id, ACT(CLOSE_EARLY), &close.base, NULL), REPLY(INVALID),
		"why it is closed");
	close.motive = TEXT("samma händelse är rapporterad");
	world_does(&w, "anna", &id, ACT(CLOSE_EARLY), &close.base, NULL);
	assert_true(harness_last(w.h, EVENT(CASE_CLOSED))->case_closed->early);
	assert_int_equal(world_deadline(&w, &id, "DEV1")->state, ENDED(CANCELLED));
	begin(&w, &other, LAW(LSS), 0);
	harness_want(risk(&w, "anna", &other, LAW(LSS), 1, 1), REPLY(DONE));
	harness_want(conclude(&w, &other), REPLY(DONE));
	world_does(&w, "anna", &other, ACT(CLOSE_EARLY), &close.base, NULL); /* up to the decision */
	assert_int_equal(world_case(&w, &other)->state, STATE(CLOSED));
	harness_check_replay(w.h);
	world_close(&w);
}

static void no_measures_for_a_deviation_is_remarked(void **state)
{
	Avvik__V1__DecideNoMeasures none = AVVIK__V1__DECIDE_NO_MEASURES__INIT;
	Avvik__V1__ActAccepted *accepted;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_deviation(&w));
	begin(&w, &id, LAW(SOL), 0);
	harness_want(risk(&w, "anna", &id, LAW(SOL), 1, 1), REPLY(DONE));
	harness_want(conclude(&w, &id), REPLY(DONE));
	none.motive = TEXT("rutinen följs redan");
	accepted = world_does(&w, "anna", &id, ACT(DECIDE_NO_MEASURES), &none.base, NULL);
	assert_int_equal(accepted->state, STATE(FOLLOW_UP));
	assert_int_equal(accepted->n_warnings, 1);
	world_want_refused(world_act(&w, "anna", &id, ACT(DECIDE_NO_MEASURES), &none.base, NULL),
		REPLY(WRONG_STATE), "not_wanted");
	world_close(&w);
}

/* Product and severity have both reached their thresholds: in the same write the kind, and so the access,
 * changes. */
static void a_high_risk_turns_it_into_lex_sarah_in_the_same_write(void **state)
{
	Avvik__V1__CaseTurnedLexSarah *turned;
	Avvik__V1__ReadContent read = AVVIK__V1__READ_CONTENT__INIT;
	Avvik__V1__Case *found;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_deviation(&w));
	begin(&w, &id, LAW(SOL), 0);
	read.case_id = BINARY(id);
	read.purpose = TEXT("utredning");
	harness_want(
		harness_order(w.h, &w.cases, "r1", "anna", COMMAND(READ_CONTENT), &read.base), REPLY(DONE));
	harness_advance(w.h, harness_at("2026-04-13 13:00"));
	reply = risk(&w, "anna", &id, LAW(SOL), 3, 3);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->act_accepted->n_warnings, 1);
	assert_int_equal(reply->act_accepted->state, STATE(RECEIVED));
	found = world_case(&w, &id);
	assert_int_equal(reply->act_accepted->version, found->version);
	assert_int_equal(found->kind, AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH);
	assert_int_equal(found->state, STATE(RECEIVED));
	assert_string_equal(found->handler, "");
	turned = harness_last(w.h, EVENT(CASE_TURNED_LEX_SARAH))->case_turned_lex_sarah;
	assert_int_equal(turned->cause, AVVIK__V1__TURN_CAUSE__TURN_CAUSE_THRESHOLD);
	assert_int_equal(turned->law, LAW(SOL));
	assert_true(harness_last(w.h, EVENT(RISK_ASSESSED))->risk_assessed->suspect_lex_sarah);
	world_want_day(world_deadline(&w, &id, "D2")->due_on, "2026-04-14");
	assert_int_equal(world_deadline(&w, &id, "DEV1")->state, ENDED(MET));
	harness_want(harness_order(w.h, &w.cases, "r2", "anna", COMMAND(READ_CONTENT), &read.base),
		REPLY(FORBIDDEN));
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_suspicion_turns_it_into_lex_sarah(void **state)
{
	Avvik__V1__Remedy remedy = AVVIK__V1__REMEDY__INIT;
	Avvik__V1__Case *found;
	struct world w;
	struct av_id id, other;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file_unnamed(&w, world_deviation(&w));
	other = world_file(&w, world_deviation(&w));
	assert_int_equal(world_case(&w, &id)->state, STATE(RECEIVED)); /* a deviation needs no name */
	take(&w, &id);
	harness_advance(w.h, harness_at("2026-04-13 13:00"));
	world_turn(&w, "anna", &id);
	found = world_case(&w, &id);
	assert_int_equal(found->kind, AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH);
	assert_true(found->was_deviation);
	assert_non_null(strstr(found->legal_reference, "24 e §")); /* the report's law is LSS */
	assert_int_equal(found->n_tasks, 1);
	assert_string_equal(found->tasks[0], "reporter_unnamed");
	assert_int_equal(harness_last(w.h, EVENT(CASE_TURNED_LEX_SARAH))->case_turned_lex_sarah->cause,
		AVVIK__V1__TURN_CAUSE__TURN_CAUSE_ANSWER);
	world_want_day(world_deadline(&w, &id, "D2")->due_on, "2026-04-14"); /* from the turning */
	/* remedied before: the duty is met as soon as it starts; the deviation's own deadline is met by the
	 * turning */
	remedy.text = TEXT("lagat");
	world_does(&w, "anna", &other, ACT(REMEDY), &remedy.base, NULL);
	world_turn(&w, "anna", &other);
	assert_int_equal(world_deadline(&w, &other, "D2")->state, ENDED(MET));
	assert_int_equal(world_deadline(&w, &other, "DEV1")->state, ENDED(MET));
	harness_check_replay(w.h);
	world_close(&w);
}

static void laws_and_codes_are_checked(void **state)
{
	Avvik__V1__BeginInquiry begin_it = AVVIK__V1__BEGIN_INQUIRY__INIT;
	Avvik__V1__Law laws[] = {LAW(LVU), LAW(SOL)};
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_deviation(&w));
	take(&w, &id);
	begin_it.laws = laws;
	begin_it.n_laws = 2;
	begin_it.category = TEXT("XYZ");
	reply = world_act(&w, "anna", &id, ACT(BEGIN_INQUIRY), &begin_it.base, NULL);
	harness_want(reply, REPLY(INVALID));
	assert_int_equal(reply->n_faults, 2);
	assert_string_equal(reply->faults[0]->path, "begin_inquiry.laws");
	assert_string_equal(reply->faults[1]->path, "begin_inquiry.category");
	laws[0] = LAW(SOL);
	begin_it.category = TEXT("");
	reply = world_act(&w, "anna", &id, ACT(BEGIN_INQUIRY), &begin_it.base, NULL);
	harness_want(reply, REPLY(INVALID)); /* the same law twice */
	laws[0] = LAW(LSS);
	world_does(&w, "anna", &id, ACT(BEGIN_INQUIRY), &begin_it.base, NULL);
	assert_string_equal(world_case(&w, &id)->category, "FALL"); /* the report's own */
	reply = risk(&w, "anna", &id, LAW(SOL), 5, 1);
	harness_want(reply, REPLY(INVALID));
	assert_string_equal(reply->faults[0]->path, "assess_risk.probability");
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mixed_deviation_goes_all_the_way),
		cmocka_unit_test(the_reporter_is_asked_and_answers_by_either_way),
		cmocka_unit_test(a_deviation_at_the_wrong_unit_is_sent_on_with_a_motive),
		cmocka_unit_test(a_deviation_is_closed_early_with_a_motive),
		cmocka_unit_test(no_measures_for_a_deviation_is_remarked),
		cmocka_unit_test(a_high_risk_turns_it_into_lex_sarah_in_the_same_write),
		cmocka_unit_test(a_suspicion_turns_it_into_lex_sarah),
		cmocka_unit_test(laws_and_codes_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
