/* templates.c - the mail templates in force. */
#include "templates.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "avvik/v1/common.pb-c.h"
#include "base/macros.h"

#define TEMPLATES_MAX 200
#define NAME_MAX_BYTES 60
#define PATH_BYTES 4096
#define LOOK_MS 2000

struct kept_fault {
	char where[120]; /* "deadline-warning.sv.txt:3" */
	const char *text;
};

struct set {
	struct av_arena *arena;
	struct template list[TEMPLATES_MAX];
	size_t count;
	struct kept_fault faults[TEMPLATE_FAULTS_MAX];
	size_t fault_count;
};

struct templates {
	char *folder;
	struct set *set;
	uint64_t stamp; /* of the folder, when it was read */
	int64_t looked_at_ms;
};

static struct template *find(struct set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->list[i].name, name) == 0)
			return &set->list[i];
	return NULL;
}

static void keep_fault(struct set *set, const char *file, unsigned int line, const char *text)
{
	if (set->fault_count == TEMPLATE_FAULTS_MAX)
		return;
	struct kept_fault *kept = &set->faults[set->fault_count++];
	snprintf(kept->where, sizeof kept->where, "%.80s:%u", file, line);
	kept->text = text;
}

static void add(struct set *set, const char *name, const char *file, struct av_bytes text)
{
	struct template_faults faults = {.count = 0};
	struct template parsed;

	int status = template_parse(name, text, set->arena, &faults, &parsed);
	for (size_t i = 0; i < AV_MIN(faults.count, (size_t)TEMPLATE_FAULTS_MAX); i++)
		keep_fault(set, file, faults.list[i].line, faults.list[i].text);
	if (status < 0)
		return;
	struct template *before = find(set, parsed.name);
	if (before)
		*before = parsed;
	else if (set->count < TEMPLATES_MAX)
		set->list[set->count++] = parsed;
	else
		keep_fault(set, file, 1, "is one template too many: at most 200 are read");
}

static void set_free(struct set **set)
{
	if (*set)
		av_arena_destroy(&(*set)->arena);
	free(*set);
	*set = NULL;
}

/* Name and time of every template file, so that a change is seen without reading them. */
static uint64_t mix(uint64_t stamp, const void *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		stamp = (stamp ^ ((const unsigned char *)data)[i]) * UINT64_C(1099511628211);
	return stamp;
}

static bool is_template(const char *file)
{
	size_t size = strlen(file), ending = strlen(TEMPLATE_ENDING);
	return size > ending && size - ending <= NAME_MAX_BYTES &&
	       strcmp(file + size - ending, TEMPLATE_ENDING) == 0;
}

static uint64_t folder_stamp(const char *path)
{
	uint64_t stamp = 0;
	DIR *folder = opendir(path);
	if (!folder)
		return 0;
	for (struct dirent *entry; (entry = readdir(folder));) {
		char file[PATH_BYTES];
		struct stat info;
		if (!is_template(entry->d_name) ||
			snprintf(file, sizeof file, "%s/%s", path, entry->d_name) >= PATH_BYTES ||
			stat(file, &info) < 0)
			continue;
		uint64_t one = mix(UINT64_C(14695981039346656037), entry->d_name, strlen(entry->d_name));
		one = mix(one, &info.st_mtim, sizeof info.st_mtim);
		stamp += mix(one, &info.st_size,
			sizeof info.st_size); /* a sum: the order of a folder means nothing */
	}
	closedir(folder);
	return stamp + 1;
}

static void read_file(struct set *set, const char *folder, const char *name)
{
	static const char unreadable[] = "cannot be read; check its owner and mode";
	char path[PATH_BYTES], own[NAME_MAX_BYTES + 1] = "", text[TEMPLATE_BYTES_MAX + 1];

	memcpy(own, name, strlen(name) - strlen(TEMPLATE_ENDING));
	FILE *file =
		snprintf(path, sizeof path, "%s/%s", folder, name) < PATH_BYTES ? fopen(path, "re") : NULL;
	if (!file) {
		keep_fault(set, name, 1, unreadable);
		return;
	}
	size_t size = fread(text, 1, sizeof text, file);
	if (ferror(file))
		keep_fault(set, name, 1, unreadable);
	else
		add(set, own, name, av_bytes(text, size));
	fclose(file);
}

