/* disk_image.c - what the disk may hold after a power cut
 *
 * Of each file: what is durable, and any of the writes since, in any order, each perhaps torn at a sector
 * (512 bytes, or 4096). Of each folder: the names that are durable, and the first few of the changes since,
 * as a file system with a journal keeps them, for each folder by itself. Files that are only mapped (LMDB's
 * readers, the mark of the item under way) are never synced and may hold anything that they held.
 */
#include "disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool still; /* the daemon does nothing any more */

struct content {
	unsigned char *bytes;
	uint64_t size, room;
};

static uint64_t luck(const struct disk_object *object, uint64_t below)
{
	return av_random_below(&object->node->world->luck, below);
}

static struct content load(const struct disk_object *file)
{
	struct content content = {.size = file->size, .room = file->size};
	for (const struct disk_write *each = file->first; each; each = each->next)
		content.room = AV_MAX(content.room,
			AV_MAX(AV_MAX(each->file_before, each->file_after), each->at + each->size));
	content.bytes = calloc(1, content.room + 1);
	if (!content.bytes || pread(file->fd, content.bytes, content.size, 0) != (ssize_t)content.size)
		abort();
	return content;
}

static void resize(struct content *content, uint64_t size)
{
	if (size < content->size)
		memset(content->bytes + size, 0, content->size - size);
	content->size = size;
}

static void undo(struct content *content, const struct disk_write *each)
{
	resize(content, each->file_before);
	memcpy(content->bytes + each->at, each->was, each->was_size);
}

static void redo(struct content *content, const struct disk_object *file, const struct disk_write *each)
{
	size_t sector = luck(file, 2) ? 512 : 4096;
	bool torn = luck(file, 4) == 0;
	if (each->cut) {
		resize(content, each->file_after);
		return;
	}
	for (size_t from = 0, to; from < each->size; from = to) {
		to = AV_MIN(each->size, from + sector - (size_t)((each->at + from) % sector));
		if (torn && luck(file, 2))
			continue;
		memcpy(content->bytes + each->at + from, each->bytes + from, to - from);
		content->size = AV_MAX(content->size, each->at + to);
	}
}

/* None, all, the first ones, or any; in order or not. */
static size_t choose(const struct disk_object *file, const struct disk_write **writes, size_t count)
{
	size_t kept = 0;
	uint64_t way = luck(file, 6), first = luck(file, count + 1);
	for (size_t i = 0; i < count; i++)
		if (way == 1 || (way == 2 && i < first) || (way > 2 && luck(file, 2)))
			writes[kept++] = writes[i];
	for (size_t i = kept; way > 3 && i > 1; i--) {
		size_t other = luck(file, i);
		const struct disk_write *swap = writes[i - 1];
		writes[i - 1] = writes[other];
		writes[other] = swap;
	}
	return kept;
}

/* The same file: nothing of it is undecided, and nobody will write to it any more. */
static bool linked(const struct disk_object *file, const char *path)
{
	char from[64];
	snprintf(from, sizeof from, "/proc/self/fd/%d", file->fd);
	return still && !file->first && linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

static void file_image(const struct disk_object *file, const char *path)
{
	if (linked(file, path))
		return;
	struct content content = load(file);
	size_t count = 0;
	for (const struct disk_write *each = file->first; each; each = each->next)
		count++;
	const struct disk_write **writes = calloc(count + 1, sizeof *writes);
	if (!writes)
		abort();
	count = 0;
	for (const struct disk_write *each = file->first; each; each = each->next)
		writes[count++] = each;
	for (size_t i = count; i > 0; i--)
		undo(&content, writes[i - 1]);
	count = choose(file, writes, count);
	for (size_t i = 0; i < count; i++)
		redo(&content, file, writes[i]);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || syscall(SYS_pwrite64, fd, content.bytes, content.size, 0) != (long)content.size)
		abort();
	syscall(SYS_close, fd);
	free(writes);
	free(content.bytes);
}

static void mapped_image(const struct disk_object *file, const char *path)
{
	uint64_t way = luck(file, 3);
	if (way == 0)
		return;
	struct content content = load(file);
	if (way == 1)
		memset(content.bytes, 0, content.size);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || syscall(SYS_pwrite64, fd, content.bytes, content.size, 0) != (long)content.size)
		abort();
	syscall(SYS_close, fd);
	free(content.bytes);
}

static int by_name(const void *a, const void *b)
{
	const struct disk_name *const *left = a, *const *right = b;
	return strcmp((*left)->name, (*right)->name);
}

static void object_image(const struct disk_object *object, const char *path);

/* In an order that does not depend on where the real files lie. */
static void names_image(const struct disk_name *names, const char *path)
{
	const struct disk_name *sorted[256];
	size_t count = 0;
	for (const struct disk_name *each = names; each && count < AV_COUNT(sorted); each = each->next)
		sorted[count++] = each;
	qsort(sorted, count, sizeof *sorted, by_name);
	for (size_t i = 0; i < count; i++) {
		char below[4096];
		if (snprintf(below, sizeof below, "%s/%s", path, sorted[i]->name) >= (int)sizeof below)
			abort();
		object_image(sorted[i]->object, below);
	}
}

static void folder_image(const struct disk_object *folder, const char *path)
{
	struct disk_name *names = NULL;
	struct disk_change none = {.next = NULL};
	uint64_t count = 0;
	for (const struct disk_name *each = folder->durable; each; each = each->next) {
		memcpy(none.name, each->name, sizeof none.name);
		none.object = each->object;
		disk_apply(&names, &none);
	}
	for (const struct disk_change *each = folder->changes; each; each = each->next)
		count++;
	count = luck(folder, count + 1);
	for (const struct disk_change *each = folder->changes; count > 0; each = each->next, count--)
		disk_apply(&names, each);
	if (syscall(SYS_mkdirat, AT_FDCWD, path, 0700) < 0)
		abort();
	names_image(names, path);
	disk_names_free(&names);
}

static void object_image(const struct disk_object *object, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	if (object->folder)
		folder_image(object, path);
	else if (strcmp(name, "lock.mdb") == 0 || strcmp(name, "marks") == 0)
		mapped_image(object, path);
	else
		file_image(object, path);
}

void disk_image(struct node *n, bool ended)
{
	still = ended;
	char path[sizeof n->path + 8];
	struct stat info;
	snprintf(path, sizeof path, "%s.image", n->path);
	if (stat(n->path, &info) < 0)
		abort();
	folder_image(disk_find(info.st_ino), path);
}
