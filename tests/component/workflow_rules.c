/* workflow_rules.c - what other rules or another directory would change is told, and open cases go over to
 * rules */
#include "workflow_world.h"

#include <string.h>

#include "avvik/v1/directory.pb-c.h"

static Avvik__V1__Reply *administer(
	struct world *w, const char *reference, unsigned int number, ProtobufCMessage *body)
{
	struct av_principal admin = harness_principal("admin", "administrator", AV_MAY_ADMINISTER);
	return harness_order(w->h, &admin, reference, NULL, number, body);
}

static const Avvik__V1__PreviewFound *preview_rules(struct world *w, Avvik__V1__RulePack *rules)
{
	Avvik__V1__PreviewRules query = AVVIK__V1__PREVIEW_RULES__INIT;
	Avvik__V1__Reply *reply;

	query.rules = rules;
	reply = administer(w, NULL, COMMAND(PREVIEW_RULES), &query.base);
	harness_want(reply, REPLY(DONE));
	return reply->preview_found;
}

static Avvik__V1__Reply *apply_rules(struct world *w, const char *reference, const char *version)
{
	Avvik__V1__ApplyRules order = AVVIK__V1__APPLY_RULES__INIT;
	order.version = TEXT(version);
	order.reason = TEXT("the office is closed on 15 May");
	return administer(w, reference, COMMAND(APPLY_RULES), &order.base);
}

/* The published pack, with one more day without work: a calendar change. */
static Avvik__V1__RulePack *with_closure(struct world *w, const char *version)
{
	static int32_t days[1];
	Avvik__V1__RulePack *rules = world_rules(w);
	av_day day;

	assert_int_equal(av_day_parse("2026-04-13", &day), AV_OK);
	days[0] = day;
	rules->version = TEXT(version);
	rules->closures_on = days;
	rules->n_closures_on = 1;
	return rules;
}

static const Avvik__V1__DeadlineChange *change_of(const Avvik__V1__PreviewFound *found, const char *rule)
{
	for (size_t i = 0; i < found->n_changes; i++)
		if (strcmp(found->changes[i]->rule, rule) == 0)
			return found->changes[i];
	return NULL;
}

static void a_calendar_change_is_shown_before_and_after_and_changes_nothing(void **state)
{
	const Avvik__V1__PreviewFound *found;
	const Avvik__V1__DeadlineChange *change;
	struct world w;
	struct av_id id;
	uint64_t head;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_deviation(&w));
	(void)world_file(&w, world_report(&w));
	head = harness_head(w.h);
	found = preview_rules(&w, with_closure(&w, "se-2025-07-b"));
	assert_int_equal(found->cases, 2);
	assert_int_equal(found->deadlines, 4); /* DEV1, DEV2; D2, D3 */
	change = change_of(found, "DEV1");
	assert_non_null(change);
	world_want_day(change->due_before_on, "2026-04-21");
	world_want_day(change->due_after_on, "2026-04-22");
	assert_true(change->n_rungs > 0);
	assert_string_equal(change->rules_after, "se-2025-07-b");
	assert_null(change_of(found, "D3") && change_of(found, "D3")->due_before_on !=
						      change_of(found, "D3")->due_after_on
			    ? change_of(found, "D3")
			    : NULL); /* calendar days know no closures */
	assert_int_equal(harness_head(w.h), head);
	world_want_day(world_deadline(&w, &id, "DEV1")->due_on, "2026-04-21");
	world_close(&w);
}

