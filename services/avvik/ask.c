/* ask.c - short ways to ask the daemons, to read files, and to say what came back. */
#include "ask.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/status.h"
#include "seal/crypto.h"
#include "wire/json.h"

#define TEXT_MAX (64 * 1024)

bool ask_as(struct tool *tool, enum tool_daemon daemon, const char *reference, unsigned int number,
	ProtobufCMessage *body, Avvik__V1__Reply **ret_reply, int *ret_exit)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;

	if (reference)
		command.reference = (char *)(uintptr_t)reference;
	av_body_set(&command.base, number, body);
	return tool_ask(tool, daemon, &command, ret_reply, ret_exit);
}

bool ask(struct tool *tool, enum tool_daemon daemon, unsigned int number, ProtobufCMessage *body,
	Avvik__V1__Reply **ret_reply, int *ret_exit)
{
	return ask_as(tool, daemon, NULL, number, body, ret_reply, ret_exit);
}

const char *ask_reference(struct tool *tool, const char *prefix, struct av_bytes ordered)
{
	unsigned char hash[AV_HASH_SIZE];
	char text[33];

	av_hash(ordered, hash);
	av_hex(hash, 16, text);
	return av_arena_printf(tool->arena, "%s-%s", prefix, text);
}

int ask_enum(struct tool *tool, const char *option, const ProtobufCEnumDescriptor *type, const char *text,
	int *ret_value)
{
	const char *names = "";

	if (*text && av_enum_value(type, text, ret_value) == AV_OK && *ret_value != 0)
		return AV_OK;
	for (unsigned int i = 0; i < type->n_values; i++)
		if (type->values[i].value != 0)
			names = av_arena_printf(tool->arena, "%s%s%s", names, *names ? ", " : "",
				av_enum_name(type, type->values[i].value));
	tool_fail(0, "%s: \"%s\" is none of %s", option, text, names);
	return AV_INVALID;
}

const char *ask_words(struct tool *tool, const ProtobufCEnumDescriptor *type, int value)
{
	char *text = value ? av_arena_strdup(tool->arena, av_enum_name(type, value)) : NULL;

	for (char *c = text; c && *c; c++) {
		if (*c == '_')
			*c = ' ';
		if (strncmp(c, "sarah", 5) == 0)
			*c = 'S';
		if (strncmp(c, "ivo", 3) == 0)
			memcpy(c, "IVO", 3);
	}
	return text ? text : "";
}

int ask_id(const char *text, struct av_id *ret_id)
{
	if (av_id_parse(text, ret_id) == AV_OK)
		return AV_OK;
	tool_fail(
		0, "\"%s\" is no id: give it as it was printed, 019805a2-7c00-7000-8000-000000000000", text);
	return AV_INVALID;
}

int ask_daemon(const char *text, enum tool_daemon *ret_daemon)
{
	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		if (strcmp(daemon_names[daemon], text) == 0) {
			*ret_daemon = (enum tool_daemon)daemon;
			return AV_OK;
		}
	}
	tool_fail(0, "\"%s\" is no daemon: intake, workflow, notification or reporting", text);
	return AV_INVALID;
}

static int read_all(FILE *file, size_t limit, char **ret_text, size_t *ret_size)
{
	size_t size = 0, room = 65536;
	char *text = malloc(room + 1);

	while (text) {
		size += fread(text + size, 1, room - size, file);
		if (ferror(file) || size > limit) {
			free(text);
			return ferror(file) ? AV_IO : AV_TOO_LARGE;
		}
		if (size < room) {
			text[size] = 0;
			*ret_text = text;
			*ret_size = size;
			return AV_OK;
		}
		room *= 2;
		char *larger = realloc(text, room + 1);
		if (!larger)
			free(text);
		text = larger;
	}
	return AV_MEMORY;
}

int ask_file_why(
	const char *path, size_t limit, char **ret_text, size_t *ret_size, char *why, size_t why_size)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdin : fopen(path, "r");

	if (!file) {
		snprintf(why, why_size, "cannot be read: %s", strerror(errno));
		return AV_NOT_FOUND;
	}
	int status = read_all(file, limit, ret_text, ret_size);
	if (status == AV_TOO_LARGE)
		snprintf(why, why_size, "is larger than %zu bytes: give it in parts", limit);
	else if (status < 0)
		snprintf(why, why_size, "cannot be read: %s",
			status == AV_IO ? strerror(errno) : av_status_text(status));
	if (!standard)
		fclose(file);
	return status;
}

