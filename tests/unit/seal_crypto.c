/* seal_crypto.c - hashes by published vectors; sealing, signatures and key files by what they must refuse */
#include "store_support.h"

#include <sys/stat.h>
#include <unistd.h>

#include "seal/crypto.h"

static void hashes_are_blake2b_and_sha256(void **state)
{
	unsigned char hash[32], pieces_hash[32];
	char got[65];
	const struct av_bytes pieces[] = {{"a", 1}, {"", 0}, {"bc", 2}};
	AV_UNUSED(state);
	av_hash(av_bytes("abc", 3), hash);
	av_hex(hash, 32, got);
	assert_string_equal(got, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
	av_hash_pieces(pieces, 3, pieces_hash);
	assert_memory_equal(pieces_hash, hash, 32);
	av_sha256(av_bytes("abc", 3), hash);
	av_hex(hash, 32, got);
	assert_string_equal(got, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void a_keyed_hash_depends_on_the_key(void **state)
{
	unsigned char key[32] = {1}, one[32], other[32], plain[32];
	AV_UNUSED(state);
	av_hash_keyed(key, av_bytes("abc", 3), one);
	key[31] = 1;
	av_hash_keyed(key, av_bytes("abc", 3), other);
	av_hash(av_bytes("abc", 3), plain);
	assert_memory_not_equal(one, other, 32);
	assert_memory_not_equal(one, plain, 32);
}

static void what_is_sealed_opens_only_unchanged_and_where_it_belongs(void **state)
{
	unsigned char key[32] = {7}, sealed[11 + AV_SEAL_EXTRA], again[sizeof sealed], open[11];
	struct av_bytes bound = av_bytes("case 1", 6), data = av_bytes("hello world", 11);
	struct av_random random = av_random_system();
	AV_UNUSED(state);
	av_seal(key, bound, data, &random, sealed);
	av_seal(key, bound, data, &random, again);
	assert_memory_not_equal(sealed, again, sizeof sealed); /* another nonce */
	assert_status(av_unseal(key, bound, av_bytes(sealed, sizeof sealed), open), AV_OK);
	assert_memory_equal(open, "hello world", 11);
	for (size_t i = 0; i < sizeof sealed; i++) {
		sealed[i] ^= 0x10;
		assert_status(av_unseal(key, bound, av_bytes(sealed, sizeof sealed), open), AV_CRYPTO);
		sealed[i] ^= 0x10;
	}
	for (size_t size = 0; size < sizeof sealed; size++)
		assert_status(av_unseal(key, bound, av_bytes(sealed, size), open), AV_CRYPTO);
	assert_status(
		av_unseal(key, av_bytes("case 2", 6), av_bytes(sealed, sizeof sealed), open), AV_CRYPTO);
	key[0] ^= 1;
	assert_status(av_unseal(key, bound, av_bytes(sealed, sizeof sealed), open), AV_CRYPTO);
}

static void nothing_can_be_sealed_too(void **state)
{
	unsigned char key[32] = {7}, sealed[AV_SEAL_EXTRA], open[1];
	struct av_random random = av_random_system();
	AV_UNUSED(state);
	av_seal(key, av_bytes("b", 1), av_bytes("", 0), &random, sealed);
	assert_status(av_unseal(key, av_bytes("b", 1), av_bytes(sealed, sizeof sealed), open), AV_OK);
}

static void a_signature_holds_for_its_message_context_and_key_alone(void **state)
{
	unsigned char public_key[32], secret[64], signature[64], other_public[32], other_secret[64];
	static unsigned char large[100000];
	struct av_random random = av_random_system();
	struct av_bytes message = av_bytes("message", 7);
	AV_UNUSED(state);
	av_sign_keypair(&random, public_key, secret);
	av_sign_keypair(&random, other_public, other_secret);
	av_sign(secret, "use v1", message, signature);
	assert_status(av_sign_check(public_key, "use v1", message, signature), AV_OK);
	assert_status(av_sign_check(public_key, "use v2", message, signature), AV_CRYPTO);
	assert_status(av_sign_check(public_key, "use v", av_bytes("1\0message", 9), signature), AV_CRYPTO);
	assert_status(av_sign_check(public_key, "use v1", av_bytes("messagf", 7), signature), AV_CRYPTO);
	assert_status(av_sign_check(other_public, "use v1", message, signature), AV_CRYPTO);
	signature[5] ^= 1;
	assert_status(av_sign_check(public_key, "use v1", message, signature), AV_CRYPTO);
	av_sign(secret, "use v1", av_bytes(large, sizeof large), signature);
	assert_status(av_sign_check(public_key, "use v1", av_bytes(large, sizeof large), signature), AV_OK);
	large[sizeof large - 1] = 1;
	assert_status(
		av_sign_check(public_key, "use v1", av_bytes(large, sizeof large), signature), AV_CRYPTO);
}

static void a_key_file_gives_its_key_back_and_is_never_overwritten(void **state)
{
	const char *file = in_folder(state, "master.key");
	unsigned char key[32] = {0xab, 1, 2}, other[32] = {9}, got[32];
	struct stat st;
	assert_status(av_key_file_load(file, got, 32), AV_NOT_FOUND);
	assert_status(av_key_file_save(file, key, 32), AV_OK);
	assert_status(av_key_file_save(file, other, 32), AV_EXISTS);
	assert_status(av_key_file_load(file, got, 32), AV_OK);
	assert_memory_equal(got, key, 32);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 65);
}

#define DIGITS_63 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeef"
static void a_file_that_is_no_key_file_is_refused(void **state)
{
	const char *file = in_folder(state, "odd.key");
	unsigned char got[32];
	/* clang-format off */
	static const struct { const char *text; int want; } cases[] = {
		{DIGITS_63 "f\n",   AV_OK},
		{DIGITS_63 "f",     AV_OK},
		{DIGITS_63 "f\n\n", AV_INVALID},
		{DIGITS_63 "ff\n",  AV_INVALID},
		{DIGITS_63 "\n",    AV_INVALID},
		{DIGITS_63 "g\n",   AV_INVALID},
		{" " DIGITS_63,     AV_INVALID},
		{"\n",              AV_INVALID},
		{"",                AV_INVALID},
	}; /* clang-format on */
	for (size_t i = 0; i < AV_COUNT(cases); i++) {
		write_whole(file, cases[i].text, strlen(cases[i].text));
		assert_int_equal(chmod(file, 0600), 0);
		int status = av_key_file_load(file, got, 32);
		if (status != cases[i].want)
			fail_msg("\"%s\": got %s, want %s", cases[i].text, av_status_name(status),
				av_status_name(cases[i].want));
	}
}

static void a_key_file_that_others_may_read_is_refused(void **state)
{
	const char *file = in_folder(state, "open.key");
	unsigned char key[32] = {1}, got[32];
	assert_status(av_key_file_save(file, key, 32), AV_OK);
	static const unsigned int refused[] = {0604, 0644, 0620, 0602, 0601, 0777};
	for (size_t i = 0; i < AV_COUNT(refused); i++) {
		assert_int_equal(chmod(file, refused[i]), 0);
		assert_status(av_key_file_load(file, got, 32), AV_INVALID);
	}
	assert_int_equal(chmod(file, 0400), 0);
	assert_status(av_key_file_load(file, got, 32), AV_OK);
	assert_status(av_key_file_load(test_folder(state), got, 32), AV_INVALID);
}

static void secrets_are_compared_and_wiped(void **state)
{
	char a[8] = "secret!", b[8] = "secret!";
	AV_UNUSED(state);
	assert_true(av_same_secret(a, b, 8));
	b[6]++;
	assert_false(av_same_secret(a, b, 8));
	av_wipe(a, 8);
	assert_memory_equal(a, "\0\0\0\0\0\0\0", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_are_blake2b_and_sha256),
		cmocka_unit_test(a_keyed_hash_depends_on_the_key),
		cmocka_unit_test(what_is_sealed_opens_only_unchanged_and_where_it_belongs),
		cmocka_unit_test(nothing_can_be_sealed_too),
		cmocka_unit_test(a_signature_holds_for_its_message_context_and_key_alone),
		cmocka_unit_test(a_key_file_gives_its_key_back_and_is_never_overwritten),
		cmocka_unit_test(a_file_that_is_no_key_file_is_refused),
		cmocka_unit_test(a_key_file_that_others_may_read_is_refused),
		cmocka_unit_test(secrets_are_compared_and_wiped),
	};
	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