static void open_cases_go_over_with_the_reason_in_the_journal(void **state)
{
	struct world w;
	struct av_id id, closed;
	Avvik__V1__RulePack *rules;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_deviation(&w));
	closed = world_file(&w, world_report(&w));
	rules = with_closure(&w, "se-2025-07-b");
	harness_want(apply_rules(&w, "too-early", "se-2025-07-b"), REPLY(NOT_FOUND));
	world_publish_changed(&w, rules);
	world_want_day(world_deadline(&w, &id, "DEV1")->due_on, "2026-04-21"); /* a case keeps its own */
	harness_want(apply_rules(&w, "apply-1", "se-2025-07-b"), REPLY(DONE));
	assert_string_equal(harness_last(w.h, EVENT(RULES_APPLIED))->rules_applied->reason->text,
		"the office is closed on 15 May");
	harness_want(apply_rules(&w, "apply-2", "se-2025-07-b"), REPLY(WRONG_STATE)); /* under way */
	while (harness_tick(w.h, w.h->now_ms) > 0)
		;
	world_want_day(world_deadline(&w, &id, "DEV1")->due_on, "2026-04-22");
	assert_string_equal(world_case(&w, &id)->rules_version, "se-2025-07-b");
	assert_string_equal(world_deadline(&w, &id, "DEV1")->rules_version, "se-2025-07-b");
	assert_string_equal(world_case(&w, &closed)->rules_version, "se-2025-07-b");
	assert_true(harness_last(w.h, EVENT(RULES_APPLIED))->rules_applied->done);
	assert_true(apply_rules(&w, "apply-1", "se-2025-07-b")->repeated);
	harness_check_replay(w.h);
	world_close(&w);
}

/* What has been said of a day is said of the new day too, once; and a crash in the middle loses no case. */
static void a_restart_in_the_middle_goes_on_where_it_was(void **state)
{
	struct world w;
	struct av_id ids[7];

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	for (int i = 0; i < 7; i++)
		ids[i] = world_file(&w, world_deviation(&w));
	harness_advance(w.h, harness_at("2026-04-22 09:00")); /* overdue, and said */
	world_publish_changed(&w, with_closure(&w, "se-2025-07-b"));
	harness_want(apply_rules(&w, "apply-1", "se-2025-07-b"), REPLY(DONE));
	harness_restart(w.h);
	while (harness_tick(w.h, w.h->now_ms) > 0)
		harness_restart(w.h);
	for (int i = 0; i < 7; i++) {
		assert_string_equal(world_case(&w, &ids[i])->rules_version, "se-2025-07-b");
		assert_int_equal(world_deadlines(&w, &ids[i]), 3); /* one superseded; DEV2 */
	}
	harness_advance(w.h, harness_at("2026-04-23 09:00"));
	assert_int_equal(
		harness_count(w.h, EVENT(RUNG_FIRED), 0), 7 * 4); /* the reminder is not said again; DEV2 */
	harness_check_replay(w.h);
	world_close(&w);
}

/* A command waits for a turn: none is longer than about a thousand events, and cases that stay as they are
 * count as well. */
static void many_cases_go_over_in_short_turns(void **state)
{
	struct av_item item = {.kind = AV_ITEM_DUE, .more = true};
	size_t turns = 0, portions = 0;
	uint64_t before;
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	for (int i = 0; i < 1200; i++)
		(void)world_file(&w, world_report(&w)); /* each two deadlines */
	world_publish_changed(&w, with_closure(&w, "se-2025-07-b"));
	harness_want(apply_rules(&w, "apply-1", "se-2025-07-b"), REPLY(DONE));
	for (; item.more; turns++) {
		assert_int_equal(harness_run(w.h, &item, 1), AV_OK);
		assert_in_range(w.h->result.events, 0, 1010);
	}
	assert_int_equal(turns, 1200 * 3 / 1000 + 1);
	assert_true(harness_last(w.h, EVENT(RULES_APPLIED))->rules_applied->done);

	before = harness_head(w.h); /* once more: nobody goes over */
	harness_want(apply_rules(&w, "apply-2", "se-2025-07-b"), REPLY(DONE));
	for (item.more = true; item.more; portions++)
		assert_int_equal(harness_run(w.h, &item, 1), AV_OK);
	assert_int_equal(portions, 2);
	assert_int_equal(harness_count(w.h, EVENT(CASE_RULES_SET), before), 0);
	world_close(&w);
}

