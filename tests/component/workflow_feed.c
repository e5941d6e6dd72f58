/* workflow_feed.c - what intake tells: each event once in effect, tasks until what is missing is published,
 * late rules */
#include "workflow_world.h"

#include <string.h>

static int again(struct world *w, unsigned int number, ProtobufCMessage *body, const struct av_id *id)
{
	return harness_feed(w->h, "intake", harness_event(w->h, number, body, id, 0));
}

static void every_event_given_twice_has_its_effect_once(void **state)
{
	Avvik__V1__ReportSupplemented supplement = AVVIK__V1__REPORT_SUPPLEMENTED__INIT;
	Avvik__V1__ContentRef ref = AVVIK__V1__CONTENT_REF__INIT;
	unsigned char content_id[16] = {9}, supplement_id[16] = {8};
	Avvik__V1__ReportFiled *report;
	struct world w;
	struct av_id id;
	uint64_t head;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	report = world_report(&w);
	id = world_file(&w, report);
	supplement.report_id = report->report_id;
	supplement.supplement_id = (ProtobufCBinaryData){16, supplement_id};
	ref.content_id = (ProtobufCBinaryData){16, content_id};
	ref.commitment = report->content->commitment;
	supplement.content = &ref;
	assert_int_equal(again(&w, EVENT(REPORT_SUPPLEMENTED), &supplement.base, &id), AV_OK);
	assert_int_equal(world_case(&w, &id)->n_contents, 2);
	assert_int_equal(world_case(&w, &id)->version, 2);
	head = harness_head(w.h);
	assert_int_equal(again(&w, EVENT(REPORT_FILED), &report->base, &id), AV_OK);
	assert_int_equal(again(&w, EVENT(REPORT_SUPPLEMENTED), &supplement.base, &id), AV_OK);
	world_publish_directory(&w, NULL);
	world_publish_rules(&w);
	assert_int_equal(harness_head(w.h), head);
	harness_check_replay(w.h);
	world_close(&w);
}

static void the_directory_is_told_without_addresses(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	assert_int_equal(harness_last(w.h, EVENT(DIRECTORY_PUBLISHED))->directory_published->n_contacts, 0);
	assert_int_equal(
		harness_last(w.h, EVENT(DIRECTORY_PUBLISHED))->directory_published->directory->n_units, 7);
	world_close(&w);
}

