/* generation.c - the key store on disk: one generation in force, and the clearing away of what is not.
 *
 * File wrapping-G: version u8 = 1, generation u64, then sealed under the master key, bound to "avvik wrapping
 * v1" and generation u64: the wrapping key, 32 bytes. 81 bytes:
 *
 *	01 0000000000000001 <nonce 24> <ciphertext 32> <tag 16>
 *
 * What the disk itself keeps of an overwritten block (copy-on-write, spare cells of an SSD) is still sealed
 * under the master key.
 */
#include "store/keystore_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/macros.h"

#define BOUND "avvik wrapping v1"
#define BOUND_SIZE (sizeof BOUND - 1 + 8)
#define FILE_HEAD 9
_Static_assert(WRAPPING_FILE_SIZE == FILE_HEAD + AV_KEY_SIZE + AV_SEAL_EXTRA, "as above");
#define MAP_BYTES ((size_t)4 << 30) /* of address space: more than a hundred million keys */
int generation_disk_status(void)
{
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? AV_FULL : AV_IO;
}

int generation_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);
	if (fd >= 0)
		close(fd);
	return rc < 0 ? AV_IO : AV_OK;
}

bool generation_file(char ret_file[KEY_PATH_MAX], const char *path, const char *what, uint64_t generation,
	const char *suffix)
{
	return (size_t)snprintf(ret_file, KEY_PATH_MAX, "%s/%s-%llu%s", path, what,
		       (unsigned long long)generation, suffix) < KEY_PATH_MAX;
}

/* "wrapping-12.new" -> 12 and new. false: another name. */
static bool parse_name(const char *name, const char *what, uint64_t *ret_generation, bool *ret_new)
{
	size_t length = strlen(what);
	char *end;
	if (strncmp(name, what, length) != 0 || name[length] != '-' || name[length + 1] < '1' ||
		name[length + 1] > '9')
		return false;
	errno = 0;
	*ret_generation = strtoull(name + length + 1, &end, 10);
	*ret_new = strcmp(end, GENERATION_NEW) == 0;
	return errno == 0 && (*ret_new || *end == '\0');
}

static void bind_wrapping(uint64_t generation, unsigned char ret_bound[BOUND_SIZE])
{
	memcpy(ret_bound, BOUND, sizeof BOUND - 1);
	av_put_u64(ret_bound + sizeof BOUND - 1, generation);
}

int generation_write_file(const char *file, const void *data, size_t size)
{
	int status = AV_OK;
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return generation_disk_status();
	errno = ENOSPC; /* of a write that was cut short */
	if (write(fd, data, size) != (ssize_t)size || fsync(fd) < 0)
		status = generation_disk_status();
	close(fd);
	return status;
}

int generation_save_wrapping(
	struct av_keystore *keys, uint64_t generation, const unsigned char wrapping[AV_KEY_SIZE])
{
	char file[KEY_PATH_MAX];
	unsigned char record[WRAPPING_FILE_SIZE], bound[BOUND_SIZE];
	record[0] = 1;
	av_put_u64(record + 1, generation);
	bind_wrapping(generation, bound);
	av_seal(keys->secrets->master, av_bytes(bound, sizeof bound), av_bytes(wrapping, AV_KEY_SIZE),
		&keys->random, record + FILE_HEAD);
	if (!generation_file(file, keys->path, "wrapping", generation, GENERATION_NEW))
		return AV_INVALID;
	int status = generation_write_file(file, record, sizeof record);
	return status == AV_OK ? generation_sync(keys->path) : status;
}

static int load_wrapping(struct av_keystore *keys, uint64_t generation)
{
	char file[KEY_PATH_MAX];
	unsigned char record[WRAPPING_FILE_SIZE + 1], bound[BOUND_SIZE];
	if (!generation_file(file, keys->path, "wrapping", generation, ""))
		return AV_INVALID;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return AV_IO;
	ssize_t size = read(fd, record, sizeof record);
	close(fd);
	if (size < 0)
		return AV_IO;
	if (size > 0 && record[0] > 1)
		return AV_NEWER;
	if (size != WRAPPING_FILE_SIZE || record[0] != 1 || av_get_u64(record + 1) != generation)
		return AV_DAMAGED;
	bind_wrapping(generation, bound);
	return av_unseal(keys->secrets->master, av_bytes(bound, sizeof bound),
		av_bytes(record + FILE_HEAD, WRAPPING_FILE_SIZE - FILE_HEAD), keys->secrets->wrapping);
}

