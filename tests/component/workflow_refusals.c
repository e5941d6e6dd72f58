/* workflow_refusals.c - who may not, when not, and what not: each refusal says what would satisfy it and
 * leaves no trace */
#include "workflow_world.h"

#include <string.h>

/* Refused with this status, a fault whose text has `words`, and nothing changed. */
static void refused(struct world *w, const char *person, const struct av_id *id, unsigned int act,
	ProtobufCMessage *body, Avvik__V1__ReplyStatus status, const char *words)
{
	unsigned char before[32], after[32];
	Avvik__V1__Reply *reply;

	harness_fingerprint(w->h, before);
	reply = world_act(w, person, id, act, body, NULL);
	harness_want(reply, status);
	assert_true(reply->n_faults > 0);
	assert_true(*reply->faults[0]->path != '\0');
	for (size_t i = 0; i < reply->n_faults; i++)
		if (strstr(reply->faults[i]->text, words)) {
			harness_fingerprint(w->h, after);
			assert_memory_equal(before, after, 32);
			return;
		}
	fail_msg("no fault says \"%s\"; the first says \"%s\"", words, reply->faults[0]->text);
}

static Avvik__V1__Remedy remedy_of(const char *text)
{
	Avvik__V1__Remedy remedy = AVVIK__V1__REMEDY__INIT;
	remedy.text = TEXT(text);
	return remedy;
}

static void the_acting_person_must_hold_a_role_for_the_unit_on_the_day(void **state)
{
	Avvik__V1__Remedy remedy = remedy_of("lagat");
	Avvik__V1__AssessInitially assess = AVVIK__V1__ASSESS_INITIALLY__INIT;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	refused(&w, "nobody", &id, ACT(REMEDY), &remedy.base, REPLY(FORBIDDEN), "not in the directory");
	refused(&w, NULL, &id, ACT(REMEDY), &remedy.base, REPLY(INVALID), "on behalf of which person");
	refused(&w, "bo", &id, ACT(REMEDY), &remedy.base, REPLY(FORBIDDEN),
		"holds none of the roles"); /* another unit's manager */
	refused(&w, "eva", &id, ACT(REMEDY), &remedy.base, REPLY(FORBIDDEN), "holds none of the roles");
	refused(&w, "old", &id, ACT(REMEDY), &remedy.base, REPLY(FORBIDDEN),
		"holds none of the roles"); /* until March */
	refused(&w, "dan", &id, ACT(REMEDY), &remedy.base, REPLY(FORBIDDEN),
		"holds none of the roles");			     /* stands in in July */
	world_does(&w, "alf", &id, ACT(REMEDY), &remedy.base, NULL); /* the role is given above */
	w.h->now_ms = harness_at("2026-07-10 09:00");
	world_does(&w, "dan", &id, ACT(REMEDY), &remedy.base, NULL);
	assert_string_equal(harness_last(w.h, EVENT(CASE_REMEDIED))->actor->person, "dan");
	assert_string_equal(harness_last(w.h, EVENT(CASE_REMEDIED))->actor->principal, "cases");
	assess.preliminary_degree = DEGREE(RISK);
	assess.investigate = true;
	assess.motive = TEXT("skäl");
	assess.investigator = TEXT("anna"); /* cannot record entries */
	refused(&w, "lena", &id, ACT(ASSESS_INITIALLY), &assess.base, REPLY(INVALID), "may record entries");
	assess.investigator = TEXT("nobody");
	refused(&w, "lena", &id, ACT(ASSESS_INITIALLY), &assess.base, REPLY(INVALID), "not in the directory");
	world_close(&w);
}

static void the_system_acts_for_its_own_units_and_roles_alone(void **state)
{
	static const char *const lss[] = {"lss", NULL}, *const aldre[] = {"aldre", NULL},
				 *const ec[] = {"EC", NULL};
	Avvik__V1__Remedy remedy = remedy_of("lagat");
	struct world w;
	struct av_id id, unplaced;
	Avvik__V1__ReportFiled *report;
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	Avvik__V1__ActOnCase order = AVVIK__V1__ACT_ON_CASE__INIT;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	report = world_report(&w);
	report->unit = TEXT("okänd");
	unplaced = world_file(&w, report);
	order.case_id = get.case_id = BINARY(id);
	order.version_seen = 1;
	order.act_case = ACT(REMEDY);
	order.remedy = &remedy;
	w.cases.units = lss;
	harness_want(world_ask(&w, COMMAND(GET_CASE), &get.base), REPLY(FORBIDDEN));
	harness_want(harness_order(w.h, &w.cases, "a", "anna", COMMAND(ACT_ON_CASE), &order.base),
		REPLY(FORBIDDEN));
	w.cases.units = aldre; /* the department above the unit */
	w.cases.roles = ec;
	harness_want(harness_order(w.h, &w.cases, "b", "alf", COMMAND(ACT_ON_CASE), &order.base),
		REPLY(FORBIDDEN)); /* AC */
	harness_want(
		harness_order(w.h, &w.cases, "c", "anna", COMMAND(ACT_ON_CASE), &order.base), REPLY(DONE));
	get.case_id = BINARY(unplaced); /* belongs to the committee */
	harness_want(world_ask(&w, COMMAND(GET_CASE), &get.base), REPLY(FORBIDDEN));
	w.cases.rights = AV_MAY_QUERY;
	harness_want(harness_order(w.h, &w.cases, "d", "anna", COMMAND(ACT_ON_CASE), &order.base),
		REPLY(FORBIDDEN));
	world_close(&w);
}

