/* workflow_information.c - lex Sarah reports of private providers, who investigate and notify themselves: the
 * committee is informed, registers, and tells the orderer */
#include "workflow_world.h"

#include <string.h>

static const char private_units[] =
	"  - { code: vaxthuset, name: Växthuset, parent: aldre, level: unit, operation: private }\n"
	"  - { code: kvarnen, name: Kvarnen, parent: aldre, level: unit, operation: contracted }\n";

static void open_with_providers(struct world *w)
{
	Avvik__V1__RulePack *rules;
	char **operations;

	world_open_bare(w, "2026-04-07 09:00");
	world_publish_directory(w, private_units);
	rules = world_rules(w);
	operations = av_arena_alloc(w->h->arena, 2 * sizeof(*operations));
	operations[0] = TEXT("private");
	operations[1] = TEXT("contracted");
	rules->information_operations = operations;
	rules->n_information_operations = 2;
	world_publish_changed(w, rules);
}

static struct av_id filed_for(struct world *w, const char *unit)
{
	Avvik__V1__ReportFiled *report = world_report(w);
	report->unit = TEXT(unit);
	return world_file_unnamed(w, report); /* the provider's own matter */
}

static Avvik__V1__Reply *tell(
	struct world *w, const struct av_principal *who, const struct av_id *id, const char *at)
{
	Avvik__V1__TellNotification tell = AVVIK__V1__TELL_NOTIFICATION__INIT;
	struct av_id copy = *id;
	char reference[40];

	tell.report_id = BINARY(copy);
	tell.notified_at_ms = at ? harness_at(at) : 0;
	tell.ivo_case_number = TEXT("3.2-77/2026");
	snprintf(reference, sizeof(reference), "tell-%u", ++w->references);
	return harness_order(w->h, who, reference, NULL, COMMAND(TELL_NOTIFICATION), &tell.base);
}

static void a_providers_report_is_registered_and_closed_without_the_committees_deadlines(void **state)
{
	Avvik__V1__RegisterInformation registration = AVVIK__V1__REGISTER_INFORMATION__INIT;
	Avvik__V1__RecordProviderNotification notification = AVVIK__V1__RECORD_PROVIDER_NOTIFICATION__INIT;
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	Avvik__V1__AssessInitially assess = AVVIK__V1__ASSESS_INITIALLY__INIT;
	Avvik__V1__Case *found;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id, contracted, own;

	(void)state;
	open_with_providers(&w);
	id = filed_for(&w, "vaxthuset");
	contracted = filed_for(&w, "kvarnen");
	own = world_file(&w, world_report(&w));
	found = world_case(&w, &id);
	assert_int_equal(found->kind, AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION);
	assert_int_equal(found->state, STATE(RECEIVED)); /* without the reporter's name */
	assert_non_null(strstr(found->legal_reference, "24 d §"));
	assert_int_equal(world_case(&w, &contracted)->kind, AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION);
	assert_int_equal(world_case(&w, &own)->kind, AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH);
	assert_int_equal(world_deadlines(&w, &id), 1); /* D6 alone: D2 to D5 are the provider's */
	world_want_day(world_deadline(&w, &id, "D6")->due_on, "2026-04-09");

	assess.motive = TEXT("utreds");
	assess.preliminary_degree = DEGREE(RISK);
	harness_want(world_act(&w, "sara", &id, ACT(ASSESS_INITIALLY), &assess.base, NULL), REPLY(FORBIDDEN));
	harness_want(world_act(&w, "sara", &id, ACT(CLOSE), &close.base, NULL), REPLY(WRONG_STATE));
	harness_want(world_act(&w, "reg", &id, ACT(REGISTER_INFORMATION), &registration.base, NULL),
		REPLY(INVALID));
	registration.registry_number = TEXT("SN 2026/40");
	world_does(&w, "reg", &id, ACT(REGISTER_INFORMATION), &registration.base, NULL);
	assert_int_equal(world_case(&w, &id)->state, STATE(REGISTERED));
	assert_int_equal(world_deadline(&w, &id, "D6")->state, ENDED(MET));

	harness_advance(w.h, harness_at("2026-04-20 09:00"));
	notification.notified_at_ms = harness_at("2026-04-21 09:00");
	reply = world_act(&w, "reg", &id, ACT(RECORD_PROVIDER_NOTIFICATION), &notification.base, NULL);
	harness_want(reply, REPLY(INVALID));
	assert_non_null(strstr(reply->faults[0]->text, "after the time it was told"));
	notification.notified_at_ms = harness_at("2026-04-10 09:00"); /* told ten days later */
	world_does(&w, "reg", &id, ACT(RECORD_PROVIDER_NOTIFICATION), &notification.base, NULL);
	assert_int_equal(world_case(&w, &id)->state, STATE(PROVIDER_NOTIFIED));
	assert_int_equal(world_deadline(&w, &id, "D7")->state, ENDED(MET_LATE));
	reply = world_act(&w, "reg", &id, ACT(RECORD_PROVIDER_NOTIFICATION), &notification.base, NULL);
	harness_want(reply, REPLY(WRONG_STATE));		    /* once */
	world_does(&w, "sara", &id, ACT(CLOSE), &close.base, NULL); /* no category is asked for */
	harness_check_replay(w.h);
	world_close(&w);
}

