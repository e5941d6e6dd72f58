/* guard.c - what keeps a store from harm before LMDB has seen it: who has it open, and is its file whole?
 *
 * In the folder: data.mdb and lock.mdb (LMDB's), and `lock`, on which the daemon holds flock(2) as long as it
 * runs. When a store has been made, `lock` gets a line of text; as long as it is empty the making was cut off
 * and may start over. A folder with that line but without data.mdb has lost its store: that is refused, not
 * taken for a new one.
 *
 * What is refused is not touched: nothing is written before the lock and the file have been looked at.
 */
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_FILE "lock"
#define MAKING_MOST 65536 /* a store that is being made is smaller */

/* What this process has open: LMDB must not open a file twice in a process. */
static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static struct av_store *open_stores;

static _Thread_local char why[STORE_PATH_MAX + 512];

int store_refuse(const char **ret_why, int status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	*ret_why = why;
	return status;
}

int store_refuse_code(const char **ret_why, const char *path, int mdb_code)
{
	int status = store_status(mdb_code);
	if (status == AV_DAMAGED)
		return store_refuse(ret_why, status,
			"The store in %s is damaged (%s): restore from backup with: avvik restore.", path,
			mdb_strerror(mdb_code));
	return store_refuse(
		ret_why, status, "The store in %s cannot be opened: %s.", path, mdb_strerror(mdb_code));
}

int store_sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return AV_IO;
	int rc = fsync(fd);
	close(fd);
	return rc < 0 ? AV_IO : AV_OK;
}

static int sync_parent(const char *path)
{
	char parent[STORE_PATH_MAX + 4];
	snprintf(parent, sizeof parent, "%s/..", path);
	return store_sync_folder(parent);
}

bool store_join(char ret_file[STORE_PATH_MAX], const char *path, const char *name)
{
	return (size_t)snprintf(ret_file, STORE_PATH_MAX, "%s/%s", path, name) < STORE_PATH_MAX;
}

int store_refuse_image(const char **ret_why, const char *path, int status, const char *what)
{
	if (status == AV_DAMAGED)
		return store_refuse(ret_why, status,
			"The store is damaged: %s/" STORE_DATA_FILE
			" %s. Nothing was touched; restore from backup with: "
			"avvik restore.",
			path, what);
	if (status == AV_NEWER)
		return store_refuse(
			ret_why, status, "%s/" STORE_DATA_FILE " %s: install that version.", path, what);
	return store_refuse(ret_why, status,
		"%s/" STORE_DATA_FILE " %s: check the folder, its owner and its rights.", path, what);
}

/* Takes the lock, or tells who has it. *ret_unfinished: the store was never finished, or there is none yet.
 */
/* Whoever only asks is_locked() holds it for a moment. */
static int lock_soon(int fd)
{
	const struct timespec moment = {.tv_nsec = 20000000};
	int rc = flock(fd, LOCK_EX | LOCK_NB);
	for (int i = 0; i < 5 && rc < 0 && errno == EWOULDBLOCK; i++) {
		nanosleep(&moment, NULL);
		rc = flock(fd, LOCK_EX | LOCK_NB);
	}
	return rc;
}

