/* wire_json.c - messages to JSON and back; every fault listed with a remedy */
#include "wire_samples.h"

#include "wire/json.h"
#include "wire/shape.h"

static json_t *parsed(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, 0, &error);
	if (!json)
		fail_msg("the test's own JSON, line %d: %s", error.line, error.text);
	return json;
}

/* From text to a message of a type. */
static int taken(const ProtobufCMessageDescriptor *type, const char *text, struct av_arena *arena,
	struct av_faults *faults, ProtobufCMessage **ret_message)
{
	json_t *json = parsed(text);
	av_faults_init(faults, arena);
	int status = av_json_to(type, json, arena, faults, ret_message);
	json_decref(json);
	return status;
}

static void every_message_goes_to_json_and_back(void **state)
{
	struct av_random random = av_random_seeded(2026);
	const struct av_shape *shape;
	size_t messages = 0;
	for (size_t i = 0; (shape = av_shape_at(i)); i++) {
		for (unsigned turn = 0; turn < 3 * sample_turns(shape->type); turn++, messages++) {
			struct av_faults faults;
			json_t *json = NULL;
			ProtobufCMessage *want = sample_filled(shape->type, *state, &random, turn),
					 *got = NULL;
			char *text = av_json_text(want, turn % 3, *state);
			assert_non_null(text);
			av_faults_init(&faults, *state);
			assert_int_equal(av_json_parse(av_bytes_of(text), &faults, &json), AV_OK);
			int status = av_json_to(shape->type, json, *state, &faults, &got);
			json_decref(json);
			if (status != AV_OK)
				print_error("%s: %s\n", shape->type->short_name, text);
			assert_no_faults(&faults);
			assert_int_equal(status, AV_OK);
			if (!av_bytes_equal(av_message_pack(want, *state), av_message_pack(got, *state)))
				fail_msg("%s: another message came back from %s", shape->type->short_name,
					text);
		}
	}
	assert_true(messages > 600);
}

static void a_report_reads_as_a_person_would_write_it(void **state)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__FileReport report = AVVIK__V1__FILE_REPORT__INIT;
	Avvik__V1__GetWhy why = AVVIK__V1__GET_WHY__INIT;
	Avvik__V1__Deputy deputy = AVVIK__V1__DEPUTY__INIT;
	static Avvik__V1__Law laws[] = {AVVIK__V1__LAW__LAW_SOL, AVVIK__V1__LAW__LAW_UNSPECIFIED};
	unsigned char id[16] = {0x01, 0x98, 0x05, 0xa2, 0x7c, 0x00, 0x70, 0x00, 0x80, 0, 0, 0, 0, 0, 0, 0x2a};
	command.reference = TEXT("ref-1");
	av_body_set(&command.base, AVVIK__V1__COMMAND__BODY_FILE_REPORT, &report.base);
	report.type = AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH_RISK;
	report.noticed_at_ms = INT64_C(1775027100000);
	report.laws = laws;
	report.n_laws = 2;
	report.protected_identity = 1;
	assert_string_equal(av_json_text(&command.base, 0, *state),
		"{\"reference\":\"ref-1\",\"file_report\":{\"type\":\"lex_sarah_risk\","
		"\"noticed_at\":\"2026-04-01T09:05:00+02:00\",\"laws\":[\"sol\",\"unspecified\"],\"protected_"
		"identity\":true}}");
	why.case_id = (ProtobufCBinaryData){16, id};
	assert_string_equal(
		av_json_text(&why.base, 0, *state), "{\"case_id\":\"019805a2-7c00-7000-8000-00000000002a\"}");
	deputy.from_on = 20626;
	assert_string_equal(av_json_text(&deputy.base, 1, *state), "{\n \"from_on\": \"2026-06-22\"\n}");
}

static void what_was_never_checked_is_printed_all_the_same(void **state)
{
	Avvik__V1__FileReport report = AVVIK__V1__FILE_REPORT__INIT;
	Avvik__V1__GetWhy why = AVVIK__V1__GET_WHY__INIT;
	Avvik__V1__Figure figure = AVVIK__V1__FIGURE__INIT;
	Avvik__V1__Deputy deputy = AVVIK__V1__DEPUTY__INIT;
	Avvik__V1__Cursor cursor = AVVIK__V1__CURSOR__INIT;
	unsigned char id[3] = {1, 2, 0xff};
	report.concerns = 99;
	report.noticed_at_ms = INT64_MAX;
	report.received_at_ms = -1;
	assert_string_equal(av_json_text(&report.base, 0, *state),
		"{\"concerns\":99,\"noticed_at_ms\":9223372036854775807,\"received_at_ms\":-1}");
	why.case_id = (ProtobufCBinaryData){3, id};
	assert_string_equal(av_json_text(&why.base, 0, *state), "{\"case_id\":\"0102ff\"}");
	figure.value = INT64_MIN;
	assert_string_equal(av_json_text(&figure.base, 0, *state), "{\"value\":-9223372036854775808}");
	deputy.from_on = -7;
	assert_string_equal(av_json_text(&deputy.base, 0, *state), "{\"from_on\":-7}");
	cursor.sequence = UINT64_MAX;
	assert_string_equal(av_json_text(&cursor.base, 0, *state), "{\"sequence\":\"18446744073709551615\"}");
}

