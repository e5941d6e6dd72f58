/* workflow_joining.c - several reports of one event: suggested, joined, parted, or said to be different */
#include "workflow_world.h"

#include <stdio.h>
#include <string.h>

static Avvik__V1__Reply *join(
	struct world *w, const char *person, const struct av_id *id, const struct av_id *into)
{
	Avvik__V1__JoinCase body = AVVIK__V1__JOIN_CASE__INIT;
	struct av_id copy = *into;

	body.into_case_id = BINARY(copy);
	body.into_version_seen = world_case(w, into)->version;
	body.motive = TEXT("samma fall natten till den 7 april");
	return world_act(w, person, id, ACT(JOIN), &body.base, NULL);
}

static Avvik__V1__Reply *part(struct world *w, const char *person, const struct av_id *id)
{
	Avvik__V1__PartCase body = AVVIK__V1__PART_CASE__INIT;
	body.motive = TEXT("en annan natt");
	return world_act(w, person, id, ACT(PART), &body.base, NULL);
}

static Avvik__V1__Reply *dismiss(
	struct world *w, const char *person, const struct av_id *id, const struct av_id *other)
{
	Avvik__V1__DismissDuplicate body = AVVIK__V1__DISMISS_DUPLICATE__INIT;
	struct av_id copy = *other;

	body.other_case_id = BINARY(copy);
	return world_act(w, person, id, ACT(DISMISS_DUPLICATE), &body.base, NULL);
}

static struct av_id filed(struct world *w, const char *unit, const char *occurred, const char *category)
{
	Avvik__V1__ReportFiled *report = world_report(w);

	report->unit = TEXT(unit);
	report->occurred_from_at_ms = occurred ? harness_at(occurred) : 0;
	report->category = TEXT(category);
	return world_file(w, report);
}

static void open_with_two(struct world *w, struct av_id *first, struct av_id *second)
{
	world_open(w, "2026-04-07 09:00");
	*first = world_file(w, world_report(w));
	*second = world_file(w, world_report(w));
}

static size_t fired(struct world *w, const struct av_id *id)
{
	size_t count = 0;

	for (uint64_t at = 1; at <= harness_head(w->h); at++) {
		const Avvik__V1__Event *event = harness_at_sequence(w->h, at);
		count += event->body_case == EVENT(RUNG_FIRED) && event->case_id.len == AV_ID_SIZE &&
			 memcmp(event->case_id.data, id->bytes, AV_ID_SIZE) == 0;
	}
	return count;
}

