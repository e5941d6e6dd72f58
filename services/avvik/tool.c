/* tool.c - what every subcommand uses: the instance it talks to, calls, output, errors. */
#include "tool.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "ask.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/status.h"
#include "bus/principals.h"
#include "bus/socket.h"
#include "daemon/settings.h"
#include "wire/json.h"
#include "wire/yaml.h"

const char *const daemon_names[DAEMON_COUNT] = {"intake", "workflow", "notification", "reporting"};

int tool_fail(int code, const char *format, ...)
{
	va_list values;

	fputs("avvik: ", stderr);
	va_start(values, format);
	vfprintf(stderr, format, values);
	va_end(values);
	fputc('\n', stderr);
	return code;
}

bool tool_name_sound(const char *name)
{
	if (av_principal_name_valid(name))
		return true;
	tool_fail(0,
		"\"%s\" is no name of a principal: use 1 to 80 letters, digits, dots, dashes or underscores",
		name);
	return false;
}

/* --- the instance --- */

static const char *settings_find(const struct tool *tool)
{
	static const char *const places[] = {"state/avvik.yaml", "/etc/avvik/avvik.yaml"};
	const char *path = tool->settings_path ? tool->settings_path : getenv("AVVIK_SETTINGS");

	if (path && !tool->settings_path && !*path)
		path = NULL; /* set to nothing: as if it were not set */

	for (size_t i = 0; i < AV_COUNT(places) && !path; i++)
		if (access(places[i], F_OK) == 0)
			path = places[i];
	return path;
}

const Avvik__V1__Settings *tool_settings(struct tool *tool)
{
	struct av_faults faults;

	if (tool->settings)
		return tool->settings;
	const char *path = settings_find(tool);
	if (!path) {
		tool_fail(0, "no settings found: give --settings FILE, or make an instance with `avvik keys "
			     "init state`");
		return NULL;
	}
	av_faults_init(&faults, tool->arena);
	Avvik__V1__Settings *settings = NULL;
	int status = av_settings_load(path, tool->arena, &faults, &settings);
	if (status < 0) {
		tool_fail(0, "the settings %s cannot be used: %s%s", path, av_status_text(status),
			status == AV_NOT_FOUND
				? "; give --settings FILE, or make an instance with `avvik keys init`"
				: "");
		for (const struct av_fault *fault = faults.first; fault; fault = fault->next)
			fprintf(stderr, "  %s: %s\n", fault->path, fault->text);
		return NULL;
	}
	tool->settings_path = path;
	tool->folder = settings->state;
	tool->settings = settings;
	return settings;
}

AV_PRINTF(3, 0)
static const char *path_below(struct tool *tool, const char *folder, const char *format, va_list values)
{
	char name[512];
	vsnprintf(name, sizeof name, format, values);
	return av_arena_printf(tool->arena, "%s/%s", folder, name);
}

const char *tool_path(struct tool *tool, const char *format, ...)
{
	const char *path = NULL;
	if (tool_settings(tool)) {
		va_list values;
		va_start(values, format);
		path = path_below(tool, tool->settings->state, format, values);
		va_end(values);
	}
	return path;
}

const char *tool_key_path(struct tool *tool, const char *format, ...)
{
	const char *path = NULL;
	if (tool_settings(tool)) {
		va_list values;
		va_start(values, format);
		path = path_below(tool, tool->settings->keys, format, values);
		va_end(values);
	}
	return path;
}

const char *tool_server_key(struct tool *tool, enum tool_daemon daemon)
{
	const char *path = tool_key_path(tool, "%s.curve.pub", daemon_names[daemon]);
	char key[AV_CURVE_TEXT] = "";
	FILE *file = path ? fopen(path, "r") : NULL;

	if (path && (!file || fscanf(file, "%40s", key) != 1 || strlen(key) != AV_CURVE_TEXT - 1)) {
		tool_fail(0, "the public key of %s is not in %s: copy it there from the instance",
			daemon_names[daemon], path);
		*key = 0;
	}
	if (file)
		fclose(file);
	return *key ? av_arena_strdup(tool->arena, key) : NULL;
}

