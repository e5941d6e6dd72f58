/* wire_yaml.c - YAML files: every fault with its line, bounds, the files that are shipped */
#include "wire_samples.h"

#include <unistd.h>
#include "wire/yaml.h"

static int opened(
	const char *text, struct av_arena *arena, struct av_faults *faults, struct av_yaml **ret_yaml)
{
	av_faults_init(faults, arena);
	return av_yaml_open(av_bytes_of(text), "f.yaml", faults, ret_yaml);
}

static void ten_faults_in_a_directory_are_listed_each_with_its_line_and_remedy(void **state)
{
	/* clang-format off */
	static const char text[] =
		"version: 2026-04-01\n"                                                     /*  1 */
		"municipality: 0180\n"                                                      /*  2: text with a leading zero */
		"nmae: Socialnämnden\n"                                                     /*  3: unknown key */
		"units:\n"                                                                  /*  4 */
		"  - { code: namnd, name: Nämnden, level: committee }\n"                    /*  5 */
		"  - { code: tallen, name: Tallen, parent: namnd, level: enhet }\n"         /*  6: unknown value */
		"  - code: \"å b\"\n"                                                       /*  7: not a code */
		"    name: Björken\n"                                                       /*  8 */
		"    level: unit\n"                                                         /*  9 */
		"    laws: sol\n"                                                           /* 10: not a list */
		"people:\n"                                                                 /* 11 */
		"  - id: anna.berg\n"                                                       /* 12 */
		"    mail: anna at example\n"                                               /* 13: not an address */
		"    roles:\n"                                                              /* 14 */
		"      - { role: EC }\n"                                                    /* 15: unit is missing */
		"      - { role: EC, unit: tallen, from_on: 2026-02-30 }\n"                 /* 16: no such day */
		"    deputies:\n"                                                           /* 17 */
		"      - { person: bo.ek, from_on: 2026-07-01 }\n"                          /* 18: until_on is missing */
		"    id: bo.ek\n"                                                           /* 19: twice */
		"  - just a text\n";                                                        /* 20: not an object */
	/* clang-format on */
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	ProtobufCMessage *message = NULL;
	assert_int_equal(opened(text, *state, &faults, &yaml), AV_OK);
	assert_int_equal(
		av_yaml_to(yaml, &avvik__v1__directory__descriptor, *state, &faults, &message), AV_INVALID);
	assert_null(message);
	av_yaml_close(&yaml);
	assert_null(yaml);
	assert_fault(&faults, FAULT(UNKNOWN_FIELD), "f.yaml:3:1 nmae", "did you mean name?");
	assert_fault(&faults, FAULT(UNKNOWN_VALUE), "f.yaml:6:50 units[1].level", "give one of committee");
	assert_fault(&faults, FAULT(MALFORMED), "f.yaml:7:5 units[2].code", "is not a code");
	assert_fault(&faults, FAULT(WRONG_TYPE), "f.yaml:10:5 units[2].laws", "give a list");
	assert_fault(&faults, FAULT(MALFORMED), "f.yaml:13:5 people[0].mail", "give it as name@example.se");
	assert_fault(&faults, FAULT(REQUIRED), "f.yaml:15:9 people[0].roles[0].unit", "the code of the unit");
	assert_fault(&faults, FAULT(MALFORMED), "f.yaml:16:35 people[0].roles[1].from_on",
		"is not a day that exists");
	assert_fault(&faults, FAULT(REQUIRED), "f.yaml:18:9 people[0].deputies[0].until_on",
		"the last day of the absence");
	assert_fault(&faults, FAULT(DUPLICATE), "f.yaml:19:5", "given twice: give it once");
	assert_fault(&faults, FAULT(WRONG_TYPE), "f.yaml:20:5 people[1]", "an object of keys and values");
	assert_int_equal(faults.count, 10);
}

static void scalars_are_what_the_field_wants(void **state)
{
	static const char text[] = "version: 2026\nmunicipality: 0180\nname: true\n"
				   "units:\n  - { code: 1.10, name: 'no', level: unit, parent: ~, area: }\n"
				   "  - { code: \"7\", name: null, level: unit }\n";
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	ProtobufCMessage *message = NULL;
	assert_int_equal(opened(text, *state, &faults, &yaml), AV_OK);
	/* `name: null` is as if it were not there. */
	assert_int_equal(
		av_yaml_to(yaml, &avvik__v1__directory__descriptor, *state, &faults, &message), AV_INVALID);
	assert_int_equal(faults.count, 1);
	assert_fault(&faults, FAULT(REQUIRED), "f.yaml:6:18 units[1].name", "the name of the unit");
	av_yaml_close(&yaml);

	char *better = av_arena_strdup(*state, text);
	memcpy(strstr(better, "null"), "nill", 4);
	assert_int_equal(opened(better, *state, &faults, &yaml), AV_OK);
	assert_int_equal(
		av_yaml_to(yaml, &avvik__v1__directory__descriptor, *state, &faults, &message), AV_OK);
	av_yaml_close(&yaml);
	const Avvik__V1__Directory *directory = (const Avvik__V1__Directory *)message;
	assert_string_equal(directory->version, "2026");
	assert_string_equal(directory->municipality, "0180");
	assert_string_equal(directory->name, "true");
	assert_string_equal(directory->units[0]->code, "1.10");
	assert_string_equal(directory->units[0]->name, "no");
	assert_string_equal(directory->units[0]->parent, "");
	assert_string_equal(directory->units[1]->code, "7");
}