static void the_first_receipt_counts_for_both_until_they_are_parted(void **state)
{
	struct world w;
	struct av_id first, second;
	Avvik__V1__Case *found;
	size_t told;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	first = world_file(&w, world_report(&w)); /* D3 by 7 May; reminders on 17 and 29 April */
	harness_advance(w.h, harness_at("2026-04-20 10:00"));
	second = world_file(&w, world_report(&w));
	world_want_day(world_last(&w, &second, "D3")->due_on, "2026-05-20");

	harness_want(join(&w, "sara", &first, &second), REPLY(DONE));
	found = world_case(&w, &first);
	assert_int_equal(found->state, STATE(JOINED));
	assert_string_equal(found->joined_into->number, "2026-0002");
	assert_int_equal(found->joined_into->state_before, STATE(RECEIVED));
	assert_int_equal(world_last(&w, &first, "D3")->state, ENDED(CANCELLED));
	assert_int_equal(world_last(&w, &first, "D2")->state, ENDED(CANCELLED));
	assert_int_equal(harness_last(w.h, EVENT(DEADLINE_CANCELLED))->deadline_cancelled->because,
		AVVIK__V1__ANCHOR__ANCHOR_SUPERSEDED); /* of the other: first those of the joined one */
	found = world_case(&w, &second);
	assert_int_equal(found->n_joined, 1);
	assert_string_equal(found->joined[0]->number, "2026-0001");
	assert_int_equal(found->state, STATE(RECEIVED));
	world_want_day(world_last(&w, &second, "D3")->due_on, "2026-05-07");
	world_want_instant(world_last(&w, &second, "D3")->anchor_at_ms, "2026-04-07T09:00:00+02:00");
	told = fired(&w, &first);

	harness_advance(w.h, harness_at("2026-05-04 10:00"));
	assert_int_equal(fired(&w, &first), told); /* nothing is said of a case that is joined */
	harness_want(part(&w, "sara", &first), REPLY(DONE));
	found = world_case(&w, &first);
	assert_int_equal(found->state, STATE(RECEIVED));
	assert_null(found->joined_into);
	assert_int_equal(world_last(&w, &first, "D3")->state, ENDED(RUNNING));
	world_want_day(world_last(&w, &first, "D3")->due_on, "2026-05-07");
	world_want_instant(world_last(&w, &first, "D3")->anchor_at_ms, "2026-04-07T09:00:00+02:00");
	assert_true(world_last(&w, &first, "D3")->rungs[1]->passed_over); /* 29 April: it was joined then */
	world_want_day(world_last(&w, &second, "D3")->due_on, "2026-05-20");
	assert_int_equal(world_case(&w, &second)->n_joined, 0);
	harness_advance(w.h, harness_at("2026-05-07 23:00"));
	assert_int_equal(fired(&w, &first), told); /* nothing of the past */
	harness_advance(w.h, harness_at("2026-05-08 09:00"));
	assert_true(fired(&w, &first) > told); /* what then comes is said */
	assert_true(world_last(&w, &first, "D3")->overdue);
	harness_check_replay(w.h);
	world_close(&w);
}

