/* org.c - who is where, who holds what, who stands in for whom */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "org/org.h"
#include "wire/yaml.h"
#include "times.h"

/* clang-format off */
static const char small[] =
	"version: t1\n"
	"units:\n"
	"  - { code: namnd, name: N, level: committee }\n"
	"  - { code: forv, name: F, parent: namnd, level: administration }\n"
	"  - { code: avd, name: A, parent: forv, level: department }\n"
	"  - { code: enhet, name: E, parent: avd, level: unit }\n"
	"  - { code: plan-1, name: P1, parent: enhet, level: group, operation: own }\n"
	"  - { code: plan-2, name: P2, parent: enhet, level: group, operation: own }\n"
	"  - { code: stab, name: S, parent: forv, level: unit, operation: own }\n" /* no department between */
	"people:\n"
	"  - { id: fc, roles: [{ role: FC, unit: forv }, { role: AC, unit: forv }] }\n"
	"  - { id: ac, roles: [{ role: AC, unit: avd }] }\n"
	"  - id: ec\n"
	"    roles: [{ role: EC, unit: enhet }]\n"
	"    deputies: [{ person: bec, from_on: 2026-06-15, until_on: 2026-08-30 }]\n"
	"  - id: bec\n"
	"    roles: [{ role: BITR_EC, unit: enhet }]\n"
	"    deputies: [{ person: other, from_on: 2026-07-06, until_on: 2026-07-26 }]\n"
	"  - { id: other, roles: [{ role: EC, unit: stab }] }\n"
	"  - { id: sas-1, roles: [{ role: SAS, unit: forv }] }\n"
	"  - id: sas-2\n"
	"    roles: [{ role: SAS, unit: forv, from_on: 2026-03-01, until_on: 2026-03-31 }]\n"
	"  - id: a\n"
	"    roles: [{ role: KVAL, unit: forv }]\n"
	"    deputies: [{ person: b, from_on: 2026-07-01, until_on: 2026-07-31 }]\n"
	"  - id: b\n"
	"    deputies: [{ person: a, from_on: 2026-07-10, until_on: 2026-07-20 }]\n"
	"  - id: gone\n"
	"    roles: [{ role: MAS, unit: forv }]\n"
	"    deputies: [{ person: nobody, from_on: 2026-07-01, until_on: 2026-07-31 }]\n"
	"  - id: two\n"
	"    roles: [{ role: MAR, unit: forv }]\n"
	"    deputies:\n"
	"      - { person: ac, from_on: 2026-07-01, until_on: 2026-07-31 }\n"
	"      - { person: fc, from_on: 2026-07-01, until_on: 2026-07-31 }\n";
/* clang-format on */

static struct av_arena *arena;
static const struct av_org *org;

static struct av_org *org_of(const char *text)
{
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	ProtobufCMessage *message = NULL;
	av_faults_init(&faults, arena);
	assert_int_equal(av_yaml_open(av_bytes_of(text), "t", &faults, &yaml), AV_OK);
	int status = av_yaml_to(yaml, &avvik__v1__directory__descriptor, arena, &faults, &message);
	if (status < 0)
		fail_msg("%s: %s", faults.first->path, faults.first->text);
	av_yaml_close(&yaml);
	return av_org_create((const Avvik__V1__Directory *)message, arena);
}

/* "ec for - at enhet": all that a look-up answers, in order. */
static void assert_found(size_t count, const struct av_org_found *found, const char *want)
{
	char got[1000] = "";
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(got);
		snprintf(got + used, sizeof(got) - used, "%s%s%s%s@%s", i ? " " : "", found[i].person,
			found[i].deputy_for ? "/" : "", found[i].deputy_for ? found[i].deputy_for : "",
			found[i].unit);
	}
	assert_string_equal(got, want);
}

static void assert_finds(const char *role, const char *unit, int level, const char *day, const char *want)
{
	struct av_org_found found[AV_ORG_FOUND_MAX];
	assert_found(av_org_find(org, role, unit, level, on(day), found), found, want);
}

