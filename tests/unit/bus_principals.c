/* bus_principals.c - the file of principals: what it grants, what is wrong with it, how two of them differ.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/arena.h"
#include "base/status.h"
#include "bus/principals.h"
#include "seal/crypto.h"

/* Forty characters each, of Z85. */
#define K1 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1"
#define K2 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2"
#define K3 "c#%$.-:+=^!/*?&<>()[]{}@ccccccccccccccc3"
#define NOW INT64_C(1775000000000) /* 2026-04-01 01:33 in Sweden */

struct loaded {
	struct av_arena *arena;
	struct av_faults faults;
	struct av_principals *table;
	int status;
};

static struct loaded load(const char *text)
{
	char path[] = "/tmp/avvik-principals-XXXXXX";
	struct loaded loaded = {.arena = av_arena_create(0)};
	int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
	av_faults_init(&loaded.faults, loaded.arena);
	loaded.status = av_principals_load(path, &loaded.faults, &loaded.table);
	unlink(path);
	return loaded;
}

static void unload(struct loaded *loaded)
{
	av_principals_unref(&loaded->table);
	av_arena_destroy(&loaded->arena);
}

static struct loaded load_good(const char *text)
{
	struct loaded loaded = load(text);
	for (const struct av_fault *fault = loaded.faults.first; fault; fault = fault->next)
		print_message("%s: %s\n", fault->path, fault->text);
	assert_int_equal(loaded.status, AV_OK);
	return loaded;
}

static const char two[] =
	"principals:\n"
	"  - name: care\n    kind: publisher\n    rights: [publish, status]\n"
	"    keys:\n      - {key: '" K1 "', until: 2026-04-30}\n      - {key: '" K2 "', from: 2026-04-15}\n"
	"    units: [north, east]\n    roles: ['*']\n"
	"  - name: admin\n    kind: administrator\n    rights: [administer, status]\n"
	"    keys:\n      - key: '" K3 "'\n";

static void a_principal_is_found_by_its_keys_with_its_rights_units_and_roles(void **state)
{
	(void)state;
	struct loaded loaded = load_good(two);
	const struct av_principal *care = av_principals_by_key(loaded.table, K1, NOW);
	assert_non_null(care);
	assert_string_equal(care->name, "care");
	assert_string_equal(care->kind, "publisher");
	assert_int_equal(care->rights, AV_MAY_PUBLISH | AV_MAY_STATUS);
	assert_true(av_principal_may_unit(care, "north"));
	assert_true(av_principal_may_unit(care, "east"));
	assert_false(av_principal_may_unit(care, "south"));
	assert_false(av_principal_may_unit(care, "nort"));
	assert_true(av_principal_may_role(care, "anything"));
	const struct av_principal *admin = av_principals_by_key(loaded.table, K3, NOW);
	assert_ptr_equal(admin, av_principals_by_name(loaded.table, "admin"));
	assert_true(av_principal_may_unit(admin, "south"));
	assert_int_equal(av_principals_count(loaded.table), 2);
	assert_ptr_equal(av_principals_at(loaded.table, 1), admin);
	assert_null(av_principals_at(loaded.table, 2));
	unsigned char want[32];
	av_sha256(av_bytes_of(two), want);
	assert_memory_equal(av_principals_hash(loaded.table), want, 32);
	unload(&loaded);
}

