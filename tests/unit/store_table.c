/* store_table.c - tables against a model, and transactions that remember their first error */
#include "store_support.h"

#include <pthread.h>

#include "base/random.h"

enum { KEYS = 400, OPERATIONS = 10000 };

/* The model: the value of each possible key, or -1. Keys are short strings over few letters, so that prefixes
 * meet. */
struct model {
	char keys[KEYS][8];
	int values[KEYS]; /* the length, and the byte it is filled with */
	size_t count;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void make_keys(struct model *model, struct av_random *random)
{
	char all[KEYS][8];
	model->count = 0;
	for (size_t i = 0; i < KEYS; i++) {
		size_t length = 1 + av_random_below(random, 5);
		for (size_t j = 0; j < length; j++)
			all[i][j] = "ab\xff"[av_random_below(random, 3)];
		all[i][length] = '\0';
	}
	qsort(all, KEYS, sizeof all[0], by_text);
	for (size_t i = 0; i < KEYS; i++)
		if (model->count == 0 || strcmp(model->keys[model->count - 1], all[i]) != 0) {
			memcpy(model->keys[model->count], all[i], sizeof all[i]);
			model->values[model->count++] = -1;
		}
}

static void assert_holds(struct av_bytes value, int want)
{
	unsigned char filling[256];
	memset(filling, want, sizeof filling);
	assert_int_equal(value.size, want);
	assert_memory_equal(value.data, filling, value.size);
}

static void check_range(struct av_txn *txn, const struct model *model, const char *prefix, const char *from)
{
	struct av_iter it = av_iter(txn, TABLE_PLAIN, av_bytes_of(prefix), av_bytes_of(from));
	const char *last = NULL;
	int last_value = -1;
	struct av_bytes key, value;
	for (size_t i = 0; i < model->count; i++) {
		bool under = model->values[i] >= 0 && strncmp(model->keys[i], prefix, strlen(prefix)) == 0;
		if (under) {
			last = model->keys[i];
			last_value = model->values[i];
		}
		if (!under || strcmp(model->keys[i], from) < 0)
			continue;
		assert_true(av_iter_next(&it));
		assert_true(av_bytes_equal(it.key, av_bytes_of(model->keys[i])));
		assert_holds(it.value, model->values[i]);
	}
	assert_false(av_iter_next(&it));
	assert_false(av_iter_next(&it));
	av_iter_end(&it);
	int status = av_last(txn, TABLE_PLAIN, av_bytes_of(prefix), &key, &value);
	assert_status(status, last ? AV_OK : AV_NOT_FOUND);
	if (last) {
		assert_true(av_bytes_equal(key, av_bytes_of(last)));
		assert_holds(value, last_value);
	}
}

static void change(struct av_txn *txn, struct model *model, struct av_random *random)
{
	unsigned char filling[256];
	size_t i = av_random_below(random, model->count);
	int value = (int)av_random_below(random, 256);
	struct av_bytes key = av_bytes_of(model->keys[i]), got;
	memset(filling, value, sizeof filling);
	switch (av_random_below(random, 4)) {
	case 0:
		av_put(txn, TABLE_PLAIN, key, av_bytes(filling, (size_t)value));
		model->values[i] = value;
		break;
	case 1:
		memset(av_put_room(txn, TABLE_PLAIN, key, (size_t)value), value, (size_t)value);
		model->values[i] = value;
		break;
	case 2:
		av_delete(txn, TABLE_PLAIN, key);
		model->values[i] = -1;
		break;
	default:
		assert_status(
			av_get(txn, TABLE_PLAIN, key, &got), model->values[i] < 0 ? AV_NOT_FOUND : AV_OK);
		if (model->values[i] >= 0)
			assert_holds(got, model->values[i]);
	}
}

/* Every third key under a prefix goes while it is being walked. */
static void delete_while_walking(struct av_txn *txn, struct model *model, const char *prefix)
{
	struct av_iter it = av_iter(txn, TABLE_PLAIN, av_bytes_of(prefix), av_bytes("", 0));
	size_t met = 0, want = 0, i = 0;
	for (size_t j = 0; j < model->count; j++)
		want += model->values[j] >= 0 && strncmp(model->keys[j], prefix, strlen(prefix)) == 0;
	for (; av_iter_next(&it); met++) {
		while (!av_bytes_equal(it.key, av_bytes_of(model->keys[i])))
			assert_true(++i < model->count);
		if (met % 3 == 0) {
			model->values[i] = -1;
			av_iter_delete(&it);
		}
	}
	av_iter_end(&it);
	assert_int_equal(met, want);
}

static void a_table_behaves_like_a_sorted_list(void **state)
{
	static const char *const prefixes[] = {
		"", "a", "b", "ab", "\xff", "\xff\xff", "a\xff", "bab", "\xff\xff\xff\xff"};
	struct av_random random = av_random_seeded(42);
	struct av_store_options options = test_options(in_folder(state, "model"));
	struct av_store *store = must_open(&options);
	static struct model model, committed;
	make_keys(&model, &random);
	committed = model;
	struct av_txn *txn = must_write(store);
	for (int i = 0; i < OPERATIONS; i++) {
		change(txn, &model, &random);
		if (i % 50 == 0)
			check_range(txn, &model, prefixes[av_random_below(&random, AV_COUNT(prefixes))],
				model.keys[av_random_below(&random, model.count)]);
		if (i % 700 == 0)
			delete_while_walking(
				txn, &model, prefixes[av_random_below(&random, AV_COUNT(prefixes))]);
		if (av_random_below(&random, 100) != 0)
			continue;
		if (av_random_below(&random, 3) == 0) {
			av_txn_abort(&txn);
			model = committed;
		} else {
			must_commit(&txn);
			committed = model;
		}
		if (av_random_below(&random, 10) == 0) {
			av_store_close(&store);
			store = must_open(&options);
			assert_false(av_store_is_new(store));
		}
		txn = must_read(store);
		for (size_t j = 0; j < AV_COUNT(prefixes); j++)
			check_range(txn, &model, prefixes[j], "");
		av_txn_abort(&txn);
		txn = must_write(store);
	}
	av_txn_abort(&txn);
	av_store_close(&store);
}

static void a_table_of_growing_keys_takes_others_too(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "growing"));
	struct av_store *store = must_open(&options);
	struct av_txn *txn = must_write(store);
	struct av_bytes value;
	av_put(txn, TABLE_GROWING, av_bytes("5", 1), av_bytes("five", 4));
	av_put(txn, TABLE_GROWING, av_bytes("7", 1), av_bytes("seven", 5));
	av_put(txn, TABLE_GROWING, av_bytes("7", 1), av_bytes("again", 5));
	av_put(txn, TABLE_GROWING, av_bytes("6", 1), av_bytes("six", 3));
	assert_int_equal(av_table_count(txn, TABLE_GROWING), 3);
	must_commit(&txn);
	txn = must_read(store);
	assert_status(av_get(txn, TABLE_GROWING, av_bytes("7", 1), &value), AV_OK);
	assert_true(av_bytes_equal(value, av_bytes("again", 5)));
	assert_status(av_get(txn, TABLE_GROWING, av_bytes("6", 1), &value), AV_OK);
	av_txn_abort(&txn);
	av_store_close(&store);
}

