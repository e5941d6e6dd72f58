/* principals.c - avvik principals: who may talk to this instance, and what each may do.
 *
 * The file is read whole, changed and written back whole; before it takes the old one's place it is checked
 * as the daemons check it, so that a slip never locks anybody out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "base/calendar.h"
#include "base/clock.h"
#include "base/status.h"
#include "bus/principals.h"
#include "bus/socket.h"
#include "instance.h"
#include "seal/crypto.h"
#include "subcommands.h"
#include "table.h"

#define ITEMS_MAX 200
#define ANSWER_MS 300 /* of a daemon on this machine */
#define KNOWN_MS 4000 /* the file is looked at each second */

static const char *joined(struct tool *tool, char *const *items, size_t count, const char *none)
{
	const char *text = "";

	for (size_t i = 0; i < count; i++)
		text = av_arena_printf(tool->arena, "%s%s%s", text, i ? ", " : "", items[i]);
	return count ? text : none;
}

/* "a,b" as items in the arena. */
static char **split(struct tool *tool, const char *text, size_t *ret_count)
{
	char **items = av_arena_zalloc(tool->arena, ITEMS_MAX * sizeof *items);
	char *rest = av_arena_strdup(tool->arena, text), *item;

	*ret_count = 0;
	while (items && *ret_count < ITEMS_MAX && (item = strsep(&rest, ",")) != NULL) {
		while (*item == ' ')
			item++;
		if (*item)
			items[(*ret_count)++] = item;
	}
	return items;
}

static Avvik__V1__Principal *principal_find(
	const Avvik__V1__Principals *all, const char *name, size_t *ret_at)
{
	for (size_t i = 0; i < all->n_principals; i++) {
		if (strcmp(all->principals[i]->name, name) != 0)
			continue;
		if (ret_at)
			*ret_at = i;
		return all->principals[i];
	}
	tool_fail(0, "no principal is called \"%s\": `avvik principals` lists them", name);
	return NULL;
}

/* Checks what would be written as the daemons do, then writes it. */
static int principals_change(struct tool *tool, const Avvik__V1__Principals *all)
{
	const char *path = principals_path(tool);
	const char *trial = av_arena_printf(tool->arena, "%s.check", path);
	struct av_principals *table = NULL;
	struct av_faults faults;

	av_faults_init(&faults, tool->arena);
	int status = trial ? principals_write(tool, trial, all) : AV_MEMORY;
	if (status == AV_OK)
		status = av_principals_load(trial, &faults, &table);
	av_principals_unref(&table);
	if (trial)
		unlink(trial);
	if (status < 0) {
		tool_fail(
			0, "nothing was changed: the principals would not hold: %s", av_status_text(status));
		ask_tell(&faults);
		return status;
	}
	return principals_write(tool, path, all);
}

/* Does the daemon answer who signs in with this key, be it with a refusal? */
static bool answers(const struct tool *tool, enum tool_daemon daemon, const char *name)
{
	struct tool asking = *tool;
	struct av_client_options options;
	struct av_client *client = NULL;
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__GetStatus get = AVVIK__V1__GET_STATUS__INIT;
	Avvik__V1__Reply *reply = NULL;
	const Avvik__V1__Endpoints *endpoints = tool_endpoints(&asking, daemon);
	const char *key = tool_key_path(&asking, "%s.curve", name);
	const char *server = tool_key_path(&asking, "%s.curve.pub", daemon_names[daemon]);

	asking.key_name = name;
	if (!endpoints || !key || !server || access(key, R_OK) != 0 || access(server, R_OK) != 0 ||
		!tool_client_options(&asking, daemon, endpoints->command, &options))
		return false;
	options.timeout_ms = ANSWER_MS;
	if (av_client_open(&options, &client) < 0)
		return false;
	command.body_case = AVVIK__V1__COMMAND__BODY_GET_STATUS;
	command.get_status = &get;
	bool answered = av_client_call(client, &command, &reply) == AV_OK;
	tool_reply_free(&reply);
	av_client_close(&client);
	return answered;
}

/* The daemons look at the file each second: until those that run know the key, so that the next command may
 * use it. False: none runs here, or one has not read it in time. */
static bool wait_known(const struct tool *tool, const char *name)
{
	int64_t until_ms = av_clock_monotonic_ms() + KNOWN_MS;
	bool known = false;

	for (int daemon = 0; daemon < DAEMON_COUNT; daemon++) {
		if (!answers(tool, (enum tool_daemon)daemon, tool->key_name))
			continue;
		while (!(known = answers(tool, (enum tool_daemon)daemon, name)))
			if (av_clock_monotonic_ms() > until_ms)
				return false;
	}
	return known;
}