static void packed_events_are_opened(void **state)
{
	Avvik__V1__EventsFound found = AVVIK__V1__EVENTS_FOUND__INIT;
	Avvik__V1__Event event = AVVIK__V1__EVENT__INIT;
	Avvik__V1__CasePlaced placed = AVVIK__V1__CASE_PLACED__INIT;
	event.sequence = 7;
	placed.unit = TEXT("tallen");
	av_body_set(&event.base, AVVIK__V1__EVENT__BODY_CASE_PLACED, &placed.base);
	struct av_bytes wire = av_message_pack(&event.base, *state);
	ProtobufCBinaryData events[] = {
		{wire.size, (uint8_t *)(uintptr_t)wire.data}, {2, (uint8_t[]){0xff, 0xff}}};
	found.events = events;
	found.n_events = 2;
	assert_string_equal(av_json_text(&found.base, 0, *state),
		"{\"events\":[{\"sequence\":7,\"case_placed\":{\"unit\":\"tallen\"}},\"ffff\"]}");
}

static void times_are_taken_in_each_form(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} rows[] = {
		{"{\"report_id\":\"019805a2-7c00-7000-8000-00000000002a\",\"received_at\":\"2026-04-01T09:"
		 "05\",\"narrative\":{}}",
			1775027100000},
		{"{\"report_id\":\"019805A27C00700080000000 "
		 "0000002a\",\"received_at\":\"2026-04-01T07:05:00Z\",\"narrative\":{}}",
			0},
		{"{\"report_id\":\"019805a27c007000800000000000002a\",\"received_at\":\"2026-04-01 "
		 "09:05:00+02:00\",\"narrative\":{}}",
			1775027100000},
		{"{\"report_id\":\"019805a27c007000800000000000002a\",\"received_at_ms\":1775027100000,"
		 "\"narrative\":{}}",
			1775027100000},
	};
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		struct av_faults faults;
		ProtobufCMessage *message = NULL;
		int got = taken(
			&avvik__v1__supplement_report__descriptor, rows[i].text, *state, &faults, &message);
		if (rows[i].want == 0) {
			assert_int_equal(got, AV_INVALID);
			assert_fault(&faults, FAULT(MALFORMED), "report_id", "is not a UUID: give it as");
			continue;
		}
		assert_no_faults(&faults);
		assert_true(((Avvik__V1__SupplementReport *)message)->received_at_ms == rows[i].want);
	}
}

static void every_fault_is_listed_with_its_remedy(void **state)
{
	static const char text[] =
		"{\"file_report\":{\"type\":\"lexsarah\",\"unti\":\"tallen\",\"laws\":["
		"\"sol\",7],\"noticed_at\":\"yesterday\","
		"\"received_at\":1,\"received_at_ms\":1,\"protected_identity\":\"yes\","
		"\"zzzzzzzz\":0,\"attachments\":{},"
		"\"narrative\":{\"description\":\"a\\u0007b\"},\"persons\":{\"affected\":[{"
		"\"birth_year\":1.5},{\"sex\":null,\"birth_year\":-1}]},"
		"\"reporter\":[]},\"get_status\":{}}";
	struct av_faults faults;
	ProtobufCMessage *message = NULL;
	assert_int_equal(taken(&avvik__v1__command__descriptor, text, *state, &faults, &message), AV_INVALID);
	assert_null(message);
	assert_fault(&faults, FAULT(UNKNOWN_VALUE), "file_report.type",
		"give one of deviation, lex_sarah, lex_sarah_risk");
	assert_fault(&faults, FAULT(UNKNOWN_FIELD), "file_report.unti", "did you mean unit?");
	assert_fault(&faults, FAULT(WRONG_TYPE), "file_report.laws[1]", "give the name of a value");
	assert_fault(&faults, FAULT(MALFORMED), "file_report.noticed_at", "give it as 2026-06-22T14:05");
	assert_fault(
		&faults, FAULT(CONTRADICTION), "file_report.received_at_ms", "stands beside received_at");
	assert_fault(&faults, FAULT(WRONG_TYPE), "file_report.received_at", "give a time such as");
	assert_fault(&faults, FAULT(WRONG_TYPE), "file_report.protected_identity", "give true or false");
	assert_fault(
		&faults, FAULT(UNKNOWN_FIELD), "file_report.zzzzzzzz", "is not a known key of FileReport");
	assert_fault(&faults, FAULT(WRONG_TYPE), "file_report.attachments", "give a list");
	assert_fault(&faults, FAULT(NOT_TEXT), "file_report.narrative.description", "control character");
	assert_fault(&faults, FAULT(WRONG_TYPE), "file_report.persons.affected[0].birth_year",
		"give a whole number");
	assert_fault(&faults, FAULT(OUT_OF_RANGE), "file_report.persons.affected[1].birth_year",
		"from 0 to 4294967295");
	assert_fault(&faults, FAULT(WRONG_TYPE), "file_report.reporter", "an object of keys and values");
	assert_fault(&faults, FAULT(CONTRADICTION), "get_status", "give one of them");
	/* No consequences beside them: the type is not also missing, nor the item of laws. */
	assert_int_equal(faults.count, 14);
}

