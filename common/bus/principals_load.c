/* principals_load.c - the file of principals, read and checked: every fault is told, with its place. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "avvik/v1/common.pb-c.h"
#include "avvik/v1/settings.pb-c.h"
#include "base/date.h"
#include "bus/principals_internal.h"
#include "seal/crypto.h"

#define FILE_MAX (8 * 1024 * 1024)
#define PRINCIPALS_MAX 10000
#define NAME_MAX_BYTES 80
#define Z85 "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

static const char *const kinds[] = {"daemon", "publisher", "case_system", "administrator", "consumer"};

/* Reading the file */

static int read_file(const char *path, struct av_arena *arena, struct av_bytes *ret_text)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return errno == ENOENT ? AV_NOT_FOUND : AV_IO;
	struct stat info;
	int status = fstat(file, &info) != 0 || !S_ISREG(info.st_mode) ? AV_IO
		     : info.st_size > FILE_MAX			       ? AV_TOO_LARGE
								       : AV_OK;
	size_t size = status == AV_OK ? (size_t)info.st_size : 0, got = 0;
	char *text = av_arena_alloc(arena, size + 1);
	if (status == AV_OK && !text)
		status = AV_MEMORY;
	while (status == AV_OK && got < size) {
		ssize_t more = read(file, text + got, size - got);
		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			status = AV_IO;
		if (more <= 0)
			break;
		got += (size_t)more;
	}
	close(file);
	if (status == AV_OK)
		*ret_text = av_bytes(text, got);
	return status;
}

/* Checks: everything that is wrong is told */

