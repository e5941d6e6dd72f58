/* rewrite.c - the rewriting of the key store that destroys keys, and copying it.
 *
 * Order of a rewriting, which must not change; each step is on disk before the next:
 *
 *	1 wrapping-N.new is written              cut off here: the old generation stays, the rest is cleared
 *	2 keys-N.new is made                     "
 *	3 all blocks are sealed into it          "
 *	4 keys-N.new becomes keys-N              "
 *	5 wrapping-N.new becomes wrapping-N      from here on N is in force
 *	6 the old wrapping file is overwritten   cut off here: 6 to 8 are done again at the next opening
 *	7 the old wrapping file is unlinked      "
 *	8 the old keys are unlinked              "
 */
#include "store/keystore_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCKS_A_COMMIT 256

void (*av_keystore_step)(int step);

void generation_step(int number)
{
	if (av_keystore_step)
		av_keystore_step(number);
}

/* Steps 1 to 4, with what is in the generation in force but for the numbers. On failure nothing is in force
 * that was not. */

static void strike_out(struct key_block *open, uint64_t block, const uint64_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t index = (numbers[i] - 1) % AV_KEY_BLOCK;
		if ((numbers[i] - 1) / AV_KEY_BLOCK != block)
			continue;
		open->destroyed[index / 8] |= (unsigned char)(1 << index % 8);
		av_wipe(open->keys[index], AV_KEY_SIZE);
	}
}

static int copy_blocks(struct av_keystore *keys, struct av_store *to, uint64_t generation,
	const unsigned char wrapping[AV_KEY_SIZE], const uint64_t *numbers, size_t count)
{
	struct key_block *open = &keys->secrets->scratch;
	struct av_txn *from, *txn = NULL;
	uint64_t blocks = (keys->end - 1) / AV_KEY_BLOCK;
	int status = av_txn_begin_read(keys->store, &from);
	if (status != AV_OK)
		return status;
	for (uint64_t block = 0; block < blocks && status == AV_OK; block++) {
		if (!txn)
			status = av_txn_begin_write(to, &txn);
		if (status == AV_OK)
			status = key_block_load(from, keys->secrets->wrapping, keys->generation, block, open);
		if (status == AV_OK) {
			strike_out(open, block, numbers, count);
			key_block_store(txn, wrapping, generation, block, open, &keys->random);
			if ((block + 1) % BLOCKS_A_COMMIT == 0 || block + 1 == blocks)
				status = av_txn_commit(&txn);
		}
	}
	av_wipe(open, sizeof *open);
	av_txn_abort(&txn);
	av_txn_abort(&from);
	return status;
}

static int make_generation(struct av_keystore *keys, uint64_t generation,
	const unsigned char wrapping[AV_KEY_SIZE], const uint64_t *numbers, size_t count,
	struct av_store **ret_store)
{
	char aside[KEY_PATH_MAX], path[KEY_PATH_MAX];
	struct av_store *store = NULL;
	const char *why;
	int status = generation_save_wrapping(keys, generation, wrapping);
	if (status != AV_OK)
		return status;
	generation_step(1);
	status = generation_folder_open(keys, generation, GENERATION_NEW, &store, &why);
	if (status != AV_OK)
		return status;
	generation_step(2);
	if (keys->store)
		status = copy_blocks(keys, store, generation, wrapping, numbers, count);
	av_store_close(&store);
	if (status != AV_OK)
		return status;
	generation_step(3);
	if (!generation_file(aside, keys->path, "keys", generation, GENERATION_NEW) ||
		!generation_file(path, keys->path, "keys", generation, ""))
		return AV_INVALID;
	if (rename(aside, path) < 0)
		return generation_disk_status();
	status = generation_sync(keys->path);
	if (status != AV_OK)
		return status;
	generation_step(4);
	return generation_folder_open(keys, generation, "", ret_store, &why);
}

int generation_rewrite(struct av_keystore *keys, const uint64_t *numbers, size_t count)
{
	char aside[KEY_PATH_MAX], file[KEY_PATH_MAX];
	unsigned char wrapping[AV_KEY_SIZE];
	struct av_store *store = NULL;
	uint64_t generation = keys->generation + 1;
	av_random_fill(&keys->random, wrapping, sizeof wrapping);
	keys->settled = false;
	int status = make_generation(keys, generation, wrapping, numbers, count, &store);
	if (status == AV_OK && (!generation_file(aside, keys->path, "wrapping", generation, GENERATION_NEW) ||
				       !generation_file(file, keys->path, "wrapping", generation, "")))
		status = AV_INVALID;
	if (status == AV_OK && rename(aside, file) < 0)
		status = generation_disk_status();
	if (status != AV_OK) {
		av_wipe(wrapping, sizeof wrapping);
		av_store_close(&store);
		generation_settle(keys); /* what fails here is cleared at the next try, ignoring */
		return status;
	}
	generation_step(5);
	pthread_mutex_lock(&keys->use);
	struct av_store *old = keys->store;
	keys->store = store;
	keys->generation = generation;
	memcpy(keys->secrets->wrapping, wrapping, AV_KEY_SIZE);
	av_wipe(keys->secrets->slots, sizeof keys->secrets->slots);
	pthread_mutex_unlock(&keys->use);
	av_wipe(wrapping, sizeof wrapping);
	av_store_close(&old);
	return generation_settle(keys);
}

int av_keystore_copy(struct av_keystore *keys, const char *path)
{
	char from[KEY_PATH_MAX], to[KEY_PATH_MAX];
	unsigned char record[WRAPPING_FILE_SIZE];
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? AV_EXISTS : generation_disk_status();
	pthread_mutex_lock(&keys->change);
	int status = AV_INVALID;
	if (generation_file(to, path, "keys", keys->generation, ""))
		status = av_store_copy(keys->store, to);
	if (status == AV_OK && generation_file(from, keys->path, "wrapping", keys->generation, "") &&
		generation_file(to, path, "wrapping", keys->generation, "")) {
		int fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		status = fd >= 0 && read(fd, record, sizeof record) == (ssize_t)sizeof record ? AV_OK : AV_IO;
		if (fd >= 0)
			close(fd);
		if (status == AV_OK)
			status = generation_write_file(to, record, sizeof record);
	}
	pthread_mutex_unlock(&keys->change);
	return status == AV_OK ? generation_sync(path) : status;
}
