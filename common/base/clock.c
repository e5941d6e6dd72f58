/* clock.c - real and stepped time
 *
 * The stepped clock's file is eight bytes, big-endian: 00 00 01 9d 46 57 00 00 is 2026-04-01 00:00 UTC.
 * Readers have it mapped, and the driver changes it through a mapping of its own with one compare-and-swap: a
 * reader can never see half of an instant, and two drivers can never move it backwards. The file is linked
 * into place complete and never replaced, since a reader would be left with the old one.
 */
#include "base/clock.h"

#include "base/bytes.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_BYTES 8

_Static_assert(__atomic_always_lock_free(sizeof(uint64_t), 0), "the mapped instant is read without a lock");

struct av_clock av_clock_real(void)
{
	return (struct av_clock){0};
}

struct av_clock av_clock_fixed(int64_t now_ms)
{
	return (struct av_clock){.fixed_ms = now_ms};
}

static int map_file(const char *path, int flags, int protection, void **ret_mapped)
{
	int fd = open(path, flags | O_CLOEXEC);
	int status = AV_IO;
	struct stat info;
	void *mapped;

	if (fd < 0)
		return errno == ENOENT ? AV_NOT_FOUND : AV_IO;
	if (fstat(fd, &info) == 0) {
		if (!S_ISREG(info.st_mode) || info.st_size != FILE_BYTES) {
			status = AV_DAMAGED;
		} else {
			mapped = mmap(NULL, FILE_BYTES, protection, MAP_SHARED, fd, 0);
			if (mapped != MAP_FAILED) {
				*ret_mapped = mapped;
				status = AV_OK;
			}
		}
	}
	close(fd);
	return status;
}

int av_clock_open_stepped(const char *path, struct av_clock *ret_clock)
{
	void *mapped;
	int status = map_file(path, O_RDONLY, PROT_READ, &mapped);

	if (status == AV_OK)
		*ret_clock = (struct av_clock){.mapped = mapped};
	return status;
}

void av_clock_close(struct av_clock *clock)
{
	if (clock->mapped)
		munmap((void *)(uintptr_t)clock->mapped, FILE_BYTES);
	*clock = (struct av_clock){0};
}

bool av_clock_is_stepped(const struct av_clock *clock)
{
	return clock->mapped != NULL;
}

static int64_t read_ms(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t av_clock_now_ms(const struct av_clock *clock)
{
	if (clock->mapped) {
		uint64_t stored = __atomic_load_n((const uint64_t *)clock->mapped, __ATOMIC_ACQUIRE);
		return (int64_t)av_get_u64(&stored);
	}
	return clock->fixed_ms ? clock->fixed_ms : read_ms(CLOCK_REALTIME);
}

int64_t av_clock_monotonic_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t av_clock_monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void sync_folder_of(const char *path)
{
	char folder[PATH_MAX];
	char *slash;
	int fd;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (!slash)
		strcpy(folder, ".");
	else if (slash == folder)
		slash[1] = '\0';
	else
		*slash = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd); /* when it fails the file may be gone after a power cut, and is created again:
			      ignoring */
		close(fd);
	}
}

/* AV_EXISTS when somebody else was first. */
static int create_file(const char *path, const unsigned char content[FILE_BYTES])
{
	char draft[PATH_MAX];
	int length = snprintf(draft, sizeof(draft), "%s.%ld.new", path, (long)getpid());
	int fd, status = AV_IO;

	if (length < 0 || (size_t)length >= sizeof(draft))
		return AV_IO;
	unlink(draft); /* left by a process that died with our number */
	fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return AV_IO;
	if (write(fd, content, FILE_BYTES) == FILE_BYTES && fsync(fd) == 0) {
		if (link(draft, path) == 0)
			status = AV_OK;
		else if (errno == EEXIST)
			status = AV_EXISTS;
	}
	close(fd);
	unlink(draft);
	if (status == AV_OK)
		sync_folder_of(path);
	return status;
}

static int move_forward(uint64_t *mapped, int64_t now_ms)
{
	uint64_t stored = __atomic_load_n(mapped, __ATOMIC_ACQUIRE);
	uint64_t wanted;

	av_put_u64(&wanted, (uint64_t)now_ms);
	do {
		if ((int64_t)av_get_u64(&stored) > now_ms)
			return AV_INVALID;
	} while (!__atomic_compare_exchange_n(
		mapped, &stored, wanted, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	return msync(mapped, FILE_BYTES, MS_SYNC) == 0 ? AV_OK : AV_IO;
}

int av_clock_step(const char *path, int64_t now_ms)
{
	unsigned char content[FILE_BYTES];
	void *mapped;
	int status;

	if (now_ms < 0)
		return AV_INVALID;
	status = map_file(path, O_RDWR, PROT_READ | PROT_WRITE, &mapped);
	if (status == AV_NOT_FOUND) {
		av_put_u64(content, (uint64_t)now_ms);
		status = create_file(path, content);
		if (status != AV_EXISTS)
			return status;
		status = map_file(path, O_RDWR, PROT_READ | PROT_WRITE, &mapped);
	}
	if (status != AV_OK)
		return status;
	status = move_forward(mapped, now_ms);
	munmap(mapped, FILE_BYTES);
	return status;
}
