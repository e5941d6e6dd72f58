/* instance.c - making an instance: state folder, settings, keys, principals.
 *
 * What is made is the embedded default: loopback ports that are free, keys for every daemon, mail to a
 * folder, and a handful of principals to try it with. An administrator changes the files from there.
 */
#include "instance.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include "bus/socket.h"
#include "daemon/settings.h"
#include "seal/crypto.h"
#include "wire/yaml.h"

#define PORTS 9 /* command and feed of four daemons, and the stream */
#define PORT_FIRST 20000
#define PORT_COUNT 12000

/* clang-format off */
static const struct {
	const char *name, *kind, *rights;
} first_principals[] = {
	{"intake",       "daemon",        "status"},
	{"workflow",     "daemon",        "feed, status"},
	{"notification", "daemon",        "feed, contacts, status"},
	{"reporting",    "daemon",        "feed, status"},
	{"admin",        "administrator", "administer, query, feed, summary, status"},
	{"casework",     "case_system",   "act, query, content, status"},
	{"publisher",    "publisher",     "publish, status"},
	{"statistics",   "consumer",      "summary, status"},
};
/* clang-format on */

static int folder_make(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? AV_OK : AV_IO;
}

/* A socket bound to the port; -1: somebody has it. */
static int port_hold(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port)};
	int held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (held >= 0 && bind(held, (struct sockaddr *)&address, sizeof address) == 0)
		return held;
	if (held >= 0)
		close(held);
	return -1;
}

/* Distinct ports that nobody has now: all are held until all are found. Below those that the system gives to
 * outgoing connections, one of which could have the port of a daemon that is being started again. */
static int ports_find(int ports[PORTS])
{
	struct av_random random = av_random_system();
	int sockets[PORTS], found = 0;

	for (int tries = 0; found < PORTS && tries < 1000; tries++) {
		int port = PORT_FIRST + (int)av_random_below(&random, PORT_COUNT);
		sockets[found] = port_hold(port);
		if (sockets[found] >= 0)
			ports[found++] = port;
	}
	for (int i = 0; i < found; i++)
		close(sockets[i]);
	return found == PORTS ? AV_OK : AV_IO;
}

int instance_key_new(struct tool *tool, const char *keys_folder, const char *name, char ret_public[41])
{
	struct av_keypair keys;
	const char *path = av_arena_printf(tool->arena, "%s/%s.curve", keys_folder, name);
	const char *public_path = av_arena_printf(tool->arena, "%s/%s.curve.pub", keys_folder, name);

	if (!tool_name_sound(name))
		return AV_INVALID;
	if (!path || !public_path)
		return AV_MEMORY;
	int status = av_keypair_make(&keys);
	if (status == AV_OK)
		status = av_keypair_save(path, &keys);
	if (status == AV_OK) {
		FILE *file = fopen(public_path, "w");
		if (!file || fprintf(file, "%s\n", keys.public_key) < 0)
			status = AV_IO;
		if (file && fclose(file) != 0)
			status = AV_IO;
	}
	memcpy(ret_public, keys.public_key, sizeof keys.public_key);
	av_wipe(&keys, sizeof keys);
	return status;
}

static int daemon_keys(struct tool *tool, const char *keys_folder, const char *name)
{
	struct av_random random = av_random_system();
	unsigned char public_key[AV_SIGN_PUBLIC_SIZE], secret_key[AV_SIGN_SECRET_SIZE];

	av_sign_keypair(&random, public_key, secret_key);
	int status = av_key_file_save(
		av_arena_printf(tool->arena, "%s/%s.sign", keys_folder, name), secret_key, sizeof secret_key);
	if (status == AV_OK)
		status = av_key_file_save(av_arena_printf(tool->arena, "%s/%s.sign.pub", keys_folder, name),
			public_key, sizeof public_key);
	av_wipe(secret_key, sizeof secret_key);
	return status;
}

