/* maildir.c - mail into a folder: written to tmp/, synced, moved to new/, the folder synced.
 *
 * The name is "<notice id>.avvik", so that the same notice written again takes the place of the first. The
 * work is done on libuv's threads, since a sync may take long.
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

struct maildir {
	struct transport base;
	uv_loop_t *loop;
	char *path;
	transport_end *on_end;
	void *context;
	size_t busy;
	bool closing;
};

struct writing {
	uv_work_t work;
	struct maildir *folder;
	struct transport_mail mail;
	char *message; /* a copy: after close the owner's memory may be gone */
	bool written;
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

static bool store(const char *folder, const struct av_id *id, const char *message, size_t size)
{
	char name[AV_ID_TEXT], from[PATH_BYTES], to[PATH_BYTES], fresh[PATH_BYTES];

	av_id_text(id, name);
	if (snprintf(from, sizeof from, "%s/tmp/%s.avvik", folder, name) >= PATH_BYTES ||
		snprintf(to, sizeof to, "%s/new/%s.avvik", folder, name) >= PATH_BYTES ||
		snprintf(fresh, sizeof fresh, "%s/new", folder) >= PATH_BYTES)
		return false;
	int fd = open(from, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	bool done = write_all(fd, message, size) && fsync(fd) == 0;
	done = close(fd) == 0 && done;
	done = done && rename(from, to) == 0 && sync_folder(fresh);
	if (!done)
		unlink(from);
	return done;
}

static void on_work(uv_work_t *work)
{
	struct writing *writing = work->data;
	writing->written =
		store(writing->folder->path, &writing->mail.id, writing->message, writing->mail.message.size);
}

static void release(struct maildir *folder)
{
	if (!folder->closing || folder->busy)
		return;
	free(folder->path);
	free(folder);
}

static void on_worked(uv_work_t *work, int status)
{
	struct writing *writing = work->data;
	struct maildir *folder = writing->folder;

	folder->busy--;
	if (!folder->closing)
		folder->on_end(folder->context, writing->mail.owner,
			status == 0 && writing->written ? OUTCOME_DELIVERED : OUTCOME_FOLDER_FAILED, false);
	free(writing->message);
	free(writing);
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
	*writing = (struct writing){.folder = folder, .mail = *mail, .message = message};
	writing->work.data = writing;
	folder->busy++;
	/* Fails only without a function to call. */
	uv_queue_work(folder->loop, &writing->work, on_work, on_worked);
}

static size_t maildir_busy(const struct transport *self)
{
	const struct maildir *folder = (const struct maildir *)(const void *)self; /* base comes first */
	return folder->busy;
}

static void maildir_close(struct transport *self)
{
	struct maildir *folder = AV_CONTAINER(self, struct maildir, base);
	folder->closing = true;
	release(folder);
}

static bool make_folder(const char *path, const char *below)
{
	char whole[PATH_BYTES];
	if (snprintf(whole, sizeof whole, "%s%s", path, below) >= PATH_BYTES)
		return false;
	return mkdir(whole, 0700) == 0 || errno == EEXIST;
}

int maildir_open(
	void *loop, const char *path, transport_end *on_end, void *context, struct transport **ret_transport)
{
	if (!make_folder(path, "") || !make_folder(path, "/tmp") || !make_folder(path, "/new") ||
		!make_folder(path, "/cur") || !sync_folder(path))
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
	*ret_transport = &folder->base;
	return AV_OK;
}
