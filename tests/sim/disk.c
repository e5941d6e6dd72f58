/* disk.c - the calls to the system that change a disk, caught; where they fail, and where the power fails
 *
 * The program's own symbols come before those of the C library, so LMDB's calls arrive here too. Each write,
 * sync and change of a name in a daemon's folder is a point. While a daemon does something, the seed may have
 * chosen one of its points: there the power fails, or the disk does.
 *
 * When the power fails an image of the disk is made at that point and the daemon goes on, unaware; what it
 * does and answers from then on is thrown away with its folder when it returns. So nothing has to be jumped
 * out of, and LMDB's memory stays whole.
 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "daemon/folder.h"

#define FDS 1024
#define SLOW_MS 30000

enum trouble { NONE, POWER, FULL, BROKEN };

static struct world *world;
static struct {
	struct disk_object *object;
	bool at_once; /* O_DSYNC */
} fds[FDS];
static struct {
	struct node *node;
	enum trouble trouble;
	uint64_t countdown;
	bool failed, cut;
} armed;

static uint64_t luck(uint64_t below)
{
	return av_random_below(&world->luck, below);
}

/* --- points --- */

void disk_arm(struct node *n)
{
	armed.node = n;
	armed.trouble = NONE;
	armed.failed = armed.cut = false;
	if (fault(world, KIND_POWER, 300))
		armed.trouble = POWER;
	else if (fault(world, KIND_DISK, 150))
		armed.trouble = luck(2) ? FULL : BROKEN;
	/* A commit is a handful of writes, a rewriting of the key store some fifty. */
	armed.countdown = luck(3) ? luck(8) : luck(60);
}

void disk_disarm(struct node *n)
{
	if (armed.node == n)
		armed.trouble = NONE;
}

bool disk_failed(const struct node *n)
{
	return armed.node == n && armed.failed;
}

bool disk_is_cut(const struct node *n)
{
	return armed.node == n && armed.cut;
}

static void cut(struct node *n, bool ended)
{
	disk_image(n, ended);
	armed.cut = true;
	armed.trouble = NONE;
	world->count.power++;
	if (world->verbose)
		sim_say(world, "%s: the power fails", n->service.name);
}

void disk_power_off(struct node *n)
{
	armed.node = n;
	cut(n, true);
}

/* Something was done, or is about to be. */
static void point(const struct disk_object *object)
{
	if (object->node == armed.node && armed.trouble == POWER && armed.countdown-- == 0)
		cut(armed.node, false);
}

/* 0: it may be done. */
static int refusal(const struct disk_object *object)
{
	if (object->node != armed.node || (armed.trouble != FULL && armed.trouble != BROKEN))
		return 0;
	if (armed.countdown > 0) {
		armed.countdown--;
		return 0;
	}
	if (!armed.failed && world->verbose)
		sim_say(world, "%s: the disk %s", object->node->service.name,
			armed.trouble == FULL ? "is full" : "fails");
	world->count.disk += !armed.failed;
	armed.failed = true;
	if (armed.trouble == FULL) /* and stays so until the daemon has given up */
		return ENOSPC;
	armed.trouble = NONE;
	return EIO;
}

void disk_power_on(struct node *n)
{
	char image[sizeof n->path + 8];
	snprintf(image, sizeof image, "%s.image", n->path);
	for (size_t i = 0; i < FDS; i++)
		if (fds[i].object && fds[i].object->node == n)
			sim_fail(world, "%s: a file is still open", n->service.name);
	armed.node = NULL;
	disk_forget(n);
	static const char *const kept[] = {"backup", "backup.next"}; /* they lie on another disk */
	for (size_t i = 0; i < AV_COUNT(kept); i++) {
		char from[sizeof image + 16], to[sizeof image + 16];
		snprintf(from, sizeof from, "%s/%s", n->path, kept[i]);
		snprintf(to, sizeof to, "%s/%s", image, kept[i]);
		if (rename(from, to) < 0 && errno != ENOENT)
			abort();
	}
	folder_remove(n->path);
	if (rename(image, n->path) < 0)
		abort();
	disk_begin(n);
}

