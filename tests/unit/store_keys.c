/* store_keys.c - keys that are made, found, destroyed for good, and survive being cut off at every step */
#include "store_support.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/keystore.h"
#include "store/keystore_internal.h"

enum { STEPS = 8 };

/* The program's own comes before that of the C library: which folders were synced. */
static ino_t synced[64];
static size_t synced_count;

int fsync(int fd)
{
	struct stat info;
	if (fstat(fd, &info) == 0 && synced_count < AV_COUNT(synced))
		synced[synced_count++] = info.st_ino;
	return (int)syscall(SYS_fsync, fd);
}

static const unsigned char master[AV_KEY_SIZE] = {1, 2, 3};

static int try_open(const char *path, const unsigned char *key, struct av_keystore **ret_keys)
{
	struct av_random random = av_random_system();
	const char *why = NULL;
	int status = av_keystore_open(path, key, &random, ret_keys, &why);
	if (status != AV_OK)
		assert_true(why && strlen(why) > 20);
	return status;
}

static struct av_keystore *open_keys(const char *path)
{
	struct av_keystore *keys = NULL;
	assert_status(try_open(path, master, &keys), AV_OK);
	return keys;
}

static void keys_are_made_in_blocks_and_stay_the_same(void **state)
{
	const char *path = in_folder(state, "blocks");
	unsigned char first[AV_KEY_SIZE], last[AV_KEY_SIZE], got[AV_KEY_SIZE];
	struct av_keystore *keys = open_keys(path);
	assert_int_equal(av_keystore_end(keys), 1);
	assert_status(av_keystore_get(keys, 1, got), AV_NOT_FOUND);
	assert_status(av_keystore_extend(keys, 1), AV_NOTHING);
	assert_status(av_keystore_extend(keys, 2), AV_OK);
	assert_int_equal(av_keystore_end(keys), AV_KEY_BLOCK + 1);
	assert_status(av_keystore_extend(keys, AV_KEY_BLOCK + 1), AV_NOTHING);
	assert_status(av_keystore_extend(keys, 20 * AV_KEY_BLOCK), AV_OK);
	assert_int_equal(av_keystore_end(keys), 20 * AV_KEY_BLOCK + 1);
	assert_status(av_keystore_get(keys, 0, got), AV_NOT_FOUND);
	assert_status(av_keystore_get(keys, 1, first), AV_OK);
	assert_status(av_keystore_get(keys, 20 * AV_KEY_BLOCK, last), AV_OK);
	assert_status(av_keystore_get(keys, 20 * AV_KEY_BLOCK + 1, got), AV_NOT_FOUND);
	assert_memory_not_equal(first, last, AV_KEY_SIZE);
	for (uint64_t block = 0; block < 20; block++) /* more than are kept open */
		assert_status(av_keystore_get(keys, block * AV_KEY_BLOCK + 5, got), AV_OK);
	assert_status(av_keystore_get(keys, 1, got), AV_OK);
	assert_memory_equal(got, first, AV_KEY_SIZE);
	av_keystore_close(&keys);
	assert_null(keys);
	av_keystore_close(&keys);
	keys = open_keys(path);
	assert_int_equal(av_keystore_end(keys), 20 * AV_KEY_BLOCK + 1);
	assert_status(av_keystore_get(keys, 20 * AV_KEY_BLOCK, got), AV_OK);
	assert_memory_equal(got, last, AV_KEY_SIZE);
	av_keystore_close(&keys);
}

/* Its name too: a power cut must not leave data whose keys have gone with their folder. */
static void the_folder_of_a_new_key_store_is_durable(void **state)
{
	struct stat above;
	bool found = false;
	synced_count = 0;
	struct av_keystore *keys = open_keys(in_folder(state, "durable"));
	assert_int_equal(stat(in_folder(state, "."), &above), 0);
	for (size_t i = 0; i < synced_count; i++)
		found = found || synced[i] == above.st_ino;
	assert_true(found);
	av_keystore_close(&keys);
}

