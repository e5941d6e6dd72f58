/* workflow_reach.c - which rules find nobody, on which days, for how many open deadlines */
#include "workflow_world.h"

#include <string.h>

/* anna's holding ends with April, and bertil's begins with 11 May; nobody has another role at boendet. */
#define PEOPLE                                                                                               \
	"people:\n"                                                                                          \
	"  - { id: sara, roles: [{ role: SAS, unit: forv }, { role: LEX_ANSV, unit: forv }, { role: FC, "    \
	"unit: forv }] }\n"                                                                                  \
	"  - { id: alf, roles: [{ role: AC, unit: forv }], deputies: [{ person: sara, from_on: 2026-04-20, " \
	"until_on: 2026-05-20 }] }\n"                                                                        \
	"  - { id: anna, roles: [{ role: EC, unit: boendet, until_on: 2026-04-30 }] }\n"                     \
	"  - { id: bertil, roles: [{ role: EC, unit: boendet, from_on: 2026-05-11 }] }\n"                    \
	"  - { id: bo, roles: [{ role: EC, unit: hemtjanst }] }\n"

static Avvik__V1__ReachFound *reach(struct world *w, uint32_t limit, ProtobufCBinaryData after)
{
	struct av_principal admin = harness_principal("admin", "administrator", AV_MAY_ADMINISTER);
	Avvik__V1__GetReach get = AVVIK__V1__GET_REACH__INIT;
	Avvik__V1__Reply *reply;

	get.limit = limit;
	get.after_key = after;
	reply = harness_order(w->h, &admin, NULL, NULL, COMMAND(GET_REACH), &get.base);
	harness_want(reply, REPLY(DONE));
	return reply->reach_found;
}

static const Avvik__V1__ReachGap *gap_of(
	const Avvik__V1__ReachFound *found, const char *rule, const char *role, const char *unit)
{
	for (size_t i = 0; i < found->n_gaps; i++)
		if (strcmp(found->gaps[i]->rule, rule) == 0 && strcmp(found->gaps[i]->role, role) == 0 &&
			strcmp(found->gaps[i]->unit_code, unit) == 0)
			return found->gaps[i];
	return NULL;
}

static const ProtobufCBinaryData from_the_start = {0, NULL};

static void a_gap_is_told_with_its_days_and_the_deadlines_that_fall_in_it(void **state)
{
	const Avvik__V1__ReachGap *gap;
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	world_publish_people(&w, PEOPLE);
	/* DEV1 is due on 21 April, with a warning before and an escalation behind: none of it in the gap. */
	(void)world_file(&w, world_deviation(&w));
	gap = gap_of(reach(&w, 0, from_the_start), "DEV1", "EC", "boendet");
	assert_non_null(gap); /* near: a deviation that is received this month would meet it */
	world_want_day(gap->from_on, "2026-05-01");
	world_want_day(gap->until_on, "2026-05-10");
	assert_int_equal(gap->deadlines, 0);
	harness_advance(w.h, harness_at("2026-04-22 09:00"));
	(void)world_file(&w, world_deviation(&w)); /* due on 7 May */
	(void)world_file(&w, world_deviation(&w));
	gap = gap_of(reach(&w, 0, from_the_start), "DEV1", "EC", "boendet");
	assert_non_null(gap);
	assert_int_equal(gap->deadlines, 2);
	assert_null(gap_of(reach(&w, 0, from_the_start), "DEV1", "EC", "hemtjanst"));
	/* He who is away has a deputy, who is told: that is no gap. */
	assert_null(gap_of(reach(&w, 0, from_the_start), "DEV1", "AC", "boendet"));
	/* Nobody holds it at all. */
	gap = gap_of(reach(&w, 0, from_the_start), "DEV1", "EC", "gruppen");
	assert_non_null(gap);
	world_want_day(gap->from_on, "2026-04-22");
	assert_int_equal(gap->until_on, 0);
	assert_int_equal(gap->deadlines, 0);
	world_close(&w);
}

