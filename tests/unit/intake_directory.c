/* intake_directory.c - a directory is held against everything that could stop a case, and every fault is
 * listed */
#include "directory_rules.h"
#include "intake_support.h"

#define HEAD                                                                  \
	"version: t1\n"                                                       \
	"units:\n"                                                            \
	"  - { code: namnd, name: N, level: committee }\n"                    \
	"  - { code: forv, name: F, parent: namnd, level: administration }\n" \
	"  - { code: enhet, name: E, parent: forv, level: unit, operation: own }\n"
#define PEOPLE                                                           \
	"people:\n"                                                      \
	"  - { id: sas, name: S, roles: [{ role: SAS, unit: forv }] }\n" \
	"  - { id: ec, name: C, roles: [{ role: EC, unit: enhet }] }\n"  \
	"  - { id: utr, name: U, roles: [{ role: LEX_UTR, unit: forv }] }\n"

static int check(
	const char *text, const Avvik__V1__RulePack *rules, struct av_arena *arena, struct av_faults *faults)
{
	av_faults_init(faults, arena);
	return directory_check(DIRECTORY(text, arena), rules, support_day("2026-04-07"), arena, faults);
}

static void the_directory_of_lindaker_stands_under_the_shipped_rules_all_year(void **state)
{
	struct av_faults faults;
	av_faults_init(&faults, *state);
	for (av_day day = support_day("2026-01-01"); day <= support_day("2026-12-31"); day += 7) {
		int status = directory_check(
			support_lindaker(*state), support_rules(*state), day, *state, &faults);
		support_assert_no_faults(&faults);
		assert_int_equal(status, AV_OK);
	}
}

static void a_small_directory_stands_with_and_without_rules(void **state)
{
	struct av_faults faults;
	int status = check(HEAD PEOPLE, support_rules(*state), *state, &faults);
	support_assert_no_faults(&faults);
	assert_int_equal(status, AV_OK);
	assert_int_equal(check(HEAD PEOPLE, NULL, *state, &faults), AV_OK);
}

static void ten_faults_are_listed_at_once_each_with_its_path_and_remedy(void **state)
{
	struct av_faults faults;
	static const char text[] = HEAD
		"  - { code: enhet, name: E2, parent: forv, level: unit, operation: own }\n"
		"  - { code: Stor, name: S, parent: nowhere, level: unit, operation: own, area: rymdfart }\n"
		"  - { code: los, name: L, level: unit, operation: private }\n"
		"  - { code: upp, name: U, parent: enhet, level: department }\n" PEOPLE
		"  - { id: sas, name: T, roles: [{ role: GURU, unit: forv }] }\n"
		"  - id: x\n"
		"    roles: [{ role: EC, unit: nowhere }]\n"
		"    deputies: [{ person: x, from_on: 2026-07-01, until_on: 2026-07-31 },\n"
		"               { person: nobody, from_on: 2026-07-31, until_on: 2026-07-01 }]\n";
	assert_int_equal(check(text, support_rules(*state), *state, &faults), AV_INVALID);
	assert_faults(&faults, "duplicate units[3].code|a code of its own", "malformed units[4].code|a to z",
		"unknown_reference units[4].parent|add the unit", "unknown_value units[4].area|se-2025-07",
		"required units[5].parent|only the committee",
		"contradiction units[6].level|below the level of its parent",
		"required units[6].operation|own, in_house",
		"unknown_value people[3].roles[0].role|`roles` of the rule pack",
		"required people[4].name|greet", "unknown_reference people[4].roles[0].unit|add the unit",
		"contradiction people[4].deputies[0].person|someone who is there",
		"unknown_reference people[4].deputies[1].person|add the person",
		"contradiction people[4].deputies[1].until_on|last day",
		"duplicate people[3].id|an id of its own");
}