int generation_folder_open(struct av_keystore *keys, uint64_t generation, const char *suffix,
	struct av_store **ret_store, const char **ret_why)
{
	static const struct av_table_decl tables[] = {{"key_blocks", AV_APPENDED}};
	char path[KEY_PATH_MAX];
	if (!generation_file(path, keys->path, "keys", generation, suffix))
		return AV_INVALID;
	const struct av_store_options options = {
		.path = path,
		.map_bytes = MAP_BYTES,
		.tables = tables,
		.table_count = AV_COUNT(tables),
		.daemon = "keys",
		.instance = "",
	};
	return av_store_open(&options, &keys->random, ret_store, ret_why);
}

/* Clearing away. */

static int overwrite(struct av_keystore *keys, const char *file)
{
	unsigned char noise[WRAPPING_FILE_SIZE];
	int fd = open(file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? AV_OK : AV_IO;
	av_random_fill(&keys->random, noise, sizeof noise);
	int status =
		write(fd, noise, sizeof noise) == (ssize_t)sizeof noise && fsync(fd) == 0 ? AV_OK : AV_IO;
	close(fd);
	return status;
}

static int remove_wrapping(struct av_keystore *keys, uint64_t generation, const char *suffix)
{
	char file[KEY_PATH_MAX];
	if (!generation_file(file, keys->path, "wrapping", generation, suffix))
		return AV_INVALID;
	int status = overwrite(keys, file);
	if (status != AV_OK)
		return status;
	generation_step(6);
	if (unlink(file) < 0 && errno != ENOENT)
		return AV_IO;
	status = generation_sync(keys->path);
	generation_step(7);
	return status;
}

static int remove_keys(struct av_keystore *keys, uint64_t generation, const char *suffix)
{
	char path[KEY_PATH_MAX];
	if (!generation_file(path, keys->path, "keys", generation, suffix))
		return AV_INVALID;
	DIR *folder = opendir(path);
	if (!folder)
		return errno == ENOENT ? AV_OK : AV_IO;
	for (const struct dirent *entry; (entry = readdir(folder));)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	return rmdir(path) < 0 ? AV_IO : AV_OK;
}

/* What the folder holds. */
struct inventory {
	uint64_t in_force; /* the greatest wrapping-G; 0: none */
	bool keys_without, beginning, other;
};

typedef int each_name(
	struct av_keystore *keys, const char *what, uint64_t generation, bool is_new, void *context);

static int each(struct av_keystore *keys, each_name *visit, void *context)
{
	static const char *const kinds[] = {"wrapping", "keys"};
	uint64_t generation;
	bool is_new;
	int status = AV_OK;
	DIR *folder = opendir(keys->path);
	if (!folder)
		return AV_IO;
	for (const struct dirent *entry; status == AV_OK && (entry = readdir(folder));)
		for (size_t i = 0; i < AV_COUNT(kinds) && status == AV_OK; i++)
			if (parse_name(entry->d_name, kinds[i], &generation, &is_new))
				status = visit(keys, kinds[i], generation, is_new, context);
	closedir(folder);
	return status;
}

static int find_greatest(
	struct av_keystore *keys, const char *what, uint64_t generation, bool is_new, void *context)
{
	struct inventory *found = context;
	AV_UNUSED(keys);
	if (what[0] == 'w' && !is_new)
		found->in_force = AV_MAX(found->in_force, generation);
	/* Without a wrapping key only the very first generation, still beginning, may be cleared. */
	if (what[0] == 'w' && is_new && generation == 1)
		found->beginning = true;
	if (generation != 1)
		found->other = true;
	if (what[0] == 'k' && !is_new)
		found->keys_without = true;
	return AV_OK;
}

/* The folders first: a wrapping file that is left alone tells that a beginning was cut off. */
static int clear_unfinished(
	struct av_keystore *keys, const char *what, uint64_t generation, bool is_new, void *context)
{
	AV_UNUSED(context);
	if (what[0] != 'k' || !(is_new || generation > keys->generation))
		return AV_OK;
	return remove_keys(keys, generation, is_new ? GENERATION_NEW : "");
}

static int clear_wrapping(
	struct av_keystore *keys, const char *what, uint64_t generation, bool is_new, void *context)
{
	AV_UNUSED(context);
	if (what[0] != 'w' || (generation == keys->generation && !is_new))
		return AV_OK;
	return remove_wrapping(keys, generation, is_new ? GENERATION_NEW : "");
}

static int clear_old_keys(
	struct av_keystore *keys, const char *what, uint64_t generation, bool is_new, void *context)
{
	AV_UNUSED(context);
	if (what[0] != 'k' || (generation == keys->generation && !is_new))
		return AV_OK;
	return remove_keys(keys, generation, is_new ? GENERATION_NEW : "");
}

/* Undoes what was not finished, finishes what was: after it only the generation in force is left. Its
 * wrapping file must be durable before an older one is overwritten. */
int generation_settle(struct av_keystore *keys)
{
	if (keys->settled)
		return AV_OK;
	int status = generation_sync(keys->path);
	if (status == AV_OK)
		status = each(keys, clear_unfinished, NULL);
	if (status == AV_OK)
		status = each(keys, clear_wrapping, NULL);
	if (status == AV_OK)
		status = each(keys, clear_old_keys, NULL);
	if (status == AV_OK)
		status = generation_sync(keys->path);
	generation_step(8);
	keys->settled = status == AV_OK;
	return status;
}

static int refuse(const char **ret_why, int status)
{
	/* clang-format off */
	static const struct {
		int status;
		const char *why;
	} texts[] = {
		{AV_CRYPTO,  "The key store does not open with this master key: give the key that belongs to the instance."},
		{AV_DAMAGED, "The key store is damaged: restore it from its own backup with: avvik restore."},
		{AV_NEWER,   "The key store was written by a newer version: install that version."},
		{AV_FULL,    "There is no room for the key store: free some disk."},
	}; /* clang-format on */
	*ret_why = "The key store cannot be read or written: check the folder, its owner, its rights and the "
		   "disk.";
	for (size_t i = 0; i < AV_COUNT(texts); i++)
		if (texts[i].status == status)
			*ret_why = texts[i].why;
	return status;
}

static int count_keys(struct av_keystore *keys)
{
	struct av_txn *txn;
	struct av_bytes key, value;
	uint64_t blocks = 0;
	int status = av_txn_begin_read(keys->store, &txn);
	if (status != AV_OK)
		return status;
	if (av_last(txn, AV_TABLE_KEY_BLOCKS, av_bytes("", 0), &key, &value) == AV_OK)
		blocks = key.size == 8 ? av_get_u64(key.data) + 1 : UINT64_MAX;
	status = av_txn_error(txn);
	if (status == AV_OK && blocks != av_table_count(txn, AV_TABLE_KEY_BLOCKS))
		status = AV_DAMAGED;
	av_txn_abort(&txn);
	keys->end = blocks * AV_KEY_BLOCK + 1;
	return status;
}

static bool has_keys(const struct av_keystore *keys, uint64_t generation)
{
	char file[KEY_PATH_MAX];
	return generation_file(file, keys->path, "keys", generation, "/data.mdb") && access(file, F_OK) == 0;
}

static int sync_above(const struct av_keystore *keys)
{
	char above[KEY_PATH_MAX + 4];
	snprintf(above, sizeof above, "%s/..", keys->path);
	return generation_sync(above);
}

int generation_open(struct av_keystore *keys, const char **ret_why)
{
	struct inventory found = {0};
	int status = each(keys, find_greatest, &found);
	if (status != AV_OK)
		return refuse(ret_why, status);
	if (found.in_force == 0) {
		if (found.other || (found.keys_without && !found.beginning))
			return refuse(ret_why, AV_DAMAGED);
		keys->end = 1;
		status = sync_above(keys); /* or a power cut takes the folder, and with it every key */
		if (status == AV_OK)
			status = generation_settle(keys);
		if (status == AV_OK)
			status = generation_rewrite(keys, NULL, 0);
		return status == AV_OK ? AV_OK : refuse(ret_why, status);
	}
	keys->generation = found.in_force;
	status = load_wrapping(keys, keys->generation);
	if (status == AV_OK && !has_keys(keys, keys->generation))
		status = AV_DAMAGED; /* opening would make an empty store */
	if (status != AV_OK)
		return refuse(ret_why, status);
	status = generation_folder_open(keys, keys->generation, "", &keys->store, ret_why);
	if (status != AV_OK)
		return status;
	status = count_keys(keys);
	if (status == AV_OK)
		status = generation_settle(keys);
	return status == AV_OK ? AV_OK : refuse(ret_why, status);
}