static void rules_that_would_leave_an_open_case_without_a_deadline_are_refused(void **state)
{
	Avvik__V1__RulePack *rules;
	Avvik__V1__Reply *reply;
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	(void)world_file(&w, world_report(&w));
	rules = with_closure(&w, "se-2025-07-b");
	rules->n_deadlines--; /* the last is DEV1 or another that may run */
	(void)preview_rules(&w, rules);
	world_publish_changed(&w, rules);
	reply = apply_rules(&w, "apply-1", "se-2025-07-b");
	harness_want(reply, REPLY(INVALID));
	assert_non_null(strstr(reply->faults[0]->text, "rule_missing: "));
	assert_int_equal(harness_count(w.h, EVENT(RULES_APPLIED), 0), 0);
	world_close(&w);
}

static void another_directory_tells_who_would_be_told_instead(void **state)
{
	Avvik__V1__PreviewDirectory query = AVVIK__V1__PREVIEW_DIRECTORY__INIT;
	Avvik__V1__Directory directory = AVVIK__V1__DIRECTORY__INIT;
	Avvik__V1__Unit unit = AVVIK__V1__UNIT__INIT, *units[] = {&unit};
	const Avvik__V1__DeadlineChange *change;
	Avvik__V1__Reply *reply;
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	(void)world_file(&w, world_deviation(&w));
	unit.code = TEXT("boendet");
	unit.name = TEXT("Boendet");
	unit.level = AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_UNIT;
	directory.version = TEXT("2026-05");
	directory.units = units;
	directory.n_units = 1;
	query.directory = &directory; /* nobody works there any more */
	reply = administer(&w, NULL, COMMAND(PREVIEW_DIRECTORY), &query.base);
	harness_want(reply, REPLY(DONE));
	change = change_of(reply->preview_found, "DEV1");
	assert_non_null(change);
	assert_int_equal(change->due_before_on, change->due_after_on);
	assert_int_equal(change->rungs[0]->n_told_before, 1);
	assert_string_equal(change->rungs[0]->told_before[0], "anna");
	assert_int_equal(change->rungs[0]->n_told_after, 0);
	assert_true(change->rungs[0]->reaches_nobody);
	world_close(&w);
}

/* The later checks of its measure outlive the closing, and their holder may leave. */
static void a_closed_case_is_looked_at_for_the_checks_that_still_run(void **state)
{
	Avvik__V1__PreviewDirectory query = AVVIK__V1__PREVIEW_DIRECTORY__INIT;
	Avvik__V1__Directory directory = AVVIK__V1__DIRECTORY__INIT;
	Avvik__V1__Unit unit = AVVIK__V1__UNIT__INIT, *units[] = {&unit};
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	const Avvik__V1__DeadlineChange *change;
	struct av_id id, measure;
	Avvik__V1__Reply *reply;
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(MISCONDUCT));
	measure = world_measure(&w, &id, "2026-05-20");
	world_execute(&w, &id, measure);
	world_evaluate(&w, &id, measure, true, false);
	close.note = TEXT("klart");
	close.category = TEXT("BEM");
	close.subcategory = TEXT("BEM_RESPEKTLOST");
	world_does(&w, "sara", &id, ACT(CLOSE), &close.base, NULL);
	assert_int_equal(world_case(&w, &id)->state, STATE(CLOSED));
	unit.code = TEXT("boendet");
	unit.name = TEXT("Boendet");
	unit.level = AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_UNIT;
	directory.version = TEXT("2026-05"); /* nobody is left */
	directory.units = units;
	directory.n_units = 1;
	query.directory = &directory;
	reply = administer(&w, NULL, COMMAND(PREVIEW_DIRECTORY), &query.base);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->preview_found->cases, 1);
	assert_int_equal(reply->preview_found->deadlines, 2);
	change = change_of(reply->preview_found, "D26C");
	assert_non_null(change);
	assert_true(change->n_rungs > 0 && change->rungs[0]->reaches_nobody);
	/* By other rules it stays as it is: what is closed does not go over. */
	assert_int_equal(preview_rules(&w, with_closure(&w, "se-2025-07-b"))->cases, 0);
	world_close(&w);
}