void disk_begin(struct node *n)
{
	disk_scan(disk_root(n, n->path), n->path);
}

void disk_watch(struct world *w)
{
	if (!w)
		disk_forget(NULL);
	world = w;
	memset(&armed, 0, sizeof armed);
	memset(fds, 0, sizeof fds);
}

/* --- writes --- */

static struct disk_object *object_of(int fd)
{
	return world && fd >= 0 && fd < FDS ? fds[fd].object : NULL;
}

/* MUTATION_META_FIRST: what was to be synced before the meta page is synced after it. */
static void late_sync(struct disk_object *file)
{
	if (!file->owes_sync)
		return;
	file->owes_sync = false;
	point(file);
	disk_settle(file, NULL);
}

static bool durable_at_once(int fd, const struct disk_object *file)
{
	if (world->mutation == MUTATION_REPLY_UNSYNCED && strcmp(disk_folder_name(file), "data") == 0)
		return false;
	if (world->mutation == MUTATION_KEYS_EARLY && strstr(disk_folder_name(file), ".new"))
		return false;
	return fds[fd].at_once;
}

static ssize_t write_at(int fd, struct disk_object *file, const void *data, size_t size, uint64_t at)
{
	int error = refusal(file);
	size_t part = error ? (size_t)luck(size + 1) : size;
	if (error && luck(2))
		part = 0;
	if (part == 0 && size > 0) {
		errno = error;
		return -1;
	}
	struct disk_write *each = disk_log_write(file, data, part, at);
	if (syscall(SYS_pwrite64, fd, data, part, at) != (long)part)
		abort();
	each->undecided = error == EIO;
	point(file);
	if (error == EIO) {
		errno = error;
		return -1;
	}
	if (durable_at_once(fd, file)) {
		disk_settle(file, each);
		late_sync(file);
	}
	return (ssize_t)part;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	struct disk_object *file = object_of(fd);
	return file ? write_at(fd, file, data, size, (uint64_t)at)
		    : syscall(SYS_pwrite64, fd, data, size, at);
}

ssize_t write(int fd, const void *data, size_t size)
{
	struct disk_object *file = object_of(fd);
	if (!file)
		return syscall(SYS_write, fd, data, size);
	ssize_t done = write_at(fd, file, data, size, (uint64_t)lseek(fd, 0, SEEK_CUR));
	if (done > 0)
		lseek(fd, done, SEEK_CUR);
	return done;
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
	size_t size = 0, at = 0;
	if (!object_of(fd))
		return syscall(SYS_writev, fd, pieces, count);
	for (int i = 0; i < count; i++)
		size += pieces[i].iov_len;
	unsigned char *whole = malloc(size + 1);
	if (!whole)
		abort();
	for (int i = 0; i < count; at += pieces[i].iov_len, i++)
		memcpy(whole + at, pieces[i].iov_base, pieces[i].iov_len);
	ssize_t done = write(fd, whole, size);
	int error = errno;
	free(whole);
	errno = error;
	return done;
}

int ftruncate(int fd, off_t size)
{
	struct disk_object *file = object_of(fd);
	if (!file)
		return (int)syscall(SYS_ftruncate, fd, size);
	int error = refusal(file);
	if (error) {
		errno = error;
		return -1;
	}
	disk_log_cut(file, (uint64_t)size);
	if (syscall(SYS_ftruncate, fd, size) < 0)
		abort();
	point(file);
	return 0;
}

/* --- syncs --- */

static bool skipped(struct disk_object *file)
{
	const char *folder = file->folder ? "" : disk_folder_name(file);
	if (world->mutation == MUTATION_SYNC_SKIPPED && strcmp(folder, "data") == 0)
		return true;
	if (world->mutation == MUTATION_META_FIRST && strcmp(folder, "data") == 0)
		file->owes_sync = true;
	if (world->mutation == MUTATION_KEYS_EARLY && strstr(folder, ".new"))
		return true;
	return file->owes_sync;
}

