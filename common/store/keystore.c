/* keystore.c - keys in use: making blocks ahead, opening them, keeping the last ones open.
 *
 * Record (KEY_BLOCKS, key: block u64, from 0): version u8 = 1, then sealed under the wrapping key, bound to
 * "avvik keys v1", generation u64 and block u64: 128 bytes with a bit for each destroyed key, 1024 keys of 32
 * bytes. 32 937 bytes:
 *
 *	key   0000000000000000
 *	value 01 <nonce 24> <ciphertext 32896> <tag 16>
 *
 * Key n is the one at (n - 1) % 1024 in block (n - 1) / 1024.
 */
#include "store/keystore_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/macros.h"

#define BOUND "avvik keys v1"
#define BOUND_SIZE (sizeof BOUND - 1 + 16)
#define BLOCKS_A_COMMIT 256

static void bind_block(uint64_t generation, uint64_t block, unsigned char ret_bound[BOUND_SIZE])
{
	memcpy(ret_bound, BOUND, sizeof BOUND - 1);
	av_put_u64(ret_bound + sizeof BOUND - 1, generation);
	av_put_u64(ret_bound + sizeof BOUND - 1 + 8, block);
}

int key_block_load(struct av_txn *txn, const unsigned char wrapping[AV_KEY_SIZE], uint64_t generation,
	uint64_t block, struct key_block *ret_open)
{
	unsigned char key[8], bound[BOUND_SIZE];
	struct av_bytes record;
	av_put_u64(key, block);
	int status = av_get(txn, AV_TABLE_KEY_BLOCKS, av_bytes(key, sizeof key), &record);
	if (status != AV_OK)
		return status;
	const unsigned char *from = record.data;
	if (record.size != KEY_RECORD_SIZE || from[0] != 1)
		return AV_DAMAGED;
	bind_block(generation, block, bound);
	status = av_unseal(
		wrapping, av_bytes(bound, sizeof bound), av_bytes(from + 1, record.size - 1), ret_open);
	return status == AV_CRYPTO ? AV_DAMAGED : status;
}

void key_block_store(struct av_txn *txn, const unsigned char wrapping[AV_KEY_SIZE], uint64_t generation,
	uint64_t block, const struct key_block *open, struct av_random *random)
{
	unsigned char key[8], bound[BOUND_SIZE];
	av_put_u64(key, block);
	unsigned char *room =
		av_put_room(txn, AV_TABLE_KEY_BLOCKS, av_bytes(key, sizeof key), KEY_RECORD_SIZE);
	if (!room)
		return;
	room[0] = 1;
	bind_block(generation, block, bound);
	av_seal(wrapping, av_bytes(bound, sizeof bound), av_bytes(open, sizeof *open), random, room + 1);
}