const Avvik__V1__Endpoints *tool_endpoints(struct tool *tool, enum tool_daemon daemon)
{
	const Avvik__V1__Settings *settings = tool_settings(tool);
	if (!settings)
		return NULL;
	const Avvik__V1__Endpoints *of[DAEMON_COUNT] = {
		settings->intake, settings->workflow, settings->notification, settings->reporting};
	return of[daemon];
}

bool tool_client_options(struct tool *tool, enum tool_daemon daemon, const char *endpoint,
	struct av_client_options *ret_options)
{
	struct av_keypair *keys = av_arena_zalloc(tool->arena, sizeof *keys);
	const char *path = tool_key_path(tool, "%s.curve", tool->key_name);
	const char *server = tool_server_key(tool, daemon);

	if (!keys || !path || !server)
		return false;
	int status = av_keypair_load(path, keys);
	if (status < 0) {
		tool_fail(0,
			"no key to sign in with: %s: %s; `avvik principals add %s %s` makes one, --key NAME "
			"takes another",
			path, av_status_text(status), tool->key_name,
			strcmp(tool->key_name, "takeover") == 0 ? "--kind administrator --rights take_over"
								: "--kind … --rights …");
		return false;
	}
	*ret_options = (struct av_client_options){.endpoint = endpoint,
		.server_key = server,
		.public_key = keys->public_key,
		.secret_key = keys->secret_key};
	return true;
}

int64_t tool_now_ms(struct tool *tool)
{
	struct av_clock clock = av_clock_real();
	const Avvik__V1__Settings *settings = tool_settings(tool);

	if (settings && strcmp(settings->clock, "stepped") == 0) {
		const char *path = tool_path(tool, "clock");
		if (path && av_clock_open_stepped(path, &clock) != AV_OK)
			clock = av_clock_real();
	}
	int64_t now = av_clock_now_ms(&clock);
	av_clock_close(&clock);
	return now;
}

/* --- calls --- */

struct av_client *tool_client(struct tool *tool, enum tool_daemon daemon)
{
	struct av_client_options options;
	const Avvik__V1__Endpoints *endpoints = tool_endpoints(tool, daemon);

	if (tool->clients[daemon] || !endpoints)
		return tool->clients[daemon];
	if (!tool_client_options(tool, daemon, endpoints->command, &options))
		return NULL;
	int status = av_client_open(&options, &tool->clients[daemon]);
	if (status < 0)
		tool_fail(0, "cannot use %s at %s: %s", daemon_names[daemon], endpoints->command,
			av_status_text(status));
	return tool->clients[daemon];
}

Avvik__V1__Reply *tool_call(struct tool *tool, enum tool_daemon daemon, Avvik__V1__Command *command)
{
	struct av_client *client = tool_client(tool, daemon);
	Avvik__V1__Reply *reply = NULL;
	char reference[40];

	if (!client)
		return NULL;
	if (tool->person && !*command->on_behalf_of)
		command->on_behalf_of = (char *)tool->person;
	if (!*command->reference) {
		unsigned char random[16];
		strcpy(reference, "cli-");
		if (getrandom(random, sizeof random, 0) == sizeof random)
			av_hex(random, sizeof random, reference + 4);
		command->reference = reference;
	}
	int status = av_client_call(client, command, &reply);
	if (command->reference == reference)
		command->reference = (char *)"";
	if (status == AV_TIMEOUT)
		tool_fail(0,
			"%s does not answer at %s: is it running (`avvik status`), and is the key of \"%s\" "
			"in principals.yaml?",
			daemon_names[daemon], tool_endpoints(tool, daemon)->command, tool->key_name);
	else if (status < 0)
		tool_fail(0, "no reply from %s: %s", daemon_names[daemon], av_status_text(status));
	return status < 0 ? NULL : reply;
}

void tool_reply_free(Avvik__V1__Reply **reply)
{
	if (*reply)
		avvik__v1__reply__free_unpacked(*reply, NULL);
	*reply = NULL;
}