int store_take_lock(struct av_store *store, const char **ret_why, bool *ret_unfinished)
{
	char file[STORE_PATH_MAX];
	const char *what = "";
	struct stat st;
	if (!store_join(file, store->path, LOCK_FILE))
		return store_refuse(ret_why, AV_INVALID, "The path of the store is too long.");
	int fd = open(file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool had_lock = fd >= 0;
	if (!had_lock && errno == ENOENT) {
		/* A folder that came from a backup has no lock yet: look before making one. */
		int status = store_image_check(store->path, false, &what);
		if (status != AV_OK && status != AV_NOT_FOUND)
			return store_refuse_image(ret_why, store->path, status, what);
		fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	}
	if (fd < 0)
		return store_refuse(ret_why, errno == ENOSPC ? AV_FULL : AV_IO,
			"%s cannot be opened (%s): check the folder, its owner and its rights.", file,
			strerror(errno));
	store->lock_fd = fd;
	if (lock_soon(fd) < 0)
		return store_refuse(ret_why, errno == EWOULDBLOCK ? AV_LOCKED : AV_IO,
			"The store in %s is in use: another daemon has it open. Stop that one first; two "
			"must not share a "
			"store.",
			store->path);
	if (fstat(fd, &st) < 0)
		return store_refuse(ret_why, AV_IO, "%s cannot be read (%s).", file, strerror(errno));
	/* Before there are data, so that half of them are known for what they are. */
	if (!had_lock && store_sync_folder(store->path) != AV_OK)
		return store_refuse(ret_why, AV_IO, "The store in %s cannot be synced to disk.", store->path);
	*ret_unfinished = st.st_size == 0;
	return AV_OK;
}

/* Is some daemon using it? Only asked for reading. */
static bool is_locked(const char *path)
{
	char file[STORE_PATH_MAX];
	int fd = store_join(file, path, LOCK_FILE) ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return false;
	bool locked = flock(fd, LOCK_SH | LOCK_NB) < 0;
	close(fd);
	return locked;
}

/* The file that LMDB is about to believe. */
int store_check_file(struct av_store *store, bool unfinished, const char **ret_why)
{
	char file[STORE_PATH_MAX];
	const char *what = "";
	struct stat st;
	/* In use, pages change under a walk; and they are fine, or the daemon would not run. */
	bool thorough = store->read_only && !is_locked(store->path);
	int status = store_image_check(store->path, thorough, &what);
	if (status == AV_DAMAGED && unfinished && store_join(file, store->path, STORE_DATA_FILE) &&
		stat(file, &st) == 0 && st.st_size < MAKING_MOST && unlink(file) == 0)
		return AV_OK; /* the very first pages of a new store were cut off, or lost with the power */
	if (status == AV_DAMAGED && thorough && is_locked(store->path))
		return AV_OK;
	if (status == AV_NOT_FOUND && store->read_only)
		return store_refuse(ret_why, AV_NOT_FOUND, "There is no store in %s.", store->path);
	if (status == AV_NOT_FOUND && !unfinished)
		return store_refuse_image(ret_why, store->path, AV_DAMAGED, "is missing");
	if (status == AV_OK || status == AV_NOT_FOUND)
		return AV_OK;
	return store_refuse_image(ret_why, store->path, status, what);
}

int store_register(struct av_store *store, const char **ret_why)
{
	struct stat st;
	int status = AV_OK;
	if (stat(store->path, &st) < 0)
		return store_refuse(ret_why, errno == ENOENT ? AV_NOT_FOUND : AV_IO,
			"%s cannot be read (%s).", store->path, strerror(errno));
	pthread_mutex_lock(&open_lock);
	for (const struct av_store *other = open_stores; other && status == AV_OK; other = other->next)
		if (other->device == st.st_dev && other->inode == st.st_ino)
			status = AV_LOCKED;
	if (status == AV_OK) {
		store->device = st.st_dev;
		store->inode = st.st_ino;
		store->next = open_stores;
		open_stores = store;
	}
	pthread_mutex_unlock(&open_lock);
	return status == AV_OK
		       ? AV_OK
		       : store_refuse(ret_why, status,
				 "The store in %s is in use: this process has it open already.", store->path);
}

void store_unregister(struct av_store *store)
{
	pthread_mutex_lock(&open_lock);
	for (struct av_store **at = &open_stores; *at; at = &(*at)->next)
		if (*at == store) {
			*at = store->next;
			break;
		}
	pthread_mutex_unlock(&open_lock);
}

int store_mark_finished(struct av_store *store, const struct av_store_options *options)
{
	char line[512];
	int size = snprintf(line, sizeof line, "avvik %s %s format %d\n", options->daemon, options->instance,
		AV_STORE_FORMAT);
	if (store_sync_folder(store->path) != AV_OK || sync_parent(store->path) != AV_OK)
		return AV_IO;
	if (pwrite(store->lock_fd, line, AV_MIN((size_t)size, sizeof line - 1), 0) < size ||
		fsync(store->lock_fd) < 0)
		return AV_IO;
	return AV_OK;
}
