/* keystore_internal.h - the key store's two files: keys in use (keystore.c), generations on disk
 * (generation.c).
 *
 * A generation is a folder keys-G, a store whose table holds the sealed blocks, and a file wrapping-G beside
 * it with the wrapping key, sealed under the master key. The greatest G that has its wrapping file is the one
 * in force: the rename of wrapping-G.new to wrapping-G is the moment at which a rewriting counts.
 */
#ifndef AVVIK_STORE_KEYSTORE_INTERNAL_H
#define AVVIK_STORE_KEYSTORE_INTERNAL_H

#include <pthread.h>
#include "store/keystore.h"
#include "store/store.h"

#define KEY_PATH_MAX 4096
#define KEY_BITS_SIZE (AV_KEY_BLOCK / 8)
#define KEY_RECORD_SIZE (1 + AV_SEAL_EXTRA + sizeof(struct key_block))
#define KEY_CACHE_BLOCKS 8
#define GENERATION_NEW ".new"
#define WRAPPING_FILE_SIZE 81

enum { AV_TABLE_KEY_BLOCKS = AV_TABLE_OWN };

/* As sealed: which keys are destroyed, and the keys (zero when destroyed). */
struct key_block {
	unsigned char destroyed[KEY_BITS_SIZE];
	unsigned char keys[AV_KEY_BLOCK][AV_KEY_SIZE];
};

struct key_slot {
	uint64_t block, used; /* used 0: empty */
	struct key_block open;
};

/* In locked memory that is left out of core dumps. */
struct key_secrets {
	unsigned char master[AV_KEY_SIZE], wrapping[AV_KEY_SIZE];
	struct key_slot slots[KEY_CACHE_BLOCKS];
	struct key_block scratch; /* of whoever changes the store */
};

struct av_keystore {
	char path[KEY_PATH_MAX];
	int lock_fd;
	struct av_random random; /* of whoever changes the store */
	pthread_mutex_t change;	 /* extend, destroy, copy: one at a time */
	pthread_mutex_t use;	 /* what follows; held shortly, also within change */
	struct key_secrets *secrets;
	struct av_store *store; /* of the generation in force */
	uint64_t generation, end, clock;
	bool settled; /* nothing older is left on disk, and the one in force is durable */
};

/* Fault points for tests: called with the number of each step of a rewriting. NULL: none. */
extern void (*av_keystore_step)(int step);

void generation_step(int number);

/* generation.c. AV_FULL or AV_IO of errno: */
int generation_disk_status(void);
int generation_sync(const char *folder);
int generation_write_file(const char *file, const void *data, size_t size); /* synced */
bool generation_file(char ret_file[KEY_PATH_MAX], const char *path, const char *what, uint64_t generation,
	const char *suffix);
int generation_save_wrapping(
	struct av_keystore *keys, uint64_t generation, const unsigned char wrapping[AV_KEY_SIZE]);
int generation_folder_open(struct av_keystore *keys, uint64_t generation, const char *suffix,
	struct av_store **ret_store, const char **ret_why);
int generation_open(struct av_keystore *keys, const char **ret_why);
/* Undoes what was not finished, finishes what was: after it only the generation in force is left. */
int generation_settle(struct av_keystore *keys);

/* rewrite.c */
int generation_rewrite(struct av_keystore *keys, const uint64_t *numbers, size_t count);

/* One block. AV_NOT_FOUND, AV_DAMAGED. */
int key_block_load(struct av_txn *txn, const unsigned char wrapping[AV_KEY_SIZE], uint64_t generation,
	uint64_t block, struct key_block *ret_open);
void key_block_store(struct av_txn *txn, const unsigned char wrapping[AV_KEY_SIZE], uint64_t generation,
	uint64_t block, const struct key_block *open, struct av_random *random);

static inline bool key_is_destroyed(const struct key_block *block, uint64_t index)
{
	return block->destroyed[index / 8] >> (index % 8) & 1;
}

#endif
