/* workflow_sight.c - who sees what of a case, and what beside the investigation is recorded of those
 * concerned */
#include "workflow_world.h"

#include <string.h>

static Avvik__V1__Reply *ask_as(
	struct world *w, const char *person, unsigned int number, ProtobufCMessage *body)
{
	return harness_order(w->h, &w->cases, NULL, person, number, body);
}

static Avvik__V1__Case *seen_by(struct world *w, const char *person, const struct av_id *id)
{
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	struct av_id copy = *id;
	Avvik__V1__Reply *reply;

	get.case_id = BINARY(copy);
	reply = ask_as(w, person, COMMAND(GET_CASE), &get.base);
	harness_want(reply, REPLY(DONE));
	return reply->case_found->case_;
}

static size_t listed_for(struct world *w, const char *person)
{
	Avvik__V1__ListCases list = AVVIK__V1__LIST_CASES__INIT;
	Avvik__V1__Reply *reply = ask_as(w, person, COMMAND(LIST_CASES), &list.base);

	harness_want(reply, REPLY(DONE));
	return reply->cases_found->n_cases;
}

static size_t deadlines_for(struct world *w, const char *person, const struct av_id *id)
{
	Avvik__V1__ListDeadlines list = AVVIK__V1__LIST_DEADLINES__INIT;
	Avvik__V1__GetWhy why = AVVIK__V1__GET_WHY__INIT;
	struct av_id copy = *id;
	Avvik__V1__Reply *of_case, *by_due, *whys;

	list.running_only = true;
	by_due = ask_as(w, person, COMMAND(LIST_DEADLINES), &list.base);
	list.case_id = why.case_id = BINARY(copy);
	of_case = ask_as(w, person, COMMAND(LIST_DEADLINES), &list.base);
	whys = ask_as(w, person, COMMAND(GET_WHY), &why.base);
	harness_want(of_case, REPLY(DONE));
	assert_int_equal(of_case->deadlines_found->n_deadlines, by_due->deadlines_found->n_deadlines);
	assert_true(whys->why_found->n_whys >= of_case->deadlines_found->n_deadlines); /* ended ones too */
	for (size_t i = 0; i < whys->why_found->n_whys && seen_by(w, person, id)->limited; i++)
		assert_string_equal(whys->why_found->whys[i]->deadline->rule, "D2");
	return of_case->deadlines_found->n_deadlines;
}

/* 2.6 v: number, kind, state and times, and no more; what is expected of the unit itself it sees. */
static void a_unit_manager_sees_that_a_case_exists_while_the_officer_has_it(void **state)
{
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	Avvik__V1__Case *found;
	struct world w;
	struct av_id id, copy;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	world_investigate(&w, &id);
	world_find_serious(&w, &id);
	found = seen_by(&w, "anna", &id);
	assert_true(found->limited);
	assert_string_equal(found->number, "2026-0001");
	assert_int_equal(found->state, STATE(INVESTIGATION));
	assert_int_equal(found->ivo, IVO(UNSPECIFIED));
	assert_int_equal(found->preliminary_degree, DEGREE(UNSPECIFIED));
	assert_string_equal(found->investigator, "");
	assert_string_equal(found->category, "");
	assert_int_equal(found->n_contents + found->n_entries + (size_t)found->serious_at_ms, 0);
	assert_int_equal(deadlines_for(&w, "anna", &id), 1); /* D2 alone: to remedy is the unit's */
	assert_int_equal(deadlines_for(&w, "alf", &id), 2);  /* D2 and D4 run; the head of department */
	assert_int_equal(listed_for(&w, "anna"), 1);
	assert_int_equal(listed_for(&w, "bo"), 0); /* another unit's manager does not see that there is one */
	copy = id;
	get.case_id = BINARY(copy);
	harness_want(ask_as(&w, "bo", COMMAND(GET_CASE), &get.base), REPLY(FORBIDDEN));
	harness_want(ask_as(&w, "nobody", COMMAND(GET_CASE), &get.base), REPLY(FORBIDDEN));
	assert_false(seen_by(&w, "sara", &id)->limited);
	assert_false(seen_by(&w, "eva", &id)->limited);
	assert_false(seen_by(&w, NULL, &id)->limited); /* the system: it shows each person their own */
	world_document(&w, &id);
	assert_true(seen_by(&w, "anna", &id)->limited);
	world_decide(&w, &id, DEGREE(SERIOUS));
	found = seen_by(&w, "anna", &id); /* decided: measures are the unit's */
	assert_false(found->limited);
	assert_int_equal(found->degree, DEGREE(SERIOUS));
	world_close(&w);
}

static void a_case_whose_unit_is_not_known_is_seen_from_the_top(void **state)
{
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	Avvik__V1__ReportFiled *report;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	report = world_report(&w);
	report->unit = TEXT("okänd");
	id = world_file(&w, report);
	assert_false(seen_by(&w, "reg", &id)->limited); /* at the committee */
	assert_false(
		seen_by(&w, "sara", &id)->limited); /* at the administration: they find out which it is */
	get.case_id = BINARY(id);
	harness_want(ask_as(&w, "alf", COMMAND(GET_CASE), &get.base), REPLY(FORBIDDEN));
	harness_want(ask_as(&w, "anna", COMMAND(GET_CASE), &get.base), REPLY(FORBIDDEN));
	world_close(&w);
}