static void what_passed_while_it_was_joined_is_not_escalated(void **state)
{
	struct world w;
	struct av_id first, second;
	Avvik__V1__Deadline *d3;
	size_t told;

	(void)state;
	open_with_two(&w, &first, &second);
	harness_want(join(&w, "sara", &first, &second), REPLY(DONE));
	told = fired(&w, &first);
	harness_advance(w.h, harness_at("2026-06-10 10:00"));
	harness_want(part(&w, "lena", &first), REPLY(DONE));
	harness_advance(w.h, harness_at("2026-06-20 10:00"));
	assert_int_equal(fired(&w, &first), told);
	d3 = world_last(&w, &first, "D3");
	assert_true(d3->overdue); /* it is, and the case says so */
	for (size_t i = 0; i < d3->n_rungs; i++)
		assert_true(d3->rungs[i]->passed_over);
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_deadline_that_stood_still_stands_still_again(void **state)
{
	Avvik__V1__StopDeadline stop = AVVIK__V1__STOP_DEADLINE__INIT;
	struct world w;
	struct av_id first, second;

	(void)state;
	open_with_two(&w, &first, &second);
	stop.deadline_id = world_deadline(&w, &first, "D3")->deadline_id;
	stop.reason = TEXT("vantar_komplettering");
	stop.motive = TEXT("rapportören är sjuk");
	world_does(&w, "sara", &first, ACT(STOP_DEADLINE), &stop.base, NULL);
	harness_advance(w.h, harness_at("2026-04-14 10:00"));
	harness_want(join(&w, "sara", &first, &second), REPLY(DONE));
	assert_int_equal(world_last(&w, &first, "D3")->state, ENDED(CANCELLED));
	harness_advance(w.h, harness_at("2026-04-20 10:00"));
	harness_want(part(&w, "sara", &first), REPLY(DONE));
	assert_int_equal(world_last(&w, &first, "D3")->state, ENDED(STOPPED));
	assert_int_equal(world_last(&w, &first, "D3")->stops[0]->until_ms, 0);
	harness_check_replay(w.h);
	world_close(&w);
}

static void of_three_the_first_that_is_left_counts(void **state)
{
	struct world w;
	struct av_id a, b, c;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	a = world_file(&w, world_report(&w));
	harness_advance(w.h, harness_at("2026-04-09 09:00"));
	b = world_file(&w, world_report(&w));
	harness_advance(w.h, harness_at("2026-04-14 09:00"));
	c = world_file(&w, world_report(&w));
	harness_want(join(&w, "sara", &b, &c), REPLY(DONE));
	world_want_day(world_last(&w, &c, "D3")->due_on, "2026-05-09");
	harness_want(join(&w, "sara", &a, &c), REPLY(DONE));
	world_want_day(world_last(&w, &c, "D3")->due_on, "2026-05-07");
	harness_want(part(&w, "sara", &b), REPLY(DONE)); /* the later of the two: nothing moves */
	world_want_day(world_last(&w, &c, "D3")->due_on, "2026-05-07");
	harness_want(join(&w, "sara", &b, &c), REPLY(DONE)); /* joined again */
	harness_want(part(&w, "sara", &a), REPLY(DONE));
	world_want_day(world_last(&w, &c, "D3")->due_on, "2026-05-09");
	harness_want(part(&w, "sara", &b), REPLY(DONE));
	world_want_day(world_last(&w, &c, "D3")->due_on, "2026-05-14");
	harness_check_replay(w.h);
	world_close(&w);
}

static void joining_is_refused_by_name_with_what_would_satisfy_it(void **state)
{
	Avvik__V1__JoinCase body = AVVIK__V1__JOIN_CASE__INIT;
	Avvik__V1__ReportFiled *report;
	struct world w;
	struct av_id id, other, deviation, incomplete, unplaced, copy;

	(void)state;
	open_with_two(&w, &id, &other);
	deviation = world_file(&w, world_deviation(&w));
	incomplete = world_file_unnamed(&w, world_report(&w));
	report = world_report(&w);
	report->unit = TEXT("okand");
	unplaced = world_file(&w, report);

	world_want_fault(join(&w, "anna", &id, &other), REPLY(FORBIDDEN), "holds none of the roles");
	world_want_fault(join(&w, "nobody", &id, &other), REPLY(FORBIDDEN), "not in the directory");
	world_want_fault(join(&w, "sara", &id, &id), REPLY(INVALID), "join_self");
	world_want_fault(join(&w, "sara", &id, &deviation), REPLY(WRONG_STATE), "join_kind");
	world_want_fault(join(&w, "sara", &id, &incomplete), REPLY(WRONG_STATE), "join_incomplete");
	world_want_fault(join(&w, "sara", &unplaced, &id), REPLY(FORBIDDEN),
		"holds none of the roles"); /* nor is the unit known */
	world_want_fault(part(&w, "sara", &id), REPLY(WRONG_STATE), "part is possible while it is joined");

	copy = other;
	body.into_case_id = BINARY(copy);
	world_want_fault(world_act(&w, "sara", &id, ACT(JOIN), &body.base, NULL), REPLY(INVALID), "version");
	body.into_version_seen = 7;
	body.motive = TEXT("samma");
	world_want_fault(world_act(&w, "sara", &id, ACT(JOIN), &body.base, NULL), REPLY(STALE),
		"the other case has changed since version 7");
	copy = (struct av_id){{9}};
	world_want_fault(world_act(&w, "sara", &id, ACT(JOIN), &body.base, NULL), REPLY(NOT_FOUND),
		"no case with this id");
	copy = other;
	body.into_version_seen = world_case(&w, &other)->version;
	body.motive = TEXT("");
	world_want_fault(
		world_act(&w, "sara", &id, ACT(JOIN), &body.base, NULL), REPLY(INVALID), "same event");

	world_find_serious(&w, &id);
	world_want_fault(join(&w, "sara", &id, &other), REPLY(WRONG_STATE), "join_serious");
	harness_want(join(&w, "sara", &other, &id), REPLY(DONE)); /* the other way round the duty stands */
	world_want_fault(join(&w, "sara", &other, &id), REPLY(WRONG_STATE),
		"join is possible while it is"); /* twice */
	world_want_fault(join(&w, "sara", &incomplete, &other), REPLY(WRONG_STATE), "join_joined");
	world_want_fault(join(&w, "sara", &id, &deviation), REPLY(WRONG_STATE), "join_others");
	harness_want(join(&w, "sara", &deviation, &id), REPLY(DONE)); /* it was misconduct that it told of */
	harness_want(join(&w, "sara", &incomplete, &id), REPLY(DONE));
	assert_int_equal(world_case(&w, &id)->n_joined, 3);
	harness_want(part(&w, "sara", &incomplete), REPLY(DONE));
	assert_int_equal(world_case(&w, &incomplete)->state, STATE(INCOMPLETE));
	world_want_fault(part(&w, "anna", &other), REPLY(FORBIDDEN), "holds none of the roles");
	harness_check_replay(w.h);
	world_close(&w);
}

static void what_ivo_knows_of_is_not_joined_and_what_is_closed_takes_none(void **state)
{
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	struct world w;
	struct av_id id, other, closed;

	(void)state;
	open_with_two(&w, &id, &other);
	closed = world_file(&w, world_report(&w));
	world_find_serious(&w, &id);
	world_find_serious(&w, &other);
	world_notify(&w, &id, false);
	world_want_fault(join(&w, "sara", &id, &other), REPLY(WRONG_STATE), "join_notified");
	world_take_position(&w, &closed);
	world_want_fault(join(&w, "sara", &closed, &id), REPLY(WRONG_STATE), "join is possible while it is");
	world_does(&w, "sara", &closed, ACT(CLOSE), &close.base, NULL);
	world_want_fault(join(&w, "sara", &other, &closed), REPLY(WRONG_STATE), "join_closed");
	world_close(&w);
}

static void joining_says_what_was_done_in_the_one_and_not_in_the_other(void **state)
{
	Avvik__V1__Remedy remedy = AVVIK__V1__REMEDY__INIT;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id, other;

	(void)state;
	open_with_two(&w, &id, &other);
	remedy.text = TEXT("låst dörren");
	world_does(&w, "anna", &id, ACT(REMEDY), &remedy.base, NULL);
	world_investigate(&w, &id);
	reply = join(&w, "sara", &id, &other);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->act_accepted->n_warnings, 1);
	assert_non_null(strstr(reply->act_accepted->warnings[0]->text, "record the remedy there too"));
	assert_int_equal(reply->act_accepted->version, world_case(&w, &id)->version);
	harness_want(part(&w, "sara", &id), REPLY(DONE));
	assert_int_equal(world_case(&w, &id)->state, STATE(INVESTIGATION));
	assert_string_equal(world_case(&w, &id)->investigator, "eva");
	harness_check_replay(w.h);
	world_close(&w);
}