static int principals_make(struct tool *tool, const char *folder, const char *keys_folder)
{
	FILE *file = fopen(av_arena_printf(tool->arena, "%s/principals.yaml", folder), "wx");
	int status = file ? AV_OK : AV_IO;

	if (file)
		fputs("# Who may talk to this instance, and what each may do: `avvik principals` lists and "
		      "changes it.\n"
		      "principals:\n",
			file);
	for (size_t i = 0; i < AV_COUNT(first_principals) && status == AV_OK; i++) {
		char public_key[41];
		status = instance_key_new(tool, keys_folder, first_principals[i].name, public_key);
		if (status == AV_OK)
			fprintf(file,
				"  - name: %s\n    kind: %s\n    keys:\n      - key: \"%s\"\n    rights: "
				"[%s]\n",
				first_principals[i].name, first_principals[i].kind, public_key,
				first_principals[i].rights);
	}
	if (file && (ferror(file) || fclose(file) != 0))
		status = AV_IO;
	return status;
}

static const char *templates_find(struct tool *tool, const char *wanted)
{
	char *program = realpath("/proc/self/exe", NULL);
	const char *found = NULL;

	if (wanted) {
		char *real = realpath(wanted, NULL);
		found = av_arena_strdup(tool->arena, real ? real : wanted);
		free(real);
	} else if (program) {
		const char *bin = dirname(program);
		/* in a build tree, and installed */
		const char *const places[] = {"../../../deploy/templates", "../share/avvik/templates"};
		for (size_t i = 0; i < AV_COUNT(places) && !found; i++) {
			const char *path = av_arena_printf(tool->arena, "%s/%s", bin, places[i]);
			char *real = path ? realpath(path, NULL) : NULL;
			if (real)
				found = av_arena_strdup(tool->arena, real);
			free(real);
		}
	}
	free(program);
	return found ? found : "/usr/share/avvik/templates";
}

static int settings_make(struct tool *tool, const struct instance_options *options)
{
	int ports[PORTS], at = 0;
	FILE *file = fopen(av_arena_printf(tool->arena, "%s/avvik.yaml", options->folder), "wx");

	if (!file)
		return errno == EEXIST ? AV_EXISTS : AV_IO;
	if (ports_find(ports) != AV_OK) {
		fclose(file);
		return AV_IO;
	}
	fprintf(file,
		"# The settings of one instance. Every one is checked at start; see docs/operations.md.\n"
		"instance: %s\n"
		"production: false\n"
		"clock: %s\n",
		options->name, options->stepped_at_ms ? "stepped" : "real");
	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		fprintf(file, "%s:\n  command: tcp://127.0.0.1:%d\n  feed: tcp://127.0.0.1:%d\n",
			daemon_names[daemon], ports[at], ports[at + 1]);
		at += 2;
	}
	fprintf(file, "  stream: tcp://127.0.0.1:%d\n", ports[at]);
	fprintf(file,
		"mail:\n  transport: maildir\n  from: avvik@%s.example\n  from_name: Avvik\n"
		"templates: %s\n",
		options->name, templates_find(tool, options->templates));
	return ferror(file) || fclose(file) != 0 ? AV_IO : AV_OK;
}