static void immediate_measures_meet_the_duty_at_their_time(void **state)
{
	Avvik__V1__ReportFiled *report;
	Avvik__V1__Event *remedied;
	int64_t times[3];
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-14 09:00");
	report = world_report(&w);
	report->received_at_ms = harness_at("2026-04-07 09:00"); /* on paper; D2 passed on the 8th */
	times[0] = harness_at("2026-04-08 08:00");
	times[1] = harness_at("2026-04-07 08:00");
	times[2] = harness_at("2027-01-01 08:00"); /* odd: counts as now */
	report->remedied_at_ms = times;
	report->n_remedied_at_ms = 3;
	id = world_file(&w, report);
	remedied = harness_last(w.h, EVENT(CASE_REMEDIED));
	assert_true(remedied->case_remedied->by_report);
	world_want_instant(remedied->occurred_at_ms, "2026-04-07T08:00:00+02:00");
	assert_int_equal(world_deadline(&w, &id, "D2")->state, ENDED(MET));
	assert_false(harness_last(w.h, EVENT(DEADLINE_MET))->deadline_met->late);
	assert_int_equal(harness_tick(w.h, harness_at("2026-04-14 09:01")),
		0); /* no alarm for what was done in time */
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_report_for_an_unknown_unit_waits_and_is_placed_by_the_next_directory(void **state)
{
	Avvik__V1__ReportFiled *report;
	struct world w;
	struct av_id id, unnamed;
	Avvik__V1__Case *found;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	report = world_report(&w);
	report->unit = TEXT("nytt-boende");
	id = world_file(&w, report);
	report = world_report(&w);
	report->unit = TEXT("nytt-boende");
	unnamed = world_file_unnamed(&w, report);
	found = world_case(&w, &id);
	assert_int_equal(found->state, STATE(INCOMPLETE));
	assert_int_equal(found->n_tasks, 1);
	assert_string_equal(found->tasks[0], "unplaced");
	assert_int_equal(world_case(&w, &unnamed)->n_tasks, 2);
	assert_int_equal(world_deadlines(&w, &id), 2); /* the duty runs from the receipt all the same */
	world_publish_directory(
		&w, "  - { code: nytt-boende, name: Nytt, parent: aldre, level: unit, operation: own }\n");
	assert_true(harness_next_due(w.h) > 0 && harness_next_due(w.h) <= w.h->now_ms); /* at once */
	harness_tick(w.h, w.h->now_ms);
	found = world_case(&w, &id);
	assert_int_equal(found->state, STATE(RECEIVED));
	assert_int_equal(found->n_tasks, 0);
	found = world_case(&w, &unnamed);
	assert_int_equal(found->state, STATE(INCOMPLETE)); /* the name is still missing */
	assert_int_equal(found->n_tasks, 1);
	assert_int_equal(harness_count(w.h, EVENT(CASE_PLACED), 0), 2);
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_person_places_the_case_and_names_the_reporter(void **state)
{
	Avvik__V1__PlaceCase place = AVVIK__V1__PLACE_CASE__INIT;
	Avvik__V1__NameReporter name = AVVIK__V1__NAME_REPORTER__INIT;
	Avvik__V1__Reporter reporter = AVVIK__V1__REPORTER__INIT;
	Avvik__V1__ReportFiled *report;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	report = world_report(&w);
	report->unit = TEXT("okänd");
	id = world_file_unnamed(&w, report);
	place.unit = TEXT("aldre"); /* not a leaf */
	harness_want(world_act(&w, "reg", &id, ACT(PLACE), &place.base, NULL), REPLY(INVALID));
	place.unit = TEXT("hemtjanst");
	world_does(&w, "reg", &id, ACT(PLACE), &place.base, NULL);
	assert_int_equal(world_case(&w, &id)->state, STATE(INCOMPLETE));
	assert_string_equal(
		world_deadline(&w, &id, "D3")->unit_code, "hemtjanst"); /* who is told follows the place */
	reporter.name = TEXT("Någon");
	reporter.mail = TEXT("nagon at example.org");
	name.reporter = &reporter;
	world_want_fault(world_act(&w, "sara", &id, ACT(NAME_REPORTER), &name.base, NULL), REPLY(INVALID),
		"is not a mail address");
	reporter.mail = TEXT("nagon@example.org");
	world_does(&w, "sara", &id, ACT(NAME_REPORTER), &name.base, NULL);
	assert_int_equal(world_case(&w, &id)->state, STATE(RECEIVED));
	assert_true(world_case(&w, &id)->contact_given);
	/* moved while it is received, with a motive */
	place.unit = TEXT("boendet");
	harness_want(world_act(&w, "reg", &id, ACT(PLACE), &place.base, NULL), REPLY(INVALID));
	place.motive = TEXT("fel enhet");
	world_does(&w, "reg", &id, ACT(PLACE), &place.base, NULL);
	assert_string_equal(harness_last(w.h, EVENT(CASE_PLACED))->case_placed->from_unit, "hemtjanst");
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_case_opens_without_rules_and_gets_its_deadlines_when_they_come(void **state)
{
	Avvik__V1__Remedy remedy = AVVIK__V1__REMEDY__INIT;
	struct world w;
	struct av_id id, early, remedied;
	Avvik__V1__ReportFiled *report;
	Avvik__V1__Reply *reply;
	int64_t time;

	(void)state;
	world_open_bare(&w, "2026-04-07 09:00");
	world_publish_directory(&w, NULL);
	id = world_file(&w, world_report(&w));
	report = world_report(&w);
	report->received_at_ms = harness_at("2025-06-30 12:00"); /* before the pack takes effect */
	early = world_file(&w, report);
	report = world_report(&w);
	time = harness_at("2026-04-06 12:00");
	report->remedied_at_ms = &time;
	report->n_remedied_at_ms = 1;
	remedied = world_file(&w, report);
	assert_string_equal(world_case(&w, &id)->rules_version, "");
	assert_string_equal(world_case(&w, &early)->number, "2025-0001"); /* of the year it was received */
	assert_int_equal(world_deadlines(&w, &id), 0);
	remedy.text = TEXT("åtgärdat");
	reply = world_act(&w, "anna", &id, ACT(REMEDY), &remedy.base, NULL);
	harness_want(reply, REPLY(WRONG_STATE));
	assert_non_null(strstr(reply->text, "rule pack"));
	w.h->now_ms = harness_at("2026-04-20 09:00");
	world_publish_rules(&w);
	harness_tick(w.h, w.h->now_ms);
	assert_string_equal(world_case(&w, &id)->rules_version, "se-2025-07");
	assert_non_null(strstr(world_case(&w, &id)->legal_reference, "24 e §"));
	assert_string_equal(world_case(&w, &early)->rules_version, "");
	assert_int_equal(world_deadlines(&w, &id), 2);
	world_want_day(world_deadline(&w, &id, "D2")->due_on,
		"2026-04-08"); /* from the receipt, as it would have been */
	assert_true(harness_last(w.h, EVENT(RUNG_FIRED))->rung_fired->late);
	assert_int_equal(world_deadline(&w, &remedied, "D2")->state, ENDED(MET));
	assert_int_equal(
		harness_count(w.h, EVENT(RUNG_FIRED), 0), 1 + 0 + 0 + 0); /* D2 of the first: overdue, once */
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_rule_pack_is_for_its_days_alone(void **state)
{
	Avvik__V1__RulePack *rules;
	struct world w;
	struct av_id inside, after;

	(void)state;
	world_open_bare(&w, "2026-04-07 09:00");
	world_publish_directory(&w, NULL);
	inside = world_file(&w, world_report(&w));
	w.h->now_ms = harness_at("2026-05-02 09:00");
	after = world_file(&w, world_report(&w));
	rules = world_rules(&w);
	assert_int_equal(av_day_parse("2026-05-01", &rules->valid_until_on), AV_OK);
	world_publish_changed(&w, rules);
	harness_tick(w.h, w.h->now_ms);
	assert_string_equal(world_case(&w, &inside)->rules_version, "se-2025-07");
	assert_string_equal(world_case(&w, &after)->rules_version, "");
	assert_int_equal(harness_count(w.h, EVENT(CASE_RULES_SET), 0), 1);
	after = world_file(&w, world_report(&w)); /* one that comes later finds none either */
	assert_string_equal(world_case(&w, &after)->rules_version, "");
	harness_check_replay(w.h);
	world_close(&w);
}

/* Whatever its version is called. */
static void of_two_packs_from_the_same_day_the_one_published_last_holds(void **state)
{
	static const char *const versions[] = {"lindaker-2026", "zeta-2026", "alfa-2026"};
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	for (size_t i = 0; i < AV_COUNT(versions); i++) {
		Avvik__V1__RulePack *rules = world_rules(&w);
		struct av_id filed;
		rules->version = (char *)(uintptr_t)versions[i];
		world_publish_changed(&w, rules);
		filed = world_file(&w, world_report(&w));
		assert_string_equal(world_case(&w, &filed)->rules_version, versions[i]);
	}
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_rule_pack_that_changes_under_its_version_goes_to_quarantine(void **state)
{
	Avvik__V1__RulesPublished published = AVVIK__V1__RULES_PUBLISHED__INIT;
	unsigned char hash[32] = {1};
	struct world w;
	uint64_t head;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	head = harness_head(w.h);
	published.rules = world_rules(&w);
	published.hash = (ProtobufCBinaryData){32, hash};
	(void)again(&w, EVENT(RULES_PUBLISHED), &published.base, NULL); /* without a case it halts the feed */
	assert_int_equal(harness_count(w.h, EVENT(RULES_PUBLISHED), head), 0);
	world_close(&w);
}

static void a_new_rule_pack_is_for_new_cases(void **state)
{
	Avvik__V1__RulesPublished published = AVVIK__V1__RULES_PUBLISHED__INIT;
	unsigned char hash[32] = {2};
	struct world w;
	struct av_id before, after;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	before = world_file(&w, world_report(&w));
	published.rules = world_rules(&w);
	published.rules->version = TEXT("se-2026-05");
	assert_int_equal(av_day_parse("2026-05-01", &published.rules->valid_from_on), AV_OK);
	published.rules->deadlines[1]->count = 14; /* D3 */
	published.hash = (ProtobufCBinaryData){32, hash};
	assert_int_equal(again(&w, EVENT(RULES_PUBLISHED), &published.base, NULL), AV_OK);
	w.h->now_ms = harness_at("2026-05-04 09:00");
	after = world_file(&w, world_report(&w));
	assert_string_equal(world_case(&w, &before)->rules_version, "se-2025-07");
	assert_string_equal(world_case(&w, &after)->rules_version, "se-2026-05");
	world_want_day(world_deadline(&w, &before, "D3")->due_on, "2026-05-07");
	world_want_day(world_deadline(&w, &after, "D3")->due_on, "2026-05-18");
	harness_check_replay(w.h);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_given_twice_has_its_effect_once),
		cmocka_unit_test(the_directory_is_told_without_addresses),
		cmocka_unit_test(immediate_measures_meet_the_duty_at_their_time),
		cmocka_unit_test(a_report_for_an_unknown_unit_waits_and_is_placed_by_the_next_directory),
		cmocka_unit_test(a_person_places_the_case_and_names_the_reporter),
		cmocka_unit_test(a_case_opens_without_rules_and_gets_its_deadlines_when_they_come),
		cmocka_unit_test(a_rule_pack_is_for_its_days_alone),
		cmocka_unit_test(of_two_packs_from_the_same_day_the_one_published_last_holds),
		cmocka_unit_test(a_rule_pack_that_changes_under_its_version_goes_to_quarantine),
		cmocka_unit_test(a_new_rule_pack_is_for_new_cases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
