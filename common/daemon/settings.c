/* settings.c - avvik.yaml: read, defaults, every fault with its remedy; and where the files of an instance
 * lie */
#include "daemon/settings.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "avvik/v1/common.pb-c.h"
#include "base/log.h"

#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name

static bool empty(const char *text)
{
	return !text || text[0] == '\0';
}

/* --- defaults --- */

static void or_text(char **field, const char *otherwise)
{
	if (empty(*field))
		*field = (char *)(uintptr_t)otherwise;
}

static void or_number(uint32_t *field, uint32_t otherwise)
{
	if (*field == 0)
		*field = otherwise;
}

/* Relative paths are relative to the settings file. */
static void or_path(char **field, const char *base, const char *otherwise, struct av_arena *arena)
{
	const char *path = empty(*field) ? otherwise : *field;
	*field = path[0] == '/' ? (char *)(uintptr_t)path : av_arena_printf(arena, "%s/%s", base, path);
}

static Avvik__V1__Endpoints *endpoints_or(Avvik__V1__Endpoints *given, struct av_arena *arena)
{
	Avvik__V1__Endpoints *made = given ? given : av_arena_alloc(arena, sizeof *made);
	if (made && !given)
		avvik__v1__endpoints__init(made);
	return made;
}

static bool defaults(Avvik__V1__Settings *s, const char *base, struct av_arena *arena)
{
	if (!s->limits && (s->limits = av_arena_alloc(arena, sizeof *s->limits)))
		avvik__v1__limits__init(s->limits);
	if (!s->mail && (s->mail = av_arena_alloc(arena, sizeof *s->mail)))
		avvik__v1__mail__init(s->mail);
	s->intake = endpoints_or(s->intake, arena);
	s->workflow = endpoints_or(s->workflow, arena);
	s->notification = endpoints_or(s->notification, arena);
	s->reporting = endpoints_or(s->reporting, arena);
	if (av_arena_failed(arena))
		return false;
	or_text(&s->clock, "real");
	or_text(&s->log_level, "info");
	or_text(&s->mail->transport, "maildir");
	or_text(&s->mail->tls, "required");
	or_number(&s->mail->timeout_seconds, 30);
	or_path(&s->state, base, base, arena);
	or_path(&s->principals, base, "principals.yaml", arena);
	or_path(&s->keys, base, "keys", arena);
	or_path(&s->templates, base, "templates", arena);
	or_number(&s->limits->map_megabytes, AV_MAP_MEGABYTES);
	or_number(&s->limits->memory_megabytes, AV_MEMORY_MEGABYTES);
	or_number(&s->limits->connections, AV_CONNECTIONS);
	or_number(&s->limits->frame_kilobytes, AV_FRAME_KILOBYTES);
	or_number(&s->limits->turn_items, AV_TURN_ITEMS);
	or_number(&s->limits->turn_milliseconds, AV_TURN_MILLISECONDS);
	if (av_arena_failed(arena))
		return false;
	or_path(&s->mail->maildir, s->state, "mail", arena);
	if (!empty(s->mail->ca_file))
		or_path(&s->mail->ca_file, base, "", arena);
	if (!empty(s->mail->password_file))
		or_path(&s->mail->password_file, base, "", arena);
	return !av_arena_failed(arena);
}

/* --- checks --- */

