/* wire_message.c - packing, unpacking, bodies, enum names, faults */
#include "wire_samples.h"

#include "wire/shape.h"

static void every_message_packs_and_unpacks_to_the_same_bytes(void **state)
{
	struct av_random random = av_random_seeded(7);
	const struct av_shape *shape;
	size_t messages = 0;
	for (size_t i = 0; (shape = av_shape_at(i)); i++) {
		for (unsigned turn = 0; turn < sample_turns(shape->type); turn++, messages++) {
			struct av_faults faults;
			ProtobufCMessage *made = sample_filled(shape->type, *state, &random, turn),
					 *got = NULL;
			av_faults_init(&faults, *state);
			struct av_bytes wire = av_message_pack(made, *state);
			unsigned char *whole = av_arena_alloc(*state, wire.size + 1);
			assert_int_equal(protobuf_c_message_get_packed_size(made), wire.size);
			assert_int_equal(protobuf_c_message_pack(made, whole), wire.size);
			assert_memory_equal(whole, wire.data, wire.size);
			int status = av_message_unpack(
				shape->type, wire, AV_WIRE_LIMITS_PUBLISH, *state, &faults, &got);
			assert_no_faults(&faults);
			assert_int_equal(status, AV_OK);
			assert_true(av_bytes_equal(wire, av_message_pack(got, *state)));
			ProtobufCMessage *copy = av_message_copy(got, *state);
			assert_ptr_not_equal(copy, got);
			assert_true(av_bytes_equal(wire, av_message_pack(copy, *state)));
			if (av_rules_check(got, &faults) < 0)
				print_error("in %s:\n", shape->type->short_name);
			assert_no_faults(&faults);
		}
	}
	assert_true(messages > 200);
}

static void the_canonical_form_does_not_depend_on_the_order_sent(void **state)
{
	static const char forth[] = "\x08\x01\x12\x01t\x4a\x02\x01\x02",
			  back[] = "\x48\x01\x12\x01t\x48\x02\x08\x01";
	ProtobufCMessage *a = NULL, *b = NULL;
	const ProtobufCMessageDescriptor *type = &avvik__v1__file_report__descriptor;
	assert_int_equal(av_message_unpack(type, av_bytes(forth, sizeof forth - 1), AV_WIRE_LIMITS_COMMAND,
				 *state, NULL, &a),
		AV_OK);
	assert_int_equal(av_message_unpack(type, av_bytes(back, sizeof back - 1), AV_WIRE_LIMITS_COMMAND,
				 *state, NULL, &b),
		AV_OK);
	assert_true(av_bytes_equal(av_message_pack(a, *state), av_message_pack(b, *state)));
}

static void an_empty_message_packs_to_no_bytes_that_are_not_null(void **state)
{
	Avvik__V1__GetStatus empty = AVVIK__V1__GET_STATUS__INIT;
	struct av_bytes wire = av_message_pack(&empty.base, *state);
	assert_non_null(wire.data);
	assert_int_equal(wire.size, 0);
}

static void what_the_store_cannot_give_back_is_damaged(void **state)
{
	ProtobufCMessage *message = NULL;
	assert_int_equal(
		av_message_load(&avvik__v1__event__descriptor, av_bytes("\x0a\x10", 2), *state, &message),
		AV_DAMAGED);
	assert_null(message);
}

static void a_full_arena_is_told_as_memory(void **state)
{
	struct av_arena *small = av_arena_create(64);
	struct av_bytes wire = av_message_pack(&sample_report(*state)->base, *state);
	ProtobufCMessage *message = NULL;
	assert_int_equal(av_message_unpack(&avvik__v1__file_report__descriptor, wire, AV_WIRE_LIMITS_COMMAND,
				 small, NULL, &message),
		AV_MEMORY);
	assert_null(message);
	av_arena_destroy(&small);
}