static void the_remedy_is_seen_at_once_and_what_is_over_is_not_told(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "2026-04-22 09:00");
	world_publish_people(&w, PEOPLE);
	(void)world_file(&w, world_deviation(&w));
	assert_int_equal(gap_of(reach(&w, 0, from_the_start), "DEV1", "EC", "boendet")->deadlines, 1);
	world_publish_people(&w, PEOPLE "  - { id: clara, roles: [{ role: EC, unit: aldre, from_on: "
					"2026-05-01, until_on: 2026-05-10 }] }\n");
	assert_null(gap_of(reach(&w, 0, from_the_start), "DEV1", "EC", "boendet"));
	world_publish_people(&w, PEOPLE);
	assert_non_null(gap_of(reach(&w, 0, from_the_start), "DEV1", "EC", "boendet"));
	harness_advance(w.h, harness_at("2026-05-11 09:00"));
	assert_null(gap_of(reach(&w, 0, from_the_start), "DEV1", "EC", "boendet"));
	world_close(&w);
}

static void a_unit_that_left_the_directory_reaches_nobody_while_it_has_open_deadlines(void **state)
{
	const Avvik__V1__ReachGap *gap;
	Avvik__V1__ReportFiled *report;
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	world_publish_directory(
		&w, "  - { code: villan, name: Villan, parent: aldre, level: unit, operation: own }\n");
	report = world_deviation(&w);
	report->unit = TEXT("villan");
	(void)world_file(&w, report);
	assert_null(gap_of(reach(&w, 0, from_the_start), "DEV1", "AC", "villan"));
	world_publish_directory(&w, NULL);
	gap = gap_of(reach(&w, 0, from_the_start), "DEV1", "AC", "villan");
	assert_non_null(gap);
	world_want_day(gap->from_on, "2026-04-07");
	assert_int_equal(gap->deadlines, 1);
	world_close(&w);
}

static void many_deadlines_are_looked_at_page_by_page(void **state)
{
	ProtobufCBinaryData after = {0, NULL};
	uint32_t looked_at = 0, deadlines = 0, pages = 0;
	struct world w;

	(void)state;
	world_open(&w, "2026-04-22 09:00");
	world_publish_people(&w, PEOPLE);
	for (int i = 0; i < 5; i++)
		(void)world_file(&w, world_deviation(&w)); /* each has DEV1 and DEV2 */
	do {
		const Avvik__V1__ReachFound *found = reach(&w, 3, after);
		const Avvik__V1__ReachGap *gap = gap_of(found, "DEV1", "EC", "boendet");
		assert_true(found->looked_at <= 3);
		looked_at += found->looked_at;
		deadlines += gap ? gap->deadlines : 0;
		after = found->next_after_key;
		pages++;
	} while (after.len);
	assert_int_equal(looked_at, 10);
	assert_int_equal(deadlines, 5);
	assert_int_equal(pages, 4);
	world_close(&w);
}

/* eva investigates, and holds no role any more. */
static void what_goes_to_the_one_assigned_needs_no_holder_of_the_role(void **state)
{
	const Avvik__V1__ReachGap *gap;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_decided(&w, DEGREE(MISCONDUCT));
	world_execute(&w, &id, world_measure(&w, &id, "2026-05-20"));
	assert_true(world_deadline(&w, &id, "D26")->due_on > 0);
	world_publish_people(&w, PEOPLE "  - { id: eva }\n");
	gap = gap_of(reach(&w, 0, from_the_start), "D26", "LEX_UTR", "boendet");
	assert_non_null(gap); /* a case received today would meet it */
	assert_int_equal(gap->deadlines, 0);
	world_publish_people(&w, PEOPLE);
	gap = gap_of(reach(&w, 0, from_the_start), "D26", "LEX_UTR", "boendet");
	assert_int_equal(gap->deadlines, 1);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gap_is_told_with_its_days_and_the_deadlines_that_fall_in_it),
		cmocka_unit_test(the_remedy_is_seen_at_once_and_what_is_over_is_not_told),
		cmocka_unit_test(a_unit_that_left_the_directory_reaches_nobody_while_it_has_open_deadlines),
		cmocka_unit_test(many_deadlines_are_looked_at_page_by_page),
		cmocka_unit_test(what_goes_to_the_one_assigned_needs_no_holder_of_the_role),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