static void the_committee_is_one_and_the_root(void **state)
{
	struct av_faults faults;
	check(HEAD "  - { code: n2, name: N2, level: committee, operation: own }\n" PEOPLE, NULL, *state,
		&faults);
	assert_faults(&faults, "duplicate units[3].level|its own instance");
	check("version: t\nunits:\n  - { code: e, name: E, level: unit, operation: own }\n", NULL, *state,
		&faults);
	assert_faults(&faults, "required units|add a unit with level committee",
		"required units[0].parent|only the committee");
	check(HEAD "  - { code: n2, name: N2, parent: forv, level: committee, operation: own }\n" PEOPLE,
		NULL, *state, &faults);
	assert_faults(&faults, "contradiction units[3].parent|is the root");
}

static void units_in_a_circle_are_named(void **state)
{
	struct av_faults faults;
	check(HEAD "  - { code: a, name: A, parent: b, level: department }\n"
		   "  - { code: b, name: B, parent: a, level: unit }\n"
		   "  - { code: c, name: C, parent: c, level: unit }\n" PEOPLE,
		NULL, *state, &faults);
	assert_faults(&faults, "contradiction units[3].parent|back to the unit itself",
		"contradiction units[4].parent|back to the unit itself",
		"contradiction units[5].parent|back to the unit itself");
}

static void periods_and_repeated_roles_are_held_against_each_other(void **state)
{
	struct av_faults faults;
	check(HEAD PEOPLE "  - id: p\n"
			  "    name: P\n"
			  "    roles:\n"
			  "      - { role: EC, unit: enhet, from_on: 2026-05-01, until_on: 2026-04-01 }\n"
			  "      - { role: KVAL, unit: forv, until_on: 2026-03-31 }\n"
			  "      - { role: KVAL, unit: forv, from_on: 2026-04-01 }\n"
			  "      - { role: KVAL, unit: forv, from_on: 2026-12-01 }\n",
		NULL, *state, &faults);
	assert_faults(&faults, "contradiction people[3].roles[0].until_on|last day",
		"duplicate people[3].roles[3]|roles[2]");
}

static void a_unit_where_nobody_may_act_is_named_with_the_roles_that_are_missing(void **state)
{
	struct av_faults faults;
	static const char text[] = HEAD
		"  - { code: tom, name: T, parent: forv, level: unit, operation: own }\n"
		"people:\n"
		"  - { id: sas, name: S, roles: [{ role: SAS, unit: forv }] }\n"
		"  - { id: ec, name: C, roles: [{ role: EC, unit: enhet }] }\n"
		"  - { id: utr, name: U, roles: [{ role: LEX_UTR, unit: forv, until_on: 2026-04-06 }] }\n";
	assert_int_equal(check(text, support_rules(*state), *state, &faults), AV_INVALID);
	assert_faults(&faults, "required units[3]|EC, BITR_EC or AC", "required units[3]|EC or AC",
		"required people|`record_entry`", "required people|`propose_measure`");
	check(HEAD, NULL, *state, &faults);
	assert_faults(&faults, "required units[2]|its manager the role EC");
}

/* --- deputies --- */

#define DEPUTIES(people) HEAD PEOPLE people
#define AWAY(id, deputy, from, until)                                                                     \
	"  - { id: " id ", name: X, deputies: [{ person: " deputy ", from_on: " from ", until_on: " until \
	" }] }\n"

static void deputies_for_each_other_at_different_times_make_no_circle(void **state)
{
	struct av_faults faults;
	check(DEPUTIES(AWAY("a", "b", "2026-07-01", "2026-07-15") AWAY("b", "a", "2026-07-16", "2026-07-31")),
		NULL, *state, &faults);
	support_assert_no_faults(&faults);
}

static void deputies_for_each_other_on_one_day_are_named_with_the_day(void **state)
{
	struct av_faults faults;
	check(DEPUTIES(AWAY("a", "b", "2026-07-01", "2026-07-16") AWAY("b", "a", "2026-07-16", "2026-07-31")),
		NULL, *state, &faults);
	assert_int_equal(faults.count, 1);
	assert_non_null(strstr(faults.first->path, "].deputies[0]"));
	assert_non_null(strstr(faults.first->text, "2026-07-16"));
}