static void numbers_and_truth_are_only_what_they_look_like(void **state)
{
	static const struct {
		const char *text;
		int want_code;
		const char *want_path, *want_text;
	} rows[] = {
		{"instance: a\nlimits: { turn_items: 012 }\n", FAULT(WRONG_TYPE),
			"f.yaml:2:11 limits.turn_items", "a whole number"},
		{"instance: a\nlimits: { turn_items: \"12\" }\n", FAULT(WRONG_TYPE),
			"f.yaml:2:11 limits.turn_items", "a whole number"},
		{"instance: a\nlimits: { turn_items: 1.5 }\n", FAULT(WRONG_TYPE),
			"f.yaml:2:11 limits.turn_items", "a whole number"},
		{"instance: a\nlimits: { turn_items: 99999999 }\n", FAULT(OUT_OF_RANGE),
			"f.yaml:2:11 limits.turn_items", "give 1 to 100 000"},
		{"instance: a\nproduction: yes\n", FAULT(WRONG_TYPE), "f.yaml:2:1 production",
			"true or false"},
		{"instance: a\nproduction: \"true\"\n", FAULT(WRONG_TYPE), "f.yaml:2:1 production",
			"true or false"},
		{"instance: a\nmail:\n  from_nmae: x\n", FAULT(UNKNOWN_FIELD), "f.yaml:3:3 mail.from_nmae",
			"did you mean from_name?"},
		{"instance: a\nmail:\n  fr\xc3\xa5n: x\n", FAULT(UNKNOWN_FIELD), "f.yaml:3:3 mail.fr??n",
			"take it out"},
	};
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		struct av_faults faults;
		struct av_yaml *yaml = NULL;
		ProtobufCMessage *message = NULL;
		assert_int_equal(opened(rows[i].text, *state, &faults, &yaml), AV_OK);
		assert_int_equal(
			av_yaml_to(yaml, &avvik__v1__settings__descriptor, *state, &faults, &message),
			AV_INVALID);
		av_yaml_close(&yaml);
		assert_fault(&faults, rows[i].want_code, rows[i].want_path, rows[i].want_text);
		assert_int_equal(faults.count, 1);
	}
}

static void what_is_not_yaml_or_not_bounded_is_refused_with_its_line(void **state)
{
	static char deep[200], many[4100000];
	memset(deep, '[', 100);
	strcpy(many, "[");
	for (size_t i = 1; i < sizeof many - 8; i += 2)
		memcpy(many + i, "1,", 3);
	const struct {
		const char *text;
		int want_status, want_code;
		const char *want_path, *want_text;
	} rows[] = {
		{"", AV_MALFORMED, FAULT(REQUIRED), "f.yaml", "is empty"},
		{"# only a comment\n", AV_MALFORMED, FAULT(REQUIRED), "f.yaml", "is empty"},
		{"a: 1\n b: 2\n", AV_MALFORMED, FAULT(MALFORMED), "f.yaml:2:3", "is not YAML"},
		{"a: [1, 2\nb: 3\n", AV_MALFORMED, FAULT(MALFORMED), "f.yaml:2:2", "is not YAML"},
		{"a: &x 1\nb: *x\n", AV_MALFORMED, FAULT(MALFORMED), "f.yaml:2:4", "aliases are not used"},
		{"a: !secret b\n", AV_MALFORMED, FAULT(MALFORMED), "f.yaml:1:4", "tags are not used"},
		{"? [a]\n: b\n", AV_MALFORMED, FAULT(MALFORMED), "f.yaml:1:3", "a key is not a text"},
		{"a: \xff\n", AV_MALFORMED, FAULT(MALFORMED), "f.yaml:1:4", "save the file as UTF-8"},
		{"a: 1\nname: N\xc3\xa4mnd i V\xe4rmland\n", AV_MALFORMED, FAULT(MALFORMED), "f.yaml:2:17",
			"is not text in UTF-8"},
		{"\"a\\0b\": 1\n", AV_MALFORMED, FAULT(MALFORMED), "f.yaml:1:1", "may not stand in a text"},
		{deep, AV_TOO_LARGE, FAULT(TOO_LONG), "f.yaml:1:65", "more than 64 deep"},
		{many, AV_TOO_LARGE, FAULT(TOO_LONG), "f.yaml:1:2000000", "more than 1 000 000 values"},
	};
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		struct av_faults faults;
		struct av_yaml *yaml = NULL;
		int got = opened(rows[i].text, *state, &faults, &yaml);
		if (got != rows[i].want_status)
			fail_msg("row %zu: got %s want %s", i, av_status_name(got),
				av_status_name(rows[i].want_status));
		assert_null(yaml);
		assert_int_equal(faults.count, 1);
		assert_fault(&faults, rows[i].want_code, rows[i].want_path, rows[i].want_text);
	}
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	size_t size = 8 * 1024 * 1024 + 1;
	char *large = calloc(1, size);
	av_faults_init(&faults, *state);
	assert_int_equal(av_yaml_open(av_bytes(large, size), "f.yaml", &faults, &yaml), AV_TOO_LARGE);
	assert_fault(&faults, FAULT(TOO_LONG), "f.yaml", "8 MiB");
	free(large);
}