struct loading {
	struct av_principals *table;
	struct av_faults *faults;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void fault(struct loading *load, int code, const char *path, const char *text)
{
	av_fault(load->faults, code, path, "%s", text);
}

static const char *path_of(struct loading *load, size_t index, const char *field)
{
	const char *path = av_arena_printf(load->faults->arena, "principals[%zu].%s", index, field);
	return path ? path : "principals";
}

static const char *path_of_item(struct loading *load, size_t index, const char *field, size_t item)
{
	char text[40];
	snprintf(text, sizeof(text), "%s[%zu]", field, item);
	return path_of(load, index, text);
}

static bool code_valid(const char *text, size_t most)
{
	size_t size = strlen(text);
	return size > 0 && size <= most &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == size;
}

bool av_principal_name_valid(const char *name)
{
	return code_valid(name, NAME_MAX_BYTES);
}

static void check_name(struct loading *load, size_t index, const Avvik__V1__Principal *from)
{
	const char *path = path_of(load, index, "name");
	if (!av_principal_name_valid(from->name))
		fault(load, AVVIK__V1__FAULT_CODE__FAULT_CODE_MALFORMED, path,
			"a name is 1 to 80 letters, digits, dots, dashes or underscores");
	if (strcmp(from->name, "avvik") == 0)
		fault(load, AVVIK__V1__FAULT_CODE__FAULT_CODE_NOT_ALLOWED, path,
			"\"avvik\" stands for the daemons themselves; choose another name");
	for (size_t i = 0; i < index; i++)
		if (strcmp(load->table->list[i].name, from->name) == 0)
			fault(load, AVVIK__V1__FAULT_CODE__FAULT_CODE_DUPLICATE, path,
				"another principal has this name; give each its own, with all its keys under "
				"it");
	for (size_t i = 0; i < AV_COUNT(kinds); i++)
		if (strcmp(kinds[i], from->kind) == 0)
			return;
	fault(load, AVVIK__V1__FAULT_CODE__FAULT_CODE_UNKNOWN_VALUE, path_of(load, index, "kind"),
		"a kind is daemon, publisher, case_system, administrator or consumer");
}

static unsigned int check_rights(struct loading *load, size_t index, const Avvik__V1__Principal *from)
{
	unsigned int rights = 0;
	for (size_t i = 0; i < from->n_rights; i++) {
		size_t bit = 0;
		while (bit < AV_RIGHT_COUNT && strcmp(av_right_text(1u << bit), from->rights[i]) != 0)
			bit++;
		if (bit < AV_RIGHT_COUNT)
			rights |= 1u << bit;
		else
			fault(load, AVVIK__V1__FAULT_CODE__FAULT_CODE_UNKNOWN_VALUE,
				path_of_item(load, index, "rights", i),
				"a right is publish, act, query, content, administer, feed, contacts, "
				"summary, status or take_over");
	}
	return rights;
}

/* In order, ended by NULL; NULL when there are none or one is "*": all. */
static const char *const *check_codes(
	struct loading *load, size_t index, const char *field, char *const *codes, size_t count)
{
	if (count == 0)
		return NULL;
	const char **list = av_arena_alloc(load->table->arena, (count + 1) * sizeof(*list));
	if (!list)
		return NULL;
	bool all = false;
	for (size_t i = 0; i < count; i++) {
		list[i] = codes[i];
		if (strcmp(codes[i], "*") == 0)
			all = true;
		else if (!code_valid(codes[i], 40))
			fault(load, AVVIK__V1__FAULT_CODE__FAULT_CODE_MALFORMED,
				path_of_item(load, index, field, i),
				"a code is 1 to 40 letters, digits, dots, dashes or underscores, or \"*\" "
				"for all");
	}
	list[count] = NULL;
	qsort(list, count, sizeof(*list), by_text);
	return all ? NULL : list;
}

static int64_t check_time(
	struct loading *load, const char *path, const char *text, bool last, int64_t otherwise)
{
	int64_t instant_ms;
	av_day day;
	if (text[0] == 0)
		return otherwise;
	if (av_day_parse(text, &day) == AV_OK)
		return last ? av_day_end_ms(day) + 1 : av_day_start_ms(day);
	if (av_instant_parse(text, &instant_ms) == AV_OK)
		return instant_ms;
	fault(load, AVVIK__V1__FAULT_CODE__FAULT_CODE_MALFORMED, path,
		"a time is 2026-04-01 or 2026-04-01T08:00");
	return otherwise;
}

static void check_key(struct loading *load, size_t index, size_t number, const Avvik__V1__PrincipalKey *from)
{
	struct av_principals *table = load->table;
	char field[40];
	snprintf(field, sizeof(field), "keys[%zu].key", number);
	const char *path = path_of(load, index, field);
	if (strlen(from->key) != AV_CURVE_TEXT - 1 || strspn(from->key, Z85) != AV_CURVE_TEXT - 1)
		fault(load, AVVIK__V1__FAULT_CODE__FAULT_CODE_MALFORMED, path,
			"a key is the 40 characters of a CURVE public key in Z85; put it in quotation marks");
	for (size_t i = 0; i < table->key_count; i++)
		if (strcmp(table->keys[i].key, from->key) == 0)
			fault(load, AVVIK__V1__FAULT_CODE__FAULT_CODE_DUPLICATE, path,
				"the key stands in the file already; a key belongs to one principal, once");
	struct key_entry *entry = &table->keys[table->key_count++];
	*entry = (struct key_entry){.key = from->key, .index = index};
	snprintf(field, sizeof(field), "keys[%zu].from", number);
	entry->from_ms = check_time(load, path_of(load, index, field), from->from, false, INT64_MIN);
	snprintf(field, sizeof(field), "keys[%zu].until", number);
	path = path_of(load, index, field);
	entry->until_ms = check_time(load, path, from->until, true, INT64_MAX);
	if (entry->until_ms <= entry->from_ms)
		fault(load, AVVIK__V1__FAULT_CODE__FAULT_CODE_CONTRADICTION, path,
			"`until` lies before `from`");
}

static int fill(struct loading *load, const Avvik__V1__Principals *from)
{
	struct av_principals *table = load->table;
	size_t keys = 0;
	for (size_t i = 0; i < from->n_principals; i++)
		keys += from->principals[i]->n_keys;
	if (from->n_principals > PRINCIPALS_MAX || keys > PRINCIPALS_MAX) {
		fault(load, AVVIK__V1__FAULT_CODE__FAULT_CODE_TOO_LONG, "principals",
			"at most 10000 principals and keys");
		return AV_INVALID;
	}
	table->list = av_arena_zalloc(table->arena, (from->n_principals + 1) * sizeof(*table->list));
	table->keys = av_arena_zalloc(table->arena, (keys + 1) * sizeof(*table->keys));
	if (!table->list || !table->keys)
		return AV_MEMORY;
	for (size_t i = 0; i < from->n_principals; i++) {
		const Avvik__V1__Principal *one = from->principals[i];
		check_name(load, i, one);
		table->list[i] = (struct av_principal){
			.name = one->name,
			.kind = one->kind,
			.rights = check_rights(load, i, one),
			.units = check_codes(load, i, "units", one->units, one->n_units),
			.roles = check_codes(load, i, "roles", one->roles, one->n_roles),
		};
		for (size_t k = 0; k < one->n_keys; k++)
			check_key(load, i, k, one->keys[k]);
		table->count++;
	}
	qsort(table->keys, table->key_count, sizeof(*table->keys), key_entry_order);
	/* An arena that has run out has left lists empty, and empty means all. */
	return av_arena_failed(table->arena) ? AV_MEMORY : AV_OK;
}

int av_principals_load(const char *path, struct av_faults *faults, struct av_principals **ret_table)
{
	AV_CLEANUP(av_principals_unref)
	struct av_principals *table = calloc(1, sizeof(*table));
	AV_CLEANUP(av_yaml_close)
	struct av_yaml *yaml = NULL;
	ProtobufCMessage *message;
	struct av_bytes text;
	if (!table)
		return AV_MEMORY;
	atomic_init(&table->references, 1);
	table->arena = av_arena_create(0);
	if (!table->arena)
		return AV_MEMORY;
	int status = read_file(path, table->arena, &text);
	if (status != AV_OK)
		return status;
	av_sha256(text, table->hash);
	status = av_yaml_open(text, path, faults, &yaml);
	if (status != AV_OK)
		return status == AV_MALFORMED ? AV_INVALID : status;
	/* Faults may point into the arena the message was made in: that is theirs; the table keeps a copy. */
	status = av_yaml_to(yaml, &avvik__v1__principals__descriptor, faults->arena, faults, &message);
	if (status != AV_OK)
		return status;
	message = av_message_copy(message, table->arena);
	if (!message)
		return AV_MEMORY;
	struct av_fault **last = faults->tail ? faults->tail : &faults->first;
	size_t before = faults->count;
	struct loading load = {table, faults};
	status = fill(&load, (const Avvik__V1__Principals *)message);
	if (*last)
		av_yaml_mark_faults(yaml, *last, faults->arena);
	if (status == AV_OK && faults->count > before)
		status = AV_INVALID;
	if (status == AV_OK)
		*ret_table = AV_TAKE(table);
	return status;
}
