/* folder.c - see folder.h. Symbolic links and special files are not followed and not copied: there are none
 * in a store. */
#include "daemon/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <linux/fs.h> /* RENAME_EXCHANGE */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/status.h"

#define PATH_MOST 4096

static bool child(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static bool join(char ret_path[PATH_MOST], const char *folder, const char *name)
{
	return snprintf(ret_path, PATH_MOST, "%s/%s", folder, name) < PATH_MOST;
}

void folder_remove(const char *path)
{
	char below[PATH_MOST];
	DIR *folder = opendir(path);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		struct stat info;
		if (!child(entry) || !join(below, path, entry->d_name))
			continue;
		if (lstat(below, &info) == 0 && S_ISDIR(info.st_mode))
			folder_remove(below);
		else
			unlink(below);
	}
	if (folder)
		closedir(folder);
	rmdir(path);
}

static int disk_status(void)
{
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		return AV_FULL;
	return errno == ENOENT ? AV_NOT_FOUND : errno == EEXIST ? AV_EXISTS : AV_IO;
}

int folder_replace(const char *with, const char *path, const char *aside)
{
	if (access(path, F_OK) < 0)
		return rename(with, path) < 0 ? AV_IO : AV_OK;
	if (syscall(SYS_renameat2, AT_FDCWD, with, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
		return rename(with, aside) < 0 ? AV_IO : AV_OK;
	if (errno != EINVAL && errno != ENOSYS)
		return AV_IO;
	return rename(path, aside) < 0 || rename(with, path) < 0 ? AV_IO : AV_OK;
}

int folder_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);
	if (fd >= 0)
		close(fd);
	return rc < 0 ? AV_IO : AV_OK;
}

static int file_copy(const char *from, const char *to)
{
	static char piece[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int status = in < 0 || out < 0 ? disk_status() : AV_OK;
	for (ssize_t got; status == AV_OK && (got = read(in, piece, sizeof piece)) != 0;) {
		for (ssize_t done = 0, put; status == AV_OK && done < got; done += put) {
			put = write(out, piece + done, (size_t)(got - done));
			if (put < 0)
				status = disk_status();
		}
		if (got < 0)
			status = disk_status();
	}
	if (status == AV_OK && fsync(out) < 0)
		status = disk_status();
	if (in >= 0)
		close(in);
	if (out >= 0 && close(out) < 0 && status == AV_OK)
		status = disk_status();
	return status;
}

int folder_copy(const char *from, const char *to)
{
	char from_below[PATH_MOST], to_below[PATH_MOST];
	DIR *folder = opendir(from);
	if (!folder)
		return disk_status();
	int status = mkdir(to, 0700) < 0 ? disk_status() : AV_OK;
	for (struct dirent *entry; status == AV_OK && (entry = readdir(folder));) {
		struct stat info;
		if (!child(entry))
			continue;
		if (!join(from_below, from, entry->d_name) || !join(to_below, to, entry->d_name) ||
			lstat(from_below, &info) < 0)
			status = AV_IO;
		else if (S_ISDIR(info.st_mode))
			status = folder_copy(from_below, to_below);
		else if (S_ISREG(info.st_mode))
			status = file_copy(from_below, to_below);
	}
	closedir(folder);
	return status == AV_OK ? folder_sync(to) : status;
}