static int sync_object(int fd)
{
	struct disk_object *object = object_of(fd);
	if (!object) /* in memory, or of no account */
		return 0;
	point(object);
	int error = refusal(object);
	if (error) {
		if (error == EIO || luck(2))
			disk_undecided(object);
		errno = error;
		return -1;
	}
	if (fault(world, KIND_SLOW, 50))
		world->now_ms += (int64_t)luck(SLOW_MS);
	if (!skipped(object))
		disk_settle(object, NULL);
	return 0;
}

int fdatasync(int fd)
{
	return sync_object(fd);
}

int fsync(int fd)
{
	return sync_object(fd);
}

/* --- files and names --- */

static int refused_name(const struct disk_object *folder)
{
	int error = folder ? refusal(folder) : 0;
	if (error)
		errno = error;
	return error;
}

int open(const char *path, int flags, ...)
{
	const char *name = NULL;
	struct disk_object *folder = NULL;
	struct stat info;
	va_list list;
	va_start(list, flags);
	unsigned int mode = flags & O_CREAT ? va_arg(list, unsigned int) : 0;
	va_end(list);
	if (world && flags & O_CREAT) {
		folder = disk_folder_of(path, &name);
		if (folder && disk_has(folder, name))
			folder = NULL;
		if (refused_name(folder))
			return -1;
	}
	/* What it holds is cut off where the log sees it. */
	bool emptied = world && flags & O_TRUNC && stat(path, &info) == 0 && disk_find(info.st_ino);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, emptied ? flags & ~O_TRUNC : flags, mode);
	if (!world || fd < 0 || fd >= FDS || fstat(fd, &info) < 0)
		return fd;
	if (folder) {
		disk_made(folder, name, &info, (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC));
		point(folder);
	}
	fds[fd].object = disk_find(info.st_ino);
	fds[fd].at_once = flags & O_DSYNC;
	if (emptied && ftruncate(fd, 0) < 0) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

int close(int fd)
{
	if (fd >= 0 && fd < FDS)
		fds[fd].object = NULL;
	return (int)syscall(SYS_close, fd);
}

int mkdir(const char *path, mode_t mode)
{
	const char *name = NULL;
	struct disk_object *folder = world ? disk_folder_of(path, &name) : NULL;
	struct stat info;
	if (folder && !disk_has(folder, name) && refused_name(folder))
		return -1;
	int rc = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
	if (rc == 0 && folder && stat(path, &info) == 0) {
		disk_made(folder, name, &info, -1);
		point(folder);
	}
	return rc;
}

int rename(const char *old, const char *path)
{
	const char *old_name = NULL, *name = NULL;
	struct disk_object *from = world ? disk_folder_of(old, &old_name) : NULL;
	struct disk_object *to = world ? disk_folder_of(path, &name) : NULL;
	if (refused_name(to))
		return -1;
	int rc = (int)syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, path, 0);
	if (rc == 0 && from && to) {
		disk_renamed(from, old_name, to, name);
		point(to);
	}
	return rc;
}

static int removed(int at, const char *path, int flags)
{
	char whole[4096], link[64];
	const char *name = NULL;
	struct disk_object *folder = NULL;
	if (world && at != AT_FDCWD) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", at);
		ssize_t size = readlink(link, whole, sizeof whole - DISK_NAME - 1);
		if (size > 0 && strlen(path) < DISK_NAME) {
			snprintf(whole + size, sizeof whole - (size_t)size, "/%s", path);
			folder = disk_folder_of(whole, &name);
		}
	} else if (world) {
		folder = disk_folder_of(path, &name);
	}
	int rc = (int)syscall(SYS_unlinkat, at, path, flags);
	if (rc == 0 && folder) {
		disk_removed(folder, name ? name : path);
		point(folder);
	}
	return rc;
}

int unlinkat(int at, const char *path, int flags)
{
	return removed(at, path, flags);
}

int unlink(const char *path)
{
	return removed(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
	return removed(AT_FDCWD, path, AT_REMOVEDIR);
}
