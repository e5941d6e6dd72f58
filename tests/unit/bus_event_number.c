/* bus_event_number.c - the number of an event's body, from its wire bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/random.h"
#include "bus/feed.h"
#include "wire/message.h"

static void every_body_of_the_envelope_is_found_by_its_number(void **state)
{
	(void)state;
	const ProtobufCMessageDescriptor *type = &avvik__v1__event__descriptor;
	size_t found = 0;
	for (unsigned int i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			continue;
		struct av_arena *arena = av_arena_create(0);
		unsigned char id[16] = {0xff};
		Avvik__V1__Event event = AVVIK__V1__EVENT__INIT;
		Avvik__V1__Actor actor = AVVIK__V1__ACTOR__INIT;
		actor.principal = (char *)"someone";
		event.event_id = (ProtobufCBinaryData){16, id};
		event.sequence = UINT64_MAX;
		event.recorded_at_ms = -1;
		event.actor = &actor;
		ProtobufCMessage *body = av_arena_zalloc(
			arena, ((const ProtobufCMessageDescriptor *)field->descriptor)->sizeof_message);
		protobuf_c_message_init(field->descriptor, body);
		av_body_set(&event.base, field->id, body);
		struct av_bytes packed = av_message_pack(&event.base, arena);
		assert_int_equal(av_event_number(packed), field->id);
		/* Cut anywhere it is not an event, or has no body yet. */
		for (size_t size = 0; size < packed.size; size++)
			assert_int_equal(av_event_number(av_bytes(packed.data, size)), 0);
		av_arena_destroy(&arena);
		found++;
	}
	assert_true(found > 30);
}

static void bytes_that_are_no_event_have_no_number(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t size;
		unsigned int want;
	} rows[] = {
		{"", 0, 0}, {"\xa2\x06\x00", 3, 100},		/* field 100, empty */
		{"\xa2\x06\x01", 3, 0},				/* one byte is missing */
		{"\xa2\x06\x00\xaa\x06\x00", 6, 101},		/* the last one counts */
		{"\xa3\x06", 2, 0},				/* a group */
		{"\xa0\x06\x01", 3, 0},				/* field 100 as a number */
		{"\x09\x00\x00\x00\x00\x00\x00\x00\x00", 9, 0}, /* fixed 64 */
		{"\x0d\x00\x00\x00", 4, 0},			/* fixed 32, cut */
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, 0},
		{"\xa2\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, 0}, /* a size that wraps */
	};
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		unsigned int got = av_event_number(av_bytes(rows[i].bytes, rows[i].size));
		if (got != rows[i].want)
			fail_msg("row %zu: got %u, want %u", i, got, rows[i].want);
	}
}

static void random_bytes_are_walked_within_their_bounds(void **state)
{
	(void)state;
	struct av_random random = av_random_seeded(7);
	for (int i = 0; i < 100000; i++) {
		size_t size = av_random_below(&random, 40);
		unsigned char *bytes = malloc(size + 1); /* its own block, for the sanitizer */
		av_random_fill(&random, bytes, size);
		(void)av_event_number(av_bytes(bytes, size));
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_body_of_the_envelope_is_found_by_its_number),
		cmocka_unit_test(bytes_that_are_no_event_have_no_number),
		cmocka_unit_test(random_bytes_are_walked_within_their_bounds),
	};
	return cmocka_run_group_tests_name("bus_event_number", tests, NULL, NULL);
}
