/* wire_landed.c - what has landed on the wire stays: numbers, types and labels of fields, values of enums
 *
 * proto/landed.txt holds a line for each field and enum value that was ever given out. A line is never
 * changed; what is no longer used gets `gone ` before it, and its number (or value) is not used again. A new
 * field is appended:
 *
 *	test_wire_landed --write
 */
#include "wire_samples.h"

#include "wire/shape.h"

#define LANDED SOURCE_DIR "/proto/landed.txt"

struct lines {
	char **line;
	size_t count, room;
};

static void add_line(struct lines *lines, const char *line)
{
	if (lines->count == lines->room) {
		lines->room = lines->room ? 2 * lines->room : 256;
		lines->line = realloc(lines->line, lines->room * sizeof *lines->line);
	}
	lines->line[lines->count++] = strdup(line);
}

static void drop_lines(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->line[i]);
	free(lines->line);
	*lines = (struct lines){0};
}

static bool has_line(const struct lines *lines, const char *line)
{
	for (size_t i = 0; i < lines->count; i++)
		if (strcmp(lines->line[i], line) == 0)
			return true;
	return false;
}

static const char *type_text(const ProtobufCFieldDescriptor *field, char *text, size_t size)
{
	static const char *const names[] = {"int32", "sint32", "sfixed32", "int64", "sint64", "sfixed64",
		"uint32", "fixed32", "uint64", "fixed64", "float", "double", "bool", "enum", "string",
		"bytes", "message"};
	const char *of = "";
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		of = ((const ProtobufCMessageDescriptor *)field->descriptor)->short_name;
	else if (field->type == PROTOBUF_C_TYPE_ENUM)
		of = ((const ProtobufCEnumDescriptor *)field->descriptor)->short_name;
	snprintf(text, size, "%s%s%s", names[field->type], *of ? " " : "", of);
	return text;
}

static struct lines lines_of_the_descriptors(void)
{
	struct lines lines = {0};
	const struct av_shape *shape;
	const struct av_enum_shape *choices;
	char line[256], type[96];
	for (size_t i = 0; (shape = av_shape_at(i)); i++) {
		for (unsigned n = 0; n < shape->type->n_fields; n++) {
			const ProtobufCFieldDescriptor *field = &shape->type->fields[n];
			bool oneof = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
			bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
			snprintf(line, sizeof line, "%s.%s %u %s %s", shape->type->short_name, field->name,
				field->id,
				repeated ? "repeated"
				: oneof	 ? "oneof"
					 : "single",
				type_text(field, type, sizeof type));
			add_line(&lines, line);
		}
	}
	for (size_t i = 0; (choices = av_enum_shape_at(i)); i++) {
		for (unsigned n = 0; n < choices->type->n_values; n++) {
			snprintf(line, sizeof line, "%s.%s %d value", choices->type->short_name,
				choices->type->values[n].name, choices->type->values[n].value);
			add_line(&lines, line);
		}
	}
	return lines;
}

static struct lines lines_of_the_file(void)
{
	struct lines lines = {0};
	char *text = sample_file(LANDED), *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (*line != '#')
			add_line(&lines, line);
	free(text);
	return lines;
}

/* "FileReport" and 2 of "FileReport.unit 2 single string". */
static bool same_place(const char *a, const char *b)
{
	size_t owner = strcspn(a, ".");
	const char *a_number = strchr(a, ' '), *b_number = strchr(b, ' ');
	return owner == strcspn(b, ".") && strncmp(a, b, owner) == 0 && a_number && b_number &&
	       strtol(a_number, NULL, 10) == strtol(b_number, NULL, 10);
}

static void every_field_that_landed_stands_as_it_landed(void **state)
{
	struct lines now = lines_of_the_descriptors(), landed = lines_of_the_file();
	size_t wrong = 0;
	AV_UNUSED(state);
	for (size_t i = 0; i < landed.count; i++) {
		const char *line = landed.line[i];
		if (strncmp(line, "gone ", 5) == 0) {
			for (size_t n = 0; n < now.count; n++)
				if (same_place(line + 5, now.line[n]) && ++wrong)
					print_error(
						"the number of `%s` is used again by `%s`: take a new one\n",
						line, now.line[n]);
		} else if (!has_line(&now, line)) {
			wrong++;
			print_error("`%s` has landed and is not so any more: put it back, or write `gone ` "
				    "before its line and "
				    "reserve the number\n",
				line);
		}
	}
	drop_lines(&now);
	drop_lines(&landed);
	assert_int_equal(wrong, 0);
}

static void every_field_there_is_has_landed(void **state)
{
	struct lines now = lines_of_the_descriptors(), landed = lines_of_the_file();
	size_t missing = 0;
	AV_UNUSED(state);
	for (size_t i = 0; i < now.count; i++) {
		if (has_line(&landed, now.line[i]))
			continue;
		missing++;
		print_error("append to proto/landed.txt (or run this test with --write): %s\n", now.line[i]);
	}
	drop_lines(&now);
	drop_lines(&landed);
	assert_int_equal(missing, 0);
}

static int write_missing(void)
{
	struct lines now = lines_of_the_descriptors(), landed = {0};
	FILE *file = fopen(LANDED, "a+");
	if (!file) {
		drop_lines(&now);
		return 1;
	}
	landed = lines_of_the_file();
	if (landed.count == 0)
		fputs("# What has landed on the wire: message.field number label type, enum.value number. "
		      "Only appended to;\n"
		      "# see proto/README.md. `gone ` stands before what is no longer used; its number is "
		      "not used again.\n",
			file);
	for (size_t i = 0; i < now.count; i++)
		if (!has_line(&landed, now.line[i]))
			fprintf(file, "%s\n", now.line[i]);
	drop_lines(&now);
	drop_lines(&landed);
	return fclose(file) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_that_landed_stands_as_it_landed),
		cmocka_unit_test(every_field_there_is_has_landed),
	};
	if (argc == 2 && strcmp(argv[1], "--write") == 0)
		return write_missing();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