static void a_stale_version_is_told_the_current_one(void **state)
{
	Avvik__V1__Remedy remedy = remedy_of("lagat");
	Avvik__V1__ActOnCase order = AVVIK__V1__ACT_ON_CASE__INIT;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;
	uint64_t head;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	order.case_id = BINARY(id);
	order.version_seen = 1;
	order.act_case = ACT(REMEDY);
	order.remedy = &remedy;
	harness_want(
		harness_order(w.h, &w.cases, "one", "anna", COMMAND(ACT_ON_CASE), &order.base), REPLY(DONE));
	reply = harness_order(w.h, &w.cases, "two", "anna", COMMAND(ACT_ON_CASE), &order.base);
	harness_want(reply, REPLY(STALE));
	assert_non_null(strstr(reply->text, "the current version is 2"));
	order.version_seen = 3; /* one that does not exist yet */
	harness_want(harness_order(w.h, &w.cases, "three", "anna", COMMAND(ACT_ON_CASE), &order.base),
		REPLY(STALE));
	/* the first once more: the same reply, nothing done twice */
	order.version_seen = 1;
	head = harness_head(w.h);
	reply = harness_order(w.h, &w.cases, "one", "anna", COMMAND(ACT_ON_CASE), &order.base);
	harness_want(reply, REPLY(DONE));
	assert_true(reply->repeated);
	assert_int_equal(reply->act_accepted->version, 2);
	assert_int_equal(harness_head(w.h), head);
	remedy = remedy_of("något annat");
	harness_want(harness_order(w.h, &w.cases, "one", "anna", COMMAND(ACT_ON_CASE), &order.base),
		REPLY(CONFLICT));
	world_close(&w);
}

static void a_warning_does_not_make_a_version_stale(void **state)
{
	struct world w;
	struct av_id id;
	uint64_t version;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	version = world_case(&w, &id)->version;
	assert_true(harness_advance(w.h, harness_at("2026-05-01 09:00")) > 0);
	assert_int_equal(world_case(&w, &id)->version, version);
	world_close(&w);
}

static void an_act_lies_between_the_receipt_and_now(void **state)
{
	Avvik__V1__Remedy remedy = remedy_of("lagat");
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	w.h->now_ms = harness_at("2026-04-09 09:00");
	harness_want(
		world_act(&w, "anna", &id, ACT(REMEDY), &remedy.base, "2026-04-09 09:06"), REPLY(INVALID));
	harness_want(
		world_act(&w, "anna", &id, ACT(REMEDY), &remedy.base, "2026-04-07 08:59"), REPLY(INVALID));
	world_does(
		&w, "anna", &id, ACT(REMEDY), &remedy.base, "2026-04-09 09:04"); /* another system's clock */
	assert_int_equal(harness_last(w.h, EVENT(CASE_REMEDIED))->occurred_at_ms, w.h->now_ms);
	world_does(&w, "anna", &id, ACT(REMEDY), &remedy.base, "2026-04-07 09:00");
	world_close(&w);
}

static void the_wrong_state_is_told_with_the_right_ones(void **state)
{
	Avvik__V1__Decide decide = AVVIK__V1__DECIDE__INIT;
	Avvik__V1__CloseEarly close = AVVIK__V1__CLOSE_EARLY__INIT;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	decide.degree = DEGREE(RISK);
	decide.motive = TEXT("skäl");
	refused(&w, "sara", &id, ACT(DECIDE), &decide.base, REPLY(WRONG_STATE), "while it is assessment");
	close.motive = TEXT("skäl");
	refused(&w, "anna", &id, ACT(CLOSE_EARLY), &close.base, REPLY(FORBIDDEN), "gives no role");
	world_close(&w);
}

static void guards_are_told_by_name(void **state)
{
	Avvik__V1__CompleteInvestigation complete = AVVIK__V1__COMPLETE_INVESTIGATION__INIT;
	Avvik__V1__NotifyIvo notify = AVVIK__V1__NOTIFY_IVO__INIT;
	Avvik__V1__AssessInitially assess = AVVIK__V1__ASSESS_INITIALLY__INIT;
	Avvik__V1__ExecuteMeasure execute = AVVIK__V1__EXECUTE_MEASURE__INIT;
	struct world w;
	struct av_id id, unknown = {{7}};

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	assess.preliminary_degree = DEGREE(RISK);
	assess.motive = TEXT("skäl");
	refused(&w, "sara", &id, ACT(ASSESS_INITIALLY), &assess.base, REPLY(INVALID), "position_degree");
	notify.registry_number = TEXT("SN 1");
	refused(&w, "sara", &id, ACT(NOTIFY_IVO), &notify.base, REPLY(WRONG_STATE), "ivo_not_required");
	world_investigate(&w, &id);
	complete.proposed_degree = DEGREE(RISK);
	complete.motive = TEXT("skäl");
	refused(&w, "eva", &id, ACT(COMPLETE_INVESTIGATION), &complete.base, REPLY(WRONG_STATE),
		"missing: 1, 2, 3, 4, 5, 6, 7, 8 and 10");
	world_document(&w, &id);
	world_decide(&w, &id, DEGREE(RISK));
	(void)world_measure(&w, &id, "2026-05-01");
	execute.measure_id = BINARY(unknown);
	refused(&w, "anna", &id, ACT(EXECUTE_MEASURE), &execute.base, REPLY(INVALID), "measure_unknown");
	world_close(&w);
}