static void a_key_holds_from_its_first_day_to_the_end_of_its_last(void **state)
{
	(void)state;
	struct loaded loaded = load_good(two);
	/* 2026-04-15 00:00 and 2026-05-01 00:00, Swedish summer time */
	const int64_t first = INT64_C(1776204000000), end = INT64_C(1777586400000);
	assert_null(av_principals_by_key(loaded.table, K2, first - 1));
	assert_non_null(av_principals_by_key(loaded.table, K2, first));
	assert_non_null(av_principals_by_key(loaded.table, K1, first)); /* both, while they are rotated */
	assert_non_null(av_principals_by_key(loaded.table, K1, end - 1));
	assert_null(av_principals_by_key(loaded.table, K1, end));
	assert_int_equal(av_principals_expiry(loaded.table, AV_MAY_PUBLISH, NOW), end);
	assert_int_equal(av_principals_expiry(loaded.table, AV_MAY_ADMINISTER, NOW), INT64_MAX);
	assert_int_equal(av_principals_expiry(loaded.table, AV_MAY_PUBLISH, end), INT64_MAX);
	assert_null(av_principals_by_key(loaded.table, "", NOW));
	assert_null(av_principals_by_key(loaded.table, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2", NOW));
	unload(&loaded);
}

#define ONE(name, kind, right, key, more)                                                               \
	"principals:\n  - {name: '" name "', kind: '" kind "', rights: [" right "], keys: [{key: '" key \
	"'" more "}]}\n"

static void every_fault_of_the_file_is_refused_at_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *text, *path;
	} rows[] = {
		{ONE("a b", "daemon", "feed", K1, ""), "principals[0].name"},
		{ONE("", "daemon", "feed", K1, ""), "principals[0].name"},
		{ONE("avvik", "daemon", "feed", K1, ""), "principals[0].name"},
		{ONE("a", "demon", "feed", K1, ""), "principals[0].kind"},
		{ONE("a", "daemon", "feeds", K1, ""), "principals[0].rights[0]"},
		{ONE("a", "daemon", "feed", "short", ""), "principals[0].keys[0].key"},
		{ONE("a", "daemon", "feed", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ""),
			"principals[0].keys[0].key"},
		{ONE("a", "daemon", "feed", K1, ", from: tomorrow"), "principals[0].keys[0].from"},
		{ONE("a", "daemon", "feed", K1, ", until: 2026-02-30"), "principals[0].keys[0].until"},
		{ONE("a", "daemon", "feed", K1, ", from: 2026-05-01, until: 2026-04-01"),
			"principals[0].keys[0].until"},
		{ONE("a", "daemon", "feed", K1, ", secret: 'x'"), "secret"},
		{"principals:\n  - {name: a, kind: daemon, rights: [feed], keys: [{key: '" K1 "'}]}\n"
		 "  - {name: a, kind: daemon, rights: [feed], keys: [{key: '" K2 "'}]}\n",
			"principals[1].name"},
		{"principals:\n  - {name: a, kind: daemon, rights: [feed], keys: [{key: '" K1 "'}]}\n"
		 "  - {name: b, kind: daemon, rights: [feed], keys: [{key: '" K1 "'}]}\n",
			"principals[1].keys[0].key"},
		{"principals:\n  - {name: a, kind: daemon, rights: [feed], units: ['a b'], keys: [{key: '" K1
		 "'}]}\n",
			"principals[0].units[0]"},
		{"principals: [", ""},
	};
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		struct loaded loaded = load(rows[i].text);
		if (loaded.status != AV_INVALID || !loaded.faults.first)
			fail_msg("row %zu: got %s, want INVALID and a fault", i,
				av_status_name(loaded.status));
		if (!strstr(loaded.faults.first->path, rows[i].path))
			fail_msg("row %zu: got a fault at \"%s\", want \"%s\"", i, loaded.faults.first->path,
				rows[i].path);
		assert_null(loaded.table);
		unload(&loaded);
	}
}

static void all_faults_are_listed_each_with_its_line(void **state)
{
	(void)state;
	struct loaded loaded = load("principals:\n"
				    "  - {name: a, kind: demon, rights: [feeds], keys: [{key: '" K1 "'}]}\n"
				    "  - {name: a, kind: daemon, rights: [feed], keys: [{key: '" K1 "'}]}\n");
	assert_int_equal(loaded.status, AV_INVALID);
	assert_int_equal(loaded.faults.count, 4);
	static const char *const lines[] = {":2:", ":2:", ":3:", ":3:"};
	const struct av_fault *fault = loaded.faults.first;
	for (size_t i = 0; i < AV_COUNT(lines); i++, fault = fault->next)
		if (!strstr(fault->path, lines[i]))
			fail_msg("fault %zu: got \"%s\", want line %s", i, fault->path, lines[i]);
	unload(&loaded);
}

static void a_file_that_is_not_there_is_NOT_FOUND(void **state)
{
	(void)state;
	struct loaded loaded = {.arena = av_arena_create(0)};
	av_faults_init(&loaded.faults, loaded.arena);
	assert_int_equal(
		av_principals_load("/nowhere/principals.yaml", &loaded.faults, &loaded.table), AV_NOT_FOUND);
	unload(&loaded);
}

static void two_tables_are_compared_by_name_and_the_order_of_lists_does_not_matter(void **state)
{
	(void)state;
	struct loaded before = load_good(two);
	struct loaded after =
		load_good("principals:\n"
			  "  - name: care\n    kind: publisher\n    rights: [status, publish]\n"
			  "    keys:\n      - {key: '" K2 "', from: 2026-04-15}\n      - {key: '" K1
			  "', until: 2026-04-30}\n"
			  "    units: [east, north]\n"
			  "  - {name: new, kind: consumer, rights: [summary], keys: [{key: '" K3 "'}]}\n");
	struct av_principals_change change;
	av_principals_compare(before.table, after.table, before.arena, &change);
	assert_int_equal(change.added_count, 1);
	assert_string_equal(change.added[0], "new");
	assert_int_equal(change.removed_count, 1);
	assert_string_equal(change.removed[0], "admin");
	assert_int_equal(change.changed_count, 0);
	av_principals_compare(NULL, before.table, before.arena, &change);
	assert_int_equal(change.added_count, 2);
	assert_int_equal(change.removed_count + change.changed_count, 0);
	unload(&before);
	unload(&after);
}