static void the_wrong_master_key_a_second_opener_and_damage_are_refused(void **state)
{
	const char *path = in_folder(state, "refused");
	unsigned char other[AV_KEY_SIZE] = {9};
	struct av_keystore *keys = open_keys(path), *second = NULL;
	assert_status(av_keystore_extend(keys, 2), AV_OK);
	assert_status(try_open(path, master, &second), AV_LOCKED);
	av_keystore_close(&keys);
	uint64_t before = tree_print(path);
	assert_status(try_open(path, other, &second), AV_CRYPTO);
	assert_int_equal(tree_print(path), before);

	const char *file = in_folder(state, "refused/wrapping-1");
	size_t size;
	unsigned char *data = read_whole(file, &size);
	assert_int_equal(size, WRAPPING_FILE_SIZE);
	write_whole(file, data, size - 1);
	before = tree_print(path);
	assert_status(try_open(path, master, &second), AV_DAMAGED);
	assert_int_equal(tree_print(path), before);
	data[0] = 2;
	write_whole(file, data, size);
	assert_status(try_open(path, master, &second), AV_NEWER);
	data[0] = 1;
	assert_int_equal(unlink(file), 0); /* lost: never taken for a new store */
	before = tree_print(path);
	assert_status(try_open(path, master, &second), AV_DAMAGED);
	assert_int_equal(tree_print(path), before);
	write_whole(file, data, size);
	assert_int_equal(rename(in_folder(state, "refused/keys-1"), in_folder(state, "aside")), 0);
	before = tree_print(path);
	assert_status(try_open(path, master, &second), AV_DAMAGED);
	assert_int_equal(tree_print(path), before);
	assert_int_equal(rename(in_folder(state, "aside"), in_folder(state, "refused/keys-1")), 0);
	keys = open_keys(path);
	av_keystore_close(&keys);
	free(data);
}

static void a_destroyed_key_is_gone_and_the_others_stay(void **state)
{
	const char *path = in_folder(state, "destroyed");
	unsigned char kept[AV_KEY_SIZE], got[AV_KEY_SIZE];
	static const uint64_t doomed[] = {1, 3, 3, AV_KEY_BLOCK, AV_KEY_BLOCK + 1, 3 * AV_KEY_BLOCK};
	struct av_keystore *keys = open_keys(path);
	assert_status(av_keystore_extend(keys, 3 * AV_KEY_BLOCK), AV_OK);
	assert_status(av_keystore_get(keys, 2, kept), AV_OK);
	const uint64_t never = 3 * AV_KEY_BLOCK + 1;
	assert_status(av_keystore_destroy(keys, &never, 1), AV_NOT_FOUND);
	for (int round = 0; round < 3; round++) { /* once more, and after reopening */
		assert_status(av_keystore_destroy(keys, doomed, AV_COUNT(doomed)), AV_OK);
		assert_int_equal(access(in_folder(state, "destroyed/wrapping-3"), F_OK),
			-1); /* one rewriting was enough */
		for (size_t i = 0; i < AV_COUNT(doomed); i++)
			assert_status(av_keystore_get(keys, doomed[i], got), AV_ERASED);
		assert_status(av_keystore_get(keys, 2, got), AV_OK);
		assert_memory_equal(got, kept, AV_KEY_SIZE);
		assert_int_equal(av_keystore_end(keys), 3 * AV_KEY_BLOCK + 1);
		if (round == 1) {
			av_keystore_close(&keys);
			keys = open_keys(path);
		}
	}
	assert_status(av_keystore_extend(keys, 3 * AV_KEY_BLOCK + 2), AV_OK); /* it goes on from there */
	assert_status(av_keystore_get(keys, never, got), AV_OK);
	av_keystore_close(&keys);
}

static void replace_file(const char *from, const char *to)
{
	size_t size;
	unsigned char *data = read_whole(from, &size);
	assert_non_null(data);
	write_whole(to, data, size);
	free(data);
}