/* `name`: who has a new key; NULL: nobody. */
static void told(const struct tool *tool, const char *name, const char *text)
{
	bool known = name && wait_known(tool, name);

	if (tool->json)
		return;
	printf("%s\n", text);
	if (known)
		printf("the daemons that run know it\n");
	else
		printf("the daemons read %s again by themselves within seconds, at once on SIGHUP\n",
			tool->settings->principals);
}

/* A key moves aside: "publisher.curve" becomes "publisher.curve.previous". */
static void key_aside(struct tool *tool, const char *name, const char *ending)
{
	const char *path = tool_key_path(tool, "%s.curve", name);
	const char *aside = tool_key_path(tool, "%s.curve.%s", name, ending);
	const char *public_path = tool_key_path(tool, "%s.curve.pub", name);

	if (path && aside && public_path) {
		rename(path, aside);
		unlink(public_path);
	}
}

static void key_back(struct tool *tool, const char *name)
{
	const char *path = tool_key_path(tool, "%s.curve", name);
	const char *aside = tool_key_path(tool, "%s.curve.previous", name);
	struct av_keypair keys;

	if (!path || !aside || rename(aside, path) != 0 || av_keypair_load(path, &keys) < 0)
		return;
	const char *public_path = tool_key_path(tool, "%s.curve.pub", name);
	FILE *file = public_path ? fopen(public_path, "w") : NULL;
	if (file) {
		fprintf(file, "%s\n", keys.public_key);
		fclose(file);
	}
	av_wipe(&keys, sizeof keys);
}

static const char *owner_of(const Avvik__V1__Principals *all, const char *public_key)
{
	for (size_t i = 0; i < all->n_principals; i++)
		for (size_t k = 0; k < all->principals[i]->n_keys; k++)
			if (strcmp(all->principals[i]->keys[k]->key, public_key) == 0)
				return all->principals[i]->name;
	return NULL;
}

/* The key pair that lies there, made by `avvik keys new`, when no principal has it. */
static int key_adopt(struct tool *tool, const Avvik__V1__Principals *all, const char *name, char *ret_public)
{
	const char *path = tool_key_path(tool, "%s.curve", name);
	struct av_keypair keys;
	int status = path ? av_keypair_load(path, &keys) : AV_MEMORY;

	if (status < 0)
		return tool_fail(status, "the key %s cannot be used: %s; move it away first", path,
			av_status_text(status));
	memcpy(ret_public, keys.public_key, sizeof keys.public_key);
	av_wipe(&keys, sizeof keys);
	const char *owner = owner_of(all, ret_public);
	if (owner)
		return tool_fail(AV_EXISTS,
			"the key %s is that of the principal \"%s\": move it away first, or take another "
			"name",
			path, owner);
	return AV_OK;
}

static Avvik__V1__PrincipalKey *key_take(
	struct tool *tool, const Avvik__V1__Principals *all, const char *name, bool *ret_adopted)
{
	Avvik__V1__PrincipalKey *key = av_arena_alloc(tool->arena, sizeof *key);
	char public_key[AV_CURVE_TEXT];

	int status = key ? instance_key_new(tool, tool->settings->keys, name, public_key) : AV_MEMORY;
	*ret_adopted = status == AV_EXISTS;
	if (*ret_adopted) {
		if (key_adopt(tool, all, name, public_key) != AV_OK)
			return NULL;
	} else if (status == AV_INVALID) {
		return NULL;
	} else if (status < 0) {
		tool_fail(0, "cannot make the key %s.curve in %s: %s", name, tool->settings->keys,
			av_status_text(status));
		return NULL;
	}
	avvik__v1__principal_key__init(key);
	key->key = av_arena_strdup(tool->arena, public_key);
	return key;
}

/* --- list --- */

/* "valid until 2026-04-27 08:00" of the keys that are, "expired" ... */
static const char *key_state(struct tool *tool, const Avvik__V1__Principal *principal)
{
	const char *text = "";
	int64_t now = tool_now_ms(tool), at;

	for (size_t i = 0; i < principal->n_keys; i++) {
		const Avvik__V1__PrincipalKey *key = principal->keys[i];
		bool day = strlen(key->until) == 10;
		const char *state = "in force";
		if (*key->from && av_instant_parse(key->from, &at) == AV_OK && at > now)
			state = av_arena_printf(tool->arena, "from %s", key->from);
		else if (*key->until && av_instant_parse(key->until, &at) == AV_OK)
			state = av_arena_printf(tool->arena, "%s %s",
				(day ? av_day_end_ms(av_local_day(at)) : at) <= now ? "ended" : "until",
				key->until);
		text = av_arena_printf(tool->arena, "%s%s%.8s... %s", text, i ? ", " : "", key->key, state);
	}
	return text;
}