static void the_providers_own_system_tells_of_its_notification(void **state)
{
	Avvik__V1__RegisterInformation registration = AVVIK__V1__REGISTER_INFORMATION__INIT;
	struct av_principal other = harness_principal("alarm", "publisher", AV_MAY_PUBLISH);
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id, own;

	(void)state;
	open_with_providers(&w);
	id = filed_for(&w, "vaxthuset");
	own = world_file(&w, world_report(&w));
	harness_advance(w.h, harness_at("2026-04-08 10:00"));
	harness_want(tell(&w, &other, &id, "2026-04-08 09:00"), REPLY(NOT_FOUND)); /* another's report */
	harness_want(tell(&w, &w.publisher, &own, "2026-04-08 09:00"), REPLY(WRONG_STATE));
	harness_want(tell(&w, &w.publisher, &id, NULL), REPLY(INVALID));
	harness_want(tell(&w, &w.publisher, &id, "2026-04-06 09:00"), REPLY(INVALID)); /* before the report */
	reply = tell(&w, &w.publisher, &id, "2026-04-08 09:00");
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->notification_kept->state, STATE(RECEIVED)); /* still to be registered */
	assert_true(harness_last(w.h, EVENT(PROVIDER_NOTIFIED))->provider_notified->by_provider);
	assert_int_equal(world_deadline(&w, &id, "D7")->state, ENDED(MET));
	assert_string_equal(world_case(&w, &id)->ivo_case_number, "3.2-77/2026");
	reply = tell(&w, &w.publisher, &id, "2026-04-08 09:00");
	harness_want(reply, REPLY(WRONG_STATE)); /* told before */
	assert_non_null(strstr(reply->text, "provider_told"));
	registration.registry_number = TEXT("SN 2026/41");
	world_does(&w, "reg", &id, ACT(REGISTER_INFORMATION), &registration.base, NULL);
	assert_int_equal(world_case(&w, &id)->state, STATE(PROVIDER_NOTIFIED));
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_report_that_proves_to_be_a_providers_becomes_information_in_one_write(void **state)
{
	Avvik__V1__PlaceCase place = AVVIK__V1__PLACE_CASE__INIT;
	Avvik__V1__Case *found;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	open_with_providers(&w);
	id = filed_for(&w, "okänd");
	assert_int_equal(world_case(&w, &id)->state, STATE(INCOMPLETE));
	assert_int_equal(world_case(&w, &id)->n_tasks, 2);
	place.unit = TEXT("vaxthuset");
	assert_int_equal(world_does(&w, "reg", &id, ACT(PLACE), &place.base, NULL)->state, STATE(RECEIVED));
	found = world_case(&w, &id);
	assert_int_equal(found->kind, AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION);
	assert_int_equal(found->n_tasks, 0);
	assert_int_equal(world_deadline(&w, &id, "D2")->state, ENDED(CANCELLED));
	assert_int_equal(world_deadline(&w, &id, "D6")->state, ENDED(RUNNING));
	place.unit = TEXT("boendet");
	place.motive = TEXT("fel enhet");
	reply = world_act(&w, "reg", &id, ACT(PLACE), &place.base, NULL);
	harness_want(reply, REPLY(INVALID));
	assert_non_null(strstr(reply->faults[0]->text, "provider who investigates itself"));
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_deviation_that_is_suspected_at_a_provider_becomes_information(void **state)
{
	Avvik__V1__ReportFiled *report;
	Avvik__V1__Case *found;
	struct world w;
	struct av_id id;

	(void)state;
	open_with_providers(&w);
	report = world_deviation(&w);
	report->unit = TEXT("vaxthuset");
	id = world_file(&w, report);
	harness_advance(w.h, harness_at("2026-04-13 13:00"));
	assert_int_equal(world_turn(&w, "sara", &id)->state, STATE(RECEIVED));
	found = world_case(&w, &id);
	assert_int_equal(found->kind, AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION);
	assert_true(found->was_deviation);
	assert_non_null(strstr(found->legal_reference, "24 d §"));
	assert_int_equal(world_deadline(&w, &id, "DEV1")->state, ENDED(MET));
	assert_int_equal(world_deadlines(&w, &id), 3); /* no D2 to D5: DEV1, DEV2 and */
	world_want_day(world_deadline(&w, &id, "D6")->due_on, "2026-04-15");
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_directory_that_names_the_unit_as_a_providers_makes_it_information(void **state)
{
	Avvik__V1__Case *found;
	struct world w;
	struct av_id id, own;

	(void)state;
	open_with_providers(&w);
	id = filed_for(&w, "lyktan");
	own = filed_for(&w, "boendet");
	assert_int_equal(world_case(&w, &id)->kind, AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH);
	world_publish_directory(
		&w, "  - { code: lyktan, name: Lyktan, parent: aldre, level: unit, operation: private }\n");
	(void)harness_tick(w.h, w.h->now_ms);
	found = world_case(&w, &id);
	assert_int_equal(found->kind, AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION);
	assert_int_equal(found->state, STATE(RECEIVED));
	assert_int_equal(found->n_tasks, 0);
	assert_int_equal(world_deadline(&w, &id, "D2")->state, ENDED(CANCELLED));
	assert_int_equal(world_deadline(&w, &id, "D6")->state, ENDED(RUNNING));
	assert_int_equal(world_case(&w, &own)->kind, AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH);
	harness_check_replay(w.h);
	world_close(&w);
}

static void rules_that_come_after_the_report_make_it_information(void **state)
{
	Avvik__V1__RulePack *rules;
	char *operations[] = {TEXT("private")};
	Avvik__V1__Case *found;
	struct world w;
	struct av_id id;

	(void)state;
	world_open_bare(&w, "2026-04-07 09:00");
	world_publish_directory(&w, private_units);
	id = filed_for(&w, "vaxthuset");
	assert_int_equal(world_case(&w, &id)->kind, AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH);
	rules = world_rules(&w);
	rules->information_operations = operations;
	rules->n_information_operations = 1;
	world_publish_changed(&w, rules);
	(void)harness_tick(w.h, w.h->now_ms);
	found = world_case(&w, &id);
	assert_int_equal(found->kind, AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION);
	assert_int_equal(found->state, STATE(RECEIVED));
	assert_int_equal(world_deadlines(&w, &id), 1);
	world_want_day(world_deadline(&w, &id, "D6")->due_on, "2026-04-09");
	harness_check_replay(w.h);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_providers_report_is_registered_and_closed_without_the_committees_deadlines),
		cmocka_unit_test(the_providers_own_system_tells_of_its_notification),
		cmocka_unit_test(a_report_that_proves_to_be_a_providers_becomes_information_in_one_write),
		cmocka_unit_test(a_deviation_that_is_suspected_at_a_provider_becomes_information),
		cmocka_unit_test(a_directory_that_names_the_unit_as_a_providers_makes_it_information),
		cmocka_unit_test(rules_that_come_after_the_report_make_it_information),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
