/* inject_log.c - what reached the kernel, in order, for the power cut (powercut.c).
 *
 * AVVIK_INJECT_LOG names a folder; each daemon appends to a file of its own there. A record is a line, and
 * after it the bytes that were written, if any:
 *
 *	<monotonic nanoseconds> <call> <device:inode> <offset> <bytes> <synchronous: 0 or 1> <path>\t<second path>
 *
 * While a call on a file is under way nothing else is logged, so that a sync covers exactly the writes that
 * stand before it. What is sent is logged before it leaves, by its socket's name, without bytes. The time is
 * the same in all processes.
 */
#define _GNU_SOURCE
#include "inject.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static FILE *file;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool locked;

static bool is_send(const struct call *call)
{
	return strncmp(call->name, "send", 4) == 0;
}

static bool is_receive(const struct call *call)
{
	return strncmp(call->name, "recv", 4) == 0 || strcmp(call->name, "read") == 0;
}

static void put_data(const struct call *call, size_t size)
{
	if (!call->parts) {
		fwrite(call->data, 1, size, file);
		return;
	}
	for (size_t i = 0; size > 0; i++) {
		size_t part = call->parts[i].iov_len < size ? call->parts[i].iov_len : size;
		fwrite(call->parts[i].iov_base, 1, part, file);
		size -= part;
	}
}

static void put(const struct call *call, size_t size)
{
	char path[POINT_PATH];
	struct stat info = {0};
	struct timespec now;
	off_t offset = call->offset;
	bool has_data = (call->data || call->parts) && !is_send(call);
	if (!point_path(call, path))
		return;
	if (call->fd >= 0)
		fstat(call->fd, &info);
	if (offset == AT_POSITION)
		offset = lseek(call->fd, 0, SEEK_CUR) - (off_t)size;
	clock_gettime(CLOCK_MONOTONIC, &now);
	fprintf(file, "%lld %s %llx:%llu %lld %zu %d %s\t%s\n",
		(long long)now.tv_sec * 1000000000 + now.tv_nsec, call->name, (unsigned long long)info.st_dev,
		(unsigned long long)info.st_ino, (long long)offset, size,
		call->fd >= 0 && (fcntl(call->fd, F_GETFL) & O_DSYNC) != 0, path, call->to ? call->to : "");
	if (has_data)
		put_data(call, size);
	fflush(file);
}

void log_start(const char *daemon)
{
	char path[POINT_PATH];
	const char *folder = getenv("AVVIK_INJECT_LOG");
	if (!folder)
		return;
	snprintf(path, sizeof path, "%s/%s", folder, daemon);
	file = fopen(path, "ae");
}

void log_before(const struct call *call)
{
	if (!file || is_receive(call) || (call->fd >= 0 && !is_send(call) && point_is_channel(call->fd)))
		return;
	pthread_mutex_lock(&one_at_a_time);
	locked = true;
	if (is_send(call))
		put(call, call->size);
}

void log_after(const struct call *call, ssize_t done)
{
	if (!locked)
		return;
	if (done >= 0 && !is_send(call))
		put(call, (size_t)done);
	locked = false;
	pthread_mutex_unlock(&one_at_a_time);
}