static void each_difference_of_a_principal_is_a_change_and_a_narrowing_is_known(void **state)
{
	(void)state;
#define BASE                                                                                               \
	"principals:\n  - {name: a, kind: consumer, rights: [summary, query], units: [n, s], roles: [r], " \
	"keys: [{key: '" K1 "'}]}\n"
	static const struct {
		const char *text;
		bool changed, narrowed;
	} rows[] = {
		{BASE, false, false},
		{"principals:\n  - {name: a, kind: daemon, rights: [summary, query], units: [n, s], roles: "
		 "[r], keys: [{key: '" K1 "'}]}\n",
			true, true},
		{"principals:\n  - {name: a, kind: consumer, rights: [summary], units: [n, s], roles: [r], "
		 "keys: [{key: '" K1 "'}]}\n",
			true, false},
		{"principals:\n  - {name: a, kind: consumer, rights: [query], units: [n, s], roles: [r], "
		 "keys: [{key: '" K1 "'}]}\n",
			true, true},
		{"principals:\n  - {name: a, kind: consumer, rights: [summary, query], units: [n], roles: "
		 "[r], keys: [{key: '" K1 "'}]}\n",
			true, true},
		{"principals:\n  - {name: a, kind: consumer, rights: [summary, query], units: [n, s, e], "
		 "roles: [r], keys: [{key: '" K1 "'}]}\n",
			true, false},
		{"principals:\n  - {name: a, kind: consumer, rights: [summary, query], roles: [r], keys: "
		 "[{key: '" K1 "'}]}\n",
			true, false},
		{"principals:\n  - {name: a, kind: consumer, rights: [summary, query], units: [n, s], roles: "
		 "[q], keys: [{key: '" K1 "'}]}\n",
			true, true},
		{"principals:\n  - {name: a, kind: consumer, rights: [summary, query], units: [n, s], roles: "
		 "[r], keys: [{key: '" K2 "'}]}\n",
			true, true},
		{"principals:\n  - {name: a, kind: consumer, rights: [summary, query], units: [n, s], roles: "
		 "[r], keys: [{key: '" K1 "'}, {key: '" K2 "'}]}\n",
			true, false},
		{"principals:\n  - {name: a, kind: consumer, rights: [summary, query], units: [n, s], roles: "
		 "[r], keys: [{key: '" K1 "', until: 2030-01-01}]}\n",
			true, false},
		{"principals:\n  - {name: a, kind: consumer, rights: [summary, query], units: [n, s], roles: "
		 "[r], keys: [{key: '" K1 "', until: 2026-01-01}]}\n",
			true, true},
	};
	struct loaded before = load_good(BASE);
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		struct loaded after = load_good(rows[i].text);
		struct av_principals_change change;
		av_principals_compare(before.table, after.table, after.arena, &change);
		bool narrowed = av_principals_narrowed(before.table, after.table, AV_MAY_SUMMARY, NOW);
		if (change.changed_count != rows[i].changed || narrowed != rows[i].narrowed)
			fail_msg("row %zu: got changed %zu narrowed %d, want %d %d", i, change.changed_count,
				narrowed, rows[i].changed, rows[i].narrowed);
		assert_int_equal(change.added_count + change.removed_count, 0);
		unload(&after);
	}
	assert_true(av_principals_narrowed(before.table, NULL, AV_MAY_SUMMARY, NOW));
	unload(&before);
}

static void every_right_has_its_text(void **state)
{
	(void)state;
	assert_string_equal(av_right_text(AV_MAY_PUBLISH), "publish");
	assert_string_equal(av_right_text(AV_MAY_STATUS), "status");
	assert_string_equal(av_right_text(AV_MAY_FEED | AV_MAY_STATUS), "");
	for (int bit = 0; bit < AV_RIGHT_COUNT; bit++)
		assert_true(strlen(av_right_text(1u << bit)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_principal_is_found_by_its_keys_with_its_rights_units_and_roles),
		cmocka_unit_test(a_key_holds_from_its_first_day_to_the_end_of_its_last),
		cmocka_unit_test(every_fault_of_the_file_is_refused_at_its_place),
		cmocka_unit_test(all_faults_are_listed_each_with_its_line),
		cmocka_unit_test(a_file_that_is_not_there_is_NOT_FOUND),
		cmocka_unit_test(two_tables_are_compared_by_name_and_the_order_of_lists_does_not_matter),
		cmocka_unit_test(each_difference_of_a_principal_is_a_change_and_a_narrowing_is_known),
		cmocka_unit_test(every_right_has_its_text),
	};
	return cmocka_run_group_tests_name("bus_principals", tests, NULL, NULL);
}