static void a_system_of_unit_managers_sees_as_they_do(void **state)
{
	static const char *const managers[] = {"EC", "BITR_EC", NULL}, *const mixed[] = {"EC", "SAS", NULL};
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	w.cases.roles = managers;
	assert_true(seen_by(&w, NULL, &id)->limited);
	assert_int_equal(deadlines_for(&w, NULL, &id), 1);
	w.cases.roles = mixed;
	assert_false(seen_by(&w, NULL, &id)->limited);
	world_close(&w);
}

static void who_investigates_is_independent_of_the_reported_unit_and_of_the_report(void **state)
{
	Avvik__V1__AssessInitially assess = AVVIK__V1__ASSESS_INITIALLY__INIT;
	Avvik__V1__RulePack *rules;
	Avvik__V1__Event *event;
	Avvik__V1__Actor actor = AVVIK__V1__ACTOR__INIT;
	Avvik__V1__ReportFiled *report;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	world_open_bare(&w, "2026-04-07 09:00");
	world_publish_directory(&w, NULL);
	rules = world_rules(&w);
	for (size_t i = 0; i < rules->n_acts; i++) /* a small municipality: managers investigate */
		if (strcmp(rules->acts[i]->act, "record_entry") == 0)
			rules->acts[i]->roles[0] = TEXT("EC");
	world_publish_changed(&w, rules);
	report = world_report(&w);
	id = id_of(report->report_id);
	event = harness_event(w.h, EVENT(REPORT_FILED), &report->base, &id, 0);
	actor.principal = TEXT("care");
	actor.person = TEXT("anna");
	event->actor = &actor;
	assert_int_equal(harness_feed(w.h, "intake", event), AV_OK);
	assess.preliminary_degree = DEGREE(MISCONDUCT);
	assess.investigate = true;
	assess.motive = TEXT("utreds");
	assess.investigator = TEXT("anna");
	reply = world_act(&w, "sara", &id, ACT(ASSESS_INITIALLY), &assess.base, NULL);
	harness_want(reply, REPLY(INVALID));
	assert_int_equal(reply->n_faults, 2);
	assert_non_null(strstr(reply->faults[0]->text, "sent on behalf of this person"));
	assert_non_null(strstr(reply->faults[1]->text, "independent investigator"));
	assert_string_equal(world_case(&w, &id)->reported_by, ""); /* nobody's to see */
	assert_string_equal(harness_last(w.h, EVENT(CASE_OPENED))->case_opened->reported_by, "anna");
	world_close(&w);
}

static bool warned(const Avvik__V1__ActAccepted *accepted, const char *path)
{
	for (size_t i = 0; i < accepted->n_warnings; i++)
		if (strcmp(accepted->warnings[i]->path, path) == 0)
			return true;
	return false;
}

static Avvik__V1__ActAccepted *close_position(struct world *w, const struct av_id *id)
{
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;

	world_take_position(w, id);
	return world_does(w, "sara", id, ACT(CLOSE), &close.base, NULL);
}