int tool_refused(struct tool *tool, const Avvik__V1__Reply *reply)
{
	bool done = reply->status == AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE;

	if (!done && tool->json) {
		tool_print_json(tool, &reply->base);
		return EXIT_REFUSED;
	}
	if (!done)
		fprintf(stderr, "avvik: %s%s%s\n",
			av_enum_name(&avvik__v1__reply_status__descriptor, (int)reply->status),
			*reply->text ? ": " : "", reply->text);
	for (size_t i = 0; i < reply->n_faults && !tool->json; i++) {
		const Avvik__V1__Fault *fault = reply->faults[i];
		if (done || (*fault->path && strcmp(fault->text, reply->text) != 0))
			fprintf(stderr, "  %s%s%s%s\n", done ? "kept, but " : "",
				ask_field(tool, fault->path), *fault->path ? ": " : "", fault->text);
	}
	return done ? EXIT_DONE : EXIT_REFUSED;
}

bool tool_ask(struct tool *tool, enum tool_daemon daemon, Avvik__V1__Command *command,
	Avvik__V1__Reply **ret_reply, int *ret_exit)
{
	Avvik__V1__Reply *reply = tool_call(tool, daemon, command);

	*ret_exit = reply ? tool_refused(tool, reply) : EXIT_AWAY;
	if (*ret_exit != EXIT_DONE) {
		tool_reply_free(&reply);
		return false;
	}
	*ret_reply = reply;
	return true;
}

/* --- output and input --- */

void tool_print_json(struct tool *tool, const ProtobufCMessage *message)
{
	const char *text = av_json_text(message, 2, tool->arena);
	puts(text ? text : "null");
}

const char *tool_id_text(struct tool *tool, ProtobufCBinaryData id)
{
	char text[AV_ID_TEXT] = "";
	if (id.len == AV_ID_SIZE)
		av_id_text((const struct av_id *)id.data, text);
	return av_arena_strdup(tool->arena, text);
}

const char *tool_time(struct tool *tool, int64_t at_ms)
{
	char text[17] = "";
	if (at_ms)
		av_instant_minute_text(at_ms, text);
	return av_arena_strdup(tool->arena, text);
}

const char *tool_day(struct tool *tool, int32_t on)
{
	char text[AV_DATE_TEXT] = "";
	if (on)
		av_day_text(on, text);
	return av_arena_strdup(tool->arena, text);
}

int tool_parse_time(struct tool *tool, const char *option, const char *text, int64_t *ret_ms)
{
	if (strcmp(text, "now") == 0) {
		*ret_ms = tool_now_ms(tool);
		return AV_OK;
	}
	if (av_instant_parse(text, ret_ms) == AV_OK)
		return AV_OK;
	tool_fail(0, "%s%s%s\"%s\" is no time: write 2026-04-01, \"2026-04-01 08:00\" or now",
		option ? "--" : "", option ? option : "", option ? ": " : "", text);
	return AV_INVALID;
}

/* A case by its number is asked of workflow; a UUID is taken as it is. */
int tool_case_id(struct tool *tool, const char *text, struct av_id *ret_id)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	Avvik__V1__Reply *reply = NULL;
	int code, status = AV_NOT_FOUND;

	if (av_id_parse(text, ret_id) == AV_OK)
		return AV_OK;
	if (!text[0] || strspn(text, "0123456789-") != strlen(text)) {
		tool_fail(0, "\"%s\" is neither a case number (2026-0042) nor a UUID", text);
		return AV_INVALID;
	}
	get.number = (char *)text;
	command.body_case = AVVIK__V1__COMMAND__BODY_GET_CASE;
	command.get_case = &get;
	if (tool_ask(tool, DAEMON_WORKFLOW, &command, &reply, &code) &&
		reply->body_case == AVVIK__V1__REPLY__BODY_CASE_FOUND && reply->case_found->case_ &&
		reply->case_found->case_->case_id.len == AV_ID_SIZE) {
		memcpy(ret_id->bytes, reply->case_found->case_->case_id.data, AV_ID_SIZE);
		status = AV_OK;
	}
	tool_reply_free(&reply);
	return status;
}