static void whoever_reported_is_told_when_the_case_is_closed_and_may_ask_how_it_goes(void **state)
{
	Avvik__V1__GetReportStatus get = AVVIK__V1__GET_REPORT_STATUS__INIT;
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	Avvik__V1__ReportStatusFound *status;
	struct world w;
	struct av_id id, other;

	(void)state;
	open_with_two(&w, &id, &other);
	harness_want(join(&w, "sara", &id, &other), REPLY(DONE));
	get.report_id = BINARY(id);
	status = harness_order(w.h, &w.publisher, NULL, NULL, COMMAND(GET_REPORT_STATUS), &get.base)
			 ->report_status_found;
	assert_string_equal(status->joined_into, "2026-0002");
	assert_false(status->closed);
	world_take_position(&w, &other);
	world_does(&w, "sara", &other, ACT(CLOSE), &close.base, NULL);
	assert_int_equal(harness_count(w.h, EVENT(JOINED_CASE_CLOSED), 0), 1);
	assert_memory_equal(harness_last(w.h, EVENT(JOINED_CASE_CLOSED))->case_id.data, id.bytes, AV_ID_SIZE);
	status = harness_order(w.h, &w.publisher, NULL, NULL, COMMAND(GET_REPORT_STATUS), &get.base)
			 ->report_status_found;
	assert_true(status->closed);
	harness_want(part(&w, "sara", &id), REPLY(DONE)); /* also then: the event was another */
	assert_int_equal(world_case(&w, &id)->state, STATE(RECEIVED));
	harness_check_replay(w.h);
	world_close(&w);
}

