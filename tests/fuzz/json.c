/* json.c - JSON import under the fuzzer: commands and events from JSON, and back. */
#include <avvik/v1/command.pb-c.h>
#include <avvik/v1/envelope.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libfuzzer.h"
#include "must.h"
#include "mutate.h"
#include "wire/json.h"

static struct av_arena *arena;

static const ProtobufCMessageDescriptor *const shapes[] = {&avvik__v1__command__descriptor,
	&avvik__v1__event__descriptor, &avvik__v1__file_report__descriptor, &avvik__v1__reply__descriptor};

static void take(const json_t *json, const ProtobufCMessageDescriptor *type)
{
	struct av_faults faults, again_faults;
	ProtobufCMessage *message, *again;
	json_t *back = NULL;
	av_faults_init(&faults, arena);
	av_faults_init(&again_faults, arena);
	if (av_json_to(type, json, arena, &faults, &message) != AV_OK) {
		MUST(faults.count > 0, "refused without a word");
		return;
	}
	if (faults.count > 0)
		return; /* kept as it is: not all of it is what it was */
	const char *text = av_json_text(message, 1, arena);
	MUST(text && av_json_parse(av_bytes_of(text), &again_faults, &back) == AV_OK,
		"its JSON cannot be read");
	MUST(av_json_to(type, back, arena, &again_faults, &again) == AV_OK,
		"its JSON is not taken: %s %s\n%s", again_faults.first ? again_faults.first->path : "",
		again_faults.first ? again_faults.first->text : "", text);
	json_decref(back);
	MUST(av_bytes_equal(av_message_pack(message, arena), av_message_pack(again, arena)),
		"it is another one after a journey through JSON:\n%s", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct av_faults faults;
	json_t *json = NULL;
	char *copy = malloc(size ? size : 1);
	memcpy(copy, data, size);
	av_faults_init(&faults, arena);
	if (av_json_parse(av_bytes(copy, size), &faults, &json) == AV_OK) {
		for (size_t i = 0; i < AV_COUNT(shapes); i++)
			take(json, shapes[i]);
		json_decref(json);
	} else {
		MUST(faults.count > 0, "refused without a word");
	}
	free(copy);
	av_arena_reset(arena);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct av_random random = av_random_seeded(seed);
	struct av_arena *own = av_arena_create(0);
	struct av_faults faults;
	ProtobufCMessage *message = NULL;
	json_t *json = NULL;
	size_t changed = 0;
	av_faults_init(&faults, own);
	const ProtobufCMessageDescriptor *type = shapes[av_random_below(&random, AV_COUNT(shapes))];
	if (av_random_below(&random, 3) == 0)
		message = mutate_filled(type, 0, own, &random);
	else if (av_random_below(&random, 2) &&
		 av_json_parse(av_bytes(data, size), &faults, &json) == AV_OK &&
		 av_json_to(type, json, own, &faults, &message) == AV_OK)
		mutate_message(message, own, &random);
	const char *text = message ? av_json_text(message, (int)av_random_below(&random, 2), own) : NULL;
	if (text && strlen(text) <= max_size) {
		changed = strlen(text);
		memcpy(data, text, changed);
	}
	json_decref(json);
	av_arena_destroy(&own);
	return changed ? changed : LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	AV_UNUSED(argc);
	AV_UNUSED(argv);
	arena = av_arena_create(0);
	return 0;
}
