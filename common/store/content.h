/* content.h - sealed content in the data store.
 *
 * Record (AV_TABLE_CONTENT, key: content id): version u8 = 1, state u8 (1 sealed, 2 erased), key number u64, count u8,
 * then a list (part u8, size u32) and one seal over the bodies of all parts. Part 0 is the blinding of the commitment.
 * Bound to the seal: the content id and what stands before it. Erased content keeps only its first ten bytes. A hex example stands in content.c.
 */
#ifndef AVVIK_STORE_CONTENT_H
#define AVVIK_STORE_CONTENT_H

#include "base/arena.h"
#include "store/keystore.h"
#include "store/store.h"

struct av_content_part {
	int part; /* Avvik__V1__ContentPart, 1..15 */
	struct av_bytes body;
};

/* Seals and puts. The key number must exist and not be destroyed (AV_NOT_FOUND, AV_ERASED). AV_EXISTS: there is such
 * content, also when it was erased; AV_INVALID: a part twice or out of range. `arena` may be NULL. */
int av_content_put(struct av_txn *txn, struct av_keystore *keys, const struct av_id *content_id,
	uint64_t key_number, const unsigned char blinding[AV_KEY_SIZE], const struct av_content_part *parts,
	size_t count, struct av_random *random, struct av_arena *arena);
/* One part, opened into the arena. AV_NOT_FOUND, AV_ERASED (also when only the key is gone), AV_CRYPTO. part 0: the
 * blinding. */
int av_content_get(struct av_txn *txn, struct av_keystore *keys, const struct av_id *content_id, int part,
	struct av_arena *arena, struct av_bytes *ret_body);
/* Which parts there are, as bits; AV_NOT_FOUND, AV_ERASED. */
int av_content_parts(struct av_txn *txn, const struct av_id *content_id, unsigned int *ret_bits);
/* Drops the sealed bytes and dooms the key. AV_NOT_FOUND; AV_NOTHING: erased before. */
int av_content_erase(struct av_txn *txn, const struct av_id *content_id, uint64_t *ret_key_number);
/* The doomed keys, at most max. */
size_t av_content_doomed(struct av_txn *txn, uint64_t *ret_numbers, size_t max);
/* their keys are gone */
void av_content_destroyed(struct av_txn *txn, const uint64_t *numbers, size_t count);
/* Reserves the next key number in the transaction (counter "next_key"), passing over destroyed ones. AV_FULL: none made
 * ahead (extend first). */
int av_content_next_key(struct av_txn *txn, struct av_keystore *keys, uint64_t *ret_number);

#endif