static void a_unit_knows_its_way_up_and_whether_it_is_a_leaf(void **state)
{
	const char *path[AV_ORG_DEPTH];
	(void)state;
	assert_int_equal(av_org_path(org, "plan-1", path), 5);
	assert_string_equal(path[0], "plan-1");
	assert_string_equal(path[2], "avd");
	assert_string_equal(path[4], "namnd");
	assert_int_equal(av_org_path(org, "unknown", path), 0);
	assert_true(av_org_leaf(org, av_org_unit(org, "plan-2")));
	assert_true(av_org_leaf(org, av_org_unit(org, "stab")));
	assert_false(av_org_leaf(org, av_org_unit(org, "enhet")));
	assert_null(av_org_unit(org, "unknown"));
	assert_null(av_org_parent(org, av_org_unit(org, "namnd")));
	assert_string_equal(av_org_parent(org, av_org_unit(org, "stab"))->code, "forv");
	assert_true(av_org_within(org, "plan-1", "avd"));
	assert_true(av_org_within(org, "plan-1", "plan-1"));
	assert_false(av_org_within(org, "avd", "plan-1"));
	assert_false(av_org_within(org, "stab", "avd"));
	assert_false(av_org_within(org, "unknown", "namnd"));
	assert_string_equal(av_org_person(org, "sas-2")->id, "sas-2");
	assert_null(av_org_person(org, "sas-3"));
}

static void a_role_is_found_at_the_lowest_level_that_has_it(void **state)
{
	(void)state;
	assert_finds("EC", "plan-1", 0, "2026-04-07", "ec@enhet");
	assert_finds("AC", "plan-1", 0, "2026-04-07", "ac@avd");
	assert_finds("AC", "stab", 0, "2026-04-07", "fc@forv");
	assert_finds("EC", "avd", 0, "2026-04-07", "");
	assert_finds("EC", "unknown", 0, "2026-04-07", "");
	assert_finds("NAMND", "plan-1", 0, "2026-04-07", "");
}

static void a_search_begins_at_the_level_asked_for_or_the_next_above(void **state)
{
	(void)state;
	assert_finds("AC", "plan-1", AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_DEPARTMENT, "2026-04-07", "ac@avd");
	assert_finds(
		"AC", "plan-1", AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_ADMINISTRATION, "2026-04-07", "fc@forv");
	assert_finds("AC", "stab", AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_DEPARTMENT, "2026-04-07", "fc@forv");
	assert_finds("EC", "plan-1", AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_DEPARTMENT, "2026-04-07", "");
}

static void a_role_holds_from_its_first_to_its_last_day(void **state)
{
	(void)state;
	assert_finds("SAS", "plan-1", 0, "2026-02-28", "sas-1@forv");
	assert_finds("SAS", "plan-1", 0, "2026-03-01", "sas-1@forv sas-2@forv");
	assert_finds("SAS", "plan-1", 0, "2026-03-31", "sas-1@forv sas-2@forv");
	assert_finds("SAS", "plan-1", 0, "2026-04-01", "sas-1@forv");
	assert_true(av_org_holds(org, "sas-2", "SAS", "plan-1", on("2026-03-31")));
	assert_false(av_org_holds(org, "sas-2", "SAS", "plan-1", on("2026-04-01")));
}

static void an_absent_manager_is_replaced_by_the_deputy_of_the_deputy(void **state)
{
	struct av_org_found found[AV_ORG_FOUND_MAX];
	(void)state;
	assert_finds("EC", "plan-1", 0, "2026-06-14", "ec@enhet");
	assert_finds("EC", "plan-1", 0, "2026-06-15", "bec/ec@enhet");
	assert_finds("EC", "plan-1", 0, "2026-07-06", "other/ec@enhet");
	assert_finds("EC", "plan-1", 0, "2026-07-26", "other/ec@enhet");
	assert_finds("EC", "plan-1", 0, "2026-07-27", "bec/ec@enhet");
	assert_finds("EC", "plan-1", 0, "2026-08-31", "ec@enhet");
	assert_found(av_org_stand_ins(org, "ec", on("2026-07-10"), found), found, "other/ec@");
	assert_found(av_org_stand_ins(org, "ec", on("2026-12-24"), found), found, "ec@");
	assert_found(av_org_stand_ins(org, "unknown", on("2026-12-24"), found), found, "");
}