/* eva investigates, also when another holds the role. */
static void what_goes_to_the_one_assigned_stays_with_that_person(void **state)
{
	Avvik__V1__PreviewDirectory query = AVVIK__V1__PREVIEW_DIRECTORY__INIT;
	Avvik__V1__Directory directory = AVVIK__V1__DIRECTORY__INIT;
	Avvik__V1__Unit unit = AVVIK__V1__UNIT__INIT, *units[] = {&unit};
	Avvik__V1__RoleHeld held = AVVIK__V1__ROLE_HELD__INIT, *roles[] = {&held};
	Avvik__V1__Person eva = AVVIK__V1__PERSON__INIT, uno = AVVIK__V1__PERSON__INIT,
			  *people[] = {&eva, &uno};
	const Avvik__V1__DeadlineChange *change;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(MISCONDUCT));
	world_execute(&w, &id, world_measure(&w, &id, "2026-05-20"));
	unit.code = TEXT("boendet");
	unit.name = TEXT("Boendet");
	unit.level = AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_UNIT;
	held.role = TEXT("LEX_UTR");
	held.unit = unit.code;
	eva.id = TEXT("eva");
	uno.id = TEXT("uno");
	uno.roles = roles;
	uno.n_roles = 1;
	directory.version = TEXT("2026-05");
	directory.units = units;
	directory.n_units = 1;
	directory.people = people;
	directory.n_people = 2;
	query.directory = &directory;
	reply = administer(&w, NULL, COMMAND(PREVIEW_DIRECTORY), &query.base);
	harness_want(reply, REPLY(DONE));
	change = change_of(reply->preview_found, "D26");
	assert_non_null(change); /* there is no manager any more */
	assert_int_equal(change->rungs[0]->kind, AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE);
	world_close(&w);
}

static void a_preview_is_for_administrators_page_by_page(void **state)
{
	Avvik__V1__PreviewRules query = AVVIK__V1__PREVIEW_RULES__INIT;
	uint32_t cases = 0, pages = 0;
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	for (int i = 0; i < 5; i++)
		(void)world_file(&w, world_deviation(&w));
	query.rules = with_closure(&w, "se-2025-07-b");
	query.limit = 2;
	harness_want(world_ask(&w, COMMAND(PREVIEW_RULES), &query.base), REPLY(FORBIDDEN));
	do {
		Avvik__V1__Reply *reply = administer(&w, NULL, COMMAND(PREVIEW_RULES), &query.base);
		harness_want(reply, REPLY(DONE));
		assert_true(reply->preview_found->cases <= 2);
		cases += reply->preview_found->cases;
		query.after_case_id = reply->preview_found->next_after_case_id;
		pages++;
	} while (query.after_case_id.len);
	assert_int_equal(cases, 5);
	assert_int_equal(pages, 3);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_calendar_change_is_shown_before_and_after_and_changes_nothing),
		cmocka_unit_test(open_cases_go_over_with_the_reason_in_the_journal),
		cmocka_unit_test(a_restart_in_the_middle_goes_on_where_it_was),
		cmocka_unit_test(many_cases_go_over_in_short_turns),
		cmocka_unit_test(rules_that_would_leave_an_open_case_without_a_deadline_are_refused),
		cmocka_unit_test(another_directory_tells_who_would_be_told_instead),
		cmocka_unit_test(a_closed_case_is_looked_at_for_the_checks_that_still_run),
		cmocka_unit_test(what_goes_to_the_one_assigned_stays_with_that_person),
		cmocka_unit_test(a_preview_is_for_administrators_page_by_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