/* The copy that somebody made before the erasure, with whatever wrapping key is left. */
static void an_old_copy_opens_nothing_any_more(void **state)
{
	const char *path = in_folder(state, "old"), *copy = in_folder(state, "old-copy");
	unsigned char erased[AV_KEY_SIZE], kept[AV_KEY_SIZE], got[AV_KEY_SIZE];
	struct av_keystore *keys = open_keys(path), *old = NULL;
	assert_status(av_keystore_extend(keys, 10), AV_OK);
	assert_status(av_keystore_get(keys, 7, erased), AV_OK);
	assert_status(av_keystore_get(keys, 8, kept), AV_OK);
	av_keystore_close(&keys);
	copy_tree(path, copy);
	assert_int_equal(
		unlink(in_folder(state, "old-copy/wrapping-1")), 0); /* wrapping keys are not in the backup */

	/* with its own wrapping key it would open: or what follows proves nothing */
	copy_tree(copy, in_folder(state, "old-control"));
	replace_file(in_folder(state, "old/wrapping-1"), in_folder(state, "old-control/wrapping-1"));
	old = open_keys(in_folder(state, "old-control"));
	assert_status(av_keystore_get(old, 7, got), AV_OK);
	assert_memory_equal(got, erased, AV_KEY_SIZE);
	av_keystore_close(&old);

	keys = open_keys(path);
	const uint64_t number = 7;
	assert_status(av_keystore_destroy(keys, &number, 1), AV_OK);
	assert_status(av_keystore_get(keys, 8, got), AV_OK);
	assert_memory_equal(got, kept, AV_KEY_SIZE);
	av_keystore_close(&keys);
	assert_int_equal(access(in_folder(state, "old/wrapping-1"), F_OK), -1);
	assert_int_equal(access(in_folder(state, "old/keys-1"), F_OK), -1);

	assert_status(try_open(copy, master, &old), AV_DAMAGED); /* without a wrapping key */
	replace_file(in_folder(state, "old/wrapping-2"), in_folder(state, "old-copy/wrapping-2"));
	assert_status(try_open(copy, master, &old), AV_DAMAGED); /* with the new one, under its name */
	unlink(in_folder(state, "old-copy/wrapping-2"));
	replace_file(in_folder(state, "old/wrapping-2"), in_folder(state, "old-copy/wrapping-1"));
	assert_status(try_open(copy, master, &old), AV_DAMAGED); /* under the old name */
	/* the new wrapping key and the old blocks, as if they belonged together */
	unlink(in_folder(state, "old-copy/wrapping-1"));
	replace_file(in_folder(state, "old/wrapping-2"), in_folder(state, "old-copy/wrapping-2"));
	assert_int_equal(rename(in_folder(state, "old-copy/keys-1"), in_folder(state, "old-copy/keys-2")), 0);
	assert_status(try_open(copy, master, &old), AV_OK);
	assert_status(av_keystore_get(old, 7, got), AV_DAMAGED);
	assert_status(av_keystore_get(old, 8, got), AV_DAMAGED);
	av_keystore_close(&old);
}

/* The overwriting reaches the file itself, not only its name. */
static int watched_fd = -1;
static unsigned char watched[WRAPPING_FILE_SIZE + 1];
static ssize_t watched_size;

static void look_at_watched(int number)
{
	if (number == 7 && watched_size == 0)
		watched_size = pread(watched_fd, watched, sizeof watched, 0);
}

static void the_old_wrapping_file_is_overwritten_before_it_is_unlinked(void **state)
{
	const char *path = in_folder(state, "overwritten");
	struct av_keystore *keys = open_keys(path);
	size_t size;
	const uint64_t number = 1;
	assert_status(av_keystore_extend(keys, 10), AV_OK);
	unsigned char *before = read_whole(in_folder(state, "overwritten/wrapping-1"), &size);
	watched_fd = open(in_folder(state, "overwritten/wrapping-1"), O_RDONLY);
	av_keystore_step = look_at_watched;
	assert_status(av_keystore_destroy(keys, &number, 1), AV_OK);
	av_keystore_step = NULL;
	close(watched_fd);
	assert_int_equal(watched_size, WRAPPING_FILE_SIZE);
	for (size_t i = 0; i + 16 <= WRAPPING_FILE_SIZE; i += 8)
		assert_memory_not_equal(watched + i, before + i, 16);
	free(before);
	av_keystore_close(&keys);
}

static int die_at;

static void die(int number)
{
	if (number == die_at)
		_exit(42);
}

/* In a child that dies at the step: of opening when there are no numbers, else of destroying. false: it went
 * through. */
