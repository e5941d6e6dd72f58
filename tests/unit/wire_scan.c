/* wire_scan.c - the walk over wire bytes: everything broken is refused with its path, everything right passes
 */
#include "wire_samples.h"

#include "wire/shape.h"

#define FILE_REPORT (&avvik__v1__file_report__descriptor)
#define BYTES(literal) (literal), sizeof(literal) - 1

/* The bytes in memory of just their size, so that a sanitizer sees a read beyond them. */
static int scan_exactly(const ProtobufCMessageDescriptor *type, const void *data, size_t size,
	struct av_wire_limits limits, struct av_arena *arena, struct av_faults *faults)
{
	unsigned char *copy = malloc(size ? size : 1);
	ProtobufCMessage *message = NULL;
	memcpy(copy, data, size);
	int status = av_message_unpack(type, av_bytes(copy, size), limits, arena, faults, &message);
	if (status == AV_OK)
		status = av_rules_check(message, faults) < 0 ? AV_NOTHING : AV_OK;
	free(copy);
	return status;
}

static const struct broken {
	const char *what;
	const char *wire;
	size_t size;
	int want_status, want_code;
	const char *want_path;
} broken[] = {
	/* clang-format off */
	{"a tag of zero",            BYTES("\x00\x01"),             AV_MALFORMED, FAULT(MALFORMED), ""},
	{"a tag without end",        BYTES("\xff\xff\xff"),         AV_MALFORMED, FAULT(MALFORMED), ""},
	{"a tag too large",          BYTES("\xff\xff\xff\xff\xff\x01\x00"), AV_MALFORMED, FAULT(MALFORMED), ""},
	{"a text that ends early",   BYTES("\x12\x05" "ab"),        AV_MALFORMED, FAULT(MALFORMED), "unit"},
	{"a length without end",     BYTES("\x12\xff"),             AV_MALFORMED, FAULT(MALFORMED), "unit"},
	{"a length of 2^63",         BYTES("\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f" "ab"), AV_MALFORMED, FAULT(MALFORMED), "unit"},
	{"a length that wraps",      BYTES("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), AV_MALFORMED, FAULT(MALFORMED), "unit"},
	{"a length just past the end", BYTES("\x12\x03" "ab"),      AV_MALFORMED, FAULT(MALFORMED), "unit"},
	{"a number of eleven bytes", BYTES("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), AV_MALFORMED, FAULT(MALFORMED), "type"},
	{"a number as a block",      BYTES("\x0a\x00"),             AV_MALFORMED, FAULT(MALFORMED), "type"},
	{"a text as a number",       BYTES("\x10\x01"),             AV_MALFORMED, FAULT(MALFORMED), "unit"},
	{"a text as fixed32",        BYTES("\x15\x01\x02\x03\x04"), AV_MALFORMED, FAULT(MALFORMED), "unit"},
	{"a group",                  BYTES("\x13\x14"),             AV_MALFORMED, FAULT(MALFORMED), "unit"},
	{"an unknown group",         BYTES("\x9b\x7f\x9c\x7f"),     AV_MALFORMED, FAULT(MALFORMED), ""},
	{"an unknown that ends early", BYTES("\x99\x7f\x01"),       AV_MALFORMED, FAULT(MALFORMED), ""},
	{"UTF-8 that breaks off",    BYTES("\x12\x02\xc3\x28"),     AV_MALFORMED, FAULT(NOT_TEXT),  "unit"},
	{"UTF-8 cut at the end",     BYTES("\x12\x01\xc3"),         AV_MALFORMED, FAULT(NOT_TEXT),  "unit"},
	{"UTF-8 in two for one",     BYTES("\x12\x02\xc0\xaf"),     AV_MALFORMED, FAULT(NOT_TEXT),  "unit"},
	{"half of a surrogate pair", BYTES("\x12\x03\xed\xa0\x80"), AV_MALFORMED, FAULT(NOT_TEXT),  "unit"},
	{"beyond U+10FFFF",          BYTES("\x12\x04\xf4\x90\x80\x80"), AV_MALFORMED, FAULT(NOT_TEXT), "unit"},
	{"a NUL in a text",          BYTES("\x12\x03" "a\0b"),      AV_MALFORMED, FAULT(NOT_TEXT),  "unit"},
	{"a bell",                   BYTES("\x12\x02" "a\a"),       AV_MALFORMED, FAULT(NOT_TEXT),  "unit"},
	{"an escape",                BYTES("\x12\x0a" "aaaaaaaaa\x1b"), AV_MALFORMED, FAULT(NOT_TEXT), "unit"},
	{"a DEL among eight",        BYTES("\x12\x08" "aaaa\x7f" "aaa"), AV_MALFORMED, FAULT(NOT_TEXT), "unit"},
	{"a C1 control",             BYTES("\x12\x02\xc2\x85"),     AV_MALFORMED, FAULT(NOT_TEXT),  "unit"},
	{"a control deep inside",    BYTES("\x82\x01\x03\x0a\x01\x01"), AV_MALFORMED, FAULT(NOT_TEXT), "narrative.description"},
	{"the third person's name",  BYTES("\x8a\x01\x09\x0a\x00\x0a\x00\x0a\x03\x12\x01\x02"), AV_MALFORMED, FAULT(NOT_TEXT), "persons.affected[2].name"},
	{"a nested one past its parent", BYTES("\x82\x01\x02\x0a\x05" "abcde"), AV_MALFORMED, FAULT(MALFORMED), "narrative.description"},
	{"a number given twice",     BYTES("\x08\x01\x08\x01"),     AV_MALFORMED, FAULT(MALFORMED), "type"},
	{"a message given twice",    BYTES("\x82\x01\x00\x82\x01\x00"), AV_MALFORMED, FAULT(MALFORMED), "narrative"},
	{"packed that ends early",   BYTES("\x4a\x02\x01\x80"),     AV_MALFORMED, FAULT(MALFORMED), "laws[0]"},
	{"packed without end",       BYTES("\x4a\x0b\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), AV_MALFORMED, FAULT(MALFORMED), "laws[0]"},
}; /* clang-format on */

static void broken_bytes_are_refused_with_the_path_of_the_field(void **state)
{
	for (size_t i = 0; i < AV_COUNT(broken); i++) {
		const struct broken *row = &broken[i];
		struct av_faults faults;
		av_faults_init(&faults, *state);
		int got = scan_exactly(
			FILE_REPORT, row->wire, row->size, AV_WIRE_LIMITS_COMMAND, *state, &faults);
		if (got != row->want_status)
			fail_msg("%s: got %s want %s", row->what, av_status_name(got),
				av_status_name(row->want_status));
		if (faults.count != 1 || faults.first->code != row->want_code ||
			strcmp(faults.first->path, row->want_path) != 0)
			fail_msg("%s: got code %d at \"%s\", want %d at \"%s\"", row->what,
				faults.first->code, faults.first->path, row->want_code, row->want_path);
		assert_true(strlen(faults.first->text) > 10);
	}
}

static void what_protobuf_allows_is_read(void **state)
{
	static const struct {
		const char *what, *wire;
		size_t size;
	} fine[] = {
		{"nothing", BYTES("")},
		{"fields out of order", BYTES("\x12\x01"
					      "a\x08\x01")},
		{"numbers that are not packed", BYTES("\x48\x01\x48\x02")},
		{"packed in two pieces", BYTES("\x4a\x01\x01\x4a\x01\x02")},
		{"packed and nothing in it", BYTES("\x4a\x00")},
		{"an unknown number", BYTES("\x98\x7f\x01")},
		{"an unknown fixed64", BYTES("\x99\x7f\x01\x02\x03\x04\x05\x06\x07\x08")},
		{"an unknown block", BYTES("\x9a\x7f\x02\x00\x00")},
		{"an unknown fixed32", BYTES("\x9d\x7f\x01\x02\x03\x04")},
		{"tab, newline and Swedish", BYTES("\x82\x01\x08\x0a\x06\t\n\xc3\xa5\xc3\xb6")},
	};
	for (size_t i = 0; i < AV_COUNT(fine); i++) {
		struct av_faults faults;
		av_faults_init(&faults, *state);
		int got = av_wire_scan(
			FILE_REPORT, av_bytes(fine[i].wire, fine[i].size), AV_WIRE_LIMITS_COMMAND, &faults);
		if (got != AV_OK)
			fail_msg("%s: got %s want OK", fine[i].what, av_status_name(got));
		assert_no_faults(&faults);
		/* And protobuf-c agrees. */
		ProtobufCMessage *message = NULL;
		assert_int_equal(
			av_message_load(FILE_REPORT, av_bytes(fine[i].wire, fine[i].size), *state, &message),
			AV_OK);
	}
}

static void a_report_cut_at_any_byte_is_whole_or_refused(void **state)
{
	struct av_bytes wire = av_message_pack(&sample_report(*state)->base, *state);
	size_t refused = 0;
	assert_in_range(wire.size, 900, 1200);
	for (size_t size = 0; size < wire.size; size++) {
		struct av_faults faults;
		av_faults_init(&faults, *state);
		int got = scan_exactly(FILE_REPORT, wire.data, size, AV_WIRE_LIMITS_COMMAND, *state, &faults);
		if (got == AV_OK ? faults.count != 0 : faults.count == 0)
			fail_msg("cut at %zu: got %s with %zu faults", size, av_status_name(got),
				faults.count);
		refused += got < 0;
	}
	/* Only between two fields, and before the narrative, can a cut leave something that reads. */
	assert_in_range(refused, wire.size - 20, wire.size);
}

static void a_report_with_any_byte_changed_never_explodes(void **state)
{
	static const unsigned char values[] = {0x00, 0x01, 0x07, 0x0b, 0x7f, 0x80, 0xc3, 0xff};
	struct av_bytes wire = av_message_pack(&sample_report(*state)->base, *state);
	struct av_arena *arena = av_arena_create(0);
	unsigned char *bytes = malloc(wire.size);
	memcpy(bytes, wire.data, wire.size);
	for (size_t i = 0; i < wire.size; i++) {
		for (size_t v = 0; v < AV_COUNT(values) + 8; v++) {
			unsigned char was = bytes[i];
			struct av_faults faults;
			bytes[i] = v < AV_COUNT(values) ? values[v]
							: (unsigned char)(was ^ 1 << (v - AV_COUNT(values)));
			av_faults_init(&faults, arena);
			int got = scan_exactly(
				FILE_REPORT, bytes, wire.size, AV_WIRE_LIMITS_COMMAND, arena, &faults);
			if (got != AV_OK && faults.count == 0)
				fail_msg("byte %zu as %02x: %s without a fault", i, bytes[i],
					av_status_name(got));
			bytes[i] = was;
			av_arena_reset(arena);
		}
	}
	free(bytes);
	av_arena_destroy(&arena);
}

static void the_bounds_hold(void **state)
{
	struct av_wire_limits limits = {4096, 100, 3};
	unsigned char wire[5000] = {0};
	struct av_faults faults;
	ProtobufCMessage *message = NULL;

	av_faults_init(&faults, *state);
	assert_int_equal(
		av_message_unpack(FILE_REPORT, av_bytes(wire, 4097), limits, *state, &faults, &message),
		AV_TOO_LARGE);
	assert_fault(&faults, FAULT(TOO_LONG), "", "4 097 bytes: at most 4 096");

	/* 100 unknown numbers are read, 101 are not. */
	for (size_t i = 0; i < 101; i++)
		memcpy(wire + 3 * i, "\x98\x7f\x01", 3);
	assert_int_equal(av_wire_scan(FILE_REPORT, av_bytes(wire, 300), limits, &faults), AV_OK);
	assert_int_equal(av_wire_scan(FILE_REPORT, av_bytes(wire, 303), limits, &faults), AV_TOO_LARGE);

	/* So are packed ones, of which each costs a byte here and four in memory: the tag counts too. */
	memset(wire, 1, sizeof wire);
	memcpy(wire, "\x4a\x63", 2);
	assert_int_equal(av_wire_scan(FILE_REPORT, av_bytes(wire, 2 + 99), limits, &faults), AV_OK);
	memcpy(wire, "\x4a\x64", 2);
	av_faults_init(&faults, *state);
	assert_int_equal(av_wire_scan(FILE_REPORT, av_bytes(wire, 2 + 100), limits, &faults), AV_TOO_LARGE);
	assert_fault(&faults, FAULT(TOO_LONG), "laws[0]", "more fields than are read");

	/* report > narrative > measure is three deep; as a command it is four. */
	static const char nested[] = "\x82\x01\x02\x2a\x00";
	assert_int_equal(av_wire_scan(FILE_REPORT, av_bytes(nested, 5), limits, &faults), AV_OK);
	limits.depth = 2;
	av_faults_init(&faults, *state);
	assert_int_equal(av_wire_scan(FILE_REPORT, av_bytes(nested, 5), limits, &faults), AV_TOO_LARGE);
	assert_fault(&faults, FAULT(TOO_LONG), "narrative.immediate_measures[0]", "nested too deeply");
}

static void only_one_body_may_be_given(void **state)
{
	/* get_status (20) and list_quarantine (22) */
	static const char two[] = "\xa2\x01\x00\xb2\x01\x00";
	struct av_faults faults;
	av_faults_init(&faults, *state);
	assert_int_equal(av_wire_scan(&avvik__v1__command__descriptor, av_bytes(two, 3),
				 AV_WIRE_LIMITS_COMMAND, &faults),
		AV_OK);
	assert_int_equal(av_wire_scan(&avvik__v1__command__descriptor, av_bytes(two, 6),
				 AV_WIRE_LIMITS_COMMAND, &faults),
		AV_MALFORMED);
	assert_fault(&faults, FAULT(MALFORMED), "list_quarantine", "given twice");
}

static void no_message_has_more_fields_than_are_marked(void **state)
{
	const struct av_shape *shape;
	AV_UNUSED(state);
	for (size_t i = 0; (shape = av_shape_at(i)); i++)
		assert_in_range(shape->type->n_fields, 0, 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			broken_bytes_are_refused_with_the_path_of_the_field, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(what_protobuf_allows_is_read, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			a_report_cut_at_any_byte_is_whole_or_refused, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			a_report_with_any_byte_changed_never_explodes, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(the_bounds_hold, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(only_one_body_may_be_given, sample_setup, sample_teardown),
		cmocka_unit_test(no_message_has_more_fields_than_are_marked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