static void faults_of_the_rules_follow_those_of_the_form(void **state)
{
	struct av_faults faults;
	ProtobufCMessage *message = NULL;
	assert_int_equal(taken(&avvik__v1__directory__descriptor,
				 "{\"version\":1,\"units\":[{\"code\":\"a "
				 "b\"},{\"cod\":\"x\",\"name\":\"X\",\"level\":\"unit\"}]}",
				 *state, &faults, &message),
		AV_INVALID);
	assert_int_equal(faults.count, 6);
	assert_string_equal(faults.first->path, "version");
	assert_fault(&faults, FAULT(WRONG_TYPE), "version", "give a text");
	assert_fault(&faults, FAULT(UNKNOWN_FIELD), "units[1].cod", "did you mean code?");
	assert_fault(&faults, FAULT(MALFORMED), "units[0].code", "is not a code");
	assert_fault(&faults, FAULT(REQUIRED), "units[0].name", "the name of the unit");
	assert_fault(&faults, FAULT(REQUIRED), "units[0].level", "give one of committee");
	assert_fault(&faults, FAULT(REQUIRED), "units[1].code", "the code of the unit");
}

static void a_day_is_never_taken_from_a_number(void **state)
{
	struct av_faults faults;
	ProtobufCMessage *message = NULL;
	assert_int_equal(taken(&avvik__v1__deputy__descriptor,
				 "{\"person\":\"a\",\"from_on\":2025,\"until_on\":\"2025-02-29\"}", *state,
				 &faults, &message),
		AV_INVALID);
	assert_int_equal(faults.count, 2);
	assert_fault(&faults, FAULT(WRONG_TYPE), "from_on", "give a day such as 2026-06-22");
	assert_fault(&faults, FAULT(MALFORMED), "until_on", "is not a day that exists");
}

static void what_is_not_an_object_is_one_fault(void **state)
{
	static const char *const texts[] = {"[]", "\"x\"", "7", "null"};
	for (size_t i = 0; i < AV_COUNT(texts); i++) {
		struct av_faults faults;
		json_t *json = NULL;
		ProtobufCMessage *message = NULL;
		av_faults_init(&faults, *state);
		assert_int_equal(av_json_parse(av_bytes_of(texts[i]), &faults, &json), AV_OK);
		assert_int_equal(
			av_json_to(&avvik__v1__directory__descriptor, json, *state, &faults, &message),
			AV_INVALID);
		json_decref(json);
		assert_int_equal(faults.count, 1);
		assert_fault(&faults, FAULT(WRONG_TYPE), "", "an object of keys and values");
	}
}

static void broken_json_is_a_fault_with_its_line_and_says_nothing_of_the_text(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"", "line 1"},
		{"{\"a\": secret", "line 1, column"},
		{"{\n\"a\": 1,\n\"b\" 2}", "line 3, column"},
		{"{\"a\":1,\"a\":2}", "given twice"},
		{"{\"a\":\"\\u0000\"}", "NUL"},
		{"{\"a\":\"\xff\"}", "UTF-8"},
		{"{\"a\":99999999999999999999}", "too large"},
		{"{} {}", "something follows"},
	};
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		struct av_faults faults;
		json_t *json = NULL;
		av_faults_init(&faults, *state);
		assert_int_equal(av_json_parse(av_bytes_of(rows[i].text), &faults, &json), AV_MALFORMED);
		assert_int_equal(faults.count, 1);
		assert_fault(&faults, FAULT(MALFORMED), "", rows[i].want);
		assert_null(strstr(faults.first->text, "secret"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_message_goes_to_json_and_back, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			a_report_reads_as_a_person_would_write_it, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			what_was_never_checked_is_printed_all_the_same, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(packed_events_are_opened, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(times_are_taken_in_each_form, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			every_fault_is_listed_with_its_remedy, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			faults_of_the_rules_follow_those_of_the_form, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			a_day_is_never_taken_from_a_number, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			what_is_not_an_object_is_one_fault, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			broken_json_is_a_fault_with_its_line_and_says_nothing_of_the_text, sample_setup,
			sample_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