static bool dies_at(int step_number, const char *path, const uint64_t *numbers, size_t count)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		struct av_keystore *keys = NULL;
		die_at = step_number;
		av_keystore_step = count == 0 ? die : NULL;
		if (try_open(path, master, &keys) != AV_OK)
			_exit(1);
		av_keystore_step = die;
		_exit(count == 0 || av_keystore_destroy(keys, numbers, count) == AV_OK ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 42)
		assert_int_equal(WEXITSTATUS(status), 0);
	return WEXITSTATUS(status) == 42;
}

static void assert_only(void **state, const char *folder, int generation)
{
	static const struct {
		const char *what, *suffix;
	} forms[] = {{"keys", ""}, {"wrapping", ""}, {"keys", ".new"}, {"wrapping", ".new"}};
	for (int g = 1; g <= 4; g++)
		for (size_t i = 0; i < AV_COUNT(forms); i++) {
			char name[64];
			snprintf(name, sizeof name, "%s/%s-%d%s", folder, forms[i].what, g, forms[i].suffix);
			bool there = access(in_folder(state, name), F_OK) == 0;
			if (there != (g == generation && i < 2))
				fail_msg("%s is %s", name, there ? "left behind" : "missing");
		}
}

static void a_rewriting_may_be_cut_off_at_every_step(void **state)
{
	unsigned char kept[AV_KEY_SIZE], erased[AV_KEY_SIZE], got[AV_KEY_SIZE];
	const uint64_t numbers[] = {5, AV_KEY_BLOCK + 5};
	for (int step_number = 1; step_number <= STEPS; step_number++) {
		char folder[32];
		snprintf(folder, sizeof folder, "cut-%d", step_number);
		const char *path = in_folder(state, folder);
		struct av_keystore *keys = open_keys(path);
		assert_status(av_keystore_extend(keys, 2 * AV_KEY_BLOCK), AV_OK);
		assert_status(av_keystore_get(keys, 6, kept), AV_OK);
		assert_status(av_keystore_get(keys, 5, erased), AV_OK);
		av_keystore_close(&keys);

		assert_true(dies_at(step_number, path, numbers, AV_COUNT(numbers)));
		keys = open_keys(path);
		bool in_force = step_number >= 5;
		assert_only(state, folder, in_force ? 2 : 1);
		assert_status(av_keystore_get(keys, 6, got), AV_OK);
		assert_memory_equal(got, kept, AV_KEY_SIZE);
		assert_status(av_keystore_get(keys, 5, got), in_force ? AV_ERASED : AV_OK);
		if (!in_force)
			assert_memory_equal(got, erased, AV_KEY_SIZE);
		assert_status(av_keystore_destroy(keys, numbers, AV_COUNT(numbers)), AV_OK); /* tried again */
		assert_status(av_keystore_get(keys, 5, got), AV_ERASED);
		assert_status(av_keystore_get(keys, AV_KEY_BLOCK + 5, got), AV_ERASED);
		assert_status(av_keystore_get(keys, 6, got), AV_OK);
		assert_memory_equal(got, kept, AV_KEY_SIZE);
		assert_status(av_keystore_extend(keys, 3 * AV_KEY_BLOCK), AV_OK);
		assert_only(state, folder, 2);
		av_keystore_close(&keys);
	}
}

/* The clearing up is cut off too, then the clearing up of that. */
static void being_cut_off_again_and_again_does_no_harm(void **state)
{
	const char *path = in_folder(state, "again");
	const uint64_t numbers[] = {5};
	unsigned char kept[AV_KEY_SIZE], got[AV_KEY_SIZE];
	struct av_keystore *keys = open_keys(path);
	assert_status(av_keystore_extend(keys, 10), AV_OK);
	assert_status(av_keystore_get(keys, 6, kept), AV_OK);
	av_keystore_close(&keys);
	static const int steps[] = {4, 6, 3, 7, 1, 6, 5, 6, 7, 2, 6, 8, 6};
	for (size_t i = 0; i < AV_COUNT(steps); i++)
		dies_at(steps[i], path, numbers, i % 2 ? 0 : 1);
	keys = open_keys(path);
	assert_status(av_keystore_destroy(keys, numbers, 1), AV_OK);
	assert_status(av_keystore_get(keys, 5, got), AV_ERASED);
	assert_status(av_keystore_get(keys, 6, got), AV_OK);
	assert_memory_equal(got, kept, AV_KEY_SIZE);
	av_keystore_close(&keys);
}

