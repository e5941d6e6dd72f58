/* disk_log.c - files and folders, and what of them is not durable yet
 */
#include "disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BUCKETS 256

static struct disk_object *buckets[BUCKETS];

static void *zeroed(size_t size)
{
	void *memory = calloc(1, size);
	if (!memory)
		abort();
	return memory;
}

struct disk_object *disk_find(ino_t inode)
{
	struct disk_object *object = buckets[inode % BUCKETS];
	while (object && object->inode != inode)
		object = object->next;
	return object;
}

static struct disk_object *object_new(struct node *n, const struct stat *info)
{
	struct disk_object *object = zeroed(sizeof *object);
	struct disk_object **bucket = &buckets[info->st_ino % BUCKETS];
	*object = (struct disk_object){.next = *bucket,
		.node = n,
		.inode = info->st_ino,
		.folder = S_ISDIR(info->st_mode),
		.size = (uint64_t)info->st_size,
		.fd = -1};
	object->last = &object->first;
	object->changes_last = &object->changes;
	*bucket = object;
	return object;
}

/* --- names --- */

void disk_names_free(struct disk_name **names)
{
	for (struct disk_name *name = *names, *next; name; name = next) {
		next = name->next;
		free(name);
	}
	*names = NULL;
}

static void names_remove(struct disk_name **names, const char *name)
{
	for (struct disk_name **at = names; *at; at = &(*at)->next)
		if (strcmp((*at)->name, name) == 0) {
			struct disk_name *gone = *at;
			*at = gone->next;
			free(gone);
			return;
		}
}

void disk_apply(struct disk_name **names, const struct disk_change *change)
{
	if (*change->from)
		names_remove(names, change->from);
	names_remove(names, change->name);
	if (!change->object)
		return;
	struct disk_name *name = zeroed(sizeof *name);
	memcpy(name->name, change->name, sizeof name->name);
	name->object = change->object;
	name->next = *names;
	*names = name;
}

bool disk_has(const struct disk_object *folder, const char *name)
{
	for (const struct disk_name *each = folder->now; each; each = each->next)
		if (strcmp(each->name, name) == 0)
			return true;
	return false;
}

static struct disk_object *object_at(const struct disk_object *folder, const char *name)
{
	for (const struct disk_name *each = folder->now; each; each = each->next)
		if (strcmp(each->name, name) == 0)
			return each->object;
	return NULL;
}

/* Of a daemon's own folder only what it keeps is watched: not backups, not what a check makes. */
static bool watched(const struct disk_object *folder, const char *name)
{
	const struct node *n = folder->node;
	struct stat info;
	if (strlen(name) >= DISK_NAME)
		return false;
	if (stat(n->path, &info) == 0 && info.st_ino != folder->inode)
		return true;
	return strncmp(name, "data", 4) == 0 || strncmp(name, "keys", 4) == 0 || strcmp(name, "marks") == 0;
}

struct disk_object *disk_folder_of(const char *path, const char **ret_name)
{
	char parent[4096];
	struct stat info;
	const char *slash = strrchr(path, '/');
	if (!slash || (size_t)(slash - path) >= sizeof parent)
		return NULL;
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	if (stat(parent, &info) < 0)
		return NULL;
	struct disk_object *folder = disk_find(info.st_ino);
	if (!folder || !folder->folder || !watched(folder, slash + 1))
		return NULL;
	*ret_name = slash + 1;
	return folder;
}

static void changed(
	struct disk_object *folder, const char *name, const char *from, struct disk_object *object)
{
	struct disk_change *change = zeroed(sizeof *change);
	snprintf(change->name, sizeof change->name, "%s", name);
	snprintf(change->from, sizeof change->from, "%s", from);
	change->object = object;
	*folder->changes_last = change;
	folder->changes_last = &change->next;
	disk_apply(&folder->now, change);
}

struct disk_object *disk_root(struct node *n, const char *path)
{
	struct stat info;
	if (stat(path, &info) < 0)
		abort();
	return object_new(n, &info);
}

struct disk_object *disk_made(struct disk_object *folder, const char *name, const struct stat *info, int fd)
{
	struct disk_object *object = object_new(folder->node, info);
	object->fd = fd;
	changed(folder, name, "", object);
	return object;
}

void disk_renamed(struct disk_object *from, const char *old, struct disk_object *to, const char *name)
{
	struct disk_object *object = object_at(from, old);
	if (from == to) {
		changed(to, name, old, object);
		return;
	}
	changed(to, name, "", object);
	changed(from, old, "", NULL);
}

void disk_removed(struct disk_object *folder, const char *name)
{
	changed(folder, name, "", NULL);
}

const char *disk_folder_name(const struct disk_object *file)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct disk_object *up = buckets[i]; up; up = up->next)
			for (const struct disk_name *each = up->now; each; each = each->next)
				for (const struct disk_name *in = each->object ? each->object->now : NULL; in;
					in = in->next)
					if (in->object == file)
						return each->name;
	return "";
}

/* --- what no name leads to any more --- */

static void reach(struct disk_object *object)
{
	if (!object || object->reached)
		return;
	object->reached = true;
	for (struct disk_name *name = object->durable; name; name = name->next)
		reach(name->object);
	for (struct disk_name *name = object->now; name; name = name->next)
		reach(name->object);
	for (struct disk_change *change = object->changes; change; change = change->next)
		reach(change->object);
}

