/* seal_merkle.c - the tree against its recursive definition, for every size and leaf that a small turn can
 * have */
#include "store_support.h"

#include "seal/merkle.h"

enum { LARGEST = 70 };

static unsigned char leaves[LARGEST + 1][AV_HASH_SIZE];

static int make_leaves(void **state)
{
	AV_UNUSED(state);
	for (unsigned int i = 0; i <= LARGEST; i++) {
		char text[16];
		snprintf(text, sizeof text, "leaf %u", i);
		av_merkle_leaf(av_bytes_of(text), leaves[i]);
	}
	return av_crypto_start();
}

/* RFC 6962, section 2.1, word for word. */
static void define_root(size_t first, size_t count, unsigned char *ret_hash)
{
	unsigned char node[65] = {0x01};
	size_t split = 1;
	if (count == 1) {
		memcpy(ret_hash, leaves[first], AV_HASH_SIZE);
		return;
	}
	while (split * 2 < count)
		split *= 2;
	define_root(first, split, node + 1);
	define_root(first + split, count - split, node + 33);
	av_hash(av_bytes(node, sizeof node), ret_hash);
}

static void a_leaf_is_the_hash_of_a_zero_and_its_data(void **state)
{
	unsigned char want[AV_HASH_SIZE], got[AV_HASH_SIZE];
	AV_UNUSED(state);
	av_hash(av_bytes("\0abc", 4), want);
	av_merkle_leaf(av_bytes("abc", 3), got);
	assert_memory_equal(got, want, AV_HASH_SIZE);
}

static void the_root_of_nothing_is_zero(void **state)
{
	static const unsigned char zero[AV_HASH_SIZE];
	unsigned char root[AV_HASH_SIZE];
	AV_UNUSED(state);
	av_merkle_root(NULL, 0, root);
	assert_memory_equal(root, zero, AV_HASH_SIZE);
	struct av_merkle *tree = av_merkle_create(NULL, 0);
	assert_memory_equal(av_merkle_tree_root(tree), zero, AV_HASH_SIZE);
	av_merkle_destroy(&tree);
	assert_null(tree);
	av_merkle_destroy(&tree);
}

static void every_root_is_as_defined(void **state)
{
	unsigned char want[AV_HASH_SIZE], got[AV_HASH_SIZE];
	AV_UNUSED(state);
	for (size_t count = 1; count <= LARGEST; count++) {
		define_root(0, count, want);
		av_merkle_root(leaves[0], count, got);
		assert_memory_equal(got, want, AV_HASH_SIZE);
		struct av_merkle *tree = av_merkle_create(leaves[0], count);
		assert_memory_equal(av_merkle_tree_root(tree), want, AV_HASH_SIZE);
		av_merkle_destroy(&tree);
	}
}

static void every_path_of_every_size_proves_its_leaf_and_no_other(void **state)
{
	unsigned char path[AV_MERKLE_DEPTH][AV_HASH_SIZE], same[AV_MERKLE_DEPTH][AV_HASH_SIZE];
	const unsigned char(*proof)[AV_HASH_SIZE] = (const unsigned char(*)[AV_HASH_SIZE])path;
	AV_UNUSED(state);
	for (size_t count = 1; count <= LARGEST; count++) {
		struct av_merkle *tree = av_merkle_create(leaves[0], count);
		const unsigned char *root = av_merkle_tree_root(tree);
		for (size_t index = 0; index < count; index++) {
			size_t length = av_merkle_path(leaves[0], count, index, path);
			assert_int_equal(av_merkle_tree_path(tree, index, same), length);
			assert_memory_equal(same, path, length * AV_HASH_SIZE);
			assert_status(
				av_merkle_check(leaves[index], index, count, proof, length, root), AV_OK);

			/* another place, another size of the path, another root */
			for (size_t other = 0; other <= count; other++)
				if (other != index)
					assert_status(av_merkle_check(leaves[index], other, count, proof,
							      length, root),
						AV_CRYPTO);
			for (size_t other = 0; other < count; other++)
				if (other != index)
					assert_status(av_merkle_check(leaves[other], index, count, proof,
							      length, root),
						AV_CRYPTO);
			assert_status(
				av_merkle_check(leaves[index], index, count, proof, length, leaves[LARGEST]),
				AV_CRYPTO);
			memset(path[length], 0, AV_HASH_SIZE);
			assert_status(av_merkle_check(leaves[index], index, count, proof, length + 1, root),
				AV_CRYPTO);
			if (length == 0)
				continue;
			assert_status(av_merkle_check(leaves[index], index, count, proof, length - 1, root),
				AV_CRYPTO);
			for (size_t i = 0; i < length; i++) {
				path[i][i % AV_HASH_SIZE] ^= 0x40;
				assert_status(
					av_merkle_check(leaves[index], index, count, proof, length, root),
					AV_CRYPTO);
				path[i][i % AV_HASH_SIZE] ^= 0x40;
			}
		}
		av_merkle_destroy(&tree);
	}
}

static void no_leaf_is_in_an_empty_tree(void **state)
{
	static const unsigned char zero[AV_HASH_SIZE];
	AV_UNUSED(state);
	assert_status(av_merkle_check(leaves[0], 0, 0, NULL, 0, zero), AV_CRYPTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_is_the_hash_of_a_zero_and_its_data),
		cmocka_unit_test(the_root_of_nothing_is_zero),
		cmocka_unit_test(every_root_is_as_defined),
		cmocka_unit_test(every_path_of_every_size_proves_its_leaf_and_no_other),
		cmocka_unit_test(no_leaf_is_in_an_empty_tree),
	};
	return cmocka_run_group_tests(tests, make_leaves, NULL);
}