bool av_settings_instance_valid(const char *name)
{
	size_t length = strlen(name);
	return length > 0 && length <= 40 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static void check_instance(const Avvik__V1__Settings *s, struct av_faults *faults)
{
	if (!*s->instance) {
		av_fault(
			faults, FAULT(REQUIRED), "instance", "name the instance: a-z, 0-9 and -, at most 40");
		return;
	}
	if (!av_settings_instance_valid(s->instance))
		av_fault(faults, FAULT(MALFORMED), "instance",
			"use a-z, 0-9 and - only, at most 40 characters");
}

static void check_clock(const Avvik__V1__Settings *s, struct av_faults *faults)
{
	bool stepped = strcmp(s->clock, "stepped") == 0;
	if (!stepped && strcmp(s->clock, "real") != 0)
		av_fault(faults, FAULT(UNKNOWN_VALUE), "clock", "say real, or stepped for development");
	else if (stepped && s->production)
		av_fault(
			faults, FAULT(CONTRADICTION), "clock", "production runs on the real clock: say real");
}

static void check_endpoint(
	const char *daemon, const char *field, const char *endpoint, struct av_faults *faults)
{
	char path[80];
	if (empty(endpoint))
		return;
	snprintf(path, sizeof path, "%s.%s", daemon, field);
	if (strncmp(endpoint, "ipc://", 6) == 0 && endpoint[6] == '/')
		return;
	const char *port = strncmp(endpoint, "tcp://", 6) == 0 ? strrchr(endpoint + 6, ':') : NULL;
	char *end = NULL;
	long number = port ? strtol(port + 1, &end, 10) : -1;
	if (!port || port == endpoint + 6 || end == port + 1 || *end != '\0' || number < 1 || number > 65535)
		av_fault(faults, FAULT(MALFORMED), path,
			"write it as tcp://ADDRESS:PORT or ipc:///ABSOLUTE/PATH");
}

static void check_endpoints(const Avvik__V1__Settings *s, struct av_faults *faults)
{
	static const char *const names[] = {"intake", "workflow", "notification", "reporting"};
	const char *seen[12];
	size_t count = 0;
	for (size_t i = 0; i < AV_COUNT(names); i++) {
		const Avvik__V1__Endpoints *of = av_settings_endpoints(s, names[i]);
		const char *const fields[] = {"command", "feed", "stream"}, *const values[] = {of->command,
										    of->feed, of->stream};
		for (size_t j = 0; j < AV_COUNT(fields); j++) {
			char path[80];
			check_endpoint(names[i], fields[j], values[j], faults);
			snprintf(path, sizeof path, "%s.%s", names[i], fields[j]);
			for (size_t k = 0; k < count; k++) {
				if (strcmp(seen[k], values[j]) == 0)
					av_fault(faults, FAULT(DUPLICATE), path,
						"another socket has this address: give each its own");
			}
			if (!empty(values[j]))
				seen[count++] = values[j];
		}
	}
}

static void check_range(
	uint32_t value, uint32_t least, uint32_t most, const char *path, struct av_faults *faults)
{
	if (value < least || value > most)
		av_fault(faults, FAULT(OUT_OF_RANGE), path, "choose a number from %u to %u", least, most);
}

static void check_limits(const Avvik__V1__Limits *l, struct av_faults *faults)
{
	check_range(l->map_megabytes, 16, 16777216, "limits.map_megabytes", faults);
	check_range(l->memory_megabytes, 8, 65536, "limits.memory_megabytes", faults);
	check_range(l->connections, 1, 60000, "limits.connections", faults);
	check_range(l->frame_kilobytes, 16, 65536, "limits.frame_kilobytes", faults);
	check_range(l->turn_items, 1, 65536, "limits.turn_items", faults);
	check_range(l->turn_milliseconds, 1, 1000, "limits.turn_milliseconds", faults);
}

static void check(const Avvik__V1__Settings *s, struct av_faults *faults)
{
	enum av_log_level level;
	check_instance(s, faults);
	check_clock(s, faults);
	check_endpoints(s, faults);
	check_limits(s->limits, faults);
	if (av_log_level_parse(s->log_level, &level) < 0)
		av_fault(faults, FAULT(UNKNOWN_VALUE), "log_level", "say debug, info, warn or error");
}

/* --- loading --- */

static char *folder_of(const char *path, struct av_arena *arena)
{
	char *real = realpath(path, NULL);
	char *copy = av_arena_strdup(arena, real ? real : path);
	free(real);
	return copy ? av_arena_strdup(arena, dirname(copy)) : NULL;
}

int av_settings_load(const char *path, struct av_arena *arena, struct av_faults *faults,
	Avvik__V1__Settings **ret_settings)
{
	struct av_yaml *yaml = NULL;
	ProtobufCMessage *message = NULL;
	int status = av_yaml_open_file(path, faults, &yaml);
	if (status < 0) {
		if (faults->count == 0)
			av_fault(faults, FAULT(MALFORMED), path, "%s: %s", av_status_text(status),
				strerror(errno));
		return status;
	}
	status = av_yaml_to(yaml, &avvik__v1__settings__descriptor, arena, faults, &message);
	if (status == AV_OK) {
		struct av_fault **tail = faults->tail ? faults->tail : &faults->first;
		const char *base = folder_of(path, arena);
		Avvik__V1__Settings *settings = (Avvik__V1__Settings *)message;
		if (!base || !defaults(settings, base, arena)) {
			status = AV_MEMORY;
		} else {
			size_t before = faults->count;
			check(settings, faults);
			if (faults->count > before) {
				av_yaml_mark_faults(yaml, *tail, arena);
				status = AV_INVALID;
			} else {
				*ret_settings = settings;
			}
		}
	}
	av_yaml_close(&yaml);
	return status;
}

Avvik__V1__Settings *av_settings_default(const char *instance, const char *state, struct av_arena *arena)
{
	Avvik__V1__Settings *settings = av_arena_alloc(arena, sizeof *settings);
	if (!settings)
		return NULL;
	avvik__v1__settings__init(settings);
	settings->instance = av_arena_strdup(arena, instance);
	return settings->instance && defaults(settings, state, arena) ? settings : NULL;
}

/* --- places --- */

const Avvik__V1__Endpoints *av_settings_endpoints(const Avvik__V1__Settings *settings, const char *daemon)
{
	if (strcmp(daemon, "intake") == 0)
		return settings->intake;
	if (strcmp(daemon, "workflow") == 0)
		return settings->workflow;
	if (strcmp(daemon, "notification") == 0)
		return settings->notification;
	return strcmp(daemon, "reporting") == 0 ? settings->reporting : NULL;
}

bool av_settings_stepped(const Avvik__V1__Settings *settings)
{
	return strcmp(settings->clock, "stepped") == 0;
}

const char *av_state_path(
	const Avvik__V1__Settings *settings, const char *daemon, const char *name, struct av_arena *arena)
{
	return daemon ? av_arena_printf(arena, "%s/%s/%s", settings->state, daemon, name)
		      : av_arena_printf(arena, "%s/%s", settings->state, name);
}

const char *av_key_path(
	const Avvik__V1__Settings *settings, const char *format, const char *name, struct av_arena *arena)
{
	char file[200];
	const char *credentials = getenv("CREDENTIALS_DIRECTORY"), *suffix = strstr(format, "%s");
	if (suffix)
		snprintf(file, sizeof file, "%s%s", name ? name : "", suffix + 2);
	else
		snprintf(file, sizeof file, "%s", format);
	if (credentials && credentials[0] == '/') {
		const char *path = av_arena_printf(arena, "%s/%s", credentials, file);
		if (!path || access(path, F_OK) == 0)
			return path;
	}
	return av_arena_printf(arena, "%s/%s", settings->keys, file);
}

static int line_load(const char *path, char *ret_line, size_t size)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? AV_NOT_FOUND : AV_IO;
	bool read = fgets(ret_line, (int)size, file) != NULL;
	fclose(file);
	if (!read)
		return AV_INVALID;
	ret_line[strcspn(ret_line, "\r\n")] = '\0';
	return AV_OK;
}

int av_curve_public_load(const char *path, char ret_key[AV_CURVE_TEXT])
{
	char line[128];
	int status = line_load(path, line, sizeof line);
	if (status < 0)
		return status;
	if (strlen(line) != AV_CURVE_TEXT - 1)
		return AV_INVALID;
	memcpy(ret_key, line, AV_CURVE_TEXT);
	return AV_OK;
}

int av_sign_public_load(const char *path, unsigned char ret_key[AV_SIGN_PUBLIC_SIZE])
{
	char line[2 * AV_SIGN_PUBLIC_SIZE + 8];
	int status = line_load(path, line, sizeof line);
	return status < 0 ? status : av_unhex(line, ret_key, AV_SIGN_PUBLIC_SIZE);
}