static void every_faulty_field_is_told(void **state)
{
	Avvik__V1__DecideMeasure decide = AVVIK__V1__DECIDE_MEASURE__INIT;
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(RISK));
	decide.planned_start_on = 20600;
	decide.planned_end_on = 20599;
	decide.responsible = TEXT("nobody");
	reply = world_act(&w, "anna", &id, ACT(DECIDE_MEASURE), &decide.base, NULL);
	harness_want(reply, REPLY(INVALID));
	assert_int_equal(reply->n_faults, 4);
	assert_string_equal(reply->faults[0]->path, "decide_measure.description");
	assert_string_equal(reply->faults[1]->path, "decide_measure.goal");
	assert_string_equal(reply->faults[2]->path, "decide_measure.responsible");
	assert_string_equal(reply->faults[3]->path, "decide_measure.planned_end_on");
	world_execute(&w, &id, world_measure(&w, &id, "2026-05-01"));
	close.category = TEXT("BEM");
	close.subcategory = TEXT("EKO_STOLD"); /* of another category */
	harness_want(world_act(&w, "sara", &id, ACT(CLOSE), &close.base, NULL), REPLY(INVALID));
	close.category = TEXT("XYZ");
	harness_want(world_act(&w, "sara", &id, ACT(CLOSE), &close.base, NULL), REPLY(INVALID));
	world_close(&w);
}

static void an_unknown_case_or_no_act_is_refused(void **state)
{
	Avvik__V1__ActOnCase order = AVVIK__V1__ACT_ON_CASE__INIT;
	Avvik__V1__Remedy remedy = remedy_of("lagat");
	struct world w;
	struct av_id unknown = {{1, 2, 3}};

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	order.case_id = BINARY(unknown);
	order.version_seen = 1;
	harness_want(
		harness_order(w.h, &w.cases, "a", "anna", COMMAND(ACT_ON_CASE), &order.base), REPLY(INVALID));
	order.act_case = ACT(REMEDY);
	order.remedy = &remedy;
	harness_want(harness_order(w.h, &w.cases, "b", "anna", COMMAND(ACT_ON_CASE), &order.base),
		REPLY(NOT_FOUND));
	world_close(&w);
}

static void the_investigator_does_not_decide_even_with_the_role(void **state)
{
	Avvik__V1__Decide decide = AVVIK__V1__DECIDE__INIT;
	Avvik__V1__RulesPublished published = AVVIK__V1__RULES_PUBLISHED__INIT;
	unsigned char hash[32] = {3};
	struct world w;
	struct av_id id;

	(void)state;
	world_open_bare(&w, "2026-04-07 09:00");
	world_publish_directory(&w, NULL);
	published.rules = world_rules(&w);
	published.hash = (ProtobufCBinaryData){32, hash};
	for (size_t i = 0; i < published.rules->n_acts;
		i++) /* a small municipality: the investigator decides elsewhere */
		if (strcmp(published.rules->acts[i]->act, "decide") == 0)
			published.rules->acts[i]->roles[1] = TEXT("LEX_UTR");
	assert_int_equal(harness_feed(w.h, "intake",
				 harness_event(w.h, EVENT(RULES_PUBLISHED), &published.base, NULL, 0)),
		AV_OK);
	id = world_file(&w, world_report(&w));
	world_investigate(&w, &id);
	world_document(&w, &id);
	decide.degree = DEGREE(RISK);
	decide.motive = TEXT("skäl");
	refused(&w, "eva", &id, ACT(DECIDE), &decide.base, REPLY(FORBIDDEN),
		"the investigator does not decide");
	world_decide(&w, &id, DEGREE(RISK));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_acting_person_must_hold_a_role_for_the_unit_on_the_day),
		cmocka_unit_test(the_system_acts_for_its_own_units_and_roles_alone),
		cmocka_unit_test(a_stale_version_is_told_the_current_one),
		cmocka_unit_test(a_warning_does_not_make_a_version_stale),
		cmocka_unit_test(an_act_lies_between_the_receipt_and_now),
		cmocka_unit_test(the_wrong_state_is_told_with_the_right_ones),
		cmocka_unit_test(guards_are_told_by_name),
		cmocka_unit_test(every_faulty_field_is_told),
		cmocka_unit_test(an_unknown_case_or_no_act_is_refused),
		cmocka_unit_test(the_investigator_does_not_decide_even_with_the_role),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
