/* curve.c - CURVE key pairs and their files: two lines, "public <40 characters Z85>" and "secret <40
 * characters Z85>". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>
#include "base/status.h"
#include "bus/socket.h"
#include "seal/crypto.h"

#define FILE_MAX 200

int av_keypair_make(struct av_keypair *ret_keys)
{
	struct av_keypair keys;
	if (zmq_curve_keypair(keys.public_key, keys.secret_key) != 0)
		return AV_UNSUPPORTED;
	*ret_keys = keys;
	av_wipe(&keys, sizeof(keys));
	return AV_OK;
}

/* Group may read only a file that belongs to someone else: systemd hands credentials over as root's, readable
 * through an access list that shows as group bits. */
static bool kept_secret(int file)
{
	struct stat info;
	if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode))
		return false;
	mode_t forbidden = S_IRWXO | S_IWGRP | S_IXGRP;
	if (info.st_uid == geteuid())
		forbidden |= S_IRGRP;
	return (info.st_mode & forbidden) == 0;
}

static int read_keys(int file, struct av_keypair *keys)
{
	char text[FILE_MAX + 1], end = 0, derived[AV_CURVE_TEXT];
	ssize_t size = read(file, text, FILE_MAX);
	if (size < 0)
		return AV_IO;
	text[size] = 0;
	int status = AV_INVALID;
	if (sscanf(text, "public %40s secret %40s %c", keys->public_key, keys->secret_key, &end) == 2 &&
		strlen(keys->public_key) == AV_CURVE_TEXT - 1 &&
		strlen(keys->secret_key) == AV_CURVE_TEXT - 1 &&
		zmq_curve_public(derived, keys->secret_key) == 0 && strcmp(derived, keys->public_key) == 0)
		status = AV_OK;
	av_wipe(text, sizeof(text));
	return status;
}

int av_keypair_load(const char *path, struct av_keypair *ret_keys)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return errno == ENOENT ? AV_NOT_FOUND : AV_IO;
	struct av_keypair keys = {"", ""};
	int status = kept_secret(file) ? read_keys(file, &keys) : AV_INVALID;
	close(file);
	if (status == AV_OK)
		*ret_keys = keys;
	av_wipe(&keys, sizeof(keys));
	return status;
}

int av_keypair_save(const char *path, const struct av_keypair *keys)
{
	char text[FILE_MAX];
	int size = snprintf(text, sizeof(text), "public %s\nsecret %s\n", keys->public_key, keys->secret_key);
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0) {
		int status = errno == EEXIST ? AV_EXISTS : AV_IO;
		av_wipe(text, sizeof(text));
		return status;
	}
	bool kept = fchmod(file, 0600) == 0 && write(file, text, (size_t)size) == size && fsync(file) == 0;
	kept = close(file) == 0 && kept;
	av_wipe(text, sizeof(text));
	if (!kept) {
		unlink(path);
		return AV_IO;
	}
	return AV_OK;
}