static int principals_list(struct tool *tool, const Avvik__V1__Principals *all)
{
	static const char *const headings[] = {"name", "kind", "+rights", "+units", "+roles", "+keys", NULL};

	if (tool->json) {
		tool_print_json(tool, &all->base);
		return EXIT_DONE;
	}
	struct table *table = table_create(headings);
	for (size_t i = 0; i < all->n_principals; i++) {
		const Avvik__V1__Principal *principal = all->principals[i];
		table_row(table, (const char *const[]){principal->name, principal->kind,
					 joined(tool, principal->rights, principal->n_rights, "none"),
					 joined(tool, principal->units, principal->n_units, "all"),
					 joined(tool, principal->roles, principal->n_roles, "all"),
					 key_state(tool, principal)});
	}
	table_print(&table);
	return EXIT_DONE;
}

static int principals_check(struct tool *tool, const char *path)
{
	struct av_principals *table = NULL;
	struct av_faults faults;

	if (!path)
		path = principals_path(tool);
	if (!path)
		return EXIT_USAGE;
	av_faults_init(&faults, tool->arena);
	int status = av_principals_load(path, &faults, &table);
	if (status < 0) {
		tool_fail(0, "%s cannot be used: %s", path, av_status_text(status));
		ask_tell(&faults);
		return EXIT_REFUSED;
	}
	if (tool->json)
		printf("{\"principals\": %zu}\n", av_principals_count(table));
	else
		printf("%s is sound: %zu principals\n", path, av_principals_count(table));
	av_principals_unref(&table);
	return EXIT_DONE;
}

/* --- changes --- */

static int principals_add(struct tool *tool, int argc, char **argv, Avvik__V1__Principals *all)
{
	const char *name = NULL, *kind = NULL, *rights = NULL, *units = "", *roles = "";
	const struct tool_option words[] = {{"kind", OPTION_TEXT, &kind}, {"rights", OPTION_TEXT, &rights},
		{"units", OPTION_TEXT, &units}, {"roles", OPTION_TEXT, &roles}};

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &name, 1) < 0)
		return EXIT_USAGE;
	if (!name || !kind || !rights)
		return tool_fail(EXIT_USAGE,
			"NAME, --kind and --rights are wanted: `avvik principals --help` shows an example");
	for (size_t i = 0; i < all->n_principals; i++)
		if (strcmp(all->principals[i]->name, name) == 0)
			return tool_fail(EXIT_REFUSED,
				"there is a principal \"%s\" already: `avvik principals rotate %s` gives it "
				"a new key",
				name, name);

	Avvik__V1__Principal *added = av_arena_alloc(tool->arena, sizeof *added);
	Avvik__V1__PrincipalKey **keys = av_arena_alloc(tool->arena, sizeof *keys);
	Avvik__V1__Principal **list = av_arena_alloc(tool->arena, (all->n_principals + 1) * sizeof *list);
	bool adopted = false;
	if (!added || !keys || !list || !(*keys = key_take(tool, all, name, &adopted)))
		return EXIT_REFUSED;
	avvik__v1__principal__init(added);
	added->name = (char *)(uintptr_t)name;
	added->kind = (char *)(uintptr_t)kind;
	added->keys = keys;
	added->n_keys = 1;
	added->rights = split(tool, rights, &added->n_rights);
	added->units = split(tool, units, &added->n_units);
	added->roles = split(tool, roles, &added->n_roles);
	if (all->n_principals)
		memcpy(list, all->principals, all->n_principals * sizeof *list);
	list[all->n_principals++] = added;
	all->principals = list;
	if (principals_change(tool, all) < 0) {
		if (!adopted) {
			unlink(tool_key_path(tool, "%s.curve", name));
			unlink(tool_key_path(tool, "%s.curve.pub", name));
		}
		return EXIT_REFUSED;
	}
	if (tool->json)
		tool_print_json(tool, &added->base);
	told(tool, name,
		av_arena_printf(tool->arena, "added %s; its key pair is %s%s", name,
			tool_key_path(tool, "%s.curve", name), adopted ? ", which was there" : ""));
	return EXIT_DONE;
}