int ask_file(const char *path, size_t limit, char **ret_text, size_t *ret_size)
{
	char why[160];
	int status = ask_file_why(path, limit, ret_text, ret_size, why, sizeof why);

	if (status < 0)
		tool_fail(0, "%s %s", path, why);
	return status;
}

const char *ask_text(struct tool *tool, const char *option, const char *text)
{
	char *read;
	size_t size;

	if (*text != '@' && strcmp(text, "-") != 0)
		return text;
	if (ask_file(*text == '@' ? text + 1 : text, TEXT_MAX, &read, &size) < 0)
		return NULL;
	if (strlen(read) != size) {
		free(read);
		tool_fail(0, "%s: there is a NUL in the text: give text in UTF-8", option);
		return NULL;
	}
	while (size && (read[size - 1] == '\n' || read[size - 1] == '\r'))
		read[--size] = 0;
	const char *kept = av_arena_strdup(tool->arena, read);
	free(read);
	return kept;
}

void ask_tell(const struct av_faults *faults)
{
	size_t told = 0;

	for (const struct av_fault *fault = faults->first; fault; fault = fault->next, told++)
		fprintf(stderr, "  %s: %s\n", fault->path, fault->text);
	if (faults->count > told)
		fprintf(stderr, "  ... and %zu more\n", faults->count - told);
}

const char *ask_number(struct tool *tool, int64_t number)
{
	char digits[24], grouped[32];
	size_t at = 0;
	size_t count = (size_t)snprintf(digits, sizeof digits, "%lld", (long long)number);

	for (size_t i = 0; i < count; i++) {
		size_t left = count - i;
		if (i && left % 3 == 0 && digits[i - 1] != '-')
			grouped[at++] = ' ';
		grouped[at++] = digits[i];
	}
	grouped[at] = 0;
	return av_arena_strdup(tool->arena, grouped);
}

const char *ask_weekday(struct tool *tool, int32_t on)
{
	static const char *const names[] = {
		"", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

	return on ? av_arena_printf(tool->arena, "%s %s", names[av_weekday(on)], tool_day(tool, on)) : "";
}

bool limit_take(struct list_limit *limit)
{
	if (limit->left <= 0) {
		limit->more = true;
		return false;
	}
	limit->left--;
	limit->shown++;
	return true;
}

bool limit_sound(const struct list_limit *limit)
{
	if (limit->left < 1)
		tool_fail(0, "--limit: give 1 or more");
	return limit->left >= 1;
}

void limit_tell(const struct tool *tool, const struct list_limit *limit)
{
	if (limit->more && !tool->json)
		printf("%lld shown, there are more: --limit N\n", (long long)limit->shown);
}

const char *ask_field(struct tool *tool, const char *path)
{
	static const char time[] = "_at_ms", unit[] = "_ms";
	size_t size = strlen(path);

	if (size < sizeof time || strcmp(path + size - (sizeof time - 1), time) != 0)
		return path;
	return av_arena_printf(tool->arena, "%.*s", (int)(size - (sizeof unit - 1)), path);
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	AV_UNUSED(number);
	interrupted = 1;
}

void ask_interrupts(void)
{
	struct sigaction action = {.sa_handler = on_interrupt};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool ask_interrupted(void)
{
	return interrupted != 0;
}

/* --- JSON --- */

void json_list_value(struct json_list *list, json_t *value)
{
	char *text = json_dumps(value, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

	printf("%s%s", list->count++ ? ",\n" : "[", text ? text : "null");
	free(text);
	json_decref(value);
}

void json_list_item(struct json_list *list, struct tool *tool, const ProtobufCMessage *message)
{
	const char *text = av_json_text(message, 2, tool->arena);

	printf("%s%s", list->count++ ? ",\n" : "[", text ? text : "null");
}

void json_list_end(struct json_list *list)
{
	puts(list->count ? "]" : "[]");
}
