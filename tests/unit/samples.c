/* samples.c - deploy/samples say what their README says: every report parses, and has the faults it is meant
 * to have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "avvik/v1/directory.pb-c.h"
#include "avvik/v1/report.pb-c.h"
#include "avvik/v1/rules.pb-c.h"
#include "base/macros.h"
#include "base/status.h"
#include "report_rules.h"
#include "wire/yaml.h"

#define LATER_MS INT64_C(1780264800000) /* 2026-06-01, when all have been received */

struct world {
	struct av_arena *arena;
	struct av_org *org;
	const Avvik__V1__RulePack *rules;
};

static const ProtobufCMessage *load(
	struct world *world, const char *path, const ProtobufCMessageDescriptor *type)
{
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	ProtobufCMessage *message = NULL;
	av_faults_init(&faults, world->arena);
	int status = av_yaml_open_file(path, &faults, &yaml);
	if (status == AV_OK)
		status = av_yaml_to(yaml, type, world->arena, &faults, &message);
	av_yaml_close(&yaml);
	if (status < 0)
		fail_msg("%s: got %s (%s), want it to be read", path, av_status_text(status),
			faults.first ? faults.first->text : "no fault");
	return message;
}

static int world_make(void **state)
{
	static struct world world;
	world.arena = av_arena_create(0);
	world.org = av_org_create(
		(const Avvik__V1__Directory *)load(&world, SOURCE_DIR "/deploy/directory/lindaker.yaml",
			&avvik__v1__directory__descriptor),
		world.arena);
	world.rules = (const Avvik__V1__RulePack *)load(
		&world, SOURCE_DIR "/deploy/rules/se-2025-07.yaml", &avvik__v1__rule_pack__descriptor);
	*state = &world;
	return world.arena && world.org ? 0 : -1;
}

static int world_end(void **state)
{
	struct world *world = *state;
	av_arena_destroy(&world->arena);
	return 0;
}

struct count {
	size_t reports, lex_sarah, refused, with_faults, faults;
};

/* As intake: what the table keeps in spite of its form, then the circumstances. */
static void look_at(struct world *world, const char *file, const json_t *item, struct count *count)
{
	const char *reference = json_string_value(json_object_get(item, "reference"));
	ProtobufCMessage *message = NULL;
	struct av_faults faults;
	struct report_found found;
	av_faults_init(&faults, world->arena);
	if (!reference || !*reference)
		fail_msg("%s: got an item without a reference, want one in each", file);
	count->reports++;
	if (av_json_to(&avvik__v1__file_report__descriptor, json_object_get(item, "report"), world->arena,
		    &faults, &message) < 0) {
		count->refused++;
		return;
	}
	const Avvik__V1__FileReport *report = (const Avvik__V1__FileReport *)message;
	const struct report_view view = {world->org, world->rules, LATER_MS};
	report_check(report, &view, &faults, &found);
	count->lex_sarah += report->type != AVVIK__V1__REPORT_TYPE__REPORT_TYPE_DEVIATION;
	count->with_faults += faults.count > 0;
	count->faults += faults.count;
	for (const struct av_fault *fault = faults.first; fault; fault = fault->next)
		print_message("%s: %s: %s %s\n", file, reference, fault->path, fault->text);
}

static int count_file(struct world *world, const char *name, struct count *ret_count)
{
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	struct count count = {0};
	const json_t *item;
	size_t i;
	av_faults_init(&faults, world->arena);
	const char *path = av_arena_printf(world->arena, "%s/deploy/samples/%s", SOURCE_DIR, name);
	int status = av_yaml_open_file(path, &faults, &yaml);
	if (status == AV_OK)
		json_array_foreach(av_yaml_json(yaml), i, item) look_at(world, name, item, &count);
	av_yaml_close(&yaml);
	*ret_count = count;
	return status;
}

static void every_sample_parses_and_has_the_faults_it_is_meant_to_have(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		struct count want;
	} files[] = {
		/*                        reports  lex Sarah  refused  with faults  faults */
		{"journalsystem.yaml",   {36,      0,         0,       0,           0}},
		{"larmsystem.json",      { 9,      0,         0,       0,           0}},
		{"e-tjanst.yaml",        {15,     11,         0,       0,           0}},
		{"funktionsstod.yaml",   { 9,      0,         0,       0,           0}},
		{"hvb-tallen.yaml",      { 5,      1,         0,       0,           0}},
		{"e-tjanst-faulty.yaml", { 7,      1,         0,       7,           9}},
		{"e-tjanst-again.yaml",  { 3,      3,         0,       0,           0}},
		{"e-tjanst-refused.yaml",{ 3,      0,         3,       0,           0}},
	};
	/* clang-format on */
	for (size_t i = 0; i < AV_COUNT(files); i++) {
		struct count got;
		const struct count *want = &files[i].want;
		assert_int_equal(count_file(*state, files[i].name, &got), AV_OK);
		if (memcmp(&got, want, sizeof got) != 0)
			fail_msg("%s: got %zu reports, %zu lex Sarah, %zu refused, %zu with faults, %zu "
				 "faults; "
				 "want %zu, %zu, %zu, %zu, %zu",
				files[i].name, got.reports, got.lex_sarah, got.refused, got.with_faults,
				got.faults, want->reports, want->lex_sarah, want->refused, want->with_faults,
				want->faults);
	}
}

static void the_unreadable_sample_is_malformed(void **state)
{
	struct count got;
	assert_int_equal(count_file(*state, "unreadable.json", &got), AV_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sample_parses_and_has_the_faults_it_is_meant_to_have),
		cmocka_unit_test(the_unreadable_sample_is_malformed),
	};
	return cmocka_run_group_tests(tests, world_make, world_end);
}