static void several_deputies_are_all_told_and_nobody_twice(void **state)
{
	struct av_org_found found[AV_ORG_FOUND_MAX];
	(void)state;
	assert_finds("MAR", "plan-1", 0, "2026-07-10", "ac/two@forv fc/two@forv");
	assert_found(av_org_stand_ins(org, "two", on("2026-07-10"), found), found, "ac/two@ fc/two@");
}

static void who_stands_in_holds_the_role_that_day(void **state)
{
	(void)state;
	assert_true(av_org_holds(org, "ec", "EC", "plan-2", on("2026-07-10")));
	assert_true(av_org_holds(org, "bec", "EC", "plan-2", on("2026-07-10")));
	assert_true(av_org_holds(org, "other", "EC", "plan-2", on("2026-07-10")));
	assert_true(av_org_holds(org, "other", "BITR_EC", "plan-2", on("2026-07-10")));
	assert_false(av_org_holds(org, "other", "EC", "plan-2", on("2026-07-27")));
	assert_true(av_org_holds(org, "bec", "EC", "plan-2", on("2026-07-27")));
	assert_false(av_org_holds(org, "bec", "EC", "plan-2", on("2026-08-31")));
	assert_false(av_org_holds(org, "ec", "EC", "stab", on("2026-04-07")));
	assert_false(av_org_holds(org, "ec", "EC", "avd", on("2026-04-07")));
	assert_false(av_org_holds(org, "nobody", "EC", "plan-2", on("2026-07-10")));
	assert_false(av_org_holds(org, "ec", "EC", "unknown", on("2026-07-10")));
}

static void the_holder_is_told_when_nobody_is_there_instead(void **state)
{
	(void)state;
	assert_finds("KVAL", "plan-1", 0, "2026-07-05", "b/a@forv");
	assert_finds("KVAL", "plan-1", 0, "2026-07-15", "a@forv");   /* in a circle that day */
	assert_finds("MAS", "plan-1", 0, "2026-07-15", "gone@forv"); /* the deputy is a stranger */
}

static void every_look_up_ends_in_an_unchecked_directory(void **state)
{
	const char *path[AV_ORG_DEPTH];
	struct av_org_found found[AV_ORG_FOUND_MAX];
	const struct av_org *odd = org_of(
		"version: t\n"
		"units:\n"
		"  - { code: a, name: A, parent: b, level: unit }\n"
		"  - { code: b, name: B, parent: a, level: unit }\n"
		"  - { code: b, name: C, parent: c, level: unit }\n"
		"people:\n"
		"  - { id: x, roles: [{ role: EC, unit: nowhere }] }\n"
		"  - { id: x, deputies: [{ person: x, from_on: 2026-01-01, until_on: 2026-12-31 }] }\n");
	(void)state;
	assert_true(av_org_path(odd, "a", path) <= AV_ORG_DEPTH);
	assert_false(av_org_within(odd, "a", "z"));
	assert_int_equal(av_org_find(odd, "EC", "a", 0, on("2026-07-01"), found), 0);
	assert_false(av_org_holds(odd, "x", "SAS", "a", on("2026-07-01")));
	assert_int_equal(av_org_stand_ins(odd, "x", on("2026-07-01"), found), 1);
}

static void more_holders_than_fit_are_cut_at_the_bound(void **state)
{
	struct av_org_found found[AV_ORG_FOUND_MAX];
	char text[20000] = "version: t\nunits:\n  - { code: n, name: N, level: committee }\npeople:\n";
	(void)state;
	for (int i = 0; i < 100; i++) {
		size_t used = strlen(text);
		snprintf(text + used, sizeof(text) - used,
			"  - { id: p%02d, roles: [{ role: SAS, unit: n }] }\n", i);
	}
	assert_int_equal(av_org_find(org_of(text), "SAS", "n", 0, on("2026-07-01"), found), AV_ORG_FOUND_MAX);
}