int instance_make(struct tool *tool, const struct instance_options *options)
{
	const char *keys = av_arena_printf(tool->arena, "%s/keys", options->folder);
	unsigned char master[AV_KEY_SIZE];
	struct av_random random = av_random_system();

	if (!av_settings_instance_valid(options->name))
		return tool_fail(AV_INVALID,
			"--name: \"%s\" is no name of an instance: use a-z, 0-9 and -, at most 40",
			options->name);
	int status = folder_make(options->folder);
	if (status == AV_OK)
		status = settings_make(tool, options);
	if (status == AV_EXISTS) {
		tool_fail(0,
			"%s holds an instance already: use it with --settings %s/avvik.yaml, or choose "
			"another folder",
			options->folder, options->folder);
		return status;
	}
	if (status == AV_OK)
		status = folder_make(keys);
	if (status == AV_OK) {
		av_random_fill(&random, master, sizeof master);
		status = av_key_file_save(
			av_arena_printf(tool->arena, "%s/master.key", keys), master, sizeof master);
		av_wipe(master, sizeof master);
	}
	for (int daemon = 0; daemon < DAEMON_COUNT && status == AV_OK; daemon++)
		status = daemon_keys(tool, keys, daemon_names[daemon]);
	if (status == AV_OK)
		status = principals_make(tool, options->folder, keys);
	if (status == AV_OK && options->stepped_at_ms)
		status = av_clock_step(
			av_arena_printf(tool->arena, "%s/clock", options->folder), options->stepped_at_ms);
	if (status < 0)
		tool_fail(0, "cannot make an instance in %s: %s (%s)%s", options->folder,
			av_status_text(status), errno ? strerror(errno) : "see above",
			errno == ENOENT ? "; make the folder above it first" : "");
	return status;
}

/* --- principals --- */

const char *principals_path(struct tool *tool)
{
	return tool_settings(tool) ? tool->settings->principals : NULL;
}

Avvik__V1__Principals *principals_read(struct tool *tool)
{
	const char *path = principals_path(tool);
	struct av_yaml *yaml = NULL;
	ProtobufCMessage *message = NULL;
	struct av_faults faults;

	if (!path)
		return NULL;
	av_faults_init(&faults, tool->arena);
	int status = av_yaml_open_file(path, &faults, &yaml);
	if (status == AV_OK)
		status = av_yaml_to(yaml, &avvik__v1__principals__descriptor, tool->arena, &faults, &message);
	av_yaml_close(&yaml);
	if (status < 0) {
		tool_fail(0, "%s cannot be used: %s", path, av_status_text(status));
		for (const struct av_fault *fault = faults.first; fault; fault = fault->next)
			fprintf(stderr, "  %s: %s\n", fault->path, fault->text);
		return NULL;
	}
	return (Avvik__V1__Principals *)message;
}

static void list_write(FILE *file, const char *name, char *const *items, size_t count)
{
	if (!count)
		return;
	fprintf(file, "    %s: [", name);
	for (size_t i = 0; i < count; i++)
		fprintf(file, "%s\"%s\"", i ? ", " : "", items[i]);
	fprintf(file, "]\n");
}

int principals_write(struct tool *tool, const char *path, const Avvik__V1__Principals *principals)
{
	const char *next = av_arena_printf(tool->arena, "%s.new", path);
	FILE *file = fopen(next, "w");

	if (!file)
		return tool_fail(AV_IO, "cannot write %s: %s", next, strerror(errno));
	fputs("# Who may talk to this instance, and what each may do: `avvik principals` lists and changes "
	      "it.\n"
	      "principals:\n",
		file);
	for (size_t i = 0; i < principals->n_principals; i++) {
		const Avvik__V1__Principal *principal = principals->principals[i];
		fprintf(file, "  - name: %s\n    kind: %s\n    keys:\n", principal->name, principal->kind);
		for (size_t k = 0; k < principal->n_keys; k++) {
			const Avvik__V1__PrincipalKey *key = principal->keys[k];
			fprintf(file, "      - key: \"%s\"\n", key->key);
			if (*key->from)
				fprintf(file, "        from: \"%s\"\n", key->from);
			if (*key->until)
				fprintf(file, "        until: \"%s\"\n", key->until);
		}
		list_write(file, "rights", principal->rights, principal->n_rights);
		list_write(file, "units", principal->units, principal->n_units);
		list_write(file, "roles", principal->roles, principal->n_roles);
	}
	bool good = fflush(file) == 0 && fsync(fileno(file)) == 0;
	good = fclose(file) == 0 && good;
	if (!good || rename(next, path) != 0)
		return tool_fail(AV_IO, "cannot write %s: %s", path, strerror(errno));
	return AV_OK;
}
