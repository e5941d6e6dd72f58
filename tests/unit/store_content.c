/* store_content.c - sealed content: put, opened, erased, and gone from old copies once its key is destroyed
 */
#include "store_support.h"

#include "store/content.h"

static const unsigned char master[AV_KEY_SIZE] = {4, 5, 6};
static const unsigned char blinding[AV_KEY_SIZE] = {7, 7, 7};

struct both {
	struct av_store *store;
	struct av_keystore *keys;
	struct av_arena *arena;
	struct av_random random;
};

static struct av_keystore *open_keys(const char *path)
{
	struct av_random random = av_random_system();
	struct av_keystore *keys = NULL;
	const char *why = "";
	if (av_keystore_open(path, master, &random, &keys, &why) != AV_OK)
		fail_msg("%s", why);
	return keys;
}

static struct both open_both(void **state, const char *name)
{
	char keys[64];
	snprintf(keys, sizeof keys, "%s-keys", name);
	struct av_store_options options = test_options(in_folder(state, name));
	return (struct both){must_open(&options), open_keys(in_folder(state, keys)), av_arena_create(0),
		av_random_system()};
}

static void close_both(struct both *both)
{
	av_store_close(&both->store);
	av_keystore_close(&both->keys);
	av_arena_destroy(&both->arena);
}

static struct av_id id_of(unsigned char byte)
{
	struct av_id id;
	memset(&id, byte, sizeof id);
	return id;
}

/* Content `byte`: a narrative, an empty part and a large one, in a transaction of its own. Answers the key's
 * number. */
static uint64_t put_content(struct both *both, unsigned char byte)
{
	static char large[100000];
	const struct av_content_part parts[] = {
		{1, {"what happened", 13}}, {3, {"", 0}}, {15, {large, sizeof large}}};
	struct av_id id = id_of(byte);
	uint64_t number = 0;
	struct av_txn *txn = must_write(both->store);
	if (av_content_next_key(txn, both->keys, &number) == AV_FULL) {
		assert_status(av_keystore_extend(both->keys, av_keystore_end(both->keys) + 1), AV_OK);
		assert_status(av_content_next_key(txn, both->keys, &number), AV_OK);
	}
	assert_status(av_content_put(txn, both->keys, &id, number, blinding, parts, AV_COUNT(parts),
			      &both->random, NULL),
		AV_OK);
	must_commit(&txn);
	return number;
}

static int get_content(struct both *both, unsigned char byte, int part, struct av_bytes *ret_body)
{
	struct av_id id = id_of(byte);
	struct av_txn *txn = must_read(both->store);
	int status = av_content_get(txn, both->keys, &id, part, both->arena, ret_body);
	av_txn_abort(&txn);
	return status;
}

static void content_comes_back_part_by_part(void **state)
{
	struct both both = open_both(state, "parts");
	struct av_bytes body;
	struct av_id id = id_of(1), other = id_of(2);
	unsigned int bits = 0;
	assert_int_equal(put_content(&both, 1), 1);
	assert_int_equal(put_content(&both, 9), 2);
	assert_status(get_content(&both, 1, 0, &body), AV_OK);
	assert_true(av_bytes_equal(body, av_bytes(blinding, sizeof blinding)));
	assert_status(get_content(&both, 1, 1, &body), AV_OK);
	assert_true(av_bytes_equal(body, av_bytes("what happened", 13)));
	assert_status(get_content(&both, 1, 3, &body), AV_OK);
	assert_int_equal(body.size, 0);
	assert_status(get_content(&both, 1, 15, &body), AV_OK);
	assert_int_equal(body.size, 100000);
	assert_status(get_content(&both, 1, 2, &body), AV_NOT_FOUND);
	assert_status(get_content(&both, 2, 1, &body), AV_NOT_FOUND);
	struct av_txn *txn = must_read(both.store);
	assert_status(av_content_parts(txn, &id, &bits), AV_OK);
	assert_int_equal(bits, 1u << 0 | 1u << 1 | 1u << 3 | 1u << 15);
	assert_status(av_content_parts(txn, &other, &bits), AV_NOT_FOUND);
	av_txn_abort(&txn);
	close_both(&both);
}