static void a_making_that_was_cut_off_starts_over(void **state)
{
	for (int step_number = 1; step_number <= 5; step_number++) {
		char folder[32];
		snprintf(folder, sizeof folder, "begin-%d", step_number);
		const char *path = in_folder(state, folder);
		assert_true(dies_at(step_number, path, NULL, 0));
		struct av_keystore *keys = open_keys(path);
		assert_only(state, folder, 1);
		assert_int_equal(av_keystore_end(keys), 1);
		assert_status(av_keystore_extend(keys, 5), AV_OK);
		av_keystore_close(&keys);
	}
}

static void a_copy_has_the_same_keys(void **state)
{
	const char *path = in_folder(state, "copied"), *copy = in_folder(state, "copied-copy");
	unsigned char want[AV_KEY_SIZE], got[AV_KEY_SIZE];
	const uint64_t number = 4;
	struct av_keystore *keys = open_keys(path);
	assert_status(av_keystore_extend(keys, 10), AV_OK);
	assert_status(av_keystore_destroy(keys, &number, 1), AV_OK);
	assert_status(av_keystore_get(keys, 5, want), AV_OK);
	assert_status(av_keystore_copy(keys, copy), AV_OK);
	assert_status(av_keystore_copy(keys, copy), AV_EXISTS);
	struct av_keystore *other = open_keys(copy);
	assert_status(av_keystore_get(other, 5, got), AV_OK);
	assert_memory_equal(got, want, AV_KEY_SIZE);
	assert_status(av_keystore_get(other, 4, got), AV_ERASED);
	av_keystore_close(&other);
	av_keystore_close(&keys);
}

struct use {
	struct av_keystore *keys;
	unsigned char want[AV_KEY_SIZE];
	int wrong;
};

static void *use_often(void *context)
{
	struct use *use = context;
	for (int i = 0; i < 20000; i++) {
		unsigned char got[AV_KEY_SIZE];
		if (av_keystore_get(use->keys, 2, got) != AV_OK || memcmp(got, use->want, AV_KEY_SIZE) != 0)
			use->wrong++;
	}
	return NULL;
}

static void keys_are_found_while_others_are_destroyed_and_made(void **state)
{
	struct av_keystore *keys = open_keys(in_folder(state, "threads"));
	struct use use = {.keys = keys};
	pthread_t threads[2];
	assert_status(av_keystore_extend(keys, 2 * AV_KEY_BLOCK), AV_OK);
	assert_status(av_keystore_get(keys, 2, use.want), AV_OK);
	for (size_t i = 0; i < AV_COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_often, &use), 0);
	for (uint64_t number = 10; number < 15; number++) {
		assert_status(av_keystore_destroy(keys, &number, 1), AV_OK);
		assert_status(av_keystore_extend(keys, av_keystore_end(keys) + 1), AV_OK);
	}
	for (size_t i = 0; i < AV_COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(use.wrong, 0);
	av_keystore_close(&keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_folder_of_a_new_key_store_is_durable),
		cmocka_unit_test(keys_are_made_in_blocks_and_stay_the_same),
		cmocka_unit_test(the_wrong_master_key_a_second_opener_and_damage_are_refused),
		cmocka_unit_test(a_destroyed_key_is_gone_and_the_others_stay),
		cmocka_unit_test(an_old_copy_opens_nothing_any_more),
		cmocka_unit_test(the_old_wrapping_file_is_overwritten_before_it_is_unlinked),
		cmocka_unit_test(a_rewriting_may_be_cut_off_at_every_step),
		cmocka_unit_test(being_cut_off_again_and_again_does_no_harm),
		cmocka_unit_test(a_making_that_was_cut_off_starts_over),
		cmocka_unit_test(a_copy_has_the_same_keys),
		cmocka_unit_test(keys_are_found_while_others_are_destroyed_and_made),
	};
	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
