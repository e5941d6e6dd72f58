/* report_items.c - reports from files: JSON or YAML, one or many, in documents, arrays and folders. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/status.h"
#include "report_tool.h"
#include "wire/json.h"
#include "wire/yaml.h"

struct walk {
	struct tool *tool;
	report_visitor *visit;
	void *context;
	const char *path;
	struct av_arena *arena; /* of one item */
	struct av_yaml *yaml;	/* NULL: JSON */
};

/* What stands there instead of a report. */
static int visit_faulty(struct walk *walk, const char *source, const struct av_faults *faults)
{
	struct report_item item = {.source = source, .reference = "", .faults = faults, .arena = walk->arena};
	return walk->visit(walk->context, &item);
}

static int visit_unreadable(struct walk *walk, const char *place, const char *why)
{
	struct av_faults faults;

	av_arena_reset(walk->arena);
	av_faults_init(&faults, walk->arena);
	av_fault(&faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_MALFORMED, place, "%s", why);
	return visit_faulty(walk, walk->path, &faults);
}

/* Beside `reference` and `report` nothing may stand, or a slip in a name would lose a part. */
static void wrapper_check(struct walk *walk, const json_t *value, const char *path, struct av_faults *faults)
{
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	{
		if (strcmp(key, "reference") == 0 || strcmp(key, "report") == 0)
			continue;
		const char *whole = av_arena_printf(walk->arena, "%s%s%s", path, *path ? "." : "", key);
		if (walk->yaml)
			whole = av_arena_printf(
				walk->arena, "%s %s", av_yaml_mark(walk->yaml, whole, walk->arena), whole);
		av_fault(faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_UNKNOWN_FIELD, whole,
			"is not known here: an item has `reference` and `report`, or the report's own "
			"fields");
	}
}

static const char *reference_of(struct walk *walk, const json_t *value)
{
	const json_t *reference = json_object_get(value, "reference");

	if (json_is_string(reference))
		return json_string_value(reference);
	if (json_is_integer(reference)) /* a plain number in YAML */
		return av_arena_printf(walk->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(reference));
	return "";
}

/* An item is {reference, report}, or the report with `reference` beside its fields. */
static int visit_value(struct walk *walk, const json_t *value, const char *path)
{
	struct report_item item = {.reference = "", .arena = walk->arena};
	struct av_faults faults;
	ProtobufCMessage *message = NULL;

	av_arena_reset(walk->arena);
	av_faults_init(&faults, walk->arena);
	item.source = walk->yaml ? av_yaml_mark(walk->yaml, path, walk->arena)
				 : av_arena_printf(walk->arena, "%s%s", walk->path, path);
	item.faults = &faults;
	if (!json_is_object(value)) {
		av_fault(&faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_WRONG_TYPE, path,
			"is no report: give fields, or {reference: ..., report: {...}}");
		return visit_faulty(walk, item.source, &faults);
	}
	const json_t *report = json_object_get(value, "report");
	json_t *copy = NULL;
	const char *inner = path;
	item.reference = reference_of(walk, value);
	if (json_is_object(report)) {
		wrapper_check(walk, value, path, &faults);
		inner = av_arena_printf(walk->arena, "%s%sreport", path, *path ? "." : "");
	} else {
		copy = json_copy((json_t *)(uintptr_t)value);
		json_object_del(copy, "reference");
		report = copy;
	}
	if (walk->yaml) {
		av_yaml_part(walk->yaml, report, inner, &avvik__v1__file_report__descriptor, walk->arena,
			&faults, &message);
	} else {
		faults.prefix = *inner ? av_arena_printf(walk->arena, "%s.", inner) : NULL;
		av_json_to(&avvik__v1__file_report__descriptor, report, walk->arena, &faults, &message);
		faults.prefix = NULL;
	}
	item.report = (Avvik__V1__FileReport *)message;
	int status = walk->visit(walk->context, &item);
	json_decref(copy);
	return status;
}

static int visit_document(struct walk *walk, const json_t *value, const char *before)
{
	char path[40];
	size_t index;
	json_t *member;

	if (!json_is_array(value))
		return visit_value(walk, value, before);
	json_array_foreach((json_t *)(uintptr_t)value, index, member)
	{
		snprintf(path, sizeof path, "%s[%zu]", before, index);
		int status = visit_value(walk, member, path);
		if (status != AV_OK)
			return status;
	}
	return AV_OK;
}

/* --- documents --- */

static bool looks_like_json(const char *text)
{
	text += strspn(text, " \t\r\n");
	return *text == '{' || *text == '[';
}

