/* wire_catalogue.c - proto/README.md names every message that is sent; the promises of the package hold */
#include "wire_samples.h"

#include "wire/shape.h"

/* The row of a command: "| `FileReport` |" at the start of a line. */
static void every_command_has_its_row_and_every_reply_and_event_is_named(void **state)
{
	static const struct {
		const ProtobufCMessageDescriptor *type;
		const char *before, *after;
	} bodies[] = {
		{&avvik__v1__command__descriptor, "\n| `", "` |"},
		{&avvik__v1__reply__descriptor, "`", "`"},
		{&avvik__v1__event__descriptor, "\n| `", "` |"},
		{&avvik__v1__feed_reply__descriptor, "`", "`"},
		{&avvik__v1__act_on_case__descriptor, "\n| `", "` |"},
	};
	char *text = sample_file(SOURCE_DIR "/proto/README.md");
	size_t missing = 0;
	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(bodies); i++) {
		for (unsigned n = 0; n < bodies[i].type->n_fields; n++) {
			const ProtobufCFieldDescriptor *field = &bodies[i].type->fields[n];
			char row[128];
			if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
				continue;
			const ProtobufCMessageDescriptor *body = field->descriptor;
			snprintf(row, sizeof row, "%s%s%s", bodies[i].before, body->short_name,
				bodies[i].after);
			if (strstr(text, row))
				continue;
			missing++;
			print_error("proto/README.md: %s of %s is not in the catalogue\n", body->short_name,
				bodies[i].type->short_name);
		}
	}
	free(text);
	assert_int_equal(missing, 0);
}

/* The name in "| `FileReport` |", NULL when the line is no such row. */
static const char *row_name(char *line)
{
	if (strncmp(line, "| `", 3) != 0)
		return NULL;
	char *end = strchr(line + 3, '`');
	if (!end)
		return NULL;
	*end = '\0';
	return line + 3;
}

static void every_row_is_of_a_message_that_there_is(void **state)
{
	char *text = sample_file(SOURCE_DIR "/proto/README.md"), *save = NULL;
	size_t rows = 0;
	AV_UNUSED(state);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const struct av_shape *shape;
		bool found = false;
		const char *name = row_name(line);
		if (!name)
			continue;
		for (size_t i = 0; !found && (shape = av_shape_at(i)); i++)
			found = strcmp(shape->type->short_name, name) == 0;
		if (!found)
			fail_msg("proto/README.md has a row for %s, which there is not", name);
		rows++;
	}
	free(text);
	assert_true(rows > 80);
}

static bool reaches(
	const ProtobufCMessageDescriptor *from, const ProtobufCMessageDescriptor *wanted, unsigned depth)
{
	for (unsigned i = 0; depth > 0 && i < from->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &from->fields[i];
		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (field->descriptor == wanted || reaches(field->descriptor, wanted, depth - 1))
			return true;
	}
	return false;
}

static unsigned depth_of(const ProtobufCMessageDescriptor *type)
{
	unsigned deepest = 0;
	for (unsigned i = 0; i < type->n_fields; i++)
		if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			deepest = AV_MAX(deepest, depth_of(type->fields[i].descriptor));
	return deepest + 1;
}

static void no_message_contains_itself_and_all_fit_the_depth_allowed(void **state)
{
	const struct av_shape *shape;
	AV_UNUSED(state);
	for (size_t i = 0; (shape = av_shape_at(i)); i++)
		if (reaches(shape->type, shape->type, 16))
			fail_msg("%s contains itself", shape->type->short_name);
	assert_in_range(depth_of(&avvik__v1__command__descriptor), 3, AV_WIRE_LIMITS_COMMAND.depth);
	assert_in_range(depth_of(&avvik__v1__event__descriptor), 3, AV_WIRE_LIMITS_COMMAND.depth);
	assert_in_range(depth_of(&avvik__v1__reply__descriptor), 3, AV_WIRE_LIMITS_COMMAND.depth);
}

static void every_enum_starts_at_unspecified_with_the_prefix_of_its_name(void **state)
{
	const struct av_enum_shape *shape;
	AV_UNUSED(state);
	for (size_t i = 0; (shape = av_enum_shape_at(i)); i++) {
		const ProtobufCEnumValue *zero = &shape->type->values[0];
		const char *end = "_UNSPECIFIED";
		size_t size = strlen(zero->name), prefix = size - strlen(end);
		if (zero->value != 0 || size <= strlen(end) || strcmp(zero->name + prefix, end) != 0)
			fail_msg("%s starts at %s = %d", shape->type->short_name, zero->name, zero->value);
		for (unsigned n = 0; n < shape->type->n_values; n++)
			if (strncmp(shape->type->values[n].name, zero->name, prefix + 1) != 0)
				fail_msg("%s.%s has another prefix", shape->type->short_name,
					shape->type->values[n].name);
	}
}

static void no_body_has_two_numbers(void **state)
{
	/* av_body_field_by_type finds one number: no body may stand twice in a oneof. */
	static const ProtobufCMessageDescriptor *const types[] = {&avvik__v1__command__descriptor,
		&avvik__v1__reply__descriptor, &avvik__v1__event__descriptor,
		&avvik__v1__act_on_case__descriptor};
	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(types); i++) {
		for (unsigned n = 0; n < types[i]->n_fields; n++) {
			const ProtobufCFieldDescriptor *field = &types[i]->fields[n];
			if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
				continue;
			const ProtobufCMessageDescriptor *body = field->descriptor;
			assert_ptr_equal(av_body_field_by_type(types[i], body->short_name), field);
		}
	}
}

/* Every "message X {" of the .proto files is reached from the roots of shape.c, so that rules and JSON know
 * it. */
static void every_message_of_the_package_has_a_shape(void **state)
{
	static const char *const files[] = {"admin", "case", "command", "common", "content", "deadline",
		"directory", "envelope", "feed", "notice", "report", "rules", "settings", "summary"};
	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(files); i++) {
		char path[512], *save = NULL;
		snprintf(path, sizeof path, SOURCE_DIR "/proto/avvik/v1/%s.proto", files[i]);
		char *text = sample_file(path);
		for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
			const struct av_shape *shape;
			bool found = false;
			if (strncmp(line, "message ", 8) != 0)
				continue;
			line[8 + strcspn(line + 8, " {")] = '\0';
			for (size_t n = 0; !found && (shape = av_shape_at(n)); n++)
				found = strcmp(shape->type->short_name, line + 8) == 0;
			if (!found)
				fail_msg("%s.proto: no root of shape.c reaches %s", files[i], line + 8);
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_has_its_row_and_every_reply_and_event_is_named),
		cmocka_unit_test(every_row_is_of_a_message_that_there_is),
		cmocka_unit_test(no_message_contains_itself_and_all_fit_the_depth_allowed),
		cmocka_unit_test(every_enum_starts_at_unspecified_with_the_prefix_of_its_name),
		cmocka_unit_test(no_body_has_two_numbers),
		cmocka_unit_test(every_message_of_the_package_has_a_shape),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