static void the_directory_of_lindaker_reaches_the_deputy_of_the_deputy(void **state)
{
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	ProtobufCMessage *message = NULL;
	const struct av_org *before = org;
	(void)state;
	av_faults_init(&faults, arena);
	assert_int_equal(
		av_yaml_open_file(SOURCE_DIR "/deploy/directory/lindaker.yaml", &faults, &yaml), AV_OK);
	if (av_yaml_to(yaml, &avvik__v1__directory__descriptor, arena, &faults, &message) < 0)
		fail_msg("%s: %s", faults.first->path, faults.first->text);
	av_yaml_close(&yaml);
	org = av_org_create((const Avvik__V1__Directory *)message, arena);
	assert_finds("EC", "bjorkgarden-plan-1", 0, "2026-04-07", "beata.bjorkman@bjorkgarden");
	assert_finds(
		"EC", "bjorkgarden-plan-1", 0, "2026-07-10", "linda.hagstrom/beata.bjorkman@bjorkgarden");
	assert_finds("EC", "dagverksamhet-solrosen", 0, "2026-09-01", "sol.dagberg@dagverksamhet-solrosen");
	org = before;
}

static int start(void **state)
{
	(void)state;
	arena = av_arena_create(0);
	org = arena ? org_of(small) : NULL;
	return org ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	av_arena_destroy(&arena);
	return 0;
}

/* Every day of two years: a day lies in a gap if and only if the look-up finds nobody then. */
static void gaps_are_the_days_on_which_nobody_is_found(void **state)
{
	static const char *const roles[] = {"EC", "AC", "SAS", "KVAL", "MAS", "BITR_EC", "NAMND"};
	static const char *const units[] = {"plan-1", "stab", "enhet", "unknown"};
	av_day from = on("2026-01-01"), turns[AV_ORG_TURNS_MAX];
	const struct av_org *other = org_of(
		"version: t2\n"
		"units:\n"
		"  - { code: n, name: N, level: committee }\n"
		"  - { code: a, name: A, parent: n, level: unit }\n"
		"people:\n"
		"  - { id: p, roles: [{ role: EC, unit: a, until_on: 2026-03-31 }] }\n"
		"  - { id: q, roles: [{ role: EC, unit: a, from_on: 2026-04-11, until_on: 2026-05-01 }] }\n"
		"  - { id: r, roles: [{ role: EC, unit: n, from_on: 2026-05-02, until_on: 2026-06-30 }] }\n");
	struct av_org_gap gaps[AV_ORG_TURNS_MAX];
	struct av_org_found found[AV_ORG_FOUND_MAX];
	size_t count;

	(void)state;
	for (size_t r = 0; r < 7; r++)
		for (size_t u = 0; u < 4; u++) {
			size_t turn_count = av_org_turns(org, roles[r], from, from + 730, turns);
			count = av_org_gaps(org, roles[r], units[u], 0, turns, turn_count, gaps);
			for (av_day day = from; day <= from + 730; day++) {
				bool in = false;
				for (size_t g = 0; g < count; g++)
					in |= gaps[g].from <= day && (!gaps[g].until || day <= gaps[g].until);
				assert_int_equal(
					in, av_org_find(org, roles[r], units[u], 0, day, found) == 0);
			}
		}
	count = av_org_gaps(
		other, "EC", "a", 0, turns, av_org_turns(other, "EC", from, from + 730, turns), gaps);
	assert_int_equal(count, 2);
	assert_int_equal(gaps[0].from, on("2026-04-01"));
	assert_int_equal(gaps[0].until, on("2026-04-10"));
	assert_int_equal(gaps[1].from, on("2026-07-01"));
	assert_int_equal(gaps[1].until, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_unit_knows_its_way_up_and_whether_it_is_a_leaf),
		cmocka_unit_test(a_role_is_found_at_the_lowest_level_that_has_it),
		cmocka_unit_test(a_search_begins_at_the_level_asked_for_or_the_next_above),
		cmocka_unit_test(a_role_holds_from_its_first_to_its_last_day),
		cmocka_unit_test(an_absent_manager_is_replaced_by_the_deputy_of_the_deputy),
		cmocka_unit_test(several_deputies_are_all_told_and_nobody_twice),
		cmocka_unit_test(who_stands_in_holds_the_role_that_day),
		cmocka_unit_test(the_holder_is_told_when_nobody_is_there_instead),
		cmocka_unit_test(gaps_are_the_days_on_which_nobody_is_found),
		cmocka_unit_test(every_look_up_ends_in_an_unchecked_directory),
		cmocka_unit_test(more_holders_than_fit_are_cut_at_the_bound),
		cmocka_unit_test(the_directory_of_lindaker_reaches_the_deputy_of_the_deputy),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