/* JSON values one after another: an array, one object, or an object a line. */
static int visit_json(struct walk *walk, const char *text, size_t size)
{
	size_t at = 0, number = 0, line = 1, line_start = 0;
	int status = AV_OK;

	while (status == AV_OK) {
		json_error_t error;
		for (; at < size && strchr(" \t\r\n", text[at]); at++) {
			line += text[at] == '\n';
			line_start = text[at] == '\n' ? at + 1 : line_start;
		}
		if (at == size)
			break;
		json_t *value = json_loadb(text + at, size - at,
			JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
		if (!value) {
			const char *place = av_arena_printf(walk->tool->arena, "%s:%zu:%zu", walk->path,
				line + (size_t)error.line - 1,
				(size_t)error.column + (error.line == 1 ? at - line_start : 0));
			return visit_unreadable(walk, place, av_json_syntax_text(&error));
		}
		char before[24] = "";
		if (number++ || memchr(text + at + error.position, '{', size - at - (size_t)error.position))
			snprintf(before, sizeof before, "(%zu)", number);
		status = visit_document(walk, value, before);
		for (size_t end = at + (size_t)error.position; at < end; at++) {
			line += text[at] == '\n';
			line_start = text[at] == '\n' ? at + 1 : line_start;
		}
		json_decref(value);
	}
	return status;
}

static int visit_yaml(struct walk *walk, const char *text, size_t size)
{
	struct av_arena *arena = av_arena_create(0); /* of faults that concern the file */
	struct av_faults faults;

	if (!arena)
		return AV_MEMORY;
	av_faults_init(&faults, arena);
	int status = av_yaml_open(av_bytes(text, size), walk->path, &faults, &walk->yaml);
	while (status == AV_OK && !faults.count) {
		if (json_is_null(av_yaml_json(walk->yaml)))
			status = AV_OK; /* an empty document */
		else
			status = visit_document(walk, av_yaml_json(walk->yaml), "");
		if (status != AV_OK)
			break;
		status = av_yaml_next(walk->yaml, &faults);
		if (status == AV_NOTHING && !faults.count) {
			av_yaml_close(&walk->yaml);
			av_arena_destroy(&arena);
			return AV_OK;
		}
	}
	if (faults.count)
		status = visit_faulty(walk, walk->path, &faults);
	else if (status == AV_TOO_LARGE)
		status = visit_unreadable(
			walk, walk->path, "is larger than YAML may be (8 MiB): give it as JSON, or in parts");
	av_yaml_close(&walk->yaml);
	av_arena_destroy(&arena);
	return status;
}

static int visit_file(struct walk *walk)
{
	char *text;
	size_t size;
	char why[160];

	if (ask_file_why(walk->path, REPORT_INPUT_MAX, &text, &size, why, sizeof why) < 0)
		return visit_unreadable(walk, walk->path, why);
	int status = looks_like_json(text) ? visit_json(walk, text, size) : visit_yaml(walk, text, size);
	free(text);
	return status;
}

static int is_report_file(const struct dirent *entry)
{
	static const char *const endings[] = {".json", ".jsonl", ".yaml", ".yml"};
	const char *ending = strrchr(entry->d_name, '.');

	for (size_t i = 0; ending && *entry->d_name != '.' && i < AV_COUNT(endings); i++)
		if (strcmp(ending, endings[i]) == 0)
			return 1;
	return 0;
}

static int visit_folder(struct walk *walk, const char *folder)
{
	struct dirent **entries;
	int status = AV_OK, count = scandir(folder, &entries, is_report_file, alphasort);

	if (count < 0) {
		tool_fail(0, "cannot read the folder %s: %s", folder, strerror(errno));
		return AV_IO;
	}
	if (count == 0)
		tool_fail(0, "%s has no .json, .jsonl, .yaml or .yml files", folder);
	for (int i = 0; i < count; i++) {
		walk->path = av_arena_printf(walk->tool->arena, "%s/%s", folder, entries[i]->d_name);
		if (status == AV_OK)
			status = visit_file(walk);
		free(entries[i]);
	}
	free(entries);
	return status;
}

int report_items_each(struct tool *tool, const char *path, report_visitor *visit, void *context)
{
	struct walk walk = {.tool = tool, .visit = visit, .context = context, .path = path};
	struct stat about;

	walk.arena = av_arena_create(0);
	if (!walk.arena)
		return AV_MEMORY;
	int status = strcmp(path, "-") != 0 && stat(path, &about) == 0 && S_ISDIR(about.st_mode)
			     ? visit_folder(&walk, path)
			     : visit_file(&walk);
	av_arena_destroy(&walk.arena);
	return status;
}

/* --- one document --- */

json_t *report_document(struct tool *tool, const char *path, struct av_yaml **ret_yaml)
{
	struct av_faults faults;
	json_error_t error;
	json_t *value = NULL;
	char *text;
	size_t size;

	if (ask_file(path, REPORT_INPUT_MAX, &text, &size) < 0)
		return NULL;
	av_faults_init(&faults, tool->arena);
	if (looks_like_json(text)) {
		value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
		if (!value)
			tool_fail(0, "%s:%d:%d: %s", path, error.line, error.column,
				av_json_syntax_text(&error));
	} else if (av_yaml_open(av_bytes(text, size), path, &faults, ret_yaml) == AV_OK && !faults.count) {
		value = json_incref((json_t *)(uintptr_t)av_yaml_json(*ret_yaml));
	} else {
		tool_fail(0, "%s cannot be read", path);
		ask_tell(&faults);
		av_yaml_close(ret_yaml);
	}
	free(text);
	return value;
}