static void bodies_are_found_and_set_by_number_and_by_type(void **state)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__ActOnCase act = AVVIK__V1__ACT_ON_CASE__INIT;
	Avvik__V1__Remedy remedy = AVVIK__V1__REMEDY__INIT;
	Avvik__V1__FeedReply feed = AVVIK__V1__FEED_REPLY__INIT;
	Avvik__V1__FeedRefusal refusal = AVVIK__V1__FEED_REFUSAL__INIT;
	AV_UNUSED(state);

	assert_null(av_body_field(&command.base));
	assert_null(av_body(&command.base));
	av_body_set(&command.base, AVVIK__V1__COMMAND__BODY_ACT_ON_CASE, &act.base);
	assert_int_equal(command.body_case, AVVIK__V1__COMMAND__BODY_ACT_ON_CASE);
	assert_ptr_equal(command.act_on_case, &act);
	assert_ptr_equal(av_body(&command.base), &act.base);
	assert_string_equal(av_body_field(&command.base)->name, "act_on_case");
	av_body_set(&act.base, AVVIK__V1__ACT_ON_CASE__ACT_REMEDY, &remedy.base);
	assert_ptr_equal(av_body(&act.base), &remedy.base);
	assert_ptr_equal(act.remedy, &remedy);
	av_body_set(&feed.base, AVVIK__V1__FEED_REPLY__BODY_REFUSAL, &refusal.base);
	assert_ptr_equal(av_body(&feed.base), &refusal.base);
	assert_null(av_body(&remedy.base));

	const ProtobufCFieldDescriptor *field =
		av_body_field_by_type(&avvik__v1__event__descriptor, "ReportFiled");
	assert_int_equal(field->id, AVVIK__V1__EVENT__BODY_REPORT_FILED);
	assert_ptr_equal(av_body_field_by_number(&avvik__v1__event__descriptor, field->id), field);
	assert_null(av_body_field_by_type(&avvik__v1__event__descriptor, "Actor"));
	assert_null(av_body_field_by_number(&avvik__v1__event__descriptor, 1));
	assert_null(av_body_field_by_number(&avvik__v1__event__descriptor, 9999));
}

static void a_number_that_is_no_body_sets_nothing(void **state)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__GetStatus body = AVVIK__V1__GET_STATUS__INIT;
	AV_UNUSED(state);
	av_body_set(&command.base, 1, &body.base);
	assert_int_equal(command.body_case, 0);
	assert_ptr_equal(command.reference, protobuf_c_empty_string);
}

static void every_enum_value_is_found_by_its_name(void **state)
{
	const struct av_enum_shape *shape;
	size_t values = 0;
	AV_UNUSED(state);
	assert_string_equal(
		av_enum_name(&avvik__v1__degree__descriptor, AVVIK__V1__DEGREE__DEGREE_SERIOUS_RISK),
		"serious_risk");
	assert_string_equal(av_enum_name(&avvik__v1__case_kind__descriptor, 2), "lex_sarah");
	assert_string_equal(av_enum_name(&avvik__v1__degree__descriptor, 99), "");
	assert_string_equal(av_enum_name(&avvik__v1__degree__descriptor, -1), "");
	for (size_t i = 0; (shape = av_enum_shape_at(i)); i++) {
		assert_string_equal(av_enum_name(shape->type, 0), "unspecified");
		for (unsigned n = 0; n < shape->type->n_values; n++, values++) {
			int got = -1, want = shape->type->values[n].value;
			assert_int_equal(
				av_enum_value(shape->type, av_enum_name(shape->type, want), &got), AV_OK);
			assert_int_equal(got, want);
		}
	}
	int untouched = 4711;
	assert_int_equal(av_enum_value(&avvik__v1__degree__descriptor, "grave", &untouched), AV_NOT_FOUND);
	assert_int_equal(av_enum_value(&avvik__v1__degree__descriptor, "SERIOUS", &untouched), AV_NOT_FOUND);
	assert_int_equal(untouched, 4711);
	assert_true(values > 150);
}

static void faults_beyond_the_bound_are_counted_and_not_listed(void **state)
{
	struct av_faults faults = {.arena = *state, .prefix = "directory.yaml: "};
	size_t listed = 0;
	for (int i = 0; i < AV_FAULTS_MAX + 23; i++)
		av_fault(&faults, FAULT(REQUIRED), "unit", "is missing: give %d", i);
	for (const struct av_fault *f = faults.first; f; f = f->next)
		listed++;
	assert_int_equal(listed, AV_FAULTS_MAX);
	assert_int_equal(faults.count, AV_FAULTS_MAX + 23);
	assert_string_equal(faults.first->path, "directory.yaml: unit");
	assert_string_equal(faults.first->next->text, "is missing: give 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_message_packs_and_unpacks_to_the_same_bytes, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			the_canonical_form_does_not_depend_on_the_order_sent, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			an_empty_message_packs_to_no_bytes_that_are_not_null, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			what_the_store_cannot_give_back_is_damaged, sample_setup, sample_teardown),
		cmocka_unit_test_setup_teardown(
			a_full_arena_is_told_as_memory, sample_setup, sample_teardown),
		cmocka_unit_test(bodies_are_found_and_set_by_number_and_by_type),
		cmocka_unit_test(a_number_that_is_no_body_sets_nothing),
		cmocka_unit_test(every_enum_value_is_found_by_its_name),
		cmocka_unit_test_setup_teardown(
			faults_beyond_the_bound_are_counted_and_not_listed, sample_setup, sample_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