static void write_free(struct disk_write *each)
{
	free(each->bytes);
	free(each->was);
	free(each);
}

static void object_free(struct disk_object *object)
{
	for (struct disk_write *each = object->first, *next; each; each = next) {
		next = each->next;
		write_free(each);
	}
	for (struct disk_change *each = object->changes, *next; each; each = next) {
		next = each->next;
		free(each);
	}
	disk_names_free(&object->durable);
	disk_names_free(&object->now);
	if (object->fd >= 0)
		syscall(SYS_close, object->fd);
	free(object);
}

static void sweep(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct disk_object **at = &buckets[i]; *at;) {
			struct disk_object *object = *at;
			if (object->reached) {
				object->reached = false;
				at = &object->next;
			} else {
				*at = object->next;
				object_free(object);
			}
		}
}

void disk_forget(struct node *n)
{
	for (size_t i = 0; n && i < BUCKETS; i++)
		for (struct disk_object *object = buckets[i]; object; object = object->next)
			object->reached = object->node != n;
	sweep();
}

static void forget_unreachable(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct disk_object *object = buckets[i]; object; object = object->next) {
			struct stat info;
			if (object->folder && stat(object->node->path, &info) == 0 &&
				info.st_ino == object->inode)
				reach(object);
		}
	sweep();
}

void disk_scan(struct disk_object *folder, const char *path)
{
	DIR *listing = opendir(path);
	for (struct dirent *entry; listing && (entry = readdir(listing));) {
		char below[4096];
		struct stat info;
		if (entry->d_name[0] == '.' || !watched(folder, entry->d_name) ||
			snprintf(below, sizeof below, "%s/%s", path, entry->d_name) >= (int)sizeof below ||
			stat(below, &info) < 0)
			continue;
		int fd = S_ISDIR(info.st_mode) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, below, O_RDWR);
		struct disk_object *object = disk_made(folder, entry->d_name, &info, fd);
		if (object->folder)
			disk_scan(object, below);
	}
	if (listing)
		closedir(listing);
	disk_settle(folder, NULL);
}

/* --- content --- */

static void log_add(struct disk_object *file, struct disk_write *each)
{
	*file->last = each;
	file->last = &each->next;
	file->size = each->file_after;
}

/* Before it is done: the bytes that it replaces are read. */
struct disk_write *disk_log_write(struct disk_object *file, const void *data, size_t size, uint64_t at)
{
	struct disk_write *each = zeroed(sizeof *each);
	*each = (struct disk_write){.at = at,
		.size = size,
		.bytes = zeroed(size + 1),
		.was = zeroed(size + 1),
		.file_before = file->size,
		.file_after = AV_MAX(file->size, at + size)};
	memcpy(each->bytes, data, size);
	if (at < file->size) {
		each->was_size = (size_t)AV_MIN(size, file->size - at);
		if (pread(file->fd, each->was, each->was_size, (off_t)at) != (ssize_t)each->was_size)
			abort();
	}
	log_add(file, each);
	return each;
}

void disk_log_cut(struct disk_object *file, uint64_t size)
{
	struct disk_write *each = zeroed(sizeof *each);
	*each = (struct disk_write){
		.cut = true, .at = AV_MIN(size, file->size), .file_before = file->size, .file_after = size};
	each->was_size = (size_t)(file->size - each->at);
	each->was = zeroed(each->was_size + 1);
	if (pread(file->fd, each->was, each->was_size, (off_t)each->at) != (ssize_t)each->was_size)
		abort();
	log_add(file, each);
}

/* A later write has become durable before an earlier one: what it wrote stands, whether that one is taken or
 * not. */
static void stands(struct disk_write *earlier, const struct disk_write *later)
{
	uint64_t from = AV_MAX(earlier->at, later->at), end = later->at + later->size;
	uint64_t to = AV_MIN(earlier->at + earlier->size, end);
	if (later->cut || earlier->cut)
		return;
	for (uint64_t at = from; at < to; at++)
		earlier->bytes[at - earlier->at] = earlier->was[at - earlier->at] =
			later->bytes[at - later->at];
	earlier->file_before = AV_MAX(earlier->file_before, end);
	earlier->file_after = AV_MAX(earlier->file_after, end);
	if (earlier->file_before > earlier->at)
		earlier->was_size = AV_MIN(earlier->size, (size_t)(earlier->file_before - earlier->at));
}

static void settle_file(struct disk_object *file, const struct disk_write *only)
{
	struct disk_write *each = file->first, *next;
	file->first = NULL;
	file->last = &file->first;
	for (; each; each = next) {
		next = each->next;
		each->next = NULL;
		if (only ? each != only : each->undecided) {
			*file->last = each;
			file->last = &each->next;
			continue;
		}
		for (struct disk_write *earlier = file->first; earlier; earlier = earlier->next)
			stands(earlier, each);
		write_free(each);
	}
}

void disk_settle(struct disk_object *object, const struct disk_write *only)
{
	if (!object->folder) {
		settle_file(object, only);
		return;
	}
	for (struct disk_change *change = object->changes, *next; change; change = next) {
		next = change->next;
		disk_apply(&object->durable, change);
		free(change);
	}
	object->changes = NULL;
	object->changes_last = &object->changes;
	forget_unreachable();
}

void disk_undecided(struct disk_object *object)
{
	for (struct disk_write *each = object->first; each; each = each->next)
		each->undecided = true;
}