static void nothing_of_it_lies_open_in_the_file(void **state)
{
	struct both both = open_both(state, "sealed");
	size_t size;
	put_content(&both, 1);
	unsigned char *data = read_whole(in_folder(state, "sealed/data.mdb"), &size);
	for (size_t i = 0; i + 32 < size; i++) {
		assert_memory_not_equal(data + i, "what happened", 13);
		assert_memory_not_equal(data + i, blinding, sizeof blinding);
	}
	free(data);
	close_both(&both);
}

static void what_cannot_be_put_changes_nothing(void **state)
{
	struct both both = open_both(state, "refused");
	struct av_id id = id_of(1), taken = id_of(2);
	const struct av_content_part twice[] = {{1, {"a", 1}}, {1, {"b", 1}}}, low[] = {{0, {"a", 1}}},
				     high[] = {{16, {"a", 1}}}, sound[] = {{1, {"a", 1}}};
	struct av_arena *arena = both.arena;
	uint64_t erased_number = put_content(&both, 2);
	struct av_txn *txn = must_write(both.store);
	struct av_keystore *keys = both.keys;
	struct av_random *random = &both.random;
	assert_status(av_content_put(txn, keys, &id, 1, blinding, twice, 2, random, arena), AV_INVALID);
	assert_status(av_content_put(txn, keys, &id, 1, blinding, low, 1, random, arena), AV_INVALID);
	assert_status(av_content_put(txn, keys, &id, 1, blinding, high, 1, random, arena), AV_INVALID);
	assert_status(av_content_put(txn, keys, &taken, 1, blinding, sound, 1, random, arena), AV_EXISTS);
	assert_status(
		av_content_put(txn, keys, &id, av_keystore_end(keys), blinding, sound, 1, random, arena),
		AV_NOT_FOUND);
	assert_status(av_keystore_destroy(keys, &erased_number, 1), AV_OK);
	assert_status(
		av_content_put(txn, keys, &id, erased_number, blinding, sound, 1, random, arena), AV_ERASED);
	assert_int_equal(av_table_count(txn, AV_TABLE_CONTENT), 1);
	must_commit(&txn);
	close_both(&both);
}

/* One record put in another's place, or a part in another's. */
static void what_was_moved_or_changed_does_not_open(void **state)
{
	struct both both = open_both(state, "moved");
	struct av_id id = id_of(1), place = id_of(2);
	struct av_bytes value, body;
	static unsigned char copy[200000];
	put_content(&both, 1);
	struct av_txn *txn = must_write(both.store);
	assert_status(av_get(txn, AV_TABLE_CONTENT, av_bytes(&id, sizeof id), &value), AV_OK);
	size_t size = value.size;
	memcpy(copy, value.data, size);
	av_put(txn, AV_TABLE_CONTENT, av_bytes(&place, sizeof place), av_bytes(copy, size));
	assert_status(av_content_get(txn, both.keys, &place, 1, both.arena, &body), AV_CRYPTO);
	assert_status(av_content_get(txn, both.keys, &id, 1, both.arena, &body), AV_OK);
	copy[11 + 5] = 2; /* the narrative says that it is another part */
	av_put(txn, AV_TABLE_CONTENT, av_bytes(&id, sizeof id), av_bytes(copy, size));
	assert_status(av_content_get(txn, both.keys, &id, 2, both.arena, &body), AV_CRYPTO);
	av_txn_abort(&txn);

	/* cut off anywhere: noticed, never read beyond */
	for (size_t cut = 0; cut < 300; cut++) {
		unsigned int bits;
		txn = must_write(both.store);
		unsigned char *exact = malloc(cut + 1);
		memcpy(exact, copy, cut);
		av_put(txn, AV_TABLE_CONTENT, av_bytes(&id, sizeof id), av_bytes(exact, cut));
		free(exact);
		assert_status(av_content_parts(txn, &id, &bits), AV_DAMAGED);
		assert_status(av_txn_commit(&txn), AV_DAMAGED);
	}
	close_both(&both);
}