/* --- what may be the same --- */

static void what_may_be_the_same_event_is_suggested(void **state)
{
	struct world w;
	struct av_id id, same, near, far, later;
	Avvik__V1__Case *found;

	(void)state;
	world_open(&w, "2026-04-20 09:00");
	id = filed(&w, "boendet", "2026-04-10 23:00", "BEM");
	same = filed(&w, "boendet", "2026-04-11 01:00", "BEM");
	near = filed(&w, "boendet", "2026-04-07 12:00", ""); /* three days, no category yet */
	far = filed(&w, "boendet", "2026-04-06 12:00", "BEM");
	filed(&w, "hemtjanst", "2026-04-10 23:00", "BEM"); /* another unit */
	filed(&w, "boendet", "2026-04-10 23:00", "FALL");  /* another category */
	filed(&w, "boendet", NULL, "BEM");		   /* nobody knows when */
	found = world_case(&w, &id);
	assert_int_equal(found->n_duplicates, 2);
	assert_memory_equal(
		found->duplicates[0]->case_id.data, same.bytes, AV_ID_SIZE); /* the nearest first */
	assert_true(found->duplicates[0]->same_category);
	assert_memory_equal(found->duplicates[1]->case_id.data, near.bytes, AV_ID_SIZE);
	assert_false(found->duplicates[1]->same_category);
	assert_string_equal(found->acts_possible[found->n_acts_possible - 2]->name, "dismiss_duplicate");
	assert_int_equal(world_case(&w, &far)->n_duplicates, 1); /* near is near to it too */

	world_want_fault(dismiss(&w, "sara", &id, &far), REPLY(INVALID), "duplicate_unknown");
	world_want_fault(dismiss(&w, "anna", &id, &near), REPLY(FORBIDDEN), "holds none of the roles");
	harness_want(dismiss(&w, "eva", &id, &near), REPLY(DONE));
	world_want_fault(dismiss(&w, "eva", &id, &near), REPLY(WRONG_STATE), "duplicate_dismissed");
	world_want_fault(dismiss(&w, "eva", &near, &id), REPLY(WRONG_STATE),
		"duplicate_dismissed"); /* nor the other way */
	assert_int_equal(world_case(&w, &id)->n_duplicates, 1);
	assert_int_equal(world_case(&w, &near)->n_duplicates, 2);
	harness_want(join(&w, "sara", &same, &id), REPLY(DONE));
	assert_int_equal(world_case(&w, &id)->n_duplicates, 0);	  /* it is joined */
	assert_int_equal(world_case(&w, &same)->n_duplicates, 0); /* and asks for no other */
	harness_want(part(&w, "sara", &same), REPLY(DONE));
	assert_int_equal(world_case(&w, &id)->n_duplicates, 1);
	harness_restart(w.h);
	later = filed(&w, "boendet", "2026-04-12 01:00", "BEM");
	assert_int_equal(world_case(&w, &later)->n_duplicates, 2);
	harness_check_replay(w.h);
	world_close(&w);
}

static void how_near_is_for_the_rule_pack_to_say(void **state)
{
	Avvik__V1__RulePack *rules;
	struct world w;
	struct av_id id;

	(void)state;
	world_open_bare(&w, "2026-04-20 09:00");
	world_publish_directory(&w, NULL);
	rules = world_rules(&w);
	rules->duplicate_days = 0;
	world_publish_changed(&w, rules);
	id = filed(&w, "boendet", "2026-04-10 23:00", "BEM");
	filed(&w, "boendet", "2026-04-10 23:00", "BEM");
	assert_int_equal(world_case(&w, &id)->n_duplicates, 0);
	world_close(&w);
}

