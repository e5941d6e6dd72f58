/* bus_keys.c - key pairs and their files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/status.h"
#include "bus/socket.h"

static char folder[64], path[100];

static int start(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/avvik-keys-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/key", folder);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void put(const char *text, mode_t mode)
{
	unlink(path);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void a_pair_comes_back_from_its_file_which_nobody_else_can_read_or_overwrite(void **state)
{
	(void)state;
	struct av_keypair keys, loaded;
	struct stat info;
	assert_int_equal(av_keypair_make(&keys), AV_OK);
	assert_int_equal(av_keypair_save(path, &keys), AV_OK);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(av_keypair_load(path, &loaded), AV_OK);
	assert_memory_equal(&keys, &loaded, sizeof(keys));
	assert_int_equal(av_keypair_save(path, &keys), AV_EXISTS);
}

static void two_pairs_differ(void **state)
{
	(void)state;
	struct av_keypair a, b;
	assert_int_equal(av_keypair_make(&a), AV_OK);
	assert_int_equal(av_keypair_make(&b), AV_OK);
	assert_string_not_equal(a.secret_key, b.secret_key);
}

static void a_file_that_is_no_pair_or_is_open_to_others_is_refused(void **state)
{
	(void)state;
	struct av_keypair keys, other, got = {"untouched", ""};
	char text[200];
	assert_int_equal(av_keypair_make(&keys), AV_OK);
	assert_int_equal(av_keypair_make(&other), AV_OK);
	assert_int_equal(av_keypair_load(path, &got), AV_NOT_FOUND);
	static const mode_t modes[] = {0644, 0640, 0604, 0666, 0660, 0601};
	snprintf(text, sizeof(text), "public %s\nsecret %s\n", keys.public_key, keys.secret_key);
	for (size_t i = 0; i < AV_COUNT(modes); i++) {
		put(text, modes[i]);
		assert_int_equal(av_keypair_load(path, &got), AV_INVALID);
	}
	put(text, 0400);
	assert_int_equal(av_keypair_load(path, &other), AV_OK);
	static const char *const bad[] = {"", "public\n", "public x\nsecret y\n", "nonsense"};
	for (size_t i = 0; i < AV_COUNT(bad); i++) {
		put(bad[i], 0600);
		assert_int_equal(av_keypair_load(path, &got), AV_INVALID);
	}
	assert_int_equal(av_keypair_make(&other), AV_OK);
	snprintf(text, sizeof(text), "public %s\nsecret %s\n", keys.public_key, other.secret_key);
	put(text, 0600);
	assert_int_equal(av_keypair_load(path, &got), AV_INVALID); /* they do not belong together */
	snprintf(text, sizeof(text), "public %s\nsecret %s\nmore", keys.public_key, keys.secret_key);
	put(text, 0600);
	assert_int_equal(av_keypair_load(path, &got), AV_INVALID);
	assert_string_equal(got.public_key, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_pair_comes_back_from_its_file_which_nobody_else_can_read_or_overwrite, start, stop),
		cmocka_unit_test(two_pairs_differ),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_no_pair_or_is_open_to_others_is_refused, start, stop),
	};
	return cmocka_run_group_tests_name("bus_keys", tests, NULL, NULL);
}