static struct key_secrets *create_secrets(void)
{
	struct key_secrets *secrets =
		mmap(NULL, sizeof *secrets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (secrets == MAP_FAILED)
		return NULL;
	/* Where the limit on locked memory is too low the keys could reach the swap: worse, but not wrong,
	 * ignoring. */
	(void)!mlock(secrets, sizeof *secrets);
	(void)!madvise(secrets, sizeof *secrets, MADV_DONTDUMP);
	return secrets;
}

static void destroy_secrets(struct key_secrets *secrets)
{
	if (!secrets)
		return;
	av_wipe(secrets, sizeof *secrets);
	munmap(secrets, sizeof *secrets);
}

static int say(const char **ret_why, int status, const char *why)
{
	*ret_why = why;
	return status;
}

static int prepare_folder(struct av_keystore *keys, const char **ret_why)
{
	char file[KEY_PATH_MAX];
	if (mkdir(keys->path, 0700) < 0 && errno != EEXIST)
		return say(ret_why, errno == ENOSPC ? AV_FULL : AV_IO,
			"The folder of the key store cannot be made: make the folder above it, or correct "
			"the path.");
	if ((size_t)snprintf(file, sizeof file, "%s/lock", keys->path) >= sizeof file)
		return say(ret_why, AV_INVALID, "The path of the key store is too long.");
	keys->lock_fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (keys->lock_fd < 0)
		return say(ret_why, errno == ENOSPC ? AV_FULL : AV_IO,
			"The lock of the key store cannot be opened: check the folder, its owner and its "
			"rights.");
	if (flock(keys->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return say(ret_why, errno == EWOULDBLOCK ? AV_LOCKED : AV_IO,
			"The key store is in use: another daemon has it open. Stop that one first.");
	/* At every opening: the one that made the folder may have been cut off. */
	if ((size_t)snprintf(file, sizeof file, "%s/..", keys->path) >= sizeof file ||
		generation_sync(file) < 0)
		return say(ret_why, AV_IO, "The folder above the key store cannot be synced to disk.");
	return AV_OK;
}

/* A stream of its own: `from` belongs to another thread, and copying its pool would give the same bytes out
 * twice. */
static struct av_random branch_random(struct av_random *from)
{
	struct av_random own = *from;
	own.pool_left = 0;
	av_random_fill(from, own.state, sizeof own.state);
	own.state[0] |= 1; /* all zero would stand still */
	return own;
}

int av_keystore_open(const char *path, const unsigned char master[AV_KEY_SIZE], struct av_random *random,
	struct av_keystore **ret_keys, const char **ret_why)
{
	if (av_crypto_start() != AV_OK)
		return say(ret_why, AV_CRYPTO, "libsodium does not start: install it anew.");
	struct av_keystore *keys = calloc(1, sizeof *keys);
	if (!keys)
		return say(ret_why, AV_MEMORY, "Out of memory.");
	pthread_mutex_init(&keys->change, NULL);
	pthread_mutex_init(&keys->use, NULL);
	keys->lock_fd = -1;
	keys->random = branch_random(random);
	keys->secrets = create_secrets();
	int status = AV_OK;
	if (!keys->secrets)
		status = say(ret_why, AV_MEMORY, "Out of memory.");
	else if ((size_t)snprintf(keys->path, sizeof keys->path, "%s", path) >= sizeof keys->path - 64)
		status = say(ret_why, AV_INVALID, "The path of the key store is too long.");
	if (status == AV_OK) {
		memcpy(keys->secrets->master, master, AV_KEY_SIZE);
		status = prepare_folder(keys, ret_why);
	}
	if (status == AV_OK)
		status = generation_open(keys, ret_why);
	if (status != AV_OK) {
		av_keystore_close(&keys);
		return status;
	}
	*ret_keys = keys;
	return AV_OK;
}

void av_keystore_close(struct av_keystore **keys_at)
{
	if (!keys_at || !*keys_at)
		return;
	struct av_keystore *keys = AV_TAKE(*keys_at);
	av_store_close(&keys->store);
	destroy_secrets(keys->secrets);
	av_wipe(&keys->random, sizeof keys->random);
	if (keys->lock_fd >= 0)
		close(keys->lock_fd);
	pthread_mutex_destroy(&keys->change);
	pthread_mutex_destroy(&keys->use);
	free(keys);
}

uint64_t av_keystore_end(const struct av_keystore *keys)
{
	union {
		const pthread_mutex_t *from;
		pthread_mutex_t *to;
	} use = {&keys->use};
	pthread_mutex_lock(use.to);
	uint64_t end = keys->end;
	pthread_mutex_unlock(use.to);
	return end;
}

static int extend_once(struct av_keystore *keys, uint64_t first, uint64_t beyond)
{
	struct key_block *scratch = &keys->secrets->scratch;
	struct av_txn *txn;
	int status = av_txn_begin_write(keys->store, &txn);
	if (status != AV_OK)
		return status;
	for (uint64_t block = first; block < beyond; block++) {
		memset(scratch->destroyed, 0, sizeof scratch->destroyed);
		av_random_fill(&keys->random, scratch->keys, sizeof scratch->keys);
		key_block_store(
			txn, keys->secrets->wrapping, keys->generation, block, scratch, &keys->random);
	}
	av_wipe(scratch, sizeof *scratch);
	status = av_txn_commit(&txn);
	if (status == AV_OK) {
		pthread_mutex_lock(&keys->use);
		keys->end = beyond * AV_KEY_BLOCK + 1;
		pthread_mutex_unlock(&keys->use);
	}
	return status;
}

int av_keystore_extend(struct av_keystore *keys, uint64_t end)
{
	if (end > UINT64_MAX / 2)
		return AV_FULL;
	pthread_mutex_lock(&keys->change);
	uint64_t have = (keys->end - 1) / AV_KEY_BLOCK,
		 want = end ? (end - 1 + AV_KEY_BLOCK - 1) / AV_KEY_BLOCK : 0;
	int status = want > have ? generation_settle(keys) : AV_NOTHING;
	/* One commit, unless so much is asked for at once that the transaction would not hold it. */
	for (uint64_t first = have; first < want && status == AV_OK; first += BLOCKS_A_COMMIT)
		status = extend_once(keys, first, AV_MIN(want, first + BLOCKS_A_COMMIT));
	pthread_mutex_unlock(&keys->change);
	return status;
}

/* With `use` held. */
static int open_slot(struct av_keystore *keys, uint64_t block, struct key_slot **ret_slot)
{
	struct key_slot *oldest = &keys->secrets->slots[0];
	struct av_txn *txn;
	for (size_t i = 0; i < KEY_CACHE_BLOCKS; i++) {
		struct key_slot *slot = &keys->secrets->slots[i];
		if (slot->used != 0 && slot->block == block) {
			slot->used = ++keys->clock;
			*ret_slot = slot;
			return AV_OK;
		}
		if (slot->used < oldest->used)
			oldest = slot;
	}
	int status = av_txn_begin_read(keys->store, &txn);
	if (status != AV_OK)
		return status;
	oldest->used = 0;
	status = key_block_load(txn, keys->secrets->wrapping, keys->generation, block, &oldest->open);
	av_txn_abort(&txn);
	if (status != AV_OK)
		return status == AV_NOT_FOUND ? AV_DAMAGED : status; /* it was made once */
	oldest->block = block;
	oldest->used = ++keys->clock;
	*ret_slot = oldest;
	return AV_OK;
}

int av_keystore_get(struct av_keystore *keys, uint64_t number, unsigned char ret_key[AV_KEY_SIZE])
{
	struct key_slot *slot;
	int status = AV_NOT_FOUND;
	pthread_mutex_lock(&keys->use);
	if (number > 0 && number < keys->end) {
		uint64_t index = (number - 1) % AV_KEY_BLOCK;
		status = open_slot(keys, (number - 1) / AV_KEY_BLOCK, &slot);
		if (status == AV_OK && key_is_destroyed(&slot->open, index))
			status = AV_ERASED;
		if (status == AV_OK)
			memcpy(ret_key, slot->open.keys[index], AV_KEY_SIZE);
	}
	pthread_mutex_unlock(&keys->use);
	return status;
}

int av_keystore_destroy(struct av_keystore *keys, const uint64_t *numbers, size_t count)
{
	unsigned char key[AV_KEY_SIZE];
	bool needed = false;
	pthread_mutex_lock(&keys->change);
	int status = generation_settle(keys);
	for (size_t i = 0; i < count && status == AV_OK; i++) {
		int found = av_keystore_get(keys, numbers[i], key);
		needed = needed || found == AV_OK;
		if (found != AV_OK && found != AV_ERASED)
			status = found;
	}
	av_wipe(key, sizeof key);
	if (status == AV_OK && needed)
		status = generation_rewrite(keys, numbers, count);
	pthread_mutex_unlock(&keys->change);
	return status;
}