static void suggestions_are_few_however_many_there_are_and_nobody_sees_those_of_others(void **state)
{
	Avvik__V1__ListCases list = AVVIK__V1__LIST_CASES__INIT;
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	Avvik__V1__CasesFound *cases;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-20 09:00");
	id = filed(&w, "boendet", "2026-04-10 23:00", "BEM");
	for (unsigned int i = 0; i < 80; i++)
		filed(&w, "boendet", "2026-04-10 22:00", i < 70 ? "FALL" : "BEM");
	assert_int_equal(world_case(&w, &id)->n_duplicates, 0); /* none among those that were looked at */
	for (unsigned int i = 0; i < 9; i++)
		filed(&w, "hemtjanst", "2026-04-10 22:00", "BEM");
	id = filed(&w, "hemtjanst", "2026-04-10 22:00", "BEM");
	assert_int_equal(world_case(&w, &id)->n_duplicates, DUPLICATES_MAX);
	list.unit = TEXT("hemtjanst");
	cases = world_ask(&w, COMMAND(LIST_CASES), &list.base)->cases_found;
	assert_int_equal(cases->cases[0]->n_duplicates, 0); /* not asked for */
	list.with_duplicates = true;
	cases = world_ask(&w, COMMAND(LIST_CASES), &list.base)->cases_found;
	assert_int_equal(cases->cases[0]->n_duplicates, DUPLICATES_MAX);
	get.case_id = BINARY(id);
	reply = harness_order(
		w.h, &w.cases, NULL, "bo", COMMAND(GET_CASE), &get.base); /* the unit's manager */
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->case_found->case_->n_duplicates, 0);
	assert_true(reply->case_found->case_->limited);
	world_close(&w);
}

static void deviations_under_way_and_joined_cases_are_listed(void **state)
{
	Avvik__V1__TakeForReview take = AVVIK__V1__TAKE_FOR_REVIEW__INIT;
	Avvik__V1__ListCases list = AVVIK__V1__LIST_CASES__INIT;
	struct world w;
	struct av_id id, other;

	(void)state;
	world_open(&w, "2026-04-20 09:00");
	id = world_file(&w, world_deviation(&w));
	other = world_file(&w, world_deviation(&w));
	world_does(&w, "anna", &id, ACT(TAKE_FOR_REVIEW), &take.base, NULL);
	list.open_only = true;
	assert_int_equal(world_ask(&w, COMMAND(LIST_CASES), &list.base)->cases_found->n_cases, 2);
	harness_want(join(&w, "anna", &id, &other), REPLY(DONE));
	assert_int_equal(world_ask(&w, COMMAND(LIST_CASES), &list.base)->cases_found->n_cases, 1);
	list.open_only = false;
	assert_int_equal(world_ask(&w, COMMAND(LIST_CASES), &list.base)->cases_found->n_cases, 2);
	harness_want(part(&w, "anna", &id), REPLY(DONE));
	assert_int_equal(world_case(&w, &id)->state, STATE(REVIEW));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_receipt_counts_for_both_until_they_are_parted),
		cmocka_unit_test(what_passed_while_it_was_joined_is_not_escalated),
		cmocka_unit_test(a_deadline_that_stood_still_stands_still_again),
		cmocka_unit_test(of_three_the_first_that_is_left_counts),
		cmocka_unit_test(joining_is_refused_by_name_with_what_would_satisfy_it),
		cmocka_unit_test(what_ivo_knows_of_is_not_joined_and_what_is_closed_takes_none),
		cmocka_unit_test(joining_says_what_was_done_in_the_one_and_not_in_the_other),
		cmocka_unit_test(whoever_reported_is_told_when_the_case_is_closed_and_may_ask_how_it_goes),
		cmocka_unit_test(what_may_be_the_same_event_is_suggested),
		cmocka_unit_test(how_near_is_for_the_rule_pack_to_say),
		cmocka_unit_test(suggestions_are_few_however_many_there_are_and_nobody_sees_those_of_others),
		cmocka_unit_test(deviations_under_way_and_joined_cases_are_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
