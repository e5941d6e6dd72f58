/* text.c - what administrators write, under the fuzzer: a text is taken as YAML and as each of the shapes
 * that files have, and what is found good is checked as the daemons check it. Reading ends; a good message
 * becomes JSON and comes back the same. */
#include <avvik/v1/rules.pb-c.h>
#include <avvik/v1/settings.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "avvik/v1/takeover.pb-c.h"
#include "base/date.h"
#include "daemon/settings.h"
#include "directory_rules.h"
#include "libfuzzer.h"
#include "must.h"
#include "mutate.h"
#include "report_rules.h"
#include "rulepack_rules.h"

static char path[256];
static struct av_arena *arena;

static const ProtobufCMessageDescriptor *shape_of(size_t number)
{
	static const ProtobufCMessageDescriptor *const shapes[] = {&avvik__v1__directory__descriptor,
		&avvik__v1__rule_pack__descriptor, &avvik__v1__settings__descriptor,
		&avvik__v1__principals__descriptor, &avvik__v1__file_report__descriptor,
		&avvik__v1__takeover_file__descriptor};
	return number < AV_COUNT(shapes) ? shapes[number] : NULL;
}

/* A good message is the same after a journey through JSON. */
static void there_and_back(const ProtobufCMessage *message)
{
	struct av_faults faults;
	json_t *json = NULL;
	ProtobufCMessage *again;
	av_faults_init(&faults, arena);
	const char *text = av_json_text(message, 0, arena);
	MUST(text, "no JSON");
	MUST(av_json_parse(av_bytes_of(text), &faults, &json) == AV_OK, "its JSON cannot be read: %s",
		faults.first ? faults.first->text : "");
	MUST(av_json_to(message->descriptor, json, arena, &faults, &again) == AV_OK,
		"its JSON is not taken: %s %s\n%s", faults.first ? faults.first->path : "",
		faults.first ? faults.first->text : "", text);
	json_decref(json);
	MUST(av_bytes_equal(av_message_pack(message, arena), av_message_pack(again, arena)),
		"it is another one after a journey through JSON: %s", text);
}

static void check(const ProtobufCMessage *message)
{
	struct av_faults faults;
	av_faults_init(&faults, arena);
	if (message->descriptor == &avvik__v1__directory__descriptor)
		(void)directory_check((const Avvik__V1__Directory *)message, NULL, 20550, arena, &faults);
	if (message->descriptor == &avvik__v1__rule_pack__descriptor)
		(void)rulepack_check((const Avvik__V1__RulePack *)message, arena, &faults);
	if (message->descriptor == &avvik__v1__file_report__descriptor) {
		struct report_found found;
		struct report_view view = {.now_ms = INT64_C(1775500000000)};
		report_check((const Avvik__V1__FileReport *)message, &view, &faults, &found);
	}
}

static void as_yaml(struct av_bytes text)
{
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	av_faults_init(&faults, arena);
	if (av_yaml_open(text, "file.yaml", &faults, &yaml) != AV_OK)
		return;
	do {
		for (size_t i = 0; shape_of(i); i++) {
			ProtobufCMessage *message;
			struct av_faults own;
			av_faults_init(&own, arena);
			if (av_yaml_to(yaml, shape_of(i), arena, &own, &message) == AV_OK) {
				if (own.count == 0)
					there_and_back(message);
				check(message);
			} else {
				/* A key given twice was told when it was opened. */
				MUST(own.count > 0 || faults.count > 0, "refused without a word");
			}
		}
	} while (av_yaml_next(yaml, &faults) == AV_OK);
	av_yaml_close(&yaml);
}

static void as_file(struct av_bytes text)
{
	struct av_faults faults;
	Avvik__V1__Settings *settings;
	struct av_principals *table = NULL;
	FILE *file = fopen(path, "wb");
	MUST(file && fwrite(text.data, 1, text.size, file) == text.size && fclose(file) == 0, "%s", path);
	av_faults_init(&faults, arena);
	if (av_settings_load(path, arena, &faults, &settings) != AV_OK)
		MUST(faults.count > 0, "settings are refused without a word");
	av_faults_init(&faults, arena);
	if (av_principals_load(path, &faults, &table) == AV_OK) {
		for (size_t i = 0; i < av_principals_count(table); i++)
			(void)av_principal_may_unit(av_principals_at(table, i), "soc");
		(void)av_principals_by_key(
			table, "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", INT64_C(1775500000000));
		av_principals_unref(&table);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* On the heap to the byte, so that reading beyond it is seen. */
	char *copy = malloc(size ? size : 1);
	memcpy(copy, data, size);
	as_yaml(av_bytes(copy, size));
	as_file(av_bytes(copy, size));
	free(copy);
	av_arena_reset(arena);
	return 0;
}

/* A text that is one of the shapes is changed in its fields and written as JSON, which is YAML too. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct av_random random = av_random_seeded(seed);
	struct av_arena *own = av_arena_create(0);
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	ProtobufCMessage *message;
	size_t changed = 0;
	av_faults_init(&faults, own);
	size_t shape = av_random_below(&random, 5);
	if (av_random_below(&random, 3) == 0) {
		message = mutate_filled(shape_of(shape), 0, own, &random);
	} else if (av_random_below(&random, 2) &&
		   av_yaml_open(av_bytes(data, size), "", &faults, &yaml) == AV_OK) {
		message = NULL;
		for (size_t i = 0; !message && shape_of(i); i++)
			if (av_yaml_to(yaml, shape_of(i), own, &faults, &message) != AV_OK)
				message = NULL;
		av_yaml_close(&yaml);
		if (message)
			mutate_message(message, own, &random);
	} else {
		message = NULL;
	}
	const char *text = message ? av_json_text(message, (int)av_random_below(&random, 3), own) : NULL;
	if (text && strlen(text) <= max_size) {
		changed = strlen(text);
		memcpy(data, text, changed);
	}
	av_arena_destroy(&own);
	return changed ? changed : LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *temporary = getenv("TMPDIR");
	AV_UNUSED(argc);
	AV_UNUSED(argv);
	snprintf(path, sizeof path, "%s/avvik-text-%ld.yaml", temporary ? temporary : "/tmp", (long)getpid());
	arena = av_arena_create(0);
	return av_crypto_start() == AV_OK ? 0 : -1;
}
