/* keystore.h - content keys, apart from the data they open, wrapped by the instance's master key.
 *
 * Keys have numbers from 1. They are made ahead, in blocks of 1024 that are one record each, sealed under a wrapping
 * key; the wrapping key lies in a file of its own, sealed under the master key. A turn assigns the next number (a
 * counter in the data store), so that new content costs no commit here. Destroying keys rewrites the store under a new
 * wrapping key into a new folder, takes its place, and overwrites the old wrapping key: an old copy of the folder
 * without its old wrapping key is unreadable, and so is an old copy of the data. Thread-safe.
 */
#ifndef AVVIK_STORE_KEYSTORE_H
#define AVVIK_STORE_KEYSTORE_H

#include "seal/crypto.h"

#define AV_KEY_BLOCK 1024
#define AV_KEY_OWN 1	       /* the daemon's own: keys the hashes by which repetitions are recognised */
#define AV_KEY_FIRST_CONTENT 2 /* content has keys from here on */

struct av_keystore;

/* Makes it when the folder does not exist. Finishes or undoes a rewriting that was cut off. `random` seeds a source of
 * its own and is not kept. AV_CRYPTO: another master key; AV_LOCKED; AV_DAMAGED; AV_NEWER; AV_FULL; AV_IO. *ret_why as in
 * av_store_open. */
int av_keystore_open(const char *path, const unsigned char master[AV_KEY_SIZE], struct av_random *random,
	struct av_keystore **ret_keys, const char **ret_why);
void av_keystore_close(struct av_keystore **keys);
/* Numbers below this exist. */
uint64_t av_keystore_end(const struct av_keystore *keys);
/* Makes whole blocks until keys below `end` exist; one commit, synced. AV_NOTHING, AV_FULL, AV_IO. */
int av_keystore_extend(struct av_keystore *keys, uint64_t end);
/* AV_NOT_FOUND: not made yet; AV_ERASED: destroyed; AV_DAMAGED; AV_BUSY. The blocks last used are kept open in locked
 * memory. */
int av_keystore_get(struct av_keystore *keys, uint64_t number, unsigned char ret_key[AV_KEY_SIZE]);
/* When it returns AV_OK the destruction is complete. Safe to repeat. AV_NOT_FOUND: one was never made; AV_IO, AV_FULL:
 * try again. */
int av_keystore_destroy(struct av_keystore *keys, const uint64_t *numbers, size_t count);
/* A copy to back up, short-lived and apart from the data; `path` is a new folder. AV_EXISTS, AV_FULL, AV_IO. */
int av_keystore_copy(struct av_keystore *keys, const char *path);

#endif
