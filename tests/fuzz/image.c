/* image.c - a folder with its files, those of its folders too */
#include "image.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 32
#define NAME_MAX_BYTES 256

struct image {
	struct {
		char name[NAME_MAX_BYTES];
		char *bytes;
		size_t size;
	} files[FILES_MAX];
	size_t count;
};

static void must(int holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	abort();
}

static void each(const char *path, const char *below,
	void (*file)(void *context, const char *path, const char *name), void *context)
{
	char folder_path[1024];
	snprintf(folder_path, sizeof folder_path, "%s/%s", path, below);
	DIR *folder = opendir(folder_path);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		char name[NAME_MAX_BYTES], whole[2048];
		struct stat info;
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%.100s%s%.100s", below, *below ? "/" : "", entry->d_name);
		snprintf(whole, sizeof whole, "%s/%s", path, name);
		if (lstat(whole, &info) == 0 && S_ISDIR(info.st_mode)) {
			each(path, name, file, context);
			if (!context)
				rmdir(whole); /* dropped, as its files were */
		} else {
			file(context, whole, name);
		}
	}
	if (folder)
		closedir(folder);
}

static void take_file(void *context, const char *path, const char *name)
{
	struct image *image = context;
	struct stat info;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	must(file >= 0 && fstat(file, &info) == 0 && image->count < FILES_MAX, path);
	size_t size = (size_t)info.st_size;
	char *bytes = malloc(size + 1);
	must(bytes && read(file, bytes, size) == (ssize_t)size, path);
	close(file);
	snprintf(image->files[image->count].name, NAME_MAX_BYTES, "%s", name);
	image->files[image->count].bytes = bytes;
	image->files[image->count++].size = size;
}

struct image *image_take(const char *path)
{
	struct image *image = calloc(1, sizeof *image);
	must(image != NULL, "image");
	each(path, "", take_file, image);
	return image;
}

static void drop_file(void *context, const char *path, const char *name)
{
	(void)context;
	(void)name;
	unlink(path);
}

/* The folders of a file that are not there. */
static void make_folders(char *path, size_t from)
{
	for (char *at = path + from + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(path, 0700);
		*at = '/';
	}
}

void image_put(const struct image *image, const char *path)
{
	each(path, "", drop_file, NULL);
	for (size_t i = 0; i < image->count; i++) {
		char whole[2048];
		snprintf(whole, sizeof whole, "%s/%s", path, image->files[i].name);
		make_folders(whole, strlen(path));
		int file = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		must(file >= 0 && write(file, image->files[i].bytes, image->files[i].size) ==
					  (ssize_t)image->files[i].size,
			whole);
		close(file);
	}
}