static void the_first_error_sticks_and_nothing_is_changed(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "sticky"));
	struct av_store *store = must_open(&options);
	static const unsigned char long_key[AV_KEY_MAX + 1];
	struct av_bytes value, key;
	uint64_t sequence = 77;
	struct av_txn *txn = must_write(store);
	av_put(txn, TABLE_PLAIN, av_bytes("before", 6), av_bytes("x", 1));
	assert_status(av_txn_error(txn), AV_OK);
	av_put(txn, TABLE_PLAIN, av_bytes(long_key, sizeof long_key), av_bytes("x", 1));
	assert_status(av_txn_error(txn), AV_TOO_LARGE);
	av_txn_fail(txn, AV_CONFLICT);
	av_put(txn, TABLE_PLAIN, av_bytes("after", 5), av_bytes("x", 1));
	assert_status(av_get(txn, TABLE_PLAIN, av_bytes("before", 6), &value), AV_TOO_LARGE);
	assert_status(av_last(txn, TABLE_PLAIN, av_bytes("", 0), &key, &value), AV_TOO_LARGE);
	assert_null(av_put_room(txn, TABLE_PLAIN, av_bytes("r", 1), 1));
	struct av_iter it = av_iter(txn, TABLE_PLAIN, av_bytes("", 0), av_bytes("", 0));
	assert_false(av_iter_next(&it));
	av_iter_end(&it);
	av_journal_append(txn, av_bytes("e", 1), &sequence);
	assert_int_equal(sequence, 77);
	assert_status(av_txn_commit(&txn), AV_TOO_LARGE);

	txn = must_write(store);
	assert_int_equal(av_table_count(txn, TABLE_PLAIN), 0);
	assert_int_equal(av_table_count(txn, AV_TABLE_JOURNAL), 0);
	av_txn_fail(txn, AV_NOTHING); /* not a failure */
	must_commit(&txn);
	av_store_close(&store);
}

static void each_misuse_has_its_error(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "misuse"));
	struct av_store *store = must_open(&options);
	struct av_bytes value;
	struct av_txn *txn = must_write(store), *second = NULL;
	assert_status(av_txn_begin_write(store, &second), AV_BUSY);
	av_put(txn, TABLE_PLAIN, av_bytes("", 0), av_bytes("x", 1));
	assert_status(av_txn_commit(&txn), AV_INVALID);
	txn = must_write(store);
	av_put(txn, TABLE_GROWING + 1, av_bytes("k", 1), av_bytes("x", 1));
	assert_status(av_txn_commit(&txn), AV_INTERNAL);
	txn = must_read(store);
	av_put(txn, TABLE_PLAIN, av_bytes("k", 1), av_bytes("x", 1));
	assert_status(av_txn_error(txn), AV_FORBIDDEN);
	assert_status(av_txn_commit(&txn), AV_FORBIDDEN);
	txn = must_read(store); /* from the pool, as good as new */
	assert_status(av_get(txn, TABLE_PLAIN, av_bytes("k", 1), &value), AV_NOT_FOUND);
	av_txn_abort(&txn);
	av_txn_abort(&txn);
	av_store_close(&store);
	av_store_close(&store);
}

