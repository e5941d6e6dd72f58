/* merkle.c - the tree of a turn's receipts, in the shape of RFC 6962.
 *
 * The split at the largest power of two below n is the same tree as pairing the nodes of each level from the
 * left and passing an odd last one on unchanged. Both views are used: levels for the tree that is built once,
 * the split for single paths.
 *
 *	5 leaves:        root
 *	               /      \
 *	            n0123      l4      path of l4: n0123        (1 hash)
 *	           /     \             path of l1: l0, n23, l4  (3 hashes)
 *	         n01     n23
 */
#include "seal/merkle.h"

#include <stdlib.h>
#include "base/macros.h"

struct av_merkle {
	size_t counts[AV_MERKLE_DEPTH + 2];		  /* nodes of each level */
	const unsigned char *levels[AV_MERKLE_DEPTH + 2]; /* in `nodes`, leaves first */
	unsigned int height;				  /* levels above the leaves */
	unsigned char nodes[];
};

static void hash_node(const unsigned char *left, const unsigned char *right, unsigned char *ret_hash)
{
	unsigned char node[1 + 2 * AV_HASH_SIZE];
	node[0] = 0x01;
	memcpy(node + 1, left, AV_HASH_SIZE);
	memcpy(node + 1 + AV_HASH_SIZE, right, AV_HASH_SIZE);
	av_hash(av_bytes(node, sizeof node), ret_hash);
}

void av_merkle_leaf(struct av_bytes data, unsigned char ret_hash[AV_HASH_SIZE])
{
	static const unsigned char mark = 0x00;
	const struct av_bytes pieces[] = {{&mark, 1}, data};
	av_hash_pieces(pieces, 2, ret_hash);
}

/* Complete subtrees wait on a stack, largest first, as the bits of the number of leaves so far; at the end
 * they are joined from the right. */
void av_merkle_root(const unsigned char *leaves, size_t count, unsigned char ret_root[AV_HASH_SIZE])
{
	unsigned char stack[8 * sizeof(size_t) + 1][AV_HASH_SIZE];
	size_t depth = 0;
	if (count == 0) {
		memset(ret_root, 0, AV_HASH_SIZE);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		memcpy(stack[depth++], leaves + i * AV_HASH_SIZE, AV_HASH_SIZE);
		for (size_t full = i + 1; full % 2 == 0; full /= 2, depth--)
			hash_node(stack[depth - 2], stack[depth - 1], stack[depth - 2]);
	}
	for (; depth > 1; depth--)
		hash_node(stack[depth - 2], stack[depth - 1], stack[depth - 2]);
	memcpy(ret_root, stack[0], AV_HASH_SIZE);
}

static size_t split_of(size_t count)
{
	size_t split = 1;
	while (split < count - split) /* the largest power of two below count */
		split *= 2;
	return split;
}

size_t av_merkle_path(const unsigned char *leaves, size_t count, size_t index,
	unsigned char ret_path[AV_MERKLE_DEPTH][AV_HASH_SIZE])
{
	size_t length = 0;
	while (count > 1) { /* from the root down */
		size_t split = split_of(count);
		if (index < split) {
			av_merkle_root(leaves + split * AV_HASH_SIZE, count - split, ret_path[length++]);
			count = split;
		} else {
			av_merkle_root(leaves, split, ret_path[length++]);
			leaves += split * AV_HASH_SIZE;
			count -= split;
			index -= split;
		}
	}
	for (size_t i = 0; i < length / 2; i++) {
		unsigned char other[AV_HASH_SIZE];
		memcpy(other, ret_path[i], AV_HASH_SIZE);
		memcpy(ret_path[i], ret_path[length - 1 - i], AV_HASH_SIZE);
		memcpy(ret_path[length - 1 - i], other, AV_HASH_SIZE);
	}
	return length;
}

struct av_merkle *av_merkle_create(const unsigned char *leaves, size_t count)
{
	size_t total = count;
	for (size_t n = count; n > 1; n = (n + 1) / 2)
		total += (n + 1) / 2;
	struct av_merkle *tree = malloc(sizeof *tree + AV_MAX(total, 1) * AV_HASH_SIZE);
	if (!tree)
		return NULL;
	unsigned char *level = tree->nodes;
	tree->height = 0;
	tree->counts[0] = count;
	tree->levels[0] = level;
	if (count == 0)
		memset(level, 0, AV_HASH_SIZE);
	else
		memcpy(level, leaves, count * AV_HASH_SIZE);
	for (size_t n = count; n > 1; n = (n + 1) / 2) {
		unsigned char *above = level + n * AV_HASH_SIZE;
		for (size_t i = 0; i + 1 < n; i += 2)
			hash_node(level + i * AV_HASH_SIZE, level + (i + 1) * AV_HASH_SIZE,
				above + i / 2 * AV_HASH_SIZE);
		if (n % 2)
			memcpy(above + n / 2 * AV_HASH_SIZE, level + (n - 1) * AV_HASH_SIZE, AV_HASH_SIZE);
		level = above;
		tree->height++;
		tree->counts[tree->height] = (n + 1) / 2;
		tree->levels[tree->height] = level;
	}
	return tree;
}

void av_merkle_destroy(struct av_merkle **tree)
{
	if (!tree)
		return;
	free(*tree);
	*tree = NULL;
}

const unsigned char *av_merkle_tree_root(const struct av_merkle *tree)
{
	return tree->levels[tree->height];
}

size_t av_merkle_tree_path(
	const struct av_merkle *tree, size_t index, unsigned char ret_path[AV_MERKLE_DEPTH][AV_HASH_SIZE])
{
	size_t length = 0;
	for (unsigned int level = 0; level < tree->height; level++, index /= 2) {
		size_t beside = index ^ 1;
		if (beside < tree->counts[level])
			memcpy(ret_path[length++], tree->levels[level] + beside * AV_HASH_SIZE, AV_HASH_SIZE);
	}
	return length;
}

/* RFC 9162, section 2.1.3.2. */
int av_merkle_check(const unsigned char leaf[AV_HASH_SIZE], size_t index, size_t count,
	const unsigned char (*path)[AV_HASH_SIZE], size_t length, const unsigned char root[AV_HASH_SIZE])
{
	unsigned char hash[AV_HASH_SIZE];
	if (index >= count)
		return AV_CRYPTO;
	memcpy(hash, leaf, AV_HASH_SIZE);
	size_t last = count - 1;
	for (size_t i = 0; i < length; i++) {
		if (last == 0)
			return AV_CRYPTO;
		if (index % 2 || index == last) {
			hash_node(path[i], hash, hash);
			while (index % 2 == 0 && index != 0) { /* levels that passed it on unchanged */
				index /= 2;
				last /= 2;
			}
		} else {
			hash_node(hash, path[i], hash);
		}
		index /= 2;
		last /= 2;
	}
	return last == 0 && memcmp(hash, root, AV_HASH_SIZE) == 0 ? AV_OK : AV_CRYPTO;
}