static void several_documents_come_in_turn(void **state)
{
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	assert_int_equal(
		opened("\xef\xbb\xbf---\nn: 1\n---\nn: 2\n---\nn: [\n", *state, &faults, &yaml), AV_OK);
	assert_int_equal(json_integer_value(json_object_get(av_yaml_json(yaml), "n")), 1);
	assert_string_equal(av_yaml_mark(yaml, "n", *state), "f.yaml:2:1");
	assert_int_equal(av_yaml_next(yaml, &faults), AV_OK);
	assert_int_equal(json_integer_value(json_object_get(av_yaml_json(yaml), "n")), 2);
	assert_string_equal(av_yaml_mark(yaml, "n", *state), "f.yaml:4:1");
	assert_int_equal(av_yaml_next(yaml, &faults), AV_MALFORMED);
	assert_null(av_yaml_json(yaml));
	av_yaml_close(&yaml);
	assert_int_equal(opened("n: 1\n", *state, &faults, &yaml), AV_OK);
	assert_int_equal(av_yaml_next(yaml, &faults), AV_NOTHING);
	av_yaml_close(&yaml);
}

static void a_mark_is_that_of_the_nearest_parent(void **state)
{
	static const struct {
		const char *path, *want;
	} rows[] = {{"", "f.yaml:1:1"}, {"units", "f.yaml:1:1"}, {"units[0]", "f.yaml:2:3"},
		{"units[1].code", "f.yaml:3:3"}, {"units[1].seen_at_ms", "f.yaml:4:3"},
		{"units[1].missing.deeper", "f.yaml:3:3"}, {"units[9].code", "f.yaml:1:1"},
		{"nothing", "f.yaml:1:1"}, {"units[x", "f.yaml:2:3"}, {"...[[", "f.yaml:1:1"}};
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	assert_int_equal(
		opened("units:\n- code: a\n- code: b\n  seen_at: c\n", *state, &faults, &yaml), AV_OK);
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		const char *got = av_yaml_mark(yaml, rows[i].path, *state);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: got %s want %s", rows[i].path, got, rows[i].want);
	}
	struct av_fault later = {.path = "units[1].code"};
	av_yaml_mark_faults(yaml, &later, *state);
	assert_string_equal(later.path, "f.yaml:3:3 units[1].code");
	av_yaml_close(&yaml);
}

static void files_that_are_not_there_or_no_files_say_so(void **state)
{
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	char path[] = "/tmp/wire_yaml_XXXXXX";
	av_faults_init(&faults, *state);
	assert_int_equal(av_yaml_open_file("/nonexistent/f.yaml", &faults, &yaml), AV_NOT_FOUND);
	assert_int_equal(av_yaml_open_file("/", &faults, &yaml), AV_IO);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	static char lines[100000];
	memset(lines, '#', sizeof lines);
	memcpy(lines + sizeof lines - 6, "\na: 1\n", 6);
	assert_int_equal(write(fd, lines, sizeof lines), sizeof lines);
	close(fd);
	assert_int_equal(av_yaml_open_file(path, &faults, &yaml), AV_OK);
	assert_int_equal(json_integer_value(json_object_get(av_yaml_json(yaml), "a")), 1);
	av_yaml_close(&yaml);
	unlink(path);
}

static void the_rule_pack_that_is_shipped_has_no_fault(void **state)
{
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	ProtobufCMessage *message = NULL;
	av_faults_init(&faults, *state);
	assert_int_equal(
		av_yaml_open_file(SOURCE_DIR "/deploy/rules/se-2025-07.yaml", &faults, &yaml), AV_OK);
	int status = av_yaml_to(yaml, &avvik__v1__rule_pack__descriptor, *state, &faults, &message);
	av_yaml_close(&yaml);
	assert_no_faults(&faults);
	assert_int_equal(status, AV_OK);
	assert_true(((Avvik__V1__RulePack *)message)->n_deadlines > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			ten_faults_in_a_directory_are_listed_each_with_its_line_and_remedy, sample_setup,
			sample_teardown),
		cmocka_unit_test_setup_teardown(
			scalars_are_what_the_field_wants, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			numbers_and_truth_are_only_what_they_look_like, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(what_is_not_yaml_or_not_bounded_is_refused_with_its_line,
			sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			several_documents_come_in_turn, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			a_mark_is_that_of_the_nearest_parent, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			files_that_are_not_there_or_no_files_say_so, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			the_rule_pack_that_is_shipped_has_no_fault, sample_setup, sample_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