static void read_folder(struct set *set, const char *path)
{
	DIR *folder = opendir(path);
	if (!folder && errno == ENOENT)
		return; /* the place where it may stand: those compiled in do */
	if (!folder) {
		keep_fault(set, "templates", 1,
			"is no folder that can be read; correct `templates` in the settings");
		return;
	}
	for (struct dirent *entry; (entry = readdir(folder));)
		if (is_template(entry->d_name))
			read_file(set, path, entry->d_name);
	closedir(folder);
}

/* What an administrator's faulty file says is left aside: the template as it was, or the one compiled in,
 * goes on. */
static struct set *set_read(const char *folder)
{
	struct set *set = calloc(1, sizeof *set);
	if (set)
		set->arena = av_arena_create(0);
	if (!set || !set->arena) {
		set_free(&set);
		return NULL;
	}
	for (size_t i = 0; i < template_builtin_count; i++) {
		char file[NAME_MAX_BYTES + 20];
		snprintf(file, sizeof file, "%.60s%s", template_builtins[i].name, TEMPLATE_ENDING);
		add(set, template_builtins[i].name, file,
			av_bytes(template_builtins[i].text, template_builtins[i].size));
	}
	if (folder && *folder)
		read_folder(set, folder);
	return set;
}

/* Templates of the set before that the new one has only as compiled in, since the file is faulty now, are
 * carried over. */
static void carry_over(struct set *from, struct set *to)
{
	for (size_t i = 0; i < to->fault_count; i++) {
		char name[NAME_MAX_BYTES + 1];
		size_t size = strcspn(to->faults[i].where, ".");
		if (size >= sizeof name)
			continue;
		memcpy(name, to->faults[i].where, size);
		name[size] = '\0';
		const struct template *before = find(from, name);
		struct template *now = find(to, name);
		if (!before || (!now && to->count == TEMPLATES_MAX))
			continue;
		struct template copy = {av_arena_strdup(to->arena, before->name),
			av_arena_strdup(to->arena, before->subject),
			av_arena_strdup(to->arena, before->body)};
		if (!copy.name || !copy.subject || !copy.body)
			continue;
		if (now)
			*now = copy;
		else
			to->list[to->count++] = copy;
	}
}

struct templates *templates_open(const char *folder)
{
	struct templates *templates = calloc(1, sizeof *templates);
	if (!templates)
		return NULL;
	templates->folder = strdup(folder ? folder : "");
	templates->stamp = templates->folder ? folder_stamp(templates->folder) : 0;
	templates->set = templates->folder ? set_read(templates->folder) : NULL;
	if (!templates->set)
		templates_close(&templates);
	return templates;
}

void templates_close(struct templates **templates)
{
	if (*templates) {
		set_free(&(*templates)->set);
		free((*templates)->folder);
	}
	free(*templates);
	*templates = NULL;
}

void templates_refresh(struct templates *templates, int64_t monotonic_ms)
{
	if (*templates->folder == '\0' || monotonic_ms - templates->looked_at_ms < LOOK_MS)
		return;
	templates->looked_at_ms = monotonic_ms;
	uint64_t stamp = folder_stamp(templates->folder);
	if (stamp == templates->stamp)
		return;
	struct set *set = set_read(templates->folder);
	if (!set)
		return;
	carry_over(templates->set, set);
	set_free(&templates->set);
	templates->set = set;
	templates->stamp = stamp;
}

const struct template *templates_find(const struct templates *templates, const char *name)
{
	return find(templates->set, name);
}

size_t templates_faults(const struct templates *templates, struct av_faults *faults)
{
	for (size_t i = 0; i < templates->set->fault_count; i++)
		av_fault(faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_MALFORMED, templates->set->faults[i].where,
			"%s", templates->set->faults[i].text);
	return templates->set->fault_count;
}