static void erasing_drops_the_bytes_and_dooms_the_key(void **state)
{
	struct both both = open_both(state, "erase");
	struct av_id id = id_of(1), none = id_of(9);
	struct av_bytes body, value;
	uint64_t number = 0, doomed[5];
	unsigned int bits;
	put_content(&both, 1);
	put_content(&both, 2);
	struct av_txn *txn = must_write(both.store);
	assert_status(av_content_erase(txn, &none, &number), AV_NOT_FOUND);
	assert_status(av_content_erase(txn, &id, &number), AV_OK);
	assert_int_equal(number, 1);
	assert_status(av_content_erase(txn, &id, &number), AV_NOTHING);
	assert_int_equal(number, 1);
	must_commit(&txn);
	assert_status(get_content(&both, 1, 1, &body), AV_ERASED);
	assert_status(get_content(&both, 2, 1, &body), AV_OK);
	txn = must_write(both.store);
	assert_status(av_content_parts(txn, &id, &bits), AV_ERASED);
	assert_status(av_get(txn, AV_TABLE_CONTENT, av_bytes(&id, sizeof id), &value), AV_OK);
	assert_int_equal(value.size, 10);
	assert_int_equal(av_content_doomed(txn, doomed, 0), 0);
	assert_int_equal(av_content_doomed(txn, doomed, 5), 1);
	assert_int_equal(doomed[0], 1);
	assert_status(av_keystore_destroy(both.keys, doomed, 1), AV_OK);
	av_content_destroyed(txn, doomed, 1);
	must_commit(&txn);
	txn = must_read(both.store);
	assert_int_equal(av_content_doomed(txn, doomed, 5), 0);
	av_txn_abort(&txn);
	assert_status(get_content(&both, 2, 1, &body), AV_OK);
	close_both(&both);
}

static void an_old_copy_of_the_data_yields_nothing_of_what_was_erased(void **state)
{
	struct both both = open_both(state, "before");
	struct av_id id = id_of(1);
	struct av_bytes body;
	uint64_t number;
	put_content(&both, 1);
	put_content(&both, 2);
	assert_status(av_store_copy(both.store, in_folder(state, "backup")), AV_OK);
	struct av_txn *txn = must_write(both.store);
	assert_status(av_content_erase(txn, &id, &number), AV_OK);
	must_commit(&txn);
	struct av_store_options options = test_options(in_folder(state, "backup"));
	struct both old = {must_open(&options), both.keys, av_arena_create(0), av_random_system()};
	assert_status(
		get_content(&old, 1, 1, &body), AV_OK); /* until the key is gone: or this proves nothing */
	assert_status(av_keystore_destroy(both.keys, &number, 1), AV_OK);
	assert_status(get_content(&old, 1, 1, &body), AV_ERASED);
	assert_status(get_content(&old, 1, 0, &body), AV_ERASED);
	assert_status(get_content(&old, 2, 1, &body), AV_OK);

	/* The restored data counts keys from where it was: it passes over those that are destroyed. */
	txn = must_write(old.store);
	av_counter_set(txn, "next_key", number);
	uint64_t next;
	assert_status(av_content_next_key(txn, both.keys, &next), AV_OK);
	assert_int_equal(next, number + 1);
	must_commit(&txn);
	av_store_close(&old.store);
	av_arena_destroy(&old.arena);
	close_both(&both);
}

static void numbers_are_handed_out_once_and_run_out_with_full(void **state)
{
	struct both both = open_both(state, "numbers");
	uint64_t number = 0;
	struct av_txn *txn = must_write(both.store);
	assert_status(av_content_next_key(txn, both.keys, &number), AV_FULL);
	assert_status(av_keystore_extend(both.keys, 2), AV_OK);
	for (uint64_t i = 1; i <= AV_KEY_BLOCK; i++) {
		assert_status(av_content_next_key(txn, both.keys, &number), AV_OK);
		assert_int_equal(number, i);
	}
	assert_status(av_content_next_key(txn, both.keys, &number), AV_FULL);
	assert_status(av_txn_error(txn), AV_OK);
	av_txn_abort(&txn);
	txn = must_write(both.store);
	assert_status(av_content_next_key(txn, both.keys, &number), AV_OK);
	assert_int_equal(number, 1); /* an aborted turn used none */
	must_commit(&txn);
	close_both(&both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_comes_back_part_by_part),
		cmocka_unit_test(nothing_of_it_lies_open_in_the_file),
		cmocka_unit_test(what_cannot_be_put_changes_nothing),
		cmocka_unit_test(what_was_moved_or_changed_does_not_open),
		cmocka_unit_test(erasing_drops_the_bytes_and_dooms_the_key),
		cmocka_unit_test(an_old_copy_of_the_data_yields_nothing_of_what_was_erased),
		cmocka_unit_test(numbers_are_handed_out_once_and_run_out_with_full),
	};
	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