static void a_circle_of_three_needs_a_day_that_all_share(void **state)
{
	struct av_faults faults;
	check(DEPUTIES(AWAY("a", "b", "2026-07-01", "2026-07-20") AWAY("b", "c", "2026-07-10", "2026-07-31")
			      AWAY("c", "a", "2026-07-21", "2026-07-31")),
		NULL, *state, &faults);
	support_assert_no_faults(&faults);
	check(DEPUTIES(AWAY("a", "b", "2026-07-01", "2026-07-20") AWAY("b", "c", "2026-07-10", "2026-07-31")
			      AWAY("c", "a", "2026-07-20", "2026-07-31")),
		NULL, *state, &faults);
	assert_int_equal(faults.count, 1);
	assert_non_null(strstr(faults.first->text, "2026-07-20"));
}

static void two_circles_are_two_faults_and_a_way_between_them_is_none(void **state)
{
	struct av_faults faults;
	check(DEPUTIES(AWAY("a", "b", "2026-07-01", "2026-07-31") AWAY("b", "a", "2026-07-01", "2026-07-31")
			      AWAY("c", "d", "2026-07-01", "2026-07-31") AWAY("d", "c", "2026-07-01",
				      "2026-07-31") AWAY("e", "a", "2026-07-01", "2026-07-31")),
		NULL, *state, &faults);
	assert_int_equal(faults.count, 2);
	assert_null(strstr(faults.first->path, "people[7]"));
	assert_null(strstr(faults.first->next->path, "people[7]"));
}

/* The same question asked of every day and every way, on all graphs of four people with one absence each. */
static void circles_are_found_as_by_trying_every_day(void **state)
{
	static const char *const from[] = {"2026-07-01", "2026-07-02", "2026-07-03"};
	static const char *const until[] = {"2026-07-01", "2026-07-02", "2026-07-03"};
	static const char *const ids[] = {"a", "b", "c"};
	(void)state;
	for (int graph = 0; graph < 2 * 2 * 2 * 6 * 6 * 6; graph++) {
		struct av_arena *arena = av_arena_create(0);
		char text[2000];
		int to[3], first[3], last[3], rest = graph;
		bool circle = false;
		struct av_faults faults;
		snprintf(text, sizeof(text), "%s", HEAD PEOPLE);
		for (int p = 0; p < 3; p++) {
			static const int spans[6][2] = {{0, 0}, {0, 1}, {0, 2}, {1, 1}, {1, 2}, {2, 2}};
			to[p] = (p + 1 + rest % 2) % 3;
			rest /= 2;
			first[p] = spans[rest % 6][0];
			last[p] = spans[rest % 6][1];
			rest /= 6;
			size_t used = strlen(text);
			snprintf(text + used, sizeof(text) - used,
				"  - { id: %s, name: X, deputies: [{ person: %s, from_on: %s, until_on: %s "
				"}] }\n",
				ids[p], ids[to[p]], from[first[p]], until[last[p]]);
		}
		for (int day = 0; day < 3; day++)
			for (int start = 0; start < 3; start++) {
				int at = start;
				for (int steps = 0; steps < 3; steps++) {
					if (day < first[at] || day > last[at])
						break;
					at = to[at];
					circle |= at == start;
				}
			}
		check(text, NULL, arena, &faults);
		if ((faults.count > 0) != circle)
			fail_msg("graph %d: got %zu faults, want %s\n%s", graph, faults.count,
				circle ? "some" : "none", text);
		av_arena_destroy(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		support_test(the_directory_of_lindaker_stands_under_the_shipped_rules_all_year),
		support_test(a_small_directory_stands_with_and_without_rules),
		support_test(ten_faults_are_listed_at_once_each_with_its_path_and_remedy),
		support_test(the_committee_is_one_and_the_root),
		support_test(units_in_a_circle_are_named),
		support_test(periods_and_repeated_roles_are_held_against_each_other),
		support_test(a_unit_where_nobody_may_act_is_named_with_the_roles_that_are_missing),
		support_test(deputies_for_each_other_at_different_times_make_no_circle),
		support_test(deputies_for_each_other_on_one_day_are_named_with_the_day),
		support_test(a_circle_of_three_needs_a_day_that_all_share),
		support_test(two_circles_are_two_faults_and_a_way_between_them_is_none),
		support_test(circles_are_found_as_by_trying_every_day),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