static void a_reader_sees_what_was_committed_when_it_began(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "snapshot"));
	struct av_store *store = must_open(&options);
	struct av_bytes value;
	struct av_txn *before = must_read(store), *txn = must_write(store);
	av_put(txn, TABLE_PLAIN, av_bytes("k", 1), av_bytes("new", 3));
	struct av_txn *during = must_read(store);
	must_commit(&txn);
	struct av_txn *after = must_read(store);
	assert_status(av_get(before, TABLE_PLAIN, av_bytes("k", 1), &value), AV_NOT_FOUND);
	assert_status(av_get(during, TABLE_PLAIN, av_bytes("k", 1), &value), AV_NOT_FOUND);
	assert_status(av_get(after, TABLE_PLAIN, av_bytes("k", 1), &value), AV_OK);
	av_txn_abort(&before);
	av_txn_abort(&during);
	av_txn_abort(&after);
	av_store_close(&store);
}

static void readers_run_out_with_busy_and_come_back(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "readers"));
	struct av_store *store = must_open(&options);
	struct av_txn *readers[1000];
	struct av_store_health health;
	size_t count = 0;
	int status;
	while ((status = av_txn_begin_read(store, &readers[count])) == AV_OK)
		assert_true(++count < AV_COUNT(readers));
	assert_status(status, AV_BUSY);
	assert_true(count > 50);
	av_txn_abort(&readers[--count]);
	assert_status(av_store_health(store, &health), AV_OK);
	assert_int_equal(health.readers, count);
	while (count > 0)
		av_txn_abort(&readers[--count]);
	assert_status(av_store_health(store, &health), AV_OK);
	assert_int_equal(health.readers, 0);
	av_store_close(&store);
}

struct reading {
	struct av_store *store;
	int failures;
};

static void *read_often(void *context)
{
	struct reading *reading = context;
	for (int i = 0; i < 3000; i++) {
		struct av_txn *txn;
		struct av_bytes a, b;
		if (av_txn_begin_read(reading->store, &txn) != AV_OK ||
			av_get(txn, TABLE_PLAIN, av_bytes("a", 1), &a) != AV_OK ||
			av_get(txn, TABLE_PLAIN, av_bytes("b", 1), &b) != AV_OK || !av_bytes_equal(a, b))
			reading->failures++;
		else
			av_txn_abort(&txn);
	}
	return NULL;
}

static void threads_read_whole_transactions_while_one_writes(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "threads"));
	struct av_store *store = must_open(&options);
	struct reading readings[4];
	pthread_t threads[4];
	for (uint64_t n = 0; n < 60; n++) {
		struct av_txn *txn = must_write(store);
		av_put(txn, TABLE_PLAIN, av_bytes("a", 1), av_bytes(&n, sizeof n));
		av_put(txn, TABLE_PLAIN, av_bytes("b", 1), av_bytes(&n, sizeof n));
		must_commit(&txn);
		for (size_t i = 0; n == 0 && i < AV_COUNT(threads); i++) {
			readings[i] = (struct reading){store, 0};
			assert_int_equal(pthread_create(&threads[i], NULL, read_often, &readings[i]), 0);
		}
	}
	for (size_t i = 0; i < AV_COUNT(threads); i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(readings[i].failures, 0);
	}
	av_store_close(&store);
}

static void counters_are_zero_until_they_are_set(void **state)
{
	struct av_store_options options = test_options(in_folder(state, "counters"));
	struct av_store *store = must_open(&options);
	struct av_txn *txn = must_write(store);
	assert_int_equal(av_counter(txn, "cases"), 0);
	av_counter_set(txn, "cases", 0x0102030405060708);
	assert_int_equal(av_counter(txn, "cases"), 0x0102030405060708);
	assert_int_equal(av_counter(txn, "case"), 0);
	must_commit(&txn);
	av_store_close(&store);
	store = must_open(&options);
	txn = must_read(store);
	assert_int_equal(av_counter(txn, "cases"), 0x0102030405060708);
	av_txn_abort(&txn);
	av_store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_behaves_like_a_sorted_list),
		cmocka_unit_test(a_table_of_growing_keys_takes_others_too),
		cmocka_unit_test(the_first_error_sticks_and_nothing_is_changed),
		cmocka_unit_test(each_misuse_has_its_error),
		cmocka_unit_test(a_reader_sees_what_was_committed_when_it_began),
		cmocka_unit_test(readers_run_out_with_busy_and_come_back),
		cmocka_unit_test(threads_read_whole_transactions_while_one_writes),
		cmocka_unit_test(counters_are_zero_until_they_are_set),
	};
	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
