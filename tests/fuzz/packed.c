/* packed.c - what clients and libraries read off the wire, under the fuzzer: scan, unpack, rules, copy, JSON
 * of any message; receipts and their proof.
 *
 * The first byte says which message. What the walk lets through, protobuf-c takes too and packs again; a
 * message that keeps the rules comes back the same. */
#include <avvik/v1/command.pb-c.h>
#include <avvik/v1/envelope.pb-c.h>
#include <avvik/v1/feed.pb-c.h>
#include <avvik/v1/report.pb-c.h>
#include <avvik/v1/summary.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/feed.h"
#include "libfuzzer.h"
#include "must.h"
#include "mutate.h"
#include "seal/receipt.h"
#include "wire/json.h"
#include "wire/rules.h"

static struct av_arena *arena;

static const ProtobufCMessageDescriptor *const shapes[] = {&avvik__v1__command__descriptor,
	&avvik__v1__reply__descriptor, &avvik__v1__event__descriptor, &avvik__v1__feed_request__descriptor,
	&avvik__v1__feed_reply__descriptor, &avvik__v1__receipt__descriptor,
	&avvik__v1__summary_update__descriptor, &avvik__v1__grant_body__descriptor};

static void look_at_receipt(const Avvik__V1__Receipt *receipt)
{
	static const unsigned char key[AV_SIGN_PUBLIC_SIZE] = {1};
	const char *text = NULL;
	(void)av_receipt_check(receipt, key, av_bytes("report", 6), arena, &text);
	MUST(text, "nothing is said of a receipt");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct av_faults faults;
	ProtobufCMessage *message;
	if (size == 0)
		return 0;
	const ProtobufCMessageDescriptor *type = shapes[data[0] % AV_COUNT(shapes)];
	char *copy = malloc(size);
	memcpy(copy, data + 1, size - 1);
	struct av_bytes wire = av_bytes(copy, size - 1);
	av_faults_init(&faults, arena);
	(void)av_event_number(wire);
	int scanned = av_wire_scan(type, wire, AV_WIRE_LIMITS_COMMAND, &faults);
	MUST(scanned == AV_OK || faults.count > 0, "refused without a word");
	int status = av_message_unpack(type, wire, AV_WIRE_LIMITS_COMMAND, arena, &faults, &message);
	MUST(status == scanned, "the walk says %d, unpacking %d", scanned, status);
	if (status == AV_OK) {
		(void)av_rules_check(message, &faults);
		struct av_bytes packed = av_message_pack(message, arena);
		ProtobufCMessage *second = av_message_copy(message, arena);
		MUST(packed.data || packed.size == 0, "it cannot be packed");
		MUST(second && av_bytes_equal(packed, av_message_pack(second, arena)),
			"a copy is another one");
		MUST(av_json_text(message, 1, arena), "it has no JSON");
		if (type == &avvik__v1__receipt__descriptor)
			look_at_receipt((const Avvik__V1__Receipt *)message);
	}
	free(copy);
	av_arena_reset(arena);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct av_random random = av_random_seeded(seed);
	struct av_arena *own = av_arena_create(0);
	struct av_bytes packed;
	uint8_t kind = size ? data[0] : (uint8_t)seed;
	if (size < 2 || av_random_below(&random, 8) == 0) {
		kind = (uint8_t)av_random_below(&random, AV_COUNT(shapes));
		packed = mutate_made(shapes[kind], own, &random);
	} else {
		packed = mutate_packed(
			shapes[kind % AV_COUNT(shapes)], av_bytes(data + 1, size - 1), own, &random);
	}
	size_t changed = AV_MIN(packed.size, max_size - 1);
	data[0] = kind;
	if (changed)
		memcpy(data + 1, packed.data, changed);
	av_arena_destroy(&own);
	return changed + 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	AV_UNUSED(argc);
	AV_UNUSED(argv);
	arena = av_arena_create(0);
	return av_crypto_start() == AV_OK ? 0 : -1;
}