static void closing_warns_of_what_is_not_recorded_and_it_is_recorded_afterwards(void **state)
{
	Avvik__V1__InformAffected affected = AVVIK__V1__INFORM_AFFECTED__INIT;
	Avvik__V1__InformRelatives relatives = AVVIK__V1__INFORM_RELATIVES__INIT;
	Avvik__V1__ConfirmFileEntry file = AVVIK__V1__CONFIRM_FILE_ENTRY__INIT;
	Avvik__V1__DecidePoliceReport police = AVVIK__V1__DECIDE_POLICE_REPORT__INIT;
	Avvik__V1__ActAccepted *accepted;
	Avvik__V1__ReportFiled *report;
	Avvik__V1__Case *found;
	struct world w;
	struct av_id bare, group, whole;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	report = world_report(&w);
	report->concerns = AVVIK__V1__CONCERNS__CONCERNS_ONE_PERSON;
	bare = world_file(&w, report);
	report = world_report(&w);
	report->concerns = AVVIK__V1__CONCERNS__CONCERNS_GROUP;
	group = world_file(&w, report);
	whole = world_file(&w, world_report(&w));
	assert_int_equal(close_position(&w, &group)->n_warnings, 0);

	police.police_report = AVVIK__V1__POLICE_REPORT__POLICE_REPORT_NEEDED;
	police.motive = TEXT("misstänkt stöld");
	world_does(&w, "sara", &bare, ACT(DECIDE_POLICE_REPORT), &police.base, NULL);
	accepted = close_position(&w, &bare);
	assert_int_equal(accepted->n_warnings, 4);
	assert_true(warned(accepted, "inform_affected") && warned(accepted, "inform_relatives") &&
		    warned(accepted, "confirm_file_entry") && warned(accepted, "decide_police_report"));
	police.police_report = AVVIK__V1__POLICE_REPORT__POLICE_REPORT_MADE;
	police.police_number = TEXT("5000-K123-26");
	world_does(&w, "sara", &bare, ACT(DECIDE_POLICE_REPORT), &police.base, "2026-04-07 09:00");
	found = world_case(&w, &bare);
	assert_int_equal(found->police_report, AVVIK__V1__POLICE_REPORT__POLICE_REPORT_MADE);
	world_want_instant(found->police_reported_at_ms, "2026-04-07T09:00:00+02:00");
	assert_int_equal(found->state, STATE(CLOSED));

	affected.text = TEXT("kan inte ta emot information"); /* why not is an answer */
	world_does(&w, "anna", &whole, ACT(INFORM_AFFECTED), &affected.base, NULL);
	relatives.text = TEXT("dottern per telefon");
	relatives.informed = true;
	harness_want(
		world_act(&w, "anna", &whole, ACT(INFORM_RELATIVES), &relatives.base, NULL), REPLY(INVALID));
	relatives.whom = AVVIK__V1__CAPACITY__CAPACITY_GUARDIAN;
	world_does(&w, "anna", &whole, ACT(INFORM_RELATIVES), &relatives.base, NULL);
	harness_want(
		world_act(&w, "anna", &whole, ACT(CONFIRM_FILE_ENTRY), &file.base, NULL), REPLY(INVALID));
	file.confirmed = true;
	world_does(&w, "anna", &whole, ACT(CONFIRM_FILE_ENTRY), &file.base, NULL);
	assert_int_equal(close_position(&w, &whole)->n_warnings, 0);
	found = world_case(&w, &whole);
	assert_int_equal(found->affected, AVVIK__V1__HANDLED__HANDLED_NOT);
	assert_int_equal(found->relatives, AVVIK__V1__HANDLED__HANDLED_DONE);
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_registry_number_is_corrected_with_a_trace(void **state)
{
	Avvik__V1__SetRegistryNumber set = AVVIK__V1__SET_REGISTRY_NUMBER__INIT;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	harness_want(world_act(&w, "reg", &id, ACT(SET_REGISTRY_NUMBER), &set.base, NULL), REPLY(INVALID));
	set.registry_number = TEXT("SN 2026/17");
	harness_want(world_act(&w, "anna", &id, ACT(SET_REGISTRY_NUMBER), &set.base, NULL), REPLY(FORBIDDEN));
	world_does(&w, "reg", &id, ACT(SET_REGISTRY_NUMBER), &set.base, NULL);
	reply = world_act(&w, "reg", &id, ACT(SET_REGISTRY_NUMBER), &set.base, NULL);
	harness_want(reply, REPLY(INVALID));
	assert_non_null(strstr(reply->text ? reply->faults[0]->text : "", "already"));
	set.registry_number = TEXT("SN 2026/71");
	harness_want(world_act(&w, "reg", &id, ACT(SET_REGISTRY_NUMBER), &set.base, NULL), REPLY(INVALID));
	set.motive = TEXT("omkastade siffror");
	world_does(&w, "reg", &id, ACT(SET_REGISTRY_NUMBER), &set.base, NULL);
	assert_string_equal(world_case(&w, &id)->registry_number, "SN 2026/71");
	assert_string_equal(
		harness_last(w.h, EVENT(REGISTRY_NUMBER_SET))->registry_number_set->before, "SN 2026/17");
	harness_check_replay(w.h);
	world_close(&w);
}

static void entries_are_kept_with_their_author_and_role(void **state)
{
	Avvik__V1__Case *found;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	world_investigate(&w, &id);
	world_document(&w, &id);
	found = world_case(&w, &id);
	assert_int_equal(found->n_entries, 9);
	for (size_t i = 0; i < found->n_entries; i++) {
		assert_int_equal(found->entries[i]->item, i < 8 ? i + 1 : 10);
		assert_string_equal(found->entries[i]->author, "eva");
		assert_string_equal(found->entries[i]->role, "LEX_UTR");
		assert_int_equal(found->entries[i]->nature, AVVIK__V1__ENTRY_NATURE__ENTRY_NATURE_FACT);
		assert_int_equal(found->entries[i]->content_id.len, AV_ID_SIZE);
		assert_true(found->entries[i]->occurred_at_ms > 0);
	}
	harness_check_replay(w.h);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_unit_manager_sees_that_a_case_exists_while_the_officer_has_it),
		cmocka_unit_test(a_case_whose_unit_is_not_known_is_seen_from_the_top),
		cmocka_unit_test(a_system_of_unit_managers_sees_as_they_do),
		cmocka_unit_test(who_investigates_is_independent_of_the_reported_unit_and_of_the_report),
		cmocka_unit_test(closing_warns_of_what_is_not_recorded_and_it_is_recorded_afterwards),
		cmocka_unit_test(a_registry_number_is_corrected_with_a_trace),
		cmocka_unit_test(entries_are_kept_with_their_author_and_role),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
