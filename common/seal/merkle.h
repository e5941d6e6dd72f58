/* merkle.h - the tree of a turn's receipts (RFC 6962 shape, BLAKE2b-256).
 *
 * leaf = H(0x00 data), node = H(0x01 left right); the tree of n leaves splits at the largest power of two below n.
 * The root of no leaves is 32 zero bytes.
 */
#ifndef AVVIK_SEAL_MERKLE_H
#define AVVIK_SEAL_MERKLE_H

#include "seal/crypto.h"

#define AV_MERKLE_DEPTH 32

void av_merkle_leaf(struct av_bytes data, unsigned char ret_hash[AV_HASH_SIZE]);
/* `leaves` is count * 32 bytes; it is not changed. */
void av_merkle_root(const unsigned char *leaves, size_t count, unsigned char ret_root[AV_HASH_SIZE]);
/* The path of leaf `index`, from the leaf up. Answers its length. */
size_t av_merkle_path(const unsigned char *leaves, size_t count, size_t index,
	unsigned char ret_path[AV_MERKLE_DEPTH][AV_HASH_SIZE]);
/* All paths of one turn without quadratic work: a tree that is built once. Memory: 64 bytes a leaf, from malloc. */
struct av_merkle;
struct av_merkle *av_merkle_create(const unsigned char *leaves, size_t count);
void av_merkle_destroy(struct av_merkle **tree);
const unsigned char *av_merkle_tree_root(const struct av_merkle *tree);
size_t av_merkle_tree_path(
	const struct av_merkle *tree, size_t index, unsigned char ret_path[AV_MERKLE_DEPTH][AV_HASH_SIZE]);
/* AV_CRYPTO when leaf, path and root do not belong together. */
int av_merkle_check(const unsigned char leaf[AV_HASH_SIZE], size_t index, size_t count,
	const unsigned char (*path)[AV_HASH_SIZE], size_t length, const unsigned char root[AV_HASH_SIZE]);

#endif