/* Keys that have ended are left out; the others end with the overlap. */
static int principals_rotate(struct tool *tool, int argc, char **argv, Avvik__V1__Principals *all)
{
	const char *name = NULL, *overlap = "7 days";
	const struct tool_option words[] = {{"overlap", OPTION_TEXT, &overlap}};
	struct av_period period;
	char until[17];
	size_t kept = 0;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &name, 1) < 0)
		return EXIT_USAGE;
	if (!name)
		return tool_usage("principals");
	if (av_period_parse(overlap, &period) != AV_OK)
		return tool_fail(EXIT_USAGE, "--overlap: \"%s\" is no time: write \"7 days\" or \"24 hours\"",
			overlap);
	Avvik__V1__Principal *principal = principal_find(all, name, NULL);
	if (!principal)
		return EXIT_REFUSED;

	int64_t now = tool_now_ms(tool), at;
	period.moved = false;
	struct av_due due = av_due(now, period, NULL, NULL);
	int64_t end = period.unit == AV_UNIT_HOURS || period.unit == AV_UNIT_WORKING_HOURS
			      ? due.instant_ms
			      : av_local_instant(due.day, av_local_ms_of_day(now));
	av_instant_minute_text(end, until);
	Avvik__V1__PrincipalKey **keys = av_arena_alloc(tool->arena, (principal->n_keys + 1) * sizeof *keys);
	if (!keys)
		return EXIT_REFUSED;
	for (size_t i = 0; i < principal->n_keys; i++) {
		Avvik__V1__PrincipalKey *key = principal->keys[i];
		bool ends = *key->until && av_instant_parse(key->until, &at) == AV_OK;
		if (ends && at + (strlen(key->until) == 10 ? AV_DAY_MS : 0) <= now)
			continue;
		if (!ends || at > end)
			key->until = av_arena_strdup(tool->arena, until);
		keys[kept++] = key;
	}
	key_aside(tool, name, "previous");
	bool adopted;
	keys[kept] = key_take(tool, all, name, &adopted);
	if (!keys[kept]) {
		key_back(tool, name);
		return EXIT_REFUSED;
	}
	principal->keys = keys;
	principal->n_keys = kept + 1;
	if (principals_change(tool, all) < 0) {
		key_back(tool, name);
		return EXIT_REFUSED;
	}
	if (tool->json)
		tool_print_json(tool, &principal->base);
	told(tool, name,
		av_arena_printf(tool->arena,
			"%s has a new key in %s; the one before (%s.curve.previous) holds until %s", name,
			tool_key_path(tool, "%s.curve", name), name, until));
	if (!tool->json && strcmp(principal->kind, "daemon") == 0)
		printf("this is a daemon's own key: restart avvik-%s, and give its clients the new "
		       "%s.curve.pub\n",
			name, name);
	return EXIT_DONE;
}

static int principals_revoke(struct tool *tool, int argc, char **argv, Avvik__V1__Principals *all)
{
	const char *name = NULL;
	size_t at;

	if (tool_options(tool, argc, argv, NULL, 0, &name, 1) < 0)
		return EXIT_USAGE;
	if (!name)
		return tool_usage("principals");
	if (!principal_find(all, name, &at))
		return EXIT_REFUSED;
	all->n_principals--;
	memmove(all->principals + at, all->principals + at + 1,
		(all->n_principals - at) * sizeof *all->principals);
	if (principals_change(tool, all) < 0)
		return EXIT_REFUSED;
	key_aside(tool, name, "revoked");
	if (tool->json)
		printf("{\"revoked\": \"%s\"}\n", name);
	told(tool, NULL,
		av_arena_printf(tool->arena,
			"revoked %s: its messages are refused from now on; its key lies in %s.curve.revoked",
			name, name));
	return EXIT_DONE;
}

int command_principals(struct tool *tool, int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(struct tool *tool, int argc, char **argv, Avvik__V1__Principals *all);
	} changes[] = {{"add", principals_add}, {"rotate", principals_rotate}, {"revoke", principals_revoke}};
	const char *word = argc > 1 ? argv[1] : "list";

	if (strcmp(word, "check") == 0 && argc <= 3)
		return principals_check(tool, argc == 3 ? argv[2] : NULL);
	Avvik__V1__Principals *all = NULL;
	for (size_t i = 0; i < AV_COUNT(changes); i++) {
		if (strcmp(word, changes[i].name) != 0)
			continue;
		all = principals_read(tool);
		return all ? changes[i].run(tool, argc - 1, argv + 1, all) : EXIT_USAGE;
	}
	if (strcmp(word, "list") != 0 || argc > 2)
		return tool_usage("principals");
	all = principals_read(tool);
	return all ? principals_list(tool, all) : EXIT_USAGE;
}
