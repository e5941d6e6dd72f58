/* maildir.c - mail into a folder: written to tmp/, synced, moved to new/, the folder synced.
 *
 * The name is "<notice id>.avvik", so that the same notice written again takes the place of the first. The
 * work is done on one of libuv's threads, since a sync may take long: what was given meanwhile is the next
 * batch. The files of a batch are all on their way to the disk before the first is waited for, and share one
 * sync of the folder.
 */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>
#include "base/macros.h"
#include "base/status.h"

#define PATH_BYTES 4096

struct writing {
	struct transport_mail mail;
	char *message; /* a copy: after close the owner's memory may be gone */
	int fd;
	bool written;
	struct writing *next;
};

struct maildir {
	struct transport base;
	uv_loop_t *loop;
	char *path;
	transport_end *on_end;
	void *context;
	uv_idle_t idle; /* what the loop gives in one go is one batch */
	uv_work_t work;
	struct writing *waiting, **waiting_tail, *batch;
	size_t busy;
	bool closing, idle_closed;
};

static bool write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t part = write(fd, data, size);
		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return false;
		data += part;
		size -= (size_t)part;
	}
	return true;
}

static bool sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return done;
}

static bool name_of(char path[PATH_BYTES], const char *folder, const char *below, const struct av_id *id)
{
	char name[AV_ID_TEXT];
	av_id_text(id, name);
	return snprintf(path, PATH_BYTES, "%s/%s/%s.avvik", folder, below, name) < PATH_BYTES;
}

static bool write_out(const char *folder, struct writing *writing)
{
	char path[PATH_BYTES];
	if (!name_of(path, folder, "tmp", &writing->mail.id))
		return false;
	writing->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (writing->fd < 0 || !write_all(writing->fd, writing->message, writing->mail.message.size))
		return false;
	/* Begins to write it to the disk, so that the syncs below wait together; only a hint, ignoring. */
	(void)posix_fadvise(writing->fd, 0, 0, POSIX_FADV_DONTNEED);
	return true;
}

static bool move_in(const char *folder, struct writing *writing)
{
	char from[PATH_BYTES], to[PATH_BYTES];
	bool synced = fsync(writing->fd) == 0;
	synced = close(writing->fd) == 0 && synced;
	writing->fd = -1;
	return synced && name_of(from, folder, "tmp", &writing->mail.id) &&
	       name_of(to, folder, "new", &writing->mail.id) && rename(from, to) == 0;
}

static void clear(const char *folder, struct writing *writing)
{
	char path[PATH_BYTES];
	if (writing->fd >= 0)
		close(writing->fd);
	if (name_of(path, folder, "tmp", &writing->mail.id))
		unlink(path);
}

static void on_work(uv_work_t *work)
{
	const struct maildir *folder = work->data;
	char fresh[PATH_BYTES];
	for (struct writing *writing = folder->batch; writing; writing = writing->next)
		writing->written = write_out(folder->path, writing);
	for (struct writing *writing = folder->batch; writing; writing = writing->next)
		writing->written = writing->written && move_in(folder->path, writing);
	bool synced =
		snprintf(fresh, sizeof fresh, "%s/new", folder->path) < PATH_BYTES && sync_folder(fresh);
	for (struct writing *writing = folder->batch; writing; writing = writing->next) {
		if (!writing->written)
			clear(folder->path, writing);
		writing->written = writing->written && synced;
	}
}

static void forget(struct writing *writing)
{
	free(writing->message);
	free(writing);
}

static void release(struct maildir *folder)
{
	if (!folder->closing || folder->batch || !folder->idle_closed)
		return;
	free(folder->path);
	free(folder);
}

static void on_worked(uv_work_t *work, int status);

static void begin_batch(struct maildir *folder)
{
	folder->batch = folder->waiting;
	folder->waiting = NULL;
	folder->waiting_tail = &folder->waiting;
	folder->work.data = folder;
	/* Fails only without a function to call. */
	uv_queue_work(folder->loop, &folder->work, on_work, on_worked);
}

static void on_idle(uv_idle_t *idle)
{
	struct maildir *folder = idle->data;
	uv_idle_stop(idle);
	if (folder->waiting && !folder->batch)
		begin_batch(folder);
}

static void on_worked(uv_work_t *work, int status)
{
	struct maildir *folder = work->data;
	struct writing *batch = folder->batch;

	folder->batch = NULL;
	if (folder->waiting && !folder->closing)
		begin_batch(folder);
	while (batch) {
		struct writing *writing = batch;
		batch = writing->next;
		folder->busy--;
		if (!folder->closing)
			folder->on_end(folder->context, writing->mail.owner,
				status == 0 && writing->written ? OUTCOME_DELIVERED : OUTCOME_FOLDER_FAILED,
				false);
		forget(writing);
	}
	release(folder);
}

static void maildir_send(struct transport *self, const struct transport_mail *mail)
{
	struct maildir *folder = AV_CONTAINER(self, struct maildir, base);
	struct writing *writing = calloc(1, sizeof *writing);
	char *message = malloc(mail->message.size + 1);

	if (!writing || !message)
		abort(); /* the process is at its end, and the attempt is written down */
	memcpy(message, mail->message.data, mail->message.size);
	*writing = (struct writing){.mail = *mail, .message = message, .fd = -1};
	*folder->waiting_tail = writing;
	folder->waiting_tail = &writing->next;
	folder->busy++;
	uv_idle_start(&folder->idle, on_idle);
}

static size_t maildir_busy(const struct transport *self)
{
	const struct maildir *folder = (const struct maildir *)(const void *)self; /* base comes first */
	return folder->busy;
}

static void on_idle_closed(uv_handle_t *handle)
{
	struct maildir *folder = handle->data;
	folder->idle_closed = true;
	release(folder);
}

static void maildir_close(struct transport *self)
{
	struct maildir *folder = AV_CONTAINER(self, struct maildir, base);
	folder->closing = true;
	while (folder->waiting) {
		struct writing *writing = folder->waiting;
		folder->waiting = writing->next;
		forget(writing);
	}
	uv_close((uv_handle_t *)&folder->idle, on_idle_closed);
}

static bool make_folder(const char *path, const char *below)
{
	char whole[PATH_BYTES];
	if (snprintf(whole, sizeof whole, "%s%s", path, below) >= PATH_BYTES)
		return false;
	return mkdir(whole, 0700) == 0 || errno == EEXIST;
}

/* The folder itself is a name in the one above it. */
static bool sync_above(const char *path)
{
	char above[PATH_BYTES];
	return snprintf(above, sizeof above, "%s/..", path) < PATH_BYTES && sync_folder(above);
}

int maildir_open(
	void *loop, const char *path, transport_end *on_end, void *context, struct transport **ret_transport)
{
	if (!make_folder(path, "") || !make_folder(path, "/tmp") || !make_folder(path, "/new") ||
		!make_folder(path, "/cur") || !sync_folder(path) || !sync_above(path))
		return AV_IO;
	struct maildir *folder = calloc(1, sizeof *folder);
	char *copy = strdup(path);
	if (!folder || !copy) {
		free(folder);
		free(copy);
		return AV_MEMORY;
	}
	*folder = (struct maildir){.base = {maildir_send, maildir_busy, maildir_close},
		.loop = loop,
		.path = copy,
		.on_end = on_end,
		.context = context};
	folder->waiting_tail = &folder->waiting;
	uv_idle_init(loop, &folder->idle);
	folder->idle.data = folder;
	*ret_transport = &folder->base;
	return AV_OK;
}
