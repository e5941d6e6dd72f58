/* store_pin.c - the old snapshot that keeps a commit's pages together: bounded, unseen, and never in a small
 * map */
#include "store_support.h"

#include <sys/stat.h>

#define KEYS 40
#define COMMITS 700 /* rewrite the file more than four times over what a snapshot may hold back */

/* Changes the same records again and again: nothing is added. */
static void change_all(struct av_store *store)
{
	static unsigned char value[3000];
	for (int i = 0; i < COMMITS; i++) {
		struct av_txn *txn = must_write(store);
		for (unsigned char key = 1; key <= KEYS; key++)
			av_put(txn, TABLE_PLAIN, av_bytes(&key, 1), av_bytes(value, sizeof value));
		must_commit(&txn);
	}
}

static void a_store_that_only_changes_stops_growing(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "changes"));
	struct av_store_health health;
	struct stat st;
	options.map_bytes = (size_t)1 << 30;
	struct av_store *store = must_open(&options);
	change_all(store);
	assert_int_equal(stat(in_folder(state, "changes/data.mdb"), &st), 0);
	assert_in_range(st.st_size, 0, 3 * 32 * 1024 * 1024);
	assert_status(av_store_health(store, &health), AV_OK);
	assert_int_equal(health.readers, 0); /* our own is none that anybody must look for */
	assert_int_equal(health.oldest_reader_lag, 0);
	av_store_close(&store);
}

static void a_small_map_is_not_filled_by_it(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "small"));
	struct stat st;
	options.map_bytes = (size_t)4 * 1024 * 1024;
	struct av_store *store = must_open(&options);
	change_all(store);
	assert_int_equal(stat(in_folder(state, "small/data.mdb"), &st), 0);
	assert_in_range(st.st_size, 0, 2 * 1024 * 1024);
	av_store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_that_only_changes_stops_growing),
		cmocka_unit_test(a_small_map_is_not_filled_by_it),
	};
	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
